/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_genetic.c - the genetic engine's incremental bookkeeping against whole tables, evaluated plainly. */
#include "../../../mechanisms/synth/genetic.c" /* the file under test, for its static functions */

#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { COLUMNS = 3, ROWS = 40 };
static uint32_t cells[COLUMNS] = { 4, 3, 6 };

typedef struct fixture {
    nw__plan plan;
    nw__marginal marginals[6];
    nw__fit_items items;
    nw__tally tally;
    uint16_t table[COLUMNS * ROWS];
    nw__genetic_task task;
    nw_rng *rng;
    engine e;
} fixture;

static const double TOTAL = 60.0;

static void setup(fixture *f)
{
    size_t m = 0;
    memset(f, 0, sizeof *f);
    assert_int_equal(nw_rng_new_insecure_seeded(&f->rng, 5, NULL), NW_OK);
    assert_int_equal(nw__rng_begin(f->rng, NULL), NW_OK);
    for (size_t j = 0; j < COLUMNS; j++)
        f->marginals[m++] = (nw__marginal){ j, NW__ONE_WAY, cells[j], 1, 2.0, NULL, 0, 0 };
    for (size_t a = 0; a < COLUMNS; a++)
        for (size_t b = a + 1; b < COLUMNS; b++)
            f->marginals[m++] = (nw__marginal){ a, b, cells[a], cells[b], 3.0, NULL, 0, 0 };
    for (size_t i = 0; i < m; i++) {
        const size_t n = (size_t)f->marginals[i].cells_a * f->marginals[i].cells_b;
        f->marginals[i].counts = calloc(n, sizeof(int64_t));
        for (size_t c = 0; c < n; c++) /* some below 0 and some above the total: both ends of the published clip */
            f->marginals[i].counts[c] = (int64_t)below(f->rng, 90) - 20;
    }
    f->plan =
        (nw__plan){ .columns = COLUMNS, .cells = cells, .marginals = f->marginals, .marginal_count = m, .one_ways = COLUMNS };
    assert_int_equal(nw__fit_items_make(&f->items, &f->plan, NULL, TOTAL, ROWS, NW__TARGET_PUBLISHED, NULL), NW_OK);
    assert_true(nw__tally_make(&f->tally, f->items.items, f->items.count, COLUMNS));
    f->task = (nw__genetic_task){ nw__genetic_defaults(1000), &f->tally, f->items.marginals, COLUMNS, ROWS, cells, f->table,
        false, NULL, NULL };
    assert_true(engine_make(&f->e, &f->task));
    assert_true(start_population(&f->e, false, f->rng));
}

static void teardown(fixture *f)
{
    engine_clear(&f->e);
    nw__tally_clear(&f->tally);
    nw__fit_items_clear(&f->items);
    for (size_t i = 0; i < f->plan.marginal_count; i++)
        free(f->marginals[i].counts);
    nw_rng_free(f->rng);
}

/* || N' (y - q(X)) ||^2 of a row-major table, with y clipped to [0, 1], from the definition. */
static double plain_fitness(const fixture *f, const uint16_t *table)
{
    double sum = 0.0;
    for (size_t i = 0; i < f->plan.marginal_count; i++) {
        const nw__marginal *m = &f->marginals[i];
        for (uint32_t u = 0; u < m->cells_a; u++) {
            for (uint32_t v = 0; v < m->cells_b; v++) {
                double count = 0.0;
                for (size_t r = 0; r < ROWS; r++)
                    count += table[r * COLUMNS + m->a] == u && (m->b == NW__ONE_WAY || table[r * COLUMNS + m->b] == v);
                const double y = fmin(1.0, fmax(0.0, (double)m->counts[u * m->cells_b + v] / TOTAL));
                sum += (count - ROWS * y) * (count - ROWS * y);
            }
        }
    }
    return sum;
}

static void member_table(const engine *e, const member *m, uint16_t *table)
{
    memcpy(table, e->best, ROWS * COLUMNS * sizeof *table);
    for (size_t i = 0; i < m->count; i++)
        table[m->edits[i].row * COLUMNS + m->edits[i].column] = m->edits[i].code;
}

static void select_survivors__keeps_every_elites_fitness_that_of_its_table(void **state)
{
    (void)state;
    fixture f;
    uint16_t table[ROWS * COLUMNS];
    setup(&f);
    double last = f.e.elites[0].fitness;
    for (int generation = 0; generation < 400; generation++) {
        for (size_t i = 0; i < ELITES; i++) {
            member_table(&f.e, &f.e.elites[i], table);
            assert_true(fabs(plain_fitness(&f, table) - f.e.elites[i].fitness) < 1e-2);
            assert_true(f.e.elites[0].fitness <= f.e.elites[i].fitness);
        }
        propose(&f.e, f.rng);
        assert_true(select_survivors(&f.e));
        assert_true(f.e.elites[0].fitness <= last);
        last = f.e.elites[0].fitness;
    }
    teardown(&f);
}

static void change_of__is_the_difference_of_two_tables(void **state)
{
    (void)state;
    fixture f;
    uint16_t table[ROWS * COLUMNS];
    setup(&f);
    const double before = plain_fitness(&f, f.e.best);
    for (int i = 0; i < 500; i++) {
        edit x = { (uint32_t)below(f.rng, ROWS), (uint16_t)below(f.rng, COLUMNS), 0 };
        x.code = (uint16_t)below(f.rng, cells[x.column]);
        memcpy(table, f.e.best, sizeof table);
        table[x.row * COLUMNS + x.column] = x.code;
        assert_true(fabs(change_of(&f.e, &x) - (plain_fitness(&f, table) - before)) < 1e-2);
    }
    teardown(&f);
}

static void propose__mutates_uniformly_and_crosses_with_elites(void **state)
{
    (void)state;
    fixture f;
    size_t seen[6] = { 0 };
    size_t of_column_2 = 0;
    setup(&f);
    for (int generation = 0; generation < 4000; generation++) {
        propose(&f.e, f.rng);
        for (size_t i = 0; i < MUTATIONS; i++) {
            assert_true(f.e.candidates[i].code < cells[f.e.candidates[i].column]);
            if (f.e.candidates[i].column == 2) {
                seen[f.e.candidates[i].code]++;
                of_column_2++;
            }
        }
    }
    /* a third of 200000 mutations; each of 6 values a sixth of those: 8 standard deviations */
    assert_true(fabs((double)of_column_2 - 200000.0 / 3.0) < 8.0 * sqrt(200000.0 * 2.0 / 9.0));
    for (int v = 0; v < 6; v++)
        assert_true(fabs((double)seen[v] - (double)of_column_2 / 6.0) < 8.0 * sqrt((double)of_column_2 * 5.0 / 36.0));
    teardown(&f);
}

/* Numbers 0, .001, .002, ..: a crossover's noise of deviation .01 moves a code by about ten, symmetrically, and not past the
 * ends; a missing value and a category stay. */
static void shaken__adds_noise_of_a_hundredth_to_numbers(void **state)
{
    (void)state;
    fixture f;
    nw_schema *schema = NULL;
    nw_queries *queries = NULL;
    double sum = 0.0;
    double squares = 0.0;
    setup(&f);
    assert_int_equal(
        nw_schema_parse(&schema, "{\"x\": {\"type\": \"int\", \"lower\": 0, \"upper\": 1000}, \"c\": 4}", 2000, NULL), NW_OK);
    assert_int_equal(nw_queries_new(&queries, schema, NULL), NW_OK);
    f.e.numbers = queries;
    for (int i = 0; i < 20000; i++) {
        const double moved = (double)shaken(&f.e, 0, 500, f.rng) - 500.0;
        sum += moved / 20000.0;
        squares += moved * moved / 20000.0;
        assert_true(shaken(&f.e, 0, 0, f.rng) <= 100 && shaken(&f.e, 0, 1000, f.rng) <= 1000);
    }
    assert_true(fabs(sum) < 6.0 * 10.0 / sqrt(20000.0));
    /* rounding adds 1/12; the deviation of a mean of squares is sqrt(2 / n) of it */
    assert_true(fabs(squares - 100.0 - 1.0 / 12.0) < 6.0 * 100.0 * sqrt(2.0 / 20000.0));
    assert_int_equal(shaken(&f.e, 0, 1001, f.rng), 1001);
    assert_int_equal(shaken(&f.e, 1, 2, f.rng), 2);
    nw_queries_free(queries);
    nw_schema_free(schema);
    teardown(&f);
}

/* The rule of a tenth more generations, by hand: improvements of a thousandth count, and the tenth runs from the last of them. */
static void is_slow__stops_a_tenth_after_the_last_improvement(void **state)
{
    (void)state;
    nw__genetic_settings s = nw__genetic_defaults(1000);
    slow_rule rule = { 0 };
    s.slow_change = 0.001;
    assert_false(is_slow(&rule, &s, 1000, 100.0));
    assert_false(is_slow(&rule, &s, 1050, 99.95)); /* too little to count */
    assert_false(is_slow(&rule, &s, 1100, 99.0));  /* counts */
    assert_false(is_slow(&rule, &s, 1150, 98.95));
    assert_false(is_slow(&rule, &s, 1200, 98.95));
    assert_true(is_slow(&rule, &s, 1250, 98.95)); /* 150 > 110 */
}

static void genetic_search__goes_on_from_a_table_and_stops_at_the_cap(void **state)
{
    (void)state;
    fixture f;
    setup(&f);
    uint16_t start[COLUMNS * ROWS];
    memcpy(start, f.table, sizeof start);
    for (size_t row = 0; row < ROWS; row++)
        nw__tally_add_row(&f.tally, f.table + row * COLUMNS, -1.0f);
    f.task.has_start = true;
    f.task.settings.most_generations = 1;
    assert_int_equal(nw__genetic_search(&f.task, f.rng, NULL), NW_OK);
    assert_true(plain_fitness(&f, f.table) <= plain_fitness(&f, start));
    size_t changed = 0;
    for (size_t c = 0; c < COLUMNS * ROWS; c++)
        changed += f.table[c] != start[c];
    assert_true(changed <= 1); /* it was the best of the elites, for those are random */
    assert_true(fabs(plain_fitness(&f, f.table) - nw__tally_energy(&f.tally)) < 1e-2);
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(select_survivors__keeps_every_elites_fitness_that_of_its_table),
        cmocka_unit_test(change_of__is_the_difference_of_two_tables),
        cmocka_unit_test(propose__mutates_uniformly_and_crosses_with_elites),
        cmocka_unit_test(shaken__adds_noise_of_a_hundredth_to_numbers),
        cmocka_unit_test(is_slow__stops_a_tenth_after_the_last_improvement),
        cmocka_unit_test(genetic_search__goes_on_from_a_table_and_stops_at_the_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
