/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* masks.c - pairwise masks, as in [BIKMMPRSS17, sec. 4]: what a pair agrees on, what it derives for a round, and sums over it.
 * Proof: docs/rooms/secure_sum.md#masks. Deviations: no double masks and no shares of keys, which are there to go on without a
 * party: a sum that lacks one is refused. A check word is added. */
#include "masks_internal.h"

#include "random_internal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { KEY = NW_MASKS_KEY_SIZE, WORDS_AT_ONCE = 512 };
_Static_assert((int)KEY == (int)NW__MASKS_CONTEXT_BYTES && KEY == crypto_scalarmult_BYTES &&
                   KEY == crypto_scalarmult_SCALARBYTES && KEY == crypto_stream_chacha20_KEYBYTES,
    "one size for all keys");
static const uint64_t CHECK = 1; /* each party's: the sum is the number of parties */

struct nw_masks {
    size_t party;
    size_t parties;
    uint64_t last_round;
    uint64_t fork_generation;
    bool has_met;
    bool is_insecure;
    const nw_reduce *reduce; /* of nw_masks_reduce */
    uint8_t public_key[KEY];
    uint8_t *secret_key; /* guarded */
    uint8_t *pair_keys;  /* guarded: parties x KEY; this party's own is unused */
};

static void put_u64(uint8_t out[8], uint64_t x)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(x >> (8 * i));
}

static uint64_t get_u64(const uint8_t in[8])
{
    uint64_t x = 0;
    for (int i = 0; i < 8; i++)
        x |= (uint64_t)in[i] << (8 * i);
    return x;
}

/* ---- keys ---- */

nw_status nw_masks_new(nw_masks **out, size_t party, size_t parties, nw_rng *rng, nw_error *err)
{
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    if (rng == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "rng is NULL");
    if (parties < 1 || parties > NW_MASKS_MOST_PARTIES)
        return nw__fail(err, NW_E_ARG, __func__, "parties is %zu, must be in 1..%d", parties, NW_MASKS_MOST_PARTIES);
    if (party >= parties)
        return nw__fail(err, NW_E_ARG, __func__, "party is %zu, must be in 0..%zu", party, parties - 1);
    NW__TRY(nw__init(err));
    nw_masks *m = nw__calloc(1, sizeof *m);
    if (m == NULL)
        return nw__fail_memory(err, __func__);
    *m = (nw_masks){ .party = party, .parties = parties, .is_insecure = nw_rng_is_insecure(rng) };
    m->secret_key = sodium_malloc(KEY);
    m->pair_keys = sodium_allocarray(parties, KEY);
    nw_status status = m->secret_key == NULL || m->pair_keys == NULL ? nw__fail_memory(err, __func__) : NW_OK;
    if (status == NW_OK)
        status = nw_rng_bytes(rng, m->secret_key, KEY, err);
    if (status != NW_OK) {
        nw_masks_free(m);
        return status;
    }
    m->fork_generation = nw__fork_generation();
    crypto_scalarmult_base(m->public_key, m->secret_key); /* clamps a copy of the secret key */
    *out = m;
    return NW_OK;
}

void nw_masks_free(nw_masks *masks)
{
    if (masks == NULL)
        return;
    sodium_free(masks->secret_key); /* wipes first */
    sodium_free(masks->pair_keys);
    free(masks);
}

void nw_masks_key(const nw_masks *masks, uint8_t key[NW_MASKS_KEY_SIZE])
{
    memcpy(key, masks->public_key, KEY);
}

/* BLAKE2b(pair's secret; what it is for, who the two are, their keys): as X25519 alone does not bind the keys, and one pair of
 * people may sit in several groups. */
static void derive_pair_key(nw_masks *m, size_t other, const uint8_t secret[KEY], const uint8_t *keys)
{
    static const char purpose[] = "noisewright masks: pair";
    const size_t low = m->party < other ? m->party : other;
    const size_t high = m->party < other ? other : m->party;
    uint8_t numbers[24];
    crypto_generichash_state h;
    put_u64(numbers, m->parties);
    put_u64(numbers + 8, low);
    put_u64(numbers + 16, high);
    crypto_generichash_init(&h, secret, KEY, KEY);
    crypto_generichash_update(&h, (const uint8_t *)purpose, sizeof purpose);
    crypto_generichash_update(&h, numbers, sizeof numbers);
    crypto_generichash_update(&h, keys + low * KEY, KEY);
    crypto_generichash_update(&h, keys + high * KEY, KEY);
    crypto_generichash_final(&h, m->pair_keys + other * KEY, KEY);
    sodium_memzero(&h, sizeof h);
}

static nw_status check_keys(const nw_masks *m, const uint8_t *keys, const char *function, nw_error *err)
{
    if (m->has_met)
        return nw__fail(err, NW_E_STATE, function, "the parties have met already");
    if (memcmp(keys + m->party * KEY, m->public_key, KEY) != 0)
        return nw__fail(err, NW_E_ARG, function, "key %zu is not that of party %zu, must be its own", m->party, m->party);
    for (size_t i = 0; i < m->parties; i++)
        for (size_t j = 0; j < i; j++)
            if (memcmp(keys + i * KEY, keys + j * KEY, KEY) == 0)
                return nw__fail(err, NW_E_ARG, function, "keys %zu and %zu are equal, must all differ", j, i);
    return NW_OK;
}

static nw_status meet(nw_masks *m, const uint8_t *keys, const char *function, nw_error *err)
{
    uint8_t secret[KEY];
    NW__TRY(check_keys(m, keys, function, err));
    nw_status status = NW_OK;
    for (size_t i = 0; status == NW_OK && i < m->parties; i++) {
        if (i == m->party)
            continue;
        if (crypto_scalarmult(secret, m->secret_key, keys + i * KEY) != 0) /* a point of small order: a secret that all know */
            status = nw__fail(err, NW_E_ARG, function, "key %zu is no X25519 key to agree with", i);
        else
            derive_pair_key(m, i, secret, keys);
    }
    sodium_memzero(secret, sizeof secret);
    m->has_met = status == NW_OK;
    return status;
}

nw_status nw_masks_meet(nw_masks *masks, const uint8_t *keys, nw_error *err)
{
    if (masks == NULL || keys == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", masks == NULL ? "masks" : "keys");
    return meet(masks, keys, __func__, err);
}

/* ---- a round ---- */

static nw_status check_ready(const nw_masks *m, const char *function, nw_error *err)
{
    if (!m->has_met)
        return nw__fail(err, NW_E_STATE, function, "the parties have not met: nw_masks_meet comes first");
    if (m->fork_generation != nw__fork_generation())
        return nw__fail(err, NW_E_STATE, function, "the keys are those of another process: after a fork make new ones");
    return NW_OK;
}

nw_status nw__masks_use_round(nw_masks *masks, uint64_t round, const char *function, nw_error *err)
{
    NW__TRY(check_ready(masks, function, err));
    if (round <= masks->last_round)
        return nw__fail(err, NW_E_STATE, function, "round is %llu, must be above %llu: masks are used once",
            (unsigned long long)round, (unsigned long long)masks->last_round);
    masks->last_round = round;
    return NW_OK;
}

static void derive_round_key(
    uint8_t out[KEY], const uint8_t pair_key[KEY], uint64_t round, size_t n, const uint8_t context[NW__MASKS_CONTEXT_BYTES])
{
    static const char purpose[] = "noisewright masks: round";
    static const uint8_t nothing[NW__MASKS_CONTEXT_BYTES] = { 0 };
    uint8_t numbers[16];
    crypto_generichash_state h;
    put_u64(numbers, round);
    put_u64(numbers + 8, n);
    crypto_generichash_init(&h, pair_key, KEY, KEY);
    crypto_generichash_update(&h, (const uint8_t *)purpose, sizeof purpose);
    crypto_generichash_update(&h, numbers, sizeof numbers);
    crypto_generichash_update(&h, context == NULL ? nothing : context, NW__MASKS_CONTEXT_BYTES);
    crypto_generichash_final(&h, out, KEY);
    sodium_memzero(&h, sizeof h);
}

/* message += sign * stream, of n words. */
static void add_stream(const uint8_t key[KEY], bool is_negative, uint64_t *message, size_t n)
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES] = { 0 };
    enum { BLOCK_BYTES = 64 };
    uint8_t bytes[8 * WORDS_AT_ONCE];
    for (size_t at = 0; at < n; at += WORDS_AT_ONCE) {
        const size_t words = n - at < WORDS_AT_ONCE ? n - at : WORDS_AT_ONCE;
        memset(bytes, 0, 8 * words);
        crypto_stream_chacha20_xor_ic(bytes, bytes, 8 * words, nonce, 8 * at / BLOCK_BYTES, key);
        for (size_t i = 0; i < words; i++) {
            const uint64_t mask = get_u64(bytes + 8 * i);
            message[at + i] += is_negative ? -mask : mask;
        }
    }
    sodium_memzero(bytes, sizeof bytes);
}

void nw__masks_add(
    const nw_masks *masks, uint64_t round, const uint8_t context[NW__MASKS_CONTEXT_BYTES], uint64_t *message, size_t n)
{
    uint8_t key[KEY];
    message[n] = CHECK;
    for (size_t i = 0; i < masks->parties; i++) {
        if (i == masks->party)
            continue;
        derive_round_key(key, masks->pair_keys + i * KEY, round, n, context);
        add_stream(key, masks->party > i, message, n + NW_MASKS_CHECK_WORDS);
    }
    sodium_memzero(key, sizeof key);
}

static nw_status check_values(size_t n, const char *function, nw_error *err)
{
    if (n >= 1 && n < SIZE_MAX / 8)
        return NW_OK;
    return nw__fail(err, NW_E_ARG, function, "n is %zu, must be at least 1 and fit the memory", n);
}

nw_status nw_masks_seal(nw_masks *masks, uint64_t round, const uint64_t *values, size_t n, uint64_t *message, nw_error *err)
{
    if (masks == NULL || values == NULL || message == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", masks == NULL ? "masks" : values == NULL ? "values" : "message");
    NW__TRY(check_values(n, __func__, err));
    memset(message, 0, (n + NW_MASKS_CHECK_WORDS) * sizeof *message);
    NW__TRY(nw__masks_use_round(masks, round, __func__, err));
    memcpy(message, values, n * sizeof *message);
    nw__masks_add(masks, round, NULL, message, n);
    return NW_OK;
}

uint64_t nw_masks_last_round(const nw_masks *masks)
{
    return masks->last_round;
}

nw_status nw_masks_open(size_t parties, const uint64_t *total, size_t n, uint64_t *values, nw_error *err)
{
    if (total == NULL || values == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", total == NULL ? "total" : "values");
    if (parties < 1 || parties > NW_MASKS_MOST_PARTIES)
        return nw__fail(err, NW_E_ARG, __func__, "parties is %zu, must be in 1..%d", parties, NW_MASKS_MOST_PARTIES);
    NW__TRY(check_values(n, __func__, err));
    if (total[n] != parties * CHECK)
        return nw__fail(err, NW_E_STATE, __func__,
            "the masks of the %zu parties do not cancel: a message is missing, or there twice, or of another round, or the "
            "parties do not agree about what they add",
            parties);
    memmove(values, total, n * sizeof *values);
    return NW_OK;
}

/* ---- over a reducer ---- */

void nw__masks_pass(nw_masks *masks, uint64_t round)
{
    masks->last_round = round > masks->last_round ? round : masks->last_round;
}

size_t nw__masks_parties(const nw_masks *masks)
{
    return masks->parties;
}

bool nw__masks_is_insecure(const nw_masks *masks)
{
    return masks->is_insecure;
}

nw_status nw__masks_check_reduce(const nw_masks *masks, const nw_reduce *reduce, const char *function, nw_error *err)
{
    if (reduce->rank == masks->party && reduce->size == masks->parties)
        return NW_OK;
    return nw__fail(err, NW_E_ARG, function, "reduce is process %zu of %zu, must be party %zu of %zu", reduce->rank, reduce->size,
        masks->party, masks->parties);
}

nw_status nw_masks_meet_over(nw_masks *masks, const nw_reduce *reduce, nw_error *err)
{
    enum { KEY_WORDS = KEY / 8 };
    if (masks == NULL || reduce == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", masks == NULL ? "masks" : "reduce");
    NW__TRY(nw__masks_check_reduce(masks, reduce, __func__, err));
    uint64_t *words = nw__calloc(masks->parties, KEY);
    uint8_t *keys = nw__calloc(masks->parties, KEY);
    nw_status status = words == NULL || keys == NULL ? nw__fail_memory(err, __func__) : NW_OK;
    status = nw_reduce_agree(reduce, status, err);
    for (size_t i = 0; status == NW_OK && i < KEY_WORDS; i++)
        words[masks->party * KEY_WORDS + i] = get_u64(masks->public_key + 8 * i);
    if (status == NW_OK)
        status = reduce->sum_u64(reduce->context, words, masks->parties * KEY_WORDS, err);
    for (size_t i = 0; status == NW_OK && i < masks->parties * KEY_WORDS; i++)
        put_u64(keys + 8 * i, words[i]);
    if (status == NW_OK)
        status = meet(masks, keys, __func__, err);
    free(words);
    free(keys);
    return status;
}

static nw_status masked_sum_u64(void *context, uint64_t *values, size_t n, nw_error *err)
{
    static const char *const name = "nw_masks_reduce";
    nw_masks *m = context;
    const nw_reduce *reduce = m->reduce;
    const uint64_t round = m->last_round + 1;
    uint64_t *message = NULL;
    if (n == 0)
        return NW_OK; /* for all: the lengths are the same */
    nw_status status = check_values(n, name, err);
    if (status == NW_OK && (message = nw__calloc(n + NW_MASKS_CHECK_WORDS, sizeof *message)) == NULL)
        status = nw__fail_memory(err, name);
    if (status == NW_OK)
        status = nw_masks_seal(m, round, values, n, message, err);
    nw__masks_pass(m, round);
    status = nw_reduce_agree(reduce, status, err);
    if (status == NW_OK)
        status = reduce->sum_u64(reduce->context, message, n + NW_MASKS_CHECK_WORDS, err);
    if (status == NW_OK)
        status = nw_masks_open(m->parties, message, n, values, err);
    free(message);
    return status;
}

static nw_status masked_sum_i64(void *context, int64_t *values, size_t n, nw_error *err)
{
    return masked_sum_u64(context, (uint64_t *)values, n, err);
}

static nw_status pass_broadcast(void *context, void *bytes, size_t n, nw_error *err)
{
    const nw_reduce *reduce = ((const nw_masks *)context)->reduce;
    return reduce->broadcast(reduce->context, bytes, n, err);
}

static nw_status pass_barrier(void *context, nw_error *err)
{
    const nw_reduce *reduce = ((const nw_masks *)context)->reduce;
    return reduce->barrier(reduce->context, err);
}

nw_reduce nw_masks_reduce(nw_masks *borrowed_masks, const nw_reduce *borrowed_reduce)
{
    borrowed_masks->reduce = borrowed_reduce;
    return (nw_reduce){ borrowed_masks, borrowed_reduce->rank, borrowed_reduce->size, pass_broadcast, masked_sum_i64,
        masked_sum_u64, pass_barrier };
}
