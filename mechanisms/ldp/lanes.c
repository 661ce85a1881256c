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

static void transform(int32_t *x, unsigned log2_n)
{
    const size_t n = (size_t)1 << log2_n;
    size_t h = 1;
    for (unsigned pass = 0; pass + 1 < log2_n; pass += 2, h *= 4)
        two_passes(x, n, h);
    if (log2_n % 2 == 1)
        for (size_t j = 0; j < h; j++) { /* h = n / 2 */
            const int32_t a = x[j];
            x[j] = a + x[j + h];
            x[j + h] = a - x[j + h];
        }
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

#if defined(NW__LDP_AVX512)
const nw__ldp_kernels nw__ldp_kernels_avx512 = { "avx512", count_cells, transform, scatter };
#elif defined(NW__LDP_AVX2)
const nw__ldp_kernels nw__ldp_kernels_avx2 = { "avx2", count_cells, transform, scatter };
#else
const nw__ldp_kernels nw__ldp_kernels_plain = { "plain", count_cells, transform, scatter };
#endif
