/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_STATS_FEED_H
#define APP_STATS_FEED_H

/* feed.h - records of a file to the queries. */
#include "../common/processes.h"
#include "../common/progress.h"
#include "query.h"

/** The first `figures` queries go to `stats`, each of the others, which have FIGURE_QUANTILES, to a tree of its own. */
typedef struct feed_targets {
    nw_stats *stats;
    size_t figures;
    nw_tree *const *trees;
} feed_targets;

/** Reads the table once, or this process' share of it, block after block, and adds its records to every query; columns that no
 *  query names are not decoded. *rows: how many there were, out. An exit code, with its message written. */
int feed(const feed_targets *to, const query *queries, size_t count, const nw_schema *schema, const app_share *share,
    app_progress *progress, uint64_t *rows);

#endif
