/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* Linear queries and trees: one record more in the cell that moves the answers most, or from one such cell to another. */
#include "need.h"
#include "room_release.h"
#include "stats_internal.h"

#include <math.h>
#include <nw/testing.h>
#include <stdlib.h>

enum { ANSWERS = 3, CELLS = 4, COPIES = 64, DEPTH = 2, NODES = (2 << DEPTH) - 2, MOST = 8 };

/* Columns of l1 norms 6, 3, 6, 3; the first and the third differ by 12. Copies of it, block by block, are as many runs. */
static const int64_t weights[ANSWERS * CELLS] = { 3, 0, -3, 1, -2, 3, 2, 1, 1, 0, -1, 1 };

typedef struct vector {
    const room_case *c;
    bool is_planted;
    nw_linear *linear[2]; /* of either side, never released: nw__linear_draw answers as often as is wanted */
    nw_tree *tree[2];
    nw_linear *claimed_linear;
    nw_tree *claimed_tree;
    size_t n;
    double difference[MOST]; /* what the neighbour adds to each entry */
    double exact[MOST];      /* of side 0 */
    double scale;
} vector;

static nw_linear_opts opts_of(const room_case *c, double epsilon)
{
    nw_linear_opts o = NW_LINEAR_OPTS_INIT;
    o.epsilon = epsilon;
    o.delta = c->delta;
    o.adjacency = c->adjacency;
    return o;
}

/* A twin with noise for one level, or one weight, has that of a larger epsilon. */
static double epsilon_of(const room_case *c, bool is_planted)
{
    return room_epsilon(c, is_planted) * (room_has(c, is_planted, ROOM_FIRST_LEVEL_ONLY) ? 2.0 : 1.0);
}

static vector *open_vector(const room_case *c, bool is_planted)
{
    vector *v = calloc(1, sizeof *v);
    need(v != NULL);
    v->c = c;
    v->is_planted = is_planted;
    return v;
}

static void vector_close(void *context)
{
    vector *v = context;
    for (int side = 0; side < 2; side++) {
        nw_linear_free(v->linear[side]);
        nw_tree_free(v->tree[side]);
    }
    nw_linear_free(v->claimed_linear);
    nw_tree_free(v->claimed_tree);
    free(v);
}

static nw_linear *make_linear(const room_case *c, double epsilon)
{
    const nw_linear_opts o = opts_of(c, epsilon);
    nw_linear *linear = NULL;
    int64_t *blocks = calloc((size_t)COPIES * ANSWERS * COPIES * CELLS, sizeof *blocks);
    need(blocks != NULL);
    for (size_t copy = 0; copy < COPIES; copy++)
        for (size_t i = 0; i < ANSWERS * CELLS; i++)
            blocks[(copy * ANSWERS + i / CELLS) * COPIES * CELLS + copy * CELLS + i % CELLS] = weights[i];
    need(nw_linear_new(&linear, &o, blocks, COPIES * ANSWERS, COPIES * CELLS, NULL) == NW_OK);
    free(blocks);
    return linear;
}

static void *linear_open(const room_case *c, bool is_planted)
{
    vector *v = open_vector(c, is_planted);
    const double epsilon = epsilon_of(c, is_planted);
    const uint32_t cells[2] = { c->adjacency == NW_REPLACE_ONE ? 2 : CELLS, 0 }; /* CELLS: not there */
    v->claimed_linear = make_linear(c, c->epsilon);
    for (int side = 0; side < 2; side++) {
        v->linear[side] = make_linear(c, epsilon);
        for (uint32_t copy = 0; copy < COPIES && cells[side] < CELLS; copy++) {
            const uint32_t cell = copy * CELLS + cells[side];
            need(nw_linear_add(v->linear[side], &cell, 1, NULL) == NW_OK);
        }
    }
    v->n = ANSWERS;
    for (size_t a = 0; a < ANSWERS; a++) {
        v->exact[a] = cells[0] < CELLS ? (double)weights[a * CELLS + cells[0]] : 0.0;
        v->difference[a] = (double)weights[a * CELLS] - v->exact[a];
    }
    v->scale = c->delta == 0.0 ? (c->adjacency == NW_REPLACE_ONE ? 12.0 : 6.0) / epsilon : 1.0;
    return v;
}

static const nw_event *linear_event(const void *context)
{
    return nw_linear_event(((const vector *)context)->claimed_linear);
}

static double ratio_of(const vector *v, const int64_t *noisy)
{
    double ratio = 0.0;
    for (size_t e = 0; e < v->n; e++) {
        const double y = (double)noisy[e] - v->exact[e];
        ratio += v->c->delta == 0.0 ? (fabs(y) - fabs(y - v->difference[e])) / v->scale : v->difference[e] * y;
    }
    return ratio;
}

static void linear_run(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    const vector *v = context;
    int64_t noisy[COPIES * ANSWERS];
    for (size_t run = 0; run < runs; run++) {
        if (run % COPIES == 0)
            need(nw__linear_draw(v->linear[side], rng, noisy, NULL) == NW_OK);
        out[2 * run] = ratio_of(v, noisy + run % COPIES * ANSWERS);
        out[2 * run + 1] = (double)noisy[run % COPIES * ANSWERS];
    }
}

static void tree_run(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    const vector *v = context;
    int64_t noisy[NODES];
    for (size_t run = 0; run < runs; run++) {
        need(nw__tree_draw(v->tree[side], rng, noisy, NULL) == NW_OK);
        out[2 * run] = ratio_of(v, noisy);
        out[2 * run + 1] = (double)noisy[0];
    }
}

const room room_linear = { linear_open, linear_run, linear_event, vector_close, 2 };

/* The record is in the last cell, or, under replace-one, in the last instead of the first: in other nodes of every level. */
static void *tree_open(const room_case *c, bool is_planted)
{
    vector *v = open_vector(c, is_planted);
    const nw_linear_opts claimed = opts_of(c, c->epsilon);
    const nw_linear_opts o = opts_of(c, epsilon_of(c, is_planted));
    const bool is_replace = c->adjacency == NW_REPLACE_ONE;
    const double values[2] = { is_replace ? 0.0 : (double)NAN, 1.0 };
    need(nw_tree_new(&v->claimed_tree, &claimed, 0.0, 1.0, DEPTH, NULL) == NW_OK);
    for (int side = 0; side < 2; side++) {
        need(nw_tree_new(&v->tree[side], &o, 0.0, 1.0, DEPTH, NULL) == NW_OK);
        need(nw_tree_add(v->tree[side], &values[side], 1, NULL) == NW_OK);
    }
    v->n = NODES;
    for (size_t level = 1; level <= DEPTH; level++) {
        const size_t first = ((size_t)1 << level) - 2; /* the entry of node 2^level */
        v->exact[first] = is_replace;
        v->difference[first] = is_replace ? -1.0 : 0.0;
        v->difference[first + ((size_t)1 << level) - 1] = 1.0;
    }
    v->scale = (is_replace ? 2.0 : 1.0) * DEPTH / o.epsilon;
    return v;
}

static const nw_event *tree_event(const void *context)
{
    return nw_tree_event(((const vector *)context)->claimed_tree);
}

const room room_tree = { tree_open, tree_run, tree_event, vector_close, 2 };
