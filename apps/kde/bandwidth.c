/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bandwidth.c - see bandwidth.h. */
#include "bandwidth.h"

#include <math.h>
#include <stdlib.h>

enum { CANDIDATES = 1000 };
static const double GROUP = 3.0; /* pairs that one point changes */

/* Of a pair, each coordinate held to its bounds; NaN counts as their middle. */
static double distance(const bandwidth_choice *c, const float *x, const float *y)
{
    double sum = 0.0;
    for (size_t j = 0; j < c->data->d; j++) {
        const double middle = 0.5 * (c->lower[j] + c->upper[j]);
        const double a = x == NULL ? c->lower[j] : isnan(x[j]) ? middle : fmin(fmax((double)x[j], c->lower[j]), c->upper[j]);
        const double b = y == NULL ? c->upper[j] : isnan(y[j]) ? middle : fmin(fmax((double)y[j], c->lower[j]), c->upper[j]);
        sum += c->is_l1 ? fabs(a - b) : (a - b) * (a - b);
    }
    return c->is_l1 ? sum : sqrt(sum);
}

double bandwidth_most(const bandwidth_choice *choice)
{
    return distance(choice, NULL, NULL);
}

nw_status bandwidth_event(nw_event **out, const bandwidth_choice *choice, nw_error *err)
{
    return nw_event_selection(out, NW_EVENT_EXPONENTIAL, choice->epsilon, choice->adjacency, err);
}

static nw_status make_median(nw_stats **out, const bandwidth_choice *c, nw_error *err)
{
    nw_stats_query query = NW_STATS_QUERY_INIT;
    nw_stats_opts opts = NW_STATS_OPTS_INIT;
    query.kind = NW_STATS_QUANTILE;
    query.upper = bandwidth_most(c);
    query.lower = query.upper / CANDIDATES;
    query.cells = CANDIDATES;
    opts.epsilon = c->epsilon / GROUP;
    opts.delta = 0.0;
    opts.adjacency = NW_ADD_REMOVE; /* of pairs; a replaced point replaces one of them */
    return nw_stats_new(out, &query, 1, &opts, err);
}

static nw_status add_pairs(nw_stats *stats, const bandwidth_choice *c, nw_rng *rng, nw_error *err)
{
    const size_t n = c->data->n, d = c->data->d;
    size_t *order = calloc(n + 1, sizeof *order);
    double *distances = calloc(n / 2 + 1, sizeof *distances);
    nw_status status = order == NULL || distances == NULL ? NW_E_NOMEM : NW_OK;
    for (size_t i = 0; status == NW_OK && i < n; i++)
        order[i] = i;
    if (status == NW_OK)
        status = nw_rng_shuffle(rng, order, n, sizeof *order, err);
    for (size_t i = 0; status == NW_OK && i < n / 2; i++)
        distances[i] = distance(c, c->data->x + order[2 * i] * d, c->data->x + order[2 * i + 1] * d);
    if (status == NW_OK)
        status = nw_stats_add(stats, 0, NULL, distances, n / 2, err);
    free(order);
    free(distances);
    return status;
}

nw_status bandwidth_choose(double *out, const bandwidth_choice *choice, nw_rng *rng, nw_ledger *ledger, nw_error *err)
{
    nw_event *event = NULL;
    nw_stats *stats = NULL;
    nw_ledger *pairs = NULL; /* its records are pairs; what a point costs is charged to the caller's */
    nw_ledger_opts opts = NW_LEDGER_OPTS_INIT;
    nw_stats_figure figure = { 0 };
    nw_status status = bandwidth_event(&event, choice, err);
    if (status == NW_OK)
        status = make_median(&stats, choice, err);
    if (status == NW_OK)
        status = nw_ledger_charge(ledger, event, "bandwidth", rng, NULL, err);
    if (status == NW_OK)
        status = add_pairs(stats, choice, rng, err);
    opts.delta = 0.5; /* losses are stated at it, and nobody asks */
    opts.adjacency = NW_ADD_REMOVE;
    if (status == NW_OK)
        status = nw_ledger_unlimited(&pairs, &opts, err);
    if (status == NW_OK)
        status = nw_stats_release(stats, rng, pairs, "bandwidth", NULL, err);
    if (status == NW_OK)
        status = nw_stats_get(stats, 0, 0, &figure, err);
    *out = figure.value;
    nw_ledger_close(pairs);
    nw_stats_free(stats);
    nw_event_free(event);
    return status;
}
