/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_ROWS_H
#define NW_ROWS_H

/* rows.h - products of rows with one matrix, in which a row's result depends on that row alone: not on where it stands, nor on
 * how many there are, nor on the threads. Libraries of linear algebra do not promise that, and break it: rows at the edge of a
 * tile are added up in another order. The proof of the sums (docs/rooms/dpsgd.md#sums) needs it, as a record's gradient must not
 * depend on the batch that it is in.
 *
 * Element (i, j) is begin(i, j), plus for each block of NW__ROWS_DEPTH inputs the sum of their products in order, from 0 on. */
#include "base.h"

enum {
    NW__ROWS_AT_ONCE = 48, /* of a thread; a multiple of every kernel's tile */
    NW__ROWS_DEPTH = 256,  /* inputs of a block */
    NW__ROWS_WIDTH = 384,  /* outputs of a block: with the depth, what stays in a processor's second cache */
    NW__ROWS_SCRATCH = NW__ROWS_DEPTH * NW__ROWS_WIDTH
};

/** Y = X W' (is_turned: W is n x k) or X W (W is k x n), all row-major without gaps, plus `bias` on each row or `before`, of
 *  which one may be given. */
typedef struct nw__rows {
    size_t rows, n, k;
    const float *x;
    const float *w;
    bool is_turned;
    const float *bias;   /* float[n], or NULL */
    const float *before; /* rows x n, may be y; or NULL */
    float *y;
    float *scratch; /* NW__ROWS_SCRATCH floats */
    int threads;
} nw__rows;
void nw__rows_product(const nw__rows *r);

/* One block of a product on the vector units that it was compiled for (rows_kernel.c). */
typedef struct nw__rows_block {
    size_t first_row, end_row;
    size_t first_in, ins;   /* inputs */
    size_t first_out, outs; /* outputs */
} nw__rows_block;
typedef struct nw__rows_kernel {
    size_t panel; /* outputs that are packed together */
    /** Packs panel number i of a block into scratch + i * panel * ins; outputs that there are not become zeros. */
    void (*pack)(const nw__rows *r, const nw__rows_block *b, size_t i);
    void (*multiply)(const nw__rows *r, const nw__rows_block *b);
} nw__rows_kernel;
extern const nw__rows_kernel nw__rows_kernel_4, nw__rows_kernel_8, nw__rows_kernel_16;

/** For tests: the kernels of this build that the processor has, widest first; NULL ends them. The first is the one in use. */
const nw__rows_kernel *const *nw__rows_kernels(void);
void nw__rows_product_by(const nw__rows_kernel *kernel, const nw__rows *r);

#endif
