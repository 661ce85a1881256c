/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* calibrate.c - how much noise each block of totals gets, and the event that says so: from public quantities only.
 * Proof note: docs/rooms/kde.md#noise. */
#include "accountant_internal.h"
#include "kde_internal.h"
#include "pair_noise.h"

#include <math.h>
#include <stdlib.h>

/* What one point moves the block by, in the currency of its noise. */
static double moved(const nw__kde_block *b, bool is_l1)
{
    return b->is_in_pairs ? b->pairs : is_l1 ? b->l1 : b->l2;
}

/* Variance of a value, of noise of scale 1. */
static double variance(const nw__kde_block *b, bool is_l1)
{
    return b->weight * (b->is_in_pairs ? NW__PAIR_VARIANCE : is_l1 ? 2.0 : 1.0);
}

/* Scales s_b cost the sum of D_b / s_b (pure) or of (D_b / s_b)^2 (Gaussian), and the value's variance is the sum of v_b s_b^2:
 * least for s_b^3 ~ D_b / v_b, and s_b^4 ~ D_b^2 / v_b. */
static double relative_scale(const nw__kde_block *b, bool is_l1)
{
    return is_l1 ? cbrt(moved(b, true) / variance(b, true)) : sqrt(b->l2 / sqrt(variance(b, false)));
}

/* The factor of all relative scales that spends the budget. 2^-40 covers the roundings of the quotients, here and in the
 * accountant's sum over at most 2^12 blocks. */
static double common_factor(const nw_kde *kde, const nw__noise_budget *budget)
{
    const double factor = nw__distance_factor(NW_ADD_REMOVE, kde->opts.adjacency);
    double cost = 0.0;
    for (size_t b = 0; b < kde->block_count; b++) {
        const nw__kde_block *block = &kde->blocks[b];
        const double part = moved(block, budget->is_l1) * factor / relative_scale(block, budget->is_l1);
        cost += budget->is_l1 ? part : part * part;
    }
    return (budget->is_l1 ? cost : sqrt(cost)) / budget->amount * (1.0 + 0x1p-40);
}

/* Pairs get noise for pairs where it can be drawn; whether it can depends on the others' share. */
static double choose_pairs(nw_kde *kde, const nw__noise_budget *budget)
{
    for (size_t b = 0; b < kde->block_count; b++)
        kde->blocks[b].is_in_pairs = budget->is_l1 && kde->blocks[b].pairs > 0.0;
    for (;;) {
        const double factor = common_factor(kde, budget);
        bool is_changed = false;
        for (size_t b = 0; b < kde->block_count; b++) {
            nw__kde_block *block = &kde->blocks[b];
            if (block->is_in_pairs && !(factor * relative_scale(block, true) <= (double)(NW__PAIR_LARGEST_SCALE - 1))) {
                block->is_in_pairs = false;
                is_changed = true;
            }
        }
        if (!is_changed)
            return factor;
    }
}

static nw_status calibrate_block(
    nw__kde_block *block, double scale, const nw__noise_budget *budget, const char *function, nw_error *err)
{
    if (block->is_in_pairs) {
        block->scale = ceil(fmax(scale, 1.0));
        block->deviation = sqrt(NW__PAIR_VARIANCE) * block->scale;
        return NW_OK;
    }
    nw__calibrated c = { 0 };
    NW__TRY(nw__noise_calibrate(&c, budget, scale * budget->amount, 1.0, function, err));
    block->scale = c.scale;
    block->deviation = c.deviation;
    block->noise = c.noise;
    return NW_OK;
}

static nw_status event_of_block(nw_event **out, const nw_kde *kde, const nw__kde_block *block, bool is_l1, nw_error *err)
{
    if (block->is_in_pairs) {
        const double factor = nw__distance_factor(NW_ADD_REMOVE, kde->opts.adjacency);
        return nw_event_pure(out, nw__up(nw__up(moved(block, true) * factor) / block->scale), kde->opts.adjacency, err);
    }
    return nw_event_noise(out, is_l1 ? NW_EVENT_DISCRETE_LAPLACE : NW_EVENT_ROUNDED_GAUSSIAN, block->scale,
        (nw_sensitivity){ moved(block, is_l1), NW_ADD_REMOVE }, block->count, err);
}

static nw_status make_event(nw_kde *kde, bool is_l1, nw_error *err)
{
    nw_event **parts = nw__calloc(kde->block_count, sizeof *parts);
    nw_status status = parts == NULL ? nw__fail_memory(err, __func__) : NW_OK;
    for (size_t b = 0; status == NW_OK && b < kde->block_count; b++)
        status = event_of_block(&parts[b], kde, &kde->blocks[b], is_l1, err);
    if (status == NW_OK)
        status = nw_event_composed(&kde->event, (const nw_event *const *)parts, kde->block_count, err);
    for (size_t b = 0; parts != NULL && b < kde->block_count; b++)
        nw_event_free(parts[b]);
    free(parts);
    return status;
}

nw_status nw__kde_calibrate(nw_kde *kde, const char *function, nw_error *err)
{
    nw__noise_budget budget;
    NW__TRY(nw__noise_budget_of(&budget, kde->opts.epsilon, kde->opts.delta, 1.0, function, err));
    for (size_t b = 0; b < kde->block_count; b++)
        kde->blocks[b].l1 = ceil(kde->blocks[b].l1); /* of whole numbers */
    const double factor = choose_pairs(kde, &budget);
    double sum = 0.0;
    for (size_t b = 0; b < kde->block_count; b++) {
        nw__kde_block *block = &kde->blocks[b];
        NW__TRY(calibrate_block(block, factor * relative_scale(block, budget.is_l1), &budget, function, err));
        sum += block->weight * block->deviation * block->deviation;
    }
    kde->plan.noise = sqrt(sum);
    return make_event(kde, budget.is_l1, err);
}

nw_status nw__kde_draw(nw_kde *kde, nw_rng *rng, nw_error *err)
{
    int64_t *part = kde->totals;
    for (size_t b = 0; b < kde->block_count; b++) {
        const nw__kde_block *block = &kde->blocks[b];
        const size_t n = block->count;
        if (block->is_in_pairs)
            NW__TRY(nw__pair_noise_add(rng, (uint64_t)block->scale, part, part + n / 2, n / 2, err));
        else
            NW__TRY(nw_noise_add_i64(block->noise, rng, part, part, n, err));
        part += n;
    }
    return NW_OK;
}
