/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_MUTANTS_H
#define NW_TEST_MUTANTS_H

/* mutants.h - broken twins, each with the test that has to kill it.
 *
 * A mutant is a fault and a test. The test is put to the honest twin, which it must pass, and to the broken one, which it must
 * accuse; a mutant that survives fails the suite. Each mutant is one TAP line, "noise x 0.9 (audit)". */
#include <stdbool.h>
#include <stddef.h>

typedef struct mutant {
    const char *fault;
    const char *test; /* what kills it: audit, law, residue, ledger, fork, unit */
    bool (*accuses)(const void *context, bool is_planted);
    const void *context;
} mutant;

typedef enum mutant_fate {
    MUTANT_KILLED = 1,
    MUTANT_SURVIVED = 2,
    MUTANT_FALSE_ALARM = 3 /* the honest twin was accused too */
} mutant_fate;

mutant_fate mutant_try(const mutant *m);
/** The same, printed as a TAP comment; true if killed. */
bool mutant_report(const mutant *m);
/** Runs all as tests of cmocka; returns how many failed. */
int mutants_run(const char *suite, const mutant *list, size_t n);

#endif
