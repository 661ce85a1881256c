/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* simulate.c - nw-hitters simulate: a population, its reports, a search, and how good the answer is, run after run. */
#include "simulate.h"

#include "../common/exit.h"
#include "../common/files.h"
#include "../common/processes.h"
#include "../common/signals.h"
#include "crowd.h"

#include <math.h>
#include <nw/testing.h>
#include <stdlib.h>
#include <string.h>

/* Substreams of the seed: what a run draws its population from, and what its reports are seeded with. */
enum { STREAM_PEOPLE = 0, STREAM_REPORTS = 1, STREAMS = 2 };

typedef struct job {
    const settings *s;
    population people; /* of a file, or of the run */
    nw_ldp_item *truth;
    size_t truth_count;
    uint64_t seed;
    nw_reduce reduce;
    app_progress progress;
    simulation *result;
} job;

/* ---- the population ---- */

/* `bits` of a generated population are its own. */
static int read_people(job *j)
{
    const settings *s = j->s;
    nw_ldp_campaign campaign;
    double epsilons[MOST_EPSILONS];
    size_t n;
    int code = settings_epsilons(s, epsilons, &n);
    if (code == APP_OK && s->protocol != PROTOCOL_CENTRAL)
        code = settings_campaign(s, epsilons[0], &campaign);
    const population_file file = { s->items, s->columns, settings_encoding(s), (unsigned)s->bits, NULL };
    return code == APP_OK && s->items != NULL ? population_read(&j->people, &file) : code;
}

static int find_truth(job *j)
{
    const population *p = &j->people;
    free(j->truth);
    j->truth_count = p->items < j->s->top ? p->items : (size_t)j->s->top;
    j->truth = calloc(j->truth_count + 1, sizeof *j->truth);
    if (j->truth == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    for (size_t i = 0; i < j->truth_count; i++)
        j->truth[i] = p->totals[i].item;
    return APP_OK;
}

static nw_status stream(nw_rng **out, const job *j, uint64_t run, unsigned which, nw_error *err)
{
    nw_rng *parent = NULL;
    nw_status status = nw_rng_new_insecure_seeded(&parent, j->seed, err);
    if (status == NW_OK)
        status = nw_rng_substream(out, parent, run * STREAMS + which, err);
    nw_rng_free(parent);
    return status;
}

static int make_people(job *j, const zipf *z, uint64_t run)
{
    nw_error err;
    nw_rng *rng = NULL;
    population_free(&j->people);
    if (stream(&rng, j, run, STREAM_PEOPLE, &err) != NW_OK)
        return app_fail_error("population", &err);
    const int code = population_generate(&j->people, z, rng);
    nw_rng_free(rng);
    return code;
}

/* ---- one run ---- */

static double recall_of(const job *j, const nw_hh_hit *hits, size_t n)
{
    size_t both = 0;
    for (size_t t = 0; t < j->truth_count; t++)
        for (size_t i = 0; i < n; i++)
            both += item_compare(hits[i].item, j->truth[t]) == 0;
    return j->truth_count == 0 ? NAN : (double)both / (double)j->truth_count;
}

static void score(const job *j, const nw_hh_hit *hits, size_t n, sim_run *run)
{
    nw_ldp_item items[MOST_TOP];
    for (size_t i = 0; i < n; i++)
        items[i] = hits[i].item;
    const nw_hh_score s = nw_hh_compare(items, n, j->truth, j->truth_count);
    run->f1 = s.f1;
    run->ncr = s.ncr;
    run->local_recall = recall_of(j, hits, n);
}

/* The mean over the parties of how many of the true items each told; of a search together, of how many were found. */
static nw_status score_parties(const job *j, const nw_hh *hh, sim_run *run, nw_error *err)
{
    const nw_hh_opts o = nw_hh_get_opts(hh);
    if (o.protocol == NW_HH_PEM || o.protocol == NW_HH_POOLED)
        return NW_OK;
    nw_hh_hit hits[MOST_TOP];
    double sum = 0.0;
    for (uint32_t p = 0; p < o.parties; p++) {
        size_t n;
        const nw_status status = nw_hh_party(hh, p, hits, &n, err);
        if (status != NW_OK)
            return status;
        sum += recall_of(j, hits, n);
    }
    run->local_recall = sum / o.parties;
    return NW_OK;
}

static void keep_hits(const job *j, sim_point *point, const nw_hh_hit *hits, size_t n)
{
    point->found = n;
    for (size_t i = 0; i < n; i++) {
        point->hits[i] = (sim_hit){ hits[i].item, hits[i].count, hits[i].error, population_count(&j->people, hits[i].item), "" };
        population_text(&j->people, settings_encoding(j->s), (unsigned)j->s->bits, hits[i].item, point->hits[i].text,
            sizeof point->hits[i].text);
    }
}

static nw_status search(job *j, crowd *c, const nw_reduce *reduce, nw_hh *hh, nw_error *err)
{
    nw_status status = NW_OK;
    while (status == NW_OK && !nw_hh_is_done(hh)) {
        if (!app_progress_step(&j->progress, "search", (double)nw_hh_level(hh) / (double)nw_hh_campaign(hh)->levels))
            status = crowd_fail(err, NW_E_CANCELLED, "interrupted");
        status = nw_reduce_agree(reduce, status, err);
        if (status == NW_OK)
            status = crowd_step(c, hh, err);
    }
    return status;
}

static nw_status run_local(job *j, sim_point *point, sim_run *run, uint64_t seed, nw_error *err)
{
    const nw_hh_opts opts = settings_search(j->s, j->people.party_count);
    const nw_reduce serial = nw_reduce_serial();
    crowd_job cj = { &j->people, &point->campaign, opts, seed, (int)j->s->threads, j->s->is_fast,
        j->s->is_fast ? &serial : &j->reduce, &j->progress };
    crowd *c = NULL;
    nw_hh *hh = NULL;
    const double started = app_clock();
    nw_status status = nw_hh_new(&hh, &point->campaign, &opts, err);
    if (status == NW_OK)
        status = crowd_new(&c, &cj, err);
    if (status == NW_OK)
        status = search(j, c, cj.reduce, hh, err);
    run->seconds = app_clock() - started;
    if (status == NW_OK) {
        nw_hh_hit hits[MOST_TOP];
        const size_t n = nw_hh_found(hh);
        for (size_t i = 0; status == NW_OK && i < n; i++)
            status = nw_hh_get(hh, i, &hits[i], err);
        score(j, hits, n, run);
        run->traffic = nw_hh_get_traffic(hh);
        point->keep = nw_hh_get_opts(hh).keep;
        if (status == NW_OK)
            status = score_parties(j, hh, run, err);
        keep_hits(j, point, hits, n);
    }
    crowd_free(c);
    nw_hh_free(hh);
    return status;
}

/* ---- the central model ---- */

static nw_status run_central(job *j, sim_point *point, sim_run *run, nw_rng *rng, nw_error *err)
{
    const population *p = &j->people;
    nw_hh_central_opts o = NW_HH_CENTRAL_OPTS_INIT;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    nw_ledger *ledger = NULL;
    nw_hh_hit hits[MOST_TOP];
    size_t n = 0;
    const double started = app_clock();
    nw_ldp_item *items = calloc(p->items + 1, sizeof *items);
    int64_t *counts = calloc(p->items + 1, sizeof *counts);
    for (size_t i = 0; items != NULL && counts != NULL && i < p->items; i++) {
        items[i] = p->totals[i].item;
        counts[i] = (int64_t)p->totals[i].users;
    }
    o.epsilon = lo.epsilon = point->epsilon;
    o.delta = lo.delta = j->s->delta;
    o.top = (uint32_t)j->s->top;
    lo.adjacency = NW_ADD_REMOVE;
    lo.filter = NW_FILTER_PURE;
    lo.unit = "one user, with one item";
    nw_status status =
        items == NULL || counts == NULL ? crowd_fail(err, NW_E_NOMEM, "out of memory") : nw_ledger_memory(&ledger, &lo, err);
    if (status == NW_OK)
        status =
            nw_hh_central_release(&o, rng, ledger, "nw-hitters central", items, counts, p->items, hits, &n, &point->receipt, err);
    run->seconds = app_clock() - started;
    if (status == NW_OK) {
        score(j, hits, n, run);
        keep_hits(j, point, hits, n);
    }
    nw_ledger_close(ledger);
    free(items);
    free(counts);
    return status;
}

static int run_once(job *j, sim_point *point, size_t r)
{
    nw_error err;
    nw_rng *rng = NULL;
    uint64_t seed = 0;
    sim_run *run = &point->runs[r];
    int code = find_truth(j);
    if (code != APP_OK)
        return code;
    nw_status status = stream(&rng, j, r, STREAM_REPORTS, &err);
    if (status == NW_OK)
        status = nw_rng_bytes(rng, &seed, sizeof seed, &err);
    if (status == NW_OK)
        status =
            j->s->protocol == PROTOCOL_CENTRAL ? run_central(j, point, run, rng, &err) : run_local(j, point, run, seed, &err);
    nw_rng_free(rng);
    return status == NW_OK ? APP_OK : app_fail_error("run", &err);
}

/* ---- all runs ---- */

static int run_point(job *j, sim_point *point, const zipf *z)
{
    const settings *s = j->s;
    int code = s->protocol == PROTOCOL_CENTRAL ? APP_OK : settings_campaign(s, point->epsilon, &point->campaign);
    point->runs = calloc(s->runs, sizeof *point->runs);
    point->hits = calloc(s->top, sizeof *point->hits);
    if (code == APP_OK && (point->runs == NULL || point->hits == NULL))
        code = app_fail(APP_INTERNAL, NULL, "out of memory");
    for (size_t r = 0; code == APP_OK && r < s->runs; r++) {
        if (s->generate != NULL)
            code = make_people(j, z, r);
        if (code == APP_OK)
            code = run_once(j, point, r);
    }
    app_progress_end(&j->progress);
    return code;
}

static int simulate(job *j)
{
    const settings *s = j->s;
    double epsilons[MOST_EPSILONS];
    zipf z = { 0 };
    simulation *sim = j->result;
    int code = settings_epsilons(s, epsilons, &sim->point_count);
    if (code == APP_OK && s->generate != NULL)
        code = zipf_parse(&z, s->generate);
    for (size_t i = 0; code == APP_OK && i < sim->point_count; i++) {
        sim->points[i].epsilon = epsilons[i];
        code = run_point(j, &sim->points[i], &z);
    }
    sim->users = j->people.users;
    sim->parties = j->people.party_count;
    sim->items = j->people.items;
    return code;
}

static int check(const settings *s)
{
    if ((s->items == NULL) == (s->generate == NULL))
        return app_fail(APP_USAGE, s->items == NULL ? "--items" : "--generate",
            s->items == NULL ? "missing, must be given unless --generate is" : "cannot be used with --items");
    if (s->is_exact && s->is_fast)
        return app_fail(APP_USAGE, "--fast", "cannot be used with --exact");
    if (s->protocol == PROTOCOL_CENTRAL && !(s->delta > 0.0))
        return app_fail(APP_USAGE, "--delta", "missing, must be given for --protocol central");
    if (s->protocol != PROTOCOL_CENTRAL && s->delta > 0.0)
        return app_fail(APP_USAGE, "--delta", "is for --protocol central, must be used with it");
    if (s->generate == NULL && s->bits == 0)
        return app_fail(APP_USAGE, "--bits", "missing, must be given with --items");
    return APP_OK;
}

/* All processes work with the seed of the first. */
static nw_status agree_on_seed(job *j, nw_error *err)
{
    nw_status status = NW_OK;
    nw_rng *rng = NULL;
    j->seed = j->s->insecure_seed;
    if (!app_is_insecure(j->seed)) {
        status = nw_rng_new(&rng, err);
        if (status == NW_OK)
            status = nw_rng_bytes(rng, &j->seed, sizeof j->seed, err);
        nw_rng_free(rng);
    }
    status = nw_reduce_agree(&j->reduce, status, err);
    return status == NW_OK ? j->reduce.broadcast(j->reduce.context, &j->seed, sizeof j->seed, err) : status;
}

int hitters_simulate(const settings *given)
{
    static simulation sim;
    settings s = *given;
    nw_error err;
    zipf z;
    job j = { .s = &s, .result = &sim, .reduce = *given->reduce };
    const bool is_first = j.reduce.rank == 0;
    int code = check(&s);
    if (code == APP_OK && s.generate != NULL && (code = zipf_parse(&z, s.generate)) == APP_OK) {
        if (s.bits != 0 && s.bits != z.bits)
            code = app_fail(APP_USAGE, "--bits", "is %llu, must be the %llu of --generate", (unsigned long long)s.bits,
                (unsigned long long)z.bits);
        s.bits = z.bits;
        s.encoding = 0; /* numbers */
    }
    if (code == APP_OK && is_first)
        code = app_check_output(s.output == NULL ? "-" : s.output);
    if (code == APP_OK && is_first && s.picture != NULL)
        code = app_check_output(s.picture);
    code = app_agree(&j.reduce, code);
    if (code == APP_OK && agree_on_seed(&j, &err) != NW_OK)
        code = app_fail_error("random numbers", &err);
    if (code != APP_OK)
        return code;
    app_progress_start(&j.progress, s.is_quiet || !is_first);
    code = app_agree(&j.reduce, read_people(&j));
    app_signals_defer(true);
    if (code == APP_OK)
        code = simulate(&j);
    app_progress_end(&j.progress);
    if (code == APP_OK && is_first)
        code = simulation_write(&sim, &s, j.reduce.size);
    simulation_free(&sim);
    population_free(&j.people);
    free(j.truth);
    return code;
}
