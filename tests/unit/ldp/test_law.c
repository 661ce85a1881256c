/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_law.c - the exact law of every oracle, recovered from the client itself: for chosen random words the client is a function
 * of two of them, monotone in pieces, so bisection finds the integers of which each probability is made. For all pairs of inputs
 * the ratio must not exceed e^epsilon, in integers of any size, and must nearly reach it. */
#include "ldp_support.h"

#include <sodium.h>

/* ---- integers of 192 bits and more, by digits of 32 bits ---- */

enum { DIGITS = 16 };
typedef struct big {
    uint32_t digit[DIGITS];
} big;

static big big_of(uint64_t x)
{
    return (big){ { (uint32_t)x, (uint32_t)(x >> 32) } };
}

static big big_add(big a, big b)
{
    uint64_t carry = 0;
    for (int i = 0; i < DIGITS; i++) {
        carry += (uint64_t)a.digit[i] + b.digit[i];
        a.digit[i] = (uint32_t)carry;
        carry >>= 32;
    }
    assert_int_equal(carry, 0);
    return a;
}

static big big_multiply(big a, big b)
{
    big product = { { 0 } };
    for (int i = 0; i < DIGITS; i++) {
        uint64_t carry = 0;
        for (int j = 0; i + j < DIGITS; j++) {
            carry += (uint64_t)a.digit[i] * b.digit[j] + product.digit[i + j];
            product.digit[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        assert_int_equal(carry, 0);
    }
    return product;
}

static int big_compare(big a, big b)
{
    for (int i = DIGITS; i-- > 0;)
        if (a.digit[i] != b.digit[i])
            return a.digit[i] < b.digit[i] ? -1 : 1;
    return 0;
}

static long double big_value(big a)
{
    long double x = 0.0L;
    for (int i = DIGITS; i-- > 0;)
        x = x * 0x1p32L + a.digit[i];
    return x;
}

/* 2^64 - x for x >= 1, or 2^64 for 0. */
static big rest_of(uint64_t x)
{
    return x == 0 ? (big){ { 0, 0, 1 } } : big_of(0 - x);
}

/* ---- e^epsilon ---- */

/* e^(x / 2^32) to 30 digits: Taylor in rationals over 2^128, on x / 2^36 and squared. Here in long double with a margin far above
 * its error. */
static void exp__is_rounded_down_and_close(void **state)
{
    (void)state;
    uint64_t x = UINT64_C(1) << 22;
    for (int i = 0; i < 4000; i++) {
        const long double truth = expl((long double)x * 0x1p-32L);
        const long double found = (long double)nw__ldp_exp(x) * 0x1p-40L;
        assert_true(found <= truth * (1.0L + 0x1p-60L));
        assert_true(found >= truth * (1.0L - 0x1p-50L) - 0x1p-39L);
        const long double root = (long double)nw__ldp_root(nw__ldp_exp(x)) * 0x1p-40L;
        assert_true(root * root <= found && root >= sqrtl(found) * (1.0L - 0x1p-39L));
        x += UINT64_C(17179869184) * 4 / 4000 + (uint64_t)i * 7919;
        if (x > NW__LDP_LARGEST_EPSILON)
            x = NW__LDP_LARGEST_EPSILON;
    }
}

static void threshold__is_the_largest_that_keeps_the_ratio(void **state)
{
    (void)state;
    const uint64_t factors[][2] = { { 1, 1 }, { 5, 3 }, { UINT64_C(1) << 63, (UINT64_C(1) << 63) / 1023 }, { 1000, 7 } };
    for (size_t i = 0; i < 4; i++)
        for (uint64_t epsilon = UINT64_C(1) << 22; epsilon <= NW__LDP_LARGEST_EPSILON; epsilon *= 3) {
            const uint64_t ratio = nw__ldp_exp(epsilon);
            const uint64_t t = nw__ldp_threshold(ratio, factors[i][0], factors[i][1]);
            for (uint64_t x = t; x <= t + 1; x++) {
                const big left = big_multiply(big_multiply(big_of(x), big_of(factors[i][0])), big_of(NW__LDP_ONE_RATIO));
                const big right = big_multiply(big_multiply(big_of(ratio), rest_of(x)), big_of(factors[i][1]));
                assert_int_equal(big_compare(left, right) <= 0, x == t);
            }
        }
}

/* ---- laws ---- */

/* How many of the 2^64 values of the word KEEP give what its value 0 gives, `which` given. */
static uint64_t kept(const nw_ldp_campaign *c, nw_ldp_item item, uint64_t coin, uint64_t round, uint64_t which)
{
    uint64_t low = 0;
    uint64_t high = UINT64_MAX;
    const uint64_t first = payload_of(c, item, coin, 0, which, round);
    assert_true(payload_of(c, item, coin, high, which, round) != first);
    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        *(payload_of(c, item, coin, middle, which, round) == first ? &low : &high) = middle;
    }
    return high;
}

/* Adds to law[y] the number of values of the word WHICH that give y, times `times`. */
static void add_pieces(
    const nw_ldp_campaign *c, nw_ldp_item item, uint64_t coin, uint64_t round, uint64_t keep, big times, big *law, size_t outputs)
{
    uint64_t start = 0;
    size_t pieces = 0;
    for (;;) {
        const uint64_t y = payload_of(c, item, coin, keep, start, round);
        assert_true(y < outputs && ++pieces <= outputs); /* one piece an output at most: the words are mapped evenly */
        uint64_t low = start;
        uint64_t high = UINT64_MAX;
        if (payload_of(c, item, coin, keep, high, round) == y) {
            law[y] = big_add(law[y], big_multiply(times, rest_of(start)));
            return;
        }
        while (high - low > 1) {
            const uint64_t middle = low + (high - low) / 2;
            *(payload_of(c, item, coin, keep, middle, round) == y ? &low : &high) = middle;
        }
        law[y] = big_add(law[y], big_multiply(times, big_of(high - start)));
        start = high;
    }
}

/* 2^128 times the probability of each output, of an item, given the coin and the rounding. */
static void find_law(const nw_ldp_campaign *c, nw_ldp_item item, uint64_t coin, uint64_t round, big *law, size_t outputs)
{
    memset(law, 0, outputs * sizeof *law);
    /* a word for which the two classes differ: the likely and the other outputs are disjoint */
    const uint64_t threshold = kept(c, item, coin, round, 0);
    add_pieces(c, item, coin, round, 0, big_of(threshold), law, outputs);
    add_pieces(c, item, coin, round, UINT64_MAX, rest_of(threshold), law, outputs);
    big sum = { { 0 } };
    for (size_t y = 0; y < outputs; y++)
        sum = big_add(sum, law[y]);
    assert_int_equal(big_compare(sum, (big){ { 0, 0, 0, 0, 1 } }), 0);
}

/* All laws of all inputs: no output's probabilities differ by more than the ratio; some nearly do. */
static void check_ratios(const big *laws, size_t inputs, size_t outputs, uint64_t ratio)
{
    long double largest = 0.0L;
    for (size_t y = 0; y < outputs; y++) {
        big most = laws[y];
        big least = laws[y];
        for (size_t x = 1; x < inputs; x++) {
            const big p = laws[x * outputs + y];
            most = big_compare(p, most) > 0 ? p : most;
            least = big_compare(p, least) < 0 ? p : least;
        }
        assert_true(big_compare(big_multiply(most, big_of(NW__LDP_ONE_RATIO)), big_multiply(least, big_of(ratio))) <= 0);
        const long double found = big_value(most) / big_value(least);
        largest = found > largest ? found : largest;
    }
    assert_true(largest >= (long double)ratio * 0x1p-40L * (1.0L - 0x1p-38L));
}

static void check_items(const nw_ldp_campaign *c, uint64_t coin, uint64_t round, size_t outputs)
{
    const bool is_number = nw__ldp_is_number(c->oracle);
    const size_t inputs = is_number ? 16 : (size_t)c->domain; /* numbers: places from one end to the other */
    big *laws = calloc(inputs * outputs, sizeof *laws);
    assert_non_null(laws);
    for (size_t x = 0; x < inputs; x++) {
        const nw_ldp_item item = item_of(is_number ? (x << 32) / (inputs - 1) : x);
        find_law(c, item, coin, round, laws + x * outputs, outputs);
    }
    check_ratios(laws, inputs, outputs, c->ratio);
    free(laws);
}

static const double epsilons[] = { 0.0009765625, 0.5, 1.0, 4.0, 16.0 };

static void report__keeps_the_ratio_of_outputs_that_are_numbers(void **state)
{
    (void)state;
    for (size_t e = 0; e < 5; e++) {
        nw_ldp_campaign c = make(NW_LDP_GRR, epsilons[e], 2);
        check_items(&c, 0, 0, c.outputs);
        c = make(NW_LDP_GRR, epsilons[e], 13);
        check_items(&c, 0, 0, c.outputs);
        for (uint32_t blocks = 1; blocks <= 4; blocks *= 2) {
            nw_ldp_campaign_opts o = options(NW_LDP_HADAMARD, epsilons[e], 11);
            o.symbols = blocks;
            c = campaign_of(o);
            check_items(&c, 0, 0, c.outputs);
        }
        for (uint32_t q = 2; q <= 5; q += q == 2 ? 1 : 2) {
            nw_ldp_campaign_opts o = options(NW_LDP_PROJECTIVE, epsilons[e], 12);
            o.symbols = q;
            c = campaign_of(o);
            check_items(&c, 0, 0, c.outputs);
        }
    }
}

/* Whatever the seed, what the report says besides it keeps the ratio: over all values of the cell, and so of items. */
static void report__keeps_the_ratio_of_hashes(void **state)
{
    (void)state;
    for (size_t e = 0; e < 5; e++)
        for (uint64_t seed = 1; seed < 4; seed++) {
            nw_ldp_campaign_opts o = options(NW_LDP_OLH, epsilons[e], 40);
            o.symbols = 5;
            nw_ldp_campaign c = campaign_of(o);
            check_items(&c, seed * 1000003, 0, 5);
            o.oracle = NW_LDP_BLH;
            o.symbols = 8;
            c = campaign_of(o);
            check_items(&c, seed * 1000003, 0, 8);
        }
}

/* The smallest bands that the format allows, so that all outputs can be enumerated. */
static nw_ldp_campaign small_band(nw_ldp_oracle oracle, double epsilon)
{
    uint8_t bytes[NW_LDP_CAMPAIGN_BYTES];
    nw_ldp_campaign c = make(oracle, epsilon, oracle == NW_LDP_SQUARE_WAVE ? 8 : 0);
    nw_ldp_campaign_write(&c, bytes);
    nw__put(bytes + 10, 3, 2);
    nw__put(bytes + 12, 10, 4);
    assert_int_equal(nw_ldp_campaign_read(&c, bytes, sizeof bytes), NW_OK);
    return c;
}

static void report__keeps_the_ratio_of_numbers(void **state)
{
    (void)state;
    for (size_t e = 0; e < 5; e++)
        for (uint64_t round = 0; round < 2; round++) { /* rounded up or down: either is an input of its own */
            const uint64_t word = round == 0 ? UINT64_MAX : 0;
            nw_ldp_campaign c = make(NW_LDP_DUCHI, epsilons[e], 0);
            check_items(&c, 0, UINT64_C(0x5555) << 48, 2);
            c = small_band(NW_LDP_PIECEWISE, epsilons[e]);
            check_items(&c, 0, word, 10);
            c = small_band(NW_LDP_SQUARE_WAVE, epsilons[e]);
            check_items(&c, 0, word, 10);
            c = small_band(NW_LDP_HYBRID, epsilons[e]);
            if (c.mix > 0)
                check_items(&c, 0, word, 12);
            check_items(&c, UINT64_MAX, UINT64_C(0x5555) << 48, 12);
        }
}

/* Bits are independent, so the ratio of two items is that of the two bits where their probabilities differ. */
static void report__keeps_the_ratio_of_bits(void **state)
{
    (void)state;
    for (size_t e = 0; e < 5; e++)
        for (int oracle = NW_LDP_SUE; oracle <= NW_LDP_OUE; oracle++) {
            const nw_ldp_campaign c = make((nw_ldp_oracle)oracle, epsilons[e], 3);
            big one[2];
            big zero[2];
            for (uint64_t own = 0; own < 2; own++) { /* the words below which bit 1 is set, if it is the user's and if not */
                uint64_t low = 0;
                uint64_t high = UINT64_MAX;
                while (high - low > 1) {
                    const uint64_t middle = low + (high - low) / 2;
                    uint8_t report[NW_LDP_SHORT_REPORT];
                    script s = { (const uint64_t[]){ 0, middle, 0 }, 3, 0 };
                    assert_int_equal(nw_ldp_report(&c, NULL, item_of(own), draw_script, &s, report, sizeof report), NW_OK);
                    assert_int_equal(s.used, 3);
                    *((report[NW_LDP_REPORT_HEADER] & 2) != 0 ? &low : &high) = middle;
                }
                one[own] = big_of(high);
                zero[own] = rest_of(high);
            }
            /* (1 | own)(0 | other) <= ratio (1 | other)(0 | own) */
            const big left = big_multiply(big_multiply(one[1], zero[0]), big_of(NW__LDP_ONE_RATIO));
            const big right = big_multiply(big_multiply(one[0], zero[1]), big_of(c.ratio));
            assert_true(big_compare(left, right) <= 0);
            assert_true(big_value(left) >= big_value(right) * (1.0L - 0x1p-29L));
        }
}

/* Sets: the user's item is in it with probability keep / 2^64; all sets with, and all without it, are equally likely, so the
 * ratio is keep / (2^64 - keep) times (d - w) / w. */
static void report__keeps_the_ratio_of_sets(void **state)
{
    (void)state;
    for (size_t e = 0; e < 5; e++)
        for (uint32_t w = 1; w < 7; w++) {
            nw_ldp_campaign_opts o = options(NW_LDP_SUBSET, epsilons[e], 7);
            o.symbols = w;
            const nw_ldp_campaign c = campaign_of(o);
            uint64_t low = 0;
            uint64_t high = UINT64_MAX;
            while (high - low > 1) {
                const uint64_t middle = low + (high - low) / 2;
                uint8_t report[NW_LDP_SHORT_REPORT];
                uint64_t words[32];
                for (int i = 0; i < 32; i++)
                    words[i] = UINT64_MAX / 3 * 2;
                words[0] = middle;
                script s = { words, 32, 0 };
                assert_int_equal(nw_ldp_report(&c, NULL, item_of(4), draw_script, &s, report, sizeof report), NW_OK);
                assert_int_equal(__builtin_popcount(report[NW_LDP_REPORT_HEADER]), w);
                *((report[NW_LDP_REPORT_HEADER] & 16) != 0 ? &low : &high) = middle;
            }
            const big left = big_multiply(big_multiply(big_of(high), big_of(7 - w)), big_of(NW__LDP_ONE_RATIO));
            const big right = big_multiply(big_multiply(rest_of(high), big_of(w)), big_of(c.ratio));
            assert_true(big_compare(left, right) <= 0);
            assert_true(big_value(left) >= big_value(right) * (1.0L - 0x1p-40L));
        }
}

/* The permanent answer's and the fresh one's probabilities together keep the ratio of one report: in real numbers, whose error is
 * far below the slack that is asked for. */
static void campaign__first_epsilon_bounds_one_report(void **state)
{
    (void)state;
    const double pairs[][2] = { { 1.0, 0.5 }, { 4.0, 1.0 }, { 16.0, 2.0 }, { 0.5, 0.01 }, { 8.0, 7.9 } };
    for (size_t i = 0; i < 5; i++) {
        nw_ldp_campaign_opts o = options(NW_LDP_SUE, pairs[i][0], 5);
        o.first_epsilon = pairs[i][1];
        const nw_ldp_campaign c = campaign_of(o);
        const long double p = (long double)c.keep * 0x1p-64L;
        const long double s = (long double)c.again * 0x1p-64L;
        const long double first = p * s + (1.0L - p) * (1.0L - s);
        const long double loss = 2.0L * logl(first / (1.0L - first));
        const long double wanted = (long double)c.first_epsilon * 0x1p-32L;
        assert_true(loss <= wanted);
        assert_true(loss >= wanted * (1.0L - 1e-7L));
    }
}

/* ---- the client's own hash ---- */

static void hash__is_blake2b(void **state)
{
    (void)state;
    uint8_t bytes[300];
    uint8_t key[NW_LDP_KEY_BYTES];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + 3);
    memcpy(key, bytes + 100, sizeof key);
    for (size_t n = 0; n <= sizeof bytes; n++)
        for (size_t size = 16; size <= 64; size += 16) {
            uint8_t found[64];
            uint8_t wanted[64];
            const size_t split = n / 3;
            nw__ldp_hash(found, size, n % 2 == 0 ? key : NULL, bytes, split, bytes + split, n - split);
            assert_int_equal(crypto_generichash(wanted, size, bytes, n, n % 2 == 0 ? key : NULL, n % 2 == 0 ? sizeof key : 0), 0);
            assert_memory_equal(found, wanted, size);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp__is_rounded_down_and_close),
        cmocka_unit_test(threshold__is_the_largest_that_keeps_the_ratio),
        cmocka_unit_test(report__keeps_the_ratio_of_outputs_that_are_numbers),
        cmocka_unit_test(report__keeps_the_ratio_of_hashes),
        cmocka_unit_test(report__keeps_the_ratio_of_numbers),
        cmocka_unit_test(report__keeps_the_ratio_of_bits),
        cmocka_unit_test(report__keeps_the_ratio_of_sets),
        cmocka_unit_test(campaign__first_epsilon_bounds_one_report),
        cmocka_unit_test(hash__is_blake2b),
    };
    return cmocka_run_group_tests_name("ldp_law", tests, NULL, NULL);
}
