/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_PROCESS_MUTANTS_H
#define NW_TEST_PROCESS_MUTANTS_H

/* process_mutants.h - faults of order and state: budget, ledger file, fork, rounding, overflow. For a table of mutants; context:
 * NULL. */
#include <stdbool.h>

bool charge_after_release__is_seen(const void *context, bool is_planted);
bool rolled_back_ledger__is_seen(const void *context, bool is_planted);
bool replayed_row__is_seen(const void *context, bool is_planted);
bool seeded_generator__is_refused(const void *context, bool is_planted);
bool inherited_key__repeats_noise(const void *context, bool is_planted);
bool rint_for_floor__is_seen(const void *context, bool is_planted);
bool wrapping_add__is_seen(const void *context, bool is_planted);

#endif
