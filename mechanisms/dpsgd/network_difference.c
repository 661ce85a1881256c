/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* network_difference.c - each record's gradient at one iterate less its gradient at another, as uses of parameters [MS23].
 *
 * A gradient is a sum of products g a' of output gradients and inputs (or of g alone), so the difference of two is
 *   g a' - h b' = (g - h) a' + h (a - b)',
 * two positions where a use has one. Each is small where the iterates are near; of (g, a) and (-h, b), which add up to the same,
 * the lengths would be those of whole gradients: a clip that bounds the float errors of a sum by lengths would leave nothing.
 * Inputs that depend on no parameter have a = b, and no second position. */
#include "layers_internal.h"

static bool has_input(const nw_network *net, nw__use_site site)
{
    const nw__op *op = &net->ops[site.op];
    const nw_dpsgd_kind kind = op->layer->kinds[site.slot];
    const bool reads_input = kind == NW_DPSGD_LINEAR || kind == NW_DPSGD_SCALE || kind == NW_DPSGD_CONV2D;
    return reads_input && net->values[op->inputs[0]].needs_gradient;
}

size_t nw__difference_positions(const nw_network *net, nw__use_site site)
{
    return nw__use_positions(net, site) * (has_input(net, site) ? 2 : 1);
}

/* ---- the buffers of a use: as in nw__pass_use ---- */

static size_t gradient_buffer(const nw__op *op, const nw__op_buffers *b, size_t slot)
{
    const nw_dpsgd_kind kind = op->layer->kinds[slot];
    const bool is_saved = op->layer->prepare != NULL && (kind == NW_DPSGD_EMBEDDING || kind == NW_DPSGD_ROWS);
    return is_saved ? b->saved : b->grad;
}

static size_t input_buffer(const nw__op *op, const nw__op_buffers *b, size_t slot)
{
    return op->layer->kinds[slot] == NW_DPSGD_SCALE ? b->saved : b->in[0];
}

void nw__difference_mark(const nw_network *net, nw__plan *plan)
{
    for (size_t i = 0; i < net->n_ops; i++) {
        const nw__op *op = &net->ops[i];
        const nw__op_buffers *b = &plan->ops[i];
        for (size_t slot = 0; slot < op->n_parameters; slot++) {
            plan->buffers[gradient_buffer(op, b, slot)].is_use_gradient = true;
            if (has_input(net, (nw__use_site){ i, slot }))
                plan->buffers[input_buffer(op, b, slot)].is_use_input = true;
        }
    }
}

/* ---- passes ---- */

static void run(const nw__pass *pass)
{
    nw__pass_forward(pass);
    nw__pass_loss(pass, true);
    for (size_t i = pass->net->n_ops; i-- > 0;) {
        nw__pass_prepare(pass, i);
        nw__pass_backward(pass, i);
    }
}

/* x - y into x, and into y. */
NW__CLONES static void subtract(float *restrict x, const float *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] -= y[i];
}

NW__CLONES static void subtract_from(const float *restrict x, float *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] - y[i];
}

/* Output gradients g become g - h where they are; inputs b become a - b. A buffer is one or the other: what is written in the
 * backward pass is no layer's input. */
static void take_differences(const nw__pass *now, size_t second)
{
    const nw_network *net = now->net;
    const nw__plan *plan = &net->plans[now->mode];
    for (size_t i = 0; i < plan->n_buffers; i++) {
        const nw__buffer *b = &plan->buffers[i];
        const size_t all = now->examples * b->positions * b->width;
        float *x = net->arena + b->offset;
        float *y = x + second;
        if (!b->is_use_gradient && !b->is_use_input)
            continue;
#pragma omp parallel for schedule(static) num_threads(net->threads) if (all > NW__CHUNK)
        for (size_t first = 0; first < all; first += NW__CHUNK) {
            const size_t n = all - first < NW__CHUNK ? all - first : NW__CHUNK;
            if (b->is_use_gradient)
                subtract(x + first, y + first, n);
            else
                subtract_from(x + first, y + first, n);
        }
    }
}

/* (g - h, a) and (h, a - b) of each use of a parameter: how many. */
static size_t uses_of(const nw__pass *now, const nw__pass *before, size_t parameter)
{
    const nw__parameter *p = &now->net->parameters[parameter];
    nw_dpsgd_use *uses = now->net->uses;
    size_t n = 0;
    for (size_t k = 0; k < p->n_uses; k++) {
        uses[n++] = nw__pass_use(now, p->uses[k]);
        if (has_input(now->net, p->uses[k]))
            uses[n++] = nw__pass_use(before, p->uses[k]);
    }
    return n;
}

nw_status nw__difference_batch(const nw__pass *now, const float *const *previous, nw_dpsgd *dpsgd, nw_error *err)
{
    nw_network *net = now->net;
    nw__pass before = *now;
    before.base = net->plans[now->mode].second;
    before.weights = previous;
    NW__TRY(nw_dpsgd_begin_batch(dpsgd, now->records, err));
    nw__pass_gather(now);
    nw__pass_gather_again(now, &before);
    run(now);
    run(&before);
    take_differences(now, before.base);
    for (size_t i = 0; i < net->n_parameters; i++)
        NW__TRY(nw_dpsgd_norms(dpsgd, net->parameters[i].handle, net->uses, uses_of(now, &before, i), err));
    NW__TRY(nw_dpsgd_clip(dpsgd, err));
    for (size_t i = 0; i < net->n_parameters; i++)
        NW__TRY(nw_dpsgd_accumulate(dpsgd, net->parameters[i].handle, net->uses, uses_of(now, &before, i), err));
    return NW_OK;
}
