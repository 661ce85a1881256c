/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* settings.c - options as the library's values. */
#include "settings.h"

#include "../common/exit.h"
#include "../common/numbers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

nw_hh_protocol settings_protocol(const settings *s)
{
    static const nw_hh_protocol protocols[] = { NW_HH_POOLED, NW_HH_PEM, NW_HH_FEDPEM, NW_HH_SHARED };
    return s->protocol == PROTOCOL_CENTRAL ? NW_HH_POOLED : protocols[s->protocol];
}

const char *settings_protocol_name(const settings *s)
{
    return s->protocol == PROTOCOL_CENTRAL ? "central" : nw_hh_protocol_name(settings_protocol(s));
}

nw_hh_encoding settings_encoding(const settings *s)
{
    static const nw_hh_encoding encodings[] = { NW_HH_U64, NW_HH_LETTERS5, NW_HH_UTF8, NW_HH_HASH };
    return encodings[s->encoding];
}

/* The next member of a list with commas; false if it does not fit. *at is NULL after the last. */
static bool next_member(const char **at, char out[APP_NUMBER_SIZE])
{
    const size_t size = strcspn(*at, ",");
    const bool is_last = (*at)[size] == '\0';
    if (size == 0 || size >= APP_NUMBER_SIZE)
        return false;
    memcpy(out, *at, size);
    out[size] = '\0';
    *at = is_last ? NULL : *at + size + 1;
    return true;
}

int settings_epsilons(const settings *s, double values[MOST_EPSILONS], size_t *n)
{
    static const char LOCAL[] = "[0.0009765625, 16]";
    static const char CENTRAL[] = "(0, 64]";
    const char *interval = s->protocol == PROTOCOL_CENTRAL ? CENTRAL : LOCAL;
    char text[APP_NUMBER_SIZE];
    *n = 0;
    for (const char *at = s->epsilon; at != NULL; (*n)++) {
        if (*n == MOST_EPSILONS)
            return app_fail(APP_USAGE, "--epsilon", "has too many numbers, must have at most %d", MOST_EPSILONS);
        if (!next_member(&at, text) || !app_parse_real(text, &values[*n]) || !app_is_inside(interval, values[*n]))
            return app_fail(APP_USAGE, "--epsilon", "is \"%s\", must be a number in %s, or several with commas between",
                s->epsilon, interval);
    }
    return APP_OK;
}

int settings_levels(const settings *s, uint8_t lengths[NW_LDP_MAX_LEVELS], unsigned *levels)
{
    nw_error err;
    char text[APP_NUMBER_SIZE];
    uint64_t length = 0;
    if (s->levels == NULL)
        return nw_hh_levels(settings_protocol(s), settings_encoding(s), (unsigned)s->bits, (unsigned)s->top, (unsigned)s->step,
                   lengths, levels, &err) == NW_OK
                   ? APP_OK
                   : app_fail_error("--step", &err);
    *levels = 0;
    for (const char *at = s->levels; at != NULL;) {
        const uint64_t before = length;
        if (*levels == NW_LDP_MAX_LEVELS || !next_member(&at, text) || !app_parse_count(text, &length) || length <= before ||
            length - before > 24 || length > s->bits || (at == NULL && length != s->bits))
            return app_fail(APP_USAGE, "--levels",
                "is \"%s\", must be at most %d increasing lengths, at most 24 bits apart, up to the %llu of --bits", s->levels,
                NW_LDP_MAX_LEVELS, (unsigned long long)s->bits);
        lengths[(*levels)++] = (uint8_t)length;
    }
    return APP_OK;
}

/* 32 hexadecimal digits; without --id all campaigns of equal options are one. */
static int read_id(const settings *s, uint8_t id[NW_LDP_ID_BYTES])
{
    if (s->id == NULL)
        return APP_OK;
    for (size_t i = 0; i < NW_LDP_ID_BYTES; i++) {
        char digits[3] = { 0 };
        memcpy(digits, s->id + 2 * i, strnlen(s->id + 2 * i, 2));
        if (strlen(s->id) != 2 * NW_LDP_ID_BYTES || strspn(digits, "0123456789abcdefABCDEF") != 2)
            return app_fail(APP_USAGE, "--id", "is \"%s\", must be 32 hexadecimal digits", s->id);
        id[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return APP_OK;
}

int settings_campaign(const settings *s, double epsilon, nw_ldp_campaign *campaign)
{
    nw_error err;
    uint8_t lengths[NW_LDP_MAX_LEVELS];
    unsigned levels = 0;
    nw_ldp_campaign_opts o = NW_LDP_CAMPAIGN_OPTS_INIT;
    int code = settings_levels(s, lengths, &levels);
    if (code == APP_OK)
        code = read_id(s, o.id);
    if (code != APP_OK)
        return code;
    o.oracle = NW_LDP_BLH;
    o.epsilon = epsilon;
    o.bits = (uint32_t)s->bits;
    o.levels = levels;
    o.lengths = lengths;
    o.seed_bits = s->seed_bits > 0 ? (uint32_t)s->seed_bits : o.seed_bits;
    o.is_public_coin = s->is_public_coin;
    return nw_ldp_campaign_make(campaign, &o, &err) == NW_OK ? APP_OK : app_fail_error("campaign", &err);
}

nw_hh_opts settings_search(const settings *s, size_t parties)
{
    nw_hh_opts o = NW_HH_OPTS_INIT;
    o.protocol = settings_protocol(s);
    o.top = (uint32_t)s->top;
    o.parties = (uint32_t)parties;
    o.keep = (uint32_t)s->keep;
    o.shared = (uint32_t)s->shared;
    o.threshold = s->threshold;
    o.is_adaptive = s->is_adaptive;
    o.is_pruning = s->is_pruning;
    o.encoding = settings_encoding(s);
    return o;
}
