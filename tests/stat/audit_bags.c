/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* audit_bags.c - released means of bags over labels that differ in one, against what is charged.
 *
 * A release of many bags whose labels differ in one row each, at the two ends of the clip, is as many releases of one bag: all
 * are drawn in one call. The statistic is the sum of a bag, which no test of one draw beats. Curated bags: the label that differs
 * is in the second half, whose bags are formed by what the first half released. */
#include "audit.h"
#include "mutants.h"

#include <noisewright.h>
#include <nw/testing.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { RUNS = 60000, K = 3, CURATED_RUNS = 5000 };
static const double CLIP = 2.0;

/* What a twin does differently; the claim is always that of the honest one. */
typedef struct fault {
    double label;     /* of the row that differs, on side 1: beyond the clip if it is not clipped */
    double clip;      /* that the twin holds labels to; its noise is for CLIP */
    double noise;     /* factor on the noise */
    bool overlaps;    /* the row is in two bags */
    bool reuses;      /* one draw of noise serves two bags, one of which holds no label that differs */
    bool is_by_label; /* bags are formed by the labels: the row changes its bag */
} fault;
static const fault HONEST = { 2.0, 2.0, 1.0, false, false, false };

typedef struct bags_case {
    const char *name;
    double epsilon;
    double delta;
} bags_case;
static const bags_case CASES[] = { { "Laplace, epsilon 1", 1.0, 0.0 }, { "Laplace, epsilon 4", 4.0, 0.0 },
    { "Gaussian, epsilon 2", 2.0, 1e-5 }, { "Gaussian, epsilon 4", 4.0, 1e-5 } };
enum { CASE_COUNT = sizeof CASES / sizeof *CASES };

/* Sums of RUNS bags of K rows, all with the same labels: `first` and, in every bag, zeros. As wrong as the fault says: a larger
 * clip is made with a larger epsilon, so that the noise stays that of CLIP. */
static void release(const bags_case *c, const fault *f, double first, uint64_t seed, double *sums)
{
    nw_bags_opts o = NW_BAGS_OPTS_INIT;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    nw_bags *bags = NULL;
    nw_rng *rng = NULL;
    nw_ledger *ledger = NULL;
    nw_error err;
    size_t *ids = calloc((size_t)RUNS * K, sizeof *ids);
    double *y = calloc((size_t)RUNS * K, sizeof *y);
    assert_true(ids != NULL && y != NULL);
    for (size_t i = 0; i < (size_t)RUNS * K; i++) {
        ids[i] = i / K;
        y[i] = i % K == 0 ? first : 0.0;
    }
    const double factor = f->clip / CLIP / f->noise;
    o.rows = (size_t)RUNS * K;
    o.grouping = NW_BAGS_BY_ID;
    o.bag_count = RUNS;
    o.ids = ids;
    o.delta = c->delta;
    o.epsilon = c->delta == 0.0 ? c->epsilon * factor : nw_gdp_epsilon(nw_gdp_mu(c->epsilon, c->delta) * factor, c->delta);
    o.clip = f->clip;
    lo.delta = 1e-6;
    lo.adjacency = NW_REPLACE_LABEL;
    lo.unit = NW_BAGS_UNIT;
    if (nw_bags_new(&bags, &o, &err) != NW_OK)
        fail_msg("%s: %s", c->name, err.message);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    assert_int_equal(nw_ledger_unlimited(&ledger, &lo, NULL), NW_OK);
    assert_int_equal(nw_bags_release(bags, rng, ledger, y, "audit", NULL, NULL), NW_OK);
    for (size_t a = 0; a < RUNS; a++)
        sums[a] = nw_bags_means(bags)[a] * K;
    nw_bags_free(bags);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
    free(ids);
    free(y);
}

typedef struct draws {
    double *values[2];
    size_t next[2];
} draws;

static void run_draws(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    draws *d = context;
    (void)rng;
    assert_true(d->next[side] + runs <= RUNS);
    for (size_t i = 0; i < runs; i++)
        out[i] = d->values[side][d->next[side]++];
}

/* One statistic a run: the sum of the row's bag; where the row can be seen in two bags, what both say of it together. */
static void draw_side(const bags_case *c, const fault *f, int side, double *out)
{
    const double low = -CLIP, high = f->label;
    release(c, f, side == 1 ? high : low, 10 + (uint64_t)side, out);
    if (!f->overlaps && !f->reuses && !f->is_by_label)
        return;
    double *other = calloc(RUNS, sizeof *other);
    assert_non_null(other);
    if (f->reuses) /* the same stream: the same noise, over labels that are known */
        release(c, f, 0.0, 10 + (uint64_t)side, other);
    else if (f->overlaps) /* a second bag with the same row */
        release(c, f, side == 1 ? high : low, 20 + (uint64_t)side, other);
    else /* bags of the upper half and the lower half of the labels: the row leaves one and enters the other, each moves */
        release(c, f, side == 1 ? low : high, 20 + (uint64_t)side, other);
    for (size_t i = 0; i < RUNS; i++)
        out[i] += f->overlaps ? other[i] : -other[i];
    free(other);
}

static audit_claim claim_of(const bags_case *c)
{
    nw_bags *bags = NULL;
    nw_bags_opts o = NW_BAGS_OPTS_INIT;
    o.rows = K;
    o.bag_size = K;
    o.epsilon = c->epsilon;
    o.delta = c->delta;
    o.clip = CLIP;
    assert_int_equal(nw_bags_new(&bags, &o, NULL), NW_OK);
    const audit_claim claim = audit_claim_of(nw_bags_event(bags), NW_REPLACE_LABEL, c->delta);
    nw_bags_free(bags);
    return claim;
}

static audit_bound audit_case(const bags_case *c, const fault *f)
{
    audit_opts o = AUDIT_OPTS_INIT;
    draws d = { { calloc(RUNS, sizeof(double)), calloc(RUNS, sizeof(double)) }, { 0, 0 } };
    assert_true(d.values[0] != NULL && d.values[1] != NULL);
    o.runs = RUNS / 9 * 8 - 1024; /* an audit looks at some more, to lay its cuts */
    o.delta = c->delta;
    for (int side = 0; side < 2; side++)
        draw_side(c, f, side, d.values[side]);
    const audit_bound bound = audit(&(audit_mechanism){ run_draws, &d, 1 }, &o);
    free(d.values[0]);
    free(d.values[1]);
    return bound;
}

static void bags__are_worth_what_is_charged(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        const audit_claim claim = claim_of(&CASES[i]);
        const audit_bound bound = audit_case(&CASES[i], &HONEST);
        const double share = CASES[i].delta == 0.0 ? bound.epsilon / claim.epsilon : bound.mu / claim.mu;
        print_message("# %s: %.2f of the claim\n", CASES[i].name, share);
        assert_false(audit_refutes(&bound, &claim));
        assert_true(share > 0.7);
    }
}

typedef struct planted {
    size_t i; /* of CASES */
    fault fault;
} planted;

static bool audit__refutes(const void *context, bool is_planted)
{
    const planted *p = context;
    const audit_claim claim = claim_of(&CASES[p->i]);
    const audit_bound bound = audit_case(&CASES[p->i], is_planted ? &p->fault : &HONEST);
    return audit_refutes(&bound, &claim);
}

static void bags__mutants_are_killed(void **state)
{
    (void)state;
    const mutant mutants[] = {
        { "labels are not clipped", "audit", audit__refutes, &(planted){ 0, { 6.0, 8.0, 1.0, false, false, false } } },
        { "sensitivity B, not 2 B", "audit", audit__refutes, &(planted){ 0, { 2.0, 2.0, 0.5, false, false, false } } },
        { "sensitivity B, not 2 B, Gaussian", "audit", audit__refutes, &(planted){ 2, { 2.0, 2.0, 0.5, false, false, false } } },
        { "noise divided by k twice", "audit", audit__refutes, &(planted){ 0, { 2.0, 2.0, 1.0 / K, false, false, false } } },
        { "bags that overlap", "audit", audit__refutes, &(planted){ 0, { 2.0, 2.0, 1.0, true, false, false } } },
        { "bags that overlap, Gaussian", "audit", audit__refutes, &(planted){ 3, { 2.0, 2.0, 1.0, true, false, false } } },
        { "bags formed by the labels", "audit", audit__refutes, &(planted){ 0, { 2.0, 2.0, 1.0, false, false, true } } },
        { "noise that serves two bags", "audit", audit__refutes, &(planted){ 0, { 2.0, 2.0, 1.0, false, true, false } } },
    };
    for (size_t m = 0; m < sizeof mutants / sizeof *mutants; m++)
        assert_true(mutant_report(&mutants[m]));
}

/* ---- curated bags, from end to end ---- */

enum { ROWS = 8 };

/* One feature; the row that differs is of the second half, whatever the seed of the bags. */
static double curated_once(int side, nw_rng *rng)
{
    static const double x[ROWS] = { -3, -2, -1, -0.5, 0.5, 1, 2, 3 };
    double y[ROWS] = { 0 };
    size_t ids[ROWS];
    nw_bags_opts o = NW_BAGS_OPTS_INIT;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    static nw_ledger *ledger;
    nw_bags *bags = NULL;
    o.rows = ROWS;
    o.bag_size = 2;
    o.grouping = NW_BAGS_CURATED;
    o.borrowed_features = x;
    o.feature_count = 1;
    o.epsilon = 2.0;
    o.delta = 0.0;
    o.clip = CLIP;
    lo.delta = 1e-6;
    lo.adjacency = NW_REPLACE_LABEL;
    lo.unit = NW_BAGS_UNIT;
    if (ledger == NULL)
        assert_int_equal(nw_ledger_unlimited(&ledger, &lo, NULL), NW_OK);
    assert_int_equal(nw_bags_new(&bags, &o, NULL), NW_OK);
    for (size_t i = 0; i < ROWS; i++)
        y[i] = side == 1 && i == 7 ? CLIP : (i == 7 ? -CLIP : 0.0);
    assert_int_equal(nw_bags_release(bags, rng, ledger, y, "audit", NULL, NULL), NW_OK);
    assert_int_equal(nw_bags_get_ids(bags, ids, NULL), NW_OK);
    const double sum = nw_bags_means(bags)[ids[7]] * (double)nw_bags_size(bags, ids[7]);
    nw_bags_free(bags);
    return sum;
}

static void run_curated(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    (void)context;
    for (size_t i = 0; i < runs; i++)
        out[i] = curated_once(side, rng);
}

static void curated_bags__are_worth_what_is_charged(void **state)
{
    (void)state;
    nw_event *event = NULL;
    audit_opts o = AUDIT_OPTS_INIT;
    o.runs = CURATED_RUNS;
    assert_int_equal(nw_event_pure(&event, 2.0, NW_REPLACE_LABEL, NULL), NW_OK);
    const audit_claim claim = audit_claim_of(event, NW_REPLACE_LABEL, 0.0);
    const audit_bound bound = audit(&(audit_mechanism){ run_curated, NULL, 1 }, &o);
    print_message("# curated: %.2f of the claim\n", bound.epsilon / claim.epsilon);
    assert_false(audit_refutes(&bound, &claim));
    assert_true(bound.epsilon > 0.7 * claim.epsilon);
    nw_event_free(event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bags__are_worth_what_is_charged),
        cmocka_unit_test(bags__mutants_are_killed),
        cmocka_unit_test(curated_bags__are_worth_what_is_charged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
