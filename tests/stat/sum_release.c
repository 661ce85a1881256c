/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "sum_release.h"
#include "need.h"
#include "random_internal.h"

#include <math.h>
#include <nw/grid.h>
#include <nw/noise.h>
#include <stdlib.h>

enum { RECORDS = 4, ASSUMED_RECORDS = 4 };

static const double BOUND = 1.0; /* of a record */
static const double RECORD[RECORDS - 1] = { 0.25, -0.5, 0.75 };

typedef struct release {
    const sum_case *c;
    bool is_planted;
    nw_grid grid;
    nw_noise *noise;
} release;

static bool has(const release *r, sum_fault fault)
{
    return r->is_planted && r->c->fault == fault;
}

static double clamp_by_comparing(double x, double bound)
{
    return x > bound ? bound : x < -bound ? -bound : x;
}

/* The exact sum in grid steps; a double, since the twins' may be NaN. */
static double sum_of(const release *r, const double *records, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        int64_t q = 0;
        need(nw_grid_truncate(r->grid, &records[i], 1, -BOUND, BOUND, &q, NULL) == NW_OK);
        const double steps = ldexp(records[i], -r->grid.exponent);
        const double bound = ldexp(BOUND, -r->grid.exponent);
        if (has(r, SUM_CLIP_SKIPPED) || has(r, SUM_CLIP_AFTER))
            sum += trunc(steps);
        else if (has(r, SUM_CLIP_FACTOR_MAX))
            sum += trunc(steps * fmax(1.0, bound / fabs(steps)));
        else if (has(r, SUM_NAN_PASSES))
            sum += trunc(clamp_by_comparing(steps, bound));
        else
            sum += (double)q;
    }
    return has(r, SUM_CLIP_AFTER) ? clamp_by_comparing(sum, ldexp(RECORDS * BOUND, -r->grid.exponent)) : sum;
}

/* Statistics: the mean, and how far 3 times it is off the grid: 0 for means over three records. */
static void run_release(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    const release *r = context;
    const double records[RECORDS] = { RECORD[0], RECORD[1], RECORD[2], r->c->record };
    const size_t n = (size_t)(RECORDS - 1 + side);
    const double exact = sum_of(r, records, n);
    const double denominator = has(r, SUM_DATA_DENOMINATOR) ? (double)n : ASSUMED_RECORDS;
    int64_t *z = calloc(runs, sizeof *z);
    need(z != NULL && nw_noise_fill(r->noise, rng, z, runs, NULL) == NW_OK);
    for (size_t i = 0; i < runs; i++) {
        const double mean = (exact + (double)z[i]) / denominator;
        out[2 * i] = mean;
        out[2 * i + 1] = 3.0 * mean - rint(3.0 * mean);
    }
    free(z);
}

static audit_claim laplace_claim(double scale, double sensitivity)
{
    nw_event *event = NULL;
    need(nw_event_noise(&event, NW_EVENT_DISCRETE_LAPLACE, scale, (nw_sensitivity){ sensitivity, NW_ADD_REMOVE }, 1, NULL) ==
         NW_OK);
    const audit_claim claim = audit_claim_of(event, NW_ADD_REMOVE, 0.0);
    nw_event_free(event);
    return claim;
}

static bool is_refuted(audit_run run, void *context, size_t statistics, const audit_claim *claim)
{
    audit_opts opts = AUDIT_OPTS_INIT;
    opts.runs = 200000;
    const audit_bound bound = audit(&(audit_mechanism){ run, context, statistics }, &opts);
    return audit_refutes(&bound, claim);
}

bool sum_release__is_refuted(const void *context, bool is_planted)
{
    release r = { .c = context, .is_planted = is_planted };
    need(nw_grid_choose(&r.grid, BOUND, BOUND, 1, NULL) == NW_OK);
    const double bound = ldexp(BOUND, -r.grid.exponent);
    need(nw_noise_new(&r.noise, NW_NOISE_DISCRETE_LAPLACE, bound, NULL) == NW_OK);
    const audit_claim claim = laplace_claim(bound, bound);
    const bool refuted = is_refuted(run_release, &r, 2, &claim);
    nw_noise_free(r.noise);
    return refuted;
}

enum { ANSWERS = 4 };

/* Side 0 holds the last answer, side 1 the first. The twin's last answer is always told as it is. */
static void run_answers(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    const bool is_planted = *(const bool *)context;
    for (size_t i = 0; i < runs; i++) {
        const uint64_t truth = side == 0 ? ANSWERS - 1 : 0;
        uint64_t answer = truth;
        bool is_random = false;
        need(nw_rng_bernoulli(rng, 0.5, &is_random, NULL) == NW_OK);
        if (is_random && !(is_planted && truth == ANSWERS - 1))
            need(nw_rng_uniform(rng, ANSWERS, &answer, NULL) == NW_OK);
        out[i] = (double)answer;
    }
}

bool one_answer_kept__is_refuted(const void *context, bool is_planted)
{
    (void)context;
    nw_event *event = NULL;
    need(nw_event_randomized_response(&event, 0.5, ANSWERS, NULL) == NW_OK);
    const audit_claim claim = audit_claim_of(event, NW_REPLACE_ONE, 0.0);
    nw_event_free(event);
    return is_refuted(run_answers, &is_planted, 1, &claim);
}

static const double COARSE_SCALE = 0x1p40;

/* Inversion with a uniform of 24 bits: only 2^24 magnitudes are ever drawn, 2^16 steps apart and more. */
static int64_t coarse_magnitude(uint64_t u)
{
    return llround(-COARSE_SCALE * log(((double)u + 0.5) * 0x1p-24));
}

static bool is_coarse(double y)
{
    const double u = exp(-fabs(y) / COARSE_SCALE) * 0x1p24 - 0.5;
    return u >= 0.0 && u < 0x1p24 && (double)coarse_magnitude((uint64_t)llround(u)) == fabs(y);
}

/* Side 0: x = 0, side 1: x = the scale. Statistics: the answer, and whether the coarse noise could have made it of x = 0. */
static void run_coarse(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    const bool is_planted = *(const bool *)context;
    nw_noise *noise = NULL;
    int64_t *z = calloc(runs, sizeof *z);
    need(z != NULL && nw_noise_new(&noise, NW_NOISE_DISCRETE_LAPLACE, COARSE_SCALE, NULL) == NW_OK);
    need(nw_noise_fill(noise, rng, z, runs, NULL) == NW_OK);
    for (size_t i = 0; i < runs; i++) {
        if (is_planted) {
            const uint64_t word = nw__rng_u64(rng);
            z[i] = coarse_magnitude(word >> 40) * (word & 1 ? -1 : 1);
        }
        out[2 * i] = (double)z[i] + (side == 0 ? 0.0 : COARSE_SCALE);
        out[2 * i + 1] = is_coarse(out[2 * i]);
    }
    nw_noise_free(noise);
    free(z);
}

bool noise_of_24_bits__is_refuted(const void *context, bool is_planted)
{
    (void)context;
    const audit_claim claim = laplace_claim(COARSE_SCALE, COARSE_SCALE);
    return is_refuted(run_coarse, &is_planted, 2, &claim);
}
