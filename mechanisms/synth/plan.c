/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* plan.c - which marginals are measured, with how much noise: a function of the schema and the options only. */
#include "synth_internal.h"

#include <math.h>
#include <stdlib.h>

/* The smallest scale of nw/noise.h. At budgets that ask for less noise, the noise stays at this. */
#define SMALLEST_SIGMA 0x1p-10

/* Adding or removing a record changes one count of each marginal by 1; replacing one moves a 1 from one cell to another, sqrt(1
 * + 1). */
static nw_sensitivity marginal_sensitivity(nw_adjacency adjacency)
{
    if (adjacency == NW_REPLACE_ONE)
        return (nw_sensitivity){ nextafter(sqrt(2.0), 2.0), NW_REPLACE_ONE };
    return (nw_sensitivity){ 1.0, NW_ADD_REMOVE };
}

/* Calls visit for each pair of columns of at most `limit` cells; returns their number and adds their cells. */
static size_t count_pairs(const nw__plan *plan, uint64_t limit, uint64_t *total_cells)
{
    size_t pairs = 0;
    *total_cells = 0;
    for (size_t a = 0; a < plan->columns; a++) {
        for (size_t b = a + 1; b < plan->columns; b++) {
            const uint64_t cells = (uint64_t)plan->cells[a] * plan->cells[b];
            if (cells > limit)
                continue;
            *total_cells += cells;
            pairs++;
        }
    }
    return pairs;
}

static uint64_t pair_limit(const nw__plan *plan)
{
    uint64_t limit = NW__MAX_PAIR_CELLS;
    uint64_t total = 0;
    for (count_pairs(plan, limit, &total); total > NW__MAX_TOTAL_CELLS; count_pairs(plan, limit, &total))
        limit /= 2;
    return limit;
}

/* sigma of `count` marginals that share a part mu_part of the budget equally, rounded up: count * (Delta / sigma)^2 <= mu_part^2
 * holds with a margin of (count + 16) ulps, which covers the rounding of this line and of the accountant's sum over all of
 * them. */
static double sigma_for(size_t count, double mu_part, double sensitivity)
{
    const double slack = 1.0 + ((double)count + 16.0) * 0x1p-52;
    return fmax(SMALLEST_SIGMA, sensitivity * sqrt((double)count) / mu_part * slack);
}

static void fill_marginals(nw__plan *plan, uint64_t limit, double sigma_one, double sigma_two)
{
    size_t i = 0;
    for (size_t a = 0; a < plan->columns; a++)
        plan->marginals[i++] = (nw__marginal){ a, NW__ONE_WAY, plan->cells[a], 1, sigma_one, NULL };
    for (size_t a = 0; a < plan->columns; a++)
        for (size_t b = a + 1; b < plan->columns; b++)
            if ((uint64_t)plan->cells[a] * plan->cells[b] <= limit)
                plan->marginals[i++] = (nw__marginal){ a, b, plan->cells[a], plan->cells[b], sigma_two, NULL };
}

nw_status nw__plan_make(nw__plan *plan, const nw_schema *schema, const nw_synth_opts *opts, double mu, nw_error *err)
{
    uint64_t total_cells = 0;
    *plan = (nw__plan){ .columns = nw_schema_columns(schema), .sensitivity = marginal_sensitivity(opts->adjacency) };
    plan->cells = nw__calloc(plan->columns, sizeof *plan->cells);
    if (plan->cells == NULL)
        return nw__fail_memory(err, "nw_synth_new");
    for (size_t j = 0; j < plan->columns; j++)
        plan->cells[j] = nw_schema_column(schema, j).cells;

    const uint64_t limit = pair_limit(plan);
    const size_t pairs = count_pairs(plan, limit, &total_cells);
    const double one_way_share = pairs == 0 ? 1.0 : opts->one_way_share;
    plan->one_ways = plan->columns;
    plan->marginal_count = plan->columns + pairs;
    plan->marginals = nw__calloc(plan->marginal_count, sizeof *plan->marginals);
    if (plan->marginals == NULL) {
        nw__plan_clear(plan);
        return nw__fail_memory(err, "nw_synth_new");
    }
    const double sigma_one = sigma_for(plan->one_ways, mu * sqrt(one_way_share), plan->sensitivity.value);
    const double sigma_two = pairs == 0 ? 0.0 : sigma_for(pairs, mu * sqrt(1.0 - one_way_share), plan->sensitivity.value);
    fill_marginals(plan, limit, sigma_one, sigma_two);
    return NW_OK;
}

void nw__plan_clear(nw__plan *plan)
{
    for (size_t i = 0; plan->marginals != NULL && i < plan->marginal_count; i++)
        free(plan->marginals[i].counts);
    free(plan->marginals);
    free(plan->cells);
    *plan = (nw__plan){ 0 };
}

/* `count` marginals of one sigma from `first`: repeat(rounded_gaussian(sigma), count), the noise values per marginal rounded
 * up. */
static nw_status group_event(const nw__plan *plan, size_t first, size_t count, nw_event **out, nw_error *err)
{
    uint64_t cells = 0;
    nw_event *leaf = NULL;
    for (size_t i = first; i < first + count; i++)
        cells += (uint64_t)plan->marginals[i].cells_a * plan->marginals[i].cells_b;
    NW__TRY(nw_event_noise(
        &leaf, NW_EVENT_ROUNDED_GAUSSIAN, plan->marginals[first].sigma, plan->sensitivity, (cells + count - 1) / count, err));
    const nw_status status = nw_event_repeat(out, leaf, count, err);
    nw_event_free(leaf);
    return status;
}

nw_status nw__plan_event(const nw__plan *plan, nw_event **out, nw_error *err)
{
    const size_t pairs = plan->marginal_count - plan->one_ways;
    nw_event *parts[2] = { NULL, NULL };
    nw_status status = group_event(plan, 0, plan->one_ways, &parts[0], err);
    if (status == NW_OK && pairs > 0)
        status = group_event(plan, plan->one_ways, pairs, &parts[1], err);
    if (status == NW_OK)
        status = nw_event_composed(out, (const nw_event *const *)parts, pairs > 0 ? 2 : 1, err);
    nw_event_free(parts[0]);
    nw_event_free(parts[1]);
    return status;
}
