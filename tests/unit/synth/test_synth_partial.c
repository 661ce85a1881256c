/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_synth_partial.c - exact counts of parts of a table: counting, merging, bytes, and the release of what was merged. */
#include "synth_internal.h"

#include <noisewright.h>
#include <nw/testing.h>

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

/* One column of each width of code, one of a single cell. */
static const char SCHEMA[] = "{\"a\": 3, \"b\": 300, \"c\": 4, \"d\": 1}";
enum { COLUMNS = 4, ROWS = 5000, HEAD_BYTES = 8 + 32 + 8, DIGEST_BYTES = 32 };
static const uint32_t cells[COLUMNS] = { 3, 300, 4, 1 };

typedef struct fixture {
    nw_schema *schema;
    nw_ledger *ledger;
    uint16_t codes[COLUMNS][ROWS];
} fixture;

static fixture *f;

static int setup(void **state)
{
    nw_rng *rng = NULL;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    (void)state;
    f = calloc(1, sizeof *f);
    lo.delta = 1e-9;
    lo.adjacency = NW_REPLACE_ONE;
    assert_int_equal(nw_ledger_unlimited(&f->ledger, &lo, NULL), NW_OK);
    assert_int_equal(nw_schema_parse(&f->schema, SCHEMA, 0, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 5, NULL), NW_OK);
    for (size_t j = 0; j < COLUMNS; j++) {
        for (size_t i = 0; i < ROWS; i++) {
            uint64_t draw = 0;
            assert_int_equal(nw_rng_uniform(rng, cells[j], &draw, NULL), NW_OK);
            f->codes[j][i] = (uint16_t)draw;
        }
    }
    nw_rng_free(rng);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    nw_ledger_close(f->ledger);
    nw_schema_free(f->schema);
    free(f);
    return 0;
}

static nw_table *part_of(size_t first, size_t n)
{
    nw_table *table = NULL;
    assert_int_equal(nw_table_new(&table, f->schema, n, NULL), NW_OK);
    for (size_t j = 0; j < COLUMNS; j++)
        assert_int_equal(nw_table_set(table, j, 0, n, f->codes[j] + first, NULL), NW_OK);
    return table;
}

static nw_synth *new_synth(double epsilon)
{
    nw_synth *synth = NULL;
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    o.epsilon = epsilon;
    o.delta = 1e-9;
    o.adjacency = NW_REPLACE_ONE;
    assert_int_equal(nw_synth_new(&synth, f->schema, &o, NULL), NW_OK);
    return synth;
}

static void add(nw_synth *synth, size_t first, size_t n)
{
    nw_table *table = part_of(first, n);
    assert_int_equal(nw_synth_add(synth, table, NULL), NW_OK);
    nw_table_free(table);
}

static uint8_t *bytes_of(const nw_synth *synth)
{
    uint8_t *bytes = malloc(nw_synth_size(synth));
    assert_int_equal(nw_synth_serialize(synth, bytes, nw_synth_size(synth), NULL), NW_OK);
    return bytes;
}

static void seal(uint8_t *bytes, size_t n)
{
    crypto_generichash(bytes + n - DIGEST_BYTES, DIGEST_BYTES, bytes, n - DIGEST_BYTES, NULL, 0);
}

static void synth_add__counts_every_row_in_every_marginal(void **state)
{
    (void)state;
    nw_synth *synth = new_synth(1.0);
    add(synth, 0, ROWS);
    uint8_t *bytes = bytes_of(synth);
    const uint8_t *at = bytes + HEAD_BYTES;
    assert_int_equal(nw__get_word(at - 8), ROWS);
    for (size_t i = 0; i < nw_synth_plan_size(synth); i++) {
        const nw_synth_measurement m = nw_synth_plan_get(synth, i, 1);
        const bool is_pair = m.columns[1] != SIZE_MAX;
        for (uint32_t u = 0; u < cells[m.columns[0]]; u++) {
            for (uint32_t v = 0; v < (is_pair ? cells[m.columns[1]] : 1); v++, at += 8) {
                uint64_t count = 0;
                for (size_t r = 0; r < ROWS; r++)
                    count += f->codes[m.columns[0]][r] == u && (!is_pair || f->codes[m.columns[1]][r] == v);
                assert_int_equal(nw__get_word(at), count);
            }
        }
    }
    assert_ptr_equal(at, bytes + nw_synth_size(synth) - DIGEST_BYTES);
    free(bytes);
    nw_synth_free(synth);
}

/* Whole, in blocks, merged as handles, merged as bytes backwards, with an empty part: the same bytes. */
static void synth_merge__gives_the_same_bytes_in_any_order(void **state)
{
    (void)state;
    enum { PARTS = 4 };
    const size_t starts[PARTS + 1] = { 0, 17, 1017, 3000, ROWS };
    nw_synth *whole = new_synth(1.0);
    nw_synth *blocks = new_synth(1.0);
    nw_synth *tree = new_synth(1.0);
    nw_synth *backwards = new_synth(1.0);
    nw_synth *parts[PARTS];
    add(whole, 0, ROWS);
    for (size_t p = 0; p < PARTS; p++) {
        add(blocks, starts[p], starts[p + 1] - starts[p]);
        parts[p] = new_synth(1.0);
        add(parts[p], starts[p], starts[p + 1] - starts[p]);
    }
    for (size_t p = PARTS; p-- > 0;) {
        uint8_t *bytes = bytes_of(parts[p]);
        assert_int_equal(nw_synth_merge_bytes(backwards, bytes, nw_synth_size(parts[p]), NULL), NW_OK);
        free(bytes);
    }
    assert_int_equal(nw_synth_merge(parts[1], parts[3], NULL), NW_OK);
    assert_int_equal(nw_synth_merge(parts[0], parts[2], NULL), NW_OK);
    assert_int_equal(nw_synth_merge(tree, parts[1], NULL), NW_OK);
    assert_int_equal(nw_synth_merge(tree, parts[0], NULL), NW_OK);
    nw_synth *empty = new_synth(1.0);
    assert_int_equal(nw_synth_merge(tree, empty, NULL), NW_OK);
    uint8_t *expected = bytes_of(whole);
    const nw_synth *others[] = { blocks, tree, backwards };
    for (size_t i = 0; i < 3; i++) {
        uint8_t *bytes = bytes_of(others[i]);
        assert_memory_equal(bytes, expected, nw_synth_size(whole));
        free(bytes);
    }
    free(expected);
    for (size_t p = 0; p < PARTS; p++)
        nw_synth_free(parts[p]);
    nw_synth_free(whole);
    nw_synth_free(blocks);
    nw_synth_free(tree);
    nw_synth_free(backwards);
    nw_synth_free(empty);
}

static void synth_add_csv__counts_a_file_as_a_table(void **state)
{
    (void)state;
    char path[] = "/tmp/nw-partial-XXXXXX";
    nw_synth *by_table = new_synth(1.0);
    nw_synth *by_file = new_synth(1.0);
    nw_table *table = part_of(0, ROWS);
    nw_rng *rng = NULL;
    uint64_t rows = 0;
    nw_error err;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(nw_rng_new(&rng, NULL), NW_OK);
    assert_int_equal(nw_table_write_csv(table, path, rng, NULL), NW_OK);
    assert_int_equal(nw_synth_add(by_table, table, NULL), NW_OK);
    assert_int_equal(nw_synth_add_csv(by_file, path, &rows, NULL), NW_OK);
    assert_int_equal(rows, ROWS);
    uint8_t *x = bytes_of(by_table);
    uint8_t *y = bytes_of(by_file);
    assert_memory_equal(x, y, nw_synth_size(by_table));
    assert_int_equal(nw_synth_add_csv(by_file, "/nonexistent/table.csv", &rows, &err), NW_E_IO);
    assert_int_equal(nw_synth_add_csv(by_file, NULL, &rows, &err), NW_E_ARG);
    assert_int_equal(nw_synth_add_csv(NULL, path, &rows, &err), NW_E_ARG);
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    fputs("1,2\n", file);
    fclose(file);
    assert_int_equal(nw_synth_add_csv(by_file, path, NULL, &err), NW_E_FORMAT);
    assert_non_null(strstr(err.message, "line 5002"));
    close(fd);
    unlink(path);
    free(x);
    free(y);
    nw_rng_free(rng);
    nw_table_free(table);
    nw_synth_free(by_table);
    nw_synth_free(by_file);
}

static nw_synth_measurements *release(nw_synth *synth, uint64_t seed)
{
    nw_synth_measurements *measured = NULL;
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    assert_int_equal(nw_synth_release(synth, rng, f->ledger, "part", &measured, NULL, NULL), NW_OK);
    nw_rng_free(rng);
    return measured;
}

static void assert_same_counts(const nw_synth_measurements *x, const nw_synth_measurements *y)
{
    assert_int_equal(nw_synth_measurements_count(x), nw_synth_measurements_count(y));
    for (size_t i = 0; i < nw_synth_measurements_count(x); i++)
        assert_memory_equal(nw_synth_measurements_counts(x, i), nw_synth_measurements_counts(y, i),
            nw_synth_measurements_get(x, i).cells * sizeof(int64_t));
    assert_true(nw_synth_measurements_rows(x, NULL) == nw_synth_measurements_rows(y, NULL));
}

/* The noise is drawn once, after the merge: parts and whole release the same from the same stream, and so does the run that
 * counts the table directly. */
static void synth_release__of_parts_is_that_of_the_whole(void **state)
{
    (void)state;
    nw_synth *whole = new_synth(1.0);
    nw_synth *left = new_synth(1.0);
    nw_synth *right = new_synth(1.0);
    nw_synth *direct = new_synth(1.0);
    nw_table *table = part_of(0, ROWS);
    nw_table *out = NULL;
    nw_rng *rng = NULL;
    nw_synth_fit_opts fit = NW_SYNTH_FIT_OPTS_INIT;
    add(whole, 0, ROWS);
    add(left, 0, 2000);
    add(right, 2000, ROWS - 2000);
    assert_int_equal(nw_synth_merge(left, right, NULL), NW_OK);
    nw_synth_measurements *of_whole = release(whole, 8);
    nw_synth_measurements *of_parts = release(left, 8);
    nw_synth_measurements *of_run = NULL;
    nw_synth_measurements *of_other_seed = release(right, 9);
    fit.rows = 10;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 8, NULL), NW_OK);
    assert_int_equal(nw_synth_run(direct, rng, f->ledger, table, &fit, &out, &of_run, NULL, NULL), NW_OK);
    assert_same_counts(of_whole, of_parts);
    assert_same_counts(of_whole, of_run);
    assert_memory_not_equal(nw_synth_measurements_counts(of_whole, 1), nw_synth_measurements_counts(of_other_seed, 1), 300 * 8);
    nw_synth_measurements_free(of_whole);
    nw_synth_measurements_free(of_parts);
    nw_synth_measurements_free(of_run);
    nw_synth_measurements_free(of_other_seed);
    nw_rng_free(rng);
    nw_table_free(table);
    nw_table_free(out);
    nw_synth_free(whole);
    nw_synth_free(left);
    nw_synth_free(right);
    nw_synth_free(direct);
}

static void synth_release__ends_the_life_of_the_handle(void **state)
{
    (void)state;
    nw_synth *synth = new_synth(1.0);
    nw_synth *other = new_synth(1.0);
    nw_table *table = part_of(0, 10);
    nw_table *out = NULL;
    uint8_t *bytes = malloc(nw_synth_size(synth));
    nw_rng *rng = NULL;
    nw_synth_measurements *measured = NULL;
    nw_error err;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 1, NULL), NW_OK);
    assert_int_equal(nw_synth_release(synth, rng, f->ledger, NULL, &measured, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_synth_release(synth, rng, NULL, "x", &measured, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_synth_release(synth, NULL, f->ledger, "x", &measured, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_synth_release(synth, rng, f->ledger, "x", NULL, NULL, &err), NW_E_ARG);
    add(other, 0, 10);
    assert_int_equal(nw_synth_run(other, rng, f->ledger, table, NULL, &out, NULL, NULL, &err), NW_E_STATE);
    nw_synth_measurements_free(release(synth, 1));
    assert_int_equal(nw_synth_add(synth, table, &err), NW_E_STATE);
    assert_int_equal(nw_synth_add_csv(synth, "/dev/null", NULL, &err), NW_E_STATE);
    assert_int_equal(nw_synth_merge(synth, other, &err), NW_E_STATE);
    assert_int_equal(nw_synth_merge(other, synth, &err), NW_E_STATE);
    assert_int_equal(nw_synth_serialize(synth, bytes, nw_synth_size(synth), &err), NW_E_STATE);
    assert_int_equal(nw_synth_serialize(other, bytes, nw_synth_size(other), NULL), NW_OK);
    assert_int_equal(nw_synth_merge_bytes(synth, bytes, nw_synth_size(synth), &err), NW_E_STATE);
    assert_int_equal(nw_synth_release(synth, rng, f->ledger, "again", &measured, NULL, &err), NW_E_STATE);
    assert_null(measured);
    free(bytes);
    nw_rng_free(rng);
    nw_table_free(table);
    nw_synth_free(synth);
    nw_synth_free(other);
}

static void synth_merge__refuses_other_options(void **state)
{
    (void)state;
    nw_synth *synth = new_synth(1.0);
    nw_synth *other = new_synth(2.0);
    uint8_t *bytes = bytes_of(other);
    nw_error err;
    assert_int_equal(nw_synth_merge(synth, other, &err), NW_E_ARG);
    assert_int_equal(nw_synth_merge(synth, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_synth_merge_bytes(synth, bytes, nw_synth_size(other), &err), NW_E_FORMAT);
    assert_non_null(strstr(err.message, "other options"));
    assert_int_equal(nw_synth_merge_bytes(synth, NULL, 0, &err), NW_E_ARG);
    assert_int_equal(nw_synth_serialize(synth, bytes, nw_synth_size(synth) - 1, &err), NW_E_ARG);
    assert_int_equal(nw_synth_serialize(synth, NULL, 0, &err), NW_E_ARG);
    free(bytes);
    nw_synth_free(synth);
    nw_synth_free(other);
}

static void assert_refused(nw_synth *synth, const uint8_t *bytes, size_t n)
{
    nw_error err;
    assert_int_equal(nw_synth_merge_bytes(synth, bytes, n, &err), NW_E_FORMAT);
}

static void synth_merge_bytes__refuses_damage_and_adds_nothing(void **state)
{
    (void)state;
    nw_synth *synth = new_synth(1.0);
    nw_synth *part = new_synth(1.0);
    add(synth, 0, 40);
    add(part, 40, 60);
    uint8_t *before = bytes_of(synth);
    uint8_t *bytes = bytes_of(part);
    const size_t n = nw_synth_size(part);
    for (size_t i = 0; i < n; i += i < 200 || i > n - 100 ? 1 : 97) { /* one bit of any byte, any end */
        bytes[i] ^= (uint8_t)(1 << i % 8);
        assert_refused(synth, bytes, n);
        bytes[i] ^= (uint8_t)(1 << i % 8);
        assert_refused(synth, bytes, i);
    }
    /* sealed again, but not the counts of a table: a negative one, one too many, rows beyond all bounds */
    nw__put_word(bytes + HEAD_BYTES, nw__get_word(bytes + HEAD_BYTES) - 1000);
    nw__put_word(bytes + HEAD_BYTES + 8, nw__get_word(bytes + HEAD_BYTES + 8) + 1000);
    seal(bytes, n);
    assert_refused(synth, bytes, n);
    nw__put_word(bytes + HEAD_BYTES, nw__get_word(bytes + HEAD_BYTES) + 1000);
    nw__put_word(bytes + HEAD_BYTES + 8, nw__get_word(bytes + HEAD_BYTES + 8) - 999);
    seal(bytes, n);
    assert_refused(synth, bytes, n);
    nw__put_word(bytes + HEAD_BYTES - 8, UINT64_C(1) << 62);
    seal(bytes, n);
    assert_refused(synth, bytes, n);
    uint8_t *after = bytes_of(synth);
    assert_memory_equal(before, after, n);
    free(before);
    free(after);
    free(bytes);
    nw_synth_free(synth);
    nw_synth_free(part);
}

/* Counts under codings: from the table, from the exact partial counts, and cell by cell. */
static void counters__agree_under_any_coding(void **state)
{
    (void)state;
    nw_synth *synth = new_synth(1.0);
    nw_table *table = part_of(0, ROWS);
    nw__coding codings[COLUMNS] = { { 2, NULL }, { 7, NULL }, { 4, NULL }, { 1, NULL } };
    uint16_t of_a[3] = { 1, 0, 1 };
    uint16_t of_b[300];
    int64_t x[3 * 300];
    int64_t y[3 * 300];
    for (size_t v = 0; v < 300; v++)
        of_b[v] = (uint16_t)(v * v % 7);
    codings[0].cell_of = of_a;
    codings[1].cell_of = of_b;
    add(synth, 0, ROWS);
    const nw__counter of_table = nw__counter_of_table(table);
    const nw__counter of_partial = nw__counter_of_partial(&synth->partial);
    for (size_t i = 0; i < synth->plan.marginal_count; i++) {
        const nw__marginal *m = &synth->plan.marginals[i];
        const size_t cells_b = m->b == NW__ONE_WAY ? 1 : codings[m->b].cells;
        of_table.count(of_table.source, m, codings, x);
        of_partial.count(of_partial.source, m, codings, y);
        assert_memory_equal(x, y, codings[m->a].cells * cells_b * sizeof *x);
        for (size_t r = 0; r < ROWS; r++)
            x[nw__coding_cell(&codings[m->a], f->codes[m->a][r]) * cells_b +
                (m->b == NW__ONE_WAY ? 0 : nw__coding_cell(&codings[m->b], f->codes[m->b][r]))]--;
        for (size_t c = 0; c < codings[m->a].cells * cells_b; c++)
            assert_int_equal(x[c], 0);
    }
    nw_table_free(table);
    nw_synth_free(synth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(synth_add__counts_every_row_in_every_marginal),
        cmocka_unit_test(synth_add_csv__counts_a_file_as_a_table),
        cmocka_unit_test(synth_merge__gives_the_same_bytes_in_any_order),
        cmocka_unit_test(synth_release__of_parts_is_that_of_the_whole),
        cmocka_unit_test(synth_release__ends_the_life_of_the_handle),
        cmocka_unit_test(synth_merge__refuses_other_options),
        cmocka_unit_test(synth_merge_bytes__refuses_damage_and_adds_nothing),
        cmocka_unit_test(counters__agree_under_any_coding),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
