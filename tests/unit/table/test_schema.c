/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "table_support.h"

#include <math.h>

/* ---- what is refused, and the words for it ---- */

static void refused(const char *json, uint32_t max_bins, nw_status status, const char *words)
{
    nw_schema *schema = (nw_schema *)1;
    nw_error err;
    assert_int_equal(nw_schema_parse(&schema, json, max_bins, &err), status);
    assert_null(schema);
    assert_string_equal(err.function, "nw_schema_parse");
    if (strstr(err.message, words) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", err.message, words);
}

static void schema_parse__names_line_and_column_of_bad_json(void **state)
{
    (void)state;
    refused("{\"a\": 3,\n \"b\": oops}", 0, NW_E_FORMAT, "line 2, column 10");
    refused("{\"a\": 3,\n \"a\": 4}", 0, NW_E_FORMAT, "line 2, column 4: duplicate object key");
    refused("{\"a\": {\"type\": \"bool\", \"type\": \"int\"}}", 0, NW_E_FORMAT, "duplicate object key");
    refused("{\"a\": {\"type\": \"float\", \"lower\": 0,\n\"upper\": 1e999}}", 0, NW_E_FORMAT,
        "line 2, column 14: real number overflow");
    refused("{\"a\": {\"type\": \"float\", \"lower\": NaN, \"upper\": 1}}", 0, NW_E_FORMAT, "line 1, column ");
    refused("", 0, NW_E_FORMAT, "line 1, column 0");
    refused("{\"a\": 3} x", 0, NW_E_FORMAT, "end of file expected");
    refused("{\"a\\u0000\": 3}", 0, NW_E_FORMAT, "NUL byte");
}

static void schema_parse__refuses_what_is_no_schema(void **state)
{
    (void)state;
    refused("{}", 0, NW_E_FORMAT, "at least one column");
    refused("[3]", 0, NW_E_FORMAT, "must be a JSON object");
    refused("{\"\": 3}", 0, NW_E_FORMAT, "must have a name");
    refused("{\"a\": \"int\"}", 0, NW_E_FORMAT, "column \"a\": must be an object");
    refused("{\"a\": 3.5}", 0, NW_E_FORMAT, "column \"a\": must be an object");
    refused("{\"a\": {}}", 0, NW_E_FORMAT, "column \"a\": type must be");
    refused("{\"a\": {\"type\": \"texts\"}}", 0, NW_E_FORMAT, "column \"a\": type must be");
    refused("{\"a\": {\"type\": 7}}", 0, NW_E_FORMAT, "column \"a\": type must be");
}

static void schema_parse__refuses_bad_keys(void **state)
{
    (void)state;
    refused("{\"a\": {\"type\": \"bool\", \"lower\": 0}}", 0, NW_E_FORMAT, "column \"a\": unknown key \"lower\"; type bool has");
    refused("{\"a\": {\"type\": \"int\", \"lower\": 0, \"upper\": 1, \"lower upper\": 0}}", 0, NW_E_FORMAT,
        "unknown key \"lower upper\"");
    refused("{\"a\": {\"type\": \"date\", \"lower\": \"2000-01-01\", \"upper\": \"2001-01-01\", \"scale\": \"log\"}}", 0,
        NW_E_FORMAT, "unknown key \"scale\"");
    refused("{\"a\": {\"type\": \"text\", \"values\": [\"x\"]}}", 0, NW_E_FORMAT, "unknown key \"values\"");
    refused("{\"a\": {\"type\": \"text\", \"nullable\": false}}", 0, NW_E_FORMAT, "nullable is false, must be true");
    refused("{\"a\": {\"type\": \"bool\", \"nullable\": 1}}", 0, NW_E_FORMAT, "nullable must be true or false");
    refused(
        "{\"a\": {\"type\": \"int\", \"lower\": 0, \"upper\": 9, \"scale\": \"exp\"}}", 0, NW_E_FORMAT, "scale must be \"log\"");
}

static void schema_parse__refuses_bad_bounds(void **state)
{
    (void)state;
    refused("{\"ok\": 3, \"age\": {\"type\": \"int\", \"lower\": 90, \"upper\": 17}}", 0, NW_E_FORMAT,
        "column \"age\": lower is 90, must not be greater than upper 17");
    refused("{\"a\": {\"type\": \"int\", \"lower\": 0}}", 0, NW_E_FORMAT, "column \"a\": upper is missing");
    refused("{\"a\": {\"type\": \"float\", \"lower\": \"0\", \"upper\": 1}}", 0, NW_E_FORMAT, "lower must be a number");
    refused("{\"a\": {\"type\": \"int\", \"lower\": 0.5, \"upper\": 3}}", 0, NW_E_FORMAT, "lower is 0.5, must be an integer");
    refused("{\"a\": {\"type\": \"int\", \"lower\": 0, \"upper\": 2e15}}", 0, NW_E_FORMAT, "must be an integer in -1e15 .. 1e15");
    refused("{\"a\": {\"type\": \"float\", \"lower\": -1e308, \"upper\": 1e308}}", 0, NW_E_FORMAT, "not a finite number");
    refused("{\"a\": {\"type\": \"float\", \"lower\": 1, \"upper\": 1}}", 0, NW_E_FORMAT, "too close together");
    refused("{\"a\": {\"type\": \"float\", \"lower\": 0, \"upper\": 1e-300}}", 0, NW_E_FORMAT, "too close together");
    refused("{\"a\": {\"type\": \"float\", \"lower\": 1e15, \"upper\": 1.00000000000001e15}}", 100, NW_E_FORMAT,
        "too close together");
    refused("{\"a\": {\"type\": \"date\", \"lower\": \"2001-02-29\", \"upper\": \"2002-01-01\"}}", 0, NW_E_FORMAT,
        "lower must be a date");
    refused("{\"a\": {\"type\": \"date\", \"lower\": 3, \"upper\": \"2002-01-01\"}}", 0, NW_E_FORMAT, "lower must be a date");
    refused("{\"a\": {\"type\": \"date\", \"lower\": \"2002-01-01\", \"upper\": \"2001-01-01\"}}", 0, NW_E_FORMAT,
        "lower is after upper");
}

static void schema_parse__refuses_bad_steps(void **state)
{
    (void)state;
    refused("{\"a\": {\"type\": \"float\", \"lower\": 0, \"upper\": 1, \"step\": 0}}", 0, NW_E_FORMAT,
        "step is 0, must be greater than 0");
    refused("{\"a\": {\"type\": \"float\", \"lower\": 0, \"upper\": 1, \"step\": -1}}", 0, NW_E_FORMAT,
        "step is -1, must be greater");
    refused(
        "{\"a\": {\"type\": \"float\", \"lower\": 0, \"upper\": 1, \"step\": \"1\"}}", 0, NW_E_FORMAT, "step must be a number");
    refused("{\"a\": {\"type\": \"int\", \"lower\": 0, \"upper\": 9, \"step\": 1.5}}", 0, NW_E_FORMAT,
        "step is 1.5, must be an integer");
    refused("{\"a\": {\"type\": \"float\", \"lower\": 0, \"upper\": 1, \"step\": 0.3333333333333333}}", 0, NW_E_FORMAT,
        "15 significant");
    refused(
        "{\"a\": {\"type\": \"float\", \"lower\": 0, \"upper\": 1e9, \"step\": 1e-9}}", 0, NW_E_FORMAT, "more than 1e15 units");
}

static void schema_parse__refuses_bad_values(void **state)
{
    (void)state;
    refused("{\"s\": {\"type\": \"categorical\"}}", 0, NW_E_FORMAT, "column \"s\": values must be an array");
    refused("{\"s\": {\"type\": \"categorical\", \"values\": []}}", 0, NW_E_FORMAT, "at least one");
    refused("{\"s\": {\"type\": \"categorical\", \"values\": \"F\"}}", 0, NW_E_FORMAT, "values must be an array");
    refused("{\"s\": {\"type\": \"categorical\", \"values\": [\"F\", \"M\", \"F\"]}}", 0, NW_E_FORMAT,
        "column \"s\": value \"F\" occurs twice");
    refused("{\"s\": {\"type\": \"categorical\", \"values\": [1, \"1\"]}}", 0, NW_E_FORMAT, "value \"1\" occurs twice");
    refused("{\"s\": {\"type\": \"categorical\", \"values\": [\"F\", 1.5]}}", 0, NW_E_FORMAT, "value number 2 must be a string");
    refused(
        "{\"s\": {\"type\": \"categorical\", \"values\": [\"F\", \"\"]}}", 0, NW_E_FORMAT, "value number 2 is the empty string");
}

static void schema_parse__refuses_too_many_cells(void **state)
{
    (void)state;
    refused("{\"a\": 0}", 0, NW_E_FORMAT, "column \"a\": number of codes is 0, must be in 1 .. 65535");
    refused("{\"a\": 65536}", 0, NW_E_FORMAT, "number of codes is 65536");
    refused("{\"a\": {\"type\": \"int\", \"lower\": 1, \"upper\": 65535}}", 65535, NW_E_FORMAT,
        "65536 cells with the one for missing");
    refused("{\"a\": 3}", 65536, NW_E_ARG, "max_bins is 65536, must be in 0 .. 65535");
    char *json = malloc(1 << 20);
    size_t n = (size_t)sprintf(json, "{\"a\": {\"type\": \"categorical\", \"values\": [0");
    for (int i = 1; i <= 65535; i++)
        n += (size_t)sprintf(json + n, ",%d", i);
    sprintf(json + n, "]}}");
    refused(json, 0, NW_E_FORMAT, "65536 values, must be at most 65535");
    free(json);
}

static void schema_parse__refuses_long_texts(void **state)
{
    (void)state;
    char json[8192];
    snprintf(json, sizeof json, "{\"%04097d\": 3}", 0);
    refused(json, 0, NW_E_FORMAT, "the name is longer than 4096 bytes");
    snprintf(json, sizeof json, "{\"s\": {\"type\": \"categorical\", \"values\": [\"%04097d\"]}}", 0);
    refused(json, 0, NW_E_FORMAT, "value number 1 is longer than 4096 bytes");
}

static void schema_parse__refuses_null(void **state)
{
    (void)state;
    nw_schema *schema;
    assert_int_equal(nw_schema_parse(NULL, "{\"a\": 1}", 0, NULL), NW_E_ARG);
    assert_int_equal(nw_schema_parse(&schema, NULL, 0, NULL), NW_E_ARG);
    assert_int_equal(nw_schema_read(&schema, NULL, 0, NULL), NW_E_ARG);
}

static void schema_read__names_the_file_it_cannot_read(void **state)
{
    (void)state;
    nw_schema *schema;
    nw_error err;
    assert_int_equal(nw_schema_read(&schema, "/nowhere/schema.json", 0, &err), NW_E_IO);
    assert_string_equal(err.message, "cannot open /nowhere/schema.json: No such file or directory");
    assert_int_equal(nw_schema_read(&schema, "/", 0, &err), NW_E_IO);
    assert_string_equal(err.message, "cannot read /: Is a directory");
    char path[64];
    const int fd = file_of("{\"a\":\n 7,}", 10, path);
    assert_int_equal(nw_schema_read(&schema, path, 0, &err), NW_E_FORMAT);
    assert_non_null(strstr(err.message, "line 2, column 4"));
    close(fd);
}

/* ---- what is made of it ---- */

static void schema_column__tells_the_domain(void **state)
{
    (void)state;
    nw_schema *schema =
        schema_of("{\"age\": {\"type\": \"int\", \"lower\": 17, \"upper\": 90},"
                  " \"pay\": {\"type\": \"float\", \"lower\": 0, \"upper\": 1e6, \"step\": 0.01, \"scale\": \"log\"},"
                  " \"sex\": {\"type\": \"categorical\", \"values\": [\"F\", \"M\"], \"nullable\": false},"
                  " \"member\": {\"type\": \"bool\"},"
                  " \"since\": {\"type\": \"date\", \"lower\": \"2000-01-01\", \"upper\": \"2025-12-31\"},"
                  " \"region\": 12, \"height\": {\"type\": \"float\", \"lower\": -1, \"upper\": 2.5, \"nullable\": false}}",
            0);
    const nw_column expected[] = {
        {"age", NW_COLUMN_INT, 75, true, 17, 90, 1, false},
        {"pay", NW_COLUMN_FLOAT, 101, true, 0, 1e6, 0.01, true},
        {"sex", NW_COLUMN_CATEGORICAL, 2, false, 0, 1, 1, false},
        {"member", NW_COLUMN_BOOL, 3, true, 0, 2, 1, false},
        {"since", NW_COLUMN_DATE, 101, true, 10957, 20453, 1, false},
        {"region", NW_COLUMN_CODE, 12, false, 0, 11, 1, false},
        {"height", NW_COLUMN_FLOAT, 100, false, -1, 2.5, 0, false},
    };
    assert_int_equal(nw_schema_columns(schema), 7);
    for (size_t i = 0; i < 7; i++) {
        const nw_column c = nw_schema_column(schema, i);
        assert_string_equal(c.name, expected[i].name);
        assert_int_equal(c.type, expected[i].type);
        assert_int_equal(c.cells, expected[i].cells);
        assert_int_equal(c.is_nullable, expected[i].is_nullable);
        assert_true(c.lower == expected[i].lower && c.upper == expected[i].upper && c.step == expected[i].step);
        assert_int_equal(c.is_log, expected[i].is_log);
    }
    nw_schema_free(schema);
}

static void schema_parse__takes_the_largest_columns(void **state)
{
    (void)state;
    nw_schema *schema = schema_of("{\"a\": 65535, \"b\": {\"type\": \"int\", \"lower\": 1, \"upper\": 65534}, \"c\": 1}", 65535);
    assert_int_equal(nw_schema_column(schema, 0).cells, 65535);
    assert_int_equal(nw_schema_column(schema, 1).cells, 65535);
    assert_int_equal(nw_schema_column(schema, 2).cells, 1);
    nw_schema_free(schema);
}

/* No bin is empty, none overlaps another, and each holds whole steps, whatever the scale. */
static void domain_cut__makes_bins_of_whole_steps(void **state)
{
    (void)state;
    const char *const columns[] = {"{\"type\": \"int\", \"lower\": 0, \"upper\": 100}",
        "{\"type\": \"int\", \"lower\": -7, \"upper\": 100000}",
        "{\"type\": \"int\", \"lower\": 0, \"upper\": 100, \"scale\": \"log\"}",
        "{\"type\": \"int\", \"lower\": 1, \"upper\": 1000000, \"scale\": \"log\"}",
        "{\"type\": \"int\", \"lower\": -500, \"upper\": 1000000, \"scale\": \"log\"}",
        "{\"type\": \"float\", \"lower\": 0, \"upper\": 1e6, \"step\": 0.01, \"scale\": \"log\"}",
        "{\"type\": \"float\", \"lower\": 0.07, \"upper\": 30, \"step\": 0.1}",
        "{\"type\": \"int\", \"lower\": -1000000000000000, \"upper\": 1000000000000000}",
        "{\"type\": \"date\", \"lower\": \"0001-01-01\", \"upper\": \"9999-12-31\", \"step\": 7}"};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        for (uint32_t max_bins = 1; max_bins <= 100; max_bins += 33) {
            char json[256];
            snprintf(json, sizeof json, "{\"x\": %s}", columns[i]);
            nw_schema *schema = schema_of(json, max_bins);
            const nw__domain *domain = &schema->domains[0];
            assert_int_equal(domain->bins, max_bins);
            assert_true(domain->edges[0] == 0 && domain->edges[max_bins] == domain->values);
            for (uint32_t b = 0; b < max_bins; b++)
                assert_true(
                    domain->edges[b + 1] >= domain->edges[b] + 1 && domain->edges[b] == (double)(int64_t)domain->edges[b]);
            nw_schema_free(schema);
        }
}

static void domain_cut__counts_the_values_of_decimal_grids_exactly(void **state)
{
    (void)state;
    const struct {
        const char *bounds;
        double values;
        int decimals;
    } grids[] = {{"\"lower\": 0, \"upper\": 0.3, \"step\": 0.1", 4, 1}, {"\"lower\": 0.1, \"upper\": 0.7, \"step\": 0.2", 4, 1},
        {"\"lower\": 0, \"upper\": 1, \"step\": 0.3", 4, 1}, {"\"lower\": 0.005, \"upper\": 1, \"step\": 0.01", 100, 3},
        {"\"lower\": -1e6, \"upper\": 1e6, \"step\": 0.01", 200000001, 2}, {"\"lower\": 0, \"upper\": 0, \"step\": 5", 1, 0},
        {"\"lower\": 0, \"upper\": 3e-19, \"step\": 1e-20", 31, 20}};
    for (size_t i = 0; i < sizeof grids / sizeof grids[0]; i++) {
        char json[256];
        snprintf(json, sizeof json, "{\"x\": {\"type\": \"float\", %s}}", grids[i].bounds);
        nw_schema *schema = schema_of(json, 0);
        assert_true(schema->domains[0].values == grids[i].values);
        assert_int_equal(schema->domains[0].decimals, grids[i].decimals);
        nw_schema_free(schema);
    }
}

/* ---- hash ---- */

static void hash_of(const char *json, uint32_t max_bins, char out[65])
{
    nw_schema *schema = schema_of(json, max_bins);
    nw_schema_hash(schema, out);
    nw_schema_free(schema);
}

static void schema_hash__ignores_layout_and_tells_domains_apart(void **state)
{
    (void)state;
    char first[65];
    char other[65];
    hash_of("{\"a\": {\"type\": \"int\", \"lower\": 0, \"upper\": 500}, \"s\": {\"type\": \"categorical\", \"values\": [\"x\", "
            "\"y\"]}}",
        0, first);
    assert_int_equal(strlen(first), 64);
    assert_int_equal(strspn(first, "0123456789abcdef"), 64);
    hash_of("{ \"a\": {\"upper\": 5e2, \"type\": \"int\", \"step\": 1, \"lower\": -0.0, \"scale\": \"linear\"},\n"
            "\"s\": {\"values\": [\"x\", \"y\"], \"nullable\": true, \"type\": \"categorical\"}}",
        100, other);
    assert_string_equal(first, other);
    const char *const different[] = {"{\"a\": {\"type\": \"int\", \"lower\": 0, \"upper\": 501}, \"s\": {\"type\": "
                                     "\"categorical\", \"values\": [\"x\", \"y\"]}}",
        "{\"a\": {\"type\": \"int\", \"lower\": 0, \"upper\": 500, \"scale\": \"log\"}, \"s\": {\"type\": \"categorical\", "
        "\"values\": [\"x\", \"y\"]}}",
        "{\"a\": {\"type\": \"int\", \"lower\": 0, \"upper\": 500}, \"s\": {\"type\": \"categorical\", \"values\": [\"y\", "
        "\"x\"]}}",
        "{\"b\": {\"type\": \"int\", \"lower\": 0, \"upper\": 500}, \"s\": {\"type\": \"categorical\", \"values\": [\"x\", "
        "\"y\"]}}",
        "{\"s\": {\"type\": \"categorical\", \"values\": [\"x\", \"y\"]}, \"a\": {\"type\": \"int\", \"lower\": 0, \"upper\": "
        "500}}",
        "{\"a\": {\"type\": \"int\", \"lower\": 0, \"upper\": 500, \"nullable\": false}, \"s\": {\"type\": \"categorical\", "
        "\"values\": [\"x\", \"y\"]}}"};
    for (size_t i = 0; i < sizeof different / sizeof different[0]; i++) {
        hash_of(different[i], 0, other);
        assert_string_not_equal(first, other);
    }
    hash_of("{\"a\": {\"type\": \"int\", \"lower\": 0, \"upper\": 500}, \"s\": {\"type\": \"categorical\", \"values\": [\"x\", "
            "\"y\"]}}",
        50, other);
    assert_string_not_equal(first, other);
}

/* The form behind the hash is public, so its value for one small schema is fixed here: computed apart from the library, with
 * Python's hashlib.blake2b(digest_size=32) over the fields as schema.c lists them. */
static void schema_hash__is_the_documented_one(void **state)
{
    (void)state;
    char hash[65];
    hash_of("{\"n\": 3, \"s\": {\"type\": \"categorical\", \"values\": [\"F\", \"M\"]}}", 0, hash);
    assert_string_equal(hash, "fef01bae3c7a412d2ba5d491ac5b61dcafa860ba71bc1d326c3a356237e8bc02");
}

/* Every code holds its own least and greatest value, and the next number beyond them belongs to a neighbour. */
static void schema_range__ends_are_encoded_as_the_code(void **state)
{
    (void)state;
    static const char json[] = "{\"i\": {\"type\": \"int\", \"lower\": -5, \"upper\": 700},"
                               "\"f\": {\"type\": \"float\", \"lower\": 0.1, \"upper\": 9.3, \"step\": 0.1},"
                               "\"r\": {\"type\": \"float\", \"lower\": -2, \"upper\": 7},"
                               "\"l\": {\"type\": \"float\", \"lower\": 0, \"upper\": 1e6, \"step\": 0.01, "
                               "\"scale\": \"log\"},"
                               "\"d\": {\"type\": \"date\", \"lower\": \"1969-12-30\", \"upper\": \"1970-01-09\"}}";
    nw_schema *schema = NULL;
    assert_int_equal(nw_schema_parse(&schema, json, 0, NULL), NW_OK);
    for (size_t c = 0; c < nw_schema_columns(schema); c++) {
        const nw__domain *domain = &schema->domains[c];
        const nw_column column = nw_schema_column(schema, c);
        double low, high, before = 0.0;
        for (uint32_t code = 0; code + 1 < column.cells; code++) {
            nw_schema_range(schema, c, code, &low, &high);
            assert_true(low <= high && low >= column.lower && high <= column.upper);
            assert_int_equal(nw__domain_encode_number(domain, low), code);
            const bool is_half_open = column.step == 0.0 && code + 2 < column.cells;
            assert_int_equal(nw__domain_encode_number(domain, is_half_open ? nextafter(high, low) : high), code);
            assert_true(code == 0 || (column.step == 0.0 ? low == before : low > before));
            before = high;
        }
        assert_true(before == column.upper);
        nw_schema_range(schema, c, column.cells - 1, &low, &high);
        assert_true(isnan(low) && isnan(high));
    }
    double low, high;
    nw_schema_range(schema, 1, 2, &low, &high);
    assert_true(low == 0.3 && high == 0.3); /* the double that 0.3 is read as, not 0.1 + 2 * 0.1 */
    nw_schema_range(schema, 4, 0, &low, &high);
    assert_true(low == -2.0);
    nw_schema_free(schema);
}

static void schema_label__is_that_of_the_schema(void **state)
{
    (void)state;
    nw_schema *schema = NULL;
    double low, high;
    static const char json[] = "{\"s\": {\"type\": \"categorical\", \"values\": [\"F\", \"M\"]},"
                               "\"b\": {\"type\": \"bool\"}, \"c\": 3}";
    assert_int_equal(nw_schema_parse(&schema, json, 0, NULL), NW_OK);
    assert_string_equal(nw_schema_label(schema, 0, 1), "M");
    assert_null(nw_schema_label(schema, 0, 2));
    assert_null(nw_schema_label(schema, 1, 0));
    nw_schema_range(schema, 0, 0, &low, &high);
    assert_true(isnan(low));
    nw_schema_range(schema, 1, 1, &low, &high);
    assert_true(low == 1.0 && high == 1.0);
    nw_schema_range(schema, 2, 2, &low, &high);
    assert_true(low == 2.0 && high == 2.0);
    nw_schema_free(schema);
}

static void schema_parse__gives_unknown_labels_to_the_other(void **state)
{
    (void)state;
    char with[65];
    char without[65];
    const char *const json = "{\"a\": {\"type\": \"categorical\", \"values\": [\"x\", \"y\", \"rest\"], \"other\": \"rest\"}, "
                             "\"b\": {\"type\": \"categorical\", \"values\": [\"x\", \"y\", \"rest\"]}}";
    nw_schema *schema = schema_of(json, 0);
    nw_schema *plain = schema_of("{\"a\": {\"type\": \"categorical\", \"values\": [\"x\", \"y\", \"rest\"]}, \"b\": {\"type\": "
                                 "\"categorical\", \"values\": [\"x\", \"y\", \"rest\"]}}", 0);
    nw_table *table = table_of(schema, "a,b\ny,y\nz,z\n,\n");
    assert_int_equal(code_at(table, 0, 0), 1);
    assert_int_equal(code_at(table, 0, 1), 2); /* the other */
    assert_int_equal(code_at(table, 1, 1), 3); /* missing */
    assert_int_equal(code_at(table, 0, 2), 3); /* what is missing stays so */
    nw_schema_hash(schema, with);
    nw_schema_hash(plain, without);
    assert_string_not_equal(with, without);
    nw_table_free(table);
    nw_schema_free(schema);
    nw_schema_free(plain);
    refused("{\"a\": {\"type\": \"categorical\", \"values\": [\"x\"], \"other\": \"z\"}}", 0, NW_E_FORMAT,
        "other must be one of the values");
    refused("{\"a\": {\"type\": \"bool\", \"other\": \"z\"}}", 0, NW_E_FORMAT, "unknown key \"other\"");
}

static void of_header(const char *text, nw_status wanted, const char *words)
{
    char path[64];
    nw_error err;
    nw_schema *schema = NULL;
    const int fd = file_of(text, strlen(text), path);
    assert_int_equal(nw_schema_of_header(&schema, path, &err), wanted);
    close(fd);
    if (wanted == NW_OK) {
        assert_int_equal(nw_schema_columns(schema), 3);
        assert_string_equal(nw_schema_column(schema, 1).name, "b, c");
        for (size_t j = 0; j < 3; j++)
            assert_int_equal(nw_schema_column(schema, j).type, NW_COLUMN_TEXT);
    } else {
        assert_null(schema);
        assert_non_null(strstr(err.message, words));
    }
    nw_schema_free(schema);
}

static void schema_of_header__takes_the_names_alone(void **state)
{
    (void)state;
    nw_schema *schema;
    of_header("\xEF\xBB\xBF""a ,\"b, c\",d\r\n1,2\n\"broken", NW_OK, NULL); /* rows are not read */
    of_header("a,b,a\n", NW_E_FORMAT, "names the column \"a\" twice");
    of_header("a,,b\n", NW_E_FORMAT, "is empty, or no UTF-8");
    of_header("a,\xff\n", NW_E_FORMAT, "is empty, or no UTF-8");
    of_header("", NW_E_FORMAT, "the file is empty");
    assert_int_equal(nw_schema_of_header(&schema, "-", NULL), NW_E_ARG);
    assert_int_equal(nw_schema_of_header(&schema, NULL, NULL), NW_E_ARG);
    assert_int_equal(nw_schema_of_header(&schema, "/nonexistent/table.csv", NULL), NW_E_IO);
}

/* A schema made of what another says of itself is the same: bins, which JSON alone does not know, included. */
static void schema_json__makes_the_same_schema(void **state)
{
    (void)state;
    static const char json[] = "{ \"b\": {\"type\":\"float\", \"lower\": 0.1, \"upper\": 1e6, \"scale\": \"log\"},\n"
                               " \"a\": {\"values\": [\"x\", 7], \"type\": \"categorical\"}, \"\\u00e9\": 12}";
    for (uint32_t bins = 0; bins < 3; bins++) {
        char hashes[2][65];
        nw_schema *schema = schema_of(json, bins);
        nw_schema *again = schema_of(nw_schema_json(schema), nw_schema_max_bins(schema));
        nw_schema_hash(schema, hashes[0]);
        nw_schema_hash(again, hashes[1]);
        assert_int_equal(nw_schema_max_bins(schema), bins == 0 ? NW_SCHEMA_DEFAULT_BINS : bins);
        assert_string_equal(hashes[0], hashes[1]);
        assert_string_equal(nw_schema_json(schema), nw_schema_json(again));
        nw_schema_free(schema);
        nw_schema_free(again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schema_parse__names_line_and_column_of_bad_json),
        cmocka_unit_test(schema_parse__refuses_what_is_no_schema),
        cmocka_unit_test(schema_parse__refuses_bad_keys),
        cmocka_unit_test(schema_parse__refuses_bad_bounds),
        cmocka_unit_test(schema_parse__refuses_bad_steps),
        cmocka_unit_test(schema_parse__refuses_bad_values),
        cmocka_unit_test(schema_parse__gives_unknown_labels_to_the_other),
        cmocka_unit_test(schema_of_header__takes_the_names_alone),
        cmocka_unit_test(schema_parse__refuses_too_many_cells),
        cmocka_unit_test(schema_parse__refuses_long_texts),
        cmocka_unit_test(schema_parse__refuses_null),
        cmocka_unit_test(schema_read__names_the_file_it_cannot_read),
        cmocka_unit_test(schema_column__tells_the_domain),
        cmocka_unit_test(schema_parse__takes_the_largest_columns),
        cmocka_unit_test(domain_cut__makes_bins_of_whole_steps),
        cmocka_unit_test(domain_cut__counts_the_values_of_decimal_grids_exactly),
        cmocka_unit_test(schema_range__ends_are_encoded_as_the_code),
        cmocka_unit_test(schema_label__is_that_of_the_schema),
        cmocka_unit_test(schema_hash__ignores_layout_and_tells_domains_apart),
        cmocka_unit_test(schema_hash__is_the_documented_one),
        cmocka_unit_test(schema_json__makes_the_same_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
