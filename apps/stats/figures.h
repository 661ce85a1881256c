/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_STATS_FIGURES_H
#define APP_STATS_FIGURES_H

/* figures.h - queries about values that the schema knows: all of a run, released together. Most go to one nw_stats, each that
 * wants many quantiles to a tree of its own. */
#include "../common/processes.h"
#include "../common/progress.h"
#include "query.h"

#include <jansson.h>
#include <stdio.h>

typedef struct figures_run figures_run;

/** Plans the release. The queries are borrowed, and brought into the order in which they are answered: trees last. An exit code,
 *  with its message written. */
int figures_plan(figures_run **out, query *queries, size_t count, const nw_stats_opts *opts);
/** NULL is allowed. */
void figures_free(figures_run *run);
/** What all cost. Borrowed. */
const nw_event *figures_event(const figures_run *run);

/** Reads the table once, or a share of it; *rows: records that were read, out. An exit code, with its message. */
int figures_feed(figures_run *run, const nw_schema *schema, const app_share *share, app_progress *progress, uint64_t *rows);
/** Adds up what all processes read, in process 0. */
nw_status figures_reduce(figures_run *run, const nw_reduce *reduce, nw_error *err);
/** Charges once, and draws. */
nw_status figures_release(figures_run *run, nw_rng *rng, nw_ledger *ledger, nw_receipt *receipt, nw_error *err);

/** The figures, or before the release what is to be expected of them, of `records` records (0: unknown). False, or NULL, if
 *  memory lacks. */
bool figures_text(FILE *stream, const figures_run *run, const nw_schema *schema, uint64_t records);
json_t *figures_json(const figures_run *run, const nw_schema *schema, uint64_t records);

#endif
