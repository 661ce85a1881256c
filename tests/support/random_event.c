/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "random_event.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void must(nw_status status, const nw_error *err)
{
    if (status == NW_OK)
        return;
    fprintf(stderr, "random_event: %s\n", err->message);
    abort();
}

uint64_t random_below(random_bits *r, uint64_t bound) /* splitmix64; its slight bias is no matter here */
{
    uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % bound;
}

double random_unit(random_bits *r)
{
    return (double)random_below(r, UINT64_C(1) << 53) * 0x1p-53;
}

static nw_event *matrix_leaf(double size, nw_sensitivity s)
{
    nw_event *e = NULL;
    nw_error err;
    nw_strategy strategy = NW_STRATEGY_INIT;
    const double c[3] = { 1.0, 0.5, 0.25 };
    strategy.kind = NW_STRATEGY_TOEPLITZ;
    strategy.steps = 6;
    strategy.coefficients = c;
    strategy.coefficient_count = 3;
    strategy.max_participations = 2;
    strategy.min_separation = 2;
    must(nw_event_matrix(&e, 2.0 * s.value / size, s, &strategy, &err), &err);
    return e;
}

nw_event *random_leaf_of(random_bits *r, nw_event_kind kind, nw_adjacency adjacency, double size)
{
    nw_event *e = NULL;
    nw_error err;
    const bool is_replace = adjacency == NW_REPLACE_ONE;
    /* a contribution is worth half under replacement */
    const nw_adjacency declared = is_replace && random_below(r, 2) == 0 ? NW_REPLACE_ONE : NW_ADD_REMOVE;
    const double factor = is_replace && declared == NW_ADD_REMOVE ? 2.0 : 1.0;
    const double x = size / factor;
    const nw_sensitivity s = { 0.5 + random_unit(r), declared };
    const nw_sensitivity whole = { (double)(1 + random_below(r, 3)), declared };
    const double orders[3] = { 1.5, 4.0, 16.0 };
    const double curve[3] = { 0.75 * x * x, 2.0 * x * x, 8.0 * x * x };
    switch (kind) {
    case NW_EVENT_GAUSSIAN: must(nw_event_gaussian(&e, s.value / x, s, &err), &err); break;
    case NW_EVENT_ROUNDED_GAUSSIAN: must(nw_event_noise(&e, kind, s.value / x, s, random_below(r, 100), &err), &err); break;
    case NW_EVENT_DISCRETE_GAUSSIAN: must(nw_event_noise(&e, kind, whole.value / x, whole, 1, &err), &err); break;
    case NW_EVENT_LAPLACE: must(nw_event_laplace(&e, s.value / x, s, &err), &err); break;
    case NW_EVENT_DISCRETE_LAPLACE: must(nw_event_noise(&e, kind, whole.value / x, whole, 1, &err), &err); break;
    case NW_EVENT_PURE: must(nw_event_pure(&e, x, declared, &err), &err); break;
    case NW_EVENT_APPROX: must(nw_event_approx(&e, size, 1e-6 * random_unit(r), adjacency, &err), &err); break;
    case NW_EVENT_ZCDP: must(nw_event_zcdp(&e, 0.5 * x * x, declared, &err), &err); break;
    case NW_EVENT_GDP: must(nw_event_gdp(&e, x, declared, &err), &err); break;
    case NW_EVENT_RANDOMIZED_RESPONSE: {
        const double k = (double)(2 + random_below(r, 4));
        if (!is_replace)
            return NULL;
        must(nw_event_randomized_response(&e, k / (k + expm1(size)), (uint64_t)k, &err), &err);
        break;
    }
    case NW_EVENT_EXPONENTIAL:
    case NW_EVENT_REPORT_NOISY_MAX:
    case NW_EVENT_PERMUTE_AND_FLIP: must(nw_event_selection(&e, kind, x, declared, &err), &err); break;
    case NW_EVENT_RDP: must(nw_event_rdp(&e, orders, curve, 3, adjacency, &err), &err); break;
    case NW_EVENT_LDP:
        if (!is_replace)
            return NULL;
        must(nw_event_ldp(&e, size, &err), &err);
        break;
    case NW_EVENT_TREE: must(nw_event_tree(&e, 2.0 * s.value / x, s, 2 + random_below(r, 14), &err), &err); break;
    case NW_EVENT_MATRIX: return matrix_leaf(x, s);
    default: return NULL;
    }
    return e;
}

nw_event *random_leaf(random_bits *r, nw_adjacency adjacency, double size)
{
    /* promises without a pair would make most trees loose: they come seldom */
    const uint64_t last = random_below(r, 40) == 0 ? NW_EVENT_MATRIX : 0;
    nw_event *e = NULL;
    while (e == NULL) {
        const nw_event_kind kind = (nw_event_kind)(1 + random_below(r, NW_EVENT_MATRIX));
        if (last == 0 && (kind == NW_EVENT_RDP || kind == NW_EVENT_ZCDP))
            continue;
        e = random_leaf_of(r, kind, adjacency, size);
    }
    return e;
}

static nw_event *children_of(random_bits *r, nw_adjacency adjacency, int depth, double size, bool is_parallel)
{
    nw_event *children[3] = { NULL };
    nw_event *e = NULL;
    nw_error err;
    const size_t n = 1 + random_below(r, 3);
    for (size_t i = 0; i < n; i++)
        children[i] = random_event(r, adjacency, depth - 1, is_parallel ? size : size / sqrt((double)n));
    must((is_parallel ? nw_event_parallel : nw_event_composed)(&e, (const nw_event *const *)children, n, &err), &err);
    for (size_t i = 0; i < n; i++)
        nw_event_free(children[i]);
    return e;
}

static nw_event *gaussian(random_bits *r, nw_adjacency adjacency, double size)
{
    return random_leaf_of(r, NW_EVENT_GAUSSIAN, adjacency, size);
}

static nw_event *sampled(random_bits *r, nw_adjacency adjacency, int depth, double size)
{
    nw_event *e = NULL;
    nw_event *base = NULL;
    nw_error err;
    if (adjacency != NW_REPLACE_ONE || random_below(r, 4) == 0) {
        const double q = random_below(r, 12) == 0 ? (double)random_below(r, 2) : 0.02 + 0.6 * random_unit(r);
        base = adjacency == NW_REPLACE_ONE ? gaussian(r, NW_ADD_REMOVE, size) : random_event(r, adjacency, depth - 1, 1.5 * size);
        must(nw_event_poisson_subsampled(&e, q, base, &err), &err);
    } else {
        const bool is_with = random_below(r, 3) == 0;
        const uint64_t population = 5 + random_below(r, 100);
        base = is_with ? gaussian(r, adjacency, 0.5 * size) : random_event(r, adjacency, depth - 1, 1.5 * size);
        must(nw_event_fixed_size_subsampled(&e, population, 1 + random_below(r, population / 2), is_with, base, &err), &err);
    }
    nw_event_free(base);
    return e;
}

static nw_event *shuffled(random_bits *r, double size)
{
    static const nw_event_kind kinds[] = { NW_EVENT_LDP, NW_EVENT_RANDOMIZED_RESPONSE };
    nw_event *e = NULL;
    nw_error err;
    nw_event *base = random_leaf_of(r, kinds[random_below(r, 2)], NW_REPLACE_ONE, 1.5 * size);
    must(nw_event_shuffled(&e, 2 + random_below(r, 8), base, &err), &err);
    nw_event_free(base);
    return e;
}

nw_event *random_event(random_bits *r, nw_adjacency adjacency, int depth, double size)
{
    nw_event *e = NULL;
    nw_error err;
    if (depth <= 0)
        return random_leaf(r, adjacency, size);
    switch (random_below(r, 5)) {
    case 0: {
        const uint64_t count = 1 + random_below(r, random_below(r, 2) == 0 ? 5 : 40);
        nw_event *child = random_event(r, adjacency, depth - 1, size / sqrt((double)count));
        must(nw_event_repeat(&e, child, count, &err), &err);
        nw_event_free(child);
        return e;
    }
    case 1: return children_of(r, adjacency, depth, size, false);
    case 2:
        if (adjacency == NW_REPLACE_ONE)
            return random_below(r, 2) == 0 ? shuffled(r, size) : children_of(r, adjacency, depth, size, false);
        return children_of(r, adjacency, depth, size, true);
    default: return sampled(r, adjacency, depth, size);
    }
}
