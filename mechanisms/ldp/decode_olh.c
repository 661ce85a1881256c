/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* decode_olh.c - OLH's supports: each report against each item. What a hash needs of the seed is computed once a report. */
#include "server.h"

#include <stdlib.h>
#include <string.h>

enum {
    STRIPE = 2048, /* reports whose factors stay in the first cache for a group of items */
    GROUP = 64,    /* items */
    PIECES = 8
};

/* The factors of a block of reports; of a table of a block of seeds, without widths. */
typedef struct prepared {
    uint32_t factors[PIECES][NW__LDP_BLOCK];
    uint32_t summands[NW__LDP_BLOCK];
    uint32_t widths[NW__LDP_BLOCK];
} prepared;

static void prepare(prepared *p, const uint32_t *seeds, const uint16_t *cells, size_t n, unsigned pieces, uint32_t g)
{
    for (size_t i = 0; i < n; i++) {
        for (unsigned j = 0; j < pieces; j++)
            p->factors[j][i] = nw__ldp_factor(seeds[i], j);
        p->summands[i] = nw__ldp_summand(seeds[i]);
        if (cells == NULL)
            continue;
        /* hashes h of 16 bits with h g >> 16 equal to the cell */
        const uint32_t first = (((uint32_t)cells[i] << 16) + g - 1) / g;
        const uint32_t end = (((uint32_t)cells[i] + 1) * 65536u + g - 1) / g;
        p->summands[i] -= first << 16;
        p->widths[i] = (end - first) << 16;
    }
}

static void split(const nw_ldp_item *items, size_t n, uint32_t pieces[GROUP][PIECES])
{
    for (size_t i = 0; i < n; i++)
        for (unsigned j = 0; j < PIECES; j++)
            pieces[i][j] = nw__ldp_piece(items[i], j);
}

static void count_group(const prepared *p, size_t reports, const nw_ldp_item *items, size_t n, unsigned pieces,
    const nw__ldp_kernels *kernels, int64_t *supports)
{
    uint32_t item[GROUP][PIECES];
    split(items, n, item);
    for (size_t at = 0; at < reports; at += STRIPE) {
        const size_t some = reports - at < STRIPE ? reports - at : STRIPE;
        for (size_t i = 0; i < n; i++)
            supports[i] +=
                kernels->count_cells(&p->factors[0][at], NW__LDP_BLOCK, p->summands + at, p->widths + at, some, item[i], pieces);
    }
}

static void look_up_group(const prepared *p, size_t seeds, const uint64_t *table, uint32_t g, const nw_ldp_item *items, size_t n,
    unsigned pieces, int64_t *supports)
{
    uint32_t item[GROUP][PIECES];
    split(items, n, item);
    for (size_t i = 0; i < n; i++)
        for (size_t s = 0; s < seeds; s++) {
            uint32_t hash = p->summands[s];
            for (unsigned j = 0; j < pieces; j++)
                hash += p->factors[j][s] * item[i][j];
            supports[i] += (int64_t)table[s * g + (((hash >> 16) * g) >> 16)];
        }
}

static void decode_table(const nw_ldp_aggregate *a, unsigned level, const nw_ldp_item *items, size_t n, int64_t *supports,
    prepared *p, uint32_t *seeds)
{
    const nw_ldp_campaign *c = &a->campaign;
    const unsigned pieces = nw__ldp_pieces(c, level);
    const size_t all = (size_t)1 << c->seed_bits;
    const uint64_t *table = a->table + level * (all * c->symbols);
    for (size_t at = 0; at < all; at += NW__LDP_BLOCK) {
        const size_t some = all - at < NW__LDP_BLOCK ? all - at : NW__LDP_BLOCK;
        for (size_t s = 0; s < some; s++)
            seeds[s] = (uint32_t)(at + s);
        prepare(p, seeds, NULL, some, pieces, c->symbols);
#pragma omp parallel for schedule(dynamic) num_threads(nw__threads(0)) if (n > GROUP)
        for (size_t i = 0; i < n; i += GROUP)
            look_up_group(
                p, some, table + at * c->symbols, c->symbols, items + i, n - i < GROUP ? n - i : GROUP, pieces, supports + i);
    }
}

nw_status nw__ldp_support_olh(const nw_ldp_aggregate *view, unsigned level, const nw_ldp_item *items, size_t n, int64_t *supports,
    const nw__ldp_kernels *kernels, nw_error *err)
{
    const unsigned pieces = nw__ldp_pieces(&view->campaign, level);
    prepared *p = nw__calloc(1, sizeof *p);
    uint32_t *seeds = nw__calloc(NW__LDP_BLOCK, sizeof *seeds);
    if (p == NULL || seeds == NULL) {
        free(p);
        free(seeds);
        return nw__fail_memory(err, "nw_ldp_aggregate_support");
    }
    memset(supports, 0, n * sizeof *supports);
    if (view->table != NULL)
        decode_table(view, level, items, n, supports, p, seeds);
    for (const nw__ldp_block *block = view->logs[level]; block != NULL; block = block->next) {
        prepare(p, block->seeds, block->cells, block->used, pieces, view->campaign.symbols);
#pragma omp parallel for schedule(dynamic) num_threads(nw__threads(0)) if (n > GROUP)
        for (size_t i = 0; i < n; i += GROUP)
            count_group(p, block->used, items + i, n - i < GROUP ? n - i : GROUP, pieces, kernels, supports + i);
    }
    free(p);
    free(seeds);
    return NW_OK;
}
