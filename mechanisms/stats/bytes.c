/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* bytes.c - a set of byte strings with numbers: users, keys, and pairs of both. Compared byte by byte, so no two are taken for
 * one. */
#include "stats_internal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const size_t FIRST_CAPACITY = 16;
static const size_t MOST_STRINGS = (size_t)1 << 31;

/* A fixed key: who chooses the strings can make this slow, not wrong. */
static uint64_t hash_of(const void *bytes, size_t n)
{
    static const unsigned char key[crypto_shorthash_KEYBYTES] = "noisewright key";
    uint64_t hash = 0;
    crypto_shorthash((unsigned char *)&hash, bytes, n, key);
    return hash;
}

const char *nw__bytes_get(const nw__bytes *set, size_t number, size_t *n)
{
    *n = set->starts[number + 1] - set->starts[number] - 1;
    return set->text + set->starts[number];
}

/* The slot of a string: its own, or the free one where it would go. */
static uint32_t *find_slot(const nw__bytes *set, const void *bytes, size_t n)
{
    for (size_t i = hash_of(bytes, n) & (set->slot_count - 1);; i = (i + 1) & (set->slot_count - 1)) {
        size_t length = 0;
        uint32_t *slot = &set->slots[i];
        if (*slot == 0)
            return slot;
        const char *other = nw__bytes_get(set, *slot - 1, &length);
        if (length == n && memcmp(other, bytes, n) == 0)
            return slot;
    }
}

/* New blocks are copied and old ones wiped: realloc would leave the strings behind. */
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

static bool grow_numbers(nw__bytes *set)
{
    const size_t capacity = set->capacity == 0 ? FIRST_CAPACITY : 2 * set->capacity;
    size_t *starts =
        moved(set->starts, set->starts == NULL ? 0 : (set->count + 1) * sizeof *starts, (capacity + 1) * sizeof *starts);
    if (starts == NULL)
        return false;
    set->starts = starts;
    uint32_t *slots = nw__calloc(2 * capacity, sizeof *slots);
    if (slots == NULL)
        return false;
    nw__free_wiped(set->slots, set->slot_count * sizeof *slots);
    set->slots = slots;
    set->slot_count = 2 * capacity;
    set->capacity = capacity;
    for (size_t i = 0; i < set->count; i++) {
        size_t n = 0;
        const char *text = nw__bytes_get(set, i, &n);
        *find_slot(set, text, n) = (uint32_t)i + 1;
    }
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

bool nw__bytes_add(nw__bytes *set, const void *bytes, size_t n, size_t *number)
{
    if (set->slots != NULL) {
        const uint32_t found = *find_slot(set, bytes, n);
        *number = found == 0 ? set->count : found - 1;
        if (found != 0)
            return true;
    }
    if (set->count == MOST_STRINGS || (set->count == set->capacity && !grow_numbers(set)))
        return false;
    if (set->text_capacity - set->text_size < n + 1 && !grow_text(set, set->text_size + n + 1))
        return false;
    *number = set->count;
    uint32_t *slot = find_slot(set, bytes, n);
    if (n > 0)
        memcpy(set->text + set->text_size, bytes, n);
    set->text[set->text_size + n] = '\0';
    set->text_size += n + 1;
    set->starts[++set->count] = set->text_size;
    *slot = (uint32_t)set->count;
    return true;
}

void nw__bytes_clear(nw__bytes *set)
{
    nw__free_wiped(set->text, set->text_size);
    nw__free_wiped(set->starts, set->starts == NULL ? 0 : (set->count + 1) * sizeof *set->starts);
    nw__free_wiped(set->slots, set->slot_count * sizeof *set->slots);
    *set = (nw__bytes){ 0 };
}
