/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_stream.c - a file that is read twice: the oracle is the same file as a table in memory, counted by nw_synth_run. */
#include "synth_internal.h"

#include <noisewright.h>
#include <nw/testing.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { ROWS = 70000 }; /* more than a block */

static nw_schema *schema;
static char path[] = "/tmp/nw-stream-XXXXXX"; /* of rows with a unit */
static char bare[] = "/tmp/nw-stream-XXXXXX"; /* the same without */

static void write_rows(const char *name, size_t rows, bool has_unit)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    fputs(has_unit ? "who,d,x,c\n" : "d,x,c\n", f);
    for (size_t i = 0; i < rows; i++) {
        if (has_unit)
            fprintf(f, "%zu,", i / 3);
        fprintf(f, "2020-01-%02zu,%s%zu,%zu\n", 1 + i % 28, i % 11 == 0 ? "" : "1", i * i % 900, i % 3);
    }
    fclose(f);
}

static void make_file(char *name)
{
    const int fd = mkstemp(name);
    assert_true(fd >= 0);
    close(fd);
}

static int setup(void **state)
{
    (void)state;
    static const char text[] = "{\"x\": {\"type\": \"int\", \"lower\": 0, \"upper\": 1999}, \"c\": 3,"
                               " \"d\": {\"type\": \"date\", \"lower\": \"2020-01-01\", \"upper\": \"2020-12-31\"}}";
    make_file(path);
    make_file(bare);
    write_rows(path, ROWS, true);
    write_rows(bare, ROWS, false);
    return nw_schema_parse(&schema, text, NW_SYNTH_BINS, NULL) == NW_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    unlink(bare);
    nw_schema_free(schema);
    return 0;
}

static nw_synth_opts options(uint32_t rows_per_unit, const nw_queries *queries)
{
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    o.epsilon = 1.0;
    o.delta = 1e-9;
    o.adjacency = NW_REPLACE_ONE;
    o.rows_per_unit = rows_per_unit;
    o.queries = queries;
    return o;
}

typedef struct run {
    nw_synth *synth;
    nw_ledger *ledger;
    nw_rng *rng;
    nw_synth_measurements *measured;
} run;

static void run_begin(run *r, const nw_synth_opts *o)
{
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    lo.epsilon = 1.0;
    lo.delta = 1e-9;
    lo.adjacency = NW_REPLACE_ONE;
    *r = (run){ 0 };
    assert_int_equal(nw_ledger_memory(&r->ledger, &lo, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&r->rng, 9, NULL), NW_OK);
    assert_int_equal(nw_synth_new(&r->synth, schema, o, NULL), NW_OK);
}

static void run_end(run *r)
{
    nw_synth_measurements_free(r->measured);
    nw_synth_free(r->synth);
    nw_rng_free(r->rng);
    nw_ledger_close(r->ledger);
}

static size_t charges(const run *r)
{
    nw_ledger_summary summary;
    assert_int_equal(nw_ledger_summarise(r->ledger, &summary, NULL), NW_OK);
    return (size_t)summary.charges;
}

static void expect_same(const nw_synth_measurements *x, const nw_synth_measurements *y)
{
    assert_int_equal(nw_synth_measurements_count(x), nw_synth_measurements_count(y));
    for (size_t i = 0; i < nw_synth_measurements_count(x); i++) {
        const nw_synth_measurement m = nw_synth_measurements_get(x, i);
        assert_int_equal(m.cells, nw_synth_measurements_get(y, i).cells);
        assert_memory_equal(nw_synth_measurements_counts(x, i), nw_synth_measurements_counts(y, i), m.cells * sizeof(int64_t));
    }
    assert_int_equal(nw_synth_measurements_answers(x), nw_synth_measurements_answers(y));
    for (size_t i = 0; i < nw_synth_measurements_answers(x); i++)
        assert_int_equal(*nw_synth_measurements_answer(x, i, NULL, NULL), *nw_synth_measurements_answer(y, i, NULL, NULL));
    assert_true(nw_synth_measurements_rows(x, NULL) == nw_synth_measurements_rows(y, NULL));
}

/* The same noise, and the same counts below it: with records, with units, with queries. */
static void synth_read_csv__releases_as_the_table_in_memory(void **state)
{
    (void)state;
    nw_queries *q = NULL;
    assert_int_equal(nw_queries_new(&q, schema, NULL), NW_OK);
    assert_int_equal(nw_queries_add_prefixes(q, 50, 2, 1, NULL), NW_OK);
    for (int i = 0; i < 4; i++) {
        const nw_synth_opts o = options(i % 2 == 0 ? 0 : 2, i < 2 ? NULL : q);
        const char *unit = i % 2 == 0 ? NULL : "who";
        nw_synth_fit_opts fit = NW_SYNTH_FIT_OPTS_INIT;
        nw_table *table = NULL;
        nw_table *synthetic = NULL;
        uint64_t rows = 0;
        run memory;
        run twice;
        fit.rows = 10;
        const char *file = unit == NULL ? bare : path;
        run_begin(&memory, &o);
        run_begin(&twice, &o);
        if (unit == NULL)
            assert_int_equal(nw_table_read_csv(&table, schema, file, NULL), NW_OK);
        else
            assert_int_equal(nw_table_read_csv_units(&table, schema, file, unit, 2, NULL), NW_OK);
        assert_int_equal(
            nw_synth_run(memory.synth, memory.rng, memory.ledger, table, &fit, &synthetic, &memory.measured, NULL, NULL), NW_OK);
        assert_int_equal(nw_synth_read_csv(twice.synth, file, unit, NULL, NULL, &rows, NULL), NW_OK);
        assert_int_equal(rows, nw_table_rows(table));
        assert_int_equal(charges(&twice), 0);
        assert_int_equal(nw_synth_release(twice.synth, twice.rng, twice.ledger, "x", &twice.measured, NULL, NULL), NW_OK);
        expect_same(memory.measured, twice.measured);
        run_end(&memory);
        run_end(&twice);
        nw_table_free(table);
        nw_table_free(synthetic);
    }
    nw_queries_free(q);
}

static void synth_release__tells_that_the_file_changed(void **state)
{
    (void)state;
    char changed[] = "/tmp/nw-changed-XXXXXX";
    const nw_synth_opts o = options(2, NULL);
    make_file(changed);
    for (int i = 0; i < 2; i++) {
        nw_error err;
        run r;
        run_begin(&r, &o);
        write_rows(changed, 100, true);
        assert_int_equal(nw_synth_read_csv(r.synth, changed, "who", NULL, NULL, NULL, NULL), NW_OK);
        if (i == 0)
            write_rows(changed, 130, true);
        else
            unlink(changed);
        assert_int_equal(nw_synth_release(r.synth, r.rng, r.ledger, "x", &r.measured, NULL, &err), NW_E_IO);
        assert_non_null(strstr(err.message, i == 0 ? "changed between its two readings" : "cannot open"));
        assert_null(r.measured);
        assert_int_equal(charges(&r), 1); /* it was charged before, and stays so */
        assert_int_equal(nw_synth_release(r.synth, r.rng, r.ledger, "x", &r.measured, NULL, NULL), NW_E_STATE);
        run_end(&r);
    }
}

typedef struct steps {
    int reading;
    int measuring;
    bool ends_in_measuring;
    bool ends_in_reading;
    double last;
} steps;

static bool count_steps(void *context, const char *phase, double fraction)
{
    steps *s = context;
    const bool is_reading = strcmp(phase, "reading") == 0;
    s->reading += is_reading;
    s->measuring += !is_reading;
    s->last = fraction;
    return is_reading ? !s->ends_in_reading : !s->ends_in_measuring;
}

static void synth_read_csv__tells_how_far_it_is_and_can_be_stopped(void **state)
{
    (void)state;
    const nw_synth_opts o = options(2, NULL);
    for (int i = 0; i < 3; i++) {
        steps s = { .ends_in_reading = i == 1, .ends_in_measuring = i == 2 };
        run r;
        run_begin(&r, &o);
        const nw_status read = nw_synth_read_csv(r.synth, path, "who", count_steps, &s, NULL, NULL);
        assert_int_equal(read, i == 1 ? NW_E_CANCELLED : NW_OK);
        assert_true(i == 1 || s.last == 1.0);
        if (i != 1)
            assert_int_equal(
                nw_synth_release(r.synth, r.rng, r.ledger, "x", &r.measured, NULL, NULL), i == 2 ? NW_E_CANCELLED : NW_OK);
        assert_int_equal(charges(&r), i == 1 ? 0 : 1);
        assert_true(i == 1 ? s.reading == 1 && s.measuring == 0 : s.reading >= 2 && s.measuring >= 1);
        run_end(&r);
    }
}

static void synth_read_csv__refuses(void **state)
{
    (void)state;
    nw_error err;
    run r;
    const nw_synth_opts by_unit = options(2, NULL);
    const nw_synth_opts by_record = options(0, NULL);
    run_begin(&r, &by_unit);
    assert_int_equal(nw_synth_read_csv(r.synth, "-", "who", NULL, NULL, NULL, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "path is \"-\", must be a file"));
    assert_int_equal(nw_synth_read_csv(r.synth, path, NULL, NULL, NULL, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_synth_read_csv(r.synth, NULL, "who", NULL, NULL, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_synth_read_csv(r.synth, path, "nobody", NULL, NULL, NULL, &err), NW_E_FORMAT);
    assert_int_equal(nw_synth_read_csv(r.synth, "/nonexistent", "who", NULL, NULL, NULL, &err), NW_E_IO);
    assert_int_equal(nw_synth_read_csv(r.synth, path, "who", NULL, NULL, NULL, &err), NW_OK);
    assert_int_equal(nw_synth_read_csv(r.synth, path, "who", NULL, NULL, NULL, &err), NW_E_STATE);
    assert_int_equal(nw_synth_add_csv_units(r.synth, path, "who", NULL, &err), NW_E_STATE);
    assert_int_equal(nw_synth_merge(r.synth, r.synth, &err), NW_E_STATE);
    uint8_t byte = 0;
    assert_int_equal(nw_synth_serialize(r.synth, &byte, 1, &err), NW_E_STATE);
    assert_int_equal(nw_synth_merge_bytes(r.synth, &byte, 1, &err), NW_E_STATE);
    run_end(&r);
    run_begin(&r, &by_record);
    assert_int_equal(nw_synth_read_csv(r.synth, path, "who", NULL, NULL, NULL, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "must be NULL: rows_per_unit is 0"));
    run_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(synth_read_csv__releases_as_the_table_in_memory),
        cmocka_unit_test(synth_release__tells_that_the_file_changed),
        cmocka_unit_test(synth_read_csv__tells_how_far_it_is_and_can_be_stopped),
        cmocka_unit_test(synth_read_csv__refuses),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
