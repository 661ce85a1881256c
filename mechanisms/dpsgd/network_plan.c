/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* network_plan.c - which arrays a pass over a micro-batch needs, from when to when, and where they lie in one arena.
 *
 * Moments: operation i runs forward at i, the loss is at n, operation i runs backward at 2n - i, and what is kept until the
 * factors are known is used at 2n + 1. The two-pass mode runs the backward moments twice, so it keeps all that they read to
 * the end.
 *
 * A gradient's array may be written over once nobody will read it: `holders` counts the values whose gradient it is at the
 * moment, and a locked one is kept for a parameter's sums. */
#include "layers_internal.h"

#include <stdlib.h>
#include <sys/mman.h>

typedef struct draft {
    nw_network *net;
    nw__plan *plan;
    nw__mode mode;
    size_t room;      /* for buffers */
    size_t *gradient; /* of each value at the moment, or NW__NONE */
    size_t *holders;  /* of each buffer */
    bool *is_locked;
} draft;

static size_t end_of(const draft *d)
{
    return 2 * d->net->n_ops + 1;
}

/* Lengthens a buffer's life. */
static void touch(const draft *d, size_t buffer, size_t moment)
{
    nw__buffer *b = &d->plan->buffers[buffer];
    if (d->mode == NW__TWO_PASS && moment >= d->net->n_ops && !b->is_gradient)
        moment = end_of(d);
    b->last = moment > b->last ? moment : b->last;
}

static size_t add_buffer(draft *d, size_t positions, size_t width, size_t moment)
{
    nw__plan *plan = d->plan;
    /* Never more than there is room for: see room_for. */
    plan->buffers[plan->n_buffers] = (nw__buffer){ .positions = positions, .width = width, .first = moment, .last = moment };
    return plan->n_buffers++;
}

/* An operation writes at most its output, its saved numbers, and a gradient for each input; and there is the loss's. */
static size_t room_for(const nw_network *net)
{
    return net->n_ops * (2 + NW__INPUTS) + 2;
}

/* ---- forward ---- */

static bool is_output_needed(const draft *d, size_t value)
{
    for (size_t i = 0; i < d->net->n_ops; i++)
        if (d->net->ops[i].output == value)
            return (d->net->ops[i].layer->needs & NW__NEEDS_OUTPUT) != 0;
    return false;
}

/* The input whose array the output may take, or NW__NONE. */
static size_t in_place_input(const draft *d, const nw__op *op)
{
    for (size_t k = 0; op->layer->is_in_place_forward && k < op->n_inputs; k++) {
        const nw__value *value = &d->net->values[op->inputs[k]];
        if (value->readers == 1 && (d->mode == NW__FORWARD || !is_output_needed(d, op->inputs[k])))
            return k;
    }
    return NW__NONE;
}

static void draft_forward(draft *d, size_t *buffer_of)
{
    nw_network *net = d->net;
    nw__plan *plan = d->plan;
    buffer_of[0] = NW__NONE;
    if (net->shape.input != NW_NETWORK_TOKENS)
        buffer_of[0] = add_buffer(d, net->values[0].positions, net->values[0].width, 0);
    plan->input = buffer_of[0];
    for (size_t i = 0; i < net->n_ops; i++) {
        const nw__op *op = &net->ops[i];
        nw__op_buffers *b = &plan->ops[i];
        for (size_t k = 0; k < NW__INPUTS; k++) {
            b->in[k] = k < op->n_inputs ? buffer_of[op->inputs[k]] : NW__NONE;
            b->before[k] = b->grad_in[k] = NW__NONE;
            if (b->in[k] != NW__NONE)
                touch(d, b->in[k], i);
        }
        const size_t k = in_place_input(d, op);
        const nw__value *to = &net->values[op->output];
        b->out = k != NW__NONE && b->in[k] != NW__NONE ? b->in[k] : add_buffer(d, to->positions, to->width, i);
        touch(d, b->out, i);
        b->grad = NW__NONE;
        b->saved = op->saved > 0 && op->layer->prepare == NULL ? add_buffer(d, 1, op->saved, i) : NW__NONE;
        buffer_of[op->output] = b->out;
    }
    plan->logits = buffer_of[net->ops[net->n_ops - 1].output];
    touch(d, plan->logits, net->n_ops);
}

/* ---- backward ---- */

static size_t new_gradient(draft *d, const nw__value *value, size_t moment)
{
    const size_t buffer = add_buffer(d, value->positions, value->width, moment);
    d->plan->buffers[buffer].is_gradient = true;
    d->holders[buffer] = 1;
    return buffer;
}

/* What the uses of an operation's parameters read, and until when. */
static void keep_for_uses(draft *d, const nw__op *op, const nw__op_buffers *b, size_t moment)
{
    for (size_t slot = 0; slot < op->n_parameters; slot++) {
        const nw_dpsgd_kind kind = op->layer->kinds[slot];
        const bool is_kept = d->mode == NW__BOOKKEPT || d->mode == NW__DIFFERENCE ||
                             (d->mode == NW__TWO_PASS && d->net->parameters[op->parameters[slot]].n_uses > 1);
        const size_t until = is_kept ? end_of(d) : moment;
        const bool is_saved = op->layer->prepare != NULL && op->layer->kinds[slot] != NW_DPSGD_CONV2D;
        if (b->saved != NW__NONE && (kind == NW_DPSGD_SCALE || is_saved))
            touch(d, b->saved, until);
        if (kind == NW_DPSGD_LINEAR || kind == NW_DPSGD_CONV2D)
            touch(d, b->in[0], until);
        if (is_saved)
            continue;
        d->is_locked[b->grad] = d->is_locked[b->grad] || is_kept;
        touch(d, b->grad, until);
    }
}

static void pass_on(draft *d, const nw__op *op, nw__op_buffers *b, size_t k, size_t moment)
{
    const size_t value = op->inputs[k];
    const size_t before = d->gradient[value];
    b->before[k] = before;
    if (before != NW__NONE)
        touch(d, before, moment);
    if (op->layer->is_sum && before == NW__NONE) {
        b->grad_in[k] = b->grad;
        d->holders[b->grad]++;
    } else if (before != NW__NONE && d->holders[before] == 1 && !d->is_locked[before]) {
        b->grad_in[k] = before;
    } else if (before == NW__NONE && op->layer->is_in_place_backward && d->holders[b->grad] == 0 && !d->is_locked[b->grad]) {
        b->grad_in[k] = b->grad;
        d->holders[b->grad] = 1;
    } else {
        if (before != NW__NONE)
            d->holders[before]--;
        b->grad_in[k] = new_gradient(d, &d->net->values[value], moment);
    }
    d->gradient[value] = b->grad_in[k];
    touch(d, b->grad_in[k], moment);
}

static void draft_backward(draft *d)
{
    nw_network *net = d->net;
    const size_t n = net->n_ops;
    const size_t last = net->ops[n - 1].output;
    d->plan->loss = d->gradient[last] = new_gradient(d, &net->values[last], n);
    for (size_t i = n; i-- > 0;) {
        const nw__op *op = &net->ops[i];
        nw__op_buffers *b = &d->plan->ops[i];
        const size_t moment = 2 * n - i;
        b->grad = d->gradient[op->output];
        if (b->grad == NW__NONE)
            continue;
        if (op->saved > 0 && op->layer->prepare != NULL) {
            b->saved = add_buffer(d, 1, op->saved, moment);
            d->plan->buffers[b->saved].is_gradient = true;
        } else if (b->saved != NW__NONE)
            touch(d, b->saved, moment);
        keep_for_uses(d, op, b, moment);
        touch(d, b->grad, moment);
        d->holders[b->grad]--;
        for (size_t k = 0; k < op->n_inputs; k++) {
            if (net->values[op->inputs[k]].needs_gradient)
                pass_on(d, op, b, k, moment);
            if ((op->layer->needs & NW__NEEDS_INPUT) != 0 && b->in[k] != NW__NONE)
                touch(d, b->in[k], moment);
        }
        if ((op->layer->needs & NW__NEEDS_OUTPUT) != 0)
            touch(d, b->out, moment);
    }
}

nw_status nw__network_plan_make(nw_network *net, nw__mode mode, nw_error *err, const char *function)
{
    nw__plan *plan = &net->plans[mode];
    if (plan->is_made)
        return NW_OK;
    draft d = { .net = net, .plan = plan, .mode = mode, .room = room_for(net) };
    size_t *buffer_of = nw__calloc(net->n_values, sizeof *buffer_of);
    size_t *gradient = nw__calloc(net->n_values, sizeof *gradient);
    d.holders = nw__calloc(d.room, sizeof *d.holders);
    d.is_locked = nw__calloc(d.room, sizeof *d.is_locked);
    if (plan->buffers == NULL)
        plan->buffers = nw__calloc(d.room, sizeof *plan->buffers);
    if (plan->ops == NULL)
        plan->ops = nw__calloc(net->n_ops, sizeof *plan->ops);
    plan->n_buffers = 0;
    const bool is_enough = buffer_of != NULL && gradient != NULL && d.holders != NULL && d.is_locked != NULL &&
                           plan->buffers != NULL && plan->ops != NULL;
    if (is_enough) {
        draft_forward(&d, buffer_of);
        d.gradient = gradient;
        for (size_t i = 0; i < net->n_values; i++)
            gradient[i] = NW__NONE;
        if (mode != NW__FORWARD)
            draft_backward(&d);
        if (mode == NW__DIFFERENCE)
            nw__difference_mark(net, plan);
        plan->is_made = true;
    }
    free(buffer_of);
    free(gradient);
    free(d.holders);
    free(d.is_locked);
    return is_enough ? NW_OK : nw__fail_memory(err, function);
}

/* ---- places ---- */

/* In whole cache lines. */
static size_t floats_of(const nw__buffer *b, size_t examples)
{
    return (examples * b->positions * b->width + 15) / 16 * 16;
}

static bool is_alive_with(const nw__buffer *a, const nw__buffer *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* Where a buffer fits beside those that are placed and live at the same time: the lowest such place. */
static size_t lowest_place(const nw__plan *plan, const size_t *order, size_t placed, const nw__buffer *b, size_t examples)
{
    const size_t size = floats_of(b, examples);
    size_t offset = 0;
    for (bool is_moved = true; is_moved;) {
        is_moved = false;
        for (size_t i = 0; i < placed; i++) {
            const nw__buffer *other = &plan->buffers[order[i]];
            const size_t other_end = other->offset + floats_of(other, examples);
            if (is_alive_with(b, other) && offset < other_end && other->offset < offset + size) {
                offset = other_end;
                is_moved = true;
            }
        }
    }
    return offset;
}

/* Largest first. */
static void sort_by_size(const nw__plan *plan, size_t *order)
{
    for (size_t i = 0; i < plan->n_buffers; i++) {
        size_t k = i;
        const size_t size = plan->buffers[i].positions * plan->buffers[i].width;
        for (; k > 0 && plan->buffers[order[k - 1]].positions * plan->buffers[order[k - 1]].width < size; k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
}

static size_t scratch_floats(const nw_network *net)
{
    size_t most = 0;
    for (size_t i = 0; i < net->n_ops; i++)
        most = net->ops[i].scratch > most ? net->ops[i].scratch : most;
    return most * (size_t)net->threads;
}

/* Floats of the arena; sets the offsets. */
static size_t place(const nw_network *net, nw__plan *plan, bool is_double, size_t examples, size_t *order)
{
    size_t end = 0;
    sort_by_size(plan, order);
    for (size_t i = 0; i < plan->n_buffers; i++) {
        nw__buffer *b = &plan->buffers[order[i]];
        b->offset = lowest_place(plan, order, i, b, examples);
        const size_t b_end = b->offset + floats_of(b, examples);
        end = b_end > end ? b_end : end;
    }
    plan->second = is_double ? end : 0;
    end += plan->second;
    plan->scratch = end;
    plan->examples = examples;
    plan->floats = end + scratch_floats(net);
    return plan->floats;
}

size_t nw__network_plan_bytes(nw_network *net, nw__mode mode, size_t examples)
{
    nw__plan *plan = &net->plans[mode];
    size_t *order = nw__calloc(plan->n_buffers, sizeof *order);
    if (order == NULL)
        return SIZE_MAX;
    const size_t floats = place(net, plan, mode == NW__DIFFERENCE, examples, order);
    free(order);
    return floats * sizeof(float);
}

nw_status nw__network_plan_place(nw_network *net, nw__mode mode, size_t examples, nw_error *err, const char *function)
{
    nw__plan *plan = &net->plans[mode];
    if (plan->examples != examples && nw__network_plan_bytes(net, mode, examples) == SIZE_MAX)
        return nw__fail_memory(err, function);
    if (plan->floats <= net->arena_floats)
        return NW_OK;
    size_t bytes;
    nw__arena_free(net);
    void *arena = nw__mul_size(plan->floats, sizeof(float), &bytes)
                      ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                      : MAP_FAILED;
    if (arena == MAP_FAILED)
        return nw__fail_memory(err, function);
    net->arena = arena;
    net->arena_floats = plan->floats;
    return NW_OK;
}

/* The kernel clears pages before anybody else sees them. */
void nw__arena_free(nw_network *net)
{
    if (net->arena != NULL)
        munmap(net->arena, net->arena_floats * sizeof(float));
    net->arena = NULL;
    net->arena_floats = 0;
}

void nw__plans_clear(nw_network *net)
{
    for (size_t mode = 0; mode < NW__MODES; mode++) {
        free(net->plans[mode].buffers);
        free(net->plans[mode].ops);
    }
}
