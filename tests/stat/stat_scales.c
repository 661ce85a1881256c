/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* stat_scales.c - the laws at the largest scales, where a word has no bit to spare, against the closed forms of the continuous
 * laws: over a cell those move by 2^-52. Moments 2 and 4, 256 bins of equal mass, tails on either side, and each byte of the
 * values below 2^48, for an integer that went through a double loses its last. argv[1]: draws per law and scale, default 2e6:
 * then a scale that is off by 0.6 % or a byte's value that is 15 % too frequent is seen. Fixed insecure seeds. */
#include "noise_internal.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { BINS = 256, BYTES = 6, FAR_BYTES = 3 };

static const double ALPHA = 1e-9; /* a statistic; about 25 of them for each of 9 samples */
static size_t draws = 2000000;
static int64_t *sample;

static bool is_laplace(nw_noise_law law)
{
    return law == NW_NOISE_DISCRETE_LAPLACE;
}

/* P[Y <= y] of the law of scale 1. */
static double cdf(nw_noise_law law, double y)
{
    return is_laplace(law) ? (y < 0.0 ? 0.5 * exp(y) : 1.0 - 0.5 * exp(-y)) : 0.5 * erfc(-y * sqrt(0.5));
}

static double p_of_deviation(double standard_errors)
{
    return 2.0 * gsl_cdf_ugaussian_Q(fabs(standard_errors));
}

static double p_of_equal_bins(const double counts[BINS])
{
    double n = 0.0;
    double sum = 0.0;
    for (int i = 0; i < BINS; i++)
        n += counts[i];
    for (int i = 0; i < BINS; i++)
        sum += (counts[i] - n / BINS) * (counts[i] - n / BINS) / (n / BINS);
    return gsl_cdf_chisq_Q(sum, BINS - 1.0);
}

/* Of the second and the fourth power and of the mean. A Gaussian's even moments to the eighth are 1, 3, 15, 105, Laplace's
 * (2k)!. */
static double p_of_moments(nw_noise_law law, double scale, const int64_t *x, size_t n)
{
    const double m2 = is_laplace(law) ? 2.0 : 1.0;
    const double m4 = is_laplace(law) ? 24.0 : 3.0;
    const double m8 = is_laplace(law) ? 40320.0 : 105.0;
    double sums[3] = { 0.0 };
    for (size_t i = 0; i < n; i++) {
        const double y = (double)x[i] / scale;
        sums[0] += y;
        sums[1] += y * y;
        sums[2] += y * y * y * y;
    }
    const double root = sqrt((double)n);
    const double mean = p_of_deviation(sums[0] / root / sqrt(m2));
    const double second = p_of_deviation((sums[1] / (double)n - m2) * root / sqrt(m4 - m2 * m2));
    const double fourth = p_of_deviation((sums[2] / (double)n - m4) * root / sqrt(m8 - m4 * m4));
    return fmin(mean, fmin(second, fourth));
}

static double p_of_bins(nw_noise_law law, double scale, const int64_t *x, size_t n)
{
    double counts[BINS] = { 0.0 };
    for (size_t i = 0; i < n; i++)
        counts[(int)fmin(BINS - 1.0, BINS * cdf(law, (double)x[i] / scale))] += 1.0;
    return p_of_equal_bins(counts);
}

/* Beyond 2, 3, ... scales on one side, as long as 100 values are expected there. */
static double p_of_tails(nw_noise_law law, double scale, const int64_t *x, size_t n)
{
    double least = 1.0;
    for (double k = 2.0; (double)n * cdf(law, -k) > 100.0; k += 1.0) {
        const double p = cdf(law, -k);
        double above = 0.0;
        double below = 0.0;
        for (size_t i = 0; i < n; i++) {
            above += (double)x[i] > k * scale;
            below += (double)x[i] < -k * scale;
        }
        const double expected = (double)n * p;
        const double error = sqrt(expected * (1.0 - p));
        least = fmin(least, fmin(p_of_deviation((above - expected) / error), p_of_deviation((below - expected) / error)));
    }
    return least;
}

/* Bytes 0 .. `bytes` - 1 of the values beyond `from` scales. At 2^48 and less a byte goes round 16 times in a scale, and on a law
 * that moves so slowly its values are equally frequent to 1e-4, a tenth of what is seen; the lowest three are everywhere. */
static double p_of_bytes(double from, int bytes, const int64_t *x, size_t n)
{
    double least = 1.0;
    for (int byte = 0; byte < bytes; byte++) {
        double counts[BINS] = { 0.0 };
        for (size_t i = 0; i < n; i++)
            counts[((uint64_t)x[i] >> (8 * byte)) % BINS] += fabs((double)x[i]) >= from;
        least = fmin(least, p_of_equal_bins(counts));
    }
    return least;
}

/* The least p-value of all. Beyond 3.5 scales no slot is fast, so every value has been through the long way. */
static double least_p(nw_noise_law law, double scale, const int64_t *x, size_t n)
{
    const double line = fmin(p_of_moments(law, scale, x, n), fmin(p_of_bins(law, scale, x, n), p_of_tails(law, scale, x, n)));
    return fmin(line, fmin(p_of_bytes(0.0, BYTES, x, n), p_of_bytes((is_laplace(law) ? 6.0 : 3.5) * scale, FAR_BYTES, x, n)));
}

static void draw(nw_noise_law law, double scale, uint64_t seed, int64_t *out, size_t n)
{
    nw_noise *noise = NULL;
    nw_rng *rng = NULL;
    assert_int_equal(nw_noise_new(&noise, law, scale, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    assert_int_equal(nw_noise_fill(noise, rng, out, n, NULL), NW_OK);
    nw_noise_free(noise);
    nw_rng_free(rng);
}

static void noise_fill__has_its_law_at_the_largest_scales(void **state)
{
    (void)state;
    static const double scales[] = { 0x1p52, 0x1.5555555555555p53, 0x1p54 };
    for (nw_noise_law law = NW_NOISE_ROUNDED_GAUSSIAN; law <= NW_NOISE_DISCRETE_LAPLACE; law++) {
        for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
            draw(law, scales[i], 10 * (uint64_t)law + i, sample, draws);
            const double p = least_p(law, scales[i], sample, draws);
            print_message("# law %d, scale %a: least p-value %.2g\n", (int)law, scales[i], p);
            assert_true(p > ALPHA);
        }
    }
}

/* What a slip at these scales would look like. */
static int64_t through_a_double(int64_t x)
{
    return (int64_t)(double)x;
}

static int64_t one_percent_less(int64_t x)
{
    return x - x / 100;
}

static int64_t without_a_tail(int64_t x)
{
    const int64_t end = INT64_C(7) << 53; /* 3.5 scales */
    return x > end ? end : x < -end ? -end : x;
}

static int64_t with_a_bit_stuck(int64_t x)
{
    return x & ~(INT64_C(1) << 47);
}

static void least_p__rejects_broken_twins(void **state)
{
    (void)state;
    int64_t (*const twins[])(int64_t) = { through_a_double, one_percent_less, without_a_tail, with_a_bit_stuck };
    for (nw_noise_law law = NW_NOISE_ROUNDED_GAUSSIAN; law <= NW_NOISE_DISCRETE_LAPLACE; law++) {
        for (size_t t = 0; t < sizeof twins / sizeof *twins; t++) {
            draw(law, 0x1p54, 100 + t, sample, draws);
            for (size_t i = 0; i < draws; i++)
                sample[i] = twins[t](sample[i]);
            assert_true(least_p(law, 0x1p54, sample, draws) < ALPHA);
        }
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_fill__has_its_law_at_the_largest_scales),
        cmocka_unit_test(least_p__rejects_broken_twins),
    };
    if (argc > 1)
        draws = (size_t)strtoull(argv[1], NULL, 10);
    sample = calloc(draws, sizeof *sample);
    if (sample == NULL || draws < 2000000)
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(sample);
    return failed;
}
