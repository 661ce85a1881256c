/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* hitters_central.c - the same question answered by a curator who holds all items: discrete Laplace noise on each count that is
 * not 0, and a threshold [WZLDSG20]. One user moves one count by 1. */
#include "accountant_internal.h"
#include "hitters_internal.h"

#include <math.h>
#include <nw/noise.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TOP = 4096 };
/* Noise values that are charged for: how many items there are is private, and no set has more. */
static const uint64_t SAMPLES = UINT64_C(1) << 31;

void nw_hh_central_opts_init(nw_hh_central_opts *opts, size_t struct_size)
{
    const nw_hh_central_opts defaults = NW_HH_CENTRAL_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

/* What is left of delta when the sampler's distance is paid, rounded down. */
static double threshold_delta(const nw_hh_central_opts *o)
{
    return nw__down(o->delta - nw__up(nw__sampler_delta(o->epsilon, SAMPLES)));
}

static nw_status read_opts(nw_hh_central_opts *o, const nw_hh_central_opts *opts, const char *function, nw_error *err)
{
    if (opts == NULL)
        return nw__fail(err, NW_E_ARG, function, "opts is NULL");
    *o = (nw_hh_central_opts)NW_HH_CENTRAL_OPTS_INIT;
    memcpy(o, opts, opts->struct_size < sizeof *o ? opts->struct_size : sizeof *o);
    o->struct_size = sizeof *o;
    if (!(o->epsilon > 0.0 && o->epsilon <= NW__MAX_EPSILON))
        return nw__fail(err, NW_E_ARG, function, "epsilon is %g, must be in (0, %g]", o->epsilon, NW__MAX_EPSILON);
    if (!(o->delta >= 1e-30 && o->delta < 0.5))
        return nw__fail(err, NW_E_ARG, function, "delta is %g, must be in [1e-30, 0.5)", o->delta);
    if (!(threshold_delta(o) > 0.0))
        return nw__fail(err, NW_E_ARG, function,
            "delta is %g, must be more at epsilon %g, for the sampler's distance from its law", o->delta, o->epsilon);
    if (o->top < 1 || o->top > MOST_TOP)
        return nw__fail(err, NW_E_ARG, function, "top is %u, must be in 1..%d", o->top, MOST_TOP);
    return NW_OK;
}

/* The scale, rounded up so that epsilon is kept, and not below what there is a sampler for: less is lost then. */
static double scale_of(const nw_hh_central_opts *o)
{
    return fmax(nw__up(1.0 / o->epsilon), NW_NOISE_SMALLEST_SCALE);
}

/* P[1 + Z >= t] = q^(t - 1) / (1 + q), q = e^(-1/b), for t >= 2: an item that one user alone holds. (t - 1) / b is at most 745
 * with 2 roundings, so the exponent is off by less than 2^-42; 2^-36 covers that and the rest. */
static double lone_item_delta(double scale, int64_t threshold)
{
    return exp(-(double)(threshold - 1) / scale) / (1.0 + exp(-1.0 / scale)) * (1.0 + 0x1p-36);
}

static int64_t threshold_of(const nw_hh_central_opts *o)
{
    const double b = scale_of(o);
    int64_t t = 2 + (int64_t)fmax(0.0, floor(-b * log(threshold_delta(o))) - 1.0 - b); /* just below, as 1 + q is in 1..2 */
    t = t < 2 ? 2 : t;
    while (lone_item_delta(b, t) > threshold_delta(o))
        t++;
    return t;
}

nw_status nw_hh_central_event(nw_event **out, const nw_hh_central_opts *opts, nw_error *err)
{
    nw_hh_central_opts o;
    nw_event *parts[2] = { NULL, NULL };
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    NW__TRY(read_opts(&o, opts, __func__, err));
    const double delta = lone_item_delta(scale_of(&o), threshold_of(&o));
    nw_status status =
        nw_event_noise(&parts[0], NW_EVENT_DISCRETE_LAPLACE, scale_of(&o), (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, SAMPLES, err);
    if (status == NW_OK)
        status = nw_event_approx(&parts[1], 0.0, delta, NW_ADD_REMOVE, err);
    if (status == NW_OK)
        status = nw_event_composed(out, (const nw_event *const *)parts, 2, err);
    nw_event_free(parts[0]);
    nw_event_free(parts[1]);
    return status;
}

static int by_count(const void *a, const void *b)
{
    const nw_hh_hit *x = a;
    const nw_hh_hit *y = b;
    return x->count != y->count ? (x->count < y->count ? 1 : -1) : nw__hh_compare_items(x->item, y->item);
}

/* Draws, and keeps what reaches the threshold. */
static nw_status draw(const nw_hh_central_opts *o, nw_rng *rng, const nw_ldp_item *items, const int64_t *counts, size_t n,
    nw_hh_hit *hits, size_t *found, nw_error *err)
{
    const double b = scale_of(o);
    const double q = exp(-1.0 / b);
    const int64_t threshold = threshold_of(o);
    nw_noise *noise = NULL;
    size_t told = 0;
    int64_t *noisy = nw__calloc(n, sizeof *noisy);
    nw_hh_hit *all = nw__calloc(n, sizeof *all);
    nw_status status = noisy == NULL || all == NULL ? nw__fail_memory(err, "nw_hh_central_release")
                                                    : nw_noise_new(&noise, NW_NOISE_DISCRETE_LAPLACE, b, err);
    if (status == NW_OK && n > 0)
        status = nw_noise_add_i64(noise, rng, counts, noisy, n, err);
    for (size_t i = 0; status == NW_OK && i < n; i++)
        if (counts[i] > 0 && noisy[i] >= threshold)
            all[told++] = (nw_hh_hit){ items[i], (double)noisy[i], sqrt(2.0 * q) / (1.0 - q) };
    if (told > 0)
        qsort(all, told, sizeof *all, by_count);
    *found = told < o->top ? told : o->top;
    for (size_t i = 0; i < *found; i++)
        hits[i] = all[i];
    nw_noise_free(noise);
    nw__free_wiped(noisy, n * sizeof *noisy);
    nw__free_wiped(all, n * sizeof *all);
    return status;
}

nw_status nw_hh_central_release(const nw_hh_central_opts *opts, nw_rng *rng, nw_ledger *ledger, const char *label,
    const nw_ldp_item *items, const int64_t *counts, size_t n, nw_hh_hit *hits, size_t *found, nw_receipt *receipt, nw_error *err)
{
    nw_hh_central_opts o;
    nw_event *event = NULL;
    if (receipt != NULL)
        *receipt = (nw_receipt){ 0 };
    if (found == NULL || hits == NULL || rng == NULL || ledger == NULL || label == NULL ||
        (n > 0 && (items == NULL || counts == NULL)))
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL",
            found == NULL    ? "found"
            : hits == NULL   ? "hits"
            : rng == NULL    ? "rng"
            : ledger == NULL ? "ledger"
            : label == NULL  ? "label"
                             : "items or counts");
    *found = 0;
    NW__TRY(read_opts(&o, opts, __func__, err));
    NW__TRY(nw_hh_central_event(&event, &o, err));
    const nw_status status = nw_ledger_charge(ledger, event, label, rng, receipt, err);
    nw_event_free(event);
    return status == NW_OK ? draw(&o, rng, items, counts, n, hits, found, err) : status;
}
