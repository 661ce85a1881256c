/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bytes.c - sets with numbers: byte strings (users, keys), compared byte by byte, so no two are taken for one; and pairs of
 * numbers. A slot keeps 32 bits of the hash beside the number: a search seldom looks at a string that is not the one, and a table
 * grows without looking at any. */
#include "keys_internal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const size_t FIRST_CAPACITY = 16;
static const size_t MOST_MEMBERS = (size_t)1 << 31;

/* New blocks are copied and old ones wiped: realloc would leave the contents behind. */
static void *moved(void *block, size_t used, size_t bytes)
{
    void *larger = nw__calloc(bytes, 1);
    if (larger == NULL)
        return NULL;
    if (used > 0)
        memcpy(larger, block, used);
    nw__free_wiped(block, used);
    return larger;
}

/* ---- slots ---- */

static size_t next_slot(const nw__index *index, size_t i)
{
    return (i + 1) & (index->slot_count - 1);
}

static nw__slot *free_slot(const nw__index *index, uint32_t hash)
{
    size_t i = hash & (index->slot_count - 1);
    while (index->slots[i].number_plus_one != 0)
        i = next_slot(index, i);
    return &index->slots[i];
}

static void index_clear(nw__index *index)
{
    nw__free_wiped(index->slots, index->slot_count * sizeof *index->slots);
    *index = (nw__index){ 0 };
}

/* Room for `members`, at most half of the slots in use; a failure leaves what was there. */
static bool index_reserve(nw__index *index, size_t members)
{
    nw__index larger = { .slot_count = index->slot_count == 0 ? 2 * FIRST_CAPACITY : index->slot_count };
    while (larger.slot_count < 2 * members)
        larger.slot_count *= 2;
    if (larger.slot_count == index->slot_count)
        return true;
    larger.slots = nw__calloc(larger.slot_count, sizeof *larger.slots);
    if (larger.slots == NULL)
        return false;
    for (size_t i = 0; i < index->slot_count; i++)
        if (index->slots[i].number_plus_one != 0)
            *free_slot(&larger, index->slots[i].hash) = index->slots[i];
    index_clear(index);
    *index = larger;
    return true;
}

/* ---- byte strings ---- */

/* A fixed key: who chooses the strings can make this slow, not wrong. */
static uint32_t hash_of(const void *bytes, size_t n)
{
    static const unsigned char key[crypto_shorthash_KEYBYTES] = "noisewright key";
    uint64_t hash = 0;
    crypto_shorthash((unsigned char *)&hash, bytes, n, key);
    return (uint32_t)hash;
}

const char *nw__bytes_get(const nw__bytes *set, size_t number, size_t *n)
{
    *n = set->starts[number + 1] - set->starts[number] - 1;
    return set->text + set->starts[number];
}

static bool find(const nw__bytes *set, const void *bytes, size_t n, uint32_t hash, size_t *number)
{
    const nw__index *index = &set->index;
    if (index->slot_count == 0)
        return false;
    for (size_t i = hash & (index->slot_count - 1); index->slots[i].number_plus_one != 0; i = next_slot(index, i)) {
        size_t length = 0;
        if (index->slots[i].hash != hash)
            continue;
        const char *other = nw__bytes_get(set, index->slots[i].number_plus_one - 1, &length);
        if (length != n || memcmp(other, bytes, n) != 0)
            continue;
        *number = index->slots[i].number_plus_one - 1;
        return true;
    }
    return false;
}

static bool grow_numbers(nw__bytes *set)
{
    const size_t capacity = set->capacity == 0 ? FIRST_CAPACITY : 2 * set->capacity;
    const size_t used = set->starts == NULL ? 0 : set->count + 1;
    size_t *starts = moved(set->starts, used * sizeof *starts, (capacity + 1) * sizeof *starts);
    if (starts == NULL)
        return false;
    set->starts = starts;
    set->capacity = capacity;
    return true;
}

static bool grow_text(nw__bytes *set, size_t wanted)
{
    size_t capacity = set->text_capacity == 0 ? 64 * FIRST_CAPACITY : set->text_capacity;
    while (capacity < wanted)
        capacity *= 2;
    char *text = moved(set->text, set->text_size, capacity);
    if (text == NULL)
        return false;
    set->text = text;
    set->text_capacity = capacity;
    return true;
}

bool nw__bytes_find(const nw__bytes *set, const void *bytes, size_t n, size_t *number)
{
    return find(set, n == 0 ? "" : bytes, n, hash_of(bytes, n), number);
}

bool nw__bytes_add(nw__bytes *set, const void *bytes, size_t n, size_t *number)
{
    const uint32_t hash = hash_of(bytes, n);
    if (find(set, n == 0 ? "" : bytes, n, hash, number))
        return true;
    if (set->count == MOST_MEMBERS || (set->count == set->capacity && !grow_numbers(set)))
        return false;
    if (set->text_capacity - set->text_size < n + 1 && !grow_text(set, set->text_size + n + 1))
        return false;
    if (!index_reserve(&set->index, set->count + 1))
        return false;
    *number = set->count;
    if (n > 0)
        memcpy(set->text + set->text_size, bytes, n);
    set->text[set->text_size + n] = '\0';
    set->text_size += n + 1;
    set->starts[++set->count] = set->text_size;
    *free_slot(&set->index, hash) = (nw__slot){ (uint32_t)set->count, hash };
    return true;
}

void nw__bytes_move(nw__bytes *set, size_t number, size_t to)
{
    const size_t n = set->starts[number + 1] - set->starts[number];
    memmove(set->text + set->starts[to], set->text + set->starts[number], n);
    set->starts[to + 1] = set->starts[to] + n;
}

void nw__bytes_cut(nw__bytes *set, size_t count)
{
    if (set->count == 0)
        return;
    const size_t text_size = set->starts[count];
    sodium_memzero(set->text + text_size, set->text_size - text_size);
    sodium_memzero(set->starts + count + 1, (set->count - count) * sizeof *set->starts);
    index_clear(&set->index);
    set->text_size = text_size;
    set->count = count;
}

void nw__bytes_clear(nw__bytes *set)
{
    nw__free_wiped(set->text, set->text_size);
    nw__free_wiped(set->starts, set->starts == NULL ? 0 : (set->count + 1) * sizeof *set->starts);
    index_clear(&set->index);
    *set = (nw__bytes){ 0 };
}

/* ---- pairs ---- */

/* The numbers come one after another: odd multipliers spread them, and the shift brings the high bits down. */
static uint32_t hash_pair(uint32_t user, uint32_t key)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t h = ((uint64_t)user << 32 | key) * odd;
    h = (h ^ h >> 32) * odd;
    return (uint32_t)(h >> 32);
}

nw__pair *nw__pairs_find(const nw__pairs *set, uint32_t user, uint32_t key)
{
    const nw__index *index = &set->index;
    const uint32_t hash = hash_pair(user, key);
    if (index->slot_count == 0)
        return NULL;
    for (size_t i = hash & (index->slot_count - 1); index->slots[i].number_plus_one != 0; i = next_slot(index, i)) {
        nw__pair *pair = &set->pairs[index->slots[i].number_plus_one - 1];
        if (index->slots[i].hash == hash && pair->user == user && pair->key == key)
            return pair;
    }
    return NULL;
}

bool nw__pairs_append(nw__pairs *set, nw__pair pair)
{
    if (set->count == MOST_MEMBERS || !index_reserve(&set->index, set->count + 1))
        return false;
    if (set->count == set->capacity) {
        const size_t capacity = set->capacity == 0 ? FIRST_CAPACITY : 2 * set->capacity;
        nw__pair *pairs = moved(set->pairs, set->count * sizeof *pairs, capacity * sizeof *pairs);
        if (pairs == NULL)
            return false;
        set->pairs = pairs;
        set->capacity = capacity;
    }
    set->pairs[set->count++] = pair;
    *free_slot(&set->index, hash_pair(pair.user, pair.key)) = (nw__slot){ (uint32_t)set->count, hash_pair(pair.user, pair.key) };
    return true;
}

void nw__pairs_clear(nw__pairs *set)
{
    nw__free_wiped(set->pairs, set->count * sizeof *set->pairs);
    index_clear(&set->index);
    *set = (nw__pairs){ 0 };
}
