/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_NETWORK_H
#define NW_NETWORK_H

/* nw/network.h - layered networks whose every parameter has per-example norms: forward, backward, and the calls of nw/dpsgd.h.
 *
 * A model is a JSON text (docs/rooms/dpsgd.md#network has all layers):
 *
 *   {"input": {"image": [1, 28, 28]},
 *    "layers": [{"type": "conv2d", "channels": 16, "kernel": 8, "stride": 2, "padding": 2}, {"type": "tanh"},
 *               {"type": "max_pool", "kernel": 2, "stride": 1}, {"type": "flatten"}, {"type": "linear", "outputs": 10}],
 *    "loss": "softmax"}
 *
 * or an input of {"floats": 784}, {"sequence": [positions, width]}, {"tokens": 64, "vocabulary": 16384}; or a loss logistic,
 * squared, huber.
 *
 * One private step:
 *
 *   nw_dpsgd_begin_step(dpsgd, rng, &err);
 *   nw_network_step_batch(net, dpsgd, &data, indices, n, NULL, &err);       any number of times
 *   nw_dpsgd_finish_step(dpsgd, NULL, &err);                                the gradients stay where they are
 *   nw_optimizer_step(optimizer, nw_network_values(net), nw_network_gradients(net), deviation, &err);    nw/optimizer.h
 *
 * No status depends on a record: a class outside of the model's, or a NaN, makes its example contribute nothing, and a token
 * outside of the vocabulary is left out. Results do not depend on the number of threads, nor on the memory that is allowed.
 */
#include <nw/dpsgd.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nw_network nw_network; /* confined */

typedef struct nw_network_opts {
    size_t struct_size;
    size_t memory_mib;    /* for the activations and gradients of activations of a step: how many examples go through at once.
                          Default 256; at least one group of examples always goes */
    int threads;          /* 0, the default: as OpenMP decides */
    size_t copies;        /* augmentation multiplicity of private steps: inputs that stand for one record, whose gradients are
                          averaged before they are clipped [DBHSB22]; default 1, at most 1024 */
    bool has_differences; /* there will be steps of nw_network_step_difference: nw_network_register and nw_network_micro_batch
                             leave room for them. Default false */
} nw_network_opts;
/* clang-format off */
#define NW_NETWORK_OPTS_INIT { sizeof(nw_network_opts), 256, 0, 1, false }
/* clang-format on */
NW_API void nw_network_opts_init(nw_network_opts *opts, size_t struct_size);

/** Builds a network; its parameters are zero until nw_network_initialise or nw_network_load.
 *
 *  Shapes    *out: new handle, or NULL on error. model: JSON, NUL-terminated; copied. opts: NULL for the defaults.
 *  Units     none.
 *  Errors    NW_E_ARG naming the layer, its member, value and the admissible set; NW_E_UNSUPPORTED: a layer that mixes examples,
 *            or a parameter without per-example norms, named; NW_E_NOMEM.
 *  Cost      memory for the parameters. Threads: any.
 *  Source    docs/rooms/dpsgd.md#network.
 *  Example   examples/network.c */
NW_API NW_WARN_UNUSED nw_status nw_network_new(nw_network **out, const char *model, const nw_network_opts *opts, nw_error *err);
NW_API void nw_network_free(nw_network *net);

/** Draws the initial weights, which are public: uniform of the variance that each layer's "init" says; biases 0, scales 1.
 *  Errors NW_E_NOMEM; NW_E_ENTROPY. */
NW_API NW_WARN_UNUSED nw_status nw_network_initialise(nw_network *net, nw_rng *rng, nw_error *err);

typedef enum nw_network_input { NW_NETWORK_FLOATS = 1, NW_NETWORK_IMAGE = 2, NW_NETWORK_TOKENS = 3 } nw_network_input;
typedef enum nw_network_loss {
    NW_NETWORK_SOFTMAX = 1,  /* cross-entropy over the outputs of a position; a class each position */
    NW_NETWORK_LOGISTIC = 2, /* each output by itself: classes 0 and 1 */
    NW_NETWORK_SQUARED = 3,  /* (output - target)^2 / 2 */
    NW_NETWORK_HUBER = 4     /* the same up to a distance "delta", linear beyond */
} nw_network_loss;

typedef struct nw_network_shape {
    nw_network_input input;
    size_t inputs;                  /* floats, a sequence's all together, or tokens, of an example */
    size_t channels, height, width; /* image: inputs = channels height width; else 0 */
    size_t vocabulary;              /* tokens: 0 .. vocabulary - 1; else 0 */
    nw_network_loss loss;
    size_t positions;  /* of the outputs: 1 unless the network ends with a sequence */
    size_t outputs;    /* of a position */
    size_t classes;    /* int32 labels of an example: softmax positions, logistic positions outputs; else 0 */
    size_t targets;    /* float targets of an example: squared and huber positions outputs; else 0 */
    size_t parameters; /* numbers in all of them */
} nw_network_shape;
NW_API void nw_network_get_shape(const nw_network *net, nw_network_shape *shape);
/** The model's JSON, in one form whatever it was written like. Borrowed. */
NW_API const char *nw_network_model(const nw_network *net);

/** Records, borrowed for the call, row-major. */
typedef struct nw_network_data {
    const float *values;    /* records x copies x inputs: floats, image */
    const int32_t *tokens;  /* records x copies x inputs: tokens; one outside of the vocabulary is padding */
    const int32_t *classes; /* records x classes */
    const float *targets;   /* records x targets */
    size_t copies;          /* inputs of one record; in private steps as in nw_network_opts */
} nw_network_data;

/* ---- parameters ---- */

typedef struct nw_network_parameter {
    const char *name; /* such as "0.conv2d.weight", or with the layer's own name */
    size_t rows, cols;
    float *values; /* rows x cols; may be written between steps */
} nw_network_parameter;
/** How many matrices there are. A tied one counts once. */
NW_API size_t nw_network_parameters(const nw_network *net);
/** i: below nw_network_parameters. */
NW_API nw_network_parameter nw_network_get_parameter(const nw_network *net, size_t i);
/** float *[parameters]: the values of all of them, and the gradients of the last step: those of the dpsgd that the network is
 *  registered with, from its finish_step to its next begin_step; else those of nw_network_plain_step, or NULL. */
NW_API float *const *nw_network_values(nw_network *net);
NW_API float *const *nw_network_gradients(nw_network *net);

/* ---- steps ---- */

/** Adds all parameters to `dpsgd`, in order; a layer with parameters is a group of per-layer clipping. Once a dpsgd, before its
 *  first step. Errors: those of nw_dpsgd_add_parameter. */
NW_API NW_WARN_UNUSED nw_status nw_network_register(nw_network *net, nw_dpsgd *dpsgd, nw_error *err);

/** Adds the clipped gradients of records to the sums of `dpsgd`: forward, backward, norms, clip and accumulate, for as many
 *  examples at once as the memory allows.
 *
 *  Shapes    indices: uint32[n] of records of data, or NULL for the first n. loss: sum of the records' losses, private; or NULL.
 *  Units     none.
 *  Errors    NW_E_ARG on NULL or a missing array of data; NW_E_STATE: not registered, or no step has begun; NW_E_NOMEM.
 *  Cost      that of nw_network_plain_step and about a tenth. Threads: confined; OpenMP inside.
 *  Source    docs/rooms/dpsgd.md#network; [BWZK22].
 *  Example   examples/network.c */
NW_API NW_WARN_UNUSED nw_status nw_network_step_batch(nw_network *net, nw_dpsgd *dpsgd, const nw_network_data *data,
    const uint32_t *indices, size_t n, double *loss, nw_error *err);

/** The same of differences: each record's gradient where the network is less its gradient at `previous`, one vector that is
 *  clipped as a whole [MS23]. Norms and sums are of positions (a, g - h) and (a - b, h), a the input of a layer and g its output
 *  gradient, b and h those at `previous`: they add up to g a - h b, and where the network has moved little they are as small as
 *  the difference is, so that no float sum and no clip suffers from what cancels.
 *
 *  Shapes    previous: float[rows cols] of each parameter, as nw_network_values has them; released. indices as above.
 *  Units     none.
 *  Errors    as above; NW_E_STATE: has_differences is false.
 *  Cost      twice that of nw_network_step_batch. Threads: confined; OpenMP inside.
 *  Source    docs/rooms/dpsgd.md#differences; [MS23].
 *  Example   examples/diff2_network.c */
NW_API NW_WARN_UNUSED nw_status nw_network_step_difference(nw_network *net, const float *const *previous, nw_dpsgd *dpsgd,
    const nw_network_data *data, const uint32_t *indices, size_t n, nw_error *err);

/** The step without privacy, for comparison: gradients = sum of the records' gradients / divisor, into nw_network_gradients. The
 *  same layers and memory. Errors: NW_E_ARG; NW_E_NOMEM. */
NW_API NW_WARN_UNUSED nw_status nw_network_plain_step(
    nw_network *net, const nw_network_data *data, const uint32_t *indices, size_t n, double divisor, double *loss, nw_error *err);

/** Outputs and losses, for evaluation.
 *
 *  Shapes    outputs: float[n copies][positions outputs], or NULL. losses: double[n], the average over a record's copies, or
 *            NULL; then data needs no classes or targets.
 *  Units     outputs are logits: of softmax and logistic before the exponential.
 *  Errors    NW_E_ARG; NW_E_NOMEM.
 *  Cost      about a third of a step. Threads: confined; OpenMP inside.
 *  Source    none.
 *  Example   examples/network.c */
NW_API NW_WARN_UNUSED nw_status nw_network_forward(nw_network *net, const nw_network_data *data, const uint32_t *indices,
    size_t n, float *outputs, double *losses, nw_error *err);

/** How many records the memory allows to go through a private step at once, a power of two: for micro_batch in nw_dpsgd_opts.
 *  Where that is 0, all records of a nw_network_step_batch go at once, whatever memory they take. Errors: NW_E_ARG;
 *  NW_E_NOMEM. */
NW_API NW_WARN_UNUSED nw_status nw_network_micro_batch(nw_network *net, size_t *records, nw_error *err);
/** Most bytes that the network has held at once: parameters, gradients, activations. */
NW_API size_t nw_network_peak_bytes(const nw_network *net);

/* ---- model files ---- */

/** Anything to be kept with the model, as JSON: what its inputs are, what was spent on it. NULL: nothing; copied.
 *  Errors NW_E_ARG: no JSON; NW_E_NOMEM. */
NW_API NW_WARN_UNUSED nw_status nw_network_set_info(nw_network *net, const char *info, nw_error *err);
/** Borrowed; NULL if there is none. */
NW_API const char *nw_network_info(const nw_network *net);

/** Writes a model file, whole or not at all: the safetensors layout (8 bytes of size, a JSON header, float32 values), whose
 *  __metadata__ holds version, model, info and a BLAKE2b-256 of everything. Errors: NW_E_ARG: the path ends in .gz, which
 *  would be compressed; NW_E_IO. */
NW_API NW_WARN_UNUSED nw_status nw_network_save(const nw_network *net, const char *path, nw_error *err);
/** Reads one. The checksum finds accidents; who can write the file can write the checksum.
 *  Errors NW_E_IO; NW_E_FORMAT: no model file, cut off, altered, or of a later version; NW_E_NOMEM. */
NW_API NW_WARN_UNUSED nw_status nw_network_load(nw_network **out, const char *path, const nw_network_opts *opts, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
