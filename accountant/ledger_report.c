/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* ledger_report.c - what a ledger says: summaries, its rows, and whether it verifies. */
#include "ledger_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void summarise(const nw_ledger *ledger, size_t position, nw_ledger_summary *out)
{
    const nw__budget *total = &ledger->budgets[NW__LEDGER_TOTAL];
    const nw__budget *budget = &ledger->budgets[position];
    const nw__loss all = nw__ledger_spent(ledger, NW__LEDGER_TOTAL);
    const nw__loss spent = nw__ledger_spent(ledger, position);
    const bool is_empty = budget->charges == 0 && ledger->filter != NW_FILTER_SCHEDULE;
    *out = (nw_ledger_summary){
        .budget_epsilon = budget->epsilon,
        .budget_delta = budget->delta,
        .spent_epsilon = is_empty ? 0.0 : nw__ledger_epsilon(ledger, &spent, budget->delta),
        .spent_delta = is_empty ? 0.0 : budget->delta,
        .remaining_epsilon = ledger->is_unlimited
                                 ? INFINITY
                                 : fmin(nw__ledger_remaining(ledger, budget, &spent), nw__ledger_remaining(ledger, total, &all)),
        .remaining_delta = budget->delta,
        .adjacency = ledger->adjacency,
        .filter = ledger->filter,
        .is_unlimited = ledger->is_unlimited,
        .charges = budget->charges,
        .samples = spent.cost.samples,
        .order = ledger->order,
        .groups = ledger->budget_count - 1,
    };
    if (!is_empty && !ledger->is_unlimited)
        out->used_fraction = fmin(1.0, nw__up(nw__ledger_currency(ledger, &spent) / budget->limit));
    if (ledger->filter == NW_FILTER_SCHEDULE)
        out->used_fraction = nw__ledger_schedule_fraction(&ledger->schedule);
    for (size_t i = 0; i < ledger->reservation_count; i++)
        out->reservations += position == NW__LEDGER_TOTAL || ledger->reservations[i].budget == position;
    snprintf(out->unit, sizeof out->unit, "%s", ledger->unit);
    nw__ledger_head_text(ledger, out->head);
}

static nw_status summarise_group(
    nw_ledger *ledger, const char *group, nw_ledger_summary *out, const char *function, nw_error *err)
{
    NW__TRY(nw__ledger_check_handle(ledger, function, err));
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, function, "out is NULL");
    pthread_mutex_lock(&ledger->mutex);
    nw_status status = nw__ledger_store_catch_up(ledger, function, err);
    const size_t position = nw__ledger_find_budget(ledger, group);
    if (status == NW_OK && position == ledger->budget_count)
        status = nw__fail(err, NW_E_ARG, function, "the ledger has no group %.64s", group == NULL ? "" : group);
    if (status == NW_OK)
        summarise(ledger, position, out);
    pthread_mutex_unlock(&ledger->mutex);
    return status;
}

nw_status nw_ledger_summarise(nw_ledger *ledger, nw_ledger_summary *out, nw_error *err)
{
    return summarise_group(ledger, NULL, out, __func__, err);
}

nw_status nw_ledger_summarise_group(nw_ledger *ledger, const char *group, nw_ledger_summary *out, nw_error *err)
{
    return summarise_group(ledger, group, out, __func__, err);
}

typedef struct visitor {
    bool (*visit)(void *context, const nw_ledger_entry *entry);
    void *context;
    nw_status status;
    nw_error *err;
} visitor;

/* The rows were verified before, but the file may have changed since: what cannot be read is still refused. */
static bool visit_row(void *context, const nw__stored *stored)
{
    visitor *v = context;
    nw__row row = { 0 };
    char *json = NULL;
    bool goes_on = false;
    if (stored->time == NULL || stored->label == NULL || stored->text == NULL || stored->mac == NULL) {
        v->status = nw__fail(v->err, NW_E_FORMAT, "nw_ledger_each", "the ledger was altered: a row is damaged");
        return false;
    }
    v->status = nw__row_from_text(&row, stored->text, v->err);
    if (v->status == NW_OK && row.event != NULL)
        v->status = nw_event_to_json(row.event, &json, v->err);
    if (v->status == NW_OK) {
        const nw_ledger_entry entry = { .sequence = stored->sequence,
            .time = stored->time,
            .label = stored->label,
            .event_json = json,
            .mac = stored->mac,
            .kind = row.kind,
            .group = row.group,
            .steps = row.steps,
            .reservation = row.reservation,
            .epsilon = row.epsilon,
            .delta = row.delta };
        goes_on = v->visit(v->context, &entry);
    }
    nw_string_free(json);
    nw__row_free(&row);
    return goes_on;
}

nw_status nw_ledger_each(
    nw_ledger *ledger, bool (*visit)(void *context, const nw_ledger_entry *entry), void *context, nw_error *err)
{
    visitor v = { visit, context, NW_OK, err };
    NW__TRY(nw__ledger_check_handle(ledger, __func__, err));
    if (visit == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "visit is NULL");
    pthread_mutex_lock(&ledger->mutex);
    nw_status status = nw__ledger_store_catch_up(ledger, __func__, err);
    if (status == NW_OK)
        status = nw__ledger_store_each(ledger, 0, visit_row, &v, __func__, err);
    pthread_mutex_unlock(&ledger->mutex);
    return status != NW_OK ? status : v.status;
}

typedef struct anchor_search {
    const char *head;
    bool is_found;
} anchor_search;

static bool match_anchor(void *context, const nw__stored *row)
{
    anchor_search *search = context;
    char head[NW_LEDGER_HEAD_SIZE];
    snprintf(head, sizeof head, "%llu:%s", (unsigned long long)row->sequence, row->mac == NULL ? "" : row->mac);
    search->is_found = strcmp(head, search->head) == 0;
    return !search->is_found;
}

/* The chain from the start, forgetting what the handle has verified before. */
static nw_status verify_locked(nw_ledger *ledger, const char *anchor_head, nw_error *err)
{
    static const char *const name = "nw_ledger_verify";
    anchor_search search = { anchor_head, false };
    char start[NW_LEDGER_HEAD_SIZE];
    NW__TRY(nw__ledger_reset(ledger, name, err));
    nw__ledger_head_text(ledger, start);
    NW__TRY(nw__ledger_store_check(ledger, name, err));
    NW__TRY(nw__ledger_store_catch_up(ledger, name, err));
    if (anchor_head == NULL || strcmp(anchor_head, start) == 0)
        return NW_OK;
    NW__TRY(nw__ledger_store_each(ledger, 0, match_anchor, &search, name, err));
    if (!search.is_found)
        return nw__fail(err, NW_E_FORMAT, name,
            "the ledger does not contain the head %.64s: it was rolled back or is another ledger", anchor_head);
    return NW_OK;
}

nw_status nw_ledger_verify(nw_ledger *ledger, const char *anchor_head, nw_error *err)
{
    NW__TRY(nw__ledger_check_handle(ledger, __func__, err));
    pthread_mutex_lock(&ledger->mutex);
    const nw_status status = verify_locked(ledger, anchor_head, err);
    pthread_mutex_unlock(&ledger->mutex);
    return status;
}
