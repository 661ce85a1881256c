/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* tie.c - codes of columns that linear rules tie together. Decoding looks at one column at a time; a row whose codes then leave
 * no values that satisfy its rules gets others from the same cells, of which the fit made sure that they hold such values: one
 * column after the other by its law, within what the rules leave it. Post-processing. */
#include "rules.h"
#include "synth_internal.h"

#include <math.h>
#include <stdlib.h>

typedef struct tied_column {
    uint16_t *codes;      /* of the rows; NULL: no rule mentions the column */
    double *sums;         /* of the law, up to and without each code; NULL: the column is in no linear rule */
    uint16_t *cell_first; /* of each cell */
    uint16_t *cell_last;
} tied_column;

typedef struct tying {
    const nw_schema *schema;
    const nw__rules *rules;
    const nw__plan *plan;
    const nw__coding *codings;
    tied_column *columns;
    uint16_t *first;
    uint16_t *last;
    int64_t *k;
    nw_rng *rng;
} tying;

static void tying_clear(tying *t, size_t rows)
{
    for (size_t j = 0; t->columns != NULL && j < t->plan->columns; j++) {
        nw__free_wiped(t->columns[j].codes, rows * sizeof(uint16_t));
        free(t->columns[j].sums);
        free(t->columns[j].cell_first);
        free(t->columns[j].cell_last);
    }
    free(t->columns);
    free(t->first);
    free(t->last);
    free(t->k);
}

static bool prepare_law(tying *t, size_t j, double total)
{
    tied_column *c = &t->columns[j];
    const uint32_t codes = t->plan->shapes[j].codes;
    double *law = nw__law_make(t->plan, j, total);
    c->sums = nw__calloc((size_t)codes + 1, sizeof *c->sums);
    c->cell_first = nw__calloc(t->codings[j].cells, sizeof *c->cell_first);
    c->cell_last = nw__calloc(t->codings[j].cells, sizeof *c->cell_last);
    const bool is_whole = law != NULL && c->sums != NULL && c->cell_first != NULL && c->cell_last != NULL;
    for (uint32_t code = 0; is_whole && code < codes; code++) {
        const uint32_t cell = nw__coding_cell(&t->codings[j], code);
        c->sums[code + 1] = c->sums[code] + law[code];
        if (code == 0 || cell != nw__coding_cell(&t->codings[j], code - 1))
            c->cell_first[cell] = (uint16_t)code;
        c->cell_last[cell] = (uint16_t)code;
    }
    free(law);
    return is_whole;
}

static nw_status prepare(tying *t, const nw_table *table, size_t first, size_t rows, double total, nw_error *err)
{
    const size_t n = t->plan->columns;
    t->columns = nw__calloc(n, sizeof *t->columns);
    t->first = nw__calloc(n, sizeof *t->first);
    t->last = nw__calloc(n, sizeof *t->last);
    t->k = nw__calloc(n, sizeof *t->k);
    if (t->columns == NULL || t->first == NULL || t->last == NULL || t->k == NULL)
        return nw__fail_memory(err, "nw_synth_fit");
    for (size_t j = 0; j < n; j++) {
        t->first[j] = t->last[j] = NW__UNDECIDED;
        if (t->rules->class_of[j] == NULL)
            continue;
        t->columns[j].codes = nw__calloc(rows, sizeof(uint16_t));
        if (t->columns[j].codes == NULL || (t->rules->k_low[j] != NULL && !prepare_law(t, j, total)))
            return nw__fail_memory(err, "nw_synth_fit");
        NW__TRY(nw_table_get(table, j, first, rows, t->columns[j].codes, err));
    }
    return nw__rng_begin(t->rng, err);
}

/* The code that holds grid value k. */
static uint16_t code_of(const tying *t, size_t j, int64_t k)
{
    uint32_t low = 0;
    uint32_t high = t->plan->shapes[j].values - 1;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (t->rules->k_high[j][middle] < k)
            low = middle + 1;
        else
            high = middle;
    }
    return (uint16_t)low;
}

/* A value among low .. high by the column's law, evenly within a code. */
static nw_status choose_by_law(void *context, size_t j, int64_t low, int64_t high, int64_t *k, nw_error *err)
{
    tying *t = context;
    const double *sums = t->columns[j].sums;
    const uint32_t a = code_of(t, j, low);
    const uint32_t b = code_of(t, j, high);
    const double target = sums[a] + (sums[b + 1] - sums[a]) * ((double)nw__rng_u32(t->rng) * 0x1p-32);
    uint32_t from = a;
    uint32_t to = b;
    while (from < to) {
        const uint32_t middle = from + (to - from) / 2;
        if (sums[middle + 1] <= target)
            from = middle + 1;
        else
            to = middle;
    }
    const int64_t least = t->rules->k_low[j][from] > low ? t->rules->k_low[j][from] : low;
    const int64_t most = t->rules->k_high[j][from] < high ? t->rules->k_high[j][from] : high;
    uint64_t offset = 0;
    NW__TRY(nw_rng_uniform(t->rng, (uint64_t)(most - least) + 1, &offset, err));
    *k = least + (int64_t)offset;
    return NW_OK;
}

/* Only values inside of codes are open: whether some of them satisfy the rules. */
static nw_status tie_row(tying *t, const uint16_t *cells, size_t rows, size_t row, nw_error *err)
{
    bool is_found = false;
    for (size_t j = 0; j < t->plan->columns; j++)
        if (t->columns[j].codes != NULL)
            t->first[j] = t->last[j] = t->columns[j].codes[row];
    NW__TRY(nw__rules_solve(t->rules, t->first, t->last, SIZE_MAX, NULL, NULL, t->k, &is_found, err));
    if (is_found)
        return NW_OK;
    for (size_t j = 0; j < t->plan->columns; j++) {
        if (t->columns[j].sums == NULL)
            continue;
        t->first[j] = t->columns[j].cell_first[cells[j * rows + row]];
        t->last[j] = t->columns[j].cell_last[cells[j * rows + row]];
    }
    NW__TRY(nw__rules_solve(t->rules, t->first, t->last, SIZE_MAX, choose_by_law, t, t->k, &is_found, err));
    for (size_t j = 0; is_found && j < t->plan->columns; j++)
        if (t->columns[j].sums != NULL && t->first[j] != t->rules->missing[j])
            t->columns[j].codes[row] = code_of(t, j, t->k[j]);
    return NW_OK;
}

nw_status nw__tie_rows(const nw_synth_measurements *measurements, nw_table *table, size_t first, size_t rows,
    const uint16_t *cells, nw_rng *rng, nw_error *err)
{
    const nw__rules *rules = measurements->schema->rules;
    if (rules == NULL || rules->components == 0)
        return NW_OK;
    tying t = { measurements->schema, rules, &measurements->plan, measurements->codings, NULL, NULL, NULL, NULL, rng };
    const double total = nw__rows_of_levels(&measurements->plan, measurements->known_rows);
    nw_status status = prepare(&t, table, first, rows, total, err);
    for (size_t row = 0; status == NW_OK && row < rows; row++)
        status = tie_row(&t, cells, rows, row, err);
    for (size_t j = 0; status == NW_OK && j < t.plan->columns; j++)
        if (t.columns[j].sums != NULL)
            status = nw_table_set(table, j, first, rows, t.columns[j].codes, err);
    tying_clear(&t, rows);
    return status;
}
