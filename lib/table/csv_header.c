/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* csv_header.c - the start of a CSV file, and its header alone: a schema of nothing but names. */
#include "csv_scan.h"
#include "table_internal.h"

#include <stdlib.h>

nw_status nw__csv_skip_byte_order_mark(nw__csv *csv, nw_error *err)
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

const char *nw__csv_printable(const nw__csv_cell *cell, char out[64])
{
    size_t n = 0;
    for (; n < cell->length && n < 63; n++)
        out[n] = (unsigned char)cell->text[n] < ' ' || cell->text[n] == 0x7f ? '?' : cell->text[n];
    out[n] = '\0';
    return out;
}

/* Adds {name: {"type": "text"}}. */
static nw_status add_text_column(json_t *object, const nw__csv *csv, const nw__csv_cell *cell, nw_error *err)
{
    char name[64];
    json_t *key = json_stringn(cell->text, cell->length);
    const char *text = json_string_value(key);
    nw_status status = NW_OK;
    if (key == NULL || strlen(text) != cell->length || cell->length == 0)
        status = nw__csv_fail(csv, err, 1, csv->column, "the name \"%s\" is empty, or no UTF-8", nw__csv_printable(cell, name));
    else if (json_object_get(object, text) != NULL)
        status =
            nw__csv_fail(csv, err, 1, csv->column, "the header names the column \"%s\" twice", nw__csv_printable(cell, name));
    else if (json_object_set_new(object, text, json_pack("{s:s}", "type", "text")) != 0)
        status = nw__fail_memory(err, csv->function);
    json_decref(key);
    return status;
}

static nw_status read_names(nw__csv *csv, json_t *object, nw_error *err)
{
    nw__csv_cell cell = { .stop = ',' };
    NW__TRY(nw__csv_skip_byte_order_mark(csv, err));
    for (csv->column = 1; cell.stop == ','; csv->column++) {
        NW__TRY(nw__csv_next(csv, &cell, err));
        nw__csv_trim(&cell);
        NW__TRY(add_text_column(object, csv, &cell, err));
    }
    return NW_OK;
}

nw_status nw_schema_of_header(nw_schema **out, const char *path, nw_error *err)
{
    nw__csv csv = { 0 };
    if (out != NULL)
        *out = NULL;
    if (out == NULL || path == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : "path");
    if (strcmp(path, "-") == 0)
        return nw__fail(err, NW_E_ARG, __func__, "path is \"-\", must be a file, which is read more than once");
    json_t *object = json_object();
    nw_status status = object == NULL ? nw__fail_memory(err, __func__) : nw__csv_open(&csv, path, NW__CSV_CHUNK, err, __func__);
    if (status == NW_OK)
        status = read_names(&csv, object, err);
    nw__csv_close(&csv);
    char *text = status == NW_OK ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (status == NW_OK && text == NULL)
        status = nw__fail_memory(err, __func__);
    if (status == NW_OK)
        status = nw_schema_parse(out, text, 0, err);
    free(text);
    return status;
}
