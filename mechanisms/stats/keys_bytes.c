/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* keys_bytes.c - what counts in an nw_keys as bytes, and back. All numbers are little-endian:
 *
 *   magic[8]  fingerprint[32] of the options
 *   users u64, keys u64, pairs u64
 *   each user, then each key: size u32, bytes      in the order of their first pair
 *   each pair: user u32, key u32, count u32        in the order in which they came
 *
 * There is one such text for one history: users and keys are all different and numbered by their first pair, a user has at most
 * max_keys pairs, all different, and a count is in 1 .. max_count. Anything else is refused before anything is merged. */
#include "keys_internal.h"
#include "reduce_internal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const char MAGIC[8] = "NWKEYS01";
enum { FINGERPRINT_SIZE = 32, HEADER_SIZE = 8 + FINGERPRINT_SIZE + 3 * 8, PAIR_SIZE = 12, PREFIX_SIZE = 4 };

static uint8_t *put(uint8_t *out, uint64_t x, int size)
{
    for (int i = 0; i < size; i++)
        out[i] = (uint8_t)(x >> (8 * i));
    return out + size;
}

static uint64_t get(const uint8_t *in, int size)
{
    uint64_t x = 0;
    for (int i = size - 1; i >= 0; i--)
        x = x << 8 | in[i];
    return x;
}

static void make_fingerprint(const nw_keys_opts *o, uint8_t out[FINGERPRINT_SIZE])
{
    const double words[] = { o->epsilon, o->delta, o->threshold_delta, (double)o->adjacency, (double)o->max_keys,
        (double)o->max_count };
    uint8_t bytes[sizeof words];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        uint64_t word;
        memcpy(&word, &words[i], sizeof word);
        put(bytes + 8 * i, word, 8);
    }
    crypto_generichash(out, FINGERPRINT_SIZE, bytes, sizeof bytes, NULL, 0);
}

/* ---- writing ---- */

/* A string in a set has a NUL behind it. */
static size_t strings_size(const nw__bytes *set)
{
    return set->text_size - set->count + PREFIX_SIZE * set->count;
}

size_t nw_keys_size(const nw_keys *keys)
{
    const nw__records *r = &keys->records;
    return HEADER_SIZE + strings_size(&r->users) + strings_size(&r->keys) + PAIR_SIZE * r->pairs.count;
}

static uint8_t *put_strings(uint8_t *out, const nw__bytes *set)
{
    for (size_t i = 0; i < set->count; i++) {
        size_t n = 0;
        const char *text = nw__bytes_get(set, i, &n);
        out = put(out, n, PREFIX_SIZE);
        memcpy(out, text, n);
        out += n;
    }
    return out;
}

nw_status nw_keys_serialize(const nw_keys *keys, uint8_t *out, size_t capacity, nw_error *err)
{
    NW__TRY(nw__keys_check_open(keys, __func__, err));
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    if (capacity < nw_keys_size(keys))
        return nw__fail(err, NW_E_ARG, __func__, "capacity is %zu, must be at least what nw_keys_size tells", capacity);
    const nw__records *r = &keys->records;
    memcpy(out, MAGIC, sizeof MAGIC);
    make_fingerprint(&keys->opts, out + sizeof MAGIC);
    out = put(out + sizeof MAGIC + FINGERPRINT_SIZE, r->users.count, 8);
    out = put(out, r->keys.count, 8);
    out = put(out, r->pairs.count, 8);
    out = put_strings(out, &r->users);
    out = put_strings(out, &r->keys);
    for (size_t i = 0; i < r->pairs.count; i++) {
        out = put(out, r->pairs.pairs[i].user, 4);
        out = put(out, r->pairs.pairs[i].key, 4);
        out = put(out, r->pairs.pairs[i].count, 4);
    }
    return NW_OK;
}

/* ---- reading ---- */

typedef struct reader {
    const uint8_t *at;
    size_t left;
    const char *why; /* the bytes are not what they must be; NULL as long as they are */
} reader;

static void refuse(reader *in, const char *why)
{
    in->why = in->why == NULL ? why : in->why;
}

/* The next n bytes, or NULL. */
static const uint8_t *take(reader *in, size_t n)
{
    const uint8_t *bytes = in->at;
    if (in->why != NULL || n > in->left) {
        refuse(in, "they are cut short");
        return NULL;
    }
    in->at += n;
    in->left -= n;
    return bytes;
}

/* A number of things that take at least `least` bytes each: more than there can be are refused before memory is asked for. */
static size_t take_number(reader *in, size_t least)
{
    const uint8_t *bytes = take(in, 8);
    const uint64_t n = bytes == NULL ? 0 : get(bytes, 8);
    if (n > in->left / least)
        refuse(in, "they are cut short");
    return in->why == NULL ? (size_t)n : 0;
}

/* False if memory lacks. */
static bool take_strings(reader *in, nw__bytes *set, size_t count)
{
    for (size_t i = 0; in->why == NULL && i < count; i++) {
        const uint8_t *prefix = take(in, PREFIX_SIZE);
        const size_t n = prefix == NULL ? 0 : (size_t)get(prefix, PREFIX_SIZE);
        const uint8_t *bytes = take(in, n);
        size_t number = i;
        if (n > NW__KEYS_MAX_SIZE)
            refuse(in, "a user or key is larger than 2^16 bytes");
        if (in->why != NULL)
            return true;
        if (!nw__bytes_add(set, bytes, n, &number))
            return false;
        if (number != i)
            refuse(in, "a user or key comes twice");
    }
    return true;
}

/* False if memory lacks. `records` are checked by adding each pair as a new one. */
static bool take_pairs(reader *in, const nw_keys_opts *bounds, const nw__bytes sets[2], nw__records *records, size_t count)
{
    size_t known[2] = { 0, 0 };
    for (size_t i = 0; in->why == NULL && i < count; i++) {
        const uint8_t *bytes = take(in, PAIR_SIZE);
        if (bytes == NULL)
            return true;
        const size_t numbers[2] = { (size_t)get(bytes, 4), (size_t)get(bytes + 4, 4) };
        const uint32_t records_of_it = (uint32_t)get(bytes + 8, 4);
        const char *text[2];
        size_t size[2];
        for (int k = 0; k < 2; k++) {
            if (numbers[k] > known[k] || numbers[k] >= sets[k].count) {
                refuse(in, "a pair names a user or key out of turn");
                return true;
            }
            known[k] += numbers[k] == known[k];
            text[k] = nw__bytes_get(&sets[k], numbers[k], &size[k]);
        }
        if (records_of_it < 1 || records_of_it > bounds->max_count)
            refuse(in, "a count is not in 1 .. max_count");
        if (in->why == NULL && !nw__records_add(records, bounds, text[0], size[0], text[1], size[1], records_of_it))
            return false;
        if (records->pairs.count != i + 1)
            refuse(in, "a pair comes twice, or its user has more than max_keys");
    }
    if (known[0] != sets[0].count || known[1] != sets[1].count)
        refuse(in, "a user or key has no pair");
    if (in->left > 0)
        refuse(in, "something follows them");
    return true;
}

static bool read_records(reader *in, const nw_keys_opts *bounds, nw__records *records)
{
    nw__bytes sets[2] = { { 0 }, { 0 } };
    const size_t users = take_number(in, PREFIX_SIZE);
    const size_t keys = take_number(in, PREFIX_SIZE);
    const size_t pairs = take_number(in, PAIR_SIZE);
    bool is_whole = take_strings(in, &sets[0], users) && take_strings(in, &sets[1], keys);
    if (is_whole && in->why == NULL)
        is_whole = take_pairs(in, bounds, sets, records, pairs);
    nw__bytes_clear(&sets[0]);
    nw__bytes_clear(&sets[1]);
    return is_whole;
}

nw_status nw_keys_merge_bytes(nw_keys *keys, const uint8_t *bytes, size_t n, nw_error *err)
{
    NW__TRY(nw__keys_check_open(keys, __func__, err));
    if (bytes == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "bytes is NULL");
    uint8_t fingerprint[FINGERPRINT_SIZE];
    make_fingerprint(&keys->opts, fingerprint);
    if (n < HEADER_SIZE || memcmp(bytes, MAGIC, sizeof MAGIC) != 0)
        return nw__fail(err, NW_E_FORMAT, __func__, "the bytes are not of nw_keys_serialize, or of another version of it");
    if (memcmp(bytes + sizeof MAGIC, fingerprint, sizeof fingerprint) != 0)
        return nw__fail(err, NW_E_FORMAT, __func__, "the bytes are of other options, must be of the same");
    reader in = { bytes + sizeof MAGIC + FINGERPRINT_SIZE, n - sizeof MAGIC - FINGERPRINT_SIZE, NULL };
    nw__records records = { 0 };
    bool is_whole = read_records(&in, &keys->opts, &records);
    if (is_whole && in.why == NULL)
        is_whole = nw__records_merge(&keys->records, &keys->opts, &records);
    nw__records_forget(&records);
    nw__bytes_clear(&records.keys);
    if (!is_whole)
        return nw__fail_memory(err, __func__);
    return in.why == NULL ? NW_OK : nw__fail(err, NW_E_FORMAT, __func__, "the bytes are not of nw_keys_serialize: %s", in.why);
}

/* ---- over processes ---- */

static nw_status take_bytes(void *context, size_t rank, const uint8_t *bytes, size_t n, nw_error *err)
{
    (void)rank;
    return nw_keys_merge_bytes(context, bytes, n, err);
}

nw_status nw_keys_reduce(nw_keys *keys, const nw_reduce *reduce, nw_error *err)
{
    if (keys == NULL || reduce == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", keys == NULL ? "keys" : "reduce");
    uint8_t mine[FINGERPRINT_SIZE];
    make_fingerprint(&keys->opts, mine);
    nw_status status = nw__keys_check_open(keys, __func__, err);
    NW__TRY(nw__reduce_same(reduce, mine, sizeof mine, status, __func__, "other options", err));
    if (reduce->size == 1)
        return NW_OK;
    const size_t n = reduce->rank == 0 ? 0 : nw_keys_size(keys);
    uint8_t *bytes = nw__calloc(n, 1);
    status = bytes == NULL ? nw__fail_memory(err, __func__) : NW_OK;
    if (status == NW_OK && n > 0)
        status = nw_keys_serialize(keys, bytes, n, err);
    status = nw_reduce_agree(reduce, status, err);
    if (status == NW_OK)
        status = nw_reduce_gather(reduce, bytes, n, take_bytes, keys, err);
    nw__free_wiped(bytes, n);
    if (reduce->rank > 0) {
        keys->is_handed = true;
        nw__records_forget(&keys->records);
        nw__bytes_clear(&keys->records.keys);
    }
    return status;
}
