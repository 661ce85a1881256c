/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* gradients.c - records that are handed as vectors: in a difference round it is the vector of the difference that is clipped. */
#include "diff2_internal.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Fewer numbers are added before another thread would have begun. */
static const double WORTH_A_THREAD = 0x1p17;
/* Squares of finite floats add up to less. */
static const double LARGEST_SQUARE = 0x1p300;

typedef struct vectors {
    const nw_diff2 *d;
    const float *now;
    const float *before; /* or NULL */
    size_t stride;
    double per_unit;
} vectors;

static void add_row(const vectors *in, size_t row, int64_t *totals)
{
    const size_t n = in->d->dimension;
    const float *x = in->now + row * in->stride;
    const float *y = in->before == NULL ? NULL : in->before + row * in->stride;
    const double square = nw__diff2_square(x, y, n);
    if (!(square <= LARGEST_SQUARE))
        return; /* a NaN or an infinity */
    const double norm = sqrt(square);
    const double scale = norm * in->per_unit <= NW__DIFF2_REACH ? in->per_unit : NW__DIFF2_REACH / norm;
    nw__diff2_add_vector(totals, x, y, scale, n);
}

/* Rows from .. to, without those that are not in a local sample. */
static void add_rows(const vectors *in, size_t from, size_t to, int64_t *totals)
{
    enum { PIECE = 64 };
    bool is_in[PIECE];
    for (size_t at = from; at < to; at += PIECE) {
        const size_t n = to - at < PIECE ? to - at : PIECE;
        memset(is_in, 1, sizeof is_in);
        if (in->d->round.kind == NW_DIFF2_LOCAL)
            nw__diff2_sample(in->d, in->d->opts.first_record + in->d->added + at, n, is_in);
        for (size_t i = 0; i < n; i++)
            if (is_in[i])
                add_row(in, at + i, totals);
    }
}

static nw_status add_in_threads(nw_diff2 *d, const vectors *in, size_t rows, size_t team, nw_error *err)
{
    const size_t n = d->dimension;
    int64_t *totals = nw__calloc(team, n * sizeof *totals);
    if (totals == NULL)
        return nw__fail_memory(err, "nw_diff2_add_gradients");
#pragma omp parallel for schedule(static) num_threads((int)team)
    for (size_t t = 0; t < team; t++)
        add_rows(in, rows / team * t + (t < rows % team ? t : rows % team),
            rows / team * (t + 1) + (t + 1 < rows % team ? t + 1 : rows % team), totals + t * n);
    for (size_t t = 0; t < team; t++)
        nw__diff2_merge(d->sums, totals + t * n, n);
    nw__free_wiped(totals, team * n * sizeof *totals);
    return NW_OK;
}

static nw_status check(
    const nw_diff2 *d, const float *gradients, const float *previous, size_t rows, size_t stride, nw_error *err)
{
    static const char function[] = "nw_diff2_add_gradients";
    size_t product;
    NW__TRY(nw__diff2_check_open(d, function, err));
    if (gradients == NULL && rows > 0)
        return nw__fail(err, NW_E_ARG, function, "gradients is NULL");
    if (previous == NULL && d->round.kind != NW_DIFF2_RESTART && rows > 0)
        return nw__fail(err, NW_E_ARG, function, "previous is NULL, must be the gradients at nw_diff2_previous in this round");
    if (previous != NULL && d->round.kind == NW_DIFF2_RESTART)
        return nw__fail(err, NW_E_ARG, function, "previous is given, must be NULL in a restart");
    if ((stride != 0 && stride < d->dimension) || !nw__mul_size(rows, stride, &product))
        return nw__fail(
            err, NW_E_ARG, function, "stride is %zu, must be at least %zu, the dimension, or 0", stride, d->dimension);
    return NW_OK;
}

static nw_status add(nw_diff2 *d, const float *gradients, const float *previous, size_t rows, size_t stride, nw_error *err)
{
    NW__TRY(check(d, gradients, previous, rows, stride, err));
    const vectors in = { d, gradients, previous, stride == 0 ? d->dimension : stride, nw__diff2_per_unit(d) };
    const size_t worth = (size_t)fmin((double)rows, (double)rows * (double)d->dimension / WORTH_A_THREAD);
    const size_t most = (size_t)nw__threads((int)d->opts.threads);
    const size_t team = worth < most ? worth : most;
    d->has_additions = true;
    if (d->round.bound > 0.0 && team <= 1)
        add_rows(&in, 0, rows, d->sums);
    else if (d->round.bound > 0.0)
        NW__TRY(add_in_threads(d, &in, rows, team, err));
    d->added += rows;
    return NW_OK;
}

nw_status nw_diff2_add_gradients(
    nw_diff2 *d, const float *gradients, const float *previous, size_t rows, size_t stride, nw_error *err)
{
    return nw__diff2_spoil(d, add(d, gradients, previous, rows, stride, err));
}
