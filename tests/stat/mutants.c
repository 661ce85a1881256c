/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "mutants.h"
#include "need.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { NAME_BYTES = 160 };

mutant_fate mutant_try(const mutant *m)
{
    if (m->accuses(m->context, false))
        return MUTANT_FALSE_ALARM;
    return m->accuses(m->context, true) ? MUTANT_KILLED : MUTANT_SURVIVED;
}

bool mutant_report(const mutant *m)
{
    const mutant_fate fate = mutant_try(m);
    print_message("# %s: %s by %s\n",
        fate == MUTANT_KILLED     ? "killed"
        : fate == MUTANT_SURVIVED ? "SURVIVED"
                                  : "FALSE ALARM on the honest twin",
        m->fault, m->test);
    return fate == MUTANT_KILLED;
}

static void mutant__is_killed(void **state)
{
    assert_true(mutant_report(*state));
}

int mutants_run(const char *suite, const mutant *list, size_t n)
{
    struct CMUnitTest *tests = calloc(n, sizeof *tests);
    char(*names)[NAME_BYTES] = calloc(n, sizeof *names);
    need(tests != NULL && names != NULL);
    for (size_t i = 0; i < n; i++) {
        snprintf(names[i], sizeof names[i], "%s (%s)", list[i].fault, list[i].test);
        tests[i] = (struct CMUnitTest){ .name = names[i], .test_func = mutant__is_killed };
        tests[i].initial_state = (void *)(uintptr_t)&list[i];
    }
    const int failed = _cmocka_run_group_tests(suite, tests, n, NULL, NULL);
    print_message("# mutants: %zu killed, %d not\n", n - (size_t)failed, failed);
    free(tests);
    free(names);
    return failed;
}
