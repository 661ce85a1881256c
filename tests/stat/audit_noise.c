/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* audit_noise.c - the honest releases of counts: what an audit finds is at most what the accountant claims and at least nine
 * tenths of it. argv[1]: factor on the runs, default 1. Fixed insecure seeds. */
#include "count_release.h"
#include "sampled_release.h"

#include <math.h>
#include <nw/accounting.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static size_t factor = 1;

/* The rounded Gaussian is audited by mu, which is all there is to a Gaussian, and which becomes an epsilon. The others have no
 * such mu: theirs is the bound at delta. */
static void check(const char *name, const count_case *given)
{
    count_case c = *given;
    audit_claim claim;
    c.runs *= factor;
    const audit_bound bound = count_case_audit(&c, false, &claim);
    const double epsilon = c.law == NW_NOISE_ROUNDED_GAUSSIAN ? nw_gdp_epsilon(bound.mu, c.delta) : bound.epsilon;
    print_message("# %s: epsilon in [%.4f, %.4f], mu in [%.4f, %.4f]\n", name, epsilon, claim.epsilon, bound.mu, claim.mu);
    assert_true(bound.epsilon <= claim.epsilon && bound.mu <= claim.mu);
    assert_true(epsilon >= 0.9 * claim.epsilon);
}

static void discrete_laplace__audit_comes_close_to_the_claim(void **state)
{
    (void)state;
    const double epsilons[] = { 0.5, 1.0, 4.0 };
    for (size_t i = 0; i < 3; i++)
        check("discrete Laplace", &(count_case){ .law = NW_NOISE_DISCRETE_LAPLACE,
                                      .epsilon = epsilons[i],
                                      .adjacency = NW_ADD_REMOVE,
                                      .sensitivity = 1.0,
                                      .steps = 1,
                                      .cells = 1,
                                      .x = { { 3 }, { 4 } },
                                      .runs = 1000000 });
}

static void check_gaussian(const char *name, nw_noise_law law, double unit, double delta)
{
    const double epsilons[] = { 0.5, 1.0, 4.0 };
    for (size_t i = 0; i < 3; i++)
        check(name, &(count_case){ .law = law,
                        .epsilon = epsilons[i],
                        .delta = delta,
                        .adjacency = NW_ADD_REMOVE,
                        .sensitivity = unit,
                        .steps = 1,
                        .cells = 1,
                        .x = { { 0 }, { -unit } },
                        .runs = i == 0 ? 8000000 : 4000000 });
}

static void discrete_gaussian__audit_comes_close_to_the_claim(void **state)
{
    (void)state;
    check_gaussian("discrete Gaussian count", NW_NOISE_DISCRETE_GAUSSIAN, 1.0, 0.01);
}

static void rounded_gaussian__audit_comes_close_to_the_claim(void **state)
{
    (void)state;
    check_gaussian("rounded Gaussian", NW_NOISE_ROUNDED_GAUSSIAN, 1000.0, 1e-5);
}

static void vector__audit_comes_close_to_the_claim(void **state)
{
    (void)state;
    check("discrete Laplace, 4 cells", &(count_case){ .law = NW_NOISE_DISCRETE_LAPLACE,
                                           .epsilon = 1.0,
                                           .adjacency = NW_REPLACE_ONE,
                                           .sensitivity = 4.0,
                                           .steps = 1,
                                           .cells = 4,
                                           .x = { { 0, 0, 9, 9 }, { 2, 0, 7, 9 } },
                                           .runs = 1000000 });
    check("rounded Gaussian, 8 cells", &(count_case){ .law = NW_NOISE_ROUNDED_GAUSSIAN,
                                           .epsilon = 1.0,
                                           .delta = 1e-5,
                                           .adjacency = NW_ADD_REMOVE,
                                           .sensitivity = 1000.0 * sqrt(8.0),
                                           .steps = 1,
                                           .cells = 8,
                                           .x = { { 0 }, { 1000, -1000, 1000, -1000, 1000, 1000, 1000, 1000 } },
                                           .runs = 2000000 });
    check("rounded Gaussian, 4 steps", &(count_case){ .law = NW_NOISE_ROUNDED_GAUSSIAN,
                                           .epsilon = 2.0,
                                           .delta = 1e-5,
                                           .adjacency = NW_ADD_REMOVE,
                                           .sensitivity = 1000.0,
                                           .steps = 4,
                                           .cells = 4,
                                           .x = { { 0 }, { 1000, 1000, 1000, 1000 } },
                                           .runs = 2000000 });
}

/* A Gaussian of random batches, at a delta where the events that decide epsilon can still be counted. */
static void poisson_sampling__audit_comes_close_to_the_claim(void **state)
{
    (void)state;
    const sampled_case cases[] = {
        { .q = 0.5, .sigma = 0.5, .steps = 1, .delta = 0.1, .runs = 1000000 },
        { .q = 0.25, .sigma = 0.7, .steps = 4, .delta = 0.1, .runs = 1000000 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        audit_claim claim;
        sampled_case c = cases[i];
        c.runs *= factor;
        const audit_bound bound = sampled_case_audit(&c, false, &claim);
        print_message("# q = %g, %zu steps: epsilon in [%.4f, %.4f]\n", cases[i].q, cases[i].steps, bound.epsilon, claim.epsilon);
        assert_false(audit_refutes(&bound, &claim));
        assert_true(bound.epsilon >= 0.9 * claim.epsilon);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(discrete_laplace__audit_comes_close_to_the_claim),
        cmocka_unit_test(discrete_gaussian__audit_comes_close_to_the_claim),
        cmocka_unit_test(rounded_gaussian__audit_comes_close_to_the_claim),
        cmocka_unit_test(vector__audit_comes_close_to_the_claim),
        cmocka_unit_test(poisson_sampling__audit_comes_close_to_the_claim),
    };
    if (argc > 1)
        factor = (size_t)strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
