/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* figure.c - figures and their standard errors, from the noisy totals: post-processing.
 *
 * N, S, Q: noisy count, sum of y = x - centre, sum of y^2 - R^2/2, R the half width; n_0, n_1, n_2 the standard deviations of
 * their noise. With B = S / N and A = Q / N, the mean is centre + B and the variance A + R^2/2 - B^2. To first order
 *     d mean     = (dS - B dN) / N
 *     d variance = (dQ - 2 B dS + (2 B^2 - A) dN) / N. */
#include "stats_internal.h"

#include <math.h>

const char *nw_stats_kind_name(nw_stats_kind kind)
{
    switch (kind) {
    case NW_STATS_COUNT: return "count";
    case NW_STATS_SUM: return "sum";
    case NW_STATS_MEAN: return "mean";
    case NW_STATS_VARIANCE: return "variance";
    case NW_STATS_QUANTILE: return "quantile";
    case NW_STATS_MIN: return "min";
    case NW_STATS_MAX: return "max";
    }
    return "unknown kind";
}

nw_stats_plan nw_stats_get_plan(const nw_stats *stats, size_t i)
{
    const nw__query *q = &stats->queries[i];
    nw_stats_plan plan = { .kind = q->asked.kind, .groups = q->asked.groups, .share = q->share, .totals = q->total_count };
    for (size_t k = 0; k < q->total_count; k++)
        plan.noise[k] = q->totals[k].deviation;
    plan.epsilon = q->choice.epsilon;
    plan.margin = (uint64_t)(q->choice.offset < 0 ? -q->choice.offset : q->choice.offset);
    return plan;
}

static double mean_error(const nw__query *q, double records, double B)
{
    const double error = hypot(q->totals[1].deviation, B * q->totals[0].deviation) / records;
    return fmin(error, q->asked.upper - q->asked.lower);
}

static double variance_error(const nw__query *q, double records, double B, double A)
{
    const double linear = hypot(q->totals[2].deviation, 2.0 * B * q->totals[1].deviation);
    const double error = hypot(linear, (2.0 * B * B - A) * q->totals[0].deviation) / records;
    return fmin(error, q->half_width * q->half_width);
}

double nw_stats_expected_error(const nw_stats *stats, size_t i, double records)
{
    const nw__query *q = &stats->queries[i];
    const double R = q->half_width;
    switch (q->asked.kind) {
    case NW_STATS_COUNT:
    case NW_STATS_SUM: return q->totals[0].deviation;
    case NW_STATS_MEAN: return mean_error(q, records, R);
    case NW_STATS_VARIANCE: return variance_error(q, records, R, 0.5 * R * R);
    case NW_STATS_QUANTILE:
    case NW_STATS_MIN:
    case NW_STATS_MAX: return nw__choice_error(&q->choice);
    }
    return NAN;
}

static double total_of(const nw_stats *stats, const nw__total *t, size_t group)
{
    double x = 0.0;
    if (nw_grid_to_double(t->grid, &stats->totals[t->first + group], 1, &x, NULL) != NW_OK)
        return NAN;
    return x;
}

static nw_stats_figure ratio_figure(const nw_stats *stats, const nw__query *q, size_t group)
{
    const double R = q->half_width;
    const double records = total_of(stats, &q->totals[0], group);
    if (!(records >= 1.0))
        return (nw_stats_figure){ NAN, INFINITY };
    const double B = fmin(fmax(total_of(stats, &q->totals[1], group) / records, -R), R);
    if (q->asked.kind == NW_STATS_MEAN) {
        const double mean = fmin(fmax(q->centre + B, q->asked.lower), q->asked.upper);
        return (nw_stats_figure){ mean, mean_error(q, records, B) };
    }
    const double A = fmin(fmax(total_of(stats, &q->totals[2], group) / records, -0.5 * R * R), 0.5 * R * R);
    const double variance = fmin(fmax(A + 0.5 * R * R - B * B, 0.0), R * R);
    return (nw_stats_figure){ variance, variance_error(q, records, B, A) };
}

nw_status nw_stats_get(const nw_stats *stats, size_t i, size_t group, nw_stats_figure *out, nw_error *err)
{
    if (stats == NULL || out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", stats == NULL ? "stats" : "out");
    if (i >= stats->query_count)
        return nw__fail(err, NW_E_ARG, __func__, "i is %zu, must be below %zu", i, stats->query_count);
    const nw__query *q = &stats->queries[i];
    if (group >= q->asked.groups)
        return nw__fail(err, NW_E_ARG, __func__, "group is %zu, must be below %zu", group, q->asked.groups);
    if (!stats->has_figures)
        return nw__fail(err, NW_E_STATE, __func__, "there are no figures: call nw_stats_release first");
    if (q->choice.cells > 0) {
        const int64_t cell = stats->totals[q->choice.first + group * q->choice.cells];
        *out = (nw_stats_figure){ nw__choice_value(&q->asked, (size_t)cell), nw__choice_error(&q->choice) };
    } else if (q->asked.kind == NW_STATS_MEAN || q->asked.kind == NW_STATS_VARIANCE)
        *out = ratio_figure(stats, q, group);
    else
        *out = (nw_stats_figure){ total_of(stats, &q->totals[0], group), q->totals[0].deviation };
    return NW_OK;
}
