/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* client_unary.c - the oracles whose report is a bit for each item. */
#include "client.h"

#include <string.h>

uint64_t nw__ldp_next(nw__ldp_words *words, uint64_t ahead)
{
    enum { MOST = sizeof words->words / sizeof *words->words };
    if (words->used == words->held) {
        uint8_t *bytes = (uint8_t *)words->words;
        words->held = ahead < MOST ? (unsigned)ahead : MOST;
        words->used = 0;
        if (words->has_failed || words->random(words->context, bytes, 8 * (size_t)words->held) != 0) {
            words->has_failed = true;
            memset(bytes, 0, sizeof words->words);
        }
        for (unsigned i = 0; i < words->held; i++) /* in place: a word is read before it is written */
            words->words[i] = nw__get(bytes + 8 * i, 8);
    }
    const uint64_t word = words->words[words->used];
    words->words[words->used++] = 0;
    return word;
}

/* Uniform in 0 .. bound - 1, exactly [Lem19]: whether a word is refused depends on the word and on bound, which is public. As
 * bounds are below 2^17, a word is refused with probability below 2^-47: a source of which that many are refused is broken. */
static uint64_t below(nw__ldp_words *words, uint64_t bound, uint64_t ahead)
{
    enum { MOST_REFUSED = 16 };
    const uint64_t least = (0 - bound) % bound;
    for (int i = 0; i < MOST_REFUSED; i++) {
        const uint64_t word = nw__ldp_next(words, ahead);
        if (word * bound >= least)
            return nw__mul_high(word, bound);
    }
    words->has_failed = true;
    return 0;
}

/* A set of w items: the user's with probability keep / 2^64, and so many of the others that there are w, each choice of them
 * equally likely: item after item, one that is still wanted with probability (wanted) / (others left) [Knu97, Alg. S]. How many
 * others are left depends on whether the user's item was passed, so both cases are drawn for. */
static void subset(const nw_ldp_campaign *c, uint64_t item, nw__ldp_words *noise, uint8_t *out)
{
    const uint64_t d = c->domain;
    const uint64_t is_kept = nw__mask_less(nw__ldp_next(noise, 2 * d + 1), c->keep);
    uint64_t wanted = c->symbols - (1 & is_kept);
    uint64_t has_passed = 0;
    for (uint64_t j = 0; j < d; j++) {
        const uint64_t is_own = nw__mask_equal(j, item);
        const uint64_t before = below(noise, j + 1 < d ? d - 1 - j : 1, 2 * (d - j));
        const uint64_t after = below(noise, d - j, 2 * (d - j) - 1);
        const uint64_t is_taken = nw__mask_less(nw__select(has_passed, after, before), wanted);
        const uint64_t bit = nw__select(is_own, is_kept, is_taken) & 1;
        wanted -= bit & ~is_own;
        has_passed |= is_own;
        out[j / 8] = (uint8_t)(out[j / 8] | bit << (j % 8));
    }
}

static void flips(const nw_ldp_campaign *c, uint64_t item, nw__ldp_words *noise, uint8_t *out)
{
    for (uint64_t j = 0; j < c->domain; j++) {
        const uint64_t probability = nw__select(nw__mask_equal(j, item), c->keep, c->other);
        const uint64_t bit = nw__mask_less(nw__ldp_next(noise, c->domain - j), probability) & 1;
        out[j / 8] = (uint8_t)(out[j / 8] | bit << (j % 8));
    }
}

/* Bits that are kept with probability again / 2^64, and turned over otherwise. */
static void flip_again(const nw_ldp_campaign *c, nw__ldp_words *fresh, uint8_t *out)
{
    for (uint64_t j = 0; j < c->domain; j++) {
        const uint64_t is_turned = ~nw__mask_less(nw__ldp_next(fresh, c->domain - j), c->again) & 1;
        out[j / 8] = (uint8_t)(out[j / 8] ^ is_turned << (j % 8));
    }
}

nw_status nw__ldp_unary(const nw_ldp_campaign *c, uint64_t item, nw__ldp_words *noise, nw__ldp_words *fresh, uint8_t *out)
{
    if (c->oracle == NW_LDP_SUBSET)
        subset(c, item, noise, out);
    else
        flips(c, item, noise, out);
    if (c->first_epsilon != 0)
        flip_again(c, fresh, out);
    return noise->has_failed || fresh->has_failed ? NW_E_ENTROPY : NW_OK;
}
