/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TEAM_H
#define TEAM_H

/* team.h - threads that work as the processes of a job do, and one of them that dies at a given call. No assertion may fail
 * inside of the threads: they leave what they saw where the test looks afterwards. */
#include <nw/reduce.h>

#include <pthread.h>
#include <stdlib.h>

enum { TEAM_MOST = 8 };
#define TEAM_NEVER SIZE_MAX

/** What one thread has: `reduce` counts its calls, and at call `dies_at`, from 0, the thread leaves the team. */
typedef struct team_member {
    nw_reduce reduce;
    nw_reduce inner;
    nw_reduce_team *team;
    size_t calls;
    size_t dies_at;
    void (*run)(struct team_member *m);
    void *context; /* of all */
} team_member;

static inline nw_status team_call(team_member *m)
{
    if (m->calls++ < m->dies_at)
        return NW_OK;
    nw_reduce_team_leave(m->team);
    return NW_E_IO;
}

static inline nw_status team_broadcast(void *context, void *bytes, size_t n, nw_error *err)
{
    team_member *m = context;
    const nw_status status = team_call(m);
    return status == NW_OK ? m->inner.broadcast(m->inner.context, bytes, n, err) : status;
}

static inline nw_status team_sum_i64(void *context, int64_t *values, size_t n, nw_error *err)
{
    team_member *m = context;
    const nw_status status = team_call(m);
    return status == NW_OK ? m->inner.sum_i64(m->inner.context, values, n, err) : status;
}

static inline nw_status team_sum_u64(void *context, uint64_t *values, size_t n, nw_error *err)
{
    team_member *m = context;
    const nw_status status = team_call(m);
    return status == NW_OK ? m->inner.sum_u64(m->inner.context, values, n, err) : status;
}

static inline nw_status team_barrier(void *context, nw_error *err)
{
    team_member *m = context;
    const nw_status status = team_call(m);
    return status == NW_OK ? m->inner.barrier(m->inner.context, err) : status;
}

static inline void *team_thread(void *member)
{
    team_member *m = member;
    m->run(m);
    return NULL;
}

/** Runs `run` on `size` threads; that of rank `victim` dies at its call `dies_at`. Returns how many calls the victim made; false
 *  in *is_whole if threads or memory lack. */
static inline size_t team_run(
    size_t size, void (*run)(team_member *), void *context, size_t victim, size_t dies_at, bool *is_whole)
{
    team_member members[TEAM_MOST];
    pthread_t threads[TEAM_MOST];
    nw_reduce_team *team = NULL;
    *is_whole = size <= TEAM_MOST && nw_reduce_team_new(&team, size, NULL) == NW_OK;
    size_t begun = 0;
    for (; *is_whole && begun < size; begun++) {
        team_member *m = &members[begun];
        *m = (team_member){ .inner = nw_reduce_threads(team, begun), .team = team, .run = run, .context = context };
        m->dies_at = begun == victim ? dies_at : TEAM_NEVER;
        m->reduce = (nw_reduce){ m, begun, size, team_broadcast, team_sum_i64, team_sum_u64, team_barrier };
        *is_whole = pthread_create(&threads[begun], NULL, team_thread, m) == 0;
        if (!*is_whole)
            break;
    }
    if (!*is_whole && team != NULL)
        nw_reduce_team_leave(team);
    for (size_t i = 0; i < begun; i++)
        pthread_join(threads[i], NULL);
    nw_reduce_team_free(team);
    return *is_whole ? members[victim].calls : 0;
}

#endif
