/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* text.c - numbers and dates as text, whatever the locale. */
#include "table_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A double is decided by at most 767 significant decimal digits and whether anything non-zero follows them. */
#define SIGNIFICANT_DIGITS 768

/* 10^0 .. 10^22 are doubles exactly; with an integer below 2^53 one product or quotient is then correctly rounded (Clinger's fast
 * path). */
static const double exact_power_of_10[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
#define EXACT_POWERS 22

static inline bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The slow, always right way: the digits again as an integer with an exponent. That text has no decimal point, so strtod's result
 * does not depend on the locale. `digits` may contain one point. */
static double decimal_by_strtod(const char *digits, const char *end, int64_t exponent)
{
    char text[SIGNIFICANT_DIGITS + 32];
    size_t n = 0;
    bool is_fraction = false;
    bool is_dropped = false;
    for (const char *p = digits; p < end; p++) {
        if (*p == '.') {
            is_fraction = true;
            continue;
        }
        const bool is_leading_zero = n == 0 && *p == '0';
        const bool is_kept = !is_leading_zero && n < SIGNIFICANT_DIGITS;
        if (is_kept)
            text[n++] = *p;
        else if (!is_leading_zero)
            is_dropped = is_dropped || *p != '0';
        exponent += (is_kept || is_leading_zero ? 0 : 1) - (is_fraction ? 1 : 0);
    }
    if (n == 0)
        return 0.0;
    if (is_dropped) { /* one more digit stands for all that was dropped */
        text[n++] = '1';
        exponent--;
    }
    if (exponent > 99999 || exponent < -99999)
        return exponent > 0 ? INFINITY : 0.0;
    snprintf(text + n, sizeof text - n, "e%d", (int)exponent);
    return strtod(text, NULL);
}

/* The exponent after 'e'; false if there is none. Saturates far beyond any double. */
static bool parse_exponent(const char **cursor, const char *end, int64_t *exponent)
{
    const char *p = *cursor;
    const bool is_negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    const char *first = p;
    int64_t e = 0;
    for (; p < end && is_digit(*p); p++)
        e = e < 1000000 ? e * 10 + (*p - '0') : e;
    *exponent = is_negative ? -e : e;
    *cursor = p;
    return p > first;
}

static bool is_word(const char *text, const char *end, const char *word)
{
    const size_t n = strlen(word);
    return (size_t)(end - text) == n && strncasecmp(text, word, n) == 0;
}

bool nw__parse_short_number(const char *text, size_t length, double *value)
{
    if (length > 16 || length == 0)
        return false;
    uint64_t m = 0;
    size_t point = length; /* where the point is */
    for (size_t i = 0; i < length; i++) {
        const unsigned digit = (unsigned char)text[i] - (unsigned)'0';
        if (digit <= 9)
            m = m * 10 + digit;
        else if (text[i] == '.' && point == length)
            point = i;
        else
            return false;
    }
    const size_t fraction = point == length ? 0 : length - point - 1;
    if (length - (point < length) - 1 > 14) /* no digit, or more than 15: m may not be a double */
        return false;
    *value = fraction == 0 ? (double)m : (double)m / exact_power_of_10[fraction];
    return true;
}

bool nw__parse_number(const char *text, size_t length, double *value)
{
    const char *p = text;
    const char *end = text + length;
    while (p < end && is_blank(*p))
        p++;
    while (end > p && is_blank(end[-1]))
        end--;
    const bool is_negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;

    const char *digits = p;
    uint64_t mantissa = 0;
    size_t count = 0;
    for (; p < end && is_digit(*p); p++, count++)
        mantissa = mantissa * 10 + (uint64_t)(*p - '0');
    size_t fraction = 0;
    if (p < end && *p == '.')
        for (p++; p < end && is_digit(*p); p++, fraction++)
            mantissa = mantissa * 10 + (uint64_t)(*p - '0');
    const char *digits_end = p;
    count += fraction;
    if (count == 0) {
        *value = is_negative ? -INFINITY : INFINITY;
        return p == digits && (is_word(p, end, "inf") || is_word(p, end, "infinity"));
    }
    int64_t exponent = 0;
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (!parse_exponent(&p, end, &exponent))
            return false;
    }
    if (p != end)
        return false;

    const int64_t power = exponent - (int64_t)fraction;
    double x;
    if (count <= 19 && mantissa <= (UINT64_C(1) << 53) && power >= -EXACT_POWERS && power <= EXACT_POWERS)
        x = power < 0 ? (double)mantissa / exact_power_of_10[-power] : (double)mantissa * exact_power_of_10[power];
    else
        x = decimal_by_strtod(digits, digits_end, exponent);
    *value = is_negative ? -x : x;
    return true;
}

/* Days from 1970-01-01 of a proleptic Gregorian date: years counted from March, so that the leap day is the last of its year, in
 * eras of 400 years = 146097 days; 719468 days lie between 0000-03-01 and 1970-01-01. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    const int64_t y = year - (month <= 2);
    const int64_t era = y / 400; /* y >= 0: years begin at 0001 */
    const int64_t year_of_era = y - era * 400;
    const int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static bool parse_digits(const char *text, size_t n, int64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < n; i++) {
        if (!is_digit(text[i]))
            return false;
        *value = *value * 10 + (text[i] - '0');
    }
    return true;
}

bool nw__parse_date(const char *text, size_t length, int64_t *days)
{
    static const int8_t month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int64_t year;
    int64_t month;
    int64_t day;
    if (length != 10 || text[4] != '-' || text[7] != '-' || !parse_digits(text, 4, &year) || !parse_digits(text + 5, 2, &month) ||
        !parse_digits(text + 8, 2, &day))
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1)
        return false;
    const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day > month_days[month - 1] + (month == 2 && is_leap))
        return false;
    *days = days_of(year, month, day);
    return true;
}

static void put_digits(char *out, size_t n, int64_t value)
{
    while (n-- > 0) {
        out[n] = (char)('0' + value % 10);
        value /= 10;
    }
}

void nw__format_date(int64_t days, char out[10])
{
    const int64_t z = days + 719468;
    const int64_t era = z / 146097;
    const int64_t day_of_era = z - era * 146097;
    const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t m = (5 * day_of_year + 2) / 153; /* 0 is March */
    const int64_t month = m < 10 ? m + 3 : m - 9;
    put_digits(out, 4, era * 400 + year_of_era + (month <= 2));
    out[4] = '-';
    put_digits(out + 5, 2, month);
    out[7] = '-';
    put_digits(out + 8, 2, day_of_year - (153 * m + 2) / 5 + 1);
}

size_t nw__format_decimal(int64_t scaled, int decimals, char out[NW__NUMBER_TEXT_SIZE])
{
    char reversed[32];
    size_t digits = 0;
    uint64_t rest = scaled < 0 ? 0 - (uint64_t)scaled : (uint64_t)scaled;
    const bool is_plain = decimals >= 0 && decimals <= EXACT_POWERS;
    const size_t least = is_plain ? (size_t)decimals + 1 : 1; /* 0.05, not .05 */
    for (; rest != 0 || digits < least; rest /= 10)
        reversed[digits++] = (char)('0' + rest % 10);

    size_t n = 0;
    if (scaled < 0)
        out[n++] = '-';
    while (digits > 0) {
        if (is_plain && decimals > 0 && digits == (size_t)decimals)
            out[n++] = '.';
        out[n++] = reversed[--digits];
    }
    if (!is_plain)
        n += (size_t)snprintf(out + n, NW__NUMBER_TEXT_SIZE - n, "e%d", -decimals);
    return n;
}
