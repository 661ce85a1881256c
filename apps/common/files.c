/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* files.c - checks before the charge, writing by renaming. */
#include "files.h"
#include "exit.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_READ = 1 << 16 };

static bool is_standard(const char *path)
{
    return strcmp(path, "-") == 0;
}

int app_check_input(const char *path)
{
    struct stat info;
    if (is_standard(path))
        return APP_OK;
    if (stat(path, &info) != 0 || access(path, R_OK) != 0) /* not opened: a pipe can be opened only once */
        return app_fail(APP_NO_INPUT, path, "%s, must be a readable file", strerror(errno));
    if (S_ISDIR(info.st_mode))
        return app_fail(APP_NO_INPUT, path, "is a folder, must be a readable file");
    return APP_OK;
}

bool app_is_stream(const char *path)
{
    struct stat info;
    return is_standard(path) || (stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode));
}

/* Makes an empty file next to `path`; *name is new, NULL on error. The suffix is at least as long as the library's for its
 * temporary files, so a name that passes here is not too long there. */
static int open_temporary(const char *path, char **name)
{
    static const char suffix[] = ".nw-temporary-XXXXXX";
    const size_t length = strlen(path);
    *name = malloc(length + sizeof suffix);
    if (*name == NULL)
        return -1;
    memcpy(*name, path, length);
    memcpy(*name + length, suffix, sizeof suffix);
    const int fd = mkostemp(*name, O_CLOEXEC);
    if (fd < 0) {
        free(*name);
        *name = NULL;
    }
    return fd;
}

static int fail_create(const char *path)
{
    return app_fail(APP_CANNOT_CREATE, path, "%s, must be in a folder where files can be made", strerror(errno));
}

int app_check_output(const char *path)
{
    struct stat info;
    if (is_standard(path))
        return APP_OK;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return app_fail(APP_CANNOT_CREATE, path, "is a folder, must be a file");
    if (app_is_stream(path))
        return access(path, W_OK) == 0 ? APP_OK : app_fail(APP_CANNOT_CREATE, path, "%s, must be writable", strerror(errno));
    char *name;
    const int fd = open_temporary(path, &name);
    if (fd < 0)
        return fail_create(path);
    close(fd);
    unlink(name);
    free(name);
    return APP_OK;
}

bool app_is_same_file(const char *a, const char *b)
{
    struct stat info_a;
    struct stat info_b;
    if (is_standard(a) || is_standard(b))
        return false;
    if (strcmp(a, b) == 0)
        return true;
    return stat(a, &info_a) == 0 && stat(b, &info_b) == 0 && info_a.st_dev == info_b.st_dev && info_a.st_ino == info_b.st_ino;
}

int app_check_apart(const char *option, const char *path, const char *const *named, size_t n)
{
    for (size_t i = 0; path != NULL && i < n; i++)
        if (named[i] != NULL && app_is_same_file(named[i], path))
            return app_fail(APP_USAGE, option, "is the same file as %s, must be another", named[i]);
    return APP_OK;
}

typedef struct identity {
    dev_t device;
    ino_t file;
    size_t which;
} identity;

static int compare_identities(const void *a, const void *b)
{
    const identity *x = a;
    const identity *y = b;
    const int by_device = (x->device > y->device) - (x->device < y->device);
    const int by_file = (x->file > y->file) - (x->file < y->file);
    return by_device != 0 ? by_device : by_file != 0 ? by_file : (x->which > y->which) - (x->which < y->which);
}

int app_check_distinct(char *const *paths, size_t n, const char *why)
{
    identity *files = calloc(n == 0 ? 1 : n, sizeof *files);
    size_t count = 0;
    int code = files == NULL ? app_fail(APP_INTERNAL, "operands", "out of memory") : APP_OK;
    for (size_t i = 0; code == APP_OK && i < n; i++) {
        struct stat st;
        if (stat(paths[i], &st) == 0) /* what is not there is nobody's double, and said when it is read */
            files[count++] = (identity){ st.st_dev, st.st_ino, i };
    }
    if (code == APP_OK)
        qsort(files, count, sizeof *files, compare_identities);
    for (size_t i = 1; code == APP_OK && i < count; i++)
        if (files[i].device == files[i - 1].device && files[i].file == files[i - 1].file)
            code = app_fail(APP_USAGE, paths[files[i].which], "%s", why);
    free(files);
    return code;
}

/* mkostemp gives 0600; the file shall have the mode that open() would have given it. */
static bool set_usual_mode(int fd)
{
    const mode_t mask = umask(0);
    umask(mask);
    return fchmod(fd, 0666 & ~mask) == 0;
}

static bool write_all(int fd, const void *bytes, size_t left)
{
    const char *text = bytes;
    while (left > 0) {
        const ssize_t written = write(fd, text, left);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            text += written;
            left -= (size_t)written;
        }
    }
    return true;
}

/* What cannot be renamed into its place: standard output, a device, a pipe. */
static int write_stream(const char *path, const void *bytes, size_t n)
{
    const int fd = is_standard(path) ? STDOUT_FILENO : open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return app_fail(APP_CANNOT_CREATE, path, "%s, must be writable", strerror(errno));
    bool is_good = write_all(fd, bytes, n);
    const int reason = errno;
    if (!is_standard(path))
        is_good = close(fd) == 0 && is_good;
    return is_good ? APP_OK
                   : app_fail(APP_IO, is_standard(path) ? "standard output" : path, "%s while writing", strerror(reason));
}

static int write_file(const char *path, const void *bytes, size_t n, bool is_secret)
{
    char *name;
    const int fd = open_temporary(path, &name);
    if (fd < 0)
        return fail_create(path);
    bool is_good = (is_secret || set_usual_mode(fd)) && write_all(fd, bytes, n) && fsync(fd) == 0;
    is_good = close(fd) == 0 && is_good;
    is_good = is_good && rename(name, path) == 0;
    const int reason = errno;
    if (!is_good)
        unlink(name);
    free(name);
    return is_good ? APP_OK : app_fail(APP_IO, path, "%s while writing", strerror(reason));
}

int app_write_text(const char *path, const char *text)
{
    return app_write_bytes(path, text, strlen(text));
}

int app_write_bytes(const char *path, const void *bytes, size_t n)
{
    return app_is_stream(path) ? write_stream(path, bytes, n) : write_file(path, bytes, n, false);
}

int app_write_secret(const char *path, const void *bytes, size_t n)
{
    return write_file(path, bytes, n, true);
}

/* Reads a file to its end, or a little beyond `limit` bytes, with a NUL behind it. */
static int read_all(const char *path, size_t limit, uint8_t **out, size_t *n)
{
    size_t capacity = 0;
    bool is_good = true;
    *out = NULL;
    *n = 0;
    FILE *file = is_standard(path) ? stdin : fopen(path, "rbe");
    if (file == NULL)
        return app_fail(APP_NO_INPUT, path, "%s, must be a readable file", strerror(errno));
    while (is_good && *n <= limit && *n == capacity) { /* a full buffer may not be all */
        capacity = capacity == 0 ? FIRST_READ : 2 * capacity;
        uint8_t *larger = realloc(*out, capacity + 1);
        is_good = larger != NULL;
        *out = is_good ? larger : *out;
        *n += is_good ? fread(*out + *n, 1, capacity - *n, file) : 0;
    }
    is_good = is_good && ferror(file) == 0;
    const int reason = errno;
    if (file != stdin)
        fclose(file);
    if (is_good) {
        (*out)[*n] = '\0';
        return APP_OK;
    }
    free(*out);
    *out = NULL;
    return app_fail(APP_IO, path, "%s while reading", strerror(reason));
}

int app_read_bytes(const char *path, size_t limit, uint8_t **out, size_t *n)
{
    const int code = read_all(path, limit, out, n);
    if (code != APP_OK || *n <= limit)
        return code;
    free(*out);
    *out = NULL;
    return app_fail(APP_DATA, path, "has more than %zu bytes", limit);
}

int app_read_text(const char *path, size_t limit, char **out)
{
    uint8_t *bytes;
    size_t n;
    const int code = read_all(path, limit, &bytes, &n);
    *out = (char *)bytes;
    if (code != APP_OK || (n <= limit && strlen(*out) == n))
        return code;
    free(bytes);
    *out = NULL;
    return app_fail(APP_DATA, path, "is no text of at most %zu bytes", limit);
}

int app_hash_file(const char *path, char out[APP_HASH_SIZE])
{
    crypto_generichash_state state;
    uint8_t digest[APP_HASH_SIZE / 2];
    uint8_t buffer[4096];
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return app_fail(APP_NO_INPUT, path, "%s, must be a readable file", strerror(errno));
    crypto_generichash_init(&state, NULL, 0, sizeof digest);
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, file)) > 0;)
        crypto_generichash_update(&state, buffer, n);
    const bool is_good = ferror(file) == 0;
    const int reason = errno;
    fclose(file);
    crypto_generichash_final(&state, digest, sizeof digest);
    sodium_bin2hex(out, APP_HASH_SIZE, digest, sizeof digest);
    return is_good ? APP_OK : app_fail(APP_IO, path, "%s while reading", strerror(reason));
}
