/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* grid.c - in up to three dimensions: a point is shared out among the 4^d cubic B-splines that reach it, in parts that are
 * nonnegative and add up to 1; in a histogram one cell would get it all. A query fits k(., y) by those splines, by least squares
 * at three nodes a cell and axis, and takes the same combination of the totals. What a smooth k loses falls with the fourth power
 * of the cells' width, so they can be wide, and noise grows with the number of cells near y. If the number of points is
 * public the totals are first moved, all alike, to add up to it. Proof note: docs/rooms/kde.md#grid. */
#include "grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { AXES = NW__GRID_MOST_DIMENSIONS, LEAST_CELLS = 2, PROBES = 3 };
static const size_t MOST_WORK = (size_t)1 << 24;
/* Share of the residual's norm that points leave which clump: 0.2 to 0.5 for six kernels on a map of towns. */
static const double CLUMPED = 0.5;
static const double PROBE[PROBES] = { 0.5, 0.29, 0.03 }; /* places on the diagonal of the bounds; the rest is alike */

typedef struct grid {
    size_t dimension;
    nw__axis axes[AXES];
    size_t inside; /* products over the axes */
    size_t splines;
    size_t nodes;
    bool is_product;   /* k is a product over the axes */
    double *densities; /* [splines]: G^-1 totals, after the release */
    double *at_nodes;  /* [nodes]: what they are there; NULL for a product */
} grid;

/* A fit of k(., y): k ~ sum of alpha B, b = B' k, alpha = G^-1 b. */
typedef struct fit {
    double norm;      /* |k|^2 */
    double explained; /* b.alpha: |k|^2 less the residual's */
    double square;    /* |alpha|^2 */
    double sum;       /* of alpha */
} fit;

/* ---- what is public ---- */

static size_t cells_of(const nw_kde_opts *o, size_t size, size_t j)
{
    double longest = 0.0;
    for (size_t i = 0; i < o->dimension; i++)
        longest = fmax(longest, o->upper[i] - o->lower[i]);
    const double cells = ceil((double)size * ((o->upper[j] - o->lower[j]) / longest) * (1.0 - 0x1p-40));
    return cells > (double)LEAST_CELLS ? (size_t)cells : LEAST_CELLS;
}

/* k is a product over the axes. */
static bool is_product(const nw_kde_opts *o)
{
    return o->dimension == 1 || o->kernel == NW_KDE_GAUSSIAN || o->kernel == NW_KDE_LAPLACIAN;
}

/* What fits go through: all splines of a product, else all nodes. */
static double work_of(const nw_kde_opts *o, size_t size)
{
    double work = 1.0;
    for (size_t j = 0; j < o->dimension; j++) {
        const size_t cells = cells_of(o, size, j) + 2 * (size_t)NW__SPLINE_MARGIN;
        work *= (double)(is_product(o) ? cells + NW__SPLINE_REACH - 1 : NW__SPLINE_NODES * cells);
    }
    return work;
}

bool nw__grid_is_small(const nw_kde_opts *opts, size_t size)
{
    return work_of(opts, size) <= (is_product(opts) ? 0x1p20 : 0x1p21);
}

static void clear_grid(grid *g)
{
    for (size_t j = 0; j < AXES; j++)
        nw__axis_clear(&g->axes[j]);
    free(g->densities);
    free(g->at_nodes);
    *g = (grid){ 0 };
}

static nw_status make_grid(grid *g, const nw_kde_opts *o, size_t size, const char *function, nw_error *err)
{
    *g = (grid){ .dimension = o->dimension, .inside = 1, .splines = 1, .nodes = 1 };
    if (size < LEAST_CELLS || work_of(o, size) > (double)MOST_WORK)
        return nw__fail(err, NW_E_ARG, function,
            "size is %zu, must be at least %d cells for grid, and few enough for 2^24 splines or nodes of all axes", size,
            LEAST_CELLS);
    g->is_product = is_product(o);
    nw_status status = NW_OK;
    for (size_t j = 0; status == NW_OK && j < o->dimension; j++) {
        status = nw__axis_new(&g->axes[j], o->lower[j], o->upper[j] - o->lower[j], cells_of(o, size, j), err);
        g->inside *= g->axes[j].inside;
        g->splines *= g->axes[j].splines;
        g->nodes *= g->axes[j].nodes;
    }
    if (status != NW_OK)
        clear_grid(g);
    return status;
}

/* Doubles that a query needs: for a product one axis at a time, else two arrays of all nodes, and the terms of the axes. */
static size_t room_of(const grid *g)
{
    size_t sum = 0;
    for (size_t j = 0; j < g->dimension; j++)
        sum += g->axes[j].nodes + 2 * g->axes[j].splines;
    return g->is_product ? sum : sum + 2 * g->nodes;
}

/* Of a spline that reaches inside, among all. */
static size_t place_of(const grid *g, size_t i)
{
    size_t place = 0, step = 1;
    for (size_t j = g->dimension; j-- > 0; i /= g->axes[j].inside, step *= g->axes[j].splines)
        place += (i % g->axes[j].inside + NW__SPLINE_MARGIN) * step;
    return place;
}

/* ---- fits ---- */

/* What the coordinate j adds to the distance of each node of its axis. */
static void terms_of(const nw_kde_opts *o, const nw__axis *axis, double y, double *terms)
{
    for (size_t q = 0; q < axis->nodes; q++) {
        const double u = fabs(axis->places[q] - y);
        terms[q] = o->kernel == NW_KDE_LPP ? pow(u, o->power) : nw__kde_is_l1(o->kernel) ? u : u * u;
    }
}

static double dot(const double *x, const double *y, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

static double total(const double *x, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

/* sum over i, j, k of b0_i b1_j b2_k densities_ijk. */
static double product_value(const grid *g, const double *const *b)
{
    const size_t n1 = g->dimension > 1 ? g->axes[1].splines : 1, n2 = g->dimension > 2 ? g->axes[2].splines : 1;
    double value = 0.0;
    for (size_t i = 0; i < g->axes[0].splines; i++) {
        double plane = 0.0;
        for (size_t j = 0; j < n1; j++) {
            const double *line = g->densities + (i * n1 + j) * n2;
            plane += g->dimension < 2 ? line[0] : b[1][j] * (g->dimension < 3 ? line[0] : dot(b[2], line, n2));
        }
        value += b[0][i] * plane;
    }
    return value;
}

/* value and f may be NULL. */
static void fit_product(const grid *g, const nw_kde_opts *o, const double *y, double *room, double *value, fit *f)
{
    const double *parts[AXES] = { NULL };
    if (f != NULL)
        *f = (fit){ 1.0, 1.0, 1.0, 1.0 };
    for (size_t j = 0; j < g->dimension; j++) {
        const nw__axis *axis = &g->axes[j];
        double *k = room, *b = k + axis->nodes, *alpha = b + axis->splines;
        room = alpha + axis->splines;
        terms_of(o, axis, y[j], k);
        for (size_t q = 0; q < axis->nodes; q++)
            k[q] = nw__kde_of_distance(o, k[q]);
        nw__axis_to_splines(axis, k, b, 1, 1);
        parts[j] = b;
        if (f == NULL)
            continue;
        memcpy(alpha, b, axis->splines * sizeof *alpha);
        nw__axis_solve(axis, alpha, 1, 1);
        f->norm *= dot(k, k, axis->nodes);
        f->explained *= dot(b, alpha, axis->splines);
        f->square *= dot(alpha + NW__SPLINE_MARGIN, alpha + NW__SPLINE_MARGIN, axis->inside);
        f->sum *= total(alpha + NW__SPLINE_MARGIN, axis->inside);
    }
    if (value != NULL)
        *value = product_value(g, parts);
}

/* Values at all nodes, row-major, from the terms of the axes. */
static void values_at_nodes(const grid *g, const nw_kde_opts *o, const double *const *terms, double *k)
{
    const size_t d = g->dimension, last = g->axes[d - 1].nodes;
    for (size_t row = 0; row * last < g->nodes; row++) {
        double distance = 0.0;
        size_t rest = row;
        for (size_t j = d - 1; j-- > 0; rest /= g->axes[j].nodes)
            distance += terms[j][rest % g->axes[j].nodes];
        for (size_t q = 0; q < last; q++)
            k[row * last + q] = nw__kde_of_distance(o, distance + terms[d - 1][q]);
    }
}

static void fit_nodes(const grid *g, const nw_kde_opts *o, const double *y, double *room, double *value, fit *f)
{
    const double *terms[AXES] = { NULL };
    for (size_t j = 0; j < g->dimension; j++) {
        terms_of(o, &g->axes[j], y[j], room);
        terms[j] = room;
        room += g->axes[j].nodes;
    }
    double *k = room, *other = room + g->nodes;
    values_at_nodes(g, o, terms, k);
    if (value != NULL)
        *value = dot(k, g->at_nodes, g->nodes);
    if (f == NULL)
        return;
    f->norm = dot(k, k, g->nodes);
    size_t outer = g->nodes, inner = 1;
    for (size_t j = g->dimension; j-- > 0; inner *= g->axes[j].splines) {
        outer /= g->axes[j].nodes;
        nw__axis_to_splines(&g->axes[j], k, other, outer, inner);
        double *swap = k;
        k = other;
        other = swap;
    }
    memcpy(other, k, g->splines * sizeof *other);
    outer = g->splines;
    inner = 1;
    for (size_t j = g->dimension; j-- > 0; inner *= g->axes[j].splines) {
        outer /= g->axes[j].splines;
        nw__axis_solve(&g->axes[j], other, outer, inner);
    }
    f->explained = dot(k, other, g->splines);
    f->square = 0.0;
    f->sum = 0.0;
    for (size_t i = 0; i < g->inside; i++) {
        const double alpha = other[place_of(g, i)];
        f->square += alpha * alpha;
        f->sum += alpha;
    }
}

static void fit_at(const grid *g, const nw_kde_opts *o, const double *y, double *room, double *value, fit *f)
{
    (g->is_product ? fit_product : fit_nodes)(g, o, y, room, value, f);
}

/* Totals moved to a public sum lose what their noise has of it. */
static double noise_of(const grid *g, const nw_kde_opts *o, const fit *f)
{
    return sqrt(fmax(f->square - (o->public_points >= 0 ? f->sum * f->sum / (double)g->inside : 0.0), 0.0));
}

static double residual_of(const fit *f)
{
    return f->norm > 0.0 ? CLUMPED * sqrt(fmax(1.0 - f->explained / f->norm, 0.0)) : 0.0;
}

static nw_status probe(nw__grid_prediction *out, const grid *g, const nw_kde_opts *o, nw_error *err)
{
    double *room = nw__calloc(room_of(g), sizeof *room);
    if (room == NULL)
        return nw__fail_memory(err, __func__);
    *out = (nw__grid_prediction){ 0 };
    for (size_t p = 0; p < PROBES; p++) {
        double y[AXES] = { 0 };
        fit f = { 0 };
        for (size_t j = 0; j < g->dimension; j++)
            y[j] = o->lower[j] + PROBE[p] * (o->upper[j] - o->lower[j]);
        fit_at(g, o, y, room, NULL, &f);
        out->noise = fmax(out->noise, noise_of(g, o, &f));
        out->residual += residual_of(&f) * residual_of(&f) / PROBES;
        out->typical += f.norm / (double)g->nodes / PROBES;
    }
    out->residual = sqrt(out->residual);
    out->typical = sqrt(out->typical);
    free(room);
    return NW_OK;
}

nw_status nw__grid_predict(nw__grid_prediction *out, const nw_kde_opts *opts, size_t size, const char *function, nw_error *err)
{
    grid g;
    NW__TRY(make_grid(&g, opts, size, function, err));
    const nw_status status = probe(out, &g, opts, err);
    clear_grid(&g);
    return status;
}

/* Each of the 4^d parts is rounded by 1/2 at most. The squares of the weights on an axis add up to 1/2 at most, which is
 * 1/36 + 16/36 + 1/36 at a knot. */
static nw_status setup(nw_kde *kde, nw_error *err)
{
    const nw_kde_opts *o = &kde->opts;
    nw__grid_prediction prediction;
    grid *g = nw__calloc(1, sizeof *g);
    if (g == NULL)
        return nw__fail_memory(err, __func__);
    kde->tables = g;
    NW__TRY(make_grid(g, o, o->size, __func__, err));
    NW__TRY(probe(&prediction, g, o, err));
    kde->sum_count = g->inside;
    kde->room = room_of(g);
    kde->plan.bytes += (g->splines + (g->is_product ? 0 : g->nodes)) * sizeof(double);
    const double parts = (double)(1U << 2 * o->dimension), weight = prediction.noise / NW__KDE_UNIT;
    return nw__kde_add_block(kde,
        &(nw__kde_block){ .count = g->inside,
            .l1 = NW__KDE_UNIT + 0.5 * parts,
            .l2 = NW__KDE_UNIT * pow(0.5, 0.5 * (double)o->dimension) + 0.5 * sqrt(parts) + 1.0,
            .weight = weight * weight },
        err);
}

/* ---- points in ---- */

static void add(const nw_kde *kde, const float *points, size_t n, int64_t *sums)
{
    const grid *g = kde->tables;
    const size_t d = g->dimension;
    for (size_t i = 0; i < n; i++) {
        double weights[AXES][NW__SPLINE_REACH] = { { 1.0 }, { 1.0 }, { 1.0 } };
        size_t first[AXES] = { 0 };
        for (size_t j = 0; j < d; j++)
            first[j] = nw__axis_weights(&g->axes[j], (double)points[i * d + j], weights[j]);
        for (size_t part = 0; part < (size_t)1 << 2 * d; part++) {
            size_t at = 0;
            double weight = NW__KDE_UNIT;
            for (size_t j = 0; j < d; j++) {
                const size_t k = part >> 2 * (d - 1 - j) & (NW__SPLINE_REACH - 1);
                at = at * g->axes[j].inside + first[j] + k;
                weight *= weights[j][k];
            }
            sums[at] += (int64_t)rint(weight);
        }
    }
}

/* ---- queries ---- */

static nw_status decode(nw_kde *kde, nw_error *err)
{
    grid *g = kde->tables;
    double *other = nw__calloc(g->is_product ? 1 : g->nodes, sizeof *other);
    g->densities = nw__calloc(g->splines, sizeof *g->densities);
    g->at_nodes = nw__calloc(g->is_product ? 1 : g->nodes, sizeof *g->at_nodes);
    if (other == NULL || g->densities == NULL || g->at_nodes == NULL) {
        free(other);
        return nw__fail_memory(err, __func__);
    }
    double missing = (double)kde->opts.public_points;
    for (size_t i = 0; i < g->inside; i++)
        missing -= (double)kde->totals[i] / NW__KDE_UNIT;
    const double moved = kde->opts.public_points >= 0 ? missing / (double)g->inside : 0.0;
    for (size_t i = 0; i < g->inside; i++)
        g->densities[place_of(g, i)] = (double)kde->totals[i] / NW__KDE_UNIT + moved;
    size_t outer = g->splines, inner = 1;
    for (size_t j = g->dimension; j-- > 0; inner *= g->axes[j].splines) {
        outer /= g->axes[j].splines;
        nw__axis_solve(&g->axes[j], g->densities, outer, inner);
    }
    double *from = g->at_nodes, *to = other;
    memcpy(from, g->densities, (g->is_product ? 1 : g->splines) * sizeof *from);
    outer = g->splines;
    inner = 1;
    for (size_t j = g->dimension; !g->is_product && j-- > 0; inner *= g->axes[j].nodes) {
        outer /= g->axes[j].splines;
        nw__axis_to_nodes(&g->axes[j], from, to, outer, inner);
        double *swap = from;
        from = to;
        to = swap;
    }
    g->at_nodes = from;
    free(to);
    return NW_OK;
}

static void query(const nw_kde *kde, const float *y, size_t m, double *values, double *errors, double *room)
{
    const grid *g = kde->tables;
    const nw_kde_opts *o = &kde->opts;
    for (size_t r = 0; r < m; r++) {
        double at[AXES] = { 0 };
        fit f = { 0 };
        for (size_t j = 0; j < g->dimension; j++)
            at[j] = (double)y[r * g->dimension + j];
        fit_at(g, o, at, room, &values[r], errors == NULL ? NULL : &f);
        if (errors != NULL)
            errors[r] = hypot(kde->blocks[0].deviation / NW__KDE_UNIT * noise_of(g, o, &f), residual_of(&f) * fabs(values[r]));
    }
}

static void clear(nw_kde *kde)
{
    if (kde->tables != NULL)
        clear_grid(kde->tables);
    free(kde->tables);
}

const nw__kde_ops nw__kde_grid = { NW_KDE_GRID, setup, add, NULL, decode, query, clear };
