/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_STRATEGY_H
#define NW_STRATEGY_H

/* nw/strategy.h - the strategy matrix C of a matrix mechanism A = B C, and how often and when one record may take part.
 *
 * Noise of standard deviation sigma on C x is mu-Gaussian DP with mu = sens(C) / sigma, exactly, also when the rows of x are
 * chosen adaptively [DMRST22]. sens(C)^2 is the largest || sum of +- C[:, j] over the steps j of one record ||^2.
 */
#include <nw/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum nw_strategy_kind {
    NW_STRATEGY_DENSE = 1,    /* C row by row, steps x steps, lower triangular or not */
    NW_STRATEGY_TOEPLITZ = 2, /* lower triangular, first column c[0..n): c beyond n is 0, so a short c is banded */
    NW_STRATEGY_BANDED = 3,   /* lower triangular, `bands` diagonals: c[i * bands + d] = C[i, i - d] */
    NW_STRATEGY_BLT = 4       /* buffered linear Toeplitz: c_0 = 1, c_i = sum_j w_j theta_j^(i-1) */
} nw_strategy_kind;

/** Borrowed by the caller's arrays while a function reads it. */
typedef struct nw_strategy {
    size_t struct_size;
    nw_strategy_kind kind;
    uint64_t steps;              /* rows and columns of C, >= 1 */
    const double *coefficients;  /* dense, toeplitz, banded: as above; blt: the weights w_j */
    size_t coefficient_count;    /* of the array */
    const double *theta;         /* blt: decay of buffer j in [0, 1), as many as coefficients */
    uint64_t bands;              /* banded only */
    uint64_t max_participations; /* of one record; 1: single participation; 0: as many as the separation allows */
    uint64_t min_separation;     /* steps between two participations of one record, >= 1 */
} nw_strategy;
/* clang-format off */
#define NW_STRATEGY_INIT { sizeof(nw_strategy), (nw_strategy_kind)0, 0, NULL, 0, NULL, 0, 1, 1 }
/* clang-format on */

/** sens(C) for rows of norm 1, rounded up. Exact where the pattern's maximum is known (see the source's notes), else an upper
 *  bound; `is_exact` (may be NULL) says which.
 *  Errors NW_E_ARG naming the field; NW_E_UNSUPPORTED if the maximum would be too costly to bound. */
NW_API NW_WARN_UNUSED nw_status nw_strategy_sensitivity(
    const nw_strategy *strategy, double *sensitivity, bool *is_exact, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
