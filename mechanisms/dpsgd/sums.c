/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* sums.c - clipped gradients into sums of integers. Products of a group of examples are one float product whose result is
 * rounded to the grid; written-out gradients are rounded example by example. While a step has one group only, its result stays
 * in float in the cells, to be rounded where the noise is added. Threads share out cells, so that each cell's sum has one
 * order. */
#include "blas.h"
#include "dpsgd_internal.h"

#include <omp.h>
#include <string.h>

enum { STRIP = 4096 }; /* cells of written-out gradients that stay in the first level of the cache */

static double per_unit(const nw_dpsgd *d)
{
    return 1.0 / (d->step * d->clip_norm);
}

/* ---- products ---- */

/* Rows from .. from + rows of the parameter, of one thread. */
typedef struct tile {
    const nw__dpsgd_call *call;
    const float *factors;
    size_t from;
    size_t rows;
    nw__cells cells;
    int32_t *sums;  /* of the tile */
    float *scaled;  /* most_rows x rows */
    float *result;  /* rows x cols */
    size_t waiting; /* rows of products in the result that is being made */
} tile;

static float *target_of(tile *t)
{
    const size_t cells = t->rows * t->call->p->cols;
    if (t->cells == NW__CELLS_EMPTY)
        return (float *)t->sums;
    if (t->cells == NW__CELLS_FLOATS && t->waiting == 0)
        nw__round_in_place(t->sums, (float)per_unit(t->call->d), cells);
    if (t->cells == NW__CELLS_FLOATS)
        t->cells = NW__CELLS_INTEGERS;
    return t->result;
}

/* Ends a result: the next one starts from nothing. */
static void end_result(tile *t)
{
    const size_t cells = t->rows * t->call->p->cols;
    if (t->waiting == 0)
        return;
    if (t->cells == NW__CELLS_EMPTY)
        t->cells = NW__CELLS_FLOATS;
    else
        nw__add_rounded(t->sums, (float)per_unit(t->call->d), t->result, cells);
    t->waiting = 0;
}

/* Adds c g' a of `rows` positions from `at` on, counted over examples. */
static void add_positions(tile *t, const nw_dpsgd_use *u, size_t at, size_t rows)
{
    const nw__dpsgd_parameter *p = t->call->p;
    nw__scale_rows(t->scaled, t->factors, u->positions, u->grad + at * p->rows + t->from, p->rows, at, rows, t->rows);
    float *target = target_of(t);
    const nw__product product = { .is_a_turned = true,
        .m = t->rows,
        .n = p->cols,
        .k = rows,
        .a = t->scaled,
        .lda = t->rows,
        .b = u->input + at * p->cols,
        .ldb = p->cols,
        .beta = t->waiting == 0 ? 0.0f : 1.0f,
        .c = target,
        .ldc = p->cols };
    nw__sgemm(&product);
    t->waiting += rows;
}

/* Positions of neighbouring examples, cut so that no result has more than most_rows. */
static void add_run(tile *t, const nw_dpsgd_use *u, size_t first, size_t last)
{
    const size_t most = t->call->p->most_rows;
    for (size_t at = first * u->positions; at < last * u->positions;) {
        const size_t left = last * u->positions - at;
        const size_t rows = left < most - t->waiting ? left : most - t->waiting;
        add_positions(t, u, at, rows);
        at += rows;
        if (t->waiting == most)
            end_result(t);
    }
}

/* Examples first .. last - 1, without those whose factor is zero: their numbers may be infinite. */
static void add_group(tile *t, size_t first, size_t last)
{
    const nw__dpsgd_call *call = t->call;
    for (const nw_dpsgd_use *u = call->uses; u < call->uses + call->n; u++) {
        for (size_t i = first; u->kind == NW_DPSGD_LINEAR && i < last;) {
            size_t end = i;
            while (end < last && t->factors[end] > 0.0f)
                end++;
            if (end > i)
                add_run(t, u, i, end);
            i = end + 1;
        }
    }
    end_result(t);
}

static size_t product_scratch(const nw__dpsgd_parameter *p)
{
    return p->most_rows * p->tile + p->tile * p->cols;
}

static void sum_tile(const nw__dpsgd_call *call, size_t from, float *scratch, nw__cells *cells)
{
    nw_dpsgd *d = call->d;
    const nw__dpsgd_parameter *p = call->p;
    tile t = { .call = call, .factors = d->factors + p->layer * d->examples, .from = from, .cells = p->cells };
    t.rows = p->rows - from < p->tile ? p->rows - from : p->tile;
    t.sums = d->sums + p->first + from * p->cols;
    t.scaled = scratch;
    t.result = scratch + p->most_rows * p->tile;
    for (size_t first = 0; first < d->examples; first += p->group)
        add_group(&t, first, first + p->group < d->examples ? first + p->group : d->examples);
    *cells = t.cells;
}

nw_status nw__dpsgd_sum_products(const nw__dpsgd_call *call, nw_error *err)
{
    nw_dpsgd *d = call->d;
    nw__dpsgd_parameter *p = call->p;
    const double products = (double)d->examples * (double)nw__dpsgd_positions(call->uses, call->n);
    const int threads = nw__dpsgd_threads(products * (double)p->rows * (double)p->cols);
    nw__cells cells = p->cells;
    NW__TRY(nw__dpsgd_need_scratch(d, product_scratch(p), threads, call->function, err));
#pragma omp parallel for schedule(static, 1) num_threads(threads) if (p->rows > p->tile)
    for (size_t from = 0; from < p->rows; from += p->tile) {
        nw__cells own = NW__CELLS_EMPTY;
        sum_tile(call, from, d->scratch + (size_t)omp_get_thread_num() * d->scratch_floats, &own);
        if (from == 0)
            cells = own; /* the same of each tile */
    }
    p->cells = cells;
    if (nw__dpsgd_linear_positions(call->uses, call->n) == nw__dpsgd_positions(call->uses, call->n))
        return NW_OK;
    NW__TRY(nw__dpsgd_sort_tokens(call, err));
    nw__dpsgd_sum_tokens(call);
    return NW_OK;
}

/* ---- written-out gradients ---- */

/* Adds cells from .. from + n of `count` gradients. An integer a gradient, so nothing is left to order. */
static void sum_strip(const nw__dpsgd_call *call, const float *vectors, size_t first, size_t count, size_t from, size_t n)
{
    nw_dpsgd *d = call->d;
    const size_t cells = call->p->rows * call->p->cols;
    const float *factors = d->factors + call->p->layer * d->examples + first;
    nw__add_rounded_rows(d->sums + call->p->first + from, factors, per_unit(d), vectors + from, cells, count, n);
}

static void sum_written(const nw__dpsgd_call *call, const float *vectors, size_t first, size_t count, int threads)
{
    const size_t cells = call->p->rows * call->p->cols;
#pragma omp parallel for schedule(static) num_threads(threads) if (cells > STRIP)
    for (size_t from = 0; from < cells; from += STRIP)
        sum_strip(call, vectors, first, count, from, cells - from < STRIP ? cells - from : STRIP);
}

/* Without room for all, as many as there are threads are written at a time. */
static nw_status write_and_sum(const nw__dpsgd_call *call, int threads, nw_error *err)
{
    nw_dpsgd *d = call->d;
    const size_t cells = call->p->rows * call->p->cols;
    const size_t patches = nw__dpsgd_vector_scratch(call->uses, call->n);
    const size_t each = (size_t)threads * cells;
    NW__TRY(nw__dpsgd_need_scratch(d, patches + each, threads, call->function, err));
    float *vectors = d->scratch + (size_t)threads * patches;
    for (size_t first = 0; first < d->examples; first += (size_t)threads) {
        const size_t left = d->examples - first;
        const size_t count = left < (size_t)threads ? left : (size_t)threads;
#pragma omp parallel for schedule(static) num_threads(threads) if (count > 1)
        for (size_t i = 0; i < count; i++)
            nw__dpsgd_write_vector(call, first + i, vectors + i * cells, d->scratch + (size_t)omp_get_thread_num() * patches);
        sum_written(call, vectors, first, count, threads);
    }
    return NW_OK;
}

nw_status nw__dpsgd_sum_vectors(const nw__dpsgd_call *call, nw_error *err)
{
    nw__dpsgd_parameter *p = call->p;
    const float *borrowed = nw__dpsgd_borrowed(p, call->uses, call->n);
    const size_t patches = nw__dpsgd_vector_scratch(call->uses, call->n);
    const int threads = nw__dpsgd_threads((double)call->d->examples * (double)p->rows * (double)(p->cols + patches));
    nw__dpsgd_make_integers(call->d, p);
    if (borrowed == NULL && p->plan != NW_DPSGD_PLAN_STORED)
        return write_and_sum(call, threads, err);
    sum_written(call, borrowed != NULL ? borrowed : p->kept, 0, call->d->examples, threads);
    return NW_OK;
}

void nw__dpsgd_make_integers(nw_dpsgd *d, nw__dpsgd_parameter *p)
{
    int32_t *cells = d->sums + p->first;
    if (p->cells == NW__CELLS_EMPTY)
        memset(cells, 0, p->rows * p->cols * sizeof *cells);
    else if (p->cells == NW__CELLS_FLOATS)
        nw__round_in_place(cells, (float)per_unit(d), p->rows * p->cols);
    p->cells = NW__CELLS_INTEGERS;
}
