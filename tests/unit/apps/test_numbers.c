/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_numbers.c - what the apps read and print as numbers. */
#include "numbers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void parse_real__takes_decimal_numbers(void **state)
{
    static const struct {
        const char *text;
        double value;
    } cases[] = { { "1", 1.0 }, { "-0.5", -0.5 }, { "+2.", 2.0 }, { ".25", 0.25 }, { "1e-9", 1e-9 }, { "3E+2", 300.0 } };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value = NAN;
        assert_true(app_parse_real(cases[i].text, &value));
        assert_true(value == cases[i].value);
    }
}

static void parse_real__refuses_everything_else(void **state)
{
    static const char *const cases[] = { "", " 1", "1 ", "1x", "x", "nan", "inf", "-inf", "infinity", "0x1p3", "1e", "e5", ".",
        "1e999", "1,5", "1.2.3", "--1", "1-2" };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value = 7.0;
        if (app_parse_real(cases[i], &value))
            fail_msg("\"%s\" was read as %g", cases[i], value);
        assert_true(value == 7.0);
    }
}

static void parse_count__takes_whole_numbers(void **state)
{
    static const struct {
        const char *text;
        uint64_t value;
    } cases[] = { { "0", 0 }, { "007", 7 }, { "18446744073709551615", UINT64_MAX }, { "1e6", 1000000 }, { "2.5e1", 25 },
        { "1e17", 100000000000000000 }, { "123456789012345678e1", 1234567890123456780 }, { "0e9", 0 } };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t value = 99;
        assert_true(app_parse_count(cases[i].text, &value));
        assert_true(value == cases[i].value);
    }
}

static void parse_count__refuses_everything_else(void **state)
{
    static const char *const cases[] = { "", "-1", "1.5", "18446744073709551616", "1e20", "2.5e17", "1e-1", "1e", "0x10", "1 ",
        "ten", "-0.1" };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t value;
        if (app_parse_count(cases[i], &value))
            fail_msg("\"%s\" was read as a count", cases[i]);
    }
}

static void is_inside__tells_open_from_closed_ends(void **state)
{
    (void)state;
    assert_false(app_is_inside("(0, 64]", 0.0));
    assert_true(app_is_inside("(0, 64]", 5e-324));
    assert_true(app_is_inside("(0, 64]", 64.0));
    assert_false(app_is_inside("(0, 64]", nextafter(64.0, 65.0)));
    assert_true(app_is_inside("[0, 1)", 0.0));
    assert_false(app_is_inside("[0, 1)", 1.0));
    assert_true(app_is_inside("[0, 1e15]", 1e15));
    assert_false(app_is_inside("[0, 1e15]", -1.0));
}

/* Values on both sides of six digits, over the magnitudes that budgets have. */
static void text_up_and_down__enclose_the_value(void **state)
{
    (void)state;
    for (double scale = 1e-30; scale < 1e7; scale *= 10.0) {
        for (int i = 0; i < 2000; i++) {
            char up[APP_NUMBER_SIZE];
            char down[APP_NUMBER_SIZE];
            const double value = scale * (1.0 + i * 9.0 / 2000.0 + (i % 7 - 3) * 1e-9);
            const double above = strtod(app_text_up(value, up), NULL);
            const double below = strtod(app_text_down(value, down), NULL);
            assert_true(below <= value && value <= above);
            assert_true(above - below <= 2.1e-5 * value);
        }
    }
}

static void text_up_and_down__keep_short_numbers(void **state)
{
    static const char *const cases[] = { "0", "1", "4", "0.5", "1e-09", "0.249", "3.99999" };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[APP_NUMBER_SIZE];
        const double value = strtod(cases[i], NULL);
        assert_string_equal(app_text_up(value, text), cases[i]);
        assert_string_equal(app_text_down(value, text), cases[i]);
    }
}

static void text_up__takes_infinity(void **state)
{
    char text[APP_NUMBER_SIZE];
    (void)state;
    assert_string_equal(app_text_up(INFINITY, text), "inf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_real__takes_decimal_numbers),
        cmocka_unit_test(parse_real__refuses_everything_else),
        cmocka_unit_test(parse_count__takes_whole_numbers),
        cmocka_unit_test(parse_count__refuses_everything_else),
        cmocka_unit_test(is_inside__tells_open_from_closed_ends),
        cmocka_unit_test(text_up_and_down__enclose_the_value),
        cmocka_unit_test(text_up_and_down__keep_short_numbers),
        cmocka_unit_test(text_up__takes_infinity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
