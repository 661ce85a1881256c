/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_page_data.c - which of a column's 1-ways the report draws: of those whose noise is legible the one of most bars, with the
 * least noise; else the one of least noise. The noise and the number of records decide, no count. */
#include "../../../apps/synth/page_data.h"

#include <nw/testing.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { ROWS = 3000, MOST_BARS = 24 };
static const double LEGIBLE = 0.1;
static nw_schema *schema;

static int setup(void **state)
{
    (void)state;
    static const char text[] = "{\"x\": {\"type\": \"int\", \"lower\": 0, \"upper\": 9999}, \"c\": 5,"
                               " \"y\": {\"type\": \"int\", \"lower\": 0, \"upper\": 99, \"nullable\": false}}";
    return nw_schema_parse(&schema, text, NW_SYNTH_BINS, NULL) == NW_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    nw_schema_free(schema);
    return 0;
}

/* Records of one value, or of all. */
static nw_table *make_table(uint16_t spread)
{
    nw_table *table = NULL;
    assert_int_equal(nw_table_new(&table, schema, ROWS, NULL), NW_OK);
    for (size_t i = 0; i < ROWS; i++) {
        const uint16_t codes[] = { (uint16_t)(i * spread % 10001), (uint16_t)(i * spread % 5), (uint16_t)(i * spread % 100) };
        for (size_t j = 0; j < 3; j++)
            assert_int_equal(nw_table_set(table, j, i, 1, &codes[j], NULL), NW_OK);
    }
    return table;
}

static nw_synth_measurements *measure(const nw_table *table, double epsilon, uint64_t seed)
{
    nw_synth *synth = NULL;
    nw_ledger *ledger = NULL;
    nw_rng *rng = NULL;
    nw_synth_measurements *measured = NULL;
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    o.epsilon = lo.epsilon = epsilon;
    o.delta = lo.delta = 1e-9;
    o.adjacency = lo.adjacency = NW_REPLACE_ONE; /* so that the number of records is public, and the same */
    assert_int_equal(nw_ledger_memory(&ledger, &lo, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    assert_int_equal(nw_synth_new(&synth, schema, &o, NULL), NW_OK);
    assert_int_equal(nw_synth_add(synth, table, NULL), NW_OK);
    assert_int_equal(nw_synth_release(synth, rng, ledger, "x", &measured, NULL, NULL), NW_OK);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
    nw_synth_free(synth);
    return measured;
}

/* The predicted total variation of the bars that a 1-way gives: each bar is a sum of cells / bars noises. */
static double error_of(const nw_synth_measurement *m)
{
    const double cells = (double)m->cells;
    const double bars = fmin(cells, MOST_BARS);
    return 0.5 * bars * sqrt(2.0 / acos(-1.0)) * m->sigma * sqrt(cells / bars) / ROWS;
}

/* By enumeration: no other 1-way of the column is legible and has more bars, or as many and less noise. */
static void expect_best(const nw_synth_measurements *measured, size_t column, size_t chosen)
{
    const nw_synth_measurement own = nw_synth_measurements_get(measured, chosen);
    const double own_bars = fmin((double)own.cells, MOST_BARS);
    const bool is_legible = error_of(&own) <= LEGIBLE;
    assert_int_equal(own.columns[0], column);
    assert_true(own.columns[1] == SIZE_MAX);
    for (size_t i = 0; i < nw_synth_measurements_count(measured); i++) {
        const nw_synth_measurement m = nw_synth_measurements_get(measured, i);
        if (m.columns[0] != column || m.columns[1] != SIZE_MAX || i == chosen)
            continue;
        const double bars = fmin((double)m.cells, MOST_BARS);
        if (!is_legible)
            assert_true(error_of(&m) > LEGIBLE && error_of(&m) >= error_of(&own));
        else if (error_of(&m) <= LEGIBLE)
            assert_true(bars < own_bars || (bars == own_bars && error_of(&m) >= error_of(&own)));
    }
}

static void page_data__draws_the_level_that_can_be_read(void **state)
{
    (void)state;
    static const double epsilons[] = { 0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 60.0 };
    nw_table *tables[2] = { make_table(0), make_table(77) };
    uint32_t widths[2] = { 0, UINT32_MAX }; /* the widest, the narrowest */
    for (size_t e = 0; e < sizeof epsilons / sizeof *epsilons; e++) {
        size_t levels[2][3];
        for (int t = 0; t < 2; t++) {
            page_data d;
            nw_synth_measurements *measured = measure(tables[t], epsilons[e], e + 1);
            assert_true(page_data_new(&d, measured, tables[1]));
            for (size_t c = 0; c < 3; c++) {
                expect_best(measured, c, d.level[c]);
                assert_true(d.column[c].bar_count <= MOST_BARS + 1);
                assert_int_equal(d.column[c].cells, nw_synth_measurements_get(measured, d.level[c]).cells);
                levels[t][c] = d.level[c];
            }
            const uint32_t width = nw_synth_measurements_get(measured, d.level[0]).width;
            widths[0] = width > widths[0] ? width : widths[0];
            widths[1] = width < widths[1] ? width : widths[1];
            page_data_free(&d);
            nw_synth_measurements_free(measured);
        }
        assert_memory_equal(levels[0], levels[1], sizeof levels[0]); /* whatever the records are */
    }
    assert_true(widths[0] > widths[1]); /* there was something to choose */
    nw_table_free(tables[0]);
    nw_table_free(tables[1]);
}

/* What is drawn is a function of the measurements and the synthetic table: of two real tables with the same noisy counts it is
 * the same, and bars are shares of these. */
static void page_data__has_nothing_but_public_numbers(void **state)
{
    (void)state;
    nw_table *table = make_table(77);
    nw_synth_measurements *measured = measure(table, 1.0, 4);
    page_data d;
    assert_true(page_data_new(&d, measured, table));
    for (size_t c = 0; c < 3; c++) {
        const nw_synth_measurement m = nw_synth_measurements_get(measured, d.level[c]);
        const int64_t *noisy = nw_synth_measurements_counts(measured, d.level[c]);
        double sum = 0.0;
        double synthetic = 0.0;
        double total = 0.0;
        for (size_t b = 0; b < d.column[c].bar_count; b++) {
            sum += d.column[c].bars[b].noisy;
            synthetic += d.column[c].bars[b].synthetic;
        }
        for (uint64_t cell = 0; cell < m.cells; cell++)
            total += (double)noisy[cell];
        assert_true(fabs(sum - total / ROWS) < 1e-9);
        assert_true(fabs(synthetic - 1.0) < 1e-9);
    }
    page_data_free(&d);
    nw_synth_measurements_free(measured);
    nw_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page_data__draws_the_level_that_can_be_read),
        cmocka_unit_test(page_data__has_nothing_but_public_numbers),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
