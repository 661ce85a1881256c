/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_GENETIC_H
#define NW_GENETIC_H

/* genetic.h - Private-GSD's search [LTVW23, Alg. 2] for a table whose answers are near a tally's targets. */
#include "random_internal.h"
#include "tally.h"

#include <nw/synth.h>

/** The paper's hyper-parameters. */
typedef struct nw__genetic_settings {
    size_t mutations; /* of a generation; together with the crossovers the paper's P */
    size_t crossovers;
    size_t elites;             /* E, at least 2 */
    uint64_t most_generations; /* G */
    double window_change;      /* stop when N' generations improve the fitness by less than this part of it */
    double slow_change;        /* stop when a tenth more generations did not bring this improvement either; 0: no such rule */
} nw__genetic_settings;

/** E = 5, 50 + 50 candidates, window_change 1e-4, as published; G and slow_change differ between the paper's experiments. */
nw__genetic_settings nw__genetic_defaults(uint64_t most_generations);

typedef struct nw__genetic_task {
    nw__genetic_settings settings;
    nw__tally *tally;          /* without rows; afterwards it has those of the result */
    const nw_queries *numbers; /* what the codes of numeric columns stand for */
    size_t columns;
    size_t rows;
    const uint32_t *cells; /* codes per column */
    uint16_t *table;       /* row-major: the result; with has_start, what one of the first elites is */
    bool has_start;
    nw_synth_progress progress;
    void *progress_context;
} nw__genetic_task;

nw_status nw__genetic_search(nw__genetic_task *task, nw_rng *rng, nw_error *err);

#endif
