/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* sparse.c - the sparse vector technique, [LSL17, Alg. 1] on integers, its letters: rho the noise of the threshold, nu of a
 * score, c the number of positives, epsilon_1 + epsilon_2 = epsilon. Proof note: docs/rooms/stats.md#sparse-vector. */
#include "stats_internal.h"
#include "accountant_internal.h"
#include "cks20.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const char NEW[] = "nw_sparse_new";
static const uint32_t MAX_POSITIVES = UINT32_C(1) << 20;
static const uint64_t MAX_SENSITIVITY = UINT64_C(1) << 32;
static const int64_t LARGEST_SCORE = INT64_C(1) << 60;

struct nw_sparse {
    nw_sparse_opts opts;
    nw_event *event;
    uint64_t rho_t, rho_s; /* scales as ratios */
    uint64_t nu_t, nu_s;
    int64_t rho;
    uint32_t left;
    bool is_started;
};

void nw_sparse_opts_init(nw_sparse_opts *opts, size_t struct_size)
{
    const nw_sparse_opts defaults = NW_SPARSE_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

static nw_status check_opts(const nw_sparse_opts *o, nw_error *err)
{
    if (!(o->epsilon > 0.0 && o->epsilon <= NW__MAX_EPSILON))
        return nw__fail(err, NW_E_ARG, NEW, "epsilon is %g, must be in (0, %g]", o->epsilon, NW__MAX_EPSILON);
    if (o->sensitivity < 1 || o->sensitivity > MAX_SENSITIVITY)
        return nw__fail(err, NW_E_ARG, NEW, "sensitivity is %llu, must be in 1..2^32", (unsigned long long)o->sensitivity);
    if (o->adjacency < NW_ADD_REMOVE || o->adjacency > NW_ZERO_OUT)
        return nw__fail(
            err, NW_E_ARG, NEW, "adjacency is %s, must be add_remove, replace_one or zero_out", nw_adjacency_name(o->adjacency));
    if (o->positives < 1 || o->positives > MAX_POSITIVES)
        return nw__fail(err, NW_E_ARG, NEW, "positives is %u, must be in 1..%u", o->positives, MAX_POSITIVES);
    return NW_OK;
}

/* [LSL17, sec. 4.2]: epsilon_1 : epsilon_2 = 1 : (2 c)^(2/3), or 1 : c^(2/3) for monotone scores, minimises the variance of
 * nu - rho. Any division is private: scales are rounded up against the two parts. */
static nw_status calibrate(nw_sparse *sparse, nw_error *err)
{
    const nw_sparse_opts *o = &sparse->opts;
    const double shifts = (double)o->positives * (o->is_monotone ? 1.0 : 2.0);
    const double epsilon_1 = nw__down(o->epsilon / (1.0 + cbrt(shifts * shifts)));
    const double epsilon_2 = nw__down(o->epsilon - epsilon_1);
    const double of_rho = nw__up((double)o->sensitivity / epsilon_1);
    const double of_nu = nw__up(shifts * (double)o->sensitivity / epsilon_2);
    if (!nw__laplace_ratio(of_rho, &sparse->rho_t, &sparse->rho_s) || !nw__laplace_ratio(of_nu, &sparse->nu_t, &sparse->nu_s))
        return nw__fail(err, NW_E_ARG, NEW, "epsilon is %g, too small: the noise would be %g, must be at most 2^40", o->epsilon,
            fmax(of_rho, of_nu));
    return NW_OK;
}

nw_status nw_sparse_new(nw_sparse **out, const nw_sparse_opts *opts, nw_error *err)
{
    const nw_sparse_opts defaults = NW_SPARSE_OPTS_INIT;
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    if (opts == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "opts is NULL");
    nw_sparse *sparse = nw__calloc(1, sizeof *sparse);
    if (sparse == NULL)
        return nw__fail_memory(err, __func__);
    sparse->opts = defaults;
    memcpy(&sparse->opts, opts, opts->struct_size < sizeof defaults ? opts->struct_size : sizeof defaults);
    nw_status status = check_opts(&sparse->opts, err);
    if (status == NW_OK)
        status = calibrate(sparse, err);
    if (status == NW_OK)
        status = nw_event_pure(&sparse->event, sparse->opts.epsilon, sparse->opts.adjacency, err);
    if (status != NW_OK) {
        nw_sparse_free(sparse);
        return status;
    }
    sparse->left = sparse->opts.positives;
    *out = sparse;
    return NW_OK;
}

void nw_sparse_free(nw_sparse *sparse)
{
    if (sparse == NULL)
        return;
    nw_event_free(sparse->event);
    sodium_memzero(sparse, sizeof *sparse);
    free(sparse);
}

const nw_event *nw_sparse_event(const nw_sparse *sparse)
{
    return sparse->event;
}

uint32_t nw_sparse_left(const nw_sparse *sparse)
{
    return sparse->left;
}

nw_status nw__sparse_draw(nw_sparse *sparse, nw_rng *rng, nw_error *err)
{
    NW__TRY(nw__rng_begin(rng, err));
    sparse->rho = nw__cks20_laplace(rng, sparse->rho_t, sparse->rho_s);
    sparse->left = sparse->opts.positives;
    sparse->is_started = true;
    return NW_OK;
}

nw_status nw_sparse_start(
    nw_sparse *sparse, nw_rng *rng, nw_ledger *ledger, const char *label, nw_receipt *receipt, nw_error *err)
{
    if (receipt != NULL)
        *receipt = (nw_receipt){ 0 };
    if (sparse == NULL || rng == NULL || ledger == NULL || label == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL",
            sparse == NULL   ? "sparse"
            : rng == NULL    ? "rng"
            : ledger == NULL ? "ledger"
                             : "label");
    if (sparse->is_started)
        return nw__fail(err, NW_E_STATE, __func__, "this handle was started: make a new one for more answers");
    NW__TRY(nw_ledger_charge(ledger, sparse->event, label, rng, receipt, err));
    sparse->is_started = true; /* charged once, also if nothing can be drawn: then there are no answers */
    sparse->left = 0;
    return nw__sparse_draw(sparse, rng, err);
}

static int64_t clamped(int64_t x)
{
    return x > LARGEST_SCORE ? LARGEST_SCORE : x < -LARGEST_SCORE ? -LARGEST_SCORE : x;
}

nw_status nw_sparse_ask(nw_sparse *sparse, nw_rng *rng, int64_t score, int64_t threshold, bool *is_above, nw_error *err)
{
    if (sparse == NULL || rng == NULL || is_above == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", sparse == NULL ? "sparse" : rng == NULL ? "rng" : "is_above");
    if (!sparse->is_started)
        return nw__fail(err, NW_E_STATE, __func__, "nothing was charged yet: call nw_sparse_start first");
    if (sparse->left == 0)
        return nw__fail(err, NW_E_STATE, __func__, "no positive answer is left of %u", sparse->opts.positives);
    NW__TRY(nw__rng_begin(rng, err));
    const int64_t nu = nw__cks20_laplace(rng, sparse->nu_t, sparse->nu_s);
    *is_above = clamped(score) + nu >= clamped(threshold) + sparse->rho;
    sparse->left -= *is_above;
    return NW_OK;
}
