/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* plain.c - a product of float matrices in plain C: rows of C as sums of rows of op(B), which the compiler turns into vector
 * code. The clones do the same operations in the same order (base.h). */
#include "blas.h"

#include <string.h>

enum { TILE = 512 }; /* columns of C whose row stays in the first level of the cache */

/* c[0 .. n-1] += x b[0 .. n-1] */
NW__CLONES static void add_row(float *restrict c, float x, const float *restrict b, size_t n)
{
    for (size_t j = 0; j < n; j++)
        c[j] += x * b[j];
}

/* One element of a product whose op(B) has its columns contiguous. */
static float dot(const float *a, size_t stride, const float *b, size_t k)
{
    float lanes[8] = { 0.0f };
    size_t l = 0;
    for (; l + 8 <= k; l += 8)
        for (size_t lane = 0; lane < 8; lane++)
            lanes[lane] += a[(l + lane) * stride] * b[l + lane];
    for (; l < k; l++)
        lanes[l % 8] += a[l * stride] * b[l];
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

void nw__plain_sgemm(const nw__product *p)
{
    const size_t row_step = p->is_a_turned ? 1 : p->lda;
    const size_t sum_step = p->is_a_turned ? p->lda : 1;
    for (size_t i = 0; i < p->m; i++) {
        float *const c = p->c + i * p->ldc;
        const float *const a = p->a + i * row_step;
        if (p->beta == 0.0f)
            memset(c, 0, p->n * sizeof *c);
        for (size_t j = 0; p->is_b_turned && j < p->n; j++)
            c[j] += dot(a, sum_step, p->b + j * p->ldb, p->k);
        for (size_t from = 0; !p->is_b_turned && from < p->n; from += TILE)
            for (size_t l = 0; l < p->k; l++)
                add_row(c + from, a[l * sum_step], p->b + l * p->ldb + from, p->n - from < TILE ? p->n - from : TILE);
    }
}
