/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_errors.c - the errors beside figures: the reach of the noise against sums of its law, point by point; intervals of means
 * and variances over every corner of what the noise may do; ranks against the whole law of a choice; ranks of a tree against
 * the laws of sums, convolved, over the nodes that lie in each. */
#include "stats_support.h"
#include "stats_internal.h"

/* P[Z = k]. Oracle: the definitions of nw/noise.h. */
static double mass(nw_noise_law law, double scale, int k)
{
    if (law == NW_NOISE_DISCRETE_LAPLACE)
        return tanh(0.5 / scale) * exp(-abs(k) / scale);
    return 0.5 * (erfc((abs(k) - 0.5) / (scale * sqrt(2.0))) - erfc((abs(k) + 0.5) / (scale * sqrt(2.0))));
}

/* P[|Z| > k], from the far end inward. */
static double plain_tail(nw_noise_law law, double scale, int k)
{
    double sum = 0.0;
    for (int i = (int)(40.0 * scale) + 60; i > k; i--)
        sum += (i == 0 ? 1.0 : 2.0) * mass(law, scale, i);
    return sum;
}

static void stats_reach__is_the_least_distance_of_that_risk(void **state)
{
    (void)state;
    const nw_noise_law laws[] = { NW_NOISE_DISCRETE_LAPLACE, NW_NOISE_ROUNDED_GAUSSIAN };
    const double scales[] = { 0.05, 0.3, 1.0, 2.7, 40.0, 333.3 };
    const double risks[] = { 0.5, 0.1, 1e-3, 1e-5, 1e-9 };
    for (size_t i = 0; i < 2 * 6 * 5; i++) {
        const nw_noise_law law = laws[i / 30];
        const double scale = scales[i / 5 % 6];
        const double risk = risks[i % 5];
        const int k = (int)nw__stats_reach(law, scale, risk);
        const bool is_enough = plain_tail(law, scale, k) <= risk * (1.0 + 1e-9);
        const bool is_least = k == 0 || plain_tail(law, scale, k - 1) > risk * (1.0 - 1e-9);
        if (!is_enough || !is_least)
            fail_msg("law %d, scale %g, risk %g: %d is %s", (int)law, scale, risk, k, is_enough ? "not the least" : "too little");
    }
    assert_true(nw__stats_reach(NW_NOISE_DISCRETE_LAPLACE, 0x1p50, 1e-20) < 0x1p56); /* ends, without an overflow */
}

/* The figure that noise of z[k] reaches gives, for records of the given values. */
static nw_stats_figure figure_with(nw_stats *stats, const int64_t *exact, const double z[3])
{
    const nw__query *q = &stats->queries[0];
    nw_stats_figure f;
    for (size_t k = 0; k < q->total_count; k++) {
        const nw__total *t = &q->totals[k];
        stats->totals[t->first] = exact[k] + (int64_t)(z[k] * ldexp(t->reach, -t->grid.exponent));
    }
    assert_int_equal(nw_stats_get(stats, 0, 0, &f, NULL), NW_OK);
    return f;
}

static double plain_figure(nw_stats_kind kind, const double *values, size_t n)
{
    double sum = 0.0;
    double squares = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += values[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (values[i] - sum) * (values[i] - sum) / (double)n;
    return kind == NW_STATS_MEAN ? sum : squares;
}

/* Values that are no multiples of any grid: all at an end, at both ends, spread. */
static void make_values(double *values, size_t n, int shape)
{
    for (size_t i = 0; i < n; i++)
        values[i] = shape == 0   ? 10.0
                    : shape == 1 ? 50.0
                    : shape == 2 ? (i % 2 == 0 ? 10.0 : 50.0)
                    : shape == 3 ? 10.0 + 40.0 * ((double)i + 0.3) / (double)n
                                 : 29.7 + 0.1 * (double)(i % 7);
}

/* Whatever the noise within its reach, the figure is within its error; for no noise is the error infinite unless the value is. */
static void check_box(nw_stats *stats, size_t n, int shape)
{
    const nw_stats_kind kind = stats->queries[0].asked.kind;
    double values[300];
    int64_t exact[3] = { 0, 0, 0 };
    make_values(values, n, shape);
    memset(stats->totals, 0, stats->total_count * sizeof *stats->totals);
    assert_int_equal(nw_stats_add(stats, 0, NULL, values, n, NULL), NW_OK);
    for (size_t k = 0; k < stats->queries[0].total_count; k++)
        exact[k] = stats->totals[stats->queries[0].totals[k].first];
    stats->has_figures = true;
    const double truth = plain_figure(kind, values, n);
    for (int corner = 0; corner < 125; corner++) {
        const double z[3] = { corner % 5 * 0.5 - 1.0, corner / 5 % 5 * 0.5 - 1.0, corner / 25 * 0.5 - 1.0 };
        const nw_stats_figure f = figure_with(stats, exact, z);
        if (isnan(f.value)) {
            assert_true(isinf(f.error) && isinf(f.standard_error));
            continue;
        }
        if (!(fabs(f.value - truth) <= f.error))
            fail_msg("%s of %zu, shape %d, epsilon %g: %.9g +- %.3g, must hold %.9g", nw_stats_kind_name(kind), n, shape,
                stats->opts.epsilon, f.value, f.error, truth);
        assert_true(f.error <= (kind == NW_STATS_MEAN ? 40.0 : 400.0) * (1.0 + 0x1p-30));
    }
}

static void figure__truth_is_within_the_error_for_all_noise_within_reach(void **state)
{
    (void)state;
    const size_t sizes[] = { 1, 2, 5, 30, 300 };
    const double epsilons[] = { 0.1, 1.0, 40.0 };
    for (size_t i = 0; i < 2 * 3 * 4; i++) {
        const nw_stats_query q = query(i % 2 == 0 ? NW_STATS_MEAN : NW_STATS_VARIANCE, 1, 10.0, 50.0);
        const double delta = i / 6 % 2 == 0 ? 0.0 : 1e-6;
        nw_stats *stats = make(&q, 1, options(epsilons[i / 2 % 3], delta, i / 12 == 0 ? NW_ADD_REMOVE : NW_REPLACE_ONE));
        for (int shape = 0; shape < 5; shape++)
            for (size_t k = 0; k < 5; k++)
                check_box(stats, sizes[k], shape);
        nw_stats_free(stats);
    }
}

/* An interval that is right because it is everything would pass the test above: for many records it is near first order. */
static void figure__errors_are_not_much_wider_than_first_order(void **state)
{
    (void)state;
    for (nw_stats_kind kind = NW_STATS_MEAN; kind <= NW_STATS_VARIANCE; kind++) {
        const nw_stats_query q = query(kind, 1, 0.0, 1.0);
        nw_stats *stats = make(&q, 1, options(1.0, 1e-6, NW_ADD_REMOVE));
        const nw__query *made = &stats->queries[0];
        nw_stats_figure f;
        int64_t records = 1000000;
        stats->totals[made->totals[0].first] = records;
        stats->totals[made->totals[1].first] = records << -made->totals[1].grid.exponent >> 2; /* the mean is 3/4 */
        stats->has_figures = true;
        assert_int_equal(nw_stats_get(stats, 0, 0, &f, NULL), NW_OK);
        /* risk / 3 of a Gaussian is beyond 3.6 deviations; three terms add up to sqrt(3) times their root of squares at most */
        assert_true(f.error > 3.0 * f.standard_error && f.error < 3.7 * sqrt(3.0) * f.standard_error);
        assert_true(nw_stats_expected_error(stats, 0, (double)records) >= f.error);
        nw_stats_free(stats);
    }
}

/* All figures of a release share the risk, and each its own between its totals. */
static void stats_new__figures_share_the_risk(void **state)
{
    (void)state;
    const nw_stats_query q[2] = { query(NW_STATS_COUNT, 3, 0, 0), query(NW_STATS_MEAN, 7, 0, 1) };
    nw_stats_opts o = options(2.0, 0.0, NW_ADD_REMOVE);
    assert_true(o.confidence == NW_STATS_CONFIDENCE);
    o.confidence = 0.9;
    nw_stats *stats = make(q, 2, o);
    const double scales[2] = { 1.0, 2.0 };
    for (size_t i = 0; i < 2; i++) {
        const double risk = 0.1 / 10.0 / (i == 0 ? 1.0 : 2.0);
        const int k = (int)stats->queries[i].totals[0].reach;
        assert_true(plain_tail(NW_NOISE_DISCRETE_LAPLACE, scales[i], k) <= risk);
        assert_true(plain_tail(NW_NOISE_DISCRETE_LAPLACE, scales[i], k - 1) > risk);
    }
    assert_true(nw_stats_expected_error(stats, 0, 0) == stats->queries[0].totals[0].reach);
    nw_stats_free(stats);
    const double bad[] = { 0.49, 1.0, -1.0, (double)NAN };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        nw_error err;
        o.confidence = bad[i];
        assert_int_equal(nw_stats_new(&stats, q, 2, &o, &err), NW_E_ARG);
        assert_non_null(strstr(err.message, "confidence is"));
    }
}

/* The probability that the chosen cell of `counts` is farther off than `ranks`, from the weights of all cells. */
static double chance_beyond(const nw_stats *stats, const int64_t *counts, double ranks)
{
    const nw__query *q = &stats->queries[0];
    const size_t cells = q->choice.cells;
    double all = 0.0, beyond = 0.0, below = 0.0, n = 0.0;
    int64_t *scores = calloc(cells, sizeof *scores);
    assert_non_null(scores);
    nw__choice_scores(&q->choice, counts, scores);
    for (size_t c = 0; c < cells; c++)
        n += (double)counts[c];
    const double wanted = q->asked.kind == NW_STATS_MIN ? 0.0 : q->asked.kind == NW_STATS_MAX ? n : q->asked.rank * n;
    for (size_t c = 0; c < cells; c++) {
        const double upto = below + (double)counts[c];
        const double weight = exp(ldexp((double)q->choice.rate, -48) * (double)scores[c]);
        all += weight;
        beyond += fmax(below - wanted, wanted - upto) > ranks ? weight : 0.0;
        below = upto;
    }
    free(scores);
    return beyond / all;
}

static void choice__ranks_are_within_the_error_but_for_the_risk(void **state)
{
    (void)state;
    enum { CHOICE_CELLS = 64 };
    int64_t counts[CHOICE_CELLS];
    for (int kind = 0; kind < 4; kind++)
        for (int shape = 0; shape < 3; shape++) {
            nw_stats_query q = query(kind < 2 ? NW_STATS_QUANTILE : kind == 2 ? NW_STATS_MIN : NW_STATS_MAX, 1, 0.0, 1.0);
            q.cells = CHOICE_CELLS;
            q.rank = kind == 0 ? 0.5 : 0.9;
            nw_stats_opts o = options(0.5, 0.0, NW_ADD_REMOVE);
            o.confidence = 0.9;
            nw_stats *stats = make(&q, 1, o);
            for (size_t c = 0; c < CHOICE_CELLS; c++)
                counts[c] = shape == 0 ? 10 : shape == 1 ? (c == 40 ? 3 : 0) : c < 20 || c > 50 ? 0 : (int64_t)(c * c % 37);
            if (shape != 1) /* with 3 records no rank of min and max is wanted that they have */
                assert_true(chance_beyond(stats, counts, nw_stats_expected_error(stats, 0, 0)) <= 0.1);
            else
                assert_true(chance_beyond(stats, counts, nw_stats_expected_error(stats, 0, 0)) == 0.0);
            if (shape == 0 && kind >= 2) /* a tenth of it would not do */
                assert_true(chance_beyond(stats, counts, 0.1 * nw_stats_expected_error(stats, 0, 0)) > 0.1);
            nw_stats_free(stats);
        }
}

/* ---- sums, and trees ---- */

enum { RANGE = 400, DRAW = 110, LAW_SIZE = 2 * RANGE + 1, MOST_TERMS = 7 };
typedef double sum_law[LAW_SIZE]; /* P[S = i - RANGE]; what lies beyond is below 1e-13 for the scales here */

/* laws[m]: of the sum of m draws. */
static void make_laws(sum_law *laws, nw_noise_law law, double scale)
{
    memset(laws, 0, (MOST_TERMS + 1) * sizeof *laws);
    laws[0][RANGE] = 1.0;
    for (int m = 1; m <= MOST_TERMS; m++)
        for (int z = -DRAW; z <= DRAW; z++) {
            const double p = mass(law, scale, z);
            for (int i = DRAW; p > 0.0 && i < LAW_SIZE - DRAW; i++)
                laws[m][i + z] += p * laws[m - 1][i];
        }
}

/* P[|S| > k] */
static double sum_tail(const sum_law law, int k)
{
    double tail = 0.0;
    for (int i = RANGE; i > k; i--)
        tail += law[RANGE - i] + law[RANGE + i];
    return tail;
}

static void stats_reach_of_sums__is_enough_and_near(void **state)
{
    (void)state;
    static sum_law laws[MOST_TERMS + 1];
    const double scales[] = { 0.1, 0.4, 1.0, 3.3 };
    const double risks[] = { 0.3, 1e-3, 1e-6, 1e-9 };
    for (size_t i = 0; i < 2 * 4; i++) {
        const nw_noise_law law = i % 2 == 0 ? NW_NOISE_DISCRETE_LAPLACE : NW_NOISE_ROUNDED_GAUSSIAN;
        const double scale = scales[i / 2];
        make_laws(laws, law, scale);
        for (size_t m = 1; m <= MOST_TERMS; m++)
            for (size_t r = 0; r < 4; r++) {
                double sums[MOST_TERMS + 1] = { 0.0 };
                int least = 0;
                sums[m] = 1.0;
                const int k = (int)nw__stats_reach_of_sums(law, scale, sums, MOST_TERMS, risks[r]);
                while (sum_tail(laws[m], least) > risks[r])
                    least++;
                const double slack = law == NW_NOISE_DISCRETE_LAPLACE ? 0.0 : 0.5 * (double)m + 1.0; /* roundings */
                if (k < least || k > least + slack)
                    fail_msg("law %d, scale %g, %zu draws, risk %g: %d, least is %d", (int)law, scale, m, risks[r], k, least);
            }
    }
}

/* The nodes that nw_tree_rank adds up for the cells below a boundary: the left siblings on its way up. */
static void add_nodes(int *draws, unsigned depth, size_t boundary)
{
    for (size_t node = ((size_t)1 << depth) + boundary; node > 1; node /= 2)
        if (node % 2 == 1)
            draws[node - 1]++;
}

static size_t draws_in(const int *draws, unsigned depth)
{
    size_t count = 0;
    for (size_t node = 2; node < (size_t)2 << depth; node++) {
        assert_true(abs(draws[node]) <= 1);
        count += draws[node] != 0;
    }
    return count;
}

/* Probability that the rank of any boundary below the last, or it less the total's noise, or the total, is off by more than k. */
static double plain_miss(const sum_law *laws, unsigned depth, int k)
{
    double miss = sum_tail(laws[2], k);
    for (size_t boundary = 1; boundary < (size_t)1 << depth; boundary++) {
        int draws[64] = { 0 };
        add_nodes(draws, depth, boundary);
        miss += sum_tail(laws[draws_in(draws, depth)], k);
        draws[2]--;
        draws[3]--;
        miss += sum_tail(laws[draws_in(draws, depth)], k);
    }
    return miss;
}

static nw_tree *make_tree(unsigned depth, double epsilon, double delta)
{
    nw_tree *tree = NULL;
    nw_linear_opts o = NW_LINEAR_OPTS_INIT;
    o.epsilon = epsilon;
    o.delta = delta;
    o.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_tree_new(&tree, &o, 0.0, (double)(1U << depth), depth, NULL), NW_OK);
    return tree;
}

static void tree_error__holds_for_every_boundary(void **state)
{
    (void)state;
    static sum_law laws[MOST_TERMS + 1];
    for (unsigned i = 0; i < 2 * 5; i++) {
        const unsigned depth = 1 + i / 2;
        nw_tree *tree = make_tree(depth, 2.0, i % 2 == 0 ? 0.0 : 1e-6);
        const double one = nw_tree_deviation(tree) / sqrt(fmax(depth, 2.0));
        const nw_noise_law law = i % 2 == 0 ? NW_NOISE_DISCRETE_LAPLACE : NW_NOISE_ROUNDED_GAUSSIAN;
        const double scale = i % 2 == 0 ? depth / 2.0 : sqrt(one * one - 1.0 / 12.0);
        make_laws(laws, law, scale);
        for (double risk = 0.5; risk > 1e-9; risk /= 300.0) {
            const double error = nw_tree_error(tree, risk);
            int least = 0;
            while (plain_miss(laws, depth, least) > risk)
                least++;
            assert_true(
                error - 1.0 >= least && error - 1.0 <= least + (law == NW_NOISE_DISCRETE_LAPLACE ? 0.0 : 0.5 * depth + 1.5));
        }
        assert_true(isnan(nw_tree_error(tree, 0.6)) && isnan(nw_tree_error(tree, 0.0)) && isnan(nw_tree_error(tree, NAN)));
        nw_tree_free(tree);
    }
}

enum { TREE_DEPTH = 4, TREE_CELLS = 1 << TREE_DEPTH };

/* The farthest that any of 101 quantiles is from its rank, and any rank told from the plain one. */
static double farthest(const nw_tree *tree, const double *below)
{
    double most = 0.0;
    double told = 0.0;
    for (size_t cell = 0; cell < TREE_CELLS; cell++) {
        assert_int_equal(nw_tree_rank(tree, (double)cell + 0.5, &told, NULL), NW_OK);
        most = fmax(most, fabs(told - below[cell + 1]));
    }
    for (int k = 0; k <= 100; k++) {
        const double wanted = k / 100.0 * below[TREE_CELLS];
        assert_int_equal(nw_tree_quantile(tree, k / 100.0, &told, NULL), NW_OK);
        most = fmax(most, fmax(below[(size_t)told - 1] - wanted, wanted - below[(size_t)told]));
    }
    return most;
}

/* Of 100 seeded releases at a risk of 1/20 at most 5 are expected to miss: more than 22 with probability 1e-9 at most. A
 * third of the error, more than the union bound gives away, has to miss more often. */
static void tree_error__all_quantiles_and_ranks_are_within_it(void **state)
{
    (void)state;
    enum { RUNS = 100 };
    nw_rng *rng = seeded(77);
    for (int i = 0; i < 4; i++) { /* both laws; records in every cell, or in few */
        int misses = 0;
        int misses_of_third = 0;
        for (int run = 0; run < RUNS; run++) {
            double values[40 * TREE_CELLS];
            double below[TREE_CELLS + 1] = { 0.0 };
            nw_tree *tree = make_tree(TREE_DEPTH, 1.0, i % 2 == 0 ? 0.0 : 1e-6);
            nw_ledger *ledger = ledger_of(1.0, i % 2 == 0 ? 0.0 : 1e-6, NW_ADD_REMOVE);
            size_t n = 0;
            for (size_t cell = 0; cell < TREE_CELLS; cell++) {
                const size_t records = i < 2 ? 40 : cell == 3 || cell == 9 ? 150 : 0;
                for (size_t k = 0; k < records; k++)
                    values[n++] = (double)cell + 0.5;
                below[cell + 1] = (double)n;
            }
            assert_int_equal(nw_tree_add(tree, values, n, NULL), NW_OK);
            assert_int_equal(nw_tree_release(tree, rng, ledger, "errors", NULL, NULL), NW_OK);
            const double most = farthest(tree, below);
            misses += most > nw_tree_error(tree, 0.05);
            misses_of_third += most > nw_tree_error(tree, 0.05) / 3.0;
            nw_ledger_close(ledger);
            nw_tree_free(tree);
        }
        print_message(
            "# case %d: %d of %d releases beyond the error, %d beyond a third of it\n", i, misses, RUNS, misses_of_third);
        assert_true(misses <= 22 && misses_of_third > 22);
    }
    nw_rng_free(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stats_reach__is_the_least_distance_of_that_risk),
        cmocka_unit_test(figure__truth_is_within_the_error_for_all_noise_within_reach),
        cmocka_unit_test(figure__errors_are_not_much_wider_than_first_order),
        cmocka_unit_test(stats_new__figures_share_the_risk),
        cmocka_unit_test(choice__ranks_are_within_the_error_but_for_the_risk),
        cmocka_unit_test(stats_reach_of_sums__is_enough_and_near),
        cmocka_unit_test(tree_error__holds_for_every_boundary),
        cmocka_unit_test(tree_error__all_quantiles_and_ranks_are_within_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
