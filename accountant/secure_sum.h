/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_SECURE_SUM_INTERNAL_H
#define NW_SECURE_SUM_INTERNAL_H

/* secure_sum.h - the distance of a sum of discrete Gaussians; proof in docs/rooms/secure_sum.md#proof. */
#include <stddef.h>

/** Bound on max |log P / Q|, P the law of the sum of `shares` discrete Gaussians of `variance` each, Q the discrete Gaussian of
 *  shares * variance; rounded up. */
double nw__shares_log_ratio(double variance, size_t shares);
/** The least d with P >= (1 - d) R at every integer, R the randomized rounding of a normal law of variance shares * variance -
 *  smoothing: a bound, rounded up. 0 < smoothing < shares * variance. */
double nw__shares_distance(double variance, size_t shares, double smoothing);

#endif
