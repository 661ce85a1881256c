/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* csv_read.c - a CSV file read under a schema: header, rows, cells to codes; into a table, or block after block. */
#include "csv_scan.h"
#include "table_internal.h"

#include <stdlib.h>

/* The cells of a text column in the block being filled, one after another. */
typedef struct texts {
    char *bytes;
    size_t size;
    size_t capacity;
    size_t *ends; /* of each row's text in `bytes`; NW__TABLE_BLOCK_ROWS of them */
} texts;

/* Column i of the file. */
typedef struct file_column {
    size_t column; /* of the schema */
    const nw__domain *domain;
    void *block;     /* the codes being filled; NULL: nobody asked for this column, its cells are only found */
    texts *texts;    /* NULL unless the column is text and asked for */
    double *numbers; /* of the rows: see nw_csv_reader_want_numbers; NULL: nobody asked for them */
    bool is_unit;    /* tells the row's unit, and is no column of the schema */
} file_column;

struct nw_csv_reader {
    nw__csv csv;
    const nw_schema *schema; /* its own reference */
    nw_table *table;
    size_t columns;
    file_column *order;
    const char **names;    /* in the file's order, then NULL */
    const bool *is_wanted; /* per column of the schema; NULL: all are. Borrowed, until the header is read */
    texts *texts;          /* per column of the schema; NULL: texts are not kept */
    const char *unit;      /* the name of the column that tells units; NULL: none. Borrowed */
    nw__units *units;
    nw__csv_share share; /* of the rows, or of the units */
    uint64_t rows_seen;
    bool is_admitted; /* the row is of the share, and its unit has room for it */
    bool is_begun;    /* rows were asked for */
    bool is_end;
};
typedef struct nw_csv_reader reader;

/* ---- header ---- */

static nw_status read_name(reader *r, const nw__csv_cell *cell, size_t line, bool *seen, nw_error *err)
{
    const size_t i = r->csv.column - 1;
    char name[64];
    size_t c = 0;
    if (r->unit != NULL && strlen(r->unit) == cell->length && memcmp(r->unit, cell->text, cell->length) == 0) {
        if (seen[r->schema->columns])
            return nw__csv_fail(
                &r->csv, err, line, i + 1, "the header names the column \"%s\" twice", nw__csv_printable(cell, name));
        seen[r->schema->columns] = true;
        r->order[i] = (file_column){ .column = SIZE_MAX, .is_unit = true };
        r->names[i] = r->unit;
        return NW_OK;
    }
    while (c < r->schema->columns && (strlen(r->schema->domains[c].column.name) != cell->length ||
                                         memcmp(r->schema->domains[c].column.name, cell->text, cell->length) != 0))
        c++;
    if (c == r->schema->columns)
        return nw__csv_fail(&r->csv, err, line, i + 1, "the header names the column \"%s\", which the schema does not have",
            nw__csv_printable(cell, name));
    if (seen[c])
        return nw__csv_fail(&r->csv, err, line, i + 1, "the header names the column \"%s\" twice", nw__csv_printable(cell, name));
    seen[c] = true;
    r->order[i] = (file_column){ .column = c, .domain = &r->schema->domains[c] };
    r->names[i] = r->schema->domains[c].column.name;
    return NW_OK;
}

static nw_status read_header(reader *r, nw_error *err)
{
    bool *seen = nw__calloc(r->schema->columns + 1, sizeof *seen); /* and one for the unit */
    if (seen == NULL)
        return nw__fail_memory(err, r->csv.function);
    nw_status status = nw__csv_skip_byte_order_mark(&r->csv, err);
    nw__csv_cell cell = { .stop = ',' };
    for (r->csv.column = 1; status == NW_OK && cell.stop == ','; r->csv.column++) {
        const size_t line = r->csv.line;
        status = nw__csv_next(&r->csv, &cell, err);
        if (status != NW_OK)
            break;
        nw__csv_trim(&cell);
        status = read_name(r, &cell, line, seen, err);
    }
    for (size_t c = 0; status == NW_OK && c < r->schema->columns; c++)
        if (!seen[c])
            status = nw__fail(err, NW_E_FORMAT, r->csv.function, "line 1: the header lacks the column \"%.100s\" of the schema",
                r->schema->domains[c].column.name);
    if (status == NW_OK && r->unit != NULL && !seen[r->schema->columns])
        status =
            nw__fail(err, NW_E_FORMAT, r->csv.function, "line 1: the header lacks the column \"%.100s\" of the units", r->unit);
    free(seen);
    r->csv.names = r->names;
    return status;
}

/* ---- rows ---- */

static bool is_wanted(const reader *r, size_t column)
{
    return r->is_wanted == NULL || r->is_wanted[column];
}

/* Points the columns at the last block of the table. */
static void aim_at_block(reader *r)
{
    const size_t last = nw__table_blocks(r->table) - 1;
    for (size_t i = 0; i < r->columns; i++) {
        file_column *f = &r->order[i];
        f->block = !f->is_unit && is_wanted(r, f->column) ? nw__table_block_mutable(r->table, f->column, last) : NULL;
    }
}

static nw_status next_block(reader *r, nw_error *err)
{
    NW__TRY(nw__table_append_block(r->table, err, r->csv.function));
    aim_at_block(r);
    return NW_OK;
}

/* False if memory lacks. What is outgrown is wiped. */
static bool append_text(texts *t, size_t row, const nw__csv_cell *cell)
{
    if (t->capacity - t->size < cell->length) {
        size_t capacity = t->capacity == 0 ? NW__CSV_MAX_CELL : t->capacity;
        while (capacity - t->size < cell->length)
            capacity *= 2;
        char *larger = nw__calloc(capacity, 1);
        if (larger == NULL)
            return false;
        if (t->size > 0)
            memcpy(larger, t->bytes, t->size);
        nw__free_wiped(t->bytes, t->capacity);
        t->bytes = larger;
        t->capacity = capacity;
    }
    if (cell->length > 0)
        memcpy(t->bytes + t->size, cell->text, cell->length);
    t->size += cell->length;
    t->ends[row] = t->size;
    return true;
}

/* False if memory lacks. */
static inline bool store_cell(const file_column *f, size_t row, nw__csv_cell *cell)
{
    const nw__domain *domain = f->domain;
    nw__csv_trim(cell);
    if (f->numbers != NULL)
        f->numbers[row] = nw__domain_read_value(domain, cell->text, cell->length);
    if (f->block == NULL)
        return true;
    const uint16_t code = cell->length == 0 ? domain->missing_code : nw__domain_encode_text(domain, cell->text, cell->length);
    if (domain->column.cells <= 256)
        ((uint8_t *)f->block)[row] = (uint8_t)code;
    else
        ((uint16_t *)f->block)[row] = code;
    return f->texts == NULL || append_text(f->texts, row, cell);
}

/* After a blank line nothing but blank lines may come. In a table of one column too: there a missing cell is written "". */
static nw_status expect_end(reader *r, size_t blank_line, nw_error *err)
{
    nw__csv_cell cell = { .stop = '\n' };
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
    const size_t columns = r->columns;
    return cells < columns
               ? nw__csv_fail(&r->csv, err, line, cells, "the row ends after %zu of %zu cells", cells, columns)
               : nw__csv_fail(&r->csv, err, line, columns + 1, "the row has more cells than the header, %zu", columns);
}

/* Reads one row to number `row` of the block; *is_end: there was none. */
static inline nw_status read_row(reader *r, size_t row, bool *is_end, nw_error *err)
{
    const size_t columns = r->columns;
    const size_t line = r->csv.line;
    const bool is_mine = r->unit != NULL || r->rows_seen % r->share.parts == r->share.part;
    nw__csv_cell cell;
    r->rows_seen++;
    r->is_admitted = is_mine;
    for (size_t i = 0; i < columns; i++) {
        r->csv.column = i + 1;
        NW__TRY(nw__csv_next(&r->csv, &cell, err));
        if (i == 0 && cell.length == 0 && !cell.is_quoted && cell.stop != ',') { /* a blank line, or the end */
            *is_end = true;
            return cell.stop == '\0' ? NW_OK : expect_end(r, line, err);
        }
        if ((cell.stop == ',') != (i + 1 < columns))
            return fail_ragged(r, line, cell.stop == ',' ? columns + 1 : i + 1, err);
        if (r->order[i].is_unit) {
            nw__csv_trim(&cell);
            if (!nw__units_admit(r->units, &r->share, cell.text, cell.length, &r->is_admitted))
                return nw__fail_memory(err, r->csv.function);
        } else if (is_mine && (r->order[i].block != NULL || r->order[i].numbers != NULL) && !store_cell(&r->order[i], row, &cell))
            return nw__fail_memory(err, r->csv.function);
    }
    return NW_OK;
}

/* What a row that was not taken left in the place where the next one would be. */
static void forget_row(reader *r, size_t row)
{
    for (size_t i = 0; i < r->columns; i++) {
        const file_column *f = &r->order[i];
        if (f->texts != NULL)
            f->texts->size = row == 0 ? 0 : f->texts->ends[row - 1];
        const unsigned bytes = f->block == NULL ? 0 : nw__code_bytes(f->domain->column.cells);
        if (bytes > 0)
            memset((char *)f->block + row * bytes, 0, bytes);
    }
}

static nw_status read_rows(reader *r, nw_error *err)
{
    size_t rows = 0;
    size_t row = NW__TABLE_BLOCK_ROWS;
    while (!r->is_end) {
        if (row == NW__TABLE_BLOCK_ROWS) {
            NW__TRY(next_block(r, err));
            row = 0;
        }
        NW__TRY(read_row(r, row, &r->is_end, err));
        if (!r->is_end && !r->is_admitted)
            forget_row(r, row);
        const bool is_taken = !r->is_end && r->is_admitted;
        rows += is_taken;
        row += is_taken;
    }
    nw__table_trim(r->table, rows);
    return NW_OK;
}

/* ---- the file ---- */

static nw_status open_file(reader *r, const char *path, size_t chunk, const char *function, nw_error *err)
{
    NW__TRY(nw__csv_open(&r->csv, path, chunk, err, function));
    r->columns = r->schema->columns + (r->unit != NULL);
    r->order = nw__calloc(r->columns, sizeof *r->order);
    r->names = nw__calloc(r->columns + 1, sizeof *r->names);
    if (r->order == NULL || r->names == NULL)
        return nw__fail_memory(err, function);
    return read_header(r, err);
}

static void close_file(reader *r)
{
    nw__csv_close(&r->csv);
    free(r->order);
    free(r->names);
}

static nw_status read_table(reader *r, nw_table **out, const char *path, size_t chunk, const char *function, nw_error *err)
{
    nw_status status = nw__table_check_schema(r->schema, err, function);
    if (status == NW_OK)
        status = open_file(r, path, chunk, function, err);
    if (status == NW_OK)
        status = nw__table_new(&r->table, r->schema, err, function);
    if (status == NW_OK)
        status = read_rows(r, err);
    close_file(r);
    if (status != NW_OK) {
        nw_table_free(r->table);
        return status;
    }
    *out = r->table;
    return NW_OK;
}

nw_status nw__table_read_csv(nw_table **out, const nw_schema *schema, const char *path, size_t chunk, nw_error *err)
{
    reader r = { .schema = schema, .share = NW__CSV_ALL };
    return read_table(&r, out, path, chunk, "nw_table_read_csv", err);
}

static nw_status check_unit(const nw_schema *schema, const char *unit, uint32_t max_rows, const char *function, nw_error *err)
{
    if (max_rows < 1 || max_rows > NW_MAX_ROWS_PER_UNIT)
        return nw__fail(err, NW_E_ARG, function, "max_rows is %u, must be in 1 .. %u", max_rows, NW_MAX_ROWS_PER_UNIT);
    for (size_t c = 0; c < schema->columns; c++)
        if (strcmp(schema->domains[c].column.name, unit) == 0)
            return nw__fail(err, NW_E_ARG, function, "unit is \"%.100s\", a column of the schema, must not be one", unit);
    return NW_OK;
}

nw_status nw_table_read_csv_units(
    nw_table **out, const nw_schema *schema, const char *path, const char *unit, uint32_t max_rows, nw_error *err)
{
    if (out != NULL)
        *out = NULL;
    if (out == NULL || schema == NULL || path == NULL || unit == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "an argument is NULL");
    NW__TRY(check_unit(schema, unit, max_rows, __func__, err));
    reader r = { .schema = schema, .share = NW__CSV_ALL, .unit = unit, .units = nw__units_new(max_rows) };
    const nw_status status =
        r.units == NULL ? nw__fail_memory(err, __func__) : read_table(&r, out, path, NW__CSV_CHUNK, __func__, err);
    nw__units_free(r.units);
    if (status == NW_OK)
        nw__table_set_rows_per_unit(*out, max_rows);
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

/* ---- row after row ---- */

static nw_status scan_rows(reader *r, const double *values, nw_row_function row, void *context, nw_error *err)
{
    while (!r->is_end) {
        NW__TRY(read_row(r, 0, &r->is_end, err));
        if (!r->is_end && !row(context, values))
            return nw__fail(err, NW_E_CANCELLED, r->csv.function, "the reading was ended by the caller");
    }
    return NW_OK;
}

nw_status nw_table_scan_csv(const nw_schema *schema, const char *path, nw_row_function row, void *context, nw_error *err)
{
    if (schema == NULL || path == NULL || row == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", schema == NULL ? "schema" : path == NULL ? "path" : "row");
    NW__TRY(nw__table_check_schema(schema, err, __func__));
    reader r = { .schema = schema, .share = NW__CSV_ALL };
    double *values = nw__calloc(schema->columns, sizeof *values);
    nw_status status = values == NULL ? nw__fail_memory(err, __func__) : open_file(&r, path, NW__CSV_CHUNK, __func__, err);
    for (size_t i = 0; status == NW_OK && i < r.columns; i++)
        r.order[i].numbers = &values[r.order[i].column];
    if (status == NW_OK)
        status = scan_rows(&r, values, row, context, err);
    close_file(&r);
    nw__free_wiped(values, schema->columns * sizeof *values);
    return status;
}

/* ---- block after block ---- */

static nw_status make_texts(reader *r, nw_error *err)
{
    r->texts = nw__calloc(r->columns, sizeof *r->texts);
    if (r->texts == NULL)
        return nw__fail_memory(err, r->csv.function);
    for (size_t i = 0; i < r->columns; i++) {
        file_column *f = &r->order[i];
        if (f->is_unit || f->domain->column.type != NW_COLUMN_TEXT || !is_wanted(r, f->column))
            continue;
        f->texts = &r->texts[f->column];
        f->texts->ends = nw__calloc(NW__TABLE_BLOCK_ROWS, sizeof *f->texts->ends);
        if (f->texts->ends == NULL)
            return nw__fail_memory(err, r->csv.function);
    }
    return NW_OK;
}

static const char OPEN[] = "nw_csv_reader_open";

static nw_status open_reader(reader *r, const char *path, const bool *wanted, size_t chunk, nw_error *err)
{
    r->is_wanted = wanted;
    nw_status status = open_file(r, path, chunk, OPEN, err);
    if (status == NW_OK)
        status = nw__table_new(&r->table, r->schema, err, OPEN);
    if (status == NW_OK)
        status = make_texts(r, err);
    if (status == NW_OK)
        status = next_block(r, err);
    r->is_wanted = NULL;
    return status;
}

static reader *new_reader(const nw_schema *schema)
{
    reader *r = nw__calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->schema = nw__schema_share(schema);
    r->share = NW__CSV_ALL;
    return r;
}

nw_status nw__csv_reader_open(
    nw_csv_reader **out, const nw_schema *schema, const char *path, const bool *wanted, size_t chunk, nw_error *err)
{
    reader *r = new_reader(schema);
    const nw_status status = r == NULL ? nw__fail_memory(err, OPEN) : open_reader(r, path, wanted, chunk, err);
    if (status == NW_OK)
        *out = r;
    else
        nw_csv_reader_close(r);
    return status;
}

nw_status nw__csv_reader_open_units(nw_csv_reader **out, const nw_schema *schema, const char *path, const char *unit,
    uint32_t max_rows, const nw__csv_share *share, const char *function, nw_error *err)
{
    *out = NULL;
    NW__TRY(check_unit(schema, unit, max_rows, function, err));
    reader *r = new_reader(schema);
    if (r == NULL)
        return nw__fail_memory(err, function);
    r->share = *share;
    r->unit = unit;
    r->units = nw__units_new(max_rows);
    const nw_status status = r->units == NULL ? nw__fail_memory(err, function) : open_reader(r, path, NULL, NW__CSV_CHUNK, err);
    if (status == NW_OK)
        *out = r;
    else
        nw_csv_reader_close(r);
    return status;
}

const nw__units *nw__csv_reader_units(const nw_csv_reader *r)
{
    return r->units;
}

nw_status nw_csv_reader_open(nw_csv_reader **out, const nw_schema *schema, const char *path, const bool *is_wanted, nw_error *err)
{
    if (out != NULL)
        *out = NULL;
    if (out == NULL || schema == NULL || path == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : schema == NULL ? "schema" : "path");
    return nw__csv_reader_open(out, schema, path, is_wanted, NW__CSV_CHUNK, err);
}

/* The column of the file that is this one of the schema. */
static file_column *find_column(const reader *r, size_t column)
{
    size_t i = 0;
    while (i < r->columns && (r->order[i].is_unit || r->order[i].column != column))
        i++;
    return i < r->columns ? &r->order[i] : NULL;
}

nw_status nw_csv_reader_want_numbers(nw_csv_reader *r, size_t column, nw_error *err)
{
    if (r == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "reader is NULL");
    file_column *f = find_column(r, column);
    if (f == NULL || f->domain->column.type == NW_COLUMN_TEXT)
        return nw__fail(err, NW_E_ARG, __func__, "column is %zu, must be one of the %zu of the schema, and not text", column,
            r->schema->columns);
    if (r->is_begun)
        return nw__fail(err, NW_E_STATE, __func__, "rows were read: numbers must be asked for before");
    if (f->numbers == NULL)
        f->numbers = nw__calloc(NW__TABLE_BLOCK_ROWS, sizeof *f->numbers);
    return f->numbers == NULL ? nw__fail_memory(err, __func__) : NW_OK;
}

nw_status nw_csv_reader_share(nw_csv_reader *r, size_t part, size_t parts, nw_error *err)
{
    if (r == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "reader is NULL");
    if (part >= parts)
        return nw__fail(err, NW_E_ARG, __func__, "part is %zu of %zu parts, must be below them", part, parts);
    if (r->is_begun)
        return nw__fail(err, NW_E_STATE, __func__, "rows were read: a share must be asked for before");
    r->share = (nw__csv_share){ part, parts };
    return NW_OK;
}

const double *nw_csv_reader_numbers(const nw_csv_reader *r, size_t column)
{
    const file_column *f = find_column(r, column);
    return f == NULL ? NULL : f->numbers;
}

nw_status nw_csv_reader_next(nw_csv_reader *r, size_t *rows, nw_error *err)
{
    size_t row = 0;
    if (r == NULL || rows == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", r == NULL ? "reader" : "rows");
    *rows = 0;
    r->is_begun = true;
    r->csv.function = __func__;
    nw__table_show_rows(r->table, 0);
    for (size_t c = 0; c < r->columns; c++)
        r->texts[c].size = 0;
    while (!r->is_end && row < NW__TABLE_BLOCK_ROWS) {
        const nw_status status = read_row(r, row, &r->is_end, err);
        if (status != NW_OK) {
            r->is_end = true; /* nothing after a malformed row is read as if it were a row */
            return status;
        }
        if (!r->is_end && !r->is_admitted)
            forget_row(r, row);
        row += !r->is_end && r->is_admitted;
    }
    nw__table_show_rows(r->table, row);
    *rows = row;
    return NW_OK;
}

const nw_table *nw_csv_reader_block(const nw_csv_reader *r)
{
    return r->table;
}

const char *nw_csv_reader_text(const nw_csv_reader *r, size_t column, size_t row, size_t *size)
{
    *size = 0;
    if (column >= r->columns || r->texts[column].ends == NULL || row >= nw_table_rows(r->table))
        return "";
    const texts *t = &r->texts[column];
    const size_t start = row == 0 ? 0 : t->ends[row - 1];
    *size = t->ends[row] - start;
    return *size == 0 ? "" : t->bytes + start;
}

double nw_csv_reader_fraction(const nw_csv_reader *r)
{
    return nw__source_fraction(r->csv.source);
}

void nw_csv_reader_close(nw_csv_reader *r)
{
    if (r == NULL)
        return;
    for (size_t c = 0; r->texts != NULL && c < r->columns; c++) {
        nw__free_wiped(r->texts[c].bytes, r->texts[c].capacity);
        nw__free_wiped(r->texts[c].ends, r->texts[c].ends == NULL ? 0 : NW__TABLE_BLOCK_ROWS * sizeof *r->texts[c].ends);
    }
    free(r->texts);
    for (size_t i = 0; r->order != NULL && i < r->columns; i++)
        nw__free_wiped(r->order[i].numbers, r->order[i].numbers == NULL ? 0 : NW__TABLE_BLOCK_ROWS * sizeof(double));
    if (r->table != NULL && nw__table_blocks(r->table) > 0)
        nw__table_show_rows(r->table, NW__TABLE_BLOCK_ROWS); /* all of it is wiped */
    nw_table_free(r->table);
    close_file(r);
    nw_schema_free((nw_schema *)(uintptr_t)r->schema);
    nw__units_free(r->units);
    free(r);
}
