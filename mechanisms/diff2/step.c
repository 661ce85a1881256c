/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* step.c - the charge, and the end of a round: sums over processes, noise once, and the update [MS23]. */
#include "diff2_internal.h"

#include <math.h>
#include <sodium.h>
#include <string.h>

/* ---- the charge ---- */

/* What process 0 tells the others. */
typedef struct charged {
    nw_receipt receipt;
    uint64_t uniform;
} charged;

static nw_status check_charge(
    const nw_diff2 *d, const nw_reduce *reduce, const nw_rng *rng, const nw_ledger *ledger, const char *label, nw_error *err)
{
    static const char function[] = "nw_diff2_charge";
    if (d->phase != NW__DIFF2_NEW)
        return nw__fail(err, NW_E_STATE, function, "the run is charged already: make a new handle for another run");
    if (!nw__diff2_is_root(reduce))
        return NW_OK;
    if (rng == NULL || label == NULL)
        return nw__fail(err, NW_E_ARG, function, "%s is NULL", rng == NULL ? "rng" : "label");
    if (ledger == NULL)
        return nw__fail(
            err, NW_E_ARG, function, "ledger is NULL, must be a ledger (nw_ledger_unlimited for one that refuses nothing)");
    return NW_OK;
}

static nw_status charge_root(nw_diff2 *d, nw_rng *rng, nw_ledger *ledger, const char *label, charged *all, nw_error *err)
{
    NW__TRY(nw_ledger_charge(ledger, d->event, label, rng, &all->receipt, err));
    if (d->opts.output == NW_DIFF2_UNIFORM)
        return nw_rng_uniform(rng, d->opts.rounds, &all->uniform, err);
    return NW_OK;
}

nw_status nw_diff2_charge(
    nw_diff2 *d, const nw_reduce *reduce, nw_rng *rng, nw_ledger *ledger, const char *label, nw_receipt *receipt, nw_error *err)
{
    uint8_t fingerprint[NW__DIFF2_FINGERPRINT];
    charged all;
    memset(&all, 0, sizeof all);
    if (receipt != NULL)
        *receipt = (nw_receipt){ 0 };
    if (d == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "diff2 is NULL");
    nw__diff2_fingerprint(d, NULL, fingerprint);
    nw_status status = check_charge(d, reduce, rng, ledger, label, err);
    NW__TRY(nw__diff2_agree(reduce, status, fingerprint, __func__, err));
    if (nw__diff2_is_root(reduce))
        status = charge_root(d, rng, ledger, label, &all, err);
    NW__TRY(nw__diff2_share(reduce, status, &all, sizeof all, err));
    d->receipt = all.receipt;
    d->uniform = all.uniform;
    d->is_insecure = all.receipt.is_insecure;
    d->phase = NW__DIFF2_IDLE;
    if (receipt != NULL)
        *receipt = all.receipt;
    return NW_OK;
}

/* ---- checks ---- */

static nw_status check_vector(const double *x, size_t n, const char *name, const char *function, nw_error *err)
{
    for (size_t i = 0; x != NULL && i < n; i++)
        if (!(fabs(x[i]) <= NW__DIFF2_LARGEST_ITERATE))
            return nw__fail(err, NW_E_ARG, function, "%s[%zu] is %g, must be finite, at most 2^400", name, i, x[i]);
    return NW_OK;
}

static nw_status check_step(
    const nw_diff2 *d, const nw_reduce *reduce, const nw_rng *rng, const double *public_gradient, nw_error *err)
{
    static const char function[] = "nw_diff2_step";
    NW__TRY(nw__diff2_check_open(d, function, err));
    NW__TRY(check_vector(public_gradient, d->dimension, "public_gradient", function, err));
    if (d->is_incomplete)
        return nw__fail(err, NW_E_STATE, function, "an addition to this round failed: its sum is not of all records");
    if (!nw__diff2_is_root(reduce))
        return NW_OK;
    if (rng == NULL)
        return nw__fail(err, NW_E_ARG, function, "rng is NULL");
    if (nw_rng_is_insecure(rng) && !d->is_insecure)
        return nw__fail(err, NW_E_STATE, function, "the rng is insecure, must be secure as that of the charge was");
    return NW_OK;
}

/* ---- the update ---- */

static bool is_local_next(const nw_diff2 *d)
{
    return d->round.step + 1 < d->opts.local_steps;
}

static void keep(nw_diff2 *d)
{
    const nw_diff2_opts *o = &d->opts;
    if (o->output == NW_DIFF2_TAIL && d->round.round + o->tail >= o->rounds)
        for (size_t j = 0; j < d->dimension; j++)
            d->output[j] += d->x[j];
    if (o->output == NW_DIFF2_LAST)
        memcpy(d->output, d->x, d->dimension * sizeof *d->x);
}

/* The next round, or local step. */
static void advance(nw_diff2 *d)
{
    if (is_local_next(d)) {
        d->round.step++;
        d->phase = NW__DIFF2_IDLE;
        return;
    }
    keep(d);
    d->round.step = 0;
    d->round.round++;
    d->phase = d->round.round == d->opts.rounds ? NW__DIFF2_DONE : NW__DIFF2_IDLE;
}

static nw_status guard(nw_diff2 *d, double *v, const char *function, nw_error *err)
{
    const double norm = d->opts.guard == NW_DIFF2_UNGUARDED ? 0.0 : nw__diff2_norm(v, NULL, d->dimension);
    if (norm <= d->opts.guard_norm)
        return NW_OK;
    d->guarded++;
    if (d->opts.guard == NW_DIFF2_STOP) {
        d->phase = NW__DIFF2_STOPPED;
        return nw__fail(err, NW_E_NUMERIC, function, "|v| is %g in round %llu, above guard_norm %g: the run was stopped", norm,
            (unsigned long long)d->round.round, d->opts.guard_norm);
    }
    for (size_t j = 0; j < d->dimension; j++)
        v[j] *= d->opts.guard_norm / norm;
    return NW_OK;
}

/* x_{r+1} = x_r - eta (v + public gradient). Where a round has local steps, differences of rounds are counted from where the
 * round began. */
static nw_status move(nw_diff2 *d, const double *v, const double *public_gradient, const char *function, nw_error *err)
{
    bool is_far = false;
    if (d->opts.output == NW_DIFF2_UNIFORM && d->round.step == 0 && d->round.round == d->uniform)
        memcpy(d->output, d->x, d->dimension * sizeof *d->x);
    if (d->anchor != NULL && d->round.step == 0)
        memcpy(d->anchor, d->x, d->dimension * sizeof *d->x);
    for (size_t j = 0; j < d->dimension; j++) {
        d->previous[j] = d->x[j];
        d->x[j] -= d->opts.learning_rate * (v[j] + (public_gradient == NULL ? 0.0 : public_gradient[j]));
        is_far = is_far || !(fabs(d->x[j]) <= NW__DIFF2_LARGEST_ITERATE);
    }
    if (d->anchor != NULL && !is_local_next(d))
        memcpy(d->previous, d->anchor, d->dimension * sizeof *d->x);
    if (is_far) {
        d->phase = NW__DIFF2_STOPPED;
        return nw__fail(err, NW_E_NUMERIC, function, "an iterate is beyond 2^400 in round %llu: the run has diverged",
            (unsigned long long)d->round.round);
    }
    return NW_OK;
}

/* v takes up the noisy mean: of a local step, its own copy of v. */
static double *direction_of(nw_diff2 *d)
{
    if (d->round.kind == NW_DIFF2_RESTART)
        memset(d->v, 0, d->dimension * sizeof *d->v);
    return d->round.kind == NW_DIFF2_LOCAL ? d->local_v : d->v;
}

static nw_status update(nw_diff2 *d, double *v, const double *public_gradient, const char *function, nw_error *err)
{
    NW__TRY(guard(d, v, function, err));
    if (d->local_v != NULL && d->round.step == 0)
        memcpy(d->local_v, d->v, d->dimension * sizeof *d->v);
    NW__TRY(move(d, v, public_gradient, function, err));
    advance(d);
    return NW_OK;
}

/* ---- the release ---- */

static nw__diff2_noise *noise_of(nw_diff2 *d)
{
    switch (d->round.kind) {
    case NW_DIFF2_DIFFERENCE: return &d->difference_noise;
    case NW_DIFF2_LOCAL: return &d->local_noise;
    case NW_DIFF2_RESTART: break;
    }
    return &d->restart_noise;
}

static nw_status add_noise(nw_diff2 *d, nw_rng *rng, nw_error *err)
{
    nw__diff2_noise *noise = noise_of(d);
    if (noise->left == 0) {
        NW__TRY(nw_noise_fill(noise->law, rng, noise->values, noise->room, err));
        noise->left = noise->room;
    }
    int64_t *next = noise->values + (noise->room - noise->left);
    nw__diff2_merge(d->sums, next, d->dimension);
    sodium_memzero(next, d->dimension * sizeof *next);
    noise->left -= d->dimension;
    return NW_OK;
}

/* Process 0: noise on the sum of all processes, and the key of the next local sample. */
static nw_status draw(nw_diff2 *d, nw_rng *rng, nw_error *err)
{
    if (d->round.bound > 0.0)
        NW__TRY(add_noise(d, rng, err));
    if (is_local_next(d))
        NW__TRY(nw_rng_bytes(rng, d->key, sizeof d->key, err));
    return NW_OK;
}

static nw_status release(nw_diff2 *d, const nw_reduce *reduce, nw_rng *rng, nw_error *err)
{
    nw_status status = NW_OK;
    if (reduce != NULL)
        NW__TRY(reduce->sum_i64(reduce->context, d->sums, d->dimension, err));
    if (nw__diff2_is_root(reduce))
        status = draw(d, rng, err);
    else /* what was summed here is not for this process: the noisy sum follows */
        sodium_memzero(d->sums, d->dimension * sizeof *d->sums);
    NW__TRY(nw__diff2_share(reduce, status, d->sums, d->dimension * sizeof *d->sums, err));
    if (is_local_next(d))
        NW__TRY(nw__diff2_share(reduce, NW_OK, d->key, sizeof d->key, err));
    return NW_OK;
}

nw_status nw_diff2_step(nw_diff2 *d, const nw_reduce *reduce, nw_rng *rng, const double *public_gradient, nw_error *err)
{
    uint8_t fingerprint[NW__DIFF2_FINGERPRINT] = { 0 };
    if (d == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "diff2 is NULL");
    nw_status status = check_step(d, reduce, rng, public_gradient, err);
    const bool was_open = d->phase == NW__DIFF2_OPEN;
    if (reduce != NULL)
        nw__diff2_fingerprint(d, public_gradient, fingerprint);
    status = nw__diff2_agree(reduce, status, fingerprint, __func__, err);
    if (status == NW_OK)
        status = release(d, reduce, rng, err);
    if (status == NW_OK) {
        const double unit = d->round.bound / NW__DIFF2_STEPS / d->round.divisor;
        double *v = direction_of(d);
        for (size_t j = 0; j < d->dimension; j++)
            v[j] += (double)d->sums[j] * unit;
        status = update(d, v, public_gradient, __func__, err);
    }
    sodium_memzero(d->sums, d->dimension * sizeof *d->sums);
    if (status != NW_OK && was_open && d->phase == NW__DIFF2_OPEN)
        d->phase = NW__DIFF2_BROKEN;
    return status;
}

nw_status nw_diff2_step_with(nw_diff2 *d, const double *noisy_mean, const double *public_gradient, nw_error *err)
{
    NW__TRY(nw__diff2_check_open(d, __func__, err));
    if (noisy_mean == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "noisy_mean is NULL");
    NW__TRY(check_vector(noisy_mean, d->dimension, "noisy_mean", __func__, err));
    NW__TRY(check_vector(public_gradient, d->dimension, "public_gradient", __func__, err));
    if (d->has_additions || d->is_incomplete)
        return nw__fail(err, NW_E_STATE, __func__, "records were added to this round: end it with nw_diff2_step");
    double *v = direction_of(d);
    for (size_t j = 0; j < d->dimension; j++)
        v[j] += noisy_mean[j];
    return update(d, v, public_gradient, __func__, err);
}

/* ---- the result ---- */

nw_status nw_diff2_result(const nw_diff2 *d, double *x, nw_error *err)
{
    if (d == NULL || x == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", d == NULL ? "diff2" : "x");
    if (d->phase != NW__DIFF2_DONE)
        return nw__fail(err, NW_E_STATE, __func__, "%llu of %llu rounds are done, must be all",
            (unsigned long long)d->round.round, (unsigned long long)d->opts.rounds);
    for (size_t j = 0; j < d->dimension; j++)
        x[j] = d->output[j] / (d->opts.output == NW_DIFF2_TAIL ? (double)d->opts.tail : 1.0);
    return NW_OK;
}
