/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* plan.c - which marginals are measured, with how much noise: a function of the schema and the options only. */
#include "adaptive.h"
#include "rules.h"

#include <math.h>
#include <nw/noise.h>
#include <stdlib.h>
#include <string.h>

/* The share of mu^2 for the 1-ways unless the caller says; more if columns have several levels, which then also say how the
 * 2-ways are cut and what is inside their cells. */
#define ONE_WAY_SHARE 0.1
#define LEVELS_SHARE 0.2

/* What is settled later gives way by more than the roundings of its parts. */
#define ROUND_SLACK 0x1p-46

/* Adding or removing a record changes one count of each marginal by 1; replacing one moves a 1 from one cell to another, sqrt(1
 * + 1). A unit of up to k rows moves the count vector furthest if all of them are alike: k times as far. That is so in each
 * marginal, and for the same rows in all of them at once, so the composition is exact as well. */
static nw_sensitivity marginal_sensitivity(const nw_synth_opts *opts)
{
    const double rows = nw__rows_protected(opts);
    if (opts->adjacency == NW_REPLACE_ONE)
        return (nw_sensitivity){ nextafter(rows * nextafter(sqrt(2.0), 2.0), INFINITY), NW_REPLACE_ONE };
    return (nw_sensitivity){ rows, NW_ADD_REMOVE };
}

/* ---- columns ---- */

/* The parts that a level's group is cut into by the next one are at most so many. A range of codes is then the sum of few groups,
 * a stretch without records is mostly wide groups, whose noise is that of one cell, and 4 levels reach all 65535 codes. */
enum { MOST_PARTS = 24 };

static uint32_t power(uint32_t base, size_t exponent)
{
    uint32_t product = 1;
    while (exponent-- > 0)
        product *= base;
    return product;
}

bool nw__is_ordered(const nw_column *column)
{
    return column->type == NW_COLUMN_INT || column->type == NW_COLUMN_FLOAT || column->type == NW_COLUMN_DATE;
}

static void shape_column(nw__column_shape *shape, const nw_column *column)
{
    const bool is_ordered = nw__is_ordered(column);
    *shape = (nw__column_shape){ .codes = column->cells, .values = column->cells - column->is_nullable, .levels = 1 };
    shape->is_ordered = is_ordered;
    shape->is_grouped = shape->values > NW__FEW_CELLS;
    while (is_ordered && shape->is_grouped && power(MOST_PARTS, shape->levels) < shape->values)
        shape->levels++;
}

/* Each level's group has equally many parts, as few as reach every value. */
static uint32_t parts_of(const nw__column_shape *shape)
{
    uint32_t parts = 1;
    while (power(parts, shape->levels) < shape->values)
        parts++;
    return parts;
}

static void add_levels(nw__plan *plan, size_t column, double sigma)
{
    nw__column_shape *shape = &plan->shapes[column];
    const uint32_t parts = parts_of(shape);
    shape->first_level = plan->level_count;
    for (size_t l = 0; l < shape->levels; l++) {
        const uint32_t width = power(parts, shape->levels - 1 - l);
        const uint32_t groups = (shape->values + width - 1) / width;
        plan->levels[plan->level_count++] = (nw__level){ column, width, groups + (shape->codes - shape->values), sigma, NULL };
    }
}

static void find_classes(nw__column_shape *shape, const nw_schema *schema, size_t column)
{
    shape->class_of = schema->rules == NULL ? NULL : schema->rules->class_of[column];
    shape->classes = 1;
    for (uint32_t code = 1; code < shape->values; code++)
        shape->classes += !nw__share_class(shape, code - 1, code);
}

static nw_status shape_columns(nw__plan *plan, const nw_schema *schema, nw_error *err)
{
    size_t levels = 0;
    plan->columns = nw_schema_columns(schema);
    plan->one_ways = plan->columns;
    plan->cells = nw__calloc(plan->columns, sizeof *plan->cells);
    plan->shapes = nw__calloc(plan->columns, sizeof *plan->shapes);
    if (plan->cells == NULL || plan->shapes == NULL)
        return nw__fail_memory(err, "nw_synth_new");
    for (size_t j = 0; j < plan->columns; j++) {
        const nw_column column = nw_schema_column(schema, j);
        nw__column_shape *shape = &plan->shapes[j];
        shape_column(shape, &column);
        find_classes(shape, schema, j);
        shape->is_grouped &= shape->is_ordered || shape->classes == 1; /* rules may name any code of the others */
        levels += shape->levels;
        plan->cells[j] = shape->codes;
        if (shape->is_ordered && shape->is_grouped) {
            const uint32_t most = shape->classes > NW__MOST_BINS ? shape->classes : NW__MOST_BINS;
            plan->cells[j] = (shape->values < most ? shape->values : most) + column.is_nullable;
        }
    }
    plan->levels = nw__calloc(levels, sizeof *plan->levels);
    return plan->levels == NULL ? nw__fail_memory(err, "nw_synth_new") : NW_OK;
}

/* ---- pairs ---- */

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
 * them. At budgets that ask for less noise than there is a sampler for, it stays at the least. */
double nw__sigma_for(size_t count, double mu_part, double sensitivity)
{
    const double slack = 1.0 + ((double)count + 16.0) * 0x1p-52;
    return fmax(NW_NOISE_SMALLEST_SCALE, sensitivity * sqrt((double)count) / mu_part * slack);
}

static void fill_marginals(nw__plan *plan, uint64_t limit, double sigma_one, double sigma_two)
{
    size_t i = 0;
    for (size_t a = 0; a < plan->columns; a++)
        add_levels(plan, a, sigma_one);
    for (size_t a = 0; a < plan->columns; a++)
        plan->marginals[i++] = (nw__marginal){ a, NW__ONE_WAY, plan->cells[a], 1, sigma_one, NULL, 0, 0 };
    for (size_t a = 0; a < plan->columns; a++)
        for (size_t b = a + 1; b < plan->columns; b++)
            if ((uint64_t)plan->cells[a] * plan->cells[b] <= limit)
                plan->marginals[i++] = (nw__marginal){ a, b, plan->cells[a], plan->cells[b], sigma_two, NULL, 0, 0 };
}

/* ---- units ---- */

static uint32_t unit_width(const nw__column_shape *shape, uint32_t most)
{
    return shape->is_ordered && shape->is_grouped ? (shape->values + most - 1) / most : 1;
}

/* Whether a unit of this width begins at a code that is not "missing". */
static bool begins_unit(const nw__column_shape *shape, uint32_t code, uint32_t width)
{
    return code % width == 0 || !nw__share_class(shape, code - 1, code);
}

static uint32_t units_of(const nw__column_shape *shape, uint32_t most)
{
    const uint32_t width = unit_width(shape, most);
    uint32_t units = shape->codes - shape->values;
    for (uint32_t code = 0; code < shape->values; code++)
        units += begins_unit(shape, code, width);
    return units;
}

/* The most units a grouped column may have, so that all 2-ways together have at most NW__MAX_TOTAL_CELLS cells of units. */
static uint32_t most_units(const nw__plan *plan)
{
    uint32_t most = NW__MOST_UNITS;
    for (;; most /= 2) {
        uint64_t total = 0;
        for (size_t i = plan->one_ways; i < plan->marginal_count; i++)
            total += (uint64_t)units_of(&plan->shapes[plan->marginals[i].a], most) *
                     units_of(&plan->shapes[plan->marginals[i].b], most);
        if (total <= NW__MAX_TOTAL_CELLS || most <= NW__MOST_BINS)
            return most;
    }
}

static nw_status make_units(nw__plan *plan, nw_error *err)
{
    const uint32_t most = most_units(plan);
    plan->units = nw__calloc(plan->columns, sizeof *plan->units);
    if (plan->units == NULL)
        return nw__fail_memory(err, "nw_synth_new");
    for (size_t j = 0; j < plan->columns; j++) {
        nw__column_shape *shape = &plan->shapes[j];
        nw__coding *units = &plan->units[j];
        const uint32_t width = unit_width(shape, most);
        shape->unit_width = width;
        units->cells = units_of(shape, most);
        if (width == 1)
            continue;
        units->cell_of = nw__calloc(shape->codes, sizeof *units->cell_of);
        if (units->cell_of == NULL)
            return nw__fail_memory(err, "nw_synth_new");
        for (uint32_t code = 1; code < shape->codes; code++)
            units->cell_of[code] =
                (uint16_t)(units->cell_of[code - 1] + (code == shape->values || begins_unit(shape, code, width)));
    }
    return NW_OK;
}

/* ---- 3-ways ---- */

/* A 3-way of more cells, in units, than this is never a candidate. */
enum { MOST_TRIPLE_CELLS = 1 << 16 };

/* Writes the 3-ways of at most `limit` cells of units to `out`, if that is not NULL; returns their number and their cells. */
static size_t list_triples(const nw__plan *plan, uint64_t limit, double sigma, nw__marginal *out, uint64_t *total)
{
    size_t n = 0;
    *total = 0;
    for (size_t a = 0; a < plan->columns; a++) {
        for (size_t b = a + 1; b < plan->columns; b++) {
            for (size_t c = b + 1; c < plan->columns; c++) {
                const uint64_t two = (uint64_t)plan->units[a].cells * plan->units[b].cells;
                if (two > limit || two * plan->units[c].cells > limit)
                    continue;
                if (out != NULL)
                    out[n] = (nw__marginal){ a, b, plan->cells[a], plan->cells[b], sigma, NULL, c, plan->cells[c] };
                *total += two * plan->units[c].cells;
                n++;
            }
        }
    }
    return n;
}

/* Adds the 3-ways whose exact counts fit into candidate_cells, the smallest ones: the limit of one is halved until they do. */
static nw_status add_triples(nw__plan *plan, const nw_synth_opts *opts, double sigma, nw_error *err)
{
    uint64_t limit = MOST_TRIPLE_CELLS;
    uint64_t total = 0;
    while (list_triples(plan, limit, sigma, NULL, &total) > 0 && total > opts->candidate_cells)
        limit /= 2;
    const size_t n = list_triples(plan, limit, sigma, NULL, &total);
    nw__marginal *grown = nw__realloc_array(plan->marginals, plan->marginal_count + n, sizeof *grown);
    if (grown == NULL)
        return nw__fail_memory(err, "nw_synth_new");
    plan->marginals = grown;
    list_triples(plan, limit, sigma, grown + plan->marginal_count, &total);
    plan->marginal_count += n;
    return NW_OK;
}

/* ---- the plan ---- */

/* Where there is nothing to settle after the 1-ways, everything is measured as planned. */
static nw_synth_select select_of(const nw_synth_opts *opts, size_t pairs)
{
    const bool is_settled = opts->queries != NULL || opts->one_way_share > 0.0;
    return pairs == 0 || (opts->select == NW_SYNTH_SELECT_AUTO && is_settled) ? NW_SYNTH_SELECT_ALL : opts->select;
}

static nw_status fill_plan(nw__plan *plan, const nw_schema *schema, const nw_synth_opts *opts, double mu, nw_error *err)
{
    uint64_t total_cells = 0;
    size_t levels = 0;
    NW__TRY(nw__table_check_schema(schema, err, "nw_synth_new"));
    NW__TRY(shape_columns(plan, schema, err));
    for (size_t j = 0; j < plan->columns; j++)
        levels += plan->shapes[j].levels;
    const uint64_t limit = opts->most_ways < 2 ? 0 : pair_limit(plan);
    const size_t pairs = count_pairs(plan, limit, &total_cells);
    const double automatic = levels > plan->columns ? LEVELS_SHARE : ONE_WAY_SHARE;
    const double asked = opts->one_way_share > 0.0 ? opts->one_way_share : automatic;
    const double one_way_share = pairs == 0 ? 1.0 : asked;
    plan->marginal_count = plan->columns + pairs;
    plan->marginals = nw__calloc(plan->marginal_count, sizeof *plan->marginals);
    if (plan->marginals == NULL)
        return nw__fail_memory(err, "nw_synth_new");
    const double sigma_one = nw__sigma_for(levels, mu * sqrt(one_way_share), plan->sensitivity.value);
    const double sigma_two = pairs == 0 ? 0.0 : nw__sigma_for(pairs, mu * sqrt(1.0 - one_way_share), plan->sensitivity.value);
    if (!(fmax(sigma_one, sigma_two) <= NW_NOISE_LARGEST_SCALE))
        return nw__fail(err, NW_E_ARG, "nw_synth_new",
            "epsilon is %g at delta %g, too small: the noise would be %g, must be at most 2^54", opts->epsilon, opts->delta,
            fmax(sigma_one, sigma_two));
    fill_marginals(plan, limit, sigma_one, sigma_two);
    plan->select = select_of(opts, pairs);
    plan->one_way_share = one_way_share;
    plan->is_share_fixed = opts->one_way_share > 0.0;
    if (plan->select != NW_SYNTH_SELECT_ALL)
        plan->round_mu_squared = mu * mu * (1.0 - one_way_share) * (1.0 - ROUND_SLACK);
    NW__TRY(make_units(plan, err));
    return opts->most_ways > 2 && plan->select == NW_SYNTH_SELECT_ADAPTIVE ? add_triples(plan, opts, sigma_two, err) : NW_OK;
}

nw_status nw__plan_make(nw__plan *plan, const nw_schema *schema, const nw_synth_opts *opts, double mu, nw_error *err)
{
    *plan = (nw__plan){ .sensitivity = marginal_sensitivity(opts) };
    const nw_status status = fill_plan(plan, schema, opts, mu, err);
    if (status != NW_OK)
        nw__plan_clear(plan);
    return status;
}

static void *copy_array(const void *array, size_t n, size_t size)
{
    void *copy = nw__calloc(n, size);
    if (copy != NULL)
        memcpy(copy, array, n * size);
    return copy;
}

nw_status nw__plan_copy(nw__plan *copy, const nw__plan *plan, nw_error *err)
{
    *copy = *plan;
    copy->units = NULL;
    copy->cells = copy_array(plan->cells, plan->columns, sizeof *plan->cells);
    copy->shapes = copy_array(plan->shapes, plan->columns, sizeof *plan->shapes);
    copy->levels = copy_array(plan->levels, plan->level_count, sizeof *plan->levels);
    copy->marginals = copy_array(plan->marginals, plan->marginal_count, sizeof *plan->marginals);
    for (size_t i = 0; copy->levels != NULL && i < plan->level_count; i++)
        copy->levels[i].counts = NULL;
    for (size_t i = 0; copy->marginals != NULL && i < plan->marginal_count; i++)
        copy->marginals[i].counts = NULL;
    if (copy->cells == NULL || copy->shapes == NULL || copy->levels == NULL || copy->marginals == NULL)
        return nw__fail_memory(err, "nw_synth_release");
    return NW_OK;
}

void nw__plan_clear(nw__plan *plan)
{
    for (size_t i = 0; plan->marginals != NULL && i < plan->marginal_count; i++)
        free(plan->marginals[i].counts);
    for (size_t i = 0; plan->levels != NULL && i < plan->level_count; i++)
        free(plan->levels[i].counts);
    nw__codings_free(plan->units, plan->columns);
    free(plan->marginals);
    free(plan->levels);
    free(plan->shapes);
    free(plan->cells);
    *plan = (nw__plan){ 0 };
}

/* ---- the event ---- */

/* `count` vectors of `cells` cells in all, each with noise sigma: repeat(rounded_gaussian(sigma), count), the noise values per
 * vector rounded up. */
static nw_status group_event(const nw__plan *plan, double sigma, size_t count, uint64_t cells, nw_event **out, nw_error *err)
{
    nw_event *leaf = NULL;
    NW__TRY(nw_event_noise(&leaf, NW_EVENT_ROUNDED_GAUSSIAN, sigma, plan->sensitivity, (cells + count - 1) / count, err));
    const nw_status status = nw_event_repeat(out, leaf, count, err);
    nw_event_free(leaf);
    return status;
}

/* What is settled after the 1-ways spends at most round_mu_squared: as one Gaussian that has it all. */
static nw_status round_event(const nw__plan *plan, nw_event **out, nw_error *err)
{
    const double sigma = nw__sigma_for(1, sqrt(plan->round_mu_squared), plan->sensitivity.value);
    return nw_event_noise(out, NW_EVENT_ROUNDED_GAUSSIAN, sigma, plan->sensitivity, nw__rounds_samples(plan), err);
}

nw_status nw__plan_event(const nw__plan *plan, nw_event **out, nw_error *err)
{
    const size_t pairs = plan->marginal_count - plan->one_ways;
    uint64_t cells[2] = { 0, 0 };
    nw_event *parts[2] = { NULL, NULL };
    for (size_t i = 0; i < plan->level_count; i++)
        cells[0] += plan->levels[i].cells;
    for (size_t i = plan->one_ways; i < plan->marginal_count; i++)
        cells[1] += nw__marginal_cells(&plan->marginals[i]);
    nw_status status = group_event(plan, plan->levels[0].sigma, plan->level_count, cells[0], &parts[0], err);
    if (status == NW_OK && plan->round_mu_squared > 0.0)
        status = round_event(plan, &parts[1], err);
    else if (status == NW_OK && pairs > 0)
        status = group_event(plan, plan->marginals[plan->one_ways].sigma, pairs, cells[1], &parts[1], err);
    if (status == NW_OK)
        status = nw_event_composed(out, (const nw_event *const *)parts, pairs > 0 ? 2 : 1, err);
    nw_event_free(parts[0]);
    nw_event_free(parts[1]);
    return status;
}
