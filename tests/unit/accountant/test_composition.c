/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_composition.c - what holds for every kind of event, whatever its law: repetition is composition, more of it costs more,
 * delta is a convex decreasing function of e^epsilon, and no answer is worse than adding up. */
#include "account.h"
#include "random_event.h"
#include "rdp.h"

#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { LEAVES = NW_EVENT_MATRIX, SAMPLED = LEAVES + 1, FIXED, FIXED_WITH, SHUFFLED, PARALLEL, KINDS };
static const double EPSILON_CLOSE = 5e-4; /* of upper bounds of one thing on different grids: twice the tolerance, and rounding */
static const double DELTA_CLOSE = 2e-3;

static void free_all(nw_event **events, size_t n)
{
    for (size_t i = 0; i < n; i++)
        nw_event_free(events[i]);
}

static nw_event *copy_of(const nw_event *e)
{
    nw_event *copy = NULL;
    assert_int_equal(nw_event_copy(&copy, e, NULL), NW_OK);
    return copy;
}

/* `child` is taken over. */
static nw_event *times(nw_event *child, uint64_t count)
{
    nw_event *e = NULL;
    assert_int_equal(nw_event_repeat(&e, child, count, NULL), NW_OK);
    nw_event_free(child);
    return e;
}

static nw_event *sampled(double q, nw_event *base)
{
    nw_event *e = NULL;
    assert_int_equal(nw_event_poisson_subsampled(&e, q, base, NULL), NW_OK);
    nw_event_free(base);
    return e;
}

static nw_event *gaussian(double sigma, nw_adjacency adjacency)
{
    nw_event *e = NULL;
    assert_int_equal(nw_event_gaussian(&e, sigma, (nw_sensitivity){ 1.0, adjacency }, NULL), NW_OK);
    return e;
}

static nw_event *fixed_size(uint64_t population, uint64_t sample, bool is_with, nw_event *base)
{
    nw_event *e = NULL;
    assert_int_equal(nw_event_fixed_size_subsampled(&e, population, sample, is_with, base, NULL), NW_OK);
    nw_event_free(base);
    return e;
}

/* One event of each kind whose epsilon is of the order of `size`; NULL if it has no meaning. */
static nw_event *event_of(int kind, nw_adjacency adjacency, double size)
{
    random_bits r = { (uint64_t)kind };
    nw_event *e = NULL;
    nw_event *parts[2] = { NULL, NULL };
    const bool is_replace = adjacency == NW_REPLACE_ONE;
    switch (kind) {
    case SAMPLED: return is_replace ? NULL : sampled(0.2, random_leaf_of(&r, NW_EVENT_LAPLACE, adjacency, 2.0 * size));
    case FIXED: return is_replace ? fixed_size(40, 9, false, random_leaf_of(&r, NW_EVENT_LAPLACE, adjacency, 2.0 * size)) : NULL;
    case FIXED_WITH: return is_replace ? fixed_size(40, 9, true, gaussian(1.0 / size, adjacency)) : NULL;
    case SHUFFLED:
        if (!is_replace)
            return NULL;
        parts[0] = random_leaf_of(&r, NW_EVENT_LDP, adjacency, 2.0 * size);
        assert_int_equal(nw_event_shuffled(&e, 7, parts[0], NULL), NW_OK);
        break;
    case PARALLEL:
        if (is_replace)
            return NULL;
        parts[0] = random_leaf_of(&r, NW_EVENT_GAUSSIAN, adjacency, size);
        parts[1] = random_leaf_of(&r, NW_EVENT_APPROX, adjacency, 0.8 * size);
        assert_int_equal(nw_event_parallel(&e, (const nw_event *const *)parts, 2, NULL), NW_OK);
        break;
    default: return random_leaf_of(&r, (nw_event_kind)kind, adjacency, size);
    }
    free_all(parts, 2);
    return e;
}

static nw_bounds bounds_of(const nw_event *e, nw_adjacency adjacency, bool asks_epsilon, double given)
{
    nw_bounds b = { 0 };
    nw_error err;
    if ((asks_epsilon ? nw_account_epsilon : nw_account_delta)(e, adjacency, given, NULL, &b, &err) != NW_OK)
        fail_msg("%s", err.message);
    assert_true(b.lower >= 0.0 && b.lower <= b.upper && b.method != NULL && b.is_certified);
    return b;
}

/* Does `more` cost at least what `less` does, as far as certified intervals say, and do its upper bounds grow? */
static void check_order(const char *what, const nw_bounds *less, const nw_bounds *more, bool asks_epsilon)
{
    const double slack = asks_epsilon ? EPSILON_CLOSE : DELTA_CLOSE * less->upper + 1e-12;
    if (!(more->upper >= less->lower))
        fail_msg("%s: [%.12g, %.12g] contradicts [%.12g, %.12g]", what, more->lower, more->upper, less->lower, less->upper);
    if (!(more->upper >= less->upper - slack))
        fail_msg("%s: the upper end falls from %.12g to %.12g", what, less->upper, more->upper);
}

static void account__repeats_as_it_composes(void **state)
{
    (void)state;
    enum { COPIES = 6 };
    for (int kind = 1; kind < KINDS; kind++) {
        for (nw_adjacency adjacency = NW_ADD_REMOVE; adjacency <= NW_REPLACE_ONE; adjacency++) {
            nw_event *once = event_of(kind, adjacency, 0.3);
            nw_event *composed = NULL;
            nw_event *nested = NULL;
            if (once == NULL)
                continue;
            const nw_event *copies[COPIES] = { once, once, once, once, once, once };
            nw_event *repeated = times(copy_of(once), COPIES);
            assert_int_equal(nw_event_composed(&composed, copies, COPIES, NULL), NW_OK);
            assert_int_equal(nw_event_composed(&nested, copies, COPIES / 2, NULL), NW_OK);
            nested = times(nested, 2);
            for (int side = adjacency == NW_REPLACE_ONE ? 1 : 0; side < 2; side++) {
                const nw_bounds one = bounds_of(once, adjacency, side == 0, side == 0 ? 1e-5 : 0.2);
                const nw_bounds x = bounds_of(repeated, adjacency, side == 0, side == 0 ? 1e-5 : 0.2);
                const nw_bounds y = bounds_of(composed, adjacency, side == 0, side == 0 ? 1e-5 : 0.2);
                const nw_bounds z = bounds_of(nested, adjacency, side == 0, side == 0 ? 1e-5 : 0.2);
                /* all three are the same flat list; only sums of costs may round differently */
                if (!(fabs(x.upper - y.upper) <= 1e-9 * x.upper && fabs(x.upper - z.upper) <= 1e-9 * x.upper &&
                        fabs(x.lower - y.lower) <= 1e-9 * x.upper && fabs(x.lower - z.lower) <= 1e-9 * x.upper))
                    fail_msg("kind %d: %.17g, %.17g, %.17g", kind, x.upper, y.upper, z.upper);
                if (strcmp(x.method, "pld") == 0 && kind != NW_EVENT_DISCRETE_GAUSSIAN) /* whose support the count cuts */
                    assert_true(x.upper == y.upper && x.upper == z.upper && x.lower == y.lower && x.lower == z.lower);
                check_order("six against one", &one, &x, side == 0);
            }
            nw_event *all[] = { once, repeated, composed, nested };
            free_all(all, 4);
        }
    }
}

static void account__grows_with_the_count(void **state)
{
    (void)state;
    const uint64_t counts[] = { 1, 65, 20000 };
    for (int kind = 1; kind < KINDS; kind++) {
        const nw_adjacency adjacency = kind == SAMPLED || kind == PARALLEL ? NW_ADD_REMOVE : NW_REPLACE_ONE;
        for (int side = 0; side < 2; side++) {
            nw_bounds last = { 0 };
            for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
                nw_event *e = times(event_of(kind, adjacency, 0.01), counts[i]);
                const nw_bounds here = bounds_of(e, adjacency, side == 0, side == 0 ? 1e-6 : 0.3);
                check_order("count", &last, &here, side == 0);
                last = here;
                nw_event_free(e);
            }
        }
    }
}

static void account__grows_with_the_rate_and_falls_with_the_noise(void **state)
{
    (void)state;
    const double rates[] = { 0.0, 0.01, 0.0101, 0.3, 0.999, 1.0 };
    const double sigmas[] = { 3.0, 2.99, 1.0, 0.4 };
    for (int d = 0; d < 2; d++) {
        const nw_adjacency adjacency = (nw_adjacency)(1 + d);
        for (int side = 0; side < 2; side++) {
            const double given = side == 0 ? 1e-6 : 0.5;
            nw_bounds last = { 0 };
            for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
                nw_event *e = times(sampled(rates[i], gaussian(2.0, NW_ADD_REMOVE)), 20);
                const nw_bounds here = bounds_of(e, adjacency, side == 0, given);
                check_order("rate", &last, &here, side == 0);
                last = here;
                nw_event_free(e);
            }
            last = (nw_bounds){ 0 };
            for (size_t i = 0; i < sizeof sigmas / sizeof *sigmas; i++) {
                nw_event *e = times(sampled(0.05, gaussian(sigmas[i], NW_ADD_REMOVE)), 20);
                const nw_bounds here = bounds_of(e, adjacency, side == 0, given);
                check_order("noise", &last, &here, side == 0);
                last = here;
                nw_event_free(e);
            }
        }
    }
}

/* At most the convex combination of its neighbours, in y = e^epsilon; and a smaller delta asks for a larger epsilon. */
static void account_delta__is_decreasing_and_convex(void **state)
{
    (void)state;
    enum { POINTS = 6 };
    for (int kind = 1; kind < KINDS; kind++) {
        const nw_adjacency adjacency = kind == SAMPLED || kind == PARALLEL ? NW_ADD_REMOVE : NW_REPLACE_ONE;
        nw_event *e = times(event_of(kind, adjacency, 0.3), 5);
        nw_bounds b[POINTS];
        double y[POINTS];
        for (int i = 0; i < POINTS; i++) {
            const double epsilon = 0.3 * i;
            y[i] = exp(epsilon);
            b[i] = bounds_of(e, adjacency, false, epsilon);
            if (i > 0) {
                assert_true(b[i].lower <= b[i - 1].upper);
                assert_true(b[i].upper <= b[i - 1].upper * (1.0 + DELTA_CLOSE));
            }
            if (i > 1) {
                const double share = (y[i - 1] - y[i - 2]) / (y[i] - y[i - 2]);
                assert_true(b[i - 1].lower <= ((1.0 - share) * b[i - 2].upper + share * b[i].upper) * (1.0 + 1e-12));
            }
            if (i % 2 == 1 && b[i].upper > 1e-12 &&
                b[i].upper < 1.0) { /* the two ways round: epsilon asked for at what delta it was given */
                const nw_bounds back = bounds_of(e, adjacency, true, b[i].upper);
                assert_true(back.lower <= epsilon * (1.0 + 1e-12) + 1e-12);
                const nw_bounds before = b[i].lower > 1e-12 ? bounds_of(e, adjacency, true, b[i].lower * (1.0 - 1e-9)) : back;
                assert_true(before.upper >= epsilon * (1.0 - 1e-12) || b[i].lower <= 1e-12);
            }
        }
        nw_event_free(e);
    }
}

/* Adding up epsilons, and each currency of a cost, is another upper bound: ours is the least. */
static void account_epsilon__is_no_worse_than_adding_up(void **state)
{
    (void)state;
    for (int kind = 1; kind < KINDS; kind++) {
        const nw_adjacency adjacency = kind == SAMPLED || kind == PARALLEL ? NW_ADD_REMOVE : NW_REPLACE_ONE;
        nw_event *once = event_of(kind, adjacency, 0.2);
        nw_event *e = times(copy_of(once), 8);
        const double delta = 1e-4;
        nw_cost cost;
        double renyi = 0.0;
        const nw_bounds b = bounds_of(e, adjacency, true, delta);
        const nw_bounds share = bounds_of(once, adjacency, true, delta / 8.0);
        assert_true(b.upper <= 8.0 * share.upper * (1.0 + 1e-9) + EPSILON_CLOSE);
        assert_int_equal(nw_event_cost(e, adjacency, &cost, NULL), NW_OK);
        for (nw__method m = NW__METHOD_GDP; m <= NW__METHOD_PURE; m++) {
            assert_true(b.upper <= nw__cost_epsilon(&cost, delta, m));
            assert_true(b.lower <= nw__cost_epsilon(&cost, delta, m));
        }
        if (kind <= LEAVES || kind == SHUFFLED) { /* the divergences of the others take seconds */
            assert_int_equal(nw__rdp_epsilon(e, adjacency, delta, &renyi, NULL), NW_OK);
            assert_true(b.upper <= renyi + EPSILON_CLOSE && b.lower <= renyi);
        }
        nw_event_free(once);
        nw_event_free(e);
    }
}

/* The same, unless the interval of both was wide enough to look again on finer grids: then both are lower, and so are never above
 * what the upper end alone says. */
static void account__answers_the_upper_end_alone_no_lower(void **state)
{
    (void)state;
    const nw_account_opts opts = { sizeof opts, 4e-5, true };
    for (int kind = 1; kind < KINDS; kind++) {
        const nw_adjacency adjacency = kind == SAMPLED || kind == PARALLEL ? NW_ADD_REMOVE : NW_REPLACE_ONE;
        nw_event *e = times(event_of(kind, adjacency, 0.2), 9);
        for (int side = 0; side < 2; side++) {
            const double given = side == 0 ? 1e-7 : 0.4;
            nw_bounds alone = { 0 };
            const nw_bounds both = bounds_of(e, adjacency, side == 0, given);
            double value = 0.0;
            const char *method = NULL;
            assert_int_equal(
                (side == 0 ? nw_account_epsilon : nw_account_delta)(e, adjacency, given, &opts, &alone, NULL), NW_OK);
            assert_int_equal((side == 0 ? nw_event_epsilon : nw_event_delta)(e, adjacency, given, &value, &method, NULL), NW_OK);
            assert_true(alone.upper >= both.upper && alone.lower == 0.0 && value == alone.upper);
            assert_true(alone.upper == both.upper || alone.upper - both.lower > (side == 0 ? 2e-4 : 1e-3 * both.upper));
            assert_string_equal(method, alone.method);
        }
        nw_event_free(e);
    }
}

static nw_event *sampled_leaf(random_bits *r, nw_event_kind kind, nw_adjacency adjacency)
{
    nw_event *leaf = random_leaf_of(r, kind, adjacency, 0.4);
    const double q = 0.1 + 0.3 * random_unit(r);
    const uint64_t count = 1 + random_below(r, 9);
    return adjacency == NW_REPLACE_ONE ? leaf : times(sampled(q, leaf), count);
}

/* Threads share work, never a sum. */
static void account__gives_the_same_bits_on_any_number_of_threads(void **state)
{
    (void)state;
    const int before = omp_get_max_threads();
    const nw_event_kind kinds[] = { NW_EVENT_GAUSSIAN, NW_EVENT_LAPLACE, NW_EVENT_PURE, NW_EVENT_APPROX, NW_EVENT_LAPLACE };
    for (uint64_t seed = 0; seed < 4; seed++) {
        random_bits r = { seed };
        const nw_adjacency adjacency = seed % 2 == 0 ? NW_ADD_REMOVE : NW_REPLACE_ONE;
        nw_event *parts[5] = { NULL };
        nw_event *e = NULL;
        for (int i = 0; i < 5; i++) /* more than four go side by side, fewer direction by direction */
            parts[i] = sampled_leaf(&r, kinds[i], adjacency);
        assert_int_equal(nw_event_composed(&e, (const nw_event *const *)parts, seed % 3 == 0 ? 3 : 5, NULL), NW_OK);
        nw_bounds b[3];
        for (int threads = 1; threads <= 3; threads++) {
            omp_set_num_threads(threads);
            b[threads - 1] = bounds_of(e, adjacency, true, 1e-3);
        }
        for (int i = 1; i < 3; i++) {
            assert_memory_equal(&b[i].lower, &b[0].lower, sizeof(double));
            assert_memory_equal(&b[i].upper, &b[0].upper, sizeof(double));
            assert_memory_equal(&b[i].estimate, &b[0].estimate, sizeof(double));
        }
        free_all(parts, 5);
        nw_event_free(e);
    }
    omp_set_num_threads(before);
}

/* A record may be drawn as often as there are draws: delta is at least that of k draws times their probability, and m draws of
 * one record are a group of m. */
static void account__counts_a_record_as_often_as_it_is_drawn(void **state)
{
    (void)state;
    const uint64_t sizes[][2] = { { 1, 1 }, { 1, 5 }, { 2, 5 }, { 3, 60 }, { 2, 600 }, { 2, 8000 }, { 2, 100000 },
        { UINT64_C(1) << 62, UINT64_C(1) << 62 } };
    const double sigma = 40.0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const long double n = (long double)sizes[i][0];
        const long double m = (long double)sizes[i][1];
        nw_event *e = fixed_size(sizes[i][0], sizes[i][1], true, gaussian(sigma, NW_REPLACE_ONE));
        for (double epsilon = 0.0; epsilon < 4.0; epsilon += 0.7) {
            const nw_bounds b = bounds_of(e, NW_REPLACE_ONE, false, epsilon);
            const long double mean = fminl(m, floorl(m / n) < 1 ? 1 : floorl(m / n));
            /* drawn `mean` times at least with probability 1/3 or 1: so far apart with that probability, the same else */
            const long double q = n == 1 ? 1 : 1 / 3.0L;
            const double apart = nw_gdp_delta((double)mean / sigma, log1p(expm1(epsilon) / (double)q));
            assert_true(b.upper >= (double)q * apart * (1.0 - 1e-6) && b.upper > 0.0);
            if (n == 1)
                assert_true(b.upper <= nw_gdp_delta((double)m / sigma, epsilon) * (1.0 + 1e-9));
        }
        nw_event_free(e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(account__repeats_as_it_composes),
        cmocka_unit_test(account__grows_with_the_count),
        cmocka_unit_test(account__grows_with_the_rate_and_falls_with_the_noise),
        cmocka_unit_test(account_delta__is_decreasing_and_convex),
        cmocka_unit_test(account_epsilon__is_no_worse_than_adding_up),
        cmocka_unit_test(account__answers_the_upper_end_alone_no_lower),
        cmocka_unit_test(account__gives_the_same_bits_on_any_number_of_threads),
        cmocka_unit_test(account__counts_a_record_as_often_as_it_is_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
