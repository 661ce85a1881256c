/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_together.c - steps and runs of several processes, as a team of threads, each with handles of its own: the bits of one
 * process, and errors that reach all. No assertion is made in a thread of the team. */
#include "network_support.h"
#include "team.h"

#include <nw/train.h>
#include <noisewright.h>

#include <stdio.h>
#include <unistd.h>

/* clang's OpenMP keeps what it makes for threads that are not its own; read by the leak sanitizer. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libomp";
}

enum { MOST = 5, BATCH = 1300, EXPECTED = 1250 };
static const size_t sizes[] = { 1, 2, 3, MOST };

/* ---- one step ---- */

typedef struct step_case {
    const char *json;
    double quantile;
    size_t micro_batch;
    bool is_difference;
} step_case;

typedef struct answer {
    nw_status status;
    nw_error err;
    double clip_norm;
    float *values;
    size_t n;
} answer;

static nw_status make_step(const step_case *c, const nw_reduce *reduce, nw_network **net, nw_dpsgd **dpsgd, nw_error *err)
{
    nw_network_opts shape = NW_NETWORK_OPTS_INIT;
    nw_dpsgd_opts o = NW_DPSGD_OPTS_INIT;
    nw_rng *rng = NULL;
    shape.threads = 1;
    shape.has_differences = c->is_difference;
    o.clip_norm = 0.3;
    o.noise_multiplier = 1.5;
    o.adjacency = NW_ADD_REMOVE;
    o.expected_batch = EXPECTED;
    o.micro_batch = c->micro_batch;
    o.quantile = c->quantile;
    o.is_stepwise = c->is_difference;
    o.reduce = reduce;
    nw_status status = nw_rng_new_insecure_seeded(&rng, 3, err);
    if (status == NW_OK)
        status = nw_network_new(net, c->json, &shape, err);
    if (status == NW_OK)
        status = nw_network_initialise(*net, rng, err);
    if (status == NW_OK)
        status = nw_dpsgd_new(dpsgd, &o, err);
    if (status == NW_OK)
        status = nw_network_register(*net, *dpsgd, err);
    nw_rng_free(rng);
    return status;
}

static nw_status add_part(
    const step_case *c, nw_network *net, nw_dpsgd *dpsgd, const nw_network_data *data, const uint32_t *indices, nw_error *err)
{
    size_t first = 0;
    size_t count = 0;
    nw_dpsgd_part(dpsgd, BATCH, &first, &count);
    if (!c->is_difference)
        return nw_network_step_batch(net, dpsgd, data, indices + first, count, NULL, err);
    float *moved[16];
    nw_status status = NW_OK;
    for (size_t i = 0; i < nw_network_parameters(net); i++) {
        const nw_network_parameter p = nw_network_get_parameter(net, i);
        moved[i] = malloc(p.rows * p.cols * sizeof *moved[i]);
        for (size_t j = 0; j < p.rows * p.cols; j++)
            moved[i][j] = p.values[j] + 0.01F * (float)(j % 7) - 0.02F;
    }
    status = nw_network_step_difference(net, (const float *const *)moved, dpsgd, data, indices + first, count, err);
    for (size_t i = 0; i < nw_network_parameters(net); i++)
        free(moved[i]);
    return status;
}

/* Two steps, so that the clip norm that has moved counts; `failing`: the process that gives up in the second one. */
static void run_steps(const step_case *c, const nw_reduce *reduce, size_t failing, const records *data, answer *out)
{
    nw_network *net = NULL;
    nw_dpsgd *dpsgd = NULL;
    nw_rng *rng = NULL;
    uint32_t indices[BATCH];
    const size_t rank = reduce == NULL ? 0 : reduce->rank;
    for (uint32_t i = 0; i < BATCH; i++)
        indices[i] = (7 * i + 3) % BATCH;
    out->status = make_step(c, reduce, &net, &dpsgd, &out->err);
    if (out->status == NW_OK && rank == 0)
        out->status = nw_rng_new_insecure_seeded(&rng, 11, &out->err);
    for (int step = 0; step < 2 && out->status == NW_OK; step++) {
        if (c->is_difference)
            out->status = nw_dpsgd_set_step(dpsgd, 0.02, step == 0 ? 3.0 : 1.0, &out->err);
        if (out->status == NW_OK)
            out->status = nw_dpsgd_begin_step(dpsgd, rng, &out->err);
        if (out->status == NW_OK)
            out->status = add_part(c, net, dpsgd, &data->data, indices, &out->err);
        if (out->status == NW_OK && step == 1 && rank == failing) {
            snprintf(out->err.message, sizeof out->err.message, "process %zu gives up", rank);
            out->status = NW_E_FORMAT;
        }
        out->status = out->status == NW_OK ? nw_dpsgd_finish_step(dpsgd, NULL, &out->err)
                                           : nw_dpsgd_abandon_step(dpsgd, out->status, &out->err);
    }
    if (net != NULL && dpsgd != NULL && nw_network_gradients(net) != NULL) {
        nw_network_shape shape;
        nw_network_get_shape(net, &shape);
        out->n = shape.parameters;
        out->values = calloc(out->n, sizeof *out->values);
        memcpy(out->values, nw_network_gradients(net)[0], out->n * sizeof *out->values); /* one after the other */
        out->clip_norm = nw_dpsgd_clip_norm(dpsgd);
    }
    nw_rng_free(rng);
    nw_dpsgd_free(dpsgd);
    nw_network_free(net);
}

typedef struct step_team {
    const step_case *c;
    size_t failing;
    const records *data;
    answer *out;
} step_team;

static void steps_of_member(team_member *m)
{
    const step_team *t = m->context;
    run_steps(t->c, &m->reduce, t->failing, t->data, &t->out[m->reduce.rank]);
}

static void run_team(const step_case *c, size_t size, size_t failing, const records *data, answer *out)
{
    bool is_whole = false;
    step_team t = { c, failing, data, out };
    (void)team_run(size, steps_of_member, &t, 0, TEAM_NEVER, &is_whole);
    assert_true(is_whole);
}

static void free_answers(answer *answers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(answers[i].values);
}

static records data_for(const char *json)
{
    nw_network *net = new_network(json, NULL, 1);
    records data = new_records(net, BATCH, 1, 5);
    nw_network_free(net);
    return data;
}

static void check_step(const step_case *c, const char *name)
{
    records data = data_for(c->json);
    answer alone = { 0 };
    run_steps(c, NULL, MOST, &data, &alone);
    if (alone.status != NW_OK)
        fail_msg("%s: %s", name, alone.err.message);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        answer answers[MOST] = { 0 };
        run_team(c, sizes[k], MOST, &data, answers);
        for (size_t rank = 0; rank < sizes[k]; rank++) {
            if (answers[rank].status != NW_OK)
                fail_msg("%s, process %zu of %zu: %s", name, rank, sizes[k], answers[rank].err.message);
            assert_true(answers[rank].n == alone.n && answers[rank].clip_norm == alone.clip_norm);
            if (memcmp(answers[rank].values, alone.values, alone.n * sizeof *alone.values) != 0)
                fail_msg("%s: process %zu of %zu has other bits", name, rank, sizes[k]);
        }
        free_answers(answers, sizes[k]);
    }
    free(alone.values);
    free_records(&data);
}

static void finish_step__gives_all_processes_the_bits_of_one(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MODELS; m++) {
        const step_case c = { MODELS[m].json, 0.0, m % 2 == 0 ? 0 : 512, false };
        check_step(&c, MODELS[m].name);
    }
    check_step(&(step_case){ MODELS[0].json, 0.6, 256, false }, "quantile");
    check_step(&(step_case){ MODELS[0].json, 0.0, 100, false }, "micro-batches of 100"); /* groups end with them */
    check_step(&(step_case){ MODELS[0].json, 0.0, 0, true }, "differences");
}

static void finish_step__fails_in_all_processes_if_it_does_in_one(void **state)
{
    (void)state;
    const step_case c = { MODELS[0].json, 0.0, 0, false };
    records data = data_for(c.json);
    for (size_t failing = 0; failing < 3; failing++) {
        char wanted[40];
        answer answers[3] = { 0 };
        snprintf(wanted, sizeof wanted, "process %zu gives up", failing);
        run_team(&c, 3, failing, &data, answers);
        for (size_t rank = 0; rank < 3; rank++) {
            assert_int_equal(answers[rank].status, NW_E_FORMAT);
            assert_string_equal(answers[rank].err.message, wanted);
            for (size_t j = 0; j < answers[rank].n; j++)
                assert_true(answers[rank].values[j] == 0.0F);
        }
        free_answers(answers, 3);
    }
    free_records(&data);
}

static void part__shares_out_whole_groups(void **state)
{
    (void)state;
    for (size_t size = 1; size < 9; size++)
        for (size_t n = 0; n < 3000; n += 1 + n / 9) {
            size_t next = 0;
            for (size_t rank = 0; rank < size; rank++) {
                const nw_reduce reduce = { .rank = rank, .size = size };
                const step_case c = { MODELS[0].json, 0.0, 0, false };
                static nw_network *net;
                static nw_dpsgd *dpsgd;
                nw_error err = { 0 };
                size_t first = 0;
                size_t count = 0;
                assert_int_equal(make_step(&c, &reduce, &net, &dpsgd, &err), NW_OK);
                nw_dpsgd_part(dpsgd, n, &first, &count);
                assert_true(first == next && first + count <= n);
                assert_true(first % 256 == 0 || first == n);
                next = first + count;
                nw_dpsgd_free(dpsgd);
                nw_network_free(net);
            }
            assert_true(next == n);
        }
}

static void abandon_step__ends_a_step(void **state)
{
    (void)state;
    const step_case c = { MODELS[0].json, 0.0, 0, false };
    nw_network *net = NULL;
    nw_dpsgd *dpsgd = NULL;
    nw_rng *rng = NULL;
    nw_error err = { 0 };
    assert_int_equal(make_step(&c, NULL, &net, &dpsgd, &err), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 1, NULL), NW_OK);
    assert_int_equal(nw_dpsgd_begin_step(dpsgd, rng, &err), NW_OK);
    assert_int_equal(nw_dpsgd_abandon_step(dpsgd, NW_OK, &err), NW_E_ARG);
    assert_int_equal(nw_dpsgd_abandon_step(dpsgd, NW_E_IO, &err), NW_E_IO);
    assert_true(nw_dpsgd_gradient(dpsgd, 0)[0] == 0.0F);
    assert_int_equal(nw_dpsgd_begin_step(dpsgd, rng, &err), NW_OK); /* and the next one may begin */
    nw_rng_free(rng);
    nw_dpsgd_free(dpsgd);
    nw_network_free(net);
}

/* ---- runs ---- */

enum { RECORDS = 2600, INPUTS = 3, STEPS = 6, PARAMETERS = 21 };
static const char MODEL[] =
    "{\"input\": {\"floats\": 3}, \"layers\": [{\"type\": \"linear\", \"outputs\": 4}, {\"type\": \"tanh\"}, "
    "{\"type\": \"linear\", \"outputs\": 1}], \"loss\": \"logistic\"}";
static char checkpoint[64];

typedef struct feed {
    float values[RECORDS * INPUTS];
    int32_t classes[RECORDS];
    size_t calls;
    size_t failing_call;  /* 0: none */
    nw_reduce_team *left; /* leaves the team in place of failing */
} feed;

static nw_status fetch(void *context, const uint32_t *indices, size_t n, nw_network_data *data, nw_error *err)
{
    feed *f = context;
    if (++f->calls == f->failing_call) {
        if (f->left != NULL)
            nw_reduce_team_leave(f->left);
        *err = (nw_error){ .status = NW_E_IO };
        snprintf(err->message, sizeof err->message, "the disk is gone");
        return NW_E_IO;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < INPUTS; k++)
            f->values[i * INPUTS + k] = (float)((indices[i] * (7 + 4 * k)) % 13) / 6.0F - 1.0F;
        f->classes[i] = indices[i] % 13 < 6;
    }
    *data = (nw_network_data){ .values = f->values, .classes = f->classes, .copies = 1 };
    return NW_OK;
}

typedef struct run_case {
    nw_train_noise noise;
    nw_batches_kind sampling;
    double quantile;
    bool has_checkpoint;
    bool is_resumed;
    uint64_t stop;       /* of process 0: after this step; 0: never */
    size_t failing;      /* process */
    size_t failing_call; /* of its fetches; 0: none */
    bool is_killed;      /* rather than failing */
    size_t differing;    /* process of another clip norm */
} run_case;

typedef struct result {
    nw_status status;
    nw_error err;
    float values[PARAMETERS];
    nw_receipt receipt;
    uint64_t lost;
    uint64_t charges;
} result;

static bool go_on(void *context, uint64_t step)
{
    const run_case *c = context;
    return c->stop == 0 || step < c->stop;
}

static nw_status charge_run(nw_train *train, nw_rng *rng, nw_ledger **ledger, result *out)
{
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    o.epsilon = 60.0;
    o.delta = 1e-5;
    o.adjacency = NW_REPLACE_ONE;
    o.schedule = nw_train_event(train);
    const nw_status status = rng == NULL ? NW_OK : nw_ledger_memory(ledger, &o, &out->err);
    return status != NW_OK ? status : nw_train_charge(train, *ledger, "a run", rng, &out->receipt, &out->err);
}

static nw_status make_run(const run_case *c, const nw_reduce *reduce, nw_network *net, nw_train **train, nw_error *err)
{
    nw_optimizer_opts optimizer = NW_OPTIMIZER_OPTS_INIT;
    nw_train_opts o = NW_TRAIN_OPTS_INIT;
    optimizer.learning_rate = 0.5;
    optimizer.momentum = 0.9;
    optimizer.average = 0.9;
    o.noise_multiplier = 2.0;
    o.delta = 1e-5;
    o.adjacency = NW_REPLACE_ONE;
    o.batch = RECORDS / 2.0;
    o.steps = STEPS;
    o.clip_norm = reduce != NULL && c->differing > 0 && reduce->rank == c->differing ? 0.7 : 1.0;
    o.optimizer = &optimizer;
    o.noise = c->noise;
    o.sampling = c->sampling;
    o.quantile = c->quantile;
    o.checkpoint = c->has_checkpoint ? checkpoint : NULL;
    o.reduce = reduce;
    return nw_train_new(train, net, RECORDS, &o, err);
}

static void run_one(const run_case *c, const nw_reduce *reduce, nw_reduce_team *team, result *out)
{
    const size_t rank = reduce == NULL ? 0 : reduce->rank;
    nw_network *net = NULL;
    nw_train *train = NULL;
    nw_rng *rng = NULL;
    nw_rng *weights = NULL;
    nw_ledger *ledger = NULL;
    nw_ledger_summary summary;
    feed *f = calloc(1, sizeof *f);
    f->failing_call = rank == c->failing ? c->failing_call : 0;
    f->left = c->is_killed ? team : NULL;
    const nw_train_source source = { fetch, f };
    nw_status status = nw_network_new(&net, MODEL, NULL, &out->err);
    if (status == NW_OK) /* first weights of its own: those of process 0 count */
        status = nw_rng_new_insecure_seeded(&weights, rank, &out->err);
    if (status == NW_OK)
        status = nw_network_initialise(net, weights, &out->err);
    if (status == NW_OK && rank == 0)
        status = nw_rng_new_insecure_seeded(&rng, 9, &out->err);
    if (status == NW_OK)
        status = make_run(c, reduce, net, &train, &out->err);
    if (status == NW_OK)
        status = c->is_resumed ? nw_train_resume(train, &out->receipt, &out->err) : charge_run(train, rng, &ledger, out);
    if (status == NW_OK)
        status = nw_train_run(train, &source, rng, go_on, (void *)c, &out->err);
    if (train != NULL)
        out->lost = nw_train_lost_steps(train);
    if (status == NW_OK)
        status = nw_train_settle(train, ledger, NULL, &out->err);
    for (size_t i = 0, at = 0; net != NULL && i < nw_network_parameters(net); i++) {
        const nw_network_parameter p = nw_network_get_parameter(net, i);
        memcpy(out->values + at, p.values, p.rows * p.cols * sizeof *p.values);
        at += p.rows * p.cols;
    }
    if (ledger != NULL && nw_ledger_summarise(ledger, &summary, NULL) == NW_OK)
        out->charges = summary.charges;
    out->status = status;
    if (status != NW_OK && team != NULL)
        nw_reduce_team_leave(team); /* whatever went wrong, nobody waits */
    nw_train_free(train);
    nw_network_free(net);
    nw_rng_free(rng);
    nw_rng_free(weights);
    nw_ledger_close(ledger);
    free(f);
}

typedef struct run_team_of {
    const run_case *c;
    result *out;
} run_team_of;

static void run_of_member(team_member *m)
{
    const run_team_of *t = m->context;
    run_one(t->c, &m->reduce, m->team, &t->out[m->reduce.rank]);
}

static void run_all(const run_case *c, size_t size, result *out)
{
    bool is_whole = false;
    run_team_of t = { c, out };
    (void)team_run(size, run_of_member, &t, 0, TEAM_NEVER, &is_whole);
    assert_true(is_whole);
}

static const run_case PLAIN = { .noise = NW_TRAIN_INDEPENDENT, .sampling = NW_BATCHES_POISSON };

static void check_run(const run_case *c, const char *name)
{
    result alone = { 0 };
    run_one(c, NULL, NULL, &alone);
    if (alone.status != NW_OK)
        fail_msg("%s: %s", name, alone.err.message);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        result results[MOST] = { 0 };
        run_all(c, sizes[k], results);
        for (size_t rank = 0; rank < sizes[k]; rank++) {
            if (results[rank].status != NW_OK)
                fail_msg("%s, process %zu of %zu: %s", name, rank, sizes[k], results[rank].err.message);
            if (memcmp(results[rank].values, alone.values, sizeof alone.values) != 0)
                fail_msg("%s: process %zu of %zu has other weights", name, rank, sizes[k]);
            assert_memory_equal(&results[rank].receipt.head, &results[0].receipt.head, sizeof results[0].receipt.head);
        }
        assert_int_equal(results[0].charges, 1);
    }
}

static void train_run__ends_with_the_weights_of_one_process(void **state)
{
    (void)state;
    run_case c = PLAIN;
    check_run(&c, "poisson");
    c.quantile = 0.5;
    c.has_checkpoint = true;
    check_run(&c, "quantile, with a checkpoint");
    assert_true(access(checkpoint, F_OK) != 0);
    c = (run_case){ .noise = NW_TRAIN_INDEPENDENT, .sampling = NW_BATCHES_SHUFFLED };
    check_run(&c, "shuffled");
    c = (run_case){ .noise = NW_TRAIN_INDEPENDENT, .sampling = NW_BATCHES_FIXED_SIZE };
    check_run(&c, "fixed size");
    c = (run_case){ .noise = NW_TRAIN_INDEPENDENT, .sampling = NW_BATCHES_FULL };
    check_run(&c, "full");
    c = (run_case){ .noise = NW_TRAIN_TREE, .sampling = NW_BATCHES_CYCLIC };
    check_run(&c, "tree");
}

static void train_run__stopped_by_process_0_goes_on_with_any_number(void **state)
{
    (void)state;
    run_case c = PLAIN;
    result whole = { 0 };
    result results[3] = { 0 };
    run_one(&c, NULL, NULL, &whole);
    c.has_checkpoint = true;
    c.stop = 2;
    run_all(&c, 3, results);
    for (size_t rank = 0; rank < 3; rank++)
        assert_int_equal(results[rank].status, NW_E_CANCELLED);
    c.is_resumed = true;
    c.stop = 4;
    run_all(&c, 2, results);
    for (size_t rank = 0; rank < 2; rank++) {
        assert_int_equal(results[rank].status, NW_E_CANCELLED);
        assert_int_equal(results[rank].lost, 0);
    }
    c.stop = 0;
    run_one(&c, NULL, NULL, &results[2]);
    assert_int_equal(results[2].status, NW_OK);
    assert_memory_equal(results[2].values, whole.values, sizeof whole.values);
}

/* One process cannot read its records, or is gone, in its third step: no weights come out, the charge stays, and the checkpoint
 * goes on behind what may have been drawn. */
static void train_run__fails_in_all_processes_if_it_does_in_one(void **state)
{
    (void)state;
    for (size_t failing = 0; failing < 3; failing++)
        for (int killed = 0; killed < 2; killed++) {
            run_case c = PLAIN;
            result results[3] = { 0 };
            c.has_checkpoint = true;
            c.failing = failing;
            c.failing_call = 3;
            c.is_killed = killed != 0;
            run_all(&c, 3, results);
            for (size_t rank = 0; rank < 3; rank++) {
                assert_int_equal(results[rank].status, NW_E_IO);
                assert_true(killed || strcmp(results[rank].err.message, "the disk is gone") == 0);
            }
            assert_int_equal(results[0].charges, 1);
            c.failing_call = 0;
            c.is_resumed = true;
            run_all(&c, 3, results);
            for (size_t rank = 0; rank < 3; rank++) {
                if (results[rank].status != NW_OK)
                    fail_msg("resumed: %s", results[rank].err.message);
                assert_true(results[rank].lost >= 1); /* the step that was drawn is not drawn again */
                assert_memory_equal(results[rank].values, results[0].values, sizeof results[0].values);
            }
        }
}

static void train_run__refuses_processes_of_different_runs(void **state)
{
    (void)state;
    run_case c = PLAIN;
    result results[3] = { 0 };
    c.differing = 2;
    run_all(&c, 3, results);
    for (size_t rank = 0; rank < 3; rank++) {
        assert_int_equal(results[rank].status, NW_E_STATE);
        assert_non_null(strstr(results[rank].err.message, "process 2 has a run of other options"));
    }
    assert_int_equal(results[0].charges, 0);
}

/* Process 0 has no checkpoint to take up, or its ledger refuses: all are told, and none waits. */
static void train_charge_and_resume__tell_all_what_process_0_met(void **state)
{
    (void)state;
    run_case c = PLAIN;
    result results[3] = { 0 };
    c.has_checkpoint = true;
    c.is_resumed = true;
    run_all(&c, 3, results);
    for (size_t rank = 0; rank < 3; rank++) {
        assert_int_equal(results[rank].status, NW_E_IO);
        assert_non_null(strstr(results[rank].err.message, checkpoint));
    }
}

static int set_up(void **state)
{
    (void)state;
    snprintf(checkpoint, sizeof checkpoint, "together-%d.checkpoint", (int)getpid());
    unlink(checkpoint);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finish_step__gives_all_processes_the_bits_of_one),
        cmocka_unit_test(finish_step__fails_in_all_processes_if_it_does_in_one),
        cmocka_unit_test(part__shares_out_whole_groups),
        cmocka_unit_test(abandon_step__ends_a_step),
        cmocka_unit_test_setup(train_run__ends_with_the_weights_of_one_process, set_up),
        cmocka_unit_test_setup(train_run__stopped_by_process_0_goes_on_with_any_number, set_up),
        cmocka_unit_test_setup(train_run__fails_in_all_processes_if_it_does_in_one, set_up),
        cmocka_unit_test_setup(train_run__refuses_processes_of_different_runs, set_up),
        cmocka_unit_test_setup(train_charge_and_resume__tell_all_what_process_0_met, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
