/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_rows.c - products of rows: every kernel that this processor has against sums in double, and a row's bits wherever it
 * stands. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rows.h"

enum { MOST = 400 }; /* of each size: more than one block of inputs and of outputs */

typedef struct arrays {
    float x[MOST * MOST], w[MOST * MOST], y[MOST * MOST], again[MOST * MOST], before[MOST * MOST], bias[MOST];
    float scratch[NW__ROWS_SCRATCH];
} arrays;

static arrays *new_arrays(void)
{
    arrays *a = calloc(1, sizeof *a);
    for (size_t i = 0; i < MOST * MOST; i++) {
        a->x[i] = (float)sin((double)i * 0.7);
        a->w[i] = (float)cos((double)i * 1.3);
        a->before[i] = (float)sin((double)i * 0.11);
    }
    for (size_t i = 0; i < MOST; i++)
        a->bias[i] = (float)i;
    return a;
}

static const size_t SIZES[][3] = { { 1, 1, 1 }, { 5, 7, 3 }, { 12, 32, 256 }, { 13, 33, 257 }, { 49, 385, 5 },
    { 100, 390, 300 } };
enum { N_SIZES = sizeof SIZES / sizeof *SIZES };

static nw__rows product_of(arrays *a, size_t which, bool is_turned)
{
    return (nw__rows){ .rows = SIZES[which][0],
        .n = SIZES[which][1],
        .k = SIZES[which][2],
        .x = a->x,
        .w = a->w,
        .is_turned = is_turned,
        .y = a->y,
        .scratch = a->scratch,
        .threads = 1 };
}

/* A sum of k float products is within k 2^-24 of the sum of magnitudes, which is at most k here, and what it is added to. */
static void check(const nw__rows *r, const float *begin, size_t begin_step, size_t kernel)
{
    for (size_t i = 0; i < r->rows; i++)
        for (size_t j = 0; j < r->n; j++) {
            double sum = begin == NULL ? 0.0 : (double)begin[i * begin_step + j];
            const double tolerance = ((double)r->k + fabs(sum)) * ((double)r->k + 1.0) * 0x1p-24;
            for (size_t p = 0; p < r->k; p++)
                sum += (double)r->x[i * r->k + p] * (double)r->w[r->is_turned ? j * r->k + p : p * r->n + j];
            if (!(fabs((double)r->y[i * r->n + j] - sum) <= tolerance))
                fail_msg("kernel %zu, %zu x %zu x %zu, (%zu, %zu): %g, not %g", kernel, r->rows, r->n, r->k, i, j,
                    (double)r->y[i * r->n + j], sum);
        }
}

static void rows_product__agrees_with_sums_in_double(void **state)
{
    (void)state;
    arrays *a = new_arrays();
    for (size_t kernel = 0; nw__rows_kernels()[kernel] != NULL; kernel++)
        for (size_t which = 0; which < N_SIZES; which++)
            for (int turned = 0; turned < 2; turned++) {
                nw__rows r = product_of(a, which, turned != 0);
                nw__rows_product_by(nw__rows_kernels()[kernel], &r);
                check(&r, NULL, 0, kernel);
                r.bias = a->bias;
                nw__rows_product_by(nw__rows_kernels()[kernel], &r);
                check(&r, a->bias, 0, kernel);
                r.bias = NULL;
                r.before = a->before;
                nw__rows_product_by(nw__rows_kernels()[kernel], &r);
                check(&r, a->before, r.n, kernel);
                memcpy(a->again, a->before, sizeof a->again);
                r.before = r.y = a->again;
                nw__rows_product_by(nw__rows_kernels()[kernel], &r);
                assert_memory_equal(a->again, a->y, r.rows * r.n * sizeof *a->y);
            }
    free(a);
}

static void rows_product__gives_a_row_the_same_bits_anywhere(void **state)
{
    (void)state;
    arrays *a = new_arrays();
    for (size_t kernel = 0; nw__rows_kernels()[kernel] != NULL; kernel++)
        for (int turned = 0; turned < 2; turned++) {
            nw__rows whole = product_of(a, N_SIZES - 1, turned != 0);
            nw__rows_product_by(nw__rows_kernels()[kernel], &whole);
            for (size_t first = 0; first < whole.rows; first += 7)
                for (size_t rows = 1; first + rows <= whole.rows; rows += 9) {
                    nw__rows part = whole;
                    part.rows = rows;
                    part.x = whole.x + first * whole.k;
                    part.y = a->again;
                    nw__rows_product_by(nw__rows_kernels()[kernel], &part);
                    assert_memory_equal(a->again, a->y + first * whole.n, rows * whole.n * sizeof *a->y);
                }
        }
    free(a);
}

static void rows_product__does_not_depend_on_threads(void **state)
{
    (void)state;
    arrays *a = new_arrays();
    nw__rows r = product_of(a, N_SIZES - 1, true);
    nw__rows_product(&r);
    r.y = a->again;
    r.threads = 3;
    nw__rows_product(&r);
    assert_memory_equal(a->again, a->y, r.rows * r.n * sizeof *a->y);
    free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_product__agrees_with_sums_in_double),
        cmocka_unit_test(rows_product__gives_a_row_the_same_bits_anywhere),
        cmocka_unit_test(rows_product__does_not_depend_on_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
