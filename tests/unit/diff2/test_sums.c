/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_sums.c - what one record can move a sum by, for every kind of record, loss and round; sums against plain ones; parts. */
#include "diff2_support.h"

#include <float.h>
#include <omp.h>

static const double STEPS = 0x1p20;

/* Steps that a record may move the sum by: B, and half a step for each coordinate's rounding. */
static double most_steps(size_t dimension)
{
    return STEPS + 0.5 * sqrt((double)dimension);
}

static double distance(const int64_t *x, const int64_t *y, size_t n)
{
    long double sum = 0.0L;
    for (size_t i = 0; i < n; i++)
        sum += (long double)(x[i] - y[i]) * (long double)(x[i] - y[i]);
    return (double)sqrtl(sum);
}

/* ---- kernels ---- */

enum { MOST_COLUMNS = 70, MOST_ROWS = 41 };

static void kernels__are_the_plain_sums(void **state)
{
    static float rows[MOST_ROWS][MOST_COLUMNS], w[MOST_COLUMNS], c[MOST_ROWS], edge[NW__DIFF2_LANES];
    const float *starts[MOST_ROWS];
    uint64_t seed = 5;
    (void)state;
    for (size_t p = 1; p <= MOST_COLUMNS; p++)
        for (size_t n = 1; n <= MOST_ROWS; n += p % 5 + 1) {
            float z[MOST_ROWS];
            uint32_t cells[MOST_COLUMNS + NW__DIFF2_LANES] = { 0 };
            int64_t totals[MOST_COLUMNS] = { 0 }, expected[MOST_COLUMNS] = { 0 };
            for (size_t i = 0; i < n; i++) {
                starts[i] = rows[i];
                c[i] = (float)(diff2_number(&seed) * 1e6);
                for (size_t j = 0; j < p; j++) {
                    rows[i][j] = (float)diff2_number(&seed);
                    w[j] = (float)diff2_number(&seed);
                }
            }
            nw__diff2_edge(w, p, edge);
            nw__diff2_dots(starts, n, w, edge, p, z);
            nw__diff2_add_rows(cells, starts, c, n, p);
            nw__diff2_flush(totals, cells, n, p);
            for (size_t i = 0; i < n; i++) {
                double sum = 0.0, size = 0.0;
                for (size_t j = 0; j < p; j++) {
                    const volatile float product = c[i] * rows[i][j];
                    sum += (double)rows[i][j] * (double)w[j];
                    size += fabs((double)rows[i][j] * (double)w[j]);
                    expected[j] += (int64_t)nearbyintf(product);
                }
                assert_true(fabs((double)z[i] - sum) <= size * FLT_EPSILON * ((double)p / 8.0 + 4.0));
            }
            assert_memory_equal(totals, expected, p * sizeof *totals);
            for (size_t j = 0; j < nw__diff2_cells(p); j++)
                assert_int_equal(cells[j], 0);
        }
}

/* A row's product does not depend on which rows are beside it. */
static void kernels__products_do_not_depend_on_company(void **state)
{
    static float rows[MOST_ROWS][MOST_COLUMNS], w[MOST_COLUMNS], edge[NW__DIFF2_LANES];
    const float *starts[MOST_ROWS];
    uint64_t seed = 6;
    (void)state;
    for (size_t p = 1; p <= MOST_COLUMNS; p++) {
        float together[MOST_ROWS], alone;
        for (size_t i = 0; i < MOST_ROWS; i++)
            for (size_t j = 0; j < p; j++) {
                starts[i] = rows[i];
                rows[i][j] = (float)diff2_number(&seed);
                w[j] = (float)diff2_number(&seed);
            }
        nw__diff2_edge(w, p, edge);
        nw__diff2_dots(starts, MOST_ROWS, w, edge, p, together);
        for (size_t i = 0; i < MOST_ROWS; i++) {
            nw__diff2_dots(starts + i, 1, w, edge, p, &alone);
            assert_memory_equal(&alone, &together[i], sizeof alone);
        }
    }
}

static void kernels__vectors_are_rounded_to_nearest(void **state)
{
    float x[MOST_COLUMNS], y[MOST_COLUMNS];
    uint64_t seed = 7;
    (void)state;
    for (size_t n = 1; n <= MOST_COLUMNS; n++)
        for (int has_before = 0; has_before < 2; has_before++) {
            int64_t totals[MOST_COLUMNS];
            const double c = 1e5 * (diff2_number(&seed) + 2.0);
            for (size_t i = 0; i < n; i++) {
                x[i] = (float)diff2_number(&seed);
                y[i] = (float)diff2_number(&seed);
                totals[i] = (int64_t)i - 30;
            }
            nw__diff2_add_vector(totals, x, has_before ? y : NULL, c, n);
            for (size_t i = 0; i < n; i++) {
                const volatile double value = ((double)x[i] - (has_before ? (double)y[i] : 0.0)) * c;
                assert_true(totals[i] == (int64_t)i - 30 + (int64_t)nearbyint(value));
            }
        }
}

/* ---- sensitivity of gradients ---- */

enum { KINDS = 14 };

/* Rows that a clip, a rounding or a conversion might get wrong. */
static void make_row(float *row, size_t d, size_t kind, uint64_t *seed)
{
    const float specials[] = { NAN, INFINITY, -INFINITY };
    for (size_t j = 0; j < d; j++) {
        const float u = (float)diff2_number(seed);
        switch (kind) {
        case 0: row[j] = 0.0f; break;
        case 1: row[j] = u; break;
        case 2: row[j] = 1000.0f * u; break;
        case 3: row[j] = u > 0.0f ? FLT_MAX : -FLT_MAX; break;
        case 4: row[j] = FLT_TRUE_MIN * (float)(j + 1); break;
        case 5: row[j] = 1.0f / sqrtf((float)d); break; /* of length 1, or so */
        case 6: row[j] = (float)(0.5 / STEPS); break;   /* half a step everywhere */
        case 7: row[j] = (float)((j % 2 ? 1.5 : -2.5) / STEPS); break;
        case 8: row[j] = j == 0 ? 1.0f + FLT_EPSILON : 0.0f; break; /* hardly longer than the clip */
        case 9: row[j] = j == d - 1 ? -1e30f : 1e-30f; break;
        case 10: row[j] = j == d / 2 ? specials[0] : u; break;
        case 11: row[j] = j == 0 ? specials[1] : u; break;
        case 12: row[j] = j == d - 1 ? specials[2] : 0.0f; break;
        default: row[j] = 0.5f * u / sqrtf((float)d); break; /* not clipped */
        }
    }
}

/* A handle whose next round is a restart, or a difference; the bound is then 1, or about it. */
static nw_diff2 *at_round(size_t d, bool is_difference)
{
    double *mean = calloc(d, sizeof *mean);
    uint64_t seed = 1;
    nw_diff2_opts o = diff2_quiet_options();
    o.clip_difference = 1.0;
    nw_diff2 *handle = diff2_opened(d, NULL, &o);
    for (size_t j = 0; j < d; j++)
        mean[j] = (diff2_number(&seed) > 0.0 ? 2.0 : -2.0) / sqrt((double)d); /* the step is 1 long, with learning rate 1/2 */
    if (is_difference)
        diff2_move(handle, mean);
    assert_int_equal(nw_diff2_begin_round(handle, NULL, NULL), NW_OK);
    free(mean);
    return handle;
}

static void add_gradients__one_record_moves_no_more_than_the_bound(void **state)
{
    static const size_t dimensions[] = { 1, 2, 7, 8, 50, 257 };
    (void)state;
    for (size_t k = 0; k < sizeof dimensions / sizeof *dimensions; k++) {
        const size_t d = dimensions[k];
        uint64_t seed = d;
        float *rows = calloc(2 * KINDS * d, sizeof *rows);
        int64_t *before = calloc(d, sizeof *before);
        double largest = 0.0;
        for (size_t i = 0; i < 2 * KINDS; i++)
            make_row(rows + i * d, d, i % KINDS, &seed);
        for (int is_difference = 0; is_difference < 2; is_difference++) {
            nw_diff2 *handle = at_round(d, is_difference);
            for (size_t a = 0; a < KINDS; a++)
                for (size_t b = 0; b < (is_difference ? KINDS : 1); b++) {
                    memcpy(before, nw_diff2_partial(handle), d * sizeof *before);
                    assert_int_equal(
                        nw_diff2_add_gradients(handle, rows + a * d, is_difference ? rows + (KINDS + b) * d : NULL, 1, 0, NULL),
                        NW_OK);
                    const double moved = distance(nw_diff2_partial(handle), before, d);
                    const bool is_bad = (a >= 10 && a <= 12) || (is_difference && b >= 10 && b <= 12);
                    assert_true(moved <= most_steps(d));
                    assert_true(!is_bad || moved == 0.0);
                    largest = fmax(largest, moved);
                }
            nw_diff2_free(handle);
        }
        assert_true(largest >= STEPS * (1.0 - 1e-6) - 0.5 * sqrt((double)d)); /* and it can: opposite ones make twice of it */
        free(rows);
        free(before);
    }
}

/* clip(g - h), not clip(g) - clip(h): both may be longer than the clip, and their difference short. */
static void add_gradients__clips_the_difference(void **state)
{
    (void)state;
    nw_diff2 *d = at_round(2, true);
    const double per_unit = nw__diff2_per_unit(d);
    const float now[4] = { 5.0f, 0.25f, 1.0f, 0.0f }, before[4] = { 5.0f, 0.0f, -1.0f, 0.0f };
    assert_int_equal(nw_diff2_add_gradients(d, now, before, 1, 0, NULL), NW_OK);
    assert_true(nw_diff2_partial(d)[0] == 0);
    assert_true(fabs((double)nw_diff2_partial(d)[1] - 0.25 * per_unit) <= 0.5);
    assert_int_equal(nw_diff2_add_gradients(d, now + 2, before + 2, 1, 0, NULL), NW_OK);
    assert_true(fabs((double)nw_diff2_partial(d)[0] - STEPS) <= 1.0); /* and not 2^21: clip(g) - clip(h) is 2 long */
    nw_diff2_free(d);
}

/* ---- sensitivity of models ---- */

static const nw_diff2_loss LOSSES[] = { NW_DIFF2_SQUARED, NW_DIFF2_LOGISTIC, NW_DIFF2_HUBER, NW_DIFF2_SOFTMAX };
enum { LOSS_COUNT = 4, CLASSES = 3 };

/* The sum of one record at the handle's round. */
static void sum_of_record(const float *features, float target, size_t columns, nw_diff2_loss loss, bool has_bias, nw_diff2 *d)
{
    float row[64];
    const diff2_data one = { 1, columns, row, &target };
    memcpy(row, features, columns * sizeof *row);
    const nw_diff2_model_opts o = diff2_model_options(&one, loss, CLASSES, has_bias);
    nw_diff2_model *m = diff2_model(&o);
    assert_int_equal(nw_diff2_add_model(d, m, NULL), NW_OK);
    nw_diff2_model_free(m);
}

static void add_model__one_record_moves_no_more_than_the_bound(void **state)
{
    static const size_t widths[] = { 1, 3, 8, 13, 50 };
    static const float targets[] = { 0.0f, 1.0f, 2.0f, 0.5f, -7.0f, 1e30f, NAN, INFINITY };
    (void)state;
    for (size_t k = 0; k < 5 * LOSS_COUNT * 4; k++) {
        const size_t columns = widths[k % 5];
        const nw_diff2_loss loss = LOSSES[k / 5 % LOSS_COUNT];
        const bool has_bias = k / (5 * LOSS_COUNT) % 2 != 0, is_difference = k / (10 * LOSS_COUNT) != 0;
        const size_t d = (loss == NW_DIFF2_SOFTMAX ? CLASSES : 1) * (columns + has_bias);
        uint64_t seed = k;
        int64_t before[3 * 64];
        double largest = 0.0;
        nw_diff2 *handle = at_round(d, is_difference);
        for (size_t i = 0; i < KINDS * 8; i++) {
            float row[64];
            make_row(row, columns, i % KINDS, &seed);
            memcpy(before, nw_diff2_partial(handle), d * sizeof *before);
            sum_of_record(row, targets[i / KINDS], columns, loss, has_bias, handle);
            const double moved = distance(nw_diff2_partial(handle), before, d);
            const bool is_bad = (i % KINDS >= 10 && i % KINDS <= 12) || !isfinite(targets[i / KINDS]) ||
                                (loss == NW_DIFF2_SOFTMAX && i / KINDS > 2);
            assert_true(moved <= most_steps(d));
            assert_true(!is_bad || moved == 0.0);
            largest = fmax(largest, moved);
        }
        if (!(largest > 0.0))
            fail_msg("case %zu: nothing moved", k);
        if (loss == NW_DIFF2_SQUARED && !is_difference)
            assert_true(largest >= STEPS * (1.0 - 1e-5) - 0.5 * sqrt((double)d));
        nw_diff2_free(handle);
    }
}

/* ---- models against gradients ---- */

/* Gradients of a softmax (or one of its kind with two classes) by their definition, in double. */
static void write_gradients(const diff2_data *data, nw_diff2_loss loss, bool has_bias, const double *x, float *out)
{
    const size_t outputs = loss == NW_DIFF2_SOFTMAX ? CLASSES : 1, each = data->columns + has_bias;
    for (size_t i = 0; i < data->rows; i++) {
        const float *a = data->features + i * data->columns;
        const double y = (double)data->targets[i];
        double z[CLASSES], sum = 0.0;
        for (size_t k = 0; k < outputs; k++) {
            z[k] = has_bias ? x[k * each + data->columns] : 0.0;
            for (size_t j = 0; j < data->columns; j++)
                z[k] += (double)a[j] * x[k * each + j];
            sum += exp(z[k]);
        }
        for (size_t k = 0; k < outputs; k++) {
            const double r = loss == NW_DIFF2_SOFTMAX    ? exp(z[k]) / sum - ((double)k == y)
                             : loss == NW_DIFF2_LOGISTIC ? 1.0 / (1.0 + exp(-z[k])) - y
                             : loss == NW_DIFF2_HUBER    ? fmin(fmax(z[k] - y, -0.25), 0.25)
                                                         : z[k] - y;
            for (size_t j = 0; j < each; j++)
                out[(i * outputs + k) * each + j] = (float)(j < data->columns ? r * (double)a[j] : r);
        }
    }
}

static void add_model__is_the_sum_of_its_gradients(void **state)
{
    enum { ROWS = 300, COLUMNS = 11 };
    (void)state;
    for (size_t k = 0; k < LOSS_COUNT * 4; k++) {
        const nw_diff2_loss loss = LOSSES[k % LOSS_COUNT];
        const bool has_bias = k / LOSS_COUNT % 2 != 0, is_difference = k / LOSS_COUNT / 2 != 0;
        diff2_data data = diff2_records(ROWS, COLUMNS, loss == NW_DIFF2_SOFTMAX ? CLASSES : 2, k + 1);
        const nw_diff2_model_opts o = diff2_model_options(&data, loss, CLASSES, has_bias);
        nw_diff2_model *m = diff2_model(&o);
        const size_t d = nw_diff2_model_dimension(m);
        float *now = calloc(ROWS * d, sizeof *now), *before = calloc(ROWS * d, sizeof *before);
        nw_diff2 *by_model = at_round(d, is_difference), *by_rows = at_round(d, is_difference);
        write_gradients(&data, loss, has_bias, nw_diff2_iterate(by_rows), now);
        write_gradients(&data, loss, has_bias, nw_diff2_previous(by_rows), before);
        assert_int_equal(nw_diff2_add_model(by_model, m, NULL), NW_OK);
        assert_int_equal(nw_diff2_add_gradients(by_rows, now, is_difference ? before : NULL, ROWS, 0, NULL), NW_OK);
        for (size_t j = 0; j < d; j++) /* one step for rounding, and what floats of order 1 lose: 2^-22 of 2^20 steps */
            assert_true(llabs(nw_diff2_partial(by_model)[j] - nw_diff2_partial(by_rows)[j]) <= 2 * ROWS);
        assert_true(distance(nw_diff2_partial(by_model), nw_diff2_partial(by_rows), d) <= 0.5 * ROWS * sqrt((double)d));
        nw_diff2_free(by_model);
        nw_diff2_free(by_rows);
        nw_diff2_model_free(m);
        free(now);
        free(before);
        diff2_forget(&data);
    }
}

/* The gradient of nw_diff2_model_evaluate is the derivative of its loss. */
static void model_evaluate__gradient_is_the_derivative(void **state)
{
    enum { ROWS = 40, COLUMNS = 4 };
    (void)state;
    for (size_t k = 0; k < LOSS_COUNT * 2; k++) {
        const nw_diff2_loss loss = LOSSES[k % LOSS_COUNT];
        diff2_data data = diff2_records(ROWS, COLUMNS, loss == NW_DIFF2_SOFTMAX ? CLASSES : 2, k + 1);
        const nw_diff2_model_opts o = diff2_model_options(&data, loss, CLASSES, k >= LOSS_COUNT);
        nw_diff2_model *m = diff2_model(&o);
        const size_t d = nw_diff2_model_dimension(m);
        uint64_t seed = 3;
        double x[3 * 5], gradient[3 * 5], up, down;
        for (size_t j = 0; j < d; j++)
            x[j] = diff2_number(&seed);
        assert_int_equal(nw_diff2_model_evaluate(m, x, NULL, gradient, NULL), NW_OK);
        for (size_t j = 0; j < d; j++) {
            const double h = 1e-5, there = x[j];
            x[j] = there + h;
            assert_int_equal(nw_diff2_model_evaluate(m, x, &up, NULL, NULL), NW_OK);
            x[j] = there - h;
            assert_int_equal(nw_diff2_model_evaluate(m, x, &down, NULL, NULL), NW_OK);
            x[j] = there;
            assert_true(fabs((up - down) / (2.0 * h) - gradient[j]) < 1e-6);
        }
        nw_diff2_model_free(m);
        diff2_forget(&data);
    }
}

/* ---- parts ---- */

/* Threads, micro-batches, strides and orders: the same integers. */
static void additions__do_not_depend_on_threads_or_parts(void **state)
{
    enum { ROWS = 3000, COLUMNS = 60, STRIDE = 67 };
    static float wide[ROWS * STRIDE], before[ROWS * STRIDE];
    (void)state;
    uint64_t seed = 8;
    for (size_t i = 0; i < ROWS * STRIDE; i++) {
        wide[i] = (float)diff2_number(&seed);
        before[i] = (float)(0.1 * diff2_number(&seed));
    }
    nw_diff2 *whole = at_round(COLUMNS, true), *parts = at_round(COLUMNS, true);
    omp_set_num_threads(4);
    assert_int_equal(nw_diff2_add_gradients(whole, wide, before, ROWS, STRIDE, NULL), NW_OK);
    omp_set_num_threads(1);
    for (size_t at = 0; at < ROWS; at += 37) {
        const size_t n = ROWS - at < 37 ? ROWS - at : 37;
        assert_int_equal(nw_diff2_add_gradients(parts, wide + at * STRIDE, before + at * STRIDE, n, STRIDE, NULL), NW_OK);
    }
    assert_memory_equal(nw_diff2_partial(whole), nw_diff2_partial(parts), COLUMNS * sizeof(int64_t));
    nw_diff2_free(whole);
    nw_diff2_free(parts);
}

static void add_model__does_not_depend_on_threads_or_parts(void **state)
{
    enum { ROWS = 5000, COLUMNS = 60 };
    (void)state;
    for (size_t k = 0; k < LOSS_COUNT; k++) {
        diff2_data data = diff2_records(ROWS, COLUMNS, LOSSES[k] == NW_DIFF2_SOFTMAX ? CLASSES : 2, k + 1);
        data.features[17 * COLUMNS + 3] = NAN; /* a row that is left out, in one of the blocks */
        nw_diff2_model_opts o = diff2_model_options(&data, LOSSES[k], CLASSES, true);
        nw_diff2_model *m = diff2_model(&o);
        const size_t d = nw_diff2_model_dimension(m);
        nw_diff2 *whole = at_round(d, true), *parts = at_round(d, true);
        omp_set_num_threads(4);
        assert_int_equal(nw_diff2_add_model(whole, m, NULL), NW_OK);
        omp_set_num_threads(1);
        nw_diff2_model_free(m);
        for (size_t at = 0; at < ROWS; at += 997) {
            o.features = data.features + at * COLUMNS;
            o.targets = data.targets + at;
            o.rows = ROWS - at < 997 ? ROWS - at : 997;
            m = diff2_model(&o);
            assert_int_equal(nw_diff2_add_model(parts, m, NULL), NW_OK);
            nw_diff2_model_free(m);
        }
        assert_memory_equal(nw_diff2_partial(whole), nw_diff2_partial(parts), d * sizeof(int64_t));
        nw_diff2_free(whole);
        nw_diff2_free(parts);
        diff2_forget(&data);
    }
}

/* ---- bounds ---- */

/* At least C2 |dx|, as it is in more digits, hardly more; and larger for a longer step. */
static void bound__is_rounded_up_and_grows_with_the_step(void **state)
{
    enum { DIMENSION = 77 };
    (void)state;
    uint64_t seed = 9;
    double last = 0.0;
    for (int i = 0; i < 60; i++) {
        double mean[DIMENSION];
        long double square = 0.0L;
        nw_diff2_round round;
        nw_diff2_opts o = diff2_quiet_options();
        o.clip_difference = 0.3;
        o.guard = NW_DIFF2_UNGUARDED;
        o.learning_rate = pow(1.25, i) * 1e-3;
        nw_diff2 *d = diff2_opened(DIMENSION, NULL, &o);
        uint64_t same = 4;
        for (size_t j = 0; j < DIMENSION; j++)
            mean[j] = diff2_number(i % 2 ? &seed : &same);
        diff2_move(d, mean);
        for (size_t j = 0; j < DIMENSION; j++) {
            const long double gap = (long double)nw_diff2_iterate(d)[j] - (long double)nw_diff2_previous(d)[j];
            square += gap * gap;
        }
        assert_int_equal(nw_diff2_begin_round(d, &round, NULL), NW_OK);
        assert_int_equal(round.kind, NW_DIFF2_DIFFERENCE);
        assert_true((long double)round.bound >= (long double)0.3 * sqrtl(square));
        assert_true((long double)round.bound <= (long double)0.3 * sqrtl(square) * (1.0L + 1e-12L));
        if (i % 2 == 0) {
            assert_true(round.bound > last);
            last = round.bound;
        }
        nw_diff2_free(d);
    }
}

/* ---- local samples ---- */

static void sample__has_its_rate_whoever_asks(void **state)
{
    enum { RECORDS = 200000 };
    static bool whole[RECORDS], part[RECORDS];
    (void)state;
    nw_diff2_opts o = diff2_quiet_options();
    o.public_records = RECORDS;
    o.local_steps = 2;
    o.local_batch = RECORDS / 10.0;
    o.clip_local = 1.0;
    o.local_noise = 1.0;
    nw_diff2 *d = diff2_make(2, NULL, &o);
    for (size_t key = 0; key < 3; key++) {
        size_t count = 0;
        d->key[5] = (uint8_t)key;
        nw__diff2_sample(d, 0, RECORDS, whole);
        for (size_t at = 0; at < RECORDS; at += 501)
            nw__diff2_sample(d, at, RECORDS - at < 501 ? RECORDS - at : 501, part + at);
        assert_memory_equal(whole, part, sizeof whole);
        for (size_t i = 0; i < RECORDS; i++)
            count += whole[i];
        assert_true(fabs((double)count - RECORDS / 10.0) < 6.2 * sqrt(RECORDS * 0.09)); /* 1e-9 */
    }
    nw_diff2_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels__are_the_plain_sums),
        cmocka_unit_test(kernels__products_do_not_depend_on_company),
        cmocka_unit_test(kernels__vectors_are_rounded_to_nearest),
        cmocka_unit_test(add_gradients__one_record_moves_no_more_than_the_bound),
        cmocka_unit_test(add_gradients__clips_the_difference),
        cmocka_unit_test(add_model__one_record_moves_no_more_than_the_bound),
        cmocka_unit_test(add_model__is_the_sum_of_its_gradients),
        cmocka_unit_test(model_evaluate__gradient_is_the_derivative),
        cmocka_unit_test(additions__do_not_depend_on_threads_or_parts),
        cmocka_unit_test(add_model__does_not_depend_on_threads_or_parts),
        cmocka_unit_test(bound__is_rounded_up_and_grows_with_the_step),
        cmocka_unit_test(sample__has_its_rate_whoever_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
