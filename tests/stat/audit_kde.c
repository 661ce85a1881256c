/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* audit_kde.c - similarity structures with and without one point, against what is charged. The statistic is the log-likelihood
 * ratio of the noise that is drawn, which no test beats: for pairs the norm of pair_noise.h, for Laplace noise l1, for Gaussian
 * noise the product with what the point moves. The draw is the release's own; only the exact totals are set, so that a run
 * costs no set-up. */
#include "audit.h"
#include "kde_internal.h"
#include "mutants.h"
#include "pair_noise.h"

#include <noisewright.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum {
    RUNS = 10000,
    FEW_RUNS = 800 /* of structures of thousands of totals */,
    DIMENSION = 3,
    LANDMARKS = 6,
    NEIGHBOURS = 400,
    FEW_NEIGHBOURS = 12
};

/* What is built wrong. */
typedef struct fault {
    double noise_divisor; /* 1: honest */
    bool replaces;        /* neighbours differ in a replaced point; the noise stays that of one point */
    bool frees_points;    /* the number of points gets no noise */
    bool counts_twice;    /* two structures over the same point, one charge */
} fault;
#define HONEST_FAULT                                                                                                             \
    {                                                                                                                            \
        1.0, false, false, false                                                                                                 \
    }
static const fault HONEST = HONEST_FAULT;

typedef struct similarity_case {
    const char *name;
    nw_kde_kernel kernel;
    nw_kde_estimator estimator;
    size_t size;
    double epsilon;
    double delta;
    double power; /* least share of the claim that is found; -1: what it moves is checked, no draws */
} similarity_case;

static const similarity_case CASES[] = {
    { "features, pairs", NW_KDE_GAUSSIAN, NW_KDE_FEATURES, 1, 1.0, 0.0, 0.6 },
    { "features, Gaussian", NW_KDE_GAUSSIAN, NW_KDE_HADAMARD, 16, 4.0, 1e-6, 0.7 },
    { "table", NW_KDE_L1, NW_KDE_TABLE, 4, 4.0, 0.0, 0.3 },
    { "table, Gaussian", NW_KDE_L1, NW_KDE_TABLE, 8, 4.0, 1e-6, 0.7 },
    { "moments, Gaussian", NW_KDE_L2SQ, NW_KDE_MOMENTS, 0, 4.0, 1e-6, 0.6 },
    { "landmarks, Gaussian", NW_KDE_GAUSSIAN, NW_KDE_LANDMARKS, LANDMARKS, 4.0, 1e-6, 0.5 },
    { "grid", NW_KDE_GAUSSIAN, NW_KDE_GRID, 3, 8.0, 0.0, 0.3 },
    { "binning", NW_KDE_LAPLACIAN, NW_KDE_LSH, 1, 1.0, 0.0, 0.4 },
    { "hadamard, pairs", NW_KDE_RATIONAL_L1, NW_KDE_HADAMARD, 2, 2.0, 0.0, 0.4 },
    { "table of a power", NW_KDE_LPP, NW_KDE_TABLE, 4, 4.0, 0.0, 0.3 },
    { "projections", NW_KDE_L2, NW_KDE_TABLE, 1, 4.0, 0.0, -1.0 }, /* the blocks of a table, hundreds of them */
    { "projections, Gaussian", NW_KDE_L2, NW_KDE_TABLE, 1, 4.0, 1e-6, 0.0 },
    { "moments", NW_KDE_L2SQ, NW_KDE_MOMENTS, 0, 2.0, 0.0, 0.4 },
    { "landmarks, stretched pairs", NW_KDE_GAUSSIAN, NW_KDE_LANDMARKS, 2, 4.0, 0.0, 0.2 },
    { "landmarks, leading", NW_KDE_GAUSSIAN, NW_KDE_LANDMARKS, 3, 4.0, 1e-6, 0.3 },
    { "grid, Gaussian", NW_KDE_GAUSSIAN, NW_KDE_GRID, 3, 4.0, 1e-6, 0.5 },
    { "binning, Gaussian", NW_KDE_RATIONAL_L1, NW_KDE_LSH, 1, 4.0, 1e-6, 0.2 },
    { "tree", NW_KDE_L1, NW_KDE_TREE, 2, 4.0, 0.0, 0.4 },
    { "tree, Gaussian", NW_KDE_L1, NW_KDE_TREE, 3, 4.0, 1e-6, 0.7 },
    { "shifted cosines", NW_KDE_GAUSSIAN, NW_KDE_LSQ_RFF, 2, 2.0, 0.0, 0.05 },
    { "shifted cosines, Gaussian", NW_KDE_GAUSSIAN, NW_KDE_LSQ_RFF, 8, 4.0, 1e-6, 0.1 },
    { "Gauss transform", NW_KDE_GAUSSIAN, NW_KDE_LSQ_FGT, 2, 8.0, 0.0, 0.1 },
    { "Gauss transform, Gaussian", NW_KDE_GAUSSIAN, NW_KDE_LSQ_FGT, 2, 4.0, 1e-6, 0.2 },
};
enum { CASE_COUNT = sizeof CASES / sizeof *CASES };

/* A structure and its exact totals on both sides. */
typedef struct similarity {
    nw_kde *kde;
    int64_t *exact[2];
    int64_t *noisy;
    fault fault;
} similarity;

static nw_kde *make(const similarity_case *c, uint64_t public_seed)
{
    static const double lower[DIMENSION] = { 0 }, upper[DIMENSION] = { 1, 1, 1 };
    static float landmarks[LANDMARKS * DIMENSION];
    nw_kde_opts o = NW_KDE_OPTS_INIT;
    nw_kde *kde = NULL;
    nw_error err;
    for (size_t i = 0; i < LANDMARKS * DIMENSION; i++)
        landmarks[i] = (float)((i * 7 + 3) % 11) / 10.0F;
    o.kernel = c->kernel;
    o.estimator = c->estimator;
    o.size = c->size;
    o.dimension = DIMENSION;
    o.bandwidth = 1.0;
    o.power = c->kernel == NW_KDE_LPP ? 2.5 : 0.0;
    o.lower = lower;
    o.upper = upper;
    o.epsilon = c->epsilon;
    o.delta = c->delta;
    o.adjacency = NW_ADD_REMOVE;
    o.public_seed = public_seed;
    if (c->estimator == NW_KDE_LANDMARKS) {
        o.landmarks = landmarks;
        o.landmark_count = LANDMARKS;
    }
    if (nw_kde_new(&kde, &o, &err) != NW_OK)
        fail_msg("%s: %s", c->name, err.message);
    return kde;
}

/* A corner of the box, which is a landmark's neighbour, too: points that move the totals nearly as far as any. */
static void encode(nw_kde *kde, const float *point, int64_t *totals)
{
    memset(kde->sums, 0, kde->sum_count * sizeof *kde->sums);
    kde->sums[kde->sum_count] = 0;
    if (point != NULL)
        assert_int_equal(nw_kde_add(kde, point, 1, NULL), NW_OK);
    if (kde->ops->encode == NULL)
        memcpy(totals, kde->sums, kde->sum_count * sizeof *totals);
    else
        kde->ops->encode(kde, kde->sums, totals);
    if (kde->counts_points)
        totals[kde->total_count - 1] = kde->sums[kde->sum_count];
}

/* ln P[noisy | exact[1]] / P[noisy | exact[0]] of one block. */
static double log_ratio(const nw__kde_block *b, bool is_l1, const int64_t *noisy, const int64_t *with, const int64_t *without)
{
    double sum = 0.0;
    const size_t half = b->count / 2;
    for (size_t i = 0; b->is_in_pairs && i < half; i++)
        sum += ((double)nw__pair_norm(noisy[i] - without[i], noisy[half + i] - without[half + i]) -
                   (double)nw__pair_norm(noisy[i] - with[i], noisy[half + i] - with[half + i])) /
               65536.0 / b->scale;
    for (size_t i = 0; !b->is_in_pairs && i < b->count; i++) {
        const double x = (double)(noisy[i] - without[i]), y = (double)(noisy[i] - with[i]);
        sum += is_l1 ? (fabs(x) - fabs(y)) / b->scale : (x * x - y * y) / (2.0 * b->scale * b->scale);
    }
    return sum;
}

static double draw_once(similarity *s, int side, nw_rng *rng)
{
    nw_kde *kde = s->kde;
    double sum = 0.0;
    size_t at = 0;
    kde->totals = s->noisy;
    memcpy(s->noisy, s->exact[side], kde->total_count * sizeof *s->noisy);
    assert_int_equal(nw__kde_draw(kde, rng, NULL), NW_OK);
    kde->totals = NULL;
    for (size_t b = 0; b < kde->block_count; b++) {
        const bool is_free = s->fault.frees_points && b + 1 == kde->block_count;
        if (is_free)
            s->noisy[at] = s->exact[side][at];
        sum += is_free ? 1e6 * ((double)s->noisy[at] - 0.5)
                       : log_ratio(&kde->blocks[b], kde->opts.delta == 0.0, s->noisy + at, s->exact[1] + at, s->exact[0] + at);
        at += kde->blocks[b].count;
    }
    return sum;
}

static void run_draws(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    similarity *s = context;
    for (size_t run = 0; run < runs; run++) {
        out[run] = draw_once(s, side, rng);
        if (s->fault.counts_twice)
            out[run] += draw_once(s, side, rng);
    }
}

/* Noise as if the point moved less: what is charged stays the same. */
static void weaken(nw_kde *kde, double divisor)
{
    for (size_t b = 0; divisor != 1.0 && b < kde->block_count; b++) {
        nw__kde_block *block = &kde->blocks[b];
        block->scale = fmax(1.0, rint(block->scale / divisor));
        if (!block->is_in_pairs) {
            nw_noise_free(block->noise);
            assert_int_equal(
                nw_noise_new(&block->noise, kde->opts.delta == 0.0 ? NW_NOISE_DISCRETE_LAPLACE : NW_NOISE_ROUNDED_GAUSSIAN,
                    block->scale, NULL),
                NW_OK);
        }
    }
}

/* Of a case's event, which no fault changes: worked out once. */
static audit_claim claim_of(const similarity_case *c, const nw_kde *kde)
{
    static audit_claim claims[CASE_COUNT];
    static bool is_known[CASE_COUNT];
    const size_t i = (size_t)(c - CASES);
    if (!is_known[i])
        claims[i] = audit_claim_of(nw_kde_event(kde), NW_ADD_REMOVE, c->delta);
    is_known[i] = true;
    return claims[i];
}

static audit_bound audit_case(const similarity_case *c, const fault *f, audit_claim *claim)
{
    static const float corner[DIMENSION] = { 1.0F, 1.0F, 1.0F }, opposite[DIMENSION] = { 0.0F, 0.0F, 0.0F };
    similarity s = { .kde = make(c, 3), .fault = *f };
    audit_opts o = AUDIT_OPTS_INIT;
    o.runs = s.kde->total_count > 1000 ? FEW_RUNS : RUNS;
    o.delta = c->delta;
    *claim = claim_of(c, s.kde);
    weaken(s.kde, f->noise_divisor);
    for (int side = 0; side < 2; side++)
        s.exact[side] = calloc(s.kde->total_count, sizeof *s.exact[side]);
    s.noisy = calloc(s.kde->total_count, sizeof *s.noisy);
    encode(s.kde, corner, s.exact[1]);
    encode(s.kde, f->replaces ? opposite : NULL, s.exact[0]);
    const audit_bound bound = audit(&(audit_mechanism){ run_draws, &s, 1 }, &o);
    free(s.exact[0]);
    free(s.exact[1]);
    free(s.noisy);
    nw_kde_free(s.kde);
    return bound;
}

/* Share of the claim that was found, in the currency of the noise. */
static double share(const similarity_case *c, const audit_bound *bound, const audit_claim *claim)
{
    return c->delta == 0.0 ? bound->epsilon / claim->epsilon : bound->mu / claim->mu;
}

static void kde__is_worth_what_is_charged(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        audit_claim claim;
        if (CASES[i].power < 0.0)
            continue;
        const audit_bound bound = audit_case(&CASES[i], &HONEST, &claim);
        print_message("# %s: %.2f of the claim\n", CASES[i].name, share(&CASES[i], &bound, &claim));
        assert_false(audit_refutes(&bound, &claim));
        assert_true(share(&CASES[i], &bound, &claim) > CASES[i].power);
    }
}

/* ---- exact: no block moves by more than it declares ---- */

/* What a block moves by, in the currency of its noise. */
static double moved(const nw__kde_block *b, bool is_l1, const int64_t *with, const int64_t *without)
{
    double sum = 0.0;
    const size_t half = b->count / 2;
    for (size_t i = 0; b->is_in_pairs && i < half; i++)
        sum += hypot((double)(with[i] - without[i]), (double)(with[half + i] - without[half + i]));
    for (size_t i = 0; !b->is_in_pairs && i < b->count; i++) {
        const double x = (double)(with[i] - without[i]);
        sum += is_l1 ? fabs(x) : x * x;
    }
    return b->is_in_pairs || is_l1 ? sum : sqrt(sum);
}

static double declared(const nw__kde_block *b, bool is_l1)
{
    return b->is_in_pairs ? b->pairs : is_l1 ? b->l1 : b->l2;
}

/* A corner, an end of each coordinate, or anywhere. */
static void make_neighbour(size_t i, float *point)
{
    uint64_t state = i * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (size_t j = 0; j < DIMENSION; j++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        point[j] = i < 8 ? (float)(i >> j & 1) : (float)(state >> 40) * 0x1p-24F;
    }
}

/* The largest share of its declaration that a block moves by, over neighbours of the empty structure. */
static double largest_share(const similarity_case *c, double rounding)
{
    nw_kde *kde = make(c, 3);
    int64_t *with = calloc(kde->total_count, sizeof *with), *without = calloc(kde->total_count, sizeof *without);
    double largest = 0.0;
    encode(kde, NULL, without);
    const size_t neighbours = kde->total_count > 4000 ? FEW_NEIGHBOURS : NEIGHBOURS;
    for (size_t i = 0; i < neighbours; i++) {
        float point[DIMENSION];
        make_neighbour(i, point);
        encode(kde, point, with);
        for (size_t b = 0, at = 0; b < kde->block_count; at += kde->blocks[b++].count) {
            const nw__kde_block *block = &kde->blocks[b];
            const bool is_l1 = kde->opts.delta == 0.0;
            largest = fmax(largest, moved(block, is_l1, with + at, without + at) / (declared(block, is_l1) - rounding));
        }
    }
    free(with);
    free(without);
    nw_kde_free(kde);
    return largest;
}

static void kde__moves_by_no_more_than_it_declares(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        const double share = largest_share(&CASES[i], 0.0);
        print_message("# %s: moves by %.6f of what it declares\n", CASES[i].name, share);
        assert_true(share <= 1.0);
        assert_true(share > 0.5);
    }
}

/* ---- mutants ---- */

typedef struct planted {
    size_t i; /* of CASES */
    fault fault;
    double rounding; /* left out of what a block declares */
} planted;

static bool audit__refutes(const void *context, bool is_planted)
{
    const planted *p = context;
    audit_claim claim;
    const audit_bound bound = audit_case(&CASES[p->i], is_planted ? &p->fault : &HONEST, &claim);
    return audit_refutes(&bound, &claim);
}

static bool exact__refutes(const void *context, bool is_planted)
{
    const planted *p = context;
    return largest_share(&CASES[p->i], is_planted ? p->rounding : 0.0) > 1.0;
}

/* Twenty points with and without one more; planted: what is drawn in public depends on how many there are. */
static bool neighbours__refute(const void *context, bool is_planted)
{
    const planted *p = context;
    int64_t *totals[2] = { NULL };
    double move = 0.0, most = 0.0;
    for (size_t side = 0; side < 2; side++) {
        nw_kde *kde = make(&CASES[p->i], is_planted ? 3 + side : 3);
        for (size_t i = 0; i < 20 + side; i++) {
            float point[DIMENSION];
            make_neighbour(i, point);
            assert_int_equal(nw_kde_add(kde, point, 1, NULL), NW_OK);
        }
        totals[side] = calloc(kde->total_count, sizeof *totals[side]);
        memcpy(totals[side], kde->sums, kde->total_count * sizeof *totals[side]);
        if (side == 1)
            move = moved(&kde->blocks[0], kde->opts.delta == 0.0, totals[1], totals[0]);
        most = declared(&kde->blocks[0], kde->opts.delta == 0.0);
        nw_kde_free(kde);
    }
    free(totals[0]);
    free(totals[1]);
    return move > most;
}

static void kde__mutants_are_killed(void **state)
{
    (void)state;
    const mutant mutants[] = {
        { "sqrt(I) for I pairs, of two", "audit", audit__refutes, &(planted){ 0, { 1.4142, false, false, false }, 0.0 } },
        { "half the noise on landmarks", "audit", audit__refutes, &(planted){ 5, { 2.0, false, false, false }, 0.0 } },
        { "half the noise on a grid", "audit", audit__refutes, &(planted){ 15, { 2.0, false, false, false }, 0.0 } },
        { "a replaced point charged as an added one", "audit", audit__refutes,
            &(planted){ 7, { 1.0, true, false, false }, 0.0 } },
        { "a replaced point charged as an added one, Gaussian", "audit", audit__refutes,
            &(planted){ 3, { 1.0, true, false, false }, 0.0 } },
        { "the number of points released without noise", "audit", audit__refutes,
            &(planted){ 2, { 1.0, false, true, false }, 0.0 } },
        { "one class charged, and every point in two", "audit", audit__refutes,
            &(planted){ 1, { 1.0, false, false, true }, 0.0 } },
        { "sensitivity of a pair without the grid", "exact", exact__refutes, &(planted){ 0, HONEST_FAULT, 1.5 } },
        { "sensitivity of shares without the grid", "exact", exact__refutes, &(planted){ 6, HONEST_FAULT, 32.0 } },
        { "frequencies chosen from the points", "exact", neighbours__refute, &(planted){ 0, HONEST_FAULT, 0.0 } },
        { "binnings chosen from the points", "exact", neighbours__refute, &(planted){ 16, HONEST_FAULT, 0.0 } },
    };
    for (size_t m = 0; m < sizeof mutants / sizeof *mutants; m++)
        assert_true(mutant_report(&mutants[m]));
}

/* Frequencies may not depend on the points: structures over other points have the same tables, and draw the same noise. */
static void kde__public_tables_do_not_depend_on_points(void **state)
{
    (void)state;
    const float points[2 * DIMENSION] = { 0.1F, 0.9F, 0.4F, 1.0F, 0.0F, 0.3F };
    for (size_t i = 0; i < CASE_COUNT; i++) {
        nw_kde *a = make(&CASES[i], 3), *b = make(&CASES[i], 3);
        int64_t *x = calloc(a->total_count, sizeof *x), *y = calloc(a->total_count, sizeof *y);
        assert_int_equal(nw_kde_add(a, points, 2, NULL), NW_OK);
        encode(a, points, x); /* what was added before leaves nothing behind in the tables */
        encode(b, points, y);
        assert_memory_equal(x, y, a->total_count * sizeof *x);
        assert_true(a->block_count == b->block_count);
        for (size_t k = 0; k < a->block_count; k++)
            assert_true(a->blocks[k].scale == b->blocks[k].scale);
        free(x);
        free(y);
        nw_kde_free(a);
        nw_kde_free(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kde__is_worth_what_is_charged),
        cmocka_unit_test(kde__moves_by_no_more_than_it_declares),
        cmocka_unit_test(kde__mutants_are_killed),
        cmocka_unit_test(kde__public_tables_do_not_depend_on_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
