/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_census.c CSV SCHEMA - the generated example table: its bytes, and the dependences that datasets/README.md promises. */
#include "table_support.h"

#include <sodium.h>

static const char *csv_path;
static const char *schema_path;
static nw_table *table;

enum { AGE, SEX, EDUCATION, MARITAL, CHILDREN, REGION, EMPLOYED, OCCUPATION, HOURS, INCOME, SINCE };

static int read_census(void **state)
{
    (void)state;
    nw_schema *schema = NULL;
    nw_error err = {0};
    const bool is_read =
        nw_schema_read(&schema, schema_path, 0, &err) == NW_OK && nw_table_read_csv(&table, schema, csv_path, &err) == NW_OK;
    nw_schema_free(schema);
    if (!is_read)
        print_error("%s\n", err.message);
    return !is_read;
}

static int free_census(void **state)
{
    (void)state;
    nw_table_free(table);
    return 0;
}

static void census__has_the_same_bytes_everywhere(void **state)
{
    (void)state;
    uint8_t digest[32];
    char hex[65];
    char block[4096];
    crypto_generichash_state hash;
    crypto_generichash_init(&hash, NULL, 0, sizeof digest);
    FILE *file = fopen(csv_path, "rb");
    assert_non_null(file);
    for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0;)
        crypto_generichash_update(&hash, (const uint8_t *)block, n);
    fclose(file);
    crypto_generichash_final(&hash, digest, sizeof digest);
    sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
    assert_string_equal(hex, "7f648d362414e100d3afc01d4752d1f0ccaaae220951dbf24fc98420b0fec383");
    assert_int_equal(nw_table_rows(table), 20000);
}

/* Rows for which `a` is in [a_low, a_high] and `b` in [b_low, b_high]; codes. */
static double count(int a, unsigned a_low, unsigned a_high, int b, unsigned b_low, unsigned b_high)
{
    double n = 0;
    for (size_t row = 0; row < nw_table_rows(table); row++) {
        const unsigned x = code_at(table, (size_t)a, row);
        const unsigned y = code_at(table, (size_t)b, row);
        n += x >= a_low && x <= a_high && y >= b_low && y <= b_high;
    }
    return n;
}

static double share(int of, unsigned low, unsigned high, int given, unsigned given_low, unsigned given_high)
{
    return count(of, low, high, given, given_low, given_high) / count(given, given_low, given_high, given, given_low, given_high);
}

static void census__has_the_promised_dependences(void **state)
{
    (void)state;
    assert_true(count(OCCUPATION, 0, 10, EMPLOYED, 0, 0) == 0); /* no occupation or hours without employment */
    assert_true(count(HOURS, 80, 80, EMPLOYED, 1, 1) == 0 && count(HOURS, 0, 79, EMPLOYED, 0, 0) == 0);
    const double at_40 = share(HOURS, 39, 39, EMPLOYED, 1, 1);
    assert_true(at_40 > 0.49 && at_40 < 0.51); /* the atom */
    const double without_income = share(INCOME, 0, 0, INCOME, 0, 99);
    assert_true(without_income > 0.21 && without_income < 0.23);
    assert_true(share(MARITAL, 0, 0, AGE, 0, 4) > 0.95);                                              /* below 22: single */
    assert_true(share(MARITAL, 4, 4, AGE, 49, 73) > 0.25 && share(MARITAL, 4, 4, AGE, 0, 14) < 0.01); /* widowed: the old */
    assert_true(share(OCCUPATION, 7, 7, SEX, 0, 0) > 3 * share(OCCUPATION, 7, 7, SEX, 1, 1));         /* health: women */
    assert_true(share(OCCUPATION, 3, 3, SEX, 1, 1) > 5 * share(OCCUPATION, 3, 3, SEX, 0, 0));         /* construction: men */
    const unsigned rich = nw__domain_encode_number(&nw_table_schema(table)->domains[INCOME], 60000);
    assert_true(share(INCOME, rich, 99, EDUCATION, 7, 7) > 6 * share(INCOME, rich, 99, EDUCATION, 0, 3)); /* doctorates pay */
    const unsigned very_rich = nw__domain_encode_number(&nw_table_schema(table)->domains[INCOME], 200000);
    assert_true(count(INCOME, very_rich, 99, INCOME, 0, 100) > 40); /* the tail */
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(census__has_the_same_bytes_everywhere),
        cmocka_unit_test(census__has_the_promised_dependences),
    };
    if (argc != 3)
        return 2;
    csv_path = argv[1];
    schema_path = argv[2];
    return cmocka_run_group_tests(tests, read_census, free_census);
}
