/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* uses.c - what a call hands for a parameter: does it fit, how will it be summed, and by which plan. */
#include "dpsgd_internal.h"

#include <stdlib.h>

static const size_t LARGEST_POSITIONS = (size_t)1 << 24;

static nw_status misfit(const nw__dpsgd_parameter *p, size_t use, const char *what, const char *function, nw_error *err)
{
    return nw__fail(err, NW_E_ARG, function, "parameter '%s' (%zu x %zu), use %zu: %s", p->name, p->rows, p->cols, use, what);
}

static const char *wrong_conv(const nw__dpsgd_parameter *p, const nw_dpsgd_conv *c)
{
    if (c == NULL)
        return "conv is NULL";
    if (c->stride < 1 || c->dilation < 1 || c->groups < 1 || c->kernel_height < 1 || c->kernel_width < 1)
        return "stride, dilation, groups and the kernel's sides must be at least 1";
    if (c->channels_in % c->groups != 0 || c->channels_out % c->groups != 0)
        return "channels_in and channels_out must be multiples of groups";
    const size_t limit = (size_t)1 << 20;
    if (c->stride > limit || c->dilation > limit || c->padding > limit || c->height > limit || c->width > limit ||
        c->kernel_height > limit || c->kernel_width > limit || c->channels_in > limit || c->channels_out > limit)
        return "a convolution's sizes must be at most 2^20";
    if (c->height + 2 * c->padding < c->dilation * (c->kernel_height - 1) + 1 ||
        c->width + 2 * c->padding < c->dilation * (c->kernel_width - 1) + 1)
        return "the kernel must not be larger than the padded input";
    if (p->rows != c->channels_out || p->cols != c->channels_in / c->groups * c->kernel_height * c->kernel_width)
        return "the parameter must be channels_out x (channels_in / groups * kernel_height * kernel_width)";
    return NULL;
}

/* What is wrong with one use, or NULL. */
static const char *wrong_use(const nw__dpsgd_parameter *p, const nw_dpsgd_use *use, size_t examples)
{
    const bool has_input = use->kind == NW_DPSGD_LINEAR || use->kind == NW_DPSGD_SCALE || use->kind == NW_DPSGD_CONV2D;
    if (use->positions < 1 || use->positions > LARGEST_POSITIONS)
        return "positions must be in 1..2^24";
    if (examples > 0 && use->grad == NULL)
        return "grad is NULL";
    if (examples > 0 && has_input && use->input == NULL)
        return "input is NULL";
    switch (use->kind) {
    case NW_DPSGD_LINEAR: return NULL;
    case NW_DPSGD_BIAS: return p->cols == 1 ? NULL : "a bias must have one column";
    case NW_DPSGD_EMBEDDING: return examples > 0 && use->tokens == NULL ? "tokens is NULL" : NULL;
    case NW_DPSGD_SCALE: return p->rows == 1 ? NULL : "a scale must have one row";
    case NW_DPSGD_CONV2D: return wrong_conv(p, use->conv);
    case NW_DPSGD_ROWS: return NULL;
    }
    return "kind is none of nw_dpsgd_kind";
}

nw_status nw__dpsgd_check_uses(
    const nw_dpsgd *d, const nw__dpsgd_parameter *p, const nw_dpsgd_use *uses, size_t n, const char *function, nw_error *err)
{
    if (uses == NULL || n == 0)
        return nw__fail(err, NW_E_ARG, function, "parameter '%s' has no use, must have at least one", p->name);
    size_t positions = 0;
    for (size_t i = 0; i < n; i++) {
        const char *wrong = wrong_use(p, &uses[i], d->examples);
        if (wrong != NULL)
            return misfit(p, i, wrong, function, err);
        positions += uses[i].positions;
        if (positions > p->positions)
            return nw__fail(err, NW_E_ARG, function, "parameter '%s' has uses of more positions than it was added with: %zu",
                p->name, p->positions);
    }
    const nw__sum_kind kind = nw__dpsgd_sum_kind(uses, n);
    if (p->sum != NW__SUM_UNKNOWN && p->plan != NW_DPSGD_PLAN_STORED && p->sum != kind)
        return nw__fail(err, NW_E_ARG, function, "parameter '%s' has uses of other kinds than at first, must keep them", p->name);
    return NW_OK;
}

/* FNV-1a over kinds and positions, which the same parameter has to have for norms and for sums. */
uint64_t nw__dpsgd_fingerprint(const nw_dpsgd_use *uses, size_t n)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < n; i++)
        hash = (((hash ^ (uint64_t)uses[i].kind) * UINT64_C(0x100000001b3)) ^ uses[i].positions) * UINT64_C(0x100000001b3);
    return hash;
}

nw__sum_kind nw__dpsgd_sum_kind(const nw_dpsgd_use *uses, size_t n)
{
    size_t linear = 0;
    size_t tokens = 0;
    for (size_t i = 0; i < n; i++) {
        linear += uses[i].kind == NW_DPSGD_LINEAR;
        tokens += uses[i].kind == NW_DPSGD_EMBEDDING;
    }
    if (linear + tokens < n)
        return NW__SUM_VECTORS;
    return linear > 0 ? NW__SUM_PRODUCTS : NW__SUM_TOKENS;
}

size_t nw__dpsgd_positions(const nw_dpsgd_use *uses, size_t n)
{
    size_t positions = 0;
    for (size_t i = 0; i < n; i++)
        positions += uses[i].positions;
    return positions;
}

size_t nw__dpsgd_linear_positions(const nw_dpsgd_use *uses, size_t n)
{
    size_t positions = 0;
    for (size_t i = 0; i < n; i++)
        positions += uses[i].kind == NW_DPSGD_LINEAR ? uses[i].positions : 0;
    return positions;
}

/* ---- the plan ---- */

/* Costs of one example in flops of a large product: measured, as ratios. A pass over the parameter's floats is bound by
 * memory. */
static const double PASS = 24.0;
static const double SYRK = 1.4; /* over its own flops, as it is small */

static double cost_of(const nw__dpsgd_parameter *p, nw_dpsgd_plan_kind plan)
{
    const double t = (double)p->positions;
    const double cells = (double)p->rows * (double)p->cols;
    const double sides = (double)p->rows + (double)p->cols;
    switch (plan) {
    case NW_DPSGD_PLAN_GRAM: return SYRK * t * t * sides + 4.0 * t * t;
    case NW_DPSGD_PLAN_DIRECT: return 2.0 * t * cells + PASS * cells / 2.0 + 4.0 * t * sides;
    case NW_DPSGD_PLAN_STORED: return 2.5 * PASS * cells;
    default: return 0.0;
    }
}

/* Examples that gradients are kept of, as far as is public. */
static double public_examples(const nw_dpsgd *d)
{
    return d->opts.micro_batch > 0 ? (double)d->opts.micro_batch : (double)d->largest_batch;
}

static bool fits(const nw_dpsgd *d, const nw__dpsgd_parameter *p)
{
    const double bytes = public_examples(d) * (double)p->rows * (double)p->cols * sizeof(float);
    return (double)d->kept_bytes + bytes <= (double)d->opts.memory_mib * 0x1p20;
}

static nw_dpsgd_plan_kind cheapest(const nw_dpsgd *d, const nw__dpsgd_parameter *p, nw__sum_kind kind)
{
    if (kind == NW__SUM_TOKENS)
        return NW_DPSGD_PLAN_DIRECT;
    if (kind == NW__SUM_VECTORS)
        return fits(d, p) ? NW_DPSGD_PLAN_STORED : NW_DPSGD_PLAN_DIRECT;
    if (p->positions == 1)
        return NW_DPSGD_PLAN_PRODUCT;
    nw_dpsgd_plan_kind best = NW_DPSGD_PLAN_GRAM;
    if (cost_of(p, NW_DPSGD_PLAN_DIRECT) < cost_of(p, best))
        best = NW_DPSGD_PLAN_DIRECT;
    if (fits(d, p) && cost_of(p, NW_DPSGD_PLAN_STORED) < cost_of(p, best))
        best = NW_DPSGD_PLAN_STORED;
    return best;
}

void nw__dpsgd_choose_plan(nw_dpsgd *d, nw__dpsgd_parameter *p, const nw_dpsgd_use *uses, size_t n)
{
    const nw__sum_kind kind = nw__dpsgd_sum_kind(uses, n);
    const bool is_borrowed = kind == NW__SUM_VECTORS && nw__dpsgd_borrowed(p, uses, n) != NULL;
    p->plan = cheapest(d, p, kind);
    if (kind == NW__SUM_PRODUCTS && p->wanted != NW_DPSGD_PLAN_AUTO)
        p->plan = p->wanted;
    if (kind == NW__SUM_VECTORS && (p->wanted == NW_DPSGD_PLAN_DIRECT || p->wanted == NW_DPSGD_PLAN_STORED))
        p->plan = p->wanted;
    if (is_borrowed)
        p->plan = NW_DPSGD_PLAN_DIRECT;
    p->sum = kind == NW__SUM_PRODUCTS && p->plan == NW_DPSGD_PLAN_STORED ? NW__SUM_VECTORS : kind;
    if (p->plan == NW_DPSGD_PLAN_STORED)
        d->kept_bytes += (size_t)public_examples(d) * p->rows * p->cols * sizeof(float);
}

int nw__dpsgd_threads(double operations)
{
    return operations < 0x1p18 ? 1 : nw__threads(0);
}

nw_status nw__dpsgd_need_scratch(nw_dpsgd *d, size_t floats, int threads, const char *function, nw_error *err)
{
    if (floats <= d->scratch_floats && (size_t)threads <= d->scratch_threads)
        return NW_OK;
    const size_t wanted = (floats > d->scratch_floats ? floats : d->scratch_floats) + 15;
    const size_t count = (size_t)threads > d->scratch_threads ? (size_t)threads : d->scratch_threads;
    size_t cells = 0;
    float *scratch = nw__mul_size(wanted / 16 * 16, count, &cells) ? nw__calloc(cells, sizeof *scratch) : NULL;
    if (scratch == NULL)
        return nw__fail_memory(err, function);
    nw__free_wiped(d->scratch, d->scratch_floats * d->scratch_threads * sizeof *scratch);
    d->scratch = scratch;
    d->scratch_floats = wanted / 16 * 16;
    d->scratch_threads = count;
    return NW_OK;
}
