/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* run.c - a run of nw-diff2, in the only order: options, schema, places of the outputs, data and ledger are checked in every
 * process, and all come to one answer; then the run is charged, by the first process, once; only then is anything drawn. */
#include "../common/budget.h"
#include "../common/columns.h"
#include "../common/exit.h"
#include "../common/files.h"
#include "../common/numbers.h"
#include "../common/receipt.h"
#include "../common/seed.h"
#include "../common/signals.h"
#include "job.h"
#include "stored.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { FINEST_BINS = 65534, MOST_CELLS = 65536 };

static bool is_first(const job *j)
{
    return j->processes->rank == 0;
}

/* ---- before anything is read ---- */

static int check_outputs(const settings *s)
{
    const char *const named[] = { s->data, s->schema, s->test, s->ledger };
    const char *const others[] = { s->data, s->schema, s->test, s->ledger, s->output };
    int code = app_check_apart("--save-model", s->output, named, sizeof named / sizeof *named);
    if (code == APP_OK)
        code = app_check_apart("--curve", s->curve, others, sizeof others / sizeof *others);
    if (code == APP_OK && s->output != NULL)
        code = app_check_output(s->output);
    return code == APP_OK && s->curve != NULL ? app_check_output(s->curve) : code;
}

static int check_settings(const settings *s)
{
    if (s->data == NULL && !s->is_estimate)
        return app_fail(APP_USAGE, "--data", "missing, must be given unless --estimate is");
    if (s->loss != 0 && s->task == TABLE_CLASSIFY)
        return app_fail(APP_USAGE, "--loss", "is huber, must be used with --task regress");
    if (s->restarts > 0 && s->rounds > 0 && s->restarts > s->rounds)
        return app_fail(APP_USAGE, "--restarts", "is %llu, must be at most the %llu of --rounds", (unsigned long long)s->restarts,
            (unsigned long long)s->rounds);
    if (s->batch > 0.0 && s->method != METHOD_DPSGD)
        return app_fail(APP_USAGE, "--batch", "is given, must be used with --method dpsgd");
    if (s->is_estimate && s->method == METHOD_DPSGD && s->records == 0)
        return app_fail(APP_USAGE, "--records", "missing, must be given for --estimate with --method dpsgd");
    if (s->is_shown && s->ledger != NULL)
        return app_fail(APP_USAGE, "--show-private-diagnostics",
            "is given beside --ledger, must be used without: no ledger accounts for what it tells");
    return app_check_seed(s->seed, s->ledger);
}

static int make_plan(job *j)
{
    nw_error err;
    nw_schema *schema = NULL;
    const settings *s = j->settings;
    int code = app_check_input(s->schema);
    if (code == APP_OK && nw_schema_read(&schema, s->schema, FINEST_BINS, &err) != NW_OK)
        code = app_fail_error(s->schema, &err);
    if (code == APP_OK)
        code = table_plan_make(&j->plan, schema, s->target, (table_task)s->task, TABLE_PLAIN, s->schema);
    if (code != APP_OK)
        return code;
    j->model = model_make((model_kind)s->model, &j->plan, s->loss == 1 ? NW_DIFF2_HUBER : NW_DIFF2_SQUARED, s->huber);
    j->chosen = choices_make(j); /* as far as it is known without the records */
    if (j->chosen.restarts > j->chosen.rounds)
        return app_fail(APP_USAGE, "--restarts", "is %llu, must be at most the %llu rounds that there are",
            (unsigned long long)j->chosen.restarts, (unsigned long long)j->chosen.rounds);
    j->x = calloc(j->model.dimension, sizeof *j->x);
    j->gradient = calloc(j->model.dimension + 1, sizeof *j->gradient);
    j->looked_at = calloc(j->model.dimension, sizeof *j->looked_at);
    return j->x != NULL && j->gradient != NULL && j->looked_at != NULL ? APP_OK : app_fail(APP_INTERNAL, NULL, "out of memory");
}

/* ---- data ---- */

/* The column that names the clients, or TABLE_NO_TARGET if --clients is how many there are. */
static int find_client_column(const job *j, size_t *column)
{
    uint64_t count;
    const char *name = j->settings->clients;
    *column = TABLE_NO_TARGET;
    if (name == NULL || app_parse_count(name, &count))
        return name == NULL || count > 0 ? APP_OK : app_fail(APP_USAGE, "--clients", "is 0, must be 1 or more, or a column");
    *column = app_find_column(j->plan.schema, name);
    if (*column == nw_schema_columns(j->plan.schema))
        return app_fail(APP_USAGE, "--clients", "is \"%s\", must be a whole number or a column of %s", name, j->settings->schema);
    if (*column == j->plan.target)
        return app_fail(APP_USAGE, "--clients", "is \"%s\", must be another column than --target", name);
    const nw_column c = nw_schema_column(j->plan.schema, *column);
    if (!app_column_has_classes(&c))
        return app_fail(
            APP_USAGE, "--clients", "is \"%s\", which has no list of values in %s, must have one", name, j->settings->schema);
    return APP_OK;
}

/* Without its records a client cannot take part; a column's missing value is no client that must be there. */
static int check_client_column(job *j)
{
    const size_t column = j->part.client;
    const nw_column c = nw_schema_column(j->plan.schema, column);
    j->clients = 0;
    for (uint32_t k = 0; k < c.cells; k++) {
        const bool is_missing = c.is_nullable && k == c.cells - 1;
        if (j->part.client_rows[k] == 0 && !is_missing) {
            char *client = app_class_name(j->plan.schema, column, k);
            const int code = app_fail(APP_DATA, j->settings->data, "client \"%s\" of column %s has no records, must have some",
                client != NULL ? client : "?", c.name);
            free(client);
            return code;
        }
        j->clients += j->part.client_rows[k] > 0;
    }
    return APP_OK;
}

static int check_client_count(job *j)
{
    uint64_t count = 1;
    if (j->settings->clients == NULL || !app_parse_count(j->settings->clients, &count))
        return APP_OK;
    if (count > j->records) /* in the order of the rows, a client's share is a row or none */
        return app_fail(APP_USAGE, "--clients", "is %llu: client %zu has no records, must be at most the %zu records of %s",
            (unsigned long long)count, j->records + 1, j->records, j->settings->data);
    j->clients = (size_t)count;
    return APP_OK;
}

static int check_records(job *j)
{
    if (j->records == 0)
        return app_fail(APP_DATA, j->settings->data, "has no records");
    if (j->part.parts > j->records)
        return app_fail(APP_DATA, j->settings->data, "has %zu records for %zu processes, must have one for each at least",
            j->records, j->part.parts);
    if (j->settings->adjacency == 1 && j->settings->records > 0 && j->settings->records != j->records)
        return app_fail(APP_USAGE, "--records", "is %llu, must be the number of records with --adjacency replace-one",
            (unsigned long long)j->settings->records);
    return j->part.client != TABLE_NO_TARGET ? check_client_column(j) : check_client_count(j);
}

/* Which rows are this process's: a part of one file, or all of a file of its own. Batches are the first one's affair. */
static int choose_part(job *j)
{
    app_share share;
    const settings *s = j->settings;
    const table_part all = TABLE_ALL;
    int code = app_share_of(&share, j->processes, s->data);
    j->part = all;
    j->path = share.path;
    j->part.index = s->method == METHOD_DPSGD ? 0 : share.part;
    j->part.parts = s->method == METHOD_DPSGD ? 1 : share.parts;
    if (code == APP_OK && s->method == METHOD_DPSGD && j->processes->size > share.parts)
        code = app_fail(APP_USAGE, "--data", "is a file of each process, must be one for all with --method dpsgd");
    if (code == APP_OK)
        code = find_client_column(j, &j->part.client);
    if (code == APP_OK && j->part.client != TABLE_NO_TARGET) {
        j->part.client_rows = calloc(MOST_CELLS, sizeof *j->part.client_rows);
        code = j->part.client_rows != NULL ? APP_OK : app_fail(APP_INTERNAL, NULL, "out of memory");
    }
    return code;
}

static int read_data(job *j)
{
    const int code = app_check_input(j->path);
    return code == APP_OK ? table_read(&j->data, &j->plan, j->path, true, &j->part) : code;
}

/* Together: of files of their own the processes know only their part. */
static int count_records(job *j)
{
    nw_error err;
    const bool is_own = j->processes->size > 1 && j->part.parts == 1 && j->settings->method != METHOD_DPSGD;
    uint64_t rows = j->part.rows;
    nw_status status = NW_OK;
    if (is_own)
        status = j->processes->sum_u64(j->processes->context, &rows, 1, &err);
    if (status == NW_OK && is_own && j->part.client_rows != NULL)
        status = j->processes->sum_u64(j->processes->context, j->part.client_rows, MOST_CELLS, &err);
    j->records = (size_t)rows;
    return status == NW_OK ? check_records(j) : app_fail_error("mpi", &err);
}

static int read_test(job *j)
{
    const settings *s = j->settings;
    if (s->test == NULL)
        return APP_OK;
    int code = app_check_input(s->test);
    if (code == APP_OK)
        code = table_read(&j->test, &j->plan, s->test, true, NULL);
    if (code == APP_OK && j->test.count == 0)
        code = app_fail(APP_DATA, s->test, "has no records");
    return code;
}

/* ---- the run ---- */

/* All processes begin at the first one's parameters. */
static int draw_start(job *j)
{
    nw_error err;
    int code = APP_OK;
    if (is_first(j) &&
        (app_new_rng(&j->rng, j->settings->seed, &err) != NW_OK || model_start(&j->model, j->rng, j->x, &err) != NW_OK))
        code = app_fail_error("run", &err);
    code = app_agree(j->processes, code);
    if (code == APP_OK && j->processes->broadcast(j->processes->context, j->x, j->model.dimension * sizeof *j->x, &err) != NW_OK)
        code = app_fail_error("mpi", &err);
    return code;
}

/* In memory its budget is this run. */
static int open_ledger(job *j)
{
    const settings *s = j->settings;
    return app_open_ledger(&j->ledger, &(app_release){ .ledger = s->ledger,
                                           .epsilon = s->ledger == NULL ? j->costs.epsilon : s->epsilon,
                                           .delta = s->delta,
                                           .adjacency = s->adjacency == 1 ? NW_REPLACE_ONE : NW_ADD_REMOVE,
                                           .event = j->event,
                                           .is_schedule = s->ledger == NULL });
}

/* A ledger of the run's own epsilon and delta keeps some of delta back: if the run would not fit for that alone, it is made
 * with a little more noise. All processes have to know. */
static int fit_to_ledger(job *j)
{
    nw_error err;
    nw_ledger *ledger = NULL;
    bool is_fitting = true;
    const settings *s = j->settings;
    if (s->ledger == NULL || s->method == METHOD_DPSGD)
        return APP_OK;
    if (is_first(j) &&
        (nw_ledger_open(&ledger, s->ledger, NULL) != NW_OK || nw_ledger_fits(ledger, j->event, &is_fitting, NULL) != NW_OK))
        is_fitting = true; /* open_ledger says why */
    nw_ledger_close(ledger);
    if (j->processes->broadcast(j->processes->context, &is_fitting, sizeof is_fitting, &err) != NW_OK)
        return app_fail_error("mpi", &err);
    j->keeps_reserve = !is_fitting;
    return is_fitting ? APP_OK : rounds_prepare(j);
}

static int prepare(job *j)
{
    const settings *s = j->settings;
    int code = check_settings(s);
    if (code == APP_OK)
        code = make_plan(j);
    if (code == APP_OK && is_first(j))
        code = check_outputs(s);
    if (code == APP_OK && is_first(j))
        code = read_test(j);
    if (code == APP_OK)
        code = choose_part(j);
    if (code == APP_OK)
        code = read_data(j);
    code = app_agree(j->processes, code);
    return code == APP_OK ? app_agree(j->processes, count_records(j)) : code;
}

static int make_run(job *j)
{
    int code = draw_start(j);
    j->chosen = choices_make(j); /* the number of records is known now */
    if (code != APP_OK)
        return code;
    if (j->settings->method != METHOD_DPSGD)
        code = rounds_prepare(j);
    else if (is_first(j))
        code = batches_prepare(j);
    code = app_agree(j->processes, code);
    if (code == APP_OK)
        code = fit_to_ledger(j);
    if (code == APP_OK && is_first(j))
        code = open_ledger(j);
    return app_agree(j->processes, code);
}

static int train(job *j)
{
    app_signals_defer(true);
    if (j->settings->method != METHOD_DPSGD)
        return rounds_run(j);
    return app_agree(j->processes, is_first(j) ? batches_run(j) : APP_OK);
}

static int finish(job *j)
{
    const settings *s = j->settings;
    int code = look_at_test(j, j->x);
    if (code == APP_OK)
        code = stored_write(j);
    if (code == APP_OK && s->curve != NULL)
        code = curve_write(&j->curve, s->curve);
    if (code == APP_OK)
        code = report_write(j);
    if (code == APP_OK)
        app_note_seed(s->seed);
    if (code == APP_OK && is_diagnosed(j) && !app_is_insecure(s->seed))
        app_note("NOT PRIVATE: gradient norm and loss on the training records are told, and nothing pays for them");
    if (code == APP_OK && !s->is_quiet && !s->is_json)
        app_receipt_print(stderr, &j->receipt, s->ledger);
    return code;
}

static int estimate(job *j)
{
    int code = check_settings(j->settings);
    j->records = (size_t)j->settings->records;
    if (code == APP_OK)
        code = make_plan(j);
    if (code == APP_OK)
        code = j->settings->method != METHOD_DPSGD ? rounds_prepare(j) : batches_prepare(j);
    return code == APP_OK && is_first(j) ? report_estimate(j) : code;
}

/* What the user may not know of a setting; all of it is public. */
static void remark(const job *j)
{
    const settings *s = j->settings;
    if (s->is_quiet || s->is_json || !is_first(j))
        return;
    if (s->records == 0 && s->adjacency == 0)
        app_note("the number of records is taken as public: sums are divided by it; --records N gives another figure");
    if (s->method == METHOD_DIFF2 && s->restarts > 0 && choices_restarts(j, &j->chosen) > s->restarts)
        app_note("--restarts: with %llu the noise of the differences may feed itself; from %llu on it does not",
            (unsigned long long)s->restarts, (unsigned long long)choices_restarts(j, &j->chosen));
}

static int answer(job *j)
{
    const settings *s = j->settings;
    if (s->is_estimate)
        return app_agree(j->processes, estimate(j));
    int code = prepare(j);
    if (code == APP_OK)
        code = make_run(j);
    if (code == APP_OK)
        remark(j);
    if (code == APP_OK)
        code = train(j);
    if (code != APP_OK)
        return code;
    if (s->method != METHOD_DPSGD || is_first(j))
        look_at_result(j);
    return app_agree(j->processes, is_first(j) ? finish(j) : APP_OK);
}

static void free_job(job *j)
{
    nw_diff2_free(j->diff2);
    nw_diff2_model_free(j->rows);
    nw_train_free(j->train);
    nw_network_free(j->net);
    nw_ledger_close(j->ledger);
    nw_rng_free(j->rng);
    if (j->targets != NULL)
        sodium_memzero(j->targets, j->data.count * sizeof *j->targets);
    free(j->targets);
    examples_free(&j->data);
    examples_free(&j->test);
    table_plan_free(&j->plan);
    free(j->x);
    free(j->gradient);
    free(j->looked_at);
    free(j->part.client_rows);
    free(j->path);
}

int diff2_run(const settings *s, const nw_reduce *processes)
{
    job j = { .settings = s,
        .processes = processes,
        .holders = s->method == METHOD_DPSGD ? nw_reduce_serial() : *processes,
        .began = app_clock(),
        .train_loss = NAN,
        .clients = 1,
        .score = { 0, NAN, NAN, NAN, NAN } };
    j.curve.value_name = s->task == TABLE_REGRESS ? "test error" : "test accuracy";
    j.curve.title = "nw-diff2";
    app_progress_start(&j.progress, s->is_quiet || s->is_json || processes->rank != 0);
    const int code = answer(&j);
    app_progress_end(&j.progress);
    free_job(&j);
    return code;
}
