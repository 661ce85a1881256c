/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* event.c - events as values: built once, checked once, copied into their parents. */
#include "accountant_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Largest distance in units of the noise: its square and its count are still far from overflow. */
static const double MOST_RATIO = 1e100;

const char *nw_adjacency_name(nw_adjacency adjacency)
{
    switch (adjacency) {
    case NW_ADJACENCY_UNSET: return "unset";
    case NW_ADD_REMOVE: return "add_remove";
    case NW_REPLACE_ONE: return "replace_one";
    case NW_ZERO_OUT: return "zero_out";
    case NW_REPLACE_LABEL: return "replace_label";
    }
    return "unknown adjacency";
}

bool nw__is_adjacency(nw_adjacency adjacency)
{
    return adjacency >= NW_ADD_REMOVE && adjacency <= NW_REPLACE_LABEL;
}

bool nw__is_replacement(nw_adjacency adjacency)
{
    return adjacency == NW_REPLACE_ONE || adjacency == NW_REPLACE_LABEL;
}

nw_status nw_adjacency_parse(const char *name, nw_adjacency *out, nw_error *err)
{
    char plain[16] = { 0 };
    if (name == NULL || out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", name == NULL ? "name" : "out");
    for (size_t i = 0; i + 1 < sizeof plain && name[i] != '\0'; i++)
        plain[i] = name[i] == '-' ? '_' : name[i];
    for (nw_adjacency a = NW_ADD_REMOVE; a <= NW_REPLACE_LABEL; a++) {
        if (strlen(name) < sizeof plain && strcmp(plain, nw_adjacency_name(a)) == 0) {
            *out = a;
            return NW_OK;
        }
    }
    return nw__fail(
        err, NW_E_ARG, __func__, "adjacency is %.40s, must be add-remove, replace-one, zero-out or replace-label", name);
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
    case NW_EVENT_RANDOMIZED_RESPONSE: return "randomized_response";
    case NW_EVENT_EXPONENTIAL: return "exponential";
    case NW_EVENT_REPORT_NOISY_MAX: return "report_noisy_max";
    case NW_EVENT_PERMUTE_AND_FLIP: return "permute_and_flip";
    case NW_EVENT_RDP: return "rdp";
    case NW_EVENT_LDP: return "ldp";
    case NW_EVENT_TREE: return "tree";
    case NW_EVENT_MATRIX: return "matrix";
    case NW_EVENT_COMPOSED: return "composed";
    case NW_EVENT_REPEAT: return "repeat";
    case NW_EVENT_PARALLEL: return "parallel";
    case NW_EVENT_POISSON_SUBSAMPLED: return "poisson_subsampled";
    case NW_EVENT_FIXED_SIZE_SUBSAMPLED: return "fixed_size_subsampled";
    case NW_EVENT_SHUFFLED: return "shuffled";
    }
    return NULL;
}

bool nw__event_has_noise(nw_event_kind kind)
{
    return (kind >= NW_EVENT_GAUSSIAN && kind <= NW_EVENT_DISCRETE_LAPLACE) || kind == NW_EVENT_TREE || kind == NW_EVENT_MATRIX;
}

const char *nw__event_parameter_name(nw_event_kind kind)
{
    switch (kind) {
    case NW_EVENT_GAUSSIAN:
    case NW_EVENT_ROUNDED_GAUSSIAN:
    case NW_EVENT_DISCRETE_GAUSSIAN:
    case NW_EVENT_TREE:
    case NW_EVENT_MATRIX: return "sigma";
    case NW_EVENT_LAPLACE:
    case NW_EVENT_DISCRETE_LAPLACE: return "scale";
    case NW_EVENT_PURE:
    case NW_EVENT_APPROX:
    case NW_EVENT_EXPONENTIAL:
    case NW_EVENT_REPORT_NOISY_MAX:
    case NW_EVENT_PERMUTE_AND_FLIP: return "epsilon";
    case NW_EVENT_LDP: return "epsilon0";
    case NW_EVENT_ZCDP: return "rho";
    case NW_EVENT_GDP: return "mu";
    case NW_EVENT_RANDOMIZED_RESPONSE: return "p";
    case NW_EVENT_POISSON_SUBSAMPLED: return "q";
    default: return NULL;
    }
}

static nw_status check_curve(const nw_event *e, const char *function, nw_error *err)
{
    if (e->orders == NULL || e->rdp == NULL || e->curve_size == 0)
        return nw__fail(err, NW_E_ARG, function, "orders and rdp must have at least one entry each");
    for (size_t i = 0; i < e->curve_size; i++) {
        if (!(e->orders[i] > (i == 0 ? 1.0 : e->orders[i - 1])) || isinf(e->orders[i]))
            return nw__fail(
                err, NW_E_ARG, function, "orders[%zu] is %g, must be above 1, finite and increasing", i, e->orders[i]);
        if (!(e->rdp[i] >= (i == 0 ? 0.0 : e->rdp[i - 1])) || isinf(e->rdp[i]))
            return nw__fail(err, NW_E_ARG, function, "rdp[%zu] is %g, must be at least 0, finite and not fall", i, e->rdp[i]);
    }
    return NW_OK;
}

static nw_status check_noise(const nw_event *e, const char *function, nw_error *err)
{
    if (!(e->sensitivity.value > 0.0) || isinf(e->sensitivity.value))
        return nw__fail(err, NW_E_ARG, function, "sensitivity is %g, must be positive and finite", e->sensitivity.value);
    if (e->kind == NW_EVENT_DISCRETE_LAPLACE && e->sensitivity.value != floor(e->sensitivity.value))
        return nw__fail(
            err, NW_E_ARG, function, "sensitivity is %g, must be an integer for noise on integers", e->sensitivity.value);
    const double ratio = e->sensitivity.value / e->parameter;
    if (!(ratio <= MOST_RATIO))
        return nw__fail(err, NW_E_ARG, function, "sensitivity / %s is %g, must be at most %g", nw__event_parameter_name(e->kind),
            ratio, MOST_RATIO);
    if (e->samples > NW__MOST_COUNT)
        return nw__fail(err, NW_E_ARG, function, "samples is %llu, must be at most 2^62", (unsigned long long)e->samples);
    return NW_OK;
}

/* The parameter's admissible set: [0, 1] for probabilities, positive for noise, at least 0 for guarantees. */
static nw_status check_parameter(const nw_event *e, const char *function, nw_error *err)
{
    const char *name = nw__event_parameter_name(e->kind);
    const double x = e->parameter;
    if (e->kind == NW_EVENT_RANDOMIZED_RESPONSE || e->kind == NW_EVENT_POISSON_SUBSAMPLED)
        return x >= 0.0 && x <= 1.0 ? NW_OK : nw__fail(err, NW_E_ARG, function, "%s is %g, must be in [0, 1]", name, x);
    if (nw__event_has_noise(e->kind))
        return x > 0.0 && !isinf(x) ? NW_OK : nw__fail(err, NW_E_ARG, function, "%s is %g, must be positive and finite", name, x);
    if (name != NULL && !(x >= 0.0 && !isinf(x)))
        return nw__fail(err, NW_E_ARG, function, "%s is %g, must be at least 0 and finite", name, x);
    return NW_OK;
}

static nw_status check_leaf(const nw_event *e, const char *function, nw_error *err)
{
    NW__TRY(check_parameter(e, function, err));
    if (nw__event_has_noise(e->kind))
        NW__TRY(check_noise(e, function, err));
    if (e->kind == NW_EVENT_RDP)
        NW__TRY(check_curve(e, function, err));
    if (e->kind == NW_EVENT_APPROX && !(e->delta >= 0.0 && e->delta < 1.0))
        return nw__fail(err, NW_E_ARG, function, "delta is %g, must be in [0, 1)", e->delta);
    if (e->kind == NW_EVENT_RANDOMIZED_RESPONSE && (e->count < 2 || e->count > NW__MOST_COUNT))
        return nw__fail(err, NW_E_ARG, function, "k is %llu, must be at least 2", (unsigned long long)e->count);
    if (e->kind == NW_EVENT_TREE && (e->count < 1 || e->count > NW__MOST_COUNT))
        return nw__fail(err, NW_E_ARG, function, "leaves is %llu, must be at least 1", (unsigned long long)e->count);
    if (!nw__is_adjacency(e->sensitivity.adjacency))
        return nw__fail(err, NW_E_ARG, function, "adjacency is %s, must be add_remove, replace_one, zero_out or replace_label",
            nw_adjacency_name(e->sensitivity.adjacency));
    return NW_OK;
}

/* Frees what a node owns besides its children. */
static void free_arrays(nw_event *e)
{
    free(e->orders);
    free(e->rdp);
    if (e->strategy != NULL) {
        free((double *)e->strategy->coefficients);
        free((double *)e->strategy->theta);
    }
    free(e->strategy);
}

static bool copy_doubles(double **out, const double *from, size_t n)
{
    *out = NULL;
    if (from == NULL)
        return true;
    *out = nw__calloc(n > 0 ? n : 1, sizeof(double));
    if (*out != NULL)
        memcpy(*out, from, n * sizeof(double));
    return *out != NULL;
}

static bool copy_strategy(nw_strategy **out, const nw_strategy *from)
{
    *out = NULL;
    if (from == NULL)
        return true;
    *out = nw__calloc(1, sizeof **out);
    if (*out == NULL)
        return false;
    double *coefficients = NULL;
    double *theta = NULL;
    const bool is_ok = copy_doubles(&coefficients, from->coefficients, from->coefficient_count) &&
                       copy_doubles(&theta, from->theta, from->coefficient_count);
    **out = *from;
    (*out)->coefficients = coefficients;
    (*out)->theta = theta;
    return is_ok;
}

/* `node` with its own copies of the arrays that it points to. */
static bool copy_arrays(nw_event *e, const nw_event *node)
{
    e->orders = NULL;
    e->rdp = NULL;
    e->strategy = NULL;
    return copy_doubles(&e->orders, node->orders, node->curve_size) && copy_doubles(&e->rdp, node->rdp, node->curve_size) &&
           copy_strategy(&e->strategy, node->strategy);
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
    if (!copy_arrays(e, &leaf)) {
        nw_event_free(e);
        return nw__fail_memory(err, function);
    }
    *out = e;
    return NW_OK;
}

nw_status nw_event_noise(
    nw_event **out, nw_event_kind kind, double scale, nw_sensitivity sensitivity, uint64_t samples, nw_error *err)
{
    if (out != NULL)
        *out = NULL;
    if (!nw__event_has_noise(kind) || kind == NW_EVENT_TREE || kind == NW_EVENT_MATRIX)
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

static int depth_of(const nw_event *e)
{
    int most = 0;
    for (size_t i = 0; i < e->child_count; i++) {
        const int depth = 1 + depth_of(e->children[i]);
        most = depth > most ? depth : most;
    }
    return most;
}

/* A node with copies of its children. */
static nw_status make_node(
    nw_event **out, nw_event node, const nw_event *const *children, size_t n, const char *function, nw_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (depth_of(children[i]) >= NW__MOST_DEPTH)
            return nw__fail(err, NW_E_ARG, function, "events are nested more than %d deep", NW__MOST_DEPTH);
    nw_event *e = nw__calloc(1, sizeof *e);
    if (e == NULL)
        return nw__fail_memory(err, function);
    *e = node;
    e->child_count = n;
    e->children = NULL;
    const bool is_ok = copy_arrays(e, &node);
    e->children = !is_ok ? NULL : n > 0 ? nw__calloc(n, sizeof(nw_event *)) : NULL;
    nw_status status = !is_ok || (n > 0 && e->children == NULL) ? nw__fail_memory(err, function) : NW_OK;
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

static nw_status make_list(
    nw_event **out, nw_event_kind kind, const nw_event *const *children, size_t n, const char *function, nw_error *err)
{
    const nw_event node = { .kind = kind };
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, function, "out is NULL");
    *out = NULL;
    if (children == NULL || n == 0)
        return nw__fail(err, NW_E_ARG, function, "n is %zu, must be at least 1", n);
    for (size_t i = 0; i < n; i++)
        if (children[i] == NULL)
            return nw__fail(err, NW_E_ARG, function, "children[%zu] is NULL", i);
    return make_node(out, node, children, n, function, err);
}

nw_status nw_event_composed(nw_event **out, const nw_event *const *children, size_t n, nw_error *err)
{
    return make_list(out, NW_EVENT_COMPOSED, children, n, __func__, err);
}

nw_status nw_event_parallel(nw_event **out, const nw_event *const *children, size_t n, nw_error *err)
{
    return make_list(out, NW_EVENT_PARALLEL, children, n, __func__, err);
}

static nw_status make_parent(
    nw_event **out, const nw_event *node, const nw_event *child, const char *child_name, const char *function, nw_error *err)
{
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, function, "out is NULL");
    *out = NULL;
    if (child == NULL)
        return nw__fail(err, NW_E_ARG, function, "%s is NULL", child_name);
    NW__TRY(check_parameter(node, function, err));
    return make_node(out, *node, &child, 1, function, err);
}

static nw_status check_count(uint64_t count, const char *name, const char *function, nw_error *err)
{
    if (count >= 1 && count <= NW__MOST_COUNT)
        return NW_OK;
    return nw__fail(err, NW_E_ARG, function, "%s is %llu, must be at least 1 and at most 2^62", name, (unsigned long long)count);
}

nw_status nw_event_repeat(nw_event **out, const nw_event *child, uint64_t count, nw_error *err)
{
    const nw_event node = { .kind = NW_EVENT_REPEAT, .count = count };
    if (out != NULL)
        *out = NULL;
    NW__TRY(check_count(count, "count", __func__, err));
    return make_parent(out, &node, child, "child", __func__, err);
}

nw_status nw_event_poisson_subsampled(nw_event **out, double q, const nw_event *base, nw_error *err)
{
    const nw_event node = { .kind = NW_EVENT_POISSON_SUBSAMPLED, .parameter = q };
    return make_parent(out, &node, base, "base", __func__, err);
}

nw_status nw_event_fixed_size_subsampled(
    nw_event **out, uint64_t population, uint64_t sample, bool with_replacement, const nw_event *base, nw_error *err)
{
    const nw_event node = {
        .kind = NW_EVENT_FIXED_SIZE_SUBSAMPLED, .count = sample, .population = population, .with_replacement = with_replacement
    };
    if (out != NULL)
        *out = NULL;
    NW__TRY(check_count(population, "population", __func__, err));
    NW__TRY(check_count(sample, "sample", __func__, err));
    if (!with_replacement && sample > population)
        return nw__fail(err, NW_E_ARG, __func__, "sample is %llu, must be at most the population, %llu, without replacement",
            (unsigned long long)sample, (unsigned long long)population);
    return make_parent(out, &node, base, "base", __func__, err);
}

nw_status nw_event_shuffled(nw_event **out, uint64_t n, const nw_event *base, nw_error *err)
{
    const nw_event node = { .kind = NW_EVENT_SHUFFLED, .count = n };
    if (out != NULL)
        *out = NULL;
    NW__TRY(check_count(n, "n", __func__, err));
    if (base != NULL && base->kind != NW_EVENT_LDP && base->kind != NW_EVENT_RANDOMIZED_RESPONSE &&
        !(base->kind == NW_EVENT_PURE && nw__is_replacement(base->sensitivity.adjacency)))
        return nw__fail(err, NW_E_ARG, __func__,
            "base is %s, must be a local randomizer: ldp, randomized_response, or pure for a replacement",
            nw__event_kind_name(base->kind));
    return make_parent(out, &node, base, "base", __func__, err);
}

nw_status nw_event_randomized_response(nw_event **out, double p, uint64_t k, nw_error *err)
{
    const nw_event leaf = {
        .kind = NW_EVENT_RANDOMIZED_RESPONSE, .parameter = p, .count = k, .sensitivity = { 0.0, NW_REPLACE_ONE }
    };
    return nw__event_leaf(out, leaf, __func__, err);
}

nw_status nw_event_selection(nw_event **out, nw_event_kind kind, double epsilon, nw_adjacency adjacency, nw_error *err)
{
    const nw_event leaf = { .kind = kind, .parameter = epsilon, .sensitivity = { 0.0, adjacency } };
    if (out != NULL)
        *out = NULL;
    if (kind < NW_EVENT_EXPONENTIAL || kind > NW_EVENT_PERMUTE_AND_FLIP)
        return nw__fail(
            err, NW_E_ARG, __func__, "kind is %d, must be exponential, report_noisy_max or permute_and_flip", (int)kind);
    return nw__event_leaf(out, leaf, __func__, err);
}

nw_status nw_event_rdp(nw_event **out, const double *orders, const double *rdp, size_t n, nw_adjacency adjacency, nw_error *err)
{
    /* the leaf copies the arrays, so borrowing them here is enough */
    const nw_event leaf = {
        .kind = NW_EVENT_RDP, .curve_size = n, .orders = (double *)orders, .rdp = (double *)rdp, .sensitivity = { 0.0, adjacency }
    };
    return nw__event_leaf(out, leaf, __func__, err);
}

nw_status nw_event_ldp(nw_event **out, double epsilon0, nw_error *err)
{
    const nw_event leaf = { .kind = NW_EVENT_LDP, .parameter = epsilon0, .sensitivity = { 0.0, NW_REPLACE_ONE } };
    return nw__event_leaf(out, leaf, __func__, err);
}

nw_status nw_event_tree(nw_event **out, double sigma, nw_sensitivity l2, uint64_t leaves, nw_error *err)
{
    /* a record in one leaf is in ceil(log2(leaves + 1)) nodes of the binary counter */
    const double depth = 64.0 - (double)__builtin_clzll((unsigned long long)(leaves | 1));
    const nw_event leaf = {
        .kind = NW_EVENT_TREE, .parameter = sigma, .count = leaves, .sensitivity = l2, .strategy_sensitivity = nw__up(sqrt(depth))
    };
    return nw__event_leaf(out, leaf, __func__, err);
}

nw_status nw_event_matrix(nw_event **out, double sigma, nw_sensitivity l2, const nw_strategy *strategy, nw_error *err)
{
    nw_event leaf = { .kind = NW_EVENT_MATRIX, .parameter = sigma, .sensitivity = l2, .strategy = (nw_strategy *)strategy };
    if (out != NULL)
        *out = NULL;
    NW__TRY(nw_strategy_sensitivity(strategy, &leaf.strategy_sensitivity, NULL, err));
    return nw__event_leaf(out, leaf, __func__, err);
}

void nw_event_free(nw_event *event)
{
    if (event == NULL)
        return;
    for (size_t i = 0; event->children != NULL && i < event->child_count; i++)
        nw_event_free(event->children[i]);
    free(event->children);
    free_arrays(event);
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
