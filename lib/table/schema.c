/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* schema.c - a schema from JSON, its columns, its hash. */
#include "rules.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CELLS 65535u
#define MAX_TEXT_BYTES 4096 /* of a name or a label */
/* 15 significant decimal digits survive the way through a double; values on a grid are that exact. */
#define MAX_SCALED 1e15
#define MAX_DECIMALS 22

/* What is being read, for messages. */
typedef struct reading {
    const char *function;
    const char *column;
    uint32_t max_bins;
    nw_error *err;
} reading;

static nw_status fail_column(const reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static nw_status fail_column(const reading *r, const char *format, ...)
{
    char text[NW_ERROR_MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return nw__fail(r->err, NW_E_FORMAT, r->function, "column \"%.100s\": %s", r->column, text);
}

/* ---- one key ---- */

static nw_status read_bound(const reading *r, const json_t *object, const char *key, nw_column_type type, double *value)
{
    const json_t *item = json_object_get(object, key);
    if (item == NULL)
        return fail_column(r, "%s is missing", key);
    if (type == NW_COLUMN_DATE) {
        int64_t days;
        if (!json_is_string(item) || !nw__parse_date(json_string_value(item), json_string_length(item), &days))
            return fail_column(r, "%s must be a date \"yyyy-mm-dd\", 0001-01-01 .. 9999-12-31", key);
        *value = (double)days;
        return NW_OK;
    }
    if (!json_is_number(item))
        return fail_column(r, "%s must be a number", key);
    *value = json_number_value(item) + 0.0; /* no negative zero */
    if (type == NW_COLUMN_INT && (floor(*value) != *value || fabs(*value) > MAX_SCALED))
        return fail_column(r, "%s is %.17g, must be an integer in -1e15 .. 1e15", key, *value);
    return NW_OK;
}

static nw_status read_step(const reading *r, const json_t *object, nw_column *c)
{
    const json_t *item = json_object_get(object, "step");
    c->step = c->type == NW_COLUMN_FLOAT ? 0.0 : 1.0;
    if (item == NULL)
        return NW_OK;
    if (!json_is_number(item))
        return fail_column(r, "step must be a number");
    c->step = json_number_value(item);
    if (!(c->step > 0))
        return fail_column(r, "step is %g, must be greater than 0", c->step);
    if (c->type != NW_COLUMN_FLOAT && floor(c->step) != c->step)
        return fail_column(r, "step is %g, must be an integer", c->step);
    return NW_OK;
}

static nw_status read_scale(const reading *r, const json_t *object, bool *is_log)
{
    const json_t *item = json_object_get(object, "scale");
    const char *text = json_string_value(item);
    *is_log = text != NULL && strcmp(text, "log") == 0;
    if (item != NULL && !*is_log && (text == NULL || strcmp(text, "linear") != 0))
        return fail_column(r, "scale must be \"log\" or \"linear\"");
    return NW_OK;
}

static nw_status read_nullable(const reading *r, const json_t *object, bool *is_nullable)
{
    const json_t *item = json_object_get(object, "nullable");
    *is_nullable = item == NULL || json_is_true(item);
    if (item != NULL && !json_is_boolean(item))
        return fail_column(r, "nullable must be true or false");
    return NW_OK;
}

/* ---- grids ---- */

bool nw__scale_decimal(double x, int decimals, double power, int64_t *m)
{
    const double scaled = x * power;
    if (decimals > MAX_DECIMALS || fabs(scaled) > MAX_SCALED)
        return false;
    *m = llround(scaled);
    return (double)*m / power == x;
}

/* Finds the number of decimals with which lower and step are integers, and counts the values of the grid. */
static nw_status lay_grid(const reading *r, nw__domain *domain)
{
    const nw_column *c = &domain->column;
    if (c->step == 0)
        return NW_OK;
    int64_t scaled_upper;
    double power = 1;
    int decimals = 0;
    while (!nw__scale_decimal(c->lower, decimals, power, &domain->scaled_lower) ||
           !nw__scale_decimal(c->step, decimals, power, &domain->scaled_step)) {
        if (++decimals > MAX_DECIMALS)
            return fail_column(r, "lower and step together need more than 15 significant digits");
        power *= 10; /* exact up to 10^22 */
    }
    if (fabs(c->upper * power) > MAX_SCALED)
        return fail_column(r, "upper is more than 1e15 units of the last decimal of step");
    if (!nw__scale_decimal(c->upper, decimals, power, &scaled_upper))
        scaled_upper = (int64_t)floor(c->upper * power); /* between two values: the grid ends below it */
    domain->decimals = decimals;
    domain->values = (double)((scaled_upper - domain->scaled_lower) / domain->scaled_step + 1);
    return NW_OK;
}

static nw_status read_numeric(const reading *r, const json_t *object, nw__domain *domain)
{
    nw_column *c = &domain->column;
    NW__TRY(read_bound(r, object, "lower", c->type, &c->lower));
    NW__TRY(read_bound(r, object, "upper", c->type, &c->upper));
    NW__TRY(read_step(r, object, c));
    NW__TRY(read_scale(r, object, &c->is_log));
    if (c->lower > c->upper)
        return c->type == NW_COLUMN_DATE
                   ? fail_column(r, "lower is after upper")
                   : fail_column(r, "lower is %.17g, must not be greater than upper %.17g", c->lower, c->upper);
    if (!isfinite(c->upper - c->lower))
        return fail_column(r, "upper - lower is not a finite number");
    NW__TRY(lay_grid(r, domain));
    const char *why;
    if (!nw__domain_cut(domain, r->max_bins, &why))
        return nw__fail_memory(r->err, r->function);
    return why == NULL ? NW_OK : fail_column(r, "%s", why);
}

/* ---- categories ---- */

/* A label as text, to be freed; NULL if memory lacks. */
static char *label_text(const json_t *item)
{
    if (json_is_string(item))
        return nw__strdup(json_string_value(item));
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)json_integer_value(item));
    return nw__strdup(text);
}

static nw_status read_values(const reading *r, const json_t *object, nw__domain *domain)
{
    const json_t *values = json_object_get(object, "values");
    if (!json_is_array(values) || json_array_size(values) == 0)
        return fail_column(r, "values must be an array of at least one string");
    const size_t n = json_array_size(values);
    if (n > MAX_CELLS)
        return fail_column(r, "%zu values, must be at most %u", n, MAX_CELLS);
    domain->labels = nw__calloc(n, sizeof *domain->labels);
    if (domain->labels == NULL)
        return nw__fail_memory(r->err, r->function);
    domain->bins = (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(values, i);
        if (!json_is_string(item) && !json_is_integer(item))
            return fail_column(r, "value number %zu must be a string or an integer", i + 1);
        domain->labels[i] = label_text(item);
        if (domain->labels[i] == NULL)
            return nw__fail_memory(r->err, r->function);
        if (domain->labels[i][0] == '\0')
            return fail_column(r, "value number %zu is the empty string, which stands for a missing cell", i + 1);
        if (strlen(domain->labels[i]) > MAX_TEXT_BYTES)
            return fail_column(r, "value number %zu is longer than %d bytes", i + 1, MAX_TEXT_BYTES);
    }
    const char *duplicate;
    if (!nw__domain_index_labels(domain, &duplicate))
        return nw__fail_memory(r->err, r->function);
    return duplicate == NULL ? NW_OK : fail_column(r, "value \"%.100s\" occurs twice", duplicate);
}

/* "other": the value that stands for all that is not listed. */
static nw_status read_other(const reading *r, const json_t *object, nw__domain *domain)
{
    const json_t *item = json_object_get(object, "other");
    const char *label = json_string_value(item);
    if (item == NULL)
        return NW_OK;
    if (label == NULL || !nw__domain_find_label(domain, label, strlen(label), &domain->unknown_code))
        return fail_column(r, "other must be one of the values, as a string");
    domain->has_other = true;
    return NW_OK;
}

/* ---- one column ---- */

typedef struct type_rule {
    const char *name;
    nw_column_type type;
    const char *keys; /* besides "type" and "nullable" */
} type_rule;

static const type_rule type_rules[] = {
    {"int", NW_COLUMN_INT, " lower upper step scale "},
    {"float", NW_COLUMN_FLOAT, " lower upper step scale "},
    {"categorical", NW_COLUMN_CATEGORICAL, " values other "},
    {"bool", NW_COLUMN_BOOL, " "},
    {"date", NW_COLUMN_DATE, " lower upper step "},
    {"text", NW_COLUMN_TEXT, " "},
};

static const type_rule *find_type(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof type_rules / sizeof type_rules[0]; i++)
        if (strcmp(type_rules[i].name, name) == 0)
            return &type_rules[i];
    return NULL;
}

static bool is_in_list(const char *list, const char *key)
{
    char padded[32];
    const int n = snprintf(padded, sizeof padded, " %s ", key);
    return n < (int)sizeof padded && strchr(key, ' ') == NULL && strstr(list, padded) != NULL;
}

static nw_status check_keys(const reading *r, json_t *object, const type_rule *rule)
{
    const char *key;
    json_t *item;
    json_object_foreach(object, key, item)
    {
        if (!is_in_list(" type nullable ", key) && !is_in_list(rule->keys, key))
            return fail_column(r, "unknown key \"%.60s\"; type %s has the keys type nullable%s", key, rule->name, rule->keys);
    }
    return NW_OK;
}

static nw_status read_long_form(const reading *r, json_t *object, nw__domain *domain)
{
    const type_rule *rule = find_type(json_string_value(json_object_get(object, "type")));
    if (rule == NULL)
        return fail_column(r, "type must be \"int\", \"float\", \"categorical\", \"bool\", \"date\" or \"text\"");
    nw_column *c = &domain->column;
    c->type = rule->type;
    c->step = 1;
    NW__TRY(check_keys(r, object, rule));
    NW__TRY(read_nullable(r, object, &c->is_nullable));
    if (c->type == NW_COLUMN_TEXT && !c->is_nullable)
        return fail_column(r, "nullable is false, must be true for a text: no text can stand for a missing one");
    switch (c->type) {
    case NW_COLUMN_CATEGORICAL: NW__TRY(read_values(r, object, domain)); return read_other(r, object, domain);
    case NW_COLUMN_BOOL: domain->bins = 2; return NW_OK;
    case NW_COLUMN_TEXT: domain->bins = 1; return NW_OK;
    case NW_COLUMN_CODE:
    case NW_COLUMN_INT:
    case NW_COLUMN_FLOAT:
    case NW_COLUMN_DATE: return read_numeric(r, object, domain);
    }
    return NW_OK;
}

static nw_status read_short_form(const reading *r, const json_t *number, nw__domain *domain)
{
    const json_int_t cells = json_integer_value(number);
    if (cells < 1 || cells > (json_int_t)MAX_CELLS)
        return fail_column(r, "number of codes is %lld, must be in 1 .. %u", (long long)cells, MAX_CELLS);
    domain->column.type = NW_COLUMN_CODE;
    domain->column.step = 1;
    domain->column.upper = (double)(cells - 1);
    domain->values = (double)cells;
    domain->scaled_step = 1;
    domain->bins = (uint32_t)cells;
    return NW_OK;
}

static nw_status read_column(const reading *r, json_t *item, nw__domain *domain)
{
    nw_column *c = &domain->column;
    c->name = nw__strdup(r->column);
    if (c->name == NULL)
        return nw__fail_memory(r->err, r->function);
    if (c->name[0] == '\0')
        return fail_column(r, "a column must have a name");
    if (strlen(c->name) > MAX_TEXT_BYTES)
        return fail_column(r, "the name is longer than %d bytes", MAX_TEXT_BYTES);
    if (!json_is_object(item) && !json_is_integer(item))
        return fail_column(r, "must be an object such as {\"type\": \"bool\"}, or a number of codes");
    NW__TRY(json_is_object(item) ? read_long_form(r, item, domain) : read_short_form(r, item, domain));

    c->cells = domain->bins + (c->is_nullable ? 1 : 0);
    if (c->cells > MAX_CELLS)
        return fail_column(r, "%u cells with the one for missing, must be at most %u", c->cells, MAX_CELLS);
    domain->missing_code = c->is_nullable ? (uint16_t)domain->bins : 0;
    if (!domain->has_other)
        domain->unknown_code = domain->missing_code;
    if (nw__domain_is_label(domain))
        c->upper = c->cells - 1;
    else if (!nw__domain_index_integers(domain))
        return nw__fail_memory(r->err, r->function);
    return NW_OK;
}

/* ---- the schema ---- */

static nw_status read_columns(nw_schema *schema, json_t *root, reading *r)
{
    if (!json_is_object(root) || json_object_size(root) == 0)
        return nw__fail(r->err, NW_E_FORMAT, r->function, "a schema must be a JSON object with at least one column");
    schema->domains = nw__calloc(json_object_size(root), sizeof *schema->domains);
    if (schema->domains == NULL)
        return nw__fail_memory(r->err, r->function);
    json_t *item;
    json_object_foreach(root, r->column, item) /* in the order of the text: jansson keeps it */
    {
        schema->columns++;
        NW__TRY(read_column(r, item, &schema->domains[schema->columns - 1]));
    }
    return NW_OK;
}

/* Takes over `root`, what the JSON parser made (NULL: it failed at `where`). */
static nw_status build(
    nw_schema **out, json_t *root, const json_error_t *where, uint32_t max_bins, const char *function, nw_error *err)
{
    if (root == NULL)
        return json_error_code(where) == json_error_out_of_memory
                   ? nw__fail_memory(err, function)
                   : nw__fail(err, NW_E_FORMAT, function, "line %d, column %d: %s", where->line, where->column, where->text);
    reading r = { function, "", max_bins == 0 ? NW_SCHEMA_DEFAULT_BINS : max_bins, err };
    nw_schema *schema = nw__calloc(1, sizeof *schema);
    nw_status status = schema == NULL ? nw__fail_memory(err, function) : NW_OK;
    if (status == NW_OK) {
        schema->references = 1;
        schema->max_bins = r.max_bins;
        status = read_columns(schema, root, &r);
    }
    if (status == NW_OK) {
        schema->json = json_dumps(root, JSON_COMPACT);
        status = schema->json == NULL ? nw__fail_memory(err, function) : NW_OK;
    }
    json_decref(root);
    if (status != NW_OK) {
        nw_schema_free(schema);
        return status;
    }
    *out = schema;
    return NW_OK;
}

static nw_status check_arguments(nw_schema **out, const char *source, uint32_t max_bins, nw_error *err, const char *function)
{
    if (out != NULL)
        *out = NULL;
    if (out == NULL || source == NULL)
        return nw__fail(err, NW_E_ARG, function, "an argument is NULL");
    if (max_bins > MAX_CELLS)
        return nw__fail(err, NW_E_ARG, function, "max_bins is %u, must be in 0 .. %u", max_bins, MAX_CELLS);
    return NW_OK;
}

nw_status nw_schema_parse(nw_schema **out, const char *json, uint32_t max_bins, nw_error *err)
{
    NW__TRY(check_arguments(out, json, max_bins, err, __func__));
    json_error_t where;
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, &where);
    return build(out, root, &where, max_bins, __func__, err);
}

nw_status nw__json_read(json_t **root, json_error_t *where, const char *path, nw_error *err, const char *function)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return nw__fail(err, NW_E_IO, function, "cannot open %.200s: %s", path, strerrordesc_np(errno));
    errno = 0;
    *root = json_loadf(file, JSON_REJECT_DUPLICATES, where);
    const int reason = ferror(file) ? errno : 0; /* the parser takes a failed read for the end of the file */
    fclose(file);
    if (reason == 0)
        return NW_OK;
    json_decref(*root);
    return nw__fail(err, NW_E_IO, function, "cannot read %.200s: %s", path, strerrordesc_np(reason));
}

nw_status nw_schema_read(nw_schema **out, const char *path, uint32_t max_bins, nw_error *err)
{
    json_t *root;
    json_error_t where;
    NW__TRY(check_arguments(out, path, max_bins, err, __func__));
    NW__TRY(nw__json_read(&root, &where, path, err, __func__));
    return build(out, root, &where, max_bins, __func__, err);
}

const nw_schema *nw__schema_share(const nw_schema *schema)
{
    __atomic_fetch_add(&((nw_schema *)(uintptr_t)schema)->references, 1, __ATOMIC_RELAXED);
    return schema;
}

void nw_schema_free(nw_schema *schema)
{
    if (schema == NULL || __atomic_fetch_sub(&schema->references, 1, __ATOMIC_ACQ_REL) != 1)
        return;
    for (size_t i = 0; i < schema->columns; i++)
        nw__domain_free(&schema->domains[i]);
    free(schema->domains);
    nw__rules_free(schema->rules);
    free(schema->json);
    free(schema);
}

const char *nw_schema_json(const nw_schema *schema)
{
    return schema->json;
}

uint32_t nw_schema_max_bins(const nw_schema *schema)
{
    return schema->max_bins;
}

size_t nw_schema_columns(const nw_schema *schema)
{
    return schema->columns;
}

nw_column nw_schema_column(const nw_schema *schema, size_t i)
{
    return schema->domains[i].column;
}

/* ---- hash ---- */

static void hash_integer(crypto_generichash_state *state, uint64_t value)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
    crypto_generichash_update(state, bytes, sizeof bytes);
}

static void hash_real(crypto_generichash_state *state, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    hash_integer(state, bits);
}

static void hash_text(crypto_generichash_state *state, const char *text)
{
    hash_integer(state, strlen(text));
    crypto_generichash_update(state, (const uint8_t *)text, strlen(text));
}

/* The canonical form: every field in a fixed order, texts preceded by their length, integers and the bits of doubles as 8 bytes,
 * the low one first. The JSON's layout, and keys that only repeat a default, do not enter; the number of cells, thus max_bins,
 * does, and so do rules (nw/constraints.h). */
void nw_schema_hash(const nw_schema *schema, char out[65])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, 32);
    hash_text(&state, "noisewright schema 1");
    hash_integer(&state, schema->columns);
    for (size_t i = 0; i < schema->columns; i++) {
        const nw__domain *domain = &schema->domains[i];
        const nw_column *c = &domain->column;
        hash_text(&state, c->name);
        hash_integer(&state, (uint64_t)c->type);
        hash_integer(&state, c->cells);
        hash_integer(&state, c->is_nullable);
        hash_real(&state, c->lower);
        hash_real(&state, c->upper);
        hash_real(&state, c->step);
        hash_integer(&state, c->is_log);
        for (uint32_t b = 0; domain->labels != NULL && b < domain->bins; b++)
            hash_text(&state, domain->labels[b]);
    }
    for (size_t i = 0; i < schema->columns; i++) {
        if (!schema->domains[i].has_other)
            continue;
        hash_text(&state, "other");
        hash_integer(&state, i);
        hash_integer(&state, schema->domains[i].unknown_code);
    }
    if (schema->rules != NULL)
        hash_text(&state, schema->rules->text);
    uint8_t digest[32];
    crypto_generichash_final(&state, digest, sizeof digest);
    sodium_bin2hex(out, 65, digest, sizeof digest);
}
