/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* feed.c - see feed.h. The table holds codes: a code of a bin stands for the bin's middle, "missing" for no value at all. */
#include "feed.h"
#include "../common/exit.h"

#include <math.h>
#include <stdlib.h>

enum { BLOCK = 4096 };

/* Per code of the query's column: its number (of what is chosen among codes, the code), or the cell of a histogram. */
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
        t->values[code] = query_is_choice(q) && !isnan(low) ? code : low + (high - low) / 2.0;
        t->cells[code] = q->figure == FIGURE_HIST ? query_cell(q, &column, code) : 0;
    }
    return true;
}

static nw_status feed_block(
    nw_stats *stats, size_t i, const query *q, const nw_table *table, const code_table *t, size_t first, size_t n, nw_error *err)
{
    uint16_t keys[BLOCK] = { 0 };
    uint16_t codes[BLOCK] = { 0 };
    uint32_t groups[BLOCK];
    double values[BLOCK];
    nw_status status = NW_OK;
    if (q->key != QUERY_NO_COLUMN)
        status = nw_table_get(table, q->key, first, n, keys, err);
    if (status == NW_OK && q->column != QUERY_NO_COLUMN)
        status = nw_table_get(table, q->column, first, n, codes, err);
    for (size_t k = 0; status == NW_OK && k < n; k++) {
        groups[k] = keys[k] * q->cells + (t->cells == NULL ? 0 : t->cells[codes[k]]);
        values[k] = t->values == NULL ? 0.0 : t->values[codes[k]];
    }
    return status == NW_OK ? nw_stats_add(stats, i, groups, values, n, err) : status;
}

int feed(nw_stats *stats, size_t i, const query *q, const nw_table *table)
{
    nw_error err;
    code_table t = { NULL, NULL };
    nw_status status = NW_OK;
    const size_t rows = nw_table_rows(table);
    int code = APP_OK;
    if (q->column != QUERY_NO_COLUMN && !code_table_make(&t, q, nw_table_schema(table)))
        code = app_fail(APP_INTERNAL, NULL, "out of memory");
    for (size_t first = 0; code == APP_OK && status == NW_OK && first < rows; first += BLOCK)
        status = feed_block(stats, i, q, table, &t, first, rows - first < BLOCK ? rows - first : BLOCK, &err);
    if (status != NW_OK)
        code = app_fail_error(q->text, &err);
    free(t.values);
    free(t.cells);
    return code;
}
