/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_QUALITY_H
#define APP_QUALITY_H

/* quality.h - how good a model's outputs are: one number for regression and two classes, else one for each class, as logits. */
#include "examples.h"

/** NaN for what does not apply, or cannot be told from these examples. */
typedef struct score {
    size_t count;
    double accuracy;
    double auc;  /* area under the receiver's curve; of more than two classes the mean of one against the rest */
    double loss; /* mean */
    double rmse; /* regression, in the target's unit */
} score;

/** outputs: float[count][width]; losses: double[count]. `unit`: of errors, table_target_unit, or 1. An exit code, with its
 *  message written. */
int score_judge(score *out, const float *outputs, size_t width, const double *losses, const examples *data, double unit);

/** The class that outputs name, and its probability. */
uint32_t score_class(const float *outputs, size_t width, double *probability);

#endif
