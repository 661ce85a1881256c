/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_choice.c - nw_select, and quantiles, minima and maxima: exact laws by enumeration, losses of all small neighbours, scores
 * against ranks counted one by one. */
#include "stats_internal.h"
#include "stats_support.h"

#include <gsl/gsl_cdf.h>

/* ---- laws, written down from the papers ---- */

enum { MOST = 6, REACH = 600 };

static void law_exponential(const int64_t *scores, size_t n, double gamma, double *p)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += exp(gamma * (double)scores[i]);
    for (size_t i = 0; i < n; i++)
        p[i] = exp(gamma * (double)scores[i]) / sum;
}

/* Over all orders: the first whose coin says yes, none before it having done so. */
static void walk_orders(const int64_t *scores, size_t n, double best, double gamma, unsigned used, double weight, double *p)
{
    size_t left = 0;
    for (size_t i = 0; i < n; i++)
        left += !(used >> i & 1);
    for (size_t i = 0; i < n; i++) {
        if (used >> i & 1)
            continue;
        const double coin = exp(-gamma * (best - (double)scores[i]));
        p[i] += weight / (double)left * coin;
        if (coin < 1.0)
            walk_orders(scores, n, best, gamma, used | 1U << i, weight / (double)left * (1.0 - coin), p);
    }
}

static void law_permute_and_flip(const int64_t *scores, size_t n, double gamma, double *p)
{
    double best = (double)scores[0];
    for (size_t i = 0; i < n; i++) {
        best = fmax(best, (double)scores[i]);
        p[i] = 0.0;
    }
    walk_orders(scores, n, best, gamma, 0, 1.0, p);
}

/* P[Z <= k] of the discrete Laplace law with e^(-1/b) = q. */
static double laplace_below(double q, int64_t k)
{
    return k >= 0 ? 1.0 - pow(q, (double)k + 1.0) / (1.0 + q) : pow(q, (double)-k) / (1.0 + q);
}

/* i wins with noise z if those before it stay below, and those behind it at or below. */
static void law_noisy_max(const int64_t *scores, size_t n, double gamma, double *p)
{
    const double q = exp(-gamma);
    for (size_t i = 0; i < n; i++) {
        p[i] = 0.0;
        for (int64_t z = -REACH; z <= REACH; z++) {
            double joint = (1.0 - q) / (1.0 + q) * pow(q, fabs((double)z));
            for (size_t j = 0; j < n; j++)
                if (j != i)
                    joint *= laplace_below(q, scores[i] + z - scores[j] - (j < i));
            p[i] += joint;
        }
    }
}

typedef void (*law)(const int64_t *scores, size_t n, double gamma, double *p);
static const law LAWS[] = { NULL, law_exponential, law_noisy_max, law_permute_and_flip };

static double p_value(const uint64_t *counts, size_t n, uint64_t draws, const double *p)
{
    double chi = 0.0;
    for (size_t i = 0; i < n; i++)
        chi += pow((double)counts[i] - (double)draws * p[i], 2.0) / ((double)draws * p[i]);
    return gsl_cdf_chisq_Q(chi, (double)n - 1.0);
}

static nw_select_opts select_options(nw_select_mechanism mechanism, double epsilon, uint64_t sensitivity)
{
    nw_select_opts o = NW_SELECT_OPTS_INIT;
    o.mechanism = mechanism;
    o.epsilon = epsilon;
    o.sensitivity = sensitivity;
    o.adjacency = NW_ADD_REMOVE;
    return o;
}

static nw_ledger *free_ledger(void)
{
    nw_ledger *ledger = NULL;
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    o.delta = 1e-9;
    o.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_ledger_unlimited(&ledger, &o, NULL), NW_OK);
    return ledger;
}

/* 5,000 draws tell gamma x 1.5 (noise x 2 / 3), and the laws from each other, at 1e-9. */
static void select__draws_the_exact_law(void **state)
{
    (void)state;
    enum { DRAWS = 5000, N = 5 };
    const int64_t scores[N] = { 0, 3, 5, 5, 2 };
    const double gamma = 1.8 / (2.0 * 2.0);
    for (nw_select_mechanism m = NW_SELECT_EXPONENTIAL; m <= NW_SELECT_PERMUTE_AND_FLIP; m++) {
        const nw_select_opts o = select_options(m, 1.8, 2);
        nw_rng *rng = seeded(40 + (uint64_t)m);
        nw_ledger *ledger = NULL;
        uint64_t counts[N] = { 0 };
        double p[N];
        for (size_t i = 0; i < DRAWS; i++) {
            size_t chosen = SIZE_MAX;
            if (i % 250 == 0) { /* a ledger slows down as it grows */
                nw_ledger_close(ledger);
                ledger = free_ledger();
            }
            assert_int_equal(nw_select(&o, scores, N, rng, ledger, "one", &chosen, NULL, NULL), NW_OK);
            counts[chosen]++;
        }
        LAWS[m](scores, N, gamma, p);
        const double honest = p_value(counts, N, DRAWS, p);
        LAWS[m](scores, N, 1.5 * gamma, p);
        const double mutant = p_value(counts, N, DRAWS, p);
        LAWS[m % 3 + 1](scores, N, gamma, p);
        const double other = p_value(counts, N, DRAWS, p);
        print_message(
            "# mechanism %d: p %.3g; of gamma x 1.5: %.3g; of another mechanism: %.3g\n", (int)m, honest, mutant, other);
        assert_true(honest > 1e-9 && mutant < 1e-9 && other < 1e-9);
        nw_rng_free(rng);
        nw_ledger_close(ledger);
    }
}

/* All pairs of scores in {0, 1, 2}^3 whose members differ by at most 1: the loss of the laws above is at most epsilon. Ties go to
 * the first candidate, whose noise is discrete: the case that a proof for continuous noise leaves out. */
static void select__loses_at_most_epsilon(void **state)
{
    (void)state;
    enum { N = 3, ALL = 27 };
    const double epsilon = 0.7;
    for (size_t m = 1; m <= 3; m++) {
        double worst = 0.0;
        for (size_t a = 0; a < ALL; a++) {
            const int64_t x[N] = { (int64_t)(a % 3), (int64_t)(a / 3 % 3), (int64_t)(a / 9) };
            double p[N];
            LAWS[m](x, N, epsilon / 2.0, p);
            for (size_t d = 0; d < ALL; d++) {
                const int64_t y[N] = { x[0] + (int64_t)(d % 3) - 1, x[1] + (int64_t)(d / 3 % 3) - 1,
                    x[2] + (int64_t)(d / 9) - 1 };
                double q[N];
                LAWS[m](y, N, epsilon / 2.0, q);
                for (size_t i = 0; i < N; i++)
                    worst = fmax(worst, fabs(log(p[i] / q[i])));
            }
        }
        print_message("# mechanism %zu: loss %.4f of %.4f\n", m, worst, epsilon);
        assert_true(worst <= epsilon * (1.0 + 1e-9) && worst > 0.6 * epsilon);
    }
}

static void select__takes_extreme_scores(void **state)
{
    (void)state;
    const int64_t scores[3] = { INT64_MIN, INT64_MAX, 0 };
    nw_rng *rng = seeded(3);
    nw_ledger *ledger = free_ledger();
    for (nw_select_mechanism m = NW_SELECT_EXPONENTIAL; m <= NW_SELECT_PERMUTE_AND_FLIP; m++) {
        const nw_select_opts o = select_options(m, 1.0, 1);
        size_t chosen = SIZE_MAX;
        assert_int_equal(nw_select(&o, scores, 3, rng, ledger, "extreme", &chosen, NULL, NULL), NW_OK);
        assert_int_equal(chosen, 1);
        assert_int_equal(nw_select(&o, scores, 1, rng, ledger, "alone", &chosen, NULL, NULL), NW_OK);
        assert_int_equal(chosen, 0);
    }
    nw_rng_free(rng);
    nw_ledger_close(ledger);
}

static void select__refusals_choose_nothing(void **state)
{
    (void)state;
    const int64_t scores[2] = { 0, 1 };
    nw_rng *rng = seeded(3);
    nw_ledger *ledger = ledger_of(1.0, 0.0, NW_ADD_REMOVE);
    nw_event *event = NULL;
    nw_receipt receipt;
    size_t chosen = 77;
    nw_select_opts bad[6];
    for (size_t i = 0; i < 6; i++)
        bad[i] = select_options(NW_SELECT_NOISY_MAX, 1.0, 1);
    bad[0].epsilon = 0.0;
    bad[1].sensitivity = 0;
    bad[2].adjacency = NW_ADJACENCY_UNSET;
    bad[3].mechanism = (nw_select_mechanism)9;
    bad[4].epsilon = 1e-15;
    bad[5].epsilon = 1e-13;
    bad[5].sensitivity = UINT64_C(1) << 20;
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(nw_select(&bad[i], scores, 2, rng, ledger, "bad", &chosen, &receipt, NULL), NW_E_ARG);
    const nw_select_opts o = select_options(NW_SELECT_NOISY_MAX, 2.0, 1);
    assert_int_equal(nw_select(&o, scores, 2, rng, ledger, "dear", &chosen, &receipt, NULL), NW_E_BUDGET);
    assert_int_equal(nw_select(&o, scores, 0, rng, ledger, "none", &chosen, &receipt, NULL), NW_E_ARG);
    assert_int_equal(nw_select(&o, NULL, 2, rng, ledger, "none", &chosen, &receipt, NULL), NW_E_ARG);
    assert_int_equal(nw_select(&o, scores, 2, rng, NULL, "none", &chosen, &receipt, NULL), NW_E_ARG);
    assert_string_equal(receipt.head, "");
    assert_int_equal(chosen, 77);
    assert_int_equal(charges_of(ledger), 0);
    assert_int_equal(nw_select_event(&event, &bad[0], NULL), NW_E_ARG);
    const nw_event_kind kinds[] = { NW_EVENT_EXPONENTIAL, NW_EVENT_REPORT_NOISY_MAX, NW_EVENT_PERMUTE_AND_FLIP };
    for (size_t i = 0; i < 3; i++) {
        const nw_select_opts good = select_options((nw_select_mechanism)(i + 1), 1.0, 1);
        assert_int_equal(nw_select_event(&event, &good, NULL), NW_OK);
        assert_int_equal(nw_event_get_kind(event), kinds[i]);
        nw_event_free(event);
    }
    nw_rng_free(rng);
    nw_ledger_close(ledger);
}

/* ---- quantiles ---- */

enum { CELLS = 4, RECORDS = 4 };
static const double RANKS[] = { 0.0, 0.25, 0.5, 0.9, 1.0, 0.3333 };

/* The handle of one query over CELLS values 0, 1, 2, 3. */
static nw_stats *make_choice(nw_stats_kind kind, double rank, size_t groups, double epsilon, nw_adjacency adjacency)
{
    nw_stats_query q = query(kind, groups, 0.0, CELLS - 1.0);
    q.cells = CELLS;
    q.rank = rank;
    return make(&q, 1, options(epsilon, 0.0, adjacency));
}

/* Minus the distance from the wanted rank to the nearest of the ranks L .. U, each counted record by record. */
static double plain_score(const nw__choice *c, const size_t *records, size_t n, size_t cell)
{
    double below = 0.0;
    double upto = 0.0;
    for (size_t i = 0; i < n; i++) {
        below += records[i] < cell;
        upto += records[i] <= cell;
    }
    const double wanted = (double)c->numerator / (double)c->denominator * (double)n + (double)c->offset;
    return wanted < below ? wanted - below : wanted > upto ? upto - wanted : 0.0;
}

static void scores_of(const nw__choice *c, const size_t *records, size_t n, int64_t scores[CELLS])
{
    int64_t counts[CELLS] = { 0 };
    for (size_t i = 0; i < n; i++)
        counts[records[i]]++;
    nw__choice_scores(c, counts, scores);
}

static double largest_change(const int64_t *a, const int64_t *b)
{
    double largest = 0.0;
    for (size_t i = 0; i < CELLS; i++)
        largest = fmax(largest, fabs((double)(a[i] - b[i])));
    return largest;
}

/* Every table of up to RECORDS records, and every neighbour of it. *one: a record comes; *same: one changes its value. */
static void enumerate(const nw__choice *c, double *one, double *same)
{
    *one = *same = 0.0;
    for (size_t n = 0; n <= RECORDS; n++) {
        for (size_t code = 0; code < (size_t)1 << (2 * n); code++) {
            size_t records[RECORDS + 1];
            int64_t scores[CELLS], others[CELLS];
            for (size_t i = 0; i < n; i++)
                records[i] = code >> (2 * i) & 3;
            scores_of(c, records, n, scores);
            for (size_t cell = 0; cell < CELLS; cell++)
                assert_true(fabs((double)scores[cell] - plain_score(c, records, n, cell) * (double)c->denominator) < 1e-9);
            for (size_t value = 0; value < CELLS; value++) {
                records[n] = value;
                scores_of(c, records, n + 1, others);
                *one = fmax(*one, largest_change(scores, others));
                if (n == 0)
                    continue;
                const size_t kept = records[0];
                records[0] = value;
                scores_of(c, records, n, others);
                *same = fmax(*same, largest_change(scores, others));
                records[0] = kept;
            }
        }
    }
}

static void quantile__scores_and_sensitivity_by_enumeration(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof RANKS / sizeof *RANKS + 2; i++) {
        const bool is_rank = i < sizeof RANKS / sizeof *RANKS;
        const nw_stats_kind kind = is_rank ? NW_STATS_QUANTILE : i % 2 == 0 ? NW_STATS_MIN : NW_STATS_MAX;
        nw_stats *handles[3] = { make_choice(kind, is_rank ? RANKS[i] : 0.5, 1, 40.0, NW_ADD_REMOVE),
            make_choice(kind, is_rank ? RANKS[i] : 0.5, 1, 40.0, NW_REPLACE_ONE),
            make_choice(kind, is_rank ? RANKS[i] : 0.5, 2, 40.0, NW_REPLACE_ONE) };
        double one = 0.0;
        double same = 0.0;
        enumerate(&handles[0]->queries[0].choice, &one, &same);
        const double charged[3] = { (double)handles[0]->queries[0].choice.sensitivity,
            (double)handles[1]->queries[0].choice.sensitivity, (double)handles[2]->queries[0].choice.sensitivity };
        assert_true(one == charged[0]);
        assert_true(fmax(one, same) == charged[1]);       /* a record may also become one that takes no part */
        assert_true(fmax(2.0 * one, same) == charged[2]); /* it leaves one group for the other: both choices lose */
        for (size_t k = 0; k < 3; k++)
            nw_stats_free(handles[k]);
    }
}

static void quantile__draws_the_exact_law(void **state)
{
    (void)state;
    enum { GROUPS = 40000, N = 3 };
    static uint32_t groups[GROUPS];
    static double values[GROUPS];
    const size_t records[N] = { 0, 2, 2 };
    nw_stats *stats = make_choice(NW_STATS_QUANTILE, 0.5, GROUPS, 1.5, NW_ADD_REMOVE);
    nw_ledger *ledger = ledger_of(1.5, 0.0, NW_ADD_REMOVE);
    nw_rng *rng = seeded(8);
    uint64_t counts[CELLS] = { 0 };
    int64_t doubled[CELLS];
    double p[CELLS];
    for (uint32_t g = 0; g < GROUPS; g++)
        groups[g] = g;
    for (size_t i = 0; i < N; i++) {
        for (size_t g = 0; g < GROUPS; g++)
            values[g] = (double)records[i];
        assert_int_equal(nw_stats_add(stats, 0, groups, values, GROUPS, NULL), NW_OK);
    }
    for (size_t cell = 0; cell < CELLS; cell++)
        doubled[cell] = llround(2.0 * plain_score(&stats->queries[0].choice, records, N, cell));
    assert_int_equal(nw_stats_release(stats, rng, ledger, "medians", NULL, NULL), NW_OK);
    for (size_t g = 0; g < GROUPS; g++) {
        nw_stats_figure f;
        assert_int_equal(nw_stats_get(stats, 0, g, &f, NULL), NW_OK);
        counts[(size_t)f.value]++;
    }
    law_exponential(doubled, CELLS, 0.75, p); /* scores in halves of a rank, of sensitivity 1: epsilon / 2 */
    assert_true(p_value(counts, CELLS, GROUPS, p) > 1e-9);
    law_exponential(doubled, CELLS, 0.75 * 1.25, p);
    assert_true(p_value(counts, CELLS, GROUPS, p) < 1e-9);
    for (size_t i = 0; i < stats->total_count; i++) /* no exact count is left */
        assert_true(i % CELLS == 0 || stats->totals[i] == 0);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
    nw_stats_free(stats);
}

/* 10,000 records spread evenly over 20 .. 80 of 0 .. 100. */
static void quantile__is_near_the_wanted_rank(void **state)
{
    (void)state;
    enum { N = 10000, QUERIES = 5 };
    static double values[N + 3];
    nw_stats_query q[QUERIES];
    const double wanted[QUERIES] = { 20.0, 35.0, 50.0, 74.0, 80.0 };
    for (size_t i = 0; i < QUERIES; i++)
        q[i] = query(i == 0 ? NW_STATS_MIN : i == 4 ? NW_STATS_MAX : NW_STATS_QUANTILE, 1, 0.0, 100.0);
    q[1].rank = 0.25;
    q[3].rank = 0.9;
    for (size_t d = 0; d < 2; d++) {
        const double delta = d == 0 ? 0.0 : 1e-9;
        nw_stats *stats = make(q, QUERIES, options(5.0, delta, NW_ADD_REMOVE));
        nw_ledger *ledger = ledger_of(5.0, delta, NW_ADD_REMOVE);
        nw_rng *rng = seeded(d);
        for (size_t i = 0; i < N; i++)
            values[i] = 20.0 + 60.0 * (double)i / N;
        values[N] = (double)NAN;
        values[N + 1] = (double)INFINITY;
        values[N + 2] = -(double)INFINITY;
        for (size_t i = 0; i < QUERIES; i++)
            assert_int_equal(nw_stats_add(stats, i, NULL, values, N + 3, NULL), NW_OK);
        assert_int_equal(nw_stats_release(stats, rng, ledger, "quantiles", NULL, NULL), NW_OK);
        for (size_t i = 0; i < QUERIES; i++) {
            nw_stats_figure f;
            assert_int_equal(nw_stats_get(stats, i, 0, &f, NULL), NW_OK);
            const double ranks = f.error;
            if (!(fabs(f.value - wanted[i]) <= 60.0 * ranks / N + 0.11))
                fail_msg("query %zu is %g, must be near %g (error %g ranks)", i, f.value, wanted[i], f.error);
        }
        nw_rng_free(rng);
        nw_ledger_close(ledger);
        nw_stats_free(stats);
    }
}

static void quantile__values_stand_for_their_neighbourhood(void **state)
{
    (void)state;
    nw_stats_query q = query(NW_STATS_QUANTILE, 1, -10.0, 10.0);
    q.cells = 5;
    const double inputs[] = { -(double)INFINITY, -10.0, -7.6, -7.4, 0.1, 7.6, 10.0, 1e300 };
    const size_t wanted[] = { 0, 0, 0, 1, 2, 4, 4, 4 };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        assert_int_equal(nw__choice_cell(&q, inputs[i]), wanted[i]);
    assert_true(nw__choice_value(&q, 0) == -10.0 && nw__choice_value(&q, 2) == 0.0 && nw__choice_value(&q, 4) == 10.0);
}

static void quantile__refuses_bad_options(void **state)
{
    (void)state;
    nw_stats *stats = NULL;
    nw_stats_query q[4];
    const nw_stats_opts o = options(1.0, 0.0, NW_ADD_REMOVE);
    for (size_t i = 0; i < 4; i++)
        q[i] = query(NW_STATS_QUANTILE, 1, 0.0, 1.0);
    q[0].cells = 1;
    q[1].cells = UINT32_C(1) << 21;
    q[2].rank = 1.5;
    q[3].rank = (double)NAN;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(nw_stats_new(&stats, &q[i], 1, &o, NULL), NW_E_ARG);
    const nw_stats_opts tiny = options(1e-10, 0.0, NW_ADD_REMOVE);
    q[0].cells = 2;
    assert_int_equal(nw_stats_new(&stats, &q[0], 1, &tiny, NULL), NW_E_ARG);
}

/* Counts that only a forged message can hold: no overflow, and a choice all the same. */
static void quantile__bears_absurd_counts(void **state)
{
    (void)state;
    nw_stats *stats = make_choice(NW_STATS_QUANTILE, 0.5, 1, 1.0, NW_ADD_REMOVE);
    const int64_t counts[CELLS] = { INT64_MAX, INT64_MIN, INT64_MAX, 5 };
    int64_t scores[CELLS];
    nw__choice_scores(&stats->queries[0].choice, counts, scores);
    for (size_t i = 0; i < CELLS; i++)
        assert_true(scores[i] <= 0 && scores[i] >= -(INT64_C(1) << 61));
    nw_stats_free(stats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(select__draws_the_exact_law),
        cmocka_unit_test(select__loses_at_most_epsilon),
        cmocka_unit_test(select__takes_extreme_scores),
        cmocka_unit_test(select__refusals_choose_nothing),
        cmocka_unit_test(quantile__scores_and_sensitivity_by_enumeration),
        cmocka_unit_test(quantile__draws_the_exact_law),
        cmocka_unit_test(quantile__is_near_the_wanted_rank),
        cmocka_unit_test(quantile__values_stand_for_their_neighbourhood),
        cmocka_unit_test(quantile__refuses_bad_options),
        cmocka_unit_test(quantile__bears_absurd_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
