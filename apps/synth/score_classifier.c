/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* score_classifier.c - ridge logistic regression by Newton's method, its linear systems solved by conjugate gradients.
 *
 * Features: one indicator a category and one for a missing value; a number z = (x - mean) / deviation of the training table (0
 * if missing), its sign(z) log(1 + |z|), which tames heavy tails, and an indicator of missing. All sums run in the order of the
 * rows: the same tables give the same numbers. */
#include "score_measures.h"

#include <stdlib.h>
#include <string.h>

static const double RIDGE = 1.0; /* half the squared norm of the weights, once: the usual default */
enum { NEWTON_STEPS = 30, GRADIENT_STEPS = 200 };
static const double CONVERGED = 1e-6; /* relative to the first gradient: far below what moves one prediction in ten thousand */
static const double LEAST_CURVATURE = 1e-9; /* keeps the constant's row from being singular where every p is 0 or 1 */

/* How the columns become features: `first` is a column's first feature, `mean` and `scale` those of its numbers. */
typedef struct encoding {
    const nw_schema *schema;
    size_t target;
    size_t features; /* the constant included, as the last */
    size_t *first;
    double *mean, *scale;
    size_t width; /* features of a row that are not 0: at most */
} encoding;

/* Rows in order; row r has the features index[r * width ..] with value[r * width ..]. */
typedef struct design {
    size_t rows, width, features;
    uint32_t *index;
    double *value;
    double *label; /* 0 or 1 */
} design;

static void encoding_free(encoding *e)
{
    free(e->first);
    free(e->mean);
    free(e->scale);
}

static void centre(const score_table *table, size_t column, double *mean, double *scale)
{
    double squares = 0.0;
    size_t n = 0;
    *mean = 0.0;
    for (size_t r = 0; r < table->rows; r++) {
        const double x = table->values[column][r];
        if (isnan(x))
            continue;
        n++; /* Welford's update: no cancellation */
        const double step = x - *mean;
        *mean += step / (double)n;
        squares += step * (x - *mean);
    }
    *scale = n > 0 && squares > 0.0 ? sqrt((double)n / squares) : 0.0;
}

static bool encoding_new(encoding *e, const score_table *train, size_t target)
{
    const size_t columns = train->columns;
    *e = (encoding){ .schema = train->schema, .target = target };
    e->first = calloc(columns, sizeof *e->first);
    e->mean = calloc(columns, sizeof *e->mean);
    e->scale = calloc(columns, sizeof *e->scale);
    if (e->first == NULL || e->mean == NULL || e->scale == NULL)
        return false;
    for (size_t c = 0; c < columns; c++) {
        e->first[c] = e->features;
        if (c == target)
            continue;
        const bool is_numeric = score_is_numeric(train->schema, c);
        if (is_numeric)
            centre(train, c, &e->mean[c], &e->scale[c]);
        e->features += is_numeric ? 3 : nw_schema_column(train->schema, c).cells + 1;
        e->width += is_numeric ? 2 : 1;
    }
    e->features++;
    e->width++;
    return true;
}

static void put(design *d, size_t *at, size_t feature, double value)
{
    d->index[*at] = (uint32_t)feature;
    d->value[(*at)++] = value;
}

static void encode_row(design *d, const encoding *e, const score_table *table, size_t row, size_t at)
{
    const size_t end = at + d->width;
    for (size_t c = 0; c < table->columns; c++) {
        const double x = table->values[c][row];
        if (c == e->target)
            continue;
        if (!score_is_numeric(e->schema, c)) {
            put(d, &at, e->first[c] + (isnan(x) ? nw_schema_column(e->schema, c).cells : (size_t)x), 1.0);
        } else if (isnan(x)) {
            put(d, &at, e->first[c] + 2, 1.0);
        } else {
            const double z = (x - e->mean[c]) * e->scale[c];
            put(d, &at, e->first[c], z);
            put(d, &at, e->first[c] + 1, copysign(log1p(fabs(z)), z));
        }
    }
    put(d, &at, e->features - 1, 1.0);
    while (at < end) /* a row with fewer features: zeros */
        put(d, &at, 0, 0.0);
}

static void design_free(design *d)
{
    free(d->index);
    free(d->value);
    free(d->label);
}

static bool design_new(design *d, const encoding *e, const score_table *table, double positive)
{
    *d = (design){ .width = e->width, .features = e->features };
    d->index = calloc(table->rows * e->width + 1, sizeof *d->index);
    d->value = calloc(table->rows * e->width + 1, sizeof *d->value);
    d->label = calloc(table->rows + 1, sizeof *d->label);
    if (d->index == NULL || d->value == NULL || d->label == NULL)
        return false;
    for (size_t r = 0; r < table->rows; r++) {
        const double y = table->values[e->target][r];
        if (isnan(y))
            continue;
        d->label[d->rows] = y == positive ? 1.0 : 0.0;
        encode_row(d, e, table, r, d->rows++ * d->width);
    }
    return true;
}

static double score_row(const design *d, size_t row, const double *w)
{
    double sum = 0.0;
    for (size_t i = row * d->width; i < (row + 1) * d->width; i++)
        sum += d->value[i] * w[d->index[i]];
    return sum;
}

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* The constant is not shrunk. */
static double ridge(const design *d, size_t feature)
{
    return feature + 1 < d->features ? RIDGE : 0.0;
}

static double logistic(double t)
{
    return t >= 0.0 ? 1.0 / (1.0 + exp(-t)) : exp(t) / (1.0 + exp(t));
}

/* The objective at w: sum of log(1 + e^t) - y t, and the ridge. */
static double objective(const design *d, const double *w)
{
    double sum = 0.0;
    for (size_t r = 0; r < d->rows; r++) {
        const double t = score_row(d, r, w);
        sum += fmax(t, 0.0) + log1p(exp(-fabs(t))) - d->label[r] * t;
    }
    for (size_t i = 0; i < d->features; i++)
        sum += 0.5 * ridge(d, i) * w[i] * w[i];
    return sum;
}

/* The gradient at w, and each row's p (1 - p). */
static void gradient(const design *d, const double *w, double *g, double *curvature)
{
    for (size_t i = 0; i < d->features; i++)
        g[i] = ridge(d, i) * w[i];
    for (size_t r = 0; r < d->rows; r++) {
        const double p = logistic(score_row(d, r, w));
        curvature[r] = p * (1.0 - p);
        for (size_t i = r * d->width; i < (r + 1) * d->width; i++)
            g[d->index[i]] += (p - d->label[r]) * d->value[i];
    }
}

/* out = Hessian v. */
static void multiply(const design *d, const double *curvature, const double *v, double *out)
{
    for (size_t i = 0; i < d->features; i++)
        out[i] = (ridge(d, i) + LEAST_CURVATURE) * v[i];
    for (size_t r = 0; r < d->rows; r++) {
        const double s = curvature[r] * score_row(d, r, v);
        for (size_t i = r * d->width; i < (r + 1) * d->width; i++)
            out[d->index[i]] += s * d->value[i];
    }
}

/* The diagonal of the Hessian, inverted: indicators of rare and of frequent categories differ by their numbers of rows. */
static void precondition(const design *d, const double *curvature, double *inverse)
{
    for (size_t i = 0; i < d->features; i++)
        inverse[i] = ridge(d, i) + LEAST_CURVATURE;
    for (size_t r = 0; r < d->rows; r++) {
        for (size_t i = r * d->width; i < (r + 1) * d->width; i++)
            inverse[d->index[i]] += curvature[r] * d->value[i] * d->value[i];
    }
    for (size_t i = 0; i < d->features; i++)
        inverse[i] = 1.0 / inverse[i];
}

static double weighted_norm(const double *v, const double *weight, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += weight[i] * v[i] * v[i];
    return sum;
}

/* Solves Hessian x = g by conjugate gradients, to a hundredth of g: enough for Newton's method to converge. work: 4 vectors. */
static void solve(const design *d, const double *curvature, const double *g, double *x, double *work)
{
    const size_t n = d->features;
    double *residual = work;
    double *direction = work + n;
    double *image = work + 2 * n;
    double *inverse = work + 3 * n;
    precondition(d, curvature, inverse);
    memset(x, 0, n * sizeof *x);
    memcpy(residual, g, n * sizeof *g);
    for (size_t i = 0; i < n; i++)
        direction[i] = inverse[i] * g[i];
    double norm = weighted_norm(residual, inverse, n);
    const double wanted = norm * 1e-4;
    for (int step = 0; step < GRADIENT_STEPS && norm > wanted; step++) {
        multiply(d, curvature, direction, image);
        const double length = norm / dot(direction, image, n);
        for (size_t i = 0; i < n; i++) {
            x[i] += length * direction[i];
            residual[i] -= length * image[i];
        }
        const double next = weighted_norm(residual, inverse, n);
        for (size_t i = 0; i < n; i++)
            direction[i] = inverse[i] * residual[i] + next / norm * direction[i];
        norm = next;
    }
}

/* w -= t step, t halved until the objective falls. False if it no longer does. */
static bool descend(const design *d, double *w, const double *step, double *value)
{
    double t = 1.0;
    for (int halvings = 0; halvings < 30; halvings++, t *= 0.5) {
        for (size_t i = 0; i < d->features; i++)
            w[i] -= t * step[i];
        const double next = objective(d, w);
        if (next < *value) {
            *value = next;
            return true;
        }
        for (size_t i = 0; i < d->features; i++)
            w[i] += t * step[i];
    }
    return false;
}

/* The weights; NULL if memory lacks. */
static double *train_weights(const design *d)
{
    const size_t n = d->features;
    double *w = calloc(n, sizeof *w);
    double *work = calloc(6 * n, sizeof *work);
    double *curvature = calloc(d->rows + 1, sizeof *curvature);
    if (w == NULL || work == NULL || curvature == NULL) {
        free(w);
        w = NULL;
    }
    double value = w == NULL ? 0.0 : objective(d, w);
    double first = 0.0;
    for (int i = 0; w != NULL && i < NEWTON_STEPS; i++) {
        gradient(d, w, work, curvature);
        const double norm = sqrt(dot(work, work, n));
        first = i == 0 ? norm : first;
        if (norm <= CONVERGED * first)
            break;
        solve(d, curvature, work, work + n, work + 2 * n);
        if (!descend(d, w, work + n, &value))
            break;
    }
    free(work);
    free(curvature);
    return w;
}

/* ---- testing ---- */

typedef struct ranked {
    double score;
    double label;
} ranked;

static int compare_ranked(const void *a, const void *b)
{
    const ranked *x = a;
    const ranked *y = b;
    return (x->score > y->score) - (x->score < y->score);
}

/* The probability that a positive row scores above a negative one, ties counting half; NaN without both. */
static double area_under_curve(ranked *rows, size_t n)
{
    double below = 0.0; /* negatives */
    double wins = 0.0;
    double positives = 0.0;
    qsort(rows, n, sizeof *rows, compare_ranked);
    for (size_t i = 0; i < n;) {
        double tied[2] = { 0.0, 0.0 };
        const double score = rows[i].score;
        for (; i < n && rows[i].score == score; i++)
            tied[rows[i].label > 0.5]++;
        wins += tied[1] * (below + 0.5 * tied[0]);
        below += tied[0];
        positives += tied[1];
    }
    return below > 0.0 && positives > 0.0 ? wins / (below * positives) : NAN;
}

static bool test_weights(const design *d, const double *w, score_classifier *out)
{
    double right = 0.0;
    double hits = 0.0;
    double claimed = 0.0;
    double positives = 0.0;
    ranked *rows = calloc(d->rows + 1, sizeof *rows);
    if (rows == NULL)
        return false;
    for (size_t r = 0; r < d->rows; r++) {
        const double score = score_row(d, r, w);
        const double guess = score > 0.0 ? 1.0 : 0.0;
        right += guess == d->label[r];
        hits += guess * d->label[r];
        claimed += guess;
        positives += d->label[r];
        rows[r] = (ranked){ score, d->label[r] };
    }
    out->accuracy = d->rows > 0 ? right / (double)d->rows : NAN;
    out->f1 = claimed + positives > 0.0 ? 2.0 * hits / (claimed + positives) : NAN;
    out->auc = area_under_curve(rows, d->rows);
    free(rows);
    return true;
}

bool score_classify(const score_table *train, const score_table *test, size_t target, double positive, score_classifier *out)
{
    encoding e;
    design learn = { 0 };
    design judge = { 0 };
    double *w = NULL;
    bool is_good = encoding_new(&e, train, target) && design_new(&learn, &e, train, positive);
    if (is_good)
        is_good = (w = train_weights(&learn)) != NULL;
    if (is_good)
        is_good = design_new(&judge, &e, test, positive) && test_weights(&judge, w, out);
    free(w);
    design_free(&learn);
    design_free(&judge);
    encoding_free(&e);
    return is_good;
}
