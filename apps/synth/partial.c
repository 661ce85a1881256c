/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* partial.c - nw-synth measure, merge and release: a table in parts that are counted apart, merged, and released once.
 *
 * A partial is exact: a line of JSON that says under which schema and options it was counted, then the library's bytes of the
 * counts. It is as secret as the table, and written so that only its owner can read it. Noise is drawn once, after the merge. */
#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"
#include "../common/seed.h"
#include "job.h"
#include "manifest.h"

#include <stdlib.h>
#include <string.h>

static const char FORMAT[] = "noisewright-synth-partial";
static const char PROMISE[] = "all rows of a unit are in one part";
enum { FORMAT_VERSION = 1 };
#define MOST_BYTES ((size_t)1 << 30)
#define MOST_HEAD_BYTES ((size_t)1 << 26)

/* ---- the file ---- */

/* What a person or a program that finds the file has to know of a promise; null: a record is protected. */
static json_t *unit_json(const job *j)
{
    const nw_synth_opts o = nw_synth_get_opts(j->synth);
    if (j->unit == NULL)
        return json_null();
    json_t *unit = json_object();
    app_json_put(&unit, "column", app_json_text(j->unit));
    app_json_put(&unit, "max_rows", json_integer((json_int_t)o.rows_per_unit));
    app_json_put(&unit, "parts", o.are_units_apart ? json_null() : json_integer((json_int_t)o.parts));
    app_json_put(&unit, "promise", o.are_units_apart ? json_string(PROMISE) : json_null());
    return unit;
}

static bool read_unit(job *j, const json_t *unit, nw_synth_opts *opts)
{
    if (unit == NULL || json_is_null(unit))
        return true;
    const char *column = json_string_value(json_object_get(unit, "column"));
    const char *promise = json_string_value(json_object_get(unit, "promise"));
    const json_int_t rows = json_integer_value(json_object_get(unit, "max_rows"));
    const json_int_t parts = promise != NULL ? 1 : json_integer_value(json_object_get(unit, "parts"));
    if (column == NULL || rows < 1 || rows > NW_MAX_ROWS_PER_UNIT || parts < 1 || parts > NW_MAX_ROWS_PER_UNIT ||
        (promise != NULL && strcmp(promise, PROMISE) != 0))
        return false;
    opts->rows_per_unit = (uint32_t)rows;
    opts->parts = (uint32_t)parts;
    opts->are_units_apart = promise != NULL;
    j->unit = j->unit_of_parts = strdup(column);
    return j->unit != NULL;
}

static char *head_text(const job *j)
{
    const nw_synth_opts opts = nw_synth_get_opts(j->synth);
    json_t *head = json_object();
    app_json_put(&head, "format", json_string(FORMAT));
    app_json_put(&head, "version", json_integer(FORMAT_VERSION));
    app_json_put(&head, "secret", json_string("exact counts: as secret as the table"));
    app_json_put(&head, "epsilon", json_real(opts.epsilon));
    app_json_put(&head, "delta", json_real(opts.delta));
    app_json_put(&head, "adjacency", json_string(nw_adjacency_name(opts.adjacency)));
    app_json_put(&head, "select", json_string(nw_synth_select_name(opts.select)));
    app_json_put(&head, "bins", json_integer((json_int_t)nw_schema_max_bins(j->schema)));
    app_json_put(&head, "schema", json_loads(nw_schema_json(j->schema), 0, NULL));
    app_json_put(&head, "unit", unit_json(j));
    const char *rules = nw_schema_rules_json(j->schema);
    app_json_put(&head, "constraints", rules == NULL ? json_null() : json_loads(rules, 0, NULL));
    return app_json_dump(head, JSON_COMPACT);
}

static int write_partial(const job *j, const char *path)
{
    nw_error err;
    const size_t size = nw_synth_size(j->synth);
    char *head = head_text(j);
    const size_t length = head == NULL ? 0 : strlen(head);
    uint8_t *bytes = head == NULL ? NULL : realloc(head, length + size);
    if (bytes == NULL) {
        free(head);
        return app_fail(APP_INTERNAL, path, "out of memory");
    }
    const nw_status status = nw_synth_serialize(j->synth, bytes + length, size, &err);
    const int code = status == NW_OK ? app_write_secret(path, bytes, length + size) : app_fail_error(path, &err);
    free(bytes);
    return code;
}

static int malformed(const char *path, const char *what)
{
    return app_fail(APP_DATA, path, "is no partial of nw-synth measure: %s", what);
}

/* The schema that a partial was counted under; NULL if the line does not hold one. */
static nw_schema *schema_of_head(const json_t *head)
{
    nw_schema *plain = NULL;
    nw_schema *ruled = NULL;
    const json_t *rules = json_object_get(head, "constraints");
    const json_int_t bins = json_integer_value(json_object_get(head, "bins"));
    char *text = json_dumps(json_object_get(head, "schema"), JSON_COMPACT);
    char *rules_text = rules == NULL || json_is_null(rules) ? NULL : json_dumps(rules, JSON_COMPACT);
    if (text == NULL || bins <= 0 || bins > UINT16_MAX || nw_schema_parse(&plain, text, (uint32_t)bins, NULL) != NW_OK)
        plain = NULL;
    if (plain != NULL && rules_text != NULL) {
        if (nw_constraints_parse(&ruled, plain, rules_text, NULL) != NW_OK)
            ruled = NULL;
        nw_schema_free(plain);
        plain = ruled;
    }
    free(text);
    free(rules_text);
    return plain;
}

/* The schema and the plan that a partial was counted under. */
static int plan_from_head(job *j, const char *path, const json_t *head)
{
    nw_error err;
    nw_synth_opts opts = NW_SYNTH_OPTS_INIT;
    const char *format = json_string_value(json_object_get(head, "format"));
    const char *adjacency = json_string_value(json_object_get(head, "adjacency"));
    if (format == NULL || strcmp(format, FORMAT) != 0)
        return malformed(path, "its first line does not say so");
    if (json_integer_value(json_object_get(head, "version")) != FORMAT_VERSION)
        return malformed(path, "it has another version");
    nw_synth_select select;
    j->schema = schema_of_head(head);
    if (j->schema == NULL || adjacency == NULL || nw_adjacency_parse(adjacency, &opts.adjacency, NULL) != NW_OK ||
        !settings_select_parse(json_string_value(json_object_get(head, "select")), &select))
        return malformed(path, "its first line is damaged");
    settings_select_opts(select, j->schema, &opts);
    opts.epsilon = json_number_value(json_object_get(head, "epsilon"));
    opts.delta = json_number_value(json_object_get(head, "delta"));
    opts.threads = (unsigned)j->settings->threads;
    if (!read_unit(j, json_object_get(head, "unit"), &opts))
        return malformed(path, "its unit is damaged");
    return nw_synth_new(&j->synth, j->schema, &opts, &err) == NW_OK ? APP_OK : malformed(path, "its options are damaged");
}

/* The first partial says what is merged; every other has to be of the same schema and options. */
static int merge_bytes(job *j, const char *path, const uint8_t *bytes, size_t n)
{
    nw_error err;
    const uint8_t *end = memchr(bytes, '\n', n < MOST_HEAD_BYTES ? n : MOST_HEAD_BYTES);
    const size_t length = end == NULL ? 0 : (size_t)(end - bytes);
    json_t *head = end == NULL ? NULL : json_loadb((const char *)bytes, length, JSON_REJECT_DUPLICATES, NULL);
    if (head == NULL)
        return malformed(path, "it has no first line of JSON");
    const int code = j->synth == NULL ? plan_from_head(j, path, head) : APP_OK;
    json_decref(head);
    if (code != APP_OK)
        return code;
    const nw_status status = nw_synth_merge_bytes(j->synth, end + 1, n - length - 1, &err);
    if (status == NW_E_STATE) /* what is wrong is among the partials, not with the program */
        return app_fail(APP_DATA, path, "%s", err.message);
    return status == NW_OK ? APP_OK : app_fail_error(path, &err);
}

static int merge_file(job *j, const char *path)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    int code = app_check_input(path);
    if (code == APP_OK)
        code = app_read_bytes(path, MOST_BYTES, &bytes, &n);
    if (code == APP_OK)
        code = merge_bytes(j, path, bytes, n);
    free(bytes);
    return code;
}

/* ---- the commands ---- */

/* Memory for the counts and a block of rows. */
static int count_table(job *j)
{
    nw_error err;
    const char *path = j->settings->operands[0];
    uint64_t rows = 0;
    app_progress_step(&j->progress, "counting", -1.0);
    nw_status status = nw_synth_share(j->synth, j->share->part, j->share->parts, &err);
    if (status == NW_OK)
        status = j->unit == NULL ? nw_synth_add_csv(j->synth, path, &rows, &err)
                                 : nw_synth_add_csv_units(j->synth, path, j->unit, &rows, &err);
    app_progress_end(&j->progress);
    return status == NW_OK ? job_check_rows(j, rows) : app_fail_error(path, &err);
}

static int measure(job *j)
{
    const settings *s = j->settings;
    int code = settings_check_units(s);
    if (code == APP_OK)
        code = job_check_files(s);
    if (code == APP_OK)
        code = job_plan(j);
    code = app_agree(s->reduce, code);
    if (code == APP_OK)
        code = app_agree(s->reduce, count_table(j));
    if (code == APP_OK)
        code = job_sum_up(j);
    return code == APP_OK && s->reduce->rank == 0 ? write_partial(j, s->partial) : code;
}

/* One partial at a time is in memory, beside the sum. */
static int merge(job *j)
{
    const settings *s = j->settings;
    char *const *partials = s->partials.items;
    int code = s->output != NULL && app_is_stream(s->output)
                   ? app_fail(APP_USAGE, "--output", "is \"%s\", must be a regular file", s->output)
                   : app_check_output(s->output);
    if (code == APP_OK)
        code = app_check_distinct(partials, s->partials.count, "given twice, its records would count twice");
    for (size_t i = 0; code == APP_OK && i < s->partials.count; i++) {
        app_progress_step(&j->progress, "merging", (double)i / (double)s->partials.count);
        code = merge_file(j, partials[i]);
    }
    app_progress_end(&j->progress);
    return code == APP_OK ? write_partial(j, s->output) : code;
}

/* What a release spends is said where it is spent: it must be what the parts were counted for. */
static int check_budget(const job *j)
{
    const settings *s = j->settings;
    const nw_synth_opts opts = nw_synth_get_opts(j->synth);
    if (s->epsilon != opts.epsilon)
        return app_fail(
            APP_USAGE, "--epsilon", "is %g, must be %g as when %s was measured", s->epsilon, opts.epsilon, s->operands[0]);
    if (s->delta != opts.delta)
        return app_fail(APP_USAGE, "--delta", "is %g, must be %g as when %s was measured", s->delta, opts.delta, s->operands[0]);
    return APP_OK;
}

static int release(job *j)
{
    const settings *s = j->settings;
    int code = app_check_seed(s->insecure_seed, s->ledger);
    if (code == APP_OK)
        code = job_check_files(s);
    if (code == APP_OK)
        code = merge_file(j, s->operands[0]);
    if (code == APP_OK)
        code = check_budget(j);
    if (code == APP_OK)
        code = job_open_ledger(j);
    if (code == APP_OK)
        code = job_release(j);
    if (code == APP_OK && s->manifest != NULL)
        code = manifest_write(j);
    if (code != APP_OK)
        return code;
    app_note_seed(s->insecure_seed);
    if (!s->is_quiet)
        app_receipt_print(stderr, &j->receipt, s->ledger);
    return APP_OK;
}

static int run(const settings *s, const app_share *share, int (*command)(job *))
{
    job j = { .settings = s, .share = share, .epsilon = s->epsilon };
    app_progress_start(&j.progress, s->is_quiet || s->reduce->rank > 0);
    const int code = command(&j);
    app_progress_end(&j.progress);
    job_free(&j);
    return code;
}

int synth_measure(const settings *given)
{
    settings s = *given;
    app_share share;
    int code = app_share_of(&share, s.reduce, s.operands[0]);
    s.operands[0] = share.path;
    if (code == APP_OK)
        code = run(&s, &share, measure);
    app_share_free(&share);
    return code;
}

int synth_merge(const settings *s)
{
    return run(s, NULL, merge);
}

int synth_release(const settings *s)
{
    return run(s, NULL, release);
}
