/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_SYNTH_INTERNAL_H
#define NW_SYNTH_INTERNAL_H

/* synth_internal.h - what the files of the synth room share, in the order of a release.
 *
 *   plan.c          which marginals, with how much noise             (public: schema and options only)
 *   count.c         exact counts of a table's records                (private)
 *   partial.c       exact counts of many tables; merging, bytes      (private)
 *   unit_parts.c    which parts of a table by units were counted     (private)
 *   stream.c        exact counts of a file that is read twice        (private)
 *   join.c          counts of several processes, added up            (private)
 *   synth.c         options, the handle
 *   release.c       the spine: charge, count, noise                  (the only step from private to public)
 *   law.c           a column's law, from the noisy levels of its 1-way
 *   shrink.c        counts of many cells, by the prior that they say themselves
 *   coding.c        cells for the 2-ways, from that law
 *   measurements.c, measurements_file.c   what was released
 *   reference.c     table size and independent reference measure     (from the noisy counts)
 *   evidence.c      how closely each cell is followed               (from the noisy counts)
 *   gibbs.c, genetic.c   the engines                                 (from the noisy counts)
 *   fit.c, decode.c chains of an engine; the table
 */
#include "base.h"
#include "queries_internal.h"
#include "random_internal.h"
#include "reduce_internal.h"
#include "table_internal.h"

#include <nw/synth.h>

enum { NW__MAX_THREADS = 4096 };
#define NW__ONE_WAY SIZE_MAX /* second column of a 1-way marginal */

/** How a column's codes are grouped into cells. Public. */
typedef struct nw__coding {
    uint32_t cells;
    uint16_t *cell_of; /* per code of the schema; NULL: each code is its own cell */
} nw__coding;

static inline uint32_t nw__coding_cell(const nw__coding *coding, uint32_t code)
{
    return coding->cell_of == NULL ? code : coding->cell_of[code];
}

/** One marginal: the counts of the cells (cell of `a`, cell of `b`), row-major with b fastest; cells_b is 1 for a 1-way. A 3-way
 *  has a third column, whose cells are faster still. */
typedef struct nw__marginal {
    size_t a;
    size_t b;
    uint32_t cells_a;
    uint32_t cells_b;
    double sigma;     /* of the rounded Gaussian, in counts; of a 1-way worked out from several levels: its standard error */
    int64_t *counts;  /* NULL until measured; noisy afterwards, never the exact counts outside of measuring */
    size_t c;         /* of a 3-way */
    uint32_t cells_c; /* 0: there is no third column */
} nw__marginal;

/** Cells of the columns after the first. */
static inline size_t nw__marginal_rest(const nw__marginal *m)
{
    return (size_t)m->cells_b * (m->cells_c == 0 ? 1 : m->cells_c);
}

static inline size_t nw__marginal_cells(const nw__marginal *m)
{
    return m->cells_a * nw__marginal_rest(m);
}

/** How many columns there are, and the k-th of them. */
static inline size_t nw__marginal_ways(const nw__marginal *m)
{
    return m->b == NW__ONE_WAY ? 1 : m->cells_c == 0 ? 2 : 3;
}

static inline size_t nw__marginal_column(const nw__marginal *m, size_t k)
{
    return k == 0 ? m->a : k == 1 ? m->b : m->c;
}

static inline bool nw__marginals_are_alike(const nw__marginal *x, const nw__marginal *y)
{
    return x->a == y->a && x->b == y->b && (x->cells_c == 0) == (y->cells_c == 0) && (x->cells_c == 0 || x->c == y->c);
}

/** A column's 1-way as it is measured: codes in groups of `width` neighbours, the missing code by itself. An ordered column
 *  (int, float, date) of many codes has several levels, the coarsest first; any column has one of width 1, its last. */
typedef struct nw__level {
    size_t column;
    uint32_t width;
    uint32_t cells; /* groups, and the missing code if there is one */
    double sigma;
    int64_t *counts; /* as of a marginal */
} nw__level;

/** A column of more values than this is grouped for the 2-ways. */
enum { NW__FEW_CELLS = 16 };

/** What the plan knows of a column: public. */
typedef struct nw__column_shape {
    uint32_t codes;     /* of the schema */
    uint32_t values;    /* codes that are not "missing", which is the last */
    bool is_ordered;    /* its codes are numbers or dates, neighbours are alike */
    bool is_grouped;    /* its codes are grouped for the 2-ways, by what the levels say */
    size_t first_level; /* levels first_level .. first_level + levels - 1 */
    size_t levels;
    uint32_t unit_width;      /* codes in a unit, at most: see nw__plan.units */
    const uint32_t *class_of; /* per code: what the schema's rules tell apart, which no unit and no cell may mix; NULL: no rule.
                                 Borrowed from the schema */
    uint32_t classes;
} nw__column_shape;

/** Whether a column's codes are numbers or dates. */
bool nw__is_ordered(const nw_column *column);

/** Whether two codes may be in one cell. */
static inline bool nw__share_class(const nw__column_shape *shape, uint32_t a, uint32_t b)
{
    return shape->class_of == NULL || shape->class_of[a] == shape->class_of[b];
}

typedef struct nw__plan {
    size_t columns;
    nw__column_shape *shapes;
    nw__level *levels; /* what is measured first: the 1-ways, all of one sigma */
    size_t level_count;
    uint32_t *cells; /* of each column in the marginals; of a column that is grouped the most there may be, until it is known */
    nw__marginal *marginals; /* the 1-ways in these cells, then the 2-ways: measured next, all of one sigma */
    size_t marginal_count;
    size_t one_ways;            /* the first so many marginals; their counts come from the levels */
    nw_sensitivity sensitivity; /* l2, of the counts of one level or one marginal */
    nw_synth_select select;     /* of a release: whether all marginals after the 1-ways are measured, or rounds choose */
    double round_mu_squared;    /* of everything after the levels, where that is settled by what they say; else 0 */
    double one_way_share;       /* the levels' part of the budget, and whether the caller said so */
    bool is_share_fixed;
    nw__coding *units; /* per column: the finest cells that exact partial counts of the 2-ways are kept in */
} nw__plan;

/** How many rows one protected unit has at most in all that is released together. */
static inline double nw__rows_protected(const nw_synth_opts *opts)
{
    const double parts = opts->are_units_apart ? 1.0 : (double)opts->parts;
    return opts->rows_per_unit == 0 ? 1.0 : (double)opts->rows_per_unit * parts;
}

/** Plans all 1-way marginals and the 2-way marginals that fit (see NW__MAX_PAIR_CELLS); mu is the Gaussian-DP budget of the
 *  whole. */
nw_status nw__plan_make(nw__plan *plan, const nw_schema *schema, const nw_synth_opts *opts, double mu, nw_error *err);
nw_status nw__plan_copy(nw__plan *copy, const nw__plan *plan, nw_error *err); /* without counts and units */
void nw__plan_clear(nw__plan *plan);

/* Cells of a grouped column in the 2-ways, the missing one not counted: about so many of equal mass, at most so many with the
 * spikes; and the units in which exact partial counts of 2-ways are kept. */
enum { NW__WANTED_BINS = 20, NW__MOST_BINS = 48, NW__MOST_UNITS = 256 };
/* A 2-way of more cells than this is not measured: at 2^20 cells even 10^7 rows are mostly noise. The limit is halved until all
 * 2-ways together have at most NW__MAX_TOTAL_CELLS cells, which take 16 bytes each while a table is fitted (512 MiB). Both are
 * public. */
#define NW__MAX_PAIR_CELLS (UINT64_C(1) << 20)
#define NW__MAX_TOTAL_CELLS (UINT64_C(1) << 25)
/** sigma of `count` vectors that share a part mu_part of the budget equally, rounded up. */
double nw__sigma_for(size_t count, double mu_part, double sensitivity);
/** What one run charges. */
nw_status nw__plan_event(const nw__plan *plan, nw_event **out, nw_error *err);

/** The codings that group nothing; an array of `columns`, to be freed with nw__codings_free. NULL if memory lacks. */
nw__coding *nw__codings_identity(const nw__plan *plan);
void nw__codings_free(nw__coding *codings, size_t columns);

/** Exact counts of one marginal's columns under codings: the one way from records to numbers. `counts` has room for the cells of
 *  the columns' codings. */
typedef struct nw__counter {
    void (*count)(const void *source, const nw__marginal *m, const nw__coding *codings, int64_t *counts);
    const void *source;
    const nw__coding *units; /* per column: the finest cells that 2-ways can be counted in; NULL: the codes */
    /* Told the codings before the first 2-way is asked for; NULL: needs not know. */
    nw_status (*prepare)(const void *source, const nw__coding *codings, nw_error *err);
} nw__counter;

/** Adds a table's records: codes of each column to singles[column] (NULL: not asked for), each 2-way in cells of `codings` to
 *  pairs[marginal - one_ways] (likewise). NW_E_NOMEM, then nothing was added. */
nw_status nw__count_table(const nw__plan *plan, const nw__coding *codings, const nw_table *table, int64_t *const *singles,
    int64_t *const *pairs, unsigned threads, const char *function, nw_error *err);
/** The counter that reads a table. Borrows it. */
nw__counter nw__counter_of_table(const nw_table *table);

/** Which parts of a table by units were counted together, so that the rows of a unit are bounded together. As secret as they. */
typedef struct nw__unit_parts {
    bool are_needed; /* units are protected; else all of this is 0 */
    bool are_apart;  /* as promised: no unit is in two parts */
    uint64_t most;   /* parts; unless they are apart */
    uint64_t count;  /* of parts */
    uint64_t *units; /* apart: the first 64 bits of each unit's digest, increasing */
    size_t unit_count;
} nw__unit_parts;

/** Adds `parts` parts that have these units (increasing; NULL unless they are apart). NW_E_STATE if there are too many, or a unit
 *  is there already; NW_E_NOMEM: then nothing was added. */
nw_status nw__unit_parts_join(
    nw__unit_parts *own, uint64_t parts, const uint64_t *units, size_t unit_count, const char *function, nw_error *err);
/** The part that a reader has read to its end, where they are apart. */
nw_status nw__unit_parts_join_reader(nw__unit_parts *own, const nw_csv_reader *reader, const char *function, nw_error *err);
void nw__unit_parts_clear(nw__unit_parts *own);

/** Exact counts of a plan's 1-ways in codes and 2-ways in units, over some of the records. As secret as these. */
typedef struct nw__partial {
    const nw__plan *plan;
    nw__query_counts queries;
    nw__unit_parts parts;
    int64_t **counts; /* [columns] 1-ways, then the 2-ways; NULL: nothing was added yet */
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
/** Adds up the counts of all processes, in process 0; the others' are cleared. has_marginals: not only of queries. is_shared:
 *  they counted shares of the same files, which are one part. All call it. */
nw_status nw__partial_reduce(
    nw__partial *partial, const nw_reduce *reduce, bool has_marginals, bool is_shared, const char *function, nw_error *err);
/** Wipes. */
void nw__partial_clear(nw__partial *partial);
/** The counter that reads it: units that a coding puts together are added up. Borrows it. */
nw__counter nw__counter_of_partial(const nw__partial *partial);

/** A CSV file that is read twice: once now, for 1-ways in codes and queries, and once more for the 2-ways when their cells are
 *  known. As secret as the file. */
typedef struct nw__stream nw__stream;
/** unit: NULL, or the column that tells units, of which up to `rows_per_unit` rows count. queries: gets their counts. *rows: out.
 *  Errors of nw_synth_read_csv, in whose name they are. */
typedef struct nw__stream_opts {
    const char *path;
    const char *unit;
    uint32_t rows_per_unit;
    unsigned threads;
    nw_synth_progress progress;
    void *progress_context;
    nw__csv_share share;
    nw__unit_parts *parts; /* gets the file as a part, where units are protected */
} nw__stream_opts;
nw_status nw__stream_read(nw__stream **out, const nw_schema *schema, const nw__plan *plan, const nw__stream_opts *opts,
    nw__query_counts *queries, nw_error *err);
uint64_t nw__stream_rows(const nw__stream *stream);
void nw__stream_free(nw__stream *stream); /* wipes */
nw__counter nw__counter_of_stream(nw__stream *stream);
/** Adds up what the processes counted in their first readings, in process 0, and joins them for the second: process 0 makes it
 *  with the counter, the others with nw__stream_follow. All call it. */
nw_status nw__stream_join(nw__stream *stream, const nw_reduce *reduce, nw_error *err);
/** The second reading of a process that is not 0, whose counts go to process 0. */
nw_status nw__stream_follow(nw__stream *stream, nw_error *err);
/** Process 0, before it frees a stream that was joined: tells the others that there is no second reading, if they wait for it. */
nw_status nw__stream_dismiss(nw__stream *stream, nw_status status, nw_error *err);

/** The table's size from the noisy levels alone, at least 1; known_rows where that is not negative. */
double nw__rows_of_levels(const nw__plan *plan, double known_rows);

/** Makes x[0..n-1], noisy counts of standard deviation sd, positive with sum `total`: posterior means under a prior estimated
 *  from all of them. For columns of more than NW__FEW_CELLS cells: fewer say too little of their law. */
nw_status nw__shrink(double *x, size_t n, double sd, double total, nw_error *err);

/** A column's law from the noisy counts of its levels: the expected number of records of each code, never negative, `rows` in
 *  all. To be freed. NULL if memory lacks. */
double *nw__law_make(const nw__plan *plan, size_t column, double rows);
/** The variance of a sum over the codes low .. high-1 as the levels measured it. */
double nw__law_variance(const nw__plan *plan, size_t column, uint32_t low, uint32_t high);
/** Whether a code stands out from its neighbours by more than the noise: a spike of the private law, to be kept as it is. */
bool nw__law_has_spike(const nw__plan *plan, size_t column, const double *law, uint32_t code);

/** Groups a column's codes: of an ordered one into spikes and bins of about equal mass, unions of `units` (NULL: of codes); of
 *  another the rare ones into one cell. The coding was empty. */
nw_status nw__coding_make(
    nw__coding *coding, const nw__plan *plan, size_t column, const double *law, const nw__coding *units, nw_error *err);
/** The column's 1-way in the cells of its coding: counts and sigma, from law or level. */
nw_status nw__coding_fill_one_way(
    nw__marginal *m, const nw__plan *plan, const nw__coding *coding, const double *law, nw_error *err);

struct nw_synth {
    nw_synth_opts opts;
    nw_schema *schema; /* its own reference */
    nw__plan plan;     /* without counts */
    nw__query_plan query_plan;
    nw_event *event;
    uint8_t fingerprint[NW__FINGERPRINT_BYTES]; /* of schema and options */
    nw__partial partial;
    nw__stream *stream; /* NULL, or all that is counted */
    nw__csv_share share;
    bool is_joined; /* nw_synth_reduce */
    bool is_handed; /* the same, and the counts are with process 0 */
    bool is_released;
};

/** What a release hands out. */
struct nw_synth_measurements {
    nw_schema *schema; /* its own reference */
    nw_event *event;
    nw_adjacency adjacency;
    double known_rows; /* where the number is public, else -1 */
    double rows;       /* as nw_synth_measurements_rows tells it, once all is measured; 0 before */
    double rows_error;
    bool is_insecure; /* the noise came from a seeded generator: nothing of this is private */
    nw__coding *codings;
    nw__plan plan; /* with noisy counts */
    nw__query_results queries;
};

/** The object without counts, for a release to fill. known_rows: the table's size where it is public, or a negative number. */
nw_status nw__measurements_new(nw_synth_measurements **out, const nw_synth *synth, double known_rows, nw_error *err);
/** Once all is measured: keeps what every further question would add up all counts for. */
void nw__measurements_settle(nw_synth_measurements *measured);
/** Between the two stages, from the noisy levels: the cells of the columns that have none yet (unions of units; NULL: of codes),
 *  and every column's 1-way in its cells. */
nw_status nw__measurements_choose_cells(nw_synth_measurements *measured, const nw__coding *units, nw_error *err);

/** Sets noisy counts of 2-ways to 0 in cells that no row within the schema's rules can have. */
nw_status nw__mask_impossible(nw__plan *plan, const nw__coding *codings, const nw_schema *schema, nw_error *err);

/** What is measured by a plan, in order: the levels, then the 2-ways. */
size_t nw__measured_count(const nw__plan *plan);
nw_synth_measurement nw__measured_get(const nw__plan *plan, size_t i, double rows);
const int64_t *nw__measured_counts(const nw__plan *plan, size_t i);

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

/** The count of cell (u, v) of a 2-way if its columns were independent; of a 3-way, v numbers the cells of its last two. */
double nw__independent_count(const nw__reference *reference, const nw__marginal *m, size_t u, size_t v);
/** For each cell of a 2-way or 3-way, the factor on the weight of its residual in the Gibbs engine: 1 is what the
 *  temperature says. */
nw_status nw__evidence_make(const nw__reference *reference, const nw__marginal *m, float *factors, nw_error *err);

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
    bool is_started;           /* gibbs: codes holds a table to go on from */
    const nw_schema *schema;   /* for its rules; NULL: none */
    const nw__coding *codings; /* the plan's cells, if there are rules */
} nw__chain;

/** NW_E_UNSUPPORTED if the engine does not keep the schema's rules. */
nw_status nw__fit_check_rules(const nw_schema *schema, const nw_synth_fit_opts *opts, const char *function, nw_error *err);

/** The temperature at a noise of sigma records, for a table of as many rows as there are records. */
double nw__gibbs_temperature(double sigma);
/** Annealed Gibbs resampling with an independent reference measure. */
nw_status nw__gibbs_fit(const nw__chain *chain, nw_rng *rng, nw_error *err);
/** Private-GSD [LTVW23], one-shot. */
nw_status nw__genetic_fit(const nw__chain *chain, nw_rng *rng, nw_error *err);

/** Replaces a column's cells by codes of the schema, following its law; rows_measured: of the private table. */
nw_status nw__decode_column(const nw__plan *plan, size_t column, const nw__coding *coding, double rows_measured, uint16_t *cells,
    size_t rows, nw_rng *rng, nw_error *err);
/** The mean over all measured cells of the squared residual in units of the noise: what nw_synth_trace is told. */
nw_status nw__chain_misfit(const nw__chain *chain, double *misfit, nw_error *err);

/** Gives rows of a decoded table, from `first` on, codes that leave values for all linear rules of the schema; cells:
 *  [columns][rows] as they were fitted. */
nw_status nw__tie_rows(const nw_synth_measurements *measurements, nw_table *table, size_t first, size_t rows,
    const uint16_t *cells, nw_rng *rng, nw_error *err);

/** Fills the chain with rows drawn from the product of the reference laws. */
nw_status nw__chain_start(const nw__chain *chain, nw_rng *rng, nw_error *err);

#endif
