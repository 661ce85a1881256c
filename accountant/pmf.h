/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_PMF_H
#define NW_PMF_H

/* pmf.h - a privacy loss distribution on a grid, exponentially tilted, and its convolutions.
 *
 * The mass at the loss l = origin + (first + i) h is mass[i] e^(log_scale - theta l): the tilted masses sum to about 1 and are
 * largest where the answer is decided, so an error of the transform that is small against 1 is small against delta, however
 * small delta is. Upper: every mass is at least the true one, or sits at a higher loss; lower: the reverse. */
#include "cells.h"
#include "fft.h"

/** Most points of a distribution. */
#define NW__PMF_MOST 0x1p24

typedef struct nw__pmf {
    double h;
    double origin;
    double theta;
    double log_scale;
    double infinite; /* true mass at infinity */
    int64_t first;
    size_t n;
    double *mass;
    bool is_upper;
} nw__pmf;

typedef struct nw__factor {
    const nw__pmf *pmf;
    uint64_t power;
} nw__factor;

typedef struct nw__window {
    double alias;    /* tilted mass that may fall outside on either side */
    double infinite; /* true mass that may go to infinity */
    size_t most;     /* longest transform allowed */
    double *needed;  /* out: how many points a window needs that is too long, or NW__PMF_TOO_COARSE */
} nw__window;

/** No coarser grid will do. */
#define NW__PMF_TOO_COARSE INFINITY

nw_status nw__pmf_from_cells(nw__pmf *out, const nw__cells *cells, double h, double theta, bool is_upper, nw_error *err);
void nw__pmf_free(nw__pmf *pmf);
nw_status nw__pmf_copy(nw__pmf *out, const nw__pmf *pmf, nw_error *err);
/** Of the tilted masses. */
double nw__pmf_variance(const nw__pmf *pmf);
/** The convolution of all factors with their powers: one inverse transform. All on one grid step with one theta. Errors:
 *  NW_E_UNSUPPORTED if the window needs more than `most` points. */
nw_status nw__pmf_product(
    nw__pmf *out, const nw__factor *factors, size_t n, const nw__window *window, nw__fft *plan, nw_error *err);
/** Moves the masses to a grid of step h anchored at the largest of them: to both neighbours (upper), or from below
 *  (contract.h). */
nw_status nw__pmf_regrid(nw__pmf *pmf, double h, nw_error *err);

/** delta at epsilon, epsilon at delta (INFINITY if there is none), rounded up (upper) or down (lower). */
double nw__pmf_delta(const nw__pmf *pmf, double epsilon);
double nw__pmf_epsilon(const nw__pmf *pmf, double delta);
/** Natural units: the true mass at entry i. */
double nw__pmf_mass(const nw__pmf *pmf, size_t i);
double nw__pmf_loss(const nw__pmf *pmf, size_t i);

#endif
