/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* ledger_crash.c - processes killed at random points, and processes racing for the last of a budget. argv[1]: kills, default 200.
 *
 * A victim charges, then "releases" by appending the receipt's head to a file and syncing it, over and over. However it dies,
 * every released head must be in the ledger, and the ledger must open and verify. */
#include "ledger_internal.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static int kills = 200;
static char folder[] = "ledger-crash-XXXXXX";
static char ledger_path[256];
static char release_path[256];

static void make_ledger(const char *name)
{
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    nw_ledger *ledger = NULL;
    o.epsilon = 1.0;
    o.delta = 1e-9;
    o.adjacency = NW_ADD_REMOVE;
    snprintf(ledger_path, sizeof ledger_path, "%s/%s", folder, name);
    snprintf(release_path, sizeof release_path, "%s/%s.released", folder, name);
    assert_int_equal(nw_ledger_create(&ledger, ledger_path, &o, NULL), NW_OK);
    nw_ledger_close(ledger);
}

/* One share of `grants` equal ones. */
static nw_event *share_event(double grants)
{
    nw_event *event = NULL;
    if (nw_event_gdp(&event, nw__budget_mu(1.0, 1e-9) / sqrt(grants) * (1.0 - 1e-12), NW_ADD_REMOVE, NULL) != NW_OK)
        abort();
    return event;
}

/* The victim's life: never returns normally. Exits 3 when the budget is used up. */
static void charge_and_release(double grants)
{
    nw_ledger *ledger = NULL;
    nw_event *event = share_event(grants);
    nw_receipt receipt;
    const int out = open(release_path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (out < 0 || nw_ledger_open(&ledger, ledger_path, NULL) != NW_OK)
        _exit(1);
    for (;;) {
        char line[NW_LEDGER_HEAD_SIZE + 2];
        const nw_status status = nw_ledger_charge(ledger, event, "victim", NULL, &receipt, NULL);
        if (status != NW_OK)
            _exit(status == NW_E_BUDGET ? 3 : 2);
        const int n = snprintf(line, sizeof line, "%s\n", receipt.head);
        if (write(out, line, (size_t)n) != n || fsync(out) != 0)
            _exit(4);
    }
}

typedef struct heads {
    char (*lines)[NW_LEDGER_HEAD_SIZE];
    size_t count;
} heads;

static bool collect(void *context, const nw_ledger_entry *entry)
{
    heads *h = context;
    h->lines = realloc(h->lines, (h->count + 1) * sizeof *h->lines);
    snprintf(h->lines[h->count++], NW_LEDGER_HEAD_SIZE, "%llu:%s", (unsigned long long)entry->sequence, entry->mac);
    return true;
}

/* Every released line that is whole is the head of a charge; returns their number. */
static size_t check_releases(void)
{
    nw_ledger *ledger = NULL;
    heads charged = { NULL, 0 };
    size_t released = 0;
    char line[NW_LEDGER_HEAD_SIZE + 2];
    nw_error err;
    if (nw_ledger_open(&ledger, ledger_path, &err) != NW_OK)
        fail_msg("%s", err.message);
    assert_int_equal(nw_ledger_verify(ledger, NULL, NULL), NW_OK);
    assert_int_equal(nw_ledger_each(ledger, collect, &charged, NULL), NW_OK);
    FILE *f = fopen(release_path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        char *end = strchr(line, '\n');
        if (end == NULL)
            break;
        *end = '\0';
        const size_t sequence = (size_t)strtoull(line, NULL, 10);
        assert_true(sequence >= 1 && sequence <= charged.count);
        assert_string_equal(line, charged.lines[sequence - 1]);
        released++;
    }
    if (f != NULL)
        fclose(f);
    assert_true(released <= charged.count);
    free(charged.lines);
    nw_ledger_close(ledger);
    return released;
}

static void ledger__no_release_is_uncharged_however_the_process_dies(void **state)
{
    (void)state;
    enum { GRANTS = 1000000 };
    size_t released = 0;
    srand(1);
    make_ledger("killed");
    for (int i = 0; i < kills; i++) {
        const pid_t pid = fork();
        if (pid == 0)
            charge_and_release(GRANTS);
        const struct timespec pause = { 0, rand() % 25000000 };
        nanosleep(&pause, NULL);
        kill(pid, SIGKILL);
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        if (i % 20 == 19 || i + 1 == kills)
            released = check_releases();
    }
    print_message("# %d kills, %zu releases, none uncharged\n", kills, released);
    assert_true(released > (size_t)kills);
}

static void ledger__racing_processes_get_the_budget_and_no_more(void **state)
{
    (void)state;
    enum { PROCESSES = 8, GRANTS = 40, ROUNDS = 20 };
    for (int round = 0; round < ROUNDS; round++) {
        char name[32];
        pid_t pids[PROCESSES];
        snprintf(name, sizeof name, "raced-%d", round);
        make_ledger(name);
        for (int i = 0; i < PROCESSES; i++) {
            pids[i] = fork();
            if (pids[i] == 0)
                charge_and_release(GRANTS);
        }
        for (int i = 0; i < PROCESSES; i++) {
            int status = 0;
            assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3); /* each ends on the refusal, none on an error */
        }
        assert_int_equal(check_releases(), GRANTS);
    }
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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ledger__no_release_is_uncharged_however_the_process_dies),
        cmocka_unit_test(ledger__racing_processes_get_the_budget_and_no_more),
    };
    if (argc > 1)
        kills = atoi(argv[1]);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
