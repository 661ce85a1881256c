/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* filter_box.c - measuring events and holding the sums against fixed limits. Why that is sound when events are chosen
 * adaptively, for each kind: docs/rooms/filter.md#proofs. */
#include "filter_box.h"

#include <math.h>

/* Weights whose rounded sum is at most 1 may exceed 1 by 32 roundings; by this much each is reduced. */
static const double WEIGHT_SLACK = 0x1p-40;

static nw_status check_orders(const nw__gauge_opts *o, const char *function, nw_error *err)
{
    if (o->kind != NW_FILTER_RENYI)
        return o->order_count == 0 && o->orders == NULL && o->weights == NULL
                   ? NW_OK
                   : nw__fail(
                         err, NW_E_ARG, function, "orders and weights go with kind renyi, kind is %s", nw_filter_name(o->kind));
    if (o->orders == NULL || o->order_count < 1 || o->order_count > NW_FILTER_MAX_ORDERS)
        return nw__fail(err, NW_E_ARG, function, "order_count is %zu, must be in 1..%d, and orders not NULL, with kind renyi",
            o->order_count, NW_FILTER_MAX_ORDERS);
    double sum = 0.0;
    for (size_t i = 0; i < o->order_count; i++) {
        if (!(o->orders[i] > 1.0 && o->orders[i] <= NW__MAX_ORDER))
            return nw__fail(err, NW_E_ARG, function, "orders[%zu] is %g, must be in (1, %g]", i, o->orders[i], NW__MAX_ORDER);
        if (o->weights == NULL)
            continue;
        if (!(o->weights[i] > 0.0 && o->weights[i] <= 1.0))
            return nw__fail(err, NW_E_ARG, function, "weights[%zu] is %g, must be in (0, 1]", i, o->weights[i]);
        sum += o->weights[i];
    }
    if (!(sum <= 1.0))
        return nw__fail(err, NW_E_ARG, function, "the sum of weights is %.17g, must be at most 1", sum);
    return NW_OK;
}

nw_status nw__gauge_make(nw__gauge *gauge, const nw__gauge_opts *o, const char *function, nw_error *err)
{
    if (!nw__is_adjacency(o->adjacency))
        return nw__fail(err, NW_E_ARG, function, "adjacency is %s, must be add_remove, replace_one, zero_out or replace_label",
            nw_adjacency_name(o->adjacency));
    if (!(o->events_share >= 0.0 && o->events_share < 1.0))
        return nw__fail(err, NW_E_ARG, function, "events_share is %g, must be in [0, 1)", o->events_share);
    NW__TRY(check_orders(o, function, err));
    *gauge = (nw__gauge){ .kind = o->kind, .adjacency = o->adjacency, .order_count = o->order_count };
    for (size_t i = 0; i < o->order_count; i++) {
        gauge->orders[i] = o->orders[i];
        gauge->weights[i] = (o->weights == NULL ? 1.0 / (double)o->order_count : o->weights[i]);
        gauge->weights[i] *= o->order_count == 1 ? 1.0 : 1.0 - WEIGHT_SLACK;
    }
    return NW_OK;
}

static nw_status measure_renyi(const nw__gauge *gauge, const nw_event *event, nw__totals *out, nw_error *err)
{
    for (size_t i = 0; i < gauge->order_count; i++) {
        double both[2];
        NW__TRY(nw__renyi_loss(event, gauge->adjacency, gauge->orders[i], &out->cost, both, err));
        for (int d = 0; d < 2; d++)
            out->renyi[d][i] = both[d];
    }
    return NW_OK;
}

static bool is_bounded(const nw__gauge *gauge, const nw__totals *t)
{
    bool is_some[2] = { false, false };
    if (gauge->kind == NW_FILTER_APPROX)
        return isfinite(t->cost.rho_zcdp) || isfinite(t->cost.epsilon_pure);
    if (gauge->kind != NW_FILTER_RENYI)
        return isfinite(nw__currency(gauge->kind, &t->cost));
    for (size_t i = 0; i < gauge->order_count; i++)
        for (int d = 0; d < 2; d++)
            is_some[d] = is_some[d] || isfinite(t->renyi[d][i]);
    return is_some[0] && is_some[1];
}

nw_status nw__gauge_measure(const nw__gauge *gauge, const nw_event *event, nw__totals *out, const char *function, nw_error *err)
{
    if (event == NULL)
        return nw__fail(err, NW_E_ARG, function, "event is NULL");
    *out = (nw__totals){ .events = 1 };
    NW__TRY(nw_event_cost(event, gauge->adjacency, &out->cost, err));
    NW__TRY(measure_renyi(gauge, event, out, err));
    if (!is_bounded(gauge, out))
        return nw__fail(err, NW_E_UNSUPPORTED, function, "kind %s cannot add up this event: %s", nw_filter_name(gauge->kind),
            gauge->kind == NW_FILTER_RENYI     ? "its divergence is unbounded at each order"
            : isfinite(out->cost.rho_zcdp)     ? "kinds zcdp and renyi can"
            : isfinite(out->cost.epsilon_pure) ? "kind pure can"
                                               : "kind renyi may");
    return NW_OK;
}

void nw__totals_add(const nw__gauge *gauge, nw__totals *sum, const nw__totals *more)
{
    sum->cost = nw__cost_add(&sum->cost, &more->cost);
    sum->events += more->events;
    for (size_t i = 0; i < gauge->order_count; i++)
        for (int d = 0; d < 2; d++)
            sum->renyi[d][i] = nw__up_add(sum->renyi[d][i], more->renyi[d][i]);
}

/* The share of delta that order i can use; the other kinds have one limit, for all of it. */
static double delta_of(const nw__box *box, const nw__gauge *gauge, size_t i)
{
    return gauge->kind == NW_FILTER_RENYI ? nw__down(box->main_delta * gauge->weights[i]) : box->main_delta;
}

bool nw__box_make(nw__box *box, const nw__gauge *gauge, double epsilon, double delta, double events_share)
{
    const size_t n = gauge->kind == NW_FILTER_RENYI ? gauge->order_count : 1;
    bool is_open = false;
    *box = (nw__box){ .epsilon = epsilon, .events_limit = delta };
    if (gauge->kind != NW_FILTER_PURE) {
        box->events_limit = delta * events_share;
        box->main_delta = fmax(0.0, nw__down(delta - box->events_limit));
    }
    for (size_t i = 0; i < n; i++) {
        const double part = delta_of(box, gauge, i);
        const bool is_usable = gauge->kind == NW_FILTER_PURE || part > 0.0;
        box->limits[i] = is_usable ? nw__currency_limit(gauge->kind, gauge->orders[i], epsilon, part) : 0.0;
        is_open = is_open || box->limits[i] > 0.0;
    }
    return is_open;
}

double nw__box_events_delta(const nw__box *box, const nw_cost *cost)
{
    if (box->events_limit == 0.0 && box->main_delta == 0.0)
        return cost->delta; /* pure up to the samplers' distance, which is counted but has no delta to be charged to */
    return nw__up_add(cost->delta, nw__sampler_delta(box->epsilon, cost->samples));
}

/* Of the orders: the one that has used the least of its limit in direction d. Every one is within its own limit or not on its
 * own, so one is enough. */
static nw__use least_used(const nw__box *box, const nw__gauge *gauge, const double *renyi)
{
    nw__use least = { gauge->orders[0], box->limits[0], INFINITY };
    double share = INFINITY;
    for (size_t i = 0; i < gauge->order_count; i++) {
        const double used = renyi[i] / box->limits[i];
        if (box->limits[i] > 0.0 && used < share) {
            share = used;
            least = (nw__use){ gauge->orders[i], box->limits[i], renyi[i] };
        }
    }
    return least;
}

static bool is_more_used(const nw__use *a, const nw__use *b)
{
    return a->spent / a->limit > b->spent / b->limit;
}

nw__use nw__box_use(const nw__box *box, const nw__gauge *gauge, const nw__totals *totals)
{
    const nw__use scalar = { 0.0, box->limits[0], nw__currency(gauge->kind, &totals->cost) };
    if (gauge->kind == NW_FILTER_APPROX) {
        const nw__use plain = { INFINITY, box->epsilon, totals->cost.epsilon_pure };
        return is_more_used(&plain, &scalar) ? scalar : plain;
    }
    if (gauge->kind != NW_FILTER_RENYI)
        return scalar;
    const nw__use remove = least_used(box, gauge, totals->renyi[0]);
    const nw__use add = least_used(box, gauge, totals->renyi[1]);
    return is_more_used(&add, &remove) ? add : remove;
}

bool nw__box_holds_sums(const nw__box *box, const nw__gauge *gauge, const nw__totals *totals)
{
    if (gauge->kind == NW_FILTER_APPROX)
        return totals->cost.rho_zcdp <= box->limits[0] || totals->cost.epsilon_pure <= box->epsilon;
    if (gauge->kind != NW_FILTER_RENYI)
        return nw__currency(gauge->kind, &totals->cost) <= box->limits[0];
    bool holds[2] = { false, false };
    for (size_t i = 0; i < gauge->order_count; i++)
        for (int d = 0; d < 2; d++)
            holds[d] = holds[d] || totals->renyi[d][i] <= box->limits[i];
    return holds[0] && holds[1];
}

bool nw__box_holds(const nw__box *box, const nw__gauge *gauge, const nw__totals *totals)
{
    return nw__box_holds_sums(box, gauge, totals) && nw__box_events_delta(box, &totals->cost) <= box->events_limit;
}

static double renyi_epsilon(const nw__box *box, const nw__gauge *gauge, const double *renyi)
{
    double least = INFINITY;
    for (size_t i = 0; i < gauge->order_count; i++) {
        const double delta = delta_of(box, gauge, i);
        if (delta > 0.0 && isfinite(renyi[i]))
            least = fmin(least, nw__renyi_epsilon(gauge->orders[i], renyi[i], delta));
    }
    return least;
}

double nw__box_epsilon(const nw__box *box, const nw__gauge *gauge, const nw__totals *totals)
{
    switch (gauge->kind) {
    case NW_FILTER_RENYI: return fmax(renyi_epsilon(box, gauge, totals->renyi[0]), renyi_epsilon(box, gauge, totals->renyi[1]));
    case NW_FILTER_APPROX:
        return fmin(nw__method_epsilon(&totals->cost, box->main_delta, NW__METHOD_ZCDP), totals->cost.epsilon_pure);
    case NW_FILTER_ZCDP: return nw__method_epsilon(&totals->cost, box->main_delta, NW__METHOD_ZCDP);
    case NW_FILTER_PURE: return totals->cost.epsilon_pure;
    default: return nw__method_epsilon(&totals->cost, box->main_delta, NW__METHOD_GDP);
    }
}
