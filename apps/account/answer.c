/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

#include "../common/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double answer_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

nw_status answer_malformed(nw_error *err, const char *format, ...)
{
    va_list args;
    if (err == NULL)
        return NW_E_FORMAT;
    va_start(args, format);
    err->status = NW_E_FORMAT;
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    return NW_E_FORMAT;
}

static json_t *json_number(const answer *a, double value)
{
    return a->is_count ? json_integer((json_int_t)value) : app_json_real(value);
}

json_t *answer_json(const answer *a, const char *value_name)
{
    json_t *object = json_object();
    app_json_put(&object, value_name, json_number(a, a->value));
    app_json_put(&object, "lower", json_number(a, a->lower));
    app_json_put(&object, "upper", json_number(a, a->upper));
    if (isinf(a->value))
        app_json_put(&object, "unbounded", json_true());
    if (!isnan(a->estimate))
        app_json_put(&object, "estimate", app_json_real(a->estimate));
    if (a->is_calibrated)
        app_json_put(&object, "epsilon", app_json_real(a->epsilon));
    app_json_put(&object, "certified", json_boolean(a->is_certified));
    app_json_put(&object, "method", json_string(a->method));
    app_json_put(&object, "adjacency", json_string(nw_adjacency_name(a->adjacency)));
    app_json_put(&object, "seconds", app_json_real(a->seconds));
    return object;
}

nw_status answer_event(const nw_event *event, const question *q, answer *out, nw_error *err)
{
    nw_bounds b;
    const double start = answer_clock();
    nw_account_opts opts = NW_ACCOUNT_OPTS_INIT;
    opts.is_upper_only = q->is_upper_only;
    nw_status status = NW_OK;
    if (strcmp(q->quantity, "epsilon") == 0)
        status = nw_account_epsilon(event, q->adjacency, q->given, &opts, &b, err);
    else if (strcmp(q->quantity, "delta") == 0)
        status = nw_account_delta(event, q->adjacency, q->given, &opts, &b, err);
    else
        status = nw_account_rdp(event, q->adjacency, q->given, &b, err);
    if (status != NW_OK)
        return status;
    const char *given_name = strcmp(q->quantity, "epsilon") == 0 ? "delta"
                             : strcmp(q->quantity, "delta") == 0 ? "epsilon"
                                                                 : "order";
    *out = (answer){ .quantity = q->quantity,
        .given_name = given_name,
        .given = q->given,
        .value = b.upper,
        .lower = b.lower,
        .upper = b.upper,
        .estimate = b.estimate,
        .is_certified = b.is_certified,
        .method = b.method,
        .seconds = answer_clock() - start,
        .adjacency = q->adjacency };
    return NW_OK;
}

/* Where the null stands. */
typedef struct hole {
    json_t *object;
    const char *key;
    size_t holes;
} hole;

static void find_hole(json_t *value, hole *h)
{
    const char *key = NULL;
    json_t *member = NULL;
    size_t i = 0;
    if (json_is_array(value)) {
        json_array_foreach(value, i, member) find_hole(member, h);
    } else if (json_is_object(value)) {
        json_object_foreach(value, key, member)
        {
            if (json_is_null(member)) {
                h->object = value;
                h->key = key;
                h->holes++;
            } else {
                find_hole(member, h);
            }
        }
    }
}

typedef struct template
{
    json_t *root; /* with the hole filled in for each try */
    hole hole;
}
template;

static nw_status event_of(nw_event **out, double parameter, const void *context, nw_error *err)
{
    const template *t = context;
    const bool is_count = strcmp(t->hole.key, "count") == 0;
    json_object_set_new(t->hole.object, t->hole.key, is_count ? json_integer((json_int_t)parameter) : json_real(parameter));
    char *text = json_dumps(t->root, JSON_COMPACT);
    const nw_status status = text == NULL ? answer_malformed(err, "memory is exhausted") : nw_event_from_json(out, text, err);
    free(text);
    return status;
}

/* What may be open, and between which values it is looked for. A scale is looked for further out if it has to be. */
typedef struct parameter {
    const char *name;
    nw_calibrate_kind kind;
    double low, high;
} parameter;

static const parameter parameters[] = {
    { "sigma", NW_CALIBRATE_LEAST, 1e-3, 1e9 },
    { "scale", NW_CALIBRATE_LEAST, 1e-3, 1e9 },
    { "q", NW_CALIBRATE_GREATEST, 0.0, 1.0 },
    { "count", NW_CALIBRATE_GREATEST_COUNT, 1.0, 0x1p40 },
};

static const parameter *parameter_of(const hole *h, nw_error *err)
{
    if (h->holes != 1) {
        answer_malformed(err, "calibrate: %zu values are null, must be exactly one (sigma, scale, q or count)", h->holes);
        return NULL;
    }
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++)
        if (strcmp(h->key, parameters[i].name) == 0)
            return &parameters[i];
    answer_malformed(err, "calibrate: \"%.40s\" is null, must be sigma, scale, q or count", h->key);
    return NULL;
}

typedef struct goal {
    double epsilon, delta;
    nw_adjacency adjacency;
} goal;

/* Within [low, high]; for a scale also above and below it, as noise has the unit of the sensitivity. */
static nw_status find(double *value, const parameter *p, const goal *g, const template *t, nw_error *err)
{
    static const double STRIDE = 1e9;
    static const double FURTHEST = 1e99; /* sensitivity / scale is at most 1e100 */
    double low = p->low;
    double high = p->high;
    nw_status status = nw_calibrate(value, p->kind, low, high, g->epsilon, g->delta, g->adjacency, event_of, t, err);
    const bool is_too_little = status == NW_E_BUDGET && p->kind == NW_CALIBRATE_LEAST;
    while (is_too_little && g->delta > 0.0 && status == NW_E_BUDGET && high < FURTHEST) {
        low = high;
        high *= STRIDE;
        status = nw_calibrate(value, p->kind, low, high, g->epsilon, g->delta, g->adjacency, event_of, t, err);
    }
    while (!is_too_little && status == NW_OK && p->kind == NW_CALIBRATE_LEAST && *value <= low && low > 1.0 / FURTHEST) {
        double less = 0.0;
        high = low;
        low /= STRIDE;
        if (nw_calibrate(&less, p->kind, low, high, g->epsilon, g->delta, g->adjacency, event_of, t, NULL) != NW_OK)
            break; /* so little noise is no event: what was found stands */
        *value = less;
    }
    if (status == NW_E_BUDGET) {
        char reason[sizeof err->message];
        snprintf(reason, sizeof reason, "%s", err->message);
        snprintf(err->message, sizeof err->message, "no %s meets epsilon %g at delta %g: %.200s", p->name, g->epsilon, g->delta,
            reason);
    }
    return status;
}

/* The method that certified the answer, and the epsilon that it reached. */
static nw_status certify(answer *out, const goal *g, const template *t, nw_error *err)
{
    nw_event *event = NULL;
    nw_status status = event_of(&event, out->value, t, err);
    if (status == NW_OK)
        status = nw_event_epsilon(event, g->adjacency, g->delta, &out->epsilon, &out->method, err);
    nw_event_free(event);
    return status;
}

/* How far from the answer the truth may still be: the nearest value tried at which even the lower end is over the target. Noise
 * only helps, and rates and counts only cost, so nothing beyond it can meet the target. */
static double limit_of(const answer *a, const parameter *p, const goal *g, const template *t)
{
    static const double gaps[] = { 1e-5, 1e-4, 1e-3, 1e-2, 1e-1 };
    const bool is_least = p->kind == NW_CALIBRATE_LEAST;
    const bool is_count = p->kind == NW_CALIBRATE_GREATEST_COUNT;
    for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++) {
        nw_event *event = NULL;
        nw_bounds b = { 0 };
        double x = a->value * (is_least ? 1.0 - gaps[i] : 1.0 + gaps[i]);
        x = is_count ? a->value + ceil(a->value * gaps[i]) : x;
        if (!is_least && x > p->high)
            return p->high;
        nw_status status = event_of(&event, x, t, NULL);
        if (status == NW_OK)
            status = nw_account_epsilon(event, g->adjacency, g->delta, NULL, &b, NULL);
        nw_event_free(event);
        if (status == NW_OK && b.lower > g->epsilon)
            return is_count ? x - 1.0 : x;
    }
    return is_least ? 0.0 : p->high;
}

nw_status answer_calibrate(
    const json_t *schedule, double epsilon, double delta, nw_adjacency adjacency, answer *out, nw_error *err)
{
    template t = { json_deep_copy(schedule), { 0 } };
    const goal g = { epsilon, delta, adjacency };
    const double start = answer_clock();
    find_hole(t.root, &t.hole);
    const parameter *p = parameter_of(&t.hole, err);
    if (p == NULL) {
        json_decref(t.root);
        return NW_E_FORMAT;
    }
    /* the object may free its own copy of the key when the value is replaced */
    t.hole.key = p->name;
    *out = (answer){ .quantity = p->name,
        .given_name = "delta",
        .given = delta,
        .estimate = NAN,
        .is_calibrated = true,
        .is_count = p->kind == NW_CALIBRATE_GREATEST_COUNT,
        .is_certified = true,
        .adjacency = adjacency };
    nw_status status = find(&out->value, p, &g, &t, err);
    if (status == NW_OK)
        status = certify(out, &g, &t, err);
    if (status == NW_OK) {
        const double limit = limit_of(out, p, &g, &t);
        out->lower = p->kind == NW_CALIBRATE_LEAST ? limit : out->value;
        out->upper = p->kind == NW_CALIBRATE_LEAST ? out->value : limit;
    }
    json_decref(t.root);
    out->seconds = answer_clock() - start;
    return status;
}
