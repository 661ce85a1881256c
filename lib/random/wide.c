/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* wide.c - see wide.h. Plain schoolbook arithmetic: it runs about once in 2^30 samples, so only its correctness counts. */
#include "wide.h"

#include <math.h>
#include <string.h>

typedef unsigned __int128 uint128;

enum { FRACTION_LIMBS = NW__WIDE_LIMBS - 1, FRACTION_BITS = 64 * FRACTION_LIMBS, BIG_LIMBS = 10 };

/* A natural number, little-endian. */
typedef struct big {
    uint64_t limb[BIG_LIMBS];
} big;

static void multiply_limbs(uint64_t *out, const uint64_t *x, int nx, const uint64_t *y, int ny)
{
    memset(out, 0, (size_t)(nx + ny) * sizeof *out);
    for (int i = 0; i < nx; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < ny; j++) {
            const uint128 t = (uint128)x[i] * y[j] + out[i + j] + carry;
            out[i + j] = (uint64_t)t;
            carry = (uint64_t)(t >> 64);
        }
        out[i + ny] = carry;
    }
}

/* x * 2^shift, a negative shift truncates. Bits beyond the top are lost: callers bound the result. */
static big shifted(big x, int shift)
{
    big out = { { 0 } };
    for (int i = 0; i < BIG_LIMBS; i++) {
        const int target = 64 * i + shift; /* where bit 0 of limb i goes */
        const int limb = target >= 0 ? target / 64 : -((-target + 63) / 64);
        const int bit = target - 64 * limb;
        if (limb >= 0 && limb < BIG_LIMBS)
            out.limb[limb] |= x.limb[i] << bit;
        if (bit > 0 && limb + 1 >= 0 && limb + 1 < BIG_LIMBS)
            out.limb[limb + 1] |= x.limb[i] >> (64 - bit);
    }
    return out;
}

static void divide_limbs(uint64_t *x, int n, uint64_t divisor)
{
    uint64_t rest = 0;
    for (int i = n - 1; i >= 0; i--) {
        const uint128 t = (uint128)rest << 64 | x[i];
        x[i] = (uint64_t)(t / divisor);
        rest = (uint64_t)(t % divisor);
    }
}

static nw__wide to_wide(big x)
{
    nw__wide out;
    memcpy(out.limb, x.limb, sizeof out.limb);
    return out;
}

/* s = mantissa * 2^exponent, exactly; the mantissa has 53 bits. */
static uint64_t split(double s, int *exponent)
{
    const double fraction = frexp(s, exponent);
    *exponent -= 53;
    return (uint64_t)ldexp(fraction, 53);
}

nw__wide nw__wide_gaussian_exponent(int64_t c, nw__fraction f, double s)
{
    /* y = |c + f| as Y / 2^192; then Y^2 2^(256 - 384 - 1 - 2e) / m^2 with s = m 2^e, dividing by m twice. */
    int exponent = 0;
    const uint64_t m = split(s, &exponent);
    uint64_t y[4] = { f.limb[0], f.limb[1], f.limb[2], (uint64_t)c };
    if (c < 0) { /* negate the 256-bit two's complement */
        uint64_t carry = 1;
        for (int i = 0; i < 4; i++) {
            y[i] = ~y[i] + carry;
            carry = carry && y[i] == 0;
        }
    }
    big square = { { 0 } };
    multiply_limbs(square.limb, y, 4, y, 4);
    big z = shifted(square, FRACTION_BITS - 384 - 1 - 2 * exponent);
    divide_limbs(z.limb, BIG_LIMBS, m);
    divide_limbs(z.limb, BIG_LIMBS, m);
    return to_wide(z);
}

nw__wide nw__wide_laplace_exponent(uint64_t x, double b)
{
    int exponent = 0;
    const uint64_t m = split(b, &exponent);
    big z = { { x } };
    if ((double)x / b >= 0x1p16) {
        nw__wide far = { { 0, 0, 0, 0, UINT64_C(1) << 16 } };
        return far;
    }
    z = shifted(z, FRACTION_BITS - exponent);
    divide_limbs(z.limb, BIG_LIMBS, m);
    return to_wide(z);
}

nw__wide nw__wide_multiply(nw__wide x, nw__wide y)
{
    uint64_t product[2 * NW__WIDE_LIMBS];
    nw__wide out;
    multiply_limbs(product, x.limb, NW__WIDE_LIMBS, y.limb, NW__WIDE_LIMBS);
    memcpy(out.limb, product + FRACTION_LIMBS, sizeof out.limb);
    return out;
}

static nw__wide add(nw__wide x, nw__wide y)
{
    uint64_t carry = 0;
    for (int i = 0; i < NW__WIDE_LIMBS; i++) {
        const uint128 t = (uint128)x.limb[i] + y.limb[i] + carry;
        x.limb[i] = (uint64_t)t;
        carry = (uint64_t)(t >> 64);
    }
    return x;
}

/* x - y for x >= y. */
static nw__wide subtract(nw__wide x, nw__wide y)
{
    uint64_t borrow = 0;
    for (int i = 0; i < NW__WIDE_LIMBS; i++) {
        const uint128 t = (uint128)x.limb[i] - y.limb[i] - borrow;
        x.limb[i] = (uint64_t)t;
        borrow = (uint64_t)(t >> 64) & 1;
    }
    return x;
}

static bool is_zero(nw__wide x)
{
    uint64_t any = 0;
    for (int i = 0; i < NW__WIDE_LIMBS; i++)
        any |= x.limb[i];
    return any == 0;
}

static bool is_below(nw__wide x, nw__wide y)
{
    for (int i = NW__WIDE_LIMBS - 1; i >= 0; i--)
        if (x.limb[i] != y.limb[i])
            return x.limb[i] < y.limb[i];
    return false;
}

nw__wide nw__wide_one_minus(nw__wide z)
{
    const nw__wide one = { { 0, 0, 0, 0, 1 } };
    return subtract(one, z);
}

/* e^-z = (e^-r)^(2^HALVINGS), r = z / 2^HALVINGS. The Taylor sum of e^-r has fewer than 64 terms, each with an error below 3
 * units of 2^-256 (halving, multiplication, division), and a tail below one unit. A squaring at most doubles an absolute error
 * of a number in [0, 1] and adds 1 unit: in all less than 2^HALVINGS * 200 units < 2^-230. For z >= 2^10, e^-z < 2^-1477 is 0
 * here. */
enum { HALVINGS = 14 };

nw__wide nw__wide_exp_minus(nw__wide z)
{
    const nw__wide one = { { 0, 0, 0, 0, 1 } };
    nw__wide sum = one;
    nw__wide term = one;
    if (z.limb[FRACTION_LIMBS] >= 1024) {
        const nw__wide zero = { { 0 } };
        return zero;
    }
    for (int i = 0; i < NW__WIDE_LIMBS; i++)
        z.limb[i] = z.limb[i] >> HALVINGS | (i + 1 < NW__WIDE_LIMBS ? z.limb[i + 1] << (64 - HALVINGS) : 0);
    for (uint64_t n = 1; !is_zero(term); n++) {
        term = nw__wide_multiply(term, z);
        divide_limbs(term.limb, NW__WIDE_LIMBS, n);
        sum = n % 2 == 1 ? subtract(sum, term) : add(sum, term);
    }
    for (int i = 0; i < HALVINGS; i++)
        sum = nw__wide_multiply(sum, sum);
    return sum;
}

nw__wide nw__wide_scaled(uint64_t j, nw__fraction v, double a, unsigned s)
{
    /* (j + v) as an integer over 2^192, times the mantissa of a, over 2^s. */
    int exponent = 0;
    const uint64_t m = split(a, &exponent);
    const uint64_t x[4] = { v.limb[0], v.limb[1], v.limb[2], j };
    big product = { { 0 } };
    multiply_limbs(product.limb, x, 4, &m, 1);
    return to_wide(shifted(product, FRACTION_BITS - 192 + exponent - (int)s));
}

int nw__wide_compare(nw__wide x, nw__wide y, unsigned bits)
{
    nw__wide tolerance = { { 0 } };
    const unsigned at = FRACTION_BITS - bits;
    tolerance.limb[at / 64] = UINT64_C(1) << (at % 64);
    const bool is_less = is_below(x, y);
    const nw__wide gap = is_less ? subtract(y, x) : subtract(x, y);
    if (!is_below(tolerance, gap))
        return 0;
    return is_less ? -1 : 1;
}
