/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* figure.c - figures and their errors, from the noisy totals: post-processing.
 *
 * N, S, Q: noisy count, sum of y = x - centre, sum of y^2 - R^2/2, R the half width; n, s, q the same without noise. With
 * B = S / N and A = Q / N, the mean is centre + B and the variance A + R^2/2 - B^2.
 *
 * Errors. Each total lies within its reach of what it is without noise, all three with the figure's confidence (union bound). So
 * n, s, q lie in a box around N, S, Q, whatever the records; what mean and variance are over that box, for n >= 1 and within
 * what the bounds allow, is the interval. It holds for any n, a small one too: where N says nothing it is all that is possible.
 *
 * Standard errors, to first order, n_0, n_1, n_2 the standard deviations of the noise:
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

static double step_of(const nw__total *t)
{
    return ldexp(1.0, t->grid.exponent);
}

nw_stats_plan nw_stats_get_plan(const nw_stats *stats, size_t i)
{
    const nw__query *q = &stats->queries[i];
    nw_stats_plan plan = { .kind = q->asked.kind, .groups = q->asked.groups, .share = q->share, .totals = q->total_count };
    for (size_t k = 0; k < q->total_count; k++)
        plan.noise[k] = q->totals[k].deviation;
    for (size_t k = 0; k < q->total_count; k++)
        plan.step[k] = q->totals[k].kind == NW__TOTAL_COUNT ? 0.0 : step_of(&q->totals[k]);
    plan.epsilon = q->choice.epsilon;
    plan.margin = (uint64_t)(q->choice.offset < 0 ? -q->choice.offset : q->choice.offset);
    return plan;
}

static double mean_standard_error(const nw__query *q, double records, double B)
{
    const double error = hypot(q->totals[1].deviation, B * q->totals[0].deviation) / records;
    return fmin(error, q->asked.upper - q->asked.lower);
}

static double variance_standard_error(const nw__query *q, double records, double B, double A)
{
    const double linear = hypot(q->totals[2].deviation, 2.0 * B * q->totals[1].deviation);
    const double error = hypot(linear, (2.0 * B * B - A) * q->totals[0].deviation) / records;
    return fmin(error, q->half_width * q->half_width);
}

/* At the worst mean, |B| = R: |2 B^2 - A| <= 3/2 R^2. As the noisy count may be low by its reach, so is the divisor. */
static double worst_error(const nw__query *q, double records)
{
    const double R = q->half_width;
    const double least = fmax(1.0, records - q->totals[0].reach);
    if (q->asked.kind == NW_STATS_MEAN)
        return fmin((q->totals[1].reach + R * q->totals[0].reach) / least, q->asked.upper - q->asked.lower);
    const double linear = q->totals[2].reach + 2.0 * R * q->totals[1].reach;
    return fmin((linear + 1.5 * R * R * q->totals[0].reach) / least, R * R);
}

double nw_stats_expected_error(const nw_stats *stats, size_t i, double records)
{
    const nw__query *q = &stats->queries[i];
    switch (q->asked.kind) {
    case NW_STATS_COUNT:
    case NW_STATS_SUM: return q->totals[0].reach;
    case NW_STATS_MEAN:
    case NW_STATS_VARIANCE: return worst_error(q, records);
    case NW_STATS_QUANTILE: return nw__choice_reach(&q->choice, stats->risk);
    case NW_STATS_MIN: /* from the end to the wanted rank, and from there */
    case NW_STATS_MAX: return fabs((double)q->choice.offset) + nw__choice_reach(&q->choice, stats->risk);
    }
    return NAN;
}

/* The noise is in: what becomes of the integer now is post-processing, also where it has more bits than a double. */
static double total_of(const nw_stats *stats, const nw__total *t, size_t group)
{
    return ldexp((double)stats->totals[t->first + group], t->grid.exponent);
}

/* What that rounds off: nothing below 2^53 steps. */
static double rounding_of(const nw__total *t, double total)
{
    const double magnitude = fabs(total);
    return magnitude > ldexp(0x1p53, t->grid.exponent) ? 0x1p-53 * magnitude : 0.0;
}

/* ---- intervals ---- */

typedef struct interval {
    double low;
    double high;
} interval;

static interval around(double x, double reach)
{
    return (interval){ x - reach, x + reach };
}

static double largest_square(interval x)
{
    return fmax(x.low * x.low, x.high * x.high);
}

static double least_square(interval x)
{
    return x.low <= 0.0 && x.high >= 0.0 ? 0.0 : fmin(x.low * x.low, x.high * x.high);
}

/* centre + s / n, n >= 1; records are cut off by less than a step, and so is their mean. */
static interval mean_interval(const nw__query *q, interval n, interval s)
{
    const double step = step_of(&q->totals[1]);
    return (interval){ q->centre + s.low / (s.low < 0.0 ? n.low : n.high) - step,
        q->centre + s.high / (s.high < 0.0 ? n.high : n.low) + step };
}

/* q u + R^2/2 - s^2 u^2 with u = 1 / n: at its largest for the largest q and the least s^2, a parabola in u that opens downward;
 * at its least for the least q and the largest s^2, at an end. */
static interval variance_interval(const nw__query *query, interval n, interval s, interval q)
{
    const double R = query->half_width;
    const double step = step_of(&query->totals[1]);
    const double cut = step_of(&query->totals[2]) + (2.0 * R + step) * step;
    const double u[2] = { 1.0 / n.high, 1.0 / n.low };
    const double s_low = least_square(s);
    const double s_high = largest_square(s);
    const double top = s_low > 0.0 ? fmin(fmax(q.high / (2.0 * s_low), u[0]), u[1]) : q.high > 0.0 ? u[1] : u[0];
    const double high = q.high * top - s_low * top * top;
    const double low = fmin(q.low * u[0] - s_high * u[0] * u[0], q.low * u[1] - s_high * u[1] * u[1]);
    return (interval){ low + 0.5 * R * R - cut, high + 0.5 * R * R + cut };
}

/* The farther end of what remains of the interval in [least, most], where the value lies, too. A double's rounding is covered by
 * 2^-40 of the width. */
static double half_width(double value, interval x, double least, double most)
{
    const double high = fmin(fmax(x.high, least), most);
    const double low = fmin(fmax(x.low, least), most);
    return fmax(0.0, fmax(high - value, value - low)) + 0x1p-40 * (most - least);
}

static nw_stats_figure ratio_figure(const nw_stats *stats, const nw__query *q, size_t group)
{
    const double R = q->half_width;
    const double N = total_of(stats, &q->totals[0], group);
    const double S = total_of(stats, &q->totals[1], group);
    if (!(N >= 1.0))
        return (nw_stats_figure){ NAN, INFINITY, INFINITY };
    const interval n = { fmax(N - q->totals[0].reach, 1.0), N + q->totals[0].reach };
    const interval s = around(S, q->totals[1].reach);
    const double B = fmin(fmax(S / N, -R), R);
    if (q->asked.kind == NW_STATS_MEAN) {
        const double mean = fmin(fmax(q->centre + B, q->asked.lower), q->asked.upper);
        const double error = half_width(mean, mean_interval(q, n, s), q->asked.lower, q->asked.upper);
        return (nw_stats_figure){ mean, error, mean_standard_error(q, N, B) };
    }
    const double Q = total_of(stats, &q->totals[2], group);
    const double A = fmin(fmax(Q / N, -0.5 * R * R), 0.5 * R * R);
    const double variance = fmin(fmax(A + 0.5 * R * R - B * B, 0.0), R * R);
    const interval all = variance_interval(q, n, s, around(Q, q->totals[2].reach));
    return (nw_stats_figure){ variance, half_width(variance, all, 0.0, R * R), variance_standard_error(q, N, B, A) };
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
        *out = (nw_stats_figure){ nw__choice_value(&q->asked, (size_t)cell), nw_stats_expected_error(stats, i, 0.0),
            nw__choice_mean_distance(&q->choice) };
    } else if (q->asked.kind == NW_STATS_MEAN || q->asked.kind == NW_STATS_VARIANCE)
        *out = ratio_figure(stats, q, group);
    else {
        const double total = total_of(stats, &q->totals[0], group);
        *out = (nw_stats_figure){ total, q->totals[0].reach + rounding_of(&q->totals[0], total), q->totals[0].deviation };
    }
    return NW_OK;
}
