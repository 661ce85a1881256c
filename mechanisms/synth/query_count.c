/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* query_count.c - which cell of a workload a record is in, and exact counts over a table. One record at a time is the definition;
 * blocks of records are the same, faster. */
#include "queries_internal.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_ROWS = 4096 };

bool nw__record_make(nw__record *record, size_t columns)
{
    record->codes = nw__calloc(columns, sizeof *record->codes);
    record->numbers = nw__calloc(columns, sizeof *record->numbers);
    for (size_t j = 0; record->numbers != NULL && j < columns; j++)
        record->numbers[j] = NAN;
    return record->codes != NULL && record->numbers != NULL;
}

void nw__record_clear(nw__record *record, size_t columns)
{
    nw__free_wiped(record->codes, columns * sizeof *record->codes);
    nw__free_wiped(record->numbers, columns * sizeof *record->numbers);
    *record = (nw__record){ 0 };
}

static uint32_t units_of(double weight)
{
    if (!(weight > 0.0)) /* NaN counts 0 */
        return 0;
    return (uint32_t)floor(fmin(1.0, weight) * NW__PREDICATE_UNIT + 0.5);
}

/* The function sees the columns that it named and nothing else, so that what it did not name cannot matter. */
static uint32_t predicate_weight(const nw_queries *q, const nw__workload *w, const uint16_t *codes, nw__record *scratch)
{
    const size_t *columns = q->read + w->first;
    for (size_t i = 0; i < w->count; i++) {
        const nw__column_numbers *n = &q->numbers[columns[i]];
        scratch->codes[columns[i]] = codes[columns[i]];
        scratch->numbers[columns[i]] = n->is_numeric ? n->numbers[codes[columns[i]]] : NAN;
    }
    const nw_query_record record = { scratch->codes, scratch->numbers, q->columns };
    const uint32_t weight = units_of(w->predicate.function(&record, w->predicate.context));
    for (size_t i = 0; i < w->count; i++) {
        scratch->codes[columns[i]] = 0;
        scratch->numbers[columns[i]] = NAN;
    }
    return weight;
}

static bool is_in_terms(const nw_queries *q, const nw__workload *w, const uint16_t *codes)
{
    for (const nw_query_term *t = q->terms + w->first; t < q->terms + w->first + w->count; t++)
        if (codes[t->column] < t->low || codes[t->column] >= t->high)
            return false;
    return true;
}

/* Products of multiples of 2^-20 below 2^4 and of 2^-24 in [0, 1], and sums of 1024 of them, are doubles: exact in any order. */
static bool is_in_halfspace(const nw_queries *q, const nw__workload *w, const uint16_t *codes)
{
    const double *theta = q->thetas + w->first * q->columns;
    double sum = 0.0;
    for (size_t j = 0; j < q->columns; j++)
        if (q->numbers[j].is_numeric)
            sum += theta[j] * q->numbers[j].numbers[codes[j]];
    return sum > w->bound; /* false if a value is missing: NaN */
}

uint32_t nw__workload_cell(
    const nw_queries *q, const nw__workload *w, const uint16_t *codes, nw__record *scratch, uint32_t *weight)
{
    const uint32_t labelled = w->label == NW__NO_COLUMN ? 0 : codes[w->label];
    uint32_t cell = 0;
    *weight = 1;
    switch (w->kind) {
    case NW_QUERY_CONJUNCTION: return is_in_terms(q, w, codes) ? labelled : NW__NO_CELL;
    case NW_QUERY_HALFSPACE: return is_in_halfspace(q, w, codes) ? labelled : NW__NO_CELL;
    case NW_QUERY_PREDICATE: *weight = predicate_weight(q, w, codes, scratch); return 0;
    case NW_QUERY_MARGINAL: break;
    }
    for (const nw__axis *a = q->axes + w->first; a < q->axes + w->first + w->count; a++)
        cell += (a->map == NULL ? codes[a->column] : a->map[codes[a->column]]) * a->stride;
    return cell;
}

/* What one thread needs to count one workload over a block. */
typedef struct workspace {
    double *sums;    /* [BLOCK_ROWS] */
    uint32_t *cells; /* [BLOCK_ROWS] */
    uint8_t *are_in; /* [BLOCK_ROWS] */
    uint16_t *codes_of_row;
    nw__record record;
} workspace;

/* A block of records, column by column, shared by all threads. */
typedef struct block {
    size_t rows;
    uint16_t *codes; /* [columns][BLOCK_ROWS] */
    double *numbers; /* the same, of numeric columns */
    workspace *workspaces;
    size_t threads;
} block;

static void workspace_clear(workspace *w, size_t columns)
{
    nw__free_wiped(w->sums, BLOCK_ROWS * sizeof *w->sums);
    nw__free_wiped(w->cells, BLOCK_ROWS * sizeof *w->cells);
    nw__free_wiped(w->are_in, BLOCK_ROWS);
    nw__free_wiped(w->codes_of_row, columns * sizeof *w->codes_of_row);
    nw__record_clear(&w->record, columns);
}

static bool workspace_make(workspace *w, size_t columns)
{
    w->sums = nw__calloc(BLOCK_ROWS, sizeof *w->sums);
    w->cells = nw__calloc(BLOCK_ROWS, sizeof *w->cells);
    w->are_in = nw__calloc(BLOCK_ROWS, 1);
    w->codes_of_row = nw__calloc(columns, sizeof *w->codes_of_row);
    const bool has_record = nw__record_make(&w->record, columns);
    return has_record && w->sums != NULL && w->cells != NULL && w->are_in != NULL && w->codes_of_row != NULL;
}

static void block_clear(block *b, size_t columns)
{
    nw__free_wiped(b->codes, columns * BLOCK_ROWS * sizeof *b->codes);
    nw__free_wiped(b->numbers, columns * BLOCK_ROWS * sizeof *b->numbers);
    for (size_t t = 0; b->workspaces != NULL && t < b->threads; t++)
        workspace_clear(&b->workspaces[t], columns);
    free(b->workspaces);
}

static bool block_make(block *b, size_t columns, size_t threads)
{
    *b = (block){ .threads = threads };
    b->codes = nw__calloc(columns, BLOCK_ROWS * sizeof *b->codes);
    b->numbers = nw__calloc(columns, BLOCK_ROWS * sizeof *b->numbers);
    b->workspaces = nw__calloc(threads, sizeof *b->workspaces);
    bool is_ok = b->codes != NULL && b->numbers != NULL && b->workspaces != NULL;
    for (size_t t = 0; is_ok && t < threads; t++)
        is_ok = workspace_make(&b->workspaces[t], columns);
    return is_ok;
}

static void count_marginal(const nw_queries *q, const nw__workload *w, const block *b, workspace *own, int64_t *counts)
{
    memset(own->cells, 0, b->rows * sizeof *own->cells);
    for (const nw__axis *a = q->axes + w->first; a < q->axes + w->first + w->count; a++) {
        const uint16_t *codes = b->codes + a->column * BLOCK_ROWS;
        if (a->map == NULL)
            for (size_t i = 0; i < b->rows; i++)
                own->cells[i] += codes[i] * a->stride;
        else
            for (size_t i = 0; i < b->rows; i++)
                own->cells[i] += a->map[codes[i]] * a->stride;
    }
    for (size_t i = 0; i < b->rows; i++)
        counts[own->cells[i]]++;
}

NW__CLONES
static void find_in_interval(uint8_t *are_in, const uint16_t *codes, size_t rows, uint16_t low, uint16_t last, bool is_first)
{
    const uint16_t width = (uint16_t)(last - low);
    for (size_t i = 0; i < rows; i++)
        are_in[i] = (uint8_t)((uint16_t)(codes[i] - low) <= width) & (uint8_t)(are_in[i] | is_first);
}

NW__CLONES
static void add_products(double *sums, const double *numbers, size_t rows, double theta)
{
    for (size_t i = 0; i < rows; i++)
        sums[i] += theta * numbers[i];
}

static void find_in_halfspace(const nw_queries *q, const nw__workload *w, const block *b, workspace *own)
{
    memset(own->sums, 0, b->rows * sizeof *own->sums);
    for (size_t j = 0; j < q->columns; j++)
        if (q->numbers[j].is_numeric)
            add_products(own->sums, b->numbers + j * BLOCK_ROWS, b->rows, q->thetas[w->first * q->columns + j]);
    for (size_t i = 0; i < b->rows; i++)
        own->are_in[i] = own->sums[i] > w->bound;
}

static void find_in_terms(const nw_queries *q, const nw__workload *w, const block *b, workspace *own)
{
    for (size_t i = 0; i < w->count; i++) {
        const nw_query_term *t = &q->terms[w->first + i];
        find_in_interval(
            own->are_in, b->codes + t->column * BLOCK_ROWS, b->rows, (uint16_t)t->low, (uint16_t)(t->high - 1), i == 0);
    }
}

static void count_gated(const nw__workload *w, const block *b, const workspace *own, int64_t *counts)
{
    if (w->label == NW__NO_COLUMN) {
        for (size_t i = 0; i < b->rows; i++)
            counts[0] += own->are_in[i];
        return;
    }
    const uint16_t *labels = b->codes + w->label * BLOCK_ROWS;
    for (size_t i = 0; i < b->rows; i++)
        counts[labels[i]] += own->are_in[i];
}

static void count_predicate(const nw_queries *q, const nw__workload *w, const block *b, workspace *own, int64_t *counts)
{
    const size_t *columns = q->read + w->first;
    for (size_t i = 0; i < b->rows; i++) {
        for (size_t k = 0; k < w->count; k++)
            own->codes_of_row[columns[k]] = b->codes[columns[k] * BLOCK_ROWS + i];
        counts[0] += predicate_weight(q, w, own->codes_of_row, &own->record);
    }
}

static void count_block(const nw_queries *q, const nw__workload *w, const block *b, workspace *own, int64_t *counts)
{
    switch (w->kind) {
    case NW_QUERY_MARGINAL: count_marginal(q, w, b, own, counts); return;
    case NW_QUERY_CONJUNCTION: find_in_terms(q, w, b, own); break;
    case NW_QUERY_HALFSPACE: find_in_halfspace(q, w, b, own); break;
    case NW_QUERY_PREDICATE: count_predicate(q, w, b, own, counts); return;
    }
    count_gated(w, b, own, counts);
}

static nw_status load_block(block *b, const nw_queries *q, const nw_table *table, size_t first, nw_error *err)
{
    const size_t left = nw_table_rows(table) - first;
    b->rows = left < BLOCK_ROWS ? left : BLOCK_ROWS;
    for (size_t j = 0; j < q->columns; j++) {
        uint16_t *codes = b->codes + j * BLOCK_ROWS;
        NW__TRY(nw_table_get(table, j, first, b->rows, codes, err));
        for (size_t i = 0; q->numbers[j].is_numeric && i < b->rows; i++)
            b->numbers[j * BLOCK_ROWS + i] = q->numbers[j].numbers[codes[i]];
    }
    return NW_OK;
}

/* Each workload is one thread's: counts are sums of integers of its own, whoever adds them. */
nw_status nw__queries_count(const nw_queries *q, const nw_table *table, const size_t *chosen, int64_t *const *counts, size_t n,
    unsigned threads, const char *name, nw_error *err)
{
    block b;
    const int team = nw__threads((int)threads);
    nw_status status = block_make(&b, q->columns, (size_t)team) ? NW_OK : nw__fail_memory(err, name);
    for (size_t first = 0; status == NW_OK && first < nw_table_rows(table); first += BLOCK_ROWS) {
        status = load_block(&b, q, table, first, err);
        if (status != NW_OK)
            break;
#pragma omp parallel for schedule(dynamic, 16) num_threads(team)
        for (size_t i = 0; i < n; i++)
            count_block(q, &q->workloads[chosen[i]], &b, &b.workspaces[omp_get_thread_num()], counts[i]);
    }
    block_clear(&b, q->columns);
    return status;
}

nw_status nw__queries_count_all(
    const nw_queries *q, const nw_table *table, int64_t *counts, unsigned threads, const char *name, nw_error *err)
{
    int64_t **at = nw__calloc(q->count, sizeof *at);
    size_t *all = nw__calloc(q->count, sizeof *all);
    nw_status status = at == NULL || all == NULL ? nw__fail_memory(err, name) : NW_OK;
    for (size_t i = 0, cell = 0; status == NW_OK && i < q->count; cell += q->workloads[i++].cells) {
        at[i] = counts + cell;
        all[i] = i;
    }
    if (status == NW_OK)
        status = nw__queries_count(q, table, all, at, q->count, threads, name, err);
    free(at);
    free(all);
    return status;
}

nw_status nw_queries_answer(const nw_queries *q, const nw_table *table, double *answers, nw_error *err)
{
    char hash[2][65];
    if (q == NULL || table == NULL || answers == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", q == NULL ? "queries" : table == NULL ? "table" : "answers");
    nw_schema_hash(q->schema, hash[0]);
    nw_schema_hash(nw_table_schema(table), hash[1]);
    if (strcmp(hash[0], hash[1]) != 0)
        return nw__fail(err, NW_E_ARG, __func__, "table has another schema than the one given to nw_queries_new");
    int64_t *counts = nw__calloc(q->cells, sizeof *counts);
    nw_status status =
        counts == NULL ? nw__fail_memory(err, __func__) : nw__queries_count_all(q, table, counts, 0, __func__, err);
    for (size_t i = 0, cell = 0; status == NW_OK && i < q->count; i++)
        for (uint32_t c = 0; c < q->workloads[i].cells; c++, cell++)
            answers[cell] = (double)counts[cell] / (q->workloads[i].kind == NW_QUERY_PREDICATE ? NW__PREDICATE_UNIT : 1);
    nw__free_wiped(counts, q->cells * sizeof *counts);
    return status;
}
