/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* nw-ledger - makes, shows, verifies and charges ledger files. */
#include "common/exit.h"
#include "common/files.h"
#include "common/json.h"
#include "common/numbers.h"
#include "common/options.h"
#include "common/receipt.h"
#include "common/signals.h"

#include <noisewright.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_EVENT_BYTES ((size_t)16 << 20)

typedef struct settings {
    const char *operands[APP_MAX_OPERANDS];
    double epsilon;
    double delta;
    unsigned adjacency; /* into adjacencies[] */
    unsigned filter;    /* into filters[] */
    const char *unit;
    const char *anchor;
    const char *label;
    bool is_json;
    bool is_quiet;
} settings;

static const nw_adjacency adjacencies[] = { NW_ADD_REMOVE, NW_REPLACE_ONE, NW_ZERO_OUT };
static const nw_filter filters[] = { NW_FILTER_AUTO, NW_FILTER_GDP, NW_FILTER_ZCDP, NW_FILTER_PURE };

#define JSON_OPTION APP_OPTION("json", '\0', APP_FLAG, NULL, NULL, is_json, false, "print one JSON object on standard output")
#define QUIET_OPTION APP_OPTION("quiet", 'q', APP_FLAG, NULL, NULL, is_quiet, false, "print errors only")

static const app_option create_options[] = {
    APP_OPTION("epsilon", 'e', APP_REAL, "E", "(0, 64]", epsilon, true, "budget: the loss that all releases together may have"),
    APP_OPTION("delta", 'd', APP_REAL, "D", "[0, 1)", delta, true, "budget: the probability left outside of epsilon"),
    APP_OPTION("adjacency", 'a', APP_CHOICE, NULL, "add-remove|replace-one|zero-out", adjacency, true,
        "which two tables are neighbours"),
    APP_OPTION("filter", '\0', APP_CHOICE, NULL, "auto|gdp|zcdp|pure", filter, false,
        "what is added up; auto is pure if delta is 0, else gdp"),
    APP_OPTION("unit", 'u', APP_TEXT, "TEXT", NULL, unit, false, "what one record is; default \"one record\""),
    JSON_OPTION,
    QUIET_OPTION,
};
static const app_option show_options[] = { JSON_OPTION };
static const app_option verify_options[] = {
    APP_OPTION("anchor", '\0', APP_TEXT, "SEQ:MAC", NULL, anchor, false,
        "a head from a receipt, which the ledger must still hold"),
    JSON_OPTION,
    QUIET_OPTION,
};
static const app_option charge_options[] = {
    APP_OPTION("label", 'l', APP_TEXT, "TEXT", NULL, label, true, "what the release is called"),
    JSON_OPTION,
    QUIET_OPTION,
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
        .help = "recomputes the chain of charges and every loss",
        APP_OPTIONS(verify_options),
    },
    {
        .name = "charge",
        .operands = { "LEDGER", "EVENT.json" },
        .required_operands = 2,
        .help = "records spending made elsewhere: the event is in the JSON form of the library (- is standard input)",
        APP_OPTIONS(charge_options),
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

static int open_readonly(const settings *s, nw_ledger **ledger)
{
    nw_error err;
    const int code = app_check_input(s->operands[0]);
    if (code != APP_OK)
        return code;
    if (nw_ledger_open_readonly(ledger, s->operands[0], &err) != NW_OK)
        return app_fail_error(s->operands[0], &err);
    return APP_OK;
}

static json_t *amount_json(double epsilon, double delta)
{
    json_t *object = json_object();
    app_json_put(&object, "epsilon", app_json_real(epsilon));
    app_json_put(&object, "delta", app_json_real(delta));
    return object;
}

static json_t *summary_json(const char *path, const nw_ledger_summary *m)
{
    json_t *object = json_object();
    app_json_put(&object, "ledger", app_json_text(path));
    app_json_put(&object, "unit", app_json_text(m->unit));
    app_json_put(&object, "adjacency", json_string(nw_adjacency_name(m->adjacency)));
    app_json_put(&object, "filter", json_string(nw_filter_name(m->filter)));
    app_json_put(&object, "budget", amount_json(m->budget_epsilon, m->budget_delta));
    app_json_put(&object, "spent", amount_json(m->spent_epsilon, m->spent_delta));
    app_json_put(&object, "remaining", amount_json(m->remaining_epsilon, m->remaining_delta));
    app_json_put(&object, "used_fraction", app_json_real(m->used_fraction));
    app_json_put(&object, "charges", json_integer((json_int_t)m->charges));
    app_json_put(&object, "samples", json_integer((json_int_t)m->samples));
    app_json_put(&object, "head", json_string(m->head));
    return object;
}

static void print_summary(const char *path, const nw_ledger_summary *m)
{
    nw_ledger_summary plain = *m;
    char epsilon[APP_NUMBER_SIZE];
    char delta[APP_NUMBER_SIZE];
    char percent[APP_NUMBER_SIZE];
    printf("ledger     %s\n", path);
    printf("protected  %s, neighbours %s\n", app_plain(plain.unit), nw_adjacency_name(m->adjacency));
    printf("budget     epsilon %s, delta %s; filter %s\n", app_text_down(m->budget_epsilon, epsilon),
        app_text_down(m->budget_delta, delta), nw_filter_name(m->filter));
    printf("spent      epsilon %s, delta %s, rounded up; %s %% of the budget, %llu charge%s\n",
        app_text_up(m->spent_epsilon, epsilon), app_text_up(m->spent_delta, delta),
        app_text_up(100.0 * m->used_fraction, percent), (unsigned long long)m->charges,
        m->charges == 1 ? "" : "s");
    printf("remaining  epsilon %s, delta %s, rounded down: the largest single Gaussian release\n",
        app_text_down(m->remaining_epsilon, epsilon), app_text_down(m->remaining_delta, delta));
    printf("head       %s\n", m->head);
}

static int create(const settings *s)
{
    nw_error err;
    nw_ledger *ledger = NULL;
    nw_ledger_summary summary;
    nw_ledger_opts opts = NW_LEDGER_OPTS_INIT;
    const char *path = s->operands[0];
    opts.epsilon = s->epsilon;
    opts.delta = s->delta;
    opts.adjacency = adjacencies[s->adjacency];
    opts.filter = filters[s->filter];
    opts.unit = s->unit;
    app_signals_defer(true); /* a few milliseconds, in which a temporary file exists */
    nw_status status = nw_ledger_create(&ledger, path, &opts, &err);
    if (status == NW_E_IO)
        return app_fail(APP_CANNOT_CREATE, path, "%s", err.message);
    if (status == NW_OK)
        status = nw_ledger_summarise(ledger, &summary, &err);
    nw_ledger_close(ledger);
    if (status != NW_OK)
        return app_fail_error(path, &err);
    if (s->is_json)
        return app_print_json(summary_json(path, &summary));
    if (!s->is_quiet)
        print_summary(path, &summary);
    return APP_OK;
}

typedef struct listing {
    json_t *events; /* NULL: print lines */
    nw_adjacency adjacency;
    double delta;
} listing;

/* What the event would cost on its own, at the budget's delta; infinite if it cannot be said. */
static double epsilon_alone(const listing *list, const char *event_json)
{
    double epsilon = 0.0;
    nw_event *event = NULL;
    nw_status status = nw_event_from_json(&event, event_json, NULL);
    if (status == NW_OK)
        status = nw_event_epsilon(event, list->adjacency, list->delta, &epsilon, NULL, NULL);
    nw_event_free(event);
    return status == NW_OK ? epsilon : (double)INFINITY;
}

static bool list_charge(void *context, const nw_ledger_entry *entry)
{
    listing *list = context;
    const double epsilon = epsilon_alone(list, entry->event_json);
    char text[APP_NUMBER_SIZE];
    char label[sizeof((nw_receipt *)NULL)->label];
    if (list->events == NULL) {
        snprintf(label, sizeof label, "%s", entry->label);
        printf("%8llu  %-20s  epsilon %-12s  %s\n", (unsigned long long)entry->sequence, entry->time, app_text_up(epsilon, text),
            app_plain(label));
        return true;
    }
    json_t *object = json_object();
    app_json_put(&object, "sequence", json_integer((json_int_t)entry->sequence));
    app_json_put(&object, "time", json_string(entry->time));
    app_json_put(&object, "label", app_json_text(entry->label));
    app_json_put(&object, "epsilon_alone", app_json_real(epsilon));
    app_json_put(&object, "event", json_loads(entry->event_json, 0, NULL));
    app_json_put(&object, "mac", json_string(entry->mac));
    return json_array_append_new(list->events, object) == 0;
}

static int show(const settings *s)
{
    nw_error err;
    nw_ledger *ledger = NULL;
    nw_ledger_summary summary;
    const char *path = s->operands[0];
    const int code = open_readonly(s, &ledger);
    if (code != APP_OK)
        return code;
    listing list = { s->is_json ? json_array() : NULL, NW_ADJACENCY_UNSET, 0.0 };
    nw_status status = nw_ledger_summarise(ledger, &summary, &err);
    if (status == NW_OK) {
        list.adjacency = summary.adjacency;
        list.delta = summary.budget_delta;
        if (!s->is_json)
            print_summary(path, &summary);
        status = nw_ledger_each(ledger, list_charge, &list, &err);
    }
    nw_ledger_close(ledger);
    if (status != NW_OK) {
        json_decref(list.events);
        return app_fail_error(path, &err);
    }
    if (!s->is_json)
        return fflush(stdout) == 0 ? APP_OK : app_fail(APP_IO, "standard output", "could not be written");
    json_t *object = summary_json(path, &summary);
    app_json_put(&object, "events", list.events);
    return app_print_json(object);
}

static int verify(const settings *s)
{
    nw_error err;
    nw_ledger *ledger = NULL;
    nw_ledger_summary summary;
    const char *path = s->operands[0];
    const int code = open_readonly(s, &ledger);
    if (code != APP_OK)
        return code;
    nw_status status = nw_ledger_verify(ledger, s->anchor, &err);
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

static int charge(const settings *s)
{
    nw_error err;
    nw_event *event = NULL;
    nw_ledger *ledger = NULL;
    nw_receipt receipt;
    const char *path = s->operands[0];
    int code = app_check_input(path);
    if (code == APP_OK)
        code = read_event(s->operands[1], &event);
    if (code != APP_OK)
        return code;
    app_signals_defer(true); /* once charged, the receipt is printed */
    nw_status status = nw_ledger_open(&ledger, path, &err);
    if (status == NW_OK)
        status = nw_ledger_charge(ledger, event, s->label, NULL, &receipt, &err);
    nw_ledger_close(ledger);
    nw_event_free(event);
    if (status != NW_OK)
        return app_fail_error(path, &err);
    if (s->is_json)
        return app_print_json(app_receipt_json(&receipt));
    if (!s->is_quiet)
        app_receipt_print(stdout, &receipt, path);
    return APP_OK;
}

int main(int argc, char **argv)
{
    static int (*const run[])(const settings *) = { create, show, verify, charge }; /* in the order of `commands` */
    settings s = { .unit = "one record" };
    const app_command *command;
    int code;
    if (!app_parse(&program, argc, argv, &s, &command, &code))
        return code;
    app_signals_install();
    return run[command - commands](&s);
}
