/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* splines.c - B-splines by their polynomials [UAE93], banded Cholesky. Public quantities, but for what is solved. */
#include "splines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of Gauss-Legendre on a cell: where functions are sampled. */
static const double PLACE[NW__SPLINE_NODES] = { 0.1127016653792583, 0.5, 0.8872983346207417 };

/* f in [0, 1]: where in its cell. */
static void weights_of(double f, double *w)
{
    const double g = 1.0 - f;
    w[0] = g * g * g / 6.0;
    w[1] = (4.0 - 6.0 * f * f + 3.0 * f * f * f) / 6.0;
    w[2] = (4.0 - 6.0 * g * g + 3.0 * g * g * g) / 6.0;
    w[3] = f * f * f / 6.0;
}

size_t nw__axis_weights(const nw__axis *axis, double x, double *weights)
{
    const double at = (x - axis->lower) / axis->side;
    const double inside = at > 0.0 ? (at < (double)axis->cells ? at : (double)axis->cells) : 0.0;
    const size_t cell = inside >= (double)(axis->cells - 1) ? axis->cells - 1 : (size_t)inside;
    weights_of(inside - (double)cell, weights);
    return cell;
}

/* L of the Gram matrix, which has three diagonals below its own. It is positive definite: three nodes a cell tell cubics on two
 * cells and more apart. */
static void factorise(nw__axis *axis)
{
    double *l = axis->factor;
    for (size_t q = 0; q < axis->nodes; q++)
        for (size_t i = 0; i < NW__SPLINE_REACH; i++)
            for (size_t k = 0; k <= i; k++)
                l[(q / NW__SPLINE_NODES + i) * NW__SPLINE_REACH + k] +=
                    axis->basis[q * NW__SPLINE_REACH + i] * axis->basis[q * NW__SPLINE_REACH + i - k];
    for (size_t i = 0; i < axis->splines; i++)
        for (size_t k = NW__SPLINE_REACH; k-- > 0;) {
            if (k > i)
                continue;
            const size_t j = i - k;
            double sum = l[i * NW__SPLINE_REACH + k];
            for (size_t m = 1; m + k < NW__SPLINE_REACH && m <= j; m++)
                sum -= l[i * NW__SPLINE_REACH + k + m] * l[j * NW__SPLINE_REACH + m];
            l[i * NW__SPLINE_REACH + k] = k == 0 ? sqrt(sum) : sum / l[j * NW__SPLINE_REACH];
        }
}

nw_status nw__axis_new(nw__axis *axis, double lower, double width, size_t cells, nw_error *err)
{
    const size_t whole = cells + 2 * (size_t)NW__SPLINE_MARGIN;
    *axis = (nw__axis){ .cells = cells,
        .inside = cells + NW__SPLINE_REACH - 1,
        .splines = whole + NW__SPLINE_REACH - 1,
        .nodes = whole * NW__SPLINE_NODES,
        .lower = lower,
        .side = width / (double)cells };
    axis->places = nw__calloc(axis->nodes, sizeof *axis->places);
    axis->basis = nw__calloc(axis->nodes, NW__SPLINE_REACH * sizeof *axis->basis);
    axis->factor = nw__calloc(axis->splines, NW__SPLINE_REACH * sizeof *axis->factor);
    if (axis->places == NULL || axis->basis == NULL || axis->factor == NULL) {
        nw__axis_clear(axis);
        return nw__fail_memory(err, __func__);
    }
    for (size_t q = 0; q < axis->nodes; q++) {
        const double f = PLACE[q % NW__SPLINE_NODES];
        axis->places[q] = lower + axis->side * ((double)(q / NW__SPLINE_NODES) - NW__SPLINE_MARGIN + f);
        weights_of(f, axis->basis + q * NW__SPLINE_REACH);
    }
    factorise(axis);
    return NW_OK;
}

void nw__axis_clear(nw__axis *axis)
{
    free(axis->places);
    free(axis->basis);
    free(axis->factor);
    *axis = (nw__axis){ 0 };
}

void nw__axis_to_splines(const nw__axis *axis, const double *in, double *out, size_t outer, size_t inner)
{
    memset(out, 0, outer * axis->splines * inner * sizeof *out);
    for (size_t o = 0; o < outer; o++)
        for (size_t q = 0; q < axis->nodes; q++)
            for (size_t k = 0; k < NW__SPLINE_REACH; k++) {
                const double weight = axis->basis[q * NW__SPLINE_REACH + k];
                double *to = out + (o * axis->splines + q / NW__SPLINE_NODES + k) * inner;
                const double *from = in + (o * axis->nodes + q) * inner;
                for (size_t i = 0; i < inner; i++)
                    to[i] += weight * from[i];
            }
}

void nw__axis_to_nodes(const nw__axis *axis, const double *in, double *out, size_t outer, size_t inner)
{
    memset(out, 0, outer * axis->nodes * inner * sizeof *out);
    for (size_t o = 0; o < outer; o++)
        for (size_t q = 0; q < axis->nodes; q++)
            for (size_t k = 0; k < NW__SPLINE_REACH; k++) {
                const double weight = axis->basis[q * NW__SPLINE_REACH + k];
                const double *from = in + (o * axis->splines + q / NW__SPLINE_NODES + k) * inner;
                double *to = out + (o * axis->nodes + q) * inner;
                for (size_t i = 0; i < inner; i++)
                    to[i] += weight * from[i];
            }
}

static void subtract(double *to, double factor, const double *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] -= factor * from[i];
}

void nw__axis_solve(const nw__axis *axis, double *x, size_t outer, size_t inner)
{
    const size_t n = axis->splines;
    for (size_t o = 0; o < outer; o++) {
        double *rows = x + o * n * inner;
        for (size_t i = 0; i < n; i++) {
            const double *l = axis->factor + i * NW__SPLINE_REACH;
            for (size_t k = 1; k < NW__SPLINE_REACH && k <= i; k++)
                subtract(rows + i * inner, l[k], rows + (i - k) * inner, inner);
            for (size_t c = 0; c < inner; c++)
                rows[i * inner + c] /= l[0];
        }
        for (size_t i = n; i-- > 0;) {
            for (size_t k = 1; k < NW__SPLINE_REACH && i + k < n; k++)
                subtract(rows + i * inner, axis->factor[(i + k) * NW__SPLINE_REACH + k], rows + (i + k) * inner, inner);
            for (size_t c = 0; c < inner; c++)
                rows[i * inner + c] /= axis->factor[i * NW__SPLINE_REACH];
        }
    }
}
