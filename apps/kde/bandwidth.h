/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_KDE_BANDWIDTH_H
#define APP_KDE_BANDWIDTH_H

/* bandwidth.h - a bandwidth from the private points, paid for: the median distance of pairs of points.
 *
 * The points are put in random order and taken two by two. Whoever adds or removes a point changes, in the right one of the
 * orders, one pair, and perhaps whether there is a last one: three pairs added or removed, at most; so the median is drawn at a
 * third of the epsilon that is charged (group privacy). Given the order the losses lie in an interval of length epsilon, and a
 * mixture over orders that know nothing of the points is no further apart than what it is made of: an exponential mechanism. */
#include "points.h"

#include <noisewright.h>

typedef struct bandwidth_choice {
    const points *data;
    const double *lower; /* bounds of the coordinates, public */
    const double *upper;
    bool is_l1; /* distances of the kernel */
    double epsilon;
    nw_adjacency adjacency;
} bandwidth_choice;

/** The largest distance that the bounds allow. */
double bandwidth_most(const bandwidth_choice *choice);
/** What it is charged as: exponential(epsilon). */
nw_status bandwidth_event(nw_event **out, const bandwidth_choice *choice, nw_error *err);
/** Charges the ledger, then draws. *out: one of 1000 distances up to the largest, above 0. */
nw_status bandwidth_choose(double *out, const bandwidth_choice *choice, nw_rng *rng, nw_ledger *ledger, nw_error *err);

#endif
