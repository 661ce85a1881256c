/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* processes.c - see processes.h. */
#include "processes.h"

#include "exit.h"
#include "files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Processes that the launchers of Open MPI and MPICH say they started. If MPI knows of fewer, each would take itself for the only
 * one, and charge and release by itself. */
static size_t launched(void)
{
    const char *const names[] = { "OMPI_COMM_WORLD_SIZE", "PMI_SIZE" };
    size_t most = 1;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *text = getenv(names[i]);
        const size_t size = text == NULL ? 1 : (size_t)strtoul(text, NULL, 10);
        most = size > most ? size : most;
    }
    return most;
}

__attribute__((format(printf, 3, 0))) static nw_status fail(nw_error *err, nw_status status, const char *format, size_t processes)
{
    *err = (nw_error){ .status = status };
    snprintf(err->message, sizeof err->message, format, processes);
    return status;
}

#ifdef APP_HAS_MPI
/* C, not the C++ bindings */
#define OMPI_SKIP_MPICXX 1
#include <mpi.h>
#include <nw/mpi.h>

static bool is_begun;

/* Set by the launchers of Open MPI, MPICH and Slurm for the processes that they start. Without one of them MPI is left alone: a
 * program that is run by itself needs no daemon of MPI's. */
static bool is_launched(void)
{
    return getenv("OMPI_COMM_WORLD_SIZE") != NULL || getenv("PMI_SIZE") != NULL || getenv("PMIX_RANK") != NULL;
}

static nw_status begin(nw_error *err)
{
    if (MPI_Init(NULL, NULL) != MPI_SUCCESS)
        return fail(err, NW_E_IO, "the start of %zu processes over MPI failed", launched());
    is_begun = true;
    return NW_OK;
}

nw_status app_processes_open(nw_reduce *out, nw_error *err)
{
    *out = nw_reduce_serial();
    if (!is_launched())
        return NW_OK;
    nw_status status = begin(err);
    if (status == NW_OK)
        status = nw_reduce_mpi_new(out, MPI_Comm_c2f(MPI_COMM_WORLD), err);
    if (status == NW_OK && out->size < launched())
        status =
            fail(err, NW_E_UNSUPPORTED, "%zu processes were started, by another MPI than the one of this program", launched());
    app_hold_messages(status == NW_OK && out->size > 1);
    return status;
}

void app_processes_close(nw_reduce *reduce)
{
    app_release_messages(reduce->rank == 0);
    if (!is_begun)
        return;
    nw_reduce_mpi_free(reduce);
    MPI_Finalize();
}
#else
static bool is_launched(void)
{
    return false;
}

nw_status app_processes_open(nw_reduce *out, nw_error *err)
{
    *out = nw_reduce_serial();
    return launched() == 1
               ? NW_OK
               : fail(err, NW_E_UNSUPPORTED, "%zu processes were started, of a program built without MPI", launched());
}

void app_processes_close(nw_reduce *reduce)
{
    (void)reduce;
}
#endif

/* Once a failure is known to all nobody asks again: they may be on different ways out. */
static int failure = APP_OK;

int app_agree(const nw_reduce *reduce, int code)
{
    nw_error err;
    if (reduce->size == 1)
        return code;
    if (failure != APP_OK)
        return failure;
    int64_t *codes = calloc(reduce->size, sizeof *codes);
    if (codes == NULL)
        abort(); /* the others wait: MPI ends them all */
    codes[reduce->rank] = code;
    const nw_status status = reduce->sum_i64(reduce->context, codes, reduce->size, &err);
    size_t first = 0;
    while (status == NW_OK && first < reduce->size && codes[first] == APP_OK)
        first++;
    const bool are_well = status == NW_OK && first == reduce->size;
    const int agreed = are_well || status != NW_OK ? APP_OK : (int)codes[first];
    free(codes);
    if (status != NW_OK) {
        app_release_messages(true);
        return failure = app_fail_error("mpi", &err);
    }
    failure = agreed;
    app_release_messages(reduce->rank == (are_well ? 0 : first));
    return agreed;
}

int app_finish(nw_reduce *reduce, int code)
{
    const int agreed = app_agree(reduce, code);
    app_processes_close(reduce);
    return agreed;
}

int app_check_alone(const nw_reduce *reduce, const char *what)
{
    return reduce->size == 1
               ? APP_OK
               : app_fail(APP_USAGE, what, "runs in one process, and %zu were started: run it without mpirun", reduce->size);
}

int app_share_of(app_share *out, const nw_reduce *reduce, const char *path)
{
    const char *at = path == NULL || !is_launched() ? NULL : strstr(path, APP_RANK);
    *out = (app_share){ NULL, 0, 1 };
    if (path == NULL)
        return APP_OK;
    const size_t size = strlen(path) + 24;
    out->path = malloc(size);
    if (out->path == NULL)
        return app_fail(APP_INTERNAL, path, "out of memory");
    if (at != NULL) {
        snprintf(out->path, size, "%.*s%zu%s", (int)(at - path), path, reduce->rank, at + strlen(APP_RANK));
        return APP_OK;
    }
    strcpy(out->path, path);
    if (reduce->size == 1)
        return APP_OK;
    if (app_is_stream(path))
        return app_fail(APP_USAGE, path, "is a stream, which %zu processes cannot share: must be a file", reduce->size);
    out->part = reduce->rank;
    out->parts = reduce->size;
    return APP_OK;
}

void app_share_free(app_share *share)
{
    free(share->path);
    share->path = NULL;
}

int app_check_records(const nw_reduce *reduce, const app_share *share, const char *path, uint64_t records)
{
    if (share->parts == 1 || records > 0)
        return APP_OK;
    return app_fail(
        APP_DATA, path, "has fewer records than the %zu processes that share it, must have at least as many", reduce->size);
}
