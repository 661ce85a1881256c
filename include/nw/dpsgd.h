/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_DPSGD_H
#define NW_DPSGD_H

/* nw/dpsgd.h - DP-SGD with ghost clipping for anybody's trainer: per-example norms, clip factors, clipped sums and noise, from
 * the inputs and output gradients that the caller's own backward pass has anyway [LTLH21, BWZK22].
 *
 * One step, in the only order that is accepted (any other is NW_E_STATE and names the call that is missing):
 *
 *   nw_dpsgd_begin_step(d, rng, &err);
 *   for each micro-batch of the step:               none at all is a step, too: noise only
 *       nw_dpsgd_begin_batch(d, examples, &err);
 *       nw_dpsgd_norms(d, parameter, uses, n, &err);      every parameter once
 *       nw_dpsgd_clip(d, &err);
 *       nw_dpsgd_accumulate(d, parameter, uses, n, &err); every parameter once
 *   nw_dpsgd_finish_step(d, gradients, &err);       noise, once; divided by the public expected batch size
 *
 * What the caller promises: output gradients are of each example's own loss (no mean over the batch); nothing in the network
 * mixes examples (no batch normalisation), so that an example's numbers do not depend on which others are in the batch; how many
 * positions are handed is public (pad to a fixed length, not to the batch's longest). The batch has to come in random order, as
 * nw/batches.h gives it. What the library promises, of the arrays it is handed: no example moves the sum by more than clip_norm
 * (1 + nw_dpsgd_slack) in l2, rounding included; an example with a NaN or an infinity contributes zero; the sum is of integers on
 * a public grid, and so is its noise. docs/rooms/dpsgd.md has the proof.
 *
 * Many processes (options.reduce): all make the same handle and the same calls, and hold the same batch; nw_dpsgd_part says which
 * of its places each of them computes. finish_step adds up the integers of all; process 0 alone has an rng, draws the noise,
 * once, and gives the gradients to all: the same bits on any number of processes. Whoever fails on the way calls
 * nw_dpsgd_abandon_step, so that nobody waits and nothing is released. Sums without noise travel: each process is trusted as a
 * single one is. */
#include <nw/batches.h>
#include <nw/ledger.h>
#include <nw/reduce.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum nw_dpsgd_clipping {
    NW_DPSGD_FLAT = 1,      /* c = min(1, C / n): n the norm over all parameters */
    NW_DPSGD_PER_LAYER = 2, /* the same in each of L groups of parameters, with C / sqrt(L) */
    NW_DPSGD_AUTO_S = 3,    /* c = C / (n + gamma) [BWZK23] */
    NW_DPSGD_GLOBAL = 4     /* c = 1 if n <= C, else 0 [BWMS21] */
} nw_dpsgd_clipping;

typedef struct nw_dpsgd_opts {
    size_t struct_size;
    double clip_norm;        /* C in [2^-40, 2^40]; no default */
    double noise_multiplier; /* deviation of the noise over the l2 sensitivity of the sum; no default. 0 only with an insecure rng
                                and no ledger: for comparisons */
    double expected_batch;   /* in (0, 2^22], public: what the noisy sum is divided by; no default. A step takes no more than
                                expected_batch + 14 sqrt(expected_batch) + 64 examples */
    nw_adjacency adjacency;  /* no default; under replace_one the sensitivity is twice that of one example */
    nw_dpsgd_clipping clipping; /* default flat */
    double auto_gamma;          /* AUTO_S: > 0, default 0.01 */
    double quantile;      /* in (0, 1): C follows this quantile of the norms, privately [ATMR21]; default 0: C stays. Flat */
    double quantile_rate; /* of that: default 0.2 */
    double count_noise;   /* of that: deviation of the noise of the count; default 0: expected_batch / 20 */
    size_t memory_mib;    /* for gradients of single examples that are kept from norms to sum; default 64 */
    size_t micro_batch;   /* examples in every micro-batch of a step but its last, which may have fewer; public. Default 0: a
                             step is one micro-batch, of any size */
    bool is_stepwise; /* clip norm and noise are set for each step, by nw_dpsgd_set_step: clip_norm and noise_multiplier are not
                             read, and what the steps cost is the event of whoever sets them. Flat or global, no quantile */
    const nw_reduce *reduce; /* processes that share out a batch; borrowed until nw_dpsgd_free. Default NULL: this one has all */
} nw_dpsgd_opts;
/* clang-format off */
#define NW_DPSGD_OPTS_INIT \
    { sizeof(nw_dpsgd_opts), 0.0, -1.0, 0.0, NW_ADJACENCY_UNSET, NW_DPSGD_FLAT, 0.01, 0.0, 0.2, 0.0, 64, 0, false, NULL }
/* clang-format on */
NW_API void nw_dpsgd_opts_init(nw_dpsgd_opts *opts, size_t struct_size);

typedef struct nw_dpsgd nw_dpsgd; /* confined */

NW_API NW_WARN_UNUSED nw_status nw_dpsgd_new(nw_dpsgd **out, const nw_dpsgd_opts *opts, nw_error *err);
NW_API void nw_dpsgd_free(nw_dpsgd *d);

/** Adds a parameter of rows x cols floats, before the first step: a weight matrix of p outputs and d inputs is p x d; a bias
 *  p x 1; an embedding V x d; a scale 1 x d; a convolution C_out x (C_in / groups * kh * kw). positions: the most that one
 *  example may hand, added up over the parameter's uses, public. group: for per-layer clipping, 0 .. L - 1. name: in messages;
 *  copied. *parameter counts from 0. Errors NW_E_ARG; NW_E_STATE after the first step; NW_E_NOMEM. */
NW_API NW_WARN_UNUSED nw_status nw_dpsgd_add_parameter(
    nw_dpsgd *d, const char *name, size_t rows, size_t cols, size_t positions, size_t group, size_t *parameter, nw_error *err);

typedef enum nw_dpsgd_kind {
    NW_DPSGD_LINEAR = 1,    /* input x T x d, grad x T x p */
    NW_DPSGD_BIAS = 2,      /* grad x T x p */
    NW_DPSGD_EMBEDDING = 3, /* tokens x T, grad x T x d; weights as below */
    NW_DPSGD_SCALE = 4,     /* layernorm and rmsnorm gamma: input is the normalised input, x T x d; grad x T x d */
    NW_DPSGD_CONV2D = 5,    /* input x T x C_in x H x W, grad x T x C_out x H_out x W_out */
    NW_DPSGD_ROWS = 6       /* grad x T x (rows cols): the per-example gradient itself, in T parts */
} nw_dpsgd_kind;

typedef struct nw_dpsgd_conv {
    size_t channels_in, height, width; /* of the input */
    size_t channels_out, kernel_height, kernel_width;
    size_t stride, padding, dilation, groups; /* stride, dilation, groups >= 1 */
} nw_dpsgd_conv;

/** One use of a parameter by the micro-batch; "x" above means for each example, row-major. A parameter that is used several times
 *  (tied weights, unrolled steps) is handed all its uses in one call: the norm is that of their sum. Borrowed for the call. */
typedef struct nw_dpsgd_use {
    nw_dpsgd_kind kind;
    size_t positions;      /* T >= 1; of conv2d, images of one example */
    const float *input;    /* linear, scale, conv2d */
    const int32_t *tokens; /* embedding: in [0, rows); any other is padding and is left out */
    const float *grad;
    const nw_dpsgd_conv *conv; /* conv2d */
} nw_dpsgd_use;

/** How a parameter's norms are computed; nw_dpsgd_plan says which was chosen. */
typedef enum nw_dpsgd_plan_kind {
    NW_DPSGD_PLAN_AUTO = 0,
    NW_DPSGD_PLAN_PRODUCT = 1, /* T = 1: |a|^2 |g|^2 */
    NW_DPSGD_PLAN_GRAM = 2,    /* <A A', G G'> */
    NW_DPSGD_PLAN_DIRECT = 3,  /* |G' A|^2, computed and dropped */
    NW_DPSGD_PLAN_STORED = 4   /* |G' A|^2, kept for the sum */
} nw_dpsgd_plan_kind;
/** Before the first step. Errors NW_E_ARG: a plan that the parameter's positions do not allow; NW_E_STATE. */
NW_API NW_WARN_UNUSED nw_status nw_dpsgd_set_plan(nw_dpsgd *d, size_t parameter, nw_dpsgd_plan_kind plan, nw_error *err);
/** The plan in use; AUTO until the first norms of the parameter. */
NW_API nw_dpsgd_plan_kind nw_dpsgd_plan(const nw_dpsgd *d, size_t parameter);
/** Examples whose products are summed in floating point together, at most: a micro-batch of a multiple of it gives the same bits
 *  as any other such multiple. A power of two. */
NW_API size_t nw_dpsgd_group_size(const nw_dpsgd *d);
/** By how much roundings may add to the sensitivity, relative to it: the noise is larger by that factor, 1 + slack. */
NW_API double nw_dpsgd_slack(const nw_dpsgd *d);
/** Standard deviation of the noise of each number of a gradient, after the division by expected_batch. Public. */
NW_API double nw_dpsgd_deviation(const nw_dpsgd *d);
/** Bytes held now: sums, scratch, and what is kept from norms to sum. */
NW_API size_t nw_dpsgd_memory(const nw_dpsgd *d);

/** The event of one step: Gaussian noise of noise_multiplier on all parameters (and the count of an adaptive clip), before
 *  sampling. Hand it to nw_batches_event. Errors NW_E_STATE without a parameter, or stepwise: each step has an event of its own,
 *  which the caller charges; NW_E_NOMEM. */
NW_API NW_WARN_UNUSED nw_status nw_dpsgd_event(const nw_dpsgd *d, nw_event **out, nw_error *err);
/** Reserves `steps` steps in the ledger, at once and durably; begin_step then refuses to go beyond them. *reservation is for
 *  nw_ledger_commit at the end, whose count is that of nw_batches_charge. A ledger with a schedule has to have this run there
 *  (nw_batches_event of nw_dpsgd_event), and is charged with it: *reservation is then 0, and there is nothing to commit. Errors:
 *  those of nw_dpsgd_event and nw_ledger_reserve. */
NW_API NW_WARN_UNUSED nw_status nw_dpsgd_reserve(nw_dpsgd *d, const nw_batches *batches, uint64_t steps, nw_ledger *ledger,
    const char *label, const nw_rng *rng, uint64_t *reservation, nw_receipt *receipt, nw_error *err);

/** The next step of a stepwise handle, and no other: examples are clipped to clip_norm, and the noise of their sum has deviation
 *  noise * clip_norm * (1 + nw_dpsgd_slack), whatever the adjacency: the slack covers roundings, so the release is that of a
 *  Gaussian of deviation `noise` on a sum to which an example adds at most 1. For methods whose bound changes on the way, as that
 *  of nw/diff2.h: charge their event before the first step. Before each begin_step, which is refused without.
 *
 *  Shapes    none.
 *  Units     clip_norm in [2^-40, 2^40], a function of what was released; noise in [2^-10, 2^20], or 0 with an insecure rng. A
 *            bound that has shrunk below may be raised to 2^-40.
 *  Errors    NW_E_ARG; NW_E_STATE: not stepwise, or a step has begun.
 *  Cost      a thousandth of a second where the noise is another than before. Threads: confined.
 *  Source    docs/rooms/dpsgd.md#stepwise.
 *  Example   examples/diff2_network.c */
NW_API NW_WARN_UNUSED nw_status nw_dpsgd_set_step(nw_dpsgd *d, double clip_norm, double noise, nw_error *err);

NW_API NW_WARN_UNUSED nw_status nw_dpsgd_begin_step(nw_dpsgd *d, nw_rng *rng, nw_error *err);
NW_API NW_WARN_UNUSED nw_status nw_dpsgd_begin_batch(nw_dpsgd *d, size_t examples, nw_error *err);
NW_API NW_WARN_UNUSED nw_status nw_dpsgd_norms(nw_dpsgd *d, size_t parameter, const nw_dpsgd_use *uses, size_t n, nw_error *err);
NW_API NW_WARN_UNUSED nw_status nw_dpsgd_clip(nw_dpsgd *d, nw_error *err);
NW_API NW_WARN_UNUSED nw_status nw_dpsgd_accumulate(
    nw_dpsgd *d, size_t parameter, const nw_dpsgd_use *uses, size_t n, nw_error *err);
/** gradients[parameter]: float[rows cols], out: (sum + noise) / expected_batch. gradients may be NULL: nw_dpsgd_gradient has
 *  them, too, and costs no second array. On error they are all zero and the step is over. With several processes: once all have
 *  called it, with a sum of 8 bytes a number, and 4 back; an error in one of them is an error in all. */
NW_API NW_WARN_UNUSED nw_status nw_dpsgd_finish_step(nw_dpsgd *d, float *const *gradients, nw_error *err);
/** Which places of a batch of n are this process's: *first .. *first + *count - 1, cut between groups of examples that are summed
 *  in float together, so that the processes change no group. Up to nw_dpsgd_group_size places, all go to one process. */
NW_API void nw_dpsgd_part(const nw_dpsgd *d, size_t n, size_t *first, size_t *count);
/** In place of finish_step, where `status` has to end the step: with several processes, in all of them. Returns what finish_step
 *  returns in the others, never NW_OK. Gradients are all zero. Errors: `status`, or that of another process; NW_E_ARG if it is
 *  NW_OK; NW_E_IO. */
NW_API NW_WARN_UNUSED nw_status nw_dpsgd_abandon_step(nw_dpsgd *d, nw_status status, nw_error *err);
/** float[rows cols] of a parameter, from finish_step to the next begin_step: then the caller may also write there. Else NULL. */
NW_API float *nw_dpsgd_gradient(nw_dpsgd *d, size_t parameter);

/* Between clip and the next begin_batch or finish_step, else NULL. Private: not for release. Arrays of double and
 * float[examples], per-layer double and float[layers examples]. */
NW_API const double *nw_dpsgd_squared_norms(const nw_dpsgd *d); /* as computed */
NW_API const double *nw_dpsgd_norm_bounds(const nw_dpsgd *d);   /* what the clip went by: no norm is larger */
NW_API const float *nw_dpsgd_factors(const nw_dpsgd *d);
/** The clip norm in use: of the options, or where the quantile has taken it. Released: not private. */
NW_API double nw_dpsgd_clip_norm(const nw_dpsgd *d);

#ifdef __cplusplus
}
#endif
#endif
