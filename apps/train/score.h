/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_SCORE_H
#define TRAIN_SCORE_H

/* score.h - what a network says about examples, and how good that is. */
#include "data.h"

/** NaN for what does not apply, or cannot be told from these examples. */
typedef struct score {
    size_t count;
    double accuracy;
    double auc;  /* area under the receiver's curve; of more than two classes the mean of one against the rest */
    double loss; /* mean */
    double rmse; /* regression, in the target's unit */
} score;

/** Outputs of all examples: float[count][outputs], in a new array. An exit code, with its message written. */
int score_outputs(float **out, nw_network *net, data_feed *feed, double *losses);
/** How good they are. `unit`: table_target_unit, or 1. */
int score_make(score *out, nw_network *net, data_feed *feed, double unit);

/** The class that outputs name, and its probability. */
uint32_t score_class(const nw_network_shape *shape, const float *outputs, double *probability);

#endif
