/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* mpi.c - a program of MPI whose processes count their own records; one of them charges and releases. To be built with mpicc and
 * `pkg-config --cflags --libs noisewright-mpi`, and run by mpirun. */
#include <mpi.h>
#include <noisewright.h>
#include <nw/mpi.h>
#include <stdio.h>

enum { RECORDS = 1000, GROUPS = 2 };

static nw_status count_own(nw_stats **out, size_t rank, nw_error *err)
{
    nw_stats_query query = NW_STATS_QUERY_INIT;
    nw_stats_opts options = NW_STATS_OPTS_INIT;
    query.kind = NW_STATS_COUNT;
    query.groups = GROUPS;
    options.epsilon = 1.0;
    options.delta = 0.0;
    options.adjacency = NW_ADD_REMOVE;
    nw_status status = nw_stats_new(out, &query, 1, &options, err);
    for (uint32_t i = 0; status == NW_OK && i < RECORDS; i++) { /* of a file of its own, say */
        const uint32_t group = (i + (uint32_t)rank) % GROUPS;
        status = nw_stats_add(*out, 0, &group, NULL, 1, err);
    }
    return status;
}

static nw_status release(nw_stats *stats, size_t processes, nw_error *err)
{
    nw_ledger_opts budget = NW_LEDGER_OPTS_INIT;
    nw_ledger *ledger = NULL;
    nw_rng *rng = NULL;
    nw_receipt receipt;
    budget.epsilon = 1.0;
    budget.delta = 0.0;
    budget.adjacency = NW_ADD_REMOVE;
    nw_status status = nw_ledger_memory(&ledger, &budget, err); /* a file remembers: nw_ledger_open */
    if (status == NW_OK)
        status = nw_rng_new(&rng, err);
    if (status == NW_OK)
        status = nw_stats_release(stats, rng, ledger, "counts", &receipt, err);
    for (size_t group = 0; status == NW_OK && group < GROUPS; group++) {
        nw_stats_figure figure;
        status = nw_stats_get(stats, 0, group, &figure, err);
        if (status == NW_OK)
            printf("group %zu on %zu processes: %.0f +- %.0f\n", group, processes, figure.value, figure.error);
    }
    nw_rng_free(rng);
    nw_ledger_close(ledger);
    return status;
}

int main(int argc, char **argv)
{
    nw_reduce reduce;
    nw_error err;
    nw_stats *stats = NULL;
    MPI_Init(&argc, &argv);
    nw_status status = nw_reduce_mpi_new(&reduce, MPI_Comm_c2f(MPI_COMM_WORLD), &err);
    if (status != NW_OK)
        MPI_Abort(MPI_COMM_WORLD, 1);

    status = nw_reduce_agree(&reduce, count_own(&stats, reduce.rank, &err), &err); /* what one finds wrong, all know */
    if (status == NW_OK)
        status = nw_stats_reduce(stats, &reduce, &err);
    if (status == NW_OK && reduce.rank == 0)
        status = release(stats, reduce.size, &err);
    status = nw_reduce_agree(&reduce, status, &err);
    if (status != NW_OK && reduce.rank == 0)
        fprintf(stderr, "%s: %s\n", err.function, err.message);

    nw_stats_free(stats);
    nw_reduce_mpi_free(&reduce);
    MPI_Finalize();
    return status == NW_OK ? 0 : 1;
}
