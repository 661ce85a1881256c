/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* client_ratio.c - e^epsilon and the probabilities that keep within it, in integers: the same on every machine, and every
 * rounding toward less than epsilon. */
#include "client.h"

#include <string.h>

/* r = epsilon / 64 <= 1/4 by Taylor in 2^-62, each term rounded down: 20 terms lose less than 2^-57. Then it is squared six times
 * as mantissa and exponent, losing 2^-63 of itself each time, which the later squarings double: 2^-50 in all. */
uint64_t nw__ldp_exp(uint64_t epsilon)
{
    const uint64_t r = epsilon << 24; /* in 2^-62 */
    uint64_t term = UINT64_C(1) << 62;
    uint64_t sum = term;
    for (unsigned k = 1; k <= 20; k++) {
        term = nw__mul_high(term, r << 2) / k; /* r << 2 is below 2^63 */
        sum += term;
    }
    uint64_t mantissa = sum << 1; /* 1 <= e^r < 2: mantissa / 2^63 */
    int exponent = 0;
    for (unsigned i = 0; i < 6; i++) {
        mantissa = nw__mul_high(mantissa, mantissa); /* in 2^-62 */
        exponent = 2 * exponent + 1;
        if (mantissa >> 63 == 0) {
            mantissa <<= 1;
            exponent--;
        }
    }
    return mantissa >> (23 - exponent); /* e^16 < 2^24 */
}

uint64_t nw__ldp_root(uint64_t ratio)
{
    uint64_t root = 0; /* root^2 <= ratio 2^40 */
    for (uint64_t bit = UINT64_C(1) << 52; bit != 0; bit >>= 1) {
        const uint64_t next = root + bit;
        const uint64_t high = nw__mul_high(next, next);
        const uint64_t low = next * next;
        if (high < ratio >> 24 || (high == ratio >> 24 && low <= ratio << 40))
            root = next;
    }
    return root;
}

enum { LIMBS = 8 };

/* The product of n factors, in 32-bit limbs. */
static void multiply(uint32_t out[LIMBS], const uint64_t *factors, unsigned n)
{
    memset(out, 0, LIMBS * sizeof *out);
    out[0] = 1;
    for (unsigned f = 0; f < n; f++) {
        uint32_t sum[LIMBS] = { 0 };
        for (unsigned half = 0; half < 2; half++) {
            const uint64_t factor = half == 0 ? factors[f] & UINT32_MAX : factors[f] >> 32;
            uint64_t carry = 0;
            for (unsigned i = 0; i + half < LIMBS; i++) {
                carry += factor * out[i] + sum[i + half];
                sum[i + half] = (uint32_t)carry;
                carry >>= 32;
            }
        }
        memcpy(out, sum, sizeof sum);
    }
}

/* Whether T a 2^40 <= ratio (2^64 - T) b. The products have 64 + 64 + 64 bits at most. */
static bool is_within(uint64_t ratio, uint64_t t, uint64_t a, uint64_t b)
{
    uint32_t left[LIMBS];
    uint32_t right[LIMBS];
    multiply(left, (const uint64_t[]){ t, a, NW__LDP_ONE_RATIO }, 3);
    multiply(right, (const uint64_t[]){ ratio, 0 - t, b }, 3);
    for (unsigned i = LIMBS; i-- > 0;)
        if (left[i] != right[i])
            return left[i] < right[i];
    return true;
}

uint64_t nw__ldp_threshold(uint64_t ratio, uint64_t a, uint64_t b)
{
    uint64_t t = 0;
    for (uint64_t bit = UINT64_C(1) << 63; bit != 0; bit >>= 1)
        if (is_within(ratio, t | bit, a, b))
            t |= bit;
    return t;
}
