/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* csv_write.c - a table written as CSV: header, rows, and a file that appears whole. */
#include "csv_decode.h"
#include "output_file.h"
#include "rules.h"

#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES ((size_t)1 << 18)

typedef struct writer {
    const nw_table *table;
    const nw_schema *schema;
    nw_rng *rng;
    nw__output output;
    nw__decoder *decoders;
    uint16_t *codes; /* of the row */
    int64_t *k;      /* values of columns that linear rules tie together */
    bool *is_tied;   /* k has this column's value */
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
    w->codes = nw__calloc(columns, sizeof *w->codes);
    w->k = nw__calloc(columns, sizeof *w->k);
    w->is_tied = nw__calloc(columns, sizeof *w->is_tied);
    return w->buffer == NULL || w->codes == NULL || w->k == NULL || w->is_tied == NULL ? nw__fail_memory(err, function) : NW_OK;
}

static void write_header(writer *w)
{
    for (size_t c = 0; c < w->schema->columns; c++) {
        w->used += nw__csv_quote(w->schema->domains[c].column.name, w->buffer + w->used);
        w->buffer[w->used++] = c + 1 < w->schema->columns ? ',' : '\n';
    }
}

static inline nw_status write_cell(writer *w, size_t c, nw_error *err)
{
    const nw__decoder *decoder = &w->decoders[c];
    const uint32_t code = w->codes[c];
    char *out = w->buffer + w->used;
    size_t length;
    if (decoder->bins == NULL || code >= decoder->domain->bins) {
        length = decoder->offsets[code + 1] - decoder->offsets[code];
        memcpy(out, decoder->text + decoder->offsets[code], length);
    } else if (w->is_tied[c])
        length = nw__decoder_format(decoder, code, w->k[c], out);
    else if (nw__table_is_spike(w->table, c, code))
        nw__decoder_round(decoder, code, out, &length);
    else
        NW__TRY(nw__decoder_draw(decoder, code, w->rng, out, &length, err));
    w->used += length;
    return NW_OK;
}

static nw_status choose_value(void *context, size_t c, int64_t low, int64_t high, int64_t *k, nw_error *err)
{
    const writer *w = context;
    if (w->decoders[c].bins != NULL)
        return nw__decoder_choose(&w->decoders[c], w->codes[c], low, high, w->rng, k, err);
    *k = low; /* a code a value: the only one */
    return NW_OK;
}

/* Values that linear rules tie together are drawn together. Codes that leave no such values break the rules already: then each
 * value is drawn by itself. */
static nw_status tie_values(writer *w, nw_error *err)
{
    const nw__rules *rules = w->schema->rules;
    for (size_t component = 0; component < rules->components; component++) {
        bool is_found = false;
        bool is_open = false; /* some value is not told by its code */
        for (size_t c = 0; c < rules->columns; c++)
            if (rules->component[c] == component)
                is_open |= w->codes[c] != rules->missing[c] && w->decoders[c].bins != NULL;
        if (is_open)
            NW__TRY(nw__rules_solve(rules, w->codes, w->codes, component, choose_value, w, w->k, &is_found, err));
        for (size_t c = 0; c < rules->columns; c++)
            if (rules->component[c] == component)
                w->is_tied[c] = is_found;
    }
    return NW_OK;
}

static nw_status write_row(writer *w, size_t block, size_t row, nw_error *err)
{
    const size_t columns = w->schema->columns;
    for (size_t c = 0; c < columns; c++) {
        const void *codes = nw__table_block(w->table, c, block);
        const bool is_narrow = nw__code_bytes(w->schema->domains[c].column.cells) == 1;
        w->codes[c] = is_narrow ? ((const uint8_t *)codes)[row] : ((const uint16_t *)codes)[row];
    }
    if (w->schema->rules != NULL)
        NW__TRY(tie_values(w, err));
    for (size_t c = 0; c < columns; c++) {
        NW__TRY(write_cell(w, c, err));
        w->buffer[w->used++] = c + 1 < columns ? ',' : '\n';
    }
    return NW_OK;
}

static nw_status write_block(writer *w, size_t block, nw_error *err)
{
    const size_t rows = nw__table_block_rows(w->table, block);
    for (size_t row = 0; row < rows; row++) {
        if (w->used >= BUFFER_BYTES)
            NW__TRY(flush(w, err));
        NW__TRY(write_row(w, block, row, err));
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
    writer w = { .table = table, .schema = nw_table_schema(table), .rng = rng };
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
    nw__free_wiped(w.codes, nw_schema_columns(w.schema) * sizeof *w.codes);
    nw__free_wiped(w.k, nw_schema_columns(w.schema) * sizeof *w.k);
    free(w.is_tied);
    nw__free_wiped(w.buffer, w.capacity);
    return status;
}
