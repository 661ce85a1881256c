/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_rdp.c - Renyi divergences against closed forms, binomial sums and quadrature in long double, and the conversions against a
 * direct minimisation. Every truth is written as E - 1, E = E_P e^((a - 1) L), in terms that do not cancel. */
#include "rdp.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static const nw_sensitivity CHANGE = { 1.0, NW_REPLACE_ONE };
static const nw_sensitivity CONTRIBUTION = { 1.0, NW_ADD_REMOVE };
static const long double CLOSE = 2e-11L;    /* of the library's value, relative */
static const long double ROUNDING = 2e-15L; /* of the oracles, relative */
static const double ORDERS[] = { 1.0 + 0x1p-20, 1.001, 1.3, 2.0, 2.75, 8.0, 31.4, 500.0, 1e5 };
enum { MOST_ORDERS = sizeof ORDERS / sizeof *ORDERS };

static void check_direction(const char *what, const nw__renyi *r, int d, double a, long double truth)
{
    if (!(r->upper[d] >= truth * (1 - ROUNDING) && r->lower[d] <= truth * (1 + ROUNDING)))
        fail_msg("%s: order %.17g, direction %d: [%.17g, %.17g] without %.17Lg", what, a, d, r->lower[d], r->upper[d], truth);
    if (!(r->upper[d] <= truth * (1 + CLOSE) && r->lower[d] >= truth * (1 - CLOSE)))
        fail_msg("%s: order %.17g, direction %d: [%.17g, %.17g] is wide for %.17Lg", what, a, d, r->lower[d], r->upper[d], truth);
}

/* Takes the event. */
static nw__renyi renyi_of(nw_event *event, nw_adjacency adjacency, double a)
{
    nw__renyi r;
    nw_bounds b;
    assert_int_equal(nw__rdp_at(event, adjacency, a, &r, NULL), NW_OK);
    assert_int_equal(nw_account_rdp(event, adjacency, a, &b, NULL), NW_OK);
    assert_true(b.upper == fmax(r.upper[0], r.upper[1]) && b.lower == fmax(r.lower[0], r.lower[1]) && b.is_certified);
    nw_event_free(event);
    return r;
}

static void check_both(const char *what, nw_event *event, double a, long double excess)
{
    const nw__renyi r = renyi_of(event, NW_REPLACE_ONE, a);
    for (int d = 0; d < 2; d++)
        check_direction(what, &r, d, a, log1pl(excess) / (a - 1.0L));
}

static nw_event *sampled_gaussian(double q, double sigma)
{
    nw_event *base = NULL;
    nw_event *e = NULL;
    assert_int_equal(nw_event_gaussian(&base, sigma, CONTRIBUTION, NULL), NW_OK);
    assert_int_equal(nw_event_poisson_subsampled(&e, q, base, NULL), NW_OK);
    nw_event_free(base);
    return e;
}

/* E - 1 = sum_k C(a, k) q^k (1-q)^(a-k) (e^(k (k-1) mu^2 / 2) - 1) for the record removed. */
static void account_rdp__is_the_binomial_sum_at_integer_orders(void **state)
{
    (void)state;
    const double rates[] = { 1e-9, 1e-4, 0.01, 0.3, 0.9 };
    const double sigmas[] = { 0.6, 1.1, 4.0, 50.0 };
    for (int i = 0; i < 20; i++) {
        const long double q = rates[i % 5];
        const double sigma = sigmas[i / 5];
        for (int a = 2; a <= 64; a = a < 8 ? a + 1 : 2 * a) {
            long double excess = 0;
            for (int k = 2; k <= a; k++) {
                const long double choose = expl(lgammal(a + 1.0L) - lgammal(k + 1.0L) - lgammal(a - k + 1.0L));
                excess += choose * powl(q, k) * powl(1 - q, a - k) * expm1l(k * (k - 1.0L) / (2.0L * sigma * sigma));
            }
            const nw__renyi r = renyi_of(sampled_gaussian(rates[i % 5], sigma), NW_ADD_REMOVE, a);
            check_direction("subsampled Gaussian", &r, NW__REMOVE, a, log1pl(excess) / (a - 1));
        }
    }
}

/* E - 1 = E_N(0,1) (z^b - 1 - b (z - 1)), z = 1 - q + q e^(mu x - mu^2 / 2), b = a removed, 1 - a added. */
static long double quadrature(long double q, long double mu, long double b)
{
    const long double h = 1.0L / 64;
    const long double low = -24 + fminl(0, b * mu);
    const long double high = 24 + fmaxl(0, b * mu);
    long double sum = 0;
    for (long double x = low; x < high; x += h) {
        const long double w = q * expm1l(mu * x - mu * mu / 2);
        sum += expl(-x * x / 2) * (expm1l(b * log1pl(w)) - b * w);
    }
    return sum * h * 0.398942280401432677939946059934L;
}

static void account_rdp__is_the_integral_at_any_order(void **state)
{
    (void)state;
    const double rates[] = { 0.003, 0.05, 0.5, 0.97 };
    const double sigmas[] = { 0.7, 1.0, 2.5 };
    const double orders[] = { 1.01, 1.25, 1.5, 2.5, 7.3, 20.6 };
    for (int i = 0; i < 72; i++) {
        const double q = rates[i % 4];
        const double sigma = sigmas[i / 4 % 3];
        const double a = orders[i / 12];
        const nw__renyi r = renyi_of(sampled_gaussian(q, sigma), NW_ADD_REMOVE, a);
        check_direction("subsampled Gaussian", &r, NW__REMOVE, a, log1pl(quadrature(q, 1 / (long double)sigma, a)) / (a - 1.0L));
        check_direction(
            "subsampled Gaussian", &r, NW__ADD, a, log1pl(quadrature(q, 1 / (long double)sigma, 1.0L - a)) / (a - 1.0L));
    }
}

/* sum_(k >= 2) u^k / k!, which is e^u - 1 - u. */
static long double beyond_linear(long double u)
{
    long double term = u * u / 2;
    long double sum = 0;
    if (fabsl(u) > 1)
        return expm1l(u) - u;
    for (int k = 3; k < 40; k++) {
        sum += term;
        term *= u / k;
    }
    return sum;
}

/* [Mir17, Prop. 6]: E = (a e^u + (a-1) e^-v) / (2a-1), u = (a-1) e, v = a e; the linear terms are a u - (a-1) v = 0. */
static void account_rdp__is_the_closed_form_of_laplace_noise(void **state)
{
    (void)state;
    for (double scale = 0.05; scale < 1e11; scale *= 9.7) {
        for (int i = 0; i < MOST_ORDERS; i++) {
            nw_event *e = NULL;
            const long double a = ORDERS[i];
            const long double epsilon = 1 / (long double)scale;
            if (a * epsilon > 10000)
                continue;
            assert_int_equal(nw_event_laplace(&e, scale, CHANGE, NULL), NW_OK);
            check_both("Laplace", e, ORDERS[i],
                (a * beyond_linear((a - 1) * epsilon) + (a - 1) * beyond_linear(-a * epsilon)) / (2 * a - 1));
        }
    }
}

/* A loss x with mass p and -x with mass p e^-x give p ((1 - e^-x) sinh y + (1 + e^-x) (cosh y - 1)), y = (a - 1) x. */
static long double mirrored(long double p, long double x, long double a)
{
    const long double y = (a - 1) * x;
    return p * (-expm1l(-x) * sinhl(y) + (1 + expl(-x)) * 2 * powl(sinhl(y / 2), 2));
}

static void account_rdp__is_the_closed_form_of_randomized_response(void **state)
{
    (void)state;
    for (double epsilon = 1e-11; epsilon < 40.0; epsilon *= 5.3) {
        for (int i = 0; i < MOST_ORDERS; i++) {
            const double a = ORDERS[i];
            nw_event *e = NULL;
            if (a * epsilon > 10000.0)
                continue;
            assert_int_equal(nw_event_pure(&e, epsilon, NW_REPLACE_ONE, NULL), NW_OK);
            check_both("pure", e, a, mirrored(1 / (1 + expl(-(long double)epsilon)), epsilon, a));
            assert_int_equal(nw_event_ldp(&e, epsilon, NULL), NW_OK);
            check_both("ldp", e, a, mirrored(1 / (1 + expl(-(long double)epsilon)), epsilon, a));
            const double p = 5.0 / (5.0 + expm1(epsilon));
            const long double lie = p / 5.0L;
            const long double truth = (1 - (long double)p) + lie;
            if (epsilon < 1e-4 || epsilon > 30.0) /* p itself says too little of epsilon */
                continue;
            assert_int_equal(nw_event_randomized_response(&e, p, 5, NULL), NW_OK);
            check_both("randomized response", e, a, mirrored(truth, logl(truth / lie), a));
        }
    }
}

/* Noise tanh(t / 2) e^(-t |x|), t = 1 / scale, at distance d: losses t (2 k - d), the two ends piled up. */
static void account_rdp__sums_over_the_lattice_of_discrete_laplace_noise(void **state)
{
    (void)state;
    for (double scale = 0.3; scale < 1e6; scale *= 6.1) {
        for (int d = 1; d < 9; d += 1 + d / 3) {
            for (int i = 0; i < MOST_ORDERS; i++) {
                const long double t = 1 / (long double)scale;
                nw_event *e = NULL;
                long double excess = mirrored(1 / (1 + expl(-t)), t * d, ORDERS[i]);
                if (ORDERS[i] * (double)t * d > 10000.0)
                    continue;
                for (int k = d / 2 + 1; k < d; k++)
                    excess += mirrored(tanhl(t / 2) * expl(-t * (d - k)), t * (2 * k - d), ORDERS[i]);
                assert_int_equal(
                    nw_event_noise(&e, NW_EVENT_DISCRETE_LAPLACE, scale, (nw_sensitivity){ d, NW_REPLACE_ONE }, 1, NULL), NW_OK);
                check_both("discrete Laplace", e, ORDERS[i], excess);
            }
        }
    }
}

/* a d^2 / (2 sigma^2) + log(theta(a d) / theta(0)) / (a - 1), sums over the integers: below the line of zCDP, and on it where a d
 * is an integer. */
static void account_rdp__sums_over_the_lattice_of_discrete_gaussian_noise(void **state)
{
    (void)state;
    const double sigmas[] = { 0.25, 0.4, 0.5, 1.0, 1.9, 2.1, 6.0, 40.0 };
    const double orders[] = { 1.3, 1.5, 2.0, 2.5, 3.7, 12.1 };
    for (int i = 0; i < 48; i++) {
        const long double sigma = sigmas[i % 8];
        const long double a = orders[i / 8];
        long double sum[2] = { 0, 0 };
        nw_event *e = NULL;
        for (int x = -600; x <= 600; x++)
            for (int k = 0; k < 2; k++)
                sum[k] += expl(-powl((x - k * (a - floorl(a))) / sigma, 2) / 2);
        assert_int_equal(nw_event_noise(&e, NW_EVENT_DISCRETE_GAUSSIAN, (double)sigma, CHANGE, 1, NULL), NW_OK);
        const nw__renyi r = renyi_of(e, NW_REPLACE_ONE, (double)a);
        const long double truth = a / (2 * sigma * sigma) + logl(sum[1] / sum[0]) / (a - 1);
        check_direction("discrete Gaussian", &r, 0, (double)a, truth);
        assert_true(r.upper[0] <= (double)(a / (2 * sigma * sigma)) * (1.0 + 1e-11));
    }
}

/* Poisson-sampled Laplace noise goes through a privacy loss distribution: an upper bound, and close to quadrature. */
static void account_rdp__bounds_other_sampled_noise(void **state)
{
    (void)state;
    const double orders[] = { 1.5, 3.0, 10.0 };
    nw_event *base = NULL;
    nw_event *e = NULL;
    const long double q = 0.1L;
    const int steps = 400000;
    assert_int_equal(nw_event_laplace(&base, 1.0, CONTRIBUTION, NULL), NW_OK);
    assert_int_equal(nw_event_poisson_subsampled(&e, 0.1, base, NULL), NW_OK);
    nw_event_free(base);
    for (int i = 0; i < 3; i++) {
        const long double a = orders[i];
        nw__renyi r;
        long double sum[2] = { 0, 0 };
        assert_int_equal(nw__rdp_at(e, NW_ADD_REMOVE, orders[i], &r, NULL), NW_OK);
        for (int k = 0; k < steps; k++) { /* the loss of the base moves in (0, 1) only: midpoints there, closed forms outside */
            const long double x = (k + 0.5L) / steps;
            const long double z = 1 - q + q * expl(2 * x - 1);
            sum[0] += expl(-x) / 2 / steps * powl(z, a);
            sum[1] += expl(-x) / 2 / steps * powl(z, 1 - a);
        }
        for (int d = 0; d < 2; d++) {
            const long double b = d == 0 ? a : 1 - a;
            const long double outside = powl(1 - q + q * expl(-1), b) / 2 + powl(1 - q + q * expl(1), b) * expl(-1) / 2;
            const long double truth = logl(sum[d] + outside) / (a - 1);
            assert_true(r.upper[d] >= truth && r.upper[d] <= truth * (1 + 1e-6L) && r.lower[d] <= truth);
        }
    }
    nw_event_free(e);
}

static void account_rdp__adds_up_and_interpolates(void **state)
{
    (void)state;
    const double orders[] = { 2.0, 4.0, 9.0 };
    const double curve[] = { 0.1, 0.3, 1.0 };
    nw_event *parts[2] = { NULL, NULL };
    nw_event *whole = NULL;
    nw_event *both = NULL;
    assert_int_equal(nw_event_rdp(&parts[0], orders, curve, 3, NW_ADD_REMOVE, NULL), NW_OK);
    assert_int_equal(nw_event_zcdp(&parts[1], 0.05, NW_ADD_REMOVE, NULL), NW_OK);
    assert_int_equal(nw_event_composed(&both, (const nw_event *const *)parts, 2, NULL), NW_OK);
    assert_int_equal(nw_event_repeat(&whole, both, 7, NULL), NW_OK);
    /* of the curve: (a - 1) value is linear between the orders, beyond them nothing holds */
    const double at[][2] = { { 1.5, 0.1 }, { 2.0, 0.1 }, { 3.0, 0.25 }, { 4.0, 0.3 }, { 6.5, 4.45 / 5.5 }, { 9.0, 1.0 } };
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        nw_bounds b;
        const double truth = 7.0 * (at[i][1] + 0.05 * at[i][0]);
        assert_int_equal(nw_account_rdp(whole, NW_ADD_REMOVE, at[i][0], &b, NULL), NW_OK);
        assert_true(b.upper >= truth * (1.0 - 1e-15) && b.upper <= truth * (1.0 + 1e-11));
        assert_true(b.lower <= 7.0 * 0.05 * at[i][0]); /* a curve is a promise that nothing need attain */
    }
    nw_bounds beyond;
    assert_int_equal(nw_account_rdp(whole, NW_ADD_REMOVE, 9.5, &beyond, NULL), NW_OK);
    assert_true(isinf(beyond.upper) && isfinite(beyond.lower));
    nw_event_free(parts[0]);
    nw_event_free(parts[1]);
    nw_event_free(both);
    nw_event_free(whole);
}

/* Small divergences many times over: what rounds to nothing once would be lost 10^18 times. */
static void account_epsilon__does_not_lose_small_divergences(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        nw_event *once = NULL;
        nw_event *e = NULL;
        nw_bounds b;
        if (kind == 0)
            assert_int_equal(nw_event_pure(&once, 1e-9, NW_REPLACE_ONE, NULL), NW_OK);
        else
            assert_int_equal(nw_event_noise(&once, NW_EVENT_DISCRETE_LAPLACE, 1e9, CHANGE, 1, NULL), NW_OK);
        assert_int_equal(nw_event_repeat(&e, once, UINT64_C(1000000000000000000), NULL), NW_OK);
        assert_int_equal(nw_account_epsilon(e, NW_REPLACE_ONE, 1e-6, NULL, &b, NULL), NW_OK);
        /* the loss of 10^18 fair coins biased by 5e-10 each is normal with mu = 1 to within 10^-9 */
        assert_true(b.upper >= nw_gdp_epsilon(1.0, 1e-6) * (1.0 - 1e-6));
        assert_true(b.upper <= nw_zcdp_epsilon(0.5, 1e-6) * (1.0 + 1e-6));
        nw_event_free(once);
        nw_event_free(e);
    }
}

/* [CKS20, Prop. 12] as it is written. */
static long double converted(long double a, long double rdp, long double delta)
{
    return rdp + log1pl(-1 / a) - (logl(delta) + logl(a)) / (a - 1);
}

static void rdp_epsilon__is_the_least_over_the_orders(void **state)
{
    (void)state;
    enum { N = 40 };
    double orders[N];
    double rdp[N];
    for (int shape = 0; shape < 4; shape++) {
        double last = INFINITY;
        for (int i = 0; i < N; i++) {
            orders[i] = 1.0 + pow(1.35, i - 10);
            rdp[i] = shape == 0         ? 0.02 * orders[i]
                     : shape == 1       ? 0.7 * orders[i]
                     : shape == 2       ? 1.0
                     : orders[i] < 30.0 ? 0.1
                                        : INFINITY;
        }
        for (double delta = 1e-300; delta < 1.0; delta *= 1e6) {
            long double least = INFINITY;
            for (int i = 0; i < N; i++)
                least = isinf(rdp[i]) ? least : fminl(least, converted(orders[i], rdp[i], delta));
            const double ours = nw_rdp_epsilon(orders, rdp, N, delta);
            assert_true(ours >= fmaxl(0, least) && ours <= fmaxl(0, least) * (1 + 1e-12L) + 1e-12L);
            assert_true(ours <= last);
            last = ours;
            if (ours > 0.0) /* and back */
                assert_true(fabs(log(nw_rdp_delta(orders, rdp, N, ours) / delta)) < 1e-9 * (1.0 - log(delta)));
        }
        for (double epsilon = 0.0; epsilon < 20.0; epsilon += 0.37)
            assert_true(nw_rdp_delta(orders, rdp, N, epsilon + 0.37) <= nw_rdp_delta(orders, rdp, N, epsilon));
    }
    assert_true(nw_rdp_epsilon(orders, rdp, N, 1.0) == 0.0 && isinf(nw_rdp_epsilon(orders, rdp, N, 0.0)));
    assert_true(isnan(nw_rdp_epsilon(NULL, rdp, N, 0.1)) && isnan(nw_rdp_epsilon(orders, rdp, N, -0.1)));
    assert_true(isnan(nw_rdp_delta(orders, rdp, N, -1.0)) && isnan(nw_rdp_delta(orders, rdp, N, (double)NAN)));
    orders[3] = 1.0;
    assert_true(isnan(nw_rdp_epsilon(orders, rdp, N, 0.1)) && isnan(nw_rdp_delta(orders, rdp, N, 1.0)));
    assert_true(isinf(nw_rdp_epsilon(orders, rdp, 0, 0.1)) && nw_rdp_delta(orders, rdp, 0, 1.0) == 1.0);
}

/* The order is optimised continuously: as good as the finest grid of orders. */
static void account_epsilon__finds_the_best_order(void **state)
{
    (void)state;
    const double rhos[] = { 1e-4, 0.01, 0.3, 4.0 };
    for (int i = 0; i < 4; i++) {
        nw_event *e = NULL;
        double epsilon = 0.0;
        double delta = 0.0;
        assert_int_equal(nw_event_zcdp(&e, rhos[i], NW_ADD_REMOVE, NULL), NW_OK);
        assert_int_equal(nw__rdp_epsilon(e, NW_ADD_REMOVE, 1e-7, &epsilon, NULL), NW_OK);
        assert_int_equal(nw__rdp_delta(e, NW_ADD_REMOVE, epsilon, &delta, NULL), NW_OK);
        long double least = INFINITY;
        for (long double x = -8; x < 12; x += 1e-3L)
            least = fminl(least, converted(1 + expl(x), rhos[i] * (1 + expl(x)), 1e-7L));
        assert_true(epsilon >= least * (1 - 1e-6L) && epsilon <= least * (1 + 1e-6L));
        assert_true(fabs(log(delta / 1e-7)) < 1e-4);
        nw_event_free(e);
    }
}

static void account_rdp__refuses_bad_arguments(void **state)
{
    (void)state;
    nw_event *e = NULL;
    nw_bounds b;
    assert_int_equal(nw_event_gaussian(&e, 1.0, CHANGE, NULL), NW_OK);
    const double bad[] = { 1.0, 0.5, -2.0, 2e6, (double)INFINITY, (double)NAN };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(nw_account_rdp(e, NW_REPLACE_ONE, bad[i], &b, NULL), NW_E_ARG);
    assert_int_equal(nw_account_rdp(e, NW_ADJACENCY_UNSET, 2.0, &b, NULL), NW_E_ARG);
    assert_int_equal(nw_account_rdp(NULL, NW_REPLACE_ONE, 2.0, &b, NULL), NW_E_ARG);
    assert_int_equal(nw_account_rdp(e, NW_REPLACE_ONE, 2.0, NULL, NULL), NW_E_ARG);
    assert_int_equal(nw_account_rdp(e, NW_ADD_REMOVE, 2.0, &b, NULL), NW_E_UNSUPPORTED);
    nw_event_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(account_rdp__is_the_binomial_sum_at_integer_orders),
        cmocka_unit_test(account_rdp__is_the_integral_at_any_order),
        cmocka_unit_test(account_rdp__is_the_closed_form_of_laplace_noise),
        cmocka_unit_test(account_rdp__is_the_closed_form_of_randomized_response),
        cmocka_unit_test(account_rdp__sums_over_the_lattice_of_discrete_laplace_noise),
        cmocka_unit_test(account_rdp__sums_over_the_lattice_of_discrete_gaussian_noise),
        cmocka_unit_test(account_rdp__bounds_other_sampled_noise),
        cmocka_unit_test(account_rdp__adds_up_and_interpolates),
        cmocka_unit_test(account_epsilon__does_not_lose_small_divergences),
        cmocka_unit_test(rdp_epsilon__is_the_least_over_the_orders),
        cmocka_unit_test(account_epsilon__finds_the_best_order),
        cmocka_unit_test(account_rdp__refuses_bad_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
