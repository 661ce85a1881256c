/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_client.c - reports: byte for byte those of a second implementation (tests/vectors/make_ldp.py), memoised ones, coins, and
 * what is refused. */
#include "ldp_support.h"

#include "vectors.h"

#include <sodium.h>

static size_t read_hex(const json_t *entry, const char *name, uint8_t *out, size_t capacity)
{
    const char *text = json_string_value(json_object_get(entry, name));
    size_t n = 0;
    assert_non_null(text);
    assert_int_equal(sodium_hex2bin(out, capacity, text, strlen(text), NULL, &n, NULL), 0);
    return n;
}

/* SHA-256 of "noisewright SEED BLOCK", block after block. */
typedef struct stream {
    json_int_t seed;
    size_t used;
} stream;

static int draw_stream(void *context, uint8_t *out, size_t n)
{
    stream *s = context;
    for (size_t i = 0; i < n; i++, s->used++) {
        char name[64];
        uint8_t hash[crypto_hash_sha256_BYTES];
        const int length = snprintf(name, sizeof name, "noisewright %lld %zu", (long long)s->seed, s->used / sizeof hash);
        crypto_hash_sha256(hash, (const uint8_t *)name, (unsigned long long)length);
        out[i] = hash[s->used % sizeof hash];
    }
    return 0;
}

static nw_ldp_item read_item(const json_t *entry)
{
    uint8_t bytes[16];
    nw_ldp_item item = { 0, 0 };
    assert_int_equal(read_hex(entry, "item", bytes, sizeof bytes), 16);
    for (int i = 0; i < 8; i++) {
        item.high = item.high << 8 | bytes[i];
        item.low = item.low << 8 | bytes[8 + i];
    }
    return item;
}

static void report__is_that_of_a_second_implementation(void **state)
{
    (void)state;
    json_t *root = load_vectors("ldp.json");
    size_t i = 0;
    const json_t *entry = NULL;
    unsigned seen = 0;
    json_array_foreach(json_object_get(root, "entries"), i, entry)
    {
        uint8_t bytes[NW_LDP_CAMPAIGN_BYTES];
        uint8_t again[NW_LDP_CAMPAIGN_BYTES];
        uint8_t user[NW_LDP_USER_BYTES];
        uint8_t wanted[64];
        uint8_t report[64];
        nw_ldp_campaign c;
        stream s = { json_integer_value(json_object_get(entry, "seed")), 0 };
        assert_int_equal(read_hex(entry, "campaign", bytes, sizeof bytes), sizeof bytes);
        assert_int_equal(nw_ldp_campaign_read(&c, bytes, sizeof bytes), NW_OK);
        nw_ldp_campaign_write(&c, again);
        assert_memory_equal(again, bytes, sizeof bytes);
        assert_string_equal(nw_ldp_oracle_name(c.oracle), json_string_value(json_object_get(entry, "oracle")));
        const size_t size = read_hex(entry, "report", wanted, sizeof wanted);
        const bool has_user = read_hex(entry, "user", user, sizeof user) != 0;
        assert_int_equal(nw_ldp_report_size(&c), size);
        assert_int_equal(
            nw_ldp_report(&c, has_user ? user : NULL, read_item(entry), draw_stream, &s, report, sizeof report), NW_OK);
        if (memcmp(report, wanted, size) != 0)
            fail_msg("entry %zu (%s) differs", i, nw_ldp_oracle_name(c.oracle));
        seen |= 1u << c.oracle;
    }
    assert_int_equal(seen, 0x1ffe); /* all twelve oracles */
    json_decref(root);
}

/* Campaigns of which most reports differ. */
static nw_ldp_campaign sample_campaign(int oracle)
{
    if (oracle == NW_LDP_BLH)
        return make_bits(NW_LDP_BLH, 1.0, 40, 2);
    return make((nw_ldp_oracle)oracle, 1.0, nw__ldp_is_number((nw_ldp_oracle)oracle) && oracle != NW_LDP_SQUARE_WAVE ? 0 : 30);
}

static int count_draws(void *context, uint8_t *out, size_t n)
{
    ++*(size_t *)context;
    memset(out, 0x5a, n);
    return 0;
}

static void report_memoised__repeats_itself(void **state)
{
    (void)state;
    uint8_t key[NW_LDP_KEY_BYTES] = { 1, 2, 3 };
    for (int oracle = NW_LDP_GRR; oracle <= NW_LDP_SQUARE_WAVE; oracle++) {
        const nw_ldp_campaign c = sample_campaign(oracle);
        uint8_t first[64];
        uint8_t second[64];
        size_t different = 0;
        for (uint64_t x = 0; x < 30; x++) {
            const nw_ldp_item item = item_of(x * 100000007);
            assert_int_equal(nw_ldp_report_memoised(&c, NULL, key, item, NULL, NULL, first, sizeof first), NW_OK);
            assert_int_equal(nw_ldp_report_memoised(&c, NULL, key, item, NULL, NULL, second, sizeof second), NW_OK);
            assert_memory_equal(first, second, nw_ldp_report_size(&c));
            key[5]++; /* another device */
            assert_int_equal(nw_ldp_report_memoised(&c, NULL, key, item, NULL, NULL, second, sizeof second), NW_OK);
            different += memcmp(first, second, nw_ldp_report_size(&c)) != 0;
        }
        assert_true(different >= 5);
    }
}

/* What a memoised report is made of is at most nw_ldp_memo_values inputs, and equal inputs give equal reports: over 20000 values
 * one device sends no more different reports than that. Of hashes a device has one seed. */
static void report_memoised__has_few_different_reports(void **state)
{
    (void)state;
    enum { VALUES = 20000 };
    const uint8_t key[NW_LDP_KEY_BYTES] = { 9 };
    const int oracles[] = { NW_LDP_OLH, NW_LDP_BLH, NW_LDP_DUCHI };
    for (size_t o = 0; o < 3; o++) {
        const nw_ldp_campaign c =
            oracles[o] == NW_LDP_DUCHI ? make(NW_LDP_DUCHI, 1.0, 0) : make((nw_ldp_oracle)oracles[o], 1.0, 1 << 20);
        uint8_t seen[64][NW_LDP_SHORT_REPORT];
        size_t n = 0;
        for (uint64_t x = 0; x < VALUES; x++) {
            uint8_t report[NW_LDP_SHORT_REPORT];
            size_t i = 0;
            const nw_ldp_item item = item_of(oracles[o] == NW_LDP_DUCHI ? (x << 32) / VALUES : x * 31);
            assert_int_equal(nw_ldp_report_memoised(&c, NULL, key, item, NULL, NULL, report, sizeof report), NW_OK);
            while (i < n && memcmp(seen[i], report, sizeof report) != 0)
                i++;
            if (i == n) {
                assert_true(n < 64);
                memcpy(seen[n++], report, sizeof report);
            }
        }
        assert_true(n <= nw_ldp_memo_values(&c));
        assert_int_equal(nw_ldp_memo_values(&c), c.symbols);
    }
}

/* RAPPOR: the bits vary from report to report around one permanent answer, whose bits are equal more often than not. */
static void report_memoised__randomises_a_permanent_answer(void **state)
{
    (void)state;
    enum { REPORTS = 400, DOMAIN = 48 };
    const uint8_t key[NW_LDP_KEY_BYTES] = { 4 };
    nw_ldp_campaign_opts o = options(NW_LDP_SUE, 4.0, DOMAIN);
    o.first_epsilon = 1.0;
    const nw_ldp_campaign c = campaign_of(o);
    nw_rng *rng = seeded(11);
    unsigned ones[DOMAIN] = { 0 };
    uint8_t report[NW_LDP_SHORT_REPORT];
    for (int i = 0; i < REPORTS; i++) {
        uint8_t bytes[8 * DOMAIN];
        uint64_t words[DOMAIN];
        assert_int_equal(nw_rng_bytes(rng, bytes, sizeof bytes, NULL), NW_OK);
        for (size_t j = 0; j < DOMAIN; j++)
            words[j] = nw__get(bytes + 8 * j, 8);
        script s = { words, DOMAIN, 0 };
        assert_int_equal(nw_ldp_report_memoised(&c, NULL, key, item_of(7), draw_script, &s, report, sizeof report), NW_OK);
        assert_int_equal(s.used, DOMAIN); /* fresh words for the second answer only */
        for (size_t j = 0; j < DOMAIN; j++)
            ones[j] += report[NW_LDP_REPORT_HEADER + j / 8] >> (j % 8) & 1u;
    }
    const double again = (double)c.again * 0x1p-64;
    for (size_t j = 0; j < DOMAIN; j++) { /* near REPORTS again or REPORTS (1 - again), six deviations */
        const double rate = (double)ones[j] / REPORTS;
        const double distance = fmin(fabs(rate - again), fabs(rate - 1.0 + again));
        assert_true(distance < 6.0 * sqrt(again * (1.0 - again) / REPORTS));
    }
    size_t draws = 0;
    assert_int_equal(nw_ldp_report_memoised(&c, NULL, key, item_of(7), count_draws, &draws, report, sizeof report), NW_OK);
    assert_true(draws > 0);
    assert_int_equal(nw_ldp_report_memoised(&c, NULL, key, item_of(7), NULL, NULL, report, sizeof report), NW_E_ARG);
    nw_rng_free(rng);
}

static void public_coin__decides_level_and_seed(void **state)
{
    (void)state;
    nw_ldp_campaign_opts o = options(NW_LDP_BLH, 2.0, 0);
    o.bits = 30;
    o.levels = 3;
    o.is_public_coin = true;
    o.seed_bits = 20;
    const nw_ldp_campaign c = campaign_of(o);
    unsigned users[3] = { 0 };
    for (uint8_t i = 0; i < 240; i++) {
        const uint8_t user[NW_LDP_USER_BYTES] = { i, 77 };
        uint8_t report[NW_LDP_SHORT_REPORT];
        size_t draws = 0;
        unsigned level = 99;
        uint32_t seed = 0;
        nw_ldp_public_coin(&c, user, &level, &seed);
        assert_true(level < 3 && seed >> 20 == 0);
        users[level]++;
        assert_int_equal(nw_ldp_report(&c, user, item_of(i), count_draws, &draws, report, sizeof report), NW_OK);
        assert_int_equal(report[3], level);
        assert_int_equal(nw__get(report + NW_LDP_REPORT_HEADER, 4), seed);
    }
    for (int i = 0; i < 3; i++) /* binomial, 240 / 3: six deviations of 7.3 */
        assert_in_range(users[i], 36, 124);
}

static int fail_to_draw(void *context, uint8_t *out, size_t n)
{
    (void)context;
    memset(out, 0xff, n);
    return -1;
}

static void report__refuses_without_a_trace(void **state)
{
    (void)state;
    const uint8_t user[NW_LDP_USER_BYTES] = { 0 };
    const uint8_t key[NW_LDP_KEY_BYTES] = { 0 };
    uint8_t report[64];
    size_t draws = 0;
    for (int oracle = NW_LDP_GRR; oracle <= NW_LDP_SQUARE_WAVE; oracle++) {
        const nw_ldp_campaign c = sample_campaign(oracle);
        const size_t size = nw_ldp_report_size(&c);
        memset(report, 1, sizeof report);
        assert_int_equal(nw_ldp_report(&c, NULL, item_of(1), fail_to_draw, NULL, report, sizeof report), NW_E_ENTROPY);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(report[i], 0);
        assert_int_equal(nw_ldp_report(&c, NULL, item_of(1), count_draws, &draws, report, size - 1), NW_E_ARG);
        assert_int_equal(nw_ldp_report(&c, user, item_of(1), count_draws, &draws, report, size), NW_E_ARG);
        assert_int_equal(nw_ldp_report(&c, NULL, item_of(1), NULL, NULL, report, size), NW_E_ARG);
        assert_int_equal(nw_ldp_report(&c, NULL, item_of(1), count_draws, &draws, NULL, size), NW_E_ARG);
        assert_int_equal(nw_ldp_report_at(&c, c.levels, item_of(1), count_draws, &draws, report, size), NW_E_ARG);
    }
    assert_int_equal(draws, 0);
    const nw_ldp_campaign c = sample_campaign(NW_LDP_GRR);
    assert_int_equal(nw_ldp_report(NULL, NULL, item_of(1), count_draws, &draws, report, 16), NW_E_ARG);
    assert_int_equal(nw_ldp_report_at(NULL, 0, item_of(1), count_draws, &draws, report, 16), NW_E_ARG);
    assert_int_equal(nw_ldp_report_memoised(NULL, NULL, key, item_of(1), NULL, NULL, report, 16), NW_E_ARG);
    assert_int_equal(nw_ldp_report_memoised(&c, NULL, NULL, item_of(1), NULL, NULL, report, 16), NW_E_ARG);
}

static int draw_zeros(void *context, uint8_t *out, size_t n)
{
    (void)context;
    memset(out, 0, n);
    return 0;
}

/* A source that only gives what exact draws refuse must not keep a device busy for ever. */
static void report__ends_with_a_broken_source(void **state)
{
    (void)state;
    uint8_t report[64];
    const nw_ldp_campaign c = make(NW_LDP_SUBSET, 1.0, 30);
    assert_int_equal(nw_ldp_report(&c, NULL, item_of(1), draw_zeros, NULL, report, sizeof report), NW_E_ENTROPY);
    for (size_t i = 0; i < nw_ldp_report_size(&c); i++)
        assert_int_equal(report[i], 0);
}

static void report_many__refuses(void **state)
{
    (void)state;
    const uint8_t user[NW_LDP_USER_BYTES] = { 0 };
    const nw_ldp_item item = { 0, 1 };
    uint8_t out[16];
    nw_rng *rng = seeded(1);
    nw_error err;
    nw_ldp_campaign c = sample_campaign(NW_LDP_BLH);
    assert_int_equal(nw_ldp_report_many(NULL, rng, NULL, &item, 1, -1, out, 16, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_report_many(&c, NULL, NULL, &item, 1, -1, out, 16, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_report_many(&c, rng, NULL, NULL, 1, -1, out, 16, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_report_many(&c, rng, NULL, &item, 1, -1, out, 15, &err), NW_E_ARG);
    assert_string_equal(err.message, "capacity is 15, must be at least 1 reports of 16 bytes");
    assert_int_equal(nw_ldp_report_many(&c, rng, user, &item, 1, -1, out, 16, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_report_many(&c, rng, NULL, &item, 1, 2, out, 16, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_report_many(&c, rng, NULL, &item, 1, -2, out, 16, &err), NW_E_ARG);
    assert_int_equal(nw_ldp_report_many(&c, rng, NULL, &item, 1, 1, out, 16, &err), NW_OK);
    assert_int_equal(out[3], 1);
    assert_int_equal(nw_ldp_report_many(&c, rng, NULL, NULL, 0, -1, NULL, 0, &err), NW_OK);
    nw_rng_free(rng);
}

static void prefix__is_the_leading_bits(void **state)
{
    (void)state;
    const nw_ldp_campaign c = make_bits(NW_LDP_BLH, 1.0, 100, 1);
    const nw_ldp_item item = { UINT64_C(0xabcdef123), UINT64_C(0x456789abcdef0123) }; /* 100 bits: abcdef123 4567... */
    nw_ldp_item p = nw_ldp_prefix(&c, item, 4);
    assert_true(p.high == 0 && p.low == 0xa);
    p = nw_ldp_prefix(&c, item, 36);
    assert_true(p.high == 0 && p.low == UINT64_C(0xabcdef123));
    p = nw_ldp_prefix(&c, item, 40);
    assert_true(p.high == 0 && p.low == UINT64_C(0xabcdef1234));
    p = nw_ldp_prefix(&c, item, 100);
    assert_true(p.high == item.high && p.low == item.low);
    p = nw_ldp_prefix(&c, (nw_ldp_item){ UINT64_C(1) << 40, 3 }, 8); /* beyond: counts as the last one */
    assert_true(p.high == 0 && p.low == 0xff);
    p = nw_ldp_prefix(&c, item, 0);
    assert_true(p.high == 0 && p.low == item.high >> 36);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(report__is_that_of_a_second_implementation),
        cmocka_unit_test(report_memoised__repeats_itself),
        cmocka_unit_test(report_memoised__has_few_different_reports),
        cmocka_unit_test(report_memoised__randomises_a_permanent_answer),
        cmocka_unit_test(public_coin__decides_level_and_seed),
        cmocka_unit_test(report__refuses_without_a_trace),
        cmocka_unit_test(report__ends_with_a_broken_source),
        cmocka_unit_test(report_many__refuses),
        cmocka_unit_test(prefix__is_the_leading_bits),
    };
    return cmocka_run_group_tests_name("ldp_client", tests, NULL, NULL);
}
