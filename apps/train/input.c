/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* input.c - see input.h. */
#include "input.h"
#include "../common/exit.h"
#include "../common/files.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { INPUT_BUFFER = 1 << 17, INPUT_MOST = 1 << 30 }; /* gzread counts in unsigned */

struct input {
    gzFile file; /* of zlib: files that are not gzip pass as they are */
    const char *path;
};

int input_open(input **out, const char *path)
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
    return APP_OK;
}

void input_close(input *in)
{
    if (in == NULL)
        return;
    gzclose_r(in->file);
    free(in);
}

const char *input_path(const input *in)
{
    return in->path;
}

static int fail_read(const input *in)
{
    int problem = Z_OK;
    gzerror(in->file, &problem);
    if (problem == Z_ERRNO)
        return app_fail(APP_IO, in->path, "%s while reading", strerror(errno));
    if (problem == Z_MEM_ERROR)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    return app_fail(APP_DATA, in->path, "the gzip data are %s", problem == Z_BUF_ERROR ? "cut short" : "damaged");
}

int input_read(input *in, void *bytes, size_t n, size_t *got)
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
