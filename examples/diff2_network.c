/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* diff2_network.c - DIFF2 on a network of layers: nw/diff2.h has the bounds, the noise multipliers, the charge and the update;
 * nw/dpsgd.h sums the clipped gradients, or differences of gradients, of all records, and draws the noise. */
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

enum { RECORDS = 8000, MOST_PARAMETERS = 4, MOST_VALUES = 64 };
static const char MODEL[] = "{\"input\": {\"floats\": 1}, \"loss\": \"squared\", \"layers\": ["
                            "{\"type\": \"linear\", \"outputs\": 10}, {\"type\": \"softplus\"}, "
                            "{\"type\": \"linear\", \"outputs\": 1}]}";

static nw_error err;
static float inputs[RECORDS], targets[RECORDS];
static float before[MOST_PARAMETERS][MOST_VALUES]; /* the parameters at the iterate before */

/* A bump, which no line follows. */
static void make_records(void)
{
    for (int i = 0; i < RECORDS; i++) {
        inputs[i] = (float)(i % 2001) / 500.0F - 2.0F;
        targets[i] = expf(-inputs[i] * inputs[i]) + (float)(i % 7 - 3) / 30.0F;
    }
}

/* All parameters, one after the other: the vector of nw/diff2.h. */
static void to_vector(const nw_network *net, float *const *values, double *x)
{
    for (size_t p = 0; p < nw_network_parameters(net); p++) {
        const nw_network_parameter m = nw_network_get_parameter(net, p);
        for (size_t k = 0; k < m.rows * m.cols; k++)
            *x++ = (double)values[p][k];
    }
}

static void from_vector(const nw_network *net, const double *x, float *const *values)
{
    for (size_t p = 0; p < nw_network_parameters(net); p++) {
        const nw_network_parameter m = nw_network_get_parameter(net, p);
        for (size_t k = 0; k < m.rows * m.cols; k++)
            values[p][k] = (float)*x++;
    }
}

static nw_dpsgd *new_sums(nw_network *net)
{
    nw_dpsgd *sums = NULL;
    nw_dpsgd_opts options = NW_DPSGD_OPTS_INIT;
    options.is_stepwise = true; /* the bound and the noise are those of each round */
    options.expected_batch = RECORDS;
    options.adjacency = NW_ADD_REMOVE;
    TRY(nw_network_micro_batch(net, &options.micro_batch, &err));
    TRY(nw_dpsgd_new(&sums, &options, &err));
    TRY(nw_network_register(net, sums, &err));
    return sums;
}

static nw_diff2 *new_run(nw_network *net)
{
    nw_diff2 *d = NULL;
    nw_network_shape shape;
    double start[MOST_PARAMETERS * MOST_VALUES];
    nw_network_get_shape(net, &shape);
    to_vector(net, nw_network_values(net), start);
    nw_diff2_opts options = NW_DIFF2_OPTS_INIT;
    options.epsilon = 1.0;
    options.delta = 1e-6;
    options.keeps_reserve = true; /* for an empty ledger of that budget */
    options.adjacency = NW_ADD_REMOVE;
    options.public_records = RECORDS;
    options.rounds = 200;
    options.period = 40;
    options.clip_gradient = 2.0;
    options.clip_difference = 8.0;
    options.learning_rate = 0.1;
    TRY(nw_diff2_new(&d, shape.parameters, start, &options, &err));
    return d;
}

static void take_round(nw_diff2 *d, nw_network *net, nw_dpsgd *sums, nw_batches *all, nw_rng *rng)
{
    const nw_network_data data = { .values = inputs, .targets = targets, .copies = 1 };
    float *previous[MOST_PARAMETERS] = { before[0], before[1], before[2], before[3] };
    double mean[MOST_PARAMETERS * MOST_VALUES];
    nw_diff2_round round;
    const uint32_t *order = NULL; /* a new one each round, which the proof of the sums needs */
    size_t n = 0;
    TRY(nw_diff2_begin_round(d, &round, &err));
    from_vector(net, nw_diff2_iterate(d), nw_network_values(net));
    from_vector(net, nw_diff2_previous(d), previous);
    TRY(nw_batches_next(all, rng, &order, &n, &err));
    TRY(nw_dpsgd_set_step(sums, fmax(round.bound, 0x1p-40), round.noise, &err));
    TRY(nw_dpsgd_begin_step(sums, rng, &err));
    if (round.kind == NW_DIFF2_RESTART)
        TRY(nw_network_step_batch(net, sums, &data, order, n, NULL, &err));
    else
        TRY(nw_network_step_difference(net, (const float *const *)previous, sums, &data, order, n, &err));
    TRY(nw_dpsgd_finish_step(sums, NULL, &err));
    to_vector(net, nw_network_gradients(net), mean);
    TRY(nw_diff2_step_with(d, mean, NULL, &err));
}

static double loss_of(nw_network *net)
{
    static double losses[RECORDS];
    double sum = 0.0;
    const nw_network_data data = { .values = inputs, .targets = targets, .copies = 1 };
    TRY(nw_network_forward(net, &data, NULL, RECORDS, NULL, losses, &err));
    for (int i = 0; i < RECORDS; i++)
        sum += losses[i];
    return sum / RECORDS;
}

int main(void)
{
    nw_rng *rng = NULL;
    nw_network *net = NULL;
    nw_batches *all = NULL;
    nw_ledger *ledger = NULL;
    nw_receipt receipt;
    double x[MOST_PARAMETERS * MOST_VALUES];
    make_records();
    nw_network_opts options = NW_NETWORK_OPTS_INIT;
    options.has_differences = true;
    TRY(nw_rng_new(&rng, &err));
    TRY(nw_network_new(&net, MODEL, &options, &err));
    TRY(nw_network_initialise(net, rng, &err)); /* public: no record is read */
    TRY(nw_batches_full(&all, RECORDS, NW_ADD_REMOVE, &err));
    const double first = loss_of(net);
    nw_dpsgd *sums = new_sums(net);
    nw_diff2 *d = new_run(net);

    nw_ledger_opts budget = NW_LEDGER_OPTS_INIT;
    budget.epsilon = 1.0;
    budget.delta = 1e-6;
    budget.adjacency = NW_ADD_REMOVE;
    TRY(nw_ledger_memory(&ledger, &budget, &err));
    TRY(nw_diff2_charge(d, NULL, rng, ledger, "bump", &receipt, &err)); /* the whole run, before any draw */
    while (!nw_diff2_is_done(d))
        take_round(d, net, sums, all, rng);
    TRY(nw_diff2_result(d, x, &err));
    from_vector(net, x, nw_network_values(net));
    const double last = loss_of(net); /* for the demonstration: it is about private records */
    printf("squared loss %.4f, from %.4f, at epsilon %.3f\n", last, first, receipt.epsilon);

    nw_diff2_free(d);
    nw_dpsgd_free(sums);
    nw_network_free(net);
    nw_batches_free(all);
    nw_ledger_close(ledger);
    nw_rng_free(rng);
    return last < 0.5 * first ? 0 : 1;
}
