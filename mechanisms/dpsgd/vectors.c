/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* vectors.c - gradients of single examples, written out in float: of biases, scales, convolutions, whatever mixes kinds, and of
 * linear layers whose plan is to keep them. What is written is what is clipped and summed; the bound on its norm has room for its
 * roundings, so that it holds for the gradient without them, too. */
#include "blas.h"
#include "dpsgd_internal.h"
#include "unfold.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum { STRIP = 256, BLOCK = 64 }; /* columns that are summed over positions together; examples whose norms are */
static const double DOUBLES = 0x1p-26;
static const double ROUNDED = 0x1p-22; /* of a number that is rounded to float */

size_t nw__dpsgd_vector_scratch(const nw_dpsgd_use *uses, size_t n)
{
    size_t most = 0;
    for (size_t i = 0; i < n; i++) {
        const nw_dpsgd_conv *c = uses[i].kind == NW_DPSGD_CONV2D ? uses[i].conv : NULL;
        const size_t cells = c == NULL ? 0 : nw__conv_inputs(c) * nw__conv_height(c) * nw__conv_width(c);
        most = cells > most ? cells : most;
    }
    return most;
}

const float *nw__dpsgd_borrowed(const nw__dpsgd_parameter *p, const nw_dpsgd_use *uses, size_t n)
{
    (void)p;
    const bool is_vector = uses->kind == NW_DPSGD_ROWS || uses->kind == NW_DPSGD_BIAS;
    return n == 1 && is_vector && uses->positions == 1 ? uses->grad : NULL;
}

/* A grouped convolution is one product a group, of its own slices. */
static void write_image(const nw_dpsgd_conv *c, const float *input, const float *grad, float beta, float *out, float *scratch)
{
    const size_t positions = nw__conv_height(c) * nw__conv_width(c);
    const size_t in = c->channels_in / c->groups;
    const size_t channels = c->channels_out / c->groups;
    const size_t cells = nw__conv_inputs(c);
    for (size_t g = 0; g < c->groups; g++) {
        nw__unfold(c, input + g * in * c->height * c->width, scratch);
        const nw__product product = { .is_b_turned = true,
            .m = channels,
            .n = cells,
            .k = positions,
            .a = grad + g * channels * positions,
            .lda = positions,
            .b = scratch,
            .ldb = positions,
            .beta = beta,
            .c = out + g * channels * cells,
            .ldc = cells };
        nw__sgemm(&product);
    }
}

static size_t image_in(const nw_dpsgd_conv *c)
{
    return c->channels_in * c->height * c->width;
}

static size_t image_out(const nw_dpsgd_conv *c)
{
    return c->channels_out * nw__conv_height(c) * nw__conv_width(c);
}

static void write_conv(const nw_dpsgd_use *u, size_t example, float beta, float *out, float *scratch)
{
    for (size_t i = example * u->positions; i < (example + 1) * u->positions; i++)
        write_image(u->conv, u->input + i * image_in(u->conv), u->grad + i * image_out(u->conv),
            i == example * u->positions ? beta : 1.0f, out, scratch);
}

static void write_linear(const nw__dpsgd_parameter *p, const nw_dpsgd_use *u, size_t example, float beta, float *out)
{
    const nw__product product = { .is_a_turned = true,
        .m = p->rows,
        .n = p->cols,
        .k = u->positions,
        .a = u->grad + example * u->positions * p->rows,
        .lda = p->rows,
        .b = u->input + example * u->positions * p->cols,
        .ldb = p->cols,
        .beta = beta,
        .c = out,
        .ldc = p->cols };
    nw__sgemm(&product);
}

/* Sums of grad, or of input * grad, over positions. */
static void write_strips(size_t cells, const nw_dpsgd_use *u, size_t example, float beta, float *out)
{
    const size_t start = example * u->positions * cells;
    for (size_t from = 0; from < cells; from += STRIP) {
        const size_t n = cells - from < STRIP ? cells - from : STRIP;
        double sums[STRIP] = { 0.0 };
        for (size_t t = 0; t < u->positions; t++) {
            const size_t at = start + t * cells + from;
            if (u->kind == NW_DPSGD_SCALE)
                nw__add_products(sums, u->input + at, u->grad + at, n);
            else
                nw__add_to_doubles(sums, u->grad + at, n);
        }
        for (size_t j = 0; j < n; j++)
            out[from + j] = (float)(sums[j] + (beta == 0.0f ? 0.0 : (double)out[from + j]));
    }
}

static void write_tokens(const nw__dpsgd_parameter *p, const nw_dpsgd_use *u, size_t example, float beta, float *out)
{
    if (beta == 0.0f)
        memset(out, 0, p->rows * p->cols * sizeof *out);
    for (size_t t = 0; t < u->positions; t++) {
        const int32_t token = u->tokens[example * u->positions + t];
        const float *g = u->grad + (example * u->positions + t) * p->cols;
        for (size_t j = 0; token >= 0 && (size_t)token < p->rows && j < p->cols; j++)
            out[(size_t)token * p->cols + j] += g[j];
    }
}

void nw__dpsgd_write_vector(const nw__dpsgd_call *call, size_t example, float *out, float *scratch)
{
    const nw__dpsgd_parameter *p = call->p;
    for (size_t i = 0; i < call->n; i++) {
        const nw_dpsgd_use *u = &call->uses[i];
        const float beta = i == 0 ? 0.0f : 1.0f;
        switch (u->kind) {
        case NW_DPSGD_LINEAR: write_linear(p, u, example, beta, out); break;
        case NW_DPSGD_EMBEDDING: write_tokens(p, u, example, beta, out); break;
        case NW_DPSGD_CONV2D: write_conv(u, example, beta, out, scratch); break;
        case NW_DPSGD_BIAS:
        case NW_DPSGD_SCALE:
        case NW_DPSGD_ROWS: write_strips(p->rows * p->cols, u, example, beta, out); break;
        }
    }
}

static double length(const float *x, size_t n)
{
    return sqrt(nw__sum_squares(x, n));
}

/* No less than the sum of lengths of the outer products that a use adds up. An input's number is in as many patches as the kernel
 * has cells, at most. */
static double sum_of_lengths(const nw__dpsgd_parameter *p, const nw_dpsgd_use *u, size_t example)
{
    const size_t t = u->positions;
    const size_t cells = p->rows * p->cols;
    double sum = 0.0;
    switch (u->kind) {
    case NW_DPSGD_LINEAR:
        return length(u->input + example * t * p->cols, t * p->cols) * length(u->grad + example * t * p->rows, t * p->rows);
    case NW_DPSGD_CONV2D: {
        const nw_dpsgd_conv *c = u->conv;
        const size_t in = t * image_in(c);
        const size_t out = t * image_out(c);
        return sqrt((double)(c->kernel_height * c->kernel_width)) * length(u->input + example * in, in) *
               length(u->grad + example * out, out);
    }
    case NW_DPSGD_SCALE:
        return length(u->input + example * t * cells, t * cells) * length(u->grad + example * t * cells, t * cells);
    case NW_DPSGD_EMBEDDING:
        for (size_t at = example * t; at < (example + 1) * t; at++)
            if (u->tokens[at] >= 0 && (size_t)u->tokens[at] < p->rows)
                sum += length(u->grad + at * p->cols, p->cols);
        return sum;
    case NW_DPSGD_BIAS:
    case NW_DPSGD_ROWS: break;
    }
    return sqrt((double)t) * length(u->grad + example * t * cells, t * cells);
}

/* What roundings may take from the norm of a written gradient: each number is a float sum of so many products. A lone bias, scale
 * or row is summed in double and rounded once, which is in DOUBLES and ROUNDED. */
static double rounding_of(const nw__dpsgd_call *call, size_t example)
{
    const nw_dpsgd_use *u = call->uses;
    if (call->n == 1 && u->kind != NW_DPSGD_LINEAR && u->kind != NW_DPSGD_CONV2D && u->kind != NW_DPSGD_EMBEDDING)
        return 0.0;
    double terms = (double)(nw__dpsgd_positions(u, call->n) + call->n);
    double s = 0.0;
    for (size_t i = 0; i < call->n; i++) {
        s += sum_of_lengths(call->p, &u[i], example);
        if (u[i].kind == NW_DPSGD_CONV2D)
            terms += (double)u[i].positions * (double)(nw__conv_height(u[i].conv) * nw__conv_width(u[i].conv));
    }
    return terms * NW__FLOAT_ROUNDOFF * s * (1.0 + DOUBLES) + 0x1p-80;
}

static void add_vector_norm(const nw__dpsgd_call *call, size_t example, double square)
{
    const double norm = sqrt(square) * (1.0 + ROUNDED) + rounding_of(call, example);
    const double bound = norm * norm * (1.0 + DOUBLES);
    if (bound <= NW__LARGEST_SQUARE)
        nw__dpsgd_add_norm(call, example, square, bound, 0.0);
    else
        nw__dpsgd_exclude(call, example);
}

/* Gradients that the caller has written out: the bound is that of a number summed in double. */
static void borrowed_block(const nw__dpsgd_call *call, const float *vectors, size_t first)
{
    const size_t cells = call->p->rows * call->p->cols;
    const size_t left = call->d->examples - first;
    const size_t n = left < BLOCK ? left : BLOCK;
    double squares[BLOCK];
    nw__row_products(vectors + first * cells, cells, vectors + first * cells, cells, n, cells, squares);
    for (size_t i = 0; i < n; i++) {
        const double bound = squares[i] * (1.0 + 2.0 * ROUNDED);
        if (bound <= NW__LARGEST_SQUARE)
            nw__dpsgd_add_norm(call, first + i, squares[i], bound, 0.0);
        else
            nw__dpsgd_exclude(call, first + i);
    }
}

static nw_status need_room(nw_dpsgd *d, nw__dpsgd_parameter *p, const char *function, nw_error *err)
{
    if (d->examples <= p->kept_examples)
        return NW_OK;
    size_t cells = 0;
    float *kept = nw__mul_size(d->examples, p->rows * p->cols, &cells) ? nw__calloc(cells, sizeof *kept) : NULL;
    if (kept == NULL)
        return nw__fail_memory(err, function);
    nw__free_wiped(p->kept, p->kept_examples * p->rows * p->cols * sizeof *kept);
    p->kept = kept;
    p->kept_examples = d->examples;
    return NW_OK;
}

nw_status nw__dpsgd_norms_of_vectors(const nw__dpsgd_call *call, nw_error *err)
{
    nw_dpsgd *d = call->d;
    nw__dpsgd_parameter *p = call->p;
    const size_t cells = p->rows * p->cols;
    const float *borrowed = nw__dpsgd_borrowed(p, call->uses, call->n);
    const bool is_stored = p->plan == NW_DPSGD_PLAN_STORED;
    const size_t patches = nw__dpsgd_vector_scratch(call->uses, call->n);
    const int threads =
        nw__dpsgd_threads((double)d->examples * (double)(cells + patches) * (double)nw__dpsgd_positions(call->uses, call->n));
    if (borrowed != NULL) {
#pragma omp parallel for schedule(static) num_threads(threads) if (d->examples > BLOCK)
        for (size_t i = 0; i < d->examples; i += BLOCK)
            borrowed_block(call, borrowed, i);
        return NW_OK;
    }
    if (is_stored)
        NW__TRY(need_room(d, p, call->function, err));
    NW__TRY(nw__dpsgd_need_scratch(d, patches + (is_stored ? 0 : cells), threads, call->function, err));
#pragma omp parallel for schedule(static) num_threads(threads) if (d->examples > 1)
    for (size_t i = 0; i < d->examples; i++) {
        float *scratch = d->scratch + (size_t)omp_get_thread_num() * d->scratch_floats;
        float *vector = is_stored ? p->kept + i * cells : scratch + patches;
        nw__dpsgd_write_vector(call, i, vector, scratch);
        add_vector_norm(call, i, nw__sum_squares(vector, cells));
    }
    return NW_OK;
}
