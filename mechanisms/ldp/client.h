/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_LDP_CLIENT_INTERNAL_H
#define NW_LDP_CLIENT_INTERNAL_H

/* client.h - what the files of the device's half share. They compile alone: integers, memcpy and memset only.
 *
 * Secrets - items, and random bytes that decide about them - go through the masks below: no branch, no index, no division. */
#include <nw/ldp_client.h>

enum {
    NW__LDP_VERSION = 1,
    NW__LDP_MARK = 0x4e, /* first byte of a report */
    NW__LDP_MOST_DIMENSIONS = 24,
    NW__LDP_MOST_OUTPUTS = 1 << 24,
    NW__LDP_MOST_UNARY = 65536, /* items of SUE, OUE, SUBSET */
    NW__LDP_MOST_CELLS = 65533, /* two payloads above them are Duchi's */
    NW__LDP_MOST_HISTOGRAM = 4096,
    NW__LDP_MOST_SYMBOLS = 4096, /* OLH: cells of a hash of 16 bits, so that they are even to 1/16 */
    NW__LDP_MOST_LOG2 = 7        /* BLH: g at most 128 */
};
#define NW__LDP_ONE_RATIO (UINT64_C(1) << 40)        /* 1 as a ratio */
#define NW__LDP_SMALLEST_EPSILON (UINT64_C(1) << 22) /* 2^-10 in 2^-32 */
#define NW__LDP_LARGEST_EPSILON (UINT64_C(16) << 32)

/* ---- masks ---- */

/** x, which the compiler no longer knows to be a mask: else it may choose between two addresses, or branches, instead. */
static inline uint64_t nw__opaque(uint64_t x)
{
#if defined(__GNUC__)
    __asm__("" : "+r"(x));
    return x;
#else
    volatile uint64_t y = x;
    return y;
#endif
}

/** All ones if x is not 0, else 0. */
static inline uint64_t nw__mask(uint64_t x)
{
    return nw__opaque(0 - ((x | (0 - x)) >> 63));
}

/** All ones if a < b, else 0. */
static inline uint64_t nw__mask_less(uint64_t a, uint64_t b)
{
    return nw__opaque(0 - (((~a & b) | ((~a | b) & (a - b))) >> 63));
}

static inline uint64_t nw__mask_equal(uint64_t a, uint64_t b)
{
    return ~nw__mask(a ^ b);
}

static inline uint64_t nw__select(uint64_t mask, uint64_t a, uint64_t b)
{
    return (a & mask) | (b & ~mask);
}

/** 1 if x has an odd number of ones. */
static inline uint64_t nw__parity(uint64_t x)
{
    x ^= x >> 32;
    x ^= x >> 16;
    x ^= x >> 8;
    x ^= x >> 4;
    return (UINT64_C(0x6996) >> (x & 15)) & 1;
}

/** The upper 64 bits of a * b. */
static inline uint64_t nw__mul_high(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
    __extension__ typedef unsigned __int128 wide;
    return (uint64_t)(((wide)a * b) >> 64);
#else
    const uint64_t a0 = a & UINT32_MAX;
    const uint64_t a1 = a >> 32;
    const uint64_t b0 = b & UINT32_MAX;
    const uint64_t b1 = b >> 32;
    const uint64_t middle = a1 * b0 + ((a0 * b0) >> 32);
    return a1 * b1 + (middle >> 32) + ((a0 * b1 + (middle & UINT32_MAX)) >> 32);
#endif
}

/* ---- bytes ---- */

/** Overwrites what decided about a report, in a way that compilers keep. */
static inline void nw__wipe(uint64_t *words, unsigned n)
{
    for (volatile uint64_t *at = words; n > 0; n--)
        *at++ = 0;
}

static inline uint64_t nw__get(const uint8_t *at, unsigned bytes)
{
    uint64_t x = 0;
    for (unsigned i = 0; i < bytes; i++)
        x |= (uint64_t)at[i] << (8 * i);
    return x;
}

static inline void nw__put(uint8_t *at, uint64_t x, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(x >> (8 * i));
}

/** BLAKE2b (RFC 7693) of two pieces, one after the other, under a key of 32 bytes or none (NULL); out: 1 .. 64 bytes. */
void nw__ldp_hash(
    uint8_t *out, size_t out_size, const uint8_t *key, const uint8_t *first, size_t n, const uint8_t *second, size_t m);

/* ---- probabilities ---- */

/** e^(epsilon / 2^32) in 2^-40, rounded down: less by a factor of 1 - 2^-50 at most, and one step. epsilon up to 16. */
uint64_t nw__ldp_exp(uint64_t epsilon);
/** The square root of a ratio, in 2^-40, rounded down. */
uint64_t nw__ldp_root(uint64_t ratio);
/** The largest T in 1 .. 2^64 - 1 for which T a <= ratio (2^64 - T) b. */
uint64_t nw__ldp_threshold(uint64_t ratio, uint64_t a, uint64_t b);

/** What nw_ldp_campaign_read does once the fields that are written are set: checks them, computes the others. */
nw_status nw__ldp_campaign_complete(nw_ldp_campaign *campaign);
/** Of oracles that choose one of `outputs` payloads: how many a value makes likely. */
uint64_t nw__ldp_likely(const nw_ldp_campaign *campaign);
bool nw__ldp_is_hashed(nw_ldp_oracle oracle);
bool nw__ldp_is_unary(nw_ldp_oracle oracle); /* SUE, OUE, SUBSET: a bit an item */
bool nw__ldp_is_number(nw_ldp_oracle oracle);
/** Different inputs of the randomiser: items, hash cells, or cells of numbers. */
uint64_t nw__ldp_inputs(const nw_ldp_campaign *campaign);

/* ---- hashes: as the server computes them ---- */

/** Word number i of a seed. */
static inline uint64_t nw__ldp_word(uint32_t seed, uint32_t i)
{
    uint64_t z = (((uint64_t)seed << 8) + i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

enum { NW__LDP_FIRST_FACTOR = 16 }; /* OLH's words of a seed; BLH has those below, two a row */

/** Factor j = 0 .. 7 of OLH's hash, for bits 16 j .. 16 j + 15 of an item; its summand. Both in 32 bits. */
static inline uint32_t nw__ldp_factor(uint32_t seed, uint32_t j)
{
    return (uint32_t)(nw__ldp_word(seed, NW__LDP_FIRST_FACTOR + 1 + j) >> 32);
}

static inline uint32_t nw__ldp_summand(uint32_t seed)
{
    return (uint32_t)(nw__ldp_word(seed, NW__LDP_FIRST_FACTOR) >> 32);
}

/** Bits 16 j .. 16 j + 15 of an item. */
static inline uint32_t nw__ldp_piece(nw_ldp_item item, uint32_t j)
{
    return (uint32_t)((j < 4 ? item.low >> (16 * j) : item.high >> (16 * (j - 4))) & 0xffff);
}

/** The hash cell of an item: linear of 16 bits and g cells [Die96], or r parities. pieces: how many 16-bit pieces items have. */
uint32_t nw__ldp_cell(const nw_ldp_campaign *campaign, uint32_t seed, nw_ldp_item item, unsigned pieces);

/** The item's prefix at a level, clamped to the campaign's items. */
nw_ldp_item nw__ldp_item_at(const nw_ldp_campaign *campaign, unsigned level, nw_ldp_item item);
/** 16-bit pieces of the items of a level. */
unsigned nw__ldp_pieces(const nw_ldp_campaign *campaign, unsigned level);

/* ---- geometry: points of a projective space ---- */

/** Point number `index` of the space of t dimensions over the field of q: its vector, whose first coordinate that is not 0 is 1.
 *  (q^m - 1) / (q - 1) is the number of the first point with m coordinates behind that 1. */
void nw__ldp_point(uint32_t q, unsigned t, uint64_t index, uint32_t vector[NW__LDP_MOST_DIMENSIONS]);
/** The number of the point that the vector, not all 0, lies on. */
uint64_t nw__ldp_point_index(uint32_t q, unsigned t, const uint32_t vector[NW__LDP_MOST_DIMENSIONS]);
/** (q^t - 1) / (q - 1), or more than NW__LDP_MOST_OUTPUTS if it is more. */
uint64_t nw__ldp_points(uint32_t q, unsigned t);

/** A point at random: orthogonal to the item's if `is_likely` (a mask), of those number mul_high(word, how many). */
uint64_t nw__ldp_plane_draw(const nw_ldp_campaign *campaign, uint64_t item, uint64_t is_likely, uint64_t word);
/** Inserts a 0 at the lowest one of `row` and sets that bit so that the parity of the common ones is `odd`: number i of half of a
 *  Hadamard matrix's columns. */
static inline uint64_t nw__ldp_half(uint64_t row, uint64_t i, uint64_t odd)
{
    const uint64_t bit = row & (0 - row);
    const uint64_t j = ((i & ~(bit - 1)) << 1) | (i & (bit - 1));
    return j ^ (bit & (0 - (nw__parity(j & row) ^ odd)));
}

/** Random 64-bit words, little-endian, from a source of bytes; taken in blocks where many are needed. */
typedef struct nw__ldp_words {
    nw_ldp_random random;
    void *context;
    unsigned used; /* of `words` */
    unsigned held;
    bool has_failed; /* words are then 0 */
    uint64_t words[32];
} nw__ldp_words;
/** At most `ahead` words are taken at once: so many will be asked for. */
uint64_t nw__ldp_next(nw__ldp_words *words, uint64_t ahead);
/** The payload of SUE, OUE, SUBSET, into zeroed bytes. `fresh` is used if there is a first_epsilon. */
nw_status nw__ldp_unary(const nw_ldp_campaign *campaign, uint64_t item, nw__ldp_words *noise, nw__ldp_words *fresh, uint8_t *out);

#endif
