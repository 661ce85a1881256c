/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* csv_scan.c - cells that need more than a search for the next comma: quotes, CRLF, the end of the buffer, malformed ones. */
#include "csv_scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define LARGEST_KEPT (NW__CSV_MAX_CELL + 2) /* a cell and the CR LF that ends it */

typedef enum scan_result { SCAN_DONE, SCAN_MORE, SCAN_FAILED } scan_result;

nw_status nw__csv_fail(const nw__csv *csv, nw_error *err, size_t line, size_t column, const char *format, ...)
{
    char text[NW_ERROR_MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (csv->names != NULL && csv->names[0] != NULL) {
        size_t names = 0;
        while (names < column && csv->names[names] != NULL)
            names++;
        if (names == column)
            return nw__fail(
                err, NW_E_FORMAT, csv->function, "line %zu, column %zu (%.100s): %s", line, column, csv->names[column - 1], text);
    }
    return nw__fail(err, NW_E_FORMAT, csv->function, "line %zu, column %zu: %s", line, column, text);
}

static size_t buffer_bytes(size_t chunk)
{
    return LARGEST_KEPT + chunk + NW__CSV_PAD;
}

static void restart_at_cursor(nw__csv *csv)
{
    csv->block = csv->cursor;
    csv->mask = nw__csv_special_mask(csv->block);
}

nw_status nw__csv_open(nw__csv *csv, const char *path, size_t chunk, nw_error *err, const char *function)
{
    *csv = (nw__csv){.function = function, .chunk = chunk, .line = 1, .column = 1};
    NW__TRY(nw__source_open(&csv->source, path, err, function));
    csv->buffer = nw__calloc(buffer_bytes(chunk), 1);
    if (csv->buffer == NULL) {
        nw__source_close(csv->source);
        csv->source = NULL;
        return nw__fail_memory(err, function);
    }
    csv->cursor = csv->end = csv->buffer;
    restart_at_cursor(csv);
    return NW_OK;
}

void nw__csv_close(nw__csv *csv)
{
    nw__source_close(csv->source);
    nw__free_wiped(csv->buffer, buffer_bytes(csv->chunk));
    csv->source = NULL;
    csv->buffer = NULL;
}

static scan_result fail_cell(nw__csv *csv, nw_error *err, size_t line, const char *why)
{
    (void)nw__csv_fail(csv, err, line, csv->column, "%s", why);
    return SCAN_FAILED;
}

static scan_result fail_large(nw__csv *csv, nw_error *err)
{
    return fail_cell(csv, err, csv->line, "the cell is larger than 64 KiB, or its quote is never closed");
}

nw_status nw__csv_refill(nw__csv *csv, nw_error *err)
{
    const size_t kept = (size_t)(csv->end - csv->cursor);
    if (kept > LARGEST_KEPT) {
        fail_large(csv, err);
        return NW_E_FORMAT;
    }
    memmove(csv->buffer, csv->cursor, kept);
    size_t got = 0;
    NW__TRY(nw__source_read(csv->source, csv->buffer + kept, csv->chunk, &got, err, csv->function));
    csv->is_at_end = got == 0;
    csv->cursor = csv->buffer;
    csv->end = csv->buffer + kept + got;
    memset(csv->end, 0, NW__CSV_PAD);
    restart_at_cursor(csv);
    return NW_OK;
}

/* Ends a cell of which `lines` line feeds are part and whose terminator begins at `stop`. */
static scan_result end_cell(nw__csv *csv, nw__csv_cell *cell, char *stop, size_t lines, nw_error *err)
{
    size_t width = 1;
    cell->stop = *stop;
    if (*stop == '\r') {
        if (stop + 1 == csv->end && !csv->is_at_end)
            return SCAN_MORE;
        if (stop[1] != '\n')
            return fail_cell(csv, err, csv->line + lines, "a carriage return without a line feed; lines end in LF or CRLF");
        (void)nw__csv_next_special(csv); /* the line feed */
        cell->stop = '\n';
        width = 2;
    } else if (*stop == '\0') { /* the end of the file, or the caller would not have called */
        width = 0;
        csv->mask |= UINT64_C(1) << (stop - csv->block); /* to be found again */
    }
    csv->line += lines + (cell->stop == '\n');
    csv->cursor = stop + width;
    return SCAN_DONE;
}

/* Undoes doubled quotes in place. */
static size_t undouble(char *text, size_t length)
{
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        text[n++] = text[i];
        i += text[i] == '"';
    }
    return n;
}

/* A cell that begins with a quote, the first special byte. */
static scan_result scan_quoted(nw__csv *csv, nw__csv_cell *cell, nw_error *err)
{
    size_t lines = 0;
    bool has_doubled = false;
    for (;;) {
        char *p = nw__csv_next_special(csv);
        if ((size_t)(p - csv->cursor) >= NW__CSV_MAX_CELL)
            return fail_large(csv, err);
        lines += *p == '\n';
        if (*p == '\0' && p < csv->end)
            return fail_cell(csv, err, csv->line + lines, "a NUL byte");
        if (p == csv->end)
            return csv->is_at_end ? fail_cell(csv, err, csv->line, "the quote that begins here is never closed") : SCAN_MORE;
        if (*p != '"')
            continue;
        if (p + 1 == csv->end && !csv->is_at_end)
            return SCAN_MORE;
        if (p + 1 < csv->end && p[1] == '"') {
            (void)nw__csv_next_special(csv);
            has_doubled = true;
            continue;
        }
        const bool is_last = p + 1 == csv->end;
        if (!is_last && p[1] == '\0')
            return fail_cell(csv, err, csv->line + lines, "a NUL byte");
        if (!is_last && p[1] != ',' && p[1] != '\n' && p[1] != '\r')
            return fail_cell(csv, err, csv->line + lines, "text after the closing quote");

        char *text = csv->cursor + 1;
        const scan_result result = end_cell(csv, cell, nw__csv_next_special(csv), lines, err);
        if (result != SCAN_DONE)
            return result;
        cell->text = text;
        cell->length = has_doubled ? undouble(text, (size_t)(p - text)) : (size_t)(p - text);
        cell->is_quoted = true;
        return SCAN_DONE;
    }
}

static scan_result scan_cell(nw__csv *csv, char *special, nw__csv_cell *cell, nw_error *err)
{
    const bool is_end = special == csv->end;
    if (is_end && !csv->is_at_end)
        return SCAN_MORE;
    if ((size_t)(special - csv->cursor) > NW__CSV_MAX_CELL)
        return fail_large(csv, err);
    if (*special == '"')
        return special == csv->cursor ? scan_quoted(csv, cell, err)
                                      : fail_cell(csv, err, csv->line, "a quote inside an unquoted cell");
    if (*special == '\0' && !is_end)
        return fail_cell(csv, err, csv->line, "a NUL byte");
    *cell = (nw__csv_cell){csv->cursor, (size_t)(special - csv->cursor), '\0', false};
    return end_cell(csv, cell, special, 0, err);
}

nw_status nw__csv_next_slow(nw__csv *csv, char *special, nw__csv_cell *cell, nw_error *err)
{
    for (;;) {
        switch (scan_cell(csv, special, cell, err)) {
        case SCAN_DONE: return NW_OK;
        case SCAN_FAILED: return NW_E_FORMAT;
        case SCAN_MORE: break;
        }
        NW__TRY(nw__csv_refill(csv, err));
        special = nw__csv_next_special(csv);
    }
}
