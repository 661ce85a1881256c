/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* model.c - see model.h. The hidden layer of softplus units is that of [MS23, section 5]. */
#include "model.h"

#include <math.h>
#include <omp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES_AT_ONCE = 1 << 19, ROWS_AT_ONCE = 2048 };

model model_make(model_kind kind, const table_plan *plan, nw_diff2_loss loss, double huber_width)
{
    model m = { .kind = kind, .loss = loss, .huber_width = huber_width, .features = plan->width, .outputs = 1 };
    if (plan->classes > 0)
        m.loss = plan->classes == 2 ? NW_DIFF2_LOGISTIC : NW_DIFF2_SOFTMAX;
    if (m.loss == NW_DIFF2_SOFTMAX)
        m.outputs = plan->classes;
    m.dimension = kind == MODEL_LINEAR ? m.outputs * (m.features + 1)
                                       : MODEL_UNITS * (m.features + 1) + m.outputs * ((size_t)MODEL_UNITS + 1);
    return m;
}

double model_target(const examples *data, size_t i)
{
    return data->labels != NULL ? (double)data->labels[i] : (double)data->targets[i];
}

/* ---- one record ---- */

/* In lanes, none of which waits for another's addition. */
static double affine(const double *weights, const float *features, size_t n)
{
    enum { LANES = 4 };
    double sums[LANES] = { weights[n] };
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            sums[l] += weights[i + l] * (double)features[i + l];
    for (; i < n; i++)
        sums[0] += weights[i] * (double)features[i];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/* ln(1 + e^a), without overflow. */
static double softplus(double a)
{
    return fmax(a, 0.0) + log1p(exp(-fabs(a)));
}

static double sigmoid(double a)
{
    const double e = exp(-fabs(a));
    return (a >= 0.0 ? 1.0 : e) / (1.0 + e);
}

/* Outputs of the units and their slopes, each may be NULL. */
static void hidden_outputs(const model *m, const double *x, const float *features, double *h, double *slopes)
{
    for (size_t j = 0; j < MODEL_UNITS; j++) {
        const double a = affine(x + j * (m->features + 1), features, m->features);
        const double e = exp(-fabs(a));
        h[j] = fmax(a, 0.0) + log1p(e); /* softplus and, its derivative, the logistic function */
        if (slopes != NULL)
            slopes[j] = (a >= 0.0 ? 1.0 : e) / (1.0 + e);
    }
}

static void top_outputs(const model *m, const double *x, const double *h, double *z)
{
    const double *top = x + MODEL_UNITS * (m->features + 1);
    for (size_t k = 0; k < m->outputs; k++, top += MODEL_UNITS + 1) {
        z[k] = top[MODEL_UNITS];
        for (size_t j = 0; j < MODEL_UNITS; j++)
            z[k] += top[j] * h[j];
    }
}

void model_outputs(const model *m, const double *x, const float *features, double *z)
{
    double h[MODEL_UNITS];
    if (m->kind == MODEL_SOFTPLUS) {
        hidden_outputs(m, x, features, h, NULL);
        top_outputs(m, x, h, z);
        return;
    }
    for (size_t k = 0; k < m->outputs; k++)
        z[k] = affine(x + k * (m->features + 1), features, m->features);
}

/* ln sum e^z. */
static double log_sum(const double *z, size_t n)
{
    double most = z[0];
    double sum = 0.0;
    for (size_t k = 1; k < n; k++)
        most = fmax(most, z[k]);
    for (size_t k = 0; k < n; k++)
        sum += exp(z[k] - most);
    return most + log(sum);
}

double model_loss(const model *m, const double *z, double y)
{
    const double error = z[0] - y;
    switch (m->loss) {
    case NW_DIFF2_LOGISTIC: return softplus(z[0]) - y * z[0];
    case NW_DIFF2_SOFTMAX: return log_sum(z, m->outputs) - z[(size_t)y];
    case NW_DIFF2_HUBER:
        if (fabs(error) > m->huber_width)
            return m->huber_width * (fabs(error) - 0.5 * m->huber_width);
        break;
    case NW_DIFF2_SQUARED: break;
    }
    return 0.5 * error * error;
}

/* Derivatives of the loss by the outputs. */
static void residuals(const model *m, const double *z, double y, double *r)
{
    const double error = z[0] - y;
    const double total = m->loss == NW_DIFF2_SOFTMAX ? log_sum(z, m->outputs) : 0.0;
    switch (m->loss) {
    case NW_DIFF2_LOGISTIC: r[0] = sigmoid(z[0]) - y; break;
    case NW_DIFF2_SQUARED: r[0] = error; break;
    case NW_DIFF2_HUBER: r[0] = fmax(-m->huber_width, fmin(error, m->huber_width)); break;
    case NW_DIFF2_SOFTMAX:
        for (size_t k = 0; k < m->outputs; k++)
            r[k] = exp(z[k] - total) - ((size_t)y == k ? 1.0 : 0.0);
        break;
    }
}

static void put_product(float *out, double factor, const float *features, size_t n)
{
    const float f = (float)factor;
    for (size_t i = 0; i < n; i++)
        out[i] = f * features[i];
    out[n] = f;
}

static void hidden_gradient(const model *m, const double *x, const float *features, double y, double *room, float *gradient)
{
    double *z = room;
    double *r = z + m->outputs;
    double *h = r + m->outputs;
    double *slopes = h + MODEL_UNITS;
    const size_t first = MODEL_UNITS * (m->features + 1);
    hidden_outputs(m, x, features, h, slopes);
    top_outputs(m, x, h, z);
    residuals(m, z, y, r);
    for (size_t j = 0; j < MODEL_UNITS; j++) {
        double back = 0.0;
        for (size_t k = 0; k < m->outputs; k++) {
            back += r[k] * x[first + k * (MODEL_UNITS + 1) + j];
            gradient[first + k * (MODEL_UNITS + 1) + j] = (float)(r[k] * h[j]);
        }
        put_product(gradient + j * (m->features + 1), back * slopes[j], features, m->features);
    }
    for (size_t k = 0; k < m->outputs; k++)
        gradient[first + k * (MODEL_UNITS + 1) + MODEL_UNITS] = (float)r[k];
}

void model_gradient(const model *m, const double *x, const float *features, double y, double *room, float *gradient)
{
    if (m->kind == MODEL_SOFTPLUS) {
        hidden_gradient(m, x, features, y, room, gradient);
        return;
    }
    model_outputs(m, x, features, room);
    residuals(m, room, y, room + m->outputs);
    for (size_t k = 0; k < m->outputs; k++)
        put_product(gradient + k * (m->features + 1), room[m->outputs + k], features, m->features);
}

/* ---- all records ---- */

static size_t room_of(const model *m)
{
    return 2 * m->outputs + 2 * (size_t)MODEL_UNITS;
}

static void wipe(void *block, size_t bytes)
{
    if (block != NULL)
        sodium_memzero(block, bytes);
    free(block);
}

bool model_sums(const model *m, const double *x, const examples *data, double *loss, double *gradient)
{
    double *room = calloc(room_of(m), sizeof *room);
    float *one = calloc(m->dimension, sizeof *one);
    const bool is_whole = room != NULL && one != NULL;
    *loss = 0.0;
    if (gradient != NULL)
        memset(gradient, 0, m->dimension * sizeof *gradient);
    for (size_t i = 0; is_whole && i < data->count; i++) {
        const float *features = data->reals + i * data->width;
        const double y = model_target(data, i);
        if (gradient != NULL)
            model_gradient(m, x, features, y, room, one);
        else
            model_outputs(m, x, features, room);
        *loss += model_loss(m, room, y); /* model_gradient leaves the outputs first in its room */
        for (size_t k = 0; gradient != NULL && k < m->dimension; k++)
            gradient[k] += (double)one[k];
    }
    wipe(room, room_of(m) * sizeof *room);
    wipe(one, m->dimension * sizeof *one);
    return is_whole;
}

bool model_judge(const model *m, const double *x, const examples *data, float **outputs, double **losses)
{
    const size_t n = data->count > 0 ? data->count : 1;
    double *z = calloc(m->outputs, sizeof *z);
    *outputs = calloc(n, m->outputs * sizeof **outputs);
    if (losses != NULL)
        *losses = calloc(n, sizeof **losses);
    const bool is_whole = z != NULL && *outputs != NULL && (losses == NULL || *losses != NULL);
    for (size_t i = 0; is_whole && i < data->count; i++) {
        model_outputs(m, x, data->reals + i * data->width, z);
        for (size_t k = 0; k < m->outputs; k++)
            (*outputs)[i * m->outputs + k] = (float)z[k];
        if (losses != NULL)
            (*losses)[i] = model_loss(m, z, model_target(data, i));
    }
    free(z);
    return is_whole;
}

/* ---- a round ---- */

/* Gradients of n records from the first at both iterates, or only at the newer one. */
typedef struct block {
    const double *x[2];
    float *gradients[2];
    double *room;
} block;

static void fill(const model *m, const block *b, const examples *data, size_t first, size_t n, unsigned threads)
{
    const size_t room = room_of(m);
    const int team = threads > 0 ? (int)threads : omp_get_max_threads();
#pragma omp parallel for num_threads(team)
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < 2 && b->x[k] != NULL; k++)
            model_gradient(m, b->x[k], data->reals + (first + i) * data->width, model_target(data, first + i), b->room + i * room,
                b->gradients[k] + i * m->dimension);
}

static nw_status no_memory(nw_error *err)
{
    if (err != NULL)
        *err = (nw_error){ .status = NW_E_NOMEM, .function = "model_add", .message = "out of memory" };
    return NW_E_NOMEM;
}

nw_status model_add(
    const model *m, nw_diff2 *d, const nw_diff2_round *round, const examples *data, unsigned threads, nw_error *err)
{
    const bool is_restart = round->kind == NW_DIFF2_RESTART;
    const size_t most = VALUES_AT_ONCE / m->dimension;
    const size_t rows = most < 1 ? 1 : most < ROWS_AT_ONCE ? most : ROWS_AT_ONCE;
    block b = { .x = { nw_diff2_iterate(d), is_restart ? NULL : nw_diff2_previous(d) } };
    b.gradients[0] = calloc(rows, m->dimension * sizeof *b.gradients[0]);
    b.gradients[1] = is_restart ? NULL : calloc(rows, m->dimension * sizeof *b.gradients[1]);
    b.room = calloc(rows, room_of(m) * sizeof *b.room);
    nw_status status = NW_OK;
    if (b.gradients[0] == NULL || b.room == NULL || (!is_restart && b.gradients[1] == NULL))
        status = no_memory(err);
    for (size_t first = 0; status == NW_OK && first < data->count; first += rows) {
        const size_t n = data->count - first < rows ? data->count - first : rows;
        fill(m, &b, data, first, n, threads);
        status = nw_diff2_add_gradients(d, b.gradients[0], b.gradients[1], n, 0, err);
    }
    wipe(b.gradients[0], rows * m->dimension * sizeof *b.gradients[0]);
    wipe(b.gradients[1], rows * m->dimension * sizeof *b.gradients[1]);
    wipe(b.room, rows * room_of(m) * sizeof *b.room);
    return status;
}

/* ---- start ---- */

/* Uniform of variance 2 / (in + out). */
static nw_status draw(nw_rng *rng, double *x, size_t in, size_t out, nw_error *err)
{
    const double most = sqrt(6.0 / (double)(in + out));
    for (size_t i = 0; i < in; i++) {
        uint64_t u;
        const nw_status status = nw_rng_uniform(rng, (uint64_t)1 << 53, &u, err);
        if (status != NW_OK)
            return status;
        x[i] = most * (ldexp((double)u + 0.5, -52) - 1.0);
    }
    x[in] = 0.0;
    return NW_OK;
}

nw_status model_start(const model *m, nw_rng *rng, double *x, nw_error *err)
{
    nw_status status = NW_OK;
    memset(x, 0, m->dimension * sizeof *x);
    if (m->kind == MODEL_LINEAR)
        return NW_OK;
    for (size_t j = 0; status == NW_OK && j < MODEL_UNITS; j++, x += m->features + 1)
        status = draw(rng, x, m->features, MODEL_UNITS, err);
    for (size_t k = 0; status == NW_OK && k < m->outputs; k++, x += MODEL_UNITS + 1)
        status = draw(rng, x, MODEL_UNITS, m->outputs, err);
    return status;
}
