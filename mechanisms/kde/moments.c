/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* moments.c - sum of |x - y|_2^2 = sum |u|^2 - 2 v.sum u + n |v|^2, with u = x - middle, v = y - middle: d + 1 sums, and n.
 * Proof note: docs/rooms/kde.md#moments. */
#include "kde_internal.h"

#include <math.h>
#include <stdlib.h>

typedef struct moments {
    double *middle;
    double radius; /* of the box: no |u| is larger */
    double step;   /* of u: radius 2^-20 */
} moments;

static nw_status setup(nw_kde *kde, nw_error *err)
{
    const nw_kde_opts *o = &kde->opts;
    const size_t d = o->dimension;
    moments *t = nw__calloc(1, sizeof *t);
    if (t == NULL)
        return nw__fail_memory(err, __func__);
    kde->tables = t;
    t->middle = nw__calloc(d, sizeof *t->middle);
    if (t->middle == NULL)
        return nw__fail_memory(err, __func__);
    double square = 0.0, half_widths = 0.0;
    for (size_t j = 0; j < d; j++) {
        const double half = 0.5 * (o->upper[j] - o->lower[j]);
        t->middle[j] = 0.5 * (o->upper[j] + o->lower[j]);
        square += half * half;
        half_widths += half;
    }
    t->radius = sqrt(square) * (1.0 + 0x1p-40);
    t->step = t->radius / NW__KDE_UNIT;
    kde->sum_count = d + 1;
    kde->needs_points = true;
    /* At the corner, where errors are largest: |v| = radius. Each u_j is rounded by at most 1/2 a step, and so is |u|^2, whose
     * step is radius^2 2^-20 and which is taken from its middle, radius^2 / 2, if the number of points is public. */
    const double rounding = 0.5 * (double)d + 1.0;
    const double v2 = t->radius * t->radius;
    NW__TRY(nw__kde_add_block(kde,
        &(nw__kde_block){ .count = d,
            .l1 = half_widths / t->step * (1.0 + 0x1p-40) + rounding,
            .l2 = NW__KDE_UNIT + 0.5 * sqrt((double)d) + 1.0,
            .weight = 4.0 * v2 * t->step * t->step },
        err));
    const double most = (o->public_points >= 0 ? 0.5 : 1.0) * NW__KDE_UNIT + 1.0;
    NW__TRY(nw__kde_add_block(
        kde, &(nw__kde_block){ .count = 1, .l1 = most, .l2 = most, .weight = v2 * v2 / (NW__KDE_UNIT * NW__KDE_UNIT) }, err));
    if (o->public_points >= 0)
        return NW_OK;
    kde->counts_points = true;
    return nw__kde_add_block(kde, &(nw__kde_block){ .count = 1, .l1 = 1.0, .l2 = 1.0, .weight = v2 * v2 }, err);
}

static double offset_of_square(const nw_kde *kde)
{
    return kde->opts.public_points >= 0 ? 0.5 * NW__KDE_UNIT : 0.0;
}

static void add(const nw_kde *kde, const float *points, size_t n, int64_t *sums)
{
    const moments *t = kde->tables;
    const size_t d = kde->opts.dimension;
    for (size_t i = 0; i < n; i++) {
        double square = 0.0;
        for (size_t j = 0; j < d; j++) {
            const double u = (double)points[i * d + j] - t->middle[j];
            square += u * u;
            sums[j] += (int64_t)rint(u / t->step);
        }
        sums[d] += (int64_t)rint(square / (t->radius * t->step) - offset_of_square(kde));
    }
}

static nw_status decode(nw_kde *kde, nw_error *err)
{
    (void)kde;
    (void)err;
    return NW_OK;
}

static void query(const nw_kde *kde, const float *y, size_t m, double *values, double *errors, double *room)
{
    (void)room;
    const moments *t = kde->tables;
    const size_t d = kde->opts.dimension;
    const double n = nw__kde_points_of(kde);
    const double squares = ((double)kde->totals[d] + n * offset_of_square(kde)) * t->radius * t->step;
    for (size_t r = 0; r < m; r++) {
        double v2 = 0.0, product = 0.0;
        for (size_t j = 0; j < d; j++) {
            const double v = (double)y[r * d + j] - t->middle[j];
            v2 += v * v;
            product += v * (double)kde->totals[j];
        }
        values[r] = squares - 2.0 * product * t->step + n * v2;
        if (errors != NULL) {
            const double s1 = 2.0 * sqrt(v2) * t->step * kde->blocks[0].deviation;
            const double s2 = t->radius * t->step * kde->blocks[1].deviation;
            errors[r] = sqrt(s1 * s1 + s2 * s2 + v2 * v2 * nw__kde_points_variance(kde));
        }
    }
}

static void clear(nw_kde *kde)
{
    moments *t = kde->tables;
    if (t == NULL)
        return;
    free(t->middle);
    free(t);
}

const nw__kde_ops nw__kde_moments = { NW_KDE_MOMENTS, setup, add, NULL, decode, query, clear };
