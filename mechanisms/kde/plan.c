/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* plan.c - which estimator answers, and of what size: from public quantities, by predicted error (docs/rooms/kde.md#planner). */
#include "accountant_internal.h"
#include "grid.h"
#include "landmarks.h"

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

enum { MOST_PAIRS = 8192, LEAST_PAIRS = 32, LEAST_SIDE = 4, MOST_FIRST_SIDE = 1 << 21 };
static const double WIDEST_CELL = 2.0; /* in bandwidths */
static const double USUAL_POINTS = 10000.0;
/* In few dimensions the points that are asked about lie in crowds: the similarity there is taken to be this at least. */
static const double LEAST_CLUMPS = 0.25;

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
    case NW_KDE_GRID: return o->dimension > NW__GRID_MOST_DIMENSIONS ? "dimension 1, 2 or 3" : o->lower == NULL ? "bounds" : NULL;
    case NW_KDE_LSH: return k == NW_KDE_LAPLACIAN || k == NW_KDE_RATIONAL_L1 ? NULL : "kernel laplacian or rational-l1";
    case NW_KDE_TREE: return k == NW_KDE_L1 ? NULL : "kernel l1";
    case NW_KDE_LSQ_FGT:
        return k != NW_KDE_GAUSSIAN                      ? "kernel gaussian"
               : o->dimension > NW__GRID_MOST_DIMENSIONS ? "dimension 1, 2 or 3"
               : o->lower == NULL                        ? "bounds"
                                                         : NULL;
    }
    return "another estimator";
}

static double points_expected(const nw_kde_opts *o)
{
    return o->expected_points > 0.0 ? o->expected_points : o->public_points > 0 ? (double)o->public_points : USUAL_POINTS;
}

/* The noise that a total moved by 1 gets: of pure DP its scale, else its deviation. */
static double noise_unit(const nw_kde_opts *o)
{
    return nw__distance_factor(NW_ADD_REMOVE, o->adjacency) /
           (o->delta == 0.0 ? o->epsilon : nw__budget_mu(o->epsilon, o->delta));
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

/* What one estimator would do: in units of the value. */
typedef struct prediction {
    nw_kde_estimator estimator;
    size_t size;
    double noise;         /* standard deviation */
    double approximation; /* of the rest; NaN: not predicted */
} prediction;

static double error_of(const prediction *p)
{
    return hypot(p->noise, p->approximation);
}

/* Variance of the density V / I + 3 I / (epsilon n)^2 is least at I = epsilon n sqrt(V / 3); V, the spread of the terms, is
 * about half the average kernel value. Gaussian noise does not grow with I: as many as queries may take. */
static size_t pairs_for(const nw_kde_opts *o)
{
    if (o->delta > 0.0)
        return MOST_PAIRS;
    return clamped(signal(o) * sqrt(o->expected_density / 6.0), LEAST_PAIRS, MOST_PAIRS);
}

/* A transform saves time from about 32 dimensions on. */
static prediction predict_features(const nw_kde_opts *o)
{
    const double n = points_expected(o);
    const double pairs = (double)(o->size > 0 ? o->size : pairs_for(o));
    return (prediction){ .estimator = o->dimension <= 32 ? NW_KDE_FEATURES : NW_KDE_HADAMARD,
        .size = (size_t)pairs,
        .noise = o->delta == 0.0 ? n * sqrt(3.0 * pairs) / signal(o) : noise_unit(o),
        .approximation = n * sqrt(0.5 * o->expected_density / pairs) };
}

static nw_status predict_grid(prediction *out, const nw_kde_opts *o, size_t size, nw_error *err)
{
    nw__grid_prediction p;
    NW__TRY(nw__grid_predict(&p, o, size, "nw_kde_new", err));
    const double clumps = fmax(o->expected_density, LEAST_CLUMPS);
    const double unit = o->delta == 0.0 ? sqrt(2.0) * noise_unit(o) : pow(0.5, 0.5 * (double)o->dimension) * noise_unit(o);
    *out = (prediction){ .estimator = NW_KDE_GRID,
        .size = size,
        .noise = unit * p.noise,
        .approximation = points_expected(o) * p.residual * (nw__kde_has_bandwidth(o->kernel) ? clumps : p.typical) };
    return NW_OK;
}

/* The longest side of the bounds in bandwidths. */
static double extent(const nw_kde_opts *o)
{
    double most = 0.0;
    for (size_t j = 0; j < o->dimension; j++)
        most = fmax(most, o->upper[j] - o->lower[j]);
    return nw__kde_has_bandwidth(o->kernel) ? most / o->bandwidth : 0.0;
}

/* From cells that nodes of a fit can see the function through, in steps of a sixth, until there are enough for a good fit and the
 * noise, rising, alone is worse than the best. More cells leave less of the rest, and have more noise. */
static nw_status best_grid(prediction *best, const nw_kde_opts *o, nw_error *err)
{
    const double first = ceil(extent(o) / WIDEST_CELL);
    double before = INFINITY;
    *best = (prediction){ .estimator = NW_KDE_GRID, .size = LEAST_SIDE, .noise = INFINITY };
    if (first > MOST_FIRST_SIDE)
        return NW_OK;
    for (size_t size = clamped(first, LEAST_SIDE, MOST_FIRST_SIDE); nw__grid_is_small(o, size); size += size / 6 + 1) {
        prediction p;
        NW__TRY(predict_grid(&p, o, size, err));
        if (error_of(&p) < error_of(best))
            *best = p;
        if (p.noise > before && p.noise > error_of(best) && p.approximation < 0.05 * p.noise)
            break;
        before = p.noise;
    }
    return NW_OK;
}

/* Leaves the landmarks' tables in the handle. */
static nw_status predict_landmarks(prediction *out, nw_kde *kde, nw_error *err)
{
    nw__landmark_prediction p;
    const double n = points_expected(&kde->opts);
    NW__TRY(nw__landmarks_predict(&p, kde, n, err));
    *out = (prediction){ .estimator = NW_KDE_LANDMARKS, .size = p.rank, .noise = p.noise, .approximation = n * p.approximation };
    return NW_OK;
}

static void take_better(prediction *best, const prediction *other, char *reason, size_t size)
{
    const bool is_better = error_of(other) < error_of(best);
    const prediction *good = is_better ? other : best, *bad = is_better ? best : other;
    snprintf(
        reason, size, "predicted error %.3g; %s have %.3g", error_of(good), nw_kde_estimator_name(bad->estimator), error_of(bad));
    *best = *good;
}

/* The least predicted error: of a kernel with a bandwidth. */
static nw_status choose_kernel(nw_kde *kde, prediction *best, nw_error *err)
{
    nw_kde_opts *o = &kde->opts;
    char *reason = kde->plan.reason;
    const size_t size = sizeof kde->plan.reason;
    prediction other;
    *best = predict_features(o);
    snprintf(reason, size, "predicted error %.3g: random features, %zu dimensions%s", error_of(best), o->dimension,
        o->lower == NULL ? ", no bounds" : "");
    if (lacks(o, NW_KDE_GRID) == NULL && (o->size == 0 || (o->size > 1 && nw__grid_is_small(o, o->size)))) {
        NW__TRY(o->size == 0 ? best_grid(&other, o, err) : predict_grid(&other, o, o->size, err));
        take_better(best, &other, reason, size);
    }
    if (o->landmark_count > 0) {
        NW__TRY(predict_landmarks(&other, kde, err));
        take_better(best, &other, reason, size);
    }
    return NW_OK;
}

static nw_status choose(nw_kde *kde, prediction *best, nw_error *err)
{
    const nw_kde_opts *o = &kde->opts;
    if (nw__kde_has_bandwidth(o->kernel))
        return choose_kernel(kde, best, err);
    const bool is_square = o->kernel == NW_KDE_L2SQ;
    snprintf(kde->plan.reason, sizeof kde->plan.reason, "%s needs %s", nw_kde_kernel_name(o->kernel),
        is_square ? "two moments only" : "one table a coordinate or line");
    *best = (prediction){ .estimator = is_square ? NW_KDE_MOMENTS : NW_KDE_TABLE, .approximation = is_square ? 0.0 : NAN };
    return NW_OK;
}

static size_t size_for(const nw_kde_opts *o)
{
    switch (o->estimator) {
    case NW_KDE_TABLE:
        if (o->kernel == NW_KDE_L2)
            return o->dimension == 1 ? 1 : 1024;
        return o->dimension <= 4 ? 4096 : o->dimension <= 64 ? 1024 : 256;
    case NW_KDE_LSH: return clamped(0.7 * signal(o) * sqrt(o->expected_density), 8, 2048);
    case NW_KDE_TREE: return 15;
    case NW_KDE_LSQ_FGT: return 5;
    default: return 1;
    }
}

/* For the estimator that was asked for: size and approximation. */
static nw_status predict(nw_kde *kde, prediction *out, nw_error *err)
{
    const nw_kde_opts *o = &kde->opts;
    switch (o->estimator) {
    case NW_KDE_FEATURES:
    case NW_KDE_HADAMARD:
    case NW_KDE_LSQ_RFF: *out = predict_features(o); return NW_OK;
    case NW_KDE_GRID: return o->size == 0 ? best_grid(out, o, err) : predict_grid(out, o, o->size, err);
    case NW_KDE_LANDMARKS: return predict_landmarks(out, kde, err);
    default:
        *out = (prediction){ .size = o->size > 0 ? o->size : size_for(o),
            .approximation = o->estimator == NW_KDE_MOMENTS ? 0.0 : NAN };
        return NW_OK;
    }
}

static nw_status check_size(const nw_kde_opts *o, const char *function, nw_error *err)
{
    if (o->estimator == NW_KDE_TABLE && o->kernel != NW_KDE_L2 && (o->size < 2 || o->size > 65536))
        return nw__fail(err, NW_E_ARG, function, "size is %zu, must be in 2 .. 65536 cells for table", o->size);
    double totals = (double)o->size; /* that the estimator's own products do not overflow */
    if (o->estimator != NW_KDE_GRID && o->estimator != NW_KDE_LANDMARKS)
        totals *= o->estimator == NW_KDE_LSH ? 1024.0 : o->estimator == NW_KDE_TABLE ? (double)o->dimension : 2.0;
    if (totals > (double)NW__KDE_MOST_TOTALS)
        return nw__fail(err, NW_E_ARG, function, "size is %zu: that makes %g totals, must be at most %d", o->size, totals,
            NW__KDE_MOST_TOTALS);
    return NW_OK;
}

nw_status nw__kde_plan_make(nw_kde *kde, const char *function, nw_error *err)
{
    nw_kde_opts *o = &kde->opts;
    prediction p = { 0 };
    const char *missing = lacks(o, o->estimator);
    if (missing != NULL)
        return nw__fail(err, NW_E_UNSUPPORTED, function, "estimator %s needs %s", nw_kde_estimator_name(o->estimator), missing);
    if (o->landmark_count > 0 && o->size > o->landmark_count && (o->estimator == NW_KDE_LANDMARKS || o->estimator == NW_KDE_AUTO))
        return nw__fail(err, NW_E_ARG, function, "size is %zu, must be in 1 .. landmark_count, %zu", o->size, o->landmark_count);
    const bool is_auto = o->estimator == NW_KDE_AUTO;
    snprintf(kde->plan.reason, sizeof kde->plan.reason, "asked for");
    const nw_status status = is_auto ? choose(kde, &p, err) : predict(kde, &p, err);
    if (is_auto)
        o->estimator = p.estimator;
    if (status != NW_OK || o->estimator != NW_KDE_LANDMARKS)
        nw__kde_landmarks.clear(kde); /* that were tried */
    NW__TRY(status);
    if (o->size == 0)
        o->size = p.size > 0 ? p.size : size_for(o);
    kde->plan.approximation = p.approximation;
    return check_size(o, function, err);
}
