/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_SYNTH_INTERNAL_H
#define NW_SYNTH_INTERNAL_H

/* synth_internal.h - what the files of the synth room share, in the order of a release.
 *
 *   plan.c          which marginals, with how much noise             (public: schema and options only)
 *   count.c         exact counts of a table's records                (private)
 *   partial.c       exact counts of many tables; merging, bytes      (private)
 *   synth.c         options, the handle
 *   release.c       the spine: charge, count, noise                  (the only step from private to public)
 *   measurements.c, measurements_file.c   what was released
 *   reference.c     table size and independent reference measure     (from the noisy counts)
 *   gibbs.c, genetic.c   the engines                                 (from the noisy counts)
 *   fit.c           chains of an engine; the table
 */
#include "base.h"
#include "random_internal.h"
#include "table_internal.h"

#include <nw/synth.h>

enum { NW__MAX_THREADS = 4096 };
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

static inline size_t nw__marginal_cells(const nw__marginal *m)
{
    return (size_t)m->cells_a * m->cells_b;
}

/** How a column's codes are grouped into cells. Public. */
typedef struct nw__coding {
    uint32_t cells;
    uint16_t *cell_of; /* per code of the schema; NULL: each code is its own cell */
} nw__coding;

/** The codings that group nothing; an array of `columns`, to be freed with nw__codings_free. NULL if memory lacks. */
nw__coding *nw__codings_identity(const nw_schema *schema);
void nw__codings_free(nw__coding *codings, size_t columns);

static inline uint32_t nw__coding_cell(const nw__coding *coding, uint32_t code)
{
    return coding->cell_of == NULL ? code : coding->cell_of[code];
}

/** Exact counts of one marginal's columns under codings: the one way from records to numbers. `counts` has room for the cells of
 *  the columns' codings. */
typedef struct nw__counter {
    void (*count)(const void *source, const nw__marginal *m, const nw__coding *codings, int64_t *counts);
    const void *source;
} nw__counter;

/** Adds a table's records to each marginal's counts, which have the schema's codes as cells. */
void nw__count_table(const nw__plan *plan, const nw_table *table, int64_t *const *counts, unsigned threads);
/** The counter that reads a table. Borrows it. */
nw__counter nw__counter_of_table(const nw_table *table);

/** Exact counts of a plan's marginals over some of the records. As secret as these. */
typedef struct nw__partial {
    const nw__plan *plan;
    int64_t **counts; /* per marginal; NULL: nothing was added yet */
    uint64_t rows;
} nw__partial;

nw_status nw__partial_add(nw__partial *partial, const nw_table *table, unsigned threads, const char *function, nw_error *err);
nw_status nw__partial_merge(nw__partial *partial, const nw__partial *other, const char *function, nw_error *err);
/** The bytes of nw_synth_serialize; `fingerprint` ties them to schema and options. */
enum { NW__FINGERPRINT_BYTES = 32 };
size_t nw__partial_size(const nw__partial *partial);
void nw__partial_write(const nw__partial *partial, const uint8_t fingerprint[NW__FINGERPRINT_BYTES], uint8_t *out);
nw_status nw__partial_merge_bytes(nw__partial *partial, const uint8_t fingerprint[NW__FINGERPRINT_BYTES], const uint8_t *bytes,
    size_t n, const char *function, nw_error *err);
/** Wipes. */
void nw__partial_clear(nw__partial *partial);
/** The counter that reads it: cells of `partial` that a coding puts together are added up. Borrows it. */
nw__counter nw__counter_of_partial(const nw__partial *partial);

/** Counts the marginals first..end-1 of the plan under its codings and adds their noise; on error none of their counts are left.
 *  The charge must stand already. All of one sigma. */
nw_status nw__plan_measure(nw__plan *plan, size_t first, size_t end, const nw__coding *codings, const nw__counter *counter,
    nw_rng *rng, unsigned threads, nw_error *err);

struct nw_synth {
    nw_synth_opts opts;
    nw_schema *schema; /* its own reference */
    nw__plan plan;     /* without counts */
    nw_event *event;
    uint8_t fingerprint[NW__FINGERPRINT_BYTES]; /* of schema and options */
    nw__partial partial;
    bool is_released;
};

/** What a release hands out. */
struct nw_synth_measurements {
    nw_schema *schema; /* its own reference */
    nw_event *event;
    nw_adjacency adjacency;
    double known_rows; /* where the number is public, else -1 */
    nw__coding *codings;
    nw__plan plan; /* with noisy counts */
};

/** The object without counts, for a release to fill. known_rows: the table's size where it is public, or a negative number. */
nw_status nw__measurements_new(nw_synth_measurements **out, const nw_synth *synth, double known_rows, nw_error *err);
nw_synth_measurement nw__describe_marginal(const nw__marginal *m, double rows);

/** NW_E_STATE after the release; NW_E_ARG if the table is NULL or of another schema. */
nw_status nw__synth_check_open(const nw_synth *synth, const char *function, nw_error *err);
nw_status nw__synth_check_table(const nw_synth *synth, const nw_table *table, const char *function, nw_error *err);

/** The table's size from the noisy marginals, at least 1, and its standard error; known_rows and 0 where that is not negative. */
double nw__estimate_rows(const nw__plan *plan, double known_rows, double *standard_error);

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

/** Little-endian whatever the machine. */
void nw__put_word(uint8_t out[8], uint64_t word);
uint64_t nw__get_word(const uint8_t in[8]);

/** Fills the chain with rows drawn from the product of the reference laws. */
nw_status nw__chain_start(const nw__chain *chain, nw_rng *rng, nw_error *err);

#endif
