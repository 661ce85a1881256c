/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_synth_numeric.c - numeric columns: levels, law, cells, decoding, and what one record changes in either stage. */
#include "synth_internal.h"

#include <noisewright.h>
#include <nw/testing.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

/* Three levels, two, one; nullable and not; a short column and a category, which are not grouped. */
static const char SCHEMA[] = "{\"wide\": {\"type\": \"int\", \"lower\": 0, \"upper\": 2999},"
                             " \"age\": {\"type\": \"int\", \"lower\": 1, \"upper\": 90, \"nullable\": false},"
                             " \"hour\": {\"type\": \"int\", \"lower\": 0, \"upper\": 23},"
                             " \"few\": {\"type\": \"int\", \"lower\": 1, \"upper\": 4},"
                             " \"sex\": {\"type\": \"categorical\", \"values\": [\"F\", \"M\"]}}";
enum { WIDE, AGE, HOUR, FEW, SEX, COLUMNS };

static nw_schema *schema;

static int setup(void **state)
{
    (void)state;
    return nw_schema_parse(&schema, SCHEMA, NW_SYNTH_BINS, NULL) == NW_OK ? 0 : 1;
}

static int teardown(void **state)
{
    (void)state;
    nw_schema_free(schema);
    return 0;
}

static nw_synth *new_synth(double epsilon)
{
    nw_synth *synth = NULL;
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    o.epsilon = epsilon;
    o.delta = 1e-9;
    o.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_synth_new(&synth, schema, &o, NULL), NW_OK);
    return synth;
}

static nw_rng *seeded(uint64_t seed)
{
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    return rng;
}

static uint16_t draw(nw_rng *rng, uint64_t bound)
{
    uint64_t x = 0;
    assert_int_equal(nw_rng_uniform(rng, bound, &x, NULL), NW_OK);
    return (uint16_t)x;
}

/* `wide`: a third at 0, a tenth at 2000, missing exactly where `sex` is M and `few` is 1, else about 700 +- 300; `age` from sex;
 * the rest at random. */
static nw_table *make_table(size_t rows)
{
    nw_table *table = NULL;
    nw_rng *rng = seeded(3);
    uint16_t *codes[COLUMNS];
    for (size_t j = 0; j < COLUMNS; j++)
        codes[j] = calloc(rows, sizeof **codes);
    for (size_t i = 0; i < rows; i++) {
        codes[SEX][i] = draw(rng, 2);
        codes[FEW][i] = draw(rng, 4);
        codes[HOUR][i] = draw(rng, 24);
        codes[AGE][i] = (uint16_t)(draw(rng, 30) + 40 * codes[SEX][i]);
        const uint16_t kind = draw(rng, 30);
        codes[WIDE][i] = kind < 10 ? 0 : kind < 13 ? 2000 : (uint16_t)(400 + draw(rng, 300) + draw(rng, 300));
        if (codes[SEX][i] == 1 && codes[FEW][i] == 1)
            codes[WIDE][i] = 3000;
    }
    assert_int_equal(nw_table_new(&table, schema, rows, NULL), NW_OK);
    for (size_t j = 0; j < COLUMNS; j++) {
        assert_int_equal(nw_table_set(table, j, 0, rows, codes[j], NULL), NW_OK);
        free(codes[j]);
    }
    nw_rng_free(rng);
    return table;
}

static uint16_t *column_of(const nw_table *table, size_t j)
{
    uint16_t *codes = malloc(nw_table_rows(table) * sizeof *codes);
    assert_int_equal(nw_table_get(table, j, 0, nw_table_rows(table), codes, NULL), NW_OK);
    return codes;
}

static void plan__measures_nested_levels(void **state)
{
    (void)state;
    nw_synth *synth = new_synth(1.0);
    const nw__plan *plan = &synth->plan;
    const size_t levels[COLUMNS] = { 3, 2, 1, 1, 1 };
    for (size_t j = 0; j < COLUMNS; j++) {
        const nw__column_shape *shape = &plan->shapes[j];
        assert_int_equal(shape->levels, levels[j]);
        assert_int_equal(shape->is_grouped, j <= HOUR);
        assert_int_equal(shape->codes - shape->values, j != AGE);
        for (size_t l = 0; l < shape->levels; l++) {
            const nw__level *level = &plan->levels[shape->first_level + l];
            assert_int_equal(level->column, j);
            assert_int_equal(level->cells, (shape->values + level->width - 1) / level->width + (j != AGE));
            if (l + 1 < shape->levels)
                assert_int_equal(level->width % level[1].width, 0);
            else
                assert_int_equal(level->width, 1);
        }
    }
    nw_synth_free(synth);
}

/* Levels filled with given fine counts, as if measured without noise. */
static void fill_levels(nw__plan *plan, size_t column, const int64_t *counts, double sigma)
{
    const nw__column_shape *shape = &plan->shapes[column];
    for (size_t l = 0; l < shape->levels; l++) {
        nw__level *level = &plan->levels[shape->first_level + l];
        level->sigma = sigma;
        level->counts = calloc(level->cells, sizeof *level->counts);
        for (uint32_t code = 0; code < shape->codes; code++)
            level->counts[code < shape->values ? code / level->width : level->cells - 1] += counts[code];
    }
}

static void law_make__returns_counts_that_have_no_noise(void **state)
{
    (void)state;
    for (size_t j = WIDE; j <= HOUR; j++) {
        nw_synth *synth = new_synth(1.0);
        const nw__column_shape *shape = &synth->plan.shapes[j];
        int64_t *counts = calloc(shape->codes, sizeof *counts);
        double total = 0.0;
        for (uint32_t code = 0; code < shape->codes; code++) {
            counts[code] = code % 7 == 3 ? 1000 : code % 5;
            total += (double)counts[code];
        }
        fill_levels(&synth->plan, j, counts, 1e-3);
        double *law = nw__law_make(&synth->plan, j, total);
        for (uint32_t code = 0; code < shape->codes; code++)
            assert_true(fabs(law[code] - (double)counts[code]) < 0.05);
        free(law);
        free(counts);
        nw_synth_free(synth);
    }
}

/* Whatever the noise: no negative mass, and all of it. */
static void law_make__is_a_law_whatever_was_measured(void **state)
{
    (void)state;
    nw_rng *rng = seeded(9);
    for (int round = 0; round < 60; round++) {
        nw_synth *synth = new_synth(1.0);
        nw__plan *plan = &synth->plan;
        const double rows = round % 3 == 0 ? 1.0 : 50.0 * round;
        for (size_t l = 0; l < plan->level_count; l++) {
            plan->levels[l].sigma = 100.0;
            plan->levels[l].counts = calloc(plan->levels[l].cells, sizeof(int64_t));
            for (uint32_t c = 0; c < plan->levels[l].cells; c++)
                plan->levels[l].counts[c] = (int64_t)draw(rng, 600) - (round % 2 == 0 ? 300 : 600);
        }
        for (size_t j = WIDE; j <= HOUR; j++) {
            double sum = 0.0;
            double *law = nw__law_make(plan, j, rows);
            for (uint32_t code = 0; code < plan->shapes[j].codes; code++) {
                assert_true(law[code] >= 0.0);
                sum += law[code];
            }
            assert_true(fabs(sum - rows) < 1e-6 * rows);
            free(law);
        }
        nw_synth_free(synth);
    }
    nw_rng_free(rng);
}

/* The mean square of a noisy range, over many draws, against what law_variance says: it may be less, never more. */
static void law_variance__bounds_that_of_a_range(void **state)
{
    (void)state;
    nw_synth *synth = new_synth(1.0);
    const nw__plan *plan = &synth->plan;
    const double square = plan->levels[0].sigma * plan->levels[0].sigma;
    const nw__column_shape *age = &plan->shapes[AGE];
    const uint32_t width = plan->levels[age->first_level].width;
    assert_true(fabs(nw__law_variance(plan, AGE, 3, 4) - square) < 1e-9 * square);
    /* a group measured itself and as its parts */
    const double group = 1.0 / (1.0 / square + 1.0 / (width * square));
    assert_true(fabs(nw__law_variance(plan, AGE, 0, width) - group) < 1e-9 * square);
    assert_true(fabs(nw__law_variance(plan, AGE, width - 1, 2 * width + 1) - group - 2.0 * square) < 1e-9 * square);
    assert_true(fabs(nw__law_variance(plan, HOUR, 0, 5) - 5.0 * square) < 1e-9 * square);
    nw_synth_free(synth);
}

static void coding_make__keeps_spikes_and_cuts_the_rest_evenly(void **state)
{
    (void)state;
    nw_synth *synth = new_synth(1.0);
    nw__plan *plan = &synth->plan;
    const nw__column_shape *shape = &plan->shapes[WIDE];
    nw__coding coding = { 0, NULL };
    double *law = calloc(shape->codes, sizeof *law);
    for (uint32_t code = 100; code < 1100; code++)
        law[code] = 30.0;
    law[0] = 20000.0;
    law[700] = 9000.0;
    law[shape->values] = 5.0; /* missing */
    for (int has_units = 0; has_units < 2; has_units++) {
        const nw__coding *units = has_units == 1 ? &plan->units[WIDE] : NULL;
        assert_int_equal(nw__coding_make(&coding, plan, WIDE, law, units, NULL), NW_OK);
        double masses[NW__MOST_BINS + 1] = { 0.0 };
        assert_true(coding.cells > 10 && coding.cells <= NW__MOST_BINS + 1);
        for (uint32_t code = 0; code < shape->codes; code++) {
            masses[coding.cell_of[code]] += law[code];
            assert_true(code == 0 || code == shape->values || coding.cell_of[code] - coding.cell_of[code - 1] <= 1);
            if (has_units == 1 && code > 0 && units->cell_of[code] == units->cell_of[code - 1])
                assert_int_equal(coding.cell_of[code], coding.cell_of[code - 1]);
        }
        assert_int_equal(coding.cell_of[shape->values], coding.cells - 1);
        assert_true(masses[coding.cells - 1] == 5.0);
        assert_true(masses[coding.cell_of[0]] == 20000.0);
        if (has_units == 0)
            assert_true(masses[coding.cell_of[700]] == 9000.0);
        for (uint32_t c = 0; c + 1 < coding.cells; c++)
            if (c != coding.cell_of[0] && c != coding.cell_of[700])
                assert_true(masses[c] < 2.0 * 59000.0 / NW__WANTED_BINS);
        free(coding.cell_of);
        coding.cell_of = NULL;
    }
    free(law);
    nw_synth_free(synth);
}

/* However many spikes there are, the cells are as few as was planned, for the event says how much noise is drawn. */
static void coding_make__never_exceeds_the_planned_cells(void **state)
{
    (void)state;
    nw_synth *synth = new_synth(50.0);
    nw__plan *plan = &synth->plan;
    const nw__column_shape *shape = &plan->shapes[WIDE];
    double *law = calloc(shape->codes, sizeof *law);
    for (uint32_t period = 1; period < 400; period = 2 * period + 1) {
        nw__coding coding = { 0, NULL };
        for (uint32_t code = 0; code < shape->values; code++)
            law[code] = code % period == 0 ? 1e5 : 1.0;
        assert_int_equal(nw__coding_make(&coding, plan, WIDE, law, NULL, NULL), NW_OK);
        assert_true(coding.cells <= plan->cells[WIDE]);
        free(coding.cell_of);
    }
    free(law);
    nw_synth_free(synth);
}

static void decode_column__follows_the_law_within_each_cell(void **state)
{
    (void)state;
    enum { ROWS = 10000 };
    nw_synth *synth = new_synth(1.0);
    nw__plan *plan = &synth->plan;
    uint16_t cell_of[91];
    nw__coding coding = { 3, cell_of };
    int64_t counts[90];
    uint16_t codes[ROWS];
    double seen[90] = { 0.0 };
    nw_rng *rng = seeded(2);
    for (uint16_t code = 0; code < 90; code++) {
        cell_of[code] = code < 10 ? 0 : code < 50 ? 1 : 2;
        counts[code] = code < 10 ? 0 : 100 + code; /* the first cell has no mass */
    }
    fill_levels(plan, AGE, counts, 1e-3);
    for (size_t i = 0; i < ROWS; i++)
        codes[i] = (uint16_t)(i % 3);
    assert_int_equal(nw__decode_column(plan, AGE, &coding, 0.0 + 80 * 100 + (10 + 89) * 40, codes, ROWS, rng, NULL), NW_OK);
    for (size_t i = 0; i < ROWS; i++) {
        assert_int_equal(cell_of[codes[i]], i % 3);
        seen[codes[i]] += 1.0;
    }
    const double mass[3] = { 10.0, 40 * 100 + (10 + 49) * 20, 40 * 100 + (50 + 89) * 20 };
    for (uint16_t code = 0; code < 90; code++) {
        const double weight = code < 10 ? 1.0 : (double)counts[code];
        const double rows = cell_of[code] == 0 ? 3334.0 : 3333.0;
        assert_true(fabs(seen[code] - rows * weight / mass[cell_of[code]]) <= 1.01);
    }
    nw_rng_free(rng);
    nw_synth_free(synth);
}

/* Both stages: in every vector of counts that noise is added to, one record more is one count more in one cell. Enumerated over
 * all records of a small domain, with the tables that have 0, 1 and 2 other records. */
static void counts__change_by_one_cell_with_one_record(void **state)
{
    (void)state;
    static const uint16_t values[][2] = { { 0, 0 }, { 0, 1 }, { 19, 0 }, { 7, 2 }, { 20, 1 } };
    enum { RECORDS = sizeof values / sizeof *values };
    nw_schema *small = NULL;
    nw_synth *synth = NULL;
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    o.epsilon = 1.0;
    o.delta = 1e-9;
    o.adjacency = NW_ADD_REMOVE;
    assert_int_equal(
        nw_schema_parse(&small, "{\"x\": {\"type\": \"int\", \"lower\": 1, \"upper\": 20}, \"s\": 3}", 0, NULL), NW_OK);
    assert_int_equal(nw_synth_new(&synth, small, &o, NULL), NW_OK);
    uint16_t halves[21];
    for (uint16_t code = 0; code < 21; code++)
        halves[code] = (uint16_t)(code < 20 ? code / 10 : 2);
    const nw__coding stages[2][2] = { { { 21, NULL }, { 3, NULL } }, { { 3, halves }, { 3, NULL } } };
    for (size_t mask = 0; mask < 25 * RECORDS; mask++) {
        const size_t others = mask / RECORDS % 3 < 3 ? mask / (RECORDS * 9) % 3 : 0;
        const uint16_t *record = values[mask % RECORDS];
        int64_t before[63];
        int64_t after[63];
        for (size_t stage = 0; stage < 2; stage++) {
            for (size_t i = 0; i < synth->plan.marginal_count; i++) {
                const nw__marginal *m = &synth->plan.marginals[i];
                const size_t cells = stages[stage][m->a].cells * (m->b == NW__ONE_WAY ? 1 : (size_t)stages[stage][m->b].cells);
                for (size_t more = 0; more < 2; more++) {
                    nw_table *table = NULL;
                    assert_int_equal(nw_table_new(&table, small, others + more, NULL), NW_OK);
                    for (size_t r = 0; r < others + more; r++) {
                        const uint16_t *row = r == others ? record : values[(mask / RECORDS + r) % RECORDS];
                        assert_int_equal(nw_table_set(table, 0, r, 1, &row[0], NULL), NW_OK);
                        assert_int_equal(nw_table_set(table, 1, r, 1, &row[1], NULL), NW_OK);
                    }
                    const nw__counter counter = nw__counter_of_table(table);
                    counter.count(counter.source, m, stages[stage], more == 1 ? after : before);
                    nw_table_free(table);
                }
                int64_t changed = 0;
                for (size_t c = 0; c < cells; c++) {
                    assert_true(after[c] - before[c] == 0 || after[c] - before[c] == 1);
                    changed += after[c] - before[c];
                }
                assert_int_equal(changed, 1);
            }
        }
    }
    nw_synth_free(synth);
    nw_schema_free(small);
}

static nw_synth_measurements *release(nw_synth *synth, uint64_t seed)
{
    nw_synth_measurements *measured = NULL;
    nw_ledger *ledger = NULL;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    nw_rng *rng = seeded(seed);
    lo.delta = 1e-9;
    lo.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_ledger_unlimited(&ledger, &lo, NULL), NW_OK);
    assert_int_equal(nw_synth_release(synth, rng, ledger, "x", &measured, NULL, NULL), NW_OK);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
    return measured;
}

/* At a huge epsilon every level and every 2-way is exact to a few counts: against a plain count of the rows in the object's own
 * cells. */
static void release__counts_what_its_cells_say(void **state)
{
    (void)state;
    enum { ROWS = 6000 };
    nw_synth *synth = new_synth(60.0);
    nw_table *table = make_table(ROWS);
    uint16_t *codes[COLUMNS];
    for (size_t j = 0; j < COLUMNS; j++)
        codes[j] = column_of(table, j);
    assert_int_equal(nw_synth_add(synth, table, NULL), NW_OK);
    nw_synth_measurements *measured = release(synth, 5);
    uint64_t drawn = 0;
    nw_cost cost;
    for (size_t i = 0; i < nw_synth_measurements_count(measured); i++) {
        const nw_synth_measurement m = nw_synth_measurements_get(measured, i);
        const int64_t *counts = nw_synth_measurements_counts(measured, i);
        const bool is_pair = m.columns[1] != SIZE_MAX;
        const size_t a = m.columns[0];
        int64_t *exact = calloc(m.cells, sizeof *exact);
        const uint32_t values = measured->plan.shapes[a].values;
        for (size_t r = 0; r < ROWS; r++) {
            const uint16_t x = codes[a][r];
            size_t cell = x < values ? x / (m.width == 0 ? 1 : m.width) : (size_t)m.cells - 1;
            if (is_pair)
                cell = (size_t)nw_synth_measurements_cell(measured, a, x) * nw_synth_measurements_cells(measured, m.columns[1]) +
                       nw_synth_measurements_cell(measured, m.columns[1], codes[m.columns[1]][r]);
            exact[cell]++;
        }
        for (size_t c = 0; c < m.cells; c++)
            assert_true(fabs((double)(counts[c] - exact[c])) <= 7.0 * m.sigma + 1.0);
        drawn += m.cells;
        free(exact);
    }
    assert_int_equal(nw_event_cost(nw_synth_measurements_event(measured), NW_ADD_REMOVE, &cost, NULL), NW_OK);
    assert_true(cost.samples >= drawn); /* every draw is charged, whatever cells were chosen */
    for (size_t j = 0; j < COLUMNS; j++)
        free(codes[j]);
    nw_synth_measurements_free(measured);
    nw_table_free(table);
    nw_synth_free(synth);
}

/* The spikes at 0 and 2000, the missing value's dependence on two columns, and the bounds. */
static void synth_fit__keeps_spikes_missing_values_and_bounds(void **state)
{
    (void)state;
    enum { ROWS = 20000 };
    nw_synth *synth = new_synth(20.0);
    nw_table *table = make_table(ROWS);
    nw_table *out = NULL;
    nw_rng *rng = seeded(1);
    nw_synth_fit_opts fit = NW_SYNTH_FIT_OPTS_INIT;
    fit.rows = ROWS;
    fit.sweeps = 20;
    assert_int_equal(nw_synth_add(synth, table, NULL), NW_OK);
    nw_synth_measurements *measured = release(synth, 6);
    assert_int_equal(nw_synth_fit(measured, rng, &fit, &out, NULL), NW_OK);
    double seen[2][6] = { { 0.0 } };
    for (int is_out = 0; is_out < 2; is_out++) {
        uint16_t *wide = column_of(is_out == 1 ? out : table, WIDE);
        uint16_t *sex = column_of(is_out == 1 ? out : table, SEX);
        uint16_t *age = column_of(is_out == 1 ? out : table, AGE);
        for (size_t i = 0; i < ROWS; i++) {
            const bool facts[6] = { wide[i] == 0, wide[i] == 2000, wide[i] == 3000, wide[i] == 3000 && sex[i] == 0,
                wide[i] > 400 && wide[i] < 700, age[i] < 40 && sex[i] == 1 };
            for (int k = 0; k < 6; k++)
                seen[is_out][k] += facts[k] ? 1.0 / ROWS : 0.0;
            assert_true(wide[i] <= 3000 && age[i] < 90);
        }
        free(wide);
        free(sex);
        free(age);
    }
    for (int k = 0; k < 6; k++)
        assert_true(fabs(seen[0][k] - seen[1][k]) < 0.01);
    nw_synth_measurements_free(measured);
    nw_rng_free(rng);
    nw_table_free(out);
    nw_table_free(table);
    nw_synth_free(synth);
}

/* Exact partial counts keep the 2-ways in units; where units are codes, a run and a release of parts draw the same. */
static void synth_add__releases_the_same_as_a_run_where_units_are_codes(void **state)
{
    (void)state;
    nw_schema *narrow = NULL;
    nw_synth_measurements *x = NULL;
    nw_synth_measurements *y = NULL;
    nw_synth *by_add = NULL;
    nw_synth *by_run = NULL;
    nw_table *table = NULL;
    nw_table *out = NULL;
    nw_ledger *ledger = NULL;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    nw_rng *rng = seeded(7);
    uint16_t codes[2000];
    o.epsilon = 5.0;
    o.delta = lo.delta = 1e-9;
    o.adjacency = lo.adjacency = NW_ADD_REMOVE;
    assert_int_equal(
        nw_schema_parse(&narrow, "{\"x\": {\"type\": \"int\", \"lower\": 0, \"upper\": 199}, \"s\": 3}", 0xfffe, NULL), NW_OK);
    assert_int_equal(nw_table_new(&table, narrow, 2000, NULL), NW_OK);
    for (size_t j = 0; j < 2; j++) {
        for (size_t i = 0; i < 2000; i++)
            codes[i] = (uint16_t)(j == 1 ? i % 3 : i % 4 == 0 ? 50 : i * i % 200);
        assert_int_equal(nw_table_set(table, j, 0, 2000, codes, NULL), NW_OK);
    }
    assert_int_equal(nw_ledger_unlimited(&ledger, &lo, NULL), NW_OK);
    assert_int_equal(nw_synth_new(&by_add, narrow, &o, NULL), NW_OK);
    assert_int_equal(nw_synth_new(&by_run, narrow, &o, NULL), NW_OK);
    assert_int_equal(nw_synth_add(by_add, table, NULL), NW_OK);
    x = release(by_add, 7);
    assert_int_equal(nw_synth_run(by_run, rng, ledger, table, NULL, &out, &y, NULL, NULL), NW_OK);
    assert_int_equal(nw_synth_measurements_cells(x, 0), nw_synth_measurements_cells(y, 0));
    for (size_t i = 0; i < nw_synth_measurements_count(x); i++)
        assert_memory_equal(nw_synth_measurements_counts(x, i), nw_synth_measurements_counts(y, i),
            nw_synth_measurements_get(x, i).cells * sizeof(int64_t));
    nw_synth_measurements_free(x);
    nw_synth_measurements_free(y);
    nw_synth_free(by_add);
    nw_synth_free(by_run);
    nw_table_free(table);
    nw_table_free(out);
    nw_ledger_close(ledger);
    nw_rng_free(rng);
    nw_schema_free(narrow);
}

/* No status depends on the records: tables of no row, of one, of missing values only, of one value only; more or less noise. */
static void synth_run__takes_any_numeric_table(void **state)
{
    (void)state;
    static const uint16_t values[3][COLUMNS] = { { 0, 0, 0, 0, 0 }, { 3000, 89, 24, 4, 2 }, { 1500, 45, 12, 2, 1 } };
    const size_t sizes[] = { 0, 1, 300 };
    const double epsilons[] = { 1e-3, 1.0, 50.0 };
    for (size_t k = 0; k < 27; k++) {
        nw_synth_opts o = NW_SYNTH_OPTS_INIT;
        nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
        nw_synth_fit_opts fit = NW_SYNTH_FIT_OPTS_INIT;
        nw_synth *synth = NULL;
        nw_table *table = NULL;
        nw_table *out = NULL;
        nw_ledger *ledger = NULL;
        nw_rng *rng = seeded(k);
        const size_t rows = sizes[k / 3 % 3];
        o.epsilon = epsilons[k / 9];
        o.delta = lo.delta = 1e-9;
        o.adjacency = lo.adjacency = k % 2 == 0 ? NW_ADD_REMOVE : NW_REPLACE_ONE;
        fit.rows = 200;
        assert_int_equal(nw_table_new(&table, schema, rows, NULL), NW_OK);
        for (size_t j = 0; j < COLUMNS; j++)
            for (size_t i = 0; i < rows; i++)
                assert_int_equal(nw_table_set(table, j, i, 1, &values[k % 3][j], NULL), NW_OK);
        assert_int_equal(nw_ledger_unlimited(&ledger, &lo, NULL), NW_OK);
        assert_int_equal(nw_synth_new(&synth, schema, &o, NULL), NW_OK);
        assert_int_equal(nw_synth_run(synth, rng, ledger, table, &fit, &out, NULL, NULL, NULL), NW_OK);
        assert_int_equal(nw_table_rows(out), 200);
        uint16_t *wide = column_of(out, WIDE);
        size_t same = 0;
        for (size_t i = 0; i < 200; i++)
            same += wide[i] == values[k % 3][WIDE];
        if (rows == 300 && o.epsilon == 50.0)
            assert_true(same > 190);
        free(wide);
        nw_table_free(table);
        nw_table_free(out);
        nw_synth_free(synth);
        nw_ledger_close(ledger);
        nw_rng_free(rng);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan__measures_nested_levels),
        cmocka_unit_test(law_make__returns_counts_that_have_no_noise),
        cmocka_unit_test(law_make__is_a_law_whatever_was_measured),
        cmocka_unit_test(law_variance__bounds_that_of_a_range),
        cmocka_unit_test(coding_make__keeps_spikes_and_cuts_the_rest_evenly),
        cmocka_unit_test(coding_make__never_exceeds_the_planned_cells),
        cmocka_unit_test(decode_column__follows_the_law_within_each_cell),
        cmocka_unit_test(counts__change_by_one_cell_with_one_record),
        cmocka_unit_test(release__counts_what_its_cells_say),
        cmocka_unit_test(synth_fit__keeps_spikes_missing_values_and_bounds),
        cmocka_unit_test(synth_run__takes_any_numeric_table),
        cmocka_unit_test(synth_add__releases_the_same_as_a_run_where_units_are_codes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
