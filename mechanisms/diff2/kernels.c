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

static inline float sum_lanes(const float *lanes)
{
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

NW__CLONES static void dots(
    const float *const *rows, size_t n, const float *restrict w, const float *restrict edge, size_t p, float *restrict out)
{
    const size_t whole = p / LANES * LANES;
    for (size_t i = 0; i < n; i++) {
        const float *restrict a = rows[i];
        float lanes[LANES] = { 0.0f };
        for (size_t j = 0; j < whole; j += LANES)
            for (size_t l = 0; l < LANES; l++)
                lanes[l] += a[j + l] * w[j + l];
        if (whole < p && p >= LANES)
            for (size_t l = 0; l < LANES; l++)
                lanes[l] += a[p - LANES + l] * edge[l];
        for (size_t l = 0; p < LANES && l < p; l++)
            lanes[l] += a[l] * w[l];
        out[i] = sum_lanes(lanes);
    }
}

/* ---- sums of rounded products ---- */

size_t nw__diff2_cells(size_t p)
{
    return p < LANES || p % LANES == 0 ? p : p / LANES * LANES + LANES;
}

NW__CLONES static void add_four(
    uint32_t *restrict sums, const float *const *rows, const float *restrict c, size_t from, size_t cells)
{
    const float *restrict a0 = rows[0] + from;
    const float *restrict a1 = rows[1] + from;
    const float *restrict a2 = rows[2] + from;
    const float *restrict a3 = rows[3] + from;
    for (size_t j = 0; j < cells; j++)
        sums[j] += (bits_of(c[0] * a0[j] + ROUND) + bits_of(c[1] * a1[j] + ROUND)) +
                   (bits_of(c[2] * a2[j] + ROUND) + bits_of(c[3] * a3[j] + ROUND));
}

NW__CLONES static void add_one(uint32_t *restrict sums, const float *restrict a, float c, size_t cells)
{
    for (size_t j = 0; j < cells; j++)
        sums[j] += bits_of(c * a[j] + ROUND);
}

/* Cells from .. from + cells of the rows. */
static void add_cells(uint32_t *sums, const float *const *rows, const float *c, size_t n, size_t from, size_t cells)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        add_four(sums, rows + i, c + i, from, cells);
    for (; i < n; i++)
        add_one(sums, rows[i] + from, c[i], cells);
}

void nw__diff2_add_rows(uint32_t *sums, const float *const *rows, const float *c, size_t n, size_t p)
{
    const size_t whole = p < LANES ? p : p / LANES * LANES;
    add_cells(sums, rows, c, n, 0, whole);
    if (whole < p)
        add_cells(sums + whole, rows, c, n, p - LANES, LANES);
}

void nw__diff2_flush(int64_t *totals, uint32_t *sums, size_t rows, size_t p)
{
    const uint32_t offset = (uint32_t)rows * ROUND_BITS;
    const size_t whole = p < LANES ? p : p / LANES * LANES;
    for (size_t j = 0; j < whole; j++)
        totals[j] += (int32_t)(sums[j] - offset);
    for (size_t j = whole; j < p; j++)
        totals[j] += (int32_t)(sums[whole + LANES - (p - j)] - offset);
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

void nw__diff2_dots(const float *const *rows, size_t n, const float *w, const float *edge, size_t p, float *out)
{
    dots(rows, n, w, edge, p, out);
}

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
