/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* stats.c - records in, merging, bytes, and the spine (event, durable charge, exact integer totals, noise, release). */
#include "stats_internal.h"
#include "reduce_internal.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1024 };
static const char MAGIC[] = "NWSTATS2";

void nw_stats_opts_init(nw_stats_opts *opts, size_t struct_size)
{
    const nw_stats_opts defaults = NW_STATS_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

void nw_stats_query_init(nw_stats_query *query, size_t struct_size)
{
    const nw_stats_query defaults = NW_STATS_QUERY_INIT;
    memcpy(query, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    query->struct_size = struct_size;
}

nw_status nw_stats_new(nw_stats **out, const nw_stats_query *queries, size_t n, const nw_stats_opts *opts, nw_error *err)
{
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    if (queries == NULL || opts == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", queries == NULL ? "queries" : "opts");
    nw_stats *stats = nw__calloc(1, sizeof *stats);
    if (stats == NULL)
        return nw__fail_memory(err, __func__);
    nw_status status = nw__stats_plan_make(stats, queries, n, opts, err);
    if (status == NW_OK) {
        stats->totals = nw__calloc(stats->total_count, sizeof *stats->totals);
        status = stats->totals == NULL ? nw__fail_memory(err, __func__) : NW_OK;
    }
    if (status != NW_OK) {
        nw_stats_free(stats);
        return status;
    }
    *out = stats;
    return NW_OK;
}

/* Exact totals never outlive the handle or a failure. */
static void forget_totals(nw_stats *stats)
{
    nw__free_wiped(stats->totals, stats->total_count * sizeof *stats->totals);
    stats->totals = NULL;
}

void nw_stats_free(nw_stats *stats)
{
    if (stats == NULL)
        return;
    forget_totals(stats);
    nw__stats_plan_clear(stats);
    free(stats);
}

const nw_event *nw_stats_event(const nw_stats *stats)
{
    return stats->event;
}

/* ---- records ---- */

/* What the records of a block contribute to a total, before the grid; bounded by the grid afterwards. */
static void contributions(const nw__query *q, nw__total_kind kind, const double *values, size_t n, double *out)
{
    const double lower = q->asked.lower;
    const double upper = q->asked.upper;
    const double half_square = q->half_width * q->half_width / 2.0;
    for (size_t i = 0; i < n; i++) {
        const double raised = values[i] > lower ? values[i] : lower; /* of NaN: lower; it is left out later */
        const double clamped = raised < upper ? raised : upper;
        const double y = clamped - q->centre;
        out[i] = kind == NW__TOTAL_SUM ? clamped : kind == NW__TOTAL_CENTRED ? y : y * y - half_square;
    }
}

/* Group and value decide together whether a record takes part at all. */
static bool takes_part(const nw_stats_query *a, const uint32_t *groups, const double *values, size_t i)
{
    return (groups == NULL || groups[i] < a->groups) && (a->kind == NW_STATS_COUNT || !isnan(values[i]));
}

/* Counts of the values that may be chosen. */
static void count_block(nw_stats *stats, const nw__query *q, const uint32_t *groups, const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!takes_part(&q->asked, groups, values, i))
            continue;
        const size_t group = groups == NULL ? 0 : groups[i];
        int64_t *count = &stats->totals[q->choice.first + group * q->choice.cells + nw__choice_cell(&q->asked, values[i])];
        *count = nw__add_saturated(*count, 1);
    }
}

static nw_status add_block(
    nw_stats *stats, const nw__query *q, const uint32_t *groups, const double *values, size_t n, nw_error *err)
{
    double reals[BLOCK];
    int64_t steps[BLOCK];
    nw_status status = NW_OK;
    if (q->choice.cells > 0) {
        count_block(stats, q, groups, values, n);
        return NW_OK;
    }
    for (size_t k = 0; status == NW_OK && k < q->total_count; k++) {
        const nw__total *t = &q->totals[k];
        int64_t *totals = stats->totals + t->first;
        if (t->kind != NW__TOTAL_COUNT) {
            contributions(q, t->kind, values, n, reals);
            status = nw_grid_truncate(t->grid, reals, n, t->lower, t->upper, steps, err);
        }
        for (size_t i = 0; status == NW_OK && i < n; i++) {
            if (!takes_part(&q->asked, groups, values, i))
                continue;
            int64_t *total = &totals[groups == NULL ? 0 : groups[i]];
            *total = nw__add_saturated(*total, t->kind == NW__TOTAL_COUNT ? 1 : steps[i]);
        }
    }
    sodium_memzero(reals, sizeof reals);
    sodium_memzero(steps, sizeof steps);
    return status;
}

static nw_status check_open(const nw_stats *stats, const char *function, nw_error *err)
{
    if (stats == NULL)
        return nw__fail(err, NW_E_ARG, function, "stats is NULL");
    if (stats->is_released)
        return nw__fail(err, NW_E_STATE, function, "this handle was released: make a new one for another release");
    return NW_OK;
}

nw_status nw_stats_add(nw_stats *stats, size_t i, const uint32_t *groups, const double *values, size_t n, nw_error *err)
{
    NW__TRY(check_open(stats, __func__, err));
    if (i >= stats->query_count)
        return nw__fail(err, NW_E_ARG, __func__, "i is %zu, must be below %zu", i, stats->query_count);
    const nw__query *q = &stats->queries[i];
    const bool has_values = q->asked.kind != NW_STATS_COUNT;
    if (has_values && values == NULL && n > 0)
        return nw__fail(err, NW_E_ARG, __func__, "values is NULL");
    for (size_t first = 0; first < n; first += BLOCK) {
        const size_t rows = n - first < BLOCK ? n - first : BLOCK;
        NW__TRY(add_block(stats, q, groups == NULL ? NULL : groups + first, has_values ? values + first : NULL, rows, err));
    }
    return NW_OK;
}

/* ---- merging ---- */

nw_status nw_stats_merge(nw_stats *stats, const nw_stats *other, nw_error *err)
{
    NW__TRY(check_open(stats, __func__, err));
    NW__TRY(check_open(other, __func__, err));
    if (memcmp(stats->fingerprint, other->fingerprint, sizeof stats->fingerprint) != 0)
        return nw__fail(err, NW_E_ARG, __func__, "other has other queries or options, must have the same");
    for (size_t i = 0; i < stats->total_count; i++)
        stats->totals[i] = nw__add_saturated(stats->totals[i], other->totals[i]);
    return NW_OK;
}

/* What travels. */
static nw__totals totals_of(const nw_stats *stats)
{
    nw__totals t = { .magic = MAGIC, .values = stats->totals, .n = stats->total_count };
    memcpy(t.fingerprint, stats->fingerprint, sizeof t.fingerprint);
    return t;
}

size_t nw_stats_size(const nw_stats *stats)
{
    return nw__totals_size(stats->total_count);
}

nw_status nw_stats_serialize(const nw_stats *stats, uint8_t *out, size_t capacity, nw_error *err)
{
    NW__TRY(check_open(stats, __func__, err));
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    if (capacity < nw_stats_size(stats))
        return nw__fail(err, NW_E_ARG, __func__, "capacity is %zu, must be at least %zu", capacity, nw_stats_size(stats));
    const nw__totals totals = totals_of(stats);
    nw__totals_write(&totals, out);
    return NW_OK;
}

nw_status nw_stats_merge_bytes(nw_stats *stats, const uint8_t *bytes, size_t n, nw_error *err)
{
    NW__TRY(check_open(stats, __func__, err));
    if (bytes == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "bytes is NULL");
    nw__totals totals = totals_of(stats);
    return nw__totals_add_bytes(&totals, bytes, n, __func__, err);
}

nw_status nw_stats_reduce(nw_stats *stats, const nw_reduce *reduce, nw_error *err)
{
    if (stats == NULL || reduce == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", stats == NULL ? "stats" : "reduce");
    nw__totals totals = totals_of(stats);
    const nw_status status = nw__totals_reduce(&totals, reduce, check_open(stats, __func__, err), __func__, err);
    stats->is_handed |= status == NW_OK && reduce->rank > 0;
    return status;
}

/* ---- release ---- */

static nw_status draw(nw_stats *stats, nw_rng *rng, nw_error *err)
{
    for (size_t i = 0; i < stats->query_count; i++) {
        const nw__query *q = &stats->queries[i];
        for (size_t k = 0; k < q->total_count; k++) {
            int64_t *totals = stats->totals + q->totals[k].first;
            NW__TRY(nw_noise_add_i64(q->totals[k].noise, rng, totals, totals, q->asked.groups, err));
        }
        if (q->choice.cells > 0)
            NW__TRY(nw__choice_run(q, stats->totals + q->choice.first, rng, err));
    }
    return NW_OK;
}

nw_status nw_stats_release(nw_stats *stats, nw_rng *rng, nw_ledger *ledger, const char *label, nw_receipt *receipt, nw_error *err)
{
    if (receipt != NULL)
        *receipt = (nw_receipt){ 0 };
    NW__TRY(check_open(stats, __func__, err));
    NW__TRY(stats->is_handed ? nw__fail_handed(__func__, err) : NW_OK);
    if (rng == NULL || label == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", rng == NULL ? "rng" : "label");
    if (ledger == NULL)
        return nw__fail(
            err, NW_E_ARG, __func__, "ledger is NULL, must be a ledger (nw_ledger_unlimited for one that refuses nothing)");
    NW__TRY(nw_ledger_charge(ledger, stats->event, label, rng, receipt, err));
    stats->is_released = true;
    const nw_status status = draw(stats, rng, err); /* from here on the totals are public */
    if (status != NW_OK)
        forget_totals(stats);
    stats->has_figures = status == NW_OK;
    return status;
}
