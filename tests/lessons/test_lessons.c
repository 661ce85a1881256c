/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_lessons.c - privacy bugs published about other software, each as a test: the bug is rebuilt and has to be caught, and
 * ours has to be free of it. */
#include "accountant_internal.h"
#include "random_internal.h"
#include "real_release.h"

#include <math.h>
#include <noisewright.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { DRAWS = 400000 };

static nw_rng *seeded(uint64_t seed)
{
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    assert_int_equal(nw__rng_begin(rng, NULL), NW_OK);
    return rng;
}

/* [Mir12]: a Laplace sample in floating point added to the value leaves the value in the last bits. */
static void mironov_2012__the_last_bits_say_nothing(void **state)
{
    (void)state;
    const double values[] = { 0.0, 1.0, 0x1p20, 0x1.fffffep7, 5e-324 };
    nw_rng *rng = seeded(1);
    nw_noise *noise = NULL;
    nw_grid grid;
    double *x = calloc(DRAWS, sizeof *x);
    double *y = calloc(DRAWS, sizeof *y);
    assert_int_equal(nw_grid_choose(&grid, 1.0, 1.0, 1, NULL), NW_OK);
    assert_int_equal(nw_noise_new(&noise, NW_NOISE_DISCRETE_LAPLACE, ldexp(1.0, -grid.exponent), NULL), NW_OK);
    for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
        release_on_grid(values[v], nw_grid_truncate, grid, noise, rng, x, DRAWS);
        release_on_grid(values[v] + 1.0, nw_grid_truncate, grid, noise, rng, y, DRAWS);
        assert_false(residue_leaks(x, y, DRAWS, ldexp(1.0, grid.exponent)));
    }
    release_float_noise(0.0, rng, x, DRAWS); /* the bug: the first is as fine as the noise, the second is not */
    release_float_noise(1.0, rng, y, DRAWS);
    assert_true(residue_p_value(x, y, DRAWS, 0x1p-53) < 1e-9);
    nw_noise_free(noise);
    nw_rng_free(rng);
    free(x);
    free(y);
}

/* Integer noise of up to 2^58 steps turned into a double *before* it is added (google/differential-privacy's C++, Java and Go):
 * the sum is rounded after the value came in. [HDH22] shows what that gives away. Ours adds in int64 and converts once. */
static void int64_noise_to_double__the_addition_is_in_integers(void **state)
{
    (void)state;
    nw_rng *rng = seeded(2);
    nw_noise *noise = NULL;
    const nw_grid grid = { -40 };
    double *x = calloc(DRAWS, sizeof *x);
    double *y = calloc(DRAWS, sizeof *y);
    assert_int_equal(nw_noise_new(&noise, NW_NOISE_DISCRETE_LAPLACE, 0x1p48, NULL), NW_OK); /* noise of scale 256 on the grid */
    release_on_grid(0.0, nw_grid_truncate, grid, noise, rng, x, DRAWS);
    release_on_grid(0x1p-40, nw_grid_truncate, grid, noise, rng, y, DRAWS); /* one grid step */
    assert_false(residue_leaks(x, y, DRAWS, 0x1p-40));
    nw_noise_free(noise);
    assert_int_equal(nw_noise_new(&noise, NW_NOISE_DISCRETE_LAPLACE, 0x1p50, NULL), NW_OK);
    release_converted_early(0.0, noise, rng, x, DRAWS); /* the bug, with the noise at 2^56: 8 steps are one ulp */
    release_converted_early(20.0, noise, rng, y, DRAWS);
    assert_true(residue_p_value(x, y, DRAWS, 4.0) < 1e-9);
    nw_noise_free(noise);
    nw_rng_free(rng);
    free(x);
    free(y);
}

/* dp_accounting 0.6.0: PLDAccountant composed a repeated randomized response once, RdpAccountant a repeated exponential
 * mechanism once. */
static void dp_accounting_count__a_repetition_costs_as_often_as_it_is_run(void **state)
{
    (void)state;
    nw_event *leaf = NULL;
    nw_event *ten = NULL;
    double once = 0.0;
    double often = 0.0;
    assert_int_equal(nw_event_pure(&leaf, log(3.0), NW_REPLACE_ONE, NULL), NW_OK); /* RR with p = .5, k = 2 */
    assert_int_equal(nw_event_repeat(&ten, leaf, 10, NULL), NW_OK);
    assert_int_equal(nw_event_epsilon(leaf, NW_REPLACE_ONE, 1e-6, &once, NULL, NULL), NW_OK);
    assert_int_equal(nw_event_epsilon(ten, NW_REPLACE_ONE, 1e-6, &often, NULL, NULL), NW_OK);
    assert_true(often > 10.986105128796791); /* the truth, to which their answer was 1.0987 */
    assert_true(often > 5.0 * once && often <= 10.0 * once * (1.0 + 1e-12));
    nw_event_free(leaf);
    nw_event_free(ten);
}

/* dp_accounting 0.6.0: a Gaussian of sensitivity 1 under replace-one cost 9.997 by one accountant and 4.729 by another, for only
 * one doubled the distance. */
static void dp_accounting_adjacency__all_methods_see_the_same_distance(void **state)
{
    (void)state;
    nw_event *event = NULL;
    nw_cost cost;
    double epsilon = 0.0;
    assert_int_equal(nw_event_gaussian(&event, 1.0, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, NULL), NW_OK);
    assert_int_equal(nw_event_cost(event, NW_REPLACE_ONE, &cost, NULL), NW_OK);
    assert_true(fabs(cost.mu_squared - 4.0) < 1e-14 && fabs(cost.rho_zcdp - 2.0) < 1e-14);
    assert_int_equal(nw_event_epsilon(event, NW_REPLACE_ONE, 1e-5, &epsilon, NULL, NULL), NW_OK);
    assert_true(fabs(epsilon - 9.99726) < 1e-4);
    nw_event_free(event);
}

/* private_gsd: bins [a, b) over the data's range, so a row exactly at the maximum fell into no cell. */
static void private_gsd_maximum__the_upper_bound_is_in_the_last_cell(void **state)
{
    (void)state;
    const char *path = "lessons-maximum.csv";
    nw_schema *schema = NULL;
    nw_table *table = NULL;
    uint16_t code[3];
    assert_int_equal(
        nw_schema_parse(&schema, "{\"x\": {\"type\": \"float\", \"lower\": 0, \"upper\": 1, \"nullable\": false}}", 10, NULL),
        NW_OK);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("x\n1\n0\n2\n", f);
    fclose(f);
    assert_int_equal(nw_table_read_csv(&table, schema, path, NULL), NW_OK);
    assert_int_equal(nw_table_get(table, 0, 0, 3, code, NULL), NW_OK);
    const uint16_t last = (uint16_t)(nw_schema_column(schema, 0).cells - 1);
    assert_int_equal(code[0], last);
    assert_int_equal(code[1], 0);
    assert_int_equal(code[2], last);
    nw_table_free(table);
    nw_schema_free(schema);
    remove(path);
}

/* private_gsd: `fit` printed the error against the true statistics, and took categories and bounds from the data. Here a run's
 * progress and its status must be the same whatever the records are; the domain is the schema's, so two tables with different
 * values give outputs over the same cells. */
static bool record_progress(void *context, const char *phase, double fraction)
{
    double *sum = context;
    *sum = 31.0 * *sum + fraction + (double)strlen(phase);
    return true;
}

static void private_gsd_printed_error__progress_does_not_depend_on_records(void **state)
{
    (void)state;
    double sums[2] = { 0.0, 0.0 };
    for (int side = 0; side < 2; side++) {
        nw_schema *schema = NULL;
        nw_table *table = NULL;
        nw_table *out = NULL;
        nw_synth *synth = NULL;
        nw_ledger *ledger = NULL;
        nw_rng *rng = seeded(3);
        nw_synth_opts o = NW_SYNTH_OPTS_INIT;
        nw_synth_fit_opts fit = NW_SYNTH_FIT_OPTS_INIT;
        nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
        uint16_t codes[100] = { 0 };
        o.epsilon = lo.epsilon = 1.0;
        o.delta = lo.delta = 1e-9;
        o.adjacency = lo.adjacency = NW_ADD_REMOVE;
        fit.rows = 100;
        fit.threads = 1;
        fit.progress = record_progress;
        fit.progress_context = &sums[side];
        assert_int_equal(nw_schema_parse(&schema, "{\"a\": 4, \"b\": 3}", 0, NULL), NW_OK);
        assert_int_equal(nw_table_new(&table, schema, 100, NULL), NW_OK);
        for (int i = 0; i < 100; i++)
            codes[i] = (uint16_t)(side == 0 ? 0 : i % 3);
        assert_int_equal(nw_table_set(table, 0, 0, 100, codes, NULL), NW_OK);
        assert_int_equal(nw_ledger_memory(&ledger, &lo, NULL), NW_OK);
        assert_int_equal(nw_synth_new(&synth, schema, &o, NULL), NW_OK);
        assert_int_equal(nw_synth_run(synth, rng, ledger, table, &fit, &out, NULL, NULL, NULL), NW_OK);
        nw_table_free(out);
        nw_table_free(table);
        nw_synth_free(synth);
        nw_ledger_close(ledger);
        nw_rng_free(rng);
        nw_schema_free(schema);
    }
    assert_true(sums[0] != 0.0 && sums[0] == sums[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mironov_2012__the_last_bits_say_nothing),
        cmocka_unit_test(int64_noise_to_double__the_addition_is_in_integers),
        cmocka_unit_test(dp_accounting_count__a_repetition_costs_as_often_as_it_is_run),
        cmocka_unit_test(dp_accounting_adjacency__all_methods_see_the_same_distance),
        cmocka_unit_test(private_gsd_maximum__the_upper_bound_is_in_the_last_cell),
        cmocka_unit_test(private_gsd_printed_error__progress_does_not_depend_on_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
