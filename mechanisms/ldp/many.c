/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* many.c - reports of many users from the library's generator: simulations, and devices that are full computers. */
#include "server.h"

#include "random_internal.h"

#include <string.h>

static int draw(void *context, uint8_t *out, size_t n)
{
    nw__rng_take(context, out, n); /* at most 256 bytes at once: less than its buffer */
    return 0;
}

nw_status nw_ldp_report_many(const nw_ldp_campaign *campaign, nw_rng *rng, const uint8_t *users, const nw_ldp_item *items,
    size_t n, int level, uint8_t *out, size_t capacity, nw_error *err)
{
    size_t bytes = 0;
    if (campaign == NULL || rng == NULL || (n > 0 && (items == NULL || out == NULL)))
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL",
            campaign == NULL ? "campaign"
            : rng == NULL    ? "rng"
            : items == NULL  ? "items"
                             : "out");
    const size_t each = nw_ldp_report_size(campaign);
    if (!nw__mul_size(n, each, &bytes) || capacity < bytes)
        return nw__fail(err, NW_E_ARG, __func__, "capacity is %zu, must be at least %zu reports of %zu bytes", capacity, n, each);
    if ((users != NULL) != campaign->is_public_coin)
        return nw__fail(err, NW_E_ARG, __func__, "users is %s, must be given if the coin is public, and only then",
            users != NULL ? "given" : "NULL");
    if (level < -1 || level >= campaign->levels || (level >= 0 && campaign->is_public_coin))
        return nw__fail(err, NW_E_ARG, __func__, "level is %d, must be -1%s", level,
            campaign->is_public_coin ? " if the coin is public" : ", or a level of the campaign");
    if (n == 0)
        return NW_OK;
    memset(out, 0, bytes);
    NW__TRY(nw__rng_begin(rng, err));
    for (size_t i = 0; i < n; i++) {
        uint8_t *at = out + i * each;
        const nw_status status = level >= 0 ? nw_ldp_report_at(campaign, (unsigned)level, items[i], draw, rng, at, each)
                                            : nw_ldp_report(campaign, users != NULL ? users + i * NW_LDP_USER_BYTES : NULL,
                                                  items[i], draw, rng, at, each);
        if (status != NW_OK)
            return nw__fail(err, status, __func__, "no report could be made");
    }
    return NW_OK;
}
