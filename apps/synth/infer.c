/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* infer.c - a schema from the data, at a price. Two rounds over the file:
 *
 *   1. of each column, how many cells look like what: missing, integers, numbers with decimals, dates, text;
 *   2. of each column one histogram more, by what round 1 said: numbers by their first digit and decade, dates by year - public
 *      cells, whose noisy counts give the bounds - and of all others the values that occur, each of which has to pass a
 *      threshold.
 *
 * The noise of round 2 is the same for whatever kind of column, so the whole costs what is known beforehand; Gaussian noise
 * composes exactly even though round 2 looks at round 1. Only the columns' names are taken from the file as they are. */
#include "infer.h"

#include "../common/exit.h"
#include "../common/json.h"
#include "../common/signals.h"
#include "infer_cells.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of mu^2: round 1 only has to tell large counts apart. */
static const double KINDS_SHARE = 0.2;
/* The ledger has 2^-10 of delta for thresholds; half of that is used. */
static const double THRESHOLD_SHARE = 0x1p-11;
static const double DELTA_LEFT = 1.0 - 0x1p-10;
/* Calibrations round the other way by less than this. */
static const double SLACK = 1.0 - 1e-6;
enum { BLOCK_ROWS = 65536 };

double infer_mu(double epsilon, double delta)
{
    return nw_gdp_mu(epsilon, delta * DELTA_LEFT) * SLACK;
}

double infer_epsilon(double mu, double delta)
{
    return nw_gdp_epsilon(mu * SLACK, delta * DELTA_LEFT);
}

/* One column on its way. */
typedef struct suspect {
    infer_column column;
    size_t query; /* of the second round's counts; categories: none */
    nw_keys *keys;
    json_t *member;
} suspect;

typedef struct inference {
    infer *job;
    nw_schema *names; /* every column as text */
    size_t columns;
    suspect *suspects;
    uint32_t *cells; /* of a block's rows */
    nw_stats *counts;
    size_t queries; /* in it */
    double epsilon; /* of each column's second histogram */
    uint64_t rows;
} inference;

static void inference_clear(inference *in)
{
    for (size_t c = 0; in->suspects != NULL && c < in->columns; c++) {
        nw_keys_free(in->suspects[c].keys);
        json_decref(in->suspects[c].member);
    }
    free(in->suspects);
    free(in->cells);
    nw_stats_free(in->counts);
    nw_schema_free(in->names);
}

static const char *name_of(const inference *in, size_t c)
{
    return nw_schema_column(in->names, c).name;
}

/* ---- rounds ---- */

typedef nw_status (*block_function)(inference *in, const nw_csv_reader *reader, size_t rows, nw_error *err);

static int read_blocks(inference *in, block_function visit)
{
    nw_error err;
    nw_csv_reader *reader = NULL;
    size_t rows = 0;
    in->rows = 0;
    app_progress_step(in->job->progress, "inferring the schema", -1.0);
    nw_status status = nw_csv_reader_open(&reader, in->names, in->job->path, NULL, &err);
    do {
        if (status == NW_OK)
            status = nw_csv_reader_next(reader, &rows, &err);
        if (status == NW_OK && rows > 0)
            status = visit(in, reader, rows, &err);
        in->rows += rows;
        if (status == NW_OK)
            app_progress_step(in->job->progress, "inferring the schema", nw_csv_reader_fraction(reader));
    } while (status == NW_OK && rows > 0 && app_signals_caught() == 0);
    nw_csv_reader_close(reader);
    if (status == NW_OK && app_signals_caught() != 0)
        return app_fail(app_exit_code(NW_E_CANCELLED), in->job->path, "interrupted");
    return status == NW_OK ? APP_OK : app_fail_error(in->job->path, &err);
}

static int new_counts(inference *in, const nw_stats_query *queries, size_t n, double epsilon)
{
    nw_error err;
    nw_stats_opts o = NW_STATS_OPTS_INIT;
    nw_stats_free(in->counts);
    in->counts = NULL;
    in->queries = n;
    o.epsilon = epsilon;
    o.delta = in->job->delta;
    o.adjacency = NW_ADD_REMOVE;
    return n == 0 || nw_stats_new(&in->counts, queries, n, &o, &err) == NW_OK ? APP_OK : app_fail_error("--infer-share", &err);
}

/* What was charged, in the currency of Gaussian noise. */
static int add_cost(inference *in, const nw_event *event)
{
    nw_error err;
    nw_cost cost;
    if (nw_event_cost(event, NW_ADD_REMOVE, &cost, &err) != NW_OK)
        return app_fail_error("--infer-share", &err);
    in->job->mu_squared += cost.mu_squared;
    return APP_OK;
}

static int release_counts(inference *in, const char *label)
{
    nw_error err;
    if (in->counts == NULL)
        return APP_OK;
    app_signals_defer(true); /* from the first charge on, so that what was spent can be said */
    const int code = add_cost(in, nw_stats_event(in->counts));
    if (code != APP_OK)
        return code;
    nw_receipt *receipt = NULL;
    if (!app_receipts_expect(&in->job->receipts, &receipt))
        return app_fail(APP_INTERNAL, "the schema", "out of memory");
    const nw_status status = nw_stats_release(in->counts, in->job->rng, in->job->ledger, label, receipt, &err);
    app_receipts_settle(&in->job->receipts);
    return status == NW_OK ? APP_OK : app_fail_error("the schema", &err);
}

static int get_counts(const inference *in, size_t query, size_t n, double *counts)
{
    nw_error err;
    for (size_t i = 0; i < n; i++) {
        nw_stats_figure figure;
        if (nw_stats_get(in->counts, query, i, &figure, &err) != NW_OK)
            return app_fail_error("the schema", &err);
        counts[i] = figure.value;
    }
    return APP_OK;
}

/* ---- the first round: kinds ---- */

static nw_status count_kinds(inference *in, const nw_csv_reader *reader, size_t rows, nw_error *err)
{
    nw_status status = NW_OK;
    for (size_t c = 0; status == NW_OK && c < in->columns; c++) {
        for (size_t row = 0; row < rows; row++) {
            size_t size;
            const char *text = nw_csv_reader_text(reader, c, row, &size);
            in->cells[row] = infer_kind_of(text, size);
        }
        status = nw_stats_add(in->counts, c, in->cells, NULL, rows, err);
    }
    return status;
}

static int tell_kinds(inference *in)
{
    nw_stats_query *queries = calloc(in->columns, sizeof *queries);
    if (queries == NULL)
        return app_fail(APP_INTERNAL, "the schema", "out of memory");
    for (size_t c = 0; c < in->columns; c++) {
        queries[c] = (nw_stats_query)NW_STATS_QUERY_INIT;
        queries[c].kind = NW_STATS_COUNT;
        queries[c].groups = INFER_KINDS;
    }
    int code = new_counts(in, queries, in->columns, infer_epsilon(in->job->mu * sqrt(KINDS_SHARE), in->job->delta));
    free(queries);
    if (code == APP_OK)
        code = read_blocks(in, count_kinds);
    if (code == APP_OK && in->rows == 0)
        code = app_fail(APP_DATA, in->job->path, "has a header but no records, must have at least one");
    if (code == APP_OK)
        code = release_counts(in, "infer: kinds");
    for (size_t c = 0; code == APP_OK && c < in->columns; c++) {
        double counts[INFER_KINDS];
        code = get_counts(in, c, INFER_KINDS, counts);
        in->suspects[c].column = infer_read_kinds(counts, nw_stats_get_plan(in->counts, c).noise[0]);
    }
    return code;
}

/* ---- the second round: bounds and values ---- */

static int prepare_ranges(inference *in)
{
    nw_error err;
    int code = APP_OK;
    size_t n = 0;
    const double share = (1.0 - KINDS_SHARE) / (double)in->columns;
    nw_stats_query *queries = calloc(in->columns, sizeof *queries);
    if (queries == NULL)
        return app_fail(APP_INTERNAL, "the schema", "out of memory");
    for (size_t c = 0; code == APP_OK && c < in->columns; c++) {
        suspect *s = &in->suspects[c];
        if (s->column.type == INFER_IS_CATEGORY) {
            nw_keys_opts o = NW_KEYS_OPTS_INIT;
            o.epsilon = infer_epsilon(in->job->mu * sqrt(share), in->job->delta);
            o.delta = in->job->delta;
            o.threshold_delta = in->job->delta * THRESHOLD_SHARE / (double)in->columns;
            o.adjacency = NW_ADD_REMOVE;
            o.max_keys = o.max_count = 1;
            if (nw_keys_new(&s->keys, &o, &err) != NW_OK)
                code = app_fail_error("--infer-share", &err);
            continue;
        }
        s->query = n;
        queries[n] = (nw_stats_query)NW_STATS_QUERY_INIT;
        queries[n].kind = NW_STATS_COUNT;
        queries[n++].groups = s->column.type == INFER_IS_DATE ? INFER_YEARS : INFER_NUMBERS;
    }
    if (code == APP_OK)
        code = new_counts(in, queries, n, infer_epsilon(in->job->mu * sqrt(share * (double)n), in->job->delta));
    free(queries);
    return code;
}

/* A record is a user of its own: it has one value in a column. */
static nw_status count_values(inference *in, suspect *s, size_t c, const nw_csv_reader *reader, size_t rows, nw_error *err)
{
    nw_status status = NW_OK;
    for (size_t row = 0; status == NW_OK && row < rows; row++) {
        size_t size;
        const uint64_t user = in->rows + row;
        const char *text = nw_csv_reader_text(reader, c, row, &size);
        if (size > 0)
            status = nw_keys_add(s->keys, &user, sizeof user, text, size, err);
    }
    return status;
}

/* A cell that does not look like the column's type is in no group. */
static uint32_t range_cell(const suspect *s, const char *text, size_t size)
{
    const infer_kind kind = infer_kind_of(text, size);
    if (s->column.type == INFER_IS_DATE)
        return kind == INFER_DATE ? (uint32_t)infer_date_cell(text, size) : UINT32_MAX;
    return kind >= INFER_WHOLE && kind <= INFER_REAL ? (uint32_t)infer_number_cell(text, size) : UINT32_MAX;
}

static nw_status count_ranges(inference *in, const nw_csv_reader *reader, size_t rows, nw_error *err)
{
    nw_status status = NW_OK;
    for (size_t c = 0; status == NW_OK && c < in->columns; c++) {
        suspect *s = &in->suspects[c];
        if (s->keys != NULL) {
            status = count_values(in, s, c, reader, rows, err);
            continue;
        }
        for (size_t row = 0; row < rows; row++) {
            size_t size;
            const char *text = nw_csv_reader_text(reader, c, row, &size);
            in->cells[row] = range_cell(s, text, size);
        }
        status = nw_stats_add(in->counts, s->query, in->cells, NULL, rows, err);
    }
    return status;
}

/* ---- the schema ---- */

static int release_values(inference *in, size_t c)
{
    nw_error err;
    nw_receipt *receipt = NULL;
    char label[64];
    snprintf(label, sizeof label, "infer: values of column %zu", c + 1);
    if (!app_receipts_expect(&in->job->receipts, &receipt))
        return app_fail(APP_INTERNAL, "the schema", "out of memory");
    const nw_status status = nw_keys_release(in->suspects[c].keys, in->job->rng, in->job->ledger, label, receipt, &err);
    app_receipts_settle(&in->job->receipts);
    return status == NW_OK ? APP_OK : app_fail_error("the schema", &err);
}

static int tell_values(inference *in, size_t c)
{
    nw_error err;
    suspect *s = &in->suspects[c];
    json_t *values = json_array();
    bool has_other = false;
    int code = add_cost(in, nw_keys_event(s->keys));
    if (code == APP_OK)
        code = release_values(in, c);
    for (size_t i = 0; code == APP_OK && i < nw_keys_released(s->keys); i++) {
        const char *key;
        size_t size;
        int64_t count;
        if (nw_keys_get(s->keys, i, &key, &size, &count, &err) != NW_OK)
            code = app_fail_error("the schema", &err);
        else if (json_array_append_new(values, json_stringn(key, size)) == 0) /* what is no UTF-8 goes to the others */
            has_other |= size == 5 && memcmp(key, "other", 5) == 0;
    }
    if (code == APP_OK && json_array_size(values) == 0)
        app_note("column \"%s\": no value is frequent enough to be told; all become \"other\"", name_of(in, c));
    if (!has_other)
        json_array_append_new(values, json_string("other"));
    s->member = json_pack("{s:s, s:o, s:s, s:b}", "type", "categorical", "values", values, "other", "other", "nullable",
        (int)s->column.is_nullable);
    return code;
}

static int tell_bounds(inference *in, size_t c)
{
    double counts[INFER_NUMBERS > INFER_YEARS ? INFER_NUMBERS : INFER_YEARS];
    bool is_sure;
    suspect *s = &in->suspects[c];
    const bool is_date = s->column.type == INFER_IS_DATE;
    const int code = get_counts(in, s->query, is_date ? INFER_YEARS : INFER_NUMBERS, counts);
    if (code != APP_OK)
        return code;
    s->member = infer_bounds(&s->column, counts, nw_stats_get_plan(in->counts, s->query).noise[0], &is_sure);
    if (!is_sure)
        app_note("column \"%s\": its bounds cannot be told from so few records at this budget; correct them", name_of(in, c));
    return APP_OK;
}

static int tell_ranges(inference *in)
{
    int code = prepare_ranges(in);
    if (code == APP_OK)
        code = read_blocks(in, count_ranges);
    if (code == APP_OK)
        code = release_counts(in, "infer: bounds");
    for (size_t c = 0; code == APP_OK && c < in->columns; c++)
        code = in->suspects[c].keys != NULL ? tell_values(in, c) : tell_bounds(in, c);
    return code;
}

static int write_schema(inference *in, char **text)
{
    json_t *schema = json_object();
    for (size_t c = 0; c < in->columns; c++) {
        app_json_put(&schema, name_of(in, c), in->suspects[c].member);
        in->suspects[c].member = NULL;
    }
    *text = app_json_dump(schema, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    return *text == NULL ? app_fail(APP_INTERNAL, "the schema", "out of memory") : APP_OK;
}

/* True if no name is other than a number: then the first line is rather a record, which would be published as names. */
static bool are_numbers(const nw_schema *names)
{
    for (size_t c = 0; c < nw_schema_columns(names); c++) {
        const char *name = nw_schema_column(names, c).name;
        char *end = NULL;
        (void)strtod(name, &end);
        if (end == name || *end != '\0')
            return false;
    }
    return true;
}

int infer_schema(infer *job, char **text)
{
    nw_error err;
    inference in = { .job = job };
    *text = NULL;
    job->mu_squared = 0.0;
    job->receipts = (app_receipts){ 0 };
    if (nw_schema_of_header(&in.names, job->path, &err) != NW_OK)
        return app_fail_error(job->path, &err);
    if (are_numbers(in.names)) {
        inference_clear(&in);
        return app_fail(
            APP_DATA, job->path, "line 1: all names of columns are numbers as in a record, must be names: a header is public");
    }
    in.columns = nw_schema_columns(in.names);
    in.suspects = calloc(in.columns, sizeof *in.suspects);
    in.cells = calloc(BLOCK_ROWS, sizeof *in.cells);
    int code = in.suspects == NULL || in.cells == NULL ? app_fail(APP_INTERNAL, "the schema", "out of memory") : APP_OK;
    if (code == APP_OK)
        code = tell_kinds(&in);
    if (code == APP_OK)
        code = tell_ranges(&in);
    if (code == APP_OK)
        code = write_schema(&in, text);
    inference_clear(&in);
    return code;
}
