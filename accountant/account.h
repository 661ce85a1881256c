/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_ACCOUNT_H
#define NW_ACCOUNT_H

/* account.h - what calibration needs besides the certified answers. */
#include "accountant_internal.h"

/** Epsilon at delta by the saddle point: a guess, in about a millisecond; the certified upper bound where there is no guess. */
nw_status nw__account_estimate(const nw_event *event, nw_adjacency adjacency, double delta, double *epsilon, nw_error *err);

#endif
