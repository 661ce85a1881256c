/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* stat_stats.c - the noise of released figures: its law by variance and mean, against the charged event; the errors printed
 * beside means and variances against the spread that they have. Many groups of the same records are as many independent releases.
 *
 * With n = 200,000 groups the relative standard error of a variance is sqrt((kurtosis - 1) / n): 0.5 % for Laplace, 0.32 % for
 * Gaussian noise. Five of them are 2.5 %; noise x 0.9 changes it by 19 %, x 0.98 by 4 %, Delta / 2 by 75 %. */
#include "stats_internal.h"

#include <noisewright.h>
#include <nw/testing.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { GROUPS = 200000 };
static const double STANDARD_ERRORS = 5.0;

typedef struct run {
    nw_stats *stats;
    double mean[NW__STATS_TOTALS];
    double variance[NW__STATS_TOTALS];
} run;

/* Releases one query without any records: its totals are the noise. */
static run release(nw_stats_kind kind, double delta, nw_adjacency adjacency, uint64_t seed)
{
    nw_stats_query q = NW_STATS_QUERY_INIT;
    nw_stats_opts o = NW_STATS_OPTS_INIT;
    nw_ledger_opts l = NW_LEDGER_OPTS_INIT;
    nw_ledger *ledger = NULL;
    nw_rng *rng = NULL;
    run r = { 0 };
    q.kind = kind;
    q.groups = GROUPS;
    q.lower = -1.0;
    q.upper = 3.0;
    o.epsilon = l.epsilon = 1.0;
    o.delta = l.delta = delta;
    o.adjacency = l.adjacency = adjacency;
    assert_int_equal(nw_stats_new(&r.stats, &q, 1, &o, NULL), NW_OK);
    assert_int_equal(nw_ledger_memory(&ledger, &l, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    assert_int_equal(nw_stats_release(r.stats, rng, ledger, "noise", NULL, NULL), NW_OK);
    for (size_t k = 0; k < r.stats->queries[0].total_count; k++) {
        const int64_t *z = r.stats->totals + r.stats->queries[0].totals[k].first;
        for (size_t g = 0; g < GROUPS; g++) {
            r.mean[k] += (double)z[g] / GROUPS;
            r.variance[k] += (double)z[g] * (double)z[g] / GROUPS;
        }
    }
    nw_rng_free(rng);
    nw_ledger_close(ledger);
    return r;
}

/* Standard errors between the variance seen and the one that a budget asks for: 2 (D / epsilon)^2, or (D / mu)^2, with D in grid
 * steps. Written down again from the definition; the grid makes the discreteness of both laws negligible but for counts, where it
 * is exact. */
static double deviation(double seen, double distance, double part, double delta)
{
    const double b = distance / part;
    const double p = exp(-1.0 / b);
    const double wanted = delta == 0.0 ? 2.0 * p / ((1.0 - p) * (1.0 - p)) : b * b + 1.0 / 12.0;
    const double kurtosis = delta == 0.0 ? 6.5 : 3.0;
    return (seen - wanted) / (wanted * sqrt((kurtosis - 1.0) / GROUPS));
}

static void check_law(nw_stats_kind kind, double delta, nw_adjacency adjacency, uint64_t seed)
{
    run r = release(kind, delta, adjacency, seed);
    const nw__query *q = &r.stats->queries[0];
    const double budget = delta == 0.0 ? 1.0 : nw_gdp_mu(1.0, delta * (1.0 - 0x1p-10));
    const double part = delta == 0.0 ? budget / (double)q->total_count : budget / sqrt((double)q->total_count);
    /* one record of values in [-1, 3]: a count of 1; a sum of at most 3; y in [-2, 2]; y^2 - 2 in [-2, 2] */
    const double contribution[] = { kind == NW_STATS_SUM ? 3.0 : 1.0, 2.0, 2.0 };
    for (size_t k = 0; k < q->total_count; k++) {
        const double step = ldexp(1.0, q->totals[k].grid.exponent);
        const double one = floor(contribution[k] / step);
        const bool is_signed = k > 0;
        double distance = one;
        if (adjacency == NW_REPLACE_ONE)
            distance = delta == 0.0           ? 2.0 * one
                       : is_signed            ? 2.0 * one
                       : kind == NW_STATS_SUM ? 3.0 * sqrt(2.0) / step
                                              : sqrt(2.0);
        if (kind == NW_STATS_SUM && adjacency == NW_REPLACE_ONE && delta > 0.0)
            distance = fmax(distance, 4.0 / step);
        const double honest = deviation(r.variance[k], distance, part, delta);
        print_message("# %s, total %zu, delta %g, %s: %.2f standard errors\n", nw_stats_kind_name(kind), k, delta,
            nw_adjacency_name(adjacency), honest);
        assert_true(fabs(honest) < STANDARD_ERRORS);
        assert_true(fabs(r.mean[k]) < STANDARD_ERRORS * sqrt(r.variance[k] / GROUPS));
        /* broken twins: the same noise, scaled */
        assert_true(fabs(deviation(0.81 * r.variance[k], distance, part, delta)) > STANDARD_ERRORS);
        assert_true(fabs(deviation(0.98 * 0.98 * r.variance[k], distance, part, delta)) > STANDARD_ERRORS);
        assert_true(fabs(deviation(0.25 * r.variance[k], distance, part, delta)) > STANDARD_ERRORS);
    }
    nw_stats_free(r.stats);
}

static void release__noise_has_the_charged_law(void **state)
{
    (void)state;
    const nw_adjacency adjacencies[] = { NW_ADD_REMOVE, NW_REPLACE_ONE };
    uint64_t seed = 1;
    for (nw_stats_kind kind = NW_STATS_COUNT; kind <= NW_STATS_VARIANCE; kind++)
        for (size_t a = 0; a < 2; a++) {
            check_law(kind, 0.0, adjacencies[a], seed++);
            check_law(kind, 1e-9, adjacencies[a], seed++);
        }
}

/* Groups of the same 400 records: the spread of their figures is the error that is printed beside them. */
static void check_errors(nw_stats_kind kind, double delta, uint64_t seed)
{
    enum { PARTS = 4000, RECORDS = 400 };
    nw_stats_query q = NW_STATS_QUERY_INIT;
    nw_stats_opts o = NW_STATS_OPTS_INIT;
    nw_ledger_opts l = NW_LEDGER_OPTS_INIT;
    nw_ledger *ledger = NULL;
    nw_stats *stats = NULL;
    nw_rng *rng = NULL;
    static uint32_t groups[PARTS];
    static double values[PARTS];
    double sum = 0.0, squares = 0.0, printed = 0.0, half_widths = 0.0;
    size_t off = 0;
    q.kind = kind;
    q.groups = PARTS;
    q.lower = 0.0;
    q.upper = 10.0;
    o.epsilon = l.epsilon = 2.0;
    o.delta = l.delta = delta;
    o.adjacency = l.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_stats_new(&stats, &q, 1, &o, NULL), NW_OK);
    assert_int_equal(nw_ledger_memory(&ledger, &l, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    for (uint32_t g = 0; g < PARTS; g++)
        groups[g] = g;
    for (size_t i = 0; i < RECORDS; i++) {
        for (size_t g = 0; g < PARTS; g++)
            values[g] = i % 4 == 0 ? 9.0 : 6.0; /* mean 6.75, variance 1.6875 */
        assert_int_equal(nw_stats_add(stats, 0, groups, values, PARTS, NULL), NW_OK);
    }
    assert_int_equal(nw_stats_release(stats, rng, ledger, "errors", NULL, NULL), NW_OK);
    const double truth = kind == NW_STATS_MEAN ? 6.75 : 1.6875;
    for (size_t g = 0; g < PARTS; g++) {
        nw_stats_figure f;
        assert_int_equal(nw_stats_get(stats, 0, g, &f, NULL), NW_OK);
        sum += (f.value - truth) / PARTS;
        squares += (f.value - truth) * (f.value - truth) / PARTS;
        printed += f.standard_error * f.standard_error / PARTS;
        half_widths += f.error / PARTS;
        off += !(fabs(f.value - truth) <= f.error);
    }
    const double ratio = sqrt(squares / printed);
    print_message("# %s, delta %g: bias %.4f, spread %.5f, printed %.5f\n", nw_stats_kind_name(kind), delta, sum, sqrt(squares),
        sqrt(printed));
    assert_true(fabs(ratio - 1.0) < 0.1); /* 5 standard errors are 0.09 for Laplace noise, and first order leaves 0.01 */
    assert_true(fabs(sum) < STANDARD_ERRORS * sqrt(squares / PARTS) + 0.02 * sqrt(squares));
    assert_true(off == 0); /* all are within their errors but with probability 0.001, of this seed once and for all */
    assert_true(nw_stats_expected_error(stats, 0, RECORDS) > half_widths); /* that one is for the worst mean */
    nw_stats_free(stats);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
}

static void figure__errors_are_the_spread_of_the_figures(void **state)
{
    (void)state;
    check_errors(NW_STATS_MEAN, 0.0, 101);
    check_errors(NW_STATS_MEAN, 1e-9, 102);
    check_errors(NW_STATS_VARIANCE, 0.0, 103);
    check_errors(NW_STATS_VARIANCE, 1e-9, 104);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(release__noise_has_the_charged_law),
        cmocka_unit_test(figure__errors_are_the_spread_of_the_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
