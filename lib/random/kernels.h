/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_KERNELS_H
#define NW_KERNELS_H

/* kernels.h - the sampler's inner loops, once in plain C and once for each width of vectors; docs/rooms/sampler.md#kernels.
 *
 * Every set computes the same bytes. Which one runs is chosen by what the processor has, never by data. */
#include "noise_internal.h"

enum { NW__CHACHA20_BLOCK = 64 };

typedef struct nw__kernels {
    const char *name;

    /** ChaCha20 with a 64-bit nonce: `blocks` blocks from number `block` on; block + blocks must not pass 2^64. */
    void (*keystream)(uint8_t *out, size_t blocks, uint64_t nonce, uint64_t block, const uint8_t *key);

    /** First trials, n a multiple of 64, without a branch on a word: out[i] is the value of words[i] where its slot is fast;
     *  where it is not, bit i of `flagged` is set and out[i] says nothing. draw_32 is for tables whose slot and cell fit in 32
     *  bits. */
    void (*draw_32)(const nw_noise *noise, const uint32_t *words, size_t n, int64_t *out, uint64_t *flagged);
    void (*draw_64)(const nw_noise *noise, const uint64_t *words, size_t n, int64_t *out, uint64_t *flagged);
} nw__kernels;

extern const nw__kernels nw__kernels_plain;
extern const nw__kernels nw__kernels_vector;
extern const nw__kernels nw__kernels_avx2;
extern const nw__kernels nw__kernels_avx512;

/** Number i of the sets that this build holds, plain C first and the widest last; NULL beyond the last. */
const nw__kernels *nw__kernels_at(size_t i);
/** Whether this processor has the instructions. */
bool nw__kernels_can_run(const nw__kernels *kernels);
/** Whether the set gives the plain set's bytes and values for a probe of about 1000 words of this table: so a processor, or a
 *  compiler, that gets an instruction wrong costs speed, not noise. */
bool nw__kernels_agree(const nw__kernels *kernels, const nw_noise *noise);
/** The widest set that can run here. */
const nw__kernels *nw__kernels_best(void);

#endif
