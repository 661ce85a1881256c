/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* event_json.c - events as JSON and back, losing nothing.
 *
 *   { "format": "noisewright-event", "version": 1, "event": E }
 *   E = { "type": "rounded_gaussian", "sigma": X, "sensitivity": { "norm": "l2", "value": X, "adjacency": "add_remove" },
 *   "samples": 12 }
 *     | { "type": "pure" | "approx" | "zcdp" | "gdp", "epsilon" | "rho" | "mu": X, "delta": X, "adjacency": "..." }
 *     | { "type": "composed", "events": [E, ...] } | { "type": "repeat", "count": 9, "event": E }
 *
 * X is written as a hexadecimal float without a point, "0x1fp-4", which no locale changes, and read as that or as a number. Also
 * read: a leaf with "count", a plain number as sensitivity (one record's contribution: add_remove), discrete_laplace with "a" =
 * 1 / scale, and a list { "mechanisms": [E, ...] }. */
#include "accountant_internal.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char FORMAT[] = "noisewright-event";
enum { VERSION = 1, MAX_DEPTH = 64 };

static const char *parameter_key(nw_event_kind kind)
{
    switch (kind) {
    case NW_EVENT_GAUSSIAN:
    case NW_EVENT_ROUNDED_GAUSSIAN:
    case NW_EVENT_DISCRETE_GAUSSIAN: return "sigma";
    case NW_EVENT_LAPLACE:
    case NW_EVENT_DISCRETE_LAPLACE: return "scale";
    case NW_EVENT_PURE:
    case NW_EVENT_APPROX: return "epsilon";
    case NW_EVENT_ZCDP: return "rho";
    default: return "mu";
    }
}

static json_t *from_double(double x)
{
    int exponent = 0;
    const double fraction = frexp(x, &exponent); /* parameters are not negative */
    uint64_t mantissa = (uint64_t)ldexp(fraction, 53);
    exponent -= 53;
    while (mantissa != 0 && mantissa % 2 == 0) {
        mantissa /= 2;
        exponent++;
    }
    return json_sprintf("0x%llxp%d", (unsigned long long)mantissa, mantissa == 0 ? 0 : exponent);
}

static json_t *to_json(const nw_event *e)
{
    json_t *o = json_pack("{s:s}", "type", nw__event_kind_name(e->kind));
    if (e->kind == NW_EVENT_COMPOSED) {
        json_t *list = json_array();
        for (size_t i = 0; i < e->child_count; i++)
            json_array_append_new(list, to_json(e->children[i]));
        json_object_set_new(o, "events", list);
    } else if (e->kind == NW_EVENT_REPEAT) {
        json_object_set_new(o, "count", json_integer((json_int_t)e->count));
        json_object_set_new(o, "event", to_json(e->children[0]));
    } else {
        json_object_set_new(o, parameter_key(e->kind), from_double(e->parameter));
        if (e->kind == NW_EVENT_APPROX)
            json_object_set_new(o, "delta", from_double(e->delta));
        if (e->kind <= NW_EVENT_DISCRETE_LAPLACE) {
            const char *norm = e->kind <= NW_EVENT_DISCRETE_GAUSSIAN ? "l2" : "l1";
            json_object_set_new(o, "sensitivity",
                json_pack("{s:s, s:o, s:s}", "norm", norm, "value", from_double(e->sensitivity.value), "adjacency",
                    nw_adjacency_name(e->sensitivity.adjacency)));
            json_object_set_new(o, "samples", json_integer((json_int_t)e->samples));
        } else {
            json_object_set_new(o, "adjacency", json_string(nw_adjacency_name(e->sensitivity.adjacency)));
        }
    }
    return o;
}

nw_status nw_event_to_json(const nw_event *event, char **out, nw_error *err)
{
    if (event == NULL || out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", event == NULL ? "event" : "out");
    json_t *root = json_pack("{s:s, s:i, s:o}", "format", FORMAT, "version", VERSION, "event", to_json(event));
    *out = root == NULL ? NULL : json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return *out == NULL ? nw__fail_memory(err, __func__) : NW_OK;
}

void nw_string_free(char *string)
{
    free(string);
}

static nw_status format_error(nw_error *err, const char *key, const char *what)
{
    return nw__fail(err, NW_E_FORMAT, "nw_event_from_json", "\"%s\" %s", key, what);
}

/* A number, or a hexadecimal float as a string. */
static bool read_double(const json_t *value, double *out)
{
    if (json_is_number(value)) {
        *out = json_number_value(value);
        return isfinite(*out);
    }
    const char *text = json_string_value(value);
    char *end = NULL;
    if (text == NULL || strncmp(text, "0x", 2) != 0 || strspn(text, "0123456789abcdefxp-+") != strlen(text))
        return false;
    *out = strtod(text, &end);
    return *end == '\0' && isfinite(*out);
}

static bool read_count(const json_t *value, uint64_t *out)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

static bool read_adjacency(const json_t *value, nw_adjacency *out)
{
    return json_is_string(value) && nw_adjacency_parse(json_string_value(value), out, NULL) == NW_OK;
}

static nw_status read_sensitivity(const json_t *object, nw_event *leaf, nw_error *err)
{
    const json_t *value = json_object_get(object, "sensitivity");
    const char *norm = leaf->kind <= NW_EVENT_DISCRETE_GAUSSIAN ? "l2" : "l1";
    leaf->sensitivity.adjacency = NW_ADD_REMOVE; /* a plain number is one record's contribution */
    if (json_is_object(value)) {
        const json_t *given = json_object_get(value, "norm");
        if (given != NULL && (!json_is_string(given) || strcmp(json_string_value(given), norm) != 0))
            return format_error(
                err, "norm", leaf->kind <= NW_EVENT_DISCRETE_GAUSSIAN ? "must be \"l2\" here" : "must be \"l1\" here");
        if (!read_adjacency(json_object_get(value, "adjacency"), &leaf->sensitivity.adjacency))
            return format_error(err, "adjacency", "must be \"add_remove\", \"replace_one\" or \"zero_out\"");
        value = json_object_get(value, "value");
    }
    if (!read_double(value, &leaf->sensitivity.value))
        return format_error(err, "sensitivity", "must be a number, or an object with \"value\" and \"adjacency\"");
    const json_t *samples = json_object_get(object, "samples");
    if (samples != NULL && !read_count(samples, &leaf->samples))
        return format_error(err, "samples", "must be an integer >= 0");
    return NW_OK;
}

static nw_status read_leaf(const json_t *object, nw_event_kind kind, nw_event **out, nw_error *err)
{
    nw_event leaf = { .kind = kind };
    const char *key = parameter_key(kind);
    const json_t *value = json_object_get(object, key);
    double inverse = 0.0;
    if (value == NULL && kind == NW_EVENT_DISCRETE_LAPLACE && read_double(json_object_get(object, "a"), &inverse) &&
        inverse > 0.0)
        leaf.parameter = nw__down(1.0 / inverse); /* a smaller scale costs more: the safe side */
    else if (!read_double(value, &leaf.parameter))
        return format_error(err, key, "must be a number");
    if (kind <= NW_EVENT_DISCRETE_LAPLACE) {
        NW__TRY(read_sensitivity(object, &leaf, err));
    } else if (!read_adjacency(json_object_get(object, "adjacency"), &leaf.sensitivity.adjacency)) {
        return format_error(err, "adjacency", "must be \"add_remove\", \"replace_one\" or \"zero_out\"");
    }
    if (kind == NW_EVENT_APPROX && !read_double(json_object_get(object, "delta"), &leaf.delta))
        return format_error(err, "delta", "must be a number");
    const nw_status status = nw__event_leaf(out, leaf, "nw_event_from_json", err);
    if (status == NW_E_ARG && err != NULL)
        err->status = NW_E_FORMAT; /* a bad value in the text is a bad text */
    return status == NW_E_ARG ? NW_E_FORMAT : status;
}

static nw_status read_event(const json_t *object, int depth, nw_event **out, nw_error *err);

static nw_status read_list(const json_t *list, const char *key, int depth, nw_event **out, nw_error *err)
{
    const size_t n = json_array_size(list);
    if (n == 0)
        return format_error(err, key, "must be a list of at least one event");
    nw_event **children = nw__calloc(n, sizeof *children);
    nw_status status = children == NULL ? nw__fail_memory(err, "nw_event_from_json") : NW_OK;
    for (size_t i = 0; status == NW_OK && i < n; i++)
        status = read_event(json_array_get(list, i), depth + 1, &children[i], err);
    if (status == NW_OK)
        status = nw_event_composed(out, (const nw_event *const *)children, n, err);
    for (size_t i = 0; children != NULL && i < n; i++)
        nw_event_free(children[i]);
    free(children);
    return status;
}

/* `child` count times, taking it over. */
static nw_status wrap_repeat(nw_event *child, uint64_t count, nw_event **out, nw_error *err)
{
    const nw_status status = nw_event_repeat(out, child, count, err);
    nw_event_free(child);
    return status;
}

/* Types of the reference schema that this version has no accountant for. */
static bool is_known_elsewhere(const char *type)
{
    static const char *const known[] = { "randomized_response", "exponential", "report_noisy_max", "permute_and_flip", "rdp",
        "ldp", "poisson_subsampled", "fixed_size_subsampled", "shuffled", "tree", "matrix", "parallel" };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(type, known[i]) == 0)
            return true;
    return false;
}

static nw_status read_kind(const json_t *object, nw_event_kind *kind, nw_error *err)
{
    static const nw_event_kind kinds[] = { NW_EVENT_GAUSSIAN, NW_EVENT_ROUNDED_GAUSSIAN, NW_EVENT_DISCRETE_GAUSSIAN,
        NW_EVENT_LAPLACE, NW_EVENT_DISCRETE_LAPLACE, NW_EVENT_PURE, NW_EVENT_APPROX, NW_EVENT_ZCDP, NW_EVENT_GDP,
        NW_EVENT_COMPOSED, NW_EVENT_REPEAT };
    const char *type = json_string_value(json_object_get(object, "type"));
    if (type == NULL)
        return format_error(err, "type", "must be a string");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(type, nw__event_kind_name(kinds[i])) == 0) {
            *kind = kinds[i];
            return NW_OK;
        }
    }
    if (is_known_elsewhere(type))
        return nw__fail(
            err, NW_E_UNSUPPORTED, "nw_event_from_json", "type \"%.40s\" cannot be accounted by version %s", type, nw_version());
    return nw__fail(err, NW_E_FORMAT, "nw_event_from_json", "\"type\" is \"%.40s\", which is no event", type);
}

static nw_status read_event(const json_t *object, int depth, nw_event **out, nw_error *err)
{
    nw_event_kind kind = NW_EVENT_COMPOSED;
    uint64_t count = 1;
    const json_t *given_count = json_object_get(object, "count");
    if (depth > MAX_DEPTH)
        return nw__fail(err, NW_E_FORMAT, "nw_event_from_json", "events are nested more than %d deep", MAX_DEPTH);
    if (!json_is_object(object))
        return nw__fail(err, NW_E_FORMAT, "nw_event_from_json", "an event must be an object");
    NW__TRY(read_kind(object, &kind, err));
    if (given_count != NULL && (!read_count(given_count, &count) || count == 0))
        return format_error(err, "count", "must be an integer >= 1");
    if (kind == NW_EVENT_REPEAT) {
        nw_event *child = NULL;
        if (given_count == NULL)
            return format_error(err, "count", "must be an integer >= 1");
        NW__TRY(read_event(json_object_get(object, "event"), depth + 1, &child, err));
        return wrap_repeat(child, count, out, err);
    }
    nw_event *event = NULL;
    if (kind == NW_EVENT_COMPOSED)
        NW__TRY(read_list(json_object_get(object, "events"), "events", depth, &event, err));
    else
        NW__TRY(read_leaf(object, kind, &event, err));
    if (given_count != NULL)
        return wrap_repeat(event, count, out, err);
    *out = event;
    return NW_OK;
}

static nw_status read_root(const json_t *root, nw_event **out, nw_error *err)
{
    const json_t *mechanisms = json_object_get(root, "mechanisms");
    if (mechanisms != NULL)
        return read_list(mechanisms, "mechanisms", 0, out, err);
    const json_t *format = json_object_get(root, "format");
    if (!json_is_string(format) || strcmp(json_string_value(format), FORMAT) != 0)
        return format_error(err, "format", "must be \"noisewright-event\"");
    if (json_integer_value(json_object_get(root, "version")) != VERSION)
        return format_error(err, "version", "must be 1: the event was written by a newer version");
    return read_event(json_object_get(root, "event"), 0, out, err);
}

nw_status nw_event_from_json(nw_event **out, const char *json, nw_error *err)
{
    json_error_t parse_error;
    if (out == NULL || json == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : "json");
    *out = NULL;
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, &parse_error);
    if (root == NULL)
        return nw__fail(
            err, NW_E_FORMAT, __func__, "line %d, column %d: %s", parse_error.line, parse_error.column, parse_error.text);
    const nw_status status = read_root(root, out, err);
    json_decref(root);
    return status;
}
