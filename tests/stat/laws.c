/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "laws.h"
#include "vectors.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <string.h>

enum { MAX_BINS = 512 };

static const char *list_name(nw_noise_law kind)
{
    return kind == NW_NOISE_ROUNDED_GAUSSIAN    ? "rounded_gaussian"
           : kind == NW_NOISE_DISCRETE_GAUSSIAN ? "discrete_gaussian"
                                                : "discrete_laplace";
}

bool law_get(const json_t *root, nw_noise_law kind, size_t i, law *out)
{
    const json_t *entry = json_array_get(json_object_get(root, list_name(kind)), i);
    const char *key = kind == NW_NOISE_DISCRETE_LAPLACE ? "scale" : "sigma";
    if (entry == NULL)
        return false;
    *out = (law){ .kind = kind, .scale = vector_number(json_object_get(entry, key)), .entry = entry };
    snprintf(out->text, sizeof out->text, "%s %s %g", list_name(kind), key, out->scale);
    out->name = out->text;
    return true;
}

/* A p-value as the normal quantile that has it, capped where doubles end. */
static double quantile_of(double p)
{
    return p < 1e-300 ? 37.0 : p > 0.5 ? 0.0 : gsl_cdf_ugaussian_Qinv(p);
}

static double chi_square_departure(const law *l, const int64_t *x, size_t n)
{
    const json_t *bins = json_object_get(l->entry, "chi2_bins");
    const json_t *cuts = json_object_get(bins, "cuts");
    const json_t *prob = json_object_get(bins, "prob");
    const size_t count = json_array_size(prob);
    double edges[MAX_BINS];
    double seen[MAX_BINS] = { 0.0 };
    double sum = 0.0;
    if (count < 2 || count > MAX_BINS)
        abort();
    for (size_t i = 0; i + 1 < count; i++)
        edges[i] = vector_number(json_array_get(cuts, i));
    for (size_t i = 0; i < n; i++) {
        size_t low = 0;
        size_t high = count - 1;
        while (low < high) { /* the number of cuts <= x */
            const size_t middle = (low + high) / 2;
            if (edges[middle] <= (double)x[i])
                low = middle + 1;
            else
                high = middle;
        }
        seen[low] += 1.0;
    }
    for (size_t i = 0; i < count; i++) {
        const double expected = (double)n * vector_number(json_array_get(prob, i));
        sum += (seen[i] - expected) * (seen[i] - expected) / expected;
    }
    return quantile_of(gsl_cdf_chisq_Q(sum, (double)count - 1.0));
}

static double binomial_departure(double seen, double n, double p)
{
    const double expected = n * p;
    if (expected < 30.0) /* rare: the Poisson tail, one-sided */
        return seen > expected ? quantile_of(gsl_cdf_poisson_Q((unsigned)seen - 1, expected)) : 0.0;
    return fabs(seen - expected) / sqrt(expected * (1.0 - p));
}

static double count_beyond(const int64_t *x, size_t n, double at)
{
    double beyond = 0.0;
    for (size_t i = 0; i < n; i++)
        beyond += fabs((double)x[i]) >= at;
    return beyond;
}

/* P(|X| >= x): the vectors' list, and for the rounded Gaussian the closed form erfc((x - 1/2) / (sigma sqrt 2)). */
static double two_sided_departure(const law *l, const int64_t *x, size_t n)
{
    const json_t *list = json_object_get(l->entry, "two_sided_tail_2^-k");
    double worst = 0.0;
    for (size_t t = 0; t < json_array_size(list); t++) {
        const json_t *row = json_array_get(list, t);
        const double seen = count_beyond(x, n, vector_number(json_array_get(row, 1)));
        worst = fmax(worst, binomial_departure(seen, (double)n, vector_number(json_array_get(row, 2))));
    }
    for (double k = 2.0; l->kind == NW_NOISE_ROUNDED_GAUSSIAN && k < 6.0; k += 0.7) {
        const double at = ceil(k * l->scale);
        worst = fmax(worst, binomial_departure(count_beyond(x, n, at), (double)n, erfc((at - 0.5) / (l->scale * sqrt(2.0)))));
    }
    return worst;
}

/* P(X = x) and P(X = -x) of the vectors' list. */
static double point_departure(const law *l, const int64_t *x, size_t n)
{
    const json_t *points = json_object_get(l->entry, "pmf_at_plus_minus_x");
    double worst = 0.0;
    for (size_t t = 0; t < json_array_size(points); t++) {
        const json_t *row = json_array_get(points, t);
        const int64_t at = (int64_t)json_integer_value(json_array_get(row, 0));
        double seen[2] = { 0.0, 0.0 };
        for (size_t i = 0; i < n; i++) {
            seen[0] += x[i] == at;
            seen[1] += x[i] == -at;
        }
        for (int sign = 0; sign < 2; sign++)
            worst = fmax(worst, binomial_departure(seen[sign], (double)n, vector_number(json_array_get(row, 1))));
    }
    return worst;
}

/* The exact delta(epsilon) of the mechanism with sensitivity D, [CKS20, Thm 7]: the mean of 1{X > a} - e^epsilon 1{X > b} with
 * a = epsilon sigma^2 / D - D / 2 and b = a + D. */
static double hockey_stick_departure(const law *l, const int64_t *x, size_t n)
{
    const json_t *list = json_object_get(l->entry, "hockey_stick_shift_eps_delta");
    double worst = 0.0;
    for (size_t t = 0; t < json_array_size(list); t++) {
        const json_t *row = json_array_get(list, t);
        const double shift = vector_number(json_array_get(row, 0));
        const double epsilon = vector_number(json_array_get(row, 1));
        const double delta = vector_number(json_array_get(row, 2));
        const double a = epsilon * l->scale * l->scale / shift - 0.5 * shift;
        double above_a = 0.0;
        double above_b = 0.0;
        for (size_t i = 0; i < n; i++) {
            above_a += (double)x[i] > a;
            above_b += (double)x[i] > a + shift;
        }
        if (above_a < 1000.0 || (double)n - above_a < 1000.0)
            continue;                             /* too rare, or too certain, for a standard error; the tails have seen it */
        const double weight = 1.0 - exp(epsilon); /* of the draws above both */
        const double mean = (above_a - above_b + weight * above_b) / (double)n;
        const double square = (above_a - above_b + weight * weight * above_b) / (double)n;
        worst = fmax(worst, fabs(mean - delta) / sqrt((square - mean * mean) / (double)n));
    }
    return worst;
}

static double tail_departure(const law *l, const int64_t *x, size_t n)
{
    const json_t *tails = json_object_get(l->entry, "x_cdf_P(X<=x)_tail_P(X>=x)");
    double worst = 0.0;
    for (size_t t = 0; t < json_array_size(tails); t++) {
        const json_t *row = json_array_get(tails, t);
        const double at = vector_number(json_array_get(row, 0));
        const double above = vector_number(json_array_get(row, 2));
        double right = 0.0;
        double left = 0.0; /* by symmetry P(X <= -x) is the same */
        for (size_t i = 0; i < n; i++) {
            right += (double)x[i] >= at;
            left += (double)x[i] <= -at;
        }
        if (l->kind != NW_NOISE_ROUNDED_GAUSSIAN || at > 0.0) {
            worst = fmax(worst, binomial_departure(right, (double)n, above));
            worst = fmax(worst, binomial_departure(left, (double)n, above));
        }
    }
    return worst;
}

/* Moments with their standard errors from the law: var(X^2) = m4 - m2^2; var(X^4) is bounded by the eighth moment of the law,
 * which is estimated. */
static double moment_departure(const law *l, const int64_t *x, size_t n)
{
    const double m2 = vector_number(json_object_get(l->entry, "variance"));
    const double m4 = vector_number(json_object_get(l->entry, "fourth_moment"));
    double sums[4] = { 0.0 }; /* of x, x^2, x^4, x^8, in units of the scale */
    double absolute = 0.0;
    const double unit = fmax(1.0, l->scale);
    for (size_t i = 0; i < n; i++) {
        const double y = (double)x[i] / unit;
        sums[0] += y;
        absolute += fabs(y);
        sums[1] += y * y;
        sums[2] += y * y * y * y;
        sums[3] += pow(y, 8.0);
    }
    const double count = (double)n;
    const double u2 = m2 / (unit * unit);
    const double u4 = m4 / (unit * unit * unit * unit);
    const double mean = fabs(sums[0] / count) / sqrt(u2 / count);
    const json_t *mean_abs = json_object_get(l->entry, "mean_abs"); /* not listed for the rounded Gaussian */
    const double u1 = vector_number(mean_abs) / unit;
    const double first = mean_abs == NULL ? 0.0 : fabs(absolute / count - u1) / sqrt((u2 - u1 * u1) / count);
    const double second = fabs(sums[1] / count - u2) / sqrt(fmax(u4 - u2 * u2, 1e-300) / count);
    /* the eighth moment of so few extreme values is itself noisy: at least what a light tail would have */
    const double eighth = fmax(sums[3] / count, 3.0 * u4 * u4);
    const double fourth = fabs(sums[2] / count - u4) / sqrt(fmax(eighth - u4 * u4, 1e-300) / count);
    if (u2 * count < 1000.0) /* hardly any sample but 0: the bins and tails see all there is */
        return 0.0;
    return fmax(fmax(mean, first), fmax(second, fourth));
}

double law_departure(const law *l, const int64_t *x, size_t n)
{
    const double statistics[] = { chi_square_departure(l, x, n), moment_departure(l, x, n), tail_departure(l, x, n),
        two_sided_departure(l, x, n), point_departure(l, x, n), hockey_stick_departure(l, x, n) };
    double worst = 0.0;
    for (size_t i = 0; i < sizeof statistics / sizeof *statistics; i++)
        worst = fmax(worst, statistics[i]);
    return worst;
}
