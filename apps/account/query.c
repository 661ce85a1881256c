/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* query.c - entries of the reference tables: each kind answers its own query. */
#include "answer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static nw_status number(const json_t *object, const char *key, double *out, nw_error *err)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value))
        return answer_malformed(err, "\"%s\" must be a number", key);
    *out = json_number_value(value);
    return NW_OK;
}

static nw_status adjacency_of(const json_t *entry, nw_adjacency *out, nw_error *err)
{
    const json_t *value = json_object_get(entry, "adjacency");
    if (json_is_string(value) && nw_adjacency_parse(json_string_value(value), out, NULL) == NW_OK)
        return NW_OK;
    return answer_malformed(err, "\"adjacency\" must be \"add_remove\", \"replace_one\", \"zero_out\" or \"replace_label\"");
}

/* The query's kind and what it gives: delta for epsilon, epsilon for delta, order for rdp. */
static nw_status query_of(const json_t *entry, question *out, nw_error *err)
{
    static const char *const kinds[] = { "epsilon", "delta", "rdp" };
    static const char *const given[] = { "delta", "epsilon", "order" };
    const json_t *query = json_object_get(entry, "query");
    const char *kind = json_string_value(json_object_get(query, "kind"));
    for (size_t i = 0; kind != NULL && i < 3; i++) {
        if (strcmp(kind, kinds[i]) == 0) {
            out->quantity = kinds[i];
            return number(query, given[i], &out->given, err);
        }
    }
    return answer_malformed(err, "\"query\" must be an object whose \"kind\" is \"epsilon\", \"delta\" or \"rdp\"");
}

static nw_status composition(const json_t *entry, answer *out, nw_error *err)
{
    question q = { .is_upper_only = false };
    nw_event *event = NULL;
    nw_status status = adjacency_of(entry, &q.adjacency, err);
    if (status == NW_OK)
        status = query_of(entry, &q, err);
    if (status != NW_OK)
        return status;
    if (!json_is_array(json_object_get(entry, "mechanisms")))
        return answer_malformed(err, "\"mechanisms\" must be a list");
    json_t *list = json_pack("{s:O}", "mechanisms", json_object_get(entry, "mechanisms"));
    char *text = list == NULL ? NULL : json_dumps(list, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(list);
    status = text == NULL ? answer_malformed(err, "memory is exhausted") : nw_event_from_json(&event, text, err);
    free(text);
    if (status == NW_OK)
        status = answer_event(event, &q, out, err);
    nw_event_free(event);
    return status;
}

static nw_status calibrate(const json_t *entry, answer *out, nw_error *err)
{
    const json_t *query = json_object_get(entry, "query");
    nw_adjacency adjacency = NW_ADJACENCY_UNSET;
    double epsilon = 0.0;
    double delta = 0.0;
    nw_status status = adjacency_of(entry, &adjacency, err);
    if (status == NW_OK)
        status = number(query, "epsilon", &epsilon, err);
    if (status == NW_OK)
        status = number(query, "delta", &delta, err);
    return status != NW_OK ? status : answer_calibrate(json_object_get(entry, "mechanisms"), epsilon, delta, adjacency, out, err);
}

/* zCDP: [CKS20, Prop. 12] from above; a Gaussian with mu = sqrt(2 rho) attains the guarantee from below. */
static nw_status zcdp(const json_t *entry, answer *out, nw_error *err)
{
    question q = { .adjacency = NW_ADD_REMOVE };
    const json_t *query = json_object_get(entry, "query");
    nw_event *event = NULL;
    double rho = 0.0;
    nw_status status = number(json_object_get(query, "rho") != NULL ? query : entry, "rho", &rho, err);
    if (status == NW_OK)
        status = query_of(entry, &q, err);
    if (status == NW_OK)
        status = nw_event_zcdp(&event, rho, q.adjacency, err);
    if (status == NW_OK)
        status = answer_event(event, &q, out, err);
    nw_event_free(event);
    return status;
}

static nw_status rdp_curve(const json_t *entry, answer *out, nw_error *err)
{
    question q = { .adjacency = NW_ADD_REMOVE };
    const json_t *orders = json_object_get(entry, "orders");
    const json_t *rdp = json_object_get(entry, "rdp");
    const size_t n = json_array_size(orders);
    const double start = answer_clock();
    nw_status status = query_of(entry, &q, err);
    if (status != NW_OK)
        return status;
    if (n == 0 || json_array_size(rdp) != n)
        return answer_malformed(err, "\"orders\" and \"rdp\" must be lists of the same length");
    double *x = calloc(2 * n, sizeof *x);
    if (x == NULL)
        return answer_malformed(err, "memory is exhausted");
    for (size_t i = 0; i < n; i++) {
        const json_t *order = json_array_get(orders, i);
        const json_t *value = json_array_get(rdp, i);
        x[i] = json_is_number(order) ? json_number_value(order) : (double)NAN;
        x[n + i] = json_is_number(value) ? json_number_value(value) : (double)NAN;
    }
    const bool asks_epsilon = strcmp(q.quantity, "epsilon") == 0;
    const double value = asks_epsilon ? nw_rdp_epsilon(x, x + n, n, q.given) : nw_rdp_delta(x, x + n, n, q.given);
    free(x);
    if (isnan(value))
        return answer_malformed(err, "\"orders\" must be above 1, \"rdp\" at least 0, delta in [0, 1] and epsilon at least 0");
    *out = (answer){ .quantity = q.quantity,
        .value = value,
        .upper = value,
        .estimate = NAN,
        .is_certified = true,
        .method = "rdp",
        .seconds = answer_clock() - start };
    return NW_OK;
}

static nw_status shuffled(const json_t *entry, answer *out, nw_error *err)
{
    question q = { .adjacency = NW_REPLACE_ONE };
    const json_t *n = json_object_get(entry, "n");
    const char *variant = json_string_value(json_object_get(entry, "variant"));
    const json_t *clone = json_object_get(entry, "clone_probability");
    double epsilon0 = 0.0;
    nw_event *base = NULL;
    nw_event *event = NULL;
    nw_status status = number(entry, "epsilon0", &epsilon0, err);
    if (status == NW_OK && (!json_is_integer(n) || json_integer_value(n) < 1))
        status = answer_malformed(err, "\"n\" must be an integer >= 1");
    if (status == NW_OK)
        status = query_of(entry, &q, err);
    if (status != NW_OK)
        return status;
    const bool is_binary = variant != NULL && strcmp(variant, "binary_rr_clones") == 0;
    const double implied = is_binary ? 2.0 / (exp(epsilon0) + 1.0) : exp(-epsilon0);
    if (variant != NULL && !is_binary && strcmp(variant, "fmt21_clones") != 0)
        return answer_malformed(err, "\"variant\" is \"%.40s\", must be fmt21_clones or binary_rr_clones", variant);
    if (clone != NULL && !(fabs(json_number_value(clone) - implied) <= 1e-9 * implied))
        return answer_malformed(err, "\"clone_probability\" is not that of the variant, %.17g", implied);
    if (is_binary)
        status = nw_event_randomized_response(&base, 2.0 / (exp(epsilon0) + 1.0), 2, err);
    else
        status = nw_event_ldp(&base, epsilon0, err);
    if (status == NW_OK)
        status = nw_event_shuffled(&event, (uint64_t)json_integer_value(n), base, err);
    if (status == NW_OK)
        status = answer_event(event, &q, out, err);
    nw_event_free(base);
    nw_event_free(event);
    return status;
}

nw_status answer_query(const json_t *entry, answer *out, nw_error *err)
{
    static const struct {
        const char *kind;
        nw_status (*run)(const json_t *entry, answer *out, nw_error *err);
    } kinds[] = { { "composition", composition }, { "rdp", composition }, { "calibrate", calibrate },
        { "zcdp_to_approx_dp", zcdp }, { "rdp_to_approx_dp", rdp_curve }, { "shuffle_amplification", shuffled } };
    if (!json_is_object(entry))
        return answer_malformed(err, "an entry must be an object");
    const char *kind = json_string_value(json_object_get(entry, "kind"));
    for (size_t i = 0; kind != NULL && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kind, kinds[i].kind) == 0)
            return kinds[i].run(entry, out, err);
    return answer_malformed(err, "\"kind\" must be composition, rdp, calibrate, zcdp_to_approx_dp, rdp_to_approx_dp or "
                                 "shuffle_amplification");
}
