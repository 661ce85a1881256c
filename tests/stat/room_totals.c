/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "need.h"
#include "room_release.h"
#include "keys_internal.h"

#include <math.h>
#include <nw/testing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 4096, MOST_CELLS = 2 };

double room_epsilon(const room_case *c, bool is_planted)
{
    return c->epsilon * (is_planted && c->factor > 0.0 ? c->factor : 1.0);
}

bool room_has(const room_case *c, bool is_planted, room_fault fault)
{
    return is_planted && c->fault == fault;
}

audit_bound room_case_audit(const room_case *c, bool is_planted, size_t runs, audit_claim *claim)
{
    void *honest = c->room->open(c, false);
    *claim = audit_claim_of(c->room->event(honest), c->adjacency, c->delta);
    c->room->close(honest);
    void *context = c->room->open(c, is_planted);
    audit_opts opts = AUDIT_OPTS_INIT;
    opts.delta = c->delta;
    opts.runs = runs > 0 ? runs : c->runs > 0 ? c->runs : opts.runs;
    const audit_bound bound = audit(&(audit_mechanism){ c->room->run, context, c->room->statistics }, &opts);
    c->room->close(context);
    return bound;
}

bool room_release__is_refuted(const void *context, bool is_planted)
{
    audit_claim claim;
    const audit_bound bound = room_case_audit(context, is_planted, 0, &claim);
    return audit_refutes(&bound, &claim);
}

static nw_ledger *open_ledger(const room_case *c)
{
    nw_ledger *ledger = NULL;
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    o.epsilon = 1.0;
    o.delta = c->delta;
    o.adjacency = c->adjacency;
    need(nw_ledger_unlimited(&ledger, &o, NULL) == NW_OK);
    return ledger;
}

/* ---- totals: groups are runs, under replace-one two groups are one run ---- */

typedef struct totals {
    const room_case *c;
    bool is_planted;
    nw_stats *claimed; /* never released */
    size_t cells;      /* groups of a run */
    int64_t exact[2][NW__STATS_TOTALS * MOST_CELLS];
} totals;

static nw_stats *make(const room_case *c, double epsilon, bool is_planted, size_t cells)
{
    nw_stats_query q = NW_STATS_QUERY_INIT;
    nw_stats_opts o = NW_STATS_OPTS_INIT;
    nw_stats *stats = NULL;
    q.kind = (nw_stats_kind)c->what;
    q.groups = RUNS * cells;
    q.upper = 10.0;
    o.epsilon = epsilon;
    o.delta = c->delta;
    o.adjacency = room_has(c, is_planted, ROOM_OTHER_ADJACENCY) ? NW_ADD_REMOVE : c->adjacency;
    need(nw_stats_new(&stats, &q, 1, &o, NULL) == NW_OK);
    return stats;
}

/* Add/remove: with or without a record at the bound. Replace-one: it is in the second group instead of the first. */
static void add_records(nw_stats *stats, const totals *t, int side)
{
    static uint32_t groups[RUNS];
    static double values[RUNS];
    const size_t records = t->cells > 1 || side == 1 ? 1 : 0;
    const size_t copies = room_has(t->c, t->is_planted, ROOM_RECORD_TWICE) ? 2 : 1;
    for (uint32_t run = 0; run < RUNS; run++) {
        groups[run] = (uint32_t)(run * t->cells) + (t->cells > 1 && side == 1);
        values[run] = 1e9; /* counts as 10 */
    }
    for (size_t i = 0; i < records * copies; i++)
        need(nw_stats_add(stats, 0, groups, values, RUNS, NULL) == NW_OK);
}

static void *totals_open(const room_case *c, bool is_planted)
{
    totals *t = calloc(1, sizeof *t);
    need(t != NULL);
    *t = (totals){ .c = c, .is_planted = is_planted, .cells = c->adjacency == NW_REPLACE_ONE ? 2 : 1 };
    t->claimed = make(c, c->epsilon, false, t->cells);
    for (int side = 0; side < 2; side++) {
        nw_stats *stats = make(c, room_epsilon(c, is_planted), is_planted, t->cells);
        add_records(stats, t, side);
        for (size_t k = 0; k < stats->queries[0].total_count; k++)
            for (size_t cell = 0; cell < t->cells; cell++)
                t->exact[side][k * t->cells + cell] = stats->totals[stats->queries[0].totals[k].first + cell];
        nw_stats_free(stats);
    }
    return t;
}

static const nw_event *totals_event(const void *context)
{
    return nw_stats_event(((const totals *)context)->claimed);
}

static void totals_close(void *context)
{
    nw_stats_free(((totals *)context)->claimed);
    free(context);
}

/* Log of the likelihood ratio of side 1 against side 0; and the difference of the first total alone. */
static void totals_run(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    const totals *t = context;
    nw_stats *stats = make(t->c, room_epsilon(t->c, t->is_planted), t->is_planted, t->cells);
    nw_ledger *ledger = open_ledger(t->c);
    const nw__query *q = &stats->queries[0];
    add_records(stats, t, side);
    need(nw_stats_release(stats, rng, ledger, "audit", NULL, NULL) == NW_OK);
    for (size_t run = 0; run < runs; run++) {
        double ratio = 0.0;
        for (size_t k = 0; k < q->total_count; k++)
            for (size_t cell = 0; cell < t->cells; cell++) {
                const size_t e = k * t->cells + cell;
                const int64_t noisy = room_has(t->c, t->is_planted, ROOM_TRUE_DENOMINATOR) && k == 0
                                          ? t->exact[side][e]
                                          : stats->totals[q->totals[k].first + run * t->cells + cell];
                const double y = (double)(noisy - t->exact[0][e]);
                const double d = (double)(t->exact[1][e] - t->exact[0][e]);
                const double scale = q->totals[k].scale;
                ratio += t->c->delta == 0.0 ? (fabs(y) - fabs(y - d)) / scale : d * y / (scale * scale);
            }
        out[2 * run] = ratio;
        out[2 * run + 1] = (double)(stats->totals[run * t->cells] - t->exact[0][0]);
    }
    nw_ledger_close(ledger);
    nw_stats_free(stats);
}

const room room_totals = { totals_open, totals_run, totals_event, totals_close, 2 };

/* ---- keys: a key is a run, and has users of its own ---- */

typedef struct keys {
    const room_case *c;
    bool is_planted;
    nw_keys *claimed;
    nw_noise *noise;
} keys;

static const double THRESHOLD_DELTA = 1e-3;

static nw_keys *make_keys(double epsilon)
{
    nw_keys_opts o = NW_KEYS_OPTS_INIT;
    nw_keys *made = NULL;
    o.epsilon = epsilon;
    o.delta = 0.0;
    o.threshold_delta = THRESHOLD_DELTA;
    o.adjacency = NW_ADD_REMOVE;
    o.max_keys = o.max_count = 1;
    need(nw_keys_new(&made, &o, NULL) == NW_OK);
    return made;
}

static void *keys_open(const room_case *c, bool is_planted)
{
    keys *k = calloc(1, sizeof *k);
    need(k != NULL);
    *k = (keys){ c, is_planted, make_keys(c->epsilon), NULL };
    need(nw_noise_new(&k->noise, NW_NOISE_DISCRETE_LAPLACE, 1.0 / room_epsilon(c, is_planted), NULL) == NW_OK);
    return k;
}

static const nw_event *keys_event(const void *context)
{
    return nw_keys_event(((const keys *)context)->claimed);
}

static void keys_close(void *context)
{
    keys *k = context;
    nw_keys_free(k->claimed);
    nw_noise_free(k->noise);
    free(k);
}

static void add_user(nw_keys *made, uint32_t key, uint32_t number)
{
    const uint32_t user[2] = { key, number };
    need(nw_keys_add(made, user, sizeof user, &key, sizeof key, NULL) == NW_OK);
}

/* The users of a key: one fewer than its count has to be, so that most of the law is released; or none. */
static void run_honest(const keys *k, uint32_t users, nw_rng *rng, double *out, size_t runs)
{
    nw_keys *made = make_keys(room_epsilon(k->c, k->is_planted));
    nw_ledger *ledger = open_ledger(k->c);
    for (uint32_t run = 0; run < runs; run++)
        for (uint32_t u = 0; u < users; u++)
            add_user(made, run, u);
    need(nw_keys_release(made, rng, ledger, "audit", NULL, NULL) == NW_OK);
    for (size_t run = 0; run < runs; run++)
        out[run] = -1.0; /* not there */
    for (size_t i = 0; i < nw_keys_released(made); i++) {
        const char *key = NULL;
        size_t size = 0;
        int64_t count = 0;
        uint32_t run = 0;
        need(nw_keys_get(made, i, &key, &size, &count, NULL) == NW_OK && size == sizeof run);
        memcpy(&run, key, sizeof run);
        out[run] = (double)count;
    }
    nw_ledger_close(ledger);
    nw_keys_free(made);
}

static void run_twin(const keys *k, uint32_t users, nw_rng *rng, double *out, size_t runs)
{
    int64_t z[RUNS];
    const bool is_skipped = room_has(k->c, k->is_planted, ROOM_THRESHOLD_SKIPPED);
    need(nw_noise_fill(k->noise, rng, z, runs, NULL) == NW_OK);
    for (size_t run = 0; run < runs; run++) {
        const int64_t count = users + z[run];
        const bool is_released = users > 0 && (is_skipped || count >= nw_keys_threshold(k->claimed) - 1);
        out[run] = is_released ? (double)count : -1.0;
    }
}

static void keys_run(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    const keys *k = context;
    const bool is_twin =
        room_has(k->c, k->is_planted, ROOM_THRESHOLD_ONE_LOW) || room_has(k->c, k->is_planted, ROOM_THRESHOLD_SKIPPED);
    const uint32_t others = k->c->what == 1 ? 0 : (uint32_t)nw_keys_threshold(k->claimed) - 1;
    (is_twin ? run_twin : run_honest)(k, others + (side == 1), rng, out, runs);
}

const room room_keys = { keys_open, keys_run, keys_event, keys_close, 1 };

/* Without its user the key is never released, so how often it is with the user is what delta is for. */
bool lone_key__is_refuted(const void *context, bool is_planted)
{
    const room_case *c = context;
    keys *k = keys_open(c, is_planted);
    nw_rng *rng = NULL;
    double out[RUNS];
    size_t hits = 0;
    need(nw_rng_new_insecure_seeded(&rng, 5, NULL) == NW_OK);
    for (size_t done = 0; done < c->runs; done += RUNS) {
        keys_run(k, 0, rng, out, RUNS);
        for (size_t i = 0; i < RUNS; i++)
            need(out[i] == -1.0);
        keys_run(k, 1, rng, out, RUNS);
        for (size_t i = 0; i < RUNS; i++)
            hits += out[i] != -1.0;
    }
    const double least = audit_rate_below(hits, c->runs, 1e-6);
    const double charged = nw__keys_delta(NW_NOISE_DISCRETE_LAPLACE, 1.0 / c->epsilon, 1, 1, nw_keys_threshold(k->claimed));
    printf("# audit: delta >= %.3g, charged %.3g\n", least, charged);
    nw_rng_free(rng);
    keys_close(k);
    return least > charged;
}
