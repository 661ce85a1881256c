/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* csv_source.c - bytes from a file or standard input, gzip (RFC 1952, any number of members) undone. */
#include "csv_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define INPUT_BYTES ((size_t)1 << 16)

static const size_t READ_CHUNK = (size_t)1 << 18; /* of a file that is read whole */

struct nw__source {
    int fd;
    bool is_owned; /* fd is to be closed */
    bool is_gzip;
    bool is_inside_member; /* of gzip: its end has not been seen */
    const char *path;      /* borrowed, for messages */
    z_stream inflater;     /* next_in and avail_in are the bytes read and not yet handed on, gzip or not */
    unsigned char input[INPUT_BYTES];
};

static nw_status fail_io(nw_error *err, const char *function, const char *verb, const char *path)
{
    return nw__fail(err, NW_E_IO, function, "cannot %s %.200s: %s", verb, path, strerrordesc_np(errno));
}

static nw_status read_some(nw__source *source, void *bytes, size_t n, size_t *got, nw_error *err, const char *function)
{
    ssize_t r;
    do
        r = read(source->fd, bytes, n);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return fail_io(err, function, "read", source->path);
    *got = (size_t)r;
    return NW_OK;
}

/* Reads on until `least` bytes wait in the input buffer, or the file ends. */
static nw_status want_input(nw__source *source, size_t least, nw_error *err, const char *function)
{
    z_stream *z = &source->inflater;
    memmove(source->input, z->next_in, z->avail_in);
    z->next_in = source->input;
    for (size_t got = 1; z->avail_in < least && got > 0; z->avail_in += (uInt)got)
        NW__TRY(read_some(source, source->input + z->avail_in, INPUT_BYTES - z->avail_in, &got, err, function));
    return NW_OK;
}

static bool has_gzip_magic(const nw__source *source)
{
    const z_stream *z = &source->inflater;
    return z->avail_in >= 2 && z->next_in[0] == 0x1f && z->next_in[1] == 0x8b;
}

static nw_status detect_gzip(nw__source *source, nw_error *err, const char *function)
{
    source->inflater.next_in = source->input;
    NW__TRY(want_input(source, 2, err, function));
    if (!has_gzip_magic(source))
        return NW_OK;
    if (inflateInit2(&source->inflater, 15 + 16) != Z_OK) /* 15: largest window; 16: gzip, not zlib */
        return nw__fail_memory(err, function);
    source->is_gzip = true;
    source->is_inside_member = true;
    return NW_OK;
}

nw_status nw__source_open(nw__source **out, const char *path, nw_error *err, const char *function)
{
    *out = NULL;
    nw__source *source = nw__calloc(1, sizeof *source);
    if (source == NULL)
        return nw__fail_memory(err, function);
    source->path = path;
    source->is_owned = strcmp(path, "-") != 0;
    source->fd = source->is_owned ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    nw_status status = source->fd < 0 ? fail_io(err, function, "open", path) : detect_gzip(source, err, function);
    if (status != NW_OK) {
        nw__source_close(source);
        return status;
    }
    *out = source;
    return NW_OK;
}

void nw__source_close(nw__source *source)
{
    if (source == NULL)
        return;
    if (source->is_gzip)
        inflateEnd(&source->inflater);
    if (source->is_owned && source->fd >= 0)
        close(source->fd);
    nw__free_wiped(source, sizeof *source);
}

/* Between members: begins the next one, or finds the end of the file. */
static nw_status next_member(nw__source *source, nw_error *err, const char *function)
{
    NW__TRY(want_input(source, 2, err, function));
    if (source->inflater.avail_in == 0)
        return NW_OK;
    if (!has_gzip_magic(source))
        return nw__fail(err, NW_E_FORMAT, function, "%.200s: bytes that are not gzip follow the compressed data", source->path);
    inflateReset(&source->inflater);
    source->is_inside_member = true;
    return NW_OK;
}

static nw_status read_gzip(nw__source *source, char *bytes, size_t n, size_t *got, nw_error *err, const char *function)
{
    z_stream *z = &source->inflater;
    z->next_out = (unsigned char *)bytes;
    z->avail_out = n < UINT32_MAX ? (uInt)n : UINT32_MAX;
    const uInt room = z->avail_out;
    while (z->avail_out == room) {
        if (!source->is_inside_member) {
            NW__TRY(next_member(source, err, function));
            if (!source->is_inside_member)
                break;
        }
        NW__TRY(want_input(source, 1, err, function));
        const bool is_cut = z->avail_in == 0;
        const int result = inflate(z, Z_NO_FLUSH);
        if (result == Z_MEM_ERROR)
            return nw__fail_memory(err, function);
        if (result == Z_STREAM_END)
            source->is_inside_member = false;
        else if (z->avail_out < room)
            break; /* should there be an error, it comes again at the next call: what is before it is read first */
        else if (is_cut)
            return nw__fail(err, NW_E_FORMAT, function, "%.200s: the gzip data are cut short", source->path);
        else if (result != Z_OK && result != Z_BUF_ERROR)
            return nw__fail(err, NW_E_FORMAT, function, "%.200s: the gzip data are damaged", source->path);
    }
    *got = room - z->avail_out;
    return NW_OK;
}

nw_status nw__source_read(nw__source *source, char *bytes, size_t n, size_t *got, nw_error *err, const char *function)
{
    if (source->is_gzip)
        return read_gzip(source, bytes, n, got, err, function);
    z_stream *waiting = &source->inflater;
    if (waiting->avail_in == 0)
        return read_some(source, bytes, n, got, err, function);
    *got = waiting->avail_in < n ? waiting->avail_in : n;
    memcpy(bytes, waiting->next_in, *got);
    waiting->next_in += *got;
    waiting->avail_in -= (uInt)*got;
    return NW_OK;
}

static nw_status append_all(nw__source *source, size_t most, uint8_t **bytes, size_t *n, nw_error *err, const char *function)
{
    size_t got = 1;
    while (got > 0) {
        uint8_t *grown = nw__realloc_array(*bytes, *n + READ_CHUNK + *n / 2, 1);
        if (grown == NULL)
            return nw__fail_memory(err, function);
        *bytes = grown;
        const size_t end = *n + READ_CHUNK;
        while (*n < end && got > 0) {
            NW__TRY(nw__source_read(source, (char *)*bytes + *n, end - *n, &got, err, function));
            *n += got;
        }
        if (*n > most)
            return nw__fail(err, NW_E_FORMAT, function, "%.200s is larger than %zu bytes", source->path, most);
    }
    return NW_OK;
}

nw_status nw__source_read_all(const char *path, size_t most, uint8_t **bytes, size_t *n, nw_error *err, const char *function)
{
    nw__source *source = NULL;
    *bytes = NULL;
    *n = 0;
    NW__TRY(nw__source_open(&source, path, err, function));
    const nw_status status = append_all(source, most, bytes, n, err, function);
    nw__source_close(source);
    if (status != NW_OK) {
        free(*bytes);
        *bytes = NULL;
    }
    return status;
}

double nw__source_fraction(const nw__source *source)
{
    struct stat st;
    const off_t at = lseek(source->fd, 0, SEEK_CUR);
    if (at < 0 || fstat(source->fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
        return -1.0;
    return at < st.st_size ? (double)at / (double)st.st_size : 1.0;
}
