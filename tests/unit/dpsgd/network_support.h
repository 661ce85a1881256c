/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_NETWORK_SUPPORT_H
#define NW_TEST_NETWORK_SUPPORT_H

/* network_support.h - small models that together have every layer and loss, and random records for them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nw/network.h>
#include <nw/testing.h>

typedef struct model_case {
    const char *name;
    const char *json;
} model_case;

static const model_case MODELS[] = {
    { "mlp", "{\"input\": {\"floats\": 5}, \"loss\": \"softmax\", \"layers\": [{\"type\": \"linear\", \"outputs\": 7}, "
             "{\"type\": \"relu\"}, {\"type\": \"linear\", \"outputs\": 6, \"bias\": false}, {\"type\": \"tanh\"}, "
             "{\"type\": \"linear\", \"outputs\": 3}]}" },
    { "wide", "{\"input\": {\"floats\": 300}, \"loss\": \"softmax\", \"layers\": [{\"type\": \"linear\", \"outputs\": 260}, "
              "{\"type\": \"gelu\"}, {\"type\": \"linear\", \"outputs\": 10}]}" },
    { "huber", "{\"input\": {\"floats\": 4}, \"loss\": \"huber\", \"delta\": 0.3, \"layers\": [{\"type\": \"linear\", "
               "\"outputs\": 5}, {\"type\": \"tempered_sigmoid\", \"scale\": 1.5, \"temperature\": 3, \"offset\": 0.5}, "
               "{\"type\": \"linear\", \"outputs\": 2}]}" },
    { "squared", "{\"input\": {\"floats\": 6}, \"loss\": \"squared\", \"layers\": [{\"type\": \"layernorm\"}, "
                 "{\"type\": \"residual\", \"layers\": [{\"type\": \"rmsnorm\"}, {\"type\": \"linear\", \"outputs\": 6}, "
                 "{\"type\": \"gelu\"}]}, {\"type\": \"linear\", \"outputs\": 1}]}" },
    { "conv",
        "{\"input\": {\"image\": [2, 7, 6]}, \"loss\": \"softmax\", \"layers\": [{\"type\": \"conv2d\", \"channels\": 4, "
        "\"kernel\": [3, 2], \"stride\": 2, \"padding\": 1}, {\"type\": \"tanh\"}, {\"type\": \"max_pool\", \"kernel\": 2, "
        "\"stride\": 1}, {\"type\": \"conv2d\", \"channels\": 6, \"kernel\": 2, \"groups\": 2, \"dilation\": 2, \"padding\": 1},"
        " {\"type\": \"relu\"}, {\"type\": \"avg_pool\", \"kernel\": 2, \"padding\": 1}, {\"type\": \"flatten\"}, "
        "{\"type\": \"linear\", \"outputs\": 4}]}" },
    { "conv_mean", "{\"input\": {\"image\": [1, 5, 5]}, \"loss\": \"logistic\", \"layers\": [{\"type\": \"conv2d\", "
                   "\"channels\": 3, \"kernel\": 3, \"bias\": false}, {\"type\": \"mean\"}, {\"type\": \"linear\", "
                   "\"outputs\": 2}]}" },
    { "transformer",
        "{\"input\": {\"tokens\": 6, \"vocabulary\": 11}, \"loss\": \"softmax\", \"layers\": [{\"type\": "
        "\"embedding\", \"width\": 8, \"init_scale\": 2}, {\"type\": \"position\"}, {\"type\": \"residual\", "
        "\"layers\": [{\"type\": \"layernorm\"}, {\"type\": \"attention\", \"heads\": 2}]}, {\"type\": \"residual\", "
        "\"layers\": [{\"type\": \"rmsnorm\"}, {\"type\": \"linear\", \"outputs\": 16}, {\"type\": \"gelu\"}, "
        "{\"type\": \"linear\", \"outputs\": 8}]}, {\"type\": \"mean\"}, {\"type\": \"linear\", \"outputs\": 3}]}" },
    { "tied", "{\"input\": {\"tokens\": 5, \"vocabulary\": 9}, \"loss\": \"softmax\", \"layers\": [{\"type\": \"embedding\", "
              "\"name\": \"words\", \"width\": 4, \"init_scale\": 2}, {\"type\": \"residual\", \"layers\": [{\"type\": "
              "\"attention\", \"heads\": 1, \"causal\": true}]}, {\"type\": \"linear\", \"tied\": \"words\"}]}" },
    { "tied_twice",
        "{\"input\": {\"floats\": 6}, \"loss\": \"squared\", \"layers\": [{\"type\": \"linear\", \"name\": \"again\", "
        "\"outputs\": 6}, {\"type\": \"tanh\"}, {\"type\": \"linear\", \"tied\": \"again\"}, {\"type\": \"tanh\"}, "
        "{\"type\": \"linear\", \"tied\": \"again\", \"bias\": false}]}" },
    { "bag", "{\"input\": {\"tokens\": 7, \"vocabulary\": 12}, \"loss\": \"softmax\", \"layers\": [{\"type\": \"embedding_bag\", "
             "\"width\": 5}, {\"type\": \"linear\", \"outputs\": 2}]}" },
    { "bag_sqrt", "{\"input\": {\"tokens\": 7, \"vocabulary\": 12}, \"loss\": \"logistic\", \"layers\": [{\"type\": "
                  "\"embedding_bag\", \"width\": 1, \"combine\": \"sqrt\"}]}" },
    { "softplus", "{\"input\": {\"floats\": 8}, \"loss\": \"squared\", \"layers\": [{\"type\": \"linear\", \"outputs\": 10}, "
                  "{\"type\": \"softplus\"}, {\"type\": \"linear\", \"outputs\": 1}]}" },
};
enum { N_MODELS = sizeof MODELS / sizeof *MODELS };

/* Random records in heap arrays. */
typedef struct records {
    nw_network_data data;
    float *values;
    int32_t *tokens;
    int32_t *classes;
    float *targets;
} records;

static inline nw_network *new_network(const char *json, const nw_network_opts *opts, uint64_t seed)
{
    nw_error err = { 0 };
    nw_network *net = NULL;
    nw_rng *rng = NULL;
    nw_network_opts one_thread = NW_NETWORK_OPTS_INIT;
    one_thread.threads = 1;
    if (nw_network_new(&net, json, opts == NULL ? &one_thread : opts, &err) != NW_OK)
        fail_msg("%s", err.message);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    assert_int_equal(nw_network_initialise(net, rng, NULL), NW_OK);
    nw_rng_free(rng);
    return net;
}

static inline double unit(nw_rng *rng)
{
    uint64_t u = 0;
    assert_int_equal(nw_rng_uniform(rng, UINT64_C(1) << 40, &u, NULL), NW_OK);
    return (double)u * 0x1p-40;
}

/* n records, each of `copies` inputs; one token in eight is padding. */
static inline records new_records(const nw_network *net, size_t n, size_t copies, uint64_t seed)
{
    nw_network_shape s;
    nw_rng *rng = NULL;
    nw_network_get_shape(net, &s);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    records r = { .values = calloc(n * copies * s.inputs + 1, sizeof(float)),
        .tokens = calloc(n * copies * s.inputs + 1, 4),
        .classes = calloc(n * s.classes + 1, 4),
        .targets = calloc(n * s.targets + 1, sizeof(float)) };
    for (size_t i = 0; i < n * copies * s.inputs; i++) {
        r.values[i] = (float)(4.0 * unit(rng) - 2.0);
        r.tokens[i] = s.vocabulary == 0 || unit(rng) < 0.125 ? -1 : (int32_t)(unit(rng) * (double)s.vocabulary);
    }
    for (size_t i = 0; i < n * s.classes; i++)
        r.classes[i] = (int32_t)(unit(rng) * (s.loss == NW_NETWORK_SOFTMAX ? (double)s.outputs : 2.0));
    for (size_t i = 0; i < n * s.targets; i++)
        r.targets[i] = (float)(2.0 * unit(rng) - 1.0);
    r.data =
        (nw_network_data){ .values = r.values, .tokens = r.tokens, .classes = r.classes, .targets = r.targets, .copies = copies };
    nw_rng_free(rng);
    return r;
}

static inline void free_records(records *r)
{
    free(r->values);
    free(r->tokens);
    free(r->classes);
    free(r->targets);
}

/* The gradients of a plain step, one after the other in a new array. */
static inline float *plain_gradients(nw_network *net, const records *r, const uint32_t *indices, size_t n, double divisor)
{
    nw_network_shape s;
    nw_network_get_shape(net, &s);
    float *out = calloc(s.parameters, sizeof *out);
    assert_int_equal(nw_network_plain_step(net, &r->data, indices, n, divisor, NULL, NULL), NW_OK);
    size_t at = 0;
    for (size_t i = 0; i < nw_network_parameters(net); i++) {
        const nw_network_parameter p = nw_network_get_parameter(net, i);
        memcpy(out + at, nw_network_gradients(net)[i], p.rows * p.cols * sizeof *out);
        at += p.rows * p.cols;
    }
    return out;
}

#endif
