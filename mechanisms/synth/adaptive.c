/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* adaptive.c - rounds that choose which marginals are measured: AIM [MMSM22, Alg. 2] with the Gibbs engine as its model.
 *
 * A round fits a table to what was measured, scores every candidate, chooses one by the exponential mechanism and measures it:
 *
 *     score(r) = |r| (|| M_r(D) - M_r(D^) ||_1 - sqrt(2/pi) sum_c (sigma + sqrt(v_c)))
 *
 * |r| is AIM's weight if the workload is all marginals of one size: every column is in equally many. If the table changed by no
 * more than noise explains, allotments grow fourfold: sigma is halved, epsilon doubled. The last round has all that is left.
 *
 * Privacy: a record moves || M_r(D) - M_r(D^) ||_1 by at most 1 (2 if it is replaced), everything else in the score is public, so
 * the score by |r| times that. How many rounds there are and what each spends depends on earlier answers, and every choice and
 * measurement is mu_i-Gaussian DP, with sum mu_i^2 kept below the limit: a filter [ST22].
 *
 * Deviations: budgets are parts of mu^2, in which the ledger adds up. D^ is drawn from the model, instead of being its
 * expectation, and D is a sample itself: v_c, the variance of a cell's count from both, is taken off like the noise. Candidates
 * whose expected noise is more than the table itself are left out. A marginal that is measured again is averaged with what there
 * was, by precision. A 3-way is a candidate by its size (plan.c), not by the size of a junction tree, which there is none of. */
#include "adaptive.h"
#include "choose.h"
#include "query_release.h"

#include <math.h>
#include <nw/noise.h>
#include <stdlib.h>
#include <string.h>

static const char *const NAME = "nw_synth_release";
/* Of a round, for the choice; AIM's alpha is 0.9. */
static const double CHOICE_SHARE = 0.1;
/* AIM has 16 rounds a column. */
enum { ROUNDS_PER_COLUMN = 4 };
/* The rounds' table: as many rows as there are records, but no more than this; and passes over it in a round. */
static const double MOST_ROWS = 8192.0;
enum { ROUND_SWEEPS = 2 };
static const int64_t MOST_SCORE = INT64_C(1) << 60;
/* The part of the budget that the 1-ways have: falls with the number of records in standard deviations of the noise of all
 * 2-ways, from the most to what the plan gave them; at least so much where few 2-ways tell of them as well.
 * docs/rooms/synth.md#selection has the measurements. */
static const double ONE_WAY_STRENGTH = 12.0;
static const double MOST_ONE_WAY_SHARE = 0.6;
static const double ADAPTIVE_ONE_WAY_SHARE = 0.5;
/* Roundings of sums and products of budgets: far more than there are. */
#define SPENDING_SLACK 0x1p-40

static double mean_noise(double deviation)
{
    return deviation * sqrt(2.0 / acos(-1.0)); /* E|N(0, s^2)| */
}

/* ---- the budget ---- */

size_t nw__rounds_most(const nw__plan *plan)
{
    return ROUNDS_PER_COLUMN * plan->columns;
}

uint64_t nw__rounds_samples(const nw__plan *plan)
{
    uint64_t widest = 0;
    uint64_t all = 0;
    uint64_t levels = 0;
    for (size_t i = plan->one_ways; i < plan->marginal_count; i++) {
        const uint64_t cells = nw__marginal_cells(&plan->marginals[i]);
        widest = cells > widest ? cells : widest;
        all += cells;
    }
    for (size_t l = 0; l < plan->level_count; l++)
        levels += plan->levels[l].cells;
    return levels + (plan->select == NW_SYNTH_SELECT_ADAPTIVE ? widest * (nw__rounds_most(plan) + 1) : all);
}

nw__allotment nw__allot(const nw__plan *plan, double mu_squared)
{
    nw__allotment a = { .mu_squared = mu_squared };
    const double mu_choice = sqrt(CHOICE_SHARE * mu_squared);
    const double mu_measure = sqrt((1.0 - CHOICE_SHARE) * mu_squared);
    a.sigma = fmax(NW_NOISE_SMALLEST_SCALE, plan->sensitivity.value / mu_measure * (1.0 + SPENDING_SLACK));
    a.epsilon = nw_gdp_range(mu_choice) * (1.0 - SPENDING_SLACK);
    return a;
}

double nw__filter_next(const nw__filter *filter, double wanted)
{
    const double left = fmax(0.0, filter->limit * (1.0 - SPENDING_SLACK) - filter->spent);
    return left < 2.0 * wanted ? left : wanted;
}

void nw__filter_spend(nw__filter *filter, double mu_squared)
{
    filter->spent = nextafter(filter->spent + mu_squared, INFINITY);
}

double nw__one_way_part(const nw__plan *plan, double rows)
{
    const double signal = rows / plan->marginals[plan->one_ways].sigma; /* records a standard deviation, if all are measured */
    const double least = plan->select == NW_SYNTH_SELECT_ADAPTIVE ? ADAPTIVE_ONE_WAY_SHARE : 0.0;
    const double wanted = fmin(MOST_ONE_WAY_SHARE, fmax(least, ONE_WAY_STRENGTH / signal));
    return plan->is_share_fixed ? 0.0 : fmax(0.0, (wanted - plan->one_way_share) / (1.0 - plan->one_way_share));
}

/* ---- scores ---- */

uint64_t nw__score_sensitivity(const nw__plan *plan, const nw__marginal *candidates, size_t n)
{
    const bool is_replaced = plan->sensitivity.adjacency == NW_REPLACE_ONE;
    /* the l2 sensitivity of counts is the number of rows, times sqrt(2), rounded up, if they are replaced */
    const uint64_t rows = (uint64_t)floor(plan->sensitivity.value / (is_replaced ? sqrt(2.0) : 1.0));
    size_t widest = 2;
    for (size_t i = 0; i < n; i++)
        widest = nw__marginal_ways(&candidates[i]) > widest ? nw__marginal_ways(&candidates[i]) : widest;
    return (is_replaced ? 2 : 1) * rows * widest;
}

/* The part of a distance that needs no difference between the tables: noise, and that both are samples. */
static double expected_distance(size_t cells, const int64_t *fitted, double scale, double sigma)
{
    double deviations = (double)cells * sigma;
    for (size_t c = 0; c < cells; c++)
        deviations += sqrt((double)fitted[c] * scale * (1.0 + scale));
    return mean_noise(deviations);
}

int64_t nw__round_score(const nw__marginal *m, const int64_t *fitted, double scale, double sigma)
{
    const size_t cells = nw__marginal_cells(m);
    __int128 distance = 0;
    for (size_t c = 0; c < cells; c++) {
        const int64_t gap = m->counts[c] - llround(scale * (double)fitted[c]);
        distance += gap < 0 ? -gap : gap;
    }
    const double expected = expected_distance(cells, fitted, scale, sigma);
    const __int128 score = (__int128)nw__marginal_ways(m) * (distance - llround(fmin(expected, (double)MOST_SCORE)));
    return score > MOST_SCORE ? MOST_SCORE : score < -MOST_SCORE ? -MOST_SCORE : (int64_t)score;
}

bool nw__is_annealed(const nw__marginal *m, const int64_t *before, const int64_t *after, double scale, double sigma)
{
    double change = 0.0;
    for (size_t c = 0; c < nw__marginal_cells(m); c++)
        change += scale * fabs((double)(after[c] - before[c]));
    return change <= mean_noise((double)nw__marginal_cells(m) * sigma);
}

/* ---- a release's rounds ---- */

typedef struct rounds {
    nw_synth_measurements *measured;
    nw__marginal *candidates; /* counts: exact, secret */
    size_t count;
    int64_t **fitted;
    size_t *place; /* in the plan's marginals; 0: not measured yet */
    int64_t *scores;
    size_t *admissible;
    double total; /* records, public */
    size_t rows;
    uint16_t *codes;
    int64_t *before;
    bool is_started;
    unsigned threads;
    uint64_t sensitivity; /* of a score */
    nw__filter filter;
} rounds;

static void rounds_clear(rounds *r)
{
    for (size_t i = 0; r->candidates != NULL && i < r->count; i++)
        if (r->candidates[i].counts != NULL)
            nw__free_wiped(r->candidates[i].counts, nw__marginal_cells(&r->candidates[i]) * sizeof(int64_t));
    for (size_t i = 0; r->fitted != NULL && i < r->count; i++)
        free(r->fitted[i]);
    if (r->scores != NULL)
        nw__free_wiped(r->scores, r->count * sizeof *r->scores);
    free(r->candidates);
    free(r->fitted);
    free(r->place);
    free(r->admissible);
    free(r->codes);
    free(r->before);
}

/* The plan's 2-ways and 3-ways become candidates; in the plan only the 1-ways stay, and room for what is measured. */
static nw_status rounds_make(rounds *r, const nw__counter *counter, nw_error *err)
{
    nw__plan *plan = &r->measured->plan;
    size_t widest = 1;
    r->count = plan->marginal_count - plan->one_ways;
    plan->marginal_count = plan->one_ways;
    r->total = nw__rows_of_levels(plan, r->measured->known_rows);
    r->rows = (size_t)fmax(1.0, fmin(round(r->total), MOST_ROWS));
    r->candidates = nw__calloc(r->count, sizeof *r->candidates);
    r->fitted = nw__calloc(r->count, sizeof *r->fitted);
    r->place = nw__calloc(r->count, sizeof *r->place);
    r->scores = nw__calloc(r->count, sizeof *r->scores);
    r->admissible = nw__calloc(r->count, sizeof *r->admissible);
    r->codes = nw__calloc(r->rows, plan->columns * sizeof *r->codes);
    bool is_whole = r->candidates != NULL && r->fitted != NULL && r->place != NULL && r->scores != NULL &&
                    r->admissible != NULL && r->codes != NULL;
    for (size_t i = 0; is_whole && i < r->count; i++) {
        nw__marginal *m = &r->candidates[i];
        *m = plan->marginals[plan->one_ways + i];
        m->cells_a = plan->cells[m->a];
        m->cells_b = plan->cells[m->b];
        m->cells_c = m->cells_c > 0 ? plan->cells[m->c] : 0;
        m->counts = nw__calloc(nw__marginal_cells(m), sizeof *m->counts);
        r->fitted[i] = nw__calloc(nw__marginal_cells(m), sizeof *r->fitted[i]);
        widest = nw__marginal_cells(m) > widest ? nw__marginal_cells(m) : widest;
        is_whole = m->counts != NULL && r->fitted[i] != NULL;
    }
    r->before = nw__calloc(widest, sizeof *r->before);
    if (!is_whole || r->before == NULL)
        return nw__fail_memory(err, NAME);
    const int team = nw__threads((int)r->threads);
#pragma omp parallel for schedule(dynamic, 1) num_threads(team)
    for (size_t i = 0; i < r->count; i++)
        counter->count(counter->source, &r->candidates[i], r->measured->codings, r->candidates[i].counts);
    r->sensitivity = nw__score_sensitivity(plan, r->candidates, r->count);
    return NW_OK;
}

static void answer(const rounds *r, size_t i)
{
    const nw__marginal *m = &r->candidates[i];
    const uint16_t *a = r->codes + m->a * r->rows;
    const uint16_t *b = r->codes + m->b * r->rows;
    const uint16_t *third = m->cells_c == 0 ? NULL : r->codes + m->c * r->rows;
    memset(r->fitted[i], 0, nw__marginal_cells(m) * sizeof *r->fitted[i]);
    for (size_t row = 0; row < r->rows; row++) {
        const size_t c = (size_t)a[row] * m->cells_b + b[row];
        r->fitted[i][third == NULL ? c : c * m->cells_c + third[row]]++;
    }
}

/* The model: one chain, which goes on from the last round's table. Post-processing. */
static nw_status fit_round(rounds *r, nw_rng *rng, nw_error *err)
{
    const nw__plan *plan = &r->measured->plan;
    nw__reference reference = { 0 };
    NW__TRY(nw__reference_make(&reference, plan, r->measured->known_rows, err));
    const nw__chain chain = { plan, &reference, r->rows, ROUND_SWEEPS, 1.0, r->codes, NULL, NULL, r->is_started,
        r->measured->schema, r->measured->codings };
    const nw_status status = nw__gibbs_fit(&chain, rng, err);
    nw__reference_clear(&reference);
    r->is_started = true;
    const int team = nw__threads((int)r->threads);
#pragma omp parallel for schedule(dynamic, 1) num_threads(team)
    for (size_t i = 0; i < r->count; i++)
        answer(r, i);
    return status;
}

/* Candidates whose noise is not more than the table; the smallest, if that leaves none. From public numbers. */
static size_t admit(rounds *r, double sigma)
{
    size_t n = 0;
    size_t smallest = 0;
    for (size_t i = 0; i < r->count; i++) {
        const double noise = mean_noise((double)nw__marginal_cells(&r->candidates[i]) * sigma);
        if (noise <= r->total)
            r->admissible[n++] = i;
        if (nw__marginal_cells(&r->candidates[i]) < nw__marginal_cells(&r->candidates[smallest]))
            smallest = i;
    }
    if (n == 0)
        r->admissible[n++] = smallest;
    return n;
}

static nw_status choose(rounds *r, const nw__allotment *round, nw_rng *rng, size_t *chosen, nw_error *err)
{
    const size_t n = admit(r, round->sigma);
    const double scale = r->total / (double)r->rows;
    const uint64_t rate = nw__choice_rate(round->epsilon, r->sensitivity);
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t c = r->admissible[i];
        r->scores[i] = nw__round_score(&r->candidates[c], r->fitted[c], scale, round->sigma);
    }
    NW__TRY(nw__choose_exponential(rng, r->scores, n, rate, &at, err));
    *chosen = r->admissible[at];
    return NW_OK;
}

/* By precision, in whole records. */
static void average(nw__marginal *m, const int64_t *counts, double sigma)
{
    const double old = 1.0 / (m->sigma * m->sigma);
    const double new = 1.0 / (sigma * sigma);
    for (size_t c = 0; c < nw__marginal_cells(m); c++)
        m->counts[c] = llround((old * (double)m->counts[c] + new *(double)counts[c]) / (old + new));
    m->sigma = 1.0 / sqrt(old + new);
}

static nw_status measure(rounds *r, size_t i, double sigma, nw_rng *rng, nw_error *err)
{
    nw__plan *plan = &r->measured->plan;
    const nw__marginal *exact = &r->candidates[i];
    const size_t cells = nw__marginal_cells(exact);
    nw_noise *noise = NULL;
    int64_t *counts = nw__calloc(cells, sizeof *counts);
    nw_status status = counts == NULL ? nw__fail_memory(err, NAME) : nw_noise_new(&noise, NW_NOISE_ROUNDED_GAUSSIAN, sigma, err);
    if (status == NW_OK)
        status = nw_noise_add_i64(noise, rng, exact->counts, counts, cells, err);
    nw_noise_free(noise);
    if (status != NW_OK) {
        if (counts != NULL)
            nw__free_wiped(counts, cells * sizeof *counts);
        return status;
    }
    if (r->place[i] != 0) {
        average(&plan->marginals[r->place[i]], counts, sigma);
        free(counts);
    } else {
        r->place[i] = plan->marginal_count++;
        plan->marginals[r->place[i]] = *exact;
        plan->marginals[r->place[i]].counts = counts;
        plan->marginals[r->place[i]].sigma = sigma;
    }
    return nw__mask_impossible(plan, r->measured->codings, r->measured->schema, err);
}

static nw_status run_round(rounds *r, double *wanted, nw_rng *rng, nw_error *err)
{
    size_t i = 0;
    const nw__allotment round = nw__allot(&r->measured->plan, nw__filter_next(&r->filter, *wanted));
    nw__filter_spend(&r->filter, round.mu_squared);
    NW__TRY(choose(r, &round, rng, &i, err));
    NW__TRY(measure(r, i, round.sigma, rng, err));
    memcpy(r->before, r->fitted[i], nw__marginal_cells(&r->candidates[i]) * sizeof *r->before);
    NW__TRY(fit_round(r, rng, err));
    if (nw__is_annealed(&r->candidates[i], r->before, r->fitted[i], r->total / (double)r->rows, round.sigma))
        *wanted *= 4.0;
    return NW_OK;
}

nw_status nw__rounds_measure(
    nw_synth_measurements *measured, const nw__counter *counter, nw_rng *rng, unsigned threads, nw_error *err)
{
    nw__plan *plan = &measured->plan;
    rounds r = { .measured = measured, .threads = threads, .filter = { plan->round_mu_squared, 0.0 } };
    double wanted = plan->round_mu_squared / (double)nw__rounds_most(plan);
    nw_status status = rounds_make(&r, counter, err);
    if (status == NW_OK)
        status = fit_round(&r, rng, err);
    while (status == NW_OK && nw__filter_next(&r.filter, wanted) > 0.0 && r.count > 0)
        status = run_round(&r, &wanted, rng, err);
    rounds_clear(&r);
    return status;
}
