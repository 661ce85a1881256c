/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* pair.c - the families of dominating pairs: closed forms of the tails of their privacy loss.
 *
 * A threshold is moved through a family's map (subsampling, a mixture) in floating point, which is an error of a few ulps of the
 * loss itself: nw__pld charges it as a shift of the loss (LOSS_SLACK), so `error` covers the tails alone. */
#include "pair.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double UNIT = 0x1p-53;
static const double SQRT_HALF = 0.70710678118654752440;
static const double FAR = 39.0;
static const double LEAST = 0x1p-1074;

void nw__pair_free(nw__pair *pair)
{
    if (pair == NULL)
        return;
    for (size_t i = 0; pair->base != NULL && i < pair->base_count; i++)
        nw__pair_free(pair->base[i]);
    free(pair->base);
    free(pair->weight);
    free(pair->atoms.at);
    free(pair);
}

static nw__pair *allocate(const nw__pair *values, nw_error *err)
{
    nw__pair *pair = nw__calloc(1, sizeof *pair);
    if (pair == NULL)
        nw__fail_memory(err, "nw__pair");
    else
        *pair = *values;
    return pair;
}

static nw_status make(nw__pair **out, const nw__pair *values, nw_error *err)
{
    *out = allocate(values, err);
    return *out == NULL ? NW_E_NOMEM : NW_OK;
}

/* Normal tails, with relative error: erfc is good to 8 ulps; an error of the argument is amplified by the hazard |z| + 1. Beyond
 * FAR both tails are 0 and 1 to within 2^-1000. */
static double normal_above(double z)
{
    return 0.5 * erfc(z * SQRT_HALF);
}

static double normal_error(double z, double z_error)
{
    if (fabs(z) > FAR)
        return 4.0 * UNIT;
    return 16.0 * UNIT + (fabs(z) + 1.0) * (z_error + 2.0 * UNIT * fabs(z));
}

static void gaussian_tails(const nw__pair *pair, double loss, nw__tails *out)
{
    const double mu = pair->parameter[0];
    const double a = loss / mu - 0.5 * mu;
    const double b = loss / mu + 0.5 * mu;
    *out = (nw__tails){ normal_above(a), normal_above(b), normal_above(-a), normal_above(-b), 0.0 };
    out->error = normal_error(fabs(a) > FAR ? a : fmin(FAR, fmax(fabs(a), fabs(b))), 2.0 * UNIT * (fabs(loss / mu) + 0.5 * mu));
}

nw_status nw__pair_gaussian(nw__pair **out, double mu, nw_error *err)
{
    const nw__pair values = { .tails = gaussian_tails, .lowest = -INFINITY, .highest = INFINITY, .parameter = { mu } };
    return make(out, &values, err);
}

/* Between the two point masses the loss has density e^((l - epsilon) / 2) / 4 under P. */
static void laplace_tails(const nw__pair *pair, double loss, nw__tails *out)
{
    const double epsilon = pair->parameter[0];
    const double l = fmin(fmax(loss, -epsilon), epsilon);
    const double to_top = -expm1(0.5 * (l - epsilon));
    const double to_bottom = -expm1(-0.5 * (l + epsilon));
    *out = (nw__tails){ 0.5 * to_top, 0.5 * exp(-0.5 * (l + epsilon)) * to_top, 0.5 * exp(0.5 * (l - epsilon)) * to_bottom,
        0.5 * to_bottom, UNIT * (16.0 + 2.0 * epsilon) };
}

static bool give_atoms(nw__pair *pair, const nw__atom *at, size_t n)
{
    pair->atoms.at = nw__calloc(n > 0 ? n : 1, sizeof *at);
    if (pair->atoms.at == NULL)
        return false;
    memcpy(pair->atoms.at, at, n * sizeof *at);
    pair->atoms.n = n;
    return true;
}

static nw_status with_atoms(nw__pair **out, const nw__pair *values, const nw__atom *at, size_t n, nw_error *err)
{
    NW__TRY(make(out, values, err));
    if (give_atoms(*out, at, n))
        return NW_OK;
    nw__pair_free(*out);
    *out = NULL;
    return nw__fail_memory(err, "nw__pair");
}

nw_status nw__pair_laplace(nw__pair **out, double epsilon, nw_error *err)
{
    const nw__pair values = {
        .tails = laplace_tails, .lowest = -epsilon, .highest = epsilon, .spacing = 2.0 * epsilon, .parameter = { epsilon }
    };
    const nw__atom at[2] = { { -epsilon, 0.5 * exp(-epsilon), 0.5 }, { epsilon, 0.5, 0.5 * exp(-epsilon) } };
    return with_atoms(out, &values, at, 2, err);
}

/* With s = e^((l - epsilon) / 2): P(L > l) = (1 - s) / (1 - e^-epsilon), Q(L > l) = (1 - s) e^(-(l + epsilon) / 2) / same. */
static void bounded_range_tails(const nw__pair *pair, double loss, nw__tails *out)
{
    const double epsilon = pair->parameter[0];
    const double l = fmin(fmax(loss, -epsilon), epsilon);
    const double total = -expm1(-epsilon);
    const double to_top = -expm1(0.5 * (l - epsilon)) / total;
    const double to_bottom = -expm1(-0.5 * (l + epsilon)) / total;
    *out = (nw__tails){ to_top, to_top * exp(-0.5 * (l + epsilon)), to_bottom * exp(0.5 * (l - epsilon)), to_bottom,
        UNIT * (24.0 + 2.0 * epsilon) };
}

nw_status nw__pair_bounded_range(nw__pair **out, double epsilon, nw_error *err)
{
    const nw__pair values = { .tails = bounded_range_tails, .lowest = -epsilon, .highest = epsilon, .parameter = { epsilon } };
    return make(out, &values, err);
}

nw_status nw__pair_atoms(nw__pair **out, nw__atoms atoms, double q_null, double spacing, nw_error *err)
{
    const nw__pair values = { .atoms = atoms,
        .q_null = q_null,
        .spacing = spacing,
        .lowest = atoms.n > 0 ? atoms.at[0].loss : 0.0,
        .highest = atoms.n > 0 ? atoms.at[atoms.n - 1].loss : 0.0 };
    const nw_status status = make(out, &values, err);
    if (status != NW_OK)
        free(atoms.at);
    return status;
}

nw_status nw__pair_response(nw__pair **out, double epsilon, double rest, nw_error *err)
{
    const double total = 1.0 + exp(-epsilon) + rest * exp(-epsilon);
    const double p = 1.0 / total;
    const double q = exp(-epsilon) / total;
    const nw__pair values = { .lowest = -epsilon, .highest = epsilon, .spacing = epsilon };
    const nw__atom three[3] = { { -epsilon, q, p }, { 0.0, rest * q, rest * q }, { epsilon, p, q } };
    const nw__atom two[2] = { three[0], three[2] };
    return rest > 0.0 ? with_atoms(out, &values, three, 3, err) : with_atoms(out, &values, two, 2, err);
}

nw_status nw__pair_approx(nw__pair **out, double epsilon, double delta, nw_error *err)
{
    NW__TRY(nw__pair_response(out, epsilon, 0.0, err));
    for (size_t i = 0; i < (*out)->atoms.n; i++) {
        (*out)->atoms.at[i].p *= 1.0 - delta;
        (*out)->atoms.at[i].q *= 1.0 - delta;
    }
    (*out)->atoms.p_infinite = delta;
    (*out)->q_null = delta;
    return NW_OK;
}

/* Noise with P(x) = tanh(a / 2) e^(-a |x|), a = 1 / scale, around 0 against around d: the loss is a d up to x = 0, then falls by
 * 2a a step down to -a d at x = d. */
nw_status nw__pair_discrete_laplace(nw__pair **out, double scale, uint64_t distance, nw_error *err)
{
    const double a = 1.0 / scale;
    const double d = (double)distance;
    const nw__pair values = { .lowest = -a * d,
        .highest = a * d,
        .spacing = distance == 1       ? a * d
                   : distance % 2 == 0 ? 2.0 * a
                                       : a };
    nw__atom *at = nw__calloc(distance + 1, sizeof *at);
    if (at == NULL)
        return nw__fail_memory(err, "nw__pair");
    const double end = 1.0 / (1.0 + exp(-a));
    for (uint64_t k = 0; k <= distance; k++) { /* k = d - x: from the lowest loss up */
        const double p = k == 0 ? end * exp(-a * d) : k == distance ? end : tanh(0.5 * a) * exp(-a * (double)(distance - k));
        const double q = k == 0 ? end : k == distance ? end * exp(-a * d) : tanh(0.5 * a) * exp(-a * (double)k);
        at[k] = (nw__atom){ a * (2.0 * (double)k - d), p, q };
    }
    const nw_status status = with_atoms(out, &values, at, distance + 1, err);
    free(at);
    return status;
}

/* P around d, Q around 0: at x the loss is (2 x d - d^2) / (2 sigma^2), and p(x) is proportional to e^(-(x - d)^2 / (2 sigma^2)).
 * The support is cut where the normal tail is below `tail`; what P (Q) has beyond, on either side, goes where Q (P) has
 * nothing. Sums of log-concave terms from the small end. */
nw_status nw__pair_discrete_gaussian(nw__pair **out, double sigma, uint64_t distance, double tail, bool is_upper, nw_error *err)
{
    const double d = (double)distance;
    const int64_t reach = (int64_t)ceil(sigma * sqrt(-2.0 * log(fmax(tail, 1e-300))) + d + 2.0);
    const size_t n = (size_t)(2 * reach + 1);
    double total = 0.0;
    nw__atom *at = nw__calloc(n, sizeof *at);
    if (at == NULL)
        return nw__fail_memory(err, "nw__pair");
    for (int64_t k = (int64_t)ceil(40.0 * sigma) + 1; k >= 1; k--)
        total += 2.0 * exp(-0.5 * ((double)k / sigma) * ((double)k / sigma));
    total += 1.0;
    for (size_t i = 0; i < n; i++) {
        const double y = (double)((int64_t)i - reach); /* x - d */
        at[i].loss = d * (2.0 * y + d) / (2.0 * sigma * sigma);
        at[i].p = exp(-0.5 * (y / sigma) * (y / sigma)) / total;
        at[i].q = exp(-0.5 * ((y + d) / sigma) * ((y + d) / sigma)) / total;
    }
    const nw__pair values = { .lowest = at[0].loss, .highest = at[n - 1].loss, .spacing = d / (sigma * sigma) };
    const nw_status status = with_atoms(out, &values, at, n, err);
    free(at);
    if (status == NW_OK && is_upper) {
        const double left_out = 2.0 * erfc(((double)reach - d) / sigma * SQRT_HALF); /* of either side */
        (*out)->atoms.p_infinite = left_out;
        (*out)->q_null = left_out;
    }
    return status;
}

/* Gives `pair` the bases, which it takes over. */
static nw_status adopt(nw__pair **out, const nw__pair *values, nw__pair **base, size_t n, nw_error *err)
{
    nw__pair **copy = nw__calloc(n, sizeof(nw__pair *));
    nw__pair *pair = copy == NULL ? NULL : allocate(values, err);
    *out = pair;
    if (pair == NULL) {
        for (size_t i = 0; i < n; i++)
            nw__pair_free(base[i]);
        free(copy);
        return nw__fail_memory(err, "nw__pair");
    }
    for (size_t i = 0; i < n; i++)
        copy[i] = base[i];
    pair->base = copy;
    pair->base_count = n;
    return NW_OK;
}

/* log(1 - q + q e^l), and its inverse; l -> infinity is kept apart. */
static double mix_loss(double q, double l)
{
    return l > 30.0 ? l + log(q) + log1p((1.0 - q) / q * exp(-l)) : log1p(q * expm1(l));
}

static double unmix_loss(double q, double l)
{
    if (l > 1.0)
        return l - log(q) + log1p(-(1.0 - q) * exp(-l));
    const double x = expm1(l) / q;
    return x <= -1.0 ? -INFINITY : log1p(x);
}

static void continuous_tails(const nw__pair *pair, double loss, nw__tails *out)
{
    if (pair->tails != NULL)
        pair->tails(pair, loss, out);
    else
        *out = (nw__tails){ 0 };
}

static void remove_tails(const nw__pair *pair, double loss, nw__tails *out)
{
    const double q = pair->parameter[0];
    nw__tails t;
    continuous_tails(pair->base[0], fmax(unmix_loss(q, loss), -0x1p1000), &t);
    *out = (nw__tails){ (1.0 - q) * t.q_above + q * t.p_above, t.q_above, (1.0 - q) * t.q_below + q * t.p_below, t.q_below,
        t.error + 4.0 * UNIT };
}

static void add_tails(const nw__pair *pair, double loss, nw__tails *out)
{
    const double q = pair->parameter[0];
    nw__tails t;
    continuous_tails(pair->base[0], fmin(-unmix_loss(q, -loss), 0x1p1000), &t);
    *out = (nw__tails){ t.p_above, (1.0 - q) * t.p_above + q * t.q_above, t.p_below, (1.0 - q) * t.p_below + q * t.q_below,
        t.error + 4.0 * UNIT };
}

static nw__atom mix_atom(double q, nw__direction direction, nw__atom a)
{
    if (direction == NW__REMOVE)
        return (nw__atom){ mix_loss(q, a.loss), (1.0 - q) * a.q + q * a.p, a.q };
    return (nw__atom){ -mix_loss(q, -a.loss), a.p, (1.0 - q) * a.p + q * a.q };
}

nw_status nw__pair_poisson(nw__pair **out, double q, nw__direction direction, nw__pair *base, nw_error *err)
{
    const bool is_remove = direction == NW__REMOVE;
    const nw__pair values = { .tails = base->tails == NULL ? NULL
                                       : is_remove         ? remove_tails
                                                           : add_tails,
        .lowest = is_remove ? mix_loss(q, base->lowest) : -mix_loss(q, -base->lowest),
        .highest = is_remove ? mix_loss(q, base->highest) : -mix_loss(q, -base->highest),
        .parameter = { q } };
    NW__TRY(adopt(out, &values, &base, 1, err));
    nw__pair *pair = *out;
    const nw__atoms *from = &base->atoms;
    nw__atom *at = nw__calloc(from->n + 1, sizeof *at);
    if (at == NULL) {
        nw__pair_free(pair);
        *out = NULL;
        return nw__fail_memory(err, "nw__pair");
    }
    size_t n = 0;
    /* where only Q lived, P now has (1-q) Q; where only P lived, Q now has (1-q) P */
    if (is_remove && base->q_null > 0.0)
        at[n++] = (nw__atom){ log1p(-q), (1.0 - q) * base->q_null, base->q_null };
    for (size_t i = 0; i < from->n; i++)
        at[n++] = mix_atom(q, direction, from->at[i]);
    if (!is_remove && from->p_infinite > 0.0)
        at[n++] = (nw__atom){ -log1p(-q), from->p_infinite, (1.0 - q) * from->p_infinite };
    const double kept = from->p_infinite > 0.0 ? fmax(q * from->p_infinite, LEAST) : 0.0;
    pair->atoms = (nw__atoms){ n, at, is_remove ? kept : 0.0 };
    pair->q_null = is_remove ? 0.0 : q * base->q_null;
    pair->lowest = n > 0 ? fmin(pair->lowest, at[0].loss) : pair->lowest;
    pair->highest = n > 0 ? fmax(pair->highest, at[n - 1].loss) : pair->highest;
    if (n == 2 && isfinite(pair->lowest) && isfinite(pair->highest)) /* at the ends */
        pair->spacing = pair->highest - pair->lowest;
    return NW_OK;
}

/* The threshold in x for l >= 0: with E = e^l, a = q e^(-mu^2 / 2), y = e^(mu x): a y^2 + (1-q)(1-E) y - a E = 0; the pair is
 * odd under x -> -x, l -> -l. */
static double replace_threshold(double q, double mu, double l)
{
    const double size = fabs(l);
    const double r = (1.0 - q) * -expm1(-size);
    const double twice_a = 2.0 * q * exp(-0.5 * mu * mu);
    const double log_y = size + 0.5 * mu * mu - log(2.0 * q) + log(r + sqrt(r * r + twice_a * twice_a * exp(-size)));
    return l < 0.0 ? -log_y / mu : log_y / mu;
}

static void poisson_replace_tails(const nw__pair *pair, double loss, nw__tails *out)
{
    const double q = pair->parameter[0];
    const double mu = pair->parameter[1];
    const double x = replace_threshold(q, mu, loss);
    *out = (nw__tails){ (1.0 - q) * normal_above(x) + q * normal_above(x - mu),
        (1.0 - q) * normal_above(x) + q * normal_above(x + mu), (1.0 - q) * normal_above(-x) + q * normal_above(mu - x),
        (1.0 - q) * normal_above(-x) + q * normal_above(-x - mu),
        normal_error(fabs(x) > FAR + mu ? x : fmin(FAR, fabs(x) + mu), UNIT * (fabs(x) + mu)) };
}

nw_status nw__pair_poisson_replace(nw__pair **out, double q, double mu, nw_error *err)
{
    const nw__pair values = { .tails = poisson_replace_tails, .lowest = -INFINITY, .highest = INFINITY, .parameter = { q, mu } };
    return make(out, &values, err);
}

/* P- and Q-tails of the whole pair, point masses included. */
static void whole_tails(const nw__pair *pair, double loss, nw__tails *out)
{
    continuous_tails(pair, loss, out);
    for (size_t i = 0; i < pair->atoms.n; i++) {
        const nw__atom *a = &pair->atoms.at[i];
        *(a->loss > loss ? &out->p_above : &out->p_below) += a->p;
        *(a->loss > loss ? &out->q_above : &out->q_below) += a->q;
    }
    out->error += UNIT * (16.0 + (double)pair->atoms.n);
}

void nw__pair_delta(const nw__pair *pair, double loss, double *lower, double *upper)
{
    nw__tails t;
    whole_tails(pair, loss, &t);
    /* where Q's tail underflows, or its factor overflows, e^loss Q is known to lie in [0, P] only */
    const bool is_known = loss < 700.0 && (t.q_above > 1e-290 || t.p_above == 0.0);
    const double q = is_known ? exp(loss) * t.q_above : 0.0;
    const double error = (t.error + 8.0 * UNIT * (1.0 + fabs(loss))) * (t.p_above + q);
    const double infinite = pair->atoms.p_infinite;
    const double delta = infinite * (1.0 + 4.0 * UNIT) + (t.p_above - q);
    /* there is something below the largest loss, even if it underflows; and 1 also for what is not a number */
    *upper = delta + error < 1.0 ? fmax(delta + error, loss < pair->highest ? LEAST : 0.0) : 1.0;
    *lower = is_known ? fmax(0.0, delta - error - 8.0 * UNIT * delta) : infinite * (1.0 - 8.0 * UNIT);
}

static void maximum_tails(const nw__pair *pair, double loss, nw__tails *out)
{
    const nw__pair *active = pair->base[0];
    double most = -1.0;
    for (size_t i = 0; i < pair->base_count; i++) {
        double lower;
        double upper;
        nw__pair_delta(pair->base[i], loss, &lower, &upper);
        if (upper > most) {
            most = upper;
            active = pair->base[i];
        }
    }
    whole_tails(active, loss, out);
    out->p_above = fmax(0.0, out->p_above + active->atoms.p_infinite - pair->atoms.p_infinite);
}

nw_status nw__pair_maximum(nw__pair **out, nw__pair **base, size_t n, nw_error *err)
{
    nw__pair values = { .tails = maximum_tails, .lowest = INFINITY, .highest = -INFINITY };
    for (size_t i = 0; i < n; i++) {
        values.lowest = fmin(values.lowest, base[i]->lowest);
        values.highest = fmax(values.highest, base[i]->highest);
        values.atoms.p_infinite = fmax(values.atoms.p_infinite, base[i]->atoms.p_infinite);
        values.q_null = fmax(values.q_null, base[i]->q_null);
    }
    return adopt(out, &values, base, n, err);
}

/* With l = log1p(expm1(x) / q): Q(L > x) = sum_k (w_k / q) Q_k(L > l), P(L > x) = sum_k w_k (P_k + (1-q)/q Q_k), from
 * differentiating the profile; for x < 0 the other way round, as the relation is symmetric. */
static void group_tails(const nw__pair *pair, double loss, nw__tails *out)
{
    const double q = pair->parameter[0];
    const double l = fmax(unmix_loss(q, fabs(loss)), 0.0);
    nw__tails sum = { 0 };
    for (size_t k = 0; k < pair->base_count; k++) {
        nw__tails t;
        const double share = pair->weight[k] / q;
        whole_tails(pair->base[k], l, &t);
        sum.p_above += share * ((1.0 - q) * t.q_above + q * t.p_above);
        sum.q_above += share * t.q_above;
        sum.error = fmax(sum.error, t.error);
    }
    sum.error += UNIT * (8.0 + (double)pair->base_count);
    sum.p_below = 1.0 - sum.p_above;
    sum.q_below = 1.0 - sum.q_above;
    *out = loss >= 0.0 ? sum : (nw__tails){ sum.q_below, sum.p_below, sum.q_above, sum.p_above, sum.error };
}

nw_status nw__pair_group_mixture(nw__pair **out, nw__pair **base, double *weight, size_t n, nw_error *err)
{
    nw__pair values = { .tails = group_tails, .highest = -INFINITY, .weight = weight };
    double q = 0.0;
    for (size_t i = 0; i < n; i++)
        q += weight[i];
    for (size_t i = 0; i < n; i++)
        values.highest = fmax(values.highest, mix_loss(fmin(q, 1.0), base[i]->highest));
    values.lowest = -values.highest;
    values.parameter[0] = fmin(q, 1.0);
    const nw_status status = adopt(out, &values, base, n, err);
    if (status != NW_OK)
        free(weight);
    return status;
}
