/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_ledger_schedule.c - a budget spent as a schedule that was declared when the ledger was made. */
#include "ledger_support.h"

/* An event of the schedule's adjacency, as JSON without its frame. */
#define STEP(mu) "{\"type\": \"gdp\", \"mu\": " #mu ", \"adjacency\": \"add_remove\"}"
#define A STEP(0.05)
#define B STEP(0.06)
#define C STEP(0.07)
#define BOTH(x, y) "{\"type\": \"composed\", \"events\": [" x ", " y "]}"
#define TIMES(x, n) "{\"type\": \"repeat\", \"count\": " #n ", \"event\": " x "}"
/* A three times, B, then (A and C) twice, then C. */
#define PLAN "{\"type\": \"composed\", \"events\": [" TIMES(A, 3) ", " B ", " TIMES(BOTH(A, C), 2) ", " C "]}"

static nw_event *parse(const char *text)
{
    char json[2048];
    nw_event *event = NULL;
    snprintf(json, sizeof json, "{\"format\": \"noisewright-event\", \"version\": 1, \"event\": %s}", text);
    assert_int_equal(nw_event_from_json(&event, json, NULL), NW_OK);
    return event;
}

static nw_status create_planned(nw_ledger **ledger, const char *name, double epsilon, nw_error *err)
{
    nw_ledger_opts o = options(epsilon, 1e-9, NW_FILTER_AUTO);
    nw_event *plan = parse(PLAN);
    o.schedule = plan;
    fresh_path(name);
    const nw_status status = nw_ledger_create(ledger, path, &o, err);
    nw_event_free(plan);
    return status;
}

static nw_status charge_step(nw_ledger *ledger, const char *text, nw_error *err)
{
    nw_event *event = parse(text);
    bool fits = false;
    assert_int_equal(nw_ledger_fits(ledger, event, &fits, NULL), NW_OK);
    const nw_status status = nw_ledger_charge(ledger, event, "step", NULL, NULL, err);
    assert_true(fits == (status == NW_OK));
    nw_event_free(event);
    return status;
}

static void ledger_schedule__admits_its_steps_in_their_order(void **state)
{
    (void)state;
    nw_ledger *ledger = NULL;
    nw_ledger *other = NULL;
    nw_error err;
    assert_int_equal(create_planned(&ledger, "plan", 2.0, NULL), NW_OK);
    const double all = summary_of(ledger).spent_epsilon;
    assert_true(all > 0.0 && all <= 2.0); /* the whole, from the start */
    assert_int_equal(charge_step(ledger, B, &err), NW_E_BUDGET);
    assert_non_null(strstr(err.message, "step 1 of 4"));
    assert_int_equal(charge_step(ledger, A, NULL), NW_OK);
    assert_int_equal(charge_step(ledger, STEP(0.04), NULL), NW_E_BUDGET);  /* not even something smaller */
    assert_int_equal(charge_step(ledger, TIMES(A, 3), NULL), NW_E_BUDGET); /* two are left */
    assert_int_equal(nw_ledger_open(&other, path, NULL), NW_OK);           /* another process goes on where this one was */
    assert_int_equal(charge_step(other, BOTH(TIMES(A, 2), B), NULL), NW_OK);
    assert_int_equal(charge_step(ledger, BOTH(A, B), NULL), NW_E_BUDGET);
    assert_int_equal(charge_step(ledger, BOTH(A, C), NULL), NW_OK);
    assert_true(fabs(summary_of(ledger).used_fraction - 5.0 / 7.0) < 1e-12);
    assert_int_equal(charge_step(ledger, BOTH(BOTH(A, C), C), NULL), NW_OK);
    assert_int_equal(charge_step(ledger, C, &err), NW_E_BUDGET);
    assert_non_null(strstr(err.message, "used up"));
    assert_int_equal(nw_ledger_verify(other, NULL, NULL), NW_OK);
    const nw_ledger_summary s = summary_of(other);
    assert_true(s.spent_epsilon == all && s.used_fraction == 1.0 && s.charges == 4 && s.filter == NW_FILTER_SCHEDULE);
    nw_ledger_close(ledger);
    nw_ledger_close(other);
}

static void ledger_schedule__may_be_charged_whole(void **state)
{
    (void)state;
    nw_ledger *ledger = NULL;
    assert_int_equal(create_planned(&ledger, "whole", 2.0, NULL), NW_OK);
    assert_int_equal(charge_step(ledger, PLAN, NULL), NW_OK);
    assert_int_equal(charge_step(ledger, A, NULL), NW_E_BUDGET);
    nw_ledger_close(ledger);
}

static void ledger_schedule__refuses_what_is_over_the_budget_or_besides_it(void **state)
{
    (void)state;
    nw_ledger *ledger = NULL;
    nw_event *a = parse(A);
    nw_ledger_opts o = options(2.0, 1e-9, NW_FILTER_GDP);
    uint64_t r = 0;
    nw_error err;
    assert_int_equal(create_planned(&ledger, "over", 0.1, &err), NW_E_BUDGET);
    assert_non_null(strstr(err.message, "the schedule costs"));
    assert_int_not_equal(access(path, F_OK), 0); /* no file is left */
    o.schedule = a;
    assert_int_equal(nw_ledger_memory(&ledger, &o, &err), NW_E_ARG); /* a filter besides */
    o.filter = NW_FILTER_AUTO;
    assert_int_equal(nw_ledger_unlimited(&ledger, &o, &err), NW_E_ARG);
    o.schedule = NULL;
    o.filter = NW_FILTER_SCHEDULE;
    assert_int_equal(nw_ledger_memory(&ledger, &o, &err), NW_E_ARG); /* none given */
    assert_int_equal(create_planned(&ledger, "besides", 2.0, NULL), NW_OK);
    assert_int_equal(nw_ledger_add_group(ledger, "g", 1.0, 1e-9, &err), NW_E_UNSUPPORTED);
    assert_int_equal(nw_ledger_reserve(ledger, NULL, a, 2, "x", NULL, &r, NULL, &err), NW_E_UNSUPPORTED);
    assert_int_equal(summary_of(ledger).charges, 0);
    nw_event_free(a);
    nw_ledger_close(ledger);
}

static void ledger_schedule__is_under_the_chain(void **state)
{
    (void)state;
    const char *const edits[] = { "UPDATE charge SET event = replace(event, '\"count\"', '\"count\" ') WHERE sequence = 1",
        "DELETE FROM charge WHERE sequence = 1", "UPDATE header SET filter = 'gdp'" };
    nw_ledger *ledger = NULL;
    nw_ledger *read = NULL;
    char *json = NULL;
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        sqlite3 *db = NULL;
        assert_int_equal(create_planned(&ledger, "edited-plan", 2.0, NULL), NW_OK);
        assert_int_equal(charge_step(ledger, A, NULL), NW_OK);
        nw_ledger_close(ledger);
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, edits[i], NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        assert_int_equal(nw_ledger_open(&ledger, path, NULL), NW_E_FORMAT);
    }
    assert_int_equal(create_planned(&ledger, "plan-document", 2.0, NULL), NW_OK);
    assert_int_equal(charge_step(ledger, A, NULL), NW_OK);
    assert_int_equal(nw_ledger_to_json(ledger, &json, NULL), NW_OK);
    assert_int_equal(nw_ledger_from_json(&read, json, NULL), NW_OK);
    assert_string_equal(summary_of(read).head, summary_of(ledger).head);
    assert_true(summary_of(read).used_fraction == summary_of(ledger).used_fraction);
    nw_string_free(json);
    nw_ledger_close(read);
    nw_ledger_close(ledger);
    assert_int_equal(create_planned(&ledger, "cut-plan", 2.0, NULL), NW_OK);
    nw_ledger_close(ledger);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "DELETE FROM charge", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(nw_ledger_open(&ledger, path, NULL), NW_OK); /* a rollback to the start, as any: nothing can be charged */
    nw_event *a = parse(A);
    assert_int_equal(nw_ledger_charge(ledger, a, "x", NULL, NULL, NULL), NW_E_FORMAT);
    nw_event_free(a);
    nw_ledger_close(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ledger_schedule__admits_its_steps_in_their_order),
        cmocka_unit_test(ledger_schedule__may_be_charged_whole),
        cmocka_unit_test(ledger_schedule__refuses_what_is_over_the_budget_or_besides_it),
        cmocka_unit_test(ledger_schedule__is_under_the_chain),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
