/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* fuzz_keys.c - any bytes behind the header of nw_keys_serialize: refused with a message and without a trace, or what a handle
 * could have written, byte for byte. As few bytes are, they are also read as records of a few users and keys, whose own bytes
 * must be taken, and must not be once one of them is another. */
#include "base.h"

#include <nw/stats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { HEADER = 40, MAX_KEYS = 2, MAX_COUNT = 3 };

static void require(bool is_true, const char *what)
{
    if (is_true)
        return;
    fprintf(stderr, "fuzz_keys: %s\n", what);
    abort();
}

static nw_keys *new_keys(void)
{
    nw_keys *keys = NULL;
    nw_keys_opts o = NW_KEYS_OPTS_INIT;
    o.epsilon = 1;
    o.delta = 0;
    o.threshold_delta = 1e-6;
    o.adjacency = NW_ADD_REMOVE;
    o.max_keys = MAX_KEYS;
    o.max_count = MAX_COUNT;
    require(nw_keys_new(&keys, &o, NULL) == NW_OK, "no handle");
    return keys;
}

static uint8_t *bytes_of(const nw_keys *keys, size_t *n)
{
    *n = nw_keys_size(keys);
    uint8_t *bytes = nw__calloc(*n, 1);
    require(bytes != NULL && nw_keys_serialize(keys, bytes, *n, NULL) == NW_OK, "cannot be written");
    return bytes;
}

/* Whether the bytes are taken by an empty handle; then they must be the only way to say so. */
static bool is_taken(const uint8_t *bytes, size_t n)
{
    nw_error err;
    size_t size = 0;
    nw_keys *keys = new_keys();
    const size_t empty = nw_keys_size(keys);
    const nw_status status = nw_keys_merge_bytes(keys, bytes, n, &err);
    require(status == NW_OK || (status == NW_E_FORMAT && err.status == status && err.message[0] != '\0'),
        "neither taken nor refused with a message");
    uint8_t *again = bytes_of(keys, &size);
    if (status == NW_OK)
        require(size == n && memcmp(again, bytes, n) == 0, "taken, and written in another way");
    else
        require(size == empty, "refused, and left a trace");
    free(again);
    nw_keys_free(keys);
    return status == NW_OK;
}

static void check_behind_header(const uint8_t *bytes, size_t n)
{
    size_t size = 0;
    nw_keys *keys = new_keys();
    uint8_t *header = bytes_of(keys, &size);
    uint8_t *all = nw__calloc(HEADER + n, 1);
    require(all != NULL, "no memory");
    memcpy(all, header, HEADER);
    if (n > 0)
        memcpy(all + HEADER, bytes, n);
    (void)is_taken(all, HEADER + n);
    free(all);
    free(header);
    nw_keys_free(keys);
}

static void check_records(const uint8_t *bytes, size_t n)
{
    size_t size = 0;
    nw_keys *keys = new_keys();
    for (size_t i = 0; i + 1 < n; i += 2) /* users and keys of no, one and two bytes */
        require(nw_keys_add(keys, bytes + i, bytes[i] % 3, bytes + i, bytes[i + 1] % 3, NULL) == NW_OK, "a record is refused");
    uint8_t *whole = bytes_of(keys, &size);
    require(is_taken(whole, size), "what was written is refused");
    require(!is_taken(whole, size - 1), "cut short, and taken");
    if (n > 0) {
        whole[(size_t)bytes[n / 2] % HEADER] ^= 1; /* the header: of other options or another version */
        require(!is_taken(whole, size), "another header is taken");
    }
    free(whole);
    nw_keys_free(keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    check_behind_header(bytes, n);
    check_records(bytes, n);
    return 0;
}
