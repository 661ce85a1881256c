/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* ledger_schedule.c - a budget that is spent as a schedule declared at creation: the whole schedule is one event, fixed
 * beforehand, so its epsilon may come from any method, and only its own steps are admitted, in their order. Why that is sound and
 * a composition of whatever was chosen is not: docs/rooms/ledger.md#schedules. */
#include "ledger_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a charge would end, on a copy of the position. */
typedef struct cursor {
    const nw__ledger_schedule *schedule;
    size_t at;
    uint64_t taken; /* of step `at` */
} cursor;

/* Appends an event `count` times; a composition is taken apart, a repetition's child stays whole. */
static nw_status add_step(nw__ledger_schedule *s, const nw_event *event, uint64_t count, nw_error *err)
{
    if (event->kind == NW_EVENT_COMPOSED && count == 1) {
        for (size_t i = 0; i < event->child_count; i++)
            NW__TRY(add_step(s, event->children[i], 1, err));
        return NW_OK;
    }
    if (event->kind == NW_EVENT_REPEAT && count == 1)
        return add_step(s, event->children[0], event->count, err);
    nw__ledger_schedule_step *steps = nw__realloc_array(s->steps, s->count + 1, sizeof *steps);
    if (steps == NULL)
        return nw__fail_memory(err, "nw_ledger");
    s->steps = steps;
    s->steps[s->count] = (nw__ledger_schedule_step){ NULL, count };
    NW__TRY(nw_event_to_json(event, &s->steps[s->count].text, err));
    s->count++;
    return NW_OK;
}

void nw__ledger_schedule_clear(nw__ledger_schedule *schedule)
{
    for (size_t i = 0; i < schedule->count; i++)
        nw_string_free(schedule->steps[i].text);
    free(schedule->steps);
    *schedule = (nw__ledger_schedule){ 0 };
}

nw_status nw__ledger_schedule_read(
    nw__ledger_schedule *out, const nw_event *event, nw_adjacency adjacency, double delta, const char *function, nw_error *err)
{
    *out = (nw__ledger_schedule){ 0 };
    nw_status status = nw_event_epsilon(event, adjacency, delta, &out->epsilon, NULL, err);
    if (status == NW_OK)
        status = add_step(out, event, 1, err);
    if (status == NW_OK && out->count == 0)
        status = nw__fail(err, NW_E_ARG, function, "the schedule has no step");
    if (status != NW_OK)
        nw__ledger_schedule_clear(out);
    return status;
}

static bool is_step(const cursor *c, const char *text)
{
    return c->at < c->schedule->count && strcmp(c->schedule->steps[c->at].text, text) == 0;
}

/* Takes `count` times the same step, over neighbouring entries of it. */
static bool take(cursor *c, const char *text, uint64_t count)
{
    while (count > 0) {
        if (!is_step(c, text))
            return false;
        const uint64_t left = c->schedule->steps[c->at].count - c->taken;
        const uint64_t now = count < left ? count : left;
        count -= now;
        c->taken += now;
        if (c->taken == c->schedule->steps[c->at].count) {
            c->at++;
            c->taken = 0;
        }
    }
    return true;
}

/* NW_E_BUDGET if the event is not what comes next; without a message. */
static nw_status follow(cursor *c, const nw_event *event, uint64_t count, nw_error *err)
{
    char *text = NULL;
    NW__TRY(nw_event_to_json(event, &text, err));
    const bool is_next = is_step(c, text);
    const bool is_taken = is_next && take(c, text, count);
    nw_string_free(text);
    if (is_next)
        return is_taken ? NW_OK : NW_E_BUDGET;
    if (event->kind == NW_EVENT_REPEAT && count == 1)
        return follow(c, event->children[0], event->count, err);
    if (event->kind != NW_EVENT_COMPOSED || count != 1)
        return NW_E_BUDGET;
    for (size_t i = 0; i < event->child_count; i++)
        NW__TRY(follow(c, event->children[i], 1, err));
    return NW_OK;
}

nw_status nw__ledger_schedule_check(const nw_ledger *ledger, const nw_event *event, const char *function, nw_error *err)
{
    cursor c = { &ledger->schedule, ledger->schedule.at, ledger->schedule.taken };
    const nw_status status = follow(&c, event, 1, err);
    if (status != NW_E_BUDGET)
        return status;
    if (ledger->schedule.at == ledger->schedule.count)
        return nw__fail(err, NW_E_BUDGET, function, "over the budget: the declared schedule is used up");
    return nw__fail(err, NW_E_BUDGET, function,
        "not what the declared schedule has next (step %zu of %zu, drawn %llu of %llu times): only its own steps, in their order",
        ledger->schedule.at + 1, ledger->schedule.count, (unsigned long long)ledger->schedule.taken,
        (unsigned long long)ledger->schedule.steps[ledger->schedule.at].count);
}

nw_status nw__ledger_schedule_advance(nw_ledger *ledger, const nw_event *event, nw_error *err)
{
    cursor c = { &ledger->schedule, ledger->schedule.at, ledger->schedule.taken };
    NW__TRY(follow(&c, event, 1, err));
    ledger->schedule.at = c.at;
    ledger->schedule.taken = c.taken;
    return NW_OK;
}

double nw__ledger_schedule_fraction(const nw__ledger_schedule *schedule)
{
    double all = 0.0;
    double taken = (double)schedule->taken;
    for (size_t i = 0; i < schedule->count; i++) {
        all += (double)schedule->steps[i].count;
        taken += i < schedule->at ? (double)schedule->steps[i].count : 0.0;
    }
    return all == 0.0 ? 0.0 : taken / all;
}
