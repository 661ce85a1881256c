/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_WIDE_H
#define NW_WIDE_H

/* wide.h - fixed-point numbers of 64 integer and 256 fraction bits, and e^-z on them, for comparisons that a double cannot
 * decide.
 *
 * Every operation truncates toward zero: an error of at most one unit, 2^-256, unless said otherwise. */
#include <stdbool.h>
#include <stdint.h>

enum { NW__WIDE_LIMBS = 5 }; /* little-endian; limb 4 is the integer part */

typedef struct nw__wide {
    uint64_t limb[NW__WIDE_LIMBS];
} nw__wide;

/** A uniform fraction of 192 bits: limb 2 holds the most significant 64. */
typedef struct nw__fraction {
    uint64_t limb[3];
} nw__fraction;

/** (|c + f| / s)^2 / 2 for an integer c and a fraction f (f = 0 for integers), s a positive double; s in 2^-10 .. 2^55 and
 *  (c + f) / s below 64. */
nw__wide nw__wide_gaussian_exponent(int64_t c, nw__fraction f, double s);
/** |x| / b for an integer x and a positive double b; the quotient is below 2^16 or comes out as 2^16. */
nw__wide nw__wide_laplace_exponent(uint64_t x, double b);
/** e^-z, within 2^-230. */
nw__wide nw__wide_exp_minus(nw__wide z);
/** 1 - z for z <= 1. */
nw__wide nw__wide_one_minus(nw__wide z);
/** (j + v) * a / 2^s for a positive double a; the result is below 2^64. */
nw__wide nw__wide_scaled(uint64_t j, nw__fraction v, double a, unsigned s);
nw__wide nw__wide_multiply(nw__wide x, nw__wide y);
/** -1, 0, 1 as x is below, within, or above y by `2^-bits` (bits <= 256). */
int nw__wide_compare(nw__wide x, nw__wide y, unsigned bits);

#endif
