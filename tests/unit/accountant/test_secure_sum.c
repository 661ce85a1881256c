/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* Shares of noise under masks: the proof's bounds against exact laws, options, the law of what comes out, releases over a
 * reducer. */
#include "accountant_internal.h"
#include "parties.h"
#include "secure_sum.h"
#include "team.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <nw/noise.h>
#include <nw/secure_sum.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { HALF = 400, CELLS = 2 * HALF + 1 }; /* a law on -HALF .. HALF */
typedef struct law {
    long double p[CELLS];
} law;

static nw_rng *seeded(uint64_t seed)
{
    nw_rng *rng = NULL;
    need(nw_rng_new_insecure_seeded(&rng, seed, NULL) == NW_OK);
    return rng;
}

/* exp(-x^2 / 2v) over the integers; what lies beyond 14 deviations is nothing in long double. */
static void discrete_gaussian(law *out, long double v)
{
    long double sum = 0.0L;
    for (int x = -HALF; x <= HALF; x++)
        sum += out->p[x + HALF] = (long double)(x * x) > 196.0L * v ? 0.0L : expl(-(long double)(x * x) / (2.0L * v));
    for (int i = 0; i < CELLS; i++)
        out->p[i] /= sum;
}

static void convolve(law *a, const law *b)
{
    law out = { { 0 } };
    int reach = HALF; /* of b */
    while (b->p[HALF + reach] == 0.0L)
        reach--;
    for (int i = 0; i < CELLS; i++)
        for (int x = -reach; a->p[i] > 0.0L && x <= reach; x++)
            if (i + x >= 0 && i + x < CELLS)
                out.p[i + x] += a->p[i] * b->p[HALF + x];
    *a = out;
}

static void sum_of_shares(law *out, long double v, size_t shares)
{
    law one;
    discrete_gaussian(&one, v);
    *out = one;
    for (size_t k = 1; k < shares; k++)
        convolve(out, &one);
}

/* ---- the proof's two bounds ---- */

static void shares_log_ratio__bounds_the_exact_convolution(void **state)
{
    (void)state;
    const double variances[] = { 0.25, 0.5, 1.0, 2.0 };
    for (size_t i = 0; i < sizeof variances / sizeof *variances; i++) {
        law sum;
        law one;
        law ideal;
        discrete_gaussian(&one, variances[i]);
        sum = one;
        for (size_t shares = 2; shares <= 64; shares++) {
            convolve(&sum, &one);
            const long double v = (long double)shares * variances[i];
            discrete_gaussian(&ideal, v);
            long double most = 0.0L;
            for (int x = 0; (long double)(x * x) <= 36.0L * v; x++)
                most = fmaxl(most, fabsl(logl(sum.p[HALF + x] / ideal.p[HALF + x])));
            const double bound = nw__shares_log_ratio(variances[i], shares);
            assert_true(most <= bound);
            if (shares == 2) /* where it is attained to a factor of 2 */
                assert_true(bound <= 2.1L * most);
        }
    }
    /* [KLS21, Prop. 1]: 10 sum_k exp(-2 pi^2 v k / (k + 1)) */
    assert_true(nw__shares_log_ratio(4.0, 2) > 2.8e-17 && nw__shares_log_ratio(4.0, 64) < 7.2e-17);
    assert_true(nw__shares_log_ratio(4.0, 1) == 0.0);
    assert_true(isinf(nw__shares_log_ratio(0.01, 2)));
}

/* The normal law of variance v - s, rounded at random by exp(-(z - y)^2 / 2s), at the integer z. By the trapezoidal rule, whose
 * error for such functions is below exp(-2 pi^2 s / step^2). */
static long double rounded_at_random(int z, long double v, long double s)
{
    const long double step = 1.0L / 64.0L;
    const long double reach = 14.0L * sqrtl(v);
    long double sum = 0.0L;
    for (long double y = -reach; y <= reach; y += step) {
        long double all = 0.0L;
        for (int w = -12; w <= 12; w++) {
            const long double d = floorl(y) + w - y;
            all += expl(-d * d / (2.0L * s));
        }
        const long double d = (long double)z - y;
        sum += expl(-y * y / (2.0L * (v - s)) - d * d / (2.0L * s)) / all;
    }
    return sum * step / sqrtl(2.0L * acosl(-1.0L) * (v - s));
}

static void shares_distance__is_all_that_the_gaussian_lacks(void **state)
{
    (void)state;
    const struct {
        double variance;
        size_t shares;
        double smoothing;
    } cases[] = { { 1.0, 1, 0.25 }, { 1.0, 2, 0.5 }, { 0.5, 2, 0.5 }, { 0.5, 4, 0.25 }, { 1.0, 3, 1.0 }, { 0.25, 8, 0.5 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        law sum;
        const double v = cases[i].variance * (double)cases[i].shares;
        const double d = nw__shares_distance(cases[i].variance, cases[i].shares, cases[i].smoothing);
        long double lacks = 0.0L;
        sum_of_shares(&sum, cases[i].variance, cases[i].shares);
        for (int z = 0; (double)(z * z) <= 36.0 * v; z++)
            lacks = fmaxl(lacks, 1.0L - sum.p[HALF + z] / rounded_at_random(z, v, cases[i].smoothing));
        assert_true(lacks > 0.0L && lacks <= d);
        /* where the sum of two shares is what lacks most, nearly attained; an average over y hides some of the rounding */
        assert_true(d <= 1.0 && d <= (cases[i].shares == 2 ? 3.1L : 40.0L) * lacks);
    }
    assert_true(nw__shares_distance(4.0, 2, NW_SECURE_SUM_SMOOTHING) < 3e-17);
    assert_true(nw__shares_distance(4.0, 2, NW_SECURE_SUM_SMOOTHING) > 2.8e-17);
    assert_true(nw__shares_distance(11.0, 4096, NW_SECURE_SUM_SMOOTHING) < NW__SAMPLE_TV);
    assert_true(nw__shares_distance(1e300, 4096, NW_SECURE_SUM_SMOOTHING) > 0.0);
}

/* ---- options and the event ---- */

static nw_secure_sum_opts options(size_t parties, size_t tolerated, size_t values, double sigma, double l2)
{
    nw_secure_sum_opts o = NW_SECURE_SUM_OPTS_INIT;
    o.parties = parties;
    o.tolerated = tolerated;
    o.values = values;
    o.sigma = sigma;
    o.l2 = (nw_sensitivity){ l2, NW_ADD_REMOVE };
    return o;
}

static nw_secure_sum *make(nw_secure_sum_opts o)
{
    nw_secure_sum *sum = NULL;
    need(nw_secure_sum_new(&sum, &o, NULL) == NW_OK);
    return sum;
}

/* delta(epsilon) of the law against itself moved by `shift`, exactly. */
static long double hockey_stick(const law *l, int shift, double epsilon)
{
    long double delta = 0.0L;
    for (int i = 0; i + shift < CELLS; i++)
        delta += fmaxl(0.0L, l->p[i + shift] - expl(epsilon) * l->p[i]);
    return delta;
}

static void secure_sum_event__is_above_the_exact_law(void **state)
{
    (void)state;
    const struct {
        size_t parties;
        size_t tolerated;
        double sigma;
        int l2;
    } cases[] = { { 1, 0, 2.0, 1 }, { 3, 0, 3.0, 2 }, { 4, 2, 2.5, 1 }, { 8, 1, 5.0, 4 }, { 5, 4, 1.0, 1 }, { 3, 1, 20.0, 10 } };
    bool needs_smoothing = false;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nw_secure_sum *sum = make(options(cases[i].parties, cases[i].tolerated, 1, cases[i].sigma, cases[i].l2));
        const size_t shares = cases[i].parties - cases[i].tolerated;
        nw_cost cost;
        law honest;
        law bare;
        assert_int_equal(nw_event_cost(nw_secure_sum_event(sum), NW_ADD_REMOVE, &cost, NULL), NW_OK);
        sum_of_shares(&honest, nw_secure_sum_get_plan(sum).share_variance, shares);
        discrete_gaussian(&bare, cases[i].sigma * cases[i].sigma);
        for (double epsilon = 0.0; epsilon < 6.0; epsilon += 0.03125) {
            const double claim = nw__cost_delta(&cost, epsilon, NW__METHOD_GDP);
            assert_true(hockey_stick(&honest, cases[i].l2, epsilon) <= claim);
            needs_smoothing = needs_smoothing || hockey_stick(&bare, cases[i].l2, epsilon) > claim;
        }
        nw_secure_sum_free(sum);
    }
    assert_true(needs_smoothing); /* a discrete Gaussian of the same sigma is not covered */
}

static void secure_sum_event__is_one_gaussian_and_the_distance(void **state)
{
    (void)state;
    nw_cost cost;
    nw_secure_sum *fine = make(options(4, 1, 1000, 1000.0, 50.0));
    assert_int_equal(nw_event_get_kind(nw_secure_sum_event(fine)), NW_EVENT_ROUNDED_GAUSSIAN);
    assert_int_equal(nw_event_cost(nw_secure_sum_event(fine), NW_REPLACE_ONE, &cost, NULL), NW_OK);
    assert_true(fabs(cost.mu_squared - 0.01) < 1e-15); /* (2 * 50 / 1000)^2 */
    assert_true(cost.delta == 0.0 && cost.samples == 5000);
    nw_secure_sum_free(fine);

    nw_secure_sum *coarse = make(options(4, 0, 1000, 4.0, 2.0));
    const nw_secure_sum_plan plan = nw_secure_sum_get_plan(coarse);
    assert_int_equal(nw_event_cost(nw_secure_sum_event(coarse), NW_ADD_REMOVE, &cost, NULL), NW_OK);
    assert_true(fabs(cost.mu_squared - 0.25) < 1e-15 && cost.samples == 4000);
    assert_true(plan.distance > NW__SAMPLE_TV && cost.delta >= 1000.0 * plan.distance && cost.delta < 1000.1 * plan.distance);
    nw_secure_sum_free(coarse);
}

static void secure_sum_plan__has_the_variance_without_the_tolerated(void **state)
{
    (void)state;
    for (size_t parties = 1; parties <= 12; parties++) {
        for (size_t tolerated = 0; tolerated < parties; tolerated++) {
            nw_secure_sum *sum = make(options(parties, tolerated, 1, 10.0, 1.0));
            const nw_secure_sum_plan plan = nw_secure_sum_get_plan(sum);
            const double honest = plan.share_variance * (double)(parties - tolerated);
            assert_true(honest >= 106.0 && honest < 106.0 * (1.0 + 1e-12));
            assert_true(fabs(plan.deviation * plan.deviation / (plan.share_variance * (double)parties) - 1.0) < 1e-12);
            nw_secure_sum_free(sum);
        }
    }
}

static void refused(nw_secure_sum_opts o, const char *message)
{
    nw_error err;
    nw_secure_sum *sum = (nw_secure_sum *)&err;
    assert_int_equal(nw_secure_sum_new(&sum, &o, &err), NW_E_ARG);
    assert_null(sum);
    assert_string_equal(err.message, message);
}

static void secure_sum_new__names_what_is_wrong(void **state)
{
    (void)state;
    nw_secure_sum_opts o;
    refused(options(0, 0, 1, 9.0, 1.0), "parties is 0, must be in 1..4096");
    refused(options(5000, 0, 1, 9.0, 1.0), "parties is 5000, must be in 1..4096");
    refused(options(3, 3, 1, 9.0, 1.0), "tolerated is 3, must be in 0..2");
    refused(options(3, SIZE_MAX, 1, 9.0, 1.0), "tolerated is not set, must be in 0..2");
    refused(options(3, 0, 0, 9.0, 1.0), "values is 0, must be in 1..2^40");
    refused(options(3, 0, 1, 0.0, 1.0), "sigma is 0, must be in (0, 2^53]");
    refused(options(3, 0, 1, (double)NAN, 1.0), "sigma is nan, must be in (0, 2^53]");
    refused(options(3, 0, 1, 0x1p54, 1.0), "sigma is 1.80144e+16, must be in (0, 2^53]");
    refused(options(3, 0, 1, 9.0, -1.0), "l2.value is -1, must be positive and finite");
    o = options(3, 0, 1, 9.0, 1.0);
    o.l2.adjacency = NW_ADJACENCY_UNSET;
    nw_error err;
    nw_secure_sum *sum = NULL;
    assert_int_equal(nw_secure_sum_new(&sum, &o, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "adjacency"));
    assert_int_equal(nw_secure_sum_new(NULL, &o, &err), NW_E_ARG);
    assert_int_equal(nw_secure_sum_new(&sum, NULL, &err), NW_E_ARG);
    nw_secure_sum_free(NULL);
}

/* The grid that the message asks for is enough, and one half as fine is not. */
static void secure_sum_new__refuses_shares_of_a_variance_below_4(void **state)
{
    (void)state;
    const size_t parties[] = { 2, 9, 64, 4096 };
    const double sigmas[] = { 0.01, 1.0, 5.0 };
    size_t refusals = 0;
    for (size_t i = 0; i < 12; i++) {
        nw_error err;
        nw_secure_sum *sum = NULL;
        nw_secure_sum_opts o = options(parties[i / 3], 0, 1, sigmas[i % 3], 1.0);
        const double variance = (o.sigma * o.sigma + 6.0) / (double)o.parties;
        const nw_status status = nw_secure_sum_new(&sum, &o, &err);
        nw_secure_sum_free(sum);
        assert_int_equal(status, variance < 4.0 ? NW_E_ARG : NW_OK);
        if (status == NW_OK)
            continue;
        refusals++;
        const char *at = strstr(err.message, "a grid 2^");
        assert_non_null(at);
        const int k = atoi(at + strlen("a grid 2^"));
        assert_true(k >= 1);
        o.sigma = ldexp(o.sigma, k);
        assert_int_equal(nw_secure_sum_new(&sum, &o, &err), NW_OK);
        nw_secure_sum_free(sum);
    }
    assert_true(refusals >= 9);
}

/* ---- what comes out ---- */

enum { DRAWS = 200000, LAW_PARTIES = 5, LAW_TOLERATED = 2 };

typedef struct messages {
    nw_secure_sum *sum;
    met_parties parties;
    int64_t *values;
    uint64_t *message;
    uint64_t *total;
} messages;

static void messages_make(messages *m, nw_secure_sum_opts o, nw_rng *rng)
{
    m->sum = make(o);
    parties_make(&m->parties, o.parties, rng);
    m->values = calloc(o.values, sizeof *m->values);
    m->message = calloc(o.values + NW_MASKS_CHECK_WORDS, sizeof *m->message);
    m->total = calloc(o.values + NW_MASKS_CHECK_WORDS, sizeof *m->total);
    need(m->values != NULL && m->message != NULL && m->total != NULL);
}

static void messages_free(messages *m)
{
    nw_secure_sum_free(m->sum);
    parties_free(&m->parties);
    free(m->values);
    free(m->message);
    free(m->total);
}

/* chi-square of draws against a law, over the cells that expect at least 10. */
static double p_value(const law *l, const int64_t *x, size_t n)
{
    static double counts[CELLS];
    double chi2 = 0.0;
    double inside = 0.0;
    double seen = 0.0;
    size_t cells = 0;
    memset(counts, 0, sizeof counts);
    for (size_t i = 0; i < n; i++)
        if (x[i] >= -HALF && x[i] <= HALF)
            counts[x[i] + HALF]++;
    for (int i = 0; i < CELLS; i++) {
        const double expected = (double)l->p[i] * (double)n;
        if (expected < 10.0)
            continue;
        chi2 += (counts[i] - expected) * (counts[i] - expected) / expected;
        inside += expected;
        seen += counts[i];
        cells++;
    }
    const double rest = (double)n - inside;
    chi2 += ((double)n - seen - rest) * ((double)n - seen - rest) / rest;
    return gsl_cdf_chisq_Q(chi2, (double)cells);
}

/* 200,000 draws see a deviation that is off by 1.5 %: half the tolerated parties' noise, or all parties' full noise, at once. */
static void secure_sum_seal__noise_of_the_sum_has_the_law_of_all_shares(void **state)
{
    (void)state;
    nw_rng *rng = seeded(21);
    messages m;
    law sum;
    law all_but_one;
    law full;
    messages_make(&m, options(LAW_PARTIES, LAW_TOLERATED, DRAWS, 6.0, 1.0), rng);
    const nw_secure_sum_plan plan = nw_secure_sum_get_plan(m.sum);
    for (size_t k = 0; k < LAW_PARTIES; k++) {
        for (size_t i = 0; i < DRAWS; i++)
            m.values[i] = (int64_t)(k * i) - 1000000;
        assert_int_equal(nw_secure_sum_seal(m.sum, m.parties.masks[k], 1, rng, m.values, m.message, NULL), NW_OK);
        for (size_t i = 0; i < DRAWS + NW_MASKS_CHECK_WORDS; i++)
            m.total[i] += m.message[i];
    }
    assert_int_equal(nw_secure_sum_open(m.sum, m.total, m.values, NULL), NW_OK);
    double square = 0.0;
    for (size_t i = 0; i < DRAWS; i++) {
        m.values[i] -= (int64_t)(10 * i) - 5000000; /* 0 + 1 + 2 + 3 + 4 */
        square += (double)(m.values[i] * m.values[i]);
    }
    sum_of_shares(&sum, plan.share_variance, LAW_PARTIES);
    sum_of_shares(&all_but_one, plan.share_variance, LAW_PARTIES - 1);
    sum_of_shares(&full, plan.share_variance * (LAW_PARTIES - LAW_TOLERATED), LAW_PARTIES);
    assert_true(p_value(&sum, m.values, DRAWS) > 1e-9);
    assert_true(p_value(&all_but_one, m.values, DRAWS) < 1e-9);
    assert_true(p_value(&full, m.values, DRAWS) < 1e-9);
    /* utility: what the plan says, and not M times as much; 6.3 standard errors of a mean square */
    assert_true(fabs(square / DRAWS / (plan.deviation * plan.deviation) - 1.0) < 6.3 * sqrt(2.0 / DRAWS));
    messages_free(&m);
    nw_rng_free(rng);
}

static void secure_sum_open__needs_parties_that_agree(void **state)
{
    (void)state;
    nw_rng *rng = seeded(22);
    messages m;
    messages_make(&m, options(2, 0, 3, 100.0, 1.0), rng);
    const nw_secure_sum_opts others[] = { options(2, 0, 3, 100.0, 1.0), options(2, 0, 3, 99.0, 1.0), options(2, 1, 3, 100.0, 1.0),
        options(2, 0, 3, 100.0, 2.0) };
    for (size_t i = 0; i < 4; i++) {
        nw_secure_sum *other = make(others[i]);
        m.values[0] = 5;
        assert_int_equal(nw_secure_sum_seal(m.sum, m.parties.masks[0], 1 + i, rng, m.values, m.total, NULL), NW_OK);
        assert_int_equal(nw_secure_sum_seal(other, m.parties.masks[1], 1 + i, rng, m.values, m.message, NULL), NW_OK);
        for (size_t k = 0; k < 4; k++)
            m.total[k] += m.message[k];
        assert_int_equal(nw_secure_sum_open(m.sum, m.total, m.values, NULL), i == 0 ? NW_OK : NW_E_STATE);
        nw_secure_sum_free(other);
    }
    messages_free(&m);
    nw_rng_free(rng);
}

static void secure_sum_seal__refuses_what_it_cannot_hide(void **state)
{
    (void)state;
    nw_rng *rng = seeded(23);
    nw_rng *secure = NULL;
    nw_error err;
    messages m;
    messages_make(&m, options(3, 0, 2, 100.0, 1.0), rng);
    nw_secure_sum *pair = make(options(2, 0, 2, 100.0, 1.0));
    assert_int_equal(nw_rng_new(&secure, NULL), NW_OK);
    assert_int_equal(nw_secure_sum_seal(pair, m.parties.masks[0], 1, rng, m.values, m.message, &err), NW_E_ARG);
    assert_string_equal(err.message, "masks are of 3 parties, must be of 2");
    assert_int_equal(nw_secure_sum_seal(m.sum, m.parties.masks[0], 1, secure, m.values, m.message, &err), NW_E_STATE);
    assert_int_equal(nw_secure_sum_seal(m.sum, m.parties.masks[0], 0, rng, m.values, m.message, &err), NW_E_STATE);
    assert_int_equal(nw_secure_sum_seal(m.sum, m.parties.masks[0], 4, rng, m.values, m.message, &err), NW_OK);
    assert_int_equal(nw_secure_sum_seal(m.sum, m.parties.masks[0], 4, rng, m.values, m.message, &err), NW_E_STATE);
    assert_true(m.message[0] == 0 && m.message[1] == 0 && m.message[2] == 0);
    assert_int_equal(nw_secure_sum_seal(m.sum, NULL, 5, rng, m.values, m.message, &err), NW_E_ARG);
    assert_int_equal(nw_secure_sum_open(NULL, m.total, m.values, &err), NW_E_ARG);
    nw_rng_free(secure);
    nw_secure_sum_free(pair);
    messages_free(&m);
    nw_rng_free(rng);
}

/* ---- over a reducer ---- */

enum { RELEASE_VALUES = 3, RELEASE_PARTIES = 4 };

typedef struct release {
    double epsilon[RELEASE_PARTIES]; /* of the ledgers; 0: none */
    size_t rounds;                   /* releases by each */
    nw_status status[RELEASE_PARTIES];
    int64_t values[RELEASE_PARTIES][RELEASE_VALUES];
    nw_receipt receipt[RELEASE_PARTIES];
    uint64_t charges[RELEASE_PARTIES];
} release;

static nw_ledger *ledger_of(double epsilon)
{
    nw_ledger *ledger = NULL;
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    o.epsilon = epsilon;
    o.delta = 1e-6;
    o.adjacency = NW_ADD_REMOVE;
    need(epsilon == 0.0 || nw_ledger_memory(&ledger, &o, NULL) == NW_OK);
    return ledger;
}

static void release_one(team_member *m)
{
    release *r = m->context;
    const nw_reduce *reduce = &m->reduce;
    const size_t k = reduce->rank;
    nw_rng *rng = seeded(300 + k);
    nw_masks *masks = NULL;
    nw_ledger *ledger = ledger_of(r->epsilon[k]);
    nw_secure_sum *sum = make(options(reduce->size, 1, RELEASE_VALUES, 1000.0, 100.0));
    need(nw_masks_new(&masks, k, reduce->size, rng, NULL) == NW_OK);
    r->status[k] = nw_masks_meet_over(masks, reduce, NULL);
    for (size_t i = 0; r->status[k] == NW_OK && i < r->rounds; i++) {
        for (size_t v = 0; v < RELEASE_VALUES; v++)
            r->values[k][v] = (int64_t)(1000000 * (k + 1) * v);
        r->status[k] = nw_secure_sum_release(sum, masks, rng, ledger, "test", reduce, r->values[k], &r->receipt[k], NULL);
    }
    nw_ledger_summary s = { 0 };
    need(ledger == NULL || nw_ledger_summarise(ledger, &s, NULL) == NW_OK);
    r->charges[k] = s.charges;
    nw_ledger_close(ledger);
    nw_secure_sum_free(sum);
    nw_masks_free(masks);
    nw_rng_free(rng);
}

static size_t run_releases(release *r, size_t size, size_t victim, size_t dies_at)
{
    bool is_whole = false;
    const size_t calls = team_run(size, release_one, r, victim, dies_at, &is_whole);
    assert_true(is_whole);
    return calls;
}

static void secure_sum_release__gives_all_the_same_noisy_sum(void **state)
{
    (void)state;
    for (size_t size = 2; size <= RELEASE_PARTIES; size++) {
        release r = { .epsilon = { 2.0, 0.0, 3.0 }, .rounds = 3 };
        run_releases(&r, size, 0, TEAM_NEVER);
        const double exact = 1e6 * (double)(size * (size + 1) / 2);
        for (size_t k = 0; k < size; k++) {
            assert_int_equal(r.status[k], NW_OK);
            assert_memory_equal(r.values[k], r.values[0], sizeof r.values[k]);
            assert_string_equal(r.receipt[k].head, k == 2 ? r.receipt[2].head : r.receipt[0].head);
            assert_true(r.receipt[k].is_insecure && r.receipt[k].epsilon > 0.0);
            assert_int_equal(r.charges[k], r.epsilon[k] > 0.0 ? 3 : 0);
        }
        for (size_t v = 0; v < RELEASE_VALUES; v++) /* seven deviations of the noise, at most 1420 */
            assert_true(fabs((double)r.values[0][v] - exact * (double)v) < 1e4 && r.values[0][v] != (int64_t)(exact * (double)v));
    }
}

static void secure_sum_release__stops_all_if_one_ledger_refuses(void **state)
{
    (void)state;
    static const int64_t zero[RELEASE_VALUES] = { 0 };
    release first = { .epsilon = { 1e-3 }, .rounds = 1 };
    release third = { .epsilon = { 2.0, 0.0, 1e-3, 1.0 }, .rounds = 1 };
    release none = { .rounds = 1 };
    run_releases(&first, RELEASE_PARTIES, 0, TEAM_NEVER);
    run_releases(&third, RELEASE_PARTIES, 0, TEAM_NEVER);
    run_releases(&none, RELEASE_PARTIES, 0, TEAM_NEVER);
    for (size_t k = 0; k < RELEASE_PARTIES; k++) {
        assert_int_equal(first.status[k], NW_E_BUDGET);
        assert_int_equal(third.status[k], NW_E_BUDGET);
        assert_int_equal(none.status[k], NW_E_ARG);
        assert_memory_equal(first.values[k], zero, sizeof zero);
        assert_memory_equal(third.values[k], zero, sizeof zero);
    }
    assert_true(third.charges[0] == 1 && third.charges[2] == 0 && third.charges[3] == 1); /* there is no refund */
}

/* A party that dies at any of its calls: nobody has a sum, at most one charge stands, and nobody waits. */
static void secure_sum_release__gives_nothing_if_a_party_dies(void **state)
{
    (void)state;
    static const int64_t zero[RELEASE_VALUES] = { 0 };
    release whole = { .epsilon = { 2.0 }, .rounds = 1 };
    const size_t calls = run_releases(&whole, 3, 2, TEAM_NEVER);
    assert_true(calls >= 5); /* keys, charge, receipt, messages */
    for (size_t at = 0; at < calls; at++) {
        release r = { .epsilon = { 2.0 }, .rounds = 1 };
        run_releases(&r, 3, 2, at);
        for (size_t k = 0; k < 3; k++) {
            assert_int_equal(r.status[k], NW_E_IO);
            assert_memory_equal(r.values[k], zero, sizeof zero);
        }
        assert_true(r.charges[0] <= 1);
    }
}

static void secure_sum_release__works_alone(void **state)
{
    (void)state;
    nw_rng *rng = seeded(24);
    nw_error err;
    nw_masks *masks = NULL;
    nw_ledger *ledger = ledger_of(1.0);
    const nw_reduce serial = nw_reduce_serial();
    nw_secure_sum *sum = make(options(1, 0, 2, 1000.0, 100.0));
    int64_t values[2] = { INT64_MAX, 100000 }; /* the first may wrap: no status tells */
    assert_int_equal(nw_masks_new(&masks, 0, 1, rng, NULL), NW_OK);
    assert_int_equal(nw_secure_sum_add(sum, masks, rng, &serial, values, &err), NW_E_STATE); /* not met */
    assert_int_equal(nw_masks_meet_over(masks, &serial, NULL), NW_OK);
    values[0] = INT64_MAX;
    values[1] = 100000;
    assert_int_equal(nw_secure_sum_release(sum, masks, rng, ledger, "alone", &serial, values, NULL, &err), NW_OK);
    assert_true(llabs(values[1] - 100000) < 10000);
    assert_true((uint64_t)values[0] - (uint64_t)INT64_MAX + 10000 < 20000);
    assert_int_equal(nw_secure_sum_add(sum, NULL, rng, &serial, values, &err), NW_E_ARG);
    assert_int_equal(nw_secure_sum_release(NULL, masks, rng, ledger, "x", &serial, values, NULL, &err), NW_E_ARG);
    nw_secure_sum_free(sum);
    nw_ledger_close(ledger);
    nw_masks_free(masks);
    nw_rng_free(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_log_ratio__bounds_the_exact_convolution),
        cmocka_unit_test(shares_distance__is_all_that_the_gaussian_lacks),
        cmocka_unit_test(secure_sum_event__is_above_the_exact_law),
        cmocka_unit_test(secure_sum_event__is_one_gaussian_and_the_distance),
        cmocka_unit_test(secure_sum_plan__has_the_variance_without_the_tolerated),
        cmocka_unit_test(secure_sum_new__names_what_is_wrong),
        cmocka_unit_test(secure_sum_new__refuses_shares_of_a_variance_below_4),
        cmocka_unit_test(secure_sum_seal__noise_of_the_sum_has_the_law_of_all_shares),
        cmocka_unit_test(secure_sum_seal__refuses_what_it_cannot_hide),
        cmocka_unit_test(secure_sum_open__needs_parties_that_agree),
        cmocka_unit_test(secure_sum_release__gives_all_the_same_noisy_sum),
        cmocka_unit_test(secure_sum_release__stops_all_if_one_ledger_refuses),
        cmocka_unit_test(secure_sum_release__gives_nothing_if_a_party_dies),
        cmocka_unit_test(secure_sum_release__works_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
