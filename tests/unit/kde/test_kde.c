/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_kde.c - sums, sensitivities and answers of every estimator: against tests/vectors/kde.json, the functions themselves,
 * and what one point really moves. */
#include "kde_support.h"
#include "vectors.h"

/* ---- sensitivity ---- */

/* What one point moves block b: in l1, l2, and as sum of the pairs' l2 norms. */
typedef struct distance {
    double l1, l2, pairs;
} distance;

static distance moved(const nw__kde_block *block, const int64_t *with, const int64_t *without)
{
    distance d = { 0 };
    for (size_t i = 0; i < block->count; i++) {
        const double x = (double)(with[i] - without[i]);
        d.l1 += fabs(x);
        d.l2 += x * x;
    }
    d.l2 = sqrt(d.l2);
    for (size_t i = 0; i < block->count / 2; i++)
        d.pairs += hypot((double)(with[i] - without[i]), (double)(with[block->count / 2 + i] - without[block->count / 2 + i]));
    return d;
}

static void encode(const nw_kde *kde, int64_t *totals)
{
    if (kde->ops->encode == NULL)
        memcpy(totals, kde->sums, kde->sum_count * sizeof *totals);
    else
        kde->ops->encode(kde, kde->sums, totals);
    if (kde->counts_points)
        totals[kde->total_count - 1] = kde->sums[kde->sum_count];
}

/* Every estimator, 60 points added one after the other, inside, on and beyond the bounds: no block moves by more than it
 * declares, and some point moves it by a good part of that (a declaration that is far too large is an error, too). */
static void kde_add__moves_totals_by_no_more_than_declared(void **state)
{
    (void)state;
    for (size_t c = 0; c < KDE_CASE_COUNT; c++) {
        nw_kde *kde = kde_of_case(&KDE_CASES[c], 0.0);
        int64_t *before = calloc(kde->total_count, sizeof *before), *after = calloc(kde->total_count, sizeof *after);
        double used = 0.0;
        float x[60 * KDE_MOST_DIMENSIONS];
        kde_points(x, 60, KDE_CASES[c].dimension, 17);
        encode(kde, before);
        for (size_t i = 0; i < 60; i++) {
            assert_int_equal(nw_kde_add(kde, x + i * KDE_CASES[c].dimension, 1, NULL), NW_OK);
            encode(kde, after);
            size_t at = 0;
            for (size_t b = 0; b < kde->block_count; b++) {
                const nw__kde_block *block = &kde->blocks[b];
                const distance d = moved(block, after + at, before + at);
                assert_true(d.l1 <= block->l1 && d.l2 <= block->l2);
                assert_true(block->pairs == 0.0 || d.pairs <= block->pairs);
                used = fmax(used, d.l2 / block->l2);
                at += block->count;
            }
            assert_int_equal(at, kde->total_count);
            memcpy(before, after, kde->total_count * sizeof *before);
        }
        assert_true(used > 0.6);
        free(before);
        free(after);
        nw_kde_free(kde);
    }
}

/* The event is worth the budget, and no more, for both kinds of noise and both relations. */
static void kde_event__spends_the_budget(void **state)
{
    (void)state;
    for (size_t c = 0; c < KDE_CASE_COUNT; c++)
        for (int kind = 0; kind < 4; kind++) {
            float landmarks[KDE_LANDMARKS * KDE_MOST_DIMENSIONS];
            nw_kde_opts o = kde_options(&KDE_CASES[c], kind % 2 == 0 ? 0.0 : 1e-6, landmarks);
            o.adjacency = kind < 2 ? NW_ADD_REMOVE : NW_REPLACE_ONE;
            o.public_points = kind < 2 ? -1 : 1000;
            nw_kde *kde = kde_make(&o);
            nw_cost cost;
            assert_int_equal(nw_event_cost(nw_kde_event(kde), o.adjacency, &cost, NULL), NW_OK);
            if (o.delta == 0.0) {
                assert_true(cost.epsilon_pure <= 1.0 && cost.epsilon_pure > 1.0 - 1e-5);
            } else {
                double epsilon = 0.0;
                assert_int_equal(nw_event_epsilon(nw_kde_event(kde), o.adjacency, o.delta, &epsilon, NULL, NULL), NW_OK);
                assert_true(epsilon <= 1.0 && epsilon > 1.0 - 1e-3);
            }
            assert_int_equal(nw_kde_get_plan(kde).totals, kde->total_count);
            nw_kde_free(kde);
        }
}

/* ---- exactness ---- */

/* The same sums, bit for bit, however the points come: at once, one by one in another order, by eight threads, in parts merged or
 * handed on as bytes. */
static void kde_add__does_not_depend_on_order_threads_or_parts(void **state)
{
    (void)state;
    enum { N = 4200 };
    for (size_t c = 0; c < KDE_CASE_COUNT; c++) {
        const size_t d = KDE_CASES[c].dimension;
        const size_t n = KDE_CASES[c].estimator == NW_KDE_TABLE || KDE_CASES[c].estimator == NW_KDE_FEATURES ? N : 500;
        float *x = malloc(n * d * sizeof *x), *reversed = malloc(n * d * sizeof *reversed);
        float landmarks[KDE_LANDMARKS * KDE_MOST_DIMENSIONS];
        nw_kde_opts o = kde_options(&KDE_CASES[c], 0.0, landmarks);
        kde_points(x, n, d, 23);
        for (size_t i = 0; i < n; i++)
            memcpy(reversed + i * d, x + (n - 1 - i) * d, d * sizeof *x);
        nw_kde *whole = kde_make(&o), *parts = kde_make(&o), *rest = kde_make(&o), *bytes = kde_make(&o);
        o.threads = 8;
        nw_kde *threads = kde_make(&o);
        assert_int_equal(nw_kde_add(whole, x, n, NULL), NW_OK);
        assert_int_equal(nw_kde_add(threads, reversed, n, NULL), NW_OK);
        for (size_t i = 0; i < n / 2; i += 37)
            assert_int_equal(nw_kde_add(parts, x + i * d, n / 2 - i < 37 ? n / 2 - i : 37, NULL), NW_OK);
        assert_int_equal(nw_kde_add(rest, x + n / 2 * d, n - n / 2, NULL), NW_OK);
        uint8_t *text = NULL;
        size_t size = 0;
        assert_int_equal(nw_kde_merge(parts, rest, NULL), NW_OK);
        assert_int_equal(nw_kde_totals_to_bytes(parts, &text, &size, NULL), NW_OK);
        assert_int_equal(nw_kde_totals_add_bytes(bytes, text, size, NULL), NW_OK);
        assert_memory_equal(whole->sums, threads->sums, whole->sum_count * sizeof *whole->sums);
        assert_memory_equal(whole->sums, parts->sums, whole->sum_count * sizeof *whole->sums);
        assert_memory_equal(whole->sums, bytes->sums, whole->sum_count * sizeof *whole->sums);
        const size_t points = whole->sum_count; /* their number is behind the sums */
        assert_true(whole->sums[points] == (int64_t)n && bytes->sums[points] == (int64_t)n);
        assert_true(threads->sums[points] == (int64_t)n);
        nw_kde_bytes_free(text, size);
        nw_kde *all[] = { whole, parts, rest, bytes, threads };
        for (size_t i = 0; i < 5; i++)
            nw_kde_free(all[i]);
        free(x);
        free(reversed);
    }
}

/* Values of a released structure do not depend on the batch or the threads, and are those of its file. */
static void kde_query__does_not_depend_on_batch_threads_or_file(void **state)
{
    (void)state;
    enum { N = 300, M = 150 };
    char path[] = "/tmp/nw-kde-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    for (size_t c = 0; c < KDE_CASE_COUNT; c++) {
        const size_t d = KDE_CASES[c].dimension;
        float x[N * KDE_MOST_DIMENSIONS], y[M * KDE_MOST_DIMENSIONS];
        double values[M], errors[M], again[M], other_errors[M];
        kde_points(x, N, d, 1);
        kde_points(y, M, d, 2);
        nw_kde *kde = kde_of_case(&KDE_CASES[c], 1e-6), *loaded = NULL;
        assert_int_equal(nw_kde_add(kde, x, N, NULL), NW_OK);
        kde_release(kde, 3);
        assert_int_equal(nw_kde_query(kde, y, M, values, errors, NULL), NW_OK);
        kde->opts.threads = 4;
        assert_int_equal(nw_kde_query(kde, y, M, again, NULL, NULL), NW_OK);
        assert_memory_equal(values, again, sizeof values);
        for (size_t i = 0; i < M; i++)
            assert_int_equal(nw_kde_query(kde, y + i * d, 1, &again[i], &other_errors[i], NULL), NW_OK);
        assert_memory_equal(values, again, sizeof values);
        assert_memory_equal(errors, other_errors, sizeof errors);
        assert_int_equal(nw_kde_save(kde, path, NULL), NW_OK);
        assert_int_equal(nw_kde_load(&loaded, path, NULL), NW_OK);
        assert_int_equal(nw_kde_query(loaded, y, M, again, other_errors, NULL), NW_OK);
        assert_memory_equal(values, again, sizeof values);
        assert_memory_equal(errors, other_errors, sizeof errors);
        assert_string_equal(nw_kde_receipt(loaded)->label, "test");
        nw_kde_free(loaded);
        nw_kde_free(kde);
    }
    assert_int_equal(remove(path), 0);
}

/* ---- answers ---- */

/* The exact sums of the vectors, within 6 of the stated standard errors, at epsilon 64 (or delta 1/2) and large sizes; the
 * errors are a few hundredths of the sums, so a wrong scale or a lost term would show. */
static void kde_query__answers_the_vectors(void **state)
{
    (void)state;
    static const struct {
        nw_kde_kernel kernel;
        nw_kde_estimator estimator;
        const char *name;
        size_t size;
    } cases[] = {
        { NW_KDE_L1, NW_KDE_TABLE, "l1", 1024 },
        { NW_KDE_L2, NW_KDE_TABLE, "l2", 1024 },
        { NW_KDE_L2SQ, NW_KDE_MOMENTS, "l2_squared", 0 },
        { NW_KDE_LPP, NW_KDE_TABLE, "lp_p_with_p3", 256 },
        { NW_KDE_GAUSSIAN, NW_KDE_FEATURES, "gaussian exp(-l2^2)", 8192 },
        { NW_KDE_GAUSSIAN, NW_KDE_HADAMARD, "gaussian exp(-l2^2)", 8192 },
        { NW_KDE_EXPONENTIAL, NW_KDE_HADAMARD, "exponential exp(-l2)", 8192 },
        { NW_KDE_LAPLACIAN, NW_KDE_HADAMARD, "laplacian exp(-l1)", 8192 },
        { NW_KDE_LAPLACIAN, NW_KDE_LSH, "laplacian exp(-l1)", 1024 },
        { NW_KDE_RATIONAL_L2SQ, NW_KDE_FEATURES, "rational_sq 1/(1+l2^2)", 8192 },
        { NW_KDE_RATIONAL_L2, NW_KDE_FEATURES, "rational_l2 1/(1+l2)", 8192 },
        { NW_KDE_RATIONAL_L1, NW_KDE_FEATURES, "rational_l1 1/(1+l1)", 8192 },
        { NW_KDE_GAUSSIAN, NW_KDE_LSQ_RFF, "gaussian exp(-l2^2)", 8192 },
        { NW_KDE_L1, NW_KDE_TREE, "l1", 10 },
    };
    json_t *vectors = load_vectors("kde.json");
    const json_t *sums = json_object_get(json_object_get(vectors, "tiny"), "sums_over_x");
    float x[37 * 5], y[7 * 5];
    const double lower[5] = { 0 }, upper[5] = { 1, 1, 1, 1, 1 };
    for (size_t j = 0; j < 5; j++) {
        for (size_t i = 0; i < 37; i++)
            x[i * 5 + j] = (float)((7919 * i + 104729 * j + 31 * i * i + 17 * j * j + 13 * i * j) % 257) / 256.0F;
        for (size_t i = 0; i < 7; i++)
            y[i * 5 + j] = (float)((6007 * i + 15485863 * j + 11 * i * i + 29 * i * j + 3) % 257) / 256.0F;
    }
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        nw_kde_opts o = NW_KDE_OPTS_INIT;
        o.kernel = cases[c].kernel;
        o.estimator = cases[c].estimator;
        o.size = cases[c].size;
        o.dimension = 5;
        o.bandwidth = 1.0;
        o.power = 3.0;
        o.lower = lower;
        o.upper = upper;
        o.epsilon = 64.0;
        o.delta = 0.5;
        o.adjacency = NW_ADD_REMOVE;
        o.public_seed = 1;
        nw_kde *kde = kde_make(&o);
        double values[7], errors[7];
        assert_int_equal(nw_kde_add(kde, x, 37, NULL), NW_OK);
        kde_release(kde, 8);
        assert_int_equal(nw_kde_query(kde, y, 7, values, errors, NULL), NW_OK);
        for (size_t i = 0; i < 7; i++) {
            const double wanted = json_number_value(json_array_get(json_object_get(sums, cases[c].name), i));
            double exact = 0.0;
            for (size_t k = 0; k < 37; k++)
                exact += nw_kde_exact(&o, x + 5 * k, y + 5 * i);
            assert_true(fabs(exact - wanted) <= 1e-9 * wanted);
            /* A tree's rings have a bias of a hundredth or so. */
            const double bias = cases[c].estimator == NW_KDE_TREE ? 0.02 * wanted : 0.0;
            assert_true(fabs(values[i] - wanted) <= 6.0 * errors[i] + bias);
            assert_true(errors[i] < (cases[c].estimator == NW_KDE_TREE ? 0.5 : 0.1) * wanted);
        }
        nw_kde_free(kde);
    }
    json_decref(vectors);
}

/* Grid, transform and landmarks in the plane, where they are at home. */
static void kde_query__answers_in_the_plane(void **state)
{
    (void)state;
    enum { N = 400, M = 20 };
    static const kde_case cases[] = { { NW_KDE_GAUSSIAN, NW_KDE_GRID, 2, 40 }, { NW_KDE_RATIONAL_L1, NW_KDE_GRID, 2, 40 },
        { NW_KDE_L2, NW_KDE_GRID, 2, 40 }, { NW_KDE_GAUSSIAN, NW_KDE_LSQ_FGT, 2, 8 },
        { NW_KDE_GAUSSIAN, NW_KDE_LANDMARKS, 2, 12 } };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        float landmarks[KDE_LANDMARKS * KDE_MOST_DIMENSIONS], x[N * 2], y[M * 2];
        double values[M], errors[M];
        uint64_t seed = 5;
        nw_kde_opts o = kde_options(&cases[c], 0.5, landmarks);
        o.epsilon = 64.0;
        if (cases[c].estimator == NW_KDE_LANDMARKS)
            o.bandwidth = 2.0; /* wide: twelve landmarks span it */
        nw_kde *kde = kde_make(&o);
        for (size_t i = 0; i < 2 * N; i++)
            x[i] = (float)(KDE_LOWER[i % 2] + (KDE_UPPER[i % 2] - KDE_LOWER[i % 2]) * kde_noise(&seed));
        for (size_t i = 0; i < 2 * M; i++)
            y[i] = (float)(KDE_LOWER[i % 2] + (KDE_UPPER[i % 2] - KDE_LOWER[i % 2]) * kde_noise(&seed));
        assert_int_equal(nw_kde_add(kde, x, N, NULL), NW_OK);
        kde_release(kde, 8);
        assert_int_equal(nw_kde_query(kde, y, M, values, errors, NULL), NW_OK);
        for (size_t i = 0; i < M; i++) {
            double exact = 0.0;
            for (size_t k = 0; k < N; k++)
                exact += nw_kde_exact(&o, x + 2 * k, y + 2 * i);
            assert_true(fabs(values[i] - exact) <= 6.0 * errors[i] + 0.002 * exact);
            assert_true(errors[i] < 0.05 * exact);
        }
        nw_kde_free(kde);
    }
}

/* ---- noise ---- */

/* Over 120 releases of the same points the spread of a value is the plan's. */
static void kde_plan__predicts_the_noise(void **state)
{
    (void)state;
    enum { RUNS = 120 };
    static const kde_case cases[] = { { NW_KDE_L1, NW_KDE_TABLE, 2, 32 }, { NW_KDE_L2SQ, NW_KDE_MOMENTS, 2, 0 },
        { NW_KDE_GAUSSIAN, NW_KDE_FEATURES, 5, 20 }, { NW_KDE_GAUSSIAN, NW_KDE_LSQ_RFF, 5, 64 } };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (int kind = 0; kind < 2; kind++) {
            float x[3 * 5] = { 0.5F, 0.5F, 0.2F, 2.5F, 0.5F }, y[5] = { 1.0F, 1.0F, 0.5F, 3.0F, 1.0F };
            double sum = 0.0, square = 0.0, noise = 0.0;
            for (uint64_t run = 0; run < RUNS; run++) {
                nw_kde *kde = kde_of_case(&cases[c], kind == 0 ? 0.0 : 1e-6);
                double value = 0.0;
                noise = nw_kde_get_plan(kde).noise;
                assert_int_equal(nw_kde_add(kde, x, 1, NULL), NW_OK);
                kde_release(kde, 1000 * c + run);
                assert_int_equal(nw_kde_query(kde, y, 1, &value, NULL, NULL), NW_OK);
                sum += value;
                square += value * value;
                nw_kde_free(kde);
            }
            const double deviation = sqrt((square - sum * sum / RUNS) / (RUNS - 1));
            /* Five standard errors: 0.33 of a Gaussian's deviation, 0.5 of a Laplace draw's; cos^2 of the 64 phases of shifted
             * cosines is 1/2 on average only. */
            assert_true(fabs(deviation / noise - 1.0) < (kind == 0 ? 0.5 : 0.33) + 0.1 * (cases[c].estimator == NW_KDE_LSQ_RFF));
        }
}

/* The closed forms: pure pairs sqrt(3.01 I) / epsilon, Gaussian sigma whatever I; l1 tables 2 Q^1.5 sqrt(3.01 / 4) R / epsilon
 * with n public, Q over the odd frequencies; Gaussian sigma d R / 2, twice that with n private; within 1 %. */
static void kde_plan__has_the_closed_forms(void **state)
{
    (void)state;
    const double lower[4] = { 0 }, upper[4] = { 3, 3, 3, 3 };
    json_t *vectors = load_vectors("kde.json");
    const json_t *multipliers =
        json_object_get(vectors, "gaussian_multiplier_sigma_for_l2_sensitivity_1 (analytic Gaussian mechanism)");
    const double sigma = json_number_value(json_object_get(multipliers, "eps1_delta1e-06"));
    nw_kde_opts o = NW_KDE_OPTS_INIT;
    o.kernel = NW_KDE_GAUSSIAN;
    o.estimator = NW_KDE_FEATURES;
    o.dimension = 4;
    o.bandwidth = 1.0;
    o.epsilon = 1.0;
    o.adjacency = NW_ADD_REMOVE;
    for (o.size = 10; o.size <= 1000; o.size *= 10) {
        nw_kde *kde = NULL;
        o.delta = 0.0;
        kde = kde_make(&o);
        assert_true(fabs(nw_kde_get_plan(kde).noise / sqrt(3.01 * (double)o.size) - 1.0) < 0.01);
        nw_kde_free(kde);
        o.delta = 1e-6;
        kde = kde_make(&o);
        assert_true(fabs(nw_kde_get_plan(kde).noise / sigma - 1.0) < 0.01);
        nw_kde_free(kde);
    }
    o.kernel = NW_KDE_L1;
    o.estimator = NW_KDE_TABLE;
    o.lower = lower;
    o.upper = upper;
    o.size = 4096;
    o.dimension = 1;
    o.public_points = 1000;
    o.delta = 0.0;
    nw_kde *kde = kde_make(&o);
    assert_true(fabs(nw_kde_get_plan(kde).noise / (2.46 * sqrt(3.01 / 4.0) * 3.0) - 1.0) < 0.06); /* 2.46 .. 2.59 in the limit */
    nw_kde_free(kde);
    o.delta = 1e-6;
    o.dimension = 4;
    kde = kde_make(&o);
    assert_true(fabs(nw_kde_get_plan(kde).noise / (sigma * 4.0 * 3.0 / 2.0) - 1.0) < 0.01);
    nw_kde_free(kde);
    o.public_points = -1;
    kde = kde_make(&o);
    assert_true(fabs(nw_kde_get_plan(kde).noise / (sigma * 4.0 * 3.0) - 1.0) < 0.01);
    nw_kde_free(kde);
    json_decref(vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kde_add__moves_totals_by_no_more_than_declared),
        cmocka_unit_test(kde_event__spends_the_budget),
        cmocka_unit_test(kde_add__does_not_depend_on_order_threads_or_parts),
        cmocka_unit_test(kde_query__does_not_depend_on_batch_threads_or_file),
        cmocka_unit_test(kde_query__answers_the_vectors),
        cmocka_unit_test(kde_query__answers_in_the_plane),
        cmocka_unit_test(kde_plan__predicts_the_noise),
        cmocka_unit_test(kde_plan__has_the_closed_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
