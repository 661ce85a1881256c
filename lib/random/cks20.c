/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* cks20.c - see cks20.h. Exact rational arithmetic in 128 bits; the ranges in the header keep every product below 2^128. */
#include "cks20.h"

typedef unsigned __int128 uint128;

/* Uniform in 0 .. bound-1: the smallest number of bits that holds bound-1, rejected until below. */
static uint128 below(nw_rng *rng, uint128 bound)
{
    uint128 mask = bound - 1;
    for (int shift = 1; shift < 128; shift *= 2)
        mask |= mask >> shift;
    uint128 u = 0;
    do {
        u = ((uint128)nw__rng_u64(rng) << 64 | nw__rng_u64(rng)) & mask;
    } while (u >= bound);
    return u;
}

/* [CKS20, Alg. 1], gamma = num / den: Bernoulli(exp(-gamma)). */
static bool bernoulli_exp(nw_rng *rng, uint128 num, uint128 den)
{
    for (; num > den; num -= den) /* lines 8-14: gamma > 1 */
        if (!bernoulli_exp(rng, 1, 1))
            return false;
    uint64_t k = 1;                                     /* line 2 */
    while (below(rng, den) < num && below(rng, k) == 0) /* lines 3-5: A ~ Bernoulli(gamma / K) */
        k++;
    return k % 2 == 1; /* line 6 */
}

int64_t nw__cks20_laplace(nw_rng *rng, uint64_t t, uint64_t s)
{
    for (;;) {
        const uint64_t u = (uint64_t)below(rng, t); /* line 3 */
        if (!bernoulli_exp(rng, u, t))              /* lines 4-5 */
            continue;
        uint64_t v = 0;                  /* line 6 */
        while (bernoulli_exp(rng, 1, 1)) /* lines 7-10 */
            v++;
        const uint64_t x = u + t * v;                /* line 11 */
        const int64_t y = (int64_t)(x / s);          /* line 12 */
        const bool is_negative = below(rng, 2) == 1; /* line 13 */
        if (is_negative && y == 0)                   /* line 14: -0 is not counted twice */
            continue;
        return is_negative ? -y : y; /* line 15 */
    }
}

static uint64_t floor_sqrt_ratio(uint64_t n, uint64_t d)
{
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 20; bit > 0; bit >>= 1)
        if ((uint128)(root + bit) * (root + bit) * d <= n)
            root += bit;
    return root;
}

int64_t nw__cks20_gaussian(nw_rng *rng, uint64_t n, uint64_t d)
{
    const uint64_t t = floor_sqrt_ratio(n, d) + 1; /* line 1: t = floor(sigma) + 1 */
    for (;;) {
        const int64_t y = nw__cks20_laplace(rng, t, 1); /* line 3 */
        /* line 4: C ~ Bernoulli(exp(-(|Y| - sigma^2 / t)^2 / (2 sigma^2))), all over d t */
        const uint128 a = (uint128)(uint64_t)(y < 0 ? -y : y) * t * d;
        const uint128 difference = a > n ? a - n : n - a;
        if (bernoulli_exp(rng, difference * difference, (uint128)2 * n * d * t * t))
            return y; /* line 5 */
    }
}
