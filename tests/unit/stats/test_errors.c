/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_errors.c - the errors beside figures: the reach of the noise against sums of its law, point by point; intervals of means
 * and variances over every corner of what the noise may do; ranks against the whole law of a choice. */
#include "stats_support.h"
#include "stats_internal.h"

/* P[Z = k]. Oracle: the definitions of nw/noise.h. */
static double mass(nw_noise_law law, double scale, int k)
{
    if (law == NW_NOISE_DISCRETE_LAPLACE)
        return tanh(0.5 / scale) * exp(-abs(k) / scale);
    return 0.5 * (erfc((abs(k) - 0.5) / (scale * sqrt(2.0))) - erfc((abs(k) + 0.5) / (scale * sqrt(2.0))));
}

/* P[|Z| > k], from the far end inward. */
static double plain_tail(nw_noise_law law, double scale, int k)
{
    double sum = 0.0;
    for (int i = (int)(40.0 * scale) + 60; i > k; i--)
        sum += (i == 0 ? 1.0 : 2.0) * mass(law, scale, i);
    return sum;
}

static void stats_reach__is_the_least_distance_of_that_risk(void **state)
{
    (void)state;
    const nw_noise_law laws[] = { NW_NOISE_DISCRETE_LAPLACE, NW_NOISE_ROUNDED_GAUSSIAN };
    const double scales[] = { 0.05, 0.3, 1.0, 2.7, 40.0, 333.3 };
    const double risks[] = { 0.5, 0.1, 1e-3, 1e-5, 1e-9 };
    for (size_t i = 0; i < 2 * 6 * 5; i++) {
        const nw_noise_law law = laws[i / 30];
        const double scale = scales[i / 5 % 6];
        const double risk = risks[i % 5];
        const int k = (int)nw__stats_reach(law, scale, risk);
        const bool is_enough = plain_tail(law, scale, k) <= risk * (1.0 + 1e-9);
        const bool is_least = k == 0 || plain_tail(law, scale, k - 1) > risk * (1.0 - 1e-9);
        if (!is_enough || !is_least)
            fail_msg("law %d, scale %g, risk %g: %d is %s", (int)law, scale, risk, k, is_enough ? "not the least" : "too little");
    }
    assert_true(nw__stats_reach(NW_NOISE_DISCRETE_LAPLACE, 0x1p50, 1e-20) < 0x1p56); /* ends, without an overflow */
}

/* The figure that noise of z[k] reaches gives, for records of the given values. */
static nw_stats_figure figure_with(nw_stats *stats, const int64_t *exact, const double z[3])
{
    const nw__query *q = &stats->queries[0];
    nw_stats_figure f;
    for (size_t k = 0; k < q->total_count; k++) {
        const nw__total *t = &q->totals[k];
        stats->totals[t->first] = exact[k] + (int64_t)(z[k] * ldexp(t->reach, -t->grid.exponent));
    }
    assert_int_equal(nw_stats_get(stats, 0, 0, &f, NULL), NW_OK);
    return f;
}

static double plain_figure(nw_stats_kind kind, const double *values, size_t n)
{
    double sum = 0.0;
    double squares = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += values[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (values[i] - sum) * (values[i] - sum) / (double)n;
    return kind == NW_STATS_MEAN ? sum : squares;
}

/* Values that are no multiples of any grid: all at an end, at both ends, spread. */
static void make_values(double *values, size_t n, int shape)
{
    for (size_t i = 0; i < n; i++)
        values[i] = shape == 0   ? 10.0
                    : shape == 1 ? 50.0
                    : shape == 2 ? (i % 2 == 0 ? 10.0 : 50.0)
                    : shape == 3 ? 10.0 + 40.0 * ((double)i + 0.3) / (double)n
                                 : 29.7 + 0.1 * (double)(i % 7);
}

/* Whatever the noise within its reach, the figure is within its error; for no noise is the error infinite unless the value is. */
static void check_box(nw_stats *stats, size_t n, int shape)
{
    const nw_stats_kind kind = stats->queries[0].asked.kind;
    double values[300];
    int64_t exact[3] = { 0, 0, 0 };
    make_values(values, n, shape);
    memset(stats->totals, 0, stats->total_count * sizeof *stats->totals);
    assert_int_equal(nw_stats_add(stats, 0, NULL, values, n, NULL), NW_OK);
    for (size_t k = 0; k < stats->queries[0].total_count; k++)
        exact[k] = stats->totals[stats->queries[0].totals[k].first];
    stats->has_figures = true;
    const double truth = plain_figure(kind, values, n);
    for (int corner = 0; corner < 125; corner++) {
        const double z[3] = { corner % 5 * 0.5 - 1.0, corner / 5 % 5 * 0.5 - 1.0, corner / 25 * 0.5 - 1.0 };
        const nw_stats_figure f = figure_with(stats, exact, z);
        if (isnan(f.value)) {
            assert_true(isinf(f.error) && isinf(f.standard_error));
            continue;
        }
        if (!(fabs(f.value - truth) <= f.error))
            fail_msg("%s of %zu, shape %d, epsilon %g: %.9g +- %.3g, must hold %.9g", nw_stats_kind_name(kind), n, shape,
                stats->opts.epsilon, f.value, f.error, truth);
        assert_true(f.error <= (kind == NW_STATS_MEAN ? 40.0 : 400.0) * (1.0 + 0x1p-30));
    }
}

static void figure__truth_is_within_the_error_for_all_noise_within_reach(void **state)
{
    (void)state;
    const size_t sizes[] = { 1, 2, 5, 30, 300 };
    const double epsilons[] = { 0.1, 1.0, 40.0 };
    for (size_t i = 0; i < 2 * 3 * 4; i++) {
        const nw_stats_query q = query(i % 2 == 0 ? NW_STATS_MEAN : NW_STATS_VARIANCE, 1, 10.0, 50.0);
        const double delta = i / 6 % 2 == 0 ? 0.0 : 1e-6;
        nw_stats *stats = make(&q, 1, options(epsilons[i / 2 % 3], delta, i / 12 == 0 ? NW_ADD_REMOVE : NW_REPLACE_ONE));
        for (int shape = 0; shape < 5; shape++)
            for (size_t k = 0; k < 5; k++)
                check_box(stats, sizes[k], shape);
        nw_stats_free(stats);
    }
}

/* An interval that is right because it is everything would pass the test above: for many records it is near first order. */
static void figure__errors_are_not_much_wider_than_first_order(void **state)
{
    (void)state;
    for (nw_stats_kind kind = NW_STATS_MEAN; kind <= NW_STATS_VARIANCE; kind++) {
        const nw_stats_query q = query(kind, 1, 0.0, 1.0);
        nw_stats *stats = make(&q, 1, options(1.0, 1e-6, NW_ADD_REMOVE));
        const nw__query *made = &stats->queries[0];
        nw_stats_figure f;
        int64_t records = 1000000;
        stats->totals[made->totals[0].first] = records;
        stats->totals[made->totals[1].first] = records << -made->totals[1].grid.exponent >> 2; /* the mean is 3/4 */
        stats->has_figures = true;
        assert_int_equal(nw_stats_get(stats, 0, 0, &f, NULL), NW_OK);
        /* risk / 3 of a Gaussian is beyond 3.6 deviations; three terms add up to sqrt(3) times their root of squares at most */
        assert_true(f.error > 3.0 * f.standard_error && f.error < 3.7 * sqrt(3.0) * f.standard_error);
        assert_true(nw_stats_expected_error(stats, 0, (double)records) >= f.error);
        nw_stats_free(stats);
    }
}

/* All figures of a release share the risk, and each its own between its totals. */
static void stats_new__figures_share_the_risk(void **state)
{
    (void)state;
    const nw_stats_query q[2] = { query(NW_STATS_COUNT, 3, 0, 0), query(NW_STATS_MEAN, 7, 0, 1) };
    nw_stats_opts o = options(2.0, 0.0, NW_ADD_REMOVE);
    assert_true(o.confidence == NW_STATS_CONFIDENCE);
    o.confidence = 0.9;
    nw_stats *stats = make(q, 2, o);
    const double scales[2] = { 1.0, 2.0 };
    for (size_t i = 0; i < 2; i++) {
        const double risk = 0.1 / 10.0 / (i == 0 ? 1.0 : 2.0);
        const int k = (int)stats->queries[i].totals[0].reach;
        assert_true(plain_tail(NW_NOISE_DISCRETE_LAPLACE, scales[i], k) <= risk);
        assert_true(plain_tail(NW_NOISE_DISCRETE_LAPLACE, scales[i], k - 1) > risk);
    }
    assert_true(nw_stats_expected_error(stats, 0, 0) == stats->queries[0].totals[0].reach);
    nw_stats_free(stats);
    const double bad[] = { 0.49, 1.0, -1.0, (double)NAN };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        nw_error err;
        o.confidence = bad[i];
        assert_int_equal(nw_stats_new(&stats, q, 2, &o, &err), NW_E_ARG);
        assert_non_null(strstr(err.message, "confidence is"));
    }
}

/* The probability that the chosen cell of `counts` is farther off than `ranks`, from the weights of all cells. */
static double chance_beyond(const nw_stats *stats, const int64_t *counts, double ranks)
{
    const nw__query *q = &stats->queries[0];
    const size_t cells = q->choice.cells;
    double all = 0.0, beyond = 0.0, below = 0.0, n = 0.0;
    int64_t *scores = calloc(cells, sizeof *scores);
    assert_non_null(scores);
    nw__choice_scores(&q->choice, counts, scores);
    for (size_t c = 0; c < cells; c++)
        n += (double)counts[c];
    const double wanted = q->asked.kind == NW_STATS_MIN ? 0.0 : q->asked.kind == NW_STATS_MAX ? n : q->asked.rank * n;
    for (size_t c = 0; c < cells; c++) {
        const double upto = below + (double)counts[c];
        const double weight = exp(ldexp((double)q->choice.rate, -48) * (double)scores[c]);
        all += weight;
        beyond += fmax(below - wanted, wanted - upto) > ranks ? weight : 0.0;
        below = upto;
    }
    free(scores);
    return beyond / all;
}

static void choice__ranks_are_within_the_error_but_for_the_risk(void **state)
{
    (void)state;
    enum { CHOICE_CELLS = 64 };
    int64_t counts[CHOICE_CELLS];
    for (int kind = 0; kind < 4; kind++)
        for (int shape = 0; shape < 3; shape++) {
            nw_stats_query q = query(kind < 2 ? NW_STATS_QUANTILE : kind == 2 ? NW_STATS_MIN : NW_STATS_MAX, 1, 0.0, 1.0);
            q.cells = CHOICE_CELLS;
            q.rank = kind == 0 ? 0.5 : 0.9;
            nw_stats_opts o = options(0.5, 0.0, NW_ADD_REMOVE);
            o.confidence = 0.9;
            nw_stats *stats = make(&q, 1, o);
            for (size_t c = 0; c < CHOICE_CELLS; c++)
                counts[c] = shape == 0 ? 10 : shape == 1 ? (c == 40 ? 3 : 0) : c < 20 || c > 50 ? 0 : (int64_t)(c * c % 37);
            if (shape != 1) /* with 3 records no rank of min and max is wanted that they have */
                assert_true(chance_beyond(stats, counts, nw_stats_expected_error(stats, 0, 0)) <= 0.1);
            else
                assert_true(chance_beyond(stats, counts, nw_stats_expected_error(stats, 0, 0)) == 0.0);
            if (shape == 0 && kind >= 2) /* a tenth of it would not do */
                assert_true(chance_beyond(stats, counts, 0.1 * nw_stats_expected_error(stats, 0, 0)) > 0.1);
            nw_stats_free(stats);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stats_reach__is_the_least_distance_of_that_risk),
        cmocka_unit_test(figure__truth_is_within_the_error_for_all_noise_within_reach),
        cmocka_unit_test(figure__errors_are_not_much_wider_than_first_order),
        cmocka_unit_test(stats_new__figures_share_the_risk),
        cmocka_unit_test(choice__ranks_are_within_the_error_but_for_the_risk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
