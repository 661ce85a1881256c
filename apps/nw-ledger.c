/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* nw-ledger - makes, shows, verifies, exports and charges ledger files. */
#include "common/exit.h"
#include "common/files.h"
#include "common/json.h"
#include "common/numbers.h"
#include "common/options.h"
#include "common/receipt.h"
#include "common/signals.h"
#include "ledger_show.h"

#include <noisewright.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_EVENT_BYTES ((size_t)16 << 20)
#define MAX_DOCUMENT_BYTES ((size_t)1 << 30)

typedef struct settings {
    const char *operands[APP_MAX_OPERANDS];
    double epsilon;
    double delta;
    unsigned adjacency; /* into adjacencies[] */
    unsigned filter;    /* into filters[] */
    const char *unit;
    double order;
    const char *anchor;
    const char *label;
    const char *group;
    const char *output;
    const char *schedule;
    uint64_t steps;
    uint64_t used;
    bool is_json;
    bool is_quiet;
} settings;

static const nw_adjacency adjacencies[] = { NW_ADD_REMOVE, NW_REPLACE_ONE, NW_ZERO_OUT, NW_REPLACE_LABEL };
static const nw_filter filters[] = { NW_FILTER_AUTO, NW_FILTER_GDP, NW_FILTER_ZCDP, NW_FILTER_PURE, NW_FILTER_RENYI };

#define JSON_OPTION APP_OPTION("json", '\0', APP_FLAG, NULL, NULL, is_json, false, "print one JSON object on standard output")
#define QUIET_OPTION APP_OPTION("quiet", 'q', APP_FLAG, NULL, NULL, is_quiet, false, "print errors only")

static const app_option create_options[] = {
    APP_OPTION("epsilon", 'e', APP_REAL, "E", "(0, 64]", epsilon, true, "budget: the loss that all releases together may have"),
    APP_OPTION("delta", 'd', APP_REAL, "D", "[0, 1)", delta, true, "budget: the probability left outside of epsilon"),
    APP_OPTION("adjacency", 'a', APP_CHOICE, NULL, "add-remove|replace-one|zero-out|replace-label", adjacency, true,
        "which two tables are neighbours"),
    APP_OPTION("filter", '\0', APP_CHOICE, NULL, "auto|gdp|zcdp|pure|renyi", filter, false,
        "what is added up; auto is pure if delta is 0, else gdp"),
    APP_OPTION("order", '\0', APP_REAL, "A", "(1, 1e6]", order, false, "with filter renyi: of the divergence"),
    APP_OPTION("schedule", 's', APP_FILE, "EVENT.json", NULL, schedule, false,
        "spend the budget as this event, step by step, and on nothing else; instead of a filter"),
    APP_OPTION("unit", 'u', APP_TEXT, "TEXT", NULL, unit, false,
        "what one record is; default \"one record\", with replace-label \"label\""),
    JSON_OPTION,
    QUIET_OPTION,
};
static const app_option group_options[] = {
    APP_OPTION("epsilon", 'e', APP_REAL, "E", "(0, 64]", epsilon, true, "the group's share of the budget"),
    APP_OPTION("delta", 'd', APP_REAL, "D", "[0, 1)", delta, true, "the group's share of the budget"),
    JSON_OPTION,
    QUIET_OPTION,
};
static const app_option show_options[] = { JSON_OPTION };
static const app_option verify_options[] = {
    APP_OPTION("anchor", '\0', APP_FILE, "HEAD|FILE", NULL, anchor, false,
        "a head from a receipt, which the ledger must still hold; or a file with one, or with a receipt or an export"),
    JSON_OPTION,
    QUIET_OPTION,
};
#define LABEL_OPTION APP_OPTION("label", 'l', APP_TEXT, "TEXT", NULL, label, true, "what the release is called")
#define GROUP_OPTION                                                                                                             \
    APP_OPTION("group", 'g', APP_TEXT, "NAME", NULL, group, false, "whose share it must fit into, besides the whole")
static const app_option charge_options[] = { LABEL_OPTION, GROUP_OPTION, JSON_OPTION, QUIET_OPTION };
static const app_option reserve_options[] = {
    APP_OPTION("steps", 'n', APP_COUNT, "N", "[1, 1e15]", steps, true, "how many times the event may be drawn"),
    LABEL_OPTION,
    GROUP_OPTION,
    JSON_OPTION,
    QUIET_OPTION,
};
static const app_option commit_options[] = {
    APP_OPTION("used", 'n', APP_COUNT, "N", "[0, 1e15]", used, true, "how many of the steps were drawn"),
    JSON_OPTION,
    QUIET_OPTION,
};
static const app_option export_options[] = {
    APP_OPTION("output", 'o', APP_FILE, "FILE", NULL, output, false, "where to write; default standard output"),
};

static const app_command commands[] = {
    {
        .name = "create",
        .operands = { "LEDGER" },
        .required_operands = 1,
        .help = "makes a new ledger file",
        APP_OPTIONS(create_options),
    },
    {
        .name = "group",
        .operands = { "add", "LEDGER", "NAME" },
        .required_operands = 3,
        .help = "gives a group (a team, a data set) a share of the budget",
        APP_OPTIONS(group_options),
    },
    {
        .name = "show",
        .operands = { "LEDGER" },
        .required_operands = 1,
        .help = "prints the budget, what is spent and what remains, and every charge",
        APP_OPTIONS(show_options),
    },
    {
        .name = "verify",
        .operands = { "LEDGER" },
        .required_operands = 1,
        .help = "recomputes the chain of charges and every loss, of a file or an export",
        APP_OPTIONS(verify_options),
    },
    {
        .name = "export",
        .operands = { "LEDGER" },
        .required_operands = 1,
        .help = "writes the whole ledger as one JSON document, which show and verify read",
        APP_OPTIONS(export_options),
    },
    {
        .name = "charge",
        .operands = { "LEDGER", "EVENT.json" },
        .required_operands = 2,
        .help = "records spending made elsewhere: the event is in the JSON form of the library (- is standard input)",
        APP_OPTIONS(charge_options),
    },
    {
        .name = "reserve",
        .operands = { "LEDGER", "EVENT.json" },
        .required_operands = 2,
        .help = "charges many steps of a job made elsewhere at once",
        APP_OPTIONS(reserve_options),
    },
    {
        .name = "commit",
        .operands = { "LEDGER", "RESERVATION" },
        .required_operands = 2,
        .help = "replaces a reservation, by its number, by the steps that were used",
        APP_OPTIONS(commit_options),
    },
};

static const app_program program = {
    .name = "nw-ledger",
    .summary = "makes, shows and verifies privacy budgets",
    .commands = commands,
    .command_count = sizeof commands / sizeof *commands,
    .details = "Exit: 0 done; 3 over the budget; 64 usage; 65 not a ledger, or altered; 66 no\n"
               "such file; 70 internal; 73 cannot be created; 74 input or output failed.\n"
               "\n"
               "Example:\n"
               "  nw-ledger create census.nwl --epsilon 4 --delta 1e-9 --adjacency add-remove\n"
               "  nw-ledger show census.nwl\n",
};

/* True if the file begins like a JSON document: an export. */
static bool is_document(const char *path)
{
    FILE *file = fopen(path, "rb");
    const int first = file == NULL ? EOF : fgetc(file);
    if (file != NULL)
        fclose(file);
    return first == '{';
}

static int open_readonly(const settings *s, nw_ledger **ledger)
{
    nw_error err;
    const char *path = s->operands[0];
    char *text = NULL;
    int code = app_check_input(path);
    if (code != APP_OK)
        return code;
    if (strcmp(path, "-") != 0 && !is_document(path))
        return nw_ledger_open_readonly(ledger, path, &err) == NW_OK ? APP_OK : app_fail_error(path, &err);
    code = app_read_text(path, MAX_DOCUMENT_BYTES, &text);
    if (code != APP_OK)
        return code;
    const nw_status status = nw_ledger_from_json(ledger, text, &err);
    free(text);
    return status == NW_OK ? APP_OK : app_fail_error(path, &err);
}

static int read_event(const char *path, nw_event **event)
{
    nw_error err;
    char *text = NULL;
    const int code = app_read_text(path, MAX_EVENT_BYTES, &text);
    if (code != APP_OK)
        return code;
    const nw_status status = nw_event_from_json(event, text, &err);
    free(text);
    if (status == NW_OK)
        return APP_OK;
    return app_fail(status == NW_E_UNSUPPORTED || status == NW_E_ARG ? APP_DATA : app_exit_code(status), path, "%s", err.message);
}

static int create(const settings *s)
{
    nw_error err;
    nw_ledger *ledger = NULL;
    nw_ledger_summary summary;
    nw_ledger_opts opts = NW_LEDGER_OPTS_INIT;
    nw_event *schedule = NULL;
    const char *path = s->operands[0];
    opts.epsilon = s->epsilon;
    opts.delta = s->delta;
    opts.adjacency = adjacencies[s->adjacency];
    opts.filter = filters[s->filter];
    opts.order = s->order;
    if (s->schedule != NULL) {
        const int code = read_event(s->schedule, &schedule);
        if (code != APP_OK)
            return code;
    }
    opts.schedule = schedule;
    if (s->unit != NULL || opts.adjacency == NW_REPLACE_LABEL)
        opts.unit = s->unit != NULL ? s->unit : "label";
    app_signals_defer(true); /* a few milliseconds, in which a temporary file exists */
    nw_status status = nw_ledger_create(&ledger, path, &opts, &err);
    nw_event_free(schedule);
    if (status == NW_E_IO)
        return app_fail(APP_CANNOT_CREATE, path, "%s", err.message);
    if (status == NW_OK)
        status = nw_ledger_summarise(ledger, &summary, &err);
    nw_ledger_close(ledger);
    if (status != NW_OK)
        return app_fail_error(path, &err);
    if (s->is_json)
        return app_print_json(ledger_summary_json(path, &summary));
    if (!s->is_quiet)
        ledger_print_summary(path, &summary);
    return APP_OK;
}

static int group_add(const settings *s)
{
    nw_error err;
    nw_ledger *ledger = NULL;
    nw_ledger_summary summary;
    const char *path = s->operands[1];
    const char *name = s->operands[2];
    if (strcmp(s->operands[0], "add") != 0)
        return app_fail(APP_USAGE, s->operands[0], "must be add");
    const int code = app_check_input(path);
    if (code != APP_OK)
        return code;
    app_signals_defer(true);
    nw_status status = nw_ledger_open(&ledger, path, &err);
    if (status == NW_OK)
        status = nw_ledger_add_group(ledger, name, s->epsilon, s->delta, &err);
    if (status == NW_OK)
        status = nw_ledger_summarise_group(ledger, name, &summary, &err);
    nw_ledger_close(ledger);
    if (status != NW_OK)
        return app_fail_error(path, &err);
    if (s->is_json)
        return app_print_json(ledger_group_json(name, &summary));
    if (!s->is_quiet)
        ledger_print_group(name, &summary);
    return APP_OK;
}

static int show(const settings *s)
{
    nw_ledger *ledger = NULL;
    int code = open_readonly(s, &ledger);
    if (code == APP_OK)
        code = ledger_show(ledger, s->operands[0], s->is_json);
    nw_ledger_close(ledger);
    return code;
}

/* A head as it is, or the one in a file: the "head" of a JSON object, or the first word. */
static int read_anchor(const char *given, char head[NW_LEDGER_HEAD_SIZE])
{
    char *text = NULL;
    FILE *file = fopen(given, "rb");
    snprintf(head, NW_LEDGER_HEAD_SIZE, "%s", given);
    if (file == NULL)
        return APP_OK;
    fclose(file);
    const int code = app_read_text(given, MAX_DOCUMENT_BYTES, &text);
    if (code != APP_OK)
        return code;
    json_t *object = json_loads(text, 0, NULL);
    const char *stated = json_string_value(json_object_get(object, "head"));
    const char *first = text + strspn(text, " \t\r\n");
    if (stated != NULL)
        snprintf(head, NW_LEDGER_HEAD_SIZE, "%s", stated);
    else
        snprintf(head, NW_LEDGER_HEAD_SIZE, "%.*s", (int)strcspn(first, " \t\r\n"), first);
    json_decref(object);
    free(text);
    return APP_OK;
}

static int verify(const settings *s)
{
    nw_error err;
    nw_ledger *ledger = NULL;
    nw_ledger_summary summary;
    const char *path = s->operands[0];
    char anchor[NW_LEDGER_HEAD_SIZE];
    int code = s->anchor == NULL ? APP_OK : read_anchor(s->anchor, anchor);
    if (code == APP_OK)
        code = open_readonly(s, &ledger);
    if (code != APP_OK)
        return code;
    nw_status status = nw_ledger_verify(ledger, s->anchor == NULL ? NULL : anchor, &err);
    if (status == NW_OK)
        status = nw_ledger_summarise(ledger, &summary, &err);
    nw_ledger_close(ledger);
    if (status != NW_OK)
        return app_fail_error(path, &err);
    if (s->is_json) {
        json_t *object = json_object();
        app_json_put(&object, "ledger", app_json_text(path));
        app_json_put(&object, "verified", json_true());
        app_json_put(&object, "charges", json_integer((json_int_t)summary.charges));
        app_json_put(&object, "head", json_string(summary.head));
        return app_print_json(object);
    }
    if (!s->is_quiet)
        printf("%s: verified, %llu charge%s, head %s\n", path, (unsigned long long)summary.charges,
            summary.charges == 1 ? "" : "s", summary.head);
    return APP_OK;
}

static int write_line(const char *path, const char *text)
{
    const size_t length = strlen(text);
    char *line = malloc(length + 2);
    int code = APP_OK;
    if (line == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    memcpy(line, text, length);
    memcpy(line + length, "\n", 2);
    if (path != NULL && strcmp(path, "-") != 0)
        code = app_write_text(path, line);
    else if (fputs(line, stdout) < 0 || fflush(stdout) != 0)
        code = app_fail(APP_IO, "standard output", "could not be written");
    free(line);
    return code;
}

static int export(const settings *s)
{
    nw_error err;
    nw_ledger *ledger = NULL;
    char *text = NULL;
    int code = open_readonly(s, &ledger);
    if (code != APP_OK)
        return code;
    const nw_status status = nw_ledger_to_json(ledger, &text, &err);
    nw_ledger_close(ledger);
    if (status != NW_OK)
        return app_fail_error(s->operands[0], &err);
    code = write_line(s->output, text);
    nw_string_free(text);
    return code;
}

static int finish(const settings *s, nw_ledger *ledger, nw_status status, const nw_receipt *receipt, const nw_error *err)
{
    const char *path = s->operands[0];
    nw_ledger_close(ledger);
    if (status != NW_OK)
        return app_fail_error(path, err);
    if (s->is_json) {
        json_t *object = app_receipt_json(receipt);
        if (receipt->group[0] != '\0')
            app_json_put(&object, "group", json_string(receipt->group));
        app_json_put(&object, "steps", json_integer((json_int_t)receipt->steps));
        return app_print_json(object);
    }
    if (!s->is_quiet)
        app_receipt_print(stdout, receipt, path);
    return APP_OK;
}

/* A charge, or with steps a reservation. */
static int charge(const settings *s)
{
    nw_error err;
    nw_event *event = NULL;
    nw_ledger *ledger = NULL;
    nw_receipt receipt;
    uint64_t reservation = 0;
    const char *path = s->operands[0];
    int code = app_check_input(path);
    if (code == APP_OK)
        code = read_event(s->operands[1], &event);
    if (code != APP_OK)
        return code;
    app_signals_defer(true); /* once charged, the receipt is printed */
    nw_status status = nw_ledger_open(&ledger, path, &err);
    if (status == NW_OK)
        status = s->steps == 0
                     ? nw_ledger_charge_group(ledger, s->group, event, s->label, NULL, &receipt, &err)
                     : nw_ledger_reserve(ledger, s->group, event, s->steps, s->label, NULL, &reservation, &receipt, &err);
    nw_event_free(event);
    code = finish(s, ledger, status, &receipt, &err);
    if (code == APP_OK && reservation != 0 && !s->is_json && !s->is_quiet)
        printf("reservation  %llu: nw-ledger commit, when the job is done, gives back what it did not use\n",
            (unsigned long long)reservation);
    return code;
}

static int commit(const settings *s)
{
    nw_error err;
    nw_ledger *ledger = NULL;
    nw_receipt receipt;
    uint64_t reservation = 0;
    const int code = app_check_input(s->operands[0]);
    if (!app_parse_count(s->operands[1], &reservation) || reservation == 0)
        return app_fail(APP_USAGE, "RESERVATION", "is \"%s\", must be the number of a reservation", s->operands[1]);
    if (code != APP_OK)
        return code;
    app_signals_defer(true);
    nw_status status = nw_ledger_open(&ledger, s->operands[0], &err);
    if (status == NW_OK)
        status = nw_ledger_commit(ledger, reservation, s->used, &receipt, &err);
    return finish(s, ledger, status, &receipt, &err);
}

int main(int argc, char **argv)
{
    /* in the order of `commands` */
    static int (*const run[])(const settings *) = { create, group_add, show, verify, export, charge, charge, commit };
    settings s = { 0 };
    const app_command *command;
    int code;
    if (!app_parse(&program, argc, argv, &s, &command, &code))
        return code;
    app_signals_install();
    return run[command - commands](&s);
}
