/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bench_diff2.c - private full-gradient descent: the speed of a round beside a plain loop in double, and how far DP-GD and DIFF2
 * get, on the problem of tests/vectors/diff2.json, whose generator is followed here and checked against its numbers. There the
 * data are n / 1000 copies of 1000 rows: as many processes with the same rows, whose sums are n / 1000 times one process's. */
#include "figures.h"

#include <noisewright.h>
#include <nw/testing.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CONFIGS = 32, MOST_SEEDS = 1000, REPEATS = 5, FEW_ROUNDS = 40, LEAST_SEEDS = 20 };
static const char ABOUT[] =
    "How fast a round of DIFF2 is, and how far DP-GD and DIFF2 get for the same privacy (tests/vectors/diff2.json).\n"
    "  --vectors FILE  the problem and its settings; 20 seeds of all of them; a bar that is not met is told on\n"
    "                  standard error and makes the exit code 70\n"
    "  --seeds N       so many seeds instead; bars want 20";

static nw_rng *new_rng(uint64_t seed)
{
    nw_error err;
    nw_rng *rng = NULL;
    bench_check(nw_rng_new_insecure_seeded(&rng, seed, &err), &err);
    return rng;
}

static nw_ledger *new_ledger(void)
{
    nw_error err;
    nw_ledger *ledger = NULL;
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    o.delta = 1e-5;
    o.adjacency = NW_ADD_REMOVE;
    bench_check(nw_ledger_unlimited(&ledger, &o, &err), &err);
    return ledger;
}

static nw_diff2_model *new_model(const float *features, const float *targets, size_t rows, size_t columns)
{
    nw_error err;
    nw_diff2_model *model = NULL;
    nw_diff2_model_opts o = NW_DIFF2_MODEL_OPTS_INIT;
    o.loss = NW_DIFF2_LOGISTIC;
    o.features = features;
    o.targets = targets;
    o.rows = rows;
    o.columns = columns;
    o.has_bias = false;
    o.threads = 1;
    bench_check(nw_diff2_model_new(&model, &o, &err), &err);
    return model;
}

/* ---- speed ---- */

typedef struct speed {
    const float *features;
    const float *targets;
    size_t rows;
    size_t columns;
    size_t rounds; /* that are timed together */
    nw_diff2 *run;
    nw_diff2_model *model;
    nw_ledger *ledger;
    nw_rng *rng;
    double *sum;
} speed;

static void begin_run(speed *s, uint64_t period)
{
    nw_error err;
    nw_diff2_opts o = NW_DIFF2_OPTS_INIT;
    o.epsilon = 1.0;
    o.delta = 1e-5;
    o.adjacency = NW_ADD_REMOVE;
    o.public_records = s->rows;
    o.rounds = s->rounds * REPEATS;
    o.period = period;
    o.clip_gradient = 1.0;
    o.clip_difference = 0.1;
    o.learning_rate = 1.0;
    bench_check(nw_diff2_new(&s->run, s->columns, NULL, &o, &err), &err);
    bench_check(nw_diff2_charge(s->run, NULL, s->rng, s->ledger, "speed", NULL, &err), &err);
}

static void run_rounds(void *context)
{
    const speed *s = context;
    nw_error err;
    for (size_t i = 0; i < s->rounds; i++) {
        bench_check(nw_diff2_begin_round(s->run, NULL, &err), &err);
        bench_check(nw_diff2_add_model(s->run, s->model, &err), &err);
        bench_check(nw_diff2_step(s->run, NULL, s->rng, NULL, &err), &err);
    }
}

/* The gradient of one round as it is written down: no clipping, no noise, no grid. */
static void run_plain(void *context)
{
    const speed *s = context;
    for (size_t round = 0; round < s->rounds; round++) {
        double *sum = s->sum;
        double *w = s->sum + s->columns;
        for (size_t j = 0; j < s->columns; j++)
            sum[j] = 0.0;
        for (size_t i = 0; i < s->rows; i++) {
            const float *a = s->features + i * s->columns;
            double z = 0.0;
            for (size_t j = 0; j < s->columns; j++)
                z += (double)a[j] * w[j];
            const double r = 1.0 / (1.0 + exp(-z)) - (double)s->targets[i];
            for (size_t j = 0; j < s->columns; j++)
                sum[j] += r * (double)a[j];
        }
        for (size_t j = 0; j < s->columns; j++)
            w[j] -= sum[j] / (double)s->rows;
    }
}

static void measure_speed(size_t rows, size_t columns, size_t rounds, size_t ones)
{
    speed s = { .rows = rows, .columns = columns, .rounds = rounds, .ledger = new_ledger(), .rng = new_rng(1) };
    float *features = bench_need(calloc(rows * columns, sizeof *features));
    float *targets = bench_need(calloc(rows, sizeof *targets));
    uint64_t state = 1;
    for (size_t i = 0; i < rows * columns; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        const float uniform = (float)(state >> 40) * 0x1p-24F - 0.5F;
        features[i] = ones == 0 ? uniform : uniform < (float)ones / (float)columns - 0.5F ? 1.0F : 0.0F;
        targets[i / columns] = uniform > 0.0F ? 1.0F : 0.0F;
    }
    s.features = features;
    s.targets = targets;
    s.sum = bench_need(calloc(2 * columns, sizeof *s.sum));
    s.model = new_model(features, targets, rows, columns);
    const double plain = bench_median_seconds(CLOCK_THREAD_CPUTIME_ID, run_plain, &s, REPEATS) / (double)rounds;
    for (int is_diff2 = 0; is_diff2 < 2; is_diff2++) {
        char name[80];
        begin_run(&s, is_diff2 ? (rounds + 7) / 8 : 1);
        const double seconds = bench_median_seconds(CLOCK_THREAD_CPUTIME_ID, run_rounds, &s, REPEATS) / (double)rounds;
        snprintf(name, sizeof name, "round/%s/rows=%zu/columns=%zu", is_diff2 ? "diff2" : "dpgd", rows, columns);
        bench_print(&(bench_figure){ name, seconds, "s", { { "plain", seconds / plain } } });
        nw_diff2_free(s.run);
    }
    nw_diff2_model_free(s.model);
    nw_ledger_close(s.ledger);
    nw_rng_free(s.rng);
    free(features);
    free(targets);
    free(s.sum);
}

/* ---- the problem of the vectors ---- */

typedef struct problem {
    size_t rows;
    size_t tests;
    size_t columns;
    float *train; /* y x */
    float *test;
    float *ones;
    nw_diff2_model *model;
    nw_diff2_model *held_out;
    nw_ledger *ledger;
} problem;

typedef struct config {
    bool is_diff2;
    double n;
    uint64_t rounds;
    uint64_t restarts;
    double eta;
    double c1;
    double c2;
    double w;
    double expected;
    double expected_error;
    double expected_test;
    double mean; /* answered */
    double error;
} config;

static double next_uniform(uint64_t *counter)
{
    *counter += 1;
    uint64_t z = *counter * UINT64_C(0x9E3779B97F4A7C15) + 12345;
    z ^= z >> 30;
    z *= UINT64_C(0xBF58476D1CE4E5B9);
    z ^= z >> 27;
    z *= UINT64_C(0x94D049BB133111EB);
    z ^= z >> 31;
    return ((double)(z >> 11) + 0.5) * 0x1p-53;
}

static double next_normal(uint64_t *counter)
{
    const double pi = 3.14159265358979323846;
    const double first = next_uniform(counter);
    const double second = next_uniform(counter);
    return sqrt(-2.0 * log(first)) * cos(2.0 * pi * second);
}

static double dot(const double *x, const double *y, size_t n)
{
    double sum = 0.0;
    for (size_t j = 0; j < n; j++)
        sum += x[j] * y[j];
    return sum;
}

/* x_j = gauss (j+1)^-1.25, divided by the row's norm. */
static void make_rows(double *x, size_t rows, size_t columns, uint64_t *counter)
{
    for (size_t i = 0; i < rows; i++, x += columns) {
        for (size_t j = 0; j < columns; j++)
            x[j] = next_normal(counter) * pow((double)(j + 1), -1.25);
        const double norm = sqrt(dot(x, x, columns));
        for (size_t j = 0; j < columns; j++)
            x[j] /= norm;
    }
}

static void make_teacher(double *t, const double *x, size_t rows, size_t columns, uint64_t *counter)
{
    double square = 0.0;
    for (size_t j = 0; j < columns; j++)
        t[j] = next_normal(counter) * pow((double)(j + 1), 0.625);
    for (size_t i = 0; i < rows; i++)
        square += pow(dot(x + i * columns, t, columns), 2.0) / (double)rows;
    for (size_t j = 0; j < columns; j++)
        t[j] *= 4.0 / sqrt(square);
}

static void label_rows(double *x, const double *t, size_t rows, size_t columns, uint64_t *counter)
{
    for (size_t i = 0; i < rows; i++, x += columns)
        if (!(next_uniform(counter) < 1.0 / (1.0 + exp(-dot(x, t, columns)))))
            for (size_t j = 0; j < columns; j++)
                x[j] = -x[j];
}

static void check_values(const json_t *vectors, const double *x, size_t rows, size_t columns)
{
    const json_t *check = json_object_get(json_object_get(vectors, "generator"), "check_values_after_labels");
    const json_t *first = json_object_get(check, "train[0][0..2]");
    bool is_equal = json_array_size(first) == 3;
    for (size_t j = 0; j < json_array_size(first); j++)
        is_equal = is_equal && fabs(x[j] - json_number_value(json_array_get(first, j))) < 1e-10;
    const double last = json_number_value(json_object_get(check, "train[999][49]"));
    if (!is_equal || fabs(x[rows * columns - 1] - last) > 1e-10)
        bench_fail(BENCH_DATA, "check_values_after_labels", "the problem came out otherwise");
}

static float *to_floats(const double *x, size_t n)
{
    float *out = bench_need(malloc(n * sizeof *out));
    for (size_t i = 0; i < n; i++)
        out[i] = (float)x[i];
    return out;
}

static problem make_problem(const json_t *vectors)
{
    const json_t *rule = json_object_get(vectors, "generator");
    problem p = { .rows = (size_t)json_integer_value(json_object_get(rule, "N0")),
        .tests = (size_t)json_integer_value(json_object_get(rule, "NT")),
        .columns = (size_t)json_integer_value(json_object_get(rule, "D")) };
    if (p.rows == 0 || p.tests == 0 || p.columns < 3 || p.rows + p.tests > 1000000 || p.columns > 10000)
        bench_fail(BENCH_DATA, "generator", "N0, NT and D must be there");
    const size_t all = p.rows + p.tests;
    uint64_t counter = 0;
    double *x = bench_need(calloc(all * p.columns, sizeof *x));
    double *teacher = bench_need(calloc(p.columns, sizeof *teacher));
    make_rows(x, all, p.columns, &counter);
    make_teacher(teacher, x, p.rows, p.columns, &counter);
    label_rows(x, teacher, all, p.columns, &counter);
    check_values(vectors, x, p.rows, p.columns);
    p.train = to_floats(x, p.rows * p.columns);
    p.test = to_floats(x + p.rows * p.columns, p.tests * p.columns);
    p.ones = bench_need(calloc(all, sizeof *p.ones));
    for (size_t i = 0; i < all; i++)
        p.ones[i] = 1.0F;
    p.model = new_model(p.train, p.ones, p.rows, p.columns);
    p.held_out = new_model(p.test, p.ones, p.tests, p.columns);
    p.ledger = new_ledger();
    free(x);
    free(teacher);
    return p;
}

static void free_problem(problem *p)
{
    nw_diff2_model_free(p->model);
    nw_diff2_model_free(p->held_out);
    nw_ledger_close(p->ledger);
    free(p->train);
    free(p->test);
    free(p->ones);
}

/* ---- n / 1000 processes with the same rows ---- */

static nw_status same_bytes(void *context, void *bytes, size_t n, nw_error *err)
{
    (void)context;
    (void)bytes;
    (void)n;
    (void)err;
    return NW_OK;
}

static nw_status times_size_i64(void *context, int64_t *values, size_t n, nw_error *err)
{
    (void)err;
    for (size_t i = 0; i < n; i++)
        values[i] *= (int64_t) * (const size_t *)context;
    return NW_OK;
}

static nw_status times_size_u64(void *context, uint64_t *values, size_t n, nw_error *err)
{
    (void)err;
    for (size_t i = 0; i < n; i++)
        values[i] *= (uint64_t) * (const size_t *)context;
    return NW_OK;
}

static nw_status all_here(void *context, nw_error *err)
{
    (void)context;
    (void)err;
    return NW_OK;
}

/* ---- a run ---- */

static void regulariser(const double *x, size_t n, double *gradient)
{
    for (size_t j = 0; j < n; j++)
        gradient[j] = 0.002 * x[j] / ((1.0 + x[j] * x[j]) * (1.0 + x[j] * x[j]));
}

static nw_diff2 *new_run(const problem *p, const config *c)
{
    nw_error err;
    nw_diff2 *d = NULL;
    nw_diff2_opts o = NW_DIFF2_OPTS_INIT;
    o.epsilon = 1.0;
    o.delta = 1e-5;
    o.adjacency = NW_ADD_REMOVE;
    o.public_records = (uint64_t)c->n;
    o.rounds = c->rounds;
    o.period = (c->rounds + c->restarts - 1) / c->restarts;
    o.clip_gradient = c->c1;
    o.clip_difference = c->c2;
    o.split = c->w;
    o.learning_rate = c->eta;
    bench_check(nw_diff2_new(&d, p->columns, NULL, &o, &err), &err);
    return d;
}

/* The exact squared gradient of the objective at x. */
static double gradient_square(const problem *p, const double *x, double *gradient, double *own)
{
    nw_error err;
    double square = 0.0;
    bench_check(nw_diff2_model_evaluate(p->model, x, NULL, gradient, &err), &err);
    regulariser(x, p->columns, own);
    for (size_t j = 0; j < p->columns; j++)
        square += (gradient[j] + own[j]) * (gradient[j] + own[j]);
    return square;
}

/* Mean of the squared gradient over the last tenth of the iterates; *loss: of the result, on the test rows. */
static double run_once(const problem *p, const config *c, uint64_t seed, double *loss)
{
    nw_error err;
    size_t copies = (size_t)(c->n / (double)p->rows);
    const nw_reduce reduce = { &copies, 0, copies, same_bytes, times_size_i64, times_size_u64, all_here };
    double *gradient = bench_need(calloc(p->columns, sizeof *gradient));
    double *own = bench_need(calloc(p->columns, sizeof *own));
    double sum = 0.0;
    nw_diff2_round round;
    nw_rng *rng = new_rng(seed);
    nw_diff2 *d = new_run(p, c);
    const uint64_t tail = nw_diff2_get_plan(d).tail;
    bench_check(nw_diff2_charge(d, &reduce, rng, p->ledger, "vectors", NULL, &err), &err);
    while (!nw_diff2_is_done(d)) {
        bench_check(nw_diff2_begin_round(d, &round, &err), &err);
        if (round.round + tail >= c->rounds)
            sum += gradient_square(p, nw_diff2_iterate(d), gradient, own);
        regulariser(nw_diff2_iterate(d), p->columns, own);
        bench_check(nw_diff2_add_model(d, p->model, &err), &err);
        bench_check(nw_diff2_step(d, &reduce, rng, own, &err), &err);
    }
    bench_check(nw_diff2_result(d, gradient, &err), &err);
    bench_check(nw_diff2_model_evaluate(p->held_out, gradient, loss, NULL, &err), &err);
    nw_diff2_free(d);
    nw_rng_free(rng);
    free(gradient);
    free(own);
    return sum / (double)tail;
}

/* ---- figures ---- */

static bool has_bars; /* with few seeds, a mean says too little */
static size_t missed;

static void bar(const char *name, bool is_met)
{
    if (is_met || !has_bars)
        return;
    missed++;
    fprintf(stderr, "bench-diff2: %s: outside its bar\n", name);
}

static void run_config(const problem *p, config *c, size_t seeds)
{
    char name[80], test_name[80];
    double *values = bench_need(calloc(seeds, sizeof *values));
    double loss = 0.0, square = 0.0;
    c->mean = 0.0;
    for (size_t i = 0; i < seeds; i++) {
        double one;
        values[i] = run_once(p, c, 1000 + i, &one);
        c->mean += values[i] / (double)seeds;
        loss += one / (double)seeds;
    }
    for (size_t i = 0; i < seeds; i++)
        square += (values[i] - c->mean) * (values[i] - c->mean);
    c->error = seeds > 1 ? sqrt(square / (double)(seeds - 1) / (double)seeds) : (double)NAN;
    const double joint = sqrt(c->error * c->error + c->expected_error * c->expected_error);
    const double apart = fabs(c->mean - c->expected) / joint;
    snprintf(name, sizeof name, "grad2_tail/%s/n=%.0f", c->is_diff2 ? "diff2" : "dpgd", c->n);
    bench_print(&(bench_figure){ name, c->mean, "squared norm",
        { { "expected", c->mean / c->expected }, { "standard_error", c->mean / c->error }, { "apart_in_errors", apart } } });
    snprintf(test_name, sizeof test_name, "test_loss/%s/n=%.0f", c->is_diff2 ? "diff2" : "dpgd", c->n);
    bench_print(&(bench_figure){ test_name, loss, "nats", { { "expected", loss / c->expected_test } } });
    bar(name, fabs(c->mean / c->expected - 1.0) <= (c->is_diff2 ? 0.3 : 0.2) && apart <= 4.0);
    free(values);
}

/* Least squares of log(mean), or of what is expected, on log(n). */
static double slope_of(const config *configs, size_t count, bool is_diff2, bool is_expected)
{
    double n = 0.0, sx = 0.0, sy = 0.0, sxx = 0.0, sxy = 0.0;
    for (size_t i = 0; i < count; i++) {
        if (configs[i].is_diff2 != is_diff2)
            continue;
        const double x = log(configs[i].n), y = log(is_expected ? configs[i].expected : configs[i].mean);
        n += 1.0;
        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
    }
    return (n * sxy - sx * sy) / (n * sxx - sx * sx);
}

static void print_slopes(const config *configs, size_t count)
{
    const double dpgd = slope_of(configs, count, false, false), diff2 = slope_of(configs, count, true, false);
    const double dpgd_expected = slope_of(configs, count, false, true);
    const double diff2_expected = slope_of(configs, count, true, true);
    bench_print(&(bench_figure){ "slope/dpgd", dpgd, "exponent", { { "expected", dpgd / dpgd_expected } } });
    bench_print(&(bench_figure){ "slope/diff2", diff2, "exponent", { { "expected", diff2 / diff2_expected } } });
    bench_print(&(bench_figure){
        "slope/gap", dpgd - diff2, "exponent", { { "expected", (dpgd - diff2) / (dpgd_expected - diff2_expected) } } });
    bar("slope/dpgd", dpgd >= -1.25 && dpgd <= -0.95);
    bar("slope/diff2", diff2 <= -1.25);
    bar("slope/gap", dpgd - diff2 >= 0.2);
}

/* Each DP-GD configuration beside DIFF2's at the same n. */
static void print_ratios(const config *configs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            char name[80];
            if (configs[i].is_diff2 || !configs[j].is_diff2 || configs[i].n != configs[j].n)
                continue;
            const double ratio = configs[i].mean / configs[j].mean;
            const double expected = configs[i].expected / configs[j].expected;
            snprintf(name, sizeof name, "dpgd_over_diff2/n=%.0f", configs[i].n);
            bench_print(&(bench_figure){ name, ratio, "ratio", { { "expected", ratio / expected } } });
            if (configs[i].n == 108000.0)
                bar(name, ratio >= 2.0);
            if (configs[i].n == 324000.0)
                bar(name, ratio >= 3.5);
        }
}

static size_t read_configs(const json_t *vectors, config *configs)
{
    const json_t *list = json_object_get(vectors, "fixed_configs");
    size_t count = 0;
    for (; count < json_array_size(list) && count < MOST_CONFIGS; count++) {
        const json_t *item = json_array_get(list, count);
        const char *method = json_string_value(json_object_get(item, "method"));
        config *c = &configs[count];
        if (method == NULL)
            bench_fail(BENCH_DATA, "fixed_configs", "a method is missing");
        *c = (config){ .is_diff2 = strcmp(method, "diff2") == 0,
            .n = json_number_value(json_object_get(item, "n")),
            .rounds = (uint64_t)json_number_value(json_object_get(item, "R")),
            .restarts = (uint64_t)json_number_value(json_object_get(item, "J")),
            .eta = json_number_value(json_object_get(item, "eta")),
            .c1 = json_number_value(json_object_get(item, "C1")),
            .c2 = json_number_value(json_object_get(item, "C2")),
            .w = json_number_value(json_object_get(item, "w")),
            .expected = json_number_value(json_object_get(item, "expected_grad2_tail")),
            .expected_error = json_number_value(json_object_get(item, "se20")),
            .expected_test = json_number_value(json_object_get(item, "expected_test")) };
        if (!(c->n >= 1.0) || c->rounds == 0 || c->restarts == 0 || c->restarts > c->rounds)
            bench_fail(BENCH_DATA, "fixed_configs", "n, R and J must be positive, and J at most R");
    }
    return count;
}

static void measure_vectors(const char *path, size_t seeds, size_t most)
{
    config configs[MOST_CONFIGS];
    json_error_t error;
    json_t *vectors = json_load_file(path, 0, &error);
    if (vectors == NULL)
        bench_fail(error.line < 0 ? BENCH_NO_INPUT : BENCH_DATA, path, error.text);
    problem p = make_problem(vectors);
    const size_t listed = read_configs(vectors, configs);
    const size_t count = listed < most ? listed : most;
    for (size_t i = 0; i < count; i++)
        run_config(&p, &configs[i], seeds);
    print_ratios(configs, count);
    if (count == listed)
        print_slopes(configs, count);
    free_problem(&p);
    json_decref(vectors);
}

/* ---- the command line ---- */

typedef struct extra {
    const char *vectors;
    size_t seeds;
} extra;

/* Takes this benchmark's own options out of the command line. */
static extra take_options(int *argc, char **argv)
{
    extra own = { NULL, 0 };
    int kept = 1;
    for (int i = 1; i < *argc; i++) {
        const bool is_vectors = strcmp(argv[i], "--vectors") == 0;
        const bool is_seeds = strcmp(argv[i], "--seeds") == 0;
        if (!is_vectors && !is_seeds) {
            argv[kept++] = argv[i];
            continue;
        }
        if (i + 1 == *argc)
            bench_fail(BENCH_USAGE, argv[i], "a value is missing");
        i++;
        if (is_vectors) {
            own.vectors = argv[i];
            continue;
        }
        char *end;
        const long seeds = strtol(argv[i], &end, 10);
        if (end == argv[i] || *end != '\0' || seeds < 2 || seeds > MOST_SEEDS)
            bench_fail(BENCH_USAGE, argv[i], "--seeds must be in [2, 1000]");
        own.seeds = (size_t)seeds;
    }
    *argc = kept;
    argv[kept] = NULL;
    return own;
}

int main(int argc, char **argv)
{
    const extra own = take_options(&argc, argv);
    const bench_options options = bench_begin(argc, argv, NULL, ABOUT);
    if (own.vectors != NULL) {
        has_bars = !options.is_quick && (own.seeds == 0 || own.seeds >= LEAST_SEEDS);
        measure_vectors(own.vectors, own.seeds == 0 ? 20 : own.seeds, options.is_quick ? 2 : MOST_CONFIGS);
        const int code = bench_end();
        return code == 0 && missed > 0 ? BENCH_INTERNAL : code;
    }
    measure_speed(1000, 50, options.is_quick ? FEW_ROUNDS : 2000, 0);
    measure_speed(options.is_quick ? 5000 : 494021, 120, options.is_quick ? 8 : 12, 42);
    measure_vectors(NW_BENCH_VECTORS, own.seeds == 0 ? 2 : own.seeds, options.is_quick ? 2 : 4);
    return bench_end();
}
