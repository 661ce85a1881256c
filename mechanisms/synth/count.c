/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* count.c - exact counts of a table's records, marginal by marginal. The only code of the room that reads records. */
#include "synth_internal.h"

#include <stdlib.h>

/* The codes of one column in one block of a table; narrow: one byte each. */
typedef struct code_block {
    const void *codes;
    bool is_narrow;
    const uint16_t *cell_of; /* NULL: each code is its own cell */
} code_block;

static code_block block_of(const nw_table *table, size_t column, size_t block, const nw__coding *codings)
{
    const bool is_narrow = nw__code_bytes(nw_schema_column(nw_table_schema(table), column).cells) == 1;
    return (code_block){ nw__table_block(table, column, block), is_narrow, codings == NULL ? NULL : codings[column].cell_of };
}

static inline size_t cell_at(const code_block *x, bool is_narrow, bool is_recoded, size_t i)
{
    const size_t code = is_narrow ? ((const uint8_t *)x->codes)[i] : ((const uint16_t *)x->codes)[i];
    return is_recoded ? x->cell_of[code] : code;
}

static inline void count_pairs(const code_block *a, const code_block *b, bool is_narrow_a, bool is_narrow_b, bool is_recoded,
    size_t cells_b, size_t n, int64_t *counts)
{
    for (size_t i = 0; i < n; i++)
        counts[cell_at(a, is_narrow_a, is_recoded && a->cell_of != NULL, i) * cells_b +
               cell_at(b, is_narrow_b, is_recoded && b->cell_of != NULL, i)]++;
}

/* One loop for each width of the codes, so that its inner branches are gone. */
static void count_block_pairs(const code_block *a, const code_block *b, size_t cells_b, size_t n, int64_t *counts)
{
    const bool is_recoded = a->cell_of != NULL || b->cell_of != NULL;
    if (is_recoded)
        count_pairs(a, b, a->is_narrow, b->is_narrow, true, cells_b, n, counts);
    else if (a->is_narrow && b->is_narrow)
        count_pairs(a, b, true, true, false, cells_b, n, counts);
    else if (a->is_narrow)
        count_pairs(a, b, true, false, false, cells_b, n, counts);
    else if (b->is_narrow)
        count_pairs(a, b, false, true, false, cells_b, n, counts);
    else
        count_pairs(a, b, false, false, false, cells_b, n, counts);
}

static void count_block_singles(const code_block *a, size_t n, int64_t *counts)
{
    if (a->is_narrow)
        for (size_t i = 0; i < n; i++)
            counts[cell_at(a, true, a->cell_of != NULL, i)]++;
    else
        for (size_t i = 0; i < n; i++)
            counts[cell_at(a, false, a->cell_of != NULL, i)]++;
}

/* The codes of a 3-way: such marginals are small, and few. */
static void count_block_triples(
    const code_block *a, const code_block *b, const code_block *c, size_t cells_b, size_t cells_c, size_t n, int64_t *counts)
{
    for (size_t i = 0; i < n; i++) {
        const size_t u = cell_at(a, a->is_narrow, a->cell_of != NULL, i);
        const size_t v = cell_at(b, b->is_narrow, b->cell_of != NULL, i);
        counts[(u * cells_b + v) * cells_c + cell_at(c, c->is_narrow, c->cell_of != NULL, i)]++;
    }
}

/* Adds one block of the table to one marginal. */
static void count_block(
    const nw_table *table, size_t block, const nw__marginal *m, const nw__coding *codings, size_t cells_b, int64_t *counts)
{
    const size_t n = nw__table_block_rows(table, block);
    const code_block a = block_of(table, m->a, block, codings);
    if (m->b == NW__ONE_WAY) {
        count_block_singles(&a, n, counts);
        return;
    }
    const code_block b = block_of(table, m->b, block, codings);
    if (m->cells_c == 0) {
        count_block_pairs(&a, &b, cells_b, n, counts);
        return;
    }
    const code_block c = block_of(table, m->c, block, codings);
    count_block_triples(&a, &b, &c, cells_b, codings[m->c].cells, n, counts);
}

/* The codes of grouped columns in one block, as cells. As secret as the table. */
typedef struct unit_blocks {
    size_t columns;
    uint16_t **codes; /* per column; NULL: the table's own block will do */
} unit_blocks;

static void unit_blocks_free(unit_blocks *blocks)
{
    for (size_t j = 0; blocks->codes != NULL && j < blocks->columns; j++)
        nw__free_wiped(blocks->codes[j], NW__TABLE_BLOCK_ROWS * sizeof **blocks->codes);
    free(blocks->codes);
}

static bool unit_blocks_new(unit_blocks *blocks, const nw__plan *plan, const nw__coding *codings)
{
    *blocks = (unit_blocks){ plan->columns, nw__calloc(plan->columns, sizeof *blocks->codes) };
    bool is_ok = blocks->codes != NULL;
    for (size_t j = 0; is_ok && j < plan->columns; j++) {
        if (codings[j].cell_of == NULL)
            continue;
        blocks->codes[j] = nw__calloc(NW__TABLE_BLOCK_ROWS, sizeof **blocks->codes);
        is_ok = blocks->codes[j] != NULL;
    }
    return is_ok;
}

static code_block units_of_block(const nw_table *table, size_t column, size_t block, const unit_blocks *units)
{
    if (units->codes[column] != NULL)
        return (code_block){ units->codes[column], false, NULL };
    return block_of(table, column, block, NULL);
}

static void count_in_cells(const nw_table *table, size_t block, const nw__coding *codings, const nw__marginal *m,
    const unit_blocks *units, int64_t *counts)
{
    const size_t n = nw__table_block_rows(table, block);
    const code_block a = units_of_block(table, m->a, block, units);
    const code_block b = units_of_block(table, m->b, block, units);
    if (m->cells_c == 0) {
        count_block_pairs(&a, &b, codings[m->b].cells, n, counts);
        return;
    }
    const code_block c = units_of_block(table, m->c, block, units);
    count_block_triples(&a, &b, &c, codings[m->b].cells, codings[m->c].cells, n, counts);
}

nw_status nw__count_table(const nw__plan *plan, const nw__coding *codings, const nw_table *table, int64_t *const *singles,
    int64_t *const *pairs, unsigned threads, const char *function, nw_error *err)
{
    const int team = nw__threads((int)threads);
    const size_t pairs_end = pairs == NULL ? plan->one_ways : plan->marginal_count;
    unit_blocks units;
    if (!unit_blocks_new(&units, plan, codings)) {
        unit_blocks_free(&units);
        return nw__fail_memory(err, function);
    }
    for (size_t block = 0; block < nw__table_blocks(table); block++) {
        const size_t n = nw__table_block_rows(table, block);
#pragma omp parallel for schedule(dynamic, 1) num_threads(team)
        for (size_t j = 0; j < plan->columns; j++) {
            const code_block x = block_of(table, j, block, codings);
            const code_block codes = block_of(table, j, block, NULL);
            if (singles != NULL)
                count_block_singles(&codes, n, singles[j]);
            for (size_t i = 0; pairs != NULL && units.codes[j] != NULL && i < n; i++)
                units.codes[j][i] = (uint16_t)cell_at(&x, x.is_narrow, true, i);
        }
#pragma omp parallel for schedule(dynamic, 1) num_threads(team)
        for (size_t i = plan->one_ways; i < pairs_end; i++)
            count_in_cells(table, block, codings, &plan->marginals[i], &units, pairs[i - plan->one_ways]);
    }
    unit_blocks_free(&units);
    return NW_OK;
}

static void count_from_table(const void *source, const nw__marginal *m, const nw__coding *codings, int64_t *counts)
{
    const nw_table *table = source;
    const size_t cells_b = m->b == NW__ONE_WAY ? 1 : codings[m->b].cells;
    const size_t cells_c = m->cells_c == 0 ? 1 : codings[m->c].cells;
    for (size_t c = 0; c < codings[m->a].cells * cells_b * cells_c; c++)
        counts[c] = 0;
    for (size_t block = 0; block < nw__table_blocks(table); block++)
        count_block(table, block, m, codings, cells_b, counts);
}

nw__counter nw__counter_of_table(const nw_table *table)
{
    return (nw__counter){ count_from_table, table, NULL, NULL };
}
