/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* audit_dpsgd.c - audits of DP-SGD: the sums of its steps, and whole training runs. argv[1]: factor on the runs, default 1. Fixed
 * insecure seeds. The broken twins: tests/stat/stat_mutants.c. */
#include "dpsgd_release.h"

#include <math.h>
#include <nw/accounting.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static size_t factor = 1;

/* By mu where there is one, else by epsilon at delta. Returns the part of the claim that was found. */
static double check(const char *name, const dpsgd_case *given)
{
    dpsgd_case c = *given;
    audit_claim claim;
    c.runs *= factor;
    const audit_bound bound = dpsgd_case_audit(&c, false, &claim);
    const bool has_mu = !isinf(claim.mu);
    const double found = has_mu ? nw_gdp_epsilon(bound.mu, c.delta) : bound.epsilon;
    print_message("# %s: epsilon in [%.4f, %.4f], mu in [%.4f, %.4f]\n", name, found, claim.epsilon, bound.mu, claim.mu);
    assert_true(bound.epsilon <= claim.epsilon && bound.mu <= claim.mu);
    return found / claim.epsilon;
}

static void step__audit_comes_close_to_the_claim(void **state)
{
    (void)state;
    const dpsgd_case one = { .noise_multiplier = 1.0, .rate = 1.0, .steps = 1, .others = 7, .runs = 120000, .delta = 1e-5 };
    const dpsgd_case tied = {
        .noise_multiplier = 0.5, .rate = 1.0, .steps = 1, .others = 3, .runs = 60000, .delta = 1e-5, .is_tied = true
    };
    const dpsgd_case alone = { .noise_multiplier = 2.0, .rate = 1.0, .steps = 4, .others = 0, .runs = 60000, .delta = 1e-5 };
    assert_true(check("one step", &one) >= 0.9);
    assert_true(check("one step, tied weights", &tied) >= 0.9);
    assert_true(check("four steps, no other record", &alone) >= 0.85);
}

static void poisson__audit_comes_close_to_the_claim(void **state)
{
    (void)state;
    const dpsgd_case half = { .noise_multiplier = 0.5, .rate = 0.5, .steps = 1, .others = 7, .runs = 200000, .delta = 0.1 };
    const dpsgd_case four = { .noise_multiplier = 0.7, .rate = 0.25, .steps = 4, .others = 7, .runs = 80000, .delta = 0.1 };
    assert_true(check("q = 0.5, one step", &half) >= 0.9);
    assert_true(check("q = 0.25, four steps", &four) >= 0.8);
}

static void adaptive_clip__audit_stays_below_the_claim(void **state)
{
    (void)state;
    const dpsgd_case c = {
        .noise_multiplier = 2.0, .rate = 1.0, .steps = 1, .others = 7, .runs = 120000, .delta = 1e-5, .is_adaptive = true
    };
    assert_true(check("adaptive clip norm, by the count", &c) >= 0.8);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step__audit_comes_close_to_the_claim),
        cmocka_unit_test(poisson__audit_comes_close_to_the_claim),
        cmocka_unit_test(adaptive_clip__audit_stays_below_the_claim),
    };
    if (argc > 1)
        factor = (size_t)strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
