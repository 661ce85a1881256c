/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_real.c FOLDER - public tables that are not part of the project, if the build was told where they are (option
 * real_data_dir). */
#include "table_support.h"

static const char *folder;

static void real_table(const char *schema_name, const char *csv_name, size_t rows, size_t columns, bool is_nullable)
{
    char path[4096];
    nw_schema *schema;
    nw_table *table;
    nw_error err;
    snprintf(path, sizeof path, "%s/%s", folder, schema_name);
    if (nw_schema_read(&schema, path, 0, &err) != NW_OK)
        fail_msg("%s", err.message);
    snprintf(path, sizeof path, "%s/%s", folder, csv_name);
    if (nw_table_read_csv(&table, schema, path, &err) != NW_OK)
        fail_msg("%s", err.message);
    assert_int_equal(nw_table_rows(table), rows);
    assert_int_equal(nw_schema_columns(schema), columns);
    for (size_t c = 0; c < columns; c++)
        assert_int_equal(nw_schema_column(schema, c).is_nullable, is_nullable);
    nw_table_free(table);
    nw_schema_free(schema);
}

static void real__adult_codes(void **state)
{
    (void)state;
    real_table("adult/adult-codes-domain.json", "adult/adult-codes.csv", 48842, 14, false);
}

static void real__adult(void **state)
{
    (void)state;
    real_table("adult/adult-domain.json", "adult/adult-train.csv", 32561, 15, true);
}

static void real__acs_massachusetts(void **state)
{
    (void)state;
    real_table("acs-ma2019/acs-ma2019-domain.json", "acs-ma2019/acs-ma2019.csv", 7634, 24, true);
}

static void real__acs_california(void **state)
{
    (void)state;
    real_table("acs-california/acs-california-domain.json", "acs-california/acs-california.csv", 10000, 10, true);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real__adult_codes),
        cmocka_unit_test(real__adult),
        cmocka_unit_test(real__acs_massachusetts),
        cmocka_unit_test(real__acs_california),
    };
    if (argc < 2 || argv[1][0] == '\0') {
        puts("1..0 # SKIP skipped: no real data");
        return 0;
    }
    folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
