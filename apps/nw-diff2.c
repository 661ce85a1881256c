/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* nw-diff2 - private training by gradients and their differences, on one process or many; its evaluation, its predictions. */
#include "common/exit.h"
#include "common/processes.h"
#include "common/seed.h"
#include "common/signals.h"
#include "common/tune.h"
#include "diff2/settings.h"

#include <stdio.h>

static const app_option train_options[] = {
    APP_OPTION("data", 'd', APP_FILE, "D.csv", NULL, data, false,
        "the table to train on (gzip is recognised); needed unless --estimate is given"),
    APP_OPTION("schema", 's', APP_FILE, "S.json", NULL, schema, true, "the columns and their domains; public"),
    APP_OPTION("target", 't', APP_TEXT, "NAME", NULL, target, true, "the column that the model is to tell"),
    APP_OPTION("task", '\0', APP_CHOICE, NULL, "classify|regress", task, false,
        "whether the target is one of its values or a number; default classify"),
    APP_OPTION("method", 'm', APP_CHOICE, NULL, "diff2|dpgd|dpsgd", method, false,
        "gradients now and then, and their differences (the default); gradients each round; of random batches each round"),
    APP_OPTION("model", '\0', APP_CHOICE, NULL, "linear|softplus10", model, false,
        "a linear model (the default), or one hidden layer of ten softplus units"),
    APP_OPTION("loss", '\0', APP_CHOICE, NULL, "squared|huber", loss, false,
        "regress: default squared; classify has logistic, and softmax for more than two classes"),
    APP_OPTION("huber", '\0', APP_REAL, "D", "[1e-12, 1e12]", huber, false,
        "--loss huber: the error from which on the loss is linear, in half widths of the target's bounds; default 0.1"),
    APP_OPTION("epsilon", 'e', APP_REAL, "E", "(0, 64]", epsilon, true, "privacy loss of the whole run"),
    APP_OPTION("delta", '\0', APP_REAL, "D", "(0, 1)", delta, true, "probability left outside of epsilon"),
    APP_OPTION("adjacency", 'a', APP_CHOICE, NULL, "add-remove|replace-one", adjacency, false,
        "which two tables are neighbours; default add-remove"),
    APP_OPTION("records", '\0', APP_COUNT, "N", "[1, 1e12]", records, false,
        "a public figure for the number of records; default: the number itself, which is then public"),
    APP_OPTION("rounds", 'r', APP_COUNT, "R", "[1, 4294967295]", rounds, false, "steps; default 200"),
    APP_OPTION("restarts", 'j', APP_COUNT, "J", "[1, 4294967295]", restarts, false,
        "diff2: rounds that take whole gradients, evenly spread, at most R; default 8, or more as the noise needs"),
    APP_OPTION("eta", '\0', APP_REAL, "ETA", "(0, 1e12]", eta, false, "learning rate; default by the schema"),
    APP_OPTION("c1", '\0', APP_REAL, "C1", "[1e-12, 1e12]", c1, false,
        "norm that a record's gradient is held to; default by the schema"),
    APP_OPTION("c2", '\0', APP_REAL, "C2", "[1e-12, 1e12]", c2, false,
        "diff2: norm that the difference of a record's gradients is held to, in lengths of the step; default by the schema"),
    APP_OPTION("split", 'w', APP_REAL, "W", "(0, 1)", split, false, "diff2: the restarts' share of the budget; default 0.7"),
    APP_OPTION("batch", 'b', APP_REAL, "B", "[1, 2147483647]", batch, false,
        "dpsgd: records of a step, on average; default a quarter of the records"),
    APP_OPTION("ridge", '\0', APP_REAL, "L", "[0, 1e6]", ridge, false,
        "adds L / 2 times the squared norm of the parameters to the loss; default 0"),
    APP_OPTION("clients", '\0', APP_TEXT, "N|COLUMN", NULL, clients, false,
        "who holds the records: N clients in the order of the rows, or one for each value of a column"),
    APP_OPTION("test", 'T', APP_FILE, "T.csv", NULL, test, false, "records to evaluate on, which are not protected"),
    APP_OPTION("ledger", 'l', APP_FILE, "FILE", NULL, ledger, false,
        "charge this ledger, made by nw-ledger create; without one nothing durable is kept"),
    APP_OPTION("label", '\0', APP_TEXT, "TEXT", NULL, label, false, "name of the run in the ledger; default nw-diff2"),
    APP_OPTION("save-model", 'o', APP_FILE, "FILE", NULL, output, false, "write the model, in JSON"),
    APP_OPTION("curve", '\0', APP_FILE, "FILE.svg", NULL, curve, false, "draw how the run went"),
    APP_OPTION("threads", '\0', APP_COUNT, "N", "[1, 4096]", threads, false,
        "of a process; they decide no result; default as OpenMP has it"),
    APP_OPTION("json", '\0', APP_FLAG, NULL, NULL, is_json, false, "one JSON object on standard output"),
    APP_OPTION("estimate", '\0', APP_FLAG, NULL, NULL, is_estimate, false,
        "print what the run costs and its noise; reads no data, charges nothing"),
    APP_OPTION("show-private-diagnostics", '\0', APP_FLAG, NULL, NULL, is_shown, false,
        "also tell gradient norm and loss on the training records: NOT PRIVATE, nothing pays for them"),
    APP_OPTION("seed-insecure", '\0', APP_COUNT, "N", "[0, 1e15]", seed, false,
        "for tests: repeatable random numbers; the result is NOT PRIVATE, and the diagnostics are told, too"),
    APP_OPTION("quiet", 'q', APP_FLAG, NULL, NULL, is_quiet, false, "no progress, no remarks and no receipt on standard error"),
};

static const app_option eval_options[] = {
    APP_OPTION("data", 'd', APP_FILE, "T.csv", NULL, data, true, "labelled records"),
    APP_OPTION("json", '\0', APP_FLAG, NULL, NULL, is_json, false, "one JSON object on standard output"),
};

static const app_option predict_options[] = {
    APP_OPTION("data", 'd', APP_FILE, "NEW.csv", NULL, data, true, "records, with or without the target's column"),
    APP_OPTION("output", 'o', APP_FILE, "FILE", NULL, output, false, "where the table goes; default -, standard output"),
};

static const app_command commands[] = {
    { .help =
            "Trains a model that is (epsilon, delta)-differentially private in its records: DIFF2, whose noise shrinks with the "
            "steps, or DP-GD or DP-SGD at the same budget. Charged once, before anything is drawn. Under mpirun the records "
            "are spread over the processes, with the same result.",
        APP_OPTIONS(train_options) },
    { .name = "eval",
        .operands = { "MODEL" },
        .required_operands = 1,
        .help = "how good a model is on labelled records",
        APP_OPTIONS(eval_options) },
    { .name = "predict",
        .operands = { "MODEL" },
        .required_operands = 1,
        .help = "what a model says about records, as a table with a row for each",
        APP_OPTIONS(predict_options) },
};

static const app_program program = {
    .name = "nw-diff2",
    .summary = "private training by gradients and their differences",
    .commands = commands,
    .command_count = sizeof commands / sizeof *commands,
    .details = "Exit: 0 done; 3 over the budget; 64 usage; 65 malformed data; 66 no input; 70\n"
               "internal; 73 cannot create the output; 74 input or output failed; 130 or 143\n"
               "interrupted. Malformed input and refusals cost nothing; after the charge the\n"
               "budget stays spent, whatever happens.\n"
               "\n"
               "Examples:\n"
               "  nw-diff2 --data adult.csv --schema adult.json --target income --epsilon 1 \\\n"
               "      --delta 1e-5 --test test.csv --save-model income.json\n"
               "  mpirun -n 4 nw-diff2 --data homes.csv --schema homes.json --target price \\\n"
               "      --task regress --model softplus10 --epsilon 1 --delta 1e-5 --json\n"
               "  nw-diff2 predict income.json --data new.csv -o answers.csv\n",
};

static int answer(int argc, char **argv, const nw_reduce *processes)
{
    static settings s = { .label = "nw-diff2", .huber = 0.1, .seed = APP_NO_SEED };
    const app_command *chosen;
    int code;
    if (!app_parse(&program, argc, argv, &s, &chosen, &code))
        return code;
    if (chosen->name == NULL)
        return diff2_run(&s, processes);
    code = app_check_alone(processes, chosen == &commands[1] ? "nw-diff2 eval" : "nw-diff2 predict");
    if (code != APP_OK)
        return code;
    return chosen == &commands[1] ? diff2_eval(&s) : diff2_predict(&s);
}

/* Every process has the same arguments; the first one speaks for all. */
int main(int argc, char **argv)
{
    nw_error err;
    nw_reduce processes;
    app_tune(argv);
    if (app_processes_open(&processes, &err) != NW_OK)
        return app_fail_error("mpi", &err);
    app_signals_install();
    if (processes.rank != 0 && freopen("/dev/null", "w", stdout) == NULL)
        return app_finish(&processes, app_fail(APP_IO, "standard output", "could not be put aside"));
    return app_finish(&processes, answer(argc, argv, &processes));
}
