/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_PARTIES_H
#define NW_TEST_PARTIES_H

/* parties.h - parties of a masked sum that have met, in one process. */
#include "need.h"

#include <nw/masks.h>

enum { PARTIES_MOST = 16 };

typedef struct met_parties {
    size_t count;
    nw_masks *masks[PARTIES_MOST];
    uint8_t keys[PARTIES_MOST * NW_MASKS_KEY_SIZE];
} met_parties;

static inline void parties_make(met_parties *p, size_t count, nw_rng *rng)
{
    p->count = count;
    for (size_t i = 0; i < count; i++) {
        need(nw_masks_new(&p->masks[i], i, count, rng, NULL) == NW_OK);
        nw_masks_key(p->masks[i], p->keys + i * NW_MASKS_KEY_SIZE);
    }
    for (size_t i = 0; i < count; i++)
        need(nw_masks_meet(p->masks[i], p->keys, NULL) == NW_OK);
}

static inline void parties_free(met_parties *p)
{
    for (size_t i = 0; i < p->count; i++)
        nw_masks_free(p->masks[i]);
}

#endif
