/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_VECTOR_AVX512_H
#define NW_VECTOR_AVX512_H

/* vector_avx512.h - the words of lanes.c on 16 lanes of 32 bits, AVX-512F only. Unpacking works within each 128 bits. */
#include <immintrin.h>

enum { LANES = 16 };
typedef uint32_t vec32 __attribute__((vector_size(64)));

#define NW__LANES_KERNELS nw__kernels_avx512
#define NW__LANES_NAME "avx512"

static inline vec32 rotate_16(vec32 x)
{
    return (vec32)_mm512_rol_epi32((__m512i)x, 16);
}

static inline vec32 rotate_8(vec32 x)
{
    return (vec32)_mm512_rol_epi32((__m512i)x, 8);
}

static inline vec32 unpack_low_32(vec32 a, vec32 b)
{
    return (vec32)_mm512_unpacklo_epi32((__m512i)a, (__m512i)b);
}

static inline vec32 unpack_high_32(vec32 a, vec32 b)
{
    return (vec32)_mm512_unpackhi_epi32((__m512i)a, (__m512i)b);
}

static inline vec32 unpack_low_64(vec32 a, vec32 b)
{
    return (vec32)_mm512_unpacklo_epi64((__m512i)a, (__m512i)b);
}

static inline vec32 unpack_high_64(vec32 a, vec32 b)
{
    return (vec32)_mm512_unpackhi_epi64((__m512i)a, (__m512i)b);
}

#endif
