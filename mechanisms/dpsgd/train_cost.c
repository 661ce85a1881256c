/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* train_cost.c - what a run costs, the noise for a given cost, and its one charge: docs/rooms/dpsgd.md#training. */
#include "train_internal.h"

#include <math.h>
#include <string.h>

/* Noise multipliers between which the one for (epsilon, delta) is looked for. */
static const double LEAST_NOISE = 0x1p-7;
static const double MOST_NOISE = 0x1p20;

nw_dpsgd_opts nw__train_dpsgd_opts(const nw_train *t, double noise_multiplier)
{
    nw_dpsgd_opts o = NW_DPSGD_OPTS_INIT;
    o.clip_norm = t->opts.clip_norm;
    o.noise_multiplier = noise_multiplier;
    o.expected_batch = t->expected_batch;
    o.adjacency = t->opts.adjacency;
    o.clipping = t->opts.clipping;
    o.quantile = t->opts.quantile;
    o.memory_mib = t->opts.memory_mib;
    return o;
}

nw_correlated_opts nw__train_correlated_opts(const nw_train *t, double noise_multiplier, uint64_t steps)
{
    nw_correlated_opts o = NW_CORRELATED_OPTS_INIT;
    o.kind = t->opts.noise == NW_TRAIN_TREE ? NW_CORRELATED_TREE : NW_CORRELATED_BANDED;
    o.steps = steps;
    o.cycle = t->cycle;
    o.participations = nw_batches_participations(t->batches, steps);
    o.bands = t->opts.bands;
    o.noise_multiplier = noise_multiplier;
    o.coordinates = t->coordinates;
    return o;
}

/* In units of the sensitivity, which is that of a replacement where records are replaced. */
static nw_status correlated_event(const nw_train *t, double sigma, uint64_t steps, nw_event **out, nw_error *err)
{
    nw_correlated *c = NULL;
    const nw_sensitivity one = { 1.0, t->opts.adjacency == NW_REPLACE_ONE ? NW_REPLACE_ONE : NW_ADD_REMOVE };
    const nw_correlated_opts o = nw__train_correlated_opts(t, sigma, steps);
    NW__TRY(nw_correlated_new(&c, &o, err));
    const nw_status status = nw_correlated_event(c, one, out, err);
    nw_correlated_free(c);
    return status;
}

/* The sums tell their own event; one matrix of all coordinates stands for the network's. */
static nw_status step_event(const nw_train *t, double sigma, nw_event **out, nw_error *err)
{
    nw_dpsgd *d = NULL;
    size_t parameter;
    nw_dpsgd_opts o = nw__train_dpsgd_opts(t, sigma);
    o.count_noise = 2.0 * sigma; /* enough for any sigma; the event does not depend on how the two share it */
    NW__TRY(nw_dpsgd_new(&d, &o, err));
    nw_status status = nw_dpsgd_add_parameter(d, "all", t->coordinates, 1, 1, 0, &parameter, err);
    if (status == NW_OK)
        status = nw_dpsgd_event(d, out, err);
    nw_dpsgd_free(d);
    return status;
}

nw_status nw__train_event(const nw_train *t, double noise_multiplier, uint64_t steps, nw_event **out, nw_error *err)
{
    nw_event *step = NULL;
    if (t->opts.noise != NW_TRAIN_INDEPENDENT)
        return correlated_event(t, noise_multiplier, steps, out, err);
    NW__TRY(step_event(t, noise_multiplier, &step, err));
    const nw_status status = nw_batches_event(t->batches, step, steps, out, err);
    nw_event_free(step);
    return status;
}

static nw_status event_of(nw_event **out, double sigma, const void *context, nw_error *err)
{
    const nw_train *t = context;
    return nw__train_event(t, sigma, t->opts.steps, out, err);
}

nw_status nw__train_calibrate(nw_train *t, nw_error *err)
{
    t->noise_multiplier = t->opts.noise_multiplier;
    if (!(t->noise_multiplier > 0.0))
        NW__TRY(nw_calibrate(&t->noise_multiplier, NW_CALIBRATE_LEAST, LEAST_NOISE, MOST_NOISE, t->opts.epsilon, t->opts.delta,
            t->opts.adjacency, event_of, t, err));
    return nw__train_event(t, t->noise_multiplier, t->opts.steps, &t->event, err);
}

nw_status nw_train_spent(const nw_train *train, uint64_t steps, double *epsilon, nw_error *err)
{
    nw_event *event = NULL;
    if (train == NULL || epsilon == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", train == NULL ? "train" : "epsilon");
    if (steps > train->opts.steps)
        return nw__fail(err, NW_E_ARG, __func__, "steps is %llu, must be at most %llu, those of the run",
            (unsigned long long)steps, (unsigned long long)train->opts.steps);
    *epsilon = 0.0;
    if (steps == 0)
        return NW_OK;
    NW__TRY(nw__train_event(train, train->noise_multiplier, steps, &event, err));
    const nw_status status = nw_event_epsilon(event, train->opts.adjacency, train->opts.delta, epsilon, NULL, err);
    nw_event_free(event);
    return status;
}

/* ---- the charge ---- */

/* What is reserved, and how often: the whole run at once where its noise is one event. */
static nw_status make_part(const nw_train *t, uint64_t steps, nw_event **part, uint64_t *count, nw_error *err)
{
    nw_event *step = NULL;
    *count = 1;
    if (t->opts.noise != NW_TRAIN_INDEPENDENT)
        return nw__train_event(t, t->noise_multiplier, steps, part, err);
    NW__TRY(step_event(t, t->noise_multiplier, &step, err));
    const nw_status status = nw_batches_charge(t->batches, step, steps, part, count, err);
    nw_event_free(step);
    return status;
}

static nw_status charge(nw_train *t, nw_ledger *ledger, const char *label, const nw_rng *rng, nw_error *err)
{
    nw_event *part = NULL;
    uint64_t count = 0;
    nw_ledger_summary summary;
    NW__TRY(nw_ledger_summarise(ledger, &summary, err));
    if (summary.filter == NW_FILTER_SCHEDULE)
        return nw_ledger_charge(ledger, t->event, label, rng, &t->receipt, err);
    NW__TRY(make_part(t, t->opts.steps, &part, &count, err));
    const nw_status status = nw_ledger_reserve(ledger, NULL, part, count, label, rng, &t->reservation, &t->receipt, err);
    nw_event_free(part);
    return status;
}

/* Process 0 has a ledger and an rng; draws the key of its order now, checkpoint or not. */
static nw_status charge_first(nw_train *t, nw_ledger *ledger, const char *label, nw_rng *rng, nw_error *err)
{
    uint8_t state[NW_BATCHES_STATE_SIZE];
    if (ledger == NULL || rng == NULL)
        return nw__fail(err, NW_E_ARG, "nw_train_charge", "%s is NULL", ledger == NULL ? "ledger" : "rng");
    NW__TRY(nw_batches_get_state(t->batches, rng, state, err));
    return charge(t, ledger, label, rng, err);
}

nw_status nw_train_charge(nw_train *train, nw_ledger *ledger, const char *label, nw_rng *rng, nw_receipt *receipt, nw_error *err)
{
    if (train == NULL || label == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", train == NULL ? "train" : "label");
    if (train->is_charged)
        return nw__fail(err, NW_E_STATE, __func__, "the run is charged already");
    const bool is_first = nw__train_is_first(train);
    NW__TRY(nw__train_check_same(train, __func__, err));
    nw_status status = nw__train_agree(train, is_first ? charge_first(train, ledger, label, rng, err) : NW_OK, err);
    if (status == NW_OK)
        status = nw__train_share_receipt(train, err);
    if (receipt != NULL)
        *receipt = train->receipt;
    if (status != NW_OK)
        return status;
    train->is_charged = true;
    return nw__train_agree(train, is_first ? nw__train_save(train, rng, __func__, err) : NW_OK, err);
}

static nw_status settle_first(nw_train *t, nw_ledger *ledger, nw_error *err)
{
    if (t->reservation == 0)
        return NW_OK;
    if (ledger == NULL)
        return nw__fail(err, NW_E_ARG, "nw_train_settle", "ledger is NULL");
    const bool is_whole = t->opts.noise != NW_TRAIN_INDEPENDENT;
    const uint64_t used = is_whole ? 1 : nw_batches_participations(t->batches, t->marked);
    return nw_ledger_commit(ledger, t->reservation, used, &t->receipt, err);
}

nw_status nw_train_settle(nw_train *train, nw_ledger *ledger, nw_receipt *receipt, nw_error *err)
{
    if (train == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "train is NULL");
    if (!train->is_charged || train->is_settled)
        return nw__fail(err, NW_E_STATE, __func__, train->is_charged ? "the run is settled already" : "the run was not charged");
    NW__TRY(nw__train_agree(train, nw__train_is_first(train) ? settle_first(train, ledger, err) : NW_OK, err));
    NW__TRY(nw__train_share_receipt(train, err));
    if (receipt != NULL)
        *receipt = train->receipt;
    train->is_settled = true;
    if (nw__train_is_first(train))
        nw__train_discard(train);
    return NW_OK;
}
