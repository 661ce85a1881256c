/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* shrink.c - noisy counts of a column of many cells made positive, with a given sum, by a prior that they say themselves.
 *
 * The counts are taken as draws from an unknown law G, seen through noise N(0, sd^2). G is estimated by maximum likelihood, the
 * non-parametric empirical Bayes of Kiefer and Wolfowitz [KW56], on a grid and by EM as in [JZ09], and each count becomes its
 * posterior mean. Where all cells hold about the same, they come out flat; where most are empty and few are full, the empty ones
 * go to about 0 and the full ones stay. Counts of more than FAR_OUT standard deviations are kept as they are: there is no law to
 * be learned there, and their own noise is small.
 * Deviation: the EM starts from, and keeps adding, FLAT_CELLS observations of a flat law, so that few cells do not become a law
 * of as many points. Post-processing of public numbers. */
#include "synth_internal.h"

#include <math.h>
#include <stdlib.h>

/* All in standard deviations of the noise. The grid of G, denser near 0, has steps of a quarter, at which the posterior mean is
 * smooth; the posterior mean itself is tabulated at steps of a sixteenth. */
enum { GRID = 68, GRID_SMALL = 4, GRID_STEPS = 4, TABLE_STEPS = 16, TABLE_LOW = -8, TABLE_HIGH = 16, EM_STEPS = 60 };
enum { TABLE = (TABLE_HIGH - TABLE_LOW) * TABLE_STEPS + 1, MOST_OBSERVED = 4096 };
static const double SMALL[GRID_SMALL] = { 0.0, 0.03, 0.06, 0.12 };
/* From BLEND on the posterior mean goes over to the count itself, reached at FAR_OUT. */
static const double BLEND = 10.0;
static const double FAR_OUT = 12.0;
static const double FLAT_CELLS = 5.0;
/* Halves an interval until it is one of neighbouring doubles, whatever it was. */
enum { BISECTIONS = 100 };

typedef struct prior {
    double at[GRID];
    double flat[GRID];
    double weight[GRID];
    double mean[TABLE]; /* posterior mean of a count of TABLE_LOW + i / TABLE_STEPS */
} prior;

static void lay_grid(prior *p)
{
    double sum = 0.0;
    for (int g = 0; g < GRID; g++)
        p->at[g] = g < GRID_SMALL ? SMALL[g] : (double)(g - GRID_SMALL + 1) / GRID_STEPS;
    for (int g = 0; g < GRID; g++) { /* half of the way to either neighbour */
        const double low = g == 0 ? p->at[0] : 0.5 * (p->at[g - 1] + p->at[g]);
        const double high = g == GRID - 1 ? p->at[g] : 0.5 * (p->at[g] + p->at[g + 1]);
        sum += p->flat[g] = high - low;
    }
    for (int g = 0; g < GRID; g++)
        p->weight[g] = p->flat[g] /= sum;
}

/* The posterior of one count: parts of each grid point, adding up to 1. */
static void posterior(const prior *p, double z, double part[GRID])
{
    double sum = 0.0;
    for (int g = 0; g < GRID; g++) {
        const double d = z - p->at[g];
        sum += part[g] = p->weight[g] * exp(-0.5 * d * d);
    }
    for (int g = 0; g < GRID; g++)
        part[g] /= sum;
}

/* One step of EM over z[0..n-1]. */
static void improve(prior *p, const double *z, size_t n)
{
    double sum[GRID];
    double part[GRID];
    for (int g = 0; g < GRID; g++)
        sum[g] = FLAT_CELLS * p->flat[g];
    for (size_t i = 0; i < n; i++) {
        posterior(p, z[i], part);
        for (int g = 0; g < GRID; g++)
            sum[g] += part[g];
    }
    for (int g = 0; g < GRID; g++)
        p->weight[g] = sum[g] / ((double)n + FLAT_CELLS);
}

static void tabulate(prior *p)
{
    double part[GRID];
    for (int i = 0; i < TABLE; i++) {
        const double z = TABLE_LOW + (double)i / TABLE_STEPS;
        const double kept = fmin(1.0, fmax(0.0, (z - BLEND) / (FAR_OUT - BLEND)));
        double mean = 0.0;
        posterior(p, z, part);
        for (int g = 0; g < GRID; g++)
            mean += part[g] * p->at[g];
        p->mean[i] = (1.0 - kept) * mean + kept * z;
    }
}

/* Positive and increasing in z. */
static double mean_at(const prior *p, double z)
{
    if (z >= FAR_OUT)
        return z;
    if (z <= TABLE_LOW) /* falls to 0 below the table */
        return p->mean[0] / (1.0 + (TABLE_LOW - z));
    const double place = (z - TABLE_LOW) * TABLE_STEPS;
    const int i = (int)place;
    return p->mean[i] + (place - i) * (p->mean[i + 1] - p->mean[i]);
}

static double mass_at(const prior *p, const double *x, size_t n, double shift, double sd)
{
    double mass = 0.0;
    for (size_t i = 0; i < n; i++)
        mass += sd * mean_at(p, (x[i] - shift) / sd);
    return mass;
}

/* Shifting all counts by the same before the posterior mean is taken tilts each posterior exponentially: it is conditioned on the
 * sum. */
static void condition(const prior *p, double *x, size_t n, double total, double sd)
{
    double low = x[0];
    double high = x[0];
    for (size_t i = 1; i < n; i++) {
        low = fmin(low, x[i]);
        high = fmax(high, x[i]);
    }
    low -= total + FAR_OUT * sd; /* every cell is above total */
    for (double step = sd; mass_at(p, x, n, high, sd) > total; step *= 2.0)
        high += step;
    for (int i = 0; i < BISECTIONS; i++) {
        const double middle = 0.5 * (low + high);
        if (mass_at(p, x, n, middle, sd) > total)
            low = middle;
        else
            high = middle;
    }
    for (size_t i = 0; i < n; i++)
        x[i] = sd * mean_at(p, (x[i] - low) / sd);
}

nw_status nw__shrink(double *x, size_t n, double sd, double total, nw_error *err)
{
    const size_t step = (n + MOST_OBSERVED - 1) / MOST_OBSERVED;
    prior *p = nw__calloc(1, sizeof *p);
    double *z = nw__calloc(n / step + 1, sizeof *z);
    size_t observed = 0;
    if (p == NULL || z == NULL) {
        free(p);
        free(z);
        return nw__fail_memory(err, "nw_synth_fit");
    }
    lay_grid(p);
    for (size_t i = 0; i < n; i += step)
        if (x[i] <= FAR_OUT * sd)
            z[observed++] = fmax(x[i] / sd, TABLE_LOW);
    for (int i = 0; i < EM_STEPS; i++)
        improve(p, z, observed);
    tabulate(p);
    condition(p, x, n, total, sd);
    free(p);
    free(z);
    return NW_OK;
}
