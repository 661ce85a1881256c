/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* join.c - a table that several processes count: shares of its files, sums of the counts, and the second reading. */
#include "synth_internal.h"

#include <string.h>

nw_status nw_synth_share(nw_synth *synth, size_t part, size_t parts, nw_error *err)
{
    NW__TRY(nw__synth_check_open(synth, __func__, err));
    if (part >= parts)
        return nw__fail(err, NW_E_ARG, __func__, "part is %zu of %zu parts, must be below them", part, parts);
    if (synth->stream != NULL || synth->partial.counts != NULL)
        return nw__fail(err, NW_E_STATE, __func__, "records were added: a share must be asked for before");
    synth->share = (nw__csv_share){ part, parts };
    return NW_OK;
}

/* What has to be alike: schema and options, and how the table was read. */
enum { COMMON_BYTES = NW__FINGERPRINT_BYTES + 16 };

static void write_common(const nw_synth *synth, uint8_t out[COMMON_BYTES])
{
    memcpy(out, synth->fingerprint, NW__FINGERPRINT_BYTES);
    nw__put_word(out + NW__FINGERPRINT_BYTES, synth->stream != NULL);
    nw__put_word(out + NW__FINGERPRINT_BYTES + 8, synth->share.parts);
}

nw_status nw_synth_reduce(nw_synth *synth, const nw_reduce *reduce, nw_error *err)
{
    uint8_t common[COMMON_BYTES];
    if (synth == NULL || reduce == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", synth == NULL ? "synth" : "reduce");
    write_common(synth, common);
    nw_status status = nw__synth_check_open(synth, __func__, err);
    if (status == NW_OK && synth->stream != NULL && synth->is_joined)
        status = nw__fail(err, NW_E_STATE, __func__, "the readings of a file were added up already");
    NW__TRY(nw__reduce_same(reduce, common, sizeof common, status, __func__,
        "another schema, other options, or another way of reading the table", err));
    if (reduce->size == 1)
        return NW_OK;
    if (synth->stream != NULL)
        NW__TRY(nw__stream_join(synth->stream, reduce, err));
    NW__TRY(nw__partial_reduce(&synth->partial, reduce, synth->stream == NULL, synth->share.parts > 1, __func__, err));
    synth->is_handed = reduce->rank > 0;
    synth->is_joined = true;
    return NW_OK;
}

nw_status nw_synth_follow(nw_synth *synth, nw_error *err)
{
    NW__TRY(nw__synth_check_open(synth, __func__, err));
    if (!synth->is_handed || synth->stream == NULL)
        return nw__fail(err, NW_E_STATE, __func__,
            "this process does not follow: it is process 0, or read no file with nw_synth_read_csv and joined with "
            "nw_synth_reduce");
    const nw_status status = nw__stream_follow(synth->stream, err);
    synth->is_released = true;
    nw__stream_free(synth->stream);
    synth->stream = NULL;
    return status;
}
