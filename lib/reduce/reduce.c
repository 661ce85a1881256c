/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* reduce.c - sums over one process. */
#include "base.h"

#include <nw/reduce.h>

static nw_status broadcast(void *context, void *bytes, size_t n, nw_error *err)
{
    (void)context;
    (void)bytes;
    (void)n;
    (void)err;
    return NW_OK;
}

static nw_status sum_i64(void *context, int64_t *values, size_t n, nw_error *err)
{
    return broadcast(context, values, n, err);
}

static nw_status sum_u64(void *context, uint64_t *values, size_t n, nw_error *err)
{
    return broadcast(context, values, n, err);
}

static nw_status barrier(void *context, nw_error *err)
{
    return broadcast(context, NULL, 0, err);
}

nw_reduce nw_reduce_serial(void)
{
    return (nw_reduce){ NULL, 0, 1, broadcast, sum_i64, sum_u64, barrier };
}
