/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* filter.c - privacy filters: one box, fixed before the first event. docs/rooms/filter.md. */
#include "filter_box.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct nw_privacy_filter {
    nw__gauge gauge;
    nw__box box;
    nw__totals totals;
    double delta;
};

const char *nw_filter_name(nw_filter filter)
{
    switch (filter) {
    case NW_FILTER_AUTO: return "auto";
    case NW_FILTER_GDP: return "gdp";
    case NW_FILTER_ZCDP: return "zcdp";
    case NW_FILTER_PURE: return "pure";
    case NW_FILTER_RENYI: return "renyi";
    case NW_FILTER_SCHEDULE: return "schedule";
    case NW_FILTER_APPROX: return "approx";
    }
    return "unknown filter";
}

void nw_privacy_filter_opts_init(nw_privacy_filter_opts *opts, size_t struct_size)
{
    const nw_privacy_filter_opts defaults = NW_PRIVACY_FILTER_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

static nw_status check_opts(const nw_privacy_filter_opts *o, const char *function, nw_error *err)
{
    if (!(o->epsilon > 0.0 && o->epsilon <= NW__MAX_EPSILON))
        return nw__fail(err, NW_E_ARG, function, "epsilon is %g, must be in (0, %g]", o->epsilon, NW__MAX_EPSILON);
    if (!(o->delta >= 0.0 && o->delta < 1.0))
        return nw__fail(err, NW_E_ARG, function, "delta is %g, must be in [0, 1)", o->delta);
    if (o->kind < NW_FILTER_AUTO || o->kind > NW_FILTER_APPROX || o->kind == NW_FILTER_SCHEDULE)
        return nw__fail(err, NW_E_ARG, function, "kind is %d, must be auto, gdp, zcdp, pure, renyi or approx", (int)o->kind);
    if (o->delta == 0.0 && o->kind != NW_FILTER_AUTO && o->kind != NW_FILTER_PURE)
        return nw__fail(err, NW_E_ARG, function, "kind is %s, must be pure when delta is 0", nw_filter_name(o->kind));
    return NW_OK;
}

nw_status nw_privacy_filter_new(nw_privacy_filter **out, const nw_privacy_filter_opts *opts, nw_error *err)
{
    nw_privacy_filter_opts o = NW_PRIVACY_FILTER_OPTS_INIT;
    nw__gauge gauge;
    nw__box box;
    if (out != NULL)
        *out = NULL;
    if (out == NULL || opts == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : "opts");
    memcpy(&o, opts, opts->struct_size < sizeof o ? opts->struct_size : sizeof o);
    NW__TRY(check_opts(&o, __func__, err));
    const nw_filter kind = o.kind != NW_FILTER_AUTO ? o.kind : o.delta == 0.0 ? NW_FILTER_PURE : NW_FILTER_GDP;
    const nw__gauge_opts asked = { kind, o.adjacency, o.events_share, o.orders, o.weights, o.order_count };
    NW__TRY(nw__gauge_make(&gauge, &asked, __func__, err));
    if (!nw__box_make(&box, &gauge, o.epsilon, o.delta, o.events_share))
        return nw__fail(err, NW_E_ARG, __func__, "kind %s lets nothing through at epsilon %g, delta %g", nw_filter_name(kind),
            o.epsilon, o.delta);
    nw_privacy_filter *filter = nw__calloc(1, sizeof *filter);
    if (filter == NULL)
        return nw__fail_memory(err, __func__);
    *filter = (nw_privacy_filter){ .gauge = gauge, .box = box, .delta = o.delta };
    *out = filter;
    return NW_OK;
}

void nw_privacy_filter_free(nw_privacy_filter *filter)
{
    free(filter);
}

/* The sums with the event. */
static nw_status total_with(
    const nw_privacy_filter *filter, const nw_event *event, nw__totals *total, const char *function, nw_error *err)
{
    nw__totals loss;
    if (filter == NULL)
        return nw__fail(err, NW_E_ARG, function, "filter is NULL");
    NW__TRY(nw__gauge_measure(&filter->gauge, event, &loss, function, err));
    *total = filter->totals;
    nw__totals_add(&filter->gauge, total, &loss);
    return NW_OK;
}

nw_status nw_privacy_filter_admits(const nw_privacy_filter *filter, const nw_event *event, bool *fits, nw_error *err)
{
    nw__totals total;
    if (fits == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "fits is NULL");
    NW__TRY(total_with(filter, event, &total, __func__, err));
    *fits = nw__box_holds(&filter->box, &filter->gauge, &total);
    return NW_OK;
}

nw_status nw_privacy_filter_spend(nw_privacy_filter *filter, const nw_event *event, nw_error *err)
{
    nw__totals total;
    NW__TRY(total_with(filter, event, &total, __func__, err));
    if (!nw__box_holds_sums(&filter->box, &filter->gauge, &total)) {
        const nw__use before = nw__box_use(&filter->box, &filter->gauge, &filter->totals);
        const nw__use after = nw__box_use(&filter->box, &filter->gauge, &total);
        return nw__fail(err, NW_E_BUDGET, __func__,
            "over the budget (epsilon %g, delta %g): %.4g of it was spent, with this event it would be %.4g", filter->box.epsilon,
            filter->delta, before.spent / before.limit, after.spent / after.limit);
    }
    if (!nw__box_holds(&filter->box, &filter->gauge, &total))
        return nw__fail(err, NW_E_BUDGET, __func__,
            "over the share of delta for approximate events and sampling, %g: with this event it would be %g",
            filter->box.events_limit, nw__box_events_delta(&filter->box, &total.cost));
    filter->totals = total;
    return NW_OK;
}

/* Rounded up, but not beyond the whole of what is within its limit. */
static double used_fraction(const nw__use *use)
{
    return use->spent == 0.0 ? 0.0 : fmin(1.0, nw__up(use->spent / use->limit));
}

nw_privacy_filter_summary nw_privacy_filter_summarise(const nw_privacy_filter *filter)
{
    const nw__use use = nw__box_use(&filter->box, &filter->gauge, &filter->totals);
    return (nw_privacy_filter_summary){
        .epsilon = filter->box.epsilon,
        .delta = filter->delta,
        .adjacency = filter->gauge.adjacency,
        .kind = filter->gauge.kind,
        .order = use.order,
        .limit = use.limit,
        .spent = use.spent,
        .used_fraction = used_fraction(&use),
        .spent_epsilon = nw__box_epsilon(&filter->box, &filter->gauge, &filter->totals),
        .events_limit = filter->box.events_limit,
        .events_delta = nw__box_events_delta(&filter->box, &filter->totals.cost),
        .events = filter->totals.events,
        .samples = filter->totals.cost.samples,
    };
}
