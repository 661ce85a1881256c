/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* idx.c - see idx.h. */
#include "idx.h"
#include "../common/exit.h"
#include "../common/idx.h"
#include "../common/input.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { IDX_PATH = 4096 };

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

static int read_images(examples *out, const char *path)
{
    uint32_t sizes[3];
    app_input *in;
    int code = app_input_open(&in, path);
    if (code == APP_OK)
        code = app_idx_header(in, 3, sizes);
    if (code == APP_OK) {
        out->height = sizes[1];
        out->columns = sizes[2];
        out->channels = 1;
        out->width = (size_t)sizes[1] * sizes[2];
        out->count = sizes[0];
        code = app_idx_bytes(in, out->count * out->width, &out->pixels);
    }
    if (code != APP_OK)
        out->count = 0;
    app_input_close(in);
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
    app_input *in;
    int code = app_input_open(&in, path);
    if (code == APP_OK)
        code = app_idx_header(in, 1, &count);
    if (code == APP_OK && count != out->count)
        code = app_fail(APP_DATA, path, "announces another number of labels than there are images");
    if (code == APP_OK)
        code = app_idx_bytes(in, count, &bytes);
    if (code == APP_OK && (out->labels = malloc(out->count * sizeof *out->labels)) == NULL)
        code = app_fail(APP_INTERNAL, NULL, "out of memory");
    if (code == APP_OK)
        code = check_labels(out, bytes, path);
    if (bytes != NULL)
        sodium_memzero(bytes, out->count);
    free(bytes);
    app_input_close(in);
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
