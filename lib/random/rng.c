/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* rng.c - ChaCha20 streams keyed by the operating system.
 *
 * A refill runs ChaCha20 under the current key, takes the first 32 bytes as the next key and hands out the rest (fast key
 * erasure): a later look at the state does not tell earlier output. Substreams are keyed by BLAKE2b(stream_id, id), so they do
 * not depend on what the parent has drawn.
 * Words are taken from the stream in the machine's byte order: little-endian machines agree with each other. */
#include "random_internal.h"

#include <nw/testing.h>

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

/* getrandom itself rather than randombytes_buf, which ends the process when the system fails:
 * docs/decisions/0004-entropy-without-abort.md. */
static int system_entropy(void *out, size_t n)
{
    uint8_t *at = out;
    while (n > 0) {
        const size_t part = n < 256 ? n : 256; /* getentropy's limit */
        if (getentropy(at, part) != 0)
            return -1;
        at += part;
        n -= part;
    }
    return 0;
}

int (*nw__system_entropy)(void *out, size_t n) = system_entropy;

/* Fork detection, twice: a counter raised in the child by pthread_atfork, and a page that the kernel wipes in the child
 * (MADV_WIPEONFORK), which also sees forks that bypass the C library. A process id would not do: ids are reused. */
static atomic_uint_fast64_t fork_count = 1;
static _Atomic uint64_t *wiped_page; /* holds 1 in the process that made it, 0 in its children; NULL where the kernel lacks it */
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void after_fork_in_child(void)
{
    atomic_fetch_add(&fork_count, 1);
    if (wiped_page != NULL)
        atomic_store(wiped_page, 1);
}

static void watch_forks(void)
{
    const size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page != MAP_FAILED && madvise(page, bytes, MADV_WIPEONFORK) == 0) {
        wiped_page = page;
        atomic_store(wiped_page, 1);
    } else if (page != MAP_FAILED) {
        munmap(page, bytes);
    }
    pthread_atfork(NULL, NULL, after_fork_in_child);
}

uint64_t nw__fork_generation(void)
{
    uint64_t expected = 0;
    pthread_once(&fork_once, watch_forks);
    if (wiped_page != NULL && atomic_compare_exchange_strong(wiped_page, &expected, 1))
        atomic_fetch_add(&fork_count, 1); /* a child made without the C library's fork */
    return atomic_load(&fork_count);
}

void nw__rng_refill(nw_rng *rng)
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES] = { 0 };
    crypto_stream_chacha20(rng->buffer, sizeof rng->buffer, nonce, rng->key);
    memcpy(rng->key, rng->buffer, sizeof rng->key);
    sodium_memzero(rng->buffer, sizeof rng->key);
    rng->used = sizeof rng->key;
}

static void derive(uint8_t out[NW__RNG_KEY_BYTES], const uint8_t key[NW__RNG_KEY_BYTES], const char *purpose, uint64_t id)
{
    crypto_generichash_state state;
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(id >> (8 * i));
    crypto_generichash_init(&state, key, NW__RNG_KEY_BYTES, NW__RNG_KEY_BYTES);
    crypto_generichash_update(&state, (const uint8_t *)purpose, strlen(purpose));
    crypto_generichash_update(&state, bytes, sizeof bytes);
    crypto_generichash_final(&state, out, NW__RNG_KEY_BYTES);
    sodium_memzero(&state, sizeof state);
}

static void set_key(nw_rng *rng, const uint8_t seed[NW__RNG_KEY_BYTES])
{
    derive(rng->key, seed, "noisewright stream", 0);
    derive(rng->stream_id, seed, "noisewright substreams", 0);
    sodium_memzero(rng->buffer, sizeof rng->buffer);
    rng->used = sizeof rng->buffer;
    rng->fork_generation = nw__fork_generation();
}

static nw_status key_from_system(nw_rng *rng, const char *function, nw_error *err)
{
    uint8_t seed[NW__RNG_KEY_BYTES];
    if (nw__system_entropy(seed, sizeof seed) != 0)
        return nw__fail(err, NW_E_ENTROPY, function, "the operating system gave no random bytes");
    set_key(rng, seed);
    sodium_memzero(seed, sizeof seed);
    return NW_OK;
}

static nw_rng *allocate(const char *function, nw_error *err)
{
    /* sodium_malloc guards and, where the limit allows, locks the page; without a lock the rng still works. */
    nw_rng *rng = nw__init(err) == NW_OK ? sodium_malloc(sizeof *rng) : NULL;
    if (rng == NULL) {
        nw__fail_memory(err, function);
        return NULL;
    }
    sodium_memzero(rng, sizeof *rng);
    return rng;
}

nw_status nw__rng_begin(nw_rng *rng, nw_error *err)
{
    if (rng->fork_generation == nw__fork_generation())
        return NW_OK;
    return key_from_system(rng, "nw_rng", err);
}

nw_status nw_rng_new(nw_rng **out, nw_error *err)
{
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    nw_rng *rng = allocate(__func__, err);
    if (rng == NULL)
        return NW_E_NOMEM;
    const nw_status status = key_from_system(rng, __func__, err);
    if (status != NW_OK) {
        nw_rng_free(rng);
        return status;
    }
    *out = rng;
    return NW_OK;
}

nw_status nw_rng_new_insecure_seeded(nw_rng **out, uint64_t seed, nw_error *err)
{
    static const uint8_t public_key[NW__RNG_KEY_BYTES] = "noisewright insecure test seeds";
    uint8_t key[NW__RNG_KEY_BYTES];
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    nw_rng *rng = allocate(__func__, err);
    if (rng == NULL)
        return NW_E_NOMEM;
    derive(key, public_key, "seed", seed);
    set_key(rng, key);
    rng->is_insecure = true;
    *out = rng;
    return NW_OK;
}

nw_status nw_rng_substream(nw_rng **out, nw_rng *parent, uint64_t id, nw_error *err)
{
    uint8_t key[NW__RNG_KEY_BYTES];
    if (out == NULL || parent == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : "parent");
    *out = NULL;
    NW__TRY(nw__rng_begin(parent, err));
    nw_rng *rng = allocate(__func__, err);
    if (rng == NULL)
        return NW_E_NOMEM;
    derive(key, parent->stream_id, "substream", id);
    set_key(rng, key);
    sodium_memzero(key, sizeof key);
    rng->is_insecure = parent->is_insecure;
    *out = rng;
    return NW_OK;
}

nw_status nw__rng_keyed(nw_rng **out, const uint8_t key[NW__RNG_KEY_BYTES], nw_error *err)
{
    *out = allocate("nw_rng", err);
    if (*out == NULL)
        return NW_E_NOMEM;
    set_key(*out, key);
    return NW_OK;
}

void nw_rng_free(nw_rng *rng)
{
    sodium_free(rng); /* wipes first; NULL is allowed */
}

bool nw_rng_is_insecure(const nw_rng *rng)
{
    return rng->is_insecure;
}

nw_status nw_rng_bytes(nw_rng *rng, void *out, size_t n, nw_error *err)
{
    if (rng == NULL || (out == NULL && n > 0))
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", rng == NULL ? "rng" : "out");
    const nw_status status = nw__rng_begin(rng, err);
    if (status != NW_OK) {
        sodium_memzero(out, n);
        return status;
    }
    uint8_t *at = out;
    while (n > 0) {
        const size_t part = n < 1024 ? n : 1024;
        nw__rng_take(rng, at, part);
        at += part;
        n -= part;
    }
    return NW_OK;
}
