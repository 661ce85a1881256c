/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_KEYS_INTERNAL_H
#define NW_KEYS_INTERNAL_H

/* keys_internal.h - the sets in which unknown keys are counted: bytes.c, keys.c, keys_bytes.c. */
#include "stats_internal.h"

/** Open addressing: members are found by a hash, of which a slot keeps the 32 bits that decide its place. */
typedef struct nw__slot {
    uint32_t number_plus_one; /* 0: free */
    uint32_t hash;
} nw__slot;

typedef struct nw__index {
    nw__slot *slots;
    size_t slot_count; /* a power of two, or 0 */
} nw__index;

/** A set of byte strings, numbered in the order in which they came. */
typedef struct nw__bytes {
    char *text; /* all of them, each followed by a NUL */
    size_t text_size;
    size_t text_capacity;
    size_t *starts; /* count + 1 of them */
    size_t count;
    size_t capacity;
    nw__index index;
} nw__bytes;
/** The number of a string; false if it is not there. */
bool nw__bytes_find(const nw__bytes *set, const void *bytes, size_t n, size_t *number);
/** The number of a string, which is added if it is new. False if memory lacks. */
bool nw__bytes_add(nw__bytes *set, const void *bytes, size_t n, size_t *number);
const char *nw__bytes_get(const nw__bytes *set, size_t number, size_t *n);
/** String `number` takes the place of `to`, which is not above it: everything from `to` to `number` may be overwritten. For
 *  nw__bytes_cut, which has to follow; no string is found any more. */
void nw__bytes_move(nw__bytes *set, size_t number, size_t to);
/** Keeps the first `count` strings, wipes the others, and forgets how to find any. */
void nw__bytes_cut(nw__bytes *set, size_t count);
/** Wipes and frees. */
void nw__bytes_clear(nw__bytes *set);

/** What counts of one user and key. */
typedef struct nw__pair {
    uint32_t user;
    uint32_t key;
    uint32_t count; /* of records, at least 1 */
} nw__pair;

/** Pairs in the order in which they came. */
typedef struct nw__pairs {
    nw__pair *pairs;
    size_t count;
    size_t capacity;
    nw__index index;
} nw__pairs;
/** NULL if it is not there; valid until the next append. */
nw__pair *nw__pairs_find(const nw__pairs *set, uint32_t user, uint32_t key);
/** Adds a pair that is not there. False if memory lacks. */
bool nw__pairs_append(nw__pairs *set, nw__pair pair);
/** Wipes and frees. */
void nw__pairs_clear(nw__pairs *set);

/** Everything exact: who said what. A user and a key are here only if a pair is, in the order of their first one. */
typedef struct nw__records {
    nw__bytes users;
    nw__bytes keys;
    nw__pairs pairs;
    uint32_t *user_keys; /* per user: pairs */
    size_t user_capacity;
} nw__records;
/** `records` records of one user and key, of which those within the bounds count. False if memory lacks. */
bool nw__records_add(nw__records *records, const nw_keys_opts *bounds, const void *user, size_t user_size, const void *key,
    size_t key_size, uint32_t count);
/** Wipes and frees who said what, but not the keys. */
void nw__records_forget(nw__records *records);

typedef struct nw__released_key {
    uint64_t prefix; /* the first bytes of the key, as a big-endian number: decides most comparisons */
    uint32_t key;
    int64_t count;
} nw__released_key;

enum { NW__KEYS_MAX_SIZE = 1 << 16 }; /* of a user or key */

struct nw_keys {
    nw_keys_opts opts;
    nw_noise *noise;
    nw_event *event;
    nw_noise_law law;
    double scale; /* of the noise */
    double deviation;
    int64_t threshold;
    nw__records records;
    nw__released_key *figures; /* after the release */
    size_t figure_count;
    bool is_handed; /* the records are with process 0: nw_keys_reduce */
    bool is_released;
    bool has_figures;
};

/** NW_E_ARG on NULL, NW_E_STATE after the release. */
nw_status nw__keys_check_open(const nw_keys *keys, const char *function, nw_error *err);
/** Adds what counts in `other` behind what counts in `records`. False if memory lacks. */
bool nw__records_merge(nw__records *records, const nw_keys_opts *bounds, const nw__records *other);

/** Probability, rounded up, that any of `keys` counts of max_count reaches the threshold with the noise of the law. */
double nw__keys_delta(nw_noise_law law, double scale, uint32_t keys, uint32_t max_count, int64_t threshold);

#endif
