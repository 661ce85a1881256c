/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* rdp.c - Renyi divergences R_a = log E_Q (dP/dQ)^a / (a - 1) of any real order a > 1.
 *
 * Closed forms for leaves; a Poisson-sampled Gaussian by the trapezoidal rule, which converges geometrically for an integrand
 * that is analytic in a strip; everything else through an upper privacy loss distribution, whose moments are upper bounds. Sums
 * of positive terms carry a relative error far below ERROR, by which every result is moved outward. */
#include "rdp.h"

#include "saddle.h"

#include <math.h>
#include <stdlib.h>

static const char NAME[] = "nw_account_rdp";
static const double ERROR = 0x1p-38;
/* Discrete Laplace noise at a distance of this many steps or more is taken as its pure guarantee. */
static const double MOST_LATTICE = 0x1p18;
/* Exponents from which E itself is taken, not E - 1. */
static const double FAR = 30.0;

static void set_both(nw__renyi *out, double value, bool is_exact)
{
    for (int d = 0; d < 2; d++) {
        out->upper[d] = value * (1.0 + ERROR);
        out->lower[d] = is_exact && !isinf(value) ? value * (1.0 - ERROR) : 0.0;
    }
}

/* log(1 + x) / (a - 1), not negative: what a divergence is with x = E_P e^((a-1) L) - 1 summed from positive terms, so that
 * nothing cancels however close the two laws are. */
static double from_excess(double x, double a)
{
    return log1p(fmax(x, 0.0)) / (a - 1.0);
}

/* Losses x, -x and 0 with masses 1, e^-x and rest e^-x, over their sum:
 * E - 1 = (1 - e^-y) e^-x (e^(a x) - 1) / sum, y = (a - 1) x. */
static double response(double x, double rest, double a)
{
    const double y = (a - 1.0) * x;
    const double sum = 1.0 + exp(-x) * (1.0 + rest);
    if (a * x < FAR)
        return fmin(x, from_excess(-expm1(-y) * exp(-x) * expm1(a * x) / sum, a));
    return fmin(x, (y + log((1.0 + rest * exp(-y - x) + exp(-2.0 * y - x)) / sum)) / (a - 1.0));
}

/* (e^u - 1) / u - (1 - e^-v) / v for u, v > 0. */
static double slope_gap(double u, double v)
{
    double sum = 0.0;
    double up = 1.0;
    double down = 1.0;
    if (u + v > 0.1)
        return expm1(u) / u + expm1(-v) / v;
    for (int k = 1; k < 14; k++) { /* sum_k (u^k - (-v)^k) / (k + 1)! */
        up *= u / (double)(k + 1);
        down *= -v / (double)(k + 1);
        sum += up - down;
    }
    return sum;
}

/* [Mir17, Prop. 6]: E = (a e^u + (a-1) e^-v) / (2a-1), u = (a-1) e, v = a e. */
static double laplace(double e, double a)
{
    const double u = (a - 1.0) * e;
    const double v = a * e;
    if (v < FAR)
        return fmin(e, from_excess(a * u * slope_gap(u, v) / (2.0 * a - 1.0), a));
    return fmin(e, e + log((a + (a - 1.0) * exp(-u - v)) / (2.0 * a - 1.0)) / (a - 1.0));
}

/* sum over the integers of e^(-(x - c)^2 / (2 sigma^2)). */
static double theta_sum(double sigma, double c)
{
    const double centre = floor(c + 0.5);
    const double reach = ceil(39.0 * sigma) + 1.0;
    double sum = 0.0;
    for (double k = reach; k >= 1.0; k -= 1.0) {
        const double up = (centre + k - c) / sigma;
        const double down = (centre - k - c) / sigma;
        sum += exp(-0.5 * up * up) + exp(-0.5 * down * down);
    }
    const double middle = (centre - c) / sigma;
    return sum + exp(-0.5 * middle * middle);
}

/* Completing the square: a d^2 / (2 sigma^2) + log(theta(a d) / theta(0)) / (a - 1). By Poisson summation theta varies by
 * 4 e^(-2 pi^2 sigma^2) at most, relatively: nothing above sigma = 2. */
static void discrete_gaussian(nw__renyi *out, double sigma, double d, double a)
{
    static const double SUM_ERROR = 0x1p-46; /* of the logarithm: two sums of some 80 terms */
    const double line = 0.5 * a * (d / sigma) * (d / sigma);
    const bool is_line = sigma > 2.0 || d != floor(d);
    const double below = is_line ? 0.0 : log(theta_sum(sigma, a * d) / theta_sum(sigma, 0.0)) / (a - 1.0);
    const double error = is_line ? 0.0 : SUM_ERROR / (a - 1.0);
    for (int k = 0; k < 2; k++) {
        out->upper[k] = fmin(line, fmax(0.0, line + below + error)) * (1.0 + ERROR);
        out->lower[k] = d != floor(d) || isinf(line) ? 0.0 : fmax(0.0, line + below - error) * (1.0 - ERROR);
    }
}

/* z^b - 1 - b (z - 1) for z = 1 + w: not negative for b > 1 or b < 0; its series where it cancels. For b near 1 both terms of
 * z (z^(b-1) - 1) - (b - 1) w are of the order of b - 1, for b near 0 those of (z^b - 1) - b w of that of b. */
static double excess(double w, double b)
{
    if (fabs(w) * (1.0 + fabs(b)) < 1e-3) {
        double term = 0.5 * b * (b - 1.0) * w * w;
        double sum = 0.0;
        for (int k = 3; k < 9; k++) {
            sum += term;
            term *= (b - (double)(k - 1)) / (double)k * w;
        }
        return sum;
    }
    if (b > 0.5)
        return fmax(0.0, (1.0 + w) * expm1((b - 1.0) * log1p(w)) - (b - 1.0) * w);
    return fmax(0.0, expm1(b * log1p(w)) - b * w);
}

/* E - 1 = sum q (z^a - 1 - a (z - 1)) with z = p / q, as both laws sum to 1. */
static double lattice(const nw__pair *pair, double a)
{
    const double most = (a - 1.0) * pair->highest;
    double sum = 0.0;
    if (a * pair->highest < FAR) {
        for (size_t i = 0; i < pair->atoms.n; i++)
            sum += pair->atoms.at[i].q * excess(expm1(pair->atoms.at[i].loss), a);
        return from_excess(sum, a);
    }
    for (size_t i = 0; i < pair->atoms.n; i++)
        sum += pair->atoms.at[i].p * exp((a - 1.0) * pair->atoms.at[i].loss - most);
    return fmax(0.0, (most + log(sum)) / (a - 1.0));
}

/* The loss log(1 - q + q e^y). */
static double mixed(double q, double y)
{
    return y > 30.0 ? log(q) + y + log1p((1.0 - q) / q * exp(-y)) : log1p(q * expm1(y));
}

/* e^-half_square excess(z - 1, b) for log z = l; far out in logarithms, where z or z^b alone would overflow. */
static double weighted_excess(double q, double y, double l, double b, double half_square)
{
    if (l < FAR && b * l < 600.0)
        return exp(-half_square) * excess(q * expm1(y), b);
    if (b < 0.0)
        return -b * exp(l - half_square) + exp(-half_square) * (expm1(b * l) + b);
    if ((b - 1.0) * l > 600.0)
        return exp(b * l - half_square);
    return exp(l - half_square) * (expm1((b - 1.0) * l) + (b - 1.0) * expm1(-l));
}

/* log E_(x ~ N(0,1)) (1 - q + q e^(mu x - mu^2 / 2))^b. The mean of the power's argument is 1, so the first two terms of the
 * expansion are taken out and the rest is a sum of positive terms. The integrand is analytic for |Im x| < pi / mu: a step h
 * leaves e^(-2 pi^2 / (mu h)), below 2^-60 at h = 0.45 / mu; and e^(-2 pi^2 / h^2) of the normal density. */
static double log_power_moment(double q, double mu, double b)
{
    enum { MOST_POINTS = 4000000 };
    static const double LARGE = 600.0; /* an exponent at which E - 1 is E */
    const double h = fmin(1.0 / 12.0, 0.4 / mu);
    const double low = -40.0 + fmin(0.0, b * mu);
    const double high = 40.0 + fmax(0.0, b * mu);
    const double inverse_root = 0.39894228040143267794;
    double most = 0.0;
    double sum = 0.0;
    if ((high - low) / h > MOST_POINTS)
        return INFINITY;
    for (double x = low; x <= high; x += h)
        most = fmax(most, b * mixed(q, mu * x - 0.5 * mu * mu) - 0.5 * x * x);
    for (double x = low; x <= high; x += h) {
        const double y = mu * x - 0.5 * mu * mu;
        const double l = mixed(q, y);
        sum += most < LARGE ? weighted_excess(q, y, l, b, 0.5 * x * x) : exp(b * l - 0.5 * x * x - most);
    }
    return most < LARGE ? log1p(sum * h * inverse_root) : fmax(0.0, most + log(sum * h * inverse_root));
}

static void poisson_gaussian(nw__renyi *out, double q, double mu, double a)
{
    const double whole = 0.5 * a * mu * mu;
    for (int d = 0; d < 2; d++) {
        const double log_moment = log_power_moment(q, mu, d == NW__REMOVE ? a : 1.0 - a);
        const double value = fmin(whole, log_moment / (a - 1.0));
        out->upper[d] = value * (1.0 + ERROR);
        out->lower[d] = isinf(log_moment) ? 0.0 : value * (1.0 - ERROR);
    }
}

/* Linear interpolation of (order - 1) rdp, which is convex in the order; from 0 at order 1. */
static double curve_at(const nw_event *e, double a)
{
    const size_t n = e->curve_size;
    size_t i = 0;
    while (i < n && e->orders[i] < a)
        i++;
    if (i == n)
        return INFINITY;
    if (i == 0)
        return e->rdp[0]; /* divergences do not fall with the order */
    const double low = (e->orders[i - 1] - 1.0) * e->rdp[i - 1];
    const double high = (e->orders[i] - 1.0) * e->rdp[i];
    const double share = (a - e->orders[i - 1]) / (e->orders[i] - e->orders[i - 1]);
    return fmin(e->rdp[i], (low + share * (high - low)) / (a - 1.0));
}

static nw_status visit(const nw_event *e, nw_adjacency adjacency, double a, nw__renyi *out, nw_error *err);

/* By the moments of an upper privacy loss distribution of each of the schedule's pairs. */
static nw_status by_pairs(const nw_event *e, nw_adjacency adjacency, double a, nw__renyi *out, nw_error *err)
{
    nw__fft fft = { 0 };
    nw_status status = NW_OK;
    for (int d = 0; status == NW_OK && d < 2; d++) {
        nw__schedule s;
        const nw__schedule_query query = { adjacency, (nw__direction)d, true, 1e-200 };
        status = nw__schedule_new(&s, e, &query, &fft, err);
        if (status != NW_OK)
            break;
        out->upper[d] = s.no_pair != NULL ? INFINITY : 0.5 * a * s.mu_squared;
        out->lower[d] = 0.0;
        for (size_t j = 0; status == NW_OK && j < s.n && !isinf(out->upper[d]); j++) {
            double value = 0.0;
            status = nw__saddle_renyi(s.list[j].pair, a, &value, err);
            if (status == NW_E_UNSUPPORTED) { /* no grid within the limits: nothing is claimed */
                value = INFINITY;
                status = NW_OK;
            }
            out->upper[d] += (double)s.list[j].count * value * (1.0 + ERROR);
        }
        nw__schedule_free(&s);
    }
    nw__fft_free(&fft);
    return status;
}

static nw_status sampled(const nw_event *e, nw_adjacency adjacency, double a, nw__renyi *out, nw_error *err)
{
    nw__fft fft = { 0 };
    nw__schedule s;
    const nw__schedule_query query = { adjacency, NW__REMOVE, true, 1e-20 };
    if (nw__is_replacement(adjacency))
        return by_pairs(e, adjacency, a, out, err);
    NW__TRY(nw__schedule_new(&s, e->children[0], &query, &fft, err));
    const bool is_gaussian = s.n == 0 && s.no_pair == NULL;
    const bool has_no_pair = s.no_pair != NULL;
    const double mu = sqrt(s.mu_squared);
    nw__schedule_free(&s);
    nw__fft_free(&fft);
    if (is_gaussian && mu > 0.0 && e->parameter > 0.0 && e->parameter < 1.0) {
        poisson_gaussian(out, e->parameter, mu, a);
        return NW_OK;
    }
    if (e->parameter == 1.0 || has_no_pair) /* sampling never costs: the mixture is no further away than the base */
        return visit(e->children[0], adjacency, a, out, err);
    return by_pairs(e, adjacency, a, out, err);
}

static nw_status leaf(const nw_event *e, nw_adjacency adjacency, double a, nw__renyi *out, nw_error *err)
{
    const double factor = nw__distance_factor(e->sensitivity.adjacency, adjacency);
    const double x = factor * e->parameter;
    const double distance = factor * e->sensitivity.value;
    nw__pair *pair = NULL;
    if (factor == 0.0)
        return nw__fail(err, NW_E_UNSUPPORTED, NAME,
            "%s: its sensitivity or guarantee was worked out for %s and says nothing about %s", nw__event_kind_name(e->kind),
            nw_adjacency_name(e->sensitivity.adjacency), nw_adjacency_name(adjacency));
    switch (e->kind) {
    case NW_EVENT_LAPLACE: set_both(out, laplace(distance / e->parameter, a), true); break;
    case NW_EVENT_DISCRETE_LAPLACE:
        if (!(distance < MOST_LATTICE)) {
            set_both(out, distance / e->parameter, false);
            break;
        }
        NW__TRY(nw__pair_discrete_laplace(&pair, e->parameter, (uint64_t)distance, err));
        set_both(out, lattice(pair, a), true);
        nw__pair_free(pair);
        break;
    case NW_EVENT_DISCRETE_GAUSSIAN:
        if (e->samples > 1)
            set_both(out, 0.5 * a * (distance / e->parameter) * (distance / e->parameter), false);
        else
            discrete_gaussian(out, e->parameter, distance, a);
        break;
    case NW_EVENT_PURE:
    case NW_EVENT_LDP: set_both(out, response(x, 0.0, a), true); break;
    case NW_EVENT_REPORT_NOISY_MAX:
    case NW_EVENT_PERMUTE_AND_FLIP: set_both(out, response(x, 0.0, a), false); break;
    case NW_EVENT_EXPONENTIAL: set_both(out, fmin(response(x, 0.0, a), 0.125 * a * x * x), false); break; /* [CR21] */
    case NW_EVENT_APPROX: set_both(out, e->delta > 0.0 ? INFINITY : response(x, 0.0, a), true); break;
    case NW_EVENT_RANDOMIZED_RESPONSE:
        set_both(out,
            e->parameter == 0.0
                ? INFINITY
                : response(log1p((1.0 - e->parameter) * (double)e->count / e->parameter), (double)e->count - 2.0, a),
            true);
        break;
    case NW_EVENT_ZCDP: set_both(out, a * factor * factor * e->parameter, true); break;
    case NW_EVENT_GDP: set_both(out, 0.5 * a * x * x, true); break;
    case NW_EVENT_RDP: set_both(out, factor == 1.0 ? curve_at(e, a) : INFINITY, false); break;
    case NW_EVENT_TREE:
    case NW_EVENT_MATRIX: {
        const double mu = e->strategy_sensitivity * distance / e->parameter;
        set_both(out, 0.5 * a * mu * mu, true);
        break;
    }
    default: { /* Gaussian; rounding may only help */
        const double mu = distance / e->parameter;
        set_both(out, 0.5 * a * mu * mu, e->kind == NW_EVENT_GAUSSIAN);
        break;
    }
    }
    return NW_OK;
}

static nw_status combine(const nw_event *e, nw_adjacency adjacency, double a, nw__renyi *out, nw_error *err)
{
    *out = (nw__renyi){ 0 };
    if (e->kind == NW_EVENT_PARALLEL && nw__is_replacement(adjacency))
        return nw__fail(err, NW_E_UNSUPPORTED, NAME,
            "parallel cannot be accounted under %s: a replaced record may leave one part and enter another",
            nw_adjacency_name(adjacency));
    for (size_t i = 0; i < e->child_count; i++) {
        nw__renyi child;
        const double count = e->kind == NW_EVENT_REPEAT ? (double)e->count : 1.0;
        NW__TRY(visit(e->children[i], adjacency, a, &child, err));
        for (int d = 0; d < 2; d++) {
            const bool is_parallel = e->kind == NW_EVENT_PARALLEL;
            out->upper[d] = is_parallel ? fmax(out->upper[d], child.upper[d]) : out->upper[d] + count * child.upper[d];
            out->lower[d] = is_parallel ? fmax(out->lower[d], child.lower[d]) : out->lower[d] + count * child.lower[d];
        }
    }
    return NW_OK;
}

static nw_status visit(const nw_event *e, nw_adjacency adjacency, double a, nw__renyi *out, nw_error *err)
{
    switch (e->kind) {
    case NW_EVENT_COMPOSED:
    case NW_EVENT_REPEAT:
    case NW_EVENT_PARALLEL: return combine(e, adjacency, a, out, err);
    case NW_EVENT_POISSON_SUBSAMPLED: return sampled(e, adjacency, a, out, err);
    case NW_EVENT_FIXED_SIZE_SUBSAMPLED:
    case NW_EVENT_SHUFFLED: return by_pairs(e, adjacency, a, out, err);
    default: return leaf(e, adjacency, a, out, err);
    }
}

nw_status nw__rdp_at(const nw_event *event, nw_adjacency adjacency, double order, nw__renyi *out, nw_error *err)
{
    return visit(event, adjacency, order, out, err);
}

nw_status nw_account_rdp(const nw_event *event, nw_adjacency adjacency, double order, nw_bounds *out, nw_error *err)
{
    nw__renyi r;
    if (event == NULL || out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", event == NULL ? "event" : "out");
    if (!nw__is_adjacency(adjacency))
        return nw__fail(err, NW_E_ARG, __func__, "adjacency is %s, must be add_remove, replace_one, zero_out or replace_label",
            nw_adjacency_name(adjacency));
    if (!(order > 1.0 && order <= 1e6))
        return nw__fail(err, NW_E_ARG, __func__, "order is %g, must be in (1, 1e6]", order);
    NW__TRY(visit(event, adjacency, order, &r, err));
    *out = (nw_bounds){ fmax(r.lower[0], r.lower[1]), fmax(r.upper[0], r.upper[1]), NAN, "rdp", true };
    return NW_OK;
}

/* [CKS20, Prop. 12] at one order, rounded up: sums of a few terms, by ERROR of their moduli. */
static double epsilon_from(double a, double rdp, double delta)
{
    const double m = a - 1.0;
    const double terms[3] = { rdp, log1p(-1.0 / a), -(log(delta) + log(a)) / m };
    return terms[0] + terms[1] + terms[2] + 0x1p-48 * (fabs(terms[0]) + fabs(terms[1]) + (fabs(log(delta)) + log(a)) / m);
}

static double log_delta_from(double a, double rdp, double epsilon)
{
    const double m = a - 1.0;
    const double terms[4] = { m * rdp, -m * epsilon, m * log1p(-1.0 / a), -log(a) };
    double sum = 0.0;
    double size = 0.0;
    for (int i = 0; i < 4; i++) {
        sum += terms[i];
        size += fabs(terms[i]);
    }
    return sum + 0x1p-48 * size;
}

/* Never 0: what underflows is not nothing. */
static double delta_of(double log_delta)
{
    return fmin(1.0, fmax(0x1p-1074, exp(fmin(0.0, log_delta)) * (1.0 + 0x1p-40)));
}

double nw_rdp_epsilon(const double *orders, const double *rdp, size_t n, double delta)
{
    double least = INFINITY;
    if (orders == NULL || rdp == NULL || !(delta >= 0.0 && delta <= 1.0))
        return NAN;
    for (size_t i = 0; i < n; i++) {
        if (!(orders[i] > 1.0 && rdp[i] >= 0.0))
            return NAN;
        if (delta > 0.0 && isfinite(rdp[i]))
            least = fmin(least, epsilon_from(orders[i], rdp[i], delta));
    }
    return fmax(0.0, delta == 1.0 ? 0.0 : least);
}

double nw_rdp_delta(const double *orders, const double *rdp, size_t n, double epsilon)
{
    double least = 0.0;
    if (orders == NULL || rdp == NULL || !(epsilon >= 0.0))
        return NAN;
    for (size_t i = 0; i < n; i++) {
        if (!(orders[i] > 1.0 && rdp[i] >= 0.0))
            return NAN;
        if (isfinite(rdp[i]))
            least = fmin(least, log_delta_from(orders[i], rdp[i], epsilon));
    }
    return delta_of(least);
}

typedef struct search {
    const nw_event *event;
    nw_adjacency adjacency;
    bool asks_epsilon;
    double given;
    nw_error *err;
    nw_status status;
} search;

/* The bound at order 1 + e^x: epsilon, or log delta. */
static double bound_at(search *s, double x)
{
    nw__renyi r;
    const double a = 1.0 + exp(x);
    if (s->status != NW_OK)
        return INFINITY;
    s->status = visit(s->event, s->adjacency, a, &r, s->err);
    const double rdp = s->status == NW_OK ? fmax(r.upper[0], r.upper[1]) : INFINITY;
    if (isinf(rdp))
        return INFINITY;
    return s->asks_epsilon ? epsilon_from(a, rdp, s->given) : log_delta_from(a, rdp, s->given);
}

/* What takes a numerical integral at every order. */
static size_t integrals(const nw_event *e)
{
    size_t n = e->kind > NW_EVENT_PARALLEL ? 1 : 0;
    for (size_t i = 0; i < e->child_count; i++)
        n += integrals(e->children[i]);
    return n;
}

/* Beyond this many the search for an order would take minutes: no bound is given. */
static bool is_too_large(const nw_event *event)
{
    enum { MOST_INTEGRALS = 1 << 11 };
    return integrals(event) > MOST_INTEGRALS;
}

/* Any order gives a bound; golden sections from the best of a coarse set, which ends where the bound has long been growing, as
 * large orders cost the most. */
static double best_order(search *s)
{
    enum { PAST = 3, ROUNDS = 24, FEW_ROUNDS = 6, MANY = 128 };
    const int rounds = integrals(s->event) > MANY ? FEW_ROUNDS : ROUNDS;
    const double ratio = 0.61803398874989484820;
    double best = INFINITY;
    double at = 0.0;
    for (double x = -6.0; x <= 12.0 && (isinf(best) || x <= at + PAST); x += 1.0) {
        const double value = bound_at(s, x);
        if (value < best) {
            best = value;
            at = x;
        }
    }
    double low = at - 1.0;
    double high = at + 1.0;
    for (int i = 0; i < rounds && isfinite(best); i++) {
        const double x = high - ratio * (high - low);
        const double y = low + ratio * (high - low);
        const double fx = bound_at(s, x);
        const double fy = bound_at(s, y);
        best = fmin(best, fmin(fx, fy));
        if (fx < fy)
            high = y;
        else
            low = x;
    }
    return best;
}

nw_status nw__rdp_epsilon(const nw_event *event, nw_adjacency adjacency, double delta, double *epsilon, nw_error *err)
{
    search s = { event, adjacency, true, delta, err, NW_OK };
    *epsilon = delta > 0.0 && !is_too_large(event) ? fmax(0.0, best_order(&s)) : INFINITY;
    return s.status;
}

nw_status nw__rdp_delta(const nw_event *event, nw_adjacency adjacency, double epsilon, double *delta, nw_error *err)
{
    search s = { event, adjacency, false, epsilon, err, NW_OK };
    const double log_delta = is_too_large(event) ? INFINITY : best_order(&s);
    *delta = isinf(log_delta) ? 1.0 : delta_of(log_delta);
    return s.status;
}
