/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* nw-synth - a private synthetic table from a real one.
 *
 * The order is the point: options, schema, ledger and places for the output are checked first, then the table is read, then the
 * ledger is charged, and only then is anything drawn. What fails before the charge costs nothing; what fails after it says that
 * the budget is spent. */
#include "common/budget.h"
#include "common/exit.h"
#include "common/files.h"
#include "common/json.h"
#include "common/numbers.h"
#include "common/options.h"
#include "common/progress.h"
#include "common/receipt.h"
#include "common/signals.h"

#include <noisewright.h>
#include <nw/testing.h>

#include <stdlib.h>
#include <string.h>

#define NO_SEED UINT64_MAX /* outside of --insecure-seed's interval */

typedef struct settings {
    const char *operands[APP_MAX_OPERANDS]; /* TABLE.csv */
    const char *schema;
    const char *output;
    const char *ledger;
    const char *manifest;
    double epsilon;
    double delta;
    unsigned adjacency; /* into adjacencies[] */
    unsigned engine;    /* into engines[] */
    uint64_t rows;      /* 0: as many as the table has, as far as that is known */
    uint64_t bins;      /* 0 here and below: the library's default */
    uint64_t sweeps;
    uint64_t chains;
    uint64_t threads;
    uint64_t insecure_seed;
    bool is_estimate;
    bool is_json;
    bool is_quiet;
} settings;

static const nw_adjacency adjacencies[] = { NW_ADD_REMOVE, NW_REPLACE_ONE };
static const nw_synth_engine engines[] = { NW_SYNTH_GIBBS, NW_SYNTH_GENETIC };

static const app_option options[] = {
    APP_OPTION("schema", 's', APP_FILE, "FILE", NULL, schema, true, "the columns and their domains, in JSON"),
    APP_OPTION("epsilon", 'e', APP_REAL, "E", "(0, 64]", epsilon, true, "privacy loss of this release"),
    APP_OPTION("delta", 'd', APP_REAL, "D", "(0, 1)", delta, true, "probability left outside of epsilon"),
    APP_OPTION("output", 'o', APP_FILE, "FILE", NULL, output, false,
        "the synthetic table; - is standard output, a name in .gz is compressed; required unless --estimate"),
    APP_OPTION("adjacency", 'a', APP_CHOICE, NULL, "add-remove|replace-one", adjacency, false,
        "which two tables are neighbours; default add-remove"),
    APP_OPTION("ledger", 'l', APP_FILE, "FILE", NULL, ledger, false,
        "charge this ledger, made by nw-ledger create; without one nothing durable is kept"),
    APP_OPTION("rows", 'n', APP_COUNT, "N", "[1, 4294967295]", rows, false,
        "rows of the synthetic table, or assumed by --estimate; default: as many as the table has, as far as that is known"),
    APP_OPTION("engine", '\0', APP_CHOICE, NULL, "gibbs|genetic", engine, false, "how the table is fitted; default gibbs"),
    APP_OPTION(
        "manifest", 'm', APP_FILE, "FILE", NULL, manifest, false, "also write what was measured, with how much noise, in JSON"),
    APP_OPTION("json", '\0', APP_FLAG, NULL, NULL, is_json, false, "print one JSON object on standard output"),
    APP_OPTION("estimate", '\0', APP_FLAG, NULL, NULL, is_estimate, false,
        "print the cost and the predicted error; reads no data, charges nothing, writes nothing"),
    APP_OPTION("threads", 't', APP_COUNT, "N", "[1, 4096]", threads, false, "threads; the result does not depend on them"),
    APP_OPTION("chains", '\0', APP_COUNT, "N", "[1, 1024]", chains, false, "independent parts of the table, fitted side by side"),
    APP_OPTION("sweeps", '\0', APP_COUNT, "N", "[1, 100000]", sweeps, false, "gibbs: passes over the table"),
    APP_OPTION("bins", '\0', APP_COUNT, "N", "[1, 65534]", bins, false, "most bins of a numeric or date column; default 100"),
    APP_OPTION("insecure-seed", '\0', APP_COUNT, "N", "[0, 1e15]", insecure_seed, false,
        "for tests: repeatable random numbers; the result is NOT PRIVATE"),
    APP_OPTION("quiet", 'q', APP_FLAG, NULL, NULL, is_quiet, false, "no progress and no receipt on standard error"),
};

static const app_command command = {
    .operands = { "TABLE.csv" },
    .help = "Reads TABLE.csv (- is standard input; gzip is recognised), measures its 1-way and 2-way marginals with noise, and "
            "writes a table of the same columns that agrees with them. What is written is private at (epsilon, delta) for one "
            "record.",
    APP_OPTIONS(options),
};

static const app_program program = {
    .name = "nw-synth",
    .summary = "a private synthetic table from a real one",
    .commands = &command,
    .command_count = 1,
    .details = "Exit: 0 done; 3 over the budget; 64 usage; 65 malformed data; 66 no input; 70\n"
               "internal; 73 cannot create the output; 74 input or output failed; 130 or 143\n"
               "interrupted. Malformed input and refusals cost nothing; after the charge the\n"
               "budget stays spent, whatever happens.\n"
               "\n"
               "Example:\n"
               "  nw-ledger create census.nwl --epsilon 4 --delta 1e-9 --adjacency add-remove\n"
               "  nw-synth census.csv --schema schema.json --epsilon 1 --delta 1e-9 \\\n"
               "      --ledger census.nwl -o synthetic.csv\n",
};

/* What a run owns; freed in one place. */
typedef struct job {
    const settings *settings;
    nw_adjacency adjacency;
    nw_schema *schema;
    nw_synth *synth;
    nw_ledger *ledger;
    nw_table *table;
    nw_table *synthetic;
    nw_rng *rng;
    nw_receipt receipt; /* its head is empty until the charge */
    app_progress progress;
    double seconds;
} job;

static bool is_insecure(const settings *s)
{
    return s->insecure_seed != NO_SEED;
}

static bool is_charged(const job *j)
{
    return j->receipt.head[0] != '\0';
}

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
    if (is_insecure(s) && s->ledger != NULL)
        return app_fail(APP_USAGE, "--insecure-seed", "cannot be charged to a ledger file, must be used without --ledger");
    if (s->manifest != NULL && app_is_stream(s->manifest))
        return app_fail(APP_USAGE, "--manifest", "is \"%s\", must be a regular file", s->manifest);
    const char *const named[] = { table, s->schema, s->ledger };
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        if (named[i] != NULL && app_is_same_file(named[i], s->output))
            return app_fail(APP_USAGE, "--output", "is the same file as %s, must be another", named[i]);
        if (named[i] != NULL && s->manifest != NULL && app_is_same_file(named[i], s->manifest))
            return app_fail(APP_USAGE, "--manifest", "is the same file as %s, must be another", named[i]);
    }
    if (s->manifest != NULL && app_is_same_file(s->output, s->manifest))
        return app_fail(APP_USAGE, "--manifest", "is the same file as the output, must be another");
    return APP_OK;
}

/* Reads the schema and plans the measurements. */
static int plan(job *j)
{
    nw_error err;
    const settings *s = j->settings;
    nw_synth_opts opts = NW_SYNTH_OPTS_INIT;
    const int code = app_check_input(s->schema);
    if (code != APP_OK)
        return code;
    if (nw_schema_read(&j->schema, s->schema, (uint32_t)s->bins, &err) != NW_OK)
        return app_fail_error(s->schema, &err);
    opts.epsilon = s->epsilon;
    opts.delta = s->delta;
    opts.adjacency = j->adjacency;
    opts.engine = engines[s->engine];
    opts.rows = s->rows;
    opts.sweeps = s->sweeps > 0 ? (unsigned)s->sweeps : opts.sweeps;
    opts.chains = s->chains > 0 ? (unsigned)s->chains : opts.chains;
    opts.threads = (unsigned)s->threads;
    opts.progress = app_progress_step;
    opts.progress_context = &j->progress;
    if (nw_synth_new(&j->synth, j->schema, &opts, &err) != NW_OK)
        return app_fail_error("options", &err);
    return APP_OK;
}

static int open_ledger(job *j)
{
    const settings *s = j->settings;
    const app_release release = { s->ledger, s->epsilon, s->delta, j->adjacency, nw_synth_event(j->synth) };
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
    nw_status status = is_insecure(s) ? nw_rng_new_insecure_seeded(&j->rng, s->insecure_seed, &err) : nw_rng_new(&j->rng, &err);
    app_signals_defer(true);
    if (status == NW_OK)
        status = nw_synth_run(j->synth, j->table, j->rng, j->ledger, &j->synthetic, &j->receipt, &err);
    app_progress_end(&j->progress);
    if (status == NW_OK)
        return APP_OK;
    const int code = app_fail_error(s->ledger == NULL ? "run" : s->ledger, &err);
    if (is_charged(j))
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

/* rows: what the expected error is stated for; 0 if that is not known. */
static json_t *measurement_json(const job *j, size_t i, uint64_t rows)
{
    const nw_synth_measurement m = nw_synth_get_measurement(j->synth, i, rows);
    json_t *columns = json_array();
    for (size_t k = 0; k < 2 && m.columns[k] != SIZE_MAX; k++)
        json_array_append_new(columns, app_json_text(nw_schema_column(j->schema, m.columns[k]).name));
    json_t *object = json_object();
    app_json_put(&object, "columns", columns);
    app_json_put(&object, "cells", json_integer((json_int_t)m.cells));
    app_json_put(&object, "sigma", app_json_real(m.sigma));
    app_json_put(&object, "expected_error", rows > 0 ? app_json_real(m.expected_error) : json_null());
    return object;
}

/* What --json, --estimate and the manifest share: public quantities only. */
static json_t *report(const job *j, uint64_t rows)
{
    const settings *s = j->settings;
    json_t *list = json_array();
    for (size_t i = 0; i < nw_synth_measurements(j->synth); i++)
        json_array_append_new(list, measurement_json(j, i, rows));
    json_t *object = json_object();
    app_json_put(&object, "epsilon", app_json_real(s->epsilon));
    app_json_put(&object, "delta", app_json_real(s->delta));
    app_json_put(&object, "adjacency", json_string(nw_adjacency_name(j->adjacency)));
    app_json_put(&object, "engine", json_string(nw_synth_engine_name(engines[s->engine])));
    app_json_put(&object, "rows", rows > 0 ? json_integer((json_int_t)rows) : json_null());
    app_json_put(&object, "insecure", json_boolean(is_insecure(s)));
    app_json_put(&object, "library", json_string(nw_version()));
    app_json_put(&object, "measurements", list);
    if (is_charged(j))
        app_json_put(&object, "receipt", app_receipt_json(&j->receipt));
    return object;
}

static int write_manifest(const job *j)
{
    char hash[65];
    const settings *s = j->settings;
    nw_schema_hash(j->schema, hash);
    const nw_synth_opts opts = nw_synth_get_opts(j->synth);
    json_t *object = report(j, nw_table_rows(j->synthetic));
    app_json_put(&object, "format", json_string("noisewright-synth-manifest"));
    app_json_put(&object, "format_version", json_integer(1));
    app_json_put(&object, "schema_hash", json_string(hash));
    app_json_put(&object, "bins", json_integer(s->bins > 0 ? (json_int_t)s->bins : NW_SCHEMA_DEFAULT_BINS));
    app_json_put(&object, "sweeps", json_integer((json_int_t)opts.sweeps));
    app_json_put(&object, "chains", json_integer((json_int_t)opts.chains));
    char *text = app_json_dump(object, JSON_INDENT(2));
    const int code = text == NULL ? app_fail(APP_INTERNAL, s->manifest, "out of memory") : app_write_text(s->manifest, text);
    free(text);
    if (code != APP_OK)
        app_note("the table %s was written all the same, and the budget stays spent", s->output);
    return code;
}

static int print_result(const job *j)
{
    const settings *s = j->settings;
    if (is_insecure(s))
        app_note("NOT PRIVATE: the random numbers came from --insecure-seed");
    if (s->is_json) {
        json_t *object = report(j, nw_table_rows(j->synthetic));
        app_json_put(&object, "seconds", json_real(j->seconds));
        app_json_put(&object, "output", app_json_text(s->output));
        return app_print_json(object);
    }
    if (!s->is_quiet)
        app_receipt_print(stderr, &j->receipt, s->ledger);
    return APP_OK;
}

static void print_estimate(const job *j)
{
    const uint64_t rows = j->settings->rows;
    printf("%zu marginals, epsilon %g, delta %g, neighbours %s\n", nw_synth_measurements(j->synth), j->settings->epsilon,
        j->settings->delta, nw_adjacency_name(j->adjacency));
    if (rows > 0)
        printf("error: predicted average total variation distance of the noisy marginal, assuming %llu records\n",
            (unsigned long long)rows);
    else
        printf("give --rows N, the number of records to assume, for the predicted error\n");
    printf("%10s  %12s  %8s  columns\n", "cells", "sigma", "error");
    for (size_t i = 0; i < nw_synth_measurements(j->synth); i++) {
        const nw_synth_measurement m = nw_synth_get_measurement(j->synth, i, rows);
        printf("%10llu  %12.6g  ", (unsigned long long)m.cells, m.sigma);
        if (rows > 0)
            printf("%8.4f", m.expected_error);
        else
            printf("%8s", "-");
        printf("  %s", nw_schema_column(j->schema, m.columns[0]).name);
        if (m.columns[1] != SIZE_MAX)
            printf(" x %s", nw_schema_column(j->schema, m.columns[1]).name);
        putchar('\n');
    }
}

static int estimate(job *j)
{
    const int code = plan(j);
    if (code != APP_OK)
        return code;
    if (!j->settings->is_json) {
        print_estimate(j);
        return fflush(stdout) == 0 ? APP_OK : app_fail(APP_IO, "standard output", "could not be written");
    }
    json_t *object = report(j, j->settings->rows);
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
        code = write_manifest(j);
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
    nw_schema_free(j->schema);
}

int main(int argc, char **argv)
{
    settings s = { .insecure_seed = NO_SEED };
    const app_command *chosen;
    int code;
    if (!app_parse(&program, argc, argv, &s, &chosen, &code))
        return code;
    job j = { .settings = &s, .adjacency = adjacencies[s.adjacency] };
    app_signals_install();
    app_progress_start(&j.progress, s.is_quiet);
    code = s.is_estimate ? estimate(&j) : synthesise(&j);
    app_progress_end(&j.progress);
    free_job(&j);
    return code;
}
