/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* gibbs_rules.c - steps of the Gibbs engine for columns that rules mention. Their law is that of gibbs.c, restricted to rows that
 * keep the rules.
 *
 * One column at a time would never leave a corner such as "age below 15 and no income" where no single change is allowed. So
 * columns tied by rules are also regrown together: one after the other each is drawn from its conditional law given those drawn
 * before, and the whole is accepted with probability min(1, W' / W), W the product of the laws' normalising sums along the way,
 * for the new values and for the old ones: configurational-bias Monte Carlo [SF92]. */
#include "gibbs.h"

#include <math.h>
#include <string.h>

/* Adds `sign` times a row's part of the counts that a block's cells take part in. */
static void count_block(nw__gibbs *e, const size_t *block, size_t size, const uint16_t *place, const uint16_t *cells,
    uint16_t *const *columns, size_t row, float sign)
{
    for (size_t b = 0; b < size; b++) {
        const size_t j = block[b];
        e->alone[j][cells[b]] -= sign * e->alone_weight[j];
        for (size_t k = 0; k < e->columns; k++) {
            const nw__pair_block *jk = &e->pairs[j * e->columns + k];
            const nw__pair_block *kj = &e->pairs[k * e->columns + j];
            if (jk->logits == NULL || place[k] < b) /* a pair inside of the block counts once */
                continue;
            const uint16_t cell = place[k] != NW__UNDECIDED ? cells[place[k]] : columns[k][row];
            const float change = sign * nw__gibbs_weight(e, j, cells[b], k, cell);
            jk->logits[(size_t)cell * e->padded[j] + cells[b]] -= change;
            kj->logits[(size_t)cells[b] * e->padded[k] + cell] -= change;
        }
    }
}

/* logits of one column; of the block's columns, whose places are given, only the first `placed` count, with the given cells. */
static void gather_beside(const nw__gibbs *e, size_t j, const uint16_t *place, const uint16_t *cells, size_t placed,
    uint16_t *const *columns, size_t row, float *out)
{
    const size_t blocks = e->padded[j] / LANES;
    vector *sum = (vector *)(void *)out;
    memcpy(out, e->alone[j], e->padded[j] * sizeof(float));
    for (size_t k = 0; k < e->columns; k++) {
        const float *logits = e->pairs[j * e->columns + k].logits;
        const bool is_inside = place[k] != NW__UNDECIDED;
        if (logits == NULL || (is_inside && place[k] >= placed))
            continue;
        const uint16_t cell = is_inside ? cells[place[k]] : columns[k][row];
        const vector *add = (const vector *)(const void *)(logits + (size_t)cell * e->padded[j]);
        for (size_t b = 0; b < blocks; b++)
            sum[b] += add[b];
    }
    const vector *log_p = (const vector *)(const void *)e->log_p[j];
    for (size_t b = 0; b < blocks; b++)
        sum[b] = log_p[b] + e->cool * sum[b];
}

/* logits of the allowed cells of a block's first column, the others following. */
static void gather_block(nw__gibbs *e, const size_t *block, size_t size, uint16_t *const *columns, size_t row)
{
    const nw__keeper *keeper = e->keeper;
    const uint32_t n = e->cells[block[0]];
    const uint16_t *place = nw__keeper_block_places(keeper, block[0]);
    gather_beside(e, block[0], place, NULL, 0, columns, row, e->scratch);
    for (size_t b = 1; b < size; b++) {
        gather_beside(e, block[b], place, NULL, 0, columns, row, e->side);
        for (uint32_t v = 0; v < n; v++)
            if (keeper->allowed[v])
                e->scratch[v] += e->side[keeper->follows[v * size + b]];
    }
    for (size_t a = 0; a < size; a++) {
        for (size_t b = a + 1; b < size; b++) {
            const float *logits = e->pairs[block[a] * e->columns + block[b]].logits;
            for (uint32_t v = 0; logits != NULL && v < n; v++) {
                const uint16_t *cells = keeper->follows + v * size;
                if (keeper->allowed[v])
                    e->scratch[v] += e->cool * logits[(size_t)cells[b] * e->padded[block[a]] + cells[a]];
            }
        }
    }
}

static float uniform(nw_rng *rng)
{
    return (float)(nw__rng_u32(rng) >> 8) * 0x1p-24f;
}

static void forbid(nw__gibbs *e, uint32_t n)
{
    for (uint32_t v = 0; v < n; v++)
        if (!e->keeper->allowed[v])
            e->scratch[v] = -INFINITY;
}

/* Draws among the allowed cells; one that leaves no values for the sums is drawn again. The old cell always has values. */
static uint16_t draw_allowed(nw__gibbs *e, size_t j, uint16_t old, nw_rng *rng)
{
    const uint32_t n = e->cells[j];
    forbid(e, n);
    float mass = nw__gibbs_weigh(e, j, NULL);
    uint16_t drawn = nw__gibbs_draw(e->scratch, n, mass, uniform(rng));
    while (drawn != old && !nw__keeper_has_values(e->keeper, j, drawn)) {
        e->scratch[drawn] = mass = 0.0f;
        for (uint32_t v = 0; v < n; v++)
            mass += e->scratch[v];
        if (!(mass > 0.0f))
            return old;
        drawn = nw__gibbs_draw(e->scratch, n, mass, uniform(rng));
    }
    return drawn;
}

/* What the row takes off its own value of column j. */
static float own_weight(const nw__gibbs *e, size_t j, uint16_t *const *columns, size_t row)
{
    float own = e->alone_weight[j];
    for (size_t k = 0; k < e->columns; k++)
        if (e->pairs[j * e->columns + k].logits != NULL)
            own += nw__gibbs_weight(e, j, columns[j][row], k, columns[k][row]);
    return own;
}

void nw__gibbs_resample_ruled(nw__gibbs *e, size_t j, uint16_t *const *columns, size_t row, nw_rng *rng)
{
    nw__keeper *keeper = e->keeper;
    const size_t *block = nw__keeper_block(keeper, j);
    const size_t size = keeper->block_size[j];
    const uint16_t *place = nw__keeper_block_places(keeper, j);
    const uint16_t old = columns[j][row];
    if (nw__keeper_mask(keeper, j) <= 1)
        return; /* only as it is */
    const uint16_t *before = keeper->follows + old * size;
    if (size > 1)
        count_block(e, block, size, place, before, columns, row, -1.0f);
    gather_block(e, block, size, columns, row);
    if (size == 1)
        e->scratch[old] += e->cool * own_weight(e, j, columns, row); /* as if the row were taken out */
    const uint16_t drawn = draw_allowed(e, j, old, rng);
    const uint16_t *after = keeper->follows + drawn * size;
    if (size == 1 && drawn == old)
        return;
    if (size == 1)
        count_block(e, block, size, place, before, columns, row, -1.0f);
    count_block(e, block, size, place, after, columns, row, 1.0f);
    for (size_t b = 0; b < size; b++) {
        columns[block[b]][row] = after[b];
        nw__keeper_set(keeper, block[b], after[b]);
    }
}

/* ---- groups ---- */

/* Draws the cells of a group one after the other, or (is_fixed) retraces given ones. Returns log W; -INFINITY: a dead end. */
static double grow(nw__gibbs *e, const size_t *group, size_t size, const uint16_t *place, uint16_t *cells, bool is_fixed,
    uint16_t *const *columns, size_t row, nw_rng *rng)
{
    nw__keeper *keeper = e->keeper;
    double log_weight = 0.0;
    for (size_t i = 0; i < size; i++)
        keeper->first[group[i]] = keeper->last[group[i]] = NW__UNDECIDED;
    for (size_t i = 0; i < size; i++) {
        const size_t j = group[i];
        float highest;
        if (nw__rules_mask(keeper->rules, keeper->first, keeper->last, j, e->cells[j], keeper->cell_first[j],
                keeper->cell_last[j], keeper->allowed) == 0)
            return -INFINITY;
        gather_beside(e, j, place, cells, i, columns, row, e->scratch);
        forbid(e, e->cells[j]);
        const float mass = nw__gibbs_weigh(e, j, &highest);
        log_weight += (double)highest + log((double)mass);
        if (!is_fixed)
            cells[i] = nw__gibbs_draw(e->scratch, e->cells[j], mass, uniform(rng));
        nw__keeper_set(keeper, j, cells[i]);
    }
    return log_weight;
}

static bool has_values(nw__keeper *keeper)
{
    bool is_found = false;
    return nw__rules_solve(keeper->rules, keeper->first, keeper->last, SIZE_MAX, NULL, NULL, keeper->k, &is_found, NULL) ==
               NW_OK &&
           is_found;
}

void nw__gibbs_regrow(nw__gibbs *e, size_t g, uint16_t *const *columns, size_t row, nw_rng *rng)
{
    nw__keeper *keeper = e->keeper;
    const size_t *group = keeper->grouped + keeper->group_first[g];
    const size_t size = keeper->group_first[g + 1] - keeper->group_first[g];
    const uint16_t *place = keeper->group_place + g * keeper->columns;
    uint16_t old[NW__MAX_GROUP];
    uint16_t new[NW__MAX_GROUP];
    for (size_t i = 0; i < size; i++)
        old[i] = columns[group[i]][row];
    count_block(e, group, size, place, old, columns, row, -1.0f);
    double log_ratio = grow(e, group, size, place, new, false, columns, row, rng);
    if (log_ratio > -INFINITY && !has_values(keeper))
        log_ratio = -INFINITY;
    if (log_ratio > -INFINITY)
        log_ratio -= grow(e, group, size, place, old, true, columns, row, rng);
    const bool is_taken = log((double)uniform(rng)) < log_ratio;
    const uint16_t *cells = is_taken ? new : old;
    count_block(e, group, size, place, cells, columns, row, 1.0f);
    for (size_t i = 0; i < size; i++) {
        columns[group[i]][row] = cells[i];
        nw__keeper_set(keeper, group[i], cells[i]);
    }
}
