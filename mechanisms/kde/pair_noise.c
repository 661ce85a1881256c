/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* pair_noise.c - rejection from two exact discrete Laplace draws. Proof note: docs/rooms/kde.md#pairs. */
#include "pair_noise.h"
#include "cks20.h"

#include <stdlib.h>

/* floor(2^16 (cos, sin)) of 0, 11.25, 22.5, 33.75 and 45 degrees; the others by symmetry. */
static const uint64_t DIRECTIONS[5][2] = { { 65536, 0 }, { 64276, 12785 }, { 60547, 25079 }, { 54491, 36409 }, { 46340, 46340 } };

uint64_t nw__pair_norm(int64_t x, int64_t y)
{
    const uint64_t a = (uint64_t)llabs(x), b = (uint64_t)llabs(y);
    const uint64_t large = a > b ? a : b, small = a > b ? b : a;
    uint64_t norm = 0;
    for (size_t i = 0; i < 5; i++) {
        const uint64_t product = DIRECTIONS[i][0] * large + DIRECTIONS[i][1] * small;
        norm = product > norm ? product : norm;
    }
    return norm;
}

/* Proposal exp(-7 |z|_1 / (10 b)); N(z) >= 0.7 |z|_1, so exp(-(N(z) - 0.7 |z|_1) / b) is a probability. It accepts with about
 * 0.77. A proposal above 2^44 = 2^8 b, of probability below 2^-250, is drawn again, which keeps the products below 2^64. */
static nw_status draw(nw_rng *rng, uint64_t b, int64_t *x, int64_t *y, nw_error *err)
{
    for (bool is_accepted = false; !is_accepted;) {
        *x = nw__cks20_laplace(rng, 10 * b, 7);
        *y = nw__cks20_laplace(rng, 10 * b, 7);
        if (llabs(*x) > INT64_C(1) << 44 || llabs(*y) > INT64_C(1) << 44)
            continue;
        const uint64_t l1 = (uint64_t)llabs(*x) + (uint64_t)llabs(*y);
        NW__TRY(nw_rng_bernoulli_exp(rng, 10 * nw__pair_norm(*x, *y) - 458752 * l1, 655360 * b, &is_accepted, err));
    }
    return NW_OK;
}

static void add(int64_t *to, int64_t noise)
{
    if (__builtin_add_overflow(*to, noise, to))
        *to = noise > 0 ? INT64_MAX : INT64_MIN;
}

nw_status nw__pair_noise_add(nw_rng *rng, uint64_t b, int64_t *x, int64_t *y, size_t n, nw_error *err)
{
    NW__TRY(nw__rng_begin(rng, err));
    for (size_t i = 0; i < n; i++) {
        int64_t dx = 0, dy = 0;
        NW__TRY(draw(rng, b, &dx, &dy, err));
        add(&x[i], dx);
        add(&y[i], dy);
    }
    return NW_OK;
}
