/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* measurements.c - what a release hands out: noisy counts, and all that is needed to fit tables to them. Public. */
#include "synth_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The plan without its counts. */
static nw_status copy_plan(nw__plan *copy, const nw__plan *plan, nw_error *err)
{
    *copy = *plan;
    copy->cells = nw__calloc(plan->columns, sizeof *copy->cells);
    copy->marginals = nw__calloc(plan->marginal_count, sizeof *copy->marginals);
    if (copy->cells == NULL || copy->marginals == NULL)
        return nw__fail_memory(err, "nw_synth_release");
    memcpy(copy->cells, plan->cells, plan->columns * sizeof *copy->cells);
    memcpy(copy->marginals, plan->marginals, plan->marginal_count * sizeof *copy->marginals);
    for (size_t i = 0; i < plan->marginal_count; i++)
        copy->marginals[i].counts = NULL;
    return NW_OK;
}

nw_status nw__measurements_new(nw_synth_measurements **out, const nw_synth *synth, double known_rows, nw_error *err)
{
    nw_synth_measurements *m = nw__calloc(1, sizeof *m);
    if (m == NULL)
        return nw__fail_memory(err, "nw_synth_release");
    m->schema = (nw_schema *)(uintptr_t)nw__schema_share(synth->schema);
    m->adjacency = synth->opts.adjacency;
    m->known_rows = known_rows;
    m->codings = nw__codings_identity(synth->schema);
    nw_status status = m->codings == NULL ? nw__fail_memory(err, "nw_synth_release") : NW_OK;
    if (status == NW_OK)
        status = nw_event_copy(&m->event, synth->event, err);
    if (status == NW_OK)
        status = copy_plan(&m->plan, &synth->plan, err);
    if (status != NW_OK) {
        nw_synth_measurements_free(m);
        return status;
    }
    *out = m;
    return NW_OK;
}

void nw_synth_measurements_free(nw_synth_measurements *measurements)
{
    if (measurements == NULL)
        return;
    nw__plan_clear(&measurements->plan);
    if (measurements->schema != NULL)
        nw__codings_free(measurements->codings, nw_schema_columns(measurements->schema));
    nw_event_free(measurements->event);
    nw_schema_free(measurements->schema);
    free(measurements);
}

const nw_schema *nw_synth_measurements_schema(const nw_synth_measurements *measurements)
{
    return measurements->schema;
}

const nw_event *nw_synth_measurements_event(const nw_synth_measurements *measurements)
{
    return measurements->event;
}

nw_adjacency nw_synth_measurements_adjacency(const nw_synth_measurements *measurements)
{
    return measurements->adjacency;
}

double nw_synth_measurements_rows(const nw_synth_measurements *measurements, double *standard_error)
{
    double error = 0.0;
    const double rows = nw__estimate_rows(&measurements->plan, measurements->known_rows, &error);
    if (standard_error != NULL)
        *standard_error = error;
    return rows;
}

size_t nw_synth_measurements_count(const nw_synth_measurements *measurements)
{
    return measurements->plan.marginal_count;
}

nw_synth_measurement nw__describe_marginal(const nw__marginal *m, double rows)
{
    const double cells = (double)m->cells_a * (double)m->cells_b;
    /* total variation = half the sum of |noise| / rows, and E|N(0, sigma^2)| = sigma sqrt(2/pi); 1 is the most it can be */
    const double error = 0.5 * cells * m->sigma * sqrt(2.0 / acos(-1.0)) / rows;
    return (nw_synth_measurement){ { m->a, m->b }, nw__marginal_cells(m), m->sigma, fmin(1.0, error) };
}

nw_synth_measurement nw_synth_measurements_get(const nw_synth_measurements *measurements, size_t i)
{
    return nw__describe_marginal(&measurements->plan.marginals[i], nw_synth_measurements_rows(measurements, NULL));
}

const int64_t *nw_synth_measurements_counts(const nw_synth_measurements *measurements, size_t i)
{
    return measurements->plan.marginals[i].counts;
}

uint32_t nw_synth_measurements_cells(const nw_synth_measurements *measurements, size_t column)
{
    return measurements->codings[column].cells;
}

uint32_t nw_synth_measurements_cell(const nw_synth_measurements *measurements, size_t column, uint32_t code)
{
    return nw__coding_cell(&measurements->codings[column], code);
}
