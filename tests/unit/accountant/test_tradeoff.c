/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_tradeoff.c - trade-off curves and Gaussian-DP parameters against closed forms and against the best test of composed
 * randomized response, by Neyman and Pearson. */
#include "accountant_internal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { ALPHAS = 101, MOST_ROUNDS = 40 };
static const double CLOSE = 0.01; /* how far below the truth a curve from 96 tangents may lie */

static const double *alphas(void)
{
    static double at[ALPHAS];
    for (int i = 0; i < ALPHAS; i++)
        at[i] = i == 0 ? 0.0 : i == ALPHAS - 1 ? 1.0 : pow((double)i / (ALPHAS - 1), 3.0);
    return at;
}

static void check_curve(
    const nw_event *e, nw_adjacency adjacency, long double (*truth)(const void *, long double), const void *given, double close)
{
    const double *alpha = alphas();
    double lower[ALPHAS];
    assert_int_equal(nw_account_tradeoff(e, adjacency, alpha, ALPHAS, lower, NULL), NW_OK);
    for (int i = 0; i < ALPHAS; i++) {
        const long double f = truth(given, alpha[i]);
        if (!(lower[i] >= 0.0 && lower[i] <= f && lower[i] >= f - close))
            fail_msg("f(%.17g) is at least %.17g, in truth %.17Lg", alpha[i], lower[i], f);
        assert_true(i == 0 || lower[i] <= lower[i - 1]);
    }
}

static long double normal_above(long double z)
{
    return 0.5L * erfcl(z * 0.707106781186547524400844362104849L);
}

/* G_mu(alpha) = Phi(z - mu) with Phi(-z) = alpha. */
static long double gaussian_curve(const void *mu, long double alpha)
{
    long double low = -45;
    long double high = 45;
    for (int i = 0; i < 120; i++) {
        const long double middle = (low + high) / 2;
        *(normal_above(middle) > alpha ? &low : &high) = middle;
    }
    return alpha == 0 ? 1 : alpha == 1 ? 0 : normal_above(*(const double *)mu - low);
}

static nw_event *gaussians(double mu, uint64_t n)
{
    nw_event *once = NULL;
    nw_event *e = NULL;
    assert_int_equal(nw_event_gaussian(&once, sqrt((double)n) / mu, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, NULL), NW_OK);
    assert_int_equal(nw_event_repeat(&e, once, n, NULL), NW_OK);
    nw_event_free(once);
    return e;
}

static void account_tradeoff__is_the_gaussian_curve(void **state)
{
    (void)state;
    const double mus[] = { 0.01, 0.3, 1.0, 3.0 };
    for (int i = 0; i < 4; i++) {
        nw_event *e = gaussians(mus[i], 16);
        double mu = 0.0;
        check_curve(e, NW_ADD_REMOVE, gaussian_curve, &mus[i], CLOSE);
        assert_int_equal(nw_account_mu(e, NW_ADD_REMOVE, &mu, NULL), NW_OK);
        assert_true(mu >= mus[i] * (1.0 - 1e-15) && mu <= mus[i] * (1.0 + 1e-13));
        nw_event_free(e);
    }
}

/* n binary responses with a lie of probability `lie`: k lies of n under P have the law Bin(n, lie), under Q Bin(n, 1 - lie). */
typedef struct responses {
    int n;
    long double lie;
} responses;

static long double binomial(int n, int k, long double p)
{
    return expl(lgammal(n + 1.0L) - lgammal(k + 1.0L) - lgammal(n - k + 1.0L)) * powl(p, k) * powl(1 - p, n - k);
}

/* The best test rejects P where there are most lies; on the last outcome it tosses a coin. */
static long double response_curve(const void *given, long double alpha)
{
    const responses *r = given;
    long double left = alpha;
    long double missed = 1;
    for (int k = r->n; k >= 0; k--) {
        const long double p = binomial(r->n, k, r->lie);
        const long double q = binomial(r->n, k, 1 - r->lie);
        if (p >= left)
            return fmaxl(0, missed - q * left / p);
        left -= p;
        missed -= q;
    }
    return 0;
}

static long double response_delta(const responses *r, long double epsilon)
{
    long double sum = 0;
    for (int k = 0; k <= r->n; k++)
        sum += fmaxl(0, binomial(r->n, k, r->lie) - expl(epsilon) * binomial(r->n, k, 1 - r->lie));
    return sum;
}

static nw_event *composed_responses(const responses *r)
{
    nw_event *once = NULL;
    nw_event *e = NULL;
    assert_int_equal(nw_event_randomized_response(&once, (double)(2 * r->lie), 2, NULL), NW_OK);
    assert_int_equal(nw_event_repeat(&e, once, (uint64_t)r->n, NULL), NW_OK);
    nw_event_free(once);
    return e;
}

static void account_tradeoff__is_below_the_best_test_of_responses(void **state)
{
    (void)state;
    const responses all[] = { { 1, 0.25L }, { 3, 0.25L }, { 7, 0.375L }, { 12, 0.0625L }, { MOST_ROUNDS, 0.4375L } };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        nw_event *e = composed_responses(&all[i]);
        check_curve(e, NW_REPLACE_ONE, response_curve, &all[i], CLOSE);
        nw_event_free(e);
    }
}

/* Above the responses' whole profile, and hardly more than that asks for. */
static void account_mu__is_above_the_profile_of_responses(void **state)
{
    (void)state;
    const responses all[] = { { 1, 0.25L }, { 4, 0.375L }, { MOST_ROUNDS, 0.4375L } };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        nw_event *e = composed_responses(&all[i]);
        double mu = 0.0;
        bool is_needed = false;
        assert_int_equal(nw_account_mu(e, NW_REPLACE_ONE, &mu, NULL), NW_OK);
        for (double epsilon = 0.0; epsilon < 60.0; epsilon += 0.01) {
            const long double delta = response_delta(&all[i], epsilon);
            assert_true(delta <= nw_gdp_delta(mu, epsilon));
            is_needed = is_needed || delta > nw_gdp_delta(0.8 * mu, epsilon);
        }
        assert_true(is_needed);
        nw_event_free(e);
    }
}

static nw_event *sampled_gaussians(void)
{
    nw_event *base = gaussians(1.0, 1);
    nw_event *once = NULL;
    nw_event *e = NULL;
    assert_int_equal(nw_event_poisson_subsampled(&once, 0.05, base, NULL), NW_OK);
    assert_int_equal(nw_event_repeat(&e, once, 30, NULL), NW_OK);
    nw_event_free(base);
    nw_event_free(once);
    return e;
}

static nw_event *laplaces(void)
{
    nw_event *once = NULL;
    nw_event *e = NULL;
    assert_int_equal(nw_event_laplace(&once, 10.0, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, NULL), NW_OK);
    assert_int_equal(nw_event_repeat(&e, once, 100, NULL), NW_OK);
    nw_event_free(once);
    return e;
}

/* Without a closed form: mu holds wherever it is asked for, and 10 % less does not. */
static void account_mu__is_nearly_the_least(void **state)
{
    (void)state;
    nw_event *(*const make[])(void) = { sampled_gaussians, laplaces };
    for (int i = 0; i < 2; i++) {
        nw_event *e = make[i]();
        double mu = 0.0;
        bool is_needed = false;
        assert_int_equal(nw_account_mu(e, NW_ADD_REMOVE, &mu, NULL), NW_OK);
        for (double epsilon = 0.0; epsilon < 8.0; epsilon += 0.23) {
            nw_bounds b;
            assert_int_equal(nw_account_delta(e, NW_ADD_REMOVE, epsilon, NULL, &b, NULL), NW_OK);
            if (b.upper < 1e-15)
                break;
            assert_true(b.lower <= nw_gdp_delta(mu, epsilon));
            is_needed = is_needed || b.lower > nw_gdp_delta(0.9 * mu, epsilon);
        }
        assert_true(is_needed);
        nw_event_free(e);
    }
}

static void account_tradeoff__refuses_bad_arguments(void **state)
{
    (void)state;
    nw_event *e = gaussians(1.0, 1);
    const double bad[] = { -0.1, 1.1, (double)NAN };
    const double good = 0.5;
    double lower = 0.0;
    for (int i = 0; i < 3; i++)
        assert_int_equal(nw_account_tradeoff(e, NW_ADD_REMOVE, &bad[i], 1, &lower, NULL), NW_E_ARG);
    assert_int_equal(nw_account_tradeoff(NULL, NW_ADD_REMOVE, &good, 1, &lower, NULL), NW_E_ARG);
    assert_int_equal(nw_account_tradeoff(e, NW_ADD_REMOVE, NULL, 1, &lower, NULL), NW_E_ARG);
    assert_int_equal(nw_account_tradeoff(e, NW_ADD_REMOVE, &good, 1, NULL, NULL), NW_E_ARG);
    assert_int_equal(nw_account_tradeoff(e, NW_ADJACENCY_UNSET, &good, 1, &lower, NULL), NW_E_ARG);
    assert_int_equal(nw_account_mu(NULL, NW_ADD_REMOVE, &lower, NULL), NW_E_ARG);
    assert_int_equal(nw_account_mu(e, NW_ADD_REMOVE, NULL, NULL), NW_E_ARG);
    nw_event_free(e);
    /* a guarantee with a delta is not Gaussian DP for any mu */
    assert_int_equal(nw_event_approx(&e, 1.0, 1e-6, NW_ADD_REMOVE, NULL), NW_OK);
    assert_int_equal(nw_account_mu(e, NW_ADD_REMOVE, &lower, NULL), NW_OK);
    assert_true(isinf(lower));
    nw_event_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(account_tradeoff__is_the_gaussian_curve),
        cmocka_unit_test(account_tradeoff__is_below_the_best_test_of_responses),
        cmocka_unit_test(account_mu__is_above_the_profile_of_responses),
        cmocka_unit_test(account_mu__is_nearly_the_least),
        cmocka_unit_test(account_tradeoff__refuses_bad_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
