/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* grid.c - reals to integers and back on a grid g = 2^k; proof note in docs/rooms/sampler.md#grid. */
#include "base.h"

#include <math.h>
#include <nw/grid.h>

static const int SMALLEST_EXPONENT = -1022; /* g is a normal double, so products with it are exact or overflow */
static const int LARGEST_EXPONENT = 900;
static const double LARGEST_STEPS = 0x1p62; /* of a bound: leaves room to add noise in int64 */
static const int64_t LARGEST_EXACT = INT64_C(1) << 53;

nw_status nw_grid_choose(nw_grid *out, double sigma, double sensitivity_l2, size_t dimension, nw_error *err)
{
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    if (!(sigma > 0.0) || isinf(sigma))
        return nw__fail(err, NW_E_ARG, __func__, "sigma is %g, must be positive and finite", sigma);
    if (!(sensitivity_l2 > 0.0) || isinf(sensitivity_l2))
        return nw__fail(err, NW_E_ARG, __func__, "sensitivity_l2 is %g, must be positive and finite", sensitivity_l2);
    if (dimension == 0)
        return nw__fail(err, NW_E_ARG, __func__, "dimension is 0, must be at least 1");
    const double widest = fmin(ldexp(sensitivity_l2 / sqrt((double)dimension), -20), ldexp(sigma, -10));
    int exponent = 0;
    frexp(widest, &exponent);                                                     /* widest = f 2^exponent, f in [1/2, 1) */
    exponent -= 1;                                                                /* so 2^exponent <= widest */
    while (ldexp(sqrt((double)dimension), exponent) > ldexp(sensitivity_l2, -20)) /* rounding of the quotient */
        exponent--;
    if (!(widest > 0.0) || exponent < SMALLEST_EXPONENT || exponent > LARGEST_EXPONENT)
        return nw__fail(err, NW_E_ARG, __func__, "the grid step 2^%d is out of range, must be in 2^%d .. 2^%d", exponent,
            SMALLEST_EXPONENT, LARGEST_EXPONENT);
    out->exponent = exponent;
    return NW_OK;
}

static nw_status check_bounds(
    nw_grid grid, const double *x, const int64_t *q, size_t n, double lower, double upper, const char *function, nw_error *err)
{
    if (n > 0 && (x == NULL || q == NULL))
        return nw__fail(err, NW_E_ARG, function, "%s is NULL", x == NULL ? "x" : "q");
    if (!(lower <= upper) || isinf(lower) || isinf(upper))
        return nw__fail(err, NW_E_ARG, function, "lower is %g and upper is %g, must be finite and lower <= upper", lower, upper);
    const double steps = ldexp(fmax(fabs(lower), fabs(upper)), -grid.exponent);
    if (!(steps < LARGEST_STEPS))
        return nw__fail(err, NW_E_ARG, function, "a bound is %g grid steps, must be below 2^62", steps);
    return NW_OK;
}

static double clamped(double x, double lower, double upper)
{
    const double value = isnan(x) ? 0.0 : x; /* before the clamp: NaN must not pass it */
    return value < lower ? lower : value > upper ? upper : value;
}

/* floor(s + 1/2) without adding: s + 0.5 rounds up for the double just below 1/2. s - floor(s) is exact. */
static double round_half_up(double s)
{
    const double whole = floor(s);
    return s - whole >= 0.5 ? whole + 1.0 : whole;
}

nw_status nw_grid_round(nw_grid grid, const double *x, size_t n, double lower, double upper, int64_t *q, nw_error *err)
{
    NW__TRY(check_bounds(grid, x, q, n, lower, upper, __func__, err));
    for (size_t i = 0; i < n; i++)
        q[i] = (int64_t)round_half_up(ldexp(clamped(x[i], lower, upper), -grid.exponent));
    return NW_OK;
}

nw_status nw_grid_truncate(nw_grid grid, const double *x, size_t n, double lower, double upper, int64_t *q, nw_error *err)
{
    NW__TRY(check_bounds(grid, x, q, n, lower, upper, __func__, err));
    for (size_t i = 0; i < n; i++)
        q[i] = (int64_t)trunc(ldexp(clamped(x[i], lower, upper), -grid.exponent));
    return NW_OK;
}

nw_status nw_grid_to_double(nw_grid grid, const int64_t *q, size_t n, double *x, nw_error *err)
{
    if (n > 0 && (q == NULL || x == NULL))
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", q == NULL ? "q" : "x");
    for (size_t i = 0; i < n; i++) {
        const int64_t steps = q[i] > LARGEST_EXACT ? LARGEST_EXACT : q[i] < -LARGEST_EXACT ? -LARGEST_EXACT : q[i];
        x[i] = ldexp((double)steps, grid.exponent);
    }
    return NW_OK;
}

/* sensitivity + g * factor, rounded up: two roundings to nearest, undone by one step up each. */
static double inflate(nw_grid grid, double sensitivity, double factor)
{
    const double added = ldexp(nextafter(factor, INFINITY), grid.exponent);
    return nextafter(sensitivity + added, INFINITY);
}

double nw_grid_inflate_l1(nw_grid grid, double sensitivity_l1, size_t dimension)
{
    return inflate(grid, sensitivity_l1, (double)dimension);
}

double nw_grid_inflate_l2(nw_grid grid, double sensitivity_l2, size_t dimension)
{
    return inflate(grid, sensitivity_l2, sqrt((double)dimension));
}
