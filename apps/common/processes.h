/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_PROCESSES_H
#define APP_PROCESSES_H

/* processes.h - nw_reduce over the processes that mpirun started, in programs that are built with MPI. */
#include <nw/reduce.h>

/** One process unless mpirun started this one, among others. In a build without MPI always one. */
nw_status app_processes_open(nw_reduce *out, nw_error *err);
/** Ends the part of this process. Call it once, and before exit. */
void app_processes_close(const nw_reduce *reduce);

#endif
