/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_contract.c - profiles from below: for point masses of all sizes in spans of all widths, tilted or not, the profile of what
 * nw__contract leaves on the grid lies below that of the point masses at every threshold, and no mass is lost. */
#include "contract.h"

#include "random_event.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { SPANS = 40, IN_SPAN = 3, MOST = SPANS * (IN_SPAN + 1) + 1, ROUNDS = 1000 };
static const double H = 0.05;

/* True masses of P at their losses. */
typedef struct law {
    size_t n;
    long double loss[MOST], p[MOST];
} law;

static long double profile(const law *l, long double x)
{
    long double sum = 0;
    for (size_t i = 0; i < l->n; i++)
        sum += l->loss[i] > x ? -l->p[i] * expm1l(x - l->loss[i]) : 0;
    return sum;
}

static long double total(const law *l)
{
    long double sum = 0;
    for (size_t i = 0; i < l->n; i++)
        sum += l->p[i];
    return sum;
}

static void add(law *l, long double loss, long double p)
{
    l->loss[l->n] = loss;
    l->p[l->n++] = p;
}

/* Masses from 1 down to 2^-60, or none. */
static double random_mass(random_bits *r, uint64_t none_of)
{
    const double size = exp2(-60.0 * random_unit(r));
    return random_below(r, none_of) == 0 ? 0.0 : size;
}

typedef struct example {
    nw__span spans[SPANS + 1];
    double on_nodes[SPANS + 1]; /* tilted */
    double theta;
    law before;
} example;

static void make_example(example *e, random_bits *r, double theta, uint64_t widest)
{
    static const double OUTWARD = 1e-15;
    int64_t index = -(int64_t)random_below(r, 100);
    e->theta = theta;
    e->before.n = 0;
    for (size_t k = 0; k <= SPANS; k++) {
        const int64_t wide = 1 + (int64_t)random_below(r, widest);
        const double width = H * (double)wide;
        const double low = H * (double)index;
        long double mass = 0;
        long double excess = 0;
        e->on_nodes[k] = random_below(r, 4) == 0 ? random_mass(r, 3) : 0.0;
        if (e->on_nodes[k] > 0.0)
            add(&e->before, low, e->on_nodes[k] * expl(-(long double)theta * low));
        for (uint64_t i = random_below(r, IN_SPAN + 1); i-- > 0 && k < SPANS;) {
            const double d = width * (1.0 - random_unit(r)); /* in (0, width] */
            const double p = random_mass(r, 5);              /* true, relative to the tilt at `low` */
            mass += p;
            excess += -p * expm1l(-(long double)d);
            add(&e->before, (long double)low + d, p * expl(-(long double)theta * low));
        }
        const double masses[2] = { (double)mass * (1.0 - OUTWARD), (double)mass * (1.0 + OUTWARD) };
        const double excesses[2] = { (double)excess * (1.0 - OUTWARD), (double)excess * (1.0 + OUTWARD) };
        e->spans[k] = k < SPANS ? nw__span_of(index, masses, excesses, width) : (nw__span){ .index = index };
        index += wide;
    }
}

static void check_below(const example *e, double lost)
{
    law after = { 0 };
    double mass[SPANS + 1];
    for (size_t k = 0; k <= SPANS; k++)
        mass[k] = e->on_nodes[k];
    assert_int_equal(nw__contract(e->spans, SPANS, H, e->theta, mass, "test", NULL), NW_OK);
    for (size_t k = 0; k <= SPANS; k++) {
        const double loss = H * (double)e->spans[k].index;
        assert_true(mass[k] >= 0.0);
        add(&after, loss, mass[k] * expl(-(long double)e->theta * loss));
    }
    const double low = H * (double)e->spans[0].index;
    const double high = H * (double)e->spans[SPANS].index;
    for (double x = low - 1.0; x < high + 0.5; x += (high - low) / 331.3) {
        const long double before = profile(&e->before, x);
        if (!(profile(&after, x) <= before * (1 + 1e-14L)))
            fail_msg("theta %g: at loss %g the profile is %.17Lg, of the masses %.17Lg", e->theta, x, profile(&after, x), before);
    }
    const long double share = total(&after) / total(&e->before);
    if (!(share <= 1 && share >= 1 - lost))
        fail_msg("theta %g: 1 %+.3Lg of the mass is left", e->theta, share - 1);
}

static void contract__lies_below_wild_masses(void **state)
{
    (void)state;
    static const double thetas[] = { 0.0, 0.0, 0.7, 9.0 };
    random_bits r = { 11 };
    example *e = malloc(sizeof *e);
    for (int i = 0; i < ROUNDS; i++) {
        make_example(e, &r, thetas[i % 4], i % 3 == 0 ? 1 : 12);
        check_below(e, 1e-9);
    }
    free(e);
}

/* The worst span: all its mass at one loss. Its profile touches the lowered chord there. */
static void span_of__knows_the_deepest_sag(void **state)
{
    (void)state;
    for (double width = 1e-6; width < 3.0; width *= 7.3) {
        for (double share = 0.05; share < 1.0; share += 0.09) {
            const double d = width * share;
            const double excess = -0.3 * expm1(-d);
            const nw__span s = nw__span_of(0, (double[2]){ 0.3, 0.3 }, (double[2]){ excess, excess }, width);
            const double phi = expm1(d) / expm1(width);
            assert_true(fabs(s.sag - excess * (1.0 - phi)) <= 1e-12 * excess && s.sag >= excess * (1.0 - phi) * (1.0 - 1e-13));
            assert_true(fabs(s.drop - 0.3 * exp(-d) * (expm1(width) - expm1(d))) <= 1e-12 * s.drop + 1e-15);
        }
    }
}

/* Masses next to nothing are left out, not amplified by the tilt. */
static void contract__leaves_out_what_underflows(void **state)
{
    (void)state;
    nw__span spans[3];
    double mass[3] = { 0.0, 0.0, 0.0 };
    spans[0] = nw__span_of(0, (double[2]){ 1e-300, 1e-300 }, (double[2]){ 1e-302, 1e-302 }, H);
    spans[1] = nw__span_of(1, (double[2]){ 0.5, 0.5 }, (double[2]){ 0.01, 0.01 }, H);
    spans[2] = (nw__span){ .index = 2 };
    assert_true(spans[0].mass == 0.0 && spans[0].sag == 0.0);
    assert_int_equal(nw__contract(spans, 2, H, 2000.0, mass, "test", NULL), NW_OK);
    assert_true(mass[0] == 0.0 && mass[1] > 0.4 && mass[1] <= 0.5 && mass[2] == 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contract__lies_below_wild_masses),
        cmocka_unit_test(span_of__knows_the_deepest_sag),
        cmocka_unit_test(contract__leaves_out_what_underflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
