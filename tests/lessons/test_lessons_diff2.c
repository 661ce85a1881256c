/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_lessons_diff2.c - defects of published code for differences of gradients, each as a test: the defect is rebuilt and has to
 * show, and ours has to be free of it. They are those of the optimizer of mingxilei/PrivateDiff-Minimax. */
#include <noisewright.h>
#include <nw/testing.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { RECORDS = 1000, DIMENSION = 4 };

static nw_diff2_opts options(double clip, double noise)
{
    nw_diff2_opts o = NW_DIFF2_OPTS_INIT;
    o.restart_noise = o.difference_noise = noise;
    o.delta = 1e-5;
    o.adjacency = NW_ADD_REMOVE;
    o.public_records = RECORDS;
    o.rounds = 400;
    o.period = 400;
    o.clip_gradient = clip;
    o.clip_difference = clip;
    o.learning_rate = 1.0;
    o.guard = NW_DIFF2_UNGUARDED;
    return o;
}

static nw_diff2 *make(double clip, double noise)
{
    const nw_diff2_opts o = options(clip, noise);
    nw_diff2 *d = NULL;
    assert_int_equal(nw_diff2_new(&d, DIMENSION, NULL, &o, NULL), NW_OK);
    return d;
}

static nw_rng *charge(nw_diff2 *d)
{
    nw_rng *rng = NULL;
    nw_ledger *ledger = NULL;
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    o.delta = 1e-5;
    o.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 3, NULL), NW_OK);
    assert_int_equal(nw_ledger_unlimited(&ledger, &o, NULL), NW_OK);
    assert_int_equal(nw_diff2_charge(d, NULL, rng, ledger, "lesson", NULL, NULL), NW_OK);
    nw_ledger_close(ledger);
    return rng;
}

/* `clip_grad(p.grad)` clips the mean over the batch, tensor by tensor: one record of a thousand moves the mean by all of C, a
 * thousand times what the noise is made for. Ours moves it by C / n. */
static void privatediff__records_are_clipped_not_batches(void **state)
{
    static float rows[RECORDS * DIMENSION];
    (void)state;
    double mean[2][DIMENSION] = { { 0.0 } };
    rows[0] = 1e6F; /* the others' gradients are zero */
    for (int has_record = 0; has_record < 2; has_record++) {
        double square = 0.0;
        for (size_t i = 0; i < RECORDS * DIMENSION; i++)
            mean[has_record][i % DIMENSION] += (i >= DIMENSION || has_record ? (double)rows[i] : 0.0) / RECORDS;
        for (size_t j = 0; j < DIMENSION; j++)
            square += mean[has_record][j] * mean[has_record][j];
        for (size_t j = 0; j < DIMENSION; j++)
            mean[has_record][j] *= fmin(1.0, 1.0 / fmax(sqrt(square), 1e-300));
    }
    assert_true(fabs(mean[1][0] - mean[0][0]) > 0.999);

    nw_diff2 *d = make(1.0, 1.0);
    nw_rng *rng = charge(d);
    assert_int_equal(nw_diff2_begin_round(d, NULL, NULL), NW_OK);
    assert_int_equal(nw_diff2_add_gradients(d, rows + DIMENSION, NULL, RECORDS - 1, 0, NULL), NW_OK);
    const int64_t without = nw_diff2_partial(d)[0];
    assert_int_equal(nw_diff2_add_gradients(d, rows, NULL, 1, 0, NULL), NW_OK);
    assert_true(nw_diff2_partial(d)[0] - without <= (1 << 20) + 1); /* steps of C 2^-20 of the sum */
    nw_rng_free(rng);
    nw_diff2_free(d);
}

/* `torch.normal(0, math.sqrt(sigma * c))` takes a variance for a deviation: noise over sensitivity is sqrt(sigma / C), and falls
 * as C grows. Ours has deviation s B on the sum at every clip, within 6 standard errors. */
static void privatediff__noise_grows_with_the_clip(void **state)
{
    static const double clips[] = { 0.0625, 1.0, 256.0 };
    const double s = 2.0;
    (void)state;
    assert_true(sqrt(s * clips[2]) / clips[2] < 0.1 * s); /* the multiplier that is left of 2 */
    for (size_t k = 0; k < 3; k++) {
        double square = 0.0;
        size_t n = 0;
        nw_diff2 *d = make(clips[k], s);
        nw_rng *rng = charge(d);
        double before[DIMENSION] = { 0.0 };
        for (size_t r = 0; r < 400; r++) {
            nw_diff2_round round;
            assert_int_equal(nw_diff2_begin_round(d, &round, NULL), NW_OK);
            assert_int_equal(nw_diff2_step(d, NULL, rng, NULL, NULL), NW_OK); /* no records: noise alone */
            for (size_t j = 0; j < DIMENSION; j++, n++) {
                const double noise = (nw_diff2_direction(d)[j] - before[j]) * RECORDS / (round.bound * s);
                square += noise * noise;
                before[j] = nw_diff2_direction(d)[j];
            }
        }
        assert_true(fabs(square / (double)n - 1.0) < 6.0 * sqrt(2.0 / (double)n));
        nw_rng_free(rng);
        nw_diff2_free(d);
    }
}

/* There is no accountant: nothing says what a run costs, and nothing stops it. Ours cannot begin a round that is not charged, nor
 * one more than was, and the charge is the exact composition. */
static void privatediff__a_run_is_charged_before_it_begins(void **state)
{
    (void)state;
    nw_diff2 *d = make(1.0, 40.0);
    const double zero[DIMENSION] = { 0.0 };
    assert_int_equal(nw_diff2_begin_round(d, NULL, NULL), NW_E_STATE);
    assert_true(fabs(nw_diff2_get_plan(d).mu - sqrt(400.0) / 40.0) < 1e-12);
    nw_rng *rng = charge(d);
    for (size_t r = 0; r < 400; r++) {
        assert_int_equal(nw_diff2_begin_round(d, NULL, NULL), NW_OK);
        assert_int_equal(nw_diff2_step_with(d, zero, NULL, NULL), NW_OK);
    }
    assert_int_equal(nw_diff2_begin_round(d, NULL, NULL), NW_E_STATE);
    nw_rng_free(rng);
    nw_diff2_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(privatediff__records_are_clipped_not_batches),
        cmocka_unit_test(privatediff__noise_grows_with_the_clip),
        cmocka_unit_test(privatediff__a_run_is_charged_before_it_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
