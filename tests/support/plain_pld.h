/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_PLAIN_PLD_H
#define NW_TEST_PLAIN_PLD_H

/* plain_pld.h - the hockey stick of an event tree by a second method, which shares no code with the accountant: profiles delta(x)
 * in long double from textbook formulas and brute-force sums, subsampling by the formulas for profiles (not for tails),
 * connect-the-dots as second differences of a profile, direct convolution. No transforms, no tilt, no tails. Slow, and an upper
 * bound whose excess falls with h^2: the caller compares two steps. */
#include "accountant_internal.h"

typedef struct plain_pld plain_pld;

/** Which law stands for a promise that a leaf makes. */
typedef enum plain_flavour {
    PLAIN_DOMINATING = 0, /* one above everything that keeps the promise; NULL is returned where there is none */
    PLAIN_ATTAINED = 1    /* one that keeps the promise */
} plain_flavour;

/** Half as many points as the grid has; its losses reach from -PLAIN_HALF h to PLAIN_HALF h. */
enum { PLAIN_HALF = 512 };

plain_pld *plain_pld_new(const nw_event *event, nw_adjacency adjacency, bool is_add, plain_flavour flavour, double h);
void plain_pld_free(plain_pld *plain);
double plain_pld_delta(const plain_pld *plain, double epsilon);
/** Do both flavours, and both directions, have the same law? */
bool plain_is_attained(const nw_event *event);
bool plain_is_symmetric(const nw_event *event, nw_adjacency adjacency);
/** What fell off the grid upward, which delta contains. */
double plain_pld_infinite(const plain_pld *plain);

#endif
