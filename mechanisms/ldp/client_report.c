/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* client_report.c - one value in, one report out.
 *
 *   0 0x4e   1 version   2 oracle   3 level   4 campaign (6)   10 payload; integers little-endian.
 * Payload, 6 bytes: of hashes the seed (4) and the cell (2); of unary oracles a bit an item; else the number of the output (6).
 *
 * Random words of 64 bits, in this order: 0 the coin: level in its upper half, seed in its lower half, or the hybrid's choice;
 * 1 whether the likely outputs are drawn from; 2 which of them; 3 the rounding of numbers. Unary oracles take as many as they
 * need. */
#include "client.h"

#include <string.h>

enum { COIN = 0, KEEP = 1, WHICH = 2, ROUND = 3, WORDS = 4 };

/* ---- memoised words ---- */

enum { MEMO_COIN = 1, MEMO_ROUND = 2, MEMO_NOISE = 3 };

/* The stream of a device's key for one purpose: BLAKE2b(key; digest, purpose, counter, value). */
typedef struct memo {
    const uint8_t *key;
    uint8_t message[NW_LDP_DIGEST_BYTES + 8];
    uint8_t value[16];
} memo;

static memo memo_of(const nw_ldp_campaign *c, const uint8_t *key, uint8_t purpose, nw_ldp_item value)
{
    memo m = { .key = key };
    memcpy(m.message, c->digest, NW_LDP_DIGEST_BYTES);
    m.message[NW_LDP_DIGEST_BYTES] = purpose;
    nw__put(m.value, value.low, 8);
    nw__put(m.value + 8, value.high, 8);
    return m;
}

static int draw_memo(void *context, uint8_t *out, size_t n)
{
    memo *m = context;
    uint8_t *counter = m->message + NW_LDP_DIGEST_BYTES + 1;
    while (n > 0) {
        const size_t part = n < 64 ? n : 64;
        nw__ldp_hash(out, part, m->key, m->message, sizeof m->message, m->value, sizeof m->value);
        nw__put(counter, nw__get(counter, 7) + 1, 7);
        out += part;
        n -= part;
    }
    return 0;
}

/* ---- outputs that are numbers ---- */

/* What the randomiser works on, for numbers: a cell at or above the value's place among the inputs, so that its mean is the
 * value. The square wave's cells are of equal widths, the others' places include both ends. */
static uint64_t round_number(const nw_ldp_campaign *c, uint64_t inputs, uint64_t place, uint64_t word)
{
    const uint64_t at = c->oracle == NW_LDP_SQUARE_WAVE ? place * inputs : place * (inputs - 1);
    if (c->oracle == NW_LDP_SQUARE_WAVE)
        return nw__select(nw__mask_less(at >> 32, inputs), at >> 32, inputs - 1);
    return (at >> 32) + (1 & nw__mask_less(word >> 32, at & UINT32_MAX));
}

/* One of `likely` cells from `first` on, or one of the others among `outputs`. */
static uint64_t draw_cell(uint64_t first, uint64_t likely, uint64_t outputs, uint64_t is_likely, uint64_t word)
{
    const uint64_t outside = nw__mul_high(word, outputs - likely);
    const uint64_t skipped = outside + (likely & ~nw__mask_less(outside, first));
    return nw__select(is_likely, first + nw__mul_high(word, likely), skipped);
}

static uint64_t draw_hadamard(const nw_ldp_campaign *c, uint64_t item, uint64_t is_likely, uint64_t word)
{
    uint32_t log2_blocks = 0;
    while (1u << log2_blocks < c->symbols)
        log2_blocks++;
    const uint64_t half = UINT64_C(1) << (c->dimension - 1);
    const uint64_t block = item & (c->symbols - 1);
    const uint64_t row = (item >> log2_blocks) + 1;
    const uint64_t own = nw__ldp_half(row, nw__mul_high(word, half), 0);
    const uint64_t rest = nw__mul_high(word, c->outputs - half);
    const uint64_t is_here = nw__mask_less(rest, half); /* the other half of the block */
    const uint64_t elsewhere = rest - half;
    const uint64_t other_block = elsewhere >> c->dimension;
    const uint64_t other = nw__select(is_here, (block << c->dimension) + nw__ldp_half(row, rest & (half - 1), 1),
        ((other_block + (1 & ~nw__mask_less(other_block, block))) << c->dimension) + (elsewhere & (2 * half - 1)));
    return nw__select(is_likely, (block << c->dimension) + own, other);
}

/* Duchi's two values, behind the piecewise mechanism's cells; both drawn, one selected. */
static uint64_t draw_hybrid(const nw_ldp_campaign *c, uint64_t input, uint64_t sign, const uint64_t words[WORDS])
{
    const uint64_t is_piecewise = nw__mask_less(words[COIN], c->mix);
    const uint64_t piecewise = draw_cell(input, c->band, c->symbols, nw__mask_less(words[KEEP], c->keep), words[WHICH]);
    const uint64_t is_kept = nw__mask_less(words[KEEP], c->other);
    return nw__select(is_piecewise, piecewise, c->symbols + (sign ^ (1 & ~is_kept)));
}

static uint64_t draw_output(const nw_ldp_campaign *c, uint64_t input, uint64_t sign, const uint64_t words[WORDS])
{
    const uint64_t is_likely = nw__mask_less(words[KEEP], c->keep);
    switch (c->oracle) {
    case NW_LDP_HADAMARD: return draw_hadamard(c, input, is_likely, words[WHICH]);
    case NW_LDP_PROJECTIVE: return nw__ldp_plane_draw(c, input, is_likely, words[WHICH]);
    case NW_LDP_HYBRID: return draw_hybrid(c, input, sign, words);
    default: return draw_cell(input, nw__ldp_likely(c), c->outputs, is_likely, words[WHICH]);
    }
}

/* ---- one report ---- */

typedef struct job {
    const nw_ldp_campaign *campaign;
    const uint8_t *user;
    const uint8_t *key; /* memoised, else NULL */
    nw_ldp_random random;
    void *context;
    int level; /* or -1 */
} job;

static nw_status draw_words(const job *j, uint64_t words[WORDS], nw_ldp_item item)
{
    uint8_t *bytes = (uint8_t *)words; /* in place: a word is read before it is written */
    if (j->key != NULL) {
        memo coin = memo_of(j->campaign, j->key, MEMO_COIN, (nw_ldp_item){ 0, 0 });
        memo round = memo_of(j->campaign, j->key, MEMO_ROUND, item);
        draw_memo(&coin, bytes + 8 * COIN, 8);
        draw_memo(&round, bytes + 8 * ROUND, 8);
        memset(bytes + 8 * KEEP, 0, 16); /* once it is known what the noise works on */
    } else if (j->random(j->context, bytes, 8 * WORDS) != 0) {
        return NW_E_ENTROPY;
    }
    for (unsigned i = 0; i < WORDS; i++)
        words[i] = nw__get(bytes + 8 * i, 8);
    return NW_OK;
}

/* The noise follows from all that the output is made of besides it, so that equal inputs give equal reports, and different ones
 * independent ones: of a hybrid that chose Duchi's mechanism, from the sign alone. */
static void memoise_noise(const job *j, uint64_t words[WORDS], uint64_t input, uint64_t sign)
{
    const nw_ldp_campaign *c = j->campaign;
    uint8_t *bytes = (uint8_t *)(words + KEEP);
    if (c->oracle == NW_LDP_HYBRID)
        input = nw__select(nw__mask_less(words[COIN], c->mix), input, c->symbols + sign);
    memo noise = memo_of(c, j->key, MEMO_NOISE, (nw_ldp_item){ 0, input });
    draw_memo(&noise, bytes, 16);
    words[KEEP] = nw__get(bytes, 8);
    words[WHICH] = nw__get(bytes + 8, 8);
}

static nw_status make_unary(const job *j, uint64_t item, uint8_t *payload)
{
    memo m = memo_of(j->campaign, j->key, MEMO_NOISE, (nw_ldp_item){ 0, item });
    nw__ldp_words fresh = { .random = j->random, .context = j->context };
    nw__ldp_words memoised = { .random = draw_memo, .context = &m };
    const nw_status status = nw__ldp_unary(j->campaign, item, j->key != NULL ? &memoised : &fresh, &fresh, payload);
    nw__wipe(fresh.words, sizeof fresh.words / sizeof *fresh.words);
    nw__wipe(memoised.words, sizeof memoised.words / sizeof *memoised.words);
    return status;
}

static nw_status make_short(const job *j, nw_ldp_item item, uint8_t *out)
{
    const nw_ldp_campaign *c = j->campaign;
    uint64_t words[WORDS];
    uint32_t seed = 0;
    const nw_status status = draw_words(j, words, item);
    if (status != NW_OK)
        return status;
    unsigned level = j->level >= 0 ? (unsigned)j->level : 0;
    if (j->level < 0 && c->levels > 1) /* public, as the seed is: the report tells both */
        level = (unsigned)(((words[COIN] >> 32) * c->levels) >> 32);
    if (c->seed_bits != 0)
        seed = (uint32_t)(words[COIN] & (UINT32_MAX >> (32 - c->seed_bits)));
    if (c->is_public_coin)
        nw_ldp_public_coin(c, j->user, &level, &seed);
    out[3] = (uint8_t)level;
    item = nw__ldp_item_at(c, level, item);
    uint64_t input = item.low;
    if (nw__ldp_is_hashed(c->oracle))
        input = nw__ldp_cell(c, seed, item, nw__ldp_pieces(c, level));
    else if (nw__ldp_is_number(c->oracle))
        input = round_number(c, nw__ldp_inputs(c), item.low, words[ROUND]);
    const uint64_t sign = 1 & nw__mask_less(words[ROUND] >> 32, item.low); /* the hybrid's: a number rounded to an end */
    if (j->key != NULL)
        memoise_noise(j, words, input, sign);
    const uint64_t output = draw_output(c, input, sign, words);
    if (nw__ldp_is_hashed(c->oracle)) {
        nw__put(out + NW_LDP_REPORT_HEADER, seed, 4);
        nw__put(out + NW_LDP_REPORT_HEADER + 4, output, 2);
    } else {
        nw__put(out + NW_LDP_REPORT_HEADER, output, 6);
    }
    nw__wipe(words, WORDS);
    return NW_OK;
}

static nw_status make(const job *j, nw_ldp_item item, uint8_t *out, size_t capacity)
{
    const nw_ldp_campaign *c = j->campaign;
    const bool is_random = j->random != NULL || (j->key != NULL && c->first_epsilon == 0);
    const size_t size = nw_ldp_report_size(c);
    if (out == NULL || capacity < size || !is_random || (j->user != NULL) != c->is_public_coin || j->level >= c->levels)
        return NW_E_ARG;
    memset(out, 0, size);
    out[0] = NW__LDP_MARK;
    out[1] = NW__LDP_VERSION;
    out[2] = (uint8_t)c->oracle;
    memcpy(out + 4, c->digest, 6);
    const nw_status status = nw__ldp_is_unary(c->oracle)
                                 ? make_unary(j, nw__ldp_item_at(c, 0, item).low, out + NW_LDP_REPORT_HEADER)
                                 : make_short(j, item, out);
    if (status != NW_OK)
        memset(out, 0, size);
    return status;
}

nw_status nw_ldp_report(const nw_ldp_campaign *campaign, const uint8_t *user, nw_ldp_item item, nw_ldp_random random,
    void *context, uint8_t *out, size_t capacity)
{
    if (campaign == NULL)
        return NW_E_ARG;
    return make(&(job){ campaign, user, NULL, random, context, -1 }, item, out, capacity);
}

nw_status nw_ldp_report_at(const nw_ldp_campaign *campaign, unsigned level, nw_ldp_item item, nw_ldp_random random, void *context,
    uint8_t *out, size_t capacity)
{
    if (campaign == NULL || level >= campaign->levels)
        return NW_E_ARG;
    return make(&(job){ campaign, NULL, NULL, random, context, (int)level }, item, out, capacity);
}

nw_status nw_ldp_report_memoised(const nw_ldp_campaign *campaign, const uint8_t *user, const uint8_t key[NW_LDP_KEY_BYTES],
    nw_ldp_item item, nw_ldp_random random, void *context, uint8_t *out, size_t capacity)
{
    if (campaign == NULL || key == NULL)
        return NW_E_ARG;
    return make(&(job){ campaign, user, key, random, context, -1 }, item, out, capacity);
}

uint64_t nw_ldp_memo_values(const nw_ldp_campaign *campaign)
{
    return nw__ldp_inputs(campaign);
}

void nw_ldp_public_coin(const nw_ldp_campaign *campaign, const uint8_t user[NW_LDP_USER_BYTES], unsigned *level, uint32_t *seed)
{
    uint8_t coin[8];
    nw__ldp_hash(coin, sizeof coin, campaign->digest, user, NW_LDP_USER_BYTES, user, 0);
    *level = (unsigned)((nw__get(coin, 4) * campaign->levels) >> 32);
    *seed = (uint32_t)(nw__get(coin + 4, 4) & (campaign->seed_bits != 0 ? UINT32_MAX >> (32 - campaign->seed_bits) : 0));
}
