/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "marginals.h"

#include <math.h>
#include <stdlib.h>

/* All codes of a table, column-major. */
static uint16_t *load(const nw_table *table, size_t columns)
{
    const size_t rows = nw_table_rows(table);
    uint16_t *codes = malloc((rows * columns + 1) * sizeof *codes);
    for (size_t j = 0; codes != NULL && j < columns; j++) {
        if (rows > 0 && nw_table_get(table, j, 0, rows, codes + j * rows, NULL) != NW_OK) {
            free(codes);
            return NULL;
        }
    }
    return codes;
}

/* One radix pass by a 16-bit digit. */
static void sort_by_digit(const uint64_t *in, uint64_t *out, size_t n, unsigned shift, size_t *starts)
{
    for (size_t d = 0; d <= 65536; d++)
        starts[d] = 0;
    for (size_t i = 0; i < n; i++)
        starts[((in[i] >> shift) & 0xffff) + 1]++;
    for (size_t d = 0; d < 65536; d++)
        starts[d + 1] += starts[d];
    for (size_t i = 0; i < n; i++)
        out[starts[(in[i] >> shift) & 0xffff]++] = in[i];
}

typedef struct keys {
    const uint16_t *codes;
    size_t rows;
    uint64_t *sorted;
    uint64_t *spare;
} keys;

static void make_keys(keys *t, const size_t *columns, unsigned k, size_t *starts)
{
    for (size_t r = 0; r < t->rows; r++) {
        t->sorted[r] = 0;
        for (unsigned c = 0; c < k; c++)
            t->sorted[r] = t->sorted[r] << 16 | t->codes[columns[c] * t->rows + r];
    }
    for (unsigned c = 0; c < k; c++) {
        sort_by_digit(t->sorted, t->spare, t->rows, 16 * c, starts);
        uint64_t *swap = t->sorted;
        t->sorted = t->spare;
        t->spare = swap;
    }
}

static size_t run_length(const keys *t, size_t at, uint64_t key)
{
    size_t n = 0;
    while (at + n < t->rows && t->sorted[at + n] == key)
        n++;
    return n;
}

static double distance(const keys *x, const keys *y)
{
    double sum = 0.0;
    size_t i = 0;
    size_t j = 0;
    while (i < x->rows || j < y->rows) {
        const uint64_t key = j == y->rows || (i < x->rows && x->sorted[i] < y->sorted[j]) ? x->sorted[i] : y->sorted[j];
        const size_t in_x = run_length(x, i, key);
        const size_t in_y = run_length(y, j, key);
        sum += fabs((double)in_x / (double)x->rows - (double)in_y / (double)y->rows);
        i += in_x;
        j += in_y;
    }
    return 0.5 * sum;
}

static bool next_subset(size_t *subset, unsigned k, size_t n)
{
    for (unsigned c = k; c-- > 0;) {
        if (subset[c] + (k - c) < n) {
            subset[c]++;
            for (unsigned later = c + 1; later < k; later++)
                subset[later] = subset[later - 1] + 1;
            return true;
        }
    }
    return false;
}

int marginal_tv(const nw_table *real, const nw_table *synthetic, unsigned k, marginal_score *score)
{
    const size_t columns = nw_schema_columns(nw_table_schema(real));
    keys x = { .codes = load(real, columns), .rows = nw_table_rows(real) };
    keys y = { .codes = load(synthetic, columns), .rows = nw_table_rows(synthetic) };
    size_t *starts = malloc(65537 * sizeof *starts);
    x.sorted = malloc((x.rows + 1) * sizeof *x.sorted);
    x.spare = malloc((x.rows + 1) * sizeof *x.spare);
    y.sorted = malloc((y.rows + 1) * sizeof *y.sorted);
    y.spare = malloc((y.rows + 1) * sizeof *y.spare);
    const bool is_ok = x.codes && y.codes && starts && x.sorted && x.spare && y.sorted && y.spare;
    *score = (marginal_score){ 0.0, 0.0, 0 };
    size_t subset[3] = { 0, 1, 2 };
    for (bool more = is_ok && columns >= k; more; more = next_subset(subset, k, columns)) {
        make_keys(&x, subset, k, starts);
        make_keys(&y, subset, k, starts);
        const double tv = distance(&x, &y);
        score->average += tv;
        score->largest = fmax(score->largest, tv);
        score->subsets++;
    }
    if (score->subsets > 0)
        score->average /= (double)score->subsets;
    free((void *)x.codes);
    free((void *)y.codes);
    free(starts);
    free(x.sorted);
    free(x.spare);
    free(y.sorted);
    free(y.spare);
    return is_ok ? 0 : -1;
}
