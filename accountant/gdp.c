/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* gdp.c - Gaussian differential privacy: exact composition, conversion both ways, calibration. Bounds are certified: see
 * delta_upper. */
#include "accountant_internal.h"

#include <math.h>

static const double UNIT = 0x1p-53;
/* Beyond, the squares of what the vertex is looked for at leave the doubles: no finite mu is claimed. */
static const double MOST_PURE = 1e300;
static const double SQRT_HALF = 0.70710678118654752440;
static const double INVERSE_SQRT_TWO_PI = 0.39894228040143267794;
static const double SQRT_HALF_PI = 1.25331413731550025121;

double nw__up(double x)
{
    return nextafter(x, INFINITY);
}

double nw__down(double x)
{
    return nextafter(x, -INFINITY);
}

double nw__bisect(double yes, double no, nw__condition holds, const double given[2])
{
    for (;;) {
        const double middle = 0.5 * (yes + no);
        if (middle == yes || middle == no)
            return yes;
        if (holds(middle, given))
            yes = middle;
        else
            no = middle;
    }
}

/* Mills' ratio R(x) = Q(x) / phi(x), Q the upper tail of the normal law, with relative error below 2^8 UNIT.
 * x < 5: erfc and exp are good to an ulp; the rounding of x / sqrt 2 and x^2 / 2 is amplified by at most x^2 <= 25 each (only
 * |x| < 5 is asked for). x >= 5: the continued fraction 1 / (x + 1 / (x + 2 / (x + ...))), whose convergents enclose R; 100
 * terms reach 2^-60. */
static double mills(double x)
{
    if (x < 5.0)
        return SQRT_HALF_PI * erfc(x * SQRT_HALF) * exp(0.5 * x * x);
    double tail = x;
    for (int k = 100; k >= 1; k--)
        tail = x + k / tail;
    return 1.0 / tail;
}

/* delta(epsilon) = Q(a) - e^epsilon Q(b), a = epsilon / mu - mu / 2, b = a + mu  [BW18, Thm 8]
 *                = Q(a) - phi(a) R(b),                 for e^epsilon phi(b) = phi(a),
 * each term with its relative error, outward for sign = 1 (inward for -1): a carries an absolute error below 2 UNIT b, which
 * moves Q and phi by at most 2 UNIT b (|a| + 1) relatively; a^2 / 2 adds 2 UNIT a^2, and the functions 2^9 UNIT. The first term
 * is taken at its largest, the second at its least. */
static double delta_bound(double mu, double epsilon, double sign)
{
    const double a = epsilon / mu - 0.5 * mu;
    const double b = epsilon / mu + 0.5 * mu;
    const double error = UNIT * (512.0 + 4.0 * b * (fabs(a) + 1.0) + 2.0 * a * a);
    const double phi = INVERSE_SQRT_TWO_PI * exp(-0.5 * a * a);
    const double first = a < 5.0 ? 0.5 * erfc(a * SQRT_HALF) : phi * mills(a);
    const double second = phi * mills(b);
    const double delta = first * (1.0 + sign * error) - second * (1.0 - sign * error);
    return fmin(1.0, fmax(delta, sign > 0.0 ? 0x1p-1074 : 0.0)); /* what underflows is still positive */
}

static double delta_upper(double mu, double epsilon)
{
    return delta_bound(mu, epsilon, 1.0);
}

double nw__gdp_delta_lower(double mu, double epsilon)
{
    return mu > 0.0 ? delta_bound(mu, epsilon, -1.0) : 0.0;
}

static bool is_epsilon_too_small(double epsilon, const double mu_delta[2])
{
    return delta_bound(mu_delta[0], epsilon, -1.0) > mu_delta[1];
}

double nw__gdp_epsilon_lower(double mu, double delta)
{
    if (!(mu > 0.0) || !is_epsilon_too_small(0.0, (const double[2]){ mu, delta }))
        return 0.0;
    return nw__bisect(0.0, nw_gdp_epsilon(mu, delta), is_epsilon_too_small, (const double[2]){ mu, delta });
}

double nw_gdp_delta(double mu, double epsilon)
{
    if (!(mu >= 0.0 && epsilon >= 0.0))
        return NAN;
    if (mu == 0.0)
        return 0.0;
    if (isinf(mu))
        return 1.0;
    if (isinf(epsilon))
        return 0.0;
    return delta_upper(mu, epsilon);
}

/* The answers of the inversions below are ends of brackets at which the certified delta was evaluated, so they hold whatever the
 * bisection did. */
static bool is_epsilon_enough(double epsilon, const double mu_delta[2])
{
    return delta_upper(mu_delta[0], epsilon) <= mu_delta[1];
}

static bool is_mu_allowed(double mu, const double epsilon_delta[2])
{
    return mu == 0.0 || delta_upper(mu, epsilon_delta[0]) <= epsilon_delta[1];
}

double nw_gdp_epsilon(double mu, double delta)
{
    if (!(mu >= 0.0 && delta >= 0.0 && delta <= 1.0))
        return NAN;
    if (mu == 0.0 || delta == 1.0 || (!isinf(mu) && delta > 0.0 && delta_upper(mu, 0.0) <= delta))
        return 0.0;
    if (delta == 0.0 || isinf(mu))
        return INFINITY;
    double high = 0.5 * mu * mu + mu * sqrt(-2.0 * log(delta)); /* the Gaussian tail bound */
    while (delta_upper(mu, high) > delta)
        high = 2.0 * high + mu;
    return nw__bisect(high, 0.0, is_epsilon_enough, (const double[2]){ mu, delta });
}

double nw_gdp_mu(double epsilon, double delta)
{
    if (!(epsilon >= 0.0 && delta >= 0.0 && delta <= 1.0))
        return NAN;
    if (delta == 0.0)
        return 0.0;
    if (delta == 1.0)
        return INFINITY;
    double high = 1.0;
    while (delta_upper(high, epsilon) <= delta)
        high *= 2.0;
    return nw__bisect(0.0, high, is_mu_allowed, (const double[2]){ epsilon, delta });
}

/* Is z at least the point where Q(z) = 1 / (1 + e^epsilon), surely? For small epsilon as erf(z / sqrt 2) >= tanh(epsilon / 2),
 * which keeps the relative accuracy; beyond, by logarithms: log phi(z) + log R(z) <= -log(1 + e^epsilon). Errors as in mills. */
static bool is_beyond_vertex(double z, const double given[2])
{
    const double epsilon = given[0];
    if (epsilon < 5.0)
        return erf(z * SQRT_HALF) * (1.0 - 64.0 * UNIT) >= tanh(0.5 * epsilon);
    const double log_tail = log(INVERSE_SQRT_TWO_PI * mills(z)) - 0.5 * z * z;
    return log_tail + UNIT * (512.0 + 2.0 * z * z) <= -(epsilon + log1p(exp(-epsilon))) - 4.0 * UNIT * epsilon;
}

double nw_gdp_from_pure(double epsilon)
{
    if (!(epsilon >= 0.0))
        return NAN;
    if (epsilon == 0.0)
        return 0.0;
    if (epsilon > MOST_PURE)
        return INFINITY;
    double high = 1.0 + sqrt(2.0 * epsilon);
    while (!is_beyond_vertex(high, (const double[2]){ epsilon, 0.0 }))
        high *= 2.0;
    return 2.0 * nw__bisect(high, 0.0, is_beyond_vertex, (const double[2]){ epsilon, 0.0 });
}

/* [DDR20, Lemma 3.3] bounds a pair whose losses lie in an interval of length epsilon by two answers of probabilities
 * logistic(x + epsilon / 2) and logistic(x - epsilon / 2) for some x; of these x = 0 is furthest in mu, where the pair is
 * randomized response of epsilon / 2. Proof: docs/rooms/accounting.md#bounded-range-into-gdp. */
double nw_gdp_from_range(double epsilon)
{
    const double half = 0.5 * epsilon;
    return nw_gdp_from_pure(2.0 * half < epsilon ? nw__up(half) : half); /* which may underflow */
}

static bool costs_at_most(double epsilon, const double given[2])
{
    return nw_gdp_from_range(epsilon) <= given[0];
}

double nw_gdp_range(double mu)
{
    if (!(mu >= 0.0))
        return NAN;
    if (mu == 0.0 || isinf(mu))
        return mu;
    const double given[2] = { mu, 0.0 };
    double low = 0.5 * mu; /* for small epsilon mu is 0.63 epsilon, and it grows ever slower */
    double high = 2.0 * mu;
    while (costs_at_most(high, given)) {
        low = high;
        high *= 2.0;
    }
    return nw__bisect(low, high, costs_at_most, given);
}

double nw__budget_mu(double epsilon, double delta)
{
    return nw_gdp_mu(epsilon, delta * (1.0 - NW__DELTA_RESERVE));
}

nw_status nw_calibrate_gaussian(
    double *sigma, double epsilon, double delta, nw_sensitivity l2, uint64_t count, nw_adjacency adjacency, nw_error *err)
{
    nw_event *unit = NULL;
    nw_cost cost;
    if (sigma == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "sigma is NULL");
    if (!(epsilon > 0.0 && epsilon <= 1e6))
        return nw__fail(err, NW_E_ARG, __func__, "epsilon is %g, must be in (0, 1e6]", epsilon);
    if (!(delta > 0.0 && delta < 1.0))
        return nw__fail(err, NW_E_ARG, __func__, "delta is %g, must be in (0, 1)", delta);
    if (count == 0)
        return nw__fail(err, NW_E_ARG, __func__, "count is 0, must be at least 1");
    /* the cost of noise of scale 1 is the squared distance of neighbours under this adjacency */
    NW__TRY(nw_event_gaussian(&unit, 1.0, l2, err));
    const nw_status status = nw_event_cost(unit, adjacency, &cost, err);
    nw_event_free(unit);
    NW__TRY(status);
    *sigma = nw__up(nw__up(sqrt(cost.mu_squared * (double)count)) / nw_gdp_mu(epsilon, delta));
    return NW_OK;
}
