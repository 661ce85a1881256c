/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_VECTOR_PORTABLE_H
#define NW_VECTOR_PORTABLE_H

/* vector_portable.h - the words of lanes.c on 4 lanes of 32 bits, 2 of 64, in the compiler's own vectors: NEON, SSE2, or
 * whatever the target has. */

enum { LANES = 4 };
typedef uint32_t vec32 __attribute__((vector_size(16)));
typedef int32_t signed32 __attribute__((vector_size(16)));
typedef uint64_t vec64 __attribute__((vector_size(16)));

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

/* table[index], sign extended. */
static inline vec32 gather_32(const int16_t *table, vec32 index)
{
    return (vec32)(signed32){ table[index[0]], table[index[1]], table[index[2]], table[index[3]] };
}

static inline vec64 gather_64(const int16_t *table, vec64 index)
{
    return (vec64){ (uint64_t)(int64_t)table[index[0]], (uint64_t)(int64_t)table[index[1]] };
}

/* Bit i: lane i of a equals that of b. */
static inline uint64_t equal_32(vec32 a, vec32 b)
{
    const vec32 bits = (vec32)(a == b) & (vec32){ 1, 2, 4, 8 };
    return bits[0] | bits[1] | bits[2] | bits[3];
}

static inline uint64_t equal_64(vec64 a, vec64 b)
{
    const vec64 bits = (vec64)(a == b) & (vec64){ 1, 2 };
    return bits[0] | bits[1];
}

/* Every lane, sign extended to 64 bits. */
static inline void write_32(int64_t *out, vec32 x)
{
    for (int lane = 0; lane < LANES; lane++)
        out[lane] = (int32_t)x[lane];
}

#endif
