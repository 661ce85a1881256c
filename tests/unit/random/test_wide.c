/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_wide.c - the wide fixed point against values of e^-x to 77 digits (Python's decimal, 120 digits of precision) and its own
 * identities. */
#include "wide.h"

#include "random_internal.h"
#include <math.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static nw__wide from_double(double x)
{
    const nw__fraction one = { { 0 } };
    return nw__wide_scaled(1, one, x, 0);
}

static void exp_minus__matches_high_precision_values(void **state)
{
    (void)state;
    const struct {
        uint64_t x;
        double b;
        nw__wide value;
    } cases[] = {
        { 1, 1.0, { { 0x3024b9d0a507daed, 0xda9805aab56c7733, 0xbadec7829054f90d, 0x5e2d58d8b3bcdf1a, 0 } } },
        { 1, 2.0, { { 0xce4ae95861014318, 0xe347bf8ad0e80abb, 0xd675a35530cdd767, 0x9b4597e37cb04ff3, 0 } } },
        { 7, 3.0, { { 0xe4040f7c78e7a663, 0xa6784a0d55521f55, 0x9091f41b3ea83993, 0x18d327a69b3be5a8, 0 } } },
        { 20, 1.0, { { 0xc73351aeb79f6298, 0xf7ad59425a48361f, 0xb93373025a28a80b, 0x8da432af9, 0 } } },
        { 100, 1.0, { { 0xe579eec89bae3a7e, 0xd460f8a7157a, 0, 0, 0 } } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const nw__wide y = nw__wide_exp_minus(nw__wide_laplace_exponent(cases[i].x, cases[i].b));
        assert_int_equal(nw__wide_compare(y, cases[i].value, 228), 0);
    }
    const nw__wide zero = { { 0 } };
    const nw__wide one = { { 0, 0, 0, 0, 1 } };
    assert_int_equal(nw__wide_compare(nw__wide_exp_minus(zero), one, 256), 0);
    assert_int_equal(nw__wide_compare(nw__wide_exp_minus(nw__wide_laplace_exponent(5000, 1.0)), zero, 256), 0);
}

static void exp_minus__turns_sums_into_products(void **state)
{
    (void)state;
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 1, NULL), NW_OK);
    for (int i = 0; i < 300; i++) {
        const double x = (double)nw__rng_below(rng, 1u << 20) * 0x1p-14;
        const double y = (double)nw__rng_below(rng, 1u << 20) * 0x1p-14;
        const nw__wide product = nw__wide_multiply(nw__wide_exp_minus(from_double(x)), nw__wide_exp_minus(from_double(y)));
        assert_int_equal(nw__wide_compare(product, nw__wide_exp_minus(from_double(x + y)), 227), 0);
        assert_true(fabs(ldexp((double)product.limb[3], -64) - exp(-(x + y))) < 1e-15);
    }
    nw_rng_free(rng);
}

/* (c + f)^2 / (2 s^2) against exact rationals: s a power of two or 3 * 2^k, c and f such that the result is a short fraction. */
static void gaussian_exponent__is_exact_where_it_can_be(void **state)
{
    (void)state;
    const nw__fraction half = { { 0, 0, UINT64_C(1) << 63 } };
    const nw__fraction none = { { 0 } };
    const double scales[] = { 0x1p-10, 1.0, 64.0, 0x1p51, 0x1p55 };
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        const double s = scales[i];
        const int64_t c = s < 1.0 ? 0 : (int64_t)s; /* c / s = 1, or 0 */
        const nw__wide expected = from_double(s < 1.0 ? 0x1p-40 : 0.5);
        nw__wide z = nw__wide_gaussian_exponent(c, none, s);
        if (s >= 1.0) {
            assert_int_equal(nw__wide_compare(z, expected, 256), 0);
            z = nw__wide_gaussian_exponent(-c, none, s);
            assert_int_equal(nw__wide_compare(z, expected, 256), 0);
        }
    }
    /* (1 + 1/2)^2 / 2 = 9/8, (-2 + 1/2)^2 / 2 the same; 3^2 / (2 * 3^2) = 1/2 */
    assert_int_equal(nw__wide_compare(nw__wide_gaussian_exponent(1, half, 1.0), from_double(1.125), 256), 0);
    assert_int_equal(nw__wide_compare(nw__wide_gaussian_exponent(-2, half, 1.0), from_double(1.125), 256), 0);
    assert_int_equal(nw__wide_compare(nw__wide_gaussian_exponent(3, none, 3.0), from_double(0.5), 255), 0);
    assert_int_equal(nw__wide_compare(nw__wide_gaussian_exponent(1, half, 0x1p-2), from_double(18.0), 256), 0);
}

/* Cells of 58 to 60 bits at the largest scales, every bit of the fraction in use: exponents from exact rationals, e^-z to 77
 * digits (Python's fractions and decimal). */
static void exponents__keep_every_bit_at_the_largest_scales(void **state)
{
    (void)state;
    const struct {
        int64_t c;
        nw__fraction f;
        double s;
        nw__wide z;
        nw__wide value;
    } gaussian[] = {
        { 0x3c5a5a5a5a5a5a5, { { 0x123456789abcdef0, 0xfedcba9876543210, 0x8badf00ddeadbeef } }, 0x1.921fb54442d18p54,
            { { 0x32582fa6cad48822, 0xdb18954f40f8bfa3, 0x759980825d68162e, 0x21ec9b221ee4b6dc, 0x2e } },
            { { 0xce2567e51b9ce33e, 0xc62f65ba7beb4fb6, 0x2b8eb41c1db68f1a, 0, 0 } } },
        { -0x7ffffffffffffff, { { 1, 0, 0x8000000000000000 } }, 0x1p55,
            { { 0xffffffffffffe000, 0xffffffffffffffff, 0x47fff, 0xffffffffffffd000, 0x7f } },
            { { 0x75cf9cd7d8768a8d, 0xa1, 0, 0, 0 } } },
        { 0xd00000000000001, { { 0, 0, 1 } }, 0x1.fffffffffffffp54,
            { { 0x6b41a740020004, 0xab723440000, 0x100c23400, 0x155400, 0x152 } }, { { 0 } } },
    };
    for (size_t i = 0; i < sizeof gaussian / sizeof *gaussian; i++) {
        const nw__wide z = nw__wide_gaussian_exponent(gaussian[i].c, gaussian[i].f, gaussian[i].s);
        assert_int_equal(nw__wide_compare(z, gaussian[i].z, 255), 0);
        assert_int_equal(nw__wide_compare(nw__wide_exp_minus(z), gaussian[i].value, 230), 0);
    }
    const struct {
        uint64_t x;
        double b;
        nw__wide z;
        nw__wide value;
    } laplace[] = {
        { 1, 0x1.921fb54442d18p53, { { 0x96bcc156018faeb3, 0x534dae9f098b070e, 0xcc1b727220b79e27, 0x517, 0 } },
            { { 0x140337f8cb42cfb4, 0x5dc3b4f104b74748, 0x33e48d8ddf5559f0, 0xfffffffffffffae8, 0 } } },
        { 0x400000000000001, 0x1p54, { { 0, 0, 0, 0x400, 0x10 } },
            { { 0x73a6c99c575ed28b, 0x53bdf6376191d20b, 0x5ca6190885378d16, 0x1e355bbaee8, 0 } } },
        { 0x7ffffffffffffff, 0x1.921fb54442d18p53,
            { { 0x8367deedbc875b2, 0x2168376ba6817667, 0x6e7efb02d794ba11, 0xbe60db939105b7d9, 0x28 } },
            { { 0x56b44492dcdb7391, 0x56bd8f28f17862f2, 0x40f97476ef2a1505, 0x25, 0 } } },
    };
    for (size_t i = 0; i < sizeof laplace / sizeof *laplace; i++) {
        const nw__wide z = nw__wide_laplace_exponent(laplace[i].x, laplace[i].b);
        assert_int_equal(nw__wide_compare(z, laplace[i].z, 255), 0);
        assert_int_equal(nw__wide_compare(nw__wide_exp_minus(z), laplace[i].value, 230), 0);
    }
}

static void laplace_exponent__divides(void **state)
{
    (void)state;
    assert_int_equal(nw__wide_compare(nw__wide_laplace_exponent(7, 2.0), from_double(3.5), 256), 0);
    assert_int_equal(nw__wide_compare(nw__wide_laplace_exponent(UINT64_C(1) << 53, 0x1p50), from_double(8.0), 256), 0);
    assert_int_equal(nw__wide_compare(nw__wide_laplace_exponent(UINT64_MAX, 1.0), from_double(65536.0), 256), 0); /* capped */
    const nw__wide third = nw__wide_laplace_exponent(1, 3.0);
    const nw__wide three = { { 0, 0, 0, 0, 3 } };
    const nw__wide one = { { 0, 0, 0, 0, 1 } };
    assert_int_equal(nw__wide_compare(nw__wide_multiply(third, three), one, 254), 0);
}

static void scaled__multiplies_by_the_exact_double(void **state)
{
    (void)state;
    const nw__fraction quarter = { { 0, 0, UINT64_C(1) << 62 } };
    assert_int_equal(nw__wide_compare(nw__wide_scaled(3, quarter, 0.75, 1), from_double(3.25 * 0.75 / 2.0), 256), 0);
    assert_int_equal(nw__wide_compare(nw__wide_scaled(0, quarter, 0x1p-60, 3), from_double(0x1p-65), 256), 0);
}

static void compare__tells_above_within_and_below(void **state)
{
    (void)state;
    const nw__wide x = from_double(1.0);
    const nw__wide y = from_double(1.0 + 0x1p-50);
    assert_int_equal(nw__wide_compare(x, y, 51), -1);
    assert_int_equal(nw__wide_compare(y, x, 51), 1);
    assert_int_equal(nw__wide_compare(x, y, 50), 0);
    assert_int_equal(nw__wide_compare(nw__wide_one_minus(from_double(0.25)), from_double(0.75), 256), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_minus__matches_high_precision_values),
        cmocka_unit_test(exp_minus__turns_sums_into_products),
        cmocka_unit_test(gaussian_exponent__is_exact_where_it_can_be),
        cmocka_unit_test(exponents__keep_every_bit_at_the_largest_scales),
        cmocka_unit_test(laplace_exponent__divides),
        cmocka_unit_test(scaled__multiplies_by_the_exact_double),
        cmocka_unit_test(compare__tells_above_within_and_below),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
