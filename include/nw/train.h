/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TRAIN_H
#define NW_TRAIN_H

/* nw/train.h - a whole private training run: noise from (epsilon, delta) by the certified accountant, one charge to the ledger,
 * batches, steps, a checkpoint that can neither charge twice nor draw a step twice.
 *
 *   nw_train_opts opts = NW_TRAIN_OPTS_INIT;
 *   opts.epsilon = 3.0; opts.delta = 1e-5; opts.adjacency = NW_ADD_REMOVE;
 *   opts.batch = 512; opts.steps = 2000; opts.clip_norm = 1.0; opts.optimizer = &optimizer;
 *   nw_train_new(&train, net, records, &opts, &err);
 *   nw_train_charge(train, ledger, "digits", rng, &receipt, &err);
 *   nw_train_run(train, &source, rng, progress, context, &err);
 *   nw_train_settle(train, ledger, &receipt, &err);
 *
 * What may be looked at on the way: the weights, the clip norm, the step and what it has cost are released. The loss of a
 * training batch is not: it is private, and nothing pays for it. Evaluate on records that are public or were set apart.
 *
 * Many processes (opts.reduce): all make the same run of the same records, and call charge or resume, run and settle. Process
 * 0 alone has the ledger, the rng and the checkpoint, charges, draws and says when to stop; each process computes its places of
 * each batch, and takes the same steps. The result is the same bytes on any number of processes; an error in one is one in all.
 * One that is killed ends the others' calls with NW_E_IO, if what carries them notices: the checkpoint of process 0 goes on.
 */
#include <nw/network.h>
#include <nw/optimizer.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum nw_train_noise {
    NW_TRAIN_INDEPENDENT = 1, /* each step by itself: DP-SGD [ACGMMTZ16] */
    NW_TRAIN_TREE = 2,  /* correlated over the steps of a cycle by a binary tree, a new one each cycle: DP-FTRL [KMSTTX21] */
    NW_TRAIN_BANDED = 3 /* correlated over the whole run by a banded Toeplitz matrix [CGKM23, KL24] */
} nw_train_noise;

typedef struct nw_train_opts {
    size_t struct_size;
    double epsilon;          /* of the whole run, > 0; no default. With noise_multiplier given: not read */
    double delta;            /* in (0, 1); no default */
    nw_adjacency adjacency;  /* no default */
    double noise_multiplier; /* > 0: this one, and epsilon is what it costs; default 0: calibrated */
    double batch;            /* expected size, in [1, records]; no default */
    size_t public_records; /* what the sampling rate counts from: rate = batch / public_records. Default 0: the records that there
                                are, whose number is then public. Not far below them */
    uint64_t steps;        /* >= 1; no default */
    nw_batches_kind sampling;   /* default Poisson; correlated noise: cyclic */
    nw_train_noise noise;       /* default independent */
    uint64_t bands;             /* banded: 2 .. 64, at most the batches of a cycle; default 0: as many, up to 32 */
    double clip_norm;           /* > 0; no default */
    nw_dpsgd_clipping clipping; /* default flat */
    double quantile;            /* flat: in (0, 1): the clip norm follows this quantile; default 0: it stays. Independent noise */
    size_t memory_mib;          /* scratch for norms, default 64; that of the network is its own option */
    const nw_optimizer_opts *optimizer; /* no default; its steps are set here. Read by nw_train_new */
    const char *checkpoint;             /* file, not *.gz; default NULL: none */
    double checkpoint_seconds; /* between two savings of everything; default 0: as often as costs a thirtieth of the time */
    const nw_reduce *reduce; /* processes that share out each batch; borrowed until nw_train_free. Default NULL: this one alone */
} nw_train_opts;
/* clang-format off */
#define NW_TRAIN_OPTS_INIT { sizeof(nw_train_opts), 0.0, -1.0, NW_ADJACENCY_UNSET, 0.0, 0.0, 0, 0, NW_BATCHES_POISSON, \
    NW_TRAIN_INDEPENDENT, 0, 0.0, NW_DPSGD_FLAT, 0.0, 64, NULL, NULL, 0.0, NULL }
/* clang-format on */
NW_API void nw_train_opts_init(nw_train_opts *opts, size_t struct_size);

typedef struct nw_train nw_train; /* confined */

/** Prepares a run: checks the options, calibrates, registers the network.
 *
 *  Shapes    *out: new handle, or NULL on error. net: borrowed until nw_train_free; of initial weights that are public.
 *  Units     records: how many there are to train on.
 *  Errors    NW_E_ARG naming the option, its value and the admissible set; NW_E_BUDGET: no noise is enough; NW_E_NOMEM.
 *  Cost      a tenth of a second. Threads: confined.
 *  Source    docs/rooms/dpsgd.md#training.
 *  Example   apps/train/run.c */
NW_API NW_WARN_UNUSED nw_status nw_train_new(
    nw_train **out, nw_network *net, size_t records, const nw_train_opts *opts, nw_error *err);
/** Wipes and frees. NULL is allowed. */
NW_API void nw_train_free(nw_train *train);

/** The event of the whole run; borrowed. A ledger of a schedule has to have been made with it. */
NW_API const nw_event *nw_train_event(const nw_train *train);
NW_API double nw_train_noise_multiplier(const nw_train *train);
NW_API uint64_t nw_train_steps(const nw_train *train);
/** Steps that are drawn, or may have been: the next one has this number. */
NW_API uint64_t nw_train_step(const nw_train *train);
/** Steps that were lost when a run was killed: charged, and never taken. */
NW_API uint64_t nw_train_lost_steps(const nw_train *train);
/** The clip norm of the next step. */
NW_API double nw_train_clip_norm(const nw_train *train);
/** What the first `steps` steps cost at the run's delta, rounded up; 0 steps cost 0. Errors: NW_E_ARG: beyond the run; those of
 *  nw_event_epsilon. Cost: some milliseconds. */
NW_API NW_WARN_UNUSED nw_status nw_train_spent(const nw_train *train, uint64_t steps, double *epsilon, nw_error *err);

/** Charges the run, before its first step: a ledger with the run as its schedule takes it as that, another one as a
 *  reservation of all steps.
 *
 *  Shapes    receipt: out, may be NULL; the same in all processes. label: at most 63 bytes are kept. ledger, rng: of process 0,
 *            NULL in others.
 *  Units     none.
 *  Errors    those of nw_ledger_reserve; NW_E_STATE: charged already, or resumed, or a process has another run than process 0:
 *            nothing was charged; NW_E_IO: the checkpoint cannot be written, after the charge.
 *  Cost      as nw_ledger_charge. Threads: confined.
 *  Source    docs/rooms/dpsgd.md#training.
 *  Example   apps/train/run.c */
NW_API NW_WARN_UNUSED nw_status nw_train_charge(
    nw_train *train, nw_ledger *ledger, const char *label, nw_rng *rng, nw_receipt *receipt, nw_error *err);

/** Takes up a run from its checkpoint: made with the same options, model and number of records. It was charged before and is not
 *  again. Steps that a killed run may have drawn after its last saving are lost, not drawn again. A copy of a checkpoint must
 *  not be resumed beside it: each would draw the same steps.
 *
 *  Shapes    receipt: out, that of the charge; may be NULL.
 *  Units     none.
 *  Errors    NW_E_IO; NW_E_FORMAT: no checkpoint, cut off, altered, or of another run; NW_E_STATE: this run has begun.
 *  Cost      reading it. Threads: confined.
 *  Source    docs/rooms/dpsgd.md#training.
 *  Example   apps/train/run.c */
NW_API NW_WARN_UNUSED nw_status nw_train_resume(nw_train *train, nw_receipt *receipt, nw_error *err);

/** Hands out records.
 *  Shapes    indices: uint32[n]. data: out; what it points at stays until the next call. Errors are passed on. */
typedef struct nw_train_source {
    nw_status (*fetch)(void *context, const uint32_t *indices, size_t n, nw_network_data *data, nw_error *err);
    void *context;
} nw_train_source;

/** Is called after each step with how many have been; false ends the run there, which a checkpoint can take up. */
typedef bool (*nw_train_progress)(void *context, uint64_t step);

/** Takes the steps that are left. At the end the averaged weights, if the optimiser has them, are in the network.
 *
 *  Shapes    progress: may be NULL; called in process 0 alone. rng: of process 0, NULL in others.
 *  Units     none.
 *  Errors    NW_E_STATE: not charged; NW_E_CANCELLED: progress said so, and everything is
 *            saved; NW_E_IO: the checkpoint cannot be written, and the step was not drawn, or the other processes are gone;
 *            NW_E_NOMEM; NW_E_ENTROPY; those of source.
 *  Cost      that of the steps. Threads: confined; OpenMP inside, the result does not depend on them.
 *  Source    docs/rooms/dpsgd.md#training.
 *  Example   apps/train/run.c */
NW_API NW_WARN_UNUSED nw_status nw_train_run(
    nw_train *train, const nw_train_source *source, nw_rng *rng, nw_train_progress progress, void *context, nw_error *err);
/** Puts the averaged weights into the network for as long as `look` takes, if there are any: to evaluate on the way.
 *  Errors: those of look. */
NW_API NW_WARN_UNUSED nw_status nw_train_look(
    nw_train *train, nw_status (*look)(void *context, nw_network *net, nw_error *err), void *context, nw_error *err);

/** Ends a run: gives back to the ledger what was reserved for steps that were not drawn, and removes the checkpoint. No step can
 *  follow. ledger: may be NULL if the run was charged as a schedule, and in processes other than 0. Errors: those of
 *  nw_ledger_commit; NW_E_STATE: not charged, or ended already. */
NW_API NW_WARN_UNUSED nw_status nw_train_settle(nw_train *train, nw_ledger *ledger, nw_receipt *receipt, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
