/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* score_marginals.c - total variation distances of marginals; distances of the distributions of numbers. */
#include "score_measures.h"

#include <stdlib.h>
#include <string.h>

#define MOST_CELLS ((uint64_t)1 << 22) /* of an array of counts; marginals of more cells are counted by sorting */
#define SAMPLE_SEED 20260101

/* Both tables' rows, one below the other. A row of the real one counts `real_weight`, of the other one `other_weight` < 0, so
 * that a cell's sum is the difference of its shares times real rows times other rows: an exact integer. */
typedef struct stack {
    size_t rows;
    size_t real_rows;
    size_t columns;
    int64_t real_weight;
    int64_t other_weight;
    uint32_t **cells; /* [column][row] */
    uint64_t *count;  /* of each column, cells that no row has left out */
    uint64_t *pair;   /* workspaces: keys of a row, sums of the cells */
    uint64_t *key;
    int64_t *sums;
} stack;

static int compare_keys(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Renumbers a column's cells so that each has a row. */
static bool compress(stack *s, size_t column, uint32_t cells)
{
    uint32_t *number = calloc((size_t)cells, sizeof *number);
    if (number == NULL)
        return false;
    uint32_t used = 0;
    for (size_t r = 0; r < s->rows; r++) {
        uint32_t *cell = &s->cells[column][r];
        if (number[*cell] == 0)
            number[*cell] = ++used;
        *cell = number[*cell] - 1;
    }
    s->count[column] = used;
    free(number);
    return true;
}

static void stack_free(stack *s)
{
    for (size_t c = 0; s->cells != NULL && c < s->columns; c++)
        free(s->cells[c]);
    free(s->cells);
    free(s->count);
    free(s->pair);
    free(s->key);
    free(s->sums);
}

static bool stack_new(stack *s, const score_cells *cells, const score_table *real, const score_table *other)
{
    *s = (stack){ .rows = real->rows + other->rows, .real_rows = real->rows, .columns = real->columns };
    s->real_weight = (int64_t)other->rows;
    s->other_weight = -(int64_t)real->rows;
    s->cells = calloc(s->columns, sizeof *s->cells);
    s->count = calloc(s->columns, sizeof *s->count);
    s->pair = calloc(s->rows, sizeof *s->pair);
    s->key = calloc(s->rows, sizeof *s->key);
    s->sums = calloc((size_t)MOST_CELLS, sizeof *s->sums);
    bool is_good = s->cells != NULL && s->count != NULL && s->pair != NULL && s->key != NULL && s->sums != NULL;
    for (size_t c = 0; is_good && c < s->columns; c++) {
        s->cells[c] = calloc(s->rows, sizeof **s->cells);
        is_good = s->cells[c] != NULL;
        if (is_good) {
            score_cells_of(cells, real, c, s->cells[c]);
            score_cells_of(cells, other, c, s->cells[c] + real->rows);
            is_good = compress(s, c, cells->count[c]);
        }
    }
    return is_good;
}

/* The sum of the absolute sums of the cells that `key` names, in an array that is all zeros before and after. */
static double sum_in_array(stack *s, const uint64_t *key)
{
    double total = 0.0;
    for (size_t r = 0; r < s->real_rows; r++)
        s->sums[key[r]] += s->real_weight;
    for (size_t r = s->real_rows; r < s->rows; r++)
        s->sums[key[r]] += s->other_weight;
    for (size_t r = 0; r < s->rows; r++) {
        total += fabs((double)s->sums[key[r]]);
        s->sums[key[r]] = 0;
    }
    return total;
}

/* The same for keys that are too large for an array: both halves sorted, then merged. */
static double sum_by_sorting(const stack *s, uint64_t *key)
{
    double total = 0.0;
    size_t i = 0;
    size_t j = s->real_rows;
    qsort(key, s->real_rows, sizeof *key, compare_keys);
    qsort(key + s->real_rows, s->rows - s->real_rows, sizeof *key, compare_keys);
    while (i < s->real_rows || j < s->rows) {
        const uint64_t next = j == s->rows || (i < s->real_rows && key[i] <= key[j]) ? key[i] : key[j];
        int64_t sum = 0;
        for (; i < s->real_rows && key[i] == next; i++)
            sum += s->real_weight;
        for (; j < s->rows && key[j] == next; j++)
            sum += s->other_weight;
        total += fabs((double)sum);
    }
    return total;
}

/* k columns in increasing order; `is_new_pair`: the first two are not those of the call before. */
static double distance(stack *s, const size_t *columns, size_t k, bool is_new_pair)
{
    uint64_t cells = s->count[columns[0]];
    if (is_new_pair || k < 3) {
        const uint64_t width = k > 1 ? s->count[columns[1]] : 1;
        for (size_t r = 0; r < s->rows; r++)
            s->pair[r] = s->cells[columns[0]][r] * width + (k > 1 ? s->cells[columns[1]][r] : 0);
    }
    for (size_t i = 1; i < k; i++)
        cells *= s->count[columns[i]]; /* at most 65536^3 */
    for (size_t r = 0; r < s->rows; r++)
        s->key[r] = k < 3 ? s->pair[r] : s->pair[r] * s->count[columns[2]] + s->cells[columns[2]][r];
    const double total = cells <= MOST_CELLS ? sum_in_array(s, s->key) : sum_by_sorting(s, s->key);
    return total / (2.0 * (double)s->real_weight * -(double)s->other_weight);
}

static void take(score_variation *v, double value, const size_t *columns, size_t k)
{
    v->spread.average += value;
    if (v->spread.used++ == 0 || value > v->spread.largest) {
        v->spread.largest = value;
        memcpy(v->columns, columns, k * sizeof *columns);
    }
}

/* The next set of k of d columns in lexicographic order; false after the last. */
static bool next_set(size_t *columns, size_t k, size_t d)
{
    size_t i = k;
    while (i > 0 && columns[i - 1] == d - k + i - 1)
        i--;
    if (i == 0)
        return false;
    columns[i - 1]++;
    for (; i < k; i++)
        columns[i] = columns[i - 1] + 1;
    return true;
}

/* k distinct columns in increasing order. */
static void random_set(score_random *random, size_t *columns, size_t k, size_t d)
{
    for (size_t i = 0; i < k;) {
        const size_t drawn = score_random_below(random, d);
        size_t at = 0;
        while (at < i && columns[at] < drawn)
            at++;
        if (at < i && columns[at] == drawn)
            continue;
        memmove(columns + at + 1, columns + at, (i - at) * sizeof *columns);
        columns[at] = drawn;
        i++;
    }
}

static bool measure_sets(stack *s, size_t k, size_t most, score_variation *v)
{
    size_t columns[SCORE_MAX_WAYS + 1] = { 0, 1, 2 };
    size_t last[2] = { SIZE_MAX, SIZE_MAX };
    score_random random;
    const bool is_sample = v->sets > most;
    if (v->sets == 0)
        return true;
    if (!score_random_new(&random, SAMPLE_SEED + k))
        return false;
    for (size_t i = 0; i < (is_sample ? most : v->sets); i++) {
        if (is_sample)
            random_set(&random, columns, k, s->columns);
        const bool is_new_pair = columns[0] != last[0] || columns[1] != last[1];
        take(v, distance(s, columns, k, is_new_pair), columns, k);
        memcpy(last, columns, sizeof last);
        if (!is_sample && !next_set(columns, k, s->columns))
            break;
    }
    score_random_free(&random);
    return !random.has_failed;
}

bool score_variations(const score_cells *cells, const score_table *real, const score_table *other, size_t most,
    score_variation variation[SCORE_MAX_WAYS])
{
    stack s;
    const uint64_t d = real->columns;
    const uint64_t sets[SCORE_MAX_WAYS] = { d, d * (d - 1) / 2, d < 3 ? 0 : d * (d - 1) / 2 * (d - 2) / 3 };
    bool is_good = stack_new(&s, cells, real, other);
    for (size_t k = 1; is_good && k <= SCORE_MAX_WAYS; k++) {
        score_variation *v = &variation[k - 1];
        *v = (score_variation){ .sets = sets[k - 1] };
        is_good = measure_sets(&s, k, most, v);
        v->spread.average = v->spread.used > 0 ? v->spread.average / (double)v->spread.used : NAN;
        v->spread.largest = v->spread.used > 0 ? v->spread.largest : NAN;
    }
    stack_free(&s);
    return is_good;
}

/* ---- numbers ---- */

/* Walks up both sorted arrays; between two values that follow each other both distribution functions are constant. */
static void compare_sorted(const double *a, size_t n, const double *b, size_t m, double range, score_number *out)
{
    size_t i = 0;
    size_t j = 0;
    double before = 0.0;
    double gap = 0.0;
    out->ks = out->w1 = n > 0 && m > 0 ? 0.0 : NAN;
    while (n > 0 && m > 0 && (i < n || j < m)) {
        const double next = j == m || (i < n && a[i] <= b[j]) ? a[i] : b[j];
        out->w1 += range > 0.0 && gap > 0.0 ? gap * (next - before) / range : 0.0;
        while (i < n && a[i] == next)
            i++;
        while (j < m && b[j] == next)
            j++;
        gap = fabs((double)i / (double)n - (double)j / (double)m);
        out->ks = fmax(out->ks, gap);
        before = next;
    }
}

bool score_numbers(const score_table *real, const score_table *other, score_number *numbers, size_t *count)
{
    *count = 0;
    for (size_t c = 0; c < real->columns; c++) {
        if (!score_is_numeric(real->schema, c))
            continue;
        size_t n;
        size_t m;
        double *a = score_sorted(real, c, &n);
        double *b = score_sorted(other, c, &m);
        const bool is_good = a != NULL && b != NULL;
        const nw_column column = nw_schema_column(real->schema, c);
        if (is_good) {
            numbers[*count].column = c;
            compare_sorted(a, n, b, m, column.upper - column.lower, &numbers[(*count)++]);
        }
        free(a);
        free(b);
        if (!is_good)
            return false;
    }
    return true;
}
