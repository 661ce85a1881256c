/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* gauss_transform.c - the published baseline LSQ-FGT [WNM23]: moments of the points of each cell, by the fast Gauss transform
 * [GS91].
 *
 * Cells have the side of one bandwidth (in the convention exp(-|u|^2)). With z = (x - c) / b in [-1/2, 1/2]^d and t = (y - c) /
 *   b, exp(-|t - z|^2) = sum over a of z^a h_a(t) / a!,   h_a(t) = product of H_{a_j}(t_j) exp(-t_j^2),
 * cut at a_j < rho. Released: the moments sum z^a of each cell, at one noise scale. Proof note:
 * docs/rooms/kde.md#gauss-transform. */
#include "kde_internal.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_DIMENSIONS = 3, MOST_ORDER = 12 };
static const double REACH = 5.0; /* bandwidths: exp(-25) */

typedef struct transform {
    size_t order;   /* rho */
    size_t moments; /* rho^d, of a cell */
    double side;
    size_t cells[MOST_DIMENSIONS];
} transform;

static double side_of(const nw_kde_opts *o)
{
    return o->bandwidth * (o->is_half ? sqrt(2.0) : 1.0);
}

static nw_status setup(nw_kde *kde, nw_error *err)
{
    const nw_kde_opts *o = &kde->opts;
    transform *t = nw__calloc(1, sizeof *t);
    if (t == NULL)
        return nw__fail_memory(err, __func__);
    kde->tables = t;
    if (o->size > MOST_ORDER)
        return nw__fail(err, NW_E_ARG, __func__, "size is %zu, must be an order in 1 .. %d for lsq-fgt", o->size, MOST_ORDER);
    t->order = o->size;
    t->side = side_of(o);
    t->moments = 1;
    double cells = 1.0, moved = 1.0;
    for (size_t j = 0; j < o->dimension; j++) {
        const double n = floor((o->upper[j] - o->lower[j]) / t->side) + 1.0;
        cells *= n;
        if (!(cells < (double)NW__KDE_MOST_TOTALS))
            return nw__fail(
                err, NW_E_ARG, __func__, "bandwidth is %g: the bounds hold too many cells of that side", o->bandwidth);
        t->cells[j] = (size_t)n;
        t->moments *= t->order;
        moved *= 2.0 * (1.0 - pow(0.5, (double)t->order)); /* sum over a < rho of (1/2)^a */
    }
    kde->sum_count = (size_t)cells * t->moments;
    const double m = (double)t->moments;
    const double l1 = moved * NW__KDE_UNIT * (1.0 + 0x1p-40) + 0.5 * m + 1.0;
    const double l2 = pow(4.0 / 3.0, 0.5 * (double)o->dimension) * NW__KDE_UNIT + 0.5 * sqrt(m) + 1.0;
    /* Near a cell's middle the zeroth moment counts most: about 2^d cells reach it. */
    const double weight = pow(2.0, (double)o->dimension) / (NW__KDE_UNIT * NW__KDE_UNIT);
    return nw__kde_add_block(kde, &(nw__kde_block){ .count = kde->sum_count, .l1 = l1, .l2 = l2, .weight = weight }, err);
}

/* The cell of x, and where in it: z in [-1/2, 1/2]. */
static size_t locate(const nw_kde *kde, const transform *t, const float *x, double *z)
{
    size_t cell = 0;
    for (size_t j = 0; j < kde->opts.dimension; j++) {
        const double at = ((double)x[j] - kde->opts.lower[j]) / t->side;
        const double last = (double)(t->cells[j] - 1);
        const double place = at <= 0.0 ? 0.0 : at >= last ? last : floor(at);
        cell = cell * t->cells[j] + (size_t)place;
        z[j] = fmin(fmax(at - place - 0.5, -0.5), 0.5);
    }
    return cell;
}

static void add(const nw_kde *kde, const float *points, size_t n, int64_t *sums)
{
    const transform *t = kde->tables;
    const size_t d = kde->opts.dimension;
    for (size_t i = 0; i < n; i++) {
        double z[MOST_DIMENSIONS] = { 0 };
        int64_t *moments = sums + locate(kde, t, points + i * d, z) * t->moments;
        for (size_t a = 0; a < t->moments; a++) {
            double product = NW__KDE_UNIT;
            size_t rest = a;
            for (size_t j = d; j-- > 0; rest /= t->order)
                for (size_t power = rest % t->order; power > 0; power--)
                    product *= z[j];
            moments[a] += (int64_t)rint(product);
        }
    }
}

static nw_status decode(nw_kde *kde, nw_error *err)
{
    (void)kde;
    (void)err;
    return NW_OK;
}

/* h_a(t) / a! for a < order: H_(a+1) = 2 t H_a - 2 a H_(a-1). */
static void hermite(double t, size_t order, double *h)
{
    h[0] = exp(-t * t);
    if (order > 1)
        h[1] = 2.0 * t * h[0];
    for (size_t a = 1; a + 1 < order; a++) /* divided by a!: h_(a+1) = (2 t h_a - 2 h_(a-1)) / (a + 1) */
        h[a + 1] = (2.0 * t * h[a] - 2.0 * h[a - 1]) / (double)(a + 1);
}

static void add_cell(const nw_kde *kde, const transform *t, size_t cell, const float *y, double *value, double *square)
{
    const size_t d = kde->opts.dimension;
    double h[MOST_DIMENSIONS][MOST_ORDER];
    size_t rest = cell;
    for (size_t j = d; j-- > 0; rest /= t->cells[j]) {
        const double middle = kde->opts.lower[j] + ((double)(rest % t->cells[j]) + 0.5) * t->side;
        const double at = ((double)y[j] - middle) / t->side;
        if (fabs(at) > REACH)
            return;
        hermite(at, t->order, h[j]);
    }
    for (size_t a = 0; a < t->moments; a++) {
        double weight = 1.0;
        size_t powers = a;
        for (size_t j = d; j-- > 0; powers /= t->order)
            weight *= h[j][powers % t->order];
        *value += weight * (double)kde->totals[cell * t->moments + a];
        *square += weight * weight;
    }
}

static void query(const nw_kde *kde, const float *y, size_t m, double *values, double *errors, double *room)
{
    (void)room;
    const transform *t = kde->tables;
    const size_t cells = kde->sum_count / t->moments;
    for (size_t r = 0; r < m; r++) {
        double value = 0.0, square = 0.0;
        for (size_t cell = 0; cell < cells; cell++)
            add_cell(kde, t, cell, y + r * kde->opts.dimension, &value, &square);
        values[r] = value / NW__KDE_UNIT;
        if (errors != NULL)
            errors[r] = kde->blocks[0].deviation * sqrt(square) / NW__KDE_UNIT;
    }
}

static void clear(nw_kde *kde)
{
    free(kde->tables);
}

const nw__kde_ops nw__kde_gauss_transform = { NW_KDE_LSQ_FGT, setup, add, NULL, decode, query, clear };
