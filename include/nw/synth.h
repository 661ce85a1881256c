/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_SYNTH_H
#define NW_SYNTH_H

/* nw/synth.h - a private synthetic table: measure all 1-way and 2-way marginals with noise, once; fit a table to them; release
 * it.
 *
 * What it is for: handing out a table of the same columns, whose low-order statistics are those of the private one.
 * What it protects: one record (add/remove, or replace-one), at (epsilon, delta), for everything that is released: the noisy
 * marginals,
 *   the synthetic table, any number of tables fitted to the same marginals. Not a person with several records.
 * How: exact int64 counts, one rounded-Gaussian draw a cell; the fit only sees the noisy counts. Engines:
 *   gibbs    rows resampled cell by cell against the noise-weighted residuals at one temperature, with an independent reference
 *            measure built from the noisy 1-ways (ours; docs/rooms/synth.md);
 *   genetic  Private-GSD as published, one-shot [LTVW23].
 *
 *   nw_synth_opts o = NW_SYNTH_OPTS_INIT;
 *   o.epsilon = 1.0;  o.delta = 1e-9;  o.adjacency = NW_ADD_REMOVE;
 *   nw_synth *s = NULL;
 *   nw_synth_new(&s, schema, &o, &err);
 *   nw_synth_run(s, table, rng, ledger, &synthetic, &receipt, &err);   // charges, draws, fits
 *   nw_synth_free(s);
 */
#include <nw/ledger.h>
#include <nw/table.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nw_synth nw_synth; /* confined */

typedef enum nw_synth_engine { NW_SYNTH_GIBBS = 1, NW_SYNTH_GENETIC = 2 } nw_synth_engine;
NW_API const char *nw_synth_engine_name(nw_synth_engine engine); /* "gibbs", "genetic" */

/** Told how far the fit is, 0..1; from public quantities only. Returning false stops it: NW_E_CANCELLED. */
typedef bool (*nw_synth_progress)(void *context, const char *phase, double fraction);

/** Options of a run. Privacy parameters have no default.
 *
 *  rows = 0: as many as the private table has, as far as that is known - exactly under replace_one, from the noisy marginals
 *  under add_remove; 1000 if these tell the size with a standard error of more than a quarter.
 *  chains: independent fits of rows / chains rows each, concatenated; part of the result. 0: 4 for gibbs, 1 for genetic. */
typedef struct nw_synth_opts {
    size_t struct_size;
    double epsilon;             /* nats, in (0, 64]; 0 until set, refused if left so */
    double delta;               /* in (0, 1); 0 until set, refused if left so */
    nw_adjacency adjacency;     /* NW_ADJACENCY_UNSET until set */
    nw_synth_engine engine;     /* default NW_SYNTH_GIBBS */
    uint64_t rows;              /* of the synthetic table; default 0 */
    double one_way_share;       /* of the budget (in mu^2), for 1-way marginals; default 0.1 */
    unsigned sweeps;            /* gibbs: passes over the table; default 6 */
    unsigned chains;            /* default 0 */
    unsigned threads;           /* 0 (default): as OpenMP decides; never part of the result */
    nw_synth_progress progress; /* default NULL */
    void *progress_context;
} nw_synth_opts;
/* clang-format off */
#define NW_SYNTH_OPTS_INIT { sizeof(nw_synth_opts), 0.0, 0.0, NW_ADJACENCY_UNSET, NW_SYNTH_GIBBS, 0, 0.1, 6, 0, 0, NULL, NULL }
/* clang-format on */
NW_API void nw_synth_opts_init(nw_synth_opts *opts, size_t struct_size);

/** One marginal as it is or will be measured. */
typedef struct nw_synth_measurement {
    size_t columns[2]; /* the schema's column numbers; columns[1] == SIZE_MAX for a 1-way */
    uint64_t cells;
    double sigma;          /* of the rounded Gaussian, in counts */
    double expected_error; /* predicted average total variation distance of the raw noisy marginal at `rows` records; public */
} nw_synth_measurement;

/** Validates the options, plans the measurements and calibrates their noise.
 *
 *  All 1-way marginals are measured, and the 2-way marginals of at most 2^20 cells (fewer, if all together had more than 2^25
 *  cells): beyond that the noise outweighs the counts of any table that fits in memory.
 *
 *  Shapes    *out: new handle, or NULL on error. The schema is not kept.
 *  Units     sigma in counts.
 *  Errors    NW_E_ARG naming the option, its value and the admissible set; NW_E_NOMEM.
 *  Cost      microseconds. Threads: any.
 *  Source    composition of Gaussians is exact in mu^2; [BW18].
 *  Example   examples/synth.c */
NW_API NW_WARN_UNUSED nw_status nw_synth_new(nw_synth **out, const nw_schema *schema, const nw_synth_opts *opts, nw_error *err);
NW_API void nw_synth_free(nw_synth *synth);

/** The options in force: the caller's, with the defaults filled in and `chains` resolved. */
NW_API nw_synth_opts nw_synth_get_opts(const nw_synth *synth);
/** What a run will charge, known before any data is seen. Borrowed: lives as long as the handle. */
NW_API const nw_event *nw_synth_event(const nw_synth *synth);
NW_API size_t nw_synth_measurements(const nw_synth *synth);
/** Measurement i < nw_synth_measurements, with the expected error at `rows` records. */
NW_API nw_synth_measurement nw_synth_get_measurement(const nw_synth *synth, size_t i, uint64_t rows);

/** Charges, measures, fits, and returns the synthetic table. Once per handle.
 *
 *  Shapes    *out: new table under the same schema, to be freed with nw_table_free; NULL on error.
 *  Units     none.
 *  Errors    NW_E_ARG if the table has another schema; NW_E_STATE on a second run; NW_E_BUDGET and the ledger's other refusals,
 *            before any draw; NW_E_NOMEM, NW_E_ENTROPY, NW_E_CANCELLED after the charge, which stays. receipt->head is empty
 *            unless something was charged.
 *  Cost      gibbs: sweeps * rows * sum over columns of (columns * cells) additions; about 2 s for 48842 x 14. genetic: about 8
 *            s. Threads: OpenMP over chains.
 *  Source    docs/rooms/synth.md; [LTVW23].
 *  Example   examples/synth.c */
NW_API NW_WARN_UNUSED nw_status nw_synth_run(
    nw_synth *synth, const nw_table *table, nw_rng *rng, nw_ledger *ledger, nw_table **out, nw_receipt *receipt, nw_error *err);

/** After a run: the noisy counts of measurement i (public). Errors: NW_E_STATE before a run, NW_E_ARG if i or capacity is out of
 *  range. */
NW_API NW_WARN_UNUSED nw_status nw_synth_noisy_counts(
    const nw_synth *synth, size_t i, int64_t *counts, size_t capacity, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
