/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* ledger_crash.c - processes killed at random points, and processes racing for the last of a budget. argv[1]: kills, default 200;
 * argv[2]: rounds of each race, default 20.
 *
 * A victim charges, then "releases" by appending the receipt's head to a file and syncing it, over and over. However it dies,
 * every released head must be in the ledger, and the ledger must open and verify. A second kind of victim reserves, counts each
 * step in that file before it would draw it, commits what it used, charges to groups in between, and begins by committing the
 * reservations that dead victims left open, at their count. Then no reservation may stand for fewer steps than were counted. */
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

enum { KILLS_PER_LEDGER = 100 };
static int kills = 200;
static int rounds = 20;
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
    assert_int_equal(nw_ledger_add_group(ledger, "team", 0.75, 1e-9, NULL), NW_OK);
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
    for (int i = 0; i < kills; i++) {
        char name[32];
        if (i % KILLS_PER_LEDGER == 0) { /* a short ledger opens fast, so that victims live to charge */
            snprintf(name, sizeof name, "killed-%d", i);
            make_ledger(name);
        }
        const pid_t pid = fork();
        if (pid == 0)
            charge_and_release(GRANTS);
        const struct timespec pause = { 0, rand() % 25000000 };
        nanosleep(&pause, NULL);
        kill(pid, SIGKILL);
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        const bool is_last = (i + 1) % KILLS_PER_LEDGER == 0 || i + 1 == kills;
        if (i % 20 == 19 || is_last) {
            const size_t now = check_releases();
            released += is_last ? now : 0;
        }
    }
    print_message("# %d kills, %zu releases, none uncharged\n", kills, released);
    assert_true(released > (size_t)kills / 10); /* else the victims hardly lived: on a busy machine one release takes long */
}

static void ledger__racing_processes_get_the_budget_and_no_more(void **state)
{
    (void)state;
    enum { PROCESSES = 8, GRANTS = 40 };
    for (int round = 0; round < rounds; round++) {
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

/* ---- reservations and groups ---- */
enum { MOST_ROWS = 100000, JOB_STEPS = 8 };
static const double JOB_GRANTS = 1e7; /* never used up */

/* What is known of each row: steps that are charged, steps that were counted as used. */
typedef struct job_state {
    uint64_t sequence;
    nw_row_kind kinds[MOST_ROWS];
    uint64_t charged[MOST_ROWS];
    uint64_t counted[MOST_ROWS];
} job_state;
static job_state jobs;

static bool note_row(void *context, const nw_ledger_entry *entry)
{
    job_state *j = context;
    if (entry->sequence >= MOST_ROWS)
        abort();
    j->sequence = entry->sequence;
    j->kinds[entry->sequence] = entry->kind;
    if (entry->kind == NW_ROW_COMMIT)
        j->charged[entry->reservation] = entry->steps;
    else
        j->charged[entry->sequence] = entry->steps;
    if (entry->kind == NW_ROW_COMMIT)
        j->kinds[entry->reservation] = NW_ROW_CHARGE; /* no longer open */
    return true;
}

/* Reads the ledger and the whole lines of the count, each the number of a row. */
static bool read_jobs(nw_ledger *ledger, size_t *released)
{
    char line[64];
    memset(&jobs, 0, sizeof jobs);
    if (nw_ledger_each(ledger, note_row, &jobs, NULL) != NW_OK)
        return false;
    FILE *f = fopen(release_path, "r");
    *released = 0;
    while (f != NULL && fgets(line, sizeof line, f) != NULL && strchr(line, '\n') != NULL) {
        const unsigned long long row = strtoull(line, NULL, 10);
        if (row >= MOST_ROWS)
            abort();
        jobs.counted[row]++;
        ++*released;
    }
    if (f != NULL)
        fclose(f);
    return true;
}

/* Durable before the step would be drawn. */
static void count_one(int out, uint64_t row)
{
    char line[32];
    const int n = snprintf(line, sizeof line, "%020llu\n", (unsigned long long)row);
    if (write(out, line, (size_t)n) != n || fsync(out) != 0)
        _exit(4);
}

static void run_jobs(bool settles)
{
    nw_ledger *ledger = NULL;
    nw_event *event = share_event(JOB_GRANTS);
    size_t released = 0;
    const int out = open(release_path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (out < 0 || nw_ledger_open(&ledger, ledger_path, NULL) != NW_OK || !read_jobs(ledger, &released))
        _exit(1);
    for (uint64_t row = 1; settles && row <= jobs.sequence; row++)
        if (jobs.kinds[row] == NW_ROW_RESERVATION && nw_ledger_commit(ledger, row, jobs.counted[row], NULL, NULL) != NW_OK)
            _exit(5);
    for (;;) {
        nw_receipt receipt;
        uint64_t reservation = 0;
        const uint64_t used = (uint64_t)rand() % (JOB_STEPS + 1);
        const char *group = rand() % 2 == 0 ? "team" : NULL;
        if (nw_ledger_reserve(ledger, group, event, JOB_STEPS, "job", NULL, &reservation, NULL, NULL) != NW_OK)
            _exit(2);
        for (uint64_t i = 0; i < used; i++)
            count_one(out, reservation);
        if (nw_ledger_commit(ledger, reservation, used, NULL, NULL) != NW_OK)
            _exit(3);
        if (nw_ledger_charge_group(ledger, group, event, "single", NULL, &receipt, NULL) != NW_OK)
            _exit(2);
        count_one(out, receipt.sequence);
    }
}

/* No row stands for fewer steps than were counted against it; returns the number of counted steps. */
static size_t check_jobs(size_t *open_reservations)
{
    nw_ledger *ledger = NULL;
    size_t released = 0;
    nw_error err;
    if (nw_ledger_open(&ledger, ledger_path, &err) != NW_OK)
        fail_msg("%s", err.message);
    assert_int_equal(nw_ledger_verify(ledger, NULL, NULL), NW_OK);
    assert_true(read_jobs(ledger, &released));
    nw_ledger_close(ledger);
    *open_reservations = 0;
    for (uint64_t row = 0; row < MOST_ROWS; row++) {
        assert_true(jobs.counted[row] <= jobs.charged[row]);
        *open_reservations += jobs.kinds[row] == NW_ROW_RESERVATION;
    }
    return released;
}

static void ledger__no_reserved_step_is_uncharged_however_the_process_dies(void **state)
{
    (void)state;
    size_t released = 0;
    size_t found_open = 0;
    srand(2);
    for (int i = 0; i < kills; i++) {
        char name[32];
        size_t open_reservations = 0;
        if (i % KILLS_PER_LEDGER == 0) {
            snprintf(name, sizeof name, "jobs-%d", i);
            make_ledger(name);
        }
        const unsigned seed = (unsigned)rand();
        const bool settles = rand() % 4 == 0;
        const struct timespec pause = { 0, rand() % 40000000 };
        const pid_t pid = fork();
        if (pid == 0) {
            srand(seed);
            run_jobs(settles);
        }
        nanosleep(&pause, NULL);
        kill(pid, SIGKILL);
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        if (i % 10 == 9 || i + 1 == kills) {
            const size_t now = check_jobs(&open_reservations);
            found_open += open_reservations;
            if ((i + 1) % KILLS_PER_LEDGER == 0 || i + 1 == kills)
                released += now;
        }
    }
    print_message("# %d kills, %zu steps counted, none uncharged; %zu reservations found open\n", kills, released, found_open);
    assert_true(released > (size_t)kills / 10 && found_open > 0);
}

/* The last of the budget, as reservations of a few steps that are committed at fewer, all in one group. Exits 3 when refused. */
static void reserve_until_refused(double grants, double mu_share)
{
    nw_ledger *ledger = NULL;
    nw_event *event = share_event(grants * mu_share);
    const int out = open(release_path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (out < 0 || nw_ledger_open(&ledger, ledger_path, NULL) != NW_OK)
        _exit(1);
    for (;;) {
        uint64_t reservation = 0;
        const nw_status status = nw_ledger_reserve(ledger, "team", event, 3, "race", NULL, &reservation, NULL, NULL);
        if (status != NW_OK)
            _exit(status == NW_E_BUDGET ? 3 : 2);
        count_one(out, reservation);
        if (nw_ledger_commit(ledger, reservation, 1, NULL, NULL) != NW_OK)
            _exit(5);
    }
}

/* At each moment used and reserved steps fit; at the end, when all are committed, fewer than a reservation's steps are left for
 * every process that might have held one. */
static void ledger__racing_reservations_never_pass_the_groups_share(void **state)
{
    (void)state;
    enum { PROCESSES = 8, GRANTS = 40, STEPS = 3 };
    const double share = nw__budget_mu(1.0, 1e-9) / nw__budget_mu(0.75, 1e-9);
    size_t least = GRANTS;
    for (int round = 0; round < rounds; round++) {
        char name[32];
        pid_t pids[PROCESSES];
        size_t open_reservations = 0;
        snprintf(name, sizeof name, "reserved-%d", round);
        make_ledger(name);
        for (int i = 0; i < PROCESSES; i++) {
            pids[i] = fork();
            if (pids[i] == 0)
                reserve_until_refused(GRANTS, share * share);
        }
        for (int i = 0; i < PROCESSES; i++) {
            int status = 0;
            assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
        }
        const size_t granted = check_jobs(&open_reservations);
        assert_int_equal(open_reservations, 0);
        assert_true(granted <= GRANTS && granted + STEPS * PROCESSES > GRANTS);
        least = granted < least ? granted : least;
    }
    print_message("# %d rounds, %d processes: at least %zu of %d steps used\n", rounds, PROCESSES, least, GRANTS);
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
        cmocka_unit_test(ledger__no_reserved_step_is_uncharged_however_the_process_dies),
        cmocka_unit_test(ledger__racing_reservations_never_pass_the_groups_share),
    };
    if (argc > 1)
        kills = atoi(argv[1]);
    if (argc > 2)
        rounds = atoi(argv[2]);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
