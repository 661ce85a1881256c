/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_PLD_H
#define NW_PLD_H

/* pld.h - the privacy loss of a composition of dominating pairs in one direction: epsilon at delta and back, certified. */
#include "pmf.h"

/** Default tolerance of epsilon. */
#define NW__TOLERANCE 4e-5
/** Relative error of a loss that went through a family's formulas: 2^-49. */
#define NW__LOSS_ROUNDING 0x1p-49

typedef struct nw__mechanism {
    nw__pair *pair; /* owned by the list */
    uint64_t count;
} nw__mechanism;

typedef struct nw__pld_query {
    bool asks_epsilon;
    double given; /* delta, or epsilon */
    double tolerance;
    bool is_upper;
    bool is_untilted; /* theta = 0: for a distribution that is used as a whole */
} nw__pld_query;

typedef struct nw__pld_answer {
    double value;
    double estimate; /* saddle point; NaN where it does not apply */
    bool is_rough;   /* no grid was found, and value is the sum of the largest losses */
} nw__pld_answer;

/** Most steps in all that are composed on a grid. */
#define NW__PLD_MOST_STEPS 0x1p40
/** Most different mechanisms: each costs a few transforms. */
#define NW__PLD_MOST_DIFFERENT 1024

/** The saddle-point estimate alone, in a fraction of the time. */
nw_status nw__pld_estimate(const nw__mechanism *list, size_t n, const nw__pld_query *query, double *estimate, nw_error *err);
/** Errors: NW_E_UNSUPPORTED if no grid within the limits of memory resolves the composition. */
nw_status nw__pld_solve(
    const nw__mechanism *list, size_t n, const nw__pld_query *query, nw__fft *plan, nw__pld_answer *out, nw_error *err);
/** The distribution itself, tilted for the query. */
nw_status nw__pld_compose(const nw__mechanism *list, size_t n, const nw__pld_query *query, nw__fft *plan, nw__pmf *out,
    double *loss_slack, double *estimate, nw_error *err);

#endif
