/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* idx.c - see idx.h. What a header claims is allocated as it is seen to be there. */
#include "idx.h"
#include "exit.h"

#include <stdlib.h>

enum {
    IDX_UNSIGNED_BYTE = 8,
    IDX_MOST_SIDE = 1 << 12,     /* pixels: a header that claims more is not believed */
    IDX_MOST_COUNT = 0x7fffffff, /* what the library's batches can name */
    IDX_FIRST = 1 << 22          /* bytes: allocated before any of them is seen to be there */
};

static int fail_cut(const app_input *in)
{
    return app_fail(APP_DATA, app_input_path(in), "ends before what its header announces");
}

static int read_number(app_input *in, uint32_t *out)
{
    uint8_t bytes[4];
    size_t got;
    const int code = app_input_read(in, bytes, sizeof bytes, &got);
    *out = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    return code != APP_OK || got == sizeof bytes ? code : fail_cut(in);
}

int app_idx_header(app_input *in, unsigned dimensions, uint32_t sizes[])
{
    uint32_t magic;
    int code = read_number(in, &magic);
    if (code == APP_OK && magic != ((uint32_t)IDX_UNSIGNED_BYTE << 8 | dimensions))
        return app_fail(APP_DATA, app_input_path(in), "begins with 0x%08x, must be 0x%08x: unsigned bytes in %u dimensions",
            (unsigned)magic, IDX_UNSIGNED_BYTE << 8 | dimensions, dimensions);
    for (unsigned i = 0; code == APP_OK && i < dimensions; i++) {
        code = read_number(in, &sizes[i]);
        if (code == APP_OK && (sizes[i] == 0 || sizes[i] > (i == 0 ? (uint32_t)IDX_MOST_COUNT : (uint32_t)IDX_MOST_SIDE)))
            return app_fail(APP_DATA, app_input_path(in), "dimension %u is %u, must be in 1 .. %u", i + 1, (unsigned)sizes[i],
                i == 0 ? (unsigned)IDX_MOST_COUNT : (unsigned)IDX_MOST_SIDE);
    }
    return code;
}

int app_idx_bytes(app_input *in, size_t total, uint8_t **out)
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
        code = app_input_read(in, bytes + has, capacity - has, &got);
        has += got;
        if (code == APP_OK && has < capacity)
            code = fail_cut(in);
    }
    uint8_t beyond;
    size_t got = 0;
    if (code == APP_OK)
        code = app_input_read(in, &beyond, 1, &got);
    if (code == APP_OK && got != 0)
        code = app_fail(APP_DATA, app_input_path(in), "goes on after what its header announces");
    *out = bytes;
    return code;
}
