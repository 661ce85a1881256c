/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* rows.c - the loops around the kernels: blocks of the matrix are packed once, by all threads, and multiplied with all rows
 * [GG08]. */
#include "rows.h"

#include <pthread.h>
#include <string.h>

static const nw__rows_kernel *found[4];

static void find_kernels(void)
{
    size_t n = 0;
#ifdef NW__HAS_ROWS_AVX512
    if (__builtin_cpu_supports("avx512f"))
        found[n++] = &nw__rows_kernel_16;
#endif
#ifdef NW__HAS_ROWS_AVX2
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        found[n++] = &nw__rows_kernel_8;
#endif
    found[n] = &nw__rows_kernel_4;
}

const nw__rows_kernel *const *nw__rows_kernels(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find_kernels);
    return found;
}

/* Short rows without a call. */
static inline void copy_row(float *to, const float *from, size_t n)
{
    size_t j = 0;
    for (; n < NW__ROWS_AT_ONCE && j + 4 <= n; j += 4)
        memcpy(to + j, from + j, 4 * sizeof *to);
    if (n >= NW__ROWS_AT_ONCE)
        memcpy(to, from, n * sizeof *to);
    else
        for (; j < n; j++)
            to[j] = from[j];
}

/* What the first block is added to. */
static void begin_rows(const nw__rows *r, const nw__rows_block *b)
{
    for (size_t i = b->first_row; i < b->end_row; i++) {
        float *y = r->y + i * r->n + b->first_out;
        if (r->bias != NULL)
            copy_row(y, r->bias + b->first_out, b->outs);
        else if (r->before == NULL)
            memset(y, 0, b->outs * sizeof *y);
        else if (r->before != r->y)
            copy_row(y, r->before + i * r->n + b->first_out, b->outs);
    }
}

static void block_product(const nw__rows_kernel *kernel, const nw__rows *r, nw__rows_block block)
{
    const size_t panels = (block.outs + kernel->panel - 1) / kernel->panel;
    const size_t parts = (r->rows + NW__ROWS_AT_ONCE - 1) / NW__ROWS_AT_ONCE;
#pragma omp parallel num_threads(r->threads) if (r->threads > 1 && parts > 1)
    {
#pragma omp for schedule(static)
        for (size_t i = 0; i < panels; i++)
            kernel->pack(r, &block, i);
#pragma omp for schedule(static)
        for (size_t part = 0; part < parts; part++) {
            nw__rows_block own = block;
            own.first_row = part * NW__ROWS_AT_ONCE;
            own.end_row = part + 1 < parts ? own.first_row + NW__ROWS_AT_ONCE : r->rows;
            if (own.first_in == 0)
                begin_rows(r, &own);
            kernel->multiply(r, &own);
        }
    }
}

void nw__rows_product_by(const nw__rows_kernel *kernel, const nw__rows *r)
{
    for (size_t out = 0; out < r->n; out += NW__ROWS_WIDTH)
        for (size_t in = 0; in < r->k; in += NW__ROWS_DEPTH)
            block_product(kernel, r,
                (nw__rows_block){ .first_in = in,
                    .ins = r->k - in < NW__ROWS_DEPTH ? r->k - in : NW__ROWS_DEPTH,
                    .first_out = out,
                    .outs = r->n - out < NW__ROWS_WIDTH ? r->n - out : NW__ROWS_WIDTH });
}

void nw__rows_product(const nw__rows *r)
{
    nw__rows_product_by(nw__rows_kernels()[0], r);
}
