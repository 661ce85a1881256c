/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_bags.c - rows into bags, and the spine of a release: what it costs, what a label can move, what is refused. */
#include "bags_internal.h"
#include "bags_support.h"

enum { ROWS = 23 };

static void check_partition(const nw_bags *bags, size_t rows, size_t k)
{
    size_t ids[64] = { 0 };
    size_t sizes[64] = { 0 };
    assert_int_equal(nw_bags_get_ids(bags, ids, NULL), NW_OK);
    for (size_t i = 0; i < rows; i++) {
        assert_true(ids[i] < nw_bags_count(bags));
        sizes[ids[i]]++;
    }
    for (size_t a = 0; a < nw_bags_count(bags); a++) {
        assert_int_equal(sizes[a], nw_bags_size(bags, a));
        assert_true(a + 1 == nw_bags_count(bags) ? sizes[a] >= 1 && sizes[a] <= k : sizes[a] == k);
    }
    assert_int_equal(nw_bags_count(bags), (rows + k - 1) / k);
    assert_int_equal(nw_bags_size(bags, nw_bags_count(bags)), 0);
}

static void new__puts_each_row_into_one_bag(void **state)
{
    (void)state;
    size_t first[ROWS], again[ROWS], other[ROWS];
    nw_bags *bags = NULL;
    for (size_t k = 1; k <= ROWS; k++) {
        nw_bags_opts o = bags_options(ROWS, k, 1.0, 0.0, 1.0);
        assert_int_equal(nw_bags_new(&bags, &o, NULL), NW_OK);
        check_partition(bags, ROWS, k);
        nw_bags_free(bags);
    }
    for (int i = 0; i < 3; i++) { /* equal seeds, equal bags */
        nw_bags_opts o = bags_options(ROWS, 5, 1.0, 0.0, 1.0);
        o.public_seed = i == 2;
        assert_int_equal(nw_bags_new(&bags, &o, NULL), NW_OK);
        assert_int_equal(nw_bags_get_ids(bags, i == 0 ? first : (i == 1 ? again : other), NULL), NW_OK);
        nw_bags_free(bags);
    }
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, other, sizeof first);
}

static void new__sorts_by_scores_and_breaks_ties_by_row(void **state)
{
    (void)state;
    const double scores[7] = { 3, 1, 1, 2, -INFINITY, 1, 1 };
    const size_t expected[7] = { 3, 0, 1, 2, 0, 1, 2 };
    size_t ids[7];
    nw_bags *bags = NULL;
    nw_bags_opts o = bags_options(7, 2, 1.0, 0.0, 1.0);
    o.grouping = NW_BAGS_SORTED;
    o.scores = scores;
    assert_int_equal(nw_bags_new(&bags, &o, NULL), NW_OK);
    assert_int_equal(nw_bags_get_ids(bags, ids, NULL), NW_OK);
    assert_memory_equal(ids, expected, sizeof ids);
    nw_bags_free(bags);
}

static void new__refuses_bags_that_overlap_or_are_empty(void **state)
{
    (void)state;
    static const struct {
        const char *message;
        size_t starts[4];
        size_t members[6];
    } bad[] = { { "bags 0 and 2 overlap", { 0, 2, 4, 6 }, { 0, 1, 2, 3, 4, 1 } },
        { "bags 1 and 1 overlap", { 0, 2, 4, 6 }, { 0, 1, 2, 2, 4, 5 } },
        { "bag 1 is empty", { 0, 2, 2, 4 }, { 0, 1, 2, 3, 0, 0 } }, { "bag 2 is empty", { 0, 2, 4, 3 }, { 0, 1, 2, 3, 0, 0 } },
        { "bag 2 holds row 9, must be in 0 .. 8", { 0, 2, 4, 6 }, { 0, 1, 2, 3, 4, 9 } },
        { "starts begins with 1", { 1, 2, 4, 6 }, { 0, 1, 2, 3, 4, 5 } } };
    nw_bags *bags = NULL;
    nw_error err;
    nw_bags_opts o = bags_options(9, 0, 1.0, 0.0, 1.0);
    o.grouping = NW_BAGS_BY_LIST;
    o.bag_count = 3;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        o.starts = bad[i].starts;
        o.members = bad[i].members;
        assert_int_equal(nw_bags_new(&bags, &o, &err), NW_E_ARG);
        assert_null(bags);
        if (strstr(err.message, bad[i].message) == NULL)
            fail_msg("%s: %s", bad[i].message, err.message);
    }
    const size_t ids[9] = { 0, 0, 2, 2, 2, 2, 2, 2, 0 }, far[9] = { 0, 1, 2, 3, 0, 0, 0, 0, 0 };
    o.grouping = NW_BAGS_BY_ID;
    o.ids = ids;
    assert_int_equal(nw_bags_new(&bags, &o, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "bag 1 is empty"));
    o.ids = far;
    assert_int_equal(nw_bags_new(&bags, &o, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "ids names bag 3"));
}

static void new__names_what_is_wrong(void **state)
{
    (void)state;
    nw_bags *bags = NULL;
    nw_error err;
    const double nan_scores[2] = { 0.0, NAN };
    const nw_bags_opts good = bags_options(10, 2, 1.0, 0.0, 1.0);
    nw_bags_opts bad[16];
    static const char *const messages[16] = { "rows", "epsilon", "epsilon", "delta", "clip is 0", "clip is -1", "clip is nan",
        "center", "bag_size is 0", "bag_size is 11", "grouping is 9", "scores is NULL", "scores has a NaN", "bag_count is 0",
        "borrowed_features", "epsilon" };
    for (int i = 0; i < 16; i++)
        bad[i] = good;
    bad[0].rows = 0;
    bad[1].epsilon = 0.0;
    bad[2].epsilon = NAN;
    bad[3].delta = -1.0;
    bad[4].clip = 0.0;
    bad[5].clip = -1.0;
    bad[6].clip = NAN;
    bad[7].center = INFINITY;
    bad[8].bag_size = 0;
    bad[9].bag_size = 11;
    bad[10].grouping = (nw_bags_grouping)9;
    bad[11].grouping = NW_BAGS_SORTED;
    bad[12] = bags_options(2, 1, 1.0, 0.0, 1.0);
    bad[12].grouping = NW_BAGS_SORTED;
    bad[12].scores = nan_scores;
    bad[13].grouping = NW_BAGS_BY_ID;
    bad[14].grouping = NW_BAGS_CURATED;
    bad[15].epsilon = 1e-12; /* noise beyond what can be drawn */
    for (int i = 0; i < 16; i++) {
        assert_int_equal(nw_bags_new(&bags, &bad[i], &err), NW_E_ARG);
        assert_null(bags);
        if (strstr(err.message, messages[i]) == NULL)
            fail_msg("%d: %s", i, err.message);
    }
    assert_int_equal(nw_bags_new(NULL, &good, &err), NW_E_ARG);
    assert_int_equal(nw_bags_new(&bags, NULL, &err), NW_E_ARG);
    nw_bags_opts shorter;
    nw_bags_opts_init(&shorter, offsetof(nw_bags_opts, public_seed)); /* of an older caller */
    shorter.rows = 4;
    shorter.epsilon = 1.0;
    shorter.delta = 0.0;
    shorter.clip = 1.0;
    shorter.bag_size = 2;
    assert_int_equal(nw_bags_new(&bags, &shorter, NULL), NW_OK);
    nw_bags_free(bags);
    nw_bags_free(NULL);
}

/* The event costs what was asked for, under replace_label, and says nothing of records. */
static void event__costs_epsilon_in_labels_only(void **state)
{
    (void)state;
    static const double epsilons[] = { 0.01, 0.25, 1.0, 8.0, 64.0 }, clips[] = { 1e-9, 1.0, 3.7, 1e9 };
    for (size_t e = 0; e < 5; e++)
        for (size_t c = 0; c < 4; c++)
            for (int gaussian = 0; gaussian < 2; gaussian++) {
                nw_bags *bags = NULL;
                double mu = 0.0;
                nw_cost cost;
                nw_error err;
                const nw_bags_opts o = bags_options(10, 3, epsilons[e], gaussian == 1 ? 1e-5 : 0.0, clips[c]);
                assert_int_equal(nw_bags_new(&bags, &o, NULL), NW_OK);
                assert_int_equal(nw_event_cost(nw_bags_event(bags), NW_REPLACE_LABEL, &cost, NULL), NW_OK);
                mu = nw_gdp_mu(epsilons[e], 1e-5);
                if (gaussian == 1)
                    assert_true(nw_gdp_epsilon(sqrt(cost.mu_squared), 1e-5) <= epsilons[e] * (1.0 + 1e-9) &&
                                cost.mu_squared > 0.99 * mu * mu);
                else
                    assert_true(cost.epsilon_pure <= epsilons[e] && cost.epsilon_pure > epsilons[e] * (1.0 - 1e-9));
                assert_int_equal(nw_event_samples(nw_bags_event(bags)), 4);
                assert_int_equal(nw_event_cost(nw_bags_event(bags), NW_REPLACE_ONE, &cost, &err), NW_E_UNSUPPORTED);
                assert_int_equal(nw_event_cost(nw_bags_event(bags), NW_ADD_REMOVE, &cost, &err), NW_E_UNSUPPORTED);
                nw_bags_free(bags);
            }
}

static nw_ledger *ledger_of(nw_adjacency adjacency, const char *unit, double epsilon)
{
    nw_ledger *ledger = NULL;
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    o.epsilon = epsilon;
    o.delta = 0.0;
    o.adjacency = adjacency;
    o.unit = unit;
    assert_int_equal(nw_ledger_memory(&ledger, &o, NULL), NW_OK);
    return ledger;
}

/* Of labels, and of nothing else; a refusal charges nothing and leaves the bags as they were. */
static void release__is_charged_to_a_ledger_of_labels_only(void **state)
{
    (void)state;
    static const struct {
        nw_adjacency adjacency;
        const char *unit;
        double epsilon;
        nw_status status;
        const char *message;
    } tries[] = { { NW_REPLACE_ONE, "label", 2.0, NW_E_ARG, "must be replace_label" },
        { NW_ADD_REMOVE, "one record", 2.0, NW_E_ARG, "must be replace_label" },
        { NW_REPLACE_LABEL, "one record", 2.0, NW_E_ARG, "must be \"label\"" },
        { NW_REPLACE_LABEL, "label", 0.5, NW_E_BUDGET, "" }, { NW_REPLACE_LABEL, "label", 2.0, NW_OK, "" } };
    const double y[4] = { 0.0, 1.0, -1.0, 0.5 };
    nw_bags *bags = NULL;
    nw_rng *rng = NULL;
    const nw_bags_opts o = bags_options(4, 2, 1.0, 0.0, 1.0);
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 1, NULL), NW_OK);
    assert_int_equal(nw_bags_new(&bags, &o, NULL), NW_OK);
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        nw_ledger *ledger = ledger_of(tries[i].adjacency, tries[i].unit, tries[i].epsilon);
        nw_ledger_summary summary;
        nw_receipt receipt;
        nw_error err = { 0 };
        assert_null(nw_bags_means(bags));
        assert_int_equal(nw_bags_release(bags, rng, ledger, y, "test", &receipt, &err), tries[i].status);
        assert_non_null(strstr(err.message, tries[i].message));
        assert_int_equal(nw_ledger_summarise(ledger, &summary, NULL), NW_OK);
        assert_int_equal(summary.charges, tries[i].status == NW_OK);
        assert_true((receipt.head[0] != '\0') == (tries[i].status == NW_OK));
        if (tries[i].status == NW_OK) {
            assert_string_equal(receipt.unit, "label");
            assert_int_equal(receipt.adjacency, NW_REPLACE_LABEL);
            assert_non_null(nw_bags_means(bags));
            assert_int_equal(nw_bags_release(bags, rng, ledger, y, "test", NULL, &err), NW_E_STATE);
        }
        nw_ledger_close(ledger);
    }
    nw_error err;
    nw_bags *more = NULL;
    assert_int_equal(nw_bags_new(&more, &o, NULL), NW_OK);
    assert_int_equal(nw_bags_release(more, rng, NULL, y, "test", NULL, &err), NW_E_ARG);
    assert_int_equal(nw_bags_release(more, NULL, NULL, y, "test", NULL, &err), NW_E_ARG);
    assert_int_equal(nw_bags_release(NULL, rng, NULL, y, "test", NULL, &err), NW_E_ARG);
    double c;
    assert_int_equal(nw_bags_fit(more, y, 1, NULL, &c, NULL, &err), NW_E_STATE);
    nw_bags_free(more);
    nw_bags_free(bags);
    nw_rng_free(rng);
}

/* With equal noise, means differ by what the labels do: in one bag, by 2 clip over its size at most. Labels that are no numbers,
 * or too large, have their rule. */
static void release__moves_one_bag_by_no_more_than_its_sensitivity(void **state)
{
    (void)state;
    static const double labels[] = { -1e300, -2.0, -0.3, 0.0, 0.7, 2.0, 1e300, INFINITY, -INFINITY, NAN };
    static const double counted[] = { -2.0, -2.0, -0.3, 0.0, 0.7, 2.0, 2.0, 2.0, -2.0, 0.0 };
    double y[12] = { 0 };
    size_t ids[12];
    for (int gaussian = 0; gaussian < 2; gaussian++) {
        nw_bags_opts o = bags_options(12, 5, 1.0, gaussian == 1 ? 1e-5 : 0.0, 2.0);
        nw_bags *base = bags_released(&o, y, 4);
        const double most = ldexp(floor(ldexp(o.clip, -base->grid.exponent)), base->grid.exponent);
        assert_true(most <= o.clip && most > o.clip * (1.0 - 1e-5));
        assert_int_equal(nw_bags_get_ids(base, ids, NULL), NW_OK);
        for (size_t row = 0; row < 12; row += 5)
            for (size_t v = 0; v < 10; v++) {
                y[row] = labels[v];
                nw_bags *moved = bags_released(&o, y, 4);
                y[row] = 0.0;
                for (size_t a = 0; a < 3; a++) {
                    const double size = (double)nw_bags_size(base, a);
                    const double d = (nw_bags_means(moved)[a] - nw_bags_means(base)[a]) * size;
                    assert_true(fabs(d - (a == ids[row] ? counted[v] : 0.0)) < 1e-5);
                    assert_true(fabs(d) <= most * (1.0 + 1e-12));
                }
                nw_bags_free(moved);
            }
        nw_bags_free(base);
    }
}

/* The noise that nw_bags_noise states is in the sums: variances of 4000 means, whose relative standard error is below 4 %. */
static void release__has_the_noise_that_it_states(void **state)
{
    (void)state;
    enum { N = 8000 };
    double *y = calloc(N, sizeof *y);
    for (int gaussian = 0; gaussian < 2; gaussian++) {
        nw_bags_opts o = bags_options(N, 2, 0.7, gaussian == 1 ? 1e-6 : 0.0, 3.0);
        o.center = 10.0;
        for (size_t i = 0; i < N; i++)
            y[i] = 10.0;
        nw_bags *bags = bags_released(&o, y, 11);
        double sum = 0.0, square = 0.0;
        for (size_t a = 0; a < nw_bags_count(bags); a++) {
            const double d = nw_bags_means(bags)[a] - 10.0;
            sum += d;
            square += d * d;
        }
        const double noise = nw_bags_noise(bags) / 2.0, count = (double)nw_bags_count(bags);
        const double ideal = gaussian == 1 ? 6.0 / nw_gdp_mu(0.7, 1e-6) : sqrt(2.0) * 6.0 / 0.7;
        assert_true(fabs(nw_bags_noise(bags) / ideal - 1.0) < 1e-4);
        assert_true(fabs(sum / count) < 6.0 * noise / sqrt(count));
        assert_true(fabs(square / count / (noise * noise) - 1.0) < 0.2);
        nw_bags_free(bags);
    }
    free(y);
}

/* Curated bags: one charge, each row in one bag, the first half alone and not moved by the second half's labels; which rows come
 * together in the second half follows the first half's release, and no label of the second. */
static void release__of_curated_bags_uses_each_label_once(void **state)
{
    (void)state;
    enum { N = 41 };
    scene s = scene_make(N, 2, 1.0, 0.1, 0.0);
    size_t ids[N], again[N], sizes[N] = { 0 };
    scene_draw(&s, 3);
    nw_bags_opts o = bags_options(N, 4, 64.0, 0.0, 3.0);
    o.grouping = NW_BAGS_CURATED;
    o.borrowed_features = s.x;
    o.feature_count = 2;
    nw_bags *early = NULL;
    nw_error err;
    assert_int_equal(nw_bags_new(&early, &o, NULL), NW_OK);
    assert_int_equal(nw_bags_get_ids(early, ids, &err), NW_E_STATE);
    assert_int_equal(nw_event_samples(nw_bags_event(early)), 20 + 6);
    nw_bags_free(early);
    nw_bags *bags = bags_released(&o, s.y, 8);
    assert_int_equal(nw_bags_get_ids(bags, ids, NULL), NW_OK);
    for (size_t i = 0; i < N; i++)
        sizes[ids[i]]++;
    for (size_t a = 0; a < 26; a++)
        assert_int_equal(sizes[a], a < 20 ? 1 : (a < 25 ? 4 : 1));
    double least = INFINITY, most = -INFINITY; /* of the true signal over the sorted bags: sorted by it, nearly */
    for (size_t a = 20; a < 25; a++) {
        double sum = 0.0;
        for (size_t i = 0; i < N; i++)
            for (size_t j = 0; ids[i] == a && j < 2; j++)
                sum += s.theta[j] * s.x[2 * i + j] / 4.0;
        least = a == 20 ? sum : fmin(least, sum);
        most = fmax(most, sum);
        assert_true(a > 20 || sum <= least);
    }
    assert_true(most - least > 1.0);
    for (size_t i = 0; i < N; i++) /* other labels in the second half: the same bags, and the same first half */
        if (ids[i] >= 20)
            s.y[i] = -s.y[i] + 0.25;
    nw_bags *other = bags_released(&o, s.y, 8);
    assert_int_equal(nw_bags_get_ids(other, again, NULL), NW_OK);
    assert_memory_equal(ids, again, sizeof ids);
    for (size_t a = 0; a < 20; a++)
        assert_true(nw_bags_means(bags)[a] == nw_bags_means(other)[a]);
    nw_bags_free(bags);
    nw_bags_free(other);
    scene_free(&s);
}

static void names__are_those_of_the_header(void **state)
{
    (void)state;
    static const char *const names[] = { NULL, "random", "sorted", "curated", "ids", "lists", NULL };
    for (int g = 1; g <= 5; g++)
        assert_string_equal(nw_bags_grouping_name((nw_bags_grouping)g), names[g]);
    assert_null(nw_bags_grouping_name((nw_bags_grouping)6));
    assert_string_equal(nw_bags_loss_name(NW_BAGS_SQUARED), "squared");
    assert_string_equal(nw_bags_loss_name(NW_BAGS_LOGISTIC), "logistic");
    assert_null(nw_bags_loss_name((nw_bags_loss)0));
    nw_bags_fit_opts f;
    nw_bags_problem q;
    nw_bags_fit_opts_init(&f, sizeof f);
    nw_bags_problem_init(&q, sizeof q);
    assert_true(f.ridge == -1.0 && f.has_intercept && q.rho == -1.0 && q.delta == -1.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new__puts_each_row_into_one_bag),
        cmocka_unit_test(new__sorts_by_scores_and_breaks_ties_by_row),
        cmocka_unit_test(new__refuses_bags_that_overlap_or_are_empty),
        cmocka_unit_test(new__names_what_is_wrong),
        cmocka_unit_test(event__costs_epsilon_in_labels_only),
        cmocka_unit_test(release__is_charged_to_a_ledger_of_labels_only),
        cmocka_unit_test(release__moves_one_bag_by_no_more_than_its_sensitivity),
        cmocka_unit_test(release__has_the_noise_that_it_states),
        cmocka_unit_test(release__of_curated_bags_uses_each_label_once),
        cmocka_unit_test(names__are_those_of_the_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
