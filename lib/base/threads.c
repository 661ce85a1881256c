/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* threads.c - how many threads a parallel region may use. A child made by fork has none of its parent's, yet an OpenMP runtime
 * that had started some waits for them forever: there, every region runs on one thread. */
#include "base.h"

#include <omp.h>
#include <pthread.h>
#include <stdatomic.h>

static atomic_bool is_forked;

static void note_fork(void)
{
    atomic_store(&is_forked, true);
}

static void watch_forks(void)
{
    if (pthread_atfork(NULL, NULL, note_fork) != 0)
        atomic_store(&is_forked, true); /* cannot be told: do without threads */
}

int nw__threads(int wanted)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    return atomic_load(&is_forked) ? 1 : wanted > 0 ? wanted : omp_get_max_threads();
}
