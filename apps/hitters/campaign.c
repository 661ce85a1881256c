/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* campaign.c - nw-hitters params, and the files that it and the servers write. */
#include "campaign.h"

#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char FORMAT[] = "noisewright-hitters-campaign";
enum { FORMAT_VERSION = 1, MOST_CAMPAIGN_BYTES = 1 << 20 };
#define MOST_AGGREGATE_BYTES ((size_t)1 << 36)

static void to_hex(const uint8_t *bytes, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static bool from_hex(const char *text, uint8_t *out, size_t n)
{
    if (text == NULL || strlen(text) != 2 * n || strspn(text, "0123456789abcdef") != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        const char digits[3] = { text[2 * i], text[2 * i + 1], '\0' };
        out[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return true;
}

/* ---- the campaign ---- */

int collection_write(const collection *c, const char *path)
{
    uint8_t bytes[NW_LDP_CAMPAIGN_BYTES];
    char hex[2 * NW_LDP_CAMPAIGN_BYTES + 1];
    char digest[2 * NW_LDP_DIGEST_BYTES + 1];
    const nw_hh_opts *o = &c->search;
    json_t *object = json_object();
    json_t *levels = json_array();
    nw_ldp_campaign_write(&c->campaign, bytes);
    to_hex(bytes, sizeof bytes, hex);
    to_hex(c->campaign.digest, sizeof c->campaign.digest, digest);
    for (unsigned l = 0; l < c->campaign.levels; l++)
        json_array_append_new(levels, json_integer(c->campaign.lengths[l]));
    app_json_put(&object, "format", json_string(FORMAT));
    app_json_put(&object, "version", json_integer(FORMAT_VERSION));
    app_json_put(&object, "campaign", json_string(hex));
    app_json_put(&object, "digest", json_string(digest));
    app_json_put(&object, "epsilon", app_json_real(ldexp((double)c->campaign.epsilon, -32)));
    app_json_put(&object, "symbols", json_integer(c->campaign.symbols));
    app_json_put(&object, "bits", json_integer(c->campaign.bits));
    app_json_put(&object, "levels", levels);
    app_json_put(&object, "public_coin", json_boolean(c->campaign.is_public_coin));
    app_json_put(&object, "report_bytes", json_integer((json_int_t)nw_ldp_report_size(&c->campaign)));
    app_json_put(&object, "encoding", json_string(nw_hh_encoding_name(o->encoding)));
    app_json_put(&object, "protocol", json_string(nw_hh_protocol_name(o->protocol)));
    app_json_put(&object, "top", json_integer(o->top));
    app_json_put(&object, "parties", json_integer(o->parties));
    app_json_put(&object, "keep", json_integer(o->keep));
    app_json_put(&object, "shared", json_integer(o->shared));
    app_json_put(&object, "threshold", app_json_real(o->threshold));
    app_json_put(&object, "adaptive", json_boolean(o->is_adaptive));
    app_json_put(&object, "prune", json_boolean(o->is_pruning));
    char *text = app_json_dump(object, JSON_INDENT(2));
    const int code = text == NULL ? app_fail(APP_INTERNAL, path, "out of memory") : app_write_text(path, text);
    free(text);
    return code;
}

static int malformed(const char *path, const char *what)
{
    return app_fail(APP_DATA, path, "is no campaign of nw-hitters params: %s", what);
}

static uint32_t get_count(const json_t *object, const char *key, bool *is_good)
{
    const json_t *value = json_object_get(object, key);
    const json_int_t n = json_integer_value(value);
    *is_good = *is_good && json_is_integer(value) && n >= 0 && n <= UINT32_MAX;
    return *is_good ? (uint32_t)n : 0;
}

static bool get_flag(const json_t *object, const char *key, bool *is_good)
{
    const json_t *value = json_object_get(object, key);
    *is_good = *is_good && json_is_boolean(value);
    return json_is_true(value);
}

/* The value whose name a member has; 0 if none has. */
static int get_name(const json_t *object, const char *key, int last, const char *(*name_of)(int))
{
    const char *text = json_string_value(json_object_get(object, key));
    for (int i = 1; text != NULL && i <= last; i++)
        if (strcmp(name_of(i), text) == 0)
            return i;
    return 0;
}

static const char *protocol_name(int i)
{
    return nw_hh_protocol_name((nw_hh_protocol)i);
}

static const char *encoding_name(int i)
{
    return nw_hh_encoding_name((nw_hh_encoding)i);
}

static int read_object(collection *c, const char *path, const json_t *object)
{
    uint8_t bytes[NW_LDP_CAMPAIGN_BYTES];
    nw_hh *hh = NULL;
    nw_error err;
    nw_hh_opts *o = &c->search;
    bool is_good = true;
    const char *format = json_string_value(json_object_get(object, "format"));
    if (format == NULL || strcmp(format, FORMAT) != 0)
        return malformed(path, "it does not say so");
    if (json_integer_value(json_object_get(object, "version")) != FORMAT_VERSION)
        return malformed(path, "it has another version");
    if (!from_hex(json_string_value(json_object_get(object, "campaign")), bytes, sizeof bytes) ||
        nw_ldp_campaign_read(&c->campaign, bytes, sizeof bytes) != NW_OK)
        return malformed(path, "\"campaign\" is damaged");
    *o = (nw_hh_opts)NW_HH_OPTS_INIT;
    o->protocol = (nw_hh_protocol)get_name(object, "protocol", NW_HH_POOLED, protocol_name);
    o->encoding = (nw_hh_encoding)get_name(object, "encoding", NW_HH_HASH, encoding_name);
    o->top = get_count(object, "top", &is_good);
    o->parties = get_count(object, "parties", &is_good);
    o->keep = get_count(object, "keep", &is_good);
    o->shared = get_count(object, "shared", &is_good);
    o->threshold = json_number_value(json_object_get(object, "threshold"));
    o->is_adaptive = get_flag(object, "adaptive", &is_good);
    o->is_pruning = get_flag(object, "prune", &is_good);
    if (!is_good || o->protocol == 0 || o->encoding == 0)
        return malformed(path, "an option is missing or damaged");
    const nw_status status = nw_hh_new(&hh, &c->campaign, o, &err);
    nw_hh_free(hh);
    return status == NW_OK ? APP_OK : malformed(path, err.message);
}

int collection_read(collection *c, const char *path)
{
    char *text = NULL;
    int code = app_check_input(path);
    if (code == APP_OK)
        code = app_read_text(path, MOST_CAMPAIGN_BYTES, &text);
    if (code != APP_OK)
        return code;
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    code = object == NULL ? malformed(path, "it is no JSON") : read_object(c, path, object);
    json_decref(object);
    return code;
}

int hitters_params(const settings *s)
{
    nw_error err;
    nw_hh *hh = NULL;
    double epsilons[MOST_EPSILONS];
    size_t n;
    collection c;
    int code = settings_epsilons(s, epsilons, &n);
    if (code == APP_OK && n != 1)
        code = app_fail(APP_USAGE, "--epsilon", "is \"%s\", must be one number", s->epsilon);
    if (code == APP_OK)
        code = settings_campaign(s, epsilons[0], &c.campaign);
    if (code == APP_OK)
        code = app_check_output(s->output);
    if (code != APP_OK)
        return code;
    c.search = settings_search(s, (size_t)s->parties);
    if (nw_hh_new(&hh, &c.campaign, &c.search, &err) != NW_OK)
        return app_fail_error("params", &err);
    c.search = nw_hh_get_opts(hh);
    nw_hh_free(hh);
    return collection_write(&c, s->output);
}

/* ---- aggregates ---- */

int aggregate_read(nw_ldp_aggregate **out, const char *path, const nw_ldp_campaign *campaign)
{
    nw_error err;
    uint8_t *bytes = NULL;
    size_t n = 0;
    *out = NULL;
    int code = app_check_input(path);
    if (code == APP_OK)
        code = app_read_bytes(path, MOST_AGGREGATE_BYTES, &bytes, &n);
    if (code == APP_OK && nw_ldp_aggregate_deserialize(out, bytes, n, &err) != NW_OK)
        code = app_fail_error(path, &err);
    free(bytes);
    if (code == APP_OK && campaign != NULL &&
        memcmp(nw_ldp_aggregate_campaign(*out)->digest, campaign->digest, NW_LDP_DIGEST_BYTES) != 0) {
        nw_ldp_aggregate_free(*out);
        *out = NULL;
        code = app_fail(APP_DATA, path, "is an aggregate of another campaign");
    }
    return code;
}

int aggregate_write(const nw_ldp_aggregate *aggregate, const char *path)
{
    nw_error err;
    const size_t n = nw_ldp_aggregate_size(aggregate);
    uint8_t *bytes = malloc(n + 1);
    if (bytes == NULL)
        return app_fail(APP_INTERNAL, path, "out of memory");
    const int code = nw_ldp_aggregate_serialize(aggregate, bytes, n, &err) == NW_OK ? app_write_bytes(path, bytes, n)
                                                                                    : app_fail_error(path, &err);
    free(bytes);
    return code;
}
