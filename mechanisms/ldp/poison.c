/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* poison.c - what users who lie can do, and what can be done about it: docs/rooms/ldp.md#poisoning. */
#include "server.h"

#include <math.h>
#include <stdlib.h>

/* A fake user's report supports s of the targets instead of n q of them: each adds (s - r q) / (p - q) in all, and the fake
 * users' share of the frequency is missing from the honest ones  [CJG21, sec. 4]. */
double nw_ldp_attack_gain(const nw_ldp_campaign *campaign, double fakes, double targets, double mass)
{
    const nw_ldp_law law = nw_ldp_campaign_law(campaign);
    double supported = targets; /* a bit an item, or a seed for which all targets hash alike */
    switch (campaign->oracle) {
    case NW_LDP_GRR: supported = fmin(1.0, targets); break;
    case NW_LDP_SUBSET: supported = fmin((double)campaign->symbols, targets); break;
    case NW_LDP_SUE:
    case NW_LDP_OUE: break;
    case NW_LDP_OLH:
    case NW_LDP_BLH:
        if (campaign->is_public_coin) {
            /* The fullest of g cells. Hashes are independent in pairs, so the cells' squared distances from r / g add up to
             * r (1 - 1/g) in expectation, and the largest distance is at most the root of that. */
            const double g = campaign->symbols;
            supported = fmin(targets, targets / g + sqrt(targets * (1.0 - 1.0 / g)));
        }
        break;
    default: return NAN;
    }
    return fakes * ((supported - targets * law.other) / (law.own - law.other) - mass);
}

/* ---- screening ---- */

/* Which reports of a block support more than `most` of the items; a copy without them replaces the log. */
static nw_status screen_log(
    nw_ldp_aggregate *a, unsigned level, const nw_ldp_item *items, size_t n, double most, uint64_t *removed, nw_error *err)
{
    const unsigned pieces = nw__ldp_pieces(&a->campaign, level);
    nw_ldp_aggregate *kept = NULL;
    NW__TRY(nw_ldp_aggregate_new(&kept, &a->campaign, NULL, err));
    for (const nw__ldp_block *block = a->logs[level]; block != NULL; block = block->next)
        for (size_t i = 0; i < block->used; i++) {
            uint8_t payload[6];
            size_t supported = 0;
            for (size_t k = 0; k < n; k++)
                supported += nw__ldp_cell(&a->campaign, block->seeds[i], items[k], pieces) == block->cells[i];
            if ((double)supported > most) {
                ++*removed;
                continue;
            }
            nw__put(payload, block->seeds[i], 4);
            nw__put(payload + 4, block->cells[i], 2);
            if (nw__ldp_keep(kept, level, payload, err) != NW_OK) {
                nw_ldp_aggregate_free(kept);
                return NW_E_NOMEM;
            }
        }
    nw__ldp_block *old = a->logs[level];
    a->logs[level] = kept->logs[level];
    kept->logs[level] = old;
    nw_ldp_aggregate_free(kept);
    return NW_OK;
}

nw_status nw_ldp_aggregate_screen(nw_ldp_aggregate *aggregate, unsigned level, const nw_ldp_item *items, size_t n, double risk,
    uint64_t *removed, nw_error *err)
{
    uint64_t count = 0;
    if (aggregate == NULL || (items == NULL && n > 0))
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", aggregate == NULL ? "aggregate" : "items");
    if (!(risk > 0.0 && risk < 1.0))
        return nw__fail(err, NW_E_ARG, __func__, "risk is %g, must be in (0, 1)", risk);
    if (!nw__ldp_is_hashed(aggregate->campaign.oracle) || aggregate->table != NULL || aggregate->is_tracking_users)
        return nw__fail(err, NW_E_UNSUPPORTED, __func__, "the aggregate keeps no log of reports");
    NW__TRY(nw__ldp_check_items(&aggregate->campaign, level, 0, items, n, __func__, err));
    /* An honest report supports its own item and others that are independent in pairs: Cantelli's inequality. */
    const double g = aggregate->campaign.symbols;
    const double deviation = sqrt((double)n / g * (1.0 - 1.0 / g));
    const double most = 1.0 + (double)n / g + deviation * sqrt(1.0 / risk - 1.0);
    NW__TRY(screen_log(aggregate, level, items, n, most, &count, err));
    aggregate->reports[level] -= count;
    aggregate->verdicts[NW_LDP_ACCEPTED] -= count;
    aggregate->verdicts[NW_LDP_SUSPECT] += count;
    if (removed != NULL)
        *removed = count;
    return NW_OK;
}

/* ---- parties ---- */

typedef struct share {
    double frequency;
    double size;
} share;

static int compare_shares(const void *a, const void *b)
{
    const double x = ((const share *)a)->frequency;
    const double y = ((const share *)b)->frequency;
    return x < y ? -1 : x > y;
}

nw_status nw_ldp_combine(
    const double *counts, const double *sizes, size_t parties, size_t n, size_t trimmed, double *out, nw_error *err)
{
    if (sizes == NULL || (n > 0 && (counts == NULL || out == NULL)))
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", sizes == NULL ? "sizes" : counts == NULL ? "counts" : "out");
    if (parties < 1 || trimmed > (parties - 1) / 2)
        return nw__fail(
            err, NW_E_ARG, __func__, "trimmed is %zu, must be at most half of %zu parties less one", trimmed, parties);
    double all = 0.0;
    for (size_t p = 0; p < parties; p++) {
        if (!(sizes[p] > 0.0 && isfinite(sizes[p])))
            return nw__fail(err, NW_E_ARG, __func__, "size of party %zu is %g, must be above 0", p, sizes[p]);
        all += sizes[p];
    }
    share *shares = nw__calloc(parties, sizeof *shares);
    if (shares == NULL)
        return nw__fail_memory(err, __func__);
    for (size_t i = 0; i < n; i++) {
        double size = 0.0;
        double count = 0.0;
        for (size_t p = 0; p < parties; p++)
            shares[p] = (share){ counts[p * n + i] / sizes[p], sizes[p] };
        qsort(shares, parties, sizeof *shares, compare_shares);
        for (size_t p = trimmed; p < parties - trimmed; p++) {
            size += shares[p].size;
            count += shares[p].size * shares[p].frequency;
        }
        out[i] = count / size * all;
    }
    free(shares);
    return NW_OK;
}
