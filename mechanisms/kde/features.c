/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* features.c - random features [RR07]: the kernel is the average of cos(w.(x - y)) over frequencies w, so
 *   f(y) ~ 1/I sum_i ( cos(w_i.y) C_i + sin(w_i.y) S_i ),   C_i = sum_x cos(w_i.x), S_i = sum_x sin(w_i.x).
 * Published baseline: f(y) ~ 2/I sum_i cos(w_i.y + b_i) sum_x cos(w_i.x + b_i), b_i uniform [WNM23].
 * Proof note: docs/rooms/kde.md#features. */
#include "waves.h"

#include <math.h>
#include <stdlib.h>

typedef struct features {
    nw__waves waves;
    bool is_shifted;
    float *c; /* totals times what they count for in a value */
    float *s;
} features;

/* A pair of cosine and sine of one phase lies within 2^-21.5 of the unit circle, and each is rounded to 2^-20: the norms of a
 * pair are at most sqrt(2) 2^20 + 2 and 2^20 + 1.5. */
static const double PAIR_L1 = 0x1.6a09e667f3bcdp+20 + 2.0;
static const double PAIR_L2 = 0x1p20 + 1.5;
static const double COSINE_MOST = 0x1p20 + 1.0;

static nw_status setup(nw_kde *kde, nw_error *err)
{
    const nw_kde_opts *o = &kde->opts;
    features *f = nw__calloc(1, sizeof *f);
    if (f == NULL)
        return nw__fail_memory(err, __func__);
    kde->tables = f;
    f->is_shifted = o->estimator == NW_KDE_LSQ_RFF;
    NW__TRY(nw__waves_new(&f->waves, kde, o->estimator == NW_KDE_HADAMARD, f->is_shifted, err));
    const double pairs = (double)o->size;
    const double unit = 1.0 / (pairs * NW__KDE_UNIT);
    kde->sum_count = f->is_shifted ? o->size : 2 * o->size;
    kde->plan.bytes += f->waves.tiles * f->waves.tile *
                       (f->waves.panels != NULL ? o->dimension : 4 + (f->waves.coordinates != NULL)) * sizeof(float);
    /* Variance of a value: sum over pairs of (cos^2 + sin^2) / I^2 = 1 / I; shifted: sum of 4 cos^2 / I^2, 2 / I on average. */
    if (f->is_shifted)
        return nw__kde_add_block(kde,
            &(nw__kde_block){ .count = o->size,
                .l1 = pairs * COSINE_MOST,
                .l2 = sqrt(pairs) * COSINE_MOST,
                .weight = 2.0 * pairs * unit * unit },
            err);
    return nw__kde_add_block(kde,
        &(nw__kde_block){ .count = 2 * o->size,
            .l1 = pairs * PAIR_L1,
            .l2 = sqrt(pairs) * PAIR_L2 + 1.0,
            .pairs = pairs * PAIR_L2,
            .weight = pairs * unit * unit },
        err);
}

static void add(const nw_kde *kde, const float *points, size_t n, int64_t *sums)
{
    const features *f = kde->tables;
    nw__waves_add(&f->waves, points, n, sums, f->is_shifted ? NULL : sums + kde->opts.size);
}

static nw_status decode(nw_kde *kde, nw_error *err)
{
    features *f = kde->tables;
    const size_t pairs = kde->opts.size;
    const double unit = (f->is_shifted ? 2.0 : 1.0) / NW__KDE_UNIT; /* t_i, whose average is the value */
    f->c = nw__calloc(pairs, sizeof *f->c);
    f->s = f->is_shifted ? NULL : nw__calloc(pairs, sizeof *f->s);
    if (f->c == NULL || (f->s == NULL && !f->is_shifted))
        return nw__fail_memory(err, __func__);
    for (size_t i = 0; i < pairs; i++) {
        f->c[i] = (float)((double)kde->totals[i] * unit);
        if (f->s != NULL)
            f->s[i] = (float)((double)kde->totals[pairs + i] * unit);
    }
    kde->plan.bytes += 2 * pairs * sizeof(float);
    return NW_OK;
}

/* The terms t_i are independent given the points, noise and frequencies alike, so their spread is the error of their average. */
static void query(const nw_kde *kde, const float *y, size_t m, double *values, double *errors, double *room)
{
    (void)room;
    const features *f = kde->tables;
    const double pairs = (double)kde->opts.size;
    for (size_t r = 0; r < m; r++) {
        double sum = 0.0, square = 0.0;
        nw__waves_dot(&f->waves, y + r * kde->opts.dimension, f->c, f->s, &sum, &square);
        values[r] = sum / pairs;
        if (errors != NULL)
            errors[r] = pairs < 2.0 ? INFINITY : sqrt(fmax(square / pairs - values[r] * values[r], 0.0) / (pairs - 1.0));
    }
}

static void clear(nw_kde *kde)
{
    features *f = kde->tables;
    if (f == NULL)
        return;
    nw__waves_clear(&f->waves);
    free(f->c);
    free(f->s);
    free(f);
}

const nw__kde_ops nw__kde_features = { NW_KDE_FEATURES, setup, add, NULL, decode, query, clear };
