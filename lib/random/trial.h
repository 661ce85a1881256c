/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TRIAL_H
#define NW_TRIAL_H

/* trial.h - trials in slots that are not fast, and redraws, of one chunk of a release. */
#include "kernels.h"

enum { NW__READ_BLOCKS = 16, NW__READ_WORDS = NW__READ_BLOCKS * NW__CHACHA20_BLOCK / 8 };

/** One stream of a chunk, read ahead. */
typedef struct nw__words {
    uint64_t words[NW__READ_WORDS];
    size_t used;
    uint64_t nonce;
    uint64_t block; /* of the next refill */
} nw__words;

/** The chunk's streams besides that of its first words. */
typedef struct nw__streams {
    const nw__kernels *kernels;
    const uint8_t *key;
    uint64_t chunk;
    nw__words first;   /* two words for the first trial of each flagged sample, in the order of the samples */
    nw__words redraw;  /* what follows a rejection */
    uint64_t firsts;   /* first trials so far */
    uint64_t redrawns; /* other flagged trials so far */
} nw__streams;

/** A trial in a slot that is not fast: u places it in the block, v in the height. */
typedef struct nw__trial {
    uint64_t u;
    uint64_t v;
    uint64_t number; /* ChaCha20 block of the chunk's extensions: more digits of both */
} nw__trial;

void nw__streams_begin(nw__streams *s, const nw__kernels *kernels, const uint8_t *key, uint64_t chunk);
void nw__words_refill(nw__streams *s, nw__words *w);

static inline uint64_t nw__next_word(nw__streams *s, nw__words *w)
{
    if (w->used == NW__READ_WORDS)
        nw__words_refill(s, w);
    return w->words[w->used++];
}

/** (level + v) A / width < p(cell), whatever it takes to decide. */
bool nw__trial_accepts(const nw_noise *noise, const nw__slot *slot, nw__trial t, nw__streams *s);
/** The cell of an accepted trial; that of a tail slot is drawn. */
int64_t nw__trial_cell(const nw_noise *noise, const nw__slot *slot, nw__trial t, nw__streams *s);
/** Trials from fresh words until one is accepted. */
int64_t nw__redraw_cell(const nw_noise *noise, nw__streams *s);

/** The cell's number in its block: the integer part of u width / 2^64. */
static inline uint64_t nw__trial_offset(const nw__slot *slot, nw__trial t)
{
    return (t.u >> 1) >> (63 - slot->log2_width);
}

/** How far v lies below the chord, in heights. The chord tells if that is more than the slot's slack, either way. An unused
 *  slot's chord is infinitely low. */
static inline double nw__trial_below_chord(const nw_noise *noise, const nw__slot *slot, nw__trial t)
{
    const uint64_t whole_cells = (UINT64_MAX << 1) << (63 - slot->log2_width);
    const uint64_t u = noise->is_continuous ? t.u : t.u & whole_cells;
    return (double)slot->start + (double)slot->slope * (double)(int64_t)(u >> 11) * 0x1p-53 -
           (double)(int64_t)(t.v >> 11) * 0x1p-53;
}

#endif
