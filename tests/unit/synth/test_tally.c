/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_tally.c - answers kept under changes of single cells, against answering all queries again: the one place where a record is
 * put into its cell is nw__workload_cell, which test_queries.c holds against definitions. */
#include "tally.h"

#include <math.h>
#include <noisewright.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static const char SCHEMA[] = "{\"a\": {\"type\": \"int\", \"lower\": 0, \"upper\": 20},"
                             " \"b\": {\"type\": \"categorical\", \"values\": [\"x\", \"y\"]},"
                             " \"c\": {\"type\": \"float\", \"lower\": 0, \"upper\": 1},"
                             " \"d\": 4, \"e\": {\"type\": \"int\", \"lower\": -5, \"upper\": 5, \"nullable\": false}}";
enum { COLUMNS = 5, ROWS = 30 };

typedef struct fixture {
    nw_schema *schema;
    nw_queries *queries;
    nw__tally_item *items;
    double *targets;
    nw__tally tally;
    uint16_t table[ROWS][COLUMNS];
    uint32_t cells[COLUMNS];
    nw_rng *rng;
} fixture;

static double weigh(const nw_query_record *record, void *context)
{
    (void)context;
    return isnan(record->numbers[0]) ? 0.125 : record->numbers[0] * record->codes[3] / 3.0;
}

static uint16_t draw(fixture *f, uint64_t bound)
{
    uint64_t x = 0;
    assert_int_equal(nw_rng_uniform(f->rng, bound, &x, NULL), NW_OK);
    return (uint16_t)x;
}

/* All kinds of workloads, each twice or more, in the order of a list and with weights of its own. */
static void setup(fixture *f)
{
    const size_t read[] = { 0, 3 };
    memset(f, 0, sizeof *f);
    assert_int_equal(nw_schema_parse(&f->schema, SCHEMA, 16, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&f->rng, 1, NULL), NW_OK);
    assert_int_equal(nw_queries_new(&f->queries, f->schema, NULL), NW_OK);
    assert_int_equal(nw_queries_add_marginals(f->queries, 1, NULL), NW_OK);
    assert_int_equal(nw_queries_add_marginals(f->queries, 2, NULL), NW_OK);
    assert_int_equal(nw_queries_add_ranges(f->queries, 3, 2, NULL), NW_OK);
    assert_int_equal(nw_queries_add_prefixes(f->queries, 40, 2, 1, NULL), NW_OK);
    assert_int_equal(nw_queries_add_halfspaces(f->queries, 40, 2, NULL), NW_OK);
    assert_int_equal(nw_queries_add_conjunctions(f->queries, 40, 3, 3, NULL), NW_OK);
    assert_int_equal(nw_queries_add_predicate(f->queries, weigh, NULL, read, 2, NULL), NW_OK);
    const size_t n = nw_queries_workloads(f->queries);
    f->items = calloc(n, sizeof *f->items);
    f->targets = calloc(nw_queries_cells(f->queries), sizeof *f->targets);
    for (size_t c = 0; c < nw_queries_cells(f->queries); c++)
        f->targets[c] = draw(f, 160) / 8.0 - 2.0;
    for (size_t i = 0, cell = 0; i < n; cell += f->queries->workloads[i++].cells)
        f->items[i] = (nw__tally_item){ f->queries, i, 0.25 * (1 + draw(f, 8)), f->targets + cell };
    assert_true(nw__tally_make(&f->tally, f->items, n, COLUMNS));
    for (size_t j = 0; j < COLUMNS; j++)
        f->cells[j] = nw_schema_column(f->schema, j).cells;
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < COLUMNS; j++)
            f->table[i][j] = draw(f, f->cells[j]);
        nw__tally_add_row(&f->tally, f->table[i], 1.0f);
    }
}

static void teardown(fixture *f)
{
    nw__tally_clear(&f->tally);
    free(f->items);
    free(f->targets);
    nw_queries_free(f->queries);
    nw_schema_free(f->schema);
    nw_rng_free(f->rng);
}

/* Residuals of the whole table by the public way: a table, answered. */
static double plain_energy(fixture *f, bool compares)
{
    nw_table *table = NULL;
    double *answers = calloc(nw_queries_cells(f->queries), sizeof *answers);
    double energy = 0.0;
    assert_int_equal(nw_table_new(&table, f->schema, ROWS, NULL), NW_OK);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < COLUMNS; j++)
            assert_int_equal(nw_table_set(table, j, i, 1, &f->table[i][j], NULL), NW_OK);
    assert_int_equal(nw_queries_answer(f->queries, table, answers, NULL), NW_OK);
    for (size_t i = 0, cell = 0; i < nw_queries_workloads(f->queries); i++) {
        for (uint32_t c = 0; c < f->queries->workloads[i].cells; c++, cell++) {
            const double residual = answers[cell] - f->targets[cell];
            energy += f->items[i].weight * residual * residual;
            if (compares)
                assert_true(fabs((double)f->tally.residuals[cell] - residual) < 1e-4);
        }
    }
    nw_table_free(table);
    free(answers);
    return energy;
}

static void tally_look__is_the_difference_of_two_tables(void **state)
{
    (void)state;
    fixture f;
    setup(&f);
    const double before = plain_energy(&f, true);
    assert_true(fabs(nw__tally_energy(&f.tally) - before) < 1e-2);
    for (int i = 0; i < 400; i++) {
        const size_t row = draw(&f, ROWS);
        const size_t column = draw(&f, COLUMNS);
        const uint16_t code = draw(&f, f.cells[column]);
        const uint16_t old = f.table[row][column];
        const double change = nw__tally_look(&f.tally, f.table[row], column, code);
        f.table[row][column] = code;
        assert_true(fabs(before + change - plain_energy(&f, false)) < 1e-2);
        f.table[row][column] = old;
    }
    plain_energy(&f, true); /* looking has changed nothing */
    teardown(&f);
}

static void tally_move__keeps_the_answers_of_the_whole_table(void **state)
{
    (void)state;
    fixture f;
    setup(&f);
    double energy = plain_energy(&f, true);
    for (int i = 0; i < 3000; i++) {
        const size_t row = draw(&f, ROWS);
        const size_t column = draw(&f, COLUMNS);
        const uint16_t code = draw(&f, f.cells[column]);
        const double change = nw__tally_look(&f.tally, f.table[row], column, code);
        assert_true(nw__tally_move(&f.tally, f.table[row], column, code) == change);
        f.table[row][column] = code;
        energy += change;
        if (i % 100 == 0)
            assert_true(fabs(energy - plain_energy(&f, true)) < 1e-2);
    }
    assert_true(fabs(energy - nw__tally_energy(&f.tally)) < 1e-1);
    for (size_t i = 0; i < ROWS; i++)
        nw__tally_add_row(&f.tally, f.table[i], -1.0f);
    for (size_t c = 0; c < nw_queries_cells(f.queries); c++)
        assert_true(fabs((double)f.tally.residuals[c] + f.targets[c]) < 1e-4);
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tally_look__is_the_difference_of_two_tables),
        cmocka_unit_test(tally_move__keeps_the_answers_of_the_whole_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
