/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* hitters_found.c - what a search found: estimates of items from all levels, answers of parties, their sum; and consensus of
 * parties about prefixes.
 *
 * Deviations: [WLJ19] estimates an item by the reports of the last level alone, and so does PEM here. The other protocols also
 * use those of the levels before whose prefix only one item of the answer has: docs/rooms/hitters.md#estimates. The rule of
 * consensus is our own; [ZYH25] prunes by prior knowledge of other parties in a way that its summary does not tell. */
#include "hitters_internal.h"

#include <math.h>
#include <stdlib.h>

static const char STEP[] = "nw_hh_step";
/* A prefix that is more frequent than its item by more than this has other items that count. */
static const double ALIKE_DEVIATIONS = 2.0;

/* ---- an item's frequency from all levels ---- */

/* An item, or a prefix that is looked at, on its way up the tree. */
typedef struct leaf {
    uint32_t item;     /* which of them */
    uint32_t ancestor; /* of the level that is being looked at */
    double frequency;
} leaf;

static int by_ancestor(const void *a, const void *b)
{
    const leaf *x = a;
    const leaf *y = b;
    if (x->ancestor != y->ancestor)
        return x->ancestor < y->ancestor ? -1 : 1;
    if (x->frequency != y->frequency)
        return x->frequency < y->frequency ? 1 : -1;
    return x->item < y->item ? -1 : 1;
}

/* What the prefix has beyond the more frequent of its items is a second estimate of this one, unless it is so much more that the
 * prefix has items that nobody looks at. */
static bool pool(nw__hh_pooled *p, double rest, double rest_variance, double reports)
{
    const double distance = rest - p->frequency;
    if (distance > ALIKE_DEVIATIONS * sqrt(rest_variance + p->variance))
        return false;
    const double weight = p->variance / (p->variance + rest_variance);
    p->frequency += weight * distance;
    p->variance *= 1.0 - weight;
    p->reports += reports;
    return true;
}

/* One level: each prefix's estimate goes to its items, the most frequent first. */
static void pool_level(const nw_hh *hh, size_t group, unsigned level, leaf *leaves, size_t n, nw__hh_pooled *pools, bool *is_open)
{
    const nw__hh_list *list = nw__hh_list_of(hh, level, group);
    const double reports = (double)nw__hh_group_reports(hh, level, group);
    double rest = 0.0;
    double variance = 0.0;
    for (size_t i = 0; i < n; i++)
        leaves[i].frequency = pools[leaves[i].item].frequency;
    if (n > 0)
        qsort(leaves, n, sizeof *leaves, by_ancestor);
    for (size_t i = 0; i < n; i++) {
        const nw__hh_node *node = &list->nodes[leaves[i].ancestor];
        nw__hh_pooled *p = &pools[leaves[i].item];
        const nw__hh_pooled before = *p;
        if (i == 0 || leaves[i - 1].ancestor != leaves[i].ancestor) {
            rest = node->frequency;
            variance = node->variance;
        }
        if (is_open[leaves[i].item])
            is_open[leaves[i].item] = pool(p, rest, variance, reports);
        rest -= before.frequency;
        variance += before.variance;
    }
    for (size_t i = 0; i < n; i++)
        leaves[i].ancestor = list->nodes[leaves[i].ancestor].parent;
}

nw_status nw__hh_pool(const nw_hh *hh, unsigned level, size_t group, uint64_t reports, const nw__hh_node *nodes, size_t n,
    nw__hh_pooled *pools, nw_error *err)
{
    leaf *leaves = nw__calloc(n, sizeof *leaves);
    bool *is_open = nw__calloc(n, sizeof *is_open);
    if (leaves == NULL || is_open == NULL) {
        free(leaves);
        free(is_open);
        return nw__fail_memory(err, STEP);
    }
    for (size_t i = 0; i < n; i++) {
        pools[i] = (nw__hh_pooled){ nodes[i].frequency, nodes[i].variance, (double)reports };
        leaves[i] = (leaf){ (uint32_t)i, nodes[i].parent, 0.0 };
        is_open[i] = hh->opts.protocol != NW_HH_PEM;
    }
    /* what is frequent among all users says nothing of one party's */
    for (unsigned l = level; l > 0 && nw__hh_is_together(hh, l - 1) == nw__hh_is_together(hh, level); l--)
        pool_level(hh, group, l - 1, leaves, n, pools, is_open);
    free(leaves);
    free(is_open);
    return NW_OK;
}

/* ---- answers ---- */

static int by_count(const void *a, const void *b)
{
    const nw_hh_hit *x = a;
    const nw_hh_hit *y = b;
    return x->count != y->count ? (x->count < y->count ? 1 : -1) : nw__hh_compare_items(x->item, y->item);
}

static int by_item(const void *a, const void *b)
{
    return nw__hh_compare_items(((const nw_hh_hit *)a)->item, ((const nw_hh_hit *)b)->item);
}

/* Users of a party over all levels; of all parties if the last level was searched together. */
static double users_of(const nw_hh *hh, size_t group)
{
    double users = 0.0;
    if (nw__hh_is_together(hh, hh->campaign.levels - 1u))
        return (double)nw_hh_users(hh);
    for (unsigned l = 0; l < hh->campaign.levels; l++)
        users += (double)hh->reports[l][group];
    return users;
}

/* Those who reported are a random part of the users: their share of the item's holders varies as a draw without replacement. */
static nw_hh_hit to_hit(nw_ldp_item item, const nw__hh_pooled *p, double users)
{
    const double f = fmin(fmax(p->frequency, 0.0), 1.0);
    const double drawn = p->reports < users ? f * (1.0 - f) / p->reports * (1.0 - p->reports / users) : 0.0;
    return (nw_hh_hit){ item, p->frequency * users, sqrt(p->variance + drawn) * users };
}

nw_status nw__hh_answer(const nw_hh *hh, size_t group, nw_hh_hit *hits, size_t *found, nw_error *err)
{
    const unsigned last = hh->campaign.levels - 1u;
    const nw__hh_list *items = nw__hh_list_of(hh, last, group);
    const double users = users_of(hh, group);
    nw__hh_pooled *pools = nw__calloc(items->n, sizeof *pools);
    nw_hh_hit *all = nw__calloc(items->n, sizeof *all);
    nw_status status = pools == NULL || all == NULL ? nw__fail_memory(err, STEP) : NW_OK;
    if (status == NW_OK)
        status = nw__hh_pool(hh, last, group, nw__hh_group_reports(hh, last, group), items->nodes, items->n, pools, err);
    if (status == NW_OK) {
        for (size_t i = 0; i < items->n; i++)
            all[i] = to_hit(items->nodes[i].prefix, &pools[i], users);
        if (items->n > 0)
            qsort(all, items->n, sizeof *all, by_count);
        *found = items->n < hh->opts.top ? items->n : hh->opts.top;
        for (size_t i = 0; i < *found; i++)
            hits[i] = all[i];
    }
    free(pools);
    free(all);
    return status;
}

/* Adds up the answers of all parties, counts below 0 taken for 0. */
static nw_status merge(const nw_hh *hh, nw_hh_hit *hits, size_t *found, nw_error *err)
{
    const size_t parties = hh->opts.parties;
    const size_t top = hh->opts.top;
    size_t n = 0;
    size_t different = 0;
    nw_hh_hit *all = nw__calloc(parties * top, sizeof *all);
    nw_status status = all == NULL ? nw__fail_memory(err, STEP) : NW_OK;
    for (size_t p = 0; status == NW_OK && p < parties; p++) {
        size_t told = 0;
        status = nw__hh_answer(hh, p, all + n, &told, err);
        n += told;
    }
    if (status == NW_OK && n > 0) {
        qsort(all, n, sizeof *all, by_item);
        for (size_t i = 0; i < n; i++) {
            const nw_hh_hit one = { all[i].item, fmax(all[i].count, 0.0), all[i].error * all[i].error };
            if (different > 0 && nw__hh_compare_items(all[different - 1].item, one.item) == 0) {
                all[different - 1].count += one.count;
                all[different - 1].error += one.error;
            } else {
                all[different++] = one;
            }
        }
        qsort(all, different, sizeof *all, by_count);
    }
    *found = different < top ? different : top;
    for (size_t i = 0; status == NW_OK && i < *found; i++)
        hits[i] = (nw_hh_hit){ all[i].item, all[i].count, sqrt(all[i].error) };
    free(all);
    return status;
}

nw_status nw__hh_conclude(nw_hh *hh, nw_error *err)
{
    if (nw__hh_is_together(hh, hh->campaign.levels - 1u))
        return nw__hh_answer(hh, 0, hh->hits, &hh->found, err);
    return merge(hh, hh->hits, &hh->found, err);
}

/* ---- consensus ---- */

static int compare_node(const void *key, const void *node)
{
    return nw__hh_compare_items(*(const nw_ldp_item *)key, ((const nw__hh_node *)node)->prefix);
}

/* Whether the group searched the extensions of this prefix. */
static bool is_searched(const nw_hh *hh, size_t group, nw_ldp_item parent)
{
    if (hh->level == 0 || nw__hh_is_together(hh, hh->level - 1))
        return true;
    const nw__hh_list *list = nw__hh_list_of(hh, hh->level - 1, group);
    return list->n > 0 && bsearch(&parent, list->nodes, list->n, sizeof *list->nodes, compare_node) != NULL;
}

/* What a group says of a code: its estimate; or that it is no more than its bound; or nothing. */
static bool opinion(const nw_hh *hh, const nw__hh_nominees *all, size_t group, nw_ldp_item code, nw_ldp_item parent, double *says)
{
    const nw__hh_nominees *its = &all[group];
    for (size_t i = 0; i < its->n; i++) {
        if (nw__hh_compare_items(its->items[i].prefix, code) == 0) {
            *says = its->items[i].frequency;
            return true;
        }
    }
    *says = its->bound;
    return is_searched(hh, group, parent);
}

void nw__hh_weigh(const nw_hh *hh, nw__hh_nominees *all, const uint64_t *reports, const size_t *order, size_t turn)
{
    const unsigned length = hh->campaign.lengths[hh->level];
    const unsigned step = length - (hh->level == 0 ? 0u : hh->campaign.lengths[hh->level - 1]);
    nw__hh_nominees *own = &all[order[turn]];
    for (size_t i = 0; i < own->n; i++) {
        nw__hh_nominee *one = &own->items[i];
        const nw_ldp_item parent = nw__hh_shorten(one->prefix, step);
        double n = (double)reports[order[turn]]; /* the variance at frequency 0 is a constant over the reports */
        double sum = n * one->frequency;
        for (size_t t = 0; t < turn; t++) {
            double says;
            const double m = (double)reports[order[t]];
            if (m > 0.0 && opinion(hh, all, order[t], one->prefix, parent, &says)) {
                sum += m * says;
                n += m;
            }
        }
        one->weight = sum / nw_ldp_campaign_deviation(&hh->campaign, n, 0.0);
    }
}
