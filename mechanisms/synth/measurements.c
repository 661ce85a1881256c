/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* measurements.c - what a release hands out: noisy counts, and all that is needed to fit tables to them. Public. */
#include "fit_items.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

nw_status nw__measurements_new(nw_synth_measurements **out, const nw_synth *synth, double known_rows, nw_error *err)
{
    nw_synth_measurements *m = nw__calloc(1, sizeof *m);
    if (m == NULL)
        return nw__fail_memory(err, "nw_synth_release");
    m->schema = (nw_schema *)(uintptr_t)nw__schema_share(synth->schema);
    m->adjacency = synth->opts.adjacency;
    m->known_rows = known_rows;
    m->codings = nw__codings_identity(&synth->plan);
    nw_status status = m->codings == NULL ? nw__fail_memory(err, "nw_synth_release") : NW_OK;
    if (status == NW_OK)
        status = nw_event_copy(&m->event, synth->event, err);
    if (status == NW_OK)
        status = nw__plan_copy(&m->plan, &synth->plan, err);
    if (status != NW_OK) {
        nw_synth_measurements_free(m);
        return status;
    }
    *out = m;
    return NW_OK;
}

/* An ordered column of many codes always has cells of its own. Rare codes of another are told apart if all 2-ways are measured,
 * as these together say more of it than its 1-way; where few are chosen, they are not. */
static bool is_regrouped(const nw__plan *plan, size_t j, const nw__coding *coding)
{
    const nw__column_shape *shape = &plan->shapes[j];
    return shape->is_grouped && (shape->is_ordered || coding->cell_of != NULL || plan->select == NW_SYNTH_SELECT_ADAPTIVE);
}

nw_status nw__measurements_choose_cells(nw_synth_measurements *m, const nw__coding *units, nw_error *err)
{
    nw__plan *plan = &m->plan;
    const double rows = nw__rows_of_levels(plan, m->known_rows);
    for (size_t j = 0; j < plan->columns; j++) {
        nw__coding *coding = &m->codings[j];
        const bool is_grouped = is_regrouped(plan, j, coding);
        double *law = is_grouped ? nw__law_make(plan, j, rows) : NULL;
        nw_status status = is_grouped && law == NULL ? nw__fail_memory(err, "nw_synth_release") : NW_OK;
        if (status == NW_OK && is_grouped && coding->cell_of == NULL)
            status = nw__coding_make(coding, plan, j, law, units == NULL ? NULL : &units[j], err);
        if (status == NW_OK)
            status = nw__coding_fill_one_way(&plan->marginals[j], plan, coding, law, err);
        plan->cells[j] = coding->cells;
        free(law);
        NW__TRY(status);
    }
    return NW_OK;
}

void nw_synth_measurements_free(nw_synth_measurements *measurements)
{
    if (measurements == NULL)
        return;
    nw__plan_clear(&measurements->plan);
    nw__query_results_clear(&measurements->queries);
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

bool nw_synth_measurements_are_insecure(const nw_synth_measurements *measurements)
{
    return measurements->is_insecure;
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

size_t nw__measured_count(const nw__plan *plan)
{
    return plan->level_count + plan->marginal_count - plan->one_ways;
}

nw_synth_measurement nw__measured_get(const nw__plan *plan, size_t i, double rows)
{
    nw_synth_measurement out = { { 0, SIZE_MAX, SIZE_MAX }, 0, 0.0, 0.0, 1 };
    if (i < plan->level_count) {
        const nw__level *level = &plan->levels[i];
        out = (nw_synth_measurement){ { level->column, SIZE_MAX, SIZE_MAX }, level->cells, level->sigma, 0.0, level->width };
    } else {
        const nw__marginal *m = &plan->marginals[plan->one_ways + i - plan->level_count];
        out = (nw_synth_measurement){ { m->a, m->b, m->cells_c > 0 ? m->c : SIZE_MAX }, nw__marginal_cells(m), m->sigma, 0.0, 0 };
    }
    /* total variation = half the sum of |noise| / rows, and E|N(0, sigma^2)| = sigma sqrt(2/pi); 1 is the most it can be */
    out.expected_error = fmin(1.0, 0.5 * (double)out.cells * out.sigma * sqrt(2.0 / acos(-1.0)) / rows);
    return out;
}

const int64_t *nw__measured_counts(const nw__plan *plan, size_t i)
{
    return i < plan->level_count ? plan->levels[i].counts : plan->marginals[plan->one_ways + i - plan->level_count].counts;
}

size_t nw_synth_measurements_count(const nw_synth_measurements *measurements)
{
    return nw__measured_count(&measurements->plan);
}

nw_synth_measurement nw_synth_measurements_get(const nw_synth_measurements *measurements, size_t i)
{
    return nw__measured_get(&measurements->plan, i, nw_synth_measurements_rows(measurements, NULL));
}

const int64_t *nw_synth_measurements_counts(const nw_synth_measurements *measurements, size_t i)
{
    return nw__measured_counts(&measurements->plan, i);
}

size_t nw_synth_measurements_answers(const nw_synth_measurements *measurements)
{
    return measurements->queries.count;
}

const int64_t *nw_synth_measurements_answer(const nw_synth_measurements *measurements, size_t i, size_t *workload, double *sigma)
{
    if (workload != NULL)
        *workload = measurements->queries.chosen[i];
    if (sigma != NULL)
        *sigma = measurements->queries.sigma[i];
    return measurements->queries.counts[i];
}

uint32_t nw_synth_measurements_cells(const nw_synth_measurements *measurements, size_t column)
{
    return measurements->codings[column].cells;
}

uint32_t nw_synth_measurements_cell(const nw_synth_measurements *measurements, size_t column, uint32_t code)
{
    return nw__coding_cell(&measurements->codings[column], code);
}
