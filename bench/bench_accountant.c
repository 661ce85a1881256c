/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bench_accountant.c - certified answers in milliseconds, beside one complex transform of 2^20 points in the same run: FFTW's
 * where the bench was built with it, GSL's otherwise, and numpy's where there is a numpy. Medians; memory is the peak of a
 * process that did that work alone, beside the bytes that transform works in. */
#include "figures.h"

#include <math.h>
#include <noisewright.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef NW_BENCH_FFTW
#include <fftw3.h>
#else
#include <gsl/gsl_fft_complex.h>
#endif

enum { RUNS = 9, YARDSTICK_POINTS = 1 << 20 };

static const nw_sensitivity UNIT_L2 = { 1.0, NW_ADD_REMOVE };
static size_t runs = RUNS;
static double fft_seconds;
static double numpy_seconds;

#ifdef NW_BENCH_FFTW
static void transform(void *context)
{
    fftw_execute(*(fftw_plan *)context);
}

static double time_transform(const char **name)
{
    fftw_complex *data = fftw_alloc_complex(YARDSTICK_POINTS);
    fftw_plan plan = fftw_plan_dft_1d(YARDSTICK_POINTS, data, data, FFTW_FORWARD, FFTW_ESTIMATE);
    for (size_t i = 0; i < YARDSTICK_POINTS; i++)
        data[i][0] = data[i][1] = cos((double)i);
    const double seconds = bench_median_seconds(CLOCK_MONOTONIC, transform, &plan, runs);
    fftw_destroy_plan(plan);
    fftw_free(data);
    *name = "fft/fftw/points=2^20";
    return seconds;
}
#else
static void transform(void *context)
{
    gsl_fft_complex_radix2_forward(context, 1, YARDSTICK_POINTS);
}

static double time_transform(const char **name)
{
    double *data = calloc(2 * (size_t)YARDSTICK_POINTS, sizeof *data);
    if (data == NULL)
        bench_fail(BENCH_INTERNAL, "events", "not enough memory");
    data[2] = 1.0;
    const double seconds = bench_median_seconds(CLOCK_MONOTONIC, transform, data, runs);
    free(data);
    *name = "fft/gsl/points=2^20";
    return seconds;
}
#endif

static nw_event *sampled(double q, double sigma, uint64_t steps)
{
    nw_error err;
    nw_event *base = NULL;
    nw_event *step = NULL;
    nw_event *all = NULL;
    bench_check(nw_event_gaussian(&base, sigma, UNIT_L2, &err), &err);
    bench_check(nw_event_poisson_subsampled(&step, q, base, &err), &err);
    bench_check(nw_event_repeat(&all, step, steps, &err), &err);
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
        bench_fail(BENCH_INTERNAL, "events", "not enough memory");
    for (size_t i = 0; i < n; i++)
        child[i] = make(i);
    bench_check(nw_event_composed(&all, (const nw_event *const *)child, n, &err), &err);
    for (size_t i = 0; i < n; i++)
        nw_event_free(child[i]);
    free(child);
    return all;
}

static nw_event *one_gaussian(size_t i)
{
    nw_error err;
    nw_event *e = NULL;
    bench_check(nw_event_gaussian(&e, 30.0 + 0.1 * (double)i, UNIT_L2, &err), &err);
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
    bench_check(nw_account_epsilon(j->event, NW_ADD_REMOVE, 1e-5, &opts, &j->bounds, &err), &err);
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
    bench_check(nw_calibrate(context, NW_CALIBRATE_LEAST, 0.3, 100.0, 2.0, 1e-5, NW_ADD_REMOVE, dpsgd_of, NULL, &err), &err);
}

static double peak_bytes(job *j)
{
    struct rusage usage;
    const pid_t child = fork();
    if (child == 0) {
        account(j);
        _exit(0);
    }
    if (child < 0 || wait4(child, NULL, 0, &usage) < 0)
        bench_fail(BENCH_INTERNAL, "peak memory", "the process failed");
    return 1024.0 * (double)usage.ru_maxrss;
}

static void print_time(const char *name, double seconds, const char *note)
{
    bench_print_noted(
        &(bench_figure){ name, seconds, "s", { { "fft", seconds / fft_seconds }, { "numpy_fft", seconds / numpy_seconds } } },
        note);
}

static void measure_yardsticks(void)
{
    const char *name = NULL;
    fft_seconds = time_transform(&name);
    numpy_seconds = bench_numpy("import time, numpy\n"
                                "x = numpy.exp(1j * numpy.arange(1 << 20))\n"
                                "def seconds():\n"
                                "    start = time.perf_counter(); numpy.fft.fft(x); return time.perf_counter() - start\n"
                                "print(sorted(seconds() for _ in range(9))[4])");
    print_time(name, fft_seconds, NULL);
    if (!isnan(numpy_seconds))
        print_time("fft/numpy/points=2^20", numpy_seconds, NULL);
}

static void measure(const char *what, nw_event *event, bool is_upper_only)
{
    char name[96];
    char note[96];
    job j = { .event = event, .is_upper_only = is_upper_only };
    const double seconds = bench_median_seconds(CLOCK_MONOTONIC, account, &j, runs);
    snprintf(name, sizeof name, "epsilon/%s/%s", what, is_upper_only ? "upper" : "both_ends");
    if (is_upper_only)
        snprintf(note, sizeof note, "epsilon <= %.6f (%s)", j.bounds.upper, j.bounds.method);
    else
        snprintf(note, sizeof note, "epsilon in [%.6f, %.6f] (%s)", j.bounds.lower, j.bounds.upper, j.bounds.method);
    print_time(name, seconds, note);
}

static void measure_memory(const char *what, nw_event *event)
{
    char name[96];
    job j = { .event = event };
    const double bytes = peak_bytes(&j);
    snprintf(name, sizeof name, "peak_memory/%s", what);
    bench_print(&(bench_figure){ name, bytes, "B", { { "fft", bytes / (2.0 * sizeof(double) * YARDSTICK_POINTS) } } });
}

static void measure_event(const char *what, nw_event *event)
{
    measure_memory(what, event); /* first: a process that has worked already keeps some memory */
    measure(what, event, true);
    measure(what, event, false);
    nw_event_free(event);
}

static void measure_calibration(void)
{
    char note[96];
    double sigma = 0.0;
    const double seconds = bench_median_seconds(CLOCK_MONOTONIC, calibrate, &sigma, runs);
    snprintf(note, sizeof note, "sigma = %.6f", sigma);
    print_time("calibrate/dpsgd/q=.01/T=1e4/epsilon=2", seconds, note);
}

int main(int argc, char **argv)
{
    const bench_options options = bench_begin(argc, argv, NULL, "Time of the accountant's answers, beside a Fourier transform.");
    runs = options.is_quick ? 1 : RUNS;
    measure_yardsticks();
    measure_event("dpsgd/q=.01/sigma=1/T=1e4", sampled(0.01, 1.0, 10000));
    measure_event("dpsgd/q=.01/sigma=1/T=1e6", sampled(0.01, 1.0, 1000000));
    measure_event("gaussians/different=1000", mix(1000, one_gaussian));
    measure_event(options.is_quick ? "subsampled_gaussians/different=5" : "subsampled_gaussians/different=100",
        mix(options.is_quick ? 5 : 100, one_sampled));
    measure_calibration();
    return bench_end();
}
