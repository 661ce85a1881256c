/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* cost.c - what reports cost, as events of the accountant. */
#include "server.h"

static double nats(uint64_t epsilon)
{
    return (double)epsilon * 0x1p-32; /* exact */
}

nw_status nw_ldp_event(nw_event **out, const nw_ldp_campaign *campaign, nw_error *err)
{
    if (out == NULL || campaign == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : "campaign");
    return nw_event_ldp(out, nats(campaign->first_epsilon != 0 ? campaign->first_epsilon : campaign->epsilon), err);
}

nw_status nw_ldp_memoised_event(nw_event **out, const nw_ldp_campaign *campaign, uint64_t values, nw_error *err)
{
    nw_event *one = NULL;
    if (out == NULL || campaign == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : "campaign");
    *out = NULL;
    if (values == 0)
        return nw__fail(err, NW_E_ARG, __func__, "values is 0, must be at least 1");
    const uint64_t most = nw_ldp_memo_values(campaign);
    NW__TRY(nw_event_ldp(&one, nats(campaign->epsilon), err));
    const nw_status status = nw_event_repeat(out, one, values < most ? values : most, err);
    nw_event_free(one);
    return status;
}

nw_status nw_ldp_shuffled_event(nw_event **out, const nw_ldp_campaign *campaign, uint64_t reports, nw_error *err)
{
    nw_event *one = NULL;
    if (out == NULL || campaign == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : "campaign");
    *out = NULL;
    if (campaign->is_public_coin)
        return nw__fail(err, NW_E_UNSUPPORTED, __func__, "reports of a public coin name their users: shuffling hides nobody");
    NW__TRY(nw_ldp_event(&one, campaign, err));
    const nw_status status = nw_event_shuffled(out, reports, one, err);
    nw_event_free(one);
    return status;
}
