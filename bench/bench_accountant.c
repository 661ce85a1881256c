/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bench_accountant.c - certified answers in milliseconds, beside one complex transform of 2^20 points in the same run: FFTW's
 * where the bench was built with it, GSL's otherwise. The median of RUNS; memory is the peak of a process that did that work
 * alone. */
#include <math.h>
#include <noisewright.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef NW_BENCH_FFTW
#include <fftw3.h>
#else
#include <gsl/gsl_fft_complex.h>
#endif

enum { RUNS = 9, YARDSTICK_POINTS = 1 << 20 };

static const nw_sensitivity UNIT_L2 = { 1.0, NW_ADD_REMOVE };

static double wall_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check(nw_status status, const nw_error *err)
{
    if (status == NW_OK)
        return;
    fprintf(stderr, "bench_accountant: %s\n", err->message);
    exit(1);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(void (*work)(void *), void *context)
{
    double seconds[RUNS];
    for (int i = 0; i < RUNS; i++) {
        const double start = wall_seconds();
        work(context);
        seconds[i] = wall_seconds() - start;
    }
    qsort(seconds, RUNS, sizeof *seconds, by_size);
    return seconds[RUNS / 2];
}

#ifdef NW_BENCH_FFTW
static void transform(void *context)
{
    fftw_execute(*(fftw_plan *)context);
}

static double yardstick(const char **name)
{
    fftw_complex *data = fftw_alloc_complex(YARDSTICK_POINTS);
    fftw_plan plan = fftw_plan_dft_1d(YARDSTICK_POINTS, data, data, FFTW_FORWARD, FFTW_ESTIMATE);
    for (size_t i = 0; i < YARDSTICK_POINTS; i++)
        data[i][0] = data[i][1] = cos((double)i);
    const double seconds = median_of(transform, &plan);
    fftw_destroy_plan(plan);
    fftw_free(data);
    *name = "FFTW";
    return seconds;
}
#else
static void transform(void *context)
{
    gsl_fft_complex_radix2_forward(context, 1, YARDSTICK_POINTS);
}

static double yardstick(const char **name)
{
    double *data = calloc(2 * (size_t)YARDSTICK_POINTS, sizeof *data);
    if (data == NULL)
        exit(1);
    data[2] = 1.0;
    const double seconds = median_of(transform, data);
    free(data);
    *name = "GSL";
    return seconds;
}
#endif

static nw_event *sampled(double q, double sigma, uint64_t steps)
{
    nw_error err;
    nw_event *base = NULL;
    nw_event *step = NULL;
    nw_event *all = NULL;
    check(nw_event_gaussian(&base, sigma, UNIT_L2, &err), &err);
    check(nw_event_poisson_subsampled(&step, q, base, &err), &err);
    check(nw_event_repeat(&all, step, steps, &err), &err);
    nw_event_free(base);
    nw_event_free(step);
    return all;
}

/* All different: each child from `make`. */
static nw_event *mix(size_t n, nw_event *(*make)(size_t i))
{
    nw_error err;
    nw_event *all = NULL;
    nw_event **child = calloc(n, sizeof(nw_event *));
    if (child == NULL)
        exit(1);
    for (size_t i = 0; i < n; i++)
        child[i] = make(i);
    check(nw_event_composed(&all, (const nw_event *const *)child, n, &err), &err);
    for (size_t i = 0; i < n; i++)
        nw_event_free(child[i]);
    free(child);
    return all;
}

static nw_event *one_gaussian(size_t i)
{
    nw_error err;
    nw_event *e = NULL;
    check(nw_event_gaussian(&e, 30.0 + 0.1 * (double)i, UNIT_L2, &err), &err);
    return e;
}

static nw_event *one_sampled(size_t i)
{
    return sampled(0.005 + 1e-4 * (double)i, 1.0 + 0.01 * (double)i, 100);
}

typedef struct job {
    nw_event *event;
    bool is_upper_only;
    nw_bounds bounds;
} job;

static void account(void *context)
{
    job *j = context;
    nw_error err;
    nw_account_opts opts = NW_ACCOUNT_OPTS_INIT;
    opts.is_upper_only = j->is_upper_only;
    check(nw_account_epsilon(j->event, NW_ADD_REMOVE, 1e-5, &opts, &j->bounds, &err), &err);
}

static nw_status dpsgd_of(nw_event **out, double sigma, const void *context, nw_error *err)
{
    (void)context;
    (void)err;
    *out = sampled(0.01, sigma, 10000);
    return NW_OK;
}

static void calibrate(void *context)
{
    nw_error err;
    check(nw_calibrate(context, NW_CALIBRATE_LEAST, 0.3, 100.0, 2.0, 1e-5, NW_ADD_REMOVE, dpsgd_of, NULL, &err), &err);
}

static double peak_mebibytes(job *j)
{
    struct rusage usage;
    const pid_t child = fork();
    if (child == 0) {
        account(j);
        _exit(0);
    }
    if (child < 0 || wait4(child, NULL, 0, &usage) < 0)
        exit(1);
    return (double)usage.ru_maxrss / 1024.0;
}

static void report(const char *what, double seconds, double unit, const char *note)
{
    printf("%-58s %9.2f ms %8.3f x  %s\n", what, 1e3 * seconds, seconds / unit, note);
}

static void bench(const char *what, nw_event *event, bool is_upper_only, double unit)
{
    char note[96];
    job j = { .event = event, .is_upper_only = is_upper_only };
    const double seconds = median_of(account, &j);
    if (is_upper_only)
        snprintf(note, sizeof note, "epsilon <= %.6f (%s)", j.bounds.upper, j.bounds.method);
    else
        snprintf(note, sizeof note, "epsilon in [%.6f, %.6f] (%s)", j.bounds.lower, j.bounds.upper, j.bounds.method);
    report(what, seconds, unit, note);
}

int main(void)
{
    const char *name = NULL;
    char note[96];
    const double unit = yardstick(&name);
    printf("one complex transform of 2^20 points (%s): %.2f ms\n", name, 1e3 * unit);
    nw_event *dpsgd = sampled(0.01, 1.0, 10000);
    nw_event *longer = sampled(0.01, 1.0, 1000000);
    nw_event *gaussians = mix(1000, one_gaussian);
    nw_event *several = mix(100, one_sampled);
    bench("DP-SGD q = .01, sigma = 1, T = 1e4: upper end", dpsgd, true, unit);
    bench("DP-SGD q = .01, sigma = 1, T = 1e4: both ends", dpsgd, false, unit);
    bench("DP-SGD q = .01, sigma = 1, T = 1e6: upper end", longer, true, unit);
    bench("DP-SGD q = .01, sigma = 1, T = 1e6: both ends", longer, false, unit);
    bench("1000 different Gaussians: both ends", gaussians, false, unit);
    bench("100 different subsampled Gaussians: upper end", several, true, unit);
    bench("100 different subsampled Gaussians: both ends", several, false, unit);
    double sigma = 0.0;
    const double seconds = median_of(calibrate, &sigma);
    snprintf(note, sizeof note, "sigma = %.6f", sigma);
    report("DP-SGD q = .01, T = 1e4: sigma for (2, 1e-5)", seconds, unit, note);
    job jobs[] = { { .event = dpsgd }, { .event = longer }, { .event = several } };
    printf("peak memory, MiB: T = 1e4 %.0f, T = 1e6 %.0f, 100 different %.0f\n", peak_mebibytes(&jobs[0]),
        peak_mebibytes(&jobs[1]), peak_mebibytes(&jobs[2]));
    nw_event_free(dpsgd);
    nw_event_free(longer);
    nw_event_free(gaussians);
    nw_event_free(several);
    return 0;
}
