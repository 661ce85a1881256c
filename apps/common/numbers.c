/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* numbers.c - strict parsing, rounded printing. The apps never call setlocale, so the decimal sign is a point. */
#include "numbers.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NUDGES 12 /* half a unit of the sixth digit is at most 5e-6 of the value: ten steps of 5e-7 */

bool app_parse_real(const char *text, double *out)
{
    if (*text == '\0' || text[strspn(text, "0123456789.eE+-")] != '\0') /* strtod alone takes " 1", "nan", "0x1p3" */
        return false;
    char *end;
    errno = 0;
    const double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value))
        return false;
    *out = value;
    return true;
}

/* "25e17": a whole number in front of its zeros, exactly. */
static bool parse_powers_of_ten(const char *text, uint64_t *out)
{
    char *end;
    const size_t digits = strspn(text, "0123456789");
    const char *exponent = text + digits + 1;
    if (digits == 0 || (text[digits] != 'e' && text[digits] != 'E') || strspn(exponent, "0123456789") != strlen(exponent) ||
        *exponent == '\0')
        return false;
    errno = 0;
    *out = strtoull(text, &end, 10);
    for (unsigned long zeros = strtoul(exponent, NULL, 10); errno == 0 && zeros > 0 && *out > 0; zeros--)
        if (__builtin_mul_overflow(*out, UINT64_C(10), out))
            return false;
    return errno == 0;
}

bool app_parse_count(const char *text, uint64_t *out)
{
    if (*text != '\0' && text[strspn(text, "0123456789")] == '\0') {
        errno = 0;
        const unsigned long long value = strtoull(text, NULL, 10);
        *out = value;
        return errno == 0;
    }
    double value;
    if (parse_powers_of_ten(text, out))
        return true;
    if (!app_parse_real(text, &value) || value < 0.0 || value > 0x1p53 || value != floor(value))
        return false;
    *out = (uint64_t)value;
    return true;
}

bool app_is_inside(const char *interval, double value)
{
    char *end;
    const double lower = strtod(interval + 1, &end);
    const double upper = strtod(end + 1, &end);
    const bool is_above = *interval == '(' ? value > lower : value >= lower;
    const bool is_below = *end == ')' ? value < upper : value <= upper;
    return is_above && is_below;
}

/* Six digits are to the nearest; where that is on the wrong side, small steps put them on the right one. */
static const char *text_towards(double value, bool is_up, char out[APP_NUMBER_SIZE])
{
    const double step = is_up ? 1.0 + 5e-7 : 1.0 - 5e-7;
    double nudged = value;
    for (int i = 0; i < MAX_NUDGES; i++, nudged *= step) {
        snprintf(out, APP_NUMBER_SIZE, "%.6g", nudged);
        const double shown = strtod(out, NULL);
        if (is_up ? shown >= value : shown <= value)
            break;
    }
    return out;
}

const char *app_text_up(double value, char out[APP_NUMBER_SIZE])
{
    return text_towards(value, true, out);
}

const char *app_text_down(double value, char out[APP_NUMBER_SIZE])
{
    return text_towards(value, false, out);
}

double app_round_step(double range)
{
    const double power = pow(10.0, floor(log10(range / 5.0)));
    const double digit = range / 5.0 / power;
    return power * (digit < 1.5 ? 1.0 : digit < 3.5 ? 2.0 : digit < 7.5 ? 5.0 : 10.0);
}
