/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* feed.c - see feed.h. Sums, means and variances take the numbers as the file has them; all else takes codes. */
#include "feed.h"
#include "../common/exit.h"
#include "tree.h"

#include <math.h>
#include <stdlib.h>

enum { BLOCK = 4096 };

/* Per code of the query's column: the code itself or its place in a tree, NaN if it is "missing"; or the cell of a histogram. */
typedef struct code_table {
    double *values;
    uint32_t *cells;
} code_table;

static bool code_table_make(code_table *t, const query *q, const nw_schema *schema)
{
    const nw_column column = nw_schema_column(schema, q->column);
    t->values = calloc(column.cells, sizeof *t->values);
    t->cells = calloc(column.cells, sizeof *t->cells);
    if (t->values == NULL || t->cells == NULL)
        return false;
    for (uint32_t code = 0; code < column.cells; code++) {
        double low, high;
        nw_schema_range(schema, q->column, code, &low, &high);
        t->values[code] = isnan(low) ? NAN : q->figure == FIGURE_QUANTILES ? tree_value(q, code) : code;
        t->cells[code] = q->figure == FIGURE_HIST ? query_cell(q, &column, code) : 0;
    }
    return true;
}

/* numbers: of the query's column from row `first`, or NULL: the codes' values count. */
static nw_status feed_block(const feed_targets *to, size_t i, const query *q, const nw_table *table, const code_table *t,
    const double *numbers, size_t first, size_t n, nw_error *err)
{
    uint16_t keys[BLOCK] = { 0 };
    uint16_t codes[BLOCK] = { 0 };
    uint32_t groups[BLOCK];
    double values[BLOCK];
    nw_status status = NW_OK;
    if (q->key != QUERY_NO_COLUMN)
        status = nw_table_get(table, q->key, first, n, keys, err);
    if (status == NW_OK && t->values != NULL)
        status = nw_table_get(table, q->column, first, n, codes, err);
    for (size_t k = 0; status == NW_OK && k < n; k++) {
        groups[k] = keys[k] * q->cells + (t->cells == NULL ? 0 : t->cells[codes[k]]);
        values[k] = t->values == NULL ? 0.0 : t->values[codes[k]];
    }
    if (status != NW_OK)
        return status;
    return q->figure == FIGURE_QUANTILES ? nw_tree_add(to->trees[i - to->figures], values, n, err)
                                         : nw_stats_add(to->stats, i, groups, numbers == NULL ? values : numbers, n, err);
}

static nw_status feed_query(
    const feed_targets *to, size_t i, const query *q, const nw_csv_reader *reader, const code_table *t, nw_error *err)
{
    nw_status status = NW_OK;
    const nw_table *table = nw_csv_reader_block(reader);
    const double *numbers = query_has_numbers(q) ? nw_csv_reader_numbers(reader, q->column) : NULL;
    const size_t rows = nw_table_rows(table);
    for (size_t first = 0; status == NW_OK && first < rows; first += BLOCK) {
        const size_t n = rows - first < BLOCK ? rows - first : BLOCK;
        status = feed_block(to, i, q, table, t, numbers == NULL ? NULL : numbers + first, first, n, err);
    }
    return status;
}

static nw_status feed_rows(const feed_targets *to, const query *queries, size_t count, const code_table *tables,
    nw_csv_reader *reader, uint64_t *total, nw_error *err)
{
    size_t rows = 0;
    nw_status status = nw_csv_reader_next(reader, &rows, err);
    while (status == NW_OK && rows > 0) {
        *total += rows;
        for (size_t i = 0; status == NW_OK && i < count; i++)
            status = feed_query(to, i, &queries[i], reader, &tables[i], err);
        if (status == NW_OK)
            status = nw_csv_reader_next(reader, &rows, err);
    }
    return status;
}

static nw_status want_numbers(nw_csv_reader *reader, const query *queries, size_t count, nw_error *err)
{
    nw_status status = NW_OK;
    for (size_t i = 0; status == NW_OK && i < count; i++)
        if (query_has_numbers(&queries[i]))
            status = nw_csv_reader_want_numbers(reader, queries[i].column, err);
    return status;
}

/* What the queries need; false if memory lacks. */
static bool prepare(const query *queries, size_t count, const nw_schema *schema, bool *is_wanted, code_table *tables)
{
    bool is_whole = true;
    for (size_t i = 0; is_whole && i < count; i++) {
        const query *q = &queries[i];
        if (q->key != QUERY_NO_COLUMN)
            is_wanted[q->key] = true;
        if (q->column == QUERY_NO_COLUMN || query_has_numbers(q))
            continue;
        is_wanted[q->column] = true;
        is_whole = code_table_make(&tables[i], q, schema);
    }
    return is_whole;
}

int feed(const feed_targets *to, const query *queries, size_t count, const nw_schema *schema, const app_share *share,
    app_progress *progress, uint64_t *rows)
{
    nw_error err;
    nw_csv_reader *reader = NULL;
    nw_status status = NW_OK;
    bool *is_wanted = calloc(nw_schema_columns(schema), sizeof *is_wanted);
    code_table *tables = calloc(count, sizeof *tables);
    const bool is_ready = is_wanted != NULL && tables != NULL && prepare(queries, count, schema, is_wanted, tables);
    *rows = 0;
    app_progress_step(progress, "reading", -1.0);
    if (is_ready)
        status = nw_csv_reader_open(&reader, schema, share->path, is_wanted, &err);
    if (reader != NULL)
        status = nw_csv_reader_share(reader, share->part, share->parts, &err);
    if (reader != NULL && status == NW_OK)
        status = want_numbers(reader, queries, count, &err);
    if (reader != NULL && status == NW_OK)
        status = feed_rows(to, queries, count, tables, reader, rows, &err);
    nw_csv_reader_close(reader);
    app_progress_end(progress);
    for (size_t i = 0; tables != NULL && i < count; i++) {
        free(tables[i].values);
        free(tables[i].cells);
    }
    free(tables);
    free(is_wanted);
    if (!is_ready)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    return status == NW_OK ? APP_OK : app_fail_error(share->path, &err);
}
