/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bench_stats.c - speed of the statistics room: nw-stats on a table of 1e7 rows against `wc -l` and awk's sum of one column on
 * the same file in the same run, and the accumulators of the library. Times are CPU seconds, user and system, of one thread. */
#include "figures.h"

#include <noisewright.h>
#include <nw/stats.h>
#include <nw/testing.h>

#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { REPEATS = 3, BLOCK = 4096 };

static const char schema_json[] = "{\"id\": {\"type\": \"int\", \"lower\": 0, \"upper\": 10000000},\n"
                                  " \"sex\": {\"type\": \"categorical\", \"values\": [\"F\", \"M\"]},\n"
                                  " \"age\": {\"type\": \"int\", \"lower\": 0, \"upper\": 120},\n"
                                  " \"pay\": {\"type\": \"float\", \"lower\": 0, \"upper\": 100000, \"step\": 0.01}}\n";

typedef struct work {
    char folder[32];
    char table[64];
    char schema[64];
    size_t rows;
    size_t keys;
    nw_rng *rng;
    nw_ledger *ledger;
} work;

/* For sizes and values of the table, where any spread will do. */
static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void write_table(const work *w)
{
    uint64_t state = 1;
    FILE *schema = fopen(w->schema, "w");
    FILE *table = fopen(w->table, "w");
    if (schema == NULL || table == NULL)
        bench_fail(BENCH_IO, w->folder, "cannot be written to");
    fputs(schema_json, schema);
    fputs("id,sex,age,pay\n", table);
    for (size_t row = 0; row < w->rows; row++) {
        const unsigned age = (unsigned)(next_random(&state) % 100);
        const unsigned cents = (unsigned)(next_random(&state) % 10000000);
        fprintf(table, "%zu,%c,%u,%u.%02u\n", row, "FM"[next_random(&state) & 1], age, cents / 100, cents % 100);
    }
    if (fclose(schema) != 0 || fclose(table) != 0)
        bench_fail(BENCH_IO, w->folder, "cannot be written to");
}

static double children_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* CPU seconds of a program with its output thrown away, the median of REPEATS; NAN if it cannot be run. */
static double run_program(char *const argv[])
{
    double seconds[REPEATS];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    bool is_run = true;
    for (int i = 0; is_run && i < REPEATS; i++) {
        pid_t child;
        int status = 0;
        const double start = children_seconds();
        is_run = posix_spawnp(&child, argv[0], &actions, NULL, argv, environ) == 0 && waitpid(child, &status, 0) == child &&
                 WIFEXITED(status) && WEXITSTATUS(status) == 0;
        seconds[i] = children_seconds() - start;
    }
    posix_spawn_file_actions_destroy(&actions);
    return is_run ? bench_median(seconds, REPEATS) : NAN;
}

static void print_rate(const char *name, double value, double wc, double awk)
{
    bench_print(&(bench_figure){ name, value, "rows/s", { { "wc", value / wc }, { "awk", value / awk } } });
}

static void measure_table(const work *w, char *program)
{
    const double rows = (double)w->rows;
    char *const wc[] = { "wc", "-l", (char *)(uintptr_t)w->table, NULL };
    char *const awk[] = { "awk", "-F,", "{ s += $4 } END { print s }", (char *)(uintptr_t)w->table, NULL };
#define RUN(...)                                                                                                                 \
    rows / run_program((char *const[]){ program, (char *)(uintptr_t)w->table, "--schema", (char *)(uintptr_t)w->schema,          \
               "--epsilon", "1", "--quiet", __VA_ARGS__, NULL })
    const double wc_rate = rows / run_program(wc);
    const double awk_rate = rows / run_program(awk);
    print_rate("wc/lines", wc_rate, wc_rate, awk_rate);
    print_rate("awk/sum", awk_rate, wc_rate, awk_rate);
    print_rate("nw_stats/query=count", RUN("--query", "count()"), wc_rate, awk_rate);
    print_rate("nw_stats/query=sum", RUN("--query", "sum(pay)"), wc_rate, awk_rate);
    print_rate("nw_stats/query=count+sum+mean_by_sex",
        RUN("--query", "count()", "--query", "sum(pay)", "--query", "mean(age) by sex"), wc_rate, awk_rate);
    print_rate("nw_stats/query=median", RUN("--query", "median(pay)"), wc_rate, awk_rate);
#undef RUN
}

/* ---- accumulators ---- */

/* Records a second of what an accumulator has to do at least: read a group and a value, add to one of the sums. */
static double plain_sum_rate(const uint32_t *groups, const double *values)
{
    enum { PASSES = 2000 };
    volatile double sums[2] = { 0.0, 0.0 };
    const double start = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
    for (size_t pass = 0; pass < PASSES; pass++)
        for (size_t i = 0; i < BLOCK; i++)
            sums[groups[i]] += values[i];
    return (double)PASSES * BLOCK / (bench_seconds(CLOCK_THREAD_CPUTIME_ID) - start);
}

static void measure_accumulator(const work *w, nw_stats_kind kind, const char *name)
{
    nw_error err;
    nw_stats *stats = NULL;
    nw_stats_query query = NW_STATS_QUERY_INIT;
    nw_stats_opts opts = NW_STATS_OPTS_INIT;
    static double values[BLOCK];
    static uint32_t groups[BLOCK];
    uint64_t state = 2;
    for (size_t i = 0; i < BLOCK; i++) {
        values[i] = (double)(next_random(&state) % 10000000) / 100.0;
        groups[i] = (uint32_t)(next_random(&state) & 1);
    }
    query.kind = kind;
    query.groups = 2;
    query.upper = 100000;
    opts.epsilon = 1;
    opts.delta = 0;
    opts.adjacency = NW_ADD_REMOVE;
    bench_check(nw_stats_new(&stats, &query, 1, &opts, &err), &err);
    const size_t blocks = w->rows / BLOCK + 1;
    const double start = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
    for (size_t i = 0; i < blocks; i++)
        bench_check(nw_stats_add(stats, 0, groups, values, BLOCK, &err), &err);
    const double rate = (double)(blocks * BLOCK) / (bench_seconds(CLOCK_THREAD_CPUTIME_ID) - start);
    bench_print(&(bench_figure){ name, rate, "records/s", { { "plain_sums", rate / plain_sum_rate(groups, values) } } });
    nw_stats_free(stats);
}

/* ---- unknown keys ---- */

static nw_keys *new_keys(void)
{
    nw_error err;
    nw_keys *keys = NULL;
    nw_keys_opts opts = NW_KEYS_OPTS_INIT;
    opts.epsilon = 1;
    opts.delta = 0;
    opts.threshold_delta = 1e-9;
    opts.adjacency = NW_ADD_REMOVE;
    opts.max_keys = 1;
    opts.max_count = 1;
    bench_check(nw_keys_new(&keys, &opts, &err), &err);
    return keys;
}

enum { KEY_SIZE = 32 };

static int compare_keys(const void *a, const void *b)
{
    return memcmp(a, b, KEY_SIZE);
}

/* Records a second of the plain way to count keys: all of them sorted. Leaves `text` as it was. */
static double sort_rate(const char *text, size_t keys)
{
    char *copy = malloc(keys * KEY_SIZE);
    if (copy == NULL)
        bench_fail(BENCH_INTERNAL, "keys", "not enough memory");
    memcpy(copy, text, keys * KEY_SIZE);
    const double start = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
    qsort(copy, keys, KEY_SIZE, compare_keys);
    const double seconds = bench_seconds(CLOCK_THREAD_CPUTIME_ID) - start;
    free(copy);
    return (double)keys / seconds;
}

/* As many users with one record each, and `distinct` different keys. */
static void measure_keys(const work *w, size_t distinct)
{
    nw_error err;
    char name[64];
    nw_keys *keys = new_keys();
    char *text = calloc(w->keys, KEY_SIZE);
    if (text == NULL)
        bench_fail(BENCH_INTERNAL, "keys", "not enough memory");
    for (size_t i = 0; i < w->keys; i++)
        snprintf(text + i * KEY_SIZE, KEY_SIZE, "key-%zu", i * 7919 % w->keys % distinct);
    const double sorted = sort_rate(text, w->keys);
    const double start = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
    for (size_t i = 0; i < w->keys; i++)
        bench_check(nw_keys_add(keys, &i, sizeof i, text + i * KEY_SIZE, strlen(text + i * KEY_SIZE), &err), &err);
    const double added = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
    bench_check(nw_keys_release(keys, w->rng, w->ledger, "keys", NULL, &err), &err);
    const double end = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
    const double n = (double)w->keys;
    snprintf(name, sizeof name, "keys/users=%.0e/distinct=%.0e/add", n, (double)distinct);
    bench_print(&(bench_figure){ name, n / (added - start), "records/s", { { "qsort", n / (added - start) / sorted } } });
    snprintf(name, sizeof name, "keys/users=%.0e/distinct=%.0e/add_and_release", n, (double)distinct);
    bench_print(&(bench_figure){ name, end - start, "s", { { "qsort", (end - start) * sorted / n } } });
    nw_keys_free(keys);
    free(text);
}

/* ---- choices ---- */

enum { CANDIDATES = 1000, CHOICES = 1000 };

/* Choices a second without privacy: the largest score. */
static double maximum_rate(const int64_t *scores)
{
    volatile int64_t largest = 0;
    const double start = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
    for (size_t pass = 0; pass < CHOICES; pass++)
        for (size_t i = 0; i < CANDIDATES; i++)
            if (scores[i] > largest)
                largest = scores[i];
    return CHOICES / (bench_seconds(CLOCK_THREAD_CPUTIME_ID) - start);
}

static void measure_select(const work *w)
{
    static const struct mechanism {
        nw_select_mechanism mechanism;
        const char *name;
    } mechanisms[] = { { NW_SELECT_EXPONENTIAL, "select/exponential/candidates=1000" },
        { NW_SELECT_NOISY_MAX, "select/noisy_max/candidates=1000" },
        { NW_SELECT_PERMUTE_AND_FLIP, "select/permute_and_flip/candidates=1000" } };
    nw_error err;
    static int64_t scores[CANDIDATES];
    for (size_t i = 0; i < CANDIDATES; i++)
        scores[i] = (int64_t)i;
    for (size_t m = 0; m < sizeof mechanisms / sizeof *mechanisms; m++) {
        nw_select_opts opts = NW_SELECT_OPTS_INIT;
        opts.mechanism = mechanisms[m].mechanism;
        opts.epsilon = 1;
        opts.sensitivity = 1;
        opts.adjacency = NW_ADD_REMOVE;
        const double start = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
        for (size_t i = 0; i < CHOICES; i++) {
            size_t chosen;
            bench_check(nw_select(&opts, scores, CANDIDATES, w->rng, w->ledger, "choice", &chosen, NULL, &err), &err);
        }
        const double rate = CHOICES / (bench_seconds(CLOCK_THREAD_CPUTIME_ID) - start);
        bench_print(
            &(bench_figure){ mechanisms[m].name, rate, "choices/s", { { "plain_maximum", rate / maximum_rate(scores) } } });
    }
}

int main(int argc, char **argv)
{
    nw_error err;
    const bench_options options =
        bench_begin(argc, argv, "[NW-STATS]", "Speed of the statistics room; NW-STATS is the program to run.");
    work w = { .folder = "/tmp/bench-stats-XXXXXX",
        .rows = options.is_quick ? 100000 : 10000000,
        .keys = options.is_quick ? 20000 : 1000000 };
    nw_ledger_opts ledger_opts = NW_LEDGER_OPTS_INIT;
    ledger_opts.delta = 1e-6;
    ledger_opts.adjacency = NW_ADD_REMOVE;
    bench_check(nw_ledger_unlimited(&w.ledger, &ledger_opts, &err), &err);
    bench_check(nw_rng_new(&w.rng, &err), &err);
    if (mkdtemp(w.folder) == NULL)
        bench_fail(BENCH_IO, w.folder, "cannot be made");
    snprintf(w.table, sizeof w.table, "%s/table.csv", w.folder);
    snprintf(w.schema, sizeof w.schema, "%s/schema.json", w.folder);
    write_table(&w);
    measure_table(&w, options.count > 0 ? options.operands[0] : (char[]){ NW_BENCH_STATS });
    unlink(w.table);
    unlink(w.schema);
    rmdir(w.folder);
    measure_accumulator(&w, NW_STATS_COUNT, "nw_stats_add/count/groups=2");
    measure_accumulator(&w, NW_STATS_SUM, "nw_stats_add/sum/groups=2");
    measure_accumulator(&w, NW_STATS_MEAN, "nw_stats_add/mean/groups=2");
    measure_accumulator(&w, NW_STATS_VARIANCE, "nw_stats_add/variance/groups=2");
    measure_accumulator(&w, NW_STATS_QUANTILE, "nw_stats_add/quantile/groups=2");
    measure_keys(&w, w.keys);
    measure_keys(&w, 1000);
    measure_select(&w);
    nw_rng_free(w.rng);
    nw_ledger_close(w.ledger);
    return bench_end();
}
