/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* train.c - a run: options, the parts that take its steps, and the steps: docs/rooms/dpsgd.md#training. */
#include "train_internal.h"

#include "correlated.h"
#include "dpsgd_internal.h"
#include "output_file.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Records that are handed to the network at once: a power of two, like its micro-batches. */
enum { PIECE = 4096 };
/* Savings of everything are that many times their own duration apart. */
static const double SAVE_EVERY = 30.0;

void nw_train_opts_init(nw_train_opts *opts, size_t struct_size)
{
    const nw_train_opts defaults = NW_TRAIN_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

/* ---- made ---- */

static nw_status check_privacy(const nw_train_opts *o, const char *function, nw_error *err)
{
    if (!(o->noise_multiplier >= 0.0) || isinf(o->noise_multiplier))
        return nw__fail(err, NW_E_ARG, function, "noise_multiplier is %g, must be at least 0 and finite", o->noise_multiplier);
    if (o->noise_multiplier == 0.0 && !(o->epsilon > 0.0 && o->epsilon <= 1e6))
        return nw__fail(err, NW_E_ARG, function, "epsilon is %g, must be in (0, 1e6]", o->epsilon);
    if (!(o->delta > 0.0 && o->delta < 1.0))
        return nw__fail(err, NW_E_ARG, function, "delta is %g, must be in (0, 1)", o->delta);
    if (o->adjacency < NW_ADD_REMOVE || o->adjacency > NW_ZERO_OUT)
        return nw__fail(err, NW_E_ARG, function, "adjacency is %s, must be add_remove, replace_one or zero_out",
            nw_adjacency_name(o->adjacency));
    return NW_OK;
}

static nw_status check_noise(const nw_train_opts *o, const char *function, nw_error *err)
{
    if (o->noise < NW_TRAIN_INDEPENDENT || o->noise > NW_TRAIN_BANDED)
        return nw__fail(err, NW_E_ARG, function, "noise is %d, must be independent, tree or banded", (int)o->noise);
    if (o->sampling < NW_BATCHES_POISSON || o->sampling > NW_BATCHES_CYCLIC)
        return nw__fail(err, NW_E_ARG, function, "sampling is %d, must be a kind of batches", (int)o->sampling);
    if (o->noise != NW_TRAIN_INDEPENDENT && o->sampling != NW_BATCHES_CYCLIC)
        return nw__fail(
            err, NW_E_ARG, function, "sampling is %d, must be NW_BATCHES_CYCLIC for correlated noise", (int)o->sampling);
    if (o->noise != NW_TRAIN_INDEPENDENT && o->quantile != 0.0)
        return nw__fail(
            err, NW_E_ARG, function, "quantile is %g, must be 0 with correlated noise: its sums are of one grid", o->quantile);
    return NW_OK;
}

static nw_status check(const nw_train_opts *o, size_t records, const char *function, nw_error *err)
{
    const size_t all = o->public_records > 0 ? o->public_records : records;
    NW__TRY(check_privacy(o, function, err));
    NW__TRY(check_noise(o, function, err));
    if (!(o->batch >= 1.0) || !(o->batch <= (double)all))
        return nw__fail(err, NW_E_ARG, function, "batch is %g, must be at least 1 and at most the number of records", o->batch);
    if (o->steps == 0 || o->steps > UINT32_MAX)
        return nw__fail(err, NW_E_ARG, function, "steps is %llu, must be in [1, 2^32)", (unsigned long long)o->steps);
    if (!(o->clip_norm > 0.0) || isinf(o->clip_norm))
        return nw__fail(err, NW_E_ARG, function, "clip_norm is %g, must be positive and finite", o->clip_norm);
    if (o->optimizer == NULL)
        return nw__fail(err, NW_E_ARG, function, "optimizer is NULL");
    if (o->checkpoint != NULL && nw__output_is_compressed(o->checkpoint))
        return nw__fail(
            err, NW_E_ARG, function, "checkpoint is %.200s, must not end in .gz: it is written in place", o->checkpoint);
    if (!(o->checkpoint_seconds >= 0.0))
        return nw__fail(err, NW_E_ARG, function, "checkpoint_seconds is %g, must be at least 0", o->checkpoint_seconds);
    return NW_OK;
}

/* The sums have room for batches somewhat above the expected size; a run whose batches are larger throughout would fail on its
 * way, when it has been paid for. */
static nw_status check_public_records(const nw_train *t, nw_error *err)
{
    const double all = (double)t->opts.public_records;
    const double actual = t->expected_batch * (double)t->records / all;
    if (t->opts.public_records == 0 || actual <= t->expected_batch + 6.0 * sqrt(t->expected_batch))
        return NW_OK;
    return nw__fail(err, NW_E_ARG, "nw_train_new",
        "public_records is %zu, must not be so far below the number of records: batches would be larger than the sums allow",
        t->opts.public_records);
}

static nw_status make_batches(nw_train *t, nw_error *err)
{
    const nw_train_opts *o = &t->opts;
    const double all = (double)(o->public_records > 0 ? o->public_records : t->records);
    const size_t size = (size_t)o->batch;
    nw_status status;
    t->cycle = (uint64_t)fmax(1.0, nearbyint(all / o->batch));
    t->expected_batch = o->batch;
    switch (o->sampling) {
    case NW_BATCHES_FULL: status = nw_batches_full(&t->batches, t->records, o->adjacency, err); break;
    case NW_BATCHES_SHUFFLED: status = nw_batches_shuffled(&t->batches, t->records, size, o->adjacency, err); break;
    case NW_BATCHES_FIXED_SIZE: status = nw_batches_fixed_size(&t->batches, t->records, size, err); break;
    case NW_BATCHES_CYCLIC:
        t->expected_batch = all / (double)t->cycle;
        return nw_batches_cyclic(&t->batches, t->records, (size_t)t->cycle, o->adjacency, err);
    default: return nw_batches_poisson(&t->batches, t->records, o->batch / all, o->adjacency, err);
    }
    if (status == NW_OK)
        t->expected_batch = nw_batches_expected_size(t->batches);
    if (status == NW_OK && o->sampling == NW_BATCHES_FULL)
        t->expected_batch = all;
    return status;
}

static nw_status list_parameters(nw_train *t, nw_error *err)
{
    t->parameter_count = nw_network_parameters(t->net);
    t->parameters = nw_network_values(t->net);
    t->sizes = nw__calloc(t->parameter_count, sizeof *t->sizes);
    if (t->sizes == NULL)
        return nw__fail_memory(err, "nw_train_new");
    for (size_t i = 0; i < t->parameter_count; i++) {
        const nw_network_parameter p = nw_network_get_parameter(t->net, i);
        t->sizes[i] = p.rows * p.cols;
        t->coordinates += t->sizes[i];
    }
    return NW_OK;
}

static nw_status make_optimizer(nw_train *t, const nw_optimizer_opts *opts, nw_error *err)
{
    nw_optimizer_opts o = NW_OPTIMIZER_OPTS_INIT;
    memcpy(&o, opts, opts->struct_size < sizeof o ? opts->struct_size : sizeof o);
    o.struct_size = sizeof o;
    o.steps = t->opts.steps;
    return nw_optimizer_new(&t->optimizer, &o, t->sizes, t->parameter_count, err);
}

/* The sums with the network's parameters, and what takes the place of their noise. */
static nw_status make_sums(nw_train *t, nw_error *err)
{
    nw_dpsgd_opts o = nw__train_dpsgd_opts(t, t->noise_multiplier);
    NW__TRY(nw_network_micro_batch(t->net, &o.micro_batch, err));
    o.micro_batch = o.micro_batch < PIECE ? o.micro_batch : PIECE;
    o.reduce = t->opts.reduce;
    NW__TRY(nw_dpsgd_new(&t->dpsgd, &o, err));
    NW__TRY(nw_network_register(t->net, t->dpsgd, err));
    if (t->opts.noise == NW_TRAIN_INDEPENDENT || !nw__train_is_first(t))
        return NW_OK; /* only process 0 draws */
    nw_correlated_opts c = nw__train_correlated_opts(t, t->noise_multiplier, t->opts.steps);
    c.scale = nw__dpsgd_noise_scale(t->dpsgd);
    NW__TRY(nw_correlated_new(&t->correlated, &c, err));
    nw__dpsgd_set_noise(t->dpsgd, nw__correlated_piece, t->correlated);
    return NW_OK;
}

static nw_status make(nw_train *t, const nw_train_opts *opts, nw_error *err)
{
    if (opts->checkpoint != NULL) {
        t->checkpoint = nw__strdup(opts->checkpoint);
        if (t->checkpoint == NULL)
            return nw__fail_memory(err, "nw_train_new");
        t->opts.checkpoint = t->checkpoint;
    }
    NW__TRY(list_parameters(t, err));
    NW__TRY(make_batches(t, err));
    NW__TRY(check_public_records(t, err));
    NW__TRY(make_optimizer(t, t->opts.optimizer, err));
    NW__TRY(nw__train_calibrate(t, err));
    NW__TRY(make_sums(t, err));
    return nw__train_digest(t, err);
}

nw_status nw_train_new(nw_train **out, nw_network *net, size_t records, const nw_train_opts *opts, nw_error *err)
{
    if (out == NULL || net == NULL || opts == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : (net == NULL ? "net" : "opts"));
    *out = NULL;
    nw_train *t = nw__calloc(1, sizeof *t);
    if (t == NULL)
        return nw__fail_memory(err, __func__);
    nw_train_opts_init(&t->opts, sizeof t->opts);
    memcpy(&t->opts, opts, opts->struct_size < sizeof t->opts ? opts->struct_size : sizeof t->opts);
    t->opts.struct_size = sizeof t->opts;
    t->net = net;
    t->records = records;
    nw_status status = check(&t->opts, records, __func__, err);
    if (status == NW_OK)
        status = make(t, &t->opts, err);
    if (status != NW_OK) {
        nw_train_free(t);
        return status;
    }
    t->opts.optimizer = NULL; /* was the caller's */
    *out = t;
    return NW_OK;
}

void nw_train_free(nw_train *train)
{
    if (train == NULL)
        return;
    nw_dpsgd_free(train->dpsgd);
    nw_correlated_free(train->correlated);
    nw_optimizer_free(train->optimizer);
    nw_batches_free(train->batches);
    nw_event_free(train->event);
    free(train->sizes);
    free(train->checkpoint);
    free(train);
}

const nw_event *nw_train_event(const nw_train *train)
{
    return train->event;
}

double nw_train_noise_multiplier(const nw_train *train)
{
    return train->noise_multiplier;
}

uint64_t nw_train_steps(const nw_train *train)
{
    return train->opts.steps;
}

uint64_t nw_train_step(const nw_train *train)
{
    return train->step;
}

uint64_t nw_train_lost_steps(const nw_train *train)
{
    return train->lost;
}

double nw_train_clip_norm(const nw_train *train)
{
    return nw_dpsgd_clip_norm(train->dpsgd);
}

/* ---- steps ---- */

/* The whole batch, in pieces that the network cuts up further. */
static nw_status add_batch(nw_train *t, const nw_train_source *source, const uint32_t *indices, size_t n, nw_error *err)
{
    for (size_t done = 0; done < n; done += PIECE) {
        const size_t part = n - done < PIECE ? n - done : PIECE;
        nw_network_data data = { 0 };
        NW__TRY(source->fetch(source->context, indices + done, part, &data, err));
        NW__TRY(nw_network_step_batch(t->net, t->dpsgd, &data, NULL, part, NULL, err));
    }
    return NW_OK;
}

/* Standard deviation of the noise of one coordinate of the gradients. */
static double deviation(const nw_train *t)
{
    const double moved = t->opts.adjacency == NW_REPLACE_ONE ? 2.0 : 1.0;
    return t->noise_multiplier * moved * nw_dpsgd_clip_norm(t->dpsgd) * (1.0 + nw_dpsgd_slack(t->dpsgd)) / t->expected_batch;
}

/* A step's sum, of the places of the batch that are this process's. */
static nw_status sum_batch(nw_train *t, const nw_train_source *source, nw_rng *rng, nw_rng *batch, nw_error *err)
{
    const uint32_t *indices = NULL;
    size_t n = 0;
    size_t first = 0;
    size_t count = 0;
    NW__TRY(nw_batches_next(t->batches, batch, &indices, &n, err));
    NW__TRY(nw_dpsgd_begin_step(t->dpsgd, rng, err));
    nw_dpsgd_part(t->dpsgd, n, &first, &count);
    return add_batch(t, source, indices + first, count, err);
}

/* rng: of process 0. key: of the batch, in all processes. */
static nw_status draw_step(nw_train *t, const nw_train_source *source, nw_rng *rng, const uint8_t *key, nw_error *err)
{
    nw_rng *batch = NULL;
    const double noise = deviation(t); /* before the quantile moves the clip */
    nw_status status = nw__rng_keyed(&batch, key, err);
    if (status == NW_OK)
        status = sum_batch(t, source, rng, batch, err);
    nw_rng_free(batch);
    status = status == NW_OK ? nw_dpsgd_finish_step(t->dpsgd, NULL, err) : nw_dpsgd_abandon_step(t->dpsgd, status, err);
    if (status != NW_OK)
        return status;
    if (t->correlated != NULL)
        nw__correlated_end_step(t->correlated);
    return nw_optimizer_step(t->optimizer, t->parameters, nw_network_gradients(t->net), noise, err);
}

/* Each step draws from a stream of its own number, so that a repeatable run is the same whether it was interrupted or not: first
 * the key of its batch, then its noise. */
static nw_status prepare_step(nw_train *t, nw_rng *rng, nw_rng **own, uint8_t *key, nw_error *err)
{
    NW__TRY(nw__train_mark(t, "nw_train_run", err));
    NW__TRY(nw_rng_substream(own, rng, t->step, err));
    return nw_rng_bytes(*own, key, NW__RNG_KEY_BYTES, err);
}

/* mine: NW_OK, or why process 0 takes no step. */
static nw_status take_step(nw_train *t, const nw_train_source *source, nw_rng *rng, nw_status mine, nw_error *err)
{
    nw_rng *own = NULL;
    uint8_t key[NW__RNG_KEY_BYTES] = { 0 };
    const double began = nw__train_clock();
    if (mine == NW_OK && nw__train_is_first(t))
        mine = prepare_step(t, rng, &own, key, err);
    nw_status status = nw__train_announce(t, mine, key, err);
    if (status == NW_OK) {
        t->is_broken = true;
        status = draw_step(t, source, own, key, err);
        t->is_broken = status != NW_OK;
    }
    sodium_memzero(key, sizeof key);
    nw_rng_free(own);
    if (status != NW_OK)
        return status;
    t->step++;
    const double took = nw__train_clock() - began;
    t->step_seconds = t->step_seconds == 0.0 ? took : 0.9 * t->step_seconds + 0.1 * took;
    return NW_OK;
}

static nw_status finish(nw_train *t, nw_rng *rng, nw_error *err)
{
    if (t->is_averaged)
        return NW_OK;
    NW__TRY(nw__train_agree(t, nw__train_is_first(t) ? nw__train_save(t, rng, "nw_train_run", err) : NW_OK, err));
    t->is_averaged = true;
    const nw_status status = nw_optimizer_swap_average(t->optimizer, t->parameters, NULL);
    return status == NW_E_STATE ? NW_OK : status; /* no average was asked for */
}

static bool is_save_due(const nw_train *t)
{
    const double often = t->opts.checkpoint_seconds > 0.0 ? t->opts.checkpoint_seconds : SAVE_EVERY * t->save_seconds;
    return t->checkpoint != NULL && nw__train_clock() - t->saved_at >= often;
}

/* What process 0 does between two steps: NW_OK if the next one is to come. */
static nw_status look_up(nw_train *t, nw_rng *rng, nw_train_progress progress, void *context, nw_error *err)
{
    const bool is_cancelled = progress != NULL && !progress(context, t->step);
    if (is_cancelled || (is_save_due(t) && t->step < t->opts.steps))
        NW__TRY(nw__train_save(t, rng, "nw_train_run", err));
    if (!is_cancelled || t->step == t->opts.steps)
        return NW_OK;
    return nw__fail(err, NW_E_CANCELLED, "nw_train_run", "cancelled after step %llu of %llu", (unsigned long long)t->step,
        (unsigned long long)t->opts.steps);
}

nw_status nw_train_run(
    nw_train *train, const nw_train_source *source, nw_rng *rng, nw_train_progress progress, void *context, nw_error *err)
{
    nw_status status = NW_OK;
    if (train == NULL || source == NULL || source->fetch == NULL || (rng == NULL && nw__train_is_first(train)))
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL",
            train == NULL                             ? "train"
            : source == NULL || source->fetch == NULL ? "source"
                                                      : "rng");
    if (!train->is_charged || train->is_settled || train->is_broken)
        return nw__fail(err, NW_E_STATE, __func__, "%s",
            train->is_broken    ? "a step has failed half way"
            : train->is_settled ? "the run is settled"
                                : "the run is not charged");
    NW__TRY(nw__train_join(train, rng, err));
    while (train->step < train->opts.steps) {
        NW__TRY(take_step(train, source, rng, status, err));
        if (nw__train_is_first(train))
            status = look_up(train, rng, progress, context, err);
    }
    return status == NW_OK ? finish(train, rng, err) : nw__train_agree(train, status, err);
}

nw_status nw_train_look(
    nw_train *train, nw_status (*look)(void *context, nw_network *net, nw_error *err), void *context, nw_error *err)
{
    if (train == NULL || look == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", train == NULL ? "train" : "look");
    const bool is_swapped = !train->is_averaged && nw_optimizer_swap_average(train->optimizer, train->parameters, NULL) == NW_OK;
    const nw_status status = look(context, train->net, err);
    if (is_swapped && nw_optimizer_swap_average(train->optimizer, train->parameters, NULL) != NW_OK)
        return nw__fail(err, NW_E_STATE, __func__, "the averaged weights could not be taken out again");
    return status;
}
