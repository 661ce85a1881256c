/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_QUERY_FIT_H
#define NW_QUERY_FIT_H

/* query_fit.h - tables fitted to answers of queries, besides marginals. */
#include "fit_items.h"

typedef struct nw__query_fit {
    const nw_synth_measurements *measured; /* with queries */
    double total;                          /* number of records */
    size_t rows;                           /* of the synthetic table */
    unsigned sweeps;
    uint64_t generations; /* genetic: the cap */
    nw_synth_progress progress;
    void *progress_context;
} nw__query_fit;

/** Moves of a table that agrees with the marginals already, accepted at the temperature of the noise. */
nw_status nw__query_polish(const nw__query_fit *fit, nw_table *table, nw_rng *rng, nw_error *err);
/** A search of Private-GSD; rows_of_codes: [rows][columns], the result and, with has_start, one of the first elites. */
nw_status nw__query_search(
    const nw__query_fit *fit, uint16_t *rows_of_codes, bool has_start, double slow_change, nw_rng *rng, nw_error *err);
/** The last of them, into a table of `rows` rows. */
nw_status nw__query_last_search(const nw__query_fit *fit, nw_table *table, nw_rng *rng, nw_error *err);
/** Rows of codes into a table of as many rows. */
nw_status nw__query_store(nw_table *table, const uint16_t *rows_of_codes, nw_error *err);

#endif
