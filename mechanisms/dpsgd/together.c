/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* together.c - one step of many processes. A batch is one list of places in random order, and its groups are those of one
 * process (docs/decisions/0020-processes-share-places.md); each process has whole groups. What is added up are integers, so the
 * sum is that of one process to the bit; process 0 adds the noise, once, and all take the gradients from it. */
#include "dpsgd_internal.h"

#include <sodium.h>
#include <string.h>

enum { PIECE = 1 << 16, COUNTS = 2 }; /* numbers that are added up in one call */

bool nw__dpsgd_is_first(const nw_dpsgd *d)
{
    return d->opts.reduce == NULL || d->opts.reduce->rank == 0;
}

/* Groups of every parameter end where the largest does, as they are powers of two; and with a micro-batch. */
size_t nw__dpsgd_unit(const nw_dpsgd *d)
{
    size_t group = 1;
    for (size_t i = 0; i < d->count; i++)
        group = d->parameters[i].group > group ? d->parameters[i].group : group;
    const size_t micro_batch = d->opts.micro_batch;
    return micro_batch == 0 || micro_batch % group == 0 ? group : micro_batch;
}

void nw_dpsgd_part(const nw_dpsgd *d, size_t n, size_t *first, size_t *count)
{
    const nw_reduce one = { .size = 1 };
    const nw_reduce *reduce = d->opts.reduce != NULL ? d->opts.reduce : &one;
    const size_t unit = nw__dpsgd_unit(d);
    const size_t units = (n + unit - 1) / unit;
    /* Rounded down: the last unit, which may be a short one, goes to the last process. */
    const size_t from = units / reduce->size * reduce->rank + units % reduce->size * reduce->rank / reduce->size;
    const size_t to = units / reduce->size * (reduce->rank + 1) + units % reduce->size * (reduce->rank + 1) / reduce->size;
    *first = from * unit < n ? from * unit : n;
    *count = (to * unit < n ? to * unit : n) - *first;
}

/* The first piece also has the number of examples, which all together must leave room in a cell, and the count of the adaptive
 * clip norm: a call costs more than what it carries. */
static nw_status sum_piece(nw_dpsgd *d, int64_t *piece, size_t first, size_t n, nw_error *err)
{
    const nw_reduce *reduce = d->opts.reduce;
    for (size_t i = 0; i < n; i++)
        piece[i] = d->sums[first + i];
    piece[n] = (int64_t)d->step_examples;
    piece[n + 1] = d->below;
    NW__TRY(reduce->sum_i64(reduce->context, piece, n + (first == 0 ? COUNTS : 0), err));
    if (first == 0 && piece[n] > (int64_t)d->largest_batch)
        return nw__fail(err, NW_E_ARG, "nw_dpsgd_finish_step",
            "the step has more examples than expected_batch = %g leaves room for: %zu", d->opts.expected_batch, d->largest_batch);
    d->below = first == 0 ? piece[n + 1] : d->below;
    for (size_t i = 0; i < n; i++)
        d->sums[first + i] = (int32_t)piece[i];
    return NW_OK;
}

/* Process 0 has released, or failed: its gradients, and where the clip norm has gone. */
static nw_status take_release(nw_dpsgd *d, nw_status mine, nw_error *err)
{
    const nw_reduce *reduce = d->opts.reduce;
    struct {
        int64_t status;
        double clip_norm;
    } message = { mine, d->clip_norm };
    NW__TRY(reduce->broadcast(reduce->context, &message, sizeof message, err));
    if (message.status != NW_OK)
        return nw_reduce_agree(reduce, mine, err); /* tells all why */
    NW__TRY(reduce->broadcast(reduce->context, d->sums, d->cell_count * sizeof *d->sums, err));
    nw__dpsgd_set_clip(d, message.clip_norm);
    return NW_OK;
}

static nw_status release_together(nw_dpsgd *d, int64_t *piece, nw_error *err)
{
    for (size_t i = 0; i < d->count; i++)
        nw__dpsgd_make_integers(d, &d->parameters[i]);
    for (size_t first = 0; first < d->cell_count; first += PIECE)
        NW__TRY(sum_piece(d, piece, first, d->cell_count - first < PIECE ? d->cell_count - first : PIECE, err));
    return take_release(d, nw__dpsgd_is_first(d) ? nw__dpsgd_release(d, err) : NW_OK, err);
}

nw_status nw__dpsgd_release_together(nw_dpsgd *d, nw_status mine, nw_error *err)
{
    const size_t room = (d->cell_count < PIECE ? d->cell_count : PIECE) + COUNTS;
    int64_t *piece = mine == NW_OK ? nw__calloc(room, sizeof *piece) : NULL;
    if (mine == NW_OK && piece == NULL)
        mine = nw__fail_memory(err, "nw_dpsgd_finish_step");
    nw_status status = nw_reduce_agree(d->opts.reduce, mine, err);
    if (status == NW_OK)
        status = release_together(d, piece, err);
    nw__free_wiped(piece, piece == NULL ? 0 : room * sizeof *piece);
    if (status != NW_OK && d->sums != NULL)
        sodium_memzero(d->sums, d->cell_count * sizeof *d->sums);
    return status;
}

nw_status nw_dpsgd_abandon_step(nw_dpsgd *d, nw_status status, nw_error *err)
{
    if (d == NULL || status == NW_OK)
        return nw__fail(err, NW_E_ARG, __func__, d == NULL ? "dpsgd is NULL" : "status is NW_OK, must be what went wrong");
    if (d->opts.reduce != NULL)
        status = nw__dpsgd_release_together(d, status, err);
    else if (d->sums != NULL)
        sodium_memzero(d->sums, d->cell_count * sizeof *d->sums);
    nw__dpsgd_end_step(d);
    return status;
}
