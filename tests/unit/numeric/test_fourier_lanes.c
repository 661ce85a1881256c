/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_fourier_lanes.c - transforms of any length against their definition in double precision. */
#include "fourier_lanes.h"

#include <complex.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { MOST = 60, OUTER = 2, INNER = 3, SIZE = OUTER * MOST * INNER };

static const double two_pi = 6.28318530717958647693;

static float numbers(uint64_t *state)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return (float)((double)(*state >> 11) * 0x1p-52 - 1.0);
}

static void fill(float *re, float *im, uint64_t seed)
{
    for (size_t i = 0; i < SIZE; i++) {
        re[i] = numbers(&seed);
        im[i] = numbers(&seed);
    }
}

/* Rounding of a transform of n numbers of size at most sqrt(2): each of at most 6 stages of radix at most 59 rounds sums of 2 r
 * products, so 6 (2 r + 3) 2^-24 n sqrt(2) is far above what comes of it. */
static double allowed(size_t n)
{
    return 6.0 * (2.0 * (double)n + 3.0) * 0x1p-24 * (double)n * 1.42;
}

static void run__is_the_transform_by_its_definition(void **state)
{
    static float re[SIZE], im[SIZE], got_re[SIZE], got_im[SIZE], scratch_re[SIZE], scratch_im[SIZE];
    (void)state;
    for (size_t n = 1; n <= MOST; n++) {
        nw__fourier f;
        assert_true(nw__fourier_prepare(&f, n));
        fill(re, im, n);
        memcpy(got_re, re, sizeof re);
        memcpy(got_im, im, sizeof im);
        nw__fourier_run(&f, OUTER, INNER, got_re, got_im, scratch_re, scratch_im);
        for (size_t i = 0; i < OUTER * n * INNER; i++) {
            const size_t k = i / INNER % n;
            double complex sum = 0.0;
            for (size_t j = 0; j < n; j++) {
                const size_t at = (i / INNER / n * n + j) * INNER + i % INNER;
                sum += ((double)re[at] + I * (double)im[at]) * cexp(-two_pi * I * (double)(j * k) / (double)n);
            }
            assert_true(cabs(sum - ((double)got_re[i] + I * (double)got_im[i])) <= allowed(n));
        }
        nw__fourier_free(&f);
    }
}

static void run__with_parts_exchanged_is_the_inverse(void **state)
{
    static float re[SIZE], im[SIZE], got_re[SIZE], got_im[SIZE], scratch_re[SIZE], scratch_im[SIZE];
    (void)state;
    for (size_t n = 1; n <= MOST; n++) {
        nw__fourier f;
        assert_true(nw__fourier_prepare(&f, n));
        fill(re, im, 100 + n);
        memcpy(got_re, re, sizeof re);
        memcpy(got_im, im, sizeof im);
        nw__fourier_run(&f, OUTER, INNER, got_re, got_im, scratch_re, scratch_im);
        nw__fourier_run(&f, OUTER, INNER, got_im, got_re, scratch_im, scratch_re);
        for (size_t i = 0; i < OUTER * n * INNER; i++) {
            assert_true(fabs((double)got_re[i] / (double)n - (double)re[i]) <= 2.0 * allowed(n));
            assert_true(fabs((double)got_im[i] / (double)n - (double)im[i]) <= 2.0 * allowed(n));
        }
        nw__fourier_free(&f);
    }
}

/* A signal is transformed to the same bits whatever is beside it. */
static void run__signals_do_not_mix(void **state)
{
    static float re[SIZE], im[SIZE], alone_re[MOST], alone_im[MOST], scratch_re[SIZE], scratch_im[SIZE];
    const size_t n = 36;
    nw__fourier f;
    (void)state;
    assert_true(nw__fourier_prepare(&f, n));
    fill(re, im, 7);
    for (size_t j = 0; j < n; j++) {
        alone_re[j] = re[(n + j) * INNER + 1];
        alone_im[j] = im[(n + j) * INNER + 1];
    }
    re[0] = NAN; /* of another signal */
    nw__fourier_run(&f, OUTER, INNER, re, im, scratch_re, scratch_im);
    nw__fourier_run(&f, 1, 1, alone_re, alone_im, scratch_re, scratch_im);
    for (size_t j = 0; j < n; j++) {
        assert_true(alone_re[j] == re[(n + j) * INNER + 1]);
        assert_true(alone_im[j] == im[(n + j) * INNER + 1]);
    }
    nw__fourier_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run__is_the_transform_by_its_definition),
        cmocka_unit_test(run__with_parts_exchanged_is_the_inverse),
        cmocka_unit_test(run__signals_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
