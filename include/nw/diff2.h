/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_DIFF2_H
#define NW_DIFF2_H

/* nw/diff2.h - DIFF2: private full-gradient descent that pays for a gradient now and then, and for its small changes in between
 * [MS23]. With period 1 it is DP-GD.
 *
 * What it is for: minimising a mean of losses over n records, on one machine or many, with the exact Gaussian law of all rounds.
 * What it protects: one record (add_remove or replace_one), at (epsilon, delta), for everything that is released: all iterates.
 * How: round r sums clipped vectors of all records, as integers; one draw of integer noise is added to the sum; v takes it up.
 *   restart     r % T == 0:  v = mean clip(g_i(x_r), B) + noise,                      B = C1
 *   difference  else:        v += mean clip(g_i(x_r) - g_i(x_{r-1}), B) + noise,      B = C2 |x_r - x_{r-1}|
 *   then x_{r+1} = x_r - eta (v + gradient of a public regulariser). The noise of the sum has deviation s1 B, or s2 B.
 * All rounds together are exactly mu-Gaussian DP, mu^2 = restarts / s1^2 + differences / s2^2 (replace_one: mu is doubled).
 * Records that do not fit: a gradient (features, target) with a NaN or an infinity contributes zero. Never an error.
 * What the caller promises: g_i depends on its own record and the iterate alone, and every record is added once a round.
 *
 *   nw_diff2_opts o = NW_DIFF2_OPTS_INIT;
 *   o.epsilon = 1.0;  o.delta = 1e-5;  o.adjacency = NW_ADD_REMOVE;  o.public_records = 36000;
 *   o.rounds = 1024;  o.period = 128;  o.clip_gradient = 1.0;  o.clip_difference = 0.1;  o.learning_rate = 4.0;
 *   nw_diff2_new(&d, dimension, NULL, &o, &err);
 *   nw_diff2_charge(d, NULL, rng, ledger, "model", &receipt, &err);   // the whole run, before anything is drawn
 *   while (!nw_diff2_is_done(d)) {
 *       nw_diff2_begin_round(d, &round, &err);
 *       nw_diff2_add_model(d, model, &err);                           // or nw_diff2_add_gradients, as often as needed
 *       nw_diff2_step(d, NULL, rng, NULL, &err);                      // sums over processes, noise, update
 *   }
 *   nw_diff2_result(d, x, &err);
 *
 * Many processes: each makes the same handle, adds its own records, and calls the same functions in the same order with an
 * nw_reduce. Process 0 alone has the ledger and draws the noise, once; the noisy integers are given to all, so all hold the same
 * iterates. An error in one process is an error in all of them. The result is the same bytes however the records are spread,
 * on any number of threads and with any vector unit.
 */
#include <nw/ledger.h>
#include <nw/reduce.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nw_diff2 nw_diff2; /* confined */

typedef enum nw_diff2_output {
    NW_DIFF2_TAIL = 1,   /* mean of the last `tail` iterates */
    NW_DIFF2_LAST = 2,   /* the last iterate */
    NW_DIFF2_UNIFORM = 3 /* one of x_0 .. x_{R-1}, drawn uniformly: what the theorems are about */
} nw_diff2_output;

/** What happens when |v| is above guard_norm. v is released, so this costs nothing. The mean of clipped gradients, which v
 *  estimates, is never longer than clip_gradient. */
typedef enum nw_diff2_guard {
    NW_DIFF2_PROJECT = 1, /* v is shortened to guard_norm */
    NW_DIFF2_STOP = 2,    /* the step returns NW_E_NUMERIC, and the run is over: the last iterate stays readable */
    NW_DIFF2_UNGUARDED = 3
} nw_diff2_guard;

typedef struct nw_diff2_opts {
    size_t struct_size;
    double epsilon;          /* of the whole run, in (0, 64]; no default. Not read with restart_noise given */
    double delta;            /* in (0, 1); no default */
    double restart_noise;    /* s1 > 0: deviation of the noise over B; epsilon is then what it costs; default 0: calibrated */
    double difference_noise; /* s2 > 0, given with restart_noise if period > 1; default 0: calibrated */
    nw_adjacency adjacency;  /* add_remove or replace_one; no default */
    uint64_t public_records; /* n in [1, 2^40], public: what sums are divided by; no default. Under add_remove near the number of
                                records, under replace_one that number */
    uint64_t rounds;         /* R in [1, 2^32]; no default */
    uint64_t period;         /* T in [1, R]: a restart every T rounds; no default. J restarts: T = ceil(R / J); 1: DP-GD */
    double clip_gradient;    /* C1 in [2^-40, 2^40]; no default */
    double clip_difference;  /* C2 in [2^-40, 2^40], no default with period > 1: about the smoothness of the loss of one record.
                                Too small a C2 clips what it should follow, and the run may diverge */
    double split;            /* w in (0, 1): the restarts' share of mu^2; default 0.7. Not read with period 1 */
    double learning_rate;    /* eta, finite and > 0; no default */
    nw_diff2_output output;  /* default tail */
    uint64_t tail;           /* iterates that are averaged, in [1, R]; default 0: R / 10, at least 1 */
    nw_diff2_guard guard;    /* default project */
    double guard_norm;       /* > 0; default 0: 4 clip_gradient */
    unsigned threads;        /* of the additions; default 0: as OpenMP decides; never part of a result */
    uint64_t local_steps;    /* K in [1, 2^20]: updates a round; default 1. The others follow a Poisson sample [MS23, BVR-L-SGD]:
                                v += sum clip(g_i(y_k) - g_i(y_{k-1}), B) / b + noise, B = C3 |y_k - y_{k-1}| */
    double local_batch;      /* b in (0, n], with K > 1: expected size of the sample; the rate b / n is rounded up to 2^-32 */
    double clip_local;       /* C3 in [2^-40, 2^40], with K > 1 */
    double local_noise;      /* s3 > 0, with K > 1: deviation of the noise of a local sum over B; given, never calibrated */
    uint64_t first_record;   /* number of the first record that this process adds, over all processes; default 0. Read with K > 1
                                only: who is sampled depends on a record's number */
    bool keeps_reserve;      /* calibrated to what an empty gdp ledger of the same epsilon and delta lets through, which keeps
                                2^-10 of delta back: 1e-4 more noise; default false: to epsilon and delta exactly, for a ledger
                                with this run as its schedule, or a larger budget */
} nw_diff2_opts;
/* clang-format off */
#define NW_DIFF2_OPTS_INIT { sizeof(nw_diff2_opts), 0.0, -1.0, 0.0, 0.0, NW_ADJACENCY_UNSET, 0, 0, 0, 0.0, 0.0, 0.7, 0.0, \
    NW_DIFF2_TAIL, 0, NW_DIFF2_PROJECT, 0.0, 0, 1, 0.0, 0.0, 0.0, 0, false }
/* clang-format on */
NW_API void nw_diff2_opts_init(nw_diff2_opts *opts, size_t struct_size);

/** Validates the options, calibrates the noise, allocates.
 *
 *  Shapes    *out: new handle, or NULL on error. start: double[dimension], x_0, public; NULL: zero. Copied. dimension in
 *            [1, 2^24].
 *  Units     noise over B, the bound of a record's vector in a round.
 *  Errors    NW_E_ARG naming the option, its value and the admissible set; NW_E_BUDGET: local_noise alone costs more than
 *            epsilon; NW_E_NOMEM.
 *  Cost      80 bytes a dimension and thread; 2 ms. Threads: any.
 *  Source    docs/rooms/diff2.md.
 *  Example   examples/diff2.c */
NW_API NW_WARN_UNUSED nw_status nw_diff2_new(
    nw_diff2 **out, size_t dimension, const double *start, const nw_diff2_opts *opts, nw_error *err);
/** Wipes and frees. NULL is allowed. */
NW_API void nw_diff2_free(nw_diff2 *d);

/** What the run will be, known before any data is seen. */
typedef struct nw_diff2_plan {
    uint64_t rounds;         /* R */
    uint64_t restarts;       /* K1 = ceil(R / T) */
    uint64_t tail;           /* iterates that the result is the mean of; else 1 */
    double restart_noise;    /* s1 */
    double difference_noise; /* s2; NaN with period 1 */
    double local_rate;       /* Poisson sampling rate; NaN without local steps */
    double mu;               /* of the event, under the adjacency, rounded up; with local steps of nw_account_mu */
    double epsilon;          /* of the event, at delta, rounded up */
    double delta;
} nw_diff2_plan;
NW_API nw_diff2_plan nw_diff2_get_plan(const nw_diff2 *d);
/** What nw_diff2_charge charges: K1 releases at s1 and R - K1 at s2, of sums to which a record adds at most 1 (B). Borrowed. */
NW_API const nw_event *nw_diff2_event(const nw_diff2 *d);

/** Charges the whole run, once; with NW_DIFF2_UNIFORM also draws which iterate it will be.
 *
 *  Shapes    reduce: NULL for one process. rng, ledger: of process 0; NULL in the others. receipt: out, may be NULL; the same in
 *            all processes.
 *  Units     none.
 *  Errors    NW_E_ARG; NW_E_STATE: charged already, or a process disagrees about options, dimension or start; those of
 *            nw_ledger_charge, in all processes: nothing was drawn (NW_E_BUDGET of a ledger with the run's own budget: see
 *            keeps_reserve); those of reduce.
 *  Cost      as nw_ledger_charge. Threads: confined.
 *  Source    docs/rooms/diff2.md.
 *  Example   examples/diff2.c */
NW_API NW_WARN_UNUSED nw_status nw_diff2_charge(
    nw_diff2 *d, const nw_reduce *reduce, nw_rng *rng, nw_ledger *ledger, const char *label, nw_receipt *receipt, nw_error *err);

typedef enum nw_diff2_round_kind {
    NW_DIFF2_RESTART = 1,
    NW_DIFF2_DIFFERENCE = 2,
    NW_DIFF2_LOCAL = 3 /* a local step: the sampled records' differences; only with local_steps > 1 */
} nw_diff2_round_kind;

/** Public: a function of what was released before. */
typedef struct nw_diff2_round {
    uint64_t round; /* r in [0, R) */
    uint64_t step;  /* local step: 0, of restart and difference; 1 .. K - 1 */
    nw_diff2_round_kind kind;
    double bound;   /* B: no record's vector is longer; of differences rounded up. May be 0: nothing can be released but zero */
    double noise;   /* s1, s2 or s3: the noise of the sum has deviation noise * bound (nw_diff2_step: and a little more, for
                      roundings) */
    double divisor; /* of the noisy sum: n, or b */
} nw_diff2_round;

/** Begins the next round (or local step). round: out, may be NULL. Errors: NW_E_STATE: not charged, a round is open, or no round
 *  is left. */
NW_API NW_WARN_UNUSED nw_status nw_diff2_begin_round(nw_diff2 *d, nw_diff2_round *round, nw_error *err);
NW_API bool nw_diff2_is_done(const nw_diff2 *d);
/** Where the gradients of the open round are taken: double[dimension], released. Between rounds: where the next will be. */
NW_API const double *nw_diff2_iterate(const nw_diff2 *d);
/** Where differences are counted from: double[dimension], released; the start before the first step. */
NW_API const double *nw_diff2_previous(const nw_diff2 *d);
/** v, after the last step: double[dimension], released; zero before. */
NW_API const double *nw_diff2_direction(const nw_diff2 *d);
/** Steps whose v was longer than guard_norm, so far. Released. */
NW_API uint64_t nw_diff2_guarded(const nw_diff2 *d);

/** Adds records by their gradients: clips each vector to B, in a difference round that of gradients - previous.
 *
 *  Shapes    gradients: float[rows x dimension] at nw_diff2_iterate, each row `stride` floats after the other (0: dimension);
 *            previous: the same at nw_diff2_previous; NULL in a restart, and only there. Borrowed for the call.
 *  Units     of clip_gradient.
 *  Errors    NW_E_ARG; NW_E_STATE: no round is open; NW_E_NOMEM. None depends on a number in a row. After an error the sum is
 *            not of all records, and nw_diff2_step fails in all processes: call it nonetheless, so that none waits.
 *  Cost      two passes over the rows. Threads: confined; OpenMP inside.
 *  Source    docs/rooms/diff2.md#sums.
 *  Example   examples/diff2.c */
NW_API NW_WARN_UNUSED nw_status nw_diff2_add_gradients(
    nw_diff2 *d, const float *gradients, const float *previous, size_t rows, size_t stride, nw_error *err);
/** True if record `index` (counted from the first that is added in this local step) is in the sample of nw_diff2_step; always, in
 *  other rounds. The gradients of others are not read, and may be anything. */
NW_API bool nw_diff2_is_sampled(const nw_diff2 *d, size_t index);

/* ---- linear models: a record's gradient is a number (of softmax, `classes` numbers) times its features ---- */

typedef enum nw_diff2_loss {
    NW_DIFF2_SQUARED = 1,  /* (z - y)^2 / 2, z = w x + b */
    NW_DIFF2_LOGISTIC = 2, /* ln(1 + e^z) - y z; y in [0, 1], others are taken to the nearer end */
    NW_DIFF2_HUBER = 3,    /* the square of z - y / 2 within huber_width, linear beyond */
    NW_DIFF2_SOFTMAX = 4   /* -ln softmax(z)_y; y a class, 0 .. classes - 1; any other contributes zero */
} nw_diff2_loss;
/** "squared", "logistic", "huber", "softmax". */
NW_API const char *nw_diff2_loss_name(nw_diff2_loss loss);
NW_API NW_WARN_UNUSED nw_status nw_diff2_loss_parse(const char *name, nw_diff2_loss *out, nw_error *err);

typedef struct nw_diff2_model_opts {
    size_t struct_size;
    nw_diff2_loss loss;    /* no default */
    const float *features; /* float[rows x columns]; borrowed for the life of the model, and must not change */
    const float *targets;  /* float[rows]; borrowed likewise */
    size_t rows;           /* may be 0: a process without records */
    size_t columns;        /* p >= 1 */
    size_t stride;         /* floats from a row to the next; default 0: columns */
    size_t classes;        /* softmax: k >= 2; else 0 or 1 */
    bool has_bias;         /* a parameter b beside the weights, for each class; default true */
    double huber_width;    /* huber: in [2^-40, 2^40]; default 1 */
    unsigned threads;      /* default 0: as OpenMP decides; never part of a result */
} nw_diff2_model_opts;
/* clang-format off */
#define NW_DIFF2_MODEL_OPTS_INIT { sizeof(nw_diff2_model_opts), (nw_diff2_loss)0, NULL, NULL, 0, 0, 0, 0, true, 1.0, 0 }
/* clang-format on */
NW_API void nw_diff2_model_opts_init(nw_diff2_model_opts *opts, size_t struct_size);

typedef struct nw_diff2_model nw_diff2_model; /* confined: remembers each record's numbers at the last iterate */

/** Takes the norms of all rows, once.
 *
 *  Shapes    *out: new handle, or NULL on error.
 *  Units     none.
 *  Errors    NW_E_ARG naming the option; NW_E_NOMEM. None depends on a number in a row.
 *  Cost      8 bytes a row, of softmax 4 (k + 1); one pass. Threads: any.
 *  Source    docs/rooms/diff2.md#models.
 *  Example   examples/diff2.c */
NW_API NW_WARN_UNUSED nw_status nw_diff2_model_new(nw_diff2_model **out, const nw_diff2_model_opts *opts, nw_error *err);
NW_API void nw_diff2_model_free(nw_diff2_model *model);
/** Parameters: columns weights, then the bias if there is one; of softmax so for each class. */
NW_API size_t nw_diff2_model_dimension(const nw_diff2_model *model);

/** Adds all records of the model to the open round. Gradients are taken at the floats nearest to the iterate.
 *
 *  Shapes    the model's dimension must be the handle's.
 *  Units     none.
 *  Errors    NW_E_ARG; NW_E_STATE: no round is open; NW_E_NOMEM. None depends on a number in a row.
 *  Cost      one pass over the features, in blocks that stay in the cache; 0.2 to 0.5 ns a feature. Threads: confined; OpenMP
 *            inside.
 *  Source    docs/rooms/diff2.md#models.
 *  Example   examples/diff2.c */
NW_API NW_WARN_UNUSED nw_status nw_diff2_add_model(nw_diff2 *d, nw_diff2_model *model, nw_error *err);

/** The mean loss of the model's records, and its exact gradient, without noise or clipping: for records that are public or were
 *  set apart. Of private records, both are private.
 *
 *  Shapes    x: double[dimension]; loss: out; gradient: double[dimension] out; either may be NULL.
 *  Units     none.
 *  Errors    NW_E_ARG; NW_E_NOMEM. Records that do not fit count as zero.
 *  Cost      two passes in double. Threads: confined.
 *  Source    none.
 *  Example   examples/diff2.c */
NW_API NW_WARN_UNUSED nw_status nw_diff2_model_evaluate(
    nw_diff2_model *model, const double *x, double *loss, double *gradient, nw_error *err);

/* ---- partial sums: exact and unprotected, as secret as the records ---- */

/** The open round's sum so far: integers, in steps of B 2^-20. Borrowed until the step; NULL if no round is open. */
NW_API const int64_t *nw_diff2_partial(const nw_diff2 *d);
/** Adds another's sum of the same round. Errors: NW_E_ARG; NW_E_STATE. */
NW_API NW_WARN_UNUSED nw_status nw_diff2_add_partial(nw_diff2 *d, const int64_t *sums, size_t dimension, nw_error *err);
/** The same as bytes, for engines that reduce bytes: with version, round, iterates and checksum. Into a new buffer, to be freed
 *  with nw_diff2_bytes_free. Errors: NW_E_STATE; NW_E_NOMEM. */
NW_API NW_WARN_UNUSED nw_status nw_diff2_partial_to_bytes(const nw_diff2 *d, uint8_t **out, size_t *n, nw_error *err);
/** Errors: NW_E_FORMAT: no such bytes, cut off or altered; NW_E_ARG: of other options, another round or other iterates;
 *  NW_E_STATE; NW_E_UNSUPPORTED: of a later version. */
NW_API NW_WARN_UNUSED nw_status nw_diff2_partial_add_bytes(nw_diff2 *d, const uint8_t *bytes, size_t n, nw_error *err);
NW_API void nw_diff2_bytes_free(uint8_t *bytes, size_t n);

/* ---- the release ---- */

/** Ends the round: sums over the processes, adds noise to the sum, once, in process 0, gives the noisy sum to all, and updates v
 *  and the iterate in each.
 *
 *  Shapes    reduce: NULL for one process. rng: of process 0; NULL in the others. public_gradient: double[dimension], finite, of
 *            a regulariser that reads no record; NULL: none. The same in all processes.
 *  Units     of the gradients.
 *  Errors    NW_E_ARG: rng is NULL or public_gradient not finite; NW_E_STATE: no round is open, an insecure rng after a charge
 *            with a secure one, or another process has another state; NW_E_NUMERIC: the guard stopped the run;
 *            NW_E_ENTROPY, NW_E_NOMEM, those of reduce, and what another process failed with. After an error the run is over and
 *            nothing of the round is released.
 *  Cost      about 4 ns a dimension; with processes a sum and a broadcast of 8 bytes a dimension. Threads: confined.
 *  Source    [MS23]; docs/rooms/diff2.md#noise.
 *  Example   examples/diff2.c */
NW_API NW_WARN_UNUSED nw_status nw_diff2_step(
    nw_diff2 *d, const nw_reduce *reduce, nw_rng *rng, const double *public_gradient, nw_error *err);
/** Ends the round with a noisy mean that another summing engine made (nw/dpsgd.h): nothing was added here. The caller answers for
 *  it: a sum over all records (of a local step: over a Poisson sample of its own) of vectors clipped to the round's bound, with
 *  Gaussian noise of at least noise * bound and what its own roundings ask for, drawn once, divided by the divisor; the same in
 *  all processes.
 *
 *  Shapes    noisy_mean: double[dimension], finite; public_gradient as above.
 *  Units     of the gradients.
 *  Errors    NW_E_ARG; NW_E_STATE: no round is open, or something was added to it; NW_E_NUMERIC: the guard stopped the run.
 *  Cost      a pass. Threads: confined.
 *  Source    [MS23].
 *  Example   examples/diff2_network.c */
NW_API NW_WARN_UNUSED nw_status nw_diff2_step_with(
    nw_diff2 *d, const double *noisy_mean, const double *public_gradient, nw_error *err);

/** The result, after the last round.
 *
 *  Shapes    x: double[dimension] out.
 *  Units     none.
 *  Errors    NW_E_ARG; NW_E_STATE: rounds are left (nw_diff2_iterate may be looked at any time).
 *  Cost      a copy. Threads: confined.
 *  Source    docs/rooms/diff2.md#result.
 *  Example   examples/diff2.c */
NW_API NW_WARN_UNUSED nw_status nw_diff2_result(const nw_diff2 *d, double *x, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
