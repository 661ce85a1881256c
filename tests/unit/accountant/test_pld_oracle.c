/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_pld_oracle.c - products of privacy loss distributions against exact convolution: masses are multiples of 2^-BITS, so a
 * power is a polynomial with integer coefficients, which fit some hundred limbs. Upper masses must not be below the exact ones,
 * lower masses not above, and both close. */
#include "pmf.h"
#include "random_event.h"

#include <fenv.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { BITS = 15, LIMBS = 80, MOST_LENGTH = 4096 };

/* Non-negative coefficients of 32 LIMBS bits each, in units of 2^-bits. */
typedef struct polynomial {
    size_t n;
    size_t bits;
    uint32_t (*limb)[LIMBS];
} polynomial;

static polynomial one(void)
{
    polynomial p = { 1, 0, calloc(MOST_LENGTH, sizeof *p.limb) };
    p.limb[0][0] = 1;
    return p;
}

/* p *= factor, whose coefficients are below 2^32. */
static void multiply(polynomial *p, const uint32_t *factor, size_t n)
{
    polynomial out = { p->n + n - 1, p->bits + BITS, calloc(MOST_LENGTH, sizeof *out.limb) };
    const size_t limbs = (out.bits + 64) / 32 + 1;
    assert_true(out.n <= MOST_LENGTH && limbs <= LIMBS);
    for (size_t i = 0; i < p->n; i++) {
        for (size_t j = 0; j < n; j++) {
            uint64_t carry = 0;
            for (size_t k = 0; factor[j] != 0 && k < limbs; k++) {
                carry += (uint64_t)p->limb[i][k] * factor[j] + out.limb[i + j][k];
                out.limb[i + j][k] = (uint32_t)carry;
                carry >>= 32;
            }
        }
    }
    free(p->limb);
    *p = out;
}

/* To 2^-64, relative. */
static long double value(const polynomial *p, size_t i)
{
    long double sum = 0;
    for (size_t k = LIMBS; k-- > 0;)
        sum += ldexpl((long double)p->limb[i][k], (int)(32 * k) - (int)p->bits);
    return sum;
}

/* Masses that sum to just below 1, of very different sizes. */
static size_t random_masses(uint32_t *mass, size_t most, random_bits *r)
{
    const size_t n = 2 + random_below(r, most - 1);
    uint64_t left = 1 << BITS;
    for (size_t i = 0; i < n; i++) {
        const uint64_t share = left >> (1 + random_below(r, 6));
        mass[i] = random_below(r, 5) == 0 ? 0 : (uint32_t)random_below(r, share + 1);
        left -= mass[i];
    }
    mass[random_below(r, n)] += (uint32_t)left - 2;
    mass[0] += mass[0] == 0;
    mass[n - 1] += mass[n - 1] == 0;
    return n;
}

static nw__pmf pmf_of(const uint32_t *mass, size_t n, double h, int64_t first, bool is_upper)
{
    nw__pmf pmf = { .h = h, .first = first, .n = n, .is_upper = is_upper, .mass = calloc(n, sizeof(double)) };
    for (size_t i = 0; i < n; i++)
        pmf.mass[i] = ldexp((double)mass[i], -BITS);
    return pmf;
}

/* Tilted masses in the window against the exact ones, and what lies outside of it. */
static void check_product(const nw__pmf *out, const polynomial *exact, int64_t first, double infinite, double close)
{
    long double above = 0;
    long double below = 0;
    for (size_t i = 0; i < exact->n; i++) {
        const int64_t at = first + (int64_t)i - out->first;
        const long double truth = value(exact, i);
        if (at < 0) {
            below += truth;
        } else if (at >= (int64_t)out->n) {
            const long double loss = out->origin + (long double)(first + (int64_t)i) * out->h;
            above += truth * expl(out->log_scale - out->theta * loss);
        } else {
            const double ours = out->mass[at];
            if (out->is_upper ? !(ours >= truth + (at == 0 ? below : 0)) : !(ours <= truth))
                fail_msg("%s mass %zu is %.17g, exactly %.17Lg", out->is_upper ? "upper" : "lower", i, ours, truth);
            if (at > 0 && !(fabsl(ours - truth) <= close))
                fail_msg("%s mass %zu is %.17g, exactly %.17Lg: not close", out->is_upper ? "upper" : "lower", i, ours, truth);
        }
    }
    if (out->is_upper && !(out->infinite >= (infinite + above) * (1 - 1e-15L)))
        fail_msg("infinite is %.17g; %.17g and %.17Lg were left out", out->infinite, infinite, above);
    if (!out->is_upper)
        assert_true(out->infinite <= infinite * (1 + 1e-12));
}

/* A factor and what is known of it. */
typedef struct sample {
    uint32_t mass[24];
    size_t n;
    int64_t first;
    uint64_t power;
} sample;

static void check_samples(const sample *s, size_t n, double theta, double infinite, nw__fft *plan)
{
    polynomial exact = one();
    int64_t first = 0;
    long double log_survives = 0;
    for (size_t j = 0; j < n; j++) {
        for (uint64_t k = 0; k < s[j].power; k++)
            multiply(&exact, s[j].mass, s[j].n);
        first += (int64_t)s[j].power * s[j].first;
        log_survives += (long double)s[j].power * log1pl(-(long double)infinite);
    }
    for (int side = 0; side < 2; side++) {
        double needed = 0.0;
        const double alias = 1e-12;
        const nw__window window = { alias, 1e-14, (size_t)1 << 16, &needed };
        nw__pmf pmf[3];
        nw__factor factors[3];
        nw__pmf out;
        for (size_t j = 0; j < n; j++) {
            pmf[j] = pmf_of(s[j].mass, s[j].n, 0.125, s[j].first, side == 0);
            pmf[j].theta = theta;
            pmf[j].infinite = infinite;
            pmf[j].log_scale = 0.25 * theta;
            pmf[j].origin = theta > 0.0 ? 0.03 : 0.0;
            factors[j] = (nw__factor){ &pmf[j], s[j].power };
        }
        assert_int_equal(nw__pmf_product(&out, factors, n, &window, plan, NULL), NW_OK);
        check_product(&out, &exact, first, (double)-expm1l(log_survives), 4.0 * alias);
        nw__pmf_free(&out);
        for (size_t j = 0; j < n; j++)
            nw__pmf_free(&pmf[j]);
    }
    free(exact.limb);
}

static sample random_sample(random_bits *r, uint64_t power)
{
    sample s = { .first = (int64_t)random_below(r, 40) - 20, .power = power };
    s.n = random_masses(s.mass, 24, r);
    return s;
}

static void pmf_product__encloses_exact_powers(void **state)
{
    (void)state;
    const uint64_t powers[] = { 1, 2, 3, 5, 8, 17, 64, 100 };
    nw__fft plan = { 0 };
    random_bits r = { 1 };
    for (size_t p = 0; p < sizeof powers / sizeof *powers; p++) {
        for (int i = 0; i < (powers[p] < 20 ? 30 : 4); i++) {
            const sample s = random_sample(&r, powers[p]);
            check_samples(&s, 1, i % 3 == 0 ? 0.0 : 4.0 * random_unit(&r), i % 2 == 0 ? 0.0 : 1e-5, &plan);
        }
    }
    nw__fft_free(&plan);
}

static void pmf_product__encloses_exact_products(void **state)
{
    (void)state;
    nw__fft plan = { 0 };
    random_bits r = { 2 };
    for (int i = 0; i < 60; i++) {
        sample s[3];
        for (int j = 0; j < 3; j++)
            s[j] = random_sample(&r, 1 + random_below(&r, 12));
        const size_t count = 1 + random_below(&r, 3);
        check_samples(s, count, i % 3 == 0 ? 0.0 : 4.0 * random_unit(&r), 1e-6, &plan);
    }
    nw__fft_free(&plan);
}

/* One rounding mode's direct convolution: with all rounded up an upper bound of what is exact, with all rounded down a lower. */
__attribute__((noinline)) static void direct(
    const volatile double *x, size_t n, const volatile double *y, size_t m, volatile double *out)
{
    for (size_t k = 0; k < n + m - 1; k++)
        out[k] = 0.0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++)
            out[i + j] = out[i + j] + x[i] * y[j];
}

static void pmf_product__meets_directed_convolution(void **state)
{
    (void)state;
    enum { N = 500, M = 300 };
    static double up[N + M];
    static double down[N + M];
    nw__fft plan = { 0 };
    random_bits r = { 3 };
    for (int round = 0; round < 10; round++) {
        nw__pmf x[2];
        double scale[2] = { 0.0, 0.0 };
        for (int j = 0; j < 2; j++) {
            x[j] = (nw__pmf){ .h = 0.01, .n = j == 0 ? N : M, .mass = calloc(N, sizeof(double)) };
            for (size_t i = 0; i < x[j].n; i++)
                scale[j] += x[j].mass[i] = pow(random_unit(&r), 1.0 + 3.0 * round);
            for (size_t i = 0; i < x[j].n; i++)
                x[j].mass[i] /= scale[j];
        }
        assert_int_equal(fesetround(FE_UPWARD), 0);
        direct(x[0].mass, N, x[1].mass, M, up);
        assert_int_equal(fesetround(FE_DOWNWARD), 0);
        direct(x[0].mass, N, x[1].mass, M, down);
        assert_int_equal(fesetround(FE_TONEAREST), 0);
        for (int side = 0; side < 2; side++) {
            double needed = 0.0;
            const nw__window window = { 1e-14, 1e-14, (size_t)1 << 16, &needed };
            const nw__factor factors[2] = { { &x[0], 1 }, { &x[1], 1 } };
            nw__pmf out;
            x[0].is_upper = x[1].is_upper = side == 0;
            assert_int_equal(nw__pmf_product(&out, factors, 2, &window, &plan, NULL), NW_OK);
            for (size_t i = 0; i < out.n; i++) {
                const int64_t k = out.first + (int64_t)i;
                if (k < 0 || k >= N + M - 1)
                    continue;
                assert_true(down[k] <= up[k]);
                assert_true(side == 0 ? out.mass[i] >= down[k] : out.mass[i] <= up[k]);
                if (i > 0)
                    assert_true(fabs(out.mass[i] - up[k]) < 1e-13);
            }
            nw__pmf_free(&out);
        }
        nw__pmf_free(&x[0]);
        nw__pmf_free(&x[1]);
    }
    nw__fft_free(&plan);
}

/* delta(epsilon) of untilted point masses. */
static long double delta_of(const nw__pmf *p, long double epsilon)
{
    long double sum = p->infinite;
    for (size_t i = 0; i < p->n; i++) {
        const long double loss = p->origin + (long double)(p->first + (int64_t)i) * p->h;
        if (loss > epsilon)
            sum += (long double)p->mass[i] * expl(p->log_scale - p->theta * loss) * -expm1l(epsilon - loss);
    }
    return sum;
}

/* Grid points are rounded: a shift of the loss, which nw__pld charges. */
static double slack_of(const nw__pmf *p)
{
    return 0x1p-49 * fmax(fabs(nw__pmf_loss(p, 0)), fabs(nw__pmf_loss(p, p->n - 1)));
}

static nw__pmf random_pmf(random_bits *r, bool is_upper)
{
    uint32_t mass[24];
    const size_t n = random_masses(mass, 24, r);
    const double h = 0.01 + 0.2 * random_unit(r); /* one draw a statement: all compilers test the same */
    const int64_t first = (int64_t)random_below(r, 20) - 12;
    nw__pmf pmf = pmf_of(mass, n, h, first, is_upper);
    pmf.theta = random_below(r, 3) == 0 ? 0.0 : 5.0 * random_unit(r);
    pmf.log_scale = 1.0 - 2.0 * random_unit(r);
    pmf.origin = 0.1 * random_unit(r);
    pmf.infinite = random_below(r, 2) == 0 ? 0.0 : 1e-4;
    return pmf;
}

static void pmf_delta_and_epsilon__are_on_their_side(void **state)
{
    (void)state;
    random_bits r = { 4 };
    for (int i = 0; i < 400; i++) {
        nw__pmf pmf = random_pmf(&r, i % 2 == 0);
        for (int k = 0; k < 40; k++) {
            const double epsilon = -3.0 + 8.0 * random_unit(&r);
            const long double truth = delta_of(&pmf, epsilon);
            const double ours = nw__pmf_delta(&pmf, epsilon);
            const double slack = slack_of(&pmf);
            const long double edge = delta_of(&pmf, epsilon + (pmf.is_upper ? slack : -slack));
            if (pmf.is_upper ? !(ours >= fminl(1, edge) * (1 - 1e-18L)) : !(ours <= edge * (1 + 1e-18L)))
                fail_msg("delta(%.17g) is %.17g, exactly %.20Lg", epsilon, ours, truth);
            if (truth < 1)
                assert_true(fabsl(ours - truth) <= 1e-11L * truth + fabsl(edge - truth));
            if (!(truth > pmf.infinite + 1e-9L) || truth >= 1)
                continue;
            const double back = nw__pmf_epsilon(&pmf, (double)truth);
            assert_true(
                pmf.is_upper ? delta_of(&pmf, back) <= truth * (1 + 1e-12L) : delta_of(&pmf, back) >= truth * (1 - 1e-9L));
            assert_true(fabs(back - epsilon) < 1e-6 || pmf.is_upper);
        }
        assert_true(isinf(nw__pmf_epsilon(&pmf, 0.5 * pmf.infinite)));
        nw__pmf_free(&pmf);
    }
}

/* The profiles of a law before and after it goes to a grid of step h. close: how far they may be apart, absolute. */
static void check_regrid(nw__pmf *pmf, double h, double close)
{
    nw__pmf copy;
    assert_int_equal(nw__pmf_copy(&copy, pmf, NULL), NW_OK);
    assert_int_equal(nw__pmf_regrid(pmf, h, NULL), NW_OK);
    const double slack = slack_of(&copy);
    for (double epsilon = -4.0; epsilon < 5.0; epsilon += 0.037) {
        const double sign = pmf->is_upper ? 1.0 : -1.0;
        const long double after = delta_of(pmf, epsilon);
        const long double before = delta_of(&copy, epsilon + sign * slack);
        assert_true(sign * (after - before) >= -1e-15L * before);
        assert_true(sign * (after - delta_of(&copy, epsilon)) <= close);
    }
    nw__pmf_free(&copy);
}

/* To another grid: an upper profile may only rise, a lower only fall. */
static void pmf_regrid__rounds_outward(void **state)
{
    (void)state;
    random_bits r = { 5 };
    for (int i = 0; i < 400; i++) {
        nw__pmf pmf = random_pmf(&r, i % 2 == 0);
        check_regrid(&pmf, pmf.h * (0.3 + 4.0 * random_unit(&r)), INFINITY);
        nw__pmf_free(&pmf);
    }
}

/* A normal law of deviation 1, and a pile beside it at either end: smooth masses move by O(h^2), piles not at all. A profile
 * rounded to the next grid point would move by about h / 2. */
static void pmf_regrid__costs_little_on_smooth_masses(void **state)
{
    (void)state;
    enum { POINTS = 1025 };
    for (int i = 0; i < 24; i++) {
        nw__pmf pmf = { .h = 1.0 / 64.0, .first = -512, .n = POINTS, .is_upper = i % 2 == 0 };
        pmf.mass = calloc(POINTS, sizeof(double));
        double sum = 0.0;
        for (size_t k = 0; k < POINTS; k++)
            sum += pmf.mass[k] = exp(-0.5 * ((double)k - 512.0) * ((double)k - 512.0) * pmf.h * pmf.h);
        for (size_t k = 0; k < POINTS; k++)
            pmf.mass[k] *= 0.75 / sum;
        pmf.mass[i % 3 == 0 ? 0 : i % 3 == 1 ? POINTS - 1 : 512] += 0.25;
        const double h = pmf.h * (1.5 + 1.7 * i);
        check_regrid(&pmf, h, 0.15 * h * h);
        nw__pmf_free(&pmf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pmf_product__encloses_exact_powers),
        cmocka_unit_test(pmf_product__encloses_exact_products),
        cmocka_unit_test(pmf_product__meets_directed_convolution),
        cmocka_unit_test(pmf_delta_and_epsilon__are_on_their_side),
        cmocka_unit_test(pmf_regrid__rounds_outward),
        cmocka_unit_test(pmf_regrid__costs_little_on_smooth_masses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
