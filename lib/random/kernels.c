/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* kernels.c - the plain set, and the choice among the sets. */
#include "kernels.h"

#include <sodium.h>
#include <string.h>

static void keystream(uint8_t *out, size_t blocks, uint64_t nonce, uint64_t block, const uint8_t *key)
{
    uint8_t n[crypto_stream_chacha20_NONCEBYTES];
    for (int i = 0; i < 8; i++)
        n[i] = (uint8_t)(nonce >> (8 * i));
    memset(out, 0, blocks * NW__CHACHA20_BLOCK);
    crypto_stream_chacha20_xor_ic(out, out, blocks * NW__CHACHA20_BLOCK, n, block, key);
}

/* First trials of words of either size; inlined once for each. What the loop needs of the table is held in variables, as the
 * compiler cannot know that `out` is no part of it. */
static inline void draw(const nw_noise *noise, const uint32_t *words32, const uint64_t *words64, size_t n, int64_t *restrict out,
    uint64_t *restrict flagged)
{
    const int16_t *restrict fast = noise->fast;
    const unsigned s = noise->log2_width;
    const unsigned halvings = noise->halvings;
    const uint64_t mask = (UINT64_C(1) << s) - 1;
    const int64_t half = (INT64_C(1) << halvings) >> 1;
    for (size_t i = 0; i < n; i += 64) {
        uint64_t bits = 0;
        for (size_t j = 0; j < 64; j++) {
            const uint64_t word = words32 != NULL ? words32[i + j] : words64[i + j];
            const int16_t block = fast[word & (NW__SLOTS - 1)];
            /* unsigned, as NW__SLOT_FLAGGED may leave the range: such a cell says nothing */
            const int64_t cell = (int64_t)(((uint64_t)(int64_t)block << s) + ((word >> NW__SLOT_BITS) & mask));
            /* floor: >> of a negative number is arithmetic on every compiler we know; tested */
            out[i + j] = (cell + half) >> halvings;
            bits = (bits >> 1) | ((uint64_t)(block == NW__SLOT_FLAGGED) << 63);
        }
        flagged[i / 64] = bits;
    }
}

static void draw_32(const nw_noise *noise, const uint32_t *words, size_t n, int64_t *out, uint64_t *flagged)
{
    draw(noise, words, NULL, n, out, flagged);
}

static void draw_64(const nw_noise *noise, const uint64_t *words, size_t n, int64_t *out, uint64_t *flagged)
{
    draw(noise, NULL, words, n, out, flagged);
}

const nw__kernels nw__kernels_plain = { "plain", keystream, draw_32, draw_64 };

static const nw__kernels *const sets[] = {
    &nw__kernels_plain,
#ifdef NW__HAS_VECTOR
    &nw__kernels_vector,
#endif
#ifdef NW__HAS_AVX2
    &nw__kernels_avx2,
#endif
#ifdef NW__HAS_AVX512
    &nw__kernels_avx512,
#endif
};

const nw__kernels *nw__kernels_at(size_t i)
{
    return i < sizeof sets / sizeof *sets ? sets[i] : NULL;
}

bool nw__kernels_can_run(const nw__kernels *kernels)
{
#ifdef NW__HAS_AVX512
    if (kernels == &nw__kernels_avx512)
        return __builtin_cpu_supports("avx512f");
#endif
#ifdef NW__HAS_AVX2
    if (kernels == &nw__kernels_avx2)
        return __builtin_cpu_supports("avx2");
#endif
    return kernels != NULL;
}

/* 16 blocks of the cipher, and the first trials of their words. */
bool nw__kernels_agree(const nw__kernels *kernels, const nw_noise *noise)
{
    enum { WORDS = 128 * 8 };
    static const uint8_t key[32] = { 1, 2, 3, 5, 8, 13, 21, 34 };
    const uint64_t nonce = UINT64_C(0x0123456789abcdef);
    const bool is_short = NW__SLOT_BITS + noise->log2_width <= 32;
    uint64_t words[2][WORDS];
    int64_t out[2][WORDS];
    uint64_t flagged[2][WORDS / 64];
    const nw__kernels *const both[2] = { &nw__kernels_plain, kernels };
    for (int i = 0; i < 2; i++) {
        both[i]->keystream((uint8_t *)words[i], sizeof words[i] / NW__CHACHA20_BLOCK, nonce, UINT32_MAX - 3, key);
        if (is_short)
            both[i]->draw_32(noise, (const uint32_t *)words[i], WORDS, out[i], flagged[i]);
        else
            both[i]->draw_64(noise, words[i], WORDS, out[i], flagged[i]);
    }
    bool is_same = memcmp(words[0], words[1], sizeof words[0]) == 0 && memcmp(flagged[0], flagged[1], sizeof flagged[0]) == 0;
    for (size_t i = 0; i < WORDS; i++)
        is_same = is_same && ((flagged[0][i / 64] >> (i % 64) & 1) != 0 || out[0][i] == out[1][i]);
    return is_same;
}

const nw__kernels *nw__kernels_best(void)
{
    size_t i = sizeof sets / sizeof *sets - 1;
    while (!nw__kernels_can_run(sets[i]))
        i--;
    return sets[i];
}
