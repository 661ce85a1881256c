/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* stat_noise.c - the slot table against every law of tests/vectors/sampler.json, and against the CKS20 oracle. Broken twins that
 * the same statistics have to reject: stat_mutants.c. argv[1]: draws per law, default 1e7. Fixed insecure seeds. */
#include "cks20.h"
#include "laws.h"
#include "vectors.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static size_t draws = 10000000;
static json_t *vectors;
static int64_t *sample;

static nw_rng *seeded(uint64_t seed)
{
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    assert_int_equal(nw__rng_begin(rng, NULL), NW_OK);
    return rng;
}

static void draw_law(const law *l, uint64_t seed, int64_t *out, size_t n)
{
    nw_noise *noise = NULL;
    nw_rng *rng = seeded(seed);
    assert_int_equal(nw_noise_new(&noise, l->kind, l->scale, NULL), NW_OK);
    assert_int_equal(nw_noise_fill(noise, rng, out, n, NULL), NW_OK);
    nw_noise_free(noise);
    nw_rng_free(rng);
}

static void check_laws(nw_noise_law kind, size_t expected)
{
    law l;
    size_t count = 0;
    for (; law_get(vectors, kind, count, &l); count++) {
        draw_law(&l, 100 * (uint64_t)kind + count, sample, draws);
        const double departure = law_departure(&l, sample, draws);
        print_message("# %s: %.2f standard errors\n", l.name, departure);
        assert_true(departure < LAW_LIMIT);
    }
    assert_int_equal(count, expected);
}

static void noise_fill__has_every_rounded_gaussian_law(void **state)
{
    (void)state;
    check_laws(NW_NOISE_ROUNDED_GAUSSIAN, 7);
}

static void noise_fill__has_every_discrete_gaussian_law(void **state)
{
    (void)state;
    check_laws(NW_NOISE_DISCRETE_GAUSSIAN, 11);
}

static void noise_fill__has_every_discrete_laplace_law(void **state)
{
    (void)state;
    check_laws(NW_NOISE_DISCRETE_LAPLACE, 10);
}

/* Position must not tell the sub-law: the first and the last hundredth of many batches have the law of the whole. */
static void noise_fill__has_the_law_at_both_ends_of_a_batch(void **state)
{
    (void)state;
    enum { BATCH = 4096, END = 41 };
    law l;
    for (int k = 0; k < 2; k++) {
        const nw_noise_law kind = k == 0 ? NW_NOISE_ROUNDED_GAUSSIAN : NW_NOISE_DISCRETE_LAPLACE;
        const size_t entry = k == 0 ? 4 : 7; /* scale 1000: 4 and 6 % of the draws take the slow path */
        nw_noise *noise = NULL;
        nw_rng *rng = seeded(77);
        int64_t batch[BATCH];
        const size_t rounds = draws / 10 / END;
        assert_true(law_get(vectors, kind, entry, &l) && l.scale == 1000.0);
        assert_int_equal(nw_noise_new(&noise, kind, l.scale, NULL), NW_OK);
        for (size_t r = 0; r < rounds; r++) {
            assert_int_equal(nw_noise_fill(noise, rng, batch, BATCH, NULL), NW_OK);
            memcpy(sample + r * END, batch, END * sizeof *batch);
            memcpy(sample + (rounds + r) * END, batch + BATCH - END, END * sizeof *batch);
        }
        for (int end = 0; end < 2; end++) {
            const double departure = law_departure(&l, sample + (size_t)end * rounds * END, rounds * END);
            print_message("# %s, %s of a batch: %.2f standard errors\n", l.name, end == 0 ? "start" : "end", departure);
            assert_true(departure < LAW_LIMIT);
        }
        nw_noise_free(noise);
        nw_rng_free(rng);
    }
}

/* Two samples in the same bins: chi-square of homogeneity over the vectors' cuts. */
static void check_against_oracle(nw_noise_law kind, size_t entry, uint64_t a, uint64_t b)
{
    enum { ORACLE = 500000 };
    law l;
    assert_true(law_get(vectors, kind, entry, &l));
    nw_rng *rng = seeded(5);
    for (size_t i = 0; i < ORACLE; i++)
        sample[i] = kind == NW_NOISE_DISCRETE_LAPLACE ? nw__cks20_laplace(rng, a, b) : nw__cks20_gaussian(rng, a, b);
    const double oracle = law_departure(&l, sample, ORACLE);
    const json_t *cuts = json_object_get(json_object_get(l.entry, "chi2_bins"), "cuts");
    const size_t bins = json_array_size(cuts) + 1;
    double *counts = calloc(2 * bins, sizeof *counts);
    draw_law(&l, 9, sample + ORACLE, ORACLE);
    for (size_t i = 0; i < 2 * ORACLE; i++) {
        size_t bin = 0;
        while (bin + 1 < bins && vector_number(json_array_get(cuts, bin)) <= (double)sample[i])
            bin++;
        counts[(i < ORACLE ? 0 : bins) + bin] += 1.0;
    }
    double sum = 0.0;
    for (size_t bin = 0; bin < bins; bin++)
        sum += pow(counts[bin] - counts[bins + bin], 2.0) / fmax(1.0, counts[bin] + counts[bins + bin]);
    const double p = gsl_cdf_chisq_Q(sum, (double)bins - 1.0);
    print_message("# %s: oracle %.2f standard errors, slot table against oracle p = %.2g\n", l.name, oracle, p);
    assert_true(oracle < LAW_LIMIT);
    assert_true(p > 1e-9);
    free(counts);
    nw_rng_free(rng);
}

static void noise_fill__agrees_with_the_cks20_oracle(void **state)
{
    (void)state;
    check_against_oracle(NW_NOISE_DISCRETE_GAUSSIAN, 0, 1, 16);      /* sigma = 1/4 */
    check_against_oracle(NW_NOISE_DISCRETE_GAUSSIAN, 3, 9, 4);       /* 3/2 */
    check_against_oracle(NW_NOISE_DISCRETE_GAUSSIAN, 6, 100, 1);     /* 10 */
    check_against_oracle(NW_NOISE_DISCRETE_GAUSSIAN, 8, 1000000, 1); /* 1000 */
    check_against_oracle(NW_NOISE_DISCRETE_LAPLACE, 1, 1, 2);        /* b = 1/2 */
    check_against_oracle(NW_NOISE_DISCRETE_LAPLACE, 4, 7, 2);        /* 7/2 */
    check_against_oracle(NW_NOISE_DISCRETE_LAPLACE, 7, 1000, 1);     /* 1000 */
}

static void rng_bernoulli_exp__has_every_probability_of_the_vectors(void **state)
{
    (void)state;
    const json_t *list = json_object_get(vectors, "bernoulli_exp");
    nw_rng *rng = seeded(6);
    const size_t n = 1000000;
    assert_int_equal(json_array_size(list), 10);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        const double p = vector_number(json_array_get(row, 2));
        double heads = 0.0;
        for (size_t k = 0; k < n; k++) {
            bool head = false;
            assert_int_equal(nw_rng_bernoulli_exp(rng, (uint64_t)vector_number(json_array_get(row, 0)),
                                 (uint64_t)vector_number(json_array_get(row, 1)), &head, NULL),
                NW_OK);
            heads += head;
        }
        const double error = sqrt((double)n * p * (1.0 - p)) + 1e-9;
        if ((double)n * p < 30.0)
            assert_true(heads <= 30.0 + 6.0 * sqrt((double)n * p + 1.0));
        else
            assert_true(fabs(heads - (double)n * p) <= LAW_LIMIT * error);
    }
    nw_rng_free(rng);
}

/* Gaps are geometric: P(gap >= k) = (1 - q)^k at several k, and the records taken are a q-th of all. */
static void rng_poisson_gap__is_geometric(void **state)
{
    (void)state;
    const double rates[] = { 0.9, 0.5, 0.1, 0.01, 1e-6, 1e-12 };
    const size_t n = 400000;
    nw_rng *rng = seeded(8);
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
        const double q = rates[r];
        double beyond[6] = { 0.0 };
        double sum = 0.0;
        for (size_t i = 0; i < n; i++) {
            uint64_t gap = 0;
            assert_int_equal(nw_rng_poisson_gap(rng, q, &gap, NULL), NW_OK);
            sum += (double)gap;
            for (int k = 0; k < 6; k++)
                beyond[k] += (double)gap >= floor(0.3 * (1 << k) / q);
        }
        for (int k = 0; k < 6; k++) {
            const double p = exp(floor(0.3 * (1 << k) / q) * log1p(-q));
            assert_true(fabs(beyond[k] - (double)n * p) <= LAW_LIMIT * sqrt((double)n * p * (1.0 - p)) + 10.0);
        }
        assert_true(fabs(sum / (double)n * q / (1.0 - q) - 1.0) < LAW_LIMIT / sqrt((double)n * (1.0 - q)));
    }
    nw_rng_free(rng);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_fill__has_every_rounded_gaussian_law),
        cmocka_unit_test(noise_fill__has_every_discrete_gaussian_law),
        cmocka_unit_test(noise_fill__has_every_discrete_laplace_law),
        cmocka_unit_test(noise_fill__has_the_law_at_both_ends_of_a_batch),
        cmocka_unit_test(noise_fill__agrees_with_the_cks20_oracle),
        cmocka_unit_test(rng_bernoulli_exp__has_every_probability_of_the_vectors),
        cmocka_unit_test(rng_poisson_gap__is_geometric),
    };
    if (argc > 1)
        draws = (size_t)strtoull(argv[1], NULL, 10);
    vectors = load_vectors("sampler.json");
    sample = malloc(draws * sizeof *sample);
    if (sample == NULL || draws < 1000000)
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(sample);
    json_decref(vectors);
    return failed;
}
