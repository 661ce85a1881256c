/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* query.c - queries in batches: post-processing of released totals. */
#include "kde_internal.h"

#include <omp.h>
#include <stdlib.h>

/* What is asked, and where answers go. */
typedef struct asked {
    const float *y;
    size_t m;
    double *values;
    double *errors;
} asked;

static size_t batch_of(const nw_kde *kde)
{
    return kde->query_batch > 0 ? kde->query_batch : NW__KDE_BATCH;
}

static void answer(const nw_kde *kde, const asked *a, size_t batch, float *buffer, double *room)
{
    const size_t d = kde->opts.dimension, from = batch * batch_of(kde);
    const size_t n = a->m - from < batch_of(kde) ? a->m - from : batch_of(kde);
    nw__kde_clamp(kde, a->y + from * d, n, buffer);
    kde->ops->query(kde, buffer, n, a->values + from, a->errors == NULL ? NULL : a->errors + from, room);
}

nw_status nw_kde_query(const nw_kde *kde, const float *y, size_t m, double *values, double *errors, nw_error *err)
{
    if (kde == NULL || (m > 0 && (y == NULL || values == NULL)))
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", kde == NULL ? "kde" : y == NULL ? "y" : "values");
    if (kde->totals == NULL)
        return nw__fail(err, NW_E_STATE, __func__, "this structure was not released: nw_kde_release comes before queries");
    const asked a = { y, m, values, errors };
    const size_t batches = (m + batch_of(kde) - 1) / batch_of(kde);
    const int most = batches < 2 ? 1 : nw__threads((int)kde->opts.threads);
    const int team = batches < (size_t)most ? (int)batches : most;
    const size_t coordinates = (m < batch_of(kde) ? m : batch_of(kde)) * kde->opts.dimension; /* of a thread */
    float *buffers = nw__calloc((size_t)team, coordinates * sizeof *buffers);
    double *rooms = nw__calloc((size_t)team, (kde->room + 1) * sizeof *rooms);
    if (buffers == NULL || rooms == NULL) {
        free(buffers);
        free(rooms);
        return nw__fail_memory(err, __func__);
    }
    for (size_t b = 0; team == 1 && b < batches; b++) /* a team of one would take longer than a short query */
        answer(kde, &a, b, buffers, rooms);
    if (team > 1) {
#pragma omp parallel for schedule(dynamic, 1) num_threads(team)
        for (size_t b = 0; b < batches; b++) {
            const size_t thread = (size_t)omp_get_thread_num();
            answer(kde, &a, b, buffers + thread * coordinates, rooms + thread * kde->room);
        }
    }
    free(rooms);
    nw__free_wiped(buffers, (size_t)team * coordinates * sizeof *buffers);
    return NW_OK;
}
