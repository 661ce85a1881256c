/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_RDP_H
#define NW_RDP_H

/* rdp.h - Renyi divergences of events, and from a curve of them to (epsilon, delta). */
#include "schedule.h"

/** Of one order, REMOVE and ADD kept apart; INFINITY where unbounded. */
typedef struct nw__renyi {
    double upper[2];
    double lower[2];
} nw__renyi;

/** Errors: NW_E_UNSUPPORTED with the reason; NW_E_NOMEM. */
nw_status nw__rdp_at(const nw_event *event, nw_adjacency adjacency, double order, nw__renyi *out, nw_error *err);
/** Least epsilon (delta) over all orders, [CKS20, Prop. 12]; INFINITY (1) if no order is bounded. */
nw_status nw__rdp_epsilon(const nw_event *event, nw_adjacency adjacency, double delta, double *epsilon, nw_error *err);
nw_status nw__rdp_delta(const nw_event *event, nw_adjacency adjacency, double epsilon, double *delta, nw_error *err);

#endif
