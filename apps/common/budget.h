/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_BUDGET_H
#define APP_BUDGET_H

/* budget.h - what a program's one release is charged to. */
#include <noisewright.h>

/** What a release will cost. */
typedef struct app_release {
    const char *ledger; /* a file, or NULL: a ledger in memory that the release fills */
    double epsilon;
    double delta;
    nw_adjacency adjacency;
    const nw_event *event;
    nw_filter filter; /* of a ledger in memory; NW_FILTER_AUTO if not given */
    const char *unit; /* of a ledger in memory; NULL: one record */
    bool is_schedule; /* of a ledger in memory: its budget is this event, and epsilon what the event costs */
} app_release;

/** Opens the ledger, and says no if it is for other neighbours or the release does not fit: asked before any data is read, as the
 *  charge will ask again. Returns an exit code, with its message written. */
int app_open_ledger(nw_ledger **out, const app_release *release);

/** A charge for several handles that release together. */
typedef struct app_charge {
    nw_ledger *ledger;
    const nw_event *event; /* composed of all of theirs */
    const char *label;
    nw_adjacency adjacency;
} app_charge;

/** Charges the event, before anything is drawn. *parts: a ledger in memory that refuses nothing, for the handles to record their
 *  parts of it in; to be closed whatever the status. */
nw_status app_charge_once(nw_ledger **parts, const app_charge *charge, nw_rng *rng, nw_receipt *receipt, nw_error *err);

#endif
