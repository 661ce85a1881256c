/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* diff2.c - a private logistic regression by DIFF2: the charge, the rounds, the result; and the same records handed as gradients
 * of the caller's own, which gives the same kind of release. */
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

enum { RECORDS = 20000, COLUMNS = 3, DIMENSION = COLUMNS + 1 };

static float features[RECORDS * COLUMNS];
static float targets[RECORDS];

/* Targets follow the sign of 2 a_0 - a_1 + 0.5, mostly. */
static void make_records(void)
{
    for (int i = 0; i < RECORDS; i++) {
        float *a = features + i * COLUMNS;
        for (int j = 0; j < COLUMNS; j++)
            a[j] = (float)((i * (7919 + 104 * j) + j) % 1001) / 500.0F - 1.0F;
        targets[i] = 2.0F * a[0] - a[1] + 0.5F + (float)(i % 7 - 3) / 4.0F > 0.0F ? 1.0F : 0.0F;
    }
}

/* One round by gradients of the caller's own: of the logistic loss at x, and at the iterate before in a difference round. */
static void add_gradients(nw_diff2 *d, const nw_diff2_round *round)
{
    nw_error err;
    static float now[RECORDS * DIMENSION], before[RECORDS * DIMENSION];
    const double *at[2] = { nw_diff2_iterate(d), nw_diff2_previous(d) };
    float *out[2] = { now, before };
    for (int which = 0; which < 2; which++)
        for (int i = 0; i < RECORDS; i++) {
            double z = at[which][COLUMNS];
            for (int j = 0; j < COLUMNS; j++)
                z += (double)features[i * COLUMNS + j] * at[which][j];
            const double r = 1.0 / (1.0 + exp(-z)) - (double)targets[i];
            for (int j = 0; j < DIMENSION; j++)
                out[which][i * DIMENSION + j] = (float)(j == COLUMNS ? r : r * (double)features[i * COLUMNS + j]);
        }
    TRY(nw_diff2_add_gradients(d, now, round->kind == NW_DIFF2_RESTART ? NULL : before, RECORDS, 0, &err));
}

static void run(nw_diff2_model *model, bool has_own_gradients, nw_ledger *ledger, nw_rng *rng)
{
    nw_error err;
    nw_diff2 *d = NULL;
    nw_receipt receipt;
    nw_diff2_round round;
    double x[DIMENSION], loss;
    nw_diff2_opts options = NW_DIFF2_OPTS_INIT;
    options.epsilon = 1.0;
    options.delta = 1e-6;
    options.adjacency = NW_ADD_REMOVE;
    options.public_records = RECORDS;
    options.rounds = 60;
    options.period = 15;           /* 4 restarts */
    options.clip_gradient = 1.0;   /* C1: most gradients are shorter */
    options.clip_difference = 0.5; /* C2: a bound of the second derivative, or half of one */
    options.learning_rate = 2.0;
    TRY(nw_diff2_new(&d, DIMENSION, NULL, &options, &err));
    const nw_diff2_plan plan = nw_diff2_get_plan(d);
    printf("%d restarts at noise %.2f, %d differences at %.2f: mu %.4f\n", (int)plan.restarts, plan.restart_noise,
        (int)(plan.rounds - plan.restarts), plan.difference_noise, plan.mu);
    TRY(nw_diff2_charge(d, NULL, rng, ledger, "model", &receipt, &err));
    while (!nw_diff2_is_done(d)) {
        TRY(nw_diff2_begin_round(d, &round, &err));
        if (has_own_gradients)
            add_gradients(d, &round);
        else
            TRY(nw_diff2_add_model(d, model, &err));
        TRY(nw_diff2_step(d, NULL, rng, NULL, &err));
    }
    TRY(nw_diff2_result(d, x, &err));
    /* These records are made up: of private ones, their loss would be private, too. */
    TRY(nw_diff2_model_evaluate(model, x, &loss, NULL, &err));
    printf("w = (%.2f, %.2f, %.2f), b = %.2f, loss %.3f; epsilon %.3f\n", x[0], x[1], x[2], x[3], loss, receipt.epsilon);
    nw_diff2_free(d);
}

int main(void)
{
    nw_error err;
    nw_rng *rng = NULL;
    nw_ledger *ledger = NULL;
    nw_diff2_model *model = NULL;
    make_records();
    nw_diff2_model_opts shape = NW_DIFF2_MODEL_OPTS_INIT;
    shape.loss = NW_DIFF2_LOGISTIC;
    shape.features = features;
    shape.targets = targets;
    shape.rows = RECORDS;
    shape.columns = COLUMNS;
    TRY(nw_diff2_model_new(&model, &shape, &err));
    nw_ledger_opts budget = NW_LEDGER_OPTS_INIT;
    budget.epsilon = 2.0; /* for both runs */
    budget.delta = 1e-6;
    budget.adjacency = NW_ADD_REMOVE;
    TRY(nw_ledger_memory(&ledger, &budget, &err));
    TRY(nw_rng_new(&rng, &err));
    run(model, false, ledger, rng);
    run(model, true, ledger, rng);
    nw_diff2_model_free(model);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
    return 0;
}
