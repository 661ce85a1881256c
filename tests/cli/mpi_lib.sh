# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# mpi_lib.sh - programs under mpirun. Sourced after lib.sh. Without MPI, the whole script is skipped, with the reason.
skip_all() { # reason
    echo "1..0 # SKIP $1"
    exit 0
}
command -v mpirun >/dev/null || skip_all 'no mpirun'
ldd "$bin/nw-kde" | grep -q libmpi || skip_all 'built without MPI'
mpirun --version 2>&1 | grep -q 'Open MPI' || skip_all 'mpirun is not of Open MPI'
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1
# Waiting processes give way to others: there are more of them than processors.
mpi_options=(--oversubscribe --mca mpi_yield_when_idle 1)

mpi() { # processes, command...
    local n=$1
    shift
    timeout 60 mpirun "${mpi_options[@]}" -n "$n" "$@"
}

# What was released, without the time of the receipt.
structure_of() { # file.nwk, queries
    nw-kde query "$1" --data "$2" | cksum
}
