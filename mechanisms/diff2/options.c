/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* options.c - options, and the noise that (epsilon, delta) asks for: from public numbers only. */
#include "accountant_internal.h"
#include "diff2_internal.h"
#include "noise_budget.h"

#include <math.h>
#include <nw/accounting.h>
#include <string.h>

static const double LEAST_CLIP = 0x1p-40;
static const double MOST_CLIP = 0x1p40;
static const uint64_t MOST_RECORDS = UINT64_C(1) << 40;
static const uint64_t MOST_ROUNDS = UINT64_C(1) << 32;
static const uint64_t MOST_LOCAL_STEPS = UINT64_C(1) << 20;
/* Multipliers that there is a sampler for, whatever the dimension. */
static const double LEAST_NOISE = 0x1p-20;
static const double MOST_NOISE = 0x1p29;
/* Covers the roundings of calibration and accounting: each is a few units of 2^-53. */
static const double MARGIN = 1.0 + 0x1p-46;
/* Epsilon is above 2000 there: a loss distribution is not worth its time. */
static const double WORTHLESS_MU = 64.0;
/* Noise values that are drawn at once, where a round has fewer coordinates. */
enum { DRAWN_AT_ONCE = 4096 };
/* Units of the sampling rate: one draw of 32 bits decides exactly. */
static const double RATE_STEPS = 0x1p32;

void nw_diff2_opts_init(nw_diff2_opts *opts, size_t struct_size)
{
    const nw_diff2_opts defaults = NW_DIFF2_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

/* ---- reading ---- */

static nw_status check_real(double value, double low, double high, const char *name, const char *function, nw_error *err)
{
    if (value >= low && value <= high)
        return NW_OK;
    return nw__fail(err, NW_E_ARG, function, "%s is %g, must be in [%g, %g]", name, value, low, high);
}

static nw_status check_count(uint64_t value, uint64_t low, uint64_t high, const char *name, const char *function, nw_error *err)
{
    if (value >= low && value <= high)
        return NW_OK;
    return nw__fail(err, NW_E_ARG, function, "%s is %llu, must be in [%llu, %llu]", name, (unsigned long long)value,
        (unsigned long long)low, (unsigned long long)high);
}

static nw_status check_noise(const nw_diff2_opts *o, const char *function, nw_error *err)
{
    if (!(o->delta > 0.0 && o->delta < 1.0))
        return nw__fail(err, NW_E_ARG, function, "delta is %g, must be in (0, 1)", o->delta);
    if (o->restart_noise == 0.0 && o->difference_noise == 0.0) {
        if (!(o->epsilon > 0.0 && o->epsilon <= NW__MAX_EPSILON))
            return nw__fail(err, NW_E_ARG, function, "epsilon is %g, must be in (0, %g]", o->epsilon, NW__MAX_EPSILON);
        return NW_OK;
    }
    NW__TRY(check_real(o->restart_noise, LEAST_NOISE, MOST_NOISE, "restart_noise", function, err));
    if (o->period > 1)
        return check_real(o->difference_noise, LEAST_NOISE, MOST_NOISE, "difference_noise", function, err);
    return NW_OK;
}

static nw_status check_schedule(const nw_diff2_opts *o, const char *function, nw_error *err)
{
    NW__TRY(nw__check_adjacency(o->adjacency, function, err));
    NW__TRY(check_count(o->public_records, 1, MOST_RECORDS, "public_records", function, err));
    NW__TRY(check_count(o->rounds, 1, MOST_ROUNDS, "rounds", function, err));
    if (o->period < 1 || o->period > o->rounds)
        return nw__fail(err, NW_E_ARG, function, "period is %llu, must be in [1, %llu], the rounds",
            (unsigned long long)o->period, (unsigned long long)o->rounds);
    NW__TRY(check_real(o->clip_gradient, LEAST_CLIP, MOST_CLIP, "clip_gradient", function, err));
    if (o->period > 1)
        NW__TRY(check_real(o->clip_difference, LEAST_CLIP, MOST_CLIP, "clip_difference", function, err));
    if (o->period > 1 && !(o->split > 0.0 && o->split < 1.0))
        return nw__fail(err, NW_E_ARG, function, "split is %g, must be in (0, 1)", o->split);
    if (!(o->learning_rate > 0.0 && o->learning_rate <= 0x1p100))
        return nw__fail(err, NW_E_ARG, function, "learning_rate is %g, must be in (0, 2^100]", o->learning_rate);
    return NW_OK;
}

static nw_status check_output(const nw_diff2_opts *o, const char *function, nw_error *err)
{
    if (o->output != NW_DIFF2_TAIL && o->output != NW_DIFF2_LAST && o->output != NW_DIFF2_UNIFORM)
        return nw__fail(err, NW_E_ARG, function, "output is %d, must be tail, last or uniform", (int)o->output);
    if (o->tail > o->rounds)
        return nw__fail(err, NW_E_ARG, function, "tail is %llu, must be in [1, %llu], the rounds, or 0 for a tenth of them",
            (unsigned long long)o->tail, (unsigned long long)o->rounds);
    if (o->guard != NW_DIFF2_PROJECT && o->guard != NW_DIFF2_STOP && o->guard != NW_DIFF2_UNGUARDED)
        return nw__fail(err, NW_E_ARG, function, "guard is %d, must be project, stop or unguarded", (int)o->guard);
    if (!(o->guard_norm >= 0.0 && o->guard_norm <= 0x1p100))
        return nw__fail(
            err, NW_E_ARG, function, "guard_norm is %g, must be in (0, 2^100], or 0 for 4 clip_gradient", o->guard_norm);
    return NW_OK;
}

static nw_status check_local(const nw_diff2_opts *o, const char *function, nw_error *err)
{
    NW__TRY(check_count(o->local_steps, 1, MOST_LOCAL_STEPS, "local_steps", function, err));
    if (o->local_steps == 1)
        return NW_OK;
    if (!(o->local_batch > 0.0 && o->local_batch <= (double)o->public_records))
        return nw__fail(err, NW_E_ARG, function, "local_batch is %g, must be in (0, %llu], the public records", o->local_batch,
            (unsigned long long)o->public_records);
    NW__TRY(check_real(o->clip_local, LEAST_CLIP, MOST_CLIP, "clip_local", function, err));
    return check_real(o->local_noise, LEAST_NOISE, MOST_NOISE, "local_noise", function, err);
}

nw_status nw__diff2_read_opts(nw_diff2 *d, const nw_diff2_opts *opts, const char *function, nw_error *err)
{
    nw_diff2_opts *o = &d->opts;
    *o = (nw_diff2_opts)NW_DIFF2_OPTS_INIT;
    memcpy(o, opts, opts->struct_size < sizeof *o ? opts->struct_size : sizeof *o);
    o->struct_size = sizeof *o;
    NW__TRY(check_schedule(o, function, err));
    NW__TRY(check_noise(o, function, err));
    NW__TRY(check_output(o, function, err));
    NW__TRY(check_local(o, function, err));
    if (o->tail == 0)
        o->tail = o->rounds >= 10 ? o->rounds / 10 : 1;
    if (o->guard_norm == 0.0)
        o->guard_norm = 4.0 * o->clip_gradient;
    return NW_OK;
}

/* ---- the event ---- */

/* `count` releases of all coordinates, of sums that one record moves by at most 1. */
static nw_status releases(nw_event **out, double noise, uint64_t count, double rate, size_t dimension, nw_error *err)
{
    nw_event *parts[2] = { NULL, NULL };
    const nw_sensitivity one = { 1.0, NW_ADD_REMOVE };
    nw_status status = nw_event_noise(&parts[0], NW_EVENT_ROUNDED_GAUSSIAN, noise, one, dimension, err);
    if (status == NW_OK && rate < 1.0)
        status = nw_event_poisson_subsampled(&parts[1], rate, parts[0], err);
    if (status == NW_OK)
        status = nw_event_repeat(out, parts[1] == NULL ? parts[0] : parts[1], count, err);
    nw_event_free(parts[0]);
    nw_event_free(parts[1]);
    return status;
}

static uint64_t restarts_of(const nw_diff2_opts *o)
{
    return (o->rounds - 1) / o->period + 1;
}

static nw_status run_event(nw_event **out, const nw_diff2 *d, double s1, double s2, nw_error *err)
{
    const nw_diff2_opts *o = &d->opts;
    const uint64_t restarts = restarts_of(o);
    nw_event *parts[3] = { NULL, NULL, NULL };
    size_t n = 0;
    nw_status status = releases(&parts[n++], s1, restarts, 1.0, d->dimension, err);
    if (status == NW_OK && restarts < o->rounds)
        status = releases(&parts[n++], s2, o->rounds - restarts, 1.0, d->dimension, err);
    if (status == NW_OK && o->local_steps > 1)
        status = releases(&parts[n++], o->local_noise, o->rounds * (o->local_steps - 1), d->plan.local_rate, d->dimension, err);
    if (status == NW_OK)
        status = nw_event_composed(out, (const nw_event *const *)parts, n, err);
    for (size_t i = 0; i < 3; i++)
        nw_event_free(parts[i]);
    return status;
}

/* ---- calibration ---- */

/* s1 = sqrt(K1 / w) / mu, s2 = sqrt((R - K1) / (1 - w)) / mu, for given mu; w = 1 without differences. */
static void share_out(const nw_diff2 *d, double mu, double *s1, double *s2)
{
    const nw_diff2_opts *o = &d->opts;
    const uint64_t restarts = restarts_of(o);
    const double moved = o->adjacency == NW_REPLACE_ONE ? 2.0 : 1.0;
    const double split = restarts == o->rounds ? 1.0 : o->split;
    *s1 = moved * sqrt((double)restarts / split) / mu * MARGIN;
    *s2 = restarts == o->rounds ? (double)NAN : moved * sqrt((double)(o->rounds - restarts) / (1.0 - split)) / mu * MARGIN;
}

/* parameter: 1 / mu of the rounds, so that more is more private. */
static nw_status event_of(nw_event **out, double parameter, const void *context, nw_error *err)
{
    double s1;
    double s2;
    share_out(context, 1.0 / parameter, &s1, &s2);
    return run_event(out, context, s1, s2, err);
}

/* With local steps there is no closed form for what is left to the rounds. */
static nw_status calibrate_around_local(const nw_diff2 *d, double *mu, nw_error *err)
{
    double parameter = 0.0;
    NW__TRY(nw_calibrate(
        &parameter, NW_CALIBRATE_LEAST, 0x1p-7, 0x1p20, d->opts.epsilon, d->opts.delta, d->opts.adjacency, event_of, d, err));
    *mu = 1.0 / parameter;
    return NW_OK;
}

static nw_status find_noise(nw_diff2 *d, double *s1, double *s2, const char *function, nw_error *err)
{
    const nw_diff2_opts *o = &d->opts;
    double mu;
    *s1 = o->restart_noise;
    *s2 = o->period > 1 ? o->difference_noise : (double)NAN;
    if (*s1 > 0.0)
        return NW_OK;
    if (o->local_steps > 1) {
        NW__TRY(calibrate_around_local(d, &mu, err));
    } else if (o->keeps_reserve) {
        mu = nw__budget_mu(o->epsilon, o->delta);
    } else {
        const double samples = (double)d->dimension * (double)o->rounds; /* below 2^56 */
        mu = nw_gdp_mu(o->epsilon, nw__down(o->delta - nw__sampler_delta(o->epsilon, (uint64_t)samples)));
    }
    if (!(mu > 0.0))
        return nw__fail(err, NW_E_ARG, function, "epsilon is %g at delta %g, too small to be expressed", o->epsilon, o->delta);
    share_out(d, mu, s1, s2);
    NW__TRY(check_real(*s1, LEAST_NOISE, MOST_NOISE, "restart_noise, from epsilon,", function, err));
    if (o->period > 1)
        NW__TRY(check_real(*s2, LEAST_NOISE, MOST_NOISE, "difference_noise, from epsilon,", function, err));
    return NW_OK;
}

/* The sum's sensitivity in steps: what a record is clipped to, and half a step for the rounding of each coordinate. */
static nw_status sampler(nw__diff2_noise *out, double multiplier, size_t dimension, nw_error *err)
{
    const double sensitivity = nw__up(NW__DIFF2_STEPS + nw__up(0.5 * nw__up(sqrt((double)dimension))));
    NW__TRY(nw_noise_new(&out->law, NW_NOISE_ROUNDED_GAUSSIAN, nw__up(multiplier * sensitivity), err));
    out->room = dimension < DRAWN_AT_ONCE ? DRAWN_AT_ONCE / dimension * dimension : dimension;
    out->values = nw__calloc(out->room, sizeof *out->values);
    return out->values == NULL ? nw__fail_memory(err, "nw_diff2_new") : NW_OK;
}

/* Epsilon of mu-Gaussian DP at delta, with what the samplers' distance takes of delta: at an epsilon a little above, as that
 * share grows with it. INFINITY if nothing is left. */
static double epsilon_of(double mu, double delta, uint64_t samples)
{
    const double least = nw_gdp_epsilon(mu, delta);
    const double above = least * (1.0 + 0x1p-20) + 0x1p-20;
    const double left = nw__down(delta - nw__sampler_delta(above, samples));
    const double epsilon = left > 0.0 ? nw_gdp_epsilon(mu, left) : (double)INFINITY;
    return epsilon <= above ? epsilon : (double)INFINITY;
}

/* Of the rounds without their local steps, not rounded. */
static double mu_of_rounds(const nw_diff2 *d)
{
    const nw_diff2_plan *p = &d->plan;
    const double moved = d->opts.adjacency == NW_REPLACE_ONE ? 2.0 : 1.0;
    const double differences =
        p->restarts == p->rounds ? 0.0 : (double)(p->rounds - p->restarts) / (p->difference_noise * p->difference_noise);
    return moved * sqrt((double)p->restarts / (p->restart_noise * p->restart_noise) + differences);
}

static nw_status cost_of_plan(nw_diff2 *d, nw_error *err)
{
    nw_cost cost;
    if (d->opts.local_steps > 1) {
        if (mu_of_rounds(d) > WORTHLESS_MU) {
            d->plan.mu = d->plan.epsilon = (double)INFINITY;
            return NW_OK;
        }
        NW__TRY(nw_event_epsilon(d->event, d->opts.adjacency, d->opts.delta, &d->plan.epsilon, NULL, err));
        return nw_account_mu(d->event, d->opts.adjacency, &d->plan.mu, err);
    }
    NW__TRY(nw_event_cost(d->event, d->opts.adjacency, &cost, err));
    d->plan.mu = nw__up(sqrt(cost.mu_squared));
    d->plan.epsilon = epsilon_of(d->plan.mu, d->opts.delta, cost.samples);
    return NW_OK;
}

nw_status nw__diff2_calibrate(nw_diff2 *d, const char *function, nw_error *err)
{
    const nw_diff2_opts *o = &d->opts;
    nw_diff2_plan *plan = &d->plan;
    d->rate_steps = o->local_steps > 1 ? (uint64_t)ceil(o->local_batch / (double)o->public_records * RATE_STEPS) : 0;
    *plan = (nw_diff2_plan){ .rounds = o->rounds, .restarts = restarts_of(o), .delta = o->delta };
    plan->tail = o->output == NW_DIFF2_TAIL ? o->tail : 1;
    plan->local_rate = o->local_steps > 1 ? fmin(1.0, (double)d->rate_steps / RATE_STEPS) : (double)NAN;
    NW__TRY(find_noise(d, &plan->restart_noise, &plan->difference_noise, function, err));
    NW__TRY(run_event(&d->event, d, plan->restart_noise, plan->difference_noise, err));
    NW__TRY(cost_of_plan(d, err));
    NW__TRY(sampler(&d->restart_noise, plan->restart_noise, d->dimension, err));
    if (plan->restarts < plan->rounds)
        NW__TRY(sampler(&d->difference_noise, plan->difference_noise, d->dimension, err));
    if (o->local_steps > 1)
        NW__TRY(sampler(&d->local_noise, o->local_noise, d->dimension, err));
    return NW_OK;
}
