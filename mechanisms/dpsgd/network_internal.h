/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_NETWORK_INTERNAL_H
#define NW_NETWORK_INTERNAL_H

/* network_internal.h - a network is a list of operations in the order of the forward pass. Each reads values and writes one; the
 * rows of a value lie one after the other, those of an example together. A parameter lists its uses, in the form that
 * nw_dpsgd_norms and nw_dpsgd_accumulate take: what has no such form cannot become a parameter. */
#include "base.h"
#include <nw/network.h>

enum {
    NW__INPUTS = 2,       /* of an operation, at most */
    NW__SLOTS = 2,        /* parameters of an operation, at most */
    NW__IMAGE_SIDE = 8192 /* largest height, width, kernel, ... */
};

/* ---- values ---- */

typedef enum nw__form { NW__TOKENS = 1, NW__VECTOR = 2, NW__SEQUENCE = 3, NW__IMAGE = 4 } nw__form;

typedef struct nw__value {
    nw__form form;
    size_t positions;              /* rows of an example: 1 unless it is a sequence, or tokens */
    size_t width;                  /* floats of a row; tokens: 1 */
    size_t channels, height, wide; /* image: width = channels height wide */
    bool needs_gradient;           /* depends on a parameter */
    size_t readers;                /* operations that read it */
} nw__value;

/* ---- operations ---- */

typedef struct nw__op nw__op;

/* An operation's arrays for one pass over a micro-batch. */
typedef struct nw__io {
    size_t examples; /* copies counted */
    int threads;
    const int32_t *tokens; /* examples x positions; a negative one is padding */
    const float *in[NW__INPUTS];
    float *out;
    float *saved;                    /* what forward leaves for backward */
    float *grad;                     /* of out; backward may write to it if grad_in says so by being the same */
    const float *before[NW__INPUTS]; /* the gradient of the input so far, to be added; or NULL */
    float *grad_in[NW__INPUTS];      /* of the input; NULL: not asked for. May be before, and grad where the layer allows that */
    float *scratch;                  /* op->scratch floats for each thread */
    const float *weights[NW__SLOTS];
} nw__io;

typedef enum nw__need { NW__NEEDS_INPUT = 1, NW__NEEDS_OUTPUT = 2 } nw__need; /* of backward */

typedef struct nw__layer {
    const char *type;
    void (*forward)(const nw__op *op, const nw__io *io);
    void (*prepare)(const nw__op *op, const nw__io *io);  /* makes `saved` for the uses from the output's gradient; or NULL */
    void (*backward)(const nw__op *op, const nw__io *io); /* NULL: nothing comes before it, or is_sum */
    unsigned needs;
    bool is_in_place_forward;       /* out may be in[0] */
    bool is_in_place_backward;      /* grad_in[0] may be grad */
    bool is_sum;                    /* of the inputs and weights: gradients are passed on as they are */
    nw_dpsgd_kind kinds[NW__SLOTS]; /* how parameters are used; 0: no per-example norms */
} nw__layer;

typedef enum nw__combine { NW__MEAN = 0, NW__SQRT = 1, NW__SUM = 2 } nw__combine;

typedef struct nw__window {
    size_t kernel_height, kernel_width, stride, padding;
    size_t height_out, width_out;
} nw__window;

struct nw__op {
    const nw__layer *layer;
    char *name;
    size_t inputs[NW__INPUTS];
    size_t n_inputs;
    size_t output;
    size_t parameters[NW__SLOTS];
    size_t n_parameters;
    size_t group;                     /* of per-layer clipping */
    nw__value from, to;               /* shapes of inputs[0] and of the output */
    size_t saved;                     /* floats an example */
    size_t scratch;                   /* floats a thread */
    nw_dpsgd_conv conv;               /* conv2d */
    nw__window window;                /* pools */
    float scale, temperature, offset; /* tempered sigmoid */
    float epsilon;                    /* norms */
    size_t heads;
    bool is_causal;
    nw__combine combine;
};

typedef struct nw__use_site {
    size_t op, slot;
} nw__use_site;

typedef struct nw__parameter {
    char *name;
    size_t rows, cols;
    float *values;
    double variance; /* of the initial values; 0: they are all `fill` */
    float fill;
    size_t group;
    nw__use_site *uses;
    size_t n_uses;
    size_t handle; /* in the nw_dpsgd */
} nw__parameter;

/* ---- memory ---- */

typedef enum nw__mode {
    NW__FORWARD = 0,
    NW__PLAIN = 1,      /* weight gradients in the backward pass */
    NW__BOOKKEPT = 2,   /* output gradients are kept until the factors are known [BWZK22] */
    NW__TWO_PASS = 3,   /* the backward pass twice: norms, then sums [LTLH21] */
    NW__DIFFERENCE = 4, /* as NW__BOOKKEPT, of two iterates side by side */
    NW__MODES = 5
} nw__mode;

typedef struct nw__buffer {
    size_t positions, width; /* of an example */
    size_t first, last;      /* moments of its life */
    bool is_gradient;        /* written in the backward pass */
    bool is_use_input;       /* the input of a parameter's use, and depends on parameters */
    bool is_use_gradient;    /* its output gradient */
    size_t offset;           /* in floats, for the plan's examples */
} nw__buffer;

#define NW__NONE ((size_t)-1)

typedef struct nw__op_buffers {
    size_t in[NW__INPUTS];
    size_t out, saved, grad;
    size_t before[NW__INPUTS];
    size_t grad_in[NW__INPUTS];
} nw__op_buffers;

typedef struct nw__plan {
    bool is_made;
    nw__buffer *buffers;
    size_t n_buffers;
    nw__op_buffers *ops;
    size_t input, logits, loss; /* buffers of the first and last values and of the loss's gradient */
    size_t examples;            /* that offsets are for; 0: none yet */
    size_t limit;               /* records that the memory allows at once; 0: not known yet */
    size_t limit_copies;        /* and how many copies of each that was for */
    size_t floats;              /* of the arena, scratch included */
    size_t second;              /* offset of the other iterate's buffers; 0 if there is one iterate */
    size_t scratch;             /* its offset */
} nw__plan;

struct nw_network {
    char *model;
    char *info;
    nw_network_shape shape;
    double delta; /* of huber */
    nw__value *values;
    size_t n_values;
    nw__op *ops;
    size_t n_ops;
    nw__parameter *parameters;
    size_t n_parameters;
    size_t groups;
    size_t memory_bytes;
    int threads;
    size_t copies; /* of a record, in private steps */
    bool has_differences;
    nw_dpsgd_use *uses; /* room for those of one parameter */

    float *gradient_block; /* of plain steps */
    float **gradients;
    float **pointers; /* to the parameters' values */
    nw__plan plans[NW__MODES];
    float *arena;
    size_t arena_floats;
    int32_t *tokens; /* of a micro-batch */
    size_t token_capacity;
    double *losses;
    size_t loss_capacity;
    size_t peak_bytes;

    nw_dpsgd *registered;
};

/* network.c */
/** Bytes held now. */
size_t nw__network_bytes(const nw_network *net);

/* network_parse.c */
nw_status nw__network_parse(nw_network *net, const char *model, nw_error *err, const char *function);
/** NW_E_UNSUPPORTED, naming it, if a parameter has a use without per-example norms, or no use. */
nw_status nw__network_check_norms(const nw_network *net, nw_error *err, const char *function);

/* network_plan.c */
nw_status nw__network_plan_make(nw_network *net, nw__mode mode, nw_error *err, const char *function);
/** Bytes of the arena for so many examples. */
size_t nw__network_plan_bytes(nw_network *net, nw__mode mode, size_t examples);
/** Sets offsets for so many examples, and makes the arena large enough. */
nw_status nw__network_plan_place(nw_network *net, nw__mode mode, size_t examples, nw_error *err, const char *function);
void nw__plans_clear(nw_network *net);
void nw__arena_free(nw_network *net);

/* network_run.c */
typedef struct nw__pass {
    nw_network *net;
    nw__mode mode;
    const nw_network_data *data;
    const uint32_t *indices; /* of this micro-batch; NULL: from `first` on */
    size_t first;
    size_t records;
    size_t examples; /* records * copies */
    size_t base;     /* of its buffers in the arena */
    const float *const *weights;
} nw__pass;
/** Gathers the inputs. */
void nw__pass_gather(const nw__pass *pass);
/** Gives another pass over the same records the inputs that one has gathered, before it goes forward. */
void nw__pass_gather_again(const nw__pass *from, const nw__pass *to);
/** Runs the network up to its outputs. */
void nw__pass_forward(const nw__pass *pass);
const float *nw__pass_outputs(const nw__pass *pass);
/** The losses into net->losses, one a record; and their gradients, if asked for. */
void nw__pass_loss(const nw__pass *pass, bool with_gradient);
/** Of one operation, from the last to the first: what its parameters' uses need, and the gradients of its inputs. */
void nw__pass_prepare(const nw__pass *pass, size_t op);
void nw__pass_backward(const nw__pass *pass, size_t op);
/** One use of a parameter, between these two. */
nw_dpsgd_use nw__pass_use(const nw__pass *pass, nw__use_site site);
/** Its positions: public. */
size_t nw__use_positions(const nw_network *net, nw__use_site site);

/* network_difference.c */
/** Positions of a use in a difference of two iterates. */
size_t nw__difference_positions(const nw_network *net, nw__use_site site);
/** Marks the buffers whose differences the uses take. */
void nw__difference_mark(const nw_network *net, nw__plan *plan);
/** One micro-batch of nw_network_step_difference. `now`: of NW__DIFFERENCE, with room. */
nw_status nw__difference_batch(const nw__pass *now, const float *const *previous, nw_dpsgd *dpsgd, nw_error *err);

/* loss.c: one record's loss, and its gradient (or NULL) scaled by `share`; `copies` rows of outputs each. */
double nw__loss(
    const nw_network *net, const float *outputs, const int32_t *classes, const float *targets, float share, float *grad);

/* network_plain.c */
typedef struct nw__plain {
    const nw__parameter *parameter;
    size_t records;
    int threads;
    float *scratch;
} nw__plain;
/** Adds the gradient of a parameter's use, without clipping. */
void nw__plain_accumulate(const nw__plain *plain, const nw_dpsgd_use *use, float *sum);

/* layer_*.c */
extern const nw__layer nw__layer_linear, nw__layer_embedding, nw__layer_bag, nw__layer_position, nw__layer_layernorm,
    nw__layer_rmsnorm, nw__layer_conv2d, nw__layer_max_pool, nw__layer_avg_pool, nw__layer_relu, nw__layer_gelu,
    nw__layer_softplus, nw__layer_tanh, nw__layer_tempered, nw__layer_attention, nw__layer_add, nw__layer_mean;

#endif
