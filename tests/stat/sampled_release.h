/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_SAMPLED_RELEASE_H
#define NW_TEST_SAMPLED_RELEASE_H

/* sampled_release.h - noisy sums of random batches, accounted as Poisson sampling, and broken twins. Side 0 lacks the record,
 * side 1 has it; it adds 1 to each batch that it enters. */
#include "audit.h"

typedef enum sampled_fault {
    SAMPLED_OTHER_RATE = 0, /* the rate drawn at is not the one accounted */
    SAMPLED_SHUFFLED,       /* the record enters exactly one of the batches */
    SAMPLED_EMPTY_SKIPPED,  /* a batch without records is released as 0, without noise */
    SAMPLED_ONCE            /* one batch drawn for all steps */
} sampled_fault;

typedef struct sampled_case {
    double q; /* accounted */
    double sigma;
    size_t steps;
    double delta;
    sampled_fault fault;
    double other_q;
    size_t runs; /* 0: 400000 */
} sampled_case;

audit_bound sampled_case_audit(const sampled_case *c, bool is_planted, audit_claim *claim);
/** For a table of mutants; context: a sampled_case. */
bool sampled_release__is_refuted(const void *context, bool is_planted);

#endif
