/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_STATS_QUERY_H
#define APP_STATS_QUERY_H

/* query.h - one question about a table, as text and bound to a schema.
 *
 *   query  = figure [ "by" COLUMN ] [ "weight" NUMBER ]
 *   figure = "count()" | "hist(" COLUMN [ "," CELLS ] ")" | "quantile(" values "," RANK ")"
 *          | "quantiles(" values "," NUMBER ")"
 *          | ( "sum" | "mean" | "var" | "median" | "min" | "max" ) "(" values ")"
 *   values = COLUMN [ "in" NUMBER ".." NUMBER ]
 *   COLUMN = letters, digits and any of _-.>=< ; or any text in double quotes, "" for one quote
 */
#include <nw/stats.h>
#include <nw/table.h>

typedef enum figure {
    FIGURE_COUNT = 1,
    FIGURE_SUM,
    FIGURE_MEAN,
    FIGURE_VAR,
    FIGURE_HIST,
    FIGURE_QUANTILE, /* and median */
    FIGURE_MIN,
    FIGURE_MAX,
    FIGURE_QUANTILES, /* tree.h */
    FIGURE_KEYS       /* "count() by COLUMN" and "hist(COLUMN)" of a column of text: keys.h */
} figure;

#define QUERY_NO_COLUMN SIZE_MAX

typedef struct query {
    const char *text; /* as it was given; borrowed */
    figure figure;
    size_t column;   /* of values, cells or unknown keys; QUERY_NO_COLUMN for a count */
    size_t key;      /* the column to group by, or QUERY_NO_COLUMN */
    uint32_t keys;   /* codes of the key, "missing" included; 1 without one */
    uint32_t ranges; /* hist: ranges of codes, without "missing"; else 0 */
    uint32_t cells;  /* hist: the same and "missing" if the column has it; else 1 */
    double lower;    /* bounds that values are held to; quantile, min, max: bounds of the codes to choose from */
    double upper;
    double rank;    /* quantile: of the wanted value, 0 .. 1 */
    uint32_t parts; /* quantiles: so many values, which cut the records into one part more */
    double weight;
} query;

/** The column of that name, or QUERY_NO_COLUMN. */
size_t query_find_column(const nw_schema *schema, const char *name);

/** Reads one query. An exit code; on error the message names what was expected, and where. */
int query_parse(query *out, const char *text, const nw_schema *schema);

/** True for what is chosen among the codes of the column: quantile, min, max. */
bool query_is_choice(const query *q);

/** True for what is computed from the numbers of the column, and not from its codes: sum, mean, variance. */
bool query_has_numbers(const query *q);

/** The same for the library; not for FIGURE_QUANTILES and FIGURE_KEYS. */
nw_stats_query query_plan(const query *q);

/** Codes of a column that do not mean "missing". */
uint32_t query_values(const nw_column *column);

/** The cell of a hist that a code belongs to, and the first code of a range. */
uint32_t query_cell(const query *q, const nw_column *column, uint32_t code);
uint32_t query_first_code(const query *q, const nw_column *column, uint32_t range);

#endif
