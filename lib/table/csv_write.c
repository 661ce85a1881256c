/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* csv_write.c - a table written as CSV: header, rows, and a file that appears whole. */
#include "csv_decode.h"
#include "output_file.h"

#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES ((size_t)1 << 18)

typedef struct writer {
    const nw_table *table;
    const nw_schema *schema;
    nw_rng *rng;
    nw__output output;
    nw__decoder *decoders;
    char *buffer;
    size_t capacity; /* BUFFER_BYTES, and room for one line more */
    size_t used;
} writer;

static nw_status flush(writer *w, nw_error *err)
{
    const size_t n = w->used;
    w->used = 0;
    return nw__output_write(&w->output, w->buffer, n, err);
}

/* The longest line: a cell and a separator for each column, header or row. */
static size_t longest_line(const writer *w)
{
    size_t longest = 1;
    for (size_t c = 0; c < w->schema->columns; c++) {
        const size_t name = nw__csv_quote(w->schema->domains[c].column.name, NULL);
        longest += 1 + (name > w->decoders[c].longest ? name : w->decoders[c].longest);
    }
    return longest;
}

static nw_status prepare(writer *w, nw_error *err, const char *function)
{
    const size_t columns = w->schema->columns;
    w->decoders = nw__calloc(columns, sizeof *w->decoders);
    if (w->decoders == NULL)
        return nw__fail_memory(err, function);
    for (size_t c = 0; c < columns; c++)
        NW__TRY(nw__decoder_new(&w->decoders[c], &w->schema->domains[c], columns == 1, err, function));
    w->capacity = BUFFER_BYTES + longest_line(w);
    w->buffer = nw__calloc(w->capacity, 1);
    return w->buffer == NULL ? nw__fail_memory(err, function) : NW_OK;
}

static void write_header(writer *w)
{
    for (size_t c = 0; c < w->schema->columns; c++) {
        w->used += nw__csv_quote(w->schema->domains[c].column.name, w->buffer + w->used);
        w->buffer[w->used++] = c + 1 < w->schema->columns ? ',' : '\n';
    }
}

static inline nw_status write_cell(writer *w, size_t column, uint32_t code, nw_error *err)
{
    const nw__decoder *decoder = &w->decoders[column];
    char *out = w->buffer + w->used;
    size_t length;
    if (decoder->bins != NULL && nw__table_is_spike(w->table, column, code))
        nw__decoder_round(decoder, code, out, &length);
    else if (decoder->bins != NULL && code < decoder->domain->bins)
        NW__TRY(nw__decoder_draw(decoder, code, w->rng, out, &length, err));
    else {
        length = decoder->offsets[code + 1] - decoder->offsets[code];
        memcpy(out, decoder->text + decoder->offsets[code], length);
    }
    w->used += length;
    return NW_OK;
}

static nw_status write_block(writer *w, size_t block, nw_error *err)
{
    const size_t columns = w->schema->columns;
    const size_t rows = nw__table_block_rows(w->table, block);
    for (size_t row = 0; row < rows; row++) {
        if (w->used >= BUFFER_BYTES)
            NW__TRY(flush(w, err));
        for (size_t c = 0; c < columns; c++) {
            const nw__decoder *decoder = &w->decoders[c];
            const void *codes = nw__table_block(w->table, c, block);
            const bool is_narrow = nw__code_bytes(decoder->domain->column.cells) == 1;
            NW__TRY(write_cell(w, c, is_narrow ? ((const uint8_t *)codes)[row] : ((const uint16_t *)codes)[row], err));
            w->buffer[w->used++] = c + 1 < columns ? ',' : '\n';
        }
    }
    return NW_OK;
}

static nw_status write_table(writer *w, nw_error *err)
{
    write_header(w);
    for (size_t block = 0; block < nw__table_blocks(w->table); block++)
        NW__TRY(write_block(w, block, err));
    return flush(w, err);
}

nw_status nw_table_write_csv(const nw_table *table, const char *path, nw_rng *rng, nw_error *err)
{
    if (table == NULL || path == NULL || rng == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", table == NULL ? "table" : path == NULL ? "path" : "rng");
    writer w = {.table = table, .schema = nw_table_schema(table), .rng = rng};
    nw_status status = prepare(&w, err, __func__);
    if (status == NW_OK)
        status = nw__output_open(&w.output, path, err, __func__);
    if (status == NW_OK) {
        status = write_table(&w, err);
        if (status == NW_OK)
            status = nw__output_finish(&w.output, err);
        else
            nw__output_abandon(&w.output);
    }
    for (size_t c = 0; w.decoders != NULL && c < w.schema->columns; c++)
        nw__decoder_free(&w.decoders[c]);
    free(w.decoders);
    nw__free_wiped(w.buffer, w.capacity);
    return status;
}
