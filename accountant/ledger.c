/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* ledger.c - creating, opening and closing a budget. */
#include "ledger_internal.h"

#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
    if (!nw__is_adjacency(o->adjacency))
        return nw__fail(err, NW_E_ARG, function, "adjacency is %s, must be add_remove, replace_one, zero_out or replace_label",
            nw_adjacency_name(o->adjacency));
    if (o->filter < NW_FILTER_AUTO || o->filter > NW_FILTER_RENYI)
        return nw__fail(err, NW_E_ARG, function, "filter is %d, must be auto, gdp, zcdp, pure or renyi", (int)o->filter);
    if (o->delta == 0.0 && o->filter != NW_FILTER_AUTO && o->filter != NW_FILTER_PURE)
        return nw__fail(err, NW_E_ARG, function, "filter is %s, must be pure when delta is 0", nw_filter_name(o->filter));
    if (o->filter == NW_FILTER_RENYI ? !(o->order > 1.0 && o->order <= NW__MAX_ORDER) : o->order != 0.0)
        return nw__fail(
            err, NW_E_ARG, function, "order is %g, must be in (1, %g] with filter renyi and 0 without", o->order, NW__MAX_ORDER);
    if (o->schedule != NULL && (o->filter != NW_FILTER_AUTO || is_unlimited))
        return nw__fail(
            err, NW_E_ARG, function, "a schedule takes the place of a filter: filter must be auto, and a budget given");
    if (o->unit == NULL || strlen(o->unit) >= sizeof((nw_ledger *)0)->unit)
        return nw__fail(err, NW_E_ARG, function, "unit must be a text of at most %zu bytes", sizeof((nw_ledger *)0)->unit - 1);
    return NW_OK;
}

nw_ledger *nw__ledger_allocate(const char *function, nw_error *err)
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
    nw__ledger_forget(ledger);
    pthread_mutex_destroy(&ledger->mutex);
    free(ledger);
}

/* The whole schedule is charged by the first row, which is there before the file is. */
static nw_status create_scheduled(nw_ledger *ledger, const char *path, const nw_event *event, const char *function, nw_error *err)
{
    nw__ledger_schedule schedule;
    char mac[2 * NW__LEDGER_MAC_BYTES + 1];
    char time_text[32];
    char *text = NULL;
    const nw__row row = { .kind = NW_ROW_SCHEDULE, .steps = 1, .event = (nw_event *)event };
    NW__TRY(nw__ledger_schedule_read(&schedule, event, ledger->adjacency, ledger->delta, function, err));
    const double epsilon = schedule.epsilon;
    nw__ledger_schedule_clear(&schedule);
    if (!(epsilon <= ledger->epsilon))
        return nw__fail(err, NW_E_BUDGET, function, "over the budget (epsilon %g, delta %g): the schedule costs epsilon %g",
            ledger->epsilon, ledger->delta, epsilon);
    NW__TRY(nw__row_to_text(&row, &text, err));
    nw__utc_now(time_text);
    nw__ledger_mac_text(nw__ledger_row_mac(ledger, ledger->mac, 1, time_text, "schedule", text), mac);
    const nw__stored first = { 1, time_text, "schedule", text, mac };
    nw_status status = nw__ledger_store_create(ledger, path, &first, function, err);
    nw_string_free(text);
    if (status == NW_OK)
        status = nw__ledger_store_catch_up(ledger, function, err);
    return status;
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
    nw_ledger *ledger = nw__ledger_allocate(function, err);
    if (ledger == NULL)
        return NW_E_NOMEM;
    ledger->is_durable = path != NULL;
    ledger->is_unlimited = is_unlimited;
    ledger->order = o.order;
    ledger->epsilon = is_unlimited ? INFINITY : o.epsilon;
    ledger->delta = o.delta;
    ledger->adjacency = o.adjacency;
    ledger->filter = o.schedule != NULL           ? NW_FILTER_SCHEDULE
                     : o.filter != NW_FILTER_AUTO ? o.filter
                     : o.delta == 0.0             ? NW_FILTER_PURE
                                                  : NW_FILTER_GDP;
    snprintf(ledger->unit, sizeof ledger->unit, "%s", o.unit);
    randombytes_buf(ledger->id, sizeof ledger->id); /* an identity, not a secret: fresh enough is all it must be */
    nw_status status = nw__ledger_reset(ledger, function, err);
    if (status == NW_OK && !(ledger->budgets[NW__LEDGER_TOTAL].limit > 0.0))
        status = nw__fail(err, NW_E_ARG, function, "filter %s lets nothing through at epsilon %g, delta %g",
            nw_filter_name(ledger->filter), ledger->epsilon, ledger->delta);
    if (status == NW_OK && o.schedule != NULL)
        status = create_scheduled(ledger, path, o.schedule, function, err);
    else if (status == NW_OK)
        status = nw__ledger_store_create(ledger, path, NULL, function, err);
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
    nw_ledger *ledger = nw__ledger_allocate(function, err);
    if (ledger == NULL)
        return NW_E_NOMEM;
    ledger->is_durable = true;
    ledger->is_readonly = is_readonly;
    nw_status status = nw__ledger_store_open(ledger, path, function, err);
    if (status == NW_OK)
        status = nw__ledger_reset(ledger, function, err);
    if (status == NW_OK)
        status = nw__ledger_store_catch_up(ledger, function, err);
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

void nw__utc_now(char out[32])
{
    const time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

nw_status nw__ledger_check_handle(const nw_ledger *ledger, const char *function, nw_error *err)
{
    if (ledger == NULL)
        return nw__fail(err, NW_E_ARG, function, "ledger is NULL");
    if (ledger->owner != getpid())
        return nw__fail(err, NW_E_STATE, function, "the ledger was opened before a fork: open it again in the child");
    return NW_OK;
}

void nw__ledger_head_text(const nw_ledger *ledger, char out[NW_LEDGER_HEAD_SIZE])
{
    char mac[2 * NW__LEDGER_MAC_BYTES + 1];
    nw__ledger_mac_text(ledger->mac, mac);
    snprintf(out, NW_LEDGER_HEAD_SIZE, "%llu:%s", (unsigned long long)ledger->sequence, mac);
}
