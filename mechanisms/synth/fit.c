/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* fit.c - a table from noisy counts: options, chains of an engine, the table. Post-processing. */
#include "query_fit.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_GIBBS_CHAINS = 4, MAX_CHAINS = 1024, MAX_SWEEPS = 100000, ROWS_OF_UNKNOWN_SIZE = 1000 };

/* A chain of the Gibbs engine has at most so many rows: its counts are then far from the end of single precision. Where the
 * chains that were asked for would be longer, more follow, each from where one of the first ended and with fewer sweeps: that is
 * already a draw of the law, and is only to be made another one. */
static const size_t MOST_CHAIN_ROWS = (size_t)1 << 18;
enum { FOLLOWER_SWEEPS = 2 };

const char *nw_synth_engine_name(nw_synth_engine engine)
{
    switch (engine) {
    case NW_SYNTH_GIBBS: return "gibbs";
    case NW_SYNTH_GENETIC: return "genetic";
    }
    return "unknown engine";
}

void nw_synth_fit_opts_init(nw_synth_fit_opts *opts, size_t struct_size)
{
    const nw_synth_fit_opts defaults = NW_SYNTH_FIT_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

nw_status nw_synth_fit_opts_check(const nw_synth_fit_opts *opts, nw_synth_fit_opts *resolved, nw_error *err)
{
    static const char *const name = "nw_synth_fit_opts_check";
    nw_synth_fit_opts o = NW_SYNTH_FIT_OPTS_INIT; /* the defaults for members that an older caller does not know */
    if (opts == NULL)
        return nw__fail(err, NW_E_ARG, name, "opts is NULL");
    memcpy(&o, opts, opts->struct_size < sizeof o ? opts->struct_size : sizeof o);
    o.struct_size = sizeof o;
    if (o.engine != NW_SYNTH_GIBBS && o.engine != NW_SYNTH_GENETIC)
        return nw__fail(err, NW_E_ARG, name, "engine is %d, must be NW_SYNTH_GIBBS or NW_SYNTH_GENETIC", (int)o.engine);
    if (o.rows > UINT32_MAX)
        return nw__fail(err, NW_E_ARG, name, "rows is %llu, must be at most 2^32 - 1", (unsigned long long)o.rows);
    if (o.sweeps < 1 || o.sweeps > MAX_SWEEPS)
        return nw__fail(err, NW_E_ARG, name, "sweeps is %u, must be in 1..%d", o.sweeps, MAX_SWEEPS);
    if (o.query_sweeps < 1 || o.query_sweeps > MAX_SWEEPS)
        return nw__fail(err, NW_E_ARG, name, "query_sweeps is %u, must be in 1..%d", o.query_sweeps, MAX_SWEEPS);
    if (o.generations < 1)
        return nw__fail(err, NW_E_ARG, name, "generations is 0, must be at least 1");
    if (o.chains > MAX_CHAINS)
        return nw__fail(err, NW_E_ARG, name, "chains is %u, must be in 0..%d", o.chains, MAX_CHAINS);
    if (o.threads > NW__MAX_THREADS)
        return nw__fail(err, NW_E_ARG, name, "threads is %u, must be in 0..%d", o.threads, NW__MAX_THREADS);
    if (o.chains == 0)
        o.chains = o.engine == NW_SYNTH_GIBBS ? DEFAULT_GIBBS_CHAINS : 1;
    if (resolved != NULL)
        *resolved = o;
    return NW_OK;
}

nw_status nw__fit_check_rules(const nw_schema *schema, const nw_synth_fit_opts *opts, const char *function, nw_error *err)
{
    if (schema->rules == NULL || opts->engine == NW_SYNTH_GIBBS)
        return NW_OK;
    return nw__fail(err, NW_E_UNSUPPORTED, function, "the schema has rules, which the %s engine does not keep, must be gibbs",
        nw_synth_engine_name(opts->engine));
}

/* Progress of several chains, told to the caller one at a time; `fractions` has one entry a chain. */
typedef struct hub {
    const nw_synth_fit_opts *opts;
    double *fractions;
    size_t chains;
    bool is_cancelled;
} hub;

typedef struct chain_context {
    hub *hub;
    size_t index;
    const nw__chain *chain;
} chain_context;

/* Where memory lacks, a point of the trace is left out. */
static void trace_chain(const chain_context *c, double fraction)
{
    const nw_synth_fit_opts *opts = c->hub->opts;
    double misfit;
    if (opts->trace == NULL || nw__chain_misfit(c->chain, &misfit, NULL) != NW_OK)
        return;
#pragma omp critical(nw__synth_progress)
    opts->trace(opts->trace_context, (unsigned)c->index, fraction, misfit);
}

static bool report_progress(void *context, const char *phase, double fraction)
{
    const chain_context *c = context;
    hub *h = c->hub;
    bool goes_on = true;
    if (h->opts->engine == NW_SYNTH_GIBBS && fraction < 1.0) /* whose codes are a table after each sweep */
        trace_chain(c, fraction);
#pragma omp critical(nw__synth_progress)
    {
        double sum = 0.0;
        h->fractions[c->index] = fraction;
        for (size_t i = 0; i < h->chains; i++)
            sum += h->fractions[i];
        if (!h->is_cancelled && h->opts->progress != NULL)
            h->is_cancelled = !h->opts->progress(h->opts->progress_context, phase, sum / (double)h->chains);
        goes_on = !h->is_cancelled;
    }
    return goes_on;
}

typedef struct fit_job {
    nw__chain chain;
    chain_context context;
    nw_rng *rng;
    nw_status status;
    nw_error error;
} fit_job;

/* Chain i fits rows [first, first + rows) of the table, from its own substream: the result does not depend on which thread runs
 * it. */
static nw_status prepare_job(fit_job *job, const nw_synth_measurements *measurements, const nw__reference *reference, hub *h,
    size_t i, size_t rows, nw_rng *rng, nw_error *err)
{
    const nw__plan *plan = &measurements->plan;
    const size_t chain_rows = rows * (i + 1) / h->chains - rows * i / h->chains;
    const bool is_follower = i >= h->opts->chains;
    const unsigned sweeps = is_follower && h->opts->sweeps > FOLLOWER_SWEEPS ? FOLLOWER_SWEEPS : h->opts->sweeps;
    job->context = (chain_context){ h, i, &job->chain };
    job->chain = (nw__chain){ plan, reference, chain_rows, sweeps, 1.0, NULL, report_progress, &job->context, is_follower,
        measurements->schema, measurements->codings };
    job->chain.codes = nw__calloc(chain_rows, plan->columns * sizeof(uint16_t));
    if (job->chain.codes == NULL)
        return nw__fail_memory(err, "nw_synth_fit");
    return nw_rng_substream(&job->rng, rng, i, err);
}

/* Rows of `leader`, as many as `follower` has: they are at most one apart. */
static void start_follower(nw__chain *follower, const nw__chain *leader)
{
    for (size_t j = 0; j < follower->plan->columns; j++)
        for (size_t i = 0; i < follower->rows; i++)
            follower->codes[j * follower->rows + i] = leader->codes[j * leader->rows + i % leader->rows];
}

static nw_status run_jobs(fit_job *jobs, size_t first, size_t end, const nw_synth_fit_opts *opts, nw_error *err)
{
    const int threads = nw__threads((int)opts->threads);
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (size_t i = first; i < end; i++) {
        if (jobs[i].chain.is_started)
            start_follower(&jobs[i].chain, &jobs[i % opts->chains].chain);
        jobs[i].status = opts->engine == NW_SYNTH_GIBBS ? nw__gibbs_fit(&jobs[i].chain, jobs[i].rng, &jobs[i].error)
                                                        : nw__genetic_fit(&jobs[i].chain, jobs[i].rng, &jobs[i].error);
        if (jobs[i].status == NW_OK)
            trace_chain(&jobs[i].context, 1.0);
    }
    for (size_t i = first; i < end; i++) {
        if (jobs[i].status == NW_OK)
            continue;
        if (err != NULL)
            *err = jobs[i].error;
        return jobs[i].status;
    }
    return NW_OK;
}

/* A spike that shares its code with other values is written as the roundest of them: see nw__table_mark_spike. */
static nw_status mark_spikes(
    nw_table *table, const nw_synth_measurements *measurements, size_t column, double total, nw_error *err)
{
    const nw__plan *plan = &measurements->plan;
    double *law = nw__law_make(plan, column, total);
    nw_status status = law == NULL ? nw__fail_memory(err, "nw_synth_fit") : NW_OK;
    for (uint32_t code = 0; status == NW_OK && code < plan->shapes[column].values; code++)
        if (nw__law_has_spike(plan, column, law, code))
            status = nw__table_mark_spike(table, column, code, err, "nw_synth_fit");
    free(law);
    return status;
}

/* Column j of all chains, one after the other, in the codes of the schema. */
static nw_status collect_column(nw_table *table, const fit_job *jobs, size_t n, size_t j,
    const nw_synth_measurements *measurements, nw_rng *rng, nw_error *err)
{
    const size_t rows = nw_table_rows(table);
    const nw__coding *coding = &measurements->codings[j];
    const double total = nw__rows_of_levels(&measurements->plan, measurements->known_rows);
    uint16_t *codes = nw__calloc(rows, sizeof *codes);
    nw_status status = codes == NULL ? nw__fail_memory(err, "nw_synth_fit") : NW_OK;
    size_t first = 0;
    for (size_t i = 0; status == NW_OK && i < n; first += jobs[i].chain.rows, i++)
        memcpy(codes + first, jobs[i].chain.codes + j * jobs[i].chain.rows, jobs[i].chain.rows * sizeof *codes);
    if (status == NW_OK && coding->cell_of != NULL)
        status = nw__decode_column(&measurements->plan, j, coding, total, codes, rows, rng, err);
    if (status == NW_OK)
        status = nw_table_set(table, j, 0, rows, codes, err);
    if (status == NW_OK && coding->cell_of != NULL && measurements->plan.shapes[j].is_ordered)
        status = mark_spikes(table, measurements, j, total, err);
    free(codes);
    return status;
}

static nw_status collect_jobs(const fit_job *jobs, size_t n, const nw_synth_measurements *measurements, size_t rows, nw_rng *rng,
    nw_table **out, nw_error *err)
{
    nw_table *table = NULL;
    nw_status status = nw_table_new(&table, measurements->schema, rows, err);
    for (size_t j = 0; status == NW_OK && j < measurements->plan.columns; j++)
        status = collect_column(table, jobs, n, j, measurements, rng, err);
    size_t first = 0;
    for (size_t i = 0; status == NW_OK && i < n; first += jobs[i].chain.rows, i++)
        status = nw__tie_rows(measurements, table, first, jobs[i].chain.rows, jobs[i].chain.codes, rng, err);
    if (status != NW_OK) {
        nw_table_free(table);
        return status;
    }
    *out = table;
    return NW_OK;
}

/* As many rows as the private table has, if it is at least four standard errors: an estimate that is all noise would ask for a
 * table of any size. */
static size_t rows_of(const nw_synth_fit_opts *opts, const nw__reference *reference)
{
    if (opts->rows > 0)
        return (size_t)opts->rows;
    if (reference->total < 4.0 * reference->standard_error)
        return ROWS_OF_UNKNOWN_SIZE;
    return (size_t)fmin(round(reference->total), (double)UINT32_MAX);
}

/* Private-GSD's search is over codes, marginals and queries alike, in one chain. */
static nw_status search(const nw__query_fit *fit, nw_rng *rng, nw_table **out, nw_error *err)
{
    nw_table *table = NULL;
    nw_status status = nw_table_new(&table, fit->measured->schema, fit->rows, err);
    if (status == NW_OK)
        status = nw__query_last_search(fit, table, rng, err);
    if (status != NW_OK) {
        nw_table_free(table);
        return status;
    }
    *out = table;
    return NW_OK;
}

static nw_status polish(const nw__query_fit *fit, nw_rng *rng, nw_table **out, nw_error *err)
{
    const nw_status status = nw__query_polish(fit, *out, rng, err);
    if (status != NW_OK) {
        nw_table_free(*out);
        *out = NULL;
    }
    return status;
}

static nw_status fit(const nw_synth_measurements *measurements, const nw__reference *reference, nw_rng *rng,
    const nw_synth_fit_opts *opts, nw_table **out, nw_error *err)
{
    const size_t rows = rows_of(opts, reference);
    const nw__query_fit queries = { measurements, reference->total, rows, opts->query_sweeps, opts->generations, opts->progress,
        opts->progress_context };
    if (measurements->queries.count > 0 && opts->engine == NW_SYNTH_GENETIC)
        return search(&queries, rng, out, err);
    const size_t asked = opts->chains < rows ? opts->chains : rows;
    const size_t needed = opts->engine == NW_SYNTH_GIBBS ? (rows + MOST_CHAIN_ROWS - 1) / MOST_CHAIN_ROWS : 1;
    const size_t chains = asked > needed ? asked : needed;
    hub h = { opts, nw__calloc(chains, sizeof(double)), chains, false };
    fit_job *jobs = nw__calloc(chains, sizeof *jobs);
    nw_status status = h.fractions == NULL || jobs == NULL ? nw__fail_memory(err, "nw_synth_fit") : NW_OK;
    for (size_t i = 0; status == NW_OK && i < chains; i++)
        status = prepare_job(&jobs[i], measurements, reference, &h, i, rows, rng, err);
    if (status == NW_OK)
        status = run_jobs(jobs, 0, asked, opts, err);
    if (status == NW_OK)
        status = run_jobs(jobs, asked, chains, opts, err);
    if (status == NW_OK)
        status = collect_jobs(jobs, chains, measurements, rows, rng, out, err);
    for (size_t i = 0; jobs != NULL && i < chains; i++) {
        nw_rng_free(jobs[i].rng);
        free(jobs[i].chain.codes);
    }
    free(jobs);
    free(h.fractions);
    return status == NW_OK && measurements->queries.count > 0 ? polish(&queries, rng, out, err) : status;
}

nw_status nw_synth_fit(
    const nw_synth_measurements *measurements, nw_rng *rng, const nw_synth_fit_opts *opts, nw_table **out, nw_error *err)
{
    const nw_synth_fit_opts defaults = NW_SYNTH_FIT_OPTS_INIT;
    nw_synth_fit_opts known;
    nw__reference reference = { 0 };
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    if (measurements == NULL || rng == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", measurements == NULL ? "measurements" : "rng");
    NW__TRY(nw_synth_fit_opts_check(opts == NULL ? &defaults : opts, &known, err));
    NW__TRY(nw__fit_check_rules(measurements->schema, &known, __func__, err));
    /* Substreams do not advance their parent: a number drawn from it makes the next fit another one. */
    uint64_t number = 0;
    nw_rng *own = NULL;
    NW__TRY(nw_rng_bytes(rng, &number, sizeof number, err));
    NW__TRY(nw_rng_substream(&own, rng, number, err));
    nw_status status = nw__reference_make(&reference, &measurements->plan, measurements->known_rows, err);
    if (status == NW_OK)
        status = fit(measurements, &reference, own, &known, out, err);
    nw__reference_clear(&reference);
    nw_rng_free(own);
    return status;
}
