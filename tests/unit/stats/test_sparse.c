/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_sparse.c - the sparse vector technique: its exact law and loss by enumeration. */
#include "stats_internal.h"
#include "stats_support.h"

#include <gsl/gsl_cdf.h>
#include <stdio.h>

enum { REACH = 120, QUESTIONS = 3 };

static nw_sparse_opts sparse_options(double epsilon, uint32_t positives, bool is_monotone)
{
    nw_sparse_opts o = NW_SPARSE_OPTS_INIT;
    o.epsilon = epsilon;
    o.sensitivity = 1;
    o.adjacency = NW_ADD_REMOVE;
    o.positives = positives;
    o.is_monotone = is_monotone;
    return o;
}

/* Scales as [LSL17] sets them; `shifts` is 2 c, or c for monotone scores. */
static void plain_scales(double epsilon, double shifts, double *rho, double *nu)
{
    const double epsilon_1 = epsilon / (1.0 + pow(shifts, 2.0 / 3.0));
    *rho = 1.0 / epsilon_1;
    *nu = shifts / (epsilon - epsilon_1);
}

static double laplace_at_least(double scale, int64_t k)
{
    const double q = exp(-1.0 / scale);
    return k > 0 ? pow(q, (double)k) / (1.0 + q) : 1.0 - pow(q, 1.0 - (double)k) / (1.0 + q);
}

/* Probability of a pattern of answers (bit i: yes to question i) to scores against the threshold 0; it ends after c yes. */
static double pattern_probability(const int64_t *scores, unsigned pattern, uint32_t c, double rho, double nu)
{
    const double q = exp(-1.0 / rho);
    double sum = 0.0;
    for (int64_t z = -REACH; z <= REACH; z++) {
        double p = (1.0 - q) / (1.0 + q) * pow(q, fabs((double)z));
        uint32_t left = c;
        for (size_t i = 0; i < QUESTIONS && left > 0; i++) {
            const bool is_yes = pattern >> i & 1;
            const double above = laplace_at_least(nu, z - scores[i]);
            p *= is_yes ? above : 1.0 - above;
            left -= is_yes;
        }
        sum += p;
    }
    return sum;
}

/* The largest loss over patterns, scores in {-1, 0, 1}^3, and neighbours that move each by at most 1 (monotone: all up). */
static double worst_loss(uint32_t c, bool is_monotone, double rho, double nu)
{
    double worst = 0.0;
    for (size_t a = 0; a < 27; a++) {
        for (size_t d = 0; d < 27; d++) {
            const size_t digits[2][QUESTIONS] = { { a % 3, a / 3 % 3, a / 9 }, { d % 3, d / 3 % 3, d / 9 } };
            int64_t x[QUESTIONS], y[QUESTIONS];
            bool is_neighbour = true;
            for (size_t i = 0; i < QUESTIONS; i++) {
                x[i] = (int64_t)digits[0][i] - 1;
                y[i] = x[i] + (int64_t)digits[1][i] - 1;
                is_neighbour = is_neighbour && (!is_monotone || digits[1][i] >= 1);
            }
            for (unsigned pattern = 0; is_neighbour && pattern < 8; pattern++)
                worst = fmax(
                    worst, fabs(log(pattern_probability(x, pattern, c, rho, nu) / pattern_probability(y, pattern, c, rho, nu))));
        }
    }
    return worst;
}

static void sparse__loses_at_most_epsilon(void **state)
{
    (void)state;
    const double epsilon = 1.0;
    double rho, nu;
    for (uint32_t c = 1; c <= 2; c++) {
        plain_scales(epsilon, 2.0 * c, &rho, &nu);
        const double general = worst_loss(c, false, rho, nu);
        plain_scales(epsilon, c, &rho, &nu);
        const double monotone = worst_loss(c, true, rho, nu);
        print_message("# %u positives: loss %.4f, monotone %.4f, of %.4f\n", c, general, monotone, epsilon);
        assert_true(general <= epsilon * (1.0 + 1e-9) && monotone <= epsilon * (1.0 + 1e-9));
        assert_true(general > 0.4 * epsilon && monotone > 0.4 * epsilon);
    }
    /* the faulty relatives: scores without noise of their own for all positives */
    plain_scales(epsilon, 2.0, &rho, &nu);
    assert_true(worst_loss(2, false, rho, 0.3) > epsilon);
}

/* Patterns of real handles against the law with the scales written down above: 8,000 runs tell noise x 0.6 from it. */
static void sparse_ask__has_the_exact_law(void **state)
{
    (void)state;
    enum { RUNS = 8000 };
    const int64_t scores[QUESTIONS] = { 2, -1, 0 };
    uint64_t counts[8] = { 0 };
    double rho, nu, chi = 0.0, mutant = 0.0;
    nw_rng *rng = seeded(17);
    nw_ledger *ledger = NULL;
    for (size_t run = 0; run < RUNS; run++) {
        const nw_sparse_opts o = sparse_options(2.0, QUESTIONS, false);
        nw_sparse *sparse = NULL;
        unsigned pattern = 0;
        if (run % 250 == 0) { /* a ledger slows down as it grows */
            nw_ledger_close(ledger);
            nw_ledger_opts unlimited = NW_LEDGER_OPTS_INIT;
            unlimited.delta = 0.0;
            unlimited.adjacency = NW_ADD_REMOVE;
            assert_int_equal(nw_ledger_unlimited(&ledger, &unlimited, NULL), NW_OK);
        }
        assert_int_equal(nw_sparse_new(&sparse, &o, NULL), NW_OK);
        assert_int_equal(nw_sparse_start(sparse, rng, ledger, "sparse", NULL, NULL), NW_OK);
        for (size_t i = 0; i < QUESTIONS; i++) {
            bool is_above = false;
            assert_int_equal(nw_sparse_ask(sparse, rng, scores[i] + 40, 40, &is_above, NULL), NW_OK);
            pattern |= (unsigned)is_above << i;
        }
        counts[pattern]++;
        nw_sparse_free(sparse);
    }
    plain_scales(2.0, 2.0 * QUESTIONS, &rho, &nu);
    for (unsigned pattern = 0; pattern < 8; pattern++) {
        const double p = RUNS * pattern_probability(scores, pattern, QUESTIONS, rho, nu);
        const double q = RUNS * pattern_probability(scores, pattern, QUESTIONS, rho, 0.6 * nu);
        chi += pow((double)counts[pattern] - p, 2.0) / p;
        mutant += pow((double)counts[pattern] - q, 2.0) / q;
    }
    print_message("# p %.3g; of noise x 0.6: %.3g\n", gsl_cdf_chisq_Q(chi, 7.0), gsl_cdf_chisq_Q(mutant, 7.0));
    assert_true(gsl_cdf_chisq_Q(chi, 7.0) > 1e-9 && gsl_cdf_chisq_Q(mutant, 7.0) < 1e-9);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
}

static void sparse__ends_after_its_positives_and_refuses(void **state)
{
    (void)state;
    nw_sparse *sparse = NULL;
    nw_sparse_opts bad[5];
    nw_rng *rng = seeded(4);
    nw_ledger *ledger = ledger_of(1.0, 0.0, NW_ADD_REMOVE);
    bool is_above = false;
    for (size_t i = 0; i < 5; i++)
        bad[i] = sparse_options(1.0, 1, false);
    bad[0].epsilon = 0.0;
    bad[1].sensitivity = 0;
    bad[2].adjacency = NW_ADJACENCY_UNSET;
    bad[3].positives = 0;
    bad[4].epsilon = 1e-14;
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(nw_sparse_new(&sparse, &bad[i], NULL), NW_E_ARG);
    const nw_sparse_opts dear = sparse_options(2.0, 1, false);
    assert_int_equal(nw_sparse_new(&sparse, &dear, NULL), NW_OK);
    assert_int_equal(nw_sparse_start(sparse, rng, ledger, "dear", NULL, NULL), NW_E_BUDGET);
    assert_int_equal(nw_sparse_ask(sparse, rng, 1000, 0, &is_above, NULL), NW_E_STATE);
    nw_sparse_free(sparse);
    const nw_sparse_opts o = sparse_options(1.0, 2, true);
    assert_int_equal(nw_sparse_new(&sparse, &o, NULL), NW_OK);
    assert_int_equal(nw_sparse_start(sparse, rng, ledger, "good", NULL, NULL), NW_OK);
    assert_int_equal(nw_sparse_start(sparse, rng, ledger, "good", NULL, NULL), NW_E_STATE);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(nw_sparse_ask(sparse, rng, INT64_MIN, INT64_MAX, &is_above, NULL), NW_OK);
        assert_false(is_above);
    }
    assert_int_equal(nw_sparse_left(sparse), 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(nw_sparse_ask(sparse, rng, INT64_MAX, INT64_MIN, &is_above, NULL), NW_OK);
        assert_true(is_above);
    }
    assert_int_equal(nw_sparse_left(sparse), 0);
    assert_int_equal(nw_sparse_ask(sparse, rng, 0, 0, &is_above, NULL), NW_E_STATE);
    nw_sparse_free(sparse);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sparse__loses_at_most_epsilon),
        cmocka_unit_test(sparse_ask__has_the_exact_law),
        cmocka_unit_test(sparse__ends_after_its_positives_and_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
