/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* lanes.c - the decoder's inner loops, compiled once for each vector unit under another name: integers modulo 2^32, so that each
 * gives the same results. Plain loops that compilers vectorise. */
#include "server.h"

/* Loads are shared by the pieces; `pieces` is a constant where it is inlined. */
static inline uint32_t count(const uint32_t *restrict factors, size_t stride, const uint32_t *restrict summands,
    const uint32_t *restrict widths, size_t n, const uint32_t *item, unsigned pieces)
{
    uint32_t found = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t hash = summands[i];
        for (unsigned j = 0; j < pieces; j++)
            hash += factors[j * stride + i] * item[j];
        found += hash < widths[i];
    }
    return found;
}

static uint32_t count_cells(const uint32_t *factors, size_t stride, const uint32_t *summands, const uint32_t *widths, size_t n,
    const uint32_t *item, unsigned pieces)
{
    switch (pieces) {
    case 1: return count(factors, stride, summands, widths, n, item, 1);
    case 2: return count(factors, stride, summands, widths, n, item, 2);
    case 3: return count(factors, stride, summands, widths, n, item, 3);
    case 4: return count(factors, stride, summands, widths, n, item, 4);
    default: return count(factors, stride, summands, widths, n, item, pieces);
    }
}

/* Butterflies of distance h and 2 h at once. */
static void two_passes(int32_t *restrict x, size_t n, size_t h)
{
    for (size_t i = 0; i < n; i += 4 * h)
        for (size_t j = i; j < i + h; j++) {
            const int32_t a = x[j] + x[j + h];
            const int32_t b = x[j] - x[j + h];
            const int32_t c = x[j + 2 * h] + x[j + 3 * h];
            const int32_t d = x[j + 2 * h] - x[j + 3 * h];
            x[j] = a + c;
            x[j + h] = b + d;
            x[j + 2 * h] = a - c;
            x[j + 3 * h] = b - d;
        }
}

/* Of n numbers, the butterflies of distance `h` and above. */
static void transform_from(int32_t *x, size_t n, size_t h)
{
    for (; 4 * h <= n; h *= 4)
        two_passes(x, n, h);
    if (2 * h == n)
        for (size_t j = 0; j < h; j++) {
            const int32_t a = x[j];
            x[j] = a + x[j + h];
            x[j + h] = a - x[j + h];
        }
}

static void transform(int32_t *x, unsigned log2_n)
{
    transform_from(x, (size_t)1 << log2_n, 1);
}

static void transform_lanes(int32_t *x, unsigned log2_n)
{
    transform_from(x, (size_t)NW__LDP_LANES << log2_n, NW__LDP_LANES);
}

static void scatter(int32_t *x, const uint32_t *places, const uint64_t *signs, const int32_t *weights, size_t n, unsigned shift)
{
    if (weights == NULL)
        for (size_t i = 0; i < n; i++)
            x[places[i]] += 1 - (int32_t)((signs[i] >> shift & 1) << 1);
    else
        for (size_t i = 0; i < n; i++)
            x[places[i]] += weights[i] * (1 - (int32_t)((signs[i] >> shift & 1) << 1));
}

/* A vector of all lanes, wherever it lies; compilers split it where units are narrower. */
typedef int32_t all_lanes __attribute__((vector_size(4 * NW__LDP_LANES), aligned(4), may_alias));

/* A lane's mask is all ones or zero by its sign, and v ^ m - m is v or -v. */
static inline void add_lanes(int32_t *lanes, uint32_t bits, int32_t weight)
{
    const all_lanes shifts = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
    const all_lanes masks = -(((int32_t)(bits & 0xffff) >> shifts) & 1);
    *(all_lanes *)lanes += (weight ^ masks) - masks;
}

static void scatter_lanes(
    int32_t *x, const uint32_t *places, const uint64_t *signs, const int32_t *weights, size_t n, unsigned shift)
{
    if (weights == NULL)
        for (size_t i = 0; i < n; i++)
            add_lanes(x + (size_t)NW__LDP_LANES * places[i], (uint32_t)(signs[i] >> shift), 1);
    else
        for (size_t i = 0; i < n; i++)
            add_lanes(x + (size_t)NW__LDP_LANES * places[i], (uint32_t)(signs[i] >> shift), weights[i]);
}

#if defined(NW__LDP_AVX512)
const nw__ldp_kernels nw__ldp_kernels_avx512 = { "avx512", count_cells, transform, scatter, transform_lanes, scatter_lanes };
#elif defined(NW__LDP_AVX2)
const nw__ldp_kernels nw__ldp_kernels_avx2 = { "avx2", count_cells, transform, scatter, transform_lanes, scatter_lanes };
#else
const nw__ldp_kernels nw__ldp_kernels_plain = { "plain", count_cells, transform, scatter, transform_lanes, scatter_lanes };
#endif
