/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* numbers.c - means and histograms of numbers from the counts of outputs. */
#include "server.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

nw_ldp_item nw_ldp_number(double value, double lower, double upper)
{
    const double place = (value - lower) / (upper - lower);
    if (!(place > 0.0)) /* NaN too */
        return (nw_ldp_item){ 0, 0 };
    return (nw_ldp_item){ 0, place >= 1.0 ? UINT64_C(1) << 32 : (uint64_t)floor(ldexp(place, 32) + 0.5) };
}

/* ---- means ---- */

/* Reports of the piecewise mechanism, by z, the distance of their cell from the middle one, and Duchi's. */
typedef struct sums {
    double piecewise;
    double z;
    double z_squared;
    double duchi;
    double ones;
} sums;

static sums sums_of(const nw_ldp_aggregate *view)
{
    const nw_ldp_campaign *c = &view->campaign;
    const size_t cells = c->oracle == NW_LDP_DUCHI ? 0 : c->symbols;
    sums s = { 0 };
    for (size_t i = 0; i < cells; i++) {
        const double n = (double)view->table[i];
        const double z = (double)i - 0.5 * ((double)cells - 1.0);
        s.piecewise += n;
        s.z += n * z;
        s.z_squared += n * z * z;
    }
    if (c->oracle != NW_LDP_PIECEWISE) {
        s.ones = (double)view->table[cells + 1];
        s.duchi = (double)view->table[cells] + s.ones;
    }
    return s;
}

/* The sum of the numbers' places, and its variance given the numbers. Of the piecewise mechanism E[z] = slope c and E[z^2] =
 * base + slope c^2 for an input c away from the middle, so E[z^2] tells the mean of c^2, and with it that of Var[z] = base +
 * slope (1 - slope) c^2. Duchi's reports are 1 with probability m = 1 - p + (2 p - 1) place: the mean of m (1 - m) is at most
 * that of the mean. */
static void add_up(const nw_ldp_campaign *c, const sums *s, double *places, double *variance)
{
    *places = *variance = 0.0;
    if (s->duchi > 0.0) {
        const double p = (double)(c->oracle == NW_LDP_DUCHI ? c->keep : c->other) * 0x1p-64;
        const double mean = s->ones / s->duchi;
        *places += (s->ones - s->duchi * (1.0 - p)) / (2.0 * p - 1.0);
        *variance += s->duchi * mean * (1.0 - mean) / ((2.0 * p - 1.0) * (2.0 * p - 1.0));
    }
    if (s->piecewise > 0.0) {
        const nw__ldp_density density = nw__ldp_density_of(c);
        const double cells = (double)c->symbols;
        const double w = (double)c->band;
        const double steps = cells - w;
        const double gap = density.inside - density.outside;
        const double slope = w * gap;
        const double base = (density.outside * cells * (cells * cells - 1.0) + gap * w * (w * w - 1.0)) / 12.0;
        const double square = fmax(0.0, fmin(slope * 0.25 * steps * steps, s->z_squared / s->piecewise - base));
        const double each = (base + (1.0 - slope) * square) / (slope * slope) + 0.25; /* and the rounding to a step */
        *places += 0.5 * s->piecewise + s->z / (slope * steps);
        *variance += s->piecewise * each / (steps * steps);
    }
}

nw_status nw_ldp_aggregate_mean(
    const nw_ldp_aggregate *aggregate, double lower, double upper, double *mean, double *error, nw_error *err)
{
    if (aggregate == NULL || mean == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", aggregate == NULL ? "aggregate" : "mean");
    const nw_ldp_campaign *c = &aggregate->campaign;
    if (!nw__ldp_is_number(c->oracle) || c->oracle == NW_LDP_SQUARE_WAVE)
        return nw__fail(err, NW_E_ARG, __func__, "the campaign is of %s, must be of duchi, piecewise or hybrid",
            nw_ldp_oracle_name(c->oracle));
    if (!(isfinite(lower) && isfinite(upper) && lower < upper))
        return nw__fail(err, NW_E_ARG, __func__, "lower and upper are %g and %g, must be finite and increase", lower, upper);
    const nw_ldp_aggregate *view = NULL;
    const double n = (double)aggregate->reports[0];
    double places = 0.0;
    double variance = 0.0;
    if (aggregate->reports[0] == 0)
        return nw__fail(err, NW_E_STATE, __func__, "there are no reports");
    NW__TRY(nw__ldp_view(aggregate, &view, err));
    const sums s = sums_of(view);
    nw__ldp_view_free(aggregate, view);
    add_up(c, &s, &places, &variance);
    *mean = lower + (upper - lower) * places / n;
    if (error != NULL)
        *error = (upper - lower) * sqrt(variance) / n;
    return NW_OK;
}

/* ---- the square wave's histogram ---- */

typedef struct wave {
    size_t inputs, outputs, band;
    nw__ldp_density density;
    const uint64_t *counts;
    double *fractions; /* [inputs] */
    double *sums;      /* [outputs + 1], running */
    double *ratios;    /* [outputs + 1], running */
} wave;

/* One step of expectation maximisation; returns the log likelihood before it. All sums over bands are differences of running
 * sums. */
static double step(wave *w)
{
    const double gap = w->density.inside - w->density.outside;
    double likelihood = 0.0;
    double total = 0.0;
    w->sums[0] = w->ratios[0] = 0.0;
    for (size_t i = 0; i < w->inputs; i++)
        w->sums[i + 1] = w->sums[i] + w->fractions[i];
    for (size_t y = 0; y < w->outputs; y++) { /* inputs y - band + 1 .. y make y likely */
        const double above = w->sums[y + 1 < w->inputs ? y + 1 : w->inputs];
        const double below = w->sums[y + 1 > w->band ? y + 1 - w->band : 0];
        const double probability = w->density.outside + gap * (above - below);
        likelihood += (double)w->counts[y] * log(probability);
        w->ratios[y + 1] = w->ratios[y] + (double)w->counts[y] / probability;
    }
    for (size_t i = 0; i < w->inputs; i++) {
        w->fractions[i] *= w->density.outside * w->ratios[w->outputs] + gap * (w->ratios[i + w->band] - w->ratios[i]);
        total += w->fractions[i];
    }
    for (size_t i = 0; i < w->inputs; i++)
        w->fractions[i] /= total;
    return likelihood;
}

/* Binomial weights (1, 2, 1) / 4; what would leave at an end stays there, so that the sum is 1  [LWLJ20, sec. 5.5]. */
static void smooth(double *x, size_t n)
{
    double before = x[0];
    for (size_t i = 0; i < n; i++) {
        const double here = x[i];
        const double after = i + 1 < n ? x[i + 1] : here;
        x[i] = 0.25 * before + 0.5 * here + 0.25 * after;
        before = here;
    }
}

static void maximise(wave *w, bool is_smoothed, double threshold)
{
    enum { MOST_STEPS = 10000 };
    double last = -INFINITY;
    for (size_t i = 0; i < w->inputs; i++)
        w->fractions[i] = 1.0 / (double)w->inputs;
    for (int i = 0; i < MOST_STEPS; i++) {
        const double likelihood = step(w);
        if (is_smoothed)
            smooth(w->fractions, w->inputs);
        if (fabs(likelihood - last) < threshold)
            break;
        last = likelihood;
    }
}

nw_status nw_ldp_aggregate_histogram(const nw_ldp_aggregate *aggregate, bool is_smoothed, double *fractions, nw_error *err)
{
    if (aggregate == NULL || fractions == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", aggregate == NULL ? "aggregate" : "fractions");
    const nw_ldp_campaign *c = &aggregate->campaign;
    if (c->oracle != NW_LDP_SQUARE_WAVE)
        return nw__fail(err, NW_E_ARG, __func__, "the campaign is of %s, must be of square_wave", nw_ldp_oracle_name(c->oracle));
    if (aggregate->reports[0] == 0)
        return nw__fail(err, NW_E_STATE, __func__, "there are no reports");
    const nw_ldp_aggregate *view = NULL;
    NW__TRY(nw__ldp_view(aggregate, &view, err));
    wave w = { .inputs = (size_t)c->domain,
        .outputs = (size_t)c->outputs,
        .band = c->band,
        .counts = view->table,
        .density = nw__ldp_density_of(c),
        .fractions = fractions };
    w.sums = nw__calloc(w.outputs + 1, sizeof *w.sums);
    w.ratios = nw__calloc(w.outputs + 1, sizeof *w.ratios);
    const bool has_memory = w.sums != NULL && w.ratios != NULL;
    if (has_memory) /* the thresholds of [LWLJ20, sec. 6.1] for a change of the likelihood */
        maximise(&w, is_smoothed, 1e-3 * (is_smoothed ? 1.0 : (double)c->ratio * 0x1p-40));
    free(w.sums);
    free(w.ratios);
    nw__ldp_view_free(aggregate, view);
    return has_memory ? NW_OK : nw__fail_memory(err, __func__);
}
