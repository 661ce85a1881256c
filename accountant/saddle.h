/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_SADDLE_H
#define NW_SADDLE_H

/* saddle.h - where to tilt: the saddle point of delta(epsilon) = (1 / 2 pi) int exp(K(t) - t epsilon) / (t (t + 1)), t = theta +
 * i y, K(t) = sum_j n_j log E_P e^(t L_j)  [Alg23]. Plain doubles: it decides efficiency and the uncertified estimate, never a
 * bound. */
#include "pld.h"

typedef struct nw__saddle {
    double theta;
    double epsilon;    /* at the saddle */
    double log_delta;  /* first-order saddle-point estimate */
    double deviation;  /* of the tilted sum */
    bool is_smooth;    /* the estimate's assumption: the transform decays along the contour */
    double *log_scale; /* of each mechanism at theta; n */
    double *highest;   /* its finite losses' upper quantile */
    double *spread;    /* deviation of one copy's tilted loss */
} nw__saddle;

nw_status nw__saddle_find(nw__saddle *out, const nw__mechanism *list, size_t n, const nw__pld_query *query, nw_error *err);
/** log E_P e^((order - 1) L) / (order - 1) of an upper privacy loss distribution of the pair: an upper bound. */
nw_status nw__saddle_renyi(const nw__pair *pair, double order, double *out, nw_error *err);
void nw__saddle_free(nw__saddle *saddle);

#endif
