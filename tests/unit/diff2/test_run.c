/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_run.c - whole runs: against the algorithm written down in double, against DP-GD drawn by hand. */
#include "diff2_support.h"

#include <sodium.h>

enum { ROWS = 100, COLUMNS = 5 };

static void run_model(nw_diff2 *d, nw_diff2_model *m, nw_rng *rng)
{
    while (!nw_diff2_is_done(d)) {
        assert_int_equal(nw_diff2_begin_round(d, NULL, NULL), NW_OK);
        assert_int_equal(nw_diff2_add_model(d, m, NULL), NW_OK);
        assert_int_equal(nw_diff2_step(d, NULL, rng, NULL, NULL), NW_OK);
    }
}

/* ---- the algorithm ---- */

/* The recursion of the paper for squared loss, without noise, in double: x is the iterate, of `rounds` rounds. */
static void plain_diff2(const diff2_data *data, const nw_diff2_opts *o, double *x, double *tail)
{
    double v[COLUMNS] = { 0.0 }, last[COLUMNS] = { 0.0 };
    memset(tail, 0, COLUMNS * sizeof *tail);
    for (uint64_t r = 0; r < o->rounds; r++) {
        const bool is_restart = r % o->period == 0;
        double mean[COLUMNS] = { 0.0 }, square = 0.0;
        for (size_t j = 0; j < COLUMNS; j++)
            square += (x[j] - last[j]) * (x[j] - last[j]);
        const double clip = is_restart ? o->clip_gradient : o->clip_difference * sqrt(square);
        for (size_t i = 0; i < data->rows; i++) {
            const float *a = data->features + i * COLUMNS;
            double now = -(double)data->targets[i], before = now, norm = 0.0;
            for (size_t j = 0; j < COLUMNS; j++) {
                now += (double)a[j] * x[j];
                before += (double)a[j] * last[j];
                norm += (double)a[j] * (double)a[j];
            }
            const double c = is_restart ? now : now - before;
            const double length = fabs(c) * sqrt(norm);
            for (size_t j = 0; j < COLUMNS; j++)
                mean[j] += c * (double)a[j] * (length > clip ? clip / length : 1.0) / (double)o->public_records;
        }
        for (size_t j = 0; j < COLUMNS; j++) {
            v[j] = (is_restart ? 0.0 : v[j]) + mean[j];
            last[j] = x[j];
            x[j] -= o->learning_rate * (v[j] + 0.125 * last[j]);
            if (r + o->tail >= o->rounds)
                tail[j] += x[j] / (double)o->tail;
        }
    }
}

/* With noise of a step of the grid. Clips bind in both kinds of rounds; a public regulariser x^2 / 16 is there. */
static void diff2__is_the_algorithm(void **state)
{
    (void)state;
    diff2_data data = diff2_records(ROWS, COLUMNS, 2, 3);
    const nw_diff2_model_opts mo = diff2_model_options(&data, NW_DIFF2_SQUARED, 0, false);
    nw_diff2_model *m = diff2_model(&mo);
    nw_rng *rng = diff2_seeded(1);
    static const uint64_t periods[] = { 1, 4, 7, 40 };
    for (size_t k = 0; k < 4; k++) {
        nw_diff2_opts o = diff2_quiet_options();
        double x[COLUMNS] = { 0.0 }, tail[COLUMNS], result[COLUMNS], pull[COLUMNS];
        o.rounds = 40;
        o.period = periods[k];
        o.tail = 3;
        o.clip_gradient = 0.4;
        o.clip_difference = 0.2;
        nw_diff2 *d = diff2_opened(COLUMNS, NULL, &o);
        plain_diff2(&data, &o, x, tail);
        while (!nw_diff2_is_done(d)) {
            assert_int_equal(nw_diff2_begin_round(d, NULL, NULL), NW_OK);
            for (size_t j = 0; j < COLUMNS; j++)
                pull[j] = 0.125 * nw_diff2_iterate(d)[j];
            assert_int_equal(nw_diff2_add_model(d, m, NULL), NW_OK);
            assert_int_equal(nw_diff2_step(d, NULL, rng, pull, NULL), NW_OK);
        }
        assert_int_equal(nw_diff2_result(d, result, NULL), NW_OK);
        for (size_t j = 0; j < COLUMNS; j++) { /* roundings of 2^-21 a record and round, floats of the iterate */
            assert_true(fabs(nw_diff2_iterate(d)[j] - x[j]) < 2e-5);
            assert_true(fabs(result[j] - tail[j]) < 2e-5);
        }
        nw_diff2_free(d);
    }
    nw_diff2_model_free(m);
    nw_rng_free(rng);
    diff2_forget(&data);
}

/* K local steps a round, of everybody: v and x follow exact differences from the round's iterate on, and the next round's
 * difference is counted from there. */
static void local_steps__follow_the_sample(void **state)
{
    (void)state;
    enum { STEPS = 3 };
    diff2_data data = diff2_records(ROWS, COLUMNS, 2, 3);
    const nw_diff2_model_opts mo = diff2_model_options(&data, NW_DIFF2_SQUARED, 0, false);
    nw_diff2_model *m = diff2_model(&mo);
    nw_rng *rng = diff2_seeded(1);
    nw_diff2_opts o = diff2_quiet_options();
    o.rounds = 6;
    o.period = 6;
    o.clip_gradient = o.clip_difference = o.clip_local = 100.0; /* nothing is clipped: v is the gradient */
    o.guard = NW_DIFF2_UNGUARDED;
    o.local_steps = STEPS;
    o.local_batch = ROWS;
    o.local_noise = DIFF2_HARDLY_ANY;
    o.output = NW_DIFF2_LAST;
    nw_diff2 *d = diff2_charged(COLUMNS, NULL, &o, rng);
    double x[COLUMNS] = { 0.0 }, gradient[COLUMNS];
    nw_diff2_round round;
    for (size_t k = 0; k < 6 * STEPS; k++) {
        assert_int_equal(nw_diff2_begin_round(d, &round, NULL), NW_OK);
        assert_int_equal(round.round, k / STEPS);
        assert_int_equal(round.step, k % STEPS);
        assert_int_equal(round.kind, k == 0 ? NW_DIFF2_RESTART : k % STEPS == 0 ? NW_DIFF2_DIFFERENCE : NW_DIFF2_LOCAL);
        assert_true(nw_diff2_is_sampled(d, k));
        assert_int_equal(nw_diff2_model_evaluate(m, x, NULL, gradient, NULL), NW_OK);
        assert_int_equal(nw_diff2_add_model(d, m, NULL), NW_OK);
        assert_int_equal(nw_diff2_step(d, NULL, rng, NULL, NULL), NW_OK);
        for (size_t j = 0; j < COLUMNS; j++) {
            x[j] -= o.learning_rate * gradient[j];
            assert_true(fabs(nw_diff2_iterate(d)[j] - x[j]) < 1e-2);
        }
    }
    assert_true(nw_diff2_is_done(d));
    nw_diff2_free(d);
    nw_diff2_model_free(m);
    nw_rng_free(rng);
    diff2_forget(&data);
}

/* A local sum is of the sampled rows, by model and by gradients, with a record's number counted over all processes. */
static void local_steps__add_the_sampled_rows_only(void **state)
{
    (void)state;
    diff2_data data = diff2_records(ROWS, COLUMNS, 2, 3);
    nw_diff2_opts o = diff2_quiet_options();
    const double mean[COLUMNS] = { 1.0 };
    o.clip_local = 0.5;
    o.local_steps = 2;
    o.local_batch = 30.0;
    o.local_noise = DIFF2_HARDLY_ANY;
    nw_rng *rng = diff2_seeded(1);
    nw_diff2 *whole = diff2_opened(COLUMNS, NULL, &o), *parts = diff2_opened(COLUMNS, NULL, &o);
    nw_diff2 *second = NULL;
    const nw_diff2_model_opts mo = diff2_model_options(&data, NW_DIFF2_LOGISTIC, 0, false);
    o.first_record = 40;
    second = diff2_opened(COLUMNS, NULL, &o);
    nw_diff2 *all[3] = { whole, parts, second };
    for (size_t i = 0; i < 3; i++) {
        diff2_move(all[i], mean);
        memset(all[i]->key, 9, sizeof all[i]->key);
        assert_int_equal(nw_diff2_begin_round(all[i], NULL, NULL), NW_OK);
    }
    nw_diff2_model *m = diff2_model(&mo);
    assert_int_equal(nw_diff2_add_model(whole, m, NULL), NW_OK);
    size_t sampled = 0;
    for (size_t i = 0; i < ROWS; i++) {
        nw_diff2_model_opts one = mo;
        one.features += i * COLUMNS;
        one.targets += i;
        one.rows = 1;
        nw_diff2_model *single = diff2_model(&one);
        nw_diff2 *target = i < 40 ? parts : second;
        int64_t before[COLUMNS];
        memcpy(before, nw_diff2_partial(target), sizeof before);
        assert_int_equal(nw_diff2_add_model(target, single, NULL), NW_OK);
        assert_true(nw_diff2_is_sampled(whole, i) == (memcmp(before, nw_diff2_partial(target), sizeof before) != 0));
        sampled += nw_diff2_is_sampled(whole, i);
        nw_diff2_model_free(single);
    }
    assert_true(sampled > 10 && sampled < 55);
    assert_int_equal(nw_diff2_add_partial(parts, nw_diff2_partial(second), COLUMNS, NULL), NW_OK);
    assert_memory_equal(nw_diff2_partial(whole), nw_diff2_partial(parts), COLUMNS * sizeof(int64_t));
    for (size_t i = 0; i < 3; i++)
        nw_diff2_free(all[i]);
    nw_diff2_model_free(m);
    nw_rng_free(rng);
    diff2_forget(&data);
}

/* ---- DP-GD ---- */

/* Period 1 is DP-GD: sums of clipped gradients and rounded Gaussian noise of s1 (2^20 + sqrt(d) / 2) steps, drawn here from a
 * stream of the same seed; gradients are whole steps, so the sum is known. To the last bit. */
static void period_1__is_dp_gd_bit_for_bit(void **state)
{
    enum { DIMENSION = 7, ROUNDS = 5 };
    (void)state;
    nw_diff2_opts o = diff2_options();
    float rows[3 * DIMENSION];
    int64_t sum[DIMENSION] = { 0 };
    double x[DIMENSION] = { 0.0 };
    o.period = 1;
    o.rounds = ROUNDS;
    uint64_t seed = 4;
    for (size_t i = 0; i < 3 * DIMENSION; i++) {
        const int64_t steps = (int64_t)(diff2_number(&seed) * 1000.0);
        rows[i] = (float)((double)steps * 0x1p-20);
        sum[i % DIMENSION] += steps;
    }
    nw_rng *rng = diff2_seeded(11), *same = diff2_seeded(11);
    nw_diff2 *d = diff2_charged(DIMENSION, NULL, &o, rng);
    const size_t drawn = 4096 / DIMENSION * DIMENSION;
    int64_t *noise = calloc(drawn, sizeof *noise);
    nw_noise *law = NULL;
    const double scale = nw_diff2_get_plan(d).restart_noise * (0x1p20 + 0.5 * sqrt((double)DIMENSION));
    assert_true(fabs(nw_noise_get_scale(d->restart_noise.law) / scale - 1.0) < 1e-15);
    assert_true(nw_noise_get_scale(d->restart_noise.law) >= scale);
    assert_int_equal(nw_noise_new(&law, NW_NOISE_ROUNDED_GAUSSIAN, nw_noise_get_scale(d->restart_noise.law), NULL), NW_OK);
    assert_int_equal(nw_noise_fill(law, same, noise, drawn, NULL), NW_OK);
    for (size_t r = 0; r < ROUNDS; r++) {
        assert_int_equal(nw_diff2_begin_round(d, NULL, NULL), NW_OK);
        assert_int_equal(nw_diff2_add_gradients(d, rows, NULL, 3, 0, NULL), NW_OK);
        assert_int_equal(nw_diff2_step(d, NULL, rng, NULL, NULL), NW_OK);
        for (size_t j = 0; j < DIMENSION; j++)
            x[j] -= o.learning_rate * ((double)(sum[j] + noise[r * DIMENSION + j]) * (1.0 / 0x1p20 / 100.0));
        assert_memory_equal(nw_diff2_iterate(d), x, sizeof x);
    }
    nw_noise_free(law);
    free(noise);
    nw_diff2_free(d);
    nw_rng_free(rng);
    nw_rng_free(same);
}

/* As many restarts as rounds: what belongs to differences is not read, and changes no bit. */
static void period_1__reads_nothing_of_differences(void **state)
{
    (void)state;
    diff2_data data = diff2_records(ROWS, COLUMNS, 2, 3);
    const nw_diff2_model_opts mo = diff2_model_options(&data, NW_DIFF2_LOGISTIC, 0, true);
    double first[COLUMNS + 1], second[COLUMNS + 1];
    for (int i = 0; i < 2; i++) {
        nw_diff2_opts o = diff2_options();
        o.period = 1;
        o.clip_difference = i == 0 ? 0.5 : NAN;
        o.split = i == 0 ? 0.7 : 0.1;
        nw_rng *rng = diff2_seeded(4);
        nw_diff2_model *m = diff2_model(&mo);
        nw_diff2 *d = diff2_charged(COLUMNS + 1, NULL, &o, rng);
        run_model(d, m, rng);
        assert_int_equal(nw_diff2_result(d, i == 0 ? first : second, NULL), NW_OK);
        nw_diff2_free(d);
        nw_diff2_model_free(m);
        nw_rng_free(rng);
    }
    assert_memory_equal(first, second, sizeof first);
    diff2_forget(&data);
}

/* ---- what a model remembers ---- */

/* A model that is new in each round has nothing to remember, and computes both gradients. */
static void model__remembering_changes_no_bit(void **state)
{
    (void)state;
    static const nw_diff2_loss losses[] = { NW_DIFF2_LOGISTIC, NW_DIFF2_SOFTMAX };
    for (size_t k = 0; k < 2; k++) {
        diff2_data data = diff2_records(ROWS, COLUMNS, 3, 3);
        data.features[7] = INFINITY;
        const nw_diff2_model_opts mo = diff2_model_options(&data, losses[k], 3, true);
        nw_diff2_model *kept = diff2_model(&mo), *other = diff2_model(&mo);
        const size_t n = nw_diff2_model_dimension(kept);
        const nw_diff2_opts o = diff2_options();
        nw_rng *rng = diff2_seeded(4), *same = diff2_seeded(4), *third = diff2_seeded(5);
        nw_diff2 *a = diff2_opened(n, NULL, &o), *b = diff2_opened(n, NULL, &o), *stranger = diff2_opened(n, NULL, &o);
        while (!nw_diff2_is_done(a)) {
            nw_diff2_model *fresh = diff2_model(&mo);
            assert_int_equal(nw_diff2_begin_round(a, NULL, NULL), NW_OK);
            assert_int_equal(nw_diff2_begin_round(b, NULL, NULL), NW_OK);
            assert_int_equal(nw_diff2_begin_round(stranger, NULL, NULL), NW_OK);
            assert_int_equal(nw_diff2_add_model(a, kept, NULL), NW_OK);
            assert_int_equal(nw_diff2_add_model(b, fresh, NULL), NW_OK);
            assert_int_equal(nw_diff2_add_model(stranger, kept, NULL), NW_OK); /* one model, two runs: also */
            assert_int_equal(nw_diff2_step(a, NULL, rng, NULL, NULL), NW_OK);
            assert_int_equal(nw_diff2_step(b, NULL, same, NULL, NULL), NW_OK);
            assert_int_equal(nw_diff2_step(stranger, NULL, third, NULL, NULL), NW_OK);
            assert_memory_equal(nw_diff2_iterate(a), nw_diff2_iterate(b), n * sizeof(double));
            nw_diff2_model_free(fresh);
        }
        nw_diff2_free(a);
        nw_diff2_free(b);
        nw_diff2_free(stranger);
        nw_diff2_model_free(kept);
        nw_diff2_model_free(other);
        nw_rng_free(rng);
        nw_rng_free(same);
        nw_rng_free(third);
        diff2_forget(&data);
    }
}

/* ---- the same bytes everywhere ---- */

/* Runs with given noise use nothing that a library or a vector unit may round otherwise: their bytes are known. */
static void runs__are_the_same_bytes_on_every_machine(void **state)
{
    static const struct {
        nw_diff2_loss loss;
        const char *digest; /* BLAKE2b-128 of the result */
    } known[] = { { NW_DIFF2_SQUARED, "fcf8c1dafa60ba2904866382751409c5" },
        { NW_DIFF2_LOGISTIC, "23f940c93648260dfba2429d06814015" }, { NW_DIFF2_HUBER, "0c2cd859c9ac39399d7a4c446a9575aa" },
        { NW_DIFF2_SOFTMAX, "ecb2294579326faa2614109ba150fba8" } };
    (void)state;
    for (size_t k = 0; k < 4; k++) {
        double x[3 * 14];
        unsigned char digest[16];
        char text[33];
        nw_diff2_opts o = diff2_options();
        diff2_data data = diff2_records(ROWS, 13, known[k].loss == NW_DIFF2_SOFTMAX ? 3 : 2, 3);
        const nw_diff2_model_opts mo = diff2_model_options(&data, known[k].loss, 3, true);
        nw_diff2_model *m = diff2_model(&mo);
        const size_t n = nw_diff2_model_dimension(m);
        nw_rng *rng = diff2_seeded(8);
        o.restart_noise = 0.5;
        o.difference_noise = 0.25;
        nw_diff2 *d = diff2_opened(n, NULL, &o);
        run_model(d, m, rng);
        assert_int_equal(nw_diff2_result(d, x, NULL), NW_OK);
        crypto_generichash(digest, sizeof digest, (const unsigned char *)x, n * sizeof *x, NULL, 0);
        assert_string_equal(sodium_bin2hex(text, sizeof text, digest, sizeof digest), known[k].digest);
        nw_diff2_free(d);
        nw_diff2_model_free(m);
        nw_rng_free(rng);
        diff2_forget(&data);
    }
}

/* ---- bounds of zero, and the guard ---- */

/* An iterate that did not move bounds differences by 0: whatever is added, the constant 0 is released, and v stays. */
static void bound_0__releases_the_constant_0(void **state)
{
    (void)state;
    nw_diff2_opts o = diff2_options();
    const double still[3] = { 0.0 };
    const float now[3] = { 1.0f, -2.0f, 3.0f }, before[3] = { 0.5f, 0.0f, 0.0f };
    nw_diff2_round round;
    nw_rng *rng = diff2_seeded(4);
    nw_diff2 *d = diff2_charged(3, NULL, &o, rng);
    diff2_move(d, still);
    assert_int_equal(nw_diff2_begin_round(d, &round, NULL), NW_OK);
    assert_true(round.kind == NW_DIFF2_DIFFERENCE && round.bound == 0.0);
    assert_int_equal(nw_diff2_add_gradients(d, now, before, 1, 0, NULL), NW_OK);
    assert_int_equal(nw_diff2_step(d, NULL, rng, NULL, NULL), NW_OK);
    for (size_t j = 0; j < 3; j++)
        assert_true(nw_diff2_iterate(d)[j] == 0.0 && nw_diff2_direction(d)[j] == 0.0);
    nw_diff2_free(d);
    nw_rng_free(rng);
}

static void guard__shortens_or_stops(void **state)
{
    (void)state;
    const double far[2] = { 30.0, 40.0 };
    const double x[2] = { 0.5 * 4.0 * 0.6, 0.5 * 4.0 * 0.8 };
    nw_rng *rng = diff2_seeded(4);
    nw_diff2_opts o = diff2_options();
    nw_error err;
    nw_diff2 *d = diff2_opened(2, NULL, &o);
    diff2_move(d, far);
    assert_true(nw_diff2_guarded(d) == 1);
    for (size_t j = 0; j < 2; j++)
        assert_true(fabs(nw_diff2_iterate(d)[j] + x[j]) < 1e-12);
    nw_diff2_free(d);
    o.guard = NW_DIFF2_STOP;
    d = diff2_opened(2, NULL, &o);
    assert_int_equal(nw_diff2_begin_round(d, NULL, NULL), NW_OK);
    assert_int_equal(nw_diff2_step_with(d, far, NULL, &err), NW_E_NUMERIC);
    assert_non_null(strstr(err.message, "|v| is 50 in round 0, above guard_norm 4"));
    assert_true(nw_diff2_iterate(d)[0] == 0.0);
    assert_int_equal(nw_diff2_begin_round(d, NULL, &err), NW_E_STATE);
    assert_non_null(strstr(err.message, "the guard ended the run"));
    nw_diff2_free(d);
    o.guard = NW_DIFF2_UNGUARDED;
    d = diff2_opened(2, NULL, &o);
    diff2_move(d, far);
    assert_true(nw_diff2_guarded(d) == 0 && nw_diff2_iterate(d)[0] == -15.0);
    const double beyond[2] = { 0x1p400, 0.0 };
    for (int i = 0; i < 2; i++) {
        const nw_status status = nw_diff2_begin_round(d, NULL, NULL) == NW_OK ? nw_diff2_step_with(d, beyond, NULL, NULL) : NW_OK;
        assert_true(i == 0 ? status == NW_OK : status == NW_E_NUMERIC);
    }
    nw_diff2_free(d);
    nw_rng_free(rng);
}

/* ---- results ---- */

static void result__is_what_was_asked_for(void **state)
{
    enum { ROUNDS = 12 };
    (void)state;
    size_t seen[ROUNDS] = { 0 };
    nw_rng *rng = diff2_seeded(4);
    for (int run = 0; run < 122; run++) {
        nw_diff2_opts o = diff2_options();
        double iterates[ROUNDS + 1], x, mean = 0.0;
        o.output = run == 0 ? NW_DIFF2_LAST : run == 1 ? NW_DIFF2_TAIL : NW_DIFF2_UNIFORM;
        o.tail = 5;
        nw_diff2 *d = run > 1 ? diff2_charged(1, NULL, &o, rng) : diff2_opened(1, NULL, &o);
        for (size_t r = 0; r < ROUNDS; r++) {
            const double step = 0.125 * (double)(r % 3 + 1);
            iterates[r] = nw_diff2_iterate(d)[0];
            assert_int_equal(nw_diff2_result(d, &x, NULL), NW_E_STATE);
            diff2_move(d, &step);
        }
        iterates[ROUNDS] = nw_diff2_iterate(d)[0];
        assert_int_equal(nw_diff2_result(d, &x, NULL), NW_OK);
        for (size_t r = ROUNDS - 4; r <= ROUNDS; r++)
            mean += iterates[r] / 5.0;
        if (run == 0)
            assert_true(x == iterates[ROUNDS]);
        if (run == 1)
            assert_true(fabs(x - mean) < 1e-12);
        for (size_t r = 0; run > 1 && r < ROUNDS; r++)
            seen[r] += x == iterates[r];
        nw_diff2_free(d);
    }
    size_t all = 0;
    for (size_t r = 0; r < ROUNDS; r++) {
        assert_true(seen[r] < 29); /* of 120 / 12: 6 standard deviations */
        all += seen[r];
    }
    assert_int_equal(all, 120);
    nw_rng_free(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(diff2__is_the_algorithm),
        cmocka_unit_test(local_steps__follow_the_sample),
        cmocka_unit_test(local_steps__add_the_sampled_rows_only),
        cmocka_unit_test(period_1__is_dp_gd_bit_for_bit),
        cmocka_unit_test(period_1__reads_nothing_of_differences),
        cmocka_unit_test(model__remembering_changes_no_bit),
        cmocka_unit_test(runs__are_the_same_bytes_on_every_machine),
        cmocka_unit_test(bound_0__releases_the_constant_0),
        cmocka_unit_test(guard__shortens_or_stops),
        cmocka_unit_test(result__is_what_was_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
