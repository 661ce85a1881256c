/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STATS_SUPPORT_H
#define STATS_SUPPORT_H

/* stats_support.h - what the tests of the stats room share. */
#include <noisewright.h>
#include <nw/testing.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static inline nw_stats_opts options(double epsilon, double delta, nw_adjacency adjacency)
{
    nw_stats_opts o = NW_STATS_OPTS_INIT;
    o.epsilon = epsilon;
    o.delta = delta;
    o.adjacency = adjacency;
    return o;
}

static inline nw_stats_query query(nw_stats_kind kind, size_t groups, double lower, double upper)
{
    nw_stats_query q = NW_STATS_QUERY_INIT;
    q.kind = kind;
    q.groups = groups;
    q.lower = lower;
    q.upper = upper;
    return q;
}

static inline nw_stats *make(const nw_stats_query *queries, size_t n, nw_stats_opts o)
{
    nw_stats *stats = NULL;
    nw_error err;
    if (nw_stats_new(&stats, queries, n, &o, &err) != NW_OK)
        fail_msg("%s", err.message);
    return stats;
}

static inline nw_rng *seeded(uint64_t seed)
{
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    return rng;
}

static inline nw_ledger *ledger_of(double epsilon, double delta, nw_adjacency adjacency)
{
    nw_ledger *ledger = NULL;
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    o.epsilon = epsilon;
    o.delta = delta;
    o.adjacency = adjacency;
    assert_int_equal(nw_ledger_memory(&ledger, &o, NULL), NW_OK);
    return ledger;
}

static inline uint64_t charges_of(nw_ledger *ledger)
{
    nw_ledger_summary summary;
    assert_int_equal(nw_ledger_summarise(ledger, &summary, NULL), NW_OK);
    return summary.charges;
}

#endif
