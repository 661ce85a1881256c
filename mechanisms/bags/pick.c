/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* pick.c - what bags buy, from public figures and guesses: closed forms of the risk and the choice by them. Their derivations are
 * in docs/rooms/bags.md#risk; n rows, p features of variance 1, y = x'theta + e, a = |theta|^2, s = Var e, and
 *   N = Var of the noise in a bag's sum = 2 (2B / epsilon)^2, or (2B / mu)^2. */
#include "accountant_internal.h"
#include "bags_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double DEFAULT_VARIANCE = 0.125; /* in units of clip^2, of signal and residual each: labels that fill their range are
                                                 uniform or so, of variance clip^2 / 3 */
static const double RHOS[] = { 0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0 };
static const double TIE = 1e-9; /* relative: of equal risks the smaller bags, which can do more afterwards */

void nw_bags_problem_init(nw_bags_problem *problem, size_t struct_size)
{
    const nw_bags_problem defaults = NW_BAGS_PROBLEM_INIT;
    memcpy(problem, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    problem->struct_size = struct_size;
}

static const double CURATED_GAIN = 0.9; /* of the baseline, or less, is worth it: the guesses may be wrong by some factor */
enum { CURATED_BAGS = 16 }; /* at least, in the second half: so many bags keep 98 % of the variance of what they are sorted by */

/* A problem in numbers. */
typedef struct figures {
    double n, p;
    double q; /* dimensions: what p is where a ridge weighs directions by their variance */
    double a; /* signal */
    double s; /* residual */
    double noise;
} figures;

static nw_status check(const nw_bags_problem *q, const char *function, nw_error *err)
{
    NW__TRY(nw__check_budget(q->epsilon, q->delta, function, err));
    if (!(q->rows >= 1 && q->rows <= NW__BAGS_MOST_ROWS))
        return nw__fail(err, NW_E_ARG, function, "rows is %zu, must be in 1 .. %zu", q->rows, NW__BAGS_MOST_ROWS);
    if (!(q->features >= 1 && q->features <= NW__BAGS_MOST_FEATURES))
        return nw__fail(err, NW_E_ARG, function, "features is %zu, must be in 1 .. %d", q->features, NW__BAGS_MOST_FEATURES);
    if (!(q->clip > 0.0 && q->clip <= 1e30))
        return nw__fail(err, NW_E_ARG, function, "clip is %g, must be in (0, 1e30]", q->clip);
    if (!(q->residual_variance >= 0.0 && isfinite(q->residual_variance)))
        return nw__fail(
            err, NW_E_ARG, function, "residual_variance is %g, must be above 0, or 0: clip^2 / 8", q->residual_variance);
    if (!(q->signal_variance >= 0.0 && isfinite(q->signal_variance)))
        return nw__fail(err, NW_E_ARG, function, "signal_variance is %g, must be above 0, or 0: clip^2 / 8", q->signal_variance);
    if (q->bag_size > q->rows)
        return nw__fail(
            err, NW_E_ARG, function, "bag_size is %zu, must be in 1 .. %zu (rows), or 0: to be chosen", q->bag_size, q->rows);
    if (!(q->rho == -1.0 || (q->rho >= 0.0 && q->rho <= 1.0)))
        return nw__fail(err, NW_E_ARG, function, "rho is %g, must be in [0, 1], or -1: to be chosen", q->rho);
    if (!(q->dimensions == 0.0 || (q->dimensions >= 1.0 && q->dimensions <= (double)q->features)))
        return nw__fail(err, NW_E_ARG, function, "dimensions is %g, must be in [1, %zu] (features), or 0: as many", q->dimensions,
            q->features);
    return NW_OK;
}

static nw_status read(nw_bags_problem *out, figures *f, const nw_bags_problem *problem, const char *function, nw_error *err)
{
    nw_bags_problem q = NW_BAGS_PROBLEM_INIT;
    if (problem == NULL)
        return nw__fail(err, NW_E_ARG, function, "problem is NULL");
    memcpy(&q, problem, problem->struct_size < sizeof q ? problem->struct_size : sizeof q);
    q.struct_size = sizeof q;
    NW__TRY(check(&q, function, err));
    const double scale = 2.0 * q.clip / (q.delta == 0.0 ? q.epsilon : nw__budget_mu(q.epsilon, q.delta));
    const double variance = DEFAULT_VARIANCE * q.clip * q.clip;
    *f = (figures){ (double)q.rows, (double)q.features, q.dimensions > 0.0 ? q.dimensions : (double)q.features,
        q.signal_variance > 0.0 ? q.signal_variance : variance, q.residual_variance > 0.0 ? q.residual_variance : variance,
        scale * scale * (q.delta == 0.0 ? 2.0 : 1.0) };
    *out = q;
    return NW_OK;
}

/* ---- closed forms ---- */

/* Least squares on n / k bag means: E tr (X'X)^-1 of normal rows. */
static double bag_risk(const figures *f, double k)
{
    const double freedom = f->n - k * (f->p + 1.0);
    return freedom > 0.0 ? f->p * (k * f->s + f->noise) / freedom : INFINITY;
}

/* Least squares of the bag's mean on each row: theta / k, with the fluctuation of the moments between and within bags about
 * it. */
static double instance_risk(const figures *f, double k)
{
    const double bias = 1.0 - 1.0 / k;
    return f->n > f->p ? f->a * bias * bias + f->p / f->n * ((f->s + bias * f->a) / k + f->noise / (k * k)) : INFINITY;
}

/* Ridge regression with m = n / k normal rows of variance 1 after multiplication by sqrt k, where the noise has variance
 * v = s + N / k: with g = p / m and Stieltjes' transform t of Marchenko and Pastur's law at -l, the risk is
 * g v t + l (l a - g v) t', least at l = g v / a [DW18, Thm 2.1]. */
static double ridge_risk(const figures *f, double k, double l)
{
    const double g = f->q * k / f->n, v = f->s + f->noise / k;
    const double b = 1.0 - g + l, root = sqrt(b * b + 4.0 * g * l);
    const double t = b > 0.0 ? 2.0 / (b + root) : (root - b) / (2.0 * g * l);
    const double slope = t * (1.0 + g * t) / root; /* from g l t^2 + b t - 1 = 0, by l, with the sign of d / d(-l) */
    return g * v * t + l * (l * f->a - g * v) * slope;
}

static double best_ridge(const figures *f, double k)
{
    return f->q * (k * f->s + f->noise) / (f->n * f->a);
}

/* Half of the rows in bags of one leave theta normal about an estimate, with variance r / p in each direction. Sorted bags of the
 * other half tell k times as much in the direction of the estimate, and in the others what random bags do. */
static double curated_risk(const figures *f, double k)
{
    const figures half = { 0.5 * f->n, f->p, f->q, f->a, f->s, f->noise };
    const double before = f->q / ridge_risk(&half, 1.0, best_ridge(&half, 1.0));
    const double told = half.n / (k * f->s + f->noise);
    return 1.0 / (before + k * told) + (f->q - 1.0) / (before + told);
}

static double risk_of(const figures *f, nw_bags_rule rule, double k)
{
    switch (rule) {
    case NW_BAGS_RULE_BAG: return bag_risk(f, k);
    case NW_BAGS_RULE_INSTANCE: return instance_risk(f, k);
    case NW_BAGS_RULE_RIDGE: return ridge_risk(f, k, best_ridge(f, k));
    case NW_BAGS_RULE_CURATED: return curated_risk(f, k);
    }
    return NAN;
}

double nw_bags_risk(const nw_bags_problem *problem, nw_bags_rule rule, size_t bag_size)
{
    nw_bags_problem q = NW_BAGS_PROBLEM_INIT;
    figures f = { 0 };
    if (read(&q, &f, problem, __func__, NULL) != NW_OK || bag_size < 1 || bag_size > q.rows)
        return NAN;
    return risk_of(&f, rule, (double)bag_size);
}

/* ---- the choice ---- */

/* Without a ridge: between the two closed forms, rho acts as a ridge of rho (k - 1), since the variance within bags is that of
 * (1 - 1/k) of a row, and independent of the means. */
static double interpolated_risk(const figures *f, double k, double rho)
{
    if (rho == 0.0)
        return bag_risk(f, k);
    return rho == 1.0 || k == 1.0 ? (k == 1.0 ? bag_risk(f, 1.0) : instance_risk(f, k)) : ridge_risk(f, k, rho * (k - 1.0));
}

typedef struct candidate {
    size_t k;
    double rho;
    double risk;
} candidate;

/* With the best ridge rho adds nothing: both shrink, and one of them is enough. */
static candidate best_at(const nw_bags_problem *q, const figures *f, size_t k)
{
    candidate best = { k, q->rho < 0.0 ? 0.0 : q->rho, INFINITY };
    if (!q->is_unregularized) {
        best.risk = risk_of(f, q->is_curated ? NW_BAGS_RULE_CURATED : NW_BAGS_RULE_RIDGE, (double)k);
        return best;
    }
    if (q->rho >= 0.0) {
        best.risk = interpolated_risk(f, (double)k, q->rho);
        return best;
    }
    for (size_t i = 0; i < sizeof RHOS / sizeof *RHOS; i++) {
        const double risk = interpolated_risk(f, (double)k, RHOS[i]);
        if (risk < best.risk)
            best = (candidate){ k, RHOS[i], risk };
    }
    return best;
}

static void explain(nw_bags_choice *out, const nw_bags_problem *q)
{
    char bags[80] = "there is no larger bag";
    if (out->best_bag_size > 0)
        snprintf(bags, sizeof bags, "bags of %zu are predicted %.4g", out->best_bag_size, out->best_bag_risk);
    if (q->bag_size > 0)
        snprintf(out->reason, sizeof out->reason, "the bag size was given: predicted risk %.4g, bags of 1 with a ridge %.4g%s",
            out->risk, out->baseline_risk, out->risk > out->baseline_risk ? ", so bags buy nothing here" : "");
    else if (out->bag_size == 1 && !q->is_unregularized)
        snprintf(out->reason, sizeof out->reason, "bags buy nothing here: bags of 1 with a ridge have predicted risk %.4g, %s",
            out->risk, bags);
    else
        snprintf(out->reason, sizeof out->reason, "predicted risk %.4g%s; bags of 1 with a ridge %.4g%s", out->risk,
            q->is_unregularized ? " without a ridge" : "", out->baseline_risk,
            out->risk > out->baseline_risk ? ": a ridge buys more than bags do" : "");
}

nw_status nw_bags_pick(const nw_bags_problem *problem, nw_bags_choice *out, nw_error *err)
{
    nw_bags_problem q = NW_BAGS_PROBLEM_INIT;
    figures f = { 0 };
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = (nw_bags_choice){ 0 };
    NW__TRY(read(&q, &f, problem, __func__, err));
    const double baseline = risk_of(&f, NW_BAGS_RULE_RIDGE, 1.0);
    candidate best = { 1, q.rho < 0.0 ? 0.0 : q.rho, q.is_unregularized ? bag_risk(&f, 1.0) : baseline };
    candidate larger = { 0, 0.0, INFINITY };
    const size_t most = q.is_curated ? q.rows / CURATED_BAGS / 2 : q.rows;
    for (size_t k = 2; k <= most; k *= 2) {
        const candidate c = best_at(&q, &f, k);
        larger = c.risk < larger.risk ? c : larger;
    }
    if (q.bag_size > 0) {
        best = best_at(&q, &f, q.bag_size);
        if (q.bag_size == 1 && !q.is_unregularized)
            best.risk = baseline;
    } else if (larger.risk < best.risk * (q.is_curated && !q.is_unregularized ? CURATED_GAIN : 1.0 - TIE)) {
        best = larger;
    }
    *out = (nw_bags_choice){ .bag_size = best.k,
        .rho = best.rho,
        .ridge = q.is_unregularized ? 0.0 : best_ridge(&f, (double)best.k) / (double)best.k,
        .risk = best.risk,
        .baseline_risk = baseline,
        .best_bag_size = larger.k,
        .best_bag_risk = larger.risk,
        .is_curated = q.is_curated && best.k > 1 };
    explain(out, &q);
    return NW_OK;
}
