/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_ledger_files.c - ledger files that are none, were edited, torn, rolled back, or cannot be written. */
#include "ledger_support.h"

static size_t stride = 7;

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

/* Every 7th byte of the file (argv[1]: every how many), one bit or all bits of it flipped: refused, or of no consequence (free
 * space, counters of SQLite). Then the file cut at every 7th length: refused, but never another content. */
static void ledger__no_edited_byte_changes_the_content_silently(void **state)
{
    (void)state;
    size_t n = 0;
    char honest[512];
    char now[512];
    size_t found = 0;
    size_t harmless = 0;
    nw_ledger *ledger = NULL;
    nw_event *event = gdp_event(0.1);
    uint64_t r = 0;
    make_charged_ledger("bytes", 1);
    assert_int_equal(nw_ledger_open(&ledger, path, NULL), NW_OK);
    assert_int_equal(nw_ledger_add_group(ledger, "team", 3.0, 1e-9, NULL), NW_OK);
    assert_int_equal(nw_ledger_reserve(ledger, "team", event, 5, "x", NULL, &r, NULL, NULL), NW_OK);
    assert_int_equal(nw_ledger_commit(ledger, r, 2, NULL, NULL), NW_OK);
    nw_ledger_close(ledger);
    nw_event_free(event);
    unsigned char *bytes = read_file(&n);
    content_of(honest, sizeof honest);
    assert_true(honest[0] != '\0');
    for (size_t at = 0; at < n; at += stride) {
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
    assert_true(found > 700 / stride);
    write_file(bytes, n);
    size_t whole = 0;
    for (size_t size = 0; size < n; size += size < 200 ? 1 : stride) { /* torn files */
        write_file(bytes, size);
        content_of(now, sizeof now);
        assert_true(now[0] == '\0' || strcmp(now, honest) == 0);
        whole += now[0] != '\0';
    }
    print_message("# %zu torn lengths read as the whole ledger\n", whole);
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
        char *full = realpath(path, NULL); /* fails if a folder above is closed to this user: SQLite asks for the full path */
        if (full != NULL && access(full, R_OK) == 0) {
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
        print_message("# root may not become another user here\n");
    else if (access(folder, X_OK) != 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 1 && getuid() == 0))
        print_message("# the test's folder is closed to other users\n");
    else
        assert_int_equal(status, 0);
    chmod(path, 0644);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ledger_open__refuses_what_is_no_ledger),
        cmocka_unit_test(ledger__the_chain_finds_every_edit_of_the_content),
        cmocka_unit_test(ledger_verify__finds_a_rollback_by_its_anchor),
        cmocka_unit_test(ledger_charge__notices_that_its_last_row_is_gone),
        cmocka_unit_test(ledger__no_edited_byte_changes_the_content_silently),
        cmocka_unit_test(ledger_charge__full_disk_is_refused_and_nothing_is_lost),
        cmocka_unit_test(ledger_open__without_permission_is_refused),
    };
    if (argc > 1)
        stride = strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
