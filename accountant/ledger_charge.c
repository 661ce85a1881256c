/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* ledger_charge.c - whatever appends a row: charges, groups, reservations and what was used of them. One way for all: begin, read
 * what others appended, check, append, commit; only then does the handle's own state move. */
#include "ledger_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What is being appended. */
typedef struct request {
    const char *function;
    nw__row row;
    const char *label;
    const nw_rng *rng;
    char time[32];
    char label_reserved[NW_LEDGER_LABEL_SIZE]; /* of the reservation that is committed */
} request;

/* Of the charge alone. A step of a schedule may be stated by any method. */
static double own_epsilon(const nw_ledger *ledger, const request *r, const nw__loss *loss)
{
    double epsilon = INFINITY;
    if (ledger->filter != NW_FILTER_SCHEDULE)
        return nw__ledger_epsilon(ledger, loss, ledger->delta);
    const nw_status status = nw_event_epsilon(r->row.event, ledger->adjacency, ledger->delta, &epsilon, NULL, NULL);
    return status == NW_OK ? epsilon : (double)INFINITY;
}

static void write_receipt(const nw_ledger *ledger, const request *r, const nw__loss *loss, nw_receipt *receipt)
{
    const nw__loss spent = nw__ledger_spent(ledger, NW__LEDGER_TOTAL);
    *receipt = (nw_receipt){
        .epsilon = own_epsilon(ledger, r, loss),
        .delta = ledger->delta,
        .spent_epsilon = nw__ledger_epsilon(ledger, &spent, ledger->delta),
        .spent_delta = ledger->delta,
        .adjacency = ledger->adjacency,
        .sequence = ledger->sequence,
        .is_durable = ledger->is_durable,
        .is_insecure = r->rng != NULL && nw_rng_is_insecure(r->rng),
        .steps = r->row.steps,
    };
    snprintf(receipt->unit, sizeof receipt->unit, "%s", ledger->unit);
    snprintf(receipt->method, sizeof receipt->method, "%s", nw_filter_name(ledger->filter));
    snprintf(receipt->label, sizeof receipt->label, "%s", r->label);
    snprintf(receipt->version, sizeof receipt->version, "%s", nw_version());
    snprintf(receipt->time, sizeof receipt->time, "%s", r->time);
    snprintf(receipt->group, sizeof receipt->group, "%s", r->row.group);
    if (ledger->is_unlimited)
        snprintf(receipt->head, sizeof receipt->head, "unlimited");
    else
        nw__ledger_head_text(ledger, receipt->head);
}

/* A commit takes the place of what is charged already, and is at most that: it always fits. */
static nw_status check_row(const nw_ledger *ledger, request *r, nw__loss *loss, nw_error *err)
{
    const nw__reservation *reserved = nw__ledger_find_reservation(ledger, r->row.reservation);
    NW__TRY(nw__row_check(ledger, &r->row, loss, r->function, err));
    if (r->row.kind == NW_ROW_COMMIT) {
        snprintf(r->row.group, sizeof r->row.group, "%s", ledger->budgets[reserved->budget].name);
        snprintf(r->label_reserved, sizeof r->label_reserved, "%s", reserved->label);
        r->label = r->label_reserved;
        return NW_OK;
    }
    if (r->row.kind == NW_ROW_GROUP)
        return NW_OK;
    return nw__ledger_check_fit(ledger, nw__ledger_find_budget(ledger, r->row.group), loss, r->function, err);
}

/* Inside the transaction. */
static nw_status append(nw_ledger *ledger, request *r, nw__loss *loss, nw__mac *mac, nw_error *err)
{
    char *text = NULL;
    char mac_text[2 * NW__LEDGER_MAC_BYTES + 1];
    NW__TRY(nw__ledger_store_catch_up(ledger, r->function, err));
    NW__TRY(check_row(ledger, r, loss, err));
    NW__TRY(nw__row_prepare(ledger, r->function, err));
    if (!nw__row_is_plain(&r->row) && ledger->version < 2)
        NW__TRY(nw__ledger_store_upgrade(ledger, r->function, err));
    NW__TRY(nw__row_to_text(&r->row, &text, err));
    *mac = nw__ledger_row_mac(ledger, ledger->mac, ledger->sequence + 1, r->time, r->label, text);
    nw__ledger_mac_text(*mac, mac_text);
    const nw__stored stored = { ledger->sequence + 1, r->time, r->label, text, mac_text };
    nw_status status = nw__ledger_store_append(ledger, &stored, r->function, err);
    if (status == NW_OK)
        status = nw__ledger_store_run(ledger, "COMMIT", r->function, err);
    nw_string_free(text);
    return status;
}

static nw_status append_locked(nw_ledger *ledger, request *r, nw_receipt *receipt, nw_error *err)
{
    nw__mac mac;
    nw__loss loss;
    nw__utc_now(r->time);
    NW__TRY(nw__ledger_store_run(ledger, "BEGIN IMMEDIATE", r->function, err));
    const nw_status status = append(ledger, r, &loss, &mac, err);
    if (status != NW_OK) {
        sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
        return status;
    }
    /* If this fails, the charge stands, the state does not know it, and the next look at the file takes it in. */
    NW__TRY(nw__row_apply(ledger, &r->row, &loss, ledger->sequence + 1, r->label, err));
    ledger->sequence++;
    ledger->mac = mac;
    if (receipt != NULL)
        write_receipt(ledger, r, &loss, receipt);
    return NW_OK;
}

/* Checks what every request has in common and appends; takes the row's event over. */
static nw_status submit(nw_ledger *ledger, request *r, const char *group, nw_receipt *receipt, nw_error *err)
{
    nw_status status = nw__ledger_check_handle(ledger, r->function, err);
    if (status == NW_OK && strlen(r->label) >= NW_LEDGER_LABEL_SIZE)
        status = nw__fail(
            err, NW_E_ARG, r->function, "label has %zu bytes, must have at most %d", strlen(r->label), NW_LEDGER_LABEL_SIZE - 1);
    else if (status == NW_OK && group != NULL && strlen(group) >= sizeof r->row.group)
        status = nw__fail(
            err, NW_E_ARG, r->function, "group has %zu bytes, must have at most %zu", strlen(group), sizeof r->row.group - 1);
    else if (status == NW_OK && ledger->is_readonly)
        status = nw__fail(err, NW_E_STATE, r->function, "the ledger was opened to look only");
    else if (status == NW_OK && ledger->is_durable && r->rng != NULL && nw_rng_is_insecure(r->rng))
        status = nw__fail(
            err, NW_E_STATE, r->function, "a durable ledger refuses an insecure, seeded rng: its releases are not private");
    if (status == NW_OK) {
        snprintf(r->row.group, sizeof r->row.group, "%s", group == NULL ? "" : group);
        pthread_mutex_lock(&ledger->mutex);
        status = append_locked(ledger, r, receipt, err);
        pthread_mutex_unlock(&ledger->mutex);
    }
    nw__row_free(&r->row);
    return status;
}

static nw_status charge(
    nw_ledger *ledger, const char *group, request *r, const nw_event *event, nw_receipt *receipt, nw_error *err)
{
    if (receipt != NULL)
        *receipt = (nw_receipt){ 0 };
    if (ledger == NULL || event == NULL || r->label == NULL)
        return nw__fail(err, NW_E_ARG, r->function, "%s is NULL", ledger == NULL ? "ledger" : event == NULL ? "event" : "label");
    NW__TRY(nw_event_copy(&r->row.event, event, err));
    return submit(ledger, r, group, receipt, err);
}

nw_status nw_ledger_charge(
    nw_ledger *ledger, const nw_event *event, const char *label, const nw_rng *rng, nw_receipt *receipt, nw_error *err)
{
    request r = { .function = __func__, .row = { .kind = NW_ROW_CHARGE, .steps = 1 }, .label = label, .rng = rng };
    return charge(ledger, NULL, &r, event, receipt, err);
}

nw_status nw_ledger_charge_group(nw_ledger *ledger, const char *group, const nw_event *event, const char *label,
    const nw_rng *rng, nw_receipt *receipt, nw_error *err)
{
    request r = { .function = __func__, .row = { .kind = NW_ROW_CHARGE, .steps = 1 }, .label = label, .rng = rng };
    return charge(ledger, group, &r, event, receipt, err);
}

nw_status nw_ledger_reserve(nw_ledger *ledger, const char *group, const nw_event *step, uint64_t steps, const char *label,
    const nw_rng *rng, uint64_t *reservation, nw_receipt *receipt, nw_error *err)
{
    request r = { .function = __func__, .row = { .kind = NW_ROW_RESERVATION, .steps = steps }, .label = label, .rng = rng };
    nw_receipt own;
    if (reservation == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "reservation is NULL");
    *reservation = 0;
    NW__TRY(charge(ledger, group, &r, step, &own, err));
    *reservation = own.sequence;
    if (receipt != NULL)
        *receipt = own;
    return NW_OK;
}

nw_status nw_ledger_commit(nw_ledger *ledger, uint64_t reservation, uint64_t used, nw_receipt *receipt, nw_error *err)
{
    request r = {
        .function = __func__, .row = { .kind = NW_ROW_COMMIT, .steps = used, .reservation = reservation }, .label = ""
    };
    if (receipt != NULL)
        *receipt = (nw_receipt){ 0 };
    return submit(ledger, &r, NULL, receipt, err);
}

nw_status nw_ledger_add_group(nw_ledger *ledger, const char *name, double epsilon, double delta, nw_error *err)
{
    request r = { .function = __func__, .row = { .kind = NW_ROW_GROUP, .epsilon = epsilon, .delta = delta }, .label = "" };
    if (name == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "name is NULL");
    if (ledger != NULL && ledger->is_unlimited)
        return nw__fail(err, NW_E_STATE, __func__, "an unlimited ledger has no budget to give a group a share of");
    return submit(ledger, &r, name, NULL, err);
}

nw_status nw_ledger_fits(nw_ledger *ledger, const nw_event *event, bool *fits, nw_error *err)
{
    nw__loss loss;
    NW__TRY(nw__ledger_check_handle(ledger, __func__, err));
    if (event == NULL || fits == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", event == NULL ? "event" : "fits");
    pthread_mutex_lock(&ledger->mutex);
    nw_status status = nw__ledger_store_catch_up(ledger, __func__, err);
    if (status == NW_OK)
        status = ledger->filter == NW_FILTER_SCHEDULE ? nw__ledger_schedule_check(ledger, event, __func__, err)
                                                      : nw__ledger_loss(ledger, event, 1, &loss, err);
    if (status == NW_OK && ledger->filter != NW_FILTER_SCHEDULE)
        status = nw__ledger_check_fit(ledger, NW__LEDGER_TOTAL, &loss, __func__, err);
    pthread_mutex_unlock(&ledger->mutex);
    *fits = status == NW_OK;
    return status == NW_E_BUDGET ? NW_OK : status;
}
