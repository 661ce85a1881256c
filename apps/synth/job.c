/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* job.c - the steps of a run.
 *
 * The order is the point: options, schema, ledger and places for the output are checked first, then the table is read, then the
 * ledger is charged, and only then is anything drawn. What fails before the charge costs nothing; what fails after it says that
 * the budget is spent, and whether what was measured was kept. */
#include "job.h"
#include "../common/budget.h"
#include "../common/exit.h"
#include "../common/files.h"
#include "../common/json.h"
#include "../common/seed.h"
#include "../common/signals.h"
#include "infer.h"
#include "manifest.h"
#include "page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool job_is_charged(const job *j)
{
    return j->receipt.head[0] != '\0';
}

void job_free(job *j)
{
    nw_rng_free(j->rng);
    nw_table_free(j->synthetic);
    nw_synth_measurements_free(j->measured);
    nw_table_free(j->table);
    nw_ledger_close(j->ledger);
    nw_synth_free(j->synth);
    nw_queries_free(j->queries);
    nw_schema_free(j->schema);
    free(j->inferred);
    app_receipts_free(&j->inferred_receipts);
    free(j->unit_of_parts);
}

/* ---- files ---- */

typedef struct named_file {
    const char *name; /* the option, or NULL: an input that is called by its path */
    const char *path; /* NULL: not given */
    bool may_be_stream;
} named_file;

int job_check_files(const settings *s)
{
    /* inputs first, then outputs; an output may be none of those before it */
    const named_file files[] = {
        { NULL, s->operands[0], true },
        { NULL, s->schema, true },
        { NULL, s->constraints, true },
        { NULL, s->ledger, false },
        { NULL, s->unsafe_compare, false },
        { NULL, s->is_fit ? s->measurements : NULL, false },
        { "--output", s->output, true },
        { "--partial", s->partial, false },
        { "--measurements", s->is_fit ? NULL : s->measurements, false },
        { "--report", s->report, false },
        { "--manifest", s->manifest, false },
    };
    enum { COUNT = sizeof files / sizeof *files };
    const char *paths[COUNT];
    int code = APP_OK;
    for (size_t i = 0; code == APP_OK && i < COUNT; i++) {
        const named_file *file = &files[i];
        paths[i] = file->path;
        if (file->name == NULL || file->path == NULL)
            continue;
        code = !file->may_be_stream && app_is_stream(file->path)
                   ? app_fail(APP_USAGE, file->name, "is \"%s\", must be a regular file", file->path)
                   : app_check_apart(file->name, file->path, paths, i);
    }
    for (size_t i = 0; code == APP_OK && i < COUNT; i++) {
        const bool is_of_first = files[i].name != NULL || files[i].path == s->ledger;
        if (files[i].path != NULL && (s->reduce->rank == 0 || !is_of_first))
            code = files[i].name == NULL ? app_check_input(files[i].path) : app_check_output(files[i].path);
    }
    return code;
}

/* ---- before the charge ---- */

static nw_synth_fit_opts fit_options(job *j)
{
    const settings *s = j->settings;
    nw_synth_fit_opts fit = NW_SYNTH_FIT_OPTS_INIT;
    fit.engine = settings_engine(s);
    fit.rows = s->rows;
    fit.sweeps = s->sweeps > 0 ? (unsigned)s->sweeps : fit.sweeps;
    fit.chains = (unsigned)s->chains;
    fit.threads = (unsigned)s->threads;
    fit.progress = app_progress_step;
    fit.progress_context = &j->progress;
    if (s->report != NULL) {
        fit.trace = page_trace_step;
        fit.trace_context = j->trace;
    }
    return fit;
}

static int check_fit(job *j, const nw_synth_fit_opts *fit)
{
    nw_error err;
    return nw_synth_fit_opts_check(fit, &j->fit, &err) == NW_OK ? APP_OK : app_fail_error("options", &err);
}

int job_plan_fit(job *j)
{
    const nw_synth_fit_opts fit = fit_options(j);
    return check_fit(j, &fit);
}

static int read_schema(job *j)
{
    nw_error err;
    const settings *s = j->settings;
    if (j->inferred == NULL)
        return settings_read_schema(s, &j->schema);
    if (nw_schema_parse(&j->schema, j->inferred, s->bins > 0 ? (uint32_t)s->bins : NW_SYNTH_BINS, &err) != NW_OK)
        return app_fail_error("the inferred schema", &err);
    return APP_OK;
}

int job_plan(job *j)
{
    nw_error err;
    const settings *s = j->settings;
    nw_synth_opts opts = NW_SYNTH_OPTS_INIT;
    nw_synth_fit_opts fit = fit_options(j);
    int code = read_schema(j);
    opts.epsilon = j->epsilon;
    opts.delta = s->delta;
    opts.adjacency = settings_adjacency(s);
    opts.threads = (unsigned)s->threads;
    opts.rows_per_unit = settings_rows_per_unit(s);
    opts.parts = s->parts > 0 ? (uint32_t)s->parts : opts.parts;
    opts.are_units_apart = s->are_units_apart;
    j->unit = s->unit;
    if (code == APP_OK)
        settings_select_opts(settings_select(s), j->schema, &opts);
    if (code == APP_OK)
        code = settings_queries(&j->queries, s, j->schema);
    if (code == APP_OK)
        code = settings_query_opts(s, j->schema, j->queries, &opts, &fit);
    fit.rows = s->rows > 0 ? s->rows : fit.rows; /* what is said goes before a preset */
    if (code == APP_OK && nw_synth_new(&j->synth, j->schema, &opts, &err) != NW_OK)
        code = app_fail_error("options", &err);
    if (code == APP_OK && fit.engine != NW_SYNTH_GIBBS && nw_schema_rules_json(j->schema) != NULL)
        code = app_fail(APP_USAGE, s->preset != 0 ? "--preset" : "--engine",
            "is given with --constraints, which the %s engine does not keep, must be left out", nw_synth_engine_name(fit.engine));
    return code == APP_OK ? check_fit(j, &fit) : code;
}

/* What is protected, for the receipt of a ledger in memory; a ledger file says its own. */
static const char *unit_text(const job *j, char out[128])
{
    const nw_synth_opts o = nw_synth_get_opts(j->synth);
    if (j->unit == NULL)
        return NULL;
    const int n = snprintf(out, 128, "one %.48s, up to %u rows", j->unit, o.rows_per_unit);
    if (o.are_units_apart)
        snprintf(out + n, 128 - (size_t)n, ", all in one part as promised");
    else if (o.parts > 1)
        snprintf(out + n, 128 - (size_t)n, " in each of up to %u parts", o.parts);
    return out;
}

int job_open_ledger(job *j)
{
    const settings *s = j->settings;
    const nw_synth_opts opts = nw_synth_get_opts(j->synth);
    char unit[128];
    const app_release release = { .ledger = s->ledger,
        .unit = unit_text(j, unit),
        .epsilon = opts.epsilon,
        .delta = opts.delta,
        .adjacency = opts.adjacency,
        .event = nw_synth_event(j->synth) };
    return app_open_ledger(&j->ledger, &release);
}

/* A stream cannot be read again, so its table is kept. */
static nw_status read_stream(job *j, uint64_t *rows, nw_error *err)
{
    const settings *s = j->settings;
    const char *path = s->operands[0];
    app_progress_step(&j->progress, "reading", -1.0);
    const nw_status status = s->unit == NULL
                                 ? nw_table_read_csv(&j->table, j->schema, path, err)
                                 : nw_table_read_csv_units(&j->table, j->schema, path, s->unit, settings_rows_per_unit(s), err);
    *rows = status == NW_OK ? nw_table_rows(j->table) : 0;
    return status;
}

int job_check_rows(const job *j, uint64_t rows)
{
    const char *path = j->settings->operands[0];
    const nw_reduce *reduce = j->settings->reduce;
    if (j->settings->unit == NULL) { /* of units a share may be empty */
        const int code = app_check_records(reduce, j->share, path, rows);
        if (code != APP_OK)
            return code;
    }
    return rows > 0 || reduce->size > 1 ? APP_OK
                                        : app_fail(APP_DATA, path, "has a header but no records, must have at least one");
}

static nw_status read_file(job *j, uint64_t *rows, nw_error *err)
{
    const nw_status status = nw_synth_share(j->synth, j->share->part, j->share->parts, err);
    return status == NW_OK ? nw_synth_read_csv(j->synth, j->settings->operands[0], j->settings->unit, app_progress_step,
                                 &j->progress, rows, err)
                           : status;
}

int job_read_table(job *j)
{
    nw_error err;
    uint64_t rows = 0;
    const settings *s = j->settings;
    const char *path = s->operands[0];
    int code = APP_OK;
    const bool is_stream = app_is_stream(path);
    if (is_stream && s->reduce->size > 1)
        code = app_fail(APP_USAGE, path, "is a stream, must be a file where there are several processes");
    else if ((is_stream ? read_stream(j, &rows, &err) : read_file(j, &rows, &err)) != NW_OK)
        code = app_fail_error(path, &err);
    else
        code = job_check_rows(j, rows);
    app_progress_end(&j->progress);
    code = app_agree(s->reduce, code);
    return code == APP_OK && s->reduce->size > 1 ? job_sum_up(j) : code;
}

int job_sum_up(job *j)
{
    nw_error err;
    const char *path = j->settings->operands[0];
    const nw_status status = nw_synth_reduce(j->synth, j->settings->reduce, &err);
    if (status == NW_E_STATE) /* what is wrong is among the files, not with the program */
        return app_fail(APP_DATA, path, "%s", err.message);
    return status == NW_OK ? APP_OK : app_fail_error(path, &err);
}

int job_follow(job *j)
{
    nw_error err;
    app_signals_defer(true);
    return nw_synth_follow(j->synth, &err) == NW_OK ? APP_OK : app_fail_error("run", &err);
}

/* The seed of a fit takes no privacy away: what it draws from is public. */
static nw_status new_rng(job *j, nw_error *err)
{
    const settings *s = j->settings;
    return j->rng != NULL ? NW_OK : app_new_rng(&j->rng, s->is_fit ? s->seed : s->insecure_seed, err);
}

/* ---- from the charge on ---- */

/* What a failure leaves: `what` was not made. */
static void note_failure(const job *j, const char *what)
{
    if (j->is_measured_kept)
        app_note("the budget was spent; what was measured is in %s, nw-synth fit makes tables from it at no cost; %s",
            j->settings->measurements, what);
    else if (job_is_charged(j))
        app_note("the budget was spent and stays spent; %s", what);
}

static int fail_run(const job *j, const nw_error *err)
{
    const char *ledger = j->settings->ledger;
    const int code = app_fail_error(ledger == NULL ? "run" : ledger, err);
    note_failure(j, "nothing was released");
    return code;
}

/* What was measured is written whatever became of the fit: it is paid for. */
static int keep_measured(job *j)
{
    nw_error err;
    const char *path = j->settings->measurements;
    if (path == NULL || j->measured == NULL)
        return APP_OK;
    j->is_measured_kept = nw_synth_measurements_write(j->measured, path, &err) == NW_OK;
    if (j->is_measured_kept)
        return APP_OK;
    const int code = app_fail_error(path, &err);
    note_failure(j, "nothing was released");
    return code;
}

/* A whole table in memory, and a fit of it. */
static int run_table(job *j)
{
    nw_error err;
    nw_status status = new_rng(j, &err);
    app_signals_defer(true);
    if (status == NW_OK)
        status = nw_synth_run(j->synth, j->rng, j->ledger, j->table, &j->fit, &j->synthetic, &j->measured, &j->receipt, &err);
    app_progress_end(&j->progress);
    const int code = keep_measured(j);
    return status == NW_OK ? code : fail_run(j, &err);
}

int job_release(job *j)
{
    nw_error err;
    nw_status status = new_rng(j, &err);
    app_signals_defer(true);
    if (status == NW_OK)
        status = nw_synth_release(j->synth, j->rng, j->ledger, "synth", &j->measured, &j->receipt, &err);
    app_progress_end(&j->progress);
    return status == NW_OK ? keep_measured(j) : fail_run(j, &err);
}

int job_run(job *j)
{
    if (j->table != NULL)
        return run_table(j);
    const int code = job_release(j);
    return code == APP_OK ? job_fit(j) : code;
}

int job_read_measurements(job *j)
{
    nw_error err;
    const char *path = j->settings->measurements;
    if (nw_synth_measurements_read(&j->measured, NULL, path, &err) != NW_OK)
        return app_fail_error(path, &err);
    return APP_OK;
}

int job_fit(job *j)
{
    nw_error err;
    nw_status status = new_rng(j, &err);
    app_signals_defer(true);
    if (status == NW_OK)
        status = nw_synth_fit(j->measured, j->rng, &j->fit, &j->synthetic, &err);
    app_progress_end(&j->progress);
    return status == NW_OK ? APP_OK : fail_run(j, &err);
}

/* A stream has no temporary file, and its reader may never come: a signal may end the writing at once. */
static int write_table(job *j)
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
    note_failure(j, is_stream ? "the output is not whole" : "nothing was written");
    return code;
}

int job_write(job *j)
{
    const settings *s = j->settings;
    int code = write_table(j);
    if (code != APP_OK)
        return code;
    if (s->report != NULL)
        code = page_write(j);
    if (code == APP_OK && s->manifest != NULL)
        code = manifest_write(j);
    if (code != APP_OK)
        app_note("the table %s was written all the same%s", s->output, job_is_charged(j) ? ", and the budget stays spent" : "");
    return code;
}

/* Of the schema and of the table. */
static int print_receipts(const job *j)
{
    app_receipts all = { .items = calloc(j->inferred_receipts.count + 1, sizeof *all.items) };
    if (all.items == NULL)
        return app_fail(APP_INTERNAL, "receipts", "out of memory");
    for (; all.count < j->inferred_receipts.count; all.count++)
        all.items[all.count] = j->inferred_receipts.items[all.count];
    all.items[all.count++] = j->receipt;
    app_receipts_print(stderr, &all, j->settings->ledger);
    infer_note_total(j->ledger);
    app_receipts_free(&all);
    return APP_OK;
}

int job_print_result(const job *j)
{
    const settings *s = j->settings;
    if (nw_synth_measurements_are_insecure(j->measured))
        app_note("NOT PRIVATE: the random numbers came from --insecure-seed");
    if (s->is_json) {
        json_t *object = manifest_json(j, nw_table_rows(j->synthetic));
        app_json_put(&object, "seconds", json_real(j->seconds));
        app_json_put(&object, "output", app_json_text(s->output));
        return app_print_json(object);
    }
    if (s->is_quiet || !job_is_charged(j))
        return APP_OK;
    int code = APP_OK;
    if (s->is_inferring)
        code = print_receipts(j);
    else
        app_receipt_print(stderr, &j->receipt, s->ledger);
    if (!app_is_stream(s->output))
        app_note("%s has %zu rows%s%s", s->output, nw_table_rows(j->synthetic),
            s->report == NULL ? ""
                              : "; to see how good they are, "
                                "open in a browser: ",
            s->report == NULL ? "" : s->report);
    return code;
}
