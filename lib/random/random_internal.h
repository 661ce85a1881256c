/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_RANDOM_INTERNAL_H
#define NW_RANDOM_INTERNAL_H

/* random_internal.h - fast draws for the library's own loops.
 *
 * A loop calls nw__rng_begin once (the fork check, which may fail), then draws that cannot fail. A loop must not fork inside. */
#include "base.h"

#include <nw/rng.h>
#include <string.h>

enum { NW__RNG_KEY_BYTES = 32, NW__RNG_BUFFER_BYTES = 4096 };

/** The stream's state; lives in guarded memory (sodium_malloc). */
struct nw_rng {
    uint8_t key[NW__RNG_KEY_BYTES];       /* of the next refill; replaced by each refill (fast key erasure) */
    uint8_t stream_id[NW__RNG_KEY_BYTES]; /* key of the substreams: fixed at birth */
    uint8_t buffer[NW__RNG_BUFFER_BYTES]; /* keystream; what was handed out is zeroed */
    size_t used;                          /* bytes of buffer handed out */
    uint64_t fork_generation;             /* of the process that keyed the stream */
    bool is_insecure;
};

/** Rekeys a stream that was inherited through a fork. NW_E_ENTROPY if the system gives no key. */
nw_status nw__rng_begin(nw_rng *rng, nw_error *err);
/** A number that is another in each process made by fork. */
uint64_t nw__fork_generation(void);
void nw__rng_refill(nw_rng *rng);

static inline void nw__rng_take(nw_rng *rng, void *out, size_t n)
{
    if (NW__RNG_BUFFER_BYTES - rng->used < n)
        nw__rng_refill(rng);
    memcpy(out, rng->buffer + rng->used, n);
    memset(rng->buffer + rng->used, 0, n);
    rng->used += n;
}

static inline uint64_t nw__rng_u64(nw_rng *rng)
{
    uint64_t x;
    nw__rng_take(rng, &x, sizeof x);
    return x;
}

static inline uint32_t nw__rng_u32(nw_rng *rng)
{
    uint32_t x;
    nw__rng_take(rng, &x, sizeof x);
    return x;
}

/** Exactly uniform in 0 .. bound-1, bound >= 1; rng has begun. */
uint64_t nw__rng_below(nw_rng *rng, uint64_t bound);

/** The stream that a kept key gives, whenever it is asked for again: for orders that have to be found again, never for noise. */
nw_status nw__rng_keyed(nw_rng **out, const uint8_t key[NW__RNG_KEY_BYTES], nw_error *err);

/** Keys from the system: 0 on success. Replaceable by tests, to provoke the failure. */
extern int (*nw__system_entropy)(void *out, size_t n);

#endif
