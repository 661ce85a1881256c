/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW__CORRELATED_INTERNAL_H
#define NW__CORRELATED_INTERNAL_H

/* correlated.h - a row in pieces, for sums that are not held as one array. */
#include "base.h"

#include <nw/correlated.h>

/** Coordinates first .. first + n - 1 of the current step; context: the nw_correlated. Pieces in any number; then
 *  nw__correlated_end_step. */
nw_status nw__correlated_piece(void *context, nw_rng *rng, const int64_t *x, size_t first, size_t n, double *y, nw_error *err);
void nw__correlated_end_step(nw_correlated *c);

#endif
