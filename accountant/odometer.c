/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* odometer.c - a reading that holds whenever one stops: the first of a fixed sequence of boxes, whose deltas add up to delta,
 * that holds everything so far. docs/rooms/filter.md#odometer. */
#include "filter_box.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* From 2^-10 to 2^6 in steps of sqrt(2). */
enum { MOST_LEVELS = 33 };
static const double LEAST_FIRST = 0x1p-10;
static const double SIX_OVER_PI_SQUARED = 0.60792710185402662; /* rounded down: 0.607927101854026628... */
static const double SQRT_TWO = 1.41421356237309504880;

struct nw_odometer {
    nw__gauge gauge;
    nw__totals totals;
    size_t level_count;
    nw__box levels[MOST_LEVELS]; /* in increasing order of epsilon */
};

void nw_odometer_opts_init(nw_odometer_opts *opts, size_t struct_size)
{
    const nw_odometer_opts defaults = NW_ODOMETER_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

static nw_status check_opts(const nw_odometer_opts *o, const char *function, nw_error *err)
{
    if (!(o->delta > 0.0 && o->delta < 1.0))
        return nw__fail(err, NW_E_ARG, function, "delta is %g, must be in (0, 1)", o->delta);
    if (o->kind < NW_FILTER_AUTO || o->kind > NW_FILTER_APPROX || o->kind == NW_FILTER_SCHEDULE || o->kind == NW_FILTER_PURE)
        return nw__fail(err, NW_E_ARG, function,
            "kind is %d, must be auto, gdp, zcdp, renyi or approx (a sum of pure epsilons is an odometer as it is)",
            (int)o->kind);
    if (!(o->first_epsilon >= LEAST_FIRST && o->first_epsilon <= NW__MAX_EPSILON))
        return nw__fail(
            err, NW_E_ARG, function, "first_epsilon is %g, must be in [%g, %g]", o->first_epsilon, LEAST_FIRST, NW__MAX_EPSILON);
    return NW_OK;
}

/* Box i has 6 / (pi^2 (i + 1)^2) of delta; the sum over all i is 1. Boxes that let nothing through stay: their limits are not
 * positive. False if all are like that. */
static bool make_levels(nw_odometer *odometer, const nw_odometer_opts *o)
{
    bool is_open = false;
    for (size_t i = 0; i < MOST_LEVELS; i++) {
        const double epsilon = ldexp(o->first_epsilon, (int)(i / 2)) * (i % 2 == 1 ? SQRT_TWO : 1.0);
        const double delta = nw__down(nw__down(o->delta * SIX_OVER_PI_SQUARED) / (double)((i + 1) * (i + 1)));
        if (epsilon > NW__MAX_EPSILON)
            break;
        is_open = nw__box_make(&odometer->levels[i], &odometer->gauge, epsilon, delta, o->events_share) || is_open;
        odometer->level_count = i + 1;
    }
    return is_open;
}

nw_status nw_odometer_new(nw_odometer **out, const nw_odometer_opts *opts, nw_error *err)
{
    nw_odometer_opts o = NW_ODOMETER_OPTS_INIT;
    if (out != NULL)
        *out = NULL;
    if (out == NULL || opts == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : "opts");
    memcpy(&o, opts, opts->struct_size < sizeof o ? opts->struct_size : sizeof o);
    NW__TRY(check_opts(&o, __func__, err));
    const nw__gauge_opts asked = { o.kind == NW_FILTER_AUTO ? NW_FILTER_GDP : o.kind, o.adjacency, o.events_share, o.orders,
        o.weights, o.order_count };
    nw_odometer *odometer = nw__calloc(1, sizeof *odometer);
    if (odometer == NULL)
        return nw__fail_memory(err, __func__);
    nw_status status = nw__gauge_make(&odometer->gauge, &asked, __func__, err);
    if (status == NW_OK && !make_levels(odometer, &o))
        status = nw__fail(err, NW_E_ARG, __func__, "kind %s lets nothing through at epsilon %g and below, delta %g",
            nw_filter_name(asked.kind), NW__MAX_EPSILON, o.delta);
    if (status != NW_OK) {
        nw_odometer_free(odometer);
        return status;
    }
    *out = odometer;
    return NW_OK;
}

void nw_odometer_free(nw_odometer *odometer)
{
    free(odometer);
}

nw_status nw_odometer_add(nw_odometer *odometer, const nw_event *event, nw_error *err)
{
    nw__totals loss;
    if (odometer == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "odometer is NULL");
    NW__TRY(nw__gauge_measure(&odometer->gauge, event, &loss, __func__, err));
    nw__totals_add(&odometer->gauge, &odometer->totals, &loss);
    return NW_OK;
}

/* Nothing that can be told apart was released. */
static bool is_free(const nw_odometer *odometer)
{
    const nw__totals *t = &odometer->totals;
    bool is_zero = t->cost.delta == 0.0 && t->cost.samples == 0;
    if (odometer->gauge.kind != NW_FILTER_RENYI)
        return is_zero && nw__currency(odometer->gauge.kind, &t->cost) == 0.0;
    for (int d = 0; d < 2; d++)
        is_zero = is_zero && t->renyi[d][0] == 0.0;
    return is_zero;
}

double nw_odometer_epsilon(const nw_odometer *odometer)
{
    if (is_free(odometer))
        return 0.0;
    for (size_t i = 0; i < odometer->level_count; i++)
        if (nw__box_holds(&odometer->levels[i], &odometer->gauge, &odometer->totals))
            return odometer->levels[i].epsilon;
    return INFINITY;
}
