/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* dpsgd.c - options, parameters, and the order of calls of a step [ACGMMTZ16, Alg. 1; LTLH21; BWZK22]. */
#include "dpsgd_internal.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const size_t LARGEST_PARAMETER = (size_t)1 << 31;
static const size_t LARGEST_POSITIONS = (size_t)1 << 24;
static const size_t LARGEST_MEMORY = (size_t)1 << 24; /* MiB */

void nw_dpsgd_opts_init(nw_dpsgd_opts *opts, size_t struct_size)
{
    const nw_dpsgd_opts defaults = NW_DPSGD_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

/* ---- options ---- */

static nw_status check_quantile(const nw_dpsgd_opts *o, const char *function, nw_error *err)
{
    if (o->quantile == 0.0)
        return NW_OK;
    if (!(o->quantile > 0.0 && o->quantile < 1.0))
        return nw__fail(
            err, NW_E_ARG, function, "quantile is %g, must be in (0, 1), or 0 for a clip norm that stays", o->quantile);
    if (o->clipping != NW_DPSGD_FLAT)
        return nw__fail(err, NW_E_ARG, function, "quantile is %g, must be 0 unless clipping is flat", o->quantile);
    if (!(o->quantile_rate > 0.0 && o->quantile_rate <= 10.0))
        return nw__fail(err, NW_E_ARG, function, "quantile_rate is %g, must be in (0, 10]", o->quantile_rate);
    if (!(o->count_noise >= 0.0 && o->count_noise <= 0x1p30))
        return nw__fail(err, NW_E_ARG, function, "count_noise is %g, must be in [0, 2^30]", o->count_noise);
    const double least = o->noise_multiplier * (o->adjacency == NW_REPLACE_ONE ? 1.0 : 0.5);
    if (!(nw__dpsgd_count_noise(o) > least * (1.0 + 0x1p-20)))
        return nw__fail(err, NW_E_ARG, function,
            "count_noise is %g (by default expected_batch / 20), must be above %g, noise_multiplier times the count's "
            "sensitivity",
            nw__dpsgd_count_noise(o), least);
    return NW_OK;
}

static nw_status check_clip(double clip_norm, const char *function, nw_error *err)
{
    if (clip_norm >= NW__SMALLEST_CLIP && clip_norm <= NW__LARGEST_CLIP)
        return NW_OK;
    return nw__fail(err, NW_E_ARG, function, "clip_norm is %g, must be in [2^-40, 2^40]", clip_norm);
}

static nw_status check_noise(double noise, const char *name, const char *function, nw_error *err)
{
    if (noise == 0.0 || (noise >= 0x1p-10 && noise <= 0x1p20))
        return NW_OK;
    return nw__fail(err, NW_E_ARG, function, "%s is %g, must be in [2^-10, 2^20], or 0 for no noise", name, noise);
}

/* What every step has anew takes no part in it. */
static nw_status check_stepwise(const nw_dpsgd_opts *o, const char *function, nw_error *err)
{
    if (o->clipping != NW_DPSGD_FLAT && o->clipping != NW_DPSGD_GLOBAL)
        return nw__fail(err, NW_E_ARG, function, "clipping is %d, must be flat or global with is_stepwise", (int)o->clipping);
    if (o->quantile != 0.0)
        return nw__fail(err, NW_E_ARG, function, "quantile is %g, must be 0 with is_stepwise", o->quantile);
    return NW_OK;
}

static nw_status check_sizes(const nw_dpsgd_opts *o, const char *function, nw_error *err)
{
    if (!o->is_stepwise)
        NW__TRY(check_clip(o->clip_norm, function, err));
    if (!o->is_stepwise)
        NW__TRY(check_noise(o->noise_multiplier, "noise_multiplier", function, err));
    if (!(o->expected_batch >= 0x1p-20 && o->expected_batch <= 0x1p22))
        return nw__fail(err, NW_E_ARG, function, "expected_batch is %g, must be in [2^-20, 2^22]", o->expected_batch);
    if (o->memory_mib > LARGEST_MEMORY)
        return nw__fail(err, NW_E_ARG, function, "memory_mib is %zu, must be at most 2^24", o->memory_mib);
    return NW_OK;
}

static nw_status check_opts(const nw_dpsgd_opts *o, const char *function, nw_error *err)
{
    NW__TRY(check_sizes(o, function, err));
    if (o->adjacency != NW_ADD_REMOVE && o->adjacency != NW_REPLACE_ONE && o->adjacency != NW_ZERO_OUT)
        return nw__fail(err, NW_E_ARG, function, "adjacency is %s, must be add_remove, replace_one or zero_out",
            nw_adjacency_name(o->adjacency));
    if (o->clipping < NW_DPSGD_FLAT || o->clipping > NW_DPSGD_GLOBAL)
        return nw__fail(err, NW_E_ARG, function, "clipping is %d, must be flat, per_layer, auto_s or global", (int)o->clipping);
    if (o->is_stepwise)
        return check_stepwise(o, function, err);
    if (o->clipping == NW_DPSGD_AUTO_S &&
        !(o->auto_gamma >= 0x1p-40 && o->auto_gamma <= 0x1p40 && o->clip_norm / o->auto_gamma <= 0x1p60))
        return nw__fail(
            err, NW_E_ARG, function, "auto_gamma is %g, must be in [2^-40, 2^40] and at least 2^-60 clip_norm", o->auto_gamma);
    return check_quantile(o, function, err);
}

static nw_status make_noise(nw_dpsgd *d, nw_error *err)
{
    if (d->opts.noise_multiplier == 0.0 || d->opts.is_stepwise)
        return NW_OK;
    NW__TRY(nw_noise_new(&d->noise, NW_NOISE_ROUNDED_GAUSSIAN, d->noise_scale, err));
    if (d->opts.quantile == 0.0)
        return NW_OK;
    return nw_noise_new(&d->count_noise, NW_NOISE_ROUNDED_GAUSSIAN, 2.0 * nw__dpsgd_count_noise(&d->opts) * 0x1p20, err);
}

nw_status nw_dpsgd_new(nw_dpsgd **out, const nw_dpsgd_opts *opts, nw_error *err)
{
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    if (opts == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "opts is NULL");
    nw_dpsgd_opts o = NW_DPSGD_OPTS_INIT;
    memcpy(&o, opts, opts->struct_size < sizeof o ? opts->struct_size : sizeof o);
    NW__TRY(check_opts(&o, __func__, err));
    if (o.is_stepwise)
        o.clip_norm = o.noise_multiplier = 0.0; /* until nw_dpsgd_set_step */
    nw_dpsgd *d = nw__calloc(1, sizeof *d);
    if (d == NULL)
        return nw__fail_memory(err, __func__);
    d->opts = o;
    d->layers = 1;
    nw__dpsgd_set_clip(d, o.clip_norm);
    *out = d;
    return NW_OK;
}

static void free_examples(nw_dpsgd *d)
{
    const size_t n = d->layers * d->example_room;
    nw__free_wiped(d->norms, n * sizeof *d->norms);
    nw__free_wiped(d->squares, n * sizeof *d->squares);
    nw__free_wiped(d->bounds, n * sizeof *d->bounds);
    nw__free_wiped(d->factors, n * sizeof *d->factors);
    nw__free_wiped(d->is_excluded, d->example_room);
    d->norms = NULL;
    d->squares = NULL;
    d->bounds = NULL;
    d->factors = NULL;
    d->is_excluded = NULL;
    d->example_room = 0;
}

void nw_dpsgd_free(nw_dpsgd *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->count; i++) {
        nw__dpsgd_parameter *p = &d->parameters[i];
        free(p->name);
        nw__free_wiped(p->kept, p->kept_examples * p->rows * p->cols * sizeof *p->kept);
        nw__free_wiped(p->order, p->order_examples * p->positions * sizeof *p->order);
    }
    free(d->parameters);
    free_examples(d);
    nw__free_wiped(d->sums, d->cell_count * sizeof *d->sums);
    nw__free_wiped(d->scratch, d->scratch_floats * d->scratch_threads * sizeof *d->scratch);
    nw_noise_free(d->noise);
    nw_noise_free(d->spare);
    nw_noise_free(d->count_noise);
    free(d);
}

/* ---- parameters ---- */

static nw_status check_parameter(
    const nw_dpsgd *d, const char *name, size_t rows, size_t cols, size_t positions, size_t layer, nw_error *err)
{
    static const char *const function = "nw_dpsgd_add_parameter";
    size_t cells = 0;
    if (d->is_frozen)
        return nw__fail(err, NW_E_STATE, function, "parameter '%s' comes after the first step: add all of them before", name);
    if (rows == 0 || cols == 0 || !nw__mul_size(rows, cols, &cells) || cells > LARGEST_PARAMETER)
        return nw__fail(err, NW_E_ARG, function, "parameter '%s' is %zu x %zu, must be at least 1 x 1 and at most 2^31 in all",
            name, rows, cols);
    if (positions == 0 || positions > LARGEST_POSITIONS)
        return nw__fail(err, NW_E_ARG, function, "parameter '%s': positions is %zu, must be in 1..2^24", name, positions);
    if (layer >= 65536)
        return nw__fail(err, NW_E_ARG, function, "parameter '%s': group is %zu, must be below 65536", name, layer);
    return NW_OK;
}

static void drop_last(nw_dpsgd *d)
{
    nw__dpsgd_parameter *p = &d->parameters[--d->count];
    free(p->name);
    d->cell_count -= p->rows * p->cols;
    nw__dpsgd_bound_sums(d);
}

nw_status nw_dpsgd_add_parameter(
    nw_dpsgd *d, const char *name, size_t rows, size_t cols, size_t positions, size_t group, size_t *parameter, nw_error *err)
{
    if (d == NULL || name == NULL || parameter == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", d == NULL ? "dpsgd" : name == NULL ? "name" : "parameter");
    NW__TRY(check_parameter(d, name, rows, cols, positions, group, err));
    nw__dpsgd_parameter *grown = nw__realloc_array(d->parameters, d->count + 1, sizeof *grown);
    if (grown == NULL)
        return nw__fail_memory(err, __func__);
    d->parameters = grown;
    nw__dpsgd_parameter *p = &grown[d->count];
    *p = (nw__dpsgd_parameter){
        .name = nw__strdup(name), .rows = rows, .cols = cols, .positions = positions, .first = d->cell_count
    };
    if (p->name == NULL)
        return nw__fail_memory(err, __func__);
    p->layer = d->opts.clipping == NW_DPSGD_PER_LAYER ? group : 0;
    nw__dpsgd_bound_parameter(p);
    d->count++;
    d->cell_count += rows * cols;
    nw__dpsgd_bound_sums(d);
    if (d->step > NW__COARSEST_STEP) {
        const nw_status status = nw__fail(err, NW_E_ARG, __func__,
            "parameter '%s': positions is %zu, must be fewer for sums of %zu examples (expected_batch %g)", name, positions,
            d->largest_batch, d->opts.expected_batch);
        drop_last(d);
        return status;
    }
    if (p->layer >= d->layers)
        d->layers = p->layer + 1;
    nw__dpsgd_set_clip(d, d->clip_norm);
    *parameter = d->count - 1;
    return NW_OK;
}

static nw_status check_index(const nw_dpsgd *d, size_t parameter, const char *function, nw_error *err)
{
    if (d == NULL)
        return nw__fail(err, NW_E_ARG, function, "dpsgd is NULL");
    if (parameter >= d->count)
        return nw__fail(err, NW_E_ARG, function, "parameter is %zu, must be below %zu", parameter, d->count);
    return NW_OK;
}

nw_status nw_dpsgd_set_plan(nw_dpsgd *d, size_t parameter, nw_dpsgd_plan_kind plan, nw_error *err)
{
    NW__TRY(check_index(d, parameter, __func__, err));
    nw__dpsgd_parameter *p = &d->parameters[parameter];
    if (d->is_frozen)
        return nw__fail(err, NW_E_STATE, __func__, "parameter '%s' gets a plan after the first step: set it before", p->name);
    if (plan < NW_DPSGD_PLAN_AUTO || plan > NW_DPSGD_PLAN_STORED)
        return nw__fail(err, NW_E_ARG, __func__, "plan is %d, must be auto, product, gram, direct or stored", (int)plan);
    if (plan == NW_DPSGD_PLAN_PRODUCT && p->positions != 1)
        return nw__fail(err, NW_E_ARG, __func__, "plan is product, must be another for parameter '%s', which has %zu positions",
            p->name, p->positions);
    p->wanted = plan;
    return NW_OK;
}

/* ---- what a handle tells ---- */

nw_dpsgd_plan_kind nw_dpsgd_plan(const nw_dpsgd *d, size_t parameter)
{
    return d == NULL || parameter >= d->count ? NW_DPSGD_PLAN_AUTO : d->parameters[parameter].plan;
}

size_t nw_dpsgd_group_size(const nw_dpsgd *d)
{
    size_t most = 1;
    for (size_t i = 0; i < d->count; i++) {
        const nw__dpsgd_parameter *p = &d->parameters[i];
        if (p->sum != NW__SUM_VECTORS && p->sum != NW__SUM_TOKENS && p->group > most)
            most = p->group;
    }
    return most;
}

double nw_dpsgd_slack(const nw_dpsgd *d)
{
    return d->slack;
}

double nw_dpsgd_deviation(const nw_dpsgd *d)
{
    return d->noise_scale * d->step * d->clip_norm / d->opts.expected_batch;
}

size_t nw_dpsgd_memory(const nw_dpsgd *d)
{
    const size_t each = sizeof *d->norms + sizeof *d->squares + sizeof *d->bounds + sizeof *d->factors;
    size_t bytes = d->is_frozen ? d->cell_count * sizeof *d->sums : 0;
    bytes += d->scratch_floats * d->scratch_threads * sizeof *d->scratch + d->layers * d->example_room * each + d->example_room;
    for (size_t i = 0; i < d->count; i++) {
        const nw__dpsgd_parameter *p = &d->parameters[i];
        bytes += p->kept_examples * p->rows * p->cols * sizeof *p->kept + p->order_examples * p->positions * sizeof *p->order;
    }
    return bytes;
}

const double *nw_dpsgd_squared_norms(const nw_dpsgd *d)
{
    return d->phase == NW__PHASE_SUMS ? d->squares : NULL;
}

const double *nw_dpsgd_norm_bounds(const nw_dpsgd *d)
{
    return d->phase == NW__PHASE_SUMS ? d->bounds : NULL;
}

const float *nw_dpsgd_factors(const nw_dpsgd *d)
{
    return d->phase == NW__PHASE_SUMS ? d->factors : NULL;
}

double nw_dpsgd_clip_norm(const nw_dpsgd *d)
{
    return d->clip_norm;
}

float *nw_dpsgd_gradient(nw_dpsgd *d, size_t parameter)
{
    return d == NULL || parameter >= d->count || !d->has_gradients || d->sums == NULL
               ? NULL
               : (float *)(d->sums + d->parameters[parameter].first);
}

/* ---- the order of calls ---- */

static nw_status out_of_order(const char *missing, const char *function, nw_error *err)
{
    return nw__fail(err, NW_E_STATE, function, "%s has to come before: see the order of calls in nw/dpsgd.h", missing);
}

static const nw__dpsgd_parameter *first_without(const nw_dpsgd *d, bool is_sum)
{
    for (size_t i = 0; i < d->count; i++)
        if (is_sum ? !d->parameters[i].has_sum : !d->parameters[i].has_norms)
            return &d->parameters[i];
    return NULL;
}

static nw_status missing_parameter(const nw__dpsgd_parameter *p, bool is_sum, const char *function, nw_error *err)
{
    return nw__fail(err, NW_E_STATE, function, "%s has to be called for parameter '%s' before",
        is_sum ? "nw_dpsgd_accumulate" : "nw_dpsgd_norms", p->name);
}

/* A micro-batch is done when every parameter has been accumulated. */
static nw_status check_done(const nw_dpsgd *d, const char *function, nw_error *err)
{
    switch (d->phase) {
    case NW__PHASE_IDLE: return out_of_order("nw_dpsgd_begin_step", function, err);
    case NW__PHASE_STEP: return NW_OK;
    case NW__PHASE_NORMS: return out_of_order("nw_dpsgd_clip", function, err);
    case NW__PHASE_SUMS: break;
    }
    const nw__dpsgd_parameter *left = first_without(d, true);
    return left == NULL ? NW_OK : missing_parameter(left, true, function, err);
}

static nw_status freeze(nw_dpsgd *d, nw_error *err)
{
    if (d->is_frozen)
        return NW_OK;
    int32_t *sums = nw__calloc(d->cell_count, sizeof *sums);
    nw_status status = sums == NULL ? nw__fail_memory(err, "nw_dpsgd_begin_step") : make_noise(d, err);
    if (status != NW_OK) {
        free(sums);
        nw_noise_free(d->noise);
        nw_noise_free(d->count_noise);
        d->noise = NULL;
        d->count_noise = NULL;
        return status;
    }
    d->sums = sums;
    d->is_frozen = true;
    return NW_OK;
}

nw_status nw_dpsgd_set_step(nw_dpsgd *d, double clip_norm, double noise, nw_error *err)
{
    if (d == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "dpsgd is NULL");
    if (!d->opts.is_stepwise)
        return nw__fail(err, NW_E_STATE, __func__,
            "is_stepwise is false in the options, must be true: the event of the steps "
            "would not be that of their noise");
    if (d->phase != NW__PHASE_IDLE)
        return out_of_order("nw_dpsgd_finish_step", __func__, err);
    NW__TRY(check_clip(clip_norm, __func__, err));
    NW__TRY(check_noise(noise, "noise", __func__, err));
    d->opts.noise_multiplier = noise;
    nw__dpsgd_set_clip(d, clip_norm);
    nw__dpsgd_bound_noise(d);
    d->has_step = true;
    return NW_OK;
}

/* Two kinds of steps that take turns have two scales, so two samplers are kept. */
static nw_status need_step_noise(nw_dpsgd *d, nw_error *err)
{
    const double scale = d->opts.noise_multiplier == 0.0 ? 0.0 : d->noise_scale;
    nw_noise *const last = d->noise;
    const double last_made_of = d->noise_made_of;
    if (last_made_of == scale)
        return NW_OK;
    d->noise = d->spare;
    d->noise_made_of = d->spare_made_of;
    d->spare = last;
    d->spare_made_of = last_made_of;
    if (d->noise_made_of == scale)
        return NW_OK;
    nw_noise_free(d->noise);
    d->noise = NULL;
    d->noise_made_of = 0.0;
    if (scale == 0.0)
        return NW_OK;
    NW__TRY(nw_noise_new(&d->noise, NW_NOISE_ROUNDED_GAUSSIAN, scale, err));
    d->noise_made_of = scale;
    return NW_OK;
}

nw_status nw_dpsgd_begin_step(nw_dpsgd *d, nw_rng *rng, nw_error *err)
{
    if (d == NULL || (rng == NULL && nw__dpsgd_is_first(d)))
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", d == NULL ? "dpsgd" : "rng");
    if (d->phase != NW__PHASE_IDLE)
        return out_of_order("nw_dpsgd_finish_step", __func__, err);
    if (d->count == 0)
        return out_of_order("nw_dpsgd_add_parameter", __func__, err);
    if (d->opts.is_stepwise && !d->has_step)
        return out_of_order("nw_dpsgd_set_step", __func__, err);
    if (rng != NULL && d->opts.noise_multiplier == 0.0 && !nw_rng_is_insecure(rng))
        return nw__fail(err, NW_E_ARG, __func__, "noise_multiplier is 0, must be above 0 unless rng is insecure");
    if (d->has_reservation && d->steps_begun == d->steps_reserved)
        return nw__fail(err, NW_E_STATE, __func__, "all %llu steps of the reservation have been drawn",
            (unsigned long long)d->steps_reserved);
    NW__TRY(freeze(d, err));
    if (d->opts.is_stepwise)
        NW__TRY(need_step_noise(d, err));
    for (size_t i = 0; i < d->count; i++)
        d->parameters[i].cells = NW__CELLS_EMPTY;
    d->steps_begun++;
    d->has_step = false;
    d->rng = rng;
    d->below = 0;
    d->step_examples = 0;
    d->is_last_batch = false;
    d->has_gradients = false;
    d->phase = NW__PHASE_STEP;
    return NW_OK;
}

/* Which examples are summed together must not depend on any of them, so micro-batches have one size. */
static nw_status check_batch(const nw_dpsgd *d, size_t examples, const char *function, nw_error *err)
{
    const size_t size = d->opts.micro_batch;
    if (size > 0 && examples > size)
        return nw__fail(err, NW_E_ARG, function, "examples is more than micro_batch, must be at most %zu", size);
    if (d->is_last_batch)
        return nw__fail(err, NW_E_STATE, function,
            size == 0 ? "a step is one micro-batch: set micro_batch for steps of several"
                      : "only the last micro-batch of a step may be smaller than micro_batch");
    if (examples > d->largest_batch - d->step_examples)
        return nw__fail(err, NW_E_ARG, function, "the step has more examples than expected_batch = %g leaves room for: %zu",
            d->opts.expected_batch, d->largest_batch);
    return NW_OK;
}

static nw_status need_examples(nw_dpsgd *d, size_t examples, nw_error *err)
{
    if (examples <= d->example_room)
        return NW_OK;
    free_examples(d);
    d->norms = nw__calloc(d->layers * examples, sizeof *d->norms);
    d->squares = nw__calloc(d->layers * examples, sizeof *d->squares);
    d->bounds = nw__calloc(d->layers * examples, sizeof *d->bounds);
    d->factors = nw__calloc(d->layers * examples, sizeof *d->factors);
    d->is_excluded = nw__calloc(examples, 1);
    if (d->norms == NULL || d->squares == NULL || d->bounds == NULL || d->factors == NULL || d->is_excluded == NULL) {
        free_examples(d);
        return nw__fail_memory(err, "nw_dpsgd_begin_batch");
    }
    d->example_room = examples;
    return NW_OK;
}

nw_status nw_dpsgd_begin_batch(nw_dpsgd *d, size_t examples, nw_error *err)
{
    if (d == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "dpsgd is NULL");
    NW__TRY(check_done(d, __func__, err));
    NW__TRY(check_batch(d, examples, __func__, err));
    NW__TRY(need_examples(d, examples, err));
    for (size_t i = 0; i < d->count; i++)
        d->parameters[i].has_norms = d->parameters[i].has_sum = false;
    memset(d->norms, 0, d->layers * examples * sizeof *d->norms);
    memset(d->is_excluded, 0, examples);
    d->examples = examples;
    d->step_examples += examples;
    d->is_last_batch = d->opts.micro_batch == 0 || examples < d->opts.micro_batch;
    d->phase = NW__PHASE_NORMS;
    return NW_OK;
}

nw_status nw_dpsgd_norms(nw_dpsgd *d, size_t parameter, const nw_dpsgd_use *uses, size_t n, nw_error *err)
{
    NW__TRY(check_index(d, parameter, __func__, err));
    nw__dpsgd_parameter *p = &d->parameters[parameter];
    if (d->phase == NW__PHASE_SUMS || d->phase == NW__PHASE_STEP || d->phase == NW__PHASE_IDLE)
        return out_of_order(d->phase == NW__PHASE_IDLE ? "nw_dpsgd_begin_step" : "nw_dpsgd_begin_batch", __func__, err);
    if (p->has_norms)
        return nw__fail(err, NW_E_STATE, __func__, "parameter '%s' has its norms: hand all its uses in one call", p->name);
    NW__TRY(nw__dpsgd_check_uses(d, p, uses, n, __func__, err));
    if (p->sum == NW__SUM_UNKNOWN)
        nw__dpsgd_choose_plan(d, p, uses, n);
    const nw__dpsgd_call call = { d, p, uses, n, __func__ };
    switch (p->sum) {
    case NW__SUM_PRODUCTS: NW__TRY(nw__dpsgd_norms_of_products(&call, err)); break;
    case NW__SUM_TOKENS: NW__TRY(nw__dpsgd_norms_of_tokens(&call, err)); break;
    default: NW__TRY(nw__dpsgd_norms_of_vectors(&call, err)); break;
    }
    p->uses = nw__dpsgd_fingerprint(uses, n);
    p->has_norms = true;
    return NW_OK;
}

nw_status nw_dpsgd_clip(nw_dpsgd *d, nw_error *err)
{
    if (d == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "dpsgd is NULL");
    if (d->phase != NW__PHASE_NORMS)
        return out_of_order(d->phase == NW__PHASE_IDLE ? "nw_dpsgd_begin_step" : "nw_dpsgd_begin_batch", __func__, err);
    const nw__dpsgd_parameter *left = first_without(d, false);
    if (left != NULL)
        return missing_parameter(left, false, __func__, err);
    nw__dpsgd_clip_examples(d);
    d->phase = NW__PHASE_SUMS;
    return NW_OK;
}

nw_status nw_dpsgd_accumulate(nw_dpsgd *d, size_t parameter, const nw_dpsgd_use *uses, size_t n, nw_error *err)
{
    NW__TRY(check_index(d, parameter, __func__, err));
    nw__dpsgd_parameter *p = &d->parameters[parameter];
    if (d->phase != NW__PHASE_SUMS)
        return out_of_order(d->phase == NW__PHASE_NORMS  ? "nw_dpsgd_clip"
                            : d->phase == NW__PHASE_STEP ? "nw_dpsgd_begin_batch"
                                                         : "nw_dpsgd_begin_step",
            __func__, err);
    if (p->has_sum)
        return nw__fail(err, NW_E_STATE, __func__, "parameter '%s' is in the sum already", p->name);
    NW__TRY(nw__dpsgd_check_uses(d, p, uses, n, __func__, err));
    if (p->uses != nw__dpsgd_fingerprint(uses, n))
        return nw__fail(err, NW_E_STATE, __func__, "parameter '%s' has other uses than nw_dpsgd_norms was handed", p->name);
    const nw__dpsgd_call call = { d, p, uses, n, __func__ };
    switch (p->sum) {
    case NW__SUM_PRODUCTS: NW__TRY(nw__dpsgd_sum_products(&call, err)); break;
    case NW__SUM_TOKENS: nw__dpsgd_sum_tokens(&call); break;
    default: NW__TRY(nw__dpsgd_sum_vectors(&call, err)); break;
    }
    p->has_sum = true;
    return NW_OK;
}

/* What there is to release with, or why not. */
static nw_status check_finish(const nw_dpsgd *d, float *const *gradients, nw_error *err)
{
    NW__TRY(check_done(d, "nw_dpsgd_finish_step", err));
    for (size_t i = 0; gradients != NULL && i < d->count; i++)
        if (gradients[i] == NULL)
            return nw__fail(
                err, NW_E_ARG, "nw_dpsgd_finish_step", "gradients[%zu], of parameter '%s', is NULL", i, d->parameters[i].name);
    return NW_OK;
}

void nw__dpsgd_end_step(nw_dpsgd *d)
{
    d->phase = NW__PHASE_IDLE;
    d->rng = NULL;
    d->has_gradients = true;
}

nw_status nw_dpsgd_finish_step(nw_dpsgd *d, float *const *gradients, nw_error *err)
{
    if (d == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "dpsgd is NULL");
    nw_status status = check_finish(d, gradients, err);
    if (d->opts.reduce == NULL && status != NW_OK)
        return status; /* the step goes on */
    status = d->opts.reduce == NULL ? nw__dpsgd_release(d, err) : nw__dpsgd_release_together(d, status, err);
    nw__dpsgd_end_step(d);
    for (size_t i = 0; gradients != NULL && d->sums != NULL && i < d->count; i++) {
        const nw__dpsgd_parameter *p = &d->parameters[i];
        if (gradients[i] != NULL)
            memcpy(gradients[i], d->sums + p->first, p->rows * p->cols * sizeof *gradients[i]);
    }
    return status;
}
