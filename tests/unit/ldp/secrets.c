/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* secrets.c - reports made of secrets that valgrind takes for undefined memory: it then complains of every branch and every
 * address that depends on them. Run by constant_time.sh. An argument plants a leak instead: "branch", "index".
 *
 * Secret: the item, the device's key, and all random bytes; of the subset oracle, whose rejections depend on random bytes, the
 * item and the first word, which decides whether the item is in the set. Of several levels the first word, and so the key, which
 * the report tells the level of, is public. */
#include <nw/ldp_client.h>

#include <stdio.h>
#include <string.h>
#include <valgrind/memcheck.h>

typedef struct source {
    uint64_t state;
    size_t first; /* bytes first .. last - 1 are secret */
    size_t last;
    size_t given;
} source;

static int draw(void *context, uint8_t *out, size_t n)
{
    source *s = context;
    for (size_t i = 0; i < n; i++) {
        s->state = s->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        out[i] = (uint8_t)(s->state >> 56);
    }
    for (size_t i = 0; i < n; i++, s->given++)
        if (s->given >= s->first && s->given < s->last)
            (void)VALGRIND_MAKE_MEM_UNDEFINED(out + i, 1);
    return 0;
}

/* The canonical bytes of one campaign of each kind. */
typedef struct kind {
    uint8_t oracle, flags, seed_bits, bits, levels, band;
    uint16_t symbols, domain;
    bool is_permanent;
} kind;

static const kind kinds[] = { { NW_LDP_GRR, 0, 0, 0, 1, 0, 20, 20, false }, { NW_LDP_SUE, 0, 0, 0, 1, 0, 2, 60, false },
    { NW_LDP_SUE, 0, 0, 0, 1, 0, 2, 60, true }, { NW_LDP_OUE, 0, 0, 0, 1, 0, 2, 60, false },
    { NW_LDP_OLH, 0, 32, 128, 1, 0, 5, 0, false }, { NW_LDP_BLH, 0, 32, 128, 1, 0, 8, 0, false },
    { NW_LDP_BLH, 1, 32, 128, 1, 0, 8, 0, false }, { NW_LDP_BLH, 0, 32, 60, 2, 0, 8, 0, false },
    { NW_LDP_OLH, 1, 32, 60, 2, 0, 5, 0, false }, { NW_LDP_HADAMARD, 0, 0, 0, 1, 0, 4, 33, false },
    { NW_LDP_SUBSET, 0, 0, 0, 1, 0, 9, 30, false }, { NW_LDP_PROJECTIVE, 0, 0, 0, 1, 0, 3, 30, false },
    { NW_LDP_PROJECTIVE, 0, 0, 0, 1, 0, 2, 30, false }, { NW_LDP_DUCHI, 0, 0, 0, 1, 0, 2, 0, false },
    { NW_LDP_PIECEWISE, 0, 0, 0, 1, 30, 90, 0, false }, { NW_LDP_HYBRID, 0, 0, 0, 1, 30, 90, 0, false },
    { NW_LDP_SQUARE_WAVE, 0, 0, 0, 1, 9, 24, 16, false } };

static nw_status read_kind(const kind *k, nw_ldp_campaign *out)
{
    uint8_t bytes[NW_LDP_CAMPAIGN_BYTES] = { 'N', 'W', 'L', 'C', 1, k->oracle, k->flags, k->seed_bits, k->bits, k->levels,
        k->band };
    bytes[12] = (uint8_t)k->symbols;
    bytes[16] = (uint8_t)k->domain;
    bytes[28] = 2; /* epsilon 2 */
    bytes[36] = k->is_permanent;
    bytes[55 + k->levels] = k->bits;
    if (k->levels > 1)
        bytes[56] = 20;
    return nw_ldp_campaign_read(out, bytes, sizeof bytes);
}

static bool make_reports(const nw_ldp_campaign *c)
{
    const uint8_t pseudonym[NW_LDP_USER_BYTES] = { 7 };
    const uint8_t *user = c->is_public_coin ? pseudonym : NULL;
    uint8_t report[64];
    for (uint64_t i = 0; i < 40; i++) {
        source s = { i, c->levels > 1 ? 8 : 0, c->oracle == NW_LDP_SUBSET ? 8 : SIZE_MAX, 0 };
        uint8_t key[NW_LDP_KEY_BYTES] = { (uint8_t)i };
        nw_ldp_item item = { i << 55, i << (c->bits != 0 || c->domain == 0 ? 27 : 0) };
        (void)VALGRIND_MAKE_MEM_UNDEFINED(&item, sizeof item);
        bool is_made = nw_ldp_report(c, user, item, draw, &s, report, sizeof report) == NW_OK;
        if (c->oracle != NW_LDP_SUBSET &&
            c->levels == 1) { /* the subset's memoised words are all secret: rejections would be told */
            (void)VALGRIND_MAKE_MEM_UNDEFINED(key, sizeof key);
            is_made = is_made && nw_ldp_report_memoised(c, user, key, item, draw, &s, report, sizeof report) == NW_OK;
        }
        if (!is_made)
            return false;
    }
    return true;
}

static int leak(const char *how)
{
    static const uint8_t table[256] = { 1, 2, 3 };
    volatile uint8_t sink = 0;
    uint8_t secret = 5;
    (void)VALGRIND_MAKE_MEM_UNDEFINED(&secret, 1);
    if (strcmp(how, "index") == 0)
        sink = table[secret];
    else if (secret > 3)
        sink = 1;
    (void)sink;
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return leak(argv[1]);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        nw_ldp_campaign c;
        if (read_kind(&kinds[i], &c) != NW_OK || !make_reports(&c)) {
            fprintf(stderr, "kind %zu makes no reports\n", i);
            return 1;
        }
    }
    return 0;
}
