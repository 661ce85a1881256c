/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* quality.c - see quality.h. */
#include "quality.h"

#include "exit.h"

#include <math.h>
#include <stdlib.h>

uint32_t score_class(const float *outputs, size_t width, double *probability)
{
    uint32_t best = 0;
    double sum = 0.0;
    if (width == 1) { /* logistic */
        const double p = 1.0 / (1.0 + exp(-(double)outputs[0]));
        *probability = p > 0.5 ? p : 1.0 - p;
        return outputs[0] > 0.0F;
    }
    for (uint32_t k = 1; k < width; k++)
        best = outputs[k] > outputs[best] ? k : best;
    for (uint32_t k = 0; k < width; k++)
        sum += exp((double)outputs[k] - (double)outputs[best]);
    *probability = 1.0 / sum;
    return best;
}

/* ---- area under the curve ---- */

typedef struct ranked {
    double value;
    bool is_positive;
} ranked;

static int by_value(const void *a, const void *b)
{
    const ranked *x = a;
    const ranked *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

/* The chance that a positive example has the larger value, ties counted half: Mann and Whitney's statistic. NaN without both. */
static double area(ranked *list, size_t n)
{
    double positives = 0.0;
    double rank_sum = 0.0;
    qsort(list, n, sizeof *list, by_value);
    for (size_t i = 0; i < n;) {
        size_t end = i;
        double in_tie = 0.0;
        for (; end < n && list[end].value == list[i].value; end++)
            in_tie += list[end].is_positive;
        rank_sum += in_tie * (0.5 * (double)(i + end - 1) + 1.0);
        positives += in_tie;
        i = end;
    }
    const double negatives = (double)n - positives;
    return positives > 0.0 && negatives > 0.0 ? (rank_sum - 0.5 * positives * (positives + 1.0)) / (positives * negatives) : NAN;
}

/* What ranks examples for class k against the rest: the logit less the logarithm of the others' sum. */
static double margin(const float *outputs, size_t width, uint32_t k)
{
    double most = -INFINITY;
    double sum = 0.0;
    if (width == 1)
        return outputs[0];
    for (uint32_t j = 0; j < width; j++)
        most = j != k ? fmax(most, (double)outputs[j]) : most;
    for (uint32_t j = 0; j < width; j++)
        sum += j != k ? exp((double)outputs[j] - most) : 0.0;
    return (double)outputs[k] - most - log(sum);
}

static int mean_area(double *auc, const float *outputs, size_t width, const examples *data)
{
    double sum = 0.0;
    uint32_t seen = 0;
    ranked *list = calloc(data->count > 0 ? data->count : 1, sizeof *list);
    if (list == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    for (uint32_t k = data->classes == 2 ? 1 : 0; k < data->classes; k++) {
        for (size_t i = 0; i < data->count; i++)
            list[i] = (ranked){ margin(outputs + i * width, width, k), data->labels[i] == (int32_t)k };
        const double one = area(list, data->count);
        sum += isnan(one) ? 0.0 : one;
        seen += isnan(one) ? 0U : 1U;
    }
    *auc = seen > 0 ? sum / seen : NAN;
    free(list);
    return APP_OK;
}

static int judge_classes(score *out, const float *outputs, size_t width, const examples *data)
{
    size_t right = 0;
    double p;
    for (size_t i = 0; i < data->count; i++)
        right += score_class(outputs + i * width, width, &p) == (uint32_t)data->labels[i];
    out->accuracy = data->count > 0 ? (double)right / (double)data->count : NAN;
    return mean_area(&out->auc, outputs, width, data);
}

int score_judge(score *out, const float *outputs, size_t width, const double *losses, const examples *data, double unit)
{
    double loss = 0.0;
    double squares = 0.0;
    *out = (score){ data->count, NAN, NAN, NAN, NAN };
    for (size_t i = 0; i < data->count; i++) {
        loss += losses[i];
        squares += data->targets != NULL ? pow(unit * (outputs[i] - data->targets[i]), 2.0) : 0.0;
    }
    if (data->count > 0) {
        out->loss = loss / (double)data->count;
        out->rmse = data->targets != NULL ? sqrt(squares / (double)data->count) : NAN;
    }
    return data->labels != NULL ? judge_classes(out, outputs, width, data) : APP_OK;
}
