/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_shrink.c - noisy counts of many cells under the prior that they say themselves. */
#include "synth_internal.h"

#include <nw/testing.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { CELLS = 300 };

/* Counts of a true law with Gaussian noise by Box and Muller. */
static void add_noise(const double *truth, double sd, uint64_t seed, double *x)
{
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    assert_int_equal(nw__rng_begin(rng, NULL), NW_OK);
    for (size_t i = 0; i < CELLS; i++) {
        const double u = ((double)nw__rng_u32(rng) + 0.5) * 0x1p-32;
        const double v = (double)nw__rng_u32(rng) * 0x1p-32;
        x[i] = truth[i] + sd * sqrt(-2.0 * log(u)) * cos(2.0 * acos(-1.0) * v);
    }
    nw_rng_free(rng);
}

static double total_of(const double *x)
{
    double sum = 0.0;
    for (size_t i = 0; i < CELLS; i++)
        sum += x[i];
    return sum;
}

static double variation(const double *x, const double *truth)
{
    double sum = 0.0;
    for (size_t i = 0; i < CELLS; i++)
        sum += 0.5 * fabs(x[i] - truth[i]);
    return sum / total_of(truth);
}

/* The nearest point with nonnegative parts of the same sum, by bisection: what a law without a prior is. */
static void project(const double *x, double total, double *out)
{
    double low = -1e9;
    double high = 1e9;
    for (int step = 0; step < 200; step++) {
        const double shift = 0.5 * (low + high);
        double sum = 0.0;
        for (size_t i = 0; i < CELLS; i++)
            sum += out[i] = fmax(0.0, x[i] - shift);
        *(sum > total ? &low : &high) = shift;
    }
}

/* Truths of three kinds: all alike, most empty, and falling by a power. sd: of the noise. */
static void make_truth(int kind, double *truth)
{
    for (size_t i = 0; i < CELLS; i++)
        truth[i] = kind == 0 ? 50.0 : kind == 1 ? (i < 12 ? 1200.0 : 2.0) : 4000.0 / (double)(i + 1);
}

static void shrink__is_a_law_nearer_to_the_truth(void **state)
{
    /* measured: .16, .80 and .68 of the projection's distance */
    static const double most[] = { 0.3, 0.9, 0.9 };
    double truth[CELLS];
    double x[CELLS];
    double plain[CELLS];
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        double distance[2] = { 0.0, 0.0 };
        make_truth(kind, truth);
        const double total = total_of(truth);
        for (uint64_t seed = 0; seed < 10; seed++) {
            add_noise(truth, 60.0, seed, x);
            project(x, total, plain);
            distance[0] += variation(plain, truth) / 10.0;
            assert_int_equal(nw__shrink(x, CELLS, 60.0, total, NULL), NW_OK);
            distance[1] += variation(x, truth) / 10.0;
            assert_true(fabs(total_of(x) / total - 1.0) < 1e-9);
            for (size_t i = 0; i < CELLS; i++)
                assert_true(x[i] > 0.0);
        }
        print_message("# kind %d: projection %.4f, shrunk %.4f\n", kind, distance[0], distance[1]);
        assert_true(distance[1] < most[kind] * distance[0]);
    }
}

static void shrink__keeps_counts_without_noise(void **state)
{
    double truth[CELLS];
    double x[CELLS];
    (void)state;
    make_truth(2, truth);
    memcpy(x, truth, sizeof x);
    assert_int_equal(nw__shrink(x, CELLS, 1e-3, total_of(truth), NULL), NW_OK);
    assert_true(variation(x, truth) < 1e-6);
}

static void shrink__is_monotone(void **state)
{
    double x[CELLS];
    (void)state;
    for (size_t i = 0; i < CELLS; i++)
        x[i] = -800.0 + 8.0 * (double)i;
    assert_int_equal(nw__shrink(x, CELLS, 60.0, 1000.0, NULL), NW_OK);
    for (size_t i = 1; i < CELLS; i++)
        assert_true(x[i] >= x[i - 1]);
}

static void shrink__takes_extremes(void **state)
{
    static const double totals[] = { 1.0, 1e6 };
    static const double offsets[] = { -1e9, 0.0, 1e9 };
    double x[CELLS];
    (void)state;
    for (size_t t = 0; t < 2; t++) {
        for (size_t o = 0; o < 3; o++) {
            for (size_t i = 0; i < CELLS; i++)
                x[i] = offsets[o] + (double)(i % 7);
            assert_int_equal(nw__shrink(x, CELLS, 3.0, totals[t], NULL), NW_OK);
            assert_true(fabs(total_of(x) / totals[t] - 1.0) < 1e-4);
        }
    }
    double one = -5.0;
    assert_int_equal(nw__shrink(&one, 1, 3.0, 40.0, NULL), NW_OK);
    assert_true(fabs(one - 40.0) < 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shrink__is_a_law_nearer_to_the_truth),
        cmocka_unit_test(shrink__keeps_counts_without_noise),
        cmocka_unit_test(shrink__is_monotone),
        cmocka_unit_test(shrink__takes_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
