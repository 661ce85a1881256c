/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* constraints.c - the public face of rules: a schema that has them, and rows that break them. */
#include "rules.h"

#include <math.h>

/* ---- a schema with rules ---- */

static nw_status copy_schema(nw_schema **out, const nw_schema *schema, nw_error *err, const char *function)
{
    nw_schema *copy = nw__calloc(1, sizeof *copy);
    bool is_whole = copy != NULL;
    if (is_whole) {
        copy->references = 1;
        copy->max_bins = schema->max_bins;
        copy->json = nw__strdup(schema->json);
        copy->domains = nw__calloc(schema->columns, sizeof *copy->domains);
        is_whole = copy->domains != NULL && copy->json != NULL;
    }
    for (size_t j = 0; is_whole && j < schema->columns; j++) {
        copy->columns++;
        is_whole = nw__domain_copy(&copy->domains[j], &schema->domains[j]);
    }
    if (!is_whole) {
        nw_schema_free(copy);
        return nw__fail_memory(err, function);
    }
    *out = copy;
    return NW_OK;
}

/* Takes over `root`, what the JSON parser made. */
static nw_status constrain(
    nw_schema **out, const nw_schema *schema, json_t *root, const json_error_t *where, nw_error *err, const char *function)
{
    nw_schema *constrained = NULL;
    nw__rules *rules = NULL;
    if (root == NULL)
        return json_error_code(where) == json_error_out_of_memory
                   ? nw__fail_memory(err, function)
                   : nw__fail(err, NW_E_FORMAT, function, "line %d, column %d: %s", where->line, where->column, where->text);
    nw_status status = nw__rules_parse(&rules, schema, root, err, function);
    json_decref(root);
    if (status == NW_OK)
        status = copy_schema(&constrained, schema, err, function);
    if (status == NW_OK)
        status = nw__rules_compile(rules, constrained, err, function);
    if (status != NW_OK) {
        nw__rules_free(rules);
        nw_schema_free(constrained);
        return status;
    }
    constrained->rules = rules;
    *out = constrained;
    return NW_OK;
}

static nw_status check_arguments(
    nw_schema **out, const nw_schema *schema, const char *source, nw_error *err, const char *function)
{
    if (out != NULL)
        *out = NULL;
    if (out == NULL || schema == NULL || source == NULL)
        return nw__fail(err, NW_E_ARG, function, "an argument is NULL");
    if (schema->rules != NULL)
        return nw__fail(err, NW_E_ARG, function, "schema has rules already, must have none: put all of them into one file");
    return NW_OK;
}

nw_status nw_constraints_parse(nw_schema **out, const nw_schema *schema, const char *json, nw_error *err)
{
    json_error_t where;
    NW__TRY(check_arguments(out, schema, json, err, __func__));
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, &where);
    return constrain(out, schema, root, &where, err, __func__);
}

nw_status nw_constraints_read(nw_schema **out, const nw_schema *schema, const char *path, nw_error *err)
{
    json_t *root;
    json_error_t where;
    NW__TRY(check_arguments(out, schema, path, err, __func__));
    NW__TRY(nw__json_read(&root, &where, path, err, __func__));
    return constrain(out, schema, root, &where, err, __func__);
}

size_t nw_schema_rules(const nw_schema *schema)
{
    return schema->rules == NULL ? 0 : schema->rules->count;
}

const char *nw_schema_rule_name(const nw_schema *schema, size_t i)
{
    return schema->rules->rules[i].name;
}

const char *nw_schema_rules_json(const nw_schema *schema)
{
    return schema->rules == NULL ? NULL : schema->rules->text;
}

/* ---- rows that break them ---- */

typedef struct rule_counter {
    const nw__rules *rules;
    const nw_schema *schema;
    uint64_t *broken; /* may be NULL */
    uint64_t rows;
    uint16_t *codes; /* of the row */
    int64_t *k;
} rule_counter;

static void counter_free(rule_counter *counter)
{
    const size_t columns = counter->schema->columns;
    nw__free_wiped(counter->codes, columns * sizeof *counter->codes);
    nw__free_wiped(counter->k, columns * sizeof *counter->k);
}

static nw_status counter_make(
    rule_counter *counter, const nw_schema *schema, uint64_t *broken, nw_error *err, const char *function)
{
    *counter = (rule_counter){ .rules = schema->rules, .schema = schema, .broken = broken };
    for (size_t i = 0; broken != NULL && i < nw_schema_rules(schema); i++)
        broken[i] = 0;
    counter->codes = nw__calloc(schema->columns, sizeof *counter->codes);
    counter->k = nw__calloc(schema->columns, sizeof *counter->k);
    if (counter->codes != NULL && counter->k != NULL)
        return NW_OK;
    counter_free(counter);
    return nw__fail_memory(err, function);
}

/* By values as they stand in the file. */
static bool count_values(void *context, const double *values)
{
    rule_counter *counter = context;
    bool is_broken = false;
    for (size_t j = 0; j < counter->schema->columns; j++) {
        const nw__domain *domain = &counter->schema->domains[j];
        const bool has_codes = nw__domain_is_label(domain);
        counter->codes[j] = isnan(values[j]) ? domain->missing_code
                            : has_codes      ? (uint16_t)values[j]
                                             : nw__domain_encode_number(domain, values[j]);
        if (counter->rules->k_low[j] != NULL && !isnan(values[j]))
            counter->k[j] = nw__domain_grid_number(domain, values[j]);
    }
    for (size_t i = 0; i < counter->rules->count; i++) {
        if (nw__rule_holds(counter->rules, i, counter->codes, counter->k))
            continue;
        is_broken = true;
        if (counter->broken != NULL)
            counter->broken[i]++;
    }
    counter->rows += is_broken;
    return true;
}

/* By codes alone: a rule is broken if it is whatever the values. */
static nw_status count_codes(rule_counter *counter, nw_error *err)
{
    bool is_broken = false;
    bool has_values = true;
    for (size_t i = 0; i < counter->rules->count; i++) {
        if (nw__rule_truth(counter->rules, i, counter->codes, counter->codes) != NW__FALSE)
            continue;
        is_broken = true;
        if (counter->broken != NULL)
            counter->broken[i]++;
    }
    if (!is_broken)
        NW__TRY(
            nw__rules_solve(counter->rules, counter->codes, counter->codes, SIZE_MAX, NULL, NULL, counter->k, &has_values, err));
    counter->rows += is_broken || !has_values;
    return NW_OK;
}

static nw_status count_table(rule_counter *counter, const nw_table *table, nw_error *err)
{
    for (size_t row = 0; row < nw_table_rows(table); row++) {
        for (size_t j = 0; j < counter->schema->columns; j++)
            NW__TRY(nw_table_get(table, j, row, 1, &counter->codes[j], err));
        NW__TRY(count_codes(counter, err));
    }
    return NW_OK;
}

nw_status nw_constraints_violations(const nw_table *table, uint64_t *broken, uint64_t *rows, nw_error *err)
{
    rule_counter counter;
    if (table == NULL || rows == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", table == NULL ? "table" : "rows");
    *rows = 0;
    if (nw_table_schema(table)->rules == NULL)
        return NW_OK;
    NW__TRY(counter_make(&counter, nw_table_schema(table), broken, err, __func__));
    const nw_status status = count_table(&counter, table, err);
    *rows = counter.rows;
    counter_free(&counter);
    return status;
}

nw_status nw_constraints_violations_csv(
    const nw_schema *schema, const char *path, uint64_t *broken, uint64_t *rows, nw_error *err)
{
    rule_counter counter;
    if (schema == NULL || path == NULL || rows == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", schema == NULL ? "schema" : path == NULL ? "path" : "rows");
    *rows = 0;
    if (schema->rules == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "schema has no rules, must be made by nw_constraints_read or _parse");
    NW__TRY(counter_make(&counter, schema, broken, err, __func__));
    const nw_status status = nw_table_scan_csv(schema, path, count_values, &counter, err);
    *rows = counter.rows;
    counter_free(&counter);
    return status;
}
