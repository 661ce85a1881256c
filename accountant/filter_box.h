/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_FILTER_BOX_H
#define NW_FILTER_BOX_H

/* filter_box.h - what a filter measures (gauge), what it has measured (totals), and how far that may go (box). A filter has one
 * box; an odometer has one for each reading, all on the same totals. Plain values: nothing to free. */
#include "currency.h"

typedef struct nw__gauge {
    nw_filter kind; /* gdp, zcdp, pure, renyi or approx */
    nw_adjacency adjacency;
    size_t order_count; /* 0 unless renyi */
    double orders[NW_FILTER_MAX_ORDERS];
    double weights[NW_FILTER_MAX_ORDERS]; /* of delta; their exact sum is below 1 */
} nw__gauge;

/** Of one event, or of many: rounded up. */
typedef struct nw__totals {
    nw_cost cost;
    double renyi[2][NW_FILTER_MAX_ORDERS]; /* REMOVE and ADD */
    uint64_t events;
} nw__totals;

typedef struct nw__box {
    double epsilon;
    double main_delta;                   /* of what is added up */
    double events_limit;                 /* of the deltas of approx events and of the samplers' distance */
    double limits[NW_FILTER_MAX_ORDERS]; /* one for each order; of other kinds the first one only */
} nw__box;

/** How the caller described a gauge: the members that filters and odometers have in common. */
typedef struct nw__gauge_opts {
    nw_filter kind;
    nw_adjacency adjacency;
    double events_share;
    const double *orders;
    const double *weights;
    size_t order_count;
} nw__gauge_opts;

/** Errors: NW_E_ARG naming the option, its value and the admissible set. Auto must have been resolved. */
nw_status nw__gauge_make(nw__gauge *gauge, const nw__gauge_opts *o, const char *function, nw_error *err);
/** What the event adds. Errors: NW_E_UNSUPPORTED, with the reason, if no box of this gauge could hold it; NW_E_NOMEM. */
nw_status nw__gauge_measure(const nw__gauge *gauge, const nw_event *event, nw__totals *out, const char *function, nw_error *err);
void nw__totals_add(const nw__gauge *gauge, nw__totals *sum, const nw__totals *more);

/** The limits of (epsilon, delta), rounded down. False if they let nothing through. */
bool nw__box_make(nw__box *box, const nw__gauge *gauge, double epsilon, double delta, double events_share);
bool nw__box_holds(const nw__box *box, const nw__gauge *gauge, const nw__totals *totals);
/** Only what is added up, without the deltas of events. */
bool nw__box_holds_sums(const nw__box *box, const nw__gauge *gauge, const nw__totals *totals);
/** The deltas of events and samplers at the box's epsilon, rounded up. */
double nw__box_events_delta(const nw__box *box, const nw_cost *cost);

/** What has used how much of its limit: of the limits that need not all hold, the one with the least used share. */
typedef struct nw__use {
    double order; /* as in nw_privacy_filter_summary */
    double limit;
    double spent;
} nw__use;
nw__use nw__box_use(const nw__box *box, const nw__gauge *gauge, const nw__totals *totals);
/** The least epsilon of a box, of the same delta and shares, that would hold the sums; rounded up. */
double nw__box_epsilon(const nw__box *box, const nw__gauge *gauge, const nw__totals *totals);

#endif
