/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "saddle.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

/* A mechanism's loss as a few hundred weighted points. */
typedef struct points {
    size_t n;
    double *loss;
    double *log_p;
    double count;
    double spread; /* most |loss| */
} points;

typedef struct cumulants {
    double k, mean, variance;
} cumulants;

void nw__saddle_free(nw__saddle *saddle)
{
    free(saddle->log_scale);
    free(saddle->highest);
    free(saddle->spread);
    *saddle = (nw__saddle){ 0 };
}

static void points_free(points *p, size_t n)
{
    for (size_t j = 0; p != NULL && j < n; j++) {
        free(p[j].loss);
        free(p[j].log_p);
    }
    free(p);
}

static cumulants cumulants_of(const points *p, double t)
{
    double most = -INFINITY;
    double sum = 0.0;
    double first = 0.0;
    double second = 0.0;
    for (size_t i = 0; i < p->n; i++)
        most = fmax(most, p->log_p[i] + t * p->loss[i]);
    for (size_t i = 0; i < p->n; i++) {
        const double exponent = p->log_p[i] + t * p->loss[i] - most;
        if (exponent < -45.0)
            continue;
        const double w = exp(exponent);
        sum += w;
        first += w * p->loss[i];
        second += w * p->loss[i] * p->loss[i];
    }
    const double mean = first / sum;
    return (cumulants){ most + log(sum), mean, fmax(0.0, second / sum - mean * mean) };
}

static cumulants total(const points *p, size_t n, double t)
{
    cumulants sum = { 0 };
    for (size_t j = 0; j < n; j++) {
        const cumulants c = cumulants_of(&p[j], t);
        sum.k += p[j].count * c.k;
        sum.mean += p[j].count * c.mean;
        sum.variance += p[j].count * c.variance;
    }
    return sum;
}

/* P(|L| > s) without the point masses that are kept apart. */
static double beyond(const nw__pair *pair, double s)
{
    nw__tails up;
    nw__tails down;
    pair->tails(pair, s, &up);
    pair->tails(pair, -s, &down);
    return up.p_above + down.p_below;
}

/* The largest power of two beyond which more than `mass` lies; 0 if there is none. */
static double reach_of(const nw__pair *pair, double mass)
{
    double s = 1.0;
    for (int i = 0; i < 1000 && beyond(pair, s) > mass; i++)
        s *= 2.0;
    for (int i = 0; i < 2000 && !(beyond(pair, s) > mass); i++)
        s *= 0.5;
    return beyond(pair, s) > mass ? s : 0.0;
}

/* The scale of the bulk: half of what is not at loss 0 lies beyond, within a factor 2. (The larger of two profiles has a step
 * there, blurred by rounding, which may hold most of it.) */
static double bulk(const nw__pair *pair)
{
    static const double RARE = 1e-6;
    static const double AT_ZERO = 0x1p-30; /* of the losses that are not rare */
    if (pair->tails == NULL)
        return pair->spacing > 0.0 ? pair->spacing : fmax((pair->highest - pair->lowest) / 1024.0, 1e-290);
    const double far = reach_of(pair, RARE);
    const double near = far > 0.0 ? reach_of(pair, 0.5 * beyond(pair, far * AT_ZERO)) : 0.0;
    return near > 0.0 ? near : fmax((fmin(pair->highest, 1.0) - fmax(pair->lowest, -1.0)) / 64.0, 1e-290);
}

static nw_status make_points(
    points *out, const nw__mechanism *m, double theta, double cut, double fineness, double *infinite, nw_error *err)
{
    nw__cells cells;
    const bool is_lattice = m->pair->tails == NULL && m->pair->spacing > 0.0;
    const double h = is_lattice ? m->pair->spacing : bulk(m->pair) / sqrt(16.0 * fineness);
    const nw__cells_opts opts = { .h = h,
        .theta = theta,
        .cut_high = cut / (double)m->count,
        .cut_low = 1e-12 / (double)m->count,
        .fineness = fineness,
        .most = INFINITY,
        .is_upper = true };
    NW__TRY(nw__cells_new(&cells, m->pair, &opts, err));
    *out = (points){ cells.n, nw__calloc(cells.n + 1, sizeof(double)), nw__calloc(cells.n + 1, sizeof(double)), (double)m->count,
        0.0 };
    if (out->loss == NULL || out->log_p == NULL) {
        nw__cells_free(&cells);
        return nw__fail_memory(err, "nw__saddle");
    }
    for (size_t i = 0; i < cells.n; i++) {
        out->loss[i] = cells.origin + h * (double)cells.at[i].index;
        out->log_p[i] = log(cells.at[i].p);
        out->spread = fmax(out->spread, fabs(out->loss[i]));
    }
    *infinite = cells.infinite;
    nw__cells_free(&cells);
    if (out->n == 0) { /* all of it at infinity */
        out->n = 1;
        out->loss[0] = 0.0;
        out->log_p[0] = 0.0;
    }
    return NW_OK;
}

static double epsilon_at(const cumulants *c, double t)
{
    return c->mean - 1.0 / t - 1.0 / (t + 1.0);
}

static double log_delta_at(const cumulants *c, double t)
{
    static const double TWO_PI = 6.28318530717958647693;
    const double v = c->variance + 1.0 / (t * t) + 1.0 / ((t + 1.0) * (t + 1.0));
    return c->k - t * epsilon_at(c, t) - log(t) - log1p(t) - 0.5 * log(TWO_PI * v);
}

/* Bisection on log t: epsilon grows and log delta falls with t. An epsilon below 0 counts as 0. Near the largest loss there is t
 * grows without end; beyond MOST, in units of one mechanism's losses, a steeper tilt gains nothing and would ask for a finer
 * grid. (Smooth laws need about -2 log delta.) */
static double solve(const points *p, size_t n, const nw__pld_query *q, double scale, int iterations)
{
    static const double MOST = 2e3;
    double low = log(1e-9) - log(scale);
    double high = log(MOST) - log(scale);
    for (int i = 0; i < iterations; i++) {
        const double t = exp(0.5 * (low + high));
        const cumulants c = total(p, n, t);
        const bool is_low =
            q->asks_epsilon ? epsilon_at(&c, t) < 0.0 || log_delta_at(&c, t) > log(q->given) : epsilon_at(&c, t) < q->given;
        *(is_low ? &low : &high) = 0.5 * (low + high);
    }
    return exp(0.5 * (low + high));
}

/* |M(theta + i y)| / M(theta) at y = 12 / deviation and beyond: small if the contour integral is that of a smooth law. */
static bool decays(const points *p, size_t n, double theta, double deviation)
{
    double log_size = -INFINITY;
    for (double c = 12.0; c <= 48.0; c *= 1.3) {
        double sum = 0.0;
        const double y = c / deviation;
        for (size_t j = 0; j < n; j++) {
            const cumulants k = cumulants_of(&p[j], theta);
            double complex m = 0.0;
            for (size_t i = 0; i < p[j].n; i++)
                m += exp(p[j].log_p[i] + theta * p[j].loss[i] - k.k) * cexp(I * y * p[j].loss[i]);
            sum += p[j].count * log(cabs(m));
        }
        log_size = fmax(log_size, sum);
    }
    return log_size < log(1e-3);
}

static void finish(nw__saddle *out, const points *p, size_t n, const nw__pld_query *q, double theta)
{
    const cumulants c = total(p, n, theta);
    out->theta = theta;
    out->epsilon = q->is_untilted ? 0.0 : fmax(0.0, epsilon_at(&c, theta));
    out->log_delta = q->is_untilted ? log(q->given) : fmin(0.0, log_delta_at(&c, theta));
    out->deviation = sqrt(c.variance);
    for (size_t j = 0; j < n; j++) {
        const cumulants one = cumulants_of(&p[j], out->theta);
        out->log_scale[j] = one.k;
        out->spread[j] = sqrt(one.variance);
        out->highest[j] = p[j].spread;
    }
    out->is_smooth = !q->is_upper && n <= 8 && decays(p, n, theta, fmax(out->deviation, 1e-300));
}

nw_status nw__saddle_find(nw__saddle *out, const nw__mechanism *list, size_t n, const nw__pld_query *query, nw_error *err)
{
    points *p = NULL;
    double theta = 0.0;
    double cut = query->asks_epsilon ? 1e-9 * query->given : 1e-30;
    nw_status status = NW_OK;
    *out = (nw__saddle){ .log_scale = nw__calloc(n, sizeof(double)),
        .highest = nw__calloc(n, sizeof(double)),
        .spread = nw__calloc(n, sizeof(double)) };
    if (out->log_scale == NULL || out->highest == NULL || out->spread == NULL)
        status = nw__fail_memory(err, "nw__saddle");
    /* the points are laid for the theta of the round before; the second round refines them */
    for (int round = 0; status == NW_OK && round < 2; round++) {
        double spread = 0.0;
        double infinite = 0.0;
        points_free(p, n);
        p = nw__calloc(n, sizeof *p);
        if (p == NULL)
            status = nw__fail_memory(err, "nw__saddle");
        for (size_t j = 0; status == NW_OK && j < n; j++) {
            status = make_points(&p[j], &list[j], theta, cut / (double)n, 64.0, &infinite, err);
            spread = fmax(spread, p[j].spread);
        }
        if (status != NW_OK)
            break;
        theta = query->is_untilted ? 0.0 : solve(p, n, query, fmax(spread, 1e-290), query->is_upper ? 20 : 48);
        finish(out, p, n, query, theta);
        cut = query->asks_epsilon ? cut : 1e-9 * exp(fmax(out->log_delta, -660.0));
    }
    points_free(p, n);
    if (status != NW_OK)
        nw__saddle_free(out);
    return status;
}

/* Does an infinite support's numerical end carry part of the moment? */
static bool is_cut_short(const points *p, const nw__pair *pair, double t)
{
    const double k = cumulants_of(p, t).k;
    for (size_t i = 0; isinf(pair->highest) && i < p->n; i++)
        if (p->loss[i] > 0.95 * p->spread && p->log_p[i] + t * p->loss[i] > k - 40.0)
            return true;
    return false;
}

nw_status nw__saddle_renyi(const nw__pair *pair, double order, double *out, nw_error *err)
{
    points p = { 0 };
    double infinite = 0.0;
    const nw__mechanism once = { (nw__pair *)pair, 1 };
    const nw_status status = make_points(&p, &once, order - 1.0, 0.0, 65536.0, &infinite, err);
    if (status == NW_OK)
        *out = infinite > 0.0 || is_cut_short(&p, pair, order - 1.0) ? INFINITY
                                                                     : fmax(0.0, cumulants_of(&p, order - 1.0).k / (order - 1.0));
    free(p.loss);
    free(p.log_p);
    return status;
}
