/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "query_file.h"

#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = { "", "marginals", "ranges", "prefixes", "halfspaces", "conjunctions", "conjunction" };
#define MOST_SIGMA 0x1p33 /* of a release */

bool nw__query_results_can_be_written(const nw__query_results *r)
{
    for (size_t i = 0; r->queries != NULL && i < r->queries->recipe_count; i++)
        if (r->queries->recipes[i].kind == NW__RECIPE_PREDICATE)
            return false;
    return true;
}

static json_t *conjunction_json(const nw_queries *q, size_t workload)
{
    const nw__workload *w = &q->workloads[workload];
    json_t *terms = json_array();
    for (size_t i = 0; i < w->count; i++) {
        const nw_query_term *t = &q->terms[w->first + i];
        json_array_append_new(terms, json_pack("[I, I, I]", (json_int_t)t->column, (json_int_t)t->low, (json_int_t)t->high));
    }
    return json_pack("{s:s, s:o, s:o}", "kind", kinds[NW__RECIPE_CONJUNCTION], "terms", terms, "label",
        w->label == NW__NO_COLUMN ? json_null() : json_integer((json_int_t)w->label));
}

/* The seed's 64 bits as those of a signed integer. */
static json_t *recipe_json(const nw_queries *q, const nw__recipe *r)
{
    if (r->kind == NW__RECIPE_CONJUNCTION)
        return conjunction_json(q, (size_t)r->count);
    return json_pack("{s:s, s:I, s:I, s:I, s:I}", "kind", kinds[r->kind], "count", (json_int_t)r->count, "k", (json_int_t)r->k,
        "levels", (json_int_t)r->levels, "seed", (json_int_t)r->seed);
}

json_t *nw__query_results_json(const nw__query_results *r)
{
    if (r->count == 0)
        return json_null();
    json_t *lists = json_array();
    json_t *chosen = json_array();
    for (size_t i = 0; i < r->queries->recipe_count; i++)
        json_array_append_new(lists, recipe_json(r->queries, &r->queries->recipes[i]));
    for (size_t i = 0; i < r->count; i++)
        json_array_append_new(chosen, json_integer((json_int_t)r->chosen[i]));
    return json_pack("{s:o, s:o, s:f}", "lists", lists, "measured", chosen, "sigma", r->sigma[0]);
}

static nw_status fail_format(const char *name, nw_error *err)
{
    return nw__fail(err, NW_E_FORMAT, name, "the header is malformed: queries");
}

/* A number from 0 to `most`; most + 1 for anything else. */
static uint64_t number(const json_t *json, uint64_t most)
{
    const json_int_t value = json_integer_value(json);
    return json_is_integer(json) && value >= 0 && (uint64_t)value <= most ? (uint64_t)value : most + 1;
}

static nw_status add_conjunction(nw_queries *q, const json_t *json, nw_error *err)
{
    nw_query_term terms[NW__MOST_TERMS];
    const json_t *list = json_object_get(json, "terms");
    const json_t *label = json_object_get(json, "label");
    const size_t n = json_array_size(list);
    if (n > NW__MOST_TERMS)
        return NW_E_FORMAT;
    for (size_t i = 0; i < n; i++) {
        const json_t *term = json_array_get(list, i);
        terms[i].column = (size_t)number(json_array_get(term, 0), q->columns);
        terms[i].low = (uint32_t)number(json_array_get(term, 1), UINT16_MAX + 1);
        terms[i].high = (uint32_t)number(json_array_get(term, 2), UINT16_MAX + 1);
    }
    return nw_queries_add_conjunction(q, terms, n, json_is_null(label) ? NW__NO_COLUMN : (size_t)number(label, q->columns), err);
}

static nw_status add_recipe(nw_queries *q, const json_t *json, nw_error *err)
{
    const char *kind = json_string_value(json_object_get(json, "kind"));
    const size_t count = (size_t)number(json_object_get(json, "count"), UINT32_MAX);
    const unsigned k = (unsigned)number(json_object_get(json, "k"), 100);
    const unsigned levels = (unsigned)number(json_object_get(json, "levels"), 100);
    const uint64_t seed = (uint64_t)json_integer_value(json_object_get(json, "seed"));
    size_t i = 1;
    while (kind != NULL && i < sizeof kinds / sizeof *kinds && strcmp(kind, kinds[i]) != 0)
        i++;
    switch (kind == NULL ? 0 : (int)i) {
    case NW__RECIPE_MARGINALS: return nw_queries_add_marginals(q, k, err);
    case NW__RECIPE_RANGES: return nw_queries_add_ranges(q, k, levels, err);
    case NW__RECIPE_PREFIXES: return nw_queries_add_prefixes(q, count, k, seed, err);
    case NW__RECIPE_HALFSPACES: return nw_queries_add_halfspaces(q, count, seed, err);
    case NW__RECIPE_CONJUNCTIONS: return nw_queries_add_conjunctions(q, count, k, seed, err);
    case NW__RECIPE_CONJUNCTION: return add_conjunction(q, json, err);
    default: return NW_E_FORMAT;
    }
}

/* Each workload at most once. */
static nw_status read_measured(nw__query_results *r, const json_t *list, double sigma, const char *name, nw_error *err)
{
    nw_status status = NW_OK;
    bool *is_taken = nw__calloc(r->queries->count, sizeof *is_taken);
    if (is_taken == NULL)
        return nw__fail_memory(err, name);
    for (size_t i = 0; status == NW_OK && i < json_array_size(list); i++) {
        const uint64_t workload = number(json_array_get(list, i), r->queries->count - 1);
        if (workload >= r->queries->count || is_taken[workload]) {
            status = fail_format(name, err);
        } else {
            is_taken[workload] = true;
            r->chosen[r->count] = (size_t)workload;
            r->sigma[r->count++] = sigma;
        }
    }
    free(is_taken);
    return status;
}

nw_status nw__query_results_from_json(
    nw__query_results *r, const nw_schema *schema, const json_t *json, const char *name, nw_error *err)
{
    nw_queries *q = NULL;
    const json_t *lists = json_object_get(json, "lists");
    const json_t *measured = json_object_get(json, "measured");
    const double sigma = json_number_value(json_object_get(json, "sigma"));
    if (json == NULL || json_is_null(json))
        return NW_OK;
    NW__TRY(nw_queries_new(&q, schema, err));
    nw_status status = NW_OK;
    for (size_t i = 0; status == NW_OK && i < json_array_size(lists); i++)
        status = add_recipe(q, json_array_get(lists, i), NULL);
    if (status == NW_E_NOMEM)
        status = nw__fail_memory(err, name);
    else if (status != NW_OK || q->count == 0 || json_array_size(measured) < 1 || json_array_size(measured) > q->count ||
             !(sigma > 0.0 && sigma <= MOST_SIGMA))
        status = fail_format(name, err);
    if (status == NW_OK && !nw__query_results_make(r, q, json_array_size(measured)))
        status = nw__fail_memory(err, name);
    if (status == NW_OK)
        status = read_measured(r, measured, sigma, name, err);
    nw_queries_free(q);
    return status;
}
