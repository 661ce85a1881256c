/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* diff2.c - the handle, and the bound of each round [MS23]. */
#include "diff2_internal.h"
#include "accountant_internal.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const size_t MOST_DIMENSION = (size_t)1 << 24;

/* ---- life ---- */

static bool allocate(nw_diff2 *d)
{
    const size_t n = d->dimension;
    d->x = nw__calloc(n, sizeof *d->x);
    d->previous = nw__calloc(n, sizeof *d->previous);
    d->v = nw__calloc(n, sizeof *d->v);
    d->output = nw__calloc(n, sizeof *d->output);
    d->sums = nw__calloc(n, sizeof *d->sums);
    const bool is_basic = d->x != NULL && d->previous != NULL && d->v != NULL && d->output != NULL && d->sums != NULL;
    if (d->opts.local_steps == 1)
        return is_basic;
    d->local_v = nw__calloc(n, sizeof *d->local_v);
    d->anchor = nw__calloc(n, sizeof *d->anchor);
    return is_basic && d->local_v != NULL && d->anchor != NULL;
}

static nw_status check_start(const double *start, size_t dimension, const char *function, nw_error *err)
{
    if (dimension < 1 || dimension > MOST_DIMENSION)
        return nw__fail(err, NW_E_ARG, function, "dimension is %zu, must be in [1, %zu]", dimension, MOST_DIMENSION);
    for (size_t i = 0; start != NULL && i < dimension; i++)
        if (!(fabs(start[i]) <= NW__DIFF2_LARGEST_ITERATE))
            return nw__fail(err, NW_E_ARG, function, "start[%zu] is %g, must be finite, at most 2^400", i, start[i]);
    return NW_OK;
}

static nw_status fill(nw_diff2 *d, const double *start, const nw_diff2_opts *opts, nw_error *err)
{
    NW__TRY(nw__diff2_read_opts(d, opts, "nw_diff2_new", err));
    NW__TRY(nw__diff2_calibrate(d, "nw_diff2_new", err));
    if (!allocate(d))
        return nw__fail_memory(err, "nw_diff2_new");
    if (start != NULL) {
        memcpy(d->x, start, d->dimension * sizeof *start);
        memcpy(d->previous, start, d->dimension * sizeof *start);
    }
    return NW_OK;
}

nw_status nw_diff2_new(nw_diff2 **out, size_t dimension, const double *start, const nw_diff2_opts *opts, nw_error *err)
{
    if (out != NULL)
        *out = NULL;
    if (out == NULL || opts == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : "opts");
    NW__TRY(nw__init(err));
    NW__TRY(check_start(start, dimension, __func__, err));
    nw_diff2 *d = nw__calloc(1, sizeof *d);
    if (d == NULL)
        return nw__fail_memory(err, __func__);
    d->dimension = dimension;
    const nw_status status = fill(d, start, opts, err);
    if (status != NW_OK) {
        nw_diff2_free(d);
        return status;
    }
    *out = d;
    return NW_OK;
}

static void free_noise(nw__diff2_noise *noise)
{
    nw_noise_free(noise->law);
    nw__free_wiped(noise->values, noise->values == NULL ? 0 : noise->room * sizeof *noise->values);
}

void nw_diff2_free(nw_diff2 *d)
{
    if (d == NULL)
        return;
    nw_event_free(d->event);
    free_noise(&d->restart_noise);
    free_noise(&d->difference_noise);
    free_noise(&d->local_noise);
    nw__free_wiped(d->sums, d->sums == NULL ? 0 : d->dimension * sizeof *d->sums);
    free(d->x);
    free(d->previous);
    free(d->v);
    free(d->local_v);
    free(d->anchor);
    free(d->output);
    nw__free_wiped(d, sizeof *d);
}

/* ---- looking ---- */

nw_diff2_plan nw_diff2_get_plan(const nw_diff2 *d)
{
    return d->plan;
}

const nw_event *nw_diff2_event(const nw_diff2 *d)
{
    return d->event;
}

bool nw_diff2_is_done(const nw_diff2 *d)
{
    return d->phase == NW__DIFF2_DONE;
}

const double *nw_diff2_iterate(const nw_diff2 *d)
{
    return d->x;
}

const double *nw_diff2_previous(const nw_diff2 *d)
{
    return d->previous;
}

const double *nw_diff2_direction(const nw_diff2 *d)
{
    return d->v;
}

uint64_t nw_diff2_guarded(const nw_diff2 *d)
{
    return d->guarded;
}

/* ---- rounds ---- */

/* 0 if no square is above 0. Differences, squares and their sum in 8 lanes are off by less than (n / 8 + 8) 2^-53 of it. */
double nw__diff2_norm(const double *x, const double *y, size_t n)
{
    double lanes[NW__DIFF2_LANES] = { 0.0 };
    for (size_t i = 0; i < n; i++) {
        const double gap = y == NULL ? x[i] : x[i] - y[i];
        lanes[i % NW__DIFF2_LANES] += gap * gap;
    }
    double square = 0.0;
    for (size_t l = 0; l < NW__DIFF2_LANES; l++)
        square += lanes[l];
    if (square == 0.0)
        return 0.0;
    return nw__up(sqrt(nw__up(square * (1.0 + ((double)n + 16.0) * 0x1p-53))));
}

static double difference_bound(const nw_diff2 *d, double clip)
{
    const double bound = nw__up(clip * nw__diff2_norm(d->x, d->previous, d->dimension));
    return bound < NW__DIFF2_SMALLEST_BOUND ? 0.0 : bound;
}

static void describe(nw_diff2 *d)
{
    nw_diff2_round *round = &d->round;
    round->divisor = (double)d->opts.public_records;
    if (round->step > 0) {
        round->kind = NW_DIFF2_LOCAL;
        round->bound = difference_bound(d, d->opts.clip_local);
        round->noise = d->opts.local_noise;
        round->divisor = d->opts.local_batch;
    } else if (round->round % d->opts.period == 0) {
        round->kind = NW_DIFF2_RESTART;
        round->bound = d->opts.clip_gradient;
        round->noise = d->plan.restart_noise;
    } else {
        round->kind = NW_DIFF2_DIFFERENCE;
        round->bound = difference_bound(d, d->opts.clip_difference);
        round->noise = d->plan.difference_noise;
    }
}

static const char *const WHY_NOT[] = { "the run is not charged: call nw_diff2_charge first", "no round is open",
    "a round is open: call nw_diff2_step first", "all rounds are done", "an error ended the run", "the guard ended the run" };

nw_status nw_diff2_begin_round(nw_diff2 *d, nw_diff2_round *round, nw_error *err)
{
    if (d == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "diff2 is NULL");
    if (d->phase != NW__DIFF2_IDLE)
        return nw__fail(err, NW_E_STATE, __func__, "%s", WHY_NOT[d->phase]);
    describe(d);
    d->phase = NW__DIFF2_OPEN;
    d->is_incomplete = false;
    d->has_additions = false;
    d->added = 0;
    if (round != NULL)
        *round = d->round;
    return NW_OK;
}

nw_status nw__diff2_check_open(const nw_diff2 *d, const char *function, nw_error *err)
{
    if (d == NULL)
        return nw__fail(err, NW_E_ARG, function, "diff2 is NULL");
    if (d->phase != NW__DIFF2_OPEN)
        return nw__fail(err, NW_E_STATE, function, "%s", WHY_NOT[d->phase]);
    return NW_OK;
}

double nw__diff2_per_unit(const nw_diff2 *d)
{
    return d->round.bound > 0.0 ? NW__DIFF2_STEPS / d->round.bound : 0.0;
}

nw_status nw__diff2_spoil(nw_diff2 *d, nw_status status)
{
    if (d != NULL && status != NW_OK && d->phase == NW__DIFF2_OPEN)
        d->is_incomplete = true;
    return status;
}

/* ---- what processes have to agree on ---- */

static void hash_double(crypto_generichash_state *state, double x)
{
    crypto_generichash_update(state, (const unsigned char *)&x, sizeof x);
}

static void hash_u64(crypto_generichash_state *state, uint64_t x)
{
    crypto_generichash_update(state, (const unsigned char *)&x, sizeof x);
}

static void hash_opts(crypto_generichash_state *state, const nw_diff2 *d)
{
    const nw_diff2_opts *o = &d->opts;
    const double reals[] = { d->plan.restart_noise, d->plan.difference_noise, o->delta, o->clip_gradient, o->clip_difference,
        o->learning_rate, o->guard_norm, o->local_batch, o->clip_local, o->local_noise };
    const uint64_t counts[] = { (uint64_t)o->adjacency, o->public_records, o->rounds, o->period, (uint64_t)o->output, o->tail,
        (uint64_t)o->guard, o->local_steps, d->dimension, d->round.round, d->round.step, d->phase == NW__DIFF2_OPEN };
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        hash_double(state, reals[i]);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        hash_u64(state, counts[i]);
}

void nw__diff2_fingerprint(const nw_diff2 *d, const double *public_gradient, uint8_t out[NW__DIFF2_FINGERPRINT])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, NW__DIFF2_FINGERPRINT);
    hash_opts(&state, d);
    crypto_generichash_update(&state, (const unsigned char *)d->x, d->dimension * sizeof *d->x);
    crypto_generichash_update(&state, (const unsigned char *)d->previous, d->dimension * sizeof *d->previous);
    if (public_gradient != NULL)
        crypto_generichash_update(&state, (const unsigned char *)public_gradient, d->dimension * sizeof *public_gradient);
    crypto_generichash_final(&state, out, NW__DIFF2_FINGERPRINT);
}

/* ---- local samples ---- */

/* Record i has word i of the key stream: the sample does not depend on who asks for which part of it. */
void nw__diff2_sample(const nw_diff2 *d, uint64_t first, size_t n, bool *is_in)
{
    static const uint8_t zeros[64];
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    uint32_t words[16];
    for (size_t i = 0; i < n; i++) {
        const uint64_t record = first + i;
        if (i == 0 || record % 16 == 0)
            crypto_stream_chacha20_xor_ic((unsigned char *)words, zeros, sizeof words, nonce, record / 16, d->key);
        is_in[i] = words[record % 16] < d->rate_steps;
    }
    sodium_memzero(words, sizeof words);
}

bool nw_diff2_is_sampled(const nw_diff2 *d, size_t index)
{
    bool is_in = true;
    if (d->phase == NW__DIFF2_OPEN && d->round.kind == NW_DIFF2_LOCAL)
        nw__diff2_sample(d, d->opts.first_record + index, 1, &is_in);
    return is_in;
}
