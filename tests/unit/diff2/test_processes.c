/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_processes.c - many processes (threads of this one): the same bytes for any number of them and any spread of the records,
 * noise once, one charge, and an error in one that no other waits for. Partial sums as bytes. */
#include "diff2_support.h"

enum { ROWS = 90, COLUMNS = 6, MOST_RANKS = 5 };

/* What one process does, and what came of it. */
typedef struct process {
    diff2_member member;
    const diff2_data *data;
    size_t from, to; /* its records */
    nw_diff2_opts opts;
    size_t dimension;
    bool has_budget; /* process 0: a ledger that lets the run through */
    int failure;     /* which fault this process has, see run_process */
    nw_status charged, stepped;
    nw_receipt receipt;
    nw_error err;
    uint64_t charges;
    double x[COLUMNS + 1];
} process;

enum fault { NONE, NO_RNG, NO_RNG_LATER, OTHER_START, OTHER_OPTION, OTHER_GRADIENT, FAILED_ADDITION, BAD_GRADIENT };

/* Local steps have no cost in the currency of a ledger's filter. */
static nw_ledger *open_ledger(bool has_budget, bool is_local)
{
    nw_ledger *ledger = NULL;
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    o.epsilon = has_budget ? 2.0 : 0.5;
    o.delta = 1e-5;
    o.adjacency = NW_ADD_REMOVE;
    assert_int_equal(is_local ? nw_ledger_unlimited(&ledger, &o, NULL) : nw_ledger_memory(&ledger, &o, NULL), NW_OK);
    return ledger;
}

static nw_status run_round(process *p, nw_diff2 *d, nw_diff2_model *m, nw_rng *rng, const nw_reduce *reduce, uint64_t round)
{
    double pull[COLUMNS + 1];
    for (size_t j = 0; j < p->dimension; j++)
        pull[j] = 0.01 * nw_diff2_iterate(d)[j] + (p->failure == OTHER_GRADIENT ? 1.0 : 0.0);
    if (p->failure == BAD_GRADIENT)
        pull[0] = NAN;
    if (nw_diff2_begin_round(d, NULL, &p->err) != NW_OK)
        abort();
    if (p->failure == FAILED_ADDITION && round == 2 && nw_diff2_add_model(d, NULL, NULL) == NW_OK)
        abort();
    if (nw_diff2_add_model(d, m, &p->err) != NW_OK)
        abort();
    return nw_diff2_step(d, reduce, p->failure == NO_RNG_LATER && round == 2 ? NULL : rng, pull, &p->err);
}

static void *run_process(void *context)
{
    process *p = context;
    const bool is_root = p->member.rank == 0;
    const double start[COLUMNS + 1] = { 0.0, 0.5 };
    const nw_reduce reduce = diff2_reduce(&p->member);
    diff2_data part = { p->to - p->from, COLUMNS, p->data->features + p->from * COLUMNS, p->data->targets + p->from };
    const nw_diff2_model_opts mo = diff2_model_options(&part, NW_DIFF2_LOGISTIC, 0, true);
    nw_diff2_model *m = NULL;
    nw_diff2 *d = NULL;
    nw_rng *rng = NULL;
    nw_ledger *ledger = is_root ? open_ledger(p->has_budget, p->opts.local_steps > 1) : NULL;
    nw_ledger_summary summary;
    if (p->failure == OTHER_OPTION)
        p->opts.learning_rate *= 2.0;
    p->opts.first_record = p->from;
    if (nw_diff2_new(&d, p->dimension, p->failure == OTHER_START ? NULL : start, &p->opts, NULL) != NW_OK ||
        nw_diff2_model_new(&m, &mo, NULL) != NW_OK || (is_root && nw_rng_new_insecure_seeded(&rng, 5, NULL) != NW_OK))
        abort();
    p->charged = nw_diff2_charge(d, &reduce, p->failure == NO_RNG ? NULL : rng, ledger, "run", &p->receipt, &p->err);
    p->stepped = NW_OK;
    for (uint64_t r = 0; p->charged == NW_OK && p->stepped == NW_OK && !nw_diff2_is_done(d); r++)
        p->stepped = run_round(p, d, m, rng, &reduce, r);
    if (p->charged == NW_OK && p->stepped == NW_OK && nw_diff2_result(d, p->x, &p->err) != NW_OK)
        abort();
    if (is_root && nw_ledger_summarise(ledger, &summary, NULL) == NW_OK)
        p->charges = summary.charges;
    nw_ledger_close(ledger);
    nw_rng_free(rng);
    nw_diff2_model_free(m);
    nw_diff2_free(d);
    return NULL;
}

/* cuts: where each process's records begin; has ranks + 1 values. */
static void run_team(process *all, size_t ranks, const size_t *cuts, const diff2_data *data, const nw_diff2_opts *o)
{
    pthread_t threads[MOST_RANKS];
    diff2_team *team = calloc(1, sizeof *team);
    team->size = ranks;
    pthread_barrier_init(&team->barrier, NULL, (unsigned)ranks);
    pthread_mutex_init(&team->lock, NULL);
    for (size_t r = 0; r < ranks; r++) {
        process *p = &all[r];
        const int failure = p->failure;
        const size_t dimension = p->dimension == 0 ? COLUMNS + 1 : p->dimension;
        *p = (process){ .member = { team, r },
            .data = data,
            .from = cuts[r],
            .to = cuts[r + 1],
            .opts = *o,
            .dimension = dimension,
            .has_budget = p->has_budget,
            .failure = failure };
        pthread_create(&threads[r], NULL, run_process, p);
    }
    for (size_t r = 0; r < ranks; r++)
        pthread_join(threads[r], NULL);
    pthread_barrier_destroy(&team->barrier);
    pthread_mutex_destroy(&team->lock);
    free(team);
}

/* One alone, two, three and five; a process without records; everything with one. With local steps, too. */
static void processes__hold_the_same_bytes(void **state)
{
    static const size_t cuts[][MOST_RANKS + 1] = { { 0, ROWS }, { 0, 1, ROWS }, { 0, 40, 40, ROWS },
        { 0, 0, 0, ROWS, ROWS, ROWS } };
    static const size_t ranks[] = { 1, 2, 3, 5 };
    (void)state;
    diff2_data data = diff2_records(ROWS, COLUMNS, 2, 3);
    for (int is_local = 0; is_local < 2; is_local++) {
        double first[COLUMNS + 1];
        nw_diff2_opts o = diff2_options();
        o.output = is_local ? NW_DIFF2_UNIFORM : NW_DIFF2_TAIL;
        if (is_local) {
            o.local_steps = 3;
            o.local_batch = 20.0;
            o.clip_local = 0.5;
            o.local_noise = 5.0;
        }
        for (size_t k = 0; k < 4; k += 1 + (size_t)is_local) {
            process all[MOST_RANKS] = { { .has_budget = true } };
            run_team(all, ranks[k], cuts[k], &data, &o);
            assert_int_equal(all[0].charges, 1);
            for (size_t r = 0; r < ranks[k]; r++) {
                assert_int_equal(all[r].charged, NW_OK);
                assert_int_equal(all[r].stepped, NW_OK);
                assert_string_equal(all[r].receipt.head, all[0].receipt.head);
                if (k == 0)
                    memcpy(first, all[r].x, sizeof first);
                assert_memory_equal(first, all[r].x, sizeof first);
            }
        }
    }
    diff2_forget(&data);
}

/* The noise of a team is that of one process: neither n-fold nor none. Against the run of one process without a reduce. */
static void processes__draw_noise_once(void **state)
{
    static const size_t cuts[] = { 0, 30, 60, ROWS };
    (void)state;
    diff2_data data = diff2_records(ROWS, COLUMNS, 2, 3);
    const nw_diff2_opts o = diff2_options();
    const nw_diff2_model_opts mo = diff2_model_options(&data, NW_DIFF2_LOGISTIC, 0, true);
    process all[MOST_RANKS] = { { .has_budget = true } };
    const double start[COLUMNS + 1] = { 0.0, 0.5 };
    double pull[COLUMNS + 1], x[COLUMNS + 1];
    run_team(all, 3, cuts, &data, &o);
    nw_rng *rng = diff2_seeded(5);
    nw_diff2 *d = diff2_charged(COLUMNS + 1, start, &o, rng);
    nw_diff2_model *m = diff2_model(&mo);
    while (!nw_diff2_is_done(d)) {
        assert_int_equal(nw_diff2_begin_round(d, NULL, NULL), NW_OK);
        for (size_t j = 0; j <= COLUMNS; j++)
            pull[j] = 0.01 * nw_diff2_iterate(d)[j];
        assert_int_equal(nw_diff2_add_model(d, m, NULL), NW_OK);
        assert_int_equal(nw_diff2_step(d, NULL, rng, pull, NULL), NW_OK);
    }
    assert_int_equal(nw_diff2_result(d, x, NULL), NW_OK);
    for (size_t r = 0; r < 3; r++)
        assert_memory_equal(x, all[r].x, sizeof x);
    nw_diff2_model_free(m);
    nw_diff2_free(d);
    nw_rng_free(rng);
    diff2_forget(&data);
}

/* A fault in one process is an error in all, and nobody waits: the charge or the step returns everywhere. */
static void processes__fail_together(void **state)
{
    static const size_t cuts[] = { 0, 30, 60, ROWS };
    static const struct {
        size_t rank;
        enum fault fault;
        bool is_charged;     /* the fault shows later */
        const char *message; /* in all of them */
    } faults[] = {
        { 0, NO_RNG, false, "rng is NULL" },
        { 0, NO_RNG_LATER, true, "rng is NULL" },
        { 2, OTHER_START, false, "the processes differ" },
        { 1, OTHER_OPTION, false, "the processes differ" },
        { 1, OTHER_GRADIENT, true, "the processes differ" },
        { 2, FAILED_ADDITION, true, "an addition to this round failed" },
        { 1, BAD_GRADIENT, true, "public_gradient[0] is nan" },
    };
    (void)state;
    diff2_data data = diff2_records(ROWS, COLUMNS, 2, 3);
    const nw_diff2_opts o = diff2_options();
    for (size_t k = 0; k < sizeof faults / sizeof *faults; k++) {
        process all[MOST_RANKS] = { { .has_budget = true } };
        all[faults[k].rank].failure = (int)faults[k].fault;
        run_team(all, 3, cuts, &data, &o);
        assert_int_equal(all[0].charges, faults[k].is_charged ? 1 : 0);
        for (size_t r = 0; r < 3; r++) {
            const nw_status failed = faults[k].is_charged ? all[r].stepped : all[r].charged;
            assert_int_equal(all[r].charged == NW_OK, faults[k].is_charged);
            assert_true(failed == NW_E_STATE || failed == NW_E_ARG);
            if (strstr(all[r].err.message, faults[k].message) == NULL)
                fail_msg("fault %zu, process %zu: '%s' does not say '%s'", k, r, all[r].err.message, faults[k].message);
        }
    }
    diff2_forget(&data);
}

/* Another dimension in one process: told at the charge, before sums of different lengths could meet. */
static void processes__must_have_one_dimension(void **state)
{
    static const size_t cuts[] = { 0, 45, ROWS };
    (void)state;
    diff2_data data = diff2_records(ROWS, COLUMNS, 2, 3);
    const nw_diff2_opts o = diff2_options();
    process all[MOST_RANKS] = { { .has_budget = true }, { .dimension = 3 } };
    run_team(all, 2, cuts, &data, &o);
    for (size_t r = 0; r < 2; r++) {
        assert_int_equal(all[r].charged, NW_E_STATE);
        assert_non_null(strstr(all[r].err.message, "options, dimension, start"));
    }
    assert_int_equal(all[0].charges, 0);
    diff2_forget(&data);
}

/* The ledger is process 0's, and so is its refusal; all of them tell it. */
static void processes__all_tell_that_the_ledger_refused(void **state)
{
    static const size_t cuts[] = { 0, 30, 60, ROWS };
    (void)state;
    diff2_data data = diff2_records(ROWS, COLUMNS, 2, 3);
    const nw_diff2_opts o = diff2_options();
    process all[MOST_RANKS] = { { .has_budget = false } };
    run_team(all, 3, cuts, &data, &o);
    for (size_t r = 0; r < 3; r++) {
        assert_int_equal(all[r].charged, NW_E_BUDGET);
        assert_string_equal(all[r].err.message, all[0].err.message);
    }
    assert_int_equal(all[0].charges, 0);
    diff2_forget(&data);
}

/* ---- a reduce that fails ---- */

static size_t calls_left;

static nw_status broken(nw_error *err)
{
    if (calls_left-- > 0)
        return NW_OK;
    return nw__fail(err, NW_E_IO, "reduce", "the others cannot be reached");
}

static nw_status broken_broadcast(void *context, void *bytes, size_t n, nw_error *err)
{
    (void)context;
    (void)bytes;
    (void)n;
    return broken(err);
}

static nw_status broken_i64(void *context, int64_t *values, size_t n, nw_error *err)
{
    return broken_broadcast(context, values, n, err);
}

static nw_status broken_u64(void *context, uint64_t *values, size_t n, nw_error *err)
{
    return broken_broadcast(context, values, n, err);
}

static nw_status broken_barrier(void *context, nw_error *err)
{
    (void)context;
    return broken(err);
}

/* Each call fails in turn: the error is passed on, the run is over, and nothing of the round is in the iterate. */
static void reduce__errors_end_the_run(void **state)
{
    (void)state;
    const nw_reduce reduce = { NULL, 0, 1, broken_broadcast, broken_i64, broken_u64, broken_barrier };
    const nw_diff2_opts o = diff2_options();
    const float row[2] = { 0.5f, 0.5f };
    size_t failures = 0;
    for (size_t n = 0; n < 20; n++) {
        nw_error err;
        nw_ledger *ledger = open_ledger(true, false);
        nw_rng *rng = diff2_seeded(5);
        nw_diff2 *d = diff2_make(2, NULL, &o);
        calls_left = n;
        nw_status status = nw_diff2_charge(d, &reduce, rng, ledger, "run", NULL, &err);
        const bool is_charged = status == NW_OK;
        if (is_charged) {
            assert_int_equal(nw_diff2_begin_round(d, NULL, NULL), NW_OK);
            assert_int_equal(nw_diff2_add_gradients(d, row, NULL, 1, 0, NULL), NW_OK);
            status = nw_diff2_step(d, &reduce, rng, NULL, &err);
        }
        if (status != NW_OK) {
            failures++;
            assert_int_equal(status, NW_E_IO);
            assert_true(nw_diff2_iterate(d)[0] == 0.0);
            assert_null(nw_diff2_partial(d));
            assert_int_equal(nw_diff2_begin_round(d, NULL, NULL), NW_E_STATE);
        }
        nw_diff2_free(d);
        nw_rng_free(rng);
        nw_ledger_close(ledger);
    }
    assert_int_equal(failures, 5); /* charge: state, receipt; step: state, sum, noisy sum; one process agrees with itself */
}

/* ---- bytes ---- */

static nw_diff2 *open_round(double step, const nw_diff2_opts *o)
{
    const double mean[3] = { step, 0.0, 0.0 };
    nw_diff2 *d = diff2_opened(3, NULL, o);
    diff2_move(d, mean);
    assert_int_equal(nw_diff2_begin_round(d, NULL, NULL), NW_OK);
    return d;
}

static void partial_bytes__add_up(void **state)
{
    (void)state;
    const nw_diff2_opts o = diff2_options();
    const float now[6] = { 0.5f, 0.25f, 0.0f, -1.0f, 9.0f, 3.0f }, before[6] = { 0.0f };
    nw_diff2 *whole = open_round(1.0, &o), *a = open_round(1.0, &o), *b = open_round(1.0, &o);
    uint8_t *bytes = NULL, *again = NULL;
    size_t n = 0, m = 0;
    assert_int_equal(nw_diff2_add_gradients(whole, now, before, 2, 0, NULL), NW_OK);
    assert_int_equal(nw_diff2_add_gradients(a, now, before, 1, 0, NULL), NW_OK);
    assert_int_equal(nw_diff2_add_gradients(b, now + 3, before, 1, 0, NULL), NW_OK);
    assert_int_equal(nw_diff2_partial_to_bytes(b, &bytes, &n, NULL), NW_OK);
    assert_int_equal(n, 32 + 3 * 8 + 16);
    assert_int_equal(nw_diff2_partial_add_bytes(a, bytes, n, NULL), NW_OK);
    assert_memory_equal(nw_diff2_partial(whole), nw_diff2_partial(a), 3 * sizeof(int64_t));
    assert_int_equal(nw_diff2_partial_to_bytes(b, &again, &m, NULL), NW_OK);
    assert_true(m == n && memcmp(bytes, again, n) == 0);
    nw_diff2_bytes_free(bytes, n);
    nw_diff2_bytes_free(again, m);
    nw_diff2_free(whole);
    nw_diff2_free(a);
    nw_diff2_free(b);
}

/* Every altered byte, every cut, and sums of other rounds, iterates or options. */
static void partial_bytes__of_anything_else_are_refused(void **state)
{
    (void)state;
    nw_diff2_opts o = diff2_options(), other = diff2_options();
    nw_diff2 *d = open_round(1.0, &o);
    uint8_t *bytes = NULL;
    size_t n = 0;
    other.clip_difference = 0.25;
    nw_diff2 *strangers[2] = { open_round(0.5, &o), open_round(1.0, &other) };
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(nw_diff2_partial_to_bytes(strangers[i], &bytes, &n, NULL), NW_OK);
        nw_diff2 *fresh = open_round(1.0, &o);
        assert_int_equal(nw_diff2_partial_add_bytes(fresh, bytes, n, NULL), NW_E_ARG);
        nw_diff2_free(fresh);
        nw_diff2_bytes_free(bytes, n);
        nw_diff2_free(strangers[i]);
    }
    assert_int_equal(nw_diff2_partial_to_bytes(d, &bytes, &n, NULL), NW_OK);
    for (size_t i = 0; i < n; i++) {
        bytes[i] ^= 1;
        assert_int_equal(nw_diff2_partial_add_bytes(d, bytes, n, NULL), i >= 4 && i < 8 ? NW_E_UNSUPPORTED : NW_E_FORMAT);
        bytes[i] ^= 1;
        assert_int_equal(nw_diff2_partial_add_bytes(d, bytes, i, NULL), NW_E_FORMAT);
    }
    assert_int_equal(nw_diff2_partial_add_bytes(d, NULL, n, NULL), NW_E_ARG);
    assert_int_equal(nw_diff2_partial_to_bytes(d, &bytes, NULL, NULL), NW_E_ARG);
    for (size_t j = 0; j < 3; j++)
        assert_true(nw_diff2_partial(d)[j] == 0);
    nw_diff2_bytes_free(bytes, n);
    nw_diff2_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes__hold_the_same_bytes),
        cmocka_unit_test(processes__draw_noise_once),
        cmocka_unit_test(processes__fail_together),
        cmocka_unit_test(processes__must_have_one_dimension),
        cmocka_unit_test(processes__all_tell_that_the_ledger_refused),
        cmocka_unit_test(reduce__errors_end_the_run),
        cmocka_unit_test(partial_bytes__add_up),
        cmocka_unit_test(partial_bytes__of_anything_else_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
