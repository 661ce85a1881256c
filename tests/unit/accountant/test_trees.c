/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_trees.c - certified intervals of random event trees against a second method (tests/support/plain_pld.c).
 *   test_trees [TREES]
 *
 * The second method gives delta from above on three grids, h, 1.5 h and 2 h. Its error falls with h^2 for smooth laws; for point
 * masses it depends on where they lie between grid points, so the largest difference D to the finest grid is taken, and the truth
 * lies within a few D below the finest. So an interval is caught if its upper end is more than about 2 D below the truth, or its
 * lower end above: the median D is about a hundredth of delta (a few thousandths in epsilon). What this finds is shown by
 * breaking the answers. */
#include "plain_pld.h"
#include "random_event.h"
#include "schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static int trees = 300;
static double second_seconds;
static double account_seconds; /* both */

static const double EXCESS = 2.5;             /* the truth is at most this many D below the finest grid's value */
static const double DELTA_CLOSE = 2e-3;       /* what the interval may add to the truth, relative */
static const double EPSILON_CLOSE = 2e-4;     /* and in epsilon */
static const double LOOSE_SHARE = 0.05;       /* of the trees with an end that may be further away: point masses far apart */
static const double ROUNDING = 1e-9;          /* of the second method, relative */
static const double BLUR[2] = { 2e-2, 5e-3 }; /* what its grids may have in common: a share of delta, and in epsilon */

/* One flavour of the second method on three grids, in both directions: the second is NULL where it is the same. */
typedef struct second {
    bool exists;
    double h;
    plain_pld *fine[2];
    plain_pld *middle[2];
    plain_pld *coarse[2];
} second;

static void second_free(second *s)
{
    for (int d = 0; d < 2; d++) {
        plain_pld_free(s->fine[d]);
        plain_pld_free(s->middle[d]);
        plain_pld_free(s->coarse[d]);
    }
    *s = (second){ 0 };
}

static double infinite_of(plain_pld *const pair[2])
{
    return fmax(plain_pld_infinite(pair[0]), pair[1] != NULL ? plain_pld_infinite(pair[1]) : 0.0);
}

/* The step grows until hardly anything falls off the grid. False if there is no law of this flavour. */
static bool second_new(second *s, const nw_event *event, nw_adjacency adjacency, plain_flavour flavour)
{
    const int directions = plain_is_symmetric(event, adjacency) ? 1 : 2;
    for (double h = 0x1p-7; h < 0.3; h *= 2.0) {
        *s = (second){ .exists = true, .h = h };
        for (int d = 0; d < directions; d++) {
            s->fine[d] = plain_pld_new(event, adjacency, d == 1, flavour, h);
            if (s->fine[d] == NULL) {
                second_free(s);
                return false;
            }
        }
        if (infinite_of(s->fine) < 1e-5) {
            for (int d = 0; d < directions; d++) {
                s->middle[d] = plain_pld_new(event, adjacency, d == 1, flavour, 1.5 * h);
                s->coarse[d] = plain_pld_new(event, adjacency, d == 1, flavour, 2.0 * h);
            }
            return true;
        }
        second_free(s);
    }
    return false;
}

static double delta_of(plain_pld *const pair[2], double epsilon)
{
    return fmax(plain_pld_delta(pair[0], epsilon), pair[1] != NULL ? plain_pld_delta(pair[1], epsilon) : 0.0);
}

static double epsilon_of(plain_pld *const pair[2], double delta, double reach)
{
    double low = 0.0;
    double high = reach;
    if (delta_of(pair, high) > delta)
        return INFINITY;
    if (delta_of(pair, low) <= delta)
        return 0.0;
    for (int i = 0; i < 60; i++) {
        const double middle = 0.5 * (low + high);
        *(delta_of(pair, middle) > delta ? &low : &high) = middle;
    }
    return high;
}

typedef struct answers {
    double epsilon, delta; /* asked for, at */
    nw_bounds at_epsilon;  /* delta at epsilon */
    nw_bounds at_delta;    /* epsilon at delta */
} answers;

/* Is the interval's upper end below what is attained, or its lower end looser than need be? */
static const char *judge_from_below(const answers *a, const second *below, bool is_loose)
{
    const double reach = 0.5 * PLAIN_HALF * below->h;
    const double fine = delta_of(below->fine, a->epsilon);
    const double d = fmax(fabs(delta_of(below->coarse, a->epsilon) - fine), fabs(delta_of(below->middle, a->epsilon) - fine)) +
                     infinite_of(below->fine);
    const double epsilon = epsilon_of(below->fine, a->delta, reach);
    const double left = a->delta - infinite_of(below->fine);
    const double e =
        fmax(fabs(epsilon_of(below->coarse, left, reach) - epsilon), fabs(epsilon_of(below->middle, left, reach) - epsilon));
    if (!(a->at_epsilon.upper >= (fine - EXCESS * d) * (1.0 - BLUR[0]) - 1e-15))
        return "delta: upper below the truth";
    if (isfinite(e) && !(a->at_delta.upper >= epsilon - EXCESS * e - BLUR[1]))
        return "epsilon: upper below the truth";
    if (is_loose)
        return NULL;
    if (!(a->at_epsilon.lower >= (fine - EXCESS * d) * (1.0 - DELTA_CLOSE) - 1e-12))
        return "delta: lower is loose";
    if (isfinite(e) && !(a->at_delta.lower >= epsilon - EXCESS * e - EPSILON_CLOSE))
        return "epsilon: lower is loose";
    return NULL;
}

static const char *judge_from_above(const answers *a, const second *above)
{
    const double delta = delta_of(above->fine, a->epsilon);
    const double epsilon = epsilon_of(above->fine, a->delta, 0.5 * PLAIN_HALF * above->h);
    if (!(a->at_epsilon.lower <= delta * (1.0 + ROUNDING) + 1e-15))
        return "delta: lower above the truth";
    if (!(a->at_delta.lower <= epsilon + 1e-9))
        return "epsilon: lower above the truth";
    if (!(a->at_epsilon.upper <= delta * (1.0 + DELTA_CLOSE) + 1e-12))
        return "delta: upper is loose";
    if (!(a->at_delta.upper <= epsilon + EPSILON_CLOSE))
        return "epsilon: upper is loose";
    return NULL;
}

typedef struct tree {
    nw_event *event;
    nw_adjacency adjacency;
    bool is_attained; /* then there is one flavour only, `below` */
    second above, below;
    answers answers;
} tree;

/* What is wrong with answers to a tree; NULL if nothing is. */
static const char *judge(const answers *a, const tree *t)
{
    const char *what = NULL;
    if (!(a->at_epsilon.lower <= a->at_epsilon.upper && a->at_delta.lower <= a->at_delta.upper))
        return "lower above upper";
    if (t->below.exists)
        what = judge_from_below(a, &t->below, !t->is_attained);
    if (what == NULL && (t->is_attained || t->above.exists))
        what = judge_from_above(a, t->is_attained ? &t->below : &t->above);
    return what;
}

static void ask(answers *a, const nw_event *event, nw_adjacency adjacency)
{
    nw_error err;
    if (nw_account_delta(event, adjacency, a->epsilon, NULL, &a->at_epsilon, &err) != NW_OK ||
        nw_account_epsilon(event, adjacency, a->delta, NULL, &a->at_delta, &err) != NW_OK)
        fail_msg("%s", err.message);
}

static double seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* Both methods' answers where delta is about `wanted`. False if the second method cannot resolve the tree. Takes the event. */
static bool tree_of(tree *t, nw_event *event, nw_adjacency adjacency, double wanted)
{
    const double start = seconds();
    *t = (tree){ .event = event, .adjacency = adjacency, .is_attained = plain_is_attained(event) };
    if (!t->is_attained)
        second_new(&t->above, t->event, t->adjacency, PLAIN_DOMINATING);
    second_new(&t->below, t->event, t->adjacency, PLAIN_ATTAINED);
    const second *by = t->above.exists ? &t->above : &t->below;
    if (!by->exists)
        return false;
    /* on a point of all grids, where delta is well above what fell off them */
    const double least = 10.0 * infinite_of(by->fine) + 1e-9;
    const double step = 6.0 * fmax(t->below.h, t->above.h);
    const double epsilon = epsilon_of(by->fine, fmax(wanted, least), 0.5 * PLAIN_HALF * by->h);
    if (isinf(epsilon))
        return false;
    t->answers.epsilon = step * floor(epsilon / step);
    t->answers.delta = delta_of(by->fine, t->answers.epsilon);
    second_seconds += seconds() - start;
    ask(&t->answers, t->event, t->adjacency);
    account_seconds += seconds() - start;
    return true;
}

static bool tree_new(tree *t, uint64_t seed)
{
    static const nw_adjacency adjacencies[] = { NW_ADD_REMOVE, NW_ADD_REMOVE, NW_REPLACE_ONE, NW_ZERO_OUT };
    random_bits r = { seed };
    const nw_adjacency adjacency = adjacencies[random_below(&r, 4)];
    const double size = 0.2 * pow(8.0, random_unit(&r)); /* one draw a line: compilers order arguments as they like */
    const int depth = 1 + (int)random_below(&r, 3);
    nw_event *event = random_event(&r, adjacency, depth, size);
    return tree_of(t, event, adjacency, pow(10.0, -1.0 - 5.0 * random_unit(&r)));
}

static void tree_free(tree *t)
{
    second_free(&t->above);
    second_free(&t->below);
    nw_event_free(t->event);
}

static void report(const tree *t, int i, const char *what)
{
    char *json = NULL;
    const answers *a = &t->answers;
    assert_int_equal(nw_event_to_json(t->event, &json, NULL), NW_OK);
    print_message("# tree %d, %s: %s\n", i, nw_adjacency_name(t->adjacency), what);
    print_message("#   delta(%.17g) in [%.9g, %.9g] by %s, second method", a->epsilon, a->at_epsilon.lower, a->at_epsilon.upper,
        a->at_epsilon.method);
    for (int side = 0; side < 2; side++) {
        const second *s = side == 0 ? &t->below : &t->above;
        if (s->exists)
            print_message(" %.9g and %.9g", delta_of(s->fine, a->epsilon), delta_of(s->coarse, a->epsilon));
    }
    print_message(
        "\n#   epsilon(%.17g) in [%.9g, %.9g] by %s\n#   ", a->delta, a->at_delta.lower, a->at_delta.upper, a->at_delta.method);
    print_message("%s", json);
    print_message("\n");
    nw_string_free(json);
}

static void account__agrees_with_direct_convolution_on_random_trees(void **state)
{
    (void)state;
    int judged = 0;
    int wrong = 0;
    int loose = 0;
    for (int i = 0; i < trees; i++) {
        tree t;
        if (tree_new(&t, (uint64_t)i)) {
            const char *what = judge(&t.answers, &t);
            const bool is_loose = what != NULL && strstr(what, "is loose") != NULL;
            judged++;
            loose += is_loose;
            wrong += what != NULL && !is_loose;
            if (what != NULL)
                report(&t, i, what);
        }
        tree_free(&t);
    }
    print_message("# %d of %d trees judged, %d with a loose end; second method %.1f s, both %.1f s\n", judged, trees, loose,
        second_seconds, account_seconds);
    assert_int_equal(wrong, 0);
    assert_true(loose <= LOOSE_SHARE * judged + 1.0);
    assert_true(judged >= trees * 7 / 10);
}

/* Answers of one direction only. */
static void ask_one_direction(answers *a, const tree *t, nw__direction direction)
{
    nw__fft fft = { 0 };
    for (int side = 0; side < 2; side++) {
        nw__schedule s;
        nw__pld_answer out;
        const nw__schedule_query query = { t->adjacency, direction, true, a->delta };
        const nw__pld_query pld = { side == 0, side == 0 ? a->delta : a->epsilon, NW__TOLERANCE, true, false };
        assert_int_equal(nw__schedule_new(&s, t->event, &query, &fft, NULL), NW_OK);
        if (s.no_pair == NULL && nw__schedule_add_gaussian(&s, NULL) == NW_OK && s.n > 0 &&
            nw__pld_solve(s.list, s.n, &pld, &fft, &out, NULL) == NW_OK)
            *(side == 0 ? &a->at_delta : &a->at_epsilon) = (nw_bounds){ .upper = out.value };
        nw__schedule_free(&s);
    }
    nw__fft_free(&fft);
}

/* One repetition fewer than the event says, for the first counted node. False if nothing is counted. */
static bool drop_one(nw_event *e)
{
    if (e->kind == NW_EVENT_REPEAT && e->count > 1) {
        e->count--;
        return true;
    }
    for (size_t i = 0; i < e->child_count; i++)
        if (drop_one(e->children[i]))
            return true;
    return false;
}

static bool scale_noise(nw_event *e)
{
    bool is_done = nw__event_has_noise(e->kind);
    e->parameter *= is_done ? 1.05 : 1.0;
    for (size_t i = 0; i < e->child_count; i++)
        is_done = scale_noise(e->children[i]) || is_done;
    return is_done;
}

static bool sample_less(nw_event *e)
{
    bool is_done = e->kind == NW_EVENT_POISSON_SUBSAMPLED && e->parameter < 1.0 && e->parameter > 0.0;
    e->parameter *= is_done ? 0.95 : 1.0;
    for (size_t i = 0; i < e->child_count; i++)
        is_done = sample_less(e->children[i]) || is_done;
    return is_done;
}

static bool single_part(nw_event *e)
{
    if (e->kind == NW_EVENT_COMPOSED && e->child_count > 1) {
        nw_event_free(e->children[--e->child_count]);
        return true;
    }
    for (size_t i = 0; i < e->child_count; i++)
        if (single_part(e->children[i]))
            return true;
    return false;
}

enum {
    SWAPPED,
    SCALED_DELTA,
    SCALED_EPSILON,
    LOOSE_LOWER,
    ONE_DIRECTION,
    ONE_FEWER,
    LESS_NOISE,
    LESS_SAMPLED,
    PART_LOST,
    BROKEN,
    POWER_TREES = 40
};
static const char *const names[BROKEN] = { "lower and upper swapped", "delta 5 % too small", "epsilon 3 % too small",
    "lower bounds of 0", "the direction remove only", "one repetition fewer", "noise 5 % larger", "sampling rate 5 % smaller",
    "the last part of a composition lost" };

/* False if the fault does not touch the tree. */
static bool broken(answers *a, const tree *t, int fault)
{
    bool (*const changes[BROKEN])(nw_event *) = {
        [ONE_FEWER] = drop_one, [LESS_NOISE] = scale_noise, [LESS_SAMPLED] = sample_less, [PART_LOST] = single_part
    };
    *a = t->answers;
    switch (fault) {
    case SWAPPED:
        a->at_delta.upper = t->answers.at_delta.lower;
        a->at_delta.lower = t->answers.at_delta.upper;
        return a->at_delta.upper < a->at_delta.lower;
    case SCALED_DELTA: a->at_epsilon.lower = a->at_epsilon.upper *= 0.95; return true;
    case SCALED_EPSILON: a->at_delta.lower = a->at_delta.upper *= 0.97; return true;
    case LOOSE_LOWER: a->at_delta.lower = a->at_epsilon.lower = 0.0; return t->answers.at_delta.lower > 0.0;
    case ONE_DIRECTION: {
        answers other = t->answers;
        ask_one_direction(a, t, NW__REMOVE);
        ask_one_direction(&other, t, NW__ADD);
        const double gap = other.at_epsilon.upper - a->at_epsilon.upper;
        a->at_delta.lower = fmin(a->at_delta.lower, a->at_delta.upper);
        a->at_epsilon.lower = fmin(a->at_epsilon.lower, a->at_epsilon.upper);
        return gap > 0.02 * other.at_epsilon.upper;
    }
    default: break;
    }
    nw_event *event = NULL;
    assert_int_equal(nw_event_copy(&event, t->event, NULL), NW_OK);
    const bool is_done = changes[fault](event);
    if (is_done)
        ask(a, event, t->adjacency);
    nw_event_free(event);
    return is_done;
}

static void judge_faults(const tree *t, int touched[BROKEN], int seen[BROKEN])
{
    for (int fault = 0; fault < BROKEN; fault++) {
        answers a;
        if (!broken(&a, t, fault))
            continue;
        touched[fault]++;
        seen[fault] += judge(&a, t) != NULL;
    }
}

/* Compositions for which the direction add is the worse one at small epsilon. */
static bool adding_tree(tree *t, int i)
{
    nw_event *base = NULL;
    nw_event *sampled = NULL;
    nw_event *event = NULL;
    assert_int_equal(nw_event_pure(&base, 1.2, NW_ADD_REMOVE, NULL), NW_OK);
    assert_int_equal(nw_event_poisson_subsampled(&sampled, 0.6 + 0.05 * i, base, NULL), NW_OK);
    assert_int_equal(nw_event_repeat(&event, sampled, 2, NULL), NW_OK);
    nw_event_free(base);
    nw_event_free(sampled);
    return tree_of(t, event, NW_ADD_REMOVE, 0.3);
}

/* The power of the comparison: each fault is put into the answers of the trees that it touches. */
static void judge__sees_deliberate_faults(void **state)
{
    (void)state;
    int touched[BROKEN] = { 0 };
    int seen[BROKEN] = { 0 };
    for (int i = 0; i < POWER_TREES; i++) {
        tree t;
        if (i % 10 == 0 ? adding_tree(&t, i / 10) : tree_new(&t, 1000000 + (uint64_t)i))
            judge_faults(&t, touched, seen);
        tree_free(&t);
    }
    for (int fault = 0; fault < BROKEN; fault++) {
        print_message("# %s: seen in %d of %d\n", names[fault], seen[fault], touched[fault]);
        assert_true(seen[fault] > 0);
        assert_true(seen[fault] >= touched[fault] / 3);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(account__agrees_with_direct_convolution_on_random_trees),
        cmocka_unit_test(judge__sees_deliberate_faults),
    };
    trees = argc > 1 ? atoi(argv[1]) : trees;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
