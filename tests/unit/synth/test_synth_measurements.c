/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_synth_measurements.c - what a release hands out: its accessors, its file, and files that somebody else wrote. */
#include <noisewright.h>
#include <nw/testing.h>

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

static const char SCHEMA[] = "{\"a\": 3, \"b\": 4, \"c\": 2}";
enum { DIGEST_BYTES = 32, ROWS = 120 };

static char folder[] = "/tmp/nw-measurements-XXXXXX";
static char path[64];
static nw_schema *schema;
static nw_synth_measurements *measured;

static nw_synth_measurements *release(nw_adjacency adjacency)
{
    nw_synth *synth = NULL;
    nw_table *table = NULL;
    nw_ledger *ledger = NULL;
    nw_rng *rng = NULL;
    nw_synth_measurements *out = NULL;
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    uint16_t codes[ROWS];
    o.epsilon = 2.0;
    o.delta = lo.delta = 1e-6;
    o.adjacency = lo.adjacency = adjacency;
    assert_int_equal(nw_ledger_unlimited(&ledger, &lo, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 4, NULL), NW_OK);
    assert_int_equal(nw_table_new(&table, schema, ROWS, NULL), NW_OK);
    for (size_t j = 0; j < 3; j++) {
        for (size_t i = 0; i < ROWS; i++)
            codes[i] = (uint16_t)((i * i + j) % nw_schema_column(schema, j).cells);
        assert_int_equal(nw_table_set(table, j, 0, ROWS, codes, NULL), NW_OK);
    }
    assert_int_equal(nw_synth_new(&synth, schema, &o, NULL), NW_OK);
    assert_int_equal(nw_synth_add(synth, table, NULL), NW_OK);
    assert_int_equal(nw_synth_release(synth, rng, ledger, "x", &out, NULL, NULL), NW_OK);
    nw_synth_free(synth);
    nw_table_free(table);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
    return out;
}

static int setup(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/m", folder);
    assert_int_equal(nw_schema_parse(&schema, SCHEMA, 0, NULL), NW_OK);
    measured = release(NW_ADD_REMOVE);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    nw_synth_measurements_free(measured);
    nw_schema_free(schema);
    remove(path);
    return rmdir(folder);
}

static char *read_bytes(size_t *n)
{
    FILE *file = fopen(path, "rb");
    char *bytes = malloc(1 << 16);
    assert_non_null(file);
    *n = fread(bytes, 1, 1 << 16, file);
    fclose(file);
    return bytes;
}

static void write_bytes(const char *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    fclose(file);
}

static nw_status read_back(nw_synth_measurements **out, nw_error *err)
{
    return nw_synth_measurements_read(out, schema, path, err);
}

static void measurements_read__returns_what_was_written(void **state)
{
    (void)state;
    for (int a = NW_ADD_REMOVE; a <= NW_REPLACE_ONE; a++) {
        nw_synth_measurements *x = release((nw_adjacency)a);
        nw_synth_measurements *y = NULL;
        char *event_x = NULL;
        char *event_y = NULL;
        double error_x = -1.0;
        double error_y = -2.0;
        assert_int_equal(nw_synth_measurements_write(x, path, NULL), NW_OK);
        assert_int_equal(read_back(&y, NULL), NW_OK);
        assert_int_equal(nw_synth_measurements_adjacency(y), a);
        assert_true(nw_synth_measurements_rows(x, &error_x) == nw_synth_measurements_rows(y, &error_y));
        assert_true(error_x == error_y && (error_x == 0.0) == (a == NW_REPLACE_ONE));
        assert_int_equal(nw_event_to_json(nw_synth_measurements_event(x), &event_x, NULL), NW_OK);
        assert_int_equal(nw_event_to_json(nw_synth_measurements_event(y), &event_y, NULL), NW_OK);
        assert_string_equal(event_x, event_y);
        assert_int_equal(nw_synth_measurements_count(y), 6);
        for (size_t i = 0; i < 6; i++) {
            const nw_synth_measurement m = nw_synth_measurements_get(x, i);
            const nw_synth_measurement k = nw_synth_measurements_get(y, i);
            assert_memory_equal(m.columns, k.columns, sizeof m.columns);
            assert_true(m.cells == k.cells && m.sigma == k.sigma && m.width == k.width && m.expected_error == k.expected_error);
            assert_memory_equal(
                nw_synth_measurements_counts(x, i), nw_synth_measurements_counts(y, i), m.cells * sizeof(int64_t));
        }
        nw_string_free(event_x);
        nw_string_free(event_y);
        nw_synth_measurements_free(x);
        nw_synth_measurements_free(y);
    }
}

/* The file holds the schema: bins, labels, bounds and all. */
static void measurements_read__needs_no_schema(void **state)
{
    (void)state;
    static const char text[] = "{\"a\": {\"type\": \"float\", \"lower\": 1, \"upper\": 1e6, \"scale\": \"log\"}, \"b\": 3,"
                               " \"c\": {\"type\": \"categorical\", \"values\": [\"x\\u00e9\", \"\\\"\"], \"nullable\": false},"
                               " \"d\": {\"type\": \"date\", \"lower\": \"2000-01-01\", \"upper\": \"2000-01-05\"}}";
    nw_schema *wide = NULL;
    nw_synth *synth = NULL;
    nw_synth_measurements *x = NULL;
    nw_synth_measurements *y = NULL;
    nw_rng *rng = NULL;
    nw_ledger *ledger = NULL;
    char hash_x[65];
    char hash_y[65];
    nw_synth_opts opts = NW_SYNTH_OPTS_INIT;
    opts.epsilon = 1.0;
    opts.delta = 1e-9;
    opts.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_schema_parse(&wide, text, 17, NULL), NW_OK);
    assert_int_equal(nw_synth_new(&synth, wide, &opts, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 4, NULL), NW_OK);
    nw_ledger_opts unlimited = NW_LEDGER_OPTS_INIT;
    unlimited.delta = 1e-9;
    unlimited.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_ledger_unlimited(&ledger, &unlimited, NULL), NW_OK);
    assert_int_equal(nw_synth_release(synth, rng, ledger, "test", &x, NULL, NULL), NW_OK);
    assert_int_equal(nw_synth_measurements_write(x, path, NULL), NW_OK);
    assert_int_equal(nw_synth_measurements_read(&y, NULL, path, NULL), NW_OK);
    nw_schema_hash(wide, hash_x);
    nw_schema_hash(nw_synth_measurements_schema(y), hash_y);
    assert_string_equal(hash_x, hash_y);
    assert_true(nw_synth_measurements_are_insecure(x) && nw_synth_measurements_are_insecure(y));
    assert_int_equal(nw_schema_max_bins(nw_synth_measurements_schema(y)), 17);
    assert_int_equal(nw_synth_measurements_count(x), nw_synth_measurements_count(y));
    for (size_t i = 0; i < nw_synth_measurements_count(x); i++) {
        const size_t bytes = nw_synth_measurements_get(x, i).cells * sizeof(int64_t);
        assert_int_equal(nw_synth_measurements_get(y, i).cells * sizeof(int64_t), bytes);
        assert_memory_equal(nw_synth_measurements_counts(x, i), nw_synth_measurements_counts(y, i), bytes);
    }
    nw_synth_measurements_free(x);
    nw_synth_measurements_free(y);
    nw_ledger_close(ledger);
    nw_rng_free(rng);
    nw_synth_free(synth);
    nw_schema_free(wide);
}

/* The coding of short-form columns groups nothing. */
static void measurements_cell__is_the_code_of_a_column_of_codes(void **state)
{
    (void)state;
    assert_ptr_equal(nw_synth_measurements_schema(measured), schema);
    for (size_t j = 0; j < 3; j++) {
        const uint32_t cells = nw_schema_column(schema, j).cells;
        assert_int_equal(nw_synth_measurements_cells(measured, j), cells);
        for (uint32_t code = 0; code < cells; code++)
            assert_int_equal(nw_synth_measurements_cell(measured, j, code), code);
    }
}

static void synth_fit__draws_the_same_from_a_file_and_again_at_no_cost(void **state)
{
    (void)state;
    nw_synth_measurements *again = NULL;
    const nw_synth_measurements *sources[3] = { measured, measured, NULL };
    nw_table *tables[3] = { NULL, NULL, NULL };
    uint16_t codes[3][50];
    nw_synth_fit_opts fit = NW_SYNTH_FIT_OPTS_INIT;
    fit.rows = 50;
    assert_int_equal(nw_synth_measurements_write(measured, path, NULL), NW_OK);
    assert_int_equal(read_back(&again, NULL), NW_OK);
    sources[2] = again;
    for (size_t i = 0; i < 3; i++) {
        nw_rng *rng = NULL;
        assert_int_equal(nw_rng_new_insecure_seeded(&rng, 6, NULL), NW_OK);
        assert_int_equal(nw_synth_fit(sources[i], rng, &fit, &tables[i], NULL), NW_OK);
        assert_int_equal(nw_table_rows(tables[i]), 50);
        nw_rng_free(rng);
    }
    for (size_t j = 0; j < 3; j++) {
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(nw_table_get(tables[i], j, 0, 50, codes[i], NULL), NW_OK);
        assert_memory_equal(codes[0], codes[1], sizeof codes[0]);
        assert_memory_equal(codes[0], codes[2], sizeof codes[0]);
    }
    for (size_t i = 0; i < 3; i++)
        nw_table_free(tables[i]);
    nw_synth_measurements_free(again);
}

/* More rows than one chain takes: another chain follows, is no copy of the first, has the same marginals, and depends on the seed
 * only. */
static void synth_fit__lets_chains_follow_where_rows_are_many(void **state)
{
    (void)state;
    enum { MANY = 300000, HALF = MANY / 2 };
    uint16_t *codes[2]; /* by threads */
    size_t seen[2] = { 0, 0 };
    nw_synth_fit_opts fit = NW_SYNTH_FIT_OPTS_INIT;
    fit.rows = MANY;
    fit.chains = 1;
    for (unsigned threads = 1; threads <= 2; threads++) {
        nw_table *out = NULL;
        nw_rng *rng = NULL;
        fit.threads = threads;
        assert_int_equal(nw_rng_new_insecure_seeded(&rng, 3, NULL), NW_OK);
        assert_int_equal(nw_synth_fit(measured, rng, &fit, &out, NULL), NW_OK);
        assert_int_equal(nw_table_rows(out), MANY);
        codes[threads - 1] = malloc(MANY * sizeof(uint16_t));
        assert_int_equal(nw_table_get(out, 1, 0, MANY, codes[threads - 1], NULL), NW_OK);
        nw_table_free(out);
        nw_rng_free(rng);
    }
    assert_memory_equal(codes[0], codes[1], MANY * sizeof(uint16_t));
    assert_memory_not_equal(codes[0], codes[0] + HALF, HALF * sizeof(uint16_t));
    for (size_t i = 0; i < MANY; i++)
        seen[i / HALF] += codes[0][i] == 1;
    assert_true(seen[0] > HALF / 10 && seen[0] < seen[1] + HALF / 50 && seen[1] < seen[0] + HALF / 50);
    free(codes[0]);
    free(codes[1]);
}

typedef struct traced {
    double fractions[2][16], misfits[2][16];
    size_t points[2];
} traced;

static void keep_point(void *context, unsigned chain, double fraction, double misfit)
{
    traced *t = context;
    assert_true(chain < 2 && t->points[chain] < 16);
    t->fractions[chain][t->points[chain]] = fraction;
    t->misfits[chain][t->points[chain]++] = misfit;
}

/* The misfit of rows first .. first + n of a table, from its definition. */
static double misfit_of(const nw_table *table, size_t first, size_t n)
{
    uint16_t codes[3][64];
    double sum = 0.0;
    double cells = 0.0;
    for (size_t j = 0; j < 3; j++)
        assert_int_equal(nw_table_get(table, j, first, n, codes[j], NULL), NW_OK);
    for (size_t i = 0; i < nw_synth_measurements_count(measured); i++) {
        const nw_synth_measurement m = nw_synth_measurements_get(measured, i);
        const bool is_pair = m.columns[1] != SIZE_MAX;
        const size_t width = is_pair ? nw_schema_column(schema, m.columns[1]).cells : 1;
        for (size_t c = 0; c < m.cells; c++) {
            size_t count = 0;
            for (size_t row = 0; row < n; row++)
                count += codes[m.columns[0]][row] == c / width && (!is_pair || codes[m.columns[1]][row] == c % width);
            const double expected = (double)count * nw_synth_measurements_rows(measured, NULL) / (double)n;
            sum += pow((expected - (double)nw_synth_measurements_counts(measured, i)[c]) / m.sigma, 2.0);
            cells++;
        }
    }
    return sum / cells;
}

static void synth_fit__traces_how_well_each_chain_fits(void **state)
{
    (void)state;
    traced t = { 0 };
    nw_rng *rng = NULL;
    nw_table *table = NULL;
    nw_synth_fit_opts fit = NW_SYNTH_FIT_OPTS_INIT;
    fit.rows = 60;
    fit.chains = 2;
    fit.sweeps = 8;
    fit.trace = keep_point;
    fit.trace_context = &t;
    for (int engine = NW_SYNTH_GIBBS; engine <= NW_SYNTH_GENETIC; engine++) {
        t = (traced){ 0 };
        fit.engine = (nw_synth_engine)engine;
        assert_int_equal(nw_rng_new_insecure_seeded(&rng, 6, NULL), NW_OK);
        assert_int_equal(nw_synth_fit(measured, rng, &fit, &table, NULL), NW_OK);
        for (size_t chain = 0; chain < 2; chain++) {
            const size_t last = t.points[chain] - 1;
            assert_int_equal(t.points[chain], engine == NW_SYNTH_GIBBS ? 8 : 1);
            assert_true(t.fractions[chain][last] == 1.0);
            assert_true(engine != NW_SYNTH_GIBBS || t.fractions[chain][0] == 0.125);
            assert_true(fabs(t.misfits[chain][last] / misfit_of(table, chain * 30, 30) - 1.0) < 1e-12);
        }
        nw_table_free(table);
        nw_rng_free(rng);
    }
}

static void synth_fit__refuses_nulls_and_bad_options(void **state)
{
    (void)state;
    nw_table *out = NULL;
    nw_rng *rng = NULL;
    nw_error err;
    nw_synth_fit_opts fit = NW_SYNTH_FIT_OPTS_INIT;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 6, NULL), NW_OK);
    assert_int_equal(nw_synth_fit(NULL, rng, &fit, &out, &err), NW_E_ARG);
    assert_int_equal(nw_synth_fit(measured, NULL, &fit, &out, &err), NW_E_ARG);
    assert_int_equal(nw_synth_fit(measured, rng, &fit, NULL, &err), NW_E_ARG);
    fit.sweeps = 0;
    assert_int_equal(nw_synth_fit(measured, rng, &fit, &out, &err), NW_E_ARG);
    assert_null(out);
    nw_rng_free(rng);
}

static void measurements_read__refuses_what_is_missing_or_of_another_schema(void **state)
{
    (void)state;
    nw_schema *other = NULL;
    nw_synth_measurements *out = measured;
    nw_error err;
    assert_int_equal(nw_schema_parse(&other, "{\"a\": 3, \"b\": 4, \"d\": 2}", 0, NULL), NW_OK);
    assert_int_equal(nw_synth_measurements_write(measured, path, NULL), NW_OK);
    assert_int_equal(nw_synth_measurements_read(&out, other, path, &err), NW_E_ARG);
    assert_null(out);
    assert_int_equal(nw_synth_measurements_read(&out, schema, "/nonexistent/m", &err), NW_E_IO);
    assert_int_equal(nw_synth_measurements_read(NULL, schema, path, &err), NW_E_ARG);
    assert_int_equal(nw_synth_measurements_read(&out, schema, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_synth_measurements_write(measured, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_synth_measurements_write(NULL, path, &err), NW_E_ARG);
    assert_int_equal(nw_synth_measurements_write(measured, "/nonexistent/m", &err), NW_E_IO);
    nw_schema_free(other);
}

static void measurements_read__refuses_damage(void **state)
{
    (void)state;
    size_t n = 0;
    nw_synth_measurements *out = NULL;
    assert_int_equal(nw_synth_measurements_write(measured, path, NULL), NW_OK);
    char *bytes = read_bytes(&n);
    for (size_t i = 0; i < n; i += 3) {
        bytes[i] = (char)(bytes[i] ^ 1 << i % 7);
        write_bytes(bytes, n);
        const nw_status status = read_back(&out, NULL);
        assert_true(status == NW_E_FORMAT || status == NW_E_ARG); /* E_ARG: in the schema's hash */
        assert_null(out);
        bytes[i] = (char)(bytes[i] ^ 1 << i % 7);
        write_bytes(bytes, i);
        assert_int_equal(read_back(&out, NULL), NW_E_FORMAT);
        assert_null(out);
    }
    free(bytes);
}

/* Replaces `from` in the header by `to` and seals the file again. */
static void write_edited(const char *bytes, size_t n, const char *from, const char *to)
{
    const char *at = memmem(bytes, n, from, strlen(from));
    char *edited = calloc(n + 200, 1);
    assert_non_null(at);
    const size_t head = (size_t)(at - bytes);
    const size_t tail = n - head - strlen(from) - DIGEST_BYTES;
    memcpy(edited, bytes, head);
    memcpy(edited + head, to, strlen(to));
    memcpy(edited + head + strlen(to), at + strlen(from), tail);
    const size_t size = head + strlen(to) + tail;
    crypto_generichash((uint8_t *)edited + size, DIGEST_BYTES, (const uint8_t *)edited, size, NULL, 0);
    write_bytes(edited, size + DIGEST_BYTES);
    free(edited);
}

static void measurements_read__refuses_impossible_headers(void **state)
{
    (void)state;
    const char *const edits[][2] = {
        { "noisewright-synth-measurements", "noisewright-ledger" },
        { "\"version\":1", "\"version\":2" },
        { "\"adjacency\":\"add_remove\"", "\"adjacency\":\"none\"" },
        { "\"rows\":null", "\"rows\":-3" },
        { "\"rows\":null", "\"rows\":1e300" },
        { "\"rows\":null", "\"rows\":\"many\"" },
        { "\"cells\":3", "\"cells\":30000" },
        { "\"cells\":3", "\"cells\":2" },
        { "\"cells\":3", "\"cells\":-1" },
        { "\"runs\":null", "\"runs\":[[0,2],[7,1]]" },
        { "\"runs\":null", "\"runs\":[[0,2],[-1,1]]" },
        { "\"runs\":null", "\"runs\":[[0,2]]" },
        { "\"columns\":[0,1]", "\"columns\":[0,9]" },
        { "\"columns\":[0,1]", "\"columns\":[1,1]" },
        { "\"columns\":[0,1]", "\"columns\":[0]" },
        { "\"columns\":[0]", "\"columns\":[0,1]" },
        { "\"sigma\":", "\"sigma\":-" },
        { "\"sigma\":", "\"sigmo\":" },
        { "\"measured\":[", "\"measured\":[],\"rest\":[" },
        { "\"width\":1", "\"width\":2" },
        { "\"width\":1", "\"width\":-1" },
        { "\"width\":1", "\"width\":0" },
        { "\"runs\":null", "\"runs\":[[0,4]]" },
        { "\"event\":", "\"event\":null,\"rest\":" },
    };
    size_t n = 0;
    assert_int_equal(nw_synth_measurements_write(measured, path, NULL), NW_OK);
    char *bytes = read_bytes(&n);
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        nw_synth_measurements *out = NULL;
        nw_error err;
        write_edited(bytes, n, edits[i][0], edits[i][1]);
        assert_int_equal(read_back(&out, &err), NW_E_FORMAT);
        assert_null(out);
    }
    nw_synth_measurements *out = NULL;
    write_edited(bytes, n, "\"runs\":null", "\"runs\":[[2,1],[0,1],[1,1]]"); /* odd, but possible */
    assert_int_equal(read_back(&out, NULL), NW_OK);
    assert_int_equal(nw_synth_measurements_cell(out, 0, 0), 2);
    nw_synth_measurements_free(out);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measurements_read__returns_what_was_written),
        cmocka_unit_test(measurements_read__needs_no_schema),
        cmocka_unit_test(measurements_cell__is_the_code_of_a_column_of_codes),
        cmocka_unit_test(synth_fit__draws_the_same_from_a_file_and_again_at_no_cost),
        cmocka_unit_test(synth_fit__lets_chains_follow_where_rows_are_many),
        cmocka_unit_test(synth_fit__traces_how_well_each_chain_fits),
        cmocka_unit_test(synth_fit__refuses_nulls_and_bad_options),
        cmocka_unit_test(measurements_read__refuses_what_is_missing_or_of_another_schema),
        cmocka_unit_test(measurements_read__refuses_damage),
        cmocka_unit_test(measurements_read__refuses_impossible_headers),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
