/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_REDUCE_H
#define NW_REDUCE_H

/* nw/reduce.h - sums over processes, whatever carries them.
 *
 * What it is for: work in parts whose results are integers that add up. Sums of integers do not depend on their order, so a
 *   result is the same bytes on one process and on many.
 * How: a table of functions. One process has nw_reduce_serial; nw-hitters has one for MPI. Every process calls the same functions
 *   in the same order.
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

#ifdef __cplusplus
}
#endif
#endif
