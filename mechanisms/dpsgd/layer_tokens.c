/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* layer_tokens.c - embeddings of tokens, their bags, and of positions. A negative token is padding: its vector is zero, and a bag
 * does not count it. */
#include "layers_internal.h"

#include <math.h>

static void embedding_forward(const nw__op *op, const nw__io *io)
{
    const size_t width = op->to.width;
    const size_t rows = io->examples * op->from.positions;
#pragma omp parallel for schedule(static) num_threads(io->threads)
    for (size_t row = 0; row < rows; row++) {
        float *out = io->out + row * width;
        if (io->tokens[row] < 0)
            memset(out, 0, width * sizeof *out);
        else
            memcpy(out, io->weights[0] + (size_t)io->tokens[row] * width, width * sizeof *out);
    }
}

const nw__layer nw__layer_embedding = { .type = "embedding", .forward = embedding_forward, .kinds = { NW_DPSGD_EMBEDDING } };

/* What each token of a bag is multiplied by. */
static float share(const nw__op *op, const int32_t *tokens)
{
    size_t n = 0;
    for (size_t t = 0; t < op->from.positions; t++)
        n += tokens[t] >= 0;
    if (n == 0 || op->combine == NW__SUM)
        return 1.0F;
    return op->combine == NW__MEAN ? 1.0F / (float)n : 1.0F / sqrtf((float)n);
}

static void bag_forward(const nw__op *op, const nw__io *io)
{
    const size_t width = op->to.width;
    const size_t positions = op->from.positions;
#pragma omp parallel for schedule(static) num_threads(io->threads)
    for (size_t e = 0; e < io->examples; e++) {
        const int32_t *tokens = io->tokens + e * positions;
        const float factor = share(op, tokens);
        float *out = io->out + e * width;
        memset(out, 0, width * sizeof *out);
        for (size_t t = 0; t < positions; t++) {
            const float *vector = io->weights[0] + (tokens[t] < 0 ? 0 : (size_t)tokens[t] * width);
            for (size_t j = 0; tokens[t] >= 0 && j < width; j++)
                out[j] += factor * vector[j];
        }
    }
}

static void bag_prepare(const nw__op *op, const nw__io *io)
{
    const size_t width = op->to.width;
    const size_t positions = op->from.positions;
#pragma omp parallel for schedule(static) num_threads(io->threads)
    for (size_t e = 0; e < io->examples; e++) {
        const float factor = share(op, io->tokens + e * positions);
        const float *grad = io->grad + e * width;
        float *spread = io->saved + e * positions * width;
        for (size_t t = 0; t < positions; t++)
            for (size_t j = 0; j < width; j++)
                spread[t * width + j] = factor * grad[j];
    }
}

const nw__layer nw__layer_bag = {
    .type = "embedding_bag", .forward = bag_forward, .prepare = bag_prepare, .kinds = { NW_DPSGD_EMBEDDING }
};

/* One learned vector a position; the gradient goes on as it is. */
static void position_forward(const nw__op *op, const nw__io *io)
{
    const size_t floats = op->to.positions * op->to.width;
#pragma omp parallel for schedule(static) num_threads(io->threads)
    for (size_t e = 0; e < io->examples; e++)
        for (size_t j = 0; j < floats; j++)
            io->out[e * floats + j] = io->in[0][e * floats + j] + io->weights[0][j];
}

const nw__layer nw__layer_position = {
    .type = "position", .forward = position_forward, .is_in_place_forward = true, .is_sum = true, .kinds = { NW_DPSGD_ROWS }
};
