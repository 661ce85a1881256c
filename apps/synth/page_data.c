/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* page_data.c - bars, residuals, the trace. */
#include "page_data.h"
#include "../common/codes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BARS = 24 };
static const double LEGIBLE = 0.1; /* predicted error of a column's bars, up to which more of them say more */
static const double MEAN_MAGNITUDE = 0.79788456080286536; /* of a standard normal number, sqrt(2 / pi) */

/* ---- tables in cells ---- */

void page_codes_free(uint16_t **codes, size_t columns)
{
    for (size_t c = 0; codes != NULL && c < columns; c++)
        free(codes[c]);
    free(codes);
}

uint16_t **page_codes_new(const nw_table *table)
{
    const size_t rows = nw_table_rows(table);
    const size_t columns = nw_schema_columns(nw_table_schema(table));
    uint16_t **codes = calloc(columns, sizeof *codes);
    bool is_good = codes != NULL;
    for (size_t c = 0; is_good && c < columns; c++) {
        codes[c] = calloc(rows + 1, sizeof **codes);
        is_good = codes[c] != NULL && nw_table_get(table, c, 0, rows, codes[c], NULL) == NW_OK;
    }
    if (is_good)
        return codes;
    page_codes_free(codes, columns);
    return NULL;
}

static bool read_cells(page_data *d, const nw_synth_measurements *measured)
{
    for (size_t c = 0; c < d->columns; c++) {
        const uint32_t codes = nw_schema_column(d->schema, c).cells;
        d->cells[c] = calloc(codes, sizeof **d->cells);
        if (d->cells[c] == NULL)
            return false;
        for (uint32_t code = 0; code < codes; code++)
            d->cells[c][code] = nw_synth_measurements_cell(measured, c, code);
    }
    return true;
}

/* The cell of a code in a 1-way: groups of `width` neighbours, a missing value by itself. */
static uint32_t level_cell(const nw_column *c, const nw_synth_measurement *m, uint32_t code)
{
    return c->is_nullable && code + 1 == c->cells ? (uint32_t)m->cells - 1 : code / m->width;
}

void page_add_rows(
    const page_data *d, const nw_synth_measurement *m, uint16_t *const *codes, size_t rows, double weight, double *sums)
{
    const uint16_t *a = codes[m->columns[0]];
    const nw_column column = nw_schema_column(d->schema, m->columns[0]);
    if (m->columns[1] == SIZE_MAX) {
        for (size_t r = 0; r < rows; r++)
            sums[level_cell(&column, m, a[r])] += weight;
        return;
    }
    const uint16_t *b = codes[m->columns[1]];
    const uint32_t *cells_a = d->cells[m->columns[0]];
    const uint32_t *cells_b = d->cells[m->columns[1]];
    uint32_t last = 0;
    for (uint32_t code = 0; code < nw_schema_column(d->schema, m->columns[1]).cells; code++)
        last = cells_b[code] > last ? cells_b[code] : last;
    for (size_t r = 0; r < rows; r++)
        sums[(size_t)cells_a[a[r]] * (last + 1) + cells_b[b[r]]] += weight;
}

bool page_is_shown(const page_data *d, const nw_synth_measurement *m, size_t i)
{
    const bool is_one_way = m->columns[1] == SIZE_MAX;
    return is_one_way ? d->level[m->columns[0]] == i : m->columns[2] == SIZE_MAX;
}

/* The predicted error of the bars that a 1-way gives. */
static double error_of_bars(const page_data *d, const nw_synth_measurement *m)
{
    const double cells = (double)m->cells;
    return 0.5 * MEAN_MAGNITUDE * m->sigma * sqrt(cells * fmin(cells, MOST_BARS)) / d->records;
}

/* True if the bars of `m` are a better picture than those of `other`: legible ones before those that noise blurs, of legible ones
 * the more bars, then the less noise. */
static bool is_better_level(const page_data *d, const nw_synth_measurement *m, const nw_synth_measurement *other)
{
    const double error = error_of_bars(d, m);
    const double other_error = error_of_bars(d, other);
    const double bars = fmin((double)m->cells, MOST_BARS);
    const double other_bars = fmin((double)other->cells, MOST_BARS);
    if (fmax(error, other_error) <= LEGIBLE && bars != other_bars)
        return bars > other_bars;
    return error < other_error;
}

/* Which of a column's 1-ways is drawn. The noise decides, and no count. */
static void choose_levels(page_data *d, const nw_synth_measurements *measured)
{
    for (size_t i = 0; i < nw_synth_measurements_count(measured); i++) {
        const nw_synth_measurement m = nw_synth_measurements_get(measured, i);
        if (m.columns[1] != SIZE_MAX)
            continue;
        size_t *level = &d->level[m.columns[0]];
        const nw_synth_measurement before = nw_synth_measurements_get(measured, *level == SIZE_MAX ? i : *level);
        if (*level == SIZE_MAX || is_better_level(d, &m, &before))
            *level = i;
    }
}

/* ---- bars ---- */

static bool is_category(const nw_column *c)
{
    return c->type == NW_COLUMN_CATEGORICAL || c->type == NW_COLUMN_BOOL;
}

typedef struct ranked {
    double count;
    uint32_t cell;
} ranked;

static int compare_ranked(const void *a, const void *b)
{
    const ranked *x = a;
    const ranked *y = b;
    const int by_count = (x->count < y->count) - (x->count > y->count);
    return by_count != 0 ? by_count : (x->cell > y->cell) - (x->cell < y->cell);
}

/* What a column's bars are made of. */
typedef struct drafting {
    const page_data *data;
    nw_synth_measurement m;
    const int64_t *noisy;
    const double *synthetic;
} drafting;

/* The cells first..last as one bar. False if memory lacks. */
static bool add_bar(const drafting *d, page_column *out, uint32_t first, uint32_t last)
{
    const size_t c = d->m.columns[0];
    const nw_column column = nw_schema_column(d->data->schema, c);
    const uint32_t values = column.cells - (column.is_nullable ? 1 : 0);
    const uint32_t end = (last + 1) * d->m.width < values ? (last + 1) * d->m.width : values;
    const bool is_missing = column.is_nullable && first + 1 == d->m.cells;
    page_bar *bar = &out->bars[out->bar_count];
    *bar = (page_bar){ .error = d->m.sigma * sqrt((double)(last - first) + 1.0) / d->data->records };
    for (uint32_t cell = first; cell <= last; cell++) {
        bar->noisy += (double)d->noisy[cell] / d->data->records;
        bar->synthetic += d->synthetic[cell] / (double)d->data->rows;
    }
    bar->label = app_code_text(d->data->schema, c, is_missing ? values : first * d->m.width, is_missing ? values : end - 1);
    out->bar_count++;
    return bar->label != NULL;
}

/* Values in their order; many are grouped, a missing one stays apart. */
static bool group_values(const drafting *d, page_column *out)
{
    const nw_column c = nw_schema_column(d->data->schema, d->m.columns[0]);
    const uint32_t values = (uint32_t)d->m.cells - (c.is_nullable ? 1 : 0);
    const uint32_t bars = values < MOST_BARS ? values : MOST_BARS;
    bool is_good = true;
    for (uint32_t i = 0; is_good && i < bars; i++)
        is_good = add_bar(d, out, (uint32_t)((uint64_t)values * i / bars), (uint32_t)((uint64_t)values * (i + 1) / bars) - 1);
    return is_good && (!c.is_nullable || add_bar(d, out, values, values));
}

/* The categories that the noisy counts say are largest, largest first, and all others as one bar. */
static bool rank_categories(const drafting *d, page_column *out)
{
    const uint32_t cells = (uint32_t)d->m.cells;
    const uint32_t own = cells <= MOST_BARS ? cells : MOST_BARS - 1;
    ranked *order = calloc(cells, sizeof *order);
    bool is_good = order != NULL;
    for (uint32_t cell = 0; is_good && cell < cells; cell++)
        order[cell] = (ranked){ (double)d->noisy[cell], cell };
    if (is_good)
        qsort(order, cells, sizeof *order, compare_ranked);
    for (uint32_t i = 0; is_good && i < own; i++)
        is_good = add_bar(d, out, order[i].cell, order[i].cell);
    if (is_good && own < cells) {
        page_bar *rest = &out->bars[out->bar_count++];
        *rest = (page_bar){ .error = d->m.sigma * sqrt((double)(cells - own)) / d->data->records, .label = strdup("all others") };
        for (uint32_t i = own; i < cells; i++) {
            rest->noisy += (double)order[i].count / d->data->records;
            rest->synthetic += d->synthetic[order[i].cell] / (double)d->data->rows;
        }
        is_good = rest->label != NULL;
    }
    free(order);
    return is_good;
}

/* Errors and distances are those of the bars: a column of thousands of values is not judged value by value. */
static void judge_bars(page_column *c)
{
    for (size_t i = 0; i < c->bar_count; i++) {
        c->distance += 0.5 * fabs(c->bars[i].synthetic - c->bars[i].noisy);
        c->expected_error += 0.5 * MEAN_MAGNITUDE * c->bars[i].error;
    }
    c->expected_error = fmin(c->expected_error, 1.0);
}

static bool draft_column(page_data *d, const nw_synth_measurements *measured, size_t i, const double *synthetic)
{
    const nw_synth_measurement m = nw_synth_measurements_get(measured, i);
    const size_t c = m.columns[0];
    const drafting draft = { d, m, nw_synth_measurements_counts(measured, i), synthetic };
    page_column *out = &d->column[c];
    const nw_column column = nw_schema_column(d->schema, c);
    *out = (page_column){ .name = column.name, .cells = m.cells, .sigma = m.sigma };
    out->bars = calloc(MOST_BARS + 1, sizeof *out->bars);
    if (out->bars == NULL || !(is_category(&column) ? rank_categories(&draft, out) : group_values(&draft, out)))
        return false;
    judge_bars(out);
    return true;
}

/* ---- pairs ---- */

static void draft_pair(page_data *d, const nw_synth_measurements *measured, size_t i, const double *synthetic)
{
    const nw_synth_measurement m = nw_synth_measurements_get(measured, i);
    const int64_t *noisy = nw_synth_measurements_counts(measured, i);
    const double scale = d->records / (double)d->rows;
    double sum = 0.0;
    for (size_t cell = 0; cell < m.cells; cell++) {
        const double residual = (synthetic[cell] * scale - (double)noisy[cell]) / m.sigma;
        sum += residual * residual;
    }
    d->pairs[d->pair_count++] =
        (page_pair){ m.columns[0], m.columns[1], m.cells, m.sigma, m.expected_error, sqrt(sum / (double)m.cells) };
}

static bool allocate(page_data *d, size_t measurements)
{
    d->column = calloc(d->columns, sizeof *d->column);
    d->pairs = calloc(measurements + 1, sizeof *d->pairs);
    d->cells = calloc(d->columns, sizeof *d->cells);
    d->level = calloc(d->columns, sizeof *d->level);
    for (size_t c = 0; d->level != NULL && c < d->columns; c++)
        d->level[c] = SIZE_MAX;
    return d->column != NULL && d->pairs != NULL && d->cells != NULL && d->level != NULL;
}

/* The largest marginal's cells. */
static size_t most_cells(const nw_synth_measurements *measured)
{
    uint64_t most = 1;
    for (size_t i = 0; i < nw_synth_measurements_count(measured); i++) {
        const uint64_t cells = nw_synth_measurements_get(measured, i).cells;
        most = cells > most ? cells : most;
    }
    return (size_t)most;
}

bool page_data_new(page_data *d, const nw_synth_measurements *measured, const nw_table *synthetic)
{
    const size_t n = nw_synth_measurements_count(measured);
    *d = (page_data){ .schema = nw_synth_measurements_schema(measured), .rows = nw_table_rows(synthetic) };
    d->columns = nw_schema_columns(d->schema);
    d->records = nw_synth_measurements_rows(measured, &d->records_error);
    d->codes = page_codes_new(synthetic);
    double *counts = calloc(most_cells(measured), sizeof *counts);
    bool is_good = allocate(d, n) && d->codes != NULL && counts != NULL && read_cells(d, measured);
    if (is_good)
        choose_levels(d, measured);
    for (size_t i = 0; is_good && i < n; i++) {
        const nw_synth_measurement m = nw_synth_measurements_get(measured, i);
        if (!page_is_shown(d, &m, i))
            continue;
        memset(counts, 0, (size_t)m.cells * sizeof *counts);
        page_add_rows(d, &m, d->codes, d->rows, 1.0, counts);
        if (m.columns[1] != SIZE_MAX)
            draft_pair(d, measured, i, counts);
        else
            is_good = draft_column(d, measured, i, counts);
    }
    free(counts);
    return is_good;
}

void page_data_free(page_data *d)
{
    for (size_t c = 0; d->column != NULL && c < d->columns; c++) {
        for (size_t b = 0; b < d->column[c].bar_count; b++)
            free(d->column[c].bars[b].label);
        free(d->column[c].bars);
    }
    for (size_t c = 0; d->cells != NULL && c < d->columns; c++)
        free(d->cells[c]);
    page_codes_free(d->codes, d->columns);
    free(d->column);
    free(d->pairs);
    free(d->cells);
    free(d->level);
}

/* ---- the trace ---- */

/* The point of a fraction: an old one, or a new one in its place. Beyond the last place nothing is kept. */
void page_trace_step(void *context, unsigned chain, double fraction, double misfit)
{
    page_trace *t = context;
    size_t at = 0;
    (void)chain;
    while (at < t->count && t->fraction[at] < fraction)
        at++;
    if (at == t->count || t->fraction[at] > fraction) {
        if (t->count == PAGE_MOST_POINTS)
            return;
        memmove(t->fraction + at + 1, t->fraction + at, (t->count - at) * sizeof *t->fraction);
        memmove(t->misfit + at + 1, t->misfit + at, (t->count - at) * sizeof *t->misfit);
        memmove(t->chains + at + 1, t->chains + at, (t->count - at) * sizeof *t->chains);
        t->fraction[at] = fraction;
        t->misfit[at] = 0.0;
        t->chains[at] = 0;
        t->count++;
    }
    t->chains[at]++;
    t->misfit[at] += (misfit - t->misfit[at]) / t->chains[at];
}
