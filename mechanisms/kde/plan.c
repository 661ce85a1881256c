/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* plan.c - which estimator answers, and of what size: from public quantities, by predicted error (docs/rooms/kde.md#planner). */
#include "kde_internal.h"
#include "accountant_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
    nw_kde_estimator estimator;
    const char *name;
    const nw__kde_ops *ops;
} ESTIMATORS[] = {
    { NW_KDE_AUTO, "auto", NULL },
    { NW_KDE_MOMENTS, "moments", &nw__kde_moments },
    { NW_KDE_TABLE, "table", &nw__kde_table },
    { NW_KDE_FEATURES, "features", &nw__kde_features },
    { NW_KDE_HADAMARD, "hadamard", &nw__kde_features },
    { NW_KDE_LANDMARKS, "landmarks", &nw__kde_landmarks },
    { NW_KDE_GRID, "grid", &nw__kde_grid },
    { NW_KDE_LSH, "lsh", &nw__kde_binning },
    { NW_KDE_TREE, "tree", &nw__kde_tree },
    { NW_KDE_LSQ_RFF, "lsq-rff", &nw__kde_features },
    { NW_KDE_LSQ_FGT, "lsq-fgt", &nw__kde_gauss_transform },
};
enum { ESTIMATOR_COUNT = sizeof ESTIMATORS / sizeof *ESTIMATORS };

enum { MOST_PAIRS = 8192, LEAST_PAIRS = 32, MOST_GRID_DIMENSIONS = 3, MOST_GRID_CELLS = 1 << 20 };
static const double USUAL_POINTS = 10000.0;

const char *nw_kde_estimator_name(nw_kde_estimator estimator)
{
    for (size_t i = 0; i < ESTIMATOR_COUNT; i++)
        if (ESTIMATORS[i].estimator == estimator)
            return ESTIMATORS[i].name;
    return NULL;
}

nw_status nw_kde_estimator_parse(const char *name, nw_kde_estimator *out, nw_error *err)
{
    for (size_t i = 0; name != NULL && i < ESTIMATOR_COUNT; i++)
        if (strcmp(ESTIMATORS[i].name, name) == 0) {
            *out = ESTIMATORS[i].estimator;
            return NW_OK;
        }
    return nw__fail(err, NW_E_ARG, __func__,
        "estimator is '%s', must be auto, moments, table, features, hadamard, landmarks, grid, lsh, tree, lsq-rff or lsq-fgt",
        name == NULL ? "" : name);
}

const nw__kde_ops *nw__kde_ops_of(nw_kde_estimator estimator)
{
    for (size_t i = 0; i < ESTIMATOR_COUNT; i++)
        if (ESTIMATORS[i].estimator == estimator)
            return ESTIMATORS[i].ops;
    return NULL;
}

/* What an estimator lacks for these options; NULL: nothing. */
static const char *lacks(const nw_kde_opts *o, nw_kde_estimator estimator)
{
    const nw_kde_kernel k = o->kernel;
    switch (estimator) {
    case NW_KDE_AUTO: return NULL;
    case NW_KDE_MOMENTS: return k == NW_KDE_L2SQ ? NULL : "kernel l2sq";
    case NW_KDE_TABLE: return k == NW_KDE_L1 || k == NW_KDE_LPP || k == NW_KDE_L2 ? NULL : "kernel l1, l2 or lpp";
    case NW_KDE_FEATURES:
    case NW_KDE_HADAMARD:
    case NW_KDE_LSQ_RFF: return nw__kde_has_bandwidth(k) ? NULL : "a kernel with a bandwidth";
    case NW_KDE_LANDMARKS:
        return !nw__kde_has_bandwidth(k) ? "a kernel with a bandwidth" : o->landmark_count == 0 ? "landmarks" : NULL;
    case NW_KDE_GRID: return o->dimension > MOST_GRID_DIMENSIONS ? "dimension 1, 2 or 3" : o->lower == NULL ? "bounds" : NULL;
    case NW_KDE_LSH: return k == NW_KDE_LAPLACIAN || k == NW_KDE_RATIONAL_L1 ? NULL : "kernel laplacian or rational-l1";
    case NW_KDE_TREE: return k == NW_KDE_L1 ? NULL : "kernel l1";
    case NW_KDE_LSQ_FGT:
        return k != NW_KDE_GAUSSIAN                  ? "kernel gaussian"
               : o->dimension > MOST_GRID_DIMENSIONS ? "dimension 1, 2 or 3"
               : o->lower == NULL                    ? "bounds"
                                                     : NULL;
    }
    return "another estimator";
}

static double points_expected(const nw_kde_opts *o)
{
    return o->expected_points > 0.0 ? o->expected_points : o->public_points > 0 ? (double)o->public_points : USUAL_POINTS;
}

/* epsilon n of pure DP, in the convention of add_remove. */
static double signal(const nw_kde_opts *o)
{
    return o->epsilon * points_expected(o) / nw__distance_factor(NW_ADD_REMOVE, o->adjacency);
}

static size_t clamped(double size, size_t least, size_t most)
{
    return size < (double)least ? least : size > (double)most ? most : (size_t)size;
}

/* Variance of the density V / I + 3 I / (epsilon n)^2 is least at I = epsilon n sqrt(V / 3); V, the spread of the terms, is
 * about half the average kernel value. Gaussian noise does not grow with I: as many as queries may take. */
static size_t pairs_for(const nw_kde_opts *o)
{
    if (o->delta > 0.0)
        return MOST_PAIRS;
    return clamped(signal(o) * sqrt(o->expected_density / 6.0), LEAST_PAIRS, MOST_PAIRS);
}

/* Pure noise of rank m has standard deviation sqrt(1.5 m) / epsilon; what m landmarks leave out falls about as fast as 1 / m. */
static size_t landmarks_for(const nw_kde_opts *o)
{
    if (o->delta > 0.0 || o->landmark_count < 2)
        return o->landmark_count;
    return 2 * clamped(1.3 * sqrt(signal(o)), 1, o->landmark_count / 2);
}

/* The longest side of the bounds in bandwidths. */
static double extent(const nw_kde_opts *o)
{
    double most = 0.0;
    for (size_t j = 0; j < o->dimension; j++)
        most = fmax(most, o->upper[j] - o->lower[j]);
    return nw__kde_has_bandwidth(o->kernel) ? most / o->bandwidth : 8.0;
}

/* With cells of h bandwidths the noise of the density is about 1.8 / (epsilon n h^(d/2)); what the place of a point in its cell
 * costs was 0.05 h^2 on points that clump (towns on a map). Least at h^(2 + d/2) = 15 / (epsilon n); between 1/64 and 1/2. */
static size_t side_for(const nw_kde_opts *o)
{
    const double noise = o->delta == 0.0 ? 1.0 / signal(o) : 0.7 / (points_expected(o) * nw__budget_mu(o->epsilon, o->delta));
    const double h = pow(15.0 * noise, 1.0 / (2.0 + 0.5 * (double)o->dimension));
    const double cells = ceil(extent(o) / fmin(fmax(h, 1.0 / 64.0), 0.5));
    return clamped(cells, 2, (size_t)pow((double)MOST_GRID_CELLS, 1.0 / (double)o->dimension));
}

static nw_kde_estimator choose(const nw_kde_opts *o, char *reason, size_t size)
{
    const char *name = nw_kde_kernel_name(o->kernel);
    if (o->kernel == NW_KDE_L2SQ || !nw__kde_has_bandwidth(o->kernel)) {
        snprintf(
            reason, size, "%s needs %s", name, o->kernel == NW_KDE_L2SQ ? "two moments only" : "one table a coordinate or line");
        return o->kernel == NW_KDE_L2SQ ? NW_KDE_MOMENTS : NW_KDE_TABLE;
    }
    if (o->landmark_count > 0) {
        snprintf(reason, size, "there are %zu public landmarks", o->landmark_count);
        return NW_KDE_LANDMARKS;
    }
    if (o->dimension <= MOST_GRID_DIMENSIONS && o->lower != NULL &&
        pow(2.0 * extent(o), (double)o->dimension) <= (double)MOST_GRID_CELLS) {
        snprintf(reason, size, "a grid: few dimensions, and bounds of %.3g bandwidths", extent(o));
        return NW_KDE_GRID;
    }
    snprintf(reason, size, "random features: %zu dimensions%s", o->dimension, o->lower == NULL ? ", no bounds" : "");
    return o->dimension <= 32 ? NW_KDE_FEATURES : NW_KDE_HADAMARD; /* a transform saves time from about there */
}

static size_t size_for(const nw_kde_opts *o)
{
    switch (o->estimator) {
    case NW_KDE_TABLE:
        if (o->kernel == NW_KDE_L2)
            return o->dimension == 1 ? 1 : 1024;
        return o->dimension <= 4 ? 4096 : o->dimension <= 64 ? 1024 : 256;
    case NW_KDE_FEATURES:
    case NW_KDE_HADAMARD:
    case NW_KDE_LSQ_RFF: return pairs_for(o);
    case NW_KDE_LANDMARKS: return landmarks_for(o);
    case NW_KDE_GRID: return side_for(o);
    case NW_KDE_LSH: return clamped(0.7 * signal(o) * sqrt(o->expected_density), 8, 2048);
    case NW_KDE_TREE: return 15;
    case NW_KDE_LSQ_FGT: return 5;
    default: return 1;
    }
}

static double approximation_of(const nw_kde_opts *o)
{
    const bool is_features = o->estimator == NW_KDE_FEATURES || o->estimator == NW_KDE_HADAMARD || o->estimator == NW_KDE_LSQ_RFF;
    if (o->estimator == NW_KDE_MOMENTS)
        return 0.0;
    return is_features ? points_expected(o) * sqrt(0.5 * o->expected_density / (double)o->size) : NAN;
}

nw_status nw__kde_plan_make(nw_kde *kde, const char *function, nw_error *err)
{
    nw_kde_opts *o = &kde->opts;
    const char *missing = lacks(o, o->estimator);
    if (missing != NULL)
        return nw__fail(err, NW_E_UNSUPPORTED, function, "estimator %s needs %s", nw_kde_estimator_name(o->estimator), missing);
    if (o->estimator == NW_KDE_AUTO)
        o->estimator = choose(o, kde->plan.reason, sizeof kde->plan.reason);
    else
        snprintf(kde->plan.reason, sizeof kde->plan.reason, "asked for");
    if (o->size == 0)
        o->size = size_for(o);
    if (o->estimator == NW_KDE_TABLE && o->kernel != NW_KDE_L2 && (o->size < 2 || o->size > 65536))
        return nw__fail(err, NW_E_ARG, function, "size is %zu, must be in 2 .. 65536 cells for table", o->size);
    if (o->estimator == NW_KDE_LANDMARKS && o->size > o->landmark_count)
        return nw__fail(err, NW_E_ARG, function, "size is %zu, must be in 1 .. landmark_count, %zu", o->size, o->landmark_count);
    double totals = (double)o->size; /* that the estimator's own products do not overflow */
    for (size_t j = 0; o->estimator == NW_KDE_GRID && j + 1 < o->dimension; j++)
        totals *= (double)o->size;
    if (o->estimator != NW_KDE_GRID && o->estimator != NW_KDE_LANDMARKS)
        totals *= o->estimator == NW_KDE_LSH ? 1024.0 : o->estimator == NW_KDE_TABLE ? (double)o->dimension : 2.0;
    if (totals > (double)NW__KDE_MOST_TOTALS)
        return nw__fail(err, NW_E_ARG, function, "size is %zu: that makes %g totals, must be at most %d", o->size, totals,
            NW__KDE_MOST_TOTALS);
    kde->plan.approximation = approximation_of(o);
    return NW_OK;
}
