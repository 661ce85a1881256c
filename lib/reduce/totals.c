/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* totals.c - exact totals as bytes: magic[8], fingerprint[32] of the options, the totals, BLAKE2b-256 of all that; integers
 * little-endian. Equal totals have equal bytes. */
#include "reduce_internal.h"

#include <sodium.h>
#include <string.h>

enum { HEAD_BYTES = 8 + NW__TOTALS_FINGERPRINT, DIGEST_BYTES = 32 };

size_t nw__totals_size(size_t n)
{
    return HEAD_BYTES + 8 * n + DIGEST_BYTES;
}

static void write_digest(const uint8_t *bytes, size_t n, uint8_t digest[DIGEST_BYTES])
{
    crypto_generichash(digest, DIGEST_BYTES, bytes, HEAD_BYTES + 8 * n, NULL, 0);
}

void nw__totals_write(const nw__totals *totals, uint8_t *out)
{
    memcpy(out, totals->magic, 8);
    memcpy(out + 8, totals->fingerprint, NW__TOTALS_FINGERPRINT);
    for (size_t i = 0; i < totals->n; i++)
        nw__put_word(out + HEAD_BYTES + 8 * i, (uint64_t)totals->values[i]);
    write_digest(out, totals->n, out + HEAD_BYTES + 8 * totals->n);
}

nw_status nw__totals_add_bytes(nw__totals *totals, const uint8_t *bytes, size_t size, const char *function, nw_error *err)
{
    uint8_t digest[DIGEST_BYTES];
    if (size < 8 || memcmp(bytes, totals->magic, 8) != 0)
        return nw__fail(err, NW_E_FORMAT, function, "the bytes are no such totals, or of another version");
    if (size >= HEAD_BYTES && memcmp(bytes + 8, totals->fingerprint, NW__TOTALS_FINGERPRINT) != 0)
        return nw__fail(err, NW_E_FORMAT, function, "the bytes were made of other options, must be of the same");
    if (size != nw__totals_size(totals->n))
        return nw__fail(err, NW_E_FORMAT, function, "the bytes are %zu, must be %zu", size, nw__totals_size(totals->n));
    write_digest(bytes, totals->n, digest);
    if (memcmp(digest, bytes + size - DIGEST_BYTES, DIGEST_BYTES) != 0)
        return nw__fail(err, NW_E_FORMAT, function, "the bytes are damaged: their checksum does not hold");
    for (size_t i = 0; i < totals->n; i++)
        totals->values[i] = nw__add_saturated(totals->values[i], (int64_t)nw__get_word(bytes + HEAD_BYTES + 8 * i));
    return NW_OK;
}

nw_status nw__totals_reduce(nw__totals *totals, const nw_reduce *reduce, nw_status status, const char *function, nw_error *err)
{
    NW__TRY(nw__reduce_same(reduce, totals->fingerprint, NW__TOTALS_FINGERPRINT, status, function, "other options", err));
    return nw__reduce_totals(reduce, totals->values, totals->n, err);
}
