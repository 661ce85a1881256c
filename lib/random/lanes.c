/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* lanes.c - the sampler's inner loops on vectors. One source, compiled once a width: the build defines NW__LANES to 4, 8 or 16
 * and allows the instructions; the header of that width gives the few words that differ.
 *
 * ChaCha20 [Ber08] lies across the lanes, one block a lane, the same word of every block in one vector. So the double round
 * needs no shuffles, and the blocks are turned upright when they are written. */
#include "kernels.h"

#include <sodium.h>

#if NW__LANES == 16
#include "vector_avx512.h"
#elif NW__LANES == 8
#include "vector_avx2.h"
#else
#include "vector_portable.h"
#endif

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are written in the machine's order");

#define ALWAYS_INLINE static inline __attribute__((always_inline))

ALWAYS_INLINE void quarter_round(vec32 *a, vec32 *b, vec32 *c, vec32 *d)
{
    *a += *b;
    *d = rotate_16(*d ^ *a);
    *c += *d;
    *b ^= *c;
    *b = (*b << 12) | (*b >> 20);
    *a += *b;
    *d = rotate_8(*d ^ *a);
    *c += *d;
    *b ^= *c;
    *b = (*b << 7) | (*b >> 25);
}

ALWAYS_INLINE void double_round(vec32 x[16])
{
    quarter_round(&x[0], &x[4], &x[8], &x[12]);
    quarter_round(&x[1], &x[5], &x[9], &x[13]);
    quarter_round(&x[2], &x[6], &x[10], &x[14]);
    quarter_round(&x[3], &x[7], &x[11], &x[15]);
    quarter_round(&x[0], &x[5], &x[10], &x[15]);
    quarter_round(&x[1], &x[6], &x[11], &x[12]);
    quarter_round(&x[2], &x[7], &x[8], &x[13]);
    quarter_round(&x[3], &x[4], &x[9], &x[14]);
}

/* Words `at` .. `at` + 3 of every block: 4 x 4 words turned within each 128 bits, which then are a quarter of one block. */
ALWAYS_INLINE void write_words(uint8_t *out, int at, vec32 a, vec32 b, vec32 c, vec32 d)
{
    const vec32 ab_low = unpack_low_32(a, b);
    const vec32 ab_high = unpack_high_32(a, b);
    const vec32 cd_low = unpack_low_32(c, d);
    const vec32 cd_high = unpack_high_32(c, d);
    const vec32 turned[4] = { unpack_low_64(ab_low, cd_low), unpack_high_64(ab_low, cd_low), unpack_low_64(ab_high, cd_high),
        unpack_high_64(ab_high, cd_high) };
    for (int part = 0; part < LANES / 4; part++)
        for (int i = 0; i < 4; i++)
            memcpy(out + NW__CHACHA20_BLOCK * (4 * part + i) + 4 * at, (const uint8_t *)&turned[i] + 16 * part, 16);
}

/* LANES blocks; `input` is the state of [Ber08] but for the counter in words 12 and 13, which differs by lane. */
static void write_blocks(uint8_t *out, const uint32_t input[16], uint64_t block)
{
    vec32 start[16];
    vec32 x[16];
    for (int i = 0; i < 16; i++)
        start[i] = (vec32){ 0 } + input[i];
    for (int lane = 0; lane < LANES; lane++) {
        start[12][lane] = (uint32_t)(block + (uint64_t)lane);
        start[13][lane] = (uint32_t)((block + (uint64_t)lane) >> 32);
    }
    for (int i = 0; i < 16; i++)
        x[i] = start[i];
    for (int round = 0; round < 20; round += 2)
        double_round(x);
    for (int i = 0; i < 16; i += 4)
        write_words(out, i, x[i] + start[i], x[i + 1] + start[i + 1], x[i + 2] + start[i + 2], x[i + 3] + start[i + 3]);
}

static void keystream(uint8_t *out, size_t blocks, uint64_t nonce, uint64_t block, const uint8_t *key)
{
    uint32_t input[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 }; /* "expand 32-byte k" */
    memcpy(input + 4, key, 32);
    memcpy(input + 14, &nonce, 8);
    for (; blocks >= LANES; blocks -= LANES, block += LANES, out += LANES * NW__CHACHA20_BLOCK)
        write_blocks(out, input, block);
    if (blocks > 0) {
        uint8_t last[LANES * NW__CHACHA20_BLOCK];
        write_blocks(last, input, block);
        memcpy(out, last, blocks * NW__CHACHA20_BLOCK);
        sodium_memzero(last, sizeof last);
    }
    sodium_memzero(input, sizeof input);
}

static void draw_32(const nw_noise *noise, const uint32_t *words, size_t n, int64_t *out, uint64_t *flagged)
{
    const int s = (int)noise->log2_width;
    const int halvings = (int)noise->halvings;
    const vec32 mask = (vec32){ 0 } + ((UINT32_C(1) << s) - 1);
    const vec32 half = (vec32){ 0 } + ((UINT32_C(1) << halvings) >> 1);
    const vec32 flag = (vec32){ 0 } + (uint32_t)(int32_t)NW__SLOT_FLAGGED;
    for (size_t i = 0; i < n; i += 64) {
        uint64_t bits = 0;
        for (size_t j = 0; j < 64; j += LANES) {
            vec32 word;
            memcpy(&word, words + i + j, sizeof word);
            const vec32 block = gather_32(noise->fast, word & (NW__SLOTS - 1));
            const vec32 cell = (block << s) + ((word >> NW__SLOT_BITS) & mask);
            write_32(out + i + j, (vec32)((signed32)(cell + half) >> halvings));
            bits |= equal_32(block, flag) << j;
        }
        flagged[i / 64] = bits;
    }
}

/* Added before a shift of 64 bits and taken away behind it, it makes a logical shift an arithmetic one. Cells of fast slots are
 * below 2^57. */
static const uint64_t LIFT = UINT64_C(1) << 62;

static void draw_64(const nw_noise *noise, const uint64_t *words, size_t n, int64_t *out, uint64_t *flagged)
{
    const int s = (int)noise->log2_width;
    const int halvings = (int)noise->halvings;
    const vec64 mask = (vec64){ 0 } + ((UINT64_C(1) << s) - 1);
    const vec64 lift = (vec64){ 0 } + (LIFT + ((UINT64_C(1) << halvings) >> 1));
    const vec64 lifted = (vec64){ 0 } + (LIFT >> halvings);
    const vec64 flag = (vec64){ 0 } + (uint64_t)(int64_t)NW__SLOT_FLAGGED;
    for (size_t i = 0; i < n; i += 64) {
        uint64_t bits = 0;
        for (size_t j = 0; j < 64; j += LANES / 2) {
            vec64 word;
            memcpy(&word, words + i + j, sizeof word);
            const vec64 block = gather_64(noise->fast, word & (NW__SLOTS - 1));
            const vec64 cell = (block << s) + ((word >> NW__SLOT_BITS) & mask);
            const vec64 value = ((cell + lift) >> halvings) - lifted;
            memcpy(out + i + j, &value, sizeof value);
            bits |= equal_64(block, flag) << j;
        }
        flagged[i / 64] = bits;
    }
}

const nw__kernels NW__LANES_KERNELS = { NW__LANES_NAME, keystream, draw_32, draw_64 };
