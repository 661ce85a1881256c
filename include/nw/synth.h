/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_SYNTH_H
#define NW_SYNTH_H

/* nw/synth.h - a private synthetic table: measure 1-way and 2-way marginals with noise, once; fit tables to them; release them.
 *
 * What it is for: handing out a table of the same columns, whose low-order statistics are those of the private one. The private
 *   table may lie on many machines: each part is counted into a handle of its own, handles merge, or reduce as bytes, and one of
 *   them releases.
 * What it protects: one record (add/remove, or replace-one), at (epsilon, delta), for everything that is released: the noisy
 *   marginals, and any number of tables fitted to them. A person with several records only with rows_per_unit.
 * How: exact int64 counts, one rounded-Gaussian draw a cell; the fit only sees the noisy counts. Engines:
 *   gibbs    rows resampled cell by cell against the residuals, weighted by noise and evidence, at a falling temperature, with an
 *            independent reference measure built from all noisy marginals (ours; docs/rooms/synth.md);
 *   genetic  Private-GSD as published [LTVW23].
 * Besides marginals, any linear queries (nw/queries.h) can be measured, at once or in rounds, and are fitted by both engines.
 *
 *   nw_synth_opts o = NW_SYNTH_OPTS_INIT;
 *   o.epsilon = 1.0;  o.delta = 1e-9;  o.adjacency = NW_ADD_REMOVE;
 *   nw_synth_new(&s, schema, &o, &err);
 *   nw_synth_add(s, block, &err);                                           // counts exactly; block after block
 *   nw_synth_release(s, rng, ledger, "synth", &measured, &receipt, &err);   // charges, then draws: public from here on
 *   nw_synth_fit(measured, rng, NULL, &synthetic, &err);                    // any number of times, at no cost
 *   nw_synth_measurements_free(measured);
 *   nw_synth_free(s);
 */
#include <nw/ledger.h>
#include <nw/queries.h>
#include <nw/reduce.h>
#include <nw/table.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nw_synth nw_synth;                           /* confined */
typedef struct nw_synth_measurements nw_synth_measurements; /* shared: immutable, public */

/** max_bins for the schema of a table to be synthesised: as many codes as there are, so that numeric columns keep their values.
 *  Codes are grouped for the fit as far as the noise asks for it. */
#define NW_SYNTH_BINS 65534

typedef enum nw_synth_engine { NW_SYNTH_GIBBS = 1, NW_SYNTH_GENETIC = 2 } nw_synth_engine;
NW_API const char *nw_synth_engine_name(nw_synth_engine engine); /* "gibbs", "genetic" */

/** Told how far the fit is, 0..1; from public quantities only. Returning false stops it: NW_E_CANCELLED. */
typedef bool (*nw_synth_progress)(void *context, const char *phase, double fraction);

/** Told how well a chain's table fits after a sweep (gibbs) and at its end: the mean over all measured cells of the squared
 *  difference between its counts, scaled to the private table's size, and the noisy ones, in units of the noise. The private
 *  table itself would have about 1. From public quantities only; one call at a time, chains in any order. */
typedef void (*nw_synth_trace)(void *context, unsigned chain, double fraction, double misfit);

/** Which marginals of two and three columns are measured, after the 1-ways.
 *
 *  ALL: every 2-way, at once, with the same noise. AUTO: the same, but where the noisy 1-ways say that the table is small for so
 *  much noise, a part of the budget goes to measuring them again. ADAPTIVE: in rounds, the marginal that a table fitted to the
 *  earlier ones misses most, chosen privately, as AIM does [MMSM22]: few, with less noise. Of AUTO and ADAPTIVE a plan
 *  (nw_synth_plan_get) tells what would be measured if nothing else came of it; what was is in the measurements. */
typedef enum nw_synth_select { NW_SYNTH_SELECT_AUTO = 0, NW_SYNTH_SELECT_ALL = 1, NW_SYNTH_SELECT_ADAPTIVE = 2 } nw_synth_select;
NW_API const char *nw_synth_select_name(nw_synth_select select); /* "auto", "all", "adaptive" */

/** What is measured, and at what cost. Privacy parameters have no default. */
typedef struct nw_synth_opts {
    size_t struct_size;
    double epsilon;            /* nats, in (0, 64]; 0 until set, refused if left so */
    double delta;              /* in (0, 1); 0 until set, refused if left so */
    nw_adjacency adjacency;    /* NW_ADJACENCY_UNSET until set */
    double one_way_share;      /* of the marginals' budget (in mu^2), for 1-ways; 0 (default): chosen from the schema */
    unsigned threads;          /* 0 (default): as OpenMP decides; never part of the result */
    uint32_t rows_per_unit;    /* 0 (default): a record is protected; else a unit with all its rows, of tables that
                                  nw_table_read_csv_units read with this max_rows */
    const nw_queries *queries; /* to be measured besides marginals; default NULL. The handle keeps its own reference */
    double query_share;        /* of the budget, for queries; in (0, 1); default 0.5; unused without queries */
    unsigned most_ways;        /* 2 (default): 1-way and 2-way marginals; 1: only 1-way ones; 3: also 3-way ones, with
                                  NW_SYNTH_SELECT_ADAPTIVE and a schema without rules */
    unsigned rounds;           /* 0 (default): all queries are measured; else in so many rounds per_round workloads are chosen,
                                  privately, where a table fitted to the earlier ones is most wrong, and measured */
    unsigned per_round;        /* default 1 */
    uint64_t round_rows;       /* of the rounds' tables; default 2000 */
    uint32_t parts;            /* with rows_per_unit: so many tables at most are added and merged, of each of which rows_per_unit
                                  rows of a unit count, so the noise is for rows_per_unit * parts rows; default 1 */
    bool are_units_apart;      /* with rows_per_unit: a promise that no unit has rows in two of the tables. Then there may be any
                                  number of them and the noise is for rows_per_unit rows; default false */
    nw_synth_select select;    /* default NW_SYNTH_SELECT_AUTO, which is ALL with queries or a one_way_share */
    uint64_t candidate_cells;  /* 3-ways: so many cells of exact counts at most, the smallest 3-ways first; default 2^21 */
} nw_synth_opts;
/* clang-format off */
#define NW_SYNTH_OPTS_INIT { sizeof(nw_synth_opts), 0.0, 0.0, NW_ADJACENCY_UNSET, 0.0, 0, 0, NULL, 0.5, 2, 0, 1, 2000, 1, false, \
    NW_SYNTH_SELECT_AUTO, UINT64_C(1) << 21 }
/* clang-format on */
NW_API void nw_synth_opts_init(nw_synth_opts *opts, size_t struct_size);

/** How a table is fitted: post-processing, nothing of it costs budget.
 *
 *  rows = 0: as many as the private table has, as far as that is known - exactly under replace_one, from the noisy marginals
 *  under add_remove; 1000 if these tell the size with a standard error of more than a quarter.
 *  chains: independent fits of rows / chains rows each, concatenated; part of the result. 0: 4 for gibbs, 1 for genetic. Where
 *  gibbs would have more than 2^18 rows in one, shorter chains follow the first ones, each from where one of these ended. */
typedef struct nw_synth_fit_opts {
    size_t struct_size;
    nw_synth_engine engine;     /* default NW_SYNTH_GIBBS */
    uint64_t rows;              /* of the synthetic table; default 0 */
    unsigned sweeps;            /* gibbs: passes over the table; default 6 */
    unsigned chains;            /* default 0 */
    unsigned threads;           /* 0 (default): as OpenMP decides; never part of the result */
    nw_synth_progress progress; /* default NULL */
    void *progress_context;
    nw_synth_trace trace; /* default NULL */
    void *trace_context;
    unsigned query_sweeps; /* gibbs: passes over the table for queries; default 2 */
    uint64_t generations;  /* genetic, with queries: the most of them; default 100000 */
} nw_synth_fit_opts;
/* clang-format off */
#define NW_SYNTH_FIT_OPTS_INIT { sizeof(nw_synth_fit_opts), NW_SYNTH_GIBBS, 0, 6, 0, 0, NULL, NULL, NULL, NULL, 2, 100000 }
/* clang-format on */
NW_API void nw_synth_fit_opts_init(nw_synth_fit_opts *opts, size_t struct_size);
/** Refuses what nw_synth_fit would refuse, before anything is charged, and writes the options in force to *resolved (may be
 *  NULL): defaults filled in, `chains` resolved. Errors: NW_E_ARG naming the option, its value and the admissible set. */
NW_API NW_WARN_UNUSED nw_status nw_synth_fit_opts_check(
    const nw_synth_fit_opts *opts, nw_synth_fit_opts *resolved, nw_error *err);

/** One marginal as it is or will be measured: first the 1-ways, then the 2-ways.
 *
 *  An int, float or date column of many codes has several 1-ways, in groups of `width` neighbouring codes: the number of groups,
 *  and the missing code by itself, are its cells. In 2-ways it takes part in cells that are chosen from these noisy counts, see
 *  nw_synth_measurements_cell; before that, `cells` is the most there can be. */
typedef struct nw_synth_measurement {
    size_t columns[3]; /* the schema's column numbers; columns[1] == SIZE_MAX for a 1-way, columns[2] but of a 3-way */
    uint64_t cells;
    double sigma;          /* of the rounded Gaussian, in counts */
    double expected_error; /* predicted average total variation distance of the raw noisy marginal at `rows` records; public */
    uint32_t width;        /* of a 1-way: codes a cell; else 0 */
} nw_synth_measurement;

/** Validates the options, plans the measurements and calibrates their noise.
 *
 *  All 1-way marginals are measured, those of int, float and date columns of more than 16 codes in up to four widths; then the
 *  2-way marginals, in which such a column takes part in at most 48 cells, chosen from what was measured first, and one for the
 *  missing value. Left out are 2-ways of more than 2^20 cells (fewer, if all together had more than 2^25 cells): beyond that the
 *  noise outweighs the counts of any table that fits in memory.
 *
 *  Shapes    *out: new handle, or NULL on error. The handle keeps its own reference to the schema.
 *  Units     sigma in counts.
 *  Errors    NW_E_ARG naming the option, its value and the admissible set; NW_E_UNSUPPORTED naming a column of text; NW_E_NOMEM.
 *  Cost      about a millisecond. Threads: any.
 *  Source    composition of Gaussians is exact in mu^2; [BW18].
 *  Example   examples/synth.c */
NW_API NW_WARN_UNUSED nw_status nw_synth_new(nw_synth **out, const nw_schema *schema, const nw_synth_opts *opts, nw_error *err);
/** Wipes and frees. NULL is allowed. */
NW_API void nw_synth_free(nw_synth *synth);

/** The options in force: the caller's, with the defaults filled in. */
NW_API nw_synth_opts nw_synth_get_opts(const nw_synth *synth);
/** What a release will charge, known before any data is seen. Borrowed: lives as long as the handle. */
NW_API const nw_event *nw_synth_event(const nw_synth *synth);
/** How many marginals a release will measure, and marginal i of them, with the expected error at `rows` records. */
NW_API size_t nw_synth_plan_size(const nw_synth *synth);
NW_API nw_synth_measurement nw_synth_plan_get(const nw_synth *synth, size_t i, uint64_t rows);
/** Of how many marginals rounds choose, beyond these: 0 unless they do. */
NW_API size_t nw_synth_plan_candidates(const nw_synth *synth);

/** What of the queries will be measured, and how. All 0 without queries. */
typedef struct nw_synth_query_plan {
    size_t workloads;      /* asked for */
    size_t measured;       /* all of them, or rounds * per_round */
    double sigma;          /* of the rounded Gaussian, in records */
    double choice_epsilon; /* of each choice of a round; 0 without rounds */
} nw_synth_query_plan;
NW_API nw_synth_query_plan nw_synth_query_plan_get(const nw_synth *synth);

/** Sets options to a published method's: "private-gsd-2023" is Private-GSD [LTVW23] - the genetic search over 2000 rows, P = 100,
 *  E = 5, at most 100000 generations, 1-way marginals and `queries`, each workload with the same part of the budget; with
 *  opts->rounds and opts->per_round, set before, its adaptive form. Of opts, what concerns privacy is left as it is;
 *  opts->queries has to be set. Errors: NW_E_ARG naming the parameter. */
NW_API NW_WARN_UNUSED nw_status nw_synth_preset(
    const char *name, const nw_schema *schema, nw_synth_opts *opts, nw_synth_fit_opts *fit, nw_error *err);

/** Counts the records of a table, in addition to those counted before.
 *
 *  Shapes    table: under the schema given to nw_synth_new.
 *  Units     none.
 *  Errors    NW_E_ARG on NULL or another schema; NW_E_STATE after the release; NW_E_NOMEM, after which a handle
 *            with queries is only to be freed. None of them depends on a record.
 *  Cost      about 1 ns a record and marginal, and a term or product of a query; memory: 8 bytes a cell of the plan and of the
 *            queries. Threads: OpenMP over marginals; confined.
 *  Source    none.
 *  Example   examples/synth.c */
NW_API NW_WARN_UNUSED nw_status nw_synth_add(nw_synth *synth, const nw_table *table, nw_error *err);

/** The same for a CSV file, block by block: memory is that of the counts, whatever the number of rows.
 *
 *  Shapes    path: as nw_table_read_csv. rows: out, may be NULL: how many there were.
 *  Units     none.
 *  Errors    as nw_synth_add and nw_table_read_csv. After NW_E_FORMAT the rows before the malformed one are counted: free the
 *            handle.
 *  Cost      that of both.
 *  Source    none.
 *  Example   docs/rooms/synth.md#many-machines */
NW_API NW_WARN_UNUSED nw_status nw_synth_add_csv(nw_synth *synth, const char *path, uint64_t *rows, nw_error *err);

/** The same where several rows may belong to one unit: of each unit the first rows_per_unit rows of the file count. A file is one
 *  of the `parts` that may come together. With are_units_apart the handle remembers the units, as the first 64 bits of a digest
 *  each, and refuses a file, and a merge, that has rows of one of them again: that is said to the operator, who holds the data,
 *  as of a malformed file, and is the one thing about units that is.
 *
 *  Shapes    unit: as nw_table_read_csv_units.
 *  Units     none.
 *  Errors    as nw_synth_add_csv; NW_E_STATE if there would be too many parts, or a unit is in two; NW_E_ARG if rows_per_unit is
 *            0. After NW_E_FORMAT, and of a unit in two, the handle is empty.
 *  Cost      as nw_synth_add_csv, and 150 ns a row and 80 to 150 bytes a unit while reading; with are_units_apart 8 bytes a unit
 *            after it.
 *  Source    docs/rooms/synth.md#units-of-several-rows.
 *  Example   docs/rooms/synth.md#units-of-several-rows */
NW_API NW_WARN_UNUSED nw_status nw_synth_add_csv_units(
    nw_synth *synth, const char *path, const char *unit, uint64_t *rows, nw_error *err);

/** Counts a CSV file that is read twice: now, and once more by nw_synth_release after the charge, when the cells of the 2-ways
 *  are known. They then end at any code, as in nw_synth_run; the memory is that of the counts, as in nw_synth_add_csv. For one
 *  file, and nothing besides.
 *
 *  Shapes    path: a file, which must stay as it is until the release. unit: a column if rows_per_unit is set, else NULL.
 *            progress: may be NULL; told of both readings, as nw_csv_reader_fraction. rows: out, may be NULL.
 *  Units     none.
 *  Errors    as nw_synth_add_csv; NW_E_STATE if records were added already, and of all that adds or merges after it;
 *            NW_E_CANCELLED. The release adds those of a reading, NW_E_IO if the file changed: these come after the charge.
 *  Cost      that of nw_csv_reader_next twice and of counting once.
 *  Source    docs/rooms/synth.md#many-rows.
 *  Example   docs/rooms/synth.md#many-rows */
NW_API NW_WARN_UNUSED nw_status nw_synth_read_csv(nw_synth *synth, const char *path, const char *unit, nw_synth_progress progress,
    void *context, uint64_t *rows, nw_error *err);

/** Before anything is added: of each CSV file that is read from here on, one of `parts` shares counts: the rows whose number,
 *  from 0, is `part` modulo parts; of a file by units the units whose digest is. For processes that read the same file. Errors:
 *  NW_E_ARG; NW_E_STATE. */
NW_API NW_WARN_UNUSED nw_status nw_synth_share(nw_synth *synth, size_t part, size_t parts, nw_error *err);

/** Adds the counts of `other`, made of the same schema and options, over other records. Errors: NW_E_ARG if they differ;
 *  NW_E_STATE if either was released, or, of units, as nw_synth_add_csv_units; NW_E_NOMEM. */
NW_API NW_WARN_UNUSED nw_status nw_synth_merge(nw_synth *synth, const nw_synth *other, nw_error *err);

/** The counts as bytes, for engines that reduce bytes: one form for equal counts, whatever the order they were added in. They are
 *  exact and unprotected: as secret as the table.
 *
 *  Shapes    out: nw_synth_size bytes, the same for every handle of the same schema and options; with are_units_apart 8 more a
 *            unit.
 *  Units     bytes.
 *  Errors    NW_E_ARG on NULL or capacity; NW_E_STATE after the release.
 *  Cost      a copy and a hash. Threads: confined.
 *  Source    none.
 *  Example   docs/rooms/synth.md#many-machines */
NW_API NW_WARN_UNUSED nw_status nw_synth_serialize(const nw_synth *synth, uint8_t *out, size_t capacity, nw_error *err);
NW_API size_t nw_synth_size(const nw_synth *synth);
/** nw_synth_merge with the bytes of another handle. Errors: NW_E_FORMAT if they are damaged, or not the counts of one table under
 *  the same schema and options: then nothing was added; NW_E_STATE after the release and as nw_synth_merge; NW_E_NOMEM. Who can
 *  write the bytes can say anything: authenticate them. */
NW_API NW_WARN_UNUSED nw_status nw_synth_merge_bytes(nw_synth *synth, const uint8_t *bytes, size_t n, nw_error *err);

/** Adds up the counts of all processes, in process 0, which then releases; the others have none afterwards. All processes call
 *  it: after nw_synth_add and its like any number of times, after nw_synth_read_csv once.
 *
 *  Shapes    synth: of the same schema and options on every process. Processes that read shares of one file (nw_synth_share)
 *            count as one part of a table by units, all others as one each.
 *  Units     none.
 *  Errors    on every process the same: NW_E_ARG if the schema or options of one differ from those of process 0; NW_E_STATE after
 *            the release, and of units as nw_synth_merge; NW_E_NOMEM; NW_E_IO if the others cannot be reached: then the handle is
 *            only to be freed.
 *  Cost      one sum of 8 bytes a cell. Threads: of `reduce`.
 *  Source    docs/scale-out.md.
 *  Example   examples/mpi.c */
NW_API NW_WARN_UNUSED nw_status nw_synth_reduce(nw_synth *synth, const nw_reduce *reduce, nw_error *err);
/** After nw_synth_read_csv and nw_synth_reduce, on the other processes, while process 0 is in nw_synth_release: waits for its
 *  charge, makes the second reading of this process' part and hands over the counts. Errors: those of process 0 up to then, on
 *  every process, NW_E_BUDGET among them; of the second reading; NW_E_STATE on process 0 or without a file that is read twice. */
NW_API NW_WARN_UNUSED nw_status nw_synth_follow(nw_synth *synth, nw_error *err);

/** Charges, draws the noise, and returns what was measured. Once per handle, on the handle that everything was merged into: the
 *  noise is drawn once, after the merge. The exact counts are wiped.
 *
 *  Shapes    *out: new object, to be freed with nw_synth_measurements_free; NULL on error. receipt: out, may be NULL; its head is
 *            empty unless something was charged. label: at most 63 bytes.
 *  Units     none.
 *  Errors    NW_E_STATE on a second release; NW_E_BUDGET and the ledger's other refusals, before any draw; NW_E_NOMEM,
 *            NW_E_ENTROPY after the charge, which stays.
 *  Cost      a charge, and a few ns a cell. Threads: OpenMP over cells.
 *  Source    docs/rooms/synth.md.
 *  Example   examples/synth.c */
NW_API NW_WARN_UNUSED nw_status nw_synth_release(nw_synth *synth, nw_rng *rng, nw_ledger *ledger, const char *label,
    nw_synth_measurements **out, nw_receipt *receipt, nw_error *err);

/* ---- what was measured: public, immutable, to be kept and fitted again ---- */

NW_API void nw_synth_measurements_free(nw_synth_measurements *measurements);
/** Borrowed, as all pointers below: live as long as the object. */
NW_API const nw_schema *nw_synth_measurements_schema(const nw_synth_measurements *measurements);
NW_API const nw_event *nw_synth_measurements_event(const nw_synth_measurements *measurements);
NW_API nw_adjacency nw_synth_measurements_adjacency(const nw_synth_measurements *measurements);
/** True if the noise came from a generator with a fixed seed: then nothing of this is private. */
NW_API bool nw_synth_measurements_are_insecure(const nw_synth_measurements *measurements);
/** The private table's number of rows: exact under replace_one, where it is public, else estimated from the noisy counts, with
 *  its standard error (out, may be NULL). At least 1. */
NW_API double nw_synth_measurements_rows(const nw_synth_measurements *measurements, double *standard_error);
/** How many marginals there are; marginal i of them, with the expected error at the rows above; its noisy counts, one a cell, the
 *  last column's cells fastest. */
NW_API size_t nw_synth_measurements_count(const nw_synth_measurements *measurements);
NW_API nw_synth_measurement nw_synth_measurements_get(const nw_synth_measurements *measurements, size_t i);
NW_API const int64_t *nw_synth_measurements_counts(const nw_synth_measurements *measurements, size_t i);
/** How many workloads of queries were measured; the i-th: its number in the list of queries, the noise's sigma in records (out,
 *  may be NULL), and its noisy counts, one a cell, in steps of 1 / unit records. */
NW_API size_t nw_synth_measurements_answers(const nw_synth_measurements *measurements);
NW_API const int64_t *nw_synth_measurements_answer(
    const nw_synth_measurements *measurements, size_t i, size_t *workload, double *sigma);
/** How a column's codes were grouped into the cells of the marginals: their number, and the cell of a code. */
NW_API uint32_t nw_synth_measurements_cells(const nw_synth_measurements *measurements, size_t column);
NW_API uint32_t nw_synth_measurements_cell(const nw_synth_measurements *measurements, size_t column, uint32_t code);

/** Writes the object to a file: a line of JSON, then the counts, then a checksum; docs/rooms/synth.md#file. Appears whole or not
 *  at all. Queries are written as the calls that made their list, seeds included. Errors: NW_E_ARG on NULL; NW_E_UNSUPPORTED if
 *  predicates were measured; NW_E_IO; NW_E_NOMEM. */
NW_API NW_WARN_UNUSED nw_status nw_synth_measurements_write(
    const nw_synth_measurements *measurements, const char *path, nw_error *err);
/** Reads such a file.
 *
 *  Shapes    *out: new object, or NULL on error. schema: the one that was measured under, bins included; NULL: as the file
 *            says, which holds it.
 *  Units     none.
 *  Errors    NW_E_ARG on NULL, or if the file was measured under another schema; NW_E_IO; NW_E_FORMAT if it is damaged, cut off,
 *            of an unknown version or no such file; NW_E_NOMEM.
 *  Cost      O(size). Threads: any.
 *  Source    docs/rooms/synth.md#file.
 *  Example   docs/rooms/synth.md#file */
NW_API NW_WARN_UNUSED nw_status nw_synth_measurements_read(
    nw_synth_measurements **out, const nw_schema *schema, const char *path, nw_error *err);

/** Fits a table to what was measured; post-processing, any number of times.
 *
 *  Shapes    opts: may be NULL, for the defaults. *out: new table under the same schema, to be freed with nw_table_free; NULL on
 *            error.
 *  Units     none.
 *  Errors    NW_E_ARG as nw_synth_fit_opts_check; NW_E_NOMEM, NW_E_ENTROPY, NW_E_CANCELLED.
 *  Cost      gibbs: sweeps * rows * sum over columns of (columns * cells) additions; about 2 s for 48842 x 14. genetic: about 8
 *            s. Threads: OpenMP over chains; rng confined.
 *  Source    docs/rooms/synth.md; [LTVW23].
 *  Example   examples/synth.c */
NW_API NW_WARN_UNUSED nw_status nw_synth_fit(
    const nw_synth_measurements *measurements, nw_rng *rng, const nw_synth_fit_opts *opts, nw_table **out, nw_error *err);

/** All of it for one table in memory: nw_synth_add, nw_synth_release (label "synth"), nw_synth_fit. Once per handle.
 *
 *  Shapes    fit: may be NULL. *out: as nw_synth_fit. measured: out, may be NULL: what was released, to be freed by the caller;
 *            set whenever the release succeeded, also if the fit then fails.
 *  Units     none.
 *  Errors    those of the three; what can be refused is refused before the charge. receipt->head is empty unless something was
 *            charged.
 *  Cost      the sum of the three.
 *  Source    docs/rooms/synth.md.
 *  Example   examples/synth.c */
NW_API NW_WARN_UNUSED nw_status nw_synth_run(nw_synth *synth, nw_rng *rng, nw_ledger *ledger, const nw_table *table,
    const nw_synth_fit_opts *fit, nw_table **out, nw_synth_measurements **measured, nw_receipt *receipt, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
