/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* reach.c - how far integer noise goes: the distance that it exceeds with a given probability. A function of the law, so
 * public. */
#include "stats_internal.h"

#include <math.h>

/* P[|Z| > k], k >= 0: 2 q^(k + 1) / (1 + q) with q = e^(-1/b), or both normal tails beyond k + 1/2. Where it matters, above
 * 1e-24, the exponent is below 56 and off by less than 2^-46, the normal argument below 11 and off by less than 2^-49: 2^-40
 * covers what that makes of the tail. */
static double tail_beyond(nw_noise_law law, double scale, int64_t k)
{
    const double x = (double)k;
    const double tail = law == NW_NOISE_DISCRETE_LAPLACE ? 2.0 * exp(-(x + 1.0) / scale) / (1.0 + exp(-1.0 / scale))
                                                         : erfc((x + 0.5) / scale / sqrt(2.0));
    return tail * (1.0 + 0x1p-40);
}

/* Doubling, then halving: k stays below 2^50 * 56 * 2, as the risk is above 1e-24. */
double nw__stats_reach(nw_noise_law law, double scale, double risk)
{
    int64_t low = -1; /* P[|Z| > -1] = 1: not enough */
    int64_t high = 0;
    while (tail_beyond(law, scale, high) > risk) {
        low = high;
        high = 2 * high + 1;
    }
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        if (tail_beyond(law, scale, middle) > risk)
            low = middle;
        else
            high = middle;
    }
    return (double)high;
}
