/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* kde_data.c - readers that know their tables, and nothing else. */
#include "kde_data.h"
#include "figures.h"
#include "spectrum.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    LINE = 4096,
    CONNECTION_FIELDS = 41,
    PIXELS = 784,
    TRAINING = 60000,
    TESTS = 10000,
    HALF = 5000,
    AXES = 50,
    ASKED = 400,
    SUBSPACE = 128
};

static double next_uniform(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return ((double)(*state >> 11) + 0.5) * 0x1p-53;
}

static double next_normal(uint64_t *state)
{
    const double radius = sqrt(-2.0 * log(next_uniform(state)));
    return radius * cos(6.283185307179586 * next_uniform(state));
}

static kde_points allocate(size_t n, size_t d)
{
    return (kde_points){ n, d, bench_need(calloc(n * d, sizeof(float))) };
}

kde_points kde_points_uniform(size_t n, size_t d)
{
    uint64_t state = 1;
    kde_points p = allocate(n, d);
    for (size_t i = 0; i < n * d; i++)
        p.x[i] = (float)next_uniform(&state);
    return p;
}

kde_points kde_points_towns(size_t n, size_t d)
{
    enum { TOWNS = 60, MOST = 3 };
    uint64_t state = 2;
    double middle[TOWNS][MOST], spread[TOWNS];
    kde_points p = allocate(n, d);
    for (size_t t = 0; t < TOWNS; t++) {
        spread[t] = 0.02 + 0.3 * next_uniform(&state) * next_uniform(&state);
        for (size_t j = 0; j < MOST; j++)
            middle[t][j] = 11.0 * next_uniform(&state);
    }
    for (size_t i = 0; i < n; i++) {
        const size_t town = (size_t)(TOWNS * next_uniform(&state) * next_uniform(&state));
        for (size_t j = 0; j < d; j++)
            p.x[i * d + j] = (float)fmin(fmax(middle[town][j] + spread[town] * next_normal(&state), 0.0), 11.0);
    }
    return p;
}

/* Fisher and Yates. */
static void shuffle(kde_points *p)
{
    uint64_t state = 3;
    for (size_t i = p->n; i > 1; i--) {
        const size_t k = (size_t)((double)i * next_uniform(&state));
        for (size_t j = 0; j < p->d; j++) {
            const float old = p->x[(i - 1) * p->d + j];
            p->x[(i - 1) * p->d + j] = p->x[k * p->d + j];
            p->x[k * p->d + j] = old;
        }
    }
}

/* ---- tables ---- */

static gzFile open_table(const char *folder, const char *name)
{
    char path[LINE];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    gzFile file = gzopen(path, "rb"); /* plain files, too */
    if (file == NULL)
        bench_fail(BENCH_NO_INPUT, path, "cannot be read");
    return file;
}

static size_t split(char *line, char **fields, size_t most)
{
    size_t n = 0;
    for (char *at = line; at != NULL && n < most; n++) {
        fields[n] = at;
        at = strchr(at, ',');
        if (at != NULL)
            *at++ = '\0';
    }
    return n;
}

static kde_points read_housing(const char *folder, size_t d)
{
    enum { ROWS = 30000, FIELDS = 10 };
    char line[LINE], *fields[FIELDS];
    gzFile file = open_table(folder, "california_housing/housing.csv");
    kde_points p = allocate(ROWS, d);
    p.n = 0;
    for (bool is_header = true; p.n < ROWS && gzgets(file, line, sizeof line) != NULL; is_header = false) {
        if (is_header)
            continue;
        if (split(line, fields, FIELDS) != FIELDS)
            bench_fail(BENCH_DATA, "california_housing/housing.csv", "a line has not ten fields");
        if (d == 1) {
            p.x[p.n] = strtof(fields[7], NULL);
        } else {
            p.x[p.n * 2] = fminf(fmaxf(strtof(fields[0], NULL) + 125.0F, 0.0F), 11.0F);
            p.x[p.n * 2 + 1] = fminf(fmaxf(strtof(fields[1], NULL) - 32.0F, 0.0F), 11.0F);
        }
        p.n++;
    }
    gzclose(file);
    shuffle(&p);
    return p;
}

kde_points kde_points_places(const char *folder)
{
    return read_housing(folder, 2);
}

kde_points kde_points_incomes(const char *folder)
{
    return read_housing(folder, 1);
}

kde_points kde_points_connections(const char *folder)
{
    static const double caps[] = { 60000, 1.4e9, 1.4e9, 1, 3, 14, 101, 5, 1, 8000, 1, 2, 8000, 100, 5, 10, 1, 1, 1, 511, 511, 1,
        1, 1, 1, 1, 1, 1, 255, 255, 1, 1, 1, 1, 1, 1, 1, 1 };
    enum { ROWS = 500000, COLUMNS = sizeof caps / sizeof *caps };
    char line[LINE], *fields[CONNECTION_FIELDS + 1];
    gzFile file = open_table(folder, "kddcup99_10pct/kddcup.data_10_percent.gz");
    kde_points p = allocate(ROWS, COLUMNS);
    for (p.n = 0; p.n < ROWS && gzgets(file, line, sizeof line) != NULL; p.n++) {
        if (split(line, fields, CONNECTION_FIELDS + 1) != CONNECTION_FIELDS + 1)
            bench_fail(BENCH_DATA, "kddcup99_10pct", "a line has not 42 fields");
        for (size_t j = 0; j < COLUMNS; j++) {
            const double value = strtod(fields[j == 0 ? 0 : j + 3], NULL); /* 1 .. 3 are names */
            p.x[p.n * COLUMNS + j] = (float)fmin(fmax(log1p(value) / log1p(caps[j]), 0.0), 1.0);
        }
    }
    gzclose(file);
    shuffle(&p);
    return p;
}

/* ---- images ---- */

static void read_images(const char *folder, const char *name, size_t n, uint8_t *pixels)
{
    uint8_t header[16];
    gzFile file = open_table(folder, name);
    bool is_whole = gzread(file, header, sizeof header) == (int)sizeof header;
    for (size_t i = 0; is_whole && i < n; i++)
        is_whole = gzread(file, pixels + i * PIXELS, PIXELS) == PIXELS;
    gzclose(file);
    if (!is_whole)
        bench_fail(BENCH_DATA, name, "is too short");
}

/* Leading eigenvectors, [SUBSPACE][PIXELS], of the covariance of the last HALF test images; and their mean. */
static void find_axes(const uint8_t *tests, double *mean, double *axes)
{
    nw_error err;
    uint64_t state = 4;
    double *a = bench_need(calloc(PIXELS * PIXELS, sizeof *a)), values[SUBSPACE], image[PIXELS];
    for (size_t i = 0; i < HALF; i++)
        for (size_t j = 0; j < PIXELS; j++)
            mean[j] += (double)tests[(TESTS - HALF + i) * PIXELS + j] / 255.0 / HALF;
    for (size_t i = 0; i < HALF; i++) {
        for (size_t j = 0; j < PIXELS; j++)
            image[j] = (double)tests[(TESTS - HALF + i) * PIXELS + j] / 255.0 - mean[j];
        for (size_t j = 0; j < PIXELS; j++)
            nw__axpy(a + j * PIXELS, image[j], image, PIXELS);
    }
    for (size_t i = 0; i < SUBSPACE * PIXELS; i++)
        axes[i] = next_uniform(&state) - 0.5;
    bench_check(nw__leading_eigen(a, PIXELS, SUBSPACE, values, axes, &err), &err);
    free(a);
}

kde_points kde_points_images(const char *folder)
{
    uint8_t *pixels = bench_need(malloc((TRAINING + TESTS) * PIXELS));
    double *axes = bench_need(calloc((SUBSPACE + 1) * PIXELS, sizeof *axes)), *mean = axes + SUBSPACE * PIXELS, image[PIXELS];
    read_images(folder, "mnist/train-images-idx3-ubyte.gz", TRAINING, pixels);
    read_images(folder, "mnist/t10k-images-idx3-ubyte.gz", TESTS, pixels + TRAINING * PIXELS);
    find_axes(pixels + TRAINING * PIXELS, mean, axes);
    kde_points p = allocate(TRAINING + ASKED, AXES);
    for (size_t i = 0; i < p.n; i++) {
        for (size_t j = 0; j < PIXELS; j++)
            image[j] = (double)pixels[i * PIXELS + j] / 255.0 - mean[j];
        for (size_t j = 0; j < AXES; j++)
            p.x[i * AXES + j] = (float)nw__dot(image, axes + j * PIXELS, PIXELS);
    }
    free(pixels);
    free(axes);
    return p;
}
