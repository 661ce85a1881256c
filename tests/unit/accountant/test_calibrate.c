/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_calibrate.c - calibration of noise, rates and counts: the answer meets the target by its own certificate, a little less
 * privacy does not, and closed forms where there are some. */
#include "accountant_internal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

/* Steps of a subsampled Gaussian, one of its parameters open; counts how often it is asked for. */
typedef struct schedule {
    double sigma, q;
    uint64_t count;
    char open; /* 's', 'q' or 'n' */
    int *calls;
    double fails_below; /* an error for smaller parameters */
} schedule;

static nw_status event_of(nw_event **out, double x, const void *context, nw_error *err)
{
    const schedule *s = context;
    nw_event *base = NULL;
    nw_event *step = NULL;
    *out = NULL;
    ++*s->calls;
    if (x < s->fails_below)
        return nw__fail(err, NW_E_STATE, "event_of", "asked for %g", x);
    nw_status status = nw_event_gaussian(&base, s->open == 's' ? x : s->sigma, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, err);
    if (status == NW_OK)
        status = nw_event_poisson_subsampled(&step, s->open == 'q' ? x : s->q, base, err);
    if (status == NW_OK)
        status = nw_event_repeat(out, step, s->open == 'n' ? (uint64_t)x : s->count, err);
    nw_event_free(base);
    nw_event_free(step);
    return status;
}

static double epsilon_at(const schedule *s, double x, double delta)
{
    nw_event *e = NULL;
    double epsilon = 0.0;
    assert_int_equal(event_of(&e, x, s, NULL), NW_OK);
    assert_int_equal(nw_event_epsilon(e, NW_ADD_REMOVE, delta, &epsilon, NULL, NULL), NW_OK);
    nw_event_free(e);
    return epsilon;
}

/* Calls of event_of: 40 estimates at most, the two ends, two for the slope; then 7 steps of Newton's method, and where the
 * estimate was off by a third a bisection from there to 1e-7 of the parameter, 22 steps. Measured: 38 as a rule, 64 at most. */
enum { MOST_CALLS = 40 + 2 + 2 + 7 + 22, USUAL_CALLS = 40 };

static int check(const schedule *s, nw_calibrate_kind kind, double low, double high, double epsilon, double delta)
{
    double x = 0.0;
    nw_error err;
    *s->calls = 0;
    if (nw_calibrate(&x, kind, low, high, epsilon, delta, NW_ADD_REMOVE, event_of, s, &err) != NW_OK)
        fail_msg("%s", err.message);
    const int calls = *s->calls;
    if (calls > MOST_CALLS)
        fail_msg("%d calls for %c at (%g, %g)", calls, s->open, epsilon, delta);
    assert_true(x >= low && x <= high);
    assert_true(epsilon_at(s, x, delta) <= epsilon);
    if (kind == NW_CALIBRATE_GREATEST_COUNT) {
        assert_true(x == floor(x));
        assert_true(x == high || epsilon_at(s, x + 1.0, delta) > epsilon);
    } else {
        const double less = kind == NW_CALIBRATE_LEAST ? x * (1.0 - 1e-5) : x * (1.0 + 1e-5);
        assert_true(less < low || less > high || epsilon_at(s, less, delta) > epsilon);
    }
    return calls;
}

static void calibrate__is_certified_and_nearly_optimal(void **state)
{
    (void)state;
    int calls = 0;
    const struct {
        schedule s;
        nw_calibrate_kind kind;
        double low, high, epsilon, delta;
    } cases[] = {
        { { 0.0, 0.01, 1000, 's', &calls, 0.0 }, NW_CALIBRATE_LEAST, 0.2, 1000.0, 1.0, 1e-6 },
        { { 0.0, 0.1, 50, 's', &calls, 0.0 }, NW_CALIBRATE_LEAST, 0.3, 100.0, 3.0, 1e-9 },
        { { 0.0, 1.0, 10, 's', &calls, 0.0 }, NW_CALIBRATE_LEAST, 0.01, 1e4, 0.5, 1e-5 },
        { { 0.0, 0.3, 1, 's', &calls, 0.0 }, NW_CALIBRATE_LEAST, 0.1, 1e3, 1.0, 1e-5 },
        { { 1.0, 0.0, 500, 'q', &calls, 0.0 }, NW_CALIBRATE_GREATEST, 0.0, 1.0, 1.0, 1e-6 },
        { { 1.0, 0.0, 500, 'q', &calls, 0.0 }, NW_CALIBRATE_GREATEST, 1e-4, 0.5, 8.0, 1e-8 },
        { { 1.1, 0.01, 0, 'n', &calls, 0.0 }, NW_CALIBRATE_GREATEST_COUNT, 1.0, 100000.0, 2.0, 1e-5 },
        { { 4.0, 0.5, 0, 'n', &calls, 0.0 }, NW_CALIBRATE_GREATEST_COUNT, 1.0, 1000.0, 1.0, 1e-6 },
        { { 5.0, 1.0, 0, 'n', &calls, 0.0 }, NW_CALIBRATE_GREATEST_COUNT, 1.0, 1e6, 3.0, 1e-6 },
    };
    int usual = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        usual += check(&cases[i].s, cases[i].kind, cases[i].low, cases[i].high, cases[i].epsilon, cases[i].delta) <= USUAL_CALLS;
    assert_true(usual >= 8);
}

/* Gaussians alone: the closed form, sigma = sqrt(n) / mu(epsilon, delta). */
static void calibrate__meets_the_closed_form(void **state)
{
    (void)state;
    int calls = 0;
    const double targets[][2] = { { 0.1, 1e-9 }, { 1.0, 1e-6 }, { 10.0, 1e-5 } };
    for (int i = 0; i < 3; i++) {
        for (uint64_t n = 1; n < 2000; n *= 40) {
            const schedule s = { 0.0, 1.0, n, 's', &calls, 0.0 };
            double sigma = 0.0;
            double x = 0.0;
            const nw_sensitivity l2 = { 1.0, NW_ADD_REMOVE };
            assert_int_equal(nw_calibrate_gaussian(&sigma, targets[i][0], targets[i][1], l2, n, NW_ADD_REMOVE, NULL), NW_OK);
            assert_int_equal(
                nw_calibrate(&x, NW_CALIBRATE_LEAST, 1e-3, 1e6, targets[i][0], targets[i][1], NW_ADD_REMOVE, event_of, &s, NULL),
                NW_OK);
            assert_true(x >= sigma * (1.0 - 1e-9) && x <= sigma * (1.0 + 1e-6));
            assert_true(fabs(sqrt((double)n) / x / nw_gdp_mu(targets[i][0], targets[i][1]) - 1.0) < 1e-6);
        }
    }
}

static nw_status laplace_of(nw_event **out, double x, const void *context, nw_error *err)
{
    (void)context;
    return nw_event_laplace(out, x, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, err);
}

/* Pure DP, delta = 0: the scale is 1 / epsilon. */
static void calibrate__of_pure_noise_needs_no_delta(void **state)
{
    (void)state;
    double b = 0.0;
    assert_int_equal(nw_calibrate(&b, NW_CALIBRATE_LEAST, 1e-3, 1e3, 0.25, 0.0, NW_ADD_REMOVE, laplace_of, NULL, NULL), NW_OK);
    assert_true(b >= 4.0 && b <= 4.0 * (1.0 + 1e-6));
}

static void calibrate__says_when_the_interval_is_too_small(void **state)
{
    (void)state;
    int calls = 0;
    const schedule s = { 0.0, 0.5, 100, 's', &calls, 0.0 };
    const schedule q = { 1.0, 0.0, 100, 'q', &calls, 0.0 };
    const schedule n = { 0.3, 1.0, 0, 'n', &calls, 0.0 };
    double x = 7.0;
    nw_error err;
    assert_int_equal(nw_calibrate(&x, NW_CALIBRATE_LEAST, 0.1, 0.5, 1.0, 1e-6, NW_ADD_REMOVE, event_of, &s, &err), NW_E_BUDGET);
    assert_non_null(strstr(err.message, "0.5"));
    assert_int_equal(
        nw_calibrate(&x, NW_CALIBRATE_GREATEST, 0.4, 1.0, 1.0, 1e-6, NW_ADD_REMOVE, event_of, &q, &err), NW_E_BUDGET);
    assert_int_equal(
        nw_calibrate(&x, NW_CALIBRATE_GREATEST_COUNT, 1.0, 9.0, 1.0, 1e-6, NW_ADD_REMOVE, event_of, &n, &err), NW_E_BUDGET);
    assert_true(x == 7.0);
    /* the whole interval is private enough: its least private end */
    assert_int_equal(nw_calibrate(&x, NW_CALIBRATE_LEAST, 900.0, 1000.0, 1.0, 1e-6, NW_ADD_REMOVE, event_of, &s, NULL), NW_OK);
    assert_true(x == 900.0);
    assert_int_equal(nw_calibrate(&x, NW_CALIBRATE_GREATEST, 0.0, 1e-4, 9.0, 1e-3, NW_ADD_REMOVE, event_of, &q, NULL), NW_OK);
    assert_true(x == 1e-4);
    assert_int_equal(nw_calibrate(&x, NW_CALIBRATE_LEAST, 1000.0, 1000.0, 1.0, 1e-6, NW_ADD_REMOVE, event_of, &s, NULL), NW_OK);
    assert_true(x == 1000.0);
}

/* The caller's errors come back as they are, whenever they happen. */
static void calibrate__passes_errors_on(void **state)
{
    (void)state;
    int calls = 0;
    double x = 7.0;
    nw_error err;
    schedule s = { 0.0, 0.1, 100, 's', &calls, 1e9 };
    assert_int_equal(nw_calibrate(&x, NW_CALIBRATE_LEAST, 1.0, 100.0, 1.0, 1e-6, NW_ADD_REMOVE, event_of, &s, &err), NW_E_STATE);
    assert_string_equal(err.message, "asked for 100");
    s.fails_below = 50.0; /* not at the end that is tried first */
    assert_int_equal(nw_calibrate(&x, NW_CALIBRATE_LEAST, 1.0, 100.0, 1.0, 1e-6, NW_ADD_REMOVE, event_of, &s, &err), NW_E_STATE);
    assert_int_equal(err.status, NW_E_STATE);
    const schedule bad = { 1.0, 0.0, 10, 'q', &calls, 0.0 };
    assert_int_equal(nw_calibrate(&x, NW_CALIBRATE_GREATEST, 0.0, 4.0, 5.0, 1e-6, NW_ADD_REMOVE, event_of, &bad, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "must be in [0, 1]"));
}

static void calibrate__refuses_bad_arguments(void **state)
{
    (void)state;
    int calls = 0;
    const schedule s = { 0.0, 0.1, 10, 's', &calls, 0.0 };
    double x = 0.0;
    const double nan = (double)NAN;
    const struct {
        double low, high, epsilon, delta;
    } bad[] = { { 1, 2, 0, 1e-6 }, { 1, 2, -1, 1e-6 }, { 1, 2, nan, 1e-6 }, { 1, 2, 2e6, 1e-6 }, { 1, 2, 1, -1e-6 },
        { 1, 2, 1, 1 }, { 1, 2, 1, nan }, { 2, 1, 1, 1e-6 }, { -1, 1, 1, 1e-6 }, { nan, 1, 1, 1e-6 }, { 1, INFINITY, 1, 1e-6 } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(nw_calibrate(&x, NW_CALIBRATE_LEAST, bad[i].low, bad[i].high, bad[i].epsilon, bad[i].delta,
                             NW_ADD_REMOVE, event_of, &s, NULL),
            NW_E_ARG);
    assert_int_equal(nw_calibrate(NULL, NW_CALIBRATE_LEAST, 1, 2, 1, 1e-6, NW_ADD_REMOVE, event_of, &s, NULL), NW_E_ARG);
    assert_int_equal(nw_calibrate(&x, NW_CALIBRATE_LEAST, 1, 2, 1, 1e-6, NW_ADD_REMOVE, NULL, &s, NULL), NW_E_ARG);
    assert_int_equal(nw_calibrate(&x, (nw_calibrate_kind)0, 1, 2, 1, 1e-6, NW_ADD_REMOVE, event_of, &s, NULL), NW_E_ARG);
    assert_int_equal(nw_calibrate(&x, NW_CALIBRATE_LEAST, 1, 2, 1, 1e-6, NW_ADJACENCY_UNSET, event_of, &s, NULL), NW_E_ARG);
    assert_true(calls <= 1); /* only the last needs an event to find its fault */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calibrate__is_certified_and_nearly_optimal),
        cmocka_unit_test(calibrate__meets_the_closed_form),
        cmocka_unit_test(calibrate__of_pure_noise_needs_no_delta),
        cmocka_unit_test(calibrate__says_when_the_interval_is_too_small),
        cmocka_unit_test(calibrate__passes_errors_on),
        cmocka_unit_test(calibrate__refuses_bad_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
