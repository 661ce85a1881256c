/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_VECTOR_AVX2_H
#define NW_VECTOR_AVX2_H

/* vector_avx2.h - the words of lanes.c on 8 lanes of 32 bits, 4 of 64. Unpacking works within each 128 bits. */
#include <immintrin.h>

enum { LANES = 8 };
typedef uint32_t vec32 __attribute__((vector_size(32)));
typedef int32_t signed32 __attribute__((vector_size(32)));
typedef uint64_t vec64 __attribute__((vector_size(32)));

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

/* table[index], sign extended. Entries are loaded one by one: on Zen 3 the gathering instructions of AVX2 take 1.1 (32 bits) and
 * 1.4 times as long, and they are slowed down where microcode keeps them from leaking what they read. */
static inline vec32 gather_32(const int16_t *table, vec32 index)
{
    const vec64 pairs = (vec64)index; /* of 32-bit indices */
    return (vec32)_mm256_cvtepi16_epi32(
        _mm_set_epi16(table[pairs[3] >> 32], table[(uint32_t)pairs[3]], table[pairs[2] >> 32], table[(uint32_t)pairs[2]],
            table[pairs[1] >> 32], table[(uint32_t)pairs[1]], table[pairs[0] >> 32], table[(uint32_t)pairs[0]]));
}

static inline vec64 gather_64(const int16_t *table, vec64 index)
{
    return (vec64)_mm256_cvtepi16_epi64(
        _mm_set_epi16(0, 0, 0, 0, table[index[3]], table[index[2]], table[index[1]], table[index[0]]));
}

/* Bit i: lane i of a equals that of b. */
static inline uint64_t equal_32(vec32 a, vec32 b)
{
    return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32((__m256i)a, (__m256i)b)));
}

static inline uint64_t equal_64(vec64 a, vec64 b)
{
    return (uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64((__m256i)a, (__m256i)b)));
}

/* Every lane, sign extended to 64 bits. */
static inline void write_32(int64_t *out, vec32 x)
{
    _mm256_storeu_si256((__m256i *)(void *)out, _mm256_cvtepi32_epi64(_mm256_castsi256_si128((__m256i)x)));
    _mm256_storeu_si256((__m256i *)(void *)(out + 4), _mm256_cvtepi32_epi64(_mm256_extracti128_si256((__m256i)x, 1)));
}

#endif
