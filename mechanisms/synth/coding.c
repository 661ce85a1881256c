/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* coding.c - the cells in which a column takes part in 2-ways: a spike of its law by itself, the codes between in bins of about
 * equal mass. From the noisy levels alone. */
#include "synth_internal.h"

#include <math.h>
#include <stdlib.h>

/* A bin holds at least so many standard deviations of a 2-way's cell. */
static const double LEAST_MASS_SD = 8.0;
/* A category of less than so many is too rare for a cell of its own. */
static const double LEAST_CATEGORY_SD = 1.0;
/* A spike is worth a cell of its own from this part of a bin's mass on; so is the rest of a stretch between two spikes. */
static const double LEAST_PART = 1.0 / 3.0;

nw__coding *nw__codings_identity(const nw__plan *plan)
{
    nw__coding *codings = nw__calloc(plan->columns, sizeof *codings);
    for (size_t j = 0; codings != NULL && j < plan->columns; j++)
        codings[j].cells = plan->shapes[j].codes;
    return codings;
}

void nw__codings_free(nw__coding *codings, size_t columns)
{
    for (size_t j = 0; codings != NULL && j < columns; j++)
        free(codings[j].cell_of);
    free(codings);
}

/* The codes from `low` on that are one unit with it. */
static uint32_t unit_end(const nw__coding *units, uint32_t low, uint32_t values)
{
    uint32_t high = low + 1;
    while (units != NULL && high < values && nw__coding_cell(units, high) == nw__coding_cell(units, low))
        high++;
    return high;
}

/* One unit of neighbouring codes, as the grouping looks at it. */
typedef struct unit {
    uint32_t low;
    uint32_t high;
    double mass;
    double spike; /* of its largest spike */
} unit;

static unit read_unit(const nw__plan *plan, size_t column, const double *law, const nw__coding *units, uint32_t low)
{
    unit u = { low, unit_end(units, low, plan->shapes[column].values), 0.0, 0.0 };
    for (uint32_t code = u.low; code < u.high; code++) {
        u.mass += law[code];
        if (law[code] > u.spike && nw__law_has_spike(plan, column, law, code))
            u.spike = law[code];
    }
    return u;
}

/* Gives cell numbers to the codes for a mass of a bin; returns how many cells that takes. */
static uint32_t group(
    const nw__plan *plan, size_t column, const double *law, const nw__coding *units, double wanted, uint16_t *cell_of)
{
    const uint32_t values = plan->shapes[column].values;
    uint32_t cell = 0; /* the one being filled */
    double mass = 0.0;
    bool is_begun = false;
    bool has_bin_before = false; /* in the same stretch between spikes and edges of classes */
    for (uint32_t low = 0; low < values;) {
        const unit u = read_unit(plan, column, law, units, low);
        const bool is_spike = u.spike >= LEAST_PART * wanted && u.spike >= 0.5 * u.mass;
        const bool is_full = mass + u.mass - wanted > wanted - mass;
        const bool is_edge = low > 0 && !nw__share_class(&plan->shapes[column], low - 1, low);
        if (is_begun && (is_spike || is_full || is_edge)) {
            /* what is left of a stretch goes with the bin before it if it is small */
            const bool is_rest = (is_spike || is_edge) && has_bin_before && mass < LEAST_PART * wanted;
            for (uint32_t code = low; is_rest && code-- > 0 && cell_of[code] == cell;)
                cell_of[code]--;
            cell += !is_rest;
            has_bin_before = !is_spike && !is_edge;
            is_begun = false;
            mass = 0.0;
        }
        for (uint32_t code = u.low; code < u.high; code++)
            cell_of[code] = (uint16_t)cell;
        mass += u.mass;
        is_begun = true;
        if (is_spike) {
            cell++;
            is_begun = has_bin_before = false;
            mass = 0.0;
        }
        low = u.high;
    }
    if (is_begun && has_bin_before && mass < LEAST_PART * wanted)
        for (uint32_t code = values; code-- > 0 && cell_of[code] == cell;)
            cell_of[code]--;
    else
        cell += is_begun;
    return cell;
}

/* The rare codes of a column without order become one cell, where the first of them is; none, where they are not many. */
static void merge_rare(nw__coding *coding, const nw__column_shape *shape, const double *law, double least)
{
    uint32_t rest = UINT32_MAX;
    for (uint32_t code = 0; code < shape->codes; code++) {
        const bool is_rare = code < shape->values && law[code] < least;
        if (!is_rare || rest == UINT32_MAX)
            coding->cell_of[code] = (uint16_t)coding->cells++;
        else
            coding->cell_of[code] = (uint16_t)rest;
        if (is_rare && rest == UINT32_MAX)
            rest = coding->cell_of[code];
    }
}

nw_status nw__coding_make(
    nw__coding *coding, const nw__plan *plan, size_t column, const double *law, const nw__coding *units, nw_error *err)
{
    const nw__column_shape *shape = &plan->shapes[column];
    const double sigma = plan->marginal_count > plan->one_ways ? plan->marginals[plan->one_ways].sigma : plan->levels[0].sigma;
    const bool has_missing = shape->values < shape->codes;
    double total = 0.0;
    coding->cell_of = nw__calloc(shape->codes, sizeof *coding->cell_of);
    if (coding->cell_of == NULL)
        return nw__fail_memory(err, "nw_synth_release");
    if (!shape->is_ordered) {
        coding->cells = 0;
        merge_rare(coding, shape, law, LEAST_CATEGORY_SD * sigma);
        return NW_OK;
    }
    for (uint32_t code = 0; code < shape->values; code++)
        total += law[code];
    double wanted = fmax(fmax(total / NW__WANTED_BINS, LEAST_MASS_SD * sigma), 1.0);
    do {
        coding->cells = group(plan, column, law, units, wanted, coding->cell_of);
        wanted *= 1.25;
    } while (coding->cells > NW__MOST_BINS && coding->cells > shape->classes);
    if (has_missing)
        coding->cell_of[shape->values] = (uint16_t)coding->cells++;
    return NW_OK;
}

/* A code with a cell of its own keeps what was measured, the rare ones have what the law gives them together: it knows more of
 * them than the sum of their noise. */
static nw_status fill_merged(nw__marginal *m, const nw__column_shape *shape, const nw__coding *coding, const double *law,
    const nw__level *level, nw_error *err)
{
    uint32_t rest = 0;
    double mass = 0.0;
    uint32_t *members = nw__calloc(coding->cells, sizeof *members);
    m->cells_a = coding->cells;
    m->sigma = level->sigma;
    m->counts = nw__calloc(coding->cells, sizeof *m->counts);
    if (m->counts == NULL || members == NULL) {
        free(members);
        return nw__fail_memory(err, "nw_synth_release");
    }
    for (uint32_t code = 0; code < shape->codes; code++) {
        members[coding->cell_of[code]]++;
        m->counts[coding->cell_of[code]] = level->counts[code];
    }
    while (rest < coding->cells && members[rest] <= 1)
        rest++;
    for (uint32_t code = 0; code < shape->codes; code++)
        mass += coding->cell_of[code] == rest ? law[code] : 0.0;
    if (rest < coding->cells)
        m->counts[rest] = llround(mass);
    free(members);
    return NW_OK;
}

nw_status nw__coding_fill_one_way(
    nw__marginal *m, const nw__plan *plan, const nw__coding *coding, const double *law, nw_error *err)
{
    const nw__column_shape *shape = &plan->shapes[m->a];
    const nw__level *last = &plan->levels[shape->first_level + shape->levels - 1];
    if (law != NULL && !shape->is_ordered)
        return fill_merged(m, shape, coding, law, last, err);
    m->cells_a = coding->cells;
    m->sigma = last->sigma;
    m->counts = nw__calloc(coding->cells, sizeof *m->counts);
    double *masses = nw__calloc(coding->cells, sizeof *masses);
    if (m->counts == NULL || masses == NULL) {
        free(masses);
        return nw__fail_memory(err, "nw_synth_release");
    }
    if (law == NULL) {
        for (uint32_t c = 0; c < coding->cells; c++)
            m->counts[c] = last->counts[c];
    } else {
        double variance = 0.0;
        for (uint32_t code = 0; code < shape->codes; code++)
            masses[coding->cell_of[code]] += law[code];
        for (uint32_t c = 0; c < coding->cells; c++)
            m->counts[c] = llround(masses[c]);
        for (uint32_t low = 0; low < shape->values;) {
            const uint32_t high = unit_end(coding, low, shape->values);
            variance += nw__law_variance(plan, m->a, low, high);
            low = high;
        }
        const double missing = shape->values < shape->codes ? last->sigma * last->sigma / (double)shape->levels : 0.0;
        m->sigma = sqrt((variance + missing) / coding->cells);
    }
    free(masses);
    return NW_OK;
}
