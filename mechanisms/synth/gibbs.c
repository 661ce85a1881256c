/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* gibbs.c - the default engine: Gibbs resampling of a table's cells, with an independent reference measure.
 *
 * The table X of N' rows is drawn, approximately, from
 *
 *     pi(X)  proportional to  prod_rows prod_j p1_j(x_j)  *  exp( -(1/2) sum_m sum_c w_m[c] (s_m[c] - 1/2 - t_m[c] N'/n)^2 ),
 *     w_m[c] = f_m[c] / (T sigma_m^2),
 *
 * s_m the counts of X in marginal m and p1_j the reference law of column j. Of a 2-way, t_m are the noisy counts and f_m what
 * evidence.c makes of them; of a 1-way, t_m is n p1_j, which all marginals have a part in, and f_m a constant. One step takes one
 * cell (row r, column j) out and draws its value again from the conditional law: with s_m the counts of the other rows, up to a
 * constant,
 *
 *     logit(v) = log p1_j(v) - sum_{m with j} w_m[cell with v] (s_m[cell with v] - t_m[cell with v] N'/n) .
 *
 * T = 1 would be the posterior under the reference measure; the noise is then shrunk too much, T -> 0 is coordinate descent that
 * fits the noise. The first sweeps are hotter: cool, a factor on all w, rises to 1. See docs/rooms/synth.md#temperature for the
 * choices. Everything here is post-processing of public numbers: single precision and plain uniform variates are enough, and
 * nothing of it enters a privacy claim. */
#include "gibbs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The factor f of a 1-way, and the most that a sweep's first rows may weigh, in 1 / rows: see cool_of. */
#define ONE_WAY_FACTOR 2.0
#define FIRST_WEIGHT 2.0

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

static void engine_clear(nw__gibbs *e)
{
    for (size_t j = 0; e->pairs != NULL && j < e->columns * e->columns; j++) {
        free(e->pairs[j].logits);
        free(e->pairs[j].weights);
    }
    for (size_t t = 0; e->triples != NULL && t < e->triple_count; t++) {
        for (int k = 0; k < 3; k++)
            free(e->triples[t].logits[k]);
        free(e->triples[t].weights);
    }
    free(e->triples);
    free(e->places);
    free(e->places_first);
    for (size_t j = 0; e->alone != NULL && j < e->columns; j++)
        free(e->alone[j]);
    for (size_t j = 0; e->log_p != NULL && j < e->columns; j++)
        free(e->log_p[j]);
    free(e->pairs);
    free(e->alone);
    free(e->log_p);
    free(e->alone_weight);
    free(e->padded);
    free(e->scratch);
    free(e->terms);
    nw__keeper_free(e->keeper);
    free(e->side);
    *e = (nw__gibbs){ 0 };
}

/* Lays the targets t N'/n of one 2-way, times w, out for both of its columns. */
static void lay_out(nw__gibbs *e, const nw__marginal *m, const float *factors, double scale, double temperature)
{
    nw__pair_block *ab = &e->pairs[m->a * e->columns + m->b];
    nw__pair_block *ba = &e->pairs[m->b * e->columns + m->a];
    const double weight = 1.0 / (temperature * m->sigma * m->sigma);
    for (uint32_t u = 0; u < m->cells_a; u++) {
        for (uint32_t v = 0; v < m->cells_b; v++) {
            const size_t c = (size_t)u * m->cells_b + v;
            const float w = (float)(weight * (double)factors[c]);
            const float logit = (float)((double)m->counts[c] * scale) * w;
            ab->logits[(size_t)v * e->padded[m->a] + u] = logit;
            ab->weights[(size_t)v * e->padded[m->a] + u] = w;
            ba->logits[(size_t)u * e->padded[m->b] + v] = logit;
        }
    }
}

static nw_status load_pair(nw__gibbs *e, const nw__chain *chain, const nw__marginal *m, double temperature, nw_error *err)
{
    nw__pair_block *ab = &e->pairs[m->a * e->columns + m->b];
    nw__pair_block *ba = &e->pairs[m->b * e->columns + m->a];
    ab->logits = vectors_new((size_t)m->cells_b * e->padded[m->a]);
    ab->weights = vectors_new((size_t)m->cells_b * e->padded[m->a]);
    ba->logits = vectors_new((size_t)m->cells_a * e->padded[m->b]);
    float *factors = nw__calloc(m->cells_a, m->cells_b * sizeof *factors);
    nw_status status = NW_OK;
    if (ab->logits == NULL || ab->weights == NULL || ba->logits == NULL || factors == NULL)
        status = nw__fail_memory(err, "nw_synth_fit");
    if (status == NW_OK)
        status = nw__evidence_make(chain->reference, m, factors, err);
    if (status == NW_OK)
        lay_out(e, m, factors, (double)chain->rows / chain->reference->total, temperature);
    free(factors);
    return status;
}

/* Where the block of column `position` of a 3-way begins for a row, and in it the row's own cell. */
static size_t block_start(const nw__gibbs *e, const nw__triple_block *t, size_t position, const uint16_t code[3])
{
    const size_t first = position == 0 ? 1 : 0;
    const size_t second = position == 2 ? 1 : 2;
    return ((size_t)code[first] * t->cells[second] + code[second]) * e->padded[t->columns[position]];
}

static float triple_weight(const nw__gibbs *e, const nw__triple_block *t, const uint16_t code[3])
{
    return t->weights[block_start(e, t, 0, code) + code[0]];
}

static void lay_out_triple(
    nw__gibbs *e, nw__triple_block *t, const nw__marginal *m, const float *factors, double scale, double temperature)
{
    const double weight = 1.0 / (temperature * m->sigma * m->sigma);
    for (size_t c = 0; c < nw__marginal_cells(m); c++) {
        const size_t rest = c % nw__marginal_rest(m);
        const uint16_t code[3] = { (uint16_t)(c / nw__marginal_rest(m)), (uint16_t)(rest / m->cells_c),
            (uint16_t)(rest % m->cells_c) };
        const float w = (float)(weight * (double)factors[c]);
        t->weights[block_start(e, t, 0, code) + code[0]] = w;
        for (size_t k = 0; k < 3; k++)
            t->logits[k][block_start(e, t, k, code) + code[k]] = (float)((double)m->counts[c] * scale) * w;
    }
}

static nw_status load_triple(nw__gibbs *e, const nw__chain *chain, const nw__marginal *m, double temperature, nw_error *err)
{
    nw__triple_block *t = &e->triples[e->triple_count++];
    *t = (nw__triple_block){ { m->a, m->b, m->c }, { m->cells_a, m->cells_b, m->cells_c }, { NULL }, NULL };
    float *factors = nw__calloc(nw__marginal_cells(m), sizeof *factors);
    bool is_whole = factors != NULL;
    for (size_t k = 0; k < 3; k++) {
        t->logits[k] = vectors_new(nw__marginal_cells(m) / t->cells[k] * e->padded[t->columns[k]]);
        is_whole = is_whole && t->logits[k] != NULL;
    }
    t->weights = vectors_new(nw__marginal_cells(m) / t->cells[0] * e->padded[t->columns[0]]);
    is_whole = is_whole && t->weights != NULL;
    nw_status status = is_whole ? nw__evidence_make(chain->reference, m, factors, err) : nw__fail_memory(err, "nw_synth_fit");
    if (status == NW_OK)
        lay_out_triple(e, t, m, factors, (double)chain->rows / chain->reference->total, temperature);
    free(factors);
    return status;
}

/* Which 3-ways each column takes part in. */
static nw_status place_triples(nw__gibbs *e, nw_error *err)
{
    size_t n = 0;
    size_t most = 0;
    if (e->triple_count == 0)
        return NW_OK;
    e->places = nw__calloc(e->triple_count, 3 * sizeof *e->places);
    e->places_first = nw__calloc(e->columns + 1, sizeof *e->places_first);
    if (e->places == NULL || e->places_first == NULL)
        return nw__fail_memory(err, "nw_synth_fit");
    for (size_t j = 0; j < e->columns; j++) {
        e->places_first[j] = n;
        for (size_t i = 0; i < 3 * e->triple_count; i++)
            if (e->triples[i / 3].columns[i % 3] == j)
                e->places[n++] = i;
        most = n - e->places_first[j] > most ? n - e->places_first[j] : most;
    }
    e->places_first[e->columns] = n;
    free(e->terms);
    e->terms = nw__calloc(e->columns + most, sizeof *e->terms);
    return e->terms == NULL ? nw__fail_memory(err, "nw_synth_fit") : NW_OK;
}

static void load_one_way(nw__gibbs *e, const nw__chain *chain, const nw__marginal *m, double temperature)
{
    const double weight = ONE_WAY_FACTOR / (temperature * m->sigma * m->sigma);
    for (uint32_t u = 0; u < m->cells_a; u++)
        e->alone[m->a][u] = (float)(weight * (double)chain->rows * exp((double)e->log_p[m->a][u]));
    e->alone_weight[m->a] = (float)weight;
}

static bool load_laws(nw__gibbs *e, const nw__reference *reference)
{
    uint32_t widest = 0;
    for (size_t j = 0; j < e->columns; j++) {
        e->padded[j] = (e->cells[j] + LANES - 1) / LANES * LANES;
        widest = e->padded[j] > widest ? e->padded[j] : widest;
        e->alone[j] = vectors_new(e->padded[j]);
        e->log_p[j] = vectors_new(e->padded[j]);
        if (e->alone[j] == NULL || e->log_p[j] == NULL)
            return false;
        memcpy(e->log_p[j], reference->log_p[j], e->cells[j] * sizeof(float));
        for (uint32_t v = e->cells[j]; v < e->padded[j]; v++)
            e->log_p[j][v] = -INFINITY; /* padding lanes are never drawn */
    }
    e->scratch = vectors_new(widest);
    e->side = vectors_new(widest);
    return e->scratch != NULL && e->side != NULL;
}

static nw_status engine_make(nw__gibbs *e, const nw__chain *chain, double temperature, nw_error *err)
{
    const nw__plan *plan = chain->plan;
    *e = (nw__gibbs){ .columns = plan->columns, .cells = plan->cells, .cool = 1.0f };
    e->pairs = nw__calloc(plan->columns * plan->columns, sizeof *e->pairs);
    e->alone = nw__calloc(plan->columns, sizeof *e->alone);
    e->log_p = nw__calloc(plan->columns, sizeof *e->log_p);
    e->alone_weight = nw__calloc(plan->columns, sizeof *e->alone_weight);
    e->padded = nw__calloc(plan->columns, sizeof *e->padded);
    e->terms = nw__calloc(plan->columns, sizeof *e->terms);
    if (e->pairs == NULL || e->alone == NULL || e->log_p == NULL || e->alone_weight == NULL || e->padded == NULL ||
        e->terms == NULL || !load_laws(e, chain->reference))
        return nw__fail_memory(err, "nw_synth_fit");
    if (chain->schema != NULL && chain->schema->rules != NULL)
        NW__TRY(nw__keeper_new(&e->keeper, chain->schema, chain->codings, plan, err));
    e->triples = nw__calloc(plan->marginal_count, sizeof *e->triples);
    if (e->triples == NULL)
        return nw__fail_memory(err, "nw_synth_fit");
    for (size_t i = 0; i < plan->marginal_count; i++) {
        const nw__marginal *m = &plan->marginals[i];
        switch (nw__marginal_ways(m)) {
        case 1: load_one_way(e, chain, m, temperature); break;
        case 2: NW__TRY(load_pair(e, chain, m, temperature, err)); break;
        default: NW__TRY(load_triple(e, chain, m, temperature, err)); break;
        }
    }
    return place_triples(e, err);
}

float nw__gibbs_weight(const nw__gibbs *e, size_t j, uint16_t code, size_t k, uint16_t other)
{
    if (j < k)
        return e->pairs[j * e->columns + k].weights[(size_t)other * e->padded[j] + code];
    return e->pairs[k * e->columns + j].weights[(size_t)code * e->padded[k] + other];
}

/* The row's codes of a 3-way, with `code` for its column `position`. */
static void triple_codes(
    const nw__triple_block *t, size_t position, uint16_t code, uint16_t *const *columns, size_t row, uint16_t out[3])
{
    for (size_t k = 0; k < 3; k++)
        out[k] = k == position ? code : columns[t->columns[k]][row];
}

/* The same for the 3-ways of column j; is_own: in column j's own layout only. */
static void count_triples(nw__gibbs *e, size_t j, uint16_t code, uint16_t *const *columns, size_t row, float sign, bool is_own)
{
    for (size_t i = e->places_first[j]; i < e->places_first[j + 1]; i++) {
        nw__triple_block *t = &e->triples[e->places[i] / 3];
        const size_t position = e->places[i] % 3;
        uint16_t codes[3];
        triple_codes(t, position, code, columns, row, codes);
        const float change = sign * triple_weight(e, t, codes);
        for (size_t k = 0; k < 3; k++)
            if (!is_own || k == position)
                t->logits[k][block_start(e, t, k, codes) + codes[k]] -= change;
    }
}

/* Adds `sign` times one row to the counts that column j's cell takes part in. */
static void count_cell(nw__gibbs *e, size_t j, uint16_t code, uint16_t *const *columns, size_t row, float sign)
{
    e->alone[j][code] -= sign * e->alone_weight[j];
    for (size_t k = 0; k < e->columns; k++) {
        const nw__pair_block *jk = &e->pairs[j * e->columns + k];
        const nw__pair_block *kj = &e->pairs[k * e->columns + j];
        if (jk->logits == NULL)
            continue;
        const uint16_t other = columns[k][row];
        const float change = sign * nw__gibbs_weight(e, j, code, k, other);
        jk->logits[(size_t)other * e->padded[j] + code] -= change;
        kj->logits[(size_t)code * e->padded[k] + other] -= change;
    }
    if (e->places_first != NULL)
        count_triples(e, j, code, columns, row, sign, false);
}

static void count_all_rows(nw__gibbs *e, uint16_t *const *columns, size_t rows)
{
    for (size_t row = 0; row < rows; row++) {
        for (size_t j = 0; j < e->columns; j++) {
            const uint16_t code = columns[j][row];
            e->alone[j][code] -= e->alone_weight[j];
            for (size_t k = 0; k < e->columns; k++) {
                const nw__pair_block *jk = &e->pairs[j * e->columns + k];
                const uint16_t other = columns[k][row];
                if (jk->logits != NULL)
                    jk->logits[(size_t)other * e->padded[j] + code] -= nw__gibbs_weight(e, j, code, k, other);
            }
            if (e->places_first != NULL)
                count_triples(e, j, code, columns, row, 1.0f, true);
        }
    }
}

/* The blocks of column j's 3-ways for this row; returns what the row takes off its own cell in them. */
static float gather_triples(nw__gibbs *e, size_t j, uint16_t *const *columns, size_t row, size_t *n)
{
    float own = 0.0f;
    for (size_t i = e->places_first[j]; i < e->places_first[j + 1]; i++) {
        const nw__triple_block *t = &e->triples[e->places[i] / 3];
        const size_t position = e->places[i] % 3;
        uint16_t codes[3];
        triple_codes(t, position, columns[j][row], columns, row, codes);
        e->terms[(*n)++] = (const half *)(const void *)(t->logits[position] + block_start(e, t, position, codes));
        own += triple_weight(e, t, codes);
    }
    return own;
}

/* logits of column j for this row, the row itself taken out, into scratch. */
static void gather_logits(nw__gibbs *e, size_t j, uint16_t *const *columns, size_t row)
{
    const uint16_t old = columns[j][row];
    const half *alone = (const half *)(const void *)e->alone[j];
    const half *log_p = (const half *)(const void *)e->log_p[j];
    half *logits = (half *)(void *)e->scratch;
    float own = e->alone_weight[j];
    size_t n = 0;
    for (size_t k = 0; k < e->columns; k++) {
        const float *contributions = e->pairs[j * e->columns + k].logits;
        if (contributions == NULL)
            continue;
        const uint16_t other = columns[k][row];
        e->terms[n++] = (const half *)(const void *)(contributions + (size_t)other * e->padded[j]);
        own += nw__gibbs_weight(e, j, old, k, other);
    }
    if (e->places_first != NULL)
        own += gather_triples(e, j, columns, row, &n);
    for (size_t q = 0; q < e->padded[j] / HALF; q += 2) {
        half low = alone[q];
        half high = alone[q + 1];
        for (size_t i = 0; i < n; i++) {
            low += e->terms[i][q];
            high += e->terms[i][q + 1];
        }
        logits[q] = log_p[q] + e->cool * low;
        logits[q + 1] = log_p[q + 1] + e->cool * high;
    }
    e->scratch[old] += e->cool * own;
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

static float sum_lanes(const vector *total)
{
    float mass = 0.0f;
    for (int lane = 0; lane < LANES; lane++)
        mass += (*total)[lane];
    return mass;
}

uint16_t nw__gibbs_draw(const float *weights, uint32_t n, float mass, float uniform)
{
    float left = uniform * mass;
    uint32_t last = 0; /* last value of positive weight: takes what rounding leaves over */
    for (uint32_t v = 0; v < n; v++) {
        if (weights[v] <= 0.0f)
            continue;
        last = v;
        left -= weights[v];
        if (left < 0.0f)
            break;
    }
    return (uint16_t)last;
}

float nw__gibbs_weigh(nw__gibbs *e, size_t j, float *top_logit)
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
    if (top_logit != NULL)
        *top_logit = highest;
    return sum_lanes(&total);
}

/* Draws from the softmax of e->scratch[0 .. padded); uniform in [0, 1). */
static uint16_t draw_softmax(nw__gibbs *e, size_t j, float uniform)
{
    const float mass = nw__gibbs_weigh(e, j, NULL);
    return nw__gibbs_draw(e->scratch, e->cells[j], mass, uniform);
}

static void resample_cell(nw__gibbs *e, size_t j, uint16_t *const *columns, size_t row, float uniform)
{
    const uint16_t old = columns[j][row];
    gather_logits(e, j, columns, row);
    const uint16_t drawn = draw_softmax(e, j, uniform);
    if (drawn == old)
        return;
    count_cell(e, j, old, columns, row, -1.0f);
    count_cell(e, j, drawn, columns, row, 1.0f);
    columns[j][row] = drawn;
}

static void resample_row(nw__gibbs *e, uint16_t *const *columns, size_t row, nw_rng *rng)
{
    if (e->keeper != NULL)
        nw__keeper_load(e->keeper, columns, row);
    for (size_t j = 0; j < e->columns; j++) {
        if (e->keeper != NULL && e->keeper->is_ruled[j])
            nw__gibbs_resample_ruled(e, j, columns, row, rng);
        else
            resample_cell(e, j, columns, row, (float)(nw__rng_u32(rng) >> 8) * 0x1p-24f);
    }
    for (size_t g = 0; e->keeper != NULL && g < e->keeper->groups; g++)
        nw__gibbs_regrow(e, g, columns, row, rng);
}

/* docs/rooms/synth.md#temperature has the measurements behind the two numbers. */
double nw__gibbs_temperature(double sigma)
{
    return fmin(0.2, 0.05 * 58.0 / sigma);
}

/* The 2-ways' noise: the root of the harmonic mean of its variance; of the 1-way where there is no pair. */
static double sigma_of(const nw__plan *plan)
{
    double precision = 0.0;
    size_t pairs = 0;
    for (size_t i = 0; i < plan->marginal_count; i++) {
        const nw__marginal *m = &plan->marginals[i];
        if (m->b != NW__ONE_WAY || plan->columns == plan->marginal_count) {
            precision += 1.0 / (m->sigma * m->sigma);
            pairs++;
        }
    }
    return sqrt((double)pairs / precision);
}

/* Temperature from the noise alone; a chain of fewer rows moves in larger steps. */
static double temperature_of(const nw__chain *chain)
{
    return chain->heat * nw__gibbs_temperature(sigma_of(chain->plan)) * (double)chain->rows / chain->reference->total;
}

/* The factor on all weights in a sweep: from FIRST_WEIGHT / rows, where a row's weight is so small that all rows together move
 * the table a little, in equal ratios to 1. A table that starts cold is torn: its first rows answer for the residuals of all. A
 * chain that goes on from a cold table stays cold. */
static float cool_of(const nw__chain *chain, double temperature, unsigned sweep)
{
    const double sigma = sigma_of(chain->plan);
    const double first = fmin(1.0, FIRST_WEIGHT / (double)chain->rows * temperature * sigma * sigma);
    return chain->is_started || chain->sweeps == 1 ? 1.0f : (float)pow(first, 1.0 - (double)sweep / (chain->sweeps - 1));
}

static nw_status sweep_all(
    nw__gibbs *e, const nw__chain *chain, double temperature, uint16_t *const *columns, nw_rng *rng, nw_error *err)
{
    for (unsigned sweep = 0; sweep < chain->sweeps; sweep++) {
        e->cool = cool_of(chain, temperature, sweep);
        for (size_t row = 0; row < chain->rows; row++)
            resample_row(e, columns, row, rng);
        if (chain->progress != NULL && !chain->progress(chain->progress_context, "fit", (sweep + 1.0) / chain->sweeps))
            return nw__fail(err, NW_E_CANCELLED, "nw_synth_fit", "stopped by the caller; what was measured stays charged");
    }
    return NW_OK;
}

nw_status nw__gibbs_fit(const nw__chain *chain, nw_rng *rng, nw_error *err)
{
    nw__gibbs e = { 0 };
    uint16_t **columns = nw__calloc(chain->plan->columns, sizeof *columns);
    const double temperature = temperature_of(chain);
    nw_status status = columns == NULL ? nw__fail_memory(err, "nw_synth_fit") : NW_OK;
    for (size_t j = 0; status == NW_OK && j < chain->plan->columns; j++)
        columns[j] = chain->codes + j * chain->rows;
    if (status == NW_OK)
        status = engine_make(&e, chain, temperature, err);
    if (status == NW_OK)
        status = chain->is_started ? nw__rng_begin(rng, err) : nw__chain_start(chain, rng, err);
    if (status == NW_OK && e.keeper != NULL && !chain->is_started)
        status = nw__keeper_mend(e.keeper, columns, chain->rows, chain->reference->log_p, rng, err);
    if (status == NW_OK) {
        count_all_rows(&e, columns, chain->rows);
        status = sweep_all(&e, chain, temperature, columns, rng, err);
    }
    engine_clear(&e);
    free(columns);
    return status;
}
