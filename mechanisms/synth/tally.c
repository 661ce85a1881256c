/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* tally.c - answers under change: an index from columns to the workloads that read them. Targets are noisy or synthetic counts:
 * nothing here is private, and single precision is enough. */
#include "tally.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const nw__workload *workload_of(const nw__tally *t, size_t item)
{
    return &t->items[item].queries->workloads[t->items[item].workload];
}

void nw__tally_clear(nw__tally *t)
{
    for (size_t j = 0; t->index != NULL && j < t->columns; j++) {
        free(t->index[j].pairs);
        free(t->index[j].axes);
        free(t->index[j].low);
        free(t->index[j].high);
        free(t->index[j].term_items);
        free(t->index[j].label_items);
        free(t->index[j].predicate_items);
        free(t->index[j].theta);
    }
    free(t->index);
    free(t->items);
    free(t->first_cell);
    free(t->residuals);
    free(t->half_items);
    free(t->bounds);
    free(t->sums);
    free(t->moved_sums);
    free(t->row);
    nw__record_clear(&t->scratch, t->columns);
    *t = (nw__tally){ 0 };
}

static bool is_plain_pair(const nw_queries *q, const nw__workload *w)
{
    const nw__axis *axes = q->axes + w->first;
    return w->count <= 2 && axes[0].map == NULL && axes[w->count - 1].map == NULL;
}

/* How many entries each column's lists will have. */
static void count_entries(nw__tally *t)
{
    for (size_t i = 0; i < t->item_count; i++) {
        const nw_queries *q = t->items[i].queries;
        const nw__workload *w = workload_of(t, i);
        for (size_t k = 0; k < w->count; k++) {
            if (w->kind == NW_QUERY_MARGINAL && is_plain_pair(q, w))
                t->index[q->axes[w->first + k].column].pair_count++;
            else if (w->kind == NW_QUERY_MARGINAL)
                t->index[q->axes[w->first + k].column].axis_count++;
            else if (w->kind == NW_QUERY_CONJUNCTION)
                t->index[q->terms[w->first + k].column].term_count++;
            else
                t->index[q->read[w->first + k]].predicate_count++;
        }
        if (w->kind == NW_QUERY_CONJUNCTION && w->label != NW__NO_COLUMN)
            t->index[w->label].label_count++;
        t->halfspaces += w->kind == NW_QUERY_HALFSPACE;
    }
}

static bool allocate_column(nw__tally *t, nw__column_index *c)
{
    c->pairs = nw__calloc(c->pair_count, sizeof *c->pairs);
    c->axes = nw__calloc(c->axis_count, sizeof *c->axes);
    c->low = nw__calloc(c->term_count, sizeof *c->low);
    c->high = nw__calloc(c->term_count, sizeof *c->high);
    c->term_items = nw__calloc(c->term_count, sizeof *c->term_items);
    c->label_items = nw__calloc(c->label_count, sizeof *c->label_items);
    c->predicate_items = nw__calloc(c->predicate_count, sizeof *c->predicate_items);
    c->theta = c->numbers == NULL ? NULL : nw__calloc(t->halfspaces, sizeof *c->theta);
    return c->pairs != NULL && c->axes != NULL && c->low != NULL && c->high != NULL && c->term_items != NULL &&
           c->label_items != NULL && c->predicate_items != NULL && (c->numbers == NULL || c->theta != NULL);
}

static bool allocate(nw__tally *t)
{
    for (size_t j = 0; j < t->columns; j++) {
        t->index[j].numbers = t->item_count == 0 ? NULL : t->items[0].queries->numbers[j].numbers;
        if (!allocate_column(t, &t->index[j]))
            return false;
    }
    t->half_items = nw__calloc(t->halfspaces, sizeof *t->half_items);
    t->bounds = nw__calloc(t->halfspaces, sizeof *t->bounds);
    t->sums = nw__calloc(t->halfspaces, sizeof *t->sums);
    t->moved_sums = nw__calloc(t->halfspaces, sizeof *t->moved_sums);
    t->row = nw__calloc(t->columns, sizeof *t->row);
    const bool has_record = nw__record_make(&t->scratch, t->columns);
    return has_record && t->half_items != NULL && t->bounds != NULL && t->sums != NULL && t->moved_sums != NULL && t->row != NULL;
}

static void index_marginal(nw__tally *t, size_t item)
{
    const nw_queries *q = t->items[item].queries;
    const nw__workload *w = workload_of(t, item);
    const nw__axis *axes = q->axes + w->first;
    float *residuals = t->residuals + t->first_cell[item];
    const float weight = (float)t->items[item].weight;
    for (size_t k = 0; k < w->count; k++) {
        nw__column_index *c = &t->index[axes[k].column];
        const nw__axis *other = &axes[w->count - 1 - k];
        if (is_plain_pair(q, w))
            c->pairs[c->pair_count++] =
                (nw__pair_entry){ residuals, axes[k].stride, w->count == 1 ? 0 : other->stride, other->column, weight };
        else
            c->axes[c->axis_count++] = (nw__axis_entry){ residuals, axes[k].map, axes[k].stride, weight, axes, w->count };
    }
}

static void index_conjunction(nw__tally *t, size_t item)
{
    const nw__workload *w = workload_of(t, item);
    for (size_t k = 0; k < w->count; k++) {
        const nw_query_term *term = &t->items[item].queries->terms[w->first + k];
        nw__column_index *c = &t->index[term->column];
        c->low[c->term_count] = term->low;
        c->high[c->term_count] = term->high;
        c->term_items[c->term_count++] = item;
    }
    if (w->label != NW__NO_COLUMN)
        t->index[w->label].label_items[t->index[w->label].label_count++] = item;
}

/* Half-spaces stand by label, so that those of a column are neighbours; those without one come last. */
static void index_halfspaces(nw__tally *t)
{
    size_t h = 0;
    for (size_t label = 0; label <= t->columns; label++) {
        if (label < t->columns)
            t->index[label].half_first = h;
        for (size_t i = 0; i < t->item_count; i++) {
            const nw__workload *w = workload_of(t, i);
            if (w->kind != NW_QUERY_HALFSPACE || (w->label == NW__NO_COLUMN ? t->columns : w->label) != label)
                continue;
            for (size_t j = 0; j < t->columns; j++)
                if (t->index[j].theta != NULL)
                    t->index[j].theta[h] = t->items[i].queries->thetas[w->first * t->columns + j];
            t->bounds[h] = w->bound;
            t->half_items[h++] = i;
        }
        if (label < t->columns)
            t->index[label].half_end = h;
    }
}

static void fill_index(nw__tally *t)
{
    for (size_t j = 0; j < t->columns; j++) { /* counted up again as they are filled */
        nw__column_index *c = &t->index[j];
        c->pair_count = c->axis_count = c->term_count = c->label_count = c->predicate_count = 0;
    }
    for (size_t i = 0; i < t->item_count; i++) {
        const nw__workload *w = workload_of(t, i);
        if (w->kind == NW_QUERY_MARGINAL)
            index_marginal(t, i);
        else if (w->kind == NW_QUERY_CONJUNCTION)
            index_conjunction(t, i);
        for (size_t k = 0; w->kind == NW_QUERY_PREDICATE && k < w->count; k++) {
            nw__column_index *c = &t->index[t->items[i].queries->read[w->first + k]];
            c->predicate_items[c->predicate_count++] = i;
        }
    }
    index_halfspaces(t);
}

bool nw__tally_make(nw__tally *t, const nw__tally_item *items, size_t n, size_t columns)
{
    *t = (nw__tally){ .columns = columns, .item_count = n };
    t->items = nw__calloc(n, sizeof *t->items);
    t->first_cell = nw__calloc(n + 1, sizeof *t->first_cell);
    t->index = nw__calloc(columns, sizeof *t->index);
    if (t->items == NULL || t->first_cell == NULL || t->index == NULL)
        return false;
    memcpy(t->items, items, n * sizeof *items);
    for (size_t i = 0; i < n; i++)
        t->first_cell[i + 1] = t->first_cell[i] + workload_of(t, i)->cells;
    t->residuals = nw__calloc(t->first_cell[n], sizeof *t->residuals);
    count_entries(t);
    if (t->residuals == NULL || !allocate(t))
        return false;
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < t->first_cell[i + 1] - t->first_cell[i]; c++)
            t->residuals[t->first_cell[i] + c] = -(float)items[i].targets[c];
    fill_index(t);
    return true;
}

static float units_to_rows(const nw__workload *w, uint32_t weight)
{
    return w->kind == NW_QUERY_PREDICATE ? (float)weight / NW__PREDICATE_UNIT : 1.0f;
}

void nw__tally_add_row(nw__tally *t, const uint16_t *row, float sign)
{
    for (size_t i = 0; i < t->item_count; i++) {
        uint32_t weight;
        const nw__workload *w = workload_of(t, i);
        const uint32_t cell = nw__workload_cell(t->items[i].queries, w, row, &t->scratch, &weight);
        if (cell != NW__NO_CELL)
            t->residuals[t->first_cell[i] + cell] += sign * units_to_rows(w, weight);
    }
}

double nw__tally_energy(const nw__tally *t)
{
    double energy = 0.0;
    for (size_t i = 0; i < t->item_count; i++) {
        double sum = 0.0;
        for (size_t c = t->first_cell[i]; c < t->first_cell[i + 1]; c++)
            sum += (double)t->residuals[c] * (double)t->residuals[c];
        energy += t->items[i].weight * sum;
    }
    return energy;
}

/* Looking at a change and making it are the same walk; `moves` is a constant where it is called. */
#define WALK static inline __attribute__((always_inline)) double

/* One answer changes; returns the change of the energy. */
WALK touch(float *residual, float weight, float change, bool moves)
{
    const double delta = (double)(weight * change * (2.0f * *residual + change));
    if (moves)
        *residual += change;
    return delta;
}

WALK touch_cell(nw__tally *t, size_t item, uint32_t cell, float change, bool moves)
{
    return touch(&t->residuals[t->first_cell[item] + cell], (float)t->items[item].weight, change, moves);
}

WALK walk_pairs(const nw__column_index *c, const uint16_t *row, uint16_t old, uint16_t code, bool moves)
{
    double sum = 0.0;
    for (const nw__pair_entry *e = c->pairs; e < c->pairs + c->pair_count; e++) {
        float *at = e->residuals + (size_t)row[e->other] * e->other_stride;
        float *from = at + (size_t)old * e->stride;
        float *to = at + (size_t)code * e->stride;
        sum += (double)(e->weight * 2.0f * (*to - *from + 1.0f));
        if (moves) {
            *from -= 1.0f;
            *to += 1.0f;
        }
    }
    return sum;
}

WALK walk_axes(const nw__column_index *c, const uint16_t *row, size_t column, uint16_t code, bool moves)
{
    const uint16_t old = row[column];
    double sum = 0.0;
    for (const nw__axis_entry *e = c->axes; e < c->axes + c->axis_count; e++) {
        const uint32_t from = e->map == NULL ? old : e->map[old];
        const uint32_t to = e->map == NULL ? code : e->map[code];
        size_t base = 0;
        if (from == to)
            continue;
        for (const nw__axis *a = e->axes; a < e->axes + e->count; a++)
            if (a->column != column)
                base += (size_t)(a->map == NULL ? row[a->column] : a->map[row[a->column]]) * a->stride;
        sum += touch(e->residuals + base + (size_t)from * e->stride, e->weight, -1.0f, moves);
        sum += touch(e->residuals + base + (size_t)to * e->stride, e->weight, 1.0f, moves);
    }
    return sum;
}

/* Whether all terms but those on `column` hold. */
static bool hold_others(const nw__tally *t, size_t item, const uint16_t *row, size_t column)
{
    const nw__workload *w = workload_of(t, item);
    const nw_query_term *terms = t->items[item].queries->terms + w->first;
    for (size_t k = 0; k < w->count; k++) {
        const uint32_t code = row[terms[k].column];
        if (terms[k].column != column && (code < terms[k].low || code >= terms[k].high))
            return false;
    }
    return true;
}

WALK walk_conjunctions(nw__tally *t, const uint16_t *row, size_t column, uint16_t code, bool moves)
{
    const nw__column_index *c = &t->index[column];
    const uint32_t old = row[column];
    double sum = 0.0;
    for (size_t i = 0; i < c->term_count; i++) {
        const bool was_in = old - c->low[i] < c->high[i] - c->low[i]; /* modulo 2^32 */
        const bool is_in = code - c->low[i] < c->high[i] - c->low[i];
        if (was_in == is_in || !hold_others(t, c->term_items[i], row, column))
            continue;
        const size_t label = workload_of(t, c->term_items[i])->label;
        sum += touch_cell(t, c->term_items[i], label == NW__NO_COLUMN ? 0 : row[label], is_in ? 1.0f : -1.0f, moves);
    }
    for (size_t i = 0; i < c->label_count; i++) {
        if (!hold_others(t, c->label_items[i], row, column))
            continue;
        sum += touch_cell(t, c->label_items[i], old, -1.0f, moves);
        sum += touch_cell(t, c->label_items[i], code, 1.0f, moves);
    }
    return sum;
}

NW__CLONES
static void add_products(double *sums, const double *theta, size_t n, double number)
{
    for (size_t h = 0; h < n; h++)
        sums[h] += theta[h] * number;
}

NW__CLONES
static void move_sums(double *moved, const double *sums, const double *theta, size_t n, double difference)
{
    for (size_t h = 0; h < n; h++)
        moved[h] = sums[h] + theta[h] * difference;
}

/* Sums of the row's numbers but those of `column`, for half-spaces first .. end-1. Exact, so in any order; NaN if one is
 * missing. */
static void sum_others(nw__tally *t, const uint16_t *row, size_t column, size_t first, size_t end)
{
    memset(t->sums + first, 0, (end - first) * sizeof *t->sums);
    for (size_t j = 0; j < t->columns; j++)
        if (j != column && t->index[j].theta != NULL)
            add_products(t->sums + first, t->index[j].theta + first, end - first, t->index[j].numbers[row[j]]);
}

WALK walk_halfspaces(nw__tally *t, const uint16_t *row, size_t column, uint16_t code, bool moves)
{
    const nw__column_index *c = &t->index[column];
    double sum = 0.0;
    if (c->theta == NULL) { /* at most a label */
        if (c->half_end > c->half_first)
            sum_others(t, row, column, c->half_first, c->half_end);
        for (size_t h = c->half_first; h < c->half_end; h++) {
            if (!(t->sums[h] > t->bounds[h]))
                continue;
            sum += touch_cell(t, t->half_items[h], row[column], -1.0f, moves);
            sum += touch_cell(t, t->half_items[h], code, 1.0f, moves);
        }
        return sum;
    }
    if (t->halfspaces == 0)
        return 0.0;
    sum_others(t, row, column, 0, t->halfspaces);
    move_sums(t->moved_sums, t->sums, c->theta, t->halfspaces, c->numbers[code]);
    move_sums(t->sums, t->sums, c->theta, t->halfspaces, c->numbers[row[column]]);
    for (size_t h = 0; h < t->halfspaces; h++) {
        const bool was_in = t->sums[h] > t->bounds[h];
        const bool is_in = t->moved_sums[h] > t->bounds[h];
        if (was_in == is_in)
            continue;
        const size_t label = workload_of(t, t->half_items[h])->label;
        sum += touch_cell(t, t->half_items[h], label == NW__NO_COLUMN ? 0 : row[label], is_in ? 1.0f : -1.0f, moves);
    }
    return sum;
}

WALK walk_predicates(nw__tally *t, const uint16_t *row, size_t column, uint16_t code, bool moves)
{
    const nw__column_index *c = &t->index[column];
    double sum = 0.0;
    if (c->predicate_count == 0)
        return 0.0;
    memcpy(t->row, row, t->columns * sizeof *row);
    t->row[column] = code;
    for (size_t i = 0; i < c->predicate_count; i++) {
        uint32_t old;
        uint32_t new;
        const size_t item = c->predicate_items[i];
        const nw__workload *w = workload_of(t, item);
        nw__workload_cell(t->items[item].queries, w, row, &t->scratch, &old);
        nw__workload_cell(t->items[item].queries, w, t->row, &t->scratch, &new);
        if (old != new)
            sum += touch_cell(t, item, 0, units_to_rows(w, new) - units_to_rows(w, old), moves);
    }
    return sum;
}

WALK walk(nw__tally *t, const uint16_t *row, size_t column, uint16_t code, bool moves)
{
    if (row[column] == code)
        return 0.0;
    const nw__column_index *c = &t->index[column];
    return walk_pairs(c, row, row[column], code, moves) + walk_axes(c, row, column, code, moves) +
           walk_conjunctions(t, row, column, code, moves) + walk_halfspaces(t, row, column, code, moves) +
           walk_predicates(t, row, column, code, moves);
}

double nw__tally_look(nw__tally *t, const uint16_t *row, size_t column, uint16_t code)
{
    return walk(t, row, column, code, false);
}

double nw__tally_move(nw__tally *t, const uint16_t *row, size_t column, uint16_t code)
{
    return walk(t, row, column, code, true);
}
