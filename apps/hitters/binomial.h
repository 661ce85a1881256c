/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HITTERS_BINOMIAL_H
#define HITTERS_BINOMIAL_H

/* binomial.h - binomial draws for simulations: right but for the rounding of doubles, which is no matter where nothing is
 * protected by them. */
#include <noisewright.h>

/** A buffered stream of 64-bit words. An error of the generator shows as `status`, and the words are 0 then. */
typedef struct words {
    nw_rng *rng;
    uint64_t buffer[512];
    size_t used;
    nw_status status;
} words;
void words_open(words *w, nw_rng *rng);
uint64_t words_next(words *w);

/** One draw of Bin(n, p), p in [0, 1], n at most 2^53. */
uint64_t binomial_draw(words *w, uint64_t n, double p);

/** One law for many draws: a table of its distribution function. */
typedef struct binomial_law binomial_law;
/** NULL if memory lacks. */
binomial_law *binomial_law_new(uint64_t n, double p);
void binomial_law_free(binomial_law *law);
uint64_t binomial_law_draw(const binomial_law *law, words *w);

#endif
