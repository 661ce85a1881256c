/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "cells.h"

#include <math.h>
#include <stdlib.h>

static const double UNIT = 0x1p-53;
/* Relative error of a point mass: exponentials of arguments below 745 in modulus, each to 4 u of its argument. */
static const double ATOM_ERROR = 0x1p-41;
/* No set of cells is refined beyond this many. */
enum { MOST_CELLS = 1 << 17 };
/* Furthest index: index h is exact to an ulp, and widths add up without overflow. */
static const double INDEX_LIMIT = 0x1p46;

void nw__cells_free(nw__cells *cells)
{
    free(cells->at);
    *cells = (nw__cells){ 0 };
}

typedef struct maker {
    nw__cells *cells;
    const nw__pair *pair;
    const nw__cells_opts *o;
    bool is_full; /* out of memory */
    bool is_far;  /* a point mass has no index */
} maker;

static void put(maker *m, int64_t index, double p)
{
    nw__cells *c = m->cells;
    if (!(p > 0.0))
        return;
    if (c->n > 0 && c->at[c->n - 1].index == index) {
        c->at[c->n - 1].p += p;
        return;
    }
    if (c->n == c->capacity) {
        const size_t capacity = c->capacity == 0 ? 1024 : 2 * c->capacity;
        nw__cell *at = realloc(c->at, capacity * sizeof *at);
        if (at == NULL) {
            m->is_full = true;
            return;
        }
        c->at = at;
        c->capacity = capacity;
    }
    c->at[c->n++] = (nw__cell){ index, p };
}

static double loss_at(const maker *m, int64_t index)
{
    return m->cells->origin + (double)index * m->o->h;
}

static nw__tails tails_at(const maker *m, double loss)
{
    nw__tails t;
    m->pair->tails(m->pair, loss, &t);
    return t;
}

/* P- and Q-mass of the losses in (low, high], each as an interval: the difference of the tails on the side where they are
 * smaller. */
typedef struct cell_mass {
    double p_low, p_high, q_low, q_high;
} cell_mass;

static void difference(double larger, double smaller, double error, double *low, double *high)
{
    const double size = larger - smaller;
    const double slack = error * (larger + smaller) + 2.0 * UNIT * fabs(size);
    *low = fmax(0.0, size - slack);
    *high = fmax(0.0, size + slack);
}

static cell_mass mass_between(const nw__tails *low, const nw__tails *high)
{
    cell_mass c;
    const double error = fmax(low->error, high->error);
    if (low->p_above < high->p_below)
        difference(low->p_above, high->p_above, error, &c.p_low, &c.p_high);
    else
        difference(high->p_below, low->p_below, error, &c.p_low, &c.p_high);
    if (low->q_above < high->q_below)
        difference(low->q_above, high->q_above, error, &c.q_low, &c.q_high);
    else
        difference(high->q_below, low->q_below, error, &c.q_low, &c.q_high);
    return c;
}

static double tilted(const maker *m, double p, double loss)
{
    return p * exp(m->o->theta * loss - m->o->log_scale);
}

/* The mass of (a, b] at its ends: w = (P - e^a Q) / (1 - e^(a - b)) above, the rest below. */
static void connect(maker *m, int64_t a, int64_t b, const cell_mass *c)
{
    const double low = loss_at(m, a);
    const double width = (double)(b - a) * m->o->h;
    /* Q-mass that has underflown counts as none, and more goes up; e^a alone may overflow */
    const double q_low = c->q_low > 1e-290 ? c->q_low : 0.0;
    const double q = low < 700.0 ? exp(low) * q_low : exp(low + log(q_low));
    const double excess = c->p_high - q * (1.0 - 16.0 * UNIT * (1.0 + fabs(low)));
    const double w = fmin(c->p_high, fmax(0.0, excess / -expm1(-width) * (1.0 + 8.0 * UNIT)));
    put(m, a, c->p_high - w);
    put(m, b, w);
}

static void refine(maker *m, int64_t a, int64_t b, const nw__tails *at_a, const nw__tails *at_b)
{
    const cell_mass c = mass_between(at_a, at_b);
    const double width = (double)(b - a);
    if (b - a > 1 && c.p_high > 0.0 && m->cells->n < MOST_CELLS &&
        tilted(m, c.p_high, loss_at(m, b)) * width * width * m->o->fineness > 1.0) {
        const int64_t middle = a + (b - a) / 2;
        const nw__tails at_middle = tails_at(m, loss_at(m, middle));
        refine(m, a, middle, at_a, &at_middle);
        refine(m, middle, b, &at_middle, at_b);
        return;
    }
    connect(m, a, b, &c);
}

/* The least (greatest) loss beyond which P has at most `cut`, within a part in 2^20 of the bracket. */
static double quantile(const maker *m, double cut, bool is_high)
{
    double low = fmax(m->pair->lowest, -0x1p30);
    double high = fmin(m->pair->highest, 0x1p30);
    if (isinf(m->pair->lowest) || isinf(m->pair->highest)) { /* a bracket that grows from 0 */
        double reach = m->o->h;
        while (reach < 0x1p30 && (tails_at(m, reach).p_above > cut || tails_at(m, -reach).p_below > cut))
            reach *= 2.0;
        low = fmax(low, -reach);
        high = fmin(high, reach);
    }
    for (int i = 0; i < 24; i++) {
        const double middle = 0.5 * (low + high);
        const nw__tails t = tails_at(m, middle);
        if (is_high ? t.p_above > cut : t.p_below <= cut)
            low = middle;
        else
            high = middle;
    }
    return is_high ? high : low;
}

static void cover_upper(maker *m, double low, double high)
{
    const int64_t a = (int64_t)floor((low - m->cells->origin) / m->o->h);
    const int64_t top = (int64_t)ceil((high - m->cells->origin) / m->o->h);
    const int64_t b = top > a ? top : a + 1;
    const nw__tails at_a = tails_at(m, loss_at(m, a));
    const nw__tails at_b = tails_at(m, loss_at(m, b));
    put(m, a, at_a.p_below * (1.0 + at_a.error));
    refine(m, a, b, &at_a, &at_b);
    if (loss_at(m, b) < m->pair->highest)
        m->cells->infinite += at_b.p_above * (1.0 + at_b.error);
    else /* nothing in truth: what rounding has left of it is at most at the highest loss */
        put(m, b, at_b.p_above * (1.0 + at_b.error));
}

/* The merged loss log(P / Q) of a cell, rounded down. */
static double merged_loss(const cell_mass *c)
{
    const double ratio = c->p_low / c->q_high;
    if (isinf(ratio))
        return (log(c->p_low) - log(c->q_high)) * (1.0 - 16.0 * UNIT);
    const double r = log(ratio);
    return r - 4.0 * UNIT * (1.0 + fabs(r));
}

/* The lower end of the cell below `end` whose merged loss is the grid point g, or a hair above it, by the secant method: the
 * merged loss moves about half as fast as the end. */
static nw__tails find_end(const maker *m, const nw__tails *at_end, double end, double g, double lowest, double *begin)
{
    enum { ROUNDS = 12 };
    const double width = end - g;
    double c = fmax(2.0 * g - end, lowest);
    double slope = 0.5;
    double previous_c = NAN;
    double previous_r = NAN;
    nw__tails t = tails_at(m, c);
    for (int i = 0; i < ROUNDS; i++) {
        const cell_mass mass = mass_between(&t, at_end);
        const double r = mass.p_low > 0.0 && mass.q_low > 0.0 ? merged_loss(&mass) : NAN;
        if (!(fabs(r - g) < 4.0 * width) || (r >= g && r - g <= 1e-7 * width))
            break;
        if (i > 0 && c != previous_c)
            slope = fmin(1.0, fmax(0.05, (r - previous_r) / (c - previous_c)));
        previous_c = c;
        previous_r = r;
        c = fmin(fmax(c + (g - r + 1e-8 * width) / slope, lowest), g);
        t = tails_at(m, c);
    }
    *begin = c;
    return t;
}

/* Subsampled losses pile up within far less than h of the one finite end of their support: what is left there is a cell of its
 * own, and the grid is anchored at its merged loss. */
static bool has_pile_below(const nw__pair *pair)
{
    return isfinite(pair->lowest) && !isfinite(pair->highest);
}

static bool has_pile_above(const nw__pair *pair)
{
    return isfinite(pair->highest) && !isfinite(pair->lowest);
}

static void put_merged(maker *m, const nw__tails *low, const nw__tails *high)
{
    const cell_mass c = mass_between(low, high);
    if (c.p_low > 0.0 && c.q_high > 0.0)
        put(m, (int64_t)floor((merged_loss(&c) - m->cells->origin) / m->o->h), c.p_low);
}

/* Merged cells from the top down to `stop`, none below `low`. A cell takes the width that its predecessor's mass suggests. */
static void merge_cells(maker *m, double stop, double low, double high, nw__tails *at_end)
{
    const double h = m->o->h;
    const double origin = m->cells->origin;
    double width = 1.0;
    double end = high;
    while (end > stop && !m->is_full) {
        double begin = 0.0;
        const double from_origin = (end - origin) / h;
        const double g = origin + h * fmin(ceil(from_origin) - 1.0, floor(from_origin - 0.5 * width + 0.5));
        const nw__tails at_begin = find_end(m, at_end, end, g, low, &begin);
        const cell_mass c = mass_between(&at_begin, at_end);
        put_merged(m, &at_begin, at_end);
        const double load = tilted(m, c.p_high, end) * width * width * m->o->fineness;
        width = m->cells->n >= MOST_CELLS ? 2.0 * width : load > 1.0 ? fmax(1.0, 0.5 * width) : load < 0.1 ? 2.0 * width : width;
        if (!(begin < end))
            break;
        end = begin;
        *at_end = at_begin;
    }
}

/* The cells move with the origin and the merged loss of what they leave at the bottom moves much less, so the origin that it
 * falls on is found by a few rounds; a last one starts a hair lower, as a loss below its grid point would lose a whole step. */
static void merge_above_pile(maker *m, double high)
{
    enum { ROUNDS = 8 };
    const double h = m->o->h;
    const double lowest = m->pair->lowest;
    const nw__tails bottom = tails_at(m, lowest);
    const double infinite = m->cells->infinite;
    double miss = 0.0;
    m->cells->origin = lowest + 0.25 * h;
    for (int round = 0; round < ROUNDS; round++) {
        nw__tails at_end = tails_at(m, high);
        m->cells->n = 0;
        m->cells->infinite = infinite;
        merge_cells(m, m->cells->origin + h, lowest, high, &at_end);
        const cell_mass c = mass_between(&bottom, &at_end);
        put_merged(m, &bottom, &at_end);
        if (!(c.p_low > 0.0 && c.q_high > 0.0))
            return;
        miss = merged_loss(&c) - m->cells->origin;
        if ((miss >= 0.0 && miss <= 1e-7 * h) || round + 1 == ROUNDS)
            return;
        m->cells->origin += miss - (round + 2 >= ROUNDS ? 2e-3 * fabs(miss) + 1e-9 * h : 1e-9 * h);
    }
}

static void cover_lower(maker *m, double low, double high)
{
    if (has_pile_below(m->pair)) {
        merge_above_pile(m, high);
        return;
    }
    double end = high;
    nw__tails at_end = tails_at(m, end);
    if (has_pile_above(m->pair)) {
        const double h = m->o->h;
        const nw__tails top = tails_at(m, m->pair->highest);
        at_end = tails_at(m, m->pair->highest - h);
        const cell_mass c = mass_between(&at_end, &top);
        end = m->pair->highest - h;
        m->cells->origin = c.p_low > 0.0 && c.q_high > 0.0 ? merged_loss(&c) : end;
        put_merged(m, &at_end, &top);
    }
    merge_cells(m, low, low, end, &at_end);
}

/* Point masses: to both neighbours (the share above w = (1 - e^(g - l)) / (1 - e^-h)), or down. */
static void place_atoms(maker *m)
{
    const double h = m->o->h;
    const nw__atoms *atoms = &m->pair->atoms;
    double above = 0.0;
    size_t top = atoms->n;
    while (top > 0 && above + atoms->at[top - 1].p <= m->o->cut_high)
        above += atoms->at[--top].p;
    if (m->o->is_upper)
        m->cells->infinite += above * (1.0 + ATOM_ERROR);
    for (size_t i = 0; i < top; i++) {
        const nw__atom *a = &atoms->at[i];
        const double loss = a->loss - m->cells->origin;
        const double nearest = h * floor(loss / h + 0.5);
        if (!(fabs(loss) < INDEX_LIMIT * h)) {
            m->is_far = true;
            return;
        }
        /* a lattice's own points differ from the grid's by rounding only */
        const bool is_on_grid = fabs(loss - nearest) <= 8.0 * UNIT * (fabs(a->loss) + fabs(loss));
        const double g = is_on_grid ? nearest : h * floor(loss / h);
        const int64_t index = (int64_t)floor(g / h + 0.5);
        if (!m->o->is_upper || is_on_grid) {
            put(m, index, a->p * (m->o->is_upper ? 1.0 + ATOM_ERROR : 1.0 - ATOM_ERROR));
            continue;
        }
        const double p = a->p * (1.0 + ATOM_ERROR);
        const double w = fmin(1.0, -expm1(g - loss) / -expm1(-h) * (1.0 + 8.0 * UNIT));
        put(m, index, p * (1.0 - w));
        put(m, index + 1, p * w);
    }
}

nw_status nw__cells_new(nw__cells *out, const nw__pair *pair, const nw__cells_opts *opts, nw_error *err)
{
    maker m = { out, pair, opts, false, false };
    *out = (nw__cells){ .origin = isfinite(pair->lowest) ? pair->lowest : isfinite(pair->highest) ? pair->highest : 0.0 };
    if (opts->is_upper)
        out->infinite = pair->atoms.p_infinite * (1.0 + 4.0 * UNIT);
    else
        out->infinite = pair->atoms.p_infinite * (1.0 - 4.0 * UNIT);
    if (pair->tails != NULL) {
        const double low = quantile(&m, opts->cut_low, false);
        const double high = quantile(&m, opts->cut_high, true);
        const double limit = INDEX_LIMIT * opts->h;
        m.is_far = !(fabs(low) < limit && fabs(high) < limit && fabs(low - out->origin) < limit &&
                     fabs(high - out->origin) < limit && high - low < opts->most * opts->h);
        if (!m.is_far && opts->is_upper)
            cover_upper(&m, low, high);
        else if (!m.is_far)
            cover_lower(&m, low, high);
    }
    if (!m.is_far)
        place_atoms(&m);
    if (!m.is_full && !m.is_far)
        return NW_OK;
    nw__cells_free(out);
    return m.is_full ? nw__fail_memory(err, "nw__cells")
                     : nw__fail(err, NW_E_UNSUPPORTED, "nw__cells", "losses of different sizes meet on one grid");
}
