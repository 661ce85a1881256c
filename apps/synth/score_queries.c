/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* score_queries.c - families of random queries, each the share of the rows that satisfy a predicate.
 *
 * prefix       [c = v] [x_i <= s] [x_j <= t]: c a category column, v one of its values, i and j numeric, s and t the values that
 *              random rows of the real table have there
 * half-space   [c = v] [<theta, z> > b]: theta normal, z all numeric columns, each moved and scaled to mean 0 and deviation 1 in
 *              the real table (missing: 0), b the projection of a random row of it
 * conjunction  [x_a in A] [x_b in B] [x_c in C]: three columns; for a category the value of a random row, for a number the values
 *              between those of two random rows
 * What a schema has too few columns for is left out of a query: without a category column [c = v], with one numeric column
 * [x_j <= t]. Prefix and half-space queries need a numeric column.
 * Follows the query families of [LTVW23]. Deviations: thresholds are values of random rows instead of uniform on the range, where
 * queries on columns with heavy tails would nearly all be about no rows or all. */
#include "score_measures.h"

#include <stdlib.h>

#define QUERY_SEED 20260102
#define MOST_TERMS 3

/* One factor of a query: a closed interval of a column. A missing value is in none, but for a category's own. */
typedef struct term {
    size_t column;
    double low, high;
    bool is_missing; /* satisfied by what is missing */
} term;

typedef struct query {
    term terms[MOST_TERMS];
    size_t count;
    const double *direction; /* half-space: of the numeric columns, with `threshold`; else NULL */
    double threshold;
} query;

typedef struct drawing {
    const score_table *real;
    score_random random;
    size_t *numeric, *categories; /* column numbers */
    size_t numeric_count, category_count;
    double *mean, *scale; /* of the numeric columns, in their order */
    double *direction;
} drawing;

const char *score_family_name(score_family family)
{
    static const char *const names[SCORE_FAMILIES] = { "prefix", "half_space", "conjunction" };
    return names[family];
}

/* ---- drawing ---- */

static void moments(const score_table *table, size_t column, double *mean, double *scale)
{
    double sum = 0.0;
    double squares = 0.0;
    size_t n = 0;
    for (size_t r = 0; r < table->rows; r++) {
        const double x = table->values[column][r];
        sum += isnan(x) ? 0.0 : x;
        n += isnan(x) ? 0 : 1;
    }
    *mean = n > 0 ? sum / (double)n : 0.0;
    for (size_t r = 0; r < table->rows; r++) {
        const double x = table->values[column][r] - *mean;
        squares += isnan(x) ? 0.0 : x * x;
    }
    const double deviation = n > 0 ? sqrt(squares / (double)n) : 0.0;
    *scale = deviation > 0.0 ? 1.0 / deviation : 0.0;
}

static bool drawing_new(drawing *d, const score_table *real)
{
    const size_t columns = real->columns;
    *d = (drawing){ .real = real };
    d->numeric = calloc(columns, sizeof *d->numeric);
    d->categories = calloc(columns, sizeof *d->categories);
    d->mean = calloc(columns, sizeof *d->mean);
    d->scale = calloc(columns, sizeof *d->scale);
    d->direction = calloc(columns, sizeof *d->direction);
    if (d->numeric == NULL || d->categories == NULL || d->mean == NULL || d->scale == NULL || d->direction == NULL)
        return false;
    for (size_t c = 0; c < columns; c++) {
        if (score_is_numeric(real->schema, c)) {
            moments(real, c, &d->mean[d->numeric_count], &d->scale[d->numeric_count]);
            d->numeric[d->numeric_count++] = c;
        } else {
            d->categories[d->category_count++] = c;
        }
    }
    return score_random_new(&d->random, QUERY_SEED);
}

static void drawing_free(drawing *d)
{
    score_random_free(&d->random);
    free(d->numeric);
    free(d->categories);
    free(d->mean);
    free(d->scale);
    free(d->direction);
}

/* The value that a random row of the real table has in a column; NaN if it is missing there. */
static double value_of_random_row(drawing *d, size_t column)
{
    return d->real->values[column][score_random_below(&d->random, d->real->rows)];
}

/* [c = v], v any value that is declared, a missing one not among them. */
static void add_category(drawing *d, query *q)
{
    if (d->category_count == 0)
        return;
    const size_t column = d->categories[score_random_below(&d->random, d->category_count)];
    const nw_column c = nw_schema_column(d->real->schema, column);
    const uint32_t values = c.is_nullable && c.cells > 1 ? c.cells - 1 : c.cells;
    const double v = (double)score_random_below(&d->random, values);
    q->terms[q->count++] = (term){ .column = column, .low = v, .high = v };
}

/* Where the random row has no value the interval is empty. */
static query draw_prefix(drawing *d)
{
    query q = { .count = 0 };
    const size_t first = score_random_below(&d->random, d->numeric_count);
    const size_t step = d->numeric_count < 2 ? 0 : 1 + score_random_below(&d->random, d->numeric_count - 1);
    add_category(d, &q);
    for (size_t i = 0; i < (step > 0 ? 2U : 1U); i++) {
        const size_t column = d->numeric[(first + i * step) % d->numeric_count];
        q.terms[q.count++] = (term){ .column = column, .low = -INFINITY, .high = value_of_random_row(d, column) };
    }
    return q;
}

static double project(const drawing *d, const double *direction, const score_table *table, size_t row)
{
    double sum = 0.0;
    for (size_t i = 0; i < d->numeric_count; i++) {
        const double z = (table->values[d->numeric[i]][row] - d->mean[i]) * d->scale[i];
        sum += isnan(z) ? 0.0 : direction[i] * z;
    }
    return sum;
}

static query draw_half_space(drawing *d)
{
    query q = { .direction = d->direction };
    add_category(d, &q);
    for (size_t i = 0; i < d->numeric_count; i++)
        d->direction[i] = score_random_normal(&d->random);
    q.threshold = project(d, d->direction, d->real, score_random_below(&d->random, d->real->rows));
    return q;
}

static query draw_conjunction(drawing *d)
{
    query q = { .count = 0 };
    const size_t columns = d->real->columns;
    while (q.count < MOST_TERMS && q.count < columns) {
        const size_t column = score_random_below(&d->random, columns);
        bool is_taken = false;
        for (size_t i = 0; i < q.count; i++)
            is_taken = is_taken || q.terms[i].column == column;
        if (is_taken)
            continue;
        const double a = value_of_random_row(d, column);
        const double b = score_is_numeric(d->real->schema, column) ? value_of_random_row(d, column) : a;
        q.terms[q.count++] =
            (term){ .column = column, .low = fmin(a, b), .high = fmax(a, b), .is_missing = isnan(a) && isnan(b) };
    }
    return q;
}

/* ---- answering ---- */

/* Each column's rows in the order of their values, the missing ones last: the rows of a term are neighbours there. */
typedef struct sorted_rows {
    const score_table *table;
    uint32_t **rows;
    size_t *present; /* rows of each column whose value is not missing */
} sorted_rows;

typedef struct valued_row {
    double value;
    uint32_t row;
} valued_row;

static int compare_rows(const void *a, const void *b)
{
    const valued_row *x = a;
    const valued_row *y = b;
    const int by_value = (x->value > y->value) - (x->value < y->value);
    return by_value != 0 ? by_value : (x->row > y->row) - (x->row < y->row);
}

static void sorted_rows_free(sorted_rows *s)
{
    for (size_t c = 0; s->rows != NULL && c < s->table->columns; c++)
        free(s->rows[c]);
    free(s->rows);
    free(s->present);
}

static void sort_column(sorted_rows *s, size_t column, valued_row *work)
{
    const double *values = s->table->values[column];
    size_t n = 0;
    size_t end = s->table->rows;
    for (size_t r = 0; r < s->table->rows; r++) {
        if (isnan(values[r]))
            s->rows[column][--end] = (uint32_t)r;
        else
            work[n++] = (valued_row){ values[r], (uint32_t)r };
    }
    qsort(work, n, sizeof *work, compare_rows);
    for (size_t i = 0; i < n; i++)
        s->rows[column][i] = work[i].row;
    s->present[column] = n;
}

static bool sorted_rows_new(sorted_rows *s, const score_table *table)
{
    *s = (sorted_rows){ .table = table };
    valued_row *work = calloc(table->rows, sizeof *work);
    s->rows = calloc(table->columns, sizeof *s->rows);
    s->present = calloc(table->columns, sizeof *s->present);
    bool is_good = work != NULL && s->rows != NULL && s->present != NULL && table->rows <= UINT32_MAX;
    for (size_t c = 0; is_good && c < table->columns; c++) {
        s->rows[c] = calloc(table->rows, sizeof **s->rows);
        is_good = s->rows[c] != NULL;
        if (is_good)
            sort_column(s, c, work);
    }
    free(work);
    return is_good;
}

/* How many rows of a column have a value below x, or at most x. */
static size_t rank_of(const sorted_rows *s, size_t column, double x, bool is_closed)
{
    size_t low = 0;
    for (size_t n = s->present[column]; n > 0;) {
        const size_t half = n / 2;
        const double value = s->table->values[column][s->rows[column][low + half]];
        const bool is_before = is_closed ? value <= x : value < x;
        low = is_before ? low + half + 1 : low;
        n = is_before ? n - half - 1 : half;
    }
    return low;
}

/* The rows of a term: *n of them from the returned one on. A NaN as a bound leaves none. */
static const uint32_t *rows_of(const sorted_rows *s, const term *t, size_t *n)
{
    const size_t present = s->present[t->column];
    size_t from = present;
    *n = 0;
    if (t->is_missing) {
        *n = s->table->rows - present;
    } else if (t->low <= t->high) {
        from = rank_of(s, t->column, t->low, false);
        *n = rank_of(s, t->column, t->high, true) - from;
    }
    return s->rows[t->column] + from;
}

static bool is_satisfied(const drawing *d, const query *q, const score_table *table, size_t row)
{
    for (size_t i = 0; i < q->count; i++) {
        const term *t = &q->terms[i];
        const double x = table->values[t->column][row];
        if (isnan(x) ? !t->is_missing : !(x >= t->low && x <= t->high))
            return false;
    }
    return q->direction == NULL || project(d, q->direction, table, row) > q->threshold;
}

/* Goes through the rows of the term that has the fewest. */
static double share(const drawing *d, const query *q, const sorted_rows *s)
{
    const uint32_t *rows = NULL;
    size_t n = s->table->rows;
    size_t count = 0;
    for (size_t i = 0; i < q->count; i++) {
        size_t found;
        const uint32_t *of_term = rows_of(s, &q->terms[i], &found);
        rows = found <= n ? of_term : rows;
        n = found <= n ? found : n;
    }
    for (size_t i = 0; i < n; i++)
        count += is_satisfied(d, q, s->table, rows == NULL ? i : rows[i]);
    return (double)count / (double)s->table->rows;
}

/* The errors of one family, a query answered once by each table: the real one is all[0], `spread` of the n others. */
static void ask_family(
    drawing *d, score_family family, const sorted_rows *all, size_t n, size_t queries, score_spread (*spread)[SCORE_FAMILIES])
{
    static query (*const draw[SCORE_FAMILIES])(drawing *) = { draw_prefix, draw_half_space, draw_conjunction };
    const bool is_asked = family == SCORE_CONJUNCTION || d->numeric_count > 0;
    for (size_t t = 0; t < n; t++)
        spread[t][family] = (score_spread){ is_asked ? 0.0 : NAN, is_asked ? 0.0 : NAN, is_asked ? queries : 0 };
    for (size_t i = 0; is_asked && i < queries; i++) {
        const query q = draw[family](d);
        const double truth = share(d, &q, &all[0]);
        for (size_t t = 0; t < n; t++) {
            const double error = fabs(truth - share(d, &q, &all[t + 1]));
            spread[t][family].average += error / (double)queries;
            spread[t][family].largest = fmax(spread[t][family].largest, error);
        }
    }
}

bool score_queries(
    const score_table *real, const score_table *const *others, size_t n, size_t queries, score_spread (*spread)[SCORE_FAMILIES])
{
    drawing d;
    sorted_rows *all = calloc(n + 1, sizeof *all);
    bool is_good = drawing_new(&d, real) && all != NULL;
    for (size_t t = 0; is_good && t <= n; t++)
        is_good = sorted_rows_new(&all[t], t == 0 ? real : others[t - 1]);
    for (int f = 0; is_good && f < SCORE_FAMILIES; f++)
        ask_family(&d, (score_family)f, all, n, queries, spread);
    is_good = is_good && !d.random.has_failed;
    for (size_t t = 0; all != NULL && t <= n; t++)
        sorted_rows_free(&all[t]);
    free(all);
    drawing_free(&d);
    return is_good;
}
