/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_blas.c - products against sums in long double, within the bound that blas.h states. */
#include "blas.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { PAD = 3, LARGEST = 141 * 160 };

static float random_float(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return ldexpf((float)(int32_t)*state, -31);
}

typedef struct operands {
    float *a, *b, *c, *before;
} operands;

static operands new_operands(uint32_t seed)
{
    operands o = { test_calloc(LARGEST, sizeof(float)), test_calloc(LARGEST, sizeof(float)), test_calloc(LARGEST, sizeof(float)),
        test_calloc(LARGEST, sizeof(float)) };
    for (size_t i = 0; i < LARGEST; i++) {
        o.a[i] = random_float(&seed);
        o.b[i] = random_float(&seed);
        o.c[i] = o.before[i] = random_float(&seed);
    }
    return o;
}

static void free_operands(operands *o)
{
    test_free(o->a);
    test_free(o->b);
    test_free(o->c);
    test_free(o->before);
}

/* C within k 2^-24 of the sum of magnitudes, one more rounding for beta, and the padding of its rows as it was. */
static void check_product(const nw__product *p, const float *before)
{
    for (size_t i = 0; i < p->m; i++)
        for (size_t j = 0; j < p->ldc && i * p->ldc + j < LARGEST; j++) {
            long double sum = p->beta == 0.0f || j >= p->n ? 0.0L : before[i * p->ldc + j];
            long double magnitude = fabsl(sum);
            for (size_t l = 0; l < p->k && j < p->n; l++) {
                const float a = p->is_a_turned ? p->a[l * p->lda + i] : p->a[i * p->lda + l];
                const float b = p->is_b_turned ? p->b[j * p->ldb + l] : p->b[l * p->ldb + j];
                sum += (long double)a * b;
                magnitude += fabsl((long double)a * b);
            }
            const float c = p->c[i * p->ldc + j];
            if (j >= p->n)
                assert_memory_equal(&c, &before[i * p->ldc + j], sizeof c);
            else
                assert_true(fabsl(c - sum) <= (long double)(p->k + 1) * 0x1p-24L * magnitude);
        }
}

static void check_shape(size_t m, size_t n, size_t k)
{
    for (int form = 0; form < 16; form++) {
        operands o = new_operands((uint32_t)(m * 131 + n * 17 + k + (size_t)form));
        const bool is_a_turned = (form & 1) != 0;
        const bool is_b_turned = (form & 2) != 0;
        const nw__product p = { is_a_turned, is_b_turned, m, n, k, o.a, (is_a_turned ? m : k) + PAD, o.b,
            (is_b_turned ? k : n) + PAD, (form & 4) != 0 ? 1.0f : 0.0f, o.c, n + PAD };
        if ((form & 8) != 0)
            nw__plain_sgemm(&p);
        else
            nw__sgemm(&p);
        check_product(&p, o.before);
        free_operands(&o);
    }
}

static void sgemm__is_within_its_bound_of_the_product(void **state)
{
    (void)state;
    static const size_t shapes[][3] = { { 1, 1, 1 }, { 7, 5, 3 }, { 64, 33, 130 }, { 16, 140, 17 }, { 1, 100, 9 }, { 100, 1, 50 },
        { 3, 4, 0 } };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_shape(shapes[i][0], shapes[i][1], shapes[i][2]);
}

static void ssyrk_and_sgemv__are_products_too(void **state)
{
    (void)state;
    for (int plain = 0; plain < 2; plain++) {
        nw__blas_use_plain(plain == 1);
        const size_t n = 37;
        const size_t k = 61;
        operands o = new_operands(5);
        nw__ssyrk(n, k, o.a, k + PAD, o.c, n);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j <= i; j++) {
                const nw__product entry = { .is_b_turned = true,
                    .m = 1,
                    .n = 1,
                    .k = k,
                    .a = o.a + i * (k + PAD),
                    .lda = k,
                    .b = o.a + j * (k + PAD),
                    .ldb = k,
                    .c = &o.c[i * n + j],
                    .ldc = 1 };
                check_product(&entry, o.before);
            }
        for (int turned = 0; turned < 2; turned++) {
            nw__sgemv(turned == 1, n, k, o.a, k + PAD, o.b, o.c);
            const nw__product product = { .is_a_turned = turned == 1,
                .m = turned == 1 ? k : n,
                .n = 1,
                .k = turned == 1 ? n : k,
                .a = o.a,
                .lda = k + PAD,
                .b = o.b,
                .ldb = 1,
                .c = o.c,
                .ldc = 1 };
            check_product(&product, o.before);
        }
        free_operands(&o);
    }
    nw__blas_use_plain(false);
}

/* What sums over examples rely on: a row's result does not know how many rows there are. */
static void sgemm__gives_a_product_of_the_same_sizes_the_same_bits(void **state)
{
    (void)state;
    operands o = new_operands(9);
    float *again = test_calloc(LARGEST, sizeof *again);
    nw__product p = {
        .is_a_turned = true, .m = 33, .n = 50, .k = 64, .a = o.a, .lda = 33, .b = o.b, .ldb = 50, .c = o.c, .ldc = 50
    };
    nw__sgemm(&p);
    memcpy(again + 1, o.a, 33 * 64 * sizeof *again); /* another alignment */
    p.a = again + 1;
    p.c = o.before;
    nw__sgemm(&p);
    assert_memory_equal(o.c, o.before, 33 * 50 * sizeof *again);
    test_free(again);
    free_operands(&o);
}

static void blas_name__is_part_of_the_build_info(void **state)
{
    (void)state;
    assert_true(strlen(nw_blas_name()) > 0);
    assert_non_null(strstr(nw_build_info(), nw_blas_name()));
    assert_true(nw_blas_is_slow() == (strstr(nw_blas_name(), "slow") != NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgemm__is_within_its_bound_of_the_product),
        cmocka_unit_test(ssyrk_and_sgemv__are_products_too),
        cmocka_unit_test(sgemm__gives_a_product_of_the_same_sizes_the_same_bits),
        cmocka_unit_test(blas_name__is_part_of_the_build_info),
    };
    return cmocka_run_group_tests_name("blas", tests, NULL, NULL);
}
