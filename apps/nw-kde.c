/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* nw-kde - similarity to private points: a structure built once under one budget, asked as often as one likes.
 *
 * build and merge check options, inputs, the place of the output and the ledger first, then add the points, then charge, and only
 * then draw. query, classify, plot and info read released structures and cost nothing. */
#include "common/exit.h"
#include "common/options.h"
#include "common/processes.h"
#include "common/seed.h"
#include "common/signals.h"
#include "kde/settings.h"

#include <string.h>

/* What build and merge have in common: everything that makes a structure. */
#define BUILD_OPTIONS                                                                                                            \
    APP_OPTION("schema", 's', APP_FILE, "FILE", NULL, schema, false,                                                             \
        "columns of the CSV file and their domains, in JSON, public: bounds of numbers; of any other column a coordinate a "     \
        "value"),                                                                                                                \
        APP_OPTION("columns", '\0', APP_TEXT, "A,B,...", NULL, columns, false,                                                   \
            "the columns that are coordinates, in this order; default all but --label"),                                         \
        APP_OPTION("header", '\0', APP_CHOICE, NULL, "auto|yes|no", header, false,                                               \
            "CSV: whether the first line has names; default auto: if no cell of it is a number"),                                \
        APP_OPTION("scale", '\0', APP_FLAG, NULL, NULL, is_scaled, false, "put each coordinate's bounds at 0 and 1"),            \
        APP_OPTION("unit-norm", '\0', APP_FLAG, NULL, NULL, is_unit_norm, false,                                                 \
            "give each point Euclidean norm 1, after --scale; a point of zeros stays as it is"),                                 \
        APP_OPTION("project", '\0', APP_FILE, "FILE", NULL, project, false,                                                      \
            "a public matrix, a row for each coordinate: points are their products with it, after --unit-norm"),                 \
        APP_OPTION("kernel", 'k', APP_CHOICE, NULL, KDE_KERNELS, kernel, true, "the function that is added up over the points"), \
        APP_OPTION("bandwidth", 'b', APP_REAL, "B", "[1e-30, 1e30]", bandwidth, false,                                           \
            "scale of the distances; not for l1, l2, l2sq and lpp"),                                                             \
        APP_OPTION("convention", '\0', APP_CHOICE, NULL, "plain|half", convention, false,                                        \
            "gaussian: exp(-|x-y|^2 / B^2), or half: exp(-|x-y|^2 / 2 B^2); default plain"),                                     \
        APP_OPTION("power", '\0', APP_REAL, "P", "[0.1, 8]", power, false, "lpp: of |x_j - y_j|"),                               \
        APP_OPTION("lower", '\0', APP_TEXT, "L[,L...]", NULL, lower, false,                                                      \
            "bounds of the file's coordinates, public: one for all, or one each; the functions without a bandwidth need them"),  \
        APP_OPTION("upper", '\0', APP_TEXT, "U[,U...]", NULL, upper, false, "see --lower"),                                      \
        APP_OPTION("epsilon", 'e', APP_REAL, "E", "(0, 64]", epsilon, true, "privacy loss of all queries together"),             \
        APP_OPTION("delta", 'd', APP_REAL, "D", "[0, 1)", delta, false,                                                          \
            "probability left outside of epsilon; without it, or 0: pure differential privacy; else Gaussian noise"),            \
        APP_OPTION("adjacency", 'a', APP_CHOICE, NULL, "add-remove|replace-one", adjacency, false,                               \
            "which two sets of points are neighbours; default add-remove"),                                                      \
        APP_OPTION("n-public", 'n', APP_TEXT, "N|counted|private", NULL, points, false,                                          \
            "the number of points, if that is public (of classes one for each, with commas); counted: that of the data, which "  \
            "thereby becomes public; default private"),                                                                          \
        APP_OPTION(                                                                                                              \
            "estimator", '\0', APP_CHOICE, NULL, KDE_ESTIMATORS, estimator, false, "default auto: chosen by predicted error"),   \
        APP_OPTION("size", '\0', APP_COUNT, "N", "[1, 67108864]", size, false,                                                   \
            "pairs, cells a side, landmarks, rows or levels of the estimator; default: chosen by predicted error"),              \
        APP_OPTION("landmarks", '\0', APP_FILE, "FILE", NULL, landmarks, false, "public points, for estimator landmarks"),       \
        APP_OPTION(                                                                                                              \
            "landmark-rows", '\0', APP_TEXT, "A..B", NULL, landmark_rows, false, "only these rows of it, counted from 0"),       \
        APP_OPTION("expected-points", '\0', APP_REAL, "N", "[1, 1e12]", expected_points, false,                                  \
            "public guess of their number, for the choice of sizes"),                                                            \
        APP_OPTION("expected-density", '\0', APP_REAL, "V", "(0, 1]", expected_density, false,                                   \
            "public guess of the average kernel value, for the choice of sizes; default 0.05"),                                  \
        APP_OPTION("public-seed", '\0', APP_COUNT, "N", "[0, 1e15]", public_seed, false,                                         \
            "of the public frequencies; default 0; the same for parts that are to be merged"),                                   \
        APP_OPTION("ledger", 'l', APP_FILE, "FILE", NULL, ledger, false,                                                         \
            "charge this ledger, made by nw-ledger create; without one nothing durable is kept"),                                \
        APP_OPTION("output", 'o', APP_FILE, "FILE", NULL, output, false, "where the structure goes"),                            \
        APP_OPTION("seed-insecure", '\0', APP_COUNT, "N", "[0, 1e15]", insecure_seed, false,                                     \
            "for tests: repeatable noise; the result is NOT PRIVATE"),                                                           \
        APP_OPTION("json", '\0', APP_FLAG, NULL, NULL, is_json, false, "one JSON object on standard output"),                    \
        APP_OPTION("quiet", 'q', APP_FLAG, NULL, NULL, is_quiet, false, "no progress and no receipt on standard error")

static const app_option build_options[] = {
    APP_OPTION("data", 'i', APP_FILE, "FILE", NULL, data, false, "the private points: CSV, .npy or idx, plain or gzip"),
    BUILD_OPTIONS,
    APP_OPTION("label", '\0', APP_TEXT, "COLUMN", NULL, label, false,
        "one structure a class, FILE-CLASS.nwk each, in one charge: the column that tells the classes"),
    APP_OPTION("labels", '\0', APP_FILE, "FILE", NULL, labels, false,
        "the same, with the classes in a file of their own: idx, .npy or text, one a line"),
    APP_OPTION("classes", '\0', APP_TEXT, "A..B|A,B,...", NULL, classes, false,
        "the classes, public; a schema that has --label lists them itself"),
    APP_OPTION("sizes-share", '\0', APP_REAL, "SHARE", "[0.001, 0.5]", sizes_share, false,
        "of the budget, for the sizes of classes where --n-public does not tell them; default 0.05"),
    APP_OPTION("partial", '\0', APP_FLAG, NULL, NULL, is_partial, false,
        "write the exact totals, as secret as the points, for nw-kde merge; charges nothing"),
    APP_OPTION("choose-bandwidth", '\0', APP_REAL, "SHARE", "[0.01, 0.5]", bandwidth_share, false,
        "instead of --bandwidth: the median distance of pairs of points, for which this share of the budget is spent; needs "
        "bounds"),
    APP_OPTION("estimate", '\0', APP_FLAG, NULL, NULL, is_estimate, false,
        "print the plan and its predicted error; reads no data, charges nothing"),
    APP_OPTION("dimension", '\0', APP_COUNT, "N", "[1, 16384]", dimension, false,
        "coordinates of a row: for --estimate, else it is that of the data"),
};
static const app_option merge_options[] = {
    APP_OPTION("part", 'i', APP_TEXTS, "FILE", NULL, parts, true, "totals of nw-kde build --partial; may be given several times"),
    APP_OPTION(
        "dimension", '\0', APP_COUNT, "N", "[1, 16384]", dimension, false, "coordinates of a row; a schema says so itself"),
    BUILD_OPTIONS,
};
/* What query and classify have in common. */
#define ASK_OPTIONS                                                                                                              \
    APP_OPTION("data", 'i', APP_FILE, "FILE", NULL, data, true, "the queries: CSV, .npy or idx, plain or gzip"),                 \
        APP_OPTION("rows", '\0', APP_TEXT, "A..B", NULL, rows, false, "only these rows of it, counted from 0"),                  \
        APP_OPTION("header", '\0', APP_CHOICE, NULL, "auto|yes|no", header, false,                                               \
            "CSV: whether the first line has names; default auto: if no cell of it is a number"),                                \
        APP_OPTION(                                                                                                              \
            "project", '\0', APP_FILE, "FILE", NULL, project, false, "the matrix that the structure was built with, if any")

static const app_option query_options[] = {
    ASK_OPTIONS,
    APP_OPTION("output", 'o', APP_FILE, "FILE", NULL, output, false,
        "CSV with columns value, the sum over the private points, and stderr; or the same as an array, if its name ends in .npy; "
        "default -, standard output"),
    APP_OPTION("top", '\0', APP_COUNT, "K", "[1, 1e9]", top, false,
        "only the K that are most similar to the private points, best first: columns query (its row), value, stderr"),
    APP_OPTION(
        "outliers", '\0', APP_COUNT, "K", "[1, 1e9]", outliers, false, "only the K that are least similar, the farthest first"),
    APP_OPTION(
        "average", '\0', APP_FLAG, NULL, NULL, is_average, false, "divided by the number of points: density, mean distance"),
    APP_OPTION("json", '\0', APP_FLAG, NULL, NULL, is_json, false, "one JSON object on standard output; with --output both"),
};
static const app_option classify_options[] = {
    APP_OPTION("structures", 's', APP_TEXT, "A.nwk,B.nwk,...", NULL, structures, false,
        "one structure a class, of the same function; or name them as operands"),
    ASK_OPTIONS,
    APP_OPTION("truth", '\0', APP_FILE, "FILE", NULL, truth, false,
        "the right classes: idx, .npy or text, one a line, as built with --label, else counted from 0; the accuracy is printed, "
        "too"),
    APP_OPTION("label", '\0', APP_TEXT, "COLUMN", NULL, label, false, "the same, as a column of --data"),
    APP_OPTION("output", 'o', APP_FILE, "FILE", NULL, output, false,
        "CSV with columns class, similarity (the average) and stderr; or an array of places of classes, if its name ends in "
        ".npy; "
        "default -, standard output"),
    APP_OPTION("scores", '\0', APP_FLAG, NULL, NULL, has_scores, false, "all classes' averages, too; as an array, just these"),
    APP_OPTION("json", '\0', APP_FLAG, NULL, NULL, is_json, false, "one JSON object on standard output; with --output both"),
};
static const app_option plot_options[] = {
    APP_OPTION("lower", '\0', APP_TEXT, "L[,L]", NULL, lower, false, "what is drawn; default: the structure's bounds"),
    APP_OPTION("upper", '\0', APP_TEXT, "U[,U]", NULL, upper, false, "see --lower"),
    APP_OPTION("title", '\0', APP_TEXT, "TEXT", NULL, title, false, "above the picture; default: what the function is"),
    APP_OPTION("output", 'o', APP_FILE, "FILE", NULL, output, false, "where the SVG goes; default -, standard output"),
};
static const app_option info_options[] = {
    APP_OPTION("json", '\0', APP_FLAG, NULL, NULL, is_json, false, "one JSON object instead of text"),
};

static const app_command commands[] = {
    { .name = "build",
        .help = "Builds a structure from private points, under one budget: it then answers any number of queries.",
        APP_OPTIONS(build_options) },
    { .name = "merge",
        .help = "Adds up the totals of nw-kde build --partial, made with the same options, and releases one structure.",
        APP_OPTIONS(merge_options) },
    { .name = "query",
        .operands = { "S.nwk" },
        .required_operands = 1,
        .help = "How similar is each query to the private points? Costs nothing.",
        APP_OPTIONS(query_options) },
    { .name = "classify",
        .operands = { "[S.nwk...]" },
        .list = offsetof(settings, files),
        .help = "Which class's private points is each query most similar to, on average? Costs nothing.",
        APP_OPTIONS(classify_options) },
    { .name = "plot",
        .operands = { "S.nwk" },
        .required_operands = 1,
        .help = "Draws a structure of one or two dimensions: a curve with a band of one standard error, or maps of the "
                "values and of their standard errors.",
        APP_OPTIONS(plot_options) },
    { .name = "info",
        .operands = { "S.nwk" },
        .required_operands = 1,
        .help = "What a structure answers, how well, and what it has cost.",
        APP_OPTIONS(info_options) },
};
static int (*const run[])(const settings *) = { kde_build, kde_merge, kde_query, kde_classify, kde_plot, kde_info };

static const app_program program = {
    .name = "nw-kde",
    .summary = "similarity to private points, for any query",
    .commands = commands,
    .command_count = sizeof commands / sizeof *commands,
    .details = "Exit: 0 done; 3 over the budget; 64 usage; 65 malformed data; 66 no input; 70\n"
               "internal; 73 cannot create the output; 74 input or output failed; 130 or 143\n"
               "interrupted. Malformed input and refusals cost nothing; after the charge the\n"
               "budget stays spent, whatever happens.\n"
               "\n"
               "Example:\n"
               "  nw-kde build --data points.csv --kernel gaussian --bandwidth 2 \\\n"
               "      --epsilon 1 --delta 1e-6 -o points.nwk\n"
               "  nw-kde query points.nwk --data candidates.csv -o similarity.csv\n",
};

int main(int argc, char **argv)
{
    static settings s = { .insecure_seed = APP_NO_SEED, .expected_density = 0.05, .sizes_share = 0.05 };
    const app_command *chosen;
    nw_reduce reduce;
    nw_error err;
    int code;
    if (app_processes_open(&reduce, &err) != NW_OK)
        return app_fail_error("mpi", &err);
    s.reduce = &reduce;
    if (!app_parse(&program, argc, argv, &s, &chosen, &code))
        return app_finish(&reduce, code);
    app_signals_install();
    code = chosen == commands ? APP_OK : app_check_alone(&reduce, chosen->name);
    if (code == APP_OK)
        code = run[chosen - commands](&s);
    return app_finish(&reduce, code);
}
