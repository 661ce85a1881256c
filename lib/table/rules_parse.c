/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* rules_parse.c - rules from JSON: names and values become columns and coordinates of their domains. */
#include "rules_reading.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_RULES = 10000, MAX_DEPTH = 16, MAX_NAME_BYTES = 200 };
#define FORMAT "noisewright-constraints"

nw_status nw__rule_fail(const nw__rule_reading *r, const char *format, ...)
{
    char text[NW_ERROR_MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (r->name == NULL)
        return nw__fail(r->err, NW_E_FORMAT, r->function, "%s", text);
    return nw__fail(r->err, NW_E_FORMAT, r->function, "%.*s: %s", MAX_NAME_BYTES, r->name, text);
}

nw_status nw__rule_fail_memory(const nw__rule_reading *r)
{
    return nw__fail_memory(r->err, r->function);
}

/* ---- keys and columns ---- */

/* keys: the admissible ones, a blank around each. */
static nw_status check_keys(const nw__rule_reading *r, json_t *object, const char *keys)
{
    const char *key;
    json_t *item;
    json_object_foreach(object, key, item)
    {
        char padded[48];
        const int n = snprintf(padded, sizeof padded, " %s ", key);
        if (n >= (int)sizeof padded || strchr(key, ' ') != NULL || strstr(keys, padded) == NULL)
            return nw__rule_fail(r, "unknown key \"%.60s\", must be one of%s", key, keys);
    }
    return NW_OK;
}

nw_status nw__rule_find_column(const nw__rule_reading *r, const json_t *item, size_t *column)
{
    const char *name = json_string_value(item);
    if (name == NULL)
        return nw__rule_fail(r, "a column must be named by a string");
    for (size_t j = 0; j < r->schema->columns; j++) {
        if (strcmp(r->schema->domains[j].column.name, name) != 0)
            continue;
        *column = j;
        r->mentions[j] = true;
        return NW_OK;
    }
    return nw__rule_fail(r, "the schema has no column \"%.100s\"", name);
}

/* ---- values ---- */

/* The first coordinate whose value is at least x, or (is_beyond) greater than x. */
static double coordinate_of(const nw__domain *domain, double x, bool is_beyond)
{
    const nw_column *c = &domain->column;
    if (c->step == 0)
        return is_beyond ? nextafter(x, INFINITY) : x;
    double k = fmin(fmax(ceil((x - c->lower) / c->step), 0), domain->values);
    for (; k > 0; k--) { /* rounding may have led past it */
        const double below = nw__domain_grid_value(domain, k - 1);
        if (is_beyond ? below <= x : below < x)
            break;
    }
    for (; k < domain->values; k++) {
        const double here = nw__domain_grid_value(domain, k);
        if (is_beyond ? here > x : here >= x)
            break;
    }
    return k;
}

static nw_status read_number(const nw__rule_reading *r, const nw__domain *domain, const json_t *item, double *x)
{
    const nw_column *c = &domain->column;
    if (c->type == NW_COLUMN_DATE) {
        int64_t days;
        if (!json_is_string(item) || !nw__parse_date(json_string_value(item), json_string_length(item), &days))
            return nw__rule_fail(r, "a value of column \"%.100s\" must be a date \"yyyy-mm-dd\"", c->name);
        *x = (double)days;
        return NW_OK;
    }
    if (nw__domain_is_label(domain))
        return nw__rule_fail(r, "column \"%.100s\" has no order, must be compared by equals, in or missing", c->name);
    if (!json_is_number(item))
        return nw__rule_fail(r, "a value of column \"%.100s\" must be a number", c->name);
    *x = json_number_value(item) + 0.0;
    return NW_OK;
}

static nw_status read_label(const nw__rule_reading *r, const nw__domain *domain, const json_t *item, nw__interval *interval)
{
    char text[64];
    uint16_t code = 0;
    const char *label = json_string_value(item);
    if (domain->column.type == NW_COLUMN_BOOL) {
        if (!json_is_boolean(item))
            return nw__rule_fail(r, "a value of column \"%.100s\" must be true or false", domain->column.name);
        code = json_is_true(item);
    } else {
        if (json_is_integer(item)) {
            snprintf(text, sizeof text, "%lld", (long long)json_integer_value(item));
            label = text;
        }
        if (label == NULL)
            return nw__rule_fail(r, "a value of column \"%.100s\" must be a string or an integer", domain->column.name);
        if (!nw__domain_find_label(domain, label, strlen(label), &code))
            return nw__rule_fail(r, "\"%.100s\" is no value of column \"%.100s\"", label, domain->column.name);
    }
    *interval = (nw__interval){ code, code + 1.0 };
    return NW_OK;
}

/* One value, as the interval that holds it alone. */
static nw_status read_point(const nw__rule_reading *r, const nw__domain *domain, const json_t *item, nw__interval *interval)
{
    double x;
    if (nw__domain_is_label(domain))
        return read_label(r, domain, item, interval);
    NW__TRY(read_number(r, domain, item, &x));
    *interval = (nw__interval){ coordinate_of(domain, x, false), coordinate_of(domain, x, true) };
    const bool is_inside = x >= domain->column.lower && x <= domain->column.upper;
    if (!is_inside || interval->from == interval->to)
        return nw__rule_fail(r, "%.17g is no value of column \"%.100s\"", x, domain->column.name);
    return NW_OK;
}

/* Appends one value, or a missing one (null), to a set that has room. */
static nw_status add_point(const nw__rule_reading *r, nw__set *set, const json_t *item)
{
    const nw__domain *domain = &r->schema->domains[set->column];
    if (!json_is_null(item))
        return read_point(r, domain, item, &set->intervals[set->count++]);
    if (!domain->column.is_nullable)
        return nw__rule_fail(r, "column \"%.100s\" is not nullable, so no value of it is missing", domain->column.name);
    set->has_missing = true;
    return NW_OK;
}

static nw_status make_room(const nw__rule_reading *r, nw__set *set, size_t n)
{
    set->intervals = nw__calloc(n, sizeof *set->intervals);
    return set->intervals == NULL ? nw__rule_fail_memory(r) : NW_OK;
}

/* ---- conditions ---- */

static nw_status read_bounds(const nw__rule_reading *r, const json_t *object, nw__set *set, bool *has_bound)
{
    static const struct {
        const char *key;
        bool is_from;
        bool is_beyond;
    } bounds[] = { { "at_least", true, false }, { "more_than", true, true }, { "at_most", false, true },
        { "less_than", false, false } };
    const nw__domain *domain = &r->schema->domains[set->column];
    nw__interval *interval = &set->intervals[0];
    *interval = (nw__interval){ -INFINITY, INFINITY };
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        double x;
        const json_t *item = json_object_get(object, bounds[i].key);
        if (item == NULL)
            continue;
        *has_bound = true;
        NW__TRY(read_number(r, domain, item, &x));
        const double at = coordinate_of(domain, x, bounds[i].is_beyond);
        if (bounds[i].is_from)
            interval->from = fmax(interval->from, at);
        else
            interval->to = fmin(interval->to, at);
    }
    set->count = *has_bound ? 1 : 0;
    return NW_OK;
}

/* {"column": name, and one of: missing, equals, in, or bounds} */
static nw_status read_comparison(const nw__rule_reading *r, json_t *object, nw__set *set)
{
    NW__TRY(check_keys(r, object, " column missing equals in at_least more_than at_most less_than "));
    NW__TRY(nw__rule_find_column(r, json_object_get(object, "column"), &set->column));
    const nw__domain *domain = &r->schema->domains[set->column];
    const json_t *missing = json_object_get(object, "missing");
    const json_t *equals = json_object_get(object, "equals");
    const json_t *in = json_object_get(object, "in");
    bool has_bound = false;
    NW__TRY(make_room(r, set, in == NULL ? 1 : json_array_size(in)));
    if (missing == NULL && equals == NULL && in == NULL)
        NW__TRY(read_bounds(r, object, set, &has_bound));
    if (!has_bound && json_object_size(object) != 2)
        return nw__rule_fail(r,
            "a condition on column \"%.100s\" must have one of missing, equals, in, or bounds (at_least, more_than, "
            "at_most, less_than)",
            domain->column.name);
    if (missing != NULL && !json_is_boolean(missing))
        return nw__rule_fail(r, "missing must be true or false");
    if (missing != NULL && !domain->column.is_nullable)
        return nw__rule_fail(r, "column \"%.100s\" is not nullable, so no value of it is missing", domain->column.name);
    if (json_is_true(missing))
        set->has_missing = true;
    else if (missing != NULL)
        set->intervals[set->count++] = (nw__interval){ -INFINITY, INFINITY };
    if (equals != NULL)
        return add_point(r, set, equals);
    if (in != NULL && (!json_is_array(in) || json_array_size(in) == 0))
        return nw__rule_fail(r, "in must be an array of at least one value");
    for (size_t i = 0; i < json_array_size(in); i++)
        NW__TRY(add_point(r, set, json_array_get(in, i)));
    return NW_OK;
}

static nw_status read_condition(const nw__rule_reading *r, json_t *object, int depth, nw__condition *out);

static nw_status read_parts(const nw__rule_reading *r, json_t *parts, int depth, nw__condition *out)
{
    const bool is_list = json_is_array(parts);
    const size_t n = is_list ? json_array_size(parts) : 1;
    if (n == 0 || is_list == (out->kind == NW__NOT))
        return nw__rule_fail(r, "all and any must be arrays of at least one condition, not must be one condition");
    out->parts = nw__calloc(n, sizeof *out->parts);
    if (out->parts == NULL)
        return nw__rule_fail_memory(r);
    out->part_count = n;
    for (size_t i = 0; i < n; i++)
        NW__TRY(read_condition(r, is_list ? json_array_get(parts, i) : parts, depth + 1, &out->parts[i]));
    return NW_OK;
}

static nw_status read_condition(const nw__rule_reading *r, json_t *object, int depth, nw__condition *out)
{
    static const char *const keys[] = { NULL, "column", "all", "any", "not" };
    if (depth > MAX_DEPTH)
        return nw__rule_fail(r, "conditions are nested more than %d deep", MAX_DEPTH);
    out->kind = NW__IN_SET;
    for (nw__condition_kind kind = NW__ALL; kind <= NW__NOT; kind++)
        if (json_object_get(object, keys[kind]) != NULL)
            out->kind = kind;
    if (!json_is_object(object) || json_object_get(object, keys[out->kind]) == NULL)
        return nw__rule_fail(r, "a condition must be an object with the key column, all, any or not");
    if (out->kind == NW__IN_SET)
        return read_comparison(r, object, &out->set);
    NW__TRY(check_keys(r, object, out->kind == NW__ALL ? " all " : out->kind == NW__ANY ? " any " : " not "));
    return read_parts(r, json_object_get(object, keys[out->kind]), depth, out);
}

static nw_status new_condition(const nw__rule_reading *r, json_t *object, nw__condition **out)
{
    *out = nw__calloc(1, sizeof **out);
    return *out == NULL ? nw__rule_fail_memory(r) : read_condition(r, object, 0, *out);
}

/* ---- functions ---- */

/* "from": a name, or an array of them. */
static nw_status read_inputs(const nw__rule_reading *r, json_t *from, nw__function *f)
{
    const bool is_list = json_is_array(from);
    f->input_count = is_list ? json_array_size(from) : 1;
    if (from == NULL || f->input_count < 1 || f->input_count > NW__MAX_INPUTS)
        return nw__rule_fail(r, "from must name a column, or be an array of 1 to %d of them", NW__MAX_INPUTS);
    for (size_t i = 0; i < f->input_count; i++) {
        NW__TRY(nw__rule_find_column(r, is_list ? json_array_get(from, i) : from, &f->inputs[i]));
        for (size_t k = 0; k <= i; k++)
            if (f->inputs[i] == (k == i ? f->output : f->inputs[k]))
                return nw__rule_fail(r, "from and to name a column twice");
    }
    return NW_OK;
}

/* [low, high, result]: low <= input < high, null for no bound. */
static nw_status read_interval_entry(const nw__rule_reading *r, const json_t *entry, nw__set *set)
{
    const nw__domain *domain = &r->schema->domains[set->column];
    double ends[2] = { -INFINITY, INFINITY };
    for (size_t i = 0; i < 2; i++) {
        double x;
        const json_t *end = json_array_get(entry, i);
        if (json_is_null(end))
            continue;
        NW__TRY(read_number(r, domain, end, &x));
        ends[i] = coordinate_of(domain, x, false);
    }
    if (!(ends[0] < ends[1]))
        return nw__rule_fail(r, "an interval of column \"%.100s\" has no value", domain->column.name);
    set->intervals[set->count++] = (nw__interval){ ends[0], ends[1] };
    return NW_OK;
}

static nw_status read_entry(
    const nw__rule_reading *r, const json_t *entry, bool is_intervals, const nw__function *f, nw__set *sets)
{
    const size_t n = is_intervals ? 3 : f->input_count + 1;
    if (!json_is_array(entry) || json_array_size(entry) != n)
        return nw__rule_fail(r,
            is_intervals ? "an interval must be an array [low, high, result] (%zu items)"
                         : "a line of the table must be an array of the inputs and the result (%zu items)",
            n);
    for (size_t i = 0; i <= f->input_count; i++) {
        sets[i].column = i < f->input_count ? f->inputs[i] : f->output;
        NW__TRY(make_room(r, &sets[i], 1));
        if (is_intervals && i == 0)
            NW__TRY(read_interval_entry(r, entry, &sets[i]));
        else
            NW__TRY(add_point(r, &sets[i], json_array_get(entry, is_intervals ? 2 : i)));
    }
    return NW_OK;
}

static nw_status read_function(const nw__rule_reading *r, json_t *object, nw__function *f)
{
    if (!json_is_object(object))
        return nw__rule_fail(r, "function must be an object with the keys from, to, and table or intervals");
    NW__TRY(check_keys(r, object, " from to table intervals "));
    const json_t *table = json_object_get(object, "table");
    const json_t *intervals = json_object_get(object, "intervals");
    const json_t *entries = table != NULL ? table : intervals;
    NW__TRY(nw__rule_find_column(r, json_object_get(object, "to"), &f->output));
    NW__TRY(read_inputs(r, json_object_get(object, "from"), f));
    if ((table == NULL) == (intervals == NULL) || json_array_size(entries) == 0)
        return nw__rule_fail(r, "a function must have a table or intervals: an array of at least one line");
    if (intervals != NULL && f->input_count != 1)
        return nw__rule_fail(r, "intervals need one column in from");
    const size_t n = json_array_size(entries);
    f->entries = nw__calloc(n, (f->input_count + 1) * sizeof *f->entries);
    if (f->entries == NULL)
        return nw__rule_fail_memory(r);
    for (size_t i = 0; i < n; i++) {
        f->entry_count++;
        NW__TRY(read_entry(r, json_array_get(entries, i), intervals != NULL, f, &f->entries[i * (f->input_count + 1)]));
    }
    return NW_OK;
}

/* ---- rules ---- */

static nw_status read_rule_body(const nw__rule_reading *r, json_t *object, nw__rule *rule)
{
    static const char *const bodies[] = { "then", "forbid", "function", "order", "linear" };
    static const char *const keys[] = { " name if then ", " name forbid ", " name if function ", " name if order ",
        " name if linear at_least at_most equals within " };
    size_t kind = 5;
    for (size_t i = 0; i < 5; i++)
        if (json_object_get(object, bodies[i]) != NULL)
            kind = kind == 5 ? i : 6;
    if (kind >= 5)
        return nw__rule_fail(r, "must have exactly one of the keys then, forbid, function, order, linear");
    json_t *body = json_object_get(object, bodies[kind]);
    json_t *premise = json_object_get(object, "if");
    NW__TRY(check_keys(r, object, keys[kind]));
    if (kind == 0 && premise == NULL)
        return nw__rule_fail(r, "then must come with an if");
    if (kind == 1) { /* forbid P is: if P then any of nothing, which is false */
        rule->conclusion = nw__calloc(1, sizeof *rule->conclusion);
        if (rule->conclusion == NULL)
            return nw__rule_fail_memory(r);
        rule->conclusion->kind = NW__ANY;
        return new_condition(r, body, &rule->premise);
    }
    if (premise != NULL)
        NW__TRY(new_condition(r, premise, &rule->premise));
    if (kind == 0)
        return new_condition(r, body, &rule->conclusion);
    if (kind == 3)
        return nw__rule_read_order(r, body, rule);
    if (kind == 4)
        return nw__rule_read_linear(r, body, object, rule);
    rule->function = nw__calloc(1, sizeof *rule->function);
    return rule->function == NULL ? nw__rule_fail_memory(r) : read_function(r, body, rule->function);
}

static nw_status read_rule(nw__rule_reading *r, json_t *object, size_t index, nw__rule *rule)
{
    char text[MAX_NAME_BYTES + 32];
    const json_t *name = json_object_get(object, "name");
    snprintf(text, sizeof text, "rule %zu", index + 1);
    r->name = text;
    if (!json_is_object(object))
        return nw__rule_fail(r, "must be an object");
    if (name != NULL && (!json_is_string(name) || json_string_length(name) == 0 || json_string_length(name) > MAX_NAME_BYTES))
        return nw__rule_fail(r, "name must be a text of 1 to %d bytes", MAX_NAME_BYTES);
    rule->name = nw__strdup(name != NULL ? json_string_value(name) : text);
    rule->mentions = nw__calloc(r->schema->columns, sizeof *rule->mentions);
    if (rule->name == NULL || rule->mentions == NULL)
        return nw__rule_fail_memory(r);
    if (name != NULL)
        snprintf(text, sizeof text, "rule %zu \"%s\"", index + 1, json_string_value(name));
    r->mentions = rule->mentions;
    return read_rule_body(r, object, rule);
}

static nw_status read_root(nw__rule_reading *r, json_t *root, nw__rules *rules)
{
    json_t *list = json_object_get(root, "rules");
    const char *format = json_string_value(json_object_get(root, "format"));
    if (!json_is_object(root) || format == NULL || strcmp(format, FORMAT) != 0)
        return nw__rule_fail(r, "must be a JSON object with \"format\": \"%s\", \"version\": 1 and \"rules\"", FORMAT);
    NW__TRY(check_keys(r, root, " format version rules "));
    if (!json_is_integer(json_object_get(root, "version")) || json_integer_value(json_object_get(root, "version")) != 1)
        return nw__rule_fail(r, "version must be 1");
    if (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > MAX_RULES)
        return nw__rule_fail(r, "rules must be an array of 1 to %d rules", MAX_RULES);
    rules->rules = nw__calloc(json_array_size(list), sizeof *rules->rules);
    rules->text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
    if (rules->rules == NULL || rules->text == NULL)
        return nw__rule_fail_memory(r);
    for (size_t i = 0; i < json_array_size(list); i++) {
        rules->count++;
        NW__TRY(read_rule(r, json_array_get(list, i), i, &rules->rules[i]));
    }
    return NW_OK;
}

nw_status nw__rules_parse(nw__rules **out, const nw_schema *schema, json_t *root, nw_error *err, const char *function)
{
    nw__rule_reading r = { schema, function, NULL, NULL, err };
    nw__rules *rules = nw__calloc(1, sizeof *rules);
    if (rules == NULL)
        return nw__fail_memory(err, function);
    rules->columns = schema->columns;
    const nw_status status = read_root(&r, root, rules);
    if (status != NW_OK) {
        nw__rules_free(rules);
        return status;
    }
    *out = rules;
    return NW_OK;
}
