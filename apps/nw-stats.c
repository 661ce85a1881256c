/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* nw-stats - counts, sums, means, variances, histograms and quantiles of a table, with their errors.
 *
 * Options, schema, queries, ledger and the place of the output are checked first, then the table is read, then the ledger is
 * charged once for all queries, and only then is anything drawn. */
#include "common/budget.h"
#include "common/exit.h"
#include "common/files.h"
#include "common/json.h"
#include "common/numbers.h"
#include "common/options.h"
#include "common/processes.h"
#include "common/progress.h"
#include "common/receipt.h"
#include "common/seed.h"
#include "common/signals.h"
#include "stats/figures.h"
#include "stats/keys.h"

#include <noisewright.h>

#include <stdlib.h>
#include <string.h>

#define FINEST_BINS 65534 /* of a column: one value each as far as there are codes */

typedef struct settings {
    const char *operands[APP_MAX_OPERANDS]; /* TABLE.csv */
    const char *schema;
    const char *output;
    const char *ledger;
    const char *unit;  /* NULL: one record */
    uint64_t max_keys; /* of one unit; 0: not given */
    uint64_t max_count;
    double epsilon;
    double delta; /* 0: pure */
    double confidence;
    app_texts queries;
    unsigned adjacency; /* into adjacencies[] */
    uint64_t rows;      /* that --estimate assumes; 0: none */
    uint64_t insecure_seed;
    bool is_estimate;
    bool is_json;
    bool is_quiet;
} settings;

static const nw_adjacency adjacencies[] = { NW_ADD_REMOVE, NW_REPLACE_ONE };

static const app_option options[] = {
    APP_OPTION("schema", 's', APP_FILE, "FILE", NULL, schema, true, "the columns and their domains, in JSON"),
    APP_OPTION("epsilon", 'e', APP_REAL, "E", "(0, 64]", epsilon, true, "privacy loss of all queries together"),
    APP_OPTION("delta", 'd', APP_REAL, "D", "[0, 1)", delta, false,
        "probability left outside of epsilon; without it, or 0: pure differential privacy, with Laplace noise; else Gaussian"),
    APP_OPTION("query", 'Q', APP_TEXTS, "QUERY", NULL, queries, true,
        "what is asked, such as 'mean(age) by sex'; may be given several times, and then shares the budget"),
    APP_OPTION("unit", 'u', APP_TEXT, "COLUMN", NULL, unit, false,
        "a column of text that says whose a record is: unknown keys protect that user, with all records"),
    APP_OPTION("max-keys", '\0', APP_COUNT, "N", "[1, 1048576]", max_keys, false,
        "with --unit: so many keys of a user count, the first in the table"),
    APP_OPTION("max-count", '\0', APP_COUNT, "N", "[1, 1048576]", max_count, false,
        "with --unit: so many records of a user and key count"),
    APP_OPTION("confidence", '\0', APP_REAL, "C", "[0.5, 0.999999999]", confidence, false,
        "that all figures together lie within the errors beside them; default 0.999"),
    APP_OPTION("adjacency", 'a', APP_CHOICE, NULL, "add-remove|replace-one", adjacency, false,
        "which two tables are neighbours; default add-remove"),
    APP_OPTION("ledger", 'l', APP_FILE, "FILE", NULL, ledger, false,
        "charge this ledger, made by nw-ledger create; without one nothing durable is kept"),
    APP_OPTION("output", 'o', APP_FILE, "FILE", NULL, output, false, "where the figures go; default -, standard output"),
    APP_OPTION("json", '\0', APP_FLAG, NULL, NULL, is_json, false, "one JSON object instead of text"),
    APP_OPTION("estimate", '\0', APP_FLAG, NULL, NULL, is_estimate, false,
        "print the cost and the expected errors; reads no data, charges nothing"),
    APP_OPTION("rows", 'n', APP_COUNT, "N", "[1, 1e15]", rows, false, "records that --estimate assumes, in groups of one size"),
    APP_OPTION("insecure-seed", '\0', APP_COUNT, "N", "[0, 1e15]", insecure_seed, false,
        "for tests: repeatable random numbers; the result is NOT PRIVATE"),
    APP_OPTION("quiet", 'q', APP_FLAG, NULL, NULL, is_quiet, false, "no progress and no receipt on standard error"),
};

static const app_command command = {
    .operands = { "TABLE.csv" },
    .help = "Reads TABLE.csv (- is standard input; gzip is recognised) and answers the queries, each figure with its error: "
            "all are that near with 99.9 %. All answers together are private at (epsilon, delta) for one record.",
    APP_OPTIONS(options),
};

static const app_program program = {
    .name = "nw-stats",
    .summary = "figures about a table, with their errors",
    .commands = &command,
    .command_count = 1,
    .details = "Queries:\n"
               "  count()  sum(COLUMN)  mean(COLUMN)  var(COLUMN)  hist(COLUMN[, CELLS])\n"
               "  median(COLUMN)  quantile(COLUMN, RANK)  min(COLUMN)  max(COLUMN)\n"
               "  quantiles(COLUMN, N): N values that cut the records into equal parts\n"
               "  count() by TEXT  or  hist(TEXT): keys that no schema lists, with --delta\n"
               "then, if wanted: by COLUMN, and weight W for a larger share of the budget.\n"
               "COLUMN in LOW..HIGH holds values to narrower bounds than the schema's. Names\n"
               "with other characters than letters, digits and _-.<>= stand in \"quotes\".\n"
               "\n"
               "Exit: 0 done; 3 over the budget; 64 usage; 65 malformed data; 66 no input; 70\n"
               "internal; 73 cannot create the output; 74 input or output failed; 130 or 143\n"
               "interrupted. Malformed input and refusals cost nothing; after the charge the\n"
               "budget stays spent, whatever happens.\n"
               "\n"
               "Example:\n"
               "  nw-stats census.csv --schema schema.json --epsilon 1 \\\n"
               "      --query 'count() by sex' --query 'mean(pay in 0..20000) by sex'\n",
};

/* What a run owns; freed in one place. */
typedef struct job {
    const settings *settings;
    nw_reduce reduce; /* the processes that run it */
    app_share share;  /* of the table */
    nw_adjacency adjacency;
    nw_schema *schema;
    query queries[APP_MAX_TEXTS];
    figures_run *figures;
    char unit[128]; /* what is protected, in words; empty: one record */
    keys_run *keys; /* of a run that counts unknown keys, which makes no figures */
    nw_ledger *ledger;
    nw_rng *rng;
    nw_receipt receipt; /* its head is empty until the charge */
    app_progress progress;
} job;

static const char *output_of(const settings *s)
{
    return s->output == NULL ? "-" : s->output;
}

static int check_settings(const settings *s)
{
    const char *const named[] = { s->operands[0], s->schema, s->ledger };
    if (s->unit != NULL && (s->max_keys == 0 || s->max_count == 0))
        return app_fail(APP_USAGE, s->max_keys == 0 ? "--max-keys" : "--max-count", "missing, must be given with --unit");
    if (s->unit == NULL && (s->max_keys > 0 || s->max_count > 0))
        return app_fail(APP_USAGE, s->max_keys > 0 ? "--max-keys" : "--max-count", "is for --unit, must be used with it");
    if (s->is_estimate)
        return APP_OK;
    if (s->operands[0] == NULL)
        return app_fail(APP_USAGE, "TABLE.csv", "missing, must be given unless --estimate is");
    if (s->rows > 0)
        return app_fail(APP_USAGE, "--rows", "is for --estimate, must be used with it");
    const int code = app_check_seed(s->insecure_seed, s->ledger);
    return code == APP_OK ? app_check_apart("--output", s->output, named, sizeof named / sizeof *named) : code;
}

static int plan_figures(job *j)
{
    const settings *s = j->settings;
    nw_stats_opts opts = NW_STATS_OPTS_INIT;
    if (s->unit != NULL)
        return app_fail(
            APP_USAGE, "--unit", "is for counts of unknown keys, and \"%s\" is none: it protects one record", j->queries[0].text);
    opts.epsilon = s->epsilon;
    opts.delta = s->delta;
    opts.adjacency = j->adjacency;
    opts.confidence = s->confidence;
    return figures_plan(&j->figures, j->queries, s->queries.count, &opts);
}

static int plan_keys(job *j)
{
    const settings *s = j->settings;
    const char *asked = j->queries[0].text;
    keys_bounds bounds = { s->epsilon, s->delta, QUERY_NO_COLUMN, 1, 1, s->confidence };
    if (!(s->delta > 0.0))
        return app_fail(APP_USAGE, "--delta",
            "is %g, must be above 0 for \"%s\": with that probability a key of one user alone comes out", s->delta, asked);
    if (j->adjacency != NW_ADD_REMOVE)
        return app_fail(APP_USAGE, "--adjacency", "is replace-one, must be add-remove for \"%s\"", asked);
    if (s->unit != NULL) {
        bounds = (keys_bounds){ s->epsilon, s->delta, query_find_column(j->schema, s->unit), (uint32_t)s->max_keys,
            (uint32_t)s->max_count, s->confidence };
        if (bounds.unit == QUERY_NO_COLUMN || nw_schema_column(j->schema, bounds.unit).type != NW_COLUMN_TEXT)
            return app_fail(APP_USAGE, "--unit", "is \"%s\", must be a column of the schema of type text", s->unit);
        snprintf(j->unit, sizeof j->unit, "one %.80s, with all records", s->unit);
    }
    return keys_plan(&j->keys, j->queries, s->queries.count, &bounds);
}

/* Reads the schema and the queries, and plans the release. */
static int plan(job *j)
{
    nw_error err;
    const settings *s = j->settings;
    size_t of_keys = 0;
    int code = app_check_input(s->schema);
    if (code != APP_OK)
        return code;
    if (nw_schema_read(&j->schema, s->schema, FINEST_BINS, &err) != NW_OK)
        return app_fail_error(s->schema, &err);
    for (size_t i = 0; code == APP_OK && i < s->queries.count; i++) {
        code = query_parse(&j->queries[i], s->queries.items[i], j->schema);
        of_keys += code == APP_OK && j->queries[i].figure == FIGURE_KEYS;
    }
    if (code != APP_OK)
        return code;
    for (size_t i = 0; of_keys > 0 && i < s->queries.count; i++)
        if (j->queries[i].figure != FIGURE_KEYS)
            return app_fail(APP_USAGE, "--query", "\"%s\" counts no unknown keys as others do, must be asked in a run of its own",
                j->queries[i].text);
    return of_keys > 0 ? plan_keys(j) : plan_figures(j);
}

static const nw_event *event_of(const job *j)
{
    return j->keys != NULL ? keys_event(j->keys) : figures_event(j->figures);
}

static int open_ledger(job *j)
{
    const settings *s = j->settings;
    const app_release release = { .ledger = s->ledger,
        .epsilon = s->epsilon,
        .delta = s->delta,
        .adjacency = j->adjacency,
        .event = event_of(j),
        .filter = j->keys != NULL ? NW_FILTER_PURE : NW_FILTER_AUTO,
        .unit = j->unit[0] == '\0' ? NULL : j->unit };
    return app_open_ledger(&j->ledger, &release);
}

static int read_table(job *j)
{
    uint64_t rows = 0;
    const int code = j->keys != NULL ? keys_feed(j->keys, j->schema, &j->share, j->reduce.rank, &j->progress, &rows)
                                     : figures_feed(j->figures, j->schema, &j->share, &j->progress, &rows);
    return code == APP_OK ? app_check_records(&j->reduce, &j->share, j->settings->operands[0], rows) : code;
}

/* What all processes read, in process 0. */
static int sum_up(job *j)
{
    nw_error err;
    const nw_status status =
        j->keys != NULL ? keys_reduce(j->keys, &j->reduce, &err) : figures_reduce(j->figures, &j->reduce, &err);
    return status == NW_OK ? APP_OK : app_fail_error("options", &err);
}

/* Charges and draws. From the charge on a signal comes too late. */
static int release(job *j)
{
    nw_error err;
    const settings *s = j->settings;
    nw_status status = app_new_rng(&j->rng, s->insecure_seed, &err);
    app_signals_defer(true);
    if (status == NW_OK)
        status = j->keys != NULL ? keys_release(j->keys, j->rng, j->ledger, &j->receipt, &err)
                                 : figures_release(j->figures, j->rng, j->ledger, &j->receipt, &err);
    if (status == NW_OK)
        return APP_OK;
    const int code = app_fail_error(s->ledger == NULL ? "run" : s->ledger, &err);
    if (j->receipt.head[0] != '\0')
        app_note("the budget was spent and stays spent; nothing was released");
    return code;
}

/* ---- output ---- */

static char *json_text(const job *j)
{
    const settings *s = j->settings;
    json_t *object = json_object();
    app_json_put(&object, "epsilon", app_json_real(s->epsilon));
    app_json_put(&object, "delta", app_json_real(s->delta));
    app_json_put(&object, "adjacency", json_string(nw_adjacency_name(j->adjacency)));
    app_json_put(&object, "confidence", app_json_real(s->confidence));
    app_json_put(&object, "insecure", json_boolean(app_is_insecure(s->insecure_seed)));
    app_json_put(&object, "library", json_string(nw_version()));
    app_json_put(
        &object, "queries", j->keys != NULL ? keys_json(j->keys, j->schema) : figures_json(j->figures, j->schema, s->rows));
    if (s->is_estimate) {
        app_json_put(&object, "estimate", json_true());
        app_json_put(&object, "rows", s->rows > 0 ? json_integer((json_int_t)s->rows) : json_null());
        app_json_put(&object, "event", app_event_json(event_of(j)));
    } else {
        app_json_put(&object, "receipt", app_receipt_json(&j->receipt));
    }
    return app_json_dump(object, 0);
}

static char *plain_text(const job *j)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL)
        return NULL;
    const bool is_whole =
        j->keys != NULL ? keys_text(stream, j->keys, j->schema) : figures_text(stream, j->figures, j->schema, j->settings->rows);
    if (fclose(stream) == 0 && is_whole)
        return text;
    free(text);
    return NULL;
}

static int write_figures(const job *j)
{
    const settings *s = j->settings;
    char *text = s->is_json ? json_text(j) : plain_text(j);
    const int code = text == NULL ? app_fail(APP_INTERNAL, NULL, "out of memory") : app_write_text(output_of(s), text);
    free(text);
    if (code != APP_OK && !s->is_estimate)
        app_note("the budget was spent and stays spent; %s",
            app_is_stream(output_of(s)) ? "the output is not whole" : "nothing was written");
    return code;
}

static int answer(job *j)
{
    const settings *s = j->settings;
    const bool is_first = j->reduce.rank == 0;
    int code = app_share_of(&j->share, &j->reduce, s->operands[0]);
    if (code == APP_OK)
        code = app_check_input(j->share.path);
    if (code == APP_OK)
        code = plan(j);
    if (code == APP_OK && is_first)
        code = app_check_output(output_of(s));
    if (code == APP_OK && is_first)
        code = open_ledger(j);
    code = app_agree(&j->reduce, code);
    if (code == APP_OK)
        code = app_agree(&j->reduce, read_table(j));
    if (code == APP_OK)
        code = sum_up(j);
    if (code != APP_OK || !is_first)
        return code;
    code = release(j);
    if (code == APP_OK)
        code = write_figures(j);
    if (code == APP_OK)
        app_note_seed(s->insecure_seed);
    if (code == APP_OK && !s->is_quiet && !s->is_json)
        app_receipt_print(stderr, &j->receipt, s->ledger);
    return code;
}

static int estimate(job *j)
{
    int code = app_check_alone(&j->reduce, "--estimate");
    if (code == APP_OK)
        code = plan(j);
    return code == APP_OK ? write_figures(j) : code;
}

static void free_job(job *j)
{
    app_share_free(&j->share);
    nw_rng_free(j->rng);
    nw_ledger_close(j->ledger);
    figures_free(j->figures);
    keys_free(j->keys);
    nw_schema_free(j->schema);
}

int main(int argc, char **argv)
{
    static settings s = { .insecure_seed = APP_NO_SEED, .confidence = NW_STATS_CONFIDENCE };
    static job j;
    const app_command *chosen;
    nw_error err;
    int code;
    if (app_processes_open(&j.reduce, &err) != NW_OK)
        return app_fail_error("mpi", &err);
    if (!app_parse(&program, argc, argv, &s, &chosen, &code))
        return app_finish(&j.reduce, code);
    j.settings = &s;
    j.adjacency = adjacencies[s.adjacency];
    app_signals_install();
    app_progress_start(&j.progress, s.is_quiet || j.reduce.rank > 0);
    code = check_settings(&s);
    if (code == APP_OK)
        code = s.is_estimate ? estimate(&j) : answer(&j);
    app_progress_end(&j.progress);
    free_job(&j);
    return app_finish(&j.reduce, code);
}
