/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* sampler_timing.c - see sampler_timing.h. Times above their 99th percentile count as that, so that an interrupt does not drown
 * what is looked for. */
#include "sampler_timing.h"

#include "cks20.h"
#include "figures.h"

#include <math.h>
#include <nw/noise.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEP = 1024 };

typedef struct series {
    size_t n;
    double *times;
    double *values; /* sizes of single values */
    double *means;  /* mean sizes of steps */
    double *sorted;
} series;

static void clip_times(series *s)
{
    memcpy(s->sorted, s->times, s->n * sizeof *s->times);
    bench_median(s->sorted, s->n); /* which sorts */
    const double highest = s->sorted[s->n - 1 - s->n / 100];
    for (size_t i = 0; i < s->n; i++)
        s->times[i] = fmin(s->times[i], highest);
}

static double mean(const double *x, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

/* Pearson's, without its sign. */
static double correlation(const double *x, const double *y, size_t n)
{
    const double mean_x = mean(x, n);
    const double mean_y = mean(y, n);
    double xx = 0.0;
    double yy = 0.0;
    double xy = 0.0;
    for (size_t i = 0; i < n; i++) {
        xx += (x[i] - mean_x) * (x[i] - mean_x);
        yy += (y[i] - mean_y) * (y[i] - mean_y);
        xy += (x[i] - mean_x) * (y[i] - mean_y);
    }
    return fabs(xy) / sqrt(xx * yy);
}

/* The positive control: the plain sampler, a value at a time. */
static double time_oracle(series *s, nw_rng *rng, nw_noise_law law, double scale)
{
    const uint64_t t = (uint64_t)scale;
    for (size_t i = 0; i < s->n; i++) {
        const double start = bench_seconds(CLOCK_MONOTONIC);
        const int64_t z = law == NW_NOISE_DISCRETE_LAPLACE ? nw__cks20_laplace(rng, t, 1) : nw__cks20_gaussian(rng, t * t, 1);
        s->times[i] = bench_seconds(CLOCK_MONOTONIC) - start;
        s->values[i] = fabs((double)z);
    }
    clip_times(s);
    return correlation(s->times, s->values, s->n);
}

static void time_steps(series *s, nw_rng *rng, nw_noise_law law, double scale)
{
    nw_error err;
    nw_noise *noise = NULL;
    int64_t z[STEP];
    bench_check(nw_noise_new(&noise, law, scale, &err), &err);
    for (size_t i = 0; i < s->n; i++) {
        const double start = bench_seconds(CLOCK_MONOTONIC);
        const nw_status status = nw_noise_fill(noise, rng, z, STEP, &err);
        s->times[i] = bench_seconds(CLOCK_MONOTONIC) - start;
        bench_check(status, &err);
        double sum = 0.0;
        for (size_t j = 0; j < STEP; j++)
            sum += fabs((double)z[j]);
        s->values[i] = fabs((double)z[i % STEP]);
        s->means[i] = sum / STEP;
    }
    clip_times(s);
    nw_noise_free(noise);
}

static void print_correlation(const char *law, const char *scale, const char *what, double r, double oracle)
{
    char name[96];
    snprintf(name, sizeof name, "timing_correlation/%s/sigma=%s/%s", law, scale, what);
    bench_print(&(bench_figure){ name, r, "correlation", { { "cks20", r / oracle } } });
}

static void measure_law(series *s, nw_rng *rng, const char *name, nw_noise_law law)
{
    static const struct scale {
        const char *name;
        double value;
    } scales[] = { { "1", 1.0 }, { "1000", 1000.0 }, { "2^40", 0x1p40 } };
    const double control_scale = 1000.0;
    /* rounding is not what the time tells of, so the rounded Gaussian's control is the discrete one */
    const double oracle = time_oracle(s, rng, law, control_scale);
    print_correlation(name, "1000", "cks20", oracle, oracle);
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        time_steps(s, rng, law, scales[i].value);
        print_correlation(name, scales[i].name, "value", correlation(s->times, s->values, s->n), oracle);
        print_correlation(name, scales[i].name, "step_mean", correlation(s->times, s->means, s->n), oracle);
    }
}

void measure_timing(nw_rng *rng, size_t steps)
{
    double *numbers = malloc(4 * steps * sizeof *numbers);
    if (numbers == NULL)
        bench_fail(BENCH_INTERNAL, "timing", "not enough memory");
    series s = { steps, numbers, numbers + steps, numbers + 2 * steps, numbers + 3 * steps };
    measure_law(&s, rng, "rounded_gaussian", NW_NOISE_ROUNDED_GAUSSIAN);
    measure_law(&s, rng, "discrete_gaussian", NW_NOISE_DISCRETE_GAUSSIAN);
    measure_law(&s, rng, "discrete_laplace", NW_NOISE_DISCRETE_LAPLACE);
    free(numbers);
}
