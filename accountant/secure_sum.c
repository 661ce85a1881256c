/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* secure_sum.c - noise in shares under pairwise masks: the law, its event, and a release over a reducer. Follows [KLS21]
 * (discrete Gaussian shares, modulo a power of two) over [BIKMMPRSS17]; proof and numbers in docs/rooms/secure_sum.md.
 * Deviation: a sum of shares is not accounted as a discrete Gaussian by its zCDP, but as what it is up to the same kind of
 * distance, the Gaussian mechanism with its output rounded at random. */
#include <nw/secure_sum.h>

#include "accountant_internal.h"
#include "masks_internal.h"
#include "noise_budget.h"
#include "secure_sum.h"

#include <math.h>
#include <nw/noise.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define MOST_VALUES (UINT64_C(1) << 40)
#define LARGEST_SIGMA 0x1p53 /* half of what nw/noise.h draws: one share may have all of it, and the smoothing */
/* Relative errors of the formulas below: a few hundred roundings, and exp of an argument up to 10^3 whose own error counts. */
static const double SLACK = 1.0 + 0x1p-36;
/* Below this exp underflows: what is left is still positive. */
static const double SMALLEST = 0x1p-1000;

struct nw_secure_sum {
    nw_secure_sum_opts opts;
    nw_secure_sum_plan plan;
    nw_noise *share;
    nw_event *event;
    uint8_t context[NW__MASKS_CONTEXT_BYTES];
};

/* eta(v) = 2 sum_{k >= 1} exp(-2 pi^2 v k^2): by Poisson's formula sum_z exp(-(z - u)^2 / 2v) is within 1 +- eta(v) of
 * sqrt(2 pi v), whatever u is. The terms fall at least as fast as those of a geometric series of ratio q^3. */
static double eta(double v)
{
    const double pi = acos(-1.0);
    const double q = fmax(SMALLEST, exp(-2.0 * pi * pi * v));
    return 2.0 * q / (1.0 - q * q * q);
}

double nw__shares_log_ratio(double variance, size_t shares)
{
    double sum = 0.0;
    for (size_t j = 1; j < shares; j++)
        sum += 2.0 * atanh(fmin(1.0, eta(variance * (double)j / (double)(j + 1))));
    return sum * SLACK;
}

/* P / Q >= prod (1 - eta_j) / (1 + eta_j), Q / R >= (1 - eta(smoothing)) / (1 + eta(shares variance)), and 1 minus a product is
 * at most the sum of what its factors lack. */
double nw__shares_distance(double variance, size_t shares, double smoothing)
{
    double sum = eta(smoothing) + eta((double)shares * variance);
    for (size_t j = 1; j < shares; j++)
        sum += 2.0 * eta(variance * (double)j / (double)(j + 1));
    return fmin(1.0, sum * SLACK);
}

/* ---- options, law, event ---- */

void nw_secure_sum_opts_init(nw_secure_sum_opts *opts, size_t struct_size)
{
    const nw_secure_sum_opts defaults = NW_SECURE_SUM_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

static nw_status check_variance(const nw_secure_sum *sum, const char *function, nw_error *err)
{
    const size_t shares = sum->opts.parties - sum->opts.tolerated;
    if (sum->plan.share_variance >= NW_SECURE_SUM_LEAST_VARIANCE)
        return NW_OK;
    /* 4^k sigma^2 >= 4 shares */
    const int k = (int)ceil(0.5 * log2(NW_SECURE_SUM_LEAST_VARIANCE * (double)shares / (sum->opts.sigma * sum->opts.sigma)));
    return nw__fail(err, NW_E_ARG, function,
        "sigma is %g, shared by %zu parties a variance of %g each, must be at least %g squared steps: take a grid 2^%d times as "
        "fine, that is multiply values, sigma and l2 by it",
        sum->opts.sigma, shares, sum->plan.share_variance, NW_SECURE_SUM_LEAST_VARIANCE, k);
}

static nw_status check_options(const nw_secure_sum_opts *o, const char *function, nw_error *err)
{
    if (o->parties < 1 || o->parties > NW_MASKS_MOST_PARTIES)
        return nw__fail(err, NW_E_ARG, function, "parties is %zu, must be in 1..%d", o->parties, NW_MASKS_MOST_PARTIES);
    if (o->tolerated == SIZE_MAX)
        return nw__fail(err, NW_E_ARG, function, "tolerated is not set, must be in 0..%zu", o->parties - 1);
    if (o->tolerated >= o->parties)
        return nw__fail(err, NW_E_ARG, function, "tolerated is %zu, must be in 0..%zu", o->tolerated, o->parties - 1);
    if (o->values < 1 || o->values > MOST_VALUES)
        return nw__fail(err, NW_E_ARG, function, "values is %zu, must be in 1..2^40", o->values);
    if (!(o->sigma > 0.0 && o->sigma <= LARGEST_SIGMA))
        return nw__fail(err, NW_E_ARG, function, "sigma is %g, must be in (0, 2^53]", o->sigma);
    if (!(o->l2.value > 0.0) || isinf(o->l2.value))
        return nw__fail(err, NW_E_ARG, function, "l2.value is %g, must be positive and finite", o->l2.value);
    return nw__check_adjacency(o->l2.adjacency, function, err);
}

static nw_status make_law(nw_secure_sum *sum, const char *function, nw_error *err)
{
    const nw_secure_sum_opts *o = &sum->opts;
    const double shares = (double)(o->parties - o->tolerated);
    /* rounded up, so that the needed shares make up sigma^2 and the smoothing */
    const double variance = (o->sigma * o->sigma + NW_SECURE_SUM_SMOOTHING) / shares * (1.0 + 0x1p-49);
    const double deviation = nw__up(sqrt(variance));
    sum->plan.share_variance = variance;
    NW__TRY(check_variance(sum, function, err));
    sum->plan.deviation = deviation * sqrt((double)o->parties);
    sum->plan.distance = nw__shares_distance(variance, o->parties - o->tolerated, NW_SECURE_SUM_SMOOTHING);
    return nw_noise_new(&sum->share, NW_NOISE_DISCRETE_GAUSSIAN, deviation, err);
}

/* The distance is the mass that is not the Gaussian's: the mechanism is the Gaussian one with probability 1 - d, else anything,
 * and the coin does not depend on the records; which is to say that it is post-processing of the Gaussian composed with
 * approx(0, d). Where d is within what a drawn value is charged, it is charged as one. */
static nw_status make_event(nw_secure_sum *sum, nw_error *err)
{
    const nw_secure_sum_opts *o = &sum->opts;
    const bool is_small = sum->plan.distance <= NW__SAMPLE_TV;
    const uint64_t samples = (uint64_t)o->values * (o->parties + (is_small ? 1 : 0));
    if (is_small)
        return nw_event_noise(&sum->event, NW_EVENT_ROUNDED_GAUSSIAN, o->sigma, o->l2, samples, err);
    nw_event *leaves[2] = { NULL, NULL };
    const double delta = nw__up((double)o->values * sum->plan.distance);
    nw_status status = nw_event_noise(&leaves[0], NW_EVENT_ROUNDED_GAUSSIAN, o->sigma, o->l2, samples, err);
    if (status == NW_OK)
        status = nw_event_approx(&leaves[1], 0.0, delta, o->l2.adjacency, err);
    if (status == NW_OK)
        status = nw_event_composed(&sum->event, (const nw_event *const *)leaves, 2, err);
    nw_event_free(leaves[0]);
    nw_event_free(leaves[1]);
    return status;
}

/* What the parties have to agree about, as the name of a round's masks. */
static nw_status make_context(nw_secure_sum *sum, nw_error *err)
{
    char *text = NULL;
    NW__TRY(nw_event_to_json(sum->event, &text, err));
    const uint64_t numbers[] = { sum->opts.parties, sum->opts.tolerated, sum->opts.values };
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, sizeof sum->context);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        for (unsigned k = 0; k < 8; k++)
            crypto_generichash_update(&h, &(uint8_t){ (uint8_t)(numbers[i] >> (8 * k)) }, 1);
    crypto_generichash_update(&h, (const uint8_t *)text, strlen(text));
    crypto_generichash_final(&h, sum->context, sizeof sum->context);
    nw_string_free(text);
    return NW_OK;
}

nw_status nw_secure_sum_new(nw_secure_sum **out, const nw_secure_sum_opts *opts, nw_error *err)
{
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    if (opts == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "opts is NULL");
    nw_secure_sum *sum = nw__calloc(1, sizeof *sum);
    if (sum == NULL)
        return nw__fail_memory(err, __func__);
    nw_secure_sum_opts_init(&sum->opts, sizeof sum->opts);
    memcpy(&sum->opts, opts, opts->struct_size < sizeof sum->opts ? opts->struct_size : sizeof sum->opts);
    nw_status status = nw__init(err);
    if (status == NW_OK)
        status = check_options(&sum->opts, __func__, err);
    if (status == NW_OK)
        status = make_law(sum, __func__, err);
    if (status == NW_OK)
        status = make_event(sum, err);
    if (status == NW_OK)
        status = make_context(sum, err);
    if (status != NW_OK) {
        nw_secure_sum_free(sum);
        return status;
    }
    *out = sum;
    return NW_OK;
}

void nw_secure_sum_free(nw_secure_sum *sum)
{
    if (sum == NULL)
        return;
    nw_noise_free(sum->share);
    nw_event_free(sum->event);
    free(sum);
}

const nw_event *nw_secure_sum_event(const nw_secure_sum *sum)
{
    return sum->event;
}

nw_secure_sum_plan nw_secure_sum_get_plan(const nw_secure_sum *sum)
{
    return sum->plan;
}

/* ---- a round ---- */

/* A ledger in a file refuses a seeded rng; so masks from a seed go with noise from a seed only. */
static nw_status check_masks(
    const nw_secure_sum *sum, const nw_masks *masks, const nw_rng *rng, const char *function, nw_error *err)
{
    if (nw__masks_parties(masks) != sum->opts.parties)
        return nw__fail(
            err, NW_E_ARG, function, "masks are of %zu parties, must be of %zu", nw__masks_parties(masks), sum->opts.parties);
    if (nw__masks_is_insecure(masks) && !nw_rng_is_insecure(rng))
        return nw__fail(err, NW_E_STATE, function, "masks were made with an insecure rng: they hide nothing");
    return NW_OK;
}

nw_status nw_secure_sum_seal(const nw_secure_sum *sum, nw_masks *masks, uint64_t round, nw_rng *rng, const int64_t *values,
    uint64_t *message, nw_error *err)
{
    if (sum == NULL || masks == NULL || rng == NULL || values == NULL || message == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "sum, masks, rng, values or message is NULL");
    const size_t n = sum->opts.values;
    memset(message, 0, (n + NW_MASKS_CHECK_WORDS) * sizeof *message);
    NW__TRY(check_masks(sum, masks, rng, __func__, err));
    NW__TRY(nw__masks_use_round(masks, round, __func__, err));
    /* Not nw_noise_add_i64: at the ends of int64 it saturates, and a sum of saturated shares has another law. */
    NW__TRY(nw_noise_fill(sum->share, rng, (int64_t *)message, n, err)); /* the noise first, and zero if that fails */
    for (size_t i = 0; i < n; i++)
        message[i] += (uint64_t)values[i];
    nw__masks_add(masks, round, sum->context, message, n);
    return NW_OK;
}

nw_status nw_secure_sum_open(const nw_secure_sum *sum, const uint64_t *total, int64_t *values, nw_error *err)
{
    if (sum == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "sum is NULL");
    return nw_masks_open(sum->opts.parties, total, sum->opts.values, (uint64_t *)values, err);
}

/* ---- over a reducer ---- */

static nw_status add(const nw_secure_sum *sum, nw_masks *masks, nw_rng *rng, const nw_reduce *reduce, int64_t *values,
    nw_status status, const char *function, nw_error *err)
{
    const size_t words = sum->opts.values + NW_MASKS_CHECK_WORDS;
    const uint64_t round = nw_masks_last_round(masks) + 1;
    uint64_t *message = NULL;
    if (status == NW_OK && (message = nw__calloc(words, sizeof *message)) == NULL)
        status = nw__fail_memory(err, function);
    if (status == NW_OK)
        status = nw_secure_sum_seal(sum, masks, round, rng, values, message, err);
    nw__masks_pass(masks, round);
    sodium_memzero(values, sum->opts.values * sizeof *values);
    status = nw_reduce_agree(reduce, status, err);
    if (status == NW_OK)
        status = reduce->sum_u64(reduce->context, message, words, err);
    if (status == NW_OK)
        status = nw_secure_sum_open(sum, message, values, err);
    nw__free_wiped(message, words * sizeof *message);
    return status;
}

nw_status nw_secure_sum_add(
    const nw_secure_sum *sum, nw_masks *masks, nw_rng *rng, const nw_reduce *reduce, int64_t *values, nw_error *err)
{
    if (sum == NULL || masks == NULL || rng == NULL || reduce == NULL || values == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "sum, masks, rng, reduce or values is NULL");
    const nw_status status = nw__masks_check_reduce(masks, reduce, __func__, err);
    return add(sum, masks, rng, reduce, values, status, __func__, err);
}

static nw_status charge(const nw_secure_sum *sum, const nw_masks *masks, const nw_rng *rng, nw_ledger *ledger, const char *label,
    const nw_reduce *reduce, nw_receipt *receipt, const char *function, nw_error *err)
{
    NW__TRY(nw__masks_check_reduce(masks, reduce, function, err));
    NW__TRY(check_masks(sum, masks, rng, function, err));
    if (ledger == NULL)
        return reduce->rank != 0 ? NW_OK : nw__fail(err, NW_E_ARG, function, "ledger is NULL, process 0 must have one");
    return nw_ledger_charge(ledger, sum->event, label, rng, receipt, err);
}

nw_status nw_secure_sum_release(const nw_secure_sum *sum, nw_masks *masks, nw_rng *rng, nw_ledger *ledger, const char *label,
    const nw_reduce *reduce, int64_t *values, nw_receipt *receipt, nw_error *err)
{
    nw_receipt own = { 0 };
    nw_receipt first = { 0 };
    if (sum == NULL || masks == NULL || rng == NULL || reduce == NULL || values == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "sum, masks, rng, reduce or values is NULL");
    nw_status status = charge(sum, masks, rng, ledger, label, reduce, &own, __func__, err);
    status = nw_reduce_agree(reduce, status, err);
    first = own;
    if (status == NW_OK)
        status = reduce->broadcast(reduce->context, &first, sizeof first, err);
    if (receipt != NULL)
        *receipt = ledger != NULL ? own : first; /* after an error, its head tells whether the own charge stands */
    if (status == NW_OK)
        return add(sum, masks, rng, reduce, values, NW_OK, __func__, err);
    sodium_memzero(values, sum->opts.values * sizeof *values);
    return status;
}
