/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_LAWS_H
#define NW_TEST_LAWS_H

/* laws.h - is a sample from a law of tests/vectors/sampler.json? Every value of its entry, as a number of standard errors.
 *
 * With N draws the second moment of a Gaussian sees a scale that is off by 6.3 / sqrt(2 N), 0.15 % at N = 1e7; the bins see a
 * relative change of one bin's probability p by about 8 / sqrt(N p); the tails see what lies beyond the last bin. */
#include "noise_internal.h"

#include <jansson.h>

typedef struct law {
    const char *name; /* "rounded_gaussian sigma 3.2" */
    char text[64];
    nw_noise_law kind;
    double scale;
    const json_t *entry;
} law;

/** Entry i of one of the three lists; false past the end. */
bool law_get(const json_t *root, nw_noise_law kind, size_t i, law *out);

/** Largest departure from the law in standard errors, over every value that the vectors list for it: moments (mean, mean
 *  absolute, second, fourth), one- and two-sided tails, single points, the exact delta(epsilon) of a shift, and the chi-square
 *  over the bins, its p-value turned into a normal quantile. An honest sample exceeds 6.3 with probability 1e-9 a statistic. */
double law_departure(const law *l, const int64_t *x, size_t n);

#define LAW_LIMIT 6.3

#endif
