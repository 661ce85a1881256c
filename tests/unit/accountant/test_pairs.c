/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_pairs.c - every family of dominating pairs against the densities it stands for: tails by quadrature or brute-force sums in
 * long double, the profile against closed forms, and dP/dQ = e^loss. */
#include "pair.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static const double TAIL_CLOSE = 2e-12; /* of a tail, relative, where the pair claims less */

/* Densities on the line whose ratio increases: weights of normal laws at 0, mu and -mu. */
typedef struct normals {
    long double mu;
    long double p[3], q[3];
} normals;

static long double density(const long double w[3], long double mu, long double x)
{
    const long double centre[3] = { 0, mu, -mu };
    long double sum = 0;
    for (int i = 0; i < 3; i++)
        sum += w[i] * expl(-(x - centre[i]) * (x - centre[i]) / 2);
    return sum * 0.398942280401432677939946059934381868L;
}

static long double log_ratio(const normals *n, long double x)
{
    const long double e[3] = { 0, n->mu * x - n->mu * n->mu / 2, -n->mu * x - n->mu * n->mu / 2 };
    const long double most = fmaxl(fmaxl(e[0], e[1]), e[2]);
    long double p = 0;
    long double q = 0;
    for (int i = 0; i < 3; i++) {
        p += n->p[i] * expl(e[i] - most);
        q += n->q[i] * expl(e[i] - most);
    }
    return logl(p) - logl(q);
}

/* Where the loss is l: -400 or 400 if it never is. */
static long double threshold(const normals *n, long double l)
{
    long double low = -400;
    long double high = 400;
    for (int i = 0; i < 150; i++) {
        const long double middle = (low + high) / 2;
        *(log_ratio(n, middle) <= l ? &low : &high) = middle;
    }
    return low;
}

/* Nodes and weights of Gauss-Legendre quadrature on (-1, 1): the roots of P_NODES by Newton's method. */
enum { NODES = 20 };
static long double node[NODES], node_weight[NODES];

static int make_nodes(void **state)
{
    (void)state;
    for (int i = 0; i < NODES; i++) {
        long double x = cosl(3.14159265358979323846L * (i + 0.75L) / (NODES + 0.5L));
        long double slope = 0;
        for (int round = 0; round < 60; round++) {
            long double p = x;
            long double before = 1;
            for (int n = 2; n <= NODES; n++) {
                const long double next = ((2 * n - 1) * x * p - (n - 1) * before) / n;
                before = p;
                p = next;
            }
            slope = NODES * (x * p - before) / (x * x - 1);
            x -= p / slope;
        }
        node[i] = x;
        node_weight[i] = 2 / ((1 - x * x) * slope * slope);
    }
    return 0;
}

/* The mass of (from, to), panels half a deviation wide: smooth, and over before 16 deviations from where it starts or peaks. */
static long double mass(const long double w[3], long double mu, long double from, long double to)
{
    const long double reach = 16 + mu;
    const long double low = fmaxl(from, fminl(-reach, to - 16));
    const long double high = fminl(to, fmaxl(reach, from + 16));
    long double sum = 0;
    if (!(low < high))
        return 0;
    const int panels = (int)(2 * (high - low)) + 1;
    const long double half = (high - low) / (2 * panels);
    for (int k = 0; k < panels; k++)
        for (int i = 0; i < NODES; i++)
            sum += node_weight[i] * half * density(w, mu, low + half * (2 * k + 1 + node[i]));
    return sum;
}

static void check_close(const char *what, double l, double ours, long double truth, double relative)
{
    if (!(fabsl(ours - truth) <= relative * fabsl(truth) + 1e-300L))
        fail_msg("%s at loss %.17g is %.17g, by quadrature %.17Lg (%.3Lg apart, relative)", what, l, ours, truth,
            fabsl(ours - truth) / truth);
}

/* The whole pair's profile encloses `truth`, and tightly. first: P(L > loss), against which cancellation is measured. */
static void check_delta(const nw__pair *pair, double l, long double truth, long double first)
{
    double lower = 0.0;
    double upper = 0.0;
    nw__pair_delta(pair, l, &lower, &upper);
    if (!(lower <= truth + 1e-17L * first && upper >= truth - 1e-17L * first))
        fail_msg("delta(%.17g) in [%.17g, %.17g], in truth %.17Lg", l, lower, upper, truth);
    if (!(upper - lower <= 4e-12 * (double)first + 1e-300))
        fail_msg("delta(%.17g) in [%.17g, %.17g]: wide", l, lower, upper);
}

static void check_normals(const nw__pair *pair, const normals *n)
{
    for (double x = -9.0; x < 10.0; x += 0.37) { /* thresholds where something is left on both sides */
        const double l = (double)log_ratio(n, (long double)x);
        const long double at = threshold(n, l);
        nw__tails t;
        pair->tails(pair, l, &t);
        const long double p_above = mass(n->p, n->mu, at, 400);
        const long double q_above = mass(n->q, n->mu, at, 400);
        const double sensitive =
            4e-16 * (1.0 + fabs(x)) * (fabs(x) + 2.0) * (1.0 + fabs(l)); /* of the threshold's own rounding */
        const double slope = 1.0 / fmax(1e-9, (double)(log_ratio(n, at + 1e-6L) - log_ratio(n, at - 1e-6L)) / 2e-6);
        const double close = TAIL_CLOSE + t.error + sensitive * fmax(1.0, slope);
        if (slope > 1e3) /* the loss hardly moves: only its slack, which nw__pld charges, decides */
            continue;
        check_close("P above", l, t.p_above, p_above, close);
        check_close("Q above", l, t.q_above, q_above, close);
        check_close("P below", l, t.p_below, mass(n->p, n->mu, -400, at), close);
        check_close("Q below", l, t.q_below, mass(n->q, n->mu, -400, at), close);
        assert_true(t.error > 0.0 && t.error < 1e-11);
        if (l >= 0.0 && slope < 10.0)
            check_delta(pair, l, p_above - expl(l) * q_above, p_above);
    }
}

static void pair_gaussian__is_two_normal_laws(void **state)
{
    (void)state;
    const double mus[] = { 0.01, 0.3, 1.0, 2.5, 7.0 };
    for (size_t i = 0; i < sizeof mus / sizeof *mus; i++) {
        nw__pair *pair = NULL;
        const normals n = { mus[i], { 0, 1, 0 }, { 1, 0, 0 } };
        assert_int_equal(nw__pair_gaussian(&pair, mus[i], NULL), NW_OK);
        check_normals(pair, &n);
        nw__pair_free(pair);
    }
}

static void pair_poisson__is_a_mixture_in_either_direction(void **state)
{
    (void)state;
    const double rates[] = { 0.001, 0.05, 0.5, 0.97 };
    const double mus[] = { 0.2, 1.0, 3.0 };
    for (int i = 0; i < 12; i++) {
        const double q = rates[i % 4];
        const double mu = mus[i / 4];
        const long double r = 1 - (long double)q;
        for (int d = NW__REMOVE; d <= NW__ADD; d++) {
            nw__pair *base = NULL;
            nw__pair *pair = NULL;
            const normals n =
                d == NW__REMOVE ? (normals){ mu, { r, q, 0 }, { 1, 0, 0 } } : (normals){ mu, { 0, 1, 0 }, { q, r, 0 } };
            assert_int_equal(nw__pair_gaussian(&base, mu, NULL), NW_OK);
            assert_int_equal(nw__pair_poisson(&pair, q, (nw__direction)d, base, NULL), NW_OK);
            check_normals(pair, &n);
            nw__pair_free(pair);
        }
    }
}

static void pair_poisson_replace__is_two_mixtures(void **state)
{
    (void)state;
    const double rates[] = { 0.001, 0.05, 0.5, 0.97, 1.0 };
    const double mus[] = { 0.2, 1.0, 3.0 };
    for (int i = 0; i < 15; i++) {
        const double q = rates[i % 5];
        const long double r = 1 - (long double)q;
        const normals n = { mus[i / 5], { r, q, 0 }, { r, 0, q } };
        nw__pair *pair = NULL;
        assert_int_equal(nw__pair_poisson_replace(&pair, q, mus[i / 5], NULL), NW_OK);
        check_normals(pair, &n);
        nw__pair_free(pair);
    }
}

typedef long double (*profile)(long double parameter, long double x);

static long double laplace_profile(long double epsilon, long double x)
{
    return x >= epsilon ? 0 : x < -epsilon ? -expm1l(x) : -expm1l((x - epsilon) / 2);
}

static long double response_profile(long double epsilon, long double x)
{
    return x >= epsilon ? 0 : x < -epsilon ? -expm1l(x) : -expm1l(x - epsilon) / (1 + expl(-epsilon));
}

/* The supremum that defines it, over a grid of t, each two-point law with losses t and t - epsilon by hand. */
static long double range_profile(long double epsilon, long double x)
{
    enum { STEPS = 20000 };
    long double most = fmaxl(0, -expm1l(x));
    for (int i = 0; i <= STEPS; i++) {
        const long double t = epsilon * i / STEPS;
        const long double high = (expl(epsilon) - expl(t)) / expm1l(epsilon); /* P of the loss t */
        long double delta = fmaxl(0, high * -expm1l(x - t));
        delta += fmaxl(0, (1 - high) * -expm1l(x - t + epsilon));
        most = fmaxl(most, delta);
    }
    return most;
}

static long double gaussian_profile(long double mu, long double x)
{
    const long double root = 0.707106781186547524400844362104849L;
    return 0.5L * erfcl((x / mu - mu / 2) * root) - expl(x) * 0.5L * erfcl((x / mu + mu / 2) * root);
}

/* All masses add up to one, and each small piece has dP/dQ = e^loss. */
static void check_consistency(const nw__pair *pair)
{
    const double low = isfinite(pair->lowest) ? pair->lowest : -30.0;
    const double high = isfinite(pair->highest) ? pair->highest : 30.0;
    enum { PIECES = 500 };
    double p_atoms = pair->atoms.p_infinite;
    double q_atoms = pair->q_null;
    for (size_t i = 0; i < pair->atoms.n; i++) {
        const nw__atom *a = &pair->atoms.at[i];
        p_atoms += a->p;
        q_atoms += a->q;
        assert_true(i == 0 || a->loss >= pair->atoms.at[i - 1].loss);
        assert_true(a->loss >= pair->lowest - 1e-12 && a->loss <= pair->highest + 1e-12);
        if (a->q > 0.0 && a->p > 0.0)
            assert_true(fabs(log(a->p / a->q) - a->loss) < 1e-9 * (1.0 + fabs(a->loss)) + 2e-12);
    }
    nw__tails before = { 0 };
    for (int i = 0; pair->tails != NULL && i <= PIECES; i++) {
        const double l = low + (high - low) * i / PIECES;
        nw__tails t;
        pair->tails(pair, l, &t);
        assert_true(fabs(t.p_above + t.p_below + p_atoms - 1.0) < 1e-11);
        assert_true(fabs(t.q_above + t.q_below + q_atoms - 1.0) < 1e-11);
        if (i > 0) {
            const double width = (high - low) / PIECES;
            const double p = before.p_above < t.p_below ? before.p_above - t.p_above : t.p_below - before.p_below;
            const double q = before.q_above < t.q_below ? before.q_above - t.q_above : t.q_below - before.q_below;
            const double error =
                1e-13 * (fmin(before.p_above, t.p_below) + exp(l) * fmin(before.q_above, t.q_below)) + 1e-300; /* subnormal */
            assert_true(p >= -error && q >= -error * exp(-l));
            assert_true(p <= exp(l) * q * (1.0 + 1e-9) + error && p >= exp(l - width) * q * (1.0 - 1e-9) - error);
        }
        before = t;
    }
    if (pair->tails == NULL)
        assert_true(fabs(p_atoms - 1.0) < 1e-11 && fabs(q_atoms - 1.0) < 1e-11);
}

static void check_profile(const nw__pair *pair, profile truth, long double parameter, double reach, double slack)
{
    for (double x = -reach; x < reach; x += reach / 41.3) {
        double lower = 0.0;
        double upper = 0.0;
        const long double delta = truth(parameter, x);
        nw__pair_delta(pair, x, &lower, &upper);
        if (!(lower <= delta * (1 + 1e-15L) + slack && upper >= delta * (1 - 1e-15L) && upper - lower < 1e-11 &&
                upper <= delta + slack + 1e-11))
            fail_msg("delta(%.17g) in [%.17g, %.17g], in truth %.17Lg", x, lower, upper, delta);
    }
    check_consistency(pair);
}

static void pair_profiles__are_the_closed_forms(void **state)
{
    (void)state;
    const double epsilons[] = { 1e-3, 0.1, 1.0, 4.0, 15.0 };
    for (size_t i = 0; i < sizeof epsilons / sizeof *epsilons; i++) {
        const double e = epsilons[i];
        nw__pair *pair = NULL;
        assert_int_equal(nw__pair_laplace(&pair, e, NULL), NW_OK);
        check_profile(pair, laplace_profile, e, 1.5 * e, 0.0);
        nw__pair_free(pair);
        assert_int_equal(nw__pair_response(&pair, e, 0.0, NULL), NW_OK);
        check_profile(pair, response_profile, e, 1.5 * e, 0.0);
        nw__pair_free(pair);
        assert_int_equal(nw__pair_bounded_range(&pair, e, NULL), NW_OK);
        check_profile(pair, range_profile, e, 1.5 * e, 1e-9 * e * (1.0 + e)); /* of the grid of t */
        nw__pair_free(pair);
        assert_int_equal(nw__pair_gaussian(&pair, e, NULL), NW_OK);
        check_profile(pair, gaussian_profile, e, 6.0 * e + 0.4 * e * e, 0.0);
        nw__pair_free(pair);
    }
}

/* Finite laws: outcomes with their masses. */
typedef struct outcomes {
    size_t n;
    long double p[4000], q[4000];
} outcomes;

static long double brute_delta(const outcomes *o, long double x)
{
    long double sum = 0;
    for (size_t i = 0; i < o->n; i++)
        sum += fmaxl(0, o->p[i] - expl(x) * o->q[i]);
    return sum;
}

static void check_outcomes(const nw__pair *pair, const outcomes *o, double reach, double slack)
{
    for (double x = -reach; x < reach; x += reach / 57.7) {
        double lower = 0.0;
        double upper = 0.0;
        const long double truth = brute_delta(o, x);
        nw__pair_delta(pair, x, &lower, &upper);
        if (!(lower <= truth * (1 + 1e-14L) + slack && upper >= truth * (1 - 1e-14L) - slack && upper - lower < 1e-10 &&
                fabsl(upper - truth) < 1e-10L + slack))
            fail_msg("delta(%.17g) in [%.17g, %.17g], in truth %.17Lg", x, lower, upper, truth);
    }
    check_consistency(pair);
}

static void on_lattice(outcomes *o, double scale, long distance, bool is_gaussian)
{
    const long reach = 1900 - distance;
    long double total = 0;
    o->n = 0;
    for (long x = -reach; x <= reach + distance; x++, o->n++) {
        const long double y = (long double)(x - distance) / scale;
        const long double z = (long double)x / scale;
        o->p[o->n] = expl(is_gaussian ? -y * y / 2 : -fabsl(y));
        o->q[o->n] = expl(is_gaussian ? -z * z / 2 : -fabsl(z));
        total += o->q[o->n];
    }
    for (size_t i = 0; i < o->n; i++) {
        o->p[i] /= total;
        o->q[i] /= total;
    }
}

/* The mixtures of Poisson sampling, outcome by outcome. */
static void sample_outcomes(outcomes *o, long double rate, bool is_remove)
{
    for (size_t i = 0; i < o->n; i++) {
        const long double p = o->p[i];
        const long double q = o->q[i];
        o->p[i] = is_remove ? (1 - rate) * q + rate * p : p;
        o->q[i] = is_remove ? q : (1 - rate) * p + rate * q;
    }
}

enum { LATTICE_LAPLACE, LATTICE_GAUSSIAN, THREE_POINTS, APPROX, FINITE };

static nw__pair *finite_pair(int kind, outcomes *o, double *reach)
{
    nw__pair *pair = NULL;
    switch (kind % FINITE) {
    case LATTICE_LAPLACE: {
        const long distance = 1 + kind % 3;
        on_lattice(o, 3.5, distance, false);
        assert_int_equal(nw__pair_discrete_laplace(&pair, 3.5, (uint64_t)distance, NULL), NW_OK);
        break;
    }
    case LATTICE_GAUSSIAN: {
        const long distance = 1 + kind % 3;
        on_lattice(o, 2.25, distance, true);
        assert_int_equal(nw__pair_discrete_gaussian(&pair, 2.25, (uint64_t)distance, 1e-30, true, NULL), NW_OK);
        break;
    }
    case THREE_POINTS: {
        const long double total = expl(0.7L) + 4;
        *o = (outcomes){ 3, { expl(0.7L) / total, 1 / total, 3 / total }, { 1 / total, expl(0.7L) / total, 3 / total } };
        assert_int_equal(nw__pair_response(&pair, 0.7, 3.0, NULL), NW_OK);
        break;
    }
    default: {
        const long double p = 0.99L / (1 + expl(-1.25L));
        *o = (outcomes){ 4, { p, 0.99L - p, 0.01L, 0 }, { 0.99L - p, p, 0, 0.01L } };
        assert_int_equal(nw__pair_approx(&pair, 1.25, 0.01, NULL), NW_OK);
        break;
    }
    }
    *reach = 2.0 * fmin(3.0, pair->highest);
    return pair;
}

static void pair_lattices__are_sums_over_outcomes(void **state)
{
    (void)state;
    outcomes *o = calloc(1, sizeof *o);
    const double rates[] = { 0.03, 0.4, 0.9 };
    for (int kind = 0; kind < 3 * FINITE; kind++) {
        double reach = 0.0;
        nw__pair *pair = finite_pair(kind, o, &reach);
        check_outcomes(pair, o, reach, 1e-16);
        for (int d = NW__REMOVE; d <= NW__ADD; d++) {
            nw__pair *sampled = NULL;
            nw__pair *base = finite_pair(kind, o, &reach);
            sample_outcomes(o, rates[kind % 3], d == NW__REMOVE);
            assert_int_equal(nw__pair_poisson(&sampled, rates[kind % 3], (nw__direction)d, base, NULL), NW_OK);
            check_outcomes(sampled, o, reach, 1e-16);
            nw__pair_free(sampled);
        }
        nw__pair_free(pair);
    }
    free(o);
}

/* Cut tails go to infinity in an upper pair and are dropped in a lower one. */
static void pair_discrete_gaussian__cuts_outward(void **state)
{
    (void)state;
    outcomes *o = calloc(1, sizeof *o);
    on_lattice(o, 3.0, 2, true);
    for (double tail = 1e-2; tail > 1e-12; tail *= 0.1) {
        nw__pair *upper = NULL;
        nw__pair *lower = NULL;
        assert_int_equal(nw__pair_discrete_gaussian(&upper, 3.0, 2, tail, true, NULL), NW_OK);
        assert_int_equal(nw__pair_discrete_gaussian(&lower, 3.0, 2, tail, false, NULL), NW_OK);
        for (double x = -4.0; x < 6.0; x += 0.0731) {
            double value[2];
            double other = 0.0;
            const long double truth = brute_delta(o, x);
            nw__pair_delta(upper, x, &other, &value[0]);
            nw__pair_delta(lower, x, &value[1], &other);
            assert_true(value[0] >= truth * (1 - 1e-15L) && value[0] <= truth + 8.0 * tail + 1e-13L);
            assert_true(value[1] <= truth * (1 + 1e-15L));
        }
        nw__pair_free(upper);
        nw__pair_free(lower);
    }
    free(o);
}

static nw__pair *gaussian(double mu)
{
    nw__pair *pair = NULL;
    assert_int_equal(nw__pair_gaussian(&pair, mu, NULL), NW_OK);
    return pair;
}

/* [BBG18, Thm 10]: delta(log1p(q expm1(x))) = sum_k w_k delta_k(x), and its mirror below 0. */
static void pair_group_mixture__is_the_mixed_profile(void **state)
{
    (void)state;
    nw__pair *pair = NULL;
    nw__pair *base[3] = { gaussian(0.5), gaussian(1.0), gaussian(1.5) };
    double *weight = malloc(3 * sizeof *weight);
    const double w[3] = { 0.2, 0.05, 0.01 };
    const long double q = 0.26L;
    for (int i = 0; i < 3; i++)
        weight[i] = w[i];
    assert_int_equal(nw__pair_group_mixture(&pair, base, weight, 3, NULL), NW_OK);
    for (double x = -2.0; x < 2.0; x += 0.0619) {
        const long double y = log1pl(expm1l(fabsl(x)) / q);
        long double truth = 0;
        double lower = 0.0;
        double upper = 0.0;
        for (int i = 0; i < 3; i++)
            truth += w[i] * gaussian_profile(0.5L * (i + 1), y);
        if (x < 0.0)
            truth = -expm1l(x) + expl(x) * truth;
        nw__pair_delta(pair, x, &lower, &upper);
        assert_true(lower <= truth * (1 + 1e-15L) && upper >= truth * (1 - 1e-15L) && upper - lower < 1e-12);
    }
    nw__pair_free(pair);
}

static void pair_maximum__is_the_largest_profile(void **state)
{
    (void)state;
    nw__pair *pair = NULL;
    nw__pair *base[3] = { gaussian(0.8), NULL, NULL };
    assert_int_equal(nw__pair_laplace(&base[1], 0.9, NULL), NW_OK);
    assert_int_equal(nw__pair_approx(&base[2], 0.3, 1e-3, NULL), NW_OK);
    assert_int_equal(nw__pair_maximum(&pair, base, 3, NULL), NW_OK);
    int active[3] = { 0 };
    for (double x = -3.0; x < 6.0; x += 0.0173) {
        const long double all[3] = { gaussian_profile(0.8L, x), laplace_profile(0.9L, x),
            0.001L + 0.999L * response_profile(0.3L, x) };
        const int best = all[0] >= all[1] ? (all[0] >= all[2] ? 0 : 2) : (all[1] >= all[2] ? 1 : 2);
        double lower = 0.0;
        double upper = 0.0;
        nw__pair_delta(pair, x, &lower, &upper);
        active[best]++;
        assert_true(lower <= all[best] * (1 + 1e-15L) && upper >= all[best] * (1 - 1e-15L) && upper - lower < 1e-12);
    }
    assert_true(active[0] > 0 && active[1] > 0 && active[2] > 0);
    nw__pair_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pair_gaussian__is_two_normal_laws),
        cmocka_unit_test(pair_poisson__is_a_mixture_in_either_direction),
        cmocka_unit_test(pair_poisson_replace__is_two_mixtures),
        cmocka_unit_test(pair_profiles__are_the_closed_forms),
        cmocka_unit_test(pair_lattices__are_sums_over_outcomes),
        cmocka_unit_test(pair_discrete_gaussian__cuts_outward),
        cmocka_unit_test(pair_group_mixture__is_the_mixed_profile),
        cmocka_unit_test(pair_maximum__is_the_largest_profile),
    };
    return cmocka_run_group_tests(tests, make_nodes, NULL);
}
