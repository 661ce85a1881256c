/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_STATS_FEED_H
#define APP_STATS_FEED_H

/* feed.h - the records of a table into the accumulators of queries. */
#include "query.h"

/** Adds every record of the table to query i of `stats`, which is `q`. An exit code. */
int feed(nw_stats *stats, size_t i, const query *q, const nw_table *table);

#endif
