/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* layer_conv.c - convolutions: for each example and group of channels, the image unfolded into a matrix inputs x positions,
 * times the weights. */
#include "layers_internal.h"
#include "unfold.h"

static void forward_example(const nw__op *op, const nw__io *io, size_t e)
{
    const nw_dpsgd_conv *c = &op->conv;
    const size_t inputs = nw__conv_inputs(c);
    const size_t outputs = c->channels_out / c->groups;
    const size_t positions = op->to.height * op->to.wide;
    float *matrix = io->scratch + (size_t)omp_get_thread_num() * op->scratch;
    float *out = io->out + e * op->to.width;
    for (size_t i = 0; op->n_parameters > 1 && i < c->channels_out * positions; i++)
        out[i] = io->weights[1][i / positions];
    for (size_t group = 0; group < c->groups; group++) {
        nw__unfold(c, io->in[0] + e * op->from.width + group * (op->from.width / c->groups), matrix);
        nw__sgemm(&(nw__product){ .m = outputs,
            .n = positions,
            .k = inputs,
            .a = io->weights[0] + group * outputs * inputs,
            .lda = inputs,
            .b = matrix,
            .ldb = positions,
            .beta = op->n_parameters > 1 ? 1.0F : 0.0F,
            .c = out + group * outputs * positions,
            .ldc = positions });
    }
}

static void conv_forward(const nw__op *op, const nw__io *io)
{
#pragma omp parallel for schedule(static) num_threads(io->threads)
    for (size_t e = 0; e < io->examples; e++)
        forward_example(op, io, e);
}

/* The bias's gradient: sums over positions. */
static void conv_prepare(const nw__op *op, const nw__io *io)
{
    const size_t channels = op->conv.channels_out;
    const size_t positions = op->to.height * op->to.wide;
#pragma omp parallel for schedule(static) num_threads(io->threads)
    for (size_t i = 0; i < (op->n_parameters > 1 ? io->examples * channels : 0); i++) {
        float sum = 0.0F;
        for (size_t t = 0; t < positions; t++)
            sum += io->grad[i * positions + t];
        io->saved[i] = sum;
    }
}

static void backward_example(const nw__op *op, const nw__io *io, size_t e)
{
    const nw_dpsgd_conv *c = &op->conv;
    const size_t inputs = nw__conv_inputs(c);
    const size_t outputs = c->channels_out / c->groups;
    const size_t positions = op->to.height * op->to.wide;
    float *matrix = io->scratch + (size_t)omp_get_thread_num() * op->scratch;
    nw__begin_gradient(io, e, op->from.width);
    for (size_t group = 0; group < c->groups; group++) {
        nw__sgemm(&(nw__product){ .is_a_turned = true,
            .m = inputs,
            .n = positions,
            .k = outputs,
            .a = io->weights[0] + group * outputs * inputs,
            .lda = inputs,
            .b = io->grad + e * op->to.width + group * outputs * positions,
            .ldb = positions,
            .c = matrix,
            .ldc = positions });
        nw__fold(c, matrix, io->grad_in[0] + e * op->from.width + group * (op->from.width / c->groups));
    }
}

static void conv_backward(const nw__op *op, const nw__io *io)
{
#pragma omp parallel for schedule(static) num_threads(io->threads)
    for (size_t e = 0; e < io->examples; e++)
        backward_example(op, io, e);
}

const nw__layer nw__layer_conv2d = { .type = "conv2d",
    .forward = conv_forward,
    .prepare = conv_prepare,
    .backward = conv_backward,
    .kinds = { NW_DPSGD_CONV2D, NW_DPSGD_ROWS } };
