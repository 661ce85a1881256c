/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_fft.c - the transforms against the sums that define them, in long double, and the error that fft.h claims for them. */
#include "fft.h"
#include "random_event.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

/* Up to here every frequency is summed, beyond it this many of them. */
enum { WHOLE = 512, SAMPLED = 24, LONGEST = 1 << 16, SHAPES = 9 };
static const long double PI = 3.14159265358979323846264338327950288L;

static long double *circle; /* cos and sin of -2 pi k / LONGEST */

static int make_circle(void **state)
{
    (void)state;
    circle = malloc(2 * LONGEST * sizeof *circle);
    for (long k = 0; k < LONGEST; k++) {
        circle[2 * k] = cosl(2 * PI * (long double)k / LONGEST);
        circle[2 * k + 1] = -sinl(2 * PI * (long double)k / LONGEST);
    }
    return 0;
}

static int free_circle(void **state)
{
    (void)state;
    free(circle);
    return 0;
}

static void fill(double *x, size_t n, int shape, random_bits *r)
{
    for (size_t j = 0; j < n; j++) {
        const double t = ((double)j - 0.4 * (double)n) / (0.05 * (double)n);
        switch (shape) {
        case 0: x[j] = 2.0 * random_unit(r) - 1.0; break;
        case 1: x[j] = j == 1; break;
        case 2: x[j] = j == n - 1 ? 1e30 : 0.0; break;
        case 3: x[j] = j % 2 == 0 ? 1.0 : -1.0; break;
        case 4: x[j] = 1.0; break;
        case 5: x[j] = exp(-0.5 * t * t); break;
        case 6: x[j] = pow(0.9, (double)j); break;
        case 7: x[j] = random_below(r, 2) == 0 ? 1.0 : -1.0; break;
        default: x[j] = j == n / 3 ? 1.0 : 1e-17 * random_unit(r); break; /* what must not drown in an error bound */
        }
    }
}

static size_t reversed(size_t p, size_t m)
{
    size_t k = 0;
    for (size_t bit = 1; bit < m; bit *= 2)
        k = 2 * k + ((p & bit) != 0);
    return k;
}

/* The exact coefficient of frequency k. */
static void coefficient(const double *x, size_t n, size_t k, long double out[2])
{
    out[0] = out[1] = 0;
    for (size_t j = 0; j < n; j++) {
        const size_t at = (j * k % n) * (LONGEST / n);
        out[0] += x[j] * circle[2 * at];
        out[1] += x[j] * circle[2 * at + 1];
    }
}

static void pack(const double *x, double *re, double *im, size_t n)
{
    for (size_t j = 0; j < n / 2; j++) {
        re[j] = x[2 * j];
        im[j] = x[2 * j + 1];
    }
}

static long double sum_of_moduli(const double *x, size_t n)
{
    long double sum = 0;
    for (size_t j = 0; j < n; j++)
        sum += fabsl((long double)x[j]);
    return sum;
}

/* The coefficient that entry p of the spectrum holds; p = n/2 stands for the frequency n/2. */
static void entry(const double *re, const double *im, size_t n, size_t p, size_t *k, double out[2])
{
    const bool is_real = p == 0 || p == n / 2;
    *k = p == n / 2 ? n / 2 : reversed(p, n / 2);
    out[0] = p == n / 2 ? im[0] : re[p];
    out[1] = is_real ? 0.0 : im[p];
}

static void fft_forward__stays_within_its_error(void **state)
{
    (void)state;
    nw__fft plan = { 0 };
    random_bits r = { 1 };
    double *x = malloc(LONGEST * sizeof *x);
    double *re = malloc(LONGEST / 2 * sizeof *re);
    double *im = malloc(LONGEST / 2 * sizeof *im);
    double worst = 0.0;
    for (size_t n = 16; n <= LONGEST; n *= 2) {
        assert_int_equal(nw__fft_prepare(&plan, n, "test", NULL), NW_OK);
        for (int shape = 0; shape < SHAPES; shape++) {
            fill(x, n, shape, &r);
            pack(x, re, im, n);
            nw__fft_forward(&plan, re, im, n);
            const double bound = nw__fft_error(n) * (double)sum_of_moduli(x, n);
            const size_t looks = n <= WHOLE ? n / 2 + 1 : SAMPLED;
            for (size_t i = 0; i < looks; i++) {
                const size_t p = n <= WHOLE ? i : i < 4 ? i : i == 4 ? n / 2 : random_below(&r, n / 2);
                size_t k = 0;
                double ours[2];
                long double exact[2];
                entry(re, im, n, p, &k, ours);
                coefficient(x, n, k, exact);
                const double error = (double)hypotl(ours[0] - exact[0], ours[1] - exact[1]);
                if (!(error <= bound))
                    fail_msg("n = %zu, shape %d, frequency %zu: error %g, bound %g", n, shape, k, error, bound);
                worst = fmax(worst, error / bound);
            }
        }
    }
    print_message("# largest error: %.2g of its bound\n", worst);
    assert_true(worst > 1e-3); /* else the bound says little, or nothing was compared */
    free(x);
    free(re);
    free(im);
    nw__fft_free(&plan);
}

/* Spectra that no forward transform made: one frequency alone, all at random. */
static void fft_inverse__stays_within_its_error(void **state)
{
    (void)state;
    nw__fft plan = { 0 };
    random_bits r = { 2 };
    double *re = malloc(LONGEST / 2 * sizeof *re);
    double *im = malloc(LONGEST / 2 * sizeof *im);
    long double *exact = malloc(LONGEST * sizeof *exact);
    assert_int_equal(nw__fft_prepare(&plan, LONGEST, "test", NULL), NW_OK);
    for (size_t n = 16; n <= 4096; n *= 2) {
        for (int shape = 0; shape < 3; shape++) {
            const size_t alone = random_below(&r, n / 2);
            long double total = 0;
            for (size_t j = 0; j < n; j++)
                exact[j] = 0;
            for (size_t p = 0; p < n / 2; p++) {
                const bool is_in = shape != 0 || p == alone;
                re[p] = is_in ? 2.0 * random_unit(&r) - 1.0 : 0.0;
                im[p] = is_in && shape != 2 ? 2.0 * random_unit(&r) - 1.0 : 0.0;
            }
            for (size_t p = 0; p <= n / 2; p++) {
                size_t k = 0;
                double c[2];
                entry(re, im, n, p, &k, c);
                if (c[0] == 0.0 && c[1] == 0.0)
                    continue;
                const int times = p == 0 || p == n / 2 ? 1 : 2; /* its conjugate */
                total += times * hypotl(c[0], c[1]);
                for (size_t j = 0; j < n; j++) {
                    const size_t at = (j * k % n) * (LONGEST / n);
                    exact[j] += times * (c[0] * circle[2 * at] + c[1] * circle[2 * at + 1]) / (long double)n;
                }
            }
            nw__fft_inverse(&plan, re, im, n);
            for (size_t j = 0; j < n; j++)
                assert_true(fabsl((j % 2 == 0 ? re : im)[j / 2] - exact[j]) <= nw__fft_error(n) * total / (long double)n);
        }
    }
    free(re);
    free(im);
    free(exact);
    nw__fft_free(&plan);
}

/* There and back: the errors of both. */
static void fft__there_and_back(void **state)
{
    (void)state;
    nw__fft plan = { 0 };
    random_bits r = { 3 };
    double *x = malloc(LONGEST * sizeof *x);
    double *re = malloc(LONGEST / 2 * sizeof *re);
    double *im = malloc(LONGEST / 2 * sizeof *im);
    assert_int_equal(nw__fft_prepare(&plan, 16, "test", NULL), NW_OK); /* a plan that grows */
    for (size_t n = 16; n <= LONGEST; n *= 2) {
        assert_int_equal(nw__fft_prepare(&plan, n, "test", NULL), NW_OK);
        for (int shape = 0; shape < SHAPES; shape++) {
            fill(x, n, shape, &r);
            pack(x, re, im, n);
            nw__fft_forward(&plan, re, im, n);
            long double mean = fabsl((long double)re[0]) + fabsl((long double)im[0]);
            for (size_t p = 1; p < n / 2; p++)
                mean += 2 * hypotl(re[p], im[p]);
            const double bound = nw__fft_error(n) * (double)(sum_of_moduli(x, n) + mean / (long double)n);
            nw__fft_inverse(&plan, re, im, n);
            for (size_t j = 0; j < n; j++)
                assert_true(fabs((j % 2 == 0 ? re : im)[j / 2] - x[j]) <= bound);
        }
    }
    free(x);
    free(re);
    free(im);
    nw__fft_free(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fft_forward__stays_within_its_error),
        cmocka_unit_test(fft_inverse__stays_within_its_error),
        cmocka_unit_test(fft__there_and_back),
    };
    return cmocka_run_group_tests(tests, make_circle, free_circle);
}
