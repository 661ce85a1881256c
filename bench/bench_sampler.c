/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bench_sampler.c - noise values a second, and as ratios to yardsticks of the same run.
 *
 * Yardsticks: a Box-Muller transform in double fed by libsodium's ChaCha20 (insecure in its last bits, and what most software
 * does), timed in turn with each figure, so that a ratio holds on a machine that others use; numpy's standard_normal, where there
 * is a numpy; the CKS20 oracle. One thread is timed by its processor time and given by the median; more are timed by the clock
 * and given by the best run, as a thread that waits for a processor tells about others. */
#include "cks20.h"
#include "figures.h"
#include "kernels.h"
#include "sampler_timing.h"

#include <math.h>
#include <omp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BOX_MULLER = 1 << 17, MAX_REPEATS = 7, LAWS = 4, WORDS = 512 };

/* How much of everything; the second with --quick. */
static const struct sizes {
    size_t values;
    size_t oracle;
    size_t vector; /* coordinates of a release in place */
    size_t cipher_blocks;
    size_t box_muller;
    size_t repeats;
    size_t timed_steps;
} all_sizes[] = { { 1 << 21, 1 << 15, 100000000, 1 << 14, BOX_MULLER, MAX_REPEATS, 200000 },
    { 1 << 13, 1 << 7, 1 << 14, 1 << 6, 1 << 10, 1, 500 } };
static const struct sizes *sizes = all_sizes;

static const char *const law_names[LAWS] = { NULL, "rounded_gaussian", "discrete_gaussian", "discrete_laplace" };

typedef struct named_scale {
    const char *name;
    double value;
} named_scale;

static const named_scale scales[] = { { "1", 1.0 }, { "10", 10.0 }, { "1000", 1000.0 }, { "65536", 65536.0 }, { "1e6", 1e6 },
    { "2^40", 0x1p40 }, { "2^54", 0x1p54 } };
enum { SCALES = sizeof scales / sizeof *scales };

/* What a figure is about; a work is done once a repeat. */
typedef struct work {
    nw_noise *noise;
    nw_rng *rng;
    int64_t *values;
    double *reals; /* the vector of a release on a grid */
    size_t n;
} work;

static double numpy_rate = NAN;

/* One thread by its processor time, several by the clock. */
static double seconds(int threads)
{
    return bench_seconds(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC);
}

/* `one_thread`: the rate of the same work on one thread, 0 if this is it. */
static void print_rate(const char *name, double rate, double ratio_box_muller, double one_thread)
{
    bench_print(&(bench_figure){ name, rate, "samples/s",
        { { "boxmuller", ratio_box_muller }, { "numpy", rate / numpy_rate },
            { one_thread > 0.0 ? "one_thread" : NULL, rate / one_thread } } });
}

/* Normal values from 8 bytes of libsodium's ChaCha20 each. */
static void box_muller(double *out, size_t n)
{
    static const uint8_t key[32] = { 1 };
    static const double tau = 6.283185307179586;
    uint64_t words[WORDS];
    for (size_t i = 0; i < n; i += WORDS) {
        uint8_t nonce[8] = { 0 };
        memcpy(nonce, &i, sizeof i < sizeof nonce ? sizeof i : sizeof nonce);
        crypto_stream_chacha20((uint8_t *)words, sizeof words, nonce, key);
        for (size_t j = 0; j < WORDS; j += 2) {
            const double radius = sqrt(-2.0 * log(((double)(words[j] >> 11) + 0.5) * 0x1p-53));
            const double angle = tau * (double)(words[j + 1] >> 11) * 0x1p-53;
            out[i + j] = radius * cos(angle);
            out[i + j + 1] = radius * sin(angle);
        }
    }
}

static double box_muller_rate(void)
{
    static double out[BOX_MULLER];
    const double start = seconds(1);
    box_muller(out, sizes->box_muller);
    return (double)sizes->box_muller / (seconds(1) - start);
}

/* Values per CPU second of all threads together: what several threads would give each, had each a processor to itself. */
static void print_rate_per_cpu(const char *name, void (*run)(work *), work *w, double one_thread)
{
    char longer[128];
    double rates[MAX_REPEATS];
    for (size_t r = 0; r < sizes->repeats; r++) {
        const double start = bench_seconds(CLOCK_PROCESS_CPUTIME_ID);
        run(w);
        rates[r] = (double)w->n / (bench_seconds(CLOCK_PROCESS_CPUTIME_ID) - start);
    }
    snprintf(longer, sizeof longer, "%s/per_cpu", name);
    const double rate = bench_median(rates, sizes->repeats);
    bench_print(&(bench_figure){ longer, rate, "samples/s", { { "one_thread", rate / one_thread } } });
}

/* Values a second of one work, and its ratio to the Box-Muller timed just before. */
static double measure(const char *name, void (*run)(work *), work *w, int threads, double one_thread)
{
    double rates[MAX_REPEATS];
    double ratios[MAX_REPEATS];
    const size_t last = sizes->repeats - 1;
    omp_set_num_threads(threads);
    run(w); /* touches every page and wakes the threads */
    for (size_t r = 0; r < sizes->repeats; r++) {
        const double yardstick = box_muller_rate();
        const double start = seconds(threads);
        run(w);
        rates[r] = (double)w->n / (seconds(threads) - start);
        ratios[r] = rates[r] / yardstick;
    }
    if (threads > 1)
        print_rate_per_cpu(name, run, w, one_thread);
    const double middle = bench_median(rates, sizes->repeats); /* which sorts */
    const double middle_ratio = bench_median(ratios, sizes->repeats);
    const double rate = threads == 1 ? middle : rates[last];
    print_rate(name, rate, threads == 1 ? middle_ratio : ratios[last], one_thread);
    return rates[last];
}

static void run_fill(work *w)
{
    nw_error err;
    bench_check(nw_noise_fill(w->noise, w->rng, w->values, w->n, &err), &err);
}

static void run_add_i64(work *w)
{
    nw_error err;
    bench_check(nw_noise_add_i64(w->noise, w->rng, w->values, w->values, w->n, &err), &err);
}

static void run_add_f64_grid(work *w)
{
    nw_error err;
    const nw_grid grid = { -10 };
    bench_check(nw_noise_add_f64_grid(w->noise, w->rng, grid, w->reals, -0x1p30, 0x1p30, w->reals, w->n, &err), &err);
}

static void run_gaussian_oracle(work *w)
{
    const uint64_t sigma = (uint64_t)nw_noise_get_scale(w->noise);
    for (size_t i = 0; i < w->n; i++)
        w->values[i] = nw__cks20_gaussian(w->rng, sigma * sigma, 1);
}

static void run_laplace_oracle(work *w)
{
    for (size_t i = 0; i < w->n; i++)
        w->values[i] = nw__cks20_laplace(w->rng, (uint64_t)nw_noise_get_scale(w->noise), 1);
}

/* Bytes a second of each set's ChaCha20 that can run here. */
static void measure_ciphers(uint8_t *out)
{
    static const uint8_t key[32] = { 1 };
    double libsodium = NAN;
    for (size_t i = 0; nw__kernels_at(i) != NULL; i++) {
        double rates[MAX_REPEATS];
        char name[64];
        if (!nw__kernels_can_run(nw__kernels_at(i)))
            continue;
        for (size_t r = 0; r < sizes->repeats; r++) {
            const double start = seconds(1);
            for (uint64_t block = 0; block < sizes->cipher_blocks; block += 64)
                nw__kernels_at(i)->keystream(out, 64, 0, block, key);
            rates[r] = (double)sizes->cipher_blocks * NW__CHACHA20_BLOCK / (seconds(1) - start);
        }
        snprintf(name, sizeof name, "chacha20/%s", i == 0 ? "libsodium" : nw__kernels_at(i)->name);
        const double rate = bench_median(rates, sizes->repeats);
        if (i == 0)
            libsodium = rate;
        bench_print(&(bench_figure){ name, rate, "B/s", { { "libsodium", rate / libsodium } } });
    }
}

/* numpy's standard_normal by its processor time, values a second; NAN without a numpy. */
static double measure_numpy(void)
{
    return bench_numpy(
        "import time, numpy\n"
        "g = numpy.random.default_rng()\n"
        "def rate():\n"
        "    start = time.process_time(); g.standard_normal(1 << 20); return (1 << 20) / (time.process_time() - start)\n"
        "print(sorted(rate() for _ in range(9))[4])");
}

static void measure_fill(work *w, nw_noise_law law, named_scale scale, bool is_simd)
{
    nw_error err;
    char name[96];
    bench_check(nw_noise_new(&w->noise, law, scale.value, &err), &err);
    double one_thread = 0.0;
    w->noise->kernels = is_simd ? nw__kernels_best() : &nw__kernels_plain;
    for (int threads = 1; threads <= 2; threads++) {
        snprintf(
            name, sizeof name, "%s/sigma=%s/%s/threads=%d", law_names[law], scale.name, is_simd ? "simd" : "scalar", threads);
        one_thread = measure(name, run_fill, w, threads, one_thread);
    }
    nw_noise_free(w->noise);
}

static void measure_oracle(work *w, nw_noise_law law, named_scale scale)
{
    nw_error err;
    char name[96];
    bench_check(nw_noise_new(&w->noise, law, scale.value, &err), &err);
    w->n = sizes->oracle;
    snprintf(name, sizeof name, "%s/sigma=%s/cks20/threads=1", law_names[law], scale.name);
    bench_check(nw__rng_begin(w->rng, &err), &err);
    measure(name, law == NW_NOISE_DISCRETE_LAPLACE ? run_laplace_oracle : run_gaussian_oracle, w, 1, 0.0);
    nw_noise_free(w->noise);
    w->n = sizes->values;
}

/* Releases of a long vector in place: bound by memory, not by the sampler. */
static void measure_vectors(work *w, size_t d)
{
    double one_thread[2] = { 0.0 };
    nw_error err;
    char name[96];
    w->values = nw__calloc(d, sizeof *w->values); /* zeros read as either type */
    if (w->values == NULL)
        bench_fail(BENCH_INTERNAL, "long vector", "not enough memory");
    w->reals = (double *)(void *)w->values;
    w->n = d;
    bench_check(nw_noise_new(&w->noise, NW_NOISE_ROUNDED_GAUSSIAN, 1000.0, &err), &err);
    for (int threads = 1; threads <= 2; threads++) {
        for (int is_real = 0; is_real < 2; is_real++) {
            snprintf(name, sizeof name, "rounded_gaussian/sigma=1000/%s/d=%.0e/threads=%d", is_real ? "add_f64_grid" : "add_i64",
                (double)d, threads);
            memset(w->values, 0, d * sizeof *w->values);
            one_thread[is_real] = measure(name, is_real ? run_add_f64_grid : run_add_i64, w, threads, one_thread[is_real]);
        }
    }
    nw_noise_free(w->noise);
    free(w->values);
}

int main(int argc, char **argv)
{
    nw_error err;
    const bench_options options = bench_begin(argc, argv, NULL, "Speed of the noise sampler, law by law.");
    sizes = &all_sizes[options.is_quick];
    work w = { .n = sizes->values };
    bench_check(nw_rng_new(&w.rng, &err), &err);
    w.values = nw__calloc(w.n, sizeof *w.values);
    if (w.values == NULL)
        bench_fail(BENCH_INTERNAL, "vector", "not enough memory");
    numpy_rate = measure_numpy();
    if (!isnan(numpy_rate))
        print_rate("numpy/standard_normal/threads=1", numpy_rate, numpy_rate / box_muller_rate(), 0.0);
    measure_ciphers((uint8_t *)w.values);
    for (nw_noise_law law = NW_NOISE_ROUNDED_GAUSSIAN; law <= NW_NOISE_DISCRETE_LAPLACE; law++) {
        for (size_t i = 0; i < SCALES; i++) {
            if (nw__kernels_best() != &nw__kernels_plain)
                measure_fill(&w, law, scales[i], true);
            measure_fill(&w, law, scales[i], false);
            if (law != NW_NOISE_ROUNDED_GAUSSIAN && scales[i].value <= 1e6)
                measure_oracle(&w, law, scales[i]);
        }
    }
    free(w.values);
    measure_timing(w.rng, sizes->timed_steps);
    measure_vectors(&w, sizes->vector);
    nw_rng_free(w.rng);
    return bench_end();
}
