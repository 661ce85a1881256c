/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* deploy.c - nw-hitters merge, step and estimate: the server's side of a collection, by files. */
#include "campaign.h"
#include "population.h"

#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"
#include "lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_STATE_BYTES ((size_t)1 << 32)

/* ---- merge ---- */

int hitters_merge(const settings *s)
{
    nw_error err;
    nw_ldp_aggregate *sum = NULL;
    int code = app_check_output(s->output);
    for (size_t i = 0; code == APP_OK && i < s->files.count; i++) {
        const char *path = s->files.items[i];
        nw_ldp_aggregate *one = NULL;
        for (size_t k = 0; code == APP_OK && k < i; k++)
            if (app_is_same_file(path, s->files.items[k]))
                code = app_fail(APP_USAGE, path, "given twice, its reports would count twice");
        if (code == APP_OK)
            code = aggregate_read(&one, path, sum == NULL ? NULL : nw_ldp_aggregate_campaign(sum));
        if (code == APP_OK && sum != NULL && nw_ldp_aggregate_merge(sum, one, &err) != NW_OK)
            code = app_fail_error(path, &err);
        if (sum == NULL)
            sum = one;
        else
            nw_ldp_aggregate_free(one);
    }
    if (code == APP_OK)
        code = aggregate_write(sum, s->output);
    nw_ldp_aggregate_free(sum);
    return code;
}

/* ---- step ---- */

static int state_read(nw_hh **out, const char *path, const collection *c)
{
    nw_error err;
    uint8_t *bytes = NULL;
    size_t n = 0;
    int code = app_check_input(path);
    if (code == APP_OK)
        code = app_read_bytes(path, MOST_STATE_BYTES, &bytes, &n);
    if (code == APP_OK && nw_hh_deserialize(out, bytes, n, &err) != NW_OK)
        code = app_fail_error(path, &err);
    free(bytes);
    if (code == APP_OK && memcmp(nw_hh_campaign(*out)->digest, c->campaign.digest, NW_LDP_DIGEST_BYTES) != 0)
        code = app_fail(APP_DATA, path, "is a search of another campaign");
    return code;
}

static int state_write(const nw_hh *hh, const char *path)
{
    nw_error err;
    const size_t n = nw_hh_size(hh);
    uint8_t *bytes = malloc(n);
    if (bytes == NULL)
        return app_fail(APP_INTERNAL, path, "out of memory");
    const int code = nw_hh_serialize(hh, bytes, n, &err) == NW_OK ? app_write_bytes(path, bytes, n) : app_fail_error(path, &err);
    free(bytes);
    return code;
}

static int read_aggregates(const settings *s, const collection *c, nw_ldp_aggregate **aggregates)
{
    int code = APP_OK;
    for (size_t i = 0; code == APP_OK && i < s->aggregates.count; i++) {
        for (size_t k = 0; code == APP_OK && k < i; k++)
            if (app_is_same_file(s->aggregates.items[i], s->aggregates.items[k]))
                code = app_fail(APP_USAGE, s->aggregates.items[i], "given twice, its reports would count twice");
        if (code == APP_OK)
            code = aggregate_read(&aggregates[i], s->aggregates.items[i], &c->campaign);
    }
    return code;
}

int hitters_step(const settings *s)
{
    static nw_ldp_aggregate *aggregates[APP_MAX_TEXTS];
    collection c;
    nw_error err;
    nw_hh *hh = NULL;
    int code = collection_read(&c, s->campaign);
    if (code == APP_OK)
        code = app_check_apart("--output", s->output, s->aggregates.items, s->aggregates.count);
    if (code == APP_OK)
        code = app_check_output(s->output);
    if (code == APP_OK && s->state != NULL)
        code = state_read(&hh, s->state, &c);
    else if (code == APP_OK && nw_hh_new(&hh, &c.campaign, &c.search, &err) != NW_OK)
        code = app_fail_error(s->campaign, &err);
    if (code == APP_OK && nw_hh_is_done(hh))
        code = app_fail(APP_USAGE, "--state", "has all levels closed, must have one to close");
    if (code == APP_OK)
        code = read_aggregates(s, &c, aggregates);
    if (code == APP_OK &&
        nw_hh_step_aggregates(hh, (const nw_ldp_aggregate *const *)aggregates, s->aggregates.count, NULL, NULL, &err) != NW_OK)
        code = app_fail_error("--aggregate", &err);
    if (code == APP_OK)
        code = state_write(hh, s->output);
    if (code == APP_OK && !s->is_quiet)
        app_note("level %u of %u is closed", nw_hh_level(hh), (unsigned)c.campaign.levels);
    for (size_t i = 0; i < s->aggregates.count; i++)
        nw_ldp_aggregate_free(aggregates[i]);
    nw_hh_free(hh);
    return code;
}

/* ---- estimate ---- */

/* Texts of the dictionary whose hashes were found. texts: as many as hits, of `size` bytes each. */
static int look_up(const settings *s, const collection *c, const nw_hh_hit *hits, size_t n, char (*texts)[80])
{
    line_reader *lines = NULL;
    const char *line;
    size_t size;
    int code = lines_open(&lines, s->dictionary);
    while (code == APP_OK && (code = lines_next(lines, &line, &size)) == APP_OK && line != NULL) {
        nw_ldp_item item;
        nw_hh_encode(NW_HH_HASH, c->campaign.bits, c->campaign.id, line, size, &item);
        for (size_t i = 0; i < n; i++)
            if (item_compare(hits[i].item, item) == 0)
                snprintf(texts[i], sizeof texts[i], "%.*s", (int)(size < 79 ? size : 79), line);
    }
    lines_close(lines);
    return code;
}

static char *plain_text(const nw_hh *hh, const nw_hh_hit *hits, size_t n, char (*texts)[80])
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (f == NULL)
        return NULL;
    fprintf(f, "%llu users, epsilon %g each\n%-32s %14s %12s\n", (unsigned long long)nw_hh_users(hh),
        (double)nw_hh_campaign(hh)->epsilon * 0x1p-32, "item", "estimate", "error");
    for (size_t i = 0; i < n; i++)
        fprintf(f, "%-32s %14.0f %12.0f\n", app_plain(texts[i]), hits[i].count, hits[i].error);
    if (fclose(f) == 0)
        return text;
    free(text);
    return NULL;
}

static char *json_text(const nw_hh *hh, const nw_hh_hit *hits, size_t n, char (*texts)[80])
{
    json_t *object = json_object();
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *one = json_object();
        app_json_put(&one, "item", app_json_text(texts[i]));
        app_json_put(&one, "estimate", app_json_real(hits[i].count));
        app_json_put(&one, "se", app_json_real(hits[i].error));
        json_array_append_new(list, one);
    }
    const nw_hh_traffic t = nw_hh_get_traffic(hh);
    app_json_put(&object, "users", json_integer((json_int_t)nw_hh_users(hh)));
    app_json_put(&object, "epsilon", app_json_real((double)nw_hh_campaign(hh)->epsilon * 0x1p-32));
    app_json_put(&object, "bytes_up", json_integer((json_int_t)t.up));
    app_json_put(&object, "bytes_down", json_integer((json_int_t)t.down));
    app_json_put(&object, "rounds", json_integer((json_int_t)t.rounds));
    app_json_put(&object, "items", list);
    return app_json_dump(object, 0);
}

static int tell(const settings *s, const collection *c, const nw_hh *hh)
{
    nw_error err;
    const size_t n = nw_hh_found(hh);
    nw_hh_hit *hits = calloc(n + 1, sizeof *hits);
    char(*texts)[80] = calloc(n + 1, sizeof *texts);
    int code = hits == NULL || texts == NULL ? app_fail(APP_INTERNAL, NULL, "out of memory") : APP_OK;
    for (size_t i = 0; code == APP_OK && i < n; i++) {
        code = nw_hh_get(hh, i, &hits[i], &err) == NW_OK ? APP_OK : app_fail_error("--state", &err);
        if (code == APP_OK)
            nw_hh_decode(c->search.encoding, c->campaign.bits, hits[i].item, texts[i]);
    }
    if (code == APP_OK && s->dictionary != NULL)
        code = look_up(s, c, hits, n, texts);
    if (code == APP_OK) {
        char *text = s->is_json ? json_text(hh, hits, n, texts) : plain_text(hh, hits, n, texts);
        code = text == NULL ? app_fail(APP_INTERNAL, NULL, "out of memory")
                            : app_write_text(s->output == NULL ? "-" : s->output, text);
        free(text);
    }
    free(hits);
    free(texts);
    return code;
}

int hitters_estimate(const settings *s)
{
    collection c;
    nw_hh *hh = NULL;
    int code = collection_read(&c, s->campaign);
    if (code == APP_OK && s->dictionary != NULL && c.search.encoding != NW_HH_HASH)
        code = app_fail(
            APP_USAGE, "--dictionary", "is for encoding hash, and the campaign's is %s", nw_hh_encoding_name(c.search.encoding));
    if (code == APP_OK)
        code = app_check_output(s->output == NULL ? "-" : s->output);
    if (code == APP_OK)
        code = state_read(&hh, s->state, &c);
    if (code == APP_OK && !nw_hh_is_done(hh))
        code = app_fail(
            APP_USAGE, "--state", "has %u of %u levels closed, must have all", nw_hh_level(hh), (unsigned)c.campaign.levels);
    if (code == APP_OK)
        code = tell(s, &c, hh);
    nw_hh_free(hh);
    return code;
}
