/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* query_release.c - noisy answers to queries: all at once, or in the rounds of Private-GSD [LTVW23, Alg. 1].
 *
 * A round fits a table to what was measured, chooses per_round workloads where the table is most wrong, one after the other by
 * the exponential mechanism (which is report noisy max with Gumbel noise), and measures them. Half of a round's budget is for the
 * choices and half for the measurements, as published. Deviation: budgets are parts of mu^2 of Gaussian DP, in which the ledger
 * adds up, not of rho; a choice of epsilon is charged as nw_gdp_from_range(epsilon). Deviation: the first table is fitted to the
 * 1-way marginals, as in the paper's hybrid. */
#include "query_release.h"

#include "accountant_internal.h"
#include "choose.h"
#include "query_fit.h"

#include <math.h>
#include <nw/noise.h>
#include <stdlib.h>
#include <string.h>

static const char *const NAME = "nw_synth_release";
#define SMALLEST_SIGMA 0x1p-10 /* of nw/noise.h */
#define LARGEST_SIGMA 0x1p33   /* times the unit of a predicate, the largest of nw/noise.h */
enum { PRESET_ROWS = 2000, ROUND_GENERATIONS = 100000, MOST_ROUNDS = 10000 };
static const int64_t MOST_SCORE = INT64_C(1) << 60;
#define CHOICE_SLACK 0x1p-40             /* more than the roundings of the accountant's sum over all choices */
static const double ROUND_CHANGE = 0.01; /* the published slow_change of all rounds but the last fit's */

/* sigma of `count` measurements within mu, rounded up with a margin of (count + 16) ulps for the accountant's sum. */
static double sigma_of_mu(size_t count, double mu, double sensitivity)
{
    const double slack = 1.0 + ((double)count + 16.0) * 0x1p-52;
    return fmax(SMALLEST_SIGMA, sensitivity * sqrt((double)count) / mu * slack);
}

/* A unit of k rows moves a workload's counts by the sum of k moves of one: by at most k times as far, which alike rows reach. */
static nw_sensitivity widest_sensitivity(const nw_queries *q, nw_adjacency adjacency, uint64_t rows)
{
    nw_sensitivity widest = nw_queries_sensitivity(q, 0, adjacency);
    for (size_t i = 1; i < q->count; i++) {
        const nw_sensitivity s = nw_queries_sensitivity(q, i, adjacency);
        widest = s.value > widest.value ? s : widest;
    }
    if (rows > 1)
        widest.value = nextafter((double)rows * widest.value, INFINITY);
    return widest;
}

static int64_t common_unit(const nw_queries *q)
{
    for (size_t i = 0; i < q->count; i++)
        if (q->workloads[i].kind == NW_QUERY_PREDICATE)
            return NW__PREDICATE_UNIT;
    return 1;
}

/* A score moves by at most one record's worth for each row of a unit: counts move by so much, and the fitted table is public. */
static uint64_t choice_rate(const nw__query_plan *plan)
{
    return nw__choice_rate(plan->epsilon, (uint64_t)plan->unit * plan->rows);
}

static nw_status check(const nw_synth_opts *o, nw_error *err)
{
    static const char *const name = "nw_synth_new";
    if (o->queries->count == 0)
        return nw__fail(err, NW_E_ARG, name, "queries is empty, must hold at least one workload");
    if (o->rounds > MOST_ROUNDS)
        return nw__fail(err, NW_E_ARG, name, "rounds is %u, must be in 0..%d", o->rounds, MOST_ROUNDS);
    if (o->rounds > 0 && (o->per_round < 1 || o->per_round > o->queries->count / o->rounds))
        return nw__fail(err, NW_E_ARG, name, "per_round is %u, must be in 1..%zu: workloads / rounds", o->per_round,
            o->queries->count / o->rounds);
    return NW_OK;
}

nw_status nw__query_plan_make(nw__query_plan *plan, const nw_synth_opts *o, double mu, nw_error *err)
{
    *plan = (nw__query_plan){ 0 };
    if (o->queries == NULL)
        return NW_OK;
    NW__TRY(check(o, err));
    const double mu_part = o->rounds == 0 ? mu : mu * sqrt(0.5);
    plan->rounds = o->rounds;
    plan->threads = o->threads;
    plan->per_round = o->per_round;
    plan->measured = o->rounds == 0 ? o->queries->count : (size_t)o->rounds * o->per_round;
    plan->rows = (uint64_t)nw__rows_protected(o);
    plan->sensitivity = widest_sensitivity(o->queries, o->adjacency, plan->rows);
    plan->sigma = sigma_of_mu(plan->measured, mu_part, plan->sensitivity.value);
    plan->unit = common_unit(o->queries);
    if (o->rounds > 0)
        plan->epsilon = nw_gdp_range(mu_part / sqrt((double)plan->measured)) * (1.0 - CHOICE_SLACK);
    if (!(plan->sigma <= LARGEST_SIGMA))
        return nw__fail(err, NW_E_ARG, "nw_synth_new", "epsilon is %g, the noise of %zu workloads would be beyond 2^33 records",
            o->epsilon, plan->measured);
    if (o->rounds > 0 && choice_rate(plan) == 0)
        return nw__fail(err, NW_E_ARG, "nw_synth_new", "epsilon is %g, too little for %zu choices", o->epsilon, plan->measured);
    plan->queries = (nw_queries *)(uintptr_t)nw__queries_share(o->queries);
    return NW_OK;
}

void nw__query_plan_clear(nw__query_plan *plan)
{
    nw_queries_free(plan->queries);
    *plan = (nw__query_plan){ 0 };
}

/* The hyper-parameters of the paper's experiments; equal parts of the budget for the 1-ways and every workload, as its hybrid. */
nw_status nw_synth_preset(const char *name, const nw_schema *schema, nw_synth_opts *opts, nw_synth_fit_opts *fit, nw_error *err)
{
    if (name == NULL || schema == NULL || opts == NULL || fit == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL",
            name == NULL     ? "name"
            : schema == NULL ? "schema"
            : opts == NULL   ? "opts"
                             : "fit");
    if (strcmp(name, "private-gsd-2023") != 0)
        return nw__fail(err, NW_E_ARG, __func__, "name is \"%s\", must be \"private-gsd-2023\"", name);
    if (opts->queries == NULL || opts->queries->count == 0)
        return nw__fail(err, NW_E_ARG, __func__, "opts->queries is %s, must hold at least one workload",
            opts->queries == NULL ? "NULL" : "empty");
    const double columns = (double)nw_schema_columns(schema);
    const double workloads = opts->rounds == 0 ? (double)opts->queries->count : (double)opts->rounds * (double)opts->per_round;
    opts->query_share = workloads / (columns + workloads);
    opts->most_ways = 1;
    opts->round_rows = PRESET_ROWS;
    fit->engine = NW_SYNTH_GENETIC;
    fit->rows = PRESET_ROWS;
    fit->chains = 1;
    fit->generations = ROUND_GENERATIONS;
    return NW_OK;
}

/* Noise values a workload: of the one with most cells where it is not known which, of the average, rounded up, where all are. */
static uint64_t samples_of(const nw__query_plan *plan)
{
    uint32_t most = 0;
    if (plan->rounds == 0)
        return (plan->queries->cells + plan->queries->count - 1) / plan->queries->count;
    for (size_t i = 0; i < plan->queries->count; i++)
        most = plan->queries->workloads[i].cells > most ? plan->queries->workloads[i].cells : most;
    return most;
}

/* repeat(rounded_gaussian, K), or repeat(composed(repeat(exponential, S), repeat(rounded_gaussian, S)), T). */
nw_status nw__query_plan_event(const nw__query_plan *plan, nw_event **out, nw_error *err)
{
    nw_event *leaf = NULL;
    nw_event *choice = NULL;
    nw_event *parts[2] = { NULL, NULL };
    nw_event *round = NULL;
    const size_t each = plan->rounds == 0 ? plan->measured : plan->per_round;
    *out = NULL;
    nw_status status = nw_event_noise(&leaf, NW_EVENT_ROUNDED_GAUSSIAN, plan->sigma, plan->sensitivity, samples_of(plan), err);
    if (status == NW_OK)
        status = nw_event_repeat(&parts[1], leaf, each, err);
    if (status == NW_OK && plan->rounds == 0) {
        *out = parts[1];
        parts[1] = NULL;
    } else if (status == NW_OK) {
        status = nw_event_selection(&choice, NW_EVENT_EXPONENTIAL, plan->epsilon, plan->sensitivity.adjacency, err);
        if (status == NW_OK)
            status = nw_event_repeat(&parts[0], choice, each, err);
        if (status == NW_OK)
            status = nw_event_composed(&round, (const nw_event *const *)parts, 2, err);
        if (status == NW_OK)
            status = nw_event_repeat(out, round, plan->rounds, err);
    }
    nw_event_free(leaf);
    nw_event_free(choice);
    nw_event_free(parts[0]);
    nw_event_free(parts[1]);
    nw_event_free(round);
    return status;
}

/* ---- exact counts ---- */

bool nw__query_counts_begin(nw__query_counts *exact)
{
    if (exact->counts == NULL)
        exact->counts = nw__calloc(exact->queries->cells, sizeof *exact->counts);
    return exact->counts != NULL;
}

nw_status nw__query_counts_add(
    nw__query_counts *exact, const nw_table *table, unsigned threads, const char *function, nw_error *err)
{
    if (exact->queries == NULL)
        return NW_OK;
    if (!nw__query_counts_begin(exact))
        return nw__fail_memory(err, function);
    return nw__queries_count_all(exact->queries, table, exact->counts, threads, function, err);
}

void nw__query_counts_merge(nw__query_counts *exact, const nw__query_counts *other)
{
    for (size_t c = 0; other->counts != NULL && c < exact->queries->cells; c++)
        exact->counts[c] += other->counts[c];
}

void nw__query_counts_clear(nw__query_counts *exact)
{
    if (exact->counts != NULL)
        nw__free_wiped(exact->counts, exact->queries->cells * sizeof *exact->counts);
    exact->counts = NULL;
}

/* ---- the release ---- */

typedef struct release {
    const nw__query_plan *plan;
    const nw__query_counts *exact;
    const nw_synth_measurements *measured;
    nw__query_results *out;
    nw_noise *noise;           /* of counts */
    nw_noise *predicate_noise; /* the same in a predicate's unit; NULL if there are none */
    size_t *first_cell;
    size_t *candidates; /* workloads that were not measured yet: the first candidate_count */
    size_t candidate_count;
    int64_t *scores;
    double total; /* number of records, public */
    size_t rows;  /* of the rounds' tables */
    uint16_t *table;
    bool has_table;
    nw_table *encoded;
    int64_t *fitted;
} release;

static void release_clear(release *r)
{
    nw_noise_free(r->noise);
    nw_noise_free(r->predicate_noise);
    free(r->first_cell);
    free(r->candidates);
    nw__free_wiped(r->scores, r->plan->queries->count * sizeof *r->scores);
    free(r->table);
    free(r->fitted);
    nw_table_free(r->encoded);
}

static nw_status release_make(release *r, nw_error *err)
{
    const nw_queries *q = r->plan->queries;
    r->first_cell = nw__calloc(q->count, sizeof *r->first_cell);
    r->candidates = nw__calloc(q->count, sizeof *r->candidates);
    r->scores = nw__calloc(q->count, sizeof *r->scores);
    if (r->first_cell == NULL || r->candidates == NULL || r->scores == NULL ||
        !nw__query_results_make(r->out, q, r->plan->measured))
        return nw__fail_memory(err, NAME);
    for (size_t i = 0, cell = 0; i < q->count; cell += q->workloads[i++].cells) {
        r->first_cell[i] = cell;
        r->candidates[r->candidate_count++] = i;
    }
    NW__TRY(nw_noise_new(&r->noise, NW_NOISE_ROUNDED_GAUSSIAN, r->plan->sigma, err));
    if (r->plan->unit > 1)
        NW__TRY(nw_noise_new(&r->predicate_noise, NW_NOISE_ROUNDED_GAUSSIAN, r->plan->sigma * NW__PREDICATE_UNIT, err));
    if (r->plan->rounds == 0)
        return NW_OK;
    r->table = nw__calloc(r->rows, q->columns * sizeof *r->table);
    r->fitted = nw__calloc(q->cells, sizeof *r->fitted);
    if (r->table == NULL || r->fitted == NULL)
        return nw__fail_memory(err, NAME);
    return nw_table_new(&r->encoded, q->schema, r->rows, err);
}

/* Nothing was added: all counts are 0. */
static int64_t exact_count(const release *r, size_t cell)
{
    return r->exact->counts == NULL ? 0 : r->exact->counts[cell];
}

static nw_status measure(release *r, size_t workload, nw_rng *rng, nw_error *err)
{
    const nw__workload *w = &r->plan->queries->workloads[workload];
    int64_t *counts = nw__calloc(w->cells, sizeof *counts);
    if (counts == NULL)
        return nw__fail_memory(err, NAME);
    for (uint32_t c = 0; c < w->cells; c++)
        counts[c] = exact_count(r, r->first_cell[workload] + c);
    const nw_noise *noise = w->kind == NW_QUERY_PREDICATE ? r->predicate_noise : r->noise;
    const nw_status status = nw_noise_add_i64(noise, rng, counts, counts, w->cells, err);
    if (status != NW_OK) {
        nw__free_wiped(counts, w->cells * sizeof *counts);
        return status;
    }
    r->out->chosen[r->out->count] = workload;
    r->out->sigma[r->out->count] = r->plan->sigma;
    r->out->counts[r->out->count++] = counts;
    return NW_OK;
}

/* One search of Private-GSD on all that was measured so far, from the last round's table. */
static nw_status fit_round(release *r, nw_rng *rng, nw_error *err)
{
    const nw__query_fit fit = { r->measured, r->total, r->rows, 0, ROUND_GENERATIONS, NULL, NULL };
    const nw_status status = nw__query_search(&fit, r->table, r->has_table, ROUND_CHANGE, rng, err);
    r->has_table = true;
    return status;
}

/* The fitted table's answers, by the same code that counts records. */
static nw_status answer_fitted(release *r, nw_error *err)
{
    const nw_queries *q = r->plan->queries;
    NW__TRY(nw__query_store(r->encoded, r->table, err));
    memset(r->fitted, 0, q->cells * sizeof *r->fitted);
    return nw__queries_count_all(q, r->encoded, r->fitted, r->plan->threads, NAME, err);
}

/* Capped where the exponential mechanism's scores end: capping moves no two scores farther apart. */
int64_t nw__query_score(const nw_queries *q, size_t w, const int64_t *exact, const int64_t *fitted, double scale, int64_t unit)
{
    const int64_t steps = q->workloads[w].kind == NW_QUERY_PREDICATE ? unit / NW__PREDICATE_UNIT : unit;
    __int128 score = 0;
    for (uint32_t c = 0; c < q->workloads[w].cells; c++) {
        const int64_t answer = llround(scale * (double)fitted[c] * (double)steps);
        const __int128 distance = (__int128)(exact == NULL ? 0 : exact[c]) * steps - answer;
        score = distance > score ? distance : -distance > score ? -distance : score;
    }
    return score > MOST_SCORE ? MOST_SCORE : (int64_t)score;
}

static void score_candidates(release *r)
{
    const double scale = r->total / (double)r->rows;
    for (size_t i = 0; i < r->candidate_count; i++) {
        const size_t w = r->candidates[i];
        const int64_t *exact = r->exact->counts == NULL ? NULL : r->exact->counts + r->first_cell[w];
        r->scores[i] = nw__query_score(r->plan->queries, w, exact, r->fitted + r->first_cell[w], scale, r->plan->unit);
    }
}

/* Chooses one candidate after the other: each choice is an exponential mechanism of its own over those that are left. */
static nw_status choose_and_measure(release *r, nw_rng *rng, nw_error *err)
{
    const size_t first = r->candidate_count;
    const uint64_t rate = choice_rate(r->plan);
    for (size_t s = 0; s < r->plan->per_round; s++) {
        size_t i = 0;
        NW__TRY(nw__choose_exponential(rng, r->scores, r->candidate_count, rate, &i, err));
        const size_t chosen = r->candidates[i];
        r->candidate_count--;
        r->candidates[i] = r->candidates[r->candidate_count];
        r->scores[i] = r->scores[r->candidate_count];
        r->candidates[r->candidate_count] = chosen;
    }
    for (size_t i = first; i-- > r->candidate_count;)
        NW__TRY(measure(r, r->candidates[i], rng, err));
    return NW_OK;
}

static nw_status run_round(release *r, nw_rng *rng, nw_error *err)
{
    NW__TRY(fit_round(r, rng, err));
    NW__TRY(answer_fitted(r, err));
    score_candidates(r);
    return choose_and_measure(r, rng, err);
}

nw_status nw__query_plan_measure(const nw__query_plan *plan, const nw__query_counts *exact, nw_synth_measurements *measured,
    size_t rows, nw_rng *rng, nw_error *err)
{
    release r = { .plan = plan, .exact = exact, .measured = measured, .out = &measured->queries, .rows = rows };
    if (plan->queries == NULL)
        return NW_OK;
    r.total = nw_synth_measurements_rows(measured, NULL);
    nw_status status = release_make(&r, err);
    for (size_t w = 0; status == NW_OK && plan->rounds == 0 && w < plan->queries->count; w++)
        status = measure(&r, w, rng, err);
    for (unsigned t = 0; status == NW_OK && t < plan->rounds; t++)
        status = run_round(&r, rng, err);
    release_clear(&r);
    if (status != NW_OK)
        nw__query_results_clear(r.out);
    return status;
}
