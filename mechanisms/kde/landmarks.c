/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* landmarks.c - Nystrom features at public points Z: phi(x) = L^-1 k_Z(x) with L L' = K_Z + jitter I, so |phi(x)|^2 <= k(x, x)
 * = 1, and f(y) ~ phi(y) . sum_x phi(x).
 *
 * Points add k_Z(x), in whole units of 2^-26; the release multiplies the exact sums by L^-1, in whole units of 2^-24, which is
 * exact but for one rounding. Landmarks are taken in the order of a pivoted Cholesky factorisation [HPS12]: the first `size` of
 * it. Proof note: docs/rooms/kde.md#landmarks. */
#include "kde_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double JITTER = 1e-6;
static const double VALUE_UNIT = 0x1p26;
static const double INVERSE_UNIT = 0x1p24;
enum { SHIFT = 26 + 24 - NW__KDE_UNIT_BITS, MOST_LANDMARKS = NW__KDE_MOST_LANDMARKS };
/* What |phi| may exceed 1 by: |L^-1| <= jitter^(-1/2) = 1000; values rounded by 2^-27, entries of L^-1 by 2^-25; 8192 landmarks
 * at most: 1000 sqrt(8192) 2^-27 + 8192 2^-25 < 2^-10; the factorisation's own rounding, below 8192^2 2^-50, is less than the
 * jitter. */
static const double SLACK = 0x1p-10;

typedef __int128 int128;

typedef struct landmarks {
    size_t count;
    double *columns;  /* [d][count]: the landmarks in pivot order, coordinate by coordinate */
    double *factor;   /* L, [count][count], lower */
    int64_t *inverse; /* L^-1, lower */
    double *weights;  /* L^-T totals, after the release: f(y) = k_Z(y) . weights */
} landmarks;

/* Kernel values of x and `count` points that lie coordinate by coordinate. Compiled for several processors. */
NW__CLONES static void kernels(const nw_kde_opts *o, const float *x, const double *columns, size_t count, double *values)
{
    const bool is_l1 = nw__kde_is_l1(o->kernel);
    for (size_t k = 0; k < count; k++)
        values[k] = 0.0;
    for (size_t j = 0; j < o->dimension; j++) {
        const double at = (double)x[j];
        const double *column = columns + j * count;
        if (is_l1)
            for (size_t k = 0; k < count; k++)
                values[k] += fabs(at - column[k]);
        else
            for (size_t k = 0; k < count; k++)
                values[k] += (at - column[k]) * (at - column[k]);
    }
    for (size_t k = 0; k < count; k++)
        values[k] = nw__kde_of_distance(o, values[k]);
}

/* In four running sums, whose order is fixed. */
NW__CLONES static double dot(const double *x, const double *y, size_t n)
{
    double sums[4] = { 0 };
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t k = 0; k < 4; k++)
            sums[k] += x[i + k] * y[i + k];
    for (; i < n; i++)
        sums[0] += x[i] * y[i];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/* Pivoted Cholesky: each step takes the point that the ones before explain least. Row i of `rows` belongs to landmark i, and
 * has one entry a step, so that landmarks that are not chosen cost no square memory. */
static void factorise(
    landmarks *t, const nw_kde_opts *o, const double *all_columns, double *residual, double *values, double *rows, size_t *order)
{
    const size_t all = o->landmark_count, d = o->dimension, m = t->count;
    for (size_t i = 0; i < all; i++) {
        residual[i] = 1.0 + JITTER;
        order[i] = i;
    }
    for (size_t k = 0; k < m; k++) {
        size_t best = k;
        for (size_t i = k + 1; i < all; i++)
            if (residual[order[i]] > residual[order[best]])
                best = i;
        const size_t chosen = order[best];
        order[best] = order[k];
        order[k] = chosen;
        const double pivot = sqrt(fmax(residual[chosen], JITTER));
        rows[chosen * m + k] = pivot;
        kernels(o, o->landmarks + chosen * d, all_columns, all, values);
        for (size_t i = k + 1; i < all; i++) {
            const size_t other = order[i];
            const double entry = (values[other] - dot(rows + chosen * m, rows + other * m, k)) / pivot;
            rows[other * m + k] = entry;
            residual[other] -= entry * entry;
        }
    }
    for (size_t k = 0; k < m; k++) {
        for (size_t j = 0; j < d; j++)
            t->columns[j * m + k] = (double)o->landmarks[order[k] * d + j];
        memcpy(t->factor + k * m, rows + order[k] * m, (k + 1) * sizeof *t->factor);
    }
}

/* L^-1 by forward substitution, row by row. */
static void invert(landmarks *t, double *inverse)
{
    const size_t m = t->count;
    for (size_t i = 0; i < m; i++) {
        double *row = inverse + i * m;
        for (size_t j = 0; j < i; j++) {
            const double entry = t->factor[i * m + j];
            for (size_t c = 0; c <= j; c++)
                row[c] -= entry * inverse[j * m + c];
        }
        row[i] = 1.0;
        for (size_t c = 0; c <= i; c++)
            row[c] /= t->factor[i * m + i];
    }
    for (size_t i = 0; i < m * m; i++)
        t->inverse[i] = (int64_t)rint(inverse[i] * INVERSE_UNIT);
}

static nw_status make(landmarks *t, const nw_kde_opts *o, nw_error *err)
{
    const size_t m = t->count, all = o->landmark_count, d = o->dimension;
    double *all_columns = nw__calloc(all, d * sizeof *all_columns);
    double *residual = nw__calloc(all, sizeof *residual);
    double *values = nw__calloc(all, sizeof *values);
    double *rows = nw__calloc(all, m * sizeof *rows);
    double *inverse = nw__calloc(m, m * sizeof *inverse);
    size_t *order = nw__calloc(all, sizeof *order);
    t->columns = nw__calloc(m, d * sizeof *t->columns);
    t->factor = nw__calloc(m, m * sizeof *t->factor);
    t->inverse = nw__calloc(m, m * sizeof *t->inverse);
    const bool has_memory = all_columns != NULL && residual != NULL && values != NULL && rows != NULL && inverse != NULL &&
                            order != NULL && t->columns != NULL && t->factor != NULL && t->inverse != NULL;
    if (has_memory) {
        for (size_t i = 0; i < all; i++)
            for (size_t j = 0; j < d; j++)
                all_columns[j * all + i] = (double)o->landmarks[i * d + j];
        factorise(t, o, all_columns, residual, values, rows, order);
        invert(t, inverse);
    }
    free(all_columns);
    free(residual);
    free(values);
    free(rows);
    free(inverse);
    free(order);
    return has_memory ? NW_OK : nw__fail_memory(err, __func__);
}

static nw_status setup(nw_kde *kde, nw_error *err)
{
    landmarks *t = nw__calloc(1, sizeof *t);
    if (t == NULL)
        return nw__fail_memory(err, __func__);
    kde->tables = t;
    t->count = kde->opts.size;
    kde->sum_count = t->count;
    kde->plan.bytes += t->count * ((kde->opts.dimension + 1) * sizeof(double));
    NW__TRY(make(t, &kde->opts, err));
    const double m = (double)t->count;
    /* One more rounding, of a total to a whole unit, moves each by less than 1. */
    const double l2 = NW__KDE_UNIT * (1.0 + SLACK) + sqrt(m);
    return nw__kde_add_block(kde,
        &(nw__kde_block){ .count = t->count,
            .l1 = sqrt(m) * l2,
            .l2 = l2,
            .pairs = t->count % 2 == 0 ? sqrt(0.5 * m) * l2 : 0.0,
            .weight = 1.0 / (NW__KDE_UNIT * NW__KDE_UNIT) },
        err); /* |phi(y)| <= 1 */
}

static void add(const nw_kde *kde, const float *points, size_t n, int64_t *sums)
{
    const landmarks *t = kde->tables;
    double values[MOST_LANDMARKS];
    for (size_t i = 0; i < n; i++) {
        kernels(&kde->opts, points + i * kde->opts.dimension, t->columns, t->count, values);
        for (size_t k = 0; k < t->count; k++)
            sums[k] += (int64_t)rint(VALUE_UNIT * values[k]);
    }
}

/* |sums| <= 2^26 2^40, entries of the inverse <= 2^34, 2^13 of them: below 2^113. */
static void encode(const nw_kde *kde, const int64_t *sums, int64_t *totals)
{
    const landmarks *t = kde->tables;
    for (size_t i = 0; i < t->count; i++) {
        int128 total = (int128)1 << (SHIFT - 1);
        for (size_t k = 0; k <= i; k++)
            total += (int128)t->inverse[i * t->count + k] * sums[k];
        totals[i] = (int64_t)(total >> SHIFT);
    }
}

static nw_status decode(nw_kde *kde, nw_error *err)
{
    landmarks *t = kde->tables;
    const size_t m = t->count;
    t->weights = nw__calloc(m, sizeof *t->weights);
    if (t->weights == NULL)
        return nw__fail_memory(err, __func__);
    for (size_t i = m; i-- > 0;) {
        double value = (double)kde->totals[i] / NW__KDE_UNIT;
        for (size_t k = i + 1; k < m; k++)
            value -= t->factor[k * m + i] * t->weights[k];
        t->weights[i] = value / t->factor[i * m + i];
    }
    return NW_OK;
}

/* The error is that of the noise, |phi(y)|^2 = 1 - residual at most 1: what the landmarks do not span is not in it. */
static void query(const nw_kde *kde, const float *y, size_t m, double *values, double *errors)
{
    const landmarks *t = kde->tables;
    double similar[MOST_LANDMARKS];
    for (size_t r = 0; r < m; r++) {
        kernels(&kde->opts, y + r * kde->opts.dimension, t->columns, t->count, similar);
        values[r] = dot(t->weights, similar, t->count);
        if (errors != NULL)
            errors[r] = kde->plan.noise;
    }
}

static void clear(nw_kde *kde)
{
    landmarks *t = kde->tables;
    if (t == NULL)
        return;
    free(t->columns);
    free(t->factor);
    free(t->inverse);
    free(t->weights);
    free(t);
}

const nw__kde_ops nw__kde_landmarks = { NW_KDE_LANDMARKS, setup, add, encode, decode, query, clear };
