/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* rounds.c - diff2 and dpgd: rounds over all records. DP-GD is DIFF2 with a restart in each round. */
#include "../common/exit.h"
#include "../common/signals.h"
#include "job.h"

#include <nw/accounting.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const nw_adjacency adjacencies[] = { NW_ADD_REMOVE, NW_REPLACE_ONE };

static nw_diff2_opts opts_of(const job *j)
{
    const settings *s = j->settings;
    nw_diff2_opts o = NW_DIFF2_OPTS_INIT;
    o.epsilon = s->epsilon;
    o.delta = s->delta;
    o.adjacency = adjacencies[s->adjacency];
    o.public_records = s->records > 0 ? s->records : j->records > 0 ? j->records : 1; /* an estimate may know none */
    o.rounds = j->chosen.rounds;
    o.period = j->chosen.period;
    o.clip_gradient = j->chosen.c1;
    o.clip_difference = j->chosen.c2;
    o.split = j->chosen.split;
    o.learning_rate = j->chosen.eta;
    o.tail = j->chosen.tail;
    o.keeps_reserve = j->keeps_reserve;
    o.threads = (unsigned)s->threads;
    return o;
}

/* The library's own path for linear models. */
static int make_rows(job *j)
{
    nw_error err;
    nw_diff2_model_opts o = NW_DIFF2_MODEL_OPTS_INIT;
    if (j->model.kind != MODEL_LINEAR || j->settings->is_estimate || j->rows != NULL)
        return APP_OK;
    j->targets = calloc(j->data.count > 0 ? j->data.count : 1, sizeof *j->targets);
    if (j->targets == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    for (size_t i = 0; i < j->data.count; i++)
        j->targets[i] = (float)model_target(&j->data, i);
    o.loss = j->model.loss;
    o.features = j->data.reals;
    o.targets = j->targets;
    o.rows = j->data.count;
    o.columns = j->model.features;
    o.classes = j->model.outputs;
    o.huber_width = j->model.huber_width;
    o.threads = (unsigned)j->settings->threads;
    return nw_diff2_model_new(&j->rows, &o, &err) == NW_OK ? APP_OK : app_fail_error("--model", &err);
}

int rounds_prepare(job *j)
{
    nw_error err;
    nw_diff2_free(j->diff2);
    j->diff2 = NULL;
    const nw_diff2_opts o = opts_of(j);
    const int code = make_rows(j);
    if (code != APP_OK)
        return code;
    if (nw_diff2_new(&j->diff2, j->model.dimension, j->x, &o, &err) != NW_OK)
        return app_fail_error("run", &err);
    const nw_diff2_plan plan = nw_diff2_get_plan(j->diff2);
    j->costs = (costs){ plan.epsilon, plan.mu, plan.restart_noise, plan.difference_noise, plan.restarts };
    j->event = nw_diff2_event(j->diff2);
    return APP_OK;
}

/* What the first rounds cost: all of mu that is in them, of the rest nothing. */
static double spent(const job *j, uint64_t rounds)
{
    const uint64_t restarts = (rounds + j->chosen.period - 1) / j->chosen.period;
    const double differences = (double)(rounds - restarts) / pow(j->costs.difference_noise, 2.0);
    const double mu_squared = (double)restarts / pow(j->costs.restart_noise, 2.0) + (rounds > restarts ? differences : 0.0);
    return nw_gdp_epsilon(sqrt(mu_squared) * (j->settings->adjacency == 1 ? 2.0 : 1.0), j->settings->delta);
}

/* A process that cannot go on tells the others before they wait for its sum. */
static int add_records(job *j)
{
    nw_error err;
    nw_diff2_round round;
    unsigned threads = (unsigned)j->settings->threads;
    int code = APP_OK;
    nw_status status = nw_diff2_begin_round(j->diff2, &round, &err);
    if (status == NW_OK && j->rows != NULL)
        status = nw_diff2_add_model(j->diff2, j->rows, &err);
    else if (status == NW_OK)
        status = model_add(&j->model, j->diff2, &round, &j->data, threads, &err);
    if (status != NW_OK)
        code = app_fail_error("run", &err);
    else if (app_signals_caught() != 0)
        code = app_fail(128 + app_signals_caught(), NULL, "interrupted after round %llu of %llu; the budget stays spent",
            (unsigned long long)round.round, (unsigned long long)j->chosen.rounds);
    return app_agree(j->processes, code);
}

static int run_round(job *j, uint64_t round)
{
    nw_error err;
    const double *x = nw_diff2_iterate(j->diff2);
    const double ridge = j->settings->ridge;
    const int code = add_records(j);
    if (code != APP_OK)
        return code;
    for (size_t k = 0; ridge > 0.0 && k < j->model.dimension; k++)
        j->gradient[k] = ridge * x[k];
    if (nw_diff2_step(j->diff2, j->processes, j->rng, ridge > 0.0 ? j->gradient : NULL, &err) != NW_OK)
        return app_agree(j->processes, app_fail_error("run", &err));
    look_at_iterate(j, nw_diff2_iterate(j->diff2), round + 1);
    if (j->processes->rank == 0 && is_curve_point(j, round + 1))
        look_for_curve(j, nw_diff2_iterate(j->diff2), round + 1, spent(j, round + 1));
    (void)app_progress_step(&j->progress, "training", (double)(round + 1) / (double)j->chosen.rounds);
    return APP_OK;
}

int rounds_run(job *j)
{
    nw_error err;
    int code = APP_OK;
    const nw_status status = nw_diff2_charge(j->diff2, j->processes, j->rng, j->ledger, j->settings->label, &j->receipt, &err);
    if (status != NW_OK)
        return app_agree(j->processes, app_fail_error(j->settings->ledger != NULL ? j->settings->ledger : "run", &err));
    for (uint64_t round = 0; code == APP_OK && round < j->chosen.rounds; round++)
        code = run_round(j, round);
    app_progress_end(&j->progress);
    if (code == APP_OK && nw_diff2_result(j->diff2, j->x, &err) != NW_OK)
        code = app_fail_error("run", &err);
    return code;
}
