/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_network.c - networks without privacy: every layer's gradient against differences of losses, and that a record's numbers
 * do not depend on what goes with it. */
#include "network_support.h"

#include "blas.h"
#include "elementary.h"

enum { RECORDS = 9 };

static double total_loss(nw_network *net, const records *r)
{
    double losses[RECORDS];
    double sum = 0.0;
    assert_int_equal(nw_network_forward(net, &r->data, NULL, RECORDS, NULL, losses, NULL), NW_OK);
    for (size_t i = 0; i < RECORDS; i++)
        sum += losses[i];
    return sum;
}

/* Slope of the loss along `direction`, by four losses: its error falls with the fourth power of the step. */
static double slope(nw_network *net, const records *r, float *values, const float *direction, size_t n, double step)
{
    static const double places[] = { -2.0, -1.0, 1.0, 2.0 };
    static const double weights[] = { 1.0 / 12.0, -8.0 / 12.0, 8.0 / 12.0, -1.0 / 12.0 };
    float *kept = malloc(n * sizeof *kept);
    double sum = 0.0;
    memcpy(kept, values, n * sizeof *kept);
    for (size_t k = 0; k < 4; k++) {
        for (size_t j = 0; j < n; j++)
            values[j] = kept[j] + (float)(places[k] * step) * direction[j];
        sum += weights[k] * total_loss(net, r);
    }
    memcpy(values, kept, n * sizeof *kept);
    free(kept);
    return sum / step;
}

/* One parameter: along some of its coordinates, and along random signs. Losses are sums of float products, so a difference of
 * two is known to about 1e-6, and its quotient by the step to about 1e-4. */
static void check_parameter(nw_network *net, const records *r, size_t i, const float *gradient, const char *model)
{
    static const double STEP = 0.003; /* kinks of relu and max_pool that are nearer to a number than twice that are rare */
    static const double TOLERANCE = 2e-3;
    const nw_network_parameter p = nw_network_get_parameter(net, i);
    const size_t n = p.rows * p.cols;
    float *direction = calloc(n, sizeof *direction);
    nw_rng *rng = NULL;
    double norm = 0.0;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, i, NULL), NW_OK);
    for (size_t j = 0; j < n; j++)
        norm += (double)gradient[j] * (double)gradient[j];
    norm = sqrt(norm);
    const size_t coordinates = n < 12 ? n : 12;
    for (size_t k = 0; k < coordinates + 3; k++) {
        double wanted = 0.0;
        for (size_t j = 0; j < n; j++)
            direction[j] =
                k < coordinates ? (float)(j == k * n / coordinates) : (unit(rng) < 0.5 ? -1.0F : 1.0F) / sqrtf((float)n);
        for (size_t j = 0; j < n; j++)
            wanted += (double)gradient[j] * (double)direction[j];
        const double found = slope(net, r, p.values, direction, n, STEP);
        if (!(fabs(found - wanted) <= TOLERANCE * (norm + 0.1)))
            fail_msg("%s, %s, direction %zu: gradient %g, by differences %g", model, p.name, k, wanted, found);
    }
    nw_rng_free(rng);
    free(direction);
}

static void plain_step__agrees_with_differences(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MODELS; m++) {
        nw_network *net = new_network(MODELS[m].json, NULL, 7);
        records r = new_records(net, RECORDS, m % 2 + 1, 11);
        float *gradient = plain_gradients(net, &r, NULL, RECORDS, 1.0);
        size_t at = 0;
        for (size_t i = 0; i < nw_network_parameters(net); i++) {
            const nw_network_parameter p = nw_network_get_parameter(net, i);
            check_parameter(net, &r, i, gradient + at, MODELS[m].name);
            at += p.rows * p.cols;
        }
        free(gradient);
        free_records(&r);
        nw_network_free(net);
    }
}

static void plain_step__divides_and_adds_losses(void **state)
{
    (void)state;
    nw_network *net = new_network(MODELS[0].json, NULL, 7);
    records r = new_records(net, RECORDS, 1, 11);
    double loss = 0.0;
    float *whole = plain_gradients(net, &r, NULL, RECORDS, 1.0);
    float *part = plain_gradients(net, &r, NULL, RECORDS, 4.0);
    assert_int_equal(nw_network_plain_step(net, &r.data, NULL, RECORDS, 1.0, &loss, NULL), NW_OK);
    assert_true(fabs(loss - total_loss(net, &r)) <= 1e-5 * fabs(loss));
    for (size_t j = 0; j < 5; j++)
        assert_true(part[j] == whole[j] / 4.0F);
    free(whole);
    free(part);
    free_records(&r);
    nw_network_free(net);
}

/* ---- a row's result depends on the row alone ---- */

enum { MANY = 333 };

static void forward__gives_a_record_the_same_bits_anywhere(void **state)
{
    (void)state;
    static const size_t batches[] = { 1, 2, 15, 16, 17, 64, 100, MANY };
    for (size_t m = 0; m < N_MODELS; m++) {
        nw_network_opts opts = NW_NETWORK_OPTS_INIT;
        opts.threads = 1 + (int)(m % 2);
        nw_network *net = new_network(MODELS[m].json, &opts, 3);
        nw_network_shape s;
        nw_network_get_shape(net, &s);
        const size_t n = s.positions * s.outputs;
        records r = new_records(net, MANY, 1, 5);
        float *whole = calloc(MANY * n, sizeof *whole);
        float *part = calloc(MANY * n, sizeof *part);
        uint32_t indices[MANY];
        assert_int_equal(nw_network_forward(net, &r.data, NULL, MANY, whole, NULL, NULL), NW_OK);
        for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
            for (uint32_t i = 0; i < MANY; i++)
                indices[i] = (i * 100 + 7 * (uint32_t)b) % MANY; /* 100 and 333 have no common factor */
            assert_int_equal(nw_network_forward(net, &r.data, indices, batches[b], part, NULL, NULL), NW_OK);
            for (size_t i = 0; i < batches[b]; i++)
                if (memcmp(part + i * n, whole + indices[i] * n, n * sizeof *part) != 0)
                    fail_msg("%s: record %u differs in a batch of %zu", MODELS[m].name, indices[i], batches[b]);
        }
        free(whole);
        free(part);
        free_records(&r);
        nw_network_free(net);
    }
}

/* ---- the elementary functions ---- */

static void exp_tanh_and_log1p__are_near_those_of_the_c_library(void **state)
{
    (void)state;
    double worst_exp = 0.0;
    double worst_tanh = 0.0;
    for (double x = -20.0; x <= 20.0; x += 0.0007) {
        const float f = (float)x;
        worst_exp = fmax(worst_exp, fabs((double)nw__exp(f) / exp((double)f) - 1.0));
        worst_tanh = fmax(worst_tanh, f == 0.0F ? 0.0 : fabs((double)nw__tanh(f) / tanh((double)f) - 1.0));
    }
    assert_true(worst_exp <= 2.0 * 0x1p-23);
    assert_true(worst_tanh <= 4.0 * 0x1p-23);
    assert_true(isnan(nw__exp(NAN)) && isnan(nw__tanh(NAN)));
    assert_true(nw__exp(-1000.0F) < 1e-37F && nw__exp(-1000.0F) >= 0.0F && nw__exp(1000.0F) > 1e38F);
    double worst_log1p = 0.0;
    for (double t = 0x1p-100; t <= 1.0; t *= 1.0003)
        worst_log1p = fmax(worst_log1p, fabs((double)nw__log1p((float)t) / log1p((double)(float)t) - 1.0));
    assert_true(worst_log1p <= 3.0 * 0x1p-23);
    assert_true(nw__log1p(0.0F) == 0.0F && isnan(nw__log1p(NAN)));
    assert_true(nw__tanh(-1000.0F) >= -1.0F && nw__tanh(1000.0F) <= 1.0F && nw__tanh(1000.0F) > 0.999999F);
}

/* ---- softplus ---- */

/* A layer on a table of numbers: value and slope against those in double, far from zero, too. */
static void softplus__is_near_its_formula_in_double(void **state)
{
    (void)state;
    static const char json[] =
        "{\"input\": {\"floats\": 1}, \"loss\": \"squared\", \"layers\": [{\"type\": \"linear\", \"outputs\": 1}, "
        "{\"type\": \"softplus\"}]}";
    static const float places[] = { -80.0F, -30.0F, -15.0F, -3.0F, -1e-3F, 0.0F, 1e-3F, 0.7F, 4.0F, 20.0F, 100.0F, 1e6F };
    nw_network *net = new_network(json, NULL, 1);
    nw_network_get_parameter(net, 0).values[0] = 1.0F;
    nw_network_get_parameter(net, 1).values[0] = 0.0F;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const double x = (double)places[i];
        const double value = fmax(x, 0.0) + log1p(exp(-fabs(x)));
        const double sigmoid = x < 0.0 ? exp(x) / (1.0 + exp(x)) : 1.0 / (1.0 + exp(-x));
        float out = 0.0F;
        float target = (float)value - 1.0F; /* so that the gradient of the bias is about the slope */
        const nw_network_data data = { .values = &places[i], .targets = &target, .copies = 1 };
        assert_int_equal(nw_network_forward(net, &data, NULL, 1, &out, NULL, NULL), NW_OK);
        assert_true(fabs((double)out - value) <= 4.0 * 0x1p-23 * value);
        assert_int_equal(nw_network_plain_step(net, &data, NULL, 1, 1.0, NULL, NULL), NW_OK);
        const double slope = (double)nw_network_gradients(net)[1][0] / ((double)out - (double)target);
        assert_true(fabs(slope - sigmoid) <= 6.0 * 0x1p-23 * sigmoid);
    }
    nw_network_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_step__agrees_with_differences),
        cmocka_unit_test(plain_step__divides_and_adds_losses),
        cmocka_unit_test(forward__gives_a_record_the_same_bits_anywhere),
        cmocka_unit_test(softplus__is_near_its_formula_in_double),
        cmocka_unit_test(exp_tanh_and_log1p__are_near_those_of_the_c_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
