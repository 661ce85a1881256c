/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "table_support.h"

#include <fcntl.h>
#include <math.h>
#include <zlib.h>

static const char three_columns[] = "{\"age\": {\"type\": \"int\", \"lower\": 17, \"upper\": 90},"
                                    " \"sex\": {\"type\": \"categorical\", \"values\": [\"F\", \"M\"]}, \"region\": 12}";

/* ---- from cells to codes ---- */

static void table_read__maps_integers_to_the_nearest_value(void **state)
{
    (void)state;
    ASSERT_CODES("{\"type\": \"int\", \"lower\": 17, \"upper\": 90}", 0,
        "x\n17\n90\n39\n39.0\n4e1\n+20\n 21 \n16\n-5\n91\n1e300\ninf\n-inf\n39.4\n39.6\n\"40\"\n\" 40 "
        "\"\n0x20\nNaN\nold\n\"\"\n1e-400\n",
        0, 73, 22, 22, 23, 3, 4, 0, 0, 73, 73, 73, 0, 22, 23, 23, 23, 74, 74, 74, 74, 0);
    ASSERT_CODES(
        "{\"type\": \"int\", \"lower\": 17, \"upper\": 90, \"nullable\": false}", 0, "x\nold\n\"\"\nnan\n18\n", 0, 0, 0, 1);
    ASSERT_CODES("{\"type\": \"int\", \"lower\": 0, \"upper\": 10, \"step\": 5, \"nullable\": false}", 0,
        "x\n0\n2\n3\n7\n8\n10\n", 0, 0, 1, 1, 2, 2);
    ASSERT_CODES(
        "{\"type\": \"int\", \"lower\": 0, \"upper\": 11, \"step\": 5, \"nullable\": false}", 0, "x\n10\n11\n12\n", 2, 2, 2);
    ASSERT_CODES(
        "{\"type\": \"int\", \"lower\": 0, \"upper\": 9}", 4, "x\n0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n", 0, 0, 1, 1, 1, 2, 2, 3, 3, 3);
}

static void table_read__maps_floats_to_bins(void **state)
{
    (void)state;
    ASSERT_CODES("{\"type\": \"float\", \"lower\": 0, \"upper\": 1}", 10, "x\n0\n0.05\n0.15\n0.31\n0.95\n1\n2\n-1\n1e-320\nx\n",
        0, 0, 1, 3, 9, 9, 9, 0, 0, 10);
    ASSERT_CODES(
        "{\"type\": \"float\", \"lower\": 0, \"upper\": 0.3, \"step\": 0.1}", 0, "x\n0.1\n0.2\n0.3\n0.14\n0.16\n", 1, 2, 3, 1, 2);
    ASSERT_CODES("{\"type\": \"float\", \"lower\": 1, \"upper\": 10000, \"scale\": \"log\"}", 4,
        "x\n1\n9\n11\n99\n101\n999\n1001\n10000\n0\n-3\n", 0, 0, 1, 1, 2, 2, 3, 3, 0, 0);
}

/* Each value of a column on a logarithmic scale that starts at 0 or below: 0 is where it should be and codes never fall. */
static void table_read__maps_logarithmic_columns_in_order(void **state)
{
    (void)state;
    ASSERT_CODES("{\"type\": \"int\", \"lower\": 0, \"upper\": 999, \"scale\": \"log\"}", 10,
        "x\n0\n1\n3\n4\n7\n8\n15\n16\n500\n511\n999\n", 0, 1, 2, 2, 3, 3, 4, 4, 8, 9, 9);
    nw_schema *schema = schema_of("{\"x\": {\"type\": \"float\", \"lower\": -1000, \"upper\": 100000, \"scale\": \"log\"}}", 50);
    uint16_t last = 0;
    for (double x = -1000; x <= 100000; x += 0.5) {
        const uint16_t code = nw__domain_encode_number(&schema->domains[0], x);
        assert_true(code >= last && code < 50);
        last = code;
    }
    assert_int_equal(last, 49);
    nw_schema_free(schema);
}

static void table_read__maps_categories_bools_dates_and_codes(void **state)
{
    (void)state;
    ASSERT_CODES("{\"type\": \"categorical\", \"values\": [\"F\", \"M\", \" x \", 7, \"a,\\\"b\"]}", 0,
        "x\nF\nM\n  M\t\n\" x \"\n x \nX\n7\n\"a,\"\"b\"\n\"\"\nf\n", 0, 1, 1, 2, 5, 5, 3, 4, 5, 5);
    ASSERT_CODES("{\"type\": \"categorical\", \"values\": [\"F\", \"M\"], \"nullable\": false}", 0, "x\nM\n?\n\"\"\n", 1, 0, 0);
    ASSERT_CODES(
        "{\"type\": \"bool\"}", 0, "x\ntrue\nFALSE\n1\n0\nYes\nno\nT\nf\non\n2\n\"\"\n", 1, 0, 1, 0, 1, 0, 1, 0, 2, 2, 2);
    ASSERT_CODES("{\"type\": \"date\", \"lower\": \"2000-01-01\", \"upper\": \"2000-03-31\"}", 0,
        "x\n2000-01-01\n2000-02-29\n2000-03-01\n1999-12-31\n2001-01-01\n2000-02-30\n20000101\n\"\"\n", 0, 59, 60, 0, 90, 91, 91,
        91);
    ASSERT_CODES("12", 0, "x\n0\n11\n12\n-1\nx\n\"\"\n3\n", 0, 11, 11, 0, 0, 0, 3);
    ASSERT_CODES("1", 0, "x\n0\n5\n", 0, 0);
}

/* The hash of labels against a search one by one, with keys that share beginnings, ends and lengths. */
static void table_read__finds_each_of_many_labels(void **state)
{
    (void)state;
    char *json = malloc(1 << 20);
    char *csv = malloc(1 << 20);
    size_t n = (size_t)sprintf(json, "{\"x\": {\"type\": \"categorical\", \"values\": [\"\\u00e9\"");
    size_t m = (size_t)sprintf(csv, "x\n\xC3\xA9\n");
    for (int i = 1; i < 5000; i++) {
        n += (size_t)sprintf(json + n, ",\"%.*s%d%.*s\"", i % 23, "prefixprefixprefixprefix", i, i % 5, "suffix");
        m += (size_t)sprintf(csv + m, "%.*s%d%.*s\n%d-absent\n", i % 23, "prefixprefixprefixprefix", i, i % 5, "suffix", i);
    }
    sprintf(json + n, "]}}");
    nw_schema *schema = schema_of(json, 0);
    nw_table *table = table_of(schema, csv);
    assert_int_equal(nw_table_rows(table), 1 + 2 * 4999);
    assert_int_equal(code_at(table, 0, 0), 0);
    for (unsigned i = 1; i < 5000; i++) {
        assert_int_equal(code_at(table, 0, 2 * i - 1), i);
        assert_int_equal(code_at(table, 0, 2 * i), 5000);
    }
    nw_table_free(table);
    nw_schema_free(schema);
    free(json);
    free(csv);
}

/* ---- the dialect ---- */

static void same_three_rows(const char *csv)
{
    nw_schema *schema = schema_of(three_columns, 0);
    nw_table *table = table_of(schema, csv);
    const unsigned expected[3][3] = {{3, 0, 5}, {74, 1, 0}, {22, 2, 11}};
    assert_int_equal(nw_table_rows(table), 3);
    for (size_t row = 0; row < 3; row++)
        for (size_t column = 0; column < 3; column++)
            assert_int_equal(code_at(table, column, row), expected[row][column]);
    nw_table_free(table);
    nw_schema_free(schema);
}

static void table_read__takes_the_dialects_of_csv(void **state)
{
    (void)state;
    same_three_rows("age,sex,region\n20,F,5\n,M,0\n39,,11\n");
    same_three_rows("age,sex,region\r\n20,F,5\r\n,M,0\r\n39,,11\r\n");
    same_three_rows("age,sex,region\n20,F,5\r\n,M,0\n39,,11");
    same_three_rows("\xEF\xBB\xBF"
                    "age,sex,region\n20,F,5\n,M,0\n39,,11\n\n\n");
    same_three_rows("region,age,sex\n5,20,F\n0,,M\n11,39,\n\r\n");
    same_three_rows("\"age\", sex ,\"region\"\n\"20\",\"F\",\"5\"\n\"\",\"M\",\"0\"\n\"39\",\"\",\"11\"");
    same_three_rows("\xEF\xBB\xBF\"age\",\"sex\",region\n 20 , F , 5 \n  ,\tM,0\n39, ,11\n");
}

static void table_read__takes_a_header_alone_as_no_rows(void **state)
{
    (void)state;
    nw_schema *schema = schema_of(three_columns, 0);
    const char *const files[] = {"age,sex,region", "age,sex,region\n", "age,sex,region\r\n\r\n"};
    for (size_t i = 0; i < 3; i++) {
        nw_table *table = table_of(schema, files[i]);
        assert_int_equal(nw_table_rows(table), 0);
        assert_int_equal(nw__table_blocks(table), 0);
        nw_table_free(table);
    }
    nw_schema_free(schema);
}

/* ---- what is refused ---- */

static void refused(const char *csv, size_t n, const char *words)
{
    nw_schema *schema = schema_of(three_columns, 0);
    const size_t chunks[] = {1, 2, 3, 5, 8, NW__CSV_CHUNK};
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        nw_table *table;
        nw_error err;
        assert_int_equal(read_bytes(&table, schema, csv, n, chunks[i], &err), NW_E_FORMAT);
        assert_null(table);
        assert_string_equal(err.function, "nw_table_read_csv");
        if (strcmp(err.message, words) != 0)
            fail_msg("\"%s\", expected \"%s\"", err.message, words);
    }
    nw_schema_free(schema);
}

static void refused_text(const char *csv, const char *words)
{
    refused(csv, strlen(csv), words);
}

static void table_read__refuses_malformed_files_with_line_and_column(void **state)
{
    (void)state;
    refused_text("age,sex,region\n20,F,5\n20,F\n", "line 3, column 2 (sex): the row ends after 2 of 3 cells");
    refused_text("age,sex,region\n20,F,5\n20,F,5,6\n", "line 3, column 4: the row has more cells than the header, 3");
    refused_text("age,sex,region\n20,F,5,\n", "line 2, column 4: the row has more cells than the header, 3");
    refused_text("age,sex,region\n20,\"F\n\n,5\n", "line 2, column 2 (sex): the quote that begins here is never closed");
    refused_text("age,sex,region\n20,F\"F\",5\n", "line 2, column 2 (sex): a quote inside an unquoted cell");
    refused_text("age,sex,region\n20, \"F\",5\n", "line 2, column 2 (sex): a quote inside an unquoted cell");
    refused_text("age,sex,region\n20,\"F\n\" ,5\n", "line 3, column 2 (sex): text after the closing quote");
    refused("age,sex,region\n20,F,\0\n", 23, "line 2, column 3 (region): a NUL byte");
    refused_text("age,sex,region\n20,F,5\r20,F,5\r",
        "line 2, column 3 (region): a carriage return without a line feed; lines end in LF or CRLF");
    refused_text("age,sex,region\n20,F,5\n\n20,F,5\n", "line 3, column 1 (age): a blank line between rows");
    refused_text("age,sex,region\n20,F,5\n\n\n\"\"\n", "line 3, column 1 (age): a blank line between rows");
    refused_text("age,sex,region\n20,F,5\n20", "line 3, column 1 (age): the row ends after 1 of 3 cells");
}

static void table_read__refuses_an_oversized_cell(void **state)
{
    (void)state;
    char *csv = malloc(1100000);
    strcpy(csv, "age,sex,region\n20,F,5\n20,");
    const size_t start = strlen(csv);
    memset(csv + start, 'x', 1 << 20);
    strcpy(csv + start + (1 << 20), ",5\n");
    nw_schema *schema = schema_of(three_columns, 0);
    for (int quoted = 0; quoted < 2; quoted++) {
        csv[start] = csv[start + (1 << 20) - 1] = quoted ? '"' : 'x';
        nw_table *table;
        nw_error err;
        assert_int_equal(read_bytes(&table, schema, csv, strlen(csv), NW__CSV_CHUNK, &err), NW_E_FORMAT);
        assert_string_equal(err.message, "line 3, column 2 (sex): the cell is larger than 64 KiB, or its quote is never closed");
    }
    nw_schema_free(schema);
    free(csv);
}

static void table_read__refuses_bad_headers(void **state)
{
    (void)state;
    refused_text("", "the file is empty: a header with the columns' names is needed");
    refused_text("\xEF\xBB\xBF", "the file is empty: a header with the columns' names is needed");
    refused_text("age,sex\n20,F\n", "line 1: the header lacks the column \"region\" of the schema");
    refused_text(
        "age,sex,region,shoe\n", "line 1, column 4: the header names the column \"shoe\", which the schema does not have");
    refused_text("age,Sex,region\n", "line 1, column 2: the header names the column \"Sex\", which the schema does not have");
    refused_text("age,sex,age\n", "line 1, column 3: the header names the column \"age\" twice");
    refused_text("\n", "line 1, column 1: the header names the column \"\", which the schema does not have");
    refused_text(
        "age,\"s\nx\n\",region\n", "line 1, column 2: the header names the column \"s?x?\", which the schema does not have");
    refused_text("age,\"sex", "line 1, column 2: the quote that begins here is never closed");
}

static void table_read__reports_what_the_system_says(void **state)
{
    (void)state;
    nw_schema *schema = schema_of(three_columns, 0);
    nw_table *table = (nw_table *)1;
    nw_error err;
    assert_int_equal(nw_table_read_csv(&table, schema, "/nowhere/table.csv", &err), NW_E_IO);
    assert_null(table);
    assert_string_equal(err.message, "cannot open /nowhere/table.csv: No such file or directory");
    assert_int_equal(nw_table_read_csv(&table, schema, "/", &err), NW_E_IO);
    assert_string_equal(err.message, "cannot read /: Is a directory");
    assert_int_equal(nw_table_read_csv(NULL, schema, "x", &err), NW_E_ARG);
    assert_int_equal(nw_table_read_csv(&table, NULL, "x", &err), NW_E_ARG);
    assert_int_equal(nw_table_read_csv(&table, schema, NULL, &err), NW_E_ARG);
    nw_schema_free(schema);
}

/* ---- long tables ---- */

static void table_read__keeps_order_over_blocks(void **state)
{
    (void)state;
    const size_t lengths[] = {
        NW__TABLE_BLOCK_ROWS - 1, NW__TABLE_BLOCK_ROWS, NW__TABLE_BLOCK_ROWS + 1, 3 * NW__TABLE_BLOCK_ROWS + 77};
    nw_schema *schema = schema_of("{\"wide\": 1000, \"narrow\": 256}", 0);
    char *csv = malloc(12 * (3 * NW__TABLE_BLOCK_ROWS + 100));
    for (size_t l = 0; l < 4; l++) {
        size_t n = (size_t)sprintf(csv, "narrow,wide\n");
        for (size_t row = 0; row < lengths[l]; row++)
            n += (size_t)sprintf(csv + n, "%zu,%zu\n", row % 251, row % 997);
        nw_table *table = table_of(schema, csv);
        assert_int_equal(nw_table_rows(table), lengths[l]);
        uint16_t *codes = malloc(lengths[l] * sizeof *codes);
        for (size_t column = 0; column < 2; column++) {
            assert_int_equal(nw_table_get(table, column, 0, lengths[l], codes, NULL), NW_OK);
            for (size_t row = 0; row < lengths[l]; row++)
                if (codes[row] != row % (column == 0 ? 997 : 251))
                    fail_msg("row %zu of column %zu holds %u", row, column, codes[row]);
        }
        size_t rows = 0;
        for (size_t block = 0; block < nw__table_blocks(table); block++) {
            const uint8_t *narrow = nw__table_block(table, 1, block);
            const uint16_t *wide = nw__table_block(table, 0, block);
            for (size_t i = 0; i < nw__table_block_rows(table, block); i++, rows++)
                assert_true(narrow[i] == rows % 251 && wide[i] == rows % 997);
        }
        assert_int_equal(rows, lengths[l]);
        free(codes);
        nw_table_free(table);
    }
    free(csv);
    nw_schema_free(schema);
}

/* ---- gzip and standard input ---- */

static size_t compress_text(const char *text, unsigned char *out, size_t room)
{
    z_stream z = {
        .next_in = (unsigned char *)(uintptr_t)text, .avail_in = (uInt)strlen(text), .next_out = out, .avail_out = (uInt)room};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

static void table_read__undoes_gzip_of_any_number_of_members(void **state)
{
    (void)state;
    unsigned char bytes[4096];
    size_t n = compress_text("age,sex,region\n20,F", bytes, sizeof bytes);
    n += compress_text("", bytes + n, sizeof bytes - n);
    n += compress_text(",5\n,M,0\n39,,11\n", bytes + n, sizeof bytes - n);
    nw_schema *schema = schema_of(three_columns, 0);
    for (size_t chunk = 1; chunk <= 64; chunk++) {
        nw_table *table;
        nw_error err;
        if (read_bytes(&table, schema, bytes, n, chunk, &err) != NW_OK)
            fail_msg("%s", err.message);
        assert_int_equal(nw_table_rows(table), 3);
        assert_int_equal(code_at(table, 0, 2), 22);
        nw_table_free(table);
    }
    nw_schema_free(schema);
}

static void table_read__refuses_gzip_cut_or_damaged_anywhere(void **state)
{
    (void)state;
    unsigned char bytes[4096];
    const size_t n = compress_text("age,sex,region\n20,F,5\n,M,0\n39,,11\n", bytes, sizeof bytes);
    nw_schema *schema = schema_of(three_columns, 0);
    nw_table *table;
    nw_error err;
    for (size_t length = 2; length < n; length++) {
        assert_int_equal(read_bytes(&table, schema, bytes, length, NW__CSV_CHUNK, &err), NW_E_FORMAT);
        assert_non_null(strstr(err.message, "the gzip data are cut short"));
    }
    for (size_t at = 10; at < n; at++) { /* after the header, some of whose bytes mean nothing */
        bytes[at] ^= 0x55;
        assert_int_equal(read_bytes(&table, schema, bytes, n, NW__CSV_CHUNK, &err), NW_E_FORMAT);
        bytes[at] ^= 0x55;
    }
    memcpy(bytes + n, "rest", 4);
    assert_int_equal(read_bytes(&table, schema, bytes, n + 4, NW__CSV_CHUNK, &err), NW_E_FORMAT);
    assert_non_null(strstr(err.message, "bytes that are not gzip follow"));
    assert_int_equal(read_bytes(&table, schema, bytes, compress_text("", bytes, sizeof bytes), NW__CSV_CHUNK, &err), NW_E_FORMAT);
    assert_non_null(strstr(err.message, "the file is empty"));
    nw_schema_free(schema);
}

static void table_read__reads_standard_input(void **state)
{
    (void)state;
    unsigned char compressed[4096];
    const char text[] = "age,sex,region\n20,F,5\n";
    const size_t n = compress_text(text, compressed, sizeof compressed);
    nw_schema *schema = schema_of(three_columns, 0);
    const int saved = dup(STDIN_FILENO);
    for (int is_gzip = 0; is_gzip < 2; is_gzip++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        assert_true(write(ends[1], is_gzip ? (const void *)compressed : text, is_gzip ? n : strlen(text)) > 0);
        close(ends[1]);
        assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
        close(ends[0]);
        nw_table *table;
        assert_int_equal(nw_table_read_csv(&table, schema, "-", NULL), NW_OK);
        assert_int_equal(nw_table_rows(table), 1);
        assert_int_equal(code_at(table, 2, 0), 5);
        nw_table_free(table);
        assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), 0); /* still open */
    }
    assert_true(saved < 0 || dup2(saved, STDIN_FILENO) == STDIN_FILENO);
    close(saved);
    nw_schema_free(schema);
}

/* ---- values instead of codes ---- */

typedef struct rows {
    double values[8][6];
    size_t count;
    size_t limit;
} rows;

static bool keep_row(void *context, const double *values)
{
    rows *r = context;
    memcpy(r->values[r->count++], values, 6 * sizeof *values);
    return r->count < r->limit;
}

static const char six_columns[] =
    "{\"n\": {\"type\": \"int\", \"lower\": -5, \"upper\": 1000000, \"nullable\": false},"
    " \"x\": {\"type\": \"float\", \"lower\": 0, \"upper\": 2, \"step\": 0.5},"
    " \"c\": {\"type\": \"categorical\", \"values\": [\"a\", \"b\"]}, \"b\": {\"type\": \"bool\", \"nullable\": false},"
    " \"d\": {\"type\": \"date\", \"lower\": \"1970-01-01\", \"upper\": \"1999-12-31\"}, \"k\": 4}";

static void assert_row(const double *got, const double *wanted)
{
    for (size_t i = 0; i < 6; i++)
        assert_true(isnan(wanted[i]) ? isnan(got[i]) : got[i] == wanted[i]);
}

static void table_scan__gives_numbers_uncut_and_codes_of_the_rest(void **state)
{
    (void)state;
    nw_error err;
    char path[64];
    rows r = {.limit = 9};
    nw_schema *schema = schema_of(six_columns, 3);
    static const char csv[] = "k,d,b,c,x,n\n3,1970-02-01,true,b, 0.123456789 ,654321\n9,2020-01-01,f,z,7,-6\n,,,,,\n"
                              "x,1970-13-01,maybe,a,nan,1e9\n";
    const int fd = file_of(csv, strlen(csv), path);
    assert_int_equal(nw_table_scan_csv(schema, path, keep_row, &r, &err), NW_OK);
    assert_int_equal(r.count, 4);
    assert_row(r.values[0], (const double[]){654321, 0.123456789, 1, 1, 31, 3});
    assert_row(r.values[1], (const double[]){-5, 2, NAN, 0, 10956, 3});
    assert_row(r.values[2], (const double[]){-5, NAN, NAN, 0, NAN, 0});
    assert_row(r.values[3], (const double[]){1e6, NAN, 0, 0, NAN, 0});
    close(fd);
    nw_schema_free(schema);
}

static void table_scan__stops_when_told_and_refuses_what_the_reader_refuses(void **state)
{
    (void)state;
    nw_error err;
    char path[64];
    rows r = {.limit = 1};
    nw_schema *schema = schema_of(six_columns, 3);
    static const char csv[] = "k,d,b,c,x,n\n1,,,,,\n1,,,,,\n1,,,\n";
    const int fd = file_of(csv, strlen(csv), path);
    assert_int_equal(nw_table_scan_csv(schema, path, keep_row, &r, &err), NW_E_CANCELLED);
    assert_int_equal(r.count, 1);
    r.limit = 9;
    assert_int_equal(nw_table_scan_csv(schema, path, keep_row, &r, &err), NW_E_FORMAT);
    assert_non_null(strstr(err.message, "line 4"));
    assert_int_equal(nw_table_scan_csv(schema, "/nowhere/at/all", keep_row, &r, &err), NW_E_IO);
    assert_int_equal(nw_table_scan_csv(NULL, path, keep_row, &r, &err), NW_E_ARG);
    assert_int_equal(nw_table_scan_csv(schema, NULL, keep_row, &r, &err), NW_E_ARG);
    assert_int_equal(nw_table_scan_csv(schema, path, NULL, &r, &err), NW_E_ARG);
    close(fd);
    nw_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_read__maps_integers_to_the_nearest_value),
        cmocka_unit_test(table_read__maps_floats_to_bins),
        cmocka_unit_test(table_read__maps_logarithmic_columns_in_order),
        cmocka_unit_test(table_read__maps_categories_bools_dates_and_codes),
        cmocka_unit_test(table_read__finds_each_of_many_labels),
        cmocka_unit_test(table_read__takes_the_dialects_of_csv),
        cmocka_unit_test(table_read__takes_a_header_alone_as_no_rows),
        cmocka_unit_test(table_read__refuses_malformed_files_with_line_and_column),
        cmocka_unit_test(table_read__refuses_an_oversized_cell),
        cmocka_unit_test(table_read__refuses_bad_headers),
        cmocka_unit_test(table_read__reports_what_the_system_says),
        cmocka_unit_test(table_read__keeps_order_over_blocks),
        cmocka_unit_test(table_read__undoes_gzip_of_any_number_of_members),
        cmocka_unit_test(table_read__refuses_gzip_cut_or_damaged_anywhere),
        cmocka_unit_test(table_read__reads_standard_input),
        cmocka_unit_test(table_scan__gives_numbers_uncut_and_codes_of_the_rest),
        cmocka_unit_test(table_scan__stops_when_told_and_refuses_what_the_reader_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
