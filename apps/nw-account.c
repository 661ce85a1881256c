/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* nw-account - what a schedule of mechanisms costs, certified from both sides, and what it takes to meet a target. */
#include "account/answer.h"
#include "account/curve.h"
#include "common/exit.h"
#include "common/files.h"
#include "common/json.h"
#include "common/numbers.h"
#include "common/options.h"
#include "common/signals.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_INPUT_BYTES ((size_t)64 << 20)

typedef struct settings {
    const char *operands[APP_MAX_OPERANDS];
    double epsilon, delta, order;
    double q, sigma, scale, sensitivity; /* 0: not given */
    uint64_t steps, batch_size, examples;
    double epochs;
    unsigned adjacency; /* into adjacencies[] */
    const char *svg;
    bool is_json;
    bool has_lines;
    bool is_upper_only;
} settings;

#define ADJACENCIES "add-remove|replace-one|zero-out|replace-label"
static const nw_adjacency adjacencies[] = { NW_ADD_REMOVE, NW_REPLACE_ONE, NW_ZERO_OUT, NW_REPLACE_LABEL };

#define JSON_OPTION APP_OPTION("json", '\0', APP_FLAG, NULL, NULL, is_json, false, "print one JSON object on standard output")
#define UPPER_OPTION                                                                                                             \
    APP_OPTION("upper-only", '\0', APP_FLAG, NULL, NULL, is_upper_only, false, "leave the lower end out: several times faster")
#define ADJACENCY_OPTION(is_required)                                                                                            \
    APP_OPTION("adjacency", 'a', APP_CHOICE, NULL, ADJACENCIES, adjacency, is_required, "which two tables are neighbours")
#define DELTA_OPTION(is_required)                                                                                                \
    APP_OPTION("delta", 'd', APP_REAL, "D", "[0, 1)", delta, is_required, "the probability left outside of epsilon")
#define EPSILON_OPTION(is_required)                                                                                              \
    APP_OPTION("epsilon", 'e', APP_REAL, "E", "[0, 1e6]", epsilon, is_required, "the loss, in nats")
#define TARGET_OPTION                                                                                                            \
    APP_OPTION(                                                                                                                  \
        "epsilon", 'e', APP_REAL, "E", "(0, 1e6]", epsilon, false, "a target: prints what was left out, such that it is met")
#define STEPS_OPTION APP_OPTION("steps", 'n', APP_COUNT, "T", "[1, 4e18]", steps, false, "how many times; default 1")
#define SENSITIVITY_OPTION(norm)                                                                                                 \
    APP_OPTION("sensitivity", 's', APP_REAL, "S", "[1e-60, 1e60]", sensitivity, false,                                           \
        "largest " norm " norm of one record's contribution; default 1")

static const app_option eps_options[] = { DELTA_OPTION(true), ADJACENCY_OPTION(true), UPPER_OPTION, JSON_OPTION };
static const app_option delta_options[] = { EPSILON_OPTION(true), ADJACENCY_OPTION(true), UPPER_OPTION, JSON_OPTION };
static const app_option rdp_options[] = {
    APP_OPTION("order", 'o', APP_REAL, "A", "(1, 1e6]", order, true, "order of the Renyi divergence"),
    ADJACENCY_OPTION(true),
    JSON_OPTION,
};
static const app_option calibrate_options[] = {
    APP_OPTION("epsilon", 'e', APP_REAL, "E", "(0, 1e6]", epsilon, true, "the target"),
    DELTA_OPTION(true),
    ADJACENCY_OPTION(true),
    JSON_OPTION,
};
static const app_option curve_options[] = {
    APP_OPTION("svg", '\0', APP_FILE, "OUT.svg", NULL, svg, true, "where the picture is written"),
    ADJACENCY_OPTION(false),
};
static const app_option dpsgd_options[] = {
    APP_OPTION("q", 'q', APP_REAL, "Q", "(0, 1]", q, false, "sampling rate: each record enters a step with this probability"),
    APP_OPTION("batch-size", 'b', APP_COUNT, "B", "[1, 4e18]", batch_size, false,
        "instead of --q, with --examples: expected size of a step's sample"),
    APP_OPTION("examples", 'x', APP_COUNT, "N", "[1, 4e18]", examples, false, "number of records; it must be public"),
    APP_OPTION("sigma", '\0', APP_REAL, "S", "[1e-100, 1e300]", sigma, false, "noise multiplier: noise / clipping norm"),
    APP_OPTION("steps", 'n', APP_COUNT, "T", "[1, 4e18]", steps, false, "how many steps"),
    APP_OPTION("epochs", '\0', APP_REAL, "E", "(0, 1e9]", epochs, false, "instead of --steps: E / Q steps, rounded up"),
    DELTA_OPTION(true),
    TARGET_OPTION,
    ADJACENCY_OPTION(false),
    UPPER_OPTION,
    JSON_OPTION,
};
static const app_option gaussian_options[] = {
    APP_OPTION("sigma", '\0', APP_REAL, "S", "(0, 1e300]", sigma, false, "standard deviation of the noise"),
    SENSITIVITY_OPTION("l2"),
    STEPS_OPTION,
    DELTA_OPTION(true),
    TARGET_OPTION,
    ADJACENCY_OPTION(false),
    UPPER_OPTION,
    JSON_OPTION,
};
static const app_option laplace_options[] = {
    APP_OPTION("scale", '\0', APP_REAL, "B", "(0, 1e300]", scale, false, "scale of the noise"),
    SENSITIVITY_OPTION("l1"),
    STEPS_OPTION,
    DELTA_OPTION(true),
    TARGET_OPTION,
    ADJACENCY_OPTION(false),
    UPPER_OPTION,
    JSON_OPTION,
};
static const app_option query_options[] = {
    APP_OPTION("lines", '\0', APP_FLAG, NULL, NULL, has_lines, false, "one entry a line, one answer a line"),
    APP_OPTION("json", '\0', APP_FLAG, NULL, NULL, is_json, false, "accepted: answers are always JSON"),
};

#define FILE_COMMAND(word, text, table)                                                                                          \
    {                                                                                                                            \
        .name = word, .operands = { "FILE" }, .required_operands = 1, .help = text, APP_OPTIONS(table)                           \
    }
#define FORM_COMMAND(word, text, table)                                                                                          \
    {                                                                                                                            \
        .name = word, .required_operands = 0, .help = text, APP_OPTIONS(table)                                                   \
    }

static const app_command commands[] = {
    FILE_COMMAND("eps", "epsilon of a schedule at --delta (FILE: JSON; - is standard input)", eps_options),
    FILE_COMMAND("delta", "delta of a schedule at --epsilon", delta_options),
    FILE_COMMAND("rdp", "Renyi divergence of a schedule at --order", rdp_options),
    FILE_COMMAND("calibrate", "the value that a null stands for: least sigma or scale, greatest q or count", calibrate_options),
    FILE_COMMAND(
        "curve", "draws the privacy curve and the trade-off curve (add-remove unless --adjacency says otherwise)", curve_options),
    FORM_COMMAND("dpsgd",
        "Gaussian steps on Poisson samples: every step draws each record anew, independently. Batches of a fixed size, or "
        "shuffled ones, are another mechanism, which this does not cover. Neighbours are add-remove unless --adjacency says "
        "otherwise",
        dpsgd_options),
    FORM_COMMAND("gaussian", "Gaussian noise (add-remove unless --adjacency says otherwise)", gaussian_options),
    FORM_COMMAND("laplace", "Laplace noise (add-remove unless --adjacency says otherwise)", laplace_options),
    FILE_COMMAND("query", "answers an entry of a reference table (tests/vectors), in JSON", query_options),
};

static const app_program program = {
    .name = "nw-account",
    .summary = "certified privacy accounting",
    .commands = commands,
    .command_count = sizeof commands / sizeof *commands,
    .details = "A schedule is JSON: an event, or a list of events. A thousand steps of DP-SGD:\n"
               "  {\"type\": \"poisson_subsampled\", \"q\": 0.01, \"count\": 1000,\n"
               "   \"base\": {\"type\": \"gaussian\", \"sigma\": 1.1, \"sensitivity\": 1}}\n"
               "All types: nw-account(1). An answer is an interval that holds the truth; the\n"
               "number in front is its safe end. It holds for a schedule that is fixed\n"
               "beforehand; what is chosen on the way belongs into a ledger, nw-ledger(1).\n"
               "\n"
               "Exit: 0 done; 3 no value meets the target; 64 usage; 65 malformed data; 66 no\n"
               "such file; 70 internal; 73 cannot be created; 74 input or output failed.\n"
               "\n"
               "Examples:\n"
               "  nw-account dpsgd --q 0.01 --sigma 1 --steps 10000 --delta 1e-5\n"
               "  nw-account dpsgd --batch-size 256 --examples 60000 --epochs 60 \\\n"
               "      --epsilon 2 --delta 1e-5\n"
               "  nw-account eps schedule.json --delta 1e-6 --adjacency add-remove\n",
};

static int fail(const char *subject, const nw_error *err)
{
    const bool is_data = err->status == NW_E_UNSUPPORTED || err->status == NW_E_ARG || err->status == NW_E_FORMAT;
    return app_fail(is_data ? APP_DATA : app_exit_code(err->status), subject, "%s", err->message);
}

/* "epsilon   6.18775 at delta 1e-05": the safe end; an end that is not finite in words. */
static void print_bounds(const answer *a, bool is_upper_only)
{
    char upper[APP_NUMBER_SIZE];
    char lower[APP_NUMBER_SIZE];
    const bool is_unbounded = isinf(a->upper);
    printf("%-9s %s at %s %.6g", a->quantity, is_unbounded ? "unbounded" : app_text_up(a->upper, upper), a->given_name, a->given);
    if (!is_upper_only && !isnan(a->lower))
        printf(" (certified: at least %s)", app_text_down(a->lower, lower));
    if (is_unbounded)
        printf(", %s, no finite bound is known, %.3f s\n", nw_adjacency_name(a->adjacency), a->seconds);
    else
        printf(", %s, %s, %.3f s\n", nw_adjacency_name(a->adjacency), a->method, a->seconds);
}

/* A scale is rounded upwards, a rate downwards: what is printed meets the target, too. */
static void print_calibrated(const answer *a)
{
    char value[APP_NUMBER_SIZE];
    char limit[APP_NUMBER_SIZE];
    char epsilon[APP_NUMBER_SIZE];
    const bool is_least = a->lower < a->value;
    if (is_least)
        printf("%-9s %s (certified: at least %s", a->quantity, app_text_up(a->value, value), app_text_down(a->lower, limit));
    else if (a->is_count)
        printf("%-9s %.0f (certified: at most %.0f", a->quantity, a->value, a->upper);
    else
        printf("%-9s %s (certified: at most %s", a->quantity, app_text_down(a->value, value), app_text_up(a->upper, limit));
    printf("; epsilon at most %s at delta %.6g), %s, %s, %.3f s\n", app_text_up(a->epsilon, epsilon), a->given,
        nw_adjacency_name(a->adjacency), a->method, a->seconds);
}

static int print_answer(const settings *s, const answer *a)
{
    if (s->is_json)
        return app_print_json(answer_json(a, a->quantity));
    if (a->is_calibrated)
        print_calibrated(a);
    else
        print_bounds(a, s->is_upper_only);
    return fflush(stdout) == 0 ? APP_OK : app_fail(APP_IO, "standard output", "could not be written");
}

static int read_json(const char *path, json_t **out)
{
    char *text = NULL;
    json_error_t error;
    int code = app_check_input(path);
    if (code == APP_OK)
        code = app_read_text(path, MAX_INPUT_BYTES, &text);
    if (code != APP_OK)
        return code;
    *out = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    free(text);
    return *out != NULL ? APP_OK : app_fail(APP_DATA, path, "line %d, column %d: %s", error.line, error.column, error.text);
}

static int read_event(const char *path, nw_event **event)
{
    nw_error err;
    char *text = NULL;
    int code = app_check_input(path);
    if (code == APP_OK)
        code = app_read_text(path, MAX_INPUT_BYTES, &text);
    if (code != APP_OK)
        return code;
    const nw_status status = nw_event_from_json(event, text, &err);
    free(text);
    return status == NW_OK ? APP_OK : fail(path, &err);
}

static int ask(const settings *s, const nw_event *event, const char *subject, const char *quantity, double given)
{
    nw_error err;
    answer a;
    const question q = { quantity, given, adjacencies[s->adjacency], s->is_upper_only };
    return answer_event(event, &q, &a, &err) == NW_OK ? print_answer(s, &a) : fail(subject, &err);
}

static int ask_file(const settings *s, const char *quantity, double given)
{
    nw_event *event = NULL;
    int code = read_event(s->operands[0], &event);
    if (code == APP_OK)
        code = ask(s, event, s->operands[0], quantity, given);
    nw_event_free(event);
    return code;
}

static int run_eps(const settings *s)
{
    return ask_file(s, "epsilon", s->delta);
}

static int run_delta(const settings *s)
{
    return ask_file(s, "delta", s->epsilon);
}

static int run_rdp(const settings *s)
{
    return ask_file(s, "rdp", s->order);
}

/* `name`: what the answer is called, NULL for the parameter's own name. */
static int calibrate_json(const settings *s, const char *subject, const json_t *schedule, const char *name)
{
    nw_error err;
    answer a;
    if (answer_calibrate(schedule, s->epsilon, s->delta, adjacencies[s->adjacency], &a, &err) != NW_OK)
        return fail(subject, &err);
    a.quantity = name == NULL ? a.quantity : name;
    return print_answer(s, &a);
}

static int run_calibrate(const settings *s)
{
    json_t *root = NULL;
    int code = read_json(s->operands[0], &root);
    if (code == APP_OK)
        code = calibrate_json(s, s->operands[0], root, NULL);
    json_decref(root);
    return code;
}

static int run_curve(const settings *s)
{
    nw_error err;
    nw_event *event = NULL;
    char *svg = NULL;
    int code = app_check_output(s->svg);
    if (code == APP_OK)
        code = read_event(s->operands[0], &event);
    if (code != APP_OK)
        return code;
    if (curve_svg(event, adjacencies[s->adjacency], &svg, &err) != NW_OK)
        code = fail(s->operands[0], &err);
    else
        code = app_write_text(s->svg, svg);
    free(svg);
    nw_event_free(event);
    return code;
}

/* A short form: an event with all its numbers, or with one that is null if there is a target. */
static int run_form(const settings *s, json_t *event)
{
    nw_error err;
    nw_event *parsed = NULL;
    int code = APP_INTERNAL;
    char *text = NULL;
    if (s->epsilon > 0.0) {
        const bool asks_steps = json_is_null(json_object_get(event, "count"));
        code = event == NULL ? app_fail(APP_INTERNAL, NULL, "memory is exhausted")
                             : calibrate_json(s, NULL, event, asks_steps ? "steps" : NULL);
    } else if (event == NULL || (text = json_dumps(event, JSON_COMPACT)) == NULL) {
        code = app_fail(APP_INTERNAL, NULL, "memory is exhausted");
    } else if (nw_event_from_json(&parsed, text, &err) != NW_OK) {
        code = app_fail(APP_USAGE, NULL, "%s", err.message);
    } else {
        code = ask(s, parsed, NULL, "epsilon", s->delta);
    }
    json_decref(event);
    free(text);
    nw_event_free(parsed);
    return code;
}

static json_t *open_or(double value)
{
    return value > 0.0 ? json_real(value) : json_null();
}

static json_t *count_or_open(uint64_t count)
{
    return count > 0 ? json_integer((json_int_t)count) : json_null();
}

/* A number that may be left out. */
typedef struct opening {
    const char *name;
    bool is_open;
} opening;

/* With a target one of them is left out, without one none. */
static int check_open(const settings *s, const opening *all, size_t n)
{
    const char *first = NULL;
    size_t open = 0;
    for (size_t i = 0; i < n; i++) {
        open += all[i].is_open;
        first = first == NULL && all[i].is_open ? all[i].name : first;
    }
    if (s->epsilon > 0.0 ? open == 1 : open == 0)
        return APP_OK;
    if (first != NULL)
        return app_fail(APP_USAGE, first, "missing, must be given; one number is left out only if --epsilon is a target");
    return app_fail(
        APP_USAGE, "--epsilon", "is a target, but %s and the rest are given: one number must be left out", all[0].name);
}

/* --batch-size and --examples to --q, --epochs to --steps, each rounded to the costlier side. */
static int resolve_dpsgd(settings *s)
{
    if (s->batch_size > 0 && s->q > 0.0)
        return app_fail(APP_USAGE, "--batch-size", "given beside --q, must be one of them");
    if ((s->batch_size > 0) != (s->examples > 0))
        return app_fail(APP_USAGE, s->batch_size > 0 ? "--examples" : "--batch-size", "missing, both or none must be given");
    if (s->batch_size > s->examples)
        return app_fail(APP_USAGE, "--batch-size", "is %llu, must be at most --examples, %llu", (unsigned long long)s->batch_size,
            (unsigned long long)s->examples);
    if (s->batch_size > 0)
        s->q = fmin(1.0, nextafter((double)s->batch_size / (double)s->examples, 2.0));
    if (s->epochs > 0.0 && (s->steps > 0 || s->q == 0.0))
        return app_fail(APP_USAGE, "--epochs",
            s->steps > 0 ? "given beside --steps, must be one of them" : "given without --q or --batch-size");
    if (s->epochs > 0.0) {
        const double per_epoch = s->batch_size > 0 ? (double)s->examples / (double)s->batch_size : 1.0 / s->q;
        const double steps = ceil(s->epochs * per_epoch * (1.0 - 0x1p-50)); /* 10 / .1 is 100, not 101 */
        if (steps > 4e18)
            return app_fail(APP_USAGE, "--epochs", "makes %g steps, must be at most 4e18", steps);
        s->steps = (uint64_t)steps;
    }
    return APP_OK;
}

static int run_dpsgd(const settings *given)
{
    settings s = *given;
    int code = resolve_dpsgd(&s);
    if (code == APP_OK)
        code =
            check_open(&s, (opening[]){ { "--sigma", s.sigma == 0.0 }, { "--q", s.q == 0.0 }, { "--steps", s.steps == 0 } }, 3);
    if (code != APP_OK)
        return code;
    if (s.batch_size > 0 || s.epochs > 0.0)
        app_note("sampling rate %.6g, %llu steps; samples must be drawn anew for every step, not shuffled", s.q,
            (unsigned long long)s.steps);
    return run_form(&s, json_pack("{s:s, s:o, s:o, s:{s:s, s:o, s:f}}", "type", "poisson_subsampled", "q", open_or(s.q), "count",
                            count_or_open(s.steps), "base", "type", "gaussian", "sigma", open_or(s.sigma), "sensitivity", 1.0));
}

/* --steps is 1 unless it is what is asked for. */
static int run_noise(const settings *s, const char *type, const char *parameter, double noise)
{
    const bool asks_steps = s->epsilon > 0.0 && noise > 0.0;
    const uint64_t steps = s->steps == 0 && !asks_steps ? 1 : s->steps;
    const int code = check_open(s, (opening[]){ { parameter, noise == 0.0 }, { "--steps", steps == 0 } }, 2);
    if (code != APP_OK)
        return code;
    if (noise > 0.0 && !(s->sensitivity / noise <= 1e100))
        return app_fail(APP_USAGE, parameter, "is %g, must be at least 1e-100 times --sensitivity, %g", noise, s->sensitivity);
    return run_form(s, json_pack("{s:s, s:o, s:f, s:o}", "type", type, parameter + 2, open_or(noise), "sensitivity",
                           s->sensitivity, "count", count_or_open(steps)));
}

static int run_gaussian(const settings *s)
{
    return run_noise(s, "gaussian", "--sigma", s->sigma);
}

static int run_laplace(const settings *s)
{
    return run_noise(s, "laplace", "--scale", s->scale);
}

/* The answer to one entry, or what is wrong with it. */
static nw_status query_text(const char *text, size_t length, bool is_line, answer *a, nw_error *err)
{
    json_error_t error;
    if (strlen(text) != length)
        return answer_malformed(err, "has a NUL byte, must be text");
    json_t *entry = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (entry == NULL && is_line)
        return answer_malformed(err, "column %d: %s", error.column, error.text);
    if (entry == NULL)
        return answer_malformed(err, "line %d, column %d: %s", error.line, error.column, error.text);
    const nw_status status = answer_query(entry, a, err);
    json_decref(entry);
    return status;
}

/* One line in, one line out, at once: another program may wait for it. */
static int query_line(const char *line, size_t length)
{
    nw_error err;
    answer a;
    if (query_text(line, length, true, &a, &err) == NW_OK)
        return app_print_json(answer_json(&a, "value"));
    json_t *object = json_object();
    app_json_put(&object, "error", app_json_text(err.message));
    const int code = app_print_json(object);
    return code == APP_OK ? APP_DATA : code;
}

static int query_lines(const char *path)
{
    char *line = NULL;
    size_t size = 0;
    int code = APP_OK;
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");
    if (file == NULL)
        return app_fail(APP_NO_INPUT, path, "%s, must be a readable file", strerror(errno));
    for (ssize_t length; code != APP_IO && (length = getline(&line, &size, file)) >= 0;) {
        if (line[strspn(line, " \t\r\n")] == '\0' && strlen(line) == (size_t)length)
            continue;
        const int line_code = query_line(line, (size_t)length);
        code = line_code != APP_OK ? line_code : code;
    }
    if (code != APP_IO && ferror(file) != 0)
        code = app_fail(APP_IO, path, "%s while reading", strerror(errno));
    free(line);
    if (file != stdin)
        fclose(file);
    return code;
}

static int run_query(const settings *s)
{
    char *text = NULL;
    nw_error err;
    answer a;
    int code = app_check_input(s->operands[0]);
    if (code == APP_OK && s->has_lines)
        return query_lines(s->operands[0]);
    if (code == APP_OK)
        code = app_read_text(s->operands[0], MAX_INPUT_BYTES, &text);
    if (code != APP_OK)
        return code;
    code = query_text(text, strlen(text), false, &a, &err) == NW_OK ? app_print_json(answer_json(&a, "value"))
                                                                    : fail(s->operands[0], &err);
    free(text);
    return code;
}

int main(int argc, char **argv)
{
    /* in the order of `commands` */
    static int (*const run[])(const settings *) = { run_eps, run_delta, run_rdp, run_calibrate, run_curve, run_dpsgd,
        run_gaussian, run_laplace, run_query };
    settings s = { .sensitivity = 1.0 };
    const app_command *command;
    int code;
    if (!app_parse(&program, argc, argv, &s, &command, &code))
        return code;
    app_signals_install();
    return run[command - commands](&s);
}
