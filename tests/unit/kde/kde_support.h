/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_KDE_SUPPORT_H
#define NW_TEST_KDE_SUPPORT_H

/* kde_support.h - structures of every estimator, and releases of them, for the tests of the similarity room. */
#include "kde_internal.h"

#include <noisewright.h>
#include <nw/testing.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

/** A function and an estimator that can do it. */
typedef struct kde_case {
    nw_kde_kernel kernel;
    nw_kde_estimator estimator;
    size_t dimension;
    size_t size; /* 0: as planned */
} kde_case;

static const kde_case KDE_CASES[] = {
    { NW_KDE_L2SQ, NW_KDE_MOMENTS, 5, 0 },
    { NW_KDE_L1, NW_KDE_TABLE, 5, 64 },
    { NW_KDE_LPP, NW_KDE_TABLE, 3, 32 },
    { NW_KDE_L2, NW_KDE_TABLE, 5, 16 },
    { NW_KDE_GAUSSIAN, NW_KDE_FEATURES, 5, 40 },
    { NW_KDE_LAPLACIAN, NW_KDE_FEATURES, 5, 33 },
    { NW_KDE_EXPONENTIAL, NW_KDE_HADAMARD, 5, 100 },
    { NW_KDE_RATIONAL_L1, NW_KDE_HADAMARD, 5, 64 },
    { NW_KDE_RATIONAL_L2, NW_KDE_LANDMARKS, 5, 12 },
    { NW_KDE_GAUSSIAN, NW_KDE_LANDMARKS, 5, 7 },
    { NW_KDE_RATIONAL_L2SQ, NW_KDE_GRID, 2, 8 },
    { NW_KDE_L1, NW_KDE_GRID, 3, 4 },
    { NW_KDE_LAPLACIAN, NW_KDE_LSH, 5, 20 },
    { NW_KDE_RATIONAL_L1, NW_KDE_LSH, 5, 20 },
    { NW_KDE_L1, NW_KDE_TREE, 2, 6 },
    { NW_KDE_GAUSSIAN, NW_KDE_LSQ_RFF, 5, 50 },
    { NW_KDE_GAUSSIAN, NW_KDE_LSQ_FGT, 2, 4 },
};
enum { KDE_CASE_COUNT = sizeof KDE_CASES / sizeof *KDE_CASES, KDE_MOST_DIMENSIONS = 5, KDE_LANDMARKS = 12 };

static const double KDE_LOWER[KDE_MOST_DIMENSIONS] = { 0.0, -1.0, 0.0, 2.0, 0.0 };
static const double KDE_UPPER[KDE_MOST_DIMENSIONS] = { 1.0, 1.0, 0.5, 3.0, 1.0 };

/** The case's options; landmarks: float[KDE_LANDMARKS * dimension], filled, and borrowed by the options. */
static inline nw_kde_opts kde_options(const kde_case *c, double delta, float *landmarks)
{
    nw_kde_opts o = NW_KDE_OPTS_INIT;
    o.kernel = c->kernel;
    o.estimator = c->estimator;
    o.dimension = c->dimension;
    o.size = c->size;
    o.bandwidth = 0.4;
    o.power = c->kernel == NW_KDE_LPP ? 2.5 : 0.0;
    o.lower = KDE_LOWER;
    o.upper = KDE_UPPER;
    o.epsilon = 1.0;
    o.delta = delta;
    o.adjacency = NW_ADD_REMOVE;
    o.public_seed = 5;
    o.threads = 1;
    for (size_t i = 0; i < KDE_LANDMARKS; i++)
        for (size_t j = 0; j < c->dimension; j++)
            landmarks[i * c->dimension + j] =
                (float)(KDE_LOWER[j] + (KDE_UPPER[j] - KDE_LOWER[j]) * (double)((7 * i + 5 * j + i * j) % 13) / 12.0);
    if (c->estimator == NW_KDE_LANDMARKS) {
        o.landmarks = landmarks;
        o.landmark_count = KDE_LANDMARKS;
    }
    return o;
}

static inline nw_kde *kde_make(const nw_kde_opts *o)
{
    nw_kde *kde = NULL;
    nw_error err;
    if (nw_kde_new(&kde, o, &err) != NW_OK)
        fail_msg("%s: %s", err.function, err.message);
    return kde;
}

static inline nw_kde *kde_of_case(const kde_case *c, double delta)
{
    float landmarks[KDE_LANDMARKS * KDE_MOST_DIMENSIONS];
    const nw_kde_opts o = kde_options(c, delta, landmarks);
    return kde_make(&o);
}

static inline void kde_release(nw_kde *kde, uint64_t seed)
{
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    nw_ledger *ledger = NULL;
    nw_rng *rng = NULL;
    nw_error err;
    lo.epsilon = nw_kde_get_opts(kde).epsilon;
    lo.delta = nw_kde_get_opts(kde).delta;
    lo.adjacency = nw_kde_get_opts(kde).adjacency;
    assert_int_equal(nw_ledger_memory(&ledger, &lo, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    if (nw_kde_release(kde, rng, ledger, "test", NULL, &err) != NW_OK)
        fail_msg("%s: %s", err.function, err.message);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
}

/** A small generator for test points, in [0, 1). */
static inline double kde_noise(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 11) * 0x1p-53;
}

/** Points inside, on and beyond the bounds, some NaN or infinite. */
static inline void kde_points(float *x, size_t n, size_t d, uint64_t seed)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < d; j++) {
            const double width = KDE_UPPER[j] - KDE_LOWER[j];
            double value = KDE_LOWER[j] + width * kde_noise(&seed);
            const double kind = kde_noise(&seed);
            if (kind < 0.1)
                value = KDE_LOWER[j] - (kind < 0.05 ? 0.0 : INFINITY);
            else if (kind > 0.9)
                value = KDE_UPPER[j] + (kind > 0.95 ? 0.0 : 7.0);
            else if (kind > 0.88)
                value = NAN;
            x[i * d + j] = (float)value;
        }
}

#endif
