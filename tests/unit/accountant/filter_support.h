/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_FILTER_SUPPORT_H
#define NW_TEST_FILTER_SUPPORT_H

/* filter_support.h - short ways to make filters and events. Included once, by each test of filters. */
#include "accountant_internal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static const nw_sensitivity one_record = { 1.0, NW_ADD_REMOVE };

static inline nw_privacy_filter_opts filter_options(double epsilon, double delta, nw_filter kind)
{
    nw_privacy_filter_opts o = NW_PRIVACY_FILTER_OPTS_INIT;
    o.epsilon = epsilon;
    o.delta = delta;
    o.adjacency = NW_ADD_REMOVE;
    o.kind = kind;
    return o;
}

static inline nw_privacy_filter *filter_of(const nw_privacy_filter_opts *o)
{
    nw_privacy_filter *filter = NULL;
    nw_error err;
    if (nw_privacy_filter_new(&filter, o, &err) != NW_OK)
        fail_msg("%s", err.message);
    return filter;
}

static inline nw_event *gaussian_event(double sigma)
{
    nw_event *e = NULL;
    assert_int_equal(nw_event_gaussian(&e, sigma, one_record, NULL), NW_OK);
    return e;
}

static inline nw_event *sampled_event(double q, double sigma)
{
    nw_event *e = NULL;
    nw_event *base = gaussian_event(sigma);
    assert_int_equal(nw_event_poisson_subsampled(&e, q, base, NULL), NW_OK);
    nw_event_free(base);
    return e;
}

/* (epsilon, delta) for add_remove; its worst case is a randomized response that tells everything with probability delta. */
static inline nw_event *approx_event(double epsilon, double delta)
{
    nw_event *e = NULL;
    if (delta == 0.0)
        assert_int_equal(nw_event_pure(&e, epsilon, NW_ADD_REMOVE, NULL), NW_OK);
    else
        assert_int_equal(nw_event_approx(&e, epsilon, delta, NW_ADD_REMOVE, NULL), NW_OK);
    return e;
}

/* How often the event is admitted, at most `most` times. */
static inline int spend_all(nw_privacy_filter *filter, const nw_event *event, int most)
{
    int n = 0;
    while (n < most) {
        bool fits = false;
        assert_int_equal(nw_privacy_filter_admits(filter, event, &fits, NULL), NW_OK);
        const nw_status status = nw_privacy_filter_spend(filter, event, NULL);
        assert_true(status == (fits ? NW_OK : NW_E_BUDGET));
        if (status != NW_OK)
            break;
        n++;
    }
    return n;
}

/* Frees the event. */
static inline int admitted(const nw_privacy_filter_opts *o, nw_event *event, int most)
{
    nw_privacy_filter *filter = filter_of(o);
    const int n = spend_all(filter, event, most);
    nw_privacy_filter_free(filter);
    nw_event_free(event);
    return n;
}

/* Of delta, for what is added up. */
static const double SPLIT = 1.0 - 0x1p-10;

/* delta of n Gaussians of scale sigma, [BW18, Thm 8] in long double. */
static inline long double gaussian_delta(int n, long double sigma, long double epsilon)
{
    const long double mu = sqrtl((long double)n) / sigma;
    const long double a = epsilon / mu - mu / 2.0L;
    const long double root = sqrtl(0.5L);
    return 0.5L * erfcl(a * root) - expl(epsilon) * 0.5L * erfcl((a + mu) * root);
}

/* [CKS20, Prop. 12]: the divergence of order a that is enough for (epsilon, delta). */
static inline long double renyi_allowed(long double a, long double epsilon, long double delta)
{
    return epsilon - log1pl(-1.0L / a) + (logl(delta) + logl(a)) / (a - 1.0L);
}

/* log E ((1-q) + q e^(mu x - mu^2/2))^k / (k - 1), x ~ N(0,1), for a whole k: its binomial sum. */
static inline double sampled_renyi(double q, double sigma, int k)
{
    long double moment = 0.0L;
    long double choose = 1.0L;
    for (int j = 0; j <= k; j++) {
        moment += choose * powl(1.0L - q, k - j) * powl(q, j) * expl(0.5L * j * (j - 1) / ((long double)sigma * sigma));
        choose = choose * (k - j) / (j + 1);
    }
    return (double)(logl(moment) / (k - 1));
}

#endif
