/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* layer_norm.c - layernorm [BKH16] and rmsnorm [ZS19] of each row. Saved: the normalised rows, then 1 / deviation of each row. */
#include "elementary.h"
#include "layers_internal.h"

#include <math.h>

NW__CLONES static void forward_row(const float *x, const float *gamma, const float *beta, size_t n, float epsilon, bool is_rms,
    float *normal, float *inverse, float *y)
{
    const float mean = is_rms ? 0.0F : nw__sum(x, n) / (float)n;
    for (size_t j = 0; j < n; j++)
        normal[j] = x[j] - mean;
    const float r = 1.0F / sqrtf(nw__dot(normal, normal, n) / (float)n + epsilon);
    for (size_t j = 0; j < n; j++)
        normal[j] *= r;
    for (size_t j = 0; j < n; j++)
        y[j] = normal[j] * gamma[j] + (beta == NULL ? 0.0F : beta[j]);
    *inverse = r;
}

/* dx = r (h - mean(h) - x mean(h x)) with h = gamma g and x the normalised row; rmsnorm lacks mean(h). */
NW__CLONES static void backward_row(
    const float *normal, float r, const float *gamma, const float *g, size_t n, bool is_rms, const float *before, float *dx)
{
    float h_lanes[NW__SUM_LANES] = { 0 };
    float x_lanes[NW__SUM_LANES] = { 0 };
    size_t j = 0;
    for (; j + NW__SUM_LANES <= n; j += NW__SUM_LANES)
        for (size_t lane = 0; lane < NW__SUM_LANES; lane++) {
            const float h = gamma[j + lane] * g[j + lane];
            h_lanes[lane] += h;
            x_lanes[lane] += h * normal[j + lane];
        }
    for (size_t lane = 0; j < n; j++, lane++) {
        h_lanes[lane] += gamma[j] * g[j];
        x_lanes[lane] += gamma[j] * g[j] * normal[j];
    }
    const float h_mean = is_rms ? 0.0F : nw__sum(h_lanes, NW__SUM_LANES) / (float)n;
    const float x_mean = nw__sum(x_lanes, NW__SUM_LANES) / (float)n;
    if (before == NULL) {
        for (j = 0; j < n; j++)
            dx[j] = r * (gamma[j] * g[j] - h_mean - normal[j] * x_mean);
        return;
    }
    for (j = 0; j < n; j++)
        dx[j] = before[j] + r * (gamma[j] * g[j] - h_mean - normal[j] * x_mean);
}

static void norm_forward(const nw__op *op, const nw__io *io)
{
    const size_t n = op->to.width;
    const size_t rows = io->examples * op->to.positions;
    const bool is_rms = op->layer == &nw__layer_rmsnorm;
    float *inverses = io->saved + rows * n;
#pragma omp parallel for schedule(static) num_threads(io->threads)
    for (size_t row = 0; row < rows; row++)
        forward_row(io->in[0] + row * n, io->weights[0], is_rms ? NULL : io->weights[1], n, op->epsilon, is_rms,
            io->saved + row * n, inverses + row, io->out + row * n);
}

static void norm_backward(const nw__op *op, const nw__io *io)
{
    const size_t n = op->to.width;
    const size_t rows = io->examples * op->to.positions;
    const float *inverses = io->saved + rows * n;
#pragma omp parallel for schedule(static) num_threads(io->threads)
    for (size_t row = 0; row < rows; row++)
        backward_row(io->saved + row * n, inverses[row], io->weights[0], io->grad + row * n, n, op->layer == &nw__layer_rmsnorm,
            io->before[0] == NULL ? NULL : io->before[0] + row * n, io->grad_in[0] + row * n);
}

const nw__layer nw__layer_layernorm = { .type = "layernorm",
    .forward = norm_forward,
    .backward = norm_backward,
    .is_in_place_backward = true,
    .kinds = { NW_DPSGD_SCALE, NW_DPSGD_BIAS } };
const nw__layer nw__layer_rmsnorm = { .type = "rmsnorm",
    .forward = norm_forward,
    .backward = norm_backward,
    .is_in_place_backward = true,
    .kinds = { NW_DPSGD_SCALE } };
