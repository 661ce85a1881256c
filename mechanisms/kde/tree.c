/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* tree.c - the published baseline for |x - y|_1 [BLMST24, Alg. 1 and 2]: a binary tree of counts on each coordinate; a query
 * cuts the line into rings at distances R / (1 + a)^j from y, and adds up each ring's count, from its canonical nodes, times
 * its distance. Deviations: a ring's distance is the middle of it, which has less bias than its end. Proof note:
 * docs/rooms/kde.md#tree. */
#include "kde_internal.h"

#include <math.h>
#include <stdlib.h>

static const double RATIO = 0.3; /* a */

typedef struct tree {
    size_t levels; /* L: 2^L leaves */
    size_t leaves;
} tree;

static nw_status setup(nw_kde *kde, nw_error *err)
{
    const double d = (double)kde->opts.dimension;
    tree *t = nw__calloc(1, sizeof *t);
    if (t == NULL)
        return nw__fail_memory(err, __func__);
    kde->tables = t;
    if (kde->opts.size > 24)
        return nw__fail(err, NW_E_ARG, __func__, "size is %zu, must be in 1 .. 24 levels for tree", kde->opts.size);
    t->levels = kde->opts.size;
    t->leaves = (size_t)1 << t->levels;
    kde->sum_count = kde->opts.dimension * t->leaves;
    /* A point is in one node a level and coordinate. Weight: about 2 L nodes of each ring, on both sides. */
    const double nodes = (double)(t->levels + 1) * d;
    double weight = 0.0;
    for (size_t j = 0; j < kde->opts.dimension; j++) {
        const double width = kde->opts.upper[j] - kde->opts.lower[j];
        weight += (double)t->levels * width * width / (1.0 - 1.0 / ((1.0 + RATIO) * (1.0 + RATIO)));
    }
    return nw__kde_add_block(kde,
        &(nw__kde_block){ .count = kde->opts.dimension * (2 * t->leaves - 1),
            .l1 = nodes,
            .l2 = sqrt(nodes) * (1.0 + 0x1p-40),
            .weight = weight },
        err);
}

static double leaf_of(const nw_kde *kde, size_t j, double x)
{
    const tree *t = kde->tables;
    return (x - kde->opts.lower[j]) / (kde->opts.upper[j] - kde->opts.lower[j]) * (double)t->leaves;
}

static void add(const nw_kde *kde, const float *points, size_t n, int64_t *sums)
{
    const tree *t = kde->tables;
    const size_t d = kde->opts.dimension, last = t->leaves - 1;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < d; j++) {
            const double at = leaf_of(kde, j, (double)points[i * d + j]);
            sums[j * t->leaves + (at <= 0.0 ? 0 : at >= (double)last ? last : (size_t)at)]++;
        }
}

/* Nodes of a coordinate in heap order: 1 the root, the children of i 2 i and 2 i + 1, leaves from 2^L; stored without a node 0.
 * */
static void encode(const nw_kde *kde, const int64_t *sums, int64_t *totals)
{
    const tree *t = kde->tables;
    for (size_t j = 0; j < kde->opts.dimension; j++) {
        int64_t *nodes = totals + j * (2 * t->leaves - 1) - 1;
        for (size_t i = 0; i < t->leaves; i++)
            nodes[t->leaves + i] = sums[j * t->leaves + i];
        for (size_t i = t->leaves; i-- > 1;)
            nodes[i] = nodes[2 * i] + nodes[2 * i + 1];
    }
}

static nw_status decode(nw_kde *kde, nw_error *err)
{
    (void)kde;
    (void)err;
    return NW_OK;
}

/* The noisy count of leaves from .. to - 1, and of how many nodes. */
static double range(const nw_kde *kde, size_t j, size_t from, size_t to, size_t *nodes_used)
{
    const tree *t = kde->tables;
    const int64_t *nodes = kde->totals + j * (2 * t->leaves - 1) - 1;
    double sum = 0.0;
    for (size_t left = from + t->leaves, right = to + t->leaves; left < right; left /= 2, right /= 2) {
        if (left % 2 == 1)
            sum += (double)nodes[left++], ++*nodes_used;
        if (right % 2 == 1)
            sum += (double)nodes[--right], ++*nodes_used;
    }
    return sum;
}

/* The leaves between distances near < far of y on one side, clipped to the line. */
static void ring(const nw_kde *kde, size_t j, double y, double near, double far, double sign, double *value, double *square)
{
    const tree *t = kde->tables;
    const double a = leaf_of(kde, j, y + sign * near), b = leaf_of(kde, j, y + sign * far);
    const double leaves = (double)t->leaves;
    const size_t from = (size_t)rint(fmin(fmax(fmin(a, b), 0.0), leaves));
    const size_t to = (size_t)rint(fmin(fmax(fmax(a, b), 0.0), leaves));
    size_t nodes = 0;
    const double count = range(kde, j, from, to, &nodes);
    const double distance = 0.5 * (near + far);
    *value += distance * count;
    *square += distance * distance * (double)nodes;
}

static void query(const nw_kde *kde, const float *y, size_t m, double *values, double *errors, double *room)
{
    (void)room;
    const tree *t = kde->tables;
    const size_t d = kde->opts.dimension;
    for (size_t r = 0; r < m; r++) {
        double value = 0.0, square = 0.0;
        for (size_t j = 0; j < d; j++) {
            const double width = kde->opts.upper[j] - kde->opts.lower[j];
            const double at = (double)y[r * d + j];
            for (double far = width; far > 0.5 * width / (double)t->leaves; far /= 1.0 + RATIO) {
                ring(kde, j, at, far / (1.0 + RATIO), far, 1.0, &value, &square);
                ring(kde, j, at, far / (1.0 + RATIO), far, -1.0, &value, &square);
            }
        }
        values[r] = value;
        if (errors != NULL)
            errors[r] = kde->blocks[0].deviation * sqrt(square);
    }
}

static void clear(nw_kde *kde)
{
    free(kde->tables);
}

const nw__kde_ops nw__kde_tree = { NW_KDE_TREE, setup, add, encode, decode, query, clear };
