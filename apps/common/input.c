/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* input.c - see input.h. */
#include "input.h"
#include "exit.h"
#include "files.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { INPUT_BUFFER = 1 << 17, INPUT_MOST = 1 << 30 /* gzread counts in unsigned */, INPUT_FIRST = 1 << 16 };

struct app_input {
    gzFile file; /* of zlib: files that are not gzip pass as they are */
    const char *path;
    uint8_t ahead[APP_INPUT_AHEAD]; /* seen, and not read yet: ahead[begin .. end) */
    size_t begin, end;
};

int app_input_open(app_input **out, const char *path)
{
    const bool is_standard = strcmp(path, "-") == 0;
    *out = NULL;
    const int code = app_check_input(path);
    if (code != APP_OK)
        return code;
    const int fd = is_standard ? dup(STDIN_FILENO) : -1;
    gzFile file = is_standard ? (fd < 0 ? NULL : gzdopen(fd, "rb")) : gzopen(path, "rbe");
    if (file == NULL) {
        const int reason = errno;
        if (fd >= 0)
            close(fd);
        return app_fail(APP_NO_INPUT, path, "%s, must be a readable file", strerror(reason));
    }
    *out = malloc(sizeof **out);
    if (*out == NULL || gzbuffer(file, INPUT_BUFFER) != 0) {
        gzclose_r(file);
        free(*out);
        *out = NULL;
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    }
    (*out)->file = file;
    (*out)->path = is_standard ? "standard input" : path;
    (*out)->begin = (*out)->end = 0;
    return APP_OK;
}

void app_input_close(app_input *in)
{
    if (in == NULL)
        return;
    gzclose_r(in->file);
    free(in);
}

const char *app_input_path(const app_input *in)
{
    return in->path;
}

static int fail_read(const app_input *in)
{
    int problem = Z_OK;
    gzerror(in->file, &problem);
    if (problem == Z_ERRNO)
        return app_fail(APP_IO, in->path, "%s while reading", strerror(errno));
    if (problem == Z_MEM_ERROR)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    return app_fail(APP_DATA, in->path, "the gzip data are %s", problem == Z_BUF_ERROR ? "cut short" : "damaged");
}

static int read_file(app_input *in, void *bytes, size_t n, size_t *got)
{
    *got = 0;
    while (*got < n) {
        const size_t left = n - *got;
        const int r = gzread(in->file, (char *)bytes + *got, left < INPUT_MOST ? (unsigned)left : (unsigned)INPUT_MOST);
        if (r < 0)
            return fail_read(in);
        if (r == 0) { /* the end, or data that stop in the middle of a member */
            int problem = Z_OK;
            gzerror(in->file, &problem);
            return problem == Z_OK || problem == Z_STREAM_END ? APP_OK : fail_read(in);
        }
        *got += (size_t)r;
    }
    return APP_OK;
}

int app_input_peek(app_input *in, uint8_t bytes[APP_INPUT_AHEAD], size_t *got)
{
    const int code = read_file(in, in->ahead, APP_INPUT_AHEAD, got);
    in->begin = 0;
    in->end = *got;
    memcpy(bytes, in->ahead, *got);
    return code;
}

int app_input_read(app_input *in, void *bytes, size_t n, size_t *got)
{
    const size_t seen = in->end - in->begin < n ? in->end - in->begin : n;
    if (seen > 0)
        memcpy(bytes, in->ahead + in->begin, seen);
    in->begin += seen;
    const int code = read_file(in, (char *)bytes + seen, n - seen, got);
    *got += seen;
    return code;
}

int app_input_rest(app_input *in, size_t limit, uint8_t **out, size_t *n)
{
    size_t capacity = INPUT_FIRST;
    uint8_t *bytes = malloc(capacity);
    int code = bytes == NULL ? app_fail(APP_INTERNAL, NULL, "out of memory") : APP_OK;
    *n = 0;
    while (code == APP_OK) {
        size_t got = 0;
        code = app_input_read(in, bytes + *n, capacity - *n, &got);
        *n += got;
        if (code != APP_OK || *n < capacity)
            break;
        if (capacity >= limit) {
            code = app_fail(APP_DATA, in->path, "is larger than %zu bytes", limit);
            break;
        }
        uint8_t *larger = realloc(bytes, 2 * capacity);
        if (larger == NULL)
            code = app_fail(APP_INTERNAL, NULL, "out of memory");
        else
            bytes = larger;
        capacity *= 2;
    }
    if (code != APP_OK) {
        free(bytes);
        bytes = NULL;
    }
    *out = bytes;
    return code;
}
