/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "table_support.h"

#include <locale.h>
#include <math.h>
#include <time.h>

/* The C library is the oracle, in the "C" locale in which tests start. */
static void same_as_strtod(const char *text)
{
    double value;
    if (!nw__parse_number(text, strlen(text), &value))
        fail_msg("%s refused", text);
    if (value != strtod(text, NULL))
        fail_msg("%s read as %.17g, strtod says %.17g", text, value, strtod(text, NULL));
}

static void parse_number__agrees_with_strtod_on_hard_cases(void **state)
{
    (void)state;
    const char *const hard[] = {"0", "-0", "+5", "39.0", "1e3", "1E+3", "1.e2", ".5", "-.5e1", "007", "0.1", "0.3",
        "123456789012345678", "9007199254740993", "9007199254740992", "9007199254740991", "1e22", "1e23", "8.5e22", "1e-22",
        "1e-23", "5e-324", "4.9e-324", "2.4703282292062327e-324", "2.4703282292062328e-324", "2.2250738585072011e-308",
        "2.2250738585072014e-308", "1.7976931348623157e308", "1.7976931348623159e308", "1e999", "-1e999", "1e-999",
        "0e999999999999999999999", "1e99999999999999999999", "1e-99999999999999999999", "18446744073709551616",
        "00000000000000000000000000000000001.5", "0.00000000000000000000000000000000000000015", "6.02214076e23",
        "179769313486231580793e289"};
    for (size_t i = 0; i < sizeof hard / sizeof hard[0]; i++)
        same_as_strtod(hard[i]);
}

/* Halfway between two doubles, with the deciding digit far behind: 1 + 2^-53 written out, then zeros, then a 1. */
static void parse_number__rounds_right_however_many_digits(void **state)
{
    (void)state;
    char text[2200] = "1.00000000000000011102230246251565404236316680908203125";
    same_as_strtod(text);
    size_t n = strlen(text);
    for (size_t zeros = 1; n < 2000; zeros++) {
        memset(text + n, '0', 40);
        n += 40;
        strcpy(text + n, "1");
        same_as_strtod(text);
    }
    memset(text, '9', 2100);
    strcpy(text + 2100, "e-1900");
    same_as_strtod(text);
    memset(text, '0', 2100);
    memcpy(text, "0.", 2);
    strcpy(text + 2090, "7e2000");
    same_as_strtod(text);
}

static void parse_number__agrees_with_strtod_on_random_decimals(void **state)
{
    (void)state;
    nw_rng *rng;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 1, NULL), NW_OK);
    for (int i = 0; i < 50000; i++) {
        uint64_t r[3];
        char text[64];
        assert_int_equal(nw_rng_bytes(rng, r, sizeof r, NULL), NW_OK);
        double bits;
        memcpy(&bits, &r[0], sizeof bits);
        switch (r[1] % 4) {
        case 0: snprintf(text, sizeof text, "%.*g", (int)(r[2] % 20) + 1, isfinite(bits) ? bits : 1.0); break;
        case 1: snprintf(text, sizeof text, "%lld.%03d", (long long)(r[0] % 1000000000), (int)(r[2] % 1000)); break;
        case 2: snprintf(text, sizeof text, "-%llue%d", (unsigned long long)r[0], (int)(r[2] % 700) - 350); break;
        default:
            snprintf(text, sizeof text, "%llu.%llu", (unsigned long long)(r[0] >> r[2] % 64), (unsigned long long)r[1]);
            break;
        }
        same_as_strtod(text);
    }
    nw_rng_free(rng);
}

/* Every text of up to five of these letters: what the short way takes is what the long way gives. */
static void parse_short_number__agrees_with_parse_number(void **state)
{
    (void)state;
    static const char letters[] = "0179.-e ";
    static const char *const others[] = {"123456789012345", "1234567890.12345", ".123456789012345", "123456789012345."};
    size_t taken = 0;
    for (size_t length = 0; length <= 5; length++)
        for (size_t i = 0; i < (size_t)1 << (3 * length); i++) {
            char text[8];
            double x;
            double expected;
            for (size_t k = 0; k < length; k++)
                text[k] = letters[i >> (3 * k) & 7];
            if (!nw__parse_short_number(text, length, &x))
                continue;
            assert_true(nw__parse_number(text, length, &expected) && x == expected);
            taken++;
        }
    size_t all = 0; /* n digits, and a point in one of n + 1 places or none */
    for (size_t digits = 1, texts = 4; digits <= 5; digits++, texts *= 4)
        all += texts * (1 + (digits < 5 ? digits + 1 : 0));
    assert_int_equal(taken, all);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        double x;
        double expected;
        assert_true(nw__parse_short_number(others[i], strlen(others[i]), &x));
        assert_true(nw__parse_number(others[i], strlen(others[i]), &expected) && x == expected);
    }
    double x;
    assert_false(nw__parse_short_number("1234567890123456", 16, &x));
    assert_false(nw__parse_short_number("12345678901234567", 17, &x));
}

static void parse_number__takes_blanks_and_infinities(void **state)
{
    (void)state;
    double value;
    assert_true(nw__parse_number(" \t 42 \t", 7, &value) && value == 42);
    assert_true(nw__parse_number("inf", 3, &value) && value == INFINITY);
    assert_true(nw__parse_number("-Infinity", 9, &value) && value == -INFINITY);
    assert_true(nw__parse_number("+INF", 4, &value) && value == INFINITY);
}

static void parse_number__refuses_all_else(void **state)
{
    (void)state;
    const char *const bad[] = {"", " ", "+", "-", ".", "e5", "1e", "1e+", "1 2", "1,5", "0x10", "nan", "NaN", "-nan", "infin",
        "1..2", "1.2.3", "--1", "+-1", "1-", "12a", "1_000", "\xD9\xA1", "1e5.0", "five", ". 5"};
    double value;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (nw__parse_number(bad[i], strlen(bad[i]), &value))
            fail_msg("\"%s\" was taken", bad[i]);
}

/* Sets a locale with a decimal comma, if one is installed. */
static bool set_comma_locale(void)
{
    const char *const locales[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR" };
    for (size_t i = 0; i < sizeof locales / sizeof locales[0]; i++)
        if (setlocale(LC_ALL, locales[i]) != NULL)
            return true;
    return false;
}

static void parse_number__does_not_ask_the_locale(void **state)
{
    (void)state;
    double value;
    assert_true(set_comma_locale());
    const bool is_read = nw__parse_number("3.141592653589793238462643", 26, &value);
    setlocale(LC_ALL, "C");
    assert_true(is_read && value == 3.141592653589793);
}

static void format_decimal__writes_what_is_read_back(void **state)
{
    (void)state;
    const struct {
        int64_t scaled;
        int decimals;
        const char *text;
    } cases[] = {{0, 0, "0"}, {0, 2, "0.00"}, {5, 2, "0.05"}, {-5, 2, "-0.05"}, {123, 2, "1.23"}, {-1200, 2, "-12.00"},
        {INT64_MAX, 0, "9223372036854775807"}, {INT64_MIN, 1, "-922337203685477580.8"}, {7, 22, "0.0000000000000000000007"},
        {7, 23, "7e-23"}, {-7, 300, "-7e-300"}, {12, -5, "12e5"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[NW__NUMBER_TEXT_SIZE + 1];
        text[nw__format_decimal(cases[i].scaled, cases[i].decimals, text)] = '\0';
        assert_string_equal(text, cases[i].text);
        same_as_strtod(text);
    }
}

/* Every day of the calendar in order: months by their lengths, nothing else. */
static void dates__count_the_days_one_by_one(void **state)
{
    (void)state;
    int64_t expected = -719162; /* 0001-01-01: 1969 * 365 + 477 leap days (492 - 19 + 4) before 1970 */
    for (int year = 1; year <= 9999; year++)
        for (int month = 1; month <= 12; month++) {
            const bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            const int last = month == 2 ? 28 + is_leap : month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
            for (int day = 1; day <= last; day += day == 1 ? last - 1 : 1) { /* the first and the last */
                char text[16];
                char back[11] = "";
                int64_t days;
                snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, day);
                assert_true(nw__parse_date(text, 10, &days));
                assert_int_equal(days, expected + day - 1);
                nw__format_date(days, back);
                assert_string_equal(back, text);
            }
            expected += last;
        }
    struct tm tm = {.tm_year = 2025 - 1900, .tm_mon = 11, .tm_mday = 31};
    int64_t days;
    assert_true(nw__parse_date("2025-12-31", 10, &days));
    assert_int_equal(days, timegm(&tm) / 86400);
}

static void parse_date__refuses_what_is_no_day(void **state)
{
    (void)state;
    const char *const bad[] = {"2001-02-29", "1900-02-29", "2000-02-30", "2000-13-01", "2000-00-10", "2000-01-00", "2000-04-31",
        "0000-01-01", "2000-1-01", "2000/01/01", "20000101", "2000-01-01T", " 2000-01-0", "2000-01-0x", "+200-01-01", ""};
    int64_t days;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (nw__parse_date(bad[i], strlen(bad[i]), &days))
            fail_msg("\"%s\" was taken", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_number__agrees_with_strtod_on_hard_cases),
        cmocka_unit_test(parse_number__rounds_right_however_many_digits),
        cmocka_unit_test(parse_number__agrees_with_strtod_on_random_decimals),
        cmocka_unit_test(parse_short_number__agrees_with_parse_number),
        cmocka_unit_test(parse_number__takes_blanks_and_infinities),
        cmocka_unit_test(parse_number__refuses_all_else),
        cmocka_unit_test(format_decimal__writes_what_is_read_back),
        cmocka_unit_test(dates__count_the_days_one_by_one),
        cmocka_unit_test(parse_date__refuses_what_is_no_day),
        cmocka_unit_test(parse_number__does_not_ask_the_locale), /* last: left out where no locale has a decimal comma */
    };
    const size_t all = sizeof tests / sizeof tests[0];
    return _cmocka_run_group_tests("tests", tests, set_comma_locale() ? all : all - 1, NULL, NULL);
}
