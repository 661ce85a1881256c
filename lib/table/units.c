/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* units.c - how many rows of each unit were taken: which rows count is a function of the unit's own rows alone. */
#include "table_internal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Units are told apart by their BLAKE2b-256, so that two are never taken for one, and none is kept as it stands. */
enum { DIGEST_BYTES = 32, FIRST_SLOTS = 1024 };

typedef struct slot {
    uint8_t digest[DIGEST_BYTES];
    uint32_t rows; /* 0: free */
} slot;

struct nw__units {
    uint32_t max_rows;
    slot *slots; /* open addressing, at most half full */
    size_t slot_count;
    size_t used;
};

nw__units *nw__units_new(uint32_t max_rows)
{
    nw__units *units = nw__calloc(1, sizeof *units);
    if (units == NULL)
        return NULL;
    units->max_rows = max_rows;
    units->slot_count = FIRST_SLOTS;
    units->slots = nw__calloc(FIRST_SLOTS, sizeof *units->slots);
    if (units->slots != NULL)
        return units;
    free(units);
    return NULL;
}

void nw__units_free(nw__units *units)
{
    if (units == NULL)
        return;
    nw__free_wiped(units->slots, units->slot_count * sizeof *units->slots);
    free(units);
}

static slot *find(const nw__units *units, const uint8_t digest[DIGEST_BYTES])
{
    size_t i;
    memcpy(&i, digest, sizeof i);
    for (i &= units->slot_count - 1;; i = (i + 1) & (units->slot_count - 1)) {
        slot *s = &units->slots[i];
        if (s->rows == 0 || memcmp(s->digest, digest, DIGEST_BYTES) == 0)
            return s;
    }
}

static bool grow(nw__units *units)
{
    size_t count;
    nw__units larger = *units;
    if (!nw__mul_size(2, units->slot_count, &count))
        return false;
    larger.slot_count = count;
    larger.slots = nw__calloc(count, sizeof *larger.slots);
    if (larger.slots == NULL)
        return false;
    for (size_t i = 0; i < units->slot_count; i++)
        if (units->slots[i].rows > 0)
            *find(&larger, units->slots[i].digest) = units->slots[i];
    nw__free_wiped(units->slots, units->slot_count * sizeof *units->slots);
    *units = larger;
    return true;
}

bool nw__units_admit(nw__units *units, const nw__csv_share *share, const char *text, size_t length, bool *is_admitted)
{
    uint8_t digest[DIGEST_BYTES];
    crypto_generichash(digest, sizeof digest, (const uint8_t *)text, length, NULL, 0);
    *is_admitted = false;
    if (nw__get_word(digest + 8) % share->parts != share->part) /* not the bytes that find the slot */
        return true;
    if (2 * (units->used + 1) > units->slot_count && !grow(units))
        return false;
    slot *s = find(units, digest);
    *is_admitted = s->rows < units->max_rows;
    if (s->rows == 0) {
        memcpy(s->digest, digest, sizeof digest);
        units->used++;
    }
    s->rows += *is_admitted;
    return true;
}

size_t nw__units_count(const nw__units *units)
{
    return units->used;
}

static int compare_words(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void nw__units_list(const nw__units *units, uint64_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < units->slot_count; i++) {
        const slot *s = &units->slots[i];
        if (s->rows == 0)
            continue;
        out[n] = 0;
        for (int byte = 7; byte >= 0; byte--) /* the same on machines of either byte order */
            out[n] = out[n] << 8 | s->digest[byte];
        n++;
    }
    qsort(out, n, sizeof *out, compare_words);
}
