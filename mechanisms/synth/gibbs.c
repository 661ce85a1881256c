/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* gibbs.c - the default engine: Gibbs resampling of a table's cells, with an independent reference measure.
 *
 * The table X of N' rows is drawn, approximately, from
 *
 *     pi(X)  proportional to  prod_rows prod_j p1_j(x_j)  *  exp( -(1/T) sum_m sum_c (s_m[c] - y_m[c] N'/n)^2 / (2 sigma_m^2) ),
 *
 * s_m the counts of X in marginal m, y_m the noisy ones, p1_j the reference law of column j. One step takes one cell (row r,
 * column j) out and draws its value again from the conditional law; removing the row shifts each s_m[c] by one, so up to a
 * constant
 *
 *     logit(v) = log p1_j(v) - (1/T) sum_{m with j} (s_m[cell with v] - y_m[cell with v] N'/n) / sigma_m^2 .
 *
 * T = 1 would be the posterior under the reference measure; the noise is then shrunk too much, T -> 0 is coordinate descent that
 * fits the noise. See docs/rooms/synth.md#temperature for the choice. Everything here is post-processing of public numbers:
 * single precision and plain uniform variates are enough, and nothing of it enters a privacy claim. */
#include "synth_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Eight lanes by the compiler's vector extension: the same operations in the same order on every machine. */
enum { LANES = 8 };
typedef float vector __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t vector_int __attribute__((vector_size(LANES * sizeof(int32_t))));

/* One ordered pair (j, k): logit contributions, one block of padded_j floats per code of k, so that a row's block is
 * contiguous. */
typedef struct pair_block {
    float *logits; /* NULL if the pair is not measured */
    float weight;  /* 1 / (T sigma^2): what one row in a cell takes off */
} pair_block;

typedef struct engine {
    size_t columns;
    const uint32_t *cells;
    uint32_t *padded;    /* cells rounded up to LANES */
    pair_block *pairs;   /* [columns * columns], pair (j, k) at j * columns + k */
    float **alone;       /* per column: log p1 and the 1-way's contribution */
    float *alone_weight; /* per column: of the 1-way */
    float *own_weight;   /* per column: what the row itself takes off its own value, over all marginals */
    float *scratch;      /* logits of one column */
} engine;

static void *vectors_new(size_t floats)
{
    size_t bytes = 0;
    if (!nw__mul_size(floats, sizeof(float), &bytes) || bytes > SIZE_MAX - sizeof(vector))
        return NULL;
    bytes = (bytes / sizeof(vector) + 1) * sizeof(vector);
    void *block = aligned_alloc(sizeof(vector), bytes);
    if (block != NULL)
        memset(block, 0, bytes);
    return block;
}

static void engine_clear(engine *e)
{
    for (size_t j = 0; e->pairs != NULL && j < e->columns * e->columns; j++)
        free(e->pairs[j].logits);
    for (size_t j = 0; e->alone != NULL && j < e->columns; j++)
        free(e->alone[j]);
    free(e->pairs);
    free(e->alone);
    free(e->alone_weight);
    free(e->own_weight);
    free(e->padded);
    free(e->scratch);
    *e = (engine){ 0 };
}

/* Lays the targets y N'/n of one 2-way out for both of its columns. */
static bool load_pair(engine *e, const nw__marginal *m, double scale, double temperature)
{
    const float weight = (float)(1.0 / (temperature * m->sigma * m->sigma));
    pair_block *ab = &e->pairs[m->a * e->columns + m->b];
    pair_block *ba = &e->pairs[m->b * e->columns + m->a];
    ab->weight = weight;
    ba->weight = weight;
    ab->logits = vectors_new((size_t)m->cells_b * e->padded[m->a]);
    ba->logits = vectors_new((size_t)m->cells_a * e->padded[m->b]);
    if (ab->logits == NULL || ba->logits == NULL)
        return false;
    for (uint32_t u = 0; u < m->cells_a; u++) {
        for (uint32_t v = 0; v < m->cells_b; v++) {
            const float logit = (float)((double)m->counts[(size_t)u * m->cells_b + v] * scale) * weight;
            ab->logits[(size_t)v * e->padded[m->a] + u] = logit;
            ba->logits[(size_t)u * e->padded[m->b] + v] = logit;
        }
    }
    e->own_weight[m->a] += weight;
    e->own_weight[m->b] += weight;
    return true;
}

static void load_one_way(engine *e, const nw__marginal *m, double scale, double temperature)
{
    const float weight = (float)(1.0 / (temperature * m->sigma * m->sigma));
    for (uint32_t u = 0; u < m->cells_a; u++)
        e->alone[m->a][u] += (float)((double)m->counts[u] * scale) * weight;
    e->alone_weight[m->a] = weight;
    e->own_weight[m->a] += weight;
}

static bool engine_make(engine *e, const nw__chain *chain, double temperature)
{
    const nw__plan *plan = chain->plan;
    const double scale = (double)chain->rows / chain->reference->total;
    uint32_t widest = 0;
    *e = (engine){ .columns = plan->columns, .cells = plan->cells };
    e->pairs = nw__calloc(plan->columns * plan->columns, sizeof *e->pairs);
    e->alone = nw__calloc(plan->columns, sizeof *e->alone);
    e->alone_weight = nw__calloc(plan->columns, sizeof *e->alone_weight);
    e->own_weight = nw__calloc(plan->columns, sizeof *e->own_weight);
    e->padded = nw__calloc(plan->columns, sizeof *e->padded);
    if (e->pairs == NULL || e->alone == NULL || e->alone_weight == NULL || e->own_weight == NULL || e->padded == NULL)
        return false;
    for (size_t j = 0; j < plan->columns; j++) {
        e->padded[j] = (plan->cells[j] + LANES - 1) / LANES * LANES;
        widest = e->padded[j] > widest ? e->padded[j] : widest;
        e->alone[j] = vectors_new(e->padded[j]);
        if (e->alone[j] == NULL)
            return false;
        memcpy(e->alone[j], chain->reference->log_p[j], plan->cells[j] * sizeof(float));
        for (uint32_t v = plan->cells[j]; v < e->padded[j]; v++)
            e->alone[j][v] = -INFINITY; /* padding lanes are never drawn */
    }
    e->scratch = vectors_new(widest);
    if (e->scratch == NULL)
        return false;
    for (size_t i = 0; i < plan->marginal_count; i++) {
        const nw__marginal *m = &plan->marginals[i];
        if (m->b == NW__ONE_WAY)
            load_one_way(e, m, scale, temperature);
        else if (!load_pair(e, m, scale, temperature))
            return false;
    }
    return true;
}

/* Adds `sign` times one row to the counts that column j's cell takes part in. */
static void count_cell(engine *e, size_t j, uint16_t code, uint16_t *const *columns, size_t row, float sign)
{
    e->alone[j][code] -= sign * e->alone_weight[j];
    for (size_t k = 0; k < e->columns; k++) {
        const pair_block *jk = &e->pairs[j * e->columns + k];
        const pair_block *kj = &e->pairs[k * e->columns + j];
        if (jk->logits == NULL)
            continue;
        const uint16_t other = columns[k][row];
        jk->logits[(size_t)other * e->padded[j] + code] -= sign * jk->weight;
        kj->logits[(size_t)code * e->padded[k] + other] -= sign * kj->weight;
    }
}

static void count_all_rows(engine *e, uint16_t *const *columns, size_t rows)
{
    for (size_t row = 0; row < rows; row++) {
        for (size_t j = 0; j < e->columns; j++) {
            const uint16_t code = columns[j][row];
            e->alone[j][code] -= e->alone_weight[j];
            for (size_t k = 0; k < e->columns; k++) {
                const pair_block *jk = &e->pairs[j * e->columns + k];
                if (jk->logits != NULL)
                    jk->logits[(size_t)columns[k][row] * e->padded[j] + code] -= jk->weight;
            }
        }
    }
}

/* logits of column j for this row, into scratch. */
static void gather_logits(engine *e, size_t j, uint16_t *const *columns, size_t row)
{
    const size_t blocks = e->padded[j] / LANES;
    vector *sum = (vector *)(void *)e->scratch;
    memcpy(e->scratch, e->alone[j], e->padded[j] * sizeof(float));
    for (size_t k = 0; k < e->columns; k++) {
        const float *logits = e->pairs[j * e->columns + k].logits;
        if (logits == NULL)
            continue;
        const vector *add = (const vector *)(const void *)(logits + (size_t)columns[k][row] * e->padded[j]);
        for (size_t b = 0; b < blocks; b++)
            sum[b] += add[b];
    }
}

/* e^x for x <= 0 to about 2e-7 relative, 0 below -87: x = k ln 2 + r, |r| <= ln 2 / 2, a degree 6 Taylor polynomial (error
 * r^7/5040 < 1.3e-7), and 2^k by the exponent bits. */
static void exp_negative(vector *values)
{
    const vector x = *values;
    const vector_int live = x > -87.0f;
    const vector shifted = x * 1.44269504f + 12582912.0f; /* 1.5 * 2^23: rounds to an integer in the low bits */
    const vector k = shifted - 12582912.0f;
    const vector r = (x - k * 0.693359375f) + k * 2.12194440e-4f; /* Cody-Waite: ln 2 in two parts */
    vector p = r * (1.0f / 720.0f) + (1.0f / 120.0f);
    p = p * r + (1.0f / 24.0f);
    p = p * r + (1.0f / 6.0f);
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    const vector_int exponent = ((vector_int)shifted + (127 - 0x4b400000)) << 23;
    *values = (vector)((vector_int)(p * (vector)(exponent & live)) & live);
}

/* Draws from the softmax of e->scratch[0 .. padded); uniform in [0, 1). */
static uint16_t draw_softmax(engine *e, size_t j, float uniform)
{
    const size_t blocks = e->padded[j] / LANES;
    vector *logits = (vector *)(void *)e->scratch;
    vector top = logits[0];
    for (size_t b = 1; b < blocks; b++) {
        const vector_int greater = logits[b] > top;
        top = (vector)(((vector_int)logits[b] & greater) | ((vector_int)top & ~greater));
    }
    float highest = top[0];
    for (int lane = 1; lane < LANES; lane++)
        highest = top[lane] > highest ? top[lane] : highest;
    vector total = { 0 };
    for (size_t b = 0; b < blocks; b++) {
        logits[b] -= highest;
        exp_negative(&logits[b]);
        total += logits[b];
    }
    float mass = 0.0f;
    for (int lane = 0; lane < LANES; lane++)
        mass += total[lane];
    float left = uniform * mass;
    uint32_t last = 0; /* last value of positive weight: takes what rounding leaves over */
    for (uint32_t v = 0; v < e->cells[j]; v++) {
        if (e->scratch[v] <= 0.0f)
            continue;
        last = v;
        left -= e->scratch[v];
        if (left < 0.0f)
            break;
    }
    return (uint16_t)last;
}

static void resample_cell(engine *e, size_t j, uint16_t *const *columns, size_t row, float uniform)
{
    const uint16_t old = columns[j][row];
    gather_logits(e, j, columns, row);
    e->scratch[old] += e->own_weight[j]; /* the row itself is taken out first */
    const uint16_t drawn = draw_softmax(e, j, uniform);
    if (drawn == old)
        return;
    count_cell(e, j, old, columns, row, -1.0f);
    count_cell(e, j, drawn, columns, row, 1.0f);
    columns[j][row] = drawn;
}

/* docs/rooms/synth.md#temperature has the measurements behind the two numbers. */
double nw__gibbs_temperature(double sigma)
{
    return fmin(0.2, 0.05 * 58.0 / sigma);
}

/* Temperature from the noise alone, sigma the 2-ways' noise. */
static double temperature_of(const nw__chain *chain)
{
    double precision = 0.0;
    size_t pairs = 0;
    for (size_t i = 0; i < chain->plan->marginal_count; i++) {
        const nw__marginal *m = &chain->plan->marginals[i];
        if (m->b != NW__ONE_WAY || chain->plan->columns == 1) {
            precision += 1.0 / (m->sigma * m->sigma);
            pairs++;
        }
    }
    if (pairs == 0)
        return 1.0;
    const double sigma = sqrt((double)pairs / precision);
    const double share = (double)chain->rows / chain->reference->total; /* a chain of fewer rows moves in larger steps */
    return nw__gibbs_temperature(sigma) * share;
}

nw_status nw__gibbs_fit(const nw__chain *chain, nw_rng *rng, nw_error *err)
{
    engine e;
    uint16_t **columns = nw__calloc(chain->plan->columns, sizeof *columns);
    const double temperature = chain->heat * temperature_of(chain);
    nw_status status = NW_E_NOMEM;
    if (!engine_make(&e, chain, temperature) || columns == NULL) {
        nw__fail_memory(err, "nw_synth_fit");
        goto out;
    }
    for (size_t j = 0; j < e.columns; j++)
        columns[j] = chain->codes + j * chain->rows;
    status = chain->is_started ? nw__rng_begin(rng, err) : nw__chain_start(chain, rng, err);
    if (status != NW_OK)
        goto out;
    count_all_rows(&e, columns, chain->rows);
    for (unsigned sweep = 0; sweep < chain->sweeps; sweep++) {
        for (size_t row = 0; row < chain->rows; row++)
            for (size_t j = 0; j < e.columns; j++)
                resample_cell(&e, j, columns, row, (float)(nw__rng_u32(rng) >> 8) * 0x1p-24f);
        if (chain->progress != NULL && !chain->progress(chain->progress_context, "fit", (sweep + 1.0) / chain->sweeps)) {
            status = nw__fail(err, NW_E_CANCELLED, "nw_synth_fit", "stopped by the caller; what was measured stays charged");
            goto out;
        }
    }
out:
    engine_clear(&e);
    free(columns);
    return status;
}
