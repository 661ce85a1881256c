/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_stats.c - accumulators of the stats room through their public header. */
#include "stats_support.h"

static void stats_new__refuses_each_bad_option_by_name(void **state)
{
    (void)state;
    const double nan = (double)NAN;
    const double inf = (double)INFINITY;
    const struct {
        const char *name;
        nw_stats_opts opts;
        nw_stats_query query;
    } cases[] = {
        { "epsilon", options(0.0, 0.0, NW_ADD_REMOVE), query(NW_STATS_COUNT, 1, 0, 1) },
        { "epsilon", options(nan, 0.0, NW_ADD_REMOVE), query(NW_STATS_COUNT, 1, 0, 1) },
        { "epsilon", options(65.0, 0.0, NW_ADD_REMOVE), query(NW_STATS_COUNT, 1, 0, 1) },
        { "epsilon", options(1e-12, 0.0, NW_ADD_REMOVE), query(NW_STATS_MEAN, 1, 0, 1) },
        { "delta", options(1.0, -1.0, NW_ADD_REMOVE), query(NW_STATS_COUNT, 1, 0, 1) },
        { "delta", options(1.0, 1.0, NW_ADD_REMOVE), query(NW_STATS_COUNT, 1, 0, 1) },
        { "delta", options(1.0, nan, NW_ADD_REMOVE), query(NW_STATS_COUNT, 1, 0, 1) },
        { "adjacency", options(1.0, 0.0, NW_ADJACENCY_UNSET), query(NW_STATS_COUNT, 1, 0, 1) },
        { "adjacency", options(1.0, 0.0, NW_ZERO_OUT), query(NW_STATS_COUNT, 1, 0, 1) },
        { "kind", options(1.0, 0.0, NW_ADD_REMOVE), query((nw_stats_kind)0, 1, 0, 1) },
        { "kind", options(1.0, 0.0, NW_ADD_REMOVE), query((nw_stats_kind)99, 1, 0, 1) },
        { "groups", options(1.0, 0.0, NW_ADD_REMOVE), query(NW_STATS_COUNT, 0, 0, 1) },
        { "groups", options(1.0, 0.0, NW_ADD_REMOVE), query(NW_STATS_COUNT, SIZE_MAX, 0, 1) },
        { "lower", options(1.0, 0.0, NW_ADD_REMOVE), query(NW_STATS_SUM, 1, 0, 0) },
        { "lower", options(1.0, 0.0, NW_ADD_REMOVE), query(NW_STATS_SUM, 1, nan, 1) },
        { "lower", options(1.0, 0.0, NW_ADD_REMOVE), query(NW_STATS_MEAN, 1, 0, inf) },
        { "lower", options(1.0, 0.0, NW_ADD_REMOVE), query(NW_STATS_MEAN, 1, -1e200, 1) },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nw_error err;
        nw_stats *stats = (nw_stats *)&err;
        assert_int_equal(nw_stats_new(&stats, &cases[i].query, 1, &cases[i].opts, &err), NW_E_ARG);
        assert_null(stats);
        if (strncmp(err.message, cases[i].name, strlen(cases[i].name)) != 0)
            fail_msg("case %zu: \"%s\" must begin with %s", i, err.message, cases[i].name);
    }
    nw_stats_query q = query(NW_STATS_COUNT, 1, 0, 1);
    q.weight = 0.0;
    const nw_stats_opts o = options(1.0, 0.0, NW_ADD_REMOVE);
    nw_stats *stats = NULL;
    assert_int_equal(nw_stats_new(&stats, &q, 1, &o, NULL), NW_E_ARG);
    assert_int_equal(nw_stats_new(&stats, &q, 0, &o, NULL), NW_E_ARG);
    assert_int_equal(nw_stats_new(&stats, NULL, 1, &o, NULL), NW_E_ARG);
    assert_int_equal(nw_stats_new(&stats, &q, 1, NULL, NULL), NW_E_ARG);
    assert_int_equal(nw_stats_new(NULL, &q, 1, &o, NULL), NW_E_ARG);
}

static void stats_opts_init__leaves_privacy_parameters_unset(void **state)
{
    (void)state;
    nw_stats_opts o;
    nw_stats_query q;
    nw_stats *stats = NULL;
    nw_error err;
    nw_stats_opts_init(&o, sizeof o);
    nw_stats_query_init(&q, sizeof q);
    q.kind = NW_STATS_COUNT;
    assert_int_equal(nw_stats_new(&stats, &q, 1, &o, &err), NW_E_ARG);
    o.epsilon = 1.0;
    assert_int_equal(nw_stats_new(&stats, &q, 1, &o, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "delta"));
    o.delta = 0.0;
    assert_int_equal(nw_stats_new(&stats, &q, 1, &o, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "adjacency"));
    o.adjacency = NW_REPLACE_ONE;
    assert_int_equal(nw_stats_new(&stats, &q, 1, &o, &err), NW_OK);
    nw_stats_free(stats);
}

/* Queries from an older caller, whose structure lacks the weight. */
static void stats_new__reads_shorter_structures(void **state)
{
    (void)state;
    typedef struct old_query {
        size_t struct_size;
        nw_stats_kind kind;
        size_t groups;
        double lower;
        double upper;
    } old_query;
    const old_query old[2] = {
        { sizeof(old_query), NW_STATS_SUM, 3, -1.0, 1.0 },
        { sizeof(old_query), NW_STATS_MEAN, 5, 0.0, 2.0 },
    };
    nw_stats *stats = make((const nw_stats_query *)(const void *)old, 2, options(1.0, 0.0, NW_ADD_REMOVE));
    assert_int_equal(nw_stats_get_plan(stats, 0).groups, 3);
    assert_int_equal(nw_stats_get_plan(stats, 1).groups, 5);
    assert_int_equal(nw_stats_get_plan(stats, 1).kind, NW_STATS_MEAN);
    assert_true(nw_stats_get_plan(stats, 0).share == 0.5 && nw_stats_get_plan(stats, 1).share == 0.5);
    nw_stats_free(stats);
}

static double mu_squared_of(const nw_event *event, nw_adjacency adjacency)
{
    nw_cost cost;
    assert_int_equal(nw_event_cost(event, adjacency, &cost, NULL), NW_OK);
    return cost.mu_squared;
}

/* The accountant, which knows nothing of shares, finds the whole budget spent and no more; a ledger of that budget admits it. */
static void stats_event__spends_the_budget_and_no_more(void **state)
{
    (void)state;
    const nw_adjacency adjacencies[] = { NW_ADD_REMOVE, NW_REPLACE_ONE };
    const double epsilons[] = { 0.01, 0.3, 1.0, 8.0, 60.0 };
    const double deltas[] = { 0.0, 1e-9 };
    nw_stats_query q[6] = { query(NW_STATS_COUNT, 7, 0, 0), query(NW_STATS_SUM, 2, -1, 3), query(NW_STATS_MEAN, 3, 10, 90),
        query(NW_STATS_VARIANCE, 1, 0, 1e6), query(NW_STATS_QUANTILE, 2, 0, 5), query(NW_STATS_MAX, 1, -5, 5) };
    q[1].weight = 3.7;
    q[2].weight = 0.01;
    for (size_t i = 0; i < 20; i++) {
        const double epsilon = epsilons[i % 5];
        const double delta = deltas[i / 5 % 2];
        const nw_adjacency adjacency = adjacencies[i / 10];
        nw_stats *stats = make(q, 6, options(epsilon, delta, adjacency));
        double spent = 0.0;
        bool is_fitting = false;
        assert_int_equal(nw_event_epsilon(nw_stats_event(stats), adjacency, delta, &spent, NULL, NULL), NW_OK);
        assert_true(spent <= epsilon);
        if (delta == 0.0)
            assert_true(spent > epsilon * (1.0 - 1e-12));
        else
            assert_true(mu_squared_of(nw_stats_event(stats), adjacency) > pow(nw_gdp_mu(epsilon, delta * (1.0 - 0x1p-10)), 2.0) *
                                                                              (1.0 - 1e-12)); /* a ledger keeps 2^-10 of delta */
        nw_ledger *ledger = ledger_of(epsilon, delta, adjacency);
        assert_int_equal(nw_ledger_fits(ledger, nw_stats_event(stats), &is_fitting, NULL), NW_OK);
        assert_true(is_fitting);
        nw_ledger_close(ledger);
        nw_stats_free(stats);
    }
}

/* Four parts added on different handles, one of them sent as bytes, give the figures of one handle. */
static void stats_merge__and_bytes_equal_one_pass(void **state)
{
    (void)state;
    enum { N = 4000, PARTS = 4 };
    static uint32_t groups[N];
    static double values[N];
    const nw_stats_query q[2] = { query(NW_STATS_VARIANCE, 3, -2, 2), query(NW_STATS_COUNT, 3, 0, 0) };
    const nw_stats_opts o = options(1.0, 1e-6, NW_ADD_REMOVE);
    nw_stats *whole = make(q, 2, o);
    nw_stats *parts[PARTS];
    for (size_t i = 0; i < N; i++) {
        groups[i] = (uint32_t)(i * i % 5);
        values[i] = sin((double)i);
    }
    for (size_t k = 0; k < 2; k++)
        assert_int_equal(nw_stats_add(whole, k, groups, values, N, NULL), NW_OK);
    for (size_t p = 0; p < PARTS; p++) {
        parts[p] = make(q, 2, o);
        for (size_t k = 0; k < 2; k++)
            assert_int_equal(nw_stats_add(parts[p], k, groups + p * N / PARTS, values + p * N / PARTS, N / PARTS, NULL), NW_OK);
    }
    const size_t size = nw_stats_size(whole);
    uint8_t *a = malloc(size);
    uint8_t *b = malloc(size);
    assert_int_equal(nw_stats_serialize(parts[1], a, size, NULL), NW_OK);
    assert_int_equal(nw_stats_merge_bytes(parts[0], a, size, NULL), NW_OK);
    assert_int_equal(nw_stats_merge(parts[0], parts[2], NULL), NW_OK);
    assert_int_equal(nw_stats_merge(parts[3], parts[0], NULL), NW_OK);
    assert_int_equal(nw_stats_serialize(parts[3], a, size, NULL), NW_OK);
    assert_int_equal(nw_stats_serialize(whole, b, size, NULL), NW_OK);
    assert_memory_equal(a, b, size);
    free(a);
    free(b);
    for (size_t p = 0; p < PARTS; p++)
        nw_stats_free(parts[p]);
    nw_stats_free(whole);
}

static void stats_merge__refuses_what_is_not_the_same(void **state)
{
    (void)state;
    const nw_stats_query q[3] = { query(NW_STATS_SUM, 3, -2, 2), query(NW_STATS_SUM, 3, -2, 3), query(NW_STATS_MEAN, 3, -2, 2) };
    nw_stats *a = make(&q[0], 1, options(1.0, 0.0, NW_ADD_REMOVE));
    const size_t size = nw_stats_size(a);
    uint8_t *bytes = calloc(1, size + 1);
    nw_stats *others[4] = { make(&q[1], 1, options(1.0, 0.0, NW_ADD_REMOVE)), make(&q[2], 1, options(1.0, 0.0, NW_ADD_REMOVE)),
        make(&q[0], 1, options(2.0, 0.0, NW_ADD_REMOVE)), make(&q[0], 1, options(1.0, 0.0, NW_REPLACE_ONE)) };
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(nw_stats_merge(a, others[i], NULL), NW_E_ARG);
        if (nw_stats_size(others[i]) == size) {
            assert_int_equal(nw_stats_serialize(others[i], bytes, size, NULL), NW_OK);
            assert_int_equal(nw_stats_merge_bytes(a, bytes, size, NULL), NW_E_FORMAT);
        }
        nw_stats_free(others[i]);
    }
    assert_int_equal(nw_stats_serialize(a, bytes, size, NULL), NW_OK);
    assert_int_equal(nw_stats_merge_bytes(a, bytes, size - 1, NULL), NW_E_FORMAT);
    assert_int_equal(nw_stats_merge_bytes(a, bytes, size + 1, NULL), NW_E_FORMAT);
    bytes[0] ^= 1;
    assert_int_equal(nw_stats_merge_bytes(a, bytes, size, NULL), NW_E_FORMAT);
    assert_int_equal(nw_stats_serialize(a, bytes, size - 1, NULL), NW_E_ARG);
    free(bytes);
    nw_stats_free(a);
}

static void stats_add__refuses_bad_arguments(void **state)
{
    (void)state;
    const double value = 1.0;
    const nw_stats_query q[2] = { query(NW_STATS_SUM, 1, -2, 2), query(NW_STATS_COUNT, 1, 0, 0) };
    nw_stats *stats = make(q, 2, options(1.0, 0.0, NW_ADD_REMOVE));
    assert_int_equal(nw_stats_add(NULL, 0, NULL, &value, 1, NULL), NW_E_ARG);
    assert_int_equal(nw_stats_add(stats, 2, NULL, &value, 1, NULL), NW_E_ARG);
    assert_int_equal(nw_stats_add(stats, 0, NULL, NULL, 1, NULL), NW_E_ARG);
    assert_int_equal(nw_stats_add(stats, 1, NULL, NULL, 1, NULL), NW_OK);
    assert_int_equal(nw_stats_add(stats, 0, NULL, NULL, 0, NULL), NW_OK);
    nw_stats_free(stats);
}

static void stats_release__refusals_draw_nothing_and_leave_the_handle_open(void **state)
{
    (void)state;
    const nw_stats_query q = query(NW_STATS_COUNT, 1, 0, 0);
    nw_stats *stats = make(&q, 1, options(1.0, 0.0, NW_ADD_REMOVE));
    nw_ledger *small = ledger_of(0.5, 0.0, NW_ADD_REMOVE);
    nw_ledger *large = ledger_of(1.5, 0.0, NW_ADD_REMOVE);
    nw_rng *rng = seeded(1);
    nw_rng *twin = seeded(1);
    nw_receipt receipt;
    nw_stats_figure figure;
    uint64_t a = 0;
    uint64_t b = 0;
    assert_int_equal(nw_stats_get(stats, 0, 0, &figure, NULL), NW_E_STATE);
    assert_int_equal(nw_stats_release(stats, NULL, large, "count", &receipt, NULL), NW_E_ARG);
    assert_int_equal(nw_stats_release(stats, rng, NULL, "count", &receipt, NULL), NW_E_ARG);
    assert_int_equal(nw_stats_release(stats, rng, large, NULL, &receipt, NULL), NW_E_ARG);
    assert_int_equal(nw_stats_release(stats, rng, small, "count", &receipt, NULL), NW_E_BUDGET);
    assert_string_equal(receipt.head, "");
    assert_int_equal(charges_of(small), 0);
    assert_int_equal(nw_rng_uniform(rng, UINT64_MAX, &a, NULL), NW_OK);
    assert_int_equal(nw_rng_uniform(twin, UINT64_MAX, &b, NULL), NW_OK);
    assert_true(a == b);
    assert_int_equal(nw_stats_release(stats, rng, large, "count", &receipt, NULL), NW_OK);
    assert_string_not_equal(receipt.head, "");
    assert_true(receipt.epsilon <= 1.0 && receipt.epsilon > 0.999999);
    assert_int_equal(charges_of(large), 1);
    assert_int_equal(nw_stats_release(stats, rng, large, "count", &receipt, NULL), NW_E_STATE);
    assert_int_equal(nw_stats_add(stats, 0, NULL, NULL, 1, NULL), NW_E_STATE);
    uint8_t bytes[64];
    assert_int_equal(nw_stats_serialize(stats, bytes, sizeof bytes, NULL), NW_E_STATE);
    assert_int_equal(nw_stats_merge_bytes(stats, bytes, sizeof bytes, NULL), NW_E_STATE);
    assert_int_equal(nw_stats_get(stats, 0, 0, &figure, NULL), NW_OK);
    assert_int_equal(nw_stats_get(stats, 1, 0, &figure, NULL), NW_E_ARG);
    assert_int_equal(nw_stats_get(stats, 0, 1, &figure, NULL), NW_E_ARG);
    nw_rng_free(rng);
    nw_rng_free(twin);
    nw_ledger_close(small);
    nw_ledger_close(large);
    nw_stats_free(stats);
}

/* With next to no noise the figures are the plain ones, of the values as the header maps them. */
static void stats_get__figures_are_the_plain_ones_at_a_large_epsilon(void **state)
{
    (void)state;
    enum { N = 100000 };
    static uint32_t groups[N];
    static double values[N];
    double n = 0.0;
    double sum = 0.0;
    double squares = 0.0;
    const nw_stats_query q[4] = { query(NW_STATS_COUNT, 2, 0, 0), query(NW_STATS_SUM, 2, 10, 50), query(NW_STATS_MEAN, 2, 10, 50),
        query(NW_STATS_VARIANCE, 2, 10, 50) };
    for (size_t i = 0; i < N; i++) {
        groups[i] = (uint32_t)(i % 3);
        values[i] = i % 100 == 5 ? (double)NAN : i % 100 == 6 ? (double)INFINITY : (double)(i * 31 % 64);
        if (groups[i] != 1 || isnan(values[i]))
            continue;
        const double x = fmin(fmax(values[i], 10.0), 50.0);
        n += 1.0;
        sum += x;
        squares += x * x;
    }
    const double mean = sum / n;
    const double wanted[4] = { N / 3, sum, mean, squares / n - mean * mean }; /* a count has no values, so none is missing */
    for (size_t d = 0; d < 2; d++) {
        const double delta = d == 0 ? 0.0 : 1e-9;
        nw_stats *stats = make(q, 4, options(60.0, delta, NW_ADD_REMOVE));
        nw_ledger *ledger = ledger_of(60.0, delta, NW_ADD_REMOVE);
        nw_rng *rng = seeded(d);
        for (size_t k = 0; k < 4; k++)
            assert_int_equal(nw_stats_add(stats, k, groups, values, N, NULL), NW_OK);
        assert_int_equal(nw_stats_release(stats, rng, ledger, "figures", NULL, NULL), NW_OK);
        for (size_t k = 0; k < 4; k++) {
            nw_stats_figure f;
            assert_int_equal(nw_stats_get(stats, k, 1, &f, NULL), NW_OK);
            if (!(fabs(f.value - wanted[k]) <= f.error) || !(f.error <= 2e-3 * fabs(wanted[k])))
                fail_msg("%s is %.9g +- %.3g, must be %.9g", nw_stats_kind_name(q[k].kind), f.value, f.error, wanted[k]);
        }
        nw_rng_free(rng);
        nw_ledger_close(ledger);
        nw_stats_free(stats);
    }
}

/* Without records a mean is undefined or within its bounds, and never outside of them. */
static void stats_get__of_empty_groups_is_undefined_or_within_bounds(void **state)
{
    (void)state;
    enum { GROUPS = 2000 };
    const nw_stats_query q[2] = { query(NW_STATS_MEAN, GROUPS, 10, 50), query(NW_STATS_VARIANCE, GROUPS, 10, 50) };
    nw_stats *stats = make(q, 2, options(1.0, 0.0, NW_ADD_REMOVE));
    nw_ledger *ledger = ledger_of(1.0, 0.0, NW_ADD_REMOVE);
    nw_rng *rng = seeded(5);
    size_t undefined = 0;
    const double largest = 400.0 * (1.0 + 1e-12); /* the half width of 20 is rounded up */
    assert_int_equal(nw_stats_release(stats, rng, ledger, "empty", NULL, NULL), NW_OK);
    for (size_t g = 0; g < GROUPS; g++) {
        for (size_t k = 0; k < 2; k++) {
            nw_stats_figure f;
            assert_int_equal(nw_stats_get(stats, k, g, &f, NULL), NW_OK);
            if (isnan(f.value)) {
                assert_true(isinf(f.error) && isinf(f.standard_error));
                undefined++;
                continue;
            }
            assert_true(k == 0 ? f.value >= 10.0 && f.value <= 50.0 : f.value >= 0.0 && f.value <= largest);
            assert_true(f.error > 0.0 && f.error <= largest);
        }
    }
    /* the noisy count of a group is below 1 a little more than half the time */
    assert_in_range(undefined, GROUPS, 2 * GROUPS * 6 / 10);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
    nw_stats_free(stats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stats_new__refuses_each_bad_option_by_name),
        cmocka_unit_test(stats_opts_init__leaves_privacy_parameters_unset),
        cmocka_unit_test(stats_new__reads_shorter_structures),
        cmocka_unit_test(stats_event__spends_the_budget_and_no_more),
        cmocka_unit_test(stats_merge__and_bytes_equal_one_pass),
        cmocka_unit_test(stats_merge__refuses_what_is_not_the_same),
        cmocka_unit_test(stats_add__refuses_bad_arguments),
        cmocka_unit_test(stats_release__refusals_draw_nothing_and_leave_the_handle_open),
        cmocka_unit_test(stats_get__figures_are_the_plain_ones_at_a_large_epsilon),
        cmocka_unit_test(stats_get__of_empty_groups_is_undefined_or_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
