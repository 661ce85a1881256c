/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* threads.c - a team of threads as processes: one buffer of sums under one lock, and a meeting before and after it is read. */
#include "reduce_internal.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_THREADS = 4096, BLOCK_WORDS = 1 << 12 };

typedef struct member {
    nw_reduce_team *team;
    size_t rank;
} member;

struct nw_reduce_team {
    pthread_mutex_t lock;
    pthread_cond_t has_changed;
    size_t size;
    size_t arrived;    /* at the meeting that goes on */
    uint64_t meetings; /* that are over */
    size_t added;      /* threads whose values are in `sums`, since the last meeting */
    bool is_left;      /* a thread will not come again */
    void *from;        /* what thread 0 broadcasts */
    uint64_t sums[BLOCK_WORDS];
    member members[];
};

static nw_status fail_left(nw_error *err)
{
    return nw__fail(err, NW_E_IO, "nw_reduce_threads", "a thread of the team has left it");
}

/* Returns when all threads are here. */
static nw_status meet(nw_reduce_team *team, nw_error *err)
{
    pthread_mutex_lock(&team->lock);
    const uint64_t before = team->meetings;
    if (!team->is_left && ++team->arrived == team->size) {
        team->arrived = 0;
        team->added = 0;
        team->meetings++;
        pthread_cond_broadcast(&team->has_changed);
    }
    while (team->meetings == before && !team->is_left)
        pthread_cond_wait(&team->has_changed, &team->lock);
    const bool has_met = team->meetings != before;
    pthread_mutex_unlock(&team->lock);
    return has_met ? NW_OK : fail_left(err);
}

static nw_status barrier(void *context, nw_error *err)
{
    const member *m = context;
    return meet(m->team, err);
}

static nw_status broadcast(void *context, void *bytes, size_t n, nw_error *err)
{
    const member *m = context;
    if (m->rank == 0) {
        pthread_mutex_lock(&m->team->lock);
        m->team->from = bytes;
        pthread_mutex_unlock(&m->team->lock);
    }
    NW__TRY(meet(m->team, err));
    if (m->rank > 0 && n > 0)
        memcpy(bytes, m->team->from, n);
    return meet(m->team, err);
}

static void add(nw_reduce_team *team, const uint64_t *values, size_t n)
{
    pthread_mutex_lock(&team->lock);
    for (size_t i = 0; i < n; i++)
        team->sums[i] = (team->added == 0 ? 0 : team->sums[i]) + values[i];
    team->added++;
    pthread_mutex_unlock(&team->lock);
}

static nw_status sum_u64(void *context, uint64_t *values, size_t n, nw_error *err)
{
    nw_reduce_team *team = ((const member *)context)->team;
    for (size_t at = 0; at < n; at += BLOCK_WORDS) {
        const size_t m = n - at < BLOCK_WORDS ? n - at : BLOCK_WORDS;
        add(team, values + at, m);
        NW__TRY(meet(team, err));
        memcpy(values + at, team->sums, m * sizeof *values);
        NW__TRY(meet(team, err)); /* nobody adds to what somebody has not read yet */
    }
    return NW_OK;
}

static nw_status sum_i64(void *context, int64_t *values, size_t n, nw_error *err)
{
    return sum_u64(context, (uint64_t *)values, n, err);
}

nw_status nw_reduce_team_new(nw_reduce_team **out, size_t size, nw_error *err)
{
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    if (size < 1 || size > MOST_THREADS)
        return nw__fail(err, NW_E_ARG, __func__, "size is %zu, must be in 1..%d", size, MOST_THREADS);
    nw_reduce_team *team = nw__calloc(1, sizeof *team + size * sizeof *team->members);
    if (team == NULL)
        return nw__fail_memory(err, __func__);
    team->size = size;
    for (size_t rank = 0; rank < size; rank++)
        team->members[rank] = (member){ team, rank };
    if (pthread_mutex_init(&team->lock, NULL) != 0) {
        free(team);
        return nw__fail_memory(err, __func__);
    }
    if (pthread_cond_init(&team->has_changed, NULL) != 0) {
        pthread_mutex_destroy(&team->lock);
        free(team);
        return nw__fail_memory(err, __func__);
    }
    *out = team;
    return NW_OK;
}

void nw_reduce_team_free(nw_reduce_team *team)
{
    if (team == NULL)
        return;
    pthread_cond_destroy(&team->has_changed);
    pthread_mutex_destroy(&team->lock);
    nw__free_wiped(team, sizeof *team + team->size * sizeof *team->members);
}

nw_reduce nw_reduce_threads(nw_reduce_team *team, size_t rank)
{
    return (nw_reduce){ &team->members[rank], rank, team->size, broadcast, sum_i64, sum_u64, barrier };
}

void nw_reduce_team_leave(nw_reduce_team *team)
{
    pthread_mutex_lock(&team->lock);
    team->is_left = true;
    pthread_cond_broadcast(&team->has_changed);
    pthread_mutex_unlock(&team->lock);
}
