/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_DPSGD_SUPPORT_H
#define NW_DPSGD_SUPPORT_H

/* dpsgd_support.h - parameters with random inputs and output gradients, and the oracle of the tests: each example's gradient
 * written out from the definition of its layer, in long double. */
#include <nw/dpsgd.h>
#include <nw/testing.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { MOST_USES = 3 };

/* One parameter, and what is handed for it. */
typedef struct layer {
    size_t rows;
    size_t cols;
    size_t examples;
    size_t n;
    nw_dpsgd_use uses[MOST_USES];
    float *inputs[MOST_USES];
    int32_t *tokens[MOST_USES];
    float *grads[MOST_USES];
    nw_dpsgd_conv conv;
} layer;

static inline float random_float(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return ldexpf((float)(int32_t)(*state ^ (*state >> 15)), -31);
}

static inline float *random_floats(size_t n, uint32_t *state)
{
    float *x = test_calloc(n + 1, sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = random_float(state);
    return x;
}

static inline size_t conv_out(size_t size, size_t kernel, const nw_dpsgd_conv *c)
{
    return (size + 2 * c->padding - c->dilation * (kernel - 1) - 1) / c->stride + 1;
}

static inline size_t grad_floats(const layer *l, const nw_dpsgd_use *u)
{
    switch (u->kind) {
    case NW_DPSGD_LINEAR:
    case NW_DPSGD_BIAS: return u->positions * l->rows;
    case NW_DPSGD_EMBEDDING:
    case NW_DPSGD_SCALE: return u->positions * l->cols;
    case NW_DPSGD_CONV2D:
        return l->conv.channels_out * conv_out(l->conv.height, l->conv.kernel_height, &l->conv) *
               conv_out(l->conv.width, l->conv.kernel_width, &l->conv);
    case NW_DPSGD_ROWS: break;
    }
    return l->rows * l->cols;
}

static inline void add_use(layer *l, nw_dpsgd_kind kind, size_t positions, uint32_t *state)
{
    nw_dpsgd_use *u = &l->uses[l->n];
    *u = (nw_dpsgd_use){ .kind = kind, .positions = positions };
    if (kind == NW_DPSGD_LINEAR || kind == NW_DPSGD_SCALE)
        u->input = l->inputs[l->n] = random_floats(l->examples * positions * l->cols, state);
    if (kind == NW_DPSGD_CONV2D)
        u->input = l->inputs[l->n] = random_floats(l->examples * l->conv.channels_in * l->conv.height * l->conv.width, state);
    if (kind == NW_DPSGD_CONV2D)
        u->conv = &l->conv;
    if (kind == NW_DPSGD_EMBEDDING) {
        l->tokens[l->n] = test_calloc(l->examples * positions + 1, sizeof(int32_t));
        for (size_t i = 0; i < l->examples * positions; i++)
            l->tokens[l->n][i] = (int32_t)((double)fabsf(random_float(state)) * 1.2 * (double)l->rows) - 1; /* some are padding */
        u->tokens = l->tokens[l->n];
    }
    u->grad = l->grads[l->n] = random_floats(l->examples * grad_floats(l, u), state);
    l->n++;
}

static inline layer new_layer(nw_dpsgd_kind kind, size_t rows, size_t cols, size_t positions, size_t examples, uint32_t seed)
{
    layer l = { .rows = rows, .cols = cols, .examples = examples };
    add_use(&l, kind, positions, &seed);
    return l;
}

/* In place, as a use points at the convolution. */
static inline void make_conv_layer(layer *l, nw_dpsgd_conv conv, size_t examples, uint32_t seed)
{
    *l = (layer){ .rows = conv.channels_out,
        .cols = conv.channels_in / conv.groups * conv.kernel_height * conv.kernel_width,
        .examples = examples,
        .conv = conv };
    add_use(l, NW_DPSGD_CONV2D, 1, &seed);
}

static inline void free_layer(layer *l)
{
    for (size_t i = 0; i < l->n; i++) {
        if (l->inputs[i] != NULL)
            test_free(l->inputs[i]);
        if (l->tokens[i] != NULL)
            test_free(l->tokens[i]);
        test_free(l->grads[i]);
    }
}

static inline size_t layer_positions(const layer *l)
{
    size_t positions = 0;
    for (size_t i = 0; i < l->n; i++)
        positions += l->uses[i].positions;
    return positions;
}

/* dL/dw of y[o][i][j] = sum w[o][c][y][x] input[c][i stride + y dilation - padding][..]: straight from the definition. */
static inline void add_conv_gradient(const layer *l, const nw_dpsgd_use *u, size_t example, long double *out)
{
    const nw_dpsgd_conv *c = &l->conv;
    const size_t height = conv_out(c->height, c->kernel_height, c);
    const size_t width = conv_out(c->width, c->kernel_width, c);
    const size_t in = c->channels_in / c->groups;
    for (size_t o = 0; o < c->channels_out; o++)
        for (size_t cell = 0; cell < in * c->kernel_height * c->kernel_width; cell++) {
            const size_t channel = o / (c->channels_out / c->groups) * in + cell / (c->kernel_height * c->kernel_width);
            const long y = (long)(cell / c->kernel_width % c->kernel_height);
            const long x = (long)(cell % c->kernel_width);
            for (size_t i = 0; i < height; i++)
                for (size_t j = 0; j < width; j++) {
                    const long row = (long)(i * c->stride) + y * (long)c->dilation - (long)c->padding;
                    const long column = (long)(j * c->stride) + x * (long)c->dilation - (long)c->padding;
                    if (row < 0 || column < 0 || row >= (long)c->height || column >= (long)c->width)
                        continue;
                    const float a =
                        u->input[((example * c->channels_in + channel) * c->height + (size_t)row) * c->width + (size_t)column];
                    const float g = u->grad[((example * c->channels_out + o) * height + i) * width + j];
                    out[o * l->cols + cell] += (long double)a * g;
                }
        }
}

static inline void add_position_gradient(const layer *l, const nw_dpsgd_use *u, size_t at, long double *out)
{
    for (size_t r = 0; r < l->rows; r++)
        for (size_t c = 0; c < l->cols; c++) {
            long double *w = &out[r * l->cols + c];
            switch (u->kind) {
            case NW_DPSGD_LINEAR: *w += (long double)u->grad[at * l->rows + r] * u->input[at * l->cols + c]; break;
            case NW_DPSGD_BIAS: *w += u->grad[at * l->rows + r]; break;
            case NW_DPSGD_EMBEDDING: *w += u->tokens[at] == (int32_t)r ? u->grad[at * l->cols + c] : 0.0f; break;
            case NW_DPSGD_SCALE: *w += (long double)u->input[at * l->cols + c] * u->grad[at * l->cols + c]; break;
            default: *w += u->grad[at * l->rows * l->cols + r * l->cols + c]; break;
            }
        }
}

/* long double[rows cols] of one example. */
static inline void gradient_of(const layer *l, size_t example, long double *out)
{
    memset(out, 0, l->rows * l->cols * sizeof *out);
    for (size_t i = 0; i < l->n; i++) {
        const nw_dpsgd_use *u = &l->uses[i];
        if (u->kind == NW_DPSGD_CONV2D)
            add_conv_gradient(l, u, example, out);
        else
            for (size_t t = 0; t < u->positions; t++)
                add_position_gradient(l, u, example * u->positions + t, out);
    }
}

static inline long double squared_norm_of(const layer *l, size_t example)
{
    long double *g = test_calloc(l->rows * l->cols, sizeof *g);
    long double square = 0.0L;
    gradient_of(l, example, g);
    for (size_t i = 0; i < l->rows * l->cols; i++)
        square += g[i] * g[i];
    test_free(g);
    return square;
}

static inline nw_dpsgd_opts silent_opts(double clip_norm, double expected_batch)
{
    nw_dpsgd_opts opts = NW_DPSGD_OPTS_INIT;
    opts.clip_norm = clip_norm;
    opts.noise_multiplier = 0.0;
    opts.expected_batch = expected_batch;
    opts.adjacency = NW_ADD_REMOVE;
    return opts;
}

/* A handle with one parameter for each layer. */
static inline nw_dpsgd *new_dpsgd(const nw_dpsgd_opts *opts, const layer *layers, size_t count, nw_dpsgd_plan_kind plan)
{
    nw_dpsgd *d = NULL;
    assert_int_equal(nw_dpsgd_new(&d, opts, NULL), NW_OK);
    for (size_t i = 0; i < count; i++) {
        size_t parameter = 0;
        assert_int_equal(
            nw_dpsgd_add_parameter(d, "layer", layers[i].rows, layers[i].cols, layer_positions(&layers[i]), i, &parameter, NULL),
            NW_OK);
        assert_int_equal(parameter, i);
        assert_int_equal(nw_dpsgd_set_plan(d, i, plan, NULL), NW_OK);
    }
    return d;
}

/* The part of a use that is of examples from `first` on. */
static inline nw_dpsgd_use use_from(const layer *l, size_t use, size_t first)
{
    nw_dpsgd_use u = l->uses[use];
    u.grad += first * grad_floats(l, &l->uses[use]);
    if (u.tokens != NULL)
        u.tokens += first * u.positions;
    if (u.input != NULL)
        u.input +=
            first * (u.kind == NW_DPSGD_CONV2D ? l->conv.channels_in * l->conv.height * l->conv.width : u.positions * l->cols);
    return u;
}

/* A micro-batch of examples first .. first + n, up to and with its clip. */
static inline void run_norms(nw_dpsgd *d, const layer *layers, size_t count, size_t first, size_t n)
{
    assert_int_equal(nw_dpsgd_begin_batch(d, n, NULL), NW_OK);
    for (size_t i = 0; i < count; i++) {
        nw_dpsgd_use uses[MOST_USES];
        for (size_t u = 0; u < layers[i].n; u++)
            uses[u] = use_from(&layers[i], u, first);
        assert_int_equal(nw_dpsgd_norms(d, i, uses, layers[i].n, NULL), NW_OK);
    }
    assert_int_equal(nw_dpsgd_clip(d, NULL), NW_OK);
}

static inline void run_sums(nw_dpsgd *d, const layer *layers, size_t count, size_t first)
{
    for (size_t i = 0; i < count; i++) {
        nw_dpsgd_use uses[MOST_USES];
        for (size_t u = 0; u < layers[i].n; u++)
            uses[u] = use_from(&layers[i], u, first);
        assert_int_equal(nw_dpsgd_accumulate(d, i, uses, layers[i].n, NULL), NW_OK);
    }
}

static inline nw_rng *seeded_rng(uint64_t seed)
{
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    return rng;
}

#endif
