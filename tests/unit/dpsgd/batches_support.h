/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BATCHES_SUPPORT_H
#define BATCHES_SUPPORT_H

/* batches_support.h - what the tests of batches share. */
#include <noisewright.h>
#include <nw/testing.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static inline void assert_near(double x, double wanted, double relative)
{
    if (!(fabs(x - wanted) <= relative * fabs(wanted)))
        fail_msg("is %.12g, must be %.12g", x, wanted);
}

static inline nw_rng *seeded(uint64_t seed)
{
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    return rng;
}

static inline nw_batches *poisson(size_t records, double rate, nw_adjacency adjacency)
{
    nw_batches *b = NULL;
    assert_int_equal(nw_batches_poisson(&b, records, rate, adjacency, NULL), NW_OK);
    return b;
}

static inline nw_batches *shuffled(size_t records, size_t size)
{
    nw_batches *b = NULL;
    assert_int_equal(nw_batches_shuffled(&b, records, size, NW_REPLACE_ONE, NULL), NW_OK);
    return b;
}

static inline nw_batches *cyclic(size_t records, size_t cycle)
{
    nw_batches *b = NULL;
    assert_int_equal(nw_batches_cyclic(&b, records, cycle, NW_ADD_REMOVE, NULL), NW_OK);
    return b;
}

static inline size_t draw(nw_batches *b, nw_rng *rng, const uint32_t **indices)
{
    size_t n = 0;
    nw_error err;
    if (nw_batches_next(b, rng, indices, &n, &err) != NW_OK)
        fail_msg("%s: %s", err.function, err.message);
    return n;
}

#endif
