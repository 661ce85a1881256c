/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_KDE_LANDMARKS_H
#define NW_KDE_LANDMARKS_H

/* landmarks.h - what the planner asks the landmark estimator. */
#include "kde_internal.h"

typedef struct nw__landmark_prediction {
    size_t rank;          /* of the release: opts.size, or the best */
    double noise;         /* standard deviation of a value, on average over the landmarks */
    double approximation; /* of a point's similarity: what the landmarks would leave of each other's averages */
} nw__landmark_prediction;

/** `points`: how many are expected. Keeps its tables in the handle for setup; nw__kde_landmarks.clear frees them.
 *  Errors: NW_E_NOMEM. */
nw_status nw__landmarks_predict(nw__landmark_prediction *out, nw_kde *kde, double points, nw_error *err);

#endif
