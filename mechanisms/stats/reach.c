/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* reach.c - how far integer noise goes: the distance that it exceeds with a given probability. A function of the law, so
 * public. */
#include "stats_internal.h"

#include <math.h>

enum { MOST_TERMS = 22 };

/* P[G >= t] of a sum of u geometric draws, P[g] = (1 - q) q^g: of t + u - 1 coins, heads with 1 - q, at most u - 1 are heads. */
static double tail_of_geometric(double scale, size_t u, double t)
{
    const double coins = t + (double)u - 1.0;
    const double odds = expm1(1.0 / scale);
    double term = exp(-coins / scale);
    double tail = 0.0;
    for (size_t heads = 0; heads < u; heads++) {
        tail += term;
        term *= odds * (coins - (double)heads) / ((double)heads + 1.0);
    }
    return tail;
}

/* P[S >= t], t >= 1, of a sum S of m discrete Laplace draws, exact. With A and B the generating functions of a geometric step
 * up, from 0, and of one down, from 1, q = e^(-1/b): a draw is (A + q B) / (1 + q), and A B = (q A + B) / (1 + q). So S is a
 * mixture of A^u B^(m - u), of which one factor after the other goes until all steps are of one kind. Every term is positive. */
static double tail_of_laplace(double scale, size_t m, double t)
{
    double weights[MOST_TERMS + 1][MOST_TERMS + 1] = { { 0.0 } }; /* [u][d] of A^u B^d */
    const double q = exp(-1.0 / scale);
    double weight = pow(1.0 / (1.0 + q), (double)m);
    double tail = 0.0;
    for (size_t u = m; u <= m; u--) {
        weights[u][m - u] = weight;
        weight *= q * (double)u / (double)(m - u + 1);
    }
    for (size_t u = m; u > 0; u--) {
        for (size_t d = m - u; d > 0; d--) {
            weights[u][d - 1] += weights[u][d] * q / (1.0 + q);
            weights[u - 1][d] += weights[u][d] / (1.0 + q);
        }
        tail += weights[u][0] * tail_of_geometric(scale, u, t);
    }
    return tail;
}

/* P[|S| > k], k >= 0, of a sum S of m draws, m = 1 among them. Rounded Gaussian: a normal law of sqrt(m) sigma, moved by m
 * roundings of 1/2 at most: exact for one, an upper bound for more. Where it matters, above 1e-27, exponents are below 512 and
 * off by less than 2^-42, the normal argument below 11 and off by less than 2^-48, and weights and terms have below 2^10
 * roundings: 2^-36 covers what that makes of the tail. */
static double tail_beyond(nw_noise_law law, double scale, size_t m, double k)
{
    const double tail = law == NW_NOISE_DISCRETE_LAPLACE ? 2.0 * tail_of_laplace(scale, m, k + 1.0)
                                                         : erfc((k + 1.0 - (double)m / 2.0) / scale / sqrt(2.0 * (double)m));
    return tail * (1.0 + 0x1p-36);
}

static double tails_beyond(nw_noise_law law, double scale, const double *sums, size_t most_terms, int64_t k)
{
    double total = 0.0;
    for (size_t m = 1; m <= most_terms; m++)
        total += sums[m] == 0.0 ? 0.0 : sums[m] * tail_beyond(law, scale, m, (double)k);
    return total;
}

/* Doubling, then halving: k stays below 2^50 * 128 * 2, where a tail of 22 draws is below 1e-27. */
double nw__stats_reach_of_sums(nw_noise_law law, double scale, const double *sums, size_t most_terms, double risk)
{
    int64_t low = -1; /* P[|S| > -1] = 1: not enough */
    int64_t high = 0;
    while (tails_beyond(law, scale, sums, most_terms, high) > risk) {
        low = high;
        high = 2 * high + 1;
    }
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        if (tails_beyond(law, scale, sums, most_terms, middle) > risk)
            low = middle;
        else
            high = middle;
    }
    return (double)high;
}

double nw__stats_reach(nw_noise_law law, double scale, double risk)
{
    const double one[2] = { 0.0, 1.0 };
    return nw__stats_reach_of_sums(law, scale, one, 1, risk);
}
