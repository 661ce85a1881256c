/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* mpi.c - the functions of nw_reduce as MPI calls. Sums of integers: MPI may add in any order. */
#include <nw/mpi.h>

#include <stdio.h>
#include <stdlib.h>

/* C, not the C++ bindings */
#define OMPI_SKIP_MPICXX 1
#include <mpi.h>

enum { MOST_AT_ONCE = 1 << 24 }; /* values of a call, whose count is an int */

static nw_status fail(nw_error *err, nw_status status, const char *message)
{
    if (err != NULL) {
        *err = (nw_error){ .status = status };
        snprintf(err->function, sizeof err->function, "nw_reduce_mpi");
        snprintf(err->message, sizeof err->message, "%s", message);
    }
    return status;
}

static nw_status check(int result, const char *what, nw_error *err)
{
    char message[80];
    if (result == MPI_SUCCESS)
        return NW_OK;
    snprintf(message, sizeof message, "%s over MPI failed: a process cannot be reached", what);
    return fail(err, NW_E_IO, message);
}

static int least(size_t n)
{
    return (int)(n < MOST_AT_ONCE ? n : MOST_AT_ONCE);
}

static nw_status broadcast(void *context, void *bytes, size_t n, nw_error *err)
{
    nw_status status = NW_OK;
    for (size_t at = 0; status == NW_OK && at < n; at += MOST_AT_ONCE)
        status = check(MPI_Bcast((char *)bytes + at, least(n - at), MPI_BYTE, 0, *(MPI_Comm *)context), "a broadcast", err);
    return status;
}

static nw_status sum(MPI_Comm comm, void *values, size_t n, MPI_Datatype type, nw_error *err)
{
    nw_status status = NW_OK;
    for (size_t at = 0; status == NW_OK && at < n; at += MOST_AT_ONCE)
        status = check(MPI_Allreduce(MPI_IN_PLACE, (char *)values + 8 * at, least(n - at), type, MPI_SUM, comm), "a sum", err);
    return status;
}

static nw_status sum_i64(void *context, int64_t *values, size_t n, nw_error *err)
{
    return sum(*(MPI_Comm *)context, values, n, MPI_INT64_T, err);
}

static nw_status sum_u64(void *context, uint64_t *values, size_t n, nw_error *err)
{
    return sum(*(MPI_Comm *)context, values, n, MPI_UINT64_T, err);
}

static nw_status barrier(void *context, nw_error *err)
{
    return check(MPI_Barrier(*(MPI_Comm *)context), "a barrier", err);
}

static nw_status open_communicator(MPI_Comm *own, MPI_Comm comm, int *rank, int *size, nw_error *err)
{
    nw_status status = check(MPI_Comm_dup(comm, own), "the start", err);
    if (status != NW_OK)
        return status;
    MPI_Comm_set_errhandler(*own, MPI_ERRORS_RETURN);
    status = check(MPI_Comm_rank(*own, rank), "the start", err);
    return status == NW_OK ? check(MPI_Comm_size(*own, size), "the start", err) : status;
}

nw_status nw_reduce_mpi_new(nw_reduce *out, int comm, nw_error *err)
{
    int rank = 0;
    int size = 1;
    if (out == NULL)
        return fail(err, NW_E_ARG, "out is NULL");
    MPI_Comm *own = malloc(sizeof *own);
    if (own == NULL)
        return fail(err, NW_E_NOMEM, "out of memory");
    const nw_status status = open_communicator(own, MPI_Comm_f2c(comm), &rank, &size, err);
    if (status == NW_OK)
        *out = (nw_reduce){ own, (size_t)rank, (size_t)size, broadcast, sum_i64, sum_u64, barrier };
    else
        free(own);
    return status;
}

void nw_reduce_mpi_free(nw_reduce *reduce)
{
    if (reduce == NULL || reduce->context == NULL)
        return;
    MPI_Comm_free(reduce->context);
    free(reduce->context);
    *reduce = (nw_reduce){ 0 };
}
