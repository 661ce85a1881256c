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

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_INPUT_BYTES ((size_t)64 << 20)

typedef struct settings {
    const char *operands[APP_MAX_OPERANDS];
    double epsilon, delta, order;
    double q, sigma, scale, sensitivity;
    uint64_t steps;
    unsigned adjacency; /* into adjacencies[] */
    const char *svg;
    bool is_json;
    bool has_lines;
    bool is_upper_only;
} settings;

static const nw_adjacency adjacencies[] = { NW_ADD_REMOVE, NW_REPLACE_ONE, NW_ZERO_OUT };

#define JSON_OPTION APP_OPTION("json", '\0', APP_FLAG, NULL, NULL, is_json, false, "print one JSON object on standard output")
#define UPPER_OPTION \
    APP_OPTION("upper-only", '\0', APP_FLAG, NULL, NULL, is_upper_only, false, "leave the lower end out: several times faster")
#define ADJACENCY_OPTION(is_required) \
    APP_OPTION("adjacency", 'a', APP_CHOICE, NULL, "add-remove|replace-one|zero-out", adjacency, is_required, \
        "which two tables are neighbours")
#define DELTA_OPTION(is_required) \
    APP_OPTION("delta", 'd', APP_REAL, "D", "[0, 1)", delta, is_required, "the probability left outside of epsilon")
#define EPSILON_OPTION(is_required) \
    APP_OPTION("epsilon", 'e', APP_REAL, "E", "[0, 1e6]", epsilon, is_required, "the loss, in nats")
#define TARGET_OPTION \
    APP_OPTION("epsilon", 'e', APP_REAL, "E", "(0, 1e6]", epsilon, false, "a target: prints the least noise that meets it")
#define STEPS_OPTION APP_OPTION("steps", 'n', APP_COUNT, "T", "[1, 4e18]", steps, false, "how many times; default 1")
#define SENSITIVITY_OPTION(norm) \
    APP_OPTION("sensitivity", 's', APP_REAL, "S", "(0, 1e100]", sensitivity, false, \
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
    APP_OPTION("q", 'q', APP_REAL, "Q", "(0, 1]", q, true, "sampling rate: each record enters a step with this probability"),
    APP_OPTION("sigma", '\0', APP_REAL, "S", "(0, 1e300]", sigma, false, "noise multiplier: noise / clipping norm"),
    STEPS_OPTION,
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

#define FILE_COMMAND(word, text, table) \
    { .name = word, .operands = { "FILE" }, .required_operands = 1, .help = text, APP_OPTIONS(table) }
#define FORM_COMMAND(word, text, table) { .name = word, .required_operands = 0, .help = text, APP_OPTIONS(table) }

static const app_command commands[] = {
    FILE_COMMAND("eps", "epsilon of a schedule at --delta (FILE: JSON; - is standard input)", eps_options),
    FILE_COMMAND("delta", "delta of a schedule at --epsilon", delta_options),
    FILE_COMMAND("rdp", "Renyi divergence of a schedule at --order", rdp_options),
    FILE_COMMAND("calibrate", "the value that a null stands for: least sigma or scale, greatest q or count", calibrate_options),
    FILE_COMMAND("curve", "draws the privacy curve and the trade-off curve", curve_options),
    FORM_COMMAND("dpsgd", "Poisson-sampled Gaussian steps (add-remove unless --adjacency says otherwise)", dpsgd_options),
    FORM_COMMAND("gaussian", "Gaussian noise", gaussian_options),
    FORM_COMMAND("laplace", "Laplace noise", laplace_options),
    FILE_COMMAND("query", "answers an entry of a reference table", query_options),
};

static const app_program program = {
    .name = "nw-account",
    .summary = "certified privacy accounting",
    .commands = commands,
    .command_count = sizeof commands / sizeof *commands,
    .details = "A schedule is a JSON event, or {\"mechanisms\": [...]}: see nw-account(1).\n"
               "\n"
               "Exit: 0 done; 3 no value meets the target; 64 usage; 65 malformed data; 66 no\n"
               "such file; 70 internal; 73 cannot be created; 74 input or output failed.\n"
               "\n"
               "Example:\n"
               "  nw-account dpsgd --q 0.01 --sigma 1 --steps 10000 --delta 1e-5\n",
};

static int fail(const char *subject, const nw_error *err)
{
    const bool is_data = err->status == NW_E_UNSUPPORTED || err->status == NW_E_ARG || err->status == NW_E_FORMAT;
    return app_fail(is_data ? APP_DATA : app_exit_code(err->status), subject, "%s", err->message);
}

static int print_answer(const settings *s, const answer *a)
{
    char upper[APP_NUMBER_SIZE];
    char lower[APP_NUMBER_SIZE];
    if (s->is_json)
        return app_print_json(answer_json(a, a->quantity));
    if (strcmp(a->quantity, "epsilon") == 0 || strcmp(a->quantity, "delta") == 0 || strcmp(a->quantity, "rdp") == 0) {
        printf("%-9s %s", a->quantity, app_text_up(a->upper, upper));
        if (!s->is_upper_only)
            printf(" (certified: at least %s)", app_text_down(a->lower, lower));
        printf(", %s, %s, %.3f s\n", nw_adjacency_name(a->adjacency), a->method, a->seconds);
    } else { /* a scale upwards, a rate downwards: what is printed meets the target, too */
        const char *value = strcmp(a->quantity, "sigma") == 0 || strcmp(a->quantity, "scale") == 0
                                ? app_text_up(a->value, lower)
                                : app_text_down(a->value, lower);
        if (strcmp(a->quantity, "count") == 0)
            snprintf(lower, sizeof lower, "%.0f", a->value);
        printf("%-9s %s (epsilon at most %s), %s, %s, %.3f s\n", a->quantity, value, app_text_up(a->epsilon, upper),
            nw_adjacency_name(a->adjacency), a->method, a->seconds);
    }
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

static int calibrate_json(const settings *s, const char *subject, const json_t *mechanisms)
{
    nw_error err;
    answer a;
    if (answer_calibrate(mechanisms, s->epsilon, s->delta, adjacencies[s->adjacency], &a, &err) != NW_OK)
        return fail(subject, &err);
    return print_answer(s, &a);
}

static int run_calibrate(const settings *s)
{
    json_t *root = NULL;
    int code = read_json(s->operands[0], &root);
    if (code != APP_OK)
        return code;
    const json_t *mechanisms = json_object_get(root, "mechanisms");
    if (mechanisms == NULL)
        mechanisms = root;
    if (json_is_array(mechanisms))
        code = calibrate_json(s, s->operands[0], mechanisms);
    else
        code = app_fail(APP_DATA, s->operands[0], "\"mechanisms\" must be a list");
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

/* A short form: the mechanism with its noise given, or open for a target. */
static int run_form(const settings *s, json_t *mechanism, const char *noise_name, double noise)
{
    nw_error err;
    nw_event *event = NULL;
    const bool has_target = s->epsilon > 0.0;
    if (has_target == (noise > 0.0)) {
        json_decref(mechanism);
        return app_fail(APP_USAGE, NULL, "--%s and --epsilon are %s, must be exactly one of them", noise_name,
            has_target ? "both given" : "both missing");
    }
    json_t *list = json_pack("{s:[o]}", "mechanisms", mechanism);
    if (has_target) {
        const int code = calibrate_json(s, NULL, json_object_get(list, "mechanisms"));
        json_decref(list);
        return code;
    }
    char *text = json_dumps(list, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(list);
    if (text == NULL)
        return app_fail(APP_INTERNAL, NULL, "memory is exhausted");
    const nw_status status = nw_event_from_json(&event, text, &err);
    free(text);
    if (status != NW_OK)
        return app_fail(APP_USAGE, NULL, "%s", err.message);
    const int code = ask(s, event, NULL, "epsilon", s->delta);
    nw_event_free(event);
    return code;
}

static json_t *open_or(double value)
{
    return value > 0.0 ? json_real(value) : json_null();
}

static int run_dpsgd(const settings *s)
{
    json_t *base = json_pack("{s:s, s:o, s:f}", "type", "gaussian", "sigma", open_or(s->sigma), "sensitivity", 1.0);
    return run_form(s,
        json_pack("{s:s, s:f, s:o, s:I}", "type", "poisson_subsampled", "q", s->q, "base", base, "count", (json_int_t)s->steps),
        "sigma", s->sigma);
}

static int run_gaussian(const settings *s)
{
    return run_form(s,
        json_pack("{s:s, s:o, s:f, s:I}", "type", "gaussian", "sigma", open_or(s->sigma), "sensitivity", s->sensitivity, "count",
            (json_int_t)s->steps),
        "sigma", s->sigma);
}

static int run_laplace(const settings *s)
{
    return run_form(s,
        json_pack("{s:s, s:o, s:f, s:I}", "type", "laplace", "scale", open_or(s->scale), "sensitivity", s->sensitivity, "count",
            (json_int_t)s->steps),
        "scale", s->scale);
}

/* One line of a query: always one line out. */
static int query_line(const char *line, bool is_first_error_final)
{
    nw_error err;
    json_error_t error;
    answer a;
    json_t *entry = json_loads(line, JSON_REJECT_DUPLICATES, &error);
    nw_status status = entry == NULL ? answer_malformed(&err, "line %d, column %d: %s", error.line, error.column, error.text)
                                     : answer_query(entry, &a, &err);
    json_decref(entry);
    if (status == NW_OK)
        return app_print_json(answer_json(&a, "value"));
    if (is_first_error_final)
        return fail("query", &err);
    json_t *object = json_object();
    app_json_put(&object, "error", app_json_text(err.message));
    const int code = app_print_json(object);
    return code == APP_OK ? APP_DATA : code;
}

static int run_query(const settings *s)
{
    char *text = NULL;
    int code = app_check_input(s->operands[0]);
    if (code == APP_OK)
        code = app_read_text(s->operands[0], MAX_INPUT_BYTES, &text);
    if (code != APP_OK)
        return code;
    if (!s->has_lines) {
        code = query_line(text, true);
        free(text);
        return code;
    }
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line != NULL && code != APP_IO; line = strsep(&rest, "\n")) {
        if (line[strspn(line, " \t\r")] == '\0')
            continue;
        const int line_code = query_line(line, false);
        code = line_code != APP_OK ? line_code : code;
    }
    free(text);
    return code;
}

int main(int argc, char **argv)
{
    /* in the order of `commands` */
    static int (*const run[])(const settings *) = { run_eps, run_delta, run_rdp, run_calibrate, run_curve, run_dpsgd,
        run_gaussian, run_laplace, run_query };
    settings s = { .sensitivity = 1.0, .steps = 1 };
    const app_command *command;
    int code;
    if (!app_parse(&program, argc, argv, &s, &command, &code))
        return code;
    app_signals_install();
    return run[command - commands](&s);
}
