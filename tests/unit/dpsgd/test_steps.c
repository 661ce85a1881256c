/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_steps.c - the order of calls, each status of the header, clipping modes, the adaptive clip norm, noise, and what a step is
 * accounted as. */
#include "dpsgd_support.h"

#include <nw/accounting.h>
#include <omp.h>

enum { EXAMPLES = 20, NOISY = 60000 };

static nw_error last;

static void expect_error(nw_status status, nw_status expected, const char *part)
{
    assert_int_equal(status, expected);
    if (strstr(last.message, part) == NULL)
        fail_msg("'%s' does not say '%s'", last.message, part);
}

/* ---- options ---- */

static void expect_opts(const nw_dpsgd_opts *opts, const char *part)
{
    nw_dpsgd *d = (nw_dpsgd *)1;
    expect_error(nw_dpsgd_new(&d, opts, &last), NW_E_ARG, part);
    assert_null(d);
}

static void new__names_the_option_that_is_wrong(void **state)
{
    (void)state;
    nw_dpsgd_opts good = silent_opts(1.0, 100.0);
    nw_dpsgd_opts o;
    nw_dpsgd_opts_init(&o, sizeof o);
    assert_true(o.clip_norm == 0.0 && o.noise_multiplier == -1.0 && o.memory_mib == 64);
    expect_opts(&o, "clip_norm is 0");
    static const double bad[] = { 0.0, -1.0, (double)NAN, (double)INFINITY };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        o = good, o.clip_norm = bad[i];
        expect_opts(&o, "clip_norm is");
        o = good, o.expected_batch = bad[i];
        expect_opts(&o, "expected_batch is");
        o = good, o.clipping = NW_DPSGD_AUTO_S, o.auto_gamma = bad[i];
        expect_opts(&o, "auto_gamma is");
        o = good, o.quantile = 0.5, o.quantile_rate = bad[i];
        expect_opts(&o, "quantile_rate is");
        o = good, o.noise_multiplier = i == 0 ? 1e-9 : bad[i];
        expect_opts(&o, "noise_multiplier is");
        o = good, o.quantile = i == 0 ? 1.0 : bad[i];
        expect_opts(&o, "quantile is");
        o = good, o.quantile = 0.5, o.count_noise = i == 0 ? -2.0 : bad[i];
        expect_opts(&o, "count_noise is");
    }
    o = good, o.adjacency = NW_ADJACENCY_UNSET;
    expect_opts(&o, "adjacency is unset");
    o = good, o.clipping = (nw_dpsgd_clipping)9;
    expect_opts(&o, "clipping is 9");
    o = good, o.quantile = 0.5, o.clipping = NW_DPSGD_GLOBAL;
    expect_opts(&o, "unless clipping is flat");
    o = good, o.quantile = 0.5, o.noise_multiplier = 20.0; /* count_noise is 100 / 20: not above 20 / 2 */
    expect_opts(&o, "count_noise is 5");
    o = good, o.memory_mib = SIZE_MAX;
    expect_opts(&o, "memory_mib is");
    expect_opts(NULL, "opts is NULL");
    expect_error(nw_dpsgd_new(NULL, &good, &last), NW_E_ARG, "out is NULL");
}

/* Positions by the million for batches by the million leave no room in 32 bits; the handle is as it was. */
static void add_parameter__refuses_what_could_overflow(void **state)
{
    (void)state;
    const nw_dpsgd_opts opts = silent_opts(1.0, 4e6);
    nw_dpsgd *d = NULL;
    size_t p = 9;
    assert_int_equal(nw_dpsgd_new(&d, &opts, NULL), NW_OK);
    assert_int_equal(nw_dpsgd_add_parameter(d, "w", 3, 4, 1, 0, &p, NULL), NW_OK);
    const double slack = nw_dpsgd_slack(d);
    expect_error(nw_dpsgd_add_parameter(d, "long", 3, 4, 1 << 24, 0, &p, &last), NW_E_ARG, "'long': positions is 16777216");
    assert_true(p == 0 && nw_dpsgd_slack(d) == slack);
    assert_int_equal(nw_dpsgd_add_parameter(d, "b", 3, 1, 1, 0, &p, NULL), NW_OK);
    assert_int_equal(p, 1);
    nw_dpsgd_free(d);
}

static void add_parameter__names_what_is_wrong(void **state)
{
    (void)state;
    const nw_dpsgd_opts opts = silent_opts(1.0, 10.0);
    nw_dpsgd *d = NULL;
    size_t p = 0;
    nw_rng *rng = seeded_rng(1);
    assert_int_equal(nw_dpsgd_new(&d, &opts, NULL), NW_OK);
    expect_error(nw_dpsgd_begin_step(d, rng, &last), NW_E_STATE, "nw_dpsgd_add_parameter");
    expect_error(nw_dpsgd_add_parameter(d, "w", 0, 4, 1, 0, &p, &last), NW_E_ARG, "'w' is 0 x 4");
    expect_error(nw_dpsgd_add_parameter(d, "w", SIZE_MAX, 4, 1, 0, &p, &last), NW_E_ARG, "2^31");
    expect_error(nw_dpsgd_add_parameter(d, "w", 3, 4, 0, 0, &p, &last), NW_E_ARG, "positions is 0");
    expect_error(nw_dpsgd_add_parameter(d, "w", 3, 4, 1, 1 << 20, &p, &last), NW_E_ARG, "group is");
    expect_error(nw_dpsgd_add_parameter(d, NULL, 3, 4, 1, 0, &p, &last), NW_E_ARG, "name is NULL");
    assert_int_equal(nw_dpsgd_add_parameter(d, "w", 3, 4, 2, 0, &p, NULL), NW_OK);
    expect_error(nw_dpsgd_set_plan(d, 0, NW_DPSGD_PLAN_PRODUCT, &last), NW_E_ARG, "2 positions");
    expect_error(nw_dpsgd_set_plan(d, 0, (nw_dpsgd_plan_kind)7, &last), NW_E_ARG, "plan is 7");
    expect_error(nw_dpsgd_set_plan(d, 1, NW_DPSGD_PLAN_AUTO, &last), NW_E_ARG, "parameter is 1");
    assert_int_equal(nw_dpsgd_begin_step(d, rng, NULL), NW_OK);
    expect_error(nw_dpsgd_add_parameter(d, "late", 3, 4, 1, 0, &p, &last), NW_E_STATE, "'late'");
    expect_error(nw_dpsgd_set_plan(d, 0, NW_DPSGD_PLAN_GRAM, &last), NW_E_STATE, "'w'");
    nw_rng_free(rng);
    nw_dpsgd_free(d);
    nw_dpsgd_free(NULL);
}

/* ---- order ---- */

static void calls__out_of_order_name_the_one_that_is_missing(void **state)
{
    (void)state;
    layer l[2] = { new_layer(NW_DPSGD_LINEAR, 3, 4, 1, 2, 1), new_layer(NW_DPSGD_BIAS, 3, 1, 1, 2, 2) };
    const nw_dpsgd_opts opts = silent_opts(1.0, 10.0);
    nw_dpsgd *d = NULL;
    size_t p = 0;
    nw_rng *rng = seeded_rng(1);
    assert_int_equal(nw_dpsgd_new(&d, &opts, NULL), NW_OK);
    assert_int_equal(nw_dpsgd_add_parameter(d, "weight", 3, 4, 1, 0, &p, NULL), NW_OK);
    assert_int_equal(nw_dpsgd_add_parameter(d, "bias", 3, 1, 1, 0, &p, NULL), NW_OK);
    expect_error(nw_dpsgd_begin_batch(d, 2, &last), NW_E_STATE, "nw_dpsgd_begin_step");
    expect_error(nw_dpsgd_norms(d, 0, l[0].uses, 1, &last), NW_E_STATE, "nw_dpsgd_begin_step");
    expect_error(nw_dpsgd_clip(d, &last), NW_E_STATE, "nw_dpsgd_begin_step");
    expect_error(nw_dpsgd_accumulate(d, 0, l[0].uses, 1, &last), NW_E_STATE, "nw_dpsgd_begin_step");
    expect_error(nw_dpsgd_finish_step(d, NULL, &last), NW_E_STATE, "nw_dpsgd_begin_step");
    assert_null(nw_dpsgd_gradient(d, 0));
    assert_int_equal(nw_dpsgd_begin_step(d, rng, NULL), NW_OK);
    expect_error(nw_dpsgd_begin_step(d, rng, &last), NW_E_STATE, "nw_dpsgd_finish_step");
    expect_error(nw_dpsgd_norms(d, 0, l[0].uses, 1, &last), NW_E_STATE, "nw_dpsgd_begin_batch");
    expect_error(nw_dpsgd_clip(d, &last), NW_E_STATE, "nw_dpsgd_begin_batch");
    assert_int_equal(nw_dpsgd_begin_batch(d, 2, NULL), NW_OK);
    assert_int_equal(nw_dpsgd_norms(d, 0, l[0].uses, 1, NULL), NW_OK);
    expect_error(nw_dpsgd_norms(d, 0, l[0].uses, 1, &last), NW_E_STATE, "'weight'");
    expect_error(nw_dpsgd_clip(d, &last), NW_E_STATE, "nw_dpsgd_norms has to be called for parameter 'bias'");
    expect_error(nw_dpsgd_accumulate(d, 0, l[0].uses, 1, &last), NW_E_STATE, "nw_dpsgd_clip");
    expect_error(nw_dpsgd_finish_step(d, NULL, &last), NW_E_STATE, "nw_dpsgd_clip");
    assert_null(nw_dpsgd_factors(d));
    assert_int_equal(nw_dpsgd_norms(d, 1, l[1].uses, 1, NULL), NW_OK);
    assert_int_equal(nw_dpsgd_clip(d, NULL), NW_OK);
    assert_int_equal(nw_dpsgd_accumulate(d, 0, l[0].uses, 1, NULL), NW_OK);
    expect_error(nw_dpsgd_accumulate(d, 0, l[0].uses, 1, &last), NW_E_STATE, "in the sum already");
    expect_error(nw_dpsgd_finish_step(d, NULL, &last), NW_E_STATE, "nw_dpsgd_accumulate has to be called for parameter 'bias'");
    expect_error(nw_dpsgd_begin_batch(d, 2, &last), NW_E_STATE, "'bias'");
    assert_int_equal(nw_dpsgd_accumulate(d, 1, l[1].uses, 1, NULL), NW_OK);
    expect_error(nw_dpsgd_begin_batch(d, 2, &last), NW_E_STATE, "micro_batch");
    float *gradients[2] = { NULL, NULL };
    expect_error(nw_dpsgd_finish_step(d, gradients, &last), NW_E_ARG, "'weight'");
    assert_int_equal(nw_dpsgd_finish_step(d, NULL, NULL), NW_OK);
    expect_error(nw_dpsgd_finish_step(d, NULL, &last), NW_E_STATE, "nw_dpsgd_begin_step");
    assert_non_null(nw_dpsgd_gradient(d, 1));
    nw_rng_free(rng);
    nw_dpsgd_free(d);
    free_layer(&l[0]);
    free_layer(&l[1]);
}

static void expect_use(nw_dpsgd *d, nw_dpsgd_use use, size_t parameter, const char *part)
{
    expect_error(nw_dpsgd_norms(d, parameter, &use, 1, &last), NW_E_ARG, part);
}

static void uses__that_do_not_fit_are_named(void **state)
{
    (void)state;
    const nw_dpsgd_opts opts = silent_opts(1.0, 10.0);
    nw_dpsgd *d = NULL;
    size_t p = 0;
    float x[100] = { 0.0f };
    nw_rng *rng = seeded_rng(1);
    assert_int_equal(nw_dpsgd_new(&d, &opts, NULL), NW_OK);
    assert_int_equal(nw_dpsgd_add_parameter(d, "w", 3, 4, 2, 0, &p, NULL), NW_OK);
    assert_int_equal(nw_dpsgd_add_parameter(d, "kernel", 4, 8, 1, 0, &p, NULL), NW_OK);
    assert_int_equal(nw_dpsgd_begin_step(d, rng, NULL), NW_OK);
    assert_int_equal(nw_dpsgd_begin_batch(d, 1, NULL), NW_OK);
    expect_error(nw_dpsgd_norms(d, 2, NULL, 0, &last), NW_E_ARG, "parameter is 2");
    expect_error(nw_dpsgd_norms(d, 0, NULL, 0, &last), NW_E_ARG, "'w' has no use");
    expect_use(d, (nw_dpsgd_use){ .kind = NW_DPSGD_LINEAR, .input = x, .grad = x }, 0, "positions must be");
    expect_use(d, (nw_dpsgd_use){ NW_DPSGD_LINEAR, 3, x, NULL, x, NULL }, 0, "more positions than it was added with: 2");
    expect_use(d, (nw_dpsgd_use){ NW_DPSGD_LINEAR, 1, NULL, NULL, x, NULL }, 0, "input is NULL");
    expect_use(d, (nw_dpsgd_use){ NW_DPSGD_LINEAR, 1, x, NULL, NULL, NULL }, 0, "grad is NULL");
    expect_use(d, (nw_dpsgd_use){ NW_DPSGD_EMBEDDING, 1, NULL, NULL, x, NULL }, 0, "tokens is NULL");
    expect_use(d, (nw_dpsgd_use){ NW_DPSGD_BIAS, 1, NULL, NULL, x, NULL }, 0, "one column");
    expect_use(d, (nw_dpsgd_use){ NW_DPSGD_SCALE, 1, x, NULL, x, NULL }, 0, "one row");
    expect_use(d, (nw_dpsgd_use){ (nw_dpsgd_kind)9, 1, x, NULL, x, NULL }, 0, "none of nw_dpsgd_kind");
    expect_use(d, (nw_dpsgd_use){ NW_DPSGD_CONV2D, 1, x, NULL, x, NULL }, 1, "conv is NULL");
    const nw_dpsgd_conv good = { 4, 3, 3, 4, 2, 2, 1, 0, 1, 2 };
    nw_dpsgd_conv c = good;
    c.stride = 0;
    expect_use(d, (nw_dpsgd_use){ NW_DPSGD_CONV2D, 1, x, NULL, x, &c }, 1, "must be at least 1");
    c = good, c.groups = 3;
    expect_use(d, (nw_dpsgd_use){ NW_DPSGD_CONV2D, 1, x, NULL, x, &c }, 1, "multiples of groups");
    c = good, c.dilation = 3;
    expect_use(d, (nw_dpsgd_use){ NW_DPSGD_CONV2D, 1, x, NULL, x, &c }, 1, "padded input");
    c = good, c.channels_out = 8;
    expect_use(d, (nw_dpsgd_use){ NW_DPSGD_CONV2D, 1, x, NULL, x, &c }, 1, "the parameter must be");
    c = good, c.height = SIZE_MAX;
    expect_use(d, (nw_dpsgd_use){ NW_DPSGD_CONV2D, 1, x, NULL, x, &c }, 1, "at most 2^20");
    const nw_dpsgd_use linear = { NW_DPSGD_LINEAR, 2, x, NULL, x, NULL };
    const nw_dpsgd_use conv = { NW_DPSGD_CONV2D, 1, x, NULL, x, &good };
    assert_int_equal(nw_dpsgd_norms(d, 0, &linear, 1, NULL), NW_OK);
    assert_int_equal(nw_dpsgd_norms(d, 1, &conv, 1, NULL), NW_OK);
    assert_int_equal(nw_dpsgd_clip(d, NULL), NW_OK);
    const nw_dpsgd_use shorter = { NW_DPSGD_LINEAR, 1, x, NULL, x, NULL };
    expect_error(nw_dpsgd_accumulate(d, 0, &shorter, 1, &last), NW_E_STATE, "other uses");
    const nw_dpsgd_use rows = { NW_DPSGD_ROWS, 1, NULL, NULL, x, NULL };
    expect_error(nw_dpsgd_accumulate(d, 0, &rows, 1, &last), NW_E_ARG, "other kinds");
    nw_rng_free(rng);
    nw_dpsgd_free(d);
}

static void begin_batch__keeps_micro_batches_of_one_size(void **state)
{
    (void)state;
    layer l = new_layer(NW_DPSGD_ROWS, 2, 2, 1, EXAMPLES, 1);
    nw_dpsgd_opts opts = silent_opts(1.0, 4.0);
    opts.micro_batch = 8;
    nw_dpsgd *d = new_dpsgd(&opts, &l, 1, NW_DPSGD_PLAN_AUTO);
    nw_rng *rng = seeded_rng(1);
    assert_int_equal(nw_dpsgd_begin_step(d, rng, NULL), NW_OK);
    expect_error(nw_dpsgd_begin_batch(d, 9, &last), NW_E_ARG, "at most 8");
    run_norms(d, &l, 1, 0, 8);
    run_sums(d, &l, 1, 0);
    run_norms(d, &l, 1, 8, 5);
    run_sums(d, &l, 1, 8);
    expect_error(nw_dpsgd_begin_batch(d, 8, &last), NW_E_STATE, "only the last micro-batch");
    assert_int_equal(nw_dpsgd_finish_step(d, NULL, NULL), NW_OK);
    assert_int_equal(nw_dpsgd_begin_step(d, rng, NULL), NW_OK);
    for (size_t i = 0; i < 12; i++) { /* 4 + 14 sqrt(4) + 64 = 96 examples */
        run_norms(d, &l, 1, 0, 8);
        run_sums(d, &l, 1, 0);
    }
    expect_error(nw_dpsgd_begin_batch(d, 1, &last), NW_E_ARG, "expected_batch = 4 leaves room for: 96");
    nw_rng_free(rng);
    nw_dpsgd_free(d);
    free_layer(&l);
}

/* ---- clipping ---- */

static void clip__follows_its_mode(void **state)
{
    (void)state;
    const double clip = 1.5;
    layer l[3] = { new_layer(NW_DPSGD_ROWS, 3, 1, 1, EXAMPLES, 1), new_layer(NW_DPSGD_LINEAR, 2, 2, 1, EXAMPLES, 2),
        new_layer(NW_DPSGD_BIAS, 3, 1, 2, EXAMPLES, 3) };
    for (nw_dpsgd_clipping mode = NW_DPSGD_FLAT; mode <= NW_DPSGD_GLOBAL; mode++) {
        nw_dpsgd_opts opts = silent_opts(clip, 100.0);
        opts.clipping = mode;
        nw_dpsgd *d = new_dpsgd(&opts, l, 3, NW_DPSGD_PLAN_AUTO);
        nw_rng *rng = seeded_rng(1);
        assert_int_equal(nw_dpsgd_begin_step(d, rng, NULL), NW_OK);
        run_norms(d, l, 3, 0, EXAMPLES);
        bool is_clipped = false;
        bool is_whole = false;
        for (size_t e = 0; e < EXAMPLES; e++) {
            long double square = 0.0L;
            for (size_t i = 0; i < 3; i++)
                square += squared_norm_of(&l[i], e);
            const double n = (double)sqrtl(square);
            for (size_t i = 0; i < 3; i++) {
                const double layer_norm = (double)sqrtl(squared_norm_of(&l[i], e));
                const double layer_clip = clip / sqrt(3.0);
                const double expected = mode == NW_DPSGD_FLAT     ? fmin(1.0, clip / n)
                                        : mode == NW_DPSGD_AUTO_S ? clip / (n + 0.01)
                                        : mode == NW_DPSGD_GLOBAL ? (n <= clip ? 1.0 : 0.0)
                                                                  : fmin(1.0, layer_clip / layer_norm);
                const double factor = (double)nw_dpsgd_factors(d)[mode == NW_DPSGD_PER_LAYER ? i * EXAMPLES + e : e];
                assert_true(fabs(factor - expected) <= 1e-5 * expected);
                is_clipped = is_clipped || expected < 0.99;
                is_whole = is_whole || expected > 0.99;
            }
        }
        assert_true(is_clipped && is_whole);
        nw_rng_free(rng);
        nw_dpsgd_free(d);
    }
    for (size_t i = 0; i < 3; i++)
        free_layer(&l[i]);
}

/* Without noise the count is exact: C exp(-rate (share - quantile)), of a mean over the expected batch. */
static void clip_norm__follows_the_quantile(void **state)
{
    (void)state;
    layer l = new_layer(NW_DPSGD_ROWS, 5, 1, 1, EXAMPLES, 4);
    nw_dpsgd_opts opts = silent_opts(1.0, 25.0);
    opts.quantile = 0.3;
    nw_dpsgd *d = new_dpsgd(&opts, &l, 1, NW_DPSGD_PLAN_AUTO);
    nw_rng *rng = seeded_rng(1);
    double expected = 1.0;
    for (int step = 0; step < 60; step++) {
        assert_int_equal(nw_dpsgd_begin_step(d, rng, NULL), NW_OK);
        run_norms(d, &l, 1, 0, EXAMPLES);
        run_sums(d, &l, 1, 0);
        double below = 0.0;
        for (size_t e = 0; e < EXAMPLES; e++)
            below += (double)sqrtl(squared_norm_of(&l, e)) * (1.0 + 1e-6) <= expected ? 0.5 : -0.5;
        expected *= exp(-0.2 * (below / 25.0 + 0.5 - 0.3));
        assert_int_equal(nw_dpsgd_finish_step(d, NULL, NULL), NW_OK);
        assert_true(fabs(nw_dpsgd_clip_norm(d) - expected) <= 1e-12 * expected);
    }
    nw_rng_free(rng);
    nw_dpsgd_free(d);
    free_layer(&l);
}

/* ---- noise ---- */

/* Sample variance of n Gaussians is within 6.2 sqrt(2 / n) of 1 but with probability 1e-9: a noise that is 2 % off is seen. */
static void check_deviation(const float *x, size_t n, double expected)
{
    double square = 0.0;
    double mean = 0.0;
    for (size_t i = 0; i < n; i++) {
        square += (double)x[i] * (double)x[i];
        mean += (double)x[i];
    }
    const double ratio = square / (double)n / (expected * expected);
    assert_true(fabs(ratio - 1.0) <= 6.2 * sqrt(2.0 / (double)n));
    assert_true(fabs(mean / (double)n) <= 6.2 * expected / sqrt((double)n));
}

/* One step without examples. */
static void empty_step(const nw_dpsgd_opts *opts, float *out, double *slack, double *deviation)
{
    layer l[2] = { new_layer(NW_DPSGD_ROWS, NOISY / 2, 1, 1, 1, 1), new_layer(NW_DPSGD_ROWS, NOISY / 2, 1, 1, 1, 1) };
    nw_dpsgd *d = new_dpsgd(opts, l, 2, NW_DPSGD_PLAN_AUTO);
    nw_rng *rng = seeded_rng(5);
    float *gradients[2] = { out, out + NOISY / 2 };
    assert_int_equal(nw_dpsgd_begin_step(d, rng, NULL), NW_OK);
    assert_int_equal(nw_dpsgd_finish_step(d, gradients, NULL), NW_OK);
    *slack = nw_dpsgd_slack(d);
    *deviation = nw_dpsgd_deviation(d);
    nw_rng_free(rng);
    nw_dpsgd_free(d);
    free_layer(&l[0]);
    free_layer(&l[1]);
}

static void finish_step__adds_noise_of_the_multiplier_times_the_sensitivity(void **state)
{
    (void)state;
    float *x = test_calloc(NOISY, sizeof *x);
    float *again = test_calloc(NOISY, sizeof *again);
    const int threads = omp_get_max_threads();
    static const nw_adjacency adjacencies[] = { NW_ADD_REMOVE, NW_REPLACE_ONE, NW_ZERO_OUT };
    for (size_t a = 0; a < 3; a++)
        for (double quantile = 0.0; quantile < 1.0; quantile += 0.5) {
            nw_dpsgd_opts opts = silent_opts(0.7, 50.0);
            opts.noise_multiplier = 1.3;
            opts.adjacency = adjacencies[a];
            opts.quantile = quantile;
            const double sensitivity = adjacencies[a] == NW_REPLACE_ONE ? 1.4 : 0.7;
            const double s = adjacencies[a] == NW_REPLACE_ONE ? 1.0 : 0.5;
            /* z_sum^-2 + (s / sigma_b)^2 = z^-2, sigma_b = 50 / 20 */
            const double z = quantile == 0.0 ? 1.3 : 1.0 / sqrt(1.0 / (1.3 * 1.3) - s * s / (2.5 * 2.5));
            double slack = 0.0;
            double deviation = 0.0;
            empty_step(&opts, x, &slack, &deviation);
            assert_true(slack > 0.0 && slack <= 0.02);
            const double expected = z * sensitivity * (1.0 + slack) / 50.0;
            check_deviation(x, NOISY, expected);
            if (quantile == 0.0) /* else the clip norm has moved */
                assert_true(fabs(deviation - expected) <= 1e-9 * expected);
            omp_set_num_threads(3);
            empty_step(&opts, again, &slack, &deviation);
            omp_set_num_threads(threads);
            assert_memory_equal(x, again, NOISY * sizeof *x);
        }
    test_free(x);
    test_free(again);
}

static void finish_step__without_noise_needs_an_insecure_rng(void **state)
{
    (void)state;
    layer l = new_layer(NW_DPSGD_ROWS, 2, 2, 1, 1, 1);
    const nw_dpsgd_opts opts = silent_opts(1.0, 1.0);
    nw_dpsgd *d = new_dpsgd(&opts, &l, 1, NW_DPSGD_PLAN_AUTO);
    nw_rng *rng = NULL;
    nw_event *event = NULL;
    assert_int_equal(nw_rng_new(&rng, NULL), NW_OK);
    expect_error(nw_dpsgd_begin_step(d, rng, &last), NW_E_ARG, "noise_multiplier is 0");
    expect_error(nw_dpsgd_event(d, &event, &last), NW_E_ARG, "noise_multiplier is 0");
    nw_rng_free(rng);
    nw_dpsgd_free(d);
    free_layer(&l);
}

/* What is stated: 4 m (m T) tau 2^-24 for float sums, a part of the grid's, and no more than 2 % in all. */
static void slack__is_that_of_groups_and_grid(void **state)
{
    (void)state;
    static const size_t positions[] = { 1, 2, 16, 128, 784, 4096 };
    static const size_t groups[] = { 256, 64, 16, 4, 1, 1 };
    for (size_t i = 0; i < sizeof positions / sizeof *positions; i++) {
        layer l = { .rows = 64, .cols = 64, .n = 1, .uses = { { .positions = positions[i] } } };
        const nw_dpsgd_opts opts = silent_opts(1.0, 256.0);
        nw_dpsgd *d = new_dpsgd(&opts, &l, 1, NW_DPSGD_PLAN_AUTO);
        assert_int_equal(nw_dpsgd_group_size(d), groups[i]);
        const double m = (double)groups[i];
        const double tau = positions[i] == 1 ? 1.0 : 1.5 * sqrt((double)positions[i]);
        const double floats = fmin(4.0 * m * m * (double)positions[i] * tau * 0x1p-24, 0x1p-6);
        assert_true(nw_dpsgd_slack(d) >= 0.99 * floats && nw_dpsgd_slack(d) <= floats + 0x1p-9 + 1e-4);
        nw_dpsgd_free(d);
    }
}

/* ---- accounting ---- */

static void event__is_a_gaussian_of_the_multiplier(void **state)
{
    (void)state;
    for (int quantile = 0; quantile < 2; quantile++) {
        layer l = { .rows = 30, .cols = 10, .n = 1, .uses = { { .positions = 1 } } };
        nw_dpsgd_opts opts = silent_opts(0.1, 1000.0);
        opts.noise_multiplier = 2.0;
        opts.quantile = quantile * 0.5;
        nw_dpsgd *d = NULL;
        nw_event *event = NULL;
        assert_int_equal(nw_dpsgd_new(&d, &opts, NULL), NW_OK);
        expect_error(nw_dpsgd_event(d, &event, &last), NW_E_STATE, "nw_dpsgd_add_parameter");
        nw_dpsgd_free(d);
        d = new_dpsgd(&opts, &l, 1, NW_DPSGD_PLAN_AUTO);
        assert_int_equal(nw_dpsgd_event(d, &event, NULL), NW_OK);
        assert_int_equal(nw_event_get_kind(event), NW_EVENT_ROUNDED_GAUSSIAN);
        assert_int_equal(nw_event_samples(event), 300 + quantile);
        nw_event_free(event);
        nw_dpsgd_free(d);
    }
}

static nw_ledger *new_ledger(double epsilon)
{
    nw_ledger_opts opts = NW_LEDGER_OPTS_INIT;
    opts.epsilon = epsilon;
    opts.delta = 1e-5;
    opts.adjacency = NW_ADD_REMOVE;
    nw_ledger *ledger = NULL;
    assert_int_equal(nw_ledger_memory(&ledger, &opts, NULL), NW_OK);
    return ledger;
}

static void reserve__charges_the_run_and_then_allows_no_more_steps(void **state)
{
    (void)state;
    layer l = new_layer(NW_DPSGD_ROWS, 2, 2, 1, 1, 1);
    nw_dpsgd_opts opts = silent_opts(1.0, 10.0);
    opts.noise_multiplier = 8.0;
    nw_dpsgd *d = new_dpsgd(&opts, &l, 1, NW_DPSGD_PLAN_AUTO);
    nw_ledger *ledger = new_ledger(2.0);
    nw_ledger *small = new_ledger(0.01);
    nw_rng *rng = seeded_rng(1);
    nw_batches *batches = NULL;
    nw_batches *others = NULL;
    uint64_t reservation = 0;
    nw_receipt receipt;
    assert_int_equal(nw_batches_full(&batches, 10, NW_ADD_REMOVE, NULL), NW_OK);
    assert_int_equal(nw_batches_full(&others, 10, NW_REPLACE_ONE, NULL), NW_OK);
    expect_error(nw_dpsgd_reserve(d, others, 3, ledger, "run", rng, &reservation, NULL, &last), NW_E_ARG, "replace_one");
    expect_error(nw_dpsgd_reserve(d, batches, 0, ledger, "run", rng, &reservation, NULL, &last), NW_E_ARG, "steps is 0");
    expect_error(nw_dpsgd_reserve(d, batches, 3, ledger, NULL, rng, &reservation, NULL, &last), NW_E_ARG, "label is NULL");
    expect_error(nw_dpsgd_reserve(d, batches, 3, small, "run", rng, &reservation, NULL, &last), NW_E_BUDGET, "budget");
    assert_int_equal(nw_dpsgd_reserve(d, batches, 3, ledger, "run", rng, &reservation, &receipt, NULL), NW_OK);
    assert_int_equal(receipt.steps, 3);
    expect_error(nw_dpsgd_reserve(d, batches, 3, ledger, "run", rng, &reservation, NULL, &last), NW_E_STATE, "reserved already");
    for (int step = 0; step < 3; step++) {
        assert_int_equal(nw_dpsgd_begin_step(d, rng, NULL), NW_OK);
        assert_int_equal(nw_dpsgd_finish_step(d, NULL, NULL), NW_OK);
    }
    expect_error(nw_dpsgd_begin_step(d, rng, &last), NW_E_STATE, "all 3 steps");
    nw_batches_free(batches);
    nw_batches_free(others);
    nw_ledger_close(ledger);
    nw_ledger_close(small);
    nw_rng_free(rng);
    nw_dpsgd_free(d);
    free_layer(&l);
}

static void reserve__takes_a_ledger_whose_schedule_is_the_run(void **state)
{
    (void)state;
    layer l = new_layer(NW_DPSGD_ROWS, 2, 2, 1, 1, 1);
    nw_dpsgd_opts opts = silent_opts(1.0, 10.0);
    opts.noise_multiplier = 2.0;
    nw_dpsgd *d = new_dpsgd(&opts, &l, 1, NW_DPSGD_PLAN_AUTO);
    nw_rng *rng = seeded_rng(1);
    nw_batches *batches = NULL;
    nw_event *step = NULL;
    nw_event *run = NULL;
    nw_ledger *ledger = NULL;
    nw_receipt receipt;
    uint64_t reservation = 7;
    assert_int_equal(nw_batches_poisson(&batches, 1000, 0.01, NW_ADD_REMOVE, NULL), NW_OK);
    assert_int_equal(nw_dpsgd_event(d, &step, NULL), NW_OK);
    assert_int_equal(nw_batches_event(batches, step, 5, &run, NULL), NW_OK);
    nw_ledger_opts ledger_opts = NW_LEDGER_OPTS_INIT;
    ledger_opts.epsilon = 2.0;
    ledger_opts.delta = 1e-5;
    ledger_opts.adjacency = NW_ADD_REMOVE;
    ledger_opts.schedule = run;
    assert_int_equal(nw_ledger_memory(&ledger, &ledger_opts, NULL), NW_OK);
    expect_error(nw_dpsgd_reserve(d, batches, 6, ledger, "run", rng, &reservation, NULL, &last), NW_E_BUDGET, "schedule");
    assert_int_equal(nw_dpsgd_reserve(d, batches, 5, ledger, "run", rng, &reservation, &receipt, NULL), NW_OK);
    assert_true(reservation == 0 && receipt.spent_epsilon > 0.0 && receipt.spent_epsilon <= 2.0);
    nw_ledger_close(ledger);
    nw_event_free(run);
    nw_event_free(step);
    nw_batches_free(batches);
    nw_rng_free(rng);
    nw_dpsgd_free(d);
    free_layer(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new__names_the_option_that_is_wrong),
        cmocka_unit_test(add_parameter__refuses_what_could_overflow),
        cmocka_unit_test(add_parameter__names_what_is_wrong),
        cmocka_unit_test(calls__out_of_order_name_the_one_that_is_missing),
        cmocka_unit_test(uses__that_do_not_fit_are_named),
        cmocka_unit_test(begin_batch__keeps_micro_batches_of_one_size),
        cmocka_unit_test(clip__follows_its_mode),
        cmocka_unit_test(clip_norm__follows_the_quantile),
        cmocka_unit_test(finish_step__adds_noise_of_the_multiplier_times_the_sensitivity),
        cmocka_unit_test(finish_step__without_noise_needs_an_insecure_rng),
        cmocka_unit_test(slack__is_that_of_groups_and_grid),
        cmocka_unit_test(event__is_a_gaussian_of_the_multiplier),
        cmocka_unit_test(reserve__charges_the_run_and_then_allows_no_more_steps),
        cmocka_unit_test(reserve__takes_a_ledger_whose_schedule_is_the_run),
    };
    return cmocka_run_group_tests_name("steps", tests, NULL, NULL);
}
