/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_TABLE_H
#define APP_TABLE_H

/* table.h - a CSV table as examples: what a schema says about a column becomes features, and one column the label.
 *
 * A category is as many features as it has values, one of which is 1, and one more for a missing cell. A number becomes its place
 * between the bounds, in [-1, 1], the same on a logarithmic scale, and one of up to sixteen features that say in which part of
 * the range it lies; missing, the first two are 0. Or, plain, only its place, on the scale that the schema names, and one feature
 * for a missing cell. Everything comes from the schema, nothing from the records. */
#include "examples.h"

#include <nw/table.h>

typedef enum table_task { TABLE_CLASSIFY = 0, TABLE_REGRESS } table_task;

typedef enum table_features { TABLE_RICH = 0, TABLE_PLAIN } table_features;

#define TABLE_NO_TARGET SIZE_MAX

/** How rows become examples; all zero before table_plan_make. */
typedef struct table_plan {
    nw_schema *schema;
    table_task task;
    table_features features;
    size_t target;    /* column of the schema, or TABLE_NO_TARGET */
    size_t width;     /* features */
    size_t *first;    /* of the features of each column */
    uint32_t classes; /* classify; else 0 */
} table_plan;

/** A plan for the schema and the column that is to be told. An exit code, with its message written; free it in any case.
 *  `subject`: where the schema comes from, for messages. */
int table_plan_make(
    table_plan *plan, nw_schema *schema, const char *target, table_task task, table_features features, const char *subject);
void table_plan_free(table_plan *plan);

/** The name of a class, as the schema has it, in a new string; NULL if memory lacks. */
char *table_class_name(const table_plan *plan, uint32_t class);
/** A target is told to the network as its place between the bounds, in [-1, 1]: back to the column's unit. */
double table_target_value(const table_plan *plan, double place);
/** Half the width of the bounds: what errors of places are multiplied with. */
double table_target_unit(const table_plan *plan);

/** A part of a table: row i is of part i mod parts, or, with a column that names clients, of the part of its client. */
typedef struct table_part {
    size_t index;
    size_t parts;
    size_t client;         /* column of the plan's schema, of codes; TABLE_NO_TARGET: none */
    uint64_t *client_rows; /* [cells of that column]: rows of the table are added; may be NULL */
    size_t rows;           /* out: of the whole table; 0 before */
} table_part;
#define TABLE_ALL                                                                                                                \
    {                                                                                                                            \
        0, 1, TABLE_NO_TARGET, NULL, 0                                                                                           \
    }

/** Reads a table. needs_target: its label column must be there, and each row must have a label that the schema knows; without it
 *  the column may be missing and is not looked at. part: NULL for all rows. An exit code, with its message written; free the
 *  examples in any case. */
int table_read(examples *out, const table_plan *plan, const char *path, bool needs_target, table_part *part);

#endif
