/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_CURRENCY_H
#define NW_CURRENCY_H

/* currency.h - what filters add up, how far the sums may go, and what they mean as epsilon. Shared by the ledger's filter and by
 * filters, odometers and individual filters. */
#include "accountant_internal.h"

/** Largest order of a Renyi divergence to add up: beyond it one bad event of probability 1e-6 decides everything, and nothing is
 *  gained. */
#define NW__MAX_ORDER 1e6

/** The currency of a scalar filter (gdp, zcdp, pure) in a cost; approx adds up rho, as zcdp does. */
double nw__currency(nw_filter filter, const nw_cost *cost);
/** The most of it that (epsilon, delta) allows, rounded down; for renyi at `order`. Not positive if that allows nothing. */
double nw__currency_limit(nw_filter filter, double order, double epsilon, double delta);
/** The least epsilon at delta that (order, renyi)-RDP gives, rounded up. */
double nw__renyi_epsilon(double order, double renyi, double delta);

/** What an event costs at one order, rounded up: REMOVE and ADD kept apart, INFINITY where unbounded. `cost`: the event's, whose
 *  delta is charged beside. Under replace_one both are the larger, since no neighbour is known to be the one with the record.
 *  Errors: NW_E_NOMEM. */
nw_status nw__renyi_loss(
    const nw_event *event, nw_adjacency adjacency, double order, const nw_cost *cost, double out[2], nw_error *err);

#endif
