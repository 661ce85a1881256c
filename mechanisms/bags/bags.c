/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bags.c - the spine: options, bags, event, durable charge, clipped labels, exact sums, noise, means.
 * Follows Javanmard, Chen, Mirrokni, Badanidiyuru, Fu 2024 [JCMM24]; Javanmard, Fahrbach, Mirrokni 2024 for curated bags [JFM24].
 * Deviations: integer noise on a grid in place of the real Laplace; the clip is the caller's and not taken from the labels.
 * Proof note: docs/rooms/bags.md#proof. */
#include "accountant_internal.h"
#include "bags_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is public ---- */

/* A label is at most `most` steps from the center, so another one in its place moves its bag's sum by at most twice that. */
static nw_status calibrate(nw_bags *bags, const char *function, nw_error *err)
{
    nw__noise_budget budget;
    const nw_bags_opts *o = &bags->opts;
    NW__TRY(nw__noise_budget_of(&budget, o->epsilon, o->delta, 1.0, function, err));
    NW__TRY(nw_grid_choose(&bags->grid, 2.0 * o->clip / budget.amount, 2.0 * o->clip, 1, err));
    const double most = floor(ldexp(o->clip, -bags->grid.exponent));
    NW__TRY(nw__noise_calibrate(&bags->noise, &budget, 2.0 * most, 1.0, function, err));
    bags->deviation = ldexp(bags->noise.deviation, bags->grid.exponent);
    return nw_event_noise(
        &bags->event, budget.event, bags->noise.scale, (nw_sensitivity){ 2.0 * most, NW_REPLACE_LABEL }, bags->count, err);
}

nw_status nw_bags_new(nw_bags **out, const nw_bags_opts *opts, nw_error *err)
{
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    NW__TRY(nw__init(err));
    nw_bags *bags = nw__calloc(1, sizeof *bags);
    if (bags == NULL)
        return nw__fail_memory(err, __func__);
    nw_status status = nw__bags_options_read(&bags->opts, opts, __func__, err);
    if (status == NW_OK)
        status = nw__bags_partition(bags, __func__, err);
    if (status == NW_OK)
        status = calibrate(bags, __func__, err);
    if (status != NW_OK) {
        nw_bags_free(bags);
        return status;
    }
    *out = bags;
    return NW_OK;
}

void nw_bags_free(nw_bags *bags)
{
    if (bags == NULL)
        return;
    nw_noise_free(bags->noise.noise);
    nw_event_free(bags->event);
    free(bags->starts);
    free(bags->members);
    free(bags->means);
    free(bags);
}

const nw_event *nw_bags_event(const nw_bags *bags)
{
    return bags->event;
}

size_t nw_bags_count(const nw_bags *bags)
{
    return bags->count;
}

double nw_bags_noise(const nw_bags *bags)
{
    return bags->deviation;
}

const double *nw_bags_means(const nw_bags *bags)
{
    return bags->is_released ? bags->means : NULL;
}

size_t nw_bags_size(const nw_bags *bags, size_t bag)
{
    return bag < bags->count ? bags->starts[bag + 1] - bags->starts[bag] : 0;
}

nw_status nw_bags_get_ids(const nw_bags *bags, size_t *ids, nw_error *err)
{
    if (bags == NULL || ids == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", bags == NULL ? "bags" : "ids");
    if (bags->opts.grouping == NW_BAGS_CURATED && bags->means == NULL)
        return nw__fail(err, NW_E_STATE, __func__, "curated bags are formed by the release: release first");
    for (size_t i = 0; i < bags->opts.rows; i++)
        ids[i] = SIZE_MAX;
    for (size_t a = 0; a < bags->count; a++)
        for (size_t k = bags->starts[a]; k < bags->starts[a + 1]; k++)
            ids[bags->members[k]] = a;
    return NW_OK;
}

/* ---- the release ---- */

/* Exact sums of bags from .. to, in grid steps. */
static nw_status add_up(const nw_bags *bags, const double *labels, size_t from, size_t to, int64_t *sums, nw_error *err)
{
    const nw_bags_opts *o = &bags->opts;
    for (size_t a = from; a < to; a++) {
        sums[a - from] = 0;
        for (size_t k = bags->starts[a]; k < bags->starts[a + 1]; k++) {
            const double y = labels[bags->members[k]] - o->center;
            int64_t q = 0;
            NW__TRY(nw_grid_truncate(bags->grid, &y, 1, -o->clip, o->clip, &q, err));
            sums[a - from] += q;
        }
    }
    return NW_OK;
}

/* Means of bags from .. to. Exact sums never outlive this function. */
static nw_status release_part(nw_bags *bags, nw_rng *rng, const double *labels, size_t from, size_t to, nw_error *err)
{
    const size_t n = to - from;
    int64_t *sums = nw__calloc(n, sizeof *sums);
    nw_status status = sums == NULL ? nw__fail_memory(err, __func__) : add_up(bags, labels, from, to, sums, err);
    if (status == NW_OK)
        status = nw_noise_add_i64(bags->noise.noise, rng, sums, sums, n, err);
    if (status == NW_OK)
        status = nw_grid_to_double(bags->grid, sums, n, bags->means + from, err);
    for (size_t a = from; status == NW_OK && a < to; a++)
        bags->means[a] = bags->opts.center + bags->means[a] / (double)nw_bags_size(bags, a);
    nw__free_wiped(sums, n * sizeof *sums);
    return status;
}

/* Sorts the rows of the second step by what a model of the first step's means predicts for them: post-processing. */
static nw_status curate(nw_bags *bags, nw_error *err)
{
    const nw_bags_opts *o = &bags->opts;
    const size_t p = o->feature_count, first = bags->starts[bags->curated_from];
    const nw_bags_fit_opts fit = NW_BAGS_FIT_OPTS_INIT;
    const nw__bags_sample sample = { bags->curated_from, bags->starts, bags->members, bags->means, bags->deviation, o->clip };
    nw_bags_fitted fitted;
    double *coefficients = nw__calloc(p, sizeof *coefficients);
    double *scores = nw__calloc(o->rows, sizeof *scores);
    nw_status status = coefficients == NULL || scores == NULL
                           ? nw__fail_memory(err, __func__)
                           : nw__bags_fit(&sample, o->borrowed_features, p, &fit, coefficients, &fitted, __func__, err);
    for (size_t i = 0; status == NW_OK && i < o->rows; i++)
        for (size_t j = 0; j < p; j++)
            scores[i] += coefficients[j] * o->borrowed_features[i * p + j];
    if (status == NW_OK)
        status = nw__bags_sort(bags->members + first, o->rows - first, scores, __func__, err);
    free(coefficients);
    free(scores);
    return status;
}

static nw_status release_all(nw_bags *bags, nw_rng *rng, const double *labels, nw_error *err)
{
    NW__TRY(release_part(bags, rng, labels, 0, bags->curated_from, err));
    if (bags->curated_from == bags->count)
        return NW_OK;
    NW__TRY(curate(bags, err));
    return release_part(bags, rng, labels, bags->curated_from, bags->count, err);
}

static nw_status check_ledger(nw_ledger *ledger, const char *function, nw_error *err)
{
    nw_ledger_summary summary;
    if (ledger == NULL)
        return nw__fail(
            err, NW_E_ARG, function, "ledger is NULL, must be a ledger (nw_ledger_unlimited for one that refuses nothing)");
    NW__TRY(nw_ledger_summarise(ledger, &summary, err));
    if (summary.adjacency != NW_REPLACE_LABEL)
        return nw__fail(err, NW_E_ARG, function,
            "the ledger's neighbours are %s, must be replace_label: bags protect labels and nothing else",
            nw_adjacency_name(summary.adjacency));
    if (strcmp(summary.unit, NW_BAGS_UNIT) != 0)
        return nw__fail(err, NW_E_ARG, function, "the ledger's unit is \"%s\", must be \"%s\"", summary.unit, NW_BAGS_UNIT);
    return NW_OK;
}

static nw_status check_features(const nw_bags_opts *o, const double *x, size_t p, const char *function, nw_error *err)
{
    for (size_t i = 0; i < o->rows * p; i++)
        if (!isfinite(x[i]))
            return nw__fail(err, NW_E_ARG, function, "features have a value that is not finite, must have none");
    return NW_OK;
}

nw_status nw_bags_release(
    nw_bags *bags, nw_rng *rng, nw_ledger *ledger, const double *labels, const char *label, nw_receipt *receipt, nw_error *err)
{
    if (receipt != NULL)
        *receipt = (nw_receipt){ 0 };
    if (bags == NULL || rng == NULL || labels == NULL || label == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL",
            bags == NULL ? "bags" : (rng == NULL ? "rng" : (labels == NULL ? "labels" : "label")));
    if (bags->means != NULL)
        return nw__fail(err, NW_E_STATE, __func__, "these bags were released: make new ones for another release");
    NW__TRY(check_ledger(ledger, __func__, err));
    if (bags->opts.grouping == NW_BAGS_CURATED)
        NW__TRY(check_features(&bags->opts, bags->opts.borrowed_features, bags->opts.feature_count, __func__, err));
    bags->means = nw__calloc(bags->count, sizeof *bags->means);
    if (bags->means == NULL)
        return nw__fail_memory(err, __func__);
    const nw_status charged = nw_ledger_charge(ledger, bags->event, label, rng, &bags->receipt, err);
    if (charged != NW_OK) {
        free(bags->means);
        bags->means = NULL;
        return charged;
    }
    if (receipt != NULL)
        *receipt = bags->receipt;
    NW__TRY(release_all(bags, rng, labels, err));
    bags->is_released = true;
    return NW_OK;
}

nw_status nw_bags_fit(const nw_bags *bags, const double *features, size_t p, const nw_bags_fit_opts *opts, double *coefficients,
    nw_bags_fitted *fitted, nw_error *err)
{
    nw_bags_fit_opts o = NW_BAGS_FIT_OPTS_INIT;
    nw_bags_fitted own = { 0 };
    if (bags == NULL || features == NULL || coefficients == NULL)
        return nw__fail(
            err, NW_E_ARG, __func__, "%s is NULL", bags == NULL ? "bags" : (features == NULL ? "features" : "coefficients"));
    if (opts != NULL)
        memcpy(&o, opts, opts->struct_size < sizeof o ? opts->struct_size : sizeof o);
    if (!(p >= 1 && p <= NW__BAGS_MOST_FEATURES))
        return nw__fail(err, NW_E_ARG, __func__, "p is %zu, must be in 1 .. %d", p, NW__BAGS_MOST_FEATURES);
    if (!bags->is_released)
        return nw__fail(err, NW_E_STATE, __func__, "there are no released means: release first");
    NW__TRY(check_features(&bags->opts, features, p, __func__, err));
    double *means = nw__calloc(bags->count, sizeof *means);
    if (means == NULL)
        return nw__fail_memory(err, __func__);
    for (size_t a = 0; a < bags->count; a++)
        means[a] = bags->means[a] - bags->opts.center;
    const nw__bags_sample sample = { bags->count, bags->starts, bags->members, means, bags->deviation, bags->opts.clip };
    const nw_status status = nw__bags_fit(&sample, features, p, &o, coefficients, &own, __func__, err);
    free(means);
    if (status == NW_OK && o.loss == NW_BAGS_SQUARED)
        own.intercept += bags->opts.center;
    if (fitted != NULL)
        *fitted = own;
    return status;
}
