/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_SCORE_H
#define TRAIN_SCORE_H

/* score.h - what a network says about examples, and how good that is. */
#include "../common/quality.h"
#include "data.h"

/** Outputs of all examples: float[count][outputs], in a new array. An exit code, with its message written. */
int score_outputs(float **out, nw_network *net, data_feed *feed, double *losses);
/** How good they are. `unit`: table_target_unit, or 1. */
int score_make(score *out, nw_network *net, data_feed *feed, double unit);

#endif
