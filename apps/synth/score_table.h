/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SYNTH_SCORE_TABLE_H
#define SYNTH_SCORE_TABLE_H

/* score_table.h - a table as the scorer holds it: values as they stand in the file, and the cells of its columns. */
#include "../common/progress.h"

#include <noisewright.h>

#include <math.h>

typedef struct score_table {
    const nw_schema *schema; /* borrowed */
    size_t rows;
    size_t columns;
    double **values; /* a column each: numbers, days, codes; NaN: missing */
} score_table;

/* Where the numeric columns are cut, and how many cells each column has. */
typedef struct score_cells {
    size_t columns;
    uint32_t *count; /* cells of each column, that of missing values included */
    double **edges;  /* numeric: increasing; a cell ends at an edge, which belongs to it. NULL for the rest */
    size_t *edge_count;
} score_cells;

/** True for numbers and dates: what is cut, and what has a distance. */
bool score_is_numeric(const nw_schema *schema, size_t column);

/** Reads a table of at least one row. An exit code, with its message written; the table is to be freed in any case. */
int score_table_read(score_table *table, const nw_schema *schema, const char *path, app_progress *progress);
/** Room for a table of `rows` rows. False if memory lacks. */
bool score_table_new(score_table *table, const nw_schema *schema, size_t rows);
/** What a synthetic table is held against: rows drawn with replacement, which only sampling separates from the real table; and
 *  each column in an order of its own, which keeps the columns and nothing of what they have to do with each other. The seed is
 *  public. False if memory lacks. */
bool score_table_resample(score_table *out, const score_table *real);
bool score_table_permute(score_table *out, const score_table *real);
void score_table_free(score_table *table);

/** Cuts the numeric columns at the quantiles i / bins of `real`. False if memory lacks. */
bool score_cells_new(score_cells *cells, const score_table *real, size_t bins);
void score_cells_free(score_cells *cells);
/** The cells of one column's rows. */
void score_cells_of(const score_cells *cells, const score_table *table, size_t column, uint32_t *out);

/** The values of a column that are not missing, in order; *n of them. NULL if memory lacks. */
double *score_sorted(const score_table *table, size_t column, size_t *n);

/* ---- random numbers whose seed is public: the same queries and the same reference tables for everyone ---- */

typedef struct score_random {
    nw_rng *rng;
    bool has_failed;
} score_random;

bool score_random_new(score_random *random, uint64_t seed);
void score_random_free(score_random *random);
/** Uniform in 0 .. n-1. */
size_t score_random_below(score_random *random, size_t n);
/** Standard normal. */
double score_random_normal(score_random *random);

#endif
