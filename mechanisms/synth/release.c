/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* release.c - the spine: a durable charge, then exact counts, then one noise draw a cell, and what was measured is public. */
#include "synth_internal.h"

#include <nw/noise.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

static const char *const RELEASE = "nw_synth_release";

/* Exact counts never outlive a failure. */
static void forget_counts(nw__plan *plan, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        nw__marginal *m = &plan->marginals[i];
        nw__free_wiped(m->counts, nw__marginal_cells(m) * sizeof *m->counts);
        m->counts = NULL;
    }
}

static nw_status count_exactly(nw__plan *plan, size_t first, size_t end, const nw__coding *codings, const nw__counter *counter,
    unsigned threads, nw_error *err)
{
    const int team = nw__threads((int)threads);
    for (size_t i = first; i < end; i++) {
        plan->marginals[i].counts = nw__calloc(nw__marginal_cells(&plan->marginals[i]), sizeof(int64_t));
        if (plan->marginals[i].counts == NULL)
            return nw__fail_memory(err, RELEASE);
    }
#pragma omp parallel for schedule(dynamic, 1) num_threads(team)
    for (size_t i = first; i < end; i++)
        counter->count(counter->source, &plan->marginals[i], codings, plan->marginals[i].counts);
    return NW_OK;
}

static nw_status add_noise(nw__plan *plan, size_t first, size_t end, nw_rng *rng, nw_error *err)
{
    nw_noise *noise = NULL;
    nw_status status = nw_noise_new(&noise, NW_NOISE_ROUNDED_GAUSSIAN, plan->marginals[first].sigma, err);
    for (size_t i = first; status == NW_OK && i < end; i++) {
        nw__marginal *m = &plan->marginals[i];
        status = nw_noise_add_i64(noise, rng, m->counts, m->counts, nw__marginal_cells(m), err);
    }
    nw_noise_free(noise);
    return status;
}

nw_status nw__plan_measure(nw__plan *plan, size_t first, size_t end, const nw__coding *codings, const nw__counter *counter,
    nw_rng *rng, unsigned threads, nw_error *err)
{
    if (first == end)
        return NW_OK;
    /* The noise of a marginal is drawn by a team of threads: by as many as the options allow. */
    const int team = omp_get_max_threads();
    omp_set_num_threads(nw__threads((int)threads));
    nw_status status = count_exactly(plan, first, end, codings, counter, threads, err);
    if (status == NW_OK)
        status = add_noise(plan, first, end, rng, err);
    omp_set_num_threads(team);
    if (status != NW_OK)
        forget_counts(plan, first, end);
    return status;
}

static nw_status measure(
    nw_synth_measurements *measured, const nw_synth *synth, const nw__counter *counter, nw_rng *rng, nw_error *err)
{
    nw__plan *plan = &measured->plan;
    const unsigned threads = synth->opts.threads;
    NW__TRY(nw__plan_measure(plan, 0, plan->one_ways, measured->codings, counter, rng, threads, err));
    return nw__plan_measure(plan, plan->one_ways, plan->marginal_count, measured->codings, counter, rng, threads, err);
}

static nw_status check_release(
    const nw_synth *synth, const nw_rng *rng, const nw_ledger *ledger, const char *label, const char *function, nw_error *err)
{
    if (synth == NULL || rng == NULL || label == NULL)
        return nw__fail(err, NW_E_ARG, function, "%s is NULL", synth == NULL ? "synth" : rng == NULL ? "rng" : "label");
    if (ledger == NULL)
        return nw__fail(
            err, NW_E_ARG, function, "ledger is NULL, must be a ledger (nw_ledger_unlimited for one that refuses nothing)");
    return nw__synth_check_open(synth, function, err);
}

/* Charges, counts by `counter` and draws; `rows` of them, which is public under replace_one. */
static nw_status release(nw_synth *synth, nw_rng *rng, nw_ledger *ledger, const char *label, const nw__counter *counter,
    uint64_t rows, nw_synth_measurements **out, nw_receipt *receipt, nw_error *err)
{
    const double known_rows = synth->opts.adjacency == NW_REPLACE_ONE ? (double)rows : -1.0;
    nw_synth_measurements *measured = NULL;
    NW__TRY(nw__measurements_new(&measured, synth, known_rows, err));
    nw_status status = nw_ledger_charge(ledger, synth->event, label, rng, receipt, err);
    if (status == NW_OK) {
        synth->is_released = true;
        status = measure(measured, synth, counter, rng, err); /* from here on it is public */
        nw__partial_clear(&synth->partial);
    }
    if (status != NW_OK) {
        nw_synth_measurements_free(measured);
        return status;
    }
    *out = measured;
    return NW_OK;
}

nw_status nw_synth_release(nw_synth *synth, nw_rng *rng, nw_ledger *ledger, const char *label, nw_synth_measurements **out,
    nw_receipt *receipt, nw_error *err)
{
    if (receipt != NULL)
        *receipt = (nw_receipt){ 0 };
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    NW__TRY(check_release(synth, rng, ledger, label, __func__, err));
    const nw__counter counter = nw__counter_of_partial(&synth->partial);
    return release(synth, rng, ledger, label, &counter, synth->partial.rows, out, receipt, err);
}

nw_status nw_synth_run(nw_synth *synth, nw_rng *rng, nw_ledger *ledger, const nw_table *table, const nw_synth_fit_opts *fit,
    nw_table **out, nw_synth_measurements **measured, nw_receipt *receipt, nw_error *err)
{
    nw_synth_measurements *own = NULL;
    if (receipt != NULL)
        *receipt = (nw_receipt){ 0 };
    if (measured != NULL)
        *measured = NULL;
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    NW__TRY(check_release(synth, rng, ledger, "synth", __func__, err));
    NW__TRY(nw__synth_check_table(synth, table, __func__, err));
    if (fit != NULL)
        NW__TRY(nw_synth_fit_opts_check(fit, NULL, err));
    if (synth->partial.counts != NULL)
        return nw__fail(err, NW_E_STATE, __func__, "records were added already: use nw_synth_release and nw_synth_fit");
    const nw__counter counter = nw__counter_of_table(table);
    NW__TRY(release(synth, rng, ledger, "synth", &counter, nw_table_rows(table), &own, receipt, err));
    const nw_status status = nw_synth_fit(own, rng, fit, out, err);
    if (measured != NULL)
        *measured = own;
    else
        nw_synth_measurements_free(own);
    return status;
}
