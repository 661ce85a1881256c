/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bench_synth.c TABLE.csv SCHEMA.json EPSILON - accuracy and cost of the synth room's engines on one table, one figure a line.
 *
 * Accuracy: average total variation over all 1-, 2- and 3-way marginals, beside two yardsticks of the same run: real rows drawn
 * with replacement (the sampling floor) and columns permuted independently (no correlations, no privacy). Cost: CPU seconds, and
 * residual reads a second as a ratio to a plain loop that adds floats. Then the temperature rule: accuracy at multiples of it. */
#include "accountant_internal.h"
#include "marginals.h"
#include "synth_internal.h"

#include <noisewright.h>
#include <nw/testing.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static nw_error err;

static void check(nw_status status)
{
    if (status == NW_OK)
        return;
    fprintf(stderr, "%s: %s\n", err.function, err.message);
    exit(1);
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void print_scores(const char *name, const nw_table *real, const nw_table *synthetic)
{
    printf("%-28s", name);
    for (unsigned k = 1; k <= 3; k++) {
        marginal_score score;
        if (marginal_tv(real, synthetic, k, &score) != 0)
            exit(1);
        printf("  %u-way %.4f (largest %.3f)", k, score.average, score.largest);
    }
    printf("\n");
}

/* Rows drawn with replacement, or each column permuted by itself. */
static nw_table *resampled(const nw_table *table, nw_rng *rng, bool is_by_column)
{
    const size_t rows = nw_table_rows(table);
    const size_t columns = nw_schema_columns(nw_table_schema(table));
    size_t *picks = nw__calloc(rows, sizeof *picks);
    uint16_t *codes = nw__calloc(rows, sizeof *codes);
    uint16_t *out = nw__calloc(rows, sizeof *out);
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

static void bench_engine(const nw_table *table, double epsilon, nw_synth_engine engine)
{
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    nw_synth *synth = NULL;
    nw_ledger *ledger = NULL;
    nw_rng *rng = NULL;
    nw_table *synthetic = NULL;
    o.epsilon = lo.epsilon = epsilon;
    o.delta = lo.delta = 1e-9;
    o.adjacency = lo.adjacency = NW_ADD_REMOVE;
    o.engine = engine;
    o.threads = 1;
    check(nw_ledger_memory(&ledger, &lo, &err));
    check(nw_rng_new_insecure_seeded(&rng, 0, &err));
    check(nw_synth_new(&synth, nw_table_schema(table), &o, &err));
    const double start = cpu_seconds();
    check(nw_synth_run(synth, table, rng, ledger, &synthetic, NULL, &err));
    const double seconds = cpu_seconds() - start;
    print_scores(nw_synth_engine_name(engine), table, synthetic);
    printf("%-28s  %.2f CPU s", "", seconds);
    if (engine == NW_SYNTH_GIBBS) {
        const double rate = reads_per_sweep(table) * o.sweeps / seconds;
        printf("; %.0f million residual reads/s, %.2f of plain float additions", rate / 1e6, rate / float_adds_per_second());
    }
    printf("\n");
    nw_table_free(synthetic);
    nw_synth_free(synth);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
}

static void bench_temperature(const nw_table *table, double epsilon)
{
    const double heats[] = { 0.1, 0.3, 0.6, 1.0, 1.7, 3.0, 10.0 };
    const size_t columns = nw_schema_columns(nw_table_schema(table));
    const size_t rows = nw_table_rows(table);
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    nw__plan plan;
    nw__reference reference;
    nw_rng *rng = NULL;
    uint16_t *codes = nw__calloc(rows * columns, sizeof *codes);
    o.adjacency = NW_ADD_REMOVE;
    check(nw__plan_make(&plan, nw_table_schema(table), &o, nw__budget_mu(epsilon, 1e-9), &err));
    check(nw_rng_new_insecure_seeded(&rng, 1, &err));
    check(nw__plan_measure(&plan, table, rng, &err));
    check(nw__reference_make(&reference, &plan, -1.0, &err));
    for (size_t h = 0; h < sizeof heats / sizeof *heats; h++) {
        const nw__chain chain = { &plan, &reference, rows, o.sweeps, heats[h], codes, NULL, NULL };
        nw_table *synthetic = NULL;
        char name[64];
        check(nw__gibbs_fit(&chain, rng, &err));
        check(nw_table_new(&synthetic, nw_table_schema(table), rows, &err));
        for (size_t j = 0; j < columns; j++)
            check(nw_table_set(synthetic, j, 0, rows, codes + j * rows, &err));
        snprintf(name, sizeof name, "temperature x %g", heats[h]);
        print_scores(name, table, synthetic);
        nw_table_free(synthetic);
    }
    nw__reference_clear(&reference);
    nw__plan_clear(&plan);
    nw_rng_free(rng);
    free(codes);
}

int main(int argc, char **argv)
{
    nw_schema *schema = NULL;
    nw_table *table = NULL;
    nw_rng *rng = NULL;
    if (argc != 4) {
        fprintf(stderr, "usage: bench_synth TABLE.csv SCHEMA.json EPSILON\n");
        return 64;
    }
    const double epsilon = strtod(argv[3], NULL);
    check(nw_schema_read(&schema, argv[2], 0, &err));
    check(nw_table_read_csv(&table, schema, argv[1], &err));
    printf(
        "%zu rows, %zu columns, epsilon %g, delta 1e-9, add/remove\n", nw_table_rows(table), nw_schema_columns(schema), epsilon);
    check(nw_rng_new_insecure_seeded(&rng, 7, &err));
    for (int is_by_column = 0; is_by_column < 2; is_by_column++) {
        nw_table *copy = resampled(table, rng, is_by_column == 1);
        print_scores(is_by_column == 1 ? "columns permuted, no privacy" : "rows resampled, no privacy", table, copy);
        nw_table_free(copy);
    }
    bench_engine(table, epsilon, NW_SYNTH_GIBBS);
    bench_engine(table, epsilon, NW_SYNTH_GENETIC);
    bench_temperature(table, epsilon);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("peak memory %.0f MB\n", (double)usage.ru_maxrss / 1024.0);
    nw_rng_free(rng);
    nw_table_free(table);
    nw_schema_free(schema);
    return 0;
}
