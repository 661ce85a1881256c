/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TRAIN_INTERNAL_H
#define NW_TRAIN_INTERNAL_H

/* train_internal.h - a run and its checkpoint.
 *
 *   train.c       options, noise, steps
 *   train_cost.c  the run's event, calibration, charges
 *   train_file.c  the checkpoint
 *   train_join.c  what many processes tell one another */
#include "base.h"
#include "random_internal.h"

#include <nw/accounting.h>
#include <nw/correlated.h>
#include <nw/train.h>

enum { NW__TRAIN_DIGEST_BYTES = 32 };

struct nw_train {
    nw_train_opts opts; /* checkpoint points at the copy below */
    char *checkpoint;
    nw_network *net;
    size_t records;
    size_t coordinates;
    double expected_batch;
    uint64_t cycle; /* of correlated noise: steps between two participations */
    double noise_multiplier;
    nw_batches *batches;
    nw_dpsgd *dpsgd;
    nw_optimizer *optimizer;
    nw_correlated *correlated; /* NULL: independent noise */
    nw_event *event;           /* of the whole run */
    size_t parameter_count;
    float *const *parameters;
    size_t *sizes;
    uint8_t digest[NW__TRAIN_DIGEST_BYTES]; /* of everything that a checkpoint's run must have in common with this one */
    uint64_t step;                          /* steps drawn, or lost */
    uint64_t lost;
    uint64_t marked; /* steps below this one are counted as used, durably if there is a checkpoint */
    bool has_mark_a; /* the last mark in the checkpoint is the first of the two */
    bool is_charged;
    bool is_settled;
    bool is_broken;       /* a step failed half way: what it drew is lost */
    bool is_joined;       /* all processes stand where process 0 does */
    bool is_averaged;     /* the averaged weights are in the network, for good */
    uint64_t reservation; /* 0: charged as a schedule */
    nw_receipt receipt;   /* of the charge */
    double step_seconds;  /* of the last steps, on average: how far ahead to mark */
    double saved_at;
    double save_seconds; /* that the last saving took */
};

/* ---- train_cost.c ---- */

/** The options of the sums for this noise. */
nw_dpsgd_opts nw__train_dpsgd_opts(const nw_train *t, double noise_multiplier);
/** The event of the first `steps` steps with this noise. */
nw_status nw__train_event(const nw_train *t, double noise_multiplier, uint64_t steps, nw_event **out, nw_error *err);
/** Sets noise_multiplier and event. */
nw_status nw__train_calibrate(nw_train *t, nw_error *err);
/** How correlated noise is made, for `steps` steps; scale 0. */
nw_correlated_opts nw__train_correlated_opts(const nw_train *t, double noise_multiplier, uint64_t steps);

/* ---- train_file.c ---- */

/** Sets digest. */
nw_status nw__train_digest(nw_train *t, nw_error *err);
/** Seconds on a clock that is never set back. */
double nw__train_clock(void);
/** Writes everything, whole or not at all; nothing without a checkpoint. */
nw_status nw__train_save(nw_train *t, nw_rng *rng, const char *function, nw_error *err);
/** Counts the next step as used, and some more, before it is drawn. */
nw_status nw__train_mark(nw_train *t, const char *function, nw_error *err);
nw_status nw__train_load(nw_train *t, const char *function, nw_error *err);
/** Removes the checkpoint. */
void nw__train_discard(nw_train *t);
/** The body of a checkpoint: what a run has come to. fill: draws the key of an order if there is none. */
size_t nw__train_body_size(const nw_train *t);
nw_status nw__train_fill_body(nw_train *t, nw_rng *rng, uint8_t *body, nw_error *err);
/** used: steps that are drawn, or may have been. */
nw_status nw__train_take_body(nw_train *t, const uint8_t *body, uint64_t used, nw_error *err);
uint64_t nw__train_body_step(const uint8_t *body);

/* ---- train_join.c: with one process, what this one has come to ---- */

/** True for the process that has ledger, rng and checkpoint. */
bool nw__train_is_first(const nw_train *t);
/** The status of all processes. */
nw_status nw__train_agree(const nw_train *t, nw_status mine, nw_error *err);
/** NW_E_STATE in all processes unless all have the run of process 0. */
nw_status nw__train_check_same(const nw_train *t, const char *function, nw_error *err);
/** Brings the others to where process 0 is, once. */
nw_status nw__train_join(nw_train *t, nw_rng *rng, nw_error *err);
/** The receipt of process 0, in all. */
nw_status nw__train_share_receipt(nw_train *t, nw_error *err);
/** Process 0 says whether a step comes, and what its batch is drawn from. mine: NW_OK, or why there is none. */
nw_status nw__train_announce(const nw_train *t, nw_status mine, uint8_t key[NW__RNG_KEY_BYTES], nw_error *err);

#endif
