/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* network.c - a network from a description: trained with privacy to tell which of two interleaved spirals a point is on, saved
 * to a file, and read again. */
#include <math.h>
#include <noisewright.h>
#include <stdio.h>
#include <stdlib.h>

#define TRY(call)                                                                                                                \
    do {                                                                                                                         \
        if ((call) != NW_OK) {                                                                                                   \
            fprintf(stderr, "%s: %s\n", err.function, err.message);                                                              \
            exit(1);                                                                                                             \
        }                                                                                                                        \
    } while (0)

enum { RECORDS = 8000, STEPS = 250, MOST_PARAMETERS = 8 };
static const double EXPECTED_BATCH = 400.0;
static const double EPSILON = 3.0;
static const double DELTA = 1e-5;
static const char MODEL[] =
    "{\"input\": {\"floats\": 2}, \"loss\": \"logistic\", \"layers\": ["
    "{\"type\": \"linear\", \"outputs\": 32, \"init_scale\": 2}, {\"type\": \"tanh\"}, "
    "{\"type\": \"linear\", \"outputs\": 16}, {\"type\": \"tanh\"}, {\"type\": \"linear\", \"outputs\": 1}]}";
static const char FILE_NAME[] = "example_network.nw";

static nw_error err;
static float points[RECORDS * 2];
static int32_t sides[RECORDS];

static double uniform(nw_rng *rng)
{
    uint64_t x = 0;
    TRY(nw_rng_uniform(rng, 1 << 24, &x, &err));
    return (double)x / (double)(1 << 24);
}

static void make_data(nw_rng *rng)
{
    for (size_t i = 0; i < RECORDS; i++) {
        const double turn = 0.3 + 2.7 * uniform(rng);
        const double radius = 0.5 * turn + 0.1 * (uniform(rng) - 0.5);
        sides[i] = (int32_t)(i % 2);
        points[2 * i] = (float)(radius * cos(turn + (sides[i] != 0 ? acos(-1.0) : 0.0)));
        points[2 * i + 1] = (float)(radius * sin(turn + (sides[i] != 0 ? acos(-1.0) : 0.0)));
    }
}

static nw_optimizer *new_optimizer(const nw_network *net)
{
    nw_optimizer *optimizer = NULL;
    size_t sizes[MOST_PARAMETERS];
    const size_t n = nw_network_parameters(net);
    nw_optimizer_opts options = NW_OPTIMIZER_OPTS_INIT;
    options.learning_rate = 2.0;
    options.momentum = 0.5;
    options.schedule = NW_OPTIMIZER_COSINE;
    options.steps = STEPS;
    options.final_rate = 0.1;
    for (size_t i = 0; i < n; i++) {
        const nw_network_parameter p = nw_network_get_parameter(net, i);
        sizes[i] = p.rows * p.cols;
    }
    TRY(nw_optimizer_new(&optimizer, &options, sizes, n, &err));
    return optimizer;
}

/* What the run costs with so much noise. */
static nw_status run_event(nw_event **out, double noise_multiplier, const void *batches, nw_error *e)
{
    nw_event *step = NULL;
    const nw_sensitivity one = { 1.0, NW_ADD_REMOVE };
    nw_status status = nw_event_noise(&step, NW_EVENT_ROUNDED_GAUSSIAN, noise_multiplier, one, 1, e);
    if (status == NW_OK)
        status = nw_batches_event(batches, step, STEPS, out, e);
    nw_event_free(step);
    return status;
}

static nw_dpsgd *new_dpsgd(nw_network *net, double noise_multiplier)
{
    nw_dpsgd *dpsgd = NULL;
    nw_dpsgd_opts options = NW_DPSGD_OPTS_INIT;
    options.clip_norm = 0.5;
    options.noise_multiplier = noise_multiplier;
    options.expected_batch = EXPECTED_BATCH;
    options.adjacency = NW_ADD_REMOVE;
    TRY(nw_network_micro_batch(net, &options.micro_batch, &err)); /* as many records at once as the memory allows */
    TRY(nw_dpsgd_new(&dpsgd, &options, &err));
    TRY(nw_network_register(net, dpsgd, &err));
    return dpsgd;
}

static double accuracy_of(nw_network *net, const nw_network_data *data)
{
    static float logits[RECORDS];
    size_t right = 0;
    TRY(nw_network_forward(net, data, NULL, RECORDS, logits, NULL, &err));
    for (size_t i = 0; i < RECORDS; i++)
        right += (logits[i] > 0.0f) == (sides[i] == 1);
    return (double)right / RECORDS;
}

static void train(nw_network *net, nw_dpsgd *dpsgd, nw_batches *batches, nw_rng *rng, const nw_network_data *data)
{
    nw_optimizer *optimizer = new_optimizer(net);
    for (size_t step = 0; step < STEPS; step++) {
        const uint32_t *batch = NULL;
        size_t n = 0;
        TRY(nw_batches_next(batches, rng, &batch, &n, &err));
        TRY(nw_dpsgd_begin_step(dpsgd, rng, &err));
        TRY(nw_network_step_batch(net, dpsgd, data, batch, n, NULL, &err)); /* n may be 0: noise alone */
        TRY(nw_dpsgd_finish_step(dpsgd, NULL, &err));
        TRY(nw_optimizer_step(optimizer, nw_network_values(net), nw_network_gradients(net), 0.0, &err));
    }
    nw_optimizer_free(optimizer);
}

int main(void)
{
    nw_rng *rng = NULL;
    nw_network *net = NULL;
    nw_network *again = NULL;
    nw_batches *batches = NULL;
    nw_ledger *ledger = NULL;
    nw_receipt receipt;
    nw_event *step = NULL;
    nw_event *run = NULL;
    double noise_multiplier = 0.0;
    const nw_network_data data = { .values = points, .classes = sides, .copies = 1 };
    TRY(nw_rng_new(&rng, &err));
    make_data(rng);
    TRY(nw_network_new(&net, MODEL, NULL, &err));
    TRY(nw_network_initialise(net, rng, &err));

    TRY(nw_batches_poisson(&batches, RECORDS, EXPECTED_BATCH / RECORDS, NW_ADD_REMOVE, &err));
    TRY(nw_calibrate(&noise_multiplier, NW_CALIBRATE_LEAST, 0.3, 20.0, EPSILON, DELTA, NW_ADD_REMOVE, run_event, batches, &err));
    nw_dpsgd *dpsgd = new_dpsgd(net, noise_multiplier);
    TRY(nw_dpsgd_event(dpsgd, &step, &err));
    TRY(nw_batches_event(batches, step, STEPS, &run, &err));
    nw_ledger_opts budget = NW_LEDGER_OPTS_INIT;
    budget.epsilon = EPSILON;
    budget.delta = DELTA;
    budget.adjacency = NW_ADD_REMOVE;
    budget.schedule = run; /* the budget is for this run and nothing else */
    TRY(nw_ledger_memory(&ledger, &budget, &err));
    TRY(nw_ledger_charge(ledger, run, "spirals", rng, &receipt, &err)); /* before any draw */
    train(net, dpsgd, batches, rng, &data);

    TRY(nw_network_set_info(net, "{\"epsilon\": 3, \"delta\": 1e-5}", &err));
    TRY(nw_network_save(net, FILE_NAME, &err));
    TRY(nw_network_load(&again, FILE_NAME, NULL, &err));
    remove(FILE_NAME);
    const double accuracy = accuracy_of(again, &data); /* for the demonstration: it is about private records */
    printf("noise multiplier %.3f, accuracy %.1f %% at epsilon %.2f, delta %g\n", noise_multiplier, 100.0 * accuracy,
        receipt.spent_epsilon, receipt.spent_delta);

    nw_network_free(again);
    nw_network_free(net);
    nw_dpsgd_free(dpsgd);
    nw_ledger_close(ledger);
    nw_event_free(step);
    nw_event_free(run);
    nw_batches_free(batches);
    nw_rng_free(rng);
    return accuracy > 0.85 ? 0 : 1;
}
