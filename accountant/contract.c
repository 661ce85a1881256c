/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* contract.c - lowered chords, made convex.
 *
 * Node k is the lower end of span k, x_k = e^(index_k h). delta_k: the profile at node k. e_k: by how much it is lowered.
 *
 * Interpolated over a span, e is at least the sag if both its ends are, e_k, e_(k+1) >= sag_k. At the ends, where mass may pile
 * up, the sums of P and Q are kept. In the lowest span by e_0 = 0 and e_1 = drop_0, along its own line. From above the profile
 * ends at a node T with e_T = delta_T, as it may not fall below 0: T is lowered until all e_k below it are at most delta_k. In
 * the span that ends there, e_(T-1) = D_(T-1) + delta_T leaves the line on which what lies above T rises, and all the Q-mass
 * from T on lies at T.
 *
 * Lowering node k by e_k moves Q-mass e_k / (x_(k+1) - x_k) + e_k / (x_k - x_(k-1)) to it, out of its neighbours. A neighbour
 * that is left with less than nothing has its debt moved on to the nearest nodes on either side, at fixed sums of P and Q: the
 * profile is lowered until it is linear there. That gives the greatest convex profile with the same nodes below the lowered
 * chords; the stack below is the usual one for it. */
#include "contract.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double UNIT = 0x1p-53;
/* Of all terms that a node's mass is made of: a dozen roundings each. */
static const double SLOP = 32.0 * 0x1p-53;
/* Smaller masses lose their relative accuracy on the way: they are left out. */
static const double LEAST = 1e-290;

nw__span nw__span_of(int64_t index, const double mass[2], const double excess[2], double width)
{
    if (!(mass[1] > LEAST))
        return (nw__span){ .index = index };
    const double fall = (mass[1] - excess[0]) * expm1(width) * (1.0 + 16.0 * UNIT); /* (e^b - e^a) B */
    const double phi = fall > 0.0 ? fmin(1.0, excess[0] / fall) : 0.0;
    const double sag = excess[1] * (1.0 - phi + 4.0 * UNIT) * (1.0 + 4.0 * UNIT);
    return (nw__span){ index, mass[0], excess[0], sag, fmax(0.0, fall - excess[0]) };
}

typedef struct maker {
    const nw__span *spans;
    size_t n;
    double h;
    double theta;
    size_t top;       /* T: from there on the profile is 0 */
    double top_delta; /* delta_T */
    double *lowered;  /* e_k */
    double *mass;     /* p_k, may be negative for a while */
    size_t *stack;    /* nodes that keep their mass */
} maker;

static double width_of(const maker *m, size_t k)
{
    return m->h * (double)(m->spans[k + 1].index - m->spans[k].index);
}

/* e^(-theta w) and e^-w of the span, kept while the widths are the same. */
typedef struct factors {
    double width, tilt, less; /* less: 1 - e^-w */
} factors;

/* Brings them up to date with span k; returns e^(-theta w), from node k + 1 to node k. */
static double next_tilt(const maker *m, factors *f, size_t k)
{
    const double width = width_of(m, k);
    if (width != f->width)
        *f = (factors){ width, exp(-m->theta * width), -expm1(-width) };
    return f->tilt;
}

/* T, and what lies there and above; from the top, delta_k and R_k = x_k Q(from k on), with p_k at node k itself:
 * delta_k = D + delta_(k+1) + (1 - e^-w) R_(k+1), R_k = e^-w R_(k+1) + A - D + p_k, all terms positive. */
static void find_top(maker *m)
{
    factors f = { 0 };
    const double error = 8.0 * UNIT * (double)(m->n + 1); /* of these sums, relative */
    double delta = 0.0;
    double r = m->mass[m->n];
    double top_r = r;
    m->top = m->n;
    for (size_t k = m->n; k-- > 0;) {
        const nw__span *s = &m->spans[k];
        if ((k == 0 ? s->drop : s->sag) > delta * next_tilt(m, &f, k) * (1.0 - error)) {
            m->top = k + 1;
            m->top_delta = delta * (1.0 - error);
            top_r = r * (1.0 - error);
        }
        delta = s->excess + (delta + f.less * r) * f.tilt;
        r = (1.0 - f.less) * r * f.tilt + (s->mass - s->excess) + m->mass[k];
    }
    m->mass[m->top] = top_r;
    for (size_t k = m->top + 1; k <= m->n; k++)
        m->mass[k] = 0.0;
}

static void lower_nodes(maker *m)
{
    factors f = { 0 };
    for (size_t k = 0; k < m->top; k++) {
        const nw__span *s = &m->spans[k];
        const bool is_last = k + 1 == m->top;
        const double tilt = next_tilt(m, &f, k);
        m->lowered[k] = fmax(m->lowered[k], is_last ? s->excess + m->top_delta * tilt : k == 0 ? 0.0 : s->sag);
        m->lowered[k + 1] = is_last ? m->top_delta : (k == 0 ? s->drop : s->sag) / tilt;
    }
}

/* The chords' masses and what lowering moves, with the roundings of all terms taken off. In the span below T what goes up is
 * D + delta_T less what is taken from there, 0 or, if the span below asks for a larger e_(T-1), less. */
static void fill_masses(maker *m)
{
    factors f = { 0 };
    double terms = m->lowered[0];
    m->mass[0] += m->lowered[0];
    for (size_t k = 0; k < m->top; k++) {
        const nw__span *s = &m->spans[k];
        const double here = m->lowered[k];
        const double next = m->lowered[k + 1] * next_tilt(m, &f, k); /* in units of node k */
        const double up = s->excess / f.less;
        const double rise = (next - here) / f.less; /* e^w times what node k loses; what node k + 1 gains */
        const double more = here - (s->excess + next);
        m->mass[k] += fmax(0.0, s->mass - up) - rise * (1.0 - f.less);
        m->mass[k] -= SLOP * (terms + s->mass + up + (next + here) / f.less) + 4.0 * UNIT * fabs(m->mass[k]);
        if (k + 1 < m->top)
            m->mass[k + 1] += (fmin(s->mass, up) + rise) / f.tilt;
        else if (more > 0.0)
            m->mass[k + 1] -= (more + SLOP * here) / (f.less * f.tilt) + 4.0 * UNIT * m->mass[k + 1];
        terms = (up + (next + here) / f.less) / f.tilt;
    }
}

/* Debt of node k to nodes l < k < r: the share (1 - e^(l - k)) / (1 - e^(l - r)) goes up. l may be none: all goes up. */
static void pass_debt(maker *m, size_t k, bool has_l, size_t l, size_t r)
{
    const double debt = m->mass[k] * (1.0 + 16.0 * UNIT);
    const double up = m->h * (double)(m->spans[r].index - m->spans[k].index);
    const double down = has_l ? m->h * (double)(m->spans[k].index - m->spans[l].index) : INFINITY;
    const double all = has_l ? expm1(-(down + up)) : -1.0;
    m->mass[r] += debt * (expm1(-down) / all) * exp(m->theta * up);
    if (has_l)
        m->mass[l] += debt * (exp(-down) * expm1(-up) / all) * exp(-m->theta * down);
    m->mass[k] = 0.0;
}

/* False if the debts leave the range of doubles, or node T in debt, which only rounding does: it cannot be passed on. */
static bool settle_debts(maker *m)
{
    size_t depth = 0;
    bool is_ok = true;
    for (size_t k = 0; k < m->top; k++) {
        m->stack[depth++] = k;
        while (depth > 0 && m->mass[m->stack[depth - 1]] < 0.0) {
            const size_t debtor = m->stack[--depth];
            pass_debt(m, debtor, depth > 0, depth > 0 ? m->stack[depth - 1] : 0, k + 1);
        }
    }
    for (size_t k = 0; k <= m->top; k++)
        is_ok = is_ok && m->mass[k] >= 0.0 && isfinite(m->mass[k]);
    return is_ok;
}

nw_status nw__contract(const nw__span *spans, size_t n, double h, double theta, double *mass, const char *function, nw_error *err)
{
    for (; n > 1 && spans[0].mass == 0.0 && mass[0] == 0.0; n--) { /* the lowest span is one that holds something */
        spans++;
        mass++;
    }
    maker m = { .spans = spans,
        .n = n,
        .h = h,
        .theta = theta,
        .lowered = nw__calloc(n + 1, sizeof(double)),
        .mass = nw__calloc(n + 1, sizeof(double)),
        .stack = nw__calloc(n + 1, sizeof(size_t)) };
    const bool is_ok = m.lowered != NULL && m.mass != NULL && m.stack != NULL;
    if (is_ok) {
        memcpy(m.mass, mass, (n + 1) * sizeof *mass);
        find_top(&m);
        lower_nodes(&m);
        fill_masses(&m);
        if (settle_debts(&m)) {
            memcpy(mass, m.mass, (n + 1) * sizeof *mass);
        } else {
            for (size_t k = 0; k < n; k++) /* down to the spans' lower ends */
                mass[k] += spans[k].mass;
        }
    }
    free(m.lowered);
    free(m.mass);
    free(m.stack);
    return is_ok ? NW_OK : nw__fail_memory(err, function);
}
