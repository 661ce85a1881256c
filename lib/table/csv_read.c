/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* csv_read.c - a CSV file read under a schema into a table: header, rows, cells to codes. */
#include "csv_scan.h"
#include "table_internal.h"

#include <stdlib.h>

typedef struct reader {
    nw__csv csv;
    const nw_schema *schema;
    nw_table *table;
    size_t *order;      /* column i of the file is column order[i] of the schema */
    const char **names; /* in the file's order, then NULL */
    void **blocks;      /* the block being filled, in the file's order */
    double *values;     /* of one row, in the schema's order, instead of a table; else NULL */
} reader;

/* Blanks around an unquoted cell are not part of it; a quoted cell is taken as it is. */
static inline void trim(nw__csv_cell *cell)
{
    if (cell->is_quoted)
        return;
    while (cell->length > 0 && (cell->text[0] == ' ' || cell->text[0] == '\t')) {
        cell->text++;
        cell->length--;
    }
    while (cell->length > 0 && (cell->text[cell->length - 1] == ' ' || cell->text[cell->length - 1] == '\t'))
        cell->length--;
}

/* ---- header ---- */

static nw_status skip_byte_order_mark(nw__csv *csv, nw_error *err)
{
    static const char mark[] = "\xEF\xBB\xBF";
    while (csv->end - csv->cursor < 4 && !csv->is_at_end) /* the mark, and a byte to tell an empty file */
        NW__TRY(nw__csv_refill(csv, err));
    if (csv->end - csv->cursor >= 3 && memcmp(csv->cursor, mark, 3) == 0)
        csv->cursor += 3; /* nothing in it is special, so the mask stays right */
    return csv->cursor == csv->end
               ? nw__fail(err, NW_E_FORMAT, csv->function, "the file is empty: a header with the columns' names is needed")
               : NW_OK;
}

/* A column's name from the file, fit for a message: one line, cut. */
static const char *printable(const nw__csv_cell *cell, char out[64])
{
    size_t n = 0;
    for (; n < cell->length && n < 63; n++)
        out[n] = (unsigned char)cell->text[n] < ' ' || cell->text[n] == 0x7f ? '?' : cell->text[n];
    out[n] = '\0';
    return out;
}

static nw_status read_name(reader *r, const nw__csv_cell *cell, size_t line, bool *seen, nw_error *err)
{
    const size_t i = r->csv.column - 1;
    char name[64];
    size_t c = 0;
    while (c < r->schema->columns && (strlen(r->schema->domains[c].column.name) != cell->length ||
                                         memcmp(r->schema->domains[c].column.name, cell->text, cell->length) != 0))
        c++;
    if (c == r->schema->columns)
        return nw__csv_fail(&r->csv, err, line, i + 1, "the header names the column \"%s\", which the schema does not have",
            printable(cell, name));
    if (seen[c])
        return nw__csv_fail(&r->csv, err, line, i + 1, "the header names the column \"%s\" twice", printable(cell, name));
    seen[c] = true;
    r->order[i] = c;
    r->names[i] = r->schema->domains[c].column.name;
    return NW_OK;
}

static nw_status read_header(reader *r, nw_error *err)
{
    bool *seen = nw__calloc(r->schema->columns, sizeof *seen);
    if (seen == NULL)
        return nw__fail_memory(err, r->csv.function);
    nw_status status = skip_byte_order_mark(&r->csv, err);
    nw__csv_cell cell = {.stop = ','};
    for (r->csv.column = 1; status == NW_OK && cell.stop == ','; r->csv.column++) {
        const size_t line = r->csv.line;
        status = nw__csv_next(&r->csv, &cell, err);
        if (status != NW_OK)
            break;
        trim(&cell);
        status = read_name(r, &cell, line, seen, err);
    }
    for (size_t c = 0; status == NW_OK && c < r->schema->columns; c++)
        if (!seen[c])
            status = nw__fail(err, NW_E_FORMAT, r->csv.function, "line 1: the header lacks the column \"%.100s\" of the schema",
                r->schema->domains[c].column.name);
    free(seen);
    r->csv.names = r->names;
    return status;
}

/* ---- rows ---- */

static nw_status next_block(reader *r, nw_error *err)
{
    NW__TRY(nw__table_append_block(r->table, err, r->csv.function));
    const size_t last = nw__table_blocks(r->table) - 1;
    for (size_t i = 0; i < r->schema->columns; i++)
        r->blocks[i] = nw__table_block_mutable(r->table, r->order[i], last);
    return NW_OK;
}

static inline void store_cell(reader *r, size_t i, size_t row, nw__csv_cell *cell)
{
    const nw__domain *domain = &r->schema->domains[r->order[i]];
    trim(cell);
    if (r->values != NULL) {
        r->values[r->order[i]] = nw__domain_read_value(domain, cell->text, cell->length);
        return;
    }
    const uint16_t code = cell->length == 0 ? domain->missing_code : nw__domain_encode_text(domain, cell->text, cell->length);
    if (domain->column.cells <= 256)
        ((uint8_t *)r->blocks[i])[row] = (uint8_t)code;
    else
        ((uint16_t *)r->blocks[i])[row] = code;
}

/* After a blank line nothing but blank lines may come. In a table of one column too: there a missing cell is written "". */
static nw_status expect_end(reader *r, size_t blank_line, nw_error *err)
{
    nw__csv_cell cell = {.stop = '\n'};
    while (cell.stop == '\n') {
        r->csv.column = 1;
        NW__TRY(nw__csv_next(&r->csv, &cell, err));
        if (cell.length != 0 || cell.is_quoted || cell.stop == ',')
            return nw__csv_fail(&r->csv, err, blank_line, 1, "a blank line between rows");
    }
    return NW_OK;
}

static nw_status fail_ragged(reader *r, size_t line, size_t cells, nw_error *err)
{
    const size_t columns = r->schema->columns;
    return cells < columns
               ? nw__csv_fail(&r->csv, err, line, cells, "the row ends after %zu of %zu cells", cells, columns)
               : nw__csv_fail(&r->csv, err, line, columns + 1, "the row has more cells than the header, %zu", columns);
}

/* Reads one row to number `row` of the block; *is_end: there was none. */
static inline nw_status read_row(reader *r, size_t row, bool *is_end, nw_error *err)
{
    const size_t columns = r->schema->columns;
    const size_t line = r->csv.line;
    nw__csv_cell cell;
    for (size_t i = 0; i < columns; i++) {
        r->csv.column = i + 1;
        NW__TRY(nw__csv_next(&r->csv, &cell, err));
        if (i == 0 && cell.length == 0 && !cell.is_quoted && cell.stop != ',') { /* a blank line, or the end */
            *is_end = true;
            return cell.stop == '\0' ? NW_OK : expect_end(r, line, err);
        }
        if ((cell.stop == ',') != (i + 1 < columns))
            return fail_ragged(r, line, cell.stop == ',' ? columns + 1 : i + 1, err);
        store_cell(r, i, row, &cell);
    }
    return NW_OK;
}

static nw_status read_rows(reader *r, nw_error *err)
{
    bool is_end = false;
    size_t rows = 0;
    for (size_t row = 0; !is_end; rows += !is_end, row++) {
        row %= NW__TABLE_BLOCK_ROWS;
        if (row == 0)
            NW__TRY(next_block(r, err));
        NW__TRY(read_row(r, row, &is_end, err));
    }
    nw__table_trim(r->table, rows);
    return NW_OK;
}

static nw_status read_table(reader *r, nw_error *err)
{
    NW__TRY(nw_table_new(&r->table, r->schema, 0, err));
    return read_rows(r, err);
}

static nw_status scan_rows(reader *r, nw_row_function row, void *context, nw_error *err)
{
    bool is_end = false;
    while (!is_end) {
        NW__TRY(read_row(r, 0, &is_end, err));
        if (!is_end && !row(context, r->values))
            return nw__fail(err, NW_E_CANCELLED, r->csv.function, "the reading was ended by the caller");
    }
    return NW_OK;
}

/* Opens the file and reads its header. */
static nw_status open_reader(reader *r, const char *path, size_t chunk, nw_error *err, const char *function)
{
    const size_t columns = r->schema->columns;
    NW__TRY(nw__csv_open(&r->csv, path, chunk, err, function));
    r->order = nw__calloc(columns, sizeof *r->order);
    r->names = nw__calloc(columns + 1, sizeof *r->names);
    r->blocks = nw__calloc(columns, sizeof *r->blocks);
    if (r->order == NULL || r->names == NULL || r->blocks == NULL)
        return nw__fail_memory(err, function);
    return read_header(r, err);
}

static void close_reader(reader *r)
{
    nw__csv_close(&r->csv);
    free(r->order);
    free(r->names);
    free(r->blocks);
    free(r->values);
}

nw_status nw__table_read_csv(nw_table **out, const nw_schema *schema, const char *path, size_t chunk, nw_error *err)
{
    reader r = {.schema = schema};
    nw_status status = open_reader(&r, path, chunk, err, "nw_table_read_csv");
    if (status == NW_OK)
        status = read_table(&r, err);
    close_reader(&r);
    if (status != NW_OK) {
        nw_table_free(r.table);
        return status;
    }
    *out = r.table;
    return NW_OK;
}

nw_status nw_table_scan_csv(
    const nw_schema *schema, const char *path, nw_row_function row, void *context, nw_error *err)
{
    if (schema == NULL || path == NULL || row == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", schema == NULL ? "schema" : path == NULL ? "path" : "row");
    reader r = {.schema = schema};
    nw_status status = open_reader(&r, path, NW__CSV_CHUNK, err, __func__);
    if (status == NW_OK && (r.values = nw__calloc(schema->columns, sizeof *r.values)) == NULL)
        status = nw__fail_memory(err, __func__);
    if (status == NW_OK)
        status = scan_rows(&r, row, context, err);
    close_reader(&r);
    return status;
}

nw_status nw_table_read_csv(nw_table **out, const nw_schema *schema, const char *path, nw_error *err)
{
    if (out != NULL)
        *out = NULL;
    if (out == NULL || schema == NULL || path == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : schema == NULL ? "schema" : "path");
    return nw__table_read_csv(out, schema, path, NW__CSV_CHUNK, err);
}
