/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* synth.c - the room's public face: options, and the spine (event, durable charge, exact counts, noise, fit, release). */
#include "accountant_internal.h"
#include "synth_internal.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_GIBBS_CHAINS = 4, MAX_CHAINS = 1024, MAX_SWEEPS = 100000, MAX_THREADS = 4096, ROWS_OF_UNKNOWN_SIZE = 1000 };

struct nw_synth {
    nw_synth_opts opts;
    char schema_hash[65];
    nw__plan plan;
    nw_event *event;
    bool has_run;
    bool has_measured;
};

const char *nw_synth_engine_name(nw_synth_engine engine)
{
    switch (engine) {
    case NW_SYNTH_GIBBS: return "gibbs";
    case NW_SYNTH_GENETIC: return "genetic";
    }
    return "unknown engine";
}

void nw_synth_opts_init(nw_synth_opts *opts, size_t struct_size)
{
    const nw_synth_opts defaults = NW_SYNTH_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

/* The caller's options, with the defaults for members that an older caller does not know. */
static nw_synth_opts read_opts(const nw_synth_opts *opts)
{
    nw_synth_opts known = NW_SYNTH_OPTS_INIT;
    memcpy(&known, opts, opts->struct_size < sizeof known ? opts->struct_size : sizeof known);
    known.struct_size = sizeof known;
    return known;
}

static nw_status check_opts(const nw_synth_opts *o, nw_error *err)
{
    static const char *const name = "nw_synth_new";
    if (!(o->epsilon > 0.0 && o->epsilon <= NW__MAX_EPSILON))
        return nw__fail(err, NW_E_ARG, name, "epsilon is %g, must be in (0, %g]", o->epsilon, NW__MAX_EPSILON);
    if (!(o->delta > 0.0 && o->delta < 1.0))
        return nw__fail(err, NW_E_ARG, name, "delta is %g, must be in (0, 1)", o->delta);
    if (o->adjacency != NW_ADD_REMOVE && o->adjacency != NW_REPLACE_ONE)
        return nw__fail(
            err, NW_E_ARG, name, "adjacency is %s, must be add_remove or replace_one", nw_adjacency_name(o->adjacency));
    if (o->engine != NW_SYNTH_GIBBS && o->engine != NW_SYNTH_GENETIC)
        return nw__fail(err, NW_E_ARG, name, "engine is %d, must be NW_SYNTH_GIBBS or NW_SYNTH_GENETIC", (int)o->engine);
    if (o->rows > UINT32_MAX)
        return nw__fail(err, NW_E_ARG, name, "rows is %llu, must be at most 2^32 - 1", (unsigned long long)o->rows);
    if (!(o->one_way_share > 0.0 && o->one_way_share < 1.0))
        return nw__fail(err, NW_E_ARG, name, "one_way_share is %g, must be in (0, 1)", o->one_way_share);
    if (o->sweeps < 1 || o->sweeps > MAX_SWEEPS)
        return nw__fail(err, NW_E_ARG, name, "sweeps is %u, must be in 1..%d", o->sweeps, MAX_SWEEPS);
    if (o->chains > MAX_CHAINS)
        return nw__fail(err, NW_E_ARG, name, "chains is %u, must be in 0..%d", o->chains, MAX_CHAINS);
    if (o->threads > MAX_THREADS)
        return nw__fail(err, NW_E_ARG, name, "threads is %u, must be in 0..%d", o->threads, MAX_THREADS);
    return NW_OK;
}

nw_status nw_synth_new(nw_synth **out, const nw_schema *schema, const nw_synth_opts *opts, nw_error *err)
{
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    if (schema == NULL || opts == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", schema == NULL ? "schema" : "opts");
    nw_synth *synth = nw__calloc(1, sizeof *synth);
    if (synth == NULL)
        return nw__fail_memory(err, __func__);
    synth->opts = read_opts(opts);
    nw_schema_hash(schema, synth->schema_hash);
    nw_status status = check_opts(&synth->opts, err);
    if (synth->opts.chains == 0)
        synth->opts.chains = synth->opts.engine == NW_SYNTH_GIBBS ? DEFAULT_GIBBS_CHAINS : 1;
    if (status == NW_OK)
        status = nw__plan_make(&synth->plan, schema, &synth->opts, nw__budget_mu(synth->opts.epsilon, synth->opts.delta), err);
    if (status == NW_OK)
        status = nw__plan_event(&synth->plan, &synth->event, err);
    if (status != NW_OK) {
        nw_synth_free(synth);
        return status;
    }
    *out = synth;
    return NW_OK;
}

void nw_synth_free(nw_synth *synth)
{
    if (synth == NULL)
        return;
    nw__plan_clear(&synth->plan);
    nw_event_free(synth->event);
    free(synth);
}

nw_synth_opts nw_synth_get_opts(const nw_synth *synth)
{
    return synth->opts;
}

const nw_event *nw_synth_event(const nw_synth *synth)
{
    return synth->event;
}

size_t nw_synth_measurements(const nw_synth *synth)
{
    return synth->plan.marginal_count;
}

nw_synth_measurement nw_synth_get_measurement(const nw_synth *synth, size_t i, uint64_t rows)
{
    const nw__marginal *m = &synth->plan.marginals[i];
    const double cells = (double)m->cells_a * (double)m->cells_b;
    /* total variation = half the sum of |noise| / rows, and E|N(0, sigma^2)| = sigma sqrt(2/pi); 1 is the most it can be */
    const double error = 0.5 * cells * m->sigma * sqrt(2.0 / acos(-1.0)) / (double)rows;
    return (nw_synth_measurement){ { m->a, m->b }, (uint64_t)m->cells_a * m->cells_b, m->sigma, fmin(1.0, error) };
}

nw_status nw_synth_noisy_counts(const nw_synth *synth, size_t i, int64_t *counts, size_t capacity, nw_error *err)
{
    if (synth == NULL || counts == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", synth == NULL ? "synth" : "counts");
    if (i >= synth->plan.marginal_count)
        return nw__fail(err, NW_E_ARG, __func__, "i is %zu, must be below %zu", i, synth->plan.marginal_count);
    const nw__marginal *m = &synth->plan.marginals[i];
    const size_t cells = (size_t)m->cells_a * m->cells_b;
    if (capacity < cells)
        return nw__fail(err, NW_E_ARG, __func__, "capacity is %zu, must be at least %zu", capacity, cells);
    if (!synth->has_measured)
        return nw__fail(err, NW_E_STATE, __func__, "nothing was measured yet: call nw_synth_run first");
    memcpy(counts, m->counts, cells * sizeof *counts);
    return NW_OK;
}

/* Progress of several chains, told to the caller one at a time; `fractions` has one entry a chain. */
typedef struct hub {
    const nw_synth_opts *opts;
    double *fractions;
    size_t chains;
    bool is_cancelled;
} hub;

typedef struct chain_context {
    hub *hub;
    size_t index;
} chain_context;

static bool report_progress(void *context, const char *phase, double fraction)
{
    const chain_context *c = context;
    hub *h = c->hub;
    bool goes_on = true;
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
static nw_status prepare_job(fit_job *job, const nw_synth *synth, const nw__reference *reference, hub *h, size_t i, size_t rows,
    nw_rng *rng, nw_error *err)
{
    const size_t chain_rows = rows * (i + 1) / h->chains - rows * i / h->chains;
    job->context = (chain_context){ h, i };
    job->chain =
        (nw__chain){ &synth->plan, reference, chain_rows, synth->opts.sweeps, 1.0, NULL, report_progress, &job->context };
    job->chain.codes = nw__calloc(chain_rows, synth->plan.columns * sizeof(uint16_t));
    if (job->chain.codes == NULL)
        return nw__fail_memory(err, "nw_synth_run");
    return nw_rng_substream(&job->rng, rng, i, err);
}

static nw_status run_jobs(fit_job *jobs, size_t n, const nw_synth_opts *opts, nw_error *err)
{
    const int threads = nw__threads((int)opts->threads);
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (size_t i = 0; i < n; i++)
        jobs[i].status = opts->engine == NW_SYNTH_GIBBS ? nw__gibbs_fit(&jobs[i].chain, jobs[i].rng, &jobs[i].error)
                                                        : nw__genetic_fit(&jobs[i].chain, jobs[i].rng, &jobs[i].error);
    for (size_t i = 0; i < n; i++) {
        if (jobs[i].status == NW_OK)
            continue;
        if (err != NULL)
            *err = jobs[i].error;
        return jobs[i].status;
    }
    return NW_OK;
}

static nw_status collect_jobs(const fit_job *jobs, size_t n, const nw_table *like, size_t rows, nw_table **out, nw_error *err)
{
    nw_table *table = NULL;
    size_t first = 0;
    nw_status status = nw_table_new(&table, nw_table_schema(like), rows, err);
    for (size_t i = 0; status == NW_OK && i < n; i++) {
        const nw__chain *chain = &jobs[i].chain;
        for (size_t j = 0; status == NW_OK && j < chain->plan->columns; j++)
            status = nw_table_set(table, j, first, chain->rows, chain->codes + j * chain->rows, err);
        first += chain->rows;
    }
    if (status != NW_OK) {
        nw_table_free(table);
        return status;
    }
    *out = table;
    return NW_OK;
}

/* As many rows as the private table has, if it is at least four standard errors: an estimate that is all noise would ask for a
 * table of any size. */
static size_t rows_of(const nw_synth *synth, const nw__reference *reference)
{
    if (synth->opts.rows > 0)
        return (size_t)synth->opts.rows;
    if (reference->total < 4.0 * reference->standard_error)
        return ROWS_OF_UNKNOWN_SIZE;
    return (size_t)fmin(round(reference->total), (double)UINT32_MAX);
}

static nw_status fit(
    const nw_synth *synth, const nw__reference *reference, const nw_table *like, nw_rng *rng, nw_table **out, nw_error *err)
{
    const size_t rows = rows_of(synth, reference);
    const size_t chains = synth->opts.chains < rows ? synth->opts.chains : rows;
    hub h = { &synth->opts, nw__calloc(chains, sizeof(double)), chains, false };
    fit_job *jobs = nw__calloc(chains, sizeof *jobs);
    nw_status status = h.fractions == NULL || jobs == NULL ? nw__fail_memory(err, "nw_synth_run") : NW_OK;
    for (size_t i = 0; status == NW_OK && i < chains; i++)
        status = prepare_job(&jobs[i], synth, reference, &h, i, rows, rng, err);
    if (status == NW_OK)
        status = run_jobs(jobs, chains, &synth->opts, err);
    if (status == NW_OK)
        status = collect_jobs(jobs, chains, like, rows, out, err);
    for (size_t i = 0; jobs != NULL && i < chains; i++) {
        nw_rng_free(jobs[i].rng);
        free(jobs[i].chain.codes);
    }
    free(jobs);
    free(h.fractions);
    return status;
}

static nw_status check_run(
    const nw_synth *synth, const nw_table *table, const nw_rng *rng, const nw_ledger *ledger, nw_error *err)
{
    static const char *const name = "nw_synth_run";
    char hash[65];
    if (synth == NULL || table == NULL || rng == NULL)
        return nw__fail(err, NW_E_ARG, name, "%s is NULL", synth == NULL ? "synth" : table == NULL ? "table" : "rng");
    if (ledger == NULL)
        return nw__fail(
            err, NW_E_ARG, name, "ledger is NULL, must be a ledger (nw_ledger_unlimited for one that refuses nothing)");
    if (synth->has_run)
        return nw__fail(err, NW_E_STATE, name, "this handle has already run: make a new one for another release");
    nw_schema_hash(nw_table_schema(table), hash);
    if (strcmp(hash, synth->schema_hash) != 0)
        return nw__fail(err, NW_E_ARG, name, "table has another schema than the one given to nw_synth_new");
    return NW_OK;
}

/* The noise of a marginal is drawn by a team of threads: by as many as the options allow. */
static nw_status measure(nw_synth *synth, const nw_table *table, nw_rng *rng, nw_error *err)
{
    const int threads = omp_get_max_threads();
    omp_set_num_threads(nw__threads((int)synth->opts.threads));
    const nw_status status = nw__plan_measure(&synth->plan, table, rng, err);
    omp_set_num_threads(threads);
    return status;
}

nw_status nw_synth_run(
    nw_synth *synth, const nw_table *table, nw_rng *rng, nw_ledger *ledger, nw_table **out, nw_receipt *receipt, nw_error *err)
{
    nw__reference reference = { 0 };
    if (receipt != NULL)
        *receipt = (nw_receipt){ 0 };
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    NW__TRY(check_run(synth, table, rng, ledger, err));
    NW__TRY(nw_ledger_charge(ledger, synth->event, "synth", rng, receipt, err));
    synth->has_run = true;

    NW__TRY(measure(synth, table, rng, err)); /* from here on the counts are public */
    synth->has_measured = true;
    const double known_rows = synth->opts.adjacency == NW_REPLACE_ONE ? (double)nw_table_rows(table) : -1.0;
    NW__TRY(nw__reference_make(&reference, &synth->plan, known_rows, err));
    const nw_status status = fit(synth, &reference, table, rng, out, err);
    nw__reference_clear(&reference);
    return status;
}
