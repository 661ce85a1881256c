/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bench_synth.c - accuracy and cost of the synth room's engines on one table, delta 1e-9.
 *
 * Accuracy: average total variation over all 1-, 2- and 3-way marginals, beside two yardsticks of the same run: real rows drawn
 * with replacement (the sampling floor) and columns permuted independently (no correlations, no privacy). Cost: CPU seconds
 * beside those of counting all 2-way marginals plainly, and residual reads a second beside a loop that adds floats. Then the
 * temperature rule: accuracy at multiples of it. */
#include "figures.h"
#include "marginals.h"
#include "synth_internal.h"

#include <math.h>
#include <noisewright.h>
#include <nw/testing.h>
#include <stdio.h>
#include <stdlib.h>

enum { WAYS = 3, QUICK_ROWS = 300 };

/* The average total variation of the yardsticks' k-way marginals, at k - 1. */
typedef struct yardsticks {
    double resampled[WAYS];
    double permuted[WAYS];
    double count_seconds; /* of all 2-way marginals of two tables */
} yardsticks;

static double epsilon = 1.0;
static const double DELTA = 1e-9;
static nw_error err;

static void check(nw_status status)
{
    bench_check(status, &err);
}

static double cpu_seconds(void)
{
    return bench_seconds(CLOCK_THREAD_CPUTIME_ID);
}

static marginal_score score_of(const nw_table *real, const nw_table *synthetic, unsigned k)
{
    marginal_score score;
    if (marginal_tv(real, synthetic, k, &score) != 0)
        bench_fail(BENCH_INTERNAL, "marginals", "not enough memory");
    return score;
}

/* Scores of zero, the permuted columns' own, are left out. */
static void print_scores(const char *what, const nw_table *real, const nw_table *synthetic, const yardsticks *y)
{
    for (unsigned k = 1; k <= WAYS; k++) {
        const marginal_score score = score_of(real, synthetic, k);
        char name[96];
        char note[64];
        snprintf(name, sizeof name, "%s/ways=%u", what, k);
        snprintf(note, sizeof note, "largest %.3f", score.largest);
        const double permuted = y->permuted[k - 1] > 0.0 ? score.average / y->permuted[k - 1] : NAN;
        if (score.average > 0.0)
            bench_print_noted(&(bench_figure){ name, score.average, "total variation",
                                  { { "resampled", score.average / y->resampled[k - 1] }, { "permuted", permuted } } },
                note);
    }
}

/* Rows drawn with replacement, or each column permuted by itself. */
static nw_table *resampled(const nw_table *table, nw_rng *rng, bool is_by_column)
{
    const size_t rows = nw_table_rows(table);
    const size_t columns = nw_schema_columns(nw_table_schema(table));
    size_t *picks = bench_need(nw__calloc(rows, sizeof *picks));
    uint16_t *codes = bench_need(nw__calloc(rows, sizeof *codes));
    uint16_t *out = bench_need(nw__calloc(rows, sizeof *out));
    nw_table *copy = NULL;
    check(nw__rng_begin(rng, &err));
    check(nw_table_new(&copy, nw_table_schema(table), rows, &err));
    for (size_t i = 0; i < rows; i++)
        picks[i] = is_by_column ? i : (size_t)nw__rng_below(rng, rows);
    for (size_t j = 0; j < columns; j++) {
        if (is_by_column)
            check(nw_rng_shuffle(rng, picks, rows, sizeof *picks, &err));
        check(nw_table_get(table, j, 0, rows, codes, &err));
        for (size_t i = 0; i < rows; i++)
            out[i] = codes[picks[i]];
        check(nw_table_set(copy, j, 0, rows, out, &err));
    }
    free(picks);
    free(codes);
    free(out);
    return copy;
}

static double float_adds_per_second(void)
{
    enum { WIDTH = 64, BLOCKS = 4096, ROUNDS = 400 };
    static float sums[WIDTH];
    static float blocks[BLOCKS][WIDTH];
    for (int b = 0; b < BLOCKS; b++) /* known zeros would not be read */
        for (int i = 0; i < WIDTH; i++)
            blocks[b][i] = (float)(b ^ i);
    const double start = cpu_seconds();
    for (int round = 0; round < ROUNDS; round++)
        for (int b = 0; b < BLOCKS; b++)
            for (int i = 0; i < WIDTH; i++)
                sums[i] += blocks[b][i];
    volatile float keep = sums[0];
    (void)keep;
    return (double)WIDTH * BLOCKS * ROUNDS / (cpu_seconds() - start);
}

/* Residual reads of one sweep: each row's column j reads a block of cells_j for each other column and its 1-way. */
static double reads_per_sweep(const nw_table *table)
{
    const nw_schema *schema = nw_table_schema(table);
    double cells = 0.0;
    for (size_t j = 0; j < nw_schema_columns(schema); j++)
        cells += nw_schema_column(schema, j).cells;
    return cells * (double)nw_schema_columns(schema) * (double)nw_table_rows(table);
}

static void measure_engine(const nw_table *table, nw_synth_engine engine, const yardsticks *y)
{
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    nw_synth_fit_opts fit = NW_SYNTH_FIT_OPTS_INIT;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    nw_synth *synth = NULL;
    nw_ledger *ledger = NULL;
    nw_rng *rng = NULL;
    nw_table *synthetic = NULL;
    char name[96];
    o.epsilon = lo.epsilon = epsilon;
    o.delta = lo.delta = DELTA;
    o.adjacency = lo.adjacency = NW_ADD_REMOVE;
    fit.engine = engine;
    o.threads = fit.threads = 1;
    check(nw_ledger_memory(&ledger, &lo, &err));
    check(nw_rng_new_insecure_seeded(&rng, 0, &err));
    check(nw_synth_new(&synth, nw_table_schema(table), &o, &err));
    const double start = cpu_seconds();
    check(nw_synth_run(synth, rng, ledger, table, &fit, &synthetic, NULL, NULL, &err));
    const double seconds = cpu_seconds() - start;
    print_scores(nw_synth_engine_name(engine), table, synthetic, y);
    snprintf(name, sizeof name, "%s/cpu_time", nw_synth_engine_name(engine));
    bench_print(&(bench_figure){ name, seconds, "s", { { "count_2way", seconds / y->count_seconds } } });
    if (engine == NW_SYNTH_GIBBS) {
        const double rate = reads_per_sweep(table) * fit.sweeps / seconds;
        bench_print(
            &(bench_figure){ "gibbs/residual_reads", rate, "reads/s", { { "float_adds", rate / float_adds_per_second() } } });
    }
    nw_table_free(synthetic);
    nw_synth_free(synth);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
}

static void measure_temperature(const nw_table *table, const yardsticks *y)
{
    const double heats[] = { 0.1, 0.3, 0.6, 1.0, 1.7, 3.0, 10.0 };
    const size_t columns = nw_schema_columns(nw_table_schema(table));
    const size_t rows = nw_table_rows(table);
    const nw_synth_fit_opts fit = NW_SYNTH_FIT_OPTS_INIT;
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    nw_synth *synth = NULL;
    nw_synth_measurements *measured = NULL;
    nw_ledger *ledger = NULL;
    nw__reference reference;
    nw_rng *rng = NULL;
    uint16_t *codes = bench_need(nw__calloc(rows * columns, sizeof *codes));
    o.epsilon = lo.epsilon = epsilon;
    o.delta = lo.delta = DELTA;
    o.adjacency = lo.adjacency = NW_ADD_REMOVE;
    check(nw_ledger_memory(&ledger, &lo, &err));
    check(nw_rng_new_insecure_seeded(&rng, 1, &err));
    check(nw_synth_new(&synth, nw_table_schema(table), &o, &err));
    check(nw_synth_add(synth, table, &err));
    check(nw_synth_release(synth, rng, ledger, "bench", &measured, NULL, &err));
    check(nw__reference_make(&reference, &measured->plan, -1.0, &err));
    for (size_t h = 0; h < sizeof heats / sizeof *heats; h++) {
        const nw__chain chain = { &measured->plan, &reference, rows, fit.sweeps, heats[h], codes, NULL, NULL, false,
            measured->schema, measured->codings };
        nw_table *synthetic = NULL;
        char name[64];
        check(nw__gibbs_fit(&chain, rng, &err));
        check(nw_table_new(&synthetic, nw_table_schema(table), rows, &err));
        for (size_t j = 0; j < columns; j++)
            check(nw_table_set(synthetic, j, 0, rows, codes + j * rows, &err));
        snprintf(name, sizeof name, "gibbs/temperature=%g", heats[h]);
        print_scores(name, table, synthetic, y);
        nw_table_free(synthetic);
    }
    nw__reference_clear(&reference);
    nw_synth_measurements_free(measured);
    nw_synth_free(synth);
    nw_ledger_close(ledger);
    nw_rng_free(rng);
    free(codes);
}

/* The first rows of a table. */
static nw_table *head(const nw_table *table, size_t rows)
{
    uint16_t *codes = bench_need(nw__calloc(rows, sizeof *codes));
    nw_table *out = NULL;
    check(nw_table_new(&out, nw_table_schema(table), rows, &err));
    for (size_t j = 0; j < nw_schema_columns(nw_table_schema(table)); j++) {
        check(nw_table_get(table, j, 0, rows, codes, &err));
        check(nw_table_set(out, j, 0, rows, codes, &err));
    }
    free(codes);
    return out;
}

static void measure_yardsticks(const nw_table *table, yardsticks *y)
{
    nw_rng *rng = NULL;
    nw_table *tables[2];
    check(nw_rng_new_insecure_seeded(&rng, 7, &err));
    for (int is_by_column = 0; is_by_column < 2; is_by_column++) {
        tables[is_by_column] = resampled(table, rng, is_by_column == 1);
        for (unsigned k = 1; k <= WAYS; k++) {
            const double start = cpu_seconds();
            (is_by_column == 1 ? y->permuted : y->resampled)[k - 1] = score_of(table, tables[is_by_column], k).average;
            if (k == 2)
                y->count_seconds = cpu_seconds() - start;
        }
    }
    print_scores("resampled_rows_no_privacy", table, tables[0], y);
    print_scores("permuted_columns_no_privacy", table, tables[1], y);
    nw_table_free(tables[0]);
    nw_table_free(tables[1]);
    nw_rng_free(rng);
}

static double read_epsilon(const char *text)
{
    char *end = NULL;
    const double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value > 0.0) || value > 100.0)
        bench_fail(BENCH_USAGE, text, "no epsilon, must be in (0, 100]");
    return value;
}

int main(int argc, char **argv)
{
    const bench_options options = bench_begin(argc, argv, "[TABLE.csv SCHEMA.json [EPSILON]]",
        "Accuracy and cost of synthetic tables, by default of the example table.");
    const char *table_name = NULL;
    const char *schema_name = NULL;
    nw_schema *schema = NULL;
    nw_table *table = NULL;
    yardsticks y;
    if (options.count > 2)
        epsilon = read_epsilon(options.operands[2]);
    bench_table_names(&options, &table_name, &schema_name);
    check(nw_schema_read(&schema, schema_name, 0, &err));
    check(nw_table_read_csv(&table, schema, table_name, &err));
    if (options.is_quick && nw_table_rows(table) > QUICK_ROWS) {
        nw_table *first = head(table, QUICK_ROWS);
        nw_table_free(table);
        table = first;
    }
    measure_yardsticks(table, &y);
    measure_engine(table, NW_SYNTH_GIBBS, &y);
    if (!options.is_quick) {
        measure_engine(table, NW_SYNTH_GENETIC, &y);
        measure_temperature(table, &y);
    }
    const double cells = (double)nw_table_rows(table) * (double)nw_schema_columns(schema);
    const double peak = bench_peak_bytes();
    bench_print(&(bench_figure){ "peak_memory", peak, "B", { { "codes", peak / (cells * sizeof(uint16_t)) } } });
    nw_table_free(table);
    nw_schema_free(schema);
    return bench_end();
}
