/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_CONTRACT_H
#define NW_CONTRACT_H

/* contract.h - the profile of a measure from below, on a grid.
 *
 * Seen over x = e^epsilon, the profile delta is convex, and a measure on grid points has a profile with kinks at grid points
 * only. One that lies below delta everywhere may take the place of the measure in any composition. It is built from chords: in
 * a span (x_a, x_b] the chord of delta lies above delta by at most the span's `sag`; with the chords' ends lowered by at least
 * the sag of the spans on either side, and the result made convex again, the chords lie below. */
#include "base.h"

/** What is known of the losses in (a, b], a = index h, b = the next span's index h. Masses are under P, tilted: times
 *  e^(theta (l - a)) of their loss l. */
typedef struct nw__span {
    int64_t index;
    double mass;   /* A, rounded down */
    double excess; /* D = A - e^a B, B the mass under Q: the hockey stick at a; rounded down */
    double sag;    /* the most by which the profile can lie below its chord; rounded up */
    double drop;   /* the most by which it can lie lower at b than its line at a goes on to; rounded up */
} nw__span;

/** A span from intervals for A and D. Its profile goes from D to 0, above the line D - (x - e^a) B. All mass at the merged loss r
 *  is the worst, at a share phi = (e^r - e^a) / (e^b - e^a) = D / ((e^b - e^a) B): the sag is D (1 - phi), the drop
 *  (e^b - e^a) B - D.
 *  Shapes    mass, excess: low and high end; width: b - a. */
nw__span nw__span_of(int64_t index, const double mass[2], const double excess[2], double width);

/** Masses at the n + 1 ends of n spans, tilted, each at its own loss. mass: n + 1, in: what lies on the ends themselves; out:
 *  with what lies between them. spans[n].index is the end of the last span. */
nw_status nw__contract(
    const nw__span *spans, size_t n, double h, double theta, double *mass, const char *function, nw_error *err);

#endif
