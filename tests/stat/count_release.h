/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_COUNT_RELEASE_H
#define NW_TEST_COUNT_RELEASE_H

/* count_release.h - counts with noise from nw/noise.h, at once or step by step, and its broken twins, as an audit's mechanism. */
#include "audit.h"

#include <nw/noise.h>

enum { COUNT_CELLS = 8 };

typedef enum count_fault {
    COUNT_FACTOR = 0,   /* the scale multiplied by `factor` */
    COUNT_SQUARE_ROOT,  /* its square root in the scale's place: sigma for sigma^2 */
    COUNT_BARE,         /* no noise */
    COUNT_ONE_BARE,     /* none on the first cell */
    COUNT_ZEROS_BARE,   /* none on cells that hold 0 */
    COUNT_CONSTANT,     /* the same draws in every run */
    COUNT_ZERO_TWICE,   /* magnitude and sign drawn apart, -0 not refused */
    COUNT_SAME_STEPS,   /* every cell is a step that draws from a copy of the stream */
    COUNT_SAME_THREADS, /* every cell is drawn by a thread with such a copy; the honest twin has substreams */
    COUNT_SAME_CHUNKS   /* every cell's chunk has the first one's nonce */
} count_fault;

typedef struct count_case {
    nw_noise_law law;
    double epsilon; /* that the noise is calibrated for, over all steps */
    double delta;   /* 0: Laplace */
    nw_adjacency adjacency;
    double sensitivity; /* of one step, l1 or l2 as the law has it */
    unsigned steps;     /* charged: 1, or one a cell */
    size_t cells;
    double x[2][COUNT_CELLS]; /* exact counts of the two neighbours */
    count_fault fault;
    double factor;
    size_t runs; /* 0: AUDIT_OPTS_INIT's */
} count_case;

/** Audits the honest release or the broken twin; *claim is the accountant's for the honest one. */
audit_bound count_case_audit(const count_case *c, bool is_planted, audit_claim *claim);
/** For a table of mutants; context: a count_case. */
bool count_release__is_refuted(const void *context, bool is_planted);

#endif
