/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* output_file.c - a temporary file beside the wanted one, synced, then renamed over it. */
#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY_NAMES 100
#define LARGEST_WRITE ((size_t)1 << 30) /* zlib counts in unsigned int */

static nw_status fail(const nw__output *output, const char *verb, nw_error *err)
{
    return nw__fail(err, NW_E_IO, output->function, "cannot %s %.200s: %s", verb, output->path, strerrordesc_np(errno));
}

/* Creates <path>.<process>.<number>.tmp, which must be new. The umask applies, as to any file; an existing file's mode stays. */
static nw_status create_temporary(nw__output *output, const struct stat *existing, nw_error *err)
{
    const size_t size = strlen(output->path) + 48;
    output->temporary = nw__calloc(size, 1);
    if (output->temporary == NULL)
        return nw__fail_memory(err, output->function);
    for (int i = 0; i < TEMPORARY_NAMES; i++) {
        snprintf(output->temporary, size, "%s.%ld.%d.tmp", output->path, (long)getpid(), i);
        output->fd = open(output->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (output->fd >= 0 || errno != EEXIST)
            break;
    }
    if (output->fd < 0) {
        const nw_status status = fail(output, "create", err);
        free(output->temporary);
        output->temporary = NULL;
        return status;
    }
    if (existing != NULL && fchmod(output->fd, existing->st_mode & 0777) != 0) {
        const nw_status status = fail(output, "set the mode of", err);
        nw__output_abandon(output);
        return status;
    }
    return NW_OK;
}

static nw_status open_file(nw__output *output, nw_error *err)
{
    struct stat existing;
    output->is_owned = true;
    const bool exists = stat(output->path, &existing) == 0;
    if (!exists || S_ISREG(existing.st_mode))
        return create_temporary(output, exists ? &existing : NULL, err);
    output->fd = open(output->path, O_WRONLY | O_CLOEXEC); /* a device or pipe must not be replaced by a file */
    return output->fd < 0 ? fail(output, "open", err) : NW_OK;
}

bool nw__output_is_compressed(const char *path)
{
    const size_t n = strlen(path);
    return n > 3 && strcmp(path + n - 3, ".gz") == 0;
}

nw_status nw__output_open(nw__output *output, const char *path, nw_error *err, const char *function)
{
    *output = (nw__output){.function = function, .path = path, .fd = STDOUT_FILENO};
    if (strcmp(path, "-") == 0)
        return NW_OK;
    NW__TRY(open_file(output, err));
    if (!nw__output_is_compressed(path))
        return NW_OK;
    const int copy = fcntl(output->fd, F_DUPFD_CLOEXEC, 0); /* gzclose closes its own; ours is still to be synced */
    output->gzip = copy < 0 ? NULL : gzdopen(copy, "wb");
    if (output->gzip == NULL) {
        const nw_status status = copy < 0 ? fail(output, "open", err) : nw__fail_memory(err, function);
        if (copy >= 0)
            close(copy);
        nw__output_abandon(output);
        return status;
    }
    return NW_OK;
}

nw_status nw__output_write(nw__output *output, const void *bytes, size_t n, nw_error *err)
{
    for (const char *p = bytes; n > 0;) {
        const size_t part = n < LARGEST_WRITE ? n : LARGEST_WRITE;
        const ssize_t done = output->gzip == NULL ? write(output->fd, p, part) : gzwrite(output->gzip, p, (unsigned)part);
        if (output->gzip == NULL ? done < 0 : done <= 0) {
            if (errno == EINTR && output->gzip == NULL)
                continue;
            return fail(output, "write", err);
        }
        p += done;
        n -= (size_t)done;
    }
    return NW_OK;
}

/* Makes the new name durable. The file itself is; should this fail, the name is there all the same, so it is not an error. */
static void sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? nw__strdup(".") : strndup(path, (size_t)(slash - path) + 1);
    const int fd = folder == NULL ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    free(folder);
}

nw_status nw__output_finish(nw__output *output, nw_error *err)
{
    nw_status status = NW_OK;
    if (output->gzip != NULL) {
        const gzFile gzip = output->gzip;
        output->gzip = NULL;
        if (gzclose(gzip) != Z_OK)
            status = fail(output, "write", err);
    }
    if (status == NW_OK && output->temporary != NULL && fsync(output->fd) != 0)
        status = fail(output, "sync", err);
    if (status == NW_OK && output->is_owned) {
        const int fd = output->fd;
        output->fd = -1;
        if (close(fd) != 0)
            status = fail(output, "close", err);
    }
    if (status == NW_OK && output->temporary != NULL && rename(output->temporary, output->path) != 0)
        status = fail(output, "rename the finished file to", err);
    if (status != NW_OK) {
        nw__output_abandon(output);
        return status;
    }
    if (output->temporary != NULL)
        sync_folder(output->path);
    free(output->temporary);
    output->temporary = NULL;
    return NW_OK;
}

void nw__output_abandon(nw__output *output)
{
    if (output->gzip != NULL)
        (void)gzclose(output->gzip); /* what it still writes goes to the file that is about to vanish */
    if (output->is_owned && output->fd >= 0)
        close(output->fd);
    if (output->temporary != NULL)
        unlink(output->temporary);
    free(output->temporary);
    *output = (nw__output){.fd = -1};
}
