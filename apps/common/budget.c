/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "budget.h"

#include "exit.h"
#include "files.h"
#include "numbers.h"

#include <math.h>

static const double MOST_EPSILON = 64.0; /* of a ledger */
/* A ledger adds up a schedule's parts in another order, with other roundings up, each of some 2^-50. */
static const double ROUNDINGS = 1e-9;

static int check_fit(nw_ledger *ledger, const app_release *r)
{
    nw_error err;
    bool is_fitting = false;
    nw_ledger_summary summary;
    char remaining[APP_NUMBER_SIZE];
    nw_status status = nw_ledger_summarise(ledger, &summary, &err);
    if (status == NW_OK && summary.adjacency != r->adjacency)
        return app_fail(APP_USAGE, "--adjacency", "is %s, must be %s as in the ledger %s", nw_adjacency_name(r->adjacency),
            nw_adjacency_name(summary.adjacency), r->ledger);
    if (status == NW_OK)
        status = nw_ledger_fits(ledger, r->event, &is_fitting, &err);
    if (status != NW_OK)
        return app_fail_error(r->ledger, &err);
    if (!is_fitting && r->delta == 0.0 && summary.filter != NW_FILTER_PURE)
        return app_fail(APP_BUDGET, r->ledger,
            "the release does not fit; Laplace noise costs much in a ledger with filter %s, give --delta for Gaussian noise; "
            "nothing was charged",
            nw_filter_name(summary.filter));
    if (!is_fitting)
        return app_fail(APP_BUDGET, r->ledger,
            "the release does not fit, epsilon must be at most %s at delta %g; nothing was charged",
            app_text_down(summary.remaining_epsilon, remaining), summary.remaining_delta);
    return APP_OK;
}

int app_open_ledger(nw_ledger **out, const app_release *release)
{
    nw_error err;
    if (release->ledger == NULL) {
        nw_ledger_opts opts = NW_LEDGER_OPTS_INIT;
        opts.epsilon = release->epsilon;
        opts.delta = release->delta;
        opts.adjacency = release->adjacency;
        opts.filter = release->filter;
        opts.unit = release->unit == NULL ? opts.unit : release->unit;
        if (release->is_schedule) {
            opts.schedule = release->event;
            opts.epsilon = fmin(release->epsilon * (1.0 + ROUNDINGS), MOST_EPSILON);
        }
        return nw_ledger_memory(out, &opts, &err) == NW_OK ? APP_OK : app_fail_error("ledger in memory", &err);
    }
    const int code = app_check_input(release->ledger);
    if (code != APP_OK)
        return code;
    if (nw_ledger_open(out, release->ledger, &err) != NW_OK)
        return app_fail_error(release->ledger, &err);
    return check_fit(*out, release);
}

nw_status app_charge_once(nw_ledger **parts, const app_charge *charge, nw_rng *rng, nw_receipt *receipt, nw_error *err)
{
    nw_ledger_opts opts = NW_LEDGER_OPTS_INIT;
    opts.delta = 0.5; /* losses are stated at it, and nobody asks */
    opts.adjacency = charge->adjacency;
    const nw_status status = nw_ledger_unlimited(parts, &opts, err);
    return status == NW_OK ? nw_ledger_charge(charge->ledger, charge->event, charge->label, rng, receipt, err) : status;
}
