/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_train.c - runs: noise against closed forms, charges, and interruptions at every point, which neither charge again nor
 * draw a step again. */
#include <noisewright.h>
#include <nw/testing.h>
#include <nw/train.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { RECORDS = 200, INPUTS = 3, STEPS = 24, BODY = 2048 };
static const char MODEL[] = "{\"input\": {\"floats\": 3}, \"layers\": [{\"type\": \"linear\", \"outputs\": 1}], "
                            "\"loss\": \"logistic\"}";
static char checkpoint[64];
static char copy[64];

static void assert_near(double x, double wanted, double relative)
{
    if (!(fabs(x - wanted) <= relative * fabs(wanted)))
        fail_msg("is %.12g, must be %.12g", x, wanted);
}

/* ---- records ---- */

typedef struct records {
    float values[RECORDS * INPUTS];
    int32_t classes[RECORDS];
    float batch_values[RECORDS * INPUTS];
    int32_t batch_classes[RECORDS];
    size_t fetched;
} records;

static records *make_records(void)
{
    records *r = calloc(1, sizeof *r);
    assert_non_null(r);
    for (int i = 0; i < RECORDS; i++) {
        for (int k = 0; k < INPUTS; k++)
            r->values[i * INPUTS + k] = (float)((i * (7 + 4 * k)) % 13 - 6) / 6.0F;
        r->classes[i] = r->values[i * INPUTS] > 0.0F;
    }
    return r;
}

static nw_status fetch(void *context, const uint32_t *indices, size_t n, nw_network_data *data, nw_error *err)
{
    records *r = context;
    (void)err;
    for (size_t i = 0; i < n; i++) {
        memcpy(r->batch_values + i * INPUTS, r->values + indices[i] * INPUTS, INPUTS * sizeof(float));
        r->batch_classes[i] = r->classes[indices[i]];
    }
    r->fetched += n;
    *data = (nw_network_data){ .values = r->batch_values, .classes = r->batch_classes, .copies = 1 };
    return NW_OK;
}

/* ---- runs ---- */

typedef struct run {
    nw_network *net;
    nw_train *train;
    nw_rng *rng;
    nw_ledger *ledger;
    records *data;
    nw_train_source source;
} run;

static nw_train_opts options(void)
{
    static nw_optimizer_opts optimizer = NW_OPTIMIZER_OPTS_INIT;
    nw_train_opts o = NW_TRAIN_OPTS_INIT;
    optimizer.learning_rate = 0.5;
    optimizer.momentum = 0.9;
    optimizer.average = 0.9;
    o.noise_multiplier = 2.0; /* not calibrated each time */
    o.delta = 1e-5;
    o.adjacency = NW_ADD_REMOVE;
    o.batch = 40.0;
    o.steps = STEPS;
    o.clip_norm = 1.0;
    o.optimizer = &optimizer;
    return o;
}

static nw_train_opts calibrated(void)
{
    nw_train_opts o = options();
    o.noise_multiplier = 0.0;
    o.epsilon = 2.0;
    return o;
}

static run begin(const nw_train_opts *o, uint64_t seed)
{
    run r = { .data = make_records() };
    nw_error err;
    r.source = (nw_train_source){ fetch, r.data };
    assert_int_equal(nw_rng_new_insecure_seeded(&r.rng, seed, NULL), NW_OK);
    assert_int_equal(nw_network_new(&r.net, MODEL, NULL, NULL), NW_OK);
    assert_int_equal(nw_network_initialise(r.net, r.rng, NULL), NW_OK);
    if (nw_train_new(&r.train, r.net, RECORDS, o, &err) != NW_OK)
        fail_msg("%s: %s", err.function, err.message);
    return r;
}

static void end(run *r)
{
    nw_train_free(r->train);
    nw_network_free(r->net);
    nw_rng_free(r->rng);
    nw_ledger_close(r->ledger);
    free(r->data);
}

/* A ledger in memory with the run as its schedule, charged. */
static void charge(run *r)
{
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    nw_error err;
    o.epsilon = 60.0;
    o.delta = 1e-5;
    o.adjacency = NW_ADD_REMOVE;
    o.schedule = nw_train_event(r->train);
    if (nw_ledger_memory(&r->ledger, &o, &err) != NW_OK ||
        nw_train_charge(r->train, r->ledger, "a run", r->rng, NULL, &err) != NW_OK)
        fail_msg("%s: %s", err.function, err.message);
}

static bool stop_at(void *context, uint64_t step)
{
    return step < *(const uint64_t *)context;
}

static void go(run *r)
{
    nw_error err;
    if (nw_train_run(r->train, &r->source, r->rng, NULL, NULL, &err) != NW_OK)
        fail_msg("%s: %s", err.function, err.message);
}

static void weights_of(const run *r, float out[INPUTS + 1])
{
    float *const *values = nw_network_values(r->net);
    memcpy(out, values[0], INPUTS * sizeof(float));
    out[INPUTS] = values[1][0];
}

static void copy_file(const char *from, const char *to)
{
    char block[65536];
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(to, "wb");
    assert_non_null(in);
    assert_non_null(out);
    const size_t n = fread(block, 1, sizeof block, in);
    assert_true(n > 0 && n < sizeof block);
    assert_int_equal(fwrite(block, 1, n, out), n);
    fclose(in);
    fclose(out);
}

/* ---- noise ---- */

static void train_new__noise_is_that_of_closed_forms(void **state)
{
    (void)state;
    double wanted = 0.0;
    nw_train_opts o = calibrated();
    o.sampling = NW_BATCHES_FULL;
    run r = begin(&o, 1);
    assert_int_equal(
        nw_calibrate_gaussian(&wanted, o.epsilon, o.delta, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, STEPS, NW_ADD_REMOVE, NULL),
        NW_OK);
    assert_near(nw_train_noise_multiplier(r.train), wanted, 1e-5);
    end(&r);
    o.sampling = NW_BATCHES_SHUFFLED; /* five batches an epoch: five epochs begin */
    o.adjacency = NW_REPLACE_ONE;
    r = begin(&o, 1);
    assert_int_equal(
        nw_calibrate_gaussian(&wanted, o.epsilon, o.delta, (nw_sensitivity){ 1.0, NW_REPLACE_ONE }, 5, NW_REPLACE_ONE, NULL),
        NW_OK);
    assert_near(nw_train_noise_multiplier(r.train), wanted, 1e-5);
    end(&r);
}

static void train_spent__grows_to_the_target(void **state)
{
    (void)state;
    const nw_batches_kind samplings[] = { NW_BATCHES_POISSON, NW_BATCHES_CYCLIC, NW_BATCHES_CYCLIC, NW_BATCHES_CYCLIC };
    const nw_train_noise noises[] = { NW_TRAIN_INDEPENDENT, NW_TRAIN_INDEPENDENT, NW_TRAIN_TREE, NW_TRAIN_BANDED };
    for (size_t i = 0; i < 4; i++) {
        nw_train_opts o = calibrated();
        double before = 0.0;
        o.sampling = samplings[i];
        o.noise = noises[i];
        run r = begin(&o, 1);
        for (uint64_t steps = 0; steps <= STEPS; steps += STEPS / 4) {
            double epsilon = NAN;
            assert_int_equal(nw_train_spent(r.train, steps, &epsilon, NULL), NW_OK);
            assert_true(steps == 0 ? epsilon == 0.0 : epsilon >= before && epsilon > 0.0);
            before = epsilon;
        }
        assert_true(before <= o.epsilon && before > 0.999 * o.epsilon);
        assert_int_equal(nw_train_spent(r.train, STEPS + 1, &before, NULL), NW_E_ARG);
        end(&r);
    }
}

/* With next to no noise the three kinds take the same steps on the same batches. */
static void train_run__correlated_noise_cancels_no_gradient(void **state)
{
    (void)state;
    float weights[3][INPUTS + 1];
    for (int noise = NW_TRAIN_INDEPENDENT; noise <= NW_TRAIN_BANDED; noise++) {
        nw_train_opts o = options();
        o.noise_multiplier = 0x1p-10;
        o.sampling = NW_BATCHES_CYCLIC;
        o.noise = (nw_train_noise)noise;
        run r = begin(&o, 5);
        nw_ledger_opts l = NW_LEDGER_OPTS_INIT;
        l.delta = 1e-5;
        l.adjacency = NW_ADD_REMOVE;
        assert_int_equal(nw_ledger_unlimited(&r.ledger, &l, NULL), NW_OK);
        assert_int_equal(nw_train_charge(r.train, r.ledger, "a run", r.rng, NULL, NULL), NW_OK);
        go(&r);
        weights_of(&r, weights[noise - 1]);
        end(&r);
    }
    for (size_t k = 0; k <= INPUTS; k++) {
        assert_true(fabs((double)weights[0][k] - (double)weights[1][k]) < 5e-3);
        assert_true(fabs((double)weights[0][k] - (double)weights[2][k]) < 5e-3);
    }
    assert_true(weights[0][0] > 0.5F); /* and they lead somewhere */
}

/* A step without a record is a step: only noise. */
static void train_run__takes_empty_batches(void **state)
{
    (void)state;
    float before[INPUTS + 1];
    float after[INPUTS + 1];
    nw_train_opts o = options();
    o.batch = 1.0;
    o.public_records = 2000000000;
    run r = begin(&o, 6);
    charge(&r);
    weights_of(&r, before);
    go(&r);
    weights_of(&r, after);
    assert_int_equal(r.data->fetched, 0);
    assert_int_equal(nw_train_step(r.train), STEPS);
    assert_true(memcmp(before, after, sizeof before) != 0);
    end(&r);
}

/* ---- charges ---- */

static nw_ledger *filter_ledger(double epsilon)
{
    nw_ledger *ledger = NULL;
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    o.epsilon = epsilon;
    o.delta = 1.1e-5; /* a ledger sets a little aside */
    o.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_ledger_memory(&ledger, &o, NULL), NW_OK);
    return ledger;
}

static void train_settle__gives_back_steps_that_were_not_drawn(void **state)
{
    (void)state;
    const uint64_t stop = 6;
    nw_ledger_summary before;
    nw_ledger_summary after;
    nw_receipt receipt;
    nw_train_opts o = calibrated();
    o.sampling = NW_BATCHES_FULL;
    run r = begin(&o, 7);
    r.ledger = filter_ledger(2.1);
    assert_int_equal(nw_train_charge(r.train, r.ledger, "a run", r.rng, &receipt, NULL), NW_OK);
    assert_int_equal(receipt.steps, STEPS);
    assert_int_equal(nw_train_charge(r.train, r.ledger, "a run", r.rng, &receipt, NULL), NW_E_STATE);
    assert_int_equal(nw_ledger_summarise(r.ledger, &before, NULL), NW_OK);
    assert_int_equal(nw_train_run(r.train, &r.source, r.rng, stop_at, (void *)&stop, NULL), NW_E_CANCELLED);
    assert_int_equal(nw_train_settle(r.train, r.ledger, &receipt, NULL), NW_OK);
    assert_int_equal(receipt.steps, stop);
    assert_int_equal(nw_ledger_summarise(r.ledger, &after, NULL), NW_OK);
    assert_near(after.used_fraction, before.used_fraction * (double)stop / STEPS, 1e-6);
    assert_int_equal(nw_train_settle(r.train, r.ledger, &receipt, NULL), NW_E_STATE);
    assert_int_equal(nw_train_run(r.train, &r.source, r.rng, NULL, NULL, NULL), NW_E_STATE);
    end(&r);
}

static void train_charge__is_refused_over_the_budget(void **state)
{
    (void)state;
    nw_train_opts o = calibrated();
    o.sampling = NW_BATCHES_FULL;
    run r = begin(&o, 8);
    r.ledger = filter_ledger(1.9);
    assert_int_equal(nw_train_charge(r.train, r.ledger, "a run", r.rng, NULL, NULL), NW_E_BUDGET);
    assert_int_equal(nw_train_run(r.train, &r.source, r.rng, NULL, NULL, NULL), NW_E_STATE);
    assert_int_equal(r.data->fetched, 0);
    end(&r);
    o.sampling = NW_BATCHES_POISSON;
    r = begin(&o, 8);
    r.ledger = filter_ledger(8.0);
    assert_int_equal(nw_train_charge(r.train, r.ledger, "a run", r.rng, NULL, NULL), NW_E_UNSUPPORTED); /* not by mu */
    end(&r);
}

/* ---- interruptions ---- */

static void straight(nw_train_opts o, float weights[INPUTS + 1])
{
    o.checkpoint = NULL;
    run r = begin(&o, 9);
    charge(&r);
    go(&r);
    weights_of(&r, weights);
    end(&r);
}

/* Stopped after any step, taken up, stopped again: the same weights as if nothing had been. */
static void train_resume__goes_on_as_if_nothing_had_been(void **state)
{
    (void)state;
    const nw_batches_kind kinds[] = { NW_BATCHES_POISSON, NW_BATCHES_CYCLIC };
    for (size_t i = 0; i < 2; i++) {
        float wanted[INPUTS + 1];
        float weights[INPUTS + 1];
        nw_train_opts o = options();
        o.sampling = kinds[i];
        o.checkpoint = checkpoint;
        straight(o, wanted);
        for (uint64_t stop = 1; stop < STEPS; stop += 5) {
            nw_receipt charged;
            nw_receipt resumed;
            run r = begin(&o, 9);
            charge(&r);
            assert_int_equal(nw_train_run(r.train, &r.source, r.rng, stop_at, &stop, NULL), NW_E_CANCELLED);
            end(&r);
            r = begin(&o, 9);
            assert_int_equal(nw_train_resume(r.train, &charged, NULL), NW_OK);
            assert_int_equal(nw_train_step(r.train), stop);
            assert_int_equal(nw_train_lost_steps(r.train), 0);
            assert_int_equal(nw_train_resume(r.train, NULL, NULL), NW_E_STATE);
            go(&r);
            weights_of(&r, weights);
            assert_memory_equal(weights, wanted, sizeof wanted);
            assert_string_equal(charged.label, "a run");
            assert_int_equal(nw_train_settle(r.train, NULL, &resumed, NULL), NW_OK);
            assert_int_equal(access(checkpoint, F_OK), -1);
            end(&r);
        }
    }
}

typedef struct kill_at {
    uint64_t step;
    bool is_copied;
} kill_at;

/* Copies the checkpoint as a process that is killed now would leave it. */
static bool copy_at(void *context, uint64_t step)
{
    kill_at *k = context;
    if (step == k->step) {
        copy_file(checkpoint, copy);
        k->is_copied = true;
    }
    return true;
}

/* Whatever the moment, steps that were drawn are behind the one that comes next. */
static void train_resume__never_draws_a_step_again(void **state)
{
    (void)state;
    for (int noise = NW_TRAIN_INDEPENDENT; noise <= NW_TRAIN_BANDED; noise++) {
        for (uint64_t step = 1; step < STEPS; step += 4) {
            kill_at k = { step, false };
            nw_train_opts o = options();
            o.sampling = noise == NW_TRAIN_INDEPENDENT ? NW_BATCHES_POISSON : NW_BATCHES_CYCLIC;
            o.noise = (nw_train_noise)noise;
            o.checkpoint = checkpoint;
            o.checkpoint_seconds = 1e9; /* saved at the start only */
            run r = begin(&o, 10);
            charge(&r);
            assert_int_equal(nw_train_run(r.train, &r.source, r.rng, copy_at, &k, NULL), NW_OK);
            assert_true(k.is_copied);
            end(&r);
            copy_file(copy, checkpoint);
            r = begin(&o, 11);
            assert_int_equal(nw_train_resume(r.train, NULL, NULL), NW_OK);
            assert_true(nw_train_step(r.train) >= step);
            assert_int_equal(nw_train_lost_steps(r.train), nw_train_step(r.train));
            go(&r);
            assert_int_equal(nw_train_step(r.train), STEPS);
            end(&r);
        }
    }
}

/* Header, body and checksum, byte for byte; the space between them means nothing, but for the marks. */
static void train_resume__finds_what_was_altered(void **state)
{
    (void)state;
    const uint64_t stop = 3;
    nw_train_opts o = options();
    nw_error err;
    o.checkpoint = checkpoint;
    run r = begin(&o, 12);
    charge(&r);
    assert_int_equal(nw_train_run(r.train, &r.source, r.rng, stop_at, (void *)&stop, NULL), NW_E_CANCELLED);
    end(&r);
    copy_file(checkpoint, copy);
    struct stat info;
    assert_int_equal(stat(copy, &info), 0);
    r = begin(&o, 12);
    for (long at = 0; at < info.st_size; at += at < 48 || at >= BODY ? 3 : BODY - 48) {
        FILE *f = fopen(checkpoint, "r+b");
        assert_non_null(f);
        assert_int_equal(fseek(f, at, SEEK_SET), 0);
        const int byte = fgetc(f);
        assert_int_equal(fseek(f, at, SEEK_SET), 0);
        assert_true(fputc(byte ^ 0x10, f) != EOF);
        fclose(f);
        if (at < 48 || at >= BODY)
            assert_int_equal(nw_train_resume(r.train, NULL, &err), NW_E_FORMAT);
        copy_file(copy, checkpoint);
    }
    end(&r);
    assert_int_equal(truncate(checkpoint, info.st_size - 1), 0);
    r = begin(&o, 12);
    assert_int_equal(nw_train_resume(r.train, NULL, NULL), NW_E_FORMAT);
    end(&r);
    copy_file(copy, checkpoint);
    o.clip_norm = 2.0;
    r = begin(&o, 12);
    assert_int_equal(nw_train_resume(r.train, NULL, &err), NW_E_FORMAT);
    assert_non_null(strstr(err.message, "other options"));
    end(&r);
    unlink(checkpoint);
    r = begin(&o, 12);
    assert_int_equal(nw_train_resume(r.train, NULL, NULL), NW_E_IO);
    end(&r);
}

/* A mark that cannot be written stops the run before its step. */
static bool take_away(void *context, uint64_t step)
{
    if (step == *(const uint64_t *)context)
        unlink(checkpoint);
    return true;
}

static void train_run__draws_nothing_that_it_cannot_count(void **state)
{
    (void)state;
    const uint64_t step = 4;
    nw_train_opts o = options();
    o.checkpoint = checkpoint;
    o.checkpoint_seconds = 1e9;
    run r = begin(&o, 13);
    charge(&r);
    assert_int_equal(nw_train_run(r.train, &r.source, r.rng, take_away, (void *)&step, NULL), NW_E_IO);
    assert_true(nw_train_step(r.train) >= step && nw_train_step(r.train) < STEPS);
    end(&r);
    o.checkpoint = "/nowhere/at/all";
    r = begin(&o, 13);
    nw_ledger_opts l = NW_LEDGER_OPTS_INIT;
    l.delta = 1e-5;
    l.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_ledger_unlimited(&r.ledger, &l, NULL), NW_OK);
    assert_int_equal(nw_train_charge(r.train, r.ledger, "a run", r.rng, NULL, NULL), NW_E_IO);
    assert_int_equal(r.data->fetched, 0);
    end(&r);
}

/* ---- refused ---- */

static nw_status refuse(const nw_train_opts *o, nw_error *err)
{
    nw_network *net = NULL;
    nw_train *train = NULL;
    assert_int_equal(nw_network_new(&net, MODEL, NULL, NULL), NW_OK);
    const nw_status status = nw_train_new(&train, net, RECORDS, o, err);
    assert_null(train);
    nw_network_free(net);
    return status;
}

static void train_new__refuses_bad_options(void **state)
{
    (void)state;
    nw_error err;
    nw_train_opts o = options();
#define REFUSED(member, value)                                                                                                   \
    o = options();                                                                                                               \
    o.member = value;                                                                                                            \
    assert_int_equal(refuse(&o, &err), NW_E_ARG);                                                                                \
    assert_non_null(strstr(err.message, #member))
    o = options();
    o.noise_multiplier = 0.0;
    assert_int_equal(refuse(&o, &err), NW_E_ARG);
    assert_string_equal(err.message, "epsilon is 0, must be in (0, 1e6]");
    REFUSED(delta, 0.0);
    REFUSED(delta, 1.0);
    REFUSED(adjacency, NW_ADJACENCY_UNSET);
    REFUSED(noise_multiplier, -1.0);
    REFUSED(batch, 0.0);
    REFUSED(batch, RECORDS + 1.0);
    REFUSED(steps, 0);
    REFUSED(sampling, (nw_batches_kind)9);
    REFUSED(noise, (nw_train_noise)9);
    REFUSED(clip_norm, 0.0);
    REFUSED(optimizer, NULL);
    REFUSED(checkpoint_seconds, -1.0);
    REFUSED(checkpoint, "run.checkpoint.gz");
    REFUSED(public_records, 100); /* half of them */
    o = options();
    o.noise = NW_TRAIN_TREE;
    assert_int_equal(refuse(&o, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "CYCLIC"));
    o.sampling = NW_BATCHES_CYCLIC;
    o.quantile = 0.5;
    assert_int_equal(refuse(&o, &err), NW_E_ARG);
    assert_int_equal(nw_train_new(NULL, NULL, RECORDS, &o, NULL), NW_E_ARG);
}

static nw_status look_at(void *context, nw_network *net, nw_error *err)
{
    (void)err;
    memcpy(context, nw_network_values(net)[0], INPUTS * sizeof(float));
    return NW_OK;
}

/* What is looked at on the way is the average; afterwards it is what the network holds. */
static void train_look__shows_averaged_weights(void **state)
{
    (void)state;
    float seen[2][INPUTS];
    float weights[INPUTS + 1];
    const uint64_t stop = 5;
    const nw_train_opts o = options();
    run r = begin(&o, 14);
    charge(&r);
    assert_int_equal(nw_train_run(r.train, &r.source, r.rng, stop_at, (void *)&stop, NULL), NW_E_CANCELLED);
    assert_int_equal(nw_train_look(r.train, look_at, seen[0], NULL), NW_OK);
    weights_of(&r, weights);
    assert_true(memcmp(seen[0], weights, sizeof seen[0]) != 0);
    assert_int_equal(nw_train_look(r.train, look_at, seen[1], NULL), NW_OK);
    assert_memory_equal(seen[0], seen[1], sizeof seen[0]);
    go(&r);
    weights_of(&r, weights);
    assert_int_equal(nw_train_look(r.train, look_at, seen[0], NULL), NW_OK);
    assert_memory_equal(seen[0], weights, sizeof seen[0]);
    end(&r);
}

static int remove_files(void **state)
{
    (void)state;
    unlink(checkpoint);
    unlink(copy);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(train_new__noise_is_that_of_closed_forms),
        cmocka_unit_test(train_spent__grows_to_the_target),
        cmocka_unit_test(train_run__correlated_noise_cancels_no_gradient),
        cmocka_unit_test(train_run__takes_empty_batches),
        cmocka_unit_test(train_settle__gives_back_steps_that_were_not_drawn),
        cmocka_unit_test(train_charge__is_refused_over_the_budget),
        cmocka_unit_test(train_resume__goes_on_as_if_nothing_had_been),
        cmocka_unit_test(train_resume__never_draws_a_step_again),
        cmocka_unit_test(train_resume__finds_what_was_altered),
        cmocka_unit_test(train_run__draws_nothing_that_it_cannot_count),
        cmocka_unit_test(train_new__refuses_bad_options),
        cmocka_unit_test(train_look__shows_averaged_weights),
    };
    snprintf(checkpoint, sizeof checkpoint, "test_train.%ld", (long)getpid());
    snprintf(copy, sizeof copy, "test_train.%ld.copy", (long)getpid());
    return cmocka_run_group_tests(tests, NULL, remove_files);
}
