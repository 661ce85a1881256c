/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_REDUCE_H
#define NW_REDUCE_H

/* nw/reduce.h - sums over processes, whatever carries them.
 *
 * What it is for: work in parts whose results are integers that add up. Sums of integers do not depend on their order, so a
 *   release is the same bytes on one process and on many (docs/scale-out.md).
 * How: a table of functions. nw_reduce_serial is one process, nw_reduce_threads the threads of one, nw/mpi.h the processes of
 *   MPI; a program may fill the table itself. Every process calls the same functions in the same order, with the same lengths: so
 *   what one of them finds wrong is told to all with nw_reduce_agree before the next call.
 * What it does not do: hide a value from another process (nw/masks.h does). Exact sums are as secret as the records.
 */
#include <nw/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Processes that work together. All functions return NW_OK, or NW_E_IO if the others cannot be reached. */
typedef struct nw_reduce {
    void *context; /* the first argument of all functions */
    size_t rank;   /* of this process: 0 .. size - 1 */
    size_t size;   /* processes: at least 1 */
    /** Gives all processes the n bytes that process 0 has. */
    nw_status (*broadcast)(void *context, void *bytes, size_t n, nw_error *err);
    /** Gives all processes, in each place, the sum of all processes' values there; it must fit int64. */
    nw_status (*sum_i64)(void *context, int64_t *values, size_t n, nw_error *err);
    /** The same modulo 2^64: also of shares that are random by themselves. */
    nw_status (*sum_u64)(void *context, uint64_t *values, size_t n, nw_error *err);
    /** Returns when all processes have called it. */
    nw_status (*barrier)(void *context, nw_error *err);
} nw_reduce;

/** One process, rank 0 of 1: sums are what they are. */
NW_API nw_reduce nw_reduce_serial(void);

/** Tells all processes whether all is well with each of them; all of them call it.
 *
 *  Shapes    mine: the status of this process, which err belongs to. err may be NULL.
 *  Units     none.
 *  Errors    NW_OK where all are NW_OK; else every process returns the status of the first that failed, by rank, and its function
 *            and message are in every err. NW_E_IO if the others cannot be reached.
 *  Cost      8 bytes a process, and 512 after a failure. Threads: of `reduce`.
 *  Source    none.
 *  Example   examples/mpi.c */
NW_API NW_WARN_UNUSED nw_status nw_reduce_agree(const nw_reduce *reduce, nw_status mine, nw_error *err);

/** Is given the bytes of one process. */
typedef nw_status (*nw_reduce_take)(void *context, size_t rank, const uint8_t *bytes, size_t n, nw_error *err);
/** Hands process 0 the bytes of each other process, in the order of their ranks; all of them call it. For what merges as bytes
 *  and is no vector of sums: nw_keys, aggregates of reports.
 *
 *  Shapes    bytes: n of them, other numbers on other processes; not used on process 0. take: called on process 0 alone.
 *  Units     bytes.
 *  Errors    those of `take`, which end the gathering, on every process; NW_E_IO; NW_E_NOMEM.
 *  Cost      every process takes part in a sum of the bytes of all; process 0 holds those of one at a time.
 *  Source    none.
 *  Example   none */
NW_API NW_WARN_UNUSED nw_status nw_reduce_gather(
    const nw_reduce *reduce, const uint8_t *bytes, size_t n, nw_reduce_take take, void *context, nw_error *err);

/* ---- threads of one process ---- */

/* A team of threads that work as processes do, each with handles of its own: for programs whose threads read different files,
 * and for tests of what is to run on many machines. In an OpenMP region the rank is omp_get_thread_num(). */
typedef struct nw_reduce_team nw_reduce_team; /* shared */

/** Errors: NW_E_ARG: size is 0 or above 4096; NW_E_NOMEM. */
NW_API NW_WARN_UNUSED nw_status nw_reduce_team_new(nw_reduce_team **out, size_t size, nw_error *err);
/** After all its threads have made their last call. NULL is allowed. */
NW_API void nw_reduce_team_free(nw_reduce_team *team);
/** Thread `rank` of the team, below its size. Each is used by one thread, and all threads have to run at once: a call waits for
 *  the other threads' calls. Lives as long as the team. */
NW_API nw_reduce nw_reduce_threads(nw_reduce_team *team, size_t rank);
/** A thread will not call again before the others are done: their calls return NW_E_IO from now on, and none of them waits. */
NW_API void nw_reduce_team_leave(nw_reduce_team *team);

#ifdef __cplusplus
}
#endif
#endif
