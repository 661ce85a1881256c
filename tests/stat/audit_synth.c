/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* audit_synth.c - an empirical check of what the synth room releases, its noisy counts, against what it charges.
 *
 * D' is D with one record more. The releases are Gaussian vectors, rounded, so the best test of D against D' is the likelihood
 * ratio, linear in the counts: S = sum over marginals of w_i (noisy count of the record's cell), w_i = 1 / (sigma_i^2 + 1/12)
 * with the variance of the rounding. Four tests:
 *   the audit: lower bounds of epsilon and mu from S and from each count, at most the charged ones. A run costs milliseconds, so
 *     there are few: the bound of mu comes out a sixth below;
 *   the estimate of mu, (difference of means) / (standard deviation) of S, standard error sqrt(2 / RUNS) sqrt(1 + mu^2 / 8):
 *     0.021 at RUNS = 6000 and mu = 1.5 (epsilon = 10), within 5 of them of sqrt(sum w_i) (the rounding is worth 1 %);
 *   each marginal's standard deviation, relative error 1 / sqrt(4 RUNS) = 0.0065, within 5 of them;
 *   the mean of a cell without records, within 5 standard errors of 0.
 * Each mutant has to fail the test that it is listed with: noise x 0.9 shows as mu = 1.7, one marginal's noise x 0.95 as its
 * deviation, what is left without noise in the audit. */
#include "accountant_internal.h"
#include "audit.h"
#include "mutants.h"

#include <math.h>
#include <noisewright.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

/* The last column is numeric, measured at two widths, and grouped for the 2-ways by what these said. */
enum { RUNS = 6000, COLUMNS = 4, LEVELS = 5, MARGINALS = LEVELS + 6 };
static const char SCHEMA[] = "{\"a\": 2, \"b\": 2, \"c\": 2,"
                             " \"e\": {\"type\": \"int\", \"lower\": 0, \"upper\": 49, \"nullable\": false}}";

typedef struct releases {
    double cell[2][RUNS][MARGINALS];  /* noisy count of the record's cell: under D, under D' */
    double empty[2][RUNS][MARGINALS]; /* of a cell that no record is in */
    double sigma[MARGINALS];
    audit_claim claim; /* of the charged event */
} releases;

static releases *drawn; /* by the group's setup; mutants change what is read of them */

static nw_table *make_table(const nw_schema *schema, size_t rows)
{
    nw_table *table = NULL;
    const uint16_t ones[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
    assert_int_equal(nw_table_new(&table, schema, rows, NULL), NW_OK);
    for (size_t j = 0; j < COLUMNS; j++)
        assert_int_equal(nw_table_set(table, j, 0, rows, ones, NULL), NW_OK);
    return table;
}

/* Every record is all ones, so whatever the groups of codes are, one cell holds them all. */
static size_t cell_of_record(const nw_synth_measurements *measured, const nw_synth_measurement *m)
{
    const size_t a = m->columns[0];
    const size_t b = m->columns[1];
    if (b == SIZE_MAX)
        return 1 / m->width;
    return (size_t)nw_synth_measurements_cell(measured, a, 1) * nw_synth_measurements_cells(measured, b) +
           nw_synth_measurements_cell(measured, b, 1);
}

static void release_once(releases *r, const nw_schema *schema, const nw_table *table, nw_ledger *ledger, int side, size_t run,
    const nw_synth_opts *opts)
{
    nw_synth *synth = NULL;
    nw_synth_measurements *measured = NULL;
    nw_rng *rng = NULL;
    assert_int_equal(nw_synth_new(&synth, schema, opts, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 2 * run + (size_t)side, NULL), NW_OK);
    assert_int_equal(nw_synth_add(synth, table, NULL), NW_OK);
    assert_int_equal(nw_synth_release(synth, rng, ledger, "audit", &measured, NULL, NULL), NW_OK);
    assert_int_equal(nw_synth_measurements_count(measured), MARGINALS);
    for (size_t i = 0; i < MARGINALS; i++) {
        const nw_synth_measurement m = nw_synth_measurements_get(measured, i);
        const int64_t *counts = nw_synth_measurements_counts(measured, i);
        const size_t cell = cell_of_record(measured, &m);
        r->cell[side][run][i] = (double)counts[cell];
        r->empty[side][run][i] = (double)counts[cell == 0 ? m.cells - 1 : 0];
        r->sigma[i] = m.sigma;
    }
    if (run == 0)
        r->claim = audit_claim_of(nw_synth_event(synth), opts->adjacency, opts->delta);
    nw_synth_measurements_free(measured);
    nw_rng_free(rng);
    nw_synth_free(synth);
}

static int setup_releases(void **state)
{
    releases *r = malloc(sizeof *r);
    nw_schema *schema = NULL;
    nw_ledger *ledger = NULL;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    lo.delta = 1e-9;
    lo.adjacency = NW_ADD_REMOVE;
    o.epsilon = 10.0;
    o.delta = 1e-9;
    o.adjacency = NW_ADD_REMOVE;
    o.threads = 1;
    assert_int_equal(nw_schema_parse(&schema, SCHEMA, 0, NULL), NW_OK);
    for (int side = 0; side < 2; side++) {
        nw_table *table = make_table(schema, (size_t)(4 + side));
        for (size_t run = 0; run < RUNS; run++) {
            if (run % 1000 == 0) { /* a fresh ledger now and then: its chain is not what is audited */
                nw_ledger_close(ledger);
                assert_int_equal(nw_ledger_unlimited(&ledger, &lo, NULL), NW_OK);
            }
            release_once(r, schema, table, ledger, side, run, &o);
        }
        nw_table_free(table);
    }
    nw_ledger_close(ledger);
    nw_schema_free(schema);
    (void)state;
    drawn = r;
    return 0;
}

static int teardown_releases(void **state)
{
    (void)state;
    free(drawn);
    return 0;
}

/* factor[i] != 1 plays a mutant: the noise of marginal i multiplied by it. The exact count of the cell is 4 under D and 5 under
 * D'. */
static double mutated(const releases *r, const double *factor, int side, size_t run, size_t i)
{
    const double exact = 4.0 + side;
    return exact + factor[i] * (r->cell[side][run][i] - exact);
}

static double rounded_variance(const releases *r, size_t i)
{
    return r->sigma[i] * r->sigma[i] + 1.0 / 12.0;
}

static double empirical_mu(const releases *r, const double *factor)
{
    double mean[2] = { 0.0, 0.0 };
    double variance = 0.0;
    for (int side = 0; side < 2; side++) {
        double squares = 0.0;
        for (size_t run = 0; run < RUNS; run++) {
            double s = 0.0;
            for (size_t i = 0; i < MARGINALS; i++)
                s += mutated(r, factor, side, run, i) / rounded_variance(r, i);
            mean[side] += s / RUNS;
            squares += s * s / RUNS;
        }
        variance += 0.5 * (squares - mean[side] * mean[side]);
    }
    return (mean[1] - mean[0]) / sqrt(variance);
}

/* Largest relative error of a marginal's standard deviation, in standard errors. */
static double worst_deviation(const releases *r, const double *factor)
{
    double worst = 0.0;
    for (size_t i = 0; i < MARGINALS; i++) {
        double squares = 0.0;
        for (int side = 0; side < 2; side++)
            for (size_t run = 0; run < RUNS; run++)
                squares += pow(mutated(r, factor, side, run, i) - 4.0 - side, 2.0) / (2.0 * RUNS);
        worst = fmax(worst, fabs(sqrt(squares / rounded_variance(r, i)) - 1.0) * sqrt(4.0 * RUNS));
    }
    return worst;
}

/* Largest mean of a cell that no record is in, in standard errors. */
static double worst_mean(const releases *r, bool is_clipped)
{
    double worst = 0.0;
    for (size_t i = 0; i < MARGINALS; i++) {
        double mean = 0.0;
        for (int side = 0; side < 2; side++)
            for (size_t run = 0; run < RUNS; run++)
                mean += (is_clipped ? fmax(0.0, r->empty[side][run][i]) : r->empty[side][run][i]) / (2.0 * RUNS);
        worst = fmax(worst, fabs(mean) / sqrt(rounded_variance(r, i) / (2.0 * RUNS)));
    }
    return worst;
}

static double expected_mu(const releases *r)
{
    double sum = 0.0;
    for (size_t i = 0; i < MARGINALS; i++)
        sum += 1.0 / rounded_variance(r, i);
    return sqrt(sum);
}

static double tolerance(const releases *r)
{
    return 5.0 * sqrt(2.0 / RUNS) * sqrt(1.0 + r->claim.mu * r->claim.mu / 8.0);
}

/* The drawn releases once more, as the mechanism of an audit. */
typedef struct replay {
    const double *factor;
    size_t next[2];
} replay;

static void run_replay(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    replay *p = context;
    (void)rng;
    for (size_t i = 0; i < runs; i++) {
        double *at = out + i * (MARGINALS + 1);
        const size_t run = p->next[side]++;
        assert_true(run < RUNS);
        at[MARGINALS] = 0.0;
        for (size_t m = 0; m < MARGINALS; m++) {
            at[m] = mutated(drawn, p->factor, side, run, m);
            at[MARGINALS] += at[m] / rounded_variance(drawn, m);
        }
    }
}

static audit_bound audit_releases(const double *factor)
{
    replay p = { .factor = factor };
    audit_opts opts = AUDIT_OPTS_INIT;
    opts.runs = RUNS / 9 * 8; /* an audit looks at an eighth more, to lay its cuts */
    opts.delta = drawn->claim.delta;
    return audit(&(audit_mechanism){ run_replay, &p, MARGINALS + 1 }, &opts);
}

static void release__has_the_charged_mu(void **state)
{
    (void)state;
    const releases *r = drawn;
    double honest[MARGINALS];
    for (size_t i = 0; i < MARGINALS; i++)
        honest[i] = 1.0;
    const double mu = empirical_mu(r, honest);
    const audit_bound bound = audit_releases(honest);
    print_message("# mu: empirical %.4f, expected %.4f, charged %.4f, tolerance %.4f; worst deviation %.2f standard errors\n", mu,
        expected_mu(r), r->claim.mu, tolerance(r), worst_deviation(r, honest));
    assert_true(expected_mu(r) <= r->claim.mu && expected_mu(r) > 0.97 * r->claim.mu);
    assert_true(fabs(mu - expected_mu(r)) < tolerance(r));
    assert_true(worst_deviation(r, honest) < 5.0);
    assert_true(worst_mean(r, false) < 5.0);
    assert_false(audit_refutes(&bound, &r->claim));
    assert_true(bound.mu > 0.75 * r->claim.mu);
}

typedef struct synth_fault {
    double all; /* factor of every marginal's noise, and of one of them */
    double one;
    size_t which;
} synth_fault;

static void factors_of(const synth_fault *fault, bool is_planted, double factor[MARGINALS])
{
    for (size_t i = 0; i < MARGINALS; i++)
        factor[i] = !is_planted ? 1.0 : i == fault->which ? fault->one : fault->all;
}

static bool audit__refutes(const void *context, bool is_planted)
{
    double factor[MARGINALS];
    factors_of(context, is_planted, factor);
    const audit_bound bound = audit_releases(factor);
    return audit_refutes(&bound, &drawn->claim);
}

static bool estimate__exceeds_the_claim(const void *context, bool is_planted)
{
    double factor[MARGINALS];
    factors_of(context, is_planted, factor);
    return empirical_mu(drawn, factor) > drawn->claim.mu + tolerance(drawn);
}

static bool deviation__is_off(const void *context, bool is_planted)
{
    double factor[MARGINALS];
    factors_of(context, is_planted, factor);
    return worst_deviation(drawn, factor) > 5.0;
}

/* What a claim of the 2-ways alone would be: the levels measured first, and free. */
static bool estimate__exceeds_the_pairs_claim(const void *context, bool is_planted)
{
    double honest[MARGINALS];
    double pairs = 0.0;
    (void)context;
    for (size_t i = 0; i < MARGINALS; i++) {
        honest[i] = 1.0;
        pairs += i < LEVELS ? 0.0 : 1.0 / (drawn->sigma[i] * drawn->sigma[i]);
    }
    const double claimed = is_planted ? sqrt(pairs) : drawn->claim.mu;
    return empirical_mu(drawn, honest) > claimed + tolerance(drawn);
}

static bool mean__is_off(const void *context, bool is_planted)
{
    (void)context;
    return worst_mean(drawn, is_planted) > 5.0;
}

static void release__mutants_are_killed(void **state)
{
    (void)state;
    const mutant mutants[] = {
        { "noise x 0.9", "estimate", estimate__exceeds_the_claim, &(synth_fault){ 0.9, 0.9, 0 } },
        { "sigma for sigma squared", "audit", audit__refutes, &(synth_fault){ 1.0 / 2.2, 1.0 / 2.2, 0 } },
        { "replace-one noise halved", "audit", audit__refutes, &(synth_fault){ 0.5, 0.5, 0 } },
        { "one 1-way x 0.95", "deviation", deviation__is_off, &(synth_fault){ 1.0, 0.95, 0 } },
        { "one 2-way x 0.95", "deviation", deviation__is_off, &(synth_fault){ 1.0, 0.95, LEVELS + 4 } },
        { "a 1-way without noise", "audit", audit__refutes, &(synth_fault){ 1.0, 0.0, 2 } },
        { "a 2-way without noise", "audit", audit__refutes, &(synth_fault){ 1.0, 0.0, LEVELS + 5 } },
        { "no noise at all but in one", "audit", audit__refutes, &(synth_fault){ 0.0, 1.0, LEVELS } },
        { "each of two parts noised", "audit", audit__refutes, &(synth_fault){ 0.7071, 0.7071, 0 } }, /* one has the record */
        { "first stage charged as nothing", "estimate", estimate__exceeds_the_pairs_claim, NULL },
        { "counts clipped to positive ones", "mean", mean__is_off, NULL },
    };
    bool are_killed = true;
    for (size_t m = 0; m < sizeof mutants / sizeof *mutants; m++)
        are_killed = mutant_report(&mutants[m]) && are_killed;
    assert_true(are_killed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(release__has_the_charged_mu),
        cmocka_unit_test(release__mutants_are_killed),
    };
    return cmocka_run_group_tests(tests, setup_releases, teardown_releases);
}
