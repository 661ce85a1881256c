/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_hostile_events.c - parameters at the ends of what doubles and counts hold: each call ends soon, with a reason or with an
 * interval that is one. */
#include "accountant_internal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static const double MOST_SECONDS = 20.0; /* of a processor, also under a sanitizer; a hang is what this looks for */

/* Leaves; add_remove stands for both relations that it holds under. */
static const char *const LEAVES[] = { "{'type':'gaussian','sigma':1e-99,'sensitivity':1}",
    "{'type':'gaussian','sigma':1e300,'sensitivity':1}", "{'type':'gaussian','sigma':'0x1p-1074','sensitivity':'0x1p-1074'}",
    "{'type':'rounded_gaussian','sigma':1e10,'sensitivity':1,'samples':4611686018427387904}",
    "{'type':'discrete_gaussian','sigma':1e-8,'sensitivity':1}", "{'type':'discrete_gaussian','sigma':1e300,'sensitivity':1}",
    "{'type':'laplace','scale':1e-99,'sensitivity':1}", "{'type':'laplace','scale':1e300,'sensitivity':1}",
    "{'type':'discrete_laplace','scale':1e-9,'sensitivity':1}", "{'type':'discrete_laplace','scale':1e300,'sensitivity':1}",
    "{'type':'discrete_laplace','scale':1,'sensitivity':1e300}", "{'type':'pure','epsilon':0,'adjacency':'add_remove'}",
    "{'type':'pure','epsilon':'0x1p-1074','adjacency':'add_remove'}", "{'type':'pure','epsilon':1e300,'adjacency':'replace_one'}",
    "{'type':'approx','epsilon':0,'delta':'0x1p-1074','adjacency':'add_remove'}",
    "{'type':'approx','epsilon':1,'delta':'0x1fffffffffffffp-53','adjacency':'replace_one'}",
    "{'type':'zcdp','rho':1e300,'adjacency':'add_remove'}", "{'type':'zcdp','rho':1e-300,'adjacency':'add_remove'}",
    "{'type':'gdp','mu':1e154,'adjacency':'add_remove'}", "{'type':'gdp','mu':1e-300,'adjacency':'add_remove'}",
    "{'type':'exponential','epsilon':1e-300,'adjacency':'add_remove'}",
    "{'type':'exponential','epsilon':800,'adjacency':'add_remove'}", "{'type':'ldp','epsilon0':1e300}",
    "{'type':'ldp','epsilon0':1e-300}", "{'type':'randomized_response','p':0,'k':2}",
    "{'type':'randomized_response','p':1e-300,'k':4611686018427387904}",
    "{'type':'randomized_response','p':'0x1fffffffffffffp-53','k':2}",
    "{'type':'rdp','orders':['0x10000000000001p-52',1e300],'rdp':[0,1e300],'adjacency':'add_remove'}",
    "{'type':'tree','sigma':1e-99,'sensitivity':1,'leaves':4611686018427387904}" };

/* What is put around a leaf. */
static const char *const AROUND[] = { "%s", "{'type':'repeat','count':4611686018427387904,'event':%s}",
    "{'type':'repeat','count':1000,'event':%s}", "{'type':'poisson_subsampled','q':1e-300,'base':%s}",
    "{'type':'poisson_subsampled','q':'0x1fffffffffffffp-53','count':30,'base':%s}",
    "{'type':'parallel','events':[%s,{'type':'gdp','mu':1,'adjacency':'add_remove'}]}",
    "{'type':'fixed_size_subsampled','population':4611686018427387904,'sample':1,'replacement':false,'base':%s}",
    "{'type':'fixed_size_subsampled','population':2,'sample':4611686018427387904,'replacement':true,'base':%s}",
    "{'type':'shuffled','n':100000,'base':%s}" };

static nw_event *event_of(const char *around, const char *leaf)
{
    char inner[1024];
    char text[1200];
    nw_event *e = NULL;
    snprintf(inner, sizeof inner, around, leaf);
    snprintf(text, sizeof text, "{'format':'noisewright-event','version':1,'event':%s}", inner);
    for (char *at = text; *at != '\0'; at++)
        *at = *at == '\'' ? '"' : *at;
    const nw_status status = nw_event_from_json(&e, text, NULL);
    assert_true(status == NW_OK || status == NW_E_FORMAT); /* the latter: only a local randomizer is shuffled */
    return e;
}

typedef nw_status (*question)(const nw_event *, nw_adjacency, double given, const nw_account_opts *, nw_bounds *, nw_error *);

static nw_status rdp(const nw_event *e, nw_adjacency a, double order, const nw_account_opts *opts, nw_bounds *out, nw_error *err)
{
    (void)opts;
    return nw_account_rdp(e, a, order, out, err);
}

static void check(const nw_event *e, const char *what, nw_adjacency adjacency, question ask, double given, double most)
{
    nw_bounds b = { (double)NAN, (double)NAN, (double)NAN, NULL, false };
    nw_error err = { 0 };
    const clock_t start = clock();
    const nw_status status = ask(e, adjacency, given, NULL, &b, &err);
    const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    if (status != NW_OK && !(status == NW_E_UNSUPPORTED && err.message[0] != '\0'))
        fail_msg("%s, %s at %g: status %d, %s", what, nw_adjacency_name(adjacency), given, (int)status, err.message);
    if (status == NW_OK && !(b.lower >= 0.0 && b.lower <= b.upper && b.upper <= most && b.method != NULL))
        fail_msg("%s, %s at %g: [%.17g, %.17g]", what, nw_adjacency_name(adjacency), given, b.lower, b.upper);
    if (seconds > MOST_SECONDS)
        fail_msg("%s, %s at %g: %.1f s", what, nw_adjacency_name(adjacency), given, seconds);
}

static void account__ends_with_an_interval_or_a_reason(void **state)
{
    (void)state;
    const double deltas[] = { 0.0, 1e-300, 1e-6, 1.0 - 0x1p-53 };
    const double epsilons[] = { 0.0, 1e-300, 2.0, 1e300 };
    const double orders[] = { 1.0 + 0x1p-52, 2.5, 1e6 };
    for (size_t i = 0; i < sizeof LEAVES / sizeof *LEAVES; i++) {
        for (size_t k = 0; k < sizeof AROUND / sizeof *AROUND; k++) {
            char what[1500];
            nw_event *e = event_of(AROUND[k], LEAVES[i]);
            if (e == NULL)
                continue;
            snprintf(what, sizeof what, AROUND[k], LEAVES[i]);
            const nw_adjacency adjacency = k >= 6 || strstr(LEAVES[i], "replace_one") != NULL || strstr(what, "ldp") != NULL ||
                                                   strstr(what, "randomized") != NULL
                                               ? NW_REPLACE_ONE
                                               : NW_ADD_REMOVE;
            /* one of each, in turn: all of all would take minutes */
            check(e, what, adjacency, nw_account_epsilon, deltas[(i + k) % 4], INFINITY);
            check(e, what, adjacency, nw_account_delta, epsilons[(i + k / 2) % 4], 1.0);
            check(e, what, adjacency, rdp, orders[(i + k) % 3], INFINITY);
            nw_event_free(e);
        }
    }
}

/* As many reports as a count holds are worth at least as much as a thousand million, and no less than nothing. */
static void account__shuffles_as_many_reports_as_there_are(void **state)
{
    (void)state;
    nw_event *most = event_of("{'type':'shuffled','n':4611686018427387904,'base':%s}", "{'type':'ldp','epsilon0':1}");
    nw_event *many = event_of("{'type':'shuffled','n':1000000000,'base':%s}", "{'type':'ldp','epsilon0':1}");
    nw_bounds b[2];
    assert_int_equal(nw_account_delta(most, NW_REPLACE_ONE, 1e-4, NULL, &b[0], NULL), NW_OK);
    assert_int_equal(nw_account_delta(many, NW_REPLACE_ONE, 1e-4, NULL, &b[1], NULL), NW_OK);
    assert_true(b[0].lower >= 0.0 && b[0].lower <= b[0].upper && b[0].upper <= b[1].upper && b[1].upper < 1e-3);
    nw_event_free(most);
    nw_event_free(many);
}

/* What no neighbour can tell apart costs nothing, what they can always tell apart costs everything, at any delta below 1. */
static void account__knows_the_extremes(void **state)
{
    (void)state;
    nw_event *nothing = event_of("%s", "{'type':'pure','epsilon':0,'adjacency':'replace_one'}");
    nw_event *everything = event_of("%s", "{'type':'randomized_response','p':0,'k':2}");
    for (double delta = 0.0; delta < 1.0; delta += 0.24) {
        nw_bounds b;
        assert_int_equal(nw_account_epsilon(nothing, NW_REPLACE_ONE, delta, NULL, &b, NULL), NW_OK);
        assert_true(b.lower == 0.0 && b.upper == 0.0);
        assert_int_equal(nw_account_epsilon(everything, NW_REPLACE_ONE, delta, NULL, &b, NULL), NW_OK);
        assert_true(isinf(b.upper));
    }
    nw_event_free(nothing);
    nw_event_free(everything);
}

/* An infinite support has no pure guarantee, however small its tails are. */
static void account__never_calls_an_unbounded_loss_pure(void **state)
{
    (void)state;
    const char *const leaves[] = { "{'type':'gaussian','sigma':3,'sensitivity':1}",
        "{'type':'discrete_gaussian','sigma':2,'sensitivity':1}" };
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < 5; k++) {
            nw_event *e = event_of(AROUND[k == 1 ? 2 : k], leaves[i]);
            nw_bounds b;
            assert_int_equal(nw_account_epsilon(e, NW_ADD_REMOVE, 0.0, NULL, &b, NULL), NW_OK);
            assert_true(isinf(b.upper));
            assert_int_equal(nw_account_delta(e, NW_ADD_REMOVE, 500.0, NULL, &b, NULL), NW_OK);
            assert_true(b.upper > 0.0);
            nw_event_free(e);
        }
    }
}

static void account__refuses_bad_questions(void **state)
{
    (void)state;
    nw_event *e = event_of("%s", LEAVES[0]);
    const double bad[] = { -1e-300, -1.0, (double)NAN, (double)-INFINITY };
    nw_account_opts opts = NW_ACCOUNT_OPTS_INIT;
    nw_bounds b;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(nw_account_epsilon(e, NW_ADD_REMOVE, bad[i], NULL, &b, NULL), NW_E_ARG);
        assert_int_equal(nw_account_delta(e, NW_ADD_REMOVE, bad[i], NULL, &b, NULL), NW_E_ARG);
        opts.tolerance = bad[i];
        assert_int_equal(nw_account_delta(e, NW_ADD_REMOVE, 1.0, &opts, &b, NULL), NW_E_ARG);
    }
    opts.tolerance = 1.5;
    assert_int_equal(nw_account_epsilon(e, NW_ADD_REMOVE, 1e-6, &opts, &b, NULL), NW_E_ARG);
    assert_int_equal(nw_account_epsilon(e, NW_ADD_REMOVE, 1.0, NULL, &b, NULL), NW_E_ARG);
    assert_int_equal(nw_account_epsilon(e, NW_ADJACENCY_UNSET, 1e-6, NULL, &b, NULL), NW_E_ARG);
    assert_int_equal(nw_account_epsilon(NULL, NW_ADD_REMOVE, 1e-6, NULL, &b, NULL), NW_E_ARG);
    assert_int_equal(nw_account_delta(e, NW_ADD_REMOVE, 1.0, NULL, NULL, NULL), NW_E_ARG);
    assert_int_equal(nw_event_epsilon(e, NW_ADD_REMOVE, 1e-6, NULL, NULL, NULL), NW_E_ARG);
    assert_int_equal(nw_event_delta(e, NW_ADD_REMOVE, 1.0, NULL, NULL, NULL), NW_E_ARG);
    nw_event_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(account__ends_with_an_interval_or_a_reason),
        cmocka_unit_test(account__shuffles_as_many_reports_as_there_are),
        cmocka_unit_test(account__knows_the_extremes),
        cmocka_unit_test(account__never_calls_an_unbounded_loss_pure),
        cmocka_unit_test(account__refuses_bad_questions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
