/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_ledger.c - budgets, filters, receipts, files, and what happens to a file that someone touched. Crashes and races:
 * ledger_crash.c. */
#include "ledger_internal.h"

#include <fcntl.h>
#include <math.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static char folder[] = "ledger-test-XXXXXX";
static char path[256];

static void fresh_path(const char *name)
{
    char command[900];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snprintf(command, sizeof command, "rm -rf '%s' '%s-wal' '%s-shm'", path, path, path);
    assert_int_equal(system(command), 0);
}

static nw_ledger_opts options(double epsilon, double delta, nw_filter filter)
{
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    o.epsilon = epsilon;
    o.delta = delta;
    o.adjacency = NW_ADD_REMOVE;
    o.filter = filter;
    return o;
}

static nw_event *gdp_event(double mu)
{
    nw_event *e = NULL;
    assert_int_equal(nw_event_gdp(&e, mu, NW_ADD_REMOVE, NULL), NW_OK);
    return e;
}

static nw_status charge(nw_ledger *ledger, double mu, nw_error *err)
{
    nw_event *e = gdp_event(mu);
    const nw_status status = nw_ledger_charge(ledger, e, "test", NULL, NULL, err);
    nw_event_free(e);
    return status;
}

static nw_ledger_summary summary_of(nw_ledger *ledger)
{
    nw_ledger_summary s;
    assert_int_equal(nw_ledger_summarise(ledger, &s, NULL), NW_OK);
    return s;
}

static void ledger__lets_through_exactly_the_budget(void **state)
{
    (void)state;
    const double mu = nw__budget_mu(1.0, 1e-9);
    nw_ledger_opts o = options(1.0, 1e-9, NW_FILTER_AUTO);
    nw_ledger *ledger = NULL;
    nw_error err;
    assert_int_equal(nw_ledger_memory(&ledger, &o, NULL), NW_OK);
    for (int i = 0; i < 100; i++) /* a hundred releases of a hundredth of mu^2 */
        assert_int_equal(charge(ledger, mu / 10.0 * (1.0 - 1e-12), NULL), NW_OK);
    const nw_ledger_summary s = summary_of(ledger);
    assert_int_equal(s.charges, 100);
    assert_true(s.spent_epsilon <= 1.0 && s.spent_epsilon > 0.999);
    assert_true(s.remaining_epsilon < 1e-3 && s.used_fraction > 0.999);
    assert_int_equal(charge(ledger, mu / 10.0, &err), NW_E_BUDGET);
    assert_non_null(strstr(err.message, "over the budget"));
    assert_int_equal(summary_of(ledger).charges, 100);
    nw_ledger_close(ledger);
}

static void ledger__pure_filter_adds_epsilons(void **state)
{
    (void)state;
    nw_ledger_opts o = options(1.0, 0.0, NW_FILTER_AUTO);
    nw_ledger *ledger = NULL;
    nw_event *e = NULL;
    nw_event *gaussian = NULL;
    nw_error err;
    assert_int_equal(nw_ledger_memory(&ledger, &o, NULL), NW_OK);
    assert_int_equal(summary_of(ledger).filter, NW_FILTER_PURE);
    assert_int_equal(nw_event_noise(&e, NW_EVENT_DISCRETE_LAPLACE, 4.0, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, 10, NULL), NW_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(nw_ledger_charge(ledger, e, "count", NULL, NULL, NULL), NW_OK);
    assert_true(fabs(summary_of(ledger).spent_epsilon - 0.75) < 1e-12);
    assert_true(fabs(summary_of(ledger).remaining_epsilon - 0.25) < 1e-12);
    assert_int_equal(summary_of(ledger).samples, 30);
    assert_int_equal(nw_event_gaussian(&gaussian, 1e6, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, NULL), NW_OK);
    assert_int_equal(nw_ledger_charge(ledger, gaussian, "no", NULL, NULL, &err), NW_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "pure"));
    nw_event_free(e);
    nw_event_free(gaussian);
    nw_ledger_close(ledger);
}

static void ledger__exact_sums_fill_a_pure_budget(void **state)
{
    (void)state;
    const double parts[] = { 0.25, 0.5, 0.25 };
    nw_ledger_opts o = options(1.0, 0.0, NW_FILTER_PURE);
    nw_ledger *ledger = NULL;
    nw_event *e = NULL;
    assert_int_equal(nw_ledger_memory(&ledger, &o, NULL), NW_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(nw_event_pure(&e, parts[i], NW_ADD_REMOVE, NULL), NW_OK);
        assert_int_equal(nw_ledger_charge(ledger, e, "part", NULL, NULL, NULL), NW_OK);
        nw_event_free(e);
    }
    assert_true(summary_of(ledger).spent_epsilon == 1.0 && summary_of(ledger).remaining_epsilon == 0.0);
    assert_int_equal(nw_event_pure(&e, 0x1p-60, NW_ADD_REMOVE, NULL), NW_OK);
    assert_int_equal(nw_ledger_charge(ledger, e, "more", NULL, NULL, NULL), NW_E_BUDGET); /* rounded up, not away */
    nw_event_free(e);
    nw_ledger_close(ledger);
}

static void ledger__zcdp_filter_takes_what_gdp_cannot(void **state)
{
    (void)state;
    nw_event *discrete = NULL;
    nw_error err;
    assert_int_equal(
        nw_event_noise(&discrete, NW_EVENT_DISCRETE_GAUSSIAN, 50.0, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, 10, NULL), NW_OK);
    for (int zcdp = 0; zcdp < 2; zcdp++) {
        nw_ledger_opts o = options(1.0, 1e-9, zcdp ? NW_FILTER_ZCDP : NW_FILTER_GDP);
        nw_ledger *ledger = NULL;
        assert_int_equal(nw_ledger_memory(&ledger, &o, NULL), NW_OK);
        assert_int_equal(nw_ledger_charge(ledger, discrete, "d", NULL, NULL, &err), zcdp ? NW_OK : NW_E_UNSUPPORTED);
        if (!zcdp)
            assert_non_null(strstr(err.message, "zcdp"));
        nw_ledger_close(ledger);
    }
    nw_event_free(discrete);
}

static void ledger__approx_deltas_fit_into_the_reserve_only(void **state)
{
    (void)state;
    nw_ledger_opts o = options(1.0, 1e-6, NW_FILTER_GDP);
    nw_ledger *ledger = NULL;
    nw_event *small = NULL;
    nw_event *large = NULL;
    nw_error err;
    bool fits = true;
    assert_int_equal(nw_ledger_memory(&ledger, &o, NULL), NW_OK);
    assert_int_equal(nw_event_approx(&small, 0.01, 0.9e-6 * NW__DELTA_RESERVE, NW_ADD_REMOVE, NULL), NW_OK);
    assert_int_equal(nw_event_approx(&large, 0.01, 1.1e-6 * NW__DELTA_RESERVE, NW_ADD_REMOVE, NULL), NW_OK);
    assert_int_equal(nw_ledger_fits(ledger, large, &fits, NULL), NW_OK);
    assert_false(fits);
    assert_int_equal(nw_ledger_charge(ledger, large, "l", NULL, NULL, &err), NW_E_BUDGET);
    assert_int_equal(nw_ledger_fits(ledger, small, &fits, NULL), NW_OK);
    assert_true(fits);
    assert_int_equal(nw_ledger_charge(ledger, small, "s", NULL, NULL, NULL), NW_OK);
    assert_int_equal(nw_ledger_charge(ledger, small, "s", NULL, NULL, &err), NW_E_BUDGET);
    nw_event_free(small);
    nw_event_free(large);
    nw_ledger_close(ledger);
}

static void ledger_charge__writes_a_receipt(void **state)
{
    (void)state;
    fresh_path("receipt");
    nw_ledger_opts o = options(2.0, 1e-9, NW_FILTER_AUTO);
    nw_ledger *ledger = NULL;
    nw_event *e = gdp_event(nw_gdp_mu(0.5, 1e-9));
    nw_receipt r;
    o.unit = "one household";
    assert_int_equal(nw_ledger_create(&ledger, path, &o, NULL), NW_OK);
    assert_int_equal(nw_ledger_charge(ledger, e, "first", NULL, NULL, NULL), NW_OK);
    assert_int_equal(nw_ledger_charge(ledger, e, "second", NULL, &r, NULL), NW_OK);
    assert_true(fabs(r.epsilon - 0.5) < 1e-6 && r.epsilon >= 0.5 - 1e-9);
    assert_true(r.spent_epsilon > 0.7 && r.spent_epsilon < 0.72); /* two of mu are one of sqrt(2) mu */
    assert_true(r.delta == 1e-9 && r.sequence == 2 && r.is_durable && !r.is_insecure);
    assert_string_equal(r.unit, "one household");
    assert_string_equal(r.label, "second");
    assert_string_equal(r.method, "gdp");
    assert_string_equal(r.version, nw_version());
    assert_string_equal(r.head, summary_of(ledger).head);
    assert_memory_equal(r.head, "2:", 2);
    assert_int_equal(nw_ledger_verify(ledger, r.head, NULL), NW_OK);
    nw_event_free(e);
    nw_ledger_close(ledger);
}

static void ledger__survives_in_its_file(void **state)
{
    (void)state;
    fresh_path("file");
    nw_ledger_opts o = options(1.0, 1e-9, NW_FILTER_AUTO);
    nw_ledger *a = NULL;
    nw_ledger *b = NULL;
    nw_error err;
    const double mu = nw__budget_mu(1.0, 1e-9);
    assert_int_equal(nw_ledger_create(&a, path, &o, NULL), NW_OK);
    assert_int_equal(charge(a, 0.6 * mu, NULL), NW_OK);
    assert_int_equal(nw_ledger_open(&b, path, NULL), NW_OK); /* two handles, as of two processes */
    assert_int_equal(charge(b, 0.6 * mu, NULL), NW_OK);
    assert_int_equal(charge(a, 0.6 * mu, &err), NW_E_BUDGET); /* a sees what b has spent */
    assert_int_equal(summary_of(a).charges, 2);
    nw_ledger_close(a);
    nw_ledger_close(b);
    assert_int_equal(nw_ledger_open_readonly(&a, path, NULL), NW_OK);
    assert_int_equal(charge(a, 0.1 * mu, &err), NW_E_STATE);
    assert_int_equal(summary_of(a).charges, 2);
    assert_int_equal(nw_ledger_create(&b, path, &o, &err), NW_E_IO);
    assert_non_null(strstr(err.message, "exists"));
    nw_ledger_close(a);
}

static void ledger__refuses_bad_options_and_arguments(void **state)
{
    (void)state;
    nw_ledger *ledger = NULL;
    nw_rng *seeded = NULL;
    nw_event *e = gdp_event(0.01);
    nw_error err;
    const struct {
        double epsilon;
        double delta;
        nw_filter filter;
        const char *word;
    } cases[] = { { 0.0, 1e-9, NW_FILTER_AUTO, "epsilon" }, { -1.0, 1e-9, NW_FILTER_AUTO, "epsilon" },
        { (double)NAN, 1e-9, NW_FILTER_AUTO, "epsilon" }, { 1e9, 1e-9, NW_FILTER_AUTO, "epsilon" },
        { 1.0, -1.0, NW_FILTER_AUTO, "delta" }, { 1.0, 1.0, NW_FILTER_AUTO, "delta" }, { 1.0, 0.0, NW_FILTER_GDP, "pure" },
        { 1.0, 1e-9, (nw_filter)7, "filter" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nw_ledger_opts o = options(cases[i].epsilon, cases[i].delta, cases[i].filter);
        assert_int_equal(nw_ledger_memory(&ledger, &o, &err), NW_E_ARG);
        assert_non_null(strstr(err.message, cases[i].word));
        assert_null(ledger);
    }
    nw_ledger_opts o = options(1.0, 1e-9, NW_FILTER_AUTO);
    o.adjacency = NW_ADJACENCY_UNSET;
    assert_int_equal(nw_ledger_memory(&ledger, &o, &err), NW_E_ARG);
    o = options(1.0, 1e-9, NW_FILTER_AUTO);
    o.unit = NULL;
    assert_int_equal(nw_ledger_memory(&ledger, &o, &err), NW_E_ARG);
    o = options(1.0, 1e-9, NW_FILTER_AUTO);
    assert_int_equal(nw_ledger_create(&ledger, NULL, &o, &err), NW_E_ARG);
    fresh_path("insecure");
    assert_int_equal(nw_ledger_create(&ledger, path, &o, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&seeded, 1, NULL), NW_OK);
    assert_int_equal(nw_ledger_charge(ledger, e, "x", seeded, NULL, &err), NW_E_STATE);
    assert_int_equal(nw_ledger_charge(NULL, e, "x", NULL, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_ledger_charge(ledger, NULL, "x", NULL, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_ledger_charge(ledger, e, NULL, NULL, NULL, &err), NW_E_ARG);
    char label[100];
    memset(label, 'x', sizeof label);
    label[99] = '\0';
    assert_int_equal(nw_ledger_charge(ledger, e, label, NULL, NULL, &err), NW_E_ARG);
    assert_int_equal(summary_of(ledger).charges, 0);
    nw_ledger_close(ledger);
    nw_ledger_close(NULL);
    nw_rng_free(seeded);
    nw_event_free(e);
}

static void ledger_unlimited__adds_up_and_refuses_nothing(void **state)
{
    (void)state;
    nw_ledger_opts o = options(0.0, 1e-9, NW_FILTER_AUTO);
    nw_ledger *ledger = NULL;
    assert_int_equal(nw_ledger_unlimited(&ledger, &o, NULL), NW_OK);
    for (int i = 0; i < 10; i++)
        assert_int_equal(charge(ledger, 3.0, NULL), NW_OK);
    assert_true(summary_of(ledger).is_unlimited && summary_of(ledger).spent_epsilon > 50.0);
    nw_ledger_close(ledger);
}

/* Files that are no ledger of ours. */
static void ledger_open__refuses_what_is_no_ledger(void **state)
{
    (void)state;
    nw_ledger *ledger = NULL;
    nw_error err;
    FILE *f = NULL;
    sqlite3 *db = NULL;
    fresh_path("none");
    assert_int_equal(nw_ledger_open(&ledger, path, &err), NW_E_IO);
    assert_int_equal(nw_ledger_open(&ledger, folder, &err), NW_E_IO);
    fresh_path("empty");
    assert_non_null(f = fopen(path, "w"));
    fclose(f);
    assert_int_equal(nw_ledger_open(&ledger, path, &err), NW_E_FORMAT);
    fresh_path("text");
    assert_non_null(f = fopen(path, "w"));
    for (int i = 0; i < 1000; i++)
        fputs("this is not a database\n", f);
    fclose(f);
    assert_int_equal(nw_ledger_open(&ledger, path, &err), NW_E_FORMAT);
    fresh_path("foreign");
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE header (x); INSERT INTO header VALUES (1)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(nw_ledger_open(&ledger, path, &err), NW_E_FORMAT);
    assert_non_null(strstr(err.message, "not a ledger"));
    assert_null(ledger);
}

static void make_charged_ledger(const char *name, int charges)
{
    nw_ledger_opts o = options(4.0, 1e-9, NW_FILTER_AUTO);
    nw_ledger *ledger = NULL;
    fresh_path(name);
    assert_int_equal(nw_ledger_create(&ledger, path, &o, NULL), NW_OK);
    for (int i = 0; i < charges; i++)
        assert_int_equal(charge(ledger, 0.1 + 0.01 * i, NULL), NW_OK);
    nw_ledger_close(ledger);
}

/* SQL edits that leave a sound database: the chain has to find each. */
static void ledger__the_chain_finds_every_edit_of_the_content(void **state)
{
    (void)state;
    const char *edits[] = {
        "UPDATE charge SET event = replace(event, '\"mu\"', '\"mu\" ') WHERE sequence = 2",
        "UPDATE charge SET label = 'other' WHERE sequence = 3",
        "UPDATE charge SET time = '2020-01-01T00:00:00Z' WHERE sequence = 1",
        "DELETE FROM charge WHERE sequence = 2",
        "UPDATE charge SET sequence = 9 WHERE sequence = 4",
        "UPDATE charge SET sequence = CASE sequence WHEN 2 THEN 30 ELSE sequence END; UPDATE charge SET sequence = 2 WHERE "
        "sequence = 3;"
        " UPDATE charge SET sequence = 3 WHERE sequence = 30",
        "INSERT INTO charge SELECT 5, time, label, event, mac FROM charge WHERE sequence = 4",
        "UPDATE header SET epsilon = (SELECT '40240000' || '00000000')",
        "UPDATE header SET delta = '3f50624dd2f1a9fc'",
        "UPDATE header SET adjacency = 'replace_one'",
        "UPDATE header SET filter = 'zcdp'",
        "UPDATE header SET unit = 'nobody'",
        "UPDATE header SET mac = 'x'",
        "DELETE FROM header",
        "DROP TABLE charge",
        "PRAGMA user_version = 99",
        "PRAGMA application_id = 1",
    };
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        sqlite3 *db = NULL;
        nw_ledger *ledger = NULL;
        nw_error err;
        make_charged_ledger("edited", 4);
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, edits[i], NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        if (nw_ledger_open(&ledger, path, &err) != NW_E_FORMAT)
            fail_msg("not found: %s", edits[i]);
        assert_null(ledger);
    }
}

/* The tail can be cut without breaking the chain: that is what the head on a receipt is for. */
static void ledger_verify__finds_a_rollback_by_its_anchor(void **state)
{
    (void)state;
    sqlite3 *db = NULL;
    nw_ledger *ledger = NULL;
    nw_error err;
    char head[NW_LEDGER_HEAD_SIZE];
    make_charged_ledger("rolled", 4);
    assert_int_equal(nw_ledger_open(&ledger, path, NULL), NW_OK);
    snprintf(head, sizeof head, "%s", summary_of(ledger).head);
    assert_int_equal(nw_ledger_verify(ledger, head, NULL), NW_OK);
    nw_ledger_close(ledger);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "DELETE FROM charge WHERE sequence = 4", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(nw_ledger_open(&ledger, path, NULL), NW_OK);
    assert_int_equal(nw_ledger_verify(ledger, NULL, NULL), NW_OK);
    assert_int_equal(nw_ledger_verify(ledger, head, &err), NW_E_FORMAT);
    assert_non_null(strstr(err.message, "rolled back"));
    nw_ledger_close(ledger);
}

/* A row removed under an open handle. */
static void ledger_charge__notices_that_its_last_row_is_gone(void **state)
{
    (void)state;
    sqlite3 *db = NULL;
    nw_ledger *ledger = NULL;
    nw_error err;
    make_charged_ledger("under", 3);
    assert_int_equal(nw_ledger_open(&ledger, path, NULL), NW_OK);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "DELETE FROM charge WHERE sequence = 3", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(charge(ledger, 0.1, &err), NW_E_FORMAT);
    nw_ledger_close(ledger);
}

static unsigned char *read_file(size_t *n)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    unsigned char *bytes = malloc(*n);
    assert_int_equal(fread(bytes, 1, *n, f), *n);
    fclose(f);
    return bytes;
}

static void write_file(const unsigned char *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

/* What a ledger says, in one string; empty if it is refused. */
static void content_of(char *out, size_t size)
{
    nw_ledger *ledger = NULL;
    out[0] = '\0';
    if (nw_ledger_open_readonly(&ledger, path, NULL) != NW_OK)
        return;
    if (nw_ledger_verify(ledger, NULL, NULL) == NW_OK) {
        const nw_ledger_summary s = summary_of(ledger);
        snprintf(out, size, "%a %a %d %d %s %s %llu %a", s.budget_epsilon, s.budget_delta, (int)s.adjacency, (int)s.filter,
            s.unit, s.head, (unsigned long long)s.charges, s.spent_epsilon);
    }
    nw_ledger_close(ledger);
}

/* Every 7th byte of the file, one bit or all bits of it flipped: refused, or of no consequence (free space, counters of
 * SQLite). */
static void ledger__no_edited_byte_changes_the_content_silently(void **state)
{
    (void)state;
    size_t n = 0;
    char honest[512];
    char now[512];
    size_t found = 0;
    size_t harmless = 0;
    make_charged_ledger("bytes", 3);
    unsigned char *bytes = read_file(&n);
    content_of(honest, sizeof honest);
    assert_true(honest[0] != '\0');
    for (size_t at = 0; at < n; at += 7) {
        const unsigned char old = bytes[at];
        bytes[at] ^= at % 2 == 0 ? 0xff : (unsigned char)(1u << (at % 8));
        write_file(bytes, n);
        content_of(now, sizeof now);
        if (now[0] == '\0')
            found++;
        else
            assert_string_equal(now, honest);
        harmless += now[0] != '\0';
        bytes[at] = old;
    }
    print_message("# %zu single-byte edits: %zu refused, %zu without consequence\n", found + harmless, found, harmless);
    assert_true(found > 100);
    write_file(bytes, n);
    for (size_t size = 0; size < n; size += size < 200 ? 1 : 509) { /* torn files */
        write_file(bytes, size);
        content_of(now, sizeof now);
        assert_true(now[0] == '\0' || strcmp(now, honest) == 0);
    }
    free(bytes);
}

/* A process whose files may not grow stands for a full disk: the same write errors reach SQLite. */
static void ledger_charge__full_disk_is_refused_and_nothing_is_lost(void **state)
{
    (void)state;
    make_charged_ledger("full", 3);
    const pid_t pid = fork();
    if (pid == 0) {
        nw_ledger *ledger = NULL;
        nw_error err;
        signal(SIGXFSZ, SIG_IGN);
        if (nw_ledger_open(&ledger, path, NULL) != NW_OK)
            _exit(1);
        const struct rlimit limit = { 2048, 2048 };
        setrlimit(RLIMIT_FSIZE, &limit);
        for (int i = 0; i < 20; i++) {
            const nw_status status = charge(ledger, 0.1, &err);
            if (status != NW_E_IO)
                _exit(status == NW_OK ? 2 : 3);
        }
        _exit(0);
    }
    int status = 0;
    nw_ledger *ledger = NULL;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(nw_ledger_open(&ledger, path, NULL), NW_OK);
    assert_int_equal(summary_of(ledger).charges, 3);
    assert_int_equal(charge(ledger, 0.1, NULL), NW_OK);
    nw_ledger_close(ledger);
}

/* As an unprivileged user: a file or folder without write permission. */
static void ledger_open__without_permission_is_refused(void **state)
{
    (void)state;
    make_charged_ledger("denied", 2);
    chmod(folder, 0755);
    chmod(path, 0444);
    const pid_t pid = fork();
    if (pid == 0) {
        nw_ledger *ledger = NULL;
        nw_error err;
        if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(77);
        const nw_status for_charges = nw_ledger_open(&ledger, path, &err);
        if (for_charges != NW_E_IO || strstr(err.message, "written") == NULL)
            _exit(1);
        if (access(path, R_OK) == 0) { /* the folders above may be closed to this user */
            if (nw_ledger_open_readonly(&ledger, path, &err) != NW_OK)
                _exit(2);
            if (charge(ledger, 0.1, &err) != NW_E_STATE)
                _exit(3);
        }
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    if (access(folder, X_OK) != 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 1 && getuid() == 0))
        print_message("# the test's folder is closed to other users\n");
    else
        assert_int_equal(status, 0);
    chmod(path, 0644);
}

static void ledger__refuses_to_work_in_a_forked_child(void **state)
{
    (void)state;
    make_charged_ledger("forked", 1);
    nw_ledger *ledger = NULL;
    assert_int_equal(nw_ledger_open(&ledger, path, NULL), NW_OK);
    const pid_t pid = fork();
    if (pid == 0)
        _exit(charge(ledger, 0.1, NULL) == NW_E_STATE ? 0 : 1);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(charge(ledger, 0.1, NULL), NW_OK);
    nw_ledger_close(ledger);
}

typedef struct thread_job {
    nw_ledger *ledger;
    double mu;
    int granted;
} thread_job;

static void *charge_until_refused(void *context)
{
    thread_job *job = context;
    while (charge(job->ledger, job->mu, NULL) == NW_OK)
        job->granted++;
    return NULL;
}

static void ledger_charge__threads_share_one_budget(void **state)
{
    (void)state;
    enum { THREADS = 4, GRANTS = 100 };
    nw_ledger_opts o = options(1.0, 1e-9, NW_FILTER_AUTO);
    nw_ledger *ledger = NULL;
    pthread_t threads[THREADS];
    thread_job jobs[THREADS];
    int granted = 0;
    assert_int_equal(nw_ledger_memory(&ledger, &o, NULL), NW_OK);
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (thread_job){ ledger, nw__budget_mu(1.0, 1e-9) / sqrt(GRANTS) * (1.0 - 1e-12), 0 };
        assert_int_equal(pthread_create(&threads[i], NULL, charge_until_refused, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        granted += jobs[i].granted;
    }
    assert_int_equal(granted, GRANTS);
    nw_ledger_close(ledger);
}

typedef struct seen {
    uint64_t count;
    uint64_t stop_after;
} seen;

static bool see(void *context, const nw_ledger_entry *entry)
{
    seen *s = context;
    nw_event *event = NULL;
    assert_int_equal(entry->sequence, ++s->count);
    assert_int_equal(nw_event_from_json(&event, entry->event_json, NULL), NW_OK);
    nw_event_free(event);
    return s->count < s->stop_after;
}

static void ledger_each__visits_in_order_until_told_to_stop(void **state)
{
    (void)state;
    nw_ledger *ledger = NULL;
    seen all = { 0, 100 };
    seen two = { 0, 2 };
    make_charged_ledger("each", 5);
    assert_int_equal(nw_ledger_open_readonly(&ledger, path, NULL), NW_OK);
    assert_int_equal(nw_ledger_each(ledger, see, &all, NULL), NW_OK);
    assert_int_equal(all.count, 5);
    assert_int_equal(nw_ledger_each(ledger, see, &two, NULL), NW_OK);
    assert_int_equal(two.count, 2);
    assert_int_equal(nw_ledger_each(ledger, NULL, &two, NULL), NW_E_ARG);
    nw_ledger_close(ledger);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ledger__lets_through_exactly_the_budget),
        cmocka_unit_test(ledger__pure_filter_adds_epsilons),
        cmocka_unit_test(ledger__exact_sums_fill_a_pure_budget),
        cmocka_unit_test(ledger__zcdp_filter_takes_what_gdp_cannot),
        cmocka_unit_test(ledger__approx_deltas_fit_into_the_reserve_only),
        cmocka_unit_test(ledger_charge__writes_a_receipt),
        cmocka_unit_test(ledger__survives_in_its_file),
        cmocka_unit_test(ledger__refuses_bad_options_and_arguments),
        cmocka_unit_test(ledger_unlimited__adds_up_and_refuses_nothing),
        cmocka_unit_test(ledger_open__refuses_what_is_no_ledger),
        cmocka_unit_test(ledger__the_chain_finds_every_edit_of_the_content),
        cmocka_unit_test(ledger_verify__finds_a_rollback_by_its_anchor),
        cmocka_unit_test(ledger_charge__notices_that_its_last_row_is_gone),
        cmocka_unit_test(ledger__no_edited_byte_changes_the_content_silently),
        cmocka_unit_test(ledger_charge__full_disk_is_refused_and_nothing_is_lost),
        cmocka_unit_test(ledger_open__without_permission_is_refused),
        cmocka_unit_test(ledger__refuses_to_work_in_a_forked_child),
        cmocka_unit_test(ledger_charge__threads_share_one_budget),
        cmocka_unit_test(ledger_each__visits_in_order_until_told_to_stop),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
