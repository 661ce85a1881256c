/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_sums.c - sums of clipped gradients: against long double, bit for bit whatever the micro-batches and threads, and between
 * neighbouring batches never further apart than the clip norm and the slack that is stated. */
#include "dpsgd_support.h"

#include <omp.h>

enum { LAYERS = 8, STEP_EXAMPLES = 96 };

/* A network's worth: linear layers of one and of many positions, bias, scale, embedding, tied weights, convolution, rows. */
static void make_layers(layer *layers, size_t examples)
{
    uint32_t seed = 12;
    layers[0] = new_layer(NW_DPSGD_LINEAR, 50, 33, 1, examples, 1);
    layers[1] = new_layer(NW_DPSGD_LINEAR, 20, 40, 17, examples, 2);
    layers[2] = new_layer(NW_DPSGD_BIAS, 37, 1, 9, examples, 3);
    layers[3] = new_layer(NW_DPSGD_SCALE, 1, 21, 9, examples, 4);
    layers[4] = new_layer(NW_DPSGD_EMBEDDING, 30, 70, 12, examples, 5);
    layers[5] = (layer){ .rows = 25, .cols = 18, .examples = examples };
    add_use(&layers[5], NW_DPSGD_EMBEDDING, 6, &seed);
    add_use(&layers[5], NW_DPSGD_LINEAR, 7, &seed);
    make_conv_layer(&layers[6], (nw_dpsgd_conv){ 4, 6, 6, 6, 3, 3, 2, 1, 1, 2 }, examples, 6);
    layers[7] = new_layer(NW_DPSGD_ROWS, 3, 3, 1, examples, 7);
}

static void free_layers(layer *layers)
{
    for (size_t i = 0; i < LAYERS; i++)
        free_layer(&layers[i]);
}

static size_t cells_of(const layer *layers)
{
    size_t cells = 0;
    for (size_t i = 0; i < LAYERS; i++)
        cells += layers[i].rows * layers[i].cols;
    return cells;
}

/* All gradients, one after the other, into out: float[cells_of]. */
static void finish(nw_dpsgd *d, const layer *layers, float *out)
{
    float *gradients[LAYERS];
    for (size_t i = 0; i < LAYERS; i++) {
        gradients[i] = out;
        out += layers[i].rows * layers[i].cols;
    }
    assert_int_equal(nw_dpsgd_finish_step(d, gradients, NULL), NW_OK);
    for (size_t i = 0; i < LAYERS; i++)
        assert_memory_equal(gradients[i], nw_dpsgd_gradient(d, i), layers[i].rows * layers[i].cols * sizeof(float));
}

/* One step over all examples in micro-batches. */
static void run_step(const nw_dpsgd_opts *opts, const layer *layers, nw_dpsgd_plan_kind plan, uint64_t seed, float *out)
{
    nw_dpsgd *d = new_dpsgd(opts, layers, 1, plan);
    for (size_t i = 1; i < LAYERS; i++) {
        size_t parameter = 0;
        assert_int_equal(
            nw_dpsgd_add_parameter(d, "layer", layers[i].rows, layers[i].cols, layer_positions(&layers[i]), i, &parameter, NULL),
            NW_OK);
        if (plan != NW_DPSGD_PLAN_PRODUCT)
            assert_int_equal(nw_dpsgd_set_plan(d, parameter, plan, NULL), NW_OK);
    }
    nw_rng *rng = seeded_rng(seed);
    const size_t examples = layers[0].examples;
    const size_t size = opts->micro_batch == 0 ? examples : opts->micro_batch;
    assert_int_equal(nw_dpsgd_begin_step(d, rng, NULL), NW_OK);
    for (size_t first = 0; first < examples; first += size) {
        run_norms(d, layers, LAYERS, first, examples - first < size ? examples - first : size);
        run_sums(d, layers, LAYERS, first);
    }
    finish(d, layers, out);
    nw_rng_free(rng);
    nw_dpsgd_free(d);
}

/* min(1, C / n) of the definition, over all layers. */
static long double factor_of(const layer *layers, size_t example, long double clip)
{
    long double square = 0.0L;
    for (size_t i = 0; i < LAYERS; i++)
        square += squared_norm_of(&layers[i], example);
    return sqrtl(square) > clip ? clip / sqrtl(square) : 1.0L;
}

static void check_sums(const layer *layers, nw_dpsgd_plan_kind plan)
{
    const size_t cells = cells_of(layers);
    float *sums = test_calloc(cells, sizeof *sums);
    long double *expected = test_calloc(cells, sizeof *expected);
    long double *gradient = test_calloc(cells, sizeof *gradient);
    const nw_dpsgd_opts opts = silent_opts(3.0, 1.0);
    run_step(&opts, layers, plan, 1, sums);
    for (size_t e = 0; e < layers[0].examples; e++) {
        const long double c = factor_of(layers, e, 3.0L);
        size_t at = 0;
        for (size_t i = 0; i < LAYERS; i++) {
            gradient_of(&layers[i], e, gradient);
            for (size_t k = 0; k < layers[i].rows * layers[i].cols; k++)
                expected[at++] += c * gradient[k];
        }
    }
    long double square = 0.0L;
    for (size_t i = 0; i < cells; i++)
        square += ((long double)sums[i] - expected[i]) * ((long double)sums[i] - expected[i]);
    assert_true(sqrtl(square) <= 3.0L * (long double)layers[0].examples * 1e-4L);
    test_free(sums);
    test_free(expected);
    test_free(gradient);
}

static void sums__are_those_of_clipped_gradients(void **state)
{
    (void)state;
    layer layers[LAYERS];
    make_layers(layers, 40);
    for (nw_dpsgd_plan_kind plan = NW_DPSGD_PLAN_AUTO; plan <= NW_DPSGD_PLAN_STORED; plan++)
        check_sums(layers, plan);
    free_layers(layers);
}

/* Group sizes that occur, so that each micro-batch is a multiple of all. */
static void sums__do_not_depend_on_micro_batches_or_threads(void **state)
{
    (void)state;
    layer layers[LAYERS];
    make_layers(layers, 3 * 256 + 40);
    const size_t cells = cells_of(layers);
    float *one = test_calloc(cells, sizeof *one);
    float *other = test_calloc(cells, sizeof *other);
    nw_dpsgd_opts opts = silent_opts(0.5, 700.0);
    opts.noise_multiplier = 0.01;
    run_step(&opts, layers, NW_DPSGD_PLAN_AUTO, 7, one);
    static const size_t sizes[] = { 256, 512, 768, 1024 };
    static const int threads[] = { 1, 2, 3, 4 };
    const int before = omp_get_max_threads();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        omp_set_num_threads(threads[i]);
        opts.micro_batch = sizes[i];
        run_step(&opts, layers, NW_DPSGD_PLAN_AUTO, 7, other);
        assert_memory_equal(one, other, cells * sizeof *one);
    }
    omp_set_num_threads(before);
    test_free(one);
    test_free(other);
    free_layers(layers);
}

/* Copies example `from` of each array to place `to`. */
static void copy_example(const layer *layers, layer *out, size_t from, size_t to)
{
    for (size_t i = 0; i < LAYERS; i++)
        for (size_t u = 0; u < layers[i].n; u++) {
            const nw_dpsgd_use source = use_from(&layers[i], u, from);
            const nw_dpsgd_use target = use_from(&out[i], u, to);
            const size_t floats = grad_floats(&layers[i], &layers[i].uses[u]);
            memcpy(out[i].grads[u] + (target.grad - out[i].grads[u]), source.grad, floats * sizeof(float));
            if (source.tokens != NULL)
                memcpy(out[i].tokens[u] + (target.tokens - out[i].tokens[u]), source.tokens, source.positions * sizeof(int32_t));
            if (source.input != NULL)
                memcpy(out[i].inputs[u] + (target.input - out[i].inputs[u]), source.input,
                    (size_t)(use_from(&layers[i], u, from + 1).input - source.input) * sizeof(float));
        }
}

/* Batches as nw/batches.h couples them: the further example takes a slot, whose example goes to the end. */
static void sums__of_neighbouring_batches_are_within_the_sensitivity(void **state)
{
    (void)state;
    const double clip = 0.25;
    layer layers[LAYERS];
    layer neighbour[LAYERS];
    make_layers(layers, STEP_EXAMPLES);
    make_layers(neighbour, STEP_EXAMPLES);
    const size_t cells = cells_of(layers);
    float *sums = test_calloc(cells, sizeof *sums);
    float *others = test_calloc(cells, sizeof *others);
    nw_dpsgd_opts opts = silent_opts(clip, 64.0);
    opts.micro_batch = 32;
    double most = 0.0;
    for (size_t slot = 0; slot < STEP_EXAMPLES; slot += 19) {
        copy_example(layers, neighbour, slot, STEP_EXAMPLES - 1);
        copy_example(layers, neighbour, STEP_EXAMPLES - 1, slot);
        for (size_t i = 0; i < LAYERS; i++)
            layers[i].examples = STEP_EXAMPLES - 1;
        run_step(&opts, layers, NW_DPSGD_PLAN_AUTO, 1, sums);
        run_step(&opts, neighbour, NW_DPSGD_PLAN_AUTO, 1, others);
        for (size_t i = 0; i < LAYERS; i++)
            layers[i].examples = STEP_EXAMPLES;
        copy_example(layers, neighbour, slot, slot);
        double square = 0.0;
        for (size_t i = 0; i < cells; i++)
            square += ((double)sums[i] - (double)others[i]) * ((double)sums[i] - (double)others[i]);
        most = fmax(most, 64.0 * sqrt(square));
    }
    nw_dpsgd *d = new_dpsgd(&opts, layers, LAYERS, NW_DPSGD_PLAN_AUTO);
    assert_true(most <= clip * (1.0 + nw_dpsgd_slack(d)) && most >= clip * (1.0 - 1e-3));
    nw_dpsgd_free(d);
    test_free(sums);
    test_free(others);
    free_layers(layers);
    free_layers(neighbour);
}

/* An example that is not finite, or too large, is as good as one of zeros. */
static void sums__leave_out_an_example_that_is_not_finite(void **state)
{
    (void)state;
    static const float bad[] = { (float)NAN, (float)INFINITY, 1e38f };
    for (size_t b = 0; b < sizeof bad / sizeof *bad; b++)
        for (size_t hit = 0; hit < LAYERS; hit++) {
            layer layers[LAYERS];
            make_layers(layers, 5);
            if (hit == 5)
                layers[5].tokens[0][2 * layers[5].uses[0].positions] = 0; /* not padding, which would be left out */
            if (hit == 4)
                layers[4].tokens[0][2 * layers[4].uses[0].positions] = 0;
            const size_t cells = cells_of(layers);
            float *sums = test_calloc(cells, sizeof *sums);
            float *without = test_calloc(cells, sizeof *without);
            const nw_dpsgd_opts opts = silent_opts(1.0, 1.0);
            float *number = layers[hit].grads[0] + 2 * grad_floats(&layers[hit], &layers[hit].uses[0]);
            *number = bad[b];
            run_step(&opts, layers, NW_DPSGD_PLAN_AUTO, 1, sums);
            for (size_t i = 0; i < LAYERS; i++)
                for (size_t u = 0; u < layers[i].n; u++)
                    memset(layers[i].grads[u] + 2 * grad_floats(&layers[i], &layers[i].uses[u]), 0,
                        grad_floats(&layers[i], &layers[i].uses[u]) * sizeof(float));
            run_step(&opts, layers, NW_DPSGD_PLAN_AUTO, 1, without);
            for (size_t i = 0; i < cells; i++)
                assert_true(fabsf(sums[i] - without[i]) <= 1e-4f);
            test_free(sums);
            test_free(without);
            free_layers(layers);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums__are_those_of_clipped_gradients),
        cmocka_unit_test(sums__do_not_depend_on_micro_batches_or_threads),
        cmocka_unit_test(sums__of_neighbouring_batches_are_within_the_sensitivity),
        cmocka_unit_test(sums__leave_out_an_example_that_is_not_finite),
    };
    return cmocka_run_group_tests_name("sums", tests, NULL, NULL);
}
