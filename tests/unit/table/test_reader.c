/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_reader.c - nw_csv_reader: block after block the codes that nw_table_read_csv gives, the texts, and what is refused. */
#include "table_support.h"

#include <math.h>

static nw_csv_reader *reader_of(const nw_schema *schema, const char *csv, const bool *is_wanted, int *fd)
{
    char path[64];
    nw_error err;
    nw_csv_reader *reader = NULL;
    *fd = file_of(csv, strlen(csv), path);
    if (nw__csv_reader_open(&reader, schema, path, is_wanted, 7, &err) != NW_OK)
        fail_msg("%s", err.message);
    return reader;
}

static void reader__gives_the_codes_of_the_table_and_nothing_unwanted(void **state)
{
    (void)state;
    const size_t lengths[] = { 0, 1, NW__TABLE_BLOCK_ROWS, NW__TABLE_BLOCK_ROWS + 1, 2 * NW__TABLE_BLOCK_ROWS + 77 };
    nw_schema *schema = schema_of("{\"wide\": 1000, \"narrow\": 256, \"skipped\": 300}", 0);
    const bool is_wanted[] = { true, true, false };
    char *csv = malloc(20 * (2 * NW__TABLE_BLOCK_ROWS + 100));
    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
        size_t n = (size_t)sprintf(csv, "narrow,skipped,wide\n");
        for (size_t row = 0; row < lengths[l]; row++)
            n += (size_t)sprintf(csv + n, "%zu,%zu,%zu\n", row % 251, row % 300, row % 997);
        nw_table *table = table_of(schema, csv);
        int fd;
        nw_csv_reader *reader = reader_of(schema, csv, is_wanted, &fd);
        size_t all = 0;
        size_t rows = 1;
        while (assert_int_equal(nw_csv_reader_next(reader, &rows, NULL), NW_OK), rows > 0) {
            const nw_table *block = nw_csv_reader_block(reader);
            assert_int_equal(nw_table_rows(block), rows);
            for (size_t i = 0; i < rows; i++, all++) {
                assert_int_equal(code_at(block, 0, i), code_at(table, 0, all));
                assert_int_equal(code_at(block, 1, i), code_at(table, 1, all));
                assert_int_equal(code_at(block, 2, i), 0);
            }
        }
        assert_int_equal(all, lengths[l]);
        assert_int_equal(nw_csv_reader_next(reader, &rows, NULL), NW_OK); /* again the end */
        assert_int_equal(rows, 0);
        nw_csv_reader_close(reader);
        nw_table_free(table);
        close(fd);
    }
    free(csv);
    nw_schema_free(schema);
}

static void assert_text(const nw_csv_reader *reader, size_t column, size_t row, const char *expected)
{
    size_t size = 99;
    const char *text = nw_csv_reader_text(reader, column, row, &size);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(text, expected, size);
}

static void reader__gives_texts_as_they_stand(void **state)
{
    (void)state;
    nw_schema *schema = schema_of("{\"n\": 5, \"t\": {\"type\": \"text\"}, \"u\": {\"type\": \"text\"}}", 0);
    const bool is_wanted[] = { false, true, false };
    int fd;
    size_t rows;
    nw_csv_reader *reader =
        reader_of(schema, "t,n,u\n  two words ,1,a\n\"x, \"\"y\"\"\n z \",2,b\n,3,c\n\"\",4,d\nlast,0,e", is_wanted, &fd);
    assert_int_equal(nw_csv_reader_next(reader, &rows, NULL), NW_OK);
    assert_int_equal(rows, 5);
    const char *const expected[] = { "two words", "x, \"y\"\n z ", "", "", "last" };
    for (size_t i = 0; i < 5; i++) {
        assert_text(reader, 1, i, expected[i]);
        assert_text(reader, 2, i, ""); /* not wanted */
        assert_int_equal(code_at(nw_csv_reader_block(reader), 1, i), expected[i][0] == '\0');
    }
    assert_text(reader, 0, 0, ""); /* no text */
    assert_text(reader, 1, 5, "");
    assert_text(reader, 3, 0, "");
    nw_csv_reader_close(reader);
    close(fd);
    nw_schema_free(schema);
}

/* Texts that outgrow the buffer several times over, in more than one block. */
static void reader__keeps_texts_of_a_whole_block(void **state)
{
    (void)state;
    enum { ROWS = 70000 };
    nw_schema *schema = schema_of("{\"t\": {\"type\": \"text\"}}", 0);
    char *csv = malloc(32 * ROWS);
    char text[32];
    int fd;
    size_t n = (size_t)sprintf(csv, "t\n");
    for (size_t row = 0; row < ROWS; row++)
        n += (size_t)sprintf(csv + n, "%.*s%zu\n", (int)(row % 19), "aaaaaaaaaaaaaaaaaaa", row);
    nw_csv_reader *reader = reader_of(schema, csv, NULL, &fd);
    size_t rows = 1;
    size_t all = 0;
    while (assert_int_equal(nw_csv_reader_next(reader, &rows, NULL), NW_OK), rows > 0)
        for (size_t i = 0; i < rows; i++, all++) {
            snprintf(text, sizeof text, "%.*s%zu", (int)(all % 19), "aaaaaaaaaaaaaaaaaaa", all);
            assert_text(reader, 0, i, text);
        }
    assert_int_equal(all, ROWS);
    nw_csv_reader_close(reader);
    close(fd);
    free(csv);
    nw_schema_free(schema);
}

static void reader__refuses_malformed_rows_in_columns_that_nobody_wants(void **state)
{
    (void)state;
    static const struct bad {
        const char *csv;
        const char *message;
    } bad[] = { { "a,b\n1,2\n1\"2,3\n", "line 3, column 1 (a): a quote inside an unquoted cell" },
        { "a,b\n1\n", "line 2, column 1 (a): the row ends after 1 of 2 cells" }, { "a,b\n1,2,3\n", "line 2, column 3" },
        { "a,b\n\"1,2\n", "the quote that begins here is never closed" },
        { "a,b\n1,2\n\n1,2\n", "line 3, column 1 (a): a blank line between rows" } };
    nw_schema *schema = schema_of("{\"a\": 9, \"b\": 9}", 0);
    const bool is_wanted[] = { false, false };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int fd;
        size_t rows = 1;
        nw_error err;
        nw_csv_reader *reader = reader_of(schema, bad[i].csv, is_wanted, &fd);
        assert_int_equal(nw_csv_reader_next(reader, &rows, &err), NW_E_FORMAT);
        if (strstr(err.message, bad[i].message) == NULL)
            fail_msg("\"%s\", expected \"%s\"", err.message, bad[i].message);
        assert_int_equal(rows, 0);
        assert_int_equal(nw_table_rows(nw_csv_reader_block(reader)), 0);
        assert_int_equal(nw_csv_reader_next(reader, &rows, &err), NW_OK);
        assert_int_equal(rows, 0); /* and no more */
        nw_csv_reader_close(reader);
        close(fd);
    }
    nw_schema_free(schema);
}

static void reader_open__refuses_what_cannot_be_read(void **state)
{
    (void)state;
    nw_schema *schema = schema_of("{\"a\": 9}", 0);
    nw_csv_reader *reader;
    nw_error err;
    char path[64];
    size_t rows;
    const int fd = file_of("b\n1\n", 4, path);
    assert_int_equal(nw_csv_reader_open(NULL, schema, "x", NULL, &err), NW_E_ARG);
    assert_int_equal(nw_csv_reader_open(&reader, NULL, "x", NULL, &err), NW_E_ARG);
    assert_int_equal(nw_csv_reader_open(&reader, schema, NULL, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_csv_reader_open(&reader, schema, "/nowhere/t.csv", NULL, &err), NW_E_IO);
    assert_int_equal(nw_csv_reader_open(&reader, schema, path, NULL, &err), NW_E_FORMAT);
    assert_null(reader);
    assert_int_equal(nw_csv_reader_next(NULL, &rows, &err), NW_E_ARG);
    nw_csv_reader_close(NULL);
    close(fd);
    nw_schema_free(schema);
}

static void reader__gives_numbers_uncut_beside_codes(void **state)
{
    (void)state;
    nw_schema *schema =
        schema_of("{\"x\": {\"type\": \"float\", \"lower\": 0, \"upper\": 9}, \"d\": {\"type\": \"date\", \"lower\": "
                  "\"1970-01-01\", \"upper\": \"1999-12-31\"}, \"b\": {\"type\": \"bool\", \"nullable\": false}, "
                  "\"t\": {\"type\": \"text\"}}",
            3);
    const bool is_wanted[] = { true, false, false, false };
    const double expected[3][3] = { { 1.234567, 31, 1 }, { 9, NAN, 0 }, { NAN, 1, 0 } };
    int fd;
    size_t rows;
    nw_error err;
    nw_csv_reader *reader = reader_of(schema, "t,b,d,x\na,true,1970-02-01,1.234567\n,false,,77\n,,1970-01-02,\n", is_wanted, &fd);
    for (size_t c = 0; c < 3; c++)
        assert_int_equal(nw_csv_reader_want_numbers(reader, c, &err), NW_OK);
    assert_int_equal(nw_csv_reader_want_numbers(reader, 0, &err), NW_OK); /* twice */
    assert_int_equal(nw_csv_reader_want_numbers(NULL, 0, &err), NW_E_ARG);
    assert_int_equal(nw_csv_reader_want_numbers(reader, 3, &err), NW_E_ARG);
    assert_int_equal(nw_csv_reader_want_numbers(reader, 4, &err), NW_E_ARG);
    assert_int_equal(nw_csv_reader_next(reader, &rows, &err), NW_OK);
    assert_int_equal(rows, 3);
    for (size_t c = 0; c < 3; c++)
        for (size_t row = 0; row < rows; row++) {
            const double got = nw_csv_reader_numbers(reader, c)[row];
            assert_true(isnan(expected[row][c]) ? isnan(got) : got == expected[row][c]);
        }
    assert_int_equal(code_at(nw_csv_reader_block(reader), 0, 1), 2);
    assert_int_equal(code_at(nw_csv_reader_block(reader), 1, 0), 0); /* its codes were not asked for */
    assert_null(nw_csv_reader_numbers(reader, 3));
    assert_null(nw_csv_reader_numbers(reader, 9));
    assert_int_equal(nw_csv_reader_want_numbers(reader, 1, &err), NW_E_STATE);
    nw_csv_reader_close(reader);
    close(fd);
    nw_schema_free(schema);
}

static void table__refuses_columns_of_text(void **state)
{
    (void)state;
    nw_schema *schema = schema_of("{\"a\": 9, \"note\": {\"type\": \"text\"}}", 0);
    nw_table *table;
    nw_error err;
    assert_int_equal(read_bytes(&table, schema, "a,note\n", 7, NW__CSV_CHUNK, &err), NW_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "column \"note\" is text"));
    assert_int_equal(nw_table_new(&table, schema, 3, &err), NW_E_UNSUPPORTED);
    assert_null(table);
    nw_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader__gives_the_codes_of_the_table_and_nothing_unwanted),
        cmocka_unit_test(reader__gives_texts_as_they_stand),
        cmocka_unit_test(reader__gives_numbers_uncut_beside_codes),
        cmocka_unit_test(reader__keeps_texts_of_a_whole_block),
        cmocka_unit_test(reader__refuses_malformed_rows_in_columns_that_nobody_wants),
        cmocka_unit_test(reader_open__refuses_what_cannot_be_read),
        cmocka_unit_test(table__refuses_columns_of_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
