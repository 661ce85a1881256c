/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_KDE_SPLINES_H
#define NW_KDE_SPLINES_H

/* splines.h - uniform cubic B-splines on one axis, and least squares with them at fixed nodes.
 *
 * The four splines that reach a point are nonnegative and sum to 1. Arrays of several axes are row-major; a function that works
 * along one of them sees [outer][here][inner].
 *
 * Fits go beyond the ends by a margin of cells, so that the splines at the ends, of which little is inside, are held there: else
 * their coefficients swing. Points are never outside, so of the splines only `inside` get any part of a point. */
#include "base.h"

enum { NW__SPLINE_REACH = 4, NW__SPLINE_NODES = 3 /* a cell */, NW__SPLINE_MARGIN = 3 /* cells */ };

typedef struct nw__axis {
    size_t cells;   /* between the ends */
    size_t inside;  /* cells + 3: splines that reach inside, from the margin on */
    size_t splines; /* cells + 3, and the margins */
    size_t nodes;   /* 3 a cell, with the margins */
    double lower;
    double side;    /* of a cell */
    double *places; /* [nodes] */
    double *basis;  /* [nodes][4]: the splines there; of its cell c they are splines c .. c + 3 */
    double *factor; /* [splines][4]: G = L L', G = sum over nodes of basis basis'; entry k of row i is L[i][i - k] */
} nw__axis;

nw_status nw__axis_new(nw__axis *axis, double lower, double width, size_t cells, nw_error *err);
void nw__axis_clear(nw__axis *axis);

/** The four splines that reach x, and its cell, which is the first one's place among those inside. Beyond the ends: the end's. */
size_t nw__axis_weights(const nw__axis *axis, double x, double *weights);
/** out [outer][splines][inner] = sum over nodes of basis times in [outer][nodes][inner]. */
void nw__axis_to_splines(const nw__axis *axis, const double *in, double *out, size_t outer, size_t inner);
/** out [outer][nodes][inner] = sum over splines of basis times in [outer][splines][inner]. */
void nw__axis_to_nodes(const nw__axis *axis, const double *in, double *out, size_t outer, size_t inner);
/** G^-1 in place, [outer][splines][inner]. */
void nw__axis_solve(const nw__axis *axis, double *x, size_t outer, size_t inner);

#endif
