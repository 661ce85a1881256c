/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_CORRELATED_H
#define NW_CORRELATED_H

/* nw/correlated.h - vectors released step by step with noise that cancels in their sums: DP-FTRL, the matrix mechanism C^-1 (C
 * x + z) for x whose rows arrive one at a time and may depend on what was released before [DMRST22].
 *
 * Rows are integers, and so is all that is private about a release: C has entries that are multiples of 2^-16, so 2^16 C x + z is
 * integers plus a rounded Gaussian; what follows is arithmetic on released numbers. nw/train.h uses it for whole runs.
 *
 *   opts.kind = NW_CORRELATED_BANDED; opts.steps = 2000; opts.cycle = 100; opts.participations = 20;
 *   nw_correlated_new(&c, &opts, &err);
 *   nw_correlated_event(c, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, &event, &err);      to be charged
 *   nw_correlated_step(c, rng, row, released, &err);                                   once a step
 */
#include <nw/event.h>
#include <nw/rng.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum nw_correlated_kind {
    NW_CORRELATED_TREE = 1,  /* sums of a binary tree over the steps of a cycle, a new tree each cycle [KMSTTX21] */
    NW_CORRELATED_BANDED = 2 /* C: the first `bands` coefficients of (1 - x)^(-1/2), Toeplitz [FMT22, KL24] */
} nw_correlated_kind;

typedef struct nw_correlated_opts {
    size_t struct_size;
    nw_correlated_kind kind; /* no default */
    uint64_t steps;          /* >= 1; no default */
    uint64_t cycle;          /* steps between two participations of a record, at least; >= 1; no default */
    uint64_t participations; /* of a record, at most; >= 1; no default */
    uint64_t bands;          /* banded: 1 .. 64, at most cycle; default 0: as many, up to 32 */
    double noise_multiplier; /* > 0: standard deviation of the noise over the l2 sensitivity of a row; no default */
    double scale;       /* the standard deviation itself, in units of the rows' integers; no default; 0 for the event alone */
    size_t coordinates; /* of a row, >= 1; no default */
} nw_correlated_opts;
#define NW_CORRELATED_OPTS_INIT                                                                                                  \
    {                                                                                                                            \
        sizeof(nw_correlated_opts), (nw_correlated_kind)0, 0, 0, 0, 0, 0.0, 0.0, 0                                               \
    }
NW_API void nw_correlated_opts_init(nw_correlated_opts *opts, size_t struct_size);

typedef struct nw_correlated nw_correlated; /* confined */

/** Prepares noise for so many rows.
 *
 *  Shapes    *out: new handle, or NULL on error.
 *  Units     none.
 *  Errors    NW_E_ARG naming the option, its value and the admissible set; NW_E_NOMEM.
 *  Cost      memory: 16 bytes a coordinate and band, or 8 a coordinate and level of the tree. Threads: any.
 *  Source    docs/rooms/dpsgd.md#dp-ftrl.
 *  Example   tests/unit/dpsgd/test_correlated.c */
NW_API NW_WARN_UNUSED nw_status nw_correlated_new(nw_correlated **out, const nw_correlated_opts *opts, nw_error *err);
/** Wipes and frees. NULL is allowed. */
NW_API void nw_correlated_free(nw_correlated *c);

/** What all steps cost, for rows of this l2 sensitivity, whose value counts: the noise is noise_multiplier times it.
 *  Errors: those of nw_event_tree and nw_event_matrix. */
NW_API NW_WARN_UNUSED nw_status nw_correlated_event(const nw_correlated *c, nw_sensitivity l2, nw_event **out, nw_error *err);

/** Releases the next row. A row beyond 2^40 in absolute value is held to it.
 *
 *  Shapes    x: int64[coordinates] in. y: double[coordinates] out.
 *  Units     of the integers.
 *  Errors    NW_E_ARG on NULL; NW_E_STATE: made with scale 0, or all steps are taken; NW_E_NOMEM; NW_E_ENTROPY; after a
 *            failure no step can follow.
 *  Cost      the noise, and 2 ns a coordinate and band. Threads: confined.
 *  Source    docs/rooms/dpsgd.md#dp-ftrl.
 *  Example   tests/unit/dpsgd/test_correlated.c */
NW_API NW_WARN_UNUSED nw_status nw_correlated_step(nw_correlated *c, nw_rng *rng, const int64_t *x, double *y, nw_error *err);
/** Leaves out steps that may have been drawn before, and forgets all rows and noise: the next steps are correlated among
 *  themselves only. The event stays what it was: no record's share of any row grows. */
NW_API void nw_correlated_restart(nw_correlated *c, uint64_t steps);

#ifdef __cplusplus
}
#endif
#endif
