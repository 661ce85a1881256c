/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_risk.c - predicted risks against simulated ones, and the choice against bags of one with a ridge. Labels are normal and
 * clipped where it hardly ever matters (five standard deviations), as the closed forms know no clip. */
#include "bags_support.h"

enum { RUNS = 200 };

typedef struct fit_case {
    size_t k;
    double epsilon, delta;
    double rho, ridge; /* ridge -1: from the evidence */
    nw_bags_grouping grouping;
} fit_case;

/* Mean risk over `runs` problems. */
static double simulate(scene *s, const fit_case *c, size_t runs, double clip)
{
    double sum = 0.0;
    double *theta = calloc(s->p, sizeof *theta);
    for (size_t run = 0; run < runs; run++) {
        scene_draw(s, run + 1);
        nw_bags_opts o = bags_options(s->n, c->k, c->epsilon, c->delta, clip);
        o.grouping = c->grouping;
        o.public_seed = run;
        o.borrowed_features = s->x;
        o.feature_count = s->p;
        nw_bags_fit_opts f = NW_BAGS_FIT_OPTS_INIT;
        f.rho = c->rho;
        f.ridge = c->ridge;
        f.has_intercept = false;
        nw_error err;
        nw_bags *bags = bags_released(&o, s->y, run);
        if (nw_bags_fit(bags, s->x, s->p, &f, theta, NULL, &err) != NW_OK)
            fail_msg("%s", err.message);
        sum += scene_risk(s, theta);
        nw_bags_free(bags);
    }
    free(theta);
    return sum / (double)runs;
}

static nw_bags_problem problem_of(const scene *s, const fit_case *c, double clip)
{
    nw_bags_problem q = NW_BAGS_PROBLEM_INIT;
    q.rows = s->n;
    q.features = s->p;
    q.epsilon = c->epsilon;
    q.delta = c->delta;
    q.clip = clip;
    q.residual_variance = s->residual;
    q.signal_variance = s->signal;
    return q;
}

typedef struct closed_form {
    nw_bags_rule rule;
    fit_case fit;
    double tolerance;
} closed_form;

/* Over 200 runs; the standard error of such a mean is 2 to 5 % here, with bags of one row or of many. */
static void check_closed_forms(const closed_form *list, size_t count, size_t n, size_t p, double clip)
{
    scene s = scene_make(n, p, 1.0, 0.25, 0.0);
    for (size_t i = 0; i < count; i++) {
        const nw_bags_problem q = problem_of(&s, &list[i].fit, clip);
        const double predicted = nw_bags_risk(&q, list[i].rule, list[i].fit.k);
        const double simulated = simulate(&s, &list[i].fit, RUNS, clip);
        print_message("# rule %d k %zu epsilon %g delta %g: predicted %.4f, simulated %.4f\n", (int)list[i].rule, list[i].fit.k,
            list[i].fit.epsilon, list[i].fit.delta, predicted, simulated);
        assert_true(fabs(simulated / predicted - 1.0) < list[i].tolerance);
    }
    scene_free(&s);
}

/* The bar of both: a tenth. */
static void risk__of_the_bag_loss_is_as_simulated(void **state)
{
    (void)state;
    static const closed_form list[] = { { NW_BAGS_RULE_BAG, { 1, 1.0, 0.0, 0.0, 0.0, NW_BAGS_RANDOM }, 0.1 },
        { NW_BAGS_RULE_BAG, { 4, 8.0, 0.0, 0.0, 0.0, NW_BAGS_RANDOM }, 0.1 },
        { NW_BAGS_RULE_BAG, { 8, 2.0, 1e-5, 0.0, 0.0, NW_BAGS_RANDOM }, 0.1 } };
    check_closed_forms(list, 3, 600, 8, 5.0 * sqrt(1.25));
}

static void risk__of_the_instance_loss_is_as_simulated(void **state)
{
    (void)state;
    static const closed_form list[] = { { NW_BAGS_RULE_INSTANCE, { 1, 8.0, 0.0, 1.0, 0.0, NW_BAGS_RANDOM }, 0.1 },
        { NW_BAGS_RULE_INSTANCE, { 2, 2.0, 0.0, 1.0, 0.0, NW_BAGS_RANDOM }, 0.1 },
        { NW_BAGS_RULE_INSTANCE, { 8, 1.0, 0.0, 1.0, 0.0, NW_BAGS_RANDOM }, 0.1 },
        { NW_BAGS_RULE_INSTANCE, { 4, 2.0, 1e-5, 1.0, 0.0, NW_BAGS_RANDOM }, 0.1 } };
    check_closed_forms(list, 4, 600, 8, 5.0 * sqrt(1.25));
}

/* The formulas have the best ridge for the true figures, the fit finds its own from the means. */
static void risk__of_a_ridge_from_the_evidence_is_as_predicted(void **state)
{
    (void)state;
    static const closed_form list[] = { { NW_BAGS_RULE_RIDGE, { 1, 2.0, 0.0, 0.0, -1.0, NW_BAGS_RANDOM }, 0.2 },
        { NW_BAGS_RULE_RIDGE, { 1, 16.0, 0.0, 0.0, -1.0, NW_BAGS_RANDOM }, 0.1 },
        { NW_BAGS_RULE_RIDGE, { 4, 4.0, 0.0, 0.0, -1.0, NW_BAGS_RANDOM }, 0.2 },
        { NW_BAGS_RULE_CURATED, { 4, 2.0, 0.0, 0.0, -1.0, NW_BAGS_CURATED }, 0.2 } };
    check_closed_forms(list, 4, 600, 8, 4.0);
}

/* Both closed forms are increasing or not as the room's page says: least squares is best at k = 1; the instance loss has its best
 * k inside, and that k grows as the budget falls. */
static void risk__has_its_least_where_the_page_says(void **state)
{
    (void)state;
    nw_bags_problem q = NW_BAGS_PROBLEM_INIT;
    static const double epsilons[] = { 4.0, 1.0, 0.5, 0.25 }, best[] = { 1.0, 1.0, 3.0, 8.0 };
    q.rows = 4000;
    q.features = 20;
    q.delta = 0.0;
    q.clip = 3.0 * sqrt(1.25);
    q.residual_variance = 0.25;
    q.signal_variance = 1.0;
    for (int e = 0; e < 4; e++) {
        size_t least = 1;
        q.epsilon = epsilons[e];
        for (size_t k = 2; k <= 64; k++) {
            least = nw_bags_risk(&q, NW_BAGS_RULE_INSTANCE, k) < nw_bags_risk(&q, NW_BAGS_RULE_INSTANCE, least) ? k : least;
            assert_true(nw_bags_risk(&q, NW_BAGS_RULE_BAG, k) > nw_bags_risk(&q, NW_BAGS_RULE_BAG, k - 1));
            assert_true(nw_bags_risk(&q, NW_BAGS_RULE_RIDGE, k) > nw_bags_risk(&q, NW_BAGS_RULE_RIDGE, k - 1));
        }
        assert_true(fabs((double)least - best[e]) <= 1.0);
    }
    assert_true(isinf(nw_bags_risk(&q, NW_BAGS_RULE_BAG, 200)));
    assert_true(isnan(nw_bags_risk(&q, NW_BAGS_RULE_BAG, 0)));
    assert_true(isnan(nw_bags_risk(&q, NW_BAGS_RULE_BAG, 4001)));
}

/* Of features with one common correlation: eigenvalues 1 + (p - 1) c, and p - 1 of 1 - c. */
static double dimensions_of(const scene *s)
{
    const double p = (double)s->p, large = 1.0 + (p - 1.0) * s->correlation, small = 1.0 - s->correlation;
    return p * p / (large * large + (p - 1.0) * small * small);
}

/* The bar: the automatic choice is never worse than 1.05 times bags of one with a ridge, by the same rule for the ridge. Of
 * random bags it always is bags of one; curated ones are simulated where they are chosen. */
static void pick__is_no_worse_than_bags_of_one_with_a_ridge(void **state)
{
    (void)state;
    static const struct {
        size_t n, p;
        double residual, correlation, epsilon;
        bool simulates;
    } problems[] = { { 400, 3, 0.25, 0.0, 1.0, true }, { 400, 3, 0.25, 0.0, 4.0, true }, { 400, 20, 0.25, 0.5, 0.5, true },
        { 800, 6, 1.0, 0.8, 2.0, true }, { 4000, 20, 0.25, 0.0, 0.25, false }, { 4000, 20, 0.25, 0.0, 64.0, false },
        { 100000, 100, 1.0, 0.0, 1.0, false }, { 100, 50, 1.0, 0.0, 1.0, false } };
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
        scene s = scene_make(problems[i].n, problems[i].p, 1.0, problems[i].residual, problems[i].correlation);
        const fit_case one = { 1, problems[i].epsilon, 0.0, 0.0, -1.0, NW_BAGS_RANDOM };
        nw_bags_problem q = problem_of(&s, &one, 4.0);
        nw_bags_choice choice;
        q.residual_variance = q.signal_variance = 0.0; /* what a user does not know */
        q.dimensions = dimensions_of(&s);
        assert_int_equal(nw_bags_pick(&q, &choice, NULL), NW_OK);
        assert_true(choice.bag_size == 1 && choice.risk == choice.baseline_risk && choice.best_bag_risk >= choice.risk);
        q.is_curated = true;
        assert_int_equal(nw_bags_pick(&q, &choice, NULL), NW_OK);
        assert_true(choice.risk <= choice.baseline_risk && choice.is_curated == (choice.bag_size > 1));
        if (choice.is_curated && problems[i].simulates) {
            const fit_case automatic = { choice.bag_size, problems[i].epsilon, 0.0, choice.rho, -1.0, NW_BAGS_CURATED };
            const double mine = simulate(&s, &automatic, 100, 4.0), baseline = simulate(&s, &one, 100, 4.0);
            print_message("# n %zu p %zu epsilon %g curated k %zu: %.4f, bags of one %.4f\n", s.n, s.p, problems[i].epsilon,
                choice.bag_size, mine, baseline);
            assert_true(mine <= 1.05 * baseline);
        }
        scene_free(&s);
    }
}

static void pick__says_when_bags_buy_nothing(void **state)
{
    (void)state;
    nw_bags_problem q = NW_BAGS_PROBLEM_INIT;
    nw_bags_choice c;
    q.rows = 10000;
    q.features = 10;
    q.epsilon = 0.5;
    q.delta = 0.0;
    q.clip = 1.0;
    assert_int_equal(nw_bags_pick(&q, &c, NULL), NW_OK);
    assert_int_equal(c.bag_size, 1);
    assert_int_equal(c.best_bag_size, 2);
    assert_true(c.risk == c.baseline_risk && c.best_bag_risk > c.risk && c.ridge > 0.0);
    assert_non_null(strstr(c.reason, "bags buy nothing"));
    q.bag_size = 8;
    assert_int_equal(nw_bags_pick(&q, &c, NULL), NW_OK);
    assert_int_equal(c.bag_size, 8);
    assert_non_null(strstr(c.reason, "bags buy nothing"));
    q.bag_size = 0;
    q.is_unregularized = true;
    q.epsilon = 0.05;
    assert_int_equal(nw_bags_pick(&q, &c, NULL), NW_OK);
    assert_true(c.bag_size > 1 && c.rho > 0.0 && c.ridge == 0.0); /* where nothing else shrinks, bags do */
    assert_non_null(strstr(c.reason, "a ridge buys more than bags do"));
}

static void pick__names_what_is_wrong(void **state)
{
    (void)state;
    nw_bags_choice c;
    nw_error err;
    static const struct {
        const char *name;
        size_t rows, features;
        double epsilon, delta, clip, residual, signal;
        size_t k;
        double rho;
    } bad[] = { { "rows", 0, 1, 1, 0, 1, 0, 0, 0, -1 }, { "features", 9, 0, 1, 0, 1, 0, 0, 0, -1 },
        { "epsilon", 9, 1, 0, 0, 1, 0, 0, 0, -1 }, { "delta", 9, 1, 1, -1, 1, 0, 0, 0, -1 },
        { "clip", 9, 1, 1, 0, 0, 0, 0, 0, -1 }, { "residual_variance", 9, 1, 1, 0, 1, -1, 0, 0, -1 },
        { "signal_variance", 9, 1, 1, 0, 1, 0, NAN, 0, -1 }, { "bag_size", 9, 1, 1, 0, 1, 0, 0, 10, -1 },
        { "rho", 9, 1, 1, 0, 1, 0, 0, 0, 1.5 } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const nw_bags_problem q = { sizeof q, bad[i].rows, bad[i].features, bad[i].epsilon, bad[i].delta, bad[i].clip,
            bad[i].residual, bad[i].signal, bad[i].k, bad[i].rho, false, false, 0.0 };
        assert_int_equal(nw_bags_pick(&q, &c, &err), NW_E_ARG);
        assert_non_null(strstr(err.message, bad[i].name));
    }
    nw_bags_problem q = NW_BAGS_PROBLEM_INIT;
    q.rows = q.features = 9;
    q.epsilon = q.clip = 1.0;
    q.delta = 0.0;
    q.dimensions = 9.5;
    assert_int_equal(nw_bags_pick(&q, &c, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "dimensions is 9.5"));
    assert_int_equal(nw_bags_pick(NULL, &c, &err), NW_E_ARG);
    assert_int_equal(nw_bags_pick(&(nw_bags_problem)NW_BAGS_PROBLEM_INIT, NULL, &err), NW_E_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(risk__of_the_bag_loss_is_as_simulated),
        cmocka_unit_test(risk__of_the_instance_loss_is_as_simulated),
        cmocka_unit_test(risk__of_a_ridge_from_the_evidence_is_as_predicted),
        cmocka_unit_test(risk__has_its_least_where_the_page_says),
        cmocka_unit_test(pick__is_no_worse_than_bags_of_one_with_a_ridge),
        cmocka_unit_test(pick__says_when_bags_buy_nothing),
        cmocka_unit_test(pick__names_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
