/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* measure.c - exact counts of every marginal, then one noise draw per cell. The only code of the room that reads the private
 * table. */
#include "synth_internal.h"

#include <nw/noise.h>
#include <stdlib.h>

enum { BLOCK_ROWS = 4096 };

static void count_block(nw__marginal *m, const uint16_t *codes, size_t n)
{
    const uint16_t *a = codes + m->a * BLOCK_ROWS;
    if (m->b == NW__ONE_WAY) {
        for (size_t i = 0; i < n; i++)
            m->counts[a[i]]++;
        return;
    }
    const uint16_t *b = codes + m->b * BLOCK_ROWS;
    for (size_t i = 0; i < n; i++)
        m->counts[(size_t)a[i] * m->cells_b + b[i]]++;
}

static nw_status count_table(nw__plan *plan, const nw_table *table, nw_error *err)
{
    const size_t rows = nw_table_rows(table);
    const size_t block_bytes = plan->columns * BLOCK_ROWS * sizeof(uint16_t);
    uint16_t *codes = nw__calloc(plan->columns, BLOCK_ROWS * sizeof *codes);
    nw_status status = codes == NULL ? nw__fail_memory(err, "nw_synth_run") : NW_OK;
    for (size_t first = 0; status == NW_OK && first < rows; first += BLOCK_ROWS) {
        const size_t n = rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
        for (size_t j = 0; status == NW_OK && j < plan->columns; j++)
            status = nw_table_get(table, j, first, n, codes + j * BLOCK_ROWS, err);
        for (size_t i = 0; status == NW_OK && i < plan->marginal_count; i++)
            count_block(&plan->marginals[i], codes, n);
    }
    nw__free_wiped(codes, block_bytes);
    return status;
}

static size_t marginal_cells(const nw__marginal *m)
{
    return (size_t)m->cells_a * m->cells_b;
}

static nw_status add_noise(nw__plan *plan, size_t first, size_t end, nw_rng *rng, nw_error *err)
{
    nw_noise *noise = NULL;
    nw_status status = first == end ? NW_OK : nw_noise_new(&noise, NW_NOISE_ROUNDED_GAUSSIAN, plan->marginals[first].sigma, err);
    for (size_t i = first; status == NW_OK && i < end; i++)
        status = nw_noise_add_i64(
            noise, rng, plan->marginals[i].counts, plan->marginals[i].counts, marginal_cells(&plan->marginals[i]), err);
    nw_noise_free(noise);
    return status;
}

/* Exact counts never outlive a failure. */
static void forget_counts(nw__plan *plan)
{
    for (size_t i = 0; i < plan->marginal_count; i++) {
        nw__marginal *m = &plan->marginals[i];
        nw__free_wiped(m->counts, marginal_cells(m) * sizeof *m->counts);
        m->counts = NULL;
    }
}

nw_status nw__plan_measure(nw__plan *plan, const nw_table *table, nw_rng *rng, nw_error *err)
{
    nw_status status = NW_OK;
    for (size_t i = 0; status == NW_OK && i < plan->marginal_count; i++) {
        plan->marginals[i].counts = nw__calloc(marginal_cells(&plan->marginals[i]), sizeof(int64_t));
        if (plan->marginals[i].counts == NULL)
            status = nw__fail_memory(err, "nw_synth_run");
    }
    if (status == NW_OK)
        status = count_table(plan, table, err);
    if (status == NW_OK)
        status = add_noise(plan, 0, plan->one_ways, rng, err);
    if (status == NW_OK)
        status = add_noise(plan, plan->one_ways, plan->marginal_count, rng, err);
    if (status != NW_OK)
        forget_counts(plan);
    return status;
}
