/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* decode.c - from the cells that a table was fitted in to the codes of the schema. Post-processing.
 *
 * The rows of a cell get the codes of the cell in proportion to the column's law: code by code at equal steps through the law, so
 * that their numbers are off by less than one, in random order. */
#include "synth_internal.h"

#include <stdlib.h>

/* Codes, or rows, sorted by cell: those of cell c are at[starts[c]] .. at[starts[c + 1] - 1]. */
typedef struct buckets {
    size_t *starts;
    uint32_t *at;
} buckets;

static void buckets_free(buckets *b)
{
    free(b->starts);
    free(b->at);
}

static bool sort_by_cell(buckets *b, const uint16_t *cells, size_t n, uint32_t cell_count)
{
    *b = (buckets){ nw__calloc((size_t)cell_count + 2, sizeof *b->starts), nw__calloc(n, sizeof *b->at) };
    if (b->starts == NULL || b->at == NULL)
        return false;
    /* one place ahead, so that filling moves each start to where it belongs */
    for (size_t i = 0; i < n; i++)
        b->starts[cells[i] + 2]++;
    for (uint32_t c = 0; c < cell_count; c++)
        b->starts[c + 2] += b->starts[c + 1];
    for (size_t i = 0; i < n; i++)
        b->at[b->starts[cells[i] + 1]++] = (uint32_t)i;
    return true;
}

/* n codes of one cell at equal steps through the law's mass in it; evenly if it has none. */
static void draw_steps(const uint32_t *codes, size_t code_count, const double *law, double offset, uint16_t *out, size_t n)
{
    double mass = 0.0;
    for (size_t i = 0; i < code_count; i++)
        mass += law[codes[i]];
    const bool is_even = !(mass > 0.0);
    const double total = is_even ? (double)code_count : mass;
    size_t i = 0;
    double reached = is_even ? 1.0 : law[codes[0]];
    for (size_t k = 0; k < n; k++) {
        const double target = ((double)k + offset) / (double)n * total;
        while (reached <= target && i + 1 < code_count) {
            i++;
            reached += is_even ? 1.0 : law[codes[i]];
        }
        out[k] = (uint16_t)codes[i];
    }
}

static void shuffle(uint16_t *items, size_t n, nw_rng *rng)
{
    for (size_t i = n; i > 1; i--) {
        const size_t j = (size_t)nw__rng_below(rng, i);
        const uint16_t item = items[j];
        items[j] = items[i - 1];
        items[i - 1] = item;
    }
}

nw_status nw__decode_column(const nw__plan *plan, size_t column, const nw__coding *coding, double rows_measured, uint16_t *cells,
    size_t rows, nw_rng *rng, nw_error *err)
{
    const uint32_t codes = plan->shapes[column].codes;
    buckets of_codes = { NULL, NULL };
    buckets of_rows = { NULL, NULL };
    double *law = nw__law_make(plan, column, rows_measured);
    uint16_t *drawn = nw__calloc(rows, sizeof *drawn);
    nw_status status = nw__rng_begin(rng, err);
    if (status == NW_OK && (law == NULL || drawn == NULL || !sort_by_cell(&of_codes, coding->cell_of, codes, coding->cells) ||
                               !sort_by_cell(&of_rows, cells, rows, coding->cells)))
        status = nw__fail_memory(err, "nw_synth_fit");
    for (uint32_t c = 0; status == NW_OK && c < coding->cells; c++) {
        const size_t first = of_rows.starts[c];
        const size_t n = of_rows.starts[c + 1] - first;
        const size_t first_code = of_codes.starts[c];
        if (n == 0)
            continue;
        draw_steps(of_codes.at + first_code, of_codes.starts[c + 1] - first_code, law, (double)nw__rng_u32(rng) * 0x1p-32,
            drawn + first, n);
        shuffle(drawn + first, n, rng);
    }
    for (size_t i = 0; status == NW_OK && i < rows; i++)
        cells[of_rows.at[i]] = drawn[i];
    free(law);
    free(drawn);
    buckets_free(&of_codes);
    buckets_free(&of_rows);
    return status;
}
