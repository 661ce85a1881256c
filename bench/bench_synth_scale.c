/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bench_synth_scale.c - the synth room on tables of many rows and columns: blocks are made up, counted and thrown away, so that
 * memory is that of the marginals; then the release, and a fit of as many rows.
 *
 * Half of the columns are categories of 10 values, half are integers of 10000, each column related to the one before. Yardstick
 * of the counting: a plain loop that adds up one pair of code arrays. epsilon 1, delta 1e-9, add/remove. */
#include "figures.h"

#include <math.h>
#include <noisewright.h>
#include <nw/testing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_ROWS = 65536, CATEGORIES = 10, VALUES = 10000, MOST_COLUMNS = 1000 };
static const double MOST_ROWS = 1e10;
static nw_error err;

static void check(nw_status status)
{
    bench_check(status, &err);
}

static double wall(void)
{
    return bench_seconds(CLOCK_MONOTONIC);
}

static nw_schema *make_schema(size_t columns)
{
    nw_schema *schema = NULL;
    const size_t each = 80;
    char *json = bench_need(calloc(columns + 1, each));
    size_t n = 0;
    for (size_t j = 0; j < columns; j++) {
        const char *form = j % 2 == 0 ? "%s\"c%zu\": %d" : "%s\"c%zu\": {\"type\": \"int\", \"lower\": 1, \"upper\": %d}";
        n += (size_t)snprintf(json + n, each, form, j == 0 ? "{" : ", ", j, j % 2 == 0 ? CATEGORIES : VALUES);
    }
    snprintf(json + n, each, "}");
    check(nw_schema_parse(&schema, json, NW_SYNTH_BINS, &err));
    free(json);
    return schema;
}

/* A cheap generator: what it makes up is nobody's. */
static uint32_t next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

static void fill_block(nw_table *block, size_t columns, uint64_t *state)
{
    static uint16_t codes[BLOCK_ROWS];
    const size_t n = nw_table_rows(block);
    memset(codes, 0, sizeof codes);
    for (size_t j = 0; j < columns; j++) {
        const uint32_t values = j % 2 == 0 ? CATEGORIES : VALUES;
        for (size_t i = 0; i < n; i++) {
            const uint32_t r = next(state);
            const uint32_t square =
                (uint32_t)((uint64_t)(r & 0xffff) * (r & 0xffff) * values >> 32); /* more low ones than high */
            codes[i] = (uint16_t)(r >> 16 & 1 ? square : codes[i] % values);
        }
        check(nw_table_set(block, j, 0, n, codes, &err));
    }
}

/* Pairs of rows and 2-way marginals that a plain loop counts in a second. */
static double plain_counts_per_second(void)
{
    enum { ROUNDS = 60 };
    static uint8_t a[BLOCK_ROWS];
    static uint8_t b[BLOCK_ROWS];
    static volatile int64_t counts[32 * 32];
    uint64_t state = 1;
    for (size_t i = 0; i < BLOCK_ROWS; i++) {
        a[i] = (uint8_t)(next(&state) % 32);
        b[i] = (uint8_t)(next(&state) % 32);
    }
    const double start = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < BLOCK_ROWS; i++)
            counts[a[i] * 32 + b[i]]++;
    return ROUNDS * (double)BLOCK_ROWS / (bench_seconds(CLOCK_THREAD_CPUTIME_ID) - start);
}

static void print_seconds(const char *what, uint64_t rows, size_t columns, double seconds, double yardstick)
{
    char name[96];
    snprintf(name, sizeof name, "scale/%s/rows=%llu/columns=%zu", what, (unsigned long long)rows, columns);
    bench_print(&(bench_figure){ name, seconds, "s", { { "plain_counts", seconds / yardstick } } });
}

/* The most so far; beside the codes of all rows, which are never held until the fit. */
static void print_peak(const char *what, uint64_t rows, size_t columns)
{
    char name[96];
    const double table = 2.0 * (double)rows * (double)columns;
    snprintf(name, sizeof name, "scale/peak_memory_of_%s/rows=%llu/columns=%zu", what, (unsigned long long)rows, columns);
    bench_print(&(bench_figure){ name, bench_peak_bytes(), "B", { { "codes_in_memory", bench_peak_bytes() / table } } });
}

static void measure(uint64_t rows, size_t columns, uint64_t fit_rows)
{
    nw_schema *schema = make_schema(columns);
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    nw_synth_fit_opts fit = NW_SYNTH_FIT_OPTS_INIT;
    nw_synth *synth = NULL;
    nw_synth_measurements *measured = NULL;
    nw_ledger *ledger = NULL;
    nw_table *synthetic = NULL;
    nw_rng *rng = NULL;
    uint64_t state = 7;
    double counting = 0.0;
    const double plain = (double)rows * (double)(columns * (columns - 1) / 2) / plain_counts_per_second();
    o.epsilon = lo.epsilon = 1.0;
    o.delta = lo.delta = 1e-9;
    o.adjacency = lo.adjacency = NW_ADD_REMOVE;
    check(nw_ledger_memory(&ledger, &lo, &err));
    check(nw_rng_new(&rng, &err));
    check(nw_synth_new(&synth, schema, &o, &err));
    for (uint64_t done = 0; done < rows; done += BLOCK_ROWS) {
        nw_table *block = NULL;
        check(nw_table_new(&block, schema, rows - done < BLOCK_ROWS ? (size_t)(rows - done) : BLOCK_ROWS, &err));
        fill_block(block, columns, &state);
        const double start = wall();
        check(nw_synth_add(synth, block, &err));
        counting += wall() - start;
        nw_table_free(block);
    }
    print_seconds("count", rows, columns, counting, plain);
    double start = wall();
    check(nw_synth_release(synth, rng, ledger, "bench", &measured, NULL, &err));
    print_seconds("release", rows, columns, wall() - start, plain);
    print_peak("release", rows, columns);
    nw_synth_free(synth);
    fit.rows = fit_rows;
    start = wall();
    check(nw_synth_fit(measured, rng, &fit, &synthetic, &err));
    print_seconds("fit", fit_rows, columns, wall() - start, plain / (double)rows * (double)fit_rows);
    print_peak("fit", fit_rows, columns);
    nw_table_free(synthetic);
    nw_synth_measurements_free(measured);
    nw_ledger_close(ledger);
    nw_rng_free(rng);
    nw_schema_free(schema);
}

static double read_number(const char *text, double most)
{
    char *end = NULL;
    const double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= 2.0) || value > most)
        bench_fail(BENCH_USAGE, text, "no such number of rows or columns, must be in 2 .. 1e10 and 2 .. 1000");
    return floor(value);
}

int main(int argc, char **argv)
{
    const bench_options options = bench_begin(argc, argv, "[ROWS [COLUMNS [FIT_ROWS]]]",
        "Time and memory of synthetic tables of many rows and columns; by default sizes that show how they grow.");
    if (options.count > 0) {
        const double rows = read_number(options.operands[0], MOST_ROWS);
        const double columns = options.count > 1 ? read_number(options.operands[1], MOST_COLUMNS) : 20.0;
        const double fit_rows = options.count > 2 ? read_number(options.operands[2], UINT32_MAX) : fmin(rows, UINT32_MAX);
        measure((uint64_t)rows, (size_t)columns, (uint64_t)fit_rows);
    } else if (options.is_quick) {
        measure(2000, 4, 500);
    } else {
        measure(200000, 10, 20000);
        measure(400000, 10, 40000);
        measure(200000, 20, 20000);
    }
    return bench_end();
}
