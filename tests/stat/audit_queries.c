/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* audit_queries.c - answers to queries and the choices of a round, audited on neighbouring tables under replace_one: one record
 * leaves the cell that one workload counts and enters that of the other.
 *
 * Answers: a list of RUNS equal workloads of two cells, released once, is as many releases of one workload; the statistic is the
 * difference of the two cells, which the replaced record moves by 2 against noise of sqrt(2) sigma. Choices: two workloads whose
 * scores the record moves in opposite directions, the worst case of the exponential mechanism, where the better one is chosen
 * nine times in ten, so that the other's probability changes by nearly e^epsilon. */
#include "audit.h"
#include "choose.h"
#include "mutants.h"
#include "query_release.h"

#include <math.h>
#include <noisewright.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { RUNS = 90000, CHOICES = 400000 };
static const double MU = 1.5;      /* of one workload's answers */
static const double EPSILON = 1.5; /* of one choice */
static const double DELTA = 1e-5;

/* What a twin does differently. */
typedef struct fault {
    nw_adjacency planned; /* the relation that the noise is for */
    double noise;         /* factor on it */
    double rate;          /* factor on the weights' rate of a choice */
} fault;
static const fault honest = { NW_REPLACE_ONE, 1.0, 1.0 };

typedef struct scene {
    nw_schema *schema;
    nw_table *tables[2];
    nw_queries *many; /* RUNS equal workloads: column a, both cells */
    nw_queries *two;  /* a = 0; a = 1 */
} scene;
static scene s;

/* a = 0 twice and a = 1 six times; the neighbour has one of the six at 0. */
static int setup(void **state)
{
    (void)state;
    assert_int_equal(nw_schema_parse(&s.schema, "{\"a\": 2, \"b\": 1}", 0, NULL), NW_OK);
    for (int side = 0; side < 2; side++) {
        assert_int_equal(nw_table_new(&s.tables[side], s.schema, 8, NULL), NW_OK);
        for (size_t i = 0; i < 8; i++) {
            const uint16_t code = i >= 2 + (size_t)side;
            assert_int_equal(nw_table_set(s.tables[side], 0, i, 1, &code, NULL), NW_OK);
        }
    }
    assert_int_equal(nw_queries_new(&s.many, s.schema, NULL), NW_OK);
    for (size_t i = 0; i < RUNS; i++)
        assert_int_equal(nw_queries_add_conjunction(s.many, &(nw_query_term){ 1, 0, 1 }, 1, 0, NULL), NW_OK);
    assert_int_equal(nw_queries_new(&s.two, s.schema, NULL), NW_OK);
    for (uint32_t v = 0; v < 2; v++)
        assert_int_equal(nw_queries_add_conjunction(s.two, &(nw_query_term){ 0, v, v + 1 }, 1, SIZE_MAX, NULL), NW_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    nw_queries_free(s.many);
    nw_queries_free(s.two);
    nw_table_free(s.tables[0]);
    nw_table_free(s.tables[1]);
    nw_schema_free(s.schema);
    return 0;
}

/* ---- answers ---- */

typedef struct answers {
    double difference[2][RUNS];
    size_t next[2];
} answers;

static void release_answers(const fault *f, int side, double *difference)
{
    nw__query_plan plan;
    nw__query_counts exact = { s.many, NULL };
    nw_synth_measurements measured = { .known_rows = 8.0 };
    nw_rng *rng = NULL;
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    o.epsilon = 1.0;
    o.adjacency = f->planned;
    o.queries = s.many;
    assert_int_equal(nw__query_plan_make(&plan, &o, MU * sqrt((double)RUNS), NULL), NW_OK);
    plan.sigma *= f->noise;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, (uint64_t)side, NULL), NW_OK);
    assert_int_equal(nw__query_counts_add(&exact, s.tables[side], 1, "audit", NULL), NW_OK);
    assert_int_equal(nw__query_plan_measure(&plan, &exact, &measured, 1, rng, NULL), NW_OK);
    for (size_t i = 0; i < RUNS; i++)
        difference[i] = (double)(measured.queries.counts[i][0] - measured.queries.counts[i][1]);
    nw__query_results_clear(&measured.queries);
    nw__query_counts_clear(&exact);
    nw__query_plan_clear(&plan);
    nw_rng_free(rng);
}

static void run_answers(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    answers *a = context;
    (void)rng;
    assert_true(a->next[side] + runs <= RUNS);
    for (size_t i = 0; i < runs; i++)
        out[i] = a->difference[side][a->next[side]++];
}

static bool answers__refute_their_claim(const void *context, bool is_planted)
{
    const fault *f = is_planted ? context : &honest;
    answers *a = calloc(1, sizeof *a);
    nw_event *event = NULL;
    audit_opts opts = AUDIT_OPTS_INIT;
    opts.runs = RUNS / 9 * 8 - 1024; /* an audit looks at some more, to lay its cuts */
    opts.delta = DELTA;
    for (int side = 0; side < 2; side++)
        release_answers(f, side, a->difference[side]);
    const audit_bound bound = audit(&(audit_mechanism){ run_answers, a, 1 }, &opts);
    assert_int_equal(nw_event_gdp(&event, MU, NW_REPLACE_ONE, NULL), NW_OK);
    const audit_claim claim = audit_claim_of(event, NW_REPLACE_ONE, DELTA);
    nw_event_free(event);
    free(a);
    assert_true(bound.mu > 0.75 * MU); /* an audit that sees too little could not accuse anybody */
    return audit_refutes(&bound, &claim);
}

/* ---- choices ---- */

typedef struct choices {
    int64_t scores[2][2];
    uint64_t rate;
} choices;

static void run_choices(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    const choices *c = context;
    for (size_t i = 0; i < runs; i++) {
        size_t chosen = 0;
        assert_int_equal(nw__choose_exponential(rng, c->scores[side], 2, c->rate, &chosen, NULL), NW_OK);
        out[i] = (double)chosen;
    }
}

static bool choices__refute_their_claim(const void *context, bool is_planted)
{
    const fault *f = is_planted ? context : &honest;
    const int64_t fitted[2] = { 0, 0 }; /* a table of which nothing is known yet */
    choices c;
    nw_event *event = NULL;
    audit_opts opts = AUDIT_OPTS_INIT;
    opts.runs = CHOICES;
    opts.delta = 0.0;
    c.rate = (uint64_t)((double)nw__choice_rate(EPSILON, 1) * f->rate);
    for (int side = 0; side < 2; side++) {
        nw__query_counts exact = { s.two, NULL };
        assert_int_equal(nw__query_counts_add(&exact, s.tables[side], 1, "audit", NULL), NW_OK);
        for (size_t w = 0; w < 2; w++)
            c.scores[side][w] = nw__query_score(s.two, w, exact.counts + w, fitted + w, 1.0, 1);
        nw__query_counts_clear(&exact);
    }
    const audit_bound bound = audit(&(audit_mechanism){ run_choices, &c, 1 }, &opts);
    assert_int_equal(nw_event_selection(&event, NW_EVENT_EXPONENTIAL, EPSILON, NW_REPLACE_ONE, NULL), NW_OK);
    const audit_claim claim = audit_claim_of(event, NW_REPLACE_ONE, 0.0);
    nw_event_free(event);
    assert_true(bound.epsilon > 0.75 * EPSILON);
    return audit_refutes(&bound, &claim);
}

static void queries__mutants_are_killed(void **state)
{
    (void)state;
    const mutant mutants[] = {
        { "query noise x 0.9", "audit", answers__refute_their_claim, &(fault){ NW_REPLACE_ONE, 0.9, 1.0 } },
        { "two neighbours accounted as one", "audit", answers__refute_their_claim, &(fault){ NW_ADD_REMOVE, 1.0, 1.0 } },
        { "selection score with half the sensitivity", "audit", choices__refute_their_claim,
            &(fault){ NW_REPLACE_ONE, 1.0, 2.0 } },
    };
    bool are_killed = true;
    for (size_t m = 0; m < sizeof mutants / sizeof *mutants; m++)
        are_killed = mutant_report(&mutants[m]) && are_killed;
    assert_true(are_killed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries__mutants_are_killed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
