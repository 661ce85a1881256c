/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "audit.h"
#include "need.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <nw/accounting.h>
#include <nw/testing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PILOT = 1024, CUTS = 2 * PILOT, BLOCK = 4096, MOST_CHOOSING = 1 << 19 };

/* lgamma(2^27) is below 2^32, so each of the five terms of a log probability is off by less than 2^-21, and the sum of at most
 * 2^27 terms by less than that: below 2^-17 of a tail together. Taking the tail smaller by 2^-16 rounds outward. */
static const double TAIL_MARGIN = 1.0 - 0x1p-16;

/* P[X <= hits] for X binomial, rate above hits / runs: the terms fall from hits down. */
static double lower_tail(double hits, double runs, double rate)
{
    const double log_term =
        lgamma(runs + 1.0) - lgamma(hits + 1.0) - lgamma(runs - hits + 1.0) + hits * log(rate) + (runs - hits) * log1p(-rate);
    double term = exp(log_term);
    double sum = 0.0;
    for (double k = hits; k >= 0.0 && term > sum * 0x1p-60; k -= 1.0) {
        sum += term;
        term *= k * (1.0 - rate) / ((runs - k + 1.0) * rate);
    }
    return sum;
}

double audit_rate_above(size_t hits, size_t runs, double failure)
{
    double low = (double)hits / (double)runs;
    double high = 1.0;
    if (hits >= runs)
        return 1.0;
    for (;;) { /* until no double lies between */
        const double middle = 0.5 * (low + high);
        if (middle <= low || middle >= high)
            return high;
        if (lower_tail((double)hits, (double)runs, middle) <= failure * TAIL_MARGIN)
            high = middle;
        else
            low = middle;
    }
}

double audit_rate_below(size_t hits, size_t runs, double failure)
{
    return 1.0 - audit_rate_above(runs - hits, runs, failure);
}

/* The runs of both sides, in blocks; the streams go on from call to call. */
typedef struct sides {
    const audit_mechanism *mechanism;
    nw_rng *rng[2];
    double *block; /* BLOCK x statistics */
} sides;

static void *allocate(size_t n, size_t size)
{
    void *block = calloc(n, size);
    need(block != NULL);
    return block;
}

static sides open_sides(const audit_mechanism *mechanism, uint64_t seed)
{
    sides s = { .mechanism = mechanism, .block = allocate(BLOCK * mechanism->statistics, sizeof(double)) };
    need(mechanism->statistics >= 1 && mechanism->statistics <= AUDIT_STATISTICS);
    for (uint64_t side = 0; side < 2; side++)
        need(nw_rng_new_insecure_seeded(&s.rng[side], 2 * seed + side, NULL) == NW_OK);
    return s;
}

static void close_sides(sides *s)
{
    nw_rng_free(s->rng[0]);
    nw_rng_free(s->rng[1]);
    free(s->block);
}

typedef void (*visitor)(void *context, int side, const double *statistics, size_t runs);

static void each_block(sides *s, size_t runs, visitor visit, void *context)
{
    for (size_t done = 0; done < runs; done += BLOCK) {
        const size_t part = runs - done < BLOCK ? runs - done : BLOCK;
        for (int side = 0; side < 2; side++) {
            s->mechanism->run(s->mechanism->context, side, s->rng[side], s->block, part);
            for (size_t i = 0; i < part * s->mechanism->statistics; i++)
                if (isnan(s->block[i]))
                    s->block[i] = INFINITY;
            visit(context, side, s->block, part);
        }
    }
}

/* The values of a pilot cut the line of each statistic into cells: cell 0 below the first cut, cell i from cut i-1 up to the
 * next. */
typedef struct histogram {
    double cut[CUTS];
    size_t cuts;
    size_t hits[2][CUTS + 1];
} histogram;

typedef struct search {
    size_t statistics;
    histogram *histograms;
} search;

static void take_cuts(void *context, int side, const double *x, size_t runs)
{
    const search *s = context;
    (void)side;
    for (size_t i = 0; i < runs; i++)
        for (size_t j = 0; j < s->statistics; j++)
            s->histograms[j].cut[s->histograms[j].cuts++] = x[i * s->statistics + j];
}

static int compare_doubles(const void *x, const void *y)
{
    const double a = *(const double *)x;
    const double b = *(const double *)y;
    return (a > b) - (a < b);
}

static void sort_cuts(histogram *h)
{
    size_t kept = 0;
    qsort(h->cut, h->cuts, sizeof *h->cut, compare_doubles);
    for (size_t i = 0; i < h->cuts; i++)
        if (kept == 0 || h->cut[i] > h->cut[kept - 1])
            h->cut[kept++] = h->cut[i];
    h->cuts = kept;
}

/* The number of cuts <= x. */
static size_t cell_of(const histogram *h, double x)
{
    size_t first = 0; /* the answer is in first .. first + n; no branch to be mispredicted */
    for (size_t n = h->cuts; n > 1; n -= n / 2)
        first += (size_t)(h->cut[first + n / 2 - 1] <= x) * (n / 2);
    return first + (h->cut[first] <= x);
}

static void fill_cells(void *context, int side, const double *x, size_t runs)
{
    const search *s = context;
    for (size_t i = 0; i < runs; i++)
        for (size_t j = 0; j < s->statistics; j++)
            s->histograms[j].hits[side][cell_of(&s->histograms[j], x[i * s->statistics + j])]++;
}

static double bound_of_epsilon(double above, double below, double delta)
{
    return above > delta ? fmax(0.0, log((above - delta) / below)) : 0.0;
}

static double bound_of_mu(double above, double below)
{
    return above > below ? gsl_cdf_ugaussian_Pinv(above) - gsl_cdf_ugaussian_Pinv(below) : 0.0;
}

/* An end of Wilson's interval, the lower one for z < 0; for choosing among events only: nothing rests on it. */
static double wilson(double hits, double runs, double z)
{
    const double rate = hits / runs;
    const double spread = z / runs * sqrt(hits * (1.0 - rate) + 0.25 * z * z);
    return (rate + 0.5 * z * z / runs + spread) / (1.0 + z * z / runs);
}

typedef struct choice {
    audit_bound best; /* estimates, and the events that they come from */
    double runs;
    double z;
    double delta;
} choice;

static void consider(choice *c, audit_event event, const size_t hits[2])
{
    for (event.likelier = 0; event.likelier < 2; event.likelier++) {
        const double above = wilson((double)hits[event.likelier], c->runs, -c->z);
        const double below = wilson((double)hits[1 - event.likelier], c->runs, c->z);
        const double epsilon = bound_of_epsilon(above, below, c->delta);
        const double mu = bound_of_mu(above, below);
        if (epsilon > c->best.epsilon) {
            c->best.epsilon = epsilon;
            c->best.of_epsilon = event;
        }
        if (mu > c->best.mu) {
            c->best.mu = mu;
            c->best.of_mu = event;
        }
    }
}

/* Both half-lines at each cut, and each cell. */
static void consider_cells(choice *c, size_t statistic, const histogram *h, size_t runs)
{
    size_t below[2] = { 0, 0 };
    for (size_t i = 0; i < h->cuts; i++) {
        const double before = nextafter(h->cut[i], -INFINITY);
        const double next = i + 1 < h->cuts ? nextafter(h->cut[i + 1], -INFINITY) : INFINITY;
        for (int side = 0; side < 2; side++)
            below[side] += h->hits[side][i];
        const size_t from[2] = { runs - below[0], runs - below[1] };
        const size_t cell[2] = { h->hits[0][i + 1], h->hits[1][i + 1] };
        consider(c, (audit_event){ statistic, -INFINITY, before, 0 }, below);
        consider(c, (audit_event){ statistic, h->cut[i], INFINITY, 0 }, from);
        consider(c, (audit_event){ statistic, h->cut[i], next, 0 }, cell);
    }
}

static audit_bound choose_events(sides *s, size_t runs, const audit_opts *opts)
{
    const size_t statistics = s->mechanism->statistics;
    search found = { statistics, allocate(statistics, sizeof(histogram)) };
    choice c = { .runs = (double)runs, .z = gsl_cdf_ugaussian_Qinv(0.5 * opts->failure), .delta = opts->delta };
    each_block(s, runs / 4 < PILOT ? runs / 4 : PILOT, take_cuts, &found);
    for (size_t j = 0; j < statistics; j++)
        sort_cuts(&found.histograms[j]);
    each_block(s, runs, fill_cells, &found);
    for (size_t j = 0; j < statistics; j++)
        consider_cells(&c, j, &found.histograms[j], runs);
    free(found.histograms);
    return c.best;
}

typedef struct count {
    size_t statistics;
    audit_event event[2]; /* for epsilon, for mu */
    size_t hits[2][2];    /* of each, under either side */
} count;

static void count_hits(void *context, int side, const double *x, size_t runs)
{
    count *c = context;
    for (int e = 0; e < 2; e++) {
        const audit_event *event = &c->event[e];
        size_t hits = 0;
        for (size_t i = 0; i < runs; i++) {
            const double at = x[i * c->statistics + event->statistic];
            hits += at >= event->low && at <= event->high;
        }
        c->hits[e][side] += hits;
    }
}

audit_bound audit(const audit_mechanism *mechanism, const audit_opts *opts)
{
    const size_t choosing = opts->runs / 2 < MOST_CHOOSING ? opts->runs / 2 : MOST_CHOOSING;
    const size_t counting = opts->runs - choosing;
    need(opts->runs >= 8);
    sides s = open_sides(mechanism, opts->seed);
    audit_bound bound = choose_events(&s, choosing, opts);
    count c = { .statistics = mechanism->statistics, .event = { bound.of_epsilon, bound.of_mu } };
    double rate[2][2]; /* of either event: from below where it is likelier, from above on the other side */
    each_block(&s, counting, count_hits, &c);
    close_sides(&s);
    for (int e = 0; e < 2; e++) {
        const int likelier = c.event[e].likelier;
        rate[e][0] = audit_rate_below(c.hits[e][likelier], counting, 0.5 * opts->failure);
        rate[e][1] = audit_rate_above(c.hits[e][1 - likelier], counting, 0.5 * opts->failure);
    }
    bound.epsilon = bound.epsilon > 0.0 ? bound_of_epsilon(rate[0][0], rate[0][1], opts->delta) : 0.0;
    bound.mu = bound.mu > 0.0 ? bound_of_mu(rate[1][0], rate[1][1]) : 0.0;
    return bound;
}

audit_claim audit_claim_of(const nw_event *event, nw_adjacency adjacency, double delta)
{
    audit_claim claim = { INFINITY, delta, INFINITY };
    nw_bounds bounds;
    if (nw_account_epsilon(event, adjacency, delta, NULL, &bounds, NULL) == NW_OK)
        claim.epsilon = bounds.upper;
    if (nw_account_mu(event, adjacency, &claim.mu, NULL) != NW_OK)
        claim.mu = INFINITY;
    need(!isinf(claim.epsilon) || !isinf(claim.mu)); /* nothing claimed: nothing could be refuted */
    return claim;
}

bool audit_refutes(const audit_bound *bound, const audit_claim *claim)
{
    printf("# audit: epsilon >= %.4f, claimed %.4f; mu >= %.4f, claimed %.4f\n", bound->epsilon, claim->epsilon, bound->mu,
        claim->mu);
    return bound->epsilon > claim->epsilon || bound->mu > claim->mu;
}
