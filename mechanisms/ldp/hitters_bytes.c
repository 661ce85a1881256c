/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* hitters_bytes.c - the state of a search between two steps, as bytes: canonical, little-endian.
 *
 *   "nwhh" | version u32 | campaign | protocol, top, parties, keep, shared, flags, encoding, level u32 each | threshold f64 |
 *   traffic 3 u64 | for each closed level: reports u64[parties], then for each group its n u32 and nodes of 40 bytes:
 *   prefix high, low u64 | frequency, variance f64 | parent u32 | 0 u32. In the end 16 bytes of BLAKE2b of it all. */
#include "hitters_internal.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, NODE_BYTES = 40, HEAD_BYTES = 8 + NW_LDP_CAMPAIGN_BYTES + 8 * 4 + 8 + 3 * 8, CHECK_BYTES = 16 };
static const uint8_t MARK[4] = { 'n', 'w', 'h', 'h' };

static uint8_t *put(uint8_t *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        *at++ = (uint8_t)(value >> (8 * i));
    return at;
}

static uint8_t *put_real(uint8_t *at, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return put(at, bits, 8);
}

size_t nw_hh_size(const nw_hh *hh)
{
    size_t size = HEAD_BYTES + CHECK_BYTES;
    for (unsigned l = 0; l < hh->level; l++) {
        size += 8 * (size_t)hh->opts.parties;
        for (size_t g = 0; g < nw__hh_groups(hh, l); g++)
            size += 4 + NODE_BYTES * hh->lists[l][g].n;
    }
    return size;
}

static uint8_t *put_head(uint8_t *at, const nw_hh *hh)
{
    const nw_hh_opts *o = &hh->opts;
    const uint32_t words[8] = { (uint32_t)o->protocol, o->top, o->parties, o->keep, o->shared,
        (uint32_t)o->is_adaptive | (uint32_t)o->is_pruning << 1, (uint32_t)o->encoding, hh->level };
    memcpy(at, MARK, sizeof MARK);
    at = put(at + sizeof MARK, VERSION, 4);
    nw_ldp_campaign_write(&hh->campaign, at);
    at += NW_LDP_CAMPAIGN_BYTES;
    for (size_t i = 0; i < 8; i++)
        at = put(at, words[i], 4);
    at = put_real(at, o->threshold);
    at = put(at, hh->traffic.up, 8);
    at = put(at, hh->traffic.down, 8);
    return put(at, hh->traffic.rounds, 8);
}

static uint8_t *put_list(uint8_t *at, const nw__hh_list *list)
{
    at = put(at, list->n, 4);
    for (size_t i = 0; i < list->n; i++) {
        const nw__hh_node *node = &list->nodes[i];
        at = put(at, node->prefix.high, 8);
        at = put(at, node->prefix.low, 8);
        at = put_real(at, node->frequency);
        at = put_real(at, node->variance);
        at = put(at, node->parent, 4);
        at = put(at, 0, 4);
    }
    return at;
}

nw_status nw_hh_serialize(const nw_hh *hh, uint8_t *out, size_t capacity, nw_error *err)
{
    if (hh == NULL || out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", hh == NULL ? "hh" : "out");
    const size_t size = nw_hh_size(hh);
    if (capacity < size)
        return nw__fail(err, NW_E_ARG, __func__, "capacity is %zu, must be at least %zu", capacity, size);
    uint8_t *at = put_head(out, hh);
    for (unsigned l = 0; l < hh->level; l++) {
        for (size_t p = 0; p < hh->opts.parties; p++)
            at = put(at, hh->reports[l][p], 8);
        for (size_t g = 0; g < nw__hh_groups(hh, l); g++)
            at = put_list(at, &hh->lists[l][g]);
    }
    crypto_generichash(at, CHECK_BYTES, out, size - CHECK_BYTES, NULL, 0);
    return NW_OK;
}

/* ---- reading ---- */

typedef struct reader {
    const uint8_t *at;
    size_t left;
    bool is_short;
} reader;

static uint64_t get(reader *r, size_t bytes)
{
    uint64_t value = 0;
    if (r->left < bytes) {
        r->is_short = true;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)r->at[i] << (8 * i);
    r->at += bytes;
    r->left -= bytes;
    return value;
}

static double get_real(reader *r)
{
    const uint64_t bits = get(r, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Nodes in order, of the level's length, finite, below parents that there are. */
static bool is_node(const nw_hh *hh, unsigned level, size_t group, const nw__hh_list *list, size_t i)
{
    const nw__hh_node *node = &list->nodes[i];
    const unsigned length = hh->campaign.lengths[level];
    const unsigned step = length - (level == 0 ? 0u : hh->campaign.lengths[level - 1]);
    const nw__hh_list *before = level == 0 ? NULL : nw__hh_list_of(hh, level - 1, group);
    const nw_ldp_item parent = nw__hh_shorten(node->prefix, step == 128 ? 127 : step);
    const nw_ldp_item beyond = nw__hh_shorten(node->prefix, length == 128 ? 127 : length);
    if (length < 128 && (beyond.high | beyond.low) != 0)
        return false;
    if (before == NULL ? node->parent != 0
                       : node->parent >= before->n || nw__hh_compare_items(before->nodes[node->parent].prefix, parent) != 0)
        return false;
    return isfinite(node->frequency) && node->variance >= 0.0 && isfinite(node->variance) &&
           (i == 0 || nw__hh_compare_items(list->nodes[i - 1].prefix, node->prefix) < 0);
}

static nw_status get_list(nw_hh *hh, unsigned level, size_t group, reader *r, nw_error *err)
{
    nw__hh_list *list = &hh->lists[level][group];
    const size_t n = (size_t)get(r, 4);
    if (r->is_short || n > r->left / NODE_BYTES)
        return nw__fail(err, NW_E_FORMAT, "nw_hh_deserialize", "the bytes end too early");
    list->nodes = nw__calloc(n, sizeof *list->nodes);
    if (list->nodes == NULL)
        return nw__fail_memory(err, "nw_hh_deserialize");
    for (; list->n < n; list->n++) {
        nw__hh_node *node = &list->nodes[list->n];
        node->prefix.high = get(r, 8);
        node->prefix.low = get(r, 8);
        node->frequency = get_real(r);
        node->variance = get_real(r);
        node->parent = (uint32_t)get(r, 4);
        if (get(r, 4) != 0 || !is_node(hh, level, group, list, list->n))
            return nw__fail(err, NW_E_FORMAT, "nw_hh_deserialize", "a prefix of level %u does not fit", level);
    }
    return NW_OK;
}

static nw_status get_level(nw_hh *hh, reader *r, nw_error *err)
{
    const unsigned level = hh->level;
    const size_t groups = nw__hh_groups(hh, level);
    nw_status status = NW_OK;
    if (r->left / 8 < hh->opts.parties)
        return nw__fail(err, NW_E_FORMAT, "nw_hh_deserialize", "the bytes end too early");
    hh->reports[level] = nw__calloc(hh->opts.parties, sizeof *hh->reports[level]);
    hh->lists[level] = nw__calloc(groups, sizeof *hh->lists[level]);
    if (hh->reports[level] == NULL || hh->lists[level] == NULL)
        return nw__fail_memory(err, "nw_hh_deserialize");
    for (size_t p = 0; p < hh->opts.parties; p++)
        hh->reports[level][p] = get(r, 8);
    for (size_t g = 0; status == NW_OK && g < groups; g++)
        status = get_list(hh, level, g, r, err);
    hh->level++;
    return status;
}

static nw_status get_head(nw_hh **out, reader *r, uint32_t *level, nw_error *err)
{
    uint32_t words[8];
    nw_ldp_campaign campaign;
    nw_hh_opts o = NW_HH_OPTS_INIT;
    nw_error inner;
    if (nw_ldp_campaign_read(&campaign, r->at, NW_LDP_CAMPAIGN_BYTES) != NW_OK)
        return nw__fail(err, NW_E_FORMAT, "nw_hh_deserialize", "the campaign is damaged");
    r->at += NW_LDP_CAMPAIGN_BYTES;
    r->left -= NW_LDP_CAMPAIGN_BYTES;
    for (size_t i = 0; i < 8; i++)
        words[i] = (uint32_t)get(r, 4);
    o.protocol = (nw_hh_protocol)words[0];
    o.top = words[1];
    o.parties = words[2];
    o.keep = words[3];
    o.shared = words[4];
    o.is_adaptive = words[5] & 1;
    o.is_pruning = (words[5] & 2) != 0;
    o.encoding = (nw_hh_encoding)words[6];
    *level = words[7];
    o.threshold = get_real(r);
    if (words[5] > 3 || *level > campaign.levels || o.threshold < 0.0 || o.keep == 0)
        return nw__fail(err, NW_E_FORMAT, "nw_hh_deserialize", "the options are damaged");
    const nw_status status = nw_hh_new(out, &campaign, &o, &inner);
    if (status != NW_OK)
        return status == NW_E_NOMEM ? nw__fail_memory(err, "nw_hh_deserialize")
                                    : nw__fail(err, NW_E_FORMAT, "nw_hh_deserialize", "the options are damaged");
    (*out)->traffic.up = get(r, 8);
    (*out)->traffic.down = get(r, 8);
    (*out)->traffic.rounds = get(r, 8);
    return NW_OK;
}

nw_status nw_hh_deserialize(nw_hh **out, const uint8_t *bytes, size_t n, nw_error *err)
{
    uint8_t check[CHECK_BYTES];
    uint32_t level = 0;
    if (out == NULL || bytes == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : "bytes");
    *out = NULL;
    if (n < HEAD_BYTES + CHECK_BYTES || memcmp(bytes, MARK, sizeof MARK) != 0)
        return nw__fail(err, NW_E_FORMAT, __func__, "these are not the bytes of a search");
    crypto_generichash(check, sizeof check, bytes, n - CHECK_BYTES, NULL, 0);
    if (memcmp(check, bytes + n - CHECK_BYTES, CHECK_BYTES) != 0)
        return nw__fail(err, NW_E_FORMAT, __func__, "the bytes are damaged");
    reader r = { bytes + sizeof MARK, n - sizeof MARK - CHECK_BYTES, false };
    if (get(&r, 4) != VERSION)
        return nw__fail(err, NW_E_FORMAT, __func__, "the bytes are of another version");
    nw_hh *hh = NULL;
    nw_status status = get_head(&hh, &r, &level, err);
    while (status == NW_OK && hh->level < level)
        status = get_level(hh, &r, err);
    if (status == NW_OK && (r.left > 0 || r.is_short))
        status = nw__fail(err, NW_E_FORMAT, __func__, "the bytes do not end where they should");
    if (status == NW_OK && nw_hh_is_done(hh))
        status = nw__hh_conclude(hh, err);
    if (status == NW_OK)
        *out = hh;
    else
        nw_hh_free(hh);
    return status;
}
