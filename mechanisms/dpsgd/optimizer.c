/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* optimizer.c - steps along noisy gradients: momentum, Adam [KB15], Adam without the noise's bias [TSL24], decoupled weight decay
 * [LH19], averaged weights, learning rates. */
#include "base.h"
#include <nw/optimizer.h>

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 4096 };
static const char MAGIC[8] = "NWOPTIM1";

/* Of the whole: floats of a parameter begin at its offset. */
typedef struct nw_optimizer_state {
    uint64_t steps;
    double beta1_power; /* beta1^steps: bias corrections */
    double beta2_power;
} state;

struct nw_optimizer {
    nw_optimizer_opts opts;
    size_t *sizes;
    size_t n;
    size_t floats;
    state state;
    float *first;   /* momentum, or Adam's first moment; NULL: none */
    float *second;  /* Adam's second moment; NULL: none */
    float *average; /* of the weights; NULL: none */
};

void nw_optimizer_opts_init(nw_optimizer_opts *opts, size_t struct_size)
{
    const nw_optimizer_opts defaults = NW_OPTIMIZER_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

/* ---- options ---- */

static nw_status check_range(const char *name, double value, double upper, bool is_upper_in, const char *function, nw_error *err)
{
    if (value >= 0.0 && (is_upper_in ? value <= upper : value < upper))
        return NW_OK;
    return nw__fail(err, NW_E_ARG, function, "%s is %g, must be in [0, %g%c", name, value, upper, is_upper_in ? ']' : ')');
}

static nw_status check_opts(const nw_optimizer_opts *o, const char *function, nw_error *err)
{
    if (o->kind < NW_OPTIMIZER_SGD || o->kind > NW_OPTIMIZER_ADAM_BC)
        return nw__fail(err, NW_E_ARG, function, "kind is %d, must be one of nw_optimizer_kind", (int)o->kind);
    if (!(o->learning_rate > 0.0 && o->learning_rate < INFINITY))
        return nw__fail(err, NW_E_ARG, function, "learning_rate is %g, must be positive and finite", o->learning_rate);
    if (!(o->epsilon > 0.0 && o->epsilon < INFINITY))
        return nw__fail(err, NW_E_ARG, function, "epsilon is %g, must be positive and finite", o->epsilon);
    if (o->schedule < NW_OPTIMIZER_CONSTANT || o->schedule > NW_OPTIMIZER_LINEAR)
        return nw__fail(err, NW_E_ARG, function, "schedule is %d, must be one of nw_optimizer_schedule", (int)o->schedule);
    if (o->schedule != NW_OPTIMIZER_CONSTANT && o->steps <= o->warmup)
        return nw__fail(err, NW_E_ARG, function, "steps is %llu, must be more than warmup, which is %llu",
            (unsigned long long)o->steps, (unsigned long long)o->warmup);
    if (o->kind == NW_OPTIMIZER_SGD ? o->is_nesterov && o->momentum == 0.0 : o->is_nesterov || o->momentum != 0.0)
        return nw__fail(err, NW_E_ARG, function, "%s",
            o->kind == NW_OPTIMIZER_SGD ? "is_nesterov goes with a momentum" : "momentum and is_nesterov go with the kind SGD");
    NW__TRY(check_range("momentum", o->momentum, 1.0, false, function, err));
    NW__TRY(check_range("beta1", o->beta1, 1.0, false, function, err));
    NW__TRY(check_range("beta2", o->beta2, 1.0, false, function, err));
    NW__TRY(check_range("average", o->average, 1.0, false, function, err));
    NW__TRY(check_range("weight_decay", o->weight_decay, 1e6, true, function, err));
    return check_range("final_rate", o->final_rate, 1.0, true, function, err);
}

static nw_status make_arrays(nw_optimizer *o, const size_t *sizes, size_t n, const char *function, nw_error *err)
{
    o->sizes = nw__calloc(n, sizeof *o->sizes);
    if (o->sizes == NULL)
        return nw__fail_memory(err, function);
    o->n = n;
    for (size_t i = 0; i < n; i++) {
        o->sizes[i] = sizes[i];
        if (sizes[i] > SIZE_MAX / sizeof(float) - o->floats)
            return nw__fail_memory(err, function);
        o->floats += sizes[i];
    }
    const bool is_adam = o->opts.kind != NW_OPTIMIZER_SGD;
    const bool has_first = is_adam || o->opts.momentum > 0.0;
    const bool has_average = o->opts.average > 0.0;
    o->first = has_first ? nw__calloc(o->floats, sizeof(float)) : NULL;
    o->second = is_adam ? nw__calloc(o->floats, sizeof(float)) : NULL;
    o->average = has_average ? nw__calloc(o->floats, sizeof(float)) : NULL;
    if ((has_first && o->first == NULL) || (is_adam && o->second == NULL) || (has_average && o->average == NULL))
        return nw__fail_memory(err, function);
    return NW_OK;
}

nw_status nw_optimizer_new(nw_optimizer **out, const nw_optimizer_opts *opts, const size_t *sizes, size_t n, nw_error *err)
{
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    if (opts == NULL || sizes == NULL || n == 0)
        return nw__fail(err, NW_E_ARG, __func__, "%s",
            opts == NULL    ? "opts is NULL"
            : sizes == NULL ? "sizes is NULL"
                            : "n is 0");
    nw_optimizer *o = nw__calloc(1, sizeof *o);
    if (o == NULL)
        return nw__fail_memory(err, __func__);
    nw_optimizer_opts_init(&o->opts, sizeof o->opts);
    memcpy(&o->opts, opts, opts->struct_size < sizeof *opts ? opts->struct_size : sizeof *opts);
    o->state = (state){ .steps = 0, .beta1_power = 1.0, .beta2_power = 1.0 };
    nw_status status = check_opts(&o->opts, __func__, err);
    if (status == NW_OK)
        status = make_arrays(o, sizes, n, __func__, err);
    if (status != NW_OK) {
        nw_optimizer_free(o);
        return status;
    }
    *out = o;
    return NW_OK;
}

void nw_optimizer_free(nw_optimizer *o)
{
    if (o == NULL)
        return;
    free(o->first);
    free(o->second);
    free(o->average);
    free(o->sizes);
    free(o);
}

/* ---- rates ---- */

uint64_t nw_optimizer_steps(const nw_optimizer *o)
{
    return o->state.steps;
}

double nw_optimizer_rate(const nw_optimizer *optimizer)
{
    const nw_optimizer_opts *o = &optimizer->opts;
    const uint64_t step = optimizer->state.steps;
    if (step < o->warmup)
        return o->learning_rate * (double)(step + 1) / (double)o->warmup;
    if (o->schedule == NW_OPTIMIZER_CONSTANT)
        return o->learning_rate;
    const double progress = fmin(1.0, (double)(step - o->warmup) / (double)(o->steps - o->warmup));
    const double left = o->schedule == NW_OPTIMIZER_COSINE ? 0.5 * (1.0 + cos(acos(-1.0) * progress)) : 1.0 - progress;
    return o->learning_rate * (o->final_rate + (1.0 - o->final_rate) * left);
}

/* ---- steps ---- */

/* What one step needs, in float. */
typedef struct step {
    float rate, decay; /* decay = rate * weight_decay */
    float momentum;
    bool is_nesterov;
    float beta1, beta2;
    float first_scale, second_scale; /* bias corrections: 1 / (1 - beta^t) */
    float noise;                     /* variance of the gradients' noise, taken out of the second moment */
    float floor;                     /* ADAM_BC: least second moment */
    float epsilon;
    float average; /* 0: none */
} step;

NW__CLONES static void descend(const step *s, float *w, const float *g, float *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float old = v[i];
        const float velocity = s->momentum * old + g[i];
        v[i] = velocity;
        w[i] -= s->rate * (s->is_nesterov ? g[i] + s->momentum * velocity : velocity) + s->decay * w[i];
    }
}

NW__CLONES static void descend_plainly(const step *s, float *w, const float *g, size_t n)
{
    for (size_t i = 0; i < n; i++)
        w[i] -= s->rate * g[i] + s->decay * w[i];
}

/* [KB15, Alg. 1]; with the noise's variance [TSL24, Alg. 1]: w -= rate m' / sqrt(max(v' - noise, floor)). */
NW__CLONES static void adapt(const step *s, float *w, const float *g, float *m, float *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        m[i] = s->beta1 * m[i] + (1.0F - s->beta1) * g[i];
        v[i] = s->beta2 * v[i] + (1.0F - s->beta2) * (g[i] * g[i]);
        const float second = v[i] * s->second_scale - s->noise;
        const float root = sqrtf(second > s->floor ? second : s->floor) + s->epsilon;
        w[i] -= s->rate * (m[i] * s->first_scale) / root + s->decay * w[i];
    }
}

NW__CLONES static void take_average(float share, float *a, const float *w, size_t n)
{
    for (size_t i = 0; i < n; i++)
        a[i] = share * a[i] + (1.0F - share) * w[i];
}

static step prepare(const nw_optimizer *optimizer, double deviation)
{
    const nw_optimizer_opts *o = &optimizer->opts;
    const double rate = nw_optimizer_rate(optimizer);
    const double t = (double)optimizer->state.steps;
    const bool is_corrected = o->kind == NW_OPTIMIZER_ADAM_BC;
    return (step){ .rate = (float)rate,
        .decay = (float)(rate * o->weight_decay),
        .momentum = (float)o->momentum,
        .is_nesterov = o->is_nesterov,
        .beta1 = (float)o->beta1,
        .beta2 = (float)o->beta2,
        .first_scale = (float)(1.0 / (1.0 - optimizer->state.beta1_power * o->beta1)),
        .second_scale = (float)(1.0 / (1.0 - optimizer->state.beta2_power * o->beta2)),
        .noise = is_corrected ? (float)(deviation * deviation) : 0.0F,
        .floor = is_corrected ? (float)(o->epsilon * o->epsilon) : 0.0F,
        .epsilon = is_corrected ? 0.0F : (float)o->epsilon,
        .average = (float)fmin(o->average, (1.0 + t) / (10.0 + t)) };
}

static void step_part(const nw_optimizer *o, const step *s, float *w, const float *g, size_t at, size_t n)
{
    if (o->second != NULL)
        adapt(s, w, g, o->first + at, o->second + at, n);
    else if (o->first != NULL)
        descend(s, w, g, o->first + at, n);
    else
        descend_plainly(s, w, g, n);
    if (o->average != NULL)
        take_average(s->average, o->average + at, w, n);
}

nw_status nw_optimizer_step(nw_optimizer *o, float *const *parameters, float *const *gradients, double deviation, nw_error *err)
{
    if (o == NULL || parameters == NULL || gradients == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL",
            o == NULL            ? "optimizer"
            : parameters == NULL ? "parameters"
                                 : "gradients");
    if (!(deviation >= 0.0 && deviation < INFINITY))
        return nw__fail(err, NW_E_ARG, __func__, "deviation is %g, must be in [0, infinity)", deviation);
    for (size_t i = 0; i < o->n; i++)
        if (parameters[i] == NULL || gradients[i] == NULL)
            return nw__fail(err, NW_E_ARG, __func__, "%s[%zu] is NULL", parameters[i] == NULL ? "parameters" : "gradients", i);
    const step s = prepare(o, deviation);
    const int threads = nw__threads(0);
    size_t at = 0;
    for (size_t i = 0; i < o->n; i++) {
#pragma omp parallel for schedule(static) num_threads(threads) if (o->sizes[i] > CHUNK)
        for (size_t first = 0; first < o->sizes[i]; first += CHUNK)
            step_part(o, &s, parameters[i] + first, gradients[i] + first, at + first,
                o->sizes[i] - first < CHUNK ? o->sizes[i] - first : CHUNK);
        at += o->sizes[i];
    }
    o->state.steps++;
    o->state.beta1_power *= o->opts.beta1;
    o->state.beta2_power *= o->opts.beta2;
    return NW_OK;
}

nw_status nw_optimizer_swap_average(nw_optimizer *o, float *const *parameters, nw_error *err)
{
    if (o == NULL || parameters == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", o == NULL ? "optimizer" : "parameters");
    if (o->average == NULL || o->state.steps == 0)
        return nw__fail(err, NW_E_STATE, __func__,
            o->average == NULL ? "no average was asked for in nw_optimizer_opts" : "no step was taken that could be averaged");
    float *average = o->average;
    for (size_t i = 0; i < o->n; i++) {
        for (size_t j = 0; j < o->sizes[i]; j++) {
            const float swapped = average[j];
            average[j] = parameters[i][j];
            parameters[i][j] = swapped;
        }
        average += o->sizes[i];
    }
    return NW_OK;
}

/* ---- bytes: magic, a hash of options and sizes, state, arrays; little-endian machines only, as is the format ---- */

enum { HASH = 32, HEADER = sizeof MAGIC + HASH + sizeof(state) };

/* So that the state of another optimiser is not taken. */
static void hash_shape(const nw_optimizer *o, uint8_t out[HASH])
{
    const double numbers[] = { (double)o->opts.kind, o->opts.learning_rate, o->opts.momentum, o->opts.is_nesterov ? 1.0 : 0.0,
        o->opts.beta1, o->opts.beta2, o->opts.epsilon, o->opts.weight_decay, o->opts.average, (double)o->opts.schedule,
        (double)o->opts.steps, (double)o->opts.warmup, o->opts.final_rate };
    crypto_generichash_state hash;
    crypto_generichash_init(&hash, NULL, 0, HASH);
    crypto_generichash_update(&hash, (const uint8_t *)numbers, sizeof numbers);
    for (size_t i = 0; i < o->n; i++) {
        const uint64_t size = o->sizes[i];
        crypto_generichash_update(&hash, (const uint8_t *)&size, sizeof size);
    }
    crypto_generichash_final(&hash, out, HASH);
}

static size_t arrays(const nw_optimizer *o, float *out[3])
{
    size_t n = 0;
    float *const all[] = { o->first, o->second, o->average };
    for (size_t i = 0; i < 3; i++)
        if (all[i] != NULL)
            out[n++] = all[i];
    return n;
}

size_t nw_optimizer_size(const nw_optimizer *o)
{
    float *all[3];
    return HEADER + arrays(o, all) * o->floats * sizeof(float);
}

nw_status nw_optimizer_serialize(const nw_optimizer *o, uint8_t *out, size_t capacity, nw_error *err)
{
    float *all[3];
    if (o == NULL || out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", o == NULL ? "optimizer" : "out");
    if (capacity < nw_optimizer_size(o))
        return nw__fail(err, NW_E_ARG, __func__, "capacity is %zu, must be at least %zu", capacity, nw_optimizer_size(o));
    memcpy(out, MAGIC, sizeof MAGIC);
    hash_shape(o, out + sizeof MAGIC);
    memcpy(out + sizeof MAGIC + HASH, &o->state, sizeof o->state);
    const size_t n = arrays(o, all);
    for (size_t i = 0; i < n; i++)
        memcpy(out + HEADER + i * o->floats * sizeof(float), all[i], o->floats * sizeof(float));
    return NW_OK;
}

nw_status nw_optimizer_restore(nw_optimizer *o, const uint8_t *bytes, size_t n, nw_error *err)
{
    float *all[3];
    uint8_t shape[HASH];
    if (o == NULL || bytes == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", o == NULL ? "optimizer" : "bytes");
    hash_shape(o, shape);
    if (n < HEADER || memcmp(bytes, MAGIC, sizeof MAGIC) != 0)
        return nw__fail(err, NW_E_FORMAT, __func__, "these bytes are no state of an optimiser");
    if (memcmp(bytes + sizeof MAGIC, shape, HASH) != 0 || n != nw_optimizer_size(o))
        return nw__fail(err, NW_E_FORMAT, __func__, "this is the state of an optimiser of other options or sizes, or is cut off");
    memcpy(&o->state, bytes + sizeof MAGIC + HASH, sizeof o->state);
    const size_t count = arrays(o, all);
    for (size_t i = 0; i < count; i++)
        memcpy(all[i], bytes + HEADER + i * o->floats * sizeof(float), o->floats * sizeof(float));
    return NW_OK;
}
