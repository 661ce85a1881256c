/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_KDE_GRID_H
#define NW_KDE_GRID_H

/* grid.h - what the planner asks the grid estimator. */
#include "kde_internal.h"
#include "splines.h"

enum { NW__GRID_MOST_DIMENSIONS = 3 };

/** Of fits to k(., y), at a few y on the diagonal of the bounds. */
typedef struct nw__grid_prediction {
    double noise;    /* standard deviation of a value for noise of deviation 1 on each part of a point: the largest */
    double residual; /* what points that clump would leave of a value of magnitude 1 */
    double typical;  /* root mean square of the function */
} nw__grid_prediction;

/** With `size` cells on the longest side. Errors: NW_E_ARG naming size; NW_E_NOMEM. */
nw_status nw__grid_predict(nw__grid_prediction *out, const nw_kde_opts *opts, size_t size, const char *function, nw_error *err);
/** Are there few enough nodes? */
bool nw__grid_is_small(const nw_kde_opts *opts, size_t size);

#endif
