/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* table.c - the codes of a table, column by column in blocks of rows. */
#include "table_internal.h"

#include <stdlib.h>
#include <string.h>

struct nw_table {
    const nw_schema *schema;
    size_t rows;
    size_t blocks;
    size_t capacity; /* of `data`, in blocks */
    void **data;     /* block b of column c is data[b * columns + c] */
    uint32_t rows_per_unit; /* 0: not bounded */
    bool **spikes;   /* per column, per code: see nw__table_mark_spike; NULL: none */
};

static size_t block_bytes(const nw_table *table, size_t column, size_t rows)
{
    return rows * nw__code_bytes(table->schema->domains[column].column.cells);
}

size_t nw__table_blocks(const nw_table *table)
{
    return table->blocks;
}

size_t nw__table_block_rows(const nw_table *table, size_t block)
{
    const size_t first = block * NW__TABLE_BLOCK_ROWS;
    return table->rows - first < NW__TABLE_BLOCK_ROWS ? table->rows - first : NW__TABLE_BLOCK_ROWS;
}

void *nw__table_block_mutable(nw_table *table, size_t column, size_t block)
{
    return table->data[block * table->schema->columns + column];
}

const void *nw__table_block(const nw_table *table, size_t column, size_t block)
{
    return table->data[block * table->schema->columns + column];
}

/* Makes room for one more block's pointers; these double, the blocks themselves never move. */
static bool reserve_block(nw_table *table)
{
    if (table->blocks < table->capacity)
        return true;
    const size_t capacity = table->capacity == 0 ? 4 : 2 * table->capacity;
    size_t pointers;
    if (!nw__mul_size(capacity, table->schema->columns, &pointers))
        return false;
    void **data = nw__realloc_array(table->data, pointers, sizeof *data);
    if (data == NULL)
        return false;
    table->data = data;
    table->capacity = capacity;
    return true;
}

/* Appends a block of n zero codes a column. */
static nw_status append_rows(nw_table *table, size_t n, nw_error *err, const char *function)
{
    if (!reserve_block(table))
        return nw__fail_memory(err, function);
    void **block = table->data + table->blocks * table->schema->columns;
    for (size_t c = 0; c < table->schema->columns; c++) {
        block[c] = nw__calloc(block_bytes(table, c, n), 1);
        if (block[c] == NULL) {
            while (c-- > 0)
                free(block[c]);
            return nw__fail_memory(err, function);
        }
    }
    table->blocks++;
    table->rows += n;
    return NW_OK;
}

nw_status nw__table_append_block(nw_table *table, nw_error *err, const char *function)
{
    return append_rows(table, NW__TABLE_BLOCK_ROWS, err, function);
}

static void drop_last_block(nw_table *table)
{
    const size_t last = table->blocks - 1;
    for (size_t c = 0; c < table->schema->columns; c++)
        nw__free_wiped(nw__table_block_mutable(table, c, last), block_bytes(table, c, nw__table_block_rows(table, last)));
    table->rows = last * NW__TABLE_BLOCK_ROWS;
    table->blocks = last;
}

void nw__table_trim(nw_table *table, size_t rows)
{
    if (table->rows == rows)
        return;
    const size_t last = table->blocks - 1;
    const size_t kept = rows - last * NW__TABLE_BLOCK_ROWS;
    if (kept == 0) {
        drop_last_block(table);
        return;
    }
    table->rows = rows;
    /* A smaller copy of each column, one after another; the private codes are wiped in the old one, which realloc would not do.
     */
    for (size_t c = 0; c < table->schema->columns; c++) {
        void **slot = &table->data[last * table->schema->columns + c];
        const size_t bytes = block_bytes(table, c, kept);
        void *copy = nw__calloc(bytes, 1);
        if (copy == NULL)
            return; /* the larger block will do */
        memcpy(copy, *slot, bytes);
        nw__free_wiped(*slot, bytes); /* rows past the kept ones were never written */
        *slot = copy;
    }
}

/* Asks for the whole at once and gives it back untouched, so that a size that cannot be had is refused before memory fills up. */
static bool is_memory_there(const nw_table *table, size_t rows)
{
    size_t bytes = 0;
    for (size_t c = 0; c < table->schema->columns; c++)
        bytes += block_bytes(table, c, 1);
    void *probe = nw__mul_size(bytes, rows, &bytes) && bytes <= PTRDIFF_MAX ? nw__calloc(bytes, 1) : NULL;
    free(probe);
    return probe != NULL;
}

nw_status nw__table_check_schema(const nw_schema *schema, nw_error *err, const char *function)
{
    for (size_t c = 0; c < schema->columns; c++)
        if (schema->domains[c].column.type == NW_COLUMN_TEXT)
            return nw__fail(err, NW_E_UNSUPPORTED, function,
                "column \"%.100s\" is text, which a table of codes cannot hold: use a schema without it, or nw_csv_reader",
                schema->domains[c].column.name);
    return NW_OK;
}

nw_status nw__table_new(nw_table **out, const nw_schema *schema, nw_error *err, const char *function)
{
    nw_table *table = nw__calloc(1, sizeof *table);
    if (table == NULL)
        return nw__fail_memory(err, function);
    table->schema = nw__schema_share(schema);
    *out = table;
    return NW_OK;
}

void nw__table_show_rows(nw_table *table, size_t rows)
{
    table->rows = rows;
}

nw_status nw_table_new(nw_table **out, const nw_schema *schema, size_t rows, nw_error *err)
{
    nw_table *table = NULL;
    if (out != NULL)
        *out = NULL;
    if (out == NULL || schema == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : "schema");
    NW__TRY(nw__table_check_schema(schema, err, __func__));
    NW__TRY(nw__table_new(&table, schema, err, __func__));
    nw_status status = is_memory_there(table, rows) ? NW_OK : nw__fail_memory(err, __func__);
    while (status == NW_OK && table->rows < rows) {
        const size_t left = rows - table->rows;
        status = append_rows(table, left < NW__TABLE_BLOCK_ROWS ? left : NW__TABLE_BLOCK_ROWS, err, __func__);
    }
    if (status != NW_OK) {
        nw_table_free(table);
        return status;
    }
    *out = table;
    return NW_OK;
}

void nw_table_free(nw_table *table)
{
    if (table == NULL)
        return;
    while (table->blocks > 0)
        drop_last_block(table);
    for (size_t c = 0; table->spikes != NULL && c < table->schema->columns; c++)
        free(table->spikes[c]);
    free(table->spikes);
    free(table->data);
    nw_schema_free((nw_schema *)(uintptr_t)table->schema);
    free(table);
}

nw_status nw__table_mark_spike(nw_table *table, size_t column, uint32_t code, nw_error *err, const char *function)
{
    if (table->spikes == NULL)
        table->spikes = nw__calloc(table->schema->columns, sizeof *table->spikes);
    if (table->spikes == NULL)
        return nw__fail_memory(err, function);
    if (table->spikes[column] == NULL)
        table->spikes[column] = nw__calloc(table->schema->domains[column].column.cells, sizeof **table->spikes);
    if (table->spikes[column] == NULL)
        return nw__fail_memory(err, function);
    table->spikes[column][code] = true;
    return NW_OK;
}

bool nw__table_is_spike(const nw_table *table, size_t column, uint32_t code)
{
    return table->spikes != NULL && table->spikes[column] != NULL && table->spikes[column][code];
}

void nw__table_set_rows_per_unit(nw_table *table, uint32_t rows)
{
    table->rows_per_unit = rows;
}

uint32_t nw_table_rows_per_unit(const nw_table *table)
{
    return table->rows_per_unit;
}

size_t nw_table_rows(const nw_table *table)
{
    return table->rows;
}

const nw_schema *nw_table_schema(const nw_table *table)
{
    return table->schema;
}

static nw_status check_range(
    const nw_table *table, size_t column, size_t first, size_t n, const void *codes, nw_error *err, const char *function)
{
    if (table == NULL || (codes == NULL && n > 0))
        return nw__fail(err, NW_E_ARG, function, "%s is NULL", table == NULL ? "table" : "codes");
    if (column >= table->schema->columns)
        return nw__fail(err, NW_E_ARG, function, "column is %zu, must be less than %zu", column, table->schema->columns);
    if (first > table->rows || n > table->rows - first)
        return nw__fail(err, NW_E_ARG, function, "rows %zu .. %zu + %zu asked for, the table ends before them", first, first, n);
    return NW_OK;
}

nw_status nw_table_get(const nw_table *table, size_t column, size_t first, size_t n, uint16_t *codes, nw_error *err)
{
    NW__TRY(check_range(table, column, first, n, codes, err, __func__));
    const bool is_narrow = nw__code_bytes(table->schema->domains[column].column.cells) == 1;
    for (size_t i = 0; i < n;) {
        const size_t block = (first + i) / NW__TABLE_BLOCK_ROWS;
        const size_t row = (first + i) % NW__TABLE_BLOCK_ROWS;
        const size_t left = NW__TABLE_BLOCK_ROWS - row;
        const size_t m = n - i < left ? n - i : left;
        const void *data = nw__table_block(table, column, block);
        if (is_narrow)
            for (size_t j = 0; j < m; j++)
                codes[i + j] = ((const uint8_t *)data)[row + j];
        else
            memcpy(codes + i, (const uint16_t *)data + row, m * sizeof *codes);
        i += m;
    }
    return NW_OK;
}

nw_status nw_table_set(nw_table *table, size_t column, size_t first, size_t n, const uint16_t *codes, nw_error *err)
{
    NW__TRY(check_range(table, column, first, n, codes, err, __func__));
    const uint32_t cells = table->schema->domains[column].column.cells;
    for (size_t i = 0; i < n; i++) /* all before any is written */
        if (codes[i] >= cells)
            return nw__fail(err, NW_E_ARG, __func__, "a code of column \"%s\" is not less than its %u cells",
                table->schema->domains[column].column.name, cells);
    for (size_t i = 0; i < n;) {
        const size_t block = (first + i) / NW__TABLE_BLOCK_ROWS;
        const size_t row = (first + i) % NW__TABLE_BLOCK_ROWS;
        const size_t left = NW__TABLE_BLOCK_ROWS - row;
        const size_t m = n - i < left ? n - i : left;
        void *data = nw__table_block_mutable(table, column, block);
        if (nw__code_bytes(cells) == 1)
            for (size_t j = 0; j < m; j++)
                ((uint8_t *)data)[row + j] = (uint8_t)codes[i + j];
        else
            memcpy((uint16_t *)data + row, codes + i, m * sizeof *codes);
        i += m;
    }
    return NW_OK;
}
