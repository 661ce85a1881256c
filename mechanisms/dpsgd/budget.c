/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* budget.c - what a step costs, and its place in a ledger. */
#include "dpsgd_internal.h"

nw_status nw_dpsgd_event(const nw_dpsgd *d, nw_event **out, nw_error *err)
{
    if (out != NULL)
        *out = NULL;
    if (d == NULL || out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", d == NULL ? "dpsgd" : "out");
    if (d->count == 0)
        return nw__fail(err, NW_E_STATE, __func__, "there is no parameter yet: call nw_dpsgd_add_parameter first");
    if (d->opts.is_stepwise)
        return nw__fail(err, NW_E_STATE, __func__,
            "is_stepwise is true, must be false: the cost of steps whose clip norm and noise are set one by one is the event of "
            "whoever sets them");
    if (d->opts.noise_multiplier == 0.0)
        return nw__fail(err, NW_E_ARG, __func__, "noise_multiplier is 0, must be above 0: a sum without noise has no event");
    /* Noise over sensitivity is all that the loss depends on; the sensitivity is that of the scaled sums (and count). Stated for
     * one record's contribution, which a replacement moves twice: so it has a meaning under any sampling. */
    const nw_sensitivity one = { 1.0, NW_ADD_REMOVE };
    const double moved = d->opts.adjacency == NW_REPLACE_ONE ? 2.0 : 1.0;
    return nw_event_noise(out, NW_EVENT_ROUNDED_GAUSSIAN, moved * d->opts.noise_multiplier, one,
        (uint64_t)d->cell_count + (d->opts.quantile > 0.0 ? 1 : 0), err);
}

/* A ledger whose schedule is the run is charged with it as that: it takes no reservations. */
static nw_status charge_schedule(nw_ledger *ledger, const nw_batches *batches, const nw_event *step, uint64_t steps,
    const char *label, const nw_rng *rng, nw_receipt *receipt, nw_error *err)
{
    nw_event *run = NULL;
    NW__TRY(nw_batches_event(batches, step, steps, &run, err));
    const nw_status status = nw_ledger_charge(ledger, run, label, rng, receipt, err);
    nw_event_free(run);
    return status;
}

static nw_status reserve(nw_ledger *ledger, const nw_batches *batches, const nw_event *step, uint64_t steps, const char *label,
    const nw_rng *rng, uint64_t *reservation, nw_receipt *receipt, nw_error *err)
{
    nw_event *part = NULL;
    uint64_t count = 0;
    nw_ledger_summary summary;
    *reservation = 0;
    NW__TRY(nw_ledger_summarise(ledger, &summary, err));
    if (summary.filter == NW_FILTER_SCHEDULE)
        return charge_schedule(ledger, batches, step, steps, label, rng, receipt, err);
    NW__TRY(nw_batches_charge(batches, step, steps, &part, &count, err));
    const nw_status status = nw_ledger_reserve(ledger, NULL, part, count, label, rng, reservation, receipt, err);
    nw_event_free(part);
    return status;
}

nw_status nw_dpsgd_reserve(nw_dpsgd *d, const nw_batches *batches, uint64_t steps, nw_ledger *ledger, const char *label,
    const nw_rng *rng, uint64_t *reservation, nw_receipt *receipt, nw_error *err)
{
    const char *null = d == NULL             ? "dpsgd"
                       : batches == NULL     ? "batches"
                       : ledger == NULL      ? "ledger"
                       : label == NULL       ? "label"
                       : rng == NULL         ? "rng"
                       : reservation == NULL ? "reservation"
                                             : NULL;
    if (null != NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", null);
    if (d->has_reservation)
        return nw__fail(err, NW_E_STATE, __func__, "steps are reserved already: make a new handle for another run");
    if (steps == 0)
        return nw__fail(err, NW_E_ARG, __func__, "steps is 0, must be at least 1");
    if (nw_batches_adjacency(batches) != d->opts.adjacency)
        return nw__fail(err, NW_E_ARG, __func__, "batches are for adjacency %s, must be for %s as the options are",
            nw_adjacency_name(nw_batches_adjacency(batches)), nw_adjacency_name(d->opts.adjacency));
    nw_event *step = NULL;
    NW__TRY(nw_dpsgd_event(d, &step, err));
    const nw_status status = reserve(ledger, batches, step, steps, label, rng, reservation, receipt, err);
    nw_event_free(step);
    if (status == NW_OK) {
        d->has_reservation = true;
        d->steps_reserved = steps;
    }
    return status;
}
