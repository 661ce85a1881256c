/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* audit_rounds.c - releases whose rounds choose what is measured, audited whole on neighbouring tables: D' is D with one record
 * more.
 *
 * Three binary columns have three 2-ways and one 3-way, which rounds choose from. A release tells what was chosen, with which
 * sigma, and the noisy counts; every record is all zeros, so the new one is in the first cell of each. Given what was chosen, the
 * log likelihood ratio of the counts is sum_i (x_i - n) / sigma_i^2 - 1 / (2 sigma_i^2), linear in the noisy counts x_i of that
 * cell: the statistic. The audit bounds mu by its tail, an estimate by its mean. The choices' own part is small, as it is by
 * design; they are audited by themselves, on two candidates whose scores the record moves apart (audit_queries.c does so for
 * queries).
 *
 * Mutants: noise x 0.7; the rounds charged as nothing; a marginal that is measured twice and charged once, played by the noise of
 * an average of two draws; a score with half its sensitivity; a choice that is hardly charged. */
#include "adaptive.h"
#include "audit.h"
#include "choose.h"
#include "mutants.h"

#include <math.h>
#include <noisewright.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { RUNS = 2700, RECORDS = 6, COLUMNS = 3, CHOICES = 200000 };
static const double EPSILON = 8.0;
static const double DELTA = 1e-9;
static const double CHOICE_EPSILON = 1.5;

typedef struct releases {
    double all[2][RUNS];    /* the statistic: of levels and rounds, */
    double noise[2][RUNS];  /* and the part of it that is noise */
    double levels[2][RUNS]; /* of the levels only */
    audit_claim claim;
    double levels_mu;
} releases;
static releases *drawn;

static nw_table *make_table(const nw_schema *schema, size_t rows)
{
    nw_table *table = NULL;
    assert_int_equal(nw_table_new(&table, schema, rows, NULL), NW_OK); /* codes are 0 */
    return table;
}

static void release_once(releases *r, const nw_schema *schema, const nw_table *table, nw_ledger *ledger, int side, size_t run)
{
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    nw_synth *synth = NULL;
    nw_synth_measurements *measured = NULL;
    nw_rng *rng = NULL;
    o.epsilon = EPSILON;
    o.delta = DELTA;
    o.adjacency = NW_ADD_REMOVE;
    o.select = NW_SYNTH_SELECT_ADAPTIVE;
    o.most_ways = 3;
    o.threads = 1;
    assert_int_equal(nw_synth_new(&synth, schema, &o, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 2 * run + (size_t)side, NULL), NW_OK);
    assert_int_equal(nw_synth_add(synth, table, NULL), NW_OK);
    assert_int_equal(nw_synth_release(synth, rng, ledger, "audit", &measured, NULL, NULL), NW_OK);
    r->all[side][run] = r->noise[side][run] = r->levels[side][run] = 0.0;
    r->levels_mu = 0.0;
    for (size_t i = 0; i < nw_synth_measurements_count(measured); i++) {
        const nw_synth_measurement m = nw_synth_measurements_get(measured, i);
        const double variance = m.sigma * m.sigma + 1.0 / 12.0;
        const double x = (double)nw_synth_measurements_counts(measured, i)[0] - RECORDS;
        r->all[side][run] += (x - 0.5) / variance;
        r->noise[side][run] += (x - side) / variance;
        r->levels[side][run] += i < COLUMNS ? (x - 0.5) / variance : 0.0;
        r->levels_mu += i < COLUMNS ? 1.0 / (m.sigma * m.sigma) : 0.0;
    }
    r->levels_mu = sqrt(r->levels_mu);
    if (run == 0)
        r->claim = audit_claim_of(nw_synth_event(synth), o.adjacency, DELTA);
    nw_synth_measurements_free(measured);
    nw_rng_free(rng);
    nw_synth_free(synth);
}

static int setup(void **state)
{
    nw_schema *schema = NULL;
    nw_ledger *ledger = NULL;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    (void)state;
    drawn = malloc(sizeof *drawn);
    lo.delta = DELTA;
    lo.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_schema_parse(&schema, "{\"a\": 2, \"b\": 2, \"c\": 2}", 0, NULL), NW_OK);
    for (int side = 0; side < 2; side++) {
        nw_table *table = make_table(schema, (size_t)(RECORDS + side));
        for (size_t run = 0; run < RUNS; run++) {
            if (run % 1000 == 0) { /* a fresh ledger now and then: its chain is not what is audited */
                nw_ledger_close(ledger);
                assert_int_equal(nw_ledger_unlimited(&ledger, &lo, NULL), NW_OK);
            }
            release_once(drawn, schema, table, ledger, side, run);
        }
        nw_table_free(table);
    }
    nw_ledger_close(ledger);
    nw_schema_free(schema);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(drawn);
    return 0;
}

typedef struct rounds_fault {
    double noise;          /* factor on all of it */
    bool is_levels_charge; /* claim what the levels cost only */
} rounds_fault;

typedef struct replay {
    double noise;
    size_t next[2];
} replay;

static void run_replay(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    replay *p = context;
    (void)rng;
    for (size_t i = 0; i < runs; i++) {
        const size_t run = p->next[side]++;
        assert_true(run < RUNS);
        out[i] = drawn->all[side][run] + (p->noise - 1.0) * drawn->noise[side][run];
    }
}

static audit_bound audit_releases(double noise)
{
    replay p = { .noise = noise };
    audit_opts opts = AUDIT_OPTS_INIT;
    opts.runs = RUNS / 9 * 8; /* an audit looks at an eighth more, to lay its cuts */
    opts.delta = DELTA;
    return audit(&(audit_mechanism){ run_replay, &p, 1 }, &opts);
}

/* (difference of means) / (standard deviation) of the statistic: for a Gaussian of fixed mu, mu. */
static double empirical_mu(double noise)
{
    double mean[2] = { 0.0, 0.0 };
    double variance = 0.0;
    for (int side = 0; side < 2; side++) {
        double squares = 0.0;
        for (size_t run = 0; run < RUNS; run++) {
            const double x = drawn->all[side][run] + (noise - 1.0) * drawn->noise[side][run];
            mean[side] += x / RUNS;
            squares += x * x / RUNS;
        }
        variance += 0.5 * (squares - mean[side] * mean[side]);
    }
    return (mean[1] - mean[0]) / sqrt(variance);
}

/* Five standard errors of the estimate, as in audit_synth.c. */
static double tolerance(void)
{
    return 5.0 * sqrt(2.0 / RUNS) * sqrt(1.0 + drawn->claim.mu * drawn->claim.mu / 8.0);
}

static bool estimate__exceeds_the_claim(const void *context, bool is_planted)
{
    const rounds_fault *fault = context;
    const double claimed = is_planted && fault->is_levels_charge ? drawn->levels_mu : drawn->claim.mu;
    return empirical_mu(is_planted ? fault->noise : 1.0) > claimed + tolerance();
}

static void release__stays_below_its_claim(void **state)
{
    (void)state;
    const audit_bound bound = audit_releases(1.0);
    const double mu = empirical_mu(1.0);
    print_message("# mu: lower bound %.3f, empirical %.3f, charged %.3f, of the levels %.3f, tolerance %.3f\n", bound.mu, mu,
        drawn->claim.mu, drawn->levels_mu, tolerance());
    assert_false(audit_refutes(&bound, &drawn->claim));
    assert_true(mu < drawn->claim.mu + tolerance());
    assert_true(mu > 0.9 * drawn->claim.mu - tolerance()); /* a tenth of the rounds' part is for their choices */
}

/* ---- a choice ---- */

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

/* The record moves the first 3-way's score up and the second's down: it fills a cell that the fitted table has full and one that
 * it has empty. The second is then moved: so far down that it is chosen rarely, and its probability changes by nearly e^epsilon;
 * or so that the sides lie on either side of a tie, as far from it. */
static void score_sides(choices *c, bool is_tie)
{
    static const int64_t fitted[2][2] = { { 4, 4 }, { 8, 0 } };
    int64_t lead = 0; /* of the second, over both sides */
    for (int side = 0; side < 2; side++) {
        for (size_t w = 0; w < 2; w++) {
            int64_t counts[2] = { 4 + side, 4 };
            const nw__marginal m = { 0, 1, 2, 1, 0.0, counts, 2, 1 };
            c->scores[side][w] = nw__round_score(&m, fitted[w], 1.0, 1.0);
        }
        lead += c->scores[side][1] - c->scores[side][0];
    }
    for (int side = 0; side < 2; side++)
        c->scores[side][1] -= is_tie ? lead / 2 : 12;
}

typedef struct choice_fault {
    double rate;    /* factor on the weights' rate */
    double epsilon; /* factor on what is claimed */
    double of_mu;   /* factor on the epsilon that mu is claimed for */
    bool is_tie;    /* neighbours on the two sides of a tie, which are worst in mu */
} choice_fault;

static bool choices__refute_their_claim(const void *context, bool is_planted)
{
    const bool is_tie = ((const choice_fault *)context)->is_tie;
    const choice_fault honest = { 1.0, 1.0, 1.0, is_tie };
    const choice_fault *f = is_planted ? context : &honest;
    const nw__plan plan = { .sensitivity = { 1.0, NW_ADD_REMOVE } };
    const nw__marginal triple = { 0, 1, 2, 1, 0.0, NULL, 2, 1 };
    choices c;
    nw_event *event = NULL;
    audit_opts opts = AUDIT_OPTS_INIT;
    opts.runs = CHOICES;
    opts.delta = 0.0;
    c.rate = (uint64_t)((double)nw__choice_rate(CHOICE_EPSILON, nw__score_sensitivity(&plan, &triple, 1)) * f->rate);
    score_sides(&c, is_tie);
    const audit_bound bound = audit(&(audit_mechanism){ run_choices, &c, 1 }, &opts);
    assert_int_equal(nw_event_selection(&event, NW_EVENT_EXPONENTIAL, CHOICE_EPSILON * f->epsilon, NW_ADD_REMOVE, NULL), NW_OK);
    audit_claim claim = audit_claim_of(event, NW_ADD_REMOVE, 0.0);
    claim.mu = nw_gdp_from_range(CHOICE_EPSILON * f->epsilon * f->of_mu);
    nw_event_free(event);
    assert_true(is_tie || bound.epsilon > 0.75 * CHOICE_EPSILON);
    assert_true(!is_tie || bound.mu > 0.95 * nw_gdp_from_range(CHOICE_EPSILON));
    return audit_refutes(&bound, &claim);
}

static void rounds__mutants_are_killed(void **state)
{
    (void)state;
    const mutant mutants[] = {
        { "noise of rounds x 0.7", "estimate", estimate__exceeds_the_claim, &(rounds_fault){ 0.7, false } },
        { "rounds not charged", "estimate", estimate__exceeds_the_claim, &(rounds_fault){ 1.0, true } },
        { "measured twice, charged once", "estimate", estimate__exceeds_the_claim, &(rounds_fault){ sqrt(0.5), false } },
        { "selection score with half the sensitivity", "audit", choices__refute_their_claim,
            &(choice_fault){ 2.0, 1.0, 1.0, false } },
        { "selection hardly charged", "audit", choices__refute_their_claim, &(choice_fault){ 1.0, 0.01, 1.0, false } },
        { "selection charged in mu for half its epsilon", "audit", choices__refute_their_claim,
            &(choice_fault){ 1.0, 1.0, 0.5, true } },
    };
    bool are_killed = true;
    for (size_t m = 0; m < sizeof mutants / sizeof *mutants; m++)
        are_killed = mutant_report(&mutants[m]) && are_killed;
    assert_true(are_killed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(release__stays_below_its_claim),
        cmocka_unit_test(rounds__mutants_are_killed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
