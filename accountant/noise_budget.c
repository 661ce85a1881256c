/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* noise_budget.c - from epsilon and delta to the noise of a release. */
#include "noise_budget.h"
#include "accountant_internal.h"

#include <math.h>

static const double SMALLEST_SHARE = 1e-15;
/* Below the sampler's own limit: figures are doubles, which end at 2^53 steps, and thresholds of up to 700 scales are int64. */
static const double LARGEST_SCALE = 0x1p50;

nw_status nw__check_budget(double epsilon, double delta, const char *function, nw_error *err)
{
    if (!(epsilon > 0.0 && epsilon <= NW__MAX_EPSILON))
        return nw__fail(err, NW_E_ARG, function, "epsilon is %g, must be in (0, %g]", epsilon, NW__MAX_EPSILON);
    if (!(delta >= 0.0 && delta < 1.0))
        return nw__fail(err, NW_E_ARG, function, "delta is %g, must be in [0, 1)", delta);
    return NW_OK;
}

nw_status nw__check_adjacency(nw_adjacency adjacency, const char *function, nw_error *err)
{
    if (adjacency == NW_ADD_REMOVE || adjacency == NW_REPLACE_ONE)
        return NW_OK;
    return nw__fail(err, NW_E_ARG, function, "adjacency is %s, must be add_remove or replace_one", nw_adjacency_name(adjacency));
}

/* Of a share the accountant will make up a whole: 2^-44 covers the rounding of up to 256 of them. */
nw_status nw__noise_budget_of(
    nw__noise_budget *out, double epsilon, double delta, double share, const char *function, nw_error *err)
{
    if (!(share >= SMALLEST_SHARE && share <= 1.0))
        return nw__fail(err, NW_E_ARG, function, "share is %g, must be in [%g, 1]", share, SMALLEST_SHARE);
    *out = delta == 0.0
               ? (nw__noise_budget){ NW_NOISE_DISCRETE_LAPLACE, NW_EVENT_DISCRETE_LAPLACE, true, epsilon }
               : (nw__noise_budget){ NW_NOISE_ROUNDED_GAUSSIAN, NW_EVENT_ROUNDED_GAUSSIAN, false, nw__budget_mu(epsilon, delta) };
    if (share < 1.0)
        out->amount *= (out->is_l1 ? share : sqrt(share)) * (1.0 - 0x1p-44);
    if (!(out->amount > 0.0))
        return nw__fail(err, NW_E_ARG, function, "epsilon is %g at delta %g, too small to be expressed", epsilon, delta);
    return NW_OK;
}

/* Two steps up cover the quotient, and the accountant's. A budget that asks for less noise than there is a sampler for gets the
 * least. */
nw_status nw__noise_calibrate(
    nw__calibrated *out, const nw__noise_budget *budget, double distance, double slack, const char *function, nw_error *err)
{
    out->scale = fmax(NW_NOISE_SMALLEST_SCALE, nw__up(nw__up(distance / budget->amount)) * slack);
    if (!(out->scale <= LARGEST_SCALE))
        return nw__fail(err, NW_E_ARG, function,
            "epsilon is too small for what it is shared by: the noise would be %g steps, must be at most 2^50", out->scale);
    out->deviation = nw__noise_deviation(budget->law, out->scale);
    return nw_noise_new(&out->noise, budget->law, out->scale, err);
}

double nw__noise_deviation(nw_noise_law law, double scale)
{
    if (law == NW_NOISE_DISCRETE_LAPLACE) /* variance 2 p / (1 - p)^2, p = e^(-1/b) */
        return 1.0 / (sqrt(2.0) * sinh(0.5 / scale));
    if (scale > 4.0) /* the error of Sheppard's correction is below 1e-130 */
        return sqrt(scale * scale + 1.0 / 12.0);
    double variance = 0.0; /* sum over k of (k^2 - (k-1)^2) P[|Z| >= k] */
    for (int k = 1; k <= 160; k++)
        variance += (2.0 * k - 1.0) * erfc((k - 0.5) / (scale * sqrt(2.0)));
    return sqrt(variance);
}
