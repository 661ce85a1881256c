/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_CELLS_H
#define NW_CELLS_H

/* cells.h - a dominating pair's privacy loss on a grid {origin + index h}, from above or from below. */
#include "pair.h"

typedef struct nw__cell {
    int64_t index;
    double p; /* mass under P */
} nw__cell;

typedef struct nw__cells {
    size_t n;
    size_t capacity;
    nw__cell *at;  /* an index may occur twice */
    double origin; /* of the grid: where mass piles up, at an end of the support if it has one */
    double infinite;
} nw__cells;

typedef struct nw__cells_opts {
    double h;
    double theta;     /* cells are as narrow as their mass times e^(theta loss) deserves */
    double log_scale; /* of the tilted law: log E_P e^(theta L), roughly */
    double cut_high;  /* P-mass above which may go to infinity (upper) or be dropped (lower) */
    double cut_low;   /* P-mass below which may be moved up to the lowest point (upper) or dropped (lower) */
    double fineness;  /* a cell is split while its tilted mass times its width^2 is above h^2 / fineness */
    double most;      /* grid points from the lowest to the highest cell */
    bool is_upper;
} nw__cells_opts;

/** Upper: connect-the-dots  [DGKKM22, Alg. 1], cell by cell: the P- and Q-mass of a cell (a, b] go to its ends so that the sums
 *  of p and of p e^-loss are kept, which gives the least profile above the pair's that is linear in e^loss between the dots.
 *  Lower: the same chords, lowered until they lie below the profile (contract.h).
 *  All masses are rounded outward. */
nw_status nw__cells_new(nw__cells *out, const nw__pair *pair, const nw__cells_opts *opts, nw_error *err);
void nw__cells_free(nw__cells *cells);

#endif
