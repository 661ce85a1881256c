/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_query_rules.c - queries where units of several rows are protected, and where the schema has rules. */
#include "choose.h"
#include "query_support.h"
#include "rules.h"
#include "table_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- units ---- */

/* A random row's counts, `times` over, in all workloads. */
static void add_row(const nw_queries *q, nw__record *scratch, const uint16_t *row, int64_t times, int64_t *counts)
{
    for (size_t w = 0, cell = 0; w < q->count; cell += q->workloads[w++].cells) {
        uint32_t weight;
        const uint32_t c = nw__workload_cell(q, &q->workloads[w], row, scratch, &weight);
        if (c != NW__NO_CELL)
            counts[cell + c] += times * weight;
    }
}

static void draw_row(nw_rng *rng, uint16_t row[COLUMNS])
{
    for (size_t j = 0; j < COLUMNS; j++) {
        uint64_t code;
        assert_int_equal(nw_rng_uniform(rng, nw_schema_column(schema, j).cells, &code, NULL), NW_OK);
        row[j] = (uint16_t)code;
    }
}

static nw__query_plan plan_of(const nw_queries *q, nw_adjacency adjacency, uint32_t rows, uint32_t parts, unsigned rounds)
{
    nw__query_plan plan;
    nw_synth_opts o = options(q, 1.0);
    o.adjacency = adjacency;
    o.rows_per_unit = rows;
    o.parts = parts;
    o.rounds = rounds;
    assert_int_equal(nw__query_plan_make(&plan, &o, 0.5, NULL), NW_OK);
    return plan;
}

/* Units of alike and of mixed rows, added or replaced: no workload moves further than is charged, and some as far. */
static void query_plan__charges_for_the_rows_of_a_unit(void **state)
{
    (void)state;
    enum { ROWS_OF_UNIT = 3, DRAWS = 300 };
    nw_queries *q = make_queries(false);
    nw_rng *rng = seeded(4);
    nw__record scratch;
    assert_true(nw__record_make(&scratch, COLUMNS));
    for (int replaced = 0; replaced < 2; replaced++) {
        nw__query_plan plan = plan_of(q, replaced ? NW_REPLACE_ONE : NW_ADD_REMOVE, ROWS_OF_UNIT, 1, 0);
        double largest = 0.0;
        for (int draw = 0; draw < DRAWS; draw++) {
            int64_t *moved = calloc(q->cells, sizeof *moved);
            for (int sign = 1; sign >= (replaced ? -1 : 1); sign -= 2) {
                uint16_t row[COLUMNS];
                draw_row(rng, row);
                add_row(q, &scratch, row, sign * (ROWS_OF_UNIT - draw % 3), moved);
                draw_row(rng, row);
                add_row(q, &scratch, row, sign * (draw % 3), moved);
            }
            for (size_t w = 0, cell = 0; w < q->count; cell += q->workloads[w++].cells) {
                double squares = 0.0;
                for (uint32_t c = 0; c < q->workloads[w].cells; c++)
                    squares += (double)(moved[cell + c] * moved[cell + c]);
                largest = fmax(largest, sqrt(squares));
            }
            free(moved);
        }
        assert_true(largest <= plan.sensitivity.value && largest > plan.sensitivity.value * (1.0 - 1e-15));
        assert_true(fabs(plan.sensitivity.value - ROWS_OF_UNIT * (replaced ? sqrt(2.0) : 1.0)) < 1e-12);
        const double mu = sqrt((double)plan.measured) * plan.sensitivity.value / plan.sigma;
        assert_true(mu <= 0.5 && mu > 0.4999999);
        nw__query_plan_clear(&plan);
    }
    nw__record_clear(&scratch, COLUMNS);
    nw_rng_free(rng);
    nw_queries_free(q);
}

/* A score moves by a unit's rows, and a choice divides its epsilon by as many; by those of all parts where there are several. */
static void query_choices__are_divided_by_the_rows_of_a_unit(void **state)
{
    (void)state;
    nw_queries *q = make_queries(true);
    nw_rng *rng = seeded(5);
    nw__record scratch;
    int64_t most = 0;
    const int64_t unit = NW__PREDICATE_UNIT;
    int64_t *exact[2] = { calloc(q->cells, sizeof(int64_t)), calloc(q->cells, sizeof(int64_t)) };
    int64_t *fitted = calloc(q->cells, sizeof *fitted);
    assert_true(nw__record_make(&scratch, COLUMNS));
    for (int draw = 0; draw < 40; draw++) {
        uint16_t row[COLUMNS];
        draw_row(rng, row);
        for (int side = 0; side < 2; side++)
            add_row(q, &scratch, row, 1, exact[side]); /* tables grow */
        draw_row(rng, row);
        add_row(q, &scratch, row, 6, exact[1]);
        for (size_t w = 0, cell = 0; w < q->count; cell += q->workloads[w++].cells) {
            const int64_t x = nw__query_score(q, w, exact[0] + cell, fitted + cell, 1.7, unit);
            const int64_t y = nw__query_score(q, w, exact[1] + cell, fitted + cell, 1.7, unit);
            assert_true(llabs(x - y) <= 6 * unit);
            most = llabs(x - y) > most ? llabs(x - y) : most;
        }
        add_row(q, &scratch, row, -6, exact[1]);
    }
    assert_int_equal(most, 6 * unit);
    nw__query_plan by_record = plan_of(q, NW_ADD_REMOVE, 0, 1, 5);
    nw__query_plan by_unit = plan_of(q, NW_ADD_REMOVE, 3, 2, 5);
    assert_int_equal(by_record.rows, 1);
    assert_int_equal(by_unit.rows, 6);
    assert_true(by_unit.epsilon == by_record.epsilon);
    assert_true(fabs(by_unit.sigma / by_record.sigma - 6.0) < 1e-12);
    nw__query_plan_clear(&by_record);
    nw__query_plan_clear(&by_unit);
    nw__record_clear(&scratch, COLUMNS);
    free(exact[0]);
    free(exact[1]);
    free(fitted);
    nw_rng_free(rng);
    nw_queries_free(q);
}

/* ---- rules ---- */

/* Half of a table of 3000 rows breaks each of them. */
static const char RULES[] =
    "{\"format\": \"noisewright-constraints\", \"version\": 1, \"rules\": ["
    "{\"function\": {\"from\": \"c\", \"to\": \"d\", \"table\": [[0, 0], [1, 1], [2, 1]]}},"
    "{\"if\": {\"column\": \"x\", \"less_than\": 6}, \"then\": {\"column\": \"c\", \"in\": [0, 2]}},"
    "{\"if\": {\"column\": \"d\", \"equals\": 1}, \"linear\": {\"x\": 2, \"y\": -1}, \"at_least\": 0, \"at_most\": 12},"
    "{\"forbid\": {\"all\": [{\"column\": \"x\", \"missing\": true}, {\"column\": \"c\", \"equals\": 2}]}} ]}";

static uint64_t broken_rows(const nw_schema *ruled, const nw_table *table, nw_rng *rng)
{
    char path[] = "/tmp/nw-rules-XXXXXX";
    uint64_t broken[4];
    uint64_t rows = 0;
    const int fd = mkstemp(path);
    close(fd);
    assert_int_equal(nw_table_write_csv(table, path, rng, NULL), NW_OK);
    assert_int_equal(nw_constraints_violations_csv(ruled, path, broken, &rows, NULL), NW_OK);
    unlink(path);
    return rows;
}

/* All kinds of queries, at once and in rounds: the written rows keep every rule; those that were fitted without do not, and the
 * queries are followed all the same. */
static void synth_fit__keeps_rules_with_queries(void **state)
{
    (void)state;
    nw_schema *own = schema;
    nw_schema *ruled = NULL;
    nw_error err;
    if (nw_constraints_parse(&ruled, own, RULES, &err) != NW_OK)
        fail_msg("%s", err.message);
    for (int i = 0; i < 3; i++) {
        schema = i == 2 ? own : ruled; /* what query_support.h makes all of */
        nw_queries *q = make_queries(true);
        nw_table *table = make_table(0, ROWS);
        nw_synth_opts o = options(q, 30.0);
        nw_synth_fit_opts f = NW_SYNTH_FIT_OPTS_INIT;
        nw_table *out = NULL;
        nw_rng *rng = seeded(7);
        o.most_ways = 2;
        o.rounds = i == 1 ? 3 : 0;
        o.round_rows = 50;
        f.rows = 1500;
        nw_synth_measurements *measured = release(&o, table, 6);
        assert_int_equal(nw_synth_fit(measured, rng, &f, &out, NULL), NW_OK);
        const uint64_t broken = broken_rows(ruled, out, rng);
        if (i < 2)
            assert_int_equal(broken, 0);
        else
            assert_true(broken > 300);
        nw_table_free(out);
        f.engine = NW_SYNTH_GENETIC;
        if (i < 2)
            assert_int_equal(nw_synth_fit(measured, rng, &f, &out, NULL), NW_E_UNSUPPORTED);
        nw_rng_free(rng);
        nw_synth_measurements_free(measured);
        nw_table_free(table);
        nw_queries_free(q);
    }
    schema = own;
    nw_schema_free(ruled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(query_plan__charges_for_the_rows_of_a_unit),
        cmocka_unit_test(query_choices__are_divided_by_the_rows_of_a_unit),
        cmocka_unit_test(synth_fit__keeps_rules_with_queries),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
