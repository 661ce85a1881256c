/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_fit.c - fits against the losses of the header, added up row by row as they are written there. */
#include "bags_support.h"

enum { ROWS = 61, FEATURES = 3 };

typedef struct setting {
    scene scene;
    nw_bags *bags;
    size_t ids[ROWS];
    nw_bags_opts opts;
} setting;

/* ROWS rows in bags of k, the last one smaller. */
static setting setting_make(size_t k, double epsilon)
{
    setting s = { .scene = scene_make(ROWS, FEATURES, 1.0, 0.25, 0.3), .opts = bags_options(ROWS, k, epsilon, 0.0, 2.0) };
    scene_draw(&s.scene, 7);
    s.opts.center = 0.5;
    s.bags = bags_released(&s.opts, s.scene.y, 3);
    assert_int_equal(nw_bags_get_ids(s.bags, s.ids, NULL), NW_OK);
    return s;
}

static void setting_free(setting *s)
{
    nw_bags_free(s->bags);
    scene_free(&s->scene);
}

static double loss_of(nw_bags_loss loss, double y, double f, const nw_bags_opts *o)
{
    const double t = 0.5 + (y - o->center) / (2.0 * o->clip);
    return loss == NW_BAGS_SQUARED ? (y - f) * (y - f) : log(1.0 + exp(f)) - t * f;
}

static double predict(const setting *s, const double *c, size_t row)
{
    double f = c[FEATURES];
    for (size_t j = 0; j < FEATURES; j++)
        f += c[j] * s->scene.x[row * FEATURES + j];
    return f;
}

/* (1 - rho) L_bag + rho L_ins + ridge |c|^2, bags of equal size weighing the same. */
static double whole_loss(const setting *s, const nw_bags_fit_opts *o, double ridge, const double *c)
{
    const size_t m = nw_bags_count(s->bags);
    const double *means = nw_bags_means(s->bags);
    double sum = 0.0;
    for (size_t a = 0; a < m; a++) {
        double fbar = 0.0, instance = 0.0;
        const double size = (double)nw_bags_size(s->bags, a);
        for (size_t i = 0; i < ROWS; i++)
            if (s->ids[i] == a) {
                fbar += predict(s, c, i) / size;
                instance += loss_of(o->loss, means[a], predict(s, c, i), &s->opts) / size;
            }
        sum += ((1.0 - o->rho) * loss_of(o->loss, means[a], fbar, &s->opts) + o->rho * instance) / (double)m;
    }
    for (size_t j = 0; j < FEATURES; j++)
        sum += ridge * c[j] * c[j];
    return sum + (o->loss == NW_BAGS_LOGISTIC ? 0x1p-10 * c[FEATURES] * c[FEATURES] : 0.0);
}

/* No step from the fit lowers the loss, and its slope is 0 by differences. */
static void fit__is_the_minimum_of_the_stated_loss(void **state)
{
    (void)state;
    static const double rhos[] = { 0.0, 0.3, 1.0 };
    for (int loss = NW_BAGS_SQUARED; loss <= NW_BAGS_LOGISTIC; loss++)
        for (size_t r = 0; r < 3; r++)
            for (size_t k = 1; k <= 61; k = k == 1 ? 61 : 62) { /* 61 is prime: one bag each, or one bag of all */
                setting s = setting_make(k, 2.0);
                nw_bags_fit_opts o = NW_BAGS_FIT_OPTS_INIT;
                nw_bags_fitted fitted;
                double c[FEATURES + 1];
                o.loss = (nw_bags_loss)loss;
                o.rho = rhos[r];
                o.ridge = 0.05;
                assert_int_equal(nw_bags_fit(s.bags, s.scene.x, FEATURES, &o, c, &fitted, NULL), NW_OK);
                c[FEATURES] = fitted.intercept;
                const double least = whole_loss(&s, &o, 0.05, c);
                assert_true(fabs(least - fitted.loss) < 1e-9 * (1.0 + fabs(least)));
                assert_true(fitted.ridge == 0.05);
                for (size_t j = 0; j <= FEATURES; j++) {
                    const double at = c[j], h = 1e-4;
                    c[j] = at + h;
                    const double above = whole_loss(&s, &o, 0.05, c);
                    c[j] = at - h;
                    const double below = whole_loss(&s, &o, 0.05, c);
                    c[j] = at;
                    assert_true(above >= least - 1e-12 && below >= least - 1e-12);
                    assert_true(fabs(above - below) / (2.0 * h) < 1e-6);
                }
                setting_free(&s);
            }
}

/* The same with several bags of several rows: 60 rows in 12 bags, given by list; one row is left out. */
static void fit__interpolates_between_bags_and_rows(void **state)
{
    (void)state;
    setting s = { .scene = scene_make(ROWS, FEATURES, 1.0, 0.25, 0.3), .opts = bags_options(ROWS, 0, 4.0, 0.0, 2.0) };
    size_t starts[13], members[60];
    scene_draw(&s.scene, 9);
    for (size_t a = 0; a <= 12; a++)
        starts[a] = 5 * a;
    for (size_t i = 0; i < 60; i++)
        members[i] = (i * 7) % 60;
    s.opts.grouping = NW_BAGS_BY_LIST;
    s.opts.bag_count = 12;
    s.opts.starts = starts;
    s.opts.members = members;
    s.bags = bags_released(&s.opts, s.scene.y, 3);
    assert_int_equal(nw_bags_get_ids(s.bags, s.ids, NULL), NW_OK);
    assert_true(s.ids[60] == SIZE_MAX);
    for (int loss = NW_BAGS_SQUARED; loss <= NW_BAGS_LOGISTIC; loss++)
        for (double rho = 0.0; rho <= 1.0; rho += 0.25) {
            nw_bags_fit_opts o = NW_BAGS_FIT_OPTS_INIT;
            nw_bags_fitted fitted;
            double c[FEATURES + 1];
            o.loss = (nw_bags_loss)loss;
            o.rho = rho;
            o.ridge = 0.01;
            assert_int_equal(nw_bags_fit(s.bags, s.scene.x, FEATURES, &o, c, &fitted, NULL), NW_OK);
            c[FEATURES] = fitted.intercept;
            const double least = whole_loss(&s, &o, 0.01, c);
            assert_true(fabs(least - fitted.loss) < 1e-9 * (1.0 + fabs(least)));
            for (size_t j = 0; j <= FEATURES; j++)
                for (int sign = -1; sign <= 1; sign += 2) {
                    c[j] += sign * 1e-3;
                    assert_true(whole_loss(&s, &o, 0.01, c) > least);
                    c[j] -= sign * 1e-3;
                }
        }
    setting_free(&s);
}

/* A bag of many rows weighs more than a bag of one, as its mean has less noise: the fit is that of the means, each counted by
 * its precision, here with noise so large that the labels' own variance does not matter. */
static void fit__weighs_bags_by_the_precision_of_their_means(void **state)
{
    (void)state;
    enum { N = 9 };
    const double x[N] = { 1, 1, 1, 1, 1, 1, 1, 1, 3 }, y[N] = { 0 };
    size_t ids[N] = { 0, 0, 0, 0, 0, 0, 0, 0, 1 };
    nw_bags_opts o = bags_options(N, 0, 1e-3, 0.0, 1.0);
    nw_bags_fit_opts f = NW_BAGS_FIT_OPTS_INIT;
    double c;
    o.grouping = NW_BAGS_BY_ID;
    o.bag_count = 2;
    o.ids = ids;
    f.has_intercept = false;
    f.ridge = 0.0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        nw_bags *bags = bags_released(&o, y, seed);
        const double *means = nw_bags_means(bags);
        assert_int_equal(nw_bags_fit(bags, x, 1, &f, &c, NULL, NULL), NW_OK);
        const double expected = (64.0 * means[0] + 3.0 * means[1]) / (64.0 + 9.0);
        assert_true(fabs(c - expected) < 2e-3 * (fabs(means[0]) + fabs(means[1])));
        nw_bags_free(bags);
    }
}

/* Labels of which nothing can be learned get a ridge that leaves next to nothing; labels that are told well, next to none. */
static void fit__finds_a_ridge_that_suits_the_noise(void **state)
{
    (void)state;
    scene s = scene_make(2000, 10, 1.0, 0.25, 0.0);
    nw_bags_fit_opts f = NW_BAGS_FIT_OPTS_INIT;
    nw_bags_fitted fitted;
    double c[10];
    scene_draw(&s, 1);
    for (int quiet = 0; quiet < 2; quiet++) {
        const nw_bags_opts o = bags_options(2000, 1, quiet == 1 ? 64.0 : 0.01, 0.0, 5.0);
        nw_bags *bags = bags_released(&o, s.y, 5);
        assert_int_equal(nw_bags_fit(bags, s.x, 10, &f, c, &fitted, NULL), NW_OK);
        double norm = 0.0;
        for (int j = 0; j < 10; j++)
            norm += c[j] * c[j];
        assert_true(quiet == 1 ? scene_risk(&s, c) < 0.02 && fitted.ridge < 0.02 : norm < 25.0);
        nw_bags_free(bags);
    }
    scene_free(&s);
}

/* Means far beyond the classes' ends: the loss still has its minimum, and finite coefficients. */
static void fit__of_classes_takes_means_beyond_their_ends(void **state)
{
    (void)state;
    scene s = scene_make(300, 4, 1.0, 0.25, 0.0);
    nw_bags_fit_opts f = NW_BAGS_FIT_OPTS_INIT;
    nw_bags_fitted fitted;
    double c[4];
    f.loss = NW_BAGS_LOGISTIC;
    scene_draw(&s, 1);
    for (size_t i = 0; i < 300; i++)
        s.y[i] = 1.0; /* one class only */
    static const double epsilons[] = { 0.01, 1.0, 64.0 };
    for (int e = 0; e < 3; e++) {
        const nw_bags_opts o = bags_options(300, 1, epsilons[e], 0.0, 1.0);
        nw_bags *bags = bags_released(&o, s.y, 5);
        assert_int_equal(nw_bags_fit(bags, s.x, 4, &f, c, &fitted, NULL), NW_OK);
        assert_true(isfinite(fitted.intercept) && fitted.iterations > 0);
        for (int j = 0; j < 4; j++)
            assert_true(isfinite(c[j]));
        if (epsilons[e] == 64.0)
            assert_true(fitted.intercept > 3.0); /* all of one class */
        nw_bags_free(bags);
    }
    scene_free(&s);
}

static void fit__does_not_depend_on_the_threads(void **state)
{
    (void)state;
    enum { P = 80 };
    scene s = scene_make(1000, P, 1.0, 0.25, 0.3);
    scene_draw(&s, 2);
    const nw_bags_opts o = bags_options(1000, 4, 4.0, 0.0, 5.0);
    nw_bags *bags = bags_released(&o, s.y, 5);
    for (int loss = NW_BAGS_SQUARED; loss <= NW_BAGS_LOGISTIC; loss++) {
        double c[2][P];
        nw_bags_fit_opts f = NW_BAGS_FIT_OPTS_INIT;
        f.loss = (nw_bags_loss)loss;
        f.rho = 0.2;
        f.ridge = 0.01;
        for (int run = 0; run < 2; run++) {
            omp_set_num_threads(run == 0 ? 1 : 4);
            assert_int_equal(nw_bags_fit(bags, s.x, P, &f, c[run], NULL, NULL), NW_OK);
        }
        assert_memory_equal(c[0], c[1], sizeof c[0]);
    }
    omp_set_num_threads(1);
    nw_bags_free(bags);
    scene_free(&s);
}

static void fit__names_what_is_wrong(void **state)
{
    (void)state;
    setting s = setting_make(20, 1.0); /* four bags */
    double c[8];
    nw_error err;
    static const struct {
        const char *message;
        nw_bags_loss loss;
        double rho, ridge;
    } bad[] = { { "loss is 3", (nw_bags_loss)3, 0.0, 1.0 }, { "rho is 1.5", NW_BAGS_SQUARED, 1.5, 1.0 },
        { "rho is nan", NW_BAGS_SQUARED, NAN, 1.0 }, { "ridge is -2", NW_BAGS_SQUARED, 0.0, -2.0 },
        { "ridge is 0", NW_BAGS_LOGISTIC, 0.0, 0.0 }, { "ridge is 0 with 4 bags", NW_BAGS_SQUARED, 0.0, 0.0 } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const nw_bags_fit_opts o = { sizeof o, bad[i].loss, bad[i].rho, bad[i].ridge, true };
        assert_int_equal(nw_bags_fit(s.bags, s.scene.x, FEATURES, &o, c, NULL, &err), NW_E_ARG);
        if (strstr(err.message, bad[i].message) == NULL)
            fail_msg("%s: %s", bad[i].message, err.message);
    }
    assert_int_equal(nw_bags_fit(NULL, s.scene.x, FEATURES, NULL, c, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_bags_fit(s.bags, NULL, FEATURES, NULL, c, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_bags_fit(s.bags, s.scene.x, 0, NULL, c, NULL, &err), NW_E_ARG);
    s.scene.x[5] = NAN;
    assert_int_equal(nw_bags_fit(s.bags, s.scene.x, FEATURES, NULL, c, NULL, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "not finite"));
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < FEATURES; j++)
            s.scene.x[i * FEATURES + j] = (double)(i % 7); /* collinear */
    nw_bags *one = bags_released(&(nw_bags_opts){ sizeof(nw_bags_opts), ROWS, 1.0, 0.0, 1.0, 0.0, NW_BAGS_RANDOM, 1, 0, NULL, 0,
                                     NULL, NULL, NULL, NULL, 0 },
        s.scene.y, 1);
    const nw_bags_fit_opts bare = { sizeof bare, NW_BAGS_SQUARED, 0.0, 0.0, true };
    assert_int_equal(nw_bags_fit(one, s.scene.x, FEATURES, &bare, c, NULL, &err), NW_E_NUMERIC);
    assert_int_equal(nw_bags_fit(one, s.scene.x, FEATURES, NULL, c, NULL, &err), NW_OK); /* a ridge decides */
    nw_bags_free(one);
    setting_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fit__is_the_minimum_of_the_stated_loss),
        cmocka_unit_test(fit__interpolates_between_bags_and_rows),
        cmocka_unit_test(fit__weighs_bags_by_the_precision_of_their_means),
        cmocka_unit_test(fit__finds_a_ridge_that_suits_the_noise),
        cmocka_unit_test(fit__of_classes_takes_means_beyond_their_ends),
        cmocka_unit_test(fit__does_not_depend_on_the_threads),
        cmocka_unit_test(fit__names_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
