/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "count_release.h"
#include "need.h"
#include "random_internal.h"

#include <math.h>
#include <nw/accounting.h>
#include <nw/testing.h>
#include <stdlib.h>
#include <string.h>

typedef struct release {
    const count_case *c;
    bool is_planted;
    double scale;
    nw_noise *noise;
    int64_t *z; /* of a block, cell by cell: z[cell * runs + run] */
    size_t room;
    uint64_t blocks; /* numbers the substreams of threads */
} release;

static bool has(const release *r, count_fault fault)
{
    return r->is_planted && r->c->fault == fault;
}

static void fill(const release *r, nw_rng *rng, int64_t *out, size_t n)
{
    need(nw_noise_fill(r->noise, rng, out, n, NULL) == NW_OK);
}

/* Steps one after the other. The twin's steps have each a copy of the stream as it was before the first. */
static void fill_steps(release *r, nw_rng *rng, size_t runs)
{
    const struct nw_rng before = *rng;
    for (size_t cell = 0; cell < r->c->cells; cell++) {
        struct nw_rng copy = before;
        fill(r, cell > 0 && r->is_planted ? &copy : rng, r->z + cell * runs, runs);
    }
}

static void fill_threads(release *r, nw_rng *rng, size_t runs)
{
    const size_t cells = r->c->cells;
    const uint64_t first = r->blocks++ * cells;
#pragma omp parallel for num_threads(2)
    for (size_t cell = 0; cell < cells; cell++) {
        struct nw_rng copy = *rng;
        nw_rng *stream = NULL;
        need(nw_rng_substream(&stream, &copy, first + cell, NULL) == NW_OK);
        fill(r, r->is_planted ? &copy : stream, r->z + cell * runs, runs);
        nw_rng_free(stream);
    }
    nw__rng_refill(rng); /* the next block's copies differ from these */
}

/* [CKS20] draws a sign and a magnitude and refuses -0. Without that, 0 is as frequent as both signs of another magnitude. */
static void count_zero_twice(release *r, nw_rng *rng, size_t n)
{
    for (size_t i = 0; i < n; i++)
        while (r->z[i] < 0) /* the law's nonnegative half */
            fill(r, rng, &r->z[i], 1);
    for (size_t i = 0; i < n; i++)
        r->z[i] = nw__rng_u64(rng) & 1 ? -r->z[i] : r->z[i];
}

static void draw_noise(release *r, nw_rng *rng, size_t runs)
{
    const size_t cells = r->c->cells;
    if (r->c->fault == COUNT_SAME_STEPS) {
        fill_steps(r, rng, runs);
        return;
    }
    if (r->c->fault == COUNT_SAME_THREADS) {
        fill_threads(r, rng, runs);
        return;
    }
    fill(r, rng, r->z, runs * cells);
    if (has(r, COUNT_BARE))
        memset(r->z, 0, runs * cells * sizeof *r->z);
    if (has(r, COUNT_ONE_BARE))
        memset(r->z, 0, runs * sizeof *r->z);
    if (has(r, COUNT_ZERO_TWICE))
        count_zero_twice(r, rng, runs * cells);
    for (size_t cell = 1; cell < cells && has(r, COUNT_SAME_CHUNKS); cell++)
        memcpy(r->z + cell * runs, r->z, runs * sizeof *r->z);
    for (size_t i = 0; i < runs * cells && has(r, COUNT_CONSTANT); i++)
        r->z[i] = 5 + (int64_t)(i / runs);
}

/* Logarithm of the likelihood ratio of side 1 against side 0, up to a factor and a constant. */
static double likelihood(const count_case *c, size_t cell, double y)
{
    if (c->law == NW_NOISE_DISCRETE_LAPLACE)
        return fabs(y - c->x[0][cell]) - fabs(y - c->x[1][cell]);
    return (c->x[1][cell] - c->x[0][cell]) * y;
}

/* Statistics: each cell; of a vector also its likelihood ratio and the difference of the outer cells. */
static void run_release(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    release *r = context;
    const size_t cells = r->c->cells;
    if (runs * cells > r->room) {
        free(r->z);
        r->room = runs * cells;
        r->z = calloc(r->room, sizeof *r->z);
        need(r->z != NULL);
    }
    draw_noise(r, rng, runs);
    for (size_t run = 0; run < runs; run++) {
        double ratio = 0.0;
        double *at = out + run * (cells == 1 ? 1 : cells + 2);
        for (size_t cell = 0; cell < cells; cell++) {
            const double x = r->c->x[side][cell];
            at[cell] = x + (has(r, COUNT_ZEROS_BARE) && x == 0.0 ? 0.0 : (double)r->z[cell * runs + run]);
            ratio += likelihood(r->c, cell, at[cell]);
        }
        if (cells > 1) {
            at[cells] = ratio;
            at[cells + 1] = at[0] - at[cells - 1];
        }
    }
}

static double honest_scale(const count_case *c)
{
    double sigma = 0.0;
    if (c->law == NW_NOISE_DISCRETE_LAPLACE)
        return c->sensitivity * c->steps / c->epsilon;
    need(nw_calibrate_gaussian(&sigma, c->epsilon, c->delta, (nw_sensitivity){ c->sensitivity, c->adjacency }, c->steps,
             c->adjacency, NULL) == NW_OK);
    return sigma;
}

static audit_claim claim_of(const count_case *c, double scale)
{
    const nw_event_kind kind = c->law == NW_NOISE_DISCRETE_LAPLACE    ? NW_EVENT_DISCRETE_LAPLACE
                               : c->law == NW_NOISE_DISCRETE_GAUSSIAN ? NW_EVENT_DISCRETE_GAUSSIAN
                                                                      : NW_EVENT_ROUNDED_GAUSSIAN;
    nw_event *step = NULL;
    nw_event *event = NULL;
    need(nw_event_noise(&step, kind, scale, (nw_sensitivity){ c->sensitivity, c->adjacency }, c->cells, NULL) == NW_OK);
    need(nw_event_repeat(&event, step, c->steps, NULL) == NW_OK);
    const audit_claim claim = audit_claim_of(event, c->adjacency, c->delta);
    nw_event_free(event);
    nw_event_free(step);
    return claim;
}

audit_bound count_case_audit(const count_case *c, bool is_planted, audit_claim *claim)
{
    release r = { .c = c, .is_planted = is_planted, .scale = honest_scale(c) };
    *claim = claim_of(c, r.scale);
    if (has(&r, COUNT_FACTOR))
        r.scale *= c->factor;
    if (has(&r, COUNT_SQUARE_ROOT))
        r.scale = sqrt(r.scale);
    need(nw_noise_new(&r.noise, c->law, r.scale, NULL) == NW_OK);
    audit_opts opts = AUDIT_OPTS_INIT;
    opts.delta = c->delta;
    if (c->runs > 0)
        opts.runs = c->runs;
    const audit_bound bound = audit(&(audit_mechanism){ run_release, &r, c->cells == 1 ? 1 : c->cells + 2 }, &opts);
    nw_noise_free(r.noise);
    free(r.z);
    return bound;
}

bool count_release__is_refuted(const void *context, bool is_planted)
{
    audit_claim claim;
    const audit_bound bound = count_case_audit(context, is_planted, &claim);
    return audit_refutes(&bound, &claim);
}
