/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_waves.c - phases, cosines and sines against libm in double; the fast transform against the matrix; the law of the
 * frequencies against the kernels; noise for pairs against its law. */
#include "kde_support.h"
#include "pair_noise.h"
#include "waves.h"

enum { PAIRS = 200 };

/* Frequencies of a case of d dimensions, from a handle that only lends its options. */
static void make_waves(nw__waves *waves, nw_kde *kde, nw_kde_kernel kernel, size_t d, size_t pairs, bool is_hadamard)
{
    *waves = (nw__waves){ 0 };
    *kde = (nw_kde){ 0 };
    kde->opts.kernel = kernel;
    kde->opts.dimension = d;
    kde->opts.bandwidth = 1.0;
    kde->opts.size = pairs;
    kde->opts.public_seed = 11;
    assert_int_equal(nw__init(NULL), NW_OK);
    assert_int_equal(nw__waves_new(waves, kde, is_hadamard, false, NULL), NW_OK);
}

static void waves_hadamard__is_the_matrix(void **state)
{
    (void)state;
    for (size_t side = 64; side <= 1024; side *= 2) {
        float *v = malloc(side * sizeof *v), *fast = malloc(side * sizeof *fast);
        for (size_t i = 0; i < side; i++) /* small whole numbers: floats add them exactly */
            fast[i] = v[i] = (float)((int)(i * i * 37 + i * 11) % 101 - 50);
        nw__waves_hadamard(fast, side);
        for (size_t i = 0; i < side; i++) {
            float sum = 0.0F;
            for (size_t j = 0; j < side; j++)
                sum += __builtin_parityll(i & j) ? -v[j] : v[j];
            assert_true(sum == fast[i]);
        }
        free(v);
        free(fast);
    }
}

/* Each phase's cosine and sine within 2 units of 2^-20: 0.5 of the rounding, 0.3 of the polynomial, the rest of nothing. */
static void waves_add__rounds_cosines_and_sines_of_the_phases(void **state)
{
    (void)state;
    for (int is_hadamard = 0; is_hadamard < 2; is_hadamard++) {
        nw_kde kde;
        nw__waves waves;
        make_waves(&waves, &kde, NW_KDE_GAUSSIAN, 7, PAIRS, is_hadamard);
        uint64_t seed = 3;
        for (size_t trial = 0; trial < 50; trial++) {
            float x[7], turns[PAIRS];
            int64_t c[PAIRS] = { 0 }, s[PAIRS] = { 0 };
            for (size_t j = 0; j < 7; j++)
                x[j] = (float)((kde_noise(&seed) - 0.5) * (trial < 40 ? 10.0 : 1e5));
            nw__waves_phases(&waves, x, turns);
            nw__waves_add(&waves, x, 1, c, s);
            for (size_t i = 0; i < PAIRS; i++) {
                const double angle = 2.0 * 3.141592653589793 * ((double)turns[i] - rint((double)turns[i]));
                assert_true(fabs((double)c[i] - 0x1p20 * cos(angle)) <= 0.9);
                assert_true(fabs((double)s[i] - 0x1p20 * sin(angle)) <= 0.9);
                assert_true(hypot((double)c[i], (double)s[i]) <= 0x1p20 + 1.5);
            }
        }
        nw__waves_clear(&waves);
    }
}

/* Phases that no float can hold a fraction of still lie on the circle. */
static void waves_add__keeps_to_the_circle_far_away(void **state)
{
    (void)state;
    nw_kde kde;
    nw__waves waves;
    make_waves(&waves, &kde, NW_KDE_LAPLACIAN, 3, PAIRS, false);
    const float far[][3] = { { 1e12F, -1e12F, 1e12F }, { 4e6F, 1e7F, 0.3F }, { 1e-30F, 0.0F, -0.0F } };
    for (size_t t = 0; t < 3; t++) {
        int64_t c[PAIRS] = { 0 }, s[PAIRS] = { 0 };
        nw__waves_add(&waves, far[t], 1, c, s);
        for (size_t i = 0; i < PAIRS; i++)
            assert_true(fabs(hypot((double)c[i], (double)s[i]) - 0x1p20) <= 1.5);
    }
    nw__waves_clear(&waves);
}

static void waves_dot__is_the_sum_of_terms(void **state)
{
    (void)state;
    nw_kde kde;
    nw__waves waves;
    make_waves(&waves, &kde, NW_KDE_GAUSSIAN, 4, PAIRS - 1, true);
    float x[4] = { 0.3F, -1.5F, 2.0F, 0.0F }, turns[PAIRS], c[PAIRS], s[PAIRS];
    uint64_t seed = 9;
    for (size_t i = 0; i < PAIRS; i++) {
        c[i] = (float)(kde_noise(&seed) - 0.5);
        s[i] = (float)(kde_noise(&seed) - 0.5);
    }
    nw__waves_phases(&waves, x, turns);
    double sum = 0.0, square = 0.0, value = 0.0, squares = 0.0;
    for (size_t i = 0; i < PAIRS - 1; i++) {
        const double angle = 2.0 * 3.141592653589793 * (double)turns[i];
        const double term = cos(angle) * (double)c[i] + sin(angle) * (double)s[i];
        sum += term;
        square += term * term;
    }
    nw__waves_dot(&waves, x, c, s, &value, &squares);
    assert_true(fabs(value - sum) <= 1e-5 * sqrt((double)PAIRS));
    assert_true(fabs(squares - square) <= 1e-5 * square);
    nw__waves_clear(&waves);
}

/* The average of cos(2 pi w.u) over N frequencies is the kernel within 6 / sqrt(N): |cos| <= 1, so that is 6 standard errors at
 * least. For the orthogonal ones the spread is no larger. A frequency wrong by 10 % is seen at |u| = 1: 0.05 against 0.042. */
static void frequencies__average_to_the_kernel(void **state)
{
    (void)state;
    enum { N = 20480 };
    static const nw_kde_kernel kernels[] = { NW_KDE_GAUSSIAN, NW_KDE_EXPONENTIAL, NW_KDE_LAPLACIAN, NW_KDE_RATIONAL_L2SQ,
        NW_KDE_RATIONAL_L2, NW_KDE_RATIONAL_L1 };
    for (size_t k = 0; k < 6; k++)
        for (int is_hadamard = 0; is_hadamard < 2; is_hadamard++) {
            nw_kde kde;
            nw__waves waves;
            make_waves(&waves, &kde, kernels[k], 3, N, is_hadamard);
            const float points[][3] = { { 0.1F, 0.0F, -0.2F }, { 0.5F, 0.5F, 0.5F }, { 1.0F, 0.0F, 0.0F },
                { 2.0F, -1.0F, 0.7F } };
            for (size_t p = 0; p < 4; p++) {
                const float zero[3] = { 0 };
                float *turns = malloc(N * sizeof *turns);
                double sum = 0.0;
                nw__waves_phases(&waves, points[p], turns);
                for (size_t i = 0; i < N; i++)
                    sum += cos(2.0 * 3.141592653589793 * (double)turns[i]);
                assert_true(fabs(sum / N - nw_kde_exact(&kde.opts, points[p], zero)) <= 6.0 / sqrt((double)N));
                free(turns);
            }
            nw__waves_clear(&waves);
        }
}

/* ---- noise for pairs ---- */

static void pair_norm__is_a_norm_below_the_euclidean(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int t = 0; t < 200000; t++) {
        const int64_t x = (int64_t)(kde_noise(&seed) * 2e6) - 1000000, y = (int64_t)(kde_noise(&seed) * 2e6) - 1000000;
        const int64_t u = (int64_t)(kde_noise(&seed) * 2e6) - 1000000, v = (int64_t)(kde_noise(&seed) * 2e6) - 1000000;
        const double length = 65536.0 * hypot((double)x, (double)y);
        assert_true((double)nw__pair_norm(x, y) <= length);
        assert_true((double)nw__pair_norm(x, y) >= 0.9951 * length - 1.0);
        assert_true(nw__pair_norm(x + u, y + v) <= nw__pair_norm(x, y) + nw__pair_norm(u, v));
        assert_true(nw__pair_norm(x, y) == nw__pair_norm(-y, x));
        assert_true(10 * nw__pair_norm(x, y) >= 458752 * (uint64_t)(llabs(x) + llabs(y)));
    }
    assert_true(nw__pair_norm(0, 0) == 0);
}

/* b = 3: chi-squared over the 13 x 13 middle cells and the rest, 2e5 draws; 169 degrees of freedom, threshold at 1e-9: 310.
 * Noise with b = 2.9 gives about 1300. */
static void pair_noise__has_its_law(void **state)
{
    (void)state;
    enum { HALF = 6, SIDE = 2 * HALF + 1, DRAWS = 200000, REACH = 120 };
    const double b = 3.0;
    double law[SIDE][SIDE], total = 0.0, middle = 0.0, variance = 0.0;
    for (int64_t x = -REACH; x <= REACH; x++)
        for (int64_t y = -REACH; y <= REACH; y++) {
            const double p = exp(-(double)nw__pair_norm(x, y) / 65536.0 / b);
            total += p;
            variance += p * (double)(x * x);
            if (llabs(x) <= HALF && llabs(y) <= HALF)
                middle += law[x + HALF][y + HALF] = p;
        }
    int64_t *x = calloc(DRAWS, sizeof *x), *y = calloc(DRAWS, sizeof *y);
    double counts[SIDE][SIDE] = { { 0 } }, outside = 0.0;
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 4, NULL), NW_OK);
    assert_int_equal(nw__pair_noise_add(rng, 3, x, y, DRAWS, NULL), NW_OK);
    for (size_t i = 0; i < DRAWS; i++)
        if (llabs(x[i]) <= HALF && llabs(y[i]) <= HALF)
            counts[x[i] + HALF][y[i] + HALF]++;
        else
            outside++;
    const double expected_outside = DRAWS * (1.0 - middle / total);
    double chi = (outside - expected_outside) * (outside - expected_outside) / expected_outside;
    for (size_t i = 0; i < SIDE; i++)
        for (size_t j = 0; j < SIDE; j++) {
            const double expected = DRAWS * law[i][j] / total;
            chi += (counts[i][j] - expected) * (counts[i][j] - expected) / expected;
        }
    assert_true(chi < 310.0);
    assert_true(chi > 60.0);                                                        /* and not too good */
    assert_true(fabs(variance / total / (b * b) / NW__PAIR_VARIANCE - 1.0) < 0.01); /* the constant is the limit of large b */
    nw_rng_free(rng);
    free(x);
    free(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waves_hadamard__is_the_matrix),
        cmocka_unit_test(waves_add__rounds_cosines_and_sines_of_the_phases),
        cmocka_unit_test(waves_add__keeps_to_the_circle_far_away),
        cmocka_unit_test(waves_dot__is_the_sum_of_terms),
        cmocka_unit_test(frequencies__average_to_the_kernel),
        cmocka_unit_test(pair_norm__is_a_norm_below_the_euclidean),
        cmocka_unit_test(pair_noise__has_its_law),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
