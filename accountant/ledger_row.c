/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* ledger_row.c - what a row says, as text and as a change of the state.
 *
 * A plain charge is stored as its event, as format 1 did. Every other row is a JSON object of its own format, in the same column
 * and under the same chain, so a ledger of format 1 is a ledger of format 2 in which only plain charges were made. */
#include "ledger_internal.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char ROW_START[] = "{\"format\": \"noisewright-ledger-row\", ";
static const char *const KIND_NAMES[] = { NULL, "charge", "group", "reservation", "commit", "schedule" };

const char *nw_row_kind_name(nw_row_kind kind)
{
    return kind >= NW_ROW_CHARGE && kind <= NW_ROW_SCHEDULE ? KIND_NAMES[kind] : "unknown kind";
}

void nw__row_free(nw__row *row)
{
    nw_event_free(row->event);
    row->event = NULL;
}

bool nw__row_is_plain(const nw__row *row)
{
    return row->kind == NW_ROW_CHARGE && row->group[0] == '\0';
}

nw_status nw__row_to_text(const nw__row *row, char **out, nw_error *err)
{
    char *event = NULL;
    char epsilon[17];
    char delta[17];
    *out = NULL;
    if (row->event != NULL)
        NW__TRY(nw_event_to_json(row->event, &event, err));
    if (nw__row_is_plain(row)) {
        *out = event;
        return NW_OK;
    }
    const size_t bytes = 512 + (event == NULL ? 0 : strlen(event));
    *out = nw__calloc(bytes, 1);
    if (*out == NULL) {
        nw_string_free(event);
        return nw__fail_memory(err, "nw_ledger");
    }
    nw__bits_text(row->epsilon, epsilon);
    nw__bits_text(row->delta, delta);
    /* Names of groups need no escapes: nw_ledger_add_group. */
    int used = snprintf(*out, bytes, "%s\"kind\": \"%s\"", ROW_START, KIND_NAMES[row->kind]);
    if (row->group[0] != '\0')
        used += snprintf(*out + used, bytes - (size_t)used, ", \"group\": \"%s\"", row->group);
    if (row->kind == NW_ROW_GROUP)
        used += snprintf(*out + used, bytes - (size_t)used, ", \"epsilon\": \"%s\", \"delta\": \"%s\"", epsilon, delta);
    if (row->kind == NW_ROW_COMMIT)
        used += snprintf(*out + used, bytes - (size_t)used, ", \"reservation\": \"%" PRIu64 "\"", row->reservation);
    if (row->kind == NW_ROW_COMMIT || row->kind == NW_ROW_RESERVATION)
        used += snprintf(*out + used, bytes - (size_t)used, ", \"steps\": \"%" PRIu64 "\"", row->steps);
    if (event != NULL)
        used += snprintf(*out + used, bytes - (size_t)used, ", \"event\": %s", event);
    snprintf(*out + used, bytes - (size_t)used, "}");
    nw_string_free(event);
    return NW_OK;
}

static const char *text_of(const json_t *root, const char *key)
{
    const char *text = json_string_value(json_object_get(root, key));
    return text == NULL ? "" : text;
}

static bool read_count(const json_t *root, const char *key, uint64_t *out)
{
    const char *text = text_of(root, key);
    char again[24];
    *out = strtoull(text, NULL, 10);
    snprintf(again, sizeof again, "%" PRIu64, *out);
    return strcmp(text, again) == 0; /* the one way to write it */
}

static bool read_fields(nw__row *row, const json_t *root)
{
    const char *kind = text_of(root, "kind");
    const char *group = text_of(root, "group");
    for (nw_row_kind k = NW_ROW_CHARGE; k <= NW_ROW_SCHEDULE; k++)
        if (strcmp(kind, KIND_NAMES[k]) == 0)
            row->kind = k;
    if (row->kind == 0 || strlen(group) >= sizeof row->group)
        return false;
    snprintf(row->group, sizeof row->group, "%s", group);
    switch (row->kind) {
    case NW_ROW_SCHEDULE:
    case NW_ROW_CHARGE: row->steps = 1; return true;
    case NW_ROW_GROUP:
        return nw__bits_read(text_of(root, "epsilon"), &row->epsilon) && nw__bits_read(text_of(root, "delta"), &row->delta);
    case NW_ROW_COMMIT: return read_count(root, "reservation", &row->reservation) && read_count(root, "steps", &row->steps);
    case NW_ROW_RESERVATION: return read_count(root, "steps", &row->steps);
    }
    return false;
}

static nw_status read_event(nw__row *row, const json_t *root, nw_error *err)
{
    char *text = json_dumps(json_object_get(root, "event"), 0);
    if (text == NULL)
        return nw__fail(err, NW_E_FORMAT, "nw_ledger", "the ledger was altered: a row without its event");
    const nw_status status = nw_event_from_json(&row->event, text, err);
    free(text);
    return status;
}

nw_status nw__row_from_text(nw__row *row, const char *text, nw_error *err)
{
    *row = (nw__row){ 0 };
    if (strncmp(text, ROW_START, strlen(ROW_START)) != 0) {
        row->kind = NW_ROW_CHARGE;
        row->steps = 1;
        return nw_event_from_json(&row->event, text, err);
    }
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    nw_status status = NW_OK;
    if (root == NULL || !read_fields(row, root))
        status = nw__fail(err, NW_E_FORMAT, "nw_ledger", "the ledger holds a row that this version cannot read");
    else if (row->kind == NW_ROW_CHARGE || row->kind == NW_ROW_RESERVATION || row->kind == NW_ROW_SCHEDULE)
        status = read_event(row, root, err);
    json_decref(root);
    return status;
}

size_t nw__ledger_find_budget(const nw_ledger *ledger, const char *group)
{
    size_t at = NW__LEDGER_TOTAL;
    if (group != NULL && group[0] != '\0')
        for (at = NW__LEDGER_TOTAL + 1; at < ledger->budget_count && strcmp(ledger->budgets[at].name, group) != 0;)
            at++;
    return at;
}

const nw__reservation *nw__ledger_find_reservation(const nw_ledger *ledger, uint64_t sequence)
{
    for (size_t i = 0; i < ledger->reservation_count; i++)
        if (ledger->reservations[i].sequence == sequence)
            return &ledger->reservations[i];
    return NULL;
}

static nw_status check_group(const nw_ledger *ledger, const nw__row *row, const char *function, nw_error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (row->group[0] == '\0' || strspn(row->group, allowed) != strlen(row->group))
        return nw__fail(err, NW_E_ARG, function, "a group's name must be letters, digits, '.', '_' and '-'");
    if (nw__ledger_find_budget(ledger, row->group) < ledger->budget_count)
        return nw__fail(err, NW_E_ARG, function, "the ledger has a group %s already", row->group);
    if (!(row->epsilon > 0.0 && row->epsilon <= ledger->epsilon))
        return nw__fail(
            err, NW_E_ARG, function, "epsilon is %g, must be in (0, %g], the ledger's own", row->epsilon, ledger->epsilon);
    if (!(row->delta >= 0.0 && row->delta <= ledger->delta) || (row->delta == 0.0 && ledger->filter != NW_FILTER_PURE))
        return nw__fail(err, NW_E_ARG, function, "delta is %g, must be in %s0, %g], the ledger's own%s", row->delta,
            ledger->filter == NW_FILTER_PURE ? "[" : "(", ledger->delta,
            ledger->filter == NW_FILTER_PURE ? "" : "; 0 needs filter pure");
    if (!(nw__ledger_limit(ledger, row->epsilon, row->delta) > 0.0))
        return nw__fail(err, NW_E_ARG, function, "filter %s lets nothing through at epsilon %g, delta %g",
            nw_filter_name(ledger->filter), row->epsilon, row->delta);
    return NW_OK;
}

static nw_status check_commit(const nw_ledger *ledger, const nw__row *row, nw__loss *loss, const char *function, nw_error *err)
{
    const nw__reservation *r = nw__ledger_find_reservation(ledger, row->reservation);
    if (r == NULL)
        return nw__fail(err, NW_E_ARG, function, "row %" PRIu64 " is no reservation, or was committed already", row->reservation);
    if (row->steps > r->steps)
        return nw__fail(
            err, NW_E_ARG, function, "used is %" PRIu64 ", must be at most the %" PRIu64 " steps reserved", row->steps, r->steps);
    return nw__ledger_loss(ledger, r->step, row->steps, loss, err);
}

/* The schedule first, then its steps, and nothing else. */
static nw_status check_scheduled(const nw_ledger *ledger, const nw__row *row, const char *function, nw_error *err)
{
    if (row->kind == NW_ROW_SCHEDULE)
        return ledger->sequence == 0 ? NW_OK : nw__fail(err, NW_E_FORMAT, function, "a second schedule");
    if (ledger->schedule.count == 0)
        return nw__fail(err, NW_E_FORMAT, function, "the schedule is missing");
    if (row->kind != NW_ROW_CHARGE || row->group[0] != '\0')
        return nw__fail(err, NW_E_UNSUPPORTED, function,
            "a ledger with a declared schedule has charged it already: it takes no groups and no reservations");
    return nw__ledger_schedule_check(ledger, row->event, function, err);
}

nw_status nw__row_check(const nw_ledger *ledger, const nw__row *row, nw__loss *loss, const char *function, nw_error *err)
{
    *loss = (nw__loss){ 0 };
    if (ledger->filter == NW_FILTER_SCHEDULE && row->kind == NW_ROW_CHARGE)
        loss->cost.samples = nw_event_samples(row->event);
    if (ledger->filter == NW_FILTER_SCHEDULE)
        return check_scheduled(ledger, row, function, err);
    if (row->kind == NW_ROW_SCHEDULE)
        return nw__fail(err, NW_E_FORMAT, function, "a schedule in a ledger with filter %s", nw_filter_name(ledger->filter));
    if (row->kind == NW_ROW_GROUP)
        return check_group(ledger, row, function, err);
    if (row->kind == NW_ROW_COMMIT)
        return check_commit(ledger, row, loss, function, err);
    if (nw__ledger_find_budget(ledger, row->group) == ledger->budget_count)
        return nw__fail(err, NW_E_ARG, function, "the ledger has no group %s", row->group);
    if (row->steps == 0)
        return nw__fail(err, NW_E_ARG, function, "steps is 0, must be at least 1");
    return nw__ledger_loss(ledger, row->event, row->steps, loss, err);
}

nw_status nw__row_prepare(nw_ledger *ledger, const char *function, nw_error *err)
{
    nw__budget *budgets = nw__realloc_array(ledger->budgets, ledger->budget_count + 1, sizeof *budgets);
    if (budgets == NULL)
        return nw__fail_memory(err, function);
    ledger->budgets = budgets;
    nw__reservation *open = nw__realloc_array(ledger->reservations, ledger->reservation_count + 1, sizeof *open);
    if (open == NULL)
        return nw__fail_memory(err, function);
    ledger->reservations = open;
    return NW_OK;
}

static void settle(nw_ledger *ledger, size_t budget, const nw__loss *loss, bool is_new)
{
    ledger->budgets[NW__LEDGER_TOTAL].settled = nw__loss_add(&ledger->budgets[NW__LEDGER_TOTAL].settled, loss);
    ledger->budgets[NW__LEDGER_TOTAL].charges += is_new;
    if (budget == NW__LEDGER_TOTAL)
        return;
    ledger->budgets[budget].settled = nw__loss_add(&ledger->budgets[budget].settled, loss);
    ledger->budgets[budget].charges += is_new;
}

/* The reservation goes, what was used stays: nothing is ever subtracted, so nothing is rounded away. */
static void apply_commit(nw_ledger *ledger, const nw__row *row, const nw__loss *loss)
{
    size_t at = 0;
    while (ledger->reservations[at].sequence != row->reservation)
        at++;
    settle(ledger, ledger->reservations[at].budget, loss, false);
    nw_event_free(ledger->reservations[at].step);
    memmove(&ledger->reservations[at], &ledger->reservations[at + 1],
        (ledger->reservation_count - at - 1) * sizeof *ledger->reservations);
    ledger->reservation_count--;
}

static void apply_reservation(nw_ledger *ledger, nw__row *row, const nw__loss *loss, uint64_t sequence, const char *label)
{
    const nw__loss nothing = { 0 };
    nw__reservation *r = &ledger->reservations[ledger->reservation_count++];
    *r = (nw__reservation){ sequence, row->steps, nw__ledger_find_budget(ledger, row->group), *loss, row->event, { 0 } };
    snprintf(r->label, sizeof r->label, "%s", label);
    row->event = NULL;
    settle(ledger, r->budget, &nothing, true);
}

static void apply_group(nw_ledger *ledger, const nw__row *row)
{
    nw__budget *budget = &ledger->budgets[ledger->budget_count++];
    *budget = (nw__budget){ .epsilon = row->epsilon, .delta = row->delta };
    budget->limit = nw__ledger_limit(ledger, row->epsilon, row->delta);
    snprintf(budget->name, sizeof budget->name, "%s", row->group);
}

nw_status nw__row_apply(
    nw_ledger *ledger, nw__row *row, const nw__loss *loss, uint64_t sequence, const char *label, nw_error *err)
{
    if (row->kind == NW_ROW_SCHEDULE)
        return nw__ledger_schedule_read(&ledger->schedule, row->event, ledger->adjacency, ledger->delta, "nw_ledger", err);
    if (ledger->filter == NW_FILTER_SCHEDULE)
        NW__TRY(nw__ledger_schedule_advance(ledger, row->event, err));
    switch (row->kind) {
    case NW_ROW_CHARGE: settle(ledger, nw__ledger_find_budget(ledger, row->group), loss, true); break;
    case NW_ROW_GROUP: apply_group(ledger, row); break;
    case NW_ROW_RESERVATION: apply_reservation(ledger, row, loss, sequence, label); break;
    case NW_ROW_COMMIT: apply_commit(ledger, row, loss); break;
    case NW_ROW_SCHEDULE: break;
    }
    return NW_OK;
}

static void drop_reservations(nw_ledger *ledger)
{
    for (size_t i = 0; i < ledger->reservation_count; i++)
        nw_event_free(ledger->reservations[i].step);
    ledger->reservation_count = 0;
}

void nw__ledger_forget(nw_ledger *ledger)
{
    drop_reservations(ledger);
    nw__ledger_schedule_clear(&ledger->schedule);
    free(ledger->reservations);
    free(ledger->budgets);
}

nw_status nw__ledger_reset(nw_ledger *ledger, const char *function, nw_error *err)
{
    if (ledger->budgets == NULL)
        NW__TRY(nw__row_prepare(ledger, function, err));
    drop_reservations(ledger);
    nw__ledger_schedule_clear(&ledger->schedule);
    ledger->budgets[NW__LEDGER_TOTAL] = (nw__budget){ .epsilon = ledger->epsilon, .delta = ledger->delta };
    ledger->budgets[NW__LEDGER_TOTAL].limit =
        ledger->is_unlimited ? INFINITY : nw__ledger_limit(ledger, ledger->epsilon, ledger->delta);
    ledger->budget_count = 1;
    ledger->sequence = 0;
    ledger->mac = nw__ledger_header_mac(ledger);
    return NW_OK;
}
