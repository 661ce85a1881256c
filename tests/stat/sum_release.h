/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_SUM_RELEASE_H
#define NW_TEST_SUM_RELEASE_H

/* sum_release.h - a noisy sum or mean of bounded reals, a randomized answer, noise of too few bits; and broken twins. */
#include "audit.h"

typedef enum sum_fault {
    SUM_CLIP_SKIPPED = 0,
    SUM_CLIP_AFTER,      /* the sum is clipped, not the records */
    SUM_CLIP_FACTOR_MAX, /* a record is scaled by max(1, bound / |x|): min is meant */
    SUM_NAN_PASSES,      /* a clamp that compares, with nothing done about NaN before */
    SUM_DATA_DENOMINATOR /* the mean divides by the true number of records */
} sum_fault;

typedef struct sum_case {
    sum_fault fault;
    double record; /* that side 1 has more */
} sum_case;

/* For a table of mutants. */
bool sum_release__is_refuted(const void *context, bool is_planted);      /* context: a sum_case */
bool one_answer_kept__is_refuted(const void *context, bool is_planted);  /* NULL; randomized response that keeps one answer */
bool noise_of_24_bits__is_refuted(const void *context, bool is_planted); /* NULL */

#endif
