/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_sensitivity.c - the distance of neighbouring totals, by enumeration of neighbours, against the sensitivity that is
 * charged; and the totals themselves against plain sums of integers. The exact totals are read from inside the handle. */
#include "stats_internal.h"
#include "stats_support.h"

typedef struct record {
    uint32_t group;
    double value;
} record;

/* Both ends, beyond them, nearly them, the middle, 0, and what is no number; a group that does not exist. */
static const double VALUES[] = { -3.0, 5.0, -1e300, (double)INFINITY, -(double)INFINITY, (double)NAN, 0.0, -0.0, 1.0,
    4.999999999999, 0.30000000000000004, 5e-324, 1.0000001 };
enum { VALUE_COUNT = sizeof VALUES / sizeof *VALUES, GROUPS = 3, RECORDS = VALUE_COUNT * (GROUPS + 1) };

static record record_of(size_t i)
{
    return (record){ (uint32_t)(i % (GROUPS + 1)), VALUES[i / (GROUPS + 1)] };
}

/* Totals of the record alone, or of none (i == RECORDS). */
static void totals_of(nw_stats *stats, size_t i, int64_t *out)
{
    const size_t bytes = stats->total_count * sizeof *out;
    memset(stats->totals, 0, bytes);
    if (i < RECORDS) {
        const record r = record_of(i);
        assert_int_equal(nw_stats_add(stats, 0, &r.group, &r.value, 1, NULL), NW_OK);
    }
    memcpy(out, stats->totals, bytes);
}

static double norm(const int64_t *x, const int64_t *y, size_t n, bool is_l1)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double d = fabs((double)(x[i] - y[i]));
        sum += is_l1 ? d : d * d;
    }
    return is_l1 ? sum : sqrt(sum);
}

/* The largest distance over all neighbours is the charged sensitivity: not more, and (to a part in 1e6) not less. Neighbouring
 * tables share all other records, which cancel. */
static void check(nw_stats_kind kind, double lower, double upper, size_t groups, double delta, nw_adjacency adjacency)
{
    const nw_stats_query q = query(kind, groups, lower, upper);
    nw_stats *stats = make(&q, 1, options(1.0, delta, adjacency));
    static int64_t totals[RECORDS + 1][GROUPS * NW__STATS_TOTALS];
    for (size_t i = 0; i <= RECORDS; i++)
        totals_of(stats, i, totals[i]);
    for (size_t k = 0; k < stats->queries[0].total_count; k++) {
        const nw__total *t = &stats->queries[0].totals[k];
        double largest = 0.0;
        for (size_t i = 0; i <= RECORDS; i++)
            for (size_t j = adjacency == NW_ADD_REMOVE ? RECORDS : 0; j <= RECORDS; j++)
                largest = fmax(largest, norm(totals[i] + t->first, totals[j] + t->first, groups, delta == 0.0));
        if (!(largest <= t->sensitivity.value) || !(largest >= t->sensitivity.value * (1.0 - 1e-5)))
            fail_msg("kind %d, total %zu, groups %zu, delta %g, %s: distance %.17g, charged %.17g", (int)kind, k, groups, delta,
                nw_adjacency_name(adjacency), largest, t->sensitivity.value);
        assert_int_equal(t->sensitivity.adjacency, adjacency);
    }
    nw_stats_free(stats);
}

static void sensitivity__is_the_largest_distance_of_neighbours(void **state)
{
    (void)state;
    const nw_adjacency adjacencies[] = { NW_ADD_REMOVE, NW_REPLACE_ONE };
    const double deltas[] = { 0.0, 1e-9 };
    for (nw_stats_kind kind = NW_STATS_COUNT; kind <= NW_STATS_VARIANCE; kind++)
        for (size_t groups = 1; groups <= GROUPS; groups += 2)
            for (size_t a = 0; a < 2; a++)
                for (size_t d = 0; d < 2; d++)
                    check(kind, -3.0, 5.0, groups, deltas[d], adjacencies[a]);
}

static void sensitivity__of_a_sum_with_bounds_on_one_side_of_zero(void **state)
{
    (void)state;
    const nw_adjacency adjacencies[] = { NW_ADD_REMOVE, NW_REPLACE_ONE };
    for (size_t a = 0; a < 2; a++)
        for (size_t groups = 1; groups <= GROUPS; groups += 2) {
            check(NW_STATS_SUM, 1.0, 5.0, groups, 0.0, adjacencies[a]);
            check(NW_STATS_SUM, -3.0, -1.0, groups, 1e-9, adjacencies[a]);
        }
}

/* trunc((x - centre) / g) and its like in long double, whose 64 bits hold every step of these numbers. */
static void stats_add__totals_are_plain_sums_of_whole_steps(void **state)
{
    (void)state;
    const nw_stats_query q[2] = { query(NW_STATS_VARIANCE, 2, -8.0, 24.0), query(NW_STATS_SUM, 2, -8.0, 24.0) };
    nw_stats *stats = make(q, 2, options(1.0, 0.0, NW_ADD_REMOVE));
    enum { N = 3000 };
    static uint32_t groups[N];
    static double values[N];
    int64_t wanted[4][2] = { { 0 } };
    for (size_t i = 0; i < N; i++) {
        groups[i] = i % 7 == 0 ? 1 : i % 11 == 0 ? 9 : 0;
        values[i] = i % 13 == 0 ? (double)NAN : -20.0 + (double)(i * 7919 % 4801) / 100.0;
        if (isnan(values[i]) || groups[i] > 1)
            continue;
        const double x = fmin(fmax(values[i], -8.0), 24.0);
        const double y = x - 8.0;
        const double parts[4] = { 1.0, y, y * y - 128.0, x };
        for (size_t k = 0; k < 4; k++) {
            const nw__total *t = k < 3 ? &stats->queries[0].totals[k] : &stats->queries[1].totals[0];
            wanted[k][groups[i]] += (int64_t)truncl(ldexpl((long double)parts[k], -t->grid.exponent));
        }
    }
    assert_int_equal(nw_stats_add(stats, 0, groups, values, N, NULL), NW_OK);
    assert_int_equal(nw_stats_add(stats, 1, groups, values, N, NULL), NW_OK);
    for (size_t k = 0; k < 4; k++) {
        const nw__total *t = k < 3 ? &stats->queries[0].totals[k] : &stats->queries[1].totals[0];
        for (size_t g = 0; g < 2; g++)
            if (k == 2) /* half_width is rounded up, which moves each square by less than a step */
                assert_true(llabs((long long)(stats->totals[t->first + g] - wanted[k][g])) <= stats->totals[g]);
            else
                assert_int_equal(stats->totals[t->first + g], wanted[k][g]);
    }
    nw_stats_free(stats);
}

static void stats_merge__saturates(void **state)
{
    (void)state;
    const nw_stats_query q = query(NW_STATS_COUNT, 2, 0.0, 0.0);
    nw_stats *a = make(&q, 1, options(1.0, 0.0, NW_ADD_REMOVE));
    nw_stats *b = make(&q, 1, options(1.0, 0.0, NW_ADD_REMOVE));
    a->totals[0] = INT64_MAX - 1;
    b->totals[0] = 5;
    a->totals[1] = INT64_MIN + 1;
    b->totals[1] = -5;
    assert_int_equal(nw_stats_merge(a, b, NULL), NW_OK);
    assert_true(a->totals[0] == INT64_MAX && a->totals[1] == INT64_MIN);
    nw_stats_free(a);
    nw_stats_free(b);
}

/* Standard deviations against sums over the laws themselves. */
static void deviation__is_that_of_the_law(void **state)
{
    (void)state;
    const double scales[] = { 0x1p-10, 0.1, 0.3, 0.7, 1.0, 2.5, 3.9, 4.1, 40.0 };
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        const double s = scales[i];
        double laplace = 0.0;
        double mass = 1.0;
        double gaussian = 0.0;
        for (int k = 1; k < 4000; k++) {
            const double p = exp(-k / s);
            const double above = 0.5 * (erfc((k - 0.5) / s / sqrt(2.0)) - erfc((k + 0.5) / s / sqrt(2.0)));
            mass += 2.0 * p;
            laplace += 2.0 * (double)k * k * p;
            gaussian += 2.0 * (double)k * k * above;
        }
        assert_true(fabs(nw__noise_deviation(NW_NOISE_DISCRETE_LAPLACE, s) - sqrt(laplace / mass)) <= 1e-10 * s);
        assert_true(fabs(nw__noise_deviation(NW_NOISE_ROUNDED_GAUSSIAN, s) - sqrt(gaussian)) <= 1e-10 * s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sensitivity__is_the_largest_distance_of_neighbours),
        cmocka_unit_test(sensitivity__of_a_sum_with_bounds_on_one_side_of_zero),
        cmocka_unit_test(stats_add__totals_are_plain_sums_of_whole_steps),
        cmocka_unit_test(stats_merge__saturates),
        cmocka_unit_test(deviation__is_that_of_the_law),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
