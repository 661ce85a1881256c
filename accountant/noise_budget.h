/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_NOISE_BUDGET_H
#define NW_NOISE_BUDGET_H

/* noise_budget.h - from epsilon and delta to the noise of a release: what the rooms do alike. */
#include "base.h"

#include <nw/event.h>
#include <nw/noise.h>

/** Errors: NW_E_ARG naming the option. */
nw_status nw__check_budget(double epsilon, double delta, const char *function, nw_error *err);
nw_status nw__check_adjacency(nw_adjacency adjacency, const char *function, nw_error *err);

/** What a release may spend, in the currency of its noise. */
typedef struct nw__noise_budget {
    nw_noise_law law;
    nw_event_kind event;
    bool is_l1;    /* Laplace: distances are l1, amounts add up; else Gaussian: l2, squares of amounts add up */
    double amount; /* epsilon, or mu */
} nw__noise_budget;
/** share: of all that epsilon and delta let through. NW_E_ARG if it is not a share, or there is nothing to spend. */
nw_status nw__noise_budget_of(
    nw__noise_budget *out, double epsilon, double delta, double share, const char *function, nw_error *err);

typedef struct nw__calibrated {
    double scale; /* b or sigma */
    double deviation;
    nw_noise *noise;
} nw__calibrated;
/** Noise for neighbouring vectors at most `distance` apart that costs at most the budget; slack, at least 1, is a factor of the
 *  scale for the caller's own roundings. NW_E_ARG if the noise cannot be drawn. */
nw_status nw__noise_calibrate(
    nw__calibrated *out, const nw__noise_budget *budget, double distance, double slack, const char *function, nw_error *err);
/** Standard deviation of the laws of nw/noise.h, in their own unit. */
double nw__noise_deviation(nw_noise_law law, double scale);

#endif
