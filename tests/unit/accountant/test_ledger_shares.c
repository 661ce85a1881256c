/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_ledger_shares.c - reservations, groups, the renyi filter, and files of the first format. */
#include "ledger_support.h"

#include <sodium.h>

static nw_event *pure_event(double epsilon)
{
    nw_event *e = NULL;
    assert_int_equal(nw_event_pure(&e, epsilon, NW_ADD_REMOVE, NULL), NW_OK);
    return e;
}

static nw_ledger *pure_ledger(const char *name, double epsilon)
{
    nw_ledger_opts o = options(epsilon, 0.0, NW_FILTER_PURE);
    nw_ledger *ledger = NULL;
    fresh_path(name);
    assert_int_equal(nw_ledger_create(&ledger, path, &o, NULL), NW_OK);
    return ledger;
}

static nw_status charge_pure(nw_ledger *ledger, const char *group, double epsilon, nw_error *err)
{
    nw_event *e = pure_event(epsilon);
    const nw_status status = nw_ledger_charge_group(ledger, group, e, "test", NULL, NULL, err);
    nw_event_free(e);
    return status;
}

static nw_status reserve_pure(nw_ledger *ledger, const char *group, double epsilon, uint64_t steps, uint64_t *out, nw_error *err)
{
    nw_event *e = pure_event(epsilon);
    const nw_status status = nw_ledger_reserve(ledger, group, e, steps, "training", NULL, out, NULL, err);
    nw_event_free(e);
    return status;
}

static void assert_spent(nw_ledger *ledger, double epsilon)
{
    nw_ledger *other = NULL;
    assert_true(summary_of(ledger).spent_epsilon == epsilon);
    assert_int_equal(nw_ledger_verify(ledger, NULL, NULL), NW_OK);
    assert_true(summary_of(ledger).spent_epsilon == epsilon); /* computed again from the rows */
    assert_int_equal(nw_ledger_open_readonly(&other, path, NULL), NW_OK);
    assert_true(summary_of(other).spent_epsilon == epsilon);
    nw_ledger_close(other);
}

static void ledger_reserve__charges_all_steps_and_commit_gives_back_the_unused(void **state)
{
    (void)state;
    nw_ledger *ledger = pure_ledger("reserve", 1.0);
    uint64_t r = 0;
    nw_receipt receipt;
    nw_error err;
    assert_int_equal(charge_pure(ledger, NULL, 0.125, NULL), NW_OK);
    assert_int_equal(reserve_pure(ledger, NULL, 0x1p-5, 24, &r, NULL), NW_OK);
    assert_int_equal(r, 2);
    assert_spent(ledger, 0.875);
    assert_int_equal(summary_of(ledger).reservations, 1);
    assert_int_equal(charge_pure(ledger, NULL, 0.25, &err), NW_E_BUDGET); /* reserved is spent */
    assert_int_equal(nw_ledger_commit(ledger, r, 25, NULL, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "at most the 24"));
    assert_int_equal(nw_ledger_commit(ledger, r, 8, &receipt, NULL), NW_OK);
    assert_true(receipt.epsilon == 0.25 && receipt.spent_epsilon == 0.375 && receipt.steps == 8 && receipt.sequence == 3);
    assert_string_equal(receipt.label, "training");
    assert_spent(ledger, 0.375);
    assert_int_equal(summary_of(ledger).reservations, 0);
    assert_int_equal(summary_of(ledger).charges, 2);
    assert_int_equal(nw_ledger_commit(ledger, r, 0, NULL, &err), NW_E_ARG); /* once */
    assert_int_equal(nw_ledger_commit(ledger, 1, 0, NULL, &err), NW_E_ARG); /* a plain charge is none */
    assert_int_equal(nw_ledger_commit(ledger, 77, 0, NULL, &err), NW_E_ARG);
    assert_int_equal(charge_pure(ledger, NULL, 0.625, NULL), NW_OK); /* what was given back can be spent */
    assert_spent(ledger, 1.0);
    nw_ledger_close(ledger);
}

static void ledger_reserve__stands_after_a_crash_and_can_be_committed_by_number(void **state)
{
    (void)state;
    nw_ledger *ledger = pure_ledger("later", 1.0);
    nw_ledger *other = NULL;
    uint64_t first = 0;
    uint64_t second = 0;
    assert_int_equal(reserve_pure(ledger, NULL, 0.125, 4, &first, NULL), NW_OK);
    assert_int_equal(reserve_pure(ledger, NULL, 0.0625, 4, &second, NULL), NW_OK);
    nw_ledger_close(ledger); /* as if the job had died */
    assert_int_equal(nw_ledger_open(&ledger, path, NULL), NW_OK);
    assert_int_equal(nw_ledger_open(&other, path, NULL), NW_OK);
    assert_spent(ledger, 0.75);
    assert_int_equal(nw_ledger_commit(ledger, first, 1, NULL, NULL), NW_OK);
    assert_int_equal(nw_ledger_commit(other, first, 0, NULL, NULL), NW_E_ARG); /* another process sees that it was committed */
    assert_int_equal(nw_ledger_commit(other, second, 0, NULL, NULL), NW_OK);
    assert_spent(ledger, 0.125);
    nw_ledger_close(ledger);
    nw_ledger_close(other);
}

static void ledger_reserve__refuses_what_does_not_fit_or_makes_no_sense(void **state)
{
    (void)state;
    nw_ledger *ledger = pure_ledger("refuse", 1.0);
    nw_event *e = pure_event(0.25);
    nw_receipt receipt;
    uint64_t r = 7;
    nw_error err;
    assert_int_equal(reserve_pure(ledger, NULL, 0.25, 5, &r, &err), NW_E_BUDGET);
    assert_int_equal(r, 0);
    assert_int_equal(reserve_pure(ledger, NULL, 0.25, 0, &r, &err), NW_E_ARG);
    assert_int_equal(reserve_pure(ledger, NULL, 0.25, (uint64_t)1 << 62, &r, &err), NW_E_BUDGET);
    assert_int_equal(reserve_pure(ledger, NULL, 0.25, UINT64_MAX, &r, &err), NW_E_ARG);
    assert_int_equal(reserve_pure(ledger, "nobody", 0.25, 1, &r, &err), NW_E_ARG);
    assert_int_equal(nw_ledger_reserve(ledger, NULL, e, 1, "x", NULL, NULL, &receipt, &err), NW_E_ARG);
    assert_int_equal(nw_ledger_reserve(NULL, NULL, e, 1, "x", NULL, &r, &receipt, &err), NW_E_ARG);
    assert_int_equal(nw_ledger_reserve(ledger, NULL, NULL, 1, "x", NULL, &r, &receipt, &err), NW_E_ARG);
    assert_int_equal(nw_ledger_commit(NULL, 1, 0, NULL, &err), NW_E_ARG);
    assert_int_equal(summary_of(ledger).charges, 0);
    nw_event_free(e);
    nw_ledger_close(ledger);
}

/* Samples of the noise are counted for a reservation as for a charge, and given back with it. */
static void ledger_reserve__counts_the_samplers_distance(void **state)
{
    (void)state;
    nw_ledger_opts o = options(1.0, 1e-9, NW_FILTER_AUTO);
    nw_ledger *ledger = NULL;
    nw_event *e = NULL;
    uint64_t r = 0;
    assert_int_equal(nw_ledger_memory(&ledger, &o, NULL), NW_OK);
    assert_int_equal(
        nw_event_noise(&e, NW_EVENT_ROUNDED_GAUSSIAN, 1000.0, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, 30, NULL), NW_OK);
    assert_int_equal(nw_ledger_add_group(ledger, "g", 0.5, 1e-9, NULL), NW_OK);
    assert_int_equal(nw_ledger_reserve(ledger, "g", e, 100, "x", NULL, &r, NULL, NULL), NW_OK);
    assert_int_equal(summary_of(ledger).samples, 3000);
    assert_int_equal(nw_ledger_commit(ledger, r, 10, NULL, NULL), NW_OK);
    assert_int_equal(summary_of(ledger).samples, 300);
    nw_event_free(e);
    nw_ledger_close(ledger);
}

static void ledger_group__is_held_to_its_share_and_to_the_whole(void **state)
{
    (void)state;
    nw_ledger *ledger = pure_ledger("groups", 1.0);
    nw_ledger_summary s;
    nw_error err;
    uint64_t r = 0;
    assert_int_equal(nw_ledger_add_group(ledger, "team.a", 0.5, 0.0, NULL), NW_OK);
    assert_int_equal(nw_ledger_add_group(ledger, "team.b", 0.75, 0.0, NULL), NW_OK);
    assert_int_equal(charge_pure(ledger, "team.a", 0.25, NULL), NW_OK);
    assert_int_equal(charge_pure(ledger, "team.a", 0.375, &err), NW_E_BUDGET); /* over the share */
    assert_non_null(strstr(err.message, "group team.a"));
    assert_int_equal(charge_pure(ledger, NULL, 0.375, NULL), NW_OK);
    assert_int_equal(charge_pure(ledger, "team.b", 0.5, &err), NW_E_BUDGET); /* within the share, over the whole */
    assert_null(strstr(err.message, "group"));
    assert_int_equal(reserve_pure(ledger, "team.b", 0.125, 3, &r, NULL), NW_OK);
    assert_int_equal(nw_ledger_summarise_group(ledger, "team.b", &s, NULL), NW_OK);
    assert_true(s.spent_epsilon == 0.375 && s.remaining_epsilon == 0.0 && s.reservations == 1 && s.used_fraction <= 0.5000001);
    assert_spent(ledger, 1.0);
    assert_int_equal(nw_ledger_commit(ledger, r, 1, NULL, NULL), NW_OK);
    assert_int_equal(nw_ledger_summarise_group(ledger, "team.b", &s, NULL), NW_OK);
    assert_true(s.spent_epsilon == 0.125 && s.budget_epsilon == 0.75 && s.charges == 1);
    assert_true(fabs(s.remaining_epsilon - 0.25) < 1e-12); /* of the whole: less than what is left of the share */
    assert_spent(ledger, 0.75);
    assert_int_equal(nw_ledger_summarise_group(ledger, "team.c", &s, &err), NW_E_ARG);
    assert_int_equal(charge_pure(ledger, "team.c", 0.01, &err), NW_E_ARG);
    assert_int_equal(summary_of(ledger).groups, 2);
    nw_ledger_close(ledger);
}

static void ledger_add_group__refuses_bad_names_and_shares(void **state)
{
    (void)state;
    nw_ledger_opts o = options(1.0, 1e-9, NW_FILTER_AUTO);
    nw_ledger *ledger = NULL;
    nw_error err;
    char long_name[100];
    memset(long_name, 'x', sizeof long_name);
    long_name[99] = '\0';
    assert_int_equal(nw_ledger_memory(&ledger, &o, NULL), NW_OK);
    const char *const names[] = { "", "two words", "a\"b", "a\nb", "\xc3\xa9", long_name };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(nw_ledger_add_group(ledger, names[i], 0.5, 1e-9, &err), NW_E_ARG);
    assert_int_equal(nw_ledger_add_group(ledger, NULL, 0.5, 1e-9, &err), NW_E_ARG);
    assert_int_equal(nw_ledger_add_group(NULL, "a", 0.5, 1e-9, &err), NW_E_ARG);
    const double shares[][2] = { { 0.0, 1e-9 }, { 1.5, 1e-9 }, { (double)NAN, 1e-9 }, { 0.5, 0.0 }, { 0.5, 1e-8 }, { 0.5, -1.0 },
        { 0.5, (double)NAN } };
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
        assert_int_equal(nw_ledger_add_group(ledger, "a", shares[i][0], shares[i][1], &err), NW_E_ARG);
    assert_int_equal(nw_ledger_add_group(ledger, "a", 0.5, 1e-9, NULL), NW_OK);
    assert_int_equal(nw_ledger_add_group(ledger, "a", 0.5, 1e-9, &err), NW_E_ARG);
    nw_ledger_close(ledger);
    assert_int_equal(nw_ledger_unlimited(&ledger, &o, NULL), NW_OK);
    assert_int_equal(nw_ledger_add_group(ledger, "a", 0.5, 1e-9, &err), NW_E_STATE);
    nw_ledger_close(ledger);
}

/* Steps of DP-SGD, which no other filter takes: as many as the divergence of the integer order 8 allows, by its binomial sum. */
static void ledger_renyi__takes_subsampled_gaussians(void **state)
{
    (void)state;
    const double q = 0.01;
    long double moment = 0.0L; /* E ((1 - q) + q e^(x - 1/2))^8, x ~ N(0, 1): sum of C(8, k) (1-q)^(8-k) q^k e^(k (k-1) / 2) */
    long double choose = 1.0L;
    for (int k = 0; k <= 8; k++) {
        moment += choose * powl(1.0L - q, 8 - k) * powl(q, k) * expl(0.5L * k * (k - 1));
        choose = choose * (8 - k) / (k + 1);
    }
    const double step = (double)(logl(moment) / 7.0L);
    const double allowed = 2.0 - log1p(-1.0 / 8.0) + (log(1e-5 * (1.0 - 0x1p-10)) + log(8.0)) / 7.0;
    const uint64_t most = (uint64_t)floor(allowed / step);
    nw_event *gaussian = NULL;
    nw_event *sampled = NULL;
    nw_error err;
    assert_int_equal(nw_event_gaussian(&gaussian, 1.0, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, NULL), NW_OK);
    assert_int_equal(nw_event_poisson_subsampled(&sampled, q, gaussian, NULL), NW_OK);
    for (nw_filter filter = NW_FILTER_GDP; filter <= NW_FILTER_RENYI; filter++) {
        nw_ledger_opts o = options(2.0, 1e-5, filter);
        nw_ledger *ledger = NULL;
        uint64_t r = 0;
        o.order = filter == NW_FILTER_RENYI ? 8.0 : 0.0;
        assert_int_equal(nw_ledger_memory(&ledger, &o, NULL), NW_OK);
        if (filter == NW_FILTER_RENYI) {
            assert_true(most > 100);
            assert_int_equal(nw_ledger_reserve(ledger, NULL, sampled, most + 1, "x", NULL, &r, NULL, NULL), NW_E_BUDGET);
            assert_int_equal(nw_ledger_reserve(ledger, NULL, sampled, most - 1, "x", NULL, &r, NULL, NULL), NW_OK);
            assert_int_equal(nw_ledger_charge(ledger, sampled, "last", NULL, NULL, NULL), NW_OK);
            assert_int_equal(nw_ledger_charge(ledger, sampled, "over", NULL, NULL, NULL), NW_E_BUDGET);
        } else {
            assert_int_equal(nw_ledger_charge(ledger, sampled, "x", NULL, NULL, &err), NW_E_UNSUPPORTED);
            assert_non_null(strstr(err.message, "--filter renyi"));
        }
        nw_ledger_close(ledger);
    }
    nw_event_free(gaussian);
    nw_event_free(sampled);
}

/* The largest number of Gaussian releases by the conversion written out here; the discrete Gaussian is not refused. */
static void ledger_renyi__lets_through_what_its_order_allows(void **state)
{
    (void)state;
    const double order = 16.0;
    const double sigma = 20.0;
    const double delta = 1e-6 * (1.0 - 0x1p-10);
    const double allowed = 2.0 - log1p(-1.0 / order) + (log(delta) + log(order)) / (order - 1.0);
    const uint64_t most = (uint64_t)floor(allowed / (order / (2.0 * sigma * sigma)) * (1.0 - 1e-12));
    nw_ledger_opts o = options(2.0, 1e-6, NW_FILTER_RENYI);
    nw_ledger *ledger = NULL;
    nw_event *e = NULL;
    nw_error err;
    uint64_t r = 0;
    assert_int_equal(nw_ledger_memory(&ledger, &o, &err), NW_E_ARG); /* no order */
    assert_non_null(strstr(err.message, "order"));
    o.order = order;
    fresh_path("renyi");
    assert_int_equal(nw_ledger_create(&ledger, path, &o, NULL), NW_OK);
    assert_int_equal(
        nw_event_noise(&e, NW_EVENT_DISCRETE_GAUSSIAN, sigma, (nw_sensitivity){ 1.0, NW_ADD_REMOVE }, 1, NULL), NW_OK);
    assert_true(most > 20);
    assert_int_equal(nw_ledger_reserve(ledger, NULL, e, most + 1, "x", NULL, &r, NULL, &err), NW_E_BUDGET);
    assert_int_equal(nw_ledger_reserve(ledger, NULL, e, most - 1, "x", NULL, &r, NULL, NULL), NW_OK);
    nw_ledger_close(ledger);
    assert_int_equal(nw_ledger_open(&ledger, path, NULL), NW_OK);
    assert_int_equal(nw_ledger_charge(ledger, e, "last", NULL, NULL, NULL), NW_OK);
    assert_int_equal(nw_ledger_charge(ledger, e, "over", NULL, NULL, &err), NW_E_BUDGET);
    const nw_ledger_summary s = summary_of(ledger);
    assert_true(s.filter == NW_FILTER_RENYI && s.order == order && s.spent_epsilon <= 2.0 && s.spent_epsilon > 1.9);
    nw_event_free(e);
    nw_ledger_close(ledger);
    o.order = 1.0;
    assert_int_equal(nw_ledger_memory(&ledger, &o, &err), NW_E_ARG);
    o.order = 1.01; /* lets nothing through at this delta */
    assert_int_equal(nw_ledger_memory(&ledger, &o, &err), NW_E_ARG);
    o = options(2.0, 1e-6, NW_FILTER_GDP);
    o.order = 16.0;
    assert_int_equal(nw_ledger_memory(&ledger, &o, &err), NW_E_ARG);
}

/* The chain of format 1, written out again: lengths before fields, numbers in decimal. */
static void hash_field(crypto_generichash_state *h, const char *text)
{
    const uint8_t length[8] = { (uint8_t)strlen(text) };
    crypto_generichash_update(h, length, sizeof length);
    crypto_generichash_update(h, (const uint8_t *)text, strlen(text));
}

static void hash_double(crypto_generichash_state *h, double x, char out[17])
{
    uint64_t bits = 0;
    char text[24];
    memcpy(&bits, &x, sizeof bits);
    snprintf(text, sizeof text, "%llu", (unsigned long long)bits);
    snprintf(out, 17, "%016llx", (unsigned long long)bits);
    hash_field(h, text);
}

/* A file of format 1 with one charge of 0.25, made by SQL alone; epsilon 1, delta 0, pure. */
static void make_version_1(const char *name)
{
    static const uint8_t id[32] = { 1, 2, 3 };
    static const char event[] =
        "{\"format\": \"noisewright-event\", \"version\": 1, \"event\": {\"type\": \"pure\", \"epsilon\": "
        "\"0x1p-2\", \"adjacency\": \"add_remove\"}}";
    crypto_generichash_state h;
    uint8_t mac[2][16];
    char mac_text[2][33];
    char numbers[2][17];
    char id_text[65];
    char sql[4096];
    sqlite3 *db = NULL;
    const uint8_t sixteen[8] = { 16 };
    assert_true(sodium_init() >= 0);
    crypto_generichash_init(&h, id, sizeof id, 16);
    hash_field(&h, "noisewright ledger header 1");
    hash_double(&h, 1.0, numbers[0]);
    hash_double(&h, 0.0, numbers[1]);
    hash_field(&h, "1");
    hash_field(&h, "3");
    hash_field(&h, "one record");
    crypto_generichash_final(&h, mac[0], 16);
    crypto_generichash_init(&h, id, sizeof id, 16);
    hash_field(&h, "noisewright ledger row 1");
    crypto_generichash_update(&h, sixteen, sizeof sixteen);
    crypto_generichash_update(&h, mac[0], 16);
    hash_field(&h, "1");
    hash_field(&h, "2026-01-01T00:00:00Z");
    hash_field(&h, "old");
    hash_field(&h, event);
    crypto_generichash_final(&h, mac[1], 16);
    for (int i = 0; i < 2; i++)
        sodium_bin2hex(mac_text[i], sizeof mac_text[i], mac[i], 16);
    sodium_bin2hex(id_text, sizeof id_text, id, sizeof id);
    fresh_path(name);
    snprintf(sql, sizeof sql,
        "PRAGMA journal_mode=WAL; PRAGMA application_id=%d; PRAGMA user_version=1;"
        "CREATE TABLE header (only INTEGER PRIMARY KEY CHECK (only = 1), id TEXT NOT NULL, epsilon TEXT NOT NULL, delta TEXT NOT "
        "NULL, adjacency TEXT NOT NULL, filter TEXT NOT NULL, unit TEXT NOT NULL, mac TEXT NOT NULL) STRICT;"
        "CREATE TABLE charge (sequence INTEGER PRIMARY KEY, time TEXT NOT NULL, label TEXT NOT NULL, event TEXT NOT NULL,"
        " mac TEXT NOT NULL) STRICT;"
        "INSERT INTO header VALUES (1, '%s', '%s', '%s', 'add_remove', 'pure', 'one record', '%s');"
        "INSERT INTO charge VALUES (1, '2026-01-01T00:00:00Z', 'old', '%s', '%s');",
        0x4e574c31, id_text, numbers[0], numbers[1], mac_text[0], event, mac_text[1]);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static int version_of_file(void)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *query = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &query, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(query), SQLITE_ROW);
    const int version = sqlite3_column_int(query, 0);
    sqlite3_finalize(query);
    sqlite3_close(db);
    return version;
}

static void ledger_open__reads_version_1_and_raises_it_with_the_first_new_row(void **state)
{
    (void)state;
    nw_ledger *ledger = NULL;
    uint64_t r = 0;
    make_version_1("old");
    assert_int_equal(nw_ledger_open(&ledger, path, NULL), NW_OK);
    assert_spent(ledger, 0.25);
    assert_int_equal(charge_pure(ledger, NULL, 0.25, NULL), NW_OK);
    assert_int_equal(version_of_file(), 1); /* still one that an old program understands */
    assert_int_equal(charge_pure(ledger, NULL, 0.75, NULL), NW_E_BUDGET);
    assert_int_equal(reserve_pure(ledger, NULL, 2.0, 3, &r, NULL), NW_E_BUDGET);
    assert_int_equal(version_of_file(), 1);
    assert_int_equal(reserve_pure(ledger, NULL, 0.125, 3, &r, NULL), NW_OK);
    assert_int_equal(version_of_file(), 2);
    assert_int_equal(nw_ledger_commit(ledger, r, 2, NULL, NULL), NW_OK);
    assert_spent(ledger, 0.75);
    nw_ledger_close(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ledger_reserve__charges_all_steps_and_commit_gives_back_the_unused),
        cmocka_unit_test(ledger_reserve__stands_after_a_crash_and_can_be_committed_by_number),
        cmocka_unit_test(ledger_reserve__refuses_what_does_not_fit_or_makes_no_sense),
        cmocka_unit_test(ledger_reserve__counts_the_samplers_distance),
        cmocka_unit_test(ledger_group__is_held_to_its_share_and_to_the_whole),
        cmocka_unit_test(ledger_add_group__refuses_bad_names_and_shares),
        cmocka_unit_test(ledger_renyi__lets_through_what_its_order_allows),
        cmocka_unit_test(ledger_renyi__takes_subsampled_gaussians),
        cmocka_unit_test(ledger_open__reads_version_1_and_raises_it_with_the_first_new_row),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
