/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "infer_cells.h"

#include "../common/numbers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_YEAR = 1800, MOST_DIGITS = 15, LEAST_EXPONENT = -6 };
/* A count is believed from so many standard deviations on: among the 379 cells of a number noise alone passes once in 5000. */
static const double BELIEVED = 5.0;
/* From this part of the filled cells on a column has a type; the rest becomes missing. */
static const double MOST = 0.8;
/* Wider columns of integers are cut on a logarithmic scale. */
static const double WIDE = 65000.0;

/* ---- kinds ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_date(const char *text, size_t size)
{
    static const char shape[] = "dddd-dd-dd";
    if (size != sizeof shape - 1)
        return false;
    for (size_t i = 0; i < size; i++)
        if (shape[i] == 'd' ? !is_digit(text[i]) : text[i] != '-')
            return false;
    const int month = (text[5] - '0') * 10 + text[6] - '0';
    const int day = (text[8] - '0') * 10 + text[9] - '0';
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* The text as a number; false if it is none. */
static bool read_number(const char *text, size_t size, double *value)
{
    char copy[64];
    if (size >= sizeof copy || memchr(text, '\0', size) != NULL)
        return false;
    const size_t sign = size > 0 && text[0] == '+';
    memcpy(copy, text + sign, size - sign);
    copy[size - sign] = '\0';
    return app_parse_real(copy, value);
}

infer_kind infer_kind_of(const char *text, size_t size)
{
    double value;
    if (size == 0)
        return INFER_MISSING;
    if (is_date(text, size))
        return INFER_DATE;
    if (!read_number(text, size, &value))
        return INFER_TEXT;
    size_t digits = 0;
    size_t places = 0;
    size_t decimals = 0; /* up to the last that is not 0: 41.0 is an integer */
    bool has_point = false;
    for (size_t i = 0; i < size; i++) {
        has_point |= text[i] == '.';
        digits += is_digit(text[i]);
        places += has_point && is_digit(text[i]);
        decimals = has_point && is_digit(text[i]) && text[i] != '0' ? places : decimals;
        if (text[i] == 'e' || text[i] == 'E')
            return INFER_REAL;
    }
    if (digits > MOST_DIGITS || decimals > 2)
        return INFER_REAL;
    return decimals == 0 ? INFER_WHOLE : decimals == 1 ? INFER_TENTHS : INFER_HUNDREDTHS;
}

infer_column infer_read_kinds(const double counts[INFER_KINDS], double deviation)
{
    infer_column column = { INFER_IS_CATEGORY, counts[INFER_MISSING] > BELIEVED * deviation, 0 };
    double filled = 0.0;
    double numbers = 0.0;
    for (int kind = INFER_WHOLE; kind < INFER_KINDS; kind++) {
        filled += fmax(0.0, counts[kind]);
        numbers += kind <= INFER_REAL ? fmax(0.0, counts[kind]) : 0.0;
    }
    if (filled < BELIEVED * deviation)
        return column;
    if (fmax(0.0, counts[INFER_DATE]) >= MOST * filled)
        column.type = INFER_IS_DATE;
    else if (numbers >= MOST * filled)
        column.type = INFER_IS_NUMBER;
    /* what is no number in a column of numbers becomes missing, so a missing value must be possible */
    if (column.type != INFER_IS_CATEGORY && counts[INFER_TEXT] > BELIEVED * deviation)
        column.is_nullable = true;
    for (int kind = INFER_TENTHS; kind <= INFER_REAL; kind++)
        if (counts[kind] > BELIEVED * deviation)
            column.decimals = kind == INFER_REAL ? -1 : kind - INFER_WHOLE;
    return column;
}

/* ---- cells ---- */

size_t infer_number_cell(const char *text, size_t size)
{
    double x;
    if (!read_number(text, size, &x))
        return INFER_SIDE; /* not counted as a number: the caller asks only for those */
    const double magnitude = fabs(x);
    if (magnitude < pow(10, LEAST_EXPONENT))
        return INFER_SIDE;
    int exponent = (int)floor(log10(magnitude));
    int digit = (int)floor(magnitude / pow(10, exponent));
    if (digit > 9) { /* rounding of the logarithm */
        digit = 1;
        exponent++;
    }
    digit = digit < 1 ? 1 : digit;
    const int place = 9 * (exponent - LEAST_EXPONENT) + digit - 1;
    const size_t within = place < INFER_SIDE ? (size_t)place : INFER_SIDE - 1;
    return x > 0 ? INFER_SIDE + 1 + within : INFER_SIDE - 1 - within;
}

/* Where a cell of positive numbers begins: it ends where the next does. */
static double cell_start(size_t place)
{
    return (double)(place % 9 + 1) * pow(10, (double)(place / 9) + LEAST_EXPONENT);
}

/* The numbers of a cell, from `low` up to `high`; the end that is farther from zero is not part of it. */
static void cell_range(size_t cell, double *low, double *high)
{
    if (cell == INFER_SIDE) {
        *low = *high = 0.0;
    } else if (cell > INFER_SIDE) {
        *low = cell_start(cell - INFER_SIDE - 1);
        *high = cell_start(cell - INFER_SIDE);
    } else {
        *low = -cell_start(INFER_SIDE - cell);
        *high = -cell_start(INFER_SIDE - cell - 1);
    }
}

size_t infer_date_cell(const char *text, size_t size)
{
    if (!is_date(text, size))
        return 0;
    const int year = (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + text[3] - '0';
    return (size_t)(year < FIRST_YEAR ? 0 : year >= FIRST_YEAR + INFER_YEARS ? INFER_YEARS - 1 : year - FIRST_YEAR);
}

/* ---- bounds ---- */

/* The first and last cell that stand out, alone or with the `width` - 1 cells after it. If none does, the run that comes
 * nearest. */
static bool find_cells(const double *counts, size_t n, double deviation, size_t *first, size_t *last)
{
    double best = -INFINITY;
    bool is_found = false;
    for (size_t width = 1; width <= 9; width += 8) {
        for (size_t i = 0; i + width <= n; i++) {
            double sum = 0.0;
            for (size_t k = 0; k < width; k++)
                sum += counts[i + k];
            const double score = sum / (deviation * sqrt((double)width));
            if (score > BELIEVED) {
                *first = !is_found || i < *first ? i : *first;
                *last = !is_found || i + width - 1 > *last ? i + width - 1 : *last;
                is_found = true;
            } else if (!is_found && score > best) {
                best = score;
                *first = i;
                *last = i + width - 1;
            }
        }
        if (is_found)
            return true; /* single cells say it more sharply than runs */
    }
    return false;
}

static json_t *real_or_whole(double x)
{
    return x == floor(x) && fabs(x) < 1e15 ? json_integer((json_int_t)x) : json_real(x);
}

static json_t *number_member(const infer_column *column, size_t first, size_t last)
{
    double low;
    double high;
    double other;
    const double step = column->decimals < 0 ? 0.0 : pow(10, -column->decimals);
    cell_range(first, &low, &other);
    cell_range(last, &other, &high);
    if (column->decimals == 0) { /* the far end is not part of its cell */
        low = ceil(low < 0 ? low + 1.0 : low);
        high = floor(high > 0 ? high - 1.0 : high);
        high = fmax(high, low);
    }
    if (column->decimals != 0 && low == high)
        high = low + 1.0;
    json_t *member = json_pack("{s:s}", "type", column->decimals == 0 ? "int" : "float");
    if (member == NULL)
        return NULL;
    json_object_set_new(member, "lower", real_or_whole(low));
    json_object_set_new(member, "upper", real_or_whole(high));
    if (column->decimals > 0)
        json_object_set_new(member, "step", json_real(column->decimals == 1 ? 0.1 : 0.01));
    if (step > 0 ? (high - low) / step > WIDE : high > 1e4 * fmax(1.0, low))
        json_object_set_new(member, "scale", json_string("log"));
    json_object_set_new(member, "nullable", json_boolean(column->is_nullable));
    return member;
}

json_t *infer_bounds(const infer_column *column, const double *counts, double deviation, bool *is_sure)
{
    size_t first = 0;
    size_t last = 0;
    const bool is_date = column->type == INFER_IS_DATE;
    *is_sure = find_cells(counts, is_date ? INFER_YEARS : INFER_NUMBERS, deviation, &first, &last);
    if (!is_date)
        return number_member(column, first, last);
    char lower[16];
    char upper[16];
    snprintf(lower, sizeof lower, "%04zu-01-01", FIRST_YEAR + first);
    snprintf(upper, sizeof upper, "%04zu-12-31", FIRST_YEAR + last);
    return json_pack(
        "{s:s, s:s, s:s, s:b}", "type", "date", "lower", lower, "upper", upper, "nullable", (int)column->is_nullable);
}
