/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* tradeoff.c - the trade-off curve f and the Gaussian-DP parameter, read off certified deltas.
 *
 * f(alpha) = max over epsilon >= 0 of 1 - delta - e^epsilon alpha and e^-epsilon (1 - delta - alpha)  [DRS22, Prop. 2.12]: upper
 * deltas at any set of epsilons give a lower bound of f, which is the safe side. */
#include "accountant_internal.h"

#include <math.h>
#include <stdlib.h>

enum { POINTS = 96 };

typedef struct curve {
    size_t n;
    double epsilon[POINTS];
    double delta[POINTS]; /* upper */
} curve;

/* Epsilons from 0 to where delta is `last`, each with its certified delta. */
static nw_status make_curve(curve *out, const nw_event *event, nw_adjacency adjacency, double last, nw_error *err)
{
    double end = 0.0;
    const char *method = NULL;
    NW__TRY(nw_event_epsilon(event, adjacency, last, &end, &method, err));
    out->n = 0;
    if (isinf(end))
        end = 64.0;
    for (size_t i = 0; i < POINTS; i++) {
        out->epsilon[i] = end * (double)i / (double)(POINTS - 1);
        NW__TRY(nw_event_delta(event, adjacency, out->epsilon[i], &out->delta[i], &method, err));
        out->n++;
    }
    return NW_OK;
}

static double lower_at(const curve *c, double alpha)
{
    double f = 0.0;
    for (size_t i = 0; i < c->n; i++) {
        const double e = exp(c->epsilon[i]);
        f = fmax(f, fmax(1.0 - c->delta[i] - e * alpha, (1.0 - c->delta[i] - alpha) / e));
    }
    return fmax(0.0, f - 0x1p-45);
}

nw_status nw_account_tradeoff(
    const nw_event *event, nw_adjacency adjacency, const double *alpha, size_t n, double *lower, nw_error *err)
{
    curve *c = NULL;
    if (event == NULL || alpha == NULL || lower == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", event == NULL ? "event" : alpha == NULL ? "alpha" : "lower");
    for (size_t i = 0; i < n; i++)
        if (!(alpha[i] >= 0.0 && alpha[i] <= 1.0))
            return nw__fail(err, NW_E_ARG, __func__, "alpha[%zu] is %g, must be in [0, 1]", i, alpha[i]);
    c = nw__calloc(1, sizeof *c);
    if (c == NULL)
        return nw__fail_memory(err, __func__);
    const nw_status status = make_curve(c, event, adjacency, 1e-12, err);
    for (size_t i = 0; status == NW_OK && i < n; i++)
        lower[i] = lower_at(c, alpha[i]);
    free(c);
    return status;
}

/* Does mu-Gaussian DP hold at every point of [epsilon_i, epsilon_(i+1)]: delta falls, so its value on the left against the
 * Gaussian's on the right. */
static bool holds(double mu, const curve *c)
{
    for (size_t i = 0; i + 1 < c->n; i++)
        if (c->delta[i] > nw__gdp_delta_lower(mu, c->epsilon[i + 1]))
            return false;
    return true;
}

/* The least mu above the curve; INFINITY if delta does not fall to `last`, as a Gaussian's does. */
static double mu_of(const curve *c, double last)
{
    double high = 1e-6;
    if (!(c->delta[c->n - 1] <= 2.0 * last))
        return INFINITY;
    while (high < 1e6 && !holds(high, c))
        high *= 2.0;
    double low = 0.5 * high;
    for (int i = 0; i < 40; i++) {
        const double middle = 0.5 * (low + high);
        *(holds(middle, c) ? &high : &low) = middle;
    }
    return high < 1e6 ? high : INFINITY;
}

nw_status nw_account_mu(const nw_event *event, nw_adjacency adjacency, double *mu, nw_error *err)
{
    const double last = 1e-15;
    nw_cost cost;
    double majorant = INFINITY; /* mu^2 added up: exact for Gaussians, for pure guarantees up to a quarter more than need be */
    double delta = 0.0;
    const char *method = NULL;
    if (event == NULL || mu == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", event == NULL ? "event" : "mu");
    NW__TRY(nw_event_delta(event, adjacency, 0.0, &delta, &method, err));
    if (nw_event_cost(event, adjacency, &cost, NULL) == NW_OK && cost.delta == 0.0)
        majorant = nw__up(sqrt(cost.mu_squared));
    *mu = majorant;
    if (isfinite(majorant) && method[0] == 'g')
        return NW_OK;
    curve *c = nw__calloc(1, sizeof *c);
    if (c == NULL)
        return nw__fail_memory(err, __func__);
    const nw_status status = make_curve(c, event, adjacency, last, err);
    if (status == NW_OK)
        *mu = fmin(majorant, mu_of(c, last));
    free(c);
    return status;
}
