/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* audit_reals.c - the release of reals through the grid: the last bits by the residue test, epsilon and mu by audits. argv[1]:
 * factor on the draws, default 1. Fixed insecure seeds. The broken twins: tests/stat/stat_mutants.c. */
#include "audit.h"
#include "real_release.h"

#include <math.h>
#include <nw/accounting.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static size_t factor = 1;

/* Neighbours x and x + 1 with sigma about 1: x of the noise's size, 2^20 times it, denormal, just below a power of two. */
static void check_residues(nw_noise_law law, grid_quantise quantise)
{
    const double values[] = { 0.0, 1.0, -0.7, 0x1p20, 5e-324, 0x1.fffffffffffffp7, 0x1.fffffffffffffp-1 };
    const size_t n = 1000000 * factor;
    nw_rng *rng = NULL;
    nw_noise *noise = NULL;
    nw_grid grid;
    double *x = calloc(n, sizeof *x);
    double *y = calloc(n, sizeof *y);
    double least = 1.0;
    assert_true(x != NULL && y != NULL);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 21, NULL), NW_OK);
    assert_int_equal(nw_grid_choose(&grid, 1.0, 1.0, 1, NULL), NW_OK);
    assert_int_equal(nw_noise_new(&noise, law, ldexp(1.0, -grid.exponent), NULL), NW_OK);
    const double unit = ldexp(1.0, grid.exponent);
    for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
        release_on_grid(values[v], quantise, grid, noise, rng, x, n);
        release_on_grid(values[v] + 1.0, quantise, grid, noise, rng, y, n);
        assert_true(residue_is_on_grid(x, n, unit) && residue_is_on_grid(y, n, unit));
        least = fmin(least, residue_p_value(x, y, n, unit));
        assert_false(residue_leaks(x, y, n, unit));
    }
    print_message("# law %d: least p-value of the residues %.2g\n", (int)law, least);
    nw_noise_free(noise);
    nw_rng_free(rng);
    free(x);
    free(y);
}

static void grid_truncate__the_last_bits_say_nothing(void **state)
{
    (void)state;
    for (int law = NW_NOISE_ROUNDED_GAUSSIAN; law <= NW_NOISE_DISCRETE_LAPLACE; law++)
        check_residues((nw_noise_law)law, nw_grid_truncate);
}

static void grid_round__the_last_bits_say_nothing(void **state)
{
    (void)state;
    for (int law = NW_NOISE_ROUNDED_GAUSSIAN; law <= NW_NOISE_DISCRETE_LAPLACE; law++)
        check_residues((nw_noise_law)law, nw_grid_round);
}

typedef struct real_audit {
    double x[2];
    grid_quantise quantise;
    nw_grid grid;
    nw_noise *noise;
} real_audit;

static void run_real(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    const real_audit *a = context;
    release_on_grid(a->x[side], a->quantise, a->grid, a->noise, rng, out, runs);
}

/* An aggregate rounded once: the noise is for the inflated sensitivity; the neighbours are 1 apart, one just below and one just
 * above a tie, so that rounding drives them a step further apart. Truncation of a record: no inflation. */
static void check_audit(grid_quantise quantise, bool is_gaussian)
{
    real_audit a = { .quantise = quantise };
    nw_event *event = NULL;
    double sigma = 1.0;
    assert_int_equal(nw_grid_choose(&a.grid, 1.0, 1.0, 1, NULL), NW_OK);
    const double unit = ldexp(1.0, a.grid.exponent);
    const double sensitivity = quantise == nw_grid_truncate ? 1.0 : nw_grid_inflate_l1(a.grid, 1.0, 1);
    const double delta = is_gaussian ? 1e-5 : 0.0;
    if (is_gaussian)
        assert_int_equal(
            nw_calibrate_gaussian(&sigma, 1.0, delta, (nw_sensitivity){ sensitivity, NW_ADD_REMOVE }, 1, NW_ADD_REMOVE, NULL),
            NW_OK);
    else
        sigma = sensitivity;
    a.x[0] = 0.5 * unit;
    a.x[1] = quantise == nw_grid_truncate ? 0.5 * unit - 1.0 : nextafter(0.5 * unit, 0.0) - 1.0;
    const nw_noise_law law = is_gaussian ? NW_NOISE_ROUNDED_GAUSSIAN : NW_NOISE_DISCRETE_LAPLACE;
    assert_int_equal(nw_noise_new(&a.noise, law, sigma / unit, NULL), NW_OK);
    assert_int_equal(nw_event_noise(&event, is_gaussian ? NW_EVENT_ROUNDED_GAUSSIAN : NW_EVENT_DISCRETE_LAPLACE, sigma / unit,
                         (nw_sensitivity){ ceil(sensitivity / unit), NW_ADD_REMOVE }, 1, NULL),
        NW_OK);
    const audit_claim claim = audit_claim_of(event, NW_ADD_REMOVE, delta);
    audit_opts opts = AUDIT_OPTS_INIT;
    opts.runs = (is_gaussian ? 4000000 : 1000000) * factor;
    opts.delta = delta;
    const audit_bound bound = audit(&(audit_mechanism){ run_real, &a, 1 }, &opts);
    const double epsilon = is_gaussian ? nw_gdp_epsilon(bound.mu, delta) : bound.epsilon;
    print_message("# epsilon in [%.4f, %.4f], mu in [%.4f, %.4f]\n", epsilon, claim.epsilon, bound.mu, claim.mu);
    assert_false(audit_refutes(&bound, &claim));
    assert_true(epsilon >= 0.9 * claim.epsilon);
    nw_event_free(event);
    nw_noise_free(a.noise);
}

static void grid_release__audit_comes_close_to_the_claim(void **state)
{
    (void)state;
    check_audit(nw_grid_truncate, false);
    check_audit(nw_grid_truncate, true);
    check_audit(nw_grid_round, false);
    check_audit(nw_grid_round, true);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grid_truncate__the_last_bits_say_nothing),
        cmocka_unit_test(grid_round__the_last_bits_say_nothing),
        cmocka_unit_test(grid_release__audit_comes_close_to_the_claim),
    };
    if (argc > 1)
        factor = (size_t)strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
