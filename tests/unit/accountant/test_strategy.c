/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_strategy.c - sens(C) against brute force: every pattern of participation and every choice of signs, columns written out in
 * long double. */
#include "random_event.h"

#include "accountant_internal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { MOST = 9 };
static const long double CLOSE = 1e-11L; /* an exact answer may be this much above, relative */

typedef struct matrix {
    uint64_t n;
    long double at[MOST][MOST];
} matrix;

static matrix written_out(const nw_strategy *s)
{
    matrix m = { .n = s->steps };
    for (uint64_t i = 0; i < m.n; i++) {
        for (uint64_t j = 0; j < m.n; j++) {
            const uint64_t d = i - j;
            switch (s->kind) {
            case NW_STRATEGY_DENSE: m.at[i][j] = s->coefficients[i * m.n + j]; break;
            case NW_STRATEGY_TOEPLITZ: m.at[i][j] = j <= i && d < s->coefficient_count ? s->coefficients[d] : 0; break;
            case NW_STRATEGY_BANDED: m.at[i][j] = j <= i && d < s->bands ? s->coefficients[i * s->bands + d] : 0; break;
            case NW_STRATEGY_BLT:
                m.at[i][j] = i == j;
                for (size_t b = 0; j < i && b < s->coefficient_count; b++)
                    m.at[i][j] += s->coefficients[b] * powl(s->theta[b], (long double)(d - 1));
                break;
            }
        }
    }
    return m;
}

static long double square(const matrix *m, const long double *sum)
{
    long double total = 0;
    for (uint64_t i = 0; i < m->n; i++)
        total += sum[i] * sum[i];
    return total;
}

/* Steps from `from` on, `left` participations more, either sign. */
static long double search(const nw_strategy *s, const matrix *m, uint64_t from, uint64_t left, const long double *sum)
{
    long double most = square(m, sum);
    for (uint64_t j = from; left > 0 && j < m->n; j++) {
        for (int sign = -1; sign <= 1; sign += 2) {
            long double next[MOST];
            for (uint64_t i = 0; i < m->n; i++)
                next[i] = sum[i] + sign * m->at[i][j];
            most = fmaxl(most, search(s, m, j + s->min_separation, left - 1, next));
        }
    }
    return most;
}

/* An upper bound always; the truth where it says so. Returns its excess. */
static long double check(const nw_strategy *s, bool *is_exact)
{
    const matrix m = written_out(s);
    const long double nothing[MOST] = { 0 };
    const uint64_t most = s->max_participations == 0 ? m.n : s->max_participations;
    const long double truth = sqrtl(search(s, &m, 0, most, nothing));
    double value = 0.0;
    assert_int_equal(nw_strategy_sensitivity(s, &value, is_exact, NULL), NW_OK);
    if (!(value >= truth))
        fail_msg("kind %d: sens is %.17g, by brute force %.17Lg", (int)s->kind, value, truth);
    if (*is_exact && !(value <= truth * (1 + CLOSE) + 1e-300L))
        fail_msg("kind %d: sens is %.17g, said to be exact, by brute force %.17Lg", (int)s->kind, value, truth);
    return value - truth;
}

static nw_strategy strategy(nw_strategy_kind kind, uint64_t steps, const double *c, size_t n)
{
    nw_strategy s = NW_STRATEGY_INIT;
    s.kind = kind;
    s.steps = steps;
    s.coefficients = c;
    s.coefficient_count = n;
    return s;
}

static double entry(random_bits *r)
{
    return random_below(r, 4) == 0 ? 0.0 : 2.0 * random_unit(r) - (random_below(r, 3) == 0 ? 1.0 : 0.3);
}

static void strategy_sensitivity__bounds_every_pattern_and_sign(void **state)
{
    (void)state;
    random_bits r = { 1 };
    int exact[5] = { 0 };
    for (int round = 0; round < 1200; round++) {
        double c[MOST * MOST];
        double theta[3];
        const nw_strategy_kind kind = (nw_strategy_kind)(1 + round % 4);
        const uint64_t n = 1 + random_below(&r, 7);
        const uint64_t bands = 1 + random_below(&r, n);
        const size_t count = kind == NW_STRATEGY_DENSE    ? n * n
                             : kind == NW_STRATEGY_BANDED ? n * bands
                             : kind == NW_STRATEGY_BLT    ? 1 + random_below(&r, 3)
                                                          : 1 + random_below(&r, MOST);
        nw_strategy s = strategy(kind, n, c, count);
        bool is_exact = false;
        for (size_t i = 0; i < count; i++)
            c[i] = entry(&r);
        for (size_t i = 0; kind == NW_STRATEGY_BLT && i < count; i++)
            theta[i] = random_below(&r, 5) == 0 ? 0.0 : random_unit(&r);
        s.theta = kind == NW_STRATEGY_BLT ? theta : NULL;
        s.bands = bands;
        s.max_participations = random_below(&r, n + 2);
        s.min_separation = 1 + random_below(&r, n + 1);
        check(&s, &is_exact);
        exact[kind] += is_exact;
    }
    for (int kind = 1; kind < 5; kind++)
        assert_true(exact[kind] > 30);
}

/* Non-negative and non-increasing columns: the pattern {0, b, 2b, ...} is the worst  [KL24, Thm 2]. */
static void strategy_sensitivity__is_exact_for_falling_toeplitz(void **state)
{
    (void)state;
    random_bits r = { 2 };
    for (int round = 0; round < 400; round++) {
        double c[MOST];
        const uint64_t steps = 1 + random_below(&r, 8);
        nw_strategy s = strategy(NW_STRATEGY_TOEPLITZ, steps, c, 1 + random_below(&r, 8));
        bool is_exact = false;
        double last = 1.0;
        for (size_t i = 0; i < s.coefficient_count; i++)
            last = c[i] = last * (random_below(&r, 4) == 0 ? 1.0 : random_unit(&r));
        s.max_participations = random_below(&r, 5);
        s.min_separation = 1 + random_below(&r, 4);
        check(&s, &is_exact);
        assert_true(is_exact);
    }
}

/* A BLT of positive weights falls from its second entry on, and from its first if the weights sum to at most 1. */
static void strategy_sensitivity__is_exact_for_falling_blt(void **state)
{
    (void)state;
    const double w[2] = { 0.5, 0.25 };
    const double theta[2] = { 0.9, 0.4 };
    bool is_exact = false;
    nw_strategy s = strategy(NW_STRATEGY_BLT, 8, w, 2);
    s.theta = theta;
    for (s.max_participations = 0; s.max_participations < 5; s.max_participations++) {
        for (s.min_separation = 1; s.min_separation < 9; s.min_separation++) {
            check(&s, &is_exact);
            assert_true(is_exact);
        }
    }
}

/* Columns that cannot meet are orthogonal: exact whatever the signs  [CGKM23, Alg. 3]. */
static void strategy_sensitivity__is_exact_for_separated_bands(void **state)
{
    (void)state;
    random_bits r = { 3 };
    for (int round = 0; round < 200; round++) {
        double c[MOST * MOST];
        const uint64_t n = 3 + random_below(&r, 5);
        nw_strategy s = strategy(NW_STRATEGY_BANDED, n, c, 0);
        bool is_exact = false;
        s.bands = 1 + random_below(&r, n < 4 ? n : 4);
        s.coefficient_count = n * s.bands;
        s.min_separation = s.bands + random_below(&r, 2);
        s.max_participations = random_below(&r, 4);
        for (size_t i = 0; i < s.coefficient_count; i++)
            c[i] = 2.0 * random_unit(&r) - 1.0;
        check(&s, &is_exact);
        assert_true(is_exact);
    }
}

/* The optimal Toeplitz factor of prefix sums for one participation, c_k = c_(k-1) (2k - 1) / (2k): sens^2 is the sum of squares,
 * here in long double and by its asymptotic expansion. */
static void strategy_sensitivity__of_the_square_root_factor(void **state)
{
    (void)state;
    enum { N = 100000 };
    double *c = malloc(N * sizeof *c);
    long double sum = 0;
    long double exact = 1;
    for (int k = 0; k < N; k++) {
        exact *= k == 0 ? 1 : (2 * k - 1) / (2.0L * k);
        c[k] = (double)exact;
        sum += exact * exact;
    }
    for (int n = 1; n <= N; n *= 10) {
        nw_strategy s = strategy(NW_STRATEGY_TOEPLITZ, (uint64_t)n, c, (size_t)n);
        double value = 0.0;
        bool is_exact = false;
        long double truth = 0;
        for (int k = 0; k < n; k++)
            truth += (long double)c[k] * c[k];
        assert_int_equal(nw_strategy_sensitivity(&s, &value, &is_exact, NULL), NW_OK);
        assert_true(is_exact && value >= sqrtl(truth) && value <= sqrtl(truth) * (1 + 1e-9L));
    }
    /* c_k^2 = 1 / (pi k) - 1 / (4 pi k^2) + ...: the sum is (log n + gamma + 4 log 2) / pi + O(1 / n) */
    const long double pi = 3.14159265358979323846L;
    assert_true(fabsl(sum - (logl(N) + 0.57721566490153286061L + 4 * logl(2)) / pi) < 1e-5L);
    free(c);
}

static void event_tree__counts_the_nodes_of_a_record(void **state)
{
    (void)state;
    for (uint64_t leaves = 1; leaves < 5000; leaves += 1 + leaves / 9) {
        nw_event *e = NULL;
        nw_cost cost;
        int depth = 0;
        while ((UINT64_C(1) << depth) < leaves + 1) /* ceil(log2(leaves + 1)) */
            depth++;
        assert_int_equal(nw_event_tree(&e, 2.0, (nw_sensitivity){ 3.0, NW_ADD_REMOVE }, leaves, NULL), NW_OK);
        assert_int_equal(nw_event_cost(e, NW_ADD_REMOVE, &cost, NULL), NW_OK);
        assert_true(cost.mu_squared >= depth * 2.25 && cost.mu_squared <= depth * 2.25 * (1.0 + 1e-14));
        nw_event_free(e);
    }
}

static void refuse(nw_strategy s, nw_status status, const char *word)
{
    nw_error err;
    nw_event *e = NULL;
    double value = 0.0;
    assert_int_equal(nw_strategy_sensitivity(&s, &value, NULL, &err), status);
    if (strstr(err.message, word) == NULL)
        fail_msg("\"%s\" does not name %s", err.message, word);
    assert_int_equal(nw_event_matrix(&e, 1.0, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, &s, &err), status);
    assert_null(e);
}

static void strategy_sensitivity__refuses_bad_strategies(void **state)
{
    (void)state;
    const double c[4] = { 1.0, 0.5, 0.25, 0.125 };
    const double bad[2] = { 1.0, (double)NAN };
    const double theta[2] = { 0.5, 1.0 };
    double value = 0.0;
    nw_strategy s = strategy(NW_STRATEGY_TOEPLITZ, 0, c, 4);
    refuse(s, NW_E_ARG, "steps");
    s.steps = (UINT64_C(1) << 26) + 1;
    refuse(s, NW_E_ARG, "steps");
    s.steps = 2;
    s.min_separation = 0;
    refuse(s, NW_E_ARG, "min_separation");
    s.min_separation = 1;
    s.coefficients = NULL;
    refuse(s, NW_E_ARG, "coefficients");
    s.coefficients = bad;
    s.coefficient_count = 2;
    refuse(s, NW_E_ARG, "coefficients[1]");
    refuse(strategy(NW_STRATEGY_TOEPLITZ, 2, c, 0), NW_E_ARG, "coefficients");
    refuse(strategy(NW_STRATEGY_DENSE, 2, c, 3), NW_E_ARG, "coefficients");
    refuse(strategy(NW_STRATEGY_BANDED, 2, c, 4), NW_E_ARG, "bands");
    refuse(strategy((nw_strategy_kind)0, 2, c, 4), NW_E_ARG, "kind");
    refuse(strategy(NW_STRATEGY_BLT, 2, c, 2), NW_E_ARG, "theta[0]");
    s = strategy(NW_STRATEGY_BLT, 2, c, 2);
    s.theta = theta;
    refuse(s, NW_E_ARG, "theta[1]");
    assert_int_equal(nw_strategy_sensitivity(NULL, &value, NULL, NULL), NW_E_ARG);
    assert_int_equal(nw_strategy_sensitivity(&s, NULL, NULL, NULL), NW_E_ARG);
}

/* A pattern of a million limited participations over a million steps: refused, not searched for minutes. */
static void strategy_sensitivity__refuses_what_it_cannot_search(void **state)
{
    (void)state;
    enum { N = 1000000 };
    double *c = calloc(N, sizeof *c);
    nw_strategy s = strategy(NW_STRATEGY_BANDED, N, c, N);
    s.bands = 1;
    s.max_participations = N / 2;
    refuse(s, NW_E_UNSUPPORTED, "max_participations");
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strategy_sensitivity__bounds_every_pattern_and_sign),
        cmocka_unit_test(strategy_sensitivity__is_exact_for_falling_toeplitz),
        cmocka_unit_test(strategy_sensitivity__is_exact_for_falling_blt),
        cmocka_unit_test(strategy_sensitivity__is_exact_for_separated_bands),
        cmocka_unit_test(strategy_sensitivity__of_the_square_root_factor),
        cmocka_unit_test(event_tree__counts_the_nodes_of_a_record),
        cmocka_unit_test(strategy_sensitivity__refuses_bad_strategies),
        cmocka_unit_test(strategy_sensitivity__refuses_what_it_cannot_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
