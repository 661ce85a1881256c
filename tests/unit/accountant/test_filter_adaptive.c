/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_filter_adaptive.c - filters and odometers against the best adaptive adversary, by exact recursion; and rules that look
 * like filters, against the same adversary, which passes them.
 *
 * The adversary picks each mechanism after seeing what the ones before released, among two (epsilon, delta) mechanisms in their
 * worst case: with probability delta everything is told, else a bit is told truly with odds e^epsilon : 1. The hockey stick
 * E_P (1 - e^(epsilon - L))_+ of the best strategy follows by recursion from the last step over (counts, true answers): the loss
 * is L = sum_j epsilon_j (2 true_j - count_j). Whatever a rule admits, a filter for (epsilon, delta) keeps it at most delta. */
#include "filter_support.h"

enum { MOST_FIRST = 120, MOST_SECOND = 10 };

typedef struct mechanism {
    double epsilon;
    double delta;
} mechanism;

/* What the adversary may do: mechanisms[j] until the counts leave the admitted ones; when it stops at (a, b), what was released
 * is held against `epsilon` of these counts (of a filter: always the same). */
typedef struct game {
    mechanism mechanisms[2];
    bool admitted[MOST_FIRST + 1][MOST_SECOND + 1];
    double epsilon[MOST_FIRST + 1][MOST_SECOND + 1];
} game;

static double hockey_stick(double epsilon, double loss)
{
    return loss > epsilon ? -expm1(epsilon - loss) : 0.0;
}

static double truth(const mechanism *m)
{
    return 1.0 / (1.0 + exp(-m->epsilon));
}

static double *cell(double *values, int a, int b, int true_a, int true_b)
{
    const int size = (MOST_FIRST + 1) * (MOST_SECOND + 1);
    return &values[(size_t)(a * (MOST_SECOND + 1) + b) * (size_t)size + (size_t)(true_a * (MOST_SECOND + 1) + true_b)];
}

static double best_from(const game *g, double *values, int a, int b, int i, int j)
{
    const mechanism *m = g->mechanisms;
    double best = hockey_stick(g->epsilon[a][b], m[0].epsilon * (2 * i - a) + m[1].epsilon * (2 * j - b));
    if (a < MOST_FIRST && g->admitted[a + 1][b])
        best = fmax(best, m[0].delta + (1.0 - m[0].delta) * (truth(&m[0]) * *cell(values, a + 1, b, i + 1, j) +
                                                                (1.0 - truth(&m[0])) * *cell(values, a + 1, b, i, j)));
    if (b < MOST_SECOND && g->admitted[a][b + 1])
        best = fmax(best, m[1].delta + (1.0 - m[1].delta) * (truth(&m[1]) * *cell(values, a, b + 1, i, j + 1) +
                                                                (1.0 - truth(&m[1])) * *cell(values, a, b + 1, i, j)));
    return best;
}

/* The adversary's best hockey stick. The admitted counts must not reach the ends of the table: nothing is cut off. */
static double play(const game *g)
{
    const size_t size = (size_t)(MOST_FIRST + 1) * (MOST_SECOND + 1);
    double *values = malloc(size * size * sizeof *values);
    assert_non_null(values);
    for (int a = MOST_FIRST; a >= 0; a--)
        for (int b = MOST_SECOND; b >= 0; b--) {
            assert_false(g->admitted[a][b] && (a == MOST_FIRST || b == MOST_SECOND));
            for (int i = 0; i <= a && g->admitted[a][b]; i++)
                for (int j = 0; j <= b; j++)
                    *cell(values, a, b, i, j) = best_from(g, values, a, b, i, j);
        }
    const double best = *cell(values, 0, 0, 0, 0);
    free(values);
    return best;
}

static double log_binomial(int n, int k)
{
    return lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0);
}

/* The hockey stick of a fixed list: a of the first mechanism and b of the second, without their deltas. */
static double list_delta(const mechanism m[2], int a, int b, double epsilon)
{
    double sum = 0.0;
    for (int i = 0; i <= a; i++)
        for (int j = 0; j <= b; j++) {
            const double loss = m[0].epsilon * (2 * i - a) + m[1].epsilon * (2 * j - b);
            const double log_p = log_binomial(a, i) + i * log(truth(&m[0])) + (a - i) * log1p(-truth(&m[0])) +
                                 log_binomial(b, j) + j * log(truth(&m[1])) + (b - j) * log1p(-truth(&m[1]));
            sum += exp(log_p) * hockey_stick(epsilon, loss);
        }
    return sum;
}

static double list_epsilon(const mechanism m[2], int a, int b, double delta)
{
    double low = 0.0;
    double high = a * m[0].epsilon + b * m[1].epsilon;
    for (int k = 0; k < 50; k++) {
        const double middle = 0.5 * (low + high);
        if (list_delta(m, a, b, middle) <= delta)
            high = middle;
        else
            low = middle;
    }
    return high;
}

/* Counts that the library's filter admits. */
static void admit_by_filter(game *g, const nw_privacy_filter_opts *o)
{
    nw_event *first = approx_event(g->mechanisms[0].epsilon, g->mechanisms[0].delta);
    nw_event *second = approx_event(g->mechanisms[1].epsilon, g->mechanisms[1].delta);
    memset(g->admitted, 0, sizeof g->admitted);
    for (int a = 0; a <= MOST_FIRST; a++) {
        nw_privacy_filter *filter = filter_of(o);
        bool is_in = spend_all(filter, first, a) == a;
        for (int b = 0; b <= MOST_SECOND && is_in; b++) {
            g->admitted[a][b] = true;
            g->epsilon[a][b] = o->epsilon;
            is_in = nw_privacy_filter_spend(filter, second, NULL) == NW_OK;
        }
        nw_privacy_filter_free(filter);
    }
    nw_event_free(first);
    nw_event_free(second);
}

/* Counts that a rule of this test admits. */
typedef bool (*rule)(const mechanism m[2], int a, int b, double epsilon, double delta);

static double play_rule(const mechanism first, const mechanism second, rule admits, double epsilon, double delta)
{
    game *g = calloc(1, sizeof *g);
    assert_non_null(g);
    g->mechanisms[0] = first;
    g->mechanisms[1] = second;
    for (int a = 0; a <= MOST_FIRST; a++)
        for (int b = 0; b <= MOST_SECOND; b++) {
            g->admitted[a][b] = admits(g->mechanisms, a, b, epsilon, delta);
            g->epsilon[a][b] = epsilon;
        }
    const double best = play(g);
    free(g);
    return best;
}

static double squares(const mechanism m[2], int a, int b)
{
    return a * m[0].epsilon * m[0].epsilon + b * m[1].epsilon * m[1].epsilon;
}

/* ---- the trap ---- */

/* [odds of the first, ...]: the sum over all answers of (P - 4 Q)_+, and the product of (odds + 1) that it is to be divided by.
 * Whole numbers throughout. `first`: only answers that begin so (1 true, 0 false), -1 for all. */
static void whole_hockey_stick(const int *odds, int n, int first, long *numerator, long *denominator)
{
    *numerator = 0;
    *denominator = 1;
    for (int k = 0; k < n; k++)
        *denominator *= odds[k] + 1;
    for (int answers = 0; answers < 1 << n; answers++) {
        long p = 1;
        long q = 1;
        for (int k = 0; k < n; k++) {
            p *= (answers >> k & 1) == 1 ? odds[k] : 1;
            q *= (answers >> k & 1) == 1 ? 1 : odds[k];
        }
        if ((first < 0 || (answers & 1) == first) && p > 4 * q)
            *numerator += p - 4 * q;
    }
}

/* What the library says of the list, under the budget (log 4, 12/25): the bound of its distribution, and whether a filter of each
 * kind admits all of it. */
static void ask_library(const int *odds, int n, double *delta, bool admits[3])
{
    const nw_filter kinds[3] = { NW_FILTER_GDP, NW_FILTER_ZCDP, NW_FILTER_APPROX };
    nw_event *events[3] = { NULL, NULL, NULL };
    nw_event *all = NULL;
    nw_bounds bounds;
    for (int k = 0; k < n; k++)
        events[k] = approx_event(log((double)odds[k]), 0.0);
    assert_int_equal(nw_event_composed(&all, (const nw_event *const *)events, (size_t)n, NULL), NW_OK);
    assert_int_equal(nw_account_delta(all, NW_ADD_REMOVE, log(4.0), NULL, &bounds, NULL), NW_OK);
    *delta = bounds.upper;
    for (int i = 0; i < 3; i++) {
        const nw_privacy_filter_opts o = filter_options(log(4.0), 0.48, kinds[i]);
        nw_privacy_filter *filter = filter_of(&o);
        admits[i] = true;
        for (int k = 0; k < n; k++)
            admits[i] = admits[i] && nw_privacy_filter_spend(filter, events[k], NULL) == NW_OK;
        nw_privacy_filter_free(filter);
    }
    for (int k = 0; k < n; k++)
        nw_event_free(events[k]);
    nw_event_free(all);
}

/* A bit with odds 2 : 1. If it came out true, one with odds 8 : 1, else two with odds 4 : 1. Each list is within delta = 12/25 at
 * epsilon = log 4, by its exact distribution; the two together are at 124/225. */
static void realised_distribution__is_no_filter(void **state)
{
    (void)state;
    const int one[] = { 2, 8 };
    const int two[] = { 2, 4, 4 };
    long n1, d1, n2, d2, n3, d3;
    whole_hockey_stick(one, 2, -1, &n1, &d1);
    assert_true(25 * n1 <= 12 * d1);
    whole_hockey_stick(two, 3, -1, &n2, &d2);
    assert_true(25 * n2 == 12 * d2);
    /* the strategy: the better continuation after each first answer */
    whole_hockey_stick(one, 2, 0, &n1, &d1);
    whole_hockey_stick(two, 3, 1, &n2, &d2);
    whole_hockey_stick(one, 2, 1, &n3, &d3);
    const long best_true = n2 * d3 > n3 * d2 ? n2 : n3;
    const long best_true_of = n2 * d3 > n3 * d2 ? d2 : d3;
    whole_hockey_stick(two, 3, 0, &n3, &d3);
    const long best_false = n3 * d1 > n1 * d3 ? n3 : n1;
    const long best_false_of = n3 * d1 > n1 * d3 ? d3 : d1;
    assert_true(best_true_of != best_false_of); /* it adapts */
    const long sum = best_true * best_false_of + best_false * best_true_of;
    assert_true(225 * sum == 124 * best_true_of * best_false_of);
    assert_true(25 * sum > 12 * best_true_of * best_false_of);

    /* so a user who asks nw_account_delta about each list is told yes twice; a filter refuses at least one of them */
    double delta[2];
    bool admits[2][3];
    ask_library(one, 2, &delta[0], admits[0]);
    ask_library(two, 3, &delta[1], admits[1]);
    assert_true(delta[0] <= 0.48 && delta[1] < 0.48 * (1.0 + 1e-6));
    for (int kind = 0; kind < 3; kind++)
        assert_false(admits[0][kind] && admits[1][kind]);
}

static bool list_fits(const mechanism m[2], int a, int b, double epsilon, double delta)
{
    return list_delta(m, a, b, epsilon) <= delta;
}

/* The same at small delta and over many steps. */
static void realised_distribution__loses_more_over_many_steps(void **state)
{
    (void)state;
    const double best = play_rule((mechanism){ 0.2, 0.0 }, (mechanism){ 1.0, 0.0 }, list_fits, 4.0, 1e-2);
    assert_true(best > 1.5e-2);
}

/* ---- the filters ---- */

static double play_filter(const nw_privacy_filter_opts *o, mechanism first, mechanism second)
{
    game *g = calloc(1, sizeof *g);
    assert_non_null(g);
    g->mechanisms[0] = first;
    g->mechanisms[1] = second;
    admit_by_filter(g, o);
    const double best = play(g);
    free(g);
    return best;
}

/* Every kind, several budgets; the least share of delta that the adversary has to reach shows that the game is no walk-over. */
static void privacy_filter__holds_against_the_best_adversary(void **state)
{
    (void)state;
    const double orders[] = { 3.0, 8.0, 20.0 };
    const struct {
        nw_filter kind;
        double epsilon, delta;
        mechanism first, second;
        double least;
    } cases[] = {
        { NW_FILTER_GDP, 4.0, 1e-2, { 0.15, 0.0 }, { 0.5, 0.0 }, 0.03 },
        { NW_FILTER_GDP, 4.0, 1e-2, { 0.15, 0.0 }, { 2.0, 0.0 }, 0.03 },
        { NW_FILTER_ZCDP, 4.0, 1e-2, { 0.15, 0.0 }, { 0.5, 0.0 }, 0.2 },
        { NW_FILTER_ZCDP, 8.0, 1e-3, { 0.25, 0.0 }, { 2.0, 0.0 }, 0.1 },
        { NW_FILTER_RENYI, 8.0, 1e-3, { 0.25, 0.0 }, { 2.0, 0.0 }, 0.1 },
        { NW_FILTER_RENYI, 4.0, 1e-2, { 0.15, 0.0 }, { 0.7, 0.0 }, 0.1 },
        { NW_FILTER_APPROX, 4.0, 1e-2, { 0.15, 0.0 }, { 0.5, 0.0 }, 0.1 },
        { NW_FILTER_APPROX, 8.0, 1e-3, { 0.25, 1e-6 }, { 1.5, 2e-4 }, 0.3 },
        { NW_FILTER_PURE, 1.0, 1e-3, { 0.125, 1e-4 }, { 0.25, 2.4e-4 }, 0.9 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nw_privacy_filter_opts o = filter_options(cases[i].epsilon, cases[i].delta, cases[i].kind);
        if (cases[i].kind == NW_FILTER_RENYI) {
            o.orders = orders;
            o.order_count = 3;
        }
        if (cases[i].kind == NW_FILTER_APPROX)
            o.events_share = 0.5;
        const double best = play_filter(&o, cases[i].first, cases[i].second);
        if (!(best <= cases[i].delta) || !(best >= cases[i].least * cases[i].delta))
            fail_msg("case %zu: the adversary reaches %g of delta", i, best / cases[i].delta);
    }
}

/* ---- twins of the rules, each with one fault ---- */

/* [WRRW22, Thm 1] without V / 2. */
static bool without_the_mean(const mechanism m[2], int a, int b, double epsilon, double delta)
{
    return sqrt(2.0 * log(1.0 / delta) * squares(m, a, b)) <= epsilon;
}

/* The whole of it, which is sound. */
static bool theorem(const mechanism m[2], int a, int b, double epsilon, double delta)
{
    return sqrt(2.0 * log(1.0 / delta) * squares(m, a, b)) + 0.5 * squares(m, a, b) <= epsilon;
}

/* Half of V. */
static bool half_the_squares(const mechanism m[2], int a, int b, double epsilon, double delta)
{
    return sqrt(log(1.0 / delta) * squares(m, a, b)) + 0.25 * squares(m, a, b) <= epsilon;
}

/* The events' deltas are looked at one by one, not added up. */
static bool without_the_deltas(const mechanism m[2], int a, int b, double epsilon, double delta)
{
    return m[0].delta <= 0.5 * delta && m[1].delta <= 0.5 * delta && theorem(m, a, b, epsilon, 0.5 * delta);
}

/* The sum of the second mechanism's losses is forgotten beyond the first. */
static bool without_some_losses(const mechanism m[2], int a, int b, double epsilon, double delta)
{
    return b < 8 && theorem(m, a, b > 1 ? 1 : b, epsilon, delta);
}

static void broken_rules__are_passed_by_the_adversary(void **state)
{
    (void)state;
    const mechanism small = { 0.5, 0.0 };
    const mechanism large = { 2.0, 0.0 };
    const mechanism leaking = { 0.5, 1e-3 };
    assert_true(play_rule(small, large, theorem, 16.0, 1e-2) <= 1e-2);
    assert_true(play_rule(small, large, without_the_mean, 16.0, 1e-2) > 5e-2);
    assert_true(play_rule(small, large, half_the_squares, 16.0, 1e-2) > 5e-2);
    assert_true(play_rule(leaking, large, without_the_deltas, 16.0, 1e-2) > 2e-2);
    assert_true(play_rule(small, large, without_some_losses, 16.0, 1e-2) > 5e-2);
}

/* ---- several orders ---- */

/* A bit that is told with probability p by one table and q by the other. */
typedef struct binary {
    double p, q;
} binary;

static double binary_renyi(binary x, double a)
{
    return log(exp(a * log(x.p) + (1.0 - a) * log(x.q)) + exp(a * log1p(-x.p) + (1.0 - a) * log1p(-x.q))) / (a - 1.0);
}

/* The q with which p has the divergence r. */
static binary binary_of(double p, double a, double r)
{
    double low = -80.0;
    double high = log(p);
    for (int k = 0; k < 100; k++) {
        const double middle = 0.5 * (low + high);
        if (binary_renyi((binary){ p, exp(middle) }, a) > r)
            low = middle;
        else
            high = middle;
    }
    return (binary){ p, exp(high) };
}

/* Of the bits of divergence r, the one with the largest p - e^epsilon q. */
static binary best_binary(double a, double r, double epsilon)
{
    binary best = { 0.5, 0.5 };
    double most = -INFINITY;
    for (double log_p = -9.0; log_p < -0.001; log_p += 0.002) {
        const binary x = binary_of(exp(log_p), a, r);
        if (x.p - exp(epsilon) * x.q > most) {
            most = x.p - exp(epsilon) * x.q;
            best = x;
        }
    }
    return best;
}

static double order_limit(double a, double epsilon, double delta)
{
    return (double)renyi_allowed(a, epsilon, delta);
}

static nw_event *binary_event(binary x, const double orders[2])
{
    nw_event *e = NULL;
    const binary swapped = { x.q, x.p };
    double rdp[2];
    for (int i = 0; i < 2; i++)
        rdp[i] = fmax(binary_renyi(x, orders[i]), binary_renyi(swapped, orders[i]));
    assert_int_equal(nw_event_rdp(&e, orders, rdp, 2, NW_ADD_REMOVE, NULL), NW_OK);
    return e;
}

/* First a bit with odds e^0.3. If it is true, the rest of order 30's limit is spent on the bit that is worst for it, else the
 * rest of order 2's. The two-step tree's hockey stick, and the second bits. */
static double two_orders(const double orders[2], double epsilon, double share_of_delta, binary second[2])
{
    const binary first = { 1.0 / (1.0 + exp(-0.3)), 1.0 / (1.0 + exp(0.3)) };
    double sum = 0.0;
    for (int answer = 0; answer < 2; answer++) {
        const double a = answer == 1 ? orders[1] : orders[0];
        const double left = order_limit(a, epsilon, share_of_delta) * (1.0 - 1e-9) - binary_renyi(first, a);
        const double p = answer == 1 ? first.p : first.q;
        const double loss = answer == 1 ? 0.3 : -0.3;
        second[answer] = best_binary(a, left, epsilon - loss);
        const binary x = second[answer];
        sum += p * fmax(0.0, x.p - exp(epsilon - loss) * x.q) + p * fmax(0.0, (1.0 - x.p) - exp(epsilon - loss) * (1.0 - x.q));
    }
    return sum;
}

/* Does the library's filter admit the first bit and then the second? */
static bool admits_path(const nw_privacy_filter_opts *o, binary second)
{
    const binary first = { 1.0 / (1.0 + exp(-0.3)), 1.0 / (1.0 + exp(0.3)) };
    nw_privacy_filter *filter = filter_of(o);
    nw_event *events[2] = { binary_event(first, o->orders), binary_event(second, o->orders) };
    assert_int_equal(nw_privacy_filter_spend(filter, events[0], NULL), NW_OK);
    const bool admits = nw_privacy_filter_spend(filter, events[1], NULL) == NW_OK;
    nw_event_free(events[0]);
    nw_event_free(events[1]);
    nw_privacy_filter_free(filter);
    return admits;
}

/* Going on while some order is within its limit, each limit for the whole of delta: passed by a quarter in two steps. With delta
 * split by weights the same adversary, at its best, stays below delta; and the filter draws the line just there. */
static void privacy_filter__needs_the_weights_of_its_orders(void **state)
{
    (void)state;
    const double orders[2] = { 2.0, 30.0 };
    const double delta = 1e-2;
    const double main_delta = delta * (1.0 - 0x1p-10);
    nw_privacy_filter_opts o = filter_options(6.0, delta, NW_FILTER_RENYI);
    binary unsplit[2];
    binary split[2];
    o.orders = orders;
    o.order_count = 2;
    assert_true(two_orders(orders, 6.0, main_delta, unsplit) > 1.25 * delta);
    const double best = two_orders(orders, 6.0, 0.5 * main_delta, split);
    assert_true(best <= delta && best > 0.5 * delta);
    for (int answer = 0; answer < 2; answer++) {
        assert_false(admits_path(&o, unsplit[answer]));
        assert_true(admits_path(&o, split[answer]));
    }
}

/* ---- odometers ---- */

/* The adversary stops when it likes, and is held against the reading of that moment. */
static void set_readings(game *g, const nw_odometer_opts *o)
{
    nw_event *first = approx_event(g->mechanisms[0].epsilon, g->mechanisms[0].delta);
    nw_event *second = approx_event(g->mechanisms[1].epsilon, g->mechanisms[1].delta);
    for (int a = 0; a < MOST_FIRST; a++) {
        nw_odometer *odometer = NULL;
        assert_int_equal(nw_odometer_new(&odometer, o, NULL), NW_OK);
        for (int k = 0; k < a; k++)
            assert_int_equal(nw_odometer_add(odometer, first, NULL), NW_OK);
        for (int b = 0; b < MOST_SECOND; b++) {
            g->admitted[a][b] = true;
            g->epsilon[a][b] = nw_odometer_epsilon(odometer);
            assert_int_equal(nw_odometer_add(odometer, second, NULL), NW_OK);
        }
        nw_odometer_free(odometer);
    }
    nw_event_free(first);
    nw_event_free(second);
}

static void odometer__holds_whenever_the_adversary_stops(void **state)
{
    (void)state;
    const nw_filter kinds[] = { NW_FILTER_GDP, NW_FILTER_ZCDP, NW_FILTER_APPROX, NW_FILTER_RENYI };
    const double orders[] = { 3.0, 10.0 };
    game *g = calloc(1, sizeof *g);
    assert_non_null(g);
    for (size_t i = 0; i < 4; i++) {
        nw_odometer_opts o = NW_ODOMETER_OPTS_INIT;
        o.delta = 0.1;
        o.first_epsilon = 1.0;
        o.adjacency = NW_ADD_REMOVE;
        o.kind = kinds[i];
        o.events_share = 0.5;
        o.orders = i == 3 ? orders : NULL;
        o.order_count = i == 3 ? 2 : 0;
        memset(g, 0, sizeof *g);
        g->mechanisms[0] = (mechanism){ 0.2, i == 2 ? 1e-4 : 0.0 };
        g->mechanisms[1] = (mechanism){ 0.5, 0.0 };
        set_readings(g, &o);
        const double best = play(g);
        if (!(best <= 0.1 && best > 1e-4))
            fail_msg("%s: the adversary reaches %g", nw_filter_name(kinds[i]), best);
    }
    free(g);
}

/* The exact epsilon, at delta, of the list drawn so far is no odometer: the adversary stops when it is lucky. */
static void realised_distribution__is_no_odometer(void **state)
{
    (void)state;
    game *g = calloc(1, sizeof *g);
    assert_non_null(g);
    g->mechanisms[0] = (mechanism){ 0.1, 0.0 };
    g->mechanisms[1] = (mechanism){ 0.5, 0.0 };
    for (int a = 0; a < MOST_FIRST; a++) {
        g->admitted[a][0] = true;
        g->epsilon[a][0] = list_epsilon(g->mechanisms, a, 0, 1e-2);
    }
    assert_true(play(g) > 2e-2);
    free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(realised_distribution__is_no_filter),
        cmocka_unit_test(realised_distribution__loses_more_over_many_steps),
        cmocka_unit_test(privacy_filter__holds_against_the_best_adversary),
        cmocka_unit_test(broken_rules__are_passed_by_the_adversary),
        cmocka_unit_test(privacy_filter__needs_the_weights_of_its_orders),
        cmocka_unit_test(odometer__holds_whenever_the_adversary_stops),
        cmocka_unit_test(realised_distribution__is_no_odometer),
    };
    return cmocka_run_group_tests_name("filter_adaptive", tests, NULL, NULL);
}
