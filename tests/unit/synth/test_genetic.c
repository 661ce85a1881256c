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
    nw__reference reference;
    nw__marginal marginals[6];
    uint16_t codes[COLUMNS * ROWS];
    nw__chain chain;
    nw_rng *rng;
    engine e;
} fixture;

static void setup(fixture *f)
{
    size_t m = 0;
    memset(f, 0, sizeof *f);
    assert_int_equal(nw_rng_new_insecure_seeded(&f->rng, 5, NULL), NW_OK);
    assert_int_equal(nw__rng_begin(f->rng, NULL), NW_OK);
    for (size_t j = 0; j < COLUMNS; j++)
        f->marginals[m++] = (nw__marginal){ j, NW__ONE_WAY, cells[j], 1, 2.0, NULL };
    for (size_t a = 0; a < COLUMNS; a++)
        for (size_t b = a + 1; b < COLUMNS; b++)
            f->marginals[m++] = (nw__marginal){ a, b, cells[a], cells[b], 3.0, NULL };
    for (size_t i = 0; i < m; i++) {
        const size_t n = (size_t)f->marginals[i].cells_a * f->marginals[i].cells_b;
        f->marginals[i].counts = calloc(n, sizeof(int64_t));
        for (size_t c = 0; c < n; c++) /* some below 0 and some above the total: both ends of the published clip */
            f->marginals[i].counts[c] = (int64_t)below(f->rng, 90) - 20;
    }
    f->plan =
        (nw__plan){ .columns = COLUMNS, .cells = cells, .marginals = f->marginals, .marginal_count = m, .one_ways = COLUMNS };
    f->reference = (nw__reference){ .total = 60.0, .columns = COLUMNS };
    f->chain = (nw__chain){ &f->plan, &f->reference, ROWS, 1, 1.0, f->codes, NULL, NULL, false, NULL, NULL };
    assert_true(engine_make(&f->e, &f->chain));
    assert_true(start_population(&f->e, &f->plan, f->rng));
}

static void teardown(fixture *f)
{
    engine_clear(&f->e);
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
                const double y = fmin(1.0, fmax(0.0, (double)m->counts[u * m->cells_b + v] / f->reference.total));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(select_survivors__keeps_every_elites_fitness_that_of_its_table),
        cmocka_unit_test(change_of__is_the_difference_of_two_tables),
        cmocka_unit_test(propose__mutates_uniformly_and_crosses_with_elites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
