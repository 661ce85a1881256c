/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_keys.c - unknown keys: the threshold's delta against sums of the law, contributions against plain counting, how often a
 * lone user's keys come out, and parts as bytes. */
#include "keys_internal.h"
#include "stats_support.h"

#include <stdio.h>

/* ---- the threshold ---- */

static nw_keys_opts key_options(double epsilon, double delta, double threshold_delta, uint32_t max_keys, uint32_t max_count)
{
    nw_keys_opts o = NW_KEYS_OPTS_INIT;
    o.epsilon = epsilon;
    o.delta = delta;
    o.threshold_delta = threshold_delta;
    o.adjacency = NW_ADD_REMOVE;
    o.max_keys = max_keys;
    o.max_count = max_count;
    return o;
}

static nw_keys *make_keys(nw_keys_opts o)
{
    nw_keys *keys = NULL;
    nw_error err;
    if (nw_keys_new(&keys, &o, &err) != NW_OK)
        fail_msg("%s", err.message);
    return keys;
}

/* Noise of two keys of a user, scale 4, on every one of 2^31 keys: P[|Z| > k] = 2 q^(k + 1) / (1 + q), q = e^(-1/4). */
static void keys_error__is_the_least_distance_of_every_possible_key(void **state)
{
    (void)state;
    nw_keys *keys = make_keys(key_options(0.5, 0.0, 1e-6, 2, 1));
    const long double q = expl(-0.25L);
    for (double risk = 0.5; risk >= 1e-12; risk /= 9.0) {
        const double error = nw_keys_error(keys, risk);
        assert_true(error == floor(error));
        assert_true(2.0L * powl(q, error + 1.0L) / (1.0L + q) * 0x1p31L <= risk);
        assert_true(2.0L * powl(q, error) / (1.0L + q) * 0x1p31L > risk * (1.0L - 0x1p-30L));
    }
    assert_true(isnan(nw_keys_error(keys, 0.0)) && isnan(nw_keys_error(keys, 0.6)) && isnan(nw_keys_error(keys, NAN)));
    nw_keys_free(keys);
}

/* P[Z >= t] by adding up the law, in long double. */
static long double plain_tail(nw_noise_law law, double scale, int64_t t)
{
    long double mass = 1.0L;
    long double tail = t <= 0 ? 1.0L : 0.0L;
    for (int64_t k = 1; k < 4000; k++) {
        const long double p = law == NW_NOISE_DISCRETE_LAPLACE
                                  ? expl(-(long double)k / scale)
                                  : 0.5L * (erfcl((k - 0.5L) / scale / sqrtl(2.0L)) - erfcl((k + 0.5L) / scale / sqrtl(2.0L)));
        mass += 2.0L * p;
        tail += k >= t ? p : 0.0L;
    }
    return law == NW_NOISE_DISCRETE_LAPLACE ? tail / mass : tail;
}

static void keys_delta__is_the_sum_of_the_law(void **state)
{
    (void)state;
    const nw_noise_law laws[] = { NW_NOISE_DISCRETE_LAPLACE, NW_NOISE_ROUNDED_GAUSSIAN };
    const double scales[] = { 0.5, 3.0, 40.0 };
    for (size_t i = 0; i < 6; i++) {
        const nw_noise_law law = laws[i / 3];
        const double scale = scales[i % 3];
        for (int64_t t = 1; (double)t < 5.0 * scale + 3.0; t += 1 + t / 4) {
            const long double p = plain_tail(law, scale, t);
            for (uint32_t l0 = 1; l0 <= 100; l0 += 33) {
                const double wanted = (double)-expm1l(l0 * log1pl(-p));
                const double delta = nw__keys_delta(law, scale, l0, 7, t + 7);
                if (!(delta >= wanted * (1.0 - 1e-14) && delta <= wanted * (1.0 + 1e-9)))
                    fail_msg("law %d, scale %g, t %d, keys %u: %.17g, must be %.17g", (int)law, scale, (int)t, l0, delta, wanted);
            }
        }
    }
}

static void keys_new__threshold_is_the_least_and_is_charged(void **state)
{
    (void)state;
    for (size_t d = 0; d < 2; d++) {
        const double delta = d == 0 ? 0.0 : 1e-7;
        nw_keys *keys = make_keys(key_options(1.0, delta, 1e-6, 3, 2));
        const nw_noise_law law = d == 0 ? NW_NOISE_DISCRETE_LAPLACE : NW_NOISE_ROUNDED_GAUSSIAN;
        const double scale = d == 0 ? 6.0 : sqrt(12.0) / nw_gdp_mu(1.0, 1e-7 * (1.0 - 0x1p-10));
        const int64_t threshold = nw_keys_threshold(keys);
        const long double here = 1.0L - powl(1.0L - plain_tail(law, scale, threshold - 2), 3.0L);
        const long double before = 1.0L - powl(1.0L - plain_tail(law, scale, threshold - 3), 3.0L);
        assert_true(here <= 1e-6L && before > 1e-6L);
        nw_cost cost;
        assert_int_equal(nw_event_cost(nw_keys_event(keys), NW_ADD_REMOVE, &cost, NULL), NW_OK);
        assert_true(cost.delta >= (double)here * (1.0 - 1e-9) && cost.delta <= 1e-6);
        assert_true(d == 1 || (cost.epsilon_pure <= 1.0 && cost.epsilon_pure > 1.0 - 1e-12));
        assert_true(d == 0 || fabs(sqrt(cost.mu_squared) / nw_gdp_mu(1.0, 1e-7 * (1.0 - 0x1p-10)) - 1.0) < 1e-12);
        nw_keys_free(keys);
    }
}

/* ---- contributions ---- */

static nw_ledger *keys_ledger(void)
{
    nw_ledger *ledger = NULL;
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    o.epsilon = 64.0;
    o.delta = 0.99;
    o.adjacency = NW_ADD_REMOVE;
    o.filter = NW_FILTER_PURE;
    o.unit = "one user";
    assert_int_equal(nw_ledger_memory(&ledger, &o, NULL), NW_OK);
    return ledger;
}

static void add_text(nw_keys *keys, const char *user, const char *key)
{
    assert_int_equal(nw_keys_add(keys, user, strlen(user), key, strlen(key), NULL), NW_OK);
}

/* 300 users, of whom each brings key (i mod 5) and others; bounds of 2 keys and 3 records; compared with plain counting. */
static void keys_release__counts_what_the_bounds_allow(void **state)
{
    (void)state;
    enum { USERS = 300, KEYS = 5 };
    double wanted[KEYS] = { 0 };
    nw_keys *whole = make_keys(key_options(60.0, 0.0, 1e-6, 2, 3));
    nw_keys *parts[2] = { make_keys(key_options(60.0, 0.0, 1e-6, 2, 3)), make_keys(key_options(60.0, 0.0, 1e-6, 2, 3)) };
    for (size_t u = 0; u < USERS; u++) {
        char user[16], key[16];
        unsigned mine[KEYS] = { 0 };
        size_t kept = 0;
        snprintf(user, sizeof user, "user %zu", u);
        for (size_t r = 0; r < 12; r++) {
            const size_t k = (u + r * r) % KEYS;
            snprintf(key, sizeof key, "key %zu", k);
            add_text(whole, user, key);
            add_text(parts[r < 5 ? 0 : 1], user, key);
            if (mine[k] == 0 && kept == 2)
                continue;
            kept += mine[k] == 0;
            wanted[k] += mine[k] < 3;
            mine[k]++;
        }
    }
    /* The parts keep what came first in each; merged, what came first of all, as far as the second kept it. */
    assert_int_equal(nw_keys_merge(parts[0], parts[1], NULL), NW_OK);
    nw_keys *handles[2] = { whole, parts[0] };
    for (size_t h = 0; h < 2; h++) {
        nw_rng *rng = seeded(h);
        nw_ledger *ledger = keys_ledger();
        assert_int_equal(nw_keys_release(handles[h], rng, ledger, "keys", NULL, NULL), NW_OK);
        assert_int_equal(nw_keys_released(handles[h]), KEYS);
        for (size_t i = 0; i < KEYS; i++) {
            char name[16];
            const char *key = NULL;
            size_t size = 0;
            int64_t count = 0;
            snprintf(name, sizeof name, "key %zu", i);
            assert_int_equal(nw_keys_get(handles[h], i, &key, &size, &count, NULL), NW_OK);
            assert_string_equal(key, name); /* in the order of their bytes */
            assert_int_equal(size, strlen(name));
            assert_true(h == 0 ? fabs((double)count - wanted[i]) <= 8.0 : (double)count <= wanted[i] + 8.0);
        }
        nw_rng_free(rng);
        nw_ledger_close(ledger);
    }
    nw_keys_free(whole);
    nw_keys_free(parts[0]);
    nw_keys_free(parts[1]);
}

/* A lone user with max_keys keys, and three hundred more that do not count. How often anything comes out is the charged delta:
 * keys beyond the bound must not have a chance of their own. */
static void keys_release__of_a_lone_user_as_often_as_charged(void **state)
{
    (void)state;
    enum { RUNS = 150, EXTRA = 300, L0 = 3 };
    size_t hits = 0;
    nw_cost cost = { 0 };
    for (size_t run = 0; run < RUNS; run++) {
        nw_keys *keys = make_keys(key_options(1.0, 0.0, 0.3, L0, 1));
        nw_ledger *ledger = keys_ledger();
        nw_rng *rng = seeded(1000 + run);
        for (uint32_t k = 0; k < L0 + EXTRA; k++)
            assert_int_equal(nw_keys_add(keys, "u", 1, &k, sizeof k, NULL), NW_OK);
        assert_int_equal(nw_event_cost(nw_keys_event(keys), NW_ADD_REMOVE, &cost, NULL), NW_OK);
        assert_int_equal(nw_keys_release(keys, rng, ledger, "lone", NULL, NULL), NW_OK);
        hits += nw_keys_released(keys) > 0;
        assert_true(nw_keys_released(keys) <= L0);
        nw_keys_free(keys);
        nw_ledger_close(ledger);
        nw_rng_free(rng);
    }
    const double deviation = ((double)hits - RUNS * cost.delta) / sqrt(RUNS * cost.delta * (1.0 - cost.delta));
    print_message("# %zu of %d releases, charged delta %.4f: %.2f standard errors\n", hits, RUNS, cost.delta, deviation);
    assert_true(cost.delta > 0.2 && fabs(deviation) < 5.0); /* keys beyond the bound would bring it near 1 */
}

static void keys__refuse_bad_options_and_states(void **state)
{
    (void)state;
    nw_keys_opts bad[8];
    nw_keys *keys = NULL;
    nw_error err;
    const char *const names[] = { "epsilon", "delta", "threshold_delta", "threshold_delta", "adjacency", "max_keys", "max_count",
        "epsilon" };
    for (size_t i = 0; i < 8; i++)
        bad[i] = key_options(1.0, 0.0, 1e-6, 1, 1);
    bad[0].epsilon = 0.0;
    bad[1].delta = -1.0;
    bad[2].threshold_delta = 0.0;
    bad[3].threshold_delta = (double)NAN;
    bad[4].adjacency = NW_REPLACE_ONE;
    bad[5].max_keys = 0;
    bad[6].max_count = UINT32_MAX;
    bad[7].epsilon = 1e-16;
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(nw_keys_new(&keys, &bad[i], &err), NW_E_ARG);
        assert_int_equal(strncmp(err.message, names[i], strlen(names[i])), 0);
    }
    keys = make_keys(key_options(1.0, 0.0, 1e-6, 1, 1));
    nw_keys *other = make_keys(key_options(1.0, 0.0, 1e-6, 2, 1));
    nw_ledger *small = ledger_of(0.5, 0.0, NW_ADD_REMOVE);
    nw_ledger *large = keys_ledger();
    nw_rng *rng = seeded(1);
    const char *key = NULL;
    size_t size = 0;
    int64_t count = 0;
    assert_int_equal(nw_keys_add(keys, NULL, 1, "k", 1, NULL), NW_E_ARG);
    assert_int_equal(nw_keys_add(keys, "u", 1, "k", (size_t)1 << 20, NULL), NW_E_ARG);
    assert_int_equal(nw_keys_add(keys, NULL, 0, NULL, 0, NULL), NW_OK);
    assert_int_equal(nw_keys_merge(keys, other, NULL), NW_E_ARG);
    assert_int_equal(nw_keys_merge(keys, keys, NULL), NW_E_ARG);
    assert_int_equal(nw_keys_get(keys, 0, &key, &size, &count, NULL), NW_E_STATE);
    assert_int_equal(nw_keys_release(keys, rng, small, "keys", NULL, NULL), NW_E_BUDGET);
    assert_int_equal(nw_keys_release(keys, rng, NULL, "keys", NULL, NULL), NW_E_ARG);
    assert_int_equal(nw_keys_release(keys, rng, large, "keys", NULL, NULL), NW_OK);
    assert_int_equal(nw_keys_release(keys, rng, large, "keys", NULL, NULL), NW_E_STATE);
    assert_int_equal(nw_keys_add(keys, "u", 1, "k", 1, NULL), NW_E_STATE);
    assert_int_equal(nw_keys_get(keys, 9, &key, &size, &count, NULL), NW_E_ARG);
    nw_keys_free(keys);
    nw_keys_free(other);
    nw_ledger_close(small);
    nw_ledger_close(large);
    nw_rng_free(rng);
}

static void bytes__numbers_strings_in_their_order(void **state)
{
    (void)state;
    nw__bytes set = { 0 };
    char text[32];
    size_t number = 0;
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < 3000; i++) {
            const size_t n = (size_t)snprintf(text, sizeof text, "%zu", i * 7919);
            assert_true(nw__bytes_add(&set, text, n + i % 2, &number)); /* with the NUL, or without: another string */
            assert_int_equal(number, i);
        }
    assert_int_equal(set.count, 3000);
    assert_true(nw__bytes_find(&set, "15838", 5, &number) && number == 2);
    assert_false(nw__bytes_find(&set, "1583", 4, &number));
    assert_false(nw__bytes_find(&set, "", 0, &number));
    size_t n = 0;
    assert_string_equal(nw__bytes_get(&set, 2, &n), "15838");
    assert_int_equal(n, 5);
    nw__bytes_clear(&set);
}

static void pairs__finds_each_of_many(void **state)
{
    (void)state;
    nw__pairs set = { 0 };
    assert_null(nw__pairs_find(&set, 0, 0));
    for (uint32_t i = 0; i < 5000; i++)
        assert_true(nw__pairs_append(&set, (nw__pair){ i % 50, i / 50, i + 1 }));
    for (uint32_t i = 0; i < 5000; i++)
        assert_int_equal(nw__pairs_find(&set, i % 50, i / 50)->count, i + 1);
    assert_null(nw__pairs_find(&set, 50, 0));
    assert_null(nw__pairs_find(&set, 0, 100));
    nw__pairs_clear(&set);
}

/* Keys that differ in their first bytes, in the eighth, behind it, in their length, and in zeros at their end. */
static void keys_release__orders_keys_by_their_bytes(void **state)
{
    (void)state;
    static const struct key {
        const char *bytes;
        size_t size;
    } ordered[] = { { "", 0 }, { "\0", 1 }, { "\0\0", 2 }, { "a", 1 }, { "a\0", 2 }, { "a\0b", 3 }, { "aa", 2 },
        { "b2345678", 8 }, { "b2345678\0", 9 }, { "b2345678a", 9 }, { "b2345678b", 9 }, { "b2345679", 8 }, { "\x7f", 1 },
        { "\x80", 1 }, { "\xff", 1 } };
    enum { KEYS = sizeof ordered / sizeof *ordered };
    nw_keys *keys = make_keys(key_options(60.0, 0.0, 1e-6, 1, 1));
    nw_ledger *ledger = keys_ledger();
    nw_rng *rng = seeded(5);
    for (uint32_t i = 0; i < 100 * KEYS; i++) {
        const struct key *k = &ordered[i * 7 % KEYS];
        assert_int_equal(nw_keys_add(keys, &i, sizeof i, k->bytes, k->size, NULL), NW_OK);
    }
    assert_int_equal(nw_keys_release(keys, rng, ledger, "order", NULL, NULL), NW_OK);
    assert_int_equal(nw_keys_released(keys), KEYS);
    for (size_t i = 0; i < KEYS; i++) {
        const char *key = NULL;
        size_t size = 0;
        int64_t count = 0;
        assert_int_equal(nw_keys_get(keys, i, &key, &size, &count, NULL), NW_OK);
        assert_int_equal(size, ordered[i].size);
        assert_memory_equal(key, ordered[i].bytes, size + 1);
    }
    nw_keys_free(keys);
    nw_ledger_close(ledger);
    nw_rng_free(rng);
}

static bool has_text(const nw__bytes *set, const char *text)
{
    const size_t n = strlen(text);
    for (size_t i = 0; i + n <= set->text_capacity; i++)
        if (memcmp(set->text + i, text, n) == 0)
            return true;
    return false;
}

/* Between two keys that come out lie some that do not: nothing of those is left, the others are whole. */
static void keys_release__forgets_names_that_are_not_released(void **state)
{
    (void)state;
    nw_keys *keys = make_keys(key_options(60.0, 0.0, 1e-6, 1, 1));
    nw_rng *rng = seeded(8);
    nw_ledger *ledger = keys_ledger();
    const char *const texts[6] = { "seldom-1", "zebra", "seldom-2", "", "a longer name", "seldom-3" };
    const char *const wanted[3] = { "", "a longer name", "zebra" };
    for (size_t k = 0; k < 6; k++)
        for (size_t u = 0; u < (strncmp(texts[k], "seldom", 6) == 0 ? 1U : 50U); u++) {
            char user[32];
            snprintf(user, sizeof user, "user %zu of %zu", u, k);
            add_text(keys, user, texts[k]);
        }
    assert_true(has_text(&keys->records.keys, "seldom-2"));
    assert_int_equal(nw_keys_release(keys, rng, ledger, "keys", NULL, NULL), NW_OK);
    assert_int_equal(nw_keys_released(keys), 3);
    for (size_t i = 0; i < 3; i++) {
        const char *key = NULL;
        size_t size = 0;
        int64_t count = 0;
        assert_int_equal(nw_keys_get(keys, i, &key, &size, &count, NULL), NW_OK);
        assert_string_equal(key, wanted[i]);
        assert_int_equal(size, strlen(wanted[i]));
        assert_true(llabs(count - 50) <= 3);
    }
    assert_false(has_text(&keys->records.keys, "seldom"));
    assert_false(has_text(&keys->records.keys, "ldom-"));
    assert_null(keys->records.keys.index.slots);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
    nw_keys_free(keys);
}

/* ---- parts ---- */

static uint8_t *bytes_of(const nw_keys *keys, size_t *n)
{
    *n = nw_keys_size(keys);
    uint8_t *bytes = calloc(*n, 1);
    assert_int_equal(nw_keys_serialize(keys, bytes, *n, NULL), NW_OK);
    return bytes;
}

static void assert_same(const nw_keys *a, const nw_keys *b)
{
    size_t n = 0;
    size_t m = 0;
    uint8_t *x = bytes_of(a, &n);
    uint8_t *y = bytes_of(b, &m);
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    free(x);
    free(y);
}

/* The example of the header: what counts in the first part comes first, and a user of both parts stays within the bounds. */
static void keys_merge_bytes__bounds_users_over_all_parts(void **state)
{
    (void)state;
    const nw_keys_opts o = key_options(1.0, 0.0, 1e-6, 2, 3);
    nw_keys *parts[2] = { make_keys(o), make_keys(o) };
    nw_keys *expected = make_keys(o);
    nw_keys *by_bytes = make_keys(o);
    size_t n = 0;
    static const char *const first[][2] = { { "ann", "tea" }, { "ann", "tea" }, { "bob", "milk" } };
    static const char *const second[][2] = { { "ann", "milk" }, { "ann", "tea" }, { "ann", "tea" }, { "bob", "tea" },
        { "ann", "rum" }, { "bob", "rum" }, { "cy", "gin" } };
    static const char *const counted[][2] = { { "ann", "tea" }, { "ann", "tea" }, { "bob", "milk" }, { "ann", "milk" },
        { "ann", "tea" }, { "bob", "tea" }, { "cy", "gin" } };
    for (size_t i = 0; i < 3; i++)
        add_text(parts[0], first[i][0], first[i][1]);
    for (size_t i = 0; i < 7; i++)
        add_text(parts[1], second[i][0], second[i][1]);
    for (size_t i = 0; i < 7; i++)
        add_text(expected, counted[i][0], counted[i][1]);
    for (size_t p = 0; p < 2; p++) {
        uint8_t *bytes = bytes_of(parts[p], &n);
        assert_int_equal(nw_keys_merge_bytes(by_bytes, bytes, n, NULL), NW_OK);
        free(bytes);
    }
    assert_same(by_bytes, expected);
    assert_int_equal(nw_keys_merge(parts[0], parts[1], NULL), NW_OK);
    assert_same(parts[0], expected);
    nw_keys_free(parts[0]);
    nw_keys_free(parts[1]);
    nw_keys_free(expected);
    nw_keys_free(by_bytes);
}

/* The form is public: these are the bytes, but for the hash of the options. */
static void keys_serialize__has_the_form_of_its_comment(void **state)
{
    (void)state;
    static const uint8_t body[] = { 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, /* how many */
        3, 0, 0, 0, 'a', 'n', 'n', 1, 0, 0, 0, 'x', 0, 0, 0, 0,                                             /* strings */
        0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0 };                           /* pairs */
    nw_keys *keys = make_keys(key_options(1.0, 0.0, 1e-6, 2, 3));
    size_t n = 0;
    add_text(keys, "ann", "x");
    add_text(keys, "ann", "");
    add_text(keys, "ann", "x");
    add_text(keys, "ann", "y"); /* one too many */
    uint8_t *bytes = bytes_of(keys, &n);
    assert_int_equal(n, 40 + sizeof body);
    assert_memory_equal(bytes, "NWKEYS01", 8);
    assert_memory_equal(bytes + 40, body, sizeof body);
    free(bytes);
    nw_keys_free(keys);
}

static void keys_bytes__refuse_what_is_not_theirs(void **state)
{
    (void)state;
    nw_keys *keys = make_keys(key_options(1.0, 0.0, 1e-6, 2, 3));
    nw_keys *others[] = { make_keys(key_options(2.0, 0.0, 1e-6, 2, 3)), make_keys(key_options(1.0, 1e-9, 1e-6, 2, 3)),
        make_keys(key_options(1.0, 0.0, 1e-7, 2, 3)), make_keys(key_options(1.0, 0.0, 1e-6, 1, 3)),
        make_keys(key_options(1.0, 0.0, 1e-6, 2, 4)) };
    nw_error err;
    size_t n = 0;
    add_text(keys, "ann", "tea");
    uint8_t *bytes = bytes_of(keys, &n);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(nw_keys_merge_bytes(others[i], bytes, n, &err), NW_E_FORMAT);
        assert_non_null(strstr(err.message, "other options"));
        nw_keys_free(others[i]);
    }
    bytes[7] ^= 1;
    assert_int_equal(nw_keys_merge_bytes(keys, bytes, n, &err), NW_E_FORMAT);
    assert_non_null(strstr(err.message, "another version"));
    assert_int_equal(nw_keys_merge_bytes(keys, NULL, n, &err), NW_E_ARG);
    assert_int_equal(nw_keys_serialize(keys, bytes, n - 1, &err), NW_E_ARG);
    assert_int_equal(nw_keys_serialize(keys, NULL, n, &err), NW_E_ARG);
    nw_rng *rng = seeded(1);
    nw_ledger *ledger = keys_ledger();
    assert_int_equal(nw_keys_release(keys, rng, ledger, "keys", NULL, NULL), NW_OK);
    assert_int_equal(nw_keys_serialize(keys, bytes, n, &err), NW_E_STATE);
    assert_int_equal(nw_keys_merge_bytes(keys, bytes, n, &err), NW_E_STATE);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
    free(bytes);
    nw_keys_free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_release__forgets_names_that_are_not_released),
        cmocka_unit_test(keys_error__is_the_least_distance_of_every_possible_key),
        cmocka_unit_test(keys_delta__is_the_sum_of_the_law),
        cmocka_unit_test(keys_new__threshold_is_the_least_and_is_charged),
        cmocka_unit_test(keys_release__counts_what_the_bounds_allow),
        cmocka_unit_test(keys_release__of_a_lone_user_as_often_as_charged),
        cmocka_unit_test(keys__refuse_bad_options_and_states),
        cmocka_unit_test(bytes__numbers_strings_in_their_order),
        cmocka_unit_test(pairs__finds_each_of_many),
        cmocka_unit_test(keys_release__orders_keys_by_their_bytes),
        cmocka_unit_test(keys_merge_bytes__bounds_users_over_all_parts),
        cmocka_unit_test(keys_serialize__has_the_form_of_its_comment),
        cmocka_unit_test(keys_bytes__refuse_what_is_not_theirs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
