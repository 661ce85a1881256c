/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* score_table.c - reading, cutting into cells, public random numbers. */
#include "score_table.h"
#include "../common/exit.h"
#include "../common/files.h"

#include <nw/testing.h>

#include <stdlib.h>
#include <string.h>

bool score_is_numeric(const nw_schema *schema, size_t column)
{
    const nw_column_type type = nw_schema_column(schema, column).type;
    return type == NW_COLUMN_INT || type == NW_COLUMN_FLOAT || type == NW_COLUMN_DATE;
}

/* ---- reading ---- */

typedef struct filling {
    score_table *table;
    size_t capacity;
    bool is_out_of_memory;
} filling;

static bool grow(filling *f)
{
    const size_t wanted = f->capacity < 1024 ? 1024 : f->capacity + f->capacity / 2;
    if (wanted > SIZE_MAX / sizeof(double) / 2)
        return false;
    for (size_t c = 0; c < f->table->columns; c++) {
        double *larger = realloc(f->table->values[c], wanted * sizeof *larger);
        if (larger == NULL)
            return false;
        f->table->values[c] = larger;
    }
    f->capacity = wanted;
    return true;
}

static bool keep_row(void *context, const double *values)
{
    filling *f = context;
    if (f->table->rows == f->capacity && !grow(f)) {
        f->is_out_of_memory = true;
        return false;
    }
    for (size_t c = 0; c < f->table->columns; c++)
        f->table->values[c][f->table->rows] = values[c];
    f->table->rows++;
    return true;
}

bool score_table_new(score_table *table, const nw_schema *schema, size_t rows)
{
    *table = (score_table){ .schema = schema, .columns = nw_schema_columns(schema) };
    table->values = calloc(table->columns, sizeof *table->values);
    for (size_t c = 0; rows > 0 && table->values != NULL && c < table->columns; c++) {
        table->values[c] = calloc(rows, sizeof **table->values);
        if (table->values[c] == NULL)
            return false;
    }
    table->rows = rows;
    return table->values != NULL;
}

int score_table_read(score_table *table, const nw_schema *schema, const char *path, app_progress *progress)
{
    nw_error err;
    filling f = { .table = table };
    if (!score_table_new(table, schema, 0))
        return app_fail(APP_INTERNAL, path, "out of memory");
    const int code = app_check_input(path);
    if (code != APP_OK)
        return code;
    app_progress_step(progress, "reading", -1.0);
    const nw_status status = nw_table_scan_csv(schema, path, keep_row, &f, &err);
    app_progress_end(progress);
    if (f.is_out_of_memory)
        return app_fail(APP_INTERNAL, path, "out of memory");
    if (status != NW_OK)
        return app_fail_error(path, &err);
    return table->rows > 0 ? APP_OK : app_fail(APP_DATA, path, "has a header but no records, must have at least one");
}

void score_table_free(score_table *table)
{
    for (size_t c = 0; table->values != NULL && c < table->columns; c++)
        free(table->values[c]);
    free(table->values);
    table->values = NULL;
}

/* ---- cells ---- */

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

double *score_sorted(const score_table *table, size_t column, size_t *n)
{
    double *sorted = malloc((table->rows + 1) * sizeof *sorted);
    *n = 0;
    for (size_t r = 0; sorted != NULL && r < table->rows; r++) {
        if (!isnan(table->values[column][r]))
            sorted[(*n)++] = table->values[column][r];
    }
    if (sorted != NULL)
        qsort(sorted, *n, sizeof *sorted, compare);
    return sorted;
}

/* The distinct values among the quantiles 1/bins .. (bins-1)/bins: a value that many rows share ends a cell of its own or shares
 * it with what lies below, never with what lies above. */
static bool cut(score_cells *cells, const score_table *real, size_t column, size_t bins)
{
    size_t n;
    double *sorted = score_sorted(real, column, &n);
    double *edges = calloc(bins, sizeof *edges);
    size_t count = 0;
    if (sorted == NULL || edges == NULL) {
        free(sorted);
        free(edges);
        return false;
    }
    for (size_t i = 1; n > 0 && i < bins; i++) {
        const double edge = sorted[(size_t)ceil((double)n * (double)i / (double)bins) - 1];
        if (count == 0 || edge > edges[count - 1])
            edges[count++] = edge;
    }
    free(sorted);
    cells->edges[column] = edges;
    cells->edge_count[column] = count;
    cells->count[column] = (uint32_t)count + 2;
    return true;
}

bool score_cells_new(score_cells *cells, const score_table *real, size_t bins)
{
    const size_t columns = real->columns;
    *cells = (score_cells){ .columns = columns };
    cells->count = calloc(columns, sizeof *cells->count);
    cells->edges = calloc(columns, sizeof *cells->edges);
    cells->edge_count = calloc(columns, sizeof *cells->edge_count);
    if (cells->count == NULL || cells->edges == NULL || cells->edge_count == NULL)
        return false;
    for (size_t c = 0; c < columns; c++) {
        if (!score_is_numeric(real->schema, c)) {
            const nw_column column = nw_schema_column(real->schema, c);
            cells->count[c] = column.cells + (column.is_nullable ? 0 : 1);
        } else if (!cut(cells, real, c, bins)) {
            return false;
        }
    }
    return true;
}

void score_cells_free(score_cells *cells)
{
    for (size_t c = 0; cells->edges != NULL && c < cells->columns; c++)
        free(cells->edges[c]);
    free(cells->edges);
    free(cells->count);
    free(cells->edge_count);
}

/* The first edge that is not below x, by halving. */
static uint32_t cell_of(const double *edges, size_t n, double x)
{
    size_t low = 0;
    while (n > 0) {
        const size_t half = n / 2;
        if (edges[low + half] < x) {
            low += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return (uint32_t)low;
}

void score_cells_of(const score_cells *cells, const score_table *table, size_t column, uint32_t *out)
{
    const double *edges = cells->edges[column];
    const double *values = table->values[column];
    const uint32_t missing = cells->count[column] - 1;
    for (size_t r = 0; r < table->rows; r++) {
        if (isnan(values[r]))
            out[r] = missing;
        else
            out[r] = edges == NULL ? (uint32_t)values[r] : cell_of(edges, cells->edge_count[column], values[r]);
    }
}

/* ---- random numbers ---- */

bool score_random_new(score_random *random, uint64_t seed)
{
    *random = (score_random){ 0 };
    return nw_rng_new_insecure_seeded(&random->rng, seed, NULL) == NW_OK;
}

void score_random_free(score_random *random)
{
    nw_rng_free(random->rng);
}

size_t score_random_below(score_random *random, size_t n)
{
    uint64_t value = 0;
    if (nw_rng_uniform(random->rng, n, &value, NULL) != NW_OK)
        random->has_failed = true;
    return (size_t)value;
}

/* Box and Muller; both uniforms on a grid of 2^-53 that leaves out 0. */
double score_random_normal(score_random *random)
{
    const double two_pi = 6.283185307179586;
    const double u = ((double)score_random_below(random, (size_t)1 << 53) + 1.0) * 0x1p-53;
    const double v = (double)score_random_below(random, (size_t)1 << 53) * 0x1p-53;
    return sqrt(-2.0 * log(u)) * cos(two_pi * v);
}

/* ---- references ---- */

#define REFERENCE_SEED 20260103

bool score_table_resample(score_table *out, const score_table *real)
{
    score_random random;
    if (!score_table_new(out, real->schema, real->rows) || !score_random_new(&random, REFERENCE_SEED))
        return false;
    for (size_t r = 0; r < real->rows; r++) {
        const size_t drawn = score_random_below(&random, real->rows);
        for (size_t c = 0; c < real->columns; c++)
            out->values[c][r] = real->values[c][drawn];
    }
    score_random_free(&random);
    return !random.has_failed;
}

bool score_table_permute(score_table *out, const score_table *real)
{
    score_random random;
    if (!score_table_new(out, real->schema, real->rows) || !score_random_new(&random, REFERENCE_SEED + 1))
        return false;
    for (size_t c = 0; c < real->columns; c++) {
        double *values = out->values[c];
        memcpy(values, real->values[c], real->rows * sizeof *values);
        for (size_t n = real->rows; n > 1; n--) { /* Fisher and Yates */
            const size_t drawn = score_random_below(&random, n);
            const double last = values[n - 1];
            values[n - 1] = values[drawn];
            values[drawn] = last;
        }
    }
    score_random_free(&random);
    return !random.has_failed;
}
