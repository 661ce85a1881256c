/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* finish.c - noise, once a step: integers of the rounded Gaussian law on the grid of the sums, all cells of all parameters one
 * after the other in slabs of a fixed size. Only then are they divided, and turned into floats. */
#include "dpsgd_internal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { SLAB = 1 << 17, PIECE = 1 << 13 }; /* cells drawn together, and released by one thread */

static void release_piece(nw_dpsgd *d, const nw__dpsgd_parameter *p, size_t first, size_t n, const int64_t *noise)
{
    const double unit = d->step * d->clip_norm / d->opts.expected_batch;
    int32_t *cells = d->sums + first;
    if (p->cells == NW__CELLS_EMPTY)
        memset(cells, 0, n * sizeof *cells);
    if (p->cells == NW__CELLS_FLOATS)
        nw__release_floats(cells, (float)(1.0 / (d->step * d->clip_norm)), noise, unit, n);
    else
        nw__release_integers(cells, noise, unit, n);
}

/* Cells first .. first + n, which may be of several parameters. */
static void release_slab(nw_dpsgd *d, size_t first, size_t n, const int64_t *noise)
{
    const int threads = nw__dpsgd_threads((double)n * 4.0);
    for (size_t i = 0; i < d->count; i++) {
        const nw__dpsgd_parameter *p = &d->parameters[i];
        const size_t end = p->first + p->rows * p->cols;
        const size_t from = first > p->first ? first : p->first;
        const size_t to = first + n < end ? first + n : end;
        if (from >= to)
            continue;
#pragma omp parallel for schedule(static) num_threads(threads) if (to - from > PIECE)
        for (size_t at = from; at < to; at += PIECE)
            release_piece(d, p, at, to - at < PIECE ? to - at : PIECE, noise + (at - first));
    }
}

/* ---- correlated ---- */

void nw__dpsgd_set_noise(nw_dpsgd *d, nw__dpsgd_noise release, void *context)
{
    d->release = release;
    d->release_context = context;
}

double nw__dpsgd_noise_scale(const nw_dpsgd *d)
{
    return d->noise_scale;
}

static nw_status release_totals(nw_dpsgd *d, size_t first, size_t n, int64_t *totals, double *out, nw_error *err)
{
    const double unit = d->step * d->clip_norm / d->opts.expected_batch;
    for (size_t i = 0; i < n; i++)
        totals[i] = d->sums[first + i];
    NW__TRY(d->release(d->release_context, d->rng, totals, first, n, out, err));
    for (size_t i = 0; i < n; i++) {
        const float gradient = (float)(out[i] * unit);
        memcpy(&d->sums[first + i], &gradient, sizeof gradient);
    }
    return NW_OK;
}

static nw_status release_correlated(nw_dpsgd *d, nw_error *err)
{
    int64_t *totals = nw__calloc(PIECE, sizeof *totals);
    double *out = nw__calloc(PIECE, sizeof *out);
    nw_status status = totals == NULL || out == NULL ? nw__fail_memory(err, "nw_dpsgd_finish_step") : NW_OK;
    for (size_t i = 0; i < d->count; i++)
        nw__dpsgd_make_integers(d, &d->parameters[i]);
    for (size_t first = 0; status == NW_OK && first < d->cell_count; first += PIECE)
        status = release_totals(d, first, d->cell_count - first < PIECE ? d->cell_count - first : PIECE, totals, out, err);
    nw__free_wiped(totals, PIECE * sizeof *totals);
    free(out);
    if (status != NW_OK)
        sodium_memzero(d->sums, d->cell_count * sizeof *d->sums);
    return status;
}

nw_status nw__dpsgd_release(nw_dpsgd *d, nw_error *err)
{
    if (d->release != NULL)
        return release_correlated(d, err);
    const size_t slab = d->cell_count < SLAB ? d->cell_count : SLAB;
    int64_t *noise = nw__calloc(slab, sizeof *noise);
    nw_status status = noise == NULL ? nw__fail_memory(err, "nw_dpsgd_finish_step") : NW_OK;
    for (size_t first = 0; status == NW_OK && first < d->cell_count; first += slab) {
        const size_t n = d->cell_count - first < slab ? d->cell_count - first : slab;
        if (d->noise != NULL)
            status = nw_noise_fill(d->noise, d->rng, noise, n, err);
        if (status == NW_OK)
            release_slab(d, first, n, noise);
    }
    nw__free_wiped(noise, slab * sizeof *noise);
    if (status == NW_OK && d->opts.quantile > 0.0)
        status = nw__dpsgd_move_clip(d, err);
    if (status != NW_OK)
        sodium_memzero(d->sums, d->cell_count * sizeof *d->sums);
    return status;
}
