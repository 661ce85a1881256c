/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four headers above first */
#include <cmocka.h>

static void fail__fills_error_and_returns_status(void **state)
{
    (void)state;
    nw_error err;
    assert_int_equal(nw__fail(&err, NW_E_ARG, "nw_f", "delta is %g, must be in (0, 1)", 2.0), NW_E_ARG);
    assert_int_equal(err.status, NW_E_ARG);
    assert_string_equal(err.function, "nw_f");
    assert_string_equal(err.message, "delta is 2, must be in (0, 1)");
}

static void fail__accepts_null_error(void **state)
{
    (void)state;
    assert_int_equal(nw__fail(NULL, NW_E_IO, "nw_f", "x"), NW_E_IO);
}

static void fail__cuts_long_messages(void **state)
{
    (void)state;
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    nw_error err;
    assert_int_equal(nw__fail(&err, NW_E_IO, text, "%s", text), NW_E_IO);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_int_equal(strlen(err.function), sizeof err.function - 1);
}

static void status_name__names_every_status(void **state)
{
    (void)state;
    assert_string_equal(nw_status_name(NW_OK), "NW_OK");
    for (int s = -1; s >= NW_E_CANCELLED; s--)
        assert_memory_equal(nw_status_name((nw_status)s), "NW_E_", 5);
    assert_string_equal(nw_status_name((nw_status)-99), "unknown status");
}

static void mul_size__detects_overflow(void **state)
{
    (void)state;
    size_t p = 0;
    assert_true(nw__mul_size(6, 7, &p));
    assert_int_equal(p, 42);
    assert_false(nw__mul_size(SIZE_MAX / 2, 3, &p));
}

static void realloc_array__refuses_overflow(void **state)
{
    (void)state;
    int *block = nw__calloc(4, sizeof *block);
    assert_non_null(block);
    assert_null(nw__realloc_array(block, SIZE_MAX, sizeof *block));
    free(block);
}

static void build_info__names_the_licence(void **state)
{
    (void)state;
    assert_non_null(strstr(nw_build_info(), nw_version()));
    assert_non_null(strstr(nw_build_info(), "Apache-2.0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fail__fills_error_and_returns_status),
        cmocka_unit_test(fail__accepts_null_error),
        cmocka_unit_test(fail__cuts_long_messages),
        cmocka_unit_test(status_name__names_every_status),
        cmocka_unit_test(mul_size__detects_overflow),
        cmocka_unit_test(realloc_array__refuses_overflow),
        cmocka_unit_test(build_info__names_the_licence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
