/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* ledger_filter.c - what the filter adds up and how far it may go. Why one scalar filter fixed at creation is sound under
 * adaptive use, and a minimum over several is not: docs/rooms/ledger.md#filter. */
#include "ledger_internal.h"

#include <math.h>

nw_status nw__ledger_loss(const nw_ledger *ledger, const nw_event *event, uint64_t count, nw__loss *out, nw_error *err)
{
    nw_event *repeated = NULL;
    *out = (nw__loss){ 0 };
    if (count == 0)
        return NW_OK;
    if (count > 1)
        NW__TRY(nw_event_repeat(&repeated, event, count, err));
    nw_status status = nw_event_cost(repeated == NULL ? event : repeated, ledger->adjacency, &out->cost, err);
    if (status == NW_OK && ledger->filter == NW_FILTER_RENYI)
        status =
            nw__renyi_loss(repeated == NULL ? event : repeated, ledger->adjacency, ledger->order, &out->cost, out->renyi, err);
    nw_event_free(repeated);
    return status;
}

nw__loss nw__loss_add(const nw__loss *a, const nw__loss *b)
{
    return (nw__loss){ nw__cost_add(&a->cost, &b->cost),
        { nw__up_add(a->renyi[0], b->renyi[0]), nw__up_add(a->renyi[1], b->renyi[1]) } };
}

double nw__ledger_currency(const nw_ledger *ledger, const nw__loss *loss)
{
    switch (ledger->filter) {
    case NW_FILTER_RENYI: return fmax(loss->renyi[0], loss->renyi[1]);
    case NW_FILTER_SCHEDULE: return 0.0; /* the whole is charged from the start */
    default: return nw__currency(ledger->filter, &loss->cost);
    }
}

double nw__ledger_limit(const nw_ledger *ledger, double epsilon, double delta)
{
    return nw__currency_limit(ledger->filter, ledger->order, epsilon, delta * (1.0 - NW__DELTA_RESERVE));
}

/* The second side of the box: approx deltas and the samplers' distance against the reserve (a pure filter has no use for the
 * rest of delta). */
static double reserve_of(const nw_ledger *ledger, const nw__budget *budget)
{
    return ledger->filter == NW_FILTER_PURE ? budget->delta : budget->delta * NW__DELTA_RESERVE;
}

static double reserve_used(const nw__budget *budget, const nw_cost *cost)
{
    if (budget->delta == 0.0)
        return cost->delta; /* pure up to the samplers' distance, which is counted but has no delta to be charged to */
    return nw__up(cost->delta + nw__sampler_delta(budget->epsilon, cost->samples));
}

nw__loss nw__ledger_spent(const nw_ledger *ledger, size_t budget)
{
    nw__loss spent = ledger->budgets[budget].settled;
    for (size_t i = 0; i < ledger->reservation_count; i++)
        if (budget == NW__LEDGER_TOTAL || ledger->reservations[i].budget == budget)
            spent = nw__loss_add(&spent, &ledger->reservations[i].loss);
    return spent;
}

static const char *filter_that_takes(const nw__loss *loss)
{
    return isinf(loss->cost.rho_zcdp) ? "one created with filter renyi and an order may (--filter renyi --order A), or with the "
                                        "whole schedule declared (--schedule FILE)"
                                      : "one created with filter zcdp can";
}

static nw_status check_budget(const nw_ledger *ledger, size_t position, const nw__loss *loss, const char *function, nw_error *err)
{
    const nw__budget *budget = &ledger->budgets[position];
    const nw__loss spent = nw__ledger_spent(ledger, position);
    const nw__loss total = nw__loss_add(&spent, loss);
    const bool is_group = position != NW__LEDGER_TOTAL;
    if (!(nw__ledger_currency(ledger, &total) <= budget->limit))
        return nw__fail(err, NW_E_BUDGET, function,
            "over the budget%s%s (epsilon %g, delta %g): %.4g of it was spent, this release asks for %.4g",
            is_group ? " of group " : "", budget->name, budget->epsilon, budget->delta,
            nw__ledger_currency(ledger, &spent) / budget->limit, nw__ledger_currency(ledger, loss) / budget->limit);
    if (!(reserve_used(budget, &total.cost) <= reserve_of(ledger, budget)))
        return nw__fail(err, NW_E_BUDGET, function, "over the share of delta for approximate events and sampling, %g%s%s",
            reserve_of(ledger, budget), is_group ? ", of group " : "", budget->name);
    return NW_OK;
}

nw_status nw__ledger_check_fit(const nw_ledger *ledger, size_t budget, const nw__loss *loss, const char *function, nw_error *err)
{
    if (ledger->is_unlimited || ledger->filter == NW_FILTER_SCHEDULE)
        return NW_OK;
    if (isinf(nw__ledger_currency(ledger, loss)))
        return nw__fail(err, NW_E_UNSUPPORTED, function, "a ledger with filter %s cannot take this event; %s",
            nw_filter_name(ledger->filter),
            ledger->filter == NW_FILTER_RENYI ? "its divergence at the ledger's order has no bound" : filter_that_takes(loss));
    NW__TRY(check_budget(ledger, NW__LEDGER_TOTAL, loss, function, err));
    return budget == NW__LEDGER_TOTAL ? NW_OK : check_budget(ledger, budget, loss, function, err);
}

double nw__ledger_epsilon(const nw_ledger *ledger, const nw__loss *loss, double delta)
{
    switch (ledger->filter) {
    case NW_FILTER_ZCDP: return nw__cost_epsilon(&loss->cost, delta, NW__METHOD_ZCDP);
    case NW_FILTER_PURE: return nw__cost_epsilon(&loss->cost, delta, NW__METHOD_PURE);
    case NW_FILTER_SCHEDULE: return ledger->schedule.epsilon;
    case NW_FILTER_RENYI: break;
    default: return nw__cost_epsilon(&loss->cost, delta, NW__METHOD_GDP);
    }
    /* The samplers' share grows with epsilon: up to a fixed point, as in nw__cost_epsilon. */
    double epsilon = 0.0;
    for (int i = 0; i < 64; i++) {
        const double left = nw__down(nw__down(delta - loss->cost.delta) - nw__sampler_delta(epsilon, loss->cost.samples));
        if (!(left > 0.0))
            return INFINITY;
        const double needed = nw__renyi_epsilon(ledger->order, nw__ledger_currency(ledger, loss), left);
        if (needed <= epsilon)
            return epsilon;
        epsilon = needed;
    }
    return INFINITY;
}

double nw__ledger_remaining(const nw_ledger *ledger, const nw__budget *budget, const nw__loss *spent)
{
    const double left = nw__down(budget->limit - nw__ledger_currency(ledger, spent));
    const double delta = budget->delta * (1.0 - NW__DELTA_RESERVE);
    const double safety = 1.0 - 1e-6; /* far more than the certified conversions are high */
    if (!(left > 0.0) || ledger->filter == NW_FILTER_SCHEDULE)
        return 0.0;
    switch (ledger->filter) {
    case NW_FILTER_PURE: return left;
    case NW_FILTER_ZCDP: return nw_zcdp_epsilon(left, delta) * safety;
    case NW_FILTER_RENYI: return nw_gdp_epsilon(sqrt(2.0 * left / ledger->order), delta) * safety; /* mu^2 order / 2 is left */
    default: return nw_gdp_epsilon(sqrt(left), delta) * safety;
    }
}
