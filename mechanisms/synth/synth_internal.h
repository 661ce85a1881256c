/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_SYNTH_INTERNAL_H
#define NW_SYNTH_INTERNAL_H

/* synth_internal.h - what the files of the synth room share.
 *
 *   plan.c       which marginals, with how much noise              (public: schema and options only)
 *   measure.c    exact counts, then one noise draw per cell         (the only code that reads the private table)
 *   reference.c  table size and independent reference measure       (from the noisy counts)
 *   gibbs.c, genetic.c   the engines                                (from the noisy counts)
 *   synth.c      options, the spine, decoding
 */
#include "base.h"
#include "random_internal.h"

#include <nw/synth.h>

#define NW__ONE_WAY SIZE_MAX /* second column of a 1-way marginal */

/** One marginal: the counts of the cells (code of `a`, code of `b`), row-major with b fastest; cells_b is 1 for a 1-way. */
typedef struct nw__marginal {
    size_t a;
    size_t b;
    uint32_t cells_a;
    uint32_t cells_b;
    double sigma;    /* of the rounded Gaussian, in counts */
    int64_t *counts; /* NULL until measured; noisy afterwards, never the exact counts outside of measure.c */
} nw__marginal;

typedef struct nw__plan {
    size_t columns;
    uint32_t *cells; /* codes per column */
    nw__marginal *marginals;
    size_t marginal_count;
    size_t one_ways;            /* the first so many marginals; all of one sigma, as are the 2-ways that follow */
    nw_sensitivity sensitivity; /* l2, of one marginal's counts */
} nw__plan;

/** Plans all 1-way marginals and the 2-way marginals that fit (see NW__MAX_PAIR_CELLS); mu is the Gaussian-DP budget of the
 *  whole. */
nw_status nw__plan_make(nw__plan *plan, const nw_schema *schema, const nw_synth_opts *opts, double mu, nw_error *err);
void nw__plan_clear(nw__plan *plan);

/* A 2-way of more cells than this is not measured: at 2^20 cells even 10^7 rows are mostly noise. The limit is halved until all
 * 2-ways together have at most NW__MAX_TOTAL_CELLS cells, which take 16 bytes each while a table is fitted (512 MiB). Both are
 * public. */
#define NW__MAX_PAIR_CELLS (UINT64_C(1) << 20)
#define NW__MAX_TOTAL_CELLS (UINT64_C(1) << 25)
/** What one run charges. */
nw_status nw__plan_event(const nw__plan *plan, nw_event **out, nw_error *err);

/** Counts every marginal exactly and adds its noise; on error no counts are left. The charge must stand already. */
nw_status nw__plan_measure(nw__plan *plan, const nw_table *table, nw_rng *rng, nw_error *err);

/** What the noisy marginals say of each column by itself. */
typedef struct nw__reference {
    double total;          /* estimated number of private rows */
    double standard_error; /* of it; 0 where the number is public */
    size_t columns;
    float **log_p; /* per column: log of a strictly positive law over its codes */
} nw__reference;

/** known_rows: the table's size where it is public, or a negative number. */
nw_status nw__reference_make(nw__reference *reference, const nw__plan *plan, double known_rows, nw_error *err);
void nw__reference_clear(nw__reference *reference);

/** One chain of an engine: fits `rows` rows to the noisy marginals. */
typedef struct nw__chain {
    const nw__plan *plan;
    const nw__reference *reference;
    size_t rows;
    unsigned sweeps;
    double heat;     /* gibbs: factor on the temperature, 1 but in measurements of the rule */
    uint16_t *codes; /* out: [columns][rows] */
    nw_synth_progress progress;
    void *progress_context;
} nw__chain;

/** Annealed Gibbs resampling with an independent reference measure. */
nw_status nw__gibbs_fit(const nw__chain *chain, nw_rng *rng, nw_error *err);
/** Private-GSD [LTVW23], one-shot. */
nw_status nw__genetic_fit(const nw__chain *chain, nw_rng *rng, nw_error *err);

/** Fills the chain with rows drawn from the product of the reference laws. */
nw_status nw__chain_start(const nw__chain *chain, nw_rng *rng, nw_error *err);

#endif
