/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* strategy.c - sens(C)^2 = max over patterns of || sum +- C[:, j] ||^2 <= max sum_(i, j in pattern) |X_ij|, X = C^T C.
 *
 * Toeplitz: for non-negative, non-increasing c the worst pattern is {0, b, 2b, ...}  [KL24, Thm 2]; for others the running
 * maximum of |c| from the end bounds every column from above. Columns that do not overlap at the separation are orthogonal, and a
 * dynamic programme over single norms is exact  [CGKM23, Alg. 3]; where they do overlap each column carries all its possible
 * products, an upper bound. */
#include "accountant_internal.h"

#include <math.h>
#include <stdlib.h>

static const char NAME[] = "nw_strategy_sensitivity";
/* Memory and time: a vector of this length; a matrix with this many products to form. */
static const uint64_t MOST_STEPS = UINT64_C(1) << 26;
static const double MOST_PRODUCTS = 4e9;

static nw_status check(const nw_strategy *s, nw_error *err)
{
    if (s->steps < 1 || s->steps > MOST_STEPS)
        return nw__fail(err, NW_E_ARG, NAME, "steps is %llu, must be at least 1 and at most 2^26", (unsigned long long)s->steps);
    if (s->min_separation < 1 || s->min_separation > NW__MOST_COUNT)
        return nw__fail(err, NW_E_ARG, NAME, "min_separation is %llu, must be at least 1 and at most 2^62",
            (unsigned long long)s->min_separation);
    if (s->max_participations > NW__MOST_COUNT)
        return nw__fail(
            err, NW_E_ARG, NAME, "max_participations is %llu, must be at most 2^62", (unsigned long long)s->max_participations);
    if (s->bands > NW__MOST_COUNT)
        return nw__fail(err, NW_E_ARG, NAME, "bands is %llu, must be at most 2^62", (unsigned long long)s->bands);
    if (s->coefficients == NULL || s->coefficient_count == 0)
        return nw__fail(err, NW_E_ARG, NAME, "coefficients must have at least one entry");
    for (size_t i = 0; i < s->coefficient_count; i++)
        if (!(fabs(s->coefficients[i]) <= 1e100))
            return nw__fail(
                err, NW_E_ARG, NAME, "coefficients[%zu] is %g, must be at most 1e100 in modulus", i, s->coefficients[i]);
    switch (s->kind) {
    case NW_STRATEGY_DENSE:
        return s->coefficient_count == s->steps * s->steps && s->steps <= 4096
                   ? NW_OK
                   : nw__fail(err, NW_E_ARG, NAME, "coefficients has %zu entries, must be steps^2, with steps at most 4096",
                         s->coefficient_count);
    case NW_STRATEGY_TOEPLITZ: return NW_OK;
    case NW_STRATEGY_BANDED:
        return s->bands >= 1 && s->bands <= s->steps && s->coefficient_count == s->steps * s->bands
                   ? NW_OK
                   : nw__fail(err, NW_E_ARG, NAME, "coefficients has %zu entries, must be steps * bands, bands from 1 to steps",
                         s->coefficient_count);
    case NW_STRATEGY_BLT:
        for (size_t j = 0; j < s->coefficient_count; j++)
            if (s->theta == NULL || !(s->theta[j] >= 0.0 && s->theta[j] < 1.0))
                return nw__fail(err, NW_E_ARG, NAME, "theta[%zu] must be in [0, 1)", j);
        return NW_OK;
    }
    return nw__fail(err, NW_E_ARG, NAME, "kind is %d, must be dense, toeplitz, banded or blt", (int)s->kind);
}

/* How many times one record can take part. */
static uint64_t participations(const nw_strategy *s)
{
    const uint64_t possible = (s->steps - 1) / s->min_separation + 1;
    return s->max_participations == 0 || s->max_participations > possible ? possible : s->max_participations;
}

/* The first column, made non-increasing by the running maximum of |c| from its end. */
static double *first_column(const nw_strategy *s, bool *is_exact)
{
    double *c = nw__calloc(s->steps, sizeof *c);
    if (c == NULL)
        return NULL;
    if (s->kind == NW_STRATEGY_TOEPLITZ) {
        for (uint64_t i = 0; i < s->steps && i < s->coefficient_count; i++)
            c[i] = s->coefficients[i];
    } else {
        c[0] = 1.0;
        for (size_t j = 0; j < s->coefficient_count; j++) {
            double term = s->coefficients[j];
            for (uint64_t i = 1; i < s->steps && term != 0.0; i++, term *= s->theta[j])
                c[i] += term;
        }
    }
    *is_exact = true;
    if (participations(s) == 1)
        return c;
    for (uint64_t i = s->steps; i-- > 0;) {
        const double bound = fmax(fabs(c[i]), i + 1 < s->steps ? c[i + 1] : 0.0);
        *is_exact = *is_exact && bound == c[i];
        c[i] = bound;
    }
    return c;
}

static nw_status toeplitz(const nw_strategy *s, double *square, bool *is_exact, nw_error *err)
{
    const uint64_t b = s->min_separation;
    const uint64_t k = participations(s);
    double *c = first_column(s, is_exact);
    double *sum = nw__calloc(s->steps, sizeof *sum); /* row t of the k shifted columns added up */
    *square = 0.0;
    for (uint64_t t = 0; c != NULL && sum != NULL && t < s->steps; t++) {
        sum[t] = c[t] + (t >= b && k > 1 ? sum[t - b] : 0.0) - (k > 1 && t / b >= k ? c[t - k * b] : 0.0);
        *square += sum[t] * sum[t];
    }
    const bool is_ok = c != NULL && sum != NULL;
    free(c);
    free(sum);
    return is_ok ? NW_OK : nw__fail_memory(err, NAME);
}

/* C[i, j]. */
static double entry(const nw_strategy *s, uint64_t i, uint64_t j)
{
    if (s->kind == NW_STRATEGY_DENSE)
        return s->coefficients[i * s->steps + j];
    return j <= i && i - j < s->bands ? s->coefficients[i * s->bands + (i - j)] : 0.0;
}

static double product(const nw_strategy *s, uint64_t i, uint64_t j)
{
    const uint64_t reach = s->kind == NW_STRATEGY_BANDED ? s->bands : s->steps;
    const uint64_t from = s->kind == NW_STRATEGY_BANDED ? (i > j ? i : j) : 0;
    const uint64_t end = s->kind == NW_STRATEGY_BANDED && from + reach < s->steps ? from + reach : s->steps;
    double sum = 0.0;
    for (uint64_t t = from; t < end; t++)
        sum += entry(s, t, i) * entry(s, t, j);
    return sum;
}

/* What column i adds at most: its own square and its products with those it may meet. */
static double column_weight(const nw_strategy *s, uint64_t i, uint64_t k, bool *is_exact)
{
    const uint64_t reach = s->kind == NW_STRATEGY_BANDED ? s->bands : s->steps;
    double weight = product(s, i, i);
    for (uint64_t d = s->min_separation; k > 1 && d < reach; d++) {
        const double up = i + d < s->steps ? fabs(product(s, i, i + d)) : 0.0;
        const double down = i >= d ? fabs(product(s, i, i - d)) : 0.0;
        *is_exact = *is_exact && up == 0.0 && down == 0.0;
        weight += up + down;
    }
    return weight;
}

/* max of sum weight over at most k steps, at least b apart: best[i] from step i on, one round a participation. */
static nw_status best_pattern(const double *weight, uint64_t n, uint64_t b, uint64_t k, double *best, nw_error *err)
{
    double *f = nw__calloc(n + 1, sizeof *f);
    double *g = nw__calloc(n + 1, sizeof *g);
    const bool is_free = k >= (n - 1) / b + 1;
    const bool is_ok = f != NULL && g != NULL && (is_free || (double)n * (double)k <= MOST_PRODUCTS);
    for (uint64_t round = 0; is_ok && round < (is_free ? 1 : k); round++) {
        for (uint64_t i = n; i-- > 0;) {
            const double *before = is_free ? g : f;
            g[i] = fmax(g[i + 1], weight[i] + (i + b < n ? before[i + b] : 0.0));
        }
        double *swap = f;
        f = g;
        g = swap;
    }
    *best = is_ok ? f[0] : 0.0;
    const bool has_memory = f != NULL && g != NULL;
    free(f);
    free(g);
    if (!has_memory)
        return nw__fail_memory(err, NAME);
    return is_ok ? NW_OK : nw__fail(err, NW_E_UNSUPPORTED, NAME, "steps * max_participations is too large to search");
}

static nw_status by_columns(const nw_strategy *s, double *square, bool *is_exact, nw_error *err)
{
    const uint64_t k = participations(s);
    const double reach = s->kind == NW_STRATEGY_BANDED ? (double)s->bands : (double)s->steps;
    double *weight = nw__calloc(s->steps, sizeof *weight);
    if (weight == NULL)
        return nw__fail_memory(err, NAME);
    *is_exact = true;
    nw_status status =
        (double)s->steps * reach * (k > 1 && (double)s->min_separation < reach ? reach : 1.0) > 64.0 * MOST_PRODUCTS
            ? nw__fail(err, NW_E_UNSUPPORTED, NAME, "the strategy has too many overlapping columns to bound")
            : NW_OK;
    for (uint64_t i = 0; status == NW_OK && i < s->steps; i++)
        weight[i] = column_weight(s, i, k, is_exact);
    if (status == NW_OK)
        status = best_pattern(weight, s->steps, s->min_separation, k, square, err);
    free(weight);
    return status;
}

nw_status nw_strategy_sensitivity(const nw_strategy *strategy, double *sensitivity, bool *is_exact, nw_error *err)
{
    double square = 0.0;
    bool exact = false;
    if (strategy == NULL || sensitivity == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", strategy == NULL ? "strategy" : "sensitivity");
    NW__TRY(check(strategy, err));
    if (strategy->kind == NW_STRATEGY_TOEPLITZ || strategy->kind == NW_STRATEGY_BLT)
        NW__TRY(toeplitz(strategy, &square, &exact, err));
    else
        NW__TRY(by_columns(strategy, &square, &exact, err));
    /* sums of at most steps + participations terms, each to a few ulps */
    *sensitivity = sqrt(square) * (1.0 + 0x1p-50 * (double)(strategy->steps + 16));
    if (is_exact != NULL)
        *is_exact = exact;
    return NW_OK;
}
