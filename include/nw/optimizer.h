/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_OPTIMIZER_H
#define NW_OPTIMIZER_H

/* nw/optimizer.h - what becomes of a noisy gradient: descent with momentum, Adam with and without the noise's bias, weight decay,
 * averaged weights, learning rates that change. All of it is post-processing and costs no privacy.
 *
 *   size_t sizes[] = { 784 * 10, 10 };
 *   nw_optimizer_opts opts = NW_OPTIMIZER_OPTS_INIT;
 *   opts.learning_rate = 0.5;
 *   nw_optimizer_new(&optimizer, &opts, sizes, 2, &err);
 *   nw_optimizer_step(optimizer, parameters, gradients, 0.0, &err);            after each nw_dpsgd_finish_step
 */
#include <nw/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum nw_optimizer_kind {
    NW_OPTIMIZER_SGD = 1,    /* v = momentum v + g; w -= rate v, or with is_nesterov rate (g + momentum v) */
    NW_OPTIMIZER_ADAM = 2,   /* [KB15] */
    NW_OPTIMIZER_ADAM_BC = 3 /* Adam with the noise's variance taken out of the second moment [TSL24] */
} nw_optimizer_kind;

typedef enum nw_optimizer_schedule {
    NW_OPTIMIZER_CONSTANT = 1,
    NW_OPTIMIZER_COSINE = 2, /* from learning_rate to final_rate learning_rate along half a cosine, at `steps` */
    NW_OPTIMIZER_LINEAR = 3  /* the same along a line */
} nw_optimizer_schedule;

typedef struct nw_optimizer_opts {
    size_t struct_size;
    nw_optimizer_kind kind; /* default SGD */
    double learning_rate;   /* > 0; no default */
    double momentum;        /* SGD: in [0, 1), default 0 */
    bool is_nesterov;       /* SGD: default false */
    double beta1, beta2;    /* Adam: in [0, 1), default 0.9 and 0.999 */
    double epsilon;         /* Adam: > 0, default 1e-8, added to the root; ADAM_BC: the least root, for which 1e-4 to 1e-8 are
                                       usual */
    double weight_decay;    /* >= 0, default 0: w -= rate weight_decay w beside the step [LH19] */
    double average;         /* in [0, 1), default 0: none. Of the averaged weights: a = average a + (1 - average) w, with
                                       average at most (1 + step) / (10 + step) at first */
    nw_optimizer_schedule schedule; /* default CONSTANT */
    uint64_t steps;                 /* of the whole run: cosine and linear */
    uint64_t warmup;                /* the first steps, over which the rate rises from learning_rate / warmup; default 0 */
    double final_rate;              /* in [0, 1], default 0 */
} nw_optimizer_opts;
/* clang-format off */
#define NW_OPTIMIZER_OPTS_INIT { sizeof(nw_optimizer_opts), NW_OPTIMIZER_SGD, 0.0, 0.0, false, 0.9, 0.999, 1e-8, 0.0, 0.0, \
    NW_OPTIMIZER_CONSTANT, 0, 0, 0.0 }
/* clang-format on */
NW_API void nw_optimizer_opts_init(nw_optimizer_opts *opts, size_t struct_size);

typedef struct nw_optimizer nw_optimizer; /* confined */

/** Prepares for n parameters of sizes[i] floats each.
 *
 *  Shapes    sizes: size_t[n]; copied. *out: new handle, or NULL on error.
 *  Units     none.
 *  Errors    NW_E_ARG naming the option, its value and the admissible set; NW_E_NOMEM.
 *  Cost      one copy of the parameters for momentum, two for Adam, one for the average. Threads: any.
 *  Source    docs/rooms/dpsgd.md#optimisers.
 *  Example   examples/network.c */
NW_API NW_WARN_UNUSED nw_status nw_optimizer_new(
    nw_optimizer **out, const nw_optimizer_opts *opts, const size_t *sizes, size_t n, nw_error *err);
NW_API void nw_optimizer_free(nw_optimizer *optimizer);

/** One step. deviation: standard deviation of the noise of each coordinate of the gradients (noise multiplier times sensitivity
 *  over the expected batch), which ADAM_BC takes out; the others do not read it.
 *
 *  Shapes    parameters, gradients: float *[n], of sizes[i] floats each; parameters are written.
 *  Units     deviation: of the gradients.
 *  Errors    NW_E_ARG on NULL; a deviation that is negative or not finite.
 *  Cost      one pass. Threads: confined; OpenMP inside, the result does not depend on them.
 *  Source    docs/rooms/dpsgd.md#optimisers.
 *  Example   examples/network.c */
NW_API NW_WARN_UNUSED nw_status nw_optimizer_step(
    nw_optimizer *optimizer, float *const *parameters, float *const *gradients, double deviation, nw_error *err);

/** Steps taken, and the rate of the next one. */
NW_API uint64_t nw_optimizer_steps(const nw_optimizer *optimizer);
NW_API double nw_optimizer_rate(const nw_optimizer *optimizer);

/** Exchanges the parameters with their average: before an evaluation or a save, and again after it.
 *  Errors NW_E_ARG; NW_E_STATE: no average was asked for, or no step was taken. */
NW_API NW_WARN_UNUSED nw_status nw_optimizer_swap_average(nw_optimizer *optimizer, float *const *parameters, nw_error *err);

/** The state as bytes, for checkpoints: nw_optimizer_size of them. Errors: NW_E_ARG on NULL or capacity. */
NW_API size_t nw_optimizer_size(const nw_optimizer *optimizer);
NW_API NW_WARN_UNUSED nw_status nw_optimizer_serialize(
    const nw_optimizer *optimizer, uint8_t *out, size_t capacity, nw_error *err);
/** Takes the state of an optimiser of the same options and sizes. Errors: NW_E_FORMAT: it is not one; nothing has changed
 *  then. */
NW_API NW_WARN_UNUSED nw_status nw_optimizer_restore(nw_optimizer *optimizer, const uint8_t *bytes, size_t n, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
