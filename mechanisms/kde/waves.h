/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_KDE_WAVES_H
#define NW_KDE_WAVES_H

/* waves.h - cosines and sines of random frequencies: the inner loops of the feature estimators.
 *
 * Frequencies are in turns: w.x / 2 pi, so that the integer part of a phase can be dropped exactly. All in float, by operations
 * whose order the source fixes: equal on every processor, for every batch. */
#include "kde_internal.h"

enum {
    NW__WAVES_PANEL = 32,      /* dense: frequencies side by side in memory */
    NW__WAVES_LEAST_SIDE = 64, /* Hadamard: fewer mix too little */
    NW__WAVES_MOST_SIDE = 16384
};

/** Public: drawn from the public seed. */
typedef struct nw__waves {
    size_t dimension;
    size_t pairs;
    size_t tile;        /* frequencies computed at once: a panel, or a Hadamard block */
    size_t tiles;       /* pairs / tile, rounded up; the last may be cut */
    float *panels;      /* dense: [tiles][dimension][panel]; else NULL */
    float *signs;       /* Hadamard: [tiles][3][side] */
    float *coordinates; /* Hadamard: [tiles][dimension] factors of the coordinates; NULL: 1 */
    float *radii;       /* Hadamard: [tiles][side] factors of the frequencies */
    float *shifts;      /* [pairs] in turns, or NULL: 0 */
} nw__waves;

nw_status nw__waves_new(nw__waves *waves, const nw_kde *kde, bool is_hadamard, bool is_shifted, nw_error *err);
void nw__waves_clear(nw__waves *waves);

/** sums[i] += rint(2^20 cos), and unless `sines` is NULL sines[i] += rint(2^20 sin), of n points. */
void nw__waves_add(const nw__waves *waves, const float *points, size_t n, int64_t *cosines, int64_t *sines);
/** value = sum over i of t_i, square = sum of t_i^2, t_i = cos c_i + sin s_i (s may be NULL), of one point. */
void nw__waves_dot(const nw__waves *waves, const float *point, const float *c, const float *s, double *value, double *square);
/** The phases of one point, in turns, for tests: float[pairs]. */
void nw__waves_phases(const nw__waves *waves, const float *point, float *turns);
/** H v in place, H the Sylvester-Hadamard matrix with entries 1 and -1; side: a power of two, at least 64. */
void nw__waves_hadamard(float *v, size_t side);

#endif
