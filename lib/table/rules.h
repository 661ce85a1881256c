/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_RULES_H
#define NW_RULES_H

/* rules.h - the rules of a schema: what every row has to satisfy.
 *
 * A rule is "if P then Q". P is made of conditions on single columns; Q is such a condition, or linear inequalities between
 * numeric columns, or a function from some columns to another. A schema with rules has its bins cut wherever a condition changes
 * its mind, so a condition holds for all values of a code or for none. Only linear inequalities depend on values inside bins.
 *
 * A row is given as code ranges: column j has one of the codes first[j] .. last[j], all of one class, or is not decided yet
 * (first[j] == NW__UNDECIDED). So the same evaluation serves rows of a table, rows of coarser codes, and searches.
 *
 *   rules_parse.c    JSON to rules, in the coordinates of the bins' edges
 *   rules_compile.c  cuts the bins, makes conditions tables over codes, finds classes, proves that rows exist
 *   rules_eval.c     truth of rules, allowed codes, joint choice of values
 *   constraints.c    the public functions
 */
#include "table_internal.h"

#include <jansson.h>
#include <nw/constraints.h>

#define NW__UNDECIDED UINT16_MAX /* no code: a column has at most 65535 */

typedef __int128 nw__int128;

/* In this order, so that "and" is the minimum, "or" the maximum and "not x" is 2 - x. */
typedef enum nw__truth { NW__FALSE = 0, NW__OPEN = 1, NW__TRUE = 2 } nw__truth;

/* Coordinates are those of a domain's edges: the number k of a grid value, the real number itself, the code of a label. */
typedef struct nw__interval {
    double from;
    double to; /* not included */
} nw__interval;

/* Some values of one column. */
typedef struct nw__set {
    size_t column;
    nw__interval *intervals;
    size_t count;
    bool has_missing;
} nw__set;

typedef enum nw__condition_kind { NW__IN_SET = 1, NW__ALL = 2, NW__ANY = 3, NW__NOT = 4 } nw__condition_kind;

typedef struct nw__condition {
    nw__condition_kind kind;
    nw__set set;                 /* NW__IN_SET */
    uint8_t *holds;              /* NW__IN_SET, once compiled: of each code */
    struct nw__condition *parts; /* all other kinds */
    size_t part_count;
} nw__condition;

/* low <= sum weights[i] k[columns[i]] <= high, where k numbers the values of a column's grid. */
typedef struct nw__linear {
    size_t n;
    size_t *columns;
    int64_t *weights;
    nw__int128 low;
    nw__int128 high;
} nw__linear;

#define NW__MAX_TIED 16     /* columns tied together by linear rules */
#define NW__MAX_LINEARS 256 /* inequalities of all rules */
#define NW__MAX_INPUTS 4
#define NW__NO_RESULT UINT16_MAX

/* `output` is a function of the inputs. Input i's values fall into slots; row-major over the slots (slot 0: not listed, the last
 * one of a nullable input: missing), result has the output's code, or NW__NO_RESULT where no value of the output is allowed. */
typedef struct nw__function {
    size_t inputs[NW__MAX_INPUTS];
    size_t input_count;
    size_t output;
    nw__set *entries; /* until compiled: [entry_count][input_count + 1], the result last */
    size_t entry_count;
    uint32_t *slots[NW__MAX_INPUTS]; /* of each code */
    uint32_t slot_count[NW__MAX_INPUTS];
    uint16_t *result;
} nw__function;

typedef struct nw__rule {
    char *name;
    nw__condition *premise;    /* NULL: always */
    nw__condition *conclusion; /* or one of the two below */
    nw__linear *linears;
    size_t linear_count;
    nw__function *function;
    bool *mentions; /* of each column */
} nw__rule;

struct nw__rules {
    size_t columns;
    size_t count;
    nw__rule *rules;
    char *text; /* compact JSON with sorted keys: what the schema's hash covers */
    uint32_t *
        *class_of;   /* of each code; a class is a run of codes that no condition and no function tells apart; NULL: no rule */
    int64_t **k_low; /* of each code: the first and last grid value; NULL: in no linear rule */
    int64_t **k_high;
    uint16_t *missing; /* code of a missing value, or NW__UNDECIDED in columns that are not nullable */
    size_t *component; /* columns tied by linear rules have the same number; SIZE_MAX: in none */
    size_t components;
    uint16_t *row;     /* a row that keeps all rules; 0 in columns without a rule */
    double *free_high; /* last grid value of a column that is not decided */
};

/* ---- making ---- */

/** JSON, parsed, to rules; sets are in coordinates of the schema's present edges. */
nw_status nw__rules_parse(nw__rules **out, const nw_schema *schema, json_t *root, nw_error *err, const char *function);
/** Cuts the domains of `schema` (a fresh copy, still without rules) and compiles. NW_E_FORMAT: no row keeps the rules, ... */
nw_status nw__rules_compile(nw__rules *rules, nw_schema *schema, nw_error *err, const char *function);
void nw__rules_free(nw__rules *rules);

/** Calls visit for every condition set of a tree. */
typedef void (*nw__set_visit)(void *context, nw__condition *leaf);
void nw__condition_visit(nw__condition *condition, nw__set_visit visit, void *context);

/* ---- using ---- */

/** Whether rule i holds for all, none or some of the rows that the code ranges allow. */
nw__truth nw__rule_truth(const nw__rules *rules, size_t i, const uint16_t *first, const uint16_t *last);

/** Which of n cells of column j, cell v being the codes cell_first[v] .. cell_last[v] of one class, no rule forbids, given the
 *  other columns. Returns how many. */
size_t nw__rules_mask(const nw__rules *rules, uint16_t *first, uint16_t *last, size_t j, size_t n, const uint16_t *cell_first,
    const uint16_t *cell_last, uint8_t *allowed);

/** Chooses one of the grid values low .. high of column j. */
typedef nw_status (*nw__value_choice)(void *context, size_t j, int64_t low, int64_t high, int64_t *k, nw_error *err);

/** Finds grid values k[j] for the columns of linear rules, inside of the code ranges, that satisfy all linear rules whose
 *  premise holds; other columns' k are untouched. All columns must be decided. `choose` NULL takes the first that fits; others
 *  are asked for one column after the other, within what the rules leave it. component: SIZE_MAX for all of them. *found is
 *  false if there are none (or they were not found in a bounded search, in which case this answer is the same every time). */
nw_status nw__rules_solve(const nw__rules *rules, const uint16_t *first, const uint16_t *last, size_t component,
    nw__value_choice choose, void *context, int64_t *k, bool *found, nw_error *err);

/** Whether the values keep rule i: codes of all columns, and k of those in linear rules. */
bool nw__rule_holds(const nw__rules *rules, size_t i, const uint16_t *codes, const int64_t *k);

#endif
