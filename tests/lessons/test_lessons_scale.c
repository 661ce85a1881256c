/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_lessons_scale.c - defects of distributed releases, each as a test: noise that every worker adds (pytorch/opacus#191: once
 * for each, and so N-fold in the sum), noise that nobody adds (NVIDIA/NVFlare#343: clipped values went out as they were). The
 * defects are rebuilt and have to show; ours has one noise, whatever the number of processes, and one charge. */
#include "team.h"

#include <math.h>
#include <noisewright.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { GROUPS = 1 << 14 };

/* Counts of groups, of which group g has g % 7 records, spread over the processes; and what a release made of them. */
typedef struct job {
    double noise[GROUPS]; /* what was released, less the truth */
    double deviation;     /* as planned, of one release */
    size_t charges;
    bool is_whole;
    bool is_by_each; /* the defect: every process releases its part, and the parts are added up */
    pthread_mutex_t lock;
} job;

static size_t records_of(size_t group)
{
    return group % 7;
}

static nw_status open_counts(nw_stats **stats, size_t rank, size_t size, nw_error *err)
{
    nw_stats_query query = NW_STATS_QUERY_INIT;
    nw_stats_opts o = NW_STATS_OPTS_INIT;
    query.kind = NW_STATS_COUNT;
    query.groups = GROUPS;
    o.epsilon = 1.0;
    o.delta = 0.0;
    o.adjacency = NW_ADD_REMOVE;
    nw_status status = nw_stats_new(stats, &query, 1, &o, err);
    for (uint32_t g = 0; status == NW_OK && g < GROUPS; g++)
        for (size_t k = 0; status == NW_OK && k < records_of(g); k++)
            status = (g + k) % size == rank ? nw_stats_add(*stats, 0, &g, NULL, 1, err) : NW_OK;
    return status;
}

static nw_status release(job *j, nw_stats *stats, uint64_t seed, nw_error *err)
{
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    nw_ledger *ledger = NULL;
    nw_rng *rng = NULL;
    nw_ledger_summary summary = { 0 };
    o.epsilon = 1.0;
    o.delta = 1e-9;
    o.filter = NW_FILTER_PURE;
    o.adjacency = NW_ADD_REMOVE;
    nw_status status = nw_ledger_memory(&ledger, &o, err);
    if (status == NW_OK)
        status = nw_rng_new_insecure_seeded(&rng, seed, err);
    if (status == NW_OK)
        status = nw_stats_release(stats, rng, ledger, "counts", NULL, err);
    if (status == NW_OK)
        status = nw_ledger_summarise(ledger, &summary, err);
    pthread_mutex_lock(&j->lock);
    for (size_t g = 0; status == NW_OK && g < GROUPS; g++) {
        nw_stats_figure figure;
        status = nw_stats_get(stats, 0, g, &figure, err);
        j->noise[g] += figure.value;
    }
    j->charges += (size_t)summary.charges;
    j->is_whole &= status == NW_OK;
    pthread_mutex_unlock(&j->lock);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
    return status;
}

static void run(team_member *m)
{
    job *j = m->context;
    nw_stats *stats = NULL;
    nw_error err;
    nw_status status = nw_reduce_agree(&m->reduce, open_counts(&stats, m->reduce.rank, m->reduce.size, &err), &err);
    if (status == NW_OK && m->reduce.rank == 0)
        j->deviation = nw_stats_get_plan(stats, 0).noise[0];
    if (status == NW_OK && !j->is_by_each)
        status = nw_stats_reduce(stats, &m->reduce, &err);
    if (status == NW_OK && (j->is_by_each || m->reduce.rank == 0))
        status = release(j, stats, 5 + m->reduce.rank, &err);
    nw_stats_free(stats);
}

static void run_job(job *j, size_t processes, bool is_by_each)
{
    bool has_run;
    *j = (job){ .is_whole = true, .is_by_each = is_by_each };
    assert_int_equal(pthread_mutex_init(&j->lock, NULL), 0);
    team_run(processes, run, j, 0, TEAM_NEVER, &has_run);
    pthread_mutex_destroy(&j->lock);
    assert_true(has_run && j->is_whole);
    for (size_t g = 0; g < GROUPS; g++)
        j->noise[g] -= (double)records_of(g);
}

/* Whether the values are one draw each: their mean square over the planned variance is 1 but for chance. The square of a Laplace
 * variable has a variance of 5 squares of its mean, and 6.2 standard deviations are exceeded with probability 1e-9: 0.108 here,
 * so any other number of draws shows, 0 and 2 among them. */
static bool is_noise_of_one(const double *noise, double deviation)
{
    double sum = 0.0;
    for (size_t g = 0; g < GROUPS; g++)
        sum += noise[g] * noise[g];
    return fabs(sum / GROUPS / (deviation * deviation) - 1.0) < 6.2 * sqrt(5.0 / GROUPS);
}

static void opacus_191__noise_is_added_once_whatever_the_number_of_processes(void **state)
{
    (void)state;
    static job one;
    static job many;
    run_job(&one, 1, false);
    assert_true(is_noise_of_one(one.noise, one.deviation));
    for (size_t n = 2; n <= 8; n *= 2) {
        run_job(&many, n, false);
        assert_true(is_noise_of_one(many.noise, many.deviation));
        assert_memory_equal(many.noise, one.noise, sizeof one.noise);
        assert_int_equal(many.charges, 1);
        run_job(&many, n, true); /* the defect */
        assert_false(is_noise_of_one(many.noise, many.deviation));
        assert_int_equal(many.charges, n);
    }
}

static void nvflare_343__what_goes_out_has_noise(void **state)
{
    (void)state;
    static job j;
    for (size_t n = 1; n <= 8; n *= 2) {
        double untouched = 0.0;
        run_job(&j, n, false);
        for (size_t g = 0; g < GROUPS; g++)
            untouched += j.noise[g] == 0.0;
        /* of a discrete Laplace law of scale 1 a draw is 0 with probability (e - 1) / (e + 1) = 0.462, give or take 0.004 */
        assert_true(untouched > 0.43 * GROUPS && untouched < 0.49 * GROUPS);
    }
    memset(j.noise, 0, sizeof j.noise); /* the defect */
    assert_false(is_noise_of_one(j.noise, j.deviation));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opacus_191__noise_is_added_once_whatever_the_number_of_processes),
        cmocka_unit_test(nvflare_343__what_goes_out_has_noise),
    };
    return cmocka_run_group_tests_name("lessons_scale", tests, NULL, NULL);
}
