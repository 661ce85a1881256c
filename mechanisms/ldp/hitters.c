/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* hitters.c - a search for heavy hitters: options, levels, and what can be asked of its state. The steps are in
 * hitters_step.c. */
#include "hitters_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TOP = 4096, MOST_KEPT = 65536, MOST_PARTIES = 65536, MOST_STEP = 24 };
enum { WIDEST_FIRST = 22, WIDEST_STEP = 16, PEM_STEP = 2 };

const char *nw_hh_protocol_name(nw_hh_protocol protocol)
{
    switch (protocol) {
    case NW_HH_PEM: return "pem";
    case NW_HH_FEDPEM: return "fedpem";
    case NW_HH_SHARED: return "shared";
    case NW_HH_POOLED: return "pooled";
    }
    return "unknown protocol";
}

void nw_hh_opts_init(nw_hh_opts *opts, size_t struct_size)
{
    const nw_hh_opts defaults = NW_HH_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

/* ---- levels ---- */

static unsigned log2_floor(unsigned x)
{
    unsigned log = 0;
    while (x >>= 1)
        log++;
    return log;
}

/* Characters that a level should not cut: their codes that are no text's can be left out where they end. */
static unsigned character_bits(nw_hh_encoding encoding)
{
    return encoding == NW_HH_LETTERS5 ? 5 : encoding == NW_HH_UTF8 ? 8 : 1;
}

/* The first level has one transform for all its codes and can be wide, the others have one a prefix; so few levels that each has
 * many users, the rest of the bits spread evenly over them. */
static void widest_steps(unsigned unit, unsigned bits, unsigned *first, unsigned *step)
{
    const unsigned widest = WIDEST_FIRST / unit * unit;
    const unsigned rest = bits > widest ? bits - widest : 0;
    const unsigned more = (rest + WIDEST_STEP - 1) / WIDEST_STEP;
    *first = widest;
    *step = more == 0 ? unit : (rest + more * unit - 1) / (more * unit) * unit;
}

nw_status nw_hh_levels(nw_hh_protocol protocol, nw_hh_encoding encoding, unsigned bits, unsigned top, unsigned step,
    uint8_t lengths[NW_LDP_MAX_LEVELS], unsigned *levels, nw_error *err)
{
    if (lengths == NULL || levels == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", lengths == NULL ? "lengths" : "levels");
    *levels = 0;
    if (bits < 1 || bits > 128)
        return nw__fail(err, NW_E_ARG, __func__, "bits is %u, must be in 1..128", bits);
    if (top < 1 || top > MOST_TOP)
        return nw__fail(err, NW_E_ARG, __func__, "top is %u, must be in 1..%d", top, MOST_TOP);
    if (step > WIDEST_FIRST)
        return nw__fail(err, NW_E_ARG, __func__, "step is %u, must be in 0..%d", step, WIDEST_FIRST);
    unsigned first = log2_floor(top) + 1; /* [WLJ19]: as many prefixes as there are places in the answer */
    if (protocol == NW_HH_PEM)
        step = step == 0 ? PEM_STEP : step;
    else if (step != 0)
        first = step;
    else
        widest_steps(character_bits(encoding), bits, &first, &step);
    unsigned length = first < bits ? first : bits;
    for (; *levels < NW_LDP_MAX_LEVELS; length = length + step < bits ? length + step : bits) {
        lengths[(*levels)++] = (uint8_t)length;
        if (length == bits)
            return NW_OK;
    }
    *levels = 0;
    return nw__fail(err, NW_E_ARG, __func__, "step is %u, which gives more than %d levels of %u bits, must be larger", step,
        NW_LDP_MAX_LEVELS, bits);
}

/* ---- options ---- */

static nw_status check_campaign(const nw_ldp_campaign *c, const char *function, nw_error *err)
{
    if (c->bits == 0 || (c->oracle != NW_LDP_BLH && c->oracle != NW_LDP_OLH))
        return nw__fail(
            err, NW_E_ARG, function, "the campaign's oracle is %s, must be blh or olh, of bits", nw_ldp_oracle_name(c->oracle));
    for (unsigned l = 0; l < c->levels; l++) {
        const unsigned step = c->lengths[l] - (l == 0 ? 0u : c->lengths[l - 1]);
        if (step > MOST_STEP)
            return nw__fail(
                err, NW_E_ARG, function, "level %u of the campaign adds %u bits, must add at most %d", l, step, MOST_STEP);
    }
    return NW_OK;
}

nw_status nw__hh_check(const nw_ldp_campaign *campaign, nw_hh_opts *o, const char *function, nw_error *err)
{
    NW__TRY(check_campaign(campaign, function, err));
    if (o->protocol < NW_HH_PEM || o->protocol > NW_HH_POOLED)
        return nw__fail(err, NW_E_ARG, function, "protocol is %d, must be pem, fedpem, shared or pooled", (int)o->protocol);
    if (o->top < 1 || o->top > MOST_TOP)
        return nw__fail(err, NW_E_ARG, function, "top is %u, must be in 1..%d", o->top, MOST_TOP);
    if (campaign->bits < 13 && o->top > UINT32_C(1) << campaign->bits)
        return nw__fail(err, NW_E_ARG, function, "top is %u, must be at most the 2^%u items of the campaign", o->top,
            (unsigned)campaign->bits);
    if (o->parties < 1 || o->parties > MOST_PARTIES)
        return nw__fail(err, NW_E_ARG, function, "parties is %u, must be in 1..%d", o->parties, MOST_PARTIES);
    if (o->keep == 0)
        o->keep = o->protocol == NW_HH_PEM ? o->top : 12 * o->top;
    if (o->keep < o->top || o->keep > MOST_KEPT)
        return nw__fail(err, NW_E_ARG, function, "keep is %u, must be in %u..%d", o->keep, o->top, MOST_KEPT);
    if (o->shared != 0 && (o->protocol != NW_HH_SHARED || o->shared >= campaign->levels))
        return nw__fail(err, NW_E_ARG, function, "shared is %u, must be below the %u levels of the campaign, and 0 for %s",
            o->shared, (unsigned)campaign->levels, nw_hh_protocol_name(o->protocol));
    if (o->threshold == -1.0)
        o->threshold = o->protocol == NW_HH_PEM ? 0.0 : 1.5;
    if (!(o->threshold >= 0.0 && o->threshold <= 10.0))
        return nw__fail(err, NW_E_ARG, function, "threshold is %g, must be in 0..10", o->threshold);
    if (o->is_pruning && o->protocol != NW_HH_SHARED)
        return nw__fail(err, NW_E_ARG, function, "is_pruning is true, must be false for %s", nw_hh_protocol_name(o->protocol));
    if ((int)o->encoding < 0 || o->encoding > NW_HH_HASH)
        return nw__fail(err, NW_E_ARG, function, "encoding is %d, must be u64, letters5, utf8, hash or 0", (int)o->encoding);
    return NW_OK;
}

nw_status nw_hh_new(nw_hh **out, const nw_ldp_campaign *campaign, const nw_hh_opts *opts, nw_error *err)
{
    nw_hh_opts o = NW_HH_OPTS_INIT;
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    if (campaign == NULL || opts == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", campaign == NULL ? "campaign" : "opts");
    memcpy(&o, opts, opts->struct_size < sizeof o ? opts->struct_size : sizeof o);
    o.struct_size = sizeof o;
    NW__TRY(nw__hh_check(campaign, &o, __func__, err));
    nw_hh *hh = nw__calloc(1, sizeof *hh);
    nw_hh_hit *hits = nw__calloc(o.top, sizeof *hits);
    if (hh == NULL || hits == NULL) {
        free(hh);
        free(hits);
        return nw__fail_memory(err, __func__);
    }
    hh->campaign = *campaign;
    hh->opts = o;
    hh->hits = hits;
    *out = hh;
    return NW_OK;
}

void nw__hh_free_lists(nw__hh_list *lists, size_t n)
{
    for (size_t i = 0; lists != NULL && i < n; i++)
        free(lists[i].nodes);
    free(lists);
}

void nw_hh_free(nw_hh *hh)
{
    if (hh == NULL)
        return;
    for (unsigned l = 0; l < NW_LDP_MAX_LEVELS; l++) {
        nw__hh_free_lists(hh->lists[l], nw__hh_groups(hh, l));
        free(hh->reports[l]);
    }
    free(hh->hits);
    free(hh);
}

/* ---- the state ---- */

bool nw__hh_is_together(const nw_hh *hh, unsigned level)
{
    switch (hh->opts.protocol) {
    case NW_HH_PEM:
    case NW_HH_POOLED: return true;
    case NW_HH_SHARED: return level < hh->opts.shared;
    case NW_HH_FEDPEM: break;
    }
    return false;
}

size_t nw__hh_groups(const nw_hh *hh, unsigned level)
{
    return nw__hh_is_together(hh, level) ? 1 : hh->opts.parties;
}

const nw__hh_list *nw__hh_list_of(const nw_hh *hh, unsigned level, size_t party)
{
    return &hh->lists[level][nw__hh_is_together(hh, level) ? 0 : party];
}

uint64_t nw__hh_group_reports(const nw_hh *hh, unsigned level, size_t group)
{
    uint64_t sum = 0;
    if (!nw__hh_is_together(hh, level))
        return hh->reports[level][group];
    for (size_t p = 0; p < hh->opts.parties; p++)
        sum += hh->reports[level][p];
    return sum;
}

nw_hh_opts nw_hh_get_opts(const nw_hh *hh)
{
    return hh->opts;
}

const nw_ldp_campaign *nw_hh_campaign(const nw_hh *hh)
{
    return &hh->campaign;
}

unsigned nw_hh_level(const nw_hh *hh)
{
    return hh->level;
}

bool nw_hh_is_done(const nw_hh *hh)
{
    return hh->level == hh->campaign.levels;
}

nw_hh_traffic nw_hh_get_traffic(const nw_hh *hh)
{
    return hh->traffic;
}

uint64_t nw_hh_users(const nw_hh *hh)
{
    uint64_t users = 0;
    for (unsigned l = 0; l < hh->level; l++)
        for (size_t p = 0; p < hh->opts.parties; p++)
            users += hh->reports[l][p];
    return users;
}

size_t nw_hh_found(const nw_hh *hh)
{
    return nw_hh_is_done(hh) ? hh->found : 0;
}

nw_status nw_hh_get(const nw_hh *hh, size_t i, nw_hh_hit *hit, nw_error *err)
{
    if (hh == NULL || hit == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", hh == NULL ? "hh" : "hit");
    if (!nw_hh_is_done(hh))
        return nw__fail(err, NW_E_STATE, __func__, "level %u is open, all must be closed", hh->level);
    if (i >= hh->found)
        return nw__fail(err, NW_E_ARG, __func__, "i is %zu, must be below the %zu items that were found", i, hh->found);
    *hit = hh->hits[i];
    return NW_OK;
}

nw_status nw_hh_party(const nw_hh *hh, uint32_t party, nw_hh_hit *hits, size_t *n, nw_error *err)
{
    if (hh == NULL || hits == NULL || n == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", hh == NULL ? "hh" : hits == NULL ? "hits" : "n");
    if (party >= hh->opts.parties)
        return nw__fail(err, NW_E_ARG, __func__, "party is %u, must be below %u", party, hh->opts.parties);
    if (!nw_hh_is_done(hh) || nw__hh_is_together(hh, hh->level - 1))
        return nw__fail(err, NW_E_STATE, __func__, "the party has told nothing by itself");
    return nw__hh_answer(hh, party, hits, n, err);
}

/* ---- how good an answer is ---- */

nw_hh_score nw_hh_compare(const nw_ldp_item *found, size_t n_found, const nw_ldp_item *truth, size_t n)
{
    size_t both = 0;
    double worth = 0.0;
    for (size_t t = 0; t < n; t++) {
        for (size_t f = 0; f < n_found; f++) {
            if (nw__hh_compare_items(found[f], truth[t]) == 0) {
                both++;
                worth += (double)(n - t);
                break;
            }
        }
    }
    return (nw_hh_score){ .f1 = 2.0 * (double)both / (double)(n + n_found), .ncr = worth / ((double)n * (double)(n + 1) / 2.0) };
}
