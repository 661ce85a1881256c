/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_network_private.c - private steps of whole networks against gradients of single records, each from a plain step of its
 * own. */
#include "network_support.h"

enum { RECORDS = 21, EXPECTED = 512 };

typedef struct run {
    nw_network *net;
    nw_dpsgd *dpsgd;
    nw_rng *rng;
    size_t parameters; /* numbers */
} run;

typedef struct setting {
    double clip_norm;
    size_t micro_batch;
    size_t copies;
    int threads;
    size_t memory_mib;
    nw_dpsgd_clipping clipping;
} setting;

static run begin(const char *json, const setting *s)
{
    nw_error err = { 0 };
    run r = { 0 };
    nw_network_shape shape;
    nw_network_opts opts = NW_NETWORK_OPTS_INIT;
    nw_dpsgd_opts private = NW_DPSGD_OPTS_INIT;
    opts.threads = s->threads;
    opts.copies = s->copies;
    opts.memory_mib = s->memory_mib;
    private.clip_norm = s->clip_norm;
    private.noise_multiplier = 0.0;
    private.adjacency = NW_ADD_REMOVE;
    private.micro_batch = s->micro_batch;
    private.clipping = s->clipping;
    r.net = new_network(json, &opts, 7);
    nw_network_get_shape(r.net, &shape);
    r.parameters = shape.parameters;
    private.expected_batch = EXPECTED;
    assert_int_equal(nw_dpsgd_new(&r.dpsgd, &private, NULL), NW_OK);
    if (nw_network_register(r.net, r.dpsgd, &err) != NW_OK)
        fail_msg("%s", err.message);
    assert_int_equal(nw_rng_new_insecure_seeded(&r.rng, 1, NULL), NW_OK);
    assert_int_equal(nw_dpsgd_begin_step(r.dpsgd, r.rng, NULL), NW_OK);
    return r;
}

static void step(const run *r, const records *data, const uint32_t *indices, size_t n)
{
    nw_error err = { 0 };
    if (nw_network_step_batch(r->net, r->dpsgd, &data->data, indices, n, NULL, &err) != NW_OK)
        fail_msg("%s", err.message);
}

/* The sum of the step, in a new array. */
static float *finish(const run *r)
{
    float *out = calloc(r->parameters, sizeof *out);
    size_t at = 0;
    assert_int_equal(nw_dpsgd_finish_step(r->dpsgd, NULL, NULL), NW_OK);
    for (size_t i = 0; i < nw_network_parameters(r->net); i++) {
        const nw_network_parameter p = nw_network_get_parameter(r->net, i);
        for (size_t j = 0; j < p.rows * p.cols; j++)
            out[at++] = (float)EXPECTED * nw_network_gradients(r->net)[i][j];
    }
    return out;
}

static void end(run *r)
{
    nw_rng_free(r->rng);
    nw_dpsgd_free(r->dpsgd);
    nw_network_free(r->net);
}

/* Gradients of single records: RECORDS x parameters; and their squared norms. */
static float *single_gradients(nw_network *net, const records *data, double *squares)
{
    nw_network_shape shape;
    nw_network_get_shape(net, &shape);
    float *all = calloc(RECORDS * shape.parameters, sizeof *all);
    for (uint32_t i = 0; i < RECORDS; i++) {
        float *one = plain_gradients(net, data, &i, 1, 1.0);
        squares[i] = 0.0;
        for (size_t j = 0; j < shape.parameters; j++)
            squares[i] += (double)one[j] * (double)one[j];
        memcpy(all + i * shape.parameters, one, shape.parameters * sizeof *all);
        free(one);
    }
    return all;
}

static const setting WHOLE = { .clip_norm = 1.0, .copies = 1, .threads = 1, .memory_mib = 256, .clipping = NW_DPSGD_FLAT };

static void step_batch__norms_are_those_of_single_records(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MODELS; m++)
        for (size_t copies = 1; copies <= 3; copies += 2) {
            setting s = WHOLE;
            s.copies = copies;
            run r = begin(MODELS[m].json, &s);
            records data = new_records(r.net, RECORDS, copies, 13);
            double squares[RECORDS];
            float *all = single_gradients(r.net, &data, squares);
            step(&r, &data, NULL, RECORDS);
            const double *found = nw_dpsgd_squared_norms(r.dpsgd);
            for (size_t i = 0; i < RECORDS; i++)
                if (!(fabs(found[i] - squares[i]) <= 1e-5 * squares[i] + 1e-12))
                    fail_msg("%s, %zu copies, record %zu: %.9g, not %.9g", MODELS[m].name, copies, i, found[i], squares[i]);
            free(all);
            free_records(&data);
            end(&r);
        }
}

/* Roundings to the grid of at most clip_norm / 2^11 a coordinate and record, and float sums. */
static void check_sum(const run *r, const float *sum, const double *wanted, double clip_norm, const char *model)
{
    for (size_t j = 0; j < r->parameters; j++)
        if (!(fabs((double)sum[j] - wanted[j]) <= clip_norm * 0x1p-11 + 1e-5 * fabs(wanted[j])))
            fail_msg("%s, coordinate %zu: %.9g, not %.9g", model, j, (double)sum[j], wanted[j]);
}

static void step_batch__sums_clipped_gradients(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MODELS; m++) {
        double squares[RECORDS];
        setting s = WHOLE;
        run r = begin(MODELS[m].json, &s);
        records data = new_records(r.net, RECORDS, 1, 13);
        float *all = single_gradients(r.net, &data, squares);
        end(&r);
        s.clip_norm = sqrt(squares[4]); /* in the midst */
        r = begin(MODELS[m].json, &s);
        double *wanted = calloc(r.parameters, sizeof *wanted);
        for (size_t i = 0; i < RECORDS; i++)
            for (size_t j = 0; j < r.parameters; j++)
                wanted[j] += fmin(1.0, s.clip_norm / sqrt(squares[i])) * (double)all[i * r.parameters + j];
        step(&r, &data, NULL, RECORDS);
        float *sum = finish(&r);
        check_sum(&r, sum, wanted, s.clip_norm, MODELS[m].name);
        free(sum);
        free(wanted);
        free(all);
        free_records(&data);
        end(&r);
    }
}

/* With a clip norm that no gradient reaches: the sum of a plain step. */
static void step_batch__is_a_plain_step_where_nothing_is_clipped(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MODELS; m++) {
        double squares[RECORDS];
        double most = 0.0;
        setting s = WHOLE;
        run r = begin(MODELS[m].json, &s);
        records data = new_records(r.net, RECORDS, 1, 17);
        free(single_gradients(r.net, &data, squares));
        end(&r);
        for (size_t i = 0; i < RECORDS; i++)
            most = fmax(most, squares[i]);
        s.clip_norm = 8.0 * sqrt(most);
        r = begin(MODELS[m].json, &s);
        float *plain = plain_gradients(r.net, &data, NULL, RECORDS, 1.0);
        double *wanted = calloc(r.parameters, sizeof *wanted);
        for (size_t j = 0; j < r.parameters; j++)
            wanted[j] = (double)plain[j];
        step(&r, &data, NULL, RECORDS);
        float *sum = finish(&r);
        check_sum(&r, sum, wanted, s.clip_norm, MODELS[m].name);
        free(sum);
        free(plain);
        free(wanted);
        free_records(&data);
        end(&r);
    }
}

/* ---- the same bits, however it is computed ---- */

static float *sum_with(const char *json, const setting *s, size_t n, size_t calls)
{
    run r = begin(json, s);
    records data = new_records(r.net, n, s->copies, 19);
    uint32_t indices[1024];
    for (uint32_t i = 0; i < n; i++)
        indices[i] = (7 * i + 3) % (uint32_t)n;
    const size_t part = n / calls;
    for (size_t c = 0; c < calls; c++)
        step(&r, &data, indices + c * part, c + 1 < calls ? part : n - c * part);
    float *sum = finish(&r);
    free_records(&data);
    end(&r);
    return sum;
}

static void step_batch__has_one_result_for_any_threads_and_memory(void **state)
{
    (void)state;
    enum { BATCH = 600 };
    for (size_t m = 0; m < N_MODELS; m++) {
        nw_network_shape shape;
        setting s = WHOLE;
        s.micro_batch = 512;
        nw_network *net = new_network(MODELS[m].json, NULL, 7);
        nw_network_get_shape(net, &shape);
        nw_network_free(net);
        float *first = sum_with(MODELS[m].json, &s, BATCH, 1);
        const setting others[] = { { 1.0, 512, 1, 2, 256, NW_DPSGD_FLAT }, { 1.0, 256, 1, 1, 256, NW_DPSGD_FLAT },
            { 1.0, 256, 1, 2, 1, NW_DPSGD_FLAT } };
        for (size_t k = 0; k < 3; k++) {
            float *other = sum_with(MODELS[m].json, &others[k], BATCH, 1);
            if (memcmp(first, other, shape.parameters * sizeof *first) != 0)
                fail_msg("%s: setting %zu gives other bits", MODELS[m].name, k);
            free(other);
        }
        free(first);
    }
}

/* So small a memory that output gradients are not kept: layers whose values are wide, and few parameters. */
static void step_batch__gives_the_same_bits_in_two_passes(void **state)
{
    (void)state;
    static const char json[] =
        "{\"input\": {\"floats\": 3}, \"loss\": \"softmax\", \"layers\": [{\"type\": \"linear\", \"name\": \"a\", \"outputs\": "
        "20000}, "
        "{\"type\": \"tanh\"}, {\"type\": \"linear\", \"outputs\": 3}, {\"type\": \"residual\", \"layers\": [{\"type\": "
        "\"rmsnorm\"}, "
        "{\"type\": \"linear\", \"tied\": \"a\"}, {\"type\": \"gelu\"}, {\"type\": \"linear\", \"outputs\": 3}]}]}";
    nw_network_shape shape;
    size_t micro_batch = 0;
    setting s = WHOLE;
    float *kept = sum_with(json, &s, RECORDS, 1);
    s.memory_mib = 1;
    run r = begin(json, &s);
    nw_network_get_shape(r.net, &shape);
    assert_int_equal(nw_network_micro_batch(r.net, &micro_batch, NULL), NW_OK);
    assert_true(micro_batch <= 16); /* one record has 320 KB of values without, 640 KB with the gradients kept */
    end(&r);
    float *again = sum_with(json, &s, RECORDS, 1);
    assert_memory_equal(kept, again, shape.parameters * sizeof *kept);
    free(kept);
    free(again);
}

/* ---- records that are not as they should be ---- */

static void step_batch__leaves_out_records_without_a_gradient(void **state)
{
    (void)state;
    static const uint32_t good[] = { 0, 1, 3, 4, 6 };
    setting s = WHOLE;
    run r = begin(MODELS[0].json, &s);
    records data = new_records(r.net, 7, 1, 23);
    data.values[2 * 5] = NAN;
    data.classes[5] = 3; /* there are 0, 1, 2 */
    step(&r, &data, NULL, 7);
    float *all = finish(&r);
    assert_int_equal(nw_dpsgd_begin_step(r.dpsgd, r.rng, NULL), NW_OK);
    step(&r, &data, good, 5);
    float *some = finish(&r);
    for (size_t j = 0; j < r.parameters; j++)
        assert_true(fabsf(all[j] - some[j]) <= 1e-5F && isfinite(all[j]));
    free(all);
    free(some);
    free_records(&data);
    end(&r);
}

static void step_batch__takes_a_token_outside_of_the_vocabulary_as_padding(void **state)
{
    (void)state;
    setting s = WHOLE;
    for (size_t m = 6; m < N_MODELS; m++) {
        run r = begin(MODELS[m].json, &s);
        nw_network_shape shape;
        nw_network_get_shape(r.net, &shape);
        if (shape.input == NW_NETWORK_TOKENS) {
            records data = new_records(r.net, 3, 1, 29);
            data.tokens[1] = -1;
            step(&r, &data, NULL, 3);
            float *padded = finish(&r);
            data.tokens[1] = (int32_t)shape.vocabulary;
            assert_int_equal(nw_dpsgd_begin_step(r.dpsgd, r.rng, NULL), NW_OK);
            step(&r, &data, NULL, 3);
            float *outside = finish(&r);
            assert_memory_equal(padded, outside, r.parameters * sizeof *padded);
            free(padded);
            free(outside);
            free_records(&data);
        }
        end(&r);
    }
}

static void step_batch__refuses_what_does_not_fit(void **state)
{
    (void)state;
    nw_error err = { 0 };
    setting s = WHOLE;
    run r = begin(MODELS[0].json, &s);
    nw_network *other = new_network(MODELS[0].json, NULL, 1);
    records data = new_records(r.net, 3, 1, 31);
    nw_network_data d = data.data;
    assert_int_equal(nw_network_step_batch(NULL, r.dpsgd, &d, NULL, 3, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_network_step_batch(other, r.dpsgd, &d, NULL, 3, NULL, &err), NW_E_STATE);
    assert_non_null(strstr(err.message, "nw_network_register"));
    d.classes = NULL;
    assert_int_equal(nw_network_step_batch(r.net, r.dpsgd, &d, NULL, 3, NULL, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "classes"));
    d = data.data;
    d.values = NULL;
    assert_int_equal(nw_network_step_batch(r.net, r.dpsgd, &d, NULL, 3, NULL, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "values"));
    d = data.data;
    d.copies = 2;
    assert_int_equal(nw_network_step_batch(r.net, r.dpsgd, &d, NULL, 1, NULL, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "copies"));
    assert_int_equal(nw_network_plain_step(r.net, &data.data, NULL, 3, 0.0, NULL, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "divisor"));
    step(&r, &data, NULL, 0); /* an empty batch is none of that */
    free(finish(&r));
    assert_int_equal(nw_network_step_batch(r.net, r.dpsgd, &data.data, NULL, 3, NULL, &err), NW_E_STATE);
    assert_non_null(strstr(err.message, "begin_step"));
    free_records(&data);
    nw_network_free(other);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step_batch__norms_are_those_of_single_records),
        cmocka_unit_test(step_batch__sums_clipped_gradients),
        cmocka_unit_test(step_batch__is_a_plain_step_where_nothing_is_clipped),
        cmocka_unit_test(step_batch__has_one_result_for_any_threads_and_memory),
        cmocka_unit_test(step_batch__gives_the_same_bits_in_two_passes),
        cmocka_unit_test(step_batch__leaves_out_records_without_a_gradient),
        cmocka_unit_test(step_batch__takes_a_token_outside_of_the_vocabulary_as_padding),
        cmocka_unit_test(step_batch__refuses_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
