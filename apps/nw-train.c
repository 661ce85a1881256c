/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* nw-train - private training of a model, its evaluation, its predictions. */
#include "common/exit.h"
#include "common/processes.h"
#include "common/tune.h"
#include "common/seed.h"
#include "common/signals.h"
#include "train/judge.h"
#include "train/run.h"

enum { NO_CHOICE = 99, MEMORY_MIB = 256 };

static const app_option train_options[] = {
    APP_OPTION("data", 'd', APP_FILE, "PATH", NULL, data, true,
        "what to train on: a table (gzip is recognised), or with --format idx the folder of its files"),
    APP_OPTION("format", 'f', APP_CHOICE, NULL, "idx|csv|text", format, true, "of --data and --test"),
    APP_OPTION("target", 't', APP_TEXT, "NAME", NULL, target, false, "csv, text: the column that the model is to tell"),
    APP_OPTION("schema", 's', APP_FILE, "FILE", NULL, schema, false, "csv: the columns and their domains, in JSON; public"),
    APP_OPTION("task", '\0', APP_CHOICE, NULL, "classify|regress", task, false,
        "whether the target is one of its values or a number; default classify"),
    APP_OPTION("model", 'm', APP_FILE, "MODEL", NULL, model, true,
        "linear, cnn or scatter (images), or a JSON file of layers: docs/rooms/dpsgd.md"),
    APP_OPTION("epsilon", 'e', APP_REAL, "E", "(0, 64]", epsilon, false,
        "privacy loss of the whole run; needed unless --sigma is given"),
    APP_OPTION("delta", '\0', APP_REAL, "D", "(0, 1)", delta, true, "probability left outside of epsilon"),
    APP_OPTION("sigma", '\0', APP_REAL, "S", "(0, 1e6]", sigma, false,
        "noise multiplier, in place of --epsilon, which is then what it costs"),
    APP_OPTION("adjacency", 'a', APP_CHOICE, NULL, "add-remove|replace-one|zero-out", adjacency, false,
        "which two data sets are neighbours; default add-remove"),
    APP_OPTION("records", '\0', APP_COUNT, "N", "[1, 2147483647]", records, false,
        "a public figure for the number of records; default: the number itself, which is then public"),
    APP_OPTION("epochs", '\0', APP_REAL, "N", "(0, 1e6]", epochs, false, "how often a record takes part, on average"),
    APP_OPTION("steps", '\0', APP_COUNT, "N", "[1, 4294967295]", steps, false, "in place of --epochs"),
    APP_OPTION("batch", 'b', APP_REAL, "B", "[1, 2147483647]", batch, false, "records of a step, on average"),
    APP_OPTION("sampling", '\0', APP_CHOICE, NULL, "poisson|shuffled|full|fixed-size|cyclic", sampling, false,
        "how batches are drawn, and accounted; default poisson, with --noise tree and banded cyclic"),
    APP_OPTION("noise", '\0', APP_CHOICE, NULL, "independent|tree|banded", noise, false,
        "of the steps: each for itself (DP-SGD), or such that it cancels in their sums (DP-FTRL); default independent"),
    APP_OPTION("bands", '\0', APP_COUNT, "N", "[1, 64]", bands, false, "--noise banded: steps that noise is correlated over"),
    APP_OPTION("clip", 'c', APP_REAL, "C", "(0, 1e9]", clip, false, "norm that an example's gradient is held to"),
    APP_OPTION("clipping", '\0', APP_CHOICE, NULL, "flat|per-layer|auto|global", clipping, false, "how; default flat"),
    APP_OPTION("quantile", '\0', APP_REAL, "Q", "(0, 1)", quantile, false,
        "let the clip norm follow this quantile of the norms, at a small part of the budget"),
    APP_OPTION("optimizer", '\0', APP_CHOICE, NULL, "sgd|adam|adam-bc", optimizer, false, "default sgd"),
    APP_OPTION("learning-rate", 'r', APP_REAL, "R", "(0, 1e6]", learning_rate, false, "at the start; it falls along a cosine"),
    APP_OPTION("momentum", '\0', APP_REAL, "M", "[0, 1)", momentum, false, "sgd"),
    APP_OPTION("average", '\0', APP_REAL, "A", "[0, 1)", average, false, "of the weights over the steps; 0: none"),
    APP_OPTION("weight-decay", '\0', APP_REAL, "W", "[0, 1e3]", weight_decay, false, "default 0"),
    APP_OPTION("classes", '\0', APP_COUNT, "N", "[2, 65535]", classes, false, "idx, text: labels are 0 .. N-1; default 10 and 2"),
    APP_OPTION("test", 'T', APP_FILE, "PATH", NULL, test, false,
        "records to evaluate on, which are not protected; with --format idx by default the t10k files of --data"),
    APP_OPTION("ledger", 'l', APP_FILE, "FILE", NULL, ledger, false,
        "charge this ledger, made by nw-ledger create; without one nothing durable is kept"),
    APP_OPTION("label", '\0', APP_TEXT, "TEXT", NULL, label, false, "name of the run in the ledger; default nw-train"),
    APP_OPTION(
        "output", 'o', APP_FILE, "FILE", NULL, output, false, "where the model is written; needed unless --estimate is given"),
    APP_OPTION("checkpoint", '\0', APP_FILE, "FILE", NULL, checkpoint, false,
        "kept while the run lasts, to take it up again; default the output's name with .checkpoint"),
    APP_OPTION("resume", '\0', APP_FLAG, NULL, NULL, is_resumed, false,
        "take up an interrupted run from its checkpoint, with the same options; nothing is charged again"),
    APP_OPTION("curve", '\0', APP_FILE, "FILE.svg", NULL, curve, false, "draw how the run went"),
    APP_OPTION("memory", '\0', APP_COUNT, "MIB", "[16, 1048576]", memory, false,
        "for the activations of a step; it decides how many examples go at once, and no result; default 256"),
    APP_OPTION("json", '\0', APP_FLAG, NULL, NULL, is_json, false, "one JSON object on standard output"),
    APP_OPTION("estimate", '\0', APP_FLAG, NULL, NULL, is_estimate, false,
        "print what the run costs, with --json also its event; trains nothing, charges nothing"),
    APP_OPTION("seed-insecure", '\0', APP_COUNT, "N", "[0, 1e15]", seed, false,
        "for tests: repeatable random numbers; the result is NOT PRIVATE"),
    APP_OPTION("quiet", 'q', APP_FLAG, NULL, NULL, is_quiet, false, "no progress, no remarks and no receipt on standard error"),
};

static const app_option eval_options[] = {
    APP_OPTION("data", 'd', APP_FILE, "PATH", NULL, data, true, "labelled records: a table, or the folder of idx files (t10k)"),
    APP_OPTION("memory", '\0', APP_COUNT, "MIB", "[16, 1048576]", memory, false, "default 256"),
    APP_OPTION("json", '\0', APP_FLAG, NULL, NULL, is_json, false, "one JSON object on standard output"),
};

static const app_option predict_options[] = {
    APP_OPTION("data", 'd', APP_FILE, "PATH", NULL, data, true, "records, with or without the target's column"),
    APP_OPTION("output", 'o', APP_FILE, "FILE", NULL, output, false, "where the table goes; default -, standard output"),
    APP_OPTION("memory", '\0', APP_COUNT, "MIB", "[16, 1048576]", memory, false, "default 256"),
};

static const app_command commands[] = {
    { .help =
            "Trains a model that is (epsilon, delta)-differentially private in its records: DP-SGD with noise calibrated by the "
            "certified accountant, charged once, before the first batch.",
        APP_OPTIONS(train_options) },
    { .name = "eval",
        .operands = { "MODEL.nw" },
        .required_operands = 1,
        .help = "how good a model is on labelled records",
        APP_OPTIONS(eval_options) },
    { .name = "predict",
        .operands = { "MODEL.nw" },
        .required_operands = 1,
        .help = "what a model says about records, as a table with a row for each",
        APP_OPTIONS(predict_options) },
};

static const app_program program = {
    .name = "nw-train",
    .summary = "private training of models",
    .commands = commands,
    .command_count = sizeof commands / sizeof *commands,
    .details = "Exit: 0 done; 3 over the budget; 64 usage; 65 malformed data; 66 no input; 70\n"
               "internal; 73 cannot create the output; 74 input or output failed; 130 or 143\n"
               "interrupted: --resume goes on. Malformed input and refusals cost nothing; after\n"
               "the charge the budget stays spent, whatever happens.\n"
               "\n"
               "Examples:\n"
               "  nw-train --data adult.csv --format csv --schema adult.json --target income \\\n"
               "      --model linear --epsilon 1 --delta 1e-5 --test test.csv -o income.nw\n"
               "  nw-train --data mnist --format idx --model scatter --epsilon 3 \\\n"
               "      --delta 1e-5 --curve digits.svg -o digits.nw\n"
               "  mpirun -n 4 nw-train --data mnist --format idx --model cnn --epsilon 3 \\\n"
               "      --delta 1e-5 -o digits.nw\n"
               "  nw-train predict income.nw --data new.csv -o answers.csv\n",
};

int main(int argc, char **argv)
{
    static settings s = { .format = TRAIN_FORMATS,
        .sampling = NO_CHOICE,
        .optimizer = NO_CHOICE,
        .momentum = -1.0,
        .average = -1.0,
        .memory = MEMORY_MIB,
        .label = "nw-train",
        .seed = APP_NO_SEED };
    const app_command *chosen;
    nw_reduce reduce;
    nw_error err;
    int code;
    app_tune(argv);
    if (app_processes_open(&reduce, &err) != NW_OK)
        return app_fail_error("mpi", &err);
    s.reduce = &reduce;
    if (!app_parse(&program, argc, argv, &s, &chosen, &code))
        return app_finish(&reduce, code);
    app_signals_install();
    code = chosen == commands ? APP_OK : app_check_alone(&reduce, chosen->name);
    if (code == APP_OK)
        code = chosen == commands ? train_run(&s) : chosen == &commands[1] ? judge_eval(&s) : judge_predict(&s);
    return app_finish(&reduce, code);
}
