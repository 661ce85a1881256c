/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* layer_pool.c - the largest or the average number of each window of a channel. Padding is not looked at by max_pool, and counts
 * as zeros in avg_pool. */
#include "layers_internal.h"

typedef struct window {
    size_t top, bottom, left, right; /* the last two of each pair are past the end */
} window;

static void side(size_t start, size_t kernel, size_t padding, size_t length, size_t *first, size_t *end)
{
    *first = start > padding ? start - padding : 0;
    *end = start + kernel - padding < length ? start + kernel - padding : length;
}

/* What output position i of a channel looks at: never nothing, as the padding is less than the kernel. */
static window window_of(const nw__op *op, size_t i)
{
    const nw__window *w = &op->window;
    window out;
    side(i / w->width_out * w->stride, w->kernel_height, w->padding, op->from.height, &out.top, &out.bottom);
    side(i % w->width_out * w->stride, w->kernel_width, w->padding, op->from.wide, &out.left, &out.right);
    return out;
}

/* The first place of the largest number; a NaN is larger than all. */
static size_t largest_place(const float *in, size_t wide, const window *w)
{
    size_t best = w->top * wide + w->left;
    for (size_t y = w->top; y < w->bottom; y++)
        for (size_t x = w->left; x < w->right; x++)
            if (in[y * wide + x] > in[best] || in[y * wide + x] != in[y * wide + x])
                best = y * wide + x;
    return best;
}

static void pool_forward(const nw__op *op, const nw__io *io)
{
    const size_t planes = io->examples * op->from.channels;
    const size_t in_size = op->from.height * op->from.wide;
    const size_t out_size = op->window.height_out * op->window.width_out;
    const float share = 1.0F / (float)(op->window.kernel_height * op->window.kernel_width);
#pragma omp parallel for schedule(static) num_threads(io->threads)
    for (size_t plane = 0; plane < planes; plane++)
        for (size_t i = 0; i < out_size; i++) {
            const float *in = io->in[0] + plane * in_size;
            const window w = window_of(op, i);
            float value = 0.0F;
            for (size_t y = w.top; op->layer == &nw__layer_avg_pool && y < w.bottom; y++)
                for (size_t x = w.left; x < w.right; x++)
                    value += share * in[y * op->from.wide + x];
            io->out[plane * out_size + i] = op->layer == &nw__layer_avg_pool ? value : in[largest_place(in, op->from.wide, &w)];
        }
}

static void pool_backward(const nw__op *op, const nw__io *io)
{
    const size_t planes = io->examples * op->from.channels;
    const size_t in_size = op->from.height * op->from.wide;
    const size_t out_size = op->window.height_out * op->window.width_out;
    const float share = 1.0F / (float)(op->window.kernel_height * op->window.kernel_width);
#pragma omp parallel for schedule(static) num_threads(io->threads)
    for (size_t plane = 0; plane < planes; plane++) {
        float *out = io->grad_in[0] + plane * in_size;
        nw__begin_gradient(io, plane, in_size);
        for (size_t i = 0; i < out_size; i++) {
            const float grad = io->grad[plane * out_size + i];
            const window w = window_of(op, i);
            if (op->layer == &nw__layer_max_pool)
                out[largest_place(io->in[0] + plane * in_size, op->from.wide, &w)] += grad;
            for (size_t y = w.top; op->layer == &nw__layer_avg_pool && y < w.bottom; y++)
                for (size_t x = w.left; x < w.right; x++)
                    out[y * op->from.wide + x] += share * grad;
        }
    }
}

const nw__layer nw__layer_max_pool = {
    .type = "max_pool", .forward = pool_forward, .backward = pool_backward, .needs = NW__NEEDS_INPUT
};
const nw__layer nw__layer_avg_pool = { .type = "avg_pool", .forward = pool_forward, .backward = pool_backward };
