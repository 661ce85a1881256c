/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* binning.c - counts by random binning, a RACE sketch [CS20] with the hash functions of [RR07, sec. 4]: in row r a coordinate
 * is cut into cells of pitch Gamma(2) bandwidths at a random place, and two points share all their cells with probability
 * exp(-|x - y|_1 / bandwidth); with bandwidth / t, t ~ Exp(1), with probability 1 / (1 + |x - y|_1 / bandwidth).
 * Cells are hashed to buckets, which adds chance meetings: f(y) ~ average over rows of (count - n / buckets) / (1 - 1 / buckets).
 * Proof note: docs/rooms/kde.md#binning. */
#include "kde_internal.h"

#include <math.h>
#include <stdlib.h>

enum { BUCKETS = 1024, BINNINGS = 3 };

typedef struct binning {
    size_t rows;
    double *pitch;  /* [rows][d] */
    double *shift;  /* [rows][d], in pitches */
    uint64_t *keys; /* [rows] of the hash */
} binning;

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 32)) * UINT64_C(0xd6e8feb86659fd93);
    x = (x ^ (x >> 32)) * UINT64_C(0xd6e8feb86659fd93);
    return x ^ (x >> 32);
}

static size_t bucket(const binning *b, size_t row, const float *x, size_t d)
{
    uint64_t hash = b->keys[row];
    for (size_t j = 0; j < d; j++) {
        const double at = floor((double)x[j] / b->pitch[row * d + j] + b->shift[row * d + j]);
        const double limited = at < -0x1p60 ? -0x1p60 : at > 0x1p60 ? 0x1p60 : at;
        hash = mix(hash ^ (uint64_t)(int64_t)limited) + j;
    }
    return mix(hash) % BUCKETS;
}

static nw_status setup(nw_kde *kde, nw_error *err)
{
    const nw_kde_opts *o = &kde->opts;
    const size_t d = o->dimension, rows = o->size;
    nw_rng *rng = NULL;
    binning *b = nw__calloc(1, sizeof *b);
    if (b == NULL)
        return nw__fail_memory(err, __func__);
    kde->tables = b;
    b->rows = rows;
    b->pitch = nw__calloc(rows, d * sizeof *b->pitch);
    b->shift = nw__calloc(rows, d * sizeof *b->shift);
    b->keys = nw__calloc(rows, sizeof *b->keys);
    if (b->pitch == NULL || b->shift == NULL || b->keys == NULL)
        return nw__fail_memory(err, __func__);
    NW__TRY(nw__kde_public_stream(&rng, kde, BINNINGS, err));
    for (size_t r = 0; r < rows; r++) {
        const double t = o->kernel == NW_KDE_RATIONAL_L1 ? -log(nw__kde_public_uniform(rng)) : 1.0;
        b->keys[r] = (uint64_t)(nw__kde_public_uniform(rng) * 0x1p63);
        for (size_t j = 0; j < d; j++) {
            const double gamma = -log(nw__kde_public_uniform(rng) * nw__kde_public_uniform(rng));
            b->pitch[r * d + j] = o->bandwidth / t * gamma;
            b->shift[r * d + j] = nw__kde_public_uniform(rng);
        }
    }
    nw_rng_free(rng);
    const double n = (double)rows;
    const double share = 1.0 / (1.0 - 1.0 / BUCKETS);
    kde->sum_count = rows * BUCKETS;
    kde->needs_points = true;
    kde->plan.bytes += rows * (2 * d + 1) * sizeof(double);
    NW__TRY(nw__kde_add_block(kde,
        &(nw__kde_block){ .count = kde->sum_count, .l1 = n, .l2 = sqrt(n) + 0x1p-40 * n, .weight = share * share / n }, err));
    if (o->public_points >= 0)
        return NW_OK;
    kde->counts_points = true;
    return nw__kde_add_block(
        kde, &(nw__kde_block){ .count = 1, .l1 = 1.0, .l2 = 1.0, .weight = share * share / (BUCKETS * BUCKETS) }, err);
}

static void add(const nw_kde *kde, const float *points, size_t n, int64_t *sums)
{
    const binning *b = kde->tables;
    const size_t d = kde->opts.dimension;
    for (size_t i = 0; i < n; i++)
        for (size_t r = 0; r < b->rows; r++)
            sums[r * BUCKETS + bucket(b, r, points + i * d, d)]++;
}

static nw_status decode(nw_kde *kde, nw_error *err)
{
    (void)kde;
    (void)err;
    return NW_OK;
}

static void query(const nw_kde *kde, const float *y, size_t m, double *values, double *errors, double *room)
{
    (void)room;
    const binning *b = kde->tables;
    const size_t d = kde->opts.dimension;
    const double rows = (double)b->rows, share = 1.0 / (1.0 - 1.0 / BUCKETS);
    const double chance = nw__kde_points_of(kde) / BUCKETS;
    for (size_t q = 0; q < m; q++) {
        double sum = 0.0, square = 0.0;
        for (size_t r = 0; r < b->rows; r++) {
            const double term = share * ((double)kde->totals[r * BUCKETS + bucket(b, r, y + q * d, d)] - chance);
            sum += term;
            square += term * term;
        }
        values[q] = sum / rows;
        if (errors != NULL) /* the rows are independent given the points */
            errors[q] = b->rows < 2 ? INFINITY : sqrt(fmax(square / rows - values[q] * values[q], 0.0) / (rows - 1.0));
    }
}

static void clear(nw_kde *kde)
{
    binning *b = kde->tables;
    if (b == NULL)
        return;
    free(b->pitch);
    free(b->shift);
    free(b->keys);
    free(b);
}

const nw__kde_ops nw__kde_binning = { NW_KDE_LSH, setup, add, NULL, decode, query, clear };
