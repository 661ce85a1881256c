/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* account.c - certified epsilon and delta of an event: the least over the methods that apply from above, the privacy loss
 * distribution from below.
 *
 * Each direction is composed on its own and the larger answer taken at the end. The direction that looks weaker is first
 * bounded on a coarse grid, and only if that does not settle it on the fine one. */
#include "account.h"
#include "rdp.h"
#include "schedule.h"

#include <math.h>
#include <string.h>

/* How much coarser the first look at the other direction may be. */
static const double GLANCE = 64.0;
/* Below it the tilted law leaves the range of doubles. */
static const double LEAST_DELTA = 1e-280;

typedef struct question {
    const nw_event *event;
    nw_adjacency adjacency;
    bool asks_epsilon;
    double given;
    double tolerance;
    nw__fft *fft;     /* one for each direction */
    bool has_many;    /* more mechanisms than directions: they go side by side instead */
    bool knows_worse; /* which direction decides the upper bound, and so the lower */
    nw__direction worse;
} question;

static nw_status check_question(const question *q, const nw_bounds *out, const char *function, nw_error *err)
{
    if (q->event == NULL || out == NULL)
        return nw__fail(err, NW_E_ARG, function, "%s is NULL", q->event == NULL ? "event" : "out");
    if (!nw__is_adjacency(q->adjacency))
        return nw__fail(err, NW_E_ARG, function, "adjacency is %s, must be add_remove, replace_one, zero_out or replace_label",
            nw_adjacency_name(q->adjacency));
    if (q->asks_epsilon && !(q->given >= 0.0 && q->given < 1.0))
        return nw__fail(err, NW_E_ARG, function, "delta is %g, must be in [0, 1)", q->given);
    if (!q->asks_epsilon && !(q->given >= 0.0))
        return nw__fail(err, NW_E_ARG, function, "epsilon is %g, must be at least 0", q->given);
    if (!(q->tolerance > 0.0 && q->tolerance <= 1.0))
        return nw__fail(err, NW_E_ARG, function, "tolerance is %g, must be in (0, 1]", q->tolerance);
    return NW_OK;
}

static nw_status make_schedule(nw__schedule *out, const question *q, nw__direction direction, bool is_upper, nw_error *err)
{
    const nw__schedule_query query = { q->adjacency, direction, is_upper, q->asks_epsilon ? fmax(q->given, 1e-250) : 1e-20 };
    return nw__schedule_new(out, q->event, &query, q->fft, err);
}

/* Only Gaussians: the closed form. */
static double gaussian_answer(const question *q, double mu_squared, bool is_upper)
{
    const double mu = sqrt(mu_squared) * (is_upper ? 1.0 + 0x1p-52 : 1.0 - 0x1p-52);
    if (is_upper)
        return q->asks_epsilon ? nw_gdp_epsilon(mu, q->given) : nw_gdp_delta(mu, q->given);
    return q->asks_epsilon ? nw__gdp_epsilon_lower(mu, q->given) : nw__gdp_delta_lower(mu, q->given);
}

typedef struct single {
    const nw__pair *pair;
    bool is_upper;
} single;

static double single_delta(const single *s, double epsilon)
{
    double lower = 0.0;
    double upper = 1.0;
    nw__pair_delta(s->pair, epsilon, &lower, &upper);
    return s->is_upper ? upper : lower;
}

/* One mechanism, once: its own hockey stick. Upper: the least epsilon found with delta(epsilon) <= delta; lower: the largest with
 * delta(epsilon) > delta. */
static double single_answer(const question *q, const single *s)
{
    if (!q->asks_epsilon)
        return single_delta(s, q->given);
    if (single_delta(s, 0.0) <= q->given)
        return 0.0;
    double enough = 1.0;
    double short_of = 0.0;
    while (enough < 1e9 && single_delta(s, enough) > q->given)
        enough *= 2.0;
    if (enough >= 1e9)
        return s->is_upper ? INFINITY : short_of;
    for (;;) {
        const double middle = 0.5 * (enough + short_of);
        if (middle == enough || middle == short_of)
            return s->is_upper ? enough * (1.0 + NW__LOSS_ROUNDING) : short_of * (1.0 - NW__LOSS_ROUNDING);
        if (single_delta(s, middle) <= q->given)
            enough = middle;
        else
            short_of = middle;
    }
}

static bool is_single(const nw__schedule *s)
{
    return s->n == 1 && s->list[0].count == 1 && s->mu_squared == 0.0;
}

/* One direction. *out is left as it is (upper: no information, INFINITY or 1) if there is no answer by this method. */
static nw_status solve_direction(const question *q, nw__direction direction, bool is_upper, double tolerance, nw__pld_answer *out,
    const char **method, nw_error *err)
{
    nw__schedule s;
    *out = (nw__pld_answer){ is_upper ? (q->asks_epsilon ? INFINITY : 1.0) : 0.0, NAN, false };
    NW__TRY(make_schedule(&s, q, direction, is_upper, err));
    nw_status status = NW_OK;
    if (s.no_pair != NULL || s.steps > NW__PLD_MOST_STEPS || s.n > NW__PLD_MOST_DIFFERENT) {
        *method = NULL;
    } else if (s.n == 0) {
        *method = "gdp";
        out->value = gaussian_answer(q, s.mu_squared, is_upper);
    } else if (is_single(&s)) {
        *method = "exact";
        out->value = single_answer(q, &(single){ s.list[0].pair, is_upper });
    } else if (q->asks_epsilon && q->given < LEAST_DELTA) {
        *method = NULL;
    } else {
        const nw__pld_query query = { q->asks_epsilon, q->given, tolerance, is_upper, false };
        *method = "pld";
        status = nw__schedule_add_gaussian(&s, err);
        if (status == NW_OK)
            status = nw__pld_solve(s.list, s.n, &query, q->fft, out, err);
        if (status == NW_E_UNSUPPORTED) { /* no grid within the limits: nothing is claimed */
            *method = NULL;
            out->value = is_upper ? (q->asks_epsilon ? INFINITY : 1.0) : 0.0;
            status = NW_OK;
        }
    }
    nw__schedule_free(&s);
    return status;
}

static void take(nw_bounds *out, double value, const char *method)
{
    if (value < out->upper) {
        out->upper = value;
        out->method = method;
    }
}

/* Both directions, side by side: all[0] with q->tolerance, all[1] with that of the weaker. */
typedef struct attempt {
    nw__pld_answer answer;
    const char *method;
    nw_status status;
    nw_error err;
} attempt;

static nw_status solve_both(const question *q, bool is_upper, double add_tolerance, attempt all[2], nw_error *err)
{
    const double tolerance[2] = { q->tolerance, add_tolerance };
    const int threads = nw__threads(0) > 1 ? 2 : 1;
#pragma omp parallel for schedule(static, 1) num_threads(threads) if (threads > 1 && !q->has_many)
    for (int d = NW__REMOVE; d <= NW__ADD; d++) {
        question own = *q;
        own.fft = q->fft + d;
        all[d].status =
            solve_direction(&own, (nw__direction)d, is_upper, tolerance[d], &all[d].answer, &all[d].method, &all[d].err);
    }
    for (int d = NW__REMOVE; d <= NW__ADD; d++) {
        if (all[d].status == NW_OK)
            continue;
        if (err != NULL)
            *err = all[d].err;
        return all[d].status;
    }
    return NW_OK;
}

/* Do both ends stand for the same laws? Where leaves promise less than a law, or a sample's or a shuffle's two ends differ, no
 * grid brings them together. */
static bool is_attained(const nw_event *e)
{
    switch (e->kind) {
    case NW_EVENT_ROUNDED_GAUSSIAN:
    case NW_EVENT_ZCDP:
    case NW_EVENT_EXPONENTIAL:
    case NW_EVENT_REPORT_NOISY_MAX:
    case NW_EVENT_PERMUTE_AND_FLIP:
    case NW_EVENT_RDP:
    case NW_EVENT_PARALLEL:
    case NW_EVENT_FIXED_SIZE_SUBSAMPLED:
    case NW_EVENT_SHUFFLED: return false;
    default: break;
    }
    for (size_t i = 0; i < e->child_count; i++)
        if (!is_attained(e->children[i]))
            return false;
    return true;
}

/* What is needed at a larger delta is needed at a smaller one, so a delta out of reach of the tilted law is moved into it. Any
 * direction gives a lower bound, and the one that decides the upper bound the best, up to the tolerance. */
static nw_status lower_bound(const question *q, nw_bounds *out, nw_error *err)
{
    static const double WITHIN_REACH = 1e-30;
    attempt all[2] = { 0 };
    question near = *q;
    near.given = q->asks_epsilon && q->given < LEAST_DELTA ? WITHIN_REACH : q->given;
    if (q->knows_worse)
        NW__TRY(solve_direction(&near, q->worse, false, q->tolerance, &all[q->worse].answer, &all[q->worse].method, err));
    else
        NW__TRY(solve_both(&near, false, q->tolerance, all, err));
    for (int d = NW__REMOVE; d <= NW__ADD; d++) {
        if (all[d].answer.value >= out->lower && (!q->knows_worse || q->worse == (nw__direction)d)) {
            out->lower = all[d].answer.value;
            out->estimate = all[d].answer.estimate;
        }
    }
    return NW_OK;
}

static nw_status upper_bound(question *q, nw_bounds *out, nw_error *err)
{
    attempt all[2] = { 0 };
    q->knows_worse = false;
    NW__TRY(solve_both(q, true, fmin(1.0, q->tolerance * GLANCE), all, err));
    if (all[0].method == NULL || all[1].method == NULL)
        return NW_OK;
    if (all[1].answer.value > all[0].answer.value)
        NW__TRY(solve_direction(q, NW__ADD, true, q->tolerance, &all[1].answer, &all[1].method, err));
    q->worse = all[1].answer.value > all[0].answer.value ? NW__ADD : NW__REMOVE;
    if (all[q->worse].answer.is_rough) /* other methods say more */
        return NW_OK;
    q->knows_worse = is_attained(q->event);
    take(out, all[q->worse].answer.value, all[q->worse].method);
    return NW_OK;
}

/* The currencies that add up: closed forms, which also serve what has no pair. */
static nw_status additive_bounds(const question *q, nw_bounds *out, nw_error *err)
{
    static const char *const names[] = { NULL, "gdp", "zcdp", "pure" };
    nw_cost cost;
    NW__TRY(nw_event_cost(q->event, q->adjacency, &cost, err));
    for (nw__method m = NW__METHOD_GDP; m <= NW__METHOD_PURE; m++)
        take(out, q->asks_epsilon ? nw__cost_epsilon(&cost, q->given, m) : nw__cost_delta(&cost, q->given, m), names[m]);
    return NW_OK;
}

static nw_status renyi_bound(const question *q, nw_bounds *out, nw_error *err)
{
    double value = INFINITY;
    if (q->asks_epsilon)
        NW__TRY(nw__rdp_epsilon(q->event, q->adjacency, q->given, &value, err));
    else
        NW__TRY(nw__rdp_delta(q->event, q->adjacency, q->given, &value, err));
    take(out, value, "rdp");
    return NW_OK;
}

/* The samplers' distance, (1 + e^epsilon) N 2^-150, comes off delta (goes onto it). */
static nw_status with_samples(question *q, uint64_t samples, nw_bounds *out, nw_error *err)
{
    const double given = q->given;
    NW__TRY(upper_bound(q, out, err));
    if (samples == 0 || isinf(out->upper))
        return NW_OK;
    if (!q->asks_epsilon) {
        out->upper = fmin(1.0, (out->upper + nw__sampler_delta(given, samples)) * (1.0 + 0x1p-50));
        return NW_OK;
    }
    for (int i = 0; i < 4; i++) {
        const double allowed = out->upper * (1.0 + 1e-9) + 1e-9;
        q->given = given - nw__sampler_delta(allowed, samples);
        out->upper = INFINITY;
        if (!(q->given > 0.0))
            break;
        NW__TRY(upper_bound(q, out, err));
        if (out->upper <= allowed)
            break;
    }
    q->given = given;
    return NW_OK;
}

/* Is the interval wider than the tolerance lets one expect? */
static bool is_wide(const question *q, const nw_bounds *b)
{
    static const double USUAL = 5.0; /* tolerances: that of both ends, and of parts that meet on one grid */
    const double width = b->upper - b->lower;
    return q->asks_epsilon ? width > fmax(USUAL * q->tolerance, 5e-6 * b->upper) : width > 1e-3 * b->upper;
}

/* Both ends; again on finer grids where they lie further apart than they should, as rare large losses can make them: the grid is
 * laid for a law whose shape the saddle point tells. */
static nw_status both_ends(question *q, nw_bounds *out, nw_error *err)
{
    enum { ROUNDS = 3 };
    static const double FINER = 0.125;
    const double tolerance = q->tolerance;
    nw_bounds best = *out;
    NW__TRY(lower_bound(q, &best, err));
    const int rounds = is_attained(q->event) ? ROUNDS : 1;
    for (int i = 1; i < rounds && best.lower > 0.0 && is_wide(q, &best) && strcmp(best.method, "pld") == 0; i++) {
        nw_bounds next = { 0.0, q->asks_epsilon ? INFINITY : 1.0, NAN, "none", true };
        q->tolerance *= FINER;
        NW__TRY(with_samples(q, nw_event_samples(q->event), &next, err));
        NW__TRY(lower_bound(q, &next, err));
        take(&best, next.upper, next.method);
        best.lower = fmax(best.lower, next.lower);
    }
    q->tolerance = tolerance;
    best.lower = fmin(best.lower, best.upper);
    *out = best;
    return NW_OK;
}

static nw_status answer(question *q, bool is_upper_only, nw_bounds *out, nw_error *err)
{
    nw_bounds additive = { 0.0, q->asks_epsilon ? INFINITY : 1.0, NAN, "none", true };
    nw_bounds exact = additive;
    const nw_status has_additive = additive_bounds(q, &additive, err);
    if (has_additive != NW_OK && has_additive != NW_E_UNSUPPORTED)
        return has_additive;
    NW__TRY(with_samples(q, nw_event_samples(q->event), &exact, err));
    *out = exact;
    take(out, additive.upper, additive.method);
    if (exact.method[0] == 'n') /* no privacy loss distribution: Renyi's */
        NW__TRY(renyi_bound(q, out, err));
    return is_upper_only ? NW_OK : both_ends(q, out, err);
}

static nw_status ask(question q, const nw_account_opts *opts, nw_bounds *out, const char *function, nw_error *err)
{
    nw_account_opts o = NW_ACCOUNT_OPTS_INIT;
    nw__fft fft[2] = { { 0 }, { 0 } };
    if (opts != NULL)
        memcpy(&o, opts, opts->struct_size < sizeof o ? opts->struct_size : sizeof o);
    q.tolerance = o.tolerance;
    q.fft = fft;
    NW__TRY(check_question(&q, out, function, err));
    q.has_many = q.event->kind == NW_EVENT_COMPOSED && q.event->child_count > 4;
    const nw_status status = answer(&q, o.is_upper_only, out, err);
    nw__fft_free(&fft[0]);
    nw__fft_free(&fft[1]);
    return status;
}

nw_status nw_account_epsilon(
    const nw_event *event, nw_adjacency adjacency, double delta, const nw_account_opts *opts, nw_bounds *out, nw_error *err)
{
    return ask(
        (question){ .event = event, .adjacency = adjacency, .asks_epsilon = true, .given = delta }, opts, out, __func__, err);
}

nw_status nw_account_delta(
    const nw_event *event, nw_adjacency adjacency, double epsilon, const nw_account_opts *opts, nw_bounds *out, nw_error *err)
{
    return ask((question){ .event = event, .adjacency = adjacency, .given = epsilon }, opts, out, __func__, err);
}

nw_status nw_event_epsilon(
    const nw_event *event, nw_adjacency adjacency, double delta, double *epsilon, const char **method, nw_error *err)
{
    const nw_account_opts opts = { sizeof opts, NW__TOLERANCE, true };
    nw_bounds bounds;
    if (epsilon == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "epsilon is NULL");
    NW__TRY(nw_account_epsilon(event, adjacency, delta, &opts, &bounds, err));
    *epsilon = bounds.upper;
    if (method != NULL)
        *method = bounds.method;
    return NW_OK;
}

nw_status nw_event_delta(
    const nw_event *event, nw_adjacency adjacency, double epsilon, double *delta, const char **method, nw_error *err)
{
    const nw_account_opts opts = { sizeof opts, NW__TOLERANCE, true };
    nw_bounds bounds;
    if (delta == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "delta is NULL");
    NW__TRY(nw_account_delta(event, adjacency, epsilon, &opts, &bounds, err));
    *delta = bounds.upper;
    if (method != NULL)
        *method = bounds.method;
    return NW_OK;
}

nw_status nw__account_estimate(const nw_event *event, nw_adjacency adjacency, double delta, double *epsilon, nw_error *err)
{
    nw__fft fft = { 0 };
    const question q = {
        .event = event, .adjacency = adjacency, .asks_epsilon = true, .given = delta, .tolerance = NW__TOLERANCE, .fft = &fft
    };
    nw_status status = NW_OK;
    bool is_smooth = delta > 1e-280;
    *epsilon = 0.0;
    for (int d = NW__REMOVE; status == NW_OK && is_smooth && d <= NW__ADD; d++) {
        nw__schedule s;
        double guess = 0.0;
        status = make_schedule(&s, &q, (nw__direction)d, true, err);
        if (status != NW_OK)
            break;
        is_smooth =
            s.no_pair == NULL && s.n > 0 && !is_single(&s) && s.steps <= NW__PLD_MOST_STEPS && s.n <= NW__PLD_MOST_DIFFERENT;
        const nw__pld_query query = { true, delta, NW__TOLERANCE, true, false };
        if (is_smooth)
            status = nw__schedule_add_gaussian(&s, err);
        if (is_smooth && status == NW_OK)
            status = nw__pld_estimate(s.list, s.n, &query, &guess, err);
        *epsilon = fmax(*epsilon, guess);
        nw__schedule_free(&s);
    }
    nw__fft_free(&fft);
    if (status == NW_OK && !is_smooth)
        return nw_event_epsilon(event, adjacency, delta, epsilon, NULL, err);
    return status;
}
