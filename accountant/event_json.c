/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* event_json.c - events as JSON and back, losing nothing.
 *
 *   { "format": "noisewright-event", "version": 1, "event": E }
 *   E = { "type": "gaussian" | "rounded_gaussian" | "discrete_gaussian" | "laplace" | "discrete_laplace", "sigma" | "scale": X,
 *         "sensitivity": S, "samples": 12 },  S = { "norm": "l2" | "l1", "value": X, "adjacency": A }
 *     | { "type": "tree", "sigma": X, "sensitivity": S, "leaves": 9 }
 *     | { "type": "matrix", "sigma": X, "sensitivity": S,
 *         "strategy": { "kind": "dense" | "toeplitz" | "banded" | "blt", "steps": 9, "coefficients": [X, ...],
 *                       "theta": [X, ...], "bands": 1, "max_participations": 1, "min_separation": 1 } }
 *     | { "type": "pure" | "approx" | "zcdp" | "gdp" | "exponential" | "report_noisy_max" | "permute_and_flip",
 *         "epsilon" | "rho" | "mu": X, "delta": X, "adjacency": A }
 *     | { "type": "rdp", "orders": [X, ...], "rdp": [X, ...], "adjacency": A }
 *     | { "type": "ldp", "epsilon0": X } | { "type": "randomized_response", "p": X, "k": 2 }
 *     | { "type": "composed" | "parallel", "events": [E, ...] } | { "type": "repeat", "count": 9, "event": E }
 *     | { "type": "poisson_subsampled", "q": X, "base": E } | { "type": "shuffled", "n": 9, "base": E }
 *     | { "type": "fixed_size_subsampled", "population": 9, "sample": 9, "replacement": false, "base": E }
 *
 * X is written as a hexadecimal float without a point, "0x1fp-4" or "-0x1p0", which no locale
 * changes, and read as that or as a number.
 * Also read: any event with "count", a plain number as sensitivity (one record's contribution: add_remove), discrete_laplace with
 * "a" = 1 / scale, E alone, and a list [E, ...] or { "mechanisms": [E, ...] }. A key that is not its event's is refused, but for
 * "note". */
#include "accountant_internal.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char FORMAT[] = "noisewright-event";
enum { VERSION = 1 };

static json_t *from_double(double x)
{
    int exponent = 0;
    const double fraction = frexp(fabs(x), &exponent);
    uint64_t mantissa = (uint64_t)ldexp(fraction, 53);
    exponent -= 53;
    while (mantissa != 0 && mantissa % 2 == 0) {
        mantissa /= 2;
        exponent++;
    }
    return json_sprintf("%s0x%llxp%d", x < 0.0 ? "-" : "", (unsigned long long)mantissa, mantissa == 0 ? 0 : exponent);
}

static json_t *from_doubles(const double *x, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, from_double(x[i]));
    return list;
}

static const char *norm_of(nw_event_kind kind)
{
    return kind == NW_EVENT_LAPLACE || kind == NW_EVENT_DISCRETE_LAPLACE ? "l1" : "l2";
}

static const char *const STRATEGIES[] = { NULL, "dense", "toeplitz", "banded", "blt" };

static json_t *strategy_to_json(const nw_strategy *s)
{
    json_t *o = json_pack("{s:s, s:I, s:o, s:I, s:I, s:I}", "kind", STRATEGIES[s->kind], "steps", (json_int_t)s->steps,
        "coefficients", from_doubles(s->coefficients, s->coefficient_count), "bands", (json_int_t)s->bands, "max_participations",
        (json_int_t)s->max_participations, "min_separation", (json_int_t)s->min_separation);
    if (s->theta != NULL)
        json_object_set_new(o, "theta", from_doubles(s->theta, s->coefficient_count));
    return o;
}

static void set_count(json_t *o, const char *key, uint64_t count)
{
    json_object_set_new(o, key, json_integer((json_int_t)count));
}

static json_t *to_json(const nw_event *e);

/* Inner nodes: what they hold besides their parameter. */
static void node_to_json(json_t *o, const nw_event *e)
{
    if (e->kind == NW_EVENT_COMPOSED || e->kind == NW_EVENT_PARALLEL) {
        json_t *list = json_array();
        for (size_t i = 0; i < e->child_count; i++)
            json_array_append_new(list, to_json(e->children[i]));
        json_object_set_new(o, "events", list);
        return;
    }
    if (e->kind == NW_EVENT_REPEAT)
        set_count(o, "count", e->count);
    if (e->kind == NW_EVENT_SHUFFLED)
        set_count(o, "n", e->count);
    if (e->kind == NW_EVENT_FIXED_SIZE_SUBSAMPLED) {
        set_count(o, "population", e->population);
        set_count(o, "sample", e->count);
        json_object_set_new(o, "replacement", json_boolean(e->with_replacement));
    }
    json_object_set_new(o, e->kind == NW_EVENT_REPEAT ? "event" : "base", to_json(e->children[0]));
}

static void leaf_to_json(json_t *o, const nw_event *e)
{
    if (e->kind == NW_EVENT_APPROX)
        json_object_set_new(o, "delta", from_double(e->delta));
    if (e->kind == NW_EVENT_RANDOMIZED_RESPONSE)
        set_count(o, "k", e->count);
    if (e->kind == NW_EVENT_TREE)
        set_count(o, "leaves", e->count);
    if (e->kind == NW_EVENT_MATRIX)
        json_object_set_new(o, "strategy", strategy_to_json(e->strategy));
    if (e->kind == NW_EVENT_RDP) {
        json_object_set_new(o, "orders", from_doubles(e->orders, e->curve_size));
        json_object_set_new(o, "rdp", from_doubles(e->rdp, e->curve_size));
    }
    const char *adjacency = nw_adjacency_name(e->sensitivity.adjacency);
    if (nw__event_has_noise(e->kind)) {
        json_object_set_new(o, "sensitivity",
            json_pack(
                "{s:s, s:o, s:s}", "norm", norm_of(e->kind), "value", from_double(e->sensitivity.value), "adjacency", adjacency));
        set_count(o, "samples", e->samples);
    } else if (e->kind != NW_EVENT_LDP && e->kind != NW_EVENT_RANDOMIZED_RESPONSE) {
        json_object_set_new(o, "adjacency", json_string(adjacency));
    }
}

static json_t *to_json(const nw_event *e)
{
    json_t *o = json_pack("{s:s}", "type", nw__event_kind_name(e->kind));
    const char *key = nw__event_parameter_name(e->kind);
    if (key != NULL)
        json_object_set_new(o, key, from_double(e->parameter));
    if (e->child_count > 0)
        node_to_json(o, e);
    else
        leaf_to_json(o, e);
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
    if (text == NULL || strncmp(text + (text[0] == '-'), "0x", 2) != 0 || strspn(text, "0123456789abcdefxp-+") != strlen(text))
        return false;
    *out = strtod(text, &end);
    return *end == '\0' && isfinite(*out);
}

static bool read_count(const json_t *value, uint64_t *out)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > (json_int_t)NW__MOST_COUNT)
        return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

/* Space-separated: the keys that an event of this kind has besides "type", "count" and "note". */
static const char *keys_of(nw_event_kind kind)
{
    switch (kind) {
    case NW_EVENT_DISCRETE_LAPLACE: return "scale a sensitivity samples";
    case NW_EVENT_TREE: return "sigma sensitivity samples leaves";
    case NW_EVENT_MATRIX: return "sigma sensitivity samples strategy";
    case NW_EVENT_APPROX: return "epsilon delta adjacency";
    case NW_EVENT_RDP: return "orders rdp adjacency";
    case NW_EVENT_LDP: return "epsilon0";
    case NW_EVENT_RANDOMIZED_RESPONSE: return "p k";
    case NW_EVENT_COMPOSED:
    case NW_EVENT_PARALLEL: return "events";
    case NW_EVENT_REPEAT: return "event";
    case NW_EVENT_POISSON_SUBSAMPLED: return "q base";
    case NW_EVENT_FIXED_SIZE_SUBSAMPLED: return "population sample replacement base";
    case NW_EVENT_SHUFFLED: return "n base";
    case NW_EVENT_LAPLACE: return "scale sensitivity samples";
    case NW_EVENT_ZCDP: return "rho adjacency";
    case NW_EVENT_GDP: return "mu adjacency";
    default: return nw__event_has_noise(kind) ? "sigma sensitivity samples" : "epsilon adjacency";
    }
}

static bool is_word_of(const char *words, const char *word)
{
    const size_t length = strlen(word);
    for (const char *at = strstr(words, word); at != NULL && length > 0; at = strstr(at + 1, word))
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

/* A misspelt key, or one of another kind, would silently change what is accounted. */
static nw_status check_keys(const json_t *object, const char *common, const char *keys, const char *of, nw_error *err)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)object, key, value)
    {
        if (!is_word_of(common, key) && !is_word_of(keys, key))
            return nw__fail(
                err, NW_E_FORMAT, "nw_event_from_json", "\"%.40s\" is no key of %s, must be one of: %s", key, of, keys);
    }
    return NW_OK;
}

static bool read_adjacency(const json_t *value, nw_adjacency *out)
{
    return json_is_string(value) && nw_adjacency_parse(json_string_value(value), out, NULL) == NW_OK;
}

static nw_status read_sensitivity(const json_t *object, nw_event *leaf, nw_error *err)
{
    const json_t *value = json_object_get(object, "sensitivity");
    const char *norm = norm_of(leaf->kind);
    leaf->sensitivity.adjacency = NW_ADD_REMOVE; /* a plain number is one record's contribution */
    if (json_is_object(value)) {
        const json_t *given = json_object_get(value, "norm");
        NW__TRY(check_keys(value, "", "norm value adjacency", "sensitivity", err));
        if (given != NULL && (!json_is_string(given) || strcmp(json_string_value(given), norm) != 0))
            return format_error(err, "norm", norm[1] == '2' ? "must be \"l2\" here" : "must be \"l1\" here");
        if (!read_adjacency(json_object_get(value, "adjacency"), &leaf->sensitivity.adjacency))
            return format_error(err, "adjacency", "must be \"add_remove\", \"replace_one\", \"zero_out\" or \"replace_label\"");
        value = json_object_get(value, "value");
    }
    if (!read_double(value, &leaf->sensitivity.value))
        return format_error(err, "sensitivity", "must be a number, or an object with \"value\" and \"adjacency\"");
    const json_t *samples = json_object_get(object, "samples");
    if (samples != NULL && !read_count(samples, &leaf->samples))
        return format_error(err, "samples", "must be an integer >= 0");
    return NW_OK;
}

static nw_status need_count(const json_t *object, const char *key, uint64_t *out, nw_error *err)
{
    return read_count(json_object_get(object, key), out) ? NW_OK : format_error(err, key, "must be an integer from 0 to 2^62");
}

/* A list of numbers into a new array. */
static nw_status read_doubles(const json_t *object, const char *key, double **out, size_t *n, nw_error *err)
{
    const json_t *list = json_object_get(object, key);
    *n = json_array_size(list);
    *out = *n == 0 ? NULL : nw__calloc(*n, sizeof(double));
    if (*n == 0)
        return format_error(err, key, "must be a list of at least one number");
    if (*out == NULL)
        return nw__fail_memory(err, "nw_event_from_json");
    for (size_t i = 0; i < *n; i++)
        if (!read_double(json_array_get(list, i), &(*out)[i]))
            return format_error(err, key, "must hold numbers only");
    return NW_OK;
}

static nw_status read_strategy_kind(const json_t *object, nw_strategy_kind *kind, nw_error *err)
{
    const char *name = json_string_value(json_object_get(object, "kind"));
    for (nw_strategy_kind k = NW_STRATEGY_DENSE; name != NULL && k <= NW_STRATEGY_BLT; k++) {
        if (strcmp(name, STRATEGIES[k]) == 0) {
            *kind = k;
            return NW_OK;
        }
    }
    return format_error(err, "kind", "must be \"dense\", \"toeplitz\", \"banded\" or \"blt\"");
}

static nw_status read_matrix(const json_t *object, nw_event *leaf, nw_event **out, nw_error *err)
{
    const json_t *given = json_object_get(object, "strategy");
    nw_strategy s = NW_STRATEGY_INIT;
    double *coefficients = NULL;
    double *theta = NULL;
    size_t thetas = 0;
    if (!json_is_object(given))
        return format_error(err, "strategy", "must be an object");
    NW__TRY(check_keys(given, "", "kind steps coefficients theta bands max_participations min_separation", "strategy", err));
    NW__TRY(read_strategy_kind(given, &s.kind, err));
    NW__TRY(need_count(given, "steps", &s.steps, err));
    if (json_object_get(given, "bands") != NULL)
        NW__TRY(need_count(given, "bands", &s.bands, err));
    if (json_object_get(given, "max_participations") != NULL)
        NW__TRY(need_count(given, "max_participations", &s.max_participations, err));
    if (json_object_get(given, "min_separation") != NULL)
        NW__TRY(need_count(given, "min_separation", &s.min_separation, err));
    nw_status status = read_doubles(given, "coefficients", &coefficients, &s.coefficient_count, err);
    if (status == NW_OK && s.kind == NW_STRATEGY_BLT)
        status = read_doubles(given, "theta", &theta, &thetas, err);
    if (status == NW_OK && s.kind == NW_STRATEGY_BLT && thetas != s.coefficient_count)
        status = format_error(err, "theta", "must have as many entries as \"coefficients\"");
    s.coefficients = coefficients;
    s.theta = theta;
    if (status == NW_OK)
        status = nw_event_matrix(out, leaf->parameter, leaf->sensitivity, &s, err);
    if (status == NW_OK)
        (*out)->samples = leaf->samples;
    free(coefficients);
    free(theta);
    return status;
}

static nw_status read_parameter(const json_t *object, nw_event *leaf, nw_error *err)
{
    const char *key = nw__event_parameter_name(leaf->kind);
    double inverse = 0.0;
    if (key == NULL)
        return NW_OK;
    if (json_object_get(object, key) == NULL && leaf->kind == NW_EVENT_DISCRETE_LAPLACE &&
        read_double(json_object_get(object, "a"), &inverse) && inverse > 0.0)
        leaf->parameter = nw__down(1.0 / inverse); /* a smaller scale costs more: the safe side */
    else if (!read_double(json_object_get(object, key), &leaf->parameter))
        return format_error(err, key, "must be a number");
    return NW_OK;
}

static nw_status read_leaf_fields(const json_t *object, nw_event *leaf, nw_error *err)
{
    NW__TRY(read_parameter(object, leaf, err));
    if (nw__event_has_noise(leaf->kind))
        NW__TRY(read_sensitivity(object, leaf, err));
    else if (leaf->kind == NW_EVENT_LDP || leaf->kind == NW_EVENT_RANDOMIZED_RESPONSE)
        leaf->sensitivity.adjacency = NW_REPLACE_ONE;
    else if (!read_adjacency(json_object_get(object, "adjacency"), &leaf->sensitivity.adjacency))
        return format_error(err, "adjacency", "must be \"add_remove\", \"replace_one\", \"zero_out\" or \"replace_label\"");
    if (leaf->kind == NW_EVENT_APPROX && !read_double(json_object_get(object, "delta"), &leaf->delta))
        return format_error(err, "delta", "must be a number");
    if (leaf->kind == NW_EVENT_RANDOMIZED_RESPONSE)
        NW__TRY(need_count(object, "k", &leaf->count, err));
    if (leaf->kind == NW_EVENT_TREE)
        NW__TRY(need_count(object, "leaves", &leaf->count, err));
    return NW_OK;
}

static nw_status make_leaf(const json_t *object, nw_event *leaf, nw_event **out, nw_error *err)
{
    if (leaf->kind == NW_EVENT_MATRIX)
        return read_matrix(object, leaf, out, err);
    if (leaf->kind == NW_EVENT_TREE) {
        NW__TRY(nw_event_tree(out, leaf->parameter, leaf->sensitivity, leaf->count, err));
        (*out)->samples = leaf->samples;
        return NW_OK;
    }
    if (leaf->kind != NW_EVENT_RDP)
        return nw__event_leaf(out, *leaf, "nw_event_from_json", err);
    size_t values = 0;
    nw_status status = read_doubles(object, "orders", &leaf->orders, &leaf->curve_size, err);
    if (status == NW_OK)
        status = read_doubles(object, "rdp", &leaf->rdp, &values, err);
    if (status == NW_OK && values != leaf->curve_size)
        status = format_error(err, "rdp", "must have as many entries as \"orders\"");
    if (status == NW_OK)
        status = nw__event_leaf(out, *leaf, "nw_event_from_json", err);
    free(leaf->orders);
    free(leaf->rdp);
    return status;
}

/* A bad value in the text is a bad text. */
static nw_status as_format_error(nw_status status, nw_error *err)
{
    if (status == NW_E_ARG && err != NULL)
        err->status = NW_E_FORMAT;
    return status == NW_E_ARG ? NW_E_FORMAT : status;
}

static nw_status read_leaf(const json_t *object, nw_event_kind kind, nw_event **out, nw_error *err)
{
    nw_event leaf = { .kind = kind };
    NW__TRY(read_leaf_fields(object, &leaf, err));
    return make_leaf(object, &leaf, out, err);
}

static nw_status read_event(const json_t *object, int depth, nw_event **out, nw_error *err);

static nw_status read_list(const json_t *list, const char *key, nw_event_kind kind, int depth, nw_event **out, nw_error *err)
{
    const size_t n = json_array_size(list);
    if (n == 0)
        return format_error(err, key, "must be a list of at least one event");
    nw_event **children = nw__calloc(n, sizeof *children);
    nw_status status = children == NULL ? nw__fail_memory(err, "nw_event_from_json") : NW_OK;
    for (size_t i = 0; status == NW_OK && i < n; i++)
        status = read_event(json_array_get(list, i), depth + 1, &children[i], err);
    if (status == NW_OK)
        status =
            (kind == NW_EVENT_PARALLEL ? nw_event_parallel : nw_event_composed)(out, (const nw_event *const *)children, n, err);
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

static nw_status read_kind(const json_t *object, nw_event_kind *kind, nw_error *err)
{
    const char *type = json_string_value(json_object_get(object, "type"));
    if (type == NULL)
        return format_error(err, "type", "must be a string");
    for (nw_event_kind k = NW_EVENT_GAUSSIAN; k <= NW_EVENT_SHUFFLED; k = k == NW_EVENT_MATRIX ? NW_EVENT_COMPOSED : k + 1) {
        if (strcmp(type, nw__event_kind_name(k)) == 0) {
            *kind = k;
            return NW_OK;
        }
    }
    return nw__fail(err, NW_E_FORMAT, "nw_event_from_json", "\"type\" is \"%.40s\", which is no event", type);
}

static nw_status make_parent(const json_t *object, nw_event_kind kind, const nw_event *child, nw_event **out, nw_error *err)
{
    uint64_t n = 0;
    uint64_t population = 0;
    double q = 0.0;
    switch (kind) {
    case NW_EVENT_POISSON_SUBSAMPLED:
        if (!read_double(json_object_get(object, "q"), &q))
            return format_error(err, "q", "must be a number");
        return nw_event_poisson_subsampled(out, q, child, err);
    case NW_EVENT_SHUFFLED: NW__TRY(need_count(object, "n", &n, err)); return nw_event_shuffled(out, n, child, err);
    case NW_EVENT_FIXED_SIZE_SUBSAMPLED:
        NW__TRY(need_count(object, "population", &population, err));
        NW__TRY(need_count(object, "sample", &n, err));
        if (!json_is_boolean(json_object_get(object, "replacement")))
            return format_error(err, "replacement", "must be true or false");
        return nw_event_fixed_size_subsampled(
            out, population, n, json_is_true(json_object_get(object, "replacement")), child, err);
    default: NW__TRY(need_count(object, "count", &n, err)); return nw_event_repeat(out, child, n, err);
    }
}

static nw_status read_parent(const json_t *object, nw_event_kind kind, int depth, nw_event **out, nw_error *err)
{
    nw_event *child = NULL;
    const char *key = kind == NW_EVENT_REPEAT ? "event" : "base";
    if (!json_is_object(json_object_get(object, key)))
        return format_error(err, key, "must be an event");
    NW__TRY(read_event(json_object_get(object, key), depth + 1, &child, err));
    const nw_status status = make_parent(object, kind, child, out, err);
    nw_event_free(child);
    return status;
}

static nw_status read_event(const json_t *object, int depth, nw_event **out, nw_error *err)
{
    nw_event_kind kind = NW_EVENT_COMPOSED;
    uint64_t count = 1;
    nw_event *event = NULL;
    const json_t *given_count = json_object_get(object, "count");
    if (depth > NW__MOST_DEPTH)
        return nw__fail(err, NW_E_FORMAT, "nw_event_from_json", "events are nested more than %d deep", NW__MOST_DEPTH);
    if (!json_is_object(object))
        return nw__fail(err, NW_E_FORMAT, "nw_event_from_json", "an event must be an object");
    NW__TRY(read_kind(object, &kind, err));
    NW__TRY(check_keys(object, "type count note", keys_of(kind), nw__event_kind_name(kind), err));
    if (given_count != NULL && (!read_count(given_count, &count) || count == 0))
        return format_error(err, "count", "must be an integer from 1 to 2^62");
    if (kind == NW_EVENT_COMPOSED || kind == NW_EVENT_PARALLEL)
        NW__TRY(read_list(json_object_get(object, "events"), "events", kind, depth, &event, err));
    else if (kind > NW_EVENT_COMPOSED)
        NW__TRY(read_parent(object, kind, depth, &event, err));
    else
        NW__TRY(read_leaf(object, kind, &event, err));
    if (given_count != NULL && kind != NW_EVENT_REPEAT)
        return wrap_repeat(event, count, out, err);
    *out = event;
    return NW_OK;
}

/* Beside a list there may be what else a table says of it; nothing that reads as if it changed what is accounted. */
static nw_status read_mechanisms(const json_t *root, nw_event **out, nw_error *err)
{
    static const char *const keys[] = { "type", "count", "event", "events", "base", "format" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (json_object_get(root, keys[i]) != NULL)
            return format_error(err, keys[i], "cannot stand beside \"mechanisms\"");
    return read_list(json_object_get(root, "mechanisms"), "mechanisms", NW_EVENT_COMPOSED, 0, out, err);
}

static nw_status read_root(const json_t *root, nw_event **out, nw_error *err)
{
    const json_t *format = json_object_get(root, "format");
    if (json_is_array(root))
        return read_list(root, "mechanisms", NW_EVENT_COMPOSED, 0, out, err);
    if (json_object_get(root, "mechanisms") != NULL)
        return read_mechanisms(root, out, err);
    if (json_object_get(root, "type") != NULL)
        return read_event(root, 0, out, err);
    if (!json_is_string(format) || strcmp(json_string_value(format), FORMAT) != 0)
        return format_error(err, "format", "must be \"noisewright-event\"; or give an event with \"type\", or \"mechanisms\"");
    NW__TRY(check_keys(root, "", "format version event", "the document", err));
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
    const nw_status status = as_format_error(read_root(root, out, err), err);
    json_decref(root);
    return status;
}
