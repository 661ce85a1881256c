/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* grid.c - counts of the cells of a grid, in up to three dimensions: one point moves one count by 1, and a query adds up the
 * average of the function over each cell times its count. Errors are those of the noise, and of points that lie anywhere in
 * their cells. Proof note: docs/rooms/kde.md#grid. */
#include "kde_internal.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_DIMENSIONS = 3, NODES = 3 };

/* Gauss-Legendre on [-1/2, 1/2]: the average over a cell, exact for polynomials of degree 5. */
static const double NODE[NODES] = { -0.3872983346207417, 0.0, 0.3872983346207417 };
static const double WEIGHT[NODES] = { 5.0 / 18.0, 8.0 / 18.0, 5.0 / 18.0 };
static const double NEAR = 8.0; /* cells; farther away the middle of a cell stands for it */

typedef struct grid {
    double lower[MOST_DIMENSIONS];
    double side[MOST_DIMENSIONS]; /* of a cell */
    size_t cells[MOST_DIMENSIONS];
} grid;

static double at_node(const nw_kde_opts *o, const grid *g, const double *difference, size_t node, double *value)
{
    double moved[MOST_DIMENSIONS] = { 0 }, weight = 1.0;
    for (size_t j = 0; j < o->dimension; j++, node /= NODES) {
        moved[j] = difference[j] + NODE[node % NODES] * g->side[j];
        weight *= WEIGHT[node % NODES];
    }
    *value = nw__kde_value(o, moved);
    return weight;
}

/* The average of the function over a cell whose middle is `difference` away, and its variance there. */
static double average(const nw_kde_opts *o, const grid *g, const double *difference, double *variance)
{
    size_t nodes = 1;
    bool is_near = true;
    for (size_t j = 0; j < o->dimension; j++) {
        nodes *= NODES;
        is_near &= fabs(difference[j]) <= NEAR * g->side[j];
    }
    *variance = 0.0;
    if (!is_near)
        return nw__kde_value(o, difference);
    double sum = 0.0, square = 0.0;
    for (size_t node = 0; node < nodes; node++) {
        double value = 0.0;
        const double weight = at_node(o, g, difference, node, &value);
        sum += weight * value;
        square += weight * value * value;
    }
    *variance = fmax(square - sum * sum, 0.0);
    return sum;
}

static size_t cell_of(const grid *g, size_t j, double x)
{
    const double at = (x - g->lower[j]) / g->side[j];
    const size_t last = g->cells[j] - 1;
    return at <= 0.0 ? 0 : at >= (double)last ? last : (size_t)at;
}

/* What a query needs of all cells: sums of average x count, of average^2, and of variance x count. */
typedef struct visit {
    double value;
    double square;
    double spread;
} visit;

static visit visit_cells(const nw_kde *kde, const float *y)
{
    const grid *g = kde->tables;
    const size_t d = kde->opts.dimension;
    visit v = { 0 };
    for (size_t cell = 0; cell < kde->sum_count; cell++) {
        double difference[MOST_DIMENSIONS] = { 0 }, variance = 0.0;
        size_t rest = cell;
        for (size_t j = d; j-- > 0; rest /= g->cells[j])
            difference[j] = g->lower[j] + ((double)(rest % g->cells[j]) + 0.5) * g->side[j] - (double)y[j];
        const double k = average(&kde->opts, g, difference, &variance);
        const double count = kde->totals == NULL ? 0.0 : (double)kde->totals[cell];
        v.value += k * count;
        v.square += k * k;
        v.spread += variance * count;
    }
    return v;
}

static nw_status setup(nw_kde *kde, nw_error *err)
{
    const nw_kde_opts *o = &kde->opts;
    grid *g = nw__calloc(1, sizeof *g);
    if (g == NULL)
        return nw__fail_memory(err, __func__);
    kde->tables = g;
    kde->sum_count = 1;
    float middle[MOST_DIMENSIONS];
    for (size_t j = 0; j < o->dimension; j++) {
        g->cells[j] = o->size;
        g->lower[j] = o->lower[j];
        g->side[j] = (o->upper[j] - o->lower[j]) / (double)o->size;
        kde->sum_count *= o->size;
        middle[j] = kde->middle[j];
    }
    const double square = visit_cells(kde, middle).square; /* the largest, as the middle has most cells near */
    return nw__kde_add_block(kde, &(nw__kde_block){ .count = kde->sum_count, .l1 = 1.0, .l2 = 1.0, .weight = square }, err);
}

static void add(const nw_kde *kde, const float *points, size_t n, int64_t *sums)
{
    const grid *g = kde->tables;
    const size_t d = kde->opts.dimension;
    for (size_t i = 0; i < n; i++) {
        size_t cell = 0;
        for (size_t j = 0; j < d; j++)
            cell = cell * g->cells[j] + cell_of(g, j, (double)points[i * d + j]);
        sums[cell]++;
    }
}

static nw_status decode(nw_kde *kde, nw_error *err)
{
    (void)kde;
    (void)err;
    return NW_OK;
}

static void query(const nw_kde *kde, const float *y, size_t m, double *values, double *errors)
{
    for (size_t r = 0; r < m; r++) {
        const visit v = visit_cells(kde, y + r * kde->opts.dimension);
        const double deviation = kde->blocks[0].deviation;
        values[r] = v.value;
        if (errors != NULL)
            errors[r] = sqrt(deviation * deviation * v.square + fmax(v.spread, 0.0));
    }
}

static void clear(nw_kde *kde)
{
    free(kde->tables);
}

const nw__kde_ops nw__kde_grid = { NW_KDE_GRID, setup, add, NULL, decode, query, clear };
