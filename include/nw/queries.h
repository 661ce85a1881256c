/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_QUERIES_H
#define NW_QUERIES_H

/* nw/queries.h - linear queries over a schema's records: what a synthetic table is to agree on with the private one.
 *
 * A *workload* is a vector of counts measured together, of which one record moves at most one, by at most 1:
 *   marginal     cells of k categorical columns;
 *   range        cells of k columns, the numeric ones cut into 2, 4, 8, ... equal parts: the levels of a binary tree;
 *   conjunction  records whose values all lie in given intervals, counted by each value of a categorical column (or all
 *                together); a *prefix* is one with x < tau in two numeric columns;
 *   half-space   records with <theta, x> > b, x the numeric columns, counted in the same way;
 *   predicate    records weighted in [0, 1] by a function of the caller's.
 * Numeric columns (int, float, date) count as numbers in [0, 1]: the middle of a code's values, scaled from the schema's bounds
 * to [0, 1] and rounded to a multiple of 2^-24; theta is a multiple of 2^-20. All comparisons are of such numbers, hence exact:
 * private and synthetic records are judged alike on every machine. A missing value is in no interval and no half-space, and is a
 * cell of its own in a marginal or range. A value at the upper bound lies in the last part of a range.
 * Random queries are drawn from a public seed, never from data.
 *
 *   nw_queries *q = NULL;
 *   nw_queries_new(&q, schema, &err);
 *   nw_queries_add_prefixes(q, 1000, 2, 7, &err);
 *   opts.queries = q;                              // of nw_synth_opts; shared from then on
 *   nw_queries_free(q);
 */
#include <nw/event.h>
#include <nw/table.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nw_queries nw_queries; /* confined while it is added to, shared afterwards */

typedef enum nw_query_kind {
    NW_QUERY_MARGINAL = 1, /* and ranges */
    NW_QUERY_CONJUNCTION = 2,
    NW_QUERY_HALFSPACE = 3,
    NW_QUERY_PREDICATE = 4
} nw_query_kind;
NW_API const char *nw_query_kind_name(nw_query_kind kind); /* "marginal", "conjunction", "halfspace", "predicate" */

typedef struct nw_query_workload {
    nw_query_kind kind;
    uint32_t cells; /* counts in it */
    size_t label;   /* conjunctions and half-spaces: the column that tells the cells apart; SIZE_MAX if there is one cell */
    size_t columns; /* how many columns it reads, the label among them */
    double unit;    /* answers are integers in steps of 1 / unit: 1, and 65536 for a predicate */
} nw_query_workload;

/** One interval of a conjunction: codes low <= code < high of a column. */
typedef struct nw_query_term {
    size_t column;
    uint32_t low;
    uint32_t high; /* above low, at most the column's cells */
} nw_query_term;

/** A record as a predicate sees it. Columns that the predicate did not name have code 0 and number NaN. */
typedef struct nw_query_record {
    const uint16_t *codes;
    const double *numbers; /* numeric columns: in [0, 1]; NaN for a missing value and in the other columns */
    size_t columns;
} nw_query_record;

/** The weight of a record: below 0 counts as 0, above 1 as 1, NaN as 0; rounded to a multiple of 2^-16. It has to be a function
 *  of the record alone, and may be called by several threads at once. */
typedef double (*nw_query_function)(const nw_query_record *record, void *context);

/** An empty list of queries over the columns of a schema, to which it keeps a reference.
 *
 *  Errors of this and of all that add: NW_E_ARG naming the parameter, its value and the admissible set; NW_E_NOMEM; after an
 *  error the list is as it was before. All lists together: at most 2^24 workloads and 2^28 cells. */
NW_API NW_WARN_UNUSED nw_status nw_queries_new(nw_queries **out, const nw_schema *schema, nw_error *err);
NW_API void nw_queries_free(nw_queries *queries);

/** All marginals of k of the categorical columns (categorical, bool, codes). k in 1..8, at most their number; those of more than
 *  2^20 cells are left out. */
NW_API NW_WARN_UNUSED nw_status nw_queries_add_marginals(nw_queries *queries, unsigned k, nw_error *err);
/** All ranges of k columns of which at least one is numeric: one workload for each choice of levels 2, 4, .., 2^levels of its
 *  numeric columns, the last level of a column being the first that tells all its codes apart. k in 1..8, at most the number of
 *  columns; levels in 1..15; at least one numeric column. Those of more than 2^20 cells are left out. */
NW_API NW_WARN_UNUSED nw_status nw_queries_add_ranges(nw_queries *queries, unsigned k, unsigned levels, nw_error *err);
/** `count` prefixes: a categorical column uniformly, `terms` different numeric columns uniformly (fewer if there are not so
 *  many), tau uniform in (0, 1], raised to just above the least number where it is not. count >= 1; terms in 1..8; at least one
 *  numeric column. Without a categorical column they have one cell. Source: [VAA22], [LTVW23]. */
NW_API NW_WARN_UNUSED nw_status nw_queries_add_prefixes(
    nw_queries *queries, size_t count, unsigned terms, uint64_t seed, nw_error *err);
/** `count` half-spaces: a categorical column uniformly, theta ~ N(0, I / d) over the d numeric columns, b ~ N(0, 1). count >= 1;
 *  1 <= d <= 1024. Source: as prefixes. */
NW_API NW_WARN_UNUSED nw_status nw_queries_add_halfspaces(nw_queries *queries, size_t count, uint64_t seed, nw_error *err);
/** `count` conjunctions of one cell: `terms` different columns uniformly (fewer if there are not so many); of a categorical
 *  column a uniform value, of a numeric one the interval between two uniform numbers. count >= 1; terms in 1..8. */
NW_API NW_WARN_UNUSED nw_status nw_queries_add_conjunctions(
    nw_queries *queries, size_t count, unsigned terms, uint64_t seed, nw_error *err);
/** A conjunction of the caller's: n terms, 1..8, on different columns; label: a categorical column without a term, or
 *  SIZE_MAX. */
NW_API NW_WARN_UNUSED nw_status nw_queries_add_conjunction(
    nw_queries *queries, const nw_query_term *terms, size_t n, size_t label, nw_error *err);
/** A predicate of the caller's, which reads the n named columns, each once; n >= 1. `context` has to outlive the list. */
NW_API NW_WARN_UNUSED nw_status nw_queries_add_predicate(
    nw_queries *queries, nw_query_function function, void *borrowed_context, const size_t *columns, size_t n, nw_error *err);

NW_API size_t nw_queries_workloads(const nw_queries *queries);
/** Workload i < nw_queries_workloads. */
NW_API nw_query_workload nw_queries_get(const nw_queries *queries, size_t i);
/** Cells of all workloads. */
NW_API size_t nw_queries_cells(const nw_queries *queries);
/** How far the counts of workload i of two neighbours lie apart in l2, in records. */
NW_API nw_sensitivity nw_queries_sensitivity(const nw_queries *queries, size_t i, nw_adjacency adjacency);

/** Exact answers to all queries, workload after workload: **not private**, for scoring a table against another.
 *
 *  Shapes    answers: double[nw_queries_cells], out.
 *  Units     records.
 *  Errors    NW_E_ARG on NULL, or if the table has another schema; NW_E_NOMEM.
 *  Cost      rows * (terms + 1) a workload. Threads: queries shared.
 *  Source    none.
 *  Example   examples/queries.c */
NW_API NW_WARN_UNUSED nw_status nw_queries_answer(
    const nw_queries *queries, const nw_table *table, double *answers, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
