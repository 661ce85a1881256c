/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* client_hash.c - BLAKE2b after RFC 7693, for devices without libsodium. Straight-line arithmetic: no table that is indexed by
 * data. */
#include "client.h"

#include <string.h>

enum { BLOCK = 128 };

static const uint64_t start[8] = { UINT64_C(0x6a09e667f3bcc908), UINT64_C(0xbb67ae8584caa73b), UINT64_C(0x3c6ef372fe94f82b),
    UINT64_C(0xa54ff53a5f1d36f1), UINT64_C(0x510e527fade682d1), UINT64_C(0x9b05688c2b3e6c1f), UINT64_C(0x1f83d9abfb41bd6b),
    UINT64_C(0x5be0cd19137e2179) };

static const uint8_t order[10][16] = { { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
    { 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 }, { 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 },
    { 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 }, { 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 },
    { 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 }, { 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 },
    { 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 }, { 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 },
    { 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 } };

typedef struct state {
    uint64_t h[8];
    uint64_t total; /* bytes compressed */
    unsigned used;  /* of block */
    uint8_t block[BLOCK];
} state;

static inline uint64_t rotate(uint64_t x, unsigned by)
{
    return (x >> by) | (x << (64 - by));
}

static inline void mix(uint64_t v[16], unsigned a, unsigned b, unsigned c, unsigned d, uint64_t x, uint64_t y)
{
    v[a] = v[a] + v[b] + x;
    v[d] = rotate(v[d] ^ v[a], 32);
    v[c] = v[c] + v[d];
    v[b] = rotate(v[b] ^ v[c], 24);
    v[a] = v[a] + v[b] + y;
    v[d] = rotate(v[d] ^ v[a], 16);
    v[c] = v[c] + v[d];
    v[b] = rotate(v[b] ^ v[c], 63);
}

static void compress(state *s, bool is_last)
{
    uint64_t v[16];
    uint64_t m[16];
    memcpy(v, s->h, sizeof s->h);
    memcpy(v + 8, start, sizeof start);
    v[12] ^= s->total;
    v[14] ^= is_last ? UINT64_MAX : 0;
    for (unsigned i = 0; i < 16; i++)
        m[i] = nw__get(s->block + 8 * i, 8);
    for (unsigned round = 0; round < 12; round++) {
        const uint8_t *o = order[round % 10];
        for (unsigned i = 0; i < 4; i++)
            mix(v, i, 4 + i, 8 + i, 12 + i, m[o[2 * i]], m[o[2 * i + 1]]);
        for (unsigned i = 0; i < 4; i++)
            mix(v, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, m[o[8 + 2 * i]], m[o[9 + 2 * i]]);
    }
    for (unsigned i = 0; i < 8; i++)
        s->h[i] ^= v[i] ^ v[i + 8];
}

static void take(state *s, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        if (s->used == BLOCK) { /* a full block waits: it may be the last one */
            s->total += BLOCK;
            compress(s, false);
            s->used = 0;
        }
        const size_t part = n < BLOCK - s->used ? n : BLOCK - s->used;
        memcpy(s->block + s->used, bytes, part);
        s->used += (unsigned)part;
        bytes += part;
        n -= part;
    }
}

void nw__ldp_hash(
    uint8_t *out, size_t out_size, const uint8_t *key, const uint8_t *first, size_t n, const uint8_t *second, size_t m)
{
    state s = { .used = 0 };
    memcpy(s.h, start, sizeof start);
    s.h[0] ^= UINT64_C(0x01010000) ^ (key != NULL ? (uint64_t)NW_LDP_KEY_BYTES << 8 : 0) ^ (uint64_t)out_size;
    if (key != NULL) {
        memcpy(s.block, key, NW_LDP_KEY_BYTES);
        s.used = BLOCK;
    }
    take(&s, first, n);
    take(&s, second, m);
    s.total += s.used;
    memset(s.block + s.used, 0, BLOCK - s.used);
    compress(&s, true);
    for (size_t i = 0; i < out_size; i++)
        out[i] = (uint8_t)(s.h[i / 8] >> (8 * (i % 8)));
}
