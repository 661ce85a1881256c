/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_CODES_H
#define APP_CODES_H

/* codes.h - what a column's codes stand for, in words. */
#include <nw/table.h>

#define APP_VALUE_SIZE 64
/** A number as a column of this type has it: a date, true or false, else the number. */
void app_value_text(nw_column_type type, double x, char out[APP_VALUE_SIZE]);

/** A category's label, the values of codes first..last of a numeric column ("17 .. 24"), or "(missing)", as a new string without
 *  control characters; NULL if memory lacks. */
char *app_code_text(const nw_schema *schema, size_t column, uint32_t first, uint32_t last);

#endif
