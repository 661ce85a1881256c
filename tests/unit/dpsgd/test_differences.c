/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_differences.c - steps of gradient differences against gradients of single records at both iterates, each from a plain step
 * of its own; and steps whose clip norm and noise are set one by one. */
#include "network_support.h"

enum { RECORDS = 21, EXPECTED = 512 };

typedef struct run {
    nw_network *net;
    nw_dpsgd *dpsgd;
    nw_rng *rng;
    size_t parameters; /* numbers */
    size_t count;      /* matrices */
    float **previous;  /* the other iterate */
} run;

typedef struct setting {
    double bound;
    double move; /* of each number, at most, from one iterate to the other */
    size_t micro_batch;
    size_t copies;
    int threads;
    size_t memory_mib;
} setting;

static const setting WHOLE = { .bound = 1.0, .move = 0.1, .copies = 1, .threads = 1, .memory_mib = 256 };

static size_t size_of(const run *r, size_t i)
{
    const nw_network_parameter p = nw_network_get_parameter(r->net, i);
    return p.rows * p.cols;
}

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
    opts.has_differences = true;
    private.is_stepwise = true;
    private.adjacency = NW_ADD_REMOVE;
    private.micro_batch = s->micro_batch;
    private.expected_batch = EXPECTED;
    r.net = new_network(json, &opts, 7);
    nw_network_get_shape(r.net, &shape);
    r.parameters = shape.parameters;
    r.count = nw_network_parameters(r.net);
    assert_int_equal(nw_dpsgd_new(&r.dpsgd, &private, NULL), NW_OK);
    if (nw_network_register(r.net, r.dpsgd, &err) != NW_OK)
        fail_msg("%s", err.message);
    assert_int_equal(nw_rng_new_insecure_seeded(&r.rng, 1, NULL), NW_OK);
    r.previous = calloc(r.count, sizeof *r.previous);
    for (size_t i = 0; i < r.count; i++) {
        r.previous[i] = malloc(size_of(&r, i) * sizeof **r.previous);
        for (size_t j = 0; j < size_of(&r, i); j++)
            r.previous[i][j] = nw_network_values(r.net)[i][j] + (float)(s->move * (2.0 * unit(r.rng) - 1.0));
    }
    return r;
}

static void end(run *r)
{
    for (size_t i = 0; i < r->count; i++)
        free(r->previous[i]);
    free(r->previous);
    nw_rng_free(r->rng);
    nw_dpsgd_free(r->dpsgd);
    nw_network_free(r->net);
}

/* The network goes to the other iterate, and back at the second call. */
static void swap_iterates(const run *r)
{
    for (size_t i = 0; i < r->count; i++)
        for (size_t j = 0; j < size_of(r, i); j++) {
            const float kept = nw_network_values(r->net)[i][j];
            nw_network_values(r->net)[i][j] = r->previous[i][j];
            r->previous[i][j] = kept;
        }
}

static void begin_step(const run *r, double bound, double noise)
{
    nw_error err = { 0 };
    if (nw_dpsgd_set_step(r->dpsgd, bound, noise, &err) != NW_OK || nw_dpsgd_begin_step(r->dpsgd, r->rng, &err) != NW_OK)
        fail_msg("%s", err.message);
}

static void add(const run *r, const records *data, const uint32_t *indices, size_t n)
{
    nw_error err = { 0 };
    const nw_status status =
        nw_network_step_difference(r->net, (const float *const *)r->previous, r->dpsgd, &data->data, indices, n, &err);
    if (status != NW_OK)
        fail_msg("%s", err.message);
}

/* The sum of the step, in a new array. */
static float *finish(const run *r)
{
    float *out = calloc(r->parameters, sizeof *out);
    size_t at = 0;
    assert_int_equal(nw_dpsgd_finish_step(r->dpsgd, NULL, NULL), NW_OK);
    for (size_t i = 0; i < r->count; i++)
        for (size_t j = 0; j < size_of(r, i); j++)
            out[at++] = (float)EXPECTED * nw_network_gradients(r->net)[i][j];
    return out;
}

/* Differences of single gradients: RECORDS x parameters; their squared norms, and the largest squared norm of a gradient. */
static double *single_differences(const run *r, const records *data, double *squares, double *largest)
{
    double *all = calloc(RECORDS * r->parameters, sizeof *all);
    *largest = 0.0;
    for (uint32_t i = 0; i < RECORDS; i++) {
        double square = 0.0;
        float *here = plain_gradients(r->net, data, &i, 1, 1.0);
        swap_iterates(r);
        float *there = plain_gradients(r->net, data, &i, 1, 1.0);
        swap_iterates(r);
        squares[i] = 0.0;
        for (size_t j = 0; j < r->parameters; j++) {
            const double d = (double)here[j] - (double)there[j];
            all[i * r->parameters + j] = d;
            squares[i] += d * d;
            square += (double)here[j] * (double)here[j];
        }
        *largest = fmax(*largest, square);
        free(here);
        free(there);
    }
    return all;
}

/* Both sides have the errors of float gradients, a millionth of a gradient: twice that times the difference in its square. */
static void step_difference__has_the_norms_of_differences_written_out(void **state)
{
    (void)state;
    static const double moves[] = { 0.3, 0.01 };
    for (size_t m = 0; m < N_MODELS; m++)
        for (size_t k = 0; k < 4; k++) {
            setting s = WHOLE;
            s.copies = 1 + 2 * (k / 2);
            s.move = moves[k % 2];
            run r = begin(MODELS[m].json, &s);
            records data = new_records(r.net, RECORDS, s.copies, 13);
            double squares[RECORDS];
            double largest = 0.0;
            double *all = single_differences(&r, &data, squares, &largest);
            begin_step(&r, 1.0, 0.0);
            add(&r, &data, NULL, RECORDS);
            const double *found = nw_dpsgd_squared_norms(r.dpsgd);
            const double *bounds = nw_dpsgd_norm_bounds(r.dpsgd);
            for (size_t i = 0; i < RECORDS; i++) {
                const double error = 4e-6 * sqrt(largest * squares[i]) + 1e-5 * squares[i] + 1e-11 * largest;
                if (!(fabs(found[i] - squares[i]) <= error))
                    fail_msg("%s, %zu copies, move %g, record %zu: %.9g, not %.9g", MODELS[m].name, s.copies, s.move, i, found[i],
                        squares[i]);
                assert_true(bounds[i] * bounds[i] >= found[i]);
            }
            free(all);
            free_records(&data);
            end(&r);
        }
}

/* Bounds of the smallest and of a middling difference; roundings to the grid, and float gradients. */
static void step_difference__sums_differences_that_are_clipped_as_a_whole(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MODELS; m++) {
        setting s = WHOLE;
        run r = begin(MODELS[m].json, &s);
        records data = new_records(r.net, RECORDS, 1, 13);
        double squares[RECORDS];
        double largest = 0.0;
        double *all = single_differences(&r, &data, squares, &largest);
        const double bound = sqrt(squares[4]);
        double *wanted = calloc(r.parameters, sizeof *wanted);
        for (size_t i = 0; i < RECORDS; i++)
            for (size_t j = 0; j < r.parameters; j++)
                wanted[j] += fmin(1.0, bound / sqrt(squares[i])) * all[i * r.parameters + j];
        begin_step(&r, bound, 0.0);
        add(&r, &data, NULL, RECORDS);
        float *sum = finish(&r);
        for (size_t j = 0; j < r.parameters; j++)
            if (!(fabs((double)sum[j] - wanted[j]) <= bound * 0x1p-11 + 1e-5 * fabs(wanted[j]) + 2e-6 * sqrt(largest)))
                fail_msg("%s, coordinate %zu: %.9g, not %.9g", MODELS[m].name, j, (double)sum[j], wanted[j]);
        free(sum);
        free(wanted);
        free(all);
        free_records(&data);
        end(&r);
    }
}

/* What cancels must not be what the clip goes by: iterates that are a millionth apart, and a bound that nothing reaches. */
static void step_difference__keeps_small_differences_whole(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MODELS; m++) {
        setting s = WHOLE;
        s.move = 1e-5;
        run r = begin(MODELS[m].json, &s);
        records data = new_records(r.net, RECORDS, 1, 13);
        begin_step(&r, 1.0, 0.0);
        add(&r, &data, NULL, RECORDS);
        double most = 0.0;
        for (size_t i = 0; i < RECORDS; i++)
            most = fmax(most, nw_dpsgd_norm_bounds(r.dpsgd)[i]);
        free(finish(&r));
        begin_step(&r, 2.0 * most, 0.0);
        add(&r, &data, NULL, RECORDS);
        for (size_t i = 0; i < RECORDS; i++)
            if (nw_dpsgd_factors(r.dpsgd)[i] != 1.0F)
                fail_msg("%s: record %zu is clipped by lengths, to %g", MODELS[m].name, i, (double)nw_dpsgd_factors(r.dpsgd)[i]);
        assert_true(most > 0.0 && most < 0.05);
        free(finish(&r));
        free_records(&data);
        end(&r);
    }
}

/* At the same iterate every difference is zero, to the bit. */
static void step_difference__is_zero_where_nothing_moved(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MODELS; m++) {
        setting s = WHOLE;
        s.move = 0.0;
        run r = begin(MODELS[m].json, &s);
        records data = new_records(r.net, RECORDS, 1, 13);
        begin_step(&r, 0x1p-40, 0.0);
        add(&r, &data, NULL, RECORDS);
        float *sum = finish(&r);
        for (size_t j = 0; j < r.parameters; j++)
            assert_true(sum[j] == 0.0F);
        free(sum);
        free_records(&data);
        end(&r);
    }
}

/* ---- the same bits, however it is computed ---- */

static float *sum_with(const char *json, const setting *s, size_t n)
{
    run r = begin(json, s);
    records data = new_records(r.net, n, s->copies, 19);
    uint32_t indices[1024];
    for (uint32_t i = 0; i < n; i++)
        indices[i] = (7 * i + 3) % (uint32_t)n;
    begin_step(&r, 0.01, 0.0);
    add(&r, &data, indices, n);
    float *sum = finish(&r);
    free_records(&data);
    end(&r);
    return sum;
}

static void step_difference__has_one_result_for_any_threads_and_memory(void **state)
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
        float *first = sum_with(MODELS[m].json, &s, BATCH);
        const setting others[] = { { 1.0, 0.1, 512, 1, 2, 256 }, { 1.0, 0.1, 256, 1, 1, 256 }, { 1.0, 0.1, 256, 1, 2, 1 } };
        for (size_t k = 0; k < 3; k++) {
            float *other = sum_with(MODELS[m].json, &others[k], BATCH);
            if (memcmp(first, other, shape.parameters * sizeof *first) != 0)
                fail_msg("%s: setting %zu gives other bits", MODELS[m].name, k);
            free(other);
        }
        free(first);
    }
}

/* ---- sensitivity ---- */

/* How far one record more, in the last slot, moves a sum: over the bound. */
static double moved_by(const float *more, const float *less, size_t n, double bound)
{
    double square = 0.0;
    for (size_t j = 0; j < n; j++)
        square += ((double)more[j] - (double)less[j]) * ((double)more[j] - (double)less[j]);
    return sqrt(square) / bound;
}

/* Sums come out as floats over EXPECTED: their own rounding is 2^-24 of sums of RECORDS times the bound at most. */
static const double ROUNDED = 1e-5;

static void step_difference__is_moved_by_a_record_by_the_bound_at_most(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MODELS; m++) {
        setting s = WHOLE;
        run r = begin(MODELS[m].json, &s);
        records data = new_records(r.net, RECORDS, 1, 37);
        double most = 0.0;
        const double bound = 1e-3;
        for (size_t n = RECORDS - 6; n < RECORDS; n++) {
            begin_step(&r, bound, 0.0);
            add(&r, &data, NULL, n);
            float *less = finish(&r);
            begin_step(&r, bound, 0.0);
            add(&r, &data, NULL, n + 1);
            float *more = finish(&r);
            most = fmax(most, moved_by(more, less, r.parameters, bound));
            free(less);
            free(more);
        }
        if (!(most <= 1.0 + nw_dpsgd_slack(r.dpsgd) + ROUNDED && most > 0.9))
            fail_msg("%s: moved by %g of the bound", MODELS[m].name, most);
        free_records(&data);
        end(&r);
    }
}

/* The sum of clip(g) - clip(h) in place of clip(g - h), as two steps: one record moves it by twice the bound. */
static float *mutant_sum(const run *r, const records *data, size_t n, double bound)
{
    float *sums[2];
    for (size_t k = 0; k < 2; k++) {
        begin_step(r, bound, 0.0);
        assert_int_equal(nw_network_step_batch(r->net, r->dpsgd, &data->data, NULL, n, NULL, NULL), NW_OK);
        sums[k] = finish(r);
        swap_iterates(r);
    }
    for (size_t j = 0; j < r->parameters; j++)
        sums[0][j] -= sums[1][j];
    free(sums[1]);
    return sums[0];
}

static void step_difference__catches_a_clip_of_each_gradient(void **state)
{
    (void)state;
    const char *json =
        "{\"input\": {\"floats\": 2}, \"loss\": \"squared\", \"layers\": [{\"type\": \"linear\", \"outputs\": 1}]}";
    const double bound = 1e-3;
    setting s = WHOLE;
    run r = begin(json, &s);
    records data = new_records(r.net, 2, 1, 3);
    float outputs[2][2];
    for (size_t k = 0; k < 2; k++) {
        assert_int_equal(nw_network_forward(r.net, &data.data, NULL, 2, outputs[k], NULL, NULL), NW_OK);
        swap_iterates(&r);
    }
    data.targets[1] = (outputs[0][1] + outputs[1][1]) / 2.0F; /* between: the gradient turns around on the way */
    float *less = mutant_sum(&r, &data, 1, bound);
    float *more = mutant_sum(&r, &data, 2, bound);
    assert_true(moved_by(more, less, r.parameters, bound) > 1.9);
    free(less);
    free(more);
    begin_step(&r, bound, 0.0);
    add(&r, &data, NULL, 1);
    less = finish(&r);
    begin_step(&r, bound, 0.0);
    add(&r, &data, NULL, 2);
    more = finish(&r);
    assert_true(moved_by(more, less, r.parameters, bound) <= 1.0 + nw_dpsgd_slack(r.dpsgd) + ROUNDED);
    free(less);
    free(more);
    free_records(&data);
    end(&r);
}

/* Records without a gradient at one of the iterates: they add nothing. */
static void step_difference__leaves_out_what_is_not_finite(void **state)
{
    (void)state;
    static const uint32_t good[] = { 0, 1, 3, 4, 6 };
    run r = begin(MODELS[0].json, &WHOLE);
    records data = new_records(r.net, 7, 1, 23);
    data.values[2 * 5] = NAN;
    data.classes[5] = 3; /* there are 0, 1, 2 */
    begin_step(&r, 1.0, 0.0);
    add(&r, &data, NULL, 7);
    float *all = finish(&r);
    begin_step(&r, 1.0, 0.0);
    add(&r, &data, good, 5);
    float *some = finish(&r);
    for (size_t j = 0; j < r.parameters; j++)
        assert_true(fabsf(all[j] - some[j]) <= 1e-5F && isfinite(all[j]));
    free(all);
    free(some);
    free_records(&data);
    end(&r);
}

/* ---- steps one by one ---- */

/* Two bounds and two multipliers in turns, each noise alone: a share of 0.9 of either would be 40 standard errors off. */
static void set_step__is_what_the_noise_goes_by(void **state)
{
    (void)state;
    static const double bounds[] = { 3.0, 0.02, 7e-4, 3.0, 0.02 };
    static const double noises[] = { 2.0, 11.0, 11.0, 2.0, 0.5 };
    for (int replaced = 0; replaced < 2; replaced++) {
        run r = begin(MODELS[1].json, &WHOLE);
        if (replaced) { /* the noise is a multiple of the bound under any relation */
            nw_dpsgd_opts opts = NW_DPSGD_OPTS_INIT;
            nw_dpsgd_free(r.dpsgd);
            opts.is_stepwise = true;
            opts.adjacency = NW_REPLACE_ONE;
            opts.expected_batch = EXPECTED;
            assert_int_equal(nw_dpsgd_new(&r.dpsgd, &opts, NULL), NW_OK);
            assert_int_equal(nw_network_register(r.net, r.dpsgd, NULL), NW_OK);
        }
        for (size_t k = 0; k < sizeof bounds / sizeof *bounds; k++) {
            begin_step(&r, bounds[k], noises[k]);
            const double wanted = noises[k] * bounds[k] * (1.0 + nw_dpsgd_slack(r.dpsgd));
            assert_true(fabs(nw_dpsgd_deviation(r.dpsgd) * EXPECTED / wanted - 1.0) < 1e-6);
            assert_true(nw_dpsgd_clip_norm(r.dpsgd) == bounds[k]);
            float *sum = finish(&r);
            double square = 0.0;
            for (size_t j = 0; j < r.parameters; j++)
                square += (double)sum[j] * (double)sum[j];
            const double found = sqrt(square / (double)r.parameters) / wanted;
            assert_true(fabs(found - 1.0) < 6.0 / sqrt(2.0 * (double)r.parameters)); /* six standard errors: 2e-9 */
            free(sum);
        }
        end(&r);
    }
}

static void set_step__cannot_be_left_out_or_misused(void **state)
{
    (void)state;
    nw_error err = { 0 };
    nw_event *event = NULL;
    run r = begin(MODELS[0].json, &WHOLE);
    assert_int_equal(nw_dpsgd_set_step(NULL, 1.0, 1.0, &err), NW_E_ARG);
    assert_int_equal(nw_dpsgd_begin_step(r.dpsgd, r.rng, &err), NW_E_STATE);
    assert_non_null(strstr(err.message, "nw_dpsgd_set_step"));
    assert_int_equal(nw_dpsgd_set_step(r.dpsgd, 0.0, 1.0, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "clip_norm is 0"));
    assert_int_equal(nw_dpsgd_set_step(r.dpsgd, NAN, 1.0, &err), NW_E_ARG);
    assert_int_equal(nw_dpsgd_set_step(r.dpsgd, 1.0, -1.0, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "noise is -1"));
    begin_step(&r, 1.0, 1.0);
    assert_int_equal(nw_dpsgd_set_step(r.dpsgd, 1.0, 1.0, &err), NW_E_STATE);
    assert_non_null(strstr(err.message, "nw_dpsgd_finish_step"));
    free(finish(&r));
    assert_int_equal(nw_dpsgd_begin_step(r.dpsgd, r.rng, &err), NW_E_STATE); /* the bound of the step before is no other's */
    nw_rng *secure = NULL;
    assert_int_equal(nw_rng_new(&secure, NULL), NW_OK);
    assert_int_equal(nw_dpsgd_set_step(r.dpsgd, 1.0, 0.0, &err), NW_OK);
    assert_int_equal(nw_dpsgd_begin_step(r.dpsgd, secure, &err), NW_E_ARG); /* no noise */
    nw_rng_free(secure);
    assert_int_equal(nw_dpsgd_event(r.dpsgd, &event, &err), NW_E_STATE);
    assert_non_null(strstr(err.message, "is_stepwise"));
    assert_null(event);
    end(&r);
}

static void set_step__is_for_stepwise_handles(void **state)
{
    (void)state;
    nw_error err = { 0 };
    nw_dpsgd *d = NULL;
    nw_dpsgd_opts opts = NW_DPSGD_OPTS_INIT;
    opts.clip_norm = 1.0;
    opts.noise_multiplier = 1.0;
    opts.expected_batch = EXPECTED;
    opts.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_dpsgd_new(&d, &opts, NULL), NW_OK);
    assert_int_equal(nw_dpsgd_set_step(d, 2.0, 1.0, &err), NW_E_STATE); /* its event is of the options' noise */
    assert_true(nw_dpsgd_clip_norm(d) == 1.0);
    nw_dpsgd_free(d);
    opts.is_stepwise = true;
    opts.quantile = 0.5;
    assert_int_equal(nw_dpsgd_new(&d, &opts, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "quantile"));
    opts.quantile = 0.0;
    opts.clipping = NW_DPSGD_AUTO_S;
    assert_int_equal(nw_dpsgd_new(&d, &opts, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "clipping"));
}

static void step_difference__refuses_what_does_not_fit(void **state)
{
    (void)state;
    nw_error err = { 0 };
    run r = begin(MODELS[0].json, &WHOLE);
    records data = new_records(r.net, 3, 1, 31);
    nw_dpsgd_opts opts = NW_DPSGD_OPTS_INIT;
    nw_dpsgd *other = NULL;
    float *last = r.previous[1];
    nw_network *plain = new_network(MODELS[0].json, NULL, 1);
    const float *const *previous = (const float *const *)r.previous;
    opts.is_stepwise = true;
    opts.expected_batch = EXPECTED;
    opts.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_dpsgd_new(&other, &opts, NULL), NW_OK);
    assert_int_equal(nw_network_register(plain, other, NULL), NW_OK);
    assert_int_equal(nw_network_step_difference(plain, previous, other, &data.data, NULL, 3, &err), NW_E_STATE);
    assert_non_null(strstr(err.message, "has_differences"));
    assert_int_equal(nw_network_step_difference(NULL, previous, r.dpsgd, &data.data, NULL, 3, &err), NW_E_ARG);
    assert_int_equal(nw_network_step_difference(r.net, NULL, r.dpsgd, &data.data, NULL, 3, &err), NW_E_ARG);
    r.previous[1] = NULL;
    assert_int_equal(nw_network_step_difference(r.net, previous, r.dpsgd, &data.data, NULL, 3, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "previous[1]"));
    r.previous[1] = last;
    assert_int_equal(nw_network_step_difference(r.net, previous, r.dpsgd, &data.data, NULL, 3, &err), NW_E_STATE);
    assert_non_null(strstr(err.message, "nw_dpsgd_begin_step"));
    assert_int_equal(nw_network_step_difference(r.net, previous, other, &data.data, NULL, 3, &err), NW_E_STATE);
    assert_non_null(strstr(err.message, "nw_network_register"));
    nw_network_free(plain);
    nw_dpsgd_free(other);
    free_records(&data);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step_difference__has_the_norms_of_differences_written_out),
        cmocka_unit_test(step_difference__sums_differences_that_are_clipped_as_a_whole),
        cmocka_unit_test(step_difference__keeps_small_differences_whole),
        cmocka_unit_test(step_difference__is_zero_where_nothing_moved),
        cmocka_unit_test(step_difference__has_one_result_for_any_threads_and_memory),
        cmocka_unit_test(step_difference__is_moved_by_a_record_by_the_bound_at_most),
        cmocka_unit_test(step_difference__catches_a_clip_of_each_gradient),
        cmocka_unit_test(step_difference__leaves_out_what_is_not_finite),
        cmocka_unit_test(set_step__is_what_the_noise_goes_by),
        cmocka_unit_test(set_step__cannot_be_left_out_or_misused),
        cmocka_unit_test(set_step__is_for_stepwise_handles),
        cmocka_unit_test(step_difference__refuses_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
