/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* linear.c - linear queries with integer weights over cells, and a binary tree of counts. Both are one vector of whole numbers
 * that gets one draw an entry; proof note in docs/rooms/stats.md#linear-queries-and-trees. */
#include "stats_internal.h"
#include "accountant_internal.h"
#include "reduce_internal.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

typedef __int128 int128;

static const size_t MAX_SIDE = (size_t)1 << 20;
static const size_t MAX_WEIGHTS = (size_t)1 << 26;
static const int64_t MAX_WEIGHT = INT64_C(1) << 20;
static const double MAX_COMPARISONS = 0x1p28; /* of weights, for the distances of all columns */
static const int64_t LARGEST_ANSWER = INT64_C(1) << 62;
static const double SMALLEST_RISK = 1e-12;
enum { MAX_DEPTH = 20 };

/* What a release of a vector needs. */
typedef struct release {
    nw_linear_opts opts;
    nw_noise *noise;
    nw_event *event;
    nw_noise_law law;
    double scale; /* of the noise */
    double deviation;
    bool is_handed; /* the totals are with process 0: nw_linear_reduce, nw_tree_reduce */
    bool is_released;
} release;

struct nw_linear {
    release release;
    size_t answers;
    size_t cells;
    int64_t *weights;
    int64_t *counts; /* per cell; NULL after the release */
};

struct nw_tree {
    release release;
    double lower;
    double upper;
    unsigned depth;
    int64_t *nodes; /* heap order: the children of node i are 2 i and 2 i + 1; 1, the root, is not measured */
    bool has_figures;
};

void nw_linear_opts_init(nw_linear_opts *opts, size_t struct_size)
{
    const nw_linear_opts defaults = NW_LINEAR_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

/* ---- the spine ---- */

static nw_status read_opts(release *r, const nw_linear_opts *opts, const char *function, nw_error *err)
{
    const nw_linear_opts defaults = NW_LINEAR_OPTS_INIT;
    if (opts == NULL)
        return nw__fail(err, NW_E_ARG, function, "opts is NULL");
    r->opts = defaults;
    memcpy(&r->opts, opts, opts->struct_size < sizeof defaults ? opts->struct_size : sizeof defaults);
    const nw_linear_opts *o = &r->opts;
    NW__TRY(nw__check_budget(o->epsilon, o->delta, function, err));
    return nw__check_adjacency(o->adjacency, function, err);
}

static bool is_l1(const release *r)
{
    return r->opts.delta == 0.0;
}

/* distance: of neighbouring vectors, in l1 (Laplace) or l2 (Gaussian). */
static nw_status calibrate(release *r, double distance, size_t entries, const char *function, nw_error *err)
{
    nw__noise_budget budget;
    nw__calibrated c = { 0 };
    NW__TRY(nw__noise_budget_of(&budget, r->opts.epsilon, r->opts.delta, r->opts.share, function, err));
    NW__TRY(nw__noise_calibrate(&c, &budget, distance, 1.0, function, err));
    r->noise = c.noise;
    r->law = budget.law;
    r->scale = c.scale;
    r->deviation = c.deviation;
    return nw_event_noise(&r->event, budget.event, c.scale, (nw_sensitivity){ distance, r->opts.adjacency }, entries, err);
}

static void release_clear(release *r)
{
    nw_noise_free(r->noise);
    nw_event_free(r->event);
}

static nw_status check_open(const release *r, const char *function, nw_error *err)
{
    return r->is_released ? nw__fail(err, NW_E_STATE, function, "this handle was released: make a new one for another release")
                          : NW_OK;
}

static nw_status charge(
    release *r, const nw_rng *rng, nw_ledger *ledger, const char *label, nw_receipt *receipt, const char *function, nw_error *err)
{
    if (receipt != NULL)
        *receipt = (nw_receipt){ 0 };
    NW__TRY(check_open(r, function, err));
    NW__TRY(r->is_handed ? nw__fail_handed(function, err) : NW_OK);
    if (rng == NULL || ledger == NULL || label == NULL)
        return nw__fail(err, NW_E_ARG, function, "%s is NULL", rng == NULL ? "rng" : ledger == NULL ? "ledger" : "label");
    NW__TRY(nw_ledger_charge(ledger, r->event, label, rng, receipt, err));
    r->is_released = true;
    return NW_OK;
}

static bool is_same_opts(const release *a, const release *b)
{
    return a->opts.epsilon == b->opts.epsilon && a->opts.delta == b->opts.delta && a->opts.adjacency == b->opts.adjacency &&
           a->opts.share == b->opts.share;
}

/* ---- as bytes ---- */

static const char LINEAR_MAGIC[] = "NWLINEA1";
static const char TREE_MAGIC[] = "NWTREES1";

/* Of the options and of what else makes vectors comparable. */
static void fingerprint(const release *r, const double *shape, size_t n, const int64_t *weights, size_t count, uint8_t out[32])
{
    const double options[] = { r->opts.epsilon, r->opts.delta, (double)r->opts.adjacency, r->opts.share };
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, 32);
    crypto_generichash_update(&state, (const uint8_t *)options, sizeof options);
    crypto_generichash_update(&state, (const uint8_t *)shape, n * sizeof *shape);
    if (count > 0)
        crypto_generichash_update(&state, (const uint8_t *)weights, count * sizeof *weights);
    crypto_generichash_final(&state, out, 32);
}

static nw__totals totals_of_linear(const nw_linear *l)
{
    const double shape[] = { (double)l->answers, (double)l->cells };
    nw__totals t = { .magic = LINEAR_MAGIC, .values = l->counts, .n = l->cells };
    fingerprint(&l->release, shape, 2, l->weights, l->answers * l->cells, t.fingerprint);
    return t;
}

static size_t node_count(const nw_tree *tree)
{
    return (size_t)2 << tree->depth;
}

static nw__totals totals_of_tree(const nw_tree *tree)
{
    const double shape[] = { tree->lower, tree->upper, (double)tree->depth };
    nw__totals t = { .magic = TREE_MAGIC, .values = tree->nodes + 2, .n = node_count(tree) - 2 };
    fingerprint(&tree->release, shape, 3, NULL, 0, t.fingerprint);
    return t;
}

static nw_status write_totals(
    const release *r, const nw__totals *totals, uint8_t *out, size_t capacity, const char *function, nw_error *err)
{
    NW__TRY(check_open(r, function, err));
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, function, "out is NULL");
    if (capacity < nw__totals_size(totals->n))
        return nw__fail(err, NW_E_ARG, function, "capacity is %zu, must be at least %zu", capacity, nw__totals_size(totals->n));
    nw__totals_write(totals, out);
    return NW_OK;
}

/* ---- linear queries ---- */

/* Distance of two columns, of one from 0 if the other is `cells`. l1: at most 2^41, l2: the square at most 2^62. Both exact
 * before the root. */
static double column_distance(const nw_linear *l, size_t x, size_t y)
{
    int64_t sum = 0;
    for (size_t a = 0; a < l->answers; a++) {
        const int64_t *row = l->weights + a * l->cells;
        const int64_t d = llabs(row[x] - (y == l->cells ? 0 : row[y]));
        sum += is_l1(&l->release) ? d : d * d;
    }
    return is_l1(&l->release) ? (double)sum : nw__up(sqrt(nw__up((double)sum)));
}

static double sensitivity_of(const nw_linear *l)
{
    const bool is_replace = l->release.opts.adjacency == NW_REPLACE_ONE;
    const bool are_few = (double)l->cells * (double)l->cells * (double)l->answers <= MAX_COMPARISONS;
    double norm = 0.0;
    double distance = 0.0;
    for (size_t x = 0; x < l->cells; x++) {
        norm = fmax(norm, column_distance(l, x, l->cells));
        for (size_t y = x + 1; is_replace && are_few && y < l->cells; y++)
            distance = fmax(distance, column_distance(l, x, y));
    }
    if (!is_replace)
        return norm;
    return are_few ? fmax(norm, distance) : 2.0 * norm; /* a record may also take no part: a column of 0 */
}

static nw_status check_weights(const int64_t *weights, size_t answers, size_t cells, nw_error *err)
{
    static const char *const name = "nw_linear_new";
    bool is_zero = true;
    if (weights == NULL)
        return nw__fail(err, NW_E_ARG, name, "weights is NULL");
    if (answers < 1 || answers > MAX_SIDE || cells < 1 || cells > MAX_SIDE || answers > MAX_WEIGHTS / cells)
        return nw__fail(err, NW_E_ARG, name, "answers is %zu and cells %zu, must be in 1..2^20, and their product at most 2^26",
            answers, cells);
    for (size_t i = 0; i < answers * cells; i++) {
        if (weights[i] > MAX_WEIGHT || weights[i] < -MAX_WEIGHT)
            return nw__fail(err, NW_E_ARG, name, "a weight is %lld, must be at most 2^20 in magnitude", (long long)weights[i]);
        is_zero = is_zero && weights[i] == 0;
    }
    return is_zero ? nw__fail(err, NW_E_ARG, name, "weights are all 0, one must not be") : NW_OK;
}

nw_status nw_linear_new(
    nw_linear **out, const nw_linear_opts *opts, const int64_t *weights, size_t answers, size_t cells, nw_error *err)
{
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    NW__TRY(check_weights(weights, answers, cells, err));
    nw_linear *l = nw__calloc(1, sizeof *l);
    if (l == NULL)
        return nw__fail_memory(err, __func__);
    l->answers = answers;
    l->cells = cells;
    l->counts = nw__calloc(cells, sizeof *l->counts);
    l->weights = nw__calloc(answers * cells, sizeof *l->weights);
    nw_status status = l->counts == NULL || l->weights == NULL ? nw__fail_memory(err, __func__) : NW_OK;
    if (status == NW_OK) {
        memcpy(l->weights, weights, answers * cells * sizeof *weights);
        status = read_opts(&l->release, opts, __func__, err);
    }
    if (status == NW_OK)
        status = calibrate(&l->release, sensitivity_of(l), answers, __func__, err);
    if (status != NW_OK) {
        nw_linear_free(l);
        return status;
    }
    *out = l;
    return NW_OK;
}

void nw_linear_free(nw_linear *l)
{
    if (l == NULL)
        return;
    nw__free_wiped(l->counts, l->cells * sizeof *l->counts);
    free(l->weights);
    release_clear(&l->release);
    free(l);
}

const nw_event *nw_linear_event(const nw_linear *l)
{
    return l->release.event;
}

double nw_linear_deviation(const nw_linear *l)
{
    return l->release.deviation;
}

nw_status nw_linear_add(nw_linear *l, const uint32_t *cells, size_t n, nw_error *err)
{
    if (l == NULL || (cells == NULL && n > 0))
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", l == NULL ? "linear" : "cells");
    NW__TRY(check_open(&l->release, __func__, err));
    for (size_t i = 0; i < n; i++)
        if (cells[i] < l->cells)
            l->counts[cells[i]] = nw__add_saturated(l->counts[cells[i]], 1);
    return NW_OK;
}

nw_status nw_linear_merge(nw_linear *l, const nw_linear *other, nw_error *err)
{
    if (l == NULL || other == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", l == NULL ? "linear" : "other");
    NW__TRY(check_open(&l->release, __func__, err));
    NW__TRY(check_open(&other->release, __func__, err));
    if (!is_same_opts(&l->release, &other->release) || l->answers != other->answers || l->cells != other->cells ||
        memcmp(l->weights, other->weights, l->answers * l->cells * sizeof *l->weights) != 0)
        return nw__fail(err, NW_E_ARG, __func__, "other has other weights or options, must have the same");
    for (size_t c = 0; c < l->cells; c++)
        l->counts[c] = nw__add_saturated(l->counts[c], other->counts[c]);
    return NW_OK;
}

size_t nw_linear_size(const nw_linear *l)
{
    return nw__totals_size(l->cells);
}

nw_status nw_linear_serialize(const nw_linear *l, uint8_t *out, size_t capacity, nw_error *err)
{
    if (l == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "linear is NULL");
    const nw__totals totals = totals_of_linear(l);
    return write_totals(&l->release, &totals, out, capacity, __func__, err);
}

nw_status nw_linear_merge_bytes(nw_linear *l, const uint8_t *bytes, size_t n, nw_error *err)
{
    if (l == NULL || bytes == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", l == NULL ? "linear" : "bytes");
    NW__TRY(check_open(&l->release, __func__, err));
    nw__totals totals = totals_of_linear(l);
    return nw__totals_add_bytes(&totals, bytes, n, __func__, err);
}

nw_status nw_linear_reduce(nw_linear *l, const nw_reduce *reduce, nw_error *err)
{
    if (l == NULL || reduce == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", l == NULL ? "linear" : "reduce");
    nw__totals totals = totals_of_linear(l);
    const nw_status status = nw__totals_reduce(&totals, reduce, check_open(&l->release, __func__, err), __func__, err);
    l->release.is_handed |= status == NW_OK && reduce->rank > 0;
    return status;
}

/* In 128 bits, then clamped: 2^20 cells of 2^63 records with weights of 2^20. */
static void answer(const nw_linear *l, int64_t *answers)
{
    for (size_t a = 0; a < l->answers; a++) {
        int128 sum = 0;
        for (size_t c = 0; c < l->cells; c++)
            sum += (int128)l->weights[a * l->cells + c] * l->counts[c];
        answers[a] = sum > LARGEST_ANSWER ? LARGEST_ANSWER : sum < -LARGEST_ANSWER ? -LARGEST_ANSWER : (int64_t)sum;
    }
}

nw_status nw__linear_draw(const nw_linear *l, nw_rng *rng, int64_t *out, nw_error *err)
{
    int64_t *answers = nw__calloc(l->answers, sizeof *answers);
    if (answers == NULL)
        return nw__fail_memory(err, "nw_linear_release");
    answer(l, answers);
    const nw_status status = nw_noise_add_i64(l->release.noise, rng, answers, out, l->answers, err);
    nw__free_wiped(answers, l->answers * sizeof *answers);
    return status;
}

nw_status nw_linear_release(
    nw_linear *l, nw_rng *rng, nw_ledger *ledger, const char *label, int64_t *out, nw_receipt *receipt, nw_error *err)
{
    if (l == NULL || out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", l == NULL ? "linear" : "out");
    NW__TRY(charge(&l->release, rng, ledger, label, receipt, __func__, err));
    const nw_status status = nw__linear_draw(l, rng, out, err);
    nw__free_wiped(l->counts, l->cells * sizeof *l->counts);
    l->counts = NULL;
    return status;
}

/* ---- trees ---- */

/* A record is in one node of each level: an l1 norm of depth, an l2 norm of its root. Replaced, it leaves and enters at most as
 * many. */
static double tree_distance(const nw_tree *tree)
{
    const double moved = (double)tree->depth * (tree->release.opts.adjacency == NW_REPLACE_ONE ? 2.0 : 1.0);
    return is_l1(&tree->release) ? moved : nw__up(sqrt(moved));
}

nw_status nw_tree_new(nw_tree **out, const nw_linear_opts *opts, double lower, double upper, unsigned depth, nw_error *err)
{
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    if (!(lower < upper && fabs(lower) <= 1e100 && fabs(upper) <= 1e100))
        return nw__fail(err, NW_E_ARG, __func__, "lower is %g and upper is %g, must be lower < upper, at most 1e100 in magnitude",
            lower, upper);
    if (depth < 1 || depth > MAX_DEPTH)
        return nw__fail(err, NW_E_ARG, __func__, "depth is %u, must be in 1..%d", depth, MAX_DEPTH);
    nw_tree *tree = nw__calloc(1, sizeof *tree);
    if (tree == NULL)
        return nw__fail_memory(err, __func__);
    tree->lower = lower;
    tree->upper = upper;
    tree->depth = depth;
    tree->nodes = nw__calloc(node_count(tree), sizeof *tree->nodes);
    nw_status status = tree->nodes == NULL ? nw__fail_memory(err, __func__) : read_opts(&tree->release, opts, __func__, err);
    if (status == NW_OK)
        status = calibrate(&tree->release, tree_distance(tree), node_count(tree) - 2, __func__, err);
    if (status != NW_OK) {
        nw_tree_free(tree);
        return status;
    }
    *out = tree;
    return NW_OK;
}

void nw_tree_free(nw_tree *tree)
{
    if (tree == NULL)
        return;
    nw__free_wiped(tree->nodes, node_count(tree) * sizeof *tree->nodes);
    release_clear(&tree->release);
    free(tree);
}

const nw_event *nw_tree_event(const nw_tree *tree)
{
    return tree->release.event;
}

double nw_tree_deviation(const nw_tree *tree)
{
    return tree->release.deviation * sqrt(fmax((double)tree->depth, 2.0)); /* see nw_tree_rank */
}

/* Proof note: docs/rooms/stats.md#linear-queries-and-trees. Z(b), the noise of the rank of boundary b below the last, has a draw
 * for each bit of b that is set; the total's has two, one of them in Z(b) if the highest bit is set. A quantile is off by |Z(b)|
 * or |Z(b) - Z(total)| at most. `set` of the lower bits are set, with the highest or without; boundary 0 is the total alone.
 *
 * Roundings of a descent, three a level, are below 2^-46 of n records and of the noise: for n up to 2^45 the last two terms
 * are more. */
double nw_tree_error(const nw_tree *tree, double risk)
{
    double sums[MAX_DEPTH + 2] = { 0.0 };
    double boundaries = 1.0; /* depth - 1 over set */
    if (!(risk >= SMALLEST_RISK && risk <= 0.5))
        return NAN;
    for (unsigned set = 0; set < tree->depth; set++) {
        sums[set] += boundaries;
        sums[set + 1] += 2.0 * boundaries;
        sums[set + 2] += boundaries;
        boundaries *= (double)(tree->depth - 1 - set) / (double)(set + 1);
    }
    const double reach = nw__stats_reach_of_sums(tree->release.law, tree->release.scale, sums, tree->depth + 1, risk);
    return reach + 1.0 + floor(reach * 0x1p-40);
}

static size_t leaf_of(const nw_tree *tree, double x)
{
    const double cells = (double)((size_t)1 << tree->depth);
    const double at = floor((x - tree->lower) / (tree->upper - tree->lower) * cells);
    return ((size_t)1 << tree->depth) + (size_t)fmin(fmax(at, 0.0), cells - 1.0);
}

nw_status nw_tree_add(nw_tree *tree, const double *values, size_t n, nw_error *err)
{
    if (tree == NULL || (values == NULL && n > 0))
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", tree == NULL ? "tree" : "values");
    NW__TRY(check_open(&tree->release, __func__, err));
    for (size_t i = 0; i < n; i++)
        for (size_t node = isnan(values[i]) ? 0 : leaf_of(tree, values[i]); node > 1; node /= 2)
            tree->nodes[node] = nw__add_saturated(tree->nodes[node], 1);
    return NW_OK;
}

nw_status nw_tree_merge(nw_tree *tree, const nw_tree *other, nw_error *err)
{
    if (tree == NULL || other == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", tree == NULL ? "tree" : "other");
    NW__TRY(check_open(&tree->release, __func__, err));
    NW__TRY(check_open(&other->release, __func__, err));
    if (!is_same_opts(&tree->release, &other->release) || tree->lower != other->lower || tree->upper != other->upper ||
        tree->depth != other->depth)
        return nw__fail(err, NW_E_ARG, __func__, "other has other bounds, depth or options, must have the same");
    for (size_t i = 0; i < node_count(tree); i++)
        tree->nodes[i] = nw__add_saturated(tree->nodes[i], other->nodes[i]);
    return NW_OK;
}

size_t nw_tree_size(const nw_tree *tree)
{
    return nw__totals_size(node_count(tree) - 2);
}

nw_status nw_tree_serialize(const nw_tree *tree, uint8_t *out, size_t capacity, nw_error *err)
{
    if (tree == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "tree is NULL");
    const nw__totals totals = totals_of_tree(tree);
    return write_totals(&tree->release, &totals, out, capacity, __func__, err);
}

nw_status nw_tree_merge_bytes(nw_tree *tree, const uint8_t *bytes, size_t n, nw_error *err)
{
    if (tree == NULL || bytes == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", tree == NULL ? "tree" : "bytes");
    NW__TRY(check_open(&tree->release, __func__, err));
    nw__totals totals = totals_of_tree(tree);
    return nw__totals_add_bytes(&totals, bytes, n, __func__, err);
}

nw_status nw_tree_reduce(nw_tree *tree, const nw_reduce *reduce, nw_error *err)
{
    if (tree == NULL || reduce == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", tree == NULL ? "tree" : "reduce");
    nw__totals totals = totals_of_tree(tree);
    const nw_status status = nw__totals_reduce(&totals, reduce, check_open(&tree->release, __func__, err), __func__, err);
    tree->release.is_handed |= status == NW_OK && reduce->rank > 0;
    return status;
}

nw_status nw__tree_draw(const nw_tree *tree, nw_rng *rng, int64_t *out, nw_error *err)
{
    return nw_noise_add_i64(tree->release.noise, rng, tree->nodes + 2, out, node_count(tree) - 2, err);
}

nw_status nw_tree_release(nw_tree *tree, nw_rng *rng, nw_ledger *ledger, const char *label, nw_receipt *receipt, nw_error *err)
{
    if (tree == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "tree is NULL");
    NW__TRY(charge(&tree->release, rng, ledger, label, receipt, __func__, err));
    const nw_status status = nw__tree_draw(tree, rng, tree->nodes + 2, err);
    if (status != NW_OK) {
        nw__free_wiped(tree->nodes, node_count(tree) * sizeof *tree->nodes);
        tree->nodes = NULL;
    }
    tree->has_figures = status == NW_OK;
    return status;
}

static nw_status check_figures(const nw_tree *tree, const void *out, bool is_inside, const char *function, nw_error *err)
{
    if (tree == NULL || out == NULL || !is_inside)
        return nw__fail(err, NW_E_ARG, function, "%s",
            tree == NULL  ? "tree is NULL"
            : out == NULL ? "the place for the answer is NULL"
                          : "rank must be in [0, 1], and x a number");
    return tree->has_figures ? NW_OK : nw__fail(err, NW_E_STATE, function, "there are no figures: call nw_tree_release first");
}

/* Down from the root: left if its noisy count reaches what is wanted, else right, less what lies left. */
nw_status nw_tree_quantile(const nw_tree *tree, double rank, double *value, nw_error *err)
{
    NW__TRY(check_figures(tree, value, rank >= 0.0 && rank <= 1.0, __func__, err));
    double wanted = rank * ((double)tree->nodes[2] + (double)tree->nodes[3]);
    size_t node = 1;
    for (unsigned level = 0; level < tree->depth; level++) {
        const double left = (double)tree->nodes[2 * node];
        const bool is_right = wanted > left;
        wanted -= is_right ? left : 0.0;
        node = 2 * node + is_right;
    }
    const double cells = (double)((size_t)1 << tree->depth);
    const double end = (double)(node - ((size_t)1 << tree->depth) + 1) / cells;
    *value = fmin(tree->upper, tree->lower + (tree->upper - tree->lower) * end);
    return NW_OK;
}

/* What lies below the next cell: the left siblings on its way up, at most depth of them; all of it is the two halves. */
nw_status nw_tree_rank(const nw_tree *tree, double x, double *records, nw_error *err)
{
    NW__TRY(check_figures(tree, records, !isnan(x), __func__, err));
    const size_t next = leaf_of(tree, x) + 1;
    *records = 0.0;
    if (next == node_count(tree)) {
        *records = (double)tree->nodes[2] + (double)tree->nodes[3];
        return NW_OK;
    }
    for (size_t node = next; node > 1; node /= 2)
        if (node % 2 == 1)
            *records += (double)tree->nodes[node - 1];
    return NW_OK;
}
