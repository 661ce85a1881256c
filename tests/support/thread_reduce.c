/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "thread_reduce.h"
#include "need.h"

#include <pthread.h>
#include <string.h>

typedef struct meeting {
    pthread_barrier_t barrier;
    pthread_mutex_t lock;
    uint64_t words[THREAD_REDUCE_WORDS];
} meeting;

typedef struct process {
    meeting *meeting;
    nw_reduce reduce;
    thread_work work;
    void *context;
} process;

static bool wait_for_all(const process *p)
{
    return pthread_barrier_wait(&p->meeting->barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
}

static nw_status barrier(void *context, nw_error *err)
{
    (void)err;
    wait_for_all(context);
    return NW_OK;
}

static nw_status broadcast(void *context, void *bytes, size_t n, nw_error *err)
{
    const process *p = context;
    need(n <= sizeof p->meeting->words);
    if (p->reduce.rank == 0)
        memcpy(p->meeting->words, bytes, n);
    wait_for_all(p);
    memcpy(bytes, p->meeting->words, n);
    return barrier(context, err);
}

static nw_status sum_u64(void *context, uint64_t *values, size_t n, nw_error *err)
{
    const process *p = context;
    need(n <= THREAD_REDUCE_WORDS);
    if (wait_for_all(p))
        memset(p->meeting->words, 0, n * sizeof *values);
    wait_for_all(p);
    pthread_mutex_lock(&p->meeting->lock);
    for (size_t i = 0; i < n; i++)
        p->meeting->words[i] += values[i];
    pthread_mutex_unlock(&p->meeting->lock);
    wait_for_all(p);
    memcpy(values, p->meeting->words, n * sizeof *values);
    return barrier(context, err);
}

static nw_status sum_i64(void *context, int64_t *values, size_t n, nw_error *err)
{
    return sum_u64(context, (uint64_t *)values, n, err);
}

static void *run(void *context)
{
    process *p = context;
    p->work(p->context, &p->reduce);
    return NULL;
}

void thread_reduce_run(size_t size, thread_work work, void *context)
{
    meeting *m = calloc(1, sizeof *m);
    process *processes = calloc(size, sizeof *processes);
    pthread_t *threads = calloc(size, sizeof *threads);
    need(m != NULL && processes != NULL && threads != NULL);
    need(pthread_barrier_init(&m->barrier, NULL, (unsigned)size) == 0 && pthread_mutex_init(&m->lock, NULL) == 0);
    for (size_t i = 0; i < size; i++) {
        process *p = &processes[i];
        *p = (process){ m, { p, i, size, broadcast, sum_i64, sum_u64, barrier }, work, context };
        need(pthread_create(&threads[i], NULL, run, p) == 0);
    }
    for (size_t i = 0; i < size; i++)
        need(pthread_join(threads[i], NULL) == 0);
    pthread_barrier_destroy(&m->barrier);
    pthread_mutex_destroy(&m->lock);
    free(m);
    free(processes);
    free(threads);
}
