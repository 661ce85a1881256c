/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* audit_stats.c - epsilon and mu of every mechanism of the stats room, bounded from below, on the neighbours that attain what is
 * charged: each bound has to come out in [0.9 epsilon, epsilon]. argv[1]: runs a side; by default
 * so few that half of it is asked for. argv[2]: a pattern of the names of the cases to run.
 * Fixed insecure seeds. Then the last bits of what becomes a double. The broken twins: tests/stat/stat_mutants.c. */
#include "room_release.h"

#include <math.h>
#include <nw/accounting.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static size_t runs; /* 0: each case's own */

#define AR NW_ADD_REMOVE
#define RO NW_REPLACE_ONE
static const room_case cases[] = {
    { "count", &room_totals, NW_STATS_COUNT, 0, 0.0, AR, 0, 0, 0 },
    { "sum", &room_totals, NW_STATS_SUM, 0, 0.0, AR, 0, 0, 0 },
    { "mean", &room_totals, NW_STATS_MEAN, 0, 0.0, AR, 0, 0, 0 },
    { "variance", &room_totals, NW_STATS_VARIANCE, 0, 0.0, AR, 0, 0, 0 },
    { "histogram, replace_one", &room_totals, NW_STATS_COUNT, 0, 0.0, RO, 0, 0, 0 },
    { "count, Gaussian", &room_totals, NW_STATS_COUNT, 0, 1e-5, AR, 0, 0, 0 },
    { "sum, Gaussian", &room_totals, NW_STATS_SUM, 0, 1e-5, AR, 0, 0, 0 },
    { "mean, Gaussian", &room_totals, NW_STATS_MEAN, 0, 1e-5, AR, 0, 0, 0 },
    { "variance, Gaussian", &room_totals, NW_STATS_VARIANCE, 0, 1e-5, AR, 0, 0, 0 },
    { "histogram, Gaussian, replace_one", &room_totals, NW_STATS_COUNT, 0, 1e-5, RO, 0, 0, 0 },
    { "median", &room_quantile, 0, 0, 0.0, AR, 0, 0, 0 },
    { "median, replace_one", &room_quantile, 0, 0, 0.0, RO, 0, 0, 0 },
    { "exponential", &room_select, NW_SELECT_EXPONENTIAL, 0, 0.0, AR, 0, 0, 0 },
    { "noisy max", &room_select, NW_SELECT_NOISY_MAX, 0, 0.0, AR, 0, 0, 0 },
    { "permute-and-flip", &room_select, NW_SELECT_PERMUTE_AND_FLIP, 0, 0.0, AR, 0, 0, 0 },
    { "sparse vector", &room_sparse, -1, 0, 0.0, AR, 0, 0, 0 },
    { "unknown keys", &room_keys, 0, 0, 1e-3, AR, 0, 0, 0 },
    { "linear queries", &room_linear, 0, 0, 0.0, AR, 0, 0, 0 },
    { "linear queries, replace_one", &room_linear, 0, 0, 0.0, RO, 0, 0, 0 },
    { "linear queries, Gaussian", &room_linear, 0, 0, 1e-5, AR, 0, 0, 0 },
    { "tree", &room_tree, 0, 0, 0.0, AR, 0, 0, 0 },
    { "tree, Gaussian, replace_one", &room_tree, 0, 0, 1e-5, RO, 0, 0, 0 },
};

static const double epsilons[] = { 0.5, 1.0, 4.0 };
static const size_t short_runs[] = { 300000, 150000, 100000 }; /* at each epsilon */

/* The best pair shifts with epsilon: see room_choices.c. */
static room_case at_epsilon(const room_case *c, double epsilon)
{
    room_case one = *c;
    one.epsilon = epsilon;
    if (c->room == &room_sparse && epsilon < 1.0)
        one.what = 0;
    return one;
}

static void check_case(void **state)
{
    const room_case *c = *state;
    bool is_tight = true;
    for (size_t e = 0; e < sizeof epsilons / sizeof *epsilons; e++) {
        audit_claim claim;
        const room_case one = at_epsilon(c, epsilons[e]);
        const audit_bound bound = room_case_audit(&one, false, runs > 0 ? runs : short_runs[e], &claim);
        const bool is_gaussian = claim.mu < INFINITY && c->delta > 0.0;
        const double share = is_gaussian ? bound.mu / claim.mu : bound.epsilon / claim.epsilon;
        print_message(
            "# %s at epsilon %g: %.4f of the claimed %s\n", c->name, epsilons[e], share, is_gaussian ? "mu" : "epsilon");
        assert_false(audit_refutes(&bound, &claim));
        is_tight = is_tight && share >= (runs > 0 ? 0.9 : 0.5);
    }
    assert_true(is_tight);
}

/* Sums, and the totals behind means and variances; around 0, 2^20 sensitivities away, with a record of 0, a denormal, a value off
 * every grid, just below a power of two, and the bound. */
static void totals__the_last_bits_say_nothing(void **state)
{
    (void)state;
    const double values[] = { 0.0, 5e-324, 7.3, 0x1.fffffffffffffp2, 10.0 };
    const residue_case kinds[] = { { .kind = NW_STATS_SUM }, { .kind = NW_STATS_MEAN, .total = 1 },
        { .kind = NW_STATS_VARIANCE, .total = 1 }, { .kind = NW_STATS_VARIANCE, .total = 2 } };
    for (size_t i = 0; i < 4 * 5 * 2; i++) {
        residue_case c = kinds[i / 10];
        c.value = values[i / 2 % 5];
        c.others = i % 2 == 0 ? 0.0 : 0x1p20;
        c.delta = i % 3 == 0 ? 1e-9 : 0.0;
        c.groups = runs > 0 ? 2000000 : 50000;
        assert_false(room_residue__leaks(&c, false));
    }
}

int main(int argc, char **argv)
{
    enum { CASES = sizeof cases / sizeof *cases };
    static struct CMUnitTest tests[CASES + 1];
    if (argc > 1)
        runs = (size_t)strtoull(argv[1], NULL, 10);
    if (argc > 2)
        cmocka_set_test_filter(argv[2]);
    for (size_t i = 0; i < CASES; i++) {
        tests[i] = (struct CMUnitTest){ .name = cases[i].name, .test_func = check_case };
        tests[i].initial_state = (void *)(uintptr_t)&cases[i];
    }
    tests[CASES] = (struct CMUnitTest)cmocka_unit_test(totals__the_last_bits_say_nothing);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
