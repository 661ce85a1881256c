/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_shuffle.c - amplification by shuffling against enumeration in long double: the law of the clones outcome by outcome, and
 * the mechanism itself, every table of n reports and every count of their answers. */
#include "shuffle.h"
#include "vectors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { MOST_OUTCOMES = 1 << 16 };
static const long double ROUNDING = 1e-16L;
static const long double LEFT_OUT = 2.1e-28L; /* counts of clones that are not summed over, all of it above */

/* A finite law and its neighbour's. */
typedef struct law {
    size_t n;
    long double (*at)[2];
} law;

static law law_new(void)
{
    return (law){ 0, calloc(MOST_OUTCOMES, sizeof(long double[2])) };
}

static void put(law *l, long double p, long double q)
{
    assert_true(l->n < MOST_OUTCOMES);
    l->at[l->n][0] = p;
    l->at[l->n++][1] = q;
}

static long double delta_of(const law *l, long double epsilon)
{
    long double sum = 0;
    for (size_t i = 0; i < l->n; i++)
        sum += fmaxl(0, l->at[i][0] - expl(epsilon) * l->at[i][1]);
    return sum;
}

static law product(const law *x, const law *y)
{
    law out = law_new();
    for (size_t i = 0; i < x->n; i++)
        for (size_t j = 0; j < y->n; j++)
            put(&out, x->at[i][0] * y->at[j][0], x->at[i][1] * y->at[j][1]);
    return out;
}

static long double binomial(int n, int k, long double p)
{
    long double value = k < 0 || k > n ? 0 : 1;
    for (int i = 0; i < k && k <= n; i++)
        value *= p * (n - i) / (i + 1);
    for (int i = k; i < n && k >= 0; i++)
        value *= 1 - p;
    return value;
}

/* [FMT21, Thm 3.1]: C ~ Bin(n - 1, clone), A ~ Bin(C, 1/2), D ~ Ber(s). */
static law clones(int n, long double epsilon0, long double clone)
{
    const long double s = expl(epsilon0) / (1 + expl(epsilon0));
    law out = law_new();
    for (int c = 0; c < n; c++) {
        for (int a = 0; a <= c + 1; a++) {
            const long double without = binomial(n - 1, c, clone) * binomial(c, a, 0.5L);
            const long double with = binomial(n - 1, c, clone) * binomial(c, a - 1, 0.5L);
            put(&out, s * with + (1 - s) * without, (1 - s) * with + s * without);
        }
    }
    return out;
}

static void pair_shuffle__is_the_law_of_the_clones(void **state)
{
    (void)state;
    const double epsilons[] = { 0.01, 0.5, 1.0, 3.0, 8.0 };
    for (int n = 2; n < 45; n += 1 + n / 2) {
        for (int i = 0; i < 10; i++) {
            const double e = epsilons[i / 2];
            const double clone = i % 2 == 0 ? exp(-e) : 2.0 / (exp(e) + 1.0);
            nw__pair *pair = NULL;
            law l = clones(n, e, i % 2 == 0 ? expl(-(long double)e) : 2 / (expl(e) + 1));
            assert_int_equal(nw__pair_shuffle(&pair, (uint64_t)n, e, clone, NULL), NW_OK);
            for (double x = -1.2 * e; x < 1.2 * e; x += e / 17.3) {
                double lower = 0.0;
                double upper = 0.0;
                const long double truth = delta_of(&l, x);
                nw__pair_delta(pair, x, &lower, &upper);
                if (!(lower <= truth * (1 + ROUNDING) + LEFT_OUT && upper >= truth * (1 - ROUNDING) && upper - lower < 1e-11))
                    fail_msg(
                        "n = %d, epsilon0 = %g: delta(%.17g) in [%.17g, %.17g], in truth %.17Lg", n, e, x, lower, upper, truth);
            }
            nw__pair_free(pair);
            free(l.at);
        }
    }
}

/* The counts of k answers from n reports as one number each, base 16. */
typedef struct table {
    int k, n;
    long double p; /* of a uniform answer */
    int held[8];   /* by the records */
} table;

static void add_reports(
    const table *t, int record, uint64_t counts, long double weight, long double *mass, uint64_t *key, size_t *n)
{
    if (record == t->n) {
        size_t i = 0;
        while (i < *n && key[i] != counts)
            i++;
        key[i] = counts;
        mass[i] = i == *n ? weight : mass[i] + weight;
        *n += i == *n;
        return;
    }
    for (int answer = 0; answer < t->k; answer++)
        add_reports(t, record + 1, counts + (UINT64_C(1) << (4 * answer)),
            weight * (t->p / t->k + (answer == t->held[record] ? 1 - t->p : 0)), mass, key, n);
}

/* What shuffled reports show of a table whose first record holds answer 0, against one that holds 1. */
static law shown(table t)
{
    static long double mass[2][4096];
    static uint64_t key[2][4096];
    size_t n[2] = { 0, 0 };
    law out = law_new();
    for (int side = 0; side < 2; side++) {
        t.held[0] = side;
        add_reports(&t, 0, 0, 1, mass[side], key[side], &n[side]);
    }
    for (size_t i = 0; i < n[0]; i++) {
        size_t j = 0;
        while (key[1][j] != key[0][i])
            j++;
        put(&out, mass[0][i], mass[1][j]);
    }
    return out;
}

/* The largest delta over all tables of the others: their order does not matter. */
static long double worst(table t, int record, long double epsilon)
{
    long double most = 0;
    if (record == t.n) {
        law l = shown(t);
        most = delta_of(&l, epsilon);
        free(l.at);
        return most;
    }
    for (int answer = record == 1 ? 0 : t.held[record - 1]; answer < t.k; answer++) {
        t.held[record] = answer;
        most = fmaxl(most, worst(t, record + 1, epsilon));
    }
    return most;
}

static nw_event *shuffled(uint64_t n, double p, uint64_t k, uint64_t rounds)
{
    nw_event *base = NULL;
    nw_event *once = NULL;
    nw_event *e = NULL;
    assert_int_equal(nw_event_randomized_response(&base, p, k, NULL), NW_OK);
    assert_int_equal(nw_event_shuffled(&once, n, base, NULL), NW_OK);
    assert_int_equal(nw_event_repeat(&e, once, rounds, NULL), NW_OK);
    nw_event_free(base);
    nw_event_free(once);
    return e;
}

/* The truth lies in the interval, which is no wider than the clones are wrong. */
static void account_delta__encloses_every_table_of_reports(void **state)
{
    (void)state;
    const struct {
        int n, k;
        double p;
    } cases[] = { { 1, 2, 0.3 }, { 1, 4, 0.3 }, { 2, 2, 0.5 }, { 3, 2, 0.4 }, { 6, 2, 0.2 }, { 7, 2, 0.9 }, { 3, 3, 0.5 },
        { 5, 3, 0.6 }, { 4, 4, 0.7 }, { 3, 5, 0.25 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const table t = { cases[i].k, cases[i].n, cases[i].p, { 0 } };
        const double epsilon0 = log(1.0 + (1.0 - cases[i].p) * cases[i].k / cases[i].p);
        nw_event *e = shuffled((uint64_t)t.n, cases[i].p, (uint64_t)t.k, 1);
        for (double x = 0.0; x < 1.1 * epsilon0; x += epsilon0 / 7.7) {
            nw_bounds b;
            const long double truth = worst(t, 1, x);
            assert_int_equal(nw_account_delta(e, NW_REPLACE_ONE, x, NULL, &b, NULL), NW_OK);
            if (!(b.lower <= truth * (1 + ROUNDING) && b.upper >= truth * (1 - ROUNDING)))
                fail_msg("case %zu: delta(%g) in [%.17g, %.17g], in truth %.17Lg", i, x, b.lower, b.upper, truth);
            if (t.k == 2 && t.n <= 2) /* where the number of clones says nothing more */
                assert_true(b.upper <= truth + 1e-12L);
            if (t.k == 2) /* all others alike is the worst table, or nearly */
                assert_true(b.lower >= 0.85L * truth);
        }
        nw_event_free(e);
    }
}

/* Rounds add up: the clones' law from above, from below one table in all rounds. */
static void account_delta__composes_rounds(void **state)
{
    (void)state;
    for (int n = 2; n <= 5; n++) {
        const double p = 0.45;
        const long double epsilon0 = logl((1 - p / 2.0L) / (p / 2.0L));
        nw_event *e = shuffled((uint64_t)n, p, 2, 3);
        law once = clones(n, epsilon0, p);
        law twice = product(&once, &once);
        law above = product(&twice, &once);
        const table all_alike = { 2, n, p, { 0, 0, 0, 0, 0 } };
        law report = shown(all_alike);
        law reports = product(&report, &report);
        law below = product(&reports, &report);
        for (double x = 0.0; x < 3.0; x += 0.31) {
            nw_bounds b;
            const long double high = delta_of(&above, x);
            const long double low = delta_of(&below, x);
            assert_int_equal(nw_account_delta(e, NW_REPLACE_ONE, x, NULL, &b, NULL), NW_OK);
            assert_true(b.upper >= high * (1 - ROUNDING) && b.upper <= high * (1 + 1e-3L));
            assert_true(b.lower <= high);
            assert_true(b.lower >= low * (1 - 0.06L)); /* the better of the two directions; few masses far apart */
        }
        law *all[] = { &once, &twice, &above, &report, &reports, &below };
        for (int i = 0; i < 6; i++)
            free(all[i]->at);
        nw_event_free(e);
    }
}

static double epsilon_of(uint64_t n, double epsilon0, double delta)
{
    nw_event *base = NULL;
    nw_event *e = NULL;
    nw_bounds b;
    assert_int_equal(nw_event_ldp(&base, epsilon0, NULL), NW_OK);
    assert_int_equal(nw_event_shuffled(&e, n, base, NULL), NW_OK);
    assert_int_equal(nw_account_epsilon(e, NW_REPLACE_ONE, delta, NULL, &b, NULL), NW_OK);
    assert_true(b.lower <= b.upper && b.upper <= epsilon0 * (1.0 + 1e-12));
    nw_event_free(base);
    nw_event_free(e);
    return b.upper;
}

static void account_epsilon__falls_with_the_reports_and_grows_with_theirs(void **state)
{
    (void)state;
    for (double epsilon0 = 0.1; epsilon0 < 9.0; epsilon0 *= 2.9) {
        double last = INFINITY;
        for (uint64_t n = 1; n < 100000; n = n * 4 + 1) {
            const double here = epsilon_of(n, epsilon0, 1e-6);
            assert_true(here <= last * (1.0 + 1e-9) && here <= epsilon_of(n, 1.01 * epsilon0, 1e-6) * (1.0 + 1e-9));
            last = here;
        }
    }
}

/* Single uses of the vectors' laws, against their own intervals. */
static void account__meets_the_vectors(void **state)
{
    (void)state;
    size_t checked = 0;
    json_t *root = load_vectors("accounting.json");
    const json_t *entries = json_object_get(root, "entries");
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *e = json_array_get(entries, i);
        const json_t *query = json_object_get(e, "query");
        const json_t *bound = json_object_get(e, "bound");
        if (strcmp(json_string_value(json_object_get(e, "kind")), "shuffle_amplification") != 0)
            continue;
        const double epsilon0 = vector_number(json_object_get(e, "epsilon0"));
        const bool is_response = strcmp(json_string_value(json_object_get(e, "id")), "shuffle-rr") == 0;
        const double clone = is_response ? 2.0 / (exp(epsilon0) + 1.0) : exp(-epsilon0);
        nw__pair *pair = NULL;
        assert_int_equal(
            nw__pair_shuffle(&pair, (uint64_t)json_integer_value(json_object_get(e, "n")), epsilon0, clone, NULL), NW_OK);
        const bool asks_delta = strcmp(json_string_value(json_object_get(query, "kind")), "delta") == 0;
        double value[2][2];
        for (int side = 0; side < 2; side++) { /* where the truth's ends lie on the profile */
            const double at = asks_delta ? vector_number(json_object_get(query, "epsilon"))
                                         : vector_number(json_array_get(bound, (size_t)side));
            nw__pair_delta(pair, at, &value[side][0], &value[side][1]);
        }
        if (asks_delta) {
            assert_true(
                value[0][1] >= vector_number(json_array_get(bound, 0)) && value[0][0] <= vector_number(json_array_get(bound, 1)));
        } else {
            const double delta = vector_number(json_object_get(query, "delta"));
            assert_true(value[0][1] >= delta && value[1][0] <= delta);
        }
        nw__pair_free(pair);
        checked++;
    }
    assert_int_equal(checked, 4);
    json_decref(root);
}

static void account__refuses_other_relations(void **state)
{
    (void)state;
    nw_event *e = shuffled(10, 0.5, 2, 1);
    nw_bounds b;
    nw_error err;
    assert_int_equal(nw_account_delta(e, NW_ADD_REMOVE, 1.0, NULL, &b, &err), NW_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "replace_one"));
    nw_event_free(e);
    /* a randomizer that always tells the truth: nothing is hidden */
    e = shuffled(3, 0.0, 2, 1);
    assert_int_equal(nw_account_delta(e, NW_REPLACE_ONE, 1.0, NULL, &b, NULL), NW_OK);
    assert_true(b.upper == 1.0);
    nw_event_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pair_shuffle__is_the_law_of_the_clones),
        cmocka_unit_test(account_delta__encloses_every_table_of_reports),
        cmocka_unit_test(account_delta__composes_rounds),
        cmocka_unit_test(account_epsilon__falls_with_the_reports_and_grows_with_theirs),
        cmocka_unit_test(account__meets_the_vectors),
        cmocka_unit_test(account__refuses_other_relations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
