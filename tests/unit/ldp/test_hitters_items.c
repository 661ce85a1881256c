/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_hitters_items.c - items as codes and back; which prefixes there are, against all codes of small domains; the central
 * model. */
#include "ldp_support.h"

/* ---- codes ---- */

static nw_ldp_item encoded(nw_hh_encoding encoding, unsigned bits, const char *text)
{
    nw_ldp_item item;
    assert_true(nw_hh_encode(encoding, bits, NULL, text, strlen(text), &item));
    return item;
}

static void assert_text(nw_hh_encoding encoding, unsigned bits, const char *text, const char *wanted)
{
    char out[NW_HH_TEXT_SIZE];
    assert_true(nw_hh_decode(encoding, bits, encoded(encoding, bits, text), out));
    assert_string_equal(out, wanted);
}

static void encode__and_decode_agree(void **state)
{
    (void)state;
    assert_text(NW_HH_LETTERS5, 60, "Emma", "emma");
    assert_text(NW_HH_LETTERS5, 60, "O'Brien-X", "o'brien'x");
    assert_text(NW_HH_LETTERS5, 60, "abcdefghijklmnop", "abcdefghijkl");
    assert_text(NW_HH_LETTERS5, 128, "abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxy");
    assert_text(NW_HH_UTF8, 64, "caf\xc3\xa9", "caf\xc3\xa9");
    assert_text(NW_HH_UTF8, 64, "1234567\xc3\xa9", "1234567"); /* not cut within a character */
    assert_text(NW_HH_UTF8, 128, "0123456789abcdefg", "0123456789abcdef");
    assert_text(NW_HH_U64, 64, "18446744073709551615", "18446744073709551615");
    assert_text(NW_HH_U64, 128, "0xffffffffffffffffffffffffffffffff", "340282366920938463463374607431768211455");
    assert_text(NW_HH_U64, 48, "0x12Ab", "4779");
    assert_text(NW_HH_U64, 1, "1", "1");
    assert_int_equal(encoded(NW_HH_LETTERS5, 60, "a").low, UINT64_C(1) << 55);
    assert_int_equal(encoded(NW_HH_UTF8, 128, "a").high, UINT64_C(0x61) << 56);
}

static void encode__refuses_what_is_no_number(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "-1", "1.5", " 1", "12x", "0x", "0xg", "256", "0x100",
        "340282366920938463463374607431768211456" };
    nw_ldp_item item;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(nw_hh_encode(NW_HH_U64, 8, NULL, bad[i], strlen(bad[i]), &item));
    assert_false(nw_hh_encode(NW_HH_U64, 128, NULL, bad[9], strlen(bad[9]), &item));
    assert_false(nw_hh_encode(NW_HH_U64, 0, NULL, "1", 1, &item));
    assert_false(nw_hh_encode(NW_HH_U64, 129, NULL, "1", 1, &item));
}

static void hash__depends_on_text_and_key(void **state)
{
    (void)state;
    const uint8_t keys[2][NW_LDP_ID_BYTES] = { { 1 }, { 2 } };
    nw_ldp_item item[4];
    char out[NW_HH_TEXT_SIZE];
    assert_true(nw_hh_encode(NW_HH_HASH, 100, keys[0], "apple", 5, &item[0]));
    assert_true(nw_hh_encode(NW_HH_HASH, 100, keys[0], "apple", 5, &item[1]));
    assert_true(nw_hh_encode(NW_HH_HASH, 100, keys[0], "apples", 6, &item[2]));
    assert_true(nw_hh_encode(NW_HH_HASH, 100, keys[1], "apple", 5, &item[3]));
    assert_memory_equal(&item[0], &item[1], sizeof *item);
    assert_memory_not_equal(&item[0], &item[2], sizeof *item);
    assert_memory_not_equal(&item[0], &item[3], sizeof *item);
    assert_int_equal(item[0].high >> 36, 0);
    assert_true(nw_hh_decode(NW_HH_HASH, 100, item[0], out));
    assert_int_equal(strlen(out), 25);
}

/* Marks the code of every text of up to `most` bytes. */
static void mark_all(nw_hh_encoding encoding, unsigned bits, size_t most, bool *is_code)
{
    for (uint32_t x = 0; x < UINT32_C(1) << (8 * most); x++) {
        const char text[3] = { (char)(x & 0xff), (char)(x >> 8 & 0xff), (char)(x >> 16) };
        for (size_t n = 0; n <= most; n++) {
            nw_ldp_item item;
            assert_true(nw_hh_encode(encoding, bits, NULL, text, n, &item));
            assert_true(item.low >> bits == 0);
            is_code[item.low] = true;
        }
    }
}

/* Whether bytes, before zeros, are UTF-8: by its table, [RFC3629, sec. 4]. */
static bool is_valid_utf8(uint32_t code)
{
    const unsigned a = code >> 8;
    const unsigned b = code & 0xff;
    if (a == 0)
        return b == 0;
    if (a < 0x80)
        return b < 0x80;
    return a >= 0xc2 && a <= 0xdf && b >= 0x80 && b <= 0xbf;
}

static void check_prefixes(nw_hh_encoding encoding, unsigned bits, const bool *is_code)
{
    for (unsigned length = 0; length <= bits; length++)
        for (uint32_t prefix = 0; prefix < UINT32_C(1) << length; prefix++) {
            bool is_there = false;
            for (uint32_t rest = 0; rest < UINT32_C(1) << (bits - length) && !is_there; rest++)
                is_there = is_code[prefix << (bits - length) | rest];
            if (nw_hh_is_prefix(encoding, bits, item_of(prefix), length) != is_there)
                fail_msg("%s: prefix %u of %u bits of %u", nw_hh_encoding_name(encoding), prefix, length, bits);
        }
}

static void is_prefix__knows_all_codes_and_no_others(void **state)
{
    (void)state;
    static bool is_code[1 << 16];
    for (unsigned bits = 1; bits <= 13; bits++) {
        memset(is_code, 0, sizeof is_code);
        mark_all(NW_HH_LETTERS5, bits, 2, is_code);
        check_prefixes(NW_HH_LETTERS5, bits, is_code);
    }
    for (uint32_t code = 0; code < 1 << 16; code++)
        is_code[code] = is_valid_utf8(code);
    check_prefixes(NW_HH_UTF8, 16, is_code);
    assert_true(nw_hh_is_prefix(NW_HH_U64, 128, (nw_ldp_item){ UINT64_MAX, UINT64_MAX }, 128));
    assert_false(nw_hh_is_prefix(NW_HH_U64, 8, item_of(256), 8));
    assert_false(nw_hh_is_prefix(NW_HH_U64, 8, item_of(1), 9));
}

/* ---- the central model ---- */

static nw_hh_central_opts central(double epsilon, double delta, uint32_t top)
{
    nw_hh_central_opts o = NW_HH_CENTRAL_OPTS_INIT;
    o.epsilon = epsilon;
    o.delta = delta;
    o.top = top;
    return o;
}

static nw_ledger *ledger_of(double epsilon, double delta)
{
    nw_ledger *ledger = NULL;
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    o.epsilon = epsilon;
    o.delta = delta;
    o.adjacency = NW_ADD_REMOVE;
    o.filter = NW_FILTER_PURE;
    assert_int_equal(nw_ledger_memory(&ledger, &o, NULL), NW_OK);
    return ledger;
}

static void central__tells_the_most_frequent_above_its_threshold(void **state)
{
    (void)state;
    const nw_ldp_item items[5] = { { 0, 10 }, { 0, 11 }, { 1, 12 }, { 0, 13 }, { 0, 14 } };
    const int64_t counts[5] = { 5, 4000, 9000, 2, 7000 };
    const nw_hh_central_opts o = central(1.0, 1e-9, 2);
    nw_ledger *ledger = ledger_of(1.0, 1e-9); /* all of it is spent: the release fits what it says it costs */
    nw_rng *rng = seeded(4);
    nw_receipt receipt;
    nw_hh_hit hits[5];
    size_t n;
    assert_int_equal(nw_hh_central_release(&o, rng, ledger, "twin", items, counts, 5, hits, &n, &receipt, NULL), NW_OK);
    assert_int_equal(n, 2);
    assert_int_equal(hits[0].item.low, 12);
    assert_int_equal(hits[1].item.low, 14);
    assert_near(hits[0].count, 9000.0, 40.0); /* e^-40 */
    assert_near(hits[0].error, sqrt(2.0 * exp(-1.0)) / (1.0 - exp(-1.0)), 1e-12);
    assert_true(receipt.epsilon <= 1.0 && receipt.epsilon > 0.999 && receipt.delta <= 1e-9);
    assert_int_equal(nw_hh_central_release(&o, rng, ledger, "again", items, counts, 5, hits, &n, &receipt, NULL), NW_E_BUDGET);
    assert_int_equal(n, 0);
    nw_ledger_close(ledger);
    nw_rng_free(rng);
}

/* An item of one user comes out with probability q^(t-1) / (1 + q) for the least t that keeps delta: 0.2 here, from q = 1/e. */
static void central__keeps_lone_items_back_as_often_as_it_says(void **state)
{
    (void)state;
    enum { RUNS = 4000 };
    const nw_ldp_item item = { 0, 1 };
    const int64_t one = 1;
    const double q = exp(-1.0);
    const double expected = q / (1.0 + q); /* t = 2: 0.269 is above 0.2, so t = 3 */
    const nw_hh_central_opts o = central(1.0, 0.27, 1);
    nw_rng *rng = seeded(9);
    nw_ledger *ledger = NULL;
    nw_ledger_opts lo = NW_LEDGER_OPTS_INIT;
    size_t told = 0;
    lo.delta = 0.5;
    lo.adjacency = NW_ADD_REMOVE;
    assert_int_equal(nw_ledger_unlimited(&ledger, &lo, NULL), NW_OK);
    for (int r = 0; r < RUNS; r++) {
        nw_hh_hit hit;
        size_t n;
        assert_int_equal(nw_hh_central_release(&o, rng, ledger, "lone", &item, &one, 1, &hit, &n, NULL, NULL), NW_OK);
        told += n;
    }
    assert_near((double)told / RUNS, expected, 6.0 * sqrt(expected * (1.0 - expected) / RUNS)); /* 1e-9 */
    nw_ledger_close(ledger);
    nw_rng_free(rng);
}

static void central__refuses_bad_options(void **state)
{
    (void)state;
    static const struct {
        double epsilon, delta;
        uint32_t top;
        const char *text;
    } bad[] = {
        { 0.0, 1e-9, 1, "epsilon is 0" },
        { NAN, 1e-9, 1, "epsilon is nan" },
        { 65.0, 1e-9, 1, "epsilon is 65" },
        { 1.0, 0.0, 1, "delta is 0" },
        { 1.0, 0.5, 1, "delta is 0.5" },
        { 60.0, 1e-12, 1, "for the sampler's distance" },
        { 1.0, 1e-9, 0, "top is 0" },
        { 1.0, 1e-9, 4097, "top is 4097" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const nw_hh_central_opts o = central(bad[i].epsilon, bad[i].delta, bad[i].top);
        nw_event *event = NULL;
        nw_error err;
        assert_int_equal(nw_hh_central_event(&event, &o, &err), NW_E_ARG);
        assert_null(event);
        if (strstr(err.message, bad[i].text) == NULL)
            fail_msg("\"%s\" must have \"%s\"", err.message, bad[i].text);
    }
    assert_int_equal(nw_hh_central_event(NULL, NULL, NULL), NW_E_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encode__and_decode_agree),
        cmocka_unit_test(encode__refuses_what_is_no_number),
        cmocka_unit_test(hash__depends_on_text_and_key),
        cmocka_unit_test(is_prefix__knows_all_codes_and_no_others),
        cmocka_unit_test(central__tells_the_most_frequent_above_its_threshold),
        cmocka_unit_test(central__keeps_lone_items_back_as_often_as_it_says),
        cmocka_unit_test(central__refuses_bad_options),
    };
    return cmocka_run_group_tests_name("hitters_items", tests, NULL, NULL);
}
