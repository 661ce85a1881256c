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
    NW_BATCHES_POISSON = 1,    /* each record enters each batch with probability rate, independently */
    NW_BATCHES_FULL = 2,       /* every record in every batch */
    NW_BATCHES_SHUFFLED = 3,   /* one random order, cut into batches of one size, again each epoch; no amplification is claimed */
    NW_BATCHES_FIXED_SIZE = 4, /* a uniform set of one size, drawn anew each step; replace_one */
    NW_BATCHES_CYCLIC = 5 /* each record in one of so many batches, which come round and round; no amplification is claimed */
} nw_batches_kind;

typedef struct nw_batches nw_batches; /* confined */

#define NW_BATCHES_MOST_RECORDS 2147483647

/** Poisson sampling by geometric gaps.
 *  Shapes    *out: new handle, or NULL on error.
 *  Units     records: how many the caller holds, at most 2^31 - 1; rate in [2^-60, 1], public.
 *  Errors    NW_E_ARG; NW_E_NOMEM.
 *  Cost      a step costs its batch, not the records. Threads: confined.
 *  Source    docs/rooms/dpsgd.md#batches.
 *  Example   examples/dpsgd.c */
NW_API NW_WARN_UNUSED nw_status nw_batches_poisson(
    nw_batches **out, size_t records, double rate, nw_adjacency adjacency, nw_error *err);
/** Every record in every step. Errors, as above. */
NW_API NW_WARN_UNUSED nw_status nw_batches_full(nw_batches **out, size_t records, nw_adjacency adjacency, nw_error *err);
/** Epochs over a random order in batches of `size`, 1 .. records; the last of an epoch may be smaller. A record takes part once
 *  an epoch, so a run is accounted as one step for each epoch that it begins: that an adversary does not know the order is not
 *  counted on [CGKKMSZ24]. The number of records is public: replace_one or zero_out. */
NW_API NW_WARN_UNUSED nw_status nw_batches_shuffled(
    nw_batches **out, size_t records, size_t size, nw_adjacency adjacency, nw_error *err);
/** A set of `size` of the records, 1 .. records, without replacement, anew each step. replace_one. */
NW_API NW_WARN_UNUSED nw_status nw_batches_fixed_size(nw_batches **out, size_t records, size_t size, nw_error *err);
/** Each record is put into one of `cycle` batches, uniformly and independently, once for the whole run; step t takes batch t
 *  modulo cycle. For noise that is correlated over steps (nw/correlated.h), whose accounting counts steps between two
 *  participations. The number of batches is public, that of the records need not be: any adjacency. */
NW_API NW_WARN_UNUSED nw_status nw_batches_cyclic(
    nw_batches **out, size_t records, size_t cycle, nw_adjacency adjacency, nw_error *err);
NW_API void nw_batches_free(nw_batches *batches);

NW_API nw_batches_kind nw_batches_get_kind(const nw_batches *batches);
NW_API nw_adjacency nw_batches_adjacency(const nw_batches *batches);
/** The public number that sums are divided by: rate * records, records / cycle, or the size; never the actual size of a batch.
 *  Under add_remove `records` is not public: then hand the divisor to nw_dpsgd_opts instead. */
NW_API double nw_batches_expected_size(const nw_batches *batches);
/** In how many of `steps` steps from the first on one record may take part at most, and how many steps lie between two of them at
 *  least: what nw_strategy asks. */
NW_API uint64_t nw_batches_participations(const nw_batches *batches, uint64_t steps);
NW_API uint64_t nw_batches_separation(const nw_batches *batches);

/** The event of `steps` steps from the first on, whose batch goes through `step`: a leaf, such as nw_dpsgd_event gives it, or
 *  leaves composed.
 *  Errors NW_E_ARG; NW_E_UNSUPPORTED: that step under this sampling has no accountant; NW_E_NOMEM. */
NW_API NW_WARN_UNUSED nw_status nw_batches_event(
    const nw_batches *batches, const nw_event *step, uint64_t steps, nw_event **out, nw_error *err);
/** The same in the form that nw_ledger_reserve takes: the run is *count times *part. Errors, as above. */
NW_API NW_WARN_UNUSED nw_status nw_batches_charge(
    const nw_batches *batches, const nw_event *step, uint64_t steps, nw_event **part, uint64_t *count, nw_error *err);

/** Draws the next batch.
 *  Shapes    *indices: uint32[*n], in random order, borrowed until the next call; *n may be 0.
 *  Units     indices of records.
 *  Errors    NW_E_NOMEM; NW_E_ENTROPY.
 *  Cost      about 20 ns an index. Threads: confined.
 *  Source    docs/rooms/dpsgd.md#batches.
 *  Example   examples/dpsgd.c */
NW_API NW_WARN_UNUSED nw_status nw_batches_next(
    nw_batches *batches, nw_rng *rng, const uint32_t **indices, size_t *n, nw_error *err);

#define NW_BATCHES_STATE_SIZE 48
/** What a checkpoint has to keep, so that the batches of a run that was interrupted go on where they were: the step, and the key
 *  of the order of shuffled and cyclic batches, which is drawn here if it has not been. Nothing of it is secret: no amplification
 *  rests on that order, and Poisson and fixed-size batches have no key. Errors: NW_E_ENTROPY. */
NW_API NW_WARN_UNUSED nw_status nw_batches_get_state(
    nw_batches *batches, nw_rng *rng, uint8_t state[NW_BATCHES_STATE_SIZE], nw_error *err);
/** Into batches made with the same arguments. Errors: NW_E_FORMAT: of other batches. */
NW_API NW_WARN_UNUSED nw_status nw_batches_set_state(
    nw_batches *batches, const uint8_t state[NW_BATCHES_STATE_SIZE], nw_error *err);
/** Leaves out steps that may have been drawn already. */
NW_API void nw_batches_skip(nw_batches *batches, uint64_t steps);

#ifdef __cplusplus
}
#endif
#endif
