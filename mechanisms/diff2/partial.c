/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* partial.c - the open round's sum, for whatever carries it. As bytes, little-endian:
 *
 *   "nwd2" | version u32 | dimension u64 | fingerprint of options, round and iterates, 16 bytes | sums i64[dimension].
 *   In the end 16 bytes of BLAKE2b of it all. */
#include "diff2_internal.h"

#include <sodium.h>
#include <string.h>

enum { VERSION = 1, HEAD_BYTES = 16 + NW__DIFF2_FINGERPRINT, CHECK_BYTES = 16 };
static const uint8_t MARK[4] = { 'n', 'w', 'd', '2' };

const int64_t *nw_diff2_partial(const nw_diff2 *d)
{
    return d->phase == NW__DIFF2_OPEN ? d->sums : NULL;
}

static nw_status add_partial(nw_diff2 *d, const int64_t *sums, size_t dimension, nw_error *err)
{
    NW__TRY(nw__diff2_check_open(d, "nw_diff2_add_partial", err));
    if (sums == NULL)
        return nw__fail(err, NW_E_ARG, "nw_diff2_add_partial", "sums is NULL");
    if (dimension != d->dimension)
        return nw__fail(err, NW_E_ARG, "nw_diff2_add_partial", "dimension is %zu, must be %zu", dimension, d->dimension);
    d->has_additions = true;
    nw__diff2_merge(d->sums, sums, dimension);
    return NW_OK;
}

nw_status nw_diff2_add_partial(nw_diff2 *d, const int64_t *sums, size_t dimension, nw_error *err)
{
    return nw__diff2_spoil(d, add_partial(d, sums, dimension, err));
}

/* ---- bytes ---- */

static void put(uint8_t *at, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get(const uint8_t *at, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static size_t size_of(const nw_diff2 *d)
{
    return HEAD_BYTES + 8 * d->dimension + CHECK_BYTES;
}

nw_status nw_diff2_partial_to_bytes(const nw_diff2 *d, uint8_t **out, size_t *n, nw_error *err)
{
    if (out == NULL || n == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : "n");
    *out = NULL;
    NW__TRY(nw__diff2_check_open(d, __func__, err));
    if (d->is_incomplete)
        return nw__fail(err, NW_E_STATE, __func__, "an addition failed: the sum is not of all records");
    uint8_t *bytes = nw__calloc(size_of(d), 1);
    if (bytes == NULL)
        return nw__fail_memory(err, __func__);
    memcpy(bytes, MARK, sizeof MARK);
    put(bytes + 4, VERSION, 4);
    put(bytes + 8, d->dimension, 8);
    nw__diff2_fingerprint(d, NULL, bytes + 16);
    for (size_t i = 0; i < d->dimension; i++)
        put(bytes + HEAD_BYTES + 8 * i, (uint64_t)d->sums[i], 8);
    crypto_generichash(bytes + size_of(d) - CHECK_BYTES, CHECK_BYTES, bytes, size_of(d) - CHECK_BYTES, NULL, 0);
    *out = bytes;
    *n = size_of(d);
    return NW_OK;
}

static nw_status check_bytes(const nw_diff2 *d, const uint8_t *bytes, size_t n, const char *function, nw_error *err)
{
    uint8_t check[CHECK_BYTES];
    uint8_t mine[NW__DIFF2_FINGERPRINT];
    if (n < HEAD_BYTES + CHECK_BYTES || memcmp(bytes, MARK, sizeof MARK) != 0)
        return nw__fail(err, NW_E_FORMAT, function, "these bytes are no partial sum");
    if (get(bytes + 4, 4) != VERSION)
        return nw__fail(err, NW_E_UNSUPPORTED, function, "these bytes are of version %llu, must be of %d",
            (unsigned long long)get(bytes + 4, 4), VERSION);
    crypto_generichash(check, sizeof check, bytes, n - CHECK_BYTES, NULL, 0);
    if (memcmp(check, bytes + n - CHECK_BYTES, sizeof check) != 0)
        return nw__fail(err, NW_E_FORMAT, function, "these bytes were cut off or altered");
    nw__diff2_fingerprint(d, NULL, mine);
    if (n != size_of(d) || get(bytes + 8, 8) != d->dimension || memcmp(bytes + 16, mine, sizeof mine) != 0)
        return nw__fail(err, NW_E_ARG, function, "this sum is of other options, another round or other iterates");
    return NW_OK;
}

static nw_status add_bytes(nw_diff2 *d, const uint8_t *bytes, size_t n, nw_error *err)
{
    static const char function[] = "nw_diff2_partial_add_bytes";
    NW__TRY(nw__diff2_check_open(d, function, err));
    if (bytes == NULL)
        return nw__fail(err, NW_E_ARG, function, "bytes is NULL");
    NW__TRY(check_bytes(d, bytes, n, function, err));
    d->has_additions = true;
    for (size_t i = 0; i < d->dimension; i++) {
        const int64_t part = (int64_t)get(bytes + HEAD_BYTES + 8 * i, 8);
        nw__diff2_merge(d->sums + i, &part, 1);
    }
    return NW_OK;
}

nw_status nw_diff2_partial_add_bytes(nw_diff2 *d, const uint8_t *bytes, size_t n, nw_error *err)
{
    return nw__diff2_spoil(d, add_bytes(d, bytes, n, err));
}

void nw_diff2_bytes_free(uint8_t *bytes, size_t n)
{
    nw__free_wiped(bytes, n);
}
