/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* network_plain.c - the gradient of a parameter without privacy: what clipping and noise are measured against. */
#include "layers_internal.h"
#include "unfold.h"

/* sum += G' A. Threads take blocks of rows of the sum. */
static void add_linear(const nw__parameter *p, const nw_dpsgd_use *use, size_t records, int threads, float *sum)
{
    const size_t tile = (p->rows + (size_t)threads - 1) / (size_t)threads;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (size_t first = 0; first < p->rows; first += tile)
        nw__sgemm(&(nw__product){ .is_a_turned = true,
            .m = p->rows - first < tile ? p->rows - first : tile,
            .n = p->cols,
            .k = records * use->positions,
            .a = use->grad + first,
            .lda = p->rows,
            .b = use->input,
            .ldb = p->cols,
            .beta = 1.0F,
            .c = sum + first * p->cols,
            .ldc = p->cols });
}

NW__CLONES static void add_row(float *sum, const float *x, size_t n)
{
    for (size_t j = 0; j < n; j++)
        sum[j] += x[j];
}

NW__CLONES static void add_product(float *sum, const float *x, const float *y, size_t n)
{
    for (size_t j = 0; j < n; j++)
        sum[j] += x[j] * y[j];
}

static void add_tokens(const nw__parameter *p, const nw_dpsgd_use *use, size_t rows, float *sum)
{
    for (size_t row = 0; row < rows; row++)
        if (use->tokens[row] >= 0)
            add_row(sum + (size_t)use->tokens[row] * p->cols, use->grad + row * p->cols, p->cols);
}

static void add_conv(const nw_dpsgd_use *use, size_t images, float *matrix, float *sum)
{
    const nw_dpsgd_conv *c = use->conv;
    const size_t inputs = nw__conv_inputs(c);
    const size_t positions = nw__conv_height(c) * nw__conv_width(c);
    const size_t outputs = c->channels_out / c->groups;
    for (size_t i = 0; i < images * c->groups; i++) {
        const size_t group = i % c->groups;
        nw__unfold(c, use->input + i * (c->channels_in / c->groups) * c->height * c->width, matrix);
        nw__sgemm(&(nw__product){ .is_b_turned = true,
            .m = outputs,
            .n = inputs,
            .k = positions,
            .a = use->grad + i * outputs * positions,
            .lda = positions,
            .b = matrix,
            .ldb = positions,
            .beta = 1.0F,
            .c = sum + group * outputs * inputs,
            .ldc = inputs });
    }
}

void nw__plain_accumulate(const nw__plain *plain, const nw_dpsgd_use *use, float *sum)
{
    const nw__parameter *p = plain->parameter;
    const size_t rows = plain->records * use->positions;
    const size_t n = p->rows * p->cols;
    switch (use->kind) {
    case NW_DPSGD_LINEAR: add_linear(p, use, plain->records, plain->threads, sum); break;
    case NW_DPSGD_EMBEDDING: add_tokens(p, use, rows, sum); break;
    case NW_DPSGD_CONV2D: add_conv(use, rows, plain->scratch, sum); break;
    case NW_DPSGD_SCALE:
        for (size_t row = 0; row < rows; row++)
            add_product(sum, use->input + row * n, use->grad + row * n, n);
        break;
    case NW_DPSGD_BIAS:
    case NW_DPSGD_ROWS:
        for (size_t row = 0; row < rows; row++)
            add_row(sum, use->grad + row * n, n);
        break;
    }
}
