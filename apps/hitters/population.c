/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* population.c - holdings sorted and added up, and the generator. The file is read in population_file.c. */
#include "population.h"

#include "../common/exit.h"
#include "../common/numbers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_USERS 1000000000000000.0 /* 1e15 */
#define MOST_ITEMS 100000000.0

void population_free(population *p)
{
    for (size_t i = 0; p->parties != NULL && i < p->party_count; i++)
        free(p->parties[i]);
    for (size_t i = 0; p->texts != NULL && i < p->text_count; i++)
        free(p->texts[i].text);
    free(p->parties);
    free(p->texts);
    free(p->holdings);
    free(p->totals);
    *p = (population){ 0 };
}

int item_compare(nw_ldp_item a, nw_ldp_item b)
{
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    return a.low < b.low ? -1 : a.low > b.low;
}

static int by_party(const void *a, const void *b)
{
    const holding *x = a;
    const holding *y = b;
    return x->party != y->party ? (x->party < y->party ? -1 : 1) : item_compare(x->item, y->item);
}

static int by_users(const void *a, const void *b)
{
    const holding *x = a;
    const holding *y = b;
    return x->users != y->users ? (x->users < y->users ? 1 : -1) : item_compare(x->item, y->item);
}

/* Adds up neighbours that are alike; returns how many are left. */
static size_t add_alike(holding *h, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && by_party(&h[kept - 1], &h[i]) == 0)
            h[kept - 1].users += h[i].users;
        else if (h[i].users > 0)
            h[kept++] = h[i];
    }
    return kept;
}

int population_settle(population *p)
{
    p->totals = calloc(p->n + 1, sizeof *p->totals);
    if (p->totals == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    if (p->n > 0)
        qsort(p->holdings, p->n, sizeof *p->holdings, by_party);
    p->n = add_alike(p->holdings, p->n);
    for (size_t i = 0; i < p->n; i++) {
        p->users += p->holdings[i].users;
        p->totals[i] = p->holdings[i];
        p->totals[i].party = 0;
    }
    qsort(p->totals, p->n, sizeof *p->totals, by_party);
    p->items = add_alike(p->totals, p->n);
    qsort(p->totals, p->items, sizeof *p->totals, by_users);
    return APP_OK;
}

size_t population_first(const population *p, size_t party)
{
    size_t low = 0;
    size_t high = p->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (p->holdings[middle].party < party)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint64_t population_count(const population *p, nw_ldp_item item)
{
    for (size_t i = 0; i < p->items; i++)
        if (item_compare(p->totals[i].item, item) == 0)
            return p->totals[i].users;
    return 0;
}

bool population_text(const population *p, nw_hh_encoding encoding, unsigned bits, nw_ldp_item item, char *out, size_t size)
{
    char code[NW_HH_TEXT_SIZE];
    size_t low = 0;
    size_t high = p->text_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (item_compare(p->texts[middle].code, item) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < p->text_count && item_compare(p->texts[low].code, item) == 0) {
        snprintf(out, size, "%s", p->texts[low].text);
        return true;
    }
    const bool is_text = nw_hh_decode(encoding, bits, item, code) && encoding != NW_HH_HASH;
    snprintf(out, size, "%s", code);
    return is_text;
}

/* ---- the generator ---- */

static bool take_member(zipf *z, const char *name, size_t length, const char *value)
{
    uint64_t *const counts[] = { &z->users, &z->items, &z->bits, &z->parties };
    static const char *const names[] = { "users", "items", "bits", "parties" };
    for (size_t i = 0; i < 4; i++)
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0)
            return app_parse_count(value, counts[i]);
    return length == 1 && *name == 's' && app_parse_real(value, &z->s);
}

int zipf_parse(zipf *z, const char *text)
{
    static const char FORM[] = "zipf:users=N,items=N,s=S,bits=N";
    char value[32];
    *z = (zipf){ .parties = 1, .s = NAN };
    if (strncmp(text, "zipf:", 5) != 0)
        return app_fail(APP_USAGE, "--generate", "is \"%s\", must be %s", text, FORM);
    for (const char *at = text + 5; *at != '\0';) {
        const size_t length = strcspn(at, "=,");
        const size_t size = at[length] == '=' ? strcspn(at + length + 1, ",") : 0;
        if (size == 0 || size >= sizeof value)
            return app_fail(APP_USAGE, "--generate", "is \"%s\", must be %s", text, FORM);
        snprintf(value, sizeof value, "%.*s", (int)size, at + length + 1);
        if (!take_member(z, at, length, value))
            return app_fail(APP_USAGE, "--generate", "has \"%.*s\", must be %s", (int)(length + 1 + size), at, FORM);
        at += length + 1 + size;
        at += *at == ',';
    }
    if (!(z->users >= 1 && (double)z->users <= MOST_USERS))
        return app_fail(APP_USAGE, "--generate", "users is %llu, must be in [1, 1e15]", (unsigned long long)z->users);
    if (!(z->s >= 0.0 && z->s <= 10.0))
        return app_fail(APP_USAGE, "--generate", "s is %g, must be in [0, 10]", z->s);
    if (z->bits < 1 || z->bits > 128)
        return app_fail(APP_USAGE, "--generate", "bits is %llu, must be in [1, 128]", (unsigned long long)z->bits);
    if (z->parties < 1 || z->parties > 65536)
        return app_fail(APP_USAGE, "--generate", "parties is %llu, must be in [1, 65536]", (unsigned long long)z->parties);
    if (z->items < 1 || (double)z->items > fmin(MOST_ITEMS, ldexp(1.0, (int)z->bits)))
        return app_fail(APP_USAGE, "--generate", "items is %llu, must be in [1, 1e8] and at most the 2^%llu codes",
            (unsigned long long)z->items, (unsigned long long)z->bits);
    return APP_OK;
}

static nw_ldp_item random_code(words *w, unsigned bits)
{
    nw_ldp_item item = { words_next(w), words_next(w) };
    if (bits < 64)
        return (nw_ldp_item){ 0, item.low >> (64 - bits) };
    item.high = bits == 64 ? 0 : item.high >> (128 - bits);
    return item;
}

/* Different codes: those that were drawn before are drawn again. An open table, at most half full. */
static bool draw_codes(words *w, unsigned bits, nw_ldp_item *codes, size_t n)
{
    size_t slots = 4;
    while (slots < 2 * n)
        slots *= 2;
    uint32_t *table = calloc(slots, sizeof *table); /* place in codes, plus 1 */
    if (table == NULL)
        return false;
    for (size_t i = 0; i < n && w->status == NW_OK;) {
        codes[i] = random_code(w, bits);
        size_t at = (size_t)((codes[i].low ^ codes[i].high) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (slots - 1);
        while (table[at] != 0 && item_compare(codes[table[at] - 1], codes[i]) != 0)
            at = (at + 1) & (slots - 1);
        if (table[at] == 0)
            table[at] = (uint32_t)++i;
    }
    free(table);
    return true;
}

/* Splits `users` of one item among parties of equal size. */
static void split(population *p, words *w, nw_ldp_item item, uint64_t users)
{
    for (size_t party = 0; party < p->party_count && users > 0; party++) {
        const uint64_t taken = binomial_draw(w, users, 1.0 / (double)(p->party_count - party));
        users -= taken;
        if (taken > 0)
            p->holdings[p->n++] = (holding){ (uint32_t)party, item, taken };
    }
}

static bool name_parties(population *p, size_t n)
{
    char name[32];
    p->parties = calloc(n, sizeof *p->parties);
    if (p->parties == NULL)
        return false;
    for (; p->party_count < n; p->party_count++) {
        snprintf(name, sizeof name, "%zu", p->party_count + 1);
        p->parties[p->party_count] = strdup(name);
        if (p->parties[p->party_count] == NULL)
            return false;
    }
    return true;
}

int population_generate(population *p, const zipf *z, nw_rng *rng)
{
    const size_t items = (size_t)z->items;
    double weight = 0.0;
    uint64_t left = z->users;
    words w;
    *p = (population){ 0 };
    words_open(&w, rng);
    nw_ldp_item *codes = calloc(items, sizeof *codes);
    p->holdings = calloc(items * (size_t)z->parties, sizeof *p->holdings);
    const bool is_made = codes != NULL && p->holdings != NULL && name_parties(p, (size_t)z->parties) &&
                         draw_codes(&w, (unsigned)z->bits, codes, items);
    for (size_t i = items; is_made && i > 0; i--) /* the smallest first: the sum stays exact to the last digits */
        weight += pow((double)i, -z->s);
    for (size_t i = 0; is_made && i < items && left > 0; i++) {
        const double share = pow((double)(i + 1), -z->s);
        const uint64_t users = i + 1 == items ? left : binomial_draw(&w, left, fmin(share / weight, 1.0));
        split(p, &w, codes[i], users);
        left -= users;
        weight -= share;
    }
    free(codes);
    if (!is_made || w.status != NW_OK)
        return app_fail(APP_INTERNAL, NULL, is_made ? "no random numbers" : "out of memory");
    return population_settle(p);
}
