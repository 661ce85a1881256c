/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bytes.c - aggregates added up, and written.
 *
 *   0 "NWLA"   4 version   5 flags (1: users are tracked)   6 zero (2)   8 campaign (88)   96 counts by verdict (7 x 8)
 *   152 reports by level (levels x 8), then one of
 *     the table (8 an entry)
 *     logs, level by level, sorted: seed (4), cell (2)
 *     users, sorted: user (16), level (1), payload (6)
 * Integers are little-endian. There is one way to write a state. */
#include "server.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t mark[4] = { 'N', 'W', 'L', 'A' };
enum { LEVELS_AT = 96 + 8 * NW_LDP_VERDICTS, LOGGED = 6, TRACKED = NW_LDP_USER_BYTES + 7 };
/* Counts of one aggregate: supports and their sums stay within int64. */
static const uint64_t MOST = UINT64_C(1) << 56;

/* ---- merging ---- */

static nw_status merge_logs(nw_ldp_aggregate *a, const nw_ldp_aggregate *other, nw_error *err)
{
    uint8_t payload[6];
    for (unsigned level = 0; level < a->campaign.levels; level++)
        for (const nw__ldp_block *block = other->logs[level]; block != NULL; block = block->next)
            for (size_t i = 0; i < block->used; i++) {
                nw__put(payload, block->seeds[i], 4);
                nw__put(payload + 4, block->cells[i], 2);
                NW__TRY(nw__ldp_keep(a, level, payload, err));
            }
    return NW_OK;
}

static nw_status merge_users(nw_ldp_aggregate *a, const nw_ldp_aggregate *other, nw_error *err)
{
    nw_ldp_verdict verdict;
    for (size_t i = 0; i < other->capacity; i++) {
        const nw__ldp_entry *entry = &other->entries[i];
        if (entry->is_used)
            NW__TRY(nw__ldp_track(a, entry->user, entry->level, entry->payload, &verdict, err));
    }
    return NW_OK;
}

nw_status nw_ldp_aggregate_merge(nw_ldp_aggregate *aggregate, const nw_ldp_aggregate *other, nw_error *err)
{
    if (aggregate == NULL || other == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", aggregate == NULL ? "aggregate" : "other");
    if (aggregate == other)
        return nw__fail(err, NW_E_ARG, __func__, "other is the aggregate itself, must be another one");
    if (memcmp(aggregate->campaign.digest, other->campaign.digest, NW_LDP_DIGEST_BYTES) != 0)
        return nw__fail(err, NW_E_ARG, __func__, "the campaigns differ");
    if (aggregate->is_tracking_users != other->is_tracking_users)
        return nw__fail(err, NW_E_ARG, __func__, "is_tracking_users differs");
    for (unsigned i = 0; i < NW_LDP_VERDICTS; i++)
        if (aggregate->verdicts[i] + other->verdicts[i] > MOST)
            return nw__fail(err, NW_E_ARG, __func__, "there would be more than 2^56 reports");
    if (aggregate->is_tracking_users) {
        NW__TRY(merge_users(aggregate, other, err));
    } else {
        NW__TRY(merge_logs(aggregate, other, err));
        for (size_t i = 0; i < aggregate->table_size; i++)
            aggregate->table[i] += other->table[i];
        for (unsigned level = 0; level < NW_LDP_MAX_LEVELS; level++)
            aggregate->reports[level] += other->reports[level];
        aggregate->verdicts[NW_LDP_ACCEPTED] += other->verdicts[NW_LDP_ACCEPTED];
    }
    for (unsigned i = NW_LDP_ACCEPTED + 1; i < NW_LDP_VERDICTS; i++)
        aggregate->verdicts[i] += other->verdicts[i];
    return NW_OK;
}

/* ---- writing ---- */

size_t nw_ldp_aggregate_size(const nw_ldp_aggregate *aggregate)
{
    const size_t head = LEVELS_AT + 8 * (size_t)aggregate->campaign.levels;
    if (aggregate->is_tracking_users)
        return head + TRACKED * aggregate->users;
    if (aggregate->table != NULL)
        return head + 8 * aggregate->table_size;
    return head + LOGGED * (size_t)aggregate->verdicts[NW_LDP_ACCEPTED];
}

static int compare_reports(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static bool write_log(const nw_ldp_aggregate *a, unsigned level, uint8_t *out)
{
    const size_t n = (size_t)a->reports[level];
    uint64_t *sorted = nw__calloc(n, sizeof *sorted);
    size_t at = 0;
    if (sorted == NULL)
        return false;
    for (const nw__ldp_block *block = a->logs[level]; block != NULL; block = block->next)
        for (size_t i = 0; i < block->used; i++)
            sorted[at++] = (uint64_t)block->seeds[i] << 16 | block->cells[i];
    qsort(sorted, n, sizeof *sorted, compare_reports);
    for (size_t i = 0; i < n; i++, out += LOGGED) {
        nw__put(out, sorted[i] >> 16, 4);
        nw__put(out + 4, sorted[i] & 0xffff, 2);
    }
    free(sorted);
    return true;
}

static bool write_users(const nw_ldp_aggregate *a, uint8_t *out)
{
    nw__ldp_entry *sorted = nw__ldp_sorted_entries(a);
    if (sorted == NULL)
        return false;
    for (size_t i = 0; i < a->users; i++, out += TRACKED) {
        memcpy(out, sorted[i].user, NW_LDP_USER_BYTES);
        out[NW_LDP_USER_BYTES] = sorted[i].level;
        memcpy(out + NW_LDP_USER_BYTES + 1, sorted[i].payload, 6);
    }
    free(sorted);
    return true;
}

nw_status nw_ldp_aggregate_serialize(const nw_ldp_aggregate *aggregate, uint8_t *out, size_t capacity, nw_error *err)
{
    if (aggregate == NULL || out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", aggregate == NULL ? "aggregate" : "out");
    const size_t size = nw_ldp_aggregate_size(aggregate);
    if (capacity < size)
        return nw__fail(err, NW_E_ARG, __func__, "capacity is %zu, must be at least %zu", capacity, size);
    const unsigned levels = aggregate->campaign.levels;
    memcpy(out, mark, sizeof mark);
    out[4] = NW__LDP_VERSION;
    out[5] = aggregate->is_tracking_users;
    nw__put(out + 6, 0, 2);
    nw_ldp_campaign_write(&aggregate->campaign, out + 8);
    for (unsigned i = 0; i < NW_LDP_VERDICTS; i++)
        nw__put(out + 96 + 8 * i, aggregate->verdicts[i], 8);
    for (unsigned i = 0; i < levels; i++)
        nw__put(out + LEVELS_AT + 8 * i, aggregate->reports[i], 8);
    uint8_t *at = out + LEVELS_AT + 8 * levels;
    bool is_written = true;
    if (aggregate->is_tracking_users)
        is_written = write_users(aggregate, at);
    else if (aggregate->table != NULL)
        for (size_t i = 0; i < aggregate->table_size; i++)
            nw__put(at + 8 * i, aggregate->table[i], 8);
    else
        for (unsigned level = 0; is_written && level < levels; level++) {
            is_written = write_log(aggregate, level, at);
            at += LOGGED * aggregate->reports[level];
        }
    return is_written ? NW_OK : nw__fail_memory(err, __func__);
}

/* ---- reading ---- */

/* A level's log: payloads that a client can give, in order. */
static nw_status read_log(nw_ldp_aggregate *a, unsigned level, const uint8_t *at, uint64_t n, bool *is_valid, nw_error *err)
{
    uint64_t last = 0;
    for (uint64_t i = 0; i < n; i++, at += LOGGED) {
        const uint64_t key = nw__get(at, 4) << 16 | nw__get(at + 4, 2);
        *is_valid = nw__ldp_check_payload(&a->campaign, at) == NW_LDP_ACCEPTED && key >= last;
        last = key;
        if (!*is_valid)
            return NW_OK;
        NW__TRY(nw__ldp_keep(a, level, at, err));
    }
    a->reports[level] = n;
    return NW_OK;
}

static nw_status read_users(nw_ldp_aggregate *a, const uint8_t *at, uint64_t n, bool *is_valid, nw_error *err)
{
    nw_ldp_verdict verdict;
    for (uint64_t i = 0; i < n; i++, at += TRACKED) {
        const uint8_t *payload = at + NW_LDP_USER_BYTES + 1;
        *is_valid = at[NW_LDP_USER_BYTES] < a->campaign.levels &&
                    nw__ldp_check_payload(&a->campaign, payload) == NW_LDP_ACCEPTED &&
                    (i == 0 || memcmp(at - TRACKED, at, NW_LDP_USER_BYTES) < 0);
        if (!*is_valid)
            return NW_OK;
        NW__TRY(nw__ldp_track(a, at, at[NW_LDP_USER_BYTES], payload, &verdict, err));
    }
    return NW_OK;
}

/* Whether n counts from `at` on add up to `total`; of SUE and OUE whether each is at most that. */
static bool read_counts(nw_ldp_aggregate *a, size_t from, size_t n, const uint8_t *at, uint64_t each, uint64_t total)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        const uint64_t count = nw__get(at + 8 * i, 8);
        a->table[from + i] = count;
        if (count > each || (sum += count) > UINT64_MAX / 2) /* each is at most 2^56 */
            return false;
    }
    return a->campaign.oracle == NW_LDP_SUE || a->campaign.oracle == NW_LDP_OUE || sum == total;
}

static bool read_table(nw_ldp_aggregate *a, const uint8_t *at, const uint64_t *reports)
{
    const nw_ldp_campaign *c = &a->campaign;
    const size_t each = a->table_size / c->levels;
    const uint64_t ones = c->oracle == NW_LDP_SUBSET ? c->symbols : 1;
    bool is_valid = true;
    for (unsigned level = 0; is_valid && level < c->levels; level++) {
        a->reports[level] = reports[level];
        is_valid = reports[level] <= UINT64_MAX / 4 / ones &&
                   read_counts(a, level * each, each, at + 8 * level * each, reports[level], ones * reports[level]);
    }
    return is_valid;
}

/* The counts of the head; false if they do not fit together, or to `size` bytes. */
static bool read_head(const nw_ldp_aggregate *a, const uint8_t *bytes, size_t size, uint64_t *verdicts, uint64_t *reports)
{
    const size_t head = LEVELS_AT + 8 * (size_t)a->campaign.levels;
    uint64_t sum = 0;
    if (size < head)
        return false;
    for (unsigned i = 0; i < NW_LDP_VERDICTS; i++) {
        verdicts[i] = nw__get(bytes + 96 + 8 * i, 8);
        if (verdicts[i] > MOST)
            return false;
    }
    for (unsigned i = 0; i < a->campaign.levels; i++) {
        reports[i] = nw__get(bytes + LEVELS_AT + 8 * i, 8);
        if (reports[i] > MOST)
            return false;
        sum += reports[i];
    }
    const uint64_t accepted = verdicts[NW_LDP_ACCEPTED];
    const uint64_t left = size - head;
    if (sum != accepted)
        return false;
    if (a->is_tracking_users)
        return left == TRACKED * accepted;
    return a->table != NULL ? left == 8 * a->table_size : left == LOGGED * accepted;
}

static nw_status read_state(nw_ldp_aggregate *a, const uint8_t *bytes, size_t size, bool *is_valid, nw_error *err)
{
    uint64_t verdicts[NW_LDP_VERDICTS];
    uint64_t reports[NW_LDP_MAX_LEVELS] = { 0 };
    *is_valid = read_head(a, bytes, size, verdicts, reports);
    if (!*is_valid)
        return NW_OK;
    const uint8_t *at = bytes + LEVELS_AT + 8 * a->campaign.levels;
    if (a->is_tracking_users) {
        NW__TRY(read_users(a, at, verdicts[NW_LDP_ACCEPTED], is_valid, err));
        *is_valid = *is_valid && memcmp(a->reports, reports, sizeof reports) == 0;
    } else if (a->table != NULL) {
        *is_valid = read_table(a, at, reports);
    } else {
        for (unsigned level = 0; *is_valid && level < a->campaign.levels; level++) {
            NW__TRY(read_log(a, level, at, reports[level], is_valid, err));
            at += LOGGED * reports[level];
        }
    }
    memcpy(a->verdicts, verdicts, sizeof verdicts);
    return NW_OK;
}

nw_status nw_ldp_aggregate_deserialize(nw_ldp_aggregate **out, const uint8_t *bytes, size_t n, nw_error *err)
{
    nw_ldp_campaign campaign;
    nw_ldp_aggregate_opts opts = NW_LDP_AGGREGATE_OPTS_INIT;
    nw_ldp_aggregate *a = NULL;
    bool is_valid = false;
    if (out == NULL || bytes == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : "bytes");
    *out = NULL;
    const char *wrong = "these are not the bytes of an aggregate, or some are missing";
    if (n < LEVELS_AT || memcmp(bytes, mark, sizeof mark) != 0 || bytes[5] > 1 || nw__get(bytes + 6, 2) != 0)
        return nw__fail(err, NW_E_FORMAT, __func__, "%s", wrong);
    if (bytes[4] != NW__LDP_VERSION)
        return nw__fail(err, NW_E_FORMAT, __func__, "version is %u, must be %d", bytes[4], NW__LDP_VERSION);
    if (nw_ldp_campaign_read(&campaign, bytes + 8, NW_LDP_CAMPAIGN_BYTES) != NW_OK)
        return nw__fail(err, NW_E_FORMAT, __func__, "the aggregate's campaign is malformed");
    opts.is_tracking_users = bytes[5] == 1;
    if (opts.is_tracking_users && nw_ldp_report_size(&campaign) != NW_LDP_SHORT_REPORT)
        return nw__fail(err, NW_E_FORMAT, __func__, "%s", wrong);
    /* nothing is allocated for a table that the bytes do not hold */
    if (!opts.is_tracking_users && nw__ldp_table_size(&campaign) > n / 8)
        return nw__fail(err, NW_E_FORMAT, __func__, "%s", wrong);
    NW__TRY(nw_ldp_aggregate_new(&a, &campaign, &opts, err));
    nw_status status = read_state(a, bytes, n, &is_valid, err);
    if (status == NW_OK && !is_valid)
        status = nw__fail(err, NW_E_FORMAT, __func__, "%s", wrong);
    if (status != NW_OK) {
        nw_ldp_aggregate_free(a);
        return status;
    }
    *out = a;
    return NW_OK;
}

nw_status nw_ldp_aggregate_merge_bytes(nw_ldp_aggregate *aggregate, const uint8_t *bytes, size_t n, nw_error *err)
{
    nw_ldp_aggregate *other = NULL;
    if (aggregate == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "aggregate is NULL");
    NW__TRY(nw_ldp_aggregate_deserialize(&other, bytes, n, err));
    const nw_status status = nw_ldp_aggregate_merge(aggregate, other, err);
    nw_ldp_aggregate_free(other);
    return status;
}
