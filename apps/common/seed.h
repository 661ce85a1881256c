/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_SEED_H
#define APP_SEED_H

/* seed.h - what --insecure-seed means, for every program that has it. */
#include <noisewright.h>

#define APP_NO_SEED UINT64_MAX /* outside of the option's interval */

bool app_is_insecure(uint64_t seed);

/** APP_USAGE if a seed and a ledger file are both given. */
int app_check_seed(uint64_t seed, const char *ledger);

/** A stream from the seed, or keyed by the system without one. */
nw_status app_new_rng(nw_rng **out, uint64_t seed, nw_error *err);

/** Says that a result is not private, if it is not. */
void app_note_seed(uint64_t seed);

#endif
