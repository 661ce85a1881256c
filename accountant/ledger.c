/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* ledger.c - the budget's filter, charges, receipts. Why one scalar filter fixed at creation is sound under adaptive use, and a
 * minimum over several is not: docs/rooms/ledger.md#filter. */
#include "ledger_internal.h"

#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *nw_filter_name(nw_filter filter)
{
    switch (filter) {
    case NW_FILTER_AUTO: return "auto";
    case NW_FILTER_GDP: return "gdp";
    case NW_FILTER_ZCDP: return "zcdp";
    case NW_FILTER_PURE: return "pure";
    }
    return "unknown filter";
}

void nw_ledger_opts_init(nw_ledger_opts *opts, size_t struct_size)
{
    const nw_ledger_opts defaults = NW_LEDGER_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

static nw_status check_opts(const nw_ledger_opts *o, bool is_unlimited, const char *function, nw_error *err)
{
    if (!is_unlimited && !(o->epsilon > 0.0 && o->epsilon <= NW__MAX_EPSILON))
        return nw__fail(err, NW_E_ARG, function, "epsilon is %g, must be in (0, %g]", o->epsilon, NW__MAX_EPSILON);
    if (!(o->delta >= 0.0 && o->delta < 1.0))
        return nw__fail(err, NW_E_ARG, function, "delta is %g, must be in [0, 1)", o->delta);
    if (o->adjacency < NW_ADD_REMOVE || o->adjacency > NW_ZERO_OUT)
        return nw__fail(err, NW_E_ARG, function, "adjacency is %s, must be add_remove, replace_one or zero_out",
            nw_adjacency_name(o->adjacency));
    if (o->filter < NW_FILTER_AUTO || o->filter > NW_FILTER_PURE)
        return nw__fail(err, NW_E_ARG, function, "filter is %d, must be auto, gdp, zcdp or pure", (int)o->filter);
    if (o->delta == 0.0 && (o->filter == NW_FILTER_GDP || o->filter == NW_FILTER_ZCDP))
        return nw__fail(err, NW_E_ARG, function, "filter is %s, must be pure when delta is 0", nw_filter_name(o->filter));
    if (o->unit == NULL || strlen(o->unit) >= sizeof((nw_ledger *)0)->unit)
        return nw__fail(err, NW_E_ARG, function, "unit must be a text of at most %zu bytes", sizeof((nw_ledger *)0)->unit - 1);
    return NW_OK;
}

static nw__method method_of(const nw_ledger *ledger)
{
    switch (ledger->filter) {
    case NW_FILTER_ZCDP: return NW__METHOD_ZCDP;
    case NW_FILTER_PURE: return NW__METHOD_PURE;
    default: return NW__METHOD_GDP;
    }
}

/* What the filter adds up. */
static double currency(const nw_ledger *ledger, const nw_cost *cost)
{
    switch (ledger->filter) {
    case NW_FILTER_ZCDP: return cost->rho_zcdp;
    case NW_FILTER_PURE: return cost->epsilon_pure;
    default: return cost->mu_squared;
    }
}

/* The most of it that the budget allows, rounded down; delta less the reserve. */
static double limit_of(const nw_ledger *ledger)
{
    const double delta = ledger->delta * (1.0 - NW__DELTA_RESERVE);
    switch (ledger->filter) {
    case NW_FILTER_ZCDP: return nw_zcdp_rho(ledger->epsilon, delta);
    case NW_FILTER_PURE: return ledger->epsilon;
    default: {
        const double mu = nw__budget_mu(ledger->epsilon, ledger->delta);
        return nw__down(mu * mu);
    }
    }
}

/* The second side of the box: approx deltas and the samplers' distance against the reserve (a pure filter has no use for the
 * rest of delta). */
static double reserve_of(const nw_ledger *ledger)
{
    return ledger->filter == NW_FILTER_PURE ? ledger->delta : ledger->delta * NW__DELTA_RESERVE;
}

static double reserve_used(const nw_ledger *ledger, const nw_cost *cost)
{
    if (ledger->delta == 0.0)
        return cost->delta; /* pure up to the samplers' distance, which is counted but has no delta to be charged to */
    return nw__up(cost->delta + nw__sampler_delta(ledger->epsilon, cost->samples));
}

static nw_ledger *allocate(const char *function, nw_error *err)
{
    nw_ledger *ledger = nw__init(err) == NW_OK ? nw__calloc(1, sizeof *ledger) : NULL;
    if (ledger == NULL || pthread_mutex_init(&ledger->mutex, NULL) != 0) {
        free(ledger);
        nw__fail_memory(err, function);
        return NULL;
    }
    ledger->owner = getpid();
    return ledger;
}

void nw_ledger_close(nw_ledger *ledger)
{
    if (ledger == NULL)
        return;
    if (ledger->owner == getpid())
        sqlite3_close(ledger->db);
    pthread_mutex_destroy(&ledger->mutex);
    free(ledger);
}

static nw_status create(
    nw_ledger **out, const char *path, const nw_ledger_opts *opts, bool is_unlimited, const char *function, nw_error *err)
{
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, function, "out is NULL");
    *out = NULL;
    if (opts == NULL)
        return nw__fail(err, NW_E_ARG, function, "opts is NULL");
    memcpy(&o, opts, opts->struct_size < sizeof o ? opts->struct_size : sizeof o);
    NW__TRY(check_opts(&o, is_unlimited, function, err));
    nw_ledger *ledger = allocate(function, err);
    if (ledger == NULL)
        return NW_E_NOMEM;
    ledger->is_durable = path != NULL;
    ledger->is_unlimited = is_unlimited;
    ledger->epsilon = is_unlimited ? INFINITY : o.epsilon;
    ledger->delta = o.delta;
    ledger->adjacency = o.adjacency;
    ledger->filter = o.filter != NW_FILTER_AUTO ? o.filter : o.delta == 0.0 ? NW_FILTER_PURE : NW_FILTER_GDP;
    snprintf(ledger->unit, sizeof ledger->unit, "%s", o.unit);
    ledger->limit = is_unlimited ? INFINITY : limit_of(ledger);
    randombytes_buf(ledger->id, sizeof ledger->id); /* an identity, not a secret: fresh enough is all it must be */
    ledger->mac = nw__ledger_header_mac(ledger);
    const nw_status status = nw__ledger_store_create(ledger, path, function, err);
    if (status != NW_OK) {
        nw_ledger_close(ledger);
        return status;
    }
    *out = ledger;
    return NW_OK;
}

nw_status nw_ledger_memory(nw_ledger **out, const nw_ledger_opts *opts, nw_error *err)
{
    return create(out, NULL, opts, false, __func__, err);
}

nw_status nw_ledger_unlimited(nw_ledger **out, const nw_ledger_opts *opts, nw_error *err)
{
    return create(out, NULL, opts, true, __func__, err);
}

nw_status nw_ledger_create(nw_ledger **out, const char *path, const nw_ledger_opts *opts, nw_error *err)
{
    if (path == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "path is NULL");
    return create(out, path, opts, false, __func__, err);
}

static nw_status open_ledger(nw_ledger **out, const char *path, bool is_readonly, const char *function, nw_error *err)
{
    if (out == NULL || path == NULL)
        return nw__fail(err, NW_E_ARG, function, "%s is NULL", out == NULL ? "out" : "path");
    *out = NULL;
    nw_ledger *ledger = allocate(function, err);
    if (ledger == NULL)
        return NW_E_NOMEM;
    ledger->is_durable = true;
    ledger->is_readonly = is_readonly;
    nw_status status = nw__ledger_store_open(ledger, path, function, err);
    if (status == NW_OK) {
        ledger->limit = limit_of(ledger);
        status = nw__ledger_store_catch_up(ledger, function, err);
    }
    if (status != NW_OK) {
        nw_ledger_close(ledger);
        return status;
    }
    *out = ledger;
    return NW_OK;
}

nw_status nw_ledger_open(nw_ledger **out, const char *path, nw_error *err)
{
    return open_ledger(out, path, false, __func__, err);
}

nw_status nw_ledger_open_readonly(nw_ledger **out, const char *path, nw_error *err)
{
    return open_ledger(out, path, true, __func__, err);
}

/* Does `cost` fit on top of what is spent? Refusals say why. */
static nw_status check_fit(const nw_ledger *ledger, const nw_cost *cost, const char *function, nw_error *err)
{
    const nw_cost total = nw__cost_add(&ledger->spent, cost);
    if (ledger->is_unlimited)
        return NW_OK;
    if (isinf(currency(ledger, cost)))
        return nw__fail(err, NW_E_UNSUPPORTED, function, "a ledger with filter %s cannot take this event; %s",
            nw_filter_name(ledger->filter),
            isinf(cost->rho_zcdp) ? "no filter of this version can" : "one created with filter zcdp can");
    if (!(currency(ledger, &total) <= ledger->limit))
        return nw__fail(err, NW_E_BUDGET, function,
            "over the budget (epsilon %g, delta %g): %.4g of it was spent, this release asks for %.4g", ledger->epsilon,
            ledger->delta, currency(ledger, &ledger->spent) / ledger->limit, currency(ledger, cost) / ledger->limit);
    if (!(reserve_used(ledger, &total) <= reserve_of(ledger)))
        return nw__fail(
            err, NW_E_BUDGET, function, "over the share of delta for approximate events and sampling, %g", reserve_of(ledger));
    return NW_OK;
}

static nw_status check_handle(const nw_ledger *ledger, const char *function, nw_error *err)
{
    if (ledger == NULL)
        return nw__fail(err, NW_E_ARG, function, "ledger is NULL");
    if (ledger->owner != getpid())
        return nw__fail(err, NW_E_STATE, function, "the ledger was opened before a fork: open it again in the child");
    return NW_OK;
}

static void utc_now(char out[32])
{
    const time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static void head_text(const nw_ledger *ledger, char out[NW_LEDGER_HEAD_SIZE])
{
    char mac[2 * NW__LEDGER_MAC_BYTES + 1];
    nw__ledger_mac_text(ledger->mac, mac);
    snprintf(out, NW_LEDGER_HEAD_SIZE, "%llu:%s", (unsigned long long)ledger->sequence, mac);
}

static double spent_epsilon(const nw_ledger *ledger)
{
    return nw__cost_epsilon(&ledger->spent, ledger->delta, method_of(ledger));
}

static void write_receipt(const nw_ledger *ledger, const nw_cost *cost, const char *label, const char *time_text,
    const nw_rng *rng, nw_receipt *receipt)
{
    *receipt = (nw_receipt){
        .epsilon = nw__cost_epsilon(cost, ledger->delta, method_of(ledger)),
        .delta = ledger->delta,
        .spent_epsilon = spent_epsilon(ledger),
        .spent_delta = ledger->delta,
        .adjacency = ledger->adjacency,
        .sequence = ledger->sequence,
        .is_durable = ledger->is_durable,
        .is_insecure = rng != NULL && nw_rng_is_insecure(rng),
    };
    snprintf(receipt->unit, sizeof receipt->unit, "%s", ledger->unit);
    snprintf(receipt->method, sizeof receipt->method, "%s", nw_filter_name(ledger->filter));
    snprintf(receipt->label, sizeof receipt->label, "%s", label);
    snprintf(receipt->version, sizeof receipt->version, "%s", nw_version());
    snprintf(receipt->time, sizeof receipt->time, "%s", time_text);
    if (ledger->is_unlimited)
        snprintf(receipt->head, sizeof receipt->head, "unlimited");
    else
        head_text(ledger, receipt->head);
}

/* Inside the transaction: catch up, check, append. The handle's own state moves only after the commit. */
static nw_status charge_in_transaction(nw_ledger *ledger, const nw_cost *cost, const char *label, const char *time_text,
    const char *json, nw__mac *mac, nw_error *err)
{
    static const char *const name = "nw_ledger_charge";
    NW__TRY(nw__ledger_store_catch_up(ledger, name, err));
    NW__TRY(check_fit(ledger, cost, name, err));
    *mac = nw__ledger_row_mac(ledger, ledger->mac, ledger->sequence + 1, time_text, label, json);
    NW__TRY(nw__ledger_store_append(ledger, time_text, label, json, *mac, name, err));
    return nw__ledger_store_run(ledger, "COMMIT", name, err);
}

static nw_status charge_locked(nw_ledger *ledger, const nw_cost *cost, const char *label, const char *json, const nw_rng *rng,
    nw_receipt *receipt, nw_error *err)
{
    char time_text[32];
    nw__mac mac;
    utc_now(time_text);
    NW__TRY(nw__ledger_store_run(ledger, "BEGIN IMMEDIATE", "nw_ledger_charge", err));
    const nw_status status = charge_in_transaction(ledger, cost, label, time_text, json, &mac, err);
    if (status != NW_OK) {
        sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
        return status;
    }
    ledger->sequence++;
    ledger->mac = mac;
    ledger->spent = nw__cost_add(&ledger->spent, cost);
    if (receipt != NULL)
        write_receipt(ledger, cost, label, time_text, rng, receipt);
    return NW_OK;
}

nw_status nw_ledger_charge(
    nw_ledger *ledger, const nw_event *event, const char *label, const nw_rng *rng, nw_receipt *receipt, nw_error *err)
{
    nw_cost cost;
    char *json = NULL;
    if (receipt != NULL)
        *receipt = (nw_receipt){ 0 };
    NW__TRY(check_handle(ledger, __func__, err));
    if (event == NULL || label == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", event == NULL ? "event" : "label");
    if (strlen(label) >= sizeof receipt->label)
        return nw__fail(
            err, NW_E_ARG, __func__, "label has %zu bytes, must have at most %zu", strlen(label), sizeof receipt->label - 1);
    if (ledger->is_readonly)
        return nw__fail(err, NW_E_STATE, __func__, "the ledger was opened to look only");
    if (ledger->is_durable && rng != NULL && nw_rng_is_insecure(rng))
        return nw__fail(
            err, NW_E_STATE, __func__, "a durable ledger refuses an insecure, seeded rng: its releases are not private");
    NW__TRY(nw_event_cost(event, ledger->adjacency, &cost, err));
    NW__TRY(nw_event_to_json(event, &json, err));
    pthread_mutex_lock(&ledger->mutex);
    const nw_status status = charge_locked(ledger, &cost, label, json, rng, receipt, err);
    pthread_mutex_unlock(&ledger->mutex);
    nw_string_free(json);
    return status;
}

nw_status nw_ledger_fits(nw_ledger *ledger, const nw_event *event, bool *fits, nw_error *err)
{
    nw_cost cost;
    NW__TRY(check_handle(ledger, __func__, err));
    if (event == NULL || fits == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", event == NULL ? "event" : "fits");
    NW__TRY(nw_event_cost(event, ledger->adjacency, &cost, err));
    pthread_mutex_lock(&ledger->mutex);
    nw_status status = nw__ledger_store_catch_up(ledger, __func__, err);
    if (status == NW_OK)
        status = check_fit(ledger, &cost, __func__, err);
    pthread_mutex_unlock(&ledger->mutex);
    *fits = status == NW_OK;
    return status == NW_E_BUDGET ? NW_OK : status;
}

/* The largest single Gaussian release that still fits, rounded down by far more than the certified conversion is high. */
static double remaining_epsilon(const nw_ledger *ledger)
{
    const double left = nw__down(ledger->limit - currency(ledger, &ledger->spent));
    const double delta = ledger->delta * (1.0 - NW__DELTA_RESERVE);
    const double safety = 1.0 - 1e-6;
    if (!(left > 0.0))
        return 0.0;
    switch (ledger->filter) {
    case NW_FILTER_PURE: return left;
    case NW_FILTER_ZCDP: return nw_zcdp_epsilon(left, delta) * safety;
    default: return nw_gdp_epsilon(sqrt(left), delta) * safety;
    }
}

static void summarise(const nw_ledger *ledger, nw_ledger_summary *out)
{
    *out = (nw_ledger_summary){
        .budget_epsilon = ledger->epsilon,
        .budget_delta = ledger->delta,
        .spent_epsilon = ledger->sequence == 0 ? 0.0 : spent_epsilon(ledger),
        .spent_delta = ledger->sequence == 0 ? 0.0 : ledger->delta,
        .remaining_epsilon = ledger->is_unlimited ? INFINITY : remaining_epsilon(ledger),
        .remaining_delta = ledger->delta,
        .used_fraction = ledger->is_unlimited ? 0.0 : fmin(1.0, nw__up(currency(ledger, &ledger->spent) / ledger->limit)),
        .adjacency = ledger->adjacency,
        .filter = ledger->filter,
        .is_unlimited = ledger->is_unlimited,
        .charges = ledger->sequence,
        .samples = ledger->spent.samples,
    };
    if (ledger->sequence == 0)
        out->used_fraction = 0.0;
    snprintf(out->unit, sizeof out->unit, "%s", ledger->unit);
    head_text(ledger, out->head);
}

nw_status nw_ledger_summarise(nw_ledger *ledger, nw_ledger_summary *out, nw_error *err)
{
    NW__TRY(check_handle(ledger, __func__, err));
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    pthread_mutex_lock(&ledger->mutex);
    const nw_status status = nw__ledger_store_catch_up(ledger, __func__, err);
    if (status == NW_OK)
        summarise(ledger, out);
    pthread_mutex_unlock(&ledger->mutex);
    return status;
}

nw_status nw_ledger_each(
    nw_ledger *ledger, bool (*visit)(void *context, const nw_ledger_entry *entry), void *context, nw_error *err)
{
    NW__TRY(check_handle(ledger, __func__, err));
    if (visit == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "visit is NULL");
    pthread_mutex_lock(&ledger->mutex);
    const nw_status status = nw__ledger_store_each(ledger, 0, visit, context, __func__, err);
    pthread_mutex_unlock(&ledger->mutex);
    return status;
}

typedef struct anchor_search {
    const char *head;
    bool is_found;
} anchor_search;

static bool match_anchor(void *context, const nw_ledger_entry *entry)
{
    anchor_search *search = context;
    char head[NW_LEDGER_HEAD_SIZE];
    snprintf(head, sizeof head, "%llu:%s", (unsigned long long)entry->sequence, entry->mac == NULL ? "" : entry->mac);
    search->is_found = strcmp(head, search->head) == 0;
    return !search->is_found;
}

/* The chain from the start, forgetting what the handle has verified before. */
static nw_status verify_locked(nw_ledger *ledger, const char *anchor_head, nw_error *err)
{
    static const char *const name = "nw_ledger_verify";
    anchor_search search = { anchor_head, false };
    ledger->sequence = 0;
    ledger->mac = nw__ledger_header_mac(ledger);
    ledger->spent = (nw_cost){ 0 };
    NW__TRY(nw__ledger_store_check(ledger, name, err));
    NW__TRY(nw__ledger_store_catch_up(ledger, name, err));
    if (anchor_head == NULL)
        return NW_OK;
    NW__TRY(nw__ledger_store_each(ledger, 0, match_anchor, &search, name, err));
    if (!search.is_found)
        return nw__fail(err, NW_E_FORMAT, name,
            "the ledger does not contain the head %.64s: it was rolled back or is another ledger", anchor_head);
    return NW_OK;
}

nw_status nw_ledger_verify(nw_ledger *ledger, const char *anchor_head, nw_error *err)
{
    NW__TRY(check_handle(ledger, __func__, err));
    pthread_mutex_lock(&ledger->mutex);
    const nw_status status = verify_locked(ledger, anchor_head, err);
    pthread_mutex_unlock(&ledger->mutex);
    return status;
}
