/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_QUERIES_INTERNAL_H
#define NW_QUERIES_INTERNAL_H

/* queries_internal.h - linear queries as the files of the synth room see them.
 *
 *   queries.c        numbers of codes, the list, single workloads     (public: schema only)
 *   query_family.c   families of workloads, random ones from a seed   (public)
 *   query_file.c     the list as JSON                                 (public)
 *   query_count.c    which cell a record is in; exact counts          (reads tables)
 *   tally.c          counts of a table under change, against targets  (synthetic tables only)
 */
#include "base.h"

#include <nw/queries.h>
#include <sodium.h>

#define NW__NO_COLUMN SIZE_MAX
#define NW__NO_CELL UINT32_MAX
enum { NW__NUMBER_BITS = 24, NW__THETA_BITS = 20, NW__MOST_TERMS = 8, NW__PREDICATE_UNIT = 65536 };
#define NW__MOST_WORKLOAD_CELLS (UINT64_C(1) << 20)
#define NW__MOST_WORKLOADS (UINT64_C(1) << 24) /* of a list */

/** A column's part in a marginal or range: the cell is the sum of map[code] * stride over the axes. */
typedef struct nw__axis {
    size_t column;
    const uint16_t *map; /* code to part; NULL: the code itself */
    uint32_t parts;
    uint32_t stride;
} nw__axis;

typedef struct nw__predicate {
    nw_query_function function;
    void *context;
} nw__predicate;

typedef struct nw__workload {
    nw_query_kind kind;
    uint32_t cells;
    size_t label; /* conjunction, half-space; or NW__NO_COLUMN */
    size_t first; /* of its axes, terms, half-spaces (theta at first * columns), or predicate columns, in the list's pools */
    size_t count; /* axes, terms, or predicate columns */
    double bound; /* half-space: b; exact, as theta is */
    nw__predicate predicate; /* predicate only */
} nw__workload;

typedef struct nw__column_numbers {
    bool is_numeric;
    uint32_t cells;
    uint32_t values;    /* codes that are not "missing" */
    double *numbers;    /* numeric: [cells], in [0, 1], increasing; NaN for the missing code; else NULL */
    uint16_t *maps[16]; /* by level l >= 1: code to one of 2^l parts, the missing code to one more; NULL until used */
} nw__column_numbers;

/** One call that added to a list: what it takes to add the same again. */
typedef enum nw__recipe_kind {
    NW__RECIPE_MARGINALS = 1,
    NW__RECIPE_RANGES = 2,
    NW__RECIPE_PREFIXES = 3,
    NW__RECIPE_HALFSPACES = 4,
    NW__RECIPE_CONJUNCTIONS = 5,
    NW__RECIPE_CONJUNCTION = 6, /* the caller's: `count` is its workload */
    NW__RECIPE_PREDICATE = 7    /* only its caller can */
} nw__recipe_kind;
typedef struct nw__recipe {
    nw__recipe_kind kind;
    uint64_t count;
    unsigned k; /* or terms */
    unsigned levels;
    uint64_t seed;
} nw__recipe;

struct nw_queries {
    unsigned references; /* atomic: shared once a synth keeps it */
    nw_schema *schema;   /* NULL: of cells */
    size_t columns;
    nw__column_numbers *numbers; /* [columns] */
    nw__workload *workloads;
    size_t count;
    size_t capacity;
    size_t cells; /* of all workloads */
    nw__axis *axes;
    size_t axis_count;
    size_t axis_capacity;
    nw_query_term *terms;
    size_t term_count;
    size_t term_capacity;
    double *thetas; /* [halfspaces][columns]; 0 in columns that are not numeric */
    size_t theta_count;
    size_t theta_capacity; /* both in half-spaces */
    nw__recipe *recipes;
    size_t recipe_count;
    size_t recipe_capacity;
    size_t *read; /* columns of predicates */
    size_t read_count;
    size_t read_capacity;
};

const nw_queries *nw__queries_share(const nw_queries *queries);
/** An empty list over columns of so many cells, none of them numeric, without a schema. */
nw_status nw__queries_of_cells(nw_queries **out, const uint32_t *cells, size_t columns, nw_error *err);

/** Adds all queries to a hash, on machines of one byte order; of a predicate only the columns. */
void nw__queries_hash(const nw_queries *queries, crypto_generichash_state *state);

/** Where a list ends, to go back to after a failure. */
typedef struct nw__queries_mark {
    size_t count, cells, axis_count, term_count, theta_count, read_count;
} nw__queries_mark;
nw__queries_mark nw__queries_mark_now(const nw_queries *queries);
void nw__queries_go_back(nw_queries *queries, nw__queries_mark mark);

/** Makes room for one recipe, so that it cannot fail once workloads were added. */
nw_status nw__queries_expect(nw_queries *queries, const char *name, nw_error *err);
/** Ends a call that added: writes its recipe if it succeeded, else goes back. Returns status. */
nw_status nw__queries_note(nw_queries *queries, nw__queries_mark mark, nw__recipe recipe, nw_status status);

/** Single workloads; checked by the callers. */
nw_status nw__queries_push_cells(
    nw_queries *q, const size_t *columns, const unsigned *levels, size_t k, const char *name, nw_error *err);
nw_status nw__queries_push_terms(
    nw_queries *q, const nw_query_term *terms, size_t n, size_t label, const char *name, nw_error *err);
nw_status nw__queries_push_halfspace(
    nw_queries *q, const double *theta, double bound, size_t label, const char *name, nw_error *err);
/** The first axis's stride is that of the others together; the maps are borrowed. */
nw_status nw__queries_push_axes(nw_queries *q, const nw__axis *axes, size_t k, const char *name, nw_error *err);
/** Parts of a column at a level (0: its codes), the missing code's own included. */
uint32_t nw__queries_parts(const nw_queries *q, size_t column, unsigned level);
/** The codes of a numeric column whose number is below x: 0 .. result-1. */
uint32_t nw__queries_codes_below(const nw_queries *q, size_t column, double x);

/** The cell of workload w that a record with these codes is in, or NW__NO_CELL; for a predicate *weight is set as well, in units
 *  (1 for the others). `scratch`: space for one record, from nw__record_new. */
typedef struct nw__record {
    uint16_t *codes;
    double *numbers;
} nw__record;
bool nw__record_make(nw__record *record, size_t columns);
void nw__record_clear(nw__record *record, size_t columns);
uint32_t nw__workload_cell(
    const nw_queries *q, const nw__workload *w, const uint16_t *codes, nw__record *scratch, uint32_t *weight);

/** Adds the records of a table to exact counts, in units; workload chosen[i] has its counts at counts[i]. */
nw_status nw__queries_count(const nw_queries *q, const nw_table *table, const size_t *chosen, int64_t *const *counts, size_t n,
    unsigned threads, const char *name, nw_error *err);
/** The same for all workloads, their counts one after the other. */
nw_status nw__queries_count_all(
    const nw_queries *q, const nw_table *table, int64_t *counts, unsigned threads, const char *name, nw_error *err);

/* ---- the life of a list in a release ---- */

/** What is fixed before any data is seen. */
typedef struct nw__query_plan {
    nw_queries *queries;        /* shared; NULL: none are asked for */
    unsigned rounds;            /* 0: all workloads at once */
    unsigned threads;           /* never part of the result */
    size_t per_round;           /* workloads chosen and measured in each */
    size_t measured;            /* in all */
    double sigma;               /* of each count's noise, in records */
    double epsilon;             /* of each choice; 0 without rounds */
    int64_t unit;               /* scores are in 1 / unit records */
    uint64_t rows;              /* of a protected unit at most; 1: records are protected */
    nw_sensitivity sensitivity; /* l2, of one workload's counts; the same bound for all */
} nw__query_plan;

/** Exact counts of all workloads, one after the other, in units: as secret as the table. */
typedef struct nw__query_counts {
    const nw_queries *queries;
    int64_t *counts; /* [nw_queries_cells]; NULL: nothing was added yet */
} nw__query_counts;

/** Noisy answers to some workloads of a list, in the order in which they were measured. Public. */
typedef struct nw__query_results {
    nw_queries *queries; /* shared; NULL: none were asked for */
    size_t count;
    size_t *chosen;   /* the workloads */
    double *sigma;    /* of their noise, in records */
    int64_t **counts; /* in units */
} nw__query_results;

#endif
