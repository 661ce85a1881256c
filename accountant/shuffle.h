/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_SHUFFLE_H
#define NW_SHUFFLE_H

/* shuffle.h - privacy amplification by shuffling: the clones of [FMT21], valid for every epsilon_0-DP local randomizer. */
#include "pair.h"

/** Of a local randomizer: its epsilon_0 (INFINITY if it reveals its input) and the probability that another record's output is a
 *  clone: e^-epsilon_0 in general; 2 / (e^epsilon_0 + 1) for binary randomized response, whose output is a fair coin with that
 *  probability. The stronger theorem of [FMT22] for general randomizers is not used: its proof fails (see its erratum). */
void nw__shuffle_parameters(const nw_event *base, double *epsilon0, double *clone_probability);
/** The pair of n shuffled records  [FMT21, Thm 3.1]: C ~ Bin(n - 1, clone), A ~ Bin(C, 1/2), D ~ Ber(e^epsilon0 / (1 +
 *  e^epsilon0)); P = (A + D, C - A + 1 - D), Q = (A + 1 - D, C - A + D). */
nw_status nw__pair_shuffle(nw__pair **out, uint64_t n, double epsilon0, double clone_probability, nw_error *err);
/** Two neighbours of `shuffled` as they are: how many of n reports are one answer, which the record gives with the probability of
 *  the truth or of a lie, when all other records hold that answer (or, in the other direction, the neighbour's). Of a general
 *  local randomizer this is binary randomized response, one of those that keep the promise. From below: P is rounded down and Q
 *  up, and what lies far out is left out. */
nw_status nw__pair_shuffle_attained(nw__pair **out, const nw_event *shuffled, nw__direction direction, nw_error *err);

#endif
