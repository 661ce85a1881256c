/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* client_plane.c - projective geometry response [FNNT22]: items are points of a projective space over the integers mod a prime q,
 * a report is a point, likely one that is orthogonal to the item's.
 *
 * Deviations: q is a prime, not any power of one. */
#include "client.h"

typedef struct field {
    uint32_t q;
    uint64_t reciprocal; /* ceil(2^40 / q) */
} field;

static field field_of(uint32_t q)
{
    return (field){ q, ((UINT64_C(1) << 40) + q - 1) / q };
}

/* floor(x / q): exact for x < 2^25, as x (q - 1) < 2^40. */
static inline uint64_t quotient(field f, uint64_t x)
{
    return (x * f.reciprocal) >> 40;
}

static inline uint32_t reduce(field f, uint64_t x)
{
    return (uint32_t)(x - f.q * quotient(f, x));
}

/* x^(q - 2): the inverse of x, or 0 of 0 (1 of 1 for q = 2). q is public. */
static uint32_t invert(field f, uint32_t x)
{
    uint32_t power = 1;
    for (uint32_t bit = 1u << 12; bit != 0; bit >>= 1) {
        power = reduce(f, (uint64_t)power * power);
        if (((f.q - 2) & bit) != 0)
            power = reduce(f, (uint64_t)power * x);
    }
    return power;
}

/* The t digits of a number, the least significant one last. */
static void digits_of(field f, unsigned t, uint64_t number, uint32_t *digits)
{
    for (unsigned i = t; i-- > 0;) {
        const uint64_t rest = quotient(f, number);
        digits[i] = (uint32_t)(number - f.q * rest);
        number = rest;
    }
}

void nw__ldp_point(uint32_t q, unsigned t, uint64_t index, uint32_t vector[NW__LDP_MOST_DIMENSIONS])
{
    const field f = field_of(q);
    uint64_t start = 0; /* of the points with one coordinate more behind their 1 */
    uint64_t behind = 0;
    uint64_t first = 0;
    for (unsigned m = 0; m < t; m++) { /* the last class that begins at or before index */
        const uint64_t has_begun = ~nw__mask_less(index, start);
        behind = nw__select(has_begun, m, behind);
        first = nw__select(has_begun, start, first);
        start = start * q + 1;
    }
    digits_of(f, t, index - first, vector);
    for (unsigned i = 0; i < t; i++)
        vector[i] |= (uint32_t)(1 & nw__mask_equal(t - 1 - i, behind));
}

uint64_t nw__ldp_point_index(uint32_t q, unsigned t, const uint32_t vector[NW__LDP_MOST_DIMENSIONS])
{
    const field f = field_of(q);
    uint64_t leading = 0;
    for (unsigned i = 0; i < t; i++)
        leading |= vector[i] & ~nw__mask(leading);
    const uint32_t scale = invert(f, (uint32_t)leading);
    uint64_t number = 0;
    uint64_t behind = 0; /* all coordinates behind the first that is not 0, as digits */
    uint64_t base = 0;   /* (q^m - 1) / (q - 1) for the m of them */
    for (unsigned i = 0; i < t; i++) {
        const uint64_t is_behind = nw__mask(number);
        const uint64_t digit = reduce(f, (uint64_t)vector[i] * scale);
        behind = behind * q + (digit & is_behind);
        base = base * q + (1 & is_behind);
        number |= digit;
    }
    return base + behind;
}

/* Coordinates y with <y, u> = c, all but the one at u's leading 1 free: of c = 0 a point of a space of one dimension less, of
 * c = 1 any vector. Each point that is (not) orthogonal to u comes once. */
uint64_t nw__ldp_plane_draw(const nw_ldp_campaign *c, uint64_t item, uint64_t is_likely, uint64_t word)
{
    const field f = field_of(c->symbols);
    const unsigned t = c->dimension;
    const uint64_t orthogonal = nw__ldp_points(f.q, t - 1);
    uint32_t u[NW__LDP_MOST_DIMENSIONS];
    uint32_t y[NW__LDP_MOST_DIMENSIONS];
    uint32_t z[2][NW__LDP_MOST_DIMENSIONS];
    nw__ldp_point(f.q, t, item, u);
    nw__ldp_point(f.q, t - 1, nw__mul_high(word, orthogonal), z[0]);
    digits_of(f, t - 1, nw__mul_high(word, c->outputs - orthogonal), z[1]);
    uint64_t has_led = 0; /* a mask: u's leading 1 is behind us */
    uint32_t sum = (uint32_t)(1 & ~is_likely) + f.q;
    for (unsigned i = 0; i < t; i++) {
        const uint64_t is_leading = nw__mask(u[i]) & ~has_led;
        has_led |= is_leading;
        const unsigned before = i > 0 ? i - 1 : 0;
        const unsigned here = i < t - 1 ? i : t - 2;
        const uint64_t free0 = nw__select(has_led, z[0][before], z[0][here]);
        const uint64_t free1 = nw__select(has_led, z[1][before], z[1][here]);
        y[i] = (uint32_t)(nw__select(is_likely, free0, free1) & ~is_leading);
        sum = reduce(f, sum + (uint64_t)(f.q - u[i]) * y[i]);
    }
    has_led = 0;
    for (unsigned i = 0; i < t; i++) {
        const uint64_t is_leading = nw__mask(u[i]) & ~has_led;
        has_led |= is_leading;
        y[i] |= (uint32_t)(sum & is_leading);
    }
    return nw__ldp_point_index(f.q, t, y);
}
