/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* exact.c - exact primitives: uniform integers, Bernoulli variates, shuffles, Poisson-sampling gaps. */
#include "random_internal.h"
#include "wide.h"

#include <math.h>
#include <stdlib.h>

uint64_t nw__rng_below(nw_rng *rng, uint64_t bound)
{
    /* [Lem19]: the high word of word * bound is uniform once the low words that occur once too often are rejected. */
    unsigned __int128 product = (unsigned __int128)nw__rng_u64(rng) * bound;
    if ((uint64_t)product < bound) {
        const uint64_t excess = (0 - bound) % bound; /* 2^64 mod bound */
        while ((uint64_t)product < excess)
            product = (unsigned __int128)nw__rng_u64(rng) * bound;
    }
    return (uint64_t)(product >> 64);
}

/* Every public draw checks its handles and begins. */
static nw_status begin(nw_rng *rng, const void *out, const char *function, nw_error *err)
{
    if (rng == NULL || out == NULL)
        return nw__fail(err, NW_E_ARG, function, "%s is NULL", rng == NULL ? "rng" : "out");
    return nw__rng_begin(rng, err);
}

nw_status nw_rng_uniform(nw_rng *rng, uint64_t bound, uint64_t *out, nw_error *err)
{
    NW__TRY(begin(rng, out, __func__, err));
    if (bound == 0)
        return nw__fail(err, NW_E_ARG, __func__, "bound is 0, must be at least 1");
    *out = nw__rng_below(rng, bound);
    return NW_OK;
}

/* U < p with both binary expansions read 64 bits at a time; p in [0, 1). Each step is exact: a double times 2^64, less its
 * integer part. */
static bool is_uniform_below(nw_rng *rng, double p)
{
    while (p > 0.0) {
        p *= 0x1p64;
        const uint64_t digits = (uint64_t)p;
        const uint64_t u = nw__rng_u64(rng);
        if (u != digits)
            return u < digits;
        p -= (double)digits;
    }
    return false;
}

nw_status nw_rng_bernoulli(nw_rng *rng, double p, bool *out, nw_error *err)
{
    NW__TRY(begin(rng, out, __func__, err));
    if (!(p >= 0.0 && p <= 1.0))
        return nw__fail(err, NW_E_ARG, __func__, "p is %g, must be in [0, 1]", p);
    *out = p == 1.0 || is_uniform_below(rng, p);
    return NW_OK;
}

/* [CKS20, Alg. 1] for gamma = num / den <= 1: the run length of Bernoulli(gamma / k), k = 1, 2, ..., is even with probability
 * exp(-gamma). */
static bool bernoulli_exp_fraction(nw_rng *rng, uint64_t num, uint64_t den)
{
    uint64_t k = 1;
    /* Bernoulli(gamma / k) as Bernoulli(gamma) and Bernoulli(1 / k), so that nothing overflows */
    while (nw__rng_below(rng, den) < num && nw__rng_below(rng, k) == 0)
        k++;
    return k % 2 == 1;
}

nw_status nw_rng_bernoulli_exp(nw_rng *rng, uint64_t num, uint64_t den, bool *out, nw_error *err)
{
    NW__TRY(begin(rng, out, __func__, err));
    if (den == 0)
        return nw__fail(err, NW_E_ARG, __func__, "den is 0, must be at least 1");
    bool is_alive = true;
    for (uint64_t whole = num / den; is_alive && whole > 0; whole--) /* exp(-1) for each unit of gamma, until one fails */
        is_alive = bernoulli_exp_fraction(rng, 1, 1);
    *out = is_alive && bernoulli_exp_fraction(rng, num % den, den);
    return NW_OK;
}

nw_status nw_rng_shuffle(nw_rng *rng, void *items, size_t n, size_t item_size, nw_error *err)
{
    size_t bytes = 0;
    NW__TRY(begin(rng, items, __func__, err));
    if (item_size == 0 || !nw__mul_size(n, item_size, &bytes))
        return nw__fail(err, NW_E_ARG, __func__, "item_size is %zu, must be at least 1 and n * item_size must fit", item_size);
    uint8_t *at = items;
    for (size_t i = n; i > 1; i--) {
        uint8_t *x = at + (i - 1) * item_size;
        uint8_t *y = at + (size_t)nw__rng_below(rng, i) * item_size;
        for (size_t b = 0; b < item_size; b++) {
            const uint8_t swap = x[b];
            x[b] = y[b];
            y[b] = swap;
        }
    }
    return NW_OK;
}

/* (1 - q)^k: k truncated products of numbers in [0, 1] are off by less than 2 k units of 2^-256 however they are bracketed. */
static nw__wide power_of_rest(double q, uint64_t k)
{
    const nw__fraction none = { { 0 } };
    nw__wide result = { { 0, 0, 0, 0, 1 } };
    nw__wide square = nw__wide_one_minus(nw__wide_scaled(1, none, q, 0));
    for (; k > 0; k >>= 1) {
        if (k & 1)
            result = nw__wide_multiply(result, square);
        square = nw__wide_multiply(square, square);
    }
    return result;
}

/* Bernoulli((1 - q)^k). Double first; within its error, 192 bits of U against 256 of the power. Undecided (2^-180) counts as
 * no. */
static bool bernoulli_power(nw_rng *rng, double q, uint64_t k)
{
    const double exponent = (double)k * log1p(-q); /* relative error below 2^-51; e^x is within 2^-49 for every x <= 0 */
    const double p = exp(exponent);
    const uint64_t high = nw__rng_u64(rng);
    const double gap = p - (double)high * 0x1p-64;
    if (fabs(gap) > 0x1p-46)
        return gap > 0.0;
    const uint64_t middle = nw__rng_u64(rng);
    const nw__fraction u = { { nw__rng_u64(rng), middle, high } };
    return nw__wide_compare(nw__wide_scaled(0, u, 1.0, 0), power_of_rest(q, k), 180) < 0;
}

nw_status nw_rng_poisson_gap(nw_rng *rng, double q, uint64_t *gap, nw_error *err)
{
    NW__TRY(begin(rng, gap, __func__, err));
    if (!(q >= 0x1p-60 && q <= 1.0))
        return nw__fail(err, NW_E_ARG, __func__, "q is %g, must be in [2^-60, 1]", q);
    *gap = 0;
    if (q == 1.0)
        return NW_OK;
    /* [BF13]: gap = block 2^m + rest with 2^m in [1/q, 2/q): block is geometric with ratio (1-q)^(2^m) <= e^-1; rest has
     * weight (1-q)^rest on 0 .. 2^m - 1, by rejection from the uniform law; the two are independent. */
    int m = 0;
    frexp(1.0 / q, &m);
    const uint64_t width = UINT64_C(1) << m;
    uint64_t blocks = 0;
    while (blocks < UINT64_MAX / width && bernoulli_power(rng, q, width))
        blocks++;
    uint64_t rest = nw__rng_below(rng, width);
    while (!bernoulli_power(rng, q, rest))
        rest = nw__rng_below(rng, width);
    if (__builtin_mul_overflow(blocks, width, gap) || __builtin_add_overflow(*gap, rest, gap))
        *gap = UINT64_MAX;
    return NW_OK;
}
