/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_lessons_synth.c - defects of published code for private synthetic tables, each as a test: the defect is rebuilt and has to
 * show, and ours has to be free of it. */
#include "queries_internal.h"

#include <math.h>
#include <noisewright.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { ROWS = 400 };

static nw_schema *schema_of(const char *json)
{
    nw_schema *schema = NULL;
    assert_int_equal(nw_schema_parse(&schema, json, 0, NULL), NW_OK);
    return schema;
}

static nw_table *table_of(const nw_schema *schema, const uint16_t *codes, size_t rows)
{
    nw_table *table = NULL;
    assert_int_equal(nw_table_new(&table, schema, rows, NULL), NW_OK);
    assert_int_equal(nw_table_set(table, 0, 0, rows, codes, NULL), NW_OK);
    return table;
}

/* A release and fit of one table; returns what was measured. */
static nw_synth_measurements *release(const nw_table *table, double epsilon, nw_adjacency adjacency, uint64_t seed)
{
    nw_synth *synth = NULL;
    nw_ledger *ledger = NULL;
    nw_rng *rng = NULL;
    nw_synth_measurements *measured = NULL;
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    o.epsilon = epsilon;
    o.delta = lo.delta = 1e-9;
    o.adjacency = lo.adjacency = adjacency;
    assert_int_equal(nw_ledger_unlimited(&ledger, &lo, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    assert_int_equal(nw_synth_new(&synth, nw_table_schema(table), &o, NULL), NW_OK);
    assert_int_equal(nw_synth_add(synth, table, NULL), NW_OK);
    assert_int_equal(nw_synth_release(synth, rng, ledger, "x", &measured, NULL, NULL), NW_OK);
    nw_synth_free(synth);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
    return measured;
}

/* Ranges as half-open intervals between edges up to the column's maximum: a record at the maximum is in no cell, and whoever
 * holds the largest value is not in the table. Here every record is in one cell of every range, at every level. */
static void half_open_ranges__records_at_the_maximum_are_counted(void **state)
{
    (void)state;
    nw_schema *schema = schema_of("{\"x\": {\"type\": \"int\", \"lower\": 0, \"upper\": 63, \"nullable\": false}}");
    nw_queries *q = NULL;
    uint16_t codes[ROWS];
    size_t lost = 0;
    for (size_t i = 0; i < ROWS; i++)
        codes[i] = (uint16_t)(i % 4 == 0 ? 63 : i % 64);
    nw_table *table = table_of(schema, codes, ROWS);
    assert_int_equal(nw_queries_new(&q, schema, NULL), NW_OK);
    assert_int_equal(nw_queries_add_ranges(q, 1, 5, NULL), NW_OK);
    assert_int_equal(nw_queries_workloads(q), 5);
    double answers[2 + 4 + 8 + 16 + 32];
    assert_int_equal(nw_queries_answer(q, table, answers, NULL), NW_OK);
    for (size_t level = 1, cell = 0; level <= 5; level++) {
        double sum = 0.0;
        for (size_t c = 0; c < (size_t)1 << level; c++)
            sum += answers[cell++];
        assert_true(sum == ROWS);
    }
    for (size_t i = 0; i < ROWS; i++) { /* the defect: low <= x < high with high = 1 for the last */
        bool is_counted = false;
        for (int c = 0; c < 32; c++)
            is_counted = is_counted || (codes[i] / 63.0 >= c / 32.0 && codes[i] / 63.0 < (c + 1) / 32.0);
        lost += !is_counted;
    }
    assert_true(lost >= ROWS / 4);
    nw_queries_free(q);
    nw_table_free(table);
    nw_schema_free(schema);
}

/* Noisy counts clipped to [0, 1] before they are used: an empty cell then has 0.4 sigma on average, and a marginal of many cells
 * several times as many records as there are. Ours are released as they are, with mean 0. */
static void clipped_counts__empty_cells_are_not_lifted(void **state)
{
    (void)state;
    enum { CELLS = 2000 };
    nw_schema *schema = schema_of("{\"a\": 2000}");
    uint16_t codes[ROWS] = { 0 }; /* all records in one cell */
    nw_table *table = table_of(schema, codes, ROWS);
    nw_synth_measurements *measured = release(table, 0.1, NW_REPLACE_ONE, 1);
    const double sigma = nw_synth_measurements_get(measured, 0).sigma;
    const int64_t *counts = nw_synth_measurements_counts(measured, 0);
    double ours = 0.0;
    double clipped = 0.0;
    for (size_t c = 1; c < CELLS; c++) {
        ours += (double)counts[c];
        clipped += fmin(ROWS, fmax(0.0, (double)counts[c]));
    }
    assert_true(fabs(ours) < 6.0 * sigma * sqrt(CELLS));
    assert_true(clipped > 0.3 * sigma * CELLS);
    assert_true(clipped > 2.0 * ROWS); /* targets for more records than there are */
    nw_synth_measurements_free(measured);
    nw_table_free(table);
    nw_schema_free(schema);
}

/* Categories, and the least and greatest number, read from the data: the plan, its event and the domain of what comes out then
 * say which values occur. Ours are functions of the schema alone, for any two tables. */
static void domain_from_the_data__the_plan_does_not_see_it(void **state)
{
    (void)state;
    nw_schema *schema = schema_of("{\"c\": {\"type\": \"categorical\", \"values\": [\"u\", \"v\", \"w\", \"rare\"]}}");
    const uint16_t common[4] = { 0, 1, 2, 0 };
    const uint16_t rare[4] = { 0, 1, 2, 3 };
    nw_synth_measurements *measured[2];
    char *events[2];
    for (int side = 0; side < 2; side++) {
        nw_table *table = table_of(schema, side == 0 ? common : rare, 4);
        measured[side] = release(table, 1.0, NW_ADD_REMOVE, 3);
        assert_int_equal(nw_event_to_json(nw_synth_measurements_event(measured[side]), &events[side], NULL), NW_OK);
        assert_int_equal(nw_synth_measurements_cells(measured[side], 0), 5); /* four values and "missing" */
        nw_table_free(table);
    }
    assert_string_equal(events[0], events[1]);
    /* the same noise: all that differs is the one record */
    const int64_t *a = nw_synth_measurements_counts(measured[0], 0);
    const int64_t *b = nw_synth_measurements_counts(measured[1], 0);
    assert_int_equal(a[0] - b[0], 1);
    assert_int_equal(b[3] - a[3], 1);
    for (int side = 0; side < 2; side++) {
        nw_synth_measurements_free(measured[side]);
        nw_string_free(events[side]);
    }
    nw_schema_free(schema);
}

/* The fit prints its error against the true answers: a release without noise. Ours cannot: what it is given holds no exact count,
 * so the same noisy counts give the same table and the same progress whatever the private table was. */
typedef struct log {
    double fractions[4096];
    size_t count;
} log_of_progress;

static bool note(void *context, const char *phase, double fraction)
{
    log_of_progress *l = context;
    (void)phase;
    if (l->count < sizeof l->fractions / sizeof *l->fractions)
        l->fractions[l->count++] = fraction;
    return true;
}

static void error_against_the_truth__the_fit_has_no_truth(void **state)
{
    (void)state;
    nw_schema *schema = schema_of("{\"a\": 3}");
    const uint16_t one[6] = { 0, 0, 1, 1, 2, 2 };
    const uint16_t other[6] = { 2, 0, 1, 1, 2, 2 }; /* a neighbour, with the noise moved by as much the other way */
    nw_synth_measurements *measured[2];
    log_of_progress logs[2] = { 0 };
    uint16_t codes[2][6];
    for (int side = 0; side < 2; side++) {
        nw_table *table = table_of(schema, side == 0 ? one : other, 6);
        nw_table *out = NULL;
        nw_rng *rng = NULL;
        nw_synth_fit_opts fit = NW_SYNTH_FIT_OPTS_INIT;
        fit.engine = NW_SYNTH_GENETIC;
        fit.rows = 6;
        fit.progress = note;
        fit.progress_context = &logs[side];
        measured[side] = release(table, 1.0, NW_REPLACE_ONE, 4);
        if (side == 1) { /* the same noisy counts from another table */
            int64_t *counts = (int64_t *)(uintptr_t)nw_synth_measurements_counts(measured[1], 0);
            memcpy(counts, nw_synth_measurements_counts(measured[0], 0), 3 * sizeof *counts);
        }
        nw_table_free(table); /* the private table is gone before the fit begins */
        assert_int_equal(nw_rng_new_insecure_seeded(&rng, 5, NULL), NW_OK);
        assert_int_equal(nw_synth_fit(measured[side], rng, &fit, &out, NULL), NW_OK);
        assert_int_equal(nw_table_get(out, 0, 0, 6, codes[side], NULL), NW_OK);
        nw_table_free(out);
        nw_rng_free(rng);
    }
    assert_memory_equal(codes[0], codes[1], sizeof codes[0]);
    assert_true(logs[0].count > 0 && logs[0].count == logs[1].count);
    assert_memory_equal(logs[0].fractions, logs[1].fractions, logs[0].count * sizeof(double));
    nw_synth_measurements_free(measured[0]);
    nw_synth_measurements_free(measured[1]);
    nw_schema_free(schema);
}

/* One comparison in single precision for the private table and another for the synthetic one, or on another machine: a record on
 * a threshold is counted by one and not by the other. Ours are between numbers on grids: floats would differ, these do not. */
static void thresholds_in_single_precision__comparisons_are_exact(void **state)
{
    (void)state;
    nw_schema *schema =
        schema_of("{\"x\": {\"type\": \"int\", \"lower\": 0, \"upper\": 9, \"nullable\": false}, \"y\": {\"type\": "
                  "\"int\", \"lower\": 0, \"upper\": 6, \"nullable\": false}}");
    nw_queries *q = NULL;
    size_t differing = 0;
    assert_int_equal(nw_queries_new(&q, schema, NULL), NW_OK);
    for (size_t j = 0; j < 2; j++)
        for (uint32_t v = 0; v < q->numbers[j].cells; v++)
            assert_true(ldexp(q->numbers[j].numbers[v], 24) == rint(ldexp(q->numbers[j].numbers[v], 24)));
    for (uint16_t x = 0; x < 10; x++) {
        for (uint16_t y = 0; y < 7; y++) {
            /* x + y against the value that it has: never above itself, in any order */
            const double a = q->numbers[0].numbers[x];
            const double b = q->numbers[1].numbers[y];
            const double theta[2] = { 314572 * 0x1p-20, 734003 * 0x1p-20 };
            const double sum = theta[0] * a + theta[1] * b;
            assert_true(sum == theta[1] * b + theta[0] * a && sum - theta[0] * a == theta[1] * b);
            const float rough = (float)theta[0] * (float)(x / 9.0) + (float)theta[1] * (float)(y / 6.0);
            differing +=
                (double)rough - (double)((float)theta[0] * (float)(x / 9.0)) != (double)((float)theta[1] * (float)(y / 6.0));
        }
    }
    assert_true(differing > 0);
    nw_queries_free(q);
    nw_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_open_ranges__records_at_the_maximum_are_counted),
        cmocka_unit_test(clipped_counts__empty_cells_are_not_lifted),
        cmocka_unit_test(domain_from_the_data__the_plan_does_not_see_it),
        cmocka_unit_test(error_against_the_truth__the_fit_has_no_truth),
        cmocka_unit_test(thresholds_in_single_precision__comparisons_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
