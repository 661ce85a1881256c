/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* cost.c - what an event costs in each currency, and from a cost to (epsilon, delta). What a filter
 * adds up; account.c joins it with the privacy loss distribution. */
#include "accountant_internal.h"

#include <math.h>
#include <string.h>

/* Below this the error of a product may itself underflow. */
static const double LEAST_EXACT = 0x1p-960;

/* x + y, x * y and x / y rounded up: the rounded result, or its successor if the exact one is above it (the error of a sum by
 * [Knu97, sec. 4.2.2, Thm B], of a product and a quotient by fma). What is exact stays exact, so .25 + .5 + .25 fills a budget
 * of 1. */
double nw__up_add(double x, double y)
{
    const double sum = x + y;
    const double y_part = sum - x;
    const double error = (x - (sum - y_part)) + (y - y_part);
    return error > 0.0 ? nw__up(sum) : sum;
}

double nw__up_multiply(double x, double y)
{
    const double product = x * y;
    if (product < LEAST_EXACT && x > 0.0 && y > 0.0)
        return fmax(nw__up(product), 0x1p-1022); /* what underflows is not nothing, also when it is halved */
    return isinf(product) || fma(x, y, -product) <= 0.0 ? product : nw__up(product);
}

/* What is left of x tells the direction, unless it underflows. */
static double up_divide(double x, double y)
{
    const double quotient = x / y;
    return isinf(quotient) || (x > 0x1p-900 && fma(quotient, y, -x) >= 0.0) ? quotient : nw__up(quotient);
}

nw_cost nw__cost_add(const nw_cost *a, const nw_cost *b)
{
    nw_cost sum = { nw__up_add(a->mu_squared, b->mu_squared), nw__up_add(a->rho_zcdp, b->rho_zcdp),
        nw__up_add(a->epsilon_pure, b->epsilon_pure), nw__up_add(a->delta, b->delta), 0 };
    if (__builtin_add_overflow(a->samples, b->samples, &sum.samples))
        sum.samples = UINT64_MAX;
    return sum;
}

static nw_cost repeated(const nw_cost *cost, uint64_t count)
{
    const double n = nw__up((double)count); /* a count above 2^53 may have been rounded down */
    const double times = (double)count < 0x1p53 ? (double)count : n;
    nw_cost sum = { nw__up_multiply(cost->mu_squared, times), nw__up_multiply(cost->rho_zcdp, times),
        nw__up_multiply(cost->epsilon_pure, times), nw__up_multiply(cost->delta, times), 0 };
    if (__builtin_mul_overflow(cost->samples, count, &sum.samples))
        sum.samples = UINT64_MAX;
    return sum;
}

/* How many times the leaf's declared distance neighbours under `adjacency` can be apart: 1, or 2 where a replacement is a
 * removal and an addition; 0 if the declaration says nothing about this adjacency. Group privacy of pure DP, GDP and (squared)
 * zCDP is linear in it. */
double nw__distance_factor(nw_adjacency declared, nw_adjacency adjacency)
{
    if (declared == adjacency)
        return 1.0;
    if (declared == NW_ADD_REMOVE)
        return nw__is_replacement(adjacency) ? 2.0 : 1.0; /* zeroing a record out removes its contribution */
    if (declared == NW_REPLACE_ONE && adjacency == NW_REPLACE_LABEL)
        return 1.0; /* tables that differ in one label differ in one record */
    return 0.0;
}

static nw_cost cost_of_gaussian(double mu)
{
    const double mu_squared = nw__up_multiply(mu, mu);
    return (nw_cost){ .mu_squared = mu_squared, .rho_zcdp = 0.5 * mu_squared, .epsilon_pure = INFINITY };
}

/* A pure guarantee: its Gaussian majorant, and epsilon^2 / 2 zCDP [BS16, Prop. 1.4]. */
static nw_cost cost_of_pure(double epsilon)
{
    const double mu = nw_gdp_from_pure(epsilon);
    return (nw_cost){
        .mu_squared = nw__up_multiply(mu, mu), .rho_zcdp = 0.5 * nw__up_multiply(epsilon, epsilon), .epsilon_pure = epsilon
    };
}

/* Losses in an interval of length epsilon: epsilon^2 / 8 zCDP [CR21, Lemma 3.2], and half the mu of any pure guarantee. */
static nw_cost cost_of_range(double epsilon)
{
    const double mu = nw_gdp_from_range(epsilon);
    return (nw_cost){
        .mu_squared = nw__up_multiply(mu, mu), .rho_zcdp = 0.125 * nw__up_multiply(epsilon, epsilon), .epsilon_pure = epsilon
    };
}

/* log of the ratio of telling the truth to a given lie, (1 - p + p / k) / (p / k). */
static double response_epsilon(const nw_event *e)
{
    const double lie = e->parameter / (double)e->count;
    return nw__up(nw__up(log1p((1.0 - e->parameter) / lie)));
}

static nw_status leaf_cost(const nw_event *e, nw_adjacency adjacency, nw_cost *out, nw_error *err)
{
    static const char *const name = "nw_event_cost";
    const double factor = nw__distance_factor(e->sensitivity.adjacency, adjacency);
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
    case NW_EVENT_DISCRETE_LAPLACE: *out = cost_of_pure(up_divide(distance, e->parameter)); break;
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
    case NW_EVENT_LDP:
    case NW_EVENT_REPORT_NOISY_MAX:
    case NW_EVENT_PERMUTE_AND_FLIP: *out = cost_of_pure(factor * e->parameter); break;
    case NW_EVENT_EXPONENTIAL: *out = cost_of_range(factor * e->parameter); break; /* two steps' intervals add up, too */
    case NW_EVENT_RANDOMIZED_RESPONSE: *out = cost_of_pure(response_epsilon(e)); break;
    case NW_EVENT_TREE:
    case NW_EVENT_MATRIX: *out = cost_of_gaussian(nw__up(nw__up(e->strategy_sensitivity * distance) / e->parameter)); break;
    case NW_EVENT_RDP: *out = (nw_cost){ .mu_squared = INFINITY, .rho_zcdp = INFINITY, .epsilon_pure = INFINITY }; break;
    default: return nw__fail(err, NW_E_UNSUPPORTED, name, "kind %d cannot be accounted", (int)e->kind);
    }
    out->samples = e->samples;
    return NW_OK;
}

static nw_status tree_cost(const nw_event *e, nw_adjacency adjacency, nw_cost *out, nw_error *err);

static nw_status refuse(const nw_event *e, nw_adjacency adjacency, const char *reason, nw_error *err)
{
    return nw__fail(err, NW_E_UNSUPPORTED, "nw_event_cost", "%s cannot be accounted under %s: %s", nw__event_kind_name(e->kind),
        nw_adjacency_name(adjacency), reason);
}

/* Disjoint records: the larger of each currency; all samples are drawn. */
static nw_status parallel_cost(const nw_event *e, nw_adjacency adjacency, nw_cost *out, nw_error *err)
{
    *out = (nw_cost){ 0 };
    if (nw__is_replacement(adjacency))
        return refuse(e, adjacency, "a replaced record may leave one part and enter another", err);
    for (size_t i = 0; i < e->child_count; i++) {
        nw_cost c;
        NW__TRY(tree_cost(e->children[i], adjacency, &c, err));
        const nw_cost sum = nw__cost_add(out, &c);
        *out = (nw_cost){ fmax(out->mu_squared, c.mu_squared), fmax(out->rho_zcdp, c.rho_zcdp),
            fmax(out->epsilon_pure, c.epsilon_pure), fmax(out->delta, c.delta), sum.samples };
    }
    return NW_OK;
}

/* (epsilon, delta) of the base becomes (log(1 + q (e^epsilon - 1)), q delta); no other currency is closed under sampling. */
static nw_cost sampled_cost(const nw_cost *base, double q)
{
    if (q == 1.0)
        return *base;
    const double epsilon = base->epsilon_pure;
    const double grown = epsilon > 700.0 ? epsilon : log1p(q * expm1(epsilon)) * (1.0 + 0x1p-49);
    const double sampled = q == 0.0 || isinf(epsilon) ? (q == 0.0 ? 0.0 : INFINITY) : fmin(epsilon, grown);
    nw_cost cost = cost_of_pure(sampled);
    cost.delta = isinf(sampled) ? base->delta : nw__up_multiply(q, base->delta);
    cost.samples = base->samples;
    return cost;
}

static nw_status sampling_cost(const nw_event *e, nw_adjacency adjacency, nw_cost *out, nw_error *err)
{
    nw_cost base;
    NW__TRY(tree_cost(e->children[0], adjacency, &base, err));
    switch (e->kind) {
    case NW_EVENT_POISSON_SUBSAMPLED: /* a replacement may be sampled on either side: no amplification claimed here */
        *out = sampled_cost(&base, nw__is_replacement(adjacency) && e->parameter > 0.0 ? 1.0 : e->parameter);
        break;
    case NW_EVENT_FIXED_SIZE_SUBSAMPLED:
        if (!nw__is_replacement(adjacency))
            return refuse(e, adjacency, "samples of a fixed size compare tables of the same size: ask for replace_one", err);
        *out = e->with_replacement
                   ? (nw_cost){ .mu_squared = INFINITY, .rho_zcdp = INFINITY, .epsilon_pure = INFINITY, .samples = base.samples }
                   : sampled_cost(&base, nw__up((double)e->count / (double)e->population) > 1.0
                                             ? 1.0
                                             : nw__up((double)e->count / (double)e->population));
        break;
    default:
        if (!nw__is_replacement(adjacency))
            return refuse(e, adjacency, "shuffling compares tables of the same size: ask for replace_one", err);
        *out = base; /* shuffling is post-processing: without amplification */
        break;
    }
    return NW_OK;
}

static nw_status tree_cost(const nw_event *e, nw_adjacency adjacency, nw_cost *out, nw_error *err)
{
    if (e->child_count == 0)
        return leaf_cost(e, adjacency, out, err);
    if (e->kind == NW_EVENT_PARALLEL)
        return parallel_cost(e, adjacency, out, err);
    if (e->kind > NW_EVENT_PARALLEL)
        return sampling_cost(e, adjacency, out, err);
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
    if (!nw__is_adjacency(adjacency))
        return nw__fail(err, NW_E_ARG, __func__, "adjacency is %s, must be add_remove, replace_one, zero_out or replace_label",
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

double nw__method_epsilon(const nw_cost *cost, double delta, nw__method method)
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
        const double needed = nw__method_epsilon(cost, nw__down(left), method);
        if (needed <= epsilon)
            return epsilon;
        epsilon = needed;
    }
    return INFINITY;
}

double nw__cost_delta(const nw_cost *cost, double epsilon, nw__method method)
{
    const double delta =
        nw__up_add(nw__up_add(method_delta(cost, epsilon, method), cost->delta), nw__sampler_delta(epsilon, cost->samples));
    return fmin(1.0, delta);
}
