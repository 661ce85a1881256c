/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* individual.c - a Renyi filter for each record [FZ21, Sec. 5].
 * Deviation: a record that does not fit is left out of the release at hand and may take part in a smaller one later; the
 * algorithm of the paper leaves it out for good. Each counter stays within the bound either way, which is all the proof uses
 * (docs/rooms/filter.md#individual-filters). */
#include "currency.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* As in event.c: the square of a ratio is still far from overflow. */
static const double MOST_RATIO = 1e100;

struct nw_individual_filter {
    size_t records;
    double epsilon;
    double order;
    double limit;
    double events_limit; /* of delta, for the samplers' distance */
    uint64_t samples;
    double *spent; /* private: one for each record */
};

void nw_individual_filter_opts_init(nw_individual_filter_opts *opts, size_t struct_size)
{
    const nw_individual_filter_opts defaults = NW_INDIVIDUAL_FILTER_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

static nw_status check_opts(const nw_individual_filter_opts *o, const char *function, nw_error *err)
{
    if (o->records == 0)
        return nw__fail(err, NW_E_ARG, function, "records is 0, must be at least 1");
    if (!(o->epsilon > 0.0 && o->epsilon <= NW__MAX_EPSILON))
        return nw__fail(err, NW_E_ARG, function, "epsilon is %g, must be in (0, %g]", o->epsilon, NW__MAX_EPSILON);
    if (!(o->delta > 0.0 && o->delta < 1.0))
        return nw__fail(err, NW_E_ARG, function, "delta is %g, must be in (0, 1)", o->delta);
    if (o->adjacency != NW_ADD_REMOVE && o->adjacency != NW_ZERO_OUT)
        return nw__fail(err, NW_E_ARG, function, "adjacency is %s, must be add_remove or zero_out: see nw/filter.h",
            nw_adjacency_name(o->adjacency));
    if (!(o->order > 1.0 && o->order <= NW__MAX_ORDER))
        return nw__fail(err, NW_E_ARG, function, "order is %g, must be in (1, %g]", o->order, NW__MAX_ORDER);
    return NW_OK;
}

nw_status nw_individual_filter_new(nw_individual_filter **out, const nw_individual_filter_opts *opts, nw_error *err)
{
    nw_individual_filter_opts o = NW_INDIVIDUAL_FILTER_OPTS_INIT;
    if (out != NULL)
        *out = NULL;
    if (out == NULL || opts == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : "opts");
    memcpy(&o, opts, opts->struct_size < sizeof o ? opts->struct_size : sizeof o);
    NW__TRY(check_opts(&o, __func__, err));
    const double limit = nw__currency_limit(NW_FILTER_RENYI, o.order, o.epsilon, o.delta * (1.0 - NW__DELTA_RESERVE));
    if (!(limit > 0.0))
        return nw__fail(
            err, NW_E_ARG, __func__, "order %g lets nothing through at epsilon %g, delta %g", o.order, o.epsilon, o.delta);
    nw_individual_filter *filter = nw__calloc(1, sizeof *filter);
    if (filter == NULL)
        return nw__fail_memory(err, __func__);
    *filter = (nw_individual_filter){ .records = o.records,
        .epsilon = o.epsilon,
        .order = o.order,
        .limit = limit,
        .events_limit = o.delta * NW__DELTA_RESERVE,
        .spent = nw__calloc(o.records, sizeof(double)) };
    if (filter->spent == NULL) {
        nw_individual_filter_free(filter);
        return nw__fail_memory(err, __func__);
    }
    *out = filter;
    return NW_OK;
}

void nw_individual_filter_free(nw_individual_filter *filter)
{
    if (filter == NULL)
        return;
    nw__free_wiped(filter->spent, filter->records * sizeof(double));
    free(filter);
}

/* The noise is drawn whoever takes part, so its distance is charged for all. Depends on public numbers only. */
static nw_status charge_samples(nw_individual_filter *filter, uint64_t samples, const char *function, nw_error *err)
{
    uint64_t all = 0;
    if (__builtin_add_overflow(filter->samples, samples, &all))
        all = UINT64_MAX;
    if (!(nw__sampler_delta(filter->epsilon, all) <= filter->events_limit))
        return nw__fail(err, NW_E_BUDGET, function, "over the share of delta for sampling, %g", filter->events_limit);
    filter->samples = all;
    return NW_OK;
}

/* Infinite where the loss has no bound. */
static bool charge(nw_individual_filter *filter, size_t i, double loss)
{
    const double sum = nw__up_add(filter->spent[i], loss);
    const bool fits = sum <= filter->limit;
    if (fits)
        filter->spent[i] = sum;
    return fits;
}

nw_status nw_individual_filter_gaussian(nw_individual_filter *filter, double sigma, double clip, uint64_t samples,
    const double *norms, bool *takes_part, nw_error *err)
{
    if (filter == NULL || norms == NULL || takes_part == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "filter, norms or takes_part is NULL");
    if (!(sigma > 0.0 && isfinite(sigma)))
        return nw__fail(err, NW_E_ARG, __func__, "sigma is %g, must be positive and finite", sigma);
    if (!(clip > 0.0 && isfinite(clip) && clip / sigma <= MOST_RATIO))
        return nw__fail(err, NW_E_ARG, __func__, "clip is %g, must be positive and finite, at most %g sigma", clip, MOST_RATIO);
    NW__TRY(charge_samples(filter, samples, __func__, err));
    for (size_t i = 0; i < filter->records; i++) {
        const double norm = norms[i] >= 0.0 && norms[i] <= clip ? norms[i] : clip;
        const double ratio = norm == 0.0 ? 0.0 : nw__up(norm / sigma);
        takes_part[i] = charge(filter, i, nw__up_multiply(0.5 * filter->order, nw__up_multiply(ratio, ratio)));
    }
    return NW_OK;
}

nw_status nw_individual_filter_renyi(
    nw_individual_filter *filter, uint64_t samples, const double *renyi, bool *takes_part, nw_error *err)
{
    if (filter == NULL || renyi == NULL || takes_part == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "filter, renyi or takes_part is NULL");
    NW__TRY(charge_samples(filter, samples, __func__, err));
    for (size_t i = 0; i < filter->records; i++)
        takes_part[i] = charge(filter, i, renyi[i] >= 0.0 ? renyi[i] : INFINITY);
    return NW_OK;
}

double nw_individual_filter_limit(const nw_individual_filter *filter)
{
    return filter->limit;
}

void nw_individual_filter_spent(const nw_individual_filter *filter, double *spent)
{
    memcpy(spent, filter->spent, filter->records * sizeof *spent);
}
