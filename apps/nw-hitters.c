/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* nw-hitters - the most frequent items of users who send only randomised reports: the commands and their options. What they do is
 * in hitters/. */
#include "common/exit.h"
#include "common/processes.h"
#include "common/signals.h"
#include "hitters/settings.h"

#define PROTOCOL_OPTION(choices)                                                                                                 \
    APP_OPTION("protocol", 'p', APP_CHOICE, NULL, choices, protocol, false,                                                      \
        "who searches: all parties together (pooled, the default), one server as published (pem), each party alone (fedpem), "   \
        "first together and then alone (shared)")
#define ENCODING_OPTION                                                                                                          \
    APP_OPTION("encoding", '\0', APP_CHOICE, NULL, "u64|letters5|utf8|hash", encoding, false,                                    \
        "how an item becomes bits: a whole number, letters of 5 bits, bytes, or a hash; default u64")
#define TOP_OPTION APP_OPTION("top", 'k', APP_COUNT, "K", "[1, 4096]", top, true, "how many items are wanted")
#define LEVELS_OPTION                                                                                                            \
    APP_OPTION("levels", '\0', APP_TEXT, "L1,L2,...", NULL, levels, false,                                                       \
        "length of each level's prefix in bits, the last that of an item; default: what suits protocol and encoding")
#define STEP_OPTION APP_OPTION("step", '\0', APP_COUNT, "N", "[1, 22]", step, false, "bits that a level adds, without --levels")
#define KEEP_OPTION                                                                                                              \
    APP_OPTION("keep", '\0', APP_COUNT, "N", "[1, 65536]", keep, false, "prefixes that go on, at most; default 12 K, of pem K")
#define SHARED_OPTION                                                                                                            \
    APP_OPTION("shared", '\0', APP_COUNT, "N", "[0, 31]", shared, false, "shared: levels that are searched together; default 0")
#define THRESHOLD_OPTION                                                                                                         \
    APP_OPTION("threshold", '\0', APP_REAL, "Z", "[0, 10]", threshold, false,                                                    \
        "prefixes go on from so many standard deviations above 0; default 1.5, of pem 0")
#define ADAPTIVE_OPTION                                                                                                          \
    APP_OPTION("adaptive", '\0', APP_FLAG, NULL, NULL, is_adaptive, false,                                                       \
        "beyond K prefixes only those that stand out from a party's own noise go on")
#define PRUNING_OPTION                                                                                                           \
    APP_OPTION("prune", '\0', APP_FLAG, NULL, NULL, is_pruning, false,                                                           \
        "shared: parties judge prefixes by what larger ones estimated, too")
#define PUBLIC_OPTION                                                                                                            \
    APP_OPTION("public-coin", '\0', APP_FLAG, NULL, NULL, is_public_coin, false,                                                 \
        "level and seed of a user follow from a pseudonym, so that a user who lies cannot choose them")
#define SEED_BITS_OPTION                                                                                                         \
    APP_OPTION("seed-bits", '\0', APP_COUNT, "N", "[8, 32]", seed_bits, false,                                                   \
        "of a report's hash; up to 20 an aggregate has a fixed size; default 32")
#define CAMPAIGN_OPTION                                                                                                          \
    APP_OPTION("campaign", 'c', APP_FILE, "FILE", NULL, campaign, true, "what all agree on, as nw-hitters params wrote it")
#define OUTPUT_OPTION(is_required, text) APP_OPTION("output", 'o', APP_FILE, "FILE", NULL, output, is_required, text)
#define JSON_OPTION APP_OPTION("json", '\0', APP_FLAG, NULL, NULL, is_json, false, "one JSON object instead of text")
#define QUIET_OPTION                                                                                                             \
    APP_OPTION("quiet", 'q', APP_FLAG, NULL, NULL, is_quiet, false, "no progress and no remarks on standard error")

static const app_option simulate_options[] = {
    APP_OPTION("items", 'i', APP_FILE, "FILE.tsv", NULL, items, false,
        "users to simulate: lines of a party, an item and a count, with tabs between; gzip is recognised"),
    APP_OPTION("columns", '\0', APP_TEXT, "NAMES", NULL, columns, false,
        "the columns of --items: party,item,count in its order, or its header's names for them; default party,item,count"),
    APP_OPTION("generate", 'g', APP_TEXT, "LAW", NULL, generate, false,
        "users drawn from a law instead: zipf:users=N,items=N,s=S,bits=N[,parties=N]"),
    APP_OPTION("epsilon", 'e', APP_TEXT, "E", NULL, epsilon, true,
        "privacy loss of a user's report; several, with commas between, are run one after the other"),
    APP_OPTION("delta", 'd', APP_REAL, "D", "[1e-30, 0.5)", delta, false,
        "central: an item that one user alone holds comes out with that probability"),
    TOP_OPTION,
    APP_OPTION("bits", 'b', APP_COUNT, "N", "[1, 128]", bits, false, "bits of an item; required with --items"),
    ENCODING_OPTION,
    APP_OPTION("protocol", 'p', APP_CHOICE, NULL, "pooled|pem|fedpem|shared|central", protocol, false,
        "who searches: all parties together (pooled, the default), one server as published (pem), each party alone (fedpem), "
        "first together and then alone (shared); or a curator who holds all items (central)"),
    LEVELS_OPTION,
    STEP_OPTION,
    KEEP_OPTION,
    SHARED_OPTION,
    THRESHOLD_OPTION,
    ADAPTIVE_OPTION,
    PRUNING_OPTION,
    PUBLIC_OPTION,
    SEED_BITS_OPTION,
    APP_OPTION("runs", 'r', APP_COUNT, "R", "[1, 100000]", runs, false, "simulations, of which means are told; default 1"),
    APP_OPTION("exact", '\0', APP_FLAG, NULL, NULL, is_exact, false, "every user makes a report: the default"),
    APP_OPTION("fast", '\0', APP_FLAG, NULL, NULL, is_fast, false,
        "draw what the server would count, without making reports: sooner where users are many"),
    APP_OPTION("seed-insecure", '\0', APP_COUNT, "N", "[0, 1e15]", insecure_seed, false, "the same numbers each time"),
    APP_OPTION("threads", 't', APP_COUNT, "N", "[1, 4096]", threads, false, "threads; the result does not depend on them"),
    APP_OPTION("picture", '\0', APP_FILE, "FILE.svg", NULL, picture, false,
        "also draw estimated against true counts, and F1 against epsilon"),
    OUTPUT_OPTION(false, "where the answer goes; default -, standard output"),
    JSON_OPTION,
    QUIET_OPTION,
};

static const app_option params_options[] = {
    APP_OPTION("epsilon", 'e', APP_TEXT, "E", NULL, epsilon, true, "privacy loss of a user's report, in [0.0009765625, 16]"),
    TOP_OPTION,
    APP_OPTION("bits", 'b', APP_COUNT, "N", "[1, 128]", bits, true, "bits of an item"),
    ENCODING_OPTION,
    PROTOCOL_OPTION("pooled|pem|fedpem|shared"),
    APP_OPTION("parties", '\0', APP_COUNT, "N", "[1, 65536]", parties, false, "how many there are; default 1"),
    LEVELS_OPTION,
    STEP_OPTION,
    KEEP_OPTION,
    SHARED_OPTION,
    THRESHOLD_OPTION,
    ADAPTIVE_OPTION,
    PRUNING_OPTION,
    PUBLIC_OPTION,
    SEED_BITS_OPTION,
    APP_OPTION("id", '\0', APP_TEXT, "HEX", NULL, id, false,
        "32 hexadecimal digits that tell this campaign from others of the same options"),
    OUTPUT_OPTION(true, "the campaign, in JSON; - is standard output"),
    QUIET_OPTION,
};

static const app_option report_options[] = {
    CAMPAIGN_OPTION,
    APP_OPTION("insecure-seed", '\0', APP_COUNT, "N", "[0, 1e15]", insecure_seed, false,
        "for tests: repeatable random numbers; the reports are NOT PRIVATE"),
    OUTPUT_OPTION(true, "the reports, one after the other; - is standard output"),
    QUIET_OPTION,
};

static const app_option aggregate_options[] = {
    CAMPAIGN_OPTION,
    OUTPUT_OPTION(true, "the aggregate"),
    JSON_OPTION,
    QUIET_OPTION,
};

static const app_option merge_options[] = {
    OUTPUT_OPTION(true, "the merged aggregate, which may replace one of the others"),
    QUIET_OPTION,
};

static const app_option step_options[] = {
    CAMPAIGN_OPTION,
    APP_OPTION("state", 's', APP_FILE, "FILE", NULL, state, false, "where the search stands; without it, it begins"),
    APP_OPTION("aggregate", 'a', APP_TEXTS, "FILE", NULL, aggregates, true,
        "one for each party, in the same order each time; or one that all were merged into, where all search together"),
    OUTPUT_OPTION(true, "where the search stands then; may replace --state"),
    QUIET_OPTION,
};

static const app_option estimate_options[] = {
    CAMPAIGN_OPTION,
    APP_OPTION("state", 's', APP_FILE, "FILE", NULL, state, true, "where the search stands: after the last level"),
    APP_OPTION(
        "dictionary", '\0', APP_FILE, "FILE", NULL, dictionary, false, "encoding hash: texts, one a line, to be found again"),
    OUTPUT_OPTION(false, "where the answer goes; default -, standard output"),
    JSON_OPTION,
    QUIET_OPTION,
};

static const app_command commands[] = {
    {
        .name = "simulate",
        .help = "runs a whole collection on users from a file or a law, and tells how good its answer is: F1, NCR, bytes, time. "
                "The items are known to it, so what it prints protects nobody",
        APP_OPTIONS(simulate_options),
    },
    {
        .name = "params",
        .help = "writes a campaign: what devices and servers have to agree on",
        APP_OPTIONS(params_options),
    },
    {
        .name = "report",
        .operands = { "ITEMS" },
        .required_operands = 1,
        .help = "makes the report of each user whose item is a line of ITEMS (- is standard input); with a public coin a line is "
                "a pseudonym, a tab, and the item",
        APP_OPTIONS(report_options),
    },
    {
        .name = "aggregate",
        .operands = { "R1", "R..." },
        .required_operands = 1,
        .list = offsetof(settings, files),
        .help = "counts the reports of one party; what does not fit the campaign is counted by reason and left out",
        APP_OPTIONS(aggregate_options),
    },
    {
        .name = "merge",
        .operands = { "A1", "A2", "A..." },
        .required_operands = 2,
        .list = offsetof(settings, files),
        .help = "adds up aggregates of the same campaign",
        APP_OPTIONS(merge_options),
    },
    {
        .name = "step",
        .help = "closes one level of the search: which prefixes go on",
        APP_OPTIONS(step_options),
    },
    {
        .name = "estimate",
        .help = "tells what was found, once all levels are closed",
        APP_OPTIONS(estimate_options),
    },
};

static const app_program program = {
    .name = "nw-hitters",
    .summary = "the most frequent items of users who send only randomised reports",
    .commands = commands,
    .command_count = sizeof commands / sizeof *commands,
    .details = "Exit: 0 done; 3 over the budget; 64 usage; 65 malformed data; 66 no input; 70\n"
               "internal; 73 cannot create the output; 74 input or output failed; 130 or 143\n"
               "interrupted.\n"
               "\n"
               "Examples:\n"
               "  nw-hitters simulate --generate zipf:users=1000000,items=100000,s=1.1,bits=48 \\\n"
               "      --epsilon 1,2,4 --top 10 --runs 10 --fast --picture f1.svg\n"
               "  nw-hitters params --epsilon 2 --top 10 --bits 60 --encoding letters5 -o c.json\n"
               "  nw-hitters report names.txt --campaign c.json -o names.reports\n",
};

int main(int argc, char **argv)
{
    /* in the order of `commands` */
    static int (*const run[])(const settings *) = { hitters_simulate, hitters_params, hitters_report, hitters_aggregate,
        hitters_merge, hitters_step, hitters_estimate };
    static settings s = {
        .insecure_seed = APP_NO_SEED, .threshold = -1.0, .runs = 1, .columns = "party,item,count", .parties = 1
    };
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
    code = command == commands ? APP_OK : app_check_alone(&reduce, command->name);
    if (code == APP_OK)
        code = run[command - commands](&s);
    return app_finish(&reduce, code);
}
