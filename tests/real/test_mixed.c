/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_mixed.c - the accuracy that the synth room promises on raw tables, numeric columns as they are and missing values, at
 * epsilon = 1, delta = 1e-9, add/remove: average total variation over all 1-, 2- and 3-way marginals, numeric columns cut at nine
 * quantiles of the real one and missing a cell; Kolmogorov-Smirnov distance of each numeric column. Needs -Dreal_data_dir. */
#include <noisewright.h>
#include <nw/testing.h>

#include "marginals.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { QUANTILES = 9, WAYS = 3 };
static const char *folder;

typedef struct scores {
    double tv[WAYS];
    double mean_ks;
    double worst_ks;
} scores;

static bool is_numeric(const nw_column *column)
{
    return column->type == NW_COLUMN_INT || column->type == NW_COLUMN_FLOAT;
}

static uint16_t *codes_of(const nw_table *table, size_t j)
{
    uint16_t *codes = malloc(nw_table_rows(table) * sizeof *codes);
    assert_int_equal(nw_table_get(table, j, 0, nw_table_rows(table), codes, NULL), NW_OK);
    return codes;
}

/* How many rows have each code. */
static double *shares_of(const nw_table *table, size_t j)
{
    uint16_t *codes = codes_of(table, j);
    double *shares = calloc(65536, sizeof *shares);
    for (size_t i = 0; i < nw_table_rows(table); i++)
        shares[codes[i]] += 1.0 / (double)nw_table_rows(table);
    free(codes);
    return shares;
}

/* The first code of each cell, from the second cell on: after the code where the real column passes a tenth. */
static void cut(const nw_table *real, size_t j, uint16_t starts[QUANTILES])
{
    const nw_column column = nw_schema_column(nw_table_schema(real), j);
    double *shares = shares_of(real, j);
    const uint32_t values = column.cells - column.is_nullable;
    const double present = column.is_nullable ? 1.0 - shares[values] : 1.0;
    double below = 0.0;
    size_t k = 0;
    for (uint32_t code = 0; code < values; code++) {
        below += shares[code];
        for (; k < QUANTILES && below >= present * (double)(k + 1) / (QUANTILES + 1); k++)
            starts[k] = (uint16_t)(code + 1);
    }
    free(shares);
}

/* The table in cells: categories as they are, numbers by the real table's quantiles. */
static nw_table *in_cells(const nw_table *real, const nw_table *table, const nw_schema *cells)
{
    nw_table *out = NULL;
    const size_t rows = nw_table_rows(table);
    assert_int_equal(nw_table_new(&out, cells, rows, NULL), NW_OK);
    for (size_t j = 0; j < nw_schema_columns(cells); j++) {
        const nw_column column = nw_schema_column(nw_table_schema(real), j);
        uint16_t *codes = codes_of(table, j);
        uint16_t starts[QUANTILES];
        if (is_numeric(&column)) {
            cut(real, j, starts);
            for (size_t i = 0; i < rows; i++) {
                uint16_t cell = QUANTILES + 1;
                if (!column.is_nullable || codes[i] < column.cells - 1)
                    for (cell = 0; cell < QUANTILES && codes[i] >= starts[cell];)
                        cell++;
                codes[i] = cell;
            }
        }
        assert_int_equal(nw_table_set(out, j, 0, rows, codes, NULL), NW_OK);
        free(codes);
    }
    return out;
}

static nw_schema *schema_of_cells(const nw_schema *schema)
{
    nw_schema *cells = NULL;
    char json[4096] = "";
    size_t n = 0;
    for (size_t j = 0; j < nw_schema_columns(schema); j++) {
        const nw_column column = nw_schema_column(schema, j);
        const uint32_t count = is_numeric(&column) ? QUANTILES + 2 : column.cells;
        n += (size_t)snprintf(json + n, sizeof json - n, "%s\"%s\": %u", j == 0 ? "{" : ", ", column.name, count);
    }
    snprintf(json + n, sizeof json - n, "}");
    assert_int_equal(nw_schema_parse(&cells, json, 0, NULL), NW_OK);
    return cells;
}

/* The largest distance of the distribution functions over values that are not missing. */
static double ks(const nw_table *real, const nw_table *synthetic, size_t j)
{
    const nw_column column = nw_schema_column(nw_table_schema(real), j);
    const uint32_t values = column.cells - column.is_nullable;
    double *x = shares_of(real, j);
    double *y = shares_of(synthetic, j);
    const double present_x = column.is_nullable ? 1.0 - x[values] : 1.0;
    const double present_y = column.is_nullable ? 1.0 - y[values] : 1.0;
    double difference = 0.0;
    double largest = 0.0;
    for (uint32_t code = 0; code < values; code++) {
        difference += x[code] / present_x - y[code] / present_y;
        largest = fmax(largest, fabs(difference));
    }
    free(x);
    free(y);
    return largest;
}

static nw_table *synthesise(const nw_table *real)
{
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    nw_synth *synth = NULL;
    nw_ledger *ledger = NULL;
    nw_table *synthetic = NULL;
    nw_rng *rng = NULL;
    o.epsilon = lo.epsilon = 1.0;
    o.delta = lo.delta = 1e-9;
    o.adjacency = lo.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_ledger_memory(&ledger, &lo, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 1, NULL), NW_OK);
    assert_int_equal(nw_synth_new(&synth, nw_table_schema(real), &o, NULL), NW_OK);
    assert_int_equal(nw_synth_run(synth, rng, ledger, real, NULL, &synthetic, NULL, NULL, NULL), NW_OK);
    nw_synth_free(synth);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
    return synthetic;
}

static scores score(const char *schema_file, const char *table_file)
{
    char path[4096];
    nw_schema *schema = NULL;
    nw_table *real = NULL;
    nw_error err;
    scores s = { { 0.0 }, 0.0, 0.0 };
    size_t numeric = 0;
    snprintf(path, sizeof path, "%s/%s", folder, schema_file);
    if (nw_schema_read(&schema, path, NW_SYNTH_BINS, &err) != NW_OK)
        fail_msg("%s", err.message);
    snprintf(path, sizeof path, "%s/%s", folder, table_file);
    if (nw_table_read_csv(&real, schema, path, &err) != NW_OK)
        fail_msg("%s", err.message);
    nw_table *synthetic = synthesise(real);
    nw_schema *cells = schema_of_cells(schema);
    nw_table *x = in_cells(real, real, cells);
    nw_table *y = in_cells(real, synthetic, cells);
    for (unsigned k = 1; k <= WAYS; k++) {
        marginal_score m;
        assert_int_equal(marginal_tv(x, y, k, &m), 0);
        s.tv[k - 1] = m.average;
    }
    for (size_t j = 0; j < nw_schema_columns(schema); j++) {
        const nw_column column = nw_schema_column(schema, j);
        if (!is_numeric(&column))
            continue;
        const double distance = ks(real, synthetic, j);
        s.mean_ks += distance;
        s.worst_ks = fmax(s.worst_ks, distance);
        numeric++;
    }
    s.mean_ks /= (double)numeric;
    print_message("# %s: 1-way %.4f, 2-way %.4f, 3-way %.4f; KS mean %.4f, largest %.4f\n", table_file, s.tv[0], s.tv[1], s.tv[2],
        s.mean_ks, s.worst_ks);
    nw_table_free(x);
    nw_table_free(y);
    nw_table_free(synthetic);
    nw_table_free(real);
    nw_schema_free(cells);
    nw_schema_free(schema);
    return s;
}

/* Columns permuted without privacy: 0, .077, .169. */
static void adult__raw_reaches_its_accuracy(void **state)
{
    (void)state;
    const scores s = score("adult/adult-domain.json", "adult/adult-train.csv");
    assert_true(s.tv[0] <= 0.010 && s.tv[1] <= 0.035 && s.tv[2] <= 0.075);
    assert_true(s.mean_ks <= 0.015 && s.worst_ks <= 0.02);
}

/* Permuted: 0, .094, .213. A small table of many columns. */
static void acs_massachusetts__raw_reaches_its_accuracy(void **state)
{
    (void)state;
    const scores s = score("acs-ma2019/acs-ma2019-domain.json", "acs-ma2019/acs-ma2019.csv");
    assert_true(s.tv[0] <= 0.035 && s.tv[1] <= 0.088 && s.tv[2] <= 0.175);
}

/* Permuted: 0, .099, .236. A column of 234 areas. */
static void acs_california__raw_reaches_its_accuracy(void **state)
{
    (void)state;
    const scores s = score("acs-california/acs-california-domain.json", "acs-california/acs-california.csv");
    assert_true(s.tv[0] <= 0.035 && s.tv[1] <= 0.099 && s.tv[2] <= 0.215);
    assert_true(s.mean_ks <= 0.03);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adult__raw_reaches_its_accuracy),
        cmocka_unit_test(acs_massachusetts__raw_reaches_its_accuracy),
        cmocka_unit_test(acs_california__raw_reaches_its_accuracy),
    };
    if (argc < 2 || argv[1][0] == '\0') {
        puts("1..0 # SKIP skipped: no real data");
        return 0;
    }
    folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
