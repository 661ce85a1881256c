/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_ledger.c - budgets, filters, receipts, handles. Files that someone touched: test_ledger_files.c; crashes and races:
 * ledger_crash.c. */
#include "ledger_support.h"

static void ledger__lets_through_exactly_the_budget(void **state)
{
    (void)state;
    const double mu = nw__budget_mu(1.0, 1e-9);
    nw_ledger_opts o = options(1.0, 1e-9, NW_FILTER_AUTO);
    nw_ledger *ledger = NULL;
    nw_error err;
    assert_int_equal(nw_ledger_memory(&ledger, &o, NULL), NW_OK);
    for (int i = 0; i < 100; i++) /* a hundred releases of a hundredth of mu^2 */
        assert_int_equal(charge(ledger, mu / 10.0 * (1.0 - 1e-12), NULL), NW_OK);
    const nw_ledger_summary s = summary_of(ledger);
    assert_int_equal(s.charges, 100);
    assert_true(s.spent_epsilon <= 1.0 && s.spent_epsilon > 0.999);
    assert_true(s.remaining_epsilon < 1e-3 && s.used_fraction > 0.999);
    assert_int_equal(charge(ledger, mu / 10.0, &err), NW_E_BUDGET);
    assert_non_null(strstr(err.message, "over the budget"));
    assert_int_equal(summary_of(ledger).charges, 100);
    nw_ledger_close(ledger);
}

static void ledger__pure_filter_adds_epsilons(void **state)
{
    (void)state;
    nw_ledger_opts o = options(1.0, 0.0, NW_FILTER_AUTO);
    nw_ledger *ledger = NULL;
    nw_event *e = NULL;
    nw_event *gaussian = NULL;
    nw_error err;
    assert_int_equal(nw_ledger_memory(&ledger, &o, NULL), NW_OK);
    assert_int_equal(summary_of(ledger).filter, NW_FILTER_PURE);
    assert_int_equal(nw_event_noise(&e, NW_EVENT_DISCRETE_LAPLACE, 4.0, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, 10, NULL), NW_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(nw_ledger_charge(ledger, e, "count", NULL, NULL, NULL), NW_OK);
    assert_true(fabs(summary_of(ledger).spent_epsilon - 0.75) < 1e-12);
    assert_true(fabs(summary_of(ledger).remaining_epsilon - 0.25) < 1e-12);
    assert_int_equal(summary_of(ledger).samples, 30);
    assert_int_equal(nw_event_gaussian(&gaussian, 1e6, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, NULL), NW_OK);
    assert_int_equal(nw_ledger_charge(ledger, gaussian, "no", NULL, NULL, &err), NW_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "pure"));
    nw_event_free(e);
    nw_event_free(gaussian);
    nw_ledger_close(ledger);
}

static void ledger__exact_sums_fill_a_pure_budget(void **state)
{
    (void)state;
    const double parts[] = { 0.25, 0.5, 0.25 };
    nw_ledger_opts o = options(1.0, 0.0, NW_FILTER_PURE);
    nw_ledger *ledger = NULL;
    nw_event *e = NULL;
    assert_int_equal(nw_ledger_memory(&ledger, &o, NULL), NW_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(nw_event_pure(&e, parts[i], NW_ADD_REMOVE, NULL), NW_OK);
        assert_int_equal(nw_ledger_charge(ledger, e, "part", NULL, NULL, NULL), NW_OK);
        nw_event_free(e);
    }
    assert_true(summary_of(ledger).spent_epsilon == 1.0 && summary_of(ledger).remaining_epsilon == 0.0);
    assert_int_equal(nw_event_pure(&e, 0x1p-60, NW_ADD_REMOVE, NULL), NW_OK);
    assert_int_equal(nw_ledger_charge(ledger, e, "more", NULL, NULL, NULL), NW_E_BUDGET); /* rounded up, not away */
    nw_event_free(e);
    nw_ledger_close(ledger);
}

static void ledger__zcdp_filter_takes_what_gdp_cannot(void **state)
{
    (void)state;
    nw_event *discrete = NULL;
    nw_error err;
    assert_int_equal(
        nw_event_noise(&discrete, NW_EVENT_DISCRETE_GAUSSIAN, 50.0, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, 10, NULL), NW_OK);
    for (int zcdp = 0; zcdp < 2; zcdp++) {
        nw_ledger_opts o = options(1.0, 1e-9, zcdp ? NW_FILTER_ZCDP : NW_FILTER_GDP);
        nw_ledger *ledger = NULL;
        assert_int_equal(nw_ledger_memory(&ledger, &o, NULL), NW_OK);
        assert_int_equal(nw_ledger_charge(ledger, discrete, "d", NULL, NULL, &err), zcdp ? NW_OK : NW_E_UNSUPPORTED);
        if (!zcdp)
            assert_non_null(strstr(err.message, "zcdp"));
        nw_ledger_close(ledger);
    }
    nw_event_free(discrete);
}

static void ledger__approx_deltas_fit_into_the_reserve_only(void **state)
{
    (void)state;
    nw_ledger_opts o = options(1.0, 1e-6, NW_FILTER_GDP);
    nw_ledger *ledger = NULL;
    nw_event *small = NULL;
    nw_event *large = NULL;
    nw_error err;
    bool fits = true;
    assert_int_equal(nw_ledger_memory(&ledger, &o, NULL), NW_OK);
    assert_int_equal(nw_event_approx(&small, 0.01, 0.9e-6 * NW__DELTA_RESERVE, NW_ADD_REMOVE, NULL), NW_OK);
    assert_int_equal(nw_event_approx(&large, 0.01, 1.1e-6 * NW__DELTA_RESERVE, NW_ADD_REMOVE, NULL), NW_OK);
    assert_int_equal(nw_ledger_fits(ledger, large, &fits, NULL), NW_OK);
    assert_false(fits);
    assert_int_equal(nw_ledger_charge(ledger, large, "l", NULL, NULL, &err), NW_E_BUDGET);
    assert_int_equal(nw_ledger_fits(ledger, small, &fits, NULL), NW_OK);
    assert_true(fits);
    assert_int_equal(nw_ledger_charge(ledger, small, "s", NULL, NULL, NULL), NW_OK);
    assert_int_equal(nw_ledger_charge(ledger, small, "s", NULL, NULL, &err), NW_E_BUDGET);
    nw_event_free(small);
    nw_event_free(large);
    nw_ledger_close(ledger);
}

static void ledger_charge__writes_a_receipt(void **state)
{
    (void)state;
    fresh_path("receipt");
    nw_ledger_opts o = options(2.0, 1e-9, NW_FILTER_AUTO);
    nw_ledger *ledger = NULL;
    nw_event *e = gdp_event(nw_gdp_mu(0.5, 1e-9));
    nw_receipt r;
    o.unit = "one household";
    assert_int_equal(nw_ledger_create(&ledger, path, &o, NULL), NW_OK);
    assert_int_equal(nw_ledger_charge(ledger, e, "first", NULL, NULL, NULL), NW_OK);
    assert_int_equal(nw_ledger_charge(ledger, e, "second", NULL, &r, NULL), NW_OK);
    assert_true(fabs(r.epsilon - 0.5) < 1e-6 && r.epsilon >= 0.5 - 1e-9);
    assert_true(r.spent_epsilon > 0.7 && r.spent_epsilon < 0.72); /* two of mu are one of sqrt(2) mu */
    assert_true(r.delta == 1e-9 && r.sequence == 2 && r.is_durable && !r.is_insecure);
    assert_string_equal(r.unit, "one household");
    assert_string_equal(r.label, "second");
    assert_string_equal(r.method, "gdp");
    assert_string_equal(r.version, nw_version());
    assert_string_equal(r.head, summary_of(ledger).head);
    assert_memory_equal(r.head, "2:", 2);
    assert_int_equal(nw_ledger_verify(ledger, r.head, NULL), NW_OK);
    nw_event_free(e);
    nw_ledger_close(ledger);
}

static void ledger__survives_in_its_file(void **state)
{
    (void)state;
    fresh_path("file");
    nw_ledger_opts o = options(1.0, 1e-9, NW_FILTER_AUTO);
    nw_ledger *a = NULL;
    nw_ledger *b = NULL;
    nw_error err;
    const double mu = nw__budget_mu(1.0, 1e-9);
    assert_int_equal(nw_ledger_create(&a, path, &o, NULL), NW_OK);
    assert_int_equal(charge(a, 0.6 * mu, NULL), NW_OK);
    assert_int_equal(nw_ledger_open(&b, path, NULL), NW_OK); /* two handles, as of two processes */
    assert_int_equal(charge(b, 0.6 * mu, NULL), NW_OK);
    assert_int_equal(charge(a, 0.6 * mu, &err), NW_E_BUDGET); /* a sees what b has spent */
    assert_int_equal(summary_of(a).charges, 2);
    nw_ledger_close(a);
    nw_ledger_close(b);
    assert_int_equal(nw_ledger_open_readonly(&a, path, NULL), NW_OK);
    assert_int_equal(charge(a, 0.1 * mu, &err), NW_E_STATE);
    assert_int_equal(summary_of(a).charges, 2);
    assert_int_equal(nw_ledger_create(&b, path, &o, &err), NW_E_IO);
    assert_non_null(strstr(err.message, "exists"));
    nw_ledger_close(a);
}

static void ledger__refuses_bad_options_and_arguments(void **state)
{
    (void)state;
    nw_ledger *ledger = NULL;
    nw_rng *seeded = NULL;
    nw_event *e = gdp_event(0.01);
    nw_error err;
    const struct {
        double epsilon;
        double delta;
        nw_filter filter;
        const char *word;
    } cases[] = { { 0.0, 1e-9, NW_FILTER_AUTO, "epsilon" }, { -1.0, 1e-9, NW_FILTER_AUTO, "epsilon" },
        { (double)NAN, 1e-9, NW_FILTER_AUTO, "epsilon" }, { 1e9, 1e-9, NW_FILTER_AUTO, "epsilon" },
        { 1.0, -1.0, NW_FILTER_AUTO, "delta" }, { 1.0, 1.0, NW_FILTER_AUTO, "delta" }, { 1.0, 0.0, NW_FILTER_GDP, "pure" },
        { 1.0, 1e-9, (nw_filter)7, "filter" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nw_ledger_opts o = options(cases[i].epsilon, cases[i].delta, cases[i].filter);
        assert_int_equal(nw_ledger_memory(&ledger, &o, &err), NW_E_ARG);
        assert_non_null(strstr(err.message, cases[i].word));
        assert_null(ledger);
    }
    nw_ledger_opts o = options(1.0, 1e-9, NW_FILTER_AUTO);
    o.adjacency = NW_ADJACENCY_UNSET;
    assert_int_equal(nw_ledger_memory(&ledger, &o, &err), NW_E_ARG);
    o = options(1.0, 1e-9, NW_FILTER_AUTO);
    o.unit = NULL;
    assert_int_equal(nw_ledger_memory(&ledger, &o, &err), NW_E_ARG);
    o = options(1.0, 1e-9, NW_FILTER_AUTO);
    assert_int_equal(nw_ledger_create(&ledger, NULL, &o, &err), NW_E_ARG);
    fresh_path("insecure");
    assert_int_equal(nw_ledger_create(&ledger, path, &o, NULL), NW_OK);
    assert_int_equal(nw_rng_new_insecure_seeded(&seeded, 1, NULL), NW_OK);
    assert_int_equal(nw_ledger_charge(ledger, e, "x", seeded, NULL, &err), NW_E_STATE);
    assert_int_equal(nw_ledger_charge(NULL, e, "x", NULL, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_ledger_charge(ledger, NULL, "x", NULL, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_ledger_charge(ledger, e, NULL, NULL, NULL, &err), NW_E_ARG);
    char label[100];
    memset(label, 'x', sizeof label);
    label[99] = '\0';
    assert_int_equal(nw_ledger_charge(ledger, e, label, NULL, NULL, &err), NW_E_ARG);
    assert_int_equal(summary_of(ledger).charges, 0);
    nw_ledger_close(ledger);
    nw_ledger_close(NULL);
    nw_rng_free(seeded);
    nw_event_free(e);
}

static void ledger_unlimited__adds_up_and_refuses_nothing(void **state)
{
    (void)state;
    nw_ledger_opts o = options(0.0, 1e-9, NW_FILTER_AUTO);
    nw_ledger *ledger = NULL;
    assert_int_equal(nw_ledger_unlimited(&ledger, &o, NULL), NW_OK);
    for (int i = 0; i < 10; i++)
        assert_int_equal(charge(ledger, 3.0, NULL), NW_OK);
    assert_true(summary_of(ledger).is_unlimited && summary_of(ledger).spent_epsilon > 50.0);
    nw_ledger_close(ledger);
}

static void ledger__refuses_to_work_in_a_forked_child(void **state)
{
    (void)state;
    make_charged_ledger("forked", 1);
    nw_ledger *ledger = NULL;
    assert_int_equal(nw_ledger_open(&ledger, path, NULL), NW_OK);
    const pid_t pid = fork();
    if (pid == 0)
        _exit(charge(ledger, 0.1, NULL) == NW_E_STATE ? 0 : 1);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(charge(ledger, 0.1, NULL), NW_OK);
    nw_ledger_close(ledger);
}

typedef struct thread_job {
    nw_ledger *ledger;
    double mu;
    int granted;
} thread_job;

static void *charge_until_refused(void *context)
{
    thread_job *job = context;
    while (charge(job->ledger, job->mu, NULL) == NW_OK)
        job->granted++;
    return NULL;
}

static void ledger_charge__threads_share_one_budget(void **state)
{
    (void)state;
    enum { THREADS = 4, GRANTS = 100 };
    nw_ledger_opts o = options(1.0, 1e-9, NW_FILTER_AUTO);
    nw_ledger *ledger = NULL;
    pthread_t threads[THREADS];
    thread_job jobs[THREADS];
    int granted = 0;
    assert_int_equal(nw_ledger_memory(&ledger, &o, NULL), NW_OK);
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (thread_job){ ledger, nw__budget_mu(1.0, 1e-9) / sqrt(GRANTS) * (1.0 - 1e-12), 0 };
        assert_int_equal(pthread_create(&threads[i], NULL, charge_until_refused, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        granted += jobs[i].granted;
    }
    assert_int_equal(granted, GRANTS);
    nw_ledger_close(ledger);
}

typedef struct seen {
    uint64_t count;
    uint64_t stop_after;
} seen;

static bool see(void *context, const nw_ledger_entry *entry)
{
    seen *s = context;
    nw_event *event = NULL;
    assert_int_equal(entry->sequence, ++s->count);
    assert_int_equal(nw_event_from_json(&event, entry->event_json, NULL), NW_OK);
    nw_event_free(event);
    return s->count < s->stop_after;
}

static void ledger_each__visits_in_order_until_told_to_stop(void **state)
{
    (void)state;
    nw_ledger *ledger = NULL;
    seen all = { 0, 100 };
    seen two = { 0, 2 };
    make_charged_ledger("each", 5);
    assert_int_equal(nw_ledger_open_readonly(&ledger, path, NULL), NW_OK);
    assert_int_equal(nw_ledger_each(ledger, see, &all, NULL), NW_OK);
    assert_int_equal(all.count, 5);
    assert_int_equal(nw_ledger_each(ledger, see, &two, NULL), NW_OK);
    assert_int_equal(two.count, 2);
    assert_int_equal(nw_ledger_each(ledger, NULL, &two, NULL), NW_E_ARG);
    nw_ledger_close(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ledger__lets_through_exactly_the_budget),
        cmocka_unit_test(ledger__pure_filter_adds_epsilons),
        cmocka_unit_test(ledger__exact_sums_fill_a_pure_budget),
        cmocka_unit_test(ledger__zcdp_filter_takes_what_gdp_cannot),
        cmocka_unit_test(ledger__approx_deltas_fit_into_the_reserve_only),
        cmocka_unit_test(ledger_charge__writes_a_receipt),
        cmocka_unit_test(ledger__survives_in_its_file),
        cmocka_unit_test(ledger__refuses_bad_options_and_arguments),
        cmocka_unit_test(ledger_unlimited__adds_up_and_refuses_nothing),
        cmocka_unit_test(ledger__refuses_to_work_in_a_forked_child),
        cmocka_unit_test(ledger_charge__threads_share_one_budget),
        cmocka_unit_test(ledger_each__visits_in_order_until_told_to_stop),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
