/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* table.c - |x - y|^p summed over coordinates, and |x - y|_2 over projections, by cosine series of one coordinate.
 *
 * On a grid of T cells of [0, R] the function i -> |i R / T|^p, 0 <= i <= T, is a_0/2 + sum_k a_k cos(pi k i / T) exactly
 * (discrete cosine transform of the first kind, a_T halved), and cos(pi k (s - t) / T) = cos cos + sin sin. Released are C_k
 * and S_k, with less noise where |a_k| is large; queries read the noisy function from a table. No logarithm of the number of
 * points, as a tree has. |u|_2 = E |w.u| / kappa for w uniform on the sphere, kappa = Gamma(d/2) / (sqrt(pi) Gamma((d+1)/2)):
 * the same for public w. Proof note: docs/rooms/kde.md#tables. */
#include "kde_internal.h"

#include <math.h>
#include <stdlib.h>

static const double PI = 0x1.921fb54442d18p+1;
static const double PAIR_L1 = 0x1.6a09e667f3bcdp+20 + 1.0; /* both of a pair rounded to the nearest */
static const double PAIR_L2 = 0x1p20 + 0.75;
static const double NEGLIGIBLE = 1e-13;        /* of the largest coefficient: rounding of a zero */
static const double CLASS = 1.189207115002721; /* 2^(1/4): coefficients this close share a noise scale */
enum {
    DIRECTIONS = 2,
    COORDINATES = 16,
    FEW_QUERIES = 8,
    QUERIES = 256 /* at once: a row of the table is read once for all of them */
};

/* One frequency of one coordinate. */
typedef struct wave {
    uint32_t line;
    uint32_t k;
    double a;      /* its coefficient in a value */
    size_t cosine; /* where its totals are */
    size_t sine;
} wave;

/* Of a noisy function, between the middles of two cells. */
typedef struct piece {
    float value; /* at the first */
    float step;  /* to the second */
} piece;

typedef struct table {
    size_t lines;  /* coordinates, or projections */
    size_t cells;  /* T, of each */
    double *lower; /* of each line */
    double *width;
    double *scale;     /* cells a unit of each coordinate */
    float *directions; /* [lines][d]; NULL: the coordinates themselves */
    double factor;     /* of a line's function in a value */
    double constant;   /* what each point adds to a value: sum of a_0 / 2 */
    wave *waves;       /* by falling |a| */
    size_t wave_count;
    int32_t *cosines; /* rint(2^20 cos(2 pi j / 4 T)), j < 4 T */
    piece *pieces;    /* [lines][cells], after the release */
} table;

/* ---- what is public ---- */

static size_t cells_for(size_t lines)
{
    return lines <= 4 ? 4096 : lines <= 64 ? 1024 : 256;
}

/* a_k of i -> (i / T)^p, k = 0 .. T; those of a_0 and a_T halved. */
static void cosine_series(double *a, size_t T, double p, const double *cosine, double *powers)
{
    for (size_t i = 1; i < T; i++)
        powers[i] = pow((double)i / (double)T, p);
    for (size_t k = 0; k <= T; k++) {
        double sum = (k % 2 == 0 ? 0.5 : -0.5);
        for (size_t i = 1; i < T; i++)
            sum += powers[i] * cosine[2 * k * i % (4 * T)];
        a[k] = sum * (k == 0 || k == T ? 1.0 : 2.0) / (double)T;
    }
}

static int by_falling_coefficient(const void *x, const void *y)
{
    const wave *a = x, *b = y;
    const double m = fabs(a->a), n = fabs(b->a);
    if (m != n)
        return m > n ? -1 : 1;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->k < b->k ? -1 : a->k > b->k;
}

static nw_status make_lines(table *t, const nw_kde *kde, nw_error *err)
{
    const nw_kde_opts *o = &kde->opts;
    const size_t d = o->dimension;
    nw_rng *rng = NULL;
    t->lower = nw__calloc(t->lines, sizeof *t->lower);
    t->width = nw__calloc(t->lines, sizeof *t->width);
    if (o->kernel == NW_KDE_L2)
        t->directions = nw__calloc(t->lines * d, sizeof *t->directions);
    t->scale = nw__calloc(t->lines, sizeof *t->scale);
    if (t->lower == NULL || t->width == NULL || t->scale == NULL || (o->kernel == NW_KDE_L2 && t->directions == NULL))
        return nw__fail_memory(err, __func__);
    if (t->directions == NULL) {
        for (size_t j = 0; j < d; j++) {
            t->lower[j] = o->lower[j];
            t->width[j] = o->upper[j] - o->lower[j];
            t->scale[j] = (double)t->cells / t->width[j];
        }
        return NW_OK;
    }
    NW__TRY(nw__kde_public_stream(&rng, kde, DIRECTIONS, err));
    for (size_t l = 0; l < t->lines; l++) {
        float *w = t->directions + l * d;
        double square = 0.0;
        for (size_t j = 0; j < d; j++) {
            w[j] = (float)nw__kde_public_normal(rng);
            square += (double)w[j] * (double)w[j];
        }
        for (size_t j = 0; j < d; j++) {
            w[j] = (float)((double)w[j] / sqrt(square));
            const double p = (double)w[j] * o->lower[j], q = (double)w[j] * o->upper[j];
            t->lower[l] += fmin(p, q);
            t->width[l] += fabs(q - p);
        }
    }
    nw_rng_free(rng);
    return NW_OK;
}

static nw_status make_waves(table *t, double p, nw_error *err)
{
    const size_t T = t->cells;
    double *a = nw__calloc(T + 1, sizeof *a);
    double *cosine = nw__calloc(4 * T, sizeof *cosine), *powers = nw__calloc(T, sizeof *powers);
    t->waves = nw__calloc(t->lines * T, sizeof *t->waves);
    t->cosines = nw__calloc(4 * T, sizeof *t->cosines);
    const bool has_memory = a != NULL && cosine != NULL && powers != NULL && t->waves != NULL && t->cosines != NULL;
    for (size_t j = 0; has_memory && j < 4 * T; j++) {
        cosine[j] = cos(PI * (double)j / (double)(2 * T));
        t->cosines[j] = (int32_t)rint(NW__KDE_UNIT * cosine[j]);
    }
    if (has_memory) {
        cosine_series(a, T, p, cosine, powers);
        for (size_t l = 0; l < t->lines; l++) {
            const double scale = t->factor * pow(t->width[l], p);
            t->constant += a[0] * scale;
            for (size_t k = 1; k <= T; k++)
                if (fabs(a[k]) > NEGLIGIBLE * fabs(a[1]))
                    t->waves[t->wave_count++] = (wave){ .line = (uint32_t)l, .k = (uint32_t)k, .a = a[k] * scale };
        }
        qsort(t->waves, t->wave_count, sizeof *t->waves, by_falling_coefficient);
    }
    free(a);
    free(cosine);
    free(powers);
    return has_memory ? NW_OK : nw__fail_memory(err, __func__);
}

/* Waves of about the same coefficient get noise of the same scale. */
static nw_status make_blocks(nw_kde *kde, table *t, nw_error *err)
{
    const double unit = 1.0 / (NW__KDE_UNIT * NW__KDE_UNIT);
    for (size_t from = 0, to = 0; from < t->wave_count; from = to) {
        double weight = 0.0;
        while (to < t->wave_count && fabs(t->waves[to].a) * CLASS >= fabs(t->waves[from].a))
            weight += t->waves[to].a * t->waves[to].a * unit, to++;
        for (size_t w = from; w < to; w++) {
            t->waves[w].cosine = from + w;
            t->waves[w].sine = to + w;
        }
        const double n = (double)(to - from);
        NW__TRY(nw__kde_add_block(kde,
            &(nw__kde_block){ .count = 2 * (to - from),
                .l1 = n * PAIR_L1,
                .l2 = sqrt(n) * PAIR_L2 + 1.0,
                .pairs = n * PAIR_L2,
                .weight = weight },
            err));
    }
    if (kde->opts.public_points >= 0)
        return NW_OK;
    kde->counts_points = true;
    return nw__kde_add_block(kde, &(nw__kde_block){ .count = 1, .l1 = 1.0, .l2 = 1.0, .weight = t->constant * t->constant }, err);
}

static nw_status setup(nw_kde *kde, nw_error *err)
{
    const nw_kde_opts *o = &kde->opts;
    const bool is_l2 = o->kernel == NW_KDE_L2;
    const double d = (double)o->dimension;
    table *t = nw__calloc(1, sizeof *t);
    if (t == NULL)
        return nw__fail_memory(err, __func__);
    kde->tables = t;
    t->lines = is_l2 ? o->size : o->dimension;
    t->cells = is_l2 ? cells_for(t->lines) : o->size;
    const double kappa = exp(lgamma(0.5 * d) - lgamma(0.5 * (d + 1.0))) / sqrt(PI);
    t->factor = is_l2 ? 1.0 / (kappa * (double)t->lines) : 1.0;
    kde->needs_points = true;
    kde->sum_count = t->lines * t->cells;
    kde->plan.bytes += t->lines * t->cells * sizeof(piece) + (is_l2 ? t->lines * o->dimension * sizeof(float) : 0);
    if (!is_l2 && o->dimension <= 256)
        kde->query_batch = QUERIES; /* as long as their coordinates stay in the second cache */
    NW__TRY(make_lines(t, kde, err));
    NW__TRY(make_waves(t, o->kernel == NW_KDE_LPP ? o->power : 1.0, err));
    return make_blocks(kde, t, err);
}

/* ---- points in: exact counts of the cells of each line ---- */

/* In cells, from the lower end of line l. */
static double place(const table *t, size_t l, const float *x, size_t d)
{
    double p = 0.0;
    if (t->directions == NULL)
        p = (double)x[l];
    else
        for (size_t j = 0; j < d; j++)
            p += (double)t->directions[l * d + j] * (double)x[j];
    return (p - t->lower[l]) / t->width[l] * (double)t->cells;
}

static void add(const nw_kde *kde, const float *points, size_t n, int64_t *sums)
{
    const table *t = kde->tables;
    const size_t d = kde->opts.dimension;
    for (size_t i = 0; i < n; i++)
        for (size_t l = 0; l < t->lines; l++) {
            const double at = place(t, l, points + i * d, d);
            const size_t last = t->cells - 1;
            sums[l * t->cells + (at <= 0.0 ? 0 : at >= (double)last ? last : (size_t)at)]++;
        }
}

/* A point in cell s is at its middle, s + 1/2. Sums of wrapped products are right modulo 2^64; saturated counts are 2^63 at
 * most. */
static void encode(const nw_kde *kde, const int64_t *sums, int64_t *totals)
{
    const table *t = kde->tables;
    const size_t T = t->cells;
    for (size_t w = 0; w < t->wave_count; w++) {
        const int64_t *counts = sums + t->waves[w].line * T;
        const size_t k = t->waves[w].k;
        uint64_t c = 0, s = 0;
        for (size_t i = 0, angle = k; i < T; i++, angle = (angle + 2 * k) % (4 * T)) {
            c += (uint64_t)counts[i] * (uint64_t)(int64_t)t->cosines[angle];
            s += (uint64_t)counts[i] * (uint64_t)(int64_t)t->cosines[(angle + 3 * T) % (4 * T)]; /* sin x = cos(x - pi / 2) */
        }
        totals[t->waves[w].cosine] = (int64_t)c;
        totals[t->waves[w].sine] = (int64_t)s;
    }
}

/* ---- queries ---- */

static nw_status decode(nw_kde *kde, nw_error *err)
{
    table *t = kde->tables;
    const size_t T = t->cells;
    double *line = nw__calloc(t->lines * T, sizeof *line);
    t->pieces = nw__calloc(t->lines * T, sizeof *t->pieces);
    if (line == NULL || t->pieces == NULL) {
        free(line);
        return nw__fail_memory(err, __func__);
    }
    const double constant = t->constant * nw__kde_points_of(kde) / (double)t->lines;
    for (size_t i = 0; i < t->lines * T; i++)
        line[i] = constant;
    for (size_t w = 0; w < t->wave_count; w++) {
        const wave *v = &t->waves[w];
        const double c = v->a * (double)kde->totals[v->cosine] / NW__KDE_UNIT / NW__KDE_UNIT;
        const double s = v->a * (double)kde->totals[v->sine] / NW__KDE_UNIT / NW__KDE_UNIT;
        const size_t k = v->k;
        for (size_t i = 0, angle = k; i < T; i++, angle = (angle + 2 * k) % (4 * T))
            line[v->line * T + i] += c * t->cosines[angle] + s * t->cosines[(angle + 3 * T) % (4 * T)];
    }
    for (size_t i = 0; i < t->lines * T; i++) { /* the last of a line is not read */
        t->pieces[i].value = (float)line[i];
        t->pieces[i].step = i + 1 < t->lines * T ? (float)(line[i + 1] - line[i]) : 0.0F;
    }
    free(line);
    return NW_OK;
}

static double look_up(const table *t, size_t l, double at)
{
    const double x = at - 0.5; /* from the middle of the first cell */
    const double last = (double)(t->cells - 2);
    const size_t i = (size_t)(x <= 0.0 ? 0.0 : x >= last ? last : x);
    const piece p = t->pieces[l * t->cells + i];
    return (double)p.value + (x - (double)i) * (double)p.step;
}

/* A few coordinates of all queries, turned: [COORDINATES][QUERIES]. */
static void turn(const float *y, size_t m, size_t d, size_t first, size_t count, float (*turned)[QUERIES])
{
    for (size_t r = 0; r < m; r++)
        for (size_t c = 0; c < count; c++)
            turned[c][r] = y[r * d + first + c];
}

/* Adds the values of coordinate l at y[0] .. y[m - 1]: one row of the table, which stays in the first cache. */
NW__CLONES static void add_coordinate(const table *t, size_t l, const float *y, size_t m, double *sums)
{
    const piece *row = t->pieces + l * t->cells;
    const double lower = t->lower[l], scale = t->scale[l], last = (double)(t->cells - 2);
    double places[QUERIES];
    int32_t cells[QUERIES];
    piece found[QUERIES];
    for (size_t r = 0; r < m; r++) {
        const double x = ((double)y[r] - lower) * scale - 0.5; /* from the middle of the first cell */
        const double above = x > 0.0 ? x : 0.0;
        cells[r] = (int32_t)(above < last ? above : last);
        places[r] = x - (double)cells[r];
    }
    for (size_t r = 0; r < m; r++)
        found[r] = row[cells[r]];
    for (size_t r = 0; r < m; r++)
        sums[r] += (double)found[r].value + places[r] * (double)found[r].step;
}

/* The same, coordinate after coordinate of one query: the same operations in the same order. */
static double sum_alone(const table *t, const float *y)
{
    const double last = (double)(t->cells - 2);
    double sum = 0.0;
    for (size_t l = 0; l < t->lines; l++) {
        const double x = ((double)y[l] - t->lower[l]) * t->scale[l] - 0.5;
        const double above = x > 0.0 ? x : 0.0;
        const int32_t cell = (int32_t)(above < last ? above : last);
        const piece p = t->pieces[l * t->cells + (size_t)cell];
        sum += (double)p.value + (x - (double)cell) * (double)p.step;
    }
    return sum;
}

static void sum_coordinates(const table *t, const float *y, size_t m, double *values)
{
    for (size_t r = 0; m < FEW_QUERIES && r < m; r++)
        values[r] = sum_alone(t, y + r * t->lines);
    if (m < FEW_QUERIES)
        return;
    float turned[COORDINATES][QUERIES];
    for (size_t r = 0; r < m; r++)
        values[r] = 0.0;
    for (size_t l = 0; l < t->lines; l += COORDINATES) {
        const size_t count = t->lines - l < COORDINATES ? t->lines - l : COORDINATES;
        turn(y, m, t->lines, l, count, turned);
        for (size_t c = 0; c < count; c++)
            add_coordinate(t, l + c, turned[c], m, values);
    }
}

/* The variance of the noise is the same at every y: a^2 (cos^2 + sin^2). The spread of the projections' values has it in it. */
static void query(const nw_kde *kde, const float *y, size_t m, double *values, double *errors, double *room)
{
    (void)room;
    const table *t = kde->tables;
    const size_t d = kde->opts.dimension;
    const double n = (double)t->lines;
    if (t->directions == NULL) {
        sum_coordinates(t, y, m, values);
        for (size_t r = 0; errors != NULL && r < m; r++)
            errors[r] = kde->plan.noise;
        return;
    }
    for (size_t r = 0; r < m; r++) {
        double sum = 0.0, square = 0.0;
        for (size_t l = 0; l < t->lines; l++) {
            const double v = look_up(t, l, place(t, l, y + r * d, d));
            sum += v;
            square += v * v;
        }
        values[r] = sum;
        if (errors != NULL)
            errors[r] = n < 2.0 ? kde->plan.noise
                                : sqrt(fmax(n * square - sum * sum, 0.0) / (n - 1.0) +
                                       t->constant * t->constant * nw__kde_points_variance(kde));
    }
}

static void clear(nw_kde *kde)
{
    table *t = kde->tables;
    if (t == NULL)
        return;
    free(t->lower);
    free(t->width);
    free(t->scale);
    free(t->directions);
    free(t->waves);
    free(t->cosines);
    free(t->pieces);
    free(t);
}

const nw__kde_ops nw__kde_table = { NW_KDE_TABLE, setup, add, encode, decode, query, clear };
