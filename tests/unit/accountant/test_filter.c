/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_filter.c - privacy filters against closed forms: how much they let through, and what they refuse. Against adversaries:
 * test_filter_adaptive.c. */
#include "filter_support.h"

static void privacy_filter__gdp_lets_through_the_calibrated_number(void **state)
{
    (void)state;
    const double deltas[] = { 1e-3, 1e-6, 1e-10 };
    for (size_t i = 0; i < 3; i++) {
        const nw_privacy_filter_opts o = filter_options(1.5, deltas[i], NW_FILTER_GDP);
        double sigma = 0.0;
        assert_int_equal(nw_calibrate_gaussian(&sigma, 1.5, deltas[i] * SPLIT, one_record, 37, NW_ADD_REMOVE, NULL), NW_OK);
        assert_true(gaussian_delta(37, sigma, 1.5L) <= deltas[i] * SPLIT);
        assert_true(gaussian_delta(38, sigma, 1.5L) > deltas[i] * SPLIT);
        assert_int_equal(admitted(&o, gaussian_event(sigma * (1.0 + 1e-12)), 100), 37);
        assert_int_equal(admitted(&o, gaussian_event(sigma * (1.0 - 1e-9)), 100), 36);
    }
}

/* The most steps of rho each that [CKS20, Prop. 12] allows, the order taken from a fine grid. */
static int zcdp_allowed(double rho, double epsilon, double delta)
{
    int most = 0;
    for (double a = 1.001; a < 200.0; a *= 1.0001)
        most = (int)fmax(most, floor((double)renyi_allowed(a, epsilon, delta) / (rho * a)));
    return most;
}

static void privacy_filter__zcdp_lets_through_what_its_conversion_allows(void **state)
{
    (void)state;
    const int most = zcdp_allowed(0.5 / (20.0 * 20.0), 1.0, 1e-6 * SPLIT);
    const nw_privacy_filter_opts o = filter_options(1.0, 1e-6, NW_FILTER_ZCDP);
    nw_event *discrete = NULL;
    assert_int_equal(nw_event_noise(&discrete, NW_EVENT_DISCRETE_GAUSSIAN, 20.0, one_record, 1, NULL), NW_OK);
    assert_true(most > 10);
    assert_int_equal(admitted(&o, discrete, 1000), most);
}

static void privacy_filter__pure_adds_epsilons(void **state)
{
    (void)state;
    nw_privacy_filter_opts o = filter_options(1.0, 0.0, NW_FILTER_AUTO);
    assert_int_equal(admitted(&o, approx_event(0.125, 0.0), 100), 8); /* exact sums fill it */
    assert_int_equal(admitted(&o, approx_event(0.125 + 0x1p-50, 0.0), 100), 7);
    assert_int_equal(admitted(&o, approx_event(0.125, 1e-9), 100), 0); /* there is no delta */
    o.delta = 1e-6;
    o.kind = NW_FILTER_PURE;
    assert_int_equal(admitted(&o, approx_event(0.0625, 1e-7 * (1.0 - 1e-12)), 100), 10); /* all of delta is for events */
}

static void privacy_filter__renyi_lets_through_what_its_order_allows(void **state)
{
    (void)state;
    const double order = 16.0;
    nw_privacy_filter_opts o = filter_options(2.0, 1e-6, NW_FILTER_RENYI);
    o.orders = &order;
    o.order_count = 1;
    const double limit = (double)renyi_allowed(16.0L, 2.0L, 1e-6L * SPLIT);
    assert_int_equal(admitted(&o, gaussian_event(20.0), 1000), (int)floor(limit / (16.0 / 800.0)));
    /* under replace_one the distance doubles */
    o.adjacency = NW_REPLACE_ONE;
    assert_int_equal(admitted(&o, gaussian_event(20.0), 1000), (int)floor(limit / (16.0 * 4.0 / 800.0)));
}

/* Rates and noise chosen on the way: the sum of the binomial sums is within the limit, and the next step would not have been. */
static void privacy_filter__renyi_takes_subsampled_gaussians(void **state)
{
    (void)state;
    const double order = 8.0;
    nw_privacy_filter_opts o = filter_options(3.0, 1e-5, NW_FILTER_RENYI);
    o.orders = &order;
    o.order_count = 1;
    const double limit = (double)renyi_allowed(8.0L, 3.0L, 1e-5L * SPLIT);
    nw_privacy_filter *filter = filter_of(&o);
    double sum = 0.0;
    double q = 0.01;
    double sigma = 1.0;
    int steps = 0;
    nw_status status = NW_OK;
    while (status == NW_OK) {
        nw_event *e = sampled_event(q, sigma);
        const double step = sampled_renyi(q, sigma, 8);
        status = nw_privacy_filter_spend(filter, e, NULL);
        nw_event_free(e);
        assert_true(status == (sum + step <= limit ? NW_OK : NW_E_BUDGET));
        sum += status == NW_OK ? step : 0.0;
        q = steps % 3 == 0 ? 0.02 : 0.01 + 0.001 * (steps % 7);
        sigma = 1.0 + 0.05 * (steps % 11);
        steps++;
    }
    const nw_privacy_filter_summary s = nw_privacy_filter_summarise(filter);
    assert_true(steps > 50 && s.events == (uint64_t)steps - 1);
    assert_true(s.spent >= sum && s.spent <= sum * (1.0 + 1e-9));
    assert_true(fabs(s.limit - limit) < 1e-9 && s.limit <= limit);
    assert_true(s.order == 8.0 && s.used_fraction >= sum / limit * (1.0 - 1e-15) && s.used_fraction <= 1.0);
    assert_true(s.spent_epsilon <= 3.0 && s.spent_epsilon > 2.5);
    nw_privacy_filter_free(filter);
}

/* The two directions of a subsampled Gaussian differ; at high rates and little noise removal costs far more. */
static void privacy_filter__renyi_charges_the_worse_direction(void **state)
{
    (void)state;
    const double order = 4.0;
    nw_bounds bounds;
    nw_privacy_filter_opts o = filter_options(2.0, 1e-3, NW_FILTER_RENYI);
    o.orders = &order;
    o.order_count = 1;
    nw_privacy_filter *filter = filter_of(&o);
    nw_event *e = sampled_event(0.2, 0.5);
    assert_int_equal(nw_account_rdp(e, NW_ADD_REMOVE, order, &bounds, NULL), NW_OK);
    assert_true(fabs(bounds.upper - sampled_renyi(0.2, 0.5, 4)) < 1e-9);
    assert_int_equal(
        spend_all(filter, e, 100), (int)floor((double)renyi_allowed(4.0L, 2.0L, 1e-3L * SPLIT) / sampled_renyi(0.2, 0.5, 4)));
    nw_event_free(e);
    nw_privacy_filter_free(filter);
}

/* An order in a set of n has delta / n: its limit is log(n) / (a - 1) lower than alone, and that is all that is lost. */
static void privacy_filter__several_orders_cost_the_documented_amount(void **state)
{
    (void)state;
    const double orders[] = { 3.0, 8.0, 32.0 };
    const double sigmas[] = { 1.5, 6.0, 30.0 };
    nw_privacy_filter_opts all = filter_options(1.5, 1e-6, NW_FILTER_RENYI);
    all.epsilon = 12.0;
    all.orders = orders;
    all.order_count = 3;
    for (size_t w = 0; w < 3; w++) {
        int best = 0;
        int worst = 1 << 30;
        int expected = 0;
        for (size_t i = 0; i < 3; i++) {
            nw_privacy_filter_opts single = all;
            single.orders = &orders[i];
            single.order_count = 1;
            const double a = orders[i];
            const double limit = (double)renyi_allowed(a, 12.0L, 1e-6L * SPLIT);
            const double cost = 0.5 * a / (sigmas[w] * sigmas[w]);
            const int n = admitted(&single, gaussian_event(sigmas[w]), 20000);
            assert_int_equal(n, (int)floor(limit / cost));
            best = n > best ? n : best;
            worst = n < worst ? n : worst;
            expected = (int)fmax(expected, floor((limit - log(3.0) / (a - 1.0)) / cost));
        }
        const int n = admitted(&all, gaussian_event(sigmas[w]), 20000);
        assert_int_equal(n, expected);
        assert_true(n <= best && n > worst);
    }
}

static void privacy_filter__weights_share_delta(void **state)
{
    (void)state;
    const double orders[] = { 4.0, 20.0 };
    const double weights[] = { 0.75, 0.25 };
    nw_privacy_filter_opts o = filter_options(4.0, 1e-5, NW_FILTER_RENYI);
    o.orders = orders;
    o.order_count = 2;
    o.weights = weights;
    const double first = (double)renyi_allowed(4.0L, 4.0L, 0.75L * 1e-5L * SPLIT) / (0.5 * 4.0 / 400.0);
    const double second = (double)renyi_allowed(20.0L, 4.0L, 0.25L * 1e-5L * SPLIT) / (0.5 * 20.0 / 400.0);
    assert_int_equal(admitted(&o, gaussian_event(20.0), 20000), (int)floor(fmax(first, second)));
}

/* An order at which a step is unbounded is lost for ever; the other goes on. */
static void privacy_filter__an_infinite_order_leaves_the_others(void **state)
{
    (void)state;
    const double orders[] = { 4.0, 20.0 };
    const double known[] = { 2.0, 5.0 };
    const double rdp[] = { 0.01, 0.02 };
    nw_privacy_filter_opts o = filter_options(4.0, 1e-5, NW_FILTER_RENYI);
    nw_event *curve = NULL;
    nw_event *unknown = NULL;
    nw_error err;
    o.orders = orders;
    o.order_count = 2;
    nw_privacy_filter *filter = filter_of(&o);
    assert_int_equal(nw_event_rdp(&curve, known, rdp, 2, NW_ADD_REMOVE, NULL), NW_OK);
    assert_int_equal(nw_event_rdp(&unknown, known, rdp, 1, NW_ADD_REMOVE, NULL), NW_OK); /* nothing above order 2 */
    assert_int_equal(nw_privacy_filter_spend(filter, curve, NULL), NW_OK);
    assert_int_equal(nw_privacy_filter_spend(filter, unknown, &err), NW_E_UNSUPPORTED);
    assert_int_equal(nw_privacy_filter_spend(filter, curve, NULL), NW_OK);
    const nw_privacy_filter_summary s = nw_privacy_filter_summarise(filter);
    assert_true(s.order == 4.0 && s.events == 2 && s.spent > 0.02 && s.spent < 0.041 && s.spent_epsilon < 4.0);
    nw_event_free(curve);
    nw_event_free(unknown);
    nw_privacy_filter_free(filter);
}

/* At least what [WRRW22, Thm 1] allows, sqrt(2 ln(1/d') V) + V/2 <= epsilon, and in fact what the better conversion of the same
 * moments does; few large steps fit as a plain sum. */
static void privacy_filter__approx_is_advanced_or_plain_composition(void **state)
{
    (void)state;
    nw_privacy_filter_opts o = filter_options(1.0, 1e-6, NW_FILTER_APPROX);
    o.events_share = 0.5;
    for (int k = 0; k < 3; k++) {
        const double step = k == 0 ? 0.01 : k == 1 ? 0.02 : 0.0625;
        const double log_term = sqrt(2.0 * log(1.0 / 0.5e-6));
        const double root = -log_term + sqrt(log_term * log_term + 2.0); /* sqrt V */
        const int theorem = (int)floor(root * root / (step * step));
        const int n = admitted(&o, approx_event(step, 0.0), 100000);
        const int plain = (int)floor(1.0 / step);
        const int moments = zcdp_allowed(0.5 * step * step, 1.0, 0.5e-6);
        assert_true(n >= theorem && theorem > 1);
        assert_int_equal(n, moments > plain ? moments : plain);
        assert_int_equal(admitted(&o, approx_event(step, 1e-8 * (1.0 - 1e-12)), 100000), n < 50 ? n : 50); /* d'' = 5e-7 */
    }
    nw_privacy_filter *filter = filter_of(&o);
    nw_event *half = approx_event(0.5, 0.0);
    assert_int_equal(spend_all(filter, half, 100), 2);
    const nw_privacy_filter_summary s = nw_privacy_filter_summarise(filter);
    assert_true(s.kind == NW_FILTER_APPROX && isinf(s.order) && s.limit == 1.0 && s.spent == 1.0 && s.used_fraction == 1.0);
    assert_true(s.spent_epsilon == 1.0);
    nw_event_free(half);
    nw_privacy_filter_free(filter);
}

static void privacy_filter__charges_the_samplers_distance(void **state)
{
    (void)state;
    nw_privacy_filter_opts o = filter_options(40.0, 1e-18, NW_FILTER_GDP);
    nw_event *few = NULL;
    nw_event *many = NULL;
    nw_error err;
    /* (1 + e^40) N 2^-150 <= 1e-18 2^-10 */
    const double most = 1e-18 * 0x1p-10 / ((1.0 + exp(40.0)) * 0x1p-150);
    assert_true(most > 1e3 && most < 1e12);
    nw_privacy_filter *filter = filter_of(&o);
    assert_int_equal(nw_event_noise(&few, NW_EVENT_ROUNDED_GAUSSIAN, 50.0, one_record, (uint64_t)(most * 0.999), NULL), NW_OK);
    assert_int_equal(nw_event_noise(&many, NW_EVENT_ROUNDED_GAUSSIAN, 50.0, one_record, (uint64_t)(most * 0.01), NULL), NW_OK);
    assert_int_equal(nw_privacy_filter_spend(filter, few, NULL), NW_OK);
    assert_int_equal(nw_privacy_filter_spend(filter, many, &err), NW_E_BUDGET);
    assert_non_null(strstr(err.message, "share of delta"));
    assert_int_equal(nw_privacy_filter_summarise(filter).samples, (uint64_t)(most * 0.999));
    nw_event_free(few);
    nw_event_free(many);
    nw_privacy_filter_free(filter);
}

static void privacy_filter_spend__refused_changes_nothing(void **state)
{
    (void)state;
    nw_privacy_filter_opts o = filter_options(1.0, 1e-6, NW_FILTER_GDP);
    nw_privacy_filter *filter = filter_of(&o);
    nw_event *large = gaussian_event(0.5);
    nw_event *small = gaussian_event(20.0);
    nw_error err;
    assert_true(nw_privacy_filter_summarise(filter).spent_epsilon == 0.0);
    assert_int_equal(nw_privacy_filter_spend(filter, small, NULL), NW_OK);
    const nw_privacy_filter_summary before = nw_privacy_filter_summarise(filter);
    assert_int_equal(nw_privacy_filter_spend(filter, large, &err), NW_E_BUDGET);
    assert_non_null(strstr(err.message, "over the budget (epsilon 1, delta 1e-06)"));
    const nw_privacy_filter_summary after = nw_privacy_filter_summarise(filter);
    assert_memory_equal(&before, &after, sizeof before);
    assert_int_equal(nw_privacy_filter_spend(filter, small, NULL), NW_OK);
    assert_true(nw_privacy_filter_summarise(filter).spent > before.spent);
    nw_event_free(large);
    nw_event_free(small);
    nw_privacy_filter_free(filter);
}

static void privacy_filter_spend__says_which_kind_can(void **state)
{
    (void)state;
    nw_event *events[] = { NULL, sampled_event(0.1, 1.0), gaussian_event(1.0) };
    const nw_filter kinds[] = { NW_FILTER_GDP, NW_FILTER_ZCDP, NW_FILTER_PURE };
    const char *const hints[] = { "zcdp and renyi", "renyi may", "zcdp and renyi" };
    assert_int_equal(nw_event_noise(&events[0], NW_EVENT_DISCRETE_GAUSSIAN, 5.0, one_record, 1, NULL), NW_OK);
    for (size_t i = 0; i < 3; i++) {
        const nw_privacy_filter_opts o = filter_options(1.0, 1e-6, kinds[i]);
        nw_privacy_filter *filter = filter_of(&o);
        bool fits = false;
        nw_error err;
        assert_int_equal(nw_privacy_filter_spend(filter, events[i], &err), NW_E_UNSUPPORTED);
        assert_non_null(strstr(err.message, hints[i]));
        assert_int_equal(nw_privacy_filter_admits(filter, events[i], &fits, NULL), NW_E_UNSUPPORTED);
        assert_int_equal(nw_privacy_filter_summarise(filter).events, 0);
        nw_privacy_filter_free(filter);
        nw_event_free(events[i]);
    }
}

static void privacy_filter_new__names_what_is_wrong(void **state)
{
    (void)state;
    const double orders[] = { 1.0, 8.0 };
    const double good[] = { 2.0, 8.0 };
    const double low[] = { 1.01 };
    const double heavy[] = { 0.7, 0.4 };
    const double none[] = { 0.5, 0.0 };
    const struct {
        const char *word;
        double epsilon, delta, share;
        nw_adjacency adjacency;
        nw_filter kind;
        const double *orders, *weights;
        size_t n;
    } cases[] = {
        { "epsilon is 0", 0.0, 1e-6, 0.1, NW_ADD_REMOVE, NW_FILTER_GDP, NULL, NULL, 0 },
        { "epsilon is 65", 65.0, 1e-6, 0.1, NW_ADD_REMOVE, NW_FILTER_GDP, NULL, NULL, 0 },
        { "epsilon is nan", NAN, 1e-6, 0.1, NW_ADD_REMOVE, NW_FILTER_GDP, NULL, NULL, 0 },
        { "delta is -1", 1.0, -1.0, 0.1, NW_ADD_REMOVE, NW_FILTER_GDP, NULL, NULL, 0 },
        { "delta is 1", 1.0, 1.0, 0.1, NW_ADD_REMOVE, NW_FILTER_GDP, NULL, NULL, 0 },
        { "must be pure when delta is 0", 1.0, 0.0, 0.1, NW_ADD_REMOVE, NW_FILTER_APPROX, NULL, NULL, 0 },
        { "adjacency is unset", 1.0, 1e-6, 0.1, NW_ADJACENCY_UNSET, NW_FILTER_GDP, NULL, NULL, 0 },
        { "kind is 5", 1.0, 1e-6, 0.1, NW_ADD_REMOVE, NW_FILTER_SCHEDULE, NULL, NULL, 0 },
        { "kind is 7", 1.0, 1e-6, 0.1, NW_ADD_REMOVE, (nw_filter)7, NULL, NULL, 0 },
        { "events_share is 1", 1.0, 1e-6, 1.0, NW_ADD_REMOVE, NW_FILTER_GDP, NULL, NULL, 0 },
        { "orders and weights go with kind renyi", 1.0, 1e-6, 0.1, NW_ADD_REMOVE, NW_FILTER_GDP, good, NULL, 2 },
        { "order_count is 0", 1.0, 1e-6, 0.1, NW_ADD_REMOVE, NW_FILTER_RENYI, good, NULL, 0 },
        { "order_count is 33", 1.0, 1e-6, 0.1, NW_ADD_REMOVE, NW_FILTER_RENYI, good, NULL, 33 },
        { "orders[0] is 1", 1.0, 1e-6, 0.1, NW_ADD_REMOVE, NW_FILTER_RENYI, orders, NULL, 2 },
        { "the sum of weights is 1.1", 1.0, 1e-6, 0.1, NW_ADD_REMOVE, NW_FILTER_RENYI, good, heavy, 2 },
        { "weights[1] is 0", 1.0, 1e-6, 0.1, NW_ADD_REMOVE, NW_FILTER_RENYI, good, none, 2 },
        { "lets nothing through", 1.0, 1e-6, 0.1, NW_ADD_REMOVE, NW_FILTER_RENYI, low, NULL, 1 },
    };
    nw_privacy_filter *filter = NULL;
    nw_error err;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nw_privacy_filter_opts o = filter_options(cases[i].epsilon, cases[i].delta, cases[i].kind);
        o.events_share = cases[i].share;
        o.adjacency = cases[i].adjacency;
        o.orders = cases[i].orders;
        o.weights = cases[i].weights;
        o.order_count = cases[i].n;
        assert_int_equal(nw_privacy_filter_new(&filter, &o, &err), NW_E_ARG);
        if (strstr(err.message, cases[i].word) == NULL)
            fail_msg("'%s' is not in '%s'", cases[i].word, err.message);
        assert_null(filter);
    }
    nw_privacy_filter_opts o = filter_options(1.0, 1e-6, NW_FILTER_AUTO);
    assert_int_equal(nw_privacy_filter_new(&filter, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_privacy_filter_new(NULL, &o, &err), NW_E_ARG);
    filter = filter_of(&o);
    bool fits = false;
    assert_int_equal(nw_privacy_filter_spend(filter, NULL, &err), NW_E_ARG);
    nw_event *e = gaussian_event(1.0);
    assert_int_equal(nw_privacy_filter_spend(NULL, e, &err), NW_E_ARG);
    assert_int_equal(nw_privacy_filter_admits(filter, e, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_privacy_filter_admits(filter, NULL, &fits, &err), NW_E_ARG);
    assert_int_equal(nw_privacy_filter_summarise(filter).kind, NW_FILTER_GDP);
    nw_event_free(e);
    nw_privacy_filter_free(filter);
    nw_privacy_filter_free(NULL);
}

/* An older caller's structure ends earlier; the rest has its defaults. */
static void privacy_filter_opts_init__fills_in_what_an_older_caller_lacks(void **state)
{
    (void)state;
    nw_privacy_filter_opts o;
    nw_privacy_filter *filter = NULL;
    memset(&o, 0x5a, sizeof o);
    nw_privacy_filter_opts_init(&o, offsetof(nw_privacy_filter_opts, events_share));
    assert_int_equal(o.struct_size, offsetof(nw_privacy_filter_opts, events_share));
    assert_int_equal(nw_privacy_filter_new(&filter, &o, NULL), NW_E_ARG); /* privacy parameters have no default */
    o.epsilon = 1.0;
    o.delta = 1e-6;
    o.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_privacy_filter_new(&filter, &o, NULL), NW_OK);
    assert_true(nw_privacy_filter_summarise(filter).events_limit == 1e-6 * 0x1p-10);
    nw_privacy_filter_free(filter);
}

static void filter_name__knows_every_kind(void **state)
{
    (void)state;
    const char *const names[] = { "auto", "gdp", "zcdp", "pure", "renyi", "schedule", "approx" };
    for (int i = 0; i < 7; i++)
        assert_string_equal(nw_filter_name((nw_filter)i), names[i]);
    assert_string_equal(nw_filter_name((nw_filter)7), "unknown filter");
}

/* A square that underflows, as of a sensitivity far below the noise, is charged as something. */
static void event_cost__is_positive_where_it_underflows(void **state)
{
    (void)state;
    nw_event *e = NULL;
    nw_cost cost;
    assert_int_equal(nw_event_gaussian(&e, 1e200, one_record, NULL), NW_OK);
    assert_int_equal(nw_event_cost(e, NW_ADD_REMOVE, &cost, NULL), NW_OK);
    assert_true(cost.mu_squared > 0.0 && cost.rho_zcdp > 0.0);
    nw_event_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(privacy_filter__gdp_lets_through_the_calibrated_number),
        cmocka_unit_test(privacy_filter__zcdp_lets_through_what_its_conversion_allows),
        cmocka_unit_test(privacy_filter__pure_adds_epsilons),
        cmocka_unit_test(privacy_filter__renyi_lets_through_what_its_order_allows),
        cmocka_unit_test(privacy_filter__renyi_takes_subsampled_gaussians),
        cmocka_unit_test(privacy_filter__renyi_charges_the_worse_direction),
        cmocka_unit_test(privacy_filter__several_orders_cost_the_documented_amount),
        cmocka_unit_test(privacy_filter__weights_share_delta),
        cmocka_unit_test(privacy_filter__an_infinite_order_leaves_the_others),
        cmocka_unit_test(privacy_filter__approx_is_advanced_or_plain_composition),
        cmocka_unit_test(privacy_filter__charges_the_samplers_distance),
        cmocka_unit_test(privacy_filter_spend__refused_changes_nothing),
        cmocka_unit_test(privacy_filter_spend__says_which_kind_can),
        cmocka_unit_test(privacy_filter_new__names_what_is_wrong),
        cmocka_unit_test(privacy_filter_opts_init__fills_in_what_an_older_caller_lacks),
        cmocka_unit_test(filter_name__knows_every_kind),
        cmocka_unit_test(event_cost__is_positive_where_it_underflows),
    };
    return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
