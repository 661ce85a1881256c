/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* currency.c - limits of the sums that filters add up, and Renyi divergences of one event. Why a bound on a sum is a guarantee
 * when the terms are chosen adaptively: docs/rooms/filter.md#proofs. */
#include "currency.h"

#include "rdp.h"

#include <math.h>

double nw__currency(nw_filter filter, const nw_cost *cost)
{
    switch (filter) {
    case NW_FILTER_ZCDP:
    case NW_FILTER_APPROX: return cost->rho_zcdp;
    case NW_FILTER_PURE: return cost->epsilon_pure;
    default: return cost->mu_squared;
    }
}

/* [CKS20, Prop. 12]: (order, r)-RDP gives epsilon = r + offset(order, delta). At most four roundings and the errors of three
 * logarithms, each below 2 ulps of a term: `slack` is far more. */
static double renyi_offset(double order, double delta, double *slack)
{
    const double a = log1p(-1.0 / order);
    const double b = (log(delta) + log(order)) / (order - 1.0);
    *slack = (fabs(a) + (fabs(log(delta)) + log(order)) / (order - 1.0)) * 0x1p-45;
    return a - b;
}

double nw__renyi_epsilon(double order, double renyi, double delta)
{
    double slack = 0.0;
    if (renyi == 0.0)
        return 0.0;
    const double offset = renyi_offset(order, delta, &slack);
    return fmax(0.0, nw__up(nw__up(renyi + offset) + slack));
}

static double renyi_limit(double order, double epsilon, double delta)
{
    double slack = 0.0;
    const double offset = renyi_offset(order, delta, &slack);
    return nw__down(nw__down(epsilon - offset) - slack);
}

double nw__currency_limit(nw_filter filter, double order, double epsilon, double delta)
{
    switch (filter) {
    case NW_FILTER_ZCDP:
    case NW_FILTER_APPROX: return nw_zcdp_rho(epsilon, delta);
    case NW_FILTER_PURE:
    case NW_FILTER_SCHEDULE: return epsilon;
    case NW_FILTER_RENYI: return renyi_limit(order, epsilon, delta);
    default: {
        const double mu = nw_gdp_mu(epsilon, delta);
        return nw__down(mu * mu);
    }
    }
}

/* Two bounds: the event's own divergence, and order rho from its zCDP [BS16, Def. 1.1]. The first knows no approximate events
 * (it is infinite then), the second leaves their deltas to the caller; so the first counts only where there is no delta. */
nw_status nw__renyi_loss(
    const nw_event *event, nw_adjacency adjacency, double order, const nw_cost *cost, double out[2], nw_error *err)
{
    nw__renyi own = { { INFINITY, INFINITY }, { 0.0, 0.0 } };
    const double line = nw__up_multiply(cost->rho_zcdp, order);
    const nw_status status = cost->delta > 0.0 ? NW_E_UNSUPPORTED : nw__rdp_at(event, adjacency, order, &own, err);
    if (status != NW_OK && status != NW_E_UNSUPPORTED)
        return status;
    for (int d = 0; d < 2; d++)
        out[d] = status == NW_OK && own.upper[d] < line ? own.upper[d] : line;
    if (nw__is_replacement(adjacency))
        out[0] = out[1] = fmax(out[0], out[1]);
    return NW_OK;
}
