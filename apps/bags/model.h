/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_BAGS_MODEL_H
#define APP_BAGS_MODEL_H

/* model.h - a fitted model: its file, its predictions, and how good they are on labels that are not protected. */
#include "frame.h"

typedef struct model {
    feature_plan plan;
    double *coefficients; /* of the features as they are shown to the fit */
    double intercept;
    bool is_classifier;
    char *target;
    char *positive; /* NULL: none */
    char *schema;   /* NULL: none */
} model;

void model_free(model *m);
/** Coefficients by feature, in the units of the table's own columns; *intercept for them. NULL if memory lacks. */
json_t *model_coefficients(const model *m, double *intercept);
/** NULL if memory lacks. */
json_t *model_json(const model *m);
int model_read(model *m, const char *path);

/** Reads records for the model. */
int model_frame(frame *f, const model *m, const char *path, bool needs_target);
/** f(x) of each row, double[rows], into a new array: a number, or a logit. */
int model_scores(double **out, const model *m, const frame *f, const char *subject);
/** How good the model is on the labels of records that were read with them. */
int model_test(json_t **out, const model *m, const frame *f, const char *subject);

#endif
