/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_individual_filter.c - budgets of single records: the divergence of adaptively chosen Gaussian sums by a closed form, long
 * runs with an account of their own, and every refusal. */
#include "filter_support.h"

#include <nw/testing.h>

enum { RECORDS = 64 };

static nw_individual_filter_opts individual_options(size_t records, double epsilon, double order)
{
    nw_individual_filter_opts o = NW_INDIVIDUAL_FILTER_OPTS_INIT;
    o.records = records;
    o.epsilon = epsilon;
    o.delta = 1e-5;
    o.adjacency = NW_ADD_REMOVE;
    o.order = order;
    return o;
}

static nw_individual_filter *individual_of(size_t records, double epsilon, double order)
{
    const nw_individual_filter_opts o = individual_options(records, epsilon, order);
    nw_individual_filter *filter = NULL;
    nw_error err;
    if (nw_individual_filter_new(&filter, &o, &err) != NW_OK)
        fail_msg("%s", err.message);
    return filter;
}

static double uniform(nw_rng *rng)
{
    uint64_t bits = 0;
    assert_int_equal(nw_rng_bytes(rng, &bits, sizeof bits, NULL), NW_OK);
    return (double)(bits >> 11) * 0x1p-53;
}

static double normal(nw_rng *rng)
{
    return sqrt(-2.0 * log(1.0 - uniform(rng))) * cos(6.283185307179586 * uniform(rng));
}

/* Sums of a value of each record, clip and noise chosen from the noisy answers. Each record's total divergence, added up apart in
 * long double, is at most B; who was refused would have passed it; and who contributes less takes part longer. */
static void individual_filter__no_record_passes_its_budget(void **state)
{
    (void)state;
    nw_individual_filter *filter = individual_of(RECORDS, 2.0, 12.0);
    const long double limit = renyi_allowed(12.0L, 2.0L, 1e-5L * SPLIT);
    long double total[RECORDS] = { 0.0L };
    double size[RECORDS];
    double norms[RECORDS];
    double spent[RECORDS];
    bool takes_part[RECORDS];
    int rounds[RECORDS] = { 0 };
    int refused = 0;
    nw_rng *rng = NULL;
    double sigma = 20.0;
    double clip = 1.0;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 7, NULL), NW_OK);
    assert_true(fabsl(nw_individual_filter_limit(filter) - limit) < 1e-12L);
    for (int i = 0; i < RECORDS; i++)
        size[i] = (i + 1.0) / RECORDS;
    for (int t = 0; t < 2000; t++) {
        double answer = 0.0;
        for (int i = 0; i < RECORDS; i++)
            norms[i] = size[i] * (0.5 + uniform(rng));
        assert_int_equal(nw_individual_filter_gaussian(filter, sigma, clip, 1, norms, takes_part, NULL), NW_OK);
        for (int i = 0; i < RECORDS; i++) {
            const long double norm = norms[i] < clip ? norms[i] : clip;
            const long double loss = 12.0L * norm * norm / (2.0L * sigma * sigma);
            assert_true(takes_part[i] ? total[i] + loss <= limit : total[i] + loss > limit * (1.0L - 1e-12L));
            total[i] += takes_part[i] ? loss : 0.0L;
            rounds[i] += takes_part[i];
            refused += !takes_part[i];
            answer += takes_part[i] ? (double)norm : 0.0;
        }
        answer += sigma * normal(rng); /* released: the next step may depend on it */
        sigma = 15.0 + fmod(fabs(answer), 10.0);
        clip = answer > 20.0 ? 0.5 : 1.0;
    }
    nw_individual_filter_spent(filter, spent);
    for (int i = 0; i < RECORDS; i++)
        assert_true(
            spent[i] >= (double)total[i] * (1.0 - 1e-15) && spent[i] <= (double)total[i] * (1.0 + 1e-12) && total[i] <= limit);
    assert_true(refused > RECORDS && rounds[0] == 2000 && rounds[RECORDS - 1] < 200);
    nw_rng_free(rng);
    nw_individual_filter_free(filter);
}

/* The upper tail of the normal law. */
static double tail(double x)
{
    return 0.5 * erfc(x * 0.70710678118654752440);
}

/* Two Gaussian sums, the noise of the second chosen by whether the first answer was above `cut`. With one record of norm 1
 * against none: E_Q (P/Q)^a is e^(a (a-1) mu^2 / 2) times the mean over N(a mu, 1) of the same for the second step; so the
 * divergence of the whole is a closed form. second[0], second[1]: the second distance, 0 if the record is left out. */
static double two_step_renyi(double a, double mu, double cut, const double second[2])
{
    const double above = tail(cut - a * mu);
    const double half = 0.5 * a * (a - 1.0);
    return (half * mu * mu + log(above * exp(half * second[1] * second[1]) + (1.0 - above) * exp(half * second[0] * second[0]))) /
           (a - 1.0);
}

/* What a rule lets the record's second distance be, when the analyst asks for `wanted` after a first one of mu. */
typedef double (*second_rule)(double mu, double wanted, double order, double limit);

static double by_library(double mu, double wanted, double order, double limit)
{
    nw_individual_filter *filter = individual_of(1, 2.0, order);
    const double one = 1.0;
    bool takes_part = false;
    assert_true(nw_individual_filter_limit(filter) == limit);
    assert_int_equal(nw_individual_filter_gaussian(filter, 1.0 / mu, 1.0, 0, &one, &takes_part, NULL), NW_OK);
    assert_true(takes_part);
    assert_int_equal(nw_individual_filter_gaussian(filter, 1.0 / wanted, 1.0, 0, &one, &takes_part, NULL), NW_OK);
    nw_individual_filter_free(filter);
    return takes_part ? wanted : 0.0;
}

/* Twins with a fault: the step at hand is not counted before it is admitted; losses of order 1; the last step's loss alone. */
static double counting_too_late(double mu, double wanted, double order, double limit)
{
    return 0.5 * order * mu * mu <= limit ? wanted : 0.0;
}

static double forgetting_the_order(double mu, double wanted, double order, double limit)
{
    (void)order;
    return 0.5 * (mu * mu + wanted * wanted) <= limit ? wanted : 0.0;
}

static double forgetting_the_past(double mu, double wanted, double order, double limit)
{
    (void)mu;
    return 0.5 * order * wanted * wanted <= limit ? wanted : 0.0;
}

/* The worst divergence over many analysts. */
static double worst_of(second_rule allowed, double order, double limit)
{
    double worst = 0.0;
    const double most = sqrt(2.0 * limit / order);
    for (double share = 0.3; share < 1.0; share += 0.1)
        for (int i = 0; i < 8; i++)
            for (int j = 0; j < 8; j++)
                for (double cut = -1.0; cut <= 7.0; cut += 2.0) {
                    const double mu = share * most;
                    const double second[2] = { allowed(mu, most * (0.3 + 0.1 * i), order, limit),
                        allowed(mu, most * (0.3 + 0.1 * j), order, limit) };
                    worst = fmax(worst, two_step_renyi(order, mu, cut, second));
                }
    return worst;
}

static void individual_filter__bounds_the_divergence_of_adaptive_sums(void **state)
{
    (void)state;
    nw_individual_filter *filter = individual_of(1, 2.0, 8.0);
    const double limit = nw_individual_filter_limit(filter);
    nw_individual_filter_free(filter);
    const double worst = worst_of(by_library, 8.0, limit);
    assert_true(worst <= limit * (1.0 + 1e-12) && worst > 0.9 * limit);
    assert_true(worst_of(counting_too_late, 8.0, limit) > 1.5 * limit);
    assert_true(worst_of(forgetting_the_order, 8.0, limit) > 1.5 * limit);
    assert_true(worst_of(forgetting_the_past, 8.0, limit) > 1.5 * limit);
}

/* What cannot be a norm counts as the clip; a record that contributes nothing is never left out. */
static void individual_filter_gaussian__clips_what_is_no_norm(void **state)
{
    (void)state;
    nw_individual_filter *filter = individual_of(6, 2.0, 8.0);
    const double norms[] = { 0.0, 0.25, 1e300, -0.1, NAN, INFINITY };
    bool takes_part[6];
    double spent[6];
    assert_int_equal(nw_individual_filter_gaussian(filter, 4.0, 0.5, 0, norms, takes_part, NULL), NW_OK);
    nw_individual_filter_spent(filter, spent);
    for (int i = 0; i < 6; i++) {
        const double exact = i == 0 ? 0.0 : i == 1 ? 4.0 / 256.0 : 4.0 / 64.0;
        assert_true(takes_part[i] && spent[i] >= exact && spent[i] <= exact * (1.0 + 0x1p-50));
    }
    assert_int_equal(nw_individual_filter_gaussian(filter, 0.01, 0.5, 0, norms, takes_part, NULL), NW_OK);
    for (int i = 0; i < 6; i++)
        assert_true(takes_part[i] == (i == 0));
    /* left out of a large release, not of a small one */
    assert_int_equal(nw_individual_filter_gaussian(filter, 4.0, 0.5, 0, norms, takes_part, NULL), NW_OK);
    for (int i = 0; i < 6; i++)
        assert_true(takes_part[i]);
    nw_individual_filter_free(filter);
}

static void individual_filter_renyi__adds_what_it_is_given(void **state)
{
    (void)state;
    nw_individual_filter *filter = individual_of(4, 2.0, 8.0);
    const double limit = nw_individual_filter_limit(filter);
    const double losses[] = { 0.75 * limit, NAN, -1.0, INFINITY };
    const double rest[] = { 0.25 * limit, limit, limit * (1.0 + 1e-12), 0.0 };
    bool takes_part[4];
    double spent[4];
    assert_int_equal(nw_individual_filter_renyi(filter, 0, losses, takes_part, NULL), NW_OK);
    assert_true(takes_part[0] && !takes_part[1] && !takes_part[2] && !takes_part[3]);
    assert_int_equal(nw_individual_filter_renyi(filter, 0, rest, takes_part, NULL), NW_OK);
    assert_true(takes_part[1] && !takes_part[2] && takes_part[3]);
    nw_individual_filter_spent(filter, spent);
    assert_true(spent[1] == limit && spent[2] == 0.0 && spent[3] == 0.0);
    assert_true(takes_part[0] ? spent[0] == limit : spent[0] == 0.75 * limit);
    nw_individual_filter_free(filter);
}

/* (1 + e^epsilon) N 2^-150 against delta 2^-10; refused, nothing is charged and the mask is not touched. */
static void individual_filter__charges_the_samplers_distance(void **state)
{
    (void)state;
    nw_individual_filter_opts o = individual_options(1, 40.0, 8.0);
    nw_individual_filter *filter = NULL;
    const double one = 1.0;
    bool takes_part = false;
    double spent = -1.0;
    nw_error err;
    o.delta = 1e-18;
    assert_int_equal(nw_individual_filter_new(&filter, &o, NULL), NW_OK);
    const uint64_t most = (uint64_t)(1e-18 * 0x1p-10 / ((1.0 + exp(40.0)) * 0x1p-150));
    assert_int_equal(nw_individual_filter_gaussian(filter, 1.0, 1.0, most + most / 1000, &one, &takes_part, &err), NW_E_BUDGET);
    assert_non_null(strstr(err.message, "sampling"));
    assert_int_equal(nw_individual_filter_renyi(filter, UINT64_MAX, &one, &takes_part, &err), NW_E_BUDGET);
    nw_individual_filter_spent(filter, &spent);
    assert_true(!takes_part && spent == 0.0);
    assert_int_equal(nw_individual_filter_gaussian(filter, 1.0, 1.0, most - most / 1000, &one, &takes_part, NULL), NW_OK);
    assert_true(takes_part);
    assert_int_equal(nw_individual_filter_gaussian(filter, 1.0, 1.0, most / 100, &one, &takes_part, &err), NW_E_BUDGET);
    nw_individual_filter_free(filter);
}

static void individual_filter__names_what_is_wrong(void **state)
{
    (void)state;
    const struct {
        const char *word;
        size_t records;
        double epsilon, delta, order;
        nw_adjacency adjacency;
    } cases[] = {
        { "records is 0", 0, 1.0, 1e-5, 8.0, NW_ADD_REMOVE },
        { "epsilon is 0", 4, 0.0, 1e-5, 8.0, NW_ADD_REMOVE },
        { "delta is -1", 4, 1.0, -1.0, 8.0, NW_ADD_REMOVE },
        { "delta is 0", 4, 1.0, 0.0, 8.0, NW_ADD_REMOVE },
        { "order is 1", 4, 1.0, 1e-5, 1.0, NW_ADD_REMOVE },
        { "lets nothing through", 4, 1.0, 1e-5, 1.5, NW_ADD_REMOVE },
        { "adjacency is replace_one", 4, 1.0, 1e-5, 16.0, NW_REPLACE_ONE },
        { "adjacency is unset", 4, 1.0, 1e-5, 16.0, NW_ADJACENCY_UNSET },
    };
    nw_individual_filter *filter = NULL;
    nw_error err;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nw_individual_filter_opts o = individual_options(cases[i].records, cases[i].epsilon, cases[i].order);
        o.delta = cases[i].delta;
        o.adjacency = cases[i].adjacency;
        assert_int_equal(nw_individual_filter_new(&filter, &o, &err), NW_E_ARG);
        if (strstr(err.message, cases[i].word) == NULL)
            fail_msg("'%s' is not in '%s'", cases[i].word, err.message);
        assert_null(filter);
    }
    nw_individual_filter_opts o;
    memset(&o, 0x5a, sizeof o);
    nw_individual_filter_opts_init(&o, sizeof o);
    assert_int_equal(nw_individual_filter_new(&filter, &o, &err), NW_E_ARG); /* nothing has a default */
    o = individual_options(SIZE_MAX / 2, 2.0, 16.0);
    assert_int_equal(nw_individual_filter_new(&filter, &o, &err), NW_E_NOMEM);
    o = individual_options(1, 2.0, 16.0);
    o.adjacency = NW_ZERO_OUT;
    assert_int_equal(nw_individual_filter_new(NULL, &o, &err), NW_E_ARG);
    assert_int_equal(nw_individual_filter_new(&filter, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_individual_filter_new(&filter, &o, NULL), NW_OK);
    const double one = 1.0;
    bool mask = false;
    const double bad[] = { 0.0, -1.0, NAN, INFINITY };
    for (int i = 0; i < 4; i++) {
        assert_int_equal(nw_individual_filter_gaussian(filter, bad[i], 1.0, 0, &one, &mask, &err), NW_E_ARG);
        assert_int_equal(nw_individual_filter_gaussian(filter, 1.0, bad[i], 0, &one, &mask, &err), NW_E_ARG);
    }
    assert_int_equal(nw_individual_filter_gaussian(filter, 1e-60, 1e60, 0, &one, &mask, &err), NW_E_ARG);
    assert_int_equal(nw_individual_filter_gaussian(filter, 1.0, 1.0, 0, NULL, &mask, &err), NW_E_ARG);
    assert_int_equal(nw_individual_filter_gaussian(filter, 1.0, 1.0, 0, &one, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_individual_filter_gaussian(NULL, 1.0, 1.0, 0, &one, &mask, &err), NW_E_ARG);
    assert_int_equal(nw_individual_filter_renyi(filter, 0, NULL, &mask, &err), NW_E_ARG);
    assert_int_equal(nw_individual_filter_renyi(filter, 0, &one, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_individual_filter_renyi(NULL, 0, &one, &mask, &err), NW_E_ARG);
    assert_false(mask);
    nw_individual_filter_free(filter);
    nw_individual_filter_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(individual_filter__no_record_passes_its_budget),
        cmocka_unit_test(individual_filter__bounds_the_divergence_of_adaptive_sums),
        cmocka_unit_test(individual_filter_gaussian__clips_what_is_no_norm),
        cmocka_unit_test(individual_filter_renyi__adds_what_it_is_given),
        cmocka_unit_test(individual_filter__charges_the_samplers_distance),
        cmocka_unit_test(individual_filter__names_what_is_wrong),
    };
    return cmocka_run_group_tests_name("individual_filter", tests, NULL, NULL);
}
