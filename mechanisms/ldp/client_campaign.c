/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* client_campaign.c - the one object that devices and servers agree on: its canonical bytes, and what follows from them.
 *
 *   0 "NWLC"   4 version   5 oracle   6 flags (1: public coin)   7 seed bits   8 bits   9 levels   10 band (2)   12 symbols (4)
 *   16 domain (8)   24 epsilon (8)   32 first epsilon (8)   40 id (16)   56 lengths (32); integers little-endian.
 * Fields that an oracle does not use are 0, so that equal campaigns have equal bytes. The probabilities are not among them: a
 * device computes them from epsilon, so nobody can claim one and have it use another. */
#include "client.h"

#include <string.h>

static const uint8_t mark[4] = { 'N', 'W', 'L', 'C' };

const char *nw_ldp_oracle_name(nw_ldp_oracle oracle)
{
    static const char *const names[] = { "unknown", "grr", "sue", "oue", "olh", "blh", "hadamard", "subset", "projective",
        "duchi", "piecewise", "hybrid", "square_wave" };
    return names[(unsigned)oracle <= NW_LDP_SQUARE_WAVE ? (unsigned)oracle : 0];
}

bool nw__ldp_is_hashed(nw_ldp_oracle oracle)
{
    return oracle == NW_LDP_OLH || oracle == NW_LDP_BLH;
}

bool nw__ldp_is_unary(nw_ldp_oracle oracle)
{
    return oracle == NW_LDP_SUE || oracle == NW_LDP_OUE || oracle == NW_LDP_SUBSET;
}

bool nw__ldp_is_number(nw_ldp_oracle oracle)
{
    return oracle >= NW_LDP_DUCHI && oracle <= NW_LDP_SQUARE_WAVE;
}

/* ---- checks ---- */

static bool is_power_of_two(uint64_t x)
{
    return x != 0 && (x & (x - 1)) == 0;
}

static bool is_prime(uint32_t q)
{
    for (uint32_t i = 2; i * i <= q; i++)
        if (q % i == 0)
            return false;
    return q >= 2;
}

/* Levels of codes: lengths that increase up to `bits`. Closed domains and numbers: one level, no length. */
static bool has_valid_levels(const nw_ldp_campaign *c)
{
    unsigned last = 0;
    if (c->levels < 1 || c->levels > NW_LDP_MAX_LEVELS || c->bits > 128 || (c->bits == 0 && c->levels != 1))
        return false;
    for (unsigned i = 0; i < NW_LDP_MAX_LEVELS; i++) {
        const unsigned length = c->lengths[i];
        if (c->bits == 0 || i >= c->levels ? length != 0 : length <= last)
            return false;
        last = i < c->levels ? length : last;
    }
    return last == c->bits;
}

static bool has_valid_items(const nw_ldp_campaign *c)
{
    if (nw__ldp_is_hashed(c->oracle))
        return c->bits != 0 ? c->domain == 0 : c->domain >= 2 && c->domain <= UINT64_C(1) << 32;
    if (c->bits != 0)
        return false;
    switch (c->oracle) {
    case NW_LDP_GRR: return c->domain >= 2 && c->domain <= NW__LDP_MOST_OUTPUTS;
    case NW_LDP_SUE:
    case NW_LDP_OUE:
    case NW_LDP_SUBSET: return c->domain >= 2 && c->domain <= NW__LDP_MOST_UNARY;
    case NW_LDP_HADAMARD:
    case NW_LDP_PROJECTIVE: return c->domain >= 2 && c->domain <= NW__LDP_MOST_OUTPUTS;
    case NW_LDP_SQUARE_WAVE: return c->domain >= 2 && c->domain <= NW__LDP_MOST_HISTOGRAM;
    default: return c->domain == 0;
    }
}

static bool has_valid_symbols(const nw_ldp_campaign *c)
{
    const bool has_band = c->oracle == NW_LDP_PIECEWISE || c->oracle == NW_LDP_HYBRID || c->oracle == NW_LDP_SQUARE_WAVE;
    if (!has_band && c->band != 0)
        return false;
    switch (c->oracle) {
    case NW_LDP_GRR: return c->symbols == c->domain;
    case NW_LDP_SUE:
    case NW_LDP_OUE:
    case NW_LDP_DUCHI: return c->symbols == 2;
    case NW_LDP_OLH: return c->symbols >= 2 && c->symbols <= NW__LDP_MOST_SYMBOLS;
    case NW_LDP_BLH: return c->symbols >= 2 && c->symbols <= 1u << NW__LDP_MOST_LOG2 && is_power_of_two(c->symbols);
    case NW_LDP_HADAMARD: return is_power_of_two(c->symbols) && c->symbols <= NW__LDP_MOST_OUTPUTS;
    case NW_LDP_SUBSET: return c->symbols >= 1 && c->symbols < c->domain;
    case NW_LDP_PROJECTIVE: return c->symbols <= NW__LDP_MOST_SYMBOLS && is_prime(c->symbols);
    case NW_LDP_SQUARE_WAVE: return c->band >= 1 && c->symbols <= NW__LDP_MOST_CELLS && c->symbols == c->domain + c->band - 1;
    default: return c->symbols <= NW__LDP_MOST_CELLS && c->band >= 1 && c->band < c->symbols;
    }
}

static bool is_valid(const nw_ldp_campaign *c)
{
    if (c->oracle < NW_LDP_GRR || c->oracle > NW_LDP_SQUARE_WAVE)
        return false;
    if (c->epsilon < NW__LDP_SMALLEST_EPSILON || c->epsilon > NW__LDP_LARGEST_EPSILON)
        return false;
    if (c->first_epsilon != 0 &&
        (c->oracle != NW_LDP_SUE || c->first_epsilon < NW__LDP_SMALLEST_EPSILON || c->first_epsilon >= c->epsilon))
        return false;
    if (nw__ldp_is_hashed(c->oracle) ? c->seed_bits < 8 || c->seed_bits > 32 : c->seed_bits != 0 || c->is_public_coin)
        return false;
    return has_valid_levels(c) && has_valid_items(c) && has_valid_symbols(c);
}

/* ---- what follows ---- */

uint64_t nw__ldp_points(uint32_t q, unsigned t)
{
    uint64_t points = 0;
    for (unsigned i = 0; i < t && points <= NW__LDP_MOST_OUTPUTS; i++)
        points = points * q + 1;
    return points;
}

uint64_t nw__ldp_likely(const nw_ldp_campaign *c)
{
    switch (c->oracle) {
    case NW_LDP_HADAMARD: return UINT64_C(1) << (c->dimension - 1);
    case NW_LDP_PROJECTIVE: return nw__ldp_points(c->symbols, c->dimension - 1);
    case NW_LDP_PIECEWISE:
    case NW_LDP_HYBRID:
    case NW_LDP_SQUARE_WAVE: return c->band;
    default: return 1;
    }
}

uint64_t nw__ldp_inputs(const nw_ldp_campaign *c)
{
    if (nw__ldp_is_hashed(c->oracle) || c->oracle == NW_LDP_DUCHI)
        return c->symbols;
    return c->domain != 0 ? c->domain : (uint64_t)c->symbols - c->band + 1;
}

/* How many payloads there are, and the shape of the space they are from. False if that is too large. */
static bool set_outputs(nw_ldp_campaign *c)
{
    c->outputs = c->symbols;
    c->dimension = 0;
    if (c->oracle == NW_LDP_BLH)
        for (uint32_t g = c->symbols; g > 1; g /= 2)
            c->dimension++;
    if (c->oracle == NW_LDP_HADAMARD) { /* row 0 of a block is constant, and not used */
        const uint64_t rows = (c->domain + c->symbols - 1) / c->symbols + 1;
        while (UINT64_C(1) << c->dimension < rows)
            c->dimension++;
        c->outputs = (uint64_t)c->symbols << c->dimension;
    }
    if (c->oracle == NW_LDP_PROJECTIVE) {
        c->dimension = 2;
        while (nw__ldp_points(c->symbols, c->dimension) < c->domain)
            c->dimension++;
        c->outputs = nw__ldp_points(c->symbols, c->dimension);
    }
    return c->outputs <= NW__LDP_MOST_OUTPUTS;
}

static uint64_t half_up(uint64_t n)
{
    return ((UINT64_C(1) << 63) - 1) / n + 1;
}

/* One of `likely` payloads with probability T / 2^64, else one of the rest; of either, number mul_high(word, how many), whose
 * probability is 2^-64 times 2^64 / how many, rounded up or down. */
static uint64_t two_classes(uint64_t ratio, uint64_t likely, uint64_t rest)
{
    return nw__ldp_threshold(ratio, half_up(likely), (UINT64_C(1) << 63) / rest);
}

static void set_unary(nw_ldp_campaign *c, uint64_t root)
{
    if (c->oracle == NW_LDP_OUE) {
        c->keep = UINT64_C(1) << 63;
        c->other = 0 - nw__ldp_threshold(c->ratio, 1, 1);
    } else if (c->oracle == NW_LDP_SUBSET) {
        c->keep = nw__ldp_threshold(c->ratio, c->domain - c->symbols, c->symbols);
    } else {
        c->keep = nw__ldp_threshold(root, 1, 1);
        c->other = 0 - c->keep;
    }
    if (c->first_epsilon == 0)
        return;
    /* The permanent bit is kept with probability p, the fresh one equals it with probability s, so it is the truth with
     * probability (1 + (2 p - 1)(2 s - 1)) / 2, which keeps within root' if (2 p - 1)(2 s - 1) <= (root' - 1) / (root' + 1). */
    const uint64_t first = nw__ldp_root(nw__ldp_exp(c->first_epsilon));
    const uint64_t excess = (c->keep - (UINT64_C(1) << 63)) << 1; /* (2 p - 1) 2^64 */
    uint64_t d = 0;                                               /* (2 s - 1) 2^64 */
    for (uint64_t bit = UINT64_C(1) << 63; bit != 0; bit >>= 1) {
        const uint64_t x = d | bit;
        /* x excess (first + 1) <= (first - 1) 2^128, the upper half of x excess rounded up */
        const uint64_t product = nw__mul_high(x, excess) + 1;
        if (nw__mul_high(product, first + NW__LDP_ONE_RATIO) + 1 <= first - NW__LDP_ONE_RATIO)
            d = x;
    }
    c->again = (UINT64_C(1) << 63) + (d >> 1);
}

/* The hybrid tells which mechanism it chose; that does not depend on the value. It is the piecewise one with probability
 * 1 - e^(-epsilon/2) if epsilon > 0.61  [WXYZHSSY19, eq. 10]. */
static void set_hybrid(nw_ldp_campaign *c, uint64_t root)
{
    const uint64_t epsilon_star = UINT64_C(2619930050); /* 0.61 in 2^-32 */
    c->other = two_classes(c->ratio, 1, 1);
    c->mix = 0;
    if (c->epsilon > epsilon_star)
        for (uint64_t bit = UINT64_C(1) << 63; bit != 0; bit >>= 1)
            if (nw__mul_high(c->mix | bit, root) < root - NW__LDP_ONE_RATIO)
                c->mix |= bit;
}

nw_status nw__ldp_campaign_complete(nw_ldp_campaign *c)
{
    if (!is_valid(c) || !set_outputs(c))
        return NW_E_FORMAT;
    uint8_t bytes[NW_LDP_CAMPAIGN_BYTES];
    nw_ldp_campaign_write(c, bytes);
    nw__ldp_hash(c->digest, NW_LDP_DIGEST_BYTES, NULL, bytes, sizeof bytes, bytes, 0);
    c->ratio = nw__ldp_exp(c->epsilon);
    const uint64_t root = nw__ldp_root(c->ratio);
    c->keep = c->other = c->again = c->mix = 0;
    if (nw__ldp_is_unary(c->oracle))
        set_unary(c, root);
    else
        c->keep = two_classes(c->ratio, nw__ldp_likely(c), c->outputs - nw__ldp_likely(c));
    if (c->oracle == NW_LDP_HYBRID)
        set_hybrid(c, root);
    return NW_OK;
}

/* ---- bytes ---- */

void nw_ldp_campaign_write(const nw_ldp_campaign *c, uint8_t out[NW_LDP_CAMPAIGN_BYTES])
{
    memcpy(out, mark, sizeof mark);
    out[4] = NW__LDP_VERSION;
    out[5] = (uint8_t)c->oracle;
    out[6] = c->is_public_coin;
    out[7] = c->seed_bits;
    out[8] = c->bits;
    out[9] = c->levels;
    nw__put(out + 10, c->band, 2);
    nw__put(out + 12, c->symbols, 4);
    nw__put(out + 16, c->domain, 8);
    nw__put(out + 24, c->epsilon, 8);
    nw__put(out + 32, c->first_epsilon, 8);
    memcpy(out + 40, c->id, NW_LDP_ID_BYTES);
    memcpy(out + 56, c->lengths, NW_LDP_MAX_LEVELS);
}

nw_status nw_ldp_campaign_read(nw_ldp_campaign *out, const uint8_t *bytes, size_t n)
{
    if (out == NULL || bytes == NULL)
        return NW_E_ARG;
    memset(out, 0, sizeof *out);
    if (n != NW_LDP_CAMPAIGN_BYTES || memcmp(bytes, mark, sizeof mark) != 0)
        return NW_E_FORMAT;
    if (bytes[4] != NW__LDP_VERSION)
        return bytes[4] > NW__LDP_VERSION ? NW_E_UNSUPPORTED : NW_E_FORMAT;
    if (bytes[6] > 1)
        return NW_E_FORMAT;
    out->oracle = (nw_ldp_oracle)bytes[5];
    out->is_public_coin = bytes[6] == 1;
    out->seed_bits = bytes[7];
    out->bits = bytes[8];
    out->levels = bytes[9];
    out->band = (uint32_t)nw__get(bytes + 10, 2);
    out->symbols = (uint32_t)nw__get(bytes + 12, 4);
    out->domain = nw__get(bytes + 16, 8);
    out->epsilon = nw__get(bytes + 24, 8);
    out->first_epsilon = nw__get(bytes + 32, 8);
    memcpy(out->id, bytes + 40, NW_LDP_ID_BYTES);
    memcpy(out->lengths, bytes + 56, NW_LDP_MAX_LEVELS);
    const nw_status status = nw__ldp_campaign_complete(out);
    if (status != NW_OK)
        memset(out, 0, sizeof *out);
    return status;
}

size_t nw_ldp_report_size(const nw_ldp_campaign *campaign)
{
    const size_t payload = nw__ldp_is_unary(campaign->oracle) ? (size_t)((campaign->domain + 7) / 8) : 0;
    return NW_LDP_REPORT_HEADER + (payload > 6 ? payload : 6);
}
