/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TALLY_H
#define NW_TALLY_H

/* tally.h - the answers of a synthetic table to many queries, kept while the table changes cell by cell.
 *
 * The energy of a table is sum over workloads of weight * sum over cells of (answer - target)^2, answers and targets in rows of
 * the synthetic table. When one cell of a row changes, only the workloads that read its column are looked at: a marginal loses a
 * count in one cell and gains it in another, a conjunction is touched where exactly one of the two values is in its interval, a
 * half-space where its sum crosses the bound. */
#include "queries_internal.h"

/** One workload to be fitted. */
typedef struct nw__tally_item {
    const nw_queries *queries;
    size_t workload;
    double weight;
    const double *targets; /* one a cell, in rows; read by nw__tally_make only */
} nw__tally_item;

/** A column's part in a marginal of one or two columns of which no code is mapped: most of them. */
typedef struct nw__pair_entry {
    float *residuals;
    uint32_t stride;
    uint32_t other_stride; /* 0: there is no other column */
    size_t other;
    float weight;
} nw__pair_entry;

/** A column's part in any other marginal. */
typedef struct nw__axis_entry {
    float *residuals;
    const uint16_t *map;
    uint32_t stride;
    float weight;
    const nw__axis *axes;
    size_t count;
} nw__axis_entry;

typedef struct nw__column_index {
    nw__pair_entry *pairs; /* marginals that read the column */
    size_t pair_count;
    nw__axis_entry *axes;
    size_t axis_count;
    uint32_t *low; /* conjunctions with a term on the column: its interval, and the item */
    uint32_t *high;
    size_t *term_items;
    size_t term_count;
    size_t *label_items; /* conjunctions labelled by the column */
    size_t label_count;
    size_t half_first; /* half-spaces labelled by the column, in the order of the sums */
    size_t half_end;
    size_t *predicate_items;
    size_t predicate_count;
    const double *numbers; /* NULL if the column is not numeric */
    double *theta;         /* [halfspaces]; NULL if there are none or the column is not numeric */
} nw__column_index;

typedef struct nw__tally {
    size_t columns;
    nw__tally_item *items;
    size_t item_count;
    size_t *first_cell; /* per item, and the end */
    float *residuals;   /* answer - target, per cell */
    nw__column_index *index;
    size_t halfspaces;
    size_t *half_items; /* sorted by label */
    double *bounds;
    double *sums;       /* of the row that is looked at */
    double *moved_sums; /* the same after the change */
    uint16_t *row;      /* the row after the change */
    nw__record scratch;
} nw__tally;

/** `items` are copied. The table has no rows yet. False if memory lacks; the tally may then only be cleared. */
bool nw__tally_make(nw__tally *tally, const nw__tally_item *items, size_t n, size_t columns);
void nw__tally_clear(nw__tally *tally);

/** Adds `sign` times a row. */
void nw__tally_add_row(nw__tally *tally, const uint16_t *row, float sign);
/** The change of the energy if the row's cell in `column` became `code`. */
double nw__tally_look(nw__tally *tally, const uint16_t *row, size_t column, uint16_t code);
/** Makes that change, which the caller then makes in the row; returns the change of the energy. */
double nw__tally_move(nw__tally *tally, const uint16_t *row, size_t column, uint16_t code);
double nw__tally_energy(const nw__tally *tally);

#endif
