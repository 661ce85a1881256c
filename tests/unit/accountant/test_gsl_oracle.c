/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_gsl_oracle.c - Gaussian DP against the normal law of the GNU Scientific Library, which the library itself does not use:
 * docs/decisions/0003-licence-of-the-binary.md. Ours has to be on the safe side of GSL's value, and close to it. */
#include <nw/accounting.h>

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

/* GSL's Q and Pinv are good to some 1e-15; exp(epsilon) magnifies the error of its argument, 12 at most here. Both errors are
 * relative to the first term of delta, not to the difference. */
#define GSL_ERROR 4e-14
#define CLOSE 1e-11      /* ours may be this much above: its bound grows with the square of epsilon / mu, 37^2 at most here */
#define TINY 1e-280      /* below, both lose digits to denormal numbers */
#define DELTA_SHARE 1e-3 /* below this share of the first term the difference has lost too many digits to judge by */

/* [BW18, Thm 8] as it is written; *first receives the first term, against which cancellation is measured. */
static double delta_by_gsl(double mu, double epsilon, double *first)
{
    *first = gsl_cdf_ugaussian_Q(epsilon / mu - mu / 2.0);
    return *first - exp(epsilon) * gsl_cdf_ugaussian_Q(epsilon / mu + mu / 2.0);
}

static void gdp_delta__is_above_gsl_and_close(void **state)
{
    (void)state;
    int compared = 0;
    for (double mu = 0.05; mu < 8.0; mu *= 1.17) {
        for (double epsilon = 0.0; epsilon < 12.0; epsilon += 0.37) {
            double first = 0.0;
            const double theirs = delta_by_gsl(mu, epsilon, &first);
            if (theirs < DELTA_SHARE * first || theirs < TINY)
                continue;
            const double ours = nw_gdp_delta(mu, epsilon);
            assert_true(ours >= theirs - GSL_ERROR * first);
            assert_true(ours <= theirs + CLOSE * first);
            compared++;
        }
    }
    assert_true(compared > 500);
}

static void gdp_epsilon__is_where_gsl_reaches_delta(void **state)
{
    (void)state;
    for (double mu = 0.1; mu < 4.0; mu *= 1.3) {
        for (double delta = 1e-3; delta < 0.9; delta *= 3.0) {
            double first = 0.0;
            const double epsilon = nw_gdp_epsilon(mu, delta);
            const double theirs = delta_by_gsl(mu, epsilon, &first);
            if (epsilon > 0.0 && theirs > DELTA_SHARE * first)
                assert_true(fabs(theirs / delta - 1.0) < 1e-6);
        }
    }
}

static void gdp_from_pure__is_above_gsl_and_close(void **state)
{
    (void)state;
    for (double epsilon = 0.01; epsilon < 30.0; epsilon *= 1.2) {
        const double theirs = -2.0 * gsl_cdf_ugaussian_Pinv(1.0 / (1.0 + exp(epsilon)));
        const double ours = nw_gdp_from_pure(epsilon);
        assert_true(ours >= theirs * (1.0 - 1e-12));
        assert_true(ours <= theirs * (1.0 + 1e-8));
    }
}

/* All pairs of two answers whose losses are epsilon apart, p = logistic(x + epsilon / 2) and q = logistic(x - epsilon / 2): their
 * mu is Phi^-1(p) - Phi^-1(q), at most what is charged, and that at x = 0. Half as much would not do. */
static void gdp_from_range__covers_every_pair_of_answers(void **state)
{
    (void)state;
    for (double epsilon = 0.01; epsilon < 30.0; epsilon *= 1.3) {
        const double ours = nw_gdp_from_range(epsilon);
        double most = 0.0;
        for (int i = -400; i <= 400; i++) {
            const double x = i / 400.0 * (5.0 + epsilon);
            const double p = 1.0 / (1.0 + exp(-x - 0.5 * epsilon));
            const double other_q = 1.0 / (1.0 + exp(x - 0.5 * epsilon)); /* 1 - q */
            const double left =
                p < 0.5 ? gsl_cdf_ugaussian_Pinv(p) : gsl_cdf_ugaussian_Qinv(1.0 / (1.0 + exp(x + 0.5 * epsilon)));
            const double right =
                other_q > 0.5 ? gsl_cdf_ugaussian_Pinv(1.0 / (1.0 + exp(0.5 * epsilon - x))) : gsl_cdf_ugaussian_Qinv(other_q);
            const double mu = left - right;
            assert_true(mu <= ours * (1.0 + 1e-11));
            assert_true(i != 0 || mu >= ours * (1.0 - 1e-8));
            most = fmax(most, mu);
        }
        assert_true(most > 1.3 * nw_gdp_from_range(0.5 * epsilon));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gdp_delta__is_above_gsl_and_close),
        cmocka_unit_test(gdp_epsilon__is_where_gsl_reaches_delta),
        cmocka_unit_test(gdp_from_pure__is_above_gsl_and_close),
        cmocka_unit_test(gdp_from_range__covers_every_pair_of_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
