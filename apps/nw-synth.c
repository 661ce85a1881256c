/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* nw-synth - a private synthetic table from a real one: the commands and their options. What they do is in synth/. */
#include "common/signals.h"
#include "synth/settings.h"

#include <math.h>

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
    APP_OPTION("queries", '\0', APP_CHOICE, NULL, "cat|cat+num|prefix|halfspace", family, false,
        "what is measured besides marginals: ranges of numeric columns, random prefixes, random half-spaces; default cat: "
        "nothing"),
    APP_OPTION("query-count", '\0', APP_COUNT, "N", "[1, 1000000]", query_count, false,
        "how many prefixes or half-spaces are drawn; default 1000"),
    APP_OPTION("query-seed", '\0', APP_COUNT, "N", "[0, 1e15]", query_seed, false,
        "public seed that they are drawn from, whatever the table; default 0"),
    APP_OPTION("query-share", '\0', APP_REAL, "R", "(0, 1)", query_share, false, "of the budget, for queries; default 0.5"),
    APP_OPTION("rounds", '\0', APP_COUNT, "K", "[1, 10000]", rounds, false,
        "measure queries in rounds, where a table fitted so far is most wrong; with cat among 3-way marginals"),
    APP_OPTION("per-round", '\0', APP_COUNT, "S", "[1, 1000000]", per_round, false, "queries chosen in a round; default 1"),
    APP_OPTION("preset", '\0', APP_CHOICE, NULL, "none|private-gsd-2023", preset, false,
        "a published method: engine, rows and shares are its own unless given; default none"),
    APP_OPTION("chains", '\0', APP_COUNT, "N", "[1, 1024]", chains, false, "independent parts of the table, fitted side by side"),
    APP_OPTION("sweeps", '\0', APP_COUNT, "N", "[1, 100000]", sweeps, false, "gibbs: passes over the table"),
    APP_OPTION("bins", '\0', APP_COUNT, "N", "[1, 65534]", bins, false,
        "most values of a numeric or date column that are told apart; default 65534"),
    APP_OPTION("insecure-seed", '\0', APP_COUNT, "N", "[0, 1e15]", insecure_seed, false,
        "for tests: repeatable random numbers; the result is NOT PRIVATE"),
    APP_OPTION("quiet", 'q', APP_FLAG, NULL, NULL, is_quiet, false, "no progress and no receipt on standard error"),
};

static const app_command commands[] = {
    {
        .operands = { "TABLE.csv" },
        .help =
            "Reads TABLE.csv (- is standard input; gzip is recognised), measures its 1-way and 2-way marginals with noise, and "
            "writes a table of the same columns that agrees with them. What is written is private at (epsilon, delta) for one "
            "record.",
        APP_OPTIONS(options),
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
               "Example:\n"
               "  nw-ledger create census.nwl --epsilon 4 --delta 1e-9 --adjacency add-remove\n"
               "  nw-synth census.csv --schema schema.json --epsilon 1 --delta 1e-9 \\\n"
               "      --ledger census.nwl -o synthetic.csv\n",
};

int main(int argc, char **argv)
{
    /* in the order of `commands` */
    static int (*const run[])(const settings *) = { synth_release };
    settings s = { .insecure_seed = APP_NO_SEED, .query_share = NAN };
    const app_command *command;
    int code;
    if (!app_parse(&program, argc, argv, &s, &command, &code))
        return code;
    app_signals_install();
    return run[command - commands](&s);
}
