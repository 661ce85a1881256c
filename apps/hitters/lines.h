/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HITTERS_LINES_H
#define HITTERS_LINES_H

/* lines.h - a file line by line, gzip or not. Functions that return int print their own message and return an exit code. */
#include <stddef.h>

typedef struct line_reader line_reader;

/** "-" is standard input. */
int lines_open(line_reader **out, const char *path);
/** The next line without its end, not followed by a NUL, borrowed until the next call; *line is NULL at the end. Lines of more
 *  than a mebibyte, NUL bytes and damaged gzip are APP_DATA. */
int lines_next(line_reader *reader, const char **line, size_t *size);
/** Of the line that came last, from 1. */
size_t lines_number(const line_reader *reader);
/** NULL is allowed. */
void lines_close(line_reader *reader);

#endif
