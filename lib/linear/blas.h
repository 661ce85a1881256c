/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_BLAS_H
#define NW_BLAS_H

/* blas.h - products of float matrices, row-major. By OpenBLAS, which is loaded at the first call
 * (docs/decisions/0011-blas-at-run-time.md), or by plain C where it is missing. One thread a call: loops over independent
 * calls are the caller's, and any number of threads may call at once. Sizes and strides are below 2^31.
 *
 * What the callers' proofs use: each element of a product is the sum, in some order and perhaps with fused operations, of its
 * k products rounded to float, so its error is at most k 2^-24 times the sum of their magnitudes [JR13], underflow apart. An
 * element depends on the sizes and on its own row and column only. */
#include "base.h"

/** op(A) op(B) + beta C into C, m x n; op(A) is m x k. is_a_turned: op(A) is the transpose of A, which is k x m. beta: 0 (C is
 *  not read) or 1. */
typedef struct nw__product {
    bool is_a_turned;
    bool is_b_turned;
    size_t m, n, k;
    const float *a;
    size_t lda;
    const float *b;
    size_t ldb;
    float beta;
    float *c;
    size_t ldc;
} nw__product;
void nw__sgemm(const nw__product *product);
/** Lower triangle of A A' into C, n x n; A is n x k. */
void nw__ssyrk(size_t n, size_t k, const float *a, size_t lda, float *c, size_t ldc);
/** op(A) x into y; A is m x n, and op(A) its transpose if is_turned. */
void nw__sgemv(bool is_turned, size_t m, size_t n, const float *a, size_t lda, const float *x, float *y);

/** The same in plain C: the fallback, and the tests' oracle. */
void nw__plain_sgemm(const nw__product *product);

/** For tests: plain C from now on, or what there is. */
void nw__blas_use_plain(bool is_plain);

#endif
