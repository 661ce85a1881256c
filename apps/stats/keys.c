/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* keys.c - see keys.h. */
#include "keys.h"
#include "../common/budget.h"
#include "../common/exit.h"
#include "../common/json.h"
#include "../common/options.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Of delta, what is not for the thresholds: a millionth for the accountant's roundings, and per query the distance of the sampler
 * to its law, (1 + e^epsilon) 2^-119 (docs/rooms/stats.md#unknown-keys), twice. */
static double rest_of_delta(const keys_bounds *bounds, size_t count)
{
    return fmax(bounds->delta * 0x1p-20, (double)count * (1.0 + exp(bounds->epsilon)) * 0x1p-118);
}

struct keys_run {
    const query *queries;
    size_t count;
    size_t unit;
    double *shares;
    nw_keys **keys;
    double confidence;
    nw_event *event;
    bool is_released;
};

/* ---- the plan ---- */

static nw_status plan_query(keys_run *run, size_t i, const keys_bounds *bounds, nw_error *err)
{
    nw_keys_opts opts = NW_KEYS_OPTS_INIT;
    opts.epsilon = bounds->epsilon * run->shares[i] * (1.0 - 0x1p-50);
    opts.delta = 0.0;
    opts.threshold_delta = (bounds->delta - rest_of_delta(bounds, run->count)) * run->shares[i];
    opts.adjacency = NW_ADD_REMOVE;
    opts.max_keys = bounds->max_keys;
    opts.max_count = bounds->max_count;
    return nw_keys_new(&run->keys[i], &opts, err);
}

int keys_plan(keys_run **out, const query *queries, size_t count, const keys_bounds *bounds)
{
    nw_error err;
    nw_status status = NW_OK;
    double weights = 0.0;
    const nw_event *events[APP_MAX_TEXTS];
    keys_run *run = calloc(1, sizeof *run);
    *out = run;
    if (run == NULL || (run->shares = calloc(count, sizeof *run->shares)) == NULL ||
        (run->keys = calloc(count, sizeof *run->keys)) == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    run->queries = queries;
    run->count = count;
    run->unit = bounds->unit;
    run->confidence = bounds->confidence;
    for (size_t i = 0; i < count; i++)
        weights += queries[i].weight;
    for (size_t i = 0; status == NW_OK && i < count; i++) {
        run->shares[i] = queries[i].weight / weights;
        status = plan_query(run, i, bounds, &err);
        events[i] = status == NW_OK ? nw_keys_event(run->keys[i]) : NULL;
    }
    if (status == NW_OK)
        status = nw_event_composed(&run->event, events, count, &err);
    return status == NW_OK ? APP_OK : app_fail_error("options", &err);
}

void keys_free(keys_run *run)
{
    if (run == NULL)
        return;
    for (size_t i = 0; run->keys != NULL && i < run->count; i++)
        nw_keys_free(run->keys[i]);
    nw_event_free(run->event);
    free(run->keys);
    free(run->shares);
    free(run);
}

const nw_event *keys_event(const keys_run *run)
{
    return run->event;
}

/* ---- records ---- */

/* A user of whom no column tells: a record of one process' file, by its number, from 0. */
typedef struct nobody {
    uint64_t rank;
    uint64_t number;
} nobody;

/* All records of a user are of one share. */
static bool is_of_share(const app_share *share, const void *user, size_t size)
{
    uint8_t digest[16];
    size_t number;
    if (share->parts == 1)
        return true;
    crypto_generichash(digest, sizeof digest, user, size, NULL, 0);
    memcpy(&number, digest, sizeof number);
    return number % share->parts == share->part;
}

/* One record to every query. */
static nw_status feed_row(
    keys_run *run, const nw_csv_reader *reader, size_t row, const app_share *share, const nobody *other, nw_error *err)
{
    nw_status status = NW_OK;
    const void *user = other;
    size_t user_size = sizeof *other;
    if (run->unit != QUERY_NO_COLUMN) {
        user = nw_csv_reader_text(reader, run->unit, row, &user_size);
        if (user_size == 0 || !is_of_share(share, user, user_size))
            return NW_OK;
    }
    for (size_t i = 0; status == NW_OK && i < run->count; i++) {
        size_t size = 0;
        const char *key = nw_csv_reader_text(reader, run->queries[i].column, row, &size);
        if (size > 0)
            status = nw_keys_add(run->keys[i], user, user_size, key, size, err);
    }
    return status;
}

static nw_status feed_rows(
    keys_run *run, nw_csv_reader *reader, const app_share *share, size_t rank, uint64_t *total, nw_error *err)
{
    nobody other = { rank, 0 };
    size_t rows = 0;
    nw_status status = nw_csv_reader_next(reader, &rows, err);
    while (status == NW_OK && rows > 0) {
        for (size_t row = 0; status == NW_OK && row < rows; row++, other.number++)
            status = feed_row(run, reader, row, share, &other, err);
        if (status == NW_OK)
            status = nw_csv_reader_next(reader, &rows, err);
    }
    *total = other.number;
    return status;
}

int keys_feed(keys_run *run, const nw_schema *schema, const app_share *share, size_t rank, app_progress *progress, uint64_t *rows)
{
    nw_error err;
    nw_csv_reader *reader = NULL;
    bool *is_wanted = calloc(nw_schema_columns(schema), sizeof *is_wanted);
    if (is_wanted == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    for (size_t i = 0; i < run->count; i++)
        is_wanted[run->queries[i].column] = true;
    if (run->unit != QUERY_NO_COLUMN)
        is_wanted[run->unit] = true;
    app_progress_step(progress, "reading", -1.0);
    nw_status status = nw_csv_reader_open(&reader, schema, share->path, is_wanted, &err);
    if (status == NW_OK && run->unit == QUERY_NO_COLUMN)
        status = nw_csv_reader_share(reader, share->part, share->parts, &err);
    if (status == NW_OK)
        status = feed_rows(run, reader, share, rank, rows, &err);
    nw_csv_reader_close(reader);
    app_progress_end(progress);
    free(is_wanted);
    return status == NW_OK ? APP_OK : app_fail_error(share->path, &err);
}

nw_status keys_reduce(keys_run *run, const nw_reduce *reduce, nw_error *err)
{
    nw_status status = NW_OK;
    for (size_t i = 0; status == NW_OK && i < run->count; i++)
        status = nw_keys_reduce(run->keys[i], reduce, err);
    return status;
}

/* ---- the release ---- */

nw_status keys_release(keys_run *run, nw_rng *rng, nw_ledger *ledger, nw_receipt *receipt, nw_error *err)
{
    nw_ledger *parts = NULL;
    const app_charge charge = { ledger, run->event, "keys", NW_ADD_REMOVE };
    nw_status status = app_charge_once(&parts, &charge, rng, receipt, err);
    for (size_t i = 0; status == NW_OK && i < run->count; i++)
        status = nw_keys_release(run->keys[i], rng, parts, "keys", NULL, err);
    nw_ledger_close(parts);
    run->is_released = status == NW_OK;
    return status;
}

/* ---- words ---- */

/* Of all queries together. */
static double error_of(const keys_run *run, size_t i)
{
    return nw_keys_error(run->keys[i], (1.0 - run->confidence) / (double)run->count);
}

/* Key i of a query, fit for a line of text, as a new string; NULL if memory lacks. */
static char *key_text(const nw_keys *keys, size_t i, int64_t *count)
{
    const char *key = NULL;
    size_t size = 0;
    if (nw_keys_get(keys, i, &key, &size, count, NULL) != NW_OK)
        return NULL;
    char *copy = strdup(key);
    return copy == NULL ? NULL : (char *)(uintptr_t)app_plain(copy);
}

static bool print_keys(FILE *stream, const keys_run *run, size_t i, const char *column)
{
    const nw_keys *keys = run->keys[i];
    const double error = error_of(run, i);
    char heading[40];
    snprintf(heading, sizeof heading, "error (%.10g %%)", 100.0 * run->confidence);
    const size_t released = nw_keys_released(keys);
    int width = (int)strlen(column);
    int64_t count = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t k = 0; k < released; k++) {
            char *text = key_text(keys, k, &count);
            if (text == NULL)
                return false;
            if (pass == 1)
                fprintf(stream, "  %-*s  %12lld  %*.0f\n", width, text, (long long)count, (int)strlen(heading), error);
            else if ((int)strlen(text) > width)
                width = (int)strlen(text);
            free(text);
        }
        if (pass == 0)
            fprintf(stream, "  %-*s  %12s  %s\n", width, column, "value", heading);
    }
    return true;
}

bool keys_text(FILE *stream, const keys_run *run, const nw_schema *schema)
{
    for (size_t i = 0; i < run->count; i++) {
        char *text = strdup(run->queries[i].text);
        if (text == NULL)
            return false;
        fprintf(stream, "%s%s  (%.4g of the budget; noise %.3g, keys below %lld are left out)\n", i == 0 ? "" : "\n",
            app_plain(text), run->shares[i], nw_keys_deviation(run->keys[i]), (long long)nw_keys_threshold(run->keys[i]));
        if (!run->is_released)
            fprintf(stream, "  error (%.10g %%) %.0f\n", 100.0 * run->confidence, error_of(run, i));
        free(text);
        char *column = strdup(nw_schema_column(schema, run->queries[i].column).name);
        const bool is_whole = column != NULL && (!run->is_released || print_keys(stream, run, i, app_plain(column)));
        free(column);
        if (!is_whole)
            return false;
    }
    return true;
}

static json_t *query_json(const keys_run *run, size_t i, const nw_schema *schema)
{
    const query *q = &run->queries[i];
    const nw_keys *keys = run->keys[i];
    json_t *object = json_object();
    json_t *figures = run->is_released ? json_array() : NULL;
    for (size_t k = 0; figures != NULL && k < nw_keys_released(keys); k++) {
        const char *key = NULL;
        size_t size = 0;
        int64_t count = 0;
        json_t *one = json_object();
        if (nw_keys_get(keys, k, &key, &size, &count, NULL) == NW_OK)
            app_json_put(&one, "key", app_json_text(key));
        app_json_put(&one, "value", json_integer((json_int_t)count));
        app_json_put(&one, "error", app_json_real(error_of(run, i)));
        json_array_append_new(figures, one);
    }
    app_json_put(&object, "query", app_json_text(q->text));
    app_json_put(&object, "figure", json_string("keys"));
    app_json_put(&object, "column", app_json_text(nw_schema_column(schema, q->column).name));
    app_json_put(&object, "by", json_null());
    app_json_put(&object, "share", app_json_real(run->shares[i]));
    app_json_put(&object, "noise", json_pack("[o]", app_json_real(nw_keys_deviation(keys))));
    app_json_put(&object, "threshold", json_integer((json_int_t)nw_keys_threshold(keys)));
    if (run->is_released)
        app_json_put(&object, "figures", figures);
    else
        app_json_put(&object, "expected_error", app_json_real(error_of(run, i)));
    return object;
}

json_t *keys_json(const keys_run *run, const nw_schema *schema)
{
    json_t *list = json_array();
    for (size_t i = 0; i < run->count; i++)
        json_array_append_new(list, query_json(run, i, schema));
    return json_array_size(list) == run->count ? list : (json_decref(list), NULL);
}
