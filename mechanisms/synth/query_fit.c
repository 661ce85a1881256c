/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* query_fit.c - the default engine beyond marginals.
 *
 * The table that Gibbs sampling fitted to the marginals is changed by moves of single cells and rows, each accepted with
 * probability min(1, e^(-dE / 2T)), E the noise-weighted squared error of marginals and queries together and T the temperature of
 * gibbs.c. So a query without cell structure needs no more than its answer under a change. The moves:
 *   copy   a cell takes the value of its column in another row, drawn uniformly: values come as often as the table has them,
 *          which plays the part of the reference measure;
 *   swap   two rows exchange their values of a column: all 1-ways stay as they are;
 *   row    a row becomes a copy of another.
 * Under rules a cell takes the columns that are functions of it along, and a move that would break a rule is not made; a copied
 * row keeps the rules as its model does. So rows that kept them still do.
 * No move makes a value that the table did not have, so what the finest 1-ways said of a column survives. Copies and rows are not
 * reversible chains: this is annealing toward a better table, not sampling, and what it yields is judged by its error. Everything
 * here is post-processing. */
#include "query_fit.h"

#include "genetic.h"
#include "random_internal.h"
#include "row_check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const NAME = "nw_synth_fit";
enum { PROGRESS_ROWS = 1024 };
static const double SLOW_CHANGE = 0.001; /* of the published last search */

typedef struct engine {
    nw__fit_items items;
    nw__tally tally;
    size_t columns;
    size_t rows;
    uint16_t *table; /* row-major */
    uint16_t *saved; /* two rows */
    nw__row_check check;
    double inverse_heat; /* 1 / 2T in the energy's unit */
    nw_rng *rng;
} engine;

static void engine_clear(engine *e)
{
    nw__tally_clear(&e->tally);
    nw__fit_items_clear(&e->items);
    nw__row_check_clear(&e->check);
    free(e->table);
    free(e->saved);
}

static size_t below(engine *e, size_t bound)
{
    return (size_t)(((unsigned __int128)nw__rng_u64(e->rng) * bound) >> 64);
}

/* The rule of gibbs.c at the average precision of all pairs and queries. The energy's weights are 1 / sigma^2 with sigma in rows,
 * those of the rule in records: the square of rows / total; and a table of fewer rows moves in larger steps, the rule's share. */
static double inverse_heat_of(const nw__query_fit *fit)
{
    double precision = 0.0;
    size_t n = 0;
    for (size_t i = fit->measured->plan.one_ways; i < fit->measured->plan.marginal_count; i++, n++)
        precision += 1.0 / (fit->measured->plan.marginals[i].sigma * fit->measured->plan.marginals[i].sigma);
    for (size_t i = 0; i < fit->measured->queries.count; i++, n++)
        precision += 1.0 / (fit->measured->queries.sigma[i] * fit->measured->queries.sigma[i]);
    const double temperature = nw__gibbs_temperature(sqrt((double)n / precision));
    return (double)fit->rows / fit->total / (2.0 * temperature);
}

static nw_status engine_make(engine *e, const nw__query_fit *fit, const nw_table *table, nw_rng *rng, nw_error *err)
{
    const nw_queries *q = fit->measured->queries.queries;
    *e = (engine){ .columns = q->columns, .rows = fit->rows, .inverse_heat = inverse_heat_of(fit), .rng = rng };
    e->table = nw__calloc(e->rows, e->columns * sizeof *e->table);
    e->saved = nw__calloc(e->columns, 2 * sizeof *e->saved);
    uint16_t *codes = nw__calloc(e->rows, sizeof *codes);
    const bool has_check = nw__row_check_make(&e->check, fit->measured->schema);
    nw_status status = !has_check || e->table == NULL || e->saved == NULL || codes == NULL ? nw__fail_memory(err, NAME)
                                                                                           : nw__rng_begin(rng, err);
    for (size_t j = 0; status == NW_OK && j < e->columns; j++) {
        status = nw_table_get(table, j, 0, e->rows, codes, err);
        for (size_t i = 0; status == NW_OK && i < e->rows; i++)
            e->table[i * e->columns + j] = codes[i];
    }
    free(codes);
    if (status == NW_OK)
        status =
            nw__fit_items_make(&e->items, &fit->measured->plan, fit->measured, fit->total, fit->rows, NW__TARGET_WEIGHTED, err);
    if (status == NW_OK && !nw__tally_make(&e->tally, e->items.items, e->items.count, e->columns))
        status = nw__fail_memory(err, NAME);
    for (size_t i = 0; status == NW_OK && i < e->rows; i++)
        nw__tally_add_row(&e->tally, e->table + i * e->columns, 1.0f);
    return status;
}

nw_status nw__query_store(nw_table *table, const uint16_t *rows_of_codes, nw_error *err)
{
    const size_t rows = nw_table_rows(table);
    const size_t columns = nw_schema_columns(nw_table_schema(table));
    uint16_t *codes = nw__calloc(rows, sizeof *codes);
    nw_status status = codes == NULL ? nw__fail_memory(err, NAME) : NW_OK;
    for (size_t j = 0; status == NW_OK && j < columns; j++) {
        for (size_t i = 0; i < rows; i++)
            codes[i] = rows_of_codes[i * columns + j];
        status = nw_table_set(table, j, 0, rows, codes, err);
    }
    free(codes);
    return status;
}

static bool is_accepted(engine *e, double change)
{
    const double uniform = ((double)nw__rng_u32(e->rng) + 0.5) * 0x1p-32;
    return change <= 0.0 || uniform < exp(-change * e->inverse_heat);
}

/* The columns that change with `column`. */
static const size_t *bundle_of(const engine *e, const size_t *column, size_t *n)
{
    *n = e->check.rules == NULL ? 1 : e->check.bundle_size[*column];
    return *n == 1 ? column : e->check.bundle + *column * e->columns;
}

static double move(engine *e, uint16_t *row, size_t column, uint16_t code)
{
    const double change = nw__tally_move(&e->tally, row, column, code);
    row[column] = code;
    return change;
}

/* Gives columns of a row the codes of another. */
static double move_all(engine *e, uint16_t *row, const size_t *columns, size_t n, const uint16_t *codes)
{
    double change = 0.0;
    for (size_t i = 0; i < n; i++)
        change += move(e, row, columns[i], codes[columns[i]]);
    return change;
}

static bool keeps_rules(engine *e, const uint16_t *row, const size_t *columns, size_t n)
{
    return nw__row_check_allows(&e->check, row, columns, n);
}

static void try_cell(engine *e, uint16_t *row, size_t column, uint16_t code)
{
    const uint16_t old = row[column];
    if (old == code || !is_accepted(e, nw__tally_look(&e->tally, row, column, code)))
        return;
    nw__tally_move(&e->tally, row, column, code);
    row[column] = code;
    if (!keeps_rules(e, row, &column, 1))
        move(e, row, column, old);
}

/* The same of columns that change together. */
static void try_cells(engine *e, uint16_t *row, const uint16_t *other, const size_t *columns, size_t n)
{
    memcpy(e->saved, row, e->columns * sizeof *row);
    const double change = move_all(e, row, columns, n, other);
    if (!is_accepted(e, change) || !keeps_rules(e, row, columns, n))
        move_all(e, row, columns, n, e->saved);
}

static void try_swap(engine *e, uint16_t *row, uint16_t *other, const size_t *columns, size_t n)
{
    uint16_t *saved = e->saved;
    uint16_t *saved_other = e->saved + e->columns;
    if (row == other || row[columns[0]] == other[columns[0]])
        return;
    memcpy(saved, row, e->columns * sizeof *row);
    memcpy(saved_other, other, e->columns * sizeof *row);
    double change = move_all(e, row, columns, n, saved_other);
    change += move_all(e, other, columns, n, saved);
    if (is_accepted(e, change) && keeps_rules(e, row, columns, n) && keeps_rules(e, other, columns, n))
        return;
    move_all(e, other, columns, n, saved_other);
    move_all(e, row, columns, n, saved);
}

static void try_row(engine *e, uint16_t *row, const uint16_t *other)
{
    double change = 0.0;
    memcpy(e->saved, row, e->columns * sizeof *row);
    for (size_t j = 0; j < e->columns; j++)
        change += move(e, row, j, other[j]);
    if (is_accepted(e, change))
        return;
    for (size_t j = 0; j < e->columns; j++)
        move(e, row, j, e->saved[j]);
}

/* A row copy costs as many looks as the row has columns: once a row and sweep. */
static void sweep_row(engine *e, size_t i)
{
    uint16_t *row = e->table + i * e->columns;
    for (size_t j = 0; j < e->columns; j++) {
        uint16_t *other = e->table + below(e, e->rows) * e->columns;
        size_t n;
        const size_t *columns = bundle_of(e, &j, &n);
        if ((nw__rng_u32(e->rng) & 1) != 0)
            try_swap(e, row, other, columns, n);
        else if (n == 1)
            try_cell(e, row, j, other[j]);
        else
            try_cells(e, row, other, columns, n);
    }
    try_row(e, row, e->table + below(e, e->rows) * e->columns);
}

nw_status nw__query_polish(const nw__query_fit *fit, nw_table *table, nw_rng *rng, nw_error *err)
{
    engine e = { 0 };
    nw_status status = engine_make(&e, fit, table, rng, err);
    for (unsigned sweep = 0; status == NW_OK && sweep < fit->sweeps; sweep++) {
        for (size_t i = 0; status == NW_OK && i < e.rows; i++) {
            sweep_row(&e, i);
            const double done = ((double)sweep + (double)(i + 1) / (double)e.rows) / fit->sweeps;
            if (i % PROGRESS_ROWS == 0 && fit->progress != NULL && !fit->progress(fit->progress_context, "queries", done))
                status = nw__fail(err, NW_E_CANCELLED, NAME, "stopped by the caller; what was measured stays charged");
        }
    }
    if (status == NW_OK)
        status = nw__query_store(table, e.table, err);
    engine_clear(&e);
    return status;
}

nw_status nw__query_search(
    const nw__query_fit *fit, uint16_t *rows_of_codes, bool has_start, double slow_change, nw_rng *rng, nw_error *err)
{
    const nw_queries *q = fit->measured->queries.queries;
    nw__fit_items f = { 0 };
    nw__tally tally = { 0 };
    uint32_t *cells = nw__calloc(q->columns, sizeof *cells);
    nw__genetic_task task = { nw__genetic_defaults(fit->generations), &tally, q, q->columns, fit->rows, cells, rows_of_codes,
        has_start, fit->progress, fit->progress_context };
    task.settings.slow_change = slow_change;
    nw_status status = cells == NULL ? nw__fail_memory(err, NAME) : NW_OK;
    for (size_t j = 0; status == NW_OK && j < q->columns; j++)
        cells[j] = q->numbers[j].cells;
    if (status == NW_OK)
        status = nw__fit_items_make(&f, &fit->measured->plan, fit->measured, fit->total, fit->rows, NW__TARGET_PUBLISHED, err);
    if (status == NW_OK && !nw__tally_make(&tally, f.items, f.count, q->columns))
        status = nw__fail_memory(err, NAME);
    if (status == NW_OK)
        status = nw__genetic_search(&task, rng, err);
    nw__tally_clear(&tally);
    nw__fit_items_clear(&f);
    free(cells);
    return status;
}

nw_status nw__query_last_search(const nw__query_fit *fit, nw_table *table, nw_rng *rng, nw_error *err)
{
    uint16_t *rows_of_codes = nw__calloc(fit->rows, fit->measured->queries.queries->columns * sizeof *rows_of_codes);
    nw_status status =
        rows_of_codes == NULL ? nw__fail_memory(err, NAME) : nw__query_search(fit, rows_of_codes, false, SLOW_CHANGE, rng, err);
    if (status == NW_OK)
        status = nw__query_store(table, rows_of_codes, err);
    free(rows_of_codes);
    return status;
}
