/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_optimizer.c - optimisers against their formulas written out in double for one number, schedules against their closed
 * forms, and state that goes through bytes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nw/optimizer.h>

enum { SIZE = 5000, STEPS = 12 };

static nw_optimizer *make(const nw_optimizer_opts *opts)
{
    static const size_t sizes[] = { SIZE, 3 };
    nw_error err = { 0 };
    nw_optimizer *o = NULL;
    if (nw_optimizer_new(&o, opts, sizes, 2, &err) != NW_OK)
        fail_msg("%s", err.message);
    return o;
}

/* Weights and gradients that differ from number to number. */
typedef struct arrays {
    float weights[SIZE + 3];
    float gradients[SIZE + 3];
    float *w[2];
    float *g[2];
} arrays;

static arrays *new_arrays(void)
{
    arrays *a = calloc(1, sizeof *a);
    a->w[0] = a->weights;
    a->w[1] = a->weights + SIZE;
    a->g[0] = a->gradients;
    a->g[1] = a->gradients + SIZE;
    for (size_t i = 0; i < SIZE + 3; i++)
        a->weights[i] = (float)sin((double)i);
    return a;
}

static float gradient(size_t i, size_t step)
{
    return (float)cos((double)(i * 7 + step * 3));
}

static void take_step(nw_optimizer *o, arrays *a, size_t step, double deviation)
{
    for (size_t i = 0; i < SIZE + 3; i++)
        a->gradients[i] = gradient(i, step);
    assert_int_equal(nw_optimizer_step(o, a->w, a->g, deviation, NULL), NW_OK);
}

static nw_optimizer_opts options(nw_optimizer_kind kind)
{
    nw_optimizer_opts opts = NW_OPTIMIZER_OPTS_INIT;
    opts.kind = kind;
    opts.learning_rate = 0.1;
    return opts;
}

/* Number i after STEPS steps, in double. */
static double plain_descent(size_t i, double momentum, bool is_nesterov, double decay)
{
    double w = (double)(float)sin((double)i);
    double v = 0.0;
    for (size_t step = 0; step < STEPS; step++) {
        const double g = (double)gradient(i, step);
        v = momentum * v + g;
        w = w - 0.1 * (is_nesterov ? g + momentum * v : v) - 0.1 * decay * w;
    }
    return w;
}

static void step__descends_with_momentum_and_decay(void **state)
{
    (void)state;
    static const struct {
        double momentum, decay;
        bool is_nesterov;
    } settings[] = { { 0.0, 0.0, false }, { 0.0, 0.2, false }, { 0.9, 0.0, false }, { 0.8, 0.1, true } };
    for (size_t k = 0; k < 4; k++) {
        nw_optimizer_opts opts = options(NW_OPTIMIZER_SGD);
        opts.momentum = settings[k].momentum;
        opts.weight_decay = settings[k].decay;
        opts.is_nesterov = settings[k].is_nesterov;
        nw_optimizer *o = make(&opts);
        arrays *a = new_arrays();
        for (size_t step = 0; step < STEPS; step++)
            take_step(o, a, step, 0.0);
        for (size_t i = 0; i < SIZE + 3; i += 11)
            assert_true(fabs((double)a->weights[i] -
                             plain_descent(i, settings[k].momentum, settings[k].is_nesterov, settings[k].decay)) < 1e-5);
        assert_int_equal(nw_optimizer_steps(o), STEPS);
        free(a);
        nw_optimizer_free(o);
    }
}

/* [KB15, Alg. 1], and with the noise's variance taken out of the second moment [TSL24]. */
static double plain_adam(size_t i, bool is_corrected, double epsilon, double deviation)
{
    double w = (double)(float)sin((double)i);
    double m = 0.0;
    double v = 0.0;
    for (size_t step = 0; step < STEPS; step++) {
        const double g = (double)gradient(i, step);
        m = 0.9 * m + 0.1 * g;
        v = 0.99 * v + 0.01 * g * g;
        const double m_hat = m / (1.0 - pow(0.9, (double)step + 1.0));
        const double v_hat = v / (1.0 - pow(0.99, (double)step + 1.0));
        const double root = is_corrected ? sqrt(fmax(v_hat - deviation * deviation, epsilon * epsilon)) : sqrt(v_hat) + epsilon;
        w -= 0.1 * m_hat / root;
    }
    return w;
}

static void step__follows_adam_with_and_without_the_noise(void **state)
{
    (void)state;
    for (int corrected = 0; corrected < 2; corrected++) {
        nw_optimizer_opts opts = options(corrected != 0 ? NW_OPTIMIZER_ADAM_BC : NW_OPTIMIZER_ADAM);
        opts.beta2 = 0.99;
        opts.epsilon = 0.05;
        nw_optimizer *o = make(&opts);
        arrays *a = new_arrays();
        for (size_t step = 0; step < STEPS; step++)
            take_step(o, a, step, 0.5);
        for (size_t i = 0; i < SIZE + 3; i += 7)
            assert_true(fabs((double)a->weights[i] - plain_adam(i, corrected != 0, 0.05, 0.5)) < 1e-3);
        free(a);
        nw_optimizer_free(o);
    }
}

static void rate__follows_its_schedule(void **state)
{
    (void)state;
    static const nw_optimizer_schedule schedules[] = { NW_OPTIMIZER_CONSTANT, NW_OPTIMIZER_COSINE, NW_OPTIMIZER_LINEAR };
    for (size_t k = 0; k < 3; k++) {
        nw_optimizer_opts opts = options(NW_OPTIMIZER_SGD);
        opts.schedule = schedules[k];
        opts.steps = 10;
        opts.warmup = 2;
        opts.final_rate = 0.2;
        nw_optimizer *o = make(&opts);
        arrays *a = new_arrays();
        for (size_t step = 0; step < STEPS; step++) {
            const double at = fmin(1.0, ((double)step - 2.0) / 8.0);
            const double shape[] = { 1.0, 0.2 + 0.8 * pow(cos(at * acos(0.0)), 2.0), 1.0 - 0.8 * at };
            const double wanted = 0.1 * (step < 2 ? ((double)step + 1.0) / 2.0 : shape[k]);
            assert_true(fabs(nw_optimizer_rate(o) - wanted) < 1e-12);
            take_step(o, a, step, 0.0);
        }
        free(a);
        nw_optimizer_free(o);
    }
}

static void swap_average__exchanges_weights_and_their_average(void **state)
{
    (void)state;
    nw_error err = { 0 };
    nw_optimizer_opts opts = options(NW_OPTIMIZER_SGD);
    nw_optimizer *none = make(&opts);
    opts.average = 0.9;
    nw_optimizer *o = make(&opts);
    arrays *a = new_arrays();
    assert_int_equal(nw_optimizer_swap_average(none, a->w, &err), NW_E_STATE);
    assert_int_equal(nw_optimizer_swap_average(o, a->w, &err), NW_E_STATE);
    double average = 0.0;
    for (size_t step = 0; step < STEPS; step++) {
        take_step(o, a, step, 0.0);
        const double share = fmin(0.9, (1.0 + (double)step) / (10.0 + (double)step));
        average = share * average + (1.0 - share) * (double)a->weights[17];
    }
    const float last = a->weights[17];
    assert_int_equal(nw_optimizer_swap_average(o, a->w, NULL), NW_OK);
    assert_true(fabs((double)a->weights[17] - average) < 1e-6);
    assert_int_equal(nw_optimizer_swap_average(o, a->w, NULL), NW_OK);
    assert_true(a->weights[17] == last);
    free(a);
    nw_optimizer_free(o);
    nw_optimizer_free(none);
}

static void restore__goes_on_where_serialize_was(void **state)
{
    (void)state;
    static const nw_optimizer_kind kinds[] = { NW_OPTIMIZER_SGD, NW_OPTIMIZER_ADAM, NW_OPTIMIZER_ADAM_BC };
    for (size_t k = 0; k < 3; k++) {
        nw_optimizer_opts opts = options(kinds[k]);
        opts.momentum = k == 0 ? 0.9 : 0.0;
        opts.average = 0.5;
        nw_optimizer *o = make(&opts);
        nw_optimizer *other = make(&opts);
        arrays *a = new_arrays();
        for (size_t step = 0; step < 5; step++)
            take_step(o, a, step, 0.1);
        const size_t n = nw_optimizer_size(o);
        uint8_t *bytes = malloc(n);
        assert_int_equal(nw_optimizer_serialize(o, bytes, n, NULL), NW_OK);
        arrays *b = new_arrays();
        memcpy(b->weights, a->weights, sizeof b->weights);
        assert_int_equal(nw_optimizer_restore(other, bytes, n, NULL), NW_OK);
        for (size_t step = 5; step < 9; step++) {
            take_step(o, a, step, 0.1);
            take_step(other, b, step, 0.1);
        }
        assert_memory_equal(a->weights, b->weights, sizeof a->weights);
        assert_int_equal(nw_optimizer_serialize(o, bytes, n - 1, NULL), NW_E_ARG);
        assert_int_equal(nw_optimizer_restore(other, bytes, n - 1, NULL), NW_E_FORMAT);
        bytes[0] ^= 1;
        assert_int_equal(nw_optimizer_restore(other, bytes, n, NULL), NW_E_FORMAT);
        bytes[0] ^= 1;
        opts.learning_rate = 0.2;
        nw_optimizer *stranger = make(&opts);
        assert_int_equal(nw_optimizer_restore(stranger, bytes, n, NULL), NW_E_FORMAT);
        free(bytes);
        free(a);
        free(b);
        nw_optimizer_free(o);
        nw_optimizer_free(other);
        nw_optimizer_free(stranger);
    }
}

static void new__refuses_options(void **state)
{
    (void)state;
    static const size_t size = 3;
    static const char *const names[] = { "kind", "learning_rate", "momentum", "is_nesterov", "beta1", "beta2", "epsilon",
        "weight_decay", "average", "schedule", "steps", "final_rate" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        nw_error err = { 0 };
        nw_optimizer *o = NULL;
        nw_optimizer_opts opts = options(NW_OPTIMIZER_SGD);
        switch (i) {
        case 0: opts.kind = (nw_optimizer_kind)9; break;
        case 1: opts.learning_rate = NAN; break;
        case 2: opts.momentum = 1.0; break;
        case 3: opts.is_nesterov = true; break;
        case 4: opts.beta1 = -0.1; break;
        case 5: opts.beta2 = NAN; break;
        case 6: opts.epsilon = 0.0; break;
        case 7: opts.weight_decay = -1.0; break;
        case 8: opts.average = 1.0; break;
        case 9: opts.schedule = (nw_optimizer_schedule)0; break;
        case 10: opts.schedule = NW_OPTIMIZER_COSINE; break;
        default: opts.final_rate = 1.5; break;
        }
        if (nw_optimizer_new(&o, &opts, &size, 1, &err) != NW_E_ARG || strstr(err.message, names[i]) == NULL)
            fail_msg("%s: \"%s\"", names[i], err.message);
    }
}

static void step__refuses_what_is_not_there(void **state)
{
    (void)state;
    nw_error err = { 0 };
    nw_optimizer_opts opts = options(NW_OPTIMIZER_SGD);
    nw_optimizer *o = make(&opts);
    arrays *a = new_arrays();
    float *holes[2] = { a->gradients, NULL };
    assert_int_equal(nw_optimizer_step(o, NULL, a->g, 0.0, &err), NW_E_ARG);
    assert_int_equal(nw_optimizer_step(o, a->w, holes, 0.0, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "gradients[1]"));
    assert_int_equal(nw_optimizer_step(o, a->w, a->g, -1.0, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "deviation"));
    assert_int_equal(nw_optimizer_steps(o), 0);
    free(a);
    nw_optimizer_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step__descends_with_momentum_and_decay),
        cmocka_unit_test(step__follows_adam_with_and_without_the_noise),
        cmocka_unit_test(rate__follows_its_schedule),
        cmocka_unit_test(swap_average__exchanges_weights_and_their_average),
        cmocka_unit_test(restore__goes_on_where_serialize_was),
        cmocka_unit_test(new__refuses_options),
        cmocka_unit_test(step__refuses_what_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
