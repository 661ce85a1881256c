/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* norms.c - norms of gradients that are sums of outer products g_t a_t' over positions t, without writing them out [LTLH21], each
 * with an upper bound that holds for the floats that are summed (docs/rooms/dpsgd.md#norms). A tied embedding takes part as
 * positions whose g is a row of the identity. */
#include "blas.h"
#include "dpsgd_internal.h"

#include <math.h>
#include <omp.h>
#include <string.h>

/* Gram matrices lose the norm of positions that cancel: below this, relative to S^2, it is computed directly. */
static const double CANCELLED = 1e-4;
/* Each of a row's float products may underflow, to zero if the processor is set so. */
static const double UNDERFLOW = 0x1p-125;
/* Relative errors of sums in double, of fewer than 2^26 terms. */
static const double DOUBLES = 0x1p-26;
/* The same of Gram matrices in double: their error is LOST S^2, and below CANCELLED_FEW S^2 that is too much of a norm. */
static const double LOST = 0x1p-46;
static const double CANCELLED_FEW = 1e-8;
enum { FEW = 4, BLOCK = 64 }; /* positions whose Gram matrices are computed in double; examples at a time */
enum { SYRK_FROM = 96 };      /* positions from which half a product is faster than a whole one */

void nw__dpsgd_add_norm(const nw__dpsgd_call *call, size_t example, double square, double bound, double reach)
{
    nw__example_norm *n = &call->d->norms[call->p->layer * call->d->examples + example];
    n->square += square;
    n->bound += bound;
    n->reach += reach;
}

void nw__dpsgd_exclude(const nw__dpsgd_call *call, size_t example)
{
    call->d->is_excluded[example] = 1;
}

static bool is_usable(double square)
{
    return square <= NW__LARGEST_SQUARE; /* not NaN either */
}

static bool is_token(const nw__dpsgd_call *call, int32_t token)
{
    return token >= 0 && (size_t)token < call->p->rows;
}

static void direct_norm(const nw__dpsgd_call *call, size_t example, double s, float *scratch);

/* ---- a few positions, of linear uses: each pair's products in double, of a block of examples at a time ---- */

static bool are_few(const nw__dpsgd_call *call)
{
    const size_t all = nw__dpsgd_positions(call->uses, call->n);
    return all <= FEW && all == nw__dpsgd_linear_positions(call->uses, call->n);
}

/* Products of two positions' inputs and of their gradients; example by example. */
typedef struct pair {
    double a[BLOCK];
    double g[BLOCK];
} pair;

typedef struct block {
    size_t first, examples;
    size_t positions;
    pair own[FEW];             /* a position with itself */
    pair other[FEW * FEW / 2]; /* and with each before it, in order */
} block;

/* A position: its rows of the block, one in so many. */
typedef struct place {
    const float *a, *g;
    size_t a_step, g_step;
} place;

static void fill_block(const nw__dpsgd_call *call, block *b)
{
    const nw__dpsgd_parameter *p = call->p;
    place places[FEW];
    size_t n = 0;
    size_t pairs = 0;
    for (const nw_dpsgd_use *u = call->uses; u < call->uses + call->n; u++)
        for (size_t t = 0; t < u->positions; t++) {
            const size_t at = b->first * u->positions + t;
            places[n++] =
                (place){ u->input + at * p->cols, u->grad + at * p->rows, u->positions * p->cols, u->positions * p->rows };
        }
    for (size_t t = 0; t < n; t++) {
        const place *x = &places[t];
        nw__row_products(x->a, x->a_step, x->a, x->a_step, b->examples, p->cols, b->own[t].a);
        nw__row_products(x->g, x->g_step, x->g, x->g_step, b->examples, p->rows, b->own[t].g);
        for (const place *y = places; y < x; y++, pairs++) {
            nw__row_products(x->a, x->a_step, y->a, y->a_step, b->examples, p->cols, b->other[pairs].a);
            nw__row_products(x->g, x->g_step, y->g, y->g_step, b->examples, p->rows, b->other[pairs].g);
        }
    }
    b->positions = n;
}

static void few_of(const nw__dpsgd_call *call, const block *b, size_t i, float *scratch)
{
    const size_t example = b->first + i;
    const size_t pairs = b->positions * (b->positions - 1) / 2;
    double s = 0.0;
    double square = 0.0;
    for (size_t t = 0; t < b->positions; t++) {
        const pair *own = &b->own[t];
        if (!is_usable(own->a[i]) || !is_usable(own->g[i])) {
            nw__dpsgd_exclude(call, example);
            return;
        }
        s += sqrt(own->a[i] * own->g[i]);
        square += own->a[i] * own->g[i];
    }
    for (size_t k = 0; k < pairs; k++)
        square += 2.0 * b->other[k].a[i] * b->other[k].g[i];
    s *= 1.0 + DOUBLES;
    if (square < CANCELLED_FEW * s * s) {
        direct_norm(call, example, s, scratch);
        return;
    }
    const double reach = s / call->p->reach;
    nw__dpsgd_add_norm(call, example, square, (square + LOST * s * s) * (1.0 + DOUBLES), reach * reach * (1.0 + DOUBLES));
}

static void block_of(const nw__dpsgd_call *call, size_t first, float *scratch)
{
    const size_t left = call->d->examples - first;
    block b = { .first = first, .examples = left < BLOCK ? left : BLOCK };
    fill_block(call, &b);
    for (size_t i = 0; i < b.examples; i++)
        few_of(call, &b, i, scratch);
}

/* ---- direct ---- */

/* Rows from .. from + rows of the example's gradient into `tile`. */
static void write_tile(const nw__dpsgd_call *call, size_t example, size_t from, size_t rows, float *tile)
{
    const nw__dpsgd_parameter *p = call->p;
    float beta = 0.0f;
    for (const nw_dpsgd_use *u = call->uses; u < call->uses + call->n; u++) {
        if (u->kind != NW_DPSGD_LINEAR)
            continue;
        const nw__product product = { .is_a_turned = true,
            .m = rows,
            .n = p->cols,
            .k = u->positions,
            .a = u->grad + example * u->positions * p->rows + from,
            .lda = p->rows,
            .b = u->input + example * u->positions * p->cols,
            .ldb = p->cols,
            .beta = beta,
            .c = tile,
            .ldc = p->cols };
        nw__sgemm(&product);
        beta = 1.0f;
    }
    for (const nw_dpsgd_use *u = call->uses; u < call->uses + call->n; u++) {
        const int32_t *tokens = u->kind == NW_DPSGD_EMBEDDING ? u->tokens + example * u->positions : NULL;
        for (size_t t = 0; tokens != NULL && t < u->positions; t++) {
            if (!is_token(call, tokens[t]) || (size_t)tokens[t] < from || (size_t)tokens[t] >= from + rows)
                continue;
            const float *g = u->grad + (example * u->positions + t) * p->cols;
            float *row = tile + ((size_t)tokens[t] - from) * p->cols;
            for (size_t j = 0; j < p->cols; j++)
                row[j] += g[j];
        }
    }
}

/* S is the sum of |a_t| |g_t|: each float of the gradient is a sum of T products. */
static void direct_norm(const nw__dpsgd_call *call, size_t example, double s, float *scratch)
{
    const nw__dpsgd_parameter *p = call->p;
    double square = 0.0;
    for (size_t from = 0; from < p->rows; from += p->tile) {
        const size_t rows = p->rows - from < p->tile ? p->rows - from : p->tile;
        write_tile(call, example, from, rows, scratch);
        square += nw__sum_squares(scratch, rows * p->cols);
    }
    const double positions = (double)nw__dpsgd_positions(call->uses, call->n);
    const double norm = sqrt(square) * (1.0 + DOUBLES) + positions * NW__FLOAT_ROUNDOFF * s * (1.0 + DOUBLES) + 0x1p-80;
    const double reach = s / p->reach;
    nw__dpsgd_add_norm(call, example, square, norm * norm * (1.0 + DOUBLES), reach * reach * (1.0 + DOUBLES));
}

/* S of one example in double; negative if it is to be excluded. */
static double sum_of_lengths(const nw__dpsgd_call *call, size_t example)
{
    const nw__dpsgd_parameter *p = call->p;
    double s = 0.0;
    for (const nw_dpsgd_use *u = call->uses; u < call->uses + call->n; u++) {
        const bool is_linear = u->kind == NW_DPSGD_LINEAR;
        for (size_t t = 0; t < u->positions; t++) {
            const size_t at = example * u->positions + t;
            if (!is_linear && !is_token(call, u->tokens[at]))
                continue;
            const double a = nw__sum_squares((is_linear ? u->input : u->grad) + at * p->cols, p->cols);
            const double g = is_linear ? nw__sum_squares(u->grad + at * p->rows, p->rows) : 1.0;
            if (!is_usable(a) || !is_usable(g))
                return -1.0;
            s += sqrt(a * g);
        }
    }
    return s * (1.0 + DOUBLES);
}

static void direct_of(const nw__dpsgd_call *call, size_t example, float *scratch)
{
    const double s = sum_of_lengths(call, example);
    if (s < 0.0)
        nw__dpsgd_exclude(call, example);
    else
        direct_norm(call, example, s, scratch);
}

/* ---- Gram matrices ---- */

/* The positions of one example, one after the other: linear ones, then those of embeddings. */
typedef struct positions {
    size_t all;
    size_t linear;
    const float *a; /* all x cols */
    const float *g; /* linear x rows */
    float *gram_a;  /* all x all, lower triangle */
    float *gram_g;
    int32_t *tokens; /* of the positions from `linear` on */
} positions;

static size_t gram_scratch(const nw__dpsgd_call *call)
{
    const size_t all = nw__dpsgd_positions(call->uses, call->n);
    const size_t linear = nw__dpsgd_linear_positions(call->uses, call->n);
    return 2 * all * all + (call->n > 1 ? all * call->p->cols + linear * call->p->rows + all : 0);
}

/* Copies uses one after the other. An embedding's padding becomes a row of zeros. */
static void gather(const nw__dpsgd_call *call, size_t example, float *a, float *g, int32_t *tokens)
{
    const nw__dpsgd_parameter *p = call->p;
    size_t at = 0;
    for (const nw_dpsgd_use *u = call->uses; u < call->uses + call->n; u++) {
        if (u->kind != NW_DPSGD_LINEAR)
            continue;
        memcpy(a + at * p->cols, u->input + example * u->positions * p->cols, u->positions * p->cols * sizeof *a);
        memcpy(g + at * p->rows, u->grad + example * u->positions * p->rows, u->positions * p->rows * sizeof *g);
        at += u->positions;
    }
    for (const nw_dpsgd_use *u = call->uses; u < call->uses + call->n; u++) {
        for (size_t t = 0; u->kind == NW_DPSGD_EMBEDDING && t < u->positions; t++) {
            const int32_t token = u->tokens[example * u->positions + t];
            *tokens = is_token(call, token) ? token : -1;
            if (*tokens++ >= 0)
                memcpy(a + at * p->cols, u->grad + (example * u->positions + t) * p->cols, p->cols * sizeof *a);
            else
                memset(a + at * p->cols, 0, p->cols * sizeof *a);
            at++;
        }
    }
}

static positions positions_of(const nw__dpsgd_call *call, size_t example, float *scratch)
{
    const nw__dpsgd_parameter *p = call->p;
    positions x = { .all = nw__dpsgd_positions(call->uses, call->n), .linear = nw__dpsgd_linear_positions(call->uses, call->n) };
    x.gram_a = scratch;
    x.gram_g = scratch + x.all * x.all;
    if (call->n == 1) {
        x.a = call->uses->input + example * x.all * p->cols;
        x.g = call->uses->grad + example * x.all * p->rows;
        return x;
    }
    float *a = x.gram_g + x.all * x.all;
    float *g = a + x.all * p->cols;
    x.tokens = (int32_t *)(g + x.linear * p->rows);
    gather(call, example, a, g, x.tokens);
    x.a = a;
    x.g = g;
    return x;
}

static void gram(const float *rows, size_t n, size_t k, float *out, size_t stride)
{
    if (n >= SYRK_FROM) {
        nw__ssyrk(n, k, rows, k, out, stride);
        return;
    }
    const nw__product product = {
        .is_b_turned = true, .m = n, .n = n, .k = k, .a = rows, .lda = k, .b = rows, .ldb = k, .c = out, .ldc = stride
    };
    nw__sgemm(&product);
}

/* The embeddings' rows of the Gram matrix of g: a product with a row of the identity picks a number. */
static void gram_of_tokens(const nw__dpsgd_call *call, const positions *x)
{
    for (size_t t = x->linear; t < x->all; t++) {
        const int32_t token = x->tokens[t - x->linear];
        float *row = x->gram_g + t * x->all;
        for (size_t s = 0; s < x->linear; s++)
            row[s] = token < 0 ? 0.0f : x->g[s * call->p->rows + (size_t)token];
        for (size_t s = x->linear; s <= t; s++)
            row[s] = token >= 0 && x->tokens[s - x->linear] == token ? 1.0f : 0.0f;
    }
}

/* S, and the sums of lengths that underflow is bounded by. Lengths from the diagonals, each with its error added. */
typedef struct lengths {
    double s;
    double a;
    double g;
    bool is_usable;
} lengths;

static lengths lengths_of(const nw__dpsgd_call *call, const positions *x)
{
    const double d = (double)call->p->cols;
    const double p = (double)call->p->rows;
    lengths l = { .is_usable = true };
    for (size_t t = 0; t < x->all; t++) {
        const double a = (double)x->gram_a[t * x->all + t];
        const double g = (double)x->gram_g[t * x->all + t];
        l.is_usable = l.is_usable && is_usable(a) && is_usable(g);
        const double length_a = sqrt(a * (1.0 + 2.0 * d * NW__FLOAT_ROUNDOFF) + d * UNDERFLOW);
        const double length_g = sqrt(g * (1.0 + 2.0 * p * NW__FLOAT_ROUNDOFF) + p * UNDERFLOW);
        l.s += length_a * length_g;
        l.a += length_a;
        l.g += length_g;
    }
    l.s *= 1.0 + DOUBLES;
    return l;
}

static double product_of_grams(const positions *x)
{
    double below = 0.0;
    double diagonal = 0.0;
    for (size_t t = 0; t < x->all; t++) {
        below += nw__sum_products(x->gram_a + t * x->all, x->gram_g + t * x->all, t);
        diagonal += (double)x->gram_a[t * x->all + t] * (double)x->gram_g[t * x->all + t];
    }
    return fmax(2.0 * below + diagonal, 0.0);
}

static void gram_of(const nw__dpsgd_call *call, size_t example, float *scratch)
{
    const nw__dpsgd_parameter *p = call->p;
    const positions x = positions_of(call, example, scratch);
    gram(x.a, x.all, p->cols, x.gram_a, x.all);
    gram(x.g, x.linear, p->rows, x.gram_g, x.all);
    gram_of_tokens(call, &x);
    const lengths l = lengths_of(call, &x);
    if (!l.is_usable) {
        nw__dpsgd_exclude(call, example);
        return;
    }
    const double square = product_of_grams(&x);
    if (square < CANCELLED * l.s * l.s) {
        direct_norm(call, example, l.s, scratch);
        return;
    }
    const double d = (double)p->cols;
    const double rows = (double)p->rows;
    const double error =
        ((d + rows + 2.0) * NW__FLOAT_ROUNDOFF + DOUBLES * 0x1p-10) * l.s * l.s + UNDERFLOW * (d * l.g * l.g + rows * l.a * l.a);
    const double reach = l.s / p->reach;
    nw__dpsgd_add_norm(call, example, square, (square + error) * (1.0 + DOUBLES), reach * reach * (1.0 + DOUBLES));
}

/* ---- the loop ---- */

nw_status nw__dpsgd_norms_of_products(const nw__dpsgd_call *call, nw_error *err)
{
    nw_dpsgd *d = call->d;
    const nw__dpsgd_parameter *p = call->p;
    const double sides = (double)(p->rows + p->cols) * (double)nw__dpsgd_positions(call->uses, call->n);
    const int threads = nw__dpsgd_threads((double)d->examples * sides * (double)nw__dpsgd_positions(call->uses, call->n));
    const bool is_few = p->plan == NW_DPSGD_PLAN_PRODUCT || (p->plan == NW_DPSGD_PLAN_GRAM && are_few(call));
    const bool is_gram = p->plan == NW_DPSGD_PLAN_GRAM && !is_few;
    const size_t grams = is_gram ? gram_scratch(call) : 0;
    const size_t tile = p->tile * p->cols;
    const size_t step = is_few ? BLOCK : 1;
    if (p->plan != NW_DPSGD_PLAN_PRODUCT)
        NW__TRY(nw__dpsgd_need_scratch(d, grams > tile ? grams : tile, threads, call->function, err));
#pragma omp parallel for schedule(static) num_threads(threads) if (d->examples > step)
    for (size_t i = 0; i < d->examples; i += step) {
        float *scratch = d->scratch == NULL ? NULL : d->scratch + (size_t)omp_get_thread_num() * d->scratch_floats;
        if (is_few)
            block_of(call, i, scratch);
        else if (is_gram)
            gram_of(call, i, scratch);
        else
            direct_of(call, i, scratch);
    }
    return NW_OK;
}
