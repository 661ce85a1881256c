/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* score.c - see score.h. */
#include "score.h"

#include "../common/exit.h"
#include "../common/signals.h"

#include <stdlib.h>

enum { AT_ONCE = 2048 };

int score_outputs(float **out, nw_network *net, data_feed *feed, double *losses)
{
    nw_error err;
    nw_network_shape shape;
    const size_t n = feed->data->count;
    uint32_t indices[AT_ONCE];
    nw_network_get_shape(net, &shape);
    const size_t width = shape.positions * shape.outputs;
    *out = calloc(n > 0 ? n : 1, width * sizeof **out);
    if (*out == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    for (size_t first = 0; first < n; first += AT_ONCE) {
        nw_network_data data;
        const size_t part = n - first < AT_ONCE ? n - first : AT_ONCE;
        for (size_t i = 0; i < part; i++)
            indices[i] = (uint32_t)(first + i);
        nw_status status = data_fetch(feed, indices, part, &data, &err);
        if (status == NW_OK)
            status =
                nw_network_forward(net, &data, NULL, part, *out + first * width, losses == NULL ? NULL : losses + first, &err);
        if (status != NW_OK)
            return app_fail_error("evaluation", &err);
        if (app_signals_caught() != 0)
            return 128 + app_signals_caught();
    }
    return APP_OK;
}

uint32_t score_class(const nw_network_shape *shape, const float *outputs, double *probability)
{
    uint32_t best = 0;
    double sum = 0.0;
    if (shape->outputs == 1) { /* logistic */
        const double p = 1.0 / (1.0 + exp(-(double)outputs[0]));
        *probability = p > 0.5 ? p : 1.0 - p;
        return outputs[0] > 0.0F;
    }
    for (uint32_t k = 1; k < shape->outputs; k++)
        best = outputs[k] > outputs[best] ? k : best;
    for (uint32_t k = 0; k < shape->outputs; k++)
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
static double margin(const nw_network_shape *shape, const float *outputs, uint32_t k)
{
    double most = -INFINITY;
    double sum = 0.0;
    if (shape->outputs == 1)
        return outputs[0];
    for (uint32_t j = 0; j < shape->outputs; j++)
        most = j != k ? fmax(most, (double)outputs[j]) : most;
    for (uint32_t j = 0; j < shape->outputs; j++)
        sum += j != k ? exp((double)outputs[j] - most) : 0.0;
    return (double)outputs[k] - most - log(sum);
}

static int mean_area(double *auc, const nw_network_shape *shape, const float *outputs, const examples *data)
{
    double sum = 0.0;
    uint32_t seen = 0;
    ranked *list = calloc(data->count > 0 ? data->count : 1, sizeof *list);
    if (list == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    for (uint32_t k = data->classes == 2 ? 1 : 0; k < data->classes; k++) {
        for (size_t i = 0; i < data->count; i++)
            list[i] = (ranked){ margin(shape, outputs + i * shape->outputs, k), data->labels[i] == (int32_t)k };
        const double one = area(list, data->count);
        sum += isnan(one) ? 0.0 : one;
        seen += isnan(one) ? 0U : 1U;
    }
    *auc = seen > 0 ? sum / seen : NAN;
    free(list);
    return APP_OK;
}

static int judge_classes(score *out, const nw_network_shape *shape, const float *outputs, const examples *data)
{
    size_t right = 0;
    double p;
    for (size_t i = 0; i < data->count; i++)
        right += score_class(shape, outputs + i * shape->outputs, &p) == (uint32_t)data->labels[i];
    out->accuracy = data->count > 0 ? (double)right / (double)data->count : NAN;
    return mean_area(&out->auc, shape, outputs, data);
}

int score_make(score *out, nw_network *net, data_feed *feed, double unit)
{
    nw_network_shape shape;
    float *outputs = NULL;
    const examples *data = feed->data;
    double *losses = calloc(data->count > 0 ? data->count : 1, sizeof *losses);
    *out = (score){ data->count, NAN, NAN, NAN, NAN };
    nw_network_get_shape(net, &shape);
    if (losses == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    int code = score_outputs(&outputs, net, feed, losses);
    double loss = 0.0;
    double squares = 0.0;
    for (size_t i = 0; code == APP_OK && i < data->count; i++) {
        loss += losses[i];
        squares += data->targets != NULL ? pow(unit * (outputs[i] - data->targets[i]), 2.0) : 0.0;
    }
    if (code == APP_OK && data->count > 0) {
        out->loss = loss / (double)data->count;
        out->rmse = data->targets != NULL ? sqrt(squares / (double)data->count) : NAN;
    }
    if (code == APP_OK && data->labels != NULL)
        code = judge_classes(out, &shape, outputs, data);
    free(outputs);
    free(losses);
    return code;
}
