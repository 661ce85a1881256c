/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bench_sampler.c [--json] [--quick] - noise values a second, and as ratios to yardsticks of the same run.
 *
 * Yardsticks: a Box-Muller transform in double fed by libsodium's ChaCha20 (insecure in its last bits, and what most software
 * does), timed in turn with each figure, so that a ratio holds on a machine that others use; numpy's standard_normal, where there
 * is a numpy; the CKS20 oracle. One thread is timed by its processor time and given by the median; more are timed by the clock
 * and given by the best run, as a thread that waits for a processor tells about others. --quick releases vectors of 1e7
 * coordinates, not 1e8. */
#include "cks20.h"
#include "kernels.h"

#include <math.h>
#include <omp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { N = 1 << 21, BOX_MULLER = 1 << 17, ORACLE = 1 << 15, CIPHER_BLOCKS = 1 << 14, REPEATS = 7, LAWS = 4, WORDS = 512 };

static const char *const law_names[LAWS] = { NULL, "rounded_gaussian", "discrete_gaussian", "discrete_laplace" };

typedef struct named_scale {
    const char *name;
    double value;
} named_scale;

static const named_scale scales[] = { { "1", 1.0 }, { "10", 10.0 }, { "1000", 1000.0 }, { "65536", 65536.0 }, { "1e6", 1e6 },
    { "2^40", 0x1p40 } };
enum { SCALES = sizeof scales / sizeof *scales };

/* What a figure is about; a work is done once a repeat. */
typedef struct work {
    nw_noise *noise;
    nw_rng *rng;
    int64_t *values;
    double *reals; /* the vector of a release on a grid */
    size_t n;
} work;

static bool is_json;
static bool is_first = true;
static double numpy_rate = NAN;

static double seconds(int threads)
{
    struct timespec t;
    clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, size_t n)
{
    qsort(x, n, sizeof *x, compare);
    return x[n / 2];
}

static void check(nw_status status, const nw_error *err)
{
    if (status == NW_OK)
        return;
    fprintf(stderr, "%s: %s\n", err->function, err->message);
    exit(1);
}

static void print_ratio(const char *name, double ratio)
{
    if (is_json && isnan(ratio))
        printf(", \"%s\": null", name);
    else if (is_json)
        printf(", \"%s\": %.3g", name, ratio);
    else if (!isnan(ratio))
        printf("  %s %.3g", name, ratio);
}

static void print_figure(const char *name, double value, const char *unit, double ratio_box_muller, double ratio_numpy)
{
    if (is_json)
        printf("%s\n  {\"name\": \"%s\", \"value\": %.4g, \"unit\": \"%s\"", is_first ? "[" : ",", name, value, unit);
    else
        printf("%-66s %7.1f M%s", name, value / 1e6, unit);
    print_ratio("ratio_boxmuller", ratio_box_muller);
    print_ratio("ratio_numpy", ratio_numpy);
    printf(is_json ? "}" : "\n");
    is_first = false;
    fflush(stdout);
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
    box_muller(out, BOX_MULLER);
    return BOX_MULLER / (seconds(1) - start);
}

/* Values a second of one work, and its ratio to the Box-Muller timed just before; medians of both. */
static void measure(const char *name, void (*run)(work *), work *w, int threads)
{
    double rates[REPEATS];
    double ratios[REPEATS];
    omp_set_num_threads(threads);
    run(w); /* touches every page and wakes the threads */
    for (int r = 0; r < REPEATS; r++) {
        const double yardstick = box_muller_rate();
        const double start = seconds(threads);
        run(w);
        rates[r] = (double)w->n / (seconds(threads) - start);
        ratios[r] = rates[r] / yardstick;
    }
    const double rate = median(rates, REPEATS);
    const double ratio = median(ratios, REPEATS);
    if (threads == 1)
        print_figure(name, rate, "samples/s", ratio, rate / numpy_rate);
    else /* both are sorted now */
        print_figure(name, rates[REPEATS - 1], "samples/s", ratios[REPEATS - 1], rates[REPEATS - 1] / numpy_rate);
}

static void run_fill(work *w)
{
    nw_error err;
    check(nw_noise_fill(w->noise, w->rng, w->values, w->n, &err), &err);
}

static void run_add_i64(work *w)
{
    nw_error err;
    check(nw_noise_add_i64(w->noise, w->rng, w->values, w->values, w->n, &err), &err);
}

static void run_add_f64_grid(work *w)
{
    nw_error err;
    const nw_grid grid = { -10 };
    check(nw_noise_add_f64_grid(w->noise, w->rng, grid, w->reals, -0x1p30, 0x1p30, w->reals, w->n, &err), &err);
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
    for (size_t i = 0; nw__kernels_at(i) != NULL; i++) {
        double rates[REPEATS];
        char name[64];
        if (!nw__kernels_can_run(nw__kernels_at(i)))
            continue;
        for (int r = 0; r < REPEATS; r++) {
            const double start = seconds(1);
            for (uint64_t block = 0; block < CIPHER_BLOCKS; block += 64)
                nw__kernels_at(i)->keystream(out, 64, 0, block, key);
            rates[r] = (double)CIPHER_BLOCKS * NW__CHACHA20_BLOCK / (seconds(1) - start);
        }
        snprintf(name, sizeof name, "chacha20/%s", i == 0 ? "libsodium" : nw__kernels_at(i)->name);
        print_figure(name, median(rates, REPEATS), "B/s", NAN, NAN);
    }
}

/* numpy's standard_normal by its processor time, values a second; NAN without a numpy. */
static double measure_numpy(void)
{
    static const char *const command =
        "python3 -c 'import time, numpy\n"
        "g = numpy.random.default_rng()\n"
        "def rate():\n"
        "    start = time.process_time(); g.standard_normal(1 << 20); return (1 << 20) / (time.process_time() - start)\n"
        "print(sorted(rate() for _ in range(9))[4])' 2>/dev/null";
    double rate = NAN;
    FILE *pipe = popen(command, "r");
    if (pipe == NULL)
        return NAN;
    if (fscanf(pipe, "%lf", &rate) != 1)
        rate = NAN;
    return pclose(pipe) == 0 ? rate : NAN;
}

static void measure_fill(work *w, nw_noise_law law, named_scale scale, bool is_simd)
{
    nw_error err;
    char name[96];
    check(nw_noise_new(&w->noise, law, scale.value, &err), &err);
    w->noise->kernels = is_simd ? nw__kernels_best() : &nw__kernels_plain;
    for (int threads = 1; threads <= 2; threads++) {
        snprintf(
            name, sizeof name, "%s/sigma=%s/%s/threads=%d", law_names[law], scale.name, is_simd ? "simd" : "scalar", threads);
        measure(name, run_fill, w, threads);
    }
    nw_noise_free(w->noise);
}

static void measure_oracle(work *w, nw_noise_law law, named_scale scale)
{
    nw_error err;
    char name[96];
    check(nw_noise_new(&w->noise, law, scale.value, &err), &err);
    w->n = ORACLE;
    snprintf(name, sizeof name, "%s/sigma=%s/cks20/threads=1", law_names[law], scale.name);
    check(nw__rng_begin(w->rng, &err), &err);
    measure(name, law == NW_NOISE_DISCRETE_LAPLACE ? run_laplace_oracle : run_gaussian_oracle, w, 1);
    nw_noise_free(w->noise);
    w->n = N;
}

/* Releases of a long vector in place: bound by memory, not by the sampler. */
static void measure_vectors(work *w, size_t d)
{
    nw_error err;
    char name[96];
    w->values = nw__calloc(d, sizeof *w->values); /* zeros read as either type */
    if (w->values == NULL) {
        fprintf(stderr, "bench-sampler: no memory for %zu coordinates\n", d);
        return;
    }
    w->reals = (double *)(void *)w->values;
    w->n = d;
    check(nw_noise_new(&w->noise, NW_NOISE_ROUNDED_GAUSSIAN, 1000.0, &err), &err);
    for (int threads = 1; threads <= 2; threads++) {
        for (int is_real = 0; is_real < 2; is_real++) {
            snprintf(name, sizeof name, "rounded_gaussian/sigma=1000/%s/d=%.0e/threads=%d", is_real ? "add_f64_grid" : "add_i64",
                (double)d, threads);
            memset(w->values, 0, d * sizeof *w->values);
            measure(name, is_real ? run_add_f64_grid : run_add_i64, w, threads);
        }
    }
    nw_noise_free(w->noise);
    free(w->values);
}

int main(int argc, char **argv)
{
    nw_error err;
    work w = { .n = N };
    bool is_quick = false;
    for (int i = 1; i < argc; i++) {
        is_json = is_json || strcmp(argv[i], "--json") == 0;
        is_quick = is_quick || strcmp(argv[i], "--quick") == 0;
    }
    check(nw_rng_new(&w.rng, &err), &err);
    w.values = nw__calloc(N, sizeof *w.values);
    if (w.values == NULL)
        return 1;
    numpy_rate = measure_numpy();
    if (!isnan(numpy_rate))
        print_figure("numpy/standard_normal/threads=1", numpy_rate, "samples/s", NAN, 1.0);
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
    measure_vectors(&w, is_quick ? 10000000 : 100000000);
    nw_rng_free(w.rng);
    printf(is_json ? "\n]\n" : "");
    return 0;
}
