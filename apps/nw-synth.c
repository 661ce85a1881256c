/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* nw-synth - a private synthetic table from a real one: the commands and their options. What they do is in synth/. */
#include "common/exit.h"
#include "common/processes.h"
#include "common/signals.h"
#include "synth/settings.h"

#include <math.h>

#define SCHEMA_OPTION APP_OPTION("schema", 's', APP_FILE, "FILE", NULL, schema, true, "the columns and their domains, in JSON")
#define CONSTRAINTS_OPTION                                                                                                       \
    APP_OPTION("constraints", 'c', APP_FILE, "FILE", NULL, constraints, false, "rules that every row keeps, in JSON")
#define EPSILON_OPTION APP_OPTION("epsilon", 'e', APP_REAL, "E", "(0, 64]", epsilon, true, "privacy loss of this release")
#define DELTA_OPTION APP_OPTION("delta", 'd', APP_REAL, "D", "(0, 1)", delta, true, "probability left outside of epsilon")
#define ADJACENCY_OPTION                                                                                                         \
    APP_OPTION("adjacency", 'a', APP_CHOICE, NULL, "add-remove|replace-one", adjacency, false,                                   \
        "which two tables are neighbours; default add-remove")
#define LEDGER_OPTION                                                                                                            \
    APP_OPTION("ledger", 'l', APP_FILE, "FILE", NULL, ledger, false,                                                             \
        "charge this ledger, made by nw-ledger create; without one nothing durable is kept")
#define ENGINE_OPTION                                                                                                            \
    APP_OPTION("engine", '\0', APP_CHOICE, NULL, "gibbs|genetic", engine, false, "how the table is fitted; default gibbs")
#define MANIFEST_OPTION                                                                                                          \
    APP_OPTION(                                                                                                                  \
        "manifest", 'm', APP_FILE, "FILE", NULL, manifest, false, "also write what was measured, with how much noise, in JSON")
#define JSON_OPTION APP_OPTION("json", '\0', APP_FLAG, NULL, NULL, is_json, false, "print one JSON object on standard output")
#define THREADS_OPTION                                                                                                           \
    APP_OPTION("threads", 't', APP_COUNT, "N", "[1, 4096]", threads, false, "threads; the result does not depend on them")
#define CHAINS_OPTION                                                                                                            \
    APP_OPTION("chains", '\0', APP_COUNT, "N", "[1, 1024]", chains, false, "independent parts of the table, fitted side by side")
#define SWEEPS_OPTION APP_OPTION("sweeps", '\0', APP_COUNT, "N", "[1, 100000]", sweeps, false, "gibbs: passes over the table")
#define BINS_OPTION                                                                                                              \
    APP_OPTION("bins", '\0', APP_COUNT, "N", "[1, 65534]", bins, false,                                                          \
        "most values of a numeric or date column that are told apart; default 65534")
#define INSECURE_OPTION                                                                                                          \
    APP_OPTION("insecure-seed", '\0', APP_COUNT, "N", "[0, 1e15]", insecure_seed, false,                                         \
        "for tests: repeatable random numbers; the result is NOT PRIVATE")
#define QUIET_OPTION                                                                                                             \
    APP_OPTION("quiet", 'q', APP_FLAG, NULL, NULL, is_quiet, false, "no progress and no receipt on standard error")
#define SELECT_OPTION                                                                                                            \
    APP_OPTION("select", '\0', APP_CHOICE, NULL, "auto|all|adaptive", select, false,                                             \
        "all: every 2-way marginal; adaptive: in rounds the 2-way and 3-way ones that a fitted table misses most; default "      \
        "auto: "                                                                                                                 \
        "all, and where there is much noise the columns by themselves once more")
#define REPORT_OPTION                                                                                                            \
    APP_OPTION("report", '\0', APP_FILE, "FILE", NULL, report, false,                                                            \
        "also write a web page: what is protected, how near the table is to what was measured, what it is good for")
#define COMPARE_OPTION                                                                                                           \
    APP_OPTION("unsafe-compare", '\0', APP_FILE, "REAL.csv", NULL, unsafe_compare, false,                                        \
        "put true distances from this real table into the report, which then is NOT PRIVATE")
#define MEASUREMENTS_OPTION(is_required, text)                                                                                   \
    APP_OPTION("measurements", '\0', APP_FILE, "FILE", NULL, measurements, is_required, text)

#define UNIT_OPTIONS                                                                                                             \
    APP_OPTION("unit", 'u', APP_TEXT, "COLUMN", NULL, unit, false,                                                               \
        "protect together all rows with the same value of this column, which is not released; default: a record is protected"),  \
        APP_OPTION("max-rows-per-unit", '\0', APP_COUNT, "K", "[1, 1048576]", rows_per_unit, false,                              \
            "of each unit use the first K rows; the noise grows with K; default 1")

static const app_option table_options[] = {
    APP_OPTION("schema", 's', APP_FILE, "FILE", NULL, schema, false,
        "the columns and their domains, in JSON; required unless --infer-schema"),
    EPSILON_OPTION,
    DELTA_OPTION,
    APP_OPTION("output", 'o', APP_FILE, "FILE", NULL, output, false,
        "the synthetic table; - is standard output, a name in .gz is compressed; required unless --estimate"),
    LEDGER_OPTION,
    ADJACENCY_OPTION,
    APP_OPTION("rows", 'n', APP_COUNT, "N", "[1, 4294967295]", rows, false,
        "rows of the synthetic table, or assumed by --estimate; default: as many as the table has, as far as that is known"),
    REPORT_OPTION,
    MANIFEST_OPTION,
    MEASUREMENTS_OPTION(false, "also write the noisy marginals, from which nw-synth fit makes more tables at no cost"),
    APP_OPTION("estimate", '\0', APP_FLAG, NULL, NULL, is_estimate, false,
        "print the cost and the predicted error; reads no data, charges nothing, writes nothing"),
    APP_OPTION("infer-schema", '\0', APP_FLAG, NULL, NULL, is_inferring, false,
        "find the columns' types, bounds and values with noise first: part of the budget, under the same ledger"),
    APP_OPTION("infer-share", '\0', APP_REAL, "S", "(0, 1)", infer_share, false,
        "part of the budget (of mu^2) for --infer-schema; default 0.1"),
    CONSTRAINTS_OPTION,
    UNIT_OPTIONS,
    BINS_OPTION,
    SELECT_OPTION,
    APP_OPTION("queries", '\0', APP_CHOICE, NULL, "cat|cat+num|prefix|halfspace|conjunction", family, false,
        "what is measured besides marginals: ranges of numeric columns, random prefixes, half-spaces or conjunctions; default "
        "cat: nothing"),
    APP_OPTION("query-count", '\0', APP_COUNT, "N", "[1, 1000000]", query_count, false,
        "how many prefixes, half-spaces or conjunctions are drawn; default 1000"),
    APP_OPTION("query-seed", '\0', APP_COUNT, "N", "[0, 1e15]", query_seed, false,
        "public seed that they are drawn from, whatever the table; default 0"),
    APP_OPTION("query-share", '\0', APP_REAL, "R", "(0, 1)", query_share, false, "of the budget, for queries; default 0.5"),
    APP_OPTION("rounds", '\0', APP_COUNT, "K", "[1, 10000]", rounds, false,
        "measure queries in rounds, where a table fitted so far is most wrong; with cat among 3-way marginals"),
    APP_OPTION("per-round", '\0', APP_COUNT, "S", "[1, 1000000]", per_round, false, "queries chosen in a round; default 1"),
    APP_OPTION("preset", '\0', APP_CHOICE, NULL, "none|private-gsd-2023", preset, false,
        "a published method: engine, rows and shares are its own unless given; default none"),
    ENGINE_OPTION,
    CHAINS_OPTION,
    SWEEPS_OPTION,
    THREADS_OPTION,
    JSON_OPTION,
    COMPARE_OPTION,
    INSECURE_OPTION,
    QUIET_OPTION,
};

static const app_option fit_options[] = {
    MEASUREMENTS_OPTION(true, "what an earlier run measured"),
    APP_OPTION("output", 'o', APP_FILE, "FILE", NULL, output, true, "the synthetic table, as in a release"),
    APP_OPTION("rows", 'n', APP_COUNT, "N", "[1, 4294967295]", rows, false,
        "rows of the synthetic table; default: as many as the table has, as far as that is known"),
    ENGINE_OPTION,
    MANIFEST_OPTION,
    REPORT_OPTION,
    COMPARE_OPTION,
    JSON_OPTION,
    APP_OPTION("seed", '\0', APP_COUNT, "N", "[0, 1e15]", seed, false,
        "repeatable random numbers: what was measured is public already, so this costs no privacy"),
    THREADS_OPTION,
    CHAINS_OPTION,
    SWEEPS_OPTION,
    QUIET_OPTION,
};

static const app_option measure_options[] = {
    SCHEMA_OPTION,
    CONSTRAINTS_OPTION,
    EPSILON_OPTION,
    DELTA_OPTION,
    APP_OPTION("partial", 'p', APP_FILE, "FILE", NULL, partial, true, "where the exact counts go: as SECRET as the table"),
    ADJACENCY_OPTION,
    UNIT_OPTIONS,
    APP_OPTION("parts", '\0', APP_COUNT, "P", "[1, 1048576]", parts, false,
        "at most so many partials will be merged, and a unit may have rows in each: the noise is for K * P rows; default 1"),
    APP_OPTION("promise-units-apart", '\0', APP_FLAG, NULL, NULL, are_units_apart, false,
        "you promise that all rows of a unit are in one partial: the noise is for K rows, whatever the number of partials. merge "
        "refuses partials that have a unit in common; privacy is lost if the promise is broken where merge cannot see it"),
    THREADS_OPTION,
    BINS_OPTION,
    SELECT_OPTION,
    QUIET_OPTION,
};

static const app_option merge_options[] = {
    APP_OPTION("output", 'o', APP_FILE, "FILE", NULL, output, true, "the merged partial, which may replace one of the others"),
    QUIET_OPTION,
};

static const app_option release_options[] = {
    EPSILON_OPTION,
    DELTA_OPTION,
    MEASUREMENTS_OPTION(true, "where the noisy marginals go, for nw-synth fit"),
    LEDGER_OPTION,
    MANIFEST_OPTION,
    THREADS_OPTION,
    INSECURE_OPTION,
    QUIET_OPTION,
};

static const app_option score_options[] = {
    SCHEMA_OPTION,
    APP_OPTION("constraints", 'c', APP_FILE, "FILE", NULL, constraints, false, "rules: how many rows break one"),
    APP_OPTION("bins", '\0', APP_COUNT, "N", "[2, 1000]", bins, false,
        "numeric columns are cut at the real table's N-quantiles for the marginals; default 20"),
    APP_OPTION(
        "query-count", '\0', APP_COUNT, "N", "[1, 1000000]", query_count, false, "random queries of each family; default 2000"),
    APP_OPTION("target", '\0', APP_TEXT, "COLUMN", NULL, target, false,
        "train a logistic regression of this column on each table and test it; needs --test"),
    APP_OPTION("positive", '\0', APP_TEXT, "VALUE", NULL, positive, false,
        "the value of the target that is told from the rest; default: of two values the rarer"),
    APP_OPTION("test", '\0', APP_FILE, "TEST.csv", NULL, test, false, "real records, apart from REAL.csv, to test it on"),
    APP_OPTION("references", '\0', APP_FLAG, NULL, NULL, has_references, false,
        "also score real rows drawn with replacement, and the real columns, each permuted"),
    JSON_OPTION,
    APP_OPTION("quiet", 'q', APP_FLAG, NULL, NULL, is_quiet, false, "no progress on standard error"),
};

static const app_option infer_options[] = {
    APP_OPTION("epsilon", 'e', APP_REAL, "E", "(0, 64]", epsilon, true, "privacy loss of the schema"),
    APP_OPTION("delta", 'd', APP_REAL, "D", "(0, 1)", delta, true, "probability left outside of epsilon"),
    APP_OPTION("output", 'o', APP_FILE, "FILE", NULL, output, true, "the schema, in JSON; - is standard output"),
    APP_OPTION("ledger", 'l', APP_FILE, "FILE", NULL, ledger, false,
        "charge this ledger, made by nw-ledger create; without one nothing durable is kept"),
    APP_OPTION("insecure-seed", '\0', APP_COUNT, "N", "[0, 1e15]", insecure_seed, false,
        "for tests: repeatable random numbers; the result is NOT PRIVATE"),
    APP_OPTION("json", '\0', APP_FLAG, NULL, NULL, is_json, false, "print one JSON object on standard output, receipts and all"),
    APP_OPTION("quiet", 'q', APP_FLAG, NULL, NULL, is_quiet, false, "no progress and no receipts on standard error"),
};

static const app_command commands[] = {
    {
        .operands = { "TABLE.csv" },
        .help = "Reads TABLE.csv (- is standard input; gzip is recognised), measures its 1-way and 2-way marginals with noise, "
                "and writes a table of the same columns that agrees with them. What is written is private at (epsilon, delta) "
                "for one record.",
        APP_OPTIONS(table_options),
    },
    {
        .name = "fit",
        .help = "makes a table from measurements that a release wrote; costs no budget, however often",
        APP_OPTIONS(fit_options),
    },
    {
        .name = "measure",
        .operands = { "TABLE.csv" },
        .required_operands = 1,
        .help = "counts one part of a table that lies in several files or on several machines; charges and releases nothing",
        APP_OPTIONS(measure_options),
    },
    {
        .name = "merge",
        .operands = { "P1", "P2", "P..." },
        .required_operands = 2,
        .list = offsetof(settings, partials),
        .help = "adds up the counts of any number of partials of the same schema and options, one after the other",
        APP_OPTIONS(merge_options),
    },
    {
        .name = "release",
        .operands = { "P" },
        .required_operands = 1,
        .help = "charges the budget and adds the noise, once, to a partial that all others were merged into; epsilon and delta "
                "must be those that the parts were measured for",
        APP_OPTIONS(release_options),
    },
    {
        .name = "score",
        .operands = { "REAL.csv", "SYNTH.csv" },
        .required_operands = 2,
        .help = "compares SYNTH.csv with the real table, for people who hold it. What it prints is NOT PRIVATE and spends no "
                "budget: publish nothing of it",
        APP_OPTIONS(score_options),
    },
    {
        .name = "infer-schema",
        .operands = { "TABLE.csv" },
        .required_operands = 1,
        .help = "writes a schema of TABLE.csv, to be looked at and corrected. Of the file only the columns' names are taken as "
                "they are; types, bounds and values come from noisy counts and are private at (epsilon, delta)",
        APP_OPTIONS(infer_options),
    },
};

static const app_program program = {
    .name = "nw-synth",
    .summary = "a private synthetic table from a real one",
    .commands = commands,
    .command_count = sizeof commands / sizeof *commands,
    .details = "Exit: 0 done; 3 over the budget; 64 usage; 65 malformed data; 66 no input; 70\n"
               "internal; 73 cannot create the output; 74 input or output failed; 130 or 143\n"
               "interrupted. Malformed input and refusals cost nothing; after the charge the\n"
               "budget stays spent, whatever happens.\n"
               "\n"
               "A first table, without a schema; epsilon 1 is a usual loss, delta is far less\n"
               "than one over the number of records:\n"
               "  nw-synth table.csv --infer-schema --epsilon 1 --delta 1e-9 \\\n"
               "      -o synthetic.csv --report synthetic.html\n"
               "With a schema, and a ledger that adds up all releases of the table:\n"
               "  nw-ledger create census.nwl --epsilon 4 --delta 1e-9 --adjacency add-remove\n"
               "  nw-synth census.csv --schema schema.json --epsilon 1 --delta 1e-9 \\\n"
               "      --ledger census.nwl -o synthetic.csv\n",
};

int main(int argc, char **argv)
{
    /* in the order of `commands` */
    static int (*const run[])(
        const settings *) = { synth_table, synth_fit, synth_measure, synth_merge, synth_release, synth_score, synth_infer };
    settings s = { .insecure_seed = APP_NO_SEED, .seed = APP_NO_SEED, .query_share = NAN };
    const app_command *command;
    nw_reduce reduce;
    nw_error err;
    int code;
    if (app_processes_open(&reduce, &err) != NW_OK)
        return app_fail_error("mpi", &err);
    s.reduce = &reduce;
    if (!app_parse(&program, argc, argv, &s, &command, &code))
        return app_finish(&reduce, code);
    app_signals_install();
    const bool has_parts = run[command - commands] == synth_table || run[command - commands] == synth_measure;
    code = has_parts ? APP_OK : app_check_alone(&reduce, command->name);
    if (code == APP_OK)
        code = run[command - commands](&s);
    return app_finish(&reduce, code);
}
