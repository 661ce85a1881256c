/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* query.c - queries in batches: post-processing of released totals. */
#include "kde_internal.h"

#include <omp.h>
#include <stdlib.h>

nw_status nw_kde_query(const nw_kde *kde, const float *y, size_t m, double *values, double *errors, nw_error *err)
{
    if (kde == NULL || (m > 0 && (y == NULL || values == NULL)))
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", kde == NULL ? "kde" : y == NULL ? "y" : "values");
    if (kde->totals == NULL)
        return nw__fail(err, NW_E_STATE, __func__, "this structure was not released: nw_kde_release comes before queries");
    const size_t d = kde->opts.dimension;
    const size_t batch = kde->query_batch > 0 ? kde->query_batch : NW__KDE_BATCH;
    const size_t batches = (m + batch - 1) / batch;
    const int most = nw__threads((int)kde->opts.threads);
    const int team = batches < (size_t)most ? (int)(batches + (batches == 0)) : most;
    const size_t room = (m < batch ? m : batch) * d; /* floats of a thread */
    float *buffers = nw__calloc((size_t)team, room * sizeof *buffers);
    double *rooms = nw__calloc((size_t)team, (kde->room + 1) * sizeof *rooms);
    if (buffers == NULL || rooms == NULL) {
        free(buffers);
        free(rooms);
        return nw__fail_memory(err, __func__);
    }
#pragma omp parallel for schedule(dynamic, 1) num_threads(team) if (team > 1)
    for (size_t b = 0; b < batches; b++) {
        const size_t thread = (size_t)omp_get_thread_num();
        float *buffer = buffers + thread * room;
        const size_t from = b * batch;
        const size_t n = m - from < batch ? m - from : batch;
        nw__kde_clamp(kde, y + from * d, n, buffer);
        kde->ops->query(kde, buffer, n, values + from, errors == NULL ? NULL : errors + from, rooms + thread * kde->room);
    }
    free(rooms);
    nw__free_wiped(buffers, (size_t)team * room * sizeof *buffers);
    return NW_OK;
}
