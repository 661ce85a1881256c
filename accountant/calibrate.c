/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* calibrate.c - the parameter of a schedule that meets a target: the root of the saddle-point estimate, which costs little, then
 * a few certified evaluations around it. What is returned was itself certified. */
#include "account.h"

#include <math.h>

enum { ROUGH_STEPS = 40, FINE_STEPS = 40 };
/* How far below the target the certified epsilon of the answer may stay. */
static const double CLOSE = 2e-7;
/* Where the limits of the grid bind, the certified epsilon is not that smooth; no parameter closer than this is looked for. */
static const double NARROW = 1e-3;
/* Rounds that a smooth epsilon is done in. */
enum { SMOOTH_STEPS = 3 };
/* How far apart the ends of its bracket may stay: from one grid to the next the certified epsilon may jump over that window. */
static const double CLOSEST = 1e-8;

typedef struct target {
    nw_calibrate_kind kind;
    double epsilon, delta;
    nw_adjacency adjacency;
    nw_event_of event_of;
    const void *context;
    nw_status status;
    nw_error *err;
} target;

/* Certified, or estimated. */
static double epsilon_at(target *t, double parameter, bool is_rough)
{
    nw_event *event = NULL;
    double epsilon = INFINITY;
    if (t->status == NW_OK)
        t->status = t->event_of(&event, parameter, t->context, t->err);
    if (t->status == NW_OK && is_rough)
        t->status = nw__account_estimate(event, t->adjacency, t->delta, &epsilon, t->err);
    else if (t->status == NW_OK)
        t->status = nw_event_epsilon(event, t->adjacency, t->delta, &epsilon, NULL, t->err);
    nw_event_free(event);
    return epsilon;
}

static double rounded(const target *t, double parameter)
{
    return t->kind == NW_CALIBRATE_GREATEST_COUNT ? floor(parameter) : parameter;
}

/* Halves the interval between a private and a less private value, in the logarithm. */
static double middle_of(const target *t, double a, double b)
{
    return rounded(t, a > 0.0 && b > 0.0 ? sqrt(a) * sqrt(b) : 0.5 * (a + b));
}

static double rough_root(target *t, double safe, double unsafe)
{
    for (int i = 0; i < ROUGH_STEPS && t->status == NW_OK; i++) {
        const double middle = middle_of(t, safe, unsafe);
        if (middle == safe || middle == unsafe || fabs(safe - unsafe) < 1e-9 * fabs(safe))
            break;
        if (epsilon_at(t, middle, true) <= t->epsilon)
            safe = middle;
        else
            unsafe = middle;
    }
    return safe;
}

/* d log epsilon / d log parameter, by the estimate. */
static double slope_at(target *t, double parameter)
{
    const double up = epsilon_at(t, parameter * 1.01, true);
    const double here = epsilon_at(t, parameter, true);
    const double slope = (log(up) - log(here)) / log(1.01);
    return isfinite(slope) && fabs(slope) > 1e-3 ? slope : (t->kind == NW_CALIBRATE_LEAST ? -1.0 : 1.0);
}

typedef struct bracket {
    double safe, unsafe; /* certified to meet the target; seen not to */
} bracket;

static bool is_between(const bracket *b, double x)
{
    return x > fmin(b->safe, b->unsafe) && x < fmax(b->safe, b->unsafe);
}

/* The slope through the last two certified points; `slope` where they are too close to tell, or out of order. */
static double secant(const double x[2], const double epsilon[2], double slope)
{
    static const double FAR_ENOUGH = 1e-3;
    const double run = log(x[1]) - log(x[0]);
    const double through = (log(epsilon[1]) - log(epsilon[0])) / run;
    return fabs(run) >= FAR_ENOUGH && isfinite(through) && through * slope > 1e-3 ? through : slope;
}

/* Is the parameter safe, and the answer no more than NARROW away from it? */
static bool is_near_enough(const target *t, const bracket *b, double x, double next)
{
    return x == b->safe && (fabs(log(next / x)) <= NARROW || fabs(b->safe - b->unsafe) <= NARROW * fabs(x)) &&
           t->kind != NW_CALIBRATE_GREATEST_COUNT;
}

/* Newton in the logarithm from the rough root, kept inside the bracket. */
static double fine_root(target *t, bracket b, double guess)
{
    double x = rounded(t, guess);
    double slope = is_between(&b, x) && t->kind != NW_CALIBRATE_GREATEST_COUNT ? slope_at(t, x)
                   : t->kind == NW_CALIBRATE_LEAST                             ? -1.0
                                                                               : 1.0;
    double at[2] = { NAN, NAN };
    double seen[2] = { NAN, NAN };
    for (int i = 0; i < FINE_STEPS && t->status == NW_OK; i++) {
        if (i > 2 * SMOOTH_STEPS || !is_between(&b, x))
            x = middle_of(t, b.safe, b.unsafe);
        if (!is_between(&b, x))
            break;
        if (t->kind != NW_CALIBRATE_GREATEST_COUNT && fabs(b.safe - b.unsafe) <= CLOSEST * fabs(b.safe))
            break;
        const double epsilon = epsilon_at(t, x, false);
        const bool is_safe = epsilon <= t->epsilon;
        *(is_safe ? &b.safe : &b.unsafe) = x;
        if (is_safe && epsilon >= t->epsilon * (1.0 - CLOSE) && t->kind != NW_CALIBRATE_GREATEST_COUNT)
            break;
        at[0] = at[1];
        at[1] = x;
        seen[0] = seen[1];
        seen[1] = epsilon;
        slope = i >= SMOOTH_STEPS - 1 ? secant(at, seen, slope) : slope;
        const double aim = t->epsilon * (1.0 - 0.5 * CLOSE);
        const double next = x * exp((log(aim) - log(epsilon)) / slope);
        if (i >= SMOOTH_STEPS && is_near_enough(t, &b, x, next))
            break;
        x = rounded(t, t->kind == NW_CALIBRATE_GREATEST_COUNT && next == x ? x + 1.0 : next);
        if (t->kind == NW_CALIBRATE_GREATEST_COUNT && x == (is_safe ? b.safe : b.unsafe))
            x += is_safe ? 1.0 : -1.0;
    }
    return b.safe;
}

static nw_status check(const target *t, double low, double high, const char *function)
{
    if (t->kind < NW_CALIBRATE_LEAST || t->kind > NW_CALIBRATE_GREATEST_COUNT)
        return nw__fail(t->err, NW_E_ARG, function, "kind is %d, must be least, greatest or greatest_count", (int)t->kind);
    if (!(t->epsilon > 0.0 && t->epsilon <= 1e6))
        return nw__fail(t->err, NW_E_ARG, function, "epsilon is %g, must be in (0, 1e6]", t->epsilon);
    if (!(t->delta >= 0.0 && t->delta < 1.0))
        return nw__fail(t->err, NW_E_ARG, function, "delta is %g, must be in [0, 1)", t->delta);
    if (!(low >= 0.0 && low <= high && isfinite(high)))
        return nw__fail(t->err, NW_E_ARG, function, "[low, high] is [%g, %g], must be an interval of numbers >= 0", low, high);
    if (t->event_of == NULL)
        return nw__fail(t->err, NW_E_ARG, function, "event_of is NULL");
    return NW_OK;
}

nw_status nw_calibrate(double *parameter, nw_calibrate_kind kind, double low, double high, double epsilon, double delta,
    nw_adjacency adjacency, nw_event_of event_of, const void *context, nw_error *err)
{
    target t = { kind, epsilon, delta, adjacency, event_of, context, NW_OK, err };
    if (parameter == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "parameter is NULL");
    NW__TRY(check(&t, low, high, __func__));
    const bool wants_least = kind == NW_CALIBRATE_LEAST;
    const bracket b = wants_least ? (bracket){ high, low } : (bracket){ rounded(&t, low), rounded(&t, high) };
    const double at_safe = epsilon_at(&t, b.safe, false);
    NW__TRY(t.status);
    if (!(at_safe <= epsilon))
        return nw__fail(err, NW_E_BUDGET, __func__, "epsilon is %g already at the most private end, %g", at_safe, b.safe);
    const double rough = rough_root(&t, b.safe, b.unsafe);
    const double other = rough == b.safe ? b.safe : rough;
    if (fabs(other - b.unsafe) <= 1e-6 * fabs(b.unsafe) && epsilon_at(&t, b.unsafe, false) <= epsilon) {
        *parameter = b.unsafe;
        return t.status;
    }
    *parameter = fine_root(&t, b, other);
    return t.status;
}
