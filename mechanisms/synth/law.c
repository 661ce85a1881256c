/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* law.c - the law of an ordered column, from the noisy counts of its levels. Post-processing.
 *
 * A level counts groups of neighbouring codes, each level's groups are parts of the groups above. Up: each group's own noisy
 * count and the sum of its parts, averaged by precision [HRMS10, sec. 4.1]. Down: a group's mass is divided among its parts, so
 * that nothing is negative and everything adds up:
 *   parts that stand out of an even division by more than SPIKE_SD standard deviations keep what they measured;
 *   the others are drawn toward the even division by the factor of James and Stein, 1 - (k - 2) variance / squared distance,
 *   which is 0 where all they differ by is noise: a group of few records then comes out flat instead of speckled;
 *   negative parts become 0 and the rest gives way equally (the projection on the simplex). */
#include "synth_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double SPIKE_SD = 4.0;
enum { NEIGHBOURS = 8 }; /* on each side of a code */

/* The estimates of one level. */
typedef struct estimates {
    size_t groups;
    uint32_t width; /* codes a group */
    double *sum;
    double *variance;
    double *mass; /* the result */
} estimates;

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The point nearest to x[0..k-1] whose parts without `is_fixed` are >= 0 and add up to `total`: all are shifted equally, those
 * that this would make negative are fixed at 0, and the others are shifted again. */
static void project(double *x, bool *is_fixed, size_t k, double total)
{
    for (;;) {
        double sum = 0.0;
        size_t active = 0;
        bool is_done = true;
        for (size_t i = 0; i < k; i++) {
            sum += is_fixed[i] ? 0.0 : x[i];
            active += !is_fixed[i];
        }
        const double shift = active == 0 ? 0.0 : (total - sum) / (double)active;
        for (size_t i = 0; i < k; i++) {
            if (is_fixed[i] || x[i] + shift >= 0.0)
                continue;
            x[i] = 0.0;
            is_fixed[i] = true;
            is_done = false;
        }
        for (size_t i = 0; is_done && i < k; i++)
            x[i] += is_fixed[i] ? 0.0 : shift;
        if (is_done)
            return;
    }
}

/* The parts that stand out keep what they measured, scaled if that is more than there is, or if there are no others. Returns what
 * is left. */
static double keep_spikes(
    const double *z, const double *variance, const double *even, size_t k, double total, double *x, bool *is_kept)
{
    double kept = 0.0;
    size_t count = 0;
    for (size_t i = 0; i < k; i++) {
        is_kept[i] = z[i] - even[i] > SPIKE_SD * sqrt(variance[i]);
        x[i] = is_kept[i] ? z[i] : 0.0;
        kept += x[i];
        count += is_kept[i];
    }
    const double factor = kept > total || count == k ? total / kept : 1.0;
    for (size_t i = 0; i < k; i++)
        x[i] *= factor;
    return fmax(0.0, total - factor * kept);
}

/* Divides `total` among k parts. even: in, the shares of an even division, adding up to 1; changed. */
static void divide(const double *z, const double *variance, double *even, size_t k, double total, double *x, bool *is_kept)
{
    double share = 0.0;
    double distance = 0.0;
    double noise = 0.0;
    size_t others = 0;
    for (size_t i = 0; i < k; i++)
        even[i] *= total;
    const double left = keep_spikes(z, variance, even, k, total, x, is_kept);
    for (size_t i = 0; i < k; i++)
        share += is_kept[i] ? 0.0 : even[i];
    for (size_t i = 0; i < k; i++) {
        if (is_kept[i])
            continue;
        even[i] = share > 0.0 ? even[i] / share * left : 0.0;
        distance += (z[i] - even[i]) * (z[i] - even[i]);
        noise += variance[i];
        others++;
    }
    const double excess = others > 2 ? noise * (double)(others - 2) / (double)others : 0.0;
    const double factor = distance > 0.0 ? fmax(0.0, 1.0 - excess / distance) : 0.0;
    for (size_t i = 0; i < k; i++)
        if (!is_kept[i])
            x[i] = even[i] + factor * (z[i] - even[i]);
    project(x, is_kept, k, left);
}

static void combine_up(estimates *upper, const estimates *lower)
{
    const size_t parts = upper->width / lower->width;
    for (size_t g = 0; g < upper->groups; g++) {
        double sum = 0.0;
        double variance = 0.0;
        for (size_t i = g * parts; i < smaller((g + 1) * parts, lower->groups); i++) {
            sum += lower->sum[i];
            variance += lower->variance[i];
        }
        const double precision = 1.0 / upper->variance[g] + 1.0 / variance;
        upper->sum[g] = (upper->sum[g] / upper->variance[g] + sum / variance) / precision;
        upper->variance[g] = 1.0 / precision;
    }
}

/* Workspace of divide, for as many parts as the widest division has. */
typedef struct workspace {
    double *even;
    bool *is_kept;
} workspace;

/* The parts of `lower` in codes first .. end-1 share `total`. */
static void divide_down(const estimates *lower, size_t first, size_t end, uint32_t values, double total, const workspace *w)
{
    const size_t begin = first * lower->width;
    const double codes = (double)(smaller(end * lower->width, values) - begin);
    for (size_t i = first; i < end; i++) {
        const size_t at = i * lower->width;
        w->even[i - first] = (double)(smaller(at + lower->width, values) - at) / codes;
    }
    divide(lower->sum + first, lower->variance + first, w->even, end - first, total, lower->mass + first, w->is_kept);
}

static void estimates_free(estimates *levels, size_t n)
{
    for (size_t l = 0; levels != NULL && l < n; l++) {
        free(levels[l].sum);
        free(levels[l].variance);
        free(levels[l].mass);
    }
    free(levels);
}

static estimates *load_levels(const nw__plan *plan, size_t column)
{
    const nw__column_shape *shape = &plan->shapes[column];
    estimates *levels = nw__calloc(shape->levels, sizeof *levels);
    for (size_t l = 0; levels != NULL && l < shape->levels; l++) {
        const nw__level *level = &plan->levels[shape->first_level + l];
        estimates *e = &levels[l];
        e->width = level->width;
        e->groups = (shape->values + level->width - 1) / level->width;
        e->sum = nw__calloc(e->groups, sizeof *e->sum);
        e->variance = nw__calloc(e->groups, sizeof *e->variance);
        e->mass = nw__calloc(e->groups, sizeof *e->mass);
        if (e->sum == NULL || e->variance == NULL || e->mass == NULL) {
            estimates_free(levels, shape->levels);
            return NULL;
        }
        for (size_t g = 0; g < e->groups; g++) {
            e->sum[g] = (double)level->counts[g];
            e->variance[g] = level->sigma * level->sigma;
        }
    }
    return levels;
}

/* The missing code is in every level by itself. */
static double missing_mass(const nw__plan *plan, const nw__column_shape *shape, double rows)
{
    double sum = 0.0;
    if (shape->values == shape->codes)
        return 0.0;
    for (size_t l = 0; l < shape->levels; l++) {
        const nw__level *level = &plan->levels[shape->first_level + l];
        sum += (double)level->counts[level->cells - 1];
    }
    return fmin(fmax(0.0, sum / (double)shape->levels), rows);
}

/* Of a column without order: the counts by themselves. */
static double *shrunk_law(const nw__plan *plan, const nw__column_shape *shape, double rows)
{
    const nw__level *level = &plan->levels[shape->first_level];
    double *law = nw__calloc(shape->codes, sizeof *law);
    for (uint32_t code = 0; law != NULL && code < shape->codes; code++)
        law[code] = (double)level->counts[code];
    if (law == NULL || nw__shrink(law, shape->codes, level->sigma, rows, NULL) == NW_OK)
        return law;
    free(law);
    return NULL;
}

double *nw__law_make(const nw__plan *plan, size_t column, double rows)
{
    if (!plan->shapes[column].is_ordered)
        return shrunk_law(plan, &plan->shapes[column], rows);
    const nw__column_shape *shape = &plan->shapes[column];
    const size_t last = shape->levels - 1;
    estimates *e = load_levels(plan, column);
    double *law = nw__calloc(shape->codes, sizeof *law);
    workspace w = { nw__calloc(shape->values, sizeof *w.even), nw__calloc(shape->values, sizeof *w.is_kept) };
    const double missing = missing_mass(plan, shape, rows);
    const bool is_ok = e != NULL && law != NULL && w.even != NULL && w.is_kept != NULL;
    if (is_ok) {
        for (size_t l = last; l-- > 0;)
            combine_up(&e[l], &e[l + 1]);
        divide_down(&e[0], 0, e[0].groups, shape->values, rows - missing, &w);
        for (size_t l = 0; l < last; l++) {
            const size_t parts = e[l].width / e[l + 1].width;
            for (size_t g = 0; g < e[l].groups; g++)
                divide_down(&e[l + 1], g * parts, smaller((g + 1) * parts, e[l + 1].groups), shape->values, e[l].mass[g], &w);
        }
        memcpy(law, e[last].mass, shape->values * sizeof *law);
        if (shape->values < shape->codes)
            law[shape->values] = missing;
    }
    estimates_free(e, shape->levels);
    free(w.even);
    free(w.is_kept);
    if (!is_ok) {
        free(law);
        return NULL;
    }
    return law;
}

/* A range is cut into the widest groups that fit, each with the variance that it has after the way up. */
double nw__law_variance(const nw__plan *plan, size_t column, uint32_t low, uint32_t high)
{
    const nw__column_shape *shape = &plan->shapes[column];
    const nw__level *levels = plan->levels + shape->first_level;
    double sum = 0.0;
    while (low < high) {
        double variance = levels[shape->levels - 1].sigma * levels[shape->levels - 1].sigma; /* of one code */
        uint32_t width = 1;
        for (size_t l = shape->levels - 1; l-- > 0;) {
            if (low % levels[l].width != 0 || high - low < levels[l].width)
                break;
            const double parts = (double)levels[l].width / width;
            variance = 1.0 / (1.0 / (levels[l].sigma * levels[l].sigma) + 1.0 / (parts * variance));
            width = levels[l].width;
        }
        sum += variance;
        low += width;
    }
    return sum;
}

/* The median of the codes around one. */
static double median_around(const double *law, uint32_t values, uint32_t code)
{
    double sorted[2 * NEIGHBOURS];
    size_t n = 0;
    const uint32_t low = code > NEIGHBOURS ? code - NEIGHBOURS : 0;
    for (uint32_t c = low; c < values && c <= code + NEIGHBOURS; c++) {
        if (c == code)
            continue;
        size_t i = n++;
        for (; i > 0 && sorted[i - 1] > law[c]; i--)
            sorted[i] = sorted[i - 1];
        sorted[i] = law[c];
    }
    return n == 0 ? 0.0 : sorted[n / 2];
}

bool nw__law_has_spike(const nw__plan *plan, size_t column, const double *law, uint32_t code)
{
    const nw__column_shape *shape = &plan->shapes[column];
    const double threshold = SPIKE_SD * plan->levels[shape->first_level + shape->levels - 1].sigma;
    return law[code] > threshold && law[code] - median_around(law, shape->values, code) > threshold;
}

double nw__rows_of_levels(const nw__plan *plan, double known_rows)
{
    double weighted = 0.0;
    double precision = 0.0;
    if (known_rows >= 0.0)
        return fmax(1.0, known_rows);
    for (size_t l = 0; l < plan->level_count; l++) {
        const nw__level *level = &plan->levels[l];
        const double weight = 1.0 / (level->cells * level->sigma * level->sigma);
        for (uint32_t c = 0; c < level->cells; c++)
            weighted += weight * (double)level->counts[c];
        precision += weight;
    }
    return fmax(1.0, weighted / precision);
}
