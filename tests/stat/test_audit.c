/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_audit.c - the audit harness: its intervals against exact binomial tails, its bounds against mechanisms whose epsilon and
 * mu are closed forms (randomized response, the geometric mechanism, a Gaussian), both coverage and power; the runner of mutants
 * against a twin without a fault. The mechanisms here draw their noise by plain means, not by the library's sampler. */
#include "audit.h"
#include "mutants.h"
#include "random_internal.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static double uniform(nw_rng *rng)
{
    return ((double)(nw__rng_u64(rng) >> 11) + 0.5) * 0x1p-53;
}

/* No hit: (1 - rate)^n = failure. Only hits: rate 1. */
static void audit_rate__has_its_closed_forms(void **state)
{
    (void)state;
    const size_t runs[] = { 1, 2, 17, 1000, 5000000 };
    const double failures[] = { 0.05, 1e-3, 5e-7 };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        for (size_t j = 0; j < 3; j++) {
            const double exact = -expm1(log(failures[j]) / (double)runs[i]);
            const double above = audit_rate_above(0, runs[i], failures[j]);
            assert_true(above >= exact && above < exact * (1.0 + 1e-4));
            assert_true(audit_rate_above(runs[i], runs[i], failures[j]) == 1.0);
            assert_true(audit_rate_below(0, runs[i], failures[j]) == 0.0);
            assert_true(fabs(audit_rate_below(runs[i], runs[i], failures[j]) - (1.0 - above)) < 1e-15);
        }
    }
}

/* At its own bound the tail is the failure probability, from below and within 2^-14 of it. */
static void audit_rate__inverts_the_binomial_tail(void **state)
{
    (void)state;
    const struct {
        size_t hits;
        size_t runs;
    } cases[] = { { 1, 2 }, { 3, 10 }, { 9, 10 }, { 50, 100 }, { 1, 1000 }, { 999, 1000 }, { 400, 1000 }, { 20, 100000 },
        { 30000, 100000 } };
    const double failures[] = { 0.25, 0.01, 5e-7, 1e-9 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t j = 0; j < 4; j++) {
            const unsigned k = (unsigned)cases[i].hits;
            const unsigned n = (unsigned)cases[i].runs;
            const double above = audit_rate_above(k, n, failures[j]);
            const double below = audit_rate_below(k, n, failures[j]);
            const double fewer = gsl_cdf_binomial_P(k, above, n);
            const double more = gsl_cdf_binomial_Q(k - 1, below, n);
            assert_true(below < (double)k / n && (double)k / n < above);
            assert_true(fewer <= failures[j] * (1.0 + 1e-9) && fewer > failures[j] * (1.0 - 0x1p-14));
            assert_true(more <= failures[j] * (1.0 + 1e-9) && more > failures[j] * (1.0 - 0x1p-14));
        }
    }
}

/* With millions of runs the tail's terms are many and their logarithms large: against the sum of gsl_ran_binomial_pdf, and
 * against the normal approximation. */
static void audit_rate__is_right_for_millions_of_runs(void **state)
{
    (void)state;
    const double hits[] = { 3.0, 1e4, 2.5e6 };
    const double runs = 5e6;
    for (size_t i = 0; i < 3; i++) {
        const double above = audit_rate_above((size_t)hits[i], (size_t)runs, 5e-7);
        double sum = 0.0;
        for (double k = hits[i]; k >= 0.0 && k > hits[i] - 20000.0; k -= 1.0)
            sum += gsl_ran_binomial_pdf((unsigned)k, above, (unsigned)runs);
        assert_true(fabs(sum / 5e-7 - 1.0) < 1e-4);
        if (hits[i] > 1000.0) {
            const double rate = hits[i] / runs;
            const double normal = rate + gsl_cdf_ugaussian_Qinv(5e-7) * sqrt(rate * (1.0 - rate) / runs);
            assert_true(fabs((above - rate) / (normal - rate) - 1.0) < 0.03);
        }
    }
}

/* The definition, by enumeration: whatever the rate, the bounds miss it with probability at most `failure`. */
static void audit_rate__covers_every_rate(void **state)
{
    (void)state;
    enum { RUNS = 60 };
    const double failure = 0.01;
    double worst = 0.0;
    for (double rate = 0.005; rate < 1.0; rate += 0.005) {
        double missed[2] = { 0.0, 0.0 };
        for (unsigned k = 0; k <= RUNS; k++) {
            const double p = gsl_ran_binomial_pdf(k, rate, RUNS);
            missed[0] += audit_rate_above(k, RUNS, failure) < rate ? p : 0.0;
            missed[1] += audit_rate_below(k, RUNS, failure) > rate ? p : 0.0;
        }
        assert_true(missed[0] <= failure && missed[1] <= failure);
        worst = fmax(worst, fmax(missed[0], missed[1]));
    }
    assert_true(worst > 0.5 * failure); /* and not by being far too wide */
}

/* Two answers, the true one with probability e^epsilon / (1 + e^epsilon). Side 0 holds answer 0. */
static void run_randomized_response(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    const double epsilon = *(const double *)context;
    const double truth = 1.0 / (1.0 + exp(-epsilon));
    for (size_t i = 0; i < runs; i++)
        out[i] = uniform(rng) < truth ? side : 1 - side;
}

/* mu of randomized response: its trade-off curve has one corner, (1 / (1 + e^epsilon)) on both axes. */
static double corner_mu(double epsilon)
{
    return -2.0 * gsl_cdf_ugaussian_Pinv(1.0 / (1.0 + exp(epsilon)));
}

/* Binomial count below `limit` in probability 1 - 1e-9. */
static bool is_no_more_often_than(size_t seen, size_t trials, double probability)
{
    return seen == 0 || gsl_cdf_binomial_Q((unsigned)seen - 1, probability, (unsigned)trials) > 1e-9;
}

/* A bound above the truth is as rare as promised: many audits at failure 0.1. */
static void audit__covers_the_truth(void **state)
{
    (void)state;
    enum { AUDITS = 1500 };
    double epsilon = 1.0;
    const audit_mechanism m = { run_randomized_response, &epsilon, 1 };
    size_t above[2] = { 0, 0 };
    double sum = 0.0;
    for (uint64_t seed = 0; seed < AUDITS; seed++) {
        const audit_bound bound = audit(&m, &(audit_opts){ 400, seed, 0.0, 0.1 });
        above[0] += bound.epsilon > epsilon;
        above[1] += bound.mu > corner_mu(epsilon);
        sum += bound.epsilon / AUDITS;
    }
    assert_true(is_no_more_often_than(above[0], AUDITS, 0.1));
    assert_true(is_no_more_often_than(above[1], AUDITS, 0.1));
    assert_true(sum > 0.5); /* while the bounds say something */
}

/* Both sides the same, many statistics to choose from: choosing on other runs than one counts on keeps the promise. */
static void run_noise_only(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    (void)context;
    (void)side;
    for (size_t i = 0; i < runs * AUDIT_STATISTICS; i++)
        out[i] = uniform(rng);
}

static void audit__choosing_an_event_costs_no_confidence(void **state)
{
    (void)state;
    enum { AUDITS = 200 };
    const audit_mechanism m = { run_noise_only, NULL, AUDIT_STATISTICS };
    size_t above[2] = { 0, 0 };
    for (uint64_t seed = 0; seed < AUDITS; seed++) {
        const audit_bound bound = audit(&m, &(audit_opts){ 400, seed, 0.0, 0.1 });
        above[0] += bound.epsilon > 0.0;
        above[1] += bound.mu > 0.0;
    }
    assert_true(is_no_more_often_than(above[0], AUDITS, 0.1));
    assert_true(is_no_more_often_than(above[1], AUDITS, 0.1));
}

static void audit__comes_close_to_randomized_response(void **state)
{
    (void)state;
    const double epsilons[] = { 0.5, 1.0, 4.0 };
    for (size_t i = 0; i < 3; i++) {
        double epsilon = epsilons[i];
        const audit_mechanism m = { run_randomized_response, &epsilon, 1 };
        const audit_opts opts = AUDIT_OPTS_INIT;
        const audit_bound bound = audit(&m, &opts);
        assert_true(bound.epsilon > 0.95 * epsilon && bound.epsilon <= epsilon);
        assert_true(bound.mu > 0.95 * corner_mu(epsilon) && bound.mu <= corner_mu(epsilon));
    }
}

/* side + the difference of two geometric variates by inversion: the discrete Laplace law of scale 1 / epsilon. The second
 * statistic is a coin: it has to be passed over. */
static void run_geometric(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    const double epsilon = *(const double *)context;
    for (size_t i = 0; i < runs; i++) {
        const double up = floor(-log(uniform(rng)) / epsilon);
        const double down = floor(-log(uniform(rng)) / epsilon);
        out[2 * i] = uniform(rng) < 0.5;
        out[2 * i + 1] = side + up - down;
    }
}

static void audit__comes_close_to_the_geometric_mechanism(void **state)
{
    (void)state;
    const double epsilons[] = { 0.5, 1.0, 4.0 };
    for (size_t i = 0; i < 3; i++) {
        double epsilon = epsilons[i];
        const audit_mechanism m = { run_geometric, &epsilon, 2 };
        const audit_opts opts = AUDIT_OPTS_INIT;
        const audit_bound bound = audit(&m, &opts);
        assert_true(bound.epsilon > 0.95 * epsilon && bound.epsilon <= epsilon);
        assert_int_equal(bound.of_epsilon.statistic, 1);
        assert_true(bound.mu <= corner_mu(epsilon)); /* the mu of any epsilon-DP mechanism */
    }
}

static void run_gaussian(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    const double mu = *(const double *)context;
    for (size_t i = 0; i < runs; i++)
        out[i] = mu * side + gsl_cdf_ugaussian_Pinv(uniform(rng));
}

static void audit__comes_close_to_mu_of_a_gaussian(void **state)
{
    (void)state;
    const double mus[] = { 0.2, 1.0, 3.0 };
    for (size_t i = 0; i < 3; i++) {
        double mu = mus[i];
        const audit_mechanism m = { run_gaussian, &mu, 1 };
        const audit_bound bound = audit(&m, &(audit_opts){ 400000, 7, 0.0, 1e-6 });
        assert_true(bound.mu > mu - 0.08 && bound.mu <= mu);
        assert_int_equal(bound.of_mu.likelier, bound.of_mu.high == INFINITY ? 1 : 0);
    }
}

/* With probability delta = 0.1 the record is shown (as +-infinity), else randomized response. */
static void run_with_a_leak(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    run_randomized_response(context, side, rng, out, runs);
    for (size_t i = 0; i < runs; i++)
        if (uniform(rng) < 0.1)
            out[i] = side == 0 ? -INFINITY : (double)NAN;
}

static void audit__takes_delta_off(void **state)
{
    (void)state;
    double epsilon = 1.0;
    const audit_mechanism m = { run_with_a_leak, &epsilon, 1 };
    const audit_bound with = audit(&m, &(audit_opts){ 400000, 3, 0.1, 1e-6 });
    const audit_bound without = audit(&m, &(audit_opts){ 400000, 3, 0.0, 1e-6 });
    assert_true(with.epsilon > 0.9 && with.epsilon <= 1.0);
    assert_true(without.epsilon > 7.0); /* an event that one side never shows: as far as 2e5 runs can tell */
    assert_true(without.of_epsilon.low == INFINITY || without.of_epsilon.high < 0.0);
}

/* Nothing random at all: the events {0} and {1} tell the sides apart, up to what `runs` can tell. */
static void run_without_noise(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    (void)context;
    (void)rng;
    for (size_t i = 0; i < runs; i++)
        out[i] = side;
}

static void audit__of_a_release_without_noise_is_limited_by_the_runs(void **state)
{
    (void)state;
    const audit_mechanism m = { run_without_noise, NULL, 1 };
    const audit_bound bound = audit(&m, &(audit_opts){ 20000, 1, 0.0, 1e-6 });
    const double rate = -expm1(log(5e-7) / 10000.0); /* not seen in 1e4 runs */
    assert_true(fabs(bound.epsilon - log((1.0 - rate) / rate)) < 1e-3);
    assert_true(fabs(bound.mu + 2.0 * gsl_cdf_ugaussian_Pinv(rate)) < 1e-3);
}

/* The runner: a test that cannot tell the twins apart lets its mutant survive, one that accuses both is a false alarm. */
static bool accuses_planted(const void *context, bool is_planted)
{
    return is_planted == *(const bool *)context || is_planted;
}

static bool accuses_nobody(const void *context, bool is_planted)
{
    (void)context;
    (void)is_planted;
    return false;
}

static void mutant_try__tells_killed_survived_and_false_alarm(void **state)
{
    (void)state;
    const bool never = true;
    const bool always = false;
    assert_int_equal(mutant_try(&(mutant){ "seen", "unit", accuses_planted, &never }), MUTANT_KILLED);
    assert_int_equal(mutant_try(&(mutant){ "not seen", "unit", accuses_nobody, NULL }), MUTANT_SURVIVED);
    assert_int_equal(mutant_try(&(mutant){ "both accused", "unit", accuses_planted, &always }), MUTANT_FALSE_ALARM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(audit_rate__has_its_closed_forms),
        cmocka_unit_test(audit_rate__inverts_the_binomial_tail),
        cmocka_unit_test(audit_rate__is_right_for_millions_of_runs),
        cmocka_unit_test(audit_rate__covers_every_rate),
        cmocka_unit_test(audit__covers_the_truth),
        cmocka_unit_test(audit__choosing_an_event_costs_no_confidence),
        cmocka_unit_test(audit__comes_close_to_randomized_response),
        cmocka_unit_test(audit__comes_close_to_the_geometric_mechanism),
        cmocka_unit_test(audit__comes_close_to_mu_of_a_gaussian),
        cmocka_unit_test(audit__takes_delta_off),
        cmocka_unit_test(audit__of_a_release_without_noise_is_limited_by_the_runs),
        cmocka_unit_test(mutant_try__tells_killed_survived_and_false_alarm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
