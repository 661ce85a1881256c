/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* nw-bags - models of private labels and public features, from noisy means of bags of labels. */
#include "bags/settings.h"
#include "common/seed.h"
#include "common/signals.h"

static const app_option run_options[] = {
    APP_OPTION("data", 'i', APP_FILE, "FILE", NULL, data, false,
        "the table, CSV (gzip is recognised): one column is the private label, the others are public features"),
    APP_OPTION("target", 't', APP_TEXT, "NAME", NULL, target, false, "the column of the labels, which alone are protected"),
    APP_OPTION("epsilon", 'e', APP_REAL, "E", "(0, 64]", epsilon, true, "privacy loss of the labels"),
    APP_OPTION("delta", 'd', APP_REAL, "D", "[0, 1)", delta, false,
        "probability left outside of epsilon; without it, or 0: pure differential privacy; else Gaussian noise"),
    APP_OPTION("clip", 'c', APP_REAL, "B", "(0, 1e30]", clip, false,
        "labels count from --center - B to --center + B, public; needed unless --task is classify"),
    APP_OPTION("center", '\0', APP_REAL, "C", "[-1e30, 1e30]", center, false, "see --clip; public; default 0"),
    APP_OPTION("task", '\0', APP_CHOICE, NULL, "regress|classify", task, false,
        "linear model of a number, or logistic model of two classes, whose labels are coded -1 and 1; default regress"),
    APP_OPTION("positive", '\0', APP_TEXT, "VALUE", NULL, positive, false,
        "classify: the label that is coded 1, any other is -1; default: numbers above 0, or the second value in the schema"),
    APP_OPTION("schema", 's', APP_FILE, "FILE", NULL, schema, false,
        "the columns and their domains, in JSON; default: what the public features look like"),
    APP_OPTION("bag", 'b', APP_TEXT, "auto|K", NULL, bag, false, "rows in a bag; default auto: by predicted risk"),
    APP_OPTION("rho", 'r', APP_TEXT, "auto|R", NULL, rho, false,
        "share of the instance-level loss, in [0, 1]; the rest is bag-level; default auto"),
    APP_OPTION("ridge", '\0', APP_TEXT, "auto|R", NULL, ridge, false,
        "weight of the squared coefficients of features scaled to variance 1; default auto: from the released means"),
    APP_OPTION("curated", '\0', APP_FLAG, NULL, NULL, is_curated, false,
        "half of the rows in bags of one, the others in bags of like predictions of a model of the first half"),
    APP_OPTION("sort-by", '\0', APP_TEXT, "NAME", NULL, sort_by, false, "bags of neighbours in this public column"),
    APP_OPTION("bag-column", '\0', APP_TEXT, "NAME", NULL, bag_column, false, "this public column says the bag of each row"),
    APP_OPTION("signal-variance", '\0', APP_REAL, "V", "(0, 1e60]", signal_variance, false,
        "public guess of what a model can tell, for --bag auto; default B^2 / 8"),
    APP_OPTION("residual-variance", '\0', APP_REAL, "V", "(0, 1e60]", residual_variance, false,
        "public guess of what it cannot; default B^2 / 8, of classes 7/8"),
    APP_OPTION("public-seed", '\0', APP_COUNT, "N", "[0, 1e15]", public_seed, false, "of the random bags; default 0"),
    APP_OPTION("test", 'T', APP_FILE, "FILE", NULL, test, false, "records to evaluate on, whose labels are not protected"),
    APP_OPTION("ledger", 'l', APP_FILE, "FILE", NULL, ledger, false,
        "charge this ledger, made by nw-ledger create --adjacency replace-label; without one nothing durable is kept"),
    APP_OPTION("label", '\0', APP_TEXT, "TEXT", NULL, label, false, "name of the release in the ledger; default nw-bags"),
    APP_OPTION("save-model", 'o', APP_FILE, "FILE", NULL, model, false, "where the model goes, JSON, for nw-bags predict"),
    APP_OPTION("bags", '\0', APP_FILE, "FILE", NULL, bags, false,
        "where the released means go: CSV with columns row, bag, size, mean, to train anything else on"),
    APP_OPTION("plot", '\0', APP_FILE, "FILE.svg", NULL, plot, false, "draw the predicted risk against the bag size"),
    APP_OPTION("estimate", '\0', APP_FLAG, NULL, NULL, is_estimate, false,
        "print the choice and what it costs, for --rows and --features; reads no data, charges nothing"),
    APP_OPTION("rows", '\0', APP_COUNT, "N", "[1, 2147483647]", rows, false, "for --estimate"),
    APP_OPTION("features", '\0', APP_COUNT, "N", "[1, 4096]", features, false, "for --estimate"),
    APP_OPTION("seed-insecure", '\0', APP_COUNT, "N", "[0, 1e15]", insecure_seed, false,
        "for tests: repeatable noise; the result is NOT PRIVATE"),
    APP_OPTION("json", '\0', APP_FLAG, NULL, NULL, is_json, false, "one JSON object on standard output"),
    APP_OPTION("quiet", 'q', APP_FLAG, NULL, NULL, is_quiet, false, "no receipt on standard error"),
};

static const app_option predict_options[] = {
    APP_OPTION("data", 'i', APP_FILE, "FILE", NULL, data, true, "records, with or without the target's column"),
    APP_OPTION("output", 'o', APP_FILE, "FILE", NULL, output, false,
        "CSV with column prediction, or probability and class, 1 or 0; default -, standard output"),
};

static const app_command commands[] = {
    { .help =
            "Fits a model to private labels: the labels are averaged over bags and released with noise, once; the features, and "
            "which records there are, count as public.",
        APP_OPTIONS(run_options) },
    { .name = "predict",
        .operands = { "MODEL.json" },
        .required_operands = 1,
        .help = "What a model says about records, as a table with a row for each. Costs nothing.",
        APP_OPTIONS(predict_options) },
};

static const app_program program = {
    .name = "nw-bags",
    .summary = "models of private labels and public features",
    .commands = commands,
    .command_count = sizeof commands / sizeof *commands,
    .details = "PROTECTED ARE LABELS ONLY. Features, and who is in the table, are not.\n"
               "\n"
               "Exit: 0 done; 3 over the budget; 64 usage; 65 malformed data; 66 no input; 70\n"
               "internal; 73 cannot create the output; 74 input or output failed; 130 or 143\n"
               "interrupted. Malformed input and refusals cost nothing; after the charge the\n"
               "budget stays spent, whatever happens. A label that is no number counts as the\n"
               "center, and nothing tells.\n"
               "\n"
               "Examples:\n"
               "  nw-bags --data houses.csv --target value --clip 250000 --center 250000 \\\n"
               "      --epsilon 1 --json\n"
               "  nw-bags --data adult.csv --target income --task classify --positive '>50K' \\\n"
               "      --epsilon 0.25 --curated --save-model income.json\n"
               "  nw-bags predict income.json --data new.csv -o answers.csv\n",
};

int main(int argc, char **argv)
{
    static settings s = { .insecure_seed = APP_NO_SEED, .label = "nw-bags" };
    const app_command *chosen;
    int code;
    if (!app_parse(&program, argc, argv, &s, &chosen, &code))
        return code;
    app_signals_install();
    return chosen->name == NULL ? bags_run(&s) : bags_predict(&s);
}
