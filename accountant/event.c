/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* event.c - events as values: built once, checked once, copied into their parents. */
#include "accountant_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *nw_adjacency_name(nw_adjacency adjacency)
{
    switch (adjacency) {
    case NW_ADJACENCY_UNSET: return "unset";
    case NW_ADD_REMOVE: return "add_remove";
    case NW_REPLACE_ONE: return "replace_one";
    case NW_ZERO_OUT: return "zero_out";
    }
    return "unknown adjacency";
}

nw_status nw_adjacency_parse(const char *name, nw_adjacency *out, nw_error *err)
{
    char plain[16] = { 0 };
    if (name == NULL || out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", name == NULL ? "name" : "out");
    for (size_t i = 0; i + 1 < sizeof plain && name[i] != '\0'; i++)
        plain[i] = name[i] == '-' ? '_' : name[i];
    for (nw_adjacency a = NW_ADD_REMOVE; a <= NW_ZERO_OUT; a++) {
        if (strlen(name) < sizeof plain && strcmp(plain, nw_adjacency_name(a)) == 0) {
            *out = a;
            return NW_OK;
        }
    }
    return nw__fail(err, NW_E_ARG, __func__, "adjacency is %.40s, must be add-remove, replace-one or zero-out", name);
}

const char *nw__event_kind_name(nw_event_kind kind)
{
    switch (kind) {
    case NW_EVENT_GAUSSIAN: return "gaussian";
    case NW_EVENT_ROUNDED_GAUSSIAN: return "rounded_gaussian";
    case NW_EVENT_DISCRETE_GAUSSIAN: return "discrete_gaussian";
    case NW_EVENT_LAPLACE: return "laplace";
    case NW_EVENT_DISCRETE_LAPLACE: return "discrete_laplace";
    case NW_EVENT_PURE: return "pure";
    case NW_EVENT_APPROX: return "approx";
    case NW_EVENT_ZCDP: return "zcdp";
    case NW_EVENT_GDP: return "gdp";
    case NW_EVENT_COMPOSED: return "composed";
    case NW_EVENT_REPEAT: return "repeat";
    }
    return NULL;
}

static bool is_noise(nw_event_kind kind)
{
    return kind >= NW_EVENT_GAUSSIAN && kind <= NW_EVENT_DISCRETE_LAPLACE;
}

static nw_status check_leaf(const nw_event *e, const char *function, nw_error *err)
{
    const char *parameter = "scale";
    if (e->kind == NW_EVENT_PURE || e->kind == NW_EVENT_APPROX)
        parameter = "epsilon";
    else if (e->kind == NW_EVENT_ZCDP)
        parameter = "rho";
    else if (e->kind == NW_EVENT_GDP)
        parameter = "mu";
    const bool may_be_zero = !is_noise(e->kind);
    if (!(e->parameter > 0.0 || (may_be_zero && e->parameter == 0.0)) || isinf(e->parameter))
        return nw__fail(err, NW_E_ARG, function, "%s is %g, must be %s and finite", parameter, e->parameter,
            may_be_zero ? "at least 0" : "positive");
    if (is_noise(e->kind) && (!(e->sensitivity.value > 0.0) || isinf(e->sensitivity.value)))
        return nw__fail(err, NW_E_ARG, function, "sensitivity is %g, must be positive and finite", e->sensitivity.value);
    if (e->kind == NW_EVENT_DISCRETE_LAPLACE && e->sensitivity.value != floor(e->sensitivity.value))
        return nw__fail(
            err, NW_E_ARG, function, "sensitivity is %g, must be an integer for noise on integers", e->sensitivity.value);
    if (e->kind == NW_EVENT_APPROX && !(e->delta >= 0.0 && e->delta < 1.0))
        return nw__fail(err, NW_E_ARG, function, "delta is %g, must be in [0, 1)", e->delta);
    if (e->sensitivity.adjacency < NW_ADD_REMOVE || e->sensitivity.adjacency > NW_ZERO_OUT)
        return nw__fail(err, NW_E_ARG, function, "adjacency is %s, must be add_remove, replace_one or zero_out",
            nw_adjacency_name(e->sensitivity.adjacency));
    return NW_OK;
}

nw_status nw__event_leaf(nw_event **out, nw_event leaf, const char *function, nw_error *err)
{
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, function, "out is NULL");
    *out = NULL;
    NW__TRY(check_leaf(&leaf, function, err));
    nw_event *e = nw__calloc(1, sizeof *e);
    if (e == NULL)
        return nw__fail_memory(err, function);
    *e = leaf;
    *out = e;
    return NW_OK;
}

nw_status nw_event_noise(
    nw_event **out, nw_event_kind kind, double scale, nw_sensitivity sensitivity, uint64_t samples, nw_error *err)
{
    if (out != NULL)
        *out = NULL;
    if (!is_noise(kind))
        return nw__fail(err, NW_E_ARG, __func__, "kind is %d, must be a kind of noise", (int)kind);
    const nw_event leaf = { .kind = kind, .parameter = scale, .sensitivity = sensitivity, .samples = samples };
    return nw__event_leaf(out, leaf, __func__, err);
}

nw_status nw_event_gaussian(nw_event **out, double sigma, nw_sensitivity l2, nw_error *err)
{
    const nw_event leaf = { .kind = NW_EVENT_GAUSSIAN, .parameter = sigma, .sensitivity = l2 };
    return nw__event_leaf(out, leaf, __func__, err);
}

nw_status nw_event_laplace(nw_event **out, double b, nw_sensitivity l1, nw_error *err)
{
    const nw_event leaf = { .kind = NW_EVENT_LAPLACE, .parameter = b, .sensitivity = l1 };
    return nw__event_leaf(out, leaf, __func__, err);
}

nw_status nw_event_pure(nw_event **out, double epsilon, nw_adjacency adjacency, nw_error *err)
{
    const nw_event leaf = { .kind = NW_EVENT_PURE, .parameter = epsilon, .sensitivity = { 0.0, adjacency } };
    return nw__event_leaf(out, leaf, __func__, err);
}

nw_status nw_event_approx(nw_event **out, double epsilon, double delta, nw_adjacency adjacency, nw_error *err)
{
    const nw_event leaf = { .kind = NW_EVENT_APPROX, .parameter = epsilon, .delta = delta, .sensitivity = { 0.0, adjacency } };
    return nw__event_leaf(out, leaf, __func__, err);
}

nw_status nw_event_zcdp(nw_event **out, double rho, nw_adjacency adjacency, nw_error *err)
{
    const nw_event leaf = { .kind = NW_EVENT_ZCDP, .parameter = rho, .sensitivity = { 0.0, adjacency } };
    return nw__event_leaf(out, leaf, __func__, err);
}

nw_status nw_event_gdp(nw_event **out, double mu, nw_adjacency adjacency, nw_error *err)
{
    const nw_event leaf = { .kind = NW_EVENT_GDP, .parameter = mu, .sensitivity = { 0.0, adjacency } };
    return nw__event_leaf(out, leaf, __func__, err);
}

/* A node with copies of its children. */
static nw_status make_node(
    nw_event **out, nw_event node, const nw_event *const *children, size_t n, const char *function, nw_error *err)
{
    nw_event *e = nw__calloc(1, sizeof *e);
    if (e == NULL)
        return nw__fail_memory(err, function);
    *e = node;
    e->child_count = n;
    e->children = n > 0 ? nw__calloc(n, sizeof(nw_event *)) : NULL;
    nw_status status = n > 0 && e->children == NULL ? nw__fail_memory(err, function) : NW_OK;
    for (size_t i = 0; status == NW_OK && i < n; i++)
        status = nw_event_copy(&e->children[i], children[i], err);
    if (status != NW_OK) {
        nw_event_free(e);
        return status;
    }
    *out = e;
    return NW_OK;
}

nw_status nw_event_copy(nw_event **out, const nw_event *event, nw_error *err)
{
    if (out == NULL || event == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : "event");
    *out = NULL;
    return make_node(out, *event, (const nw_event *const *)event->children, event->child_count, __func__, err);
}

nw_status nw_event_composed(nw_event **out, const nw_event *const *children, size_t n, nw_error *err)
{
    const nw_event node = { .kind = NW_EVENT_COMPOSED };
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    if (children == NULL || n == 0)
        return nw__fail(err, NW_E_ARG, __func__, "n is %zu, must be at least 1", n);
    for (size_t i = 0; i < n; i++)
        if (children[i] == NULL)
            return nw__fail(err, NW_E_ARG, __func__, "children[%zu] is NULL", i);
    return make_node(out, node, children, n, __func__, err);
}

nw_status nw_event_repeat(nw_event **out, const nw_event *child, uint64_t count, nw_error *err)
{
    const nw_event node = { .kind = NW_EVENT_REPEAT, .count = count };
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    if (child == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "child is NULL");
    if (count == 0)
        return nw__fail(err, NW_E_ARG, __func__, "count is 0, must be at least 1");
    return make_node(out, node, &child, 1, __func__, err);
}

void nw_event_free(nw_event *event)
{
    if (event == NULL)
        return;
    for (size_t i = 0; event->children != NULL && i < event->child_count; i++)
        nw_event_free(event->children[i]);
    free(event->children);
    free(event);
}

nw_event_kind nw_event_get_kind(const nw_event *event)
{
    return event->kind;
}

uint64_t nw_event_samples(const nw_event *event)
{
    uint64_t sum = event->samples;
    for (size_t i = 0; i < event->child_count; i++)
        if (__builtin_add_overflow(sum, nw_event_samples(event->children[i]), &sum))
            return UINT64_MAX;
    if (event->kind == NW_EVENT_REPEAT && __builtin_mul_overflow(sum, event->count, &sum))
        return UINT64_MAX;
    return sum;
}
