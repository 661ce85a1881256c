/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* idx.c - see idx.h. */
#include "idx.h"
#include "input.h"
#include "../common/exit.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
    IDX_UNSIGNED_BYTE = 8,
    IDX_MOST_SIDE = 1 << 12,     /* pixels: a header that claims more is not believed */
    IDX_MOST_COUNT = 0x7fffffff, /* what the library's batches can name */
    IDX_FIRST = 1 << 22,         /* bytes: allocated before any of them is seen to be there */
    IDX_PATH = 4096
};

/* ---- files of the folder ---- */

/* Puts the name of the file that is there into `path`, or that of the one that should be. */
static bool find_file(char path[IDX_PATH], const char *folder, idx_part part, const char *what, unsigned dimensions)
{
    for (unsigned i = 0; i < 4; i++) {
        struct stat info;
        const int n = snprintf(path, IDX_PATH, "%s/%s-%s%cidx%u-ubyte%s", folder, part == IDX_TRAIN ? "train" : "t10k", what,
            i < 2 ? '.' : '-', dimensions, i % 2 == 0 ? "" : ".gz");
        if (n > 0 && n < IDX_PATH && stat(path, &info) == 0)
            return true;
    }
    return false;
}

bool idx_has(const char *folder, idx_part part)
{
    char path[IDX_PATH];
    return find_file(path, folder, part, "images", 3);
}

/* ---- one file ---- */

static int fail_cut(const input *in)
{
    return app_fail(APP_DATA, input_path(in), "ends before what its header announces");
}

static int read_number(input *in, uint32_t *out)
{
    uint8_t bytes[4];
    size_t got;
    const int code = input_read(in, bytes, sizeof bytes, &got);
    *out = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    return code != APP_OK || got == sizeof bytes ? code : fail_cut(in);
}

static int read_header(input *in, unsigned dimensions, uint32_t sizes[])
{
    uint32_t magic;
    int code = read_number(in, &magic);
    if (code == APP_OK && magic != ((uint32_t)IDX_UNSIGNED_BYTE << 8 | dimensions))
        return app_fail(APP_DATA, input_path(in), "begins with 0x%08x, must be 0x%08x: unsigned bytes in %u dimensions",
            (unsigned)magic, IDX_UNSIGNED_BYTE << 8 | dimensions, dimensions);
    for (unsigned i = 0; code == APP_OK && i < dimensions; i++) {
        code = read_number(in, &sizes[i]);
        if (code == APP_OK && (sizes[i] == 0 || sizes[i] > (i == 0 ? (uint32_t)IDX_MOST_COUNT : (uint32_t)IDX_MOST_SIDE)))
            return app_fail(APP_DATA, input_path(in), "dimension %u is %u, must be in 1 .. %u", i + 1, (unsigned)sizes[i],
                i == 0 ? (unsigned)IDX_MOST_COUNT : (unsigned)IDX_MOST_SIDE);
    }
    return code;
}

/* Reads `total` bytes, and the end of the file after them. What the header claims is allocated as it is seen to be there. */
static int read_bytes(input *in, size_t total, uint8_t **out)
{
    size_t has = 0;
    size_t capacity = total < IDX_FIRST ? total : IDX_FIRST;
    uint8_t *bytes = NULL;
    int code = APP_OK;
    while (code == APP_OK && has < total) {
        size_t got = 0;
        capacity = has == 0 ? capacity : capacity > total / 2 ? total : 2 * capacity;
        uint8_t *larger = realloc(bytes, capacity);
        if (larger == NULL) {
            code = app_fail(APP_INTERNAL, NULL, "out of memory");
            break;
        }
        bytes = larger;
        code = input_read(in, bytes + has, capacity - has, &got);
        has += got;
        if (code == APP_OK && has < capacity)
            code = fail_cut(in);
    }
    uint8_t beyond;
    size_t got = 0;
    if (code == APP_OK)
        code = input_read(in, &beyond, 1, &got);
    if (code == APP_OK && got != 0)
        code = app_fail(APP_DATA, input_path(in), "goes on after what its header announces");
    *out = bytes;
    return code;
}

static int read_images(examples *out, const char *path)
{
    uint32_t sizes[3];
    input *in;
    int code = input_open(&in, path);
    if (code == APP_OK)
        code = read_header(in, 3, sizes);
    if (code == APP_OK) {
        out->height = sizes[1];
        out->columns = sizes[2];
        out->channels = 1;
        out->width = (size_t)sizes[1] * sizes[2];
        out->count = sizes[0];
        code = read_bytes(in, out->count * out->width, &out->pixels);
    }
    if (code != APP_OK)
        out->count = 0;
    input_close(in);
    return code;
}

static int check_labels(const examples *out, const uint8_t *bytes, const char *path)
{
    for (size_t i = 0; i < out->count; i++) {
        if (bytes[i] >= out->classes)
            return app_fail(APP_DATA, path, "the label of example %zu is not in 0 .. %u", i + 1, out->classes - 1);
        out->labels[i] = bytes[i];
    }
    return APP_OK;
}

static int read_labels(examples *out, const char *path)
{
    uint32_t count;
    uint8_t *bytes = NULL;
    input *in;
    int code = input_open(&in, path);
    if (code == APP_OK)
        code = read_header(in, 1, &count);
    if (code == APP_OK && count != out->count)
        code = app_fail(APP_DATA, path, "announces another number of labels than there are images");
    if (code == APP_OK)
        code = read_bytes(in, count, &bytes);
    if (code == APP_OK && (out->labels = malloc(out->count * sizeof *out->labels)) == NULL)
        code = app_fail(APP_INTERNAL, NULL, "out of memory");
    if (code == APP_OK)
        code = check_labels(out, bytes, path);
    if (bytes != NULL)
        sodium_memzero(bytes, out->count);
    free(bytes);
    input_close(in);
    return code;
}

int idx_read(examples *out, const char *folder, idx_part part, uint32_t classes)
{
    char images[IDX_PATH];
    char labels[IDX_PATH];
    *out = (examples){ .kind = EXAMPLES_PIXELS, .classes = classes };
    find_file(images, folder, part, "images", 3); /* one that is not there: opening it says so */
    find_file(labels, folder, part, "labels", 1);
    int code = read_images(out, images);
    if (code == APP_OK)
        code = read_labels(out, labels);
    return code;
}
