/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* spectrum.c - Householder's tridiagonal form and QL with implicit shifts [GVL13, sec. 8.3]; subspace iteration [GVL13,
 * sec. 8.2]. Inner loops run along rows, and are compiled for several processors: static, as clones would be exported else. */
#include "spectrum.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ITERATIONS = 2, MOST_STEPS = 60, BLOCK = 8, CHUNK = 512 };

/* ---- rows ---- */

NW__CLONES static double dot_of(const double *x, const double *y, size_t n)
{
    double sums[8] = { 0 };
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t k = 0; k < 8; k++)
            sums[k] += x[i + k] * y[i + k];
    for (; i < n; i++)
        sums[0] += x[i] * y[i];
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

NW__CLONES static void axpy_of(double *y, double factor, const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += factor * x[i];
}

/* (x, y) to (c x - s y, s x + c y). */
NW__CLONES static void rotate(double *x, double *y, double c, double s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double old = x[i];
        x[i] = c * old - s * y[i];
        y[i] = s * old + c * y[i];
    }
}

/* out [rows <= BLOCK][width <= CHUNK] = x [rows][n] times the columns from `column` on of a [n][n]. */
NW__CLONES static void multiply_block(
    const double *x, const double *a, size_t n, size_t rows, size_t column, size_t width, double (*out)[CHUNK])
{
    memset(out, 0, BLOCK * sizeof *out);
    for (size_t k = 0; k < n; k++)
        for (size_t r = 0; r < rows; r++) {
            const double factor = x[r * n + k];
            for (size_t c = 0; c < width; c++)
                out[r][c] += factor * a[k * n + column + c];
        }
}

double nw__dot(const double *x, const double *y, size_t n)
{
    return dot_of(x, y, n);
}

void nw__axpy(double *y, double factor, const double *x, size_t n)
{
    axpy_of(y, factor, x, n);
}

/* out [q][n] = x [q][n] a [n][n]. */
static void multiply(const double *x, const double *a, size_t q, size_t n, double *out)
{
    double block[BLOCK][CHUNK];
    for (size_t column = 0; column < n; column += CHUNK)
        for (size_t row = 0; row < q; row += BLOCK) {
            const size_t rows = q - row < BLOCK ? q - row : BLOCK, width = n - column < CHUNK ? n - column : CHUNK;
            multiply_block(x + row * n, a, n, rows, column, width, block);
            for (size_t r = 0; r < rows; r++)
                memcpy(out + (row + r) * n + column, block[r], width * sizeof *out);
        }
}

/* ---- all eigenvectors ---- */

/* a becomes tridiagonal by reflections I - b v v', v = row k of a from k + 1 on: diagonal d, below it e[k]. v and b are
 * kept. */
static void reduce(double *a, size_t n, double *d, double *e, double *b, double *p)
{
    for (size_t k = 0; k + 2 < n; k++) {
        double *v = a + k * n + k + 1;
        const size_t m = n - k - 1;
        const double length = sqrt(dot_of(v, v, m));
        d[k] = a[k * n + k];
        e[k] = v[0] > 0.0 ? -length : length;
        b[k] = 0.0;
        if (length <= DBL_MIN)
            continue;
        v[0] -= e[k];
        b[k] = 2.0 / dot_of(v, v, m);
        for (size_t i = 0; i < m; i++)
            p[i] = b[k] * dot_of(a + (k + 1 + i) * n + k + 1, v, m);
        axpy_of(p, -0.5 * b[k] * dot_of(p, v, m), v, m);
        for (size_t i = 0; i < m; i++) {
            double *row = a + (k + 1 + i) * n + k + 1;
            axpy_of(row, -v[i], p, m);
            axpy_of(row, -p[i], v, m);
        }
    }
    for (size_t k = n < 2 ? 0 : n - 2; k < n; k++)
        d[k] = a[k * n + k];
    if (n > 1)
        e[n - 2] = a[(n - 2) * n + n - 1];
    e[n - 1] = 0.0;
}

/* The product of the reflections, transposed: rows turn with the rotations to come. */
static void unfold(const double *a, size_t n, const double *b, double *z, double *p)
{
    memset(z, 0, n * n * sizeof *z);
    for (size_t i = 0; i < n; i++)
        z[i * n + i] = 1.0;
    for (size_t k = n < 2 ? 0 : n - 2; k-- > 0;) { /* z = z H_k, on the block from k + 1 on */
        const double *v = a + k * n + k + 1;
        const size_t m = n - k - 1;
        for (size_t i = 0; i < m; i++)
            p[i] = b[k] * dot_of(z + (k + 1 + i) * n + k + 1, v, m);
        for (size_t i = 0; i < m; i++)
            axpy_of(z + (k + 1 + i) * n + k + 1, -p[i], v, m);
    }
}

/* One implicit step on rows l .. m, where e[m] = 0. */
static void step(double *d, double *e, double *z, size_t n, size_t l, size_t m)
{
    double g = (d[l + 1] - d[l]) / (2.0 * e[l]);
    double r = hypot(g, 1.0), s = 1.0, c = 1.0, p = 0.0;
    g = d[m] - d[l] + e[l] / (g + copysign(r, g));
    for (size_t i = m; i-- > l;) {
        const double f = s * e[i], h = c * e[i];
        r = hypot(f, g);
        e[i + 1] = r;
        if (r == 0.0) { /* e[i + 1] splits here */
            d[i + 1] -= p;
            e[m] = 0.0;
            return;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        const double t = (d[i] - g) * s + 2.0 * c * h;
        p = s * t;
        d[i + 1] = g + p;
        g = c * t - h;
        rotate(z + i * n, z + (i + 1) * n, c, s, n);
    }
    d[l] -= p;
    e[l] = g;
    e[m] = 0.0;
}

static void diagonalise(double *d, double *e, double *z, size_t n)
{
    for (size_t l = 0; l < n; l++)
        for (int steps = 0; steps < MOST_STEPS; steps++) {
            size_t m = l;
            while (m + 1 < n && fabs(e[m]) > DBL_EPSILON * (fabs(d[m]) + fabs(d[m + 1])))
                m++;
            if (m == l)
                break;
            step(d, e, z, n, l, m);
        }
}

typedef struct ranked {
    double value;
    size_t at;
} ranked;

static int by_falling_value(const void *x, const void *y)
{
    const ranked *a = x, *b = y;
    return a->value != b->value ? (a->value > b->value ? -1 : 1) : a->at < b->at ? -1 : a->at > b->at;
}

nw_status nw__eigen(double *a, size_t n, double *values, double *vectors, nw_error *err)
{
    double *work = nw__calloc(4 * n, sizeof *work);
    double *z = nw__calloc(n * n, sizeof *z);
    ranked *order = nw__calloc(n, sizeof *order);
    const bool has_memory = work != NULL && z != NULL && order != NULL;
    if (has_memory) {
        double *d = work, *e = work + n, *b = work + 2 * n, *p = work + 3 * n;
        reduce(a, n, d, e, b, p);
        unfold(a, n, b, z, p);
        diagonalise(d, e, z, n);
        for (size_t i = 0; i < n; i++)
            order[i] = (ranked){ d[i], i };
        qsort(order, n, sizeof *order, by_falling_value);
        for (size_t i = 0; i < n; i++) {
            values[i] = order[i].value;
            memcpy(vectors + i * n, z + order[i].at * n, n * sizeof *vectors);
        }
    }
    free(work);
    free(z);
    free(order);
    return has_memory ? NW_OK : nw__fail_memory(err, __func__);
}

/* ---- the leading ones ---- */

/* Gram and Schmidt, twice, which makes rows orthogonal to rounding; a row that depends on those before it becomes a unit vector's
 * rest, of no meaning but orthogonal. */
static void orthonormalise(double *x, size_t q, size_t n)
{
    for (size_t i = 0; i < q; i++) {
        double *row = x + i * n;
        const double before = sqrt(dot_of(row, row, n));
        for (size_t attempt = 0; attempt <= n; attempt++) {
            for (int pass = 0; pass < 2; pass++)
                for (size_t j = 0; j < i; j++)
                    axpy_of(row, -dot_of(row, x + j * n, n), x + j * n, n);
            const double length = sqrt(dot_of(row, row, n));
            if (length > (attempt == 0 ? 1e-12 * before : 1e-6)) {
                for (size_t k = 0; k < n; k++)
                    row[k] /= length;
                break;
            }
            memset(row, 0, n * sizeof *row);
            row[(i + attempt) % n] = 1.0;
        }
    }
    /* Rows that lost almost all of their length are orthogonal to 1e-4 only after the passes above: once more. */
    for (size_t i = 0; i < q; i++) {
        double *row = x + i * n;
        for (size_t j = 0; j < i; j++)
            axpy_of(row, -dot_of(row, x + j * n, n), x + j * n, n);
        const double length = sqrt(dot_of(row, row, n));
        for (size_t k = 0; k < n; k++)
            row[k] /= length;
    }
}

nw_status nw__leading_eigen(const double *a, size_t n, size_t q, double *values, double *vectors, nw_error *err)
{
    double *image = nw__calloc(q, n * sizeof *image);
    double *small = nw__calloc(q, q * sizeof *small);
    double *turns = nw__calloc(q, q * sizeof *turns);
    const bool has_memory = image != NULL && small != NULL && turns != NULL;
    nw_status status = has_memory ? NW_OK : nw__fail_memory(err, __func__);
    if (status == NW_OK && q == n) {
        memcpy(image, a, n * n * sizeof *image);
        status = nw__eigen(image, n, values, vectors, err);
    } else if (status == NW_OK) {
        for (int i = 0; i < ITERATIONS; i++) {
            multiply(vectors, a, q, n, image);
            memcpy(vectors, image, q * n * sizeof *vectors);
            orthonormalise(vectors, q, n);
        }
        multiply(vectors, a, q, n, image);
        for (size_t i = 0; i < q; i++)
            for (size_t j = 0; j <= i; j++)
                small[i * q + j] = small[j * q + i] = dot_of(image + i * n, vectors + j * n, n);
        status = nw__eigen(small, q, values, turns, err);
        memset(image, 0, q * n * sizeof *image);
        for (size_t i = 0; status == NW_OK && i < q; i++)
            for (size_t j = 0; j < q; j++)
                axpy_of(image + i * n, turns[i * q + j], vectors + j * n, n);
        memcpy(vectors, image, q * n * sizeof *vectors);
    }
    free(image);
    free(small);
    free(turns);
    return status;
}
