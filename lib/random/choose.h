/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_CHOOSE_H
#define NW_CHOOSE_H

/* choose.h - the exponential mechanism, drawn exactly from integer scores.
 *
 * The weight of a candidate is e^-x with x = rate 2^-48 (best - score), rate 2^-48 at most epsilon / (2 sensitivity): a rational,
 * so nw_rng_bernoulli_exp draws it without error. Where rate (best - score) leaves 64 bits, x is above 2^16 and is taken as that:
 * probabilities below 2^-94000. */
#include "random_internal.h"

/** floor(2^48 epsilon / (2 sensitivity)), on the safe side: 0 if that is below 1. */
uint64_t nw__choice_rate(double epsilon, uint64_t sensitivity);
int64_t nw__choice_best(const int64_t *scores, size_t n);
/** Bernoulli(e^-x), x = rate 2^-48 gap. */
nw_status nw__choice_flip(nw_rng *rng, uint64_t rate, uint64_t gap, bool *is_taken, nw_error *err);
/** The exponential mechanism on scores of at most 2^61 in magnitude. */
nw_status nw__choose_exponential(nw_rng *rng, const int64_t *scores, size_t n, uint64_t rate, size_t *chosen, nw_error *err);

#endif
