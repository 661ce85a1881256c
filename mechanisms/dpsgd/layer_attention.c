/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* layer_attention.c - softmax(Q K' / sqrt(d)) V for each head [VSPUJGKP17]. A row that comes in holds query, key and value of its
 * position. Has no parameters. The backward pass computes the weights again: they would be the largest thing to keep. */
#include "elementary.h"
#include "layers_internal.h"

#include <math.h>

/* Row t of the weights from row t of Q K', of which the first `seen` count. */
NW__CLONES static void softmax_row(float *x, size_t seen, size_t n, float scale)
{
    const float largest = nw__largest(x, seen);
    for (size_t j = 0; j < seen; j++)
        x[j] = nw__exp(scale * (x[j] - largest));
    const float inverse = 1.0F / nw__sum(x, seen);
    for (size_t j = 0; j < seen; j++)
        x[j] *= inverse;
    for (size_t j = seen; j < n; j++)
        x[j] = 0.0F;
}

/* dS = scale P (dP - <P, dP>), into dP. */
NW__CLONES static void softmax_slope_row(const float *p, float *dp, size_t n, float scale)
{
    const float mean = nw__dot(p, dp, n);
    for (size_t j = 0; j < n; j++)
        dp[j] = scale * p[j] * (dp[j] - mean);
}

static float scale_of(const nw__op *op)
{
    return 1.0F / sqrtf((float)(op->to.width / op->heads));
}

static void weights(const nw__op *op, const float *q, const float *k, float *p)
{
    const size_t T = op->to.positions;
    const size_t stride = 3 * op->to.width;
    nw__sgemm(&(nw__product){ .is_b_turned = true,
        .m = T,
        .n = T,
        .k = op->to.width / op->heads,
        .a = q,
        .lda = stride,
        .b = k,
        .ldb = stride,
        .c = p,
        .ldc = T });
    for (size_t t = 0; t < T; t++)
        softmax_row(p + t * T, op->is_causal ? t + 1 : T, T, scale_of(op));
}

static void attention_forward(const nw__op *op, const nw__io *io)
{
    const size_t T = op->to.positions;
    const size_t width = op->to.width;
    const size_t d = width / op->heads;
#pragma omp parallel for schedule(static) num_threads(io->threads)
    for (size_t e = 0; e < io->examples; e++) {
        float *p = io->scratch + (size_t)omp_get_thread_num() * op->scratch;
        for (size_t head = 0; head < op->heads; head++) {
            const float *q = io->in[0] + e * T * 3 * width + head * d;
            weights(op, q, q + width, p);
            nw__sgemm(&(nw__product){ .m = T,
                .n = d,
                .k = T,
                .a = p,
                .lda = T,
                .b = q + 2 * width,
                .ldb = 3 * width,
                .c = io->out + e * T * width + head * d,
                .ldc = width });
        }
    }
}

static void backward_head(const nw__op *op, const float *q, const float *g, float *dq, float *p, float *dp, float beta)
{
    const size_t T = op->to.positions;
    const size_t width = op->to.width;
    const size_t stride = 3 * width;
    const size_t d = width / op->heads;
    weights(op, q, q + width, p);
    nw__sgemm(&(nw__product){ .is_a_turned = true,
        .m = T,
        .n = d,
        .k = T,
        .a = p,
        .lda = T,
        .b = g,
        .ldb = width,
        .beta = beta,
        .c = dq + 2 * width,
        .ldc = stride }); /* dV = P' dO */
    nw__sgemm(&(nw__product){ .is_b_turned = true,
        .m = T,
        .n = T,
        .k = d,
        .a = g,
        .lda = width,
        .b = q + 2 * width,
        .ldb = stride,
        .c = dp,
        .ldc = T }); /* dP = dO V' */
    for (size_t t = 0; t < T; t++)
        softmax_slope_row(p + t * T, dp + t * T, T, scale_of(op));
    nw__sgemm(&(nw__product){ .m = T,
        .n = d,
        .k = T,
        .a = dp,
        .lda = T,
        .b = q + width,
        .ldb = stride,
        .beta = beta,
        .c = dq,
        .ldc = stride }); /* dQ = dS K */
    nw__sgemm(&(nw__product){ .is_a_turned = true,
        .m = T,
        .n = d,
        .k = T,
        .a = dp,
        .lda = T,
        .b = q,
        .ldb = stride,
        .beta = beta,
        .c = dq + width,
        .ldc = stride }); /* dK = dS' Q */
}

static void attention_backward(const nw__op *op, const nw__io *io)
{
    const size_t T = op->to.positions;
    const size_t width = op->to.width;
    const size_t d = width / op->heads;
#pragma omp parallel for schedule(static) num_threads(io->threads)
    for (size_t e = 0; e < io->examples; e++) {
        float *p = io->scratch + (size_t)omp_get_thread_num() * op->scratch;
        if (io->before[0] != NULL)
            nw__begin_gradient(io, e, T * 3 * width);
        for (size_t head = 0; head < op->heads; head++)
            backward_head(op, io->in[0] + e * T * 3 * width + head * d, io->grad + e * T * width + head * d,
                io->grad_in[0] + e * T * 3 * width + head * d, p, p + T * T, io->before[0] != NULL ? 1.0F : 0.0F);
    }
}

const nw__layer nw__layer_attention = {
    .type = "attention", .forward = attention_forward, .backward = attention_backward, .needs = NW__NEEDS_INPUT
};
