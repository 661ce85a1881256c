/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bench_kde.c - speed of the similarity room: random features against the plain way, a dense product and libm's cosine and sine
 * of the same number of frequencies, in the same run; look-ups in the tables of l1; building. Times are CPU seconds of one
 * thread, but for the ratio of two threads. */
#include "figures.h"

#include <noisewright.h>
#include <nw/testing.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAIRS = 1024, BUILD_PAIRS = 1600, REPEATS = 5 };

/* For coordinates, where any spread will do. */
static float next_float(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (float)(*state >> 40) * 0x1p-24F;
}

static float *make_points(size_t n, size_t d)
{
    uint64_t state = 1;
    float *x = bench_need(malloc(n * d * sizeof *x));
    for (size_t i = 0; i < n * d; i++)
        x[i] = next_float(&state);
    return x;
}

static nw_kde *make(nw_kde_kernel kernel, nw_kde_estimator estimator, size_t d, size_t size, unsigned threads)
{
    nw_error err;
    nw_kde *kde = NULL;
    nw_kde_opts o = NW_KDE_OPTS_INIT;
    double *bounds = bench_need(calloc(2 * d, sizeof *bounds));
    for (size_t j = 0; j < d; j++)
        bounds[d + j] = 1.0;
    o.kernel = kernel;
    o.estimator = estimator;
    o.dimension = d;
    o.size = size;
    o.bandwidth = 4.0;
    o.lower = bounds;
    o.upper = bounds + d;
    o.epsilon = 1.0;
    o.delta = 1e-6;
    o.adjacency = NW_ADD_REMOVE;
    o.threads = threads;
    bench_check(nw_kde_new(&kde, &o, &err), &err);
    free(bounds);
    return kde;
}

static void release(nw_kde *kde)
{
    nw_error err;
    nw_rng *rng = NULL;
    nw_ledger *ledger = NULL;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    lo.delta = 1e-6;
    lo.adjacency = NW_ADD_REMOVE;
    bench_check(nw_rng_new_insecure_seeded(&rng, 1, &err), &err);
    bench_check(nw_ledger_unlimited(&ledger, &lo, &err), &err);
    bench_check(nw_kde_release(kde, rng, ledger, "bench", NULL, &err), &err);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
}

/* ---- queries ---- */

typedef struct query_work {
    const nw_kde *kde;
    const float *y;
    size_t n;
    size_t at_once;
    double *values;
} query_work;

static void run_queries(void *context)
{
    const query_work *w = context;
    nw_error err;
    const size_t d = nw_kde_get_opts(w->kde).dimension;
    for (size_t i = 0; i < w->n; i += w->at_once)
        bench_check(nw_kde_query(w->kde, w->y + i * d, w->at_once, w->values + i, NULL, &err), &err);
}

typedef struct plain_work {
    const float *frequencies; /* [d][pairs] */
    const float *y;
    size_t d;
    size_t n;
    double *values;
} plain_work;

static void run_plain(void *context)
{
    const plain_work *w = context;
    float phases[PAIRS];
    for (size_t q = 0; q < w->n; q++) {
        for (size_t i = 0; i < PAIRS; i++)
            phases[i] = 0.0F;
        for (size_t j = 0; j < w->d; j++)
            for (size_t i = 0; i < PAIRS; i++)
                phases[i] += w->y[q * w->d + j] * w->frequencies[j * PAIRS + i];
        double sum = 0.0;
        for (size_t i = 0; i < PAIRS; i++)
            sum += (double)(cosf(phases[i]) + sinf(phases[i]));
        w->values[q] = sum;
    }
}

static void print_query(const char *form, size_t d, double seconds, double plain)
{
    char name[64];
    snprintf(name, sizeof name, "query/%s/d=%zu/pairs=%d", form, d, PAIRS);
    bench_print(&(bench_figure){ name, seconds, "s", { { "plain", seconds / plain } } });
}

static void measure_queries(nw_kde_estimator estimator, const char *form, size_t d, size_t n)
{
    nw_kde *kde = make(NW_KDE_GAUSSIAN, estimator, d, PAIRS, 1);
    float *y = make_points(n, d), *frequencies = make_points(PAIRS, d);
    double *values = bench_need(malloc(n * sizeof *values));
    char single[32];
    release(kde);
    query_work batch = { kde, y, n, n, values }, alone = { kde, y, n, 1, values };
    plain_work plain = { frequencies, y, d, n, values };
    const double count = (double)n;
    const double yardstick = bench_median_seconds(CLOCK_THREAD_CPUTIME_ID, run_plain, &plain, REPEATS) / count;
    print_query(form, d, bench_median_seconds(CLOCK_THREAD_CPUTIME_ID, run_queries, &batch, REPEATS) / count, yardstick);
    snprintf(single, sizeof single, "%s-alone", form);
    print_query(single, d, bench_median_seconds(CLOCK_THREAD_CPUTIME_ID, run_queries, &alone, REPEATS) / count, yardstick);
    nw_kde_free(kde);
    free(y);
    free(frequencies);
    free(values);
}

/* What one private point would take: |x - y|_1 in double. */
static void run_one_point(void *context)
{
    const plain_work *w = context;
    for (size_t q = 0; q < w->n; q++) {
        double sum = 0.0;
        for (size_t j = 0; j < w->d; j++)
            sum += fabs((double)w->y[q * w->d + j] - (double)w->frequencies[j]);
        w->values[q] = sum;
    }
}

/* Seconds a coordinate of a look-up in the tables of l1, beside those of one point's distance. */
static void measure_table(size_t d, size_t n)
{
    nw_kde *kde = make(NW_KDE_L1, NW_KDE_TABLE, d, 0, 1);
    float *y = make_points(n, d);
    double *values = bench_need(malloc(n * sizeof *values));
    char name[64];
    release(kde);
    query_work batch = { kde, y, n, n, values };
    const double seconds = bench_median_seconds(CLOCK_THREAD_CPUTIME_ID, run_queries, &batch, REPEATS) / (double)(n * d);
    plain_work plain = { y, y, d, n, values };
    const double point = bench_median_seconds(CLOCK_THREAD_CPUTIME_ID, run_one_point, &plain, REPEATS) / (double)(n * d);
    query_work alone = { kde, y, n, 1, values };
    const double single = bench_median_seconds(CLOCK_THREAD_CPUTIME_ID, run_queries, &alone, REPEATS) / (double)(n * d);
    snprintf(name, sizeof name, "query/l1/d=%zu/coordinate", d);
    bench_print(&(bench_figure){ name, seconds, "s", { { "one_point", seconds / point } } });
    snprintf(name, sizeof name, "query/l1-alone/d=%zu/coordinate", d);
    bench_print(&(bench_figure){ name, single, "s", { { "batch", single / seconds } } });
    nw_kde_free(kde);
    free(y);
    free(values);
}

/* ---- building ---- */

static double build_seconds(const float *x, size_t n, size_t d, unsigned threads)
{
    nw_error err;
    nw_kde *kde = make(NW_KDE_GAUSSIAN, NW_KDE_HADAMARD, d, BUILD_PAIRS, threads);
    const double start = bench_seconds(CLOCK_MONOTONIC);
    bench_check(nw_kde_add(kde, x, n, &err), &err);
    const double seconds = bench_seconds(CLOCK_MONOTONIC) - start;
    nw_kde_free(kde);
    return seconds;
}

static void measure_build(size_t n, size_t d)
{
    float *x = make_points(n, d);
    char name[64];
    const double one = build_seconds(x, n, d, 1);
    const double two = build_seconds(x, n, d, 2);
    snprintf(name, sizeof name, "build/hadamard/d=%zu/pairs=%d/points=%zu", d, BUILD_PAIRS, n);
    bench_print(&(bench_figure){ name, one, "s", { { "two_threads", one / two } } });
    free(x);
}

int main(int argc, char **argv)
{
    const bench_options options = bench_begin(argc, argv, NULL, "speed of similarity structures: queries and building");
    const size_t n = options.is_quick ? 64 : 4096;
    measure_queries(NW_KDE_HADAMARD, "hadamard", 784, n);
    measure_queries(NW_KDE_HADAMARD, "hadamard", 50, n);
    measure_queries(NW_KDE_FEATURES, "features", 50, n);
    measure_table(64, n);
    measure_build(options.is_quick ? 500 : 60000, 784);
    return bench_end();
}
