/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_KDE_SPECTRUM_H
#define NW_KDE_SPECTRUM_H

/* spectrum.h - leading eigenvectors of a symmetric matrix, in plain C whose order of operations is fixed: equal everywhere. */
#include "base.h"

/** Eigenvalues, falling, and orthonormal eigenvectors, as rows, of the symmetric a [n][n], which is overwritten.
 *  Errors: NW_E_NOMEM. */
nw_status nw__eigen(double *a, size_t n, double *values, double *vectors, nw_error *err);

/** The same of the part of a positive semidefinite a [n][n] in a subspace of q <= n dimensions, by subspace iteration from the
 *  rows of vectors [q][n], which are any: values [q] are no larger than the eigenvalues. q = n: all of it, exactly. */
nw_status nw__leading_eigen(const double *a, size_t n, size_t q, double *values, double *vectors, nw_error *err);

/** In four running sums, whose order is fixed. */
double nw__dot(const double *x, const double *y, size_t n);
/** y += factor x */
void nw__axpy(double *y, double factor, const double *x, size_t n);

#endif
