/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_RANDOM_EVENT_H
#define NW_TEST_RANDOM_EVENT_H

/* random_event.h - event trees from a seed, over all kinds that have a meaning under an adjacency. */
#include <nw/event.h>

typedef struct random_bits {
    uint64_t state;
} random_bits;

uint64_t random_below(random_bits *r, uint64_t bound);
/** In [0, 1). */
double random_unit(random_bits *r);
/** A leaf whose epsilon is of the order of `size`. */
nw_event *random_leaf(random_bits *r, nw_adjacency adjacency, double size);
/** A leaf of one kind; NULL if it has no meaning under the adjacency. */
nw_event *random_leaf_of(random_bits *r, nw_event_kind kind, nw_adjacency adjacency, double size);
/** A tree of at most `depth` inner nodes on a path. */
nw_event *random_event(random_bits *r, nw_adjacency adjacency, int depth, double size);

#endif
