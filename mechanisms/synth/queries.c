/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* queries.c - the numbers that codes stand for, and the list of workloads: functions of the schema and the caller's arguments. */
#include "queries_internal.h"

#include "table_internal.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define MOST_CELLS (UINT64_C(1) << 28)

const char *nw_query_kind_name(nw_query_kind kind)
{
    switch (kind) {
    case NW_QUERY_MARGINAL: return "marginal";
    case NW_QUERY_CONJUNCTION: return "conjunction";
    case NW_QUERY_HALFSPACE: return "halfspace";
    case NW_QUERY_PREDICATE: return "predicate";
    }
    return "unknown kind of query";
}

/* The middle of a code's values, scaled by the bounds, on the grid of 2^-24. Increasing in the code, as each step is. */
static double number_of(const nw_schema *schema, size_t column, uint32_t code)
{
    const nw_column c = nw_schema_column(schema, column);
    double low, high;
    nw_schema_range(schema, column, code, &low, &high);
    if (isnan(low))
        return NAN;
    if (!(c.upper > c.lower))
        return 0.0;
    /* halves, so that no bound is too large to subtract */
    const double middle = 0.5 * low + 0.5 * high;
    const double scaled = (0.5 * middle - 0.5 * c.lower) / (0.5 * c.upper - 0.5 * c.lower);
    return ldexp(nearbyint(ldexp(fmin(1.0, fmax(0.0, scaled)), NW__NUMBER_BITS)), -NW__NUMBER_BITS);
}

static bool load_column(nw__column_numbers *n, const nw_schema *schema, size_t j)
{
    const nw_column c = nw_schema_column(schema, j);
    n->is_numeric = c.type == NW_COLUMN_INT || c.type == NW_COLUMN_FLOAT || c.type == NW_COLUMN_DATE;
    n->cells = c.cells;
    n->values = c.cells - (c.is_nullable ? 1 : 0);
    if (!n->is_numeric)
        return true;
    n->numbers = nw__calloc(c.cells, sizeof *n->numbers);
    for (uint32_t v = 0; n->numbers != NULL && v < c.cells; v++)
        n->numbers[v] = number_of(schema, j, v);
    return n->numbers != NULL;
}

nw_status nw_queries_new(nw_queries **out, const nw_schema *schema, nw_error *err)
{
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    if (schema == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "schema is NULL");
    nw_queries *q = nw__calloc(1, sizeof *q);
    if (q == NULL)
        return nw__fail_memory(err, __func__);
    q->references = 1;
    q->schema = (nw_schema *)(uintptr_t)nw__schema_share(schema);
    q->columns = nw_schema_columns(schema);
    q->numbers = nw__calloc(q->columns, sizeof *q->numbers);
    bool is_ok = q->numbers != NULL;
    for (size_t j = 0; is_ok && j < q->columns; j++)
        is_ok = load_column(&q->numbers[j], schema, j);
    if (!is_ok) {
        nw_queries_free(q);
        return nw__fail_memory(err, __func__);
    }
    *out = q;
    return NW_OK;
}

nw_status nw__queries_of_cells(nw_queries **out, const uint32_t *cells, size_t columns, nw_error *err)
{
    nw_queries *q = nw__calloc(1, sizeof *q);
    *out = NULL;
    if (q != NULL)
        q->numbers = nw__calloc(columns, sizeof *q->numbers);
    if (q == NULL || q->numbers == NULL) {
        free(q);
        return nw__fail_memory(err, "nw_synth_fit");
    }
    q->references = 1;
    q->columns = columns;
    for (size_t j = 0; j < columns; j++)
        q->numbers[j].cells = q->numbers[j].values = cells[j];
    *out = q;
    return NW_OK;
}

const nw_queries *nw__queries_share(const nw_queries *queries)
{
    __atomic_fetch_add(&((nw_queries *)(uintptr_t)queries)->references, 1, __ATOMIC_RELAXED);
    return queries;
}

void nw_queries_free(nw_queries *q)
{
    if (q == NULL || __atomic_fetch_sub(&q->references, 1, __ATOMIC_ACQ_REL) != 1)
        return;
    for (size_t j = 0; q->numbers != NULL && j < q->columns; j++) {
        free(q->numbers[j].numbers);
        for (size_t l = 0; l < sizeof q->numbers[j].maps / sizeof *q->numbers[j].maps; l++)
            free(q->numbers[j].maps[l]);
    }
    free(q->numbers);
    free(q->workloads);
    free(q->axes);
    free(q->terms);
    free(q->thetas);
    free(q->read);
    free(q->recipes);
    nw_schema_free(q->schema);
    free(q);
}

size_t nw_queries_workloads(const nw_queries *q)
{
    return q->count;
}

size_t nw_queries_cells(const nw_queries *q)
{
    return q->cells;
}

nw_query_workload nw_queries_get(const nw_queries *q, size_t i)
{
    const nw__workload *w = &q->workloads[i];
    size_t columns = w->count + (w->label != NW__NO_COLUMN);
    for (size_t j = 0; w->kind == NW_QUERY_HALFSPACE && j < q->columns; j++)
        columns += q->numbers[j].is_numeric;
    return (nw_query_workload){ w->kind, w->cells, w->label, columns,
        w->kind == NW_QUERY_PREDICATE ? (double)NW__PREDICATE_UNIT : 1.0 };
}

/* One record is in at most one cell, with a weight in [0, 1]: added or removed it moves the counts by at most 1. Replaced it may
 * leave one cell and enter another, sqrt(1 + 1); where there is one cell only, its weight changes by at most 1. */
nw_sensitivity nw_queries_sensitivity(const nw_queries *q, size_t i, nw_adjacency adjacency)
{
    if (adjacency != NW_REPLACE_ONE)
        return (nw_sensitivity){ 1.0, NW_ADD_REMOVE };
    return (nw_sensitivity){ q->workloads[i].cells == 1 ? 1.0 : nextafter(sqrt(2.0), 2.0), NW_REPLACE_ONE };
}

static void hash_words(crypto_generichash_state *state, const void *bytes, size_t n)
{
    crypto_generichash_update(state, (const uint8_t *)&n, sizeof n);
    crypto_generichash_update(state, bytes, n);
}

/* Field by field, for structures have padding. */
void nw__queries_hash(const nw_queries *q, crypto_generichash_state *state)
{
    for (size_t i = 0; i < q->count; i++) {
        const nw__workload *w = &q->workloads[i];
        const uint64_t head[] = { (uint64_t)w->kind, w->cells, w->label, w->first, w->count };
        hash_words(state, head, sizeof head);
        hash_words(state, &w->bound, sizeof w->bound);
    }
    for (size_t i = 0; i < q->axis_count; i++) {
        const nw__axis *a = &q->axes[i];
        hash_words(state, &a->column, sizeof a->column);
        hash_words(state, &a->parts, sizeof a->parts);
        hash_words(state, a->map, a->map == NULL ? 0 : q->numbers[a->column].cells * sizeof *a->map);
    }
    for (size_t i = 0; i < q->term_count; i++) {
        const uint64_t term[] = { q->terms[i].column, q->terms[i].low, q->terms[i].high };
        hash_words(state, term, sizeof term);
    }
    hash_words(state, q->thetas, q->theta_count * q->columns * sizeof *q->thetas);
    hash_words(state, q->read, q->read_count * sizeof *q->read);
}

nw__queries_mark nw__queries_mark_now(const nw_queries *q)
{
    return (nw__queries_mark){ q->count, q->cells, q->axis_count, q->term_count, q->theta_count, q->read_count };
}

void nw__queries_go_back(nw_queries *q, nw__queries_mark mark)
{
    q->count = mark.count;
    q->cells = mark.cells;
    q->axis_count = mark.axis_count;
    q->term_count = mark.term_count;
    q->theta_count = mark.theta_count;
    q->read_count = mark.read_count;
}

/* Room for `more` items behind `count`; false if memory lacks. */
static bool reserve(void **items, size_t count, size_t *capacity, size_t more, size_t item_size)
{
    if (more <= *capacity - count)
        return true;
    const size_t wanted = count + more > 2 * *capacity ? count + more : 2 * *capacity;
    void *grown = nw__realloc_array(*items, wanted, item_size);
    if (grown == NULL)
        return false;
    *items = grown;
    *capacity = wanted;
    return true;
}
#define RESERVE(items, count, capacity, more) reserve((void **)&(items), count, &(capacity), more, sizeof *(items))

nw_status nw__queries_expect(nw_queries *q, const char *name, nw_error *err)
{
    return RESERVE(q->recipes, q->recipe_count, q->recipe_capacity, 1) ? NW_OK : nw__fail_memory(err, name);
}

nw_status nw__queries_note(nw_queries *q, nw__queries_mark mark, nw__recipe recipe, nw_status status)
{
    if (status == NW_OK)
        q->recipes[q->recipe_count++] = recipe;
    else
        nw__queries_go_back(q, mark);
    return status;
}

static nw_status push(nw_queries *q, nw__workload w, const char *name, nw_error *err)
{
    if (q->count >= NW__MOST_WORKLOADS || q->cells + w.cells > MOST_CELLS)
        return nw__fail(err, NW_E_ARG, name, "too many queries, must be at most 2^24 workloads of 2^28 cells in all");
    if (!RESERVE(q->workloads, q->count, q->capacity, 1))
        return nw__fail_memory(err, name);
    q->workloads[q->count++] = w;
    q->cells += w.cells;
    return NW_OK;
}

uint32_t nw__queries_parts(const nw_queries *q, size_t column, unsigned level)
{
    const nw__column_numbers *n = &q->numbers[column];
    return level == 0 ? n->cells : (UINT32_C(1) << level) + (n->cells - n->values);
}

uint32_t nw__queries_codes_below(const nw_queries *q, size_t column, double x)
{
    const nw__column_numbers *n = &q->numbers[column];
    uint32_t low = 0;
    uint32_t high = n->values;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (n->numbers[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* floor(x 2^level), exact; x = 1 belongs to the last part, and "missing" is the one after it. */
static const uint16_t *level_map(nw_queries *q, size_t column, unsigned level)
{
    nw__column_numbers *n = &q->numbers[column];
    if (n->maps[level] != NULL)
        return n->maps[level];
    const uint32_t parts = UINT32_C(1) << level;
    uint16_t *map = nw__calloc(n->cells, sizeof *map);
    for (uint32_t v = 0; map != NULL && v < n->cells; v++)
        map[v] = (uint16_t)(v >= n->values ? parts : (uint32_t)fmin(parts - 1, floor(ldexp(n->numbers[v], (int)level))));
    return n->maps[level] = map;
}

nw_status nw__queries_push_axes(nw_queries *q, const nw__axis *axes, size_t k, const char *name, nw_error *err)
{
    if (!RESERVE(q->axes, q->axis_count, q->axis_capacity, k))
        return nw__fail_memory(err, name);
    NW__TRY(push(q,
        (nw__workload){ .kind = NW_QUERY_MARGINAL,
            .cells = axes[0].parts * axes[0].stride,
            .label = NW__NO_COLUMN,
            .first = q->axis_count,
            .count = k },
        name, err));
    memcpy(q->axes + q->axis_count, axes, k * sizeof *axes);
    q->axis_count += k;
    return NW_OK;
}

nw_status nw__queries_push_cells(
    nw_queries *q, const size_t *columns, const unsigned *levels, size_t k, const char *name, nw_error *err)
{
    nw__axis axes[NW__MOST_TERMS];
    uint32_t stride = 1;
    for (size_t i = k; i-- > 0;) { /* the last column's cells lie next to each other */
        const uint16_t *map = levels[i] == 0 ? NULL : level_map(q, columns[i], levels[i]);
        if (levels[i] > 0 && map == NULL)
            return nw__fail_memory(err, name);
        axes[i] = (nw__axis){ columns[i], map, nw__queries_parts(q, columns[i], levels[i]), stride };
        stride *= axes[i].parts;
    }
    return nw__queries_push_axes(q, axes, k, name, err);
}

static uint32_t label_cells(const nw_queries *q, size_t label)
{
    return label == NW__NO_COLUMN ? 1 : q->numbers[label].cells;
}

nw_status nw__queries_push_terms(
    nw_queries *q, const nw_query_term *terms, size_t n, size_t label, const char *name, nw_error *err)
{
    if (!RESERVE(q->terms, q->term_count, q->term_capacity, n))
        return nw__fail_memory(err, name);
    NW__TRY(push(q,
        (nw__workload){
            .kind = NW_QUERY_CONJUNCTION, .cells = label_cells(q, label), .label = label, .first = q->term_count, .count = n },
        name, err));
    memcpy(q->terms + q->term_count, terms, n * sizeof *terms);
    q->term_count += n;
    return NW_OK;
}

nw_status nw__queries_push_halfspace(
    nw_queries *q, const double *theta, double bound, size_t label, const char *name, nw_error *err)
{
    double *thetas = q->thetas;
    size_t capacity = q->theta_capacity * q->columns;
    if (!reserve((void **)&thetas, q->theta_count * q->columns, &capacity, q->columns, sizeof *thetas))
        return nw__fail_memory(err, name);
    q->thetas = thetas;
    q->theta_capacity = capacity / q->columns;
    NW__TRY(push(q,
        (nw__workload){
            .kind = NW_QUERY_HALFSPACE, .cells = label_cells(q, label), .label = label, .first = q->theta_count, .bound = bound },
        name, err));
    memcpy(q->thetas + q->theta_count * q->columns, theta, q->columns * sizeof *theta);
    q->theta_count++;
    return NW_OK;
}

static nw_status check_columns(
    const nw_queries *q, const size_t *columns, size_t n, const char *what, const char *name, nw_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (columns[i] >= q->columns)
            return nw__fail(err, NW_E_ARG, name, "%s %zu: column is %zu, must be below %zu", what, i, columns[i], q->columns);
        for (size_t k = 0; k < i; k++)
            if (columns[k] == columns[i])
                return nw__fail(err, NW_E_ARG, name, "%s %zu: column %zu was named before, must be another", what, i, columns[i]);
    }
    return NW_OK;
}

nw_status nw_queries_add_conjunction(nw_queries *q, const nw_query_term *terms, size_t n, size_t label, nw_error *err)
{
    size_t columns[NW__MOST_TERMS];
    if (q == NULL || terms == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", q == NULL ? "queries" : "terms");
    if (n < 1 || n > NW__MOST_TERMS)
        return nw__fail(err, NW_E_ARG, __func__, "n is %zu, must be in 1..%d", n, NW__MOST_TERMS);
    for (size_t i = 0; i < n; i++)
        columns[i] = terms[i].column;
    NW__TRY(check_columns(q, columns, n, "term", __func__, err));
    for (size_t i = 0; i < n; i++)
        if (terms[i].low >= terms[i].high || terms[i].high > q->numbers[columns[i]].cells)
            return nw__fail(err, NW_E_ARG, __func__, "term %zu is [%u, %u), must be an interval of codes within [0, %u)", i,
                terms[i].low, terms[i].high, q->numbers[columns[i]].cells);
    if (label != NW__NO_COLUMN && (label >= q->columns || q->numbers[label].is_numeric))
        return nw__fail(err, NW_E_ARG, __func__, "label is %zu, must be a categorical column or SIZE_MAX", label);
    for (size_t i = 0; i < n; i++)
        if (columns[i] == label)
            return nw__fail(err, NW_E_ARG, __func__, "label is %zu, must be a column without a term", label);
    NW__TRY(nw__queries_expect(q, __func__, err));
    const nw__queries_mark mark = nw__queries_mark_now(q);
    const nw__recipe recipe = { .kind = NW__RECIPE_CONJUNCTION, .count = q->count };
    return nw__queries_note(q, mark, recipe, nw__queries_push_terms(q, terms, n, label, __func__, err));
}

nw_status nw_queries_add_predicate(
    nw_queries *q, nw_query_function function, void *borrowed_context, const size_t *columns, size_t n, nw_error *err)
{
    if (q == NULL || function == NULL || columns == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", q == NULL ? "queries" : function == NULL ? "function" : "columns");
    if (n < 1 || n > q->columns)
        return nw__fail(err, NW_E_ARG, __func__, "n is %zu, must be in 1..%zu, the number of columns", n, q->columns);
    NW__TRY(check_columns(q, columns, n, "item", __func__, err));
    if (!RESERVE(q->read, q->read_count, q->read_capacity, n))
        return nw__fail_memory(err, __func__);
    NW__TRY(nw__queries_expect(q, __func__, err));
    NW__TRY(push(q,
        (nw__workload){ .kind = NW_QUERY_PREDICATE,
            .cells = 1,
            .label = NW__NO_COLUMN,
            .first = q->read_count,
            .count = n,
            .predicate = { function, borrowed_context } },
        __func__, err));
    memcpy(q->read + q->read_count, columns, n * sizeof *columns);
    q->read_count += n;
    q->recipes[q->recipe_count++] = (nw__recipe){ .kind = NW__RECIPE_PREDICATE };
    return NW_OK;
}
