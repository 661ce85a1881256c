/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* processes.c - one status for all processes: nobody waits for one that has given up. */
#include "diff2_internal.h"

#include <string.h>

bool nw__diff2_is_root(const nw_reduce *reduce)
{
    return reduce == NULL || reduce->rank == 0;
}

/* If all fingerprints are f, their sum is size f; with 64 bits of a hash it is else so with probability 2^-63. */
nw_status nw__diff2_agree(const nw_reduce *reduce, nw_status status, const uint8_t fingerprint[NW__DIFF2_FINGERPRINT],
    const char *function, nw_error *err)
{
    if (reduce == NULL)
        return status;
    uint64_t mine = 0;
    memcpy(&mine, fingerprint, sizeof mine);
    uint64_t sum = mine;
    NW__TRY(nw_reduce_agree(reduce, status, err));
    NW__TRY(reduce->sum_u64(reduce->context, &sum, 1, err));
    if (sum != (uint64_t)reduce->size * mine)
        return nw__fail(err, NW_E_STATE, function,
            "the processes differ in options, dimension, start, round or public gradient, must have the same");
    return NW_OK;
}

nw_status nw__diff2_share(const nw_reduce *reduce, nw_status status, void *bytes, size_t n, nw_error *err)
{
    if (reduce == NULL)
        return status;
    NW__TRY(nw_reduce_agree(reduce, status, err));
    return reduce->broadcast(reduce->context, bytes, n, err);
}
