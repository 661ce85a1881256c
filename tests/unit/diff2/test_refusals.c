/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_refusals.c - the order of calls, and what is refused: before anything is charged or drawn. */
#include "diff2_support.h"

enum { ROWS = 100, COLUMNS = 5 };

static void rounds__come_in_one_order(void **state)
{
    (void)state;
    const nw_diff2_opts o = diff2_options();
    const double mean[2] = { 0.1, 0.0 };
    const float row[2] = { 1.0f, 1.0f };
    nw_error err;
    nw_ledger *ledger = diff2_ledger();
    nw_rng *rng = diff2_seeded(4);
    nw_diff2 *d = diff2_make(2, NULL, &o);
    assert_null(nw_diff2_partial(d));
    assert_int_equal(nw_diff2_begin_round(d, NULL, &err), NW_E_STATE);
    assert_non_null(strstr(err.message, "not charged"));
    assert_int_equal(nw_diff2_step(d, NULL, rng, NULL, NULL), NW_E_STATE);
    assert_int_equal(nw_diff2_charge(d, NULL, rng, ledger, "once", NULL, NULL), NW_OK);
    assert_int_equal(nw_diff2_charge(d, NULL, rng, ledger, "twice", NULL, NULL), NW_E_STATE);
    assert_int_equal(nw_diff2_step_with(d, mean, NULL, NULL), NW_E_STATE);
    assert_int_equal(nw_diff2_add_gradients(d, row, NULL, 1, 0, NULL), NW_E_STATE);
    assert_int_equal(nw_diff2_begin_round(d, NULL, NULL), NW_OK);
    assert_int_equal(nw_diff2_begin_round(d, NULL, &err), NW_E_STATE);
    assert_non_null(strstr(err.message, "a round is open"));
    assert_int_equal(nw_diff2_add_gradients(d, row, NULL, 1, 0, NULL), NW_OK);
    assert_int_equal(nw_diff2_step_with(d, mean, NULL, NULL), NW_E_STATE); /* what was added would be lost */
    assert_int_equal(nw_diff2_step(d, NULL, rng, NULL, NULL), NW_OK);
    for (uint64_t r = 1; r < o.rounds; r++)
        diff2_move(d, mean);
    assert_true(nw_diff2_is_done(d));
    assert_int_equal(nw_diff2_begin_round(d, NULL, &err), NW_E_STATE);
    assert_non_null(strstr(err.message, "all rounds are done"));
    nw_diff2_free(d);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
}

/* An addition that fails would leave records out: the round is not released, and the run ends. */
static void additions__that_fail_end_the_run(void **state)
{
    (void)state;
    const nw_diff2_opts o = diff2_options();
    const float row[2] = { 1.0f, 1.0f };
    diff2_data data = diff2_records(3, 4, 2, 1);
    const nw_diff2_model_opts mo = diff2_model_options(&data, NW_DIFF2_SQUARED, 0, false);
    nw_diff2_model *wrong = diff2_model(&mo);
    nw_rng *rng = diff2_seeded(4);
    for (int way = 0; way < 6; way++) {
        nw_error err;
        nw_diff2 *d = diff2_opened(2, NULL, &o);
        int64_t sums[3] = { 0 };
        assert_int_equal(nw_diff2_begin_round(d, NULL, NULL), NW_OK);
        const nw_status status = way == 0   ? nw_diff2_add_gradients(d, NULL, NULL, 1, 0, &err)
                                 : way == 1 ? nw_diff2_add_gradients(d, row, row, 1, 0, &err)
                                 : way == 2 ? nw_diff2_add_gradients(d, row, NULL, 1, 1, &err)
                                 : way == 3 ? nw_diff2_add_model(d, wrong, &err)
                                 : way == 4 ? nw_diff2_add_model(d, NULL, &err)
                                            : nw_diff2_add_partial(d, sums, 3, &err);
        assert_int_equal(status, NW_E_ARG);
        assert_int_equal(nw_diff2_step(d, NULL, rng, NULL, &err), NW_E_STATE);
        assert_non_null(strstr(err.message, "an addition to this round failed"));
        assert_int_equal(nw_diff2_begin_round(d, NULL, &err), NW_E_STATE);
        assert_non_null(strstr(err.message, "an error ended the run"));
        nw_diff2_free(d);
    }
    nw_diff2_model_free(wrong);
    nw_rng_free(rng);
    diff2_forget(&data);
}

static void step__names_what_is_not_admissible(void **state)
{
    (void)state;
    const nw_diff2_opts o = diff2_options();
    const double bad[2] = { 0.0, NAN };
    nw_error err;
    nw_rng *rng = diff2_seeded(4), *secure = NULL;
    assert_int_equal(nw_rng_new(&secure, NULL), NW_OK);
    nw_diff2 *d = diff2_opened(2, NULL, &o);
    assert_int_equal(nw_diff2_begin_round(d, NULL, NULL), NW_OK);
    assert_int_equal(nw_diff2_step_with(d, NULL, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_diff2_step_with(d, bad, NULL, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "noisy_mean[1] is nan"));
    assert_int_equal(nw_diff2_step(d, NULL, rng, bad, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "public_gradient[1] is nan"));
    nw_diff2_free(d);
    d = diff2_charged(2, NULL, &o, secure);
    assert_int_equal(nw_diff2_begin_round(d, NULL, NULL), NW_OK);
    assert_int_equal(nw_diff2_step(d, NULL, rng, NULL, &err), NW_E_STATE);
    assert_non_null(strstr(err.message, "the rng is insecure"));
    nw_diff2_free(d);
    nw_rng_free(rng);
    nw_rng_free(secure);
}

static void charge__refuses_before_anything_is_drawn(void **state)
{
    (void)state;
    const nw_diff2_opts o = diff2_options();
    nw_error err;
    nw_receipt receipt;
    nw_ledger_summary summary;
    nw_ledger *ledger = NULL;
    nw_ledger_opts budget = NW_LEDGER_OPTS_INIT;
    budget.epsilon = 0.9;
    budget.delta = 1e-5;
    budget.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_ledger_memory(&ledger, &budget, NULL), NW_OK);
    nw_rng *rng = diff2_seeded(4);
    nw_diff2 *d = diff2_make(2, NULL, &o);
    assert_int_equal(nw_diff2_charge(d, NULL, NULL, ledger, "x", NULL, NULL), NW_E_ARG);
    assert_int_equal(nw_diff2_charge(d, NULL, rng, NULL, "x", NULL, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "ledger is NULL"));
    assert_int_equal(nw_diff2_charge(d, NULL, rng, ledger, NULL, NULL, NULL), NW_E_ARG);
    assert_int_equal(nw_diff2_charge(NULL, NULL, rng, ledger, "x", NULL, NULL), NW_E_ARG);
    assert_int_equal(nw_diff2_charge(d, NULL, rng, ledger, "x", &receipt, NULL), NW_E_BUDGET);
    assert_true(receipt.head[0] == '\0');
    assert_int_equal(nw_ledger_summarise(ledger, &summary, NULL), NW_OK);
    assert_int_equal(summary.charges, 0);
    assert_int_equal(nw_diff2_begin_round(d, NULL, NULL), NW_E_STATE);
    nw_diff2_free(d);
    nw_ledger_close(ledger);
    nw_rng_free(rng);
}

static void model_new__names_what_is_not_admissible(void **state)
{
    (void)state;
    diff2_data data = diff2_records(3, 2, 2, 1);
    nw_diff2_model *m;
    nw_diff2_loss loss;
    nw_error err;
#define REFUSED(change, named)                                                                                                   \
    do {                                                                                                                         \
        nw_diff2_model_opts o = diff2_model_options(&data, NW_DIFF2_SQUARED, 0, true);                                           \
        change;                                                                                                                  \
        assert_int_equal(nw_diff2_model_new(&m, &o, &err), NW_E_ARG);                                                            \
        assert_null(m);                                                                                                          \
        if (strstr(err.message, named) == NULL)                                                                                  \
            fail_msg("'%s' does not name '%s'", err.message, named);                                                             \
    } while (0)
    REFUSED(o.loss = (nw_diff2_loss)0, "loss is 0");
    REFUSED(o.loss = (nw_diff2_loss)5, "loss is 5");
    REFUSED(o.features = NULL, "features is NULL");
    REFUSED(o.targets = NULL, "targets is NULL");
    REFUSED(o.columns = 0, "columns is 0");
    REFUSED(o.stride = 1, "stride is 1");
    REFUSED(o.classes = 2, "classes is 2");
    REFUSED((o.loss = NW_DIFF2_SOFTMAX, o.classes = 1), "classes is 1");
    REFUSED(o.huber_width = 0.0, "huber_width is 0");
#undef REFUSED
    assert_int_equal(nw_diff2_model_new(&m, NULL, &err), NW_E_ARG);
    for (int i = NW_DIFF2_SQUARED; i <= NW_DIFF2_SOFTMAX; i++) {
        assert_int_equal(nw_diff2_loss_parse(nw_diff2_loss_name((nw_diff2_loss)i), &loss, NULL), NW_OK);
        assert_int_equal(loss, i);
    }
    assert_int_equal(nw_diff2_loss_parse("hinge", &loss, &err), NW_E_ARG);
    assert_string_equal(nw_diff2_loss_name((nw_diff2_loss)9), "unknown");
    diff2_forget(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds__come_in_one_order),
        cmocka_unit_test(additions__that_fail_end_the_run),
        cmocka_unit_test(step__names_what_is_not_admissible),
        cmocka_unit_test(charge__refuses_before_anything_is_drawn),
        cmocka_unit_test(model_new__names_what_is_not_admissible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
