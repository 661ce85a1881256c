/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* cost.c - what an event costs in each currency, and from a cost to (epsilon, delta).
 *
 * A certified privacy-loss distribution becomes one more method beside the three of method_epsilon: an event's cost is then
 * joined by its dominating pair, and nw_event_epsilon takes the minimum over one method more. Nothing else has to change. */
#include "accountant_internal.h"

#include <math.h>
#include <string.h>

/* x + y and x * y rounded up: the rounded result, or its successor if the exact one is above it (the error of a sum by
 * [Knu97, sec. 4.2.2, Thm B], of a product by fma). What is exact stays exact, so .25 + .5 + .25 fills a budget of 1. */
static double up_add(double x, double y)
{
    const double sum = x + y;
    const double y_part = sum - x;
    const double error = (x - (sum - y_part)) + (y - y_part);
    return error > 0.0 ? nw__up(sum) : sum;
}

static double up_multiply(double x, double y)
{
    const double product = x * y;
    return isinf(product) || fma(x, y, -product) <= 0.0 ? product : nw__up(product);
}

nw_cost nw__cost_add(const nw_cost *a, const nw_cost *b)
{
    nw_cost sum = { up_add(a->mu_squared, b->mu_squared), up_add(a->rho_zcdp, b->rho_zcdp),
        up_add(a->epsilon_pure, b->epsilon_pure), up_add(a->delta, b->delta), 0 };
    if (__builtin_add_overflow(a->samples, b->samples, &sum.samples))
        sum.samples = UINT64_MAX;
    return sum;
}

static nw_cost repeated(const nw_cost *cost, uint64_t count)
{
    const double n = nw__up((double)count); /* a count above 2^53 may have been rounded down */
    const double times = (double)count < 0x1p53 ? (double)count : n;
    nw_cost sum = { up_multiply(cost->mu_squared, times), up_multiply(cost->rho_zcdp, times),
        up_multiply(cost->epsilon_pure, times), up_multiply(cost->delta, times), 0 };
    if (__builtin_mul_overflow(cost->samples, count, &sum.samples))
        sum.samples = UINT64_MAX;
    return sum;
}

/* How many times the leaf's declared distance neighbours under `adjacency` can be apart: 1, or 2 where a replacement is a
 * removal and an addition; 0 if the declaration says nothing about this adjacency. Group privacy of pure DP, GDP and (squared)
 * zCDP is linear in it. */
static double distance_factor(nw_adjacency declared, nw_adjacency adjacency)
{
    if (declared == adjacency)
        return 1.0;
    if (declared == NW_ADD_REMOVE)
        return adjacency == NW_REPLACE_ONE ? 2.0 : 1.0; /* zeroing a record out removes its contribution */
    return 0.0;
}

static nw_cost cost_of_gaussian(double mu)
{
    const double mu_squared = up_multiply(mu, mu);
    return (nw_cost){ .mu_squared = mu_squared, .rho_zcdp = 0.5 * mu_squared, .epsilon_pure = INFINITY };
}

/* A pure guarantee: its Gaussian majorant, and epsilon^2 / 2 zCDP [BS16, Prop. 1.4]. */
static nw_cost cost_of_pure(double epsilon)
{
    const double mu = nw_gdp_from_pure(epsilon);
    return (
        nw_cost){ .mu_squared = up_multiply(mu, mu), .rho_zcdp = 0.5 * up_multiply(epsilon, epsilon), .epsilon_pure = epsilon };
}

static nw_status leaf_cost(const nw_event *e, nw_adjacency adjacency, nw_cost *out, nw_error *err)
{
    static const char *const name = "nw_event_cost";
    const double factor = distance_factor(e->sensitivity.adjacency, adjacency);
    const double distance = factor * e->sensitivity.value;
    if (factor == 0.0)
        return nw__fail(err, NW_E_UNSUPPORTED, name,
            "%s: its sensitivity or guarantee was worked out for %s and says nothing about %s", nw__event_kind_name(e->kind),
            nw_adjacency_name(e->sensitivity.adjacency), nw_adjacency_name(adjacency));
    switch (e->kind) {
    case NW_EVENT_GAUSSIAN:
    case NW_EVENT_ROUNDED_GAUSSIAN: *out = cost_of_gaussian(nw__up(distance / e->parameter)); break;
    case NW_EVENT_DISCRETE_GAUSSIAN:
        *out = cost_of_gaussian(nw__up(distance / e->parameter));
        out->mu_squared = INFINITY; /* [CKS20, Thm 4] is a statement about zCDP only */
        break;
    case NW_EVENT_LAPLACE:
    case NW_EVENT_DISCRETE_LAPLACE: *out = cost_of_pure(nw__up(distance / e->parameter)); break;
    case NW_EVENT_PURE: *out = cost_of_pure(factor * e->parameter); break;
    case NW_EVENT_APPROX:
        if (factor != 1.0)
            return nw__fail(err, NW_E_UNSUPPORTED, name, "approx: stated for %s, not converted to %s",
                nw_adjacency_name(e->sensitivity.adjacency), nw_adjacency_name(adjacency));
        *out = cost_of_pure(e->parameter);
        out->delta = e->delta;
        break;
    case NW_EVENT_ZCDP:
        *out = (nw_cost){ .mu_squared = INFINITY, .rho_zcdp = factor * factor * e->parameter, .epsilon_pure = INFINITY };
        break;
    case NW_EVENT_GDP: *out = cost_of_gaussian(factor * e->parameter); break;
    default: return nw__fail(err, NW_E_UNSUPPORTED, name, "kind %d cannot be accounted", (int)e->kind);
    }
    out->samples = e->samples;
    return NW_OK;
}

static nw_status tree_cost(const nw_event *e, nw_adjacency adjacency, nw_cost *out, nw_error *err)
{
    if (e->child_count == 0)
        return leaf_cost(e, adjacency, out, err);
    nw_cost sum = { 0 };
    for (size_t i = 0; i < e->child_count; i++) {
        nw_cost child;
        NW__TRY(tree_cost(e->children[i], adjacency, &child, err));
        sum = nw__cost_add(&sum, &child);
    }
    *out = e->kind == NW_EVENT_REPEAT ? repeated(&sum, e->count) : sum;
    return NW_OK;
}

nw_status nw_event_cost(const nw_event *event, nw_adjacency adjacency, nw_cost *out, nw_error *err)
{
    if (event == NULL || out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", event == NULL ? "event" : "out");
    if (adjacency < NW_ADD_REMOVE || adjacency > NW_ZERO_OUT)
        return nw__fail(err, NW_E_ARG, __func__, "adjacency is %s, must be add_remove, replace_one or zero_out",
            nw_adjacency_name(adjacency));
    return tree_cost(event, adjacency, out, err);
}

double nw__sampler_delta(double epsilon, uint64_t samples)
{
    if (samples == 0)
        return 0.0;
    /* Four roundings, and 2 ulps of exp: one part in 2^50 covers them. */
    return (1.0 + exp(epsilon)) * (double)samples * NW__SAMPLE_TV * (1.0 + 0x1p-50);
}

/* The method's own conversion at delta. */
static double method_epsilon(const nw_cost *cost, double delta, nw__method method)
{
    switch (method) {
    case NW__METHOD_GDP: return isinf(cost->mu_squared) ? INFINITY : nw_gdp_epsilon(nw__up(sqrt(cost->mu_squared)), delta);
    case NW__METHOD_ZCDP: return nw_zcdp_epsilon(cost->rho_zcdp, delta);
    case NW__METHOD_PURE: return cost->epsilon_pure;
    }
    return INFINITY;
}

static double method_delta(const nw_cost *cost, double epsilon, nw__method method)
{
    switch (method) {
    case NW__METHOD_GDP: return isinf(cost->mu_squared) ? 1.0 : nw_gdp_delta(nw__up(sqrt(cost->mu_squared)), epsilon);
    case NW__METHOD_ZCDP: return nw_zcdp_delta(cost->rho_zcdp, epsilon);
    case NW__METHOD_PURE: return cost->epsilon_pure <= epsilon ? 0.0 : 1.0;
    }
    return 1.0;
}

double nw__cost_epsilon(const nw_cost *cost, double delta, nw__method method)
{
    if (method == NW__METHOD_PURE && delta == 0.0)
        return cost->delta > 0.0 ? INFINITY : cost->epsilon_pure; /* up to the samplers' distance, for which there is no delta */
    /* The samplers' share grows with epsilon: up to a fixed point, which is met at once unless delta is tiny. */
    double epsilon = 0.0;
    for (int i = 0; i < 64; i++) {
        const double left = nw__down(delta - cost->delta) - nw__sampler_delta(epsilon, cost->samples);
        if (!(left > 0.0))
            return delta == 1.0 ? 0.0 : INFINITY;
        const double needed = method_epsilon(cost, nw__down(left), method);
        if (needed <= epsilon)
            return epsilon;
        epsilon = needed;
    }
    return INFINITY;
}

double nw__cost_delta(const nw_cost *cost, double epsilon, nw__method method)
{
    const double delta =
        up_add(up_add(method_delta(cost, epsilon, method), cost->delta), nw__sampler_delta(epsilon, cost->samples));
    return fmin(1.0, delta);
}

static const char *const METHOD_NAMES[] = { NULL, "gdp", "zcdp", "pure" };

nw_status nw_event_epsilon(
    const nw_event *event, nw_adjacency adjacency, double delta, double *epsilon, const char **method, nw_error *err)
{
    nw_cost cost;
    if (epsilon == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "epsilon is NULL");
    if (!(delta >= 0.0 && delta < 1.0))
        return nw__fail(err, NW_E_ARG, __func__, "delta is %g, must be in [0, 1)", delta);
    NW__TRY(nw_event_cost(event, adjacency, &cost, err));
    *epsilon = INFINITY;
    for (nw__method m = NW__METHOD_GDP; m <= NW__METHOD_PURE; m++) {
        const double candidate = nw__cost_epsilon(&cost, delta, m);
        if (candidate < *epsilon || m == NW__METHOD_GDP) {
            *epsilon = candidate;
            if (method != NULL)
                *method = METHOD_NAMES[m];
        }
    }
    return NW_OK;
}

nw_status nw_event_delta(
    const nw_event *event, nw_adjacency adjacency, double epsilon, double *delta, const char **method, nw_error *err)
{
    nw_cost cost;
    if (delta == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "delta is NULL");
    if (!(epsilon >= 0.0))
        return nw__fail(err, NW_E_ARG, __func__, "epsilon is %g, must be at least 0", epsilon);
    NW__TRY(nw_event_cost(event, adjacency, &cost, err));
    *delta = 1.0;
    for (nw__method m = NW__METHOD_GDP; m <= NW__METHOD_PURE; m++) {
        const double candidate = nw__cost_delta(&cost, epsilon, m);
        if (candidate < *delta || m == NW__METHOD_GDP) {
            *delta = candidate;
            if (method != NULL)
                *method = METHOD_NAMES[m];
        }
    }
    return NW_OK;
}
