/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* audit_dpsgd.c - audits of DP-SGD: the sums of its steps, and whole training runs. argv[1]: factor on the runs, default 1. Fixed
 * insecure seeds. The broken twins: tests/stat/stat_mutants.c. */
#include "dpsgd_release.h"

#include <math.h>
#include <nw/accounting.h>
#include <nw/dpsgd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
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

/* ---- whole runs, of which only the model at the end is seen ---- */

enum { OTHERS = 7, RECORDS = OTHERS + 1, INPUTS = 2, STATISTICS = 3 };
static const double LEARNING_RATE = 0.125;
static const double EXPECTED = 8.0;

/* A linear model by least squares. The last record, of side 1, has a target that no model comes near to: its gradient is large
 * and of one direction in every step. */
typedef struct run {
    uint64_t steps;
    double rate;
    nw_dpsgd *dpsgd;
    nw_batches *batches[2];
} run;

static const float inputs[RECORDS][INPUTS] = { { 0, 1 }, { 0, -1 }, { 0, 2 }, { 0, 0.5F }, { 0, -2 }, { 0, 1.5F }, { 0, 0.25F },
    { 10, 0 } };
static const float targets[RECORDS] = { 1, -0.5F, 2, 0, -1, 2, 0, 1e6F };

static void train_step(run *r, int side, nw_rng *rng, float weights[INPUTS])
{
    const uint32_t *indices;
    size_t n;
    size_t parameter = 0;
    float input[RECORDS][INPUTS];
    float grad[RECORDS];
    float gradient[INPUTS];
    float *const gradients[] = { gradient };
    const nw_dpsgd_use use = { .kind = NW_DPSGD_LINEAR, .positions = 1, .input = input[0], .grad = grad };
    assert_int_equal(nw_batches_next(r->batches[side], rng, &indices, &n, NULL), NW_OK);
    for (size_t i = 0; i < n; i++) {
        memcpy(input[i], inputs[indices[i]], sizeof input[i]);
        grad[i] = weights[0] * input[i][0] + weights[1] * input[i][1] - targets[indices[i]];
    }
    assert_int_equal(nw_dpsgd_begin_step(r->dpsgd, rng, NULL), NW_OK);
    if (n > 0) {
        assert_int_equal(nw_dpsgd_begin_batch(r->dpsgd, n, NULL), NW_OK);
        assert_int_equal(nw_dpsgd_norms(r->dpsgd, parameter, &use, 1, NULL), NW_OK);
        assert_int_equal(nw_dpsgd_clip(r->dpsgd, NULL), NW_OK);
        assert_int_equal(nw_dpsgd_accumulate(r->dpsgd, parameter, &use, 1, NULL), NW_OK);
    }
    assert_int_equal(nw_dpsgd_finish_step(r->dpsgd, gradients, NULL), NW_OK);
    for (size_t k = 0; k < INPUTS; k++)
        weights[k] -= (float)LEARNING_RATE * gradient[k];
}

/* Statistics: the two weights, and how well the model does on the record. */
static void train_models(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    run *r = context;
    for (size_t i = 0; i < runs; i++, out += STATISTICS) {
        float weights[INPUTS] = { 0.0F, 0.0F };
        for (uint64_t step = 0; step < r->steps; step++)
            train_step(r, side, rng, weights);
        out[0] = (double)weights[0];
        out[1] = (double)weights[1];
        out[2] = -fabs((double)(weights[0] * inputs[OTHERS][0] - targets[OTHERS]));
    }
}

static void open_run(run *r, double noise_multiplier)
{
    nw_dpsgd_opts o = NW_DPSGD_OPTS_INIT;
    size_t parameter;
    o.clip_norm = 1.0;
    o.noise_multiplier = noise_multiplier;
    o.expected_batch = EXPECTED;
    o.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_dpsgd_new(&r->dpsgd, &o, NULL), NW_OK);
    assert_int_equal(nw_dpsgd_add_parameter(r->dpsgd, "weights", 1, INPUTS, 1, 0, &parameter, NULL), NW_OK);
    for (size_t side = 0; side < 2; side++)
        assert_int_equal(nw_batches_poisson(&r->batches[side], OTHERS + side, r->rate, NW_ADD_REMOVE, NULL), NW_OK);
}

/* The part of the claim that is found in the models. */
static double check_run(const char *name, double noise_multiplier, double rate, uint64_t steps, double delta, size_t runs)
{
    run r = { .steps = steps, .rate = rate };
    nw_event *step = NULL;
    nw_event *event = NULL;
    audit_opts opts = AUDIT_OPTS_INIT;
    opts.runs = runs * factor;
    opts.delta = delta;
    open_run(&r, noise_multiplier);
    assert_int_equal(nw_dpsgd_event(r.dpsgd, &step, NULL), NW_OK);
    assert_int_equal(nw_batches_event(r.batches[0], step, steps, &event, NULL), NW_OK);
    const audit_claim claim = audit_claim_of(event, NW_ADD_REMOVE, delta);
    const audit_bound bound = audit(&(audit_mechanism){ train_models, &r, STATISTICS }, &opts);
    const double found = isinf(claim.mu) || rate < 1.0 ? bound.epsilon : nw_gdp_epsilon(bound.mu, delta);
    print_message("# %s: epsilon in [%.4f, %.4f], mu in [%.4f, %.4f]\n", name, found, claim.epsilon, bound.mu, claim.mu);
    assert_true(bound.epsilon <= claim.epsilon && bound.mu <= claim.mu);
    nw_event_free(event);
    nw_event_free(step);
    nw_dpsgd_free(r.dpsgd);
    nw_batches_free(r.batches[0]);
    nw_batches_free(r.batches[1]);
    return found / claim.epsilon;
}

static void training__models_tell_no_more_than_is_claimed(void **state)
{
    (void)state;
    assert_true(check_run("4 steps over all records", 1.5, 1.0, 4, 1e-5, 40000) >= 0.8);
    assert_true(check_run("4 steps of Poisson batches", 1.0, 0.5, 4, 0.1, 40000) >= 0.5);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step__audit_comes_close_to_the_claim),
        cmocka_unit_test(poisson__audit_comes_close_to_the_claim),
        cmocka_unit_test(adaptive_clip__audit_stays_below_the_claim),
        cmocka_unit_test(training__models_tell_no_more_than_is_claimed),
    };
    if (argc > 1)
        factor = (size_t)strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
