/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_exit.c - failures of the library as the apps report them. */
#include "exit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What a failure prints on standard error. */
static int printed(const char *subject, const nw_error *err, char *line, size_t size)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const int saved = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    const int code = app_fail_error(subject, err);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    const ssize_t n = read(ends[0], line, size - 1);
    line[n > 0 ? n : 0] = '\0';
    close(ends[0]);
    return code;
}

static void fail_error__names_the_subject_once(void **state)
{
    (void)state;
    char line[256];
    nw_error err = { .status = NW_E_FORMAT };
    strcpy(err.message, "a.csv: line 3 is ragged");
    assert_int_equal(printed("a.csv", &err, line, sizeof line), APP_DATA);
    assert_non_null(strstr(line, ": a.csv: line 3 is ragged\n"));
    assert_null(strstr(line, "a.csv: a.csv"));
    assert_int_equal(printed("b.csv", &err, line, sizeof line), APP_DATA);
    assert_non_null(strstr(line, ": b.csv: a.csv: line 3 is ragged\n"));
}

static void fail_error__needs_no_subject(void **state)
{
    (void)state;
    char line[256];
    nw_error err = { .status = NW_E_NOMEM };
    strcpy(err.message, "out of memory");
    assert_int_equal(printed(NULL, &err, line, sizeof line), APP_INTERNAL);
    assert_non_null(strstr(line, ": out of memory\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fail_error__names_the_subject_once),
        cmocka_unit_test(fail_error__needs_no_subject),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
