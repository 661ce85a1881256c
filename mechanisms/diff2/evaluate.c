/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* evaluate.c - loss and gradient in double, without noise or clipping: of records that are public, or were set apart. */
#include "diff2_internal.h"

#include <math.h>
#include <stdlib.h>

typedef struct evaluation {
    const nw_diff2_model *m;
    const double *x;
    double *z; /* [outputs]: scores, then derivatives */
    double loss;
    double *gradient; /* or NULL */
} evaluation;

static double softmax_loss(double *z, size_t classes, size_t target)
{
    double most = z[0];
    double sum = 0.0;
    for (size_t k = 0; k < classes; k++)
        most = fmax(most, z[k]);
    for (size_t k = 0; k < classes; k++)
        sum += exp(z[k] - most);
    const double loss = most + log(sum) - z[target];
    for (size_t k = 0; k < classes; k++)
        z[k] = exp(z[k] - most) / sum - (k == target ? 1.0 : 0.0);
    return loss;
}

static double logistic_loss(double *z, double y)
{
    const double target = fmin(fmax(y, 0.0), 1.0);
    const double e = exp(-fabs(*z));
    const double loss = log1p(e) + fmax(*z, 0.0) - target * *z;
    *z = (*z < 0.0 ? e / (1.0 + e) : 1.0 / (1.0 + e)) - target;
    return loss;
}

static double residual_loss(double *z, double y, double width)
{
    const double gap = *z - y;
    *z = fmin(fmax(gap, -width), width);
    return fabs(gap) <= width ? 0.5 * gap * gap : width * (fabs(gap) - 0.5 * width);
}

static double loss_of(const nw_diff2_model *m, double *z, float y)
{
    switch (m->opts.loss) {
    case NW_DIFF2_SOFTMAX: return softmax_loss(z, m->outputs, (size_t)y);
    case NW_DIFF2_LOGISTIC: return logistic_loss(z, (double)y);
    case NW_DIFF2_HUBER: return residual_loss(z, (double)y, m->opts.huber_width);
    case NW_DIFF2_SQUARED: break;
    }
    return residual_loss(z, (double)y, (double)INFINITY);
}

static void evaluate_row(evaluation *e, size_t row)
{
    const nw_diff2_model *m = e->m;
    const float *a = m->opts.features + row * m->opts.stride;
    for (size_t k = 0; k < m->outputs; k++) {
        const double *w = e->x + k * m->per_output;
        double lanes[NW__DIFF2_LANES] = { 0.0 };
        for (size_t j = 0; j < m->opts.columns; j++)
            lanes[j % NW__DIFF2_LANES] += (double)a[j] * w[j];
        e->z[k] = m->opts.has_bias ? w[m->opts.columns] : 0.0;
        for (size_t l = 0; l < NW__DIFF2_LANES; l++)
            e->z[k] += lanes[l];
    }
    e->loss += loss_of(m, e->z, m->opts.targets[row]);
    for (size_t k = 0; k < m->outputs && e->gradient != NULL; k++) {
        double *g = e->gradient + k * m->per_output;
        for (size_t j = 0; j < m->opts.columns; j++)
            g[j] += e->z[k] * (double)a[j];
        if (m->opts.has_bias)
            g[m->opts.columns] += e->z[k];
    }
}

nw_status nw_diff2_model_evaluate(nw_diff2_model *model, const double *x, double *loss, double *gradient, nw_error *err)
{
    if (model == NULL || x == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", model == NULL ? "model" : "x");
    const size_t parameters = nw_diff2_model_dimension(model);
    const double mean = model->opts.rows == 0 ? 0.0 : 1.0 / (double)model->opts.rows;
    evaluation e = { model, x, nw__calloc(model->outputs, sizeof *e.z), 0.0, gradient };
    if (e.z == NULL)
        return nw__fail_memory(err, __func__);
    for (size_t j = 0; j < parameters && gradient != NULL; j++)
        gradient[j] = 0.0;
    for (size_t i = 0; i < model->opts.rows; i++)
        if (model->caps[i] > 0.0f)
            evaluate_row(&e, i);
    for (size_t j = 0; j < parameters && gradient != NULL; j++)
        gradient[j] *= mean;
    if (loss != NULL)
        *loss = e.loss * mean;
    nw__free_wiped(e.z, model->outputs * sizeof *e.z);
    return NW_OK;
}
