/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* model.c - linear models: a record's gradient is r (of softmax, a vector r) times its features, so its norm is |r| |a|, and what
 * it was at the last iterate is remembered as r. */
#include "diff2_internal.h"

#include <math.h>
#include <omp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Rows of a block: their features stay in the cache from the products to the sums. */
enum { LEAST_BLOCK = 16, MOST_BLOCK = 256, BLOCK_FLOATS = 1 << 14, FLUSH_ROWS = 1024 };
static const double WORTH_A_THREAD = 0x1p18;
/* Covers, relative to 1: the squares' sum in doubles (2^-31), the square root and the quotient, the product of coefficient and
 * feature in float (2^-24), that of softmax' coefficient (2^-24), and floats below the normal ones. */
static const double CAP_MARGIN = 1.0 - 0x1p-22;
/* Of rows whose features are too small to count. */
static const double LARGEST_CAP = 0x1p126;

/* ---- life ---- */

void nw_diff2_model_opts_init(nw_diff2_model_opts *opts, size_t struct_size)
{
    const nw_diff2_model_opts defaults = NW_DIFF2_MODEL_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

static nw_status check_shape(const nw_diff2_model_opts *o, const char *function, nw_error *err)
{
    size_t product;
    if (o->rows > 0 && (o->features == NULL || o->targets == NULL))
        return nw__fail(err, NW_E_ARG, function, "%s is NULL", o->features == NULL ? "features" : "targets");
    if (o->columns < 1 || o->columns >= (size_t)1 << 24)
        return nw__fail(err, NW_E_ARG, function, "columns is %zu, must be in [1, 2^24)", o->columns);
    if (o->stride < o->columns || !nw__mul_size(o->rows, o->stride, &product))
        return nw__fail(err, NW_E_ARG, function, "stride is %zu, must be at least %zu, the columns, or 0", o->stride, o->columns);
    return NW_OK;
}

static nw_status read_opts(nw_diff2_model_opts *o, const nw_diff2_model_opts *opts, const char *function, nw_error *err)
{
    *o = (nw_diff2_model_opts)NW_DIFF2_MODEL_OPTS_INIT;
    memcpy(o, opts, opts->struct_size < sizeof *o ? opts->struct_size : sizeof *o);
    o->struct_size = sizeof *o;
    o->stride = o->stride == 0 ? o->columns : o->stride;
    if (o->loss < NW_DIFF2_SQUARED || o->loss > NW_DIFF2_SOFTMAX)
        return nw__fail(err, NW_E_ARG, function, "loss is %d, must be squared, logistic, huber or softmax", (int)o->loss);
    NW__TRY(check_shape(o, function, err));
    if (o->loss == NW_DIFF2_SOFTMAX && (o->classes < 2 || o->classes > NW__DIFF2_MOST_CLASSES))
        return nw__fail(err, NW_E_ARG, function, "classes is %zu, must be in [2, %d]", o->classes, NW__DIFF2_MOST_CLASSES);
    if (o->loss != NW_DIFF2_SOFTMAX && o->classes > 1)
        return nw__fail(err, NW_E_ARG, function, "classes is %zu, must be 0 or 1 unless the loss is softmax", o->classes);
    if (!(o->huber_width >= 0x1p-40 && o->huber_width <= 0x1p40))
        return nw__fail(err, NW_E_ARG, function, "huber_width is %g, must be in [2^-40, 2^40]", o->huber_width);
    return NW_OK;
}

static bool is_valid_target(const nw_diff2_model_opts *o, float y)
{
    if (o->loss == NW_DIFF2_SOFTMAX)
        return y >= 0.0f && y < (float)o->classes && y == floorf(y);
    return fabsf(y) <= 0x1.fffffep127f;
}

static float float_down(double x)
{
    const float nearest = (float)x;
    return (double)nearest <= x ? nearest : nextafterf(nearest, 0.0f);
}

/* The largest coefficient, in steps, with which the record's vector is no longer than 2^20 steps. */
static float cap_of(const nw_diff2_model_opts *o, size_t row)
{
    const double square = nw__diff2_square(o->features + row * o->stride, NULL, o->columns) + (o->has_bias ? 1.0 : 0.0);
    if (!is_valid_target(o, o->targets[row]) || !(square <= 0x1p300))
        return 0.0f;
    return float_down(fmin(LARGEST_CAP, NW__DIFF2_STEPS / sqrt(square) * CAP_MARGIN));
}

static nw_status fill(nw_diff2_model *m, nw_error *err)
{
    const size_t parameters = m->outputs * m->per_output;
    m->caps = nw__calloc(m->opts.rows, sizeof *m->caps);
    m->last = nw__calloc(m->opts.rows, m->outputs * sizeof *m->last);
    m->last_weights = nw__calloc(parameters, sizeof *m->last_weights);
    m->weights = nw__calloc(parameters, sizeof *m->weights);
    m->before = nw__calloc(parameters, sizeof *m->before);
    if (m->caps == NULL || m->last == NULL || m->last_weights == NULL || m->weights == NULL || m->before == NULL)
        return nw__fail_memory(err, "nw_diff2_model_new");
    m->all_fit = true;
    for (size_t i = 0; i < m->opts.rows; i++) {
        m->caps[i] = cap_of(&m->opts, i);
        m->all_fit = m->all_fit && m->caps[i] > 0.0f;
    }
    return NW_OK;
}

nw_status nw_diff2_model_new(nw_diff2_model **out, const nw_diff2_model_opts *opts, nw_error *err)
{
    nw_diff2_model_opts o;
    if (out != NULL)
        *out = NULL;
    if (out == NULL || opts == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : "opts");
    NW__TRY(nw__init(err));
    NW__TRY(read_opts(&o, opts, __func__, err));
    nw_diff2_model *m = nw__calloc(1, sizeof *m);
    if (m == NULL)
        return nw__fail_memory(err, __func__);
    m->opts = o;
    m->outputs = o.loss == NW_DIFF2_SOFTMAX ? o.classes : 1;
    m->per_output = o.columns + (o.has_bias ? 1 : 0);
    const nw_status status = fill(m, err);
    if (status != NW_OK) {
        nw_diff2_model_free(m);
        return status;
    }
    *out = m;
    return NW_OK;
}

void nw_diff2_model_free(nw_diff2_model *model)
{
    if (model == NULL)
        return;
    nw__free_wiped(model->caps, model->caps == NULL ? 0 : model->opts.rows * sizeof *model->caps);
    nw__free_wiped(model->last, model->last == NULL ? 0 : model->opts.rows * model->outputs * sizeof *model->last);
    nw__free_wiped(model->scratch, model->scratch_bytes);
    free(model->last_weights);
    free(model->weights);
    free(model->before);
    free(model);
}

size_t nw_diff2_model_dimension(const nw_diff2_model *model)
{
    return model->outputs * model->per_output;
}

/* ---- adding ---- */

/* One thread's part of a pass. */
typedef struct pass {
    const nw_diff2 *d;
    nw_diff2_model *m;
    const float *edges;        /* of weights, [outputs][LANES] */
    const float *before_edges; /* of before */
    bool is_difference;
    bool uses_last; /* the derivatives at the previous iterate are those that are remembered */
    size_t block;
    double per_unit;
    /* this thread's */
    int64_t *totals;
    uint32_t *sums;
    size_t waiting; /* rows in sums */
    const float **rows;
    const float *targets; /* of these rows: the model's, or those of a sample */
    const float *caps;
    float *own_targets;
    float *own_caps;
    float *now;
    float *then;
    float *line;
    float *c;
} pass;

/* z of `n` rows in p->rows at weights w, then the derivatives, into out: float[n x outputs]. */
static void derive(const pass *p, const float *w, const float *edges, size_t n, float *out)
{
    const nw_diff2_model *m = p->m;
    const size_t columns = m->opts.columns;
    for (size_t k = 0; k < m->outputs; k++) {
        const float *of_output = w + k * m->per_output;
        const float bias = m->opts.has_bias ? of_output[columns] : 0.0f;
        float *z = m->outputs == 1 ? out : p->line;
        nw__diff2_dots(p->rows, n, of_output, edges + k * NW__DIFF2_LANES, columns, z);
        for (size_t i = 0; i < n && m->outputs > 1; i++)
            out[i * m->outputs + k] = z[i] + bias;
        for (size_t i = 0; i < n && m->outputs == 1 && m->opts.has_bias; i++)
            out[i] += bias;
    }
    if (m->opts.loss == NW_DIFF2_SOFTMAX)
        nw__diff2_softmax(out, p->targets, n, m->outputs);
    else
        nw__diff2_derivatives(m->opts.loss, m->opts.huber_width, out, p->targets, n);
}

/* Which rows of a block take part: all, or a local sample. */
static size_t gather(pass *p, size_t first, size_t n)
{
    const nw_diff2_model_opts *o = &p->m->opts;
    bool is_in[MOST_BLOCK];
    size_t found = 0;
    p->targets = o->targets + first;
    p->caps = p->m->caps + first;
    if (p->d->round.kind != NW_DIFF2_LOCAL) {
        const float *row = o->features + first * o->stride;
        const size_t stride = o->stride;
        const float **rows = p->rows;
        for (size_t i = 0; i < n; i++)
            rows[i] = row + i * stride;
        return n;
    }
    nw__diff2_sample(p->d, p->d->opts.first_record + p->d->added + first, n, is_in);
    for (size_t i = 0; i < n; i++)
        if (is_in[i]) {
            p->rows[found] = o->features + (first + i) * o->stride;
            p->own_targets[found] = p->targets[i];
            p->own_caps[found++] = p->caps[i];
        }
    p->targets = p->own_targets;
    p->caps = p->own_caps;
    return found;
}

/* Leaves out the rows that add nothing: what they hold may be anything. c: float[outputs][n] to [outputs][kept]. */
static size_t drop_zeros(const pass *p, size_t n)
{
    const size_t outputs = p->m->outputs;
    size_t kept = 0;
    if (p->m->all_fit)
        return n;
    for (size_t i = 0; i < n; i++)
        if (p->caps[i] > 0.0f)
            p->rows[kept++] = p->rows[i];
    for (size_t k = 0; k < outputs; k++) {
        size_t to = k * kept;
        for (size_t i = 0; i < n; i++)
            if (p->caps[i] > 0.0f)
                p->c[to++] = p->c[k * n + i];
    }
    return kept;
}

static void flush(pass *p)
{
    const nw_diff2_model *m = p->m;
    const size_t cells = nw__diff2_cells(m->opts.columns);
    for (size_t k = 0; k < m->outputs && p->waiting > 0; k++)
        nw__diff2_flush(p->totals + k * m->per_output, p->sums + k * cells, p->waiting, m->opts.columns);
    p->waiting = 0;
}

static void add_products(pass *p, size_t n)
{
    const nw_diff2_model *m = p->m;
    const size_t columns = m->opts.columns;
    const size_t cells = nw__diff2_cells(columns);
    for (size_t k = 0; k < m->outputs; k++) {
        const float *c = p->c + k * n;
        nw__diff2_add_rows(p->sums + k * cells, p->rows, c, n, columns);
        for (size_t i = 0; m->opts.has_bias && i < n; i++)
            p->totals[k * m->per_output + columns] += (int64_t)rintf(c[i]);
    }
    p->waiting += n;
    if (p->waiting >= FLUSH_ROWS - MOST_BLOCK)
        flush(p);
}

static void add_block(pass *p, size_t first, size_t n)
{
    nw_diff2_model *m = p->m;
    const size_t found = gather(p, first, n);
    float *last = m->last + first * m->outputs;
    derive(p, m->weights, p->edges, found, p->now);
    if (p->is_difference && !p->uses_last)
        derive(p, m->before, p->before_edges, found, p->then);
    const float *then = !p->is_difference ? NULL : p->uses_last ? last : p->then;
    if (m->outputs == 1)
        nw__diff2_coefficients(p->now, then, p->per_unit, p->caps, found, p->c);
    else
        nw__diff2_class_coefficients(p->now, then, p->per_unit, p->caps, found, m->outputs, p->c);
    if (p->d->round.kind != NW_DIFF2_LOCAL)
        memcpy(last, p->now, n * m->outputs * sizeof *last);
    add_products(p, drop_zeros(p, found));
}

/* ---- scratch ---- */

static size_t block_rows(const nw_diff2_model *m)
{
    const size_t wide = m->outputs > m->opts.columns ? m->outputs : m->opts.columns;
    const size_t rows = BLOCK_FLOATS / wide / LEAST_BLOCK * LEAST_BLOCK;
    return rows < LEAST_BLOCK ? LEAST_BLOCK : rows > MOST_BLOCK ? MOST_BLOCK : rows;
}

static size_t round_up(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* Hands out a piece of a thread's scratch; counts only, if there is none. */
static void *take(char *base, size_t *used, size_t bytes)
{
    void *piece = base == NULL ? NULL : base + *used;
    *used += round_up(bytes);
    return piece;
}

static size_t lay_out(pass *p, char *base)
{
    const nw_diff2_model *m = p->m;
    const size_t block = p->block;
    size_t used = 0;
    p->totals = take(base, &used, m->outputs * m->per_output * sizeof *p->totals);
    p->sums = take(base, &used, m->outputs * nw__diff2_cells(m->opts.columns) * sizeof *p->sums);
    p->rows = take(base, &used, block * sizeof *p->rows);
    p->own_targets = take(base, &used, block * sizeof *p->own_targets);
    p->own_caps = take(base, &used, block * sizeof *p->own_caps);
    p->now = take(base, &used, block * m->outputs * sizeof *p->now);
    p->then = take(base, &used, block * m->outputs * sizeof *p->then);
    p->line = take(base, &used, block * sizeof *p->line);
    p->c = take(base, &used, block * m->outputs * sizeof *p->c);
    return used;
}

/* Zeroed: totals and sums are left so by each pass. */
static nw_status need_scratch(nw_diff2_model *m, size_t bytes, nw_error *err)
{
    if (m->scratch_bytes >= bytes)
        return NW_OK;
    nw__free_wiped(m->scratch, m->scratch_bytes);
    m->scratch_bytes = 0;
    m->scratch = nw__calloc(bytes, 1);
    if (m->scratch == NULL)
        return nw__fail_memory(err, "nw_diff2_add_model");
    m->scratch_bytes = bytes;
    return NW_OK;
}

/* ---- a pass ---- */

static void to_floats(const double *x, size_t n, float *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (float)x[i];
}

static void edges_of(const nw_diff2_model *m, const float *w, float *edges)
{
    for (size_t k = 0; k < m->outputs; k++)
        nw__diff2_edge(w + k * m->per_output, m->opts.columns, edges + k * NW__DIFF2_LANES);
}

static void run_blocks(pass *p, size_t from, size_t to)
{
    const size_t rows = p->m->opts.rows;
    for (size_t b = from; b < to; b++)
        add_block(p, b * p->block, rows - b * p->block < p->block ? rows - b * p->block : p->block);
    flush(p);
}

static size_t team_of(const nw_diff2 *d, const nw_diff2_model *m, size_t blocks)
{
    const unsigned wanted = m->opts.threads != 0 ? m->opts.threads : d->opts.threads;
    const double work = (double)m->opts.rows * (double)m->opts.columns * (double)m->outputs;
    const size_t worth = (size_t)fmin(fmax(work / WORTH_A_THREAD, 1.0), fmax((double)blocks, 1.0));
    const size_t most = (size_t)nw__threads((int)wanted);
    return worth < most ? worth : most;
}

static nw_status run_pass(nw_diff2 *d, nw_diff2_model *m, const pass *plan, nw_error *err)
{
    const size_t parameters = m->outputs * m->per_output;
    const size_t blocks = (m->opts.rows + plan->block - 1) / plan->block;
    const size_t team = team_of(d, m, blocks);
    pass sizes = *plan;
    const size_t each = lay_out(&sizes, NULL);
    size_t bytes;
    if (!nw__mul_size(team, each, &bytes))
        return nw__fail_memory(err, "nw_diff2_add_model");
    NW__TRY(need_scratch(m, bytes, err));
#pragma omp parallel for schedule(static) num_threads((int)team) if (team > 1)
    for (size_t t = 0; t < team; t++) {
        pass p = *plan;
        lay_out(&p, m->scratch + t * each);
        memset(p.totals, 0, parameters * sizeof *p.totals);
        memset(p.sums, 0, m->outputs * nw__diff2_cells(m->opts.columns) * sizeof *p.sums);
        run_blocks(&p, blocks * t / team, blocks * (t + 1) / team);
    }
    for (size_t t = 0; t < team; t++)
        nw__diff2_merge(d->sums, (const int64_t *)(const void *)(m->scratch + t * each), parameters);
    return NW_OK;
}

static nw_status add(nw_diff2 *d, nw_diff2_model *m, float *edges, nw_error *err)
{
    const size_t parameters = m->outputs * m->per_output;
    const size_t half = m->outputs * NW__DIFF2_LANES;
    const bool is_difference = d->round.kind != NW_DIFF2_RESTART;
    to_floats(d->x, parameters, m->weights);
    to_floats(d->previous, parameters, m->before);
    const bool uses_last = d->round.kind == NW_DIFF2_DIFFERENCE && m->has_last &&
                           memcmp(m->before, m->last_weights, parameters * sizeof *m->before) == 0;
    edges_of(m, m->weights, edges);
    edges_of(m, m->before, edges + half);
    const pass plan = { .d = d,
        .m = m,
        .edges = edges,
        .before_edges = edges + half,
        .is_difference = is_difference,
        .uses_last = uses_last,
        .block = block_rows(m),
        .per_unit = nw__diff2_per_unit(d) };
    m->has_last = d->round.kind == NW_DIFF2_LOCAL && m->has_last;
    NW__TRY(run_pass(d, m, &plan, err));
    if (d->round.kind != NW_DIFF2_LOCAL) {
        memcpy(m->last_weights, m->weights, parameters * sizeof *m->weights);
        m->has_last = true;
    }
    return NW_OK;
}

static nw_status check_and_add(nw_diff2 *d, nw_diff2_model *model, nw_error *err)
{
    static const char function[] = "nw_diff2_add_model";
    NW__TRY(nw__diff2_check_open(d, function, err));
    if (model == NULL)
        return nw__fail(err, NW_E_ARG, function, "model is NULL");
    const size_t parameters = nw_diff2_model_dimension(model);
    if (parameters != d->dimension)
        return nw__fail(err, NW_E_ARG, function, "the model has dimension %zu, must be %zu", parameters, d->dimension);
    float *edges = nw__calloc(2 * model->outputs, NW__DIFF2_LANES * sizeof *edges);
    if (edges == NULL)
        return nw__fail_memory(err, function);
    d->has_additions = true;
    const nw_status status = add(d, model, edges, err);
    d->added += model->opts.rows;
    free(edges);
    return status;
}

nw_status nw_diff2_add_model(nw_diff2 *d, nw_diff2_model *model, nw_error *err)
{
    return nw__diff2_spoil(d, check_and_add(d, model, err));
}
