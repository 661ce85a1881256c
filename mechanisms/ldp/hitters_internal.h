/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_HITTERS_INTERNAL_H
#define NW_HITTERS_INTERNAL_H

/* hitters_internal.h - the state of a search for heavy hitters, and what its files share. */
#include "base.h"

#include <nw/hitters.h>

/** A prefix that goes on, or at the last level an item. */
typedef struct nw__hh_node {
    nw_ldp_item prefix;
    double frequency; /* among the reports of its level; unbiased, so it may be negative */
    double variance;  /* of that, for the noise of the reports */
    uint32_t parent;  /* which prefix of the list before it extends */
} nw__hh_node;

/** What a group - a party, or all - kept at a level, by prefix. */
typedef struct nw__hh_list {
    nw__hh_node *nodes;
    size_t n;
} nw__hh_list;

struct nw_hh {
    nw_ldp_campaign campaign;
    nw_hh_opts opts;
    unsigned level;                        /* that the next step closes */
    nw__hh_list *lists[NW_LDP_MAX_LEVELS]; /* of the closed levels: nw__hh_groups of them each, else NULL */
    uint64_t *reports[NW_LDP_MAX_LEVELS];  /* of the closed levels, of each party */
    nw_hh_traffic traffic;
    nw_hh_hit *hits; /* after the last level; opts.top of room */
    size_t found;
};

/** Whether all parties search this level together. */
bool nw__hh_is_together(const nw_hh *hh, unsigned level);
/** How many search by themselves at this level: 1 or the parties. */
size_t nw__hh_groups(const nw_hh *hh, unsigned level);
/** Of a closed level: what the group kept that party `party` belongs to. */
const nw__hh_list *nw__hh_list_of(const nw_hh *hh, unsigned level, size_t party);
/** Reports of a group at a closed level. */
uint64_t nw__hh_group_reports(const nw_hh *hh, unsigned level, size_t group);
void nw__hh_free_lists(nw__hh_list *lists, size_t n);
nw_status nw__hh_check(const nw_ldp_campaign *campaign, nw_hh_opts *opts, const char *function, nw_error *err);

/** A code that a step is looking at. */
typedef struct nw__hh_nominee {
    nw_ldp_item prefix;
    int64_t support;
    uint32_t parent;
    double frequency;
    double variance;
    double weight; /* its own frequency, or with consensus that of several parties, in standard deviations at 0 */
    double rank;   /* by which nominees are ordered: the highest go on */
} nw__hh_nominee;
typedef struct nw__hh_nominees {
    nw__hh_nominee *items; /* the most frequent first */
    size_t n;
    double bound; /* the frequency that a code of the searched domain has at most if it is not among them */
} nw__hh_nominees;

/** Consensus pruning: weighs the nominees of group `order[turn]` anew by what those before it in `order` estimated. */
void nw__hh_weigh(const nw_hh *hh, nw__hh_nominees *all, const uint64_t *reports, const size_t *order, size_t turn);

/** A frequency from the reports of several levels. */
typedef struct nw__hh_pooled {
    double frequency;
    double variance; /* of the noise */
    double reports;  /* that it was estimated from */
} nw__hh_pooled;
/** Pools the estimates of n prefixes of a level, from `reports` reports, with those of the prefixes that they extend, on closed
 *  levels. pools: as many. NW_E_NOMEM. */
nw_status nw__hh_pool(const nw_hh *hh, unsigned level, size_t group, uint64_t reports, const nw__hh_node *nodes, size_t n,
    nw__hh_pooled *pools, nw_error *err);

/** After the last level: the merged answer. NW_E_NOMEM. */
nw_status nw__hh_conclude(nw_hh *hh, nw_error *err);
/** The top items of one group, counted in users of its own; hits: opts.top of room. NW_E_NOMEM. */
nw_status nw__hh_answer(const nw_hh *hh, size_t group, nw_hh_hit *hits, size_t *found, nw_error *err);

static inline int nw__hh_compare_items(nw_ldp_item a, nw_ldp_item b)
{
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    return a.low < b.low ? -1 : a.low > b.low;
}

/** item 2^shift + suffix, shift 0 .. 64. */
static inline nw_ldp_item nw__hh_extend(nw_ldp_item item, unsigned shift, uint64_t suffix)
{
    if (shift == 0)
        return item;
    if (shift == 64)
        return (nw_ldp_item){ item.low, suffix };
    return (nw_ldp_item){ item.high << shift | item.low >> (64 - shift), item.low << shift | suffix };
}

/** item / 2^shift, shift 0 .. 127. */
static inline nw_ldp_item nw__hh_shorten(nw_ldp_item item, unsigned shift)
{
    if (shift >= 64)
        return (nw_ldp_item){ 0, item.high >> (shift - 64) };
    if (shift == 0)
        return item;
    return (nw_ldp_item){ item.high >> shift, item.low >> shift | item.high << (64 - shift) };
}

#endif
