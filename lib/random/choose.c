/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "choose.h"

#include <math.h>

enum { RATE_BITS = 48 };

uint64_t nw__choice_rate(double epsilon, uint64_t sensitivity)
{
    return (uint64_t)nextafter(ldexp(epsilon, RATE_BITS - 1) / (double)sensitivity, 0.0);
}

int64_t nw__choice_best(const int64_t *scores, size_t n)
{
    int64_t best = scores[0];
    for (size_t i = 1; i < n; i++)
        best = scores[i] > best ? scores[i] : best;
    return best;
}

nw_status nw__choice_flip(nw_rng *rng, uint64_t rate, uint64_t gap, bool *is_taken, nw_error *err)
{
    uint64_t x = 0;
    if (__builtin_mul_overflow(rate, gap, &x))
        x = UINT64_MAX;
    return nw_rng_bernoulli_exp(rng, x, UINT64_C(1) << RATE_BITS, is_taken, err);
}

/* A uniform candidate, kept with probability e^-x: the law of what is kept is proportional to e^-x. */
nw_status nw__choose_exponential(nw_rng *rng, const int64_t *scores, size_t n, uint64_t rate, size_t *chosen, nw_error *err)
{
    const int64_t best = nw__choice_best(scores, n);
    uint64_t i = 0;
    for (bool is_taken = false; !is_taken;) {
        NW__TRY(nw_rng_uniform(rng, n, &i, err));
        NW__TRY(nw__choice_flip(rng, rate, (uint64_t)(best - scores[i]), &is_taken, err));
    }
    *chosen = (size_t)i;
    return NW_OK;
}
