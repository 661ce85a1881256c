/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_BATCHES_H
#define NW_BATCHES_H

/* nw/batches.h - which records take part in which step of a training run, and what that does to the privacy of a step.
 *
 * The object that draws the batches is the one that makes the accounting event: a batch cannot be drawn one way and accounted
 * another. A batch comes in random order, which the proof of the exact sums needs (docs/rooms/dpsgd.md#sums).
 *
 *   nw_batches *batches = NULL;
 *   nw_batches_poisson(&batches, records, 256.0 / records, NW_ADD_REMOVE, &err);
 *   nw_batches_event(batches, step, steps, &run, &err);           what the run costs
 *   nw_batches_next(batches, rng, &indices, &n, &err);            n may be 0: that is a step, too
 */
#include <nw/event.h>
#include <nw/rng.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum nw_batches_kind {
    NW_BATCHES_POISSON = 1,  /* each record enters each batch with probability rate, independently */
    NW_BATCHES_FULL = 2,     /* every record in every batch */
    NW_BATCHES_SHUFFLED = 3, /* one random order, cut into batches of one size, again each epoch; no amplification is claimed */
    NW_BATCHES_FIXED_SIZE = 4 /* a uniform set of one size, drawn anew each step; replace_one */
} nw_batches_kind;

typedef struct nw_batches nw_batches; /* confined */

/** Poisson sampling by geometric gaps.
 *  Shapes    *out: new handle, or NULL on error.
 *  Units     records: how many the caller holds, at most 2^31 - 1; rate in (0, 1], public.
 *  Errors    NW_E_ARG; NW_E_NOMEM.
 *  Cost      a step costs its batch, not the records. Threads: confined.
 *  Source    docs/rooms/dpsgd.md#batches.
 *  Example   examples/dpsgd.c */
NW_API NW_WARN_UNUSED nw_status nw_batches_poisson(
    nw_batches **out, size_t records, double rate, nw_adjacency adjacency, nw_error *err);
/** Every record in every step. Errors, as above. */
NW_API NW_WARN_UNUSED nw_status nw_batches_full(nw_batches **out, size_t records, nw_adjacency adjacency, nw_error *err);
/** Epochs over a random order in batches of `size`; the last of an epoch may be smaller. A record takes part once an epoch, so a run
 *  is accounted as its epochs one after the other, each in parallel over its batches: that an adversary does not know the
 *  order is not counted on [CGHLKKMSZ24]. The number of records is public: replace_one or zero_out. */
NW_API NW_WARN_UNUSED nw_status nw_batches_shuffled(
    nw_batches **out, size_t records, size_t size, nw_adjacency adjacency, nw_error *err);
/** A set of `size` of the records, without replacement, anew each step. replace_one. */
NW_API NW_WARN_UNUSED nw_status nw_batches_fixed_size(nw_batches **out, size_t records, size_t size, nw_error *err);
NW_API void nw_batches_free(nw_batches *batches);

NW_API nw_batches_kind nw_batches_get_kind(const nw_batches *batches);
NW_API nw_adjacency nw_batches_adjacency(const nw_batches *batches);
/** The public number that sums are divided by: rate * records, or the size; never the actual size of a batch. Under Poisson
 *  sampling and add_remove `records` is not public: then hand the divisor to nw_dpsgd_opts instead. */
NW_API double nw_batches_expected_size(const nw_batches *batches);

/** The event of `steps` steps whose batch goes through `step` (a leaf, such as nw_dpsgd_event gives it).
 *  Errors NW_E_ARG; NW_E_UNSUPPORTED: that step under this sampling has no accountant; NW_E_NOMEM. */
NW_API NW_WARN_UNUSED nw_status nw_batches_event(
    const nw_batches *batches, const nw_event *step, uint64_t steps, nw_event **out, nw_error *err);

/** Draws the next batch.
 *  Shapes    *indices: uint32[*n], in random order, borrowed until the next call; *n may be 0.
 *  Units     indices of records.
 *  Errors    NW_E_NOMEM; NW_E_ENTROPY.
 *  Cost      about 20 ns an index. Threads: confined.
 *  Source    docs/rooms/dpsgd.md#batches.
 *  Example   examples/dpsgd.c */
NW_API NW_WARN_UNUSED nw_status nw_batches_next(
    nw_batches *batches, nw_rng *rng, const uint32_t **indices, size_t *n, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
