/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_cells.c - a pair's loss on a grid: the profile of the placed masses, summed in long double, against the pair's own. */
#include "cells.h"
#include "shuffle.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static const double ROUNDING = 1e-10; /* of a profile, relative: what rounding outward costs, u / h a cell */

static nw__pair *gaussian(double mu)
{
    nw__pair *pair = NULL;
    assert_int_equal(nw__pair_gaussian(&pair, mu, NULL), NW_OK);
    return pair;
}

static nw__pair *laplace(double epsilon)
{
    nw__pair *pair = NULL;
    assert_int_equal(nw__pair_laplace(&pair, epsilon, NULL), NW_OK);
    return pair;
}

/* The base is taken over. */
static nw__pair *poisson(double q, nw__direction direction, nw__pair *base)
{
    nw__pair *pair = NULL;
    assert_int_equal(nw__pair_poisson(&pair, q, direction, base, NULL), NW_OK);
    return pair;
}

enum { SMOOTH = 7, CLONES = 12, PAIRS = 13 };
static const char *const names[PAIRS] = { "Gaussian", "Gaussian, far apart", "sampled Gaussian, removed",
    "sampled Gaussian, added", "Gaussian sampled often, removed", "Gaussian sampled often, added", "sampled Gaussian, replaced",
    "Laplace", "sampled Laplace, removed", "sampled Laplace, added", "bounded range", "maximum", "clones" };

static nw__pair *pair_of(int i)
{
    nw__pair *pair = NULL;
    nw__pair *base[2] = { NULL, NULL };
    switch (i) {
    case 0: return gaussian(0.7);
    case 1: return gaussian(4.0);
    case 2: return poisson(0.02, NW__REMOVE, gaussian(1.0));
    case 3: return poisson(0.02, NW__ADD, gaussian(1.0));
    case 4: return poisson(0.6, NW__REMOVE, gaussian(1.5));
    case 5: return poisson(0.6, NW__ADD, gaussian(1.5));
    case 6: assert_int_equal(nw__pair_poisson_replace(&pair, 0.1, 1.0, NULL), NW_OK); return pair;
    case 7: return laplace(1.3);
    case 8: return poisson(0.2, NW__REMOVE, laplace(1.3));
    case 9: return poisson(0.2, NW__ADD, laplace(1.3));
    case 10: assert_int_equal(nw__pair_bounded_range(&pair, 1.1, NULL), NW_OK); return pair;
    case 11:
        base[0] = gaussian(0.8);
        base[1] = laplace(0.9);
        assert_int_equal(nw__pair_maximum(&pair, base, 2, NULL), NW_OK);
        return pair;
    default: assert_int_equal(nw__pair_shuffle(&pair, 20, 1.5, exp(-1.5), NULL), NW_OK); return pair;
    }
}

static nw__cells placed(const nw__pair *pair, double h, bool is_upper, double cut)
{
    nw__cells cells;
    const nw__cells_opts opts = {
        .h = h, .cut_high = cut, .cut_low = cut, .fineness = 1e300, .most = 0x1p24, .is_upper = is_upper
    };
    assert_int_equal(nw__cells_new(&cells, pair, &opts, NULL), NW_OK);
    return cells;
}

static long double loss_of(const nw__cells *c, size_t i, double h)
{
    return c->origin + (long double)c->at[i].index * h;
}

static long double delta_of(const nw__cells *c, double h, long double x)
{
    long double sum = c->infinite;
    for (size_t i = 0; i < c->n; i++)
        if (loss_of(c, i, h) > x)
            sum += c->at[i].p * -expm1l(x - loss_of(c, i, h));
    return sum;
}

/* Thresholds between the grid's points, and from well below the support to well above. */
static void check_side(const char *name, const nw__pair *pair, const nw__cells *c, double h, bool is_upper)
{
    for (double x = -3.0; x < 6.0; x += 0.0971) {
        double lower = 0.0;
        double upper = 0.0;
        const long double ours = delta_of(c, h, x);
        nw__pair_delta(pair, x, &lower, &upper);
        if (is_upper ? !(ours >= lower) : !(ours <= upper))
            fail_msg("%s: %s profile at %.17g is %.17Lg, in truth in [%.17g, %.17g]", name, is_upper ? "upper" : "lower", x, ours,
                lower, upper);
    }
}

static void cells_new__lies_on_its_side_at_every_threshold(void **state)
{
    (void)state;
    const double steps[] = { 0.5, 0.03, 0.004 };
    const double cuts[] = { 1e-3, 1e-12, 1e-300 };
    for (int i = 0; i < PAIRS; i++) {
        nw__pair *pair = pair_of(i);
        for (int k = 0; k < 9; k++) {
            for (int side = 0; side < 2; side++) {
                nw__cells c = placed(pair, steps[k / 3], side == 0, cuts[k % 3]);
                check_side(names[i], pair, &c, steps[k / 3], side == 0);
                nw__cells_free(&c);
            }
        }
        nw__pair_free(pair);
    }
}

/* Connecting the dots meets the profile at every dot  [DGKKM22, Thm 1]. */
static void cells_new__touches_the_profile_at_grid_points(void **state)
{
    (void)state;
    const double h = 0.01;
    for (int i = 0; i < PAIRS; i++) {
        nw__pair *pair = pair_of(i);
        nw__cells c = placed(pair, h, true, 1e-13);
        int compared = 0;
        for (size_t k = 0; k < c.n; k += 3) {
            double lower = 0.0;
            double upper = 0.0;
            const double x = (double)loss_of(&c, k, h);
            const long double ours = delta_of(&c, h, x);
            nw__pair_delta(pair, x, &lower, &upper);
            if (!(ours <= upper * (1.0 + ROUNDING) + 4e-13))
                fail_msg("%s: at the grid point %.17g %.17Lg, in truth at most %.17g", names[i], x, ours, upper);
            compared++;
        }
        assert_true(compared > 10);
        nw__cells_free(&c);
        nw__pair_free(pair);
    }
}

/* All of P is somewhere: above, rounding may add; below, only what was cut may be missing. */
static void cells_new__keeps_the_masses(void **state)
{
    (void)state;
    const double h = 0.02;
    const double cut = 1e-9;
    for (int i = 0; i < PAIRS; i++) {
        nw__pair *pair = pair_of(i);
        for (int side = 0; side < (i == CLONES ? 1 : 2); side++) { /* chords are lowered for losses without steps */
            nw__cells c = placed(pair, h, side == 0, cut);
            long double p = c.infinite;
            long double q = 0;
            for (size_t k = 0; k < c.n; k++) {
                p += c.at[k].p;
                q += c.at[k].p * expl(-loss_of(&c, k, h));
            }
            if (side == 0 ? !(p >= 1 - 1e-15L && p <= 1 + ROUNDING) : !(p <= 1 && p >= 1 - 3 * cut - 1e-6L))
                fail_msg("%s: P has %.17Lg in all, side %d", names[i], p, side);
            /* above, the cell between two dots keeps its Q-mass, and what goes to infinity takes its own away */
            if (side == 0 && !(q <= 1 + ROUNDING))
                fail_msg("%s: Q has %.17Lg in all", names[i], q);
            nw__cells_free(&c);
        }
        nw__pair_free(pair);
    }
}

/* The largest distance from the pair's profile over thresholds halfway between the dots. */
static double gap(const nw__pair *pair, double h, bool is_upper)
{
    double most = 0.0;
    nw__cells c = placed(pair, h, is_upper, 1e-14);
    for (double x = -0.2; x < 2.0; x += 0.0473) {
        double lower = 0.0;
        double upper = 0.0;
        nw__pair_delta(pair, x, &lower, &upper);
        most = fmax(most, fabs((double)(delta_of(&c, h, x) - (long double)(is_upper ? upper : lower))));
    }
    nw__cells_free(&c);
    return most;
}

/* Both errors fall with h^2, also next to the end of a sampled support where most of its mass piles up within a step. */
static void cells_new__errs_by_the_square_of_the_step(void **state)
{
    (void)state;
    for (int i = 0; i < SMOOTH; i++) {
        nw__pair *pair = pair_of(i);
        for (int side = 0; side < 2; side++) {
            const double coarse = gap(pair, 0.08, side == 0);
            const double fine = gap(pair, 0.01, side == 0);
            /* 64 times less; the thresholds lie differently in their cells, and the pile's cell is one of few: a factor 8.
             * Lowered chords lie twice as far away. */
            if (!(fine <= coarse / 8.0 + 1e-12 && fine <= (side == 0 ? 2.0 : 4.0) * 0.01 * 0.01))
                fail_msg("%s: side %d is %.3g off at h = 0.08, %.3g at 0.01", names[i], side, coarse, fine);
        }
        nw__pair_free(pair);
    }
}

/* What is cut off goes to infinity above, and is dropped below. */
static void cells_new__cuts_outward(void **state)
{
    (void)state;
    for (double cut = 1e-2; cut > 1e-14; cut *= 0.1) {
        nw__pair *pair = gaussian(1.0);
        nw__cells upper = placed(pair, 0.125, true, cut);
        nw__cells lower = placed(pair, 0.125, false, cut);
        nw__tails t;
        const double top = (double)loss_of(&upper, upper.n - 1, 0.125);
        pair->tails(pair, top, &t);
        assert_true(upper.infinite >= t.p_above && upper.infinite <= cut * (1.0 + 1e-9));
        assert_true(upper.infinite >= 0.3 * cut); /* no more than a step was given away: P(L > x) falls by e^(-0.125 7) at most */
        assert_true(lower.infinite == 0.0);
        nw__cells_free(&upper);
        nw__cells_free(&lower);
        nw__pair_free(pair);
    }
}

/* Point masses: exact on their own lattice, in two shares off it above, down below. */
static void cells_new__places_point_masses(void **state)
{
    (void)state;
    nw__pair *pair = NULL;
    assert_int_equal(nw__pair_response(&pair, 0.9, 2.0, NULL), NW_OK);
    for (int side = 0; side < 2; side++) {
        nw__cells on = placed(pair, 0.9, side == 0, 0.0);
        nw__cells off = placed(pair, 0.35, side == 0, 0.0);
        assert_int_equal(on.n, 3);
        for (size_t k = 0; k < 3; k++) {
            assert_true(fabs((double)loss_of(&on, k, 0.9) - pair->atoms.at[k].loss) < 1e-15);
            assert_true(fabs(on.at[k].p / pair->atoms.at[k].p - 1.0) < 1e-12);
            assert_true(side == 0 ? on.at[k].p >= pair->atoms.at[k].p : on.at[k].p <= pair->atoms.at[k].p);
        }
        assert_int_equal(off.n, side == 0 ? 5 : 3); /* the lowest is where the grid begins */
        check_side("randomized response", pair, &off, 0.35, side == 0);
        nw__cells_free(&on);
        nw__cells_free(&off);
    }
    nw__pair_free(pair);
}

static void cells_new__refuses_a_grid_that_is_too_fine(void **state)
{
    (void)state;
    nw__pair *pair = gaussian(1.0);
    nw__cells cells;
    nw_error err;
    const nw__cells_opts few = {
        .h = 1e-3, .cut_high = 1e-12, .cut_low = 1e-12, .fineness = 16.0, .most = 1000.0, .is_upper = true
    };
    const nw__cells_opts fine = {
        .h = 1e-30, .cut_high = 1e-12, .cut_low = 1e-12, .fineness = 16.0, .most = INFINITY, .is_upper = true
    };
    assert_int_equal(nw__cells_new(&cells, pair, &few, &err), NW_E_UNSUPPORTED);
    assert_int_equal(nw__cells_new(&cells, pair, &fine, &err), NW_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "grid"));
    nw__pair_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_new__lies_on_its_side_at_every_threshold),
        cmocka_unit_test(cells_new__touches_the_profile_at_grid_points),
        cmocka_unit_test(cells_new__keeps_the_masses),
        cmocka_unit_test(cells_new__errs_by_the_square_of_the_step),
        cmocka_unit_test(cells_new__cuts_outward),
        cmocka_unit_test(cells_new__places_point_masses),
        cmocka_unit_test(cells_new__refuses_a_grid_that_is_too_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
