/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "need.h"
#include "residue.h"
#include "room_release.h"
#include "stats_internal.h"

#include <math.h>
#include <nw/testing.h>
#include <stdlib.h>

/* One side's totals as doubles, each group a release. A figure of a sum is its total; of means and variances the totals are what
 * is released, and the ratio is made of them. */
static void release_side(const residue_case *c, bool has_record, bool is_planted, uint64_t seed, double *out, double *unit)
{
    nw_stats_query q = NW_STATS_QUERY_INIT;
    nw_stats_opts o = NW_STATS_OPTS_INIT;
    nw_ledger_opts l = NW_LEDGER_OPTS_INIT;
    nw_stats *stats = NULL;
    nw_ledger *ledger = NULL;
    nw_rng *rng = NULL;
    uint32_t *groups = calloc(c->groups, sizeof *groups);
    double *values = calloc(c->groups, sizeof *values);
    need(groups != NULL && values != NULL);
    q.kind = c->kind;
    q.groups = c->groups;
    q.upper = 10.0;
    o.epsilon = l.epsilon = 1.0;
    o.delta = l.delta = c->delta;
    o.adjacency = l.adjacency = NW_ADD_REMOVE;
    need(nw_stats_new(&stats, &q, 1, &o, NULL) == NW_OK && nw_ledger_memory(&ledger, &l, NULL) == NW_OK);
    need(nw_rng_new_insecure_seeded(&rng, seed, NULL) == NW_OK);
    for (uint32_t g = 0; g < c->groups; g++) {
        groups[g] = g;
        values[g] = c->value;
    }
    if (has_record && !is_planted)
        need(nw_stats_add(stats, 0, groups, values, c->groups, NULL) == NW_OK);
    const nw__total *t = &stats->queries[0].totals[c->total];
    for (size_t g = 0; g < c->groups; g++) /* what earlier records added up to */
        stats->totals[t->first + g] += (int64_t)(c->others * t->sensitivity.value);
    need(nw_stats_release(stats, rng, ledger, "residue", NULL, NULL) == NW_OK);
    need(nw_grid_to_double(t->grid, stats->totals + t->first, c->groups, out, NULL) == NW_OK);
    for (size_t g = 0; g < c->groups; g++) {
        nw_stats_figure f;
        need(nw_stats_get(stats, 0, g, &f, NULL) == NW_OK);
        need(c->kind != NW_STATS_SUM || f.value == out[g]);
        out[g] += is_planted && has_record ? c->value : 0.0; /* the twin adds the record to the noisy double */
    }
    *unit = ldexp(1.0, t->grid.exponent);
    nw_stats_free(stats);
    nw_ledger_close(ledger);
    nw_rng_free(rng);
    free(groups);
    free(values);
}

bool room_residue__leaks(const void *context, bool is_planted)
{
    const residue_case *c = context;
    double unit = 0.0;
    double *x = calloc(c->groups, sizeof *x);
    double *y = calloc(c->groups, sizeof *y);
    need(x != NULL && y != NULL);
    release_side(c, false, is_planted, 31, x, &unit);
    release_side(c, true, is_planted, 32, y, &unit);
    const bool leaks = residue_leaks(x, y, c->groups, unit);
    free(x);
    free(y);
    return leaks;
}
