/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* grid.c - reals to integers and back on a grid g = 2^k; proof note in docs/rooms/sampler.md#grid. */
#include "grid_internal.h"

#include <math.h>

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

static nw_status check_exponent(nw_grid grid, const char *function, nw_error *err)
{
    if (grid.exponent < SMALLEST_EXPONENT || grid.exponent > LARGEST_EXPONENT)
        return nw__fail(err, NW_E_ARG, function, "the grid step is 2^%d, must be in 2^%d .. 2^%d", grid.exponent,
            SMALLEST_EXPONENT, LARGEST_EXPONENT);
    return NW_OK;
}

nw_status nw__grid_check(nw_grid grid, double lower, double upper, const char *function, nw_error *err)
{
    NW__TRY(check_exponent(grid, function, err));
    if (!(lower <= upper) || isinf(lower) || isinf(upper))
        return nw__fail(err, NW_E_ARG, function, "lower is %g and upper is %g, must be finite and lower <= upper", lower, upper);
    const double steps = ldexp(fmax(fabs(lower), fabs(upper)), -grid.exponent);
    if (!(steps < LARGEST_STEPS))
        return nw__fail(err, NW_E_ARG, function, "a bound is %g grid steps, must be below 2^62", steps);
    return NW_OK;
}

static inline double clamped(double x, double lower, double upper)
{
    const double value = isnan(x) ? 0.0 : x; /* before the clamp: NaN must not pass it */
    return value < lower ? lower : value > upper ? upper : value;
}

/* floor(s + 1/2) without adding: s + 0.5 rounds up for the double just below 1/2. s - floor(s) is exact. */
static inline double round_half_up(double s)
{
    const double whole = floor(s);
    return s - whole >= 0.5 ? whole + 1.0 : whole;
}

/* 1/g is a normal double for every exponent allowed, so a product with it is rounded as ldexp would: only below 2^-1022. */
NW__CLONES static void round_all(nw_grid grid, const double *x, size_t n, double lower, double upper, int64_t *q)
{
    const double per_step = ldexp(1.0, -grid.exponent);
    for (size_t i = 0; i < n; i++)
        q[i] = (int64_t)round_half_up(clamped(x[i], lower, upper) * per_step);
}

NW__CLONES static void truncate_all(nw_grid grid, const double *x, size_t n, double lower, double upper, int64_t *q)
{
    const double per_step = ldexp(1.0, -grid.exponent);
    for (size_t i = 0; i < n; i++)
        q[i] = (int64_t)trunc(clamped(x[i], lower, upper) * per_step);
}

NW__CLONES static void scale_all(nw_grid grid, const int64_t *q, size_t n, double *x)
{
    const double step = ldexp(1.0, grid.exponent);
    for (size_t i = 0; i < n; i++) {
        const int64_t steps = q[i] > LARGEST_EXACT ? LARGEST_EXACT : q[i] < -LARGEST_EXACT ? -LARGEST_EXACT : q[i];
        x[i] = (double)steps * step;
    }
}

/* The library's own names; a function in clones would be exported with its resolver. */
void nw__grid_round(nw_grid grid, const double *x, size_t n, double lower, double upper, int64_t *q)
{
    round_all(grid, x, n, lower, upper, q);
}

void nw__grid_to_double(nw_grid grid, const int64_t *q, size_t n, double *x)
{
    scale_all(grid, q, n, x);
}

static nw_status check_vectors(const void *x, const void *q, size_t n, const char *function, nw_error *err)
{
    if (n > 0 && (x == NULL || q == NULL))
        return nw__fail(err, NW_E_ARG, function, "%s is NULL", x == NULL ? "x" : "q");
    return NW_OK;
}

nw_status nw_grid_round(nw_grid grid, const double *x, size_t n, double lower, double upper, int64_t *q, nw_error *err)
{
    NW__TRY(check_vectors(x, q, n, __func__, err));
    NW__TRY(nw__grid_check(grid, lower, upper, __func__, err));
    round_all(grid, x, n, lower, upper, q);
    return NW_OK;
}

nw_status nw_grid_truncate(nw_grid grid, const double *x, size_t n, double lower, double upper, int64_t *q, nw_error *err)
{
    NW__TRY(check_vectors(x, q, n, __func__, err));
    NW__TRY(nw__grid_check(grid, lower, upper, __func__, err));
    truncate_all(grid, x, n, lower, upper, q);
    return NW_OK;
}

nw_status nw_grid_to_double(nw_grid grid, const int64_t *q, size_t n, double *x, nw_error *err)
{
    NW__TRY(check_vectors(x, q, n, __func__, err));
    NW__TRY(check_exponent(grid, __func__, err));
    scale_all(grid, q, n, x);
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
