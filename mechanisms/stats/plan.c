/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* plan.c - which totals are kept for each query, how far one record moves them, with how much noise: a function of the queries
 * and the options only. The proof note is docs/rooms/stats.md#sensitivity. */
#include "stats_internal.h"
#include "accountant_internal.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const char NEW[] = "nw_stats_new";
enum { MAX_QUERIES = 4096 };
static const size_t MAX_GROUPS = (size_t)1 << 24;
static const double LARGEST_BOUND = 1e100; /* its square is far from the end of the doubles */
static const double LARGEST_WEIGHT = 1e6;
static const uint32_t MAX_CELLS = UINT32_C(1) << 20;
static const size_t MAX_COUNTERS = (size_t)1 << 26; /* of one choice */
static const double LEAST_CONFIDENCE = 0.5;
static const double LARGEST_CONFIDENCE = 0.999999999999;

static bool is_choice(const nw_stats_query *q)
{
    return q->kind >= NW_STATS_QUANTILE;
}

/* ---- the caller's structures ---- */

/* Queries come as an array of the caller's structure, which may be an older and shorter one. */
static nw_stats_query read_query(const nw_stats_query *queries, size_t i)
{
    nw_stats_query known = NW_STATS_QUERY_INIT;
    const size_t size = queries->struct_size;
    memcpy(&known, (const char *)queries + i * size, size < sizeof known ? size : sizeof known);
    known.struct_size = sizeof known;
    return known;
}

static nw_stats_opts read_opts(const nw_stats_opts *opts)
{
    nw_stats_opts known = NW_STATS_OPTS_INIT;
    memcpy(&known, opts, opts->struct_size < sizeof known ? opts->struct_size : sizeof known);
    known.struct_size = sizeof known;
    return known;
}

static nw_status check_opts(const nw_stats_opts *o, nw_error *err)
{
    NW__TRY(nw__check_budget(o->epsilon, o->delta, NEW, err));
    NW__TRY(nw__check_adjacency(o->adjacency, NEW, err));
    if (!(o->confidence >= LEAST_CONFIDENCE && o->confidence <= LARGEST_CONFIDENCE))
        return nw__fail(err, NW_E_ARG, NEW, "confidence is %.12g, must be in [%g, %.12g]", o->confidence, LEAST_CONFIDENCE,
            LARGEST_CONFIDENCE);
    return NW_OK;
}

static nw_status check_choice(const nw_stats_query *q, nw_error *err)
{
    if (q->cells < 2 || q->cells > MAX_CELLS || q->groups > MAX_COUNTERS / q->cells)
        return nw__fail(
            err, NW_E_ARG, NEW, "cells is %u with %zu groups, must be in 2..2^20 and together at most 2^26", q->cells, q->groups);
    if (!(q->rank >= 0.0 && q->rank <= 1.0))
        return nw__fail(err, NW_E_ARG, NEW, "rank is %g, must be in [0, 1]", q->rank);
    return NW_OK;
}

static nw_status check_query(const nw_stats_query *q, nw_error *err)
{
    if (q->kind < NW_STATS_COUNT || q->kind > NW_STATS_MAX)
        return nw__fail(err, NW_E_ARG, NEW, "kind is %d, must be one of nw_stats_kind", (int)q->kind);
    if (q->groups < 1 || q->groups > MAX_GROUPS)
        return nw__fail(err, NW_E_ARG, NEW, "groups is %zu, must be in 1..%zu", q->groups, MAX_GROUPS);
    if (!(q->weight >= 1.0 / LARGEST_WEIGHT && q->weight <= LARGEST_WEIGHT))
        return nw__fail(err, NW_E_ARG, NEW, "weight is %g, must be in [%g, %g]", q->weight, 1.0 / LARGEST_WEIGHT, LARGEST_WEIGHT);
    if (q->kind == NW_STATS_COUNT)
        return NW_OK;
    if (!(fabs(q->lower) <= LARGEST_BOUND && fabs(q->upper) <= LARGEST_BOUND))
        return nw__fail(err, NW_E_ARG, NEW, "lower is %g and upper is %g, must be at most %g in magnitude", q->lower, q->upper,
            LARGEST_BOUND);
    if (!(q->lower < q->upper))
        return nw__fail(err, NW_E_ARG, NEW, "lower is %g and upper is %g, must be lower < upper", q->lower, q->upper);
    return is_choice(q) ? check_choice(q, err) : NW_OK;
}

/* ---- totals ---- */

static void add_total(nw__query *q, nw__total_kind kind, double lower, double upper)
{
    q->totals[q->total_count++] = (nw__total){ .kind = kind, .lower = lower, .upper = upper };
}

/* A record that is missing contributes 0, so 0 lies within the bounds of every contribution. */
static void choose_totals(nw__query *q)
{
    const nw_stats_query *a = &q->asked;
    if (is_choice(a))
        return;
    if (a->kind == NW_STATS_SUM) {
        add_total(q, NW__TOTAL_SUM, fmin(a->lower, 0.0), fmax(a->upper, 0.0));
        return;
    }
    add_total(q, NW__TOTAL_COUNT, 0.0, 1.0);
    if (a->kind == NW_STATS_COUNT)
        return;
    q->centre = a->lower + (a->upper - a->lower) / 2.0;
    q->half_width = nw__up(fmax(q->centre - a->lower, a->upper - q->centre));
    add_total(q, NW__TOTAL_CENTRED, -q->half_width, q->half_width);
    const double half_square = nw__up(q->half_width * q->half_width) / 2.0;
    if (a->kind == NW_STATS_VARIANCE)
        add_total(q, NW__TOTAL_SQUARE, -half_square, half_square);
}

/* How far neighbours' vectors over the groups lie apart, if a record adds a number of [a, b], a <= 0 <= b, to one of them.
 * add_remove: one number, at most M = max(-a, b). replace_one: within one group the numbers differ by at most b - a <= 2 M; in
 * two groups M is left and M is added, 2 M in l1, sqrt(2) M in l2. Whole numbers below 2^53 in l1: exact. */
static double distance(double a, double b, size_t groups, nw_adjacency adjacency, bool is_l1)
{
    const double largest = fmax(-a, b);
    if (adjacency == NW_ADD_REMOVE)
        return largest;
    if (groups == 1)
        return b - a;
    return is_l1 ? 2.0 * largest : fmax(b - a, nw__up(nw__up(sqrt(2.0)) * largest));
}

/* A bound of the contributions in grid steps: what nw_grid_truncate makes of it, so a whole number. */
static nw_status bound_steps(const nw__total *t, double bound, double *steps, nw_error *err)
{
    int64_t q = 0;
    NW__TRY(nw_grid_truncate(t->grid, &bound, 1, t->lower, t->upper, &q, err));
    *steps = (double)q;
    return NW_OK;
}

/* That of nw_grid_choose, FINER bits finer: 2^-28 of the sensitivity, so that what is cut off records hardly shows in their sum.
 * Where the noise would leave the sampler's range, what is cut off shows still less beside it. */
static nw_status choose_grid(nw__total *t, double sensitivity, double amount, nw_error *err)
{
    enum { FINER = 8 };
    const double sigma = sensitivity / amount;
    NW__TRY(nw_grid_choose(&t->grid, sigma, sensitivity, 1, err));
    const int lowest = -1022;
    for (int k = 0; k < FINER && t->grid.exponent > lowest && ldexp(sigma, -t->grid.exponent) <= 0x1p48; k++)
        t->grid.exponent--;
    return NW_OK;
}

/* `budget` of this total; slack: see nw__stats_plan_make; risk: of nw__total.reach. */
static nw_status calibrate(
    nw__total *t, size_t groups, nw_adjacency adjacency, const nw__noise_budget *budget, double slack, double risk, nw_error *err)
{
    nw__calibrated c = { 0 };
    double a = 0.0;
    double b = 0.0;
    if (t->kind != NW__TOTAL_COUNT) {
        const double real_distance = distance(t->lower, t->upper, groups, adjacency, budget->is_l1);
        NW__TRY(choose_grid(t, real_distance, budget->amount, err));
    }
    NW__TRY(bound_steps(t, t->lower, &a, err));
    NW__TRY(bound_steps(t, t->upper, &b, err));
    t->sensitivity = (nw_sensitivity){ distance(a, b, groups, adjacency, budget->is_l1), adjacency };
    NW__TRY(nw__noise_calibrate(&c, budget, t->sensitivity.value, slack, NEW, err));
    t->scale = c.scale;
    t->deviation = ldexp(c.deviation, t->grid.exponent);
    t->reach = ldexp(nw__stats_reach(budget->law, t->scale, risk), t->grid.exponent);
    t->noise = c.noise;
    return NW_OK;
}

/* ---- event and fingerprint ---- */

static nw_status make_event(nw_stats *stats, nw_error *err)
{
    const nw_event_kind kind = stats->opts.delta == 0.0 ? NW_EVENT_DISCRETE_LAPLACE : NW_EVENT_ROUNDED_GAUSSIAN;
    nw_event **leaves = nw__calloc(stats->query_count, NW__STATS_TOTALS * sizeof(nw_event *));
    size_t n = 0;
    nw_status status = leaves == NULL ? nw__fail_memory(err, NEW) : NW_OK;
    for (size_t i = 0; i < stats->query_count; i++) {
        const nw__query *q = &stats->queries[i];
        for (size_t k = 0; status == NW_OK && k < q->total_count; k++) {
            const nw__total *t = &q->totals[k];
            status = nw_event_noise(&leaves[n], kind, t->scale, t->sensitivity, q->asked.groups, err);
            n += status == NW_OK;
        }
        if (status == NW_OK && is_choice(&q->asked)) {
            status = nw_event_selection(&leaves[n], NW_EVENT_EXPONENTIAL, q->choice.epsilon, stats->opts.adjacency, err);
            n += status == NW_OK;
        }
    }
    if (status == NW_OK)
        status = nw_event_composed(&stats->event, (const nw_event *const *)leaves, n, err);
    for (size_t i = 0; i < n; i++)
        nw_event_free(leaves[i]);
    free(leaves);
    return status;
}

static void put_double(crypto_generichash_state *h, double x)
{
    crypto_generichash_update(h, (const unsigned char *)&x, sizeof x);
}

/* Totals may be added up only if they mean the same: same queries, same grids. */
static void make_fingerprint(nw_stats *stats)
{
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, sizeof stats->fingerprint);
    put_double(&h, stats->opts.epsilon);
    put_double(&h, stats->opts.delta);
    put_double(&h, (double)stats->opts.adjacency);
    put_double(&h, stats->opts.share);
    for (size_t i = 0; i < stats->query_count; i++) {
        const nw_stats_query *a = &stats->queries[i].asked;
        const double words[] = { (double)a->kind, (double)a->groups, a->lower, a->upper, a->weight, (double)a->cells, a->rank };
        for (size_t k = 0; k < sizeof words / sizeof *words; k++)
            put_double(&h, words[k]);
    }
    crypto_generichash_final(&h, stats->fingerprint, sizeof stats->fingerprint);
}

static nw_status read_queries(nw_stats *stats, const nw_stats_query *queries, size_t n, nw_error *err)
{
    double weights = 0.0;
    double figures = 0.0;
    stats->queries = nw__calloc(n, sizeof *stats->queries);
    if (stats->queries == NULL)
        return nw__fail_memory(err, NEW);
    stats->query_count = n;
    for (size_t i = 0; i < n; i++) {
        nw__query *q = &stats->queries[i];
        q->asked = read_query(queries, i);
        NW__TRY(check_query(&q->asked, err));
        choose_totals(q);
        weights += q->asked.weight;
        figures += (double)q->asked.groups;
        for (size_t k = 0; k < q->total_count; k++) {
            q->totals[k].first = stats->total_count;
            stats->total_count += q->asked.groups;
        }
        q->choice.first = stats->total_count;
        stats->total_count += is_choice(&q->asked) ? q->asked.groups * q->asked.cells : 0;
    }
    for (size_t i = 0; i < n; i++)
        stats->queries[i].share = stats->opts.share * (stats->queries[i].asked.weight / weights);
    stats->risk = (1.0 - stats->opts.confidence) / figures; /* the union bound: nothing is assumed of how errors go together */
    return NW_OK;
}

/* Pure budgets add up in epsilon, Gaussian ones in mu^2. Each total's part is rounded down by n + 16 ulps, n the number of
 * totals: that covers the rounding of the shares, of the scale, and of the accountant's sum over all of them. */
nw_status nw__stats_plan_make(nw_stats *stats, const nw_stats_query *queries, size_t n, const nw_stats_opts *opts, nw_error *err)
{
    if (n < 1 || n > MAX_QUERIES)
        return nw__fail(err, NW_E_ARG, NEW, "n is %zu, must be in 1..%d", n, MAX_QUERIES);
    stats->opts = read_opts(opts);
    NW__TRY(check_opts(&stats->opts, err));
    NW__TRY(read_queries(stats, queries, n, err));
    make_fingerprint(stats);
    nw__noise_budget budget;
    NW__TRY(nw__noise_budget_of(&budget, stats->opts.epsilon, stats->opts.delta, stats->opts.share, NEW, err));
    const double slack = 1.0 + ((double)(n * (NW__STATS_TOTALS + 1)) + 16.0) * 0x1p-52;
    for (size_t i = 0; i < n; i++) {
        nw__query *q = &stats->queries[i];
        const double part = q->share / stats->opts.share / (q->total_count == 0 ? 1.0 : (double)q->total_count);
        nw__noise_budget mine = budget;
        mine.amount *= budget.is_l1 ? part : sqrt(part);
        if (is_choice(&q->asked)) {
            const double epsilon = mine.is_l1 ? mine.amount / slack : fmin(NW__MAX_EPSILON, nw_gdp_range(mine.amount / slack));
            NW__TRY(nw__choice_plan(&q->choice, &q->asked, epsilon, stats->opts.adjacency, err));
        }
        for (size_t k = 0; k < q->total_count; k++)
            NW__TRY(calibrate(
                &q->totals[k], q->asked.groups, stats->opts.adjacency, &mine, slack, stats->risk / (double)q->total_count, err));
    }
    return make_event(stats, err);
}

void nw__stats_plan_clear(nw_stats *stats)
{
    for (size_t i = 0; i < stats->query_count; i++)
        for (size_t k = 0; k < NW__STATS_TOTALS; k++)
            nw_noise_free(stats->queries[i].totals[k].noise);
    free(stats->queries);
    nw_event_free(stats->event);
}
