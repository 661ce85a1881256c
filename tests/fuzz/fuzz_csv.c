/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* fuzz_csv.c - any bytes as a CSV file: the reader accepts exactly what the plain parser and the rules for rows accept, and the
 * codes do not depend on where its buffer ends. */
#include "plain_csv.h"
#include "table_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const char json[] = "{\"a\": {\"type\": \"int\", \"lower\": 0, \"upper\": 9}, \"b\": {\"type\": \"categorical\", "
                           "\"values\": [\"x\", \"y,\\\"\"]},"
                           "\"c\": {\"type\": \"float\", \"lower\": -1, \"upper\": 1}, \"d\": {\"type\": \"date\", \"lower\": "
                           "\"2000-01-01\", \"upper\": \"2000-12-31\"}}";
#define COLUMNS 4

static void require(bool is_true, const char *what)
{
    if (is_true)
        return;
    fprintf(stderr, "fuzz_csv: %s\n", what);
    abort();
}

/* Rows of a file of COLUMNS columns, or -1 if some row is ragged or blank. Only for files without a syntax error. */
static long rows_of(const plain_csv *csv)
{
    long rows = 0;
    bool is_blank_seen = false;
    for (size_t i = 0; i < csv->count;) {
        size_t cells = 1;
        while (csv->cells[i + cells - 1].stop == ',')
            cells++;
        const plain_cell *first = &csv->cells[i];
        const bool is_blank = cells == 1 && first->length == 0 && !first->is_quoted;
        const bool is_end = is_blank && first->stop == '\0';
        if (!is_end && ((is_blank && i == 0) || (!is_blank && (is_blank_seen || cells != COLUMNS))))
            return -1;
        is_blank_seen = is_blank_seen || is_blank;
        rows += !is_blank;
        i += cells;
    }
    return rows;
}

static nw_table *read_at(const nw_schema *schema, const char *path, size_t chunk, nw_error *err)
{
    nw_table *table = NULL;
    const nw_status status = nw__table_read_csv(&table, schema, path, chunk, err);
    require(status == NW_OK || status == NW_E_FORMAT, "a status that no file can cause");
    require((status == NW_OK) == (table != NULL), "status and table disagree");
    return table;
}

static void same_codes(const nw_table *a, const nw_table *b)
{
    require(nw_table_rows(a) == nw_table_rows(b), "rows depend on the buffer");
    for (size_t c = 0; c < COLUMNS; c++)
        for (size_t row = 0; row < nw_table_rows(a); row++) {
            uint16_t x = 0;
            uint16_t y = 0;
            require(nw_table_get(a, c, row, 1, &x, NULL) == NW_OK && nw_table_get(b, c, row, 1, &y, NULL) == NW_OK,
                "a row cannot be got");
            require(x == y && x < nw_schema_column(nw_table_schema(a), c).cells, "codes depend on the buffer");
        }
}

/* Read block after block, with two columns that nobody wants: the same rows or the same message. */
static void check_reader(const nw_schema *schema, const char *path, const nw_table *table, const nw_error *expected)
{
    static const bool is_wanted[COLUMNS] = { true, false, true, false };
    nw_csv_reader *reader = NULL;
    nw_error err;
    size_t rows = 0;
    nw_status status = nw_csv_reader_open(&reader, schema, path, is_wanted, &err);
    if (status == NW_OK)
        status = nw_csv_reader_next(reader, &rows, &err); /* all: an input is smaller than a block */
    require((status == NW_OK) == (table != NULL), "acceptance depends on who reads");
    require(status == NW_OK || strcmp(err.message, expected->message) == 0, "the message depends on who reads");
    require(status != NW_OK || rows == nw_table_rows(table), "rows depend on who reads");
    for (size_t row = 0; status == NW_OK && row < rows; row++)
        for (size_t c = 0; c < COLUMNS; c++) {
            uint16_t x = 0;
            uint16_t y = 0;
            require(nw_table_get(nw_csv_reader_block(reader), c, row, 1, &x, NULL) == NW_OK &&
                        nw_table_get(table, c, row, 1, &y, NULL) == NW_OK,
                "a row cannot be got");
            require(x == (is_wanted[c] ? y : 0), "codes depend on who reads");
        }
    nw_csv_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    nw_schema *schema;
    char path[64];
    nw_error errors[2];
    require(nw_schema_parse(&schema, json, 20, NULL) == NW_OK, "the schema is refused");
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);
    require(fd >= 0 && write(fd, bytes, n) == (ssize_t)n, "no file in memory");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    nw_table *large = read_at(schema, path, NW__CSV_CHUNK, &errors[0]);
    nw_table *small = read_at(schema, path, n == 0 ? 1 : 1 + bytes[n / 2] % 16, &errors[1]);
    require((large == NULL) == (small == NULL), "acceptance depends on the buffer");
    if (large == NULL)
        require(strcmp(errors[0].message, errors[1].message) == 0, "the message depends on the buffer");
    else
        same_codes(large, small);

    check_reader(schema, path, large, &errors[0]);

    const bool is_gzip = n >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
    const size_t mark = n >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    plain_csv plain = plain_csv_parse((const char *)bytes + mark, n - mark);
    if (!is_gzip && large != NULL)
        require(plain.error == NULL && rows_of(&plain) == (long)nw_table_rows(large) + 1, "a malformed file was accepted");
    /* The other way round: with our own header, whatever is well-formed must be taken. */
    static const char header[] = "a,b,c,d\n";
    if (!is_gzip && large == NULL && plain.error == NULL && n > strlen(header) && memcmp(bytes, header, strlen(header)) == 0)
        require(rows_of(&plain) < 0, "a well-formed file was refused");
    plain_csv_free(&plain);
    nw_table_free(large);
    nw_table_free(small);
    nw_schema_free(schema);
    close(fd);
    return 0;
}
