/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* network_run.c - one micro-batch: inputs gathered, operations forward, losses, operations backward. */
#include "layers_internal.h"

static float *buffer_at(const nw__pass *pass, size_t buffer)
{
    return buffer == NW__NONE ? NULL : pass->net->arena + pass->base + pass->net->plans[pass->mode].buffers[buffer].offset;
}

static nw__io arrays_of(const nw__pass *pass, size_t op)
{
    const nw_network *net = pass->net;
    const nw__op_buffers *b = &net->plans[pass->mode].ops[op];
    nw__io io = { .examples = pass->examples,
        .threads = net->threads,
        .tokens = net->tokens,
        .out = buffer_at(pass, b->out),
        .saved = buffer_at(pass, b->saved),
        .grad = buffer_at(pass, b->grad),
        .scratch = net->arena + net->plans[pass->mode].scratch };
    for (size_t k = 0; k < NW__INPUTS; k++) {
        io.in[k] = buffer_at(pass, b->in[k]);
        io.before[k] = buffer_at(pass, b->before[k]);
        io.grad_in[k] = buffer_at(pass, b->grad_in[k]);
    }
    for (size_t slot = 0; slot < net->ops[op].n_parameters; slot++)
        io.weights[slot] = pass->weights[net->ops[op].parameters[slot]];
    return io;
}

/* ---- inputs ---- */

/* Records come in random order: so many are on their way to the cache. */
enum { AHEAD = 16 };

static size_t record_of(const nw__pass *pass, size_t i)
{
    return pass->indices == NULL ? pass->first + i : pass->indices[i];
}

static void gather_tokens(const nw__pass *pass)
{
    const size_t n = pass->net->shape.inputs * pass->data->copies;
    const size_t vocabulary = pass->net->shape.vocabulary;
#pragma omp parallel for schedule(static) num_threads(pass->net->threads)
    for (size_t i = 0; i < pass->records; i++) {
        const int32_t *from = pass->data->tokens + record_of(pass, i) * n;
        for (size_t j = 0; j < n; j++)
            pass->net->tokens[i * n + j] = from[j] >= 0 && (size_t)from[j] < vocabulary ? from[j] : -1;
    }
}

static void gather_values(const nw__pass *pass)
{
    const size_t n = pass->net->shape.inputs * pass->data->copies;
    float *values = buffer_at(pass, pass->net->plans[pass->mode].input);
#pragma omp parallel for schedule(static) num_threads(pass->net->threads)
    for (size_t i = 0; i < pass->records; i++) {
        __builtin_prefetch(pass->data->values + record_of(pass, i + AHEAD < pass->records ? i + AHEAD : i) * n);
        memcpy(values + i * n, pass->data->values + record_of(pass, i) * n, n * sizeof *values);
    }
}

void nw__pass_gather(const nw__pass *pass)
{
    if (pass->net->shape.input == NW_NETWORK_TOKENS)
        gather_tokens(pass);
    else
        gather_values(pass);
}

void nw__pass_gather_again(const nw__pass *from, const nw__pass *to)
{
    const nw_network_shape *shape = &from->net->shape;
    const size_t input = from->net->plans[from->mode].input;
    if (shape->input != NW_NETWORK_TOKENS) /* tokens are not written to */
        memcpy(buffer_at(to, input), buffer_at(from, input), from->examples * shape->inputs * sizeof(float));
}

void nw__pass_forward(const nw__pass *pass)
{
    for (size_t i = 0; i < pass->net->n_ops; i++) {
        const nw__io io = arrays_of(pass, i);
        pass->net->ops[i].layer->forward(&pass->net->ops[i], &io);
    }
}

const float *nw__pass_outputs(const nw__pass *pass)
{
    return buffer_at(pass, pass->net->plans[pass->mode].logits);
}

/* ---- losses ---- */

void nw__pass_loss(const nw__pass *pass, bool with_gradient)
{
    const nw_network *net = pass->net;
    const nw_network_data *data = pass->data;
    const nw__plan *plan = &net->plans[pass->mode];
    const size_t n = net->shape.positions * net->shape.outputs;
    const float *outputs = buffer_at(pass, plan->logits);
    float *gradient = with_gradient ? buffer_at(pass, plan->loss) : NULL;
    const float share = 1.0F / (float)data->copies;
#pragma omp parallel for schedule(static) num_threads(net->threads)
    for (size_t i = 0; i < pass->records; i++) {
        const size_t record = record_of(pass, i);
        const size_t later = record_of(pass, i + AHEAD < pass->records ? i + AHEAD : i);
        if (data->targets != NULL)
            __builtin_prefetch(data->targets + later * net->shape.targets);
        double loss = 0.0;
        for (size_t e = i * data->copies; e < (i + 1) * data->copies; e++)
            loss += nw__loss(net, outputs + e * n, data->classes == NULL ? NULL : data->classes + record * net->shape.classes,
                data->targets == NULL ? NULL : data->targets + record * net->shape.targets, share,
                gradient == NULL ? NULL : gradient + e * n);
        net->losses[i] = loss / (double)data->copies;
    }
}

/* ---- backward ---- */

/* Sums pass their gradient on, into the same array unless something is there. */
static void pass_sum(const nw__op *op, const nw__io *io, size_t k)
{
    const size_t all = io->examples * op->to.positions * op->to.width;
    if (io->grad_in[k] == NULL || io->grad_in[k] == io->grad)
        return;
#pragma omp parallel for schedule(static) num_threads(io->threads)
    for (size_t i = 0; i < all; i++)
        io->grad_in[k][i] = io->before[k] == NULL ? io->grad[i] : io->before[k][i] + io->grad[i];
}

void nw__pass_prepare(const nw__pass *pass, size_t op)
{
    const nw__layer *layer = pass->net->ops[op].layer;
    const nw__io io = arrays_of(pass, op);
    if (layer->prepare != NULL && io.grad != NULL)
        layer->prepare(&pass->net->ops[op], &io);
}

void nw__pass_backward(const nw__pass *pass, size_t op)
{
    const nw__layer *layer = pass->net->ops[op].layer;
    const nw__io io = arrays_of(pass, op);
    for (size_t k = 0; layer->is_sum && k < pass->net->ops[op].n_inputs; k++)
        pass_sum(&pass->net->ops[op], &io, k);
    if (!layer->is_sum && layer->backward != NULL && io.grad_in[0] != NULL)
        layer->backward(&pass->net->ops[op], &io);
}

size_t nw__use_positions(const nw_network *net, nw__use_site site)
{
    const nw__op *op = &net->ops[site.op];
    switch (op->layer->kinds[site.slot]) {
    case NW_DPSGD_CONV2D:
    case NW_DPSGD_ROWS: return net->copies;
    case NW_DPSGD_EMBEDDING: return net->copies * op->from.positions;
    default: return net->copies * op->to.positions;
    }
}

nw_dpsgd_use nw__pass_use(const nw__pass *pass, nw__use_site site)
{
    const nw__op *op = &pass->net->ops[site.op];
    const nw__io io = arrays_of(pass, site.op);
    nw_dpsgd_use use = { .kind = op->layer->kinds[site.slot],
        .grad = io.grad,
        .positions = nw__use_positions(pass->net, site) / pass->net->copies * pass->data->copies };
    const bool is_prepared = op->layer->prepare != NULL;
    switch (use.kind) {
    case NW_DPSGD_LINEAR: use.input = io.in[0]; break;
    case NW_DPSGD_SCALE: use.input = io.saved; break;
    case NW_DPSGD_EMBEDDING:
        use.tokens = io.tokens;
        use.grad = is_prepared ? io.saved : io.grad;
        break;
    case NW_DPSGD_CONV2D:
        use.input = io.in[0];
        use.conv = &op->conv;
        break;
    case NW_DPSGD_ROWS: use.grad = is_prepared ? io.saved : io.grad; break;
    case NW_DPSGD_BIAS: break;
    }
    return use;
}
