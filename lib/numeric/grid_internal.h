/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_GRID_INTERNAL_H
#define NW_GRID_INTERNAL_H

/* grid_internal.h - the grid's loops without their checks. */
#include "base.h"

#include <nw/grid.h>

/** NW_E_ARG as nw_grid_round, in the name of `function`. */
nw_status nw__grid_check(nw_grid grid, double lower, double upper, const char *function, nw_error *err);

/** As nw_grid_round; checked by nw__grid_check. */
void nw__grid_round(nw_grid grid, const double *x, size_t n, double lower, double upper, int64_t *q);
/** As nw_grid_to_double, for a grid that passed nw__grid_check. */
void nw__grid_to_double(nw_grid grid, const int64_t *q, size_t n, double *x);

#endif
