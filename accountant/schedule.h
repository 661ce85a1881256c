/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_SCHEDULE_H
#define NW_SCHEDULE_H

/* schedule.h - an event tree as a flat list of dominating pairs in one direction. */
#include "pld.h"

typedef struct nw__schedule {
    size_t n;
    size_t capacity;
    nw__mechanism *list; /* without the Gaussians */
    double mu_squared;   /* of all Gaussians, rounded up (upper) or down (lower) */
    double steps;        /* in all */
    const char *no_pair; /* upper only: why some leaf has no pair; NULL if all have */
} nw__schedule;

typedef struct nw__schedule_query {
    nw_adjacency adjacency;
    nw__direction direction;
    bool is_upper; /* lower: leaves that promise less than a pair are left out, and guarantees stand for what attains them */
    double delta;  /* the delta that the answer is about, for the cuts of infinite supports */
} nw__schedule_query;

/** Errors: NW_E_UNSUPPORTED with the reason if the event has no meaning under the adjacency. */
nw_status nw__schedule_new(
    nw__schedule *out, const nw_event *event, const nw__schedule_query *query, nw__fft *fft, nw_error *err);
void nw__schedule_free(nw__schedule *schedule);
/** Adds the Gaussians as one more mechanism of the list. */
nw_status nw__schedule_add_gaussian(nw__schedule *schedule, nw_error *err);

#endif
