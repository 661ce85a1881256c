/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* trial.c - trials that one comparison of integers cannot decide. Chord, then double, then 192 bits: each stage decides only what
 * its error lets it, so the answer is the same however early it is found. */
#include "trial.h"

#include "wide.h"

#include <math.h>
#include <stdlib.h>

static const uint64_t FIRST_NONCE = UINT64_C(1) << 63;
static const uint64_t REDRAW_NONCE = UINT64_C(3) << 62;
static const uint64_t EXTENSION_NONCE = UINT64_C(1) << 62;
/* Extensions of first trials are numbered from 0, of others from here. */
static const uint64_t REDRAWN_EXTENSIONS = UINT64_C(1) << 32;
static const unsigned UNDECIDED_BITS = 200;

void nw__streams_begin(nw__streams *s, const nw__kernels *kernels, const uint8_t *key, uint64_t chunk)
{
    s->kernels = kernels;
    s->key = key;
    s->chunk = chunk;
    s->first.used = NW__READ_WORDS;
    s->first.nonce = chunk | FIRST_NONCE;
    s->first.block = 0;
    s->redraw.used = NW__READ_WORDS;
    s->redraw.nonce = chunk | REDRAW_NONCE;
    s->redraw.block = 0;
    s->firsts = 0;
    s->redrawns = 0;
}

void nw__words_refill(nw__streams *s, nw__words *w)
{
    s->kernels->keystream((uint8_t *)w->words, NW__READ_BLOCKS, w->nonce, w->block, s->key);
    w->block += NW__READ_BLOCKS;
    w->used = 0;
}

/* (level + V) A / width < p(cell), on 192 bits of V and of the fraction; undecided counts as no. */
static bool wide_test(const nw_noise *noise, const nw__slot *slot, int64_t cell, nw__fraction v, nw__fraction f)
{
    if (slot->kind == NW__SLOT_TAIL) {
        /* V A (1 - e^(-1/b)) < e^(-|base|/b) */
        const nw__wide one_step = nw__wide_exp_minus(nw__wide_laplace_exponent(1, noise->lattice_scale));
        const nw__wide left = nw__wide_multiply(nw__wide_scaled(0, v, noise->area, 0), nw__wide_one_minus(one_step));
        const nw__wide right = nw__wide_exp_minus(nw__wide_laplace_exponent((uint64_t)llabs(slot->base), noise->lattice_scale));
        return nw__wide_compare(left, right, UNDECIDED_BITS) < 0;
    }
    const nw__wide left = nw__wide_scaled(slot->level, v, noise->area, slot->log2_width);
    const nw__wide exponent = noise->law == NW_NOISE_DISCRETE_LAPLACE
                                  ? nw__wide_laplace_exponent((uint64_t)llabs(cell), noise->lattice_scale)
                                  : nw__wide_gaussian_exponent(cell, f, noise->lattice_scale);
    return nw__wide_compare(left, nw__wide_exp_minus(exponent), UNDECIDED_BITS) < 0;
}

/* p(cell) width / A - level in double, for a tail slot the tail's mass over A. */
static double height_in_slot(const nw_noise *noise, const nw__slot *slot, double y)
{
    const double z = y / noise->lattice_scale;
    if (slot->kind == NW__SLOT_TAIL)
        return exp(-fabs((double)slot->base) / noise->lattice_scale) / -expm1(-1.0 / noise->lattice_scale) / noise->area;
    const double p = noise->law == NW_NOISE_DISCRETE_LAPLACE ? exp(-fabs(z)) : exp(-0.5 * z * z);
    return ldexp(p, slot->log2_width) / noise->area;
}

/* Where the chord does not tell: in double, and within its error on 192 bits of V and of the fraction of a cell. */
static bool curve_test(const nw_noise *noise, const nw__slot *slot, nw__trial t, nw__streams *s)
{
    const int64_t cell = slot->base + (int64_t)nw__trial_offset(slot, t);
    nw__fraction v = { { 0, 0, t.v } };
    nw__fraction f = { { 0, 0, noise->is_continuous ? t.u << slot->log2_width : 0 } };
    const double total = height_in_slot(noise, slot, (double)cell + (double)f.limb[2] * 0x1p-64);
    const double gap = total - slot->level - (double)t.v * 0x1p-64;
    /* 2^-50 for V's unread bits, for U's, 2^-64 of a block over which the height moves by less than 2^10, and the subtractions */
    const double margin = noise->margin * total + 0x1p-50;
    if (gap > margin)
        return true;
    if (gap < -margin)
        return false;
    uint64_t extension[NW__CHACHA20_BLOCK / 8];
    s->kernels->keystream((uint8_t *)extension, 1, s->chunk | EXTENSION_NONCE, t.number, s->key);
    v.limb[1] = extension[0];
    v.limb[0] = extension[1];
    if (noise->is_continuous) {
        f.limb[2] |= extension[4] & ((UINT64_C(1) << slot->log2_width) - 1);
        f.limb[1] = extension[2];
        f.limb[0] = extension[3];
    }
    return wide_test(noise, slot, cell, v, f);
}

bool nw__trial_accepts(const nw_noise *noise, const nw__slot *slot, nw__trial t, nw__streams *s)
{
    const double below = nw__trial_below_chord(noise, slot, t);
    return fabs(below) > (double)slot->slack ? below > 0.0 : curve_test(noise, slot, t, s);
}

/* Beyond `base` a Laplace law is its own nonnegative half again, moved: the memoryless property, so the tail is exact. */
static int64_t draw_tail(const nw_noise *noise, int64_t base, nw__streams *s)
{
    int64_t beyond = nw__redraw_cell(noise, s);
    while (beyond < 0)
        beyond = nw__redraw_cell(noise, s);
    int64_t sum = 0;
    if (__builtin_add_overflow(base, base < 0 ? -beyond : beyond, &sum))
        return base < 0 ? INT64_MIN : INT64_MAX; /* 2^9 scales out at least: probability below 2^-738 */
    return sum;
}

int64_t nw__trial_cell(const nw_noise *noise, const nw__slot *slot, nw__trial t, nw__streams *s)
{
    return slot->kind == NW__SLOT_TAIL ? draw_tail(noise, slot->base, s) : slot->base + (int64_t)nw__trial_offset(slot, t);
}

int64_t nw__redraw_cell(const nw_noise *noise, nw__streams *s)
{
    for (;;) {
        const uint64_t word = nw__next_word(s, &s->redraw);
        const size_t number = word & (NW__SLOTS - 1);
        if (noise->fast[number] != NW__SLOT_FLAGGED) {
            const uint64_t offset = (word >> NW__SLOT_BITS) & ((UINT64_C(1) << noise->log2_width) - 1);
            return noise->fast[number] * (INT64_C(1) << noise->log2_width) + (int64_t)offset;
        }
        const uint64_t u = nw__next_word(s, &s->redraw);
        const uint64_t v = nw__next_word(s, &s->redraw);
        const nw__trial t = { u, v, REDRAWN_EXTENSIONS + s->redrawns++ };
        if (nw__trial_accepts(noise, &noise->slots[number], t, s))
            return nw__trial_cell(noise, &noise->slots[number], t, s);
    }
}
