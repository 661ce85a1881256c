/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* users.c - one report a user. Of several the one that is smallest by its bytes counts, whatever the order in which they came or
 * aggregates were merged, so that the result does not depend on it and nobody gains by sending more. */
#include "server.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static size_t place_of(const nw_ldp_aggregate *a, const uint8_t *user)
{
    uint8_t hash[crypto_shorthash_BYTES];
    _Static_assert(sizeof a->key == crypto_shorthash_KEYBYTES, "a key of SipHash");
    crypto_shorthash(hash, user, NW_LDP_USER_BYTES, a->key);
    return (size_t)nw__get(hash, 8) & (a->capacity - 1);
}

/* The user's entry, or the free one where it belongs. */
static nw__ldp_entry *find(const nw_ldp_aggregate *a, const uint8_t *user)
{
    size_t at = place_of(a, user);
    while (a->entries[at].is_used && memcmp(a->entries[at].user, user, NW_LDP_USER_BYTES) != 0)
        at = (at + 1) & (a->capacity - 1);
    return &a->entries[at];
}

static nw_status grow(nw_ldp_aggregate *a, nw_error *err)
{
    const size_t old_capacity = a->capacity;
    nw__ldp_entry *old = a->entries;
    const size_t capacity = old_capacity != 0 ? 2 * old_capacity : 64;
    nw__ldp_entry *entries = nw__calloc(capacity, sizeof *entries);
    if (entries == NULL)
        return nw__fail_memory(err, "nw_ldp_aggregate");
    a->entries = entries;
    a->capacity = capacity;
    for (size_t i = 0; i < old_capacity; i++)
        if (old[i].is_used)
            *find(a, old[i].user) = old[i];
    free(old);
    return NW_OK;
}

nw_status nw__ldp_track(
    nw_ldp_aggregate *a, const uint8_t *user, unsigned level, const uint8_t *payload, nw_ldp_verdict *verdict, nw_error *err)
{
    if (2 * (a->users + 1) > a->capacity)
        NW__TRY(grow(a, err));
    nw__ldp_entry *entry = find(a, user);
    if (entry->is_used) {
        *verdict = NW_LDP_REPLAYED;
        const int order = level != entry->level ? (level < entry->level ? -1 : 1) : memcmp(payload, entry->payload, 6);
        if (order < 0) {
            a->reports[entry->level]--;
            a->reports[level]++;
            entry->level = (uint8_t)level;
            memcpy(entry->payload, payload, 6);
        }
    } else {
        *verdict = NW_LDP_ACCEPTED;
        memcpy(entry->user, user, NW_LDP_USER_BYTES);
        memcpy(entry->payload, payload, 6);
        entry->level = (uint8_t)level;
        entry->is_used = true;
        a->reports[level]++;
        a->users++;
    }
    a->verdicts[*verdict]++;
    return NW_OK;
}

static int compare_users(const void *a, const void *b)
{
    return memcmp(((const nw__ldp_entry *)a)->user, ((const nw__ldp_entry *)b)->user, NW_LDP_USER_BYTES);
}

nw__ldp_entry *nw__ldp_sorted_entries(const nw_ldp_aggregate *a)
{
    nw__ldp_entry *sorted = nw__calloc(a->users, sizeof *sorted);
    size_t n = 0;
    if (sorted == NULL)
        return NULL;
    for (size_t i = 0; i < a->capacity; i++)
        if (a->entries[i].is_used)
            sorted[n++] = a->entries[i];
    qsort(sorted, n, sizeof *sorted, compare_users);
    return sorted;
}

nw_status nw__ldp_view(const nw_ldp_aggregate *aggregate, const nw_ldp_aggregate **view, nw_error *err)
{
    nw_ldp_aggregate *made = NULL;
    *view = aggregate;
    if (!aggregate->is_tracking_users)
        return NW_OK;
    NW__TRY(nw_ldp_aggregate_new(&made, &aggregate->campaign, NULL, err));
    memcpy(made->reports, aggregate->reports, sizeof made->reports);
    for (size_t i = 0; i < aggregate->capacity; i++) {
        const nw__ldp_entry *entry = &aggregate->entries[i];
        if (entry->is_used && nw__ldp_keep(made, entry->level, entry->payload, err) != NW_OK) {
            nw_ldp_aggregate_free(made);
            return NW_E_NOMEM;
        }
    }
    *view = made;
    return NW_OK;
}

void nw__ldp_view_free(const nw_ldp_aggregate *aggregate, const nw_ldp_aggregate *view)
{
    if (view != aggregate)
        nw_ldp_aggregate_free((nw_ldp_aggregate *)(uintptr_t)view);
}
