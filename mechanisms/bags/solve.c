/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* solve.c - symmetric matrices in plain C: small beside the rows that they come from, and the same on every machine. */
#include "bags_internal.h"

#include <math.h>

/* A pivot that is what rounding leaves of a dependent column: p roundings of relative 2^-53 in a sum of up to p terms of the size
 * of the diagonal. 2^-40 leaves room for p up to 4096. */
static const double LEAST_PIVOT = 0x1p-40;
static const size_t ROWS_AT_ONCE = 128; /* of p doubles: what stays in a cache while all pairs of columns use it */
static const size_t WORK_FOR_A_TEAM = (size_t)1 << 20;

NW__CLONES static void add_block(double *a, size_t p, const double *x, const double *w, size_t n)
{
    const int team = n * p * p < WORK_FOR_A_TEAM ? 1 : nw__threads(0);
#pragma omp parallel for schedule(dynamic, 8) num_threads(team)
    for (size_t i = 0; i < p; i++)
        for (size_t r = 0; r < n; r++) {
            const double scaled = w[r] * x[r * p + i];
            double *restrict to = a + i * p;
            const double *restrict from = x + r * p;
            for (size_t j = 0; j <= i; j++)
                to[j] += scaled * from[j];
        }
}

void nw__add_gram(double *a, size_t p, const double *x, const double *w, size_t n)
{
    for (size_t r = 0; r < n; r += ROWS_AT_ONCE)
        add_block(a, p, x + r * p, w + r, n - r < ROWS_AT_ONCE ? n - r : ROWS_AT_ONCE);
}

bool nw__cholesky(double *a, size_t p, double *log_det)
{
    double sum = 0.0;
    for (size_t i = 0; i < p; i++) {
        const double diagonal = a[i * p + i];
        for (size_t j = 0; j <= i; j++) {
            double s = a[i * p + j];
            for (size_t k = 0; k < j; k++)
                s -= a[i * p + k] * a[j * p + k];
            if (j < i)
                a[i * p + j] = s / a[j * p + j];
            else if (!(s > LEAST_PIVOT * diagonal))
                return false;
            else
                a[i * p + i] = sqrt(s);
        }
        sum += 2.0 * log(a[i * p + i]);
    }
    if (log_det != NULL)
        *log_det = sum;
    return true;
}

void nw__cholesky_solve(const double *l, size_t p, double *b)
{
    for (size_t i = 0; i < p; i++) {
        for (size_t k = 0; k < i; k++)
            b[i] -= l[i * p + k] * b[k];
        b[i] /= l[i * p + i];
    }
    for (size_t i = p; i-- > 0;) {
        for (size_t k = i + 1; k < p; k++)
            b[i] -= l[k * p + i] * b[k];
        b[i] /= l[i * p + i];
    }
}
