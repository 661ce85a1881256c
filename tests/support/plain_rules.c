/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* plain_rules.c - rules read straight from their JSON, on values: no codes, bins or classes. Numbers are compared as doubles, so
 * tests use values and coefficients whose sums are exact. */
#include "plain_rules.h"

#include <math.h>
#include <string.h>

static const plain_value *value_of(const plain_value *row, size_t n, const char *column)
{
    size_t i = 0;
    while (i < n && strcmp(row[i].column, column) != 0)
        i++;
    return &row[i];
}

static bool is_equal(const plain_value *v, const json_t *item)
{
    if (json_is_null(item))
        return v->is_missing;
    if (v->is_missing)
        return false;
    if (v->label != NULL)
        return strcmp(v->label, json_is_boolean(item) ? (json_is_true(item) ? "true" : "false") : json_string_value(item)) == 0;
    return json_number_value(item) == v->number;
}

static bool compares(const plain_value *v, const char *key, const json_t *item)
{
    size_t i;
    json_t *one;
    if (strcmp(key, "missing") == 0)
        return v->is_missing == json_is_true(item);
    if (strcmp(key, "equals") == 0)
        return is_equal(v, item);
    if (strcmp(key, "in") == 0) {
        json_array_foreach(item, i, one) if (is_equal(v, one)) return true;
        return false;
    }
    if (v->is_missing)
        return false;
    const double x = json_number_value(item);
    return strcmp(key, "at_least") == 0    ? v->number >= x
           : strcmp(key, "more_than") == 0 ? v->number > x
           : strcmp(key, "at_most") == 0   ? v->number <= x
                                           : v->number < x;
}

static bool condition_holds(json_t *condition, const plain_value *row, size_t n)
{
    size_t i;
    json_t *part;
    const char *key;
    if (json_object_get(condition, "not") != NULL)
        return !condition_holds(json_object_get(condition, "not"), row, n);
    if (json_object_get(condition, "all") != NULL) {
        json_array_foreach(json_object_get(condition, "all"), i, part) if (!condition_holds(part, row, n)) return false;
        return true;
    }
    if (json_object_get(condition, "any") != NULL) {
        json_array_foreach(json_object_get(condition, "any"), i, part) if (condition_holds(part, row, n)) return true;
        return false;
    }
    const plain_value *v = value_of(row, n, json_string_value(json_object_get(condition, "column")));
    json_object_foreach(condition, key, part)
    {
        if (strcmp(key, "column") != 0 && !compares(v, key, part))
            return false;
    }
    return true;
}

static bool function_holds(const json_t *f, const plain_value *row, size_t n)
{
    size_t i;
    json_t *line;
    const json_t *from = json_object_get(f, "from");
    const plain_value *to = value_of(row, n, json_string_value(json_object_get(f, "to")));
    const json_t *table = json_object_get(f, "table");
    const size_t inputs = json_is_array(from) ? json_array_size(from) : 1;
    bool has_missing = false;
    for (size_t k = 0; k < inputs; k++)
        has_missing |= value_of(row, n, json_string_value(json_is_array(from) ? json_array_get(from, k) : from))->is_missing;
    json_array_foreach(table != NULL ? table : json_object_get(f, "intervals"), i, line)
    {
        bool is_here = true;
        for (size_t k = 0; table != NULL && k < inputs; k++)
            is_here =
                is_here && is_equal(value_of(row, n, json_string_value(json_is_array(from) ? json_array_get(from, k) : from)),
                               json_array_get(line, k));
        if (table == NULL) {
            const plain_value *v = value_of(row, n, json_string_value(from));
            const json_t *low = json_array_get(line, 0);
            const json_t *high = json_array_get(line, 1);
            is_here = !v->is_missing && (json_is_null(low) || v->number >= json_number_value(low)) &&
                      (json_is_null(high) || v->number < json_number_value(high));
        }
        if (is_here)
            return is_equal(to, json_array_get(line, table == NULL ? 2 : inputs));
    }
    return has_missing && to->is_missing;
}

static bool linear_holds(json_t *rule, const plain_value *row, size_t n)
{
    const char *column;
    json_t *weight;
    double sum = 0;
    const json_t *equals = json_object_get(rule, "equals");
    const double within = json_number_value(json_object_get(rule, "within"));
    json_object_foreach(json_object_get(rule, "linear"), column, weight)
    {
        const plain_value *v = value_of(row, n, column);
        if (v->is_missing)
            return true;
        sum += json_number_value(weight) * v->number;
    }
    if (equals != NULL)
        return fabs(sum - json_number_value(equals)) <= within;
    return (json_object_get(rule, "at_least") == NULL || sum >= json_number_value(json_object_get(rule, "at_least"))) &&
           (json_object_get(rule, "at_most") == NULL || sum <= json_number_value(json_object_get(rule, "at_most")));
}

static bool order_holds(const json_t *order, const plain_value *row, size_t n)
{
    for (size_t i = 0; i + 1 < json_array_size(order); i++) {
        const plain_value *a = value_of(row, n, json_string_value(json_array_get(order, i)));
        const plain_value *b = value_of(row, n, json_string_value(json_array_get(order, i + 1)));
        if (!a->is_missing && !b->is_missing && a->number > b->number)
            return false;
    }
    return true;
}

bool plain_rule_holds(json_t *rule, const plain_value *row, size_t n)
{
    json_t *premise = json_object_get(rule, "if");
    if (json_object_get(rule, "forbid") != NULL)
        return !condition_holds(json_object_get(rule, "forbid"), row, n);
    if (premise != NULL && !condition_holds(premise, row, n))
        return true;
    if (json_object_get(rule, "then") != NULL)
        return condition_holds(json_object_get(rule, "then"), row, n);
    if (json_object_get(rule, "function") != NULL)
        return function_holds(json_object_get(rule, "function"), row, n);
    if (json_object_get(rule, "order") != NULL)
        return order_holds(json_object_get(rule, "order"), row, n);
    return linear_holds(rule, row, n);
}
