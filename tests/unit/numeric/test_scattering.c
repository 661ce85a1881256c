/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_scattering.c - scattering features against circular convolutions in space, in double precision. */
#include <nw/scattering.h>

#include <complex.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { HEIGHT = 8, WIDTH = 12, ROWS = HEIGHT + 8, COLUMNS = WIDTH + 8, TORUS = ROWS * COLUMNS, SAMPLES = 6, SIZE = 81 * SAMPLES };

static const double pi = 3.14159265358979323846;

/* Single precision: 5 transforms of 16 and 20 points, whose values are below 1. */
static const double tolerance = 1e-5;

static float image_of(uint64_t *state)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return (float)((double)(*state >> 11) * 0x1p-53);
}

static void fill(float *image, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++)
        image[i] = image_of(&seed);
}

/* ---- the oracle ---- */

/* The wavelet as a quadratic form: exp(-x' R' diag(1, s^2) R x / (2 sigma^2)), the matrix written out. */
static double complex wave(double y, double x, double sigma, double theta, double xi, double slant)
{
    const double c = cos(theta);
    const double s = sin(theta);
    const double a = c * c + slant * slant * s * s;
    const double b = 2.0 * c * s * (1.0 - slant * slant);
    const double d = s * s + slant * slant * c * c;
    return slant / (2.0 * pi * sigma * sigma) * exp(-(a * y * y + b * x * y + d * x * x) / (2.0 * sigma * sigma)) *
           cexp(I * xi * (c * y + s * x));
}

static void ring(double complex *out, size_t rows, size_t columns, double sigma, double theta, double xi, double slant)
{
    for (size_t i = 0; i < rows * columns; i++) {
        out[i] = 0.0;
        for (int a = -3; a <= 3; a++)
            for (int b = -3; b <= 3; b++)
                out[i] += wave((double)(i / columns) + a * (double)rows, (double)(i % columns) + b * (double)columns, sigma,
                    theta, xi, slant);
    }
}

static void morlet(double complex *out, int scale, int angle)
{
    static double complex envelope[TORUS];
    const double sigma = scale == 0 ? 0.8 : 1.6;
    const double theta = (3 - angle) * pi / 8.0;
    double complex sum = 0.0;
    double complex envelope_sum = 0.0;
    ring(out, ROWS, COLUMNS, sigma, theta, scale == 0 ? 0.75 * pi : 0.375 * pi, 0.5);
    ring(envelope, ROWS, COLUMNS, sigma, theta, 0.0, 0.5);
    for (size_t i = 0; i < TORUS; i++) {
        sum += out[i];
        envelope_sum += envelope[i];
    }
    for (size_t i = 0; i < TORUS; i++)
        out[i] -= envelope[i] * sum / envelope_sum;
}

/* One pixel of x * filter. */
static double complex convolved(
    const double *x, const double complex *filter, size_t rows, size_t columns, size_t row, size_t column)
{
    double complex sum = 0.0;
    for (size_t y = 0; y < rows; y++)
        for (size_t z = 0; z < columns; z++)
            sum += x[y * columns + z] * filter[(row + rows - y) % rows * columns + (column + columns - z) % columns];
    return sum;
}

static void moduli(double *out, const double *x, const double complex *filter)
{
    for (size_t i = 0; i < TORUS; i++)
        out[i] = cabs(convolved(x, filter, ROWS, COLUMNS, i / COLUMNS, i % COLUMNS));
}

/* Compares a channel with x * phi at every fourth pixel of the image. */
static void check_full(const double *x, const float *features, size_t channel)
{
    static double complex phi[TORUS];
    ring(phi, ROWS, COLUMNS, 1.6, 0.0, 0.0, 1.0);
    for (size_t i = 0; i < SAMPLES; i++) {
        const double expected = creal(convolved(x, phi, ROWS, COLUMNS, 4 + 4 * (i / 3), 4 + 4 * (i % 3)));
        assert_true(fabs(expected - (double)features[channel * SAMPLES + i]) <= tolerance);
    }
}

/* The same on every second pixel of x. */
static void check_half(const double *x, const float *features, size_t channel)
{
    static double complex phi[TORUS / 4];
    static double coarse[TORUS / 4];
    for (size_t i = 0; i < TORUS / 4; i++)
        coarse[i] = x[2 * (i / (COLUMNS / 2)) * COLUMNS + 2 * (i % (COLUMNS / 2))];
    ring(phi, ROWS / 2, COLUMNS / 2, 0.8, 0.0, 0.0, 1.0);
    for (size_t i = 0; i < SAMPLES; i++) {
        const double expected = creal(convolved(coarse, phi, ROWS / 2, COLUMNS / 2, 2 + 2 * (i / 3), 2 + 2 * (i % 3)));
        assert_true(fabs(expected - (double)features[channel * SAMPLES + i]) <= tolerance);
    }
}

static void mirrored(double *out, const float *image)
{
    for (int y = 0; y < ROWS; y++)
        for (int x = 0; x < COLUMNS; x++) {
            int row = abs(y - 4);
            int column = abs(x - 4);
            row = row >= HEIGHT ? 2 * HEIGHT - 2 - row : row;
            column = column >= WIDTH ? 2 * WIDTH - 2 - column : column;
            out[y * COLUMNS + x] = (double)image[row * WIDTH + column];
        }
}

static void apply__is_convolutions_and_moduli(void **state)
{
    static double x[TORUS], first[TORUS], second[TORUS];
    static double complex fine[TORUS], coarse[TORUS];
    static float image[HEIGHT * WIDTH], features[SIZE];
    nw_scattering *s = NULL;
    (void)state;
    fill(image, HEIGHT * WIDTH, 1);
    assert_int_equal(nw_scattering_new(&s, HEIGHT, WIDTH, 0, NULL), NW_OK);
    assert_int_equal(nw_scattering_features(s), SIZE);
    assert_int_equal(nw_scattering_apply(s, image, 1, features, NULL), NW_OK);
    mirrored(x, image);
    check_full(x, features, 0);
    for (int angle = 0; angle < 8; angle++) {
        morlet(fine, 0, angle);
        moduli(first, x, fine);
        check_full(first, features, 1 + (size_t)angle);
        morlet(coarse, 1, angle);
        moduli(second, x, coarse);
        check_half(second, features, 9 + (size_t)angle);
        for (int other = angle % 3; other < 8; other += 3) { /* 22 of the 64 */
            morlet(coarse, 1, other);
            moduli(second, first, coarse);
            check_half(second, features, 17 + 8 * (size_t)angle + (size_t)other);
        }
    }
    nw_scattering_free(s);
}

/* ---- properties ---- */

static void apply__images_do_not_meet(void **state)
{
    enum { IMAGES = 37 };
    static float images[IMAGES][HEIGHT * WIDTH], together[IMAGES][SIZE], alone[SIZE];
    nw_scattering *s = NULL;
    (void)state;
    fill(images[0], IMAGES * HEIGHT * WIDTH, 2);
    images[5][3] = NAN;
    images[20][0] = INFINITY;
    assert_int_equal(nw_scattering_new(&s, HEIGHT, WIDTH, 0, NULL), NW_OK);
    assert_int_equal(nw_scattering_apply(s, images[0], IMAGES, together[0], NULL), NW_OK);
    for (size_t i = 0; i < IMAGES; i++) {
        assert_int_equal(nw_scattering_apply(s, images[i], 1, alone, NULL), NW_OK);
        for (size_t k = 0; k < SIZE; k++) {
            const bool is_nan = isnan(alone[k]);
            assert_true(is_nan ? isnan(together[i][k]) : together[i][k] == alone[k]);
            assert_true(!is_nan || i == 5 || i == 20);
        }
    }
    nw_scattering_free(s);
}

/* The edges of a picture turned by a quarter are where those of the picture were, and eight angles are half a turn. */
static void apply__a_quarter_turn_exchanges_angles(void **state)
{
    enum { SIDE = 8, FEATURES = 81 * 4 };
    static float image[SIDE * SIDE], turned[SIDE * SIDE], a[FEATURES], b[FEATURES];
    nw_scattering *s = NULL;
    (void)state;
    fill(image, SIDE * SIDE, 3);
    for (size_t y = 0; y < SIDE; y++)
        for (size_t x = 0; x < SIDE; x++)
            turned[x * SIDE + y] = image[y * SIDE + x]; /* mirrored at the diagonal: theta becomes pi / 2 - theta */
    assert_int_equal(nw_scattering_new(&s, SIDE, SIDE, 0, NULL), NW_OK);
    assert_int_equal(nw_scattering_apply(s, image, 1, a, NULL), NW_OK);
    assert_int_equal(nw_scattering_apply(s, turned, 1, b, NULL), NW_OK);
    for (size_t angle = 0; angle < 8; angle++)
        for (size_t i = 0; i < 4; i++) {
            const size_t other = (10 - angle) % 8; /* theta = (3 - angle) pi / 8 */
            assert_true(fabsf(a[(1 + angle) * 4 + i] - b[(1 + other) * 4 + i % 2 * 2 + i / 2]) <= 1e-6F);
        }
    nw_scattering_free(s);
}

static void apply__groups_have_mean_0_and_variance_1(void **state)
{
    static float images[2][HEIGHT * WIDTH], plain[2][SIZE], grouped[2][SIZE];
    nw_scattering *s = NULL;
    (void)state;
    fill(images[0], HEIGHT * WIDTH, 4); /* and one that is black */
    assert_int_equal(nw_scattering_new(&s, HEIGHT, WIDTH, 0, NULL), NW_OK);
    assert_int_equal(nw_scattering_apply(s, images[0], 2, plain[0], NULL), NW_OK);
    nw_scattering_free(s);
    assert_int_equal(nw_scattering_new(&s, HEIGHT, WIDTH, 27, NULL), NW_OK);
    assert_int_equal(nw_scattering_apply(s, images[0], 2, grouped[0], NULL), NW_OK);
    nw_scattering_free(s);
    for (size_t group = 0; group < 27; group++) {
        const size_t size = SIZE / 27;
        const float *const in = plain[0] + group * size;
        const float *const out = grouped[0] + group * size;
        double mean = 0.0;
        double variance = 0.0;
        for (size_t i = 0; i < size; i++)
            mean += (double)in[i] / (double)size;
        for (size_t i = 0; i < size; i++)
            variance += ((double)in[i] - mean) * ((double)in[i] - mean) / (double)size;
        for (size_t i = 0; i < size; i++)
            assert_true(fabs((double)out[i] - ((double)in[i] - mean) / sqrt(variance + 1e-5)) <= 1e-5);
    }
    for (size_t i = 0; i < SIZE; i++)
        assert_true(grouped[1][i] == 0.0F);
}

static void new__refuses_other_sizes_and_groups(void **state)
{
    static const size_t sides[] = { 0, 4, 9, 30, 132 };
    nw_scattering *s = NULL;
    nw_error err;
    (void)state;
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        assert_int_equal(nw_scattering_new(&s, sides[i], 28, 0, &err), NW_E_ARG);
        assert_non_null(strstr(err.message, "height is "));
        assert_int_equal(nw_scattering_new(&s, 28, sides[i], 0, &err), NW_E_ARG);
        assert_non_null(strstr(err.message, "width is "));
        assert_null(s);
    }
    assert_int_equal(nw_scattering_new(&s, 28, 28, 10, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "groups is 10"));
    assert_int_equal(nw_scattering_new(&s, 28, 28, 81, &err), NW_OK);
    assert_int_equal(nw_scattering_features(s), 3969);
    assert_int_equal(nw_scattering_apply(s, NULL, 0, NULL, &err), NW_OK);
    assert_int_equal(nw_scattering_apply(s, NULL, 1, NULL, &err), NW_E_ARG);
    nw_scattering_free(s);
    nw_scattering_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(apply__is_convolutions_and_moduli),
        cmocka_unit_test(apply__images_do_not_meet),
        cmocka_unit_test(apply__a_quarter_turn_exchanges_angles),
        cmocka_unit_test(apply__groups_have_mean_0_and_variance_1),
        cmocka_unit_test(new__refuses_other_sizes_and_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
