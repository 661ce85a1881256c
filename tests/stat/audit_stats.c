/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* audit_stats.c - epsilon of counts, sums, means and quantiles bounded from below, by releases of neighbouring tables: with and
 * without one record at the worst place. 200,000 groups are as many independent releases of each table. The event that tells
 * them apart best is "every total is at least what the record adds"; its two probabilities get Clopper-Pearson bounds at 1 - 1e-6
 * together. Honest releases come out in [0.9 epsilon, epsilon]; each broken twin has to come out above the epsilon it claims. */
#include "stats_internal.h"

#include <noisewright.h>
#include <nw/testing.h>

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { GROUPS = 200000, CELLS = 8 };
static const double RISK = 0.5e-6; /* of each of the two bounds */

/* How a twin differs from an honest release. */
typedef struct twin {
    const char *name;
    nw_stats_kind kind;
    double epsilon; /* that the noise is for */
    double claimed;
    unsigned copies; /* of the record, where there should be one */
} twin;

static nw_stats *release(const twin *t, bool has_record, uint64_t seed)
{
    static uint32_t groups[GROUPS];
    static double values[GROUPS];
    nw_stats_query q = NW_STATS_QUERY_INIT;
    nw_stats_opts o = NW_STATS_OPTS_INIT;
    nw_ledger_opts l = NW_LEDGER_OPTS_INIT;
    nw_stats *stats = NULL;
    nw_ledger *ledger = NULL;
    nw_rng *rng = NULL;
    q.kind = t->kind;
    q.groups = GROUPS;
    q.upper = 10.0;
    q.cells = CELLS;
    q.rank = 1.0;
    o.epsilon = l.epsilon = t->epsilon;
    o.delta = l.delta = 0.0;
    o.adjacency = l.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_stats_new(&stats, &q, 1, &o, NULL), NW_OK);
    assert_int_equal(nw_ledger_memory(&ledger, &l, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    for (uint32_t g = 0; g < GROUPS; g++) {
        groups[g] = g;
        values[g] = 1e9; /* beyond the bounds: counts as 10 */
    }
    for (unsigned c = 0; has_record && c < t->copies; c++)
        assert_int_equal(nw_stats_add(stats, 0, groups, values, GROUPS, NULL), NW_OK);
    assert_int_equal(nw_stats_release(stats, rng, ledger, "audit", NULL, NULL), NW_OK);
    nw_ledger_close(ledger);
    nw_rng_free(rng);
    return stats;
}

/* Groups in which every total is at least what one record adds; of a quantile: where the record's own value was chosen. */
static size_t count_hits(const nw_stats *stats)
{
    const nw__query *q = &stats->queries[0];
    size_t hits = 0;
    for (size_t g = 0; g < GROUPS; g++) {
        bool is_hit = true;
        for (size_t k = 0; k < q->total_count; k++)
            is_hit = is_hit && (double)stats->totals[q->totals[k].first + g] >= q->totals[k].sensitivity.value;
        if (q->choice.cells > 0)
            is_hit = stats->totals[q->choice.first + g * q->choice.cells] == CELLS - 1;
        hits += is_hit;
    }
    return hits;
}

/* Clopper-Pearson by bisection: the p with P[Beta(a, b) <= p] = risk. */
static double beta_quantile(double a, double b, double risk)
{
    double low = 0.0;
    double high = 1.0;
    for (int i = 0; i < 60; i++) {
        const double middle = 0.5 * (low + high);
        if (gsl_cdf_beta_P(middle, a, b) < risk)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Certified from below: log of the least p1 over the largest p0. */
static double epsilon_of(const twin *t, uint64_t seed)
{
    nw_stats *without = release(t, false, seed);
    nw_stats *with = release(t, true, seed + 1);
    const double a = (double)count_hits(with);
    const double b = (double)count_hits(without);
    nw_stats_free(without);
    nw_stats_free(with);
    const double least = beta_quantile(a, GROUPS - a + 1.0, RISK);
    const double largest = beta_quantile(b + 1.0, GROUPS - b, 1.0 - RISK);
    return log(least / largest);
}

static void audit__honest_releases_are_at_most_epsilon(void **state)
{
    (void)state;
    const twin honest[] = { { "count", NW_STATS_COUNT, 1.0, 1.0, 1 }, { "sum", NW_STATS_SUM, 1.0, 1.0, 1 },
        { "mean", NW_STATS_MEAN, 1.0, 1.0, 1 } };
    for (size_t i = 0; i < sizeof honest / sizeof *honest; i++) {
        const double epsilon = epsilon_of(&honest[i], 10 * i + 1);
        print_message("# %s: at least %.4f of %.4f\n", honest[i].name, epsilon, honest[i].claimed);
        assert_true(epsilon <= honest[i].claimed && epsilon >= 0.9 * honest[i].claimed);
    }
    /* One value of eight, from a uniform law to weight 1 against e^(-epsilon / 2): 0.42 epsilon is all that is to be seen. */
    const twin choice = { "quantile", NW_STATS_QUANTILE, 1.0, 1.0, 1 };
    const double epsilon = epsilon_of(&choice, 91);
    print_message("# quantile: at least %.4f of 1\n", epsilon);
    assert_true(epsilon <= 0.5 && epsilon >= 0.35);
}

static void audit__broken_twins_are_caught(void **state)
{
    (void)state;
    const twin broken[] = { { "count, noise x 0.9", NW_STATS_COUNT, 1.0 / 0.9, 1.0, 1 },
        { "sum, noise x 0.9", NW_STATS_SUM, 1.0 / 0.9, 1.0, 1 }, { "mean, noise x 0.9", NW_STATS_MEAN, 1.0 / 0.9, 1.0, 1 },
        { "sum, half the sensitivity", NW_STATS_SUM, 2.0, 1.0, 1 }, { "count, a record twice", NW_STATS_COUNT, 1.0, 1.0, 2 },
        { "mean, the budget not divided between its totals", NW_STATS_MEAN, 2.0, 1.0, 1 } };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        const double epsilon = epsilon_of(&broken[i], 100 + 10 * i);
        print_message("# %s: at least %.4f, claimed %.4f\n", broken[i].name, epsilon, broken[i].claimed);
        assert_true(epsilon > broken[i].claimed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(audit__honest_releases_are_at_most_epsilon),
        cmocka_unit_test(audit__broken_twins_are_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
