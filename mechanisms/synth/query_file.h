/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_QUERY_FILE_H
#define NW_QUERY_FILE_H

/* query_file.h - what was measured of queries, as a member of a measurement file's header. */
#include "fit_items.h"

#include <jansson.h>

/** The list as the calls that made it, the workloads that were measured in their order, and sigma; null where there are none.
 *  NULL if memory lacks. */
json_t *nw__query_results_json(const nw__query_results *results);
/** False if the list has predicates: a file cannot hold functions. */
bool nw__query_results_can_be_written(const nw__query_results *results);
/** Reads that member; the counts are not there yet. NW_E_FORMAT if it is malformed; NW_E_NOMEM. */
nw_status nw__query_results_from_json(
    nw__query_results *results, const nw_schema *schema, const json_t *json, const char *name, nw_error *err);

#endif
