/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_MPI_H
#define NW_MPI_H

/* nw/mpi.h - nw_reduce over the processes of MPI. Of a library of its own, libnoisewright-mpi (pkg-config noisewright-mpi), as
 * libnoisewright needs no MPI; not part of noisewright.h.
 *
 *   MPI_Init(NULL, NULL);
 *   nw_reduce_mpi_new(&reduce, MPI_Comm_c2f(MPI_COMM_WORLD), &err);
 *   ... nw_kde_reduce(k, &reduce, &err); ...
 *   nw_reduce_mpi_free(&reduce);
 *   MPI_Finalize();
 */
#include <nw/reduce.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The processes of a communicator, which is duplicated: messages of the caller's do not mix with these. All of its processes
 *  call it, after MPI_Init.
 *
 *  Shapes    *out: to be ended with nw_reduce_mpi_free. comm: what MPI_Comm_c2f makes of the communicator, mpi4py's comm.py2f().
 *  Units     none.
 *  Errors    NW_E_ARG: out is NULL; NW_E_IO: MPI refuses; NW_E_NOMEM. Its calls return NW_E_IO if MPI does; as a rule MPI ends
 *            the whole job when one of its processes dies.
 *  Cost      that of MPI_Comm_dup. Threads: those that MPI was started for.
 *  Source    none.
 *  Example   examples/mpi.c */
NW_API NW_WARN_UNUSED nw_status nw_reduce_mpi_new(nw_reduce *out, int comm, nw_error *err);
/** All processes call it, before MPI_Finalize. */
NW_API void nw_reduce_mpi_free(nw_reduce *reduce);

#ifdef __cplusplus
}
#endif
#endif
