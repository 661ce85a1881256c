/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* kernels.c - inner loops. Float sums go through LANES partial sums, and each lane block of the end of a row overlaps the one
 * before with weights of zero, so that the order is the same with any vector unit. Rounding adds 1.5 2^23 (2^52): what is left
 * in the low bits is the nearest integer, and sums of those bits modulo 2^32 (2^64) are sums of integers. */
#include "diff2_internal.h"

#include <string.h>

enum { LANES = NW__DIFF2_LANES };
static const float ROUND = 0x1.8p23f;
static const uint32_t ROUND_BITS = 0x4b400000;
static const double ROUND_DOUBLE = 0x1.8p52;
static const uint64_t ROUND_DOUBLE_BITS = UINT64_C(0x4338000000000000);

static inline uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline uint64_t bits_of_double(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* ---- products ---- */

void nw__diff2_edge(const float *w, size_t p, float *edge)
{
    const size_t whole = p / LANES * LANES;
    for (size_t l = 0; l < LANES; l++)
        edge[l] = p >= LANES && p - LANES + l >= whole ? w[p - LANES + l] : 0.0f;
}

typedef float vector __attribute__((vector_size(LANES * sizeof(float))));
typedef uint32_t words __attribute__((vector_size(LANES * sizeof(uint32_t))));

/* Without an address to return through, a vector's ABI would depend on the vector unit. */
#define LOAD(v, from) memcpy(&(v), (from), sizeof(v))

/* out[i]: the sum of the lanes of s[i], ((0 + 2) + (1 + 3)) + ((4 + 6) + (5 + 7)). */
static inline void sum_each(const vector s[LANES], float *out)
{
    vector pairs[LANES / 2];
    vector fours[LANES / 4];
    for (size_t i = 0; i < LANES / 2; i++)
        pairs[i] = __builtin_shufflevector(s[2 * i], s[2 * i + 1], 0, 8, 1, 9, 4, 12, 5, 13) +
                   __builtin_shufflevector(s[2 * i], s[2 * i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    for (size_t i = 0; i < LANES / 4; i++)
        fours[i] = __builtin_shufflevector(pairs[2 * i], pairs[2 * i + 1], 0, 1, 8, 9, 4, 5, 12, 13) +
                   __builtin_shufflevector(pairs[2 * i], pairs[2 * i + 1], 2, 3, 10, 11, 6, 7, 14, 15);
    const vector sums = __builtin_shufflevector(fours[0], fours[1], 0, 1, 2, 3, 8, 9, 10, 11) +
                        __builtin_shufflevector(fours[0], fours[1], 4, 5, 6, 7, 12, 13, 14, 15);
    memcpy(out, &sums, sizeof sums);
}

/* s[i] = the products of the lane block of row i at `at`, with what was there if it is not the first. */
static inline void add_block(vector s[LANES], const float *const *rows, size_t at, const float *w, bool is_first)
{
    vector weights;
    LOAD(weights, w);
    for (size_t i = 0; i < LANES; i++) {
        vector a;
        LOAD(a, rows[i] + at);
        s[i] = is_first ? a * weights : s[i] + a * weights;
    }
}

NW__CLONES static void dots_of_eight(
    const float *const *rows, const float *restrict w, const float *restrict edge, size_t p, float *restrict out)
{
    const size_t whole = p / LANES * LANES;
    vector s[LANES];
    add_block(s, rows, 0, w, true);
    for (size_t j = LANES; j < whole; j += LANES)
        add_block(s, rows, j, w + j, false);
    if (whole < p)
        add_block(s, rows, p - LANES, edge, false);
    sum_each(s, out);
}

/* Rows shorter than a vector: the same sums, of copies with zeros behind them. */
static void dots_of_short(const float *const *rows, size_t n, const float *w, size_t p, float *out)
{
    float weights[LANES] = { 0.0f };
    float copies[LANES][LANES] = { { 0.0f } };
    const float *starts[LANES];
    float sums[LANES];
    memcpy(weights, w, p * sizeof *w);
    for (size_t i = 0; i < LANES; i++)
        starts[i] = copies[i];
    for (size_t at = 0; at < n; at += LANES) {
        const size_t count = n - at < LANES ? n - at : LANES;
        for (size_t i = 0; i < count; i++)
            memcpy(copies[i], rows[at + i], p * sizeof *w);
        dots_of_eight(starts, weights, NULL, LANES, sums);
        memcpy(out + at, sums, count * sizeof *out);
    }
}

void nw__diff2_dots(const float *const *rows, size_t n, const float *w, const float *edge, size_t p, float *out)
{
    const float *last[LANES];
    float sums[LANES];
    size_t at = 0;
    if (p < LANES) {
        dots_of_short(rows, n, w, p, out);
        return;
    }
    for (; at + LANES <= n; at += LANES)
        dots_of_eight(rows + at, w, edge, p, out + at);
    if (at == n)
        return;
    for (size_t i = 0; i < LANES; i++)
        last[i] = rows[at + i < n ? at + i : n - 1];
    dots_of_eight(last, w, edge, p, sums);
    memcpy(out + at, sums, (n - at) * sizeof *out);
}

/* ---- sums of rounded products ---- */

size_t nw__diff2_cells(size_t p)
{
    return (p + LANES - 1) / LANES * LANES;
}

/* sums += the bits of c a + 1.5 2^23 of one lane block of eight rows. */
static inline void add_steps(uint32_t *sums, const float *const *rows, const float *c, size_t at)
{
    words sum;
    LOAD(sum, sums);
    for (size_t i = 0; i < LANES; i++) {
        vector a;
        LOAD(a, rows[i] + at);
        sum += (words)(c[i] * a + ROUND);
    }
    memcpy(sums, &sum, sizeof sum);
}

NW__CLONES static void add_eight(uint32_t *restrict sums, const float *const *rows, const float *restrict c, size_t p)
{
    const size_t whole = p / LANES * LANES;
    for (size_t j = 0; j < whole; j += LANES)
        add_steps(sums + j, rows, c, j);
    if (whole < p)
        add_steps(sums + whole, rows, c, p - LANES);
}

/* One row; its last p % LANES cells lie where add_eight has them. */
static void add_one(uint32_t *sums, const float *a, float c, size_t p)
{
    const size_t whole = p / LANES * LANES;
    const size_t skipped = p >= LANES && whole < p ? LANES - (p - whole) : 0;
    for (size_t j = 0; j < whole; j++)
        sums[j] += bits_of(c * a[j] + ROUND);
    for (size_t j = whole; j < p; j++)
        sums[skipped + j] += bits_of(c * a[j] + ROUND);
}

void nw__diff2_add_rows(uint32_t *sums, const float *const *rows, const float *c, size_t n, size_t p)
{
    size_t i = 0;
    for (; p >= LANES && i + LANES <= n; i += LANES)
        add_eight(sums, rows + i, c + i, p);
    for (; i < n; i++)
        add_one(sums, rows[i], c[i], p);
}

void nw__diff2_flush(int64_t *totals, uint32_t *sums, size_t rows, size_t p)
{
    const uint32_t offset = (uint32_t)rows * ROUND_BITS;
    const size_t whole = p / LANES * LANES;
    const size_t skipped = p >= LANES && whole < p ? LANES - (p - whole) : 0;
    for (size_t j = 0; j < whole; j++)
        totals[j] += (int32_t)(sums[j] - offset);
    for (size_t j = whole; j < p; j++)
        totals[j] += (int32_t)(sums[skipped + j] - offset);
    memset(sums, 0, nw__diff2_cells(p) * sizeof *sums);
}

/* ---- vectors ---- */

static inline double sum_doubles(const double *lanes)
{
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

NW__CLONES static double square_of(const float *x, size_t n)
{
    double lanes[LANES] = { 0.0 };
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            lanes[l] += (double)x[i + l] * (double)x[i + l];
    for (size_t l = 0; i + l < n; l++)
        lanes[l] += (double)x[i + l] * (double)x[i + l];
    return sum_doubles(lanes);
}

NW__CLONES static double square_of_difference(const float *x, const float *y, size_t n)
{
    double lanes[LANES] = { 0.0 };
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++) {
            const double gap = (double)x[i + l] - (double)y[i + l];
            lanes[l] += gap * gap;
        }
    for (size_t l = 0; i + l < n; l++) {
        const double gap = (double)x[i + l] - (double)y[i + l];
        lanes[l] += gap * gap;
    }
    return sum_doubles(lanes);
}

NW__CLONES static void add_vector(int64_t *restrict totals, const float *restrict x, double c, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t steps = bits_of_double((double)x[i] * c + ROUND_DOUBLE) - ROUND_DOUBLE_BITS;
        totals[i] = (int64_t)((uint64_t)totals[i] + steps);
    }
}

NW__CLONES static void add_difference(
    int64_t *restrict totals, const float *restrict x, const float *restrict y, double c, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t steps = bits_of_double(((double)x[i] - (double)y[i]) * c + ROUND_DOUBLE) - ROUND_DOUBLE_BITS;
        totals[i] = (int64_t)((uint64_t)totals[i] + steps);
    }
}

/* ---- the functions that others call: a clone is found by a symbol that no visibility hides, so clones are static ---- */

double nw__diff2_square(const float *x, const float *y, size_t n)
{
    return y == NULL ? square_of(x, n) : square_of_difference(x, y, n);
}

void nw__diff2_add_vector(int64_t *totals, const float *x, const float *y, double c, size_t n)
{
    if (y == NULL)
        add_vector(totals, x, c, n);
    else
        add_difference(totals, x, y, c, n);
}

void nw__diff2_merge(int64_t *totals, const int64_t *sums, size_t n)
{
    for (size_t i = 0; i < n; i++)
        totals[i] = (int64_t)((uint64_t)totals[i] + (uint64_t)sums[i]);
}
