/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bench_dpsgd.c - what privacy costs a step of training: time and memory of nw_network_step_batch against nw_network_plain_step
 * of the same network, batch and run, on one thread; and the plain step against the peak of the BLAS. Times are CPU seconds, the
 * least of several steps that take turns, as others may use the machine as well. */
#include "blas.h"
#include "figures.h"

#include <nw/network.h>
#include <nw/optimizer.h>
#include <nw/testing.h>

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct bench_case {
    const char *name;
    const char *model;
    size_t batch;
    double kept; /* share of the memory that is for gradients of single records, kept from norms to sums */
} bench_case;

#define LINEAR(n) "{\"type\": \"linear\", \"outputs\": " #n "}"
#define RELU "{\"type\": \"relu\"}"
#define BLOCK                                                                                                                    \
    "{\"type\": \"residual\", \"layers\": [{\"type\": \"layernorm\"}, {\"type\": \"attention\", \"heads\": 4}]}, "               \
    "{\"type\": \"residual\", \"layers\": [{\"type\": \"layernorm\"}, " LINEAR(1024) ", {\"type\": \"gelu\"}, " LINEAR(256) "]}"

static const bench_case CASES[] = {
    { "mlp",
        "{\"input\": {\"floats\": 784}, \"loss\": \"softmax\", \"layers\": [" LINEAR(1024) ", " RELU ", " LINEAR(
            1024) ", " RELU ", " LINEAR(10) "]}",
        256, 0.0 },
    { "linear256",
        "{\"input\": {\"sequence\": [128, 256]}, \"loss\": \"softmax\", \"layers\": [" LINEAR(256) ", " LINEAR(256) ", " LINEAR(
            256) ", " LINEAR(256) ", " LINEAR(256) ", " LINEAR(256) ", {\"type\": \"mean\"}]}",
        32, 0.6 },
    { "linear768",
        "{\"input\": {\"sequence\": [128, 768]}, \"loss\": \"softmax\", \"layers\": [" LINEAR(768) ", " RELU ", " LINEAR(
            768) ", " RELU ", " LINEAR(3072) ", " RELU ", " LINEAR(768) ", {\"type\": \"mean\"}]}",
        8, 0.0 },
    { "transformer",
        "{\"input\": {\"sequence\": [128, 256]}, \"loss\": \"softmax\", \"layers\": [" BLOCK ", " BLOCK
        ", {\"type\": \"mean\"}, " LINEAR(10) "]}",
        32, 0.4 },
};
/* The network of [MS23], whose differences of gradients a round of DIFF2 sums. */
static const bench_case DIFFERENCES = { "softplus10",
    "{\"input\": {\"floats\": 8}, \"loss\": \"squared\", \"layers\": [" LINEAR(10) ", {\"type\": \"softplus\"}, " LINEAR(1) "]}",
    16346, 0.0 };

typedef struct trainer {
    nw_network *net;
    nw_dpsgd *dpsgd; /* NULL: plain */
    nw_optimizer *optimizer;
    nw_rng *rng;
    double deviation;
} trainer;

typedef struct work {
    const bench_case *given;
    nw_network_data data;
    size_t records;
    size_t plain_bytes; /* of the plain network at its peak */
    size_t plain_arena; /* of that, for values and their gradients */
} work;

/* ---- set-up ---- */

static nw_network *new_network(const work *w, size_t memory_mib)
{
    nw_error err;
    nw_network *net = NULL;
    nw_rng *rng = NULL;
    nw_network_opts opts = NW_NETWORK_OPTS_INIT;
    opts.threads = 1;
    opts.memory_mib = memory_mib;
    opts.has_differences = w->given == &DIFFERENCES;
    bench_check(nw_network_new(&net, w->given->model, &opts, &err), &err);
    bench_check(nw_rng_new_insecure_seeded(&rng, 1, &err), &err);
    bench_check(nw_network_initialise(net, rng, &err), &err);
    nw_rng_free(rng);
    return net;
}

static nw_optimizer *new_optimizer(const nw_network *net)
{
    nw_error err;
    nw_optimizer *optimizer = NULL;
    nw_optimizer_opts opts = NW_OPTIMIZER_OPTS_INIT;
    const size_t n = nw_network_parameters(net);
    size_t *sizes = bench_need(calloc(n, sizeof *sizes));
    for (size_t i = 0; i < n; i++) {
        const nw_network_parameter p = nw_network_get_parameter(net, i);
        sizes[i] = p.rows * p.cols;
    }
    opts.learning_rate = 1e-4;
    opts.momentum = 0.9;
    bench_check(nw_optimizer_new(&optimizer, &opts, sizes, n, &err), &err);
    free(sizes);
    return optimizer;
}

static trainer new_plain(const work *w)
{
    trainer t = { .net = new_network(w, 4096) };
    t.optimizer = new_optimizer(t.net);
    return t;
}

/* As much memory for values and their gradients as a plain step of the whole batch takes, and a sixteenth of all its memory. */
static trainer new_private(const work *w, double noise_multiplier)
{
    nw_error err;
    nw_dpsgd_opts opts = NW_DPSGD_OPTS_INIT;
    const double allowed = ((double)w->plain_arena + (double)w->plain_bytes / 16.0) / 1048576.0;
    trainer t = { .net = new_network(w, (size_t)(allowed * (1.0 - w->given->kept)) + 1) };
    t.optimizer = new_optimizer(t.net);
    opts.clip_norm = 1.0;
    opts.noise_multiplier = noise_multiplier;
    opts.expected_batch = (double)w->records;
    opts.adjacency = NW_ADD_REMOVE;
    opts.memory_mib = (size_t)(allowed * w->given->kept);
    bench_check(nw_network_micro_batch(t.net, &opts.micro_batch, &err), &err);
    bench_check(nw_dpsgd_new(&t.dpsgd, &opts, &err), &err);
    bench_check(nw_network_register(t.net, t.dpsgd, &err), &err);
    bench_check(noise_multiplier > 0.0 ? nw_rng_new(&t.rng, &err) : nw_rng_new_insecure_seeded(&t.rng, 2, &err), &err);
    return t;
}

static void free_trainer(trainer *t)
{
    nw_optimizer_free(t->optimizer);
    nw_network_free(t->net);
    nw_dpsgd_free(t->dpsgd);
    nw_rng_free(t->rng);
}

/* Any data will do; they are spread so that gradients are of different lengths. */
static work new_work(const bench_case *given, bool is_quick)
{
    work w = { .given = given, .records = is_quick ? 2 : given->batch };
    nw_network_shape shape;
    nw_network *net = new_network(&w, 4096);
    nw_network_get_shape(net, &shape);
    nw_network_free(net);
    float *values = bench_need(calloc(w.records * shape.inputs, sizeof *values));
    int32_t *classes = bench_need(calloc(w.records, sizeof *classes));
    float *targets = bench_need(calloc(w.records, sizeof *targets));
    uint64_t state = 1;
    for (size_t i = 0; i < w.records * shape.inputs; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        values[i] = (float)((double)(state >> 33) * 0x1p-30 - 1.0);
    }
    for (size_t i = 0; i < w.records; i++)
        targets[i] = (float)(classes[i] = (int32_t)(i % shape.outputs));
    w.data = (nw_network_data){ .values = values, .classes = classes, .targets = targets, .copies = 1 };
    return w;
}

static void free_work(work *w)
{
    free((void *)(uintptr_t)w->data.values);
    free((void *)(uintptr_t)w->data.classes);
    free((void *)(uintptr_t)w->data.targets);
}

/* ---- steps ---- */

static void step(const work *w, trainer *t, bool with_optimizer)
{
    nw_error err;
    if (t->dpsgd == NULL) {
        bench_check(nw_network_plain_step(t->net, &w->data, NULL, w->records, (double)w->records, NULL, &err), &err);
    } else {
        bench_check(nw_dpsgd_begin_step(t->dpsgd, t->rng, &err), &err);
        bench_check(nw_network_step_batch(t->net, t->dpsgd, &w->data, NULL, w->records, NULL, &err), &err);
        bench_check(nw_dpsgd_finish_step(t->dpsgd, NULL, &err), &err);
    }
    if (with_optimizer)
        bench_check(nw_optimizer_step(t->optimizer, nw_network_values(t->net), nw_network_gradients(t->net), 0.0, &err), &err);
}

static double timed_step(const work *w, trainer *t, bool with_optimizer)
{
    const double start = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
    step(w, t, with_optimizer);
    return bench_seconds(CLOCK_THREAD_CPUTIME_ID) - start;
}

/* Bytes that training takes, measured by the kernel: in a process of its own, over what there was when it began. */
static double trained_bytes(const work *w, double noise_multiplier)
{
    int ends[2];
    double bytes = NAN;
    if (pipe(ends) != 0)
        return NAN;
    const pid_t child = fork();
    if (child == 0) {
        const double before = bench_peak_bytes();
        trainer t = noise_multiplier < 0.0 ? new_plain(w) : new_private(w, noise_multiplier);
        for (int i = 0; i < 2; i++)
            step(w, &t, true);
        bytes = bench_peak_bytes() - before;
        _exit(write(ends[1], &bytes, sizeof bytes) == (ssize_t)sizeof bytes ? 0 : 1);
    }
    close(ends[1]);
    if (child < 0 || read(ends[0], &bytes, sizeof bytes) != (ssize_t)sizeof bytes)
        bytes = NAN;
    close(ends[0]);
    if (child > 0)
        waitpid(child, NULL, 0);
    return bytes;
}

/* Floating-point operations a second of a large product. */
static double blas_peak(bool is_quick)
{
    const size_t n = is_quick ? 128 : 1024;
    float *a = bench_need(calloc(3 * n * n, sizeof *a));
    double least = INFINITY;
    for (size_t i = 0; i < 2 * n * n; i++)
        a[i] = (float)(i % 7) - 3.0F;
    for (int i = 0; i < 5; i++) {
        const double start = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
        nw__sgemm(
            &(nw__product){ .m = n, .n = n, .k = n, .a = a, .lda = n, .b = a + n * n, .ldb = n, .c = a + 2 * n * n, .ldc = n });
        least = fmin(least, bench_seconds(CLOCK_THREAD_CPUTIME_ID) - start);
    }
    free(a);
    return 2.0 * (double)n * (double)n * (double)n / least;
}

/* Of a plain step: each weight takes two operations a row forward, two for its gradient, and two for that of its input, but for
 * the first layer; each block's attention takes six products of T x T and T x width in all. */
static double step_flops(const work *w, const nw_network *net)
{
    const bool is_transformer = strcmp(w->given->name, "transformer") == 0;
    const double positions = strstr(w->given->model, "sequence") != NULL ? 128.0 : 1.0;
    const double rows = (double)w->records * positions;
    double flops = is_transformer ? 2.0 * 6.0 * 2.0 * rows * 128.0 * 256.0 : 0.0;
    bool is_first = !is_transformer;
    for (size_t i = 0; i < nw_network_parameters(net); i++) {
        const nw_network_parameter p = nw_network_get_parameter(net, i);
        const bool is_head = is_transformer && p.rows == 10; /* after the mean: one row a record */
        if (p.rows == 1 || p.cols == 1)
            continue;
        flops += (is_first ? 4.0 : 6.0) * (is_head ? (double)w->records : rows) * (double)p.rows * (double)p.cols;
        is_first = false;
    }
    return flops;
}

static void print(const work *w, const char *what, double value, const char *unit, const char *yardstick, double ratio)
{
    char name[96];
    snprintf(name, sizeof name, "%s/batch=%zu/%s", w->given->name, w->records, what);
    bench_print(&(bench_figure){ name, value, unit, { { yardstick, ratio } } });
}

static void measure(const bench_case *given, bool is_quick, double peak)
{
    static const double SPEND = 8.0; /* seconds of a case */
    enum { PLAIN = 0, CLIPPED = 1, PLAIN_STEP = 2, PRIVATE_STEP = 3, KINDS = 4 };
    double least[KINDS] = { INFINITY, INFINITY, INFINITY, INFINITY };
    work w = new_work(given, is_quick);
    trainer plain = new_plain(&w);
    step(&w, &plain, true);
    w.plain_bytes = nw_network_peak_bytes(plain.net) + (size_t)nw_optimizer_size(plain.optimizer);
    nw_network_shape shape;
    nw_network_get_shape(plain.net, &shape);
    w.plain_arena = nw_network_peak_bytes(plain.net) - 2 * sizeof(float) * shape.parameters;
    trainer clipped = new_private(&w, 0.0);
    trainer private = new_private(&w, 1.0);
    trainer *const trainers[KINDS] = { &plain, &clipped, &plain, &private };
    double spent = 0.0;
    for (int i = -1; i < 1 || (!is_quick && (i < 5 || spent < SPEND)); i++)
        for (int k = 0; k < KINDS; k++) {
            const double seconds = timed_step(&w, trainers[k], k >= PLAIN_STEP);
            spent += seconds;
            if (i >= 0) /* the first makes buffers */
                least[k] = fmin(least[k], seconds);
        }
    const double rate = step_flops(&w, plain.net) / least[PLAIN];
    print(&w, "plain_step", least[PLAIN], "s", "blas_peak", rate / peak);
    print(&w, "private_step_without_noise", least[CLIPPED], "s", "plain_step", least[CLIPPED] / least[PLAIN]);
    print(&w, "private_step_with_noise_and_optimizer", least[PRIVATE_STEP], "s", "plain_step",
        least[PRIVATE_STEP] / least[PLAIN_STEP]);
    free_trainer(&plain);
    free_trainer(&clipped);
    free_trainer(&private);
    const double plain_bytes = trained_bytes(&w, -1.0);
    const double private_bytes = trained_bytes(&w, 1.0);
    print(&w, "private_memory", private_bytes, "B", "plain_memory", private_bytes / plain_bytes);
    free_work(&w);
}

static void step_differences(const work *w, trainer *t, const float *const *previous)
{
    nw_error err;
    bench_check(nw_dpsgd_set_step(t->dpsgd, 0.125, 4.0, &err), &err);
    bench_check(nw_dpsgd_begin_step(t->dpsgd, t->rng, &err), &err);
    bench_check(nw_network_step_difference(t->net, previous, t->dpsgd, &w->data, NULL, w->records, &err), &err);
    bench_check(nw_dpsgd_finish_step(t->dpsgd, NULL, &err), &err);
}

/* A difference round against a plain step: it computes two gradients a record where that computes one. */
static void measure_differences(bool is_quick)
{
    nw_error err;
    double least[2] = { INFINITY, INFINITY };
    work w = new_work(&DIFFERENCES, is_quick);
    trainer plain = new_plain(&w);
    trainer t = { .net = new_network(&w, 4096) };
    nw_dpsgd_opts opts = NW_DPSGD_OPTS_INIT;
    opts.is_stepwise = true;
    opts.expected_batch = (double)w.records;
    opts.adjacency = NW_ADD_REMOVE;
    opts.micro_batch = 4096; /* stays in the cache */
    bench_check(nw_dpsgd_new(&t.dpsgd, &opts, &err), &err);
    bench_check(nw_network_register(t.net, t.dpsgd, &err), &err);
    bench_check(nw_rng_new(&t.rng, &err), &err);
    for (int i = -1; i < (is_quick ? 1 : 200); i++) {
        const double start = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
        step_differences(&w, &t, (const float *const *)nw_network_values(plain.net));
        const double middle = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
        step(&w, &plain, false);
        least[0] = i < 0 ? INFINITY : fmin(least[0], middle - start);
        least[1] = i < 0 ? INFINITY : fmin(least[1], bench_seconds(CLOCK_THREAD_CPUTIME_ID) - middle);
        bench_check(
            nw_optimizer_step(plain.optimizer, nw_network_values(plain.net), nw_network_gradients(plain.net), 0.0, &err), &err);
    }
    print(&w, "difference_step_with_noise", least[0], "s", "plain_step", least[0] / least[1]);
    free_trainer(&plain);
    free_trainer(&t);
    free_work(&w);
}

int main(int argc, char **argv)
{
    const bench_options options = bench_begin(argc, argv, "[CASE]",
        "What privacy costs a step of training. CASE: mlp, linear256, "
        "linear768, transformer, softplus10; all of them by default.");
    omp_set_num_threads(1);
    const double peak = blas_peak(options.is_quick);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        if (options.count == 0 || strcmp(options.operands[0], CASES[i].name) == 0)
            measure(&CASES[i], options.is_quick, peak);
    if (options.count == 0 || strcmp(options.operands[0], DIFFERENCES.name) == 0)
        measure_differences(options.is_quick);
    return bench_end();
}
