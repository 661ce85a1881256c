/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_norms.c - ghost norms against gradients written out in long double: each kind, shape, plan and number of positions;
 * tied and repeated uses; and what certifies the clip: no bound is below its norm, on inputs made to cancel or to be out of
 * range. */
#include "dpsgd_support.h"

#include "blas.h"

static const double TOLERANCE = 1e-5; /* relative, of a norm */

/* Norms and bounds of the examples of one layer under one plan. */
static void check_norms(const layer *l, nw_dpsgd_plan_kind plan)
{
    nw_dpsgd_opts opts = silent_opts(1.0, 64.0);
    nw_dpsgd *d = new_dpsgd(&opts, l, 1, plan);
    nw_rng *rng = seeded_rng(1);
    assert_int_equal(nw_dpsgd_begin_step(d, rng, NULL), NW_OK);
    run_norms(d, l, 1, 0, l->examples);
    for (size_t i = 0; i < l->examples; i++) {
        const double expected = (double)sqrtl(squared_norm_of(l, i));
        const double norm = sqrt(nw_dpsgd_squared_norms(d)[i]);
        const double bound = nw_dpsgd_norm_bounds(d)[i];
        assert_true(fabs(norm - expected) <= TOLERANCE * expected);
        assert_true(bound >= expected && bound <= expected * 1.05);
        assert_true((double)nw_dpsgd_factors(d)[i] * expected <= 1.0);
    }
    run_sums(d, l, 1, 0);
    nw_rng_free(rng);
    nw_dpsgd_free(d);
}

static void check_plans(const layer *l)
{
    for (nw_dpsgd_plan_kind plan = NW_DPSGD_PLAN_AUTO; plan <= NW_DPSGD_PLAN_STORED; plan++)
        if (plan != NW_DPSGD_PLAN_PRODUCT || layer_positions(l) == 1)
            check_norms(l, plan);
}

static void norms__equal_those_of_written_out_gradients_for_linear_layers(void **state)
{
    (void)state;
    static const size_t shapes[][2] = { { 1, 1 }, { 1, 33 }, { 10, 1 }, { 17, 40 }, { 130, 9 }, { 70, 300 } };
    static const size_t positions[] = { 1, 2, 3, 31, 100 };
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t t = 0; t < sizeof positions / sizeof *positions; t++) {
            layer l = new_layer(NW_DPSGD_LINEAR, shapes[s][0], shapes[s][1], positions[t], 5, (uint32_t)(s * 10 + t));
            check_plans(&l);
            free_layer(&l);
        }
}

static void norms__equal_those_of_written_out_gradients_for_other_kinds(void **state)
{
    (void)state;
    static const size_t positions[] = { 1, 2, 40 };
    for (size_t t = 0; t < sizeof positions / sizeof *positions; t++) {
        layer layers[] = { new_layer(NW_DPSGD_BIAS, 19, 1, positions[t], 4, 1),
            new_layer(NW_DPSGD_BIAS, 700, 1, positions[t], 4, 2), new_layer(NW_DPSGD_SCALE, 1, 300, positions[t], 4, 3),
            new_layer(NW_DPSGD_EMBEDDING, 7, 100, positions[t], 4, 4), new_layer(NW_DPSGD_EMBEDDING, 900, 3, positions[t], 4, 5),
            new_layer(NW_DPSGD_ROWS, 12, 11, 1, 4, 6) };
        for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
            check_plans(&layers[i]);
            free_layer(&layers[i]);
        }
    }
}

static void norms__equal_those_of_written_out_gradients_for_convolutions(void **state)
{
    (void)state;
    static const nw_dpsgd_conv convs[] = {
        { 1, 9, 7, 3, 3, 3, 1, 0, 1, 1 },   /* plain */
        { 4, 8, 8, 6, 3, 2, 1, 1, 1, 2 },   /* grouped, padded */
        { 6, 9, 10, 6, 3, 3, 2, 2, 1, 6 },  /* depthwise, strided */
        { 2, 13, 11, 4, 3, 4, 2, 1, 2, 1 }, /* dilated */
        { 3, 5, 5, 2, 5, 5, 1, 0, 1, 1 },   /* one position */
        { 2, 4, 4, 3, 1, 1, 3, 4, 1, 1 },   /* more padding than input */
    };
    for (size_t i = 0; i < sizeof convs / sizeof *convs; i++) {
        layer l;
        make_conv_layer(&l, convs[i], 3, (uint32_t)i);
        check_plans(&l);
        free_layer(&l);
    }
}

static layer with_uses(size_t rows, size_t cols, const nw_dpsgd_kind *kinds, const size_t *positions, size_t n, uint32_t seed)
{
    layer l = { .rows = rows, .cols = cols, .examples = 4 };
    for (size_t i = 0; i < n; i++)
        add_use(&l, kinds[i], positions[i], &seed);
    return l;
}

static void norms__are_of_the_sum_of_all_uses(void **state)
{
    (void)state;
    static const nw_dpsgd_kind kinds[][MOST_USES] = {
        { NW_DPSGD_EMBEDDING, NW_DPSGD_LINEAR, 0 },               /* tied weights */
        { NW_DPSGD_LINEAR, NW_DPSGD_LINEAR, NW_DPSGD_LINEAR },    /* a layer used again */
        { NW_DPSGD_LINEAR, NW_DPSGD_EMBEDDING, NW_DPSGD_LINEAR }, /* both */
        { NW_DPSGD_EMBEDDING, NW_DPSGD_EMBEDDING, 0 },
        { NW_DPSGD_LINEAR, NW_DPSGD_ROWS, NW_DPSGD_EMBEDDING }, /* a penalty's own gradient */
    };
    static const size_t positions[][MOST_USES] = { { 1, 1, 1 }, { 9, 1, 1 }, { 1, 1, 30 }, { 50, 1, 60 } };
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t t = 0; t < sizeof positions / sizeof *positions; t++) {
            layer l = with_uses(23, 35, kinds[k], positions[t], kinds[k][2] == 0 ? 2 : 3, (uint32_t)(k + t));
            check_plans(&l);
            free_layer(&l);
        }
    static const nw_dpsgd_kind biases[] = { NW_DPSGD_BIAS, NW_DPSGD_BIAS };
    static const nw_dpsgd_kind scales[] = { NW_DPSGD_SCALE, NW_DPSGD_ROWS };
    layer b = with_uses(31, 1, biases, positions[1], 2, 1);
    layer s = with_uses(1, 31, scales, positions[1], 2, 2);
    check_plans(&b);
    check_plans(&s);
    free_layer(&b);
    free_layer(&s);
}

static void norms__do_not_need_openblas(void **state)
{
    (void)state;
    nw__blas_use_plain(true);
    layer l = new_layer(NW_DPSGD_LINEAR, 21, 34, 99, 3, 8);
    check_plans(&l);
    free_layer(&l);
    nw__blas_use_plain(false);
}

/* ---- certified ---- */

/* Positions in pairs that cancel but for a part `left`. */
static void make_cancelling(layer *l, float left)
{
    const nw_dpsgd_use *u = &l->uses[0];
    uint32_t state = 77;
    for (size_t at = 0; at + 1 < l->examples * u->positions; at += 2) {
        for (size_t j = 0; j < l->cols; j++)
            l->inputs[0][(at + 1) * l->cols + j] = l->inputs[0][at * l->cols + j] * (1.0f + left * random_float(&state));
        for (size_t j = 0; j < l->rows; j++)
            l->grads[0][(at + 1) * l->rows + j] = -l->grads[0][at * l->rows + j] * (1.0f + left * random_float(&state));
    }
}

static void clip__is_certified_where_positions_cancel(void **state)
{
    (void)state;
    static const float left[] = { 1e-1f, 1e-2f, 1e-3f, 1e-4f, 1e-5f, 1e-6f, 0.0f };
    for (size_t i = 0; i < sizeof left / sizeof *left; i++)
        for (nw_dpsgd_plan_kind plan = NW_DPSGD_PLAN_GRAM; plan <= NW_DPSGD_PLAN_STORED; plan++) {
            layer l = new_layer(NW_DPSGD_LINEAR, 40, 50, 128, 4, (uint32_t)i);
            make_cancelling(&l, left[i]);
            for (double clip = 1e-6; clip < 1e4; clip *= 1000.0) {
                nw_dpsgd_opts opts = silent_opts(clip, 8.0);
                nw_dpsgd *d = new_dpsgd(&opts, &l, 1, plan);
                nw_rng *rng = seeded_rng(1);
                assert_int_equal(nw_dpsgd_begin_step(d, rng, NULL), NW_OK);
                run_norms(d, &l, 1, 0, l.examples);
                for (size_t e = 0; e < l.examples; e++) {
                    const long double norm = sqrtl(squared_norm_of(&l, e));
                    assert_true((long double)nw_dpsgd_norm_bounds(d)[e] >= norm);
                    assert_true((long double)nw_dpsgd_factors(d)[e] * norm <= (long double)clip);
                }
                nw_rng_free(rng);
                nw_dpsgd_free(d);
            }
            free_layer(&l);
        }
}

/* Where a single precision norm would overflow, vanish, or be lost. */
static void clip__is_certified_at_the_ends_of_the_range(void **state)
{
    (void)state;
    static const float scales[] = { 1e-38f, 1e-30f, 1e-20f, 1e-10f, 1.0f, 1e10f, 1e11f };
    for (size_t a = 0; a < sizeof scales / sizeof *scales; a++)
        for (size_t g = 0; g < sizeof scales / sizeof *scales; g++)
            for (size_t t = 1; t <= 3; t += 2) {
                layer l = new_layer(NW_DPSGD_LINEAR, 9, 20, t, 3, (uint32_t)(a + g));
                for (size_t i = 0; i < 3 * t * 20; i++)
                    l.inputs[0][i] *= scales[a];
                for (size_t i = 0; i < 3 * t * 9; i++)
                    l.grads[0][i] *= scales[g];
                nw_dpsgd_opts opts = silent_opts(1e-3, 8.0);
                nw_dpsgd *d = new_dpsgd(&opts, &l, 1, t == 1 ? NW_DPSGD_PLAN_PRODUCT : NW_DPSGD_PLAN_GRAM);
                nw_rng *rng = seeded_rng(1);
                assert_int_equal(nw_dpsgd_begin_step(d, rng, NULL), NW_OK);
                run_norms(d, &l, 1, 0, 3);
                for (size_t e = 0; e < 3; e++)
                    assert_true((long double)nw_dpsgd_factors(d)[e] * sqrtl(squared_norm_of(&l, e)) <= 1e-3L);
                nw_rng_free(rng);
                nw_dpsgd_free(d);
                free_layer(&l);
            }
}

/* Whatever an example holds, its own factor is zero and no other's changes. */
static void clip__excludes_an_example_that_is_not_finite(void **state)
{
    (void)state;
    static const float bad[] = { (float)NAN, (float)INFINITY, (float)-INFINITY, 1e30f };
    for (nw_dpsgd_kind kind = NW_DPSGD_LINEAR; kind <= NW_DPSGD_ROWS; kind++) {
        if (kind == NW_DPSGD_CONV2D)
            continue;
        for (size_t b = 0; b < sizeof bad / sizeof *bad; b++)
            for (nw_dpsgd_plan_kind plan = NW_DPSGD_PLAN_GRAM; plan <= NW_DPSGD_PLAN_STORED; plan++) {
                const size_t t = kind == NW_DPSGD_ROWS ? 1 : 6;
                layer l = new_layer(kind, kind == NW_DPSGD_SCALE ? 1 : 5, kind == NW_DPSGD_BIAS ? 1 : 5, t, 3, 3);
                if (kind == NW_DPSGD_EMBEDDING)
                    l.tokens[0][t] = 1;
                l.grads[0][grad_floats(&l, &l.uses[0])] = bad[b];
                nw_dpsgd_opts opts = silent_opts(1.0, 8.0);
                nw_dpsgd *d = new_dpsgd(&opts, &l, 1, plan);
                nw_rng *rng = seeded_rng(1);
                assert_int_equal(nw_dpsgd_begin_step(d, rng, NULL), NW_OK);
                run_norms(d, &l, 1, 0, 3);
                assert_true(nw_dpsgd_factors(d)[1] == 0.0f && isnan(nw_dpsgd_squared_norms(d)[1]));
                assert_true(nw_dpsgd_factors(d)[0] > 0.0f && nw_dpsgd_factors(d)[2] > 0.0f);
                nw_rng_free(rng);
                nw_dpsgd_free(d);
                free_layer(&l);
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(norms__equal_those_of_written_out_gradients_for_linear_layers),
        cmocka_unit_test(norms__equal_those_of_written_out_gradients_for_other_kinds),
        cmocka_unit_test(norms__equal_those_of_written_out_gradients_for_convolutions),
        cmocka_unit_test(norms__are_of_the_sum_of_all_uses),
        cmocka_unit_test(norms__do_not_need_openblas),
        cmocka_unit_test(clip__is_certified_where_positions_cancel),
        cmocka_unit_test(clip__is_certified_at_the_ends_of_the_range),
        cmocka_unit_test(clip__excludes_an_example_that_is_not_finite),
    };
    return cmocka_run_group_tests_name("norms", tests, NULL, NULL);
}
