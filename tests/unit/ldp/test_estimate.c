/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_estimate.c - counts, rules, trees, numbers and the defences, against closed forms, projections by other methods, and least
 * squares by solving the normal equations. */
#include "ldp_support.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_linalg.h>

/* ---- counts ---- */

/* Expected supports give the counts back; errors are those of the law. */
static void estimate__inverts_the_law(void **state)
{
    (void)state;
    for (int k = NW_LDP_GRR; k <= NW_LDP_PROJECTIVE; k++) {
        const nw_ldp_campaign c = make((nw_ldp_oracle)k, 1.0, 20);
        const nw_ldp_law law = nw_ldp_campaign_law(&c);
        const uint64_t reports = 1000000000;
        const double held[3] = { 0.0, 123456789.0, 1e9 };
        int64_t supports[4];
        double counts[4];
        double errors[4];
        for (int i = 0; i < 3; i++)
            supports[i] = (int64_t)llround(held[i] * law.own + (1e9 - held[i]) * law.other);
        supports[3] = supports[0] - 100000000; /* a negative count */
        assert_int_equal(nw_ldp_estimate(&c, reports, supports, 4, counts, errors, NULL), NW_OK);
        for (int i = 0; i < 3; i++) {
            assert_near(counts[i], held[i], 1.0 / (law.own - law.other));
            assert_near(errors[i], nw_ldp_campaign_deviation(&c, 1e9, held[i]), 1e-3 * errors[i]);
        }
        assert_true(counts[3] < 0.0);
        assert_near(errors[3], errors[0], 1e-6 * errors[0]);
        assert_int_equal(nw_ldp_estimate(&c, reports, supports, 4, counts, NULL, NULL), NW_OK);
    }
    const nw_ldp_campaign wave = make(NW_LDP_SQUARE_WAVE, 1.0, 8);
    nw_error err;
    int64_t support = 0;
    double count = 0.0;
    assert_int_equal(nw_ldp_estimate(&wave, 1, &support, 1, &count, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_estimate(NULL, 1, &support, 1, &count, NULL, &err), NW_E_ARG);
    const nw_ldp_campaign c = make(NW_LDP_GRR, 1.0, 8);
    assert_int_equal(nw_ldp_estimate(&c, 1, NULL, 1, &count, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_estimate(&c, 1, &support, 1, NULL, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_estimate(NULL, 0, NULL, 0, &count, NULL, &err), NW_E_ARG);
    assert_true(isnan(nw_ldp_campaign_deviation(&wave, 10.0, 1.0)));
}

/* ---- rules ---- */

/* The nearest point by bisection of the multiplier. */
static void projected(const double *c, const double *errors, size_t n, double total, double *x)
{
    double low = -1e12;
    double high = 1e12;
    for (int step = 0; step < 200; step++) {
        const double lambda = 0.5 * (low + high);
        double sum = 0.0;
        for (size_t i = 0; i < n; i++) {
            x[i] = fmax(0.0, c[i] - lambda * (errors != NULL ? errors[i] * errors[i] : 1.0));
            sum += x[i];
        }
        *(sum > total ? &low : &high) = lambda;
    }
}

static void postprocess__projects(void **state)
{
    (void)state;
    enum { N = 40 };
    for (uint32_t seed = 0; seed < 50; seed++) {
        double counts[N];
        double errors[N];
        double wanted[N];
        const double total = 10.0 + 300.0 * (seed % 5);
        for (uint32_t i = 0; i < N; i++) {
            counts[i] = (double)(nw__ldp_word(seed, i) % 2000) / 10.0 - 100.0;
            errors[i] = 1.0 + (double)(nw__ldp_word(seed, i + 100) % 50);
        }
        const bool is_weighted = seed % 2 == 1;
        projected(counts, is_weighted ? errors : NULL, N, total, wanted);
        assert_int_equal(nw_ldp_postprocess(is_weighted ? NW_LDP_SIMPLEX : NW_LDP_NORM_SUB, counts, is_weighted ? errors : NULL,
                             N, total, 0.0, NULL),
            NW_OK);
        double sum = 0.0;
        for (int i = 0; i < N; i++) {
            assert_near(counts[i], wanted[i], 1e-6);
            sum += counts[i];
        }
        assert_near(sum, total, 1e-6);
    }
}

static void postprocess__cuts_what_noise_reaches(void **state)
{
    (void)state;
    const double z = gsl_cdf_ugaussian_Qinv(0.01 / 4.0); /* one of four, at risk 0.01 */
    double counts[4] = { 10.0 * z * 0.999, 10.0 * z * 1.001, -50.0, 5.0 };
    const double errors[4] = { 10.0, 10.0, 10.0, 0.0 };
    assert_int_equal(nw_ldp_postprocess(NW_LDP_BASE_CUT, counts, errors, 4, 0.0, 0.01, NULL), NW_OK);
    assert_true(counts[0] == 0.0 && counts[1] > 0.0 && counts[2] == 0.0 && counts[3] == 5.0);
    double same[2] = { -3.0, 7.5 };
    assert_int_equal(nw_ldp_postprocess(NW_LDP_UNBIASED, same, NULL, 2, 0.0, 0.0, NULL), NW_OK);
    assert_true(same[0] == -3.0 && same[1] == 7.5);
    double cut[1] = { 2.0 }; /* the default risk, 0.05: z = 1.645 */
    const double one[1] = { 1.25 };
    assert_int_equal(nw_ldp_postprocess(NW_LDP_BASE_CUT, cut, one, 1, 0.0, 0.0, NULL), NW_OK);
    assert_true(cut[0] == 0.0);
}

static void postprocess__refuses(void **state)
{
    (void)state;
    nw_error err;
    double counts[2] = { 1.0, NAN };
    const double errors[2] = { 1.0, 0.0 };
    assert_int_equal(nw_ldp_postprocess((nw_ldp_rule)0, counts, errors, 1, 1.0, 0.0, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_postprocess((nw_ldp_rule)5, counts, errors, 1, 1.0, 0.0, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_postprocess(NW_LDP_NORM_SUB, counts, NULL, 1, 0.0, 0.0, &err), NW_E_ARG);
    assert_string_equal(err.message, "total is 0, must be above 0");
    assert_int_equal(nw_ldp_postprocess(NW_LDP_NORM_SUB, counts, NULL, 1, INFINITY, 0.0, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_postprocess(NW_LDP_BASE_CUT, counts, errors, 1, 1.0, 1.0, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_postprocess(NW_LDP_BASE_CUT, counts, NULL, 1, 1.0, 0.1, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_postprocess(NW_LDP_NORM_SUB, counts, NULL, 2, 1.0, 0.0, &err), NW_E_ARG); /* NaN */
    counts[1] = 1.0;
    assert_int_equal(nw_ldp_postprocess(NW_LDP_SIMPLEX, counts, errors, 2, 1.0, 0.0, &err), NW_E_ARG); /* an error of 0 */
    assert_int_equal(nw_ldp_postprocess(NW_LDP_NORM_SUB, NULL, NULL, 2, 1.0, 0.0, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_postprocess(NW_LDP_NORM_SUB, counts, NULL, 0, 1.0, 0.0, &err), NW_OK);
    assert_string_equal(nw_ldp_rule_name(NW_LDP_NORM_SUB), "norm_sub");
    assert_string_equal(nw_ldp_rule_name((nw_ldp_rule)9), "unknown rule");
}

/* ---- trees ---- */

/* Leaves x minimise sum over nodes of (count - sum of its leaves)^2 / variance: the normal equations, solved by LU. */
static void consistent__is_least_squares(void **state)
{
    (void)state;
    enum { ROOTS = 2, FANOUT = 3, LEVELS = 3, LEAVES = 18, NODES = 26 };
    const double deviations[LEVELS] = { 2.0, 0.7, 1.5 };
    double counts[NODES];
    gsl_matrix *a = gsl_matrix_calloc(LEAVES, LEAVES);
    gsl_vector *b = gsl_vector_calloc(LEAVES);
    gsl_vector *x = gsl_vector_calloc(LEAVES);
    for (uint32_t i = 0; i < NODES; i++)
        counts[i] = (double)(nw__ldp_word(3, i) % 1000) / 10.0;
    size_t start = 0;
    for (size_t level = 0, nodes = ROOTS; level < LEVELS; start += nodes, nodes *= FANOUT, level++)
        for (size_t node = 0; node < nodes; node++) {
            const size_t width = LEAVES / nodes;
            const double weight = 1.0 / (deviations[level] * deviations[level]);
            for (size_t i = node * width; i < (node + 1) * width; i++) {
                *gsl_vector_ptr(b, i) += weight * counts[start + node];
                for (size_t j = node * width; j < (node + 1) * width; j++)
                    *gsl_matrix_ptr(a, i, j) += weight;
            }
        }
    int sign = 0;
    gsl_permutation *p = gsl_permutation_alloc(LEAVES);
    gsl_linalg_LU_decomp(a, p, &sign);
    gsl_linalg_LU_solve(a, p, b, x);
    assert_int_equal(nw_ldp_consistent(counts, deviations, LEVELS, ROOTS, FANOUT, NULL), NW_OK);
    start = 0;
    for (size_t level = 0, nodes = ROOTS; level < LEVELS; start += nodes, nodes *= FANOUT, level++)
        for (size_t node = 0; node < nodes; node++) {
            double sum = 0.0;
            for (size_t i = node * (LEAVES / nodes); i < (node + 1) * (LEAVES / nodes); i++)
                sum += gsl_vector_get(x, i);
            assert_near(counts[start + node], sum, 1e-9);
        }
    gsl_permutation_free(p);
    gsl_matrix_free(a);
    gsl_vector_free(b);
    gsl_vector_free(x);
}

static void consistent__refuses(void **state)
{
    (void)state;
    nw_error err;
    double counts[3] = { 1.0, 2.0, 3.0 };
    const double deviations[2] = { 1.0, 0.0 };
    assert_int_equal(nw_ldp_consistent(NULL, deviations, 1, 1, 2, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_consistent(counts, NULL, 1, 1, 2, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_consistent(counts, deviations, 0, 1, 2, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_consistent(counts, deviations, 65, 1, 2, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_consistent(counts, deviations, 1, 0, 2, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_consistent(counts, deviations, 1, 1, 1, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_consistent(counts, deviations, 2, 1, 2, &err), NW_E_ARG);
    assert_string_equal(err.message, "deviation of level 1 is 0, must be above 0");
    const double ones[64] = { 1.0, 1.0, 1.0 };
    assert_int_equal(nw_ldp_consistent(counts, ones, 3, SIZE_MAX / 4, 4, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_consistent(counts, ones, 1, 3, 2, &err), NW_OK);
}

/* ---- numbers ---- */

static void number__is_the_place_between_bounds(void **state)
{
    (void)state;
    const uint64_t one = UINT64_C(1) << 32;
    assert_int_equal(nw_ldp_number(5.0, 0.0, 10.0).low, one / 2);
    assert_int_equal(nw_ldp_number(-1.0, 0.0, 10.0).low, 0);
    assert_int_equal(nw_ldp_number(NAN, 0.0, 10.0).low, 0);
    assert_int_equal(nw_ldp_number(INFINITY, 0.0, 10.0).low, one);
    assert_int_equal(nw_ldp_number(-INFINITY, 0.0, 10.0).low, 0);
    assert_int_equal(nw_ldp_number(10.0, 0.0, 10.0).low, one);
    assert_int_equal(nw_ldp_number(0.0, -3.0, 1.0).low, 3 * (one / 4));
}

/* Expected counts of outputs of numbers at several places give their mean, and its variance: by adding up over all outputs. */
static void mean__inverts_the_law(void **state)
{
    (void)state;
    enum { PLACES = 5 };
    const double places[PLACES] = { 0.0, 0.25, 0.3, 0.9, 1.0 };
    const double epsilons[] = { 0.5, 2.0, 5.0 };
    for (size_t e = 0; e < 3; e++) {
        const nw_ldp_campaign c = make(NW_LDP_PIECEWISE, epsilons[e], 0);
        nw_ldp_aggregate *a = empty(&c);
        const nw__ldp_density density = nw__ldp_density_of(&c);
        const double steps = (double)(c.symbols - c.band);
        double variance = 0.0;
        uint64_t reports = 0;
        for (int i = 0; i < PLACES; i++) {
            const uint64_t input = (uint64_t)llround(places[i] * steps);
            double mean = 0.0;
            double square = 0.0;
            for (uint64_t y = 0; y < c.symbols; y++) {
                const double p = y >= input && y < input + c.band ? density.inside : density.outside;
                const uint64_t n = (uint64_t)llround(1e12 * p);
                a->table[y] += n;
                reports += n;
                mean += p * (double)y;
                square += p * (double)y * (double)y;
            }
            const double slope = c.band * (density.inside - density.outside);
            variance += (square - mean * mean) / (slope * slope * steps * steps);
        }
        a->reports[0] = reports;
        double mean = 0.0;
        double error = 0.0;
        assert_int_equal(nw_ldp_aggregate_mean(a, -10.0, 30.0, &mean, &error, NULL), NW_OK);
        assert_near(mean, -10.0 + 40.0 * 0.49, 40.0 / steps);
        const double wanted = 40.0 * sqrt(variance / PLACES / (double)reports);
        assert_near(error, wanted, 1e-3 * wanted);
        assert_true(nw_ldp_campaign_deviation(&c, (double)reports, 0.0) * 40.0 >= wanted);
        nw_ldp_aggregate_free(a);
    }
}

static void mean__of_duchi_inverts_the_law(void **state)
{
    (void)state;
    const nw_ldp_campaign c = make(NW_LDP_DUCHI, 1.0, 0);
    nw_ldp_aggregate *a = empty(&c);
    const double p = (double)c.keep * 0x1p-64;
    assert_near(p, exp(1.0) / (exp(1.0) + 1.0), 1e-9); /* [DJW18, eq. 26]: the coin of one bounded number */
    a->reports[0] = 1000000000;
    a->table[1] = (uint64_t)llround(1e9 * (0.2 * p + 0.8 * (1.0 - p)));
    a->table[0] = a->reports[0] - a->table[1];
    double mean = 0.0;
    double error = 0.0;
    assert_int_equal(nw_ldp_aggregate_mean(a, 0.0, 1.0, &mean, &error, NULL), NW_OK);
    assert_near(mean, 0.2, 1e-8);
    assert_true(error > 0.0 && error <= nw_ldp_campaign_deviation(&c, 1e9, 0.0) * (1.0 + 1e-9));
    nw_ldp_aggregate_free(a);
}

static void mean__refuses(void **state)
{
    (void)state;
    nw_error err;
    double mean = 0.0;
    double fractions[8];
    const nw_ldp_campaign duchi = make(NW_LDP_DUCHI, 1.0, 0);
    const nw_ldp_campaign wave = make(NW_LDP_SQUARE_WAVE, 1.0, 8);
    nw_ldp_aggregate *a = empty(&duchi);
    nw_ldp_aggregate *b = empty(&wave);
    assert_int_equal(nw_ldp_aggregate_mean(a, 0.0, 1.0, &mean, NULL, &err), NW_E_STATE);
    assert_int_equal(nw_ldp_aggregate_mean(a, 1.0, 1.0, &mean, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_mean(a, NAN, 1.0, &mean, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_mean(b, 0.0, 1.0, &mean, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_mean(NULL, 0.0, 1.0, &mean, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_histogram(b, true, fractions, &err), NW_E_STATE);
    assert_int_equal(nw_ldp_aggregate_histogram(a, true, fractions, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_histogram(NULL, true, fractions, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_histogram(b, true, NULL, &err), NW_E_ARG);
    nw_ldp_aggregate_free(a);
    nw_ldp_aggregate_free(b);
}

/* Expected counts of a known histogram: without smoothing they have it as the maximum of their likelihood; with smoothing it
 * comes out nearly so, as it is smooth. */
static void histogram__finds_what_made_the_counts(void **state)
{
    (void)state;
    enum { CELLS = 16 };
    const nw_ldp_campaign c = make(NW_LDP_SQUARE_WAVE, 3.0, CELLS);
    const nw__ldp_density density = nw__ldp_density_of(&c);
    nw_ldp_aggregate *a = empty(&c);
    double truth[CELLS];
    double found[CELLS];
    double sum = 0.0;
    for (int i = 0; i < CELLS; i++)
        sum += truth[i] = exp(-0.05 * (i - 6.0) * (i - 6.0));
    for (uint64_t y = 0; y < c.outputs; y++) {
        double p = 0.0;
        for (uint64_t i = 0; i < CELLS; i++)
            p += truth[i] / sum * (y >= i && y < i + c.band ? density.inside : density.outside);
        a->table[y] = (uint64_t)llround(1e9 * p);
        a->reports[0] += a->table[y];
    }
    for (int is_smoothed = 0; is_smoothed < 2; is_smoothed++) {
        double total = 0.0;
        double distance = 0.0;
        assert_int_equal(nw_ldp_aggregate_histogram(a, is_smoothed != 0, found, NULL), NW_OK);
        for (int i = 0; i < CELLS; i++) {
            total += found[i];
            distance += fabs(found[i] - truth[i] / sum);
        }
        assert_near(total, 1.0, 1e-9);
        assert_true(distance < (is_smoothed != 0 ? 0.1 : 0.01));
    }
    nw_ldp_aggregate_free(a);
}

/* ---- poisoning ---- */

/* The published gains [CJG21], with e = e^epsilon: GRR f (1 - m) + f (d - r) / (e - 1), OUE and OLH of g = e + 1
 * f (2 r - m) + 2 f r / (e - 1). */
static void attack_gain__is_the_published_one(void **state)
{
    (void)state;
    const double e = exp(2.0);
    nw_ldp_campaign c = make(NW_LDP_GRR, 2.0, 50);
    assert_near(nw_ldp_attack_gain(&c, 0.05, 10.0, 0.2), 0.05 * 0.8 + 0.05 * 40.0 / (e - 1.0), 1e-6);
    c = make(NW_LDP_OUE, 2.0, 50);
    assert_near(nw_ldp_attack_gain(&c, 0.05, 10.0, 0.2), 0.05 * 19.8 + 0.1 * 10.0 / (e - 1.0), 1e-6);
    nw_ldp_campaign_opts o = options(NW_LDP_OLH, log(7.0), 50); /* g = 8 is exact */
    c = campaign_of(o);
    assert_int_equal(c.symbols, 8);
    const double private_coin = nw_ldp_attack_gain(&c, 0.05, 10.0, 0.2);
    assert_near(private_coin, 0.05 * 19.8 + 0.1 * 10.0 / 6.0, 1e-3);
    o.is_public_coin = true;
    c = campaign_of(o);
    const double public_coin = nw_ldp_attack_gain(&c, 0.05, 10.0, 0.2);
    assert_true(public_coin < 0.6 * private_coin && public_coin > 0.0);
    c = make(NW_LDP_DUCHI, 2.0, 0);
    assert_true(isnan(nw_ldp_attack_gain(&c, 0.05, 10.0, 0.2)));
}

/* Fake users who looked for seeds that put many targets into one cell are taken out, few honest ones are. */
static void screen__removes_reports_of_chosen_seeds(void **state)
{
    (void)state;
    enum { HONEST = 2000, FAKES = 50, TARGETS = 100 };
    const nw_ldp_campaign c = make(NW_LDP_OLH, 2.0, 100000);
    nw_ldp_aggregate *a = empty(&c);
    nw_rng *rng = seeded(8);
    nw_ldp_item held[HONEST] = { { 0, 0 } };
    nw_ldp_item targets[TARGETS];
    for (uint64_t i = 0; i < TARGETS; i++)
        targets[i] = item_of(500 + 13 * i);
    add_reports(a, rng, held, HONEST, -1);
    uint64_t fakes = 0;
    for (uint32_t seed = 0; fakes < FAKES; seed++) {
        uint32_t cells[64] = { 0 };
        for (int i = 0; i < TARGETS; i++)
            cells[nw__ldp_cell(&c, seed, targets[i], nw__ldp_pieces(&c, 0))]++;
        for (uint32_t y = 0; y < c.symbols; y++)
            if (cells[y] >= 48) { /* a quarter of it is what honest users expect: four times the mean */
                uint8_t report[16] = { NW__LDP_MARK, 1, NW_LDP_OLH, 0 };
                memcpy(report + 4, c.digest, 6);
                nw__put(report + 10, seed, 4);
                nw__put(report + 14, y, 2);
                assert_int_equal(nw_ldp_aggregate_add(a, report, 16, NULL, NULL, NULL), NW_OK);
                fakes++;
            }
        assert_true(seed < 100000000);
    }
    uint64_t removed = 0;
    assert_int_equal(nw_ldp_aggregate_screen(a, 0, targets, TARGETS, 0.01, &removed, NULL), NW_OK);
    assert_in_range(removed, fakes, fakes + HONEST / 100);
    assert_int_equal(nw_ldp_aggregate_count(a, NW_LDP_SUSPECT), removed);
    assert_int_equal(nw_ldp_aggregate_count(a, NW_LDP_ACCEPTED), HONEST + fakes - removed);
    assert_int_equal(nw_ldp_aggregate_reports(a, 0), HONEST + fakes - removed);
    nw_error err;
    assert_int_equal(nw_ldp_aggregate_screen(a, 0, targets, TARGETS, 0.0, &removed, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_screen(a, 0, NULL, TARGETS, 0.1, &removed, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_aggregate_screen(NULL, 0, targets, TARGETS, 0.1, &removed, &err), NW_E_ARG);
    nw_ldp_aggregate_free(a);
    const nw_ldp_campaign grr = make(NW_LDP_GRR, 1.0, 10);
    a = empty(&grr);
    assert_int_equal(nw_ldp_aggregate_screen(a, 0, targets, 0, 0.1, &removed, &err), NW_E_UNSUPPORTED);
    nw_ldp_aggregate_free(a);
    nw_rng_free(rng);
}

static void combine__trims_and_weighs(void **state)
{
    (void)state;
    nw_error err;
    const double counts[5][2] = { { 10.0, 1.0 }, { 40.0, 2.0 }, { 900.0, 3.0 }, { 5.0, 4.0 }, { 20.0, -50.0 } };
    const double sizes[5] = { 100.0, 200.0, 100.0, 100.0, 100.0 };
    double out[2];
    assert_int_equal(nw_ldp_combine(counts[0], sizes, 5, 2, 0, out, &err), NW_OK);
    assert_near(out[0], 975.0, 1e-9);
    assert_near(out[1], -40.0, 1e-9);
    assert_int_equal(nw_ldp_combine(counts[0], sizes, 5, 2, 2, out, &err), NW_OK); /* frequencies .1 .2 9 .05 .2; ... */
    assert_near(out[0], 0.2 * 600.0, 1e-9);
    assert_near(out[1], 0.01 * 600.0, 1e-9); /* .01 .01 .03 .04 -.5 */
    assert_int_equal(nw_ldp_combine(counts[0], sizes, 5, 2, 1, out, &err), NW_OK);
    assert_near(out[0], (0.1 * 100.0 + 0.2 * 300.0) / 400.0 * 600.0, 1e-9);
    assert_int_equal(nw_ldp_combine(counts[0], sizes, 5, 2, 3, out, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_combine(counts[0], sizes, 0, 2, 0, out, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_combine(NULL, sizes, 5, 2, 0, out, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_combine(counts[0], NULL, 5, 2, 0, out, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_combine(counts[0], sizes, 5, 2, 0, NULL, &err), NW_E_ARG);
    const double none[5] = { 100.0, 0.0, 1.0, 1.0, 1.0 };
    assert_int_equal(nw_ldp_combine(counts[0], none, 5, 2, 0, out, &err), NW_E_ARG);
    assert_string_equal(err.message, "size of party 1 is 0, must be above 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(estimate__inverts_the_law),
        cmocka_unit_test(postprocess__projects),
        cmocka_unit_test(postprocess__cuts_what_noise_reaches),
        cmocka_unit_test(postprocess__refuses),
        cmocka_unit_test(consistent__is_least_squares),
        cmocka_unit_test(consistent__refuses),
        cmocka_unit_test(number__is_the_place_between_bounds),
        cmocka_unit_test(mean__inverts_the_law),
        cmocka_unit_test(mean__of_duchi_inverts_the_law),
        cmocka_unit_test(mean__refuses),
        cmocka_unit_test(histogram__finds_what_made_the_counts),
        cmocka_unit_test(attack_gain__is_the_published_one),
        cmocka_unit_test(screen__removes_reports_of_chosen_seeds),
        cmocka_unit_test(combine__trims_and_weighs),
    };
    return cmocka_run_group_tests_name("ldp_estimate", tests, NULL, NULL);
}
