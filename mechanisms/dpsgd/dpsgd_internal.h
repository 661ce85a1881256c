/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_DPSGD_INTERNAL_H
#define NW_DPSGD_INTERNAL_H

/* dpsgd_internal.h - what the files of nw/dpsgd.h share. The proofs are in docs/rooms/dpsgd.md.
 *
 *   bounds.c   groups, grid and slack                              (public: shapes and options only)
 *   dpsgd.c    options, parameters, the order of calls
 *   uses.c     what a call hands for a parameter
 *   norms.c    norms of factored gradients: product, Gram, direct
 *   vectors.c  gradients of single examples, written out
 *   tokens.c   embeddings
 *   clip.c     factors, and the adaptive clip norm
 *   sums.c     sums of integers
 *   finish.c   noise, and gradients
 *   together.c steps of many processes
 *   kernels.c  inner loops
 *   budget.c   the event, and the ledger
 */
#include "base.h"

#include <nw/dpsgd.h>
#include <nw/noise.h>

/** How a parameter's gradients are summed; found at its first norms, from the kinds of its uses. */
typedef enum nw__sum_kind {
    NW__SUM_UNKNOWN = 0,
    NW__SUM_PRODUCTS = 1, /* linear, tied to embeddings perhaps: a float product over a group of examples, then integers */
    NW__SUM_VECTORS = 2,  /* each example's own gradient is written out, and turned into integers */
    NW__SUM_TOKENS = 3    /* embeddings only: the rows that an example touches, turned into integers */
} nw__sum_kind;

/** What the 4-byte cells of a parameter's sum hold. */
typedef enum nw__cells {
    NW__CELLS_EMPTY = 0,   /* nothing */
    NW__CELLS_FLOATS = 1,  /* the float result of the step's only group so far */
    NW__CELLS_INTEGERS = 2 /* int32 grid steps */
} nw__cells;

typedef struct nw__dpsgd_parameter {
    char *name;
    size_t rows;
    size_t cols;
    size_t positions;
    size_t layer; /* of per-layer clipping */
    nw_dpsgd_plan_kind wanted;
    nw_dpsgd_plan_kind plan;
    nw__sum_kind sum;
    size_t group;     /* examples whose products are summed in float together */
    size_t most_rows; /* of one float sum: group * positions, or fewer positions of one example */
    size_t results;   /* float sums that one group's positions are cut into */
    double reach;     /* tau: an example's factor is at most tau C / S, S the sum of its |a| |g| */
    size_t tile;      /* rows of the parameter that are worked on together */
    size_t first;     /* of its cells in `sums` */
    nw__cells cells;
    bool has_norms; /* in this micro-batch */
    bool has_sum;
    uint64_t uses;        /* fingerprint of what norms was handed */
    float *kept;          /* STORED: float[examples rows cols] */
    size_t kept_examples; /* that there is room for */
    uint64_t *order;      /* tokens.c: uint64[examples positions], an example's positions sorted by token */
    size_t order_examples;
} nw__dpsgd_parameter;

typedef enum nw__dpsgd_phase {
    NW__PHASE_IDLE = 0,  /* between steps */
    NW__PHASE_STEP = 1,  /* after begin_step, and after a micro-batch that is done */
    NW__PHASE_NORMS = 2, /* after begin_batch */
    NW__PHASE_SUMS = 3   /* after clip */
} nw__dpsgd_phase;

/** Of one example and one layer of clipping, added up over parameters. */
typedef struct nw__example_norm {
    double square; /* squared norm, as computed */
    double bound;  /* no smaller than the squared norm of the gradient that is summed */
    double reach;  /* sum over parameters of (S / tau)^2 */
} nw__example_norm;

/** What takes the place of independent noise: handed the exact sums of coordinates first .. first + n in grid steps, it gives
 *  what is released of them, in grid steps. Called for consecutive pieces of all coordinates, once a step. */
typedef nw_status (*nw__dpsgd_noise)(
    void *context, nw_rng *rng, const int64_t *totals, size_t first, size_t n, double *out, nw_error *err);

struct nw_dpsgd {
    nw_dpsgd_opts opts;
    size_t count;
    nw__dpsgd_parameter *parameters;
    size_t layers;      /* 1 unless clipping is per layer */
    size_t cell_count;  /* of all parameters */
    bool is_frozen;     /* after the first begin_step */
    bool has_gradients; /* the cells hold gradients */
    nw__dpsgd_phase phase;
    double clip_norm;
    double layer_clip; /* clip_norm / sqrt(layers), rounded down */
    double slack;
    double step;          /* of the grid, over clip_norm: kappa, a power of two */
    size_t largest_batch; /* examples of a step that no cell can overflow with */
    double noise_scale;   /* in grid steps */
    nw_noise *noise;      /* NULL without noise */
    double noise_made_of; /* stepwise: the scale of `noise`, 0 without */
    nw_noise *spare;      /* and of a step before, of another scale */
    double spare_made_of;
    bool has_step; /* stepwise: nw_dpsgd_set_step has been called for the next one */
    nw_noise *count_noise;
    nw__dpsgd_noise release; /* NULL: independent noise */
    void *release_context;
    int64_t below; /* adaptive: examples at most clip_norm, less those above it */
    nw_rng *rng;   /* borrowed during a step */
    uint64_t steps_reserved;
    uint64_t steps_begun;
    bool has_reservation;
    int32_t *sums;        /* cell_count cells of 4 bytes */
    size_t step_examples; /* so far in this step */
    size_t examples;      /* of the micro-batch */
    size_t example_room;
    bool is_last_batch;      /* a short micro-batch has been */
    nw__example_norm *norms; /* [layers][examples] */
    double *squares;         /* [layers][examples], for the caller */
    double *bounds;
    float *factors;             /* [layers][examples] */
    unsigned char *is_excluded; /* [examples]: not finite, or too large to be computed with */
    float *scratch;             /* threads * scratch_floats */
    size_t scratch_floats;
    size_t scratch_threads;
    size_t kept_bytes;
};

/* ---- bounds.c ---- */

/** Largest square of a row, or of a gradient, that is computed with: beyond it an example contributes zero. */
#define NW__LARGEST_SQUARE 0x1p80
/** Unit roundoff of float. */
#define NW__FLOAT_ROUNDOFF 0x1p-24
/** Clip norms that the proof's negligible terms are negligible for. */
#define NW__SMALLEST_CLIP 0x1p-40
#define NW__LARGEST_CLIP 0x1p40

/** Coarsest step of the grid over C: with a coarser one, roundings would outweigh what is summed. */
#define NW__COARSEST_STEP 0x1p-8

/** Group, reach and tile of a new parameter. */
void nw__dpsgd_bound_parameter(nw__dpsgd_parameter *p);
/** Slack, grid and noise of all parameters, after each. The step comes out above NW__COARSEST_STEP if there is no room for the
 *  largest batch. */
void nw__dpsgd_bound_sums(nw_dpsgd *d);
/** The noise of the slack and grid as they are. */
void nw__dpsgd_bound_noise(nw_dpsgd *d);
/** noise_multiplier of the sums: of the options, or larger to make room for the count's noise [ATMR21]. */
double nw__dpsgd_sum_multiplier(const nw_dpsgd_opts *opts);
double nw__dpsgd_count_noise(const nw_dpsgd_opts *opts);

/* ---- uses.c ---- */

/** NW_E_ARG naming what does not fit the parameter. */
nw_status nw__dpsgd_check_uses(
    const nw_dpsgd *d, const nw__dpsgd_parameter *p, const nw_dpsgd_use *uses, size_t n, const char *function, nw_error *err);
uint64_t nw__dpsgd_fingerprint(const nw_dpsgd_use *uses, size_t n);
nw__sum_kind nw__dpsgd_sum_kind(const nw_dpsgd_use *uses, size_t n);
/** Positions of one example over all uses, and over the linear ones. */
size_t nw__dpsgd_positions(const nw_dpsgd_use *uses, size_t n);
size_t nw__dpsgd_linear_positions(const nw_dpsgd_use *uses, size_t n);
/** Chooses the plan of a parameter whose kind of sum is known. */
void nw__dpsgd_choose_plan(nw_dpsgd *d, nw__dpsgd_parameter *p, const nw_dpsgd_use *uses, size_t n);
/** Threads for a loop of so many operations: 1 if starting more would take longer than the loop. */
int nw__dpsgd_threads(double operations);
/** Room of `floats` for each of the threads of the next loops. */
nw_status nw__dpsgd_need_scratch(nw_dpsgd *d, size_t floats, int threads, const char *function, nw_error *err);

/* ---- norms.c, vectors.c, tokens.c: add the parameter's norms to those of the examples ---- */

typedef struct nw__dpsgd_call {
    nw_dpsgd *d;
    nw__dpsgd_parameter *p;
    const nw_dpsgd_use *uses;
    size_t n;
    const char *function;
} nw__dpsgd_call;

nw_status nw__dpsgd_norms_of_products(const nw__dpsgd_call *call, nw_error *err);
nw_status nw__dpsgd_norms_of_vectors(const nw__dpsgd_call *call, nw_error *err);
nw_status nw__dpsgd_norms_of_tokens(const nw__dpsgd_call *call, nw_error *err);
void nw__dpsgd_add_norm(const nw__dpsgd_call *call, size_t example, double square, double bound, double reach);
void nw__dpsgd_exclude(const nw__dpsgd_call *call, size_t example);

/** Writes the gradient of one example, rows * cols floats. scratch: nw__dpsgd_vector_scratch floats. */
void nw__dpsgd_write_vector(const nw__dpsgd_call *call, size_t example, float *out, float *scratch);
size_t nw__dpsgd_vector_scratch(const nw_dpsgd_use *uses, size_t n);
/** The caller's own array, if it holds the gradients as they are; else NULL. */
const float *nw__dpsgd_borrowed(const nw__dpsgd_parameter *p, const nw_dpsgd_use *uses, size_t n);

/** Sorts the positions of the embeddings among the uses; how many there are without padding. */
nw_status nw__dpsgd_sort_tokens(const nw__dpsgd_call *call, nw_error *err);

/* ---- sums.c ---- */

nw_status nw__dpsgd_sum_products(const nw__dpsgd_call *call, nw_error *err);
nw_status nw__dpsgd_sum_vectors(const nw__dpsgd_call *call, nw_error *err);
void nw__dpsgd_sum_tokens(const nw__dpsgd_call *call);
/** Turns the cells into integers. */
void nw__dpsgd_make_integers(nw_dpsgd *d, nw__dpsgd_parameter *p);

/* ---- clip.c ---- */

void nw__dpsgd_clip_examples(nw_dpsgd *d);
/** Moves the clip norm by the noisy count. */
nw_status nw__dpsgd_move_clip(nw_dpsgd *d, nw_error *err);
void nw__dpsgd_set_clip(nw_dpsgd *d, double clip_norm);

/* ---- finish.c ---- */

nw_status nw__dpsgd_release(nw_dpsgd *d, nw_error *err);
/** For correlated noise, before the first step; its standard deviation has to be nw__dpsgd_noise_scale, in grid steps, for a
 *  record that takes part once. Not with a quantile. */
void nw__dpsgd_set_noise(nw_dpsgd *d, nw__dpsgd_noise release, void *context);
double nw__dpsgd_noise_scale(const nw_dpsgd *d);

/** After the step, whatever has come of it. */
void nw__dpsgd_end_step(nw_dpsgd *d);

/* ---- together.c ---- */

/** True for the process that draws: the only one, or process 0. */
bool nw__dpsgd_is_first(const nw_dpsgd *d);
/** Places of a batch that are not cut between processes. Public. */
size_t nw__dpsgd_unit(const nw_dpsgd *d);
/** Ends a step of many processes; mine: what this one has come to. */
nw_status nw__dpsgd_release_together(nw_dpsgd *d, nw_status mine, nw_error *err);

/* ---- kernels.c ---- */

/** Sum of squares, in double, in an order that depends on n only. */
double nw__sum_squares(const float *x, size_t n);
/** Sum of products, likewise. */
double nw__sum_products(const float *x, const float *y, size_t n);
/** acc[i] += x[i] */
void nw__add_to_doubles(double *acc, const float *x, size_t n);
/** acc[i] += x[i] * y[i] */
void nw__add_products(double *acc, const float *x, const float *y, size_t n);
/** out[r] = sum of x[r x_step + i] * y[r y_step + i], i < n, of each row; in double, in an order that depends on n only. */
void nw__row_products(const float *x, size_t x_step, const float *y, size_t y_step, size_t rows, size_t n, double *out);
/** out[r n + i] = c[(first + r) / positions] x[r step + i] */
void nw__scale_rows(
    float *out, const float *c, size_t positions, const float *x, size_t step, size_t first, size_t rows, size_t n);
/** cells[i] += round(x[i] * c), c in steps. */
void nw__add_rounded(int32_t *cells, float c, const float *x, size_t n);
/** The same with each row's factor * unit in place of c; rows whose factor is zero are left out. */
void nw__add_rounded_rows(int32_t *cells, const float *factors, double unit, const float *x, size_t step, size_t rows, size_t n);
void nw__add_rounded_doubles(int32_t *cells, double c, const double *x, size_t n);
/** The cells' floats x to round(x * c). */
void nw__round_in_place(int32_t *cells, float c, size_t n);
/** out[i] = (cells[i] + noise[i]) * unit, in the cells' own place. */
void nw__release_integers(int32_t *cells, const int64_t *noise, double unit, size_t n);
/** The same of cells that hold floats: round(x * c) first. */
void nw__release_floats(int32_t *cells, float c, const int64_t *noise, double unit, size_t n);

#endif
