/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* select.c - the exponential mechanism, report noisy max and permute-and-flip, drawn exactly from integer scores; the weights are
 * those of choose.h. */
#include "stats_internal.h"
#include "accountant_internal.h"
#include "choose.h"
#include "cks20.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t LARGEST_SENSITIVITY = UINT64_C(1) << 32;
static const int64_t LARGEST_SCORE = INT64_C(1) << 61;
static const uint64_t LARGEST_RATIO_PART = UINT64_C(1) << 40; /* of nw__cks20_laplace */

void nw_select_opts_init(nw_select_opts *opts, size_t struct_size)
{
    const nw_select_opts defaults = NW_SELECT_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

static nw_status read_opts(nw_select_opts *known, const nw_select_opts *opts, const char *function, nw_error *err)
{
    const nw_select_opts defaults = NW_SELECT_OPTS_INIT;
    if (opts == NULL)
        return nw__fail(err, NW_E_ARG, function, "opts is NULL");
    *known = defaults;
    memcpy(known, opts, opts->struct_size < sizeof *known ? opts->struct_size : sizeof *known);
    if (known->mechanism < NW_SELECT_EXPONENTIAL || known->mechanism > NW_SELECT_PERMUTE_AND_FLIP)
        return nw__fail(err, NW_E_ARG, function, "mechanism is %d, must be one of nw_select_mechanism", (int)known->mechanism);
    if (!(known->epsilon > 0.0 && known->epsilon <= NW__MAX_EPSILON))
        return nw__fail(err, NW_E_ARG, function, "epsilon is %g, must be in (0, %g]", known->epsilon, NW__MAX_EPSILON);
    if (known->sensitivity < 1 || known->sensitivity > LARGEST_SENSITIVITY)
        return nw__fail(
            err, NW_E_ARG, function, "sensitivity is %llu, must be in 1..2^32", (unsigned long long)known->sensitivity);
    if (nw__choice_rate(known->epsilon, known->sensitivity) == 0)
        return nw__fail(err, NW_E_ARG, function, "epsilon is %g, must be at least 2^-47 sensitivity", known->epsilon);
    if (known->adjacency < NW_ADD_REMOVE || known->adjacency > NW_ZERO_OUT)
        return nw__fail(err, NW_E_ARG, function, "adjacency is %s, must be add_remove, replace_one or zero_out",
            nw_adjacency_name(known->adjacency));
    return NW_OK;
}

static nw_event_kind event_kind(nw_select_mechanism mechanism)
{
    switch (mechanism) {
    case NW_SELECT_EXPONENTIAL: return NW_EVENT_EXPONENTIAL;
    case NW_SELECT_NOISY_MAX: return NW_EVENT_REPORT_NOISY_MAX;
    case NW_SELECT_PERMUTE_AND_FLIP: break;
    }
    return NW_EVENT_PERMUTE_AND_FLIP;
}

nw_status nw_select_event(nw_event **out, const nw_select_opts *opts, nw_error *err)
{
    nw_select_opts o;
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    NW__TRY(read_opts(&o, opts, __func__, err));
    return nw_event_selection(out, event_kind(o.mechanism), o.epsilon, o.adjacency, err);
}

/* [MS20, Alg. 1]; the permutation is drawn as far as it is used. The best candidate is always taken, so it ends. */
static nw_status permute_and_flip(nw_rng *rng, const int64_t *scores, size_t n, uint64_t rate, size_t *chosen, nw_error *err)
{
    const int64_t best = nw__choice_best(scores, n);
    nw_status status = NW_OK;
    size_t *order = nw__calloc(n, sizeof *order);
    if (order == NULL)
        return nw__fail_memory(err, "nw_select");
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    bool is_taken = false;
    for (size_t left = n; status == NW_OK && !is_taken && left > 0; left--) {
        uint64_t i = 0;
        status = nw_rng_uniform(rng, left, &i, err);
        const size_t candidate = order[i];
        order[i] = order[left - 1];
        if (status == NW_OK)
            status = nw__choice_flip(rng, rate, (uint64_t)(best - scores[candidate]), &is_taken, err);
        if (is_taken)
            *chosen = candidate;
    }
    nw__free_wiped(order, n * sizeof *order);
    return status;
}

bool nw__laplace_ratio(double b, uint64_t *t, uint64_t *s)
{
    for (*s = UINT64_C(1) << 30; *s > 1 && b * (double)*s > (double)LARGEST_RATIO_PART; *s /= 2)
        ;
    const double steps = ceil(b * (double)*s); /* a power of two times a double: exact */
    if (!(steps <= (double)LARGEST_RATIO_PART))
        return false;
    *t = (uint64_t)steps;
    return true;
}

static bool ratio_of(const nw_select_opts *o, uint64_t *t, uint64_t *s)
{
    return nw__laplace_ratio(nw__up(2.0 * (double)o->sensitivity / o->epsilon), t, s);
}

/* Noise is drawn before the scores are read. */
static nw_status noisy_max(nw_rng *rng, const int64_t *scores, size_t n, const nw_select_opts *o, size_t *chosen, nw_error *err)
{
    uint64_t t = 0;
    uint64_t s = 0;
    if (!ratio_of(o, &t, &s))
        return nw__fail(err, NW_E_ARG, "nw_select", "epsilon is %g, must be at least 2^-39 sensitivity", o->epsilon);
    NW__TRY(nw__rng_begin(rng, err));
    int64_t *noisy = nw__calloc(n, sizeof *noisy);
    if (noisy == NULL)
        return nw__fail_memory(err, "nw_select");
    for (size_t i = 0; i < n; i++)
        noisy[i] = nw__cks20_laplace(rng, t, s);
    size_t winner = 0;
    for (size_t i = 0; i < n; i++) {
        noisy[i] += scores[i];
        if (noisy[i] > noisy[winner])
            winner = i;
    }
    nw__free_wiped(noisy, n * sizeof *noisy);
    *chosen = winner;
    return NW_OK;
}

nw_status nw__select_draw(const nw_select_opts *o, const int64_t *scores, size_t n, nw_rng *rng, size_t *chosen, nw_error *err)
{
    const uint64_t rate = nw__choice_rate(o->epsilon, o->sensitivity);
    switch (o->mechanism) {
    case NW_SELECT_EXPONENTIAL: return nw__choose_exponential(rng, scores, n, rate, chosen, err);
    case NW_SELECT_NOISY_MAX: return noisy_max(rng, scores, n, o, chosen, err);
    case NW_SELECT_PERMUTE_AND_FLIP: break;
    }
    return permute_and_flip(rng, scores, n, rate, chosen, err);
}

/* Clamping does not move two scores farther apart, so the sensitivity stays. */
static int64_t *clamped(const int64_t *scores, size_t n)
{
    int64_t *copy = nw__calloc(n, sizeof *copy);
    for (size_t i = 0; copy != NULL && i < n; i++)
        copy[i] = scores[i] > LARGEST_SCORE ? LARGEST_SCORE : scores[i] < -LARGEST_SCORE ? -LARGEST_SCORE : scores[i];
    return copy;
}

nw_status nw_select(const nw_select_opts *opts, const int64_t *scores, size_t n, nw_rng *rng, nw_ledger *ledger,
    const char *label, size_t *chosen, nw_receipt *receipt, nw_error *err)
{
    nw_select_opts o;
    uint64_t t, s;
    nw_event *event = NULL;
    if (receipt != NULL)
        *receipt = (nw_receipt){ 0 };
    NW__TRY(read_opts(&o, opts, __func__, err));
    if (scores == NULL || rng == NULL || ledger == NULL || label == NULL || chosen == NULL || n == 0)
        return nw__fail(err, NW_E_ARG, __func__, "%s",
            n == 0           ? "n is 0, must be at least 1"
            : scores == NULL ? "scores is NULL"
            : rng == NULL    ? "rng is NULL"
            : ledger == NULL ? "ledger is NULL, must be a ledger (nw_ledger_unlimited for one that refuses nothing)"
            : label == NULL  ? "label is NULL"
                             : "chosen is NULL");
    if (o.mechanism == NW_SELECT_NOISY_MAX && !ratio_of(&o, &t, &s))
        return nw__fail(err, NW_E_ARG, __func__, "epsilon is %g, must be at least 2^-39 sensitivity", o.epsilon);
    int64_t *copy = clamped(scores, n);
    if (copy == NULL)
        return nw__fail_memory(err, __func__);
    nw_status status = nw_event_selection(&event, event_kind(o.mechanism), o.epsilon, o.adjacency, err);
    if (status == NW_OK)
        status = nw_ledger_charge(ledger, event, label, rng, receipt, err);
    if (status == NW_OK)
        status = nw__select_draw(&o, copy, n, rng, chosen, err);
    nw_event_free(event);
    nw__free_wiped(copy, n * sizeof *copy);
    return status;
}
