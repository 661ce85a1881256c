/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_kernels.c SET - one set of kernels: ChaCha20 against libsodium and a published block, first trials against the plain set.
 * Laws and known answers: test_noise.c, test_replay.c, tests/stat/stat_noise.c. */
#include "kernel_set.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static const nw__kernels *kernels;

static void keystream__equals_libsodium_byte_for_byte(void **state)
{
    (void)state;
    enum { MOST = 100 };
    static const uint64_t starts[] = { 0, 1, 5, UINT32_MAX - 40, UINT32_MAX, UINT64_C(1) << 32, UINT64_MAX - MOST };
    uint8_t key[32];
    uint8_t expected[64 * MOST];
    uint8_t actual[64 * MOST + 1];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(37 * i + 11);
    for (size_t s = 0; s < sizeof starts / sizeof *starts; s++) {
        for (size_t blocks = 0; blocks <= MOST; blocks++) {
            const uint64_t nonce = UINT64_C(0x8123456789abcdef) ^ (blocks << 40);
            uint8_t bytes[8];
            for (int i = 0; i < 8; i++)
                bytes[i] = (uint8_t)(nonce >> (8 * i));
            memset(expected, 0, sizeof expected);
            memset(actual, 0xa5, sizeof actual);
            crypto_stream_chacha20_xor_ic(expected, expected, 64 * blocks, bytes, starts[s], key);
            kernels->keystream(actual, blocks, nonce, starts[s], key);
            assert_memory_equal(actual, expected, 64 * blocks);
            assert_int_equal(actual[64 * blocks], 0xa5); /* nothing beyond */
        }
    }
}

/* The all-zero key's first block, the vector that ChaCha20's early drafts publish. */
static void keystream__gives_the_published_block(void **state)
{
    (void)state;
    static const uint8_t zero[32] = { 0 };
    uint8_t block[64];
    char text[129];
    kernels->keystream(block, 1, 0, 0, zero);
    assert_string_equal(sodium_bin2hex(text, sizeof text, block, sizeof block),
        "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
        "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586");
}

/* First trials of one table against the plain set: the flags of every word, the value of every unflagged one. */
static void check_draws(const nw_noise *noise, const uint64_t *words, size_t n)
{
    int64_t expected[4096];
    int64_t actual[4096];
    uint64_t expected_flags[64];
    uint64_t actual_flags[64];
    if (NW__SLOT_BITS + noise->log2_width > 32) {
        nw__kernels_plain.draw_64(noise, words, n, expected, expected_flags);
        kernels->draw_64(noise, words, n, actual, actual_flags);
    } else {
        nw__kernels_plain.draw_32(noise, (const uint32_t *)words, n, expected, expected_flags);
        kernels->draw_32(noise, (const uint32_t *)words, n, actual, actual_flags);
    }
    assert_memory_equal(actual_flags, expected_flags, n / 64 * sizeof *actual_flags);
    for (size_t i = 0; i < n; i++)
        assert_true((expected_flags[i / 64] >> (i % 64) & 1) != 0 || actual[i] == expected[i]);
}

static void draw__equals_the_plain_set(void **state)
{
    (void)state;
    static const double scales[] = { 0x1p-10, 0.25, 1.0, 31.0, 1000.0, 1e6, 9e6, 1.1e7, 2.2e7, 1e9, 0x1p50, 0x1p52, 0x1p54 };
    enum { WORDS = 4096 };
    uint64_t words[WORDS];
    for (int law = NW_NOISE_ROUNDED_GAUSSIAN; law <= NW_NOISE_DISCRETE_LAPLACE; law++) {
        for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
            nw_noise *noise = NULL;
            static const uint8_t key[32] = { 3 };
            assert_int_equal(nw_noise_new(&noise, (nw_noise_law)law, scales[i], NULL), NW_OK);
            nw__kernels_plain.keystream((uint8_t *)words, sizeof words / 64, i, 0, key);
            check_draws(noise, words, WORDS);
            check_draws(noise, words + 5, 64); /* words need not be aligned to vectors */
            for (size_t w = 0; w < WORDS; w++) /* the extremes of every slot's cells */
                words[w] = w % 2 == 0 ? ~UINT64_C(0) - w / 2 : w / 2;
            check_draws(noise, words, WORDS);
            nw_noise_free(noise);
        }
    }
}

static void keystream_off_by_a_bit(uint8_t *out, size_t blocks, uint64_t nonce, uint64_t block, const uint8_t *key)
{
    nw__kernels_plain.keystream(out, blocks, nonce, block, key);
    out[64 * blocks - 1] ^= 1;
}

static void draw_off_by_one(const nw_noise *noise, const uint32_t *words, size_t n, int64_t *out, uint64_t *flagged)
{
    nw__kernels_plain.draw_32(noise, words, n, out, flagged);
    for (size_t i = 0; i < n; i++) /* one value, as from one lane */
        out[i] += i == 17 || i == 18;
}

static void draw_without_a_flag(const nw_noise *noise, const uint64_t *words, size_t n, int64_t *out, uint64_t *flagged)
{
    nw__kernels_plain.draw_64(noise, words, n, out, flagged);
    for (size_t i = 0; i < n / 64; i++)
        flagged[i] = 0;
}

/* A set that is right agrees on every table; one wrong byte, value or flag is seen. */
static void kernels_agree__sees_faults(void **state)
{
    (void)state;
    const nw__kernels bad[3] = {
        { "cipher", keystream_off_by_a_bit, nw__kernels_plain.draw_32, nw__kernels_plain.draw_64 },
        { "value", nw__kernels_plain.keystream, draw_off_by_one, nw__kernels_plain.draw_64 },
        { "flag", nw__kernels_plain.keystream, nw__kernels_plain.draw_32, draw_without_a_flag },
    };
    for (int is_long = 0; is_long < 2; is_long++) {
        nw_noise *noise = NULL;
        assert_int_equal(nw_noise_new(&noise, NW_NOISE_ROUNDED_GAUSSIAN, is_long ? 0x1p40 : 1000.0, NULL), NW_OK);
        assert_true(nw__kernels_agree(kernels, noise));
        assert_ptr_equal(noise->kernels, nw__kernels_best());
        assert_false(nw__kernels_agree(&bad[0], noise));
        assert_true(nw__kernels_agree(&bad[1], noise) == (is_long == 1)); /* which draw the table takes */
        assert_true(nw__kernels_agree(&bad[2], noise) == (is_long == 0));
        nw_noise_free(noise);
    }
}

/* A build without vectors holds the plain set alone; any other ends with the widest, and what is chosen can run. */
static void kernels_best__is_the_widest_that_runs(void **state)
{
    (void)state;
    size_t widest = 0;
    assert_ptr_equal(nw__kernels_at(0), &nw__kernels_plain);
    assert_true(nw__kernels_can_run(&nw__kernels_plain));
    assert_false(nw__kernels_can_run(NULL));
    for (size_t i = 1; nw__kernels_at(i) != NULL; i++)
        if (nw__kernels_can_run(nw__kernels_at(i)))
            widest = i;
    assert_ptr_equal(nw__kernels_best(), nw__kernels_at(widest));
#ifdef NW__SIMD_OFF
    assert_null(nw__kernels_at(1));
#endif
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keystream__equals_libsodium_byte_for_byte),
        cmocka_unit_test(keystream__gives_the_published_block),
        cmocka_unit_test(draw__equals_the_plain_set),
        cmocka_unit_test(kernels_agree__sees_faults),
        cmocka_unit_test(kernels_best__is_the_widest_that_runs),
    };
    kernels = kernel_set(argc > 1 ? argv[1] : "plain");
    if (kernels == NULL)
        return 0;
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
