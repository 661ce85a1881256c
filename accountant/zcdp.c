/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* zcdp.c - zero-concentrated DP to approximate DP, [CKS20, Prop. 12] with the order optimised continuously. Any order gives a
 * valid bound, so only the evaluation at the order that is used has to be rounded up. */
#include "accountant_internal.h"

#include <math.h>

/* Relative error of an evaluation: a handful of roundings of terms that are summed in absolute value. */
static const double ERROR = 0x1p-49;

typedef double (*bound)(double order_minus_1, double rho, double given);

static double sum_up(const double terms[4])
{
    double sum = 0.0;
    double size = 0.0;
    for (int i = 0; i < 4; i++) {
        sum += terms[i];
        size += fabs(terms[i]);
    }
    return sum + ERROR * size;
}

/* epsilon = rho a + log(1 - 1/a) - (log delta + log a) / (a - 1), with m = a - 1; log(1 - 1/a) = -log1p(1/m). */
static double epsilon_at(double m, double rho, double delta)
{
    const double terms[4] = { rho * (m + 1.0), -log1p(1.0 / m), -log(delta) / m, -log1p(m) / m };
    return sum_up(terms);
}

/* log delta = (a - 1) (rho a - epsilon + log(1 - 1/a)) - log a. */
static double log_delta_at(double m, double rho, double epsilon)
{
    const double terms[4] = { m * rho * (m + 1.0), -m * epsilon, -m * log1p(1.0 / m), -log1p(m) };
    return sum_up(terms);
}

/* Golden-section search over log m in [-40, 80]; the least value seen. */
static double minimise(bound f, double rho, double given)
{
    const double ratio = 0.61803398874989484820;
    double low = -40.0;
    double high = 80.0;
    double x = high - ratio * (high - low);
    double y = low + ratio * (high - low);
    double fx = f(exp(x), rho, given);
    double fy = f(exp(y), rho, given);
    double least = fmin(fx, fy);
    for (int i = 0; i < 120; i++) {
        if (fx < fy) {
            high = y;
            y = x;
            fy = fx;
            x = high - ratio * (high - low);
            fx = f(exp(x), rho, given);
        } else {
            low = x;
            x = y;
            fx = fy;
            y = low + ratio * (high - low);
            fy = f(exp(y), rho, given);
        }
        least = fmin(least, fmin(fx, fy));
    }
    return least;
}

double nw_zcdp_epsilon(double rho, double delta)
{
    if (!(rho >= 0.0 && delta >= 0.0 && delta <= 1.0))
        return NAN;
    if (rho == 0.0 || delta == 1.0)
        return 0.0;
    if (delta == 0.0 || isinf(rho))
        return INFINITY;
    return fmax(0.0, minimise(epsilon_at, rho, delta));
}

double nw_zcdp_delta(double rho, double epsilon)
{
    if (!(rho >= 0.0 && epsilon >= 0.0))
        return NAN;
    if (rho == 0.0 || isinf(epsilon))
        return 0.0;
    if (isinf(rho))
        return 1.0;
    const double log_delta = minimise(log_delta_at, rho, epsilon);
    return fmin(1.0, fmax(0x1p-1074, exp(log_delta) * (1.0 + ERROR)));
}

static bool is_rho_allowed(double rho, const double epsilon_delta[2])
{
    return nw_zcdp_epsilon(rho, epsilon_delta[1]) <= epsilon_delta[0];
}

double nw_zcdp_rho(double epsilon, double delta)
{
    if (!(epsilon >= 0.0 && delta >= 0.0 && delta <= 1.0))
        return NAN;
    if (delta == 0.0)
        return 0.0;
    if (delta == 1.0)
        return INFINITY;
    double high = 1.0;
    while (nw_zcdp_epsilon(high, delta) <= epsilon)
        high *= 2.0;
    return nw__bisect(0.0, high, is_rho_allowed, (const double[2]){ epsilon, delta });
}
