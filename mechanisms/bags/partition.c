/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* partition.c - rows into bags that do not overlap, by public quantities only. Which bag a row is in must not depend on its
 * label: the proof (docs/rooms/bags.md#proof) fixes the bags first. */
#include "bags_internal.h"

#include <math.h>
#include <nw/testing.h>
#include <stdlib.h>
#include <string.h>

/* ---- by size ---- */

/* Bags of `size` from members[from] on to `to`; the last is smaller where the size does not divide. */
static void cut(nw_bags *bags, size_t from, size_t to, size_t size)
{
    for (size_t i = from; i < to; i += size)
        bags->starts[bags->count++] = i;
    bags->starts[bags->count] = to;
}

/* A permutation that everybody can repeat: the seed is public, and so is what comes of it. */
static nw_status shuffle(nw_bags *bags, nw_error *err)
{
    nw_rng *rng = NULL;
    NW__TRY(nw_rng_new_insecure_seeded(&rng, bags->opts.public_seed, err));
    const nw_status status = nw_rng_shuffle(rng, bags->members, bags->opts.rows, sizeof *bags->members, err);
    nw_rng_free(rng);
    return status;
}

typedef struct scored {
    double score;
    size_t row;
} scored;

static int by_score(const void *a, const void *b)
{
    const scored *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

nw_status nw__bags_sort(size_t *members, size_t n, const double *scores, const char *function, nw_error *err)
{
    scored *list = nw__calloc(n, sizeof *list);
    if (list == NULL)
        return nw__fail_memory(err, function);
    for (size_t i = 0; i < n; i++)
        list[i] = (scored){ scores[members[i]], members[i] };
    qsort(list, n, sizeof *list, by_score);
    for (size_t i = 0; i < n; i++)
        members[i] = list[i].row;
    free(list);
    return NW_OK;
}

static nw_status by_size(nw_bags *bags, const char *function, nw_error *err)
{
    const nw_bags_opts *o = &bags->opts;
    bags->used = o->rows;
    for (size_t i = 0; i < o->rows; i++)
        bags->members[i] = i;
    if (o->grouping == NW_BAGS_SORTED) {
        for (size_t i = 0; i < o->rows; i++)
            if (isnan(o->scores[i]))
                return nw__fail(err, NW_E_ARG, function, "scores has a NaN, must have none");
        NW__TRY(nw__bags_sort(bags->members, o->rows, o->scores, function, err));
    } else {
        NW__TRY(shuffle(bags, err));
    }
    if (o->grouping == NW_BAGS_CURATED) {
        cut(bags, 0, o->rows / 2, 1);
        bags->curated_from = bags->count;
        cut(bags, o->rows / 2, o->rows, o->bag_size);
    } else {
        cut(bags, 0, o->rows, o->bag_size);
        bags->curated_from = bags->count;
    }
    return NW_OK;
}

/* ---- as given ---- */

static nw_status check_sizes(const nw_bags *bags, const char *function, nw_error *err)
{
    for (size_t a = 0; a < bags->count; a++)
        if (bags->starts[a] >= bags->starts[a + 1])
            return nw__fail(err, NW_E_ARG, function, "bag %zu is empty, must have a row or more", a);
    return NW_OK;
}

/* A counting sort: rows stay in their order. */
static nw_status by_id(nw_bags *bags, const char *function, nw_error *err)
{
    const nw_bags_opts *o = &bags->opts;
    bags->count = bags->curated_from = o->bag_count;
    bags->used = o->rows;
    for (size_t i = 0; i < o->rows; i++) {
        if (o->ids[i] >= o->bag_count)
            return nw__fail(
                err, NW_E_ARG, function, "ids names bag %zu, must be in 0 .. %zu (bag_count - 1)", o->ids[i], o->bag_count - 1);
        bags->starts[o->ids[i] + 1]++;
    }
    for (size_t a = 0; a < bags->count; a++)
        bags->starts[a + 1] += bags->starts[a];
    NW__TRY(check_sizes(bags, function, err));
    for (size_t i = 0; i < o->rows; i++)
        bags->members[bags->starts[o->ids[i]]++] = i;
    for (size_t a = bags->count; a > 0; a--)
        bags->starts[a] = bags->starts[a - 1];
    bags->starts[0] = 0;
    return NW_OK;
}

static nw_status copy_lists(nw_bags *bags, size_t *bag_of, const char *function, nw_error *err)
{
    const nw_bags_opts *o = &bags->opts;
    for (size_t i = 0; i < o->rows; i++)
        bag_of[i] = SIZE_MAX;
    for (size_t a = 0; a < bags->count; a++)
        for (size_t k = o->starts[a]; k < o->starts[a + 1]; k++) {
            const size_t row = o->members[k];
            if (row >= o->rows)
                return nw__fail(err, NW_E_ARG, function, "bag %zu holds row %zu, must be in 0 .. %zu", a, row, o->rows - 1);
            if (bag_of[row] != SIZE_MAX)
                return nw__fail(err, NW_E_ARG, function,
                    "bags %zu and %zu overlap, must have no row in common: a label in two bags would cost twice", bag_of[row], a);
            bag_of[row] = a;
            bags->members[bags->used++] = row;
        }
    return NW_OK;
}

static nw_status by_list(nw_bags *bags, const char *function, nw_error *err)
{
    const nw_bags_opts *o = &bags->opts;
    bags->count = bags->curated_from = o->bag_count;
    if (o->starts[0] != 0)
        return nw__fail(err, NW_E_ARG, function, "starts begins with %zu, must begin with 0", o->starts[0]);
    memcpy(bags->starts, o->starts, (bags->count + 1) * sizeof *bags->starts);
    NW__TRY(check_sizes(bags, function, err));
    size_t *bag_of = nw__calloc(o->rows, sizeof *bag_of);
    const nw_status status = bag_of == NULL ? nw__fail_memory(err, function) : copy_lists(bags, bag_of, function, err);
    free(bag_of);
    return status;
}

nw_status nw__bags_partition(nw_bags *bags, const char *function, nw_error *err)
{
    const nw_bags_opts *o = &bags->opts;
    bags->starts = nw__calloc(o->rows + 2, sizeof *bags->starts);
    bags->members = nw__calloc(o->rows, sizeof *bags->members);
    if (bags->starts == NULL || bags->members == NULL)
        return nw__fail_memory(err, function);
    switch (o->grouping) {
    case NW_BAGS_BY_ID: return by_id(bags, function, err);
    case NW_BAGS_BY_LIST: return by_list(bags, function, err);
    default: return by_size(bags, function, err);
    }
}
