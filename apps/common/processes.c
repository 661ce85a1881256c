/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* processes.c - the functions of nw_reduce as MPI calls. Sums of integers: MPI may add in any order. */
#include "processes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef APP_HAS_MPI
/* C, not the C++ bindings */
#define OMPI_SKIP_MPICXX 1
#include <mpi.h>

enum { MOST_AT_ONCE = 1 << 24 }; /* values of a call, whose count is an int */

static nw_status fail(nw_error *err, const char *what)
{
    if (err != NULL) {
        *err = (nw_error){ .status = NW_E_IO };
        snprintf(err->function, sizeof err->function, "app_processes");
        snprintf(err->message, sizeof err->message, "%s over MPI failed", what);
    }
    return NW_E_IO;
}

static nw_status broadcast(void *context, void *bytes, size_t n, nw_error *err)
{
    (void)context;
    for (size_t at = 0; at < n; at += MOST_AT_ONCE) {
        const int m = (int)(n - at < MOST_AT_ONCE ? n - at : MOST_AT_ONCE);
        if (MPI_Bcast((char *)bytes + at, m, MPI_BYTE, 0, MPI_COMM_WORLD) != MPI_SUCCESS)
            return fail(err, "a broadcast");
    }
    return NW_OK;
}

static nw_status sum(void *values, size_t n, MPI_Datatype type, nw_error *err)
{
    for (size_t at = 0; at < n; at += MOST_AT_ONCE) {
        const int m = (int)(n - at < MOST_AT_ONCE ? n - at : MOST_AT_ONCE);
        if (MPI_Allreduce(MPI_IN_PLACE, (char *)values + 8 * at, m, type, MPI_SUM, MPI_COMM_WORLD) != MPI_SUCCESS)
            return fail(err, "a sum");
    }
    return NW_OK;
}

static nw_status sum_i64(void *context, int64_t *values, size_t n, nw_error *err)
{
    (void)context;
    return sum(values, n, MPI_INT64_T, err);
}

static nw_status sum_u64(void *context, uint64_t *values, size_t n, nw_error *err)
{
    (void)context;
    return sum(values, n, MPI_UINT64_T, err);
}

static nw_status barrier(void *context, nw_error *err)
{
    (void)context;
    return MPI_Barrier(MPI_COMM_WORLD) == MPI_SUCCESS ? NW_OK : fail(err, "a barrier");
}

/* Set by the launchers of Open MPI, MPICH and Slurm for the processes that they start. Without one of them MPI is left alone: a
 * program that is run by itself needs no daemon of MPI's. */
static bool is_launched(void)
{
    return getenv("OMPI_COMM_WORLD_SIZE") != NULL || getenv("PMI_SIZE") != NULL || getenv("PMIX_RANK") != NULL;
}

nw_status app_processes_open(nw_reduce *out, nw_error *err)
{
    int rank = 0;
    int size = 1;
    *out = nw_reduce_serial();
    if (!is_launched())
        return NW_OK;
    if (MPI_Init(NULL, NULL) != MPI_SUCCESS)
        return fail(err, "the start");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    if (MPI_Comm_rank(MPI_COMM_WORLD, &rank) != MPI_SUCCESS || MPI_Comm_size(MPI_COMM_WORLD, &size) != MPI_SUCCESS)
        return fail(err, "the start");
    *out = (nw_reduce){ out, (size_t)rank, (size_t)size, broadcast, sum_i64, sum_u64, barrier };
    return NW_OK;
}

void app_processes_close(const nw_reduce *reduce)
{
    if (reduce->context != NULL)
        MPI_Finalize();
}
#else
nw_status app_processes_open(nw_reduce *out, nw_error *err)
{
    (void)err;
    *out = nw_reduce_serial();
    return NW_OK;
}

void app_processes_close(const nw_reduce *reduce)
{
    (void)reduce;
}
#endif
