/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_THREAD_REDUCE_H
#define NW_TEST_THREAD_REDUCE_H

/* thread_reduce.h - an nw_reduce whose processes are threads of the test. */
#include <nw/reduce.h>

enum { THREAD_REDUCE_WORDS = 4096 }; /* most values of a sum, and eighths of the bytes of a broadcast */

/** What one process does; asserts of cmocka's are not for threads: it notes what it found, to be looked at afterwards. */
typedef void (*thread_work)(void *context, const nw_reduce *reduce);

/** Runs `size` processes to their ends. */
void thread_reduce_run(size_t size, thread_work work, void *context);

#endif
