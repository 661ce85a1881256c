/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_GRID_H
#define NW_GRID_H

/* nw/grid.h - from real numbers to integers and back, without leaking through the last bits.
 *
 * Every mechanism on reals works on a grid g = 2^k chosen from public parameters only: values are quantised, summed as exact
 * integers, given integer noise, and turned into doubles once, as exact multiples of g. That closes the attacks of [Mir12] and
 * [HDH22]. Not for counts: those are integers already.
 * NaN and infinities have a rule, never an error: NaN counts as 0, an infinity as the bound of its sign.
 */
#include <nw/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nw_grid {
    int exponent; /* grid step g = 2^exponent */
} nw_grid;

/** Chooses the largest power of two g with g sqrt(dimension) <= 2^-20 sensitivity_l2 and g <= 2^-10 sigma.
 *
 *  Shapes    *out: one value.
 *  Units     sigma and sensitivity in the unit of the values.
 *  Errors    NW_E_ARG if sigma or sensitivity_l2 is not positive and finite, dimension is 0, or the grid leaves the doubles'
 *            range.
 *  Cost      O(1). Threads: any.
 *  Source    docs/rooms/sampler.md#grid.
 *  Example   none */
NW_API NW_WARN_UNUSED nw_status nw_grid_choose(
    nw_grid *out, double sigma, double sensitivity_l2, size_t dimension, nw_error *err);

/** Quantises to the nearest grid point, floor(x/g + 1/2), after clamping to [lower, upper]; NaN becomes 0 before the clamp.
 *  Moves each value by at most g/2: the sensitivity must be inflated (nw_grid_inflate_l1, nw_grid_inflate_l2).
 *
 *  Shapes    x: double[n] in; q: int64[n] out.
 *  Units     q in grid steps.
 *  Errors    NW_E_ARG on NULL, if lower > upper, a bound is not finite or is 2^62 grid steps or more, or the grid's exponent is
 *            outside -1022 .. 900.
 *  Cost      a few ns a value. Threads: any.
 *  Source    docs/rooms/sampler.md#grid.
 *  Example   none */
NW_API NW_WARN_UNUSED nw_status nw_grid_round(
    nw_grid grid, const double *x, size_t n, double lower, double upper, int64_t *q, nw_error *err);

/** As nw_grid_round, but truncates toward zero: |g q_i| <= |x_i|, so no norm of a record grows and no inflation is needed.
 *
 *  Shapes    as nw_grid_round.
 *  Units     q in grid steps.
 *  Errors    as nw_grid_round.
 *  Cost      a few ns a value. Threads: any.
 *  Source    docs/rooms/sampler.md#grid.
 *  Example   none */
NW_API NW_WARN_UNUSED nw_status nw_grid_truncate(
    nw_grid grid, const double *x, size_t n, double lower, double upper, int64_t *q, nw_error *err);

/** Turns grid steps into doubles, x_i = g q_i, saturating |q_i| at 2^53 so that every product is exact.
 *
 *  Shapes    q: int64[n] in; x: double[n] out.
 *  Units     q in grid steps.
 *  Errors    NW_E_ARG on NULL, or if the grid's exponent is outside -1022 .. 900.
 *  Cost      about 1 ns a value. Threads: any.
 *  Source    docs/rooms/sampler.md#grid.
 *  Example   none */
NW_API NW_WARN_UNUSED nw_status nw_grid_to_double(nw_grid grid, const int64_t *q, size_t n, double *x, nw_error *err);

/** l1 sensitivity of an aggregate rounded once by nw_grid_round: sensitivity + g * dimension, rounded up. */
NW_API double nw_grid_inflate_l1(nw_grid grid, double sensitivity_l1, size_t dimension);

/** l2 sensitivity of an aggregate rounded once by nw_grid_round: sensitivity + g * sqrt(dimension), rounded up. */
NW_API double nw_grid_inflate_l2(nw_grid grid, double sensitivity_l2, size_t dimension);

#ifdef __cplusplus
}
#endif
#endif
