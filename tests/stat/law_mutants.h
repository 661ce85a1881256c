/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_LAW_MUTANTS_H
#define NW_TEST_LAW_MUTANTS_H

/* law_mutants.h - broken twins of an honest sample, for the statistics of laws.h. */
#include <nw/noise.h>

typedef enum law_fault {
    LAW_SCALED = 0,       /* times `factor` */
    LAW_TAIL_CUT,         /* at 4 scales */
    LAW_TRUNCATED,        /* half of each cell moved toward zero */
    LAW_ZERO_TWICE,       /* one value in 400 turned into 0 */
    LAW_SIGN_LOST_AT_END, /* the last hundredth without its signs */
    LAW_REPEATED,         /* the first draw for all: a constant generator */
    LAW_REORDERED         /* first trials moved together, redrawn ones appended; seen at the end of a batch only */
} law_fault;

typedef struct law_case {
    law_fault fault;
    double factor;
    nw_noise_law kind;
    size_t entry; /* of tests/vectors/sampler.json */
} law_case;

/** For a table of mutants; context: a law_case. */
bool noise_law__is_rejected(const void *context, bool is_planted);

#endif
