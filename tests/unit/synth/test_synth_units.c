/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_synth_units.c - units of several rows: which rows count, what is charged for them, against all neighbours of a small
 * domain, and what is refused. */
#include "accountant_internal.h"
#include "synth_internal.h"

#include <nw/testing.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { A_CELLS = 2, B_CELLS = 3, ROW_KINDS = A_CELLS * B_CELLS, MAX_LIST = 3 };

static nw_schema *small_schema(void)
{
    nw_schema *schema = NULL;
    assert_int_equal(nw_schema_parse(&schema, "{\"a\": 2, \"b\": 3}", 0, NULL), NW_OK);
    return schema;
}

static nw_table *read_text(const nw_schema *schema, const char *text, uint32_t max_rows)
{
    char path[] = "/tmp/nw-units-XXXXXX";
    nw_table *table = NULL;
    nw_error err;
    const int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    const nw_status status = nw_table_read_csv_units(&table, schema, path, "who", max_rows, &err);
    unlink(path);
    if (status != NW_OK)
        fail_msg("%s", err.message);
    return table;
}

/* ---- which rows count ---- */

static void expect_rows(const nw_table *table, const char *wanted)
{
    char got[256] = "";
    for (size_t r = 0; r < nw_table_rows(table); r++) {
        uint16_t a;
        uint16_t b;
        assert_int_equal(nw_table_get(table, 0, r, 1, &a, NULL), NW_OK);
        assert_int_equal(nw_table_get(table, 1, r, 1, &b, NULL), NW_OK);
        sprintf(got + strlen(got), "%u%u ", a, b);
    }
    assert_string_equal(got, wanted);
}

static void read_csv_units__keeps_the_first_rows_of_each(void **state)
{
    (void)state;
    nw_schema *schema = small_schema();
    const char *const text = "a,who,b\n0,x,0\n1,y,0\n0,x,1\n0,\"x\",2\n1,y ,1\n1,,2\n0,\"\",1\n1,Y,2\n0,,0\n";
    nw_table *one = read_text(schema, text, 1);
    nw_table *two = read_text(schema, text, 2);
    nw_table *many = read_text(schema, text, 1000);
    expect_rows(one, "00 10 12 12 "); /* blanks around do not count, case does; rows without a name are of one unit */
    expect_rows(two, "00 10 01 11 12 01 12 ");
    assert_int_equal(nw_table_rows(many), 9);
    assert_int_equal(nw_table_rows_per_unit(two), 2);
    nw_table_free(one);
    nw_table_free(two);
    nw_table_free(many);
    nw_schema_free(schema);
}

/* Many units, so that the table of them grows, and blocks fill while rows are left out. */
static void read_csv_units__counts_in_large_files(void **state)
{
    (void)state;
    enum { UNITS = 30000, EACH = 5 };
    nw_schema *schema = small_schema();
    char *text = malloc(UNITS * EACH * 16);
    size_t n = (size_t)sprintf(text, "who,a,b\n");
    for (int i = 0; i < EACH; i++)
        for (int u = 0; u < UNITS; u++)
            n += (size_t)sprintf(text + n, "%d,%d,%d\n", u, u % 2, i % 3);
    nw_table *table = read_text(schema, text, 3);
    uint16_t *b = calloc(3 * UNITS, sizeof *b);
    assert_int_equal(nw_table_rows(table), 3 * UNITS);
    assert_int_equal(nw_table_get(table, 1, 0, 3 * UNITS, b, NULL), NW_OK);
    for (size_t r = 0; r < 3 * UNITS; r++)
        assert_int_equal(b[r], r / UNITS);
    free(b);
    free(text);
    nw_table_free(table);
    nw_schema_free(schema);
}

/* ---- sensitivity ---- */

/* Exact counts of all marginals, as the room counts them. */
static void count_all(const nw_synth *synth, const nw_table *table, int64_t counts[ROW_KINDS + A_CELLS + B_CELLS])
{
    size_t at = 0;
    const nw__counter counter = nw__counter_of_table(table);
    nw__coding *codings = nw__codings_identity(&synth->plan);
    memset(counts, 0, (ROW_KINDS + A_CELLS + B_CELLS) * sizeof *counts);
    for (size_t i = 0; i < synth->plan.marginal_count; i++) {
        counter.count(counter.source, &synth->plan.marginals[i], codings, counts + at);
        at += nw__marginal_cells(&synth->plan.marginals[i]);
    }
    assert_int_equal(at, ROW_KINDS + A_CELLS + B_CELLS);
    nw__codings_free(codings, synth->plan.columns);
}

/* sum over the marginals of (distance / sigma)^2, and the largest distance in one of them. */
static double distance(const nw_synth *synth, const int64_t *x, const int64_t *y, double *largest)
{
    size_t at = 0;
    double sum = 0.0;
    for (size_t i = 0; i < synth->plan.marginal_count; i++) {
        const nw__marginal *m = &synth->plan.marginals[i];
        double squares = 0.0;
        for (size_t c = 0; c < nw__marginal_cells(m); c++, at++)
            squares += (double)((x[at] - y[at]) * (x[at] - y[at]));
        *largest = fmax(*largest, sqrt(squares));
        sum += squares / (m->sigma * m->sigma);
    }
    return sum;
}

/* A unit's rows, as a number: 0 to MAX_LIST rows in order. */
static size_t print_list(size_t list, char *text)
{
    size_t n = 0;
    for (; list > 0; list = (list - 1) / ROW_KINDS) {
        const size_t kind = (list - 1) % ROW_KINDS;
        n += (size_t)sprintf(text + n, "u,%zu,%zu\n", kind / B_CELLS, kind % B_CELLS);
    }
    return n;
}

static nw_synth *new_synth(const nw_schema *schema, nw_adjacency adjacency, uint32_t rows_per_unit)
{
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    nw_synth *synth = NULL;
    o.epsilon = 1.0;
    o.delta = 1e-9;
    o.adjacency = adjacency;
    o.rows_per_unit = rows_per_unit;
    assert_int_equal(nw_synth_new(&synth, schema, &o, NULL), NW_OK);
    return synth;
}

/* All lists of up to three rows of one unit, beside another unit: no neighbour is further away than is charged, and one is as far
 * as that. */
static void synth_new__charges_for_the_worst_neighbour(void **state)
{
    (void)state;
    enum { LISTS = 1 + ROW_KINDS + ROW_KINDS * ROW_KINDS + ROW_KINDS * ROW_KINDS * ROW_KINDS };
    nw_schema *schema = small_schema();
    static int64_t counts[LISTS][ROW_KINDS + A_CELLS + B_CELLS];
    for (uint32_t k = 1; k <= 2; k++) {
        for (int replaced = 0; replaced < 2; replaced++) {
            nw_synth *synth = new_synth(schema, replaced ? NW_REPLACE_ONE : NW_ADD_REMOVE, k);
            const double mu = nw__budget_mu(1.0, 1e-9);
            double largest = 0.0;
            double furthest = 0.0;
            for (size_t list = 0; list < LISTS; list++) {
                char text[256];
                size_t n = (size_t)sprintf(text, "who,a,b\nv,0,0\nv,1,2\n");
                print_list(list, text + n);
                nw_table *table = read_text(schema, text, k);
                count_all(synth, table, counts[list]);
                nw_table_free(table);
            }
            for (size_t x = 0; x < LISTS; x++)
                for (size_t y = 0; y < (replaced ? LISTS : 1); y++)
                    furthest = fmax(furthest, distance(synth, counts[x], counts[y], &largest));
            assert_true(largest <= synth->plan.sensitivity.value && largest > synth->plan.sensitivity.value * (1.0 - 1e-15));
            assert_true(fabs(largest - k * (replaced ? sqrt(2.0) : 1.0)) < 1e-12);
            assert_true(furthest <= mu * mu && furthest > mu * mu * (1.0 - 1e-12));
            nw_synth_free(synth);
        }
    }
    nw_schema_free(schema);
}

/* ---- refusals, and what is not public ---- */

static void synth__refuses_tables_that_are_not_bounded_alike(void **state)
{
    (void)state;
    nw_schema *schema = small_schema();
    nw_table *bounded = read_text(schema, "who,a,b\nu,0,0\n", 3);
    nw_table *plain = NULL;
    nw_error err;
    assert_int_equal(nw_table_new(&plain, schema, 1, NULL), NW_OK);
    nw_synth *by_record = new_synth(schema, NW_ADD_REMOVE, 0);
    nw_synth *by_two = new_synth(schema, NW_ADD_REMOVE, 2);
    nw_synth *by_three = new_synth(schema, NW_ADD_REMOVE, 3);
    assert_int_equal(nw_synth_add(by_record, bounded, &err), NW_E_ARG); /* would account for three neighbours as one */
    assert_int_equal(nw_synth_add(by_two, bounded, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "holds up to 3 rows of a unit"));
    assert_int_equal(nw_synth_add(by_three, plain, &err), NW_E_ARG);
    assert_int_equal(nw_synth_add(by_record, plain, NULL), NW_OK);
    assert_int_equal(nw_synth_add(by_three, bounded, NULL), NW_OK);
    assert_int_equal(nw_synth_add(by_three, bounded, &err), NW_E_STATE);
    assert_non_null(strstr(err.message, "2 tables of units come together, must be at most 1 (parts)"));
    assert_int_equal(nw_synth_add_csv(by_two, "/nonexistent", NULL, &err), NW_E_ARG); /* would bound no unit */
    assert_non_null(strstr(err.message, "rows_per_unit is 2, must be 0: nw_synth_add_csv_units"));
    nw_synth *other = new_synth(schema, NW_ADD_REMOVE, 3);
    assert_int_equal(nw_synth_add(other, bounded, NULL), NW_OK);
    assert_int_equal(nw_synth_merge(other, by_three, &err), NW_E_STATE);
    nw_synth_free(other);
    nw_synth_free(by_record);
    nw_synth_free(by_two);
    nw_synth_free(by_three);
    nw_table_free(bounded);
    nw_table_free(plain);
    nw_schema_free(schema);
}

static void synth_release__estimates_the_rows_of_replaced_units(void **state)
{
    (void)state;
    nw_schema *schema = small_schema();
    nw_table *table = read_text(schema, "who,a,b\nu,0,0\nu,0,1\nv,1,1\n", 2);
    nw_synth *synth = new_synth(schema, NW_REPLACE_ONE, 2);
    nw_synth_measurements *measured = NULL;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    nw_ledger *ledger = NULL;
    nw_rng *rng = NULL;
    double deviation = 0.0;
    lo.epsilon = 1.0;
    lo.delta = 1e-9;
    lo.adjacency = NW_REPLACE_ONE;
    assert_int_equal(nw_ledger_memory(&ledger, &lo, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 1, NULL), NW_OK);
    assert_int_equal(nw_synth_add(synth, table, NULL), NW_OK);
    assert_int_equal(nw_synth_release(synth, rng, ledger, "units", &measured, NULL, NULL), NW_OK);
    nw_synth_measurements_rows(measured, &deviation);
    assert_true(deviation > 1.0); /* three rows are not told: another unit may have had one */
    nw_synth_measurements_free(measured);
    nw_synth_free(synth);
    nw_ledger_close(ledger);
    nw_rng_free(rng);
    nw_table_free(table);
    nw_schema_free(schema);
}

static void read_csv_units__refuses(void **state)
{
    (void)state;
    nw_schema *schema = small_schema();
    nw_table *table = (nw_table *)1;
    nw_error err;
    char path[] = "/tmp/nw-units-XXXXXX";
    const int fd = mkstemp(path);
    assert_int_equal(write(fd, "a,b\n0,0\n", 8), 8);
    close(fd);
    assert_int_equal(nw_table_read_csv_units(&table, schema, path, "a", 1, &err), NW_E_ARG);
    assert_null(table);
    assert_non_null(strstr(err.message, "unit is \"a\", a column of the schema"));
    assert_int_equal(nw_table_read_csv_units(&table, schema, path, "who", 0, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "max_rows is 0, must be in 1 .. 1048576"));
    assert_int_equal(nw_table_read_csv_units(&table, schema, path, NULL, 1, &err), NW_E_ARG);
    assert_int_equal(nw_table_read_csv_units(&table, schema, path, "who", 1, &err), NW_E_FORMAT);
    assert_non_null(strstr(err.message, "lacks the column \"who\" of the units"));
    unlink(path);
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    nw_synth *synth = NULL;
    o.epsilon = 1.0;
    o.delta = 1e-9;
    o.adjacency = NW_ADD_REMOVE;
    o.rows_per_unit = NW_MAX_ROWS_PER_UNIT + 1;
    assert_int_equal(nw_synth_new(&synth, schema, &o, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "rows_per_unit is 1048577"));
    nw_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_csv_units__keeps_the_first_rows_of_each),
        cmocka_unit_test(read_csv_units__counts_in_large_files),
        cmocka_unit_test(synth_new__charges_for_the_worst_neighbour),
        cmocka_unit_test(synth__refuses_tables_that_are_not_bounded_alike),
        cmocka_unit_test(synth_release__estimates_the_rows_of_replaced_units),
        cmocka_unit_test(read_csv_units__refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
