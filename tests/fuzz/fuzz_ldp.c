/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* fuzz_ldp.c - any bytes as a campaign, as reports, and as an aggregate: refused without a trace, or what the library could have
 * written, byte for byte. The first byte says what the others are. */
#include "base.h"

#include <nw/ldp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void require(bool is_true, const char *what)
{
    if (is_true)
        return;
    fprintf(stderr, "fuzz_ldp: %s\n", what);
    abort();
}

static int draw_byte(void *context, uint8_t *out, size_t n)
{
    memset(out, *(const uint8_t *)context, n);
    return 0;
}

static nw_ldp_campaign campaign_of(uint8_t which)
{
    nw_ldp_campaign c;
    nw_ldp_campaign_opts o = NW_LDP_CAMPAIGN_OPTS_INIT;
    o.epsilon = 1.0;
    o.oracle = (nw_ldp_oracle)(1 + which % NW_LDP_SQUARE_WAVE);
    if (o.oracle == NW_LDP_OLH || o.oracle == NW_LDP_BLH) {
        o.bits = 12;
        o.levels = 2;
        o.seed_bits = (which & 16) != 0 ? 8 : 32;
    } else if (o.oracle < NW_LDP_DUCHI || o.oracle == NW_LDP_SQUARE_WAVE) {
        o.domain = 5;
    }
    require(nw_ldp_campaign_make(&c, &o, NULL) == NW_OK, "no campaign");
    return c;
}

static nw_ldp_aggregate *new_aggregate(const nw_ldp_campaign *c, bool is_tracking_users)
{
    nw_ldp_aggregate *a = NULL;
    nw_ldp_aggregate_opts o = NW_LDP_AGGREGATE_OPTS_INIT;
    o.is_tracking_users = is_tracking_users;
    require(nw_ldp_aggregate_new(&a, c, &o, NULL) == NW_OK, "no aggregate");
    return a;
}

/* The bytes are the only way to write what they say, and its reports are taken. */
static void check_campaign(const uint8_t *bytes, size_t n)
{
    static const nw_ldp_campaign none;
    nw_ldp_campaign c;
    uint8_t again[NW_LDP_CAMPAIGN_BYTES];
    const nw_status status = nw_ldp_campaign_read(&c, bytes, n);
    if (status != NW_OK) {
        require(status == NW_E_FORMAT || status == NW_E_UNSUPPORTED, "refused for another reason");
        require(memcmp(&c, &none, sizeof c) == 0, "refused, and left a trace");
        return;
    }
    nw_ldp_campaign_write(&c, again);
    require(n == sizeof again && memcmp(again, bytes, n) == 0, "taken, and written in another way");
    static uint8_t report[NW_LDP_MAX_REPORT];
    uint8_t random = bytes[n - 1];
    const uint8_t user[NW_LDP_USER_BYTES] = { random };
    nw_ldp_verdict verdict = NW_LDP_MALFORMED;
    if (c.domain > 1000 || c.outputs > 1000 || (c.seed_bits != 0 && c.seed_bits <= 20))
        return; /* large tables take long to make */
    const nw_status made = nw_ldp_report(
        &c, c.is_public_coin ? user : NULL, (nw_ldp_item){ random, random }, draw_byte, &random, report, sizeof report);
    require(made == NW_OK || (made == NW_E_ENTROPY && c.oracle == NW_LDP_SUBSET), "no report");
    if (made != NW_OK) /* such a source is found out: its words are refused again and again */
        return;
    nw_ldp_aggregate *a = new_aggregate(&c, false);
    require(nw_ldp_aggregate_add(a, report, nw_ldp_report_size(&c), user, &verdict, NULL) == NW_OK, "report is refused");
    require(verdict == NW_LDP_ACCEPTED, "report is not accepted");
    nw_ldp_aggregate_free(a);
}

static uint8_t *bytes_of(const nw_ldp_aggregate *a, size_t *n)
{
    *n = nw_ldp_aggregate_size(a);
    uint8_t *bytes = nw__calloc(*n, 1);
    require(bytes != NULL && nw_ldp_aggregate_serialize(a, bytes, *n, NULL) == NW_OK, "cannot be written");
    return bytes;
}

static void check_aggregate(const uint8_t *bytes, size_t n)
{
    nw_error err;
    size_t size = 0;
    nw_ldp_aggregate *a = NULL;
    if (n < 108 || bytes[104 - 1] > 16) /* campaigns of small domains only: tables of large ones take long */
        return;
    const nw_status status = nw_ldp_aggregate_deserialize(&a, bytes, n, &err);
    require(status == NW_OK || (status == NW_E_FORMAT && a == NULL && err.message[0] != '\0'), "neither taken nor refused");
    if (status != NW_OK)
        return;
    uint8_t *again = bytes_of(a, &size);
    require(size == n && memcmp(again, bytes, n) == 0, "taken, and written in another way");
    free(again);
    nw_ldp_aggregate_free(a);
}

/* Reports behind their true header, of any payload; then the state, which must be taken, and must not be once it is cut. */
static void check_reports(uint8_t which, const uint8_t *bytes, size_t n)
{
    const nw_ldp_campaign c = campaign_of(which);
    nw_ldp_aggregate *a = new_aggregate(&c, (which & 32) != 0);
    nw_ldp_aggregate *other = NULL;
    size_t size = 0;
    uint64_t added = 0;
    uint64_t counted = 0;
    for (size_t i = 0; i + 8 <= n; i += 8, added++) {
        uint8_t report[NW_LDP_SHORT_REPORT] = { 0x4e, 1, (uint8_t)c.oracle, bytes[i] % 3 };
        const uint8_t user[NW_LDP_USER_BYTES] = { bytes[i + 1] };
        memcpy(report + 4, c.digest, 6);
        memcpy(report + 10, bytes + i + 2, 6);
        if (bytes[i] >= 64 && c.seed_bits == 0) /* small numbers are often valid */
            memset(report + 11, 0, 5);
        require(nw_ldp_aggregate_add(a, report, sizeof report, user, NULL, NULL) == NW_OK, "a report is an error");
    }
    for (int i = 0; i < NW_LDP_VERDICTS; i++)
        counted += nw_ldp_aggregate_count(a, (nw_ldp_verdict)i);
    require(counted == added, "a report is not counted once");
    uint8_t *state = bytes_of(a, &size);
    require(nw_ldp_aggregate_deserialize(&other, state, size, NULL) == NW_OK, "what was written is refused");
    nw_ldp_aggregate_free(other);
    require(nw_ldp_aggregate_deserialize(&other, state, size - 1, NULL) == NW_E_FORMAT, "cut short, and taken");
    free(state);
    nw_ldp_aggregate_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n == 0)
        return 0;
    if (bytes[0] == 'N' && n >= 4 && bytes[3] == 'C')
        check_campaign(bytes, n);
    else if (bytes[0] == 'N')
        check_aggregate(bytes, n);
    else
        check_reports(bytes[0], bytes + 1, n - 1);
    return 0;
}
