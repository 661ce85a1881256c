/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_KDE_PAIR_NOISE_H
#define NW_KDE_PAIR_NOISE_H

/* pair_noise.h - pure-DP noise for pairs of whole numbers whose l2 distance is bounded: a K-norm mechanism [HT10] in the plane.
 *
 * P[z] ~ exp(-N(z) / b), N the largest product of z with one of 32 directions of length at most 1: nearly |z|_2, and never
 * more, so pairs at most D apart are (D / b)-indistinguishable. A coordinate's variance is 3.01 b^2; Laplace noise for the l1
 * norm of the same pair, sqrt(2) D, has 4 b^2. */
#include "base.h"

#include <nw/rng.h>

/** Variance of a coordinate in units of b^2. */
static const double NW__PAIR_VARIANCE = 3.0098;
static const uint64_t NW__PAIR_LARGEST_SCALE = UINT64_C(1) << 36;

/** Adds noise to n pairs (x[i], y[i]), saturating. b in 1 .. 2^36. Exact, but for probabilities below 2^-250.
 *  Errors: NW_E_ENTROPY. */
nw_status nw__pair_noise_add(nw_rng *rng, uint64_t b, int64_t *x, int64_t *y, size_t n, nw_error *err);
/** 2^16 N(z). */
uint64_t nw__pair_norm(int64_t x, int64_t y);

#endif
