/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* layer_activation.c - functions of single numbers: relu, tanh, tempered sigmoid [PTSCE21], softplus, and gelu by its formula
 * with tanh [HG16]. All but gelu and softplus find the slope from what they gave, so they may write over what they read. */
#include "elementary.h"
#include "layers_internal.h"

typedef void forward_function(const nw__op *op, const float *x, size_t n, float *y);
/* d: the gradient of y; kept: x for gelu and softplus, y for the others. */
typedef void backward_function(const nw__op *op, const float *kept, const float *d, const float *before, size_t n, float *dx);

static void each_forward(const nw__op *op, const nw__io *io, forward_function *function)
{
    const size_t all = io->examples * op->to.positions * op->to.width;
#pragma omp parallel for schedule(static) num_threads(io->threads)
    for (size_t first = 0; first < all; first += NW__CHUNK)
        function(op, io->in[0] + first, all - first < NW__CHUNK ? all - first : NW__CHUNK, io->out + first);
}

static void each_backward(const nw__op *op, const nw__io *io, const float *kept, backward_function *function)
{
    const size_t all = io->examples * op->to.positions * op->to.width;
#pragma omp parallel for schedule(static) num_threads(io->threads)
    for (size_t first = 0; first < all; first += NW__CHUNK)
        function(op, kept + first, io->grad + first, io->before[0] == NULL ? NULL : io->before[0] + first,
            all - first < NW__CHUNK ? all - first : NW__CHUNK, io->grad_in[0] + first);
}

/* ---- relu ---- */

NW__CLONES static void relu(const nw__op *op, const float *x, size_t n, float *y)
{
    (void)op;
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] < 0.0F ? 0.0F : x[i]; /* NaN stays */
}

NW__CLONES static void relu_slope(const nw__op *op, const float *y, const float *d, const float *before, size_t n, float *dx)
{
    (void)op;
    for (size_t i = 0; i < n; i++)
        dx[i] = (before == NULL ? 0.0F : before[i]) + (y[i] > 0.0F ? d[i] : 0.0F);
}

static void relu_forward(const nw__op *op, const nw__io *io)
{
    each_forward(op, io, relu);
}

static void relu_backward(const nw__op *op, const nw__io *io)
{
    each_backward(op, io, io->out, relu_slope);
}

/* ---- tanh, and tempered sigmoid: scale sigmoid(temperature x) - offset, of which it is one with 2, 2, 1 ---- */

NW__CLONES static void tanh_all(const nw__op *op, const float *x, size_t n, float *y)
{
    (void)op;
    for (size_t i = 0; i < n; i++)
        y[i] = nw__tanh(x[i]);
}

NW__CLONES static void tanh_slope(const nw__op *op, const float *y, const float *d, const float *before, size_t n, float *dx)
{
    (void)op;
    for (size_t i = 0; i < n; i++)
        dx[i] = (before == NULL ? 0.0F : before[i]) + d[i] * (1.0F - y[i] * y[i]);
}

static void tanh_forward(const nw__op *op, const nw__io *io)
{
    each_forward(op, io, tanh_all);
}

static void tanh_backward(const nw__op *op, const nw__io *io)
{
    each_backward(op, io, io->out, tanh_slope);
}

NW__CLONES static void tempered(const nw__op *op, const float *x, size_t n, float *y)
{
    const float scale = op->scale;
    const float half = 0.5F * op->temperature;
    const float offset = op->offset;
    for (size_t i = 0; i < n; i++)
        y[i] = scale * (0.5F + 0.5F * nw__tanh(half * x[i])) - offset;
}

NW__CLONES static void tempered_slope(const nw__op *op, const float *y, const float *d, const float *before, size_t n, float *dx)
{
    const float scale = op->scale;
    const float temperature = op->temperature;
    const float offset = op->offset;
    for (size_t i = 0; i < n; i++) {
        const float sigmoid = (y[i] + offset) / scale;
        dx[i] = (before == NULL ? 0.0F : before[i]) + d[i] * (scale * temperature * sigmoid * (1.0F - sigmoid));
    }
}

static void tempered_forward(const nw__op *op, const nw__io *io)
{
    each_forward(op, io, tempered);
}

static void tempered_backward(const nw__op *op, const nw__io *io)
{
    each_backward(op, io, io->out, tempered_slope);
}

/* ---- gelu: x (1 + tanh(a (x + b x^3))) / 2 ---- */

static const float GELU_A = 0.797884561F; /* sqrt(2 / pi) */
static const float GELU_B = 0.044715F;

NW__CLONES static void gelu(const nw__op *op, const float *x, size_t n, float *y)
{
    (void)op;
    for (size_t i = 0; i < n; i++)
        y[i] = 0.5F * x[i] * (1.0F + nw__tanh(GELU_A * (x[i] + GELU_B * x[i] * x[i] * x[i])));
}

NW__CLONES static void gelu_slope(const nw__op *op, const float *x, const float *d, const float *before, size_t n, float *dx)
{
    (void)op;
    for (size_t i = 0; i < n; i++) {
        const float square = x[i] * x[i];
        const float t = nw__tanh(GELU_A * (x[i] + GELU_B * x[i] * square));
        const float slope = 0.5F * (1.0F + t) + 0.5F * x[i] * (1.0F - t * t) * GELU_A * (1.0F + 3.0F * GELU_B * square);
        dx[i] = (before == NULL ? 0.0F : before[i]) + d[i] * slope;
    }
}

static void gelu_forward(const nw__op *op, const nw__io *io)
{
    each_forward(op, io, gelu);
}

static void gelu_backward(const nw__op *op, const nw__io *io)
{
    each_backward(op, io, io->in[0], gelu_slope);
}

/* ---- softplus: ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|), whose slope is the sigmoid. That is found from x: from the result it
 * would cancel where both are small ---- */

NW__CLONES static void softplus(const nw__op *op, const float *x, size_t n, float *y)
{
    (void)op;
    for (size_t i = 0; i < n; i++) {
        const float size = x[i] < 0.0F ? -x[i] : x[i];
        y[i] = (x[i] < 0.0F ? 0.0F : x[i]) + nw__log1p(nw__exp(-size));
    }
}

static inline float sigmoid(float x)
{
    const float e = nw__exp(x < 0.0F ? x : -x);
    return (x < 0.0F ? e : 1.0F) / (1.0F + e);
}

NW__CLONES static void softplus_slope(const nw__op *op, const float *x, const float *d, const float *before, size_t n, float *dx)
{
    (void)op;
    if (before == NULL)
        for (size_t i = 0; i < n; i++)
            dx[i] = d[i] * sigmoid(x[i]);
    else
        for (size_t i = 0; i < n; i++)
            dx[i] = before[i] + d[i] * sigmoid(x[i]);
}

static void softplus_forward(const nw__op *op, const nw__io *io)
{
    each_forward(op, io, softplus);
}

static void softplus_backward(const nw__op *op, const nw__io *io)
{
    each_backward(op, io, io->in[0], softplus_slope);
}

const nw__layer nw__layer_relu = { .type = "relu",
    .forward = relu_forward,
    .backward = relu_backward,
    .needs = NW__NEEDS_OUTPUT,
    .is_in_place_forward = true,
    .is_in_place_backward = true };
const nw__layer nw__layer_tanh = { .type = "tanh",
    .forward = tanh_forward,
    .backward = tanh_backward,
    .needs = NW__NEEDS_OUTPUT,
    .is_in_place_forward = true,
    .is_in_place_backward = true };
const nw__layer nw__layer_tempered = { .type = "tempered_sigmoid",
    .forward = tempered_forward,
    .backward = tempered_backward,
    .needs = NW__NEEDS_OUTPUT,
    .is_in_place_forward = true,
    .is_in_place_backward = true };
const nw__layer nw__layer_gelu = {
    .type = "gelu", .forward = gelu_forward, .backward = gelu_backward, .needs = NW__NEEDS_INPUT, .is_in_place_backward = true
};
const nw__layer nw__layer_softplus = { .type = "softplus",
    .forward = softplus_forward,
    .backward = softplus_backward,
    .needs = NW__NEEDS_INPUT,
    .is_in_place_backward = true };
