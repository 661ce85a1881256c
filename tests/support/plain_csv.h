/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_PLAIN_CSV_H
#define NW_TEST_PLAIN_CSV_H

/* plain_csv.h - RFC 4180, one byte at a time: slow, obvious, the oracle of the fast reader. */
#include <stdbool.h>
#include <stddef.h>

typedef struct plain_cell {
    char *text;
    size_t length;
    bool is_quoted;
    char stop; /* ',' or '\n', or 0 at the end of the file */
} plain_cell;

typedef struct plain_csv {
    plain_cell *cells;
    size_t count;
    const char *error; /* NULL: well-formed; else words of the reason, and where */
    size_t error_line;
    size_t error_cell; /* in its row, from 1 */
} plain_csv;

plain_csv plain_csv_parse(const char *bytes, size_t n);
void plain_csv_free(plain_csv *csv);

#endif
