/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_DIFF2_INTERNAL_H
#define NW_DIFF2_INTERNAL_H

/* diff2_internal.h - what the files of nw/diff2.h share. The proofs are in docs/rooms/diff2.md.
 *
 *   options.c    options, and the noise for (epsilon, delta)     (public: options only)
 *   diff2.c      the handle, rounds and bounds
 *   gradients.c  records that are handed as gradients
 *   model.c      linear models: the handle, and what it remembers
 *   losses.c     derivatives of the losses
 *   evaluate.c   loss and gradient of records that are not private
 *   kernels.c    inner loops
 *   partial.c    sums as bytes
 *   processes.c  one status for all processes
 *   step.c       charge, noise and update
 */
#include "base.h"

#include <nw/diff2.h>
#include <nw/noise.h>

/** Steps of the grid that make up B, the bound of a record's vector: int32 sums hold 2047 records. */
#define NW__DIFF2_STEPS 0x1p20
/** What a record's vector is shortened to, in steps, for the roundings of doubles on the way: norms of at most 2^24 numbers,
 *  summed in 16 lanes, are off by less than 2^-31. */
#define NW__DIFF2_REACH (NW__DIFF2_STEPS * (1.0 - 0x1p-26))
/** Bounds that count as 0: the squares of what they are worked out from would leave the doubles. */
#define NW__DIFF2_SMALLEST_BOUND 0x1p-400
/** Iterates beyond it have diverged. */
#define NW__DIFF2_LARGEST_ITERATE 0x1p400
/** Lanes of sums: their order is the same with any vector unit. */
enum { NW__DIFF2_LANES = 8, NW__DIFF2_KEY = 32, NW__DIFF2_FINGERPRINT = 16, NW__DIFF2_MOST_CLASSES = 65536 };

/** Noise of one law, drawn for some rounds at once where a round has few coordinates: starting the sampler takes longer than
 *  those. Each value is used once, and wiped. */
typedef struct nw__diff2_noise {
    nw_noise *law; /* in steps; NULL: no such rounds */
    int64_t *values;
    size_t room;
    size_t left; /* unused ones: the last of `values` */
} nw__diff2_noise;

typedef enum nw__diff2_phase {
    NW__DIFF2_NEW = 0,    /* not charged */
    NW__DIFF2_IDLE = 1,   /* between rounds */
    NW__DIFF2_OPEN = 2,   /* in a round */
    NW__DIFF2_DONE = 3,   /* all rounds are done */
    NW__DIFF2_BROKEN = 4, /* an error ended the run */
    NW__DIFF2_STOPPED = 5 /* the guard ended the run */
} nw__diff2_phase;

struct nw_diff2 {
    nw_diff2_opts opts; /* as resolved */
    nw_diff2_plan plan;
    nw_event *event;
    size_t dimension;
    nw__diff2_noise restart_noise;
    nw__diff2_noise difference_noise;
    nw__diff2_noise local_noise;
    uint64_t rate_steps; /* of local steps: the rate times 2^32 */
    nw_receipt receipt;
    bool is_insecure; /* charged with an insecure rng */
    nw__diff2_phase phase;
    nw_diff2_round round; /* the open one, or the next */
    uint64_t uniform;     /* NW_DIFF2_UNIFORM: which iterate */
    uint64_t guarded;
    bool is_incomplete; /* an addition failed in the open round */
    bool has_additions;
    uint64_t added;             /* records so far in the open local step */
    uint8_t key[NW__DIFF2_KEY]; /* of the next local sample */
    double *x;                  /* [dimension], each */
    double *previous;
    double *v;
    double *local_v; /* v of the local steps; NULL without them, as the next */
    double *anchor;  /* where the open round began */
    double *output;  /* the tail's sum, or the uniform iterate */
    int64_t *sums;
};

/* ---- options.c ---- */

nw_status nw__diff2_read_opts(nw_diff2 *d, const nw_diff2_opts *opts, const char *function, nw_error *err);
/** Plan, event and samplers, of options that were read. */
nw_status nw__diff2_calibrate(nw_diff2 *d, const char *function, nw_error *err);

/* ---- diff2.c ---- */

/** NW_E_STATE unless a round is open. */
nw_status nw__diff2_check_open(const nw_diff2 *d, const char *function, nw_error *err);
/** Steps that one unit of a gradient is, in the open round: 2^20 / B, or 0. */
double nw__diff2_per_unit(const nw_diff2 *d);
/** An addition that fails leaves the round's sum without some records: it cannot be released. */
nw_status nw__diff2_spoil(nw_diff2 *d, nw_status status);
/** Of options, dimension, round and iterate: equal in processes that work together. */
void nw__diff2_fingerprint(const nw_diff2 *d, const double *public_gradient, uint8_t out[NW__DIFF2_FINGERPRINT]);
/** Which of n records from number `first` on are in the local sample: bool[n]. */
void nw__diff2_sample(const nw_diff2 *d, uint64_t first, size_t n, bool *is_in);
/** l2 norm of x - y (y may be NULL: zero), rounded up. */
double nw__diff2_norm(const double *x, const double *y, size_t n);

/* ---- kernels.c ---- */

/** out[i] = w . rows[i]: a sum of NW__DIFF2_LANES partial sums. edge: the last lane's weights, see nw__diff2_edge. */
void nw__diff2_dots(const float *const *rows, size_t n, const float *w, const float *edge, size_t p, float *out);
/** The weights of the last lane block of a row, which overlaps what was before: float[NW__DIFF2_LANES], zero where it does. */
void nw__diff2_edge(const float *w, size_t p, float *edge);
/** sums[j] += sum over i of round(c[i] rows[i][j]), |c rows| <= 2^22, fewer than 2^11 rows between two clearings; modulo 2^32.
 *  sums: uint32[nw__diff2_cells(p)]. */
void nw__diff2_add_rows(uint32_t *sums, const float *const *rows, const float *c, size_t n, size_t p);
size_t nw__diff2_cells(size_t p);
/** totals[j] += what is in sums[j], and clears them. rows: how many were added. */
void nw__diff2_flush(int64_t *totals, uint32_t *sums, size_t rows, size_t p);
/** totals += round(c (x - y)), y may be NULL. |c (x - y)| <= 2^21. */
void nw__diff2_add_vector(int64_t *totals, const float *x, const float *y, double c, size_t n);
/** Sum of squares of x - y (y may be NULL), in double. */
double nw__diff2_square(const float *x, const float *y, size_t n);
void nw__diff2_merge(int64_t *totals, const int64_t *sums, size_t n);

/* ---- losses.c ---- */

/** r[i]: the derivative of the loss by z, in place of z. */
void nw__diff2_derivatives(nw_diff2_loss loss, double huber_width, float *z, const float *targets, size_t n);
/** The same of softmax: z and r are float[n x classes]. */
void nw__diff2_softmax(float *z, const float *targets, size_t n, size_t classes);
/** c[i] = (now[i] - before[i]) per_unit, cut off at +-caps[i], 0 if not finite. before may be NULL. */
void nw__diff2_coefficients(const float *now, const float *before, double per_unit, const float *caps, size_t n, float *c);
/** The same of vectors of `classes` numbers, whose norms are cut off. */
void nw__diff2_class_coefficients(
    const float *now, const float *before, double per_unit, const float *caps, size_t n, size_t classes, float *c);

/* ---- model.c ---- */

struct nw_diff2_model {
    nw_diff2_model_opts opts;
    size_t outputs;      /* numbers of a record: classes, or 1 */
    size_t per_output;   /* parameters of one: columns, and the bias */
    float *caps;         /* [rows]: largest coefficient of a record, in steps */
    float *last;         /* [rows x outputs]: derivatives at last_weights */
    float *last_weights; /* [outputs x per_output] */
    float *weights;      /* of the iterate */
    float *before;       /* of the previous one, if it is not last_weights */
    bool has_last;
    bool all_fit;  /* no cap is 0 */
    char *scratch; /* of all threads of a pass */
    size_t scratch_bytes;
};

/* ---- processes.c ---- */

/** nw_reduce_agree, and NW_E_STATE in all processes if one has another fingerprint. reduce may be NULL. */
nw_status nw__diff2_agree(const nw_reduce *reduce, nw_status status, const uint8_t fingerprint[NW__DIFF2_FINGERPRINT],
    const char *function, nw_error *err);
/** nw_reduce_agree, then gives all processes n bytes of process 0. reduce may be NULL. */
nw_status nw__diff2_share(const nw_reduce *reduce, nw_status status, void *bytes, size_t n, nw_error *err);
bool nw__diff2_is_root(const nw_reduce *reduce);

#endif
