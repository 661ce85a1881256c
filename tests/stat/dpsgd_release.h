/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_DPSGD_RELEASE_H
#define NW_TEST_DPSGD_RELEASE_H

/* dpsgd_release.h - steps of DP-SGD with the library's batches and sums, and trainers with one fault. The trainer has a weight
 * matrix, used once or twice, and a bias. Side 1 has a record more, whose gradient is a million times the clip norm and lies
 * where the others have none: the record that the sensitivity is about. */
#include "audit.h"

typedef enum dpsgd_fault {
    DPSGD_SOUND = 0,
    DPSGD_BATCH_CLIPPED,         /* the mean gradient of a batch is clipped, not each record's */
    DPSGD_NOISE_PER_MICRO_BATCH, /* two micro-batches, each released with its share of the step's variance */
    DPSGD_TRUE_DIVISOR,          /* the sum is divided by the number of records in the batch */
    DPSGD_EMPTY_SKIPPED,         /* a batch without records takes no step */
    DPSGD_SHUFFLED,              /* shuffled batches, accounted as Poisson's */
    DPSGD_LAYER_LEFT_OUT,        /* the weight's gradient does not count for the norm */
    DPSGD_TIE_COUNTED_ONCE,      /* of two uses of the weight, one counts for the norm */
    DPSGD_COUNT_UNCENTRED,       /* the count of the adaptive clip norm is of ones, not of halves of both signs */
    DPSGD_NOISE_9,               /* nine tenths of the noise */
    DPSGD_STEP_FOR_FREE          /* one step more than is charged */
} dpsgd_fault;

typedef struct dpsgd_case {
    double noise_multiplier;
    double rate; /* Poisson; 1: full batches */
    size_t steps;
    size_t others; /* records besides */
    size_t runs;
    double delta;
    bool is_adaptive;
    bool is_tied;
    dpsgd_fault fault;
} dpsgd_case;

audit_bound dpsgd_case_audit(const dpsgd_case *c, bool is_planted, audit_claim *claim);
/** For a table of mutants; context: a dpsgd_case. */
bool dpsgd_release__is_refuted(const void *context, bool is_planted);
/** The last bits of the sums; the planted fault is noise in single precision. context: NULL. */
bool dpsgd_residue__leaks(const void *context, bool is_planted);

#endif
