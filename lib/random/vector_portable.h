/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_VECTOR_PORTABLE_H
#define NW_VECTOR_PORTABLE_H

/* vector_portable.h - the words of lanes.c on 4 lanes of 32 bits in the compiler's own vectors: NEON, SSE2, or whatever the
 * target has. */

enum { LANES = 4 };
typedef uint32_t vec32 __attribute__((vector_size(16)));

#define NW__LANES_KERNELS nw__kernels_vector
#define NW__LANES_NAME "vector"

static inline vec32 rotate_16(vec32 x)
{
    return (x << 16) | (x >> 16);
}

static inline vec32 rotate_8(vec32 x)
{
    return (x << 8) | (x >> 24);
}

static inline vec32 unpack_low_32(vec32 a, vec32 b)
{
    return (vec32){ a[0], b[0], a[1], b[1] };
}

static inline vec32 unpack_high_32(vec32 a, vec32 b)
{
    return (vec32){ a[2], b[2], a[3], b[3] };
}

static inline vec32 unpack_low_64(vec32 a, vec32 b)
{
    return (vec32){ a[0], a[1], b[0], b[1] };
}

static inline vec32 unpack_high_64(vec32 a, vec32 b)
{
    return (vec32){ a[2], a[3], b[2], b[3] };
}

#endif
