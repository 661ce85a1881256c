/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* release.c - nw-synth TABLE.csv: a private synthetic table.
 *
 * The order is the point: options, schema, ledger and places for the output are checked first, then the table is read, then the
 * ledger is charged, and only then is anything drawn. What fails before the charge costs nothing; what fails after it says that
 * the budget is spent. */
#include "../common/budget.h"
#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"
#include "../common/signals.h"
#include "manifest.h"

#include <stdlib.h>
#include <string.h>

/* What the options say about each other. */
static int check_settings(const settings *s)
{
    const char *table = s->operands[0];
    if (s->is_estimate)
        return APP_OK;
    if (table == NULL)
        return app_fail(APP_USAGE, "TABLE.csv", "missing, must be given");
    if (s->output == NULL)
        return app_fail(APP_USAGE, "--output", "missing, must be given unless --estimate is");
    if (strcmp(s->output, "-") == 0 && s->is_json)
        return app_fail(APP_USAGE, "--json", "both it and the table would go to standard output, -o must be a file");
    if (s->manifest != NULL && app_is_stream(s->manifest))
        return app_fail(APP_USAGE, "--manifest", "is \"%s\", must be a regular file", s->manifest);
    const char *const named[] = { table, s->schema, s->ledger, s->output };
    int code = app_check_seed(s->insecure_seed, s->ledger);
    if (code == APP_OK)
        code = app_check_apart("--output", s->output, named, 3);
    if (code == APP_OK)
        code = app_check_apart("--manifest", s->manifest, named, 4);
    return code;
}

/* Reads the schema and plans the measurements. */
static int plan(job *j)
{
    nw_error err;
    const settings *s = j->settings;
    nw_synth_opts opts = NW_SYNTH_OPTS_INIT;
    nw_synth_fit_opts fit = NW_SYNTH_FIT_OPTS_INIT;
    const int code = app_check_input(s->schema);
    if (code != APP_OK)
        return code;
    if (nw_schema_read(&j->schema, s->schema, s->bins > 0 ? (uint32_t)s->bins : NW_SYNTH_BINS, &err) != NW_OK)
        return app_fail_error(s->schema, &err);
    for (size_t i = 0; i < nw_schema_columns(j->schema); i++)
        if (nw_schema_column(j->schema, i).type == NW_COLUMN_TEXT)
            return app_fail(APP_DATA, s->schema, "column \"%s\" is text, must be left out of the table or be given a domain",
                nw_schema_column(j->schema, i).name);
    opts.epsilon = s->epsilon;
    opts.delta = s->delta;
    opts.adjacency = settings_adjacency(s);
    opts.threads = (unsigned)s->threads;
    fit.engine = settings_engine(s);
    fit.sweeps = s->sweeps > 0 ? (unsigned)s->sweeps : fit.sweeps;
    fit.chains = (unsigned)s->chains;
    fit.threads = (unsigned)s->threads;
    fit.progress = app_progress_step;
    fit.progress_context = &j->progress;
    int asked = settings_queries(&j->queries, s, j->schema);
    if (asked == APP_OK)
        asked = settings_query_opts(s, j->schema, j->queries, &opts, &fit);
    if (asked != APP_OK)
        return asked;
    fit.rows = s->rows > 0 ? s->rows : fit.rows; /* what is said goes before a preset */
    if (nw_synth_new(&j->synth, j->schema, &opts, &err) != NW_OK || nw_synth_fit_opts_check(&fit, &j->fit, &err) != NW_OK)
        return app_fail_error("options", &err);
    return APP_OK;
}

static int open_ledger(job *j)
{
    const settings *s = j->settings;
    const app_release release = { .ledger = s->ledger,
        .epsilon = s->epsilon,
        .delta = s->delta,
        .adjacency = settings_adjacency(s),
        .event = nw_synth_event(j->synth) };
    return app_open_ledger(&j->ledger, &release);
}

static int read_table(job *j)
{
    nw_error err;
    const char *path = j->settings->operands[0];
    app_progress_step(&j->progress, "reading", -1.0);
    if (nw_table_read_csv(&j->table, j->schema, path, &err) != NW_OK) {
        app_progress_end(&j->progress);
        return app_fail_error(path, &err);
    }
    if (nw_table_rows(j->table) == 0) {
        app_progress_end(&j->progress);
        return app_fail(APP_DATA, path, "has a header but no records, must have at least one");
    }
    return APP_OK;
}

/* Charges, draws, fits. From the charge on a signal is answered by the progress function, so that the message can say what was
 * spent. */
static int release(job *j)
{
    nw_error err;
    const settings *s = j->settings;
    nw_status status = app_new_rng(&j->rng, s->insecure_seed, &err);
    app_signals_defer(true);
    if (status == NW_OK)
        status = nw_synth_run(j->synth, j->rng, j->ledger, j->table, &j->fit, &j->synthetic, NULL, &j->receipt, &err);
    app_progress_end(&j->progress);
    if (status == NW_OK)
        return APP_OK;
    const int code = app_fail_error(s->ledger == NULL ? "run" : s->ledger, &err);
    if (job_is_charged(j))
        app_note("the budget was spent and stays spent; nothing was released");
    return code;
}

/* A stream has no temporary file, and its reader may never come: a signal may end the writing at once. */
static int write_output(job *j)
{
    nw_error err;
    const settings *s = j->settings;
    const bool is_stream = app_is_stream(s->output);
    app_signals_defer(!is_stream);
    const nw_status status = nw_table_write_csv(j->synthetic, s->output, j->rng, &err);
    app_signals_defer(true);
    if (status == NW_OK)
        return APP_OK;
    const int code = app_fail_error(s->output, &err);
    app_note("the budget was spent and stays spent; %s", is_stream ? "the output is not whole" : "nothing was written");
    return code;
}

static int print_result(const job *j)
{
    const settings *s = j->settings;
    app_note_seed(s->insecure_seed);
    if (s->is_json) {
        json_t *object = manifest_json(j, nw_table_rows(j->synthetic));
        app_json_put(&object, "seconds", json_real(j->seconds));
        app_json_put(&object, "output", app_json_text(s->output));
        return app_print_json(object);
    }
    if (!s->is_quiet)
        app_receipt_print(stderr, &j->receipt, s->ledger);
    return APP_OK;
}

static int estimate(job *j)
{
    const int code = plan(j);
    if (code != APP_OK)
        return code;
    if (!j->settings->is_json) {
        manifest_print_estimate(j);
        return fflush(stdout) == 0 ? APP_OK : app_fail(APP_IO, "standard output", "could not be written");
    }
    json_t *object = manifest_json(j, j->settings->rows);
    app_json_put(&object, "estimate", json_true());
    json_t *event = NULL;
    char *text = NULL;
    if (nw_event_to_json(nw_synth_event(j->synth), &text, NULL) == NW_OK)
        event = json_loads(text, 0, NULL);
    nw_string_free(text);
    app_json_put(&object, "event", event);
    return app_print_json(object);
}

static int synthesise(job *j)
{
    const settings *s = j->settings;
    const double started = app_clock();
    int code = check_settings(s);
    if (code == APP_OK)
        code = app_check_input(s->operands[0]);
    if (code == APP_OK)
        code = plan(j);
    if (code == APP_OK)
        code = app_check_output(s->output);
    if (code == APP_OK && s->manifest != NULL)
        code = app_check_output(s->manifest);
    if (code == APP_OK)
        code = open_ledger(j);
    if (code == APP_OK)
        code = read_table(j);
    if (code == APP_OK)
        code = release(j);
    if (code == APP_OK)
        code = write_output(j);
    if (code == APP_OK && s->manifest != NULL)
        code = manifest_write(j);
    j->seconds = app_clock() - started;
    return code == APP_OK ? print_result(j) : code;
}

static void free_job(job *j)
{
    nw_rng_free(j->rng);
    nw_table_free(j->synthetic);
    nw_table_free(j->table);
    nw_ledger_close(j->ledger);
    nw_synth_free(j->synth);
    nw_queries_free(j->queries);
    nw_schema_free(j->schema);
}

int synth_release(const settings *s)
{
    job j = { .settings = s };
    app_progress_start(&j.progress, s->is_quiet);
    const int code = s->is_estimate ? estimate(&j) : synthesise(&j);
    app_progress_end(&j.progress);
    free_job(&j);
    return code;
}
