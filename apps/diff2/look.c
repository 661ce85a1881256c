/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* look.c - what is looked at on the way. Gradient norm and loss on the training records are private and nothing pays for them:
 * they are worked out only where the result is not private anyway, or where the user asked for them by their name. */
#include "../common/exit.h"
#include "../common/seed.h"
#include "job.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool is_diagnosed(const job *j)
{
    return j->settings->is_shown || app_is_insecure(j->settings->seed);
}

/* values[n]: in all processes their sum over the processes, added in the order of these. NaN if that fails. Sums of integers
 * are what the processes have: each puts the bits of its numbers where the others have zeros. */
static void sum_together(const nw_reduce *processes, double *values, size_t n)
{
    nw_error err;
    int64_t *bits = processes->size > 1 ? calloc(processes->size, n * sizeof *bits) : NULL;
    if (processes->size == 1)
        return;
    if (bits != NULL)
        memcpy(bits + processes->rank * n, values, n * sizeof *bits);
    const int code = app_agree(processes, bits == NULL ? app_fail(APP_INTERNAL, NULL, "out of memory") : APP_OK);
    const bool is_whole = code == APP_OK && processes->sum_i64(processes->context, bits, n * processes->size, &err) == NW_OK;
    for (size_t k = 0; k < n; k++)
        values[k] = is_whole ? 0.0 : NAN;
    for (size_t p = 0; is_whole && p < processes->size; p++)
        for (size_t k = 0; k < n; k++) {
            double one;
            memcpy(&one, bits + p * n + k, sizeof one);
            values[k] += one;
        }
    free(bits);
}

/* The objective at x, and its gradient in j->gradient: the mean of the losses, and the ridge. */
static double objective(job *j, const double *x)
{
    const size_t d = j->model.dimension;
    double loss = NAN;
    if (!model_sums(&j->model, x, &j->data, &loss, j->gradient))
        loss = NAN;
    j->gradient[d] = loss;
    sum_together(&j->holders, j->gradient, d + 1);
    loss = j->gradient[d] / (double)j->records;
    for (size_t k = 0; k < d; k++) {
        j->gradient[k] = j->gradient[k] / (double)j->records + j->settings->ridge * x[k];
        loss += 0.5 * j->settings->ridge * x[k] * x[k];
    }
    return loss;
}

void look_at_iterate(job *j, const double *x, uint64_t round)
{
    if (!is_diagnosed(j) || round + j->chosen.tail <= j->chosen.rounds)
        return;
    double squares = isnan(objective(j, x)) ? NAN : 0.0;
    for (size_t k = 0; k < j->model.dimension; k++)
        squares += j->gradient[k] * j->gradient[k];
    j->gradient_squares += squares;
    j->gradient_count++;
}

void look_at_result(job *j)
{
    j->train_loss = is_diagnosed(j) ? objective(j, j->x) : NAN;
}

int look_at_test(job *j, const double *x)
{
    float *outputs = NULL;
    double *losses = NULL;
    const double unit = j->plan.classes == 0 ? table_target_unit(&j->plan) : 1.0;
    if (j->settings->test == NULL)
        return APP_OK;
    int code = model_judge(&j->model, x, &j->test, &outputs, &losses) ? APP_OK : app_fail(APP_INTERNAL, NULL, "out of memory");
    if (code == APP_OK)
        code = score_judge(&j->score, outputs, j->model.outputs, losses, &j->test, unit);
    free(outputs);
    free(losses);
    return code;
}

bool is_curve_point(const job *j, uint64_t round)
{
    const uint64_t rounds = j->chosen.rounds;
    const uint64_t part = round * (CURVE_POINTS - 1) / rounds;
    return j->settings->curve != NULL && part > (round - 1) * (CURVE_POINTS - 1) / rounds && j->curve.count < CURVE_POINTS;
}

void look_for_curve(job *j, const double *x, uint64_t round, double epsilon)
{
    curve_point *p = &j->curve.points[j->curve.count++];
    *p = (curve_point){ .step = round, .epsilon = epsilon, .value = NAN, .loss = NAN };
    if (j->settings->test != NULL && look_at_test(j, x) == APP_OK) {
        p->value = j->plan.classes == 0 ? j->score.rmse : j->score.accuracy;
        p->loss = j->score.loss;
    }
}
