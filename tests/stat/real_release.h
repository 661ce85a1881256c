/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_REAL_RELEASE_H
#define NW_TEST_REAL_RELEASE_H

/* real_release.h - releases of real numbers: through nw/grid.h, and the ways in which others leaked through the last bits. Each
 * writes n independent releases of x. */
#include "residue.h"

#include <nw/grid.h>
#include <nw/noise.h>

typedef nw_status (*grid_quantise)(nw_grid grid, const double *x, size_t n, double lower, double upper, int64_t *q,
    nw_error *err); /* nw_grid_round, _truncate */

/** To the grid in [-2^21, 2^21], integer noise, back to doubles once. */
void release_on_grid(double x, grid_quantise quantise, nw_grid grid, const nw_noise *noise, nw_rng *rng, double *out, size_t n);
/** [Mir12]: exponential noise as a double, ln(u), added to x. */
void release_float_noise(double x, nw_rng *rng, double *out, size_t n);
/** Integer noise, 64 times that of `noise`, made a double before x is added, in steps of the grid: beyond 2^53 the sum is rounded
 *  after x came in. */
void release_converted_early(double x, const nw_noise *noise, nw_rng *rng, double *out, size_t n);

/** For a table of mutants; context: NULL. */
bool float_noise__leaks(const void *context, bool is_planted);
bool noise_converted_early__leaks(const void *context, bool is_planted);
bool value_added_off_the_grid__leaks(const void *context, bool is_planted);
bool grid_chosen_from_data__leaks(const void *context, bool is_planted);

#endif
