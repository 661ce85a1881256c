/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_RNG_H
#define NW_RNG_H

/* nw/rng.h - cryptographic random streams and the exact primitives drawn from them.
 *
 * What it is for: every random decision of the library. A stream is ChaCha20 under a key from the operating system; substreams
 * are
 *   derived by keyed BLAKE2b, so work split into numbered pieces gives the same result on any number of threads.
 * What it promises: exact laws (no floating-point logarithm anywhere), keys in guarded memory wiped on free, a fresh key in a
 * forked
 *   child, refusal (NW_E_ENTROPY) when the system gives no entropy: no function falls back to another generator.
 * What it does not: privacy against one who reads the process's memory; security beyond ChaCha20 being a pseudo-random function.
 *
 *   nw_rng *rng = NULL;
 *   if (nw_rng_new(&rng, &err) != NW_OK) ...
 *   uint64_t card;
 *   nw_rng_uniform(rng, 52, &card, &err);
 *   nw_rng_free(rng);
 */
#include <nw/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nw_rng nw_rng; /* confined: one thread at a time */

/** Opens a stream keyed by the operating system.
 *
 *  Shapes    *out: new handle, or NULL on error.
 *  Units     none.
 *  Errors    NW_E_ARG if out is NULL; NW_E_NOMEM; NW_E_ENTROPY.
 *  Cost      one system call and one guarded page, about 50 us. Threads: any.
 *  Source    RFC 8439 (ChaCha20); libsodium.
 *  Example   examples/noise.c */
NW_API NW_WARN_UNUSED nw_status nw_rng_new(nw_rng **out, nw_error *err);

/** Derives stream number `id` of `parent`, independent of it and of every other id, without advancing the parent.
 *
 *  Shapes    *out: new handle, or NULL on error.
 *  Units     none.
 *  Errors    NW_E_ARG on NULL; NW_E_NOMEM; NW_E_ENTROPY (only after a fork).
 *  Cost      one BLAKE2b block. Threads: parent confined.
 *  Source    libsodium crypto_kdf.
 *  Example   docs/rooms/sampler.md#substreams */
NW_API NW_WARN_UNUSED nw_status nw_rng_substream(nw_rng **out, nw_rng *parent, uint64_t id, nw_error *err);

/** Wipes the key and the buffered stream, then frees. NULL is allowed. */
NW_API void nw_rng_free(nw_rng *rng);

/** True if the stream came from a caller's seed (nw/testing.h): nothing drawn from it is private. */
NW_API bool nw_rng_is_insecure(const nw_rng *rng);

/** Fills `out` with n random bytes.
 *
 *  Shapes    out: n bytes, out.
 *  Units     bytes.
 *  Errors    NW_E_ARG on NULL; NW_E_ENTROPY (only after a fork); out is then zero.
 *  Cost      about 0.5 ns a byte. Threads: confined.
 *  Source    ChaCha20.
 *  Example   none */
NW_API NW_WARN_UNUSED nw_status nw_rng_bytes(nw_rng *rng, void *out, size_t n, nw_error *err);

/** Draws an integer uniformly from 0 .. bound-1, exactly (Lemire's rejection).
 *
 *  Shapes    *out: one value.
 *  Units     none.
 *  Errors    NW_E_ARG if bound is 0 or a pointer is NULL; NW_E_ENTROPY.
 *  Cost      a few ns. Threads: confined.
 *  Source    [Lem19].
 *  Example   none */
NW_API NW_WARN_UNUSED nw_status nw_rng_uniform(nw_rng *rng, uint64_t bound, uint64_t *out, nw_error *err);

/** Draws true with probability exactly p, the double taken as the dyadic rational that it is.
 *
 *  Shapes    *out: one value.
 *  Units     p: probability in [0, 1].
 *  Errors    NW_E_ARG if p is NaN or outside [0, 1]; NW_E_ENTROPY.
 *  Cost      a few ns; the comparison is extended 64 bits at a time, so tiny p cost more words. Threads: confined.
 *  Source    lazy comparison of binary expansions.
 *  Example   none */
NW_API NW_WARN_UNUSED nw_status nw_rng_bernoulli(nw_rng *rng, double p, bool *out, nw_error *err);

/** Draws true with probability exactly exp(-num/den), any num >= 0, den >= 1.
 *
 *  Shapes    *out: one value.
 *  Units     none.
 *  Errors    NW_E_ARG if den is 0; NW_E_ENTROPY.
 *  Cost      O(1) expected uniform draws. Threads: confined.
 *  Source    [CKS20, Alg. 1].
 *  Example   none */
NW_API NW_WARN_UNUSED nw_status nw_rng_bernoulli_exp(nw_rng *rng, uint64_t num, uint64_t den, bool *out, nw_error *err);

/** Permutes n items of item_size bytes uniformly (Fisher-Yates).
 *
 *  Shapes    items: n * item_size bytes, in place.
 *  Units     none.
 *  Errors    NW_E_ARG on NULL, item_size 0, or a size that overflows; NW_E_ENTROPY.
 *  Cost      n uniform draws. Threads: confined.
 *  Source    [Knu97, Alg. P].
 *  Example   none */
NW_API NW_WARN_UNUSED nw_status nw_rng_shuffle(nw_rng *rng, void *items, size_t n, size_t item_size, nw_error *err);

/** Draws the number of records skipped before the next one taken under Poisson sampling at rate q: P[gap = k] = (1-q)^k q,
 *  to within total variation 2^-170.
 *
 *  Shapes    *gap: one value; UINT64_MAX stands for "2^64-1 or more".
 *  Units     q: sampling rate in [2^-60, 1], the double taken exactly.
 *  Errors    NW_E_ARG if q is NaN or outside [2^-60, 1]; NW_E_ENTROPY.
 *  Cost      O(1) expected uniform draws, so a batch costs its own size and not the table's. Threads: confined.
 *  Source    [BF13, sec. 2] (geometric variates).
 *  Example   docs/rooms/sampler.md#poisson-sampling */
NW_API NW_WARN_UNUSED nw_status nw_rng_poisson_gap(nw_rng *rng, double q, uint64_t *gap, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
