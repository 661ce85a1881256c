/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_QUERY_SUPPORT_H
#define NW_TEST_QUERY_SUPPORT_H

/* query_support.h - a small table of columns that depend on each other, a list with every kind of query, and releases of them. */
#include "query_release.h"

#include <noisewright.h>
#include <nw/testing.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static const char SCHEMA[] = "{\"x\": {\"type\": \"int\", \"lower\": 0, \"upper\": 15}, \"c\": 3, \"d\": 2,"
                             " \"y\": {\"type\": \"int\", \"lower\": 0, \"upper\": 31, \"nullable\": false}}";
enum { X, C, D, Y, COLUMNS, ROWS = 3000 };

static nw_schema *schema;

static inline int setup(void **state)
{
    return (void)state, nw_schema_parse(&schema, SCHEMA, 0, NULL) == NW_OK ? 0 : -1;
}

static inline int teardown(void **state)
{
    (void)state;
    nw_schema_free(schema);
    return 0;
}

/* y follows x closely and d follows c: what 1-ways cannot say. */
static inline nw_table *make_table(size_t first, size_t end)
{
    nw_table *table = NULL;
    assert_int_equal(nw_table_new(&table, schema, end - first, NULL), NW_OK);
    for (size_t i = first; i < end; i++) {
        const uint16_t x = (uint16_t)(i * i % 17);
        const uint16_t codes[COLUMNS] = { x, (uint16_t)(i % 3), (uint16_t)(i % 3 == 2), (uint16_t)(x == 16 ? 31 : 2 * x) };
        for (size_t j = 0; j < COLUMNS; j++)
            assert_int_equal(nw_table_set(table, j, i - first, 1, &codes[j], NULL), NW_OK);
    }
    return table;
}

static inline nw_synth_opts options(const nw_queries *queries, double epsilon)
{
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    o.epsilon = epsilon;
    o.delta = 1e-9;
    o.adjacency = NW_ADD_REMOVE;
    o.most_ways = 1;
    o.queries = queries;
    return o;
}

static inline nw_ledger *ledger_of(double epsilon, nw_adjacency adjacency)
{
    nw_ledger *ledger = NULL;
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    o.epsilon = epsilon;
    o.delta = 1e-9;
    o.adjacency = adjacency;
    assert_int_equal(nw_ledger_memory(&ledger, &o, NULL), NW_OK);
    return ledger;
}

static inline nw_rng *seeded(uint64_t seed)
{
    nw_rng *rng = NULL;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    return rng;
}

static inline double half(const nw_query_record *record, void *context)
{
    (void)context;
    return 0.5 * record->numbers[Y] + 0.25;
}

static inline nw_queries *make_queries(bool has_predicate)
{
    const size_t read[] = { Y };
    nw_queries *q = NULL;
    assert_int_equal(nw_queries_new(&q, schema, NULL), NW_OK);
    assert_int_equal(nw_queries_add_marginals(q, 2, NULL), NW_OK);
    assert_int_equal(nw_queries_add_ranges(q, 2, 3, NULL), NW_OK);
    assert_int_equal(nw_queries_add_prefixes(q, 20, 2, 1, NULL), NW_OK);
    assert_int_equal(nw_queries_add_halfspaces(q, 20, 1, NULL), NW_OK);
    assert_int_equal(nw_queries_add_conjunctions(q, 20, 2, 1, NULL), NW_OK);
    if (has_predicate)
        assert_int_equal(nw_queries_add_predicate(q, half, NULL, read, 1, NULL), NW_OK);
    return q;
}

static inline nw_synth_measurements *release(const nw_synth_opts *o, const nw_table *table, uint64_t seed)
{
    nw_synth *synth = NULL;
    nw_synth_measurements *measured = NULL;
    nw_ledger *ledger = ledger_of(o->epsilon, o->adjacency);
    nw_rng *rng = seeded(seed);
    assert_int_equal(nw_synth_new(&synth, schema, o, NULL), NW_OK);
    assert_int_equal(nw_synth_add(synth, table, NULL), NW_OK);
    assert_int_equal(nw_synth_release(synth, rng, ledger, "x", &measured, NULL, NULL), NW_OK);
    nw_synth_free(synth);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
    return measured;
}

#endif
