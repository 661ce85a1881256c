/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* stat_extremes.c - what only very many draws show: no value that its law makes impossible (mass below 1e-40 from there on), and
 * the right number of values far out. argv[1]: draws per law and scale, default 2e7; the long suite draws 1e9. At 1e9 a tail of
 * mass 1e-7 that is off by a factor of 1.8 is seen. Fixed insecure seeds. */
#include "noise_internal.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { BATCH = 1 << 20, TAILS = 2 };

static const double IMPOSSIBLE = 1e-40;
static const double RARE[TAILS] = { 1e-5, 1e-7 };
static const double ALPHA = 1e-9;
static size_t draws = 20000000;

/* P[|X| >= k] in closed form, for the discrete Gaussian as a sum over its lattice; where that is long, the density is constant
 * over a cell to 1e-6 and the continuous tail from half a cell lower has the same mass. */
static double tail_mass(nw_noise_law law, double scale, double k)
{
    if (law == NW_NOISE_DISCRETE_LAPLACE)
        return 2.0 * exp(-k / scale) / (1.0 + exp(-1.0 / scale));
    if (law == NW_NOISE_ROUNDED_GAUSSIAN || scale > 1000.0)
        return erfc((k - 0.5) / scale * sqrt(0.5));
    double tail = 0.0;
    double whole = 1.0;
    for (double x = 1.0; x <= 40.0 * scale; x++) {
        const double p = 2.0 * exp(-0.5 * (x / scale) * (x / scale));
        whole += p;
        tail += x >= k ? p : 0.0;
    }
    return tail / whole;
}

/* The least double k > 0 with P[|X| >= k] <= mass, a whole number. */
static double far_out(nw_noise_law law, double scale, double mass)
{
    double low = 0.0;
    double high = ceil(100.0 * scale) + 1.0;
    for (;;) {
        const double middle = floor(0.5 * (low + high));
        if (middle <= low || middle >= high) /* no double between them */
            return high;
        if (tail_mass(law, scale, middle) <= mass)
            high = middle;
        else
            low = middle;
    }
}

/* Either side of a Poisson law. */
static bool is_plausible(double count, double expected)
{
    const unsigned k = (unsigned)count;
    return gsl_cdf_poisson_P(k, expected) > ALPHA && (k == 0 || gsl_cdf_poisson_Q(k - 1, expected) > ALPHA);
}

typedef struct tally {
    uint64_t largest; /* absolute value */
    double beyond[TAILS];
} tally;

static void count_batch(const int64_t *x, size_t n, const uint64_t from[TAILS], tally *t)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t size = (uint64_t)(x[i] < 0 ? -x[i] : x[i]);
        t->largest = size > t->largest ? size : t->largest;
        for (int k = 0; k < TAILS; k++)
            t->beyond[k] += size >= from[k] ? 1.0 : 0.0;
    }
}

static void check_scale(nw_noise_law law, double scale, uint64_t seed)
{
    const double impossible = far_out(law, scale, IMPOSSIBLE);
    uint64_t from[TAILS];
    tally t = { 0 };
    nw_noise *noise = NULL;
    nw_rng *rng = NULL;
    int64_t *x = malloc(BATCH * sizeof *x);
    assert_non_null(x);
    for (int k = 0; k < TAILS; k++)
        from[k] = (uint64_t)far_out(law, scale, RARE[k]);
    assert_int_equal(nw_noise_new(&noise, law, scale, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    for (size_t done = 0; done < draws; done += BATCH) {
        const size_t n = draws - done < BATCH ? draws - done : BATCH;
        assert_int_equal(nw_noise_fill(noise, rng, x, n, NULL), NW_OK);
        count_batch(x, n, from, &t);
    }
    print_message("# law %d, scale %g: largest %.2f scales, impossible from %.2f", (int)law, scale, (double)t.largest / scale,
        impossible / scale);
    assert_true((double)t.largest < impossible);
    for (int k = 0; k < TAILS; k++) {
        const double expected = (double)draws * tail_mass(law, scale, (double)from[k]);
        print_message("; %.0f beyond %.2f, expected %.1f", t.beyond[k], (double)from[k] / scale, expected);
        assert_true(is_plausible(t.beyond[k], expected));
    }
    print_message("\n");
    free(x);
    nw_noise_free(noise);
    nw_rng_free(rng);
}

static void check_law(nw_noise_law law)
{
    static const double scales[] = { 1.0, 1000.0, 0x1p40, NW_NOISE_LARGEST_SCALE };
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++)
        check_scale(law, scales[i], 10 * (uint64_t)law + i);
}

static void noise_fill__rounded_gaussian_keeps_to_its_tails(void **state)
{
    (void)state;
    check_law(NW_NOISE_ROUNDED_GAUSSIAN);
}

static void noise_fill__discrete_gaussian_keeps_to_its_tails(void **state)
{
    (void)state;
    check_law(NW_NOISE_DISCRETE_GAUSSIAN);
}

static void noise_fill__discrete_laplace_keeps_to_its_tails(void **state)
{
    (void)state;
    check_law(NW_NOISE_DISCRETE_LAPLACE);
}

/* A tail that is cut, or twice as heavy, is no plausible count at the numbers of this run. */
static void tail_counts__reject_a_wrong_tail(void **state)
{
    (void)state;
    const double expected = (double)draws * RARE[0];
    assert_true(is_plausible(floor(expected), expected));
    assert_false(is_plausible(0.0, expected));
    assert_false(is_plausible(floor(2.0 * expected), expected));
    assert_false(is_plausible(floor(0.5 * expected), expected));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_fill__rounded_gaussian_keeps_to_its_tails),
        cmocka_unit_test(noise_fill__discrete_gaussian_keeps_to_its_tails),
        cmocka_unit_test(noise_fill__discrete_laplace_keeps_to_its_tails),
        cmocka_unit_test(tail_counts__reject_a_wrong_tail),
    };
    if (argc > 1)
        draws = (size_t)strtoull(argv[1], NULL, 10);
    return draws < 20000000 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
