/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "dpsgd_release.h"
#include "need.h"
#include "residue.h"

#include <math.h>
#include <nw/dpsgd.h>
#include <nw/testing.h>
#include <stdlib.h>
#include <string.h>

/* Clip norm and divisor are powers of two: what is multiplied back is exact. */
static const double CLIP = 1.0;
static const double DIVISOR = 8.0;
static const double CLIP_RATE = 1e-6;   /* of the adaptive clip norm: in all runs together it does not move */
static const double COUNT_NOISE = 1.05; /* of its count: most of the budget of a step of multiplier 2 */

enum { SIDES = 2, WEIGHT_ROWS = 2, WEIGHT_COLS = 2, USES = 2, MOST_RECORDS = 64, STATISTICS = 5 };

/* Inputs and output gradients of a batch, in its order. */
typedef struct rows {
    float input[MOST_RECORDS][WEIGHT_COLS];
    float grad[MOST_RECORDS][WEIGHT_ROWS];
    float half_grad[MOST_RECORDS][WEIGHT_ROWS]; /* of the second use: zero, or as the first */
    float no_grad[MOST_RECORDS][WEIGHT_ROWS];
    size_t n;
} rows;

typedef struct trainer {
    const dpsgd_case *c;
    dpsgd_fault fault;
    nw_dpsgd *dpsgd;
    nw_batches *batches[SIDES];
    size_t weight, bias;
    float weight_out[WEIGHT_ROWS * WEIGHT_COLS];
    float bias_out[WEIGHT_ROWS];
} trainer;

/* ---- records ---- */

/* Record `others` is the one in question, of side 1; shuffled batches have it on both sides, since the number of records is
 * public there, and side 0 has zeros for it. An adaptive clip norm is between the gradients of one half of the others and of the
 * other; the record is below it, where it moves the count most. */
static void add_record(const trainer *t, rows *r, int side, size_t i)
{
    const size_t at = r->n++;
    const bool is_canary = i == t->c->others;
    const bool is_small = t->c->is_adaptive && (is_canary || i % 2 == 0);
    const float size = is_canary && side == 0 ? 0.0F : (is_small ? 1e-3F : (is_canary ? 1000.0F : 30.0F));
    r->input[at][0] = is_canary ? size : 0.0F;
    r->input[at][1] = is_canary ? 0.0F : size;
    r->grad[at][0] = is_canary ? size : 0.0F;
    r->grad[at][1] = is_canary ? 0.0F : size;
    memset(r->no_grad[at], 0, sizeof r->no_grad[at]);
    memcpy(r->half_grad[at], t->c->is_tied ? r->grad[at] : r->no_grad[at], sizeof r->half_grad[at]);
}

/* The batch as one record with its mean gradient: the product of a mean input and a mean gradient would not be it, so the
 * weight's is handed out as it is. Rounding does not matter to what is shown. */
static void mean_gradient(const rows *r, float *weight, float *bias)
{
    memset(weight, 0, WEIGHT_ROWS * WEIGHT_COLS * sizeof *weight);
    memset(bias, 0, WEIGHT_ROWS * sizeof *bias);
    for (size_t i = 0; i < r->n; i++)
        for (size_t p = 0; p < WEIGHT_ROWS; p++) {
            bias[p] += r->grad[i][p] / (float)r->n;
            for (size_t d = 0; d < WEIGHT_COLS; d++)
                weight[p * WEIGHT_COLS + d] += r->grad[i][p] * r->input[i][d] / (float)r->n;
        }
}

/* ---- one step ---- */

static void put(
    trainer *t, const nw_dpsgd_use *weight, const nw_dpsgd_use *counted, size_t uses, const nw_dpsgd_use *bias, size_t n)
{
    need(nw_dpsgd_begin_batch(t->dpsgd, n, NULL) == NW_OK);
    need(nw_dpsgd_norms(t->dpsgd, t->weight, counted, uses, NULL) == NW_OK);
    need(nw_dpsgd_norms(t->dpsgd, t->bias, bias, 1, NULL) == NW_OK);
    need(nw_dpsgd_clip(t->dpsgd, NULL) == NW_OK);
    need(nw_dpsgd_accumulate(t->dpsgd, t->weight, weight, uses, NULL) == NW_OK);
    need(nw_dpsgd_accumulate(t->dpsgd, t->bias, bias, 1, NULL) == NW_OK);
}

static void put_mean(trainer *t, const rows *r)
{
    float weight[WEIGHT_ROWS * WEIGHT_COLS];
    float bias[WEIGHT_ROWS];
    mean_gradient(r, weight, bias);
    const nw_dpsgd_use w = { .kind = NW_DPSGD_ROWS, .positions = 1, .grad = weight };
    const nw_dpsgd_use b = { .kind = NW_DPSGD_BIAS, .positions = 1, .grad = bias };
    put(t, &w, &w, 1, &b, 1);
}

static void put_rows(trainer *t, const rows *r, size_t from, size_t to)
{
    const nw_dpsgd_use w[USES] = {
        { .kind = NW_DPSGD_LINEAR, .positions = 1, .input = r->input[from], .grad = r->grad[from] },
        { .kind = NW_DPSGD_LINEAR, .positions = 1, .input = r->input[from], .grad = r->half_grad[from] },
    };
    nw_dpsgd_use counted[USES] = { w[0], w[1] };
    const nw_dpsgd_use b = { .kind = NW_DPSGD_BIAS, .positions = 1, .grad = r->grad[from] };
    if (t->fault == DPSGD_LAYER_LEFT_OUT)
        counted[0].grad = counted[1].grad = r->no_grad[from];
    if (t->fault == DPSGD_TIE_COUNTED_ONCE)
        counted[1].grad = r->no_grad[from];
    if (to > from)
        put(t, w, counted, USES, &b, to - from);
}

/* What the sums of a step tell, in clip norms: where the record is, less where the others are. */
typedef struct answer {
    double own, other, count;
    bool is_bare;
} answer;

static answer finish(trainer *t, const rows *r, double clip)
{
    float *const out[] = { t->weight_out, t->bias_out };
    need(nw_dpsgd_finish_step(t->dpsgd, out, NULL) == NW_OK);
    const double factor = t->fault == DPSGD_TRUE_DIVISOR && r->n > 0 ? DIVISOR / (double)r->n : 1.0;
    const double per_clip = factor * DIVISOR / clip;
    const double moved = t->c->is_adaptive ? log(nw_dpsgd_clip_norm(t->dpsgd) / clip) / CLIP_RATE : 0.0;
    return (answer){ .own = (double)t->weight_out[0] * per_clip,
        .other = (double)t->weight_out[WEIGHT_ROWS * WEIGHT_COLS - 1] * per_clip,
        .count = -moved * DIVISOR + (t->fault == DPSGD_COUNT_UNCENTRED ? 0.5 * (double)r->n : 0.0) };
}

static answer take_step(trainer *t, const rows *r, nw_rng *rng)
{
    const bool is_split = t->fault == DPSGD_NOISE_PER_MICRO_BATCH;
    const double clip = nw_dpsgd_clip_norm(t->dpsgd);
    if (t->fault == DPSGD_EMPTY_SKIPPED && r->n == 0)
        return (answer){ .is_bare = true };
    need(nw_dpsgd_begin_step(t->dpsgd, rng, NULL) == NW_OK);
    if (t->fault == DPSGD_BATCH_CLIPPED)
        put_mean(t, r);
    else
        put_rows(t, r, 0, is_split ? r->n / 2 : r->n);
    answer a = finish(t, r, clip);
    if (is_split) {
        need(nw_dpsgd_begin_step(t->dpsgd, rng, NULL) == NW_OK);
        put_rows(t, r, r->n / 2, r->n);
        const answer b = finish(t, r, clip);
        a = (answer){ .own = fmax(a.own, b.own), .other = fmax(a.other, b.other) };
    }
    return a;
}

/* ---- runs ---- */

/* Statistics: the likelihood ratio of the honest mechanism; the largest answer, and the sum of the answers, of the record's
 * place; the same less the others' place; what the counts say, or how many steps were not taken. */
static void run_trainer(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    trainer *t = context;
    const dpsgd_case *c = t->c;
    const size_t steps = c->steps + (t->fault == DPSGD_STEP_FOR_FREE);
    const double z2 = c->noise_multiplier * c->noise_multiplier;
    for (size_t run = 0; run < runs; run++, out += STATISTICS) {
        memcpy(out, (const double[STATISTICS]){ 0.0, -INFINITY }, STATISTICS * sizeof *out);
        for (size_t step = 0; step < steps; step++) {
            rows r = { .n = 0 };
            const uint32_t *indices;
            size_t n;
            need(nw_batches_next(t->batches[side], rng, &indices, &n, NULL) == NW_OK && n <= MOST_RECORDS);
            for (size_t i = 0; i < n; i++)
                add_record(t, &r, side, indices[i]);
            const answer a = take_step(t, &r, rng);
            out[0] += log1p(c->rate * expm1((a.own - 0.5) / z2));
            out[1] = fmax(out[1], a.own);
            out[2] += a.own;
            out[3] += a.own - a.other;
            out[4] += c->is_adaptive ? a.count : a.is_bare;
        }
    }
}

static void open_batches(trainer *t)
{
    for (size_t side = 0; side < SIDES; side++) {
        nw_batches **b = &t->batches[side];
        const size_t records = t->c->others + side;
        if (t->fault == DPSGD_SHUFFLED) {
            const size_t all = t->c->others + 1;
            need(nw_batches_shuffled(b, all, (size_t)((double)all * t->c->rate), NW_ZERO_OUT, NULL) == NW_OK);
        } else if (t->c->rate < 1.0) {
            need(nw_batches_poisson(b, records, t->c->rate, NW_ADD_REMOVE, NULL) == NW_OK);
        } else {
            need(nw_batches_full(b, records, NW_ADD_REMOVE, NULL) == NW_OK);
        }
    }
}

static void open_trainer(trainer *t)
{
    nw_dpsgd_opts o = NW_DPSGD_OPTS_INIT;
    const double factor = t->fault == DPSGD_NOISE_9 ? 0.9 : t->fault == DPSGD_NOISE_PER_MICRO_BATCH ? sqrt(0.5) : 1.0;
    o.clip_norm = CLIP;
    o.noise_multiplier = t->c->noise_multiplier * factor;
    o.expected_batch = DIVISOR;
    o.adjacency = NW_ADD_REMOVE;
    if (t->c->is_adaptive) {
        o.quantile = 0.5;
        o.quantile_rate = CLIP_RATE;
        o.count_noise = COUNT_NOISE;
    }
    need(nw_dpsgd_new(&t->dpsgd, &o, NULL) == NW_OK);
    need(nw_dpsgd_add_parameter(t->dpsgd, "weight", WEIGHT_ROWS, WEIGHT_COLS, USES, 0, &t->weight, NULL) == NW_OK);
    need(nw_dpsgd_add_parameter(t->dpsgd, "bias", WEIGHT_ROWS, 1, 1, 0, &t->bias, NULL) == NW_OK);
    open_batches(t);
}

/* What is charged for the sound trainer, whichever runs. */
static audit_claim claim_of(const dpsgd_case *c)
{
    trainer t = { .c = c };
    nw_event *step = NULL;
    nw_event *event = NULL;
    open_trainer(&t);
    need(nw_dpsgd_event(t.dpsgd, &step, NULL) == NW_OK);
    need(nw_batches_event(t.batches[1], step, c->steps, &event, NULL) == NW_OK);
    const audit_claim claim = audit_claim_of(event, NW_ADD_REMOVE, c->delta);
    nw_event_free(event);
    nw_event_free(step);
    nw_dpsgd_free(t.dpsgd);
    nw_batches_free(t.batches[0]);
    nw_batches_free(t.batches[1]);
    return claim;
}

audit_bound dpsgd_case_audit(const dpsgd_case *c, bool is_planted, audit_claim *claim)
{
    trainer t = { .c = c, .fault = is_planted ? c->fault : DPSGD_SOUND };
    audit_opts opts = AUDIT_OPTS_INIT;
    opts.runs = c->runs;
    opts.delta = c->delta;
    *claim = claim_of(c);
    open_trainer(&t);
    const audit_bound bound = audit(&(audit_mechanism){ run_trainer, &t, STATISTICS }, &opts);
    nw_dpsgd_free(t.dpsgd);
    nw_batches_free(t.batches[0]);
    nw_batches_free(t.batches[1]);
    return bound;
}

/* ---- the last bits ---- */

enum { RESIDUES = 1 << 18 };

/* Single-precision normal numbers, as frameworks draw them. */
static void add_float_noise(nw_rng *rng, float deviation, float *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t u[2];
        need(nw_rng_uniform(rng, 1 << 24, &u[0], NULL) == NW_OK && nw_rng_uniform(rng, 1 << 24, &u[1], NULL) == NW_OK);
        out[i] += deviation * sqrtf(-2.0F * logf(((float)u[0] + 1.0F) * 0x1p-24F)) * cosf(6.2831853F * (float)u[1] * 0x1p-24F);
    }
}

/* A step over RESIDUES coordinates: the sums of a record whose gradient is 1e-3 in each, or of none, as doubles. */
static void release_coordinates(bool has_record, bool is_planted, uint64_t seed, double *out)
{
    nw_dpsgd_opts o = NW_DPSGD_OPTS_INIT;
    nw_dpsgd *d = NULL;
    nw_rng *rng = NULL;
    size_t parameter;
    float *grad = calloc(RESIDUES, sizeof *grad);
    float *sum = calloc(RESIDUES, sizeof *sum);
    o.clip_norm = CLIP;
    o.noise_multiplier = 1.0;
    o.expected_batch = 1.0;
    o.adjacency = NW_ADD_REMOVE;
    need(grad != NULL && sum != NULL && nw_dpsgd_new(&d, &o, NULL) == NW_OK);
    need(nw_rng_new_insecure_seeded(&rng, seed, NULL) == NW_OK);
    need(nw_dpsgd_add_parameter(d, "rows", RESIDUES, 1, 1, 0, &parameter, NULL) == NW_OK);
    need(nw_dpsgd_begin_step(d, rng, NULL) == NW_OK);
    for (size_t i = 0; i < RESIDUES; i++)
        grad[i] = 1e-3F;
    if (has_record) {
        const nw_dpsgd_use use = { .kind = NW_DPSGD_ROWS, .positions = 1, .grad = grad };
        need(nw_dpsgd_begin_batch(d, 1, NULL) == NW_OK && nw_dpsgd_norms(d, parameter, &use, 1, NULL) == NW_OK);
        need(nw_dpsgd_clip(d, NULL) == NW_OK && nw_dpsgd_accumulate(d, parameter, &use, 1, NULL) == NW_OK);
    }
    need(nw_dpsgd_finish_step(d, &sum, NULL) == NW_OK);
    for (size_t i = 0; is_planted && i < RESIDUES; i++)
        sum[i] = has_record ? grad[i] : 0.0F;
    if (is_planted)
        add_float_noise(rng, 1.0F, sum, RESIDUES);
    for (size_t i = 0; i < RESIDUES; i++)
        out[i] = (double)sum[i];
    nw_rng_free(rng);
    nw_dpsgd_free(d);
    free(grad);
    free(sum);
}

/* Sums are integers on a grid of which the noise's deviation is 2^19 or more, and not above 2^22. */
bool dpsgd_residue__leaks(const void *context, bool is_planted)
{
    double *x = calloc(RESIDUES, sizeof *x);
    double *y = calloc(RESIDUES, sizeof *y);
    (void)context;
    need(x != NULL && y != NULL);
    release_coordinates(false, is_planted, 41, x);
    release_coordinates(true, is_planted, 42, y);
    const bool leaks = residue_leaks(x, y, RESIDUES, 0x1p-22);
    free(x);
    free(y);
    return leaks;
}

bool dpsgd_release__is_refuted(const void *context, bool is_planted)
{
    audit_claim claim;
    const audit_bound bound = dpsgd_case_audit(context, is_planted, &claim);
    return audit_refutes(&bound, &claim);
}
