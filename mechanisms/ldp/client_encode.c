/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* client_encode.c - from an item to what the randomiser works on: prefixes, hash cells. */
#include "client.h"

/* The lower `n` bits of two words; n 0 .. 128 is public. */
static nw_ldp_item ones(unsigned n)
{
    return (nw_ldp_item){ n <= 64 ? 0 : UINT64_MAX >> (128 - n), n == 0 ? 0 : n >= 64 ? UINT64_MAX : UINT64_MAX >> (64 - n) };
}

static nw_ldp_item shift_down(nw_ldp_item x, unsigned by)
{
    if (by >= 64)
        return (nw_ldp_item){ 0, by >= 128 ? 0 : x.high >> (by - 64) };
    return by == 0 ? x : (nw_ldp_item){ x.high >> by, (x.low >> by) | (x.high << (64 - by)) };
}

/* The item, or the largest one if it is larger. */
static nw_ldp_item clamp(nw_ldp_item x, nw_ldp_item largest)
{
    const uint64_t is_larger =
        nw__mask_less(largest.high, x.high) | (nw__mask_equal(largest.high, x.high) & nw__mask_less(largest.low, x.low));
    return (nw_ldp_item){ nw__select(is_larger, largest.high, x.high), nw__select(is_larger, largest.low, x.low) };
}

nw_ldp_item nw_ldp_prefix(const nw_ldp_campaign *campaign, nw_ldp_item item, unsigned length)
{
    const unsigned bits = campaign->bits;
    return shift_down(clamp(item, ones(bits)), length < bits ? bits - length : 0);
}

nw_ldp_item nw__ldp_item_at(const nw_ldp_campaign *campaign, unsigned level, nw_ldp_item item)
{
    if (campaign->bits != 0)
        return nw_ldp_prefix(campaign, item, campaign->lengths[level]);
    const uint64_t largest = nw__ldp_is_number(campaign->oracle) ? UINT64_C(1) << 32 : campaign->domain - 1;
    return clamp(item, (nw_ldp_item){ 0, largest });
}

unsigned nw__ldp_pieces(const nw_ldp_campaign *campaign, unsigned level)
{
    unsigned pieces = 1;
    if (campaign->bits != 0)
        return (campaign->lengths[level] + 15u) / 16u;
    while (((campaign->domain - 1) >> (16 * pieces)) != 0)
        pieces++;
    return pieces;
}

uint32_t nw__ldp_cell(const nw_ldp_campaign *campaign, uint32_t seed, nw_ldp_item item, unsigned pieces)
{
    uint32_t cell = 0;
    if (campaign->oracle == NW_LDP_BLH) {
        for (uint32_t row = 0; row < campaign->dimension; row++) {
            uint64_t common = nw__ldp_word(seed, 2 * row) & item.low;
            if (pieces > 4)
                common ^= nw__ldp_word(seed, 2 * row + 1) & item.high;
            cell |= (uint32_t)nw__parity(common) << row;
        }
        return cell;
    }
    uint32_t sum = nw__ldp_summand(seed);
    for (uint32_t j = 0; j < pieces; j++)
        sum += nw__ldp_factor(seed, j) * nw__ldp_piece(item, j);
    return ((sum >> 16) * campaign->symbols) >> 16;
}
