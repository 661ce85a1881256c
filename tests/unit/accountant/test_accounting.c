/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_accounting.c - conversions, calibration and composition against tests/vectors/accounting.json and their own properties. */
#include "accountant_internal.h"
#include "vectors.h"

#include <math.h>
#include <nw/noise.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

/* A certified upper value: not below the proven lower end of the truth, and within `relative` of it. */
static void check_upper(const char *id, double value, double low, double truth, double relative)
{
    if (!(value >= low) || !(value <= truth * (1.0 + relative) + 1e-300))
        fail_msg("%s: %.17g is not in [%.17g, %.17g (1 + %g)]", id, value, low, truth, relative);
}

static bool is_all(const json_t *mechanisms, const char *type)
{
    for (size_t i = 0; i < json_array_size(mechanisms); i++)
        if (strcmp(json_string_value(json_object_get(json_array_get(mechanisms, i), "type")), type) != 0)
            return false;
    return true;
}

static nw_event *event_of(const json_t *entry)
{
    nw_event *event = NULL;
    nw_error err;
    json_t *list = json_pack("{s:O}", "mechanisms", json_object_get(entry, "mechanisms"));
    char *text = json_dumps(list, JSON_REAL_PRECISION(17));
    if (nw_event_from_json(&event, text, &err) != NW_OK)
        fail_msg("%s", err.message);
    free(text);
    json_decref(list);
    return event;
}

static void event_epsilon__is_exact_for_every_gaussian_vector(void **state)
{
    (void)state;
    size_t checked = 0;
    json_t *root = load_vectors("accounting.json");
    const json_t *entries = json_object_get(root, "entries");
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *e = json_array_get(entries, i);
        const json_t *query = json_object_get(e, "query");
        const char *id = json_string_value(json_object_get(e, "id"));
        nw_adjacency adjacency = NW_ADJACENCY_UNSET;
        double value = 0.0;
        const char *method = NULL;
        if (strcmp(json_string_value(json_object_get(e, "kind")), "composition") != 0 ||
            !is_all(json_object_get(e, "mechanisms"), "gaussian"))
            continue;
        nw_event *event = event_of(e);
        assert_int_equal(nw_adjacency_parse(json_string_value(json_object_get(e, "adjacency")), &adjacency, NULL), NW_OK);
        if (strcmp(json_string_value(json_object_get(query, "kind")), "epsilon") == 0)
            assert_int_equal(
                nw_event_epsilon(event, adjacency, vector_number(json_object_get(query, "delta")), &value, &method, NULL), NW_OK);
        else
            assert_int_equal(
                nw_event_delta(event, adjacency, vector_number(json_object_get(query, "epsilon")), &value, &method, NULL), NW_OK);
        check_upper(id, value, vector_number(json_array_get(json_object_get(e, "bound"), 0)),
            vector_number(json_object_get(e, "truth")), 1e-10);
        assert_string_equal(method, "gdp");
        nw_event_free(event);
        checked++;
    }
    assert_int_equal(checked, 10);
    json_decref(root);
}

/* Mechanisms with only a pure, zCDP or mixed bound here: never below the truth. */
static void event_epsilon__is_an_upper_bound_for_laplace_and_discrete_vectors(void **state)
{
    (void)state;
    size_t checked = 0;
    json_t *root = load_vectors("accounting.json");
    const json_t *entries = json_object_get(root, "entries");
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *e = json_array_get(entries, i);
        const json_t *query = json_object_get(e, "query");
        const json_t *m = json_object_get(e, "mechanisms");
        double value = 0.0;
        if (strcmp(json_string_value(json_object_get(e, "kind")), "composition") != 0 ||
            !(is_all(m, "laplace") || is_all(m, "discrete_laplace") || is_all(m, "discrete_gaussian")))
            continue;
        nw_event *event = event_of(e);
        if (strcmp(json_string_value(json_object_get(query, "kind")), "epsilon") == 0)
            assert_int_equal(
                nw_event_epsilon(event, NW_ADD_REMOVE, vector_number(json_object_get(query, "delta")), &value, NULL, NULL),
                NW_OK);
        else
            assert_int_equal(
                nw_event_delta(event, NW_ADD_REMOVE, vector_number(json_object_get(query, "epsilon")), &value, NULL, NULL),
                NW_OK);
        assert_true(value >= vector_number(json_array_get(json_object_get(e, "bound"), 0)));
        nw_event_free(event);
        checked++;
    }
    assert_true(checked >= 13);
    json_decref(root);
}

static void zcdp_epsilon__matches_the_vectors(void **state)
{
    (void)state;
    size_t checked = 0;
    json_t *root = load_vectors("accounting.json");
    const json_t *entries = json_object_get(root, "entries");
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *e = json_array_get(entries, i);
        const json_t *query = json_object_get(e, "query");
        if (strcmp(json_string_value(json_object_get(e, "kind")), "zcdp_to_approx_dp") != 0)
            continue;
        const double truth = vector_number(json_object_get(json_object_get(e, "results"), "cks_prop12_optimised"));
        const double value =
            nw_zcdp_epsilon(vector_number(json_object_get(query, "rho")), vector_number(json_object_get(query, "delta")));
        check_upper(json_string_value(json_object_get(e, "id")), value, truth * (1.0 - 1e-13), truth, 1e-12);
        checked++;
    }
    assert_int_equal(checked, 3);
    json_decref(root);
}

static void calibrate_gaussian__matches_the_vectors(void **state)
{
    (void)state;
    size_t checked = 0;
    json_t *root = load_vectors("accounting.json");
    const json_t *entries = json_object_get(root, "entries");
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *e = json_array_get(entries, i);
        const json_t *query = json_object_get(e, "query");
        const json_t *m = json_array_get(json_object_get(e, "mechanisms"), 0);
        double sigma = 0.0;
        if (strcmp(json_string_value(json_object_get(e, "kind")), "calibrate") != 0 ||
            strcmp(json_string_value(json_object_get(m, "type")), "gaussian") != 0)
            continue;
        const nw_sensitivity unit = { vector_number(json_object_get(m, "sensitivity")), NW_ADD_REMOVE };
        assert_int_equal(nw_calibrate_gaussian(&sigma, vector_number(json_object_get(query, "epsilon")),
                             vector_number(json_object_get(query, "delta")), unit, 1, NW_ADD_REMOVE, NULL),
            NW_OK);
        check_upper(json_string_value(json_object_get(e, "id")), sigma,
            vector_number(json_array_get(json_object_get(e, "bound"), 0)), vector_number(json_object_get(e, "truth")), 1e-10);
        checked++;
    }
    assert_int_equal(checked, 3);
    json_decref(root);
}

/* G_mu lies below the trade-off function of (epsilon, 0)-DP exactly if it does at the vertex (1 / (1 + e^epsilon), same): check
 * on a grid, in long double, that the conversion is an upper bound and a tight one. */
static void gdp_from_pure__touches_the_vertex(void **state)
{
    (void)state;
    for (double epsilon = 1e-9; epsilon < 700.0; epsilon *= 1.7) {
        const double mu = nw_gdp_from_pure(epsilon);
        const long double tail = 0.5L * erfcl((long double)mu / 2.0L * 0.707106781186547524400844362104849L);
        const long double vertex = 1.0L / (1.0L + expl((long double)epsilon));
        if (epsilon < 1e-3) /* 1/2 - vertex, without cancellation */
            assert_true(0.5L * erfl((long double)mu / 2.0L * 0.707106781186547524400844362104849L) >=
                        0.5L * tanhl((long double)epsilon / 2.0L));
        else
            assert_true(tail <= vertex);
        assert_true(tail >= vertex * (1.0L - 1e-9L));
    }
    assert_true(nw_gdp_from_pure(0.0) == 0.0);
    assert_true(isinf(nw_gdp_from_pure(INFINITY)) && isinf(nw_gdp_from_pure(1.7e308)) && isfinite(nw_gdp_from_pure(1e299)));
}

/* Exponential mechanisms over up to eight candidates, by enumeration: neighbours move each score by at most 1. The hockey stick
 * is below that of the Gaussian of the mu that is charged; of half that epsilon it is not. */
static void gdp_from_range__bounds_exponential_mechanisms(void **state)
{
    enum { CANDIDATES = 8, PAIRS = 4000 };
    nw_rng *rng = NULL;
    size_t above_half = 0;
    (void)state;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 12, NULL), NW_OK);
    for (int pair = 0; pair < PAIRS; pair++) {
        uint32_t word[2 * CANDIDATES + 2];
        double p[CANDIDATES];
        double q[CANDIDATES];
        double sum_p = 0.0;
        double sum_q = 0.0;
        assert_int_equal(nw_rng_bytes(rng, word, sizeof word, NULL), NW_OK);
        const size_t n = 2 + word[2 * CANDIDATES] % (CANDIDATES - 1);
        const double epsilon = exp(word[2 * CANDIDATES + 1] * 0x1p-30 - 2.0); /* e^-2 .. e^2 */
        for (size_t i = 0; i < n; i++) {
            const double score = word[i] % 3 * 0.5;
            const double move = pair % 2 == 0 ? (double)(word[CANDIDATES + i] % 3) - 1.0 : word[CANDIDATES + i] * 0x1p-31 - 1.0;
            sum_p += p[i] = exp(0.5 * epsilon * score);
            sum_q += q[i] = exp(0.5 * epsilon * (score + move));
        }
        for (double at = -1.0; at <= 1.0; at += 0.125) {
            const double threshold = exp(at * epsilon);
            double delta = 0.0;
            for (size_t i = 0; i < n; i++)
                delta += fmax(0.0, p[i] / sum_p - threshold * q[i] / sum_q);
            /* by symmetry of the Gaussian, delta(-x) = 1 - e^-x (1 - delta(x)) */
            const double x = fabs(at * epsilon);
            const double whole = nw_gdp_delta(nw_gdp_from_range(epsilon), x);
            const double half = nw_gdp_delta(nw_gdp_from_range(0.5 * epsilon), x);
            assert_true(delta <= (at < 0.0 ? 1.0 - exp(-x) * (1.0 - whole) : whole) + 1e-14);
            above_half += delta > (at < 0.0 ? 1.0 - exp(-x) * (1.0 - half) : half) + 1e-14;
        }
    }
    assert_true(above_half > 1000);
    nw_rng_free(rng);
}

static void gdp_range__is_the_inverse_on_the_safe_side(void **state)
{
    (void)state;
    for (double mu = 1e-12; mu < 1e6; mu *= 2.3) {
        const double epsilon = nw_gdp_range(mu);
        assert_true(nw_gdp_from_range(epsilon) <= mu);
        assert_true(nw_gdp_from_range(epsilon * (1.0 + 1e-8)) > mu);
    }
    assert_true(nw_gdp_range(0.0) == 0.0);
    assert_true(isinf(nw_gdp_range(INFINITY)));
    assert_true(isnan(nw_gdp_range(-1.0)) && isnan(nw_gdp_range((double)NAN)));
    assert_true(nw_gdp_from_range(0.0) == 0.0 && isinf(nw_gdp_from_range(INFINITY)) && isnan(nw_gdp_from_range(-1.0)));
    assert_true(nw_gdp_from_range(0x1p-1074) > 0.0 && nw_gdp_range(0x1p-1074) <= 0x1p-1072);
    assert_true(isfinite(nw_gdp_range(1e200)));
}

/* A choice in each currency; two records' worth where the relation makes it that. */
static void event_cost__of_a_choice_is_that_of_its_range(void **state)
{
    (void)state;
    for (double epsilon = 0.01; epsilon < 50.0; epsilon *= 3.0) {
        nw_event *event = NULL;
        nw_cost one;
        nw_cost two;
        assert_int_equal(nw_event_selection(&event, NW_EVENT_EXPONENTIAL, epsilon, NW_ADD_REMOVE, NULL), NW_OK);
        assert_int_equal(nw_event_cost(event, NW_ADD_REMOVE, &one, NULL), NW_OK);
        assert_int_equal(nw_event_cost(event, NW_REPLACE_ONE, &two, NULL), NW_OK);
        nw_event_free(event);
        const double mu = nw_gdp_from_pure(0.5 * epsilon);
        assert_true(one.mu_squared >= mu * mu && one.mu_squared <= mu * mu * (1.0 + 1e-15));
        assert_true(fabs(one.rho_zcdp / (epsilon * epsilon / 8.0) - 1.0) < 1e-15 && one.epsilon_pure == epsilon);
        assert_true(fabs(sqrt(two.mu_squared) / nw_gdp_from_pure(epsilon) - 1.0) < 1e-15 && two.epsilon_pure == 2.0 * epsilon);
    }
}

static void conversions__are_monotone_and_inverse_to_each_other(void **state)
{
    (void)state;
    const double deltas[] = { 1e-300, 1e-30, 1e-9, 1e-3, 0.5 };
    for (size_t d = 0; d < sizeof deltas / sizeof *deltas; d++) {
        double last_gdp = 0.0;
        double last_zcdp = 0.0;
        for (double x = 1e-6; x < 30.0; x *= 1.9) {
            const double gdp = nw_gdp_epsilon(x, deltas[d]);
            const double zcdp = nw_zcdp_epsilon(0.5 * x * x, deltas[d]);
            assert_true(gdp >= last_gdp && zcdp >= last_zcdp * (1.0 - 1e-12));
            assert_true(gdp <= zcdp * (1.0 + 1e-9) + 1e-12); /* mu-GDP implies mu^2/2-zCDP, and not the other way round */
            assert_true(nw_gdp_delta(x, gdp) <= deltas[d]);
            if (gdp > 0.0) {
                assert_true(nw_gdp_mu(gdp, deltas[d]) >= x * (1.0 - 1e-9));
                assert_true(nw_gdp_epsilon(nw_gdp_mu(gdp, deltas[d]), deltas[d]) <= gdp * (1.0 + 1e-6));
            }
            if (zcdp > 0.0) {
                assert_true(nw_zcdp_epsilon(nw_zcdp_rho(zcdp, deltas[d]), deltas[d]) <= zcdp);
                assert_true(nw_zcdp_delta(0.5 * x * x, zcdp) <= deltas[d] * (1.0 + 1e-6));
            }
            last_gdp = gdp;
            last_zcdp = zcdp;
        }
    }
}

/* delta(epsilon) = integral of phi(s) (1 - e^{-mu (s - a)}) over s > a, by Simpson's rule in long double: another formula,
 * another arithmetic. */
static void gdp_delta__agrees_with_quadrature(void **state)
{
    (void)state;
    const double mus[] = { 1e-4, 0.03, 0.5, 1.0, 4.0, 11.0 };
    for (size_t i = 0; i < sizeof mus / sizeof *mus; i++) {
        for (double epsilon = 0.0; epsilon <= 8.0 * mus[i]; epsilon += 0.7 * mus[i] + 1e-9) {
            enum { STEPS = 20000 };
            const long double a = (long double)epsilon / mus[i] - 0.5L * mus[i];
            const long double width = 14.0L + (a < 0 ? -a : 0);
            const long double h = width / STEPS;
            long double sum = 0.0L;
            for (int k = 0; k <= STEPS; k++) {
                const long double t = h * k;
                const long double f = expl(-0.5L * (t + a) * (t + a)) * -expm1l(-(long double)mus[i] * t);
                sum += f * (k == 0 || k == STEPS ? 1.0L : k % 2 == 1 ? 4.0L : 2.0L);
            }
            const double truth = (double)(sum * h / 3.0L * 0.398942280401432677939946059934L);
            const double value = nw_gdp_delta(mus[i], epsilon);
            assert_true(value >= truth * (1.0 - 1e-9));
            assert_true(value <= truth * (1.0 + 1e-7)); /* the error bound grows as 1 / mu */
        }
    }
}

static void conversions__handle_the_ends(void **state)
{
    (void)state;
    assert_true(isnan(nw_gdp_delta(-1.0, 1.0)) && isnan(nw_gdp_delta(1.0, -1.0)) && isnan(nw_gdp_delta((double)NAN, 1.0)));
    assert_true(nw_gdp_delta(0.0, 0.0) == 0.0 && nw_gdp_delta(INFINITY, 1.0) == 1.0);
    assert_true(isinf(nw_gdp_epsilon(1.0, 0.0)) && nw_gdp_epsilon(0.0, 0.0) == 0.0 && nw_gdp_epsilon(1.0, 1.0) == 0.0);
    assert_true(nw_gdp_mu(1.0, 0.0) == 0.0 && isinf(nw_gdp_mu(1.0, 1.0)));
    assert_true(isinf(nw_zcdp_epsilon(1.0, 0.0)) && nw_zcdp_epsilon(0.0, 0.0) == 0.0);
    assert_true(nw_gdp_delta(1e-3, 1e6) > 0.0 && nw_gdp_delta(1e-3, 1e6) < 1e-300);
    assert_true(nw_gdp_mu(1e6, 1e-9) > 1300.0 && nw_gdp_mu(1e6, 1e-9) < 1500.0);
}

static void event_cost__repeat_equals_the_composition_of_copies(void **state)
{
    (void)state;
    const nw_sensitivity s = { 1.5, NW_ADD_REMOVE };
    nw_event *leaves[5] = { NULL };
    assert_int_equal(nw_event_noise(&leaves[0], NW_EVENT_ROUNDED_GAUSSIAN, 3.0, s, 10, NULL), NW_OK);
    assert_int_equal(nw_event_laplace(&leaves[1], 2.0, s, NULL), NW_OK);
    assert_int_equal(nw_event_pure(&leaves[2], 0.3, NW_ADD_REMOVE, NULL), NW_OK);
    assert_int_equal(nw_event_zcdp(&leaves[3], 0.01, NW_ADD_REMOVE, NULL), NW_OK);
    assert_int_equal(nw_event_approx(&leaves[4], 0.1, 1e-7, NW_ADD_REMOVE, NULL), NW_OK);
    for (size_t i = 0; i < 5; i++) {
        const nw_event *copies[7];
        nw_event *repeat = NULL;
        nw_event *composed = NULL;
        nw_cost x;
        nw_cost y;
        for (int k = 0; k < 7; k++)
            copies[k] = leaves[i];
        assert_int_equal(nw_event_repeat(&repeat, leaves[i], 7, NULL), NW_OK);
        assert_int_equal(nw_event_composed(&composed, copies, 7, NULL), NW_OK);
        assert_int_equal(nw_event_cost(repeat, NW_ADD_REMOVE, &x, NULL), NW_OK);
        assert_int_equal(nw_event_cost(composed, NW_ADD_REMOVE, &y, NULL), NW_OK);
        const double pairs[4][2] = { { x.mu_squared, y.mu_squared }, { x.rho_zcdp, y.rho_zcdp },
            { x.epsilon_pure, y.epsilon_pure }, { x.delta, y.delta } };
        for (int k = 0; k < 4; k++)
            assert_true(pairs[k][0] == pairs[k][1] || fabs(pairs[k][0] / pairs[k][1] - 1.0) < 1e-14);
        assert_true(x.samples == y.samples && x.samples == nw_event_samples(composed));
        nw_event_free(repeat);
        nw_event_free(composed);
        nw_event_free(leaves[i]);
    }
}

static void event_cost__knows_what_the_sensitivity_was_worked_out_for(void **state)
{
    (void)state;
    nw_event *contribution = NULL;
    nw_event *change = NULL;
    nw_cost cost;
    nw_error err;
    assert_int_equal(nw_event_gaussian(&contribution, 2.0, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, NULL), NW_OK);
    assert_int_equal(nw_event_gaussian(&change, 2.0, (nw_sensitivity){ 1.0, NW_REPLACE_ONE }, NULL), NW_OK);
    assert_int_equal(nw_event_cost(contribution, NW_ADD_REMOVE, &cost, NULL), NW_OK);
    assert_true(fabs(cost.mu_squared - 0.25) < 1e-15);
    assert_int_equal(nw_event_cost(contribution, NW_ZERO_OUT, &cost, NULL), NW_OK);
    assert_true(fabs(cost.mu_squared - 0.25) < 1e-15);
    assert_int_equal(nw_event_cost(contribution, NW_REPLACE_ONE, &cost, NULL), NW_OK);
    assert_true(fabs(cost.mu_squared - 1.0) < 1e-15); /* opposite contributions: twice the distance */
    assert_int_equal(nw_event_cost(change, NW_REPLACE_ONE, &cost, NULL), NW_OK);
    assert_true(fabs(cost.mu_squared - 0.25) < 1e-15);
    assert_int_equal(nw_event_cost(change, NW_ADD_REMOVE, &cost, &err), NW_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "replace_one"));
    assert_int_equal(nw_event_cost(change, NW_ADJACENCY_UNSET, &cost, &err), NW_E_ARG);
    nw_event_free(contribution);
    nw_event_free(change);
}

/* Tables that differ in one label differ in one record: what holds of records holds of labels, and never the other way. */
static void event_cost__of_labels_says_nothing_of_records(void **state)
{
    (void)state;
    static const nw_adjacency others[] = { NW_ADD_REMOVE, NW_REPLACE_ONE, NW_ZERO_OUT };
    nw_event *label = NULL, *read = NULL;
    nw_cost cost;
    nw_error err;
    char *json = NULL;
    assert_int_equal(nw_event_gaussian(&label, 2.0, (nw_sensitivity){ 1.0, NW_REPLACE_LABEL }, NULL), NW_OK);
    assert_int_equal(nw_event_cost(label, NW_REPLACE_LABEL, &cost, NULL), NW_OK);
    assert_true(fabs(cost.mu_squared - 0.25) < 1e-15);
    for (int i = 0; i < 3; i++)
        assert_int_equal(nw_event_cost(label, others[i], &cost, &err), NW_E_UNSUPPORTED);
    assert_int_equal(nw_event_to_json(label, &json, NULL), NW_OK);
    assert_int_equal(nw_event_from_json(&read, json, NULL), NW_OK);
    assert_int_equal(nw_event_cost(read, NW_REPLACE_ONE, &cost, &err), NW_E_UNSUPPORTED);
    nw_string_free(json);
    nw_event_free(label);
    nw_event_free(read);
}

static void account_delta__of_records_is_that_of_labels(void **state)
{
    (void)state;
    nw_event *leaves[5] = { NULL };
    nw_event *all = NULL, *sampled = NULL;
    nw_bounds records, labels;
    nw_error err;
    assert_int_equal(nw_event_gaussian(&leaves[0], 3.0, (nw_sensitivity){ 1.0, NW_REPLACE_ONE }, NULL), NW_OK);
    assert_int_equal(nw_event_laplace(&leaves[1], 5.0, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, NULL), NW_OK);
    assert_int_equal(nw_event_randomized_response(&leaves[2], 0.9, 3, NULL), NW_OK);
    assert_int_equal(nw_event_fixed_size_subsampled(&leaves[3], 100, 10, false, leaves[0], NULL), NW_OK);
    assert_int_equal(nw_event_poisson_subsampled(&sampled, 0.1, leaves[0], NULL), NW_OK);
    assert_int_equal(nw_account_delta(sampled, NW_REPLACE_LABEL, 0.5, NULL, &labels, &err), NW_E_UNSUPPORTED);
    leaves[4] = leaves[2];
    assert_int_equal(nw_event_composed(&all, (const nw_event *const *)leaves, 5, NULL), NW_OK);
    assert_int_equal(nw_account_delta(all, NW_REPLACE_ONE, 0.7, NULL, &records, NULL), NW_OK);
    assert_int_equal(nw_account_delta(all, NW_REPLACE_LABEL, 0.7, NULL, &labels, NULL), NW_OK);
    assert_true(records.upper == labels.upper && records.lower == labels.lower && labels.upper > 0.01);
    assert_int_equal(nw_account_rdp(all, NW_REPLACE_ONE, 3.0, &records, NULL), NW_OK);
    assert_int_equal(nw_account_rdp(all, NW_REPLACE_LABEL, 3.0, &labels, NULL), NW_OK);
    assert_true(records.upper == labels.upper);
    for (int i = 0; i < 4; i++)
        nw_event_free(leaves[i]);
    nw_event_free(all);
    nw_event_free(sampled);
}

static void event_epsilon__charges_the_samplers_distance(void **state)
{
    (void)state;
    nw_event *few = NULL;
    nw_event *many = NULL;
    double x = 0.0;
    double y = 0.0;
    const nw_sensitivity s = { 1.0, NW_ADD_REMOVE };
    assert_int_equal(nw_event_noise(&few, NW_EVENT_ROUNDED_GAUSSIAN, 5.0, s, 0, NULL), NW_OK);
    assert_int_equal(nw_event_noise(&many, NW_EVENT_ROUNDED_GAUSSIAN, 5.0, s, UINT64_C(1) << 62, NULL), NW_OK);
    assert_int_equal(nw_event_epsilon(few, NW_ADD_REMOVE, 2.7e-26, &x, NULL, NULL), NW_OK);
    assert_int_equal(nw_event_epsilon(many, NW_ADD_REMOVE, 2.7e-26, &y, NULL, NULL), NW_OK);
    assert_true(y > x); /* (1 + e^2) 2^62 2^-150 = 2.7e-26 leaves next to nothing */
    assert_int_equal(nw_event_epsilon(many, NW_ADD_REMOVE, 1e-20, &y, NULL, NULL), NW_OK);
    assert_true(isfinite(y));
    nw_event_free(few);
    nw_event_free(many);
    nw_noise *noise = NULL;
    for (int law = NW_NOISE_ROUNDED_GAUSSIAN; law <= NW_NOISE_DISCRETE_LAPLACE; law++) {
        assert_int_equal(nw_noise_new(&noise, (nw_noise_law)law, 3.0, NULL), NW_OK);
        assert_true(exp2(nw_noise_log2_tv(noise)) <= NW__SAMPLE_TV);
        nw_noise_free(noise);
    }
}

/* What is exact is not rounded: the budget of n releases holds n of them. */
static void event_epsilon__of_a_whole_laplace_ratio_is_that_ratio(void **state)
{
    (void)state;
    nw_event *event = NULL;
    const double scales[] = { 1.0, 2.0, 0.5, 1024.0 };
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        double epsilon = 0.0;
        assert_int_equal(nw_event_laplace(&event, scales[i], (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, NULL), NW_OK);
        assert_int_equal(nw_event_epsilon(event, NW_ADD_REMOVE, 0.0, &epsilon, NULL, NULL), NW_OK);
        assert_true(epsilon == 1.0 / scales[i]);
        nw_event_free(event);
    }
    assert_int_equal(nw_event_laplace(&event, 3.0, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, NULL), NW_OK);
    double third = 0.0;
    assert_int_equal(nw_event_epsilon(event, NW_ADD_REMOVE, 0.0, &third, NULL, NULL), NW_OK);
    assert_true(third * 3.0L > 1.0L); /* rounded up, not to nearest */
    nw_event_free(event);
}

/* Few records of many: the loss of a step is nearly always tiny and rarely large, so the sum's tail is that of a Poisson number
 * of large losses. The interval is narrow, and below the bound by divergences, a second method. */
static void account_epsilon__composes_rare_large_losses(void **state)
{
    (void)state;
    nw_event *noise = NULL;
    nw_event *step = NULL;
    nw_event *all = NULL;
    nw_bounds b;
    nw_bounds r;
    assert_int_equal(nw_event_gaussian(&noise, 0.7, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, NULL), NW_OK);
    assert_int_equal(nw_event_poisson_subsampled(&step, 1e-5, noise, NULL), NW_OK);
    assert_int_equal(nw_event_repeat(&all, step, 10000000, NULL), NW_OK);
    assert_int_equal(nw_account_epsilon(all, NW_ADD_REMOVE, 1e-6, NULL, &b, NULL), NW_OK);
    assert_string_equal(b.method, "pld");
    assert_true(b.lower > 0.0 && b.upper - b.lower < 0.02 * b.upper);
    assert_int_equal(nw_account_rdp(all, NW_ADD_REMOVE, 8.0, &r, NULL), NW_OK);
    const double order = 8.0;
    assert_true(b.upper < nw_rdp_epsilon(&order, &r.upper, 1, 1e-6));
    nw_event_free(noise);
    nw_event_free(step);
    nw_event_free(all);
}

static nw_event *drawn_with_replacement(uint64_t population, uint64_t sample, double sigma)
{
    nw_event *noise = NULL;
    nw_event *event = NULL;
    assert_int_equal(nw_event_gaussian(&noise, sigma, (nw_sensitivity){ 1.0, NW_REPLACE_ONE }, NULL), NW_OK);
    assert_int_equal(nw_event_fixed_size_subsampled(&event, population, sample, true, noise, NULL), NW_OK);
    nw_event_free(noise);
    return event;
}

/* [BBG18, Thm 10] as a plain sum, each weight by lgamma. */
static double with_replacement_profile(double n, double m, double mu, double epsilon)
{
    long double sum = 0.0L;
    const long double q = -expm1l(m * log1pl(-1.0L / n));
    const double inner = (double)log1pl(expm1l(epsilon) / q);
    for (double k = 1.0; k <= m; k += 1.0) {
        const long double log_w =
            lgammal(m + 1.0L) - lgammal(k + 1.0L) - lgammal(m - k + 1.0L) - k * logl(n) + (m - k) * log1pl(-1.0L / n);
        sum += expl(log_w) * (long double)nw_gdp_delta(k * mu, inner);
    }
    return (double)sum;
}

static void account_delta__with_replacement_is_the_sum_over_how_often_a_record_is_drawn(void **state)
{
    (void)state;
    const struct {
        uint64_t population, sample;
        double sigma;
    } cases[] = { { 2, 3, 2.0 }, { 100, 10, 1.0 }, { 1000, 1000, 3.0 }, { 10, 2000, 300.0 } };
    nw_bounds b;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nw_event *event = drawn_with_replacement(cases[i].population, cases[i].sample, cases[i].sigma);
        for (double epsilon = 0.1; epsilon < 3.0; epsilon *= 2.0) {
            const double profile =
                with_replacement_profile((double)cases[i].population, (double)cases[i].sample, 1.0 / cases[i].sigma, epsilon);
            assert_int_equal(nw_account_delta(event, NW_REPLACE_ONE, epsilon, NULL, &b, NULL), NW_OK);
            assert_true(b.upper >= profile * (1.0 - 1e-12));
            assert_true(b.upper <= profile * (1.0 + 1e-6) + 1e-18);
        }
        nw_event_free(event);
    }
    /* the only record, five times: one Gaussian at five times the distance */
    nw_event *only = drawn_with_replacement(1, 5, 5.0);
    assert_int_equal(nw_account_epsilon(only, NW_REPLACE_ONE, 1e-5, NULL, &b, NULL), NW_OK);
    assert_true(b.upper >= 4.37717809568106 && b.upper < 4.377178097);
    nw_event_free(only);
    /* drawn 50000 times: more often than is summed over, so nothing may be claimed */
    nw_event *often = drawn_with_replacement(2, 100000, 5000.0);
    assert_int_equal(nw_account_epsilon(often, NW_REPLACE_ONE, 1e-5, NULL, &b, NULL), NW_OK);
    assert_true(b.upper > 10.0);
    nw_event_free(often);
}

static void calibrate_gaussian__refuses_bad_parameters(void **state)
{
    (void)state;
    const nw_sensitivity s = { 1.0, NW_ADD_REMOVE };
    double sigma = 0.0;
    nw_error err;
    assert_int_equal(nw_calibrate_gaussian(&sigma, 0.0, 1e-9, s, 1, NW_ADD_REMOVE, &err), NW_E_ARG);
    assert_int_equal(nw_calibrate_gaussian(&sigma, (double)NAN, 1e-9, s, 1, NW_ADD_REMOVE, &err), NW_E_ARG);
    assert_int_equal(nw_calibrate_gaussian(&sigma, 1.0, 0.0, s, 1, NW_ADD_REMOVE, &err), NW_E_ARG);
    assert_int_equal(nw_calibrate_gaussian(&sigma, 1.0, 1.0, s, 1, NW_ADD_REMOVE, &err), NW_E_ARG);
    assert_int_equal(nw_calibrate_gaussian(&sigma, 1.0, 1e-9, s, 0, NW_ADD_REMOVE, &err), NW_E_ARG);
    assert_int_equal(nw_calibrate_gaussian(NULL, 1.0, 1e-9, s, 1, NW_ADD_REMOVE, &err), NW_E_ARG);
    assert_int_equal(
        nw_calibrate_gaussian(&sigma, 1.0, 1e-9, (nw_sensitivity){ -1.0, NW_ADD_REMOVE }, 1, NW_ADD_REMOVE, &err), NW_E_ARG);
    assert_int_equal(nw_calibrate_gaussian(&sigma, 1.0, 1e-9, (nw_sensitivity){ 1.0, NW_REPLACE_ONE }, 1, NW_ADD_REMOVE, &err),
        NW_E_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(event_epsilon__is_exact_for_every_gaussian_vector),
        cmocka_unit_test(event_epsilon__is_an_upper_bound_for_laplace_and_discrete_vectors),
        cmocka_unit_test(zcdp_epsilon__matches_the_vectors),
        cmocka_unit_test(calibrate_gaussian__matches_the_vectors),
        cmocka_unit_test(gdp_from_pure__touches_the_vertex),
        cmocka_unit_test(gdp_from_range__bounds_exponential_mechanisms),
        cmocka_unit_test(gdp_range__is_the_inverse_on_the_safe_side),
        cmocka_unit_test(event_cost__of_a_choice_is_that_of_its_range),
        cmocka_unit_test(conversions__are_monotone_and_inverse_to_each_other),
        cmocka_unit_test(gdp_delta__agrees_with_quadrature),
        cmocka_unit_test(conversions__handle_the_ends),
        cmocka_unit_test(event_cost__repeat_equals_the_composition_of_copies),
        cmocka_unit_test(event_cost__knows_what_the_sensitivity_was_worked_out_for),
        cmocka_unit_test(event_cost__of_labels_says_nothing_of_records),
        cmocka_unit_test(account_delta__of_records_is_that_of_labels),
        cmocka_unit_test(event_epsilon__charges_the_samplers_distance),
        cmocka_unit_test(event_epsilon__of_a_whole_laplace_ratio_is_that_ratio),
        cmocka_unit_test(account_epsilon__composes_rare_large_losses),
        cmocka_unit_test(account_delta__with_replacement_is_the_sum_over_how_often_a_record_is_drawn),
        cmocka_unit_test(calibrate_gaussian__refuses_bad_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
