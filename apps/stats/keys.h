/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_STATS_KEYS_H
#define APP_STATS_KEYS_H

/* keys.h - queries that count keys that no schema lists: all of a run, released together. */
#include "../common/processes.h"
#include "../common/progress.h"
#include "query.h"

#include <jansson.h>
#include <stdio.h>

typedef struct keys_run keys_run;

/** What one user may contribute, and what all queries cost together. Noise is discrete Laplace, delta is for the thresholds. */
typedef struct keys_bounds {
    double epsilon;
    double delta;
    size_t unit; /* the column that says whose a record is; QUERY_NO_COLUMN: every record is of a user of its own */
    uint32_t max_keys;
    uint32_t max_count;
    double confidence; /* that all counts lie within their errors */
} keys_bounds;

/** Plans the release of queries with FIGURE_KEYS; they are borrowed. An exit code, with its message written. */
int keys_plan(keys_run **out, const query *queries, size_t count, const keys_bounds *bounds);
/** NULL is allowed. */
void keys_free(keys_run *run);
/** What all cost. Borrowed. */
const nw_event *keys_event(const keys_run *run);

/** Reads the table, or a share of it: of its users, if there is a unit. Records without a key, or without a unit if there is one,
 *  do not count. rank: of the process; *rows: records that were read, out. An exit code, with its message. */
int keys_feed(
    keys_run *run, const nw_schema *schema, const app_share *share, size_t rank, app_progress *progress, uint64_t *rows);
/** Adds up what all processes read, in process 0. */
nw_status keys_reduce(keys_run *run, const nw_reduce *reduce, nw_error *err);
/** Charges once, and draws. */
nw_status keys_release(keys_run *run, nw_rng *rng, nw_ledger *ledger, nw_receipt *receipt, nw_error *err);

/** The figures, or before the release what is to be expected of them. False, or NULL, if memory lacks. */
bool keys_text(FILE *stream, const keys_run *run, const nw_schema *schema);
json_t *keys_json(const keys_run *run, const nw_schema *schema);

#endif
