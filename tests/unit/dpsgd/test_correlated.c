/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_correlated.c - DP-FTRL: the covariance of what is released against the matrix, inverted here; the accounting against every
 * pattern of participation of few steps; restarts against the matrix in blocks.
 *
 * A covariance from 40000 coordinates is off by sd^2 / 200 (one standard error of it, at most sqrt(2) more on the diagonal):
 * 6.5 of them is a chance of 1e-10 an entry. A coefficient that is off by a tenth moves the second diagonal by more than that. */
#include <noisewright.h>
#include <nw/correlated.h>
#include <nw/testing.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { STEPS = 11, COORDINATES = 40000 };

static nw_correlated_opts options(nw_correlated_kind kind, uint64_t steps, uint64_t cycle)
{
    nw_correlated_opts o = NW_CORRELATED_OPTS_INIT;
    o.kind = kind;
    o.steps = steps;
    o.cycle = cycle;
    o.participations = (steps + cycle - 1) / cycle;
    o.noise_multiplier = 2.0;
    o.scale = 64.0;
    o.coordinates = COORDINATES;
    return o;
}

static nw_correlated *make(const nw_correlated_opts *o)
{
    nw_correlated *c = NULL;
    nw_error err;
    if (nw_correlated_new(&c, o, &err) != NW_OK)
        fail_msg("%s: %s", err.function, err.message);
    return c;
}

static void assert_near(double x, double wanted, double relative)
{
    if (!(fabs(x - wanted) <= relative * fabs(wanted)))
        fail_msg("is %.12g, must be %.12g", x, wanted);
}

static nw_rng *seeded(uint64_t seed)
{
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    return rng;
}

/* The first coefficients of (1 - x)^(-1/2), from the binomial theorem: choose(2 d, d) / 4^d. */
static double coefficient(unsigned d)
{
    return exp(lgamma(2.0 * d + 1.0) - 2.0 * lgamma(d + 1.0) - d * log(4.0));
}

/* ---- covariance ---- */

/* What is released of `steps` rows of zeros: y[t][i]. */
static double *released(const nw_correlated_opts *o, uint64_t seed)
{
    int64_t *x = calloc(o->coordinates, sizeof *x);
    double *y = calloc(o->steps * o->coordinates, sizeof *y);
    nw_rng *rng = seeded(seed);
    nw_correlated *c = make(o);
    assert_non_null(x);
    assert_non_null(y);
    for (uint64_t t = 0; t < o->steps; t++)
        assert_int_equal(nw_correlated_step(c, rng, x, y + t * o->coordinates, NULL), NW_OK);
    nw_correlated_free(c);
    nw_rng_free(rng);
    free(x);
    return y;
}

/* cov(y_s, y_t) over the coordinates against wanted[s][t], in units of scale^2. */
static void assert_covariance(const double *y, const double wanted[STEPS][STEPS], double scale)
{
    for (size_t s = 0; s < STEPS; s++) {
        for (size_t t = 0; t <= s; t++) {
            double sum = 0.0;
            for (size_t i = 0; i < COORDINATES; i++)
                sum += y[s * COORDINATES + i] * y[t * COORDINATES + i];
            const double seen = sum / COORDINATES / (scale * scale);
            const double error = 6.5 * sqrt((wanted[s][s] * wanted[t][t] + wanted[s][t] * wanted[s][t]) / COORDINATES);
            if (!(fabs(seen - wanted[s][t]) <= error + 1e-3)) /* rounding to whole numbers: 1 / (12 scale^2) */
                fail_msg("steps %zu and %zu: %g, must be %g within %g", s, t, seen, wanted[s][t], error);
        }
    }
}

/* M = C^-1 for a lower triangular C with bands, by substitution; then M M'. */
static void banded_covariance(unsigned bands, double out[STEPS][STEPS])
{
    double m[STEPS][STEPS] = { { 0.0 } };
    for (unsigned col = 0; col < STEPS; col++) {
        for (unsigned t = col; t < STEPS; t++) {
            m[t][col] = t == col ? 1.0 : 0.0;
            for (unsigned d = 1; d < bands && d <= t - col; d++)
                m[t][col] -= coefficient(d) * m[t - d][col];
        }
    }
    for (unsigned s = 0; s < STEPS; s++) {
        for (unsigned t = 0; t < STEPS; t++) {
            out[s][t] = 0.0;
            for (unsigned k = 0; k < STEPS; k++)
                out[s][t] += m[s][k] * m[t][k];
        }
    }
}

static void correlated_step__banded_noise_has_the_matrix_s_covariance(void **state)
{
    (void)state;
    for (unsigned bands = 1; bands <= 4; bands += 3) {
        double wanted[STEPS][STEPS];
        nw_correlated_opts o = options(NW_CORRELATED_BANDED, STEPS, 5);
        o.bands = bands;
        double *y = released(&o, 1 + bands);
        banded_covariance(bands, wanted);
        assert_covariance(y, wanted, o.scale);
        free(y);
    }
}

/* The nodes (level, number) whose sums add up to the first t rows. */
static size_t nodes_of(unsigned t, unsigned out[8][2])
{
    size_t n = 0;
    unsigned done = 0;
    for (unsigned level = 8; level-- > 0;) {
        if ((t >> level & 1) == 0)
            continue;
        out[n][0] = level;
        out[n++][1] = done >> level;
        done += 1U << level;
    }
    return n;
}

/* cov of the noise of the sums of the first s and the first t rows of one tree: the nodes that both have. */
static double shared_nodes(unsigned s, unsigned t)
{
    unsigned a[8][2];
    unsigned b[8][2];
    double shared = 0.0;
    const size_t n = nodes_of(s, a);
    const size_t m = nodes_of(t, b);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++)
            shared += a[i][0] == b[j][0] && a[i][1] == b[j][1];
    return shared;
}

static void correlated_step__tree_noise_is_that_of_its_nodes(void **state)
{
    (void)state;
    const unsigned cycle = 7; /* the second tree begins at step 7 */
    double wanted[STEPS][STEPS] = { { 0.0 } };
    const nw_correlated_opts o = options(NW_CORRELATED_TREE, STEPS, cycle);
    for (unsigned s = 0; s < STEPS; s++) {
        for (unsigned t = 0; t < STEPS; t++) {
            const unsigned a = s % cycle;
            const unsigned b = t % cycle;
            if (s / cycle == t / cycle)
                wanted[s][t] = shared_nodes(a + 1, b + 1) - shared_nodes(a, b + 1) - shared_nodes(a + 1, b) + shared_nodes(a, b);
        }
    }
    double *y = released(&o, 7);
    assert_covariance(y, wanted, o.scale);
    free(y);
}

/* Without noise to speak of, the answer is the row. */
static void correlated_step__returns_the_rows_without_noise(void **state)
{
    (void)state;
    enum { FEW = 5, LONG = 200 };
    for (int kind = NW_CORRELATED_TREE; kind <= NW_CORRELATED_BANDED; kind++) {
        nw_correlated_opts o = options((nw_correlated_kind)kind, LONG, 40);
        nw_rng *rng = seeded(3);
        o.coordinates = FEW;
        o.scale = kind == NW_CORRELATED_TREE ? 0x1p-10 : 0x1p-26; /* rounds to 0, always */
        nw_correlated *c = make(&o);
        for (int t = 0; t < LONG; t++) {
            double y[FEW];
            const int64_t x[FEW] = { t, -t, INT64_C(1) << 39, INT64_MAX, INT64_MIN };
            const double wanted[FEW] = { t, -t, 0x1p39, 0x1p40, -0x1p40 }; /* held to 2^40 */
            assert_int_equal(nw_correlated_step(c, rng, x, y, NULL), NW_OK);
            for (size_t i = 0; i < FEW; i++)
                assert_true(fabs(y[i] - wanted[i]) <= 1e-9 * fabs(wanted[i]) + 1e-9);
        }
        nw_correlated_free(c);
        nw_rng_free(rng);
    }
}

/* The point of it: sums over a cycle have less noise than sums of independent noise of the same cost. */
static void correlated_step__sums_have_less_noise_than_independent_steps(void **state)
{
    (void)state;
    enum { LONG = 64 };
    double variance[3] = { 0.0 };
    for (int k = 0; k < 3; k++) { /* bands 1: independent; 16; tree */
        nw_correlated_opts o = options(k == 2 ? NW_CORRELATED_TREE : NW_CORRELATED_BANDED, LONG, LONG);
        nw_event *event = NULL;
        double mu = 0.0;
        o.bands = k == 0 ? 1 : (k == 1 ? 16 : 0);
        o.coordinates = 2000;
        double *y = released(&o, 20 + (uint64_t)k);
        nw_correlated *c = make(&o);
        assert_int_equal(nw_correlated_event(c, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, &event, NULL), NW_OK);
        assert_int_equal(nw_account_mu(event, NW_ADD_REMOVE, &mu, NULL), NW_OK);
        for (size_t i = 0; i < o.coordinates; i++) {
            double sum = 0.0;
            for (size_t t = 0; t < LONG; t++)
                sum += y[t * o.coordinates + i];
            variance[k] += sum * sum * mu * mu; /* at equal cost */
        }
        nw_event_free(event);
        nw_correlated_free(c);
        free(y);
    }
    assert_true(variance[1] < 0.35 * variance[0]);
    assert_true(variance[2] < 0.35 * variance[0]);
}

/* ---- accounting ---- */

static double epsilon_of(const nw_correlated_opts *o, nw_sensitivity l2, nw_adjacency adjacency)
{
    double epsilon = NAN;
    nw_event *event = NULL;
    nw_error err;
    nw_correlated *c = make(o);
    if (nw_correlated_event(c, l2, &event, &err) != NW_OK ||
        nw_event_epsilon(event, adjacency, 1e-5, &epsilon, NULL, &err) != NW_OK)
        fail_msg("%s: %s", err.function, err.message);
    nw_event_free(event);
    nw_correlated_free(c);
    return epsilon;
}

/* The largest squared change of the released rows by one record, over all patterns of steps at least `separation` apart, at most
 * `most` of them. Entries of C are not negative, so its columns add up worst with one sign. first: rows of a block begin
 * there. */
static double worst_square(unsigned bands, unsigned steps, unsigned separation, unsigned most, unsigned restart)
{
    double worst = 0.0;
    for (unsigned pattern = 1; pattern < 1U << steps; pattern++) {
        double row[16] = { 0.0 };
        unsigned last = 0;
        bool is_allowed = (unsigned)__builtin_popcount(pattern) <= most;
        bool has_last = false;
        for (unsigned t = 0; t < steps; t++) {
            if ((pattern >> t & 1) == 0)
                continue;
            is_allowed = is_allowed && (!has_last || t - last >= separation);
            last = t;
            has_last = true;
            for (unsigned d = 0; d < bands && t + d < steps; d++)
                if ((t < restart) == (t + d < restart))
                    row[t + d] += nearbyint(coefficient(d) * 65536.0) / 65536.0;
        }
        double square = 0.0;
        for (unsigned t = 0; t < steps; t++)
            square += row[t] * row[t];
        worst = is_allowed ? fmax(worst, square) : worst;
    }
    return worst;
}

static void correlated_event__banded_costs_the_worst_pattern(void **state)
{
    (void)state;
    const nw_sensitivity one = { 1.0, NW_ADD_REMOVE };
    for (unsigned cycle = 2; cycle <= 6; cycle++) {
        nw_correlated_opts o = options(NW_CORRELATED_BANDED, STEPS, cycle);
        o.bands = cycle < 3 ? cycle : 3;
        const double worst = worst_square((unsigned)o.bands, STEPS, cycle, (unsigned)o.participations, 0);
        assert_near(epsilon_of(&o, one, NW_ADD_REMOVE), nw_gdp_epsilon(sqrt(worst) / 2.0, 1e-5), 1e-9);
        assert_near(epsilon_of(&o, one, NW_REPLACE_ONE), nw_gdp_epsilon(sqrt(worst), 1e-5), 1e-9);
    }
}

/* Wherever a run is interrupted, no pattern costs more than what was charged. */
static void correlated_restart__costs_no_more(void **state)
{
    (void)state;
    for (unsigned cycle = 2; cycle <= 5; cycle++) {
        const unsigned most = (STEPS + cycle - 1) / cycle;
        const double whole = worst_square(cycle, STEPS, cycle, most, 0);
        for (unsigned restart = 1; restart < STEPS; restart++)
            assert_true(worst_square(cycle, STEPS, cycle, most, restart) <= whole * (1.0 + 1e-12));
    }
}

static void correlated_restart__begins_anew(void **state)
{
    (void)state;
    enum { FEW = 3 };
    for (int kind = NW_CORRELATED_TREE; kind <= NW_CORRELATED_BANDED; kind++) {
        double y[FEW];
        double z[FEW];
        const int64_t x[FEW] = { 5, 6, 7 };
        nw_correlated_opts o = options((nw_correlated_kind)kind, 10, 5);
        o.coordinates = FEW;
        nw_rng *a = seeded(4);
        nw_rng *b = seeded(4);
        nw_correlated *first = make(&o);
        nw_correlated *second = make(&o);
        assert_int_equal(nw_correlated_step(first, a, x, y, NULL), NW_OK);
        assert_int_equal(nw_correlated_step(second, b, x, z, NULL), NW_OK);
        nw_correlated_restart(first, 4);
        nw_rng_free(a);
        a = seeded(4);
        assert_int_equal(nw_correlated_step(first, a, x, z, NULL), NW_OK);
        assert_memory_equal(y, z, sizeof y); /* as a first step */
        for (int t = 6; t < 10; t++)
            assert_int_equal(nw_correlated_step(first, a, x, z, NULL), NW_OK);
        assert_int_equal(nw_correlated_step(first, a, x, z, NULL), NW_E_STATE); /* the steps left out were among the ten */
        nw_correlated_free(first);
        nw_correlated_free(second);
        nw_rng_free(a);
        nw_rng_free(b);
    }
}

/* A record is in one leaf of each tree: in as many nodes as there are levels. */
static void correlated_event__tree_costs_its_levels(void **state)
{
    (void)state;
    const nw_sensitivity one = { 1.0, NW_ADD_REMOVE };
    for (unsigned cycle = 1; cycle <= 40; cycle += 3) {
        unsigned most = 0;
        const nw_correlated_opts o = options(NW_CORRELATED_TREE, 3 * cycle, cycle);
        for (unsigned leaf = 0; leaf < cycle; leaf++) {
            unsigned nodes = 0; /* that end within the cycle */
            for (unsigned level = 0; level < 8; level++)
                nodes += (((leaf >> level) + 1) << level) <= cycle;
            most = nodes > most ? nodes : most;
        }
        assert_near(epsilon_of(&o, one, NW_ADD_REMOVE), nw_gdp_epsilon(sqrt(3.0 * most) / 2.0, 1e-5), 1e-9);
    }
}

/* ---- refused ---- */

static void correlated_new__refuses_bad_options(void **state)
{
    (void)state;
    nw_correlated *c = NULL;
    nw_error err;
    nw_correlated_opts o = options((nw_correlated_kind)3, 10, 5);
    assert_int_equal(nw_correlated_new(&c, &o, NULL), NW_E_ARG);
    o = options(NW_CORRELATED_BANDED, 10, 5);
    o.bands = 6;
    assert_int_equal(nw_correlated_new(&c, &o, &err), NW_E_ARG);
    assert_string_equal(err.message, "bands is 6, must be at most 5: a cycle, and 64");
    o = options(NW_CORRELATED_BANDED, 10, 5);
    o.noise_multiplier = 0.0;
    assert_int_equal(nw_correlated_new(&c, &o, NULL), NW_E_ARG);
    o = options(NW_CORRELATED_BANDED, 10, 5);
    o.scale = 0x1p39;
    assert_int_equal(nw_correlated_new(&c, &o, NULL), NW_E_ARG);
    o = options(NW_CORRELATED_BANDED, 10, 5);
    o.steps = 0;
    assert_int_equal(nw_correlated_new(&c, &o, NULL), NW_E_ARG);
    assert_int_equal(nw_correlated_new(&c, NULL, NULL), NW_E_ARG);
    assert_int_equal(nw_correlated_new(NULL, &o, NULL), NW_E_ARG);
    assert_null(c);
}

static void correlated_step__refuses_what_was_made_for_its_event(void **state)
{
    (void)state;
    int64_t x[1] = { 0 };
    double y[1];
    nw_rng *rng = seeded(5);
    nw_event *event = NULL;
    nw_correlated_opts o = options(NW_CORRELATED_TREE, 10, 5);
    o.scale = 0.0;
    o.coordinates = 1;
    nw_correlated *c = make(&o);
    assert_int_equal(nw_correlated_step(c, rng, x, y, NULL), NW_E_STATE);
    assert_int_equal(nw_correlated_step(c, rng, NULL, y, NULL), NW_E_ARG);
    assert_int_equal(nw_correlated_event(c, (nw_sensitivity){ 0.0, NW_ADD_REMOVE }, &event, NULL), NW_E_ARG);
    assert_int_equal(nw_correlated_event(c, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, NULL, NULL), NW_E_ARG);
    assert_int_equal(nw_correlated_event(c, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, &event, NULL), NW_OK);
    assert_true(nw_event_samples(event) == 10); /* five leaves, twice */
    nw_event_free(event);
    nw_correlated_free(c);
    nw_rng_free(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(correlated_step__banded_noise_has_the_matrix_s_covariance),
        cmocka_unit_test(correlated_step__tree_noise_is_that_of_its_nodes),
        cmocka_unit_test(correlated_step__returns_the_rows_without_noise),
        cmocka_unit_test(correlated_step__sums_have_less_noise_than_independent_steps),
        cmocka_unit_test(correlated_event__banded_costs_the_worst_pattern),
        cmocka_unit_test(correlated_event__tree_costs_its_levels),
        cmocka_unit_test(correlated_restart__costs_no_more),
        cmocka_unit_test(correlated_restart__begins_anew),
        cmocka_unit_test(correlated_new__refuses_bad_options),
        cmocka_unit_test(correlated_step__refuses_what_was_made_for_its_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
