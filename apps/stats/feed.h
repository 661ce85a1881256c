/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_STATS_FEED_H
#define APP_STATS_FEED_H

/* feed.h - records of a file to the queries. */
#include "../common/progress.h"
#include "query.h"

/** Reads the table once, block after block, and adds its records to every query; columns that no query names are not decoded. An
 *  exit code, with its message written. */
int feed(nw_stats *stats, const query *queries, size_t count, const nw_schema *schema, const char *path, app_progress *progress);

#endif
