/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* keeper.c - rows within rules: allowed cells, columns that follow others, a start. */
#include "keeper.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of drawing a row within the rules, column by column; what fails so often takes the row that is known to keep them. */
enum { MOST_TRIES = 20 };

/* ---- making ---- */

static bool fill_cells(nw__keeper *keeper, size_t j, const nw__coding *coding, uint32_t codes)
{
    uint16_t *cell_of = keeper->cell_of[j] = nw__calloc(codes, sizeof *cell_of);
    uint16_t *first = keeper->cell_first[j] = nw__calloc(keeper->cells[j], sizeof *first);
    uint16_t *last = keeper->cell_last[j] = nw__calloc(keeper->cells[j], sizeof *last);
    if (cell_of == NULL || first == NULL || last == NULL)
        return false;
    for (uint32_t code = 0; code < codes; code++) {
        const uint32_t cell = nw__coding_cell(coding, code);
        if (code == 0 || cell != cell_of[code - 1])
            first[cell] = (uint16_t)code;
        cell_of[code] = (uint16_t)cell;
        last[cell] = (uint16_t)code;
    }
    return true;
}

static bool is_in(const size_t *list, size_t n, size_t j)
{
    size_t i = 0;
    while (i < n && list[i] != j)
        i++;
    return i < n;
}

/* How many of a function's inputs are in the list. */
static size_t count_inputs(const nw__function *f, const size_t *list, size_t n)
{
    size_t count = 0;
    for (size_t t = 0; t < f->input_count; t++)
        count += is_in(list, n, f->inputs[t]);
    return count;
}

/* Functions without a premise make their output follow each input. */
static const nw__function *plain_function(const nw__rules *rules, size_t i)
{
    return rules->rules[i].premise == NULL ? rules->rules[i].function : NULL;
}

/* Everything that column j reaches through functions; `reached` has room for all columns. */
static size_t reach(const nw__rules *rules, size_t j, size_t *reached)
{
    size_t n = 1;
    reached[0] = j;
    for (size_t before = 0; before < n;) {
        before = n;
        for (size_t i = 0; i < rules->count; i++) {
            const nw__function *f = plain_function(rules, i);
            if (f != NULL && !is_in(reached, n, f->output) && count_inputs(f, reached, n) > 0)
                reached[n++] = f->output;
        }
    }
    return n;
}

/* A column joins the block once all inputs of its function that are reached have joined; on a cycle none does, and all but the
 * rules' masks stay as for any column. */
static void find_block(nw__keeper *keeper, size_t j, size_t *reached)
{
    const nw__rules *rules = keeper->rules;
    size_t *block = keeper->block + j * keeper->columns;
    const nw__function **via = keeper->via + j * keeper->columns;
    const size_t all = reach(rules, j, reached);
    size_t n = 1;
    block[0] = j;
    for (size_t before = 0; before < n;) {
        before = n;
        for (size_t i = 0; i < rules->count; i++) {
            const nw__function *f = plain_function(rules, i);
            if (f == NULL || is_in(block, n, f->output) || count_inputs(f, block, n) == 0 ||
                count_inputs(f, block, n) < count_inputs(f, reached, all))
                continue;
            via[n] = f;
            block[n++] = f->output;
        }
    }
    keeper->block_size[j] = n;
}

static bool find_block_rules(nw__keeper *keeper, size_t j)
{
    size_t *list = nw__calloc(keeper->rules->count, sizeof *list);
    size_t n = 0;
    keeper->block_rules[j] = list;
    for (size_t i = 0; list != NULL && i < keeper->rules->count; i++) {
        bool is_here = false;
        for (size_t b = 0; b < keeper->block_size[j]; b++)
            is_here |= keeper->rules->rules[i].mentions[nw__keeper_block(keeper, j)[b]];
        if (is_here)
            list[n++] = i;
    }
    keeper->block_rule_count[j] = n;
    return list != NULL;
}

/* One inequality with weights of 1 and -1 alone holds for some values of the cells exactly if its bounds allow it: sums of runs
 * of integers are runs. Anything else has to be searched. */
static bool is_told_by_bounds(const nw__rules *rules, size_t component)
{
    size_t inequalities = 0;
    for (size_t i = 0; i < rules->count; i++) {
        for (size_t l = 0; l < rules->rules[i].linear_count; l++) {
            const nw__linear *linear = &rules->rules[i].linears[l];
            if (rules->component[linear->columns[0]] != component)
                continue;
            inequalities++;
            for (size_t t = 0; t < linear->n; t++)
                if (linear->weights[t] != 1 && linear->weights[t] != -1)
                    return false;
        }
    }
    return inequalities <= 1;
}

static void find_searched(nw__keeper *keeper)
{
    const nw__rules *rules = keeper->rules;
    for (size_t i = 0; i < rules->count; i++) {
        const nw__rule *rule = &rules->rules[i];
        bool is_searched = false;
        for (size_t l = 0; l < rule->linear_count; l++)
            is_searched |= !is_told_by_bounds(rules, rules->component[rule->linears[l].columns[0]]);
        for (size_t j = 0; is_searched && j < keeper->columns; j++) {
            for (size_t b = 0; b < keeper->block_size[j]; b++)
                keeper->has_values[j] |= rule->mentions[nw__keeper_block(keeper, j)[b]];
        }
    }
}

static bool is_output(const nw__rules *rules, size_t j)
{
    bool is_it = false;
    for (size_t i = 0; i < rules->count; i++)
        is_it |= plain_function(rules, i) != NULL && rules->rules[i].function->output == j;
    return is_it;
}

/* Adds what rules tie to the group's columns, until there is no more. */
static size_t tie(const nw__rules *rules, size_t *group, size_t n, const size_t *order, size_t count)
{
    for (size_t at = 0; at < n; at++)
        for (size_t i = 0; i < rules->count; i++)
            for (size_t o = 0; rules->rules[i].mentions[group[at]] && o < count; o++)
                if (rules->rules[i].mentions[order[o]] && !is_in(group, n, order[o]))
                    group[n++] = order[o];
    return n;
}

/* A group too large, or all in one block, is left out: its columns only move block by block. */
static void find_groups(nw__keeper *keeper)
{
    const size_t n = keeper->ruled_count;
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        size_t *group = keeper->grouped + used;
        if (is_in(keeper->grouped, used, keeper->order[i]))
            continue;
        group[0] = keeper->order[i];
        const size_t size = tie(keeper->rules, group, 1, keeper->order, n);
        bool is_needed = size >= 2 && size <= NW__MAX_GROUP;
        for (size_t k = 0; k < size; k++)
            is_needed = is_needed && keeper->block_size[group[k]] < size &&
                        !is_in(keeper->order, i, group[k]); /* else its columns were here before */
        if (!is_needed)
            continue;
        size_t place = used; /* once more in the order of all, functions last */
        for (size_t o = 0; o < n; o++)
            if (is_in(group, size, keeper->order[o]))
                keeper->kept[place++] = (uint16_t)keeper->order[o];
        for (; used < place; used++)
            keeper->grouped[used] = keeper->kept[used];
        keeper->group_first[++keeper->groups] = used;
    }
}

static void list_places(uint16_t *place, size_t columns, const size_t *list, size_t n)
{
    for (size_t k = 0; k < columns; k++)
        place[k] = NW__UNDECIDED;
    for (size_t i = 0; i < n; i++)
        place[list[i]] = (uint16_t)i;
}

/* False if memory lacks. */
static bool find_places(nw__keeper *keeper)
{
    const size_t n = keeper->columns;
    keeper->block_place = nw__calloc(n, n * sizeof *keeper->block_place);
    keeper->group_place = nw__calloc(keeper->groups, n * sizeof *keeper->group_place);
    if (keeper->block_place == NULL || keeper->group_place == NULL)
        return false;
    for (size_t j = 0; j < n; j++)
        list_places(keeper->block_place + j * n, n, nw__keeper_block(keeper, j), keeper->block_size[j]);
    for (size_t g = 0; g < keeper->groups; g++)
        list_places(keeper->group_place + g * n, n, keeper->grouped + keeper->group_first[g],
            keeper->group_first[g + 1] - keeper->group_first[g]);
    return true;
}

static bool make_columns(nw__keeper *keeper, const nw_schema *schema, const nw__coding *codings)
{
    for (size_t j = 0; j < keeper->columns; j++) {
        keeper->is_ruled[j] = keeper->rules->class_of[j] != NULL;
        keeper->first[j] = keeper->last[j] = NW__UNDECIDED;
        find_block(keeper, j, keeper->order);
        keeper->widest = keeper->cells[j] > keeper->widest ? keeper->cells[j] : keeper->widest;
        if (!fill_cells(keeper, j, &codings[j], schema->domains[j].column.cells) || !find_block_rules(keeper, j))
            return false;
    }
    find_searched(keeper);
    for (int pass = 0; pass < 2; pass++)
        for (size_t j = 0; j < keeper->columns; j++)
            if (keeper->is_ruled[j] && is_output(keeper->rules, j) == (pass == 1))
                keeper->order[keeper->ruled_count++] = j;
    find_groups(keeper);
    return find_places(keeper);
}

static bool allocate(nw__keeper *keeper)
{
    const size_t n = keeper->columns;
    keeper->is_ruled = nw__calloc(n, sizeof *keeper->is_ruled);
    keeper->has_values = nw__calloc(n, sizeof *keeper->has_values);
    keeper->cell_of = nw__calloc(n, sizeof *keeper->cell_of);
    keeper->cell_first = nw__calloc(n, sizeof *keeper->cell_first);
    keeper->cell_last = nw__calloc(n, sizeof *keeper->cell_last);
    keeper->block = nw__calloc(n, n * sizeof *keeper->block);
    keeper->via = nw__calloc(n, n * sizeof *keeper->via);
    keeper->block_size = nw__calloc(n, sizeof *keeper->block_size);
    keeper->block_rules = nw__calloc(n, sizeof *keeper->block_rules);
    keeper->block_rule_count = nw__calloc(n, sizeof *keeper->block_rule_count);
    keeper->first = nw__calloc(n, sizeof *keeper->first);
    keeper->last = nw__calloc(n, sizeof *keeper->last);
    keeper->grouped = nw__calloc(n, sizeof *keeper->grouped);
    keeper->group_first = nw__calloc(n + 1, sizeof *keeper->group_first);
    keeper->order = nw__calloc(n, sizeof *keeper->order);
    keeper->k = nw__calloc(n, sizeof *keeper->k);
    keeper->kept = nw__calloc(n, 2 * sizeof *keeper->kept);
    return keeper->is_ruled != NULL && keeper->has_values != NULL && keeper->cell_of != NULL && keeper->cell_first != NULL &&
           keeper->cell_last != NULL && keeper->block != NULL && keeper->via != NULL && keeper->block_size != NULL &&
           keeper->block_rules != NULL && keeper->block_rule_count != NULL && keeper->first != NULL && keeper->last != NULL &&
           keeper->grouped != NULL && keeper->group_first != NULL && keeper->order != NULL && keeper->k != NULL &&
           keeper->kept != NULL;
}

nw_status nw__keeper_new(
    nw__keeper **out, const nw_schema *schema, const nw__coding *codings, const nw__plan *plan, nw_error *err)
{
    *out = NULL;
    nw__keeper *keeper = nw__calloc(1, sizeof *keeper);
    if (keeper == NULL)
        return nw__fail_memory(err, "nw_synth_fit");
    keeper->rules = schema->rules;
    keeper->columns = plan->columns;
    keeper->cells = plan->cells;
    bool is_whole = allocate(keeper) && make_columns(keeper, schema, codings);
    if (is_whole) {
        keeper->allowed = nw__calloc(keeper->widest, sizeof *keeper->allowed);
        keeper->weights = nw__calloc(keeper->widest, sizeof *keeper->weights);
        keeper->follows = nw__calloc(keeper->widest, keeper->columns * sizeof *keeper->follows);
        is_whole = keeper->allowed != NULL && keeper->weights != NULL && keeper->follows != NULL;
    }
    if (!is_whole) {
        nw__keeper_free(keeper);
        return nw__fail_memory(err, "nw_synth_fit");
    }
    *out = keeper;
    return NW_OK;
}

void nw__keeper_free(nw__keeper *keeper)
{
    if (keeper == NULL)
        return;
    for (size_t j = 0; j < keeper->columns; j++) {
        if (keeper->cell_of != NULL)
            free(keeper->cell_of[j]);
        if (keeper->cell_first != NULL)
            free(keeper->cell_first[j]);
        if (keeper->cell_last != NULL)
            free(keeper->cell_last[j]);
        if (keeper->block_rules != NULL)
            free(keeper->block_rules[j]);
    }
    free(keeper->is_ruled);
    free(keeper->has_values);
    free(keeper->cell_of);
    free(keeper->cell_first);
    free(keeper->cell_last);
    free(keeper->block);
    free(keeper->via);
    free(keeper->block_size);
    free(keeper->block_rules);
    free(keeper->block_rule_count);
    free(keeper->first);
    free(keeper->last);
    free(keeper->grouped);
    free(keeper->group_first);
    free(keeper->block_place);
    free(keeper->group_place);
    free(keeper->order);
    free(keeper->k);
    free(keeper->kept);
    free(keeper->weights);
    free(keeper->allowed);
    free(keeper->follows);
    free(keeper);
}

/* ---- the row ---- */

void nw__keeper_set(nw__keeper *keeper, size_t j, uint16_t cell)
{
    if (!keeper->is_ruled[j])
        return;
    keeper->first[j] = keeper->cell_first[j][cell];
    keeper->last[j] = keeper->cell_last[j][cell];
}

void nw__keeper_load(nw__keeper *keeper, uint16_t *const *columns, size_t row)
{
    for (size_t j = 0; j < keeper->columns; j++)
        nw__keeper_set(keeper, j, columns[j][row]);
}

/* The code that a function gives, NW__NO_RESULT if none is allowed; NW__UNDECIDED while an input is. */
static uint16_t result_of(const nw__keeper *keeper, const nw__function *f, bool *is_told)
{
    size_t index = 0;
    *is_told = true;
    for (size_t t = 0; t < f->input_count; t++) {
        const uint16_t code = keeper->first[f->inputs[t]];
        if (code == NW__UNDECIDED) {
            *is_told = false;
            return NW__NO_RESULT;
        }
        index = index * f->slot_count[t] + f->slots[t][code];
    }
    return f->result[index];
}

/* Sets column j to cell v and what follows from it. False if a function has no result. */
static bool set_block(nw__keeper *keeper, size_t j, uint16_t v, uint16_t *cells)
{
    const size_t *block = nw__keeper_block(keeper, j);
    nw__keeper_set(keeper, j, v);
    cells[0] = v;
    for (size_t b = 1; b < keeper->block_size[j]; b++) {
        bool is_told;
        const uint16_t code = result_of(keeper, keeper->via[j * keeper->columns + b], &is_told);
        cells[b] = NW__UNDECIDED;
        if (!is_told)
            continue;
        if (code == NW__NO_RESULT)
            return false;
        cells[b] = keeper->cell_of[block[b]][code];
        nw__keeper_set(keeper, block[b], cells[b]);
    }
    return true;
}

static bool breaks_rule(const nw__keeper *keeper, size_t j)
{
    for (size_t i = 0; i < keeper->block_rule_count[j]; i++)
        if (nw__rule_truth(keeper->rules, keeper->block_rules[j][i], keeper->first, keeper->last) == NW__FALSE)
            return true;
    return false;
}

static void keep_row(const nw__keeper *keeper, size_t j, uint16_t *first, uint16_t *last)
{
    for (size_t b = 0; b < keeper->block_size[j]; b++) {
        first[b] = keeper->first[nw__keeper_block(keeper, j)[b]];
        last[b] = keeper->last[nw__keeper_block(keeper, j)[b]];
    }
}

static void restore_row(nw__keeper *keeper, size_t j, const uint16_t *first, const uint16_t *last)
{
    for (size_t b = 0; b < keeper->block_size[j]; b++) {
        keeper->first[nw__keeper_block(keeper, j)[b]] = first[b];
        keeper->last[nw__keeper_block(keeper, j)[b]] = last[b];
    }
}

/* Cells of one class differ to the rules only by their sums, so only in a block with linear rules. */
static bool has_sums(const nw__keeper *keeper, size_t j)
{
    return keeper->rules->k_low[j] != NULL;
}

size_t nw__keeper_mask(nw__keeper *keeper, size_t j)
{
    const size_t size = keeper->block_size[j];
    const bool is_each = has_sums(keeper, j);
    uint16_t *kept = keeper->kept;
    size_t count = 0;
    keep_row(keeper, j, kept, kept + size);
    for (uint32_t v = 0; v < keeper->cells[j]; v++) {
        uint16_t *cells = keeper->follows + v * size;
        const bool is_same =
            v > 0 && !is_each && nw__rules_share_class(keeper->rules, j, keeper->cell_first[j][v], keeper->cell_first[j][v - 1]);
        if (is_same) {
            memcpy(cells, cells - size, size * sizeof *cells);
            cells[0] = (uint16_t)v;
            keeper->allowed[v] = keeper->allowed[v - 1];
        } else
            keeper->allowed[v] = set_block(keeper, j, (uint16_t)v, cells) && !breaks_rule(keeper, j);
        count += keeper->allowed[v];
    }
    restore_row(keeper, j, kept, kept + size);
    return count;
}

bool nw__keeper_has_values(nw__keeper *keeper, size_t j, uint16_t v)
{
    bool is_found = false;
    const size_t size = keeper->block_size[j];
    uint16_t *kept = keeper->kept;
    if (!keeper->has_values[j])
        return true;
    keep_row(keeper, j, kept, kept + size);
    set_block(keeper, j, v, keeper->follows + v * size);
    const nw_status status =
        nw__rules_solve(keeper->rules, keeper->first, keeper->last, SIZE_MAX, NULL, NULL, keeper->k, &is_found, NULL);
    restore_row(keeper, j, kept, kept + size);
    return status == NW_OK && is_found;
}

/* ---- a start ---- */

/* One of the allowed cells, by the law; the last of them takes what rounding leaves over. */
static uint16_t draw_allowed(const nw__keeper *keeper, size_t j, const float *log_p, double uniform)
{
    double mass = 0.0;
    uint32_t chosen = 0;
    for (uint32_t v = 0; v < keeper->cells[j]; v++)
        mass += keeper->weights[v] = keeper->allowed[v] ? exp((double)log_p[v]) : 0.0;
    double left = uniform * mass;
    for (uint32_t v = 0; v < keeper->cells[j]; v++) {
        if (!keeper->allowed[v])
            continue;
        chosen = v;
        left -= keeper->weights[v];
        if (left < 0.0)
            break;
    }
    return (uint16_t)chosen;
}

/* Puts the block's cells into the row. */
static void store_block(const nw__keeper *keeper, size_t j, const uint16_t *cells, uint16_t *const *columns, size_t row)
{
    for (size_t b = 0; b < keeper->block_size[j]; b++)
        if (cells[b] != NW__UNDECIDED)
            columns[nw__keeper_block(keeper, j)[b]][row] = cells[b];
}

/* Decides column j: as it is drawn (is_first), if what was decided before allows that, else among what it allows. */
static bool decide_column(
    nw__keeper *keeper, size_t j, uint16_t *const *columns, size_t row, bool is_first, const float *log_p, nw_rng *rng)
{
    const size_t size = keeper->block_size[j];
    uint16_t *cells = keeper->follows;
    keep_row(keeper, j, keeper->kept, keeper->kept + size);
    if (is_first && set_block(keeper, j, columns[j][row], cells) && !breaks_rule(keeper, j)) {
        store_block(keeper, j, cells, columns, row);
        return true;
    }
    restore_row(keeper, j, keeper->kept, keeper->kept + size);
    if (nw__keeper_mask(keeper, j) == 0)
        return false;
    const uint16_t v = draw_allowed(keeper, j, log_p, (double)nw__rng_u32(rng) * 0x1p-32);
    set_block(keeper, j, v, keeper->follows + v * size);
    store_block(keeper, j, keeper->follows + v * size, columns, row);
    return true;
}

static bool decide_row(nw__keeper *keeper, uint16_t *const *columns, size_t row, bool is_first, float *const *log_p, nw_rng *rng)
{
    bool is_found = false;
    for (size_t i = 0; i < keeper->ruled_count; i++)
        keeper->first[keeper->order[i]] = keeper->last[keeper->order[i]] = NW__UNDECIDED;
    for (size_t i = 0; i < keeper->ruled_count; i++) {
        const size_t j = keeper->order[i];
        if (keeper->first[j] == NW__UNDECIDED && !decide_column(keeper, j, columns, row, is_first, log_p[j], rng))
            return false;
    }
    return nw__rules_solve(keeper->rules, keeper->first, keeper->last, SIZE_MAX, NULL, NULL, keeper->k, &is_found, NULL) ==
               NW_OK &&
           is_found;
}

nw_status nw__keeper_mend(
    nw__keeper *keeper, uint16_t *const *columns, size_t rows, float *const *log_p, nw_rng *rng, nw_error *err)
{
    NW__TRY(nw__rng_begin(rng, err));
    for (size_t row = 0; row < rows; row++) {
        bool is_kept = false;
        for (int i = 0; i < MOST_TRIES && !is_kept; i++)
            is_kept = decide_row(keeper, columns, row, i == 0, log_p, rng);
        for (size_t i = 0; !is_kept && i < keeper->ruled_count; i++) {
            const size_t j = keeper->order[i];
            columns[j][row] = keeper->cell_of[j][keeper->rules->row[j]];
        }
    }
    return NW_OK;
}
