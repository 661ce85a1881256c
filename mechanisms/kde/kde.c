/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* kde.c - points in, merging, and the spine: options, event, durable charge, clamped points, exact sums, noise, release.
 * Proof note: docs/rooms/kde.md#sensitivity. */
#include "kde_internal.h"
#include "reduce_internal.h"

#include <math.h>
#include <nw/testing.h>
#include <omp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const size_t POINTS_FOR_A_THREAD = 4096; /* fewer are not worth a team */

/* ---- what is public ---- */

nw_status nw__kde_public_stream(nw_rng **out, const nw_kde *kde, uint64_t purpose, nw_error *err)
{
    nw_rng *seed = NULL;
    NW__TRY(nw_rng_new_insecure_seeded(&seed, kde->opts.public_seed, err));
    const nw_status status = nw_rng_substream(out, seed, purpose, err);
    nw_rng_free(seed);
    return status;
}

nw_status nw__kde_add_block(nw_kde *kde, const nw__kde_block *block, nw_error *err)
{
    nw__kde_block *blocks = nw__realloc_array(kde->blocks, kde->block_count + 1, sizeof *blocks);
    if (blocks == NULL)
        return nw__fail_memory(err, __func__);
    kde->blocks = blocks;
    blocks[kde->block_count++] = *block;
    kde->total_count += block->count;
    return NW_OK;
}

nw_status nw__kde_setup(nw_kde *kde, const char *function, nw_error *err)
{
    NW__TRY(nw__kde_plan_make(kde, function, err));
    kde->ops = nw__kde_ops_of(kde->opts.estimator);
    NW__TRY(kde->ops->setup(kde, err));
    if (kde->total_count == 0 || kde->total_count > NW__KDE_MOST_TOTALS || kde->sum_count > NW__KDE_MOST_TOTALS)
        return nw__fail(err, NW_E_ARG, function, "size is %zu with dimension %zu: that is too many totals, must be at most %d",
            kde->opts.size, kde->opts.dimension, NW__KDE_MOST_TOTALS);
    kde->plan.estimator = kde->opts.estimator;
    kde->plan.size = kde->opts.size;
    kde->plan.totals = kde->total_count;
    kde->plan.bytes += sizeof *kde + kde->total_count * sizeof *kde->totals;
    return nw__kde_calibrate(kde, function, err);
}

nw_status nw_kde_new(nw_kde **out, const nw_kde_opts *opts, nw_error *err)
{
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    NW__TRY(nw__init(err));
    nw_kde *kde = nw__calloc(1, sizeof *kde);
    if (kde == NULL)
        return nw__fail_memory(err, __func__);
    nw_status status = nw__kde_options_read(kde, opts, __func__, err);
    if (status == NW_OK)
        status = nw__kde_setup(kde, __func__, err);
    if (status == NW_OK) {
        kde->sums = nw__calloc(kde->sum_count + 1, sizeof *kde->sums); /* and the number of points */
        if (kde->sums == NULL)
            status = nw__fail_memory(err, __func__);
    }
    if (status != NW_OK) {
        nw_kde_free(kde);
        return status;
    }
    *out = kde;
    return NW_OK;
}

static void wipe_sums(nw_kde *kde)
{
    nw__free_wiped(kde->sums, (kde->sum_count + 1) * sizeof *kde->sums);
    kde->sums = NULL;
}

void nw_kde_free(nw_kde *kde)
{
    if (kde == NULL)
        return;
    wipe_sums(kde);
    if (kde->ops != NULL)
        kde->ops->clear(kde);
    for (size_t b = 0; b < kde->block_count; b++)
        nw_noise_free(kde->blocks[b].noise);
    free(kde->blocks);
    free(kde->totals);
    nw_event_free(kde->event);
    nw__kde_options_clear(kde);
    free(kde);
}

const nw_event *nw_kde_event(const nw_kde *kde)
{
    return kde->event;
}

nw_kde_plan nw_kde_get_plan(const nw_kde *kde)
{
    return kde->plan;
}

nw_kde_opts nw_kde_get_opts(const nw_kde *kde)
{
    return kde->opts;
}

const nw_receipt *nw_kde_receipt(const nw_kde *kde)
{
    return kde->is_released ? &kde->receipt : NULL;
}

double nw__kde_points_of(const nw_kde *kde)
{
    return kde->counts_points ? (double)kde->totals[kde->total_count - 1] : (double)kde->opts.public_points;
}

double nw__kde_points_variance(const nw_kde *kde)
{
    if (!kde->counts_points)
        return 0.0;
    const double deviation = kde->blocks[kde->block_count - 1].deviation;
    return deviation * deviation;
}

double nw_kde_points(const nw_kde *kde, double *error)
{
    const bool is_known = kde->is_released && (kde->counts_points || kde->opts.public_points >= 0);
    if (error != NULL)
        *error = is_known ? sqrt(nw__kde_points_variance(kde)) : NAN;
    return is_known ? nw__kde_points_of(kde) : NAN;
}

/* ---- points in ---- */

static nw_status check_open(const nw_kde *kde, const char *function, nw_error *err)
{
    return kde->is_released
               ? nw__fail(err, NW_E_STATE, function, "this structure was released: make a new one for another release")
               : NW_OK;
}

static void add_sums(int64_t *to, const int64_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = nw__add_saturated(to[i], from[i]);
}

static void add_points(const nw_kde *kde, const float *points, size_t n, float *buffer, int64_t *sums)
{
    for (size_t i = 0; i < n; i += NW__KDE_BATCH) {
        const size_t batch = n - i < NW__KDE_BATCH ? n - i : NW__KDE_BATCH;
        nw__kde_clamp(kde, points + i * kde->opts.dimension, batch, buffer);
        kde->ops->add(kde, buffer, batch, sums);
    }
}

nw_status nw_kde_add(nw_kde *kde, const float *points, size_t n, nw_error *err)
{
    if (kde == NULL || (points == NULL && n > 0))
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", kde == NULL ? "kde" : "points");
    NW__TRY(check_open(kde, __func__, err));
    if (n == 0)
        return NW_OK;
    const int most = nw__threads((int)kde->opts.threads);
    const size_t useful = n / POINTS_FOR_A_THREAD + 1;
    const int team = useful < (size_t)most ? (int)useful : most;
    const size_t d = kde->opts.dimension;
    const size_t share = ((n + (size_t)team - 1) / (size_t)team + NW__KDE_BATCH - 1) / NW__KDE_BATCH * NW__KDE_BATCH;
    bool has_failed = false;
    int64_t **sums = nw__calloc((size_t)team, sizeof *sums);
    float *buffers = nw__calloc((size_t)team, NW__KDE_BATCH * d * sizeof *buffers);
    for (int t = 0; sums != NULL && t < team; t++) {
        sums[t] = team == 1 ? kde->sums : nw__calloc(kde->sum_count, sizeof **sums);
        has_failed |= sums[t] == NULL;
    }
    has_failed |= sums == NULL || buffers == NULL;
    if (!has_failed) {
#pragma omp parallel for schedule(static, 1) num_threads(team)
        for (int t = 0; t < team; t++) {
            const size_t from = (size_t)t * share < n ? (size_t)t * share : n;
            const size_t to = from + share < n ? from + share : n;
            add_points(kde, points + from * d, to - from, buffers + (size_t)t * NW__KDE_BATCH * d, sums[t]);
        }
        for (int t = 0; team > 1 && t < team; t++)
            add_sums(kde->sums, sums[t], kde->sum_count);
        kde->sums[kde->sum_count] = nw__add_saturated(kde->sums[kde->sum_count], (int64_t)n);
    }
    for (int t = 0; sums != NULL && team > 1 && t < team; t++)
        nw__free_wiped(sums[t], kde->sum_count * sizeof **sums);
    free(sums);
    nw__free_wiped(buffers, (size_t)team * NW__KDE_BATCH * d * sizeof *buffers);
    return has_failed ? nw__fail_memory(err, __func__) : NW_OK;
}

/* Of everything that makes sums comparable: the event and the options, byte by byte. */
static void fingerprint(const nw_kde *kde, uint8_t out[32])
{
    const nw_kde_opts *o = &kde->opts;
    const double numbers[] = { (double)o->kernel, (double)o->dimension, o->bandwidth, o->is_half, o->power, o->epsilon, o->delta,
        (double)o->adjacency, (double)o->public_points, (double)o->estimator, (double)o->size };
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, 32);
    crypto_generichash_update(&state, (const uint8_t *)numbers, sizeof numbers);
    crypto_generichash_update(&state, (const uint8_t *)&o->public_seed, sizeof o->public_seed);
    if (o->lower != NULL) {
        crypto_generichash_update(&state, (const uint8_t *)o->lower, o->dimension * sizeof *o->lower);
        crypto_generichash_update(&state, (const uint8_t *)o->upper, o->dimension * sizeof *o->upper);
    }
    crypto_generichash_update(&state, (const uint8_t *)o->landmarks, o->landmark_count * o->dimension * sizeof *o->landmarks);
    crypto_generichash_final(&state, out, 32);
}

nw_status nw_kde_merge(nw_kde *kde, const nw_kde *other, nw_error *err)
{
    uint8_t mine[32], theirs[32];
    if (kde == NULL || other == NULL || kde == other)
        return nw__fail(err, NW_E_ARG, __func__, "kde and other must be two structures");
    NW__TRY(check_open(kde, __func__, err));
    NW__TRY(check_open(other, __func__, err));
    fingerprint(kde, mine);
    fingerprint(other, theirs);
    if (memcmp(mine, theirs, sizeof mine) != 0)
        return nw__fail(err, NW_E_ARG, __func__, "other was made of other options, must be of the same (public_seed, too)");
    add_sums(kde->sums, other->sums, kde->sum_count + 1);
    return NW_OK;
}

/* ---- totals as bytes ---- */

static const char TOTALS_MAGIC[] = "NWKDETO1";

/* What travels: the sums, then the number of points. */
static nw__totals totals_of(const nw_kde *kde)
{
    nw__totals t = { .magic = TOTALS_MAGIC, .values = kde->sums, .n = kde->sum_count + 1 };
    fingerprint(kde, t.fingerprint);
    return t;
}

nw_status nw_kde_totals_to_bytes(const nw_kde *kde, uint8_t **out, size_t *n, nw_error *err)
{
    if (kde == NULL || out == NULL || n == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", kde == NULL ? "kde" : out == NULL ? "out" : "n");
    *out = NULL;
    NW__TRY(check_open(kde, __func__, err));
    uint8_t *bytes = nw__calloc(nw__totals_size(kde->sum_count + 1), 1);
    if (bytes == NULL)
        return nw__fail_memory(err, __func__);
    const nw__totals totals = totals_of(kde);
    nw__totals_write(&totals, bytes);
    *out = bytes;
    *n = nw__totals_size(totals.n);
    return NW_OK;
}

nw_status nw_kde_totals_add_bytes(nw_kde *kde, const uint8_t *bytes, size_t n, nw_error *err)
{
    if (kde == NULL || bytes == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", kde == NULL ? "kde" : "bytes");
    NW__TRY(check_open(kde, __func__, err));
    nw__totals totals = totals_of(kde);
    return nw__totals_add_bytes(&totals, bytes, n, __func__, err);
}

nw_status nw_kde_reduce(nw_kde *kde, const nw_reduce *reduce, nw_error *err)
{
    if (kde == NULL || reduce == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", kde == NULL ? "kde" : "reduce");
    nw__totals totals = totals_of(kde);
    const nw_status status = nw__totals_reduce(&totals, reduce, check_open(kde, __func__, err), __func__, err);
    kde->is_handed |= status == NW_OK && reduce->rank > 0;
    return status;
}

void nw_kde_bytes_free(uint8_t *bytes, size_t n)
{
    nw__free_wiped(bytes, n);
}

/* ---- the release ---- */

static nw_status draw(nw_kde *kde, nw_rng *rng, nw_error *err)
{
    const size_t own = kde->total_count - (kde->counts_points ? 1 : 0);
    kde->totals = nw__calloc(kde->total_count, sizeof *kde->totals);
    if (kde->totals == NULL)
        return nw__fail_memory(err, __func__);
    if (kde->ops->encode == NULL)
        memcpy(kde->totals, kde->sums, own * sizeof *kde->totals);
    else
        kde->ops->encode(kde, kde->sums, kde->totals);
    if (kde->counts_points)
        kde->totals[own] = kde->sums[kde->sum_count];
    wipe_sums(kde);
    const nw_status status = nw__kde_draw(kde, rng, err);
    if (status != NW_OK) { /* exact totals never outlive a failure */
        nw__free_wiped(kde->totals, kde->total_count * sizeof *kde->totals);
        kde->totals = NULL;
    }
    return status;
}

nw_status nw_kde_release(nw_kde *kde, nw_rng *rng, nw_ledger *ledger, const char *label, nw_receipt *receipt, nw_error *err)
{
    if (receipt != NULL)
        *receipt = (nw_receipt){ 0 };
    if (kde == NULL || rng == NULL || label == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", kde == NULL ? "kde" : rng == NULL ? "rng" : "label");
    if (ledger == NULL)
        return nw__fail(
            err, NW_E_ARG, __func__, "ledger is NULL, must be a ledger (nw_ledger_unlimited for one that refuses nothing)");
    NW__TRY(check_open(kde, __func__, err));
    NW__TRY(kde->is_handed ? nw__fail_handed(__func__, err) : NW_OK);
    NW__TRY(nw_ledger_charge(ledger, kde->event, label, rng, &kde->receipt, err));
    kde->is_released = true;
    if (receipt != NULL)
        *receipt = kde->receipt;
    NW__TRY(draw(kde, rng, err));
    return kde->ops->decode(kde, err);
}
