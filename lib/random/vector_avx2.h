/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_VECTOR_AVX2_H
#define NW_VECTOR_AVX2_H

/* vector_avx2.h - the words of lanes.c on 8 lanes of 32 bits. Unpacking works within each 128 bits. */
#include <immintrin.h>

enum { LANES = 8 };
typedef uint32_t vec32 __attribute__((vector_size(32)));

#define NW__LANES_KERNELS nw__kernels_avx2
#define NW__LANES_NAME "avx2"

static inline vec32 rotate_16(vec32 x)
{
    const __m256i order = _mm256_set_epi8(13, 12, 15, 14, 9, 8, 11, 10, 5, 4, 7, 6, 1, 0, 3, 2, /* the upper half */
        13, 12, 15, 14, 9, 8, 11, 10, 5, 4, 7, 6, 1, 0, 3, 2);
    return (vec32)_mm256_shuffle_epi8((__m256i)x, order);
}

static inline vec32 rotate_8(vec32 x)
{
    const __m256i order = _mm256_set_epi8(14, 13, 12, 15, 10, 9, 8, 11, 6, 5, 4, 7, 2, 1, 0, 3, /* the upper half */
        14, 13, 12, 15, 10, 9, 8, 11, 6, 5, 4, 7, 2, 1, 0, 3);
    return (vec32)_mm256_shuffle_epi8((__m256i)x, order);
}

static inline vec32 unpack_low_32(vec32 a, vec32 b)
{
    return (vec32)_mm256_unpacklo_epi32((__m256i)a, (__m256i)b);
}

static inline vec32 unpack_high_32(vec32 a, vec32 b)
{
    return (vec32)_mm256_unpackhi_epi32((__m256i)a, (__m256i)b);
}

static inline vec32 unpack_low_64(vec32 a, vec32 b)
{
    return (vec32)_mm256_unpacklo_epi64((__m256i)a, (__m256i)b);
}

static inline vec32 unpack_high_64(vec32 a, vec32 b)
{
    return (vec32)_mm256_unpackhi_epi64((__m256i)a, (__m256i)b);
}

#endif
