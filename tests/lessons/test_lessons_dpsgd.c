/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_lessons_dpsgd.c - defects of published code for private training, each as a test: the defect is rebuilt and has to show,
 * and ours has to be free of it. Sums without noise, which an insecure stream allows, show what a record can do. */
#include "dpsgd_release.h"

#include <math.h>
#include <noisewright.h>
#include <nw/dpsgd.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static const double CLIP = 1.0;

/* One parameter, one use of it, and a step over all examples at once. */
typedef struct problem {
    size_t rows, cols, positions; /* of all examples the same */
    nw_dpsgd_kind kind;
    const nw_dpsgd_conv *conv;
    double noise;
    double divisor;
    uint64_t seed;
} problem;

static nw_rng *seeded(uint64_t seed)
{
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    return rng;
}

static nw_dpsgd *open_dpsgd(const problem *p, double quantile, double count_noise)
{
    nw_dpsgd_opts o = NW_DPSGD_OPTS_INIT;
    nw_dpsgd *d = NULL;
    size_t parameter;
    o.clip_norm = CLIP;
    o.noise_multiplier = p->noise;
    o.expected_batch = p->divisor > 0.0 ? p->divisor : 1.0;
    o.adjacency = NW_ADD_REMOVE;
    o.quantile = quantile;
    o.count_noise = count_noise;
    assert_int_equal(nw_dpsgd_new(&d, &o, NULL), NW_OK);
    assert_int_equal(nw_dpsgd_add_parameter(d, "w", p->rows, p->cols, p->positions, 0, &parameter, NULL), NW_OK);
    assert_int_equal(parameter, 0);
    return d;
}

/* A step over n examples; a step without any for n = 0. */
static void take_step(nw_dpsgd *d, const problem *p, nw_rng *rng, const float *input, const float *grad, size_t n, float *out)
{
    const nw_dpsgd_use use = { .kind = p->kind, .positions = p->positions, .input = input, .grad = grad, .conv = p->conv };
    assert_int_equal(nw_dpsgd_begin_step(d, rng, NULL), NW_OK);
    if (n > 0) {
        assert_int_equal(nw_dpsgd_begin_batch(d, n, NULL), NW_OK);
        assert_int_equal(nw_dpsgd_norms(d, 0, &use, 1, NULL), NW_OK);
        assert_int_equal(nw_dpsgd_clip(d, NULL), NW_OK);
        assert_int_equal(nw_dpsgd_accumulate(d, 0, &use, 1, NULL), NW_OK);
    }
    assert_int_equal(nw_dpsgd_finish_step(d, &out, NULL), NW_OK);
}

static void sum_of(const problem *p, const float *input, const float *grad, size_t n, float *out)
{
    nw_dpsgd *d = open_dpsgd(p, 0.0, 0.0);
    nw_rng *rng = seeded(p->seed);
    take_step(d, p, rng, input, grad, n, out);
    nw_rng_free(rng);
    nw_dpsgd_free(d);
}

static double distance(const float *x, const float *y, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double d = (double)x[i] - (y != NULL ? (double)y[i] : 0.0);
        sum += d * d;
    }
    return sqrt(sum);
}

static double numbers(uint64_t *state)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return (double)(*state >> 11) * 0x1p-52 - 1.0;
}

/* ---- which batch ---- */

static double epsilon_of(nw_batches *batches, double noise, uint64_t steps)
{
    const problem p = { 1, 1, 1, .kind = NW_DPSGD_ROWS, .noise = noise };
    nw_dpsgd *d = open_dpsgd(&p, 0.0, 0.0);
    nw_event *step = NULL;
    nw_event *run = NULL;
    nw_bounds bounds;
    assert_int_equal(nw_dpsgd_event(d, &step, NULL), NW_OK);
    assert_int_equal(nw_batches_event(batches, step, steps, &run, NULL), NW_OK);
    assert_int_equal(nw_account_epsilon(run, nw_batches_adjacency(batches), 1e-5, NULL, &bounds, NULL), NW_OK);
    nw_event_free(run);
    nw_event_free(step);
    nw_dpsgd_free(d);
    nw_batches_free(batches);
    return bounds.upper;
}

/* FastDP's and private-transformers' examples train on shuffled batches of one size and account them as Poisson samples
 * [CGKKMSZ24]. Which batches are drawn and what they cost come from one object here: an epoch of shuffled ones costs a step that
 * everyone takes part in, several times what is claimed for as many Poisson batches. */
static void shuffled_batches__are_not_accounted_as_samples(void **state)
{
    enum { RECORDS = 60000, BATCH = 512, STEPS = RECORDS / BATCH };
    nw_batches *shuffled = NULL;
    nw_batches *sampled = NULL;
    (void)state;
    assert_int_equal(nw_batches_shuffled(&shuffled, RECORDS, BATCH, NW_ZERO_OUT, NULL), NW_OK);
    assert_int_equal(nw_batches_poisson(&sampled, RECORDS, (double)BATCH / RECORDS, NW_ZERO_OUT, NULL), NW_OK);
    const double honest = epsilon_of(shuffled, 1.0, STEPS);
    const double claimed = epsilon_of(sampled, 1.0, STEPS);
    assert_true(honest > 4.0 * claimed);
    assert_true(honest >= nw_gdp_epsilon(1.0, 1e-5) * (1.0 - 1e-9)); /* a Gaussian of multiplier 1 */
}

/* Opacus's distributed sampler leaves out batches without records, so their step is not taken (pytorch/opacus#522): that it was
 * not tells that nobody was drawn. An empty batch is a step of noise. */
static void opacus_522__an_empty_batch_is_a_step_of_noise(void **state)
{
    const problem p = { 8, 1, 1, .kind = NW_DPSGD_ROWS, .noise = 1.0, .seed = 5 };
    const uint32_t *indices;
    float out[8];
    size_t n = 7;
    size_t empty = 0;
    nw_rng *rng = seeded(3);
    nw_batches *batches = NULL;
    (void)state;
    assert_int_equal(nw_batches_poisson(&batches, 3, 0.1, NW_ADD_REMOVE, NULL), NW_OK);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(nw_batches_next(batches, rng, &indices, &n, NULL), NW_OK);
        empty += n == 0;
    }
    assert_true(empty > 600 && empty < 860); /* 729 expected, deviation 14 */
    sum_of(&p, NULL, NULL, 0, out);
    for (size_t i = 0; i < 8; i++)
        assert_true(out[i] != 0.0F && fabsf(out[i]) < 8.0F);
    nw_batches_free(batches);
    nw_rng_free(rng);
}

/* Sums divided by the size of the batch that was drawn, which Poisson sampling keeps secret: the noise becomes smaller the more
 * records there are. With one seed the noise is the same for any number of them. */
static void true_batch_size__does_not_scale_the_noise(void **state)
{
    const problem p = { 4, 1, 1, .kind = NW_DPSGD_ROWS, .noise = 1.0, .divisor = 8.0, .seed = 11 };
    static const float nothing[32][4];
    float one[4];
    float many[4];
    (void)state;
    sum_of(&p, NULL, nothing[0], 1, one);
    sum_of(&p, NULL, nothing[0], 32, many);
    assert_memory_equal(one, many, sizeof one);
    assert_true(distance(one, NULL, 4) > 0.0);
}

/* ---- what a record can do ---- */

/* TensorFlow Privacy with fewer microbatches than records clips means over records: one of them turns the mean around, which
 * moves the sum by 2 C. */
static void microbatch_means__are_not_what_is_clipped(void **state)
{
    enum { RECORDS = 8, WIDTH = 3 };
    const problem p = { WIDTH, 1, 1, .kind = NW_DPSGD_ROWS };
    float grads[RECORDS][WIDTH] = { { 0.0F } };
    float means[2][WIDTH] = { { 0.0F } };
    float with[WIDTH];
    float without[WIDTH];
    (void)state;
    for (size_t i = 0; i < RECORDS; i++)
        grads[i][0] = i == RECORDS - 1 ? -1000.0F : 10.0F;
    for (size_t i = 0; i < RECORDS; i++) {
        means[0][0] += grads[i][0] / RECORDS;
        means[1][0] += i < RECORDS - 1 ? grads[i][0] / (RECORDS - 1) : 0.0F;
    }
    sum_of(&p, NULL, means[0], 1, with); /* the defect: a mean in the place of a record */
    sum_of(&p, NULL, means[1], 1, without);
    assert_true(distance(with, without, WIDTH) > 1.9 * CLIP);
    sum_of(&p, NULL, grads[0], RECORDS, with);
    sum_of(&p, NULL, grads[0], RECORDS - 1, without);
    assert_true(distance(with, without, WIDTH) <= CLIP * (1.0 + 0x1p-6));
    assert_true(distance(with, without, WIDTH) >= 0.99 * CLIP);
}

/* FastDP replaces NaNs in the finished private gradient: by then a record with one has shown itself, and has wiped out the
 * others. A record that is not finite contributes nothing, and the others what they would have. */
static void nan_to_num__comes_too_late(void **state)
{
    enum { RECORDS = 3, WIDTH = 4 };
    const problem p = { 2, 2, 1, .kind = NW_DPSGD_LINEAR };
    float input[RECORDS][2] = { { 0.5F, 0.25F }, { NAN, 1.0F }, { 0.125F, 1.0F } };
    float grad[RECORDS][2] = { { 0.5F, 0.25F }, { 1.0F, INFINITY }, { 0.25F, 0.5F } };
    float with[WIDTH];
    float without[WIDTH];
    (void)state;
    sum_of(&p, input[0], grad[0], RECORDS, with);
    memmove(input[1], input[2], sizeof input[1]);
    memmove(grad[1], grad[2], sizeof grad[1]);
    sum_of(&p, input[0], grad[0], RECORDS - 1, without);
    assert_true(distance(without, NULL, WIDTH) > 0.1);
    assert_true(distance(with, without, WIDTH) <= 1e-6);
}

/* Ghost norms from Gram matrices lose everything where the positions of an example cancel. Opacus takes the negative squares for
 * 0, private-transformers has NaN; either way the example goes in unclipped. A bound of the error is added before the clip. */
static void cancelling_positions__are_clipped_all_the_same(void **state)
{
    enum { T = 128, WIDTH = 16, RECORDS = 8 };
    const problem p = { WIDTH, WIDTH, T, .kind = NW_DPSGD_LINEAR };
    static float input[RECORDS][T][WIDTH], grad[RECORDS][T][WIDTH], out[WIDTH * WIDTH];
    uint64_t random = 17;
    size_t lost = 0;
    (void)state;
    for (size_t i = 0; i < RECORDS; i++)
        for (size_t t = 0; t < T; t += 2)
            for (size_t k = 0; k < WIDTH; k++) { /* pairs that cancel but for the last bits */
                input[i][t][k] = input[i][t + 1][k] = (float)(1e4 * numbers(&random));
                grad[i][t][k] = (float)(1e4 * numbers(&random));
                grad[i][t + 1][k] = -grad[i][t][k] * (1.0F + 0x1p-22F * (float)(i + 1));
            }
    for (size_t i = 0; i < RECORDS; i++) {
        double exact = 0.0;
        float ghost = 0.0F;
        for (size_t a = 0; a < WIDTH; a++)
            for (size_t b = 0; b < WIDTH; b++) {
                double g = 0.0;
                for (size_t t = 0; t < T; t++)
                    g += (double)grad[i][t][a] * (double)input[i][t][b];
                exact += g * g;
            }
        for (size_t t = 0; t < T; t++) /* the defect: <A A', G G'> in single precision */
            for (size_t s = 0; s < T; s++) {
                float aa = 0.0F;
                float gg = 0.0F;
                for (size_t k = 0; k < WIDTH; k++) {
                    aa += input[i][t][k] * input[i][s][k];
                    gg += grad[i][t][k] * grad[i][s][k];
                }
                ghost += aa * gg;
            }
        lost += (double)ghost < 0.25 * exact;
        assert_true(exact > 4.0 * CLIP);
        sum_of(&p, input[i][0], grad[i][0], 1, out);
        assert_true(distance(out, NULL, WIDTH * WIDTH) <= CLIP * (1.0 + 0x1p-6));
    }
    assert_true(lost > 0);
}

/* ---- norms of layers ---- */

/* FastDP's norm of a T5 layer's scale adds up over the positions what should be added before it is squared: gradients of one sign
 * at each position come out too small by their number. */
static void scale_of_a_norm__positions_add_up_first(void **state)
{
    enum { T = 16, WIDTH = 4 };
    const problem p = { 1, WIDTH, T, .kind = NW_DPSGD_SCALE };
    float input[T][WIDTH];
    float grad[T][WIDTH];
    float out[WIDTH];
    double apart = 0.0;
    (void)state;
    for (size_t t = 0; t < T; t++)
        for (size_t k = 0; k < WIDTH; k++) {
            input[t][k] = 1.0F;
            grad[t][k] = 0.125F;
            apart += 0.125 * 0.125;
        }
    assert_true(sqrt(apart) <= CLIP); /* the defect: within the clip norm, as it seems */
    sum_of(&p, input[0], grad[0], 1, out);
    assert_true(distance(out, NULL, WIDTH) <= CLIP * (1.0 + 0x1p-6)); /* 16 * 0.125 * 2 = 4 unclipped */
    assert_true(distance(out, NULL, WIDTH) >= 0.99 * CLIP);
}

/* Ghost norms of private-transformers take a convolution in groups for one that has none: products across groups count, which no
 * parameter has, and an example below the clip norm is clipped. That errs on the safe side, and is wrong. */
static void grouped_convolution__has_no_products_across_groups(void **state)
{
    enum { CHANNELS = 4, SIDE = 3, PIXELS = SIDE * SIDE };
    const nw_dpsgd_conv conv = { .channels_in = CHANNELS,
        .height = SIDE,
        .width = SIDE,
        .channels_out = CHANNELS,
        .kernel_height = 1,
        .kernel_width = 1,
        .stride = 1,
        .groups = CHANNELS,
        .dilation = 1 };
    const problem p = { CHANNELS, 1, 1, .kind = NW_DPSGD_CONV2D, .conv = &conv };
    float input[CHANNELS][PIXELS];
    float grad[CHANNELS][PIXELS];
    float out[CHANNELS];
    (void)state;
    for (size_t c = 0; c < CHANNELS; c++)
        for (size_t i = 0; i < PIXELS; i++) {
            input[c][i] = 1.0F;
            grad[c][i] = 0.045F; /* 0.405 a channel, 0.81 together; 1.62 with products across groups */
        }
    sum_of(&p, input[0], grad[0], 1, out);
    for (size_t c = 0; c < CHANNELS; c++)
        assert_true(fabs((double)out[c] - 0.405) <= 1e-5);
}

/* Opacus's ghost clipping has no norm for inputs of four dimensions, and goes on without it. A parameter without its norms is an
 * error that names it. */
static void missing_norm__is_an_error(void **state)
{
    const problem p = { 2, 1, 1, .kind = NW_DPSGD_ROWS };
    nw_dpsgd *d = open_dpsgd(&p, 0.0, 0.0);
    nw_rng *rng = seeded(1);
    nw_error err;
    size_t second;
    (void)state;
    assert_int_equal(nw_dpsgd_add_parameter(d, "forgotten", 2, 1, 1, 0, &second, NULL), NW_OK);
    const float grad[2] = { 1.0F, 2.0F };
    const nw_dpsgd_use use = { .kind = NW_DPSGD_ROWS, .positions = 1, .grad = grad };
    assert_int_equal(nw_dpsgd_begin_step(d, rng, &err), NW_OK);
    assert_int_equal(nw_dpsgd_begin_batch(d, 1, &err), NW_OK);
    assert_int_equal(nw_dpsgd_norms(d, 0, &use, 1, &err), NW_OK);
    assert_int_equal(nw_dpsgd_clip(d, &err), NW_E_STATE);
    assert_non_null(strstr(err.message, "forgotten"));
    nw_rng_free(rng);
    nw_dpsgd_free(d);
}

/* ---- the adaptive clip norm ---- */

/* The noisy count of one step, from how the clip norm has moved. */
static double count_of(size_t records, double noise)
{
    static const float small[8] = { 0.1F, 0.1F, 0.1F, 0.1F, 0.1F, 0.1F, 0.1F, 0.1F };
    const problem p = { 1, 1, 1, .kind = NW_DPSGD_ROWS, .noise = noise, .divisor = 8.0 };
    float out;
    nw_dpsgd *d = open_dpsgd(&p, 0.5, 3.0);
    nw_rng *rng = seeded(23);
    take_step(d, &p, rng, NULL, small, records, &out);
    const double count = -log(nw_dpsgd_clip_norm(d) / CLIP) / 0.2 * p.divisor;
    nw_rng_free(rng);
    nw_dpsgd_free(d);
    return count;
}

/* Opacus's AdaClip counts ones where its formula for the noise is of halves [ATMR21], and divides by the true batch size: the
 * step costs mu = sqrt(1 / z'^2 + 1 / s^2) with z' made for sqrt(1 / z'^2 + 1 / (2 s)^2) = 1 / z. */
static void opacus_adaclip__a_record_moves_the_count_by_a_half(void **state)
{
    const double z = 4.0;
    const double s = 3.0;
    const problem p = { 1, 1, 1, .kind = NW_DPSGD_ROWS, .noise = z, .divisor = 8.0 };
    nw_event *event = NULL;
    double mu = 0.0;
    (void)state;
    nw_dpsgd *d = open_dpsgd(&p, 0.5, s);
    assert_int_equal(nw_dpsgd_event(d, &event, NULL), NW_OK);
    assert_int_equal(nw_account_mu(event, NW_ADD_REMOVE, &mu, NULL), NW_OK);
    assert_true(mu <= 1.0 / z * (1.0 + 1e-6) && mu >= 0.99 / z);
    const double sums = 1.0 / (z * z) - 1.0 / (4.0 * s * s);
    assert_true(sqrt(sums + 1.0 / (s * s)) > 1.4 / z); /* the defect */
    assert_true(fabs(fabs(count_of(4, z) - count_of(3, z)) - 0.5) <= 1e-3);
    nw_event_free(event);
    nw_dpsgd_free(d);
}

/* ---- noise ---- */

/* Noise in the parameters' own precision: Opacus, FastDP and private-transformers draw single precision or less, which tells the
 * sum by its last bits [Mir12, HDH22]. */
static void noise_in_single_precision__the_last_bits_say_nothing(void **state)
{
    (void)state;
    assert_true(dpsgd_residue__leaks(NULL, true));
    assert_false(dpsgd_residue__leaks(NULL, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shuffled_batches__are_not_accounted_as_samples),
        cmocka_unit_test(opacus_522__an_empty_batch_is_a_step_of_noise),
        cmocka_unit_test(true_batch_size__does_not_scale_the_noise),
        cmocka_unit_test(microbatch_means__are_not_what_is_clipped),
        cmocka_unit_test(nan_to_num__comes_too_late),
        cmocka_unit_test(cancelling_positions__are_clipped_all_the_same),
        cmocka_unit_test(scale_of_a_norm__positions_add_up_first),
        cmocka_unit_test(grouped_convolution__has_no_products_across_groups),
        cmocka_unit_test(missing_norm__is_an_error),
        cmocka_unit_test(opacus_adaclip__a_record_moves_the_count_by_a_half),
        cmocka_unit_test(noise_in_single_precision__the_last_bits_say_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
