/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* lines.c - a buffer that lines are found in. */
#include "lines.h"

#include "../common/exit.h"
#include "../common/files.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { LONGEST = 1 << 20 };

struct line_reader {
    const char *path;
    gzFile file;
    size_t number;
    size_t begin; /* of what is left in the buffer */
    size_t end;
    char buffer[2 * LONGEST];
};

int lines_open(line_reader **out, const char *path)
{
    *out = NULL;
    const int code = app_check_input(path);
    if (code != APP_OK)
        return code;
    line_reader *reader = malloc(sizeof *reader);
    if (reader == NULL)
        return app_fail(APP_INTERNAL, path, "out of memory");
    reader->path = path;
    reader->number = reader->begin = reader->end = 0;
    reader->file = strcmp(path, "-") == 0 ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path, "rb");
    if (reader->file == NULL) {
        free(reader);
        return app_fail(APP_NO_INPUT, path, "cannot be opened");
    }
    *out = reader;
    return APP_OK;
}

/* Appends to what is left. *is_end: there is no more. */
static int fill(line_reader *r, int *is_end)
{
    int number;
    memmove(r->buffer, r->buffer + r->begin, r->end - r->begin);
    r->end -= r->begin;
    r->begin = 0;
    const int n = gzread(r->file, r->buffer + r->end, (unsigned)(sizeof r->buffer - r->end));
    const char *message = gzerror(r->file, &number);
    if (n < 0 || (number != Z_OK && number != Z_STREAM_END))
        return number == Z_ERRNO ? app_fail(APP_IO, r->path, "could not be read")
                                 : app_fail(APP_DATA, r->path, "line %zu: the gzip data end too early or are damaged%s%s",
                                       r->number + 1, *message == '\0' ? "" : ": ", message);
    *is_end = n == 0;
    r->end += (size_t)n;
    return APP_OK;
}

int lines_next(line_reader *r, const char **line, size_t *size)
{
    int is_end = 0;
    *line = NULL;
    for (;;) {
        char *from = r->buffer + r->begin;
        const char *newline = memchr(from, '\n', r->end - r->begin);
        if (newline == NULL && !is_end && r->end - r->begin < LONGEST) {
            const int code = fill(r, &is_end);
            if (code != APP_OK)
                return code;
            if (!is_end)
                continue;
            from = r->buffer + r->begin;
        }
        if (newline == NULL && r->begin == r->end)
            return APP_OK;
        const size_t n = newline == NULL ? r->end - r->begin : (size_t)(newline - from);
        r->number++;
        if (n >= LONGEST)
            return app_fail(APP_DATA, r->path, "line %zu: is longer than a mebibyte", r->number);
        if (memchr(from, '\0', n) != NULL)
            return app_fail(APP_DATA, r->path, "line %zu: has a NUL byte", r->number);
        r->begin += n + (newline != NULL);
        *line = from;
        *size = n > 0 && from[n - 1] == '\r' ? n - 1 : n;
        return APP_OK;
    }
}

size_t lines_number(const line_reader *reader)
{
    return reader->number;
}

void lines_close(line_reader *reader)
{
    if (reader == NULL)
        return;
    gzclose(reader->file);
    free(reader);
}
