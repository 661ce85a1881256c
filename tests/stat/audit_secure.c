/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* audit_secure.c - noise in shares, as two of four parties see it who tell the collector what they know; and broken twins. */
#include "audit.h"
#include "mutants.h"
#include "parties.h"

#include <math.h>
#include <nw/noise.h>
#include <nw/secure_sum.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { PARTIES = 4, TOLERATED = 2 };

typedef enum fault {
    HONEST = 0,
    NO_NOISE,        /* masks alone */
    SHARES_OF_ALL,   /* variance sigma^2 / M, though t parties tell theirs */
    ONE_PARTY_SILENT /* one of the honest parties draws nothing */
} fault;

typedef struct telling {
    double sigma;
    double l2;
    fault fault;
    bool is_planted;
} telling;

static nw_secure_sum *make(const telling *t, size_t tolerated, size_t values)
{
    nw_secure_sum *sum = NULL;
    nw_secure_sum_opts o = NW_SECURE_SUM_OPTS_INIT;
    o.parties = PARTIES;
    o.tolerated = tolerated;
    o.values = values;
    o.sigma = t->sigma;
    o.l2 = (nw_sensitivity){ t->l2, NW_ADD_REMOVE };
    need(nw_secure_sum_new(&sum, &o, NULL) == NW_OK);
    return sum;
}

/* What party k sends, and the noise that it knows, in runs values at once. A seeded stream is drawn twice: by the library, and by
 * the party that tells. */
static void send(const telling *t, nw_secure_sum *sum, nw_masks *masks, size_t k, uint64_t seed, const int64_t *values,
    uint64_t *message, int64_t *noise, size_t runs)
{
    const double scale = sqrt(nw_secure_sum_get_plan(sum).share_variance);
    nw_rng *rng = NULL;
    nw_noise *law = NULL;
    need(nw_rng_new_insecure_seeded(&rng, seed, NULL) == NW_OK);
    if (t->is_planted && t->fault == NO_NOISE) {
        need(nw_masks_seal(masks, 1, (const uint64_t *)values, runs, message, NULL) == NW_OK);
    } else {
        need(nw_secure_sum_seal(sum, masks, 1, rng, values, message, NULL) == NW_OK);
        nw_rng_free(rng);
        need(nw_rng_new_insecure_seeded(&rng, seed, NULL) == NW_OK);
        need(nw_noise_new(&law, NW_NOISE_DISCRETE_GAUSSIAN, nextafter(scale, INFINITY), NULL) == NW_OK);
        need(nw_noise_fill(law, rng, noise, runs, NULL) == NW_OK);
    }
    if (t->is_planted && t->fault == ONE_PARTY_SILENT && k == 1)
        for (size_t i = 0; i < runs; i++)
            message[i] -= (uint64_t)noise[i];
    nw_noise_free(law);
    nw_rng_free(rng);
}

/* Party 0 holds 0 or l2 in each value, the others something. Statistics: the sum; the sum without what parties 2 and 3 tell. */
static void run_telling(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    const telling *t = context;
    const bool is_short = t->is_planted && t->fault == SHARES_OF_ALL;
    nw_secure_sum *sum = make(t, is_short ? 0 : TOLERATED, runs);
    met_parties p;
    parties_make(&p, PARTIES, rng);
    int64_t *values = calloc(runs, sizeof *values);
    int64_t *noise = calloc(runs, sizeof *noise);
    int64_t *told = calloc(runs, sizeof *told);
    uint64_t *message = calloc(runs + 1, sizeof *message);
    uint64_t *total = calloc(runs + 1, sizeof *total);
    need(values != NULL && noise != NULL && told != NULL && message != NULL && total != NULL);
    for (size_t k = 0; k < PARTIES; k++) {
        uint64_t seed = 0;
        need(nw_rng_bytes(rng, &seed, sizeof seed, NULL) == NW_OK);
        for (size_t i = 0; i < runs; i++)
            values[i] = k == 0 ? (int64_t)(side * t->l2) : (int64_t)k;
        send(t, sum, p.masks[k], k, seed, values, message, noise, runs);
        for (size_t i = 0; i < runs; i++)
            told[i] += k < PARTIES - TOLERATED ? 0 : noise[i];
        for (size_t i = 0; i < runs + 1; i++)
            total[i] += message[i];
    }
    need(t->is_planted && t->fault == NO_NOISE ? nw_masks_open(PARTIES, total, runs, (uint64_t *)values, NULL) == NW_OK
                                               : nw_secure_sum_open(sum, total, values, NULL) == NW_OK);
    for (size_t i = 0; i < runs; i++) {
        out[2 * i] = (double)values[i];
        out[2 * i + 1] = (double)(values[i] - told[i]);
    }
    free(values);
    free(noise);
    free(told);
    free(message);
    free(total);
    parties_free(&p);
    nw_secure_sum_free(sum);
}

static audit_claim claim_of(const telling *t)
{
    nw_secure_sum *sum = make(t, TOLERATED, 1);
    const audit_claim claim = audit_claim_of(nw_secure_sum_event(sum), NW_ADD_REMOVE, 1e-5);
    nw_secure_sum_free(sum);
    return claim;
}

static audit_bound bound_of(const telling *t)
{
    audit_opts opts = AUDIT_OPTS_INIT;
    opts.runs = 200000;
    opts.delta = 1e-5;
    return audit(&(audit_mechanism){ run_telling, (void *)(uintptr_t)t, 2 }, &opts);
}

static void release__is_as_private_as_is_charged_and_no_more(void **state)
{
    (void)state;
    const telling cases[] = { { .sigma = 100.0, .l2 = 50.0 }, { .sigma = 100.0, .l2 = 100.0 }, { .sigma = 50.0, .l2 = 150.0 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const audit_claim claim = claim_of(&cases[i]);
        const audit_bound bound = bound_of(&cases[i]);
        assert_false(audit_refutes(&bound, &claim));
        assert_true(bound.of_mu.statistic == 1 && bound.mu > 0.9 * claim.mu);
    }
}

static bool telling__is_refuted(const void *context, bool is_planted)
{
    telling t = *(const telling *)context;
    t.is_planted = is_planted;
    const audit_claim claim = claim_of(&t);
    const audit_bound bound = bound_of(&t);
    return audit_refutes(&bound, &claim);
}

/* All parties' noise, as a party sees it who tells nothing: its square against the plan's, 6.3 standard errors of the mean. The
 * twin's parties have all of the noise each. */
static bool utility__is_off(const void *context, bool is_planted)
{
    enum { RUNS = 100000 };
    telling t = *(const telling *)context;
    nw_rng *rng = NULL;
    double *out = calloc((size_t)2 * RUNS, sizeof *out);
    nw_secure_sum *planned = make(&t, TOLERATED, 1);
    const double deviation = nw_secure_sum_get_plan(planned).deviation;
    double square = 0.0;
    need(out != NULL && nw_rng_new_insecure_seeded(&rng, 5, NULL) == NW_OK);
    if (is_planted)
        t.sigma *= sqrt(PARTIES - TOLERATED);
    run_telling(&t, 0, rng, out, RUNS);
    for (size_t i = 0; i < RUNS; i++)
        square += (out[2 * i] - 6.0) * (out[2 * i] - 6.0); /* 0 + 1 + 2 + 3 */
    nw_secure_sum_free(planned);
    nw_rng_free(rng);
    free(out);
    return fabs(square / RUNS / (deviation * deviation) - 1.0) > 6.3 * sqrt(2.0 / RUNS);
}

/* Shares of a variance of which nw_secure_sum_new makes none: 16 discrete Gaussians of 0.1 have a seventh of the variance of one
 * of 1.6, as nearly all of them are 0. The honest twin is that one. */
static void run_coarse(void *context, int side, nw_rng *rng, double *out, size_t runs)
{
    enum { SHARES = 16 };
    const bool is_planted = *(const bool *)context;
    const double variance = 0.1;
    nw_noise *law = NULL;
    int64_t *z = calloc(runs * SHARES, sizeof *z);
    const size_t shares = is_planted ? SHARES : 1;
    need(z != NULL && nw_noise_new(&law, NW_NOISE_DISCRETE_GAUSSIAN, sqrt(variance * SHARES / (double)shares), NULL) == NW_OK);
    need(nw_noise_fill(law, rng, z, runs * shares, NULL) == NW_OK);
    for (size_t i = 0; i < runs; i++) {
        out[i] = side;
        for (size_t k = 0; k < shares; k++)
            out[i] += (double)z[i * shares + k];
    }
    nw_noise_free(law);
    free(z);
}

static bool coarse__is_refuted(const void *context, bool is_planted)
{
    (void)context;
    nw_event *event = NULL;
    audit_opts opts = AUDIT_OPTS_INIT;
    opts.runs = 200000;
    opts.delta = 0.01;
    need(nw_event_noise(&event, NW_EVENT_DISCRETE_GAUSSIAN, sqrt(1.6), (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, 1, NULL) == NW_OK);
    const audit_claim claim = audit_claim_of(event, NW_ADD_REMOVE, opts.delta);
    const audit_bound bound = audit(&(audit_mechanism){ run_coarse, &is_planted, 1 }, &opts);
    nw_event_free(event);
    return audit_refutes(&bound, &claim);
}

static const telling no_noise = { .sigma = 100.0, .l2 = 100.0, .fault = NO_NOISE };
static const telling shares_of_all = { .sigma = 100.0, .l2 = 100.0, .fault = SHARES_OF_ALL };
static const telling one_silent = { .sigma = 100.0, .l2 = 100.0, .fault = ONE_PARTY_SILENT };
static const telling full_noise = { .sigma = 100.0, .l2 = 100.0 };

static const mutant mutants[] = {
    { "secure sum: masks without noise", "audit", telling__is_refuted, &no_noise },
    { "secure sum: shares of all parties, though some tell theirs", "audit", telling__is_refuted, &shares_of_all },
    { "secure sum: one party without its share", "audit", telling__is_refuted, &one_silent },
    { "secure sum: all of the noise from each party", "utility", utility__is_off, &full_noise },
    { "secure sum: shares of a variance below the least", "audit", coarse__is_refuted, NULL },
};

static void releases__with_a_fault_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mutants / sizeof *mutants; i++)
        assert_true(mutant_report(&mutants[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(release__is_as_private_as_is_charged_and_no_more),
        cmocka_unit_test(releases__with_a_fault_are_found),
    };
    return cmocka_run_group_tests_name("audit_secure", tests, NULL, NULL);
}
