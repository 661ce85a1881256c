/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* crowd.c - every user of a population makes a report, and aggregates take it in: blocks of users, each with random numbers of
 * its own, so that neither threads nor processes change the sums. */
#include "crowd.h"

#include <nw/testing.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_USERS = 1 << 16, PIECE_USERS = 1 << 12 };

struct crowd {
    const crowd_job *job;
    sketch *fast;             /* not NULL: the rest is not used */
    nw_ldp_aggregate *all;    /* of all users, if a level is searched together */
    nw_ldp_aggregate **apart; /* of each party, if a level is not; else NULL */
    uint64_t *reports;        /* [party][level], over all processes */
    uint64_t *begins;         /* of each holding: users before it in its party */
};

nw_status crowd_fail(nw_error *err, nw_status status, const char *message)
{
    *err = (nw_error){ .status = status };
    snprintf(err->function, sizeof err->function, "simulate");
    snprintf(err->message, sizeof err->message, "%s", message);
    return status;
}

/* ---- blocks ---- */

/* A block of users: of one party, who hold the items from `first` on. */
typedef struct block {
    uint32_t party;
    uint64_t from; /* users of the party before it */
    uint64_t users;
} block;

static uint64_t party_users(const crowd *c, size_t party)
{
    const population *p = c->job->people;
    const size_t end = population_first(p, party + 1);
    return end == population_first(p, party) ? 0 : c->begins[end - 1] + p->holdings[end - 1].users;
}

static block *list_blocks(const crowd *c, size_t *n)
{
    size_t total = 0;
    *n = 0;
    for (size_t party = 0; party < c->job->people->party_count; party++)
        total += (size_t)((party_users(c, party) + BLOCK_USERS - 1) / BLOCK_USERS);
    block *blocks = calloc(total + 1, sizeof *blocks);
    for (size_t party = 0; blocks != NULL && party < c->job->people->party_count; party++) {
        const uint64_t users = party_users(c, party);
        for (uint64_t from = 0; from < users; from += BLOCK_USERS)
            blocks[(*n)++] = (block){ (uint32_t)party, from, users - from < BLOCK_USERS ? users - from : BLOCK_USERS };
    }
    return blocks;
}

/* The holding of user number `user` of a party. */
static size_t find_holding(const crowd *c, uint32_t party, uint64_t user)
{
    size_t low = population_first(c->job->people, party);
    size_t high = population_first(c->job->people, party + 1);
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (c->begins[middle] <= user)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* ---- reports ---- */

/* What one thread has. */
typedef struct worker {
    crowd *c;
    nw_rng *parent;
    nw_ldp_aggregate *all;
    nw_ldp_aggregate **apart;
    uint64_t *reports;
    nw_ldp_item items[PIECE_USERS];
    uint8_t users[PIECE_USERS * NW_LDP_USER_BYTES]; /* pseudonyms */
    uint8_t out[PIECE_USERS * NW_LDP_SHORT_REPORT];
} worker;

static nw_status take_in(worker *w, const block *b, size_t n, size_t size, nw_error *err)
{
    const crowd *c = w->c;
    const uint8_t *pseudonyms = c->job->campaign->is_public_coin ? w->users : NULL;
    const nw_ldp_aggregate *counted = w->all != NULL ? w->all : w->apart[b->party];
    const unsigned levels = c->job->campaign->levels;
    uint64_t before[NW_LDP_MAX_LEVELS];
    nw_status status = NW_OK;

    for (unsigned l = 0; l < levels; l++)
        before[l] = nw_ldp_aggregate_reports(counted, l);
    if (w->all != NULL)
        status = nw_ldp_aggregate_add_batch(w->all, w->out, n * size, pseudonyms, err);
    if (status == NW_OK && w->apart != NULL)
        status = nw_ldp_aggregate_add_batch(w->apart[b->party], w->out, n * size, pseudonyms, err);
    for (unsigned l = 0; l < levels; l++)
        w->reports[b->party * levels + l] += nw_ldp_aggregate_reports(counted, l) - before[l];
    return status;
}

/* Pseudonyms as any service would have them: no two users alike. */
static void name_users(worker *w, const block *b, uint64_t first, size_t n)
{
    memset(w->users, 0, n * NW_LDP_USER_BYTES);
    for (size_t i = 0; i < n; i++) {
        const uint64_t user = b->from + first + i;
        memcpy(w->users + i * NW_LDP_USER_BYTES, &user, sizeof user);
        memcpy(w->users + i * NW_LDP_USER_BYTES + sizeof user, &b->party, sizeof b->party);
    }
}

static nw_status run_block(worker *w, const block *b, uint64_t id, nw_error *err)
{
    const crowd *c = w->c;
    const holding *holdings = c->job->people->holdings;
    const nw_ldp_campaign *campaign = c->job->campaign;
    const size_t size = nw_ldp_report_size(campaign);
    nw_rng *rng = NULL;
    size_t at = find_holding(c, b->party, b->from);
    uint64_t left = holdings[at].users - (b->from - c->begins[at]);
    nw_status status = nw_rng_substream(&rng, w->parent, id, err);
    for (uint64_t done = 0; status == NW_OK && done < b->users;) {
        const size_t n = b->users - done < PIECE_USERS ? (size_t)(b->users - done) : PIECE_USERS;
        for (size_t i = 0; i < n; i++, left--) {
            if (left == 0)
                left = holdings[++at].users;
            w->items[i] = holdings[at].item;
        }
        if (campaign->is_public_coin)
            name_users(w, b, done, n);
        status = nw_ldp_report_many(
            campaign, rng, campaign->is_public_coin ? w->users : NULL, w->items, n, -1, w->out, sizeof w->out, err);
        if (status == NW_OK)
            status = take_in(w, b, n, size, err);
        done += n;
    }
    nw_rng_free(rng);
    return status;
}

static void free_apart(nw_ldp_aggregate **apart, size_t n)
{
    for (size_t p = 0; apart != NULL && p < n; p++)
        nw_ldp_aggregate_free(apart[p]);
    free(apart);
}

static bool is_apart(const crowd_job *job)
{
    return job->search.protocol == NW_HH_FEDPEM || job->search.protocol == NW_HH_SHARED;
}

static bool is_together(const crowd_job *job)
{
    return job->search.protocol != NW_HH_FEDPEM && (job->search.protocol != NW_HH_SHARED || job->search.shared > 0);
}

static nw_status open_worker(worker *w, crowd *c, nw_error *err)
{
    const crowd_job *job = c->job;
    const size_t parties = job->people->party_count;
    w->c = c;
    w->reports = calloc(parties * job->campaign->levels, sizeof *w->reports);
    nw_status status = w->reports == NULL ? crowd_fail(err, NW_E_NOMEM, "out of memory")
                                          : nw_rng_new_insecure_seeded(&w->parent, job->seed, err);
    if (status == NW_OK && is_together(job))
        status = nw_ldp_aggregate_new(&w->all, job->campaign, NULL, err);
    if (status != NW_OK || !is_apart(job))
        return status;
    w->apart = calloc(parties, sizeof *w->apart);
    if (w->apart == NULL)
        return crowd_fail(err, NW_E_NOMEM, "out of memory");
    for (size_t p = 0; status == NW_OK && p < parties; p++)
        status = nw_ldp_aggregate_new(&w->apart[p], job->campaign, NULL, err);
    return status;
}

static nw_status merge_one(nw_ldp_aggregate **into, nw_ldp_aggregate **from, nw_error *err)
{
    nw_status status = NW_OK;
    if (*from == NULL)
        return NW_OK;
    if (*into == NULL) {
        *into = *from;
    } else {
        status = nw_ldp_aggregate_merge(*into, *from, err);
        nw_ldp_aggregate_free(*from);
    }
    *from = NULL;
    return status;
}

/* Hands over what the worker has, and closes it. */
static nw_status close_worker(worker *w, nw_status status, nw_error *err)
{
    crowd *c = w->c;
    const size_t parties = c->job->people->party_count;
    if (status == NW_OK)
        status = merge_one(&c->all, &w->all, err);
    if (status == NW_OK && w->apart != NULL && c->apart == NULL) {
        c->apart = w->apart;
        w->apart = NULL;
    }
    for (size_t p = 0; status == NW_OK && w->apart != NULL && p < parties; p++)
        status = merge_one(&c->apart[p], &w->apart[p], err);
    for (size_t i = 0; status == NW_OK && i < parties * c->job->campaign->levels; i++)
        c->reports[i] += w->reports[i];
    nw_ldp_aggregate_free(w->all);
    free_apart(w->apart, parties);
    free(w->reports);
    nw_rng_free(w->parent);
    return status;
}

static nw_status collect(crowd *c, const block *blocks, size_t n, nw_error *err)
{
    const nw_reduce *reduce = c->job->reduce;
    const int threads = c->job->threads > 0 ? c->job->threads : omp_get_max_threads();
    nw_status status = NW_OK;
    size_t done = 0;
#pragma omp parallel num_threads(threads)
    {
        nw_error inner;
        worker *w = calloc(1, sizeof *w);
        nw_status mine = w == NULL ? crowd_fail(&inner, NW_E_NOMEM, "out of memory") : open_worker(w, c, &inner);
#pragma omp for schedule(dynamic) nowait
        for (size_t i = 0; i < n; i++) {
            if (i % reduce->size != reduce->rank || mine != NW_OK)
                continue;
            mine = run_block(w, &blocks[i], i, &inner);
#pragma omp critical(crowd)
            {
                done++;
                if (mine == NW_OK && omp_get_thread_num() == 0 &&
                    !app_progress_step(c->job->progress, "reports", (double)(done * reduce->size) / (double)n))
                    mine = crowd_fail(&inner, NW_E_CANCELLED, "interrupted");
            }
        }
#pragma omp critical(crowd)
        {
            if (w != NULL && w->c != NULL)
                mine = close_worker(w, mine, &inner);
            if (mine != NW_OK && status == NW_OK) {
                status = mine;
                *err = inner;
            }
        }
        free(w);
    }
    return status;
}

nw_status crowd_new(crowd **out, const crowd_job *job, nw_error *err)
{
    const population *people = job->people;
    size_t n = 0;
    *out = NULL;
    crowd *c = calloc(1, sizeof *c);
    if (c == NULL)
        return crowd_fail(err, NW_E_NOMEM, "out of memory");
    c->job = job;
    if (job->is_fast) {
        const nw_status status = sketch_new(&c->fast, job, err);
        if (status == NW_OK)
            *out = c;
        else
            crowd_free(c);
        return status;
    }
    c->reports = calloc(people->party_count * job->campaign->levels, sizeof *c->reports);
    c->begins = calloc(people->n + 1, sizeof *c->begins);
    for (size_t i = 1; c->begins != NULL && i < people->n; i++)
        if (people->holdings[i].party == people->holdings[i - 1].party)
            c->begins[i] = c->begins[i - 1] + people->holdings[i - 1].users;
    block *blocks = c->begins == NULL ? NULL : list_blocks(c, &n);
    nw_status status = c->reports == NULL || blocks == NULL ? crowd_fail(err, NW_E_NOMEM, "out of memory") : NW_OK;
    if (status == NW_OK)
        status = collect(c, blocks, n, err);
    free(blocks);
    status = nw_reduce_agree(job->reduce, status, err);
    if (status == NW_OK)
        status = job->reduce->sum_u64(job->reduce->context, c->reports, people->party_count * job->campaign->levels, err);
    if (status == NW_OK)
        *out = c;
    else
        crowd_free(c);
    return status;
}

void crowd_free(crowd *c)
{
    if (c == NULL)
        return;
    sketch_free(c->fast);
    nw_ldp_aggregate_free(c->all);
    free_apart(c->apart, c->job->people->party_count);
    free(c->reports);
    free(c->begins);
    free(c);
}

nw_status crowd_step(crowd *c, nw_hh *hh, nw_error *err)
{
    const size_t parties = c->job->people->party_count;
    const unsigned levels = c->job->campaign->levels;
    const unsigned level = nw_hh_level(hh);
    const nw_hh_opts *o = &c->job->search;
    if (c->fast != NULL)
        return sketch_step(c->fast, hh, err);
    uint64_t *reports = calloc(parties, sizeof *reports);
    if (reports == NULL)
        return crowd_fail(err, NW_E_NOMEM, "out of memory");
    for (size_t p = 0; p < parties; p++)
        reports[p] = c->reports[p * levels + level];
    const bool is_all = o->protocol == NW_HH_SHARED ? level < o->shared : o->protocol != NW_HH_FEDPEM;
    const nw_ldp_aggregate *const *aggregates =
        is_all ? (const nw_ldp_aggregate *const *)&c->all : (const nw_ldp_aggregate *const *)c->apart;
    const nw_status status = nw_hh_step_aggregates(hh, aggregates, is_all ? 1 : parties, reports, c->job->reduce, err);
    free(reports);
    return status;
}
