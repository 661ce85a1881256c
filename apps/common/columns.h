/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_COLUMNS_H
#define APP_COLUMNS_H

/* columns.h - what programs that turn tables into vectors make of a schema: places of numbers between their bounds, and columns
 * whose values are classes. */
#include <nw/table.h>

/** Whole numbers, reals and dates. */
bool app_column_is_number(const nw_column *c);
/** Where x lies between the bounds, in [0, 1]; and the same on a logarithmic scale, which without a step is linear below a
 *  thousandth of the range. */
double app_column_place(const nw_column *c, double x);
double app_column_log_place(const nw_column *c, double x);

/** Categories, codes, bools, and whole numbers in steps of 1. */
bool app_column_has_classes(const nw_column *c);
uint32_t app_column_classes(const nw_column *c);
/** The name of a class in a new string; NULL if memory lacks. */
char *app_class_name(const nw_schema *schema, size_t column, uint32_t class);
/** The class that a cell names; -1: none of the schema's. */
int32_t app_class_of(const nw_schema *schema, size_t column, const char *word);

/** Number of the column of that name; nw_schema_columns if there is none. */
size_t app_find_column(const nw_schema *schema, const char *name);
/** The schema with one column as text, as a label is read that must not count as missing when it is unknown. Without
 *  is_needed, a schema without that column if the file at `path` lacks it. An exit code, with its message written. */
int app_schema_with_text(nw_schema **out, const nw_schema *schema, const char *column, const char *path, bool is_needed);

#endif
