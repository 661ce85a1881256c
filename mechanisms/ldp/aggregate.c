/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* aggregate.c - reports in, integers kept. A report is checked in the order of nw_ldp_verdict and counted once. */
#include "server.h"

#include "random_internal.h"

#include <stdlib.h>
#include <string.h>

void nw_ldp_aggregate_opts_init(nw_ldp_aggregate_opts *opts, size_t struct_size)
{
    const nw_ldp_aggregate_opts defaults = NW_LDP_AGGREGATE_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

const char *nw_ldp_verdict_name(nw_ldp_verdict verdict)
{
    static const char *const names[NW_LDP_VERDICTS] = { "accepted", "malformed", "foreign", "out_of_range", "wrong_coin",
        "replayed", "suspect" };
    return (unsigned)verdict < NW_LDP_VERDICTS ? names[verdict] : "unknown verdict";
}

size_t nw__ldp_table_size(const nw_ldp_campaign *c)
{
    enum { MOST = 1 << 24 };
    if (!nw__ldp_is_hashed(c->oracle)) {
        const size_t duchi = c->oracle == NW_LDP_HYBRID ? 2 : 0;
        return (size_t)(nw__ldp_is_unary(c->oracle) ? c->domain : c->outputs + duchi);
    }
    const uint64_t size = ((uint64_t)c->levels * c->symbols) << c->seed_bits;
    return c->seed_bits <= 20 && size <= MOST ? (size_t)size : 0;
}

nw_status nw_ldp_aggregate_new(
    nw_ldp_aggregate **out, const nw_ldp_campaign *campaign, const nw_ldp_aggregate_opts *opts, nw_error *err)
{
    const nw_ldp_aggregate_opts defaults = NW_LDP_AGGREGATE_OPTS_INIT;
    if (out == NULL || campaign == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : "campaign");
    *out = NULL;
    const nw_ldp_aggregate_opts *o = opts != NULL ? opts : &defaults;
    if (o->struct_size < sizeof *o)
        return nw__fail(err, NW_E_ARG, __func__, "struct_size is %zu, must be at least %zu", o->struct_size, sizeof *o);
    if (o->is_tracking_users && nw_ldp_report_size(campaign) != NW_LDP_SHORT_REPORT)
        return nw__fail(err, NW_E_ARG, __func__, "is_tracking_users is true, must be false with reports of %zu bytes, not 16",
            nw_ldp_report_size(campaign));
    nw_ldp_aggregate *a = nw__calloc(1, sizeof *a);
    if (a == NULL)
        return nw__fail_memory(err, __func__);
    a->campaign = *campaign;
    a->is_tracking_users = o->is_tracking_users;
    a->table_size = a->is_tracking_users ? 0 : nw__ldp_table_size(campaign);
    a->table = a->table_size != 0 ? nw__calloc(a->table_size, sizeof *a->table) : NULL;
    if (a->table_size != 0 && a->table == NULL) {
        nw_ldp_aggregate_free(a);
        return nw__fail_memory(err, __func__);
    }
    if (a->is_tracking_users && nw__system_entropy(a->key, sizeof a->key) != 0) {
        nw_ldp_aggregate_free(a);
        return nw__fail(err, NW_E_ENTROPY, __func__, "the operating system gave no random bytes");
    }
    *out = a;
    return NW_OK;
}

void nw_ldp_aggregate_free(nw_ldp_aggregate *aggregate)
{
    if (aggregate == NULL)
        return;
    for (unsigned level = 0; level < NW_LDP_MAX_LEVELS; level++)
        while (aggregate->logs[level] != NULL) {
            nw__ldp_block *next = aggregate->logs[level]->next;
            free(aggregate->logs[level]);
            aggregate->logs[level] = next;
        }
    free(aggregate->entries);
    free(aggregate->table);
    free(aggregate);
}

const nw_ldp_campaign *nw_ldp_aggregate_campaign(const nw_ldp_aggregate *aggregate)
{
    return &aggregate->campaign;
}

uint64_t nw_ldp_aggregate_count(const nw_ldp_aggregate *aggregate, nw_ldp_verdict verdict)
{
    return (unsigned)verdict < NW_LDP_VERDICTS ? aggregate->verdicts[verdict] : 0;
}

uint64_t nw_ldp_aggregate_reports(const nw_ldp_aggregate *aggregate, unsigned level)
{
    return level < NW_LDP_MAX_LEVELS ? aggregate->reports[level] : 0;
}

/* ---- one report ---- */

static nw_ldp_verdict check_bits(const nw_ldp_campaign *c, const uint8_t *payload)
{
    const size_t bytes = nw_ldp_report_size(c) - NW_LDP_REPORT_HEADER;
    uint64_t ones = 0;
    for (size_t i = 0; i < bytes; i++) {
        const uint64_t valid = c->domain >= 8 * (i + 1) ? 0xff : c->domain <= 8 * i ? 0 : (1u << (c->domain - 8 * i)) - 1u;
        if ((payload[i] & ~valid) != 0)
            return NW_LDP_OUT_OF_RANGE;
        ones += (uint64_t)__builtin_popcount(payload[i]);
    }
    return c->oracle == NW_LDP_SUBSET && ones != c->symbols ? NW_LDP_OUT_OF_RANGE : NW_LDP_ACCEPTED;
}

nw_ldp_verdict nw__ldp_check_payload(const nw_ldp_campaign *c, const uint8_t *payload)
{
    if (nw__ldp_is_unary(c->oracle))
        return check_bits(c, payload);
    if (!nw__ldp_is_hashed(c->oracle))
        return nw__get(payload, 6) < nw__ldp_table_size(c) ? NW_LDP_ACCEPTED : NW_LDP_OUT_OF_RANGE;
    const bool is_valid = nw__get(payload, 4) >> c->seed_bits == 0 && nw__get(payload + 4, 2) < c->symbols;
    return is_valid ? NW_LDP_ACCEPTED : NW_LDP_OUT_OF_RANGE;
}

static nw_ldp_verdict check(const nw_ldp_aggregate *a, const uint8_t *report, size_t size, const uint8_t *user)
{
    const nw_ldp_campaign *c = &a->campaign;
    if (size != nw_ldp_report_size(c) || report[0] != NW__LDP_MARK || report[1] != NW__LDP_VERSION ||
        report[2] != (uint8_t)c->oracle)
        return NW_LDP_MALFORMED;
    if (memcmp(report + 4, c->digest, 6) != 0)
        return NW_LDP_FOREIGN;
    const unsigned level = report[3];
    const uint8_t *payload = report + NW_LDP_REPORT_HEADER;
    if (level >= c->levels)
        return NW_LDP_OUT_OF_RANGE;
    const nw_ldp_verdict verdict = nw__ldp_check_payload(c, payload);
    if (verdict != NW_LDP_ACCEPTED)
        return verdict;
    if (c->is_public_coin || a->is_tracking_users) {
        unsigned coin_level = level;
        uint32_t seed = 0;
        if (user == NULL)
            return NW_LDP_WRONG_COIN;
        if (!c->is_public_coin)
            return NW_LDP_ACCEPTED;
        nw_ldp_public_coin(c, user, &coin_level, &seed);
        if (coin_level != level || seed != nw__get(payload, 4))
            return NW_LDP_WRONG_COIN;
    }
    return NW_LDP_ACCEPTED;
}

static nw_status log_report(nw_ldp_aggregate *a, unsigned level, uint32_t seed, uint16_t cell, nw_error *err)
{
    nw__ldp_block *block = a->logs[level];
    if (block == NULL || block->used == NW__LDP_BLOCK) {
        block = nw__calloc(1, sizeof *block);
        if (block == NULL)
            return nw__fail_memory(err, "nw_ldp_aggregate");
        block->next = a->logs[level];
        a->logs[level] = block;
    }
    block->seeds[block->used] = seed;
    block->cells[block->used] = cell;
    block->used++;
    return NW_OK;
}

nw_status nw__ldp_keep(nw_ldp_aggregate *a, unsigned level, const uint8_t *payload, nw_error *err)
{
    const nw_ldp_campaign *c = &a->campaign;
    if (nw__ldp_is_unary(c->oracle)) {
        for (uint64_t j = 0; j < c->domain; j++)
            a->table[j] += (payload[j / 8] >> (j % 8)) & 1u;
        return NW_OK;
    }
    if (!nw__ldp_is_hashed(c->oracle)) {
        a->table[nw__get(payload, 6)]++;
        return NW_OK;
    }
    const uint32_t seed = (uint32_t)nw__get(payload, 4);
    const uint16_t cell = (uint16_t)nw__get(payload + 4, 2);
    if (a->table == NULL)
        return log_report(a, level, seed, cell, err);
    a->table[((((size_t)level << c->seed_bits) + seed) * c->symbols) + cell]++;
    return NW_OK;
}

static nw_status add(
    nw_ldp_aggregate *a, const uint8_t *report, size_t size, const uint8_t *user, nw_ldp_verdict *verdict, nw_error *err)
{
    *verdict = check(a, report, size, user);
    if (*verdict == NW_LDP_ACCEPTED) {
        const unsigned level = report[3];
        if (a->is_tracking_users)
            return nw__ldp_track(a, user, level, report + NW_LDP_REPORT_HEADER, verdict, err);
        NW__TRY(nw__ldp_keep(a, level, report + NW_LDP_REPORT_HEADER, err));
        a->reports[level]++;
    }
    a->verdicts[*verdict]++;
    return NW_OK;
}

nw_status nw_ldp_aggregate_add(
    nw_ldp_aggregate *aggregate, const uint8_t *report, size_t size, const uint8_t *user, nw_ldp_verdict *verdict, nw_error *err)
{
    nw_ldp_verdict unused;
    if (aggregate == NULL || (report == NULL && size > 0))
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", aggregate == NULL ? "aggregate" : "report");
    return add(aggregate, report, size, user, verdict != NULL ? verdict : &unused, err);
}

nw_status nw_ldp_aggregate_add_batch(
    nw_ldp_aggregate *aggregate, const uint8_t *reports, size_t size, const uint8_t *users, nw_error *err)
{
    if (aggregate == NULL || (reports == NULL && size > 0))
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", aggregate == NULL ? "aggregate" : "reports");
    const size_t each = nw_ldp_report_size(&aggregate->campaign);
    nw_ldp_verdict verdict;
    for (size_t i = 0; i < size / each; i++)
        NW__TRY(add(aggregate, reports + i * each, each, users != NULL ? users + i * NW_LDP_USER_BYTES : NULL, &verdict, err));
    if (size % each != 0)
        aggregate->verdicts[NW_LDP_MALFORMED]++;
    return NW_OK;
}
