/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* landmarks.c - Nystrom features at public points Z [WS01]: phi(x) = A k_Z(x) with |phi(x)|^2 <= k(x, x) = 1, and
 * f(y) ~ phi(y) . sum_x phi(x).
 *
 * Gaussian noise does not grow with the number of features: A = L^-1, L L' = K_Z + jitter I. Pure noise does, so its rows are
 * leading eigenvectors of K_Z, divided by sqrt(eigenvalue + jitter), as many as predict the least error. They are stretched by
 * public weights, more where landmarks are on average longer: a value's noise is then (sum of the pairs' root mean squares) /
 * epsilon instead of sqrt(their number) / epsilon.
 *
 * Points add k_Z(x), in whole units of 2^-26; the release multiplies the exact sums by the stretched A, in whole units of 2^-32,
 * which is exact but for one rounding. Proof note: docs/rooms/kde.md#landmarks. */
#include "landmarks.h"
#include "accountant_internal.h"
#include "pair_noise.h"
#include "spectrum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double JITTER = 1e-6;
static const double VALUE_UNIT = 0x1p26;
static const double MATRIX_UNIT = 0x1p32;
enum {
    SHIFT = 26 + 32 - NW__KDE_UNIT_BITS,
    MOST_LANDMARKS = NW__KDE_MOST_LANDMARKS,
    DIRECTIONS = 512, /* leading ones that are looked at */
    LEFT_OUT = 1024,  /* landmarks at which the approximation is tried, at most */
    START = 3         /* purpose of the public stream */
};
/* What |phi| may exceed 1 by, of the stretched rows in units of the weights' norm: |A| <= jitter^(-1/2) = 1000, values rounded by
 * 2^-27, entries by 2^-33, 8192 landmarks at most: 1000 sqrt(8192) 2^-27 + 8192 sqrt(8192) 2^-33 < 2^-10; the factorisation's own
 * rounding, below 8192^2 2^-50, is less than the jitter. */
static const double SLACK = 0x1p-10;
static const double LEAST_SHARE = 1e-12; /* of the first pair's mean square: no weight is zero */

typedef __int128 int128;

typedef struct landmarks {
    size_t count;
    size_t rank;
    double *columns;  /* [d][count]: coordinate by coordinate */
    double *matrix;   /* A, [rank][count] */
    double *stretch;  /* [rank]; squares add up to rank */
    double share;     /* mean over the landmarks of |stretched^-1 phi|^2 */
    int64_t *entries; /* stretched A in units, [rank][count] */
    double left;      /* approximation of a point's similarity */
    double average;   /* similarity of two landmarks */
    double *weights;  /* A' totals, after the release: f(y) = k_Z(y) . weights */
    double typical;   /* answer at a landmark, after the release */
} landmarks;

static bool is_full(const nw_kde_opts *o)
{
    return o->delta > 0.0 && (o->size == 0 || o->size == o->landmark_count);
}

/* ---- similarities ---- */

/* Kernel values of x and `count` points that lie coordinate by coordinate. Compiled for several processors. */
NW__CLONES static void kernels(const nw_kde_opts *o, const float *x, const double *columns, size_t count, double *values)
{
    const bool is_l1 = nw__kde_is_l1(o->kernel);
    for (size_t k = 0; k < count; k++)
        values[k] = 0.0;
    for (size_t j = 0; j < o->dimension; j++) {
        const double at = (double)x[j];
        const double *column = columns + j * count;
        if (is_l1)
            for (size_t k = 0; k < count; k++)
                values[k] += fabs(at - column[k]);
        else
            for (size_t k = 0; k < count; k++)
                values[k] += (at - column[k]) * (at - column[k]);
    }
    for (size_t k = 0; k < count; k++)
        values[k] = nw__kde_of_distance(o, values[k]);
}

static void similarities(const landmarks *t, const nw_kde_opts *o, double *k)
{
    for (size_t i = 0; i < t->count; i++)
        kernels(o, o->landmarks + i * o->dimension, t->columns, t->count, k + i * t->count);
}

/* ---- all of the landmarks' span ---- */

/* inverse = L^-1, lower, L L' = the leading n x n of k + jitter I, row by row. `factor` [n][n] is work. */
static void invert_factor(const double *k, size_t stride, size_t n, double *factor, double *inverse)
{
    memset(factor, 0, n * n * sizeof *factor);
    memset(inverse, 0, n * n * sizeof *inverse);
    for (size_t i = 0; i < n; i++) {
        double *row = factor + i * n, *out = inverse + i * n;
        for (size_t j = 0; j < i; j++) {
            row[j] = (k[i * stride + j] - nw__dot(row, factor + j * n, j)) / factor[j * n + j];
            nw__axpy(out, -row[j], inverse + j * n, j + 1);
        }
        row[i] = sqrt(fmax(k[i * stride + i] + JITTER - nw__dot(row, row, i), JITTER));
        out[i] = 1.0;
        for (size_t c = 0; c <= i; c++)
            out[c] /= row[i];
    }
}

/* The root mean square over n landmarks of the average of k - phi.phi with the others, each pair left out: with P = K^-1, what
 * the rest leaves of pair i, j is -P_ij / (P_ii P_jj - P_ij^2), by blocks [GVL13, sec. 2.1]. `precision` [n][n] is work. */
static double left_out(const double *inverse, size_t n, double *precision)
{
    double square = 0.0;
    memset(precision, 0, n * n * sizeof *precision);
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i <= r; i++)
            nw__axpy(precision + i * n, inverse[r * n + i], inverse + r * n, i + 1);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            precision[j * n + i] = precision[i * n + j];
    for (size_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (size_t j = 0; j < n; j++) {
            const double both = precision[i * n + i] * precision[j * n + j] - precision[i * n + j] * precision[i * n + j];
            sum += i == j || !(both > 0.0) ? 0.0 : -precision[i * n + j] / both;
        }
        square += n < 2 ? 1.0 : sum / (double)(n - 1) * (sum / (double)(n - 1));
    }
    return sqrt(square / (double)n);
}

/* ---- leading directions ---- */

/* Of pure noise, in a value: a pair has variance NW__PAIR_VARIANCE (sqrt(rank / 2) / epsilon)^2. `sum` of the pairs' root mean
 * squares. */
static double pure_noise(const nw_kde_opts *o, double sum)
{
    return sqrt(NW__PAIR_VARIANCE) * sum * nw__distance_factor(NW_ADD_REMOVE, o->adjacency) / o->epsilon;
}

static double pair_root(const double *values, size_t first, size_t count, size_t m)
{
    const double next = first + 1 < count ? fmax(values[first + 1], 0.0) : 0.0;
    return sqrt(fmax((fmax(values[first], 0.0) + next) / (double)m, LEAST_SHARE * values[0] / (double)m));
}

/* The rank of least predicted error, even if it can be. `off` [m]: each landmark's sum of similarities with the others that the
 * directions before leave. *cut: the root mean square of their average, at that rank. */
static size_t best_rank(const nw_kde_opts *o, const double *values, const double *vectors, size_t q, double points, double left,
    double *off, double *cut)
{
    const size_t m = o->landmark_count;
    size_t best = 1;
    double least = INFINITY, sum = 0.0;
    for (size_t k = 0; k < q; k++) {
        const double *u = vectors + k * m;
        double total = 0.0, square = 0.0;
        for (size_t i = 0; i < m; i++)
            total += u[i];
        for (size_t i = 0; i < m; i++) {
            off[i] -= values[k] * u[i] * (total - u[i]);
            square += off[i] * off[i];
        }
        if (k % 2 == 0)
            sum += pair_root(values, k, q, m);
        if (o->size != 0 ? k + 1 != o->size : k % 2 == 0 && q > 1)
            continue;
        const double average = sqrt(square / (double)m) / fmax((double)m - 1.0, 1.0);
        const double error = hypot(pure_noise(o, sum), points * (left + average));
        if (error < least) {
            least = error;
            best = k + 1;
            *cut = average;
        }
    }
    return best;
}

/* Squares add up to the rank, and are in proportion to the pairs' root mean squares. */
static void set_stretch(landmarks *t, const double *values, bool is_pure)
{
    const size_t r = t->rank;
    double sum = 0.0;
    for (size_t k = 0; k < r; k++)
        sum += pair_root(values, k - k % 2, r, t->count);
    t->share = 0.0;
    for (size_t k = 0; k < r; k++) {
        const double root = pair_root(values, k - k % 2, r, t->count);
        t->stretch[k] = is_pure ? sqrt((double)r * root / sum) * (1.0 - 0x1p-40) : 1.0;
        t->share += fmax(values[k], 0.0) / (double)t->count / (t->stretch[k] * t->stretch[k]);
    }
}

static nw_status make_leading(landmarks *t, nw_kde *kde, const double *k, double points, double *cut, nw_error *err)
{
    const nw_kde_opts *o = &kde->opts;
    const size_t m = t->count, wanted = o->size > DIRECTIONS ? o->size : DIRECTIONS, q = m < wanted ? m : wanted;
    nw_rng *rng = NULL;
    double *values = nw__calloc(q, sizeof *values), *vectors = nw__calloc(q, m * sizeof *vectors);
    double *off = nw__calloc(m, sizeof *off);
    nw_status status = values == NULL || vectors == NULL || off == NULL ? nw__fail_memory(err, __func__)
                                                                        : nw__kde_public_stream(&rng, kde, START, err);
    for (size_t i = 0; status == NW_OK && q < m && i < q * m; i++)
        vectors[i] = nw__kde_public_uniform(rng) - 0.5;
    nw_rng_free(rng);
    if (status == NW_OK)
        status = nw__leading_eigen(k, m, q, values, vectors, err);
    if (status == NW_OK) {
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < m; j++)
                off[i] += i == j ? 0.0 : k[i * m + j];
        t->rank = best_rank(o, values, vectors, q, points, t->left, off, cut);
        t->matrix = nw__calloc(t->rank, m * sizeof *t->matrix);
        t->stretch = nw__calloc(t->rank, sizeof *t->stretch);
        status = t->matrix == NULL || t->stretch == NULL ? nw__fail_memory(err, __func__) : NW_OK;
    }
    if (status == NW_OK) {
        for (size_t r = 0; r < t->rank; r++)
            nw__axpy(t->matrix + r * m, 1.0 / sqrt(fmax(values[r], 0.0) + JITTER), vectors + r * m, m);
        set_stretch(t, values, o->delta == 0.0);
    }
    free(values);
    free(vectors);
    free(off);
    return status;
}

/* ---- tables ---- */

static nw_status make_full(landmarks *t, nw_error *err)
{
    t->rank = t->count;
    t->stretch = nw__calloc(t->rank, sizeof *t->stretch);
    if (t->stretch == NULL)
        return nw__fail_memory(err, __func__);
    for (size_t r = 0; r < t->rank; r++)
        t->stretch[r] = 1.0;
    t->share = 1.0;
    return NW_OK;
}

/* `inverse` is kept where it is the matrix. */
static nw_status make(landmarks *t, nw_kde *kde, double points, nw_error *err)
{
    const nw_kde_opts *o = &kde->opts;
    const size_t m = t->count, d = o->dimension, tried = is_full(o) || m < LEFT_OUT ? m : LEFT_OUT;
    double cut = 0.0;
    t->columns = nw__calloc(m, d * sizeof *t->columns);
    double *k = nw__calloc(m, m * sizeof *k);
    double *work = nw__calloc(tried, tried * sizeof *work);
    double *inverse = nw__calloc(tried, tried * sizeof *inverse);
    nw_status status =
        t->columns == NULL || k == NULL || work == NULL || inverse == NULL ? nw__fail_memory(err, __func__) : NW_OK;
    if (status == NW_OK) {
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < d; j++)
                t->columns[j * m + i] = (double)o->landmarks[i * d + j];
        similarities(t, o, k);
        for (size_t i = 0; i < m * m; i++)
            t->average += k[i] / (double)m / (double)m;
        invert_factor(k, m, tried, work, inverse);
        t->left = left_out(inverse, tried, work);
        status = is_full(o) ? make_full(t, err) : make_leading(t, kde, k, points, &cut, err);
        t->left += cut;
    }
    if (status == NW_OK && is_full(o)) {
        t->matrix = inverse;
        inverse = NULL;
    }
    free(k);
    free(work);
    free(inverse);
    return status;
}

static nw_status make_entries(landmarks *t, nw_error *err)
{
    const size_t m = t->count;
    t->entries = nw__calloc(t->rank, m * sizeof *t->entries);
    if (t->entries == NULL)
        return nw__fail_memory(err, __func__);
    for (size_t r = 0; r < t->rank; r++)
        for (size_t k = 0; k < m; k++)
            t->entries[r * m + k] = (int64_t)rint(t->matrix[r * m + k] * t->stretch[r] * MATRIX_UNIT);
    return NW_OK;
}

nw_status nw__landmarks_predict(nw__landmark_prediction *out, nw_kde *kde, double points, nw_error *err)
{
    const nw_kde_opts *o = &kde->opts;
    landmarks *t = nw__calloc(1, sizeof *t);
    if (t == NULL)
        return nw__fail_memory(err, __func__);
    kde->tables = t;
    t->count = o->landmark_count;
    NW__TRY(make(t, kde, points, err));
    const double once = o->delta == 0.0 ? sqrt(0.5 * NW__PAIR_VARIANCE * (double)t->rank) / o->epsilon
                                        : 1.0 / nw__budget_mu(o->epsilon, o->delta);
    *out =
        (nw__landmark_prediction){ t->rank, once * sqrt(t->share) * nw__distance_factor(NW_ADD_REMOVE, o->adjacency), t->left };
    return NW_OK;
}

static nw_status setup(nw_kde *kde, nw_error *err)
{
    nw__landmark_prediction prediction;
    if (kde->tables == NULL)
        NW__TRY(nw__landmarks_predict(&prediction, kde, 1.0, err));
    landmarks *t = kde->tables;
    NW__TRY(make_entries(t, err));
    kde->sum_count = t->count;
    kde->room = t->count;
    kde->plan.bytes += t->count * (kde->opts.dimension + 1 + 2 * t->rank) * sizeof(double);
    const double r = (double)t->rank;
    double most = 1.0;
    for (size_t k = 0; k < t->rank; k++)
        most = fmax(most, t->stretch[k]);
    /* One more rounding, of a total to a whole unit, moves each by less than 1. */
    const double unit = NW__KDE_UNIT * (1.0 + SLACK);
    return nw__kde_add_block(kde,
        &(nw__kde_block){ .count = t->rank,
            .l1 = sqrt(r) * unit + r,
            .l2 = most * unit + sqrt(r),
            .pairs = t->rank % 2 == 0 ? sqrt(0.5 * r) * unit + r : 0.0,
            .weight = t->share / (NW__KDE_UNIT * NW__KDE_UNIT) },
        err);
}

/* ---- points in ---- */

static void add(const nw_kde *kde, const float *points, size_t n, int64_t *sums)
{
    const landmarks *t = kde->tables;
    double values[MOST_LANDMARKS];
    for (size_t i = 0; i < n; i++) {
        kernels(&kde->opts, points + i * kde->opts.dimension, t->columns, t->count, values);
        for (size_t k = 0; k < t->count; k++)
            sums[k] += (int64_t)rint(VALUE_UNIT * values[k]);
    }
}

/* Where the totals of direction r are: of a pair, in the first half and the second. */
static size_t place_of(const landmarks *t, size_t r)
{
    return t->rank % 2 == 0 ? r / 2 + r % 2 * (t->rank / 2) : r;
}

/* |sums| <= 2^63, entries <= 1000 sqrt(8192) 2^32 < 2^49, 2^13 of them: below 2^126. */
static void encode(const nw_kde *kde, const int64_t *sums, int64_t *totals)
{
    const landmarks *t = kde->tables;
    for (size_t r = 0; r < t->rank; r++) {
        int128 total = (int128)1 << (SHIFT - 1);
        for (size_t k = 0; k < t->count; k++)
            total += (int128)t->entries[r * t->count + k] * sums[k];
        total >>= SHIFT;
        totals[place_of(t, r)] = total > INT64_MAX ? INT64_MAX : total < INT64_MIN ? INT64_MIN : (int64_t)total;
    }
}

/* ---- queries ---- */

static nw_status decode(nw_kde *kde, nw_error *err)
{
    landmarks *t = kde->tables;
    const size_t m = t->count, tried = m < LEFT_OUT ? m : LEFT_OUT;
    t->weights = nw__calloc(m, sizeof *t->weights);
    double *similar = nw__calloc(m, sizeof *similar);
    if (t->weights == NULL || similar == NULL) {
        free(similar);
        return nw__fail_memory(err, __func__);
    }
    for (size_t r = 0; r < t->rank; r++)
        nw__axpy(t->weights, (double)kde->totals[place_of(t, r)] / NW__KDE_UNIT / t->stretch[r], t->matrix + r * m, m);
    for (size_t i = 0; i < tried; i++) {
        kernels(&kde->opts, kde->opts.landmarks + i * kde->opts.dimension, t->columns, m, similar);
        t->typical += fabs(nw__dot(t->weights, similar, m)) / (double)tried;
    }
    free(similar);
    return NW_OK;
}

/* |stretched^-1 phi(y)|^2. Of all landmarks' span it is 1 at most, and not worth a product with the matrix. */
static double share_at(const nw_kde *kde, const landmarks *t, const double *similar)
{
    double square = 0.0;
    if (is_full(&kde->opts))
        return 1.0;
    for (size_t r = 0; r < t->rank; r++) {
        const double phi = nw__dot(t->matrix + r * t->count, similar, t->count) / t->stretch[r];
        square += phi * phi;
    }
    return square;
}

/* The error is that of the noise, and what the landmarks leave of each other, for as many points as answers at them say. */
static void query(const nw_kde *kde, const float *y, size_t m, double *values, double *errors, double *room)
{
    const landmarks *t = kde->tables;
    const double rest = t->typical * t->left / t->average, unit = kde->blocks[0].deviation / NW__KDE_UNIT;
    for (size_t r = 0; r < m; r++) {
        kernels(&kde->opts, y + r * kde->opts.dimension, t->columns, t->count, room);
        values[r] = nw__dot(t->weights, room, t->count);
        if (errors != NULL)
            errors[r] = hypot(unit * sqrt(share_at(kde, t, room)), rest);
    }
}

static void clear(nw_kde *kde)
{
    landmarks *t = kde->tables;
    if (t == NULL)
        return;
    free(t->columns);
    free(t->matrix);
    free(t->stretch);
    free(t->entries);
    free(t->weights);
    free(t);
    kde->tables = NULL;
}

const nw__kde_ops nw__kde_landmarks = { NW_KDE_LANDMARKS, setup, add, encode, decode, query, clear };
