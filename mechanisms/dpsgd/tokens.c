/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* tokens.c - embeddings: an example's gradient has one row for each of its tokens, the sum over the positions that have it.
 * Sorted by token, these are runs, so norm and sum cost T d and touch no other row. */
#include "dpsgd_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STRIP = 64, POSITION_BITS = 32 };
static const double DOUBLES = 0x1p-26;
static const uint64_t PADDING = UINT64_MAX;

static int compare(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left;
    const uint64_t b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static uint32_t token_of(uint64_t key)
{
    return (uint32_t)(key >> POSITION_BITS);
}

/* Keys are the token, then the position counted over all uses; padding comes last. */
static void sort_example(const nw__dpsgd_call *call, size_t example, uint64_t *keys)
{
    size_t at = 0;
    for (const nw_dpsgd_use *u = call->uses; u < call->uses + call->n; u++) {
        for (size_t t = 0; t < u->positions; t++, at++) {
            const int32_t token = u->kind == NW_DPSGD_EMBEDDING ? u->tokens[example * u->positions + t] : -1;
            const bool is_row = token >= 0 && (size_t)token < call->p->rows;
            keys[at] = is_row ? (uint64_t)(uint32_t)token << POSITION_BITS | at : PADDING;
        }
    }
    qsort(keys, at, sizeof *keys, compare);
}

nw_status nw__dpsgd_sort_tokens(const nw__dpsgd_call *call, nw_error *err)
{
    nw_dpsgd *d = call->d;
    nw__dpsgd_parameter *p = call->p;
    if (d->examples > p->order_examples) {
        size_t cells = 0;
        uint64_t *order = nw__mul_size(d->examples, p->positions, &cells) ? nw__calloc(cells, sizeof *order) : NULL;
        if (order == NULL)
            return nw__fail_memory(err, call->function);
        nw__free_wiped(p->order, p->order_examples * p->positions * sizeof *order);
        p->order = order;
        p->order_examples = d->examples;
    }
    const size_t positions = nw__dpsgd_positions(call->uses, call->n);
    const int threads = nw__dpsgd_threads((double)d->examples * (double)positions * 64.0);
#pragma omp parallel for schedule(static) num_threads(threads) if (d->examples > 1)
    for (size_t i = 0; i < d->examples; i++)
        sort_example(call, i, p->order + i * positions);
    return NW_OK;
}

/* The row of grad at a position counted over all uses. */
static const float *grad_row(const nw__dpsgd_call *call, size_t example, uint64_t key)
{
    size_t t = (size_t)(key & ((UINT64_C(1) << POSITION_BITS) - 1));
    const nw_dpsgd_use *u = call->uses;
    for (; t >= u->positions; u++)
        t -= u->positions;
    return u->grad + (example * u->positions + t) * call->p->cols;
}

/* Columns from .. from + n of the row that starts at keys[0]; returns the key after its run. */
static const uint64_t *sum_run(
    const nw__dpsgd_call *call, size_t example, const uint64_t *keys, const uint64_t *end, size_t from, size_t n, double *sums)
{
    const uint32_t token = token_of(*keys);
    memset(sums, 0, n * sizeof *sums);
    for (; keys < end && *keys != PADDING && token_of(*keys) == token; keys++)
        nw__add_to_doubles(sums, grad_row(call, example, *keys) + from, n);
    return keys;
}

static size_t strip_at(size_t cols, size_t from)
{
    return cols - from < STRIP ? cols - from : STRIP;
}

static double square_of(const nw__dpsgd_call *call, size_t example, const uint64_t *keys, const uint64_t *end)
{
    double sums[STRIP];
    double square = 0.0;
    for (const uint64_t *run = keys; run < end && *run != PADDING;) {
        const uint64_t *next = run;
        for (size_t from = 0; from < call->p->cols; from += STRIP) {
            const size_t n = strip_at(call->p->cols, from);
            next = sum_run(call, example, run, end, from, n, sums);
            for (size_t j = 0; j < n; j++)
                square += sums[j] * sums[j];
        }
        run = next;
    }
    return square;
}

nw_status nw__dpsgd_norms_of_tokens(const nw__dpsgd_call *call, nw_error *err)
{
    NW__TRY(nw__dpsgd_sort_tokens(call, err));
    nw_dpsgd *d = call->d;
    const size_t positions = nw__dpsgd_positions(call->uses, call->n);
    const int threads = nw__dpsgd_threads((double)call->d->examples * (double)positions * (double)call->p->cols);
#pragma omp parallel for schedule(static) num_threads(threads) if (d->examples > 1)
    for (size_t i = 0; i < d->examples; i++) {
        const uint64_t *keys = call->p->order + i * positions;
        const double square = square_of(call, i, keys, keys + positions);
        if (square <= NW__LARGEST_SQUARE)
            nw__dpsgd_add_norm(call, i, square, square * (1.0 + DOUBLES), 0.0);
        else
            nw__dpsgd_exclude(call, i);
    }
    return NW_OK;
}

/* Columns from .. from + n of all examples: columns are what threads share out, as examples meet in rows. */
static void sum_strip(const nw__dpsgd_call *call, size_t positions, size_t from, size_t n)
{
    nw_dpsgd *d = call->d;
    const nw__dpsgd_parameter *p = call->p;
    const float *factors = d->factors + p->layer * d->examples;
    const double per_unit = 1.0 / (d->step * d->clip_norm);
    double sums[STRIP];
    for (size_t i = 0; i < d->examples; i++) {
        const uint64_t *keys = p->order + i * positions;
        const uint64_t *end = keys + positions;
        while (factors[i] > 0.0f && keys < end && *keys != PADDING) {
            int32_t *cells = d->sums + p->first + (size_t)token_of(*keys) * p->cols + from;
            keys = sum_run(call, i, keys, end, from, n, sums);
            nw__add_rounded_doubles(cells, (double)factors[i] * per_unit, sums, n);
        }
    }
}

void nw__dpsgd_sum_tokens(const nw__dpsgd_call *call)
{
    nw__dpsgd_make_integers(call->d, call->p);
    const size_t cols = call->p->cols;
    const size_t positions = nw__dpsgd_positions(call->uses, call->n);
    const int threads = nw__dpsgd_threads((double)call->d->examples * (double)positions * (double)call->p->cols);
#pragma omp parallel for schedule(static) num_threads(threads) if (cols > STRIP)
    for (size_t from = 0; from < cols; from += STRIP)
        sum_strip(call, positions, from, strip_at(cols, from));
}
