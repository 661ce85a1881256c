/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_hitters_draws.c - what simulations draw: binomial laws against GSL's, by chi-square; populations that add up. */
#include "population.h"

#include <nw/testing.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { DRAWS = 200000, CELLS = 20 };

static nw_rng *seeded(uint64_t seed)
{
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    return rng;
}

/* Ends of cells of about equal probability: the first k at which the distribution function reaches each CELLS-th. */
static size_t cut(unsigned n, double p, unsigned ends[CELLS], double share[CELLS])
{
    size_t cells = 0;
    double before = 0.0;
    for (unsigned k = 0; k <= n && cells < CELLS; k++) {
        const double upto = gsl_cdf_binomial_P(k, p, n);
        if (upto >= (double)(cells + 1) / CELLS || k == n) {
            ends[cells] = k;
            share[cells++] = upto - before;
            before = upto;
        }
    }
    ends[cells - 1] = n;
    share[cells - 1] += 1.0 - before;
    return cells;
}

static void check_law(unsigned n, double p, bool has_table)
{
    unsigned ends[CELLS];
    double share[CELLS];
    double seen[CELLS] = { 0 };
    double chi_square = 0.0;
    words w;
    nw_rng *rng = seeded(n + (has_table ? 1 : 0));
    binomial_law *law = has_table ? binomial_law_new(n, p) : NULL;
    const size_t cells = cut(n, p, ends, share);
    words_open(&w, rng);
    for (size_t i = 0; i < DRAWS; i++) {
        const uint64_t k = has_table ? binomial_law_draw(law, &w) : binomial_draw(&w, n, p);
        size_t c = 0;
        assert_true(k <= n);
        while (k > ends[c])
            c++;
        seen[c]++;
    }
    for (size_t c = 0; c < cells; c++)
        if (share[c] > 0.0)
            chi_square += (seen[c] - DRAWS * share[c]) * (seen[c] - DRAWS * share[c]) / (DRAWS * share[c]);
    if (cells > 1 && gsl_cdf_chisq_Q(chi_square, (double)(cells - 1)) < 1e-9)
        fail_msg("Bin(%u, %g): chi-square %g of %zu cells", n, p, chi_square, cells);
    assert_int_equal(w.status, NW_OK);
    binomial_law_free(law);
    nw_rng_free(rng);
}

/* A probability that is off by a hundredth shows: 200,000 draws put the mean of Bin(1000, .25) within .1 of 250. */
static void draws__follow_the_law(void **state)
{
    (void)state;
    static const struct {
        unsigned n;
        double p;
    } cases[] = { { 1, 0.3 }, { 7, 0.5 }, { 40, 0.1 }, { 40, 0.9 }, { 1000, 0.25 }, { 1000, 0.75 }, { 333333, 0.125 },
        { 333333, 0.00001 }, { 333333, 0.0001 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_law(cases[i].n, cases[i].p, false);
        check_law(cases[i].n, cases[i].p, true);
    }
}

static void draws__at_the_ends_are_certain(void **state)
{
    (void)state;
    words w;
    nw_rng *rng = seeded(1);
    words_open(&w, rng);
    for (int p = 0; p < 2; p++) {
        binomial_law *law = binomial_law_new(50, p);
        for (int i = 0; i < 100; i++) {
            assert_int_equal(binomial_draw(&w, 50, p), 50 * p);
            assert_int_equal(binomial_law_draw(law, &w), 50 * p);
        }
        assert_int_equal(binomial_draw(&w, 0, 0.5), 0);
        binomial_law_free(law);
    }
    nw_rng_free(rng);
}

static void population__adds_up(void **state)
{
    (void)state;
    const zipf z = { 100000, 16, 4, 3, 1.0 }; /* as many items as there are codes */
    nw_rng *rng = seeded(2);
    population p;
    uint64_t sum = 0;
    double weight = 0.0;
    assert_int_equal(population_generate(&p, &z, rng), 0);
    assert_int_equal(p.users, 100000);
    assert_int_equal(p.items, 16);
    assert_int_equal(p.party_count, 3);
    for (size_t i = 0; i < p.n; i++) {
        sum += p.holdings[i].users;
        assert_true(i == 0 || p.holdings[i - 1].party < p.holdings[i].party ||
                    item_compare(p.holdings[i - 1].item, p.holdings[i].item) < 0);
    }
    assert_int_equal(sum, 100000);
    for (size_t i = 1; i <= 16; i++)
        weight += 1.0 / (double)i;
    const double expected = 100000.0 / weight;
    assert_true(fabs((double)p.totals[0].users - expected) < 6.0 * sqrt(expected)); /* 1e-9 */
    for (size_t i = 1; i < p.items; i++)
        assert_true(p.totals[i - 1].users >= p.totals[i].users);
    assert_int_equal(population_count(&p, p.totals[3].item), p.totals[3].users);
    assert_int_equal(population_first(&p, 3), p.n);
    population_free(&p);
    nw_rng_free(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws__follow_the_law),
        cmocka_unit_test(draws__at_the_ends_are_certain),
        cmocka_unit_test(population__adds_up),
    };
    return cmocka_run_group_tests_name("hitters_draws", tests, NULL, NULL);
}
