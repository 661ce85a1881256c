/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* decode_blh.c - the supports of binary linear hashes: of listed items, 64 at a time as the bits of a word; of all items that
 * begin with a prefix, by a Walsh-Hadamard transform (docs/rooms/ldp.md#decoding):
 *
 *   S(x) = (1/g) sum over phi in {0,1}^r, reports i of (-1)^(phi . y_i) (-1)^<a_phi,i , x>, a_phi the sum of the rows in phi.
 * With x = (prefix, suffix) each term is a sign of the prefix times a character of the suffix: adding the signs up at the place
 * a_phi has in the suffix and transforming gives all suffixes. */
#include "server.h"

#include <stdlib.h>
#include <string.h>

enum { GROUP = 64, MOST_ROWS = NW__LDP_MOST_LOG2, BYTES = 16, MOST_ENTRIES = 1 << 20 };
/* Magnitudes of transformed sums. */
static const uint64_t MOST_WEIGHT = UINT64_C(1) << 30;

/* For 64 numbers: the parities of what they have in common with a row, by the row's bytes. */
typedef struct parities {
    unsigned bytes;
    uint64_t of[BYTES][256];
} parities;

static void set_parities(parities *p, const nw_ldp_item *items, size_t n, unsigned bits)
{
    p->bytes = (bits + 7) / 8;
    for (unsigned byte = 0; byte < p->bytes; byte++) {
        p->of[byte][0] = 0;
        for (unsigned bit = 0; bit < 8; bit++) {
            const unsigned at = 8 * byte + bit;
            uint64_t plane = 0;
            for (size_t i = 0; i < n; i++)
                plane |= ((at < 64 ? items[i].low >> at : items[i].high >> (at - 64)) & 1) << i;
            for (unsigned x = 0; x < 1u << bit; x++)
                p->of[byte][x | 1u << bit] = p->of[byte][x] ^ plane;
        }
    }
}

static inline uint64_t parities_of(const parities *p, uint64_t low, uint64_t high)
{
    uint64_t sum = 0;
    for (unsigned byte = 0; byte < p->bytes; byte++)
        sum ^= p->of[byte][(byte < 8 ? low >> (8 * byte) : high >> (8 * byte - 64)) & 0xff];
    return sum;
}

static unsigned bits_of(const nw_ldp_campaign *c, unsigned level)
{
    return c->bits != 0 ? c->lengths[level] : 16u * nw__ldp_pieces(c, level);
}

/* ---- listed items ---- */

/* Which of 64 items a report of this cell supports. */
static inline uint64_t supported(const parities *p, unsigned rows, uint32_t seed, uint32_t cell)
{
    uint64_t all = UINT64_MAX;
    for (unsigned j = 0; j < rows; j++) {
        const uint64_t high = p->bytes > 8 ? nw__ldp_word(seed, 2 * j + 1) : 0;
        all &= ~(parities_of(p, nw__ldp_word(seed, 2 * j), high) ^ (0 - (uint64_t)(cell >> j & 1)));
    }
    return all;
}

/* Counters of 64 items, of 8 bits each, one word a bit. */
static inline void tally(uint64_t counters[8], uint64_t bits)
{
    for (unsigned i = 0; i < 8 && bits != 0; i++) {
        const uint64_t carry = counters[i] & bits;
        counters[i] ^= bits;
        bits = carry;
    }
}

static void flush(uint64_t counters[8], size_t n, int64_t *supports)
{
    for (size_t i = 0; i < n; i++)
        for (unsigned b = 0; b < 8; b++)
            supports[i] += (int64_t)((counters[b] >> i & 1) << b);
    memset(counters, 0, 8 * sizeof *counters);
}

static void count_log(const nw_ldp_aggregate *a, unsigned level, const parities *p, size_t n, int64_t *supports)
{
    uint64_t counters[8] = { 0 };
    for (const nw__ldp_block *block = a->logs[level]; block != NULL; block = block->next)
        for (size_t i = 0; i < block->used; i += 255) {
            const size_t end = block->used - i < 255 ? block->used : i + 255;
            for (size_t k = i; k < end; k++)
                tally(counters, supported(p, a->campaign.dimension, block->seeds[k], block->cells[k]));
            flush(counters, n, supports);
        }
}

static void count_table(const nw_ldp_aggregate *a, unsigned level, const parities *p, size_t n, int64_t *supports)
{
    const nw_ldp_campaign *c = &a->campaign;
    const size_t seeds = (size_t)1 << c->seed_bits;
    const uint64_t *table = a->table + level * (seeds * c->symbols);
    for (size_t s = 0; s < seeds; s++) {
        uint64_t rows[MOST_ROWS];
        for (unsigned j = 0; j < c->dimension; j++)
            rows[j] = parities_of(p, nw__ldp_word((uint32_t)s, 2 * j), nw__ldp_word((uint32_t)s, 2 * j + 1));
        for (size_t i = 0; i < n; i++) {
            size_t cell = 0;
            for (unsigned j = 0; j < c->dimension; j++)
                cell |= (size_t)(rows[j] >> i & 1) << j;
            supports[i] += (int64_t)table[s * c->symbols + cell];
        }
    }
}

nw_status nw__ldp_support_blh(
    const nw_ldp_aggregate *view, unsigned level, const nw_ldp_item *items, size_t n, int64_t *supports, nw_error *err)
{
    bool has_memory = true;
    memset(supports, 0, n * sizeof *supports);
#pragma omp parallel for schedule(dynamic) num_threads(nw__threads(0)) if (n > GROUP) reduction(&& : has_memory)
    for (size_t i = 0; i < n; i += GROUP) {
        const size_t some = n - i < GROUP ? n - i : GROUP;
        parities *p = malloc(sizeof *p);
        has_memory = has_memory && p != NULL;
        if (p == NULL)
            continue;
        set_parities(p, items + i, some, bits_of(&view->campaign, level));
        if (view->table != NULL)
            count_table(view, level, p, some, supports + i);
        else
            count_log(view, level, p, some, supports + i);
        free(p);
    }
    return has_memory ? NW_OK : nw__fail_memory(err, "nw_ldp_aggregate_support");
}

/* ---- subtrees ---- */

/* Terms of the sum for up to 64 prefixes: where in the suffix, the sign for each prefix, and how often. */
typedef struct terms {
    size_t n;
    uint64_t weight; /* of all that was scattered since the last transform, and of what is held */
    uint32_t *places;
    uint64_t *signs;
    int32_t *weights; /* NULL: all 1 */
} terms;

typedef struct subtree {
    const nw_ldp_aggregate *aggregate;
    const nw__ldp_kernels *kernels;
    unsigned level;
    unsigned suffix_bits;
    size_t prefixes; /* of this group */
    bool has_lanes;  /* sums are interleaved: it takes NW__LDP_LANES prefixes to be worth it */
    parities *parities;
    terms terms;
    int32_t *sums; /* [prefixes][2^suffix_bits], or blocks of [2^suffix_bits][lane] */
    int64_t *supports;
} subtree;

/* Arrays that are worked on together: all lanes of an interleaved block, or one. */
static size_t lanes_of(const subtree *s)
{
    return s->has_lanes ? NW__LDP_LANES : 1;
}

static void scatter_terms(subtree *s)
{
    const terms *t = &s->terms;
    const size_t lanes = lanes_of(s);
#pragma omp parallel for schedule(dynamic) num_threads(nw__threads(0)) if (s->prefixes > lanes)
    for (size_t p = 0; p < s->prefixes; p += lanes)
        (s->has_lanes ? s->kernels->scatter_lanes : s->kernels->scatter)(
            s->sums + (p << s->suffix_bits), t->places, t->signs, t->weights, t->n, (unsigned)p);
    s->terms.n = 0;
}

/* Adds transformed sums to the supports, of interleaved ones lane by lane, and clears them. */
static void add_sums(const subtree *s, size_t first, int32_t *x)
{
    const size_t n = (size_t)1 << s->suffix_bits;
    const size_t lanes = lanes_of(s);
    const size_t used = s->prefixes - first < lanes ? s->prefixes - first : lanes;
    for (size_t p = 0; p < used; p++) {
        int64_t *out = s->supports + ((first + p) << s->suffix_bits);
        for (size_t i = 0; i < n; i++)
            out[i] += x[i * lanes + p];
    }
    memset(x, 0, n * lanes * sizeof *x);
}

static void transform_sums(subtree *s)
{
    const size_t lanes = lanes_of(s);
    scatter_terms(s);
#pragma omp parallel for schedule(dynamic) num_threads(nw__threads(0)) if (s->prefixes > lanes)
    for (size_t p = 0; p < s->prefixes; p += lanes) {
        int32_t *x = s->sums + (p << s->suffix_bits);
        (s->has_lanes ? s->kernels->transform_lanes : s->kernels->transform)(x, s->suffix_bits);
        add_sums(s, p, x);
    }
    s->terms.weight = 0;
}

/* Makes room for the terms of one seed, which weigh up to `weight`. */
static void make_room(subtree *s, uint64_t weight)
{
    if (s->terms.weight + weight > MOST_WEIGHT)
        transform_sums(s);
    if (s->terms.n + s->aggregate->campaign.symbols > MOST_ENTRIES)
        scatter_terms(s);
    s->terms.weight += weight;
}

/* The rows of a seed: place in the suffix, signs of the prefixes. */
static inline void expand(const subtree *s, uint32_t seed, uint32_t places[MOST_ROWS], uint64_t signs[MOST_ROWS])
{
    const unsigned b = s->suffix_bits; /* at most 24 */
    for (unsigned j = 0; j < s->aggregate->campaign.dimension; j++) {
        const uint64_t low = nw__ldp_word(seed, 2 * j);
        const uint64_t high = s->aggregate->campaign.lengths[s->level] > 64 ? nw__ldp_word(seed, 2 * j + 1) : 0;
        places[j] = (uint32_t)(low & ((UINT64_C(1) << b) - 1));
        signs[j] = parities_of(s->parities, low >> b | (b != 0 ? high << (64 - b) : 0), high >> b);
    }
}

/* All phi but 0 in Gray's order: each differs from the one before in one row. */
static void add_report(subtree *s, uint32_t seed, uint32_t cell)
{
    uint32_t places[MOST_ROWS];
    uint64_t signs[MOST_ROWS];
    uint32_t place = 0;
    uint64_t sign = 0;
    const uint32_t g = s->aggregate->campaign.symbols;
    make_room(s, g - 1);
    expand(s, seed, places, signs);
    for (unsigned j = 0; j < s->aggregate->campaign.dimension; j++)
        signs[j] ^= 0 - (uint64_t)(cell >> j & 1);
    size_t at = s->terms.n;
    for (uint32_t phi = 1; phi < g; phi++) {
        const int row = __builtin_ctz(phi);
        place ^= places[row];
        sign ^= signs[row];
        s->terms.places[at] = place;
        s->terms.signs[at] = sign;
        at++;
    }
    s->terms.n = at;
}

static void add_log(subtree *s)
{
    for (const nw__ldp_block *block = s->aggregate->logs[s->level]; block != NULL; block = block->next)
        for (size_t i = 0; i < block->used; i++)
            add_report(s, block->seeds[i], block->cells[i]);
}

/* The same of counts: the weight of phi is their sum with the signs phi . y. */
static void add_seed(subtree *s, uint32_t seed, const uint64_t *counts)
{
    uint32_t places[MOST_ROWS];
    uint64_t signs[MOST_ROWS];
    uint32_t place = 0;
    uint32_t gray = 0;
    uint64_t sign = 0;
    const uint32_t g = s->aggregate->campaign.symbols;
    expand(s, seed, places, signs);
    for (uint32_t phi = 1; phi < g; phi++) {
        const int row = __builtin_ctz(phi);
        int64_t weight = 0;
        place ^= places[row];
        sign ^= signs[row];
        gray ^= 1u << row;
        for (uint32_t y = 0; y < g; y++)
            weight += nw__parity(gray & y) != 0 ? -(int64_t)counts[y] : (int64_t)counts[y];
        while (weight != 0) { /* in parts that a transform can hold */
            const int64_t most = (int64_t)(MOST_WEIGHT / 2);
            const int64_t part = weight > most ? most : weight < -most ? -most : weight;
            make_room(s, (uint64_t)(part < 0 ? -part : part));
            s->terms.places[s->terms.n] = place;
            s->terms.signs[s->terms.n] = sign;
            s->terms.weights[s->terms.n] = (int32_t)part;
            s->terms.n++;
            weight -= part;
        }
    }
}

static void add_table(subtree *s)
{
    const nw_ldp_campaign *c = &s->aggregate->campaign;
    const size_t seeds = (size_t)1 << c->seed_bits;
    const uint64_t *table = s->aggregate->table + s->level * (seeds * c->symbols);
    for (size_t seed = 0; seed < seeds; seed++)
        add_seed(s, (uint32_t)seed, table + seed * c->symbols);
}

static bool allocate(subtree *s, size_t group)
{
    const size_t n = (size_t)MOST_ENTRIES + (size_t)s->aggregate->campaign.symbols;
    s->parities = malloc(sizeof *s->parities);
    s->terms.places = nw__calloc(n, sizeof *s->terms.places);
    s->terms.signs = nw__calloc(n, sizeof *s->terms.signs);
    s->terms.weights = s->aggregate->table != NULL ? nw__calloc(n, sizeof *s->terms.weights) : NULL;
    s->sums = nw__calloc(group << s->suffix_bits, sizeof *s->sums);
    return s->parities != NULL && s->terms.places != NULL && s->terms.signs != NULL && s->sums != NULL &&
           (s->aggregate->table == NULL || s->terms.weights != NULL);
}

nw_status nw__ldp_subtree_blh(const nw_ldp_aggregate *view, unsigned level, const nw_ldp_item *prefixes, size_t n,
    unsigned suffix_bits, int64_t *supports, const nw__ldp_kernels *kernels, nw_error *err)
{
    enum { MOST_SUMS = 1 << 24 };
    subtree s = { .aggregate = view, .kernels = kernels, .level = level, .suffix_bits = suffix_bits };
    const size_t at_once = (size_t)MOST_SUMS >> suffix_bits;
    const size_t group = at_once < 1 ? 1 : at_once < GROUP ? at_once : GROUP;
    const size_t room = n < group ? (n + NW__LDP_LANES - 1) / NW__LDP_LANES * NW__LDP_LANES : group;
    const unsigned bits = view->campaign.lengths[level] - suffix_bits;
    const int64_t g = view->campaign.symbols;
    const bool has_memory = allocate(&s, room < group ? room : group);
    memset(supports, 0, (n << suffix_bits) * sizeof *supports);
    for (size_t i = 0; has_memory && i < n; i += group) {
        s.prefixes = n - i < group ? n - i : group;
        s.has_lanes = group >= NW__LDP_LANES && s.prefixes > NW__LDP_LANES / 4;
        s.supports = supports + (i << suffix_bits);
        set_parities(s.parities, prefixes + i, s.prefixes, bits);
        if (view->table != NULL)
            add_table(&s);
        else
            add_log(&s);
        transform_sums(&s);
    }
    for (size_t i = 0; i < n << suffix_bits; i++)
        supports[i] = (supports[i] + (int64_t)view->reports[level]) / g;
    free(s.parities);
    free(s.terms.places);
    free(s.terms.signs);
    free(s.terms.weights);
    free(s.sums);
    return has_memory ? NW_OK : nw__fail_memory(err, "nw_ldp_aggregate_subtree");
}
