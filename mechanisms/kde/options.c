/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* options.c - options checked, resolved and copied: public quantities only. */
#include "kde_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double LEAST_BANDWIDTH = 1e-30;
static const double MOST_BANDWIDTH = 1e30;
static const double MOST_BOUND = 1e30;
static const double REACH = 0x1p40; /* bandwidths at which a point without bounds is cut off */

void nw_kde_opts_init(nw_kde_opts *opts, size_t struct_size)
{
    const nw_kde_opts defaults = NW_KDE_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

static nw_status check_function(const nw_kde_opts *o, const char *function, nw_error *err)
{
    if (nw_kde_kernel_name(o->kernel) == NULL)
        return nw__fail(err, NW_E_ARG, function, "kernel is %d, must be one of nw_kde_kernel", (int)o->kernel);
    if (o->dimension < 1 || o->dimension > NW__KDE_MOST_DIMENSIONS)
        return nw__fail(err, NW_E_ARG, function, "dimension is %zu, must be in 1 .. %d", o->dimension, NW__KDE_MOST_DIMENSIONS);
    if (nw__kde_has_bandwidth(o->kernel) && !(o->bandwidth >= LEAST_BANDWIDTH && o->bandwidth <= MOST_BANDWIDTH))
        return nw__fail(
            err, NW_E_ARG, function, "bandwidth is %g, must be in [%g, %g]", o->bandwidth, LEAST_BANDWIDTH, MOST_BANDWIDTH);
    if (o->kernel == NW_KDE_LPP && !(o->power >= 0.1 && o->power <= 8.0))
        return nw__fail(err, NW_E_ARG, function, "power is %g, must be in [0.1, 8]", o->power);
    if (o->is_half && o->kernel != NW_KDE_GAUSSIAN)
        return nw__fail(err, NW_E_ARG, function, "is_half is true, must be false for %s", nw_kde_kernel_name(o->kernel));
    return NW_OK;
}

static nw_status check_bounds(const nw_kde_opts *o, const char *function, nw_error *err)
{
    if ((o->lower == NULL) != (o->upper == NULL))
        return nw__fail(err, NW_E_ARG, function, "lower and upper must both be given, or neither");
    if (o->lower == NULL)
        return nw__kde_has_bandwidth(o->kernel)
                   ? NW_OK
                   : nw__fail(
                         err, NW_E_ARG, function, "lower and upper are missing: %s needs bounds", nw_kde_kernel_name(o->kernel));
    for (size_t j = 0; j < o->dimension; j++)
        if (!(o->lower[j] < o->upper[j] && o->lower[j] >= -MOST_BOUND && o->upper[j] <= MOST_BOUND &&
                (float)o->lower[j] < (float)o->upper[j]))
            return nw__fail(err, NW_E_ARG, function,
                "bounds of coordinate %zu are [%g, %g], must be lower < upper as floats, at most 1e30 in magnitude", j,
                o->lower[j], o->upper[j]);
    return NW_OK;
}

static nw_status check_sizes(const nw_kde_opts *o, const char *function, nw_error *err)
{
    if (nw_kde_estimator_name(o->estimator) == NULL)
        return nw__fail(err, NW_E_ARG, function, "estimator is %d, must be one of nw_kde_estimator", (int)o->estimator);
    if (o->size > NW__KDE_MOST_TOTALS)
        return nw__fail(err, NW_E_ARG, function, "size is %zu, must be at most %d", o->size, NW__KDE_MOST_TOTALS);
    if (o->public_points < -1 || o->public_points > INT64_C(1) << 40)
        return nw__fail(
            err, NW_E_ARG, function, "public_points is %lld, must be -1 (private) or in 0 .. 2^40", (long long)o->public_points);
    if (!(o->expected_points >= 0.0 && o->expected_points <= 0x1p40))
        return nw__fail(err, NW_E_ARG, function, "expected_points is %g, must be in [0, 2^40]", o->expected_points);
    if (!(o->expected_density > 0.0 && o->expected_density <= 1.0))
        return nw__fail(err, NW_E_ARG, function, "expected_density is %g, must be in (0, 1]", o->expected_density);
    if ((o->landmarks == NULL) != (o->landmark_count == 0) || o->landmark_count > NW__KDE_MOST_LANDMARKS)
        return nw__fail(err, NW_E_ARG, function, "landmark_count is %zu, must be in 1 .. %d with landmarks, 0 without",
            o->landmark_count, NW__KDE_MOST_LANDMARKS);
    return NW_OK;
}

static nw_status check_landmarks(const nw_kde_opts *o, const char *function, nw_error *err)
{
    for (size_t i = 0; i < o->landmark_count * o->dimension; i++)
        if (!(fabs((double)o->landmarks[i]) <= MOST_BOUND))
            return nw__fail(
                err, NW_E_ARG, function, "landmark %zu has a coordinate that is not finite, or above 1e30", i / o->dimension);
    return NW_OK;
}

static void *copied(const void *from, size_t n, size_t size)
{
    void *to = nw__calloc(n, size);
    if (to != NULL)
        memcpy(to, from, n * size);
    return to;
}

static float inside_above(double bound)
{
    const float f = (float)bound;
    return (double)f < bound ? nextafterf(f, INFINITY) : f;
}

static float inside_below(double bound)
{
    const float f = (float)bound;
    return (double)f > bound ? nextafterf(f, -INFINITY) : f;
}

static nw_status copy_bounds(nw_kde *kde, const char *function, nw_error *err)
{
    nw_kde_opts *o = &kde->opts;
    const size_t d = o->dimension;
    kde->least = nw__calloc(d, sizeof *kde->least);
    kde->most = nw__calloc(d, sizeof *kde->most);
    kde->middle = nw__calloc(d, sizeof *kde->middle);
    if (o->lower != NULL) {
        o->lower = copied(o->lower, d, sizeof *o->lower);
        o->upper = copied(o->upper, d, sizeof *o->upper);
    }
    if (o->landmarks != NULL)
        o->landmarks = copied(o->landmarks, o->landmark_count * d, sizeof *o->landmarks);
    if (kde->least == NULL || kde->most == NULL || kde->middle == NULL)
        return nw__fail_memory(err, function);
    const float reach = (float)fmin(REACH * o->bandwidth, MOST_BOUND);
    for (size_t j = 0; j < d; j++) {
        kde->least[j] = o->lower == NULL ? -reach : inside_above(o->lower[j]);
        kde->most[j] = o->upper == NULL ? reach : inside_below(o->upper[j]);
        kde->middle[j] = o->lower == NULL ? 0.0F : (float)(0.5 * (o->lower[j] + o->upper[j]));
    }
    return NW_OK;
}

nw_status nw__kde_options_read(nw_kde *kde, const nw_kde_opts *opts, const char *function, nw_error *err)
{
    nw_kde_opts o = NW_KDE_OPTS_INIT;
    if (opts == NULL)
        return nw__fail(err, NW_E_ARG, function, "opts is NULL");
    memcpy(&o, opts, opts->struct_size < sizeof o ? opts->struct_size : sizeof o);
    o.struct_size = sizeof o;
    NW__TRY(nw__check_budget(o.epsilon, o.delta, function, err));
    NW__TRY(nw__check_adjacency(o.adjacency, function, err));
    NW__TRY(check_function(&o, function, err));
    NW__TRY(check_bounds(&o, function, err));
    NW__TRY(check_sizes(&o, function, err));
    NW__TRY(check_landmarks(&o, function, err));
    kde->opts = o;
    const nw_status status = copy_bounds(kde, function, err);
    if ((o.lower != NULL && (kde->opts.lower == NULL || kde->opts.upper == NULL)) ||
        (o.landmarks != NULL && kde->opts.landmarks == NULL))
        return nw__fail_memory(err, function);
    return status;
}

void nw__kde_options_clear(nw_kde *kde)
{
    free((void *)(uintptr_t)kde->opts.lower);
    free((void *)(uintptr_t)kde->opts.upper);
    free((void *)(uintptr_t)kde->opts.landmarks);
    free(kde->least);
    free(kde->most);
    free(kde->middle);
}

typedef float lanes __attribute__((vector_size(32)));
typedef int32_t masks __attribute__((vector_size(32)));
enum { LANES = 8 };

/* NaN is neither below nor above, and becomes the middle. The last lanes may be those of no coordinate. */
static inline __attribute__((always_inline)) void clamp_lanes(const nw_kde *kde, size_t j, size_t n, const float *in, float *out)
{
    lanes x = { 0 }, least = { 0 }, most = { 0 }, middle = { 0 };
    memcpy(&x, in, n * sizeof *in);
    memcpy(&least, kde->least + j, n * sizeof *in);
    memcpy(&most, kde->most + j, n * sizeof *in);
    memcpy(&middle, kde->middle + j, n * sizeof *in);
    const masks is_below = x < most, is_number = x == x;
    const lanes below = (lanes)((is_below & (masks)x) | (~is_below & (masks)most));
    const masks is_above = below > least;
    const lanes inside = (lanes)((is_above & (masks)below) | (~is_above & (masks)least));
    x = (lanes)((is_number & (masks)inside) | (~is_number & (masks)middle));
    memcpy(out, &x, n * sizeof *out);
}

NW__CLONES static void clamp_points(const nw_kde *kde, const float *points, size_t n, float *out)
{
    const size_t d = kde->opts.dimension, whole = d - d % LANES;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < whole; j += LANES)
            clamp_lanes(kde, j, LANES, points + i * d + j, out + i * d + j);
        if (whole < d)
            clamp_lanes(kde, whole, d - whole, points + i * d + whole, out + i * d + whole);
    }
}

void nw__kde_clamp(const nw_kde *kde, const float *points, size_t n, float *out)
{
    clamp_points(kde, points, n, out);
}
