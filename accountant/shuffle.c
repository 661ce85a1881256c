/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* shuffle.c - given C = c and first coordinate a, with s = e^epsilon0 / (1 + e^epsilon0) and b = c + 1 - a:
 *
 *   P / Q = (s a + (1 - s) b) / ((1 - s) a + s b), increasing in a, so L > l where a > k (c + 1) / (1 + k),
 *   k = (e^l s - (1 - s)) / (s - e^l (1 - s));
 *   P(a >= t) = s T(t - 1) + (1 - s) T(t), Q(a >= t) = (1 - s) T(t - 1) + s T(t), T(t) = Pr[Bin(c, 1/2) >= t].
 *
 * The sum over c walks upward: T and the probabilities move by their recurrences, O(1) a step. The step t -> t + 1 takes away, so
 * T is summed afresh whenever it has fallen to half of its last fresh value: its relative error stays a few ulps a step. */
#include "shuffle.h"

#include <math.h>

static const double UNIT = 0x1p-53;
/* Mass of C left out on both sides, by Chernoff. */
static const double LEFT_OUT = 1e-28;
/* The sum over clones takes time in proportion to the root of the number of reports. More reports only help, so that of more is
 * bounded by this many. */
static const double MOST_REPORTS = 0x1p30;

void nw__shuffle_parameters(const nw_event *base, double *epsilon0, double *clone_probability)
{
    const double lie = base->parameter / (double)base->count;
    *epsilon0 = base->kind == NW_EVENT_RANDOMIZED_RESPONSE ? log1p((1.0 - base->parameter) / lie) : base->parameter;
    *clone_probability =
        base->kind == NW_EVENT_RANDOMIZED_RESPONSE && base->count == 2 ? 2.0 / (exp(*epsilon0) + 1.0) : exp(-*epsilon0);
}

/* log n! - log(sqrt(2 pi n) (n / e)^n)  [Loa00]. */
static double stirling_error(double n)
{
    if (n < 16.0)
        return lgamma(n + 1.0) - (n + 0.5) * log(fmax(n, 1e-300)) + n - 0.91893853320467274178;
    const double r = 1.0 / (n * n);
    return (1.0 / 12.0 - r * (1.0 / 360.0 - r * (1.0 / 1260.0 - r / 1680.0))) / n;
}

/* x log(x / m) + m - x, without cancellation for x near m. */
static double deviance(double x, double m)
{
    const double v = (x - m) / (x + m);
    if (fabs(v) > 0.1)
        return (x > 0.0 ? x * log(x / m) : 0.0) + m - x;
    double sum = (x - m) * v;
    double term = 2.0 * x * v;
    for (int j = 1; j < 40; j++) {
        term *= v * v;
        sum += term / (double)(2 * j + 1);
    }
    return sum;
}

/* Pr[Bin(n, p) = x], q = 1 - p  [Loa00]. */
static double binomial(double x, double n, double p, double q)
{
    if (x == 0.0)
        return exp(n * (p < 0.5 ? log1p(-p) : log(q)));
    if (x == n)
        return exp(n * (q < 0.5 ? log1p(-q) : log(p)));
    const double log_ratio =
        stirling_error(n) - stirling_error(x) - stirling_error(n - x) - deviance(x, n * p) - deviance(n - x, n * q);
    return exp(log_ratio) * sqrt(n / (6.28318530717958647693 * x * (n - x)));
}

typedef struct walk {
    double c, t;   /* T = Pr[Bin(c, 1/2) >= t] */
    double tail;   /* T(t) */
    double before; /* Pr[Bin(c, 1/2) = t - 1] */
    double fresh;  /* T when it was last summed */
} walk;

/* T from the terms above t - 1, which fall geometrically for t > c / 2. */
static void refresh(walk *w)
{
    double term = w->before * (w->c - w->t + 1.0) / w->t;
    w->tail = 0.0;
    for (double x = w->t; x <= w->c && term > 1e-20 * w->tail; x += 1.0) {
        w->tail += term;
        term *= (w->c - x) / (x + 1.0);
    }
    w->fresh = w->tail;
}

static walk start(double c, double t)
{
    walk w = { c, t, 0.0, t - 1.0 <= c ? binomial(t - 1.0, c, 0.5, 0.5) : 0.0, 0.0 };
    refresh(&w);
    return w;
}

/* To c + 1, then to threshold t. */
static void step(walk *w, double t)
{
    if (w->before == 0.0 || w->t - 1.0 >= w->c) { /* too far out for the recurrence */
        *w = start(w->c + 1.0, t);
        return;
    }
    w->tail += 0.5 * w->before;
    w->c += 1.0;
    w->before *= 0.5 * w->c / (w->c - (w->t - 1.0));
    while (w->t < t) { /* at most once: thresholds move more slowly than c */
        w->before *= (w->c - w->t + 1.0) / w->t;
        w->tail = fmax(0.0, w->tail - w->before);
        w->t += 1.0;
    }
    if (w->tail < 0.5 * w->fresh)
        refresh(w);
}

/* The threshold among c + 1 outputs, from the other end: 1 - k / (1 + k) = (1 - e^(l - epsilon0)) / ((1 - e^-epsilon0) (1 +
 * e^l)), in which nothing cancels. It is positive, so a = c + 1 is always above. */
static double threshold(double c, double l, double epsilon0)
{
    const double rest = -expm1(l - epsilon0) / (-expm1(-epsilon0) * (1.0 + exp(l)));
    return c + 2.0 - fmax(1.0, ceil((c + 1.0) * rest));
}

/* The clones worth counting: outside of [low, high] C has at most LEFT_OUT on either side. By Chernoff for C, and by Bernstein
 * for n - C, which is the rare one of the two if clones are likely; below, also without what underflows, where the sum over c
 * could not start. */
typedef struct window {
    double low, high;
} window;

static window clones(double n, double clone, double other)
{
    static const double LEAST = 1e-290;
    const double log_cut = -log(LEFT_OUT);
    const double mean = n * clone;
    const double rare = sqrt(2.0 * n * other * log_cut) + log_cut;
    window w = { fmax(0.0, floor(mean - fmin(sqrt(2.0 * mean * log_cut), rare)) - 1.0),
        fmin(n, ceil(mean + sqrt(2.0 * mean * log_cut) + log_cut)) };
    double enough = fmax(w.low, floor(mean)); /* at most the mode, up to which the probabilities rise */
    while (binomial(w.low, n, clone, other) < LEAST && w.low + 1.0 < enough) {
        const double middle = floor(0.5 * (w.low + enough));
        *(binomial(middle, n, clone, other) < LEAST ? &w.low : &enough) = middle;
    }
    if (binomial(w.low, n, clone, other) < LEAST)
        w.low = enough;
    return w;
}

/* For l >= 0: P(L > l) and Q(L > l); l = 0 included as t > (c + 1) / 2. */
static void tails_above(const nw__pair *pair, double l, double *p, double *q, double *error)
{
    const double n = pair->parameter[0] - 1.0;
    const double epsilon0 = pair->parameter[1];
    const double s = 1.0 / (1.0 + exp(-epsilon0));
    const double lie = 1.0 / (1.0 + exp(epsilon0)); /* 1 - s */
    const double clone = pair->parameter[2];
    const double other = pair->parameter[3]; /* 1 - clone */
    *p = *q = 0.0;
    *error = 64.0 * UNIT;
    if (!(l < epsilon0))
        return;
    const window counted = clones(n, clone, other);
    double weight = binomial(counted.low, n, clone, other);
    walk w = start(counted.low, threshold(counted.low, l, epsilon0));
    for (double c = counted.low; c <= counted.high; c += 1.0) {
        *p += weight * (w.tail + s * w.before);
        *q += weight * (w.tail + lie * w.before);
        weight *= (n - c) / (c + 1.0) * clone / other;
        step(&w, threshold(c + 1.0, l, epsilon0));
    }
    *error = UNIT * (256.0 + 32.0 * (counted.high - counted.low));
}

static void shuffle_tails(const nw__pair *pair, double loss, nw__tails *out)
{
    double p = 0.0;
    double q = 0.0;
    tails_above(pair, fabs(loss), &p, &q, &out->error);
    if (loss >= 0.0) { /* swapping the coordinates swaps P and Q and turns the loss's sign */
        *out = (nw__tails){ p, q, 1.0 - p, 1.0 - q, out->error };
        return;
    }
    *out = (nw__tails){ 1.0 - q, 1.0 - p, q, p, out->error };
}

nw_status nw__pair_shuffle(nw__pair **out, uint64_t n, double epsilon0, double clone_probability, nw_error *err)
{
    if (n == 1)
        return nw__pair_response(out, epsilon0, 0.0, err);
    nw__atoms none = { 0, nw__calloc(1, sizeof(nw__atom)), 2.0 * LEFT_OUT };
    if (none.at == NULL)
        return nw__fail_memory(err, "nw__pair");
    NW__TRY(nw__pair_atoms(out, none, 2.0 * LEFT_OUT, 0.0, err));
    (*out)->tails = shuffle_tails;
    (*out)->lowest = -epsilon0;
    (*out)->highest = epsilon0;
    (*out)->parameter[0] = fmin((double)n, MOST_REPORTS);
    (*out)->parameter[1] = epsilon0;
    (*out)->parameter[2] = clone_probability;
    /* 1 - clone without cancellation, for the two kinds that nw__shuffle_parameters gives */
    (*out)->parameter[3] = clone_probability == exp(-epsilon0)                ? -expm1(-epsilon0)
                           : clone_probability == 2.0 / (exp(epsilon0) + 1.0) ? tanh(0.5 * epsilon0)
                                                                              : 1.0 - clone_probability;
    return NW_OK;
}

/* Probabilities of an answer: from the record that holds it, and from the other one. */
static void answers(const nw_event *base, double *truth, double *lie)
{
    if (base->kind == NW_EVENT_RANDOMIZED_RESPONSE) {
        *lie = base->parameter / (double)base->count;
        *truth = 1.0 - base->parameter + *lie;
    } else {
        *lie = 1.0 / (1.0 + exp(base->parameter));
        *truth = 1.0 / (1.0 + exp(-base->parameter));
    }
}

/* B(k) of the others' count moves by one with probability truth or lie; p / q grows with k as B is log-concave. */
static size_t count_atoms(nw__atom *at, double first, double last, double others, double truth, double lie, double held)
{
    static const double DOWN = 1.0 - 0x1p-40; /* binomial() is right to some 2^-44 where its logarithm is above -700 */
    static const double UP = 1.0 + 0x1p-40;
    double before = first >= 1.0 ? binomial(first - 1.0, others, held, 1.0 - held) : 0.0;
    size_t n = 0;
    for (double k = first; k <= last; k += 1.0) {
        const double here = k <= others ? binomial(k, others, held, 1.0 - held) : 0.0;
        const double p = (truth * before + (1.0 - truth) * here) * DOWN;
        const double q = (lie * before + (1.0 - lie) * here) * UP;
        before = here;
        if (p > 1e-290 && q > 1e-290)
            at[n++] = (nw__atom){ log(p / q), p, q };
    }
    return n;
}

nw_status nw__pair_shuffle_attained(nw__pair **out, const nw_event *shuffled, nw__direction direction, nw_error *err)
{
    static const double MOST_POINTS = 0x1p14;
    double truth = 0.0;
    double lie = 0.0;
    answers(shuffled->children[0], &truth, &lie);
    const double held = direction == NW__REMOVE ? truth : lie;
    const double others = (double)shuffled->count - 1.0;
    const double reach = fmin(0.5 * MOST_POINTS, 38.0 * sqrt(others * held * (1.0 - held)) + 760.0);
    const double first = fmax(0.0, floor(others * held - reach));
    const double last = fmin(others + 1.0, ceil(others * held + reach));
    const bool is_counted = others < 0x1p52; /* beyond, doubles do not tell the counts apart: nothing is claimed */
    nw__atoms atoms = { 0, nw__calloc((size_t)(last - first) + 2, sizeof(nw__atom)), 0.0 };
    if (atoms.at == NULL)
        return nw__fail_memory(err, "nw__pair");
    if (is_counted)
        atoms.n = count_atoms(atoms.at, first, last, others, truth, lie, held);
    return nw__pair_atoms(out, atoms, 0.0, 0.0, err);
}
