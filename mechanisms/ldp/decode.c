/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* decode.c - supports of items: what each oracle's reports say about them, in integers. */
#include "server.h"

#include <stdlib.h>
#include <string.h>

static bool is_below(nw_ldp_item item, unsigned bits)
{
    if (bits >= 64)
        return bits >= 128 || item.high >> (bits - 64) == 0;
    return item.high == 0 && item.low >> bits == 0;
}

nw_status nw__ldp_check_items(const nw_ldp_campaign *c, unsigned level, unsigned shift, const nw_ldp_item *items, size_t n,
    const char *function, nw_error *err)
{
    if (nw__ldp_is_number(c->oracle))
        return nw__fail(err, NW_E_ARG, function, "the campaign is of %s: it has no items", nw_ldp_oracle_name(c->oracle));
    if (level >= c->levels)
        return nw__fail(err, NW_E_ARG, function, "level is %u, must be below %u", level, c->levels);
    for (size_t i = 0; i < n; i++) {
        const bool is_valid =
            c->bits != 0 ? is_below(items[i], c->lengths[level] - shift) : items[i].high == 0 && items[i].low < c->domain;
        if (!is_valid)
            return nw__fail(err, NW_E_ARG, function, "item %zu is beyond the items of level %u", i, level);
    }
    return NW_OK;
}

/* 2 N(own half) - N(block), by a transform of each block of columns. */
static nw_status support_hadamard(const nw_ldp_aggregate *a, const nw_ldp_item *items, size_t n, int64_t *supports, nw_error *err)
{
    const nw_ldp_campaign *c = &a->campaign;
    const size_t columns = (size_t)1 << c->dimension;
    int64_t *x = nw__calloc(a->table_size, sizeof *x);
    if (x == NULL)
        return nw__fail_memory(err, "nw_ldp_aggregate_support");
    for (size_t i = 0; i < a->table_size; i++)
        x[i] = (int64_t)a->table[i];
    for (size_t h = 1; h < columns; h *= 2) /* blocks are aligned, so passes do not cross them */
        for (size_t i = 0; i < a->table_size; i += 2 * h)
            for (size_t j = i; j < i + h; j++) {
                const int64_t sum = x[j] + x[j + h];
                x[j + h] = x[j] - x[j + h];
                x[j] = sum;
            }
    for (size_t i = 0; i < n; i++) {
        const size_t block = (size_t)(items[i].low % c->symbols);
        const size_t row = (size_t)(items[i].low / c->symbols) + 1;
        supports[i] = x[block * columns + row];
    }
    free(x);
    return NW_OK;
}

static nw_status support(
    const nw_ldp_aggregate *view, unsigned level, const nw_ldp_item *items, size_t n, int64_t *supports, nw_error *err)
{
    switch (view->campaign.oracle) {
    case NW_LDP_OLH: return nw__ldp_support_olh(view, level, items, n, supports, nw__ldp_kernels_best(), err);
    case NW_LDP_BLH: return nw__ldp_support_blh(view, level, items, n, supports, err);
    case NW_LDP_HADAMARD: return support_hadamard(view, items, n, supports, err);
    case NW_LDP_PROJECTIVE: return nw__ldp_support_plane(&view->campaign, view->table, items, n, supports, err);
    default:
        for (size_t i = 0; i < n; i++)
            supports[i] = (int64_t)view->table[items[i].low];
        return NW_OK;
    }
}

nw_status nw_ldp_aggregate_support(
    const nw_ldp_aggregate *aggregate, unsigned level, const nw_ldp_item *items, size_t n, int64_t *supports, nw_error *err)
{
    const nw_ldp_aggregate *view = NULL;
    if (aggregate == NULL || (n > 0 && (items == NULL || supports == NULL)))
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL",
            aggregate == NULL ? "aggregate"
            : items == NULL   ? "items"
                              : "supports");
    NW__TRY(nw__ldp_check_items(&aggregate->campaign, level, 0, items, n, __func__, err));
    if (n == 0)
        return NW_OK;
    NW__TRY(nw__ldp_view(aggregate, &view, err));
    const nw_status status = support(view, level, items, n, supports, err);
    nw__ldp_view_free(aggregate, view);
    return status;
}

/* One by one, in lists that fit into memory. */
static nw_status subtree_by_items(const nw_ldp_aggregate *view, unsigned level, const nw_ldp_item *prefixes, size_t n,
    unsigned suffix_bits, int64_t *supports, nw_error *err)
{
    enum { SOME = 4096 };
    const size_t all = n << suffix_bits;
    nw_ldp_item *items = nw__calloc(SOME, sizeof *items);
    nw_status status = items != NULL ? NW_OK : nw__fail_memory(err, "nw_ldp_aggregate_subtree");
    for (size_t at = 0; status == NW_OK && at < all; at += SOME) {
        const size_t some = all - at < SOME ? all - at : SOME;
        for (size_t i = 0; i < some; i++) {
            const nw_ldp_item prefix = prefixes[(at + i) >> suffix_bits];
            const uint64_t suffix = (at + i) & (((size_t)1 << suffix_bits) - 1);
            items[i].high = prefix.high << suffix_bits | (suffix_bits != 0 ? prefix.low >> (64 - suffix_bits) : 0);
            items[i].low = prefix.low << suffix_bits | suffix;
        }
        status = support(view, level, items, some, supports + at, err);
    }
    free(items);
    return status;
}

nw_status nw_ldp_aggregate_subtree(const nw_ldp_aggregate *aggregate, unsigned level, const nw_ldp_item *prefixes, size_t n,
    unsigned suffix_bits, int64_t *supports, nw_error *err)
{
    enum { MOST_SUFFIX = 24 };
    const nw_ldp_aggregate *view = NULL;
    size_t bytes = 0;
    if (aggregate == NULL || (n > 0 && (prefixes == NULL || supports == NULL)))
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL",
            aggregate == NULL  ? "aggregate"
            : prefixes == NULL ? "prefixes"
                               : "supports");
    const nw_ldp_campaign *c = &aggregate->campaign;
    if (c->bits == 0 || level >= c->levels)
        return nw__fail(err, NW_E_ARG, __func__, "level is %u, must be a level of a campaign of bits", level);
    const unsigned most = c->lengths[level] < MOST_SUFFIX ? c->lengths[level] : MOST_SUFFIX;
    if (suffix_bits > most)
        return nw__fail(err, NW_E_ARG, __func__, "suffix_bits is %u, must be at most %u at level %u", suffix_bits, most, level);
    if (!nw__mul_size(n, sizeof *supports << suffix_bits, &bytes))
        return nw__fail(err, NW_E_ARG, __func__, "n is %zu, must be less with suffix_bits %u", n, suffix_bits);
    NW__TRY(nw__ldp_check_items(c, level, suffix_bits, prefixes, n, __func__, err));
    if (n == 0)
        return NW_OK;
    NW__TRY(nw__ldp_view(aggregate, &view, err));
    const nw_status status = c->oracle == NW_LDP_BLH ? nw__ldp_subtree_blh(view, level, prefixes, n, suffix_bits, supports,
                                                           nw__ldp_kernels_best(), err)
                                                     : subtree_by_items(view, level, prefixes, n, suffix_bits, supports, err);
    nw__ldp_view_free(aggregate, view);
    return status;
}
