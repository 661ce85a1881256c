/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* batches.c - dpsgd, for comparison at the same budget: Poisson batches and a constant learning rate, by nw/train.h. The model is
 * the same; its parameters go to the network and back. */
#include "../common/exit.h"
#include "../common/feed.h"
#include "job.h"

#include <nw/accounting.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double USUAL_RATE = 0.25; /* of the records in a batch */

/* ---- the model as a network ---- */

static int make_network(job *j)
{
    nw_error err;
    char hidden[128] = "";
    char width[48] = "";
    char text[512];
    nw_network_opts opts = NW_NETWORK_OPTS_INIT;
    const model *m = &j->model;
    opts.threads = (int)j->settings->threads;
    if (m->kind == MODEL_SOFTPLUS)
        snprintf(hidden, sizeof hidden, "{\"type\": \"linear\", \"outputs\": %d}, {\"type\": \"softplus\"}, ", MODEL_UNITS);
    if (m->loss == NW_DIFF2_HUBER)
        snprintf(width, sizeof width, ", \"delta\": %.17g", m->huber_width);
    snprintf(text, sizeof text,
        "{\"input\": {\"floats\": %zu}, \"layers\": [%s{\"type\": \"linear\", \"outputs\": %zu}], \"loss\": \"%s\"%s}",
        m->features, hidden, m->outputs, nw_diff2_loss_name(m->loss), width);
    return nw_network_new(&j->net, text, &opts, &err) == NW_OK ? APP_OK : app_fail_error("--model", &err);
}

/* Matrices of weights, each followed by its biases; x has each row of weights followed by its bias. */
static void copy_parameters(const job *j, double *x, bool is_out)
{
    for (size_t i = 0; i + 1 < nw_network_parameters(j->net); i += 2) {
        const nw_network_parameter weights = nw_network_get_parameter(j->net, i);
        const nw_network_parameter biases = nw_network_get_parameter(j->net, i + 1);
        for (size_t row = 0; row < weights.rows; row++, x += weights.cols + 1) {
            for (size_t k = 0; k <= weights.cols; k++) {
                float *value = k < weights.cols ? &weights.values[row * weights.cols + k] : &biases.values[row];
                if (is_out)
                    x[k] = (double)*value;
                else
                    *value = (float)x[k];
            }
        }
    }
}

/* ---- the run ---- */

static int train_opts(const job *j, nw_train_opts *o, nw_optimizer_opts *optimizer)
{
    const settings *s = j->settings;
    const double n = (double)(s->records > 0 ? s->records : j->records);
    o->epsilon = s->epsilon;
    o->delta = s->delta;
    o->adjacency = s->adjacency == 1 ? NW_REPLACE_ONE : NW_ADD_REMOVE;
    o->batch = s->batch > 0.0 ? s->batch : fmax(1.0, nearbyint(USUAL_RATE * n));
    o->public_records = (size_t)s->records;
    o->steps = j->chosen.rounds;
    o->clip_norm = j->chosen.c1;
    o->optimizer = optimizer;
    optimizer->learning_rate = j->chosen.eta;
    optimizer->weight_decay = s->ridge;
    optimizer->average = j->chosen.rounds > j->chosen.tail ? 1.0 - 1.0 / (double)j->chosen.tail : 0.0;
    if (s->batch > n)
        return app_fail(APP_USAGE, "--batch", "is %g, must be at most the number of records", s->batch);
    return APP_OK;
}

int batches_prepare(job *j)
{
    nw_error err;
    nw_train_opts opts = NW_TRAIN_OPTS_INIT;
    nw_optimizer_opts optimizer = NW_OPTIMIZER_OPTS_INIT;
    int code = make_network(j);
    if (code == APP_OK)
        code = train_opts(j, &opts, &optimizer);
    if (code != APP_OK)
        return code;
    copy_parameters(j, j->x, false);
    if (nw_train_new(&j->train, j->net, j->records, &opts, &err) != NW_OK)
        return app_fail_error("run", &err);
    j->event = nw_train_event(j->train);
    j->costs = (costs){ .restart_noise = nw_train_noise_multiplier(j->train), .difference_noise = NAN };
    if (nw_train_spent(j->train, opts.steps, &j->costs.epsilon, &err) != NW_OK ||
        nw_account_mu(j->event, opts.adjacency, &j->costs.mu, &err) != NW_OK)
        return app_fail_error("run", &err);
    return APP_OK;
}

static bool after_step(void *context, uint64_t step)
{
    job *j = context;
    double epsilon = NAN;
    copy_parameters(j, j->looked_at, true);
    look_at_iterate(j, j->looked_at, step);
    if (is_curve_point(j, step) && nw_train_spent(j->train, step, &epsilon, NULL) == NW_OK)
        look_for_curve(j, j->looked_at, step, epsilon);
    return app_progress_step(&j->progress, "training", (double)step / (double)j->chosen.rounds);
}

int batches_run(job *j)
{
    nw_error err;
    nw_network_shape shape;
    data_feed feed;
    const char *subject = j->settings->ledger != NULL ? j->settings->ledger : "run";
    nw_network_get_shape(j->net, &shape);
    int code = data_feed_make(&feed, &j->data, &shape, j->settings->data);
    const nw_train_source source = { data_fetch, &feed };
    if (code == APP_OK && nw_train_charge(j->train, j->ledger, j->settings->label, j->rng, &j->receipt, &err) != NW_OK)
        code = app_fail_error(subject, &err);
    const nw_status status = code == APP_OK ? nw_train_run(j->train, &source, j->rng, after_step, j, &err) : NW_E_STATE;
    app_progress_end(&j->progress);
    if (code == APP_OK && status != NW_OK)
        code = app_fail_error("run", &err);
    if (code == APP_OK && nw_train_settle(j->train, j->ledger, &j->receipt, &err) != NW_OK)
        code = app_fail_error(subject, &err);
    copy_parameters(j, j->x, true);
    data_feed_free(&feed);
    return code;
}
