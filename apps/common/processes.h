/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_PROCESSES_H
#define APP_PROCESSES_H

/* processes.h - a program run by the processes that mpirun started, in builds with MPI: who they are, what each reads, and one
 * message and exit code for all.
 *
 * The order of a run: open; what can be checked, then app_agree; records are read, then app_agree; sums; what process 0 alone
 * does (ledger, noise, output), then app_finish. Between two agreements every process goes the same way. */
#include <nw/reduce.h>

/** One process unless mpirun started this one, among others. In a build without MPI always one. From here on messages of several
 *  processes wait for app_agree. */
nw_status app_processes_open(nw_reduce *out, nw_error *err);
/** Ends the part of this process. Call it once, and before exit. */
void app_processes_close(nw_reduce *reduce);

/** All processes give the exit code of the first, by rank, that has not APP_OK, and only its messages are printed; if all have
 *  APP_OK, those of process 0. */
int app_agree(const nw_reduce *reduce, int code);

/** app_agree, then app_processes_close: the exit code of the program. */
int app_finish(nw_reduce *reduce, int code);

/** APP_USAGE where there are several processes, for what one does alone: "nw-kde query". */
int app_check_alone(const nw_reduce *reduce, const char *what);

#define APP_RANK "{rank}"
/** What this process reads of `path`: the file with its rank for "{rank}", which is its own; or, of one file for all, a share. */
typedef struct app_share {
    char *path; /* to be freed with app_share_free */
    size_t part;
    size_t parts; /* 1: the file is read whole */
} app_share;
/** An exit code, with its message written: several processes cannot share a stream. path may be NULL. */
int app_share_of(app_share *out, const nw_reduce *reduce, const char *path);
void app_share_free(app_share *share);

/** After reading: APP_DATA on all processes if the file of all has fewer records than there are processes. `records`: of this
 *  process; not used where each has its own file. */
int app_check_records(const nw_reduce *reduce, const app_share *share, const char *path, uint64_t records);

#endif
