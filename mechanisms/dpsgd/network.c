/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* network.c - networks made, filled with first weights, asked about, and freed. */
#include "layers_internal.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

enum { DRAWN = 4096, MOST_COPIES = 1024 };

void nw_network_opts_init(nw_network_opts *opts, size_t struct_size)
{
    const nw_network_opts defaults = NW_NETWORK_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

static nw_status take_opts(nw_network *net, const nw_network_opts *given, const char *function, nw_error *err)
{
    nw_network_opts opts = NW_NETWORK_OPTS_INIT;
    if (given != NULL)
        memcpy(&opts, given, given->struct_size < sizeof opts ? given->struct_size : sizeof opts);
    if (opts.memory_mib < 1 || opts.memory_mib > (size_t)1 << 24)
        return nw__fail(err, NW_E_ARG, function, "memory_mib is %zu, must be in [1, 2^24]", opts.memory_mib);
    if (opts.threads < 0 || opts.threads > 4096)
        return nw__fail(err, NW_E_ARG, function, "threads is %d, must be in [0, 4096]", opts.threads);
    if (opts.copies < 1 || opts.copies > MOST_COPIES)
        return nw__fail(err, NW_E_ARG, function, "copies is %zu, must be in [1, %d]", opts.copies, MOST_COPIES);
    net->memory_bytes = opts.memory_mib << 20;
    net->threads = nw__threads(opts.threads);
    net->copies = opts.copies;
    net->has_differences = opts.has_differences;
    return NW_OK;
}

static nw_status make_lists(nw_network *net, const char *function, nw_error *err)
{
    size_t most = 0;
    for (size_t i = 0; i < net->n_parameters; i++)
        most = net->parameters[i].n_uses > most ? net->parameters[i].n_uses : most;
    net->uses = nw__calloc(2 * most, sizeof *net->uses); /* a difference has two of each */
    net->pointers = nw__calloc(net->n_parameters, sizeof *net->pointers);
    net->gradients = nw__calloc(net->n_parameters, sizeof *net->gradients);
    if (net->uses == NULL || net->pointers == NULL || net->gradients == NULL)
        return nw__fail_memory(err, function);
    for (size_t i = 0; i < net->n_parameters; i++)
        net->pointers[i] = net->parameters[i].values;
    net->peak_bytes = nw__network_bytes(net);
    return NW_OK;
}

nw_status nw_network_new(nw_network **out, const char *model, const nw_network_opts *opts, nw_error *err)
{
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    if (model == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "model is NULL");
    nw_network *net = nw__calloc(1, sizeof *net);
    if (net == NULL)
        return nw__fail_memory(err, __func__);
    nw_status status = take_opts(net, opts, __func__, err);
    if (status == NW_OK)
        status = nw__network_parse(net, model, err, __func__);
    if (status == NW_OK)
        status = make_lists(net, __func__, err);
    if (status != NW_OK) {
        nw_network_free(net);
        return status;
    }
    *out = net;
    return NW_OK;
}

void nw_network_free(nw_network *net)
{
    if (net == NULL)
        return;
    for (size_t i = 0; i < net->n_ops; i++)
        free(net->ops[i].name);
    for (size_t i = 0; i < net->n_parameters; i++) {
        free(net->parameters[i].name);
        free(net->parameters[i].values);
        free(net->parameters[i].uses);
    }
    nw__plans_clear(net);
    nw__arena_free(net);
    nw__free_wiped(net->tokens, net->token_capacity * sizeof *net->tokens);
    nw__free_wiped(net->losses, net->loss_capacity * sizeof *net->losses);
    nw__free_wiped(net->gradient_block, net->gradient_block == NULL ? 0 : net->shape.parameters * sizeof(float));
    free(net->gradients);
    free(net->pointers);
    free(net->uses);
    free(net->values);
    free(net->ops);
    free(net->parameters);
    free(net->model);
    free(net->info);
    free(net);
}

/* ---- first weights ---- */

/* Uniform in (-reach, reach), on a grid of 2^24 points. */
static nw_status draw_uniform(nw_rng *rng, float reach, float *out, size_t n, nw_error *err)
{
    uint32_t words[DRAWN];
    for (size_t first = 0; first < n; first += DRAWN) {
        const size_t now = n - first < DRAWN ? n - first : DRAWN;
        NW__TRY(nw_rng_bytes(rng, words, now * sizeof *words, err));
        for (size_t i = 0; i < now; i++)
            out[first + i] = reach * (((float)(words[i] >> 8) + 0.5F) * 0x1p-23F - 1.0F);
    }
    return NW_OK;
}

nw_status nw_network_initialise(nw_network *net, nw_rng *rng, nw_error *err)
{
    if (net == NULL || rng == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", net == NULL ? "net" : "rng");
    for (size_t i = 0; i < net->n_parameters; i++) {
        nw__parameter *p = &net->parameters[i];
        const size_t n = p->rows * p->cols;
        for (size_t j = 0; j < n; j++)
            p->values[j] = p->fill;
        if (p->variance > 0.0)
            NW__TRY(draw_uniform(rng, (float)sqrt(3.0 * p->variance), p->values, n, err));
    }
    return NW_OK;
}

/* ---- what it is ---- */

void nw_network_get_shape(const nw_network *net, nw_network_shape *shape)
{
    *shape = net->shape;
}

const char *nw_network_model(const nw_network *net)
{
    return net->model;
}

size_t nw_network_parameters(const nw_network *net)
{
    return net->n_parameters;
}

nw_network_parameter nw_network_get_parameter(const nw_network *net, size_t i)
{
    const nw__parameter *p = &net->parameters[i];
    return (nw_network_parameter){ .name = p->name, .rows = p->rows, .cols = p->cols, .values = p->values };
}

float *const *nw_network_values(nw_network *net)
{
    return net->pointers;
}

size_t nw__network_bytes(const nw_network *net)
{
    const size_t floats = net->shape.parameters * (net->gradient_block == NULL ? 1 : 2) + net->arena_floats;
    return floats * sizeof(float) + net->token_capacity * sizeof *net->tokens + net->loss_capacity * sizeof *net->losses;
}

size_t nw_network_peak_bytes(const nw_network *net)
{
    return net->peak_bytes;
}

nw_status nw_network_set_info(nw_network *net, const char *info, nw_error *err)
{
    json_error_t where;
    char *copy = NULL;
    if (net == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "net is NULL");
    if (info != NULL) {
        json_t *root = json_loads(info, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
        if (root == NULL)
            return nw__fail(err, NW_E_ARG, __func__, "info is no JSON: line %d: %s", where.line, where.text);
        json_decref(root);
        copy = nw__strdup(info);
        if (copy == NULL)
            return nw__fail_memory(err, __func__);
    }
    free(net->info);
    net->info = copy;
    return NW_OK;
}

const char *nw_network_info(const nw_network *net)
{
    return net->info;
}
