/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include <float.h>
#include <math.h>
#include <nw/grid.h>
#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static void grid_choose__takes_the_largest_step_that_is_fine_enough(void **state)
{
    (void)state;
    const double sigmas[] = { 1e-6, 0.3, 1.0, 58.0, 1e9 };
    const double sensitivities[] = { 1e-9, 0.7, 1.0, 4096.0 };
    const size_t dimensions[] = { 1, 2, 1000, 1000000000 };
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 4; j++)
            for (size_t k = 0; k < 4; k++) {
                nw_grid grid;
                const double root = sqrt((double)dimensions[k]);
                assert_int_equal(nw_grid_choose(&grid, sigmas[i], sensitivities[j], dimensions[k], NULL), NW_OK);
                const double g = ldexp(1.0, grid.exponent);
                assert_true(g * root <= ldexp(sensitivities[j], -20) && g <= ldexp(sigmas[i], -10));
                assert_true(2.0 * g * root > ldexp(sensitivities[j], -20) || 2.0 * g > ldexp(sigmas[i], -10));
            }
}

static void grid_round__rounds_half_up_and_not_half_to_even(void **state)
{
    (void)state;
    const double x[] = { 0.5, 1.5, 2.5, -0.5, -1.5, 0.49999999999999994, -0.0, 0.0, 2.4, -2.6 };
    const int64_t expected[] = { 1, 2, 3, 0, -1, 0, 0, 0, 2, -3 };
    int64_t q[10];
    assert_int_equal(nw_grid_round((nw_grid){ 0 }, x, 10, -100.0, 100.0, q, NULL), NW_OK);
    for (int i = 0; i < 10; i++)
        assert_int_equal(q[i], expected[i]);
}

static void grid_truncate__never_grows_a_magnitude(void **state)
{
    (void)state;
    for (int exponent = -30; exponent <= 3; exponent += 3) {
        for (double x = -50.0; x < 50.0; x += 0.37) {
            int64_t q = 0;
            assert_int_equal(nw_grid_truncate((nw_grid){ exponent }, &x, 1, -40.0, 40.0, &q, NULL), NW_OK);
            const double back = ldexp((double)q, exponent);
            const double clamped = fmin(40.0, fmax(-40.0, x));
            assert_true(fabs(back) <= fabs(clamped) && fabs(clamped) - fabs(back) < ldexp(1.0, exponent));
        }
    }
}

static void grid__maps_nan_and_infinities_by_the_rule(void **state)
{
    (void)state;
    const double x[] = { (double)NAN, (double)INFINITY, (double)-INFINITY, 1e300, DBL_TRUE_MIN };
    const int64_t expected[] = { 2, 10, 2, 10, 2 }; /* NaN counts as 0, which the bounds [2, 10] then move to 2 */
    int64_t q[5];
    assert_int_equal(nw_grid_round((nw_grid){ 0 }, x, 5, 2.0, 10.0, q, NULL), NW_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(q[i], expected[i]);
    assert_int_equal(nw_grid_truncate((nw_grid){ 0 }, x, 5, 2.0, 10.0, q, NULL), NW_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(q[i], expected[i]);
}

static void grid_to_double__is_exact_and_saturates(void **state)
{
    (void)state;
    const int64_t q[] = { 0, 1, -3, INT64_C(1) << 53, (INT64_C(1) << 53) + 1, INT64_MIN, INT64_MAX };
    double x[7];
    assert_int_equal(nw_grid_to_double((nw_grid){ -10 }, q, 7, x, NULL), NW_OK);
    assert_true(x[0] == 0.0 && x[1] == 0x1p-10 && x[2] == -0x3p-10 && x[3] == 0x1p43);
    assert_true(x[4] == 0x1p43 && x[5] == -0x1p43 && x[6] == 0x1p43);
}

/* The widest and the finest grid allowed: steps and their reciprocals are normal doubles. */
static void grid__is_exact_at_the_ends_of_the_exponents(void **state)
{
    (void)state;
    const double fine[] = { 0x1p-1022, 0x1.8p-1022, DBL_TRUE_MIN, -0x1p-1023, 0x7p-1022 };
    const int64_t fine_steps[] = { 1, 2, 0, 0, 7 };
    const double coarse[] = { 0x1p900, -0x1.8p901, 0x1p898 };
    const int64_t coarse_steps[] = { 1, -3, 0 };
    int64_t q[5];
    double x[5];
    assert_int_equal(nw_grid_round((nw_grid){ -1022 }, fine, 5, -1e-300, 1e-300, q, NULL), NW_OK);
    assert_memory_equal(q, fine_steps, sizeof fine_steps);
    assert_int_equal(nw_grid_to_double((nw_grid){ -1022 }, q, 5, x, NULL), NW_OK);
    assert_true(x[0] == 0x1p-1022 && x[1] == 0x1p-1021 && x[4] == 0x7p-1022);
    assert_int_equal(nw_grid_round((nw_grid){ 900 }, coarse, 3, -0x1p905, 0x1p905, q, NULL), NW_OK);
    assert_memory_equal(q, coarse_steps, sizeof coarse_steps);
    assert_int_equal(nw_grid_to_double((nw_grid){ 900 }, q, 3, x, NULL), NW_OK);
    assert_true(x[0] == 0x1p900 && x[1] == -0x1.8p901 && x[2] == 0.0);
}

static void grid_inflate__is_an_upper_bound(void **state)
{
    (void)state;
    for (size_t d = 1; d < 2000000000; d = d * 7 + 3) {
        const nw_grid grid = { -21 };
        assert_true((long double)nw_grid_inflate_l1(grid, 0.1, d) >= 0.1L + ldexpl((long double)d, -21));
        assert_true((long double)nw_grid_inflate_l2(grid, 0.1, d) >= 0.1L + ldexpl(sqrtl((long double)d), -21));
        assert_true(nw_grid_inflate_l2(grid, 0.1, d) < (0.1 + ldexp(sqrt((double)d), -21)) * (1.0 + 1e-14));
    }
}

static void grid__refuses_bad_arguments(void **state)
{
    (void)state;
    nw_grid grid;
    double x = 1.0;
    int64_t q = 0;
    nw_error err;
    const double bad[] = { 0.0, -1.0, (double)NAN, (double)INFINITY };
    for (int i = 0; i < 4; i++) {
        assert_int_equal(nw_grid_choose(&grid, bad[i], 1.0, 1, &err), NW_E_ARG);
        assert_int_equal(nw_grid_choose(&grid, 1.0, bad[i], 1, &err), NW_E_ARG);
    }
    assert_int_equal(nw_grid_choose(&grid, 1.0, 1.0, 0, &err), NW_E_ARG);
    assert_int_equal(nw_grid_choose(NULL, 1.0, 1.0, 1, &err), NW_E_ARG);
    assert_int_equal(nw_grid_choose(&grid, 5e-324, 1.0, 1, &err), NW_E_ARG);
    assert_int_equal(nw_grid_round((nw_grid){ 0 }, &x, 1, 2.0, 1.0, &q, &err), NW_E_ARG);
    assert_int_equal(nw_grid_round((nw_grid){ 0 }, &x, 1, (double)NAN, 1.0, &q, &err), NW_E_ARG);
    assert_int_equal(nw_grid_round((nw_grid){ 0 }, &x, 1, 0.0, (double)INFINITY, &q, &err), NW_E_ARG);
    assert_int_equal(nw_grid_round((nw_grid){ -60 }, &x, 1, 0.0, 4.0, &q, &err), NW_E_ARG);
    assert_int_equal(nw_grid_truncate((nw_grid){ 0 }, NULL, 1, 0.0, 4.0, &q, &err), NW_E_ARG);
    assert_int_equal(nw_grid_truncate((nw_grid){ 0 }, &x, 1, 0.0, 4.0, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_grid_to_double((nw_grid){ 0 }, NULL, 1, &x, &err), NW_E_ARG);
    for (int i = 0; i < 2; i++) {
        const nw_grid outside = { i == 0 ? -1023 : 901 };
        assert_int_equal(nw_grid_round(outside, &x, 1, 0.0, 0.0, &q, &err), NW_E_ARG);
        assert_int_equal(nw_grid_truncate(outside, &x, 1, 0.0, 0.0, &q, &err), NW_E_ARG);
        assert_int_equal(nw_grid_to_double(outside, &q, 1, &x, &err), NW_E_ARG);
        assert_memory_equal(err.message, "the grid step is 2^", 19);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grid_choose__takes_the_largest_step_that_is_fine_enough),
        cmocka_unit_test(grid_round__rounds_half_up_and_not_half_to_even),
        cmocka_unit_test(grid_truncate__never_grows_a_magnitude),
        cmocka_unit_test(grid__maps_nan_and_infinities_by_the_rule),
        cmocka_unit_test(grid_to_double__is_exact_and_saturates),
        cmocka_unit_test(grid__is_exact_at_the_ends_of_the_exponents),
        cmocka_unit_test(grid_inflate__is_an_upper_bound),
        cmocka_unit_test(grid__refuses_bad_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
