/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_plan.c - what a run costs, and what is refused: closed forms, the vectors, and the accountant as a second method. */
#include "diff2_support.h"
#include "vectors.h"

static void near(double value, double expected, double relative)
{
    if (!(fabs(value - expected) <= relative * fabs(expected)))
        fail_msg("%.17g is not within %g of %.17g", value, relative, expected);
}

/* ---- calibration ---- */

static void diff2_new__shares_out_mu(void **state)
{
    (void)state;
    nw_diff2_opts o = diff2_options();
    o.rounds = 200;
    o.period = 25;
    o.split = 0.5;
    nw_diff2 *d = diff2_make(3, NULL, &o);
    const nw_diff2_plan plan = nw_diff2_get_plan(d);
    const double mu = 0.2680511232114688;
    assert_int_equal(plan.restarts, 8);
    near(plan.restart_noise, sqrt(8.0 / 0.5) / mu, 1e-9);
    near(plan.difference_noise, sqrt(192.0 / 0.5) / mu, 1e-9);
    near(plan.restart_noise, 14.9225, 1e-5);
    near(plan.difference_noise, 73.1052, 1e-5);
    near(plan.mu, mu, 1e-9);
    near(plan.epsilon, 1.0, 1e-9);
    assert_true(plan.epsilon <= 1.0);
    assert_int_equal(plan.tail, 20);
    nw_diff2_free(d);
}

static void diff2_new__doubles_noise_for_replacements(void **state)
{
    (void)state;
    nw_diff2_opts o = diff2_options();
    nw_diff2 *one = diff2_make(3, NULL, &o);
    o.adjacency = NW_REPLACE_ONE;
    nw_diff2 *other = diff2_make(3, NULL, &o);
    near(nw_diff2_get_plan(other).restart_noise, 2.0 * nw_diff2_get_plan(one).restart_noise, 1e-12);
    near(nw_diff2_get_plan(other).difference_noise, 2.0 * nw_diff2_get_plan(one).difference_noise, 1e-12);
    near(nw_diff2_get_plan(other).mu, nw_diff2_get_plan(one).mu, 1e-12);
    nw_diff2_free(one);
    nw_diff2_free(other);
}

/* mu = sqrt(K1 / s1^2 + (R - K1) / s2^2), doubled for replace_one, of any rounds and periods. */
static void diff2_plan__mu_is_the_closed_form(void **state)
{
    static const uint64_t rounds[] = { 1, 2, 7, 32, 1000, 4294967296 }, periods[] = { 1, 2, 3, 8, 999 };
    (void)state;
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < 5; j++)
            for (int replaces = 0; replaces < 2; replaces++) {
                nw_diff2_opts o = diff2_options();
                nw_cost cost;
                if (periods[j] > rounds[i])
                    continue;
                o.rounds = rounds[i];
                o.period = periods[j];
                o.adjacency = replaces ? NW_REPLACE_ONE : NW_ADD_REMOVE;
                o.restart_noise = 12.0;
                o.difference_noise = 9.0;
                nw_diff2 *d = diff2_make(5, NULL, &o);
                const uint64_t restarts = (rounds[i] + periods[j] - 1) / periods[j];
                const double square = (double)restarts / 144.0 + (double)(rounds[i] - restarts) / 81.0;
                assert_int_equal(nw_diff2_get_plan(d).restarts, restarts);
                near(nw_diff2_get_plan(d).mu, (replaces ? 2.0 : 1.0) * sqrt(square), 1e-12);
                assert_true(nw_diff2_get_plan(d).mu >= (replaces ? 2.0 : 1.0) * sqrt(square) * (1.0 - 1e-15));
                assert_int_equal(nw_event_cost(nw_diff2_event(d), o.adjacency, &cost, NULL), NW_OK);
                assert_int_equal(cost.samples, 5 * rounds[i]);
                nw_diff2_free(d);
            }
}

/* An audit's law [R = 32, T = 8, s1 = 12, s2 = 9]: E[llr] = mu^2 / 2, and delta at three epsilons. */
static void diff2_event__has_the_deltas_of_the_gaussian(void **state)
{
    static const double epsilons[] = { 0.3, 0.8, 1.5 }, deltas[] = { 0.1391, 0.0394, 0.00287 };
    (void)state;
    nw_diff2_opts o = diff2_options();
    o.rounds = 32;
    o.period = 8;
    o.restart_noise = 12.0;
    o.difference_noise = 9.0;
    nw_diff2 *d = diff2_make(1, NULL, &o);
    const double mu = nw_diff2_get_plan(d).mu;
    near(mu * mu / 2.0, 0.1867, 1e-3);
    for (size_t i = 0; i < 3; i++) {
        double delta;
        assert_int_equal(nw_event_delta(nw_diff2_event(d), NW_ADD_REMOVE, epsilons[i], &delta, NULL, NULL), NW_OK);
        near(delta, deltas[i], 5e-3);
        near(delta,
            0.5 * erfc((epsilons[i] / mu - mu / 2.0) / sqrt(2.0)) -
                exp(epsilons[i]) * 0.5 * erfc((epsilons[i] / mu + mu / 2.0) / sqrt(2.0)),
            1e-9);
    }
    nw_diff2_free(d);
}

static void diff2_plan__meets_the_vectors(void **state)
{
    static const double epsilons[] = { 1.0, 3.0, 5.0 }, mus[] = { 0.2680511232114688, 0.7191174352217925, 1.1212418238183972 };
    (void)state;
    json_t *vectors = load_vectors("diff2.json");
    const json_t *configs = json_object_get(vectors, "fixed_configs");
    near(json_number_value(json_object_get(json_object_get(vectors, "algorithm"), "mu_total")), mus[0], 1e-15);
    assert_true(json_array_size(configs) == 10);
    for (size_t i = 0; i < json_array_size(configs); i++)
        for (size_t e = 0; e < 3; e++) {
            const json_t *c = json_array_get(configs, i);
            nw_diff2_opts o = diff2_options();
            o.epsilon = epsilons[e];
            o.rounds = (uint64_t)json_number_value(json_object_get(c, "R"));
            const uint64_t restarts = (uint64_t)json_number_value(json_object_get(c, "J"));
            o.period = (o.rounds + restarts - 1) / restarts;
            o.split = json_number_value(json_object_get(c, "w"));
            nw_diff2 *d = diff2_make(50, NULL, &o);
            const nw_diff2_plan plan = nw_diff2_get_plan(d);
            near(plan.mu, mus[e], 1e-9);
            near(plan.restart_noise, sqrt((double)plan.restarts / o.split) / mus[e], 1e-9);
            if (o.period > 1)
                near(plan.difference_noise, sqrt((double)(o.rounds - plan.restarts) / (1.0 - o.split)) / mus[e], 1e-9);
            else
                assert_true(isnan(plan.difference_noise));
            nw_diff2_free(d);
        }
    json_decref(vectors);
}

/* With a ledger of the run's own budget: refused without the reserve, taken with it, and taken as a schedule. */
static void diff2_new__keeps_the_reserve_of_a_ledger(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        nw_diff2_opts o = diff2_options();
        nw_ledger_opts budget = NW_LEDGER_OPTS_INIT;
        nw_ledger *ledger = NULL;
        nw_receipt receipt;
        o.keeps_reserve = way == 1;
        nw_diff2 *d = diff2_make(3, NULL, &o);
        nw_rng *rng = diff2_seeded(1);
        budget.epsilon = o.epsilon;
        budget.delta = o.delta;
        budget.adjacency = o.adjacency;
        budget.schedule = way == 2 ? nw_diff2_event(d) : NULL;
        assert_int_equal(nw_ledger_memory(&ledger, &budget, NULL), NW_OK);
        assert_int_equal(nw_diff2_charge(d, NULL, rng, ledger, "run", &receipt, NULL), way == 0 ? NW_E_BUDGET : NW_OK);
        assert_int_equal(nw_diff2_begin_round(d, NULL, NULL), way == 0 ? NW_E_STATE : NW_OK);
        near(nw_diff2_get_plan(d).mu, 0.2680511232114688, way == 1 ? 1e-4 : 1e-9);
        nw_ledger_close(ledger);
        nw_rng_free(rng);
        nw_diff2_free(d);
    }
}

/* ---- local steps ---- */

/* R (K - 1) Poisson samples beside the rounds: the event says so, and what is left for the rounds is found around them. */
static void diff2_new__calibrates_around_local_steps(void **state)
{
    (void)state;
    nw_diff2_opts o = diff2_options();
    o.public_records = 10000;
    o.local_steps = 3;
    o.local_batch = 100.0;
    o.clip_local = 0.5;
    o.local_noise = 3.0;
    nw_diff2 *d = diff2_make(4, NULL, &o);
    const nw_diff2_plan plan = nw_diff2_get_plan(d);
    near(plan.local_rate, 0.01, 1e-6);
    assert_true(plan.local_rate >= 0.01 && plan.local_rate * 0x1p32 == floor(plan.local_rate * 0x1p32));
    assert_true(plan.epsilon <= 1.0 && plan.epsilon > 0.999);
    assert_true(plan.restart_noise > sqrt(3.0 / 0.7) / 0.2680511232114688);
    near(plan.difference_noise / plan.restart_noise, sqrt(9.0 / 0.3) / sqrt(3.0 / 0.7), 1e-9);
    nw_diff2_free(d);
    o.local_noise = 0.1;
    assert_int_equal(nw_diff2_new(&d, 4, NULL, &o, NULL), NW_E_BUDGET);
    assert_null(d);
}

/* ---- refusals ---- */

static void refuse(size_t dimension, const double *start, const nw_diff2_opts *o, const char *named)
{
    nw_diff2 *d = (nw_diff2 *)1;
    nw_error err;
    assert_int_equal(nw_diff2_new(&d, dimension, start, o, &err), NW_E_ARG);
    assert_null(d);
    if (strstr(err.message, named) == NULL)
        fail_msg("'%s' does not name '%s'", err.message, named);
}

#define REFUSED(change, named)                                                                                                   \
    do {                                                                                                                         \
        nw_diff2_opts o = diff2_options();                                                                                       \
        change;                                                                                                                  \
        refuse(3, NULL, &o, named);                                                                                              \
    } while (0)

static void diff2_new__names_what_is_not_admissible(void **state)
{
    (void)state;
    const double start[3] = { 0.0, NAN, 0.0 };
    const nw_diff2_opts good = diff2_options();
    const double bad[] = { 0.0, -1.0, NAN, INFINITY };
    for (size_t i = 0; i < 4; i++) {
        REFUSED(o.clip_gradient = bad[i], "clip_gradient is");
        REFUSED(o.clip_difference = bad[i], "clip_difference is");
        REFUSED(o.learning_rate = bad[i], "learning_rate is");
        REFUSED(o.split = bad[i], "split is");
        REFUSED(o.epsilon = bad[i], "epsilon is");
    }
    REFUSED(o.split = 1.0, "split is 1, must be in (0, 1)");
    REFUSED(o.delta = 0.0, "delta is 0, must be in (0, 1)");
    REFUSED(o.delta = 1.0, "delta is 1");
    REFUSED(o.delta = NAN, "delta is");
    REFUSED(o.epsilon = 65.0, "epsilon is 65");
    REFUSED(o.restart_noise = -1.0, "restart_noise is -1");
    REFUSED(o.restart_noise = 1.0, "difference_noise is 0");
    REFUSED(o.difference_noise = 1.0, "restart_noise is 0");
    REFUSED((o.restart_noise = 1.0, o.difference_noise = INFINITY), "difference_noise is inf");
    REFUSED(o.adjacency = NW_ADJACENCY_UNSET, "adjacency is unset");
    REFUSED(o.adjacency = NW_ZERO_OUT, "adjacency is zero_out");
    REFUSED(o.public_records = 0, "public_records is 0");
    REFUSED(o.public_records = UINT64_MAX, "public_records is 18446744073709551615");
    REFUSED(o.rounds = 0, "rounds is 0");
    REFUSED(o.period = 0, "period is 0, must be in [1, 12]");
    REFUSED(o.period = 13, "period is 13");
    REFUSED(o.output = (nw_diff2_output)9, "output is 9");
    REFUSED(o.tail = 13, "tail is 13");
    REFUSED(o.guard = (nw_diff2_guard)9, "guard is 9");
    REFUSED(o.guard_norm = -1.0, "guard_norm is -1");
    REFUSED(o.local_steps = 0, "local_steps is 0");
    REFUSED(o.local_steps = 2, "local_batch is 0");
    REFUSED((o.local_steps = 2, o.local_batch = 101.0), "local_batch is 101");
    REFUSED((o.local_steps = 2, o.local_batch = 10.0), "clip_local is 0");
    REFUSED((o.local_steps = 2, o.local_batch = 10.0, o.clip_local = 1.0), "local_noise is 0");
    refuse(0, NULL, &good, "dimension is 0");
    refuse(((size_t)1 << 24) + 1, NULL, &good, "dimension is 16777217");
    refuse(3, start, &good, "start[1] is nan");
    refuse(3, NULL, NULL, "opts is NULL");
    assert_int_equal(nw_diff2_new(NULL, 3, NULL, &good, NULL), NW_E_ARG);
}

/* What a period of 1 does not need is not looked at. */
static void diff2_new__reads_nothing_of_differences_without_any(void **state)
{
    (void)state;
    nw_diff2_opts o = diff2_options();
    o.period = 1;
    o.clip_difference = NAN;
    o.split = -1.0;
    nw_diff2_free(diff2_make(3, NULL, &o));
}

static void diff2_opts_init__fills_as_much_as_is_known(void **state)
{
    (void)state;
    nw_diff2_opts o;
    const nw_diff2_opts defaults = NW_DIFF2_OPTS_INIT;
    nw_diff2_opts_init(&o, sizeof o);
    assert_true(o.struct_size == sizeof o && o.split == defaults.split && o.delta == defaults.delta);
    assert_true(o.output == defaults.output && o.guard == defaults.guard && o.local_steps == 1 && !o.keeps_reserve);
    memset(&o, 0x5a, sizeof o);
    nw_diff2_opts_init(&o, offsetof(nw_diff2_opts, split));
    assert_int_equal(o.struct_size, offsetof(nw_diff2_opts, split));
    assert_int_equal(((unsigned char *)&o.split)[0], 0x5a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(diff2_new__shares_out_mu),
        cmocka_unit_test(diff2_new__doubles_noise_for_replacements),
        cmocka_unit_test(diff2_plan__mu_is_the_closed_form),
        cmocka_unit_test(diff2_event__has_the_deltas_of_the_gaussian),
        cmocka_unit_test(diff2_plan__meets_the_vectors),
        cmocka_unit_test(diff2_new__keeps_the_reserve_of_a_ledger),
        cmocka_unit_test(diff2_new__calibrates_around_local_steps),
        cmocka_unit_test(diff2_new__names_what_is_not_admissible),
        cmocka_unit_test(diff2_new__reads_nothing_of_differences_without_any),
        cmocka_unit_test(diff2_opts_init__fills_as_much_as_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
