/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_odometer.c - readings against closed forms of fixed lists. Whenever an adversary stops: test_filter_adaptive.c. */
#include "filter_support.h"

static nw_odometer_opts odometer_options(double delta, nw_filter kind)
{
    nw_odometer_opts o = NW_ODOMETER_OPTS_INIT;
    o.delta = delta;
    o.adjacency = NW_ADD_REMOVE;
    o.kind = kind;
    return o;
}

static nw_odometer *odometer_of(const nw_odometer_opts *o)
{
    nw_odometer *odometer = NULL;
    nw_error err;
    if (nw_odometer_new(&odometer, o, &err) != NW_OK)
        fail_msg("%s", err.message);
    return odometer;
}

/* Reading i is first 2^(i/2); it has 6 / (pi^2 (i+1)^2) of delta. */
static int index_of(double reading, double first)
{
    return (int)lround(2.0 * log2(reading / first));
}

static double delta_of_reading(double delta, int i)
{
    const double pi = 3.14159265358979323846;
    return delta * 6.0 / (pi * pi * (i + 1.0) * (i + 1.0)) * SPLIT;
}

/* After each of many Gaussians: at least the exact epsilon of the list, the first reading whose share of delta is enough, and so
 * less than sqrt(2) times what a filter with the share of the reading before would have been made for. */
static void odometer__reads_the_first_budget_that_holds_the_sum(void **state)
{
    (void)state;
    const double delta = 1e-6;
    const nw_odometer_opts o = odometer_options(delta, NW_FILTER_AUTO);
    nw_odometer *odometer = odometer_of(&o);
    nw_event *e = gaussian_event(30.0);
    double last = 0.0;
    int readings = 0;
    assert_true(nw_odometer_epsilon(odometer) == 0.0);
    for (int n = 1; n <= 20000; n++) {
        assert_int_equal(nw_odometer_add(odometer, e, NULL), NW_OK);
        const double reading = nw_odometer_epsilon(odometer);
        const int i = index_of(reading, o.first_epsilon);
        assert_true(reading >= last);
        assert_true(fabs(reading - o.first_epsilon * pow(2.0, 0.5 * i)) < 1e-9 * reading);
        assert_true((double)gaussian_delta(n, 30.0L, reading) <= delta_of_reading(delta, i) * (1.0 + 1e-9));
        if (i > 0)
            assert_true((double)gaussian_delta(n, 30.0L, reading / sqrtl(2.0L)) > delta_of_reading(delta, i - 1) * (1.0 - 1e-9));
        assert_true(reading >= nw_gdp_epsilon(sqrt(n) / 30.0, delta) * (1.0 - 1e-9));
        readings += reading > last;
        last = reading;
    }
    assert_true(readings > 10 && last > 20.0 && last < 64.0);
    nw_event_free(e);
    nw_odometer_free(odometer);
}

static void odometer__zcdp_and_renyi_read_at_least_the_truth(void **state)
{
    (void)state;
    const double orders[] = { 2.0, 4.0, 8.0, 16.0, 32.0, 64.0 };
    nw_odometer_opts zcdp = odometer_options(1e-6, NW_FILTER_ZCDP);
    nw_odometer_opts renyi = odometer_options(1e-6, NW_FILTER_RENYI);
    renyi.orders = orders;
    renyi.order_count = 6;
    nw_odometer *odometers[] = { odometer_of(&zcdp), odometer_of(&renyi) };
    nw_event *e = gaussian_event(10.0);
    for (int n = 1; n <= 2000; n++) {
        const double exact = nw_gdp_epsilon(sqrt(n) / 10.0, 1e-6);
        for (int k = 0; k < 2; k++) {
            assert_int_equal(nw_odometer_add(odometers[k], e, NULL), NW_OK);
            const double reading = nw_odometer_epsilon(odometers[k]);
            assert_true(reading >= exact);
            assert_true(n < 10 || reading < (k == 0 ? 2.0 : 2.5) * exact);
        }
    }
    nw_event_free(e);
    nw_odometer_free(odometers[0]);
    nw_odometer_free(odometers[1]);
}

/* The binomial sums of orders 4 and 16 give an epsilon that no reading may be below; rates and noise vary. */
static void odometer__takes_subsampled_gaussians(void **state)
{
    (void)state;
    const double orders[] = { 4.0, 16.0 };
    nw_odometer_opts o = odometer_options(1e-5, NW_FILTER_RENYI);
    nw_bounds truth;
    o.orders = orders;
    o.order_count = 2;
    nw_odometer *odometer = odometer_of(&o);
    nw_event *steps[2] = { sampled_event(0.01, 1.0), sampled_event(0.02, 2.0) };
    nw_event *parts[2] = { NULL, NULL };
    nw_event *all = NULL;
    for (int n = 0; n < 300; n++)
        assert_int_equal(nw_odometer_add(odometer, steps[n % 2], NULL), NW_OK);
    const double reading = nw_odometer_epsilon(odometer);
    const int i = index_of(reading, o.first_epsilon);
    bool holds = false;
    bool held_before = false;
    for (int k = 0; k < 2; k++) {
        const int a = (int)orders[k];
        const double sum = 150.0 * (sampled_renyi(0.01, 1.0, a) + sampled_renyi(0.02, 2.0, a));
        holds = holds || sum <= (double)renyi_allowed(a, reading, 0.5 * delta_of_reading(1e-5, i));
        held_before = held_before || sum <= (double)renyi_allowed(a, reading / sqrtl(2.0L), 0.5 * delta_of_reading(1e-5, i - 1));
    }
    assert_true(holds && !held_before);
    for (int k = 0; k < 2; k++)
        assert_int_equal(nw_event_repeat(&parts[k], steps[k], 150, NULL), NW_OK);
    assert_int_equal(nw_event_composed(&all, (const nw_event *const *)parts, 2, NULL), NW_OK);
    assert_int_equal(nw_account_epsilon(all, NW_ADD_REMOVE, 1e-5, NULL, &truth, NULL), NW_OK);
    assert_true(reading > truth.upper);
    for (int k = 0; k < 2; k++) {
        nw_event_free(steps[k]);
        nw_event_free(parts[k]);
    }
    nw_event_free(all);
    nw_odometer_free(odometer);
}

static void odometer_epsilon__is_infinite_beyond_its_last_reading(void **state)
{
    (void)state;
    nw_odometer_opts o = odometer_options(1e-6, NW_FILTER_GDP);
    o.first_epsilon = 64.0;
    nw_odometer *odometer = odometer_of(&o);
    nw_event *e = gaussian_event(0.5);
    assert_int_equal(nw_odometer_add(odometer, e, NULL), NW_OK);
    assert_true(nw_odometer_epsilon(odometer) == 64.0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(nw_odometer_add(odometer, e, NULL), NW_OK);
    assert_true(isinf(nw_odometer_epsilon(odometer)));
    nw_event_free(e);
    nw_odometer_free(odometer);
}

/* Deltas of events have their share of each reading's delta: beyond the first one's no later one, with less, is enough. */
static void odometer_epsilon__is_infinite_beyond_the_share_of_events(void **state)
{
    (void)state;
    const double six_over_pi_squared = 0.60792710185402663;
    nw_odometer_opts o = odometer_options(1e-4, NW_FILTER_ZCDP);
    o.events_share = 0.25;
    nw_odometer *odometer = odometer_of(&o);
    nw_event *inside = approx_event(0.001, 0.25e-4 * six_over_pi_squared * 0.999);
    nw_event *more = approx_event(0.001, 0.25e-4 * six_over_pi_squared * 0.002);
    assert_int_equal(nw_odometer_add(odometer, inside, NULL), NW_OK);
    assert_true(nw_odometer_epsilon(odometer) == o.first_epsilon);
    assert_int_equal(nw_odometer_add(odometer, more, NULL), NW_OK);
    assert_true(isinf(nw_odometer_epsilon(odometer)));
    nw_event_free(inside);
    nw_event_free(more);
    nw_odometer_free(odometer);
}

static void odometer__names_what_is_wrong(void **state)
{
    (void)state;
    const struct {
        const char *word;
        double delta, first;
        nw_filter kind;
    } cases[] = {
        { "delta is -1", -1.0, 0.1, NW_FILTER_GDP },
        { "delta is 0", 0.0, 0.1, NW_FILTER_GDP },
        { "kind is 3", 1e-6, 0.1, NW_FILTER_PURE },
        { "kind is 5", 1e-6, 0.1, NW_FILTER_SCHEDULE },
        { "first_epsilon is 0", 1e-6, 0.0, NW_FILTER_GDP },
        { "first_epsilon is 65", 1e-6, 65.0, NW_FILTER_GDP },
        { "order_count is 0", 1e-6, 0.1, NW_FILTER_RENYI },
    };
    nw_odometer *odometer = NULL;
    nw_error err;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nw_odometer_opts o = odometer_options(cases[i].delta, cases[i].kind);
        o.first_epsilon = cases[i].first;
        assert_int_equal(nw_odometer_new(&odometer, &o, &err), NW_E_ARG);
        if (strstr(err.message, cases[i].word) == NULL)
            fail_msg("'%s' is not in '%s'", cases[i].word, err.message);
        assert_null(odometer);
    }
    nw_odometer_opts o;
    memset(&o, 0x5a, sizeof o);
    nw_odometer_opts_init(&o, sizeof o);
    o.delta = 1e-6;
    assert_int_equal(nw_odometer_new(&odometer, &o, &err), NW_E_ARG); /* no adjacency */
    o.adjacency = NW_ADD_REMOVE;
    const double low = 1.0001;
    o.kind = NW_FILTER_RENYI;
    o.orders = &low;
    o.order_count = 1;
    assert_int_equal(nw_odometer_new(&odometer, &o, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "lets nothing through"));
    assert_int_equal(nw_odometer_new(NULL, &o, &err), NW_E_ARG);
    assert_int_equal(nw_odometer_new(&odometer, NULL, &err), NW_E_ARG);
    o = odometer_options(1e-6, NW_FILTER_GDP);
    odometer = odometer_of(&o);
    nw_event *sampled = sampled_event(0.1, 1.0);
    assert_int_equal(nw_odometer_add(odometer, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_odometer_add(NULL, sampled, &err), NW_E_ARG);
    assert_int_equal(nw_odometer_add(odometer, sampled, &err), NW_E_UNSUPPORTED);
    assert_true(nw_odometer_epsilon(odometer) == 0.0);
    nw_event_free(sampled);
    nw_odometer_free(odometer);
    nw_odometer_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odometer__reads_the_first_budget_that_holds_the_sum),
        cmocka_unit_test(odometer__zcdp_and_renyi_read_at_least_the_truth),
        cmocka_unit_test(odometer__takes_subsampled_gaussians),
        cmocka_unit_test(odometer_epsilon__is_infinite_beyond_its_last_reading),
        cmocka_unit_test(odometer_epsilon__is_infinite_beyond_the_share_of_events),
        cmocka_unit_test(odometer__names_what_is_wrong),
    };
    return cmocka_run_group_tests_name("odometer", tests, NULL, NULL);
}
