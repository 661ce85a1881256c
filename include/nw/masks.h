/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_MASKS_H
#define NW_MASKS_H

/* nw/masks.h - sums of integers whose parts nobody sees: masks that each pair of parties agrees on, and that cancel in the sum
 * [BIKMMPRSS17].
 *
 * What it is for: parties that hold integers and want their sum to be all that anybody learns. Whoever collects the messages
 *   sees uniform words. It is no noise: the sum itself comes out exactly. A sum that is private as well: nw/secure_sum.h.
 * How: each pair agrees on a key by X25519; of each round it derives a stream of words (BLAKE2b, then ChaCha20), which the one
 *   adds to its message and the other subtracts. One word more tells whether the masks of all parties have cancelled.
 * What it rests on: the parties follow the protocol; a collector and up to all but two of the parties may put together what
 *   they see, and learn the sum of the others' values, no more. X25519 and ChaCha20 are what they are taken for. **Whose key a
 *   public key is, the deployment has to know**: whoever hands out keys of his own in the place of the parties' sees everything.
 * What it does not: go on without a party. If one message is missing, the sum is random words: it is refused, nothing is
 *   learned, and a new round is made (docs/rooms/secure_sum.md#a-party-is-missing).
 *
 *   nw_masks_new(&mine, 2, 5, rng, &err);            party 2 of 5
 *   nw_masks_key(mine, key);                         to the others, who send theirs
 *   nw_masks_meet(mine, keys, &err);
 *   nw_masks_seal(mine, round, values, n, message, &err);    n + 1 words, to the collector, who adds all messages
 *   nw_masks_open(5, total, n, sum, &err);
 */
#include <nw/reduce.h>
#include <nw/rng.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NW_MASKS_KEY_SIZE 32
#define NW_MASKS_MOST_PARTIES 4096
/** Words of a message besides the values. */
#define NW_MASKS_CHECK_WORDS 1

typedef struct nw_masks nw_masks; /* confined; one party's keys, in guarded memory, for one process: fresh ones are made anew */

/** Draws a key pair for party `party` of `parties`.
 *
 *  Shapes    *out: new handle, or NULL on error.
 *  Units     party in 0 .. parties - 1; parties in [1, NW_MASKS_MOST_PARTIES]. A single party has no masks.
 *  Errors    NW_E_ARG; NW_E_NOMEM; NW_E_ENTROPY.
 *  Cost      0.1 ms, two guarded pages. Threads: any.
 *  Source    RFC 7748 (X25519); libsodium.
 *  Example   examples/secure_sum.c */
NW_API NW_WARN_UNUSED nw_status nw_masks_new(nw_masks **out, size_t party, size_t parties, nw_rng *rng, nw_error *err);
/** Wipes the keys, then frees. NULL is allowed. */
NW_API void nw_masks_free(nw_masks *masks);

/** The public key, for all others. */
NW_API void nw_masks_key(const nw_masks *masks, uint8_t key[NW_MASKS_KEY_SIZE]);

/** Agrees with all others, once.
 *
 *  Shapes    keys: parties x 32 bytes, the public keys in the parties' order, this party's own among them.
 *  Units     none.
 *  Errors    NW_E_ARG: a key is there twice, is none that one could agree with, or this party's is not in its place; NW_E_STATE:
 *            it has met them already.
 *  Cost      50 us a party. Threads: confined.
 *  Source    [BIKMMPRSS17, sec. 4]; docs/rooms/secure_sum.md#masks.
 *  Example   examples/secure_sum.c */
NW_API NW_WARN_UNUSED nw_status nw_masks_meet(nw_masks *masks, const uint8_t *keys, nw_error *err);
/** The same with the keys exchanged over `reduce`, whose processes are the parties: as authentic as that is.
 *  Errors: also NW_E_ARG if rank or size are not the party and the number of parties; those of reduce. */
NW_API NW_WARN_UNUSED nw_status nw_masks_meet_over(nw_masks *masks, const nw_reduce *reduce, nw_error *err);

/** One party's message of a round: uniform to everybody who lacks a key.
 *
 *  **A round is sealed once.** Two messages under the same masks tell the difference of their values, so rounds must rise. A
 *  process made by fork has to make a new handle.
 *
 *  Shapes    values: uint64[n]; message: uint64[n + 1] out, apart from values; zeroed on error. n >= 1, the same for all.
 *  Units     integers modulo 2^64: negative ones as C converts them.
 *  Errors    NW_E_ARG; NW_E_STATE: the round is not above all before it, the parties have not met, or this is another process;
 *            NW_E_NOMEM.
 *  Cost      parties x n words of ChaCha20, about 7 ns each. Threads: confined.
 *  Source    [BIKMMPRSS17, sec. 4]; docs/rooms/secure_sum.md#masks.
 *  Example   examples/secure_sum.c */
NW_API NW_WARN_UNUSED nw_status nw_masks_seal(
    nw_masks *masks, uint64_t round, const uint64_t *values, size_t n, uint64_t *message, nw_error *err);
/** The last round that was sealed; 0 before the first. */
NW_API uint64_t nw_masks_last_round(const nw_masks *masks);

/** The sum of all parties' values, from the sum of all their messages modulo 2^64. Needs no key: anybody may add.
 *
 *  Shapes    total: uint64[n + 1]; values: uint64[n] out, may be total; untouched on error.
 *  Units     integers modulo 2^64.
 *  Errors    NW_E_STATE: a message is missing, or there twice, or of another round, number of values or parties (found but for
 *            one case in 2^64); NW_E_ARG.
 *  Cost      one pass. Threads: any.
 *  Source    docs/rooms/secure_sum.md#masks.
 *  Example   examples/secure_sum.c */
NW_API NW_WARN_UNUSED nw_status nw_masks_open(size_t parties, const uint64_t *total, size_t n, uint64_t *values, nw_error *err);

/** Sums over `reduce` in which no process and no wire sees another process's values: sum_i64 and sum_u64 are masked, each call a
 *  round; broadcast and barrier are those of `reduce`. The sums are exact, and all processes get them: whoever adds noise to
 *  them (process 0, in most rooms) has seen them. Errors of its sums: also NW_E_STATE, as nw_masks_open. Both arguments are
 *  borrowed, and have to have met over it. */
NW_API nw_reduce nw_masks_reduce(nw_masks *borrowed_masks, const nw_reduce *borrowed_reduce);

#ifdef __cplusplus
}
#endif
#endif
