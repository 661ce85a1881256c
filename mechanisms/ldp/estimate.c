/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* estimate.c - from supports to counts, and what is known of counts beyond the reports. */
#include "server.h"

#include <math.h>
#include <stdlib.h>

nw_status nw_ldp_estimate(const nw_ldp_campaign *campaign, uint64_t reports, const int64_t *supports, size_t n, double *counts,
    double *errors, nw_error *err)
{
    if (campaign == NULL || (n > 0 && (supports == NULL || counts == NULL)))
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL",
            campaign == NULL   ? "campaign"
            : supports == NULL ? "supports"
                               : "counts");
    if (nw__ldp_is_number(campaign->oracle))
        return nw__fail(err, NW_E_ARG, __func__, "the campaign is of %s: it has no items", nw_ldp_oracle_name(campaign->oracle));
    const nw_ldp_law law = nw_ldp_campaign_law(campaign);
    const double all = (double)reports;
    const double gap = law.own - law.other;
    for (size_t i = 0; i < n; i++) {
        counts[i] = ((double)supports[i] - all * law.other) / gap;
        const double held = fmax(0.0, fmin(all, counts[i]));
        if (errors != NULL)
            errors[i] = sqrt((all - held) * law.other_variance + held * law.own_variance) / gap;
    }
    return NW_OK;
}

nw_status nw_ldp_aggregate_estimate(const nw_ldp_aggregate *aggregate, unsigned level, const nw_ldp_item *items, size_t n,
    double *counts, double *errors, nw_error *err)
{
    if (aggregate == NULL || (n > 0 && counts == NULL))
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", aggregate == NULL ? "aggregate" : "counts");
    int64_t *supports = nw__calloc(n, sizeof *supports);
    if (supports == NULL)
        return nw__fail_memory(err, __func__);
    nw_status status = nw_ldp_aggregate_support(aggregate, level, items, n, supports, err);
    if (status == NW_OK)
        status =
            nw_ldp_estimate(&aggregate->campaign, nw_ldp_aggregate_reports(aggregate, level), supports, n, counts, errors, err);
    free(supports);
    return status;
}

/* ---- rules ---- */

const char *nw_ldp_rule_name(nw_ldp_rule rule)
{
    static const char *const names[] = { "unknown rule", "unbiased", "base_cut", "norm_sub", "simplex" };
    return names[(unsigned)rule <= NW_LDP_SIMPLEX ? (unsigned)rule : 0];
}

static void base_cut(double *counts, const double *errors, size_t n, double risk)
{
    const double each = (risk > 0.0 ? risk : 0.05) / (double)n;
    for (size_t i = 0; i < n; i++) {
        const bool is_heard = errors[i] > 0.0 ? 0.5 * erfc(counts[i] / errors[i] * sqrt(0.5)) <= each : counts[i] > 0.0;
        counts[i] = is_heard ? counts[i] : 0.0;
    }
}

/* An item stays above 0 as long as the multiplier is below its break. */
typedef struct breakpoint {
    double at;
    double count;
    double weight; /* its variance, or 1 */
} breakpoint;

static int compare_breaks(const void *a, const void *b)
{
    const double x = ((const breakpoint *)a)->at;
    const double y = ((const breakpoint *)b)->at;
    return x > y ? -1 : x < y;
}

/* x_i = max(0, c_i - lambda w_i) with sum x_i = total: the point nearest to c in sum (x_i - c_i)^2 / w_i. The sum falls in
 * lambda, so the items above 0 are those of the largest c_i / w_i. */
static nw_status project(double *counts, const double *errors, size_t n, double total, nw_error *err)
{
    breakpoint *b = nw__calloc(n, sizeof *b);
    double count = 0.0;
    double weight = 0.0;
    double lambda = 0.0;
    if (b == NULL)
        return nw__fail_memory(err, "nw_ldp_postprocess");
    for (size_t i = 0; i < n; i++) {
        const double w = errors != NULL ? errors[i] * errors[i] : 1.0;
        b[i] = (breakpoint){ counts[i] / w, counts[i], w };
    }
    qsort(b, n, sizeof *b, compare_breaks);
    for (size_t i = 0; i < n; i++) {
        count += b[i].count;
        weight += b[i].weight;
        lambda = (count - total) / weight;
        if (i + 1 < n && lambda >= b[i + 1].at)
            break;
    }
    for (size_t i = 0; i < n; i++)
        counts[i] = fmax(0.0, counts[i] - lambda * (errors != NULL ? errors[i] * errors[i] : 1.0));
    free(b);
    return NW_OK;
}

static nw_status check_rule(
    nw_ldp_rule rule, const double *counts, const double *errors, size_t n, double total, double risk, nw_error *err)
{
    const char *function = "nw_ldp_postprocess";
    if (rule < NW_LDP_UNBIASED || rule > NW_LDP_SIMPLEX)
        return nw__fail(err, NW_E_ARG, function, "rule is %d, must be one of nw_ldp_rule", (int)rule);
    const bool has_errors = rule == NW_LDP_BASE_CUT || rule == NW_LDP_SIMPLEX;
    if ((counts == NULL && n > 0) || (has_errors && errors == NULL && n > 0))
        return nw__fail(err, NW_E_ARG, function, "%s is NULL", counts == NULL ? "counts" : "errors");
    if (rule == NW_LDP_BASE_CUT && !(risk >= 0.0 && risk < 1.0))
        return nw__fail(err, NW_E_ARG, function, "risk is %g, must be in [0, 1)", risk);
    if (rule >= NW_LDP_NORM_SUB && !(total > 0.0 && isfinite(total)))
        return nw__fail(err, NW_E_ARG, function, "total is %g, must be above 0", total);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(counts[i]) || (has_errors && !(errors[i] >= 0.0 && isfinite(errors[i]))) ||
            (rule == NW_LDP_SIMPLEX && errors[i] == 0.0))
            return nw__fail(
                err, NW_E_ARG, function, "count or error %zu is not a number that %s takes", i, nw_ldp_rule_name(rule));
    return NW_OK;
}

nw_status nw_ldp_postprocess(
    nw_ldp_rule rule, double *counts, const double *errors, size_t n, double total, double risk, nw_error *err)
{
    NW__TRY(check_rule(rule, counts, errors, n, total, risk, err));
    if (n == 0 || rule == NW_LDP_UNBIASED)
        return NW_OK;
    if (rule == NW_LDP_BASE_CUT) {
        base_cut(counts, errors, n, risk);
        return NW_OK;
    }
    return project(counts, rule == NW_LDP_SIMPLEX ? errors : NULL, n, total, err);
}

/* ---- trees ---- */

/* Upward, each node becomes the best estimate from its subtree: its own count and its children's sum, weighted by their inverse
 * variances; downward, what a parent has more than its children is shared among them, equal as their variances are. */
static void make_consistent(double *counts, const double *variances, const size_t *starts, size_t levels, size_t fanout)
{
    double below = variances[levels - 1]; /* of a node's best estimate, one level down */
    for (size_t level = levels - 1; level-- > 0;) {
        const double sum_variance = below * (double)fanout;
        const double own = sum_variance / (sum_variance + variances[level]);
        for (size_t i = starts[level]; i < starts[level + 1]; i++) {
            double sum = 0.0;
            for (size_t j = 0; j < fanout; j++)
                sum += counts[starts[level + 1] + (i - starts[level]) * fanout + j];
            counts[i] = own * counts[i] + (1.0 - own) * sum;
        }
        below = own * variances[level];
    }
    for (size_t level = 0; level + 1 < levels; level++)
        for (size_t i = starts[level]; i < starts[level + 1]; i++) {
            double *children = counts + starts[level + 1] + (i - starts[level]) * fanout;
            double sum = 0.0;
            for (size_t j = 0; j < fanout; j++)
                sum += children[j];
            for (size_t j = 0; j < fanout; j++)
                children[j] += (counts[i] - sum) / (double)fanout;
        }
}

nw_status nw_ldp_consistent(double *counts, const double *deviations, size_t levels, size_t roots, size_t fanout, nw_error *err)
{
    enum { MOST_LEVELS = 64 };
    size_t starts[MOST_LEVELS + 1] = { 0 };
    double variances[MOST_LEVELS];
    size_t nodes = roots;
    if (counts == NULL || deviations == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", counts == NULL ? "counts" : "deviations");
    if (levels < 1 || levels > MOST_LEVELS || roots < 1 || fanout < 2)
        return nw__fail(err, NW_E_ARG, __func__, "levels, roots, fanout are %zu, %zu, %zu, must be in 1..64, at least 1 and 2",
            levels, roots, fanout);
    for (size_t level = 0; level < levels; level++) {
        if (!(deviations[level] > 0.0 && isfinite(deviations[level])))
            return nw__fail(err, NW_E_ARG, __func__, "deviation of level %zu is %g, must be above 0", level, deviations[level]);
        variances[level] = deviations[level] * deviations[level];
        starts[level + 1] = starts[level] + nodes;
        if (level + 1 < levels && (!nw__mul_size(nodes, fanout, &nodes) || nodes > SIZE_MAX / 16))
            return nw__fail(
                err, NW_E_ARG, __func__, "levels is %zu, must be less with %zu roots of fanout %zu", levels, roots, fanout);
    }
    make_consistent(counts, variances, starts, levels, fanout);
    return NW_OK;
}
