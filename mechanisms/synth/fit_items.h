/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_FIT_ITEMS_H
#define NW_FIT_ITEMS_H

/* fit_items.h - everything that was measured, marginals and queries, as the items of a tally. */
#include "synth_internal.h"
#include "tally.h"

/** Room for `most` workloads of the list, to which a reference is kept. False if memory lacks. */
bool nw__query_results_make(nw__query_results *results, const nw_queries *queries, size_t most);
void nw__query_results_clear(nw__query_results *results);

/** How noisy counts become targets. */
typedef enum nw__target {
    NW__TARGET_WEIGHTED = 1, /* as they are, weight 1 / sigma^2 in rows of the synthetic table */
    NW__TARGET_PUBLISHED = 2 /* clipped to [0, number of records], all weights 1: Private-GSD */
} nw__target;

typedef struct nw__fit_items {
    nw_queries *marginals; /* a list made for the plan's marginals */
    nw__tally_item *items;
    size_t count;
    double *targets;
} nw__fit_items;

/** The plan's marginals over its own cells; or, where `measured` is not NULL, its plan's marginals over the schema's codes, then
 *  its queries. total: the number of records; rows: of the synthetic table. */
nw_status nw__fit_items_make(nw__fit_items *out, const nw__plan *plan, const nw_synth_measurements *measured, double total,
    size_t rows, nw__target target, nw_error *err);
void nw__fit_items_clear(nw__fit_items *items);

#endif
