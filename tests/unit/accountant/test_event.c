/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_event.c - events as values, and their JSON form. */
#include "accountant_internal.h"

#include <locale.h>
#include <math.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static const nw_sensitivity UNIT = { 1.0, NW_ADD_REMOVE };

static uint64_t draw(nw_rng *rng, uint64_t bound)
{
    uint64_t x = 0;
    assert_int_equal(nw_rng_uniform(rng, bound, &x, NULL), NW_OK);
    return x;
}

/* A positive double with all its bits at work. */
static double odd_double(nw_rng *rng)
{
    return ldexp((double)(draw(rng, UINT64_C(1) << 53) + 1), (int)draw(rng, 200) - 150);
}

static nw_event *random_tree(nw_rng *rng, int depth)
{
    nw_event *e = NULL;
    const nw_adjacency adjacency = (nw_adjacency)(1 + draw(rng, 3));
    const nw_sensitivity s = { odd_double(rng), adjacency };
    switch (depth == 0 ? draw(rng, 9) : 9 + draw(rng, 2)) {
    case 0: assert_int_equal(nw_event_gaussian(&e, odd_double(rng), s, NULL), NW_OK); break;
    case 1:
        assert_int_equal(nw_event_noise(&e, NW_EVENT_ROUNDED_GAUSSIAN, odd_double(rng), s, draw(rng, 1u << 30), NULL), NW_OK);
        break;
    case 2:
        assert_int_equal(nw_event_noise(&e, NW_EVENT_DISCRETE_GAUSSIAN, odd_double(rng), s, draw(rng, 9), NULL), NW_OK);
        break;
    case 3: assert_int_equal(nw_event_laplace(&e, odd_double(rng), s, NULL), NW_OK); break;
    case 4:
        assert_int_equal(nw_event_noise(&e, NW_EVENT_DISCRETE_LAPLACE, odd_double(rng),
                             (nw_sensitivity){ (double)(1 + draw(rng, 100)), adjacency }, 1, NULL),
            NW_OK);
        break;
    case 5: assert_int_equal(nw_event_pure(&e, odd_double(rng), adjacency, NULL), NW_OK); break;
    case 6:
        assert_int_equal(nw_event_approx(&e, odd_double(rng), 1.0 / (double)(2 + draw(rng, 1000)), adjacency, NULL), NW_OK);
        break;
    case 7: assert_int_equal(nw_event_zcdp(&e, odd_double(rng), adjacency, NULL), NW_OK); break;
    case 8: assert_int_equal(nw_event_gdp(&e, odd_double(rng), adjacency, NULL), NW_OK); break;
    case 9: {
        nw_event *child = random_tree(rng, depth - 1);
        assert_int_equal(nw_event_repeat(&e, child, 1 + draw(rng, 1u << 20), NULL), NW_OK);
        nw_event_free(child);
        break;
    }
    default: {
        nw_event *children[4] = { NULL };
        const size_t n = 1 + draw(rng, 4);
        for (size_t i = 0; i < n; i++)
            children[i] = random_tree(rng, depth - 1);
        assert_int_equal(nw_event_composed(&e, (const nw_event *const *)children, n, NULL), NW_OK);
        for (size_t i = 0; i < n; i++)
            nw_event_free(children[i]);
    }
    }
    return e;
}

static bool same_event(const nw_event *x, const nw_event *y)
{
    if (x->kind != y->kind || x->parameter != y->parameter || x->delta != y->delta || x->samples != y->samples ||
        x->count != y->count || x->sensitivity.value != y->sensitivity.value ||
        x->sensitivity.adjacency != y->sensitivity.adjacency || x->child_count != y->child_count)
        return false;
    for (size_t i = 0; i < x->child_count; i++)
        if (!same_event(x->children[i], y->children[i]))
            return false;
    return true;
}

static void event_json__loses_nothing(void **state)
{
    (void)state;
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 1, NULL), NW_OK);
    for (int i = 0; i < 300; i++) {
        nw_event *event = random_tree(rng, i % 4);
        nw_event *back = NULL;
        nw_event *copy = NULL;
        char *json = NULL;
        nw_error err;
        assert_int_equal(nw_event_to_json(event, &json, NULL), NW_OK);
        if (nw_event_from_json(&back, json, &err) != NW_OK)
            fail_msg("%s: %s", err.message, json);
        assert_true(same_event(event, back));
        assert_int_equal(nw_event_copy(&copy, event, NULL), NW_OK);
        assert_true(same_event(event, copy));
        nw_string_free(json);
        nw_event_free(event);
        nw_event_free(back);
        nw_event_free(copy);
    }
    nw_rng_free(rng);
}

static void event_from_json__reads_the_forms_of_tables(void **state)
{
    (void)state;
    nw_event *event = NULL;
    nw_cost cost;
    const char *text = "{\"mechanisms\": [{\"type\": \"gaussian\", \"sigma\": 2.0, \"sensitivity\": 1.0, \"count\": 4},"
                       " {\"type\": \"discrete_laplace\", \"a\": 0.25, \"sensitivity\": 2, \"count\": 1}]}";
    assert_int_equal(nw_event_from_json(&event, text, NULL), NW_OK);
    assert_int_equal(nw_event_cost(event, NW_ADD_REMOVE, &cost, NULL), NW_OK);
    const double mu = nw_gdp_from_pure(0.5);
    assert_true(fabs(cost.mu_squared - (1.0 + mu * mu)) < 1e-12);
    nw_event_free(event);
}

static void event_from_json__refuses_with_the_key(void **state)
{
    (void)state;
    const struct {
        const char *body;
        nw_status status;
        const char *word;
    } cases[] = {
        { "{\"type\": \"gaussian\", \"sigma\": 0, \"sensitivity\": 1}", NW_E_FORMAT, "sigma" },
        { "{\"type\": \"gaussian\", \"sensitivity\": 1}", NW_E_FORMAT, "sigma" },
        { "{\"type\": \"gaussian\", \"sigma\": \"0x1p1024\", \"sensitivity\": 1}", NW_E_FORMAT, "sigma" },
        { "{\"type\": \"gaussian\", \"sigma\": \"1.5\", \"sensitivity\": 1}", NW_E_FORMAT, "sigma" },
        { "{\"type\": \"gaussian\", \"sigma\": \"0x1pp\", \"sensitivity\": 1}", NW_E_FORMAT, "sigma" },
        { "{\"type\": \"gaussian\", \"sigma\": 1}", NW_E_FORMAT, "sensitivity" },
        { "{\"type\": \"gaussian\", \"sigma\": 1, \"sensitivity\": {\"norm\": \"l1\", \"value\": 1, \"adjacency\": "
          "\"add_remove\"}}",
            NW_E_FORMAT, "norm" },
        { "{\"type\": \"gaussian\", \"sigma\": 1, \"sensitivity\": {\"value\": 1}}", NW_E_FORMAT, "adjacency" },
        { "{\"type\": \"gaussian\", \"sigma\": 1, \"sensitivity\": 1, \"samples\": -1}", NW_E_FORMAT, "samples" },
        { "{\"type\": \"gaussian\", \"sigma\": 1, \"sensitivity\": 1, \"count\": 0}", NW_E_FORMAT, "count" },
        { "{\"type\": \"pure\", \"epsilon\": 1}", NW_E_FORMAT, "adjacency" },
        { "{\"type\": \"approx\", \"epsilon\": 1, \"adjacency\": \"add_remove\"}", NW_E_FORMAT, "delta" },
        { "{\"type\": \"approx\", \"epsilon\": 1, \"delta\": 1, \"adjacency\": \"add_remove\"}", NW_E_FORMAT, "delta" },
        { "{\"type\": \"repeat\", \"event\": {\"type\": \"gdp\", \"mu\": 1, \"adjacency\": \"add_remove\"}}", NW_E_FORMAT,
            "count" },
        { "{\"type\": \"composed\", \"events\": []}", NW_E_FORMAT, "events" },
        { "{\"type\": \"composed\"}", NW_E_FORMAT, "events" },
        { "{\"type\": \"poisson_subsampled\", \"q\": 0.1}", NW_E_FORMAT, "base" },
        { "{\"type\": \"pure\", \"epsilon\": 1, \"delta\": 1e-6, \"adjacency\": \"add_remove\"}", NW_E_FORMAT, "delta" },
        { "{\"type\": \"gdp\", \"mu\": 1, \"sensitivity\": 2, \"adjacency\": \"add_remove\"}", NW_E_FORMAT, "sensitivity" },
        { "{\"type\": \"gaussian\", \"sigma\": 1, \"sensitivity\": {\"value\": 1, \"adjacancy\": \"add_remove\"}}", NW_E_FORMAT,
            "adjacancy" },
        { "{\"type\": \"matrix\", \"sigma\": 1, \"sensitivity\": 1, \"strategy\": {\"kind\": \"toeplitz\", \"steps\": 4, "
          "\"coefficients\": [1], \"max_participation\": 4}}",
            NW_E_FORMAT, "max_participation" },
        { "{\"type\": \"matrix\", \"sigma\": 1, \"sensitivity\": 1, \"strategy\": {\"kind\": \"toeplitz\", \"steps\": 1, "
          "\"coefficients\": [\"--0x1p0\"]}}",
            NW_E_FORMAT, "coefficients" },
        { "{\"type\": \"nonsense\"}", NW_E_FORMAT, "nonsense" },
        /* a key of another kind, a misspelt one, and a number of times where it is not read */
        { "{\"type\": \"gaussian\", \"sigma\": 1, \"sensitivity\": 1, \"n\": 10}", NW_E_FORMAT, "\"n\" is no key of gaussian" },
        { "{\"type\": \"gaussian\", \"sigma\": 1, \"sensitivity\": {\"value\": 1, \"adjacency\": \"add_remove\", \"nrom\": "
          "\"l2\"}}",
            NW_E_FORMAT, "nrom" },
        { "{\"type\": \"matrix\", \"sigma\": 1, \"sensitivity\": 1, \"strategy\": {\"kind\": \"toeplitz\", \"steps\": 4, "
          "\"coefficients\": [1], \"max_participation\": 4}}",
            NW_E_FORMAT, "max_participation" },
        { "{\"type\": \"ldp\", \"epsilon0\": 1, \"epsilon\": 1}", NW_E_FORMAT, "\"epsilon\" is no key of ldp" },
        { "{\"sigma\": 1}", NW_E_FORMAT, "type" },
        { "3", NW_E_FORMAT, "object" },
    };
    nw_error err;
    nw_event *event = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        snprintf(text, sizeof text, "{\"format\": \"noisewright-event\", \"version\": 1, \"event\": %s}", cases[i].body);
        assert_int_equal(nw_event_from_json(&event, text, &err), cases[i].status);
        assert_int_equal(err.status, cases[i].status);
        assert_null(event);
        assert_non_null(strstr(err.message, cases[i].word));
    }
    assert_int_equal(nw_event_from_json(&event, "{\"a\": 1,\n \"a\": 2}", &err), NW_E_FORMAT);
    assert_non_null(strstr(err.message, "line 2"));
    assert_int_equal(nw_event_from_json(&event, "{\"format\": \"other\"}", &err), NW_E_FORMAT);
    assert_int_equal(
        nw_event_from_json(&event, "{\"format\": \"noisewright-event\", \"version\": 2, \"event\": {}}", &err), NW_E_FORMAT);
    assert_non_null(strstr(err.message, "newer"));
    assert_int_equal(nw_event_from_json(NULL, "{}", &err), NW_E_ARG);
    assert_int_equal(nw_event_from_json(&event, NULL, &err), NW_E_ARG);
}

static void event_from_json__reads_events_alone_and_lists(void **state)
{
    (void)state;
    static const char *const one[] = {
        "{\"type\": \"gdp\", \"mu\": 3, \"adjacency\": \"add_remove\", \"note\": \"training\"}",
        ("{\"format\": \"noisewright-event\", \"version\": 1, "
         "\"event\": {\"type\": \"gdp\", \"mu\": 3, \"adjacency\": \"add_remove\"}}"),
        "[{\"type\": \"gdp\", \"mu\": 3, \"adjacency\": \"add_remove\"}]",
        ("{\"id\": \"t1\", \"mechanisms\": "
         "[{\"type\": \"gdp\", \"mu\": 1, \"count\": 9, \"adjacency\": \"add_remove\"}]}"),
    };
    nw_error err;
    nw_event *event = NULL;
    for (size_t i = 0; i < sizeof one / sizeof *one; i++) {
        nw_cost cost;
        assert_int_equal(nw_event_from_json(&event, one[i], &err), NW_OK);
        assert_int_equal(nw_event_cost(event, NW_ADD_REMOVE, &cost, NULL), NW_OK);
        assert_true(cost.mu_squared == 9.0);
        nw_event_free(event);
    }
    /* "count" beside the list would not be read */
    assert_int_equal(nw_event_from_json(&event, "{\"mechanisms\": [], \"count\": 10}", &err), NW_E_FORMAT);
    assert_non_null(strstr(err.message, "count"));
    assert_int_equal(
        nw_event_from_json(&event, "{\"format\": \"noisewright-event\", \"version\": 1, \"count\": 2, \"event\": {}}", &err),
        NW_E_FORMAT);
    assert_non_null(strstr(err.message, "count"));
}

static nw_event *matrix_of(nw_strategy_kind kind, const double *coefficients, size_t n, const double *theta, uint64_t most)
{
    nw_event *e = NULL;
    nw_strategy s = NW_STRATEGY_INIT;
    s.kind = kind;
    s.steps = 2;
    s.coefficients = coefficients;
    s.coefficient_count = n;
    s.theta = theta;
    s.bands = kind == NW_STRATEGY_BANDED ? 2 : 0;
    s.max_participations = most;
    assert_int_equal(nw_event_matrix(&e, 1.5, UNIT, &s, NULL), NW_OK);
    return e;
}

/* Entries of a strategy may be negative, and counts as large as 2^62. */
static void event_json__keeps_every_strategy(void **state)
{
    (void)state;
    const double c[4] = { 1.0, -0.1, -0.0625, 0x1.8p-1074 };
    const double theta[2] = { 0.5, 0.0 };
    const uint64_t counts[] = { 0, 1, 2, (UINT64_C(1) << 53) + 1, UINT64_C(1) << 62 };
    for (nw_strategy_kind kind = NW_STRATEGY_DENSE; kind <= NW_STRATEGY_BLT; kind++) {
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            nw_event *back = NULL;
            char *json = NULL;
            const size_t n = kind == NW_STRATEGY_BLT ? 2 : 4;
            nw_event *event = matrix_of(kind, c, n, kind == NW_STRATEGY_BLT ? theta : NULL, counts[i]);
            assert_int_equal(nw_event_to_json(event, &json, NULL), NW_OK);
            assert_int_equal(nw_event_from_json(&back, json, NULL), NW_OK);
            for (size_t k = 0; k < n; k++)
                assert_true(back->strategy->coefficients[k] == c[k]);
            assert_true(back->strategy->max_participations == counts[i]);
            assert_true(back->strategy_sensitivity == event->strategy_sensitivity);
            nw_string_free(json);
            nw_event_free(back);
            nw_event_free(event);
        }
    }
}

/* What could be built but not be read back would make a ledger's file unreadable. */
static void event__is_never_larger_than_its_json_form_holds(void **state)
{
    (void)state;
    nw_event *e = NULL;
    nw_error err;
    nw_strategy s = NW_STRATEGY_INIT;
    const double c = 1.0;
    char *json = NULL;
    assert_int_equal(nw_event_noise(&e, NW_EVENT_GAUSSIAN, 1.0, UNIT, (UINT64_C(1) << 62) + 1, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "samples"));
    s.kind = NW_STRATEGY_TOEPLITZ;
    s.steps = s.coefficient_count = 1;
    s.coefficients = &c;
    uint64_t *const fields[] = { &s.bands, &s.max_participations, &s.min_separation };
    const char *const names[] = { "bands", "max_participations", "min_separation" };
    for (int i = 0; i < 3; i++) {
        const uint64_t before = *fields[i];
        *fields[i] = UINT64_MAX;
        assert_int_equal(nw_event_matrix(&e, 1.0, UNIT, &s, &err), NW_E_ARG);
        assert_non_null(strstr(err.message, names[i]));
        *fields[i] = before;
    }
    assert_int_equal(nw_event_gaussian(&e, 1.0, UNIT, NULL), NW_OK);
    for (int depth = 0; depth <= NW__MOST_DEPTH; depth++) {
        nw_event *deeper = NULL;
        const nw_status status = nw_event_repeat(&deeper, e, 1, &err);
        assert_int_equal(status, depth < NW__MOST_DEPTH ? NW_OK : NW_E_ARG);
        if (status != NW_OK)
            break;
        nw_event_free(e);
        e = deeper;
    }
    assert_int_equal(nw_event_to_json(e, &json, NULL), NW_OK);
    nw_event_free(e);
    assert_int_equal(nw_event_from_json(&e, json, NULL), NW_OK);
    nw_event_free(e);
    nw_string_free(json);
}

static void event_from_json__bounds_the_depth(void **state)
{
    (void)state;
    enum { DEPTH = 2000 };
    char *text = calloc(DEPTH * 64, 1);
    nw_event *event = NULL;
    nw_error err;
    strcat(text, "{\"format\":\"noisewright-event\",\"version\":1,\"event\":");
    for (int i = 0; i < DEPTH; i++)
        strcat(text, "{\"type\":\"repeat\",\"count\":1,\"event\":");
    strcat(text, "{}");
    for (int i = 0; i <= DEPTH; i++)
        strcat(text, "}");
    assert_int_equal(nw_event_from_json(&event, text, &err), NW_E_FORMAT);
    assert_null(event);
    free(text);
}

static void event__constructors_refuse_bad_parameters(void **state)
{
    (void)state;
    nw_event *e = NULL;
    nw_event *leaf = NULL;
    nw_error err;
    const double bad[] = { 0.0, -1.0, (double)NAN, (double)INFINITY };
    for (int i = 0; i < 4; i++) {
        assert_int_equal(nw_event_gaussian(&e, bad[i], UNIT, &err), NW_E_ARG);
        assert_int_equal(nw_event_gaussian(&e, 1.0, (nw_sensitivity){ bad[i], NW_ADD_REMOVE }, &err), NW_E_ARG);
        assert_int_equal(nw_event_laplace(&e, bad[i], UNIT, &err), NW_E_ARG);
        assert_null(e);
        if (bad[i] != 0.0) {
            assert_int_equal(nw_event_pure(&e, bad[i], NW_ADD_REMOVE, &err), NW_E_ARG);
            assert_int_equal(nw_event_zcdp(&e, bad[i], NW_ADD_REMOVE, &err), NW_E_ARG);
            assert_int_equal(nw_event_gdp(&e, bad[i], NW_ADD_REMOVE, &err), NW_E_ARG);
        }
    }
    assert_int_equal(nw_event_gaussian(&e, 1.0, (nw_sensitivity){ 1.0, NW_ADJACENCY_UNSET }, &err), NW_E_ARG);
    assert_int_equal(nw_event_noise(&e, NW_EVENT_PURE, 1.0, UNIT, 0, &err), NW_E_ARG);
    assert_int_equal(
        nw_event_noise(&e, NW_EVENT_DISCRETE_LAPLACE, 1.0, (nw_sensitivity){ 1.5, NW_ADD_REMOVE }, 0, &err), NW_E_ARG);
    assert_int_equal(nw_event_approx(&e, 1.0, 1.0, NW_ADD_REMOVE, &err), NW_E_ARG);
    assert_int_equal(nw_event_composed(&e, NULL, 1, &err), NW_E_ARG);
    assert_int_equal(nw_event_gaussian(&leaf, 1.0, UNIT, NULL), NW_OK);
    const nw_event *const children[] = { leaf, NULL };
    assert_int_equal(nw_event_composed(&e, children, 0, &err), NW_E_ARG);
    assert_int_equal(nw_event_composed(&e, children, 2, &err), NW_E_ARG);
    assert_int_equal(nw_event_repeat(&e, leaf, 0, &err), NW_E_ARG);
    assert_int_equal(nw_event_repeat(&e, NULL, 1, &err), NW_E_ARG);
    assert_int_equal(nw_event_repeat(NULL, leaf, 1, &err), NW_E_ARG);
    assert_null(e);
    nw_event_free(leaf);
    nw_event_free(NULL);
}

static void adjacency_parse__accepts_both_spellings_only(void **state)
{
    (void)state;
    nw_adjacency a = NW_ADJACENCY_UNSET;
    nw_error err;
    assert_int_equal(nw_adjacency_parse("add-remove", &a, NULL), NW_OK);
    assert_int_equal(a, NW_ADD_REMOVE);
    assert_int_equal(nw_adjacency_parse("replace_one", &a, NULL), NW_OK);
    assert_int_equal(a, NW_REPLACE_ONE);
    assert_int_equal(nw_adjacency_parse("zero-out", &a, NULL), NW_OK);
    assert_int_equal(nw_adjacency_parse("replace-label", &a, NULL), NW_OK);
    assert_int_equal(a, NW_REPLACE_LABEL);
    assert_string_equal(nw_adjacency_name(a), "replace_label");
    const char *bad[] = { "", "unset", "add", "add-remove-and-more", "ADD-REMOVE" };
    for (int i = 0; i < 5; i++)
        assert_int_equal(nw_adjacency_parse(bad[i], &a, &err), NW_E_ARG);
    assert_int_equal(nw_adjacency_parse(NULL, &a, &err), NW_E_ARG);
}

int main(void)
{
    setlocale(LC_ALL, ""); /* a decimal comma, if the tester has one, must change nothing */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(event_json__loses_nothing),
        cmocka_unit_test(event_from_json__reads_the_forms_of_tables),
        cmocka_unit_test(event_from_json__refuses_with_the_key),
        cmocka_unit_test(event_from_json__reads_events_alone_and_lists),
        cmocka_unit_test(event_json__keeps_every_strategy),
        cmocka_unit_test(event__is_never_larger_than_its_json_form_holds),
        cmocka_unit_test(event_from_json__bounds_the_depth),
        cmocka_unit_test(event__constructors_refuse_bad_parameters),
        cmocka_unit_test(adjacency_parse__accepts_both_spellings_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
