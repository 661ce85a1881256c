/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_linear.c - linear queries and trees through the public header: noise against distances found by trying every replacement,
 * answers against plain sums, ranks against counting. */
#include "stats_support.h"

static nw_linear_opts linear_options(double epsilon, double delta, nw_adjacency adjacency)
{
    nw_linear_opts o = NW_LINEAR_OPTS_INIT;
    o.epsilon = epsilon;
    o.delta = delta;
    o.adjacency = adjacency;
    return o;
}

/* Standard deviation of the noise for a distance: from the laws' variances. */
static double plain_deviation(double distance, double epsilon, double delta)
{
    if (delta > 0.0)
        return sqrt(pow(distance / nw_gdp_mu(epsilon, delta * (1.0 - 0x1p-10)), 2.0) + 1.0 / 12.0);
    const double p = exp(-epsilon / distance);
    return sqrt(2.0 * p) / (1.0 - p);
}

static double epsilon_of(const nw_event *event, nw_adjacency adjacency, double delta)
{
    double epsilon = 0.0;
    assert_int_equal(nw_event_epsilon(event, adjacency, delta, &epsilon, NULL, NULL), NW_OK);
    return epsilon;
}

enum { ANSWERS = 3, CELLS = 4 };
static const int64_t WEIGHTS[ANSWERS * CELLS] = { 1, 1, 0, -7, 0, 2, 5, 3, -1, 0, 4, 0 };

static void linear__noise_is_for_the_largest_distance(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        const double delta = i % 2 == 0 ? 0.0 : 1e-8;
        const nw_adjacency adjacency = i / 2 == 0 ? NW_ADD_REMOVE : NW_REPLACE_ONE;
        const nw_linear_opts o = linear_options(1.0, delta, adjacency);
        double distance = 0.0;
        nw_linear *l = NULL;
        for (size_t x = 0; x <= CELLS; x++)
            for (size_t y = adjacency == NW_REPLACE_ONE ? 0 : CELLS; y <= CELLS; y++) { /* CELLS: no record */
                double l1 = 0.0, l2 = 0.0;
                for (size_t a = 0; a < ANSWERS; a++) {
                    const int64_t *row = WEIGHTS + a * CELLS;
                    const double d = (double)((x == CELLS ? 0 : row[x]) - (y == CELLS ? 0 : row[y]));
                    l1 += fabs(d);
                    l2 += d * d;
                }
                distance = fmax(distance, delta == 0.0 ? l1 : sqrt(l2));
            }
        assert_int_equal(nw_linear_new(&l, &o, WEIGHTS, ANSWERS, CELLS, NULL), NW_OK);
        assert_true(fabs(nw_linear_deviation(l) / plain_deviation(distance, 1.0, delta) - 1.0) < 1e-9);
        const double spent = epsilon_of(nw_linear_event(l), adjacency, delta);
        assert_true(spent <= 1.0 && spent > 0.998);
        nw_linear_free(l);
    }
}

static void linear_release__answers_and_merges(void **state)
{
    (void)state;
    enum { N = 5000 };
    static uint32_t cells[N];
    double wanted[ANSWERS] = { 0 };
    nw_linear *parts[2] = { NULL, NULL };
    nw_linear *other = NULL;
    int64_t out[ANSWERS];
    const nw_linear_opts o = linear_options(60.0, 0.0, NW_ADD_REMOVE);
    for (size_t i = 0; i < N; i++) {
        cells[i] = (uint32_t)(i * i % 5); /* 4 is no cell */
        for (size_t a = 0; a < ANSWERS && cells[i] < CELLS; a++)
            wanted[a] += (double)WEIGHTS[a * CELLS + cells[i]];
    }
    for (size_t p = 0; p < 2; p++) {
        assert_int_equal(nw_linear_new(&parts[p], &o, WEIGHTS, ANSWERS, CELLS, NULL), NW_OK);
        assert_int_equal(nw_linear_add(parts[p], cells + p * N / 2, N / 2, NULL), NW_OK);
    }
    assert_int_equal(nw_linear_new(&other, &o, WEIGHTS, ANSWERS - 1, CELLS, NULL), NW_OK);
    assert_int_equal(nw_linear_merge(parts[0], other, NULL), NW_E_ARG);
    assert_int_equal(nw_linear_merge(parts[0], parts[1], NULL), NW_OK);
    nw_rng *rng = seeded(5);
    nw_ledger *ledger = ledger_of(60.0, 0.0, NW_ADD_REMOVE);
    nw_ledger *small = ledger_of(1.0, 0.0, NW_ADD_REMOVE);
    assert_int_equal(nw_linear_release(parts[0], rng, small, "linear", out, NULL, NULL), NW_E_BUDGET);
    assert_int_equal(nw_linear_release(parts[0], rng, ledger, "linear", out, NULL, NULL), NW_OK);
    for (size_t a = 0; a < ANSWERS; a++)
        assert_true(fabs((double)out[a] - wanted[a]) <= 12.0);
    assert_int_equal(nw_linear_release(parts[0], rng, ledger, "linear", out, NULL, NULL), NW_E_STATE);
    assert_int_equal(nw_linear_add(parts[0], cells, 1, NULL), NW_E_STATE);
    assert_int_equal(nw_linear_merge(parts[1], parts[0], NULL), NW_E_STATE);
    nw_linear_free(parts[0]);
    nw_linear_free(parts[1]);
    nw_linear_free(other);
    nw_ledger_close(ledger);
    nw_ledger_close(small);
    nw_rng_free(rng);
}

/* 40,000 answers without records are the noise: five standard errors of the variance are 5.9 %, noise x 0.9 is 19 % off. */
static void linear_release__noise_has_its_deviation(void **state)
{
    (void)state;
    enum { MANY = 40000 };
    static int64_t weights[MANY], out[MANY];
    nw_linear *l = NULL;
    nw_rng *rng = seeded(6);
    nw_ledger *ledger = ledger_of(0.5, 0.0, NW_ADD_REMOVE);
    const nw_linear_opts o = linear_options(0.5, 0.0, NW_ADD_REMOVE);
    double variance = 0.0;
    weights[7] = -3;
    assert_int_equal(nw_linear_new(&l, &o, weights, MANY, 1, NULL), NW_OK);
    assert_int_equal(nw_linear_release(l, rng, ledger, "noise", out, NULL, NULL), NW_OK);
    for (size_t i = 0; i < MANY; i++)
        variance += (double)out[i] * (double)out[i] / MANY;
    const double ratio = variance / pow(plain_deviation(3.0, 0.5, 0.0), 2.0);
    assert_true(fabs(ratio - 1.0) < 0.059 && fabs(0.81 * ratio - 1.0) > 0.059);
    nw_linear_free(l);
    nw_ledger_close(ledger);
    nw_rng_free(rng);
}

static void linear_new__refuses_bad_arguments(void **state)
{
    (void)state;
    const int64_t zero[1] = { 0 };
    const int64_t large[1] = { INT64_MIN };
    const nw_linear_opts good = linear_options(1.0, 0.0, NW_ADD_REMOVE);
    const nw_linear_opts bad[4] = { linear_options(0.0, 0.0, NW_ADD_REMOVE), linear_options(1.0, -1.0, NW_ADD_REMOVE),
        linear_options(1.0, 0.0, NW_ADJACENCY_UNSET), linear_options(1e-300, 0.0, NW_ADD_REMOVE) };
    nw_linear *l = NULL;
    nw_tree *tree = NULL;
    assert_int_equal(nw_linear_new(&l, &good, zero, 1, 1, NULL), NW_E_ARG);
    assert_int_equal(nw_linear_new(&l, &good, large, 1, 1, NULL), NW_E_ARG);
    assert_int_equal(nw_linear_new(&l, &good, WEIGHTS, 0, 1, NULL), NW_E_ARG);
    assert_int_equal(nw_linear_new(&l, &good, WEIGHTS, (size_t)1 << 20, (size_t)1 << 20, NULL), NW_E_ARG);
    assert_int_equal(nw_linear_new(&l, NULL, WEIGHTS, 1, 1, NULL), NW_E_ARG);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(nw_linear_new(&l, &bad[i], WEIGHTS, ANSWERS, CELLS, NULL), NW_E_ARG);
        assert_int_equal(nw_tree_new(&tree, &bad[i], 0.0, 1.0, 4, NULL), NW_E_ARG);
    }
    assert_int_equal(nw_tree_new(&tree, &good, 1.0, 1.0, 4, NULL), NW_E_ARG);
    assert_int_equal(nw_tree_new(&tree, &good, 0.0, 1.0, 21, NULL), NW_E_ARG);
    assert_null(l);
    assert_null(tree);
}

/* ---- trees ---- */

/* A record in one node of each of 6 levels; with deltas and neighbours as for linear queries. */
static void tree__noise_is_for_its_levels(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        const double delta = i % 2 == 0 ? 0.0 : 1e-8;
        const nw_adjacency adjacency = i / 2 == 0 ? NW_ADD_REMOVE : NW_REPLACE_ONE;
        const nw_linear_opts o = linear_options(1.0, delta, adjacency);
        const double nodes = adjacency == NW_REPLACE_ONE ? 12.0 : 6.0;
        nw_tree *tree = NULL;
        assert_int_equal(nw_tree_new(&tree, &o, 0.0, 1.0, 6, NULL), NW_OK);
        const double one = plain_deviation(delta == 0.0 ? nodes : sqrt(nodes), 1.0, delta);
        assert_true(fabs(nw_tree_deviation(tree) / (one * sqrt(6.0)) - 1.0) < 1e-9);
        const double spent = epsilon_of(nw_tree_event(tree), adjacency, delta);
        assert_true(spent <= 1.0 && spent > 0.998);
        nw_tree_free(tree);
    }
}

static void tree__tells_ranks_and_quantiles(void **state)
{
    (void)state;
    enum { N = 20000, DEPTH = 8 };
    static double values[N + 3];
    nw_tree *parts[2] = { NULL, NULL };
    nw_tree *other = NULL;
    nw_rng *rng = seeded(9);
    nw_ledger *ledger = ledger_of(1.0, 0.0, NW_ADD_REMOVE);
    const nw_linear_opts o = linear_options(1.0, 0.0, NW_ADD_REMOVE);
    double answer = 0.0;
    for (size_t i = 0; i < N; i++)
        values[i] = 100.0 * pow((double)i / N, 2.0);
    values[N] = (double)NAN;
    values[N + 1] = (double)INFINITY;
    values[N + 2] = -(double)INFINITY;
    for (size_t p = 0; p < 2; p++) {
        assert_int_equal(nw_tree_new(&parts[p], &o, 0.0, 100.0, DEPTH, NULL), NW_OK);
        assert_int_equal(nw_tree_add(parts[p], values + p * N / 2, p == 0 ? N / 2 : N / 2 + 3, NULL), NW_OK);
    }
    assert_int_equal(nw_tree_new(&other, &o, 0.0, 99.0, DEPTH, NULL), NW_OK);
    assert_int_equal(nw_tree_merge(parts[0], other, NULL), NW_E_ARG);
    assert_int_equal(nw_tree_merge(parts[0], parts[1], NULL), NW_OK);
    assert_int_equal(nw_tree_rank(parts[0], 0.5, &answer, NULL), NW_E_STATE);
    assert_int_equal(nw_tree_release(parts[0], rng, ledger, "tree", NULL, NULL), NW_OK);
    assert_int_equal(nw_tree_release(parts[0], rng, ledger, "tree", NULL, NULL), NW_E_STATE);
    const double slack = 6.0 * nw_tree_deviation(parts[0]);
    for (size_t cell = 0; cell < 1U << DEPTH; cell++) {
        const double end = 100.0 * (double)(cell + 1) / (1U << DEPTH);
        double wanted = 1.0; /* -infinity */
        for (size_t i = 0; i < N; i++)
            wanted += values[i] < end;
        assert_int_equal(nw_tree_rank(parts[0], end - 0.1, &answer, NULL), NW_OK);
        assert_true(fabs(answer - wanted) <= slack + 1.0);
    }
    for (double rank = 0.1; rank < 0.95; rank += 0.1) {
        assert_int_equal(nw_tree_quantile(parts[0], rank, &answer, NULL), NW_OK);
        const double rank_below = sqrt(fmax(answer - 100.0 / (1U << DEPTH), 0.0) / 100.0);
        assert_true(rank >= rank_below - 2.0 * slack / N && rank <= sqrt(answer / 100.0) + 2.0 * slack / N);
    }
    assert_int_equal(nw_tree_quantile(parts[0], 1.5, &answer, NULL), NW_E_ARG);
    assert_int_equal(nw_tree_rank(parts[0], (double)NAN, &answer, NULL), NW_E_ARG);
    nw_tree_free(parts[0]);
    nw_tree_free(parts[1]);
    nw_tree_free(other);
    nw_ledger_close(ledger);
    nw_rng_free(rng);
}

/* A quarter for figures and three for a tree: charged together they fill the budget, and do not fit one that is a little less. */
static void share__of_figures_and_a_tree_make_up_the_budget(void **state)
{
    (void)state;
    for (int is_gaussian = 0; is_gaussian < 2; is_gaussian++) {
        const double delta = is_gaussian ? 1e-9 : 0.0;
        const nw_stats_query q = query(NW_STATS_VARIANCE, 3, 0.0, 10.0);
        nw_stats_opts figures = options(1.0, delta, NW_REPLACE_ONE);
        nw_linear_opts ranks = NW_LINEAR_OPTS_INIT;
        nw_tree *tree = NULL;
        nw_event *both = NULL;
        figures.share = 0.25;
        ranks.epsilon = 1.0;
        ranks.delta = delta;
        ranks.adjacency = NW_REPLACE_ONE;
        ranks.share = 0.75;
        nw_stats *stats = make(&q, 1, figures);
        assert_int_equal(nw_tree_new(&tree, &ranks, 0.0, 1.0, 4, NULL), NW_OK);
        assert_true(fabs(nw_stats_get_plan(stats, 0).share - 0.25) < 1e-12);
        const nw_event *parts[2] = { nw_stats_event(stats), nw_tree_event(tree) };
        assert_int_equal(nw_event_composed(&both, parts, 2, NULL), NW_OK);
        for (int is_less = 0; is_less < 2; is_less++) {
            bool is_fitting = is_less;
            nw_ledger *ledger = ledger_of(is_less ? 1.0 - 1e-6 : 1.0, delta, NW_REPLACE_ONE);
            assert_int_equal(nw_ledger_fits(ledger, both, &is_fitting, NULL), NW_OK);
            assert_int_equal(is_fitting, !is_less);
            nw_ledger_close(ledger);
        }
        nw_event_free(both);
        nw_tree_free(tree);
        nw_stats_free(stats);
    }
}

static void share__is_checked(void **state)
{
    (void)state;
    const double bad[] = { 0.0, -0.5, 1.5, NAN };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const nw_stats_query q = query(NW_STATS_COUNT, 1, 0.0, 0.0);
        nw_stats_opts o = options(1.0, 0.0, NW_ADD_REMOVE);
        nw_stats *stats = NULL;
        nw_error err;
        o.share = bad[i];
        assert_int_equal(nw_stats_new(&stats, &q, 1, &o, &err), NW_E_ARG);
        assert_non_null(strstr(err.message, "share is"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(share__of_figures_and_a_tree_make_up_the_budget),
        cmocka_unit_test(share__is_checked),
        cmocka_unit_test(linear__noise_is_for_the_largest_distance),
        cmocka_unit_test(linear_release__answers_and_merges),
        cmocka_unit_test(linear_release__noise_has_its_deviation),
        cmocka_unit_test(linear_new__refuses_bad_arguments),
        cmocka_unit_test(tree__noise_is_for_its_levels),
        cmocka_unit_test(tree__tells_ranks_and_quantiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
