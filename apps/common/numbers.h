/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_NUMBERS_H
#define APP_NUMBERS_H

/* numbers.h - numbers from and to text, without surprises. */
#include <stdbool.h>
#include <stdint.h>

/** Reads a decimal number and nothing else: no blanks, no trailing text, no "nan", "inf" or hexadecimal, no overflow. */
bool app_parse_real(const char *text, double *out);

/** Reads a decimal whole number in 0 .. 2^64-1; an exponent is allowed: "1e18" exactly, a fraction ("2.5e6") if
 *  the value stays whole and at most 2^53. */
bool app_parse_count(const char *text, uint64_t *out);

/** An interval as it is written in option tables and messages: "(0, 1e6]". */
bool app_is_inside(const char *interval, double value);

/** The distance of marks on an axis: 1, 2 or 5 times a power of ten, about a fifth of the range. */
double app_round_step(double range);

#define APP_NUMBER_SIZE 32
/** A value >= 0 in at most 6 digits that are not below (app_text_up) or not above (app_text_down) it: a loss is never printed
 *  smaller than it is, and what remains never larger. Returns `out`. */
const char *app_text_up(double value, char out[APP_NUMBER_SIZE]);
const char *app_text_down(double value, char out[APP_NUMBER_SIZE]);

#endif
