/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* query_family.c - the families of queries of [VAA22] and [LTVW23], and random conjunctions.
 *
 * Random queries come from the stream of nw_rng_new_insecure_seeded(seed): the seed is public, and the same on every machine.
 * Normal variates are those of nw/noise.h, rounded to the grid of theta, hence the same everywhere too.
 * Deviation: the columns of a prefix are different; tau, theta and b lie on grids. */
#include "queries_internal.h"

#include "random_internal.h"

#include <math.h>
#include <nw/noise.h>
#include <nw/testing.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_K = 8, MOST_LEVELS = 15, MOST_HALFSPACE_COLUMNS = 1024 };

static bool is_categorical(const nw_queries *q, size_t column)
{
    return !q->numbers[column].is_numeric;
}

static bool is_numeric(const nw_queries *q, size_t column)
{
    return q->numbers[column].is_numeric;
}

/* The columns of one sort, in the schema's order; NULL if memory lacks. */
static size_t *columns_where(const nw_queries *q, bool (*is_sort)(const nw_queries *, size_t), size_t *n)
{
    size_t *columns = nw__calloc(q->columns, sizeof *columns);
    *n = 0;
    for (size_t j = 0; columns != NULL && j < q->columns; j++)
        if (is_sort(q, j))
            columns[(*n)++] = j;
    return columns;
}

/* The next k of n places in lexicographic order; false after the last. */
static bool next_subset(size_t *places, size_t k, size_t n)
{
    for (size_t i = k; i-- > 0;) {
        if (places[i] < n - k + i) {
            places[i]++;
            for (size_t l = i + 1; l < k; l++)
                places[l] = places[l - 1] + 1;
            return true;
        }
    }
    return false;
}

/* One workload for each choice of levels, counted up from the last column; columns of a single level have level 0 only. */
static nw_status push_levels(
    nw_queries *q, const size_t *columns, size_t k, const unsigned *most, const char *name, nw_error *err)
{
    unsigned levels[MOST_K];
    for (size_t i = 0; i < k; i++)
        levels[i] = most[columns[i]] > 0;
    for (;;) {
        uint64_t cells = 1;
        for (size_t i = 0; i < k && cells <= NW__MOST_WORKLOAD_CELLS; i++)
            cells *= nw__queries_parts(q, columns[i], levels[i]);
        if (cells <= NW__MOST_WORKLOAD_CELLS)
            NW__TRY(nw__queries_push_cells(q, columns, levels, k, name, err));
        size_t i = k;
        while (i > 0 && levels[i - 1] == most[columns[i - 1]])
            i--;
        if (i == 0)
            return NW_OK;
        levels[i - 1]++;
        for (; i < k; i++)
            levels[i] = most[columns[i]] > 0;
    }
}

/* Levels 1 .. most of each column: up to the first that tells all codes apart; 0 for columns that are not cut. */
static unsigned *levels_of(const nw_queries *q, unsigned levels)
{
    unsigned *most = nw__calloc(q->columns, sizeof *most);
    for (size_t j = 0; most != NULL && j < q->columns; j++)
        for (unsigned l = 1; is_numeric(q, j) && l <= levels && (l == 1 || (UINT32_C(1) << (l - 1)) < q->numbers[j].values); l++)
            most[j] = l;
    return most;
}

static nw_status push_subsets(nw_queries *q, const size_t *columns, size_t n, size_t k, const unsigned *most, bool needs_numeric,
    const char *name, nw_error *err)
{
    size_t places[MOST_K];
    nw_status status = NW_OK;
    for (size_t i = 0; i < k; i++)
        places[i] = i;
    do {
        size_t chosen[MOST_K];
        bool has_numeric = false;
        for (size_t i = 0; i < k; i++) {
            chosen[i] = columns[places[i]];
            has_numeric = has_numeric || is_numeric(q, chosen[i]);
        }
        if (has_numeric || !needs_numeric)
            status = push_levels(q, chosen, k, most, name, err);
    } while (status == NW_OK && next_subset(places, k, n));
    return status;
}

nw_status nw_queries_add_marginals(nw_queries *q, unsigned k, nw_error *err)
{
    if (q == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "queries is NULL");
    NW__TRY(nw__queries_expect(q, __func__, err));
    const nw__queries_mark mark = nw__queries_mark_now(q);
    size_t n;
    size_t *columns = columns_where(q, is_categorical, &n);
    unsigned *most = levels_of(q, 0);
    nw_status status = NW_OK;
    if (columns == NULL || most == NULL)
        status = nw__fail_memory(err, __func__);
    else if (k < 1 || k > MOST_K || k > n)
        status = nw__fail(err, NW_E_ARG, __func__, "k is %u, must be in 1..%d and at most %zu, the number of categorical columns",
            k, MOST_K, n);
    else
        status = push_subsets(q, columns, n, k, most, false, __func__, err);
    free(columns);
    free(most);
    return nw__queries_note(q, mark, (nw__recipe){ .kind = NW__RECIPE_MARGINALS, .k = k }, status);
}

static bool is_any(const nw_queries *q, size_t column)
{
    (void)q;
    (void)column;
    return true;
}

nw_status nw_queries_add_ranges(nw_queries *q, unsigned k, unsigned levels, nw_error *err)
{
    if (q == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "queries is NULL");
    if (levels < 1 || levels > MOST_LEVELS)
        return nw__fail(err, NW_E_ARG, __func__, "levels is %u, must be in 1..%d", levels, MOST_LEVELS);
    if (k < 1 || k > MOST_K || k > q->columns)
        return nw__fail(
            err, NW_E_ARG, __func__, "k is %u, must be in 1..%d and at most %zu, the number of columns", k, MOST_K, q->columns);
    NW__TRY(nw__queries_expect(q, __func__, err));
    const nw__queries_mark mark = nw__queries_mark_now(q);
    size_t n, numeric;
    size_t *columns = columns_where(q, is_numeric, &numeric);
    free(columns);
    columns = columns_where(q, is_any, &n);
    unsigned *most = levels_of(q, levels);
    nw_status status = NW_OK;
    if (columns == NULL || most == NULL)
        status = nw__fail_memory(err, __func__);
    else if (numeric == 0)
        status = nw__fail(err, NW_E_ARG, __func__, "the schema has no numeric column, ranges need one");
    else
        status = push_subsets(q, columns, n, k, most, true, __func__, err);
    free(columns);
    free(most);
    return nw__queries_note(q, mark, (nw__recipe){ .kind = NW__RECIPE_RANGES, .k = k, .levels = levels }, status);
}

/* What random queries are drawn from. */
typedef struct lottery {
    nw_rng *rng;
    size_t *numeric;
    size_t numeric_count;
    size_t *categorical;
    size_t categorical_count;
    size_t *order; /* space for one permutation of all columns */
} lottery;

static void lottery_clear(lottery *l)
{
    nw_rng_free(l->rng);
    free(l->numeric);
    free(l->categorical);
    free(l->order);
}

static nw_status lottery_make(lottery *l, const nw_queries *q, uint64_t seed, const char *name, nw_error *err)
{
    *l = (lottery){ 0 };
    l->numeric = columns_where(q, is_numeric, &l->numeric_count);
    l->categorical = columns_where(q, is_categorical, &l->categorical_count);
    l->order = nw__calloc(q->columns, sizeof *l->order);
    nw_status status = l->numeric == NULL || l->categorical == NULL || l->order == NULL
                           ? nw__fail_memory(err, name)
                           : nw_rng_new_insecure_seeded(&l->rng, seed, err);
    if (status == NW_OK)
        status = nw__rng_begin(l->rng, err);
    if (status != NW_OK)
        lottery_clear(l);
    return status;
}

/* k different ones of n columns into l->order, k at most n: the first steps of a shuffle. */
static void draw_columns(lottery *l, const size_t *columns, size_t n, size_t k)
{
    memcpy(l->order, columns, n * sizeof *columns);
    for (size_t i = 0; i < k; i++) {
        const size_t other = i + (size_t)nw__rng_below(l->rng, n - i);
        const size_t column = l->order[other];
        l->order[other] = l->order[i];
        l->order[i] = column;
    }
}

static size_t draw_label(lottery *l)
{
    return l->categorical_count == 0 ? NW__NO_COLUMN : l->categorical[nw__rng_below(l->rng, l->categorical_count)];
}

/* Uniform in (0, 1], a multiple of 2^-24. */
static double draw_number(lottery *l)
{
    return ldexp((double)(nw__rng_below(l->rng, UINT64_C(1) << NW__NUMBER_BITS) + 1), -NW__NUMBER_BITS);
}

static nw_status check_family(nw_queries *q, size_t count, unsigned terms, const char *name, nw_error *err)
{
    if (q == NULL)
        return nw__fail(err, NW_E_ARG, name, "queries is NULL");
    if (count < 1 || count > NW__MOST_WORKLOADS - q->count)
        return nw__fail(err, NW_E_ARG, name, "count is %zu, must be at least 1 and at most %zu, the room that is left", count,
            (size_t)NW__MOST_WORKLOADS - q->count);
    if (terms < 1 || terms > NW__MOST_TERMS)
        return nw__fail(err, NW_E_ARG, name, "terms is %u, must be in 1..%d", terms, NW__MOST_TERMS);
    return nw__queries_expect(q, name, err);
}

/* Codes of numbers below x; at least the first, so that no interval is empty: the least number is 0 unless codes are bins. */
static uint32_t some_codes_below(const nw_queries *q, size_t column, double x)
{
    const uint32_t codes = nw__queries_codes_below(q, column, x);
    return codes > 0 ? codes : 1;
}

static nw_status push_prefix(nw_queries *q, lottery *l, size_t terms, const char *name, nw_error *err)
{
    nw_query_term list[NW__MOST_TERMS];
    const size_t label = draw_label(l);
    const size_t n = terms < l->numeric_count ? terms : l->numeric_count;
    draw_columns(l, l->numeric, l->numeric_count, n);
    for (size_t i = 0; i < n; i++) {
        const uint32_t high = some_codes_below(q, l->order[i], draw_number(l));
        list[i] = (nw_query_term){ l->order[i], 0, high };
    }
    return nw__queries_push_terms(q, list, n, label, name, err);
}

nw_status nw_queries_add_prefixes(nw_queries *q, size_t count, unsigned terms, uint64_t seed, nw_error *err)
{
    lottery l;
    NW__TRY(check_family(q, count, terms, __func__, err));
    NW__TRY(lottery_make(&l, q, seed, __func__, err));
    const nw__queries_mark mark = nw__queries_mark_now(q);
    nw_status status = NW_OK;
    if (l.numeric_count == 0)
        status = nw__fail(err, NW_E_ARG, __func__, "the schema has no numeric column, prefixes need one");
    for (size_t i = 0; status == NW_OK && i < count; i++)
        status = push_prefix(q, &l, terms, __func__, err);
    lottery_clear(&l);
    return nw__queries_note(q, mark, (nw__recipe){ NW__RECIPE_PREFIXES, count, terms, 0, seed }, status);
}

/* Of a categorical column one value; of a numeric one the codes between two numbers, at least the one that holds the larger. */
static nw_query_term draw_term(nw_queries *q, lottery *l, size_t column)
{
    const nw__column_numbers *n = &q->numbers[column];
    if (!n->is_numeric) {
        const uint32_t value = (uint32_t)nw__rng_below(l->rng, n->cells);
        return (nw_query_term){ column, value, value + 1 };
    }
    const double x = draw_number(l);
    const double y = draw_number(l);
    const uint32_t high = some_codes_below(q, column, fmax(x, y));
    const uint32_t low = nw__queries_codes_below(q, column, fmin(x, y));
    return (nw_query_term){ column, low < high ? low : high - 1, high };
}

nw_status nw_queries_add_conjunctions(nw_queries *q, size_t count, unsigned terms, uint64_t seed, nw_error *err)
{
    lottery l;
    NW__TRY(check_family(q, count, terms, __func__, err));
    NW__TRY(lottery_make(&l, q, seed, __func__, err));
    const nw__queries_mark mark = nw__queries_mark_now(q);
    const size_t n = terms < q->columns ? terms : q->columns;
    size_t everywhere;
    size_t *all = columns_where(q, is_any, &everywhere);
    nw_status status = all == NULL ? nw__fail_memory(err, __func__) : NW_OK;
    for (size_t i = 0; status == NW_OK && i < count; i++) {
        nw_query_term list[NW__MOST_TERMS];
        draw_columns(&l, all, everywhere, n);
        for (size_t k = 0; k < n; k++)
            list[k] = draw_term(q, &l, l.order[k]);
        status = nw__queries_push_terms(q, list, n, NW__NO_COLUMN, __func__, err);
    }
    free(all);
    lottery_clear(&l);
    return nw__queries_note(q, mark, (nw__recipe){ NW__RECIPE_CONJUNCTIONS, count, terms, 0, seed }, status);
}

/* The largest |theta| that the exact sums have room for: 1024 columns of it stay below 2^9, in steps of 2^-44. */
static double theta_from(int64_t steps)
{
    const double most = ldexp(1.0, NW__THETA_BITS + 3);
    return ldexp(fmin(most, fmax(-most, (double)steps)), -NW__THETA_BITS);
}

nw_status nw_queries_add_halfspaces(nw_queries *q, size_t count, uint64_t seed, nw_error *err)
{
    lottery l;
    NW__TRY(check_family(q, count, 1, __func__, err));
    NW__TRY(lottery_make(&l, q, seed, __func__, err));
    const nw__queries_mark mark = nw__queries_mark_now(q);
    nw_noise *coordinate = NULL;
    nw_noise *bound = NULL;
    double *theta = nw__calloc(q->columns, sizeof *theta);
    int64_t *steps = nw__calloc(l.numeric_count + 1, sizeof *steps);
    nw_status status = theta == NULL || steps == NULL ? nw__fail_memory(err, __func__) : NW_OK;
    if (status == NW_OK && (l.numeric_count < 1 || l.numeric_count > MOST_HALFSPACE_COLUMNS))
        status = nw__fail(err, NW_E_ARG, __func__, "the schema has %zu numeric columns, half-spaces need 1..%d", l.numeric_count,
            MOST_HALFSPACE_COLUMNS);
    const double one = ldexp(1.0, NW__THETA_BITS);
    if (status == NW_OK)
        status = nw_noise_new(&coordinate, NW_NOISE_ROUNDED_GAUSSIAN, one / sqrt((double)l.numeric_count), err);
    if (status == NW_OK)
        status = nw_noise_new(&bound, NW_NOISE_ROUNDED_GAUSSIAN, one, err);
    for (size_t i = 0; status == NW_OK && i < count; i++) {
        const size_t label = draw_label(&l);
        status = nw_noise_fill(coordinate, l.rng, steps, l.numeric_count, err);
        if (status == NW_OK)
            status = nw_noise_fill(bound, l.rng, steps + l.numeric_count, 1, err);
        for (size_t k = 0; status == NW_OK && k < l.numeric_count; k++)
            theta[l.numeric[k]] = theta_from(steps[k]);
        if (status == NW_OK)
            status = nw__queries_push_halfspace(q, theta, theta_from(steps[l.numeric_count]), label, __func__, err);
    }
    nw_noise_free(coordinate);
    nw_noise_free(bound);
    free(theta);
    free(steps);
    lottery_clear(&l);
    return nw__queries_note(q, mark, (nw__recipe){ NW__RECIPE_HALFSPACES, count, 0, 0, seed }, status);
}
