/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* kernels.c - inner loops, each a vector unit's work. Sums go through LANES partial sums, so that their order is the same on
 * every processor. */
#include "dpsgd_internal.h"

#include <math.h>
#include <string.h>

enum { LANES = 16 };

/* No cell of a step gets as far from zero (bounds.c), so nothing is ever cut off here: it makes the conversion defined whatever
 * the numbers are. */
static const float LARGEST_STEPS = 0x1.fffffep30f;

static inline double sum_lanes(const double *lanes)
{
    double sums[LANES];
    memcpy(sums, lanes, sizeof sums);
    for (size_t width = LANES / 2; width > 0; width /= 2)
        for (size_t i = 0; i < width; i++)
            sums[i] += sums[i + width];
    return sums[0];
}

/* Fewer than LANES, in an order of their own: the lanes' would cost more than the sum. */
static inline double sum_few(const float *x, const float *y, size_t n)
{
    double sums[4] = { 0.0 };
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t l = 0; l < 4; l++)
            sums[l] += (double)x[i + l] * (double)y[i + l];
    for (size_t l = 0; i + l < n; l++)
        sums[l] += (double)x[i + l] * (double)y[i + l];
    return (sums[0] + sums[2]) + (sums[1] + sums[3]);
}

static inline double sum_many(const float *x, const float *y, size_t n)
{
    double lanes[LANES] = { 0.0 };
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            lanes[l] += (double)x[i + l] * (double)y[i + l];
    for (size_t l = 0; i + l < n; l++)
        lanes[l] += (double)x[i + l] * (double)y[i + l];
    return sum_lanes(lanes);
}

NW__CLONES static void add_to_doubles(double *restrict acc, const float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        acc[i] += (double)x[i];
}

NW__CLONES static void add_products(double *restrict acc, const float *restrict x, const float *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        acc[i] += (double)x[i] * (double)y[i];
}

NW__CLONES static double sum_squares(const float *x, size_t n)
{
    return n < LANES ? sum_few(x, x, n) : sum_many(x, x, n);
}

NW__CLONES static double sum_products(const float *x, const float *y, size_t n)
{
    return n < LANES ? sum_few(x, y, n) : sum_many(x, y, n);
}

/* Rows of one length, a call for many of them: of short ones, calls would cost more than the sums. */
NW__CLONES static void row_products(
    const float *x, size_t x_step, const float *y, size_t y_step, size_t rows, size_t n, double *restrict out)
{
    if (n == 1)
        for (size_t i = 0; i < rows; i++)
            out[i] = (double)x[i * x_step] * (double)y[i * y_step];
    else if (n < LANES)
        for (size_t i = 0; i < rows; i++)
            out[i] = sum_few(x + i * x_step, y + i * y_step, n);
    else
        for (size_t i = 0; i < rows; i++)
            out[i] = sum_many(x + i * x_step, y + i * y_step, n);
}

NW__CLONES static void scale_rows(float *restrict out, const float *restrict c, size_t positions, const float *restrict x,
    size_t step, size_t first, size_t rows, size_t n)
{
    for (size_t r = 0; r < rows; r++) {
        const float factor = positions == 1 ? c[first + r] : c[(first + r) / positions];
        for (size_t i = 0; i < n; i++)
            out[r * n + i] = factor * x[r * step + i];
    }
}

static inline float limited(float x)
{
    x = x < LARGEST_STEPS ? x : LARGEST_STEPS;
    return x > -LARGEST_STEPS ? x : -LARGEST_STEPS;
}

static inline double limited_double(double x)
{
    x = x < (double)LARGEST_STEPS ? x : (double)LARGEST_STEPS;
    return x > (double)-LARGEST_STEPS ? x : (double)-LARGEST_STEPS;
}

NW__CLONES static void add_rounded(int32_t *restrict cells, float c, const float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cells[i] = (int32_t)((uint32_t)cells[i] + (uint32_t)(int32_t)rintf(limited(x[i] * c)));
}

NW__CLONES static void add_rounded_rows(int32_t *restrict cells, const float *restrict factors, double unit,
    const float *restrict x, size_t step, size_t rows, size_t n)
{
    for (size_t r = 0; r < rows; r++) {
        if (!(factors[r] > 0.0F))
            continue;
        const float c = (float)((double)factors[r] * unit);
        for (size_t i = 0; i < n; i++)
            cells[i] = (int32_t)((uint32_t)cells[i] + (uint32_t)(int32_t)rintf(limited(x[r * step + i] * c)));
    }
}

NW__CLONES static void add_rounded_doubles(int32_t *restrict cells, double c, const double *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cells[i] = (int32_t)((uint32_t)cells[i] + (uint32_t)(int32_t)rint(limited_double(x[i] * c)));
}

static inline float float_of(int32_t cell)
{
    float x;
    memcpy(&x, &cell, sizeof x);
    return x;
}

static inline int32_t cell_of(float x)
{
    int32_t cell;
    memcpy(&cell, &x, sizeof cell);
    return cell;
}

NW__CLONES static void round_in_place(int32_t *cells, float c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cells[i] = (int32_t)rintf(limited(float_of(cells[i]) * c));
}

/* Noise of |z| < 2^51 to a double without an instruction that AVX2 lacks; a larger one only saturates, after the draw. */
static inline double double_of(int64_t z)
{
    const int64_t most = (INT64_C(1) << 51) - 1;
    z = z < most ? z : most;
    z = z > -most ? z : -most;
    const uint64_t bits = (uint64_t)z + UINT64_C(0x4338000000000000); /* of 1.5 2^52 */
    double x;
    memcpy(&x, &bits, sizeof x);
    return x - 0x1.8p52;
}

NW__CLONES static void release_integers(int32_t *restrict cells, const int64_t *restrict noise, double unit, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cells[i] = cell_of((float)(((double)cells[i] + double_of(noise[i])) * unit));
}

NW__CLONES static void release_floats(int32_t *restrict cells, float c, const int64_t *restrict noise, double unit, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cells[i] = cell_of((float)(((double)rintf(limited(float_of(cells[i]) * c)) + double_of(noise[i])) * unit));
}

/* ---- the functions that others call: a clone is found by a symbol that no visibility hides, so clones are static ---- */

double nw__sum_squares(const float *x, size_t n)
{
    return sum_squares(x, n);
}

double nw__sum_products(const float *x, const float *y, size_t n)
{
    return sum_products(x, y, n);
}

void nw__add_to_doubles(double *acc, const float *x, size_t n)
{
    add_to_doubles(acc, x, n);
}

void nw__add_products(double *acc, const float *x, const float *y, size_t n)
{
    add_products(acc, x, y, n);
}

void nw__row_products(const float *x, size_t x_step, const float *y, size_t y_step, size_t rows, size_t n, double *out)
{
    row_products(x, x_step, y, y_step, rows, n, out);
}

void nw__scale_rows(
    float *out, const float *c, size_t positions, const float *x, size_t step, size_t first, size_t rows, size_t n)
{
    scale_rows(out, c, positions, x, step, first, rows, n);
}

void nw__add_rounded_rows(int32_t *cells, const float *factors, double unit, const float *x, size_t step, size_t rows, size_t n)
{
    add_rounded_rows(cells, factors, unit, x, step, rows, n);
}

void nw__add_rounded(int32_t *cells, float c, const float *x, size_t n)
{
    add_rounded(cells, c, x, n);
}

void nw__add_rounded_doubles(int32_t *cells, double c, const double *x, size_t n)
{
    add_rounded_doubles(cells, c, x, n);
}

void nw__round_in_place(int32_t *cells, float c, size_t n)
{
    round_in_place(cells, c, n);
}

void nw__release_integers(int32_t *cells, const int64_t *noise, double unit, size_t n)
{
    release_integers(cells, noise, unit, n);
}

void nw__release_floats(int32_t *cells, float c, const int64_t *noise, double unit, size_t n)
{
    release_floats(cells, c, noise, unit, n);
}
