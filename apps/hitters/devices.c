/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* devices.c - nw-hitters report and aggregate: reports of users, one after the other, with the user's pseudonym before each if
 * the coin is public. */
#include "campaign.h"

#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"
#include "lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 4096 };

/* ---- report ---- */

typedef struct batch {
    const collection *c;
    nw_rng *rng;
    FILE *out;
    size_t n;
    nw_ldp_item items[PIECE];
    uint8_t users[PIECE * NW_LDP_USER_BYTES];
    uint8_t reports[PIECE * NW_LDP_SHORT_REPORT];
} batch;

static int flush(batch *b)
{
    nw_error err;
    const bool is_public = b->c->campaign.is_public_coin;
    const size_t size = nw_ldp_report_size(&b->c->campaign);
    if (b->n > 0 && nw_ldp_report_many(&b->c->campaign, b->rng, is_public ? b->users : NULL, b->items, b->n, -1, b->reports,
                        sizeof b->reports, &err) != NW_OK)
        return app_fail_error("reports", &err);
    for (size_t i = 0; i < b->n; i++) {
        if (is_public)
            fwrite(b->users + i * NW_LDP_USER_BYTES, NW_LDP_USER_BYTES, 1, b->out);
        fwrite(b->reports + i * size, size, 1, b->out);
    }
    b->n = 0;
    return ferror(b->out) ? app_fail(APP_INTERNAL, NULL, "out of memory") : APP_OK;
}

/* A pseudonym is any text: its hash goes into the file. */
static bool take_user(batch *b, const char **line, size_t *size)
{
    const char *tab = memchr(*line, '\t', *size);
    nw_ldp_item hash;
    if (tab == NULL || tab == *line)
        return false;
    nw_hh_encode(NW_HH_HASH, 128, b->c->campaign.id, *line, (size_t)(tab - *line), &hash);
    memcpy(b->users + b->n * NW_LDP_USER_BYTES, &hash, sizeof hash);
    *size -= (size_t)(tab + 1 - *line);
    *line = tab + 1;
    return true;
}

static int report_lines(batch *b, const char *path)
{
    line_reader *lines = NULL;
    const nw_ldp_campaign *campaign = &b->c->campaign;
    const char *line;
    size_t size;
    int code = lines_open(&lines, path);
    while (code == APP_OK && (code = lines_next(lines, &line, &size)) == APP_OK && line != NULL) {
        if (campaign->is_public_coin && !take_user(b, &line, &size))
            code = app_fail(APP_DATA, path, "line %zu: must be a pseudonym, a tab, and an item", lines_number(lines));
        else if (!nw_hh_encode(b->c->search.encoding, campaign->bits, campaign->id, line, size, &b->items[b->n]))
            code = app_fail(APP_DATA, path, "line %zu: the item must be a whole number below 2^%u", lines_number(lines),
                (unsigned)campaign->bits);
        else if (++b->n == PIECE)
            code = flush(b);
    }
    lines_close(lines);
    return code == APP_OK ? flush(b) : code;
}

int hitters_report(const settings *s)
{
    static batch b;
    collection c;
    nw_error err;
    char *bytes = NULL;
    size_t n = 0;
    const char *const named[] = { s->operands[0], s->campaign };
    int code = collection_read(&c, s->campaign);
    if (code == APP_OK)
        code = app_check_apart("--output", s->output, named, sizeof named / sizeof *named);
    if (code == APP_OK)
        code = app_check_output(s->output);
    if (code != APP_OK)
        return code;
    b.c = &c;
    b.out = open_memstream(&bytes, &n);
    if (b.out == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    code = app_new_rng(&b.rng, s->insecure_seed, &err) == NW_OK ? report_lines(&b, s->operands[0])
                                                                : app_fail_error("random numbers", &err);
    nw_rng_free(b.rng);
    if (fclose(b.out) != 0 && code == APP_OK)
        code = app_fail(APP_INTERNAL, NULL, "out of memory");
    if (code == APP_OK)
        code = app_write_bytes(s->output, bytes, n);
    free(bytes);
    if (code == APP_OK)
        app_note_seed(s->insecure_seed);
    return code;
}

/* ---- aggregate ---- */

static int read_reports(nw_ldp_aggregate *aggregate, const collection *c, const char *path)
{
    nw_error err;
    const size_t user = c->campaign.is_public_coin ? NW_LDP_USER_BYTES : 0;
    const size_t size = nw_ldp_report_size(&c->campaign);
    static uint8_t records[PIECE * (NW_LDP_USER_BYTES + NW_LDP_SHORT_REPORT)];
    static uint8_t reports[PIECE * NW_LDP_SHORT_REPORT];
    static uint8_t users[(PIECE + 1) * NW_LDP_USER_BYTES];
    int code = app_check_input(path);
    if (code != APP_OK)
        return code;
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");
    if (file == NULL)
        return app_fail(APP_NO_INPUT, path, "%s, must be a readable file", strerror(errno));
    for (size_t n; code == APP_OK && (n = fread(records, 1, PIECE * (user + size), file)) > 0;) {
        size_t bytes = 0; /* of reports; a record that was cut is a malformed one */
        for (size_t at = 0, i = 0; at < n; at += user + size, i++) {
            const size_t left = n - at < user + size ? n - at : user + size;
            const size_t m = left > user ? left - user : 1;
            memset(users + i * NW_LDP_USER_BYTES, 0, NW_LDP_USER_BYTES);
            memcpy(users + i * NW_LDP_USER_BYTES, records + at, left < user ? left : user);
            memcpy(reports + bytes, records + at + (left > user ? user : 0), m);
            bytes += m;
        }
        if (nw_ldp_aggregate_add_batch(aggregate, reports, bytes, user > 0 ? users : NULL, &err) != NW_OK)
            code = app_fail_error(path, &err);
    }
    if (code == APP_OK && ferror(file))
        code = app_fail(APP_IO, path, "could not be read");
    if (file != stdin)
        fclose(file);
    return code;
}

static int print_counts(const nw_ldp_aggregate *aggregate, const settings *s)
{
    json_t *object = json_object();
    for (int v = 0; v < NW_LDP_VERDICTS; v++) {
        const uint64_t n = nw_ldp_aggregate_count(aggregate, (nw_ldp_verdict)v);
        app_json_put(&object, nw_ldp_verdict_name((nw_ldp_verdict)v), json_integer((json_int_t)n));
        if (!s->is_json && !s->is_quiet && (n > 0 || v == NW_LDP_ACCEPTED))
            app_note("%llu reports %s", (unsigned long long)n, nw_ldp_verdict_name((nw_ldp_verdict)v));
    }
    if (s->is_json)
        return app_print_json(object);
    json_decref(object);
    return APP_OK;
}

int hitters_aggregate(const settings *s)
{
    collection c;
    nw_error err;
    nw_ldp_aggregate *aggregate = NULL;
    nw_ldp_aggregate_opts opts = NW_LDP_AGGREGATE_OPTS_INIT;
    int code = collection_read(&c, s->campaign);
    for (size_t i = 0; code == APP_OK && i < s->files.count; i++) {
        const char *const path = s->files.items[i];
        code = app_check_apart("--output", s->output, &path, 1);
        for (size_t k = 0; code == APP_OK && k < i; k++)
            if (app_is_same_file(path, s->files.items[k]))
                code = app_fail(APP_USAGE, path, "given twice, its reports would count twice");
    }
    if (code == APP_OK)
        code = app_check_output(s->output);
    if (code != APP_OK)
        return code;
    opts.is_tracking_users = c.campaign.is_public_coin;
    if (nw_ldp_aggregate_new(&aggregate, &c.campaign, &opts, &err) != NW_OK)
        return app_fail_error("aggregate", &err);
    for (size_t i = 0; code == APP_OK && i < s->files.count; i++)
        code = read_reports(aggregate, &c, s->files.items[i]);
    if (code == APP_OK)
        code = aggregate_write(aggregate, s->output);
    if (code == APP_OK)
        code = print_counts(aggregate, s);
    nw_ldp_aggregate_free(aggregate);
    return code;
}
