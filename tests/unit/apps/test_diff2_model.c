/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_diff2_model.c - the models of nw-diff2: gradients against differences of losses, linear ones also against the library's
 * own, and the numbers of their parameters. */
#include "diff2/model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <nw/testing.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { FEATURES = 7, CLASSES = 3, ROWS = 40, MOST_DIMENSION = 200 };
/* Of central differences with steps of 1e-5: h^2 times third derivatives, which are of the order of 1 here, and floats' own
 * rounding of gradients that are below 16. */
static const double TOLERANCE = 4e-6;

static const model models[] = {
    { MODEL_LINEAR, NW_DIFF2_LOGISTIC, 1.0, FEATURES, 1, FEATURES + 1 },
    { MODEL_LINEAR, NW_DIFF2_SQUARED, 1.0, FEATURES, 1, FEATURES + 1 },
    { MODEL_LINEAR, NW_DIFF2_HUBER, 0.3, FEATURES, 1, FEATURES + 1 },
    { MODEL_LINEAR, NW_DIFF2_SOFTMAX, 1.0, FEATURES, CLASSES, CLASSES *(FEATURES + 1) },
    { MODEL_SOFTPLUS, NW_DIFF2_LOGISTIC, 1.0, FEATURES, 1, MODEL_UNITS *(FEATURES + 1) + MODEL_UNITS + 1 },
    { MODEL_SOFTPLUS, NW_DIFF2_SQUARED, 1.0, FEATURES, 1, MODEL_UNITS *(FEATURES + 1) + MODEL_UNITS + 1 },
    { MODEL_SOFTPLUS, NW_DIFF2_HUBER, 0.3, FEATURES, 1, MODEL_UNITS *(FEATURES + 1) + MODEL_UNITS + 1 },
    { MODEL_SOFTPLUS, NW_DIFF2_SOFTMAX, 1.0, FEATURES, CLASSES, MODEL_UNITS *(FEATURES + 1) + CLASSES *(MODEL_UNITS + 1) },
};
enum { MODELS = sizeof models / sizeof *models };

/* In [-1, 1), the same each time. */
static double next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return ldexp((double)(*state >> 11), -52) - 1.0;
}

static double loss_at(const model *m, const double *x, const float *features, double y)
{
    double z[CLASSES];
    model_outputs(m, x, features, z);
    return model_loss(m, z, y);
}

static double target_of(const model *m, uint64_t *state)
{
    const double u = next(state);
    if (m->loss == NW_DIFF2_LOGISTIC)
        return u > 0.0;
    return m->loss == NW_DIFF2_SOFTMAX ? floor(1.5 * (u + 1.0)) : u;
}

static void model_gradient__is_the_loss_s_derivative(void **state)
{
    (void)state;
    enum { TRIALS = 20 };
    const double h = 1e-5;
    uint64_t random = 1;
    double room[2 * CLASSES + 2 * MODEL_UNITS];
    for (int i = 0; i < MODELS * TRIALS; i++) {
        const model *m = &models[i % MODELS];
        double x[MOST_DIMENSION];
        float features[FEATURES];
        float gradient[MOST_DIMENSION];
        for (size_t k = 0; k < m->dimension; k++)
            x[k] = 2.0 * next(&random);
        for (size_t k = 0; k < FEATURES; k++)
            features[k] = (float)next(&random);
        const double y = target_of(m, &random);
        model_gradient(m, x, features, y, room, gradient);
        for (size_t k = 0; k < m->dimension; k++) {
            const double at = x[k];
            x[k] = at + h;
            const double high = loss_at(m, x, features, y);
            x[k] = at - h;
            const double slope = (high - loss_at(m, x, features, y)) / (2.0 * h);
            x[k] = at;
            if (!(fabs(slope - (double)gradient[k]) < TOLERANCE * (1.0 + fabs(slope))))
                fail_msg("model %d, parameter %zu: %.9g, must be %.9g", i % MODELS, k, (double)gradient[k], slope);
        }
    }
}

typedef struct table {
    float reals[ROWS * FEATURES];
    float targets[ROWS];
    int32_t labels[ROWS];
    examples data;
} table;

static void fill(table *t, const model *m, uint64_t seed)
{
    const bool has_classes = m->loss == NW_DIFF2_LOGISTIC || m->loss == NW_DIFF2_SOFTMAX;
    for (size_t i = 0; i < ROWS * FEATURES; i++)
        t->reals[i] = (float)next(&seed);
    for (size_t i = 0; i < ROWS; i++) {
        t->targets[i] = (float)target_of(m, &seed);
        t->labels[i] = (int32_t)t->targets[i];
    }
    t->data = (examples){ .kind = EXAMPLES_REALS, .count = ROWS, .width = FEATURES, .reals = t->reals };
    t->data.labels = has_classes ? t->labels : NULL;
    t->data.targets = has_classes ? NULL : t->targets;
}

static void model_sums__of_linear_models_are_the_library_s(void **state)
{
    (void)state;
    uint64_t random = 5;
    for (size_t i = 0; i < MODELS && models[i].kind == MODEL_LINEAR; i++) {
        table t;
        nw_diff2_model *rows = NULL;
        nw_diff2_model_opts opts = NW_DIFF2_MODEL_OPTS_INIT;
        const model *m = &models[i];
        double x[MOST_DIMENSION];
        double gradient[MOST_DIMENSION];
        double wanted[MOST_DIMENSION];
        double loss;
        double wanted_loss;
        fill(&t, m, i + 1);
        opts.loss = m->loss;
        opts.features = t.reals;
        opts.targets = t.targets;
        opts.rows = ROWS;
        opts.columns = FEATURES;
        opts.classes = m->outputs;
        opts.huber_width = m->huber_width;
        assert_int_equal(nw_diff2_model_new(&rows, &opts, NULL), NW_OK);
        assert_int_equal(nw_diff2_model_dimension(rows), m->dimension);
        for (size_t k = 0; k < m->dimension; k++)
            x[k] = next(&random);
        assert_true(model_sums(m, x, &t.data, &loss, gradient));
        assert_int_equal(nw_diff2_model_evaluate(rows, x, &wanted_loss, wanted, NULL), NW_OK);
        assert_true(fabs(loss / ROWS - wanted_loss) < 1e-6);
        for (size_t k = 0; k < m->dimension; k++)
            assert_true(fabs(gradient[k] / ROWS - wanted[k]) < 1e-6);
        nw_diff2_model_free(rows);
    }
}

static nw_diff2 *new_run(const model *m, const double *start)
{
    nw_diff2 *d = NULL;
    nw_diff2_opts o = NW_DIFF2_OPTS_INIT;
    o.epsilon = 4.0;
    o.delta = 1e-5;
    o.adjacency = NW_ADD_REMOVE;
    o.public_records = ROWS;
    o.rounds = 6;
    o.period = 3;
    o.clip_gradient = 1.0;
    o.clip_difference = 2.0;
    o.learning_rate = 0.3;
    assert_int_equal(nw_diff2_new(&d, m->dimension, start, &o, NULL), NW_OK);
    return d;
}

/* Rounds in one piece on two threads, and record by record: the same sums of integers, and so the same result. */
static void model_add__is_the_same_in_parts(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODELS; i++) {
        table t;
        double results[2][MOST_DIMENSION];
        const model *m = &models[i];
        fill(&t, m, i + 1);
        for (unsigned way = 0; way < 2; way++) {
            nw_rng *rng = NULL;
            nw_ledger *ledger = NULL;
            nw_ledger_opts opts = NW_LEDGER_OPTS_INIT;
            double start[MOST_DIMENSION];
            opts.delta = 1e-5;
            opts.adjacency = NW_ADD_REMOVE;
            assert_int_equal(nw_rng_new_insecure_seeded(&rng, 7, NULL), NW_OK);
            assert_int_equal(nw_ledger_unlimited(&ledger, &opts, NULL), NW_OK);
            assert_int_equal(model_start(m, rng, start, NULL), NW_OK);
            nw_diff2 *d = new_run(m, start);
            assert_int_equal(nw_diff2_charge(d, NULL, rng, ledger, "test", NULL, NULL), NW_OK);
            while (!nw_diff2_is_done(d)) {
                nw_diff2_round round;
                assert_int_equal(nw_diff2_begin_round(d, &round, NULL), NW_OK);
                if (way == 0)
                    assert_int_equal(model_add(m, d, &round, &t.data, 2, NULL), NW_OK);
                for (size_t k = 0; way == 1 && k < ROWS; k++) {
                    examples one = t.data;
                    one.count = 1;
                    one.reals += k * FEATURES;
                    one.labels = one.labels != NULL ? one.labels + k : NULL;
                    one.targets = one.targets != NULL ? one.targets + k : NULL;
                    assert_int_equal(model_add(m, d, &round, &one, 1, NULL), NW_OK);
                }
                assert_int_equal(nw_diff2_step(d, NULL, rng, NULL, NULL), NW_OK);
            }
            assert_int_equal(nw_diff2_result(d, results[way], NULL), NW_OK);
            nw_diff2_free(d);
            nw_ledger_close(ledger);
            nw_rng_free(rng);
        }
        assert_memory_equal(results[0], results[1], m->dimension * sizeof(double));
    }
}

static void model_start__hidden_units_are_drawn(void **state)
{
    (void)state;
    nw_rng *rng = NULL;
    double x[MOST_DIMENSION];
    const model *m = &models[MODELS - 1];
    const double most = sqrt(6.0 / (FEATURES + MODEL_UNITS));
    double squares = 0.0;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 3, NULL), NW_OK);
    assert_int_equal(model_start(&models[0], rng, x, NULL), NW_OK);
    for (size_t k = 0; k < models[0].dimension; k++)
        assert_true(x[k] == 0.0);
    assert_int_equal(model_start(m, rng, x, NULL), NW_OK);
    for (size_t k = 0; k < MODEL_UNITS * (FEATURES + 1); k++) {
        assert_true(fabs(x[k]) < most);
        assert_true((x[k] == 0.0) == (k % (FEATURES + 1) == FEATURES)); /* biases */
        squares += x[k] * x[k];
    }
    /* variance most^2 / 3; of 70 uniforms its estimate has a deviation of 11 % */
    assert_true(fabs(squares / (MODEL_UNITS * FEATURES) / (most * most / 3.0) - 1.0) < 0.6);
    nw_rng_free(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(model_gradient__is_the_loss_s_derivative),
        cmocka_unit_test(model_sums__of_linear_models_are_the_library_s),
        cmocka_unit_test(model_add__is_the_same_in_parts),
        cmocka_unit_test(model_start__hidden_units_are_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
