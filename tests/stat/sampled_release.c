/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "sampled_release.h"
#include "need.h"
#include "random_internal.h"

#include <math.h>
#include <nw/noise.h>
#include <stdlib.h>

static const double UNIT = 1024.0; /* noise steps for a record's 1 */

typedef struct release {
    const sampled_case *c;
    bool is_planted;
    nw_noise *noise;
    int64_t *z; /* of a block */
    size_t room;
} release;

static bool has(const release *r, sampled_fault fault)
{
    return r->is_planted && r->c->fault == fault;
}

static bool coin(nw_rng *rng, double q)
{
    bool is_in = false;
    need(nw_rng_bernoulli(rng, q, &is_in, NULL) == NW_OK);
    return is_in;
}

/* Which batches the record enters. */
static void draw_batches(const release *r, nw_rng *rng, bool *is_in)
{
    const double q = has(r, SAMPLED_OTHER_RATE) ? r->c->other_q : r->c->q;
    const size_t steps = r->c->steps;
    uint64_t chosen = 0;
    need(nw_rng_uniform(rng, steps, &chosen, NULL) == NW_OK);
    for (size_t t = 0; t < steps; t++)
        is_in[t] = has(r, SAMPLED_SHUFFLED) ? t == chosen : has(r, SAMPLED_ONCE) && t > 0 ? is_in[0] : coin(rng, q);
}

/* Statistics: the likelihood ratio of the honest mechanism, the largest and the sum of the answers. */
static void run_release(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    release *r = context;
    const sampled_case *c = r->c;
    bool is_in[64] = { false };
    need(c->steps <= 64);
    if (runs * c->steps > r->room) {
        free(r->z);
        r->room = runs * c->steps;
        r->z = calloc(r->room, sizeof *r->z);
        need(r->z != NULL);
    }
    need(nw_noise_fill(r->noise, rng, r->z, runs * c->steps, NULL) == NW_OK);
    for (size_t run = 0; run < runs; run++) {
        double *at = out + 3 * run;
        at[0] = at[2] = 0.0;
        at[1] = -INFINITY;
        if (side == 1)
            draw_batches(r, rng, is_in);
        for (size_t t = 0; t < c->steps; t++) {
            const bool is_bare = has(r, SAMPLED_EMPTY_SKIPPED) && !is_in[t];
            const double y = is_in[t] + (is_bare ? 0.0 : (double)r->z[run * c->steps + t] / UNIT);
            at[0] += log1p(c->q * expm1((y - 0.5) / (c->sigma * c->sigma)));
            at[1] = fmax(at[1], y);
            at[2] += y;
        }
    }
}

static audit_claim claim_of(const sampled_case *c)
{
    nw_event *gaussian = NULL;
    nw_event *sampled = NULL;
    nw_event *event = NULL;
    need(nw_event_gaussian(&gaussian, c->sigma, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, NULL) == NW_OK);
    need(nw_event_poisson_subsampled(&sampled, c->q, gaussian, NULL) == NW_OK);
    need(nw_event_repeat(&event, sampled, c->steps, NULL) == NW_OK);
    const audit_claim claim = audit_claim_of(event, NW_ADD_REMOVE, c->delta);
    nw_event_free(event);
    nw_event_free(sampled);
    nw_event_free(gaussian);
    return claim;
}

audit_bound sampled_case_audit(const sampled_case *c, bool is_planted, audit_claim *claim)
{
    release r = { .c = c, .is_planted = is_planted };
    audit_opts opts = AUDIT_OPTS_INIT;
    opts.runs = c->runs > 0 ? c->runs : 400000;
    opts.delta = c->delta;
    *claim = claim_of(c);
    need(nw_noise_new(&r.noise, NW_NOISE_ROUNDED_GAUSSIAN, c->sigma * UNIT, NULL) == NW_OK);
    const audit_bound bound = audit(&(audit_mechanism){ run_release, &r, 3 }, &opts);
    nw_noise_free(r.noise);
    free(r.z);
    return bound;
}

bool sampled_release__is_refuted(const void *context, bool is_planted)
{
    audit_claim claim;
    const audit_bound bound = sampled_case_audit(context, is_planted, &claim);
    return audit_refutes(&bound, &claim);
}
