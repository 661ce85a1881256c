/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* stat_ldp.c - how far estimates from real reports are off: the variance of every oracle against its formula, errors of held
 * items, means and the square wave. Fixed seeds. A mean square of N independent normal errors has a relative deviation of sqrt(2
 * / N); the bounds below are six of them or more. */
#include <noisewright.h>
#include <nw/testing.h>

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { REPORTS = 1000, MOST_DOMAIN = 1024 };

static nw_ldp_campaign make(nw_ldp_oracle oracle, double epsilon, uint64_t domain)
{
    nw_ldp_campaign c;
    nw_ldp_campaign_opts o = NW_LDP_CAMPAIGN_OPTS_INIT;
    o.oracle = oracle;
    o.epsilon = epsilon;
    o.domain = domain;
    assert_int_equal(nw_ldp_campaign_make(&c, &o, NULL), NW_OK);
    return c;
}

static nw_ldp_aggregate *collect(const nw_ldp_campaign *c, nw_rng *rng, const nw_ldp_item *items, size_t n)
{
    nw_ldp_aggregate *a = NULL;
    const size_t bytes = n * nw_ldp_report_size(c);
    uint8_t *reports = malloc(bytes);
    assert_non_null(reports);
    assert_int_equal(nw_ldp_aggregate_new(&a, c, NULL, NULL), NW_OK);
    assert_int_equal(nw_ldp_report_many(c, rng, NULL, items, n, -1, reports, bytes, NULL), NW_OK);
    assert_int_equal(nw_ldp_aggregate_add_batch(a, reports, bytes, NULL, NULL), NW_OK);
    free(reports);
    return a;
}

typedef struct errors {
    double absent;       /* mean square of the errors of items that nobody holds, a report */
    double standardised; /* mean square of the held items' errors over their standard errors */
    double bias;         /* mean error of held items, in its own standard deviations */
    double all;          /* mean square of all errors, a report */
} errors;

/* Items 0 .. 9 are held by a tenth of the users each, those above by nobody. */
static errors measure(const nw_ldp_campaign *c, size_t domain, size_t runs, uint64_t seed)
{
    static nw_ldp_item held[REPORTS];
    static nw_ldp_item items[MOST_DOMAIN];
    static double counts[MOST_DOMAIN];
    static double deviations[MOST_DOMAIN];
    errors e = { 0 };
    double sum = 0.0;
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    for (size_t i = 0; i < REPORTS; i++)
        held[i] = (nw_ldp_item){ 0, i % 10 };
    for (size_t i = 0; i < domain; i++)
        items[i] = (nw_ldp_item){ 0, i };
    for (size_t run = 0; run < runs; run++) {
        nw_ldp_aggregate *a = collect(c, rng, held, REPORTS);
        assert_int_equal(nw_ldp_aggregate_estimate(a, 0, items, domain, counts, deviations, NULL), NW_OK);
        for (size_t i = 0; i < domain; i++) {
            const double error = counts[i] - (i < 10 ? REPORTS / 10 : 0);
            e.all += error * error;
            if (i < 10) {
                const double deviation = nw_ldp_campaign_deviation(c, REPORTS, REPORTS / 10);
                e.standardised += error * error / (deviation * deviation);
                sum += error / deviation;
            } else {
                e.absent += error * error;
            }
        }
        nw_ldp_aggregate_free(a);
    }
    nw_rng_free(rng);
    e.absent /= (double)(runs * (domain - 10) * REPORTS);
    e.standardised /= (double)(runs * 10);
    e.all /= (double)(runs * domain * REPORTS);
    /* supports of items are correlated negatively or not at all, so the sum deviates by the root of its terms at most */
    e.bias = sum / sqrt((double)(runs * 10));
    return e;
}

static void variance__of_every_oracle_is_its_formula(void **state)
{
    (void)state;
    enum { DOMAIN = 128, RUNS = 160 };
    const double epsilons[] = { 0.5, 1.0, 4.0 };
    for (size_t k = 0; k < 3; k++)
        for (int oracle = NW_LDP_GRR; oracle <= NW_LDP_PROJECTIVE; oracle++) {
            const nw_ldp_campaign c = make((nw_ldp_oracle)oracle, epsilons[k], DOMAIN);
            const errors e = measure(&c, DOMAIN, RUNS, 100 * k + (unsigned)oracle);
            const double deviation = nw_ldp_campaign_deviation(&c, 1.0, 0.0);
            const double ratio = e.absent / (deviation * deviation);
            print_message("# %s, epsilon %g: variance %.4f of the formula, %.3f of held items, bias %.2f\n",
                nw_ldp_oracle_name(c.oracle), epsilons[k], ratio, e.standardised, e.bias);
            /* Hadamard's formula spreads the held items over all blocks evenly; 10 of them in up to 32 blocks are not */
            const double slack = oracle == NW_LDP_HADAMARD && c.symbols > 1 ? 0.12 : 0.05;
            assert_true(fabs(ratio - 1.0) < slack);
            assert_true(fabs(e.standardised - 1.0) < 6.0 * sqrt(2.0 / (RUNS * 10)) + slack);
            assert_true(fabs(e.bias) < 6.0);
        }
}

/* The same of RAPPOR's two answers, one after the other. */
static void variance__of_a_first_epsilon_is_its_formula(void **state)
{
    (void)state;
    enum { DOMAIN = 128, RUNS = 160 };
    nw_ldp_campaign c;
    nw_ldp_campaign_opts o = NW_LDP_CAMPAIGN_OPTS_INIT;
    o.oracle = NW_LDP_SUE;
    o.epsilon = 4.0;
    o.first_epsilon = 1.0;
    o.domain = DOMAIN;
    assert_int_equal(nw_ldp_campaign_make(&c, &o, NULL), NW_OK);
    const errors e = measure(&c, DOMAIN, RUNS, 77);
    const double root = exp(0.5); /* as of one report of epsilon 1: sqrt(e) / (sqrt(e) - 1)^2 */
    const double ratio = e.absent / (root / ((root - 1.0) * (root - 1.0)));
    print_message("# sue, epsilon 4, of one report 1: variance %.4f of the formula, bias %.2f\n", ratio, e.bias);
    assert_true(fabs(ratio - 1.0) < 0.05);
    assert_true(fabs(e.bias) < 6.0);
}

/* All sets with the user's item are equally likely, and all without it: 6 items, 20 sets of 3. */
static void subset__draws_sets_evenly(void **state)
{
    (void)state;
    enum { DOMAIN = 6, MANY = 400000, OWN = 4 };
    nw_ldp_campaign c;
    nw_ldp_campaign_opts o = NW_LDP_CAMPAIGN_OPTS_INIT;
    static nw_ldp_item items[MANY];
    static uint8_t reports[MANY][NW_LDP_SHORT_REPORT];
    double counts[1 << DOMAIN] = { 0.0 };
    nw_rng *rng = NULL;
    o.oracle = NW_LDP_SUBSET;
    o.epsilon = 1.0;
    o.domain = DOMAIN;
    o.symbols = 3;
    assert_int_equal(nw_ldp_campaign_make(&c, &o, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 21, NULL), NW_OK);
    for (size_t i = 0; i < MANY; i++)
        items[i].low = OWN;
    assert_int_equal(nw_ldp_report_many(&c, rng, NULL, items, MANY, -1, reports[0], sizeof reports, NULL), NW_OK);
    for (size_t i = 0; i < MANY; i++)
        counts[reports[i][NW_LDP_REPORT_HEADER] & 63]++;
    const double kept = nw_ldp_campaign_law(&c).own;
    double chi_square = 0.0;
    for (unsigned set = 0; set < 1u << DOMAIN; set++) {
        if (__builtin_popcount(set) != 3) {
            assert_true(counts[set] == 0.0);
            continue;
        }
        const double expected = MANY * ((set >> OWN & 1) != 0 ? kept : 1.0 - kept) / 10.0; /* of 10 sets either way */
        chi_square += (counts[set] - expected) * (counts[set] - expected) / expected;
    }
    print_message("# subset: chi-square %.1f of 19 degrees\n", chi_square);
    assert_true(gsl_cdf_chisq_Q(chi_square, 19.0) > 1e-9);
    nw_rng_free(rng);
}

/* The figure of the published optimum at d = 1024, epsilon = 1: 3.69 n, to 2 %. */
static void mean_square_error__of_local_hashing_is_the_optimum(void **state)
{
    (void)state;
    for (int oracle = NW_LDP_OLH; oracle <= NW_LDP_BLH; oracle++) {
        const nw_ldp_campaign c = make((nw_ldp_oracle)oracle, 1.0, 1024);
        const errors e = measure(&c, 1024, 200, 7);
        print_message("# %s: mean square error %.4f n\n", nw_ldp_oracle_name(c.oracle), e.all);
        assert_true(fabs(e.all - 3.69) < 0.02 * 3.69);
    }
}

/* With few seeds, items that are held share cells with an item in the same way for many users: n ||f||^2 / ((g - 1) K) on top. */
static void variance__of_few_seeds_has_its_second_term(void **state)
{
    (void)state;
    enum { RUNS = 300, MANY = 1000 };
    nw_ldp_campaign c;
    nw_ldp_campaign_opts o = NW_LDP_CAMPAIGN_OPTS_INIT;
    o.oracle = NW_LDP_OLH;
    o.epsilon = 1.0;
    o.domain = 1024;
    o.seed_bits = 8;
    assert_int_equal(nw_ldp_campaign_make(&c, &o, NULL), NW_OK);
    const errors e = measure(&c, 1024, RUNS, 5);
    const double deviation = nw_ldp_campaign_deviation(&c, 1.0, 0.0);
    const double expected = deviation * deviation + MANY * 0.1 / ((c.symbols - 1.0) * 256.0);
    print_message("# 256 seeds: %.4f n, expected %.4f n\n", e.absent, expected);
    assert_true(fabs(e.absent - expected) < 0.02 * expected);
}

static void mean__deviates_as_predicted(void **state)
{
    (void)state;
    enum { RUNS = 2000, FEW = 40 };
    static nw_ldp_item items[FEW];
    for (int oracle = NW_LDP_DUCHI; oracle <= NW_LDP_HYBRID; oracle++)
        for (double epsilon = 0.5; epsilon <= 4.0; epsilon *= 2.0) {
            const nw_ldp_campaign c = make((nw_ldp_oracle)oracle, epsilon, 0);
            /* each where it is worst: Duchi's in the middle, the others at an end */
            const double truth = oracle == NW_LDP_DUCHI ? 0.5 : 1.0;
            double square = 0.0;
            double sum = 0.0;
            nw_rng *rng = NULL;
            assert_int_equal(nw_rng_new_insecure_seeded(&rng, (uint64_t)oracle, NULL), NW_OK);
            for (size_t i = 0; i < FEW; i++)
                items[i] = nw_ldp_number(truth, 0.0, 1.0);
            for (int run = 0; run < RUNS; run++) {
                double mean = 0.0;
                nw_ldp_aggregate *a = collect(&c, rng, items, FEW);
                assert_int_equal(nw_ldp_aggregate_mean(a, 0.0, 1.0, &mean, NULL, NULL), NW_OK);
                square += (mean - truth) * (mean - truth);
                sum += mean - truth;
                nw_ldp_aggregate_free(a);
            }
            const double deviation = nw_ldp_campaign_deviation(&c, FEW, 0.0);
            const double ratio = square / RUNS / (deviation * deviation);
            print_message("# %s, epsilon %g: variance %.3f of the bound\n", nw_ldp_oracle_name(c.oracle), epsilon, ratio);
            assert_true(fabs(sum / RUNS) < 6.0 * deviation / sqrt(RUNS));
            assert_true(ratio < 1.19 && ratio > (oracle == NW_LDP_HYBRID ? 0.3 : 0.81)); /* 6 sqrt(2 / RUNS) */
            nw_rng_free(rng);
        }
}

/* The area between the distribution functions, in units of the bounds' distance, from 50000 reports: the measure of [LWLJ20]. The
 * truth has an edge of infinite density. Cells are fine where the result is smoothed, as each step moves a quarter of a cell. */
static void histogram__is_near(void **state)
{
    (void)state;
    enum { MANY = 50000, MOST_CELLS = 1024 };
    static double truth[MOST_CELLS];
    static double found[MOST_CELLS];
    nw_rng *rng = NULL;
    nw_ldp_item *items = calloc(MANY, sizeof *items);
    assert_non_null(items);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 12, NULL), NW_OK);
    for (int is_smoothed = 0; is_smoothed < 2; is_smoothed++) {
        const size_t cells = is_smoothed != 0 ? MOST_CELLS : 64;
        const nw_ldp_campaign c = make(NW_LDP_SQUARE_WAVE, 1.0, cells);
        memset(truth, 0, sizeof truth);
        for (size_t i = 0; i < MANY; i++) {
            const double x = (double)i / MANY;
            const double value = 0.2 + 0.5 * x * x;
            items[i] = nw_ldp_number(value, 0.0, 1.0);
            truth[(size_t)(value * (double)cells)] += 1.0 / MANY;
        }
        nw_ldp_aggregate *a = collect(&c, rng, items, MANY);
        assert_int_equal(nw_ldp_aggregate_histogram(a, is_smoothed != 0, found, NULL), NW_OK);
        double area = 0.0;
        double gap = 0.0;
        for (size_t i = 0; i < cells; i++) {
            gap += found[i] - truth[i];
            area += fabs(gap) / (double)cells;
        }
        print_message("# square wave, %s: area %.4f\n", is_smoothed != 0 ? "smoothed" : "not smoothed", area);
        assert_true(area < 0.015);
        nw_ldp_aggregate_free(a);
    }
    free(items);
    nw_rng_free(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variance__of_every_oracle_is_its_formula),
        cmocka_unit_test(variance__of_a_first_epsilon_is_its_formula),
        cmocka_unit_test(subset__draws_sets_evenly),
        cmocka_unit_test(mean_square_error__of_local_hashing_is_the_optimum),
        cmocka_unit_test(variance__of_few_seeds_has_its_second_term),
        cmocka_unit_test(mean__deviates_as_predicted),
        cmocka_unit_test(histogram__is_near),
    };
    return cmocka_run_group_tests_name("stat_ldp", tests, NULL, NULL);
}
