/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "cells.h"

#include "contract.h"

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
    nw__span *spans; /* lower: of the part without point masses, from the lowest up */
    size_t span_count, span_capacity;
    double pile;  /* and what lies at grid point 0, an end of theirs */
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

/* e^loss times a Q-mass: e^loss alone may overflow. */
static double raised(double loss, double q)
{
    return loss < 700.0 ? exp(loss) * q : exp(loss + log(q));
}

/* The mass of (a, b] at its ends: w = (P - e^a Q) / (1 - e^(a - b)) above, the rest below. */
static void connect(maker *m, int64_t a, int64_t b, const cell_mass *c)
{
    const double low = loss_at(m, a);
    const double width = (double)(b - a) * m->o->h;
    const double q = c->q_low > 1e-290 ? raised(low, c->q_low) : 0.0; /* what has underflown counts as none: more goes up */
    const double excess = c->p_high - q * (1.0 - 16.0 * UNIT * (1.0 + fabs(low)));
    const double w = fmin(c->p_high, fmax(0.0, excess / -expm1(-width) * (1.0 + 8.0 * UNIT)));
    put(m, a, c->p_high - w);
    put(m, b, w);
}

/* The same as a span from below, A = P, D = P - e^a Q. */
static void add_span(maker *m, int64_t a, int64_t b, const cell_mass *c)
{
    if (m->span_count == m->span_capacity) {
        const size_t capacity = m->span_capacity == 0 ? 1024 : 2 * m->span_capacity;
        nw__span *spans = realloc(m->spans, (capacity + 1) * sizeof *spans);
        if (spans == NULL) {
            m->is_full = true;
            return;
        }
        m->spans = spans;
        m->span_capacity = capacity;
    }
    const double low = loss_at(m, a);
    const double error = 16.0 * UNIT * (1.0 + fabs(low));
    const double mass[2] = { c->p_low, c->p_high };
    const double excess[2] = { fmax(0.0, c->p_low - raised(low, c->q_high) * (1.0 + error)),
        fmax(0.0, c->p_high - raised(low, c->q_low) * (1.0 - error)) };
    m->spans[m->span_count++] = nw__span_of(a, mass, excess, (double)(b - a) * m->o->h);
    m->spans[m->span_count].index = b;
}

/* Too wide for its mass; from below, also for what lies above it, which bounds how far its chord may be lowered. */
static bool is_coarse(const maker *m, double width, double p, double b, double p_above)
{
    if (tilted(m, p, b) * width * width * m->o->fineness > 1.0)
        return true;
    return !m->o->is_upper && p * expm1(width * m->o->h) > 0.5 * p_above;
}

static void refine(maker *m, int64_t a, int64_t b, const nw__tails *at_a, const nw__tails *at_b)
{
    const cell_mass c = mass_between(at_a, at_b);
    if (b - a > 1 && c.p_high > 0.0 && m->cells->n + m->span_count < MOST_CELLS &&
        is_coarse(m, (double)(b - a), c.p_high, loss_at(m, b), at_b->p_above)) {
        const int64_t middle = a + (b - a) / 2;
        const nw__tails at_middle = tails_at(m, loss_at(m, middle));
        refine(m, a, middle, at_a, &at_middle);
        refine(m, middle, b, &at_middle, at_b);
        return;
    }
    if (m->o->is_upper)
        connect(m, a, b, &c);
    else
        add_span(m, a, b, &c);
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
    int64_t b = top > a ? top : a + 1;
    if (high >= m->pair->highest && loss_at(m, b) < m->pair->highest) /* by a rounding: nothing is left for infinity */
        b++;
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
    const double r = log(c->p_low) - log(c->q_high);
    return r - 4.0 * UNIT * (4.0 + fabs(r) + fabs(log(c->p_low)));
}

/* Subsampled losses pile up within far less than h of the one finite end of their support. What lies within h of it is merged
 * into one point, which is post-processing, and the grid is anchored there. Returns the pile's inner end; false without one. */
static bool merge_pile(maker *m, bool is_low, double *inner)
{
    const double end = is_low ? m->pair->lowest : m->pair->highest;
    *inner = is_low ? end + m->o->h : end - m->o->h;
    const nw__tails at_end = tails_at(m, end);
    const nw__tails at_inner = tails_at(m, *inner);
    const cell_mass c = is_low ? mass_between(&at_end, &at_inner) : mass_between(&at_inner, &at_end);
    if (!(c.p_low > 0.0 && c.q_low > 0.0))
        return false;
    m->cells->origin = merged_loss(&c);
    m->pile = c.p_low;
    return true;
}

/* Spans from `low` to `high`, of which one at either end may stick out over what it holds: they end on grid points. */
static void cover_lower(maker *m, double low, double high)
{
    const bool is_above = isfinite(m->pair->highest) && !isfinite(m->pair->lowest);
    const bool is_below = isfinite(m->pair->lowest) && !isfinite(m->pair->highest);
    double inner = 0.0;
    if (is_below && low < m->pair->lowest + m->o->h && merge_pile(m, true, &inner))
        low = inner;
    if (is_above && high > m->pair->highest - m->o->h && merge_pile(m, false, &inner))
        high = inner;
    const int64_t a = (int64_t)ceil((low - m->cells->origin) / m->o->h);
    const int64_t b = (int64_t)floor((high - m->cells->origin) / m->o->h);
    const nw__tails at_low = tails_at(m, low);
    const nw__tails at_high = tails_at(m, high);
    const nw__tails at_a = tails_at(m, fmin(loss_at(m, a), high));
    const nw__tails at_b = tails_at(m, fmax(loss_at(m, b), low));
    const cell_mass below = mass_between(&at_low, &at_a);
    const cell_mass above = mass_between(&at_b, &at_high);
    add_span(m, a - 1, a, &below);
    if (a < b)
        refine(m, a, b, &at_a, &at_b);
    if (a <= b)
        add_span(m, b, b + 1, &above);
}

static nw_status put_spans(maker *m, nw_error *err)
{
    const size_t n = m->span_count;
    double *mass = nw__calloc(n + 1, sizeof *mass);
    if (mass == NULL)
        return nw__fail_memory(err, "nw__cells");
    mass[m->spans[0].index == 0 ? 0 : n] = m->pile;
    const nw_status status = nw__contract(m->spans, n, m->o->h, 0.0, mass, "nw__cells", err);
    for (size_t k = 0; status == NW_OK && k <= n; k++)
        put(m, m->spans[k].index, mass[k]);
    free(mass);
    return status;
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
    maker m = { .cells = out, .pair = pair, .o = opts };
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
    nw_status status = m.span_count > 0 && !m.is_full ? put_spans(&m, err) : NW_OK;
    if (!m.is_far)
        place_atoms(&m);
    free(m.spans);
    if (status == NW_OK && m.is_full)
        status = nw__fail_memory(err, "nw__cells");
    else if (status == NW_OK && m.is_far)
        status = nw__fail(err, NW_E_UNSUPPORTED, "nw__cells", "losses of different sizes meet on one grid");
    if (status != NW_OK)
        nw__cells_free(out);
    return status;
}
