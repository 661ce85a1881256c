/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* layer_shape.c - sums of two values, and means over positions. */
#include "layers_internal.h"

static void add_forward(const nw__op *op, const nw__io *io)
{
    const size_t all = io->examples * op->to.positions * op->to.width;
#pragma omp parallel for schedule(static) num_threads(io->threads)
    for (size_t i = 0; i < all; i++)
        io->out[i] = io->in[0][i] + io->in[1][i];
}

const nw__layer nw__layer_add = { .type = "residual", .forward = add_forward, .is_sum = true, .is_in_place_forward = true };

/* A sequence's positions are its rows, an image's the columns of a matrix channels x positions. */
static void mean_forward(const nw__op *op, const nw__io *io)
{
    const bool is_image = op->from.form == NW__IMAGE;
    const size_t width = op->to.width;
    const size_t positions = is_image ? op->from.height * op->from.wide : op->from.positions;
    const float share = 1.0F / (float)positions;
#pragma omp parallel for schedule(static) num_threads(io->threads)
    for (size_t e = 0; e < io->examples; e++) {
        const float *in = io->in[0] + e * positions * width;
        float *out = io->out + e * width;
        memset(out, 0, width * sizeof *out);
        for (size_t i = 0; i < positions * width; i++)
            out[is_image ? i / positions : i % width] += in[i];
        for (size_t j = 0; j < width; j++)
            out[j] *= share;
    }
}

static void mean_backward(const nw__op *op, const nw__io *io)
{
    const bool is_image = op->from.form == NW__IMAGE;
    const size_t width = op->to.width;
    const size_t positions = is_image ? op->from.height * op->from.wide : op->from.positions;
    const float share = 1.0F / (float)positions;
#pragma omp parallel for schedule(static) num_threads(io->threads)
    for (size_t e = 0; e < io->examples; e++) {
        const float *grad = io->grad + e * width;
        float *out = io->grad_in[0] + e * positions * width;
        nw__begin_gradient(io, e, positions * width);
        for (size_t i = 0; i < positions * width; i++)
            out[i] += share * grad[is_image ? i / positions : i % width];
    }
}

const nw__layer nw__layer_mean = { .type = "mean", .forward = mean_forward, .backward = mean_backward };
