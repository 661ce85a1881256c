/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_reference.c - the laws of single columns, and the weight of each cell's evidence, against figures worked out by hand. */
#include "synth_internal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { ROWS_A = 4, ROWS_B = 32 };

/* One column of `cells` codes, measured by itself. */
static double law_of_first(uint32_t cells, double sigma, int64_t first, int64_t others, double known_rows, double *sum)
{
    int64_t *counts = calloc(cells, sizeof *counts);
    nw__marginal m = { 0, NW__ONE_WAY, cells, 1, sigma, counts, 0, 0 };
    nw__column_shape shape = { .codes = cells, .values = cells, .is_ordered = true };
    const nw__plan plan = {
        .columns = 1, .shapes = &shape, .cells = &cells, .marginals = &m, .marginal_count = 1, .one_ways = 1
    };
    nw__reference reference;
    for (uint32_t v = 0; v < cells; v++)
        counts[v] = v == 0 ? first : others;
    assert_int_equal(nw__reference_make(&reference, &plan, known_rows, NULL), NW_OK);
    *sum = 0.0;
    for (uint32_t v = 0; v < cells; v++) {
        assert_true(isfinite(reference.log_p[0][v]));
        *sum += exp((double)reference.log_p[0][v]);
    }
    const double p = exp((double)reference.log_p[0][0]);
    nw__reference_clear(&reference);
    free(counts);
    return p;
}

static void reference_make__is_the_law_where_there_is_no_noise(void **state)
{
    (void)state;
    double sum = 0.0;
    assert_true(fabs(law_of_first(3, 1e-3, 700, 150, 1000.0, &sum) - 0.7) < 1e-5);
    assert_true(fabs(sum - 1.0) < 1e-5);
}

/* One code has all 10000 records, 999 others none, sigma = 100. Shifted by t, the others keep (0.3 sigma)^2 / t = 900 / t each
 * (to first order) and the first loses t: 999 * 900 / t = t at t = 948. A common factor would leave it 10000 / (10000 + 999 * 30)
 * of the mass. */
static void reference_make__spares_the_large_cells(void **state)
{
    (void)state;
    double sum = 0.0;
    assert_true(fabs(law_of_first(1000, 100.0, 10000, 0, 10000.0, &sum) - (1.0 - 948.0 / 10000.0)) < 1e-3);
    assert_true(fabs(sum - 1.0) < 1e-4);
}

static void reference_make__stays_a_law_when_all_is_noise(void **state)
{
    (void)state;
    double sum = 0.0;
    (void)law_of_first(50, 1e6, -4000000, -3000000, 1.0, &sum);
    assert_true(fabs(sum - 1.0) < 1e-4);
    (void)law_of_first(2, 0x1p-10, 0, -1000000000, 4000000000.0, &sum);
    assert_true(fabs(sum - 1.0) < 1e-4);
    (void)law_of_first(1, 5.0, -7, 0, 0.0, &sum);
    assert_true(fabs(sum - 1.0) < 1e-6);
}

/* A pair of ROWS_A x ROWS_B codes under uniform laws, 100 records a cell if independent, noise 10. */
typedef struct pair {
    nw__reference reference;
    nw__marginal marginal;
    int64_t counts[ROWS_A * ROWS_B];
    float laws[2][ROWS_B];
    float *log_p[2];
    float factors[ROWS_A * ROWS_B];
} pair;

static void setup_pair(pair *p)
{
    for (size_t c = 0; c < (size_t)ROWS_A * ROWS_B; c++)
        p->counts[c] = 100;
    for (size_t v = 0; v < ROWS_B; v++) {
        p->laws[0][v] = logf(1.0f / ROWS_A);
        p->laws[1][v] = logf(1.0f / ROWS_B);
    }
    p->log_p[0] = p->laws[0];
    p->log_p[1] = p->laws[1];
    p->reference = (nw__reference){ .total = 100.0 * ROWS_A * ROWS_B, .columns = 2, .log_p = p->log_p };
    p->marginal = (nw__marginal){ 0, 1, ROWS_A, ROWS_B, 10.0, p->counts, 0, 0 };
}

static void independent_count__is_the_product(void **state)
{
    (void)state;
    pair p;
    setup_pair(&p);
    p.laws[0][1] = logf(0.2f);
    p.laws[1][3] = logf(0.05f);
    assert_true(fabs(nw__independent_count(&p.reference, &p.marginal, 1, 3) - 0.01 * 100.0 * ROWS_A * ROWS_B) < 1e-2);
}

static double factor_at(const pair *p, size_t u, size_t v)
{
    return (double)p->factors[u * ROWS_B + v];
}

/* No deviation: 0.3, and (4 - 0.3) / (1 + e^8) of what a far cell gets. */
static void evidence_make__follows_independence_loosely(void **state)
{
    (void)state;
    pair p;
    setup_pair(&p);
    assert_int_equal(nw__evidence_make(&p.reference, &p.marginal, p.factors, NULL), NW_OK);
    for (size_t c = 0; c < (size_t)ROWS_A * ROWS_B; c++)
        assert_true(fabs((double)p.factors[c] - (0.3 + 3.7 / (1.0 + exp(8.0)))) < 1e-4);
}

/* Row 2 deviates by 2 sd throughout, signs alternating: mean square 4, minus 1, minus 2 sqrt(2/32) = 2.5; 0.7 of its root is
 * added. A column has one such cell: mean square 1, nothing added. */
static void evidence_make__follows_a_line_that_deviates(void **state)
{
    (void)state;
    pair p;
    setup_pair(&p);
    for (size_t v = 0; v < ROWS_B; v++)
        p.counts[2 * ROWS_B + v] += v % 2 == 0 ? 20 : -20;
    assert_int_equal(nw__evidence_make(&p.reference, &p.marginal, p.factors, NULL), NW_OK);
    const double base = 0.3 + 0.7 * sqrt(2.5);
    assert_true(fabs(factor_at(&p, 2, 7) - (base + (4.0 - base) / (1.0 + exp(4.0)))) < 1e-3);
    assert_true(fabs(factor_at(&p, 1, 7) - (0.3 + 3.7 / (1.0 + exp(8.0)))) < 1e-3);
}

/* One cell 20 sd out gets 4; its lines' mean squares, 400 / 32 and 400 / 4, add so much that the others in them get the most. */
static void evidence_make__follows_a_cell_that_is_far_out(void **state)
{
    (void)state;
    pair p;
    setup_pair(&p);
    p.counts[1 * ROWS_B + 5] += 200;
    assert_int_equal(nw__evidence_make(&p.reference, &p.marginal, p.factors, NULL), NW_OK);
    assert_true(fabs(factor_at(&p, 1, 5) - 4.0) < 1e-6);
    assert_true(fabs(factor_at(&p, 3, 5) - 3.0) < 1e-3); /* 0.3 + 0.7 sqrt(100 - 1 - 2 sqrt(2/4)) is more than 3 */
    const double base = 0.3 + 0.7 * sqrt(400.0 / 32.0 - 1.5);
    assert_true(fabs(factor_at(&p, 1, 6) - (base + (4.0 - base) / (1.0 + exp(8.0)))) < 1e-3);
    assert_true(factor_at(&p, 0, 0) < 0.31);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_make__is_the_law_where_there_is_no_noise),
        cmocka_unit_test(reference_make__spares_the_large_cells),
        cmocka_unit_test(reference_make__stays_a_law_when_all_is_noise),
        cmocka_unit_test(independent_count__is_the_product),
        cmocka_unit_test(evidence_make__follows_independence_loosely),
        cmocka_unit_test(evidence_make__follows_a_line_that_deviates),
        cmocka_unit_test(evidence_make__follows_a_cell_that_is_far_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
