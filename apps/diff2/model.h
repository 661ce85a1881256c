/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DIFF2_MODEL_H
#define DIFF2_MODEL_H

/* model.h - the models of nw-diff2 in closed form: outputs, losses, gradients of one record.
 *
 * Parameters x, in this order. Linear: of each output its weights of the features, then its bias: nw/diff2.h has the same. With
 * hidden units: of each unit its weights and bias, then of each output its weights of the units and its bias. */
#include "../common/examples.h"
#include "../common/table.h"

#include <nw/diff2.h>

typedef enum model_kind { MODEL_LINEAR = 0, MODEL_SOFTPLUS } model_kind;
enum { MODEL_UNITS = 10 };

typedef struct model {
    model_kind kind;
    nw_diff2_loss loss;
    double huber_width;
    size_t features;
    size_t outputs; /* softmax: the classes; else 1 */
    size_t dimension;
} model;

/** The model for a table. loss: of regression. */
model model_make(model_kind kind, const table_plan *plan, nw_diff2_loss loss, double huber_width);

/** z: double[outputs], from a record's features. */
void model_outputs(const model *m, const double *x, const float *features, double *z);
/** y: the target, or the number of the class. */
double model_loss(const model *m, const double *z, double y);
/** The gradient of one record's loss: float[dimension] out. room: double[2 outputs + 2 MODEL_UNITS]. */
void model_gradient(const model *m, const double *x, const float *features, double y, double *room, float *gradient);
/** What a record is to be told as: its target, or the number of its class. */
double model_target(const examples *data, size_t i);

/** Sums of loss and, unless NULL, gradient, double[dimension], over all records; exact up to rounding, and as private as the
 *  records. False if memory lacks. */
bool model_sums(const model *m, const double *x, const examples *data, double *loss, double *gradient);
/** Outputs as float[count][outputs] and losses (NULL: none) of all records, in new arrays. False if memory lacks. */
bool model_judge(const model *m, const double *x, const examples *data, float **outputs, double **losses);

/** Adds all records to the open round of d, by explicit gradients, with so many threads. */
nw_status model_add(
    const model *m, nw_diff2 *d, const nw_diff2_round *round, const examples *data, unsigned threads, nw_error *err);
/** Initial parameters: zero of a linear model, else drawn: uniform with the variance that keeps that of the layer before, biases
 *  zero [GB10]. They are public. */
nw_status model_start(const model *m, nw_rng *rng, double *x, nw_error *err);

#endif
