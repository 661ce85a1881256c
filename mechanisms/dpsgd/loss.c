/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* loss.c - the loss of one example: the average over positions, whose number is public, of the sum over outputs. */
#include "network_internal.h"

#include <math.h>
#include <string.h>

/* -log softmax(outputs)[wanted]; a class that there is not counts nothing. Sums in double: n may be a vocabulary. */
static double softmax(const float *outputs, size_t n, int32_t wanted, float share, float *grad)
{
    double largest = outputs[0];
    double sum = 0.0;
    if (wanted < 0 || (size_t)wanted >= n)
        return 0.0;
    for (size_t j = 1; j < n; j++)
        largest = outputs[j] > largest ? outputs[j] : largest;
    for (size_t j = 0; j < n; j++)
        sum += exp((double)outputs[j] - largest);
    for (size_t j = 0; grad != NULL && j < n; j++)
        grad[j] = share * (float)(exp((double)outputs[j] - largest) / sum - (j == (size_t)wanted ? 1.0 : 0.0));
    return log(sum) + largest - outputs[wanted];
}

/* log(1 + exp(-x)) for class 1, log(1 + exp(x)) for class 0. */
static double logistic(float output, int32_t class, float share, float *grad)
{
    if (class != 0 && class != 1)
        return 0.0;
    const double x = class == 1 ? -(double)output : (double)output;
    const double small = exp(-fabs(x));
    const double sigmoid = x >= 0.0 ? 1.0 / (1.0 + small) : small / (1.0 + small);
    if (grad != NULL)
        *grad = share * (float)(class == 1 ? -sigmoid : sigmoid);
    return (x > 0.0 ? x : 0.0) + log1p(small) + (x - x); /* NaN stays */
}

static double distance(const nw_network *net, float output, float target, float share, float *grad)
{
    const double d = (double)output - (double)target;
    const bool is_far = net->shape.loss == NW_NETWORK_HUBER && fabs(d) > net->delta;
    if (grad != NULL)
        *grad = share * (float)(is_far ? copysign(net->delta, d) : d);
    return is_far ? net->delta * (fabs(d) - net->delta / 2.0) : d * d / 2.0;
}

static double distances(const nw_network *net, const float *outputs, const float *targets, size_t n, float share, float *grad)
{
    double loss = 0.0;
    for (size_t j = 0; j < n; j++)
        loss += distance(net, outputs[j], targets[j], share, grad == NULL ? NULL : grad + j);
    return loss;
}

double nw__loss(
    const nw_network *net, const float *outputs, const int32_t *classes, const float *targets, float share, float *grad)
{
    const size_t n = net->shape.outputs;
    const size_t positions = net->shape.positions;
    const float part = share / (float)positions;
    double loss = 0.0;
    if (net->shape.loss == NW_NETWORK_SQUARED || net->shape.loss == NW_NETWORK_HUBER)
        return distances(net, outputs, targets, positions * n, part, grad) / (double)positions;
    if (grad != NULL)
        memset(grad, 0, positions * n * sizeof *grad);
    for (size_t t = 0; t < positions; t++) {
        float *slope = grad == NULL ? NULL : grad + t * n;
        if (net->shape.loss == NW_NETWORK_SOFTMAX)
            loss += softmax(outputs + t * n, n, classes[t], part, slope);
        for (size_t j = 0; net->shape.loss != NW_NETWORK_SOFTMAX && j < n; j++) {
            float *one = slope == NULL ? NULL : slope + j;
            loss += logistic(outputs[t * n + j], classes[t * n + j], part, one);
        }
    }
    return loss / (double)positions;
}
