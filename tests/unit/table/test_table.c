/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "table_support.h"

static void table_new__makes_rows_of_code_zero(void **state)
{
    (void)state;
    nw_schema *schema = schema_of("{\"a\": 7, \"b\": 300}", 0);
    const size_t rows = 2 * NW__TABLE_BLOCK_ROWS + 5;
    nw_table *table;
    assert_int_equal(nw_table_new(&table, schema, rows, NULL), NW_OK);
    nw_schema_free(schema); /* the table keeps its own */
    assert_int_equal(nw_table_rows(table), rows);
    assert_int_equal(nw_schema_columns(nw_table_schema(table)), 2);
    assert_int_equal(nw__table_blocks(table), 3);
    assert_int_equal(nw__table_block_rows(table, 2), 5);
    for (size_t row = 0; row < rows; row += 1021)
        assert_int_equal(code_at(table, 0, row) + code_at(table, 1, row), 0);
    nw_table_free(table);
    nw_table_free(NULL);
    nw_schema_free(NULL);
}

static void table_set__is_read_back_by_get_across_blocks(void **state)
{
    (void)state;
    nw_schema *schema = schema_of("{\"narrow\": 256, \"wide\": 257}", 0);
    const size_t rows = NW__TABLE_BLOCK_ROWS + 1000;
    nw_table *table;
    assert_int_equal(nw_table_new(&table, schema, rows, NULL), NW_OK);
    uint16_t codes[700];
    uint16_t back[702];
    for (size_t column = 0; column < 2; column++) {
        for (size_t i = 0; i < 700; i++)
            codes[i] = (uint16_t)((i * 37 + 255) % (256 + column));
        const size_t first = NW__TABLE_BLOCK_ROWS - 350;
        assert_int_equal(nw_table_set(table, column, first, 700, codes, NULL), NW_OK);
        assert_int_equal(nw_table_get(table, column, first - 1, 702, back, NULL), NW_OK);
        assert_memory_equal(back + 1, codes, sizeof codes);
        assert_int_equal(back[0] + back[701], 0);
    }
    assert_int_equal(nw_table_set(table, 0, rows, 0, NULL, NULL), NW_OK); /* nothing, at the very end */
    nw_table_free(table);
    nw_schema_free(schema);
}

static void table_get_set__refuse_what_is_out_of_range(void **state)
{
    (void)state;
    nw_schema *schema = schema_of("{\"a\": 7, \"b\": {\"type\": \"bool\"}}", 0);
    nw_table *table;
    nw_error err;
    assert_int_equal(nw_table_new(&table, schema, 10, NULL), NW_OK);
    uint16_t codes[2] = {6, 7};
    assert_int_equal(nw_table_get(table, 2, 0, 1, codes, &err), NW_E_ARG);
    assert_string_equal(err.message, "column is 2, must be less than 2");
    assert_int_equal(nw_table_get(table, 0, 10, 1, codes, &err), NW_E_ARG);
    assert_int_equal(nw_table_get(table, 0, 11, 0, codes, &err), NW_E_ARG);
    assert_int_equal(nw_table_get(table, 0, 1, SIZE_MAX, codes, &err), NW_E_ARG);
    assert_int_equal(nw_table_get(table, 0, 0, 1, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_table_get(NULL, 0, 0, 1, codes, &err), NW_E_ARG);
    assert_int_equal(nw_table_set(table, 0, 9, 2, codes, &err), NW_E_ARG);
    assert_int_equal(nw_table_set(table, 0, 3, 2, codes, &err), NW_E_ARG);
    assert_string_equal(err.message, "a code of column \"a\" is not less than its 7 cells");
    assert_int_equal(code_at(table, 0, 3), 0); /* nothing was written */
    assert_int_equal(nw_table_new(NULL, schema, 1, &err), NW_E_ARG);
    nw_table *none = table;
    assert_int_equal(nw_table_new(&none, NULL, 1, &err), NW_E_ARG);
    assert_null(none);
    nw_table_free(table);
    nw_schema_free(schema);
}

static void table_new__refuses_a_size_that_cannot_be_had(void **state)
{
    (void)state;
    nw_schema *schema = schema_of("{\"a\": 7, \"b\": 300}", 0);
    const size_t rows[] = {SIZE_MAX, SIZE_MAX / 3, SIZE_MAX / 8, (size_t)1 << 52};
    for (size_t i = 0; i < 4; i++) {
        nw_table *table = (nw_table *)1;
        nw_error err;
        assert_int_equal(nw_table_new(&table, schema, rows[i], &err), NW_E_NOMEM);
        assert_null(table);
    }
    nw_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_new__makes_rows_of_code_zero),
        cmocka_unit_test(table_set__is_read_back_by_get_across_blocks),
        cmocka_unit_test(table_get_set__refuse_what_is_out_of_range),
        cmocka_unit_test(table_new__refuses_a_size_that_cannot_be_had),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
