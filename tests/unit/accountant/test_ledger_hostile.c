/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_ledger_hostile.c - files and documents made by someone who knows the format: rows that verify but make no sense, tables
 * that are none, triggers, texts that go on behind a NUL. Refused, or as good as not there; never a charge that does not
 * stand. */
#include "ledger_support.h"

#include <jansson.h>

static void run_sql(const char *sql)
{
    sqlite3 *db = NULL;
    char *message = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(db);
}

/* Appends a row whose link of the chain holds, whatever it says. */
static void append_row(nw_ledger *ledger, const char *text)
{
    char mac[2 * NW__LEDGER_MAC_BYTES + 1];
    nw__ledger_mac_text(nw__ledger_row_mac(ledger, ledger->mac, ledger->sequence + 1, "t", "l", text), mac);
    const nw__stored row = { ledger->sequence + 1, "t", "l", text, mac };
    assert_int_equal(nw__ledger_store_append(ledger, &row, "test", NULL), NW_OK);
}

#define ROW(rest) "{\"format\": \"noisewright-ledger-row\", " rest "}"
#define GDP                                                                                                                      \
    "{\"format\": \"noisewright-event\", \"version\": 1, \"event\": {\"type\": \"gdp\", \"mu\": 0.1, \"adjacency\": "            \
    "\"add_remove\"}}"

static void ledger__rows_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    const char *const rows[] = {
        "",
        "{}",
        "[]",
        "null",
        "\xff\xfe",
        "{\"format\": \"noisewright-event\", \"version\": 1}",
        "{\"format\": \"noisewright-event\", \"version\": 1, \"event\": {\"type\": \"unheard_of\"}}",
        "{\"format\": \"noisewright-event\", \"version\": 2, \"event\": {\"type\": \"gdp\", \"mu\": 1, \"adjacency\": "
        "\"add_remove\"}}",
        "{\"format\": \"noisewright-event\", \"version\": 1, \"event\": {\"type\": \"gdp\", \"mu\": -1, \"adjacency\": "
        "\"add_remove\"}}",
        ROW("\"kind\": \"refund\""),
        ROW("\"kind\": 7"),
        ROW("\"kind\": \"charge\""),
        ROW("\"kind\": \"charge\", \"group\": \"team\""),
        ROW("\"kind\": \"charge\", \"group\": \"nobody\", \"event\": " GDP),
        ROW("\"kind\": \"charge\", \"group\": \"team\", \"event\": {}"),
        ROW("\"kind\": \"reservation\", \"event\": " GDP),
        ROW("\"kind\": \"reservation\", \"steps\": \"0\", \"event\": " GDP),
        ROW("\"kind\": \"reservation\", \"steps\": \"-1\", \"event\": " GDP),
        ROW("\"kind\": \"reservation\", \"steps\": \"18446744073709551616\", \"event\": " GDP),
        ROW("\"kind\": \"reservation\", \"steps\": \"07\", \"event\": " GDP),
        ROW("\"kind\": \"reservation\", \"steps\": 7, \"event\": " GDP),
        ROW("\"kind\": \"reservation\", \"steps\": \"7\", \"steps\": \"1\", \"event\": " GDP),
        ROW("\"kind\": \"commit\""),
        ROW("\"kind\": \"commit\", \"reservation\": \"1\", \"steps\": \"0\""),
        ROW("\"kind\": \"commit\", \"reservation\": \"3\", \"steps\": \"6\""),
        ROW("\"kind\": \"commit\", \"reservation\": \"18446744073709551615\", \"steps\": \"0\""),
        ROW("\"kind\": \"group\", \"group\": \"team\", \"epsilon\": \"3fe0000000000000\", \"delta\": \"3e112e0be826d695\""),
        ROW("\"kind\": \"group\", \"group\": \"b\", \"epsilon\": \"7ff0000000000000\", \"delta\": \"3e112e0be826d695\""),
        ROW("\"kind\": \"group\", \"group\": \"b\", \"epsilon\": \"7ff8000000000000\", \"delta\": \"3e112e0be826d695\""),
        ROW("\"kind\": \"group\", \"group\": \"b\", \"epsilon\": \"1\", \"delta\": \"2\""),
        ROW("\"kind\": \"group\", \"group\": \"\", \"epsilon\": \"3fe0000000000000\", \"delta\": \"3e112e0be826d695\""),
        ROW("\"kind\": \"group\", \"group\": \"\\u001b[2J\", \"epsilon\": \"3fe0000000000000\", \"delta\": \"3e112e0be826d695\""),
        ROW("\"kind\": \"group\", \"epsilon\": \"3fe0000000000000\", \"delta\": \"3e112e0be826d695\""),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        nw_ledger_opts o = options(4.0, 1e-9, NW_FILTER_AUTO);
        nw_ledger *ledger = NULL;
        nw_event *event = gdp_event(0.1);
        uint64_t r = 0;
        nw_error err;
        assert_int_equal(nw_ledger_memory(&ledger, &o, NULL), NW_OK);
        assert_int_equal(charge(ledger, 0.1, NULL), NW_OK);
        assert_int_equal(nw_ledger_add_group(ledger, "team", 3.0, 1e-9, NULL), NW_OK);
        assert_int_equal(nw_ledger_reserve(ledger, "team", event, 5, "x", NULL, &r, NULL, NULL), NW_OK);
        append_row(ledger, rows[i]);
        const nw_status status = charge(ledger, 0.1, &err);
        if ((status != NW_E_FORMAT && status != NW_E_UNSUPPORTED) || strstr(err.message, "row 4") == NULL)
            fail_msg("%s: %s", rows[i], status == NW_OK ? "taken" : err.message);
        assert_int_equal(nw_ledger_verify(ledger, NULL, NULL), status);
        nw_ledger_close(ledger);
        nw_event_free(event);
    }
}

/* What only a file can hold. */
static void ledger__files_with_foreign_parts_are_refused(void **state)
{
    (void)state;
    static const char loose[] =
        "ALTER TABLE charge RENAME TO old; CREATE TABLE charge (sequence INTEGER PRIMARY KEY, time, label, "
        "event, mac); INSERT INTO charge SELECT * FROM old; DROP TABLE old; ";
    const char *const edits[] = {
        "UPDATE charge SET label = NULL WHERE sequence = 2",
        "UPDATE charge SET time = NULL WHERE sequence = 1",
        "UPDATE charge SET event = NULL WHERE sequence = 3",
        "UPDATE charge SET mac = NULL WHERE sequence = 3",
        "UPDATE charge SET label = x'74657374' || x'ff' WHERE sequence = 2",
        "UPDATE charge SET event = 7 WHERE sequence = 2",
        "UPDATE charge SET mac = zeroblob(100000) WHERE sequence = 2",
        "UPDATE charge SET label = CAST(x'7465737400' AS TEXT) || 'and more' WHERE sequence = 2",
        "UPDATE charge SET sequence = 9223372036854775807 WHERE sequence = 3",
        "UPDATE charge SET sequence = -3 WHERE sequence = 3",
        "INSERT INTO charge SELECT -5, time, label, event, mac FROM charge WHERE sequence = 1",
        "INSERT INTO charge SELECT 0, time, label, event, mac FROM charge WHERE sequence = 1",
        "ALTER TABLE charge RENAME TO hidden; CREATE VIEW charge AS SELECT * FROM hidden WHERE sequence < 2",
    };
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        nw_ledger *ledger = NULL;
        nw_error err;
        make_charged_ledger("foreign", 3);
        run_sql(loose);
        run_sql(edits[i]);
        if (nw_ledger_open(&ledger, path, &err) != NW_E_FORMAT)
            fail_msg("not found: %s", edits[i]);
        assert_int_equal(nw_ledger_open_readonly(&ledger, path, &err), NW_E_FORMAT);
    }
}

/* A trigger that would swallow a charge is not run, and a charge that stands is seen by the next process. */
static void ledger_charge__runs_no_triggers(void **state)
{
    (void)state;
    nw_ledger *ledger = NULL;
    make_charged_ledger("trigger", 2);
    run_sql("CREATE TRIGGER swallow BEFORE INSERT ON charge BEGIN SELECT RAISE(IGNORE); END");
    run_sql("CREATE TRIGGER undo AFTER INSERT ON charge BEGIN DELETE FROM charge WHERE sequence = NEW.sequence; END");
    assert_int_equal(nw_ledger_open(&ledger, path, NULL), NW_OK);
    assert_int_equal(charge(ledger, 0.1, NULL), NW_OK);
    nw_ledger_close(ledger);
    assert_int_equal(nw_ledger_open_readonly(&ledger, path, NULL), NW_OK);
    assert_int_equal(summary_of(ledger).charges, 3);
    nw_ledger_close(ledger);
}

static void ledger_open_readonly__leaves_the_folder_as_it_was(void **state)
{
    (void)state;
    nw_ledger *ledger = NULL;
    char beside[300];
    make_charged_ledger("alone", 2);
    assert_int_equal(nw_ledger_open_readonly(&ledger, path, NULL), NW_OK);
    assert_int_equal(summary_of(ledger).charges, 2);
    nw_ledger_close(ledger);
    snprintf(beside, sizeof beside, "%s-wal", path);
    assert_int_not_equal(access(beside, F_OK), 0);
    snprintf(beside, sizeof beside, "%s-shm", path);
    assert_int_not_equal(access(beside, F_OK), 0);
}

/* ---- the JSON document ---- */
static char *document_of(const char *name)
{
    nw_ledger *ledger = NULL;
    nw_event *event = gdp_event(0.1);
    char *json = NULL;
    uint64_t r = 0;
    make_charged_ledger(name, 2);
    assert_int_equal(nw_ledger_open(&ledger, path, NULL), NW_OK);
    assert_int_equal(nw_ledger_add_group(ledger, "team", 3.0, 1e-9, NULL), NW_OK);
    assert_int_equal(nw_ledger_reserve(ledger, "team", event, 5, "quote \" \\ \xc3\xa9", NULL, &r, NULL, NULL), NW_OK);
    assert_int_equal(nw_ledger_commit(ledger, r, 2, NULL, NULL), NW_OK);
    assert_int_equal(nw_ledger_to_json(ledger, &json, NULL), NW_OK);
    nw_ledger_close(ledger);
    nw_event_free(event);
    return json;
}

static void ledger_from_json__says_what_the_file_says(void **state)
{
    (void)state;
    nw_ledger *file = NULL;
    nw_ledger *read = NULL;
    char *json = document_of("document");
    char *again = NULL;
    nw_error err;
    assert_int_equal(nw_ledger_open_readonly(&file, path, NULL), NW_OK);
    assert_int_equal(nw_ledger_from_json(&read, json, NULL), NW_OK);
    const nw_ledger_summary a = summary_of(file);
    const nw_ledger_summary b = summary_of(read);
    assert_string_equal(a.head, b.head);
    assert_true(a.spent_epsilon == b.spent_epsilon && a.charges == b.charges && a.budget_epsilon == b.budget_epsilon);
    assert_int_equal(nw_ledger_verify(read, a.head, NULL), NW_OK);
    assert_int_equal(charge(read, 0.1, &err), NW_E_STATE);
    assert_int_equal(nw_ledger_to_json(read, &again, NULL), NW_OK);
    assert_string_equal(json, again);
    nw_string_free(again);
    nw_string_free(json);
    nw_ledger_close(file);
    nw_ledger_close(read);
    assert_int_equal(nw_ledger_to_json(NULL, &again, &err), NW_E_ARG);
    assert_int_equal(nw_ledger_from_json(NULL, "{}", &err), NW_E_ARG);
    assert_int_equal(nw_ledger_from_json(&read, NULL, &err), NW_E_ARG);
}

/* Every byte of the document replaced by another: refused, or the same ledger (blanks between the members). */
static void ledger_from_json__no_edited_byte_changes_the_content(void **state)
{
    (void)state;
    char *json = document_of("edited-document");
    const size_t n = strlen(json);
    nw_ledger *ledger = NULL;
    size_t refused = 0;
    assert_int_equal(nw_ledger_from_json(&ledger, json, NULL), NW_OK);
    const nw_ledger_summary honest = summary_of(ledger);
    nw_ledger_close(ledger);
    for (size_t i = 0; i < n; i++) {
        const char old = json[i];
        json[i] = old == '1' ? '2' : '1';
        if (nw_ledger_from_json(&ledger, json, NULL) == NW_OK) {
            assert_string_equal(summary_of(ledger).head, honest.head);
            fail_msg("byte %zu can be edited: %.20s", i, json + i);
        }
        refused++;
        json[i] = old;
    }
    for (size_t i = 0; i < n; i++) { /* cut */
        const char old = json[i];
        json[i] = '\0';
        assert_int_equal(nw_ledger_from_json(&ledger, json, NULL), NW_E_FORMAT);
        json[i] = old;
    }
    print_message("# %zu bytes of a document: all edits refused\n", refused);
    nw_string_free(json);
}

static void ledger_to_json__refuses_what_json_cannot_hold(void **state)
{
    (void)state;
    nw_ledger *ledger = NULL;
    nw_event *event = gdp_event(0.1);
    char *json = NULL;
    nw_error err;
    make_charged_ledger("bytes-label", 1);
    assert_int_equal(nw_ledger_open(&ledger, path, NULL), NW_OK);
    assert_int_equal(nw_ledger_charge(ledger, event, "\xff\xfe", NULL, NULL, NULL), NW_OK);
    assert_int_equal(nw_ledger_to_json(ledger, &json, &err), NW_E_UNSUPPORTED);
    assert_null(json);
    nw_ledger_close(ledger);
    nw_event_free(event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ledger__rows_that_make_no_sense_are_refused),
        cmocka_unit_test(ledger__files_with_foreign_parts_are_refused),
        cmocka_unit_test(ledger_charge__runs_no_triggers),
        cmocka_unit_test(ledger_open_readonly__leaves_the_folder_as_it_was),
        cmocka_unit_test(ledger_from_json__says_what_the_file_says),
        cmocka_unit_test(ledger_from_json__no_edited_byte_changes_the_content),
        cmocka_unit_test(ledger_to_json__refuses_what_json_cannot_hold),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
