/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_splines.c - splines, eigenvectors, and the two estimators that stand on them: what they state and what is so. */
#include "kde_support.h"
#include "spectrum.h"
#include "splines.h"

/* ---- splines ---- */

static void axis_weights__share_a_point_out(void **state)
{
    (void)state;
    nw__axis axis;
    assert_int_equal(nw__axis_new(&axis, -1.0, 3.0, 7, NULL), NW_OK);
    for (int i = 0; i <= 2000; i++) {
        double w[NW__SPLINE_REACH], sum = 0.0, square = 0.0;
        const size_t cell = nw__axis_weights(&axis, -1.5 + 4.0 * i / 2000.0, w);
        assert_true(cell < 7);
        for (size_t k = 0; k < NW__SPLINE_REACH; k++) {
            assert_true(w[k] >= 0.0);
            sum += w[k];
            square += w[k] * w[k];
        }
        assert_true(fabs(sum - 1.0) < 1e-14);
        assert_true(square <= 0.5 + 1e-14);
    }
    nw__axis_clear(&axis);
}

/* Cubics are splines: the fit of one is itself, at the nodes and, by the weights, anywhere inside. */
static void axis_solve__fits_cubics_exactly(void **state)
{
    (void)state;
    nw__axis axis;
    assert_int_equal(nw__axis_new(&axis, 2.0, 5.0, 6, NULL), NW_OK);
    double *f = calloc(axis.nodes, sizeof *f), *again = calloc(axis.nodes, sizeof *again);
    double *alpha = calloc(axis.splines, sizeof *alpha);
    for (size_t q = 0; q < axis.nodes; q++) {
        const double x = axis.places[q];
        f[q] = 1.0 + x - 0.5 * x * x + 0.1 * x * x * x;
    }
    nw__axis_to_splines(&axis, f, alpha, 1, 1);
    nw__axis_solve(&axis, alpha, 1, 1);
    nw__axis_to_nodes(&axis, alpha, again, 1, 1);
    for (size_t q = 0; q < axis.nodes; q++)
        assert_true(fabs(again[q] - f[q]) < 1e-9);
    for (double x = 2.0; x <= 7.0; x += 0.01) {
        double w[NW__SPLINE_REACH], value = 0.0;
        const size_t cell = nw__axis_weights(&axis, x, w);
        for (size_t k = 0; k < NW__SPLINE_REACH; k++)
            value += w[k] * alpha[NW__SPLINE_MARGIN + cell + k];
        assert_true(fabs(value - (1.0 + x - 0.5 * x * x + 0.1 * x * x * x)) < 1e-9);
    }
    nw__axis_clear(&axis);
    free(f);
    free(again);
    free(alpha);
}

/* ---- eigenvectors ---- */

static void check_eigen(const double *a, size_t n, size_t q, const double *values, const double *vectors, double slack)
{
    for (size_t i = 0; i < q; i++) {
        assert_true(i == 0 || values[i] <= values[i - 1]);
        for (size_t j = 0; j < q; j++)
            assert_true(fabs(nw__dot(vectors + i * n, vectors + j * n, n) - (i == j ? 1.0 : 0.0)) < 1e-11);
        for (size_t r = 0; r < n; r++)
            assert_true(fabs(nw__dot(a + r * n, vectors + i * n, n) - values[i] * vectors[i * n + r]) < slack);
    }
}

static void eigen__diagonalises(void **state)
{
    (void)state;
    static const size_t sizes[] = { 1, 2, 3, 17, 60 };
    for (size_t s = 0; s < 5; s++)
        for (int kind = 0; kind < 3; kind++) {
            const size_t n = sizes[s];
            uint64_t seed = 3;
            double *a = calloc(n * n, sizeof *a), *work = calloc(n * n, sizeof *work);
            double *values = calloc(n, sizeof *values), *vectors = calloc(n * n, sizeof *vectors);
            for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j <= i; j++) /* anything; the identity; of rank one */
                    a[i * n + j] = a[j * n + i] = kind == 0   ? kde_noise(&seed) - 0.5
                                                  : kind == 1 ? (i == j ? 1.0 : 0.0)
                                                              : (double)((i + 1) * (j + 1));
            memcpy(work, a, n * n * sizeof *a);
            assert_int_equal(nw__eigen(work, n, values, vectors, NULL), NW_OK);
            check_eigen(a, n, n, values, vectors, 1e-9 * (double)(n * n));
            free(a);
            free(work);
            free(values);
            free(vectors);
        }
}

/* A falling spectrum 2^-k in a basis of reflections: the first ten of a subspace of 30, to rounding. */
static void leading_eigen__finds_the_largest(void **state)
{
    (void)state;
    enum { N = 80, Q = 30 };
    double a[N * N] = { 0 }, v[N], values[Q], vectors[Q * N];
    uint64_t seed = 8;
    for (size_t i = 0; i < N; i++)
        v[i] = kde_noise(&seed) - 0.5;
    const double b = 2.0 / nw__dot(v, v, N);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++)
            for (size_t k = 0; k < N; k++) /* H diag H, H = I - b v v' */
                a[i * N + j] +=
                    ((i == k ? 1.0 : 0.0) - b * v[i] * v[k]) * ldexp(1.0, -(int)k) * ((j == k ? 1.0 : 0.0) - b * v[j] * v[k]);
    for (size_t i = 0; i < Q * N; i++)
        vectors[i] = kde_noise(&seed) - 0.5;
    assert_int_equal(nw__leading_eigen(a, N, Q, values, vectors, NULL), NW_OK);
    for (size_t i = 0; i < 10; i++)
        assert_true(fabs(values[i] - ldexp(1.0, -(int)i)) < 1e-11);
    check_eigen(a, N, 10, values, vectors, 1e-9);
}

/* ---- what is stated ---- */

/* Over releases of no points, values spread as the errors stated with them say: in the middle, at a border and in a corner, for
 * a product and for another function, for full and for stretched landmarks. 250 runs: five standard errors are 0.22, of pure
 * noise, whose tails are heavier, about 0.3. */
static void kde_query__states_the_spread_of_noise(void **state)
{
    (void)state;
    enum { RUNS = 250, M = 3 };
    static const kde_case cases[] = { { NW_KDE_GAUSSIAN, NW_KDE_GRID, 2, 6 }, { NW_KDE_RATIONAL_L2, NW_KDE_GRID, 2, 5 },
        { NW_KDE_LAPLACIAN, NW_KDE_GRID, 1, 9 }, { NW_KDE_GAUSSIAN, NW_KDE_LANDMARKS, 2, 12 },
        { NW_KDE_GAUSSIAN, NW_KDE_LANDMARKS, 2, 4 } };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (int kind = 0; kind < 3; kind++) {
            const float y[2 * M] = { 0.5F, 0.1F, 0.0F, 0.3F, 1.0F, -1.0F };
            float landmarks[KDE_LANDMARKS * KDE_MOST_DIMENSIONS];
            double square[M] = { 0 }, stated[M] = { 0 };
            nw_kde_opts o = kde_options(&cases[c], kind == 2 ? 1e-6 : 0.0, landmarks);
            o.public_points = kind == 1 ? 0 : -1;
            for (uint64_t run = 0; run < RUNS; run++) {
                double values[M], errors[M];
                nw_kde *kde = kde_make(&o);
                kde_release(kde, 31 * run + c);
                assert_int_equal(nw_kde_query(kde, y, M, values, errors, NULL), NW_OK);
                for (size_t i = 0; i < M; i++) {
                    square[i] += values[i] * values[i] / RUNS;
                    stated[i] += errors[i] * errors[i] / RUNS;
                }
                nw_kde_free(kde);
            }
            for (size_t i = 0; i < M; i++) {
                /* What landmarks leave of each other is stated, too: here it can be more than the noise. */
                const double ratio = sqrt(square[i] / stated[i]);
                assert_true(ratio < (kind == 2 ? 1.2 : 1.3));
                assert_true(ratio > (cases[c].estimator == NW_KDE_LANDMARKS ? 0.5 : 0.75));
            }
        }
}

/* ---- the planner ---- */

static nw_kde_plan plan_of(const nw_kde_opts *o)
{
    nw_kde *kde = kde_make(o);
    const nw_kde_plan plan = nw_kde_get_plan(kde);
    nw_kde_free(kde);
    return plan;
}

/* In the plane a grid, of more cells for less noise; without bounds features; landmarks where they predict less, of lower rank
 * for fewer points. */
static void kde_plan__takes_the_least_error(void **state)
{
    (void)state;
    const double lower[2] = { 0 }, upper[2] = { 11, 11 };
    nw_kde_opts o = NW_KDE_OPTS_INIT;
    o.kernel = NW_KDE_GAUSSIAN;
    o.dimension = 2;
    o.bandwidth = 1.0;
    o.lower = lower;
    o.upper = upper;
    o.epsilon = 0.1;
    o.delta = 0.0;
    o.adjacency = NW_ADD_REMOVE;
    o.expected_points = 20000;
    const nw_kde_plan few = plan_of(&o);
    assert_int_equal(few.estimator, NW_KDE_GRID);
    /* sqrt(2) |alpha| / epsilon, |alpha|^2 near pi / 2 over the area of a cell: within a third. */
    const double area = 121.0 / (double)(few.size * few.size);
    assert_true(fabs(few.noise / (sqrt(3.141592653589793 / area) / 0.1) - 1.0) < 0.33);
    o.epsilon = 10.0;
    const nw_kde_plan many = plan_of(&o);
    assert_true(many.estimator == NW_KDE_GRID && many.size > few.size);
    assert_true(many.approximation < few.approximation);
    o.lower = o.upper = NULL;
    assert_int_equal(plan_of(&o).estimator, NW_KDE_FEATURES);
    float landmarks[64 * 2];
    for (size_t i = 0; i < 64; i++) { /* near each other, which they explain */
        landmarks[2 * i] = (float)(i % 8) / 8.0F;
        landmarks[2 * i + 1] = (float)(i / 8) / 8.0F;
    }
    o.landmarks = landmarks;
    o.landmark_count = 64;
    const nw_kde_plan near = plan_of(&o);
    assert_int_equal(near.estimator, NW_KDE_LANDMARKS);
    assert_true(near.size < 64);
    o.expected_points = 500;
    assert_true(plan_of(&o).size < near.size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(axis_weights__share_a_point_out),
        cmocka_unit_test(axis_solve__fits_cubics_exactly),
        cmocka_unit_test(eigen__diagonalises),
        cmocka_unit_test(leading_eigen__finds_the_largest),
        cmocka_unit_test(kde_query__states_the_spread_of_noise),
        cmocka_unit_test(kde_plan__takes_the_least_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
