/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_unit_parts.c - tables by units in parts: what a unit whose rows lie in several parts may move, and which parts are added
 * up. */
#include "synth_internal.h"

#include <noisewright.h>

#include <math.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { A_CELLS = 2, B_CELLS = 3, ROW_KINDS = A_CELLS * B_CELLS, MOST_ROWS = 2, DIGEST_BYTES = 32 };
enum { LISTS = 1 + ROW_KINDS + ROW_KINDS * ROW_KINDS };

static nw_schema *schema;

static int setup(void **state)
{
    (void)state;
    return nw_schema_parse(&schema, "{\"a\": 2, \"b\": 3}", 0, NULL) == NW_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    nw_schema_free(schema);
    return 0;
}

static nw_synth_opts options(uint32_t rows, uint32_t parts, bool are_apart)
{
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    o.epsilon = 1.0;
    o.delta = 1e-9;
    o.adjacency = NW_ADD_REMOVE;
    o.rows_per_unit = rows;
    o.parts = parts;
    o.are_units_apart = are_apart;
    return o;
}

static nw_synth *new_synth(uint32_t rows, uint32_t parts, bool are_apart)
{
    nw_synth *synth = NULL;
    const nw_synth_opts o = options(rows, parts, are_apart);
    assert_int_equal(nw_synth_new(&synth, schema, &o, NULL), NW_OK);
    return synth;
}

static nw_status add_text(nw_synth *synth, const char *text, uint64_t *rows, nw_error *err)
{
    char path[] = "/tmp/nw-parts-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    const nw_status status = nw_synth_add_csv_units(synth, path, "who", rows, err);
    unlink(path);
    return status;
}

static nw_synth *part_of(uint32_t rows, uint32_t parts, bool are_apart, const char *text)
{
    nw_error err;
    nw_synth *synth = new_synth(rows, parts, are_apart);
    if (add_text(synth, text, NULL, &err) != NW_OK)
        fail_msg("%s", err.message);
    return synth;
}

static uint8_t *bytes_of(const nw_synth *synth, size_t *n)
{
    *n = nw_synth_size(synth);
    uint8_t *bytes = malloc(*n);
    assert_int_equal(nw_synth_serialize(synth, bytes, *n, NULL), NW_OK);
    return bytes;
}

static bool are_equal(const nw_synth *x, const nw_synth *y)
{
    size_t n;
    size_t m;
    uint8_t *a = bytes_of(x, &n);
    uint8_t *b = bytes_of(y, &m);
    const bool is_equal = n == m && memcmp(a, b, n) == 0;
    free(a);
    free(b);
    return is_equal;
}

/* Unit u's rows number 0 .. MOST_ROWS as a number, after two rows of another unit. */
static void print_list(size_t list, char *text)
{
    size_t n = (size_t)sprintf(text, "who,a,b\nv,0,0\nv,1,2\n");
    for (; list > 0; list = (list - 1) / ROW_KINDS)
        n += (size_t)sprintf(text + n, "u,%zu,%zu\n", (list - 1) % ROW_KINDS / B_CELLS, (list - 1) % ROW_KINDS % B_CELLS);
}

/* The largest distance in one marginal that the unit's rows make. */
static double largest_distance(const nw_synth *with, const nw_synth *without)
{
    double largest = 0.0;
    for (size_t i = 0; i < 3; i++) {
        double squares = 0.0;
        const size_t cells = i == 0 ? A_CELLS : i == 1 ? B_CELLS : ROW_KINDS;
        for (size_t c = 0; c < cells; c++)
            squares += pow((double)(with->partial.counts[i][c] - without->partial.counts[i][c]), 2.0);
        largest = fmax(largest, sqrt(squares));
    }
    return largest;
}

/* All lists of up to two rows of one unit in each of two parts: merged, it moves no marginal further than is charged, and some as
 * far. */
static void synth_merge__bounds_a_unit_over_its_parts(void **state)
{
    (void)state;
    for (uint32_t rows = 1; rows <= 2; rows++) {
        nw_synth *parts[LISTS];
        nw_synth *without = new_synth(rows, 2, false);
        nw_synth *merged = new_synth(rows, 2, false);
        double largest = 0.0;
        for (size_t x = 0; x < LISTS; x++) {
            char text[128];
            print_list(x, text);
            parts[x] = part_of(rows, 2, false, text);
        }
        assert_int_equal(nw_synth_merge(without, parts[0], NULL), NW_OK);
        assert_int_equal(nw_synth_merge(without, parts[0], NULL), NW_OK);
        for (size_t x = 0; x < LISTS; x++) {
            for (size_t y = 0; y < LISTS; y++) {
                nw__partial_clear(&merged->partial);
                assert_int_equal(nw_synth_merge(merged, parts[x], NULL), NW_OK);
                assert_int_equal(nw_synth_merge(merged, parts[y], NULL), NW_OK);
                largest = fmax(largest, largest_distance(merged, without));
            }
        }
        assert_true(largest <= without->plan.sensitivity.value);
        assert_true(largest > 2.0 * rows - 1e-12 && without->plan.sensitivity.value == 2.0 * rows);
        for (size_t x = 0; x < LISTS; x++)
            nw_synth_free(parts[x]);
        nw_synth_free(merged);
        nw_synth_free(without);
    }
}

static void synth_merge__refuses_more_parts_than_are_charged(void **state)
{
    (void)state;
    nw_error err;
    nw_synth *parts[3];
    nw_synth *whole = new_synth(1, 2, false);
    for (size_t i = 0; i < 3; i++)
        parts[i] = part_of(1, 2, false, "who,a,b\nu,0,0\n");
    assert_int_equal(nw_synth_merge(whole, parts[0], NULL), NW_OK);
    assert_int_equal(nw_synth_merge(whole, parts[1], NULL), NW_OK);
    assert_int_equal(nw_synth_merge(whole, parts[2], &err), NW_E_STATE);
    assert_non_null(strstr(err.message, "3 tables of units come together, must be at most 2 (parts)"));
    size_t n;
    uint8_t *bytes = bytes_of(parts[2], &n);
    assert_int_equal(nw_synth_merge_bytes(whole, bytes, n, NULL), NW_E_STATE);
    assert_int_equal(add_text(whole, "who,a,b\nu,0,0\n", NULL, NULL), NW_E_STATE);
    assert_int_equal(nw_synth_merge(parts[2], whole, NULL), NW_E_STATE); /* the other way about as well */
    assert_int_equal(nw_synth_merge(parts[0], parts[1], NULL), NW_OK);
    assert_true(are_equal(whole, parts[0])); /* what was refused changed nothing */
    free(bytes);
    nw_synth_free(whole);
    for (size_t i = 0; i < 3; i++)
        nw_synth_free(parts[i]);
}

static void synth_merge__of_units_apart_is_the_whole_table(void **state)
{
    (void)state;
    uint64_t rows = 0;
    nw_synth *whole = part_of(2, 1, true, "a,who,b\n0,u,1\n1,w,2\n1,u,2\n0,u,0\n0,x,0\n1,y,1\n1,y,1\n");
    nw_synth *parts[3] = { part_of(2, 1, true, "who,a,b\nu,0,1\nu,1,2\nu,0,0\n"), part_of(2, 1, true, "who,a,b\nw,1,2\nx,0,0\n"),
        new_synth(2, 1, true) };
    assert_int_equal(add_text(parts[2], "who,a,b\ny,1,1\ny,1,1\ny,0,0\n", &rows, NULL), NW_OK);
    assert_int_equal(rows, 2); /* as many as were taken */
    nw_synth *backwards = new_synth(2, 1, true);
    nw_synth *onward = new_synth(2, 1, true);
    for (size_t i = 0; i < 3; i++) {
        size_t n;
        uint8_t *bytes = bytes_of(parts[2 - i], &n);
        assert_int_equal(nw_synth_merge_bytes(backwards, bytes, n, NULL), NW_OK);
        assert_int_equal(nw_synth_merge(onward, parts[i], NULL), NW_OK);
        free(bytes);
    }
    assert_true(are_equal(onward, backwards));
    assert_int_equal(onward->partial.parts.count, 3);
    assert_int_equal(onward->partial.parts.unit_count, 4);
    for (size_t i = 0; i < 3; i++)
        for (size_t c = 0; c < (i == 0 ? A_CELLS : i == 1 ? B_CELLS : ROW_KINDS); c++)
            assert_int_equal(onward->partial.counts[i][c], whole->partial.counts[i][c]);
    assert_true(whole->plan.sensitivity.value == 2.0); /* of one part, whatever their number */
    nw_synth_free(whole);
    nw_synth_free(backwards);
    nw_synth_free(onward);
    for (size_t i = 0; i < 3; i++)
        nw_synth_free(parts[i]);
}

static void synth_merge__refuses_a_unit_in_two_parts(void **state)
{
    (void)state;
    nw_error err;
    size_t n;
    nw_synth *own = part_of(1, 1, true, "who,a,b\nu,0,0\nv,0,1\n");
    nw_synth *same = part_of(1, 1, true, "who,a,b\nu,0,0\nv,0,1\n");
    nw_synth *other = part_of(1, 1, true, "who,a,b\nw,0,0\nv,1,1\nx,0,2\n");
    nw_synth *nameless = part_of(1, 1, true, "who,a,b\n,0,0\n");
    uint8_t *bytes = bytes_of(other, &n);
    assert_int_equal(nw_synth_merge(own, other, &err), NW_E_STATE);
    assert_non_null(strstr(err.message, "a unit has rows in two parts"));
    assert_int_equal(nw_synth_merge_bytes(own, bytes, n, &err), NW_E_STATE);
    assert_true(are_equal(own, same));
    assert_int_equal(nw_synth_merge(own, nameless, NULL), NW_OK);
    assert_int_equal(nw_synth_merge(own, nameless, NULL), NW_E_STATE); /* rows without a unit are one */
    assert_int_equal(add_text(same, "who,a,b\ny,0,0\nu,1,1\n", NULL, &err), NW_E_STATE);
    assert_int_equal(same->partial.rows, 0); /* counted already, and wiped */
    assert_null(same->partial.counts);
    assert_int_equal(add_text(same, "who,a,b\nu,1,1\n", NULL, &err), NW_OK);
    free(bytes);
    nw_synth_free(own);
    nw_synth_free(same);
    nw_synth_free(other);
    nw_synth_free(nameless);
}

/* The bytes of parts, each word changed and sealed again: refused, or as good as what another part could have said. */
static void synth_merge_bytes__refuses_parts_that_cannot_be(void **state)
{
    (void)state;
    size_t n;
    nw_synth *part = part_of(1, 1, true, "who,a,b\nu,0,0\nv,0,1\n");
    uint8_t *bytes = bytes_of(part, &n);
    uint8_t *at = bytes + n - DIGEST_BYTES - 2 * 8; /* two units, increasing */
    assert_int_equal(nw__get_word(at - 8), 2);
    assert_int_equal(nw__get_word(at - 16), 1);
    const uint64_t changes[][2] = { { 0, nw__get_word(at + 8) }, { 0, UINT64_MAX }, { 1, 0 } };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        nw_synth *fresh = new_synth(1, 1, true);
        const uint64_t before = nw__get_word(at + 8 * changes[i][0]);
        nw__put_word(at + 8 * changes[i][0], changes[i][1]);
        crypto_generichash(bytes + n - DIGEST_BYTES, DIGEST_BYTES, bytes, n - DIGEST_BYTES, NULL, 0);
        assert_int_equal(nw_synth_merge_bytes(fresh, bytes, n, NULL), NW_E_FORMAT);
        nw__put_word(at + 8 * changes[i][0], before);
        nw_synth_free(fresh);
    }
    nw__put_word(at - 16, 0); /* rows of no part */
    crypto_generichash(bytes + n - DIGEST_BYTES, DIGEST_BYTES, bytes, n - DIGEST_BYTES, NULL, 0);
    assert_int_equal(nw_synth_merge_bytes(part, bytes, n, NULL), NW_E_FORMAT);
    assert_int_equal(nw_synth_merge_bytes(part, bytes, n - 8, NULL), NW_E_FORMAT);
    assert_int_equal(nw_synth_merge_bytes(part, bytes, n - 3, NULL), NW_E_FORMAT);
    free(bytes);
    nw_synth_free(part);
}

/* Two parts of one row have the noise of one part of two, but other counts: they are not added up. */
static void synth_merge__tells_kinds_of_parts_apart(void **state)
{
    (void)state;
    nw_synth *kinds[] = { new_synth(2, 2, false), new_synth(4, 1, false), new_synth(4, 1, true), new_synth(1, 4, false) };
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < 4; k++) {
            if (i != k)
                assert_int_equal(nw_synth_merge(kinds[i], kinds[k], NULL), NW_E_ARG);
        }
    }
    for (size_t i = 0; i < 4; i++)
        nw_synth_free(kinds[i]);
}

static void synth__refuses_bad_parts(void **state)
{
    (void)state;
    nw_error err;
    nw_synth *synth = NULL;
    const struct {
        nw_synth_opts opts;
        const char *word;
    } bad[] = { { options(0, 2, false), "parts given and rows_per_unit 0" },
        { options(0, 1, true), "are_units_apart given and rows_per_unit 0" },
        { options(3, 2, true), "parts is 2, must be 1 with are_units_apart" },
        { options(3, 0, false), "parts is 0, must be in 1..349525" },
        { options(1048576, 2, false), "parts is 2, must be in 1..1" } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(nw_synth_new(&synth, schema, &bad[i].opts, &err), NW_E_ARG);
        if (strstr(err.message, bad[i].word) == NULL)
            fail_msg("%s", err.message);
    }
    nw_table *table = NULL;
    assert_int_equal(nw_table_new(&table, schema, 1, NULL), NW_OK);
    nw__table_set_rows_per_unit(table, 1);
    synth = new_synth(1, 1, true);
    assert_int_equal(nw_synth_add(synth, table, &err), NW_E_UNSUPPORTED); /* whose units are not known any more */
    assert_int_equal(nw_synth_add_csv_units(synth, "/nonexistent", NULL, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_synth_add_csv_units(synth, NULL, "who", NULL, &err), NW_E_ARG);
    assert_int_equal(nw_synth_add_csv_units(synth, "/nonexistent", "a", NULL, &err), NW_E_ARG);
    assert_int_equal(nw_synth_add_csv_units(synth, "/nonexistent", "who", NULL, &err), NW_E_IO);
    nw_synth_free(synth);
    nw_synth_opts plain = options(0, 1, false);
    assert_int_equal(nw_synth_new(&synth, schema, &plain, NULL), NW_OK);
    assert_int_equal(nw_synth_add_csv_units(synth, "/nonexistent", "who", NULL, &err), NW_E_ARG);
    nw_synth_free(synth);
    nw_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(synth_merge__bounds_a_unit_over_its_parts),
        cmocka_unit_test(synth_merge__refuses_more_parts_than_are_charged),
        cmocka_unit_test(synth_merge__of_units_apart_is_the_whole_table),
        cmocka_unit_test(synth_merge__refuses_a_unit_in_two_parts),
        cmocka_unit_test(synth_merge_bytes__refuses_parts_that_cannot_be),
        cmocka_unit_test(synth_merge__tells_kinds_of_parts_apart),
        cmocka_unit_test(synth__refuses_bad_parts),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
