/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_VECTOR_AVX512_H
#define NW_VECTOR_AVX512_H

/* vector_avx512.h - the words of lanes.c on 16 lanes of 32 bits, 8 of 64, AVX-512F only. Unpacking works within
 * each 128 bits; gathering reads 4 bytes at an entry of 2, so the table has one more. */
#include <immintrin.h>

enum { LANES = 16 };
typedef uint32_t vec32 __attribute__((vector_size(64)));
typedef int32_t signed32 __attribute__((vector_size(64)));
typedef uint64_t vec64 __attribute__((vector_size(64)));

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

/* table[index], sign extended. */
static inline vec32 gather_32(const int16_t *table, vec32 index)
{
    const __m512i pairs = _mm512_i32gather_epi32((__m512i)index, table, 2);
    return (vec32)_mm512_srai_epi32(_mm512_slli_epi32(pairs, 16), 16);
}

static inline vec64 gather_64(const int16_t *table, vec64 index)
{
    const __m256i pairs = _mm512_i64gather_epi32((__m512i)index, table, 2);
    return (vec64)_mm512_cvtepi32_epi64(_mm256_srai_epi32(_mm256_slli_epi32(pairs, 16), 16));
}

/* Bit i: lane i of a equals that of b. */
static inline uint64_t equal_32(vec32 a, vec32 b)
{
    return _mm512_cmpeq_epi32_mask((__m512i)a, (__m512i)b);
}

static inline uint64_t equal_64(vec64 a, vec64 b)
{
    return _mm512_cmpeq_epi64_mask((__m512i)a, (__m512i)b);
}

/* Every lane, sign extended to 64 bits. */
static inline void write_32(int64_t *out, vec32 x)
{
    _mm512_storeu_si512(out, _mm512_cvtepi32_epi64(_mm512_castsi512_si256((__m512i)x)));
    _mm512_storeu_si512(out + 8, _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64((__m512i)x, 1)));
}

#endif
