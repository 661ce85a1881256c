/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* ledger_show.c - a ledger's budget, groups and rows, as lines and as JSON. */
#include "ledger_show.h"
#include "common/exit.h"
#include "common/json.h"
#include "common/numbers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static json_t *amount_json(double epsilon, double delta)
{
    json_t *object = json_object();
    app_json_put(&object, "epsilon", app_json_real(epsilon));
    app_json_put(&object, "delta", app_json_real(delta));
    return object;
}

json_t *ledger_summary_json(const char *path, const nw_ledger_summary *m)
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
    app_json_put(&object, "reservations", json_integer((json_int_t)m->reservations));
    app_json_put(&object, "samples", json_integer((json_int_t)m->samples));
    if (m->filter == NW_FILTER_RENYI)
        app_json_put(&object, "order", app_json_real(m->order));
    app_json_put(&object, "head", json_string(m->head));
    return object;
}

void ledger_print_summary(const char *path, const nw_ledger_summary *m)
{
    nw_ledger_summary plain = *m;
    char epsilon[APP_NUMBER_SIZE];
    char delta[APP_NUMBER_SIZE];
    char percent[APP_NUMBER_SIZE];
    printf("ledger     %s\n", path);
    printf("protected  %s, neighbours %s\n", app_plain(plain.unit), nw_adjacency_name(m->adjacency));
    printf("budget     epsilon %s, delta %s; filter %s", app_text_down(m->budget_epsilon, epsilon),
        app_text_down(m->budget_delta, delta), nw_filter_name(m->filter));
    if (m->filter == NW_FILTER_RENYI)
        printf(", order %g", m->order);
    putchar('\n');
    printf("spent      epsilon %s, delta %s, rounded up; %s %% of the budget, %llu charge%s\n",
        app_text_up(m->spent_epsilon, epsilon), app_text_up(m->spent_delta, delta),
        app_text_up(100.0 * m->used_fraction, percent), (unsigned long long)m->charges, m->charges == 1 ? "" : "s");
    printf("remaining  epsilon %s, delta %s, rounded down: the largest single Gaussian release\n",
        app_text_down(m->remaining_epsilon, epsilon), app_text_down(m->remaining_delta, delta));
    if (m->reservations > 0)
        printf("reserved   %llu reservation%s not committed: charged in full\n", (unsigned long long)m->reservations,
            m->reservations == 1 ? "" : "s");
    printf("head       %s\n", m->head);
}

void ledger_print_group(const char *name, const nw_ledger_summary *m)
{
    char numbers[4][APP_NUMBER_SIZE];
    printf("group      %s: epsilon %s, delta %s; spent epsilon %s, %s %%\n", name, app_text_down(m->budget_epsilon, numbers[0]),
        app_text_down(m->budget_delta, numbers[1]), app_text_up(m->spent_epsilon, numbers[2]),
        app_text_up(100.0 * m->used_fraction, numbers[3]));
}

json_t *ledger_group_json(const char *name, const nw_ledger_summary *m)
{
    json_t *object = json_object();
    app_json_put(&object, "name", json_string(name));
    app_json_put(&object, "budget", amount_json(m->budget_epsilon, m->budget_delta));
    app_json_put(&object, "spent", amount_json(m->spent_epsilon, m->spent_delta));
    app_json_put(&object, "remaining", amount_json(m->remaining_epsilon, m->remaining_delta));
    app_json_put(&object, "used_fraction", app_json_real(m->used_fraction));
    app_json_put(&object, "charges", json_integer((json_int_t)m->charges));
    app_json_put(&object, "reservations", json_integer((json_int_t)m->reservations));
    return object;
}

typedef struct listing {
    json_t *events; /* NULL: print lines */
    nw_adjacency adjacency;
    double delta;
    char (*groups)[NW_LEDGER_GROUP_SIZE];
    size_t group_room;
    size_t group_count;
} listing;

/* What the event would cost on its own, at the budget's delta; infinite if it cannot be said. */
static double epsilon_alone(const listing *list, const nw_ledger_entry *entry)
{
    double epsilon = 0.0;
    nw_event *event = NULL;
    nw_event *all = NULL;
    nw_status status = nw_event_from_json(&event, entry->event_json, NULL);
    if (status == NW_OK)
        status = nw_event_repeat(&all, event, entry->steps, NULL);
    if (status == NW_OK)
        status = nw_event_epsilon(all, list->adjacency, list->delta, &epsilon, NULL, NULL);
    nw_event_free(event);
    nw_event_free(all);
    return status == NW_OK ? epsilon : (double)INFINITY;
}

static bool print_row(const listing *list, const nw_ledger_entry *entry)
{
    char numbers[2][APP_NUMBER_SIZE];
    char label[NW_LEDGER_LABEL_SIZE];
    snprintf(label, sizeof label, "%s", entry->label);
    printf("%8llu  %-20s  ", (unsigned long long)entry->sequence, entry->time);
    switch (entry->kind) {
    case NW_ROW_GROUP:
        printf("group %s: epsilon %s, delta %s\n", entry->group, app_text_down(entry->epsilon, numbers[0]),
            app_text_down(entry->delta, numbers[1]));
        return true;
    case NW_ROW_COMMIT:
        printf("commit of %llu: %llu used  %s\n", (unsigned long long)entry->reservation, (unsigned long long)entry->steps,
            app_plain(label));
        return true;
    default: printf("epsilon %-12s  %s", app_text_up(epsilon_alone(list, entry), numbers[0]), app_plain(label));
    }
    if (entry->group[0] != '\0')
        printf(", group %s", entry->group);
    if (entry->kind == NW_ROW_RESERVATION)
        printf(", %llu steps reserved", (unsigned long long)entry->steps);
    putchar('\n');
    return true;
}

static json_t *row_json(const listing *list, const nw_ledger_entry *entry)
{
    json_t *object = json_object();
    app_json_put(&object, "sequence", json_integer((json_int_t)entry->sequence));
    app_json_put(&object, "time", json_string(entry->time));
    app_json_put(&object, "kind", json_string(nw_row_kind_name(entry->kind)));
    app_json_put(&object, "label", app_json_text(entry->label));
    if (entry->group[0] != '\0')
        app_json_put(&object, "group", json_string(entry->group));
    if (entry->kind == NW_ROW_GROUP)
        app_json_put(&object, "budget", amount_json(entry->epsilon, entry->delta));
    if (entry->kind == NW_ROW_RESERVATION || entry->kind == NW_ROW_COMMIT)
        app_json_put(&object, "steps", json_integer((json_int_t)entry->steps));
    if (entry->kind == NW_ROW_COMMIT)
        app_json_put(&object, "reservation", json_integer((json_int_t)entry->reservation));
    if (entry->event_json != NULL) {
        app_json_put(&object, "epsilon_alone", app_json_real(epsilon_alone(list, entry)));
        app_json_put(&object, "event", json_loads(entry->event_json, 0, NULL));
    }
    app_json_put(&object, "mac", json_string(entry->mac));
    return object;
}

static bool list_row(void *context, const nw_ledger_entry *entry)
{
    listing *list = context;
    if (entry->kind == NW_ROW_GROUP && list->group_count < list->group_room)
        snprintf(list->groups[list->group_count++], NW_LEDGER_GROUP_SIZE, "%s", entry->group);
    return list->events == NULL ? print_row(list, entry) : json_array_append_new(list->events, row_json(list, entry)) == 0;
}

/* The groups of the rows that were listed, as lines or into `array`. */
static nw_status show_groups(nw_ledger *ledger, const listing *list, json_t *array, nw_error *err)
{
    nw_ledger_summary summary;
    for (size_t i = 0; i < list->group_count; i++) {
        const nw_status status = nw_ledger_summarise_group(ledger, list->groups[i], &summary, err);
        if (status != NW_OK)
            return status;
        if (array == NULL)
            ledger_print_group(list->groups[i], &summary);
        else
            json_array_append_new(array, ledger_group_json(list->groups[i], &summary));
    }
    return NW_OK;
}

int ledger_show(nw_ledger *ledger, const char *path, bool is_json)
{
    nw_error err;
    nw_ledger_summary summary;
    listing list = { .events = is_json ? json_array() : NULL };
    json_t *groups = is_json ? json_array() : NULL;
    nw_status status = nw_ledger_summarise(ledger, &summary, &err);
    if (status == NW_OK) {
        list.adjacency = summary.adjacency;
        list.delta = summary.budget_delta;
        list.groups = calloc(summary.groups + 1, sizeof *list.groups);
        list.group_room = list.groups == NULL ? 0 : summary.groups;
        if (!is_json)
            ledger_print_summary(path, &summary);
        status = nw_ledger_each(ledger, list_row, &list, &err);
    }
    if (status == NW_OK)
        status = show_groups(ledger, &list, groups, &err);
    free(list.groups);
    if (status != NW_OK) {
        json_decref(list.events);
        json_decref(groups);
        return app_fail_error(path, &err);
    }
    if (!is_json)
        return fflush(stdout) == 0 ? APP_OK : app_fail(APP_IO, "standard output", "could not be written");
    json_t *object = ledger_summary_json(path, &summary);
    app_json_put(&object, "groups", groups);
    app_json_put(&object, "events", list.events);
    return app_print_json(object);
}
