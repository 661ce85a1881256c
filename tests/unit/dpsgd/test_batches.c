/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_batches.c - the laws of the batches of each kind by counting whole outcomes on few records (chi-squared, threshold 1e-9:
 * with 20000 draws a probability that is off by a tenth of itself is found). */
#include "batches_support.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>

enum { DRAWS = 20000, MOST_OUTCOMES = 1024 };
static const double THRESHOLD = 1e-9;

/* What is counted: the batch as a word, the first index first. */
static size_t word(const uint32_t *indices, size_t n, size_t base)
{
    size_t w = 0;
    for (size_t i = 0; i < n; i++)
        w = w * base + indices[i];
    return w;
}

/* All outcomes that occur with the same probability: as many as `kinds`, and none of them too often. */
static void assert_uniform(const size_t *counts, size_t outcomes, size_t kinds)
{
    double total = 0.0;
    double x = 0.0;
    size_t seen = 0;
    for (size_t i = 0; i < outcomes; i++) {
        total += (double)counts[i];
        seen += counts[i] > 0;
    }
    assert_int_equal(seen, kinds);
    for (size_t i = 0; i < outcomes; i++)
        x += counts[i] == 0 ? 0.0 : pow((double)counts[i] - total / (double)kinds, 2.0) * (double)kinds / total;
    assert_true(gsl_cdf_chisq_Q(x, (double)(kinds - 1)) > THRESHOLD);
}

/* ---- laws ---- */

/* Sets of 5 records by their probability q^k (1 - q)^(5 - k): that is inclusion, independence and size at once. */
static void batches_next__poisson_is_independent_coins(void **state)
{
    (void)state;
    enum { RECORDS = 5, SETS = 32 };
    const double q = 0.3;
    size_t counts[SETS] = { 0 };
    nw_rng *rng = seeded(1);
    nw_batches *b = poisson(RECORDS, q, NW_ADD_REMOVE);
    double x = 0.0;
    for (size_t t = 0; t < DRAWS; t++) {
        const uint32_t *at;
        const size_t n = draw(b, rng, &at);
        size_t set = 0;
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(set >> at[i] & 1, 0);
            set |= (size_t)1 << at[i];
        }
        counts[set]++;
    }
    for (size_t set = 0; set < SETS; set++) {
        const int k = __builtin_popcountl(set);
        const double expected = DRAWS * pow(q, k) * pow(1.0 - q, RECORDS - k);
        x += pow((double)counts[set] - expected, 2.0) / expected;
    }
    assert_true(gsl_cdf_chisq_Q(x, SETS - 1) > THRESHOLD);
    nw_batches_free(b);
    nw_rng_free(rng);
}

/* A larger table: sizes by the binomial law, in classes of at least 20 expected draws. */
static void batches_next__poisson_sizes_are_binomial(void **state)
{
    (void)state;
    enum { RECORDS = 3000, MOST = 100 };
    const double q = 0.01;
    size_t counts[MOST] = { 0 };
    nw_rng *rng = seeded(2);
    nw_batches *b = poisson(RECORDS, q, NW_ADD_REMOVE);
    double x = 0.0;
    double expected = 0.0;
    double seen = 0.0;
    int classes = 0;
    for (size_t t = 0; t < DRAWS; t++) {
        const uint32_t *at;
        const size_t n = draw(b, rng, &at);
        assert_true(n < MOST);
        counts[n]++;
    }
    for (unsigned k = 0; k < MOST; k++) {
        expected += DRAWS * gsl_ran_binomial_pdf(k, q, RECORDS);
        seen += (double)counts[k];
        if (expected < 20.0)
            continue;
        x += pow(seen - expected, 2.0) / expected;
        expected = seen = 0.0;
        classes++;
    }
    assert_true(gsl_cdf_chisq_Q(x, classes - 1) > THRESHOLD);
    nw_batches_free(b);
    nw_rng_free(rng);
}

static void batches_next__poisson_order_is_uniform(void **state)
{
    (void)state;
    size_t counts[MOST_OUTCOMES] = { 0 };
    nw_rng *rng = seeded(3);
    nw_batches *b = poisson(5, 0.6, NW_ADD_REMOVE);
    for (size_t t = 0; t < DRAWS; t++) {
        const uint32_t *at;
        if (draw(b, rng, &at) == 3)
            counts[word(at, 3, 5)]++;
    }
    assert_uniform(counts, MOST_OUTCOMES, 5 * 4 * 3);
    nw_batches_free(b);
    nw_rng_free(rng);
}

static void batches_next__full_holds_all_in_uniform_order(void **state)
{
    (void)state;
    size_t counts[MOST_OUTCOMES] = { 0 };
    nw_rng *rng = seeded(4);
    nw_batches *b = NULL;
    assert_int_equal(nw_batches_full(&b, 4, NW_ADD_REMOVE, NULL), NW_OK);
    for (size_t t = 0; t < DRAWS; t++) {
        const uint32_t *at;
        assert_int_equal(draw(b, rng, &at), 4);
        counts[word(at, 4, 4)]++;
    }
    assert_uniform(counts, MOST_OUTCOMES, 24);
    assert_true(nw_batches_expected_size(b) == 4.0);
    nw_batches_free(b);
    nw_rng_free(rng);
}

static void batches_next__fixed_size_is_a_uniform_set_in_uniform_order(void **state)
{
    (void)state;
    size_t counts[MOST_OUTCOMES] = { 0 };
    size_t repeated = 0;
    size_t last = 0;
    nw_rng *rng = seeded(5);
    nw_batches *b = NULL;
    assert_int_equal(nw_batches_fixed_size(&b, 5, 2, NULL), NW_OK);
    for (size_t t = 0; t < DRAWS; t++) {
        const uint32_t *at;
        assert_int_equal(draw(b, rng, &at), 2);
        counts[word(at, 2, 5)]++;
        repeated += word(at, 2, 5) == last;
        last = word(at, 2, 5);
    }
    assert_uniform(counts, MOST_OUTCOMES, 20);
    /* the order that is kept between steps does not tie them: equal neighbours are one in twenty, 6.2 standard deviations */
    assert_true(fabs((double)repeated - DRAWS / 20.0) < 6.2 * sqrt(DRAWS * 0.05 * 0.95));
    nw_batches_free(b);
    nw_rng_free(rng);
}

static void batches_next__shuffled_is_a_uniform_order_in_each_epoch(void **state)
{
    (void)state;
    size_t counts[MOST_OUTCOMES] = { 0 };
    nw_rng *rng = seeded(6);
    nw_batches *b = shuffled(5, 2);
    for (size_t t = 0; t < DRAWS / 4; t++) {
        uint32_t order[5];
        const uint32_t *at;
        size_t filled = 0;
        for (size_t k = 0; k < 3; k++) {
            const size_t n = draw(b, rng, &at);
            assert_int_equal(n, k < 2 ? 2 : 1); /* the last of an epoch is what is left */
            memcpy(order + filled, at, n * sizeof *at);
            filled += n;
        }
        counts[word(order, 4, 5)]++; /* the fifth follows from the four */
    }
    assert_uniform(counts, MOST_OUTCOMES, 120);
    nw_batches_free(b);
    nw_rng_free(rng);
}

/* Two cycles of new batches each time: the same three sets, and the sets are those of independent dice. */
static void batches_next__cyclic_comes_round_and_is_independent(void **state)
{
    (void)state;
    enum { RECORDS = 4, CYCLE = 3 };
    size_t counts[MOST_OUTCOMES] = { 0 };
    nw_rng *rng = seeded(7);
    for (size_t t = 0; t < DRAWS / 4; t++) {
        uint32_t bin[2][RECORDS];
        nw_batches *b = cyclic(RECORDS, CYCLE);
        for (uint32_t s = 0; s < 2 * CYCLE; s++) {
            const uint32_t *at;
            for (size_t n = draw(b, rng, &at); n > 0; n--)
                bin[s / CYCLE][at[n - 1]] = s % CYCLE;
        }
        assert_memory_equal(bin[0], bin[1], sizeof bin[0]);
        counts[word(bin[0], RECORDS, CYCLE)]++;
        nw_batches_free(b);
    }
    assert_uniform(counts, MOST_OUTCOMES, 81);
    nw_rng_free(rng);
}

static void batches_next__cyclic_takes_each_record_once_a_cycle(void **state)
{
    (void)state;
    enum { RECORDS = 1000, CYCLE = 7 };
    size_t taken[RECORDS] = { 0 };
    nw_rng *rng = seeded(8);
    nw_batches *b = cyclic(RECORDS, CYCLE);
    for (size_t s = 0; s < 3 * CYCLE; s++) {
        const uint32_t *at;
        for (size_t n = draw(b, rng, &at); n > 0; n--)
            taken[at[n - 1]]++;
    }
    for (size_t i = 0; i < RECORDS; i++)
        assert_int_equal(taken[i], 3);
    assert_true(nw_batches_expected_size(b) == (double)RECORDS / CYCLE);
    nw_batches_free(b);
    nw_rng_free(rng);
}

static void batches_next__an_empty_batch_is_a_step(void **state)
{
    (void)state;
    const uint32_t *at;
    uint8_t kept[NW_BATCHES_STATE_SIZE];
    nw_rng *rng = seeded(9);
    nw_batches *rare = poisson(10, 1e-12, NW_ADD_REMOVE);
    nw_batches *none = poisson(0, 0.5, NW_ADD_REMOVE);
    nw_batches *bins = cyclic(0, 3);
    assert_int_equal(draw(rare, rng, &at), 0);
    assert_int_equal(draw(rare, rng, &at), 0);
    assert_int_equal(nw_batches_get_state(rare, rng, kept, NULL), NW_OK);
    assert_int_equal(kept[8], 2); /* steps, not batches that held something */
    assert_int_equal(draw(none, rng, &at), 0);
    assert_int_equal(draw(bins, rng, &at), 0);
    nw_batches_free(rare);
    nw_batches_free(none);
    nw_batches_free(bins);
    nw_rng_free(rng);
}

static void batches_next__a_rate_of_one_takes_all(void **state)
{
    (void)state;
    const uint32_t *at;
    nw_rng *rng = seeded(10);
    nw_batches *b = poisson(1000, 1.0, NW_ADD_REMOVE);
    assert_int_equal(draw(b, rng, &at), 1000);
    assert_true(nw_batches_expected_size(b) == 1000.0);
    nw_batches_free(b);
    nw_rng_free(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_next__poisson_is_independent_coins),
        cmocka_unit_test(batches_next__poisson_sizes_are_binomial),
        cmocka_unit_test(batches_next__poisson_order_is_uniform),
        cmocka_unit_test(batches_next__full_holds_all_in_uniform_order),
        cmocka_unit_test(batches_next__fixed_size_is_a_uniform_set_in_uniform_order),
        cmocka_unit_test(batches_next__shuffled_is_a_uniform_order_in_each_epoch),
        cmocka_unit_test(batches_next__cyclic_comes_round_and_is_independent),
        cmocka_unit_test(batches_next__cyclic_takes_each_record_once_a_cycle),
        cmocka_unit_test(batches_next__an_empty_batch_is_a_step),
        cmocka_unit_test(batches_next__a_rate_of_one_takes_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
